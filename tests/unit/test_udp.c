#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "harness/nethost.h"
#include "udp/udp.h"

#define TO_PEER "020000000001 020000000002 0800"

static struct udp udp;

static struct udp_port *new_port(struct nethost *h)
{
    if (udp.net != &h->net)
        udp_init(&udp, &h->net);
    return udp_new(&udp);
}

static struct udp_port *bound(struct nethost *h, const char *addr, uint16_t number)
{
    struct udp_port *port = new_port(h);

    assert_int_equal(udp_bind(port, nethost_ip(addr), number), 0);
    return port;
}

/* "hey" from the peer's port 9 to our port 5000. */
static void input_with(struct nethost *h, const char *hex, const struct ip_info *change)
{
    struct ip4 in = { .src = change->src, .dst = change->dst, .proto = 17 };
    struct ip_info ip = *change;
    struct pkt *p = nethost_ip4(h, &in, hex);

    ip.nif = &h->nif;
    ip.header_len = 20;
    ip.proto = 17;
    pkt_pull(p, 20);
    udp_input(&udp, &ip, p);
}

static void input(struct nethost *h, const char *hex)
{
    struct ip_info ip = { .src = nethost_ip("192.0.2.1"),
                          .dst = nethost_ip("192.0.2.2") };

    input_with(h, hex, &ip);
}

#define HEY "00091388000b86dd 686579"

static ssize_t send_text(struct udp_port *port, const char *text,
                         const struct udp_peer *to)
{
    struct piece piece = { (const uint8_t *)text, strlen(text) };

    return udp_send(port, &piece, 1, to, NULL);
}

/* --- binding -------------------------------------------------------------------- */

static ssize_t receive(struct udp_port *port, void *buf, size_t len,
                       struct udp_datagram *what, bool peek)
{
    struct room to = { buf, len };
    return udp_receive(port, &to, 1, what, peek);
}

/* RFC 1122 s4.1.3.6 (MUST-udp-own-source). */
static void a_port_is_bound_once(void **state)
{
    struct nethost *h = *state;
    struct udp_port *a = bound(h, "0.0.0.0", 5000);
    struct udp_port *b = new_port(h);

    assert_int_equal(udp_bind(a, ip_any4, 5001), -EINVAL);
    assert_int_equal(udp_bind(b, nethost_ip("192.0.2.2"), 5000), -EADDRINUSE);
    assert_int_equal(udp_bind(b, nethost_ip("192.0.2.9"), 5001), -EADDRNOTAVAIL);
    assert_int_equal(udp_bind(b, nethost_ip("127.0.0.1"), 5001), 0);
    udp_free(a);
    udp_free(b);
}

static void the_same_port_on_two_addresses_is_two(void **state)
{
    struct nethost *h = *state;
    struct udp_port *a = bound(h, "192.0.2.2", 5000);
    struct udp_port *b = bound(h, "127.0.0.1", 5000);

    udp_free(a);
    udp_free(b);
}

static void two_ports_that_both_allow_it_share(void **state)
{
    struct nethost *h = *state;
    struct udp_port *a = bound(h, "0.0.0.0", 5000);
    struct udp_port *b = new_port(h);

    b->reuse_addr = true;
    assert_int_equal(udp_bind(b, ip_any4, 5000), -EADDRINUSE);
    a->reuse_addr = true;
    assert_int_equal(udp_bind(b, ip_any4, 5000), 0);
    udp_free(a);
    udp_free(b);
}

/* RFC 6056 s3.3.1: random, in the range, until all are taken. */
static void an_ephemeral_port_is_free_and_in_the_range(void **state)
{
    struct nethost *h = *state;
    struct udp_port *port[5];
    unsigned seen = 0;

    h->net.config.port_low = 40000;
    h->net.config.port_high = 40003;
    for (int i = 0; i < 4; i++) {
        port[i] = bound(h, "0.0.0.0", 0);
        assert_in_range(port[i]->local_port, 40000, 40003);
        seen |= 1u << (port[i]->local_port - 40000);
    }
    assert_int_equal(seen, 15);
    port[4] = new_port(h);
    assert_int_equal(udp_bind(port[4], ip_any4, 0), -EADDRINUSE);
    for (int i = 0; i < 5; i++)
        udp_free(port[i]);
}

