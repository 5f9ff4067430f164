#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cksum.h"
#include "harness/peer_ask.h"
#include "wire/icmp_wire.h"
#include "wire/ip4_wire.h"

/* Requirements of RFC 1122 that no test of a single file shows whole: a host
 * 192.0.2.2/24 whose gateway 192.0.2.1 is the peer. */

enum { FRAME_IP = 14, ECHO_REQUEST = 8 };

static struct peer p;

/* An IP header with `n` bytes of options in front of `text`, as a frame to the stack.
 */
static void inject(const struct ip4 *h, const uint8_t *options, size_t n,
                   const uint8_t *text)
{
    static const uint8_t ethernet[] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0 };
    uint8_t b[2000];
    uint8_t *ip = b + FRAME_IP;

    memcpy(b, ethernet, sizeof ethernet);
    ip4_emit(ip, h);
    if (n > 0) {
        memcpy(ip + IP4_LEN, options, n);
        ip[0] = (uint8_t)(0x45 + n / 4);
        put16(ip + 10, 0);
        put16(ip + 10, cksum_finish(cksum_add(0, ip, IP4_LEN + n, 0)));
    }
    memcpy(ip + IP4_LEN + n, text, h->total_len - IP4_LEN - n);
    peer_inject(&p, b, FRAME_IP + (size_t)h->total_len);
}

static struct ip4 header(size_t total)
{
    return (struct ip4){ .src = ip4_addr(0xc0000201),
                         .dst = ip4_addr(0xc0000202),
                         .total_len = (uint16_t)total,
                         .id = 7,
                         .ttl = 64,
                         .proto = IP_PROTO_ICMP };
}

/* The length of the packet that was sent next; 0: none was. */
static unsigned next_packet(uint8_t *b, size_t room)
{
    return peer_take(&p, b, room) ? get16(b + FRAME_IP + 2) : 0;
}

/* RFC 1122 s3.2.1.3 (a) (MUST-ip-no-zero): 0.0.0.0 leads nowhere, a gateway or not. */
static void zero_is_no_destination(void **state)
{
    struct route_hop hop;
    peer_init(&p);
    assert_int_equal(route_lookup(&p.st->net, ip4_addr(0), &hop), -ENETUNREACH);
    assert_int_equal(route_lookup(&p.st->net, ip4_addr(1), &hop), 0);
    peer_free(&p);
}

/* RFC 1122 s3.3.1.1 (MUST-ip-local-decision): by the mask, the whole mask. */
static void the_mask_decides_who_is_on_the_link(void **state)
{
    static const struct {
        uint32_t dst, next_hop;
    } row[] = {
        { 0xc0000209, 0xc0000209 }, /* 192.0.2.9 */
        { 0xc00002fe, 0xc00002fe }, /* 192.0.2.254 */
        { 0xc0000301, 0xc0000201 }, /* 192.0.3.1, by the gateway */
        { 0xc00001fe, 0xc0000201 }, /* 192.0.1.254 */
    };
    peer_init(&p);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct route_hop hop;
        assert_int_equal(route_lookup(&p.st->net, ip4_addr(row[i].dst), &hop), 0);
        assert_int_equal(ip4_num(hop.next_hop), row[i].next_hop);
    }
    peer_free(&p);
}

/* RFC 1122 s3.2.1.3 (MUST-ip-subnets), s3.2.2.9 (MUST-icmp-mask-static): a mask of any
 * length, as it was given. */
static void the_mask_is_as_it_was_given(void **state)
{
    struct netif other = { .mtu = 1500, .name = "other", .link = &p.link };
    peer_init(&p);
    assert_int_equal(net_add_netif(&p.st->net, &other, ip4_addr(0xcb007102), 28), 0);
    assert_true(net_is_broadcast(&p.st->net, ip4_addr(0xcb00710f)));
    assert_false(net_is_broadcast(&p.st->net, ip4_addr(0xcb00711f)));
    assert_false(net_is_broadcast(&p.st->net, ip4_addr(0xcb0071ff)));
    peer_free(&p);
}

