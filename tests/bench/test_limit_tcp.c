/* The limit program's TCP: its frames are real ones (Tapir's own reader takes them,
 * checksums and all), and it says what a peer needs to hear. */
#include "../../tools/bench/limit_tcp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* A kernel's SYN to port 5002: MSS 1460, SACK permitted, timestamps, window scale 7. */
static const uint8_t syn[] = {
    0,    0,    0,    0,    0,    0,    0,    0,  0,  0, 0, 0,             /* virtio */
    2,    0,    0,    0,    0,    2,    2,    0,  0,  0, 0, 1, 0x08, 0x00, /* Ethernet
                                                                            */
    0x45, 0,    0,    60,   0x12, 0x34, 0x40, 0,  64, 6, 0, 0,             /* IPv4 */
    10,   77,   3,    1,    10,   77,   3,    2,               /* addresses */
    0xc3, 0x50, 0x13, 0x8a, 0,    0,    0x10, 0,  0,  0, 0, 0, /* TCP */
    0xa0, 0x02, 0xfa, 0xf0, 0,    0,    0,    0,               /* SYN */
    2,    4,    5,    180,  4,    2,    8,    10, 0,  0, 0, 1, 0,    0,    0,
    0,    1,    3,    3,    7, /* options */
};

static struct limit_seg parsed_syn(void)
{
    struct limit_seg in;
    assert_true(limit_parse(syn, sizeof syn, &in));
    return in;
}

/* The peer's next segment on the connection of `syn`. */
static struct limit_seg from_peer(uint32_t seq, uint32_t ack, uint8_t flags, size_t len)
{
    static const uint8_t text[65536];
    struct limit_seg in = parsed_syn();
    in.seq.n = seq;
    in.ack.n = ack;
    in.flags = flags;
    in.scale = 0;
    in.text = text;
    in.len = len;
    return in;
}

/* Opens the connection to `port`; 0x1000 and 1000 are the two first numbers. */
static void establish(struct limit *l, uint16_t port)
{
    struct limit_seg in = parsed_syn(), out;
    in.our_port = port;
    assert_true(limit_input(l, &in, &out));
    in = from_peer(0x1001, 1001, 16, 0);
    in.our_port = port;
    in.window = 512;
    assert_false(limit_input(l, &in, &out));
}

static uint32_t sum16(const uint8_t *at, size_t len)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < len; i++)
        sum += i % 2 ? at[i] : (uint32_t)at[i] << 8;
    return sum;
}