static void ephemeral_ports_do_not_follow_one_another(void **state)
{
    struct nethost *h = *state;
    struct udp_port *port[8];
    int next_to = 0;

    for (int i = 0; i < 8; i++)
        port[i] = bound(h, "0.0.0.0", 0);
    for (int i = 1; i < 8; i++)
        next_to += port[i]->local_port == port[i - 1]->local_port + 1;
    assert_true(next_to < 2);
    for (int i = 0; i < 8; i++)
        udp_free(port[i]);
}

/* --- sending -------------------------------------------------------------------- */

/* RFC 1122 s4.1.3.4 (MUST-udp-checksum). */
static void a_datagram_is_sent_with_its_checksum(void **state)
{
    struct nethost *h = *state;
    struct udp_port *port = bound(h, "0.0.0.0", 5000);
    struct udp_peer to = { nethost_ip("192.0.2.1"), 9 };
    struct piece text[2] = { { (const uint8_t *)"h", 1 }, { (const uint8_t *)"i", 1 } };

    nethost_know_peer(h);
    assert_int_equal(udp_send(port, text, 2, &to, NULL), 2);
    assert_frame(h, TO_PEER "4500001e000040004011b6cbc0000202c0000201"
                            "13880009000affdb 6869");
    assert_int_equal(udp_send(port, NULL, 0, &to, NULL), 0);
    assert_frame(h, TO_PEER "4500001c000040004011b6cdc0000202c0000201"
                            "1388000900086849");
    assert_int_equal(h->net.count.n[COUNT_UdpOutDatagrams], 2);
    udp_free(port);
}

static void sending_binds_a_port_that_is_not(void **state)
{
    struct nethost *h = *state;
    struct udp_port *port = new_port(h);
    struct udp_peer to = { nethost_ip("192.0.2.1"), 9 };

    nethost_know_peer(h);
    assert_int_equal(send_text(port, "x", &to), 1);
    assert_in_range(port->local_port, 32768, 60999);
    assert_true(ip_is_any(port->local));
    wirelink_clear(&h->wire);
    udp_free(port);
}

static void a_datagram_that_cannot_be_sent_says_why(void **state)
{
    static uint8_t big[70000];
    static const struct {
        const char *to;
        uint16_t port;
        size_t len;
        int result;
    } row[] = {
        { "192.0.2.1", 9, 1472, 1472 },        { "192.0.2.1", 9, 1473, 1473 },
        { "192.0.2.1", 9, 65508, -EMSGSIZE },  { "192.0.2.1", 0, 1, -EINVAL },
        { "203.0.113.1", 9, 1, -ENETUNREACH }, { "255.255.255.255", 9, 1, -EACCES },
        { "192.0.2.255", 9, 1, -EACCES },
    };
    struct nethost *h = *state;
    struct udp_port *port = bound(h, "0.0.0.0", 5000);

    nethost_know_peer(h);
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct udp_peer to = { nethost_ip(row[i].to), row[i].port };
        struct piece text = { big, row[i].len };
        assert_int_equal(udp_send(port, &text, 1, &to, NULL), row[i].result);
    }
    assert_int_equal(send_text(port, "x", NULL), -EDESTADDRREQ);
    wirelink_clear(&h->wire);
    struct udp_peer to = { nethost_ip("192.0.2.1"), 9 };
    h->wire.takes = 0;
    assert_int_equal(send_text(port, "x", &to), -EAGAIN);
    h->net.pool.limit = h->net.pool.reserve = 0;
    assert_int_equal(send_text(port, "x", &to), -ENOBUFS);
    udp_free(port);
}