/* RFC 1122 s3.2.1.7 (MUST-ip-ttl-config): net.ipv4.ip_default_ttl. */
static void the_time_to_live_can_be_configured(void **state)
{
    uint8_t b[2000];
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.ip_default_ttl", "33");
    struct sock *s = peer_connect(&p, 0);
    assert_int_equal(next_packet(b, sizeof b), 60);
    assert_int_equal(b[FRAME_IP + 8], 33);
    sock_close(s);
    peer_free(&p);
}

/* RFC 1122 s3.3.2 (MUST-ip-reassembly-576, MUST-ip-reassembly): an echo of
 * 576 bytes that comes in two parts. */
static void a_datagram_of_576_bytes_is_put_together(void **state)
{
    uint8_t text[556] = { 0 }, b[2000];
    const struct icmp echo = { .type = ECHO_REQUEST, .id = 1, .seq = 1 };
    struct ip4 h = header(20 + 296);
    peer_init(&p);
    icmp_emit(text, sizeof text, &echo);
    h.more_fragments = true;
    inject(&h, NULL, 0, text);
    h = header(20 + 260);
    h.frag_offset = 296;
    inject(&h, NULL, 0, text + 296);
    assert_int_equal(next_packet(b, sizeof b), 576);
    assert_int_equal(b[FRAME_IP + IP4_LEN], 0); /* an echo reply */
    peer_free(&p);
}

/* RFC 1122 s3.2.1.8 (MUST-ip-options-unknown, MUST-ip-stream-id): each kind that names
 * neither the end, nor a NOP, nor a route or timestamps. */
static void unknown_options_and_stream_ids_do_no_harm(void **state)
{
    uint8_t text[ICMP_LEN], b[2000];
    const struct icmp echo = { .type = ECHO_REQUEST, .id = 1, .seq = 1 };
    peer_init(&p);
    icmp_emit(text, sizeof text, &echo);
    for (unsigned kind = 2; kind < 256; kind++) {
        const uint8_t option[] = { (uint8_t)kind, 4, 0, 0 };
        const struct ip4 h = header(20 + 4 + ICMP_LEN);
        if (kind == 7 || kind == 68 || kind == 131 || kind == 137)
            continue;
        inject(&h, option, 4, text);
        assert_int_equal(next_packet(b, sizeof b), 28);
    }
    peer_free(&p);
}

/* RFC 1122 s3.2.2 (MUST-icmp-unknown), s3.2.2.9 (MUST-icmp-mask-no-reply,
 * MUST-icmp-mask-ignored): whatever is neither an echo nor an error has no answer,
 * above all no Address Mask Reply. */
static void no_other_icmp_message_is_answered(void **state)
{
    uint8_t text[12] = { 0 }, b[2000];
    peer_init(&p);
    for (unsigned type = 0; type < 256; type++) {
        const struct icmp m = { .type = (uint8_t)type };
        const struct ip4 h = header(20 + sizeof text);
        if (type == ECHO_REQUEST)
            continue;
        icmp_emit(text, sizeof text, &m);
        inject(&h, NULL, 0, text);
        assert_int_equal(next_packet(b, sizeof b), 0);
    }
    assert_int_equal(p.nif.prefix, 24);
    peer_free(&p);
}

/* RFC 1122 s3.2.2.6 (MUST-icmp-echo-source): also where that is another interface's. */
static void an_echo_is_answered_from_the_address_that_was_asked(void **state)
{
    struct netif other = { .mtu = 1500, .name = "other", .link = &p.link };
    uint8_t text[ICMP_LEN], b[2000];
    const struct icmp echo = { .type = ECHO_REQUEST, .id = 1, .seq = 1 };
    struct ip4 h = header(20 + ICMP_LEN);
    peer_init(&p);
    assert_int_equal(net_add_netif(&p.st->net, &other, ip4_addr(0xcb007102), 28), 0);
    peer_skip(&p);
    icmp_emit(text, sizeof text, &echo);
    h.dst = ip4_addr(0xcb007102);
    inject(&h, NULL, 0, text);
    assert_int_equal(next_packet(b, sizeof b), 28);
    assert_int_equal(get32(b + FRAME_IP + 12), 0xcb007102);
    peer_free(&p);
}

