#include "app/http_head.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static struct http_session session;
static char head[1024];

/* The head of the answer a, at that second. */
static const char *head_at(const struct answer *a, int64_t now)
{
    struct text t;

    session.now = now;
    text_init(&t, head, sizeof head);
    http_head_put(&t, &session, a);
    assert_false(t.cut);
    return head;
}

static int up(void **state)
{
    memset(&session, 0, sizeof session);
    session.minor = 1;
    return 0;
}

/* RFC 9112 s4, s5 */
static void a_head_says_what_the_answer_is(void **state)
{
    const struct answer page = {
        .status = 405, .type = "text/html", .length = 7, .allow = "GET"
    };

    assert_string_equal(head_at(&page, 784111777),
                        "HTTP/1.1 405 Method Not Allowed\r\n"
                        "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                        "Server: tapir\r\n"
                        "Allow: GET\r\n"
                        "Content-Type: text/html\r\n"
                        "Content-Length: 7\r\n\r\n");
}

#define FILE_HEAD(second)                              \
    "HTTP/1.1 200 OK\r\n"                              \
    "Date: Sun, 06 Nov 1994 08:49:" second " GMT\r\n"  \
    "Server: tapir\r\n"                                \
    "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n" \
    "ETag: \"1\"\r\n"                                  \
    "Accept-Ranges: bytes\r\n"                         \
    "Content-Type: text/plain\r\n"                     \
    "Content-Length: 5\r\n"

static struct http_kept kept;
static const struct answer file = { .status = 200,
                                    .type = "text/plain",
                                    .length = 5,
                                    .is_file = true,
                                    .etag = "\"1\"",
                                    .mtime = 784111777,
                                    .kept = &kept };

/* RFC 9110 s6.6.1: Date is that of the answer, not of the file's first one. */
static void the_head_of_a_kept_file_is_good_for_its_second(void **state)
{
    kept.head_len = 0;
    assert_string_equal(head_at(&file, 784111778), FILE_HEAD("38") "\r\n");
    assert_int_equal(kept.head_at, 784111778);
    assert_string_equal(head_at(&file, 784111778), FILE_HEAD("38") "\r\n");
    assert_string_equal(head_at(&file, 784111779), FILE_HEAD("39") "\r\n");
}

/* RFC 9112 s9.6, and s9.3 for HTTP/1.0 */
static void only_who_stays_gets_the_kept_head(void **state)
{
    kept.head_len = 0;
    head_at(&file, 784111778);
    session.last = true;
    assert_string_equal(head_at(&file, 784111778),
                        FILE_HEAD("38") "Connection: close\r\n\r\n");
    session.last = false;
    session.minor = 0;
    assert_string_equal(head_at(&file, 784111778),
                        FILE_HEAD("38") "Connection: keep-alive\r\n\r\n");
    session.minor = 1;
    assert_string_equal(head_at(&file, 784111778), FILE_HEAD("38") "\r\n");
}

static void a_head_too_long_to_be_kept_is_written_each_time(void **state)
{
    char type[HTTP_CACHE_HEAD];
    struct answer long_one = file;

    memset(type, 'x', sizeof type - 1);
    type[sizeof type - 1] = '\0';
    long_one.type = type;
    kept.head_len = 0;
    for (int i = 0; i < 2; i++) {
        assert_non_null(strstr(head_at(&long_one, 784111778), type));
        assert_non_null(strstr(head, "\r\nContent-Length: 5\r\n\r\n"));
        assert_int_equal(kept.head_len, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_head_says_what_the_answer_is, up),
        cmocka_unit_test_setup(the_head_of_a_kept_file_is_good_for_its_second, up),
        cmocka_unit_test_setup(only_who_stays_gets_the_kept_head, up),
        cmocka_unit_test_setup(a_head_too_long_to_be_kept_is_written_each_time, up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