/* RFC 1122 s3.2.1.3 (g) (MUST-ip-loopback): 127/8 never leaves the host. */
static void a_loopback_source_stays_inside(void **state)
{
    struct nethost *h = *state;
    struct udp_port *port = bound(h, "127.0.0.1", 5000);
    struct udp_peer to = { nethost_ip("192.0.2.1"), 9 };

    assert_int_equal(send_text(port, "x", &to), -EINVAL);
    udp_free(port);
}

static void a_datagram_to_ourselves_comes_back(void **state)
{
    struct nethost *h = *state;
    struct udp_port *a = bound(h, "0.0.0.0", 5000);
    struct udp_port *b = bound(h, "0.0.0.0", 5001);
    struct udp_peer to = { nethost_ip("0.0.0.0"), 5001 };
    struct udp_datagram got;
    struct ip_info ip;
    char buf[8];

    assert_int_equal(send_text(a, "self", &to), 4);
    struct pkt *p = pkt_queue_pop(&h->net.loop);
    assert_ptr_equal(ip4_input(&h->net.loopback, p, &ip), p);
    udp_input(&udp, &ip, p);
    assert_int_equal(receive(b, buf, 8, &got, false), 4);
    assert_memory_equal(buf, "self", 4);
    assert_true(ip_eq(got.from.addr, nethost_ip("127.0.0.1")));
    assert_int_equal(got.from.port, 5000);
    udp_free(a);
    udp_free(b);
}

/* --- connecting ----------------------------------------------------------------- */

/* RFC 1122 s4.1.3.5 (MUST-udp-source-choice). */
static void connecting_chooses_the_source_and_dissolving_takes_it_back(void **state)
{
    struct nethost *h = *state;
    struct udp_port *port = new_port(h);

    nethost_know_peer(h);
    assert_int_equal(udp_connect(port, nethost_ip("192.0.2.1"), 9), 0);
    assert_true(ip_eq(port->local, nethost_ip("192.0.2.2")));
    assert_true(port->local_port != 0);
    assert_int_equal(send_text(port, "x", NULL), 1);
    wirelink_clear(&h->wire);
    assert_int_equal(udp_connect(port, ip_any4, 0), 0);
    assert_true(ip_is_any(port->local));
    assert_int_equal(send_text(port, "x", NULL), -EDESTADDRREQ);
    udp_free(port);
}

static void connecting_where_no_route_leads_fails_and_changes_nothing(void **state)
{
    struct nethost *h = *state;
    struct udp_port *port = new_port(h);

    assert_int_equal(udp_connect(port, nethost_ip("192.0.2.1"), 9), 0);
    assert_int_equal(udp_connect(port, nethost_ip("203.0.113.1"), 9), -ENETUNREACH);
    assert_int_equal(udp_connect(port, nethost_ip("192.0.2.255"), 9), -EACCES);
    assert_true(ip_eq(port->remote, nethost_ip("192.0.2.1")));
    udp_free(port);
}

static void a_bound_address_outlives_the_association(void **state)
{
    struct nethost *h = *state;
    struct udp_port *port = bound(h, "192.0.2.2", 5000);

    assert_int_equal(udp_connect(port, nethost_ip("192.0.2.1"), 9), 0);
    assert_int_equal(udp_connect(port, ip_any4, 0), 0);
    assert_true(ip_eq(port->local, nethost_ip("192.0.2.2")));
    udp_free(port);
}

/* --- receiving ------------------------------------------------------------------ */

