#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "wire/tcp_wire.h"

/* A header with these flags and n bytes of options. */
static struct tcp_seg parse(uint8_t flags, const uint8_t *options, size_t n)
{
    uint8_t b[60] = { 0 };
    struct tcp_seg seg;

    b[12] = (uint8_t)((20 + n) / 4 << 4);
    b[13] = flags;
    memcpy(b + 20, options, n);
    assert_int_equal(tcp_parse(b, 20 + n, &seg), 0);
    return seg;
}

/* RFC 9293 s3.1 (MUST-4): kinds 0, 1 and 2. */
static void the_mandatory_options_are_understood(void **state)
{
    static const uint8_t mss[] = { 2, 4, 0x05, 0xb4 };
    static const uint8_t nop[] = { 1, 1, 1, 1, 2, 4, 0x05, 0xb4 };
    static const uint8_t end[] = { 0, 2, 1, 1, 2, 4, 0x05, 0xb4 };
    assert_int_equal(parse(TCP_SYN, mss, 4).opts.mss, 1460);
    assert_int_equal(parse(TCP_SYN, nop, 8).opts.mss, 1460);
    assert_false(parse(TCP_SYN, end, 8).opts.has_mss);
}

/* RFC 9293 s3.1 (MUST-5): whatever the segment is. */
static void options_are_parsed_in_any_segment(void **state)
{
    static const uint8_t options[] = { 1, 1, 8, 10, 0, 0, 0, 7, 0, 0, 0, 9 };
    for (unsigned flags = 0; flags < 256; flags++) {
        struct tcp_seg seg = parse((uint8_t)flags, options, sizeof options);
        assert_true(seg.opts.has_ts);
        assert_int_equal(seg.opts.ts_val, 7);
    }
}

/* RFC 9293 s3.2 (MUST-64): at each place in a word. */
static void an_option_may_begin_anywhere(void **state)
{
    for (size_t at = 0; at <= 4; at++) {
        uint8_t options[20];
        memset(options, 1, sizeof options);
        memcpy(options + at, "\x02\x04\x05\xb4", 4);
        memcpy(options + at + 4, "\x08\x0a\0\0\0\x07\0\0\0\x09", 10);
        struct tcp_seg seg = parse(TCP_SYN, options, sizeof options);
        assert_int_equal(seg.opts.mss, 1460);
        assert_int_equal(seg.opts.ts_val, 7);
        assert_int_equal(seg.opts.ts_ecr, 9);
    }
}

/* Walks the options of a header as any receiver does, by their lengths: true if that
 * ends where the header ends, or at End of List and zeros. */
static bool well_formed(const uint8_t *b, size_t n)
{
    size_t i = 0;
    while (i < n && b[i] != 0) {
        size_t len = 1;
        if (b[i] != 1)
            len = i + 1 < n ? b[i + 1] : 0;
        if (len == 0 || i + len > n || (b[i] != 1 && len < 2))
            return false;
        i += len;
    }
    for (; i < n; i++) {
        if (b[i] != 0)
            return false;
    }
    return true;
}

/* RFC 9293 s3.1 (MUST-68, MUST-69): whatever set of options is sent, each but NOP and
 * End of List has its length, and behind End of List there are zeros. */
static void what_is_emitted_is_a_list_of_options_with_lengths(void **state)
{
    for (unsigned set = 0; set < 64; set++) {
        struct tcp_seg seg = { .flags = TCP_SYN };
        uint8_t b[60];
        memset(b, 0xff, sizeof b);
        seg.opts.has_mss = set & 1;
        seg.opts.mss = 1460;
        seg.opts.sack_ok = set & 2;
        seg.opts.has_ts = set & 4;
        seg.opts.has_wscale = set & 8;
        seg.opts.wscale = 7;
        seg.opts.n_sack = set & 16 ? 1 : 0;
        seg.opts.layout = set & 32 ? TCP_LAYOUT_BSD : TCP_LAYOUT_LINUX;
        seg.opts.sack[0] = (struct range){ seq_at(1), seq_at(2) };
        size_t len = tcp_emit_header(b, &seg);
        assert_int_equal(len % 4, 0);
        assert_int_equal((b[12] >> 4) * 4, len);
        assert_true(well_formed(b + 20, len - 20));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_mandatory_options_are_understood),
        cmocka_unit_test(options_are_parsed_in_any_segment),
        cmocka_unit_test(an_option_may_begin_anywhere),
        cmocka_unit_test(what_is_emitted_is_a_list_of_options_with_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
