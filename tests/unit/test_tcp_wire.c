#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/bytes.h"
#include "harness/guarded.h"
#include "wire/tcp_wire.h"

/* A SYN as Linux sends it: 40000 to 80, sequence 1000, window 64240, MSS 1460, SACK
 * permitted, timestamps 1000 and 0, NOP, window scale 7. */
static const uint8_t syn[40] = {
    0x9c, 0x40, 0x00, 0x50, 0x00, 0x00, 0x03, 0xe8, 0x00, 0x00, 0x00, 0x00, 0xa0, 0x02,
    0xfa, 0xf0, 0x00, 0x00, 0x00, 0x00, 0x02, 0x04, 0x05, 0xb4, 0x04, 0x02, 0x08, 0x0a,
    0x00, 0x00, 0x03, 0xe8, 0x00, 0x00, 0x00, 0x00, 0x01, 0x03, 0x03, 0x07,
};

static const char *refused(const uint8_t *b, size_t n, struct tcp_seg *out)
{
    int err = tcp_parse((const uint8_t *)guarded(b, n), n, out);

    assert_true(err <= 0);
    return err == 0 ? "" : drop_name((enum drop)(-err - 1));
}

/* Parses a bare header with these n bytes of options, a multiple of four. */
static struct tcp_opts parsed(const uint8_t *options, size_t n)
{
    uint8_t b[60] = { 0 };
    struct tcp_seg seg;

    assert_true(n % 4 == 0 && n <= 40);
    b[12] = (uint8_t)((20 + n) / 4 << 4);
    memcpy(b + 20, options, n);
    assert_string_equal(refused(b, 20 + n, &seg), "");
    return seg.opts;
}

static void a_syn_with_its_options_is_parsed(void **state)
{
    struct tcp_seg s;

    assert_string_equal(refused(syn, 40, &s), "");
    assert_int_equal(s.src_port, 40000);
    assert_int_equal(s.dst_port, 80);
    assert_int_equal(s.seq.n, 1000);
    assert_int_equal(s.ack.n, 0);
    assert_int_equal(s.wnd, 64240);
    assert_int_equal(s.urg, 0);
    assert_int_equal(s.flags, 0x02);
    assert_int_equal(s.ecn, 0);
    assert_int_equal(s.segs, 1);
    assert_null(s.pkt);
    assert_string_equal(drop_name(s.drop), "?");
    assert_int_equal(s.text_len, 0);
    assert_true(s.opts.has_mss && s.opts.has_wscale && s.opts.sack_ok && s.opts.has_ts);
    assert_int_equal(s.opts.mss, 1460);
    assert_int_equal(s.opts.wscale, 7);
    assert_int_equal(s.opts.ts_val, 1000);
    assert_int_equal(s.opts.ts_ecr, 0);
    assert_int_equal(s.opts.n_sack, 0);
    assert_int_equal(tcp_seg_len(&s), 1);
}

static void text_begins_behind_the_options(void **state)
{
    uint8_t b[27] = { [0] = 1, [12] = 0x60, [13] = 0x19, [18] = 0xbe, [19] = 0xef };
    struct tcp_seg s;

    memcpy(b + 24, "abc", 3);
    assert_string_equal(refused(b, 27, &s), "");
    assert_int_equal(s.text_len, 3);
    assert_memory_equal(s.text, "abc", 3);
    assert_int_equal(s.urg, 0xbeef);
    assert_int_equal(tcp_seg_len(&s), 4); /* FIN counts */
}

static void every_truncation_of_the_header_is_refused(void **state)
{
    struct tcp_seg s;

    for (size_t n = 0; n < 40; n++)
        assert_string_equal(refused(syn, n, &s), "TcpShort");
}

static void a_data_offset_below_twenty_is_refused(void **state)
{
    uint8_t b[40];
    struct tcp_seg s;

    memcpy(b, syn, 40);
    for (unsigned words = 0; words < 5; words++) {
        b[12] = (uint8_t)(words << 4);
        assert_string_equal(refused(b, 40, &s), "TcpOffsetError");
    }
    b[12] = 0xb0;
    assert_string_equal(refused(b, 40, &s), "TcpShort");
}

