#include "app/http_cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/http_files.h"
#include "harness/site.h"

static struct http_cache cache;
static int root;
static int64_t later; /* ten seconds after the site was made */

static int up(void **state)
{
    root = open(site_up(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    later = (int64_t)time(NULL) + 10;
    memset(&cache, 0, sizeof cache);
    return root < 0;
}

static int down(void **state)
{
    http_cache_free(&cache);
    close(root);
    site_down();
    return 0;
}

static void keep(const char *name, int64_t now)
{
    struct stat st;
    int fd = openat(root, name, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    http_cache_keep(&cache, name, fd, &st, now);
    close(fd);
}

/* What is kept, as a turn of the server's later. */
static const struct http_kept *find_later(const char *name, int64_t now)
{
    cache.turn++;
    cache.at += 1000;
    return http_cache_find(&cache, root, name, now);
}

static void write_file(const char *name, const char *text)
{
    int fd = openat(root, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void a_small_file_is_kept_until_the_second_is_over(void **state)
{
    const struct http_kept *k;

    assert_null(find_later("a.txt", later));
    keep("a.txt", later);
    k = find_later("a.txt", later);
    assert_non_null(k);
    assert_int_equal(k->st.st_size, 5);
    assert_memory_equal(k->text, "hello", 5);
    assert_null(find_later("a.txt", later + 1));
    assert_null(find_later("a.txt", later)); /* it was forgotten */
}

static void an_empty_file_is_kept_too(void **state)
{
    keep("empty.txt", later);
    assert_non_null(find_later("empty.txt", later));
    assert_int_equal(find_later("empty.txt", later)->st.st_size, 0);
}

/* The same length, and the time of change is all that tells. */
static void a_file_that_was_written_is_not_kept_any_more(void **state)
{
    const struct timespec times[2] = { { 1000000000, 0 }, { 1000000000, 1 } };

    keep("a.txt", later);
    write_file("a.txt", "HELLO");
    assert_int_equal(utimensat(root, "a.txt", times, 0), 0);
    assert_null(find_later("a.txt", later));
}

static void a_file_that_another_replaced_is_not_kept_any_more(void **state)
{
    keep("a.txt", later);
    write_file("new", "HELLO");
    assert_int_equal(renameat(root, "new", root, "a.txt"), 0);
    assert_null(find_later("a.txt", later));
    assert_int_equal(unlinkat(root, "a.txt", 0), 0);
    assert_null(find_later("a.txt", later));
}

static void a_file_that_was_moved_away_is_not_kept_any_more(void **state)
{
    keep("a.txt", later);
    assert_int_equal(renameat(root, "a.txt", root, "b.txt"), 0);
    assert_null(find_later("a.txt", later));
}

/* So does a link to a directory that is turned elsewhere show it. */
static void a_file_behind_a_link_that_was_turned_is_not_kept_any_more(void **state)
{
    assert_int_equal(symlinkat("sub", root, "now"), 0);
    keep("now/c.txt", later);
    assert_non_null(find_later("now/c.txt", later));
    assert_int_equal(unlinkat(root, "now", 0), 0);
    assert_int_equal(symlinkat(".", root, "now"), 0);
    assert_null(find_later("now/c.txt", later));
}

/* A name that leads out of the directory meanwhile is another file. */
static void a_name_that_became_a_link_is_not_kept_any_more(void **state)
{
    keep("a.txt", later);
    assert_int_equal(unlinkat(root, "a.txt", 0), 0);
    assert_int_equal(symlinkat("../secret", root, "a.txt"), 0);
    assert_null(find_later("a.txt", later));
}

/* Requests that wait together get the file as it was for the first of them. */
static void within_a_turn_the_file_is_not_asked_again(void **state)
{
    write_file("a.txt", "fresh");
    keep("a.txt", (int64_t)time(NULL));
    write_file("a.txt", "newer");
    assert_memory_equal(
        http_cache_find(&cache, root, "a.txt", (int64_t)time(NULL))->text, "fresh", 5);
    assert_null(find_later("a.txt", (int64_t)time(NULL)));
}

/* Short turns: one that has been as it is for long is asked once a millisecond. */
static void a_file_is_not_asked_again_within_a_millisecond(void **state)
{
    keep("a.txt", later);
    write_file("a.txt", "newer");
    cache.turn++;
    cache.at += 999;
    assert_non_null(http_cache_find(&cache, root, "a.txt", later));
    cache.turn++;
    cache.at++;
    assert_null(http_cache_find(&cache, root, "a.txt", later));
    write_file("sub/c.txt", "fresh"); /* but this one is */
    keep("sub/c.txt", (int64_t)time(NULL));
    cache.turn++;
    assert_null(http_cache_find(&cache, root, "sub/c.txt", (int64_t)time(NULL)));
}

static void a_file_that_changed_lately_is_kept_for_the_turn(void **state)
{
    write_file("a.txt", "fresh");
    keep("a.txt", (int64_t)time(NULL));
    assert_null(find_later("a.txt", (int64_t)time(NULL)));
    keep("a.txt", 0); /* nor where time is another's */
    assert_null(find_later("a.txt", 0));
}

static void a_large_file_is_not_kept(void **state)
{
    keep("big.bin", later);
    assert_null(find_later("big.bin", later));
    site_resize("big.bin", 16385);
    keep("big.bin", later + 10);
    assert_null(find_later("big.bin", later + 10));
    site_resize("big.bin", 16384);
    keep("big.bin", later + 10);
    assert_non_null(find_later("big.bin", later + 10));
}

static void a_clock_that_goes_back_ends_the_time_of_a_file(void **state)
{
    keep("a.txt", later);
    assert_null(find_later("a.txt", later - 1));
}

/* More files than there are slots: what is found is always the file asked for. */
static void files_that_share_a_slot_push_each_other_out(void **state)
{
    enum { FILES = 200 };
    char name[16], text[16];
    int found = 0;

    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "n%d", i);
        write_file(name, name);
        keep(name, later + 10);
    }
    for (int i = 0; i < FILES; i++) {
        const struct http_kept *k;
        snprintf(text, sizeof text, "n%d", i);
        k = http_cache_find(&cache, root, text, later + 10);
        found += k != NULL;
        if (k)
            assert_memory_equal(k->text, text, strlen(text));
    }
    assert_in_range(found, 32, 64);
}

/* The two together: as http_files.c uses it. */
static void a_small_file_is_bytes_and_a_large_one_a_descriptor(void **state)
{
    struct http_files files;
    struct http_file file;

    assert_int_equal(http_files_open(&files, site_up()), 0);
    assert_int_equal(http_files_get(&files, "big.bin", later, &file), 0);
    assert_true(file.fd >= 0);
    assert_null(file.text);
    close(file.fd);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(http_files_get(&files, "a.txt", later, &file), 0);
        assert_int_equal(file.fd, -1);
        assert_int_equal(file.size, 5);
        assert_int_equal(file.mtime, 784111777);
        assert_memory_equal(file.text, "hello", 5);
    }
    http_files_close(&files);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, up, down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(a_small_file_is_kept_until_the_second_is_over),
        WITH(an_empty_file_is_kept_too),
        WITH(a_file_that_was_written_is_not_kept_any_more),
        WITH(a_file_that_another_replaced_is_not_kept_any_more),
        WITH(a_file_that_was_moved_away_is_not_kept_any_more),
        WITH(a_file_behind_a_link_that_was_turned_is_not_kept_any_more),
        WITH(a_name_that_became_a_link_is_not_kept_any_more),
        WITH(within_a_turn_the_file_is_not_asked_again),
        WITH(a_file_is_not_asked_again_within_a_millisecond),
        WITH(a_file_that_changed_lately_is_kept_for_the_turn),
        WITH(a_large_file_is_not_kept),
        WITH(a_clock_that_goes_back_ends_the_time_of_a_file),
        WITH(files_that_share_a_slot_push_each_other_out),
        WITH(a_small_file_is_bytes_and_a_large_one_a_descriptor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
