#include "app/http_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "harness/site.h"

static struct http_files files;

static int up(void **state)
{
    assert_int_equal(http_files_open(&files, site_up()), 0);
    return 0;
}

static int down(void **state)
{
    http_files_close(&files);
    site_down();
    return 0;
}

/* As if the kernel had no openat2: the file is asked where it lies. */
static int up_without_openat2(void **state)
{
    const char *site = site_up();

    assert_int_equal(http_files_open(&files, site), 0);
    files.beneath = false;
    free(files.path);
    files.path = realpath(site, NULL);
    return 0;
}

static int get(const char *name)
{
    struct http_file file;
    int err = http_files_get(&files, name, 0, &file);

    if (err == 0 && file.fd >= 0)
        close(file.fd);
    return err;
}

static void files_below_the_directory_are_opened(void **state)
{
    struct http_file file;
    uint8_t bytes[2] = { 0 };

    assert_int_equal(http_files_get(&files, "big.bin", 0, &file), 0);
    assert_int_equal(file.size, 100000);
    assert_int_equal(read(file.fd, bytes, sizeof bytes), 2);
    assert_int_equal(bytes[0], site_byte(0));
    assert_int_equal(bytes[1], site_byte(1));
    close(file.fd);
    assert_int_equal(get("a.txt"), 0);
    assert_int_equal(get("sub/c.txt"), 0);
    assert_int_equal(get("in"), 0);
}

static void links_that_lead_out_are_refused(void **state)
{
    assert_int_equal(get("out"), -EACCES);
    assert_int_equal(get("abs"), -EACCES);
    assert_int_equal(get("up/secret"), -EACCES);
    assert_int_equal(get("../secret"), -EACCES);
    assert_int_equal(get("sub/../../secret"), -EACCES);
    assert_int_equal(get("/etc/passwd"), -EACCES);
}

/* Only where that is wished; a special file is none of it. */
static void links_that_lead_out_are_followed_on_demand(void **state)
{
    struct http_file file;

    files.anywhere = true;
    assert_int_equal(http_files_get(&files, "out", 0, &file), 0);
    assert_int_equal(file.size, 6);
    assert_int_equal(get("abs"), 0);
    assert_int_equal(get("up/secret"), 0);
    assert_int_equal(get("up"), -EISDIR);
    assert_int_equal(get("fifo"), -EACCES);
}

static void directories_and_special_files_are_told_apart(void **state)
{
    assert_int_equal(get(""), -EISDIR);
    assert_int_equal(get("sub"), -EISDIR);
    assert_int_equal(get("fifo"), -EACCES); /* and opening it did not wait */
    assert_int_equal(get("none"), -ENOENT);
    assert_int_equal(get("a.txt/b"), -ENOTDIR);
}

/* Inode, size and time together name a version, for an entity tag. */
static void a_file_tells_its_version(void **state)
{
    struct http_file file;
    struct stat st;

    assert_int_equal(http_files_get(&files, "a.txt", 0, &file), 0);
    assert_int_equal(http_files_stat(&files, "a.txt", &st), 0);
    assert_true(file.inode == st.st_ino);
    assert_true(file.changed == INT64_C(784111777000000000));
}

static void what_lies_there_is_told_unless_it_lies_outside(void **state)
{
    struct stat st;

    assert_int_equal(http_files_stat(&files, "sub", &st), 0);
    assert_true(S_ISDIR(st.st_mode));
    assert_int_equal(http_files_stat(&files, "fifo", &st), 0);
    assert_true(S_ISFIFO(st.st_mode));
    assert_int_equal(http_files_stat(&files, "in", &st), 0);
    assert_int_equal(st.st_size, 1);
    assert_int_equal(http_files_stat(&files, "out", &st), -EACCES);
    assert_int_equal(http_files_stat(&files, "none", &st), -ENOENT);
}

static void directories_below_are_opened_to_be_read(void **state)
{
    int fd = http_files_dir(&files, "sub");

    assert_true(fd >= 0);
    close(fd);
    fd = http_files_dir(&files, "");
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(http_files_dir(&files, "up"), -EACCES);
    assert_int_equal(http_files_dir(&files, "a.txt"), -ENOTDIR);
}

static void what_is_no_directory_cannot_be_served(void **state)
{
    struct http_files other;

    assert_int_equal(http_files_open(&other, "/nonexistent/directory"), -ENOENT);
    assert_int_equal(http_files_open(&other, "/proc/self/stat"), -ENOTDIR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(files_below_the_directory_are_opened, up, down),
        cmocka_unit_test_setup_teardown(links_that_lead_out_are_refused, up, down),
        cmocka_unit_test_setup_teardown(links_that_lead_out_are_followed_on_demand, up,
                                        down),
        cmocka_unit_test_setup_teardown(directories_and_special_files_are_told_apart,
                                        up, down),
        cmocka_unit_test_setup_teardown(a_file_tells_its_version, up, down),
        cmocka_unit_test_setup_teardown(what_lies_there_is_told_unless_it_lies_outside,
                                        up, down),
        cmocka_unit_test_setup_teardown(directories_below_are_opened_to_be_read, up,
                                        down),
        { "stat, without openat2", what_lies_there_is_told_unless_it_lies_outside,
          up_without_openat2, down, NULL },
        { "directories to read, without openat2",
          directories_below_are_opened_to_be_read, up_without_openat2, down, NULL },
        cmocka_unit_test(what_is_no_directory_cannot_be_served),
        { "files below, without openat2", files_below_the_directory_are_opened,
          up_without_openat2, down, NULL },
        { "links out, without openat2", links_that_lead_out_are_refused,
          up_without_openat2, down, NULL },
        { "directories, without openat2", directories_and_special_files_are_told_apart,
          up_without_openat2, down, NULL },
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