/* RFC 7323 appendix A: the layout that nearly every segment has. */
static void timestamps_behind_two_nops_are_parsed(void **state)
{
    static const uint8_t b[12] = { 1, 1, 8, 10, 0xff, 0, 0, 1, 0, 0, 0, 2 };
    static const uint8_t other[12] = { 8, 10, 0xff, 0, 0, 1, 0, 0, 0, 2, 0, 0 };
    struct tcp_opts o = parsed(b, 12);

    assert_true(o.has_ts);
    assert_int_equal(o.ts_val, 0xff000001);
    assert_int_equal(o.ts_ecr, 2);
    assert_false(o.has_mss || o.has_wscale || o.sack_ok || o.n_sack > 0);
    o = parsed(other, 12);
    assert_true(o.has_ts);
    assert_int_equal(o.ts_val, 0xff000001);
    assert_int_equal(o.ts_ecr, 2);
}

/* RFC 2018 s3 */
static void sack_blocks_keep_their_order(void **state)
{
    static const uint8_t b[20] = { 1, 1, 5, 18, 0xff, 0xff, 0xff, 0xff, 0, 0,
                                   0, 3, 0, 0,  0,    9,    0,    0,    0, 10 };
    struct tcp_opts o = parsed(b, 20);

    assert_int_equal(o.n_sack, 2);
    assert_int_equal(o.sack[0].from.n, 0xffffffff); /* across the wrap */
    assert_int_equal(o.sack[0].to.n, 3);
    assert_int_equal(o.sack[1].from.n, 9);
    assert_int_equal(o.sack[1].to.n, 10);
}

static void four_sack_blocks_fill_the_options(void **state)
{
    uint8_t b[40] = { 1, 1, 5, 34 };
    struct tcp_opts o;

    for (int i = 0; i < 4; i++)
        b[4 + 8 * i + 7] = (uint8_t)(i + 1);
    b[36] = b[37] = b[38] = b[39] = 0;
    o = parsed(b, 40);
    assert_int_equal(o.n_sack, 4);
    assert_int_equal(o.sack[3].to.n, 4);
}

static void a_sack_block_without_content_is_left_out(void **state)
{
    static const uint8_t b[28] = { 1, 1, 5, 26, 0, 0, 0, 9, 0, 0, 0, 9, /* empty */
                                   0, 0, 0, 9,  0, 0, 0, 8,             /* backwards */
                                   0, 0, 0, 1,  0, 0, 0, 2 };
    struct tcp_opts o = parsed(b, 28);

    assert_int_equal(o.n_sack, 1);
    assert_int_equal(o.sack[0].from.n, 1);
    assert_int_equal(o.sack[0].to.n, 2);
}

/* RFC 9293 s3.1 (MUST-7): an illegal length ends the walk; what stood before counts. */
static void an_illegal_option_length_ends_the_walk(void **state)
{
    static const uint8_t row[][12] = {
        { 2, 4, 5, 0xb4, 3, 0, 3, 7 },            /* length 0 */
        { 2, 4, 5, 0xb4, 3, 1, 3, 3, 7 },         /* length 1 */
        { 2, 4, 5, 0xb4, 99, 9, 3, 3, 7 },        /* one byte beyond the header */
        { 2, 4, 5, 0xb4, 99, 255, 3, 3, 7 },      /* far beyond */
        { 2, 4, 5, 0xb4, 1, 1, 1, 1, 1, 1, 1, 3 } /* no length at all */
    };

    for (size_t i = 0; i < ARRAY_LEN(row); i++) {
        struct tcp_opts o = parsed(row[i], 12);
        assert_true(o.has_mss);
        assert_int_equal(o.mss, 1460);
        assert_false(o.has_wscale);
    }
}

