#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/bytes.h"
#include "base/cksum.h"
#include "harness/guarded.h"
#include "wire/dump.h"

enum { ROOM = 96 };

/* Frames made by another program: Ethernet and IPv4 headers, 192.0.2.1 to 192.0.2.2. */
static const uint8_t syn[74] = {
    0x02, 0x00, 0x00, 0x00, 0x00, 0x02, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x08,
    0x00, 0x45, 0x00, 0x00, 0x3c, 0x12, 0x34, 0x40, 0x00, 0x40, 0x06, 0xa4, 0x84,
    0xc0, 0x00, 0x02, 0x01, 0xc0, 0x00, 0x02, 0x02, 0x9c, 0x40, 0x00, 0x50, 0x00,
    0x00, 0x03, 0xe8, 0x00, 0x00, 0x00, 0x00, 0xa0, 0x02, 0xfa, 0xf0, 0x24, 0xab,
    0x00, 0x00, 0x02, 0x04, 0x05, 0xb4, 0x04, 0x02, 0x08, 0x0a, 0x00, 0x00, 0x03,
    0xe8, 0x00, 0x00, 0x00, 0x00, 0x01, 0x03, 0x03, 0x07,
};
static const uint8_t echo[46] = {
    0x02, 0x00, 0x00, 0x00, 0x00, 0x02, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01,
    0x08, 0x00, 0x45, 0x00, 0x00, 0x20, 0x12, 0x34, 0x40, 0x00, 0x40, 0x01,
    0xa4, 0xa5, 0xc0, 0x00, 0x02, 0x01, 0xc0, 0x00, 0x02, 0x02, 0x08, 0x00,
    0x33, 0x31, 0x00, 0x07, 0x00, 0x01, 0x61, 0x62, 0x63, 0x64,
};
static const uint8_t datagram[45] = {
    0x02, 0x00, 0x00, 0x00, 0x00, 0x02, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01,
    0x08, 0x00, 0x45, 0x00, 0x00, 0x1f, 0x12, 0x34, 0x40, 0x00, 0x40, 0x11,
    0xa4, 0x96, 0xc0, 0x00, 0x02, 0x01, 0xc0, 0x00, 0x02, 0x02, 0x13, 0x88,
    0x00, 0x35, 0x00, 0x0b, 0x00, 0x00, 0x61, 0x62, 0x63,
};
static const uint8_t arp_request[42] = {
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0, 0,    0, 0,   1, 8, 6,
    0,    1,    8,    0,    6,    4,    0,    1, 0x02, 0, 0,   0, 0, 1,
    192,  0,    2,    1,    0,    0,    0,    0, 0,    0, 192, 0, 2, 2,
};

static const char *dumped(const uint8_t *frame, size_t len)
{
    static char buf[256];
    struct text t;

    text_init(&t, buf, sizeof buf);
    dump_frame(&t, (const uint8_t *)guarded(frame, len), len);
    return buf;
}

/* A copy of a frame that a test changes; returns its bytes. */
static uint8_t *copy(const uint8_t *frame, size_t len)
{
    static uint8_t b[ROOM];
    memcpy(b, frame, len);
    return b;
}

static void fix_ip(uint8_t *frame)
{
    put16(frame + 24, 0);
    put16(frame + 24, cksum_finish(cksum_add(0, frame + 14, 20, 0)));
}

static void fix_icmp(uint8_t *frame, size_t len)
{
    put16(frame + 36, 0);
    put16(frame + 36, cksum_finish(cksum_add(0, frame + 34, len - 34, 0)));
}

static void frames_print_as_one_line(void **state)
{
    assert_string_equal(dumped(syn, 74),
                        "192.0.2.1:40000 > 192.0.2.2:80: S 1000:1000(0) win 64240 "
                        "<mss 1460,sackOK,TS val 1000 ecr 0,wscale 7>");
    assert_string_equal(dumped(echo, 46), "192.0.2.1 > 192.0.2.2: icmp echo request id "
                                          "7 seq 1, 12 bytes");
    assert_string_equal(dumped(datagram, 45),
                        "192.0.2.1:5000 > 192.0.2.2:53: udp, 3 bytes");
    assert_string_equal(dumped(arp_request, 42),
                        "arp who-has 192.0.2.2 tell 192.0.2.1");
}

static void an_arp_reply_says_where_the_station_is(void **state)
{
    uint8_t *b = copy(arp_request, 42);

    b[21] = 2;
    assert_string_equal(dumped(b, 42), "arp reply 192.0.2.1 is-at 02:00:00:00:00:01");
    b[21] = 1;
    b[41] = 1;
    assert_string_equal(dumped(b, 42), "arp announce 192.0.2.1 is-at "
                                       "02:00:00:00:00:01");
    b[21] = 9;
    assert_string_equal(dumped(b, 42), "arp op 9");
    b[18] = 8;
    assert_string_equal(dumped(b, 42), "arp malformed");
}

static void icmp_messages_are_named(void **state)
{
    static const struct {
        uint8_t type, code;
        const char *text;
    } row[] = {
        { 0, 0, "icmp echo reply id 7 seq 1, 12 bytes" },
        { 3, 0, "icmp net unreachable, 12 bytes" },
        { 3, 1, "icmp host unreachable, 12 bytes" },
        { 3, 2, "icmp protocol unreachable, 12 bytes" },
        { 3, 3, "icmp port unreachable, 12 bytes" },
        { 3, 4, "icmp fragmentation needed, mtu 1, 12 bytes" },
        { 3, 13, "icmp unreachable code 13, 12 bytes" },
        { 11, 0, "icmp time exceeded, 12 bytes" },
        { 5, 1, "icmp type 5 code 1, 12 bytes" },
    };

    for (size_t i = 0; i < ARRAY_LEN(row); i++) {
        uint8_t *b = copy(echo, 46);
        b[34] = row[i].type;
        b[35] = row[i].code;
        fix_icmp(b, 46);
        const char *text = dumped(b, 46);
        assert_memory_equal(text, "192.0.2.1 > 192.0.2.2: ", 23);
        assert_string_equal(text + 23, row[i].text);
    }
}

