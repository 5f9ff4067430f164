/* IP_TOS, IP_TTL, IP_OPTIONS, IP_MTU_DISCOVER and IP_MTU: level 0, numbers 1, 2, 4, 10
 * and 14. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "harness/peer.h"

enum { STREAM = 1, DATAGRAM = 2, FRAME = 2000 };

static struct peer p;

static int setup(void **state)
{
    peer_init(&p);
    *state = &p;
    return 0;
}

static int teardown(void **state)
{
    peer_free(*state);
    return 0;
}

static struct sock *new_sock(int type, int protocol)
{
    struct sock *s;
    assert_int_equal(sock_new(&p.st->socks, 2, type, protocol, &s), 0);
    return s;
}

static int set(struct sock *s, int name, int value)
{
    return sock_setopt(s, 0, name, &value, sizeof value);
}

static int get(struct sock *s, int name)
{
    int value = -1;
    size_t len = sizeof value;
    assert_int_equal(sock_getopt(s, 0, name, &value, &len), 0);
    return value;
}

static void they_have_linuxs_defaults(void **state)
{
    static const int type[] = { STREAM, DATAGRAM, DATAGRAM };
    static const int protocol[] = { 6, 17, 1 };
    for (unsigned i = 0; i < 3; i++) {
        struct sock *s = new_sock(type[i], protocol[i]);
        assert_int_equal(get(s, 1), 0);
        assert_int_equal(get(s, 2), 64);
        assert_int_equal(get(s, 10), 1); /* IP_PMTUDISC_WANT */
        sock_close(s);
    }
    peer_sysctl(&p, "net.ipv4.ip_no_pmtu_disc", "1");
    for (unsigned i = 0; i < 3; i++) {
        struct sock *s = new_sock(type[i], protocol[i]);
        assert_int_equal(get(s, 10), 0); /* IP_PMTUDISC_DONT */
        sock_close(s);
    }
}

/* Byte 1 of the IP header, byte 8, and the flags in byte 6. */
static void expect_header(uint8_t tos, uint8_t ttl, uint8_t flags)
{
    uint8_t frame[FRAME];
    assert_true(peer_take(&p, frame, sizeof frame) > 34);
    assert_int_equal(frame[15], tos);
    assert_int_equal(frame[22], ttl);
    assert_int_equal(frame[20] & 0xe0, flags);
}

/* RFC 9293 s3.9.1.9 (MUST-48, SHLD-21), s3.9.2 (MUST-49). TCP: on the SYN, and on every
 * segment after it; the bits of ECN are TCP's own. */
static void a_connections_packets_have_what_was_asked_for(void **state)
{
    struct sock_name to = { ip4_addr(0xc0000201u), 40000 };
    struct sock *s = new_sock(STREAM, 0);
    assert_int_equal(set(s, 1, 0x13), 0);
    assert_int_equal(set(s, 2, 9), 0);
    assert_int_equal(set(s, 10, 0), 0);
    assert_int_equal(get(s, 1), 0x10);
    assert_int_equal(sock_connect(s, &to), -EINPROGRESS);
    stack_flush(p.st);
    expect_header(0x10, 9, 0);
    assert_int_equal(set(s, 2, -1), 0);
    assert_int_equal(set(s, 10, 2), 0);
    peer_wait(&p, 1000000);
    expect_header(0x10, 64, 0x40);
    sock_close(s);
}

/* What a listener was told goes for the SYN-ACK, and for what it accepts. */
static void a_listeners_options_go_to_what_it_accepts(void **state)
{
    struct sock *l = peer_listen(&p, 80);
    assert_int_equal(set(l, 2, 7), 0);
    assert_int_equal(set(l, 1, 0x20), 0);
    peer_send(&p, "S 0:0(0) win 1000 <mss 1460>");
    peer_expect(&p, "S. 0:0(0) ack 1 <...>");
    peer_send(&p, "S 0:0(0) win 1000 <mss 1460>");
    expect_header(0x20, 7, 0x40);
    peer_send(&p, ". 1:1(0) ack 1 win 1000");
    struct sock *s = peer_accept(&p, l);
    assert_int_equal(get(s, 2), 7);
    peer_write(&p, s, 10);
    expect_header(0x20, 7, 0x40);
    sock_close(s);
    sock_close(l);
}

/* RFC 1122 s4.1.4 (MUST-udp-ttl-tos). */
static void a_datagram_has_what_was_asked_for(void **state)
{
    struct sock_name to = { ip4_addr(0xc0000201u), 9 };
    struct piece text = { (const uint8_t *)"x", 1 };
    uint8_t tos = 0xb8;
    struct sock *s = new_sock(DATAGRAM, 17);
    assert_int_equal(sock_setopt(s, 0, 1, &tos, 1), 0); /* one byte is enough */
    assert_int_equal(set(s, 2, 1), 0);
    assert_int_equal(sock_send(s, &text, 1, 0, &to), 1);
    expect_header(0xb8, 1, 0x40);
    assert_int_equal(set(s, 10, 0), 0);
    assert_int_equal(sock_send(s, &text, 1, 0, &to), 1);
    expect_header(0xb8, 1, 0);
    sock_close(s);
}