/* A length that can be, but not for this kind, costs only this option. */
static void an_option_with_the_wrong_length_for_its_kind_is_passed_over(void **state)
{
    static const uint8_t row[][12] = {
        { 2, 3, 9, 3, 3, 7 },
        { 4, 3, 9, 3, 3, 7 },
        { 8, 8, 9, 9, 9, 9, 9, 9, 1, 3, 3, 7 },
        { 5, 2, 3, 3, 7 },
        { 5, 6, 9, 9, 9, 9, 3, 3, 7 },
        { 3, 4, 9, 9, 3, 3, 7 },
    };

    for (size_t i = 0; i < ARRAY_LEN(row); i++) {
        struct tcp_opts o = parsed(row[i], 12);
        assert_false(o.has_mss || o.sack_ok || o.has_ts || o.n_sack > 0);
        assert_true(o.has_wscale);
        assert_int_equal(o.wscale, 7);
    }
}

/* RFC 9293 s3.1 (MUST-6) */
static void an_unknown_option_is_passed_over_by_its_length(void **state)
{
    static const uint8_t b[12] = { 254, 6, 2, 4, 5, 0xb4, 2, 4, 2, 0 };
    struct tcp_opts o = parsed(b, 12);

    assert_true(o.has_mss);
    assert_int_equal(o.mss, 512);
}

static void nothing_counts_behind_the_end_of_the_list(void **state)
{
    static const uint8_t b[8] = { 1, 0, 1, 1, 2, 4, 5, 0xb4 };

    assert_false(parsed(b, 8).has_mss);
}

static void of_an_option_that_stands_twice_the_last_counts(void **state)
{
    static const uint8_t mss[8] = { 2, 4, 5, 0xb4, 2, 4, 2, 0 };
    static const uint8_t sack[32] = { 5, 18, 0, 0, 0, 1,  0, 0, 0, 2, 0, 0, 0, 3,
                                      0, 0,  0, 4, 5, 10, 0, 0, 0, 8, 0, 0, 0, 9 };
    struct tcp_opts o = parsed(mss, 8);

    assert_int_equal(o.mss, 512);
    o = parsed(sack, 32);
    assert_int_equal(o.n_sack, 1);
    assert_int_equal(o.sack[0].from.n, 8);
}

/* RFC 7323 s2.3 leaves the clamping to who uses the shift. */
static void a_window_scale_is_given_as_sent(void **state)
{
    static const uint8_t b[4] = { 3, 3, 255, 0 };

    assert_int_equal(parsed(b, 4).wscale, 255);
}

static void no_option_bytes_lead_out_of_the_header(void **state)
{
    uint32_t x = 1;

    for (int i = 0; i < 20000; i++) {
        uint8_t b[40];
        for (int k = 0; k < 40; k++) {
            x = x * 1664525 + 1013904223;
            b[k] = (x >> 24) % 3 ? (uint8_t)((x >> 16) % 12) : (uint8_t)(x >> 16);
        }
        assert_true(parsed(b, 40).n_sack <= 4);
    }
}

static void what_linux_sends_is_emitted_unchanged(void **state)
{
    uint8_t out[60];
    struct tcp_seg s;

    assert_int_equal(tcp_parse(syn, 40, &s), 0);
    assert_int_equal(tcp_opts_len(&s.opts), 20);
    assert_int_equal(tcp_emit_header(out, &s), 40);
    assert_memory_equal(out, syn, 40);
}

/* Every set of options that can stand together comes back, in groups of four bytes. */
static void every_set_of_options_comes_back(void **state)
{
    static const size_t len[32] = {
        /* none  mss  sok  both   ts  mss  sok  both, then the same with wscale */
        0,
        4,
        4,
        8,
        12,
        16,
        12,
        16,
        4,
        8,
        8,
        12,
        16,
        20,
        16,
        20,
        /* and with one SACK block */
        12,
        16,
        16,
        20,
        24,
        28,
        24,
        28,
        16,
        20,
        20,
        24,
        28,
        32,
        28,
        32,
    };

    for (unsigned i = 0; i < 64; i++) {
        struct tcp_seg in = { .seq = { 7 }, .flags = 0x12 }, out;
        unsigned set = i % 32;
        uint8_t b[60];

        in.opts.layout = i < 32 ? TCP_LAYOUT_LINUX : TCP_LAYOUT_BSD;
        in.opts.has_mss = set & 1;
        in.opts.mss = set & 1 ? 1000 : 0;
        in.opts.sack_ok = set & 2;
        in.opts.has_ts = set & 4;
        in.opts.ts_val = set & 4 ? 0x01020304 : 0;
        in.opts.ts_ecr = set & 4 ? 0x05060708 : 0;
        in.opts.has_wscale = set & 8;
        in.opts.wscale = set & 8 ? 14 : 0;
        in.opts.n_sack = set & 16 ? 1 : 0;
        in.opts.sack[0].from.n = set & 16 ? 100 : 0;
        in.opts.sack[0].to.n = set & 16 ? 200 : 0;
        assert_int_equal(tcp_opts_len(&in.opts), len[set]);
        assert_int_equal(tcp_emit_header(b, &in), 20 + len[set]);
        assert_string_equal(refused(b, 20 + len[set], &out), "");
        out.opts.layout = in.opts.layout; /* is not on the wire */
        assert_memory_equal(&out.opts, &in.opts, sizeof in.opts);
        assert_int_equal(out.flags, 0x12);
        assert_int_equal(out.seq.n, 7);
    }
}

