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

/* RFC 9110 s8.8.2, s8.8.3, s14.3; RFC 9112 s9.6, and s9.3 for HTTP/1.0 */
static void the_head_of_a_file_says_of_it_and_of_the_connection(void **state)
{
    static const struct answer file = { .status = 200,
                                        .type = "text/plain",
                                        .length = 5,
                                        .is_file = true,
                                        .etag = "\"1\"",
                                        .mtime = 784111777 };
    static const char text[] = "HTTP/1.1 200 OK\r\n"
                               "Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n"
                               "Server: tapir\r\n"
                               "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                               "ETag: \"1\"\r\n"
                               "Accept-Ranges: bytes\r\n"
                               "Content-Type: text/plain\r\n"
                               "Content-Length: 5\r\n";
    static const struct {
        bool last;
        int minor;
        const char *connection;
    } row[] = {
        { false, 1, "\r\n" },
        { true, 1, "Connection: close\r\n\r\n" },
        { false, 0, "Connection: keep-alive\r\n\r\n" },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        session.last = row[i].last;
        session.minor = row[i].minor;
        head_at(&file, 784111778);
        assert_memory_equal(head, text, strlen(text));
        assert_string_equal(head + strlen(text), row[i].connection);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_head_says_what_the_answer_is, up),
        cmocka_unit_test_setup(the_head_of_a_file_says_of_it_and_of_the_connection, up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