static void values_out_of_range_are_invalid(void **state)
{
    static const int row[][2] = { { 1, -1 },  { 1, 256 }, { 2, 0 }, { 2, -2 },
                                  { 2, 256 }, { 10, -1 }, { 10, 4 } };
    struct sock *s = new_sock(STREAM, 0);
    for (unsigned i = 0; i < ARRAY_LEN(row); i++)
        assert_int_equal(set(s, row[i][0], row[i][1]), -EINVAL);
    assert_int_equal(sock_setopt(s, 0, 1, "", 0), 0); /* no bytes are 0, as on Linux */
    assert_int_equal(set(s, 14, 1500), -ENOPROTOOPT);
    sock_close(s);
}

/* The path's, as far as it is known; without a peer there is no path. */
static void the_paths_mtu_is_told_of_who_is_connected(void **state)
{
    struct sock_name to = { ip4_addr(0xc0000201u), 9 };
    struct net_error err = { .dst = to.addr, .total_len = 1500, .mtu = 1280 };
    int value = 0;
    size_t len = sizeof value;
    struct sock *s = new_sock(DATAGRAM, 17);
    assert_int_equal(sock_getopt(s, 0, 14, &value, &len), -ENOTCONN);
    assert_int_equal(sock_connect(s, &to), 0);
    assert_int_equal(get(s, 14), 1500);
    assert_true(pmtu_learn(&p.st->net, &err));
    assert_int_equal(get(s, 14), 1280);
    sock_close(s);
}

/* A datagram beyond the path's MTU: IP_PMTUDISC_DO refuses it, WANT cuts it. */
static void a_datagram_beyond_the_path_is_refused_or_cut(void **state)
{
    static uint8_t text[1400];
    uint8_t frame[FRAME];
    struct piece piece = { text, sizeof text };
    struct sock_name to = { ip4_addr(0xc0000201u), 9 };
    struct net_error err = { .dst = to.addr, .total_len = 1500, .mtu = 1280 };
    struct sock *s = new_sock(DATAGRAM, 17);
    assert_true(pmtu_learn(&p.st->net, &err));
    assert_int_equal(sock_send(s, &piece, 1, 0, &to), 1400);
    assert_int_equal(peer_take(&p, frame, sizeof frame), 14 + 20 + 1256);
    assert_int_equal(peer_take(&p, frame, sizeof frame), 14 + 20 + 152);
    assert_int_equal(set(s, 10, 2), 0);
    assert_int_equal(sock_send(s, &piece, 1, 0, &to), -EMSGSIZE);
    assert_int_equal(peer_take(&p, frame, sizeof frame), 0);
    sock_close(s);
}

static const uint8_t alert[] = { 148, 4, 0, 0, 130, 3, 9 };

static void set_options(struct sock *s)
{
    assert_int_equal(sock_setopt(s, 0, 4, alert, sizeof alert), 0);
}

/* The next frame's IP header has those options, filled up; returns the packet's length.
 */
static size_t expect_options(void)
{
    uint8_t frame[FRAME];
    size_t len = peer_take(&p, frame, sizeof frame);
    assert_true(len >= 42);
    assert_int_equal(frame[14], 0x47);
    assert_int_equal(get16(frame + 16), len - 14);
    assert_memory_equal(frame + 34, alert, sizeof alert);
    assert_int_equal(frame[41], 0);
    return len - 14;
}

/* RFC 1122 s3.2.1.8 (MUST-ip-options-send), s3.4 (MUST-ip-interface), s4.1.3.2
 * (MUST-udp-options-send). */
static void datagrams_have_the_ip_options_that_were_set(void **state)
{
    static const int protocol[] = { 17, 1 };
    static const uint8_t echo[8] = { 8 };
    struct sock_name to = { ip4_addr(0xc0000201u), 9 };
    struct piece text = { echo, sizeof echo };
    for (unsigned i = 0; i < 2; i++) {
        struct sock *s = new_sock(DATAGRAM, protocol[i]);
        uint8_t frame[FRAME];
        set_options(s);
        assert_int_equal(sock_send(s, &text, 1, 0, &to), 8);
        assert_int_equal(expect_options(), 28 + (i == 0 ? 16 : 8));
        assert_int_equal(sock_setopt(s, 0, 4, NULL, 0), 0); /* none again */
        assert_int_equal(sock_send(s, &text, 1, 0, &to), 8);
        assert_int_equal(peer_take(&p, frame, sizeof frame), i == 0 ? 50 : 42);
        assert_int_equal(frame[14], 0x45);
        sock_close(s);
    }
}

/* RFC 791 s3.2: pieces that fit with their header; copied are those with the flag, here
 * both. */