/* The options of a header of n bytes in their order, padding and all. */
static void name_options(const uint8_t *b, size_t n, char *out)
{
    static const char *const name[9] = { "eol",  "nop", "mss", "wscale", "sackOK",
                                         "sack", "?",   "?",   "TS" };

    *out = '\0';
    for (size_t i = 20; i < n; i += b[i] < 2 ? 1u : b[i + 1]) {
        strcat(out, i > 20 ? "," : "");
        strcat(out, name[b[i] < 9 ? b[i] : 6]);
    }
}

/* What Linux and FreeBSD were seen to send; RFC 9293 s3.1 leaves order and padding
 * open. */
static void options_are_laid_out_as_two_systems_do(void **state)
{
    static const struct {
        bool mss, sack_ok, ts, wscale;
        uint8_t n_sack;
        const char *linux, *bsd;
    } row[] = {
        { 1, 1, 1, 1, 0, "mss,sackOK,TS,nop,wscale", "mss,nop,wscale,sackOK,TS" },
        { 1, 1, 0, 1, 0, "mss,nop,nop,sackOK,nop,wscale",
          "mss,nop,wscale,sackOK,eol,eol" },
        { 1, 0, 1, 1, 0, "mss,nop,nop,TS,nop,wscale", "mss,nop,wscale,nop,nop,TS" },
        { 1, 0, 0, 1, 0, "mss,nop,wscale", "mss,nop,wscale" },
        { 1, 1, 1, 0, 0, "mss,sackOK,TS", "mss,sackOK,TS" },
        { 1, 1, 0, 0, 0, "mss,nop,nop,sackOK", "mss,sackOK,eol,eol" },
        { 1, 0, 0, 0, 0, "mss", "mss" },
        { 0, 0, 1, 0, 0, "nop,nop,TS", "nop,nop,TS" },
        { 0, 0, 0, 0, 2, "nop,nop,sack", "nop,nop,sack" },
        { 0, 0, 1, 0, 3, "nop,nop,TS,nop,nop,sack", "nop,nop,TS,nop,nop,sack" },
    };

    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct tcp_seg s = { .opts = { .has_mss = row[i].mss,
                                       .sack_ok = row[i].sack_ok,
                                       .has_ts = row[i].ts,
                                       .has_wscale = row[i].wscale,
                                       .n_sack = row[i].n_sack } };
        uint8_t b[60];
        char text[100];

        name_options(b, tcp_emit_header(b, &s), text);
        assert_string_equal(text, row[i].linux);
        s.opts.layout = TCP_LAYOUT_BSD;
        name_options(b, tcp_emit_header(b, &s), text);
        assert_string_equal(text, row[i].bsd);
    }
}

