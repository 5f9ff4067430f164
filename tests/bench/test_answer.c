/* The head of an HTTP answer, as the load generator reads it. */
#include "../../tools/bench/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int parse(const char *text, struct answer *a)
{
    char copy[256];
    size_t len = strlen(text);
    assert_true(len < sizeof copy);
    memcpy(copy, text, len);
    int got = answer_parse(copy, len, a);
    assert_memory_equal(copy, text, len);
    return got;
}

static void a_whole_head_gives_status_and_length(void **state)
{
    struct answer a;
    assert_int_equal(parse("HTTP/1.1 200 OK\r\nContent-Length: 1024\r\n\r\nxyz", &a),
                     41);
    assert_int_equal(a.status, 200);
    assert_int_equal(a.length, 1024);
}

/* RFC 9112 s4: the reason may be missing; RFC 9110 s5.1: names have no case. */
static void case_blanks_and_the_reason_do_not_matter(void **state)
{
    struct answer a;
    assert_int_equal(parse("HTTP/1.0 404 \r\ncontent-LENGTH:\t7\r\nX: y\r\n\r\n", &a),
                     42);
    assert_int_equal(a.status, 404);
    assert_int_equal(a.length, 7);
}

static void a_head_without_its_empty_line_is_not_whole(void **state)
{
    struct answer a;
    assert_int_equal(parse("", &a), 0);
    assert_int_equal(parse("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n", &a), 0);
    assert_int_equal(parse("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r", &a), 0);
}

static void a_name_within_another_line_is_no_field(void **state)
{
    struct answer a;
    assert_int_equal(
        parse("HTTP/1.1 200 OK\r\nX: content-length: 5\r\nContent-Length: 6\r\n\r\n",
              &a),
        60);
    assert_int_equal(a.length, 6);
    assert_int_equal(parse("HTTP/1.1 200 OK\r\nX-Content-Length: 5\r\n\r\n", &a), -1);
}

static void what_has_no_length_or_is_no_answer_is_refused(void **state)
{
    static const char *const bad[] = {
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 12 apples\r\n\r\n",
        "HTTP/1.\r\nContent-Length: 3\r\n\r\n",
        "SSH-2.0\r\nContent-Length: 3\r\n\r\n",
        "\r\n\r\n",
    };
    struct answer a;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(parse(bad[i], &a), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_head_gives_status_and_length),
        cmocka_unit_test(case_blanks_and_the_reason_do_not_matter),
        cmocka_unit_test(a_head_without_its_empty_line_is_not_whole),
        cmocka_unit_test(a_name_within_another_line_is_no_field),
        cmocka_unit_test(what_has_no_length_or_is_no_answer_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
