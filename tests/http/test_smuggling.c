/* How one request is smuggled inside another, and that it does not happen here: a list
 * of streams that two readers could cut in two ways, a test each. What is refused is
 * refused for good: nothing behind it is read. RFC 9112 s11.2, s6.1 and s6.3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "harness/guarded.h"
#include "http/http_body.h"
#include "http/http_parse.h"

#define POST "POST / HTTP/1.1\r\nHost: a\r\n"
#define EVIL "GET /evil HTTP/1.1\r\nHost: a\r\n\r\n"

/* What a reader saw: "POST / hello, GET /evil , 400". */
static char seen[512];

static void note(struct http_slice s)
{
    strncat(seen, s.at, s.len);
}

/* Reads one body at [at, at+len): bytes used, or minus a status. */
static int read_body(struct http_body *body, const char *at, size_t len)
{
    size_t used = 0;
    struct http_slice data;

    while (used < len && !http_body_done(body)) {
        ssize_t n = http_body_read(body, guarded(at + used, len - used), len - used,
                                   &data);
        if (n < 0)
            return -400;
        note(data);
        used += (size_t)n;
    }
    return http_body_done(body) ? (int)used : -EAGAIN;
}

/* One request: bytes used, or what is wrong with it. */
static int read_request(const char *at, size_t len)
{
    struct http_head head;
    struct http_body body;
    int n = http_parse_request(guarded(at, len), len, 0, &http_request_limits, &head);
    int err;

    if (n < 0)
        return n;
    note(head.method);
    note(slice_of(" "));
    note(head.target);
    note(slice_of(" "));
    err = http_request_body(&head, &http_request_limits, &body);
    if (err == 0)
        err = read_body(&body, at + n, len - (size_t)n);
    return err < 0 ? err : n + err;
}

/* Reads a stream as a server does, to its end or to the first thing that is wrong. */
static void assert_read(const char *stream, const char *want)
{
    size_t len = strlen(stream), at = 0;
    char status[16];
    int n = 0;

    seen[0] = '\0';
    while (at < len && n >= 0) {
        if (at > 0)
            note(slice_of(", "));
        n = read_request(stream + at, len - at);
        at += n > 0 ? (size_t)n : 0;
    }
    snprintf(status, sizeof status, "%s%d", *seen ? ", " : "", -n);
    if (n < 0)
        note(slice_of(status));
    if (strcmp(seen, want) != 0)
        fail_msg("read '%s', want '%s'", seen, want);
}

/* The head alone is refused, so that neither its body nor what follows is looked at. */
static void assert_refused(const char *head, const char *status)
{
    char stream[1024];

    snprintf(stream, sizeof stream, "%s%s", head, EVIL);
    assert_read(stream, status);
}

/* --- the list -------------------------------------------------------------------- */

static void an_honest_stream_is_cut_where_it_should_be(void **state)
{
    assert_read(POST "Content-Length: 5\r\n\r\nhello" POST
                     "Transfer-Encoding: chunked\r\n\r\n5\r\nworld\r\n0\r\n\r\n" EVIL,
                "POST / hello, POST / world, GET /evil ");
}

static void a_length_before_chunks_is_refused(void **state)
{
    assert_refused(POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
                        "0\r\n\r\n",
                   "POST / , 400");
}

static void a_length_behind_chunks_is_refused(void **state)
{
    assert_refused(POST "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n"
                        "0\r\n\r\n",
                   "POST / , 400");
}

static void two_lengths_that_differ_are_refused(void **state)
{
    assert_refused(POST "Content-Length: 0\r\nContent-Length: 33\r\n\r\n",
                   "POST / , 400");
    assert_refused(POST "Content-Length: 0, 33\r\n\r\n", "POST / , 400");
}

static void two_lengths_that_agree_are_one(void **state)
{
    assert_read(POST "Content-Length: 2\r\nContent-Length: 2\r\n\r\nab" EVIL,
                "POST / ab, GET /evil ");
}

static void a_length_that_is_no_number_is_refused(void **state)
{
    static const char *const row[] = {
        "+5", "-5", "0x5", "5 ,", "5;", "5 5", "5.0", "\"5\"", "5e0", ",5", "",
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        char head[200];
        snprintf(head, sizeof head, POST "Content-Length: %s\r\n\r\n", row[i]);
        assert_refused(head, "POST / , 400");
    }
}

static void a_length_that_wraps_is_refused(void **state)
{
    assert_refused(POST "Content-Length: 18446744073709551616\r\n\r\n", "POST / , 400");
    assert_refused(POST "Content-Length: 18446744073709551621\r\n\r\n", "POST / , 400");
}

static void a_coding_that_only_looks_like_chunked_is_refused(void **state)
{
    static const char *const row[] = {
        "xchunked",  "chunkedx",          "\"chunked\"",   "chunked;q=0",
        "chunk",     "chunked, chunked",  "identity",      "chunked,",
        ", chunked", "chunked, identity", "chunked, gzip", "gzip",
        "",          "c hunked",
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        char head[200];
        snprintf(head, sizeof head, POST "Transfer-Encoding: %s\r\n\r\n0\r\n\r\n",
                 row[i]);
        assert_refused(head, "POST / , 400");
    }
}