/* RFC 7413 s2 and appendix A: 16 bytes fit beside all else that a SYN has. */
static void a_cookie_stands_last_in_either_form(void **state)
{
    struct tcp_seg in = { .opts = { .has_mss = true,
                                    .has_ts = true,
                                    .sack_ok = true,
                                    .has_wscale = true,
                                    .fastopen = { .there = true, .len = 16 } } };
    struct tcp_seg out;
    uint8_t b[60];

    memset(in.opts.fastopen.b, 0xab, 16);
    assert_int_equal(tcp_emit_header(b, &in), 60);
    assert_int_equal(b[40], 34);
    assert_int_equal(b[41], 18);
    assert_int_equal(b[57], 0xab);
    assert_int_equal(b[58], 1); /* NOP */
    assert_string_equal(refused(b, 60, &out), "");
    assert_memory_equal(&out.opts.fastopen, &in.opts.fastopen, sizeof in.opts.fastopen);
    in.opts.fastopen.exp = true;
    assert_int_equal(tcp_emit_header(b, &in), 60);
    assert_int_equal(b[40], 254);
    assert_int_equal(b[41], 20);
    assert_int_equal(b[42], 0xf9);
    assert_int_equal(b[43], 0x89);
    assert_string_equal(refused(b, 60, &out), "");
    assert_memory_equal(&out.opts.fastopen, &in.opts.fastopen, sizeof in.opts.fastopen);
}

/* RFC 7413 s2: 4 to 16 bytes, an even number, or none; any other is ignored. */
static void a_cookie_of_any_other_length_is_ignored(void **state)
{
    static const struct {
        uint8_t len;
        bool there;
    } row[] = { { 0, true },   { 1, false }, { 2, false },  { 3, false },
                { 4, true },   { 5, false }, { 6, true },   { 14, true },
                { 15, false }, { 16, true }, { 17, false }, { 18, false } };

    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        uint8_t b[20] = { 34, (uint8_t)(2 + row[i].len) };
        struct tcp_opts o = parsed(b, 20);

        assert_int_equal(o.fastopen.there, row[i].there);
        assert_int_equal(o.fastopen.len, row[i].there ? row[i].len : 0);
        assert_false(o.fastopen.exp);
    }
}

/* RFC 6994 s3: the experiment's number is part of the kind. */
static void other_experiments_are_passed_over(void **state)
{
    static const uint8_t b[8] = { 254, 8, 0xf9, 0x88, 1, 2, 3, 4 };
    static const uint8_t ours[8] = { 254, 8, 0xf9, 0x89, 1, 2, 3, 4 };
    struct tcp_opts o = parsed(b, 8);

    assert_false(o.fastopen.there);
    o = parsed(ours, 8);
    assert_true(o.fastopen.there && o.fastopen.exp);
    assert_int_equal(o.fastopen.len, 4);
    assert_int_equal(o.fastopen.b[3], 4);
}

/* RFC 2018 s3: three blocks fit beside timestamps. */
static void three_sack_blocks_and_timestamps_fill_the_options(void **state)
{
    struct tcp_seg in = { .opts = { .has_ts = true, .n_sack = 3 } }, out;
    uint8_t b[60];

    for (uint32_t i = 0; i < 3; i++)
        in.opts.sack[i] = (struct range){ { i * 100 }, { i * 100 + 50 } };
    assert_int_equal(tcp_emit_header(b, &in), 60);
    assert_int_equal(b[12], 0xf0);
    assert_string_equal(refused(b, 60, &out), "");
    assert_int_equal(out.opts.n_sack, 3);
    assert_int_equal(out.opts.sack[2].from.n, 200);
    assert_int_equal(out.opts.sack[2].to.n, 250);
}

static void the_checksum_is_emitted_as_zero(void **state)
{
    struct tcp_seg s = { .src_port = 1, .dst_port = 2, .urg = 0xabcd };
    uint8_t b[60];

    memset(b, 0xee, sizeof b);
    assert_int_equal(tcp_emit_header(b, &s), 20);
    assert_int_equal(b[16], 0);
    assert_int_equal(b[17], 0);
    assert_int_equal(b[18], 0xab);
    assert_int_equal(b[19], 0xcd);
}