static void a_datagram_is_received_with_its_sender(void **state)
{
    struct nethost *h = *state;
    struct udp_port *port = bound(h, "0.0.0.0", 5000);
    struct udp_datagram got;
    char buf[8];

    port->watch.owner = port;
    assert_int_equal(receive(port, buf, 8, &got, false), -EAGAIN);
    input(h, HEY);
    assert_ptr_equal(h->net.woken.next, &port->watch.node);
    assert_int_equal(receive(port, buf, 8, &got, true), 3);
    assert_int_equal(receive(port, buf, 2, &got, false), 2);
    assert_memory_equal(buf, "he", 2);
    assert_int_equal(got.len, 3);
    assert_true(ip_eq(got.from.addr, nethost_ip("192.0.2.1")));
    assert_int_equal(got.from.port, 9);
    assert_int_equal(receive(port, buf, 8, NULL, false), -EAGAIN);
    assert_int_equal(port->rcv_bytes, 0);
    assert_int_equal(h->net.count.n[COUNT_UdpInDatagrams], 1);
    udp_free(port);
    assert_true(list_empty(&h->net.woken));
}

static void an_empty_datagram_is_a_datagram(void **state)
{
    struct nethost *h = *state;
    struct udp_port *port = bound(h, "0.0.0.0", 5000);

    input(h, "0009138800080000");
    assert_int_equal(receive(port, NULL, 0, NULL, false), 0);
    udp_free(port);
}

/* RFC 1122 s4.1.3.4 (MUST-udp-checksum-bad). RFC 768: length and checksum; a checksum
 * of zero was not made. */
static void malformed_datagrams_are_dropped(void **state)
{
    static const struct {
        const char *hex;
        enum drop why; /* DROP_N: taken */
    } row[] = {
        { "00091388000b86", DROP_UDP_SHORT },
        { "00091388000c86dd 686579", DROP_UDP_SHORT },
        { "00091388000786dd 686579", DROP_UDP_SHORT },
        { "00091388000b86de 686579", DROP_UDP_CKSUM },
        { "00091388000b0000 686579", DROP_N },
        { "00091388000b86dd 686579 0001", DROP_N }, /* bytes behind its length */
    };
    struct nethost *h = *state;
    struct udp_port *port = bound(h, "0.0.0.0", 5000);

    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        uint64_t before = row[i].why < DROP_N ? h->net.count.drop[row[i].why] : 0;
        char buf[8];
        input(h, row[i].hex);
        if (row[i].why == DROP_N)
            assert_int_equal(receive(port, buf, 8, NULL, false), 3);
        else
            assert_int_equal(h->net.count.drop[row[i].why], before + 1);
    }
    assert_int_equal(h->net.count.n[COUNT_UdpInErrors], 4);
    udp_free(port);
}

static void a_checksum_that_the_device_vouches_for_is_not_looked_at(void **state)
{
    struct nethost *h = *state;
    struct udp_port *port = bound(h, "0.0.0.0", 5000);
    struct ip_info ip = { .nif = &h->nif,
                          .src = nethost_ip("192.0.2.1"),
                          .dst = nethost_ip("192.0.2.2"),
                          .proto = 17,
                          .header_len = 20 };
    struct ip4 in = { .src = ip.src, .dst = ip.dst, .proto = 17 };
    struct pkt *p = nethost_ip4(h, &in, "00091388000b1234 686579");

    p->csum = PKT_CSUM_VERIFIED;
    pkt_pull(p, 20);
    udp_input(&udp, &ip, p);
    assert_int_equal(port->rcv.n, 1);
    udp_free(port);
}

/* RFC 1122 s3.3.8 (MUST-icmp-errors), s3.4 (MUST-icmp-from-transport), s4.1.3.1
 * (SHLD-udp-port-unreachable). */
static void a_datagram_for_nobody_is_answered_with_port_unreachable(void **state)
{
    struct nethost *h = *state;

    udp_free(new_port(h));
    nethost_know_peer(h);
    input(h, "00090007000bb761 616263");
    assert_frame(h, TO_PEER "4500003b000040004001b6bec0000202c0000201"
                            "0303811d00000000 4500001f000000004011f6cac0000201c0000202"
                            "00090007000bb761616263");
    assert_int_equal(h->net.count.n[COUNT_UdpNoPorts], 1);
    assert_int_equal(h->net.count.drop[DROP_UDP_NO_PORT], 1);
}