/* A redirect from the gateway to 192.0.2.`gateway`, about the packet at `ours`. */
static void redirect(const uint8_t *ours, uint8_t code, uint8_t gateway)
{
    uint8_t text[ICMP_LEN + 28];
    const struct icmp m = { .type = ICMP_REDIRECT,
                            .code = code,
                            .gateway = ip4_addr(0xc0000200u + gateway) };
    const struct ip4 h = header(20 + sizeof text);
    memcpy(text + ICMP_LEN, ours, 28);
    icmp_emit(text, sizeof text, &m);
    inject(&h, NULL, 0, text);
}

static uint32_t next_hop(uint32_t dst)
{
    struct route_hop hop;
    assert_int_equal(route_lookup(&p.st->net, ip4_addr(dst), &hop), 0);
    return ip4_num(hop.next_hop);
}

/* Sends the first packet of a socket of this kind to 203.0.113.1. */
static struct sock *send_far(int type, int protocol)
{
    static const uint8_t echo[ICMP_LEN] = { ECHO_REQUEST };
    const struct piece text = { echo, sizeof echo };
    const struct sock_name to = { ip4_addr(0xcb007101), 80 };
    struct sock *s;
    assert_int_equal(sock_new(&p.st->socks, 2, type, protocol, &s), 0);
    int r = sock_connect(s, &to);
    assert_int_equal(r, type == 1 ? -EINPROGRESS : 0);
    if (type != 1)
        assert_int_equal(sock_send(s, &text, 1, 0, NULL), sizeof echo);
    stack_flush(p.st);
    return s;
}

/* RFC 1122 s3.2.2.2 (MUST-icmp-redirect, MUST-icmp-redirect-net): all four codes, for
 * this destination; believed where the socket that is quoted is there (RFC 5927 s4.1).
 */
static void a_redirect_is_believed_about_a_packet_of_ours(void **state)
{
    static const struct {
        int type, protocol;
    } row[] = { { 1, 6 }, { 2, 17 }, { 2, 1 } };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        uint8_t b[2000];
        peer_init(&p);
        struct sock *s = send_far(row[i].type, row[i].protocol);
        assert_true(next_packet(b, sizeof b) >= 28);
        uint8_t *ours = b + FRAME_IP;
        for (uint8_t code = 0; code < 4; code++) {
            redirect(ours, code, 9);
            assert_int_equal(next_hop(0xcb007101), 0xc0000209);
            assert_int_equal(next_hop(0xcb007102), 0xc0000201);
            redirect_forget(&p.st->net, ip4_addr(0xc0000209));
        }
        redirect(ours, 4, 9); /* no such code */
        ours[20] ^= 1;        /* another port, or no echo */
        ours[24] ^= 1;
        redirect(ours, 1, 9);
        assert_int_equal(next_hop(0xcb007101), 0xc0000201);
        assert_int_equal(peer_count(&p, "IcmpInRedirects"), 6);
        sock_close(s);
        peer_free(&p);
    }
}

/* RFC 1122 s3.2.2.2: a segment that is not in flight is nobody's; an ACK is sent with
 * the number that is next. Whatever cannot be believed has its reason. */
static void a_redirect_about_an_old_segment_is_not_believed(void **state)
{
    uint8_t b[2000];
    peer_init(&p);
    struct sock *s = send_far(1, 6);
    assert_true(next_packet(b, sizeof b) >= 28);
    uint8_t *ours = b + FRAME_IP;
    uint32_t isn = get32(ours + 24);
    static const struct {
        uint32_t at;
        uint32_t hop;
    } row[] = { { 0xffffffff, 0xc0000201 },
                { 2, 0xc0000201 },
                { 1, 0xc0000209 },
                { 0, 0xc0000209 } };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        put32(ours + 24, isn + row[i].at);
        redirect_forget(&p.st->net, ip4_addr(0xc0000209));
        redirect(ours, 1, 9);
        assert_int_equal(next_hop(0xcb007101), row[i].hop);
    }
    assert_int_equal(peer_count(&p, "TcpExtOutOfWindowIcmps"), 2);
    redirect(ours, 1, 8); /* not from the gateway that it has now */
    assert_int_equal(peer_drops(&p, "IcmpRedirectRefused"), 1);
    assert_int_equal(next_hop(0xcb007101), 0xc0000209);
    sock_close(s);
    peer_free(&p);
}