static void segments_print_in_packetdrills_notation(void **state)
{
    static const struct {
        struct tcp_seg seg;
        uint32_t seq_base, ack_base;
        const char *text;
    } row[] = {
        { { .flags = 0x02, .seq = { 1000 }, .wnd = 64240 },
          1000,
          0,
          "S 0:0(0) win 64240" },
        { { .flags = 0x12,
            .seq = { 50 },
            .ack = { 1001 },
            .wnd = 65535,
            .opts = { .has_mss = true, .mss = 1460 } },
          50,
          1000,
          "S. 0:0(0) ack 1 win 65535 <mss 1460>" },
        { { .flags = 0x18,
            .seq = { 1001 },
            .ack = { 51 },
            .wnd = 502,
            .text_len = 1448,
            .opts = { .has_ts = true, .ts_val = 4000000000, .ts_ecr = 7 } },
          1000,
          50,
          "P. 1:1449(1448) ack 1 win 502 <TS val 4000000000 ecr 7>" },
        { { .flags = 0x11, .seq = { 9 }, .ack = { 9 } },
          0,
          0,
          "F. 9:9(0) ack 9 win 0" },
        { { .flags = 0x04, .seq = { 9 } }, 0, 0, "R 9:9(0) win 0" },
        { { .flags = 0 }, 0, 0, "- 0:0(0) win 0" },
        { { .flags = 0xff, .urg = 5 }, 0, 0, "FSRP.UEW 0:0(0) ack 0 win 0 urg 5" },
        /* the numbers wrap, their distance does not */
        { { .flags = 0x10, .seq = { 1 }, .text_len = 2 },
          0xffffffff,
          0,
          ". 2:4(2) ack 0 win 0" },
        { { .flags = 0x10,
            .opts = { .n_sack = 2,
                      .sack = { { { 101 }, { 201 } }, { { 301 }, { 401 } } } } },
          0,
          100,
          ". 0:0(0) ack 4294967196 win 0 <sack 1:101 201:301>" },
        { { .flags = 0x02,
            .opts = { .has_mss = true,
                      .mss = 9,
                      .sack_ok = true,
                      .has_ts = true,
                      .has_wscale = true,
                      .wscale = 8 } },
          0,
          0,
          "S 0:0(0) win 0 <mss 9,sackOK,TS val 0 ecr 0,wscale 8>" },
    };

    for (size_t i = 0; i < ARRAY_LEN(row); i++) {
        char buf[200];
        struct text t;
        text_init(&t, buf, sizeof buf);
        tcp_print(&t, &row[i].seg, seq_at(row[i].seq_base), seq_at(row[i].ack_base));
        assert_string_equal(buf, row[i].text);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_syn_with_its_options_is_parsed),
        cmocka_unit_test(text_begins_behind_the_options),
        cmocka_unit_test(every_truncation_of_the_header_is_refused),
        cmocka_unit_test(a_data_offset_below_twenty_is_refused),
        cmocka_unit_test(timestamps_behind_two_nops_are_parsed),
        cmocka_unit_test(sack_blocks_keep_their_order),
        cmocka_unit_test(four_sack_blocks_fill_the_options),
        cmocka_unit_test(a_sack_block_without_content_is_left_out),
        cmocka_unit_test(an_illegal_option_length_ends_the_walk),
        cmocka_unit_test(an_option_with_the_wrong_length_for_its_kind_is_passed_over),
        cmocka_unit_test(an_unknown_option_is_passed_over_by_its_length),
        cmocka_unit_test(nothing_counts_behind_the_end_of_the_list),
        cmocka_unit_test(of_an_option_that_stands_twice_the_last_counts),
        cmocka_unit_test(a_window_scale_is_given_as_sent),
        cmocka_unit_test(no_option_bytes_lead_out_of_the_header),
        cmocka_unit_test(what_linux_sends_is_emitted_unchanged),
        cmocka_unit_test(every_set_of_options_comes_back),
        cmocka_unit_test(options_are_laid_out_as_two_systems_do),
        cmocka_unit_test(a_cookie_stands_last_in_either_form),
        cmocka_unit_test(a_cookie_of_any_other_length_is_ignored),
        cmocka_unit_test(other_experiments_are_passed_over),
        cmocka_unit_test(three_sack_blocks_and_timestamps_fill_the_options),
        cmocka_unit_test(the_checksum_is_emitted_as_zero),
        cmocka_unit_test(segments_print_in_packetdrills_notation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
