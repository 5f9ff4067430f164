#include "app/http_sending.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What read() gives. */
static struct {
    const char *text;
    size_t step; /* bytes at once */
    bool broken; /* fails instead of ending */
} source;

static ssize_t read_source(void *ctx, void *at, size_t room)
{
    size_t n = strlen(source.text);

    if (n == 0 && source.broken)
        return -1;
    n = n < source.step ? n : source.step;
    n = n < room ? n : room;
    memcpy(at, source.text, n);
    source.text += n;
    return (ssize_t)n;
}

/* All that is sent, `step` bytes at once; NULL: the body cannot be read. */
static const char *send_all(const struct tapir_http_options *o, bool body, size_t step)
{
    static char sent[300];
    struct http_sending s;
    struct http_slice next;
    size_t len = 0;
    int err;

    assert_int_equal(http_sending_begin(&s, o, strdup("HEAD;"), 5, body), 0);
    while ((err = http_sending_next(&s, &next)) == 0 && next.len > 0) {
        size_t n = next.len < step ? next.len : step;
        memcpy(sent + len, next.at, n);
        len += n;
        http_sending_went(&s, n);
    }
    sent[len] = '\0';
    assert_int_equal(http_sending_done(&s), err == 0);
    http_sending_free(&s);
    return err ? NULL : sent;
}

static void a_body_that_lies_ready_follows_the_head(void **state)
{
    struct tapir_http_options o = { .data = "body", .data_len = 4 };

    for (size_t step = 1; step < 10; step++) {
        assert_string_equal(send_all(&o, true, step), "HEAD;body");
        assert_string_equal(send_all(&o, false, step), "HEAD;");
    }
    o.data_len = 0;
    assert_string_equal(send_all(&o, true, 9), "HEAD;");
}

static void a_body_of_known_length_is_read_as_it_goes(void **state)
{
    struct tapir_http_options o = { .upload = true,
                                    .upload_len = 9,
                                    .read = read_source };

    for (size_t step = 1; step < 10; step++) {
        source.text = "some text and more";
        source.step = step;
        assert_string_equal(send_all(&o, true, 4), "HEAD;some text");
    }
    o.upload_len = 0;
    assert_string_equal(send_all(&o, true, 4), "HEAD;");
}

/* RFC 9112 s7.1 */
static void a_body_of_unknown_length_goes_in_chunks(void **state)
{
    struct tapir_http_options o = { .upload = true,
                                    .upload_len = UINT64_MAX,
                                    .read = read_source };

    source.text = "0123456789abcdef!";
    source.step = 16;
    assert_string_equal(send_all(&o, true, 3),
                        "HEAD;10\r\n0123456789abcdef\r\n1\r\n!\r\n0\r\n\r\n");
    source.text = "";
    assert_string_equal(send_all(&o, true, 3), "HEAD;0\r\n\r\n");
}

static void whoever_asks_for_chunks_has_them(void **state)
{
    static const char *const fields[] = { "transfer-encoding: chunked" };
    struct tapir_http_options o = {
        .data = "body", .data_len = 4, .headers = fields, .n_headers = 1
    };

    for (size_t step = 1; step < 30; step++)
        assert_string_equal(send_all(&o, true, step), "HEAD;4\r\nbody\r\n0\r\n\r\n");
    o.data_len = 0;
    assert_string_equal(send_all(&o, true, 9), "HEAD;0\r\n\r\n");
    o = (struct tapir_http_options){ .upload = true,
                                     .upload_len = 4,
                                     .read = read_source,
                                     .headers = fields,
                                     .n_headers = 1 };
    source.text = "body";
    source.step = 9;
    assert_string_equal(send_all(&o, true, 9), "HEAD;4\r\nbody\r\n0\r\n\r\n");
}

static void a_body_that_cannot_be_read_is_an_error(void **state)
{
    struct tapir_http_options o = { .upload = true,
                                    .upload_len = 9,
                                    .read = read_source };

    source.text = "short";
    source.step = 9;
    assert_null(send_all(&o, true, 9));
    source.text = "short";
    source.broken = true;
    o.upload_len = UINT64_MAX;
    assert_null(send_all(&o, true, 9));
    source.broken = false;
}

/* RFC 9110 s10.1.1 */
static void a_body_waits_until_it_is_let_go(void **state)
{
    struct tapir_http_options o = { .data = "body", .data_len = 4 };
    struct http_sending s;
    struct http_slice next;

    assert_int_equal(http_sending_begin(&s, &o, strdup("h"), 1, true), 0);
    s.waits = true;
    http_sending_next(&s, &next);
    http_sending_went(&s, next.len);
    assert_int_equal(http_sending_next(&s, &next), 0);
    assert_int_equal(next.len, 0);
    assert_false(http_sending_done(&s));
    s.waits = false;
    assert_int_equal(http_sending_next(&s, &next), 0);
    assert_int_equal(next.len, 4);
    http_sending_went(&s, 4);
    assert_int_equal(s.body_sent, 4);
    assert_true(http_sending_done(&s));
    http_sending_free(&s);
}

static void heads_queue_up(void **state)
{
    struct tapir_http_options o = { .head = false };
    struct http_sending s;
    struct http_slice next;

    assert_int_equal(http_sending_begin(&s, &o, NULL, 0, false), 0);
    assert_true(http_sending_done(&s));
    assert_int_equal(http_sending_add(&s, "one ", 4), 0);
    assert_int_equal(http_sending_add(&s, "two ", 4), 0);
    http_sending_went(&s, 5);
    assert_int_equal(http_sending_add(&s, "three", 5), 0);
    assert_int_equal(http_sending_next(&s, &next), 0);
    assert_int_equal(next.len, 8);
    assert_memory_equal(next.at, "wo three", 8);
    http_sending_went(&s, 8);
    assert_true(http_sending_done(&s));
    http_sending_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_that_lies_ready_follows_the_head),
        cmocka_unit_test(a_body_of_known_length_is_read_as_it_goes),
        cmocka_unit_test(a_body_of_unknown_length_goes_in_chunks),
        cmocka_unit_test(whoever_asks_for_chunks_has_them),
        cmocka_unit_test(a_body_that_cannot_be_read_is_an_error),
        cmocka_unit_test(a_body_waits_until_it_is_let_go),
        cmocka_unit_test(heads_queue_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