static void what_this_stack_does_not_speak_is_named_by_its_number(void **state)
{
    uint8_t *b = copy(echo, 46);

    b[23] = 47;
    fix_ip(b);
    assert_string_equal(dumped(b, 46), "192.0.2.1 > 192.0.2.2: ip proto 47, 12 bytes");
    b[12] = 0x86;
    b[13] = 0xdd;
    assert_string_equal(dumped(b, 46), "ip6, 32 bytes");
    b[12] = 0x88;
    b[13] = 0xcc;
    assert_string_equal(dumped(b, 15), "ethertype 0x88cc, 1 byte");
}

static void a_fragment_is_not_taken_for_a_segment(void **state)
{
    struct dump_info info;
    uint8_t *b = copy(syn, 74);

    put16(b + 20, 185);
    fix_ip(b);
    assert_string_equal(dumped(b, 74), "192.0.2.1 > 192.0.2.2: fragment id 4660 at "
                                       "1480, the last, 40 bytes");
    dump_look(b, 74, &info);
    assert_true(info.is_ip);
    assert_false(info.is_tcp);
    put16(b + 20, 0x2000);
    fix_ip(b);
    assert_string_equal(dumped(b, 74), "192.0.2.1 > 192.0.2.2: fragment id 4660 at 0, "
                                       "more follow, 40 bytes");
}

static void malformed_frames_say_what_is_wrong(void **state)
{
    uint8_t *b = copy(syn, 74);

    assert_string_equal(dumped(syn, 13),
                        "ethernet malformed: frame shorter than an Ethernet header");
    assert_string_equal(dumped(syn, 73), "ip malformed: shorter than an IPv4 header or "
                                         "its total length");
    b[46] = 0x40;
    assert_string_equal(dumped(b, 74), "192.0.2.1 > 192.0.2.2: tcp malformed: data "
                                       "offset below 20");
    b[22] ^= 1;
    assert_string_equal(dumped(b, 74), "ip malformed: header checksum is wrong");
    b = copy(datagram, 45);
    b[39] = 12;
    assert_string_equal(dumped(b, 45), "192.0.2.1 > 192.0.2.2: udp malformed: shorter "
                                       "than a UDP header or its length field");
    b = copy(echo, 46);
    b[45] ^= 1;
    assert_string_equal(dumped(b, 46), "192.0.2.1 > 192.0.2.2: icmp malformed: ICMP "
                                       "checksum is wrong");
}

static void looking_gives_what_a_formatter_needs(void **state)
{
    struct dump_info info;

    dump_look(syn, 74, &info);
    assert_true(info.is_ip && info.is_tcp);
    assert_int_equal(ip4_num(info.src), 0xc0000201);
    assert_int_equal(ip4_num(info.dst), 0xc0000202);
    assert_int_equal(info.proto, 6);
    assert_int_equal(info.ip_header_len, 20);
    assert_int_equal(info.tcp_header_len, 40);
    assert_int_equal(info.seg.src_port, 40000);
    assert_int_equal(info.seg.text_len, 0);

    dump_look(echo, 46, &info);
    assert_true(info.is_ip);
    assert_false(info.is_tcp);
    dump_look(arp_request, 42, &info);
    assert_false(info.is_ip || info.is_tcp);
}

/* A frame of 60 bytes is the shortest on a wire: what pads it is no text. */
static void padding_is_not_counted_as_text(void **state)
{
    uint8_t *b = copy(syn, 74);
    struct dump_info info;

    put16(b + 16, 40);
    b[46] = 0x50;
    fix_ip(b);
    dump_look(b, 60, &info);
    assert_true(info.is_tcp);
    assert_int_equal(info.seg.text_len, 0);
}

static void every_truncation_prints_something_and_reads_no_further(void **state)
{
    static const struct {
        const uint8_t *frame;
        size_t len;
    } row[] = { { syn, 74 }, { echo, 46 }, { datagram, 45 }, { arp_request, 42 } };
    struct dump_info info;

    for (size_t i = 0; i < ARRAY_LEN(row); i++) {
        for (size_t n = 0; n <= row[i].len; n++) {
            assert_true(strlen(dumped(row[i].frame, n)) > 0);
            dump_look((const uint8_t *)guarded(row[i].frame, n), n, &info);
            assert_true(info.is_tcp == (i == 0 && n == 74));
        }
    }
}

static void a_line_that_does_not_fit_is_cut(void **state)
{
    char buf[20];
    struct text t;

    text_init(&t, buf, sizeof buf);
    dump_frame(&t, syn, 74);
    assert_string_equal(buf, "192.0.2.1:40000 > 1");
    assert_true(t.cut);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_print_as_one_line),
        cmocka_unit_test(an_arp_reply_says_where_the_station_is),
        cmocka_unit_test(icmp_messages_are_named),
        cmocka_unit_test(what_this_stack_does_not_speak_is_named_by_its_number),
        cmocka_unit_test(a_fragment_is_not_taken_for_a_segment),
        cmocka_unit_test(malformed_frames_say_what_is_wrong),
        cmocka_unit_test(looking_gives_what_a_formatter_needs),
        cmocka_unit_test(padding_is_not_counted_as_text),
        cmocka_unit_test(every_truncation_prints_something_and_reads_no_further),
        cmocka_unit_test(a_line_that_does_not_fit_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