static uint32_t folded(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

/* --- frames --- */

static void a_frame_of_the_kernel_is_read(void **state)
{
    struct limit_seg in = parsed_syn();
    assert_int_equal(in.port, 50000);
    assert_int_equal(in.our_port, 5002);
    assert_int_equal(in.seq.n, 0x1000);
    assert_int_equal(in.flags, 2);
    assert_int_equal(in.window, 64240);
    assert_int_equal(in.scale, 7);
    assert_int_equal(in.len, 0);
}

static void what_is_cut_or_no_tcp_is_not_read(void **state)
{
    struct limit_seg in;
    uint8_t frame[sizeof syn];
    for (size_t len = 0; len < sizeof syn; len++)
        assert_false(limit_parse(syn, len, &in));
    static const struct {
        size_t at;
        uint8_t value;
    } row[] = {
        { 24, 0x86 }, /* IPv6 */
        { 35, 17 },   /* UDP */
        { 26, 0x4f }, /* a header of 60 bytes leaves no TCP */
        { 58, 0x40 }, /* a TCP header of 16 bytes */
        { 58, 0xf0 }, /* one that is longer than the packet */
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        memcpy(frame, syn, sizeof syn);
        frame[row[i].at] = row[i].value;
        assert_false(limit_parse(frame, sizeof frame, &in));
    }
}

/* RFC 9293 s3.1: a sender may put any rubbish into the option space. */
static void options_that_lie_are_no_danger(void **state)
{
    struct limit_seg in;
    uint8_t frame[sizeof syn];
    for (unsigned value = 0; value < 256; value++) {
        memcpy(frame, syn, sizeof syn);
        memset(frame + sizeof syn - 20, (int)value, 20);
        assert_true(limit_parse(frame, sizeof frame, &in));
        assert_int_equal(in.scale, value == 3 ? 3 : 0);
    }
}

/* RFC 1071: the sum over all that the checksum covers is 0xffff. */
static void without_offload_the_checksums_are_whole(void **state)
{
    static const uint8_t text[] = { 1, 2, 3, 4, 5 };
    struct limit l = { .offload = false };
    struct limit_seg out = from_peer(7, 9, 16, sizeof text);
    uint8_t frame[128];
    out.text = text;
    assert_int_equal(limit_emit(&l, &out, frame), 66);
    memcpy(frame + 66, text, sizeof text);
    for (size_t i = 0; i < 12; i++)
        assert_int_equal(frame[i], 0);
    assert_int_equal(folded(sum16(frame + 26, 20)), 0xffff);
    /* Pseudo header: addresses, 6, length. */
    assert_int_equal(folded(sum16(frame + 38, 8) + 6 + 25 + sum16(frame + 46, 25)),
                     0xffff);
    assert_int_equal(frame[29], 45);
    assert_memory_equal(frame + 12, "\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0", 14);
    assert_memory_equal(frame + 38, "\x0a\x4d\x03\x02\x0a\x4d\x03\x01", 8);
}

/* virtio 1.1 s5.1.6: NEEDS_CSUM 1, TCPV4 1; little-endian here as on every host of it.
 */
static void with_offload_the_device_is_told_what_to_do(void **state)
{
    struct limit l = { .offload = true };
    struct limit_seg out = from_peer(7, 9, 16, 2920);
    uint8_t frame[128];
    out.text = NULL;
    assert_int_equal(limit_emit(&l, &out, frame), 66);
    static const uint8_t vnet[] = { 1,  1, 54, 0, 1460 & 255, 1460 >> 8,
                                    34, 0, 16, 0, 0,          0 };
    assert_memory_equal(frame, vnet, 12);
    /* The field has the folded sum of the pseudo header, not complemented. */
    assert_int_equal(frame[62] << 8 | frame[63],
                     folded(sum16(frame + 38, 8) + 6 + 2940));
    out.len = 1460;
    limit_emit(&l, &out, frame);
    assert_int_equal(frame[1], 0);
}

static void a_syn_ack_has_mss_and_window_scale(void **state)
{
    struct limit l = { .offload = false };
    struct limit_seg in = parsed_syn(), out;
    uint8_t frame[128];
    assert_true(limit_input(&l, &in, &out));
    assert_int_equal(limit_emit(&l, &out, frame), 74);
    static const uint8_t tcp[] = { 0x13, 0x8a, 0xc3, 0x50, 0,    0,    3,    232,
                                   0,    0,    0x10, 1,    0x70, 0x12, 0xff, 0xff };
    static const uint8_t options[] = { 2, 4, 5, 180, 1, 3, 3, 4 };
    assert_memory_equal(frame + 46, tcp, 16);
    assert_memory_equal(frame + 66, options, 8);
}

/* --- what it says --- */

static void text_to_discard_is_acknowledged_in_order(void **state)
{
    struct limit l = { .offload = true };
    struct limit_seg in, out;
    establish(&l, 5001);
    in = from_peer(0x1001, 1001, 24, 3000);
    in.our_port = 5001;
    assert_true(limit_input(&l, &in, &out));
    assert_int_equal(out.ack.n, 0x1001 + 3000);
    assert_int_equal(out.seq.n, 1001);
    assert_int_equal(out.flags, 16);
    assert_int_equal(out.len, 0);
    /* A hole: the same ACK again, which asks for what is missing. */
    in.seq.n += 6000;
    assert_true(limit_input(&l, &in, &out));
    assert_int_equal(out.ack.n, 0x1001 + 3000);
}

static void a_fin_in_order_ends_the_flow(void **state)
{
    struct limit l = { .offload = true };
    struct limit_seg in, out;
    establish(&l, 5001);
    in = from_peer(0x1001, 1001, 17, 10);
    in.our_port = 5001;
    assert_true(limit_input(&l, &in, &out));
    assert_int_equal(out.ack.n, 0x1001 + 11);
    assert_int_equal(out.flags, 17);
    assert_false(l.open);
}

/* The peer's window: 512 << 7 = 65,536 bytes, 44 segments of 1460 and a rest. */
static void the_source_sends_what_the_window_has_room_for(void **state)
{
    struct limit l = { .offload = true };
    struct limit_seg in, out;
    establish(&l, 5002);
    assert_true(limit_next(&l, &out));
    assert_int_equal(out.seq.n, 1001);
    assert_int_equal(out.ack.n, 0x1001);
    assert_int_equal(out.len, 64240);
    assert_false(limit_next(&l, &out));
    in = from_peer(0x1001, 1001 + 2920, 16, 0);
    in.window = 512;
    assert_false(limit_input(&l, &in, &out));
    assert_true(limit_next(&l, &out));
    assert_int_equal(out.seq.n, 1001 + 64240);
    assert_int_equal(out.len, 2920);
}

static void without_offload_a_segment_is_one_mss(void **state)
{
    struct limit l = { .offload = false };
    struct limit_seg out;
    establish(&l, 5002);
    assert_true(limit_next(&l, &out));
    assert_int_equal(out.len, 1460);
    assert_true(limit_next(&l, &out));
    assert_int_equal(out.seq.n, 1001 + 1460);
}

static void a_stall_sends_again_from_the_oldest_byte(void **state)
{
    struct limit l = { .offload = true };
    struct limit_seg in, out;
    establish(&l, 5002);
    assert_true(limit_next(&l, &out));
    in = from_peer(0x1001, 1001 + 1460, 16, 0);
    in.window = 512;
    limit_input(&l, &in, &out);
    limit_stalled(&l);
    assert_true(limit_next(&l, &out));
    assert_int_equal(out.seq.n, 1001 + 1460);
}

static void a_reset_ends_the_flow_it_belongs_to(void **state)
{
    struct limit l = { .offload = true };
    struct limit_seg in, out;
    establish(&l, 5002);
    in = from_peer(0x1001, 0, 4, 0);
    in.port = 50001;
    assert_false(limit_input(&l, &in, &out));
    assert_true(l.open);
    in.port = 50000;
    assert_false(limit_input(&l, &in, &out));
    assert_false(l.open);
    assert_false(limit_next(&l, &out));
}

static void an_echo_is_the_text_where_the_peer_expects_it(void **state)
{
    struct limit l = { .offload = true };
    struct limit_seg in = from_peer(0xfffffff0, 77, 24, 32), out;
    in.our_port = 5003;
    assert_true(limit_input(&l, &in, &out));
    assert_int_equal(out.seq.n, 77);
    assert_int_equal(out.ack.n, 16);
    assert_int_equal(out.len, 32);
    assert_ptr_equal(out.text, in.text);
    in.len = 0;
    assert_false(limit_input(&l, &in, &out));
}

static void a_question_gets_an_answer_of_one_segment(void **state)
{
    struct limit l = { .offload = false };
    struct limit_seg in = from_peer(0x1001, 1001, 24, 60), out;
    in.our_port = 80;
    assert_true(limit_input(&l, &in, &out));
    assert_int_equal(out.ack.n, 0x1001 + 60);
    assert_in_range(out.len, 1024, 1460);
    assert_memory_equal(out.text, "HTTP/1.1 200 OK\r\n", 17);
    const char *body = strstr((const char *)out.text, "\r\n\r\n") + 4;
    assert_int_equal(out.len - (size_t)(body - (const char *)out.text), 1024);
    in.flags = 17;
    in.len = 0;
    assert_true(limit_input(&l, &in, &out));
    assert_int_equal(out.flags, 17);
    assert_int_equal(out.ack.n, 0x1002);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_of_the_kernel_is_read),
        cmocka_unit_test(what_is_cut_or_no_tcp_is_not_read),
        cmocka_unit_test(options_that_lie_are_no_danger),
        cmocka_unit_test(without_offload_the_checksums_are_whole),
        cmocka_unit_test(with_offload_the_device_is_told_what_to_do),
        cmocka_unit_test(a_syn_ack_has_mss_and_window_scale),
        cmocka_unit_test(text_to_discard_is_acknowledged_in_order),
        cmocka_unit_test(a_fin_in_order_ends_the_flow),
        cmocka_unit_test(the_source_sends_what_the_window_has_room_for),
        cmocka_unit_test(without_offload_a_segment_is_one_mss),
        cmocka_unit_test(a_stall_sends_again_from_the_oldest_byte),
        cmocka_unit_test(a_reset_ends_the_flow_it_belongs_to),
        cmocka_unit_test(an_echo_is_the_text_where_the_peer_expects_it),
        cmocka_unit_test(a_question_gets_an_answer_of_one_segment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