/* RFC 1122 s3.2.2.2 (MUST-icmp-redirect): what is sent next goes to the new gateway. */
static void what_is_sent_after_a_redirect_goes_to_the_new_gateway(void **state)
{
    const struct mac_addr mac = { { 2, 0, 0, 0, 0, 9 } };
    const struct piece text = { (const uint8_t *)"x", 1 };
    uint8_t b[2000];
    peer_init(&p);
    struct sock *s = send_far(2, 17);
    assert_int_equal(next_packet(b, sizeof b), 36);
    redirect(b + FRAME_IP, 1, 9);
    neigh_learn(&p.st->net, &p.nif, ip4_addr(0xc0000209), mac, true);
    assert_int_equal(sock_send(s, &text, 1, 0, NULL), 1);
    assert_int_equal(next_packet(b, sizeof b), 29);
    assert_memory_equal(b, mac.b, 6);
    sock_close(s);
    peer_free(&p);
}

/* The station that the next IP packet went to, its last byte; requests of ARP that
 * went before it are counted. */
static unsigned next_station(unsigned *asked)
{
    uint8_t b[2000] = { 0 };
    while (peer_take(&p, b, sizeof b) && get16(b + 12) != 0x0800)
        ++*asked;
    return get16(b + 12) == 0x0800 ? b[5] : 0;
}

/* RFC 1122 s3.3.1.5 (MUST-ip-dead-gateway-switch), s3.3.1.2 (MUST-ip-gateways): the
 * first gateway is gone. A connection that is opening doubts it after three time-outs
 * (7 s), it is asked from 12 s to 17 s, and what waits goes by the second at 18 s; half
 * a minute later the first is asked again, and when it answers it is taken again. */
static void a_connection_survives_its_gateway(void **state)
{
    const struct mac_addr first = { { 2, 0, 0, 0, 0, 1 } };
    const struct mac_addr second = { { 2, 0, 0, 0, 0, 9 } };
    unsigned asked = 0;
    peer_init(&p);
    assert_int_equal(stack_add_gateway(p.st, &p.nif, ip4_addr(0xc0000209)), 0);
    neigh_learn(&p.st->net, &p.nif, ip4_addr(0xc0000209), second, true);
    struct sock *s = send_far(1, 6);
    peer_wait(&p, 17 * USEC_PER_SEC); /* SYNs at 0, 1, 3, 7 s; that of 15 s waits */
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(next_station(&asked), 1);
    assert_int_equal(asked, 0);
    assert_int_equal(next_station(&asked), 0);
    assert_int_equal(asked, 6);
    peer_wait(&p, 2 * USEC_PER_SEC);
    assert_int_equal(next_station(&asked), 9);
    assert_string_equal(peer_state(s), "SYN-SENT");
    peer_wait(&p, 15 * USEC_PER_SEC); /* the SYN of 31 s */
    assert_int_equal(next_station(&asked), 9);
    assert_int_equal(asked, 6);
    peer_wait(&p, 30 * USEC_PER_SEC); /* that of 63 s */
    assert_int_equal(next_station(&asked), 9);
    assert_int_equal(asked, 7);
    neigh_learn(&p.st->net, &p.nif, ip4_addr(0xc0000201), first, false);
    peer_wait(&p, 64 * USEC_PER_SEC); /* that of 127 s */
    assert_int_equal(next_station(&asked), 1);
    sock_close(s);
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zero_is_no_destination),
        cmocka_unit_test(the_mask_decides_who_is_on_the_link),
        cmocka_unit_test(the_mask_is_as_it_was_given),
        cmocka_unit_test(the_time_to_live_can_be_configured),
        cmocka_unit_test(a_datagram_of_576_bytes_is_put_together),
        cmocka_unit_test(unknown_options_and_stream_ids_do_no_harm),
        cmocka_unit_test(no_other_icmp_message_is_answered),
        cmocka_unit_test(an_echo_is_answered_from_the_address_that_was_asked),
        cmocka_unit_test(a_redirect_is_believed_about_a_packet_of_ours),
        cmocka_unit_test(a_redirect_about_an_old_segment_is_not_believed),
        cmocka_unit_test(what_is_sent_after_a_redirect_goes_to_the_new_gateway),
        cmocka_unit_test(a_connection_survives_its_gateway),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