static void chunked_in_two_lines_is_refused(void **state)
{
    assert_refused(POST "Transfer-Encoding: chunked\r\n"
                        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                   "POST / , 400");
    assert_refused(POST "Transfer-Encoding: identity\r\n"
                        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                   "POST / , 501");
}

static void chunked_has_no_case(void **state)
{
    assert_read(POST "tRANSFER-eNCODING: \tcHUNKED \r\n\r\n1\r\na\r\n0\r\n\r\n" EVIL,
                "POST / a, GET /evil ");
}

static void another_coding_before_chunked_is_not_implemented(void **state)
{
    assert_refused(POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
                   "POST / , 501");
}

static void chunks_in_http_1_0_are_refused(void **state)
{
    assert_refused("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                   "POST / , 400");
}

static void a_blank_before_a_colon_is_refused(void **state)
{
    assert_refused(POST "Transfer-Encoding : chunked\r\n\r\n", "400");
    assert_refused(POST "Content-Length\t: 5\r\n\r\n", "400");
}

static void a_blank_before_a_name_is_refused(void **state)
{
    assert_refused("POST / HTTP/1.1\r\n Host: a\r\n\r\n", "400");
    assert_refused(POST " Transfer-Encoding: chunked\r\n\r\n", "400");
}

static void a_folded_line_is_refused(void **state)
{
    assert_refused(POST "Transfer-Encoding:\r\n chunked\r\n\r\n", "400");
    assert_refused(POST "Content-Length: 1\r\n\t2\r\n\r\n", "400");
}

static void a_control_character_in_a_value_is_refused(void **state)
{
    assert_refused(POST "Transfer-Encoding: \vchunked\r\n\r\n", "400");
    assert_refused(POST "Transfer-Encoding: chunked\f\r\n\r\n", "400");
    assert_refused(POST "Content-Length: 5\x7f\r\n\r\n", "400");
}

static void a_control_character_in_a_name_is_refused(void **state)
{
    assert_refused(POST "Content-Length\x0b: 5\r\n\r\n", "400");
    assert_refused(POST "Transfer\x01-Encoding: chunked\r\n\r\n", "400");
}

static void a_cr_alone_ends_no_line(void **state)
{
    assert_refused(POST "A: b\rTransfer-Encoding: chunked\r\n\r\n", "400");
    assert_refused("POST / HTTP/1.1\rHost: a\r\n\r\n", "400");
}

static void a_lf_alone_ends_no_line(void **state)
{
    assert_refused(POST "A: b\nTransfer-Encoding: chunked\r\n\r\n", "400");
    assert_refused("POST / HTTP/1.1\nHost: a\r\n\r\n", "400");
    assert_refused(POST "Content-Length: 5\r\n\n", "400");
}

static void a_line_without_colon_is_refused(void **state)
{
    assert_refused(POST "Transfer-Encoding chunked\r\n\r\n", "400");
    assert_refused(POST ": chunked\r\n\r\n", "400");
}

static void a_chunk_size_that_wraps_is_refused(void **state)
{
    assert_refused(POST "Transfer-Encoding: chunked\r\n\r\n"
                        "10000000000000000\r\n\r\n",
                   "POST / , 400");
    assert_refused(POST "Transfer-Encoding: chunked\r\n\r\n"
                        "00000000000000000000\r\n\r\n",
                   "POST / , 400");
}

static void a_chunk_size_that_is_no_number_is_refused(void **state)
{
    static const char *const row[] = {
        "+0", "-0", "0x0", " 0", "0 ", "\t0", "", "0,", "0_0", "\"0\"", "0\v",
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        char head[200];
        snprintf(head, sizeof head, POST "Transfer-Encoding: chunked\r\n\r\n%s\r\n\r\n",
                 row[i]);
        assert_refused(head, "POST / , 400");
    }
}

static void a_chunk_longer_than_its_size_is_refused(void **state)
{
    assert_refused(POST "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
                   "POST / a, 400");
}

static void a_chunk_that_does_not_end_in_crlf_is_refused(void **state)
{
    assert_refused(POST "Transfer-Encoding: chunked\r\n\r\n1\r\na\n0\r\n\r\n",
                   "POST / a, 400");
    assert_refused(POST "Transfer-Encoding: chunked\r\n\r\n1\r\na0\r\n\r\n",
                   "POST / a, 400");
    assert_refused(POST "Transfer-Encoding: chunked\r\n\r\n1\r\na\r0\r\n\r\n",
                   "POST / a, 400");
}

static void a_size_line_ends_in_crlf_only(void **state)
{
    assert_refused(POST "Transfer-Encoding: chunked\r\n\r\n0\n\r\n", "POST / , 400");
    assert_refused(POST "Transfer-Encoding: chunked\r\n\r\n1\ra\r\n0\r\n\r\n",
                   "POST / , 400");
}

static void an_extension_hides_no_end_of_line(void **state)
{
    assert_refused(POST "Transfer-Encoding: chunked\r\n\r\n1;\na\r\n0\r\n\r\n",
                   "POST / , 400");
    assert_refused(POST "Transfer-Encoding: chunked\r\n\r\n1;a\rb\r\na\r\n0\r\n\r\n",
                   "POST / , 400");
    assert_refused(POST
                   "Transfer-Encoding: chunked\r\n\r\n1;\"\r\n\"\r\nz\r\n0\r\n\r\n",
                   "POST / \", 400");
}

static void a_request_is_no_trailer(void **state)
{
    assert_refused(POST "Transfer-Encoding: chunked\r\n\r\n0\r\n", "POST / , 400");
}

static void a_trailer_changes_no_framing(void **state)
{
    assert_read(POST "Transfer-Encoding: chunked\r\n\r\n0\r\n"
                     "Content-Length: 33\r\nTransfer-Encoding: x\r\n\r\n" EVIL,
                "POST / , GET /evil ");
}

static void a_second_host_is_refused(void **state)
{
    assert_refused("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400");
    assert_refused("GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", "400");
    assert_refused("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", "400");
}

static void a_request_line_has_three_words(void **state)
{
    assert_refused("GET / HTTP/1.1 HTTP/1.0\r\nHost: a\r\n\r\n", "400");
    assert_refused("GET / x HTTP/1.1\r\nHost: a\r\n\r\n", "400");
    assert_refused("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "400");
    assert_refused("GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n", "400");
    assert_refused("GET /\vx HTTP/1.1\r\nHost: a\r\n\r\n", "400");
    assert_refused("GET /\r\n", "400");
}

static void a_body_of_get_is_its_body(void **state)
{
    assert_read("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody" EVIL,
                "GET / body, GET /evil ");
}

static void a_body_that_says_nothing_of_its_length_is_none(void **state)
{
    assert_read(POST "\r\n" EVIL, "POST / , GET /evil ");
}

static void empty_lines_between_requests_are_few(void **state)
{
    assert_read(POST "Content-Length: 1\r\n\r\na\r\n" EVIL, "POST / a, GET /evil ");
    assert_refused(POST
                   "Content-Length: 1\r\n\r\na\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n",
                   "POST / a, , 400");
}

static void a_field_named_by_connection_frames_all_the_same(void **state)
{
    assert_read("GET / HTTP/1.1\r\nHost: a\r\nConnection: Content-Length\r\n"
                "Content-Length: 1\r\n\r\na" EVIL,
                "GET / a, GET /evil ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_honest_stream_is_cut_where_it_should_be),
        cmocka_unit_test(a_length_before_chunks_is_refused),
        cmocka_unit_test(a_length_behind_chunks_is_refused),
        cmocka_unit_test(two_lengths_that_differ_are_refused),
        cmocka_unit_test(two_lengths_that_agree_are_one),
        cmocka_unit_test(a_length_that_is_no_number_is_refused),
        cmocka_unit_test(a_length_that_wraps_is_refused),
        cmocka_unit_test(a_coding_that_only_looks_like_chunked_is_refused),
        cmocka_unit_test(chunked_in_two_lines_is_refused),
        cmocka_unit_test(chunked_has_no_case),
        cmocka_unit_test(another_coding_before_chunked_is_not_implemented),
        cmocka_unit_test(chunks_in_http_1_0_are_refused),
        cmocka_unit_test(a_blank_before_a_colon_is_refused),
        cmocka_unit_test(a_blank_before_a_name_is_refused),
        cmocka_unit_test(a_folded_line_is_refused),
        cmocka_unit_test(a_control_character_in_a_value_is_refused),
        cmocka_unit_test(a_control_character_in_a_name_is_refused),
        cmocka_unit_test(a_cr_alone_ends_no_line),
        cmocka_unit_test(a_lf_alone_ends_no_line),
        cmocka_unit_test(a_line_without_colon_is_refused),
        cmocka_unit_test(a_chunk_size_that_wraps_is_refused),
        cmocka_unit_test(a_chunk_size_that_is_no_number_is_refused),
        cmocka_unit_test(a_chunk_longer_than_its_size_is_refused),
        cmocka_unit_test(a_chunk_that_does_not_end_in_crlf_is_refused),
        cmocka_unit_test(a_size_line_ends_in_crlf_only),
        cmocka_unit_test(an_extension_hides_no_end_of_line),
        cmocka_unit_test(a_request_is_no_trailer),
        cmocka_unit_test(a_trailer_changes_no_framing),
        cmocka_unit_test(a_second_host_is_refused),
        cmocka_unit_test(a_request_line_has_three_words),
        cmocka_unit_test(a_body_of_get_is_its_body),
        cmocka_unit_test(a_body_that_says_nothing_of_its_length_is_none),
        cmocka_unit_test(empty_lines_between_requests_are_few),
        cmocka_unit_test(a_field_named_by_connection_frames_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