/* RFC 1122 s3.2.2: no ICMP error about a broadcast. */
static void a_broadcast_for_nobody_is_answered_by_nobody(void **state)
{
    struct nethost *h = *state;
    struct ip_info ip = { .src = nethost_ip("192.0.2.1"),
                          .dst = nethost_ip("192.0.2.255"),
                          .broadcast = true };

    udp_free(new_port(h));
    input_with(h, "0009000700080000", &ip);
    assert_int_equal(h->net.count.drop[DROP_UDP_NO_PORT], 1);
}

static void the_most_specific_port_gets_the_datagram(void **state)
{
    struct nethost *h = *state;
    struct udp_port *any = new_port(h), *local = new_port(h), *peer = new_port(h),
                    *other = new_port(h);

    any->reuse_addr = local->reuse_addr = peer->reuse_addr = other->reuse_addr = true;
    udp_bind(other, nethost_ip("192.0.2.2"), 5000);
    udp_connect(other, nethost_ip("192.0.2.1"), 10);
    udp_bind(any, ip_any4, 5000);
    input(h, HEY);
    assert_int_equal(any->rcv.n, 1);
    udp_bind(local, nethost_ip("192.0.2.2"), 5000);
    input(h, HEY);
    assert_int_equal(local->rcv.n, 1);
    udp_bind(peer, ip_any4, 5000);
    udp_connect(peer, nethost_ip("192.0.2.1"), 9);
    input(h, HEY);
    assert_int_equal(peer->rcv.n, 1);
    assert_int_equal(other->rcv.n, 0);
    udp_free(any);
    udp_free(local);
    udp_free(peer);
    udp_free(other);
}

static void a_full_queue_drops_with_a_reason(void **state)
{
    struct nethost *h = *state;
    struct udp_port *port = bound(h, "0.0.0.0", 5000);

    assert_int_equal(port->rcv_limit, 212992);
    port->rcv_limit = 1100;
    for (int i = 0; i < 3; i++)
        input(h, HEY);
    assert_int_equal(port->rcv.n, 2);
    assert_int_equal(h->net.count.drop[DROP_UDP_QUEUE_FULL], 1);
    udp_free(port);
}

/* --- errors --------------------------------------------------------------------- */

static struct net_error refused(void)
{
    return (struct net_error){ .src = nethost_ip("192.0.2.2"),
                               .dst = nethost_ip("192.0.2.1"),
                               .proto = 17,
                               .src_port = 5000,
                               .dst_port = 9,
                               .error = -ECONNREFUSED,
                               .hard = true };
}

/* RFC 1122 s4.1.3.3 (MUST-udp-errors-up). */
static void a_connected_port_is_told_of_an_error_once(void **state)
{
    struct nethost *h = *state;
    struct udp_port *port = bound(h, "0.0.0.0", 5000);
    struct net_error err = refused();
    char buf[8];

    nethost_know_peer(h);
    udp_connect(port, nethost_ip("192.0.2.1"), 9);
    port->watch.owner = port;
    udp_error(&udp, &err);
    assert_true(list_linked(&port->watch.node));
    assert_int_equal(receive(port, buf, 8, NULL, false), -ECONNREFUSED);
    assert_int_equal(receive(port, buf, 8, NULL, false), -EAGAIN);
    udp_error(&udp, &err);
    assert_int_equal(send_text(port, "x", NULL), -ECONNREFUSED);
    assert_int_equal(send_text(port, "x", NULL), 1);
    wirelink_clear(&h->wire);
    udp_free(port);
}

static void others_are_not_told(void **state)
{
    struct nethost *h = *state;
    struct udp_port *port = bound(h, "0.0.0.0", 5000);
    struct net_error err = refused();

    udp_error(&udp, &err); /* not connected */
    assert_int_equal(port->error, 0);
    udp_connect(port, nethost_ip("192.0.2.1"), 10);
    udp_error(&udp, &err); /* to another port */
    assert_int_equal(port->error, 0);
    udp_connect(port, nethost_ip("192.0.2.1"), 9);
    err.hard = false;
    err.error = -ENETUNREACH;
    udp_error(&udp, &err); /* it may pass */
    assert_int_equal(port->error, 0);
    err.error = -EMSGSIZE;
    udp_error(&udp, &err); /* it will not pass by itself */
    assert_int_equal(port->error, -EMSGSIZE);
    udp_free(port);
}