static void the_pieces_of_a_datagram_have_options_too(void **state)
{
    static uint8_t text[65510];
    struct sock_name to = { ip4_addr(0xc0000201u), 9 };
    struct piece piece = { text, 3000 };
    struct sock *s = new_sock(DATAGRAM, 17);
    set_options(s);
    assert_int_equal(sock_send(s, &piece, 1, 0, &to), 3000);
    assert_int_equal(expect_options(), 28 + 1472);
    assert_int_equal(expect_options(), 28 + 1472);
    assert_int_equal(expect_options(), 28 + 64);
    piece.len = 65500;
    assert_int_equal(sock_send(s, &piece, 1, 0, &to), -EMSGSIZE);
    sock_close(s);
    s = new_sock(DATAGRAM, 1);
    text[0] = 8;
    piece.len = 65510;
    set_options(s);
    assert_int_equal(sock_send(s, &piece, 1, 0, &to), -EMSGSIZE);
    sock_close(s);
}

/* RFC 9293 s3.7.1 (MUST-16): text makes room for IP's options; the MSS that is
 * announced does not (RFC 6691 s2). RFC 1122 s3.4 (MUST-ip-interface). */
static void a_connections_segments_make_room_for_ip_options(void **state)
{
    static uint8_t text[3000];
    struct piece piece = { text, sizeof text };
    uint8_t frame[FRAME];
    peer_sysctl(&p, "net.ipv4.tcp_timestamps", "0");
    struct sock *l = peer_listen(&p, 80);
    set_options(l);
    peer_send(&p, "S 0:0(0) win 65535 <mss 1460>");
    peer_expect(&p, "S. 0:0(0) ack 1 <mss 1460>");
    peer_send(&p, ". 1:1(0) ack 1 win 65535");
    struct sock *s = peer_accept(&p, l);
    assert_int_equal(sock_send(s, &piece, 1, 0, NULL), 3000);
    assert_int_equal(expect_options(), 1500);
    assert_int_equal(expect_options(), 1500);
    assert_int_equal(expect_options(), 28 + 20 + 96);
    peer_send(&p, ". 1:1(0) ack 3001 win 65535");
    assert_int_equal(sock_setopt(s, 0, 4, NULL, 0), 0);
    assert_int_equal(sock_send(s, &piece, 1, 0, NULL), 3000);
    assert_int_equal(peer_take(&p, frame, sizeof frame), 1514);
    assert_int_equal(frame[14], 0x45);
    while (peer_take(&p, frame, sizeof frame)) {
    }
    sock_close(s);
    sock_close(l);
}

/* RFC 791 s3.1: 40 bytes fill the header, with all that stands before and behind it. */
static void a_list_may_fill_the_header(void **state)
{
    static const int type[] = { STREAM, DATAGRAM, DATAGRAM };
    static const int protocol[] = { 6, 17, 1 };
    static const uint8_t echo[8] = { 8 };
    static const size_t len[] = { 40, 16, 8 };
    struct sock_name to = { ip4_addr(0xc0000201u), 9 };
    struct piece text = { echo, sizeof echo };
    uint8_t list[41], frame[FRAME];
    memset(list, 1, sizeof list);
    for (unsigned i = 0; i < 3; i++) {
        struct sock *s = new_sock(type[i], protocol[i]);
        assert_int_equal(sock_setopt(s, 0, 4, list, 41), -EINVAL);
        assert_int_equal(sock_setopt(s, 0, 4, list, 40), 0);
        assert_int_equal(sock_connect(s, &to), i == 0 ? -EINPROGRESS : 0);
        if (i > 0)
            assert_int_equal(sock_send(s, &text, 1, 0, NULL), 8);
        assert_int_equal(peer_take(&p, frame, sizeof frame), 14 + 60 + len[i]);
        assert_int_equal(frame[14], 0x4f);
        assert_memory_equal(frame + 34, list, 40);
        sock_close(s);
    }
}

static void ip_options_are_read_back_and_checked(void **state)
{
    static const uint8_t loose[] = { 131, 7, 4, 192, 0, 2, 9 };
    uint8_t got[40];
    size_t len = sizeof got;
    struct sock *s = new_sock(STREAM, 6);
    assert_int_equal(sock_getopt(s, 0, 4, got, &len), 0);
    assert_int_equal(len, 0);
    set_options(s);
    assert_int_equal(sock_setopt(s, 0, 4, loose, sizeof loose), -EPERM);
    assert_int_equal(sock_setopt(s, 0, 4, alert, 3), -EINVAL);
    len = sizeof got;
    assert_int_equal(sock_getopt(s, 0, 4, got, &len), 0);
    assert_int_equal(len, 8);
    assert_memory_equal(got, alert, 7);
    sock_close(s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(they_have_linuxs_defaults),
        TEST(a_connections_packets_have_what_was_asked_for),
        TEST(a_listeners_options_go_to_what_it_accepts),
        TEST(a_datagram_has_what_was_asked_for),
        TEST(values_out_of_range_are_invalid),
        TEST(the_paths_mtu_is_told_of_who_is_connected),
        TEST(a_datagram_beyond_the_path_is_refused_or_cut),
        TEST(datagrams_have_the_ip_options_that_were_set),
        TEST(the_pieces_of_a_datagram_have_options_too),
        TEST(a_connections_segments_make_room_for_ip_options),
        TEST(a_list_may_fill_the_header),
        TEST(ip_options_are_read_back_and_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