/* RFC 1191 s3, RFC 1122 s4.1.3.3: every port learns the path's MTU, the connected one
 * is told; whoever leaves cutting to the way (IP_PMTUDISC_DONT) does neither; and what
 * is about no port of ours is nobody's. */
static void a_datagram_that_was_too_big_tells_the_paths_mtu(void **state)
{
    struct nethost *h = *state;
    struct udp_port *port = bound(h, "0.0.0.0", 5000);
    struct net_error err = refused();
    struct ip_addr peer = nethost_ip("192.0.2.1");

    err.error = -EMSGSIZE;
    err.total_len = 1500;
    err.mtu = 1400;
    port->ip.df = IP_DF_DONT;
    udp_error(&udp, &err);
    assert_int_equal(ip_path_mtu(&h->net, peer), 1500);
    port->ip.df = IP_DF_WANT;
    udp_error(&udp, &err);
    assert_int_equal(ip_path_mtu(&h->net, peer), 1400);
    assert_int_equal(port->error, 0);
    err.src_port = 5001;
    err.mtu = 1300;
    udp_error(&udp, &err);
    assert_int_equal(ip_path_mtu(&h->net, peer), 1400);
    assert_int_equal(h->net.count.n[COUNT_IcmpInErrors], 1);
    udp_free(port);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_port_is_bound_once, nethost_setup,
                                        nethost_teardown),
        cmocka_unit_test_setup_teardown(the_same_port_on_two_addresses_is_two,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(two_ports_that_both_allow_it_share,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(an_ephemeral_port_is_free_and_in_the_range,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(ephemeral_ports_do_not_follow_one_another,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(a_datagram_is_sent_with_its_checksum,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(sending_binds_a_port_that_is_not, nethost_setup,
                                        nethost_teardown),
        cmocka_unit_test_setup_teardown(a_datagram_that_cannot_be_sent_says_why,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(a_loopback_source_stays_inside, nethost_setup,
                                        nethost_teardown),
        cmocka_unit_test_setup_teardown(a_datagram_to_ourselves_comes_back,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(
            connecting_chooses_the_source_and_dissolving_takes_it_back, nethost_setup,
            nethost_teardown),
        cmocka_unit_test_setup_teardown(
            connecting_where_no_route_leads_fails_and_changes_nothing, nethost_setup,
            nethost_teardown),
        cmocka_unit_test_setup_teardown(a_bound_address_outlives_the_association,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(a_datagram_is_received_with_its_sender,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(an_empty_datagram_is_a_datagram, nethost_setup,
                                        nethost_teardown),
        cmocka_unit_test_setup_teardown(malformed_datagrams_are_dropped, nethost_setup,
                                        nethost_teardown),
        cmocka_unit_test_setup_teardown(
            a_checksum_that_the_device_vouches_for_is_not_looked_at, nethost_setup,
            nethost_teardown),
        cmocka_unit_test_setup_teardown(
            a_datagram_for_nobody_is_answered_with_port_unreachable, nethost_setup,
            nethost_teardown),
        cmocka_unit_test_setup_teardown(a_broadcast_for_nobody_is_answered_by_nobody,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(the_most_specific_port_gets_the_datagram,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(a_full_queue_drops_with_a_reason, nethost_setup,
                                        nethost_teardown),
        cmocka_unit_test_setup_teardown(a_connected_port_is_told_of_an_error_once,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(others_are_not_told, nethost_setup,
                                        nethost_teardown),
        cmocka_unit_test_setup_teardown(a_datagram_that_was_too_big_tells_the_paths_mtu,
                                        nethost_setup, nethost_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
