#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "harness/nethost.h"

/* What a row of the tables below does not say is a UDP packet from the peer to us. */
static struct pkt *packet(struct nethost *h, const char *src, const char *dst)
{
    struct ip4 ip = { .src = nethost_ip(src), .dst = nethost_ip(dst), .proto = 17 };

    return nethost_ip4(h, &ip, "00091388000b86dd686579");
}

/* RFC 1122 s3.2.1.7 (MUST-ip-ttl-low), s3.4 (MUST-ip-spec-dest), s3.2.1.6
 * (SHLD-ip-tos-up). */
static void a_packet_for_us_is_described(void **state)
{
    struct nethost *h = *state;
    struct ip4 in = { .src = nethost_ip("192.0.2.1"),
                      .dst = nethost_ip("192.0.2.2"),
                      .proto = 17,
                      .tos = 0x13,
                      .ttl = 1 };
    struct pkt *p = nethost_ip4(h, &in, "aabbcc");
    struct ip_info ip;

    assert_ptr_equal(ip4_input(&h->nif, p, &ip), p);
    assert_bytes(p->data, p->len, "aabbcc");
    assert_ptr_equal(ip.nif, &h->nif);
    assert_true(ip_eq(ip.src, nethost_ip("192.0.2.1")));
    assert_true(ip_eq(ip.dst, nethost_ip("192.0.2.2")));
    assert_int_equal(ip.proto, 17);
    assert_int_equal(ip.tos, 0x13);
    assert_int_equal(ip.ttl, 1);
    assert_int_equal(ip.header_len, 20);
    assert_false(ip.broadcast);
    assert_int_equal(h->net.count.n[COUNT_IpInReceives], 1);
    assert_int_equal(h->net.count.n[COUNT_IpInDelivers], 1);
    pkt_free(p);
}

/* RFC 894: short frames are padded; the padding is no part of the packet. */
static void padding_behind_the_packet_is_cut_off(void **state)
{
    struct nethost *h = *state;
    struct pkt *p = packet(h, "192.0.2.1", "192.0.2.2");
    struct ip_info ip;

    pkt_put(p, 15);
    assert_ptr_equal(ip4_input(&h->nif, p, &ip), p);
    assert_bytes(p->data, p->len, "00091388000b86dd686579");
    pkt_free(p);
}

/* RFC 791 s3.1: a record route; the transport begins behind it. */
static void options_are_stepped_over(void **state)
{
    struct nethost *h = *state;
    struct pkt *p = nethost_hex(h, "47000027000040004011a9bbc0000201c0000202"
                                   "0707040000000000 00091388000b86dd686579");
    struct ip_info ip;

    assert_ptr_equal(ip4_input(&h->nif, p, &ip), p);
    assert_int_equal(ip.header_len, 28);
    assert_bytes(p->data, p->len, "00091388000b86dd686579");
    pkt_free(p);
}

/* RFC 1122 s3.1 (MUST-ip-no-forward), s3.2.1.3 (MUST-ip-loopback, MUST-ip-not-ours,
 * MUST-ip-bad-source), s3.2.2 (MUST-icmp-not-odd-source), s3.3.6
 * (MUST-ip-broadcast-known), s3.4 (MUST-ip-spec-dest), s4.1.3.6 (MUST-udp-bad-source),
 * RFC 9293 s3.9.2.3 (MUST-63): sources that no host may have, or that are ours. */
static void where_a_packet_comes_from_and_goes_to_is_checked(void **state)
{
    static const struct {
        const char *src, *dst;
        enum drop why; /* DROP_N: taken */
        bool broadcast;
    } row[] = {
        { "192.0.2.1", "192.0.2.2", DROP_N, false },
        { "203.0.113.9", "192.0.2.2", DROP_N, false },
        { "192.0.2.1", "192.0.2.255", DROP_N, true },
        { "192.0.2.1", "255.255.255.255", DROP_N, true },
        { "192.0.2.1", "224.0.0.1", DROP_N, true },
        { "192.0.2.1", "224.0.0.251", DROP_IP_NOT_OURS, false },
        { "192.0.2.1", "192.0.2.3", DROP_IP_NOT_OURS, false },
        { "192.0.2.1", "0.0.0.0", DROP_IP_NOT_OURS, false },
        { "192.0.2.1", "127.0.0.1", DROP_IP_NOT_OURS, false },
        { "127.0.0.1", "192.0.2.2", DROP_IP_SOURCE, false },
        { "192.0.2.2", "192.0.2.2", DROP_IP_SOURCE, false },
        { "0.0.0.0", "255.255.255.255", DROP_IP_SOURCE, false },
        { "224.0.0.1", "192.0.2.2", DROP_IP_SOURCE, false },
        { "255.255.255.255", "192.0.2.2", DROP_IP_SOURCE, false },
        { "192.0.2.255", "192.0.2.2", DROP_IP_SOURCE, false },
    };
    struct nethost *h = *state;

    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pkt *p = packet(h, row[i].src, row[i].dst);
        struct ip_info ip;
        uint64_t before = row[i].why < DROP_N ? h->net.count.drop[row[i].why] : 0;
        bool taken = ip4_input(&h->nif, p, &ip);
        assert_int_equal(taken, row[i].why == DROP_N);
        if (!taken) {
            assert_int_equal(h->net.count.drop[row[i].why], before + 1);
            continue;
        }
        assert_int_equal(ip.broadcast, row[i].broadcast);
        assert_true(ip_eq(ip.dst, nethost_ip(row[i].dst)));
        pkt_free(p);
    }
}

static void a_malformed_header_is_counted_under_its_reason(void **state)
{
    static const struct {
        const char *hex;
        enum drop why;
    } row[] = {
        { "4500001c0000", DROP_IP_SHORT },
        { "6500001c000040004011b6cdc0000201c0000202 0007000900080000",
          DROP_IP_VERSION },
        { "4400001c000040004011b6cdc0000201c0000202 0007000900080000", DROP_IP_HEADER },
        { "4500001c000040004011b6cec0000201c0000202 0007000900080000", DROP_IP_CKSUM },
        { "4500001c000040004011b6cdc0000201c0000202 000700090008", DROP_IP_SHORT },
    };
    struct nethost *h = *state;
    size_t n = sizeof(row) / sizeof(row[0]);

    for (size_t i = 0; i < n; i++) {
        struct ip_info ip;
        uint64_t before = h->net.count.drop[row[i].why];
        assert_null(ip4_input(&h->nif, nethost_hex(h, row[i].hex), &ip));
        assert_int_equal(h->net.count.drop[row[i].why], before + 1);
    }
    assert_int_equal(h->net.count.n[COUNT_IpInHdrErrors], n);
}

/* RFC 7126 s4.3.5: loose source route (131), which its path has not used up. */
static void source_routed_packets_are_refused(void **state)
{
    struct nethost *h = *state;
    struct ip_info ip;

    assert_null(ip4_input(&h->nif,
                          nethost_hex(h, "470000270000400040112dbbc0000201c0000202"
                                         "8307040000000000 00091388000b86dd686579"),
                          &ip));
    assert_int_equal(h->net.count.drop[DROP_IP_SOURCE_ROUTE], 1);
}

/* A device's super-segment may leave total length 0: the frame's length is meant. */
static void a_super_segment_without_a_length_is_as_long_as_its_frame(void **state)
{
    struct nethost *h = *state;
    static const char hex[] = "45000000000040004006b6f4c0000201c0000202 aabbcc";
    struct pkt *p = nethost_hex(h, hex);
    struct ip_info ip;

    p->gso_size = 1448;
    assert_ptr_equal(ip4_input(&h->nif, p, &ip), p);
    assert_bytes(p->data, p->len, "aabbcc");
    pkt_free(p);
    assert_null(ip4_input(&h->nif, nethost_hex(h, hex), &ip));
    assert_int_equal(h->net.count.drop[DROP_IP_HEADER], 1);
}

/* --- output ------------------------------------------------------------------- */

#define TEXT "0007000900080000"

static int output(struct nethost *h, const struct ip_out *how)
{
    return ip_output(&h->net, how, nethost_hex(h, TEXT));
}

/* RFC 1122 s3.2.1.7 (MUST-ip-ttl-zero), s3.2.1.3
 * (MUST-ip-own-source). RFC 1191 s3: don't fragment; RFC 6864 s4.1: then the
 * identification is free. */
static void a_packet_gets_the_interfaces_address_and_the_default_ttl(void **state)
{
    struct nethost *h = *state;
    struct ip_out how = { .dst = nethost_ip("192.0.2.1"),
                          .src = nethost_ip("0.0.0.0"),
                          .proto = 17,
                          .opt.df = IP_DF_DO };

    nethost_know_peer(h);
    assert_int_equal(output(h, &how), 0);
    assert_frame(h, "020000000001 020000000002 0800"
                    "4500001c000040004011b6cdc0000202c0000201" TEXT);
    assert_int_equal(h->net.count.n[COUNT_IpOutRequests], 1);
}

/* RFC 1122 s3.2.1.7 (MUST-ip-ttl-set), s3.2.1.6 (MUST-ip-tos). */
static void tos_ttl_and_source_are_the_callers(void **state)
{
    struct nethost *h = *state;
    struct ip_out how = { .src = nethost_ip("192.0.2.2"),
                          .dst = nethost_ip("192.0.2.1"),
                          .proto = 17,
                          .opt = { .tos = 0x10, .ttl = 9, .df = IP_DF_DO } };

    nethost_know_peer(h);
    assert_int_equal(output(h, &how), 0);
    assert_frame(h, "020000000001 020000000002 0800"
                    "4510001c000040000911edbdc0000202c0000201" TEXT);
}

/* RFC 1112 s6.1. */
static void multicast_has_a_ttl_of_one(void **state)
{
    struct ip_out how = { .src = nethost_ip("0.0.0.0"),
                          .dst = nethost_ip("224.0.0.5"),
                          .proto = 17,
                          .opt.df = IP_DF_DO };

    assert_int_equal(output(*state, &how), 0);
    assert_frame(*state, "01005e000005 020000000002 0800"
                         "4500001c000040000111d7c9c0000202e0000005" TEXT);
}

static void a_far_packet_goes_to_the_gateways_station(void **state)
{
    struct nethost *h = *state;
    struct route r = { .dst = nethost_ip("0.0.0.0"),
                       .gateway = nethost_ip("192.0.2.1"),
                       .nif = &h->nif };
    struct ip_out how = { .src = nethost_ip("0.0.0.0"),
                          .dst = nethost_ip("203.0.113.9"),
                          .proto = 17,
                          .opt.df = IP_DF_DO };

    assert_int_equal(output(h, &how), -ENETUNREACH);
    assert_int_equal(h->net.count.drop[DROP_IP_NO_ROUTE], 1);
    assert_int_equal(ip_mtu(&h->net, how.dst), 0);
    route_add(&h->net, &r);
    nethost_know_peer(h);
    assert_int_equal(output(h, &how), 0);
    assert_frame(h, "020000000001 020000000002 0800"
                    "4500001c0000400040113cc5c0000202cb007109" TEXT);
    assert_int_equal(ip_mtu(&h->net, how.dst), 1500);
}

static struct pkt *zeros(struct nethost *h, size_t n)
{
    struct pkt *p = pkt_new(&h->net.pool, n);
    uint8_t *b = pkt_put(p, n);

    for (size_t i = 0; i < n; i++)
        b[i] = 0;
    return p;
}

/* RFC 1122 s3.3.3 (MUST-ip-mms-s-kept). */
static void a_packet_above_the_mtu_is_refused(void **state)
{
    struct nethost *h = *state;
    struct ip_out how = { .src = nethost_ip("0.0.0.0"),
                          .dst = nethost_ip("192.0.2.1"),
                          .proto = 17,
                          .opt.df = IP_DF_DO };

    nethost_know_peer(h);
    assert_int_equal(ip_output(&h->net, &how, zeros(h, 1480)), 0);
    assert_int_equal(h->wire.sent.n, 1);
    assert_int_equal(ip_output(&h->net, &how, zeros(h, 1481)), -EMSGSIZE);
    assert_int_equal(h->net.count.drop[DROP_IP_TOO_BIG], 1);
    wirelink_clear(&h->wire);
}

/* A TCP header with its data offset, and text up to `n` bytes in all. */
static struct pkt *super_segment(struct nethost *h, size_t n)
{
    struct pkt *p = zeros(h, n);

    p->data[12] = 0x50;
    p->gso_size = 1460;
    return p;
}

static uint8_t seen_length[2]; /* of the last IP header */

static int look_at_length(struct link *link, const struct pkt *p)
{
    (void)link;
    memcpy(seen_length, p->data + 16, 2);
    return 0;
}

static void a_super_segment_has_numbered_pieces(void **state)
{
    struct nethost *h = *state;
    struct ip_out how = { .src = nethost_ip("0.0.0.0"),
                          .dst = nethost_ip("192.0.2.1"),
                          .proto = 6 };

    nethost_know_peer(h);
    h->net.ip_id = 0xfffe;
    assert_int_equal(ip_output(&h->net, &how, super_segment(h, 20 + 3000)), 0);
    assert_int_equal(h->wire.sent.n, 3);
    static const char *const id[] = { "fffe", "ffff", "0000" };
    for (int i = 0; i < 3; i++) {
        struct pkt *p = wirelink_pop(&h->wire);
        assert_bytes(p->data + 18, 2, id[i]);
        pkt_free(p);
    }
    assert_true(h->net.ip_id >= 1 && h->net.ip_id < 10);

    assert_int_equal(ip_output(&h->net, &how, super_segment(h, 65515)), 0);
    assert_int_equal(h->wire.sent.n, 45);
    wirelink_clear(&h->wire);
}

/* The length that the header cannot say is 0 (Linux's BIG TCP). */
static void a_super_segment_may_be_256_kib_long(void **state)
{
    static const struct {
        size_t total;
        const char *total_len;
        int result;
    } row[] = {
        { 65535, "ffff", 0 },
        { 65536, "0000", 0 },
        { 262144, "0000", 0 },
        { 262145, NULL, -EMSGSIZE },
    };
    static const uint8_t text[262144];
    struct nethost *h = *state;
    struct ip_out how = { .src = nethost_ip("0.0.0.0"),
                          .dst = nethost_ip("192.0.2.1"),
                          .proto = 6 };

    nethost_know_peer(h);
    for (size_t i = 0; i < ARRAY_LEN(row); i++) {
        struct pkt *p = super_segment(h, 20);
        p->text[0] = (struct piece){ text, row[i].total - 40 };
        p->n_text = 1;
        h->wire.link.caps = LINK_CSUM | LINK_TSO | LINK_BIG;
        h->wire.link.send = look_at_length;
        assert_int_equal(ip_output(&h->net, &how, p), row[i].result);
        if (row[i].total_len)
            assert_bytes(seen_length, 2, row[i].total_len);
    }
    assert_int_equal(h->net.count.drop[DROP_IP_TOO_BIG], 1);
}

/* --- loopback ----------------------------------------------------------------- */

static void what_goes_to_ourselves_waits_in_the_loopback(void **state)
{
    struct nethost *h = *state;
    static const struct {
        const char *dst, *bytes;
    } row[] = {
        { "192.0.2.2", "4500001c000040004011b6ccc0000202c0000202" TEXT },
        { "127.0.0.1", "4500001c0000400040113ccf7f0000017f000001" TEXT },
    };

    for (size_t i = 0; i < 2; i++) {
        struct ip_out how = { .src = nethost_ip("0.0.0.0"),
                              .dst = nethost_ip(row[i].dst),
                              .proto = 17,
                              .opt.df = IP_DF_DO };
        struct ip_info ip;
        assert_int_equal(output(h, &how), 0);
        assert_int_equal(h->net.loop.n, 1);
        struct pkt *p = pkt_queue_pop(&h->net.loop);
        assert_bytes(p->data, p->len, row[i].bytes);
        assert_ptr_equal(ip4_input(&h->net.loopback, p, &ip), p);
        assert_false(ip.broadcast);
        pkt_free(p);
    }
    assert_int_equal(ip_mtu(&h->net, nethost_ip("127.0.0.1")), 65535);
}

static void a_looped_packet_borrows_nothing_and_needs_no_checksum(void **state)
{
    struct nethost *h = *state;
    struct ip_out how = { .src = nethost_ip("0.0.0.0"),
                          .dst = nethost_ip("192.0.2.2"),
                          .proto = 17,
                          .opt.df = IP_DF_DO };
    struct pkt *p = nethost_hex(h, TEXT);
    uint8_t text[3] = { 1, 2, 3 };

    p->text[0] = (struct piece){ text, 3 };
    p->n_text = 1;
    p->csum = PKT_CSUM_PARTIAL;
    p->csum_at = p->data;
    p->csum_field = 6;
    assert_int_equal(ip_output(&h->net, &how, p), 0);
    text[0] = 9;
    p = pkt_queue_pop(&h->net.loop);
    assert_int_equal(p->csum, PKT_CSUM_VERIFIED);
    assert_int_equal(p->n_text, 0);
    assert_bytes(p->data + 20, p->len - 20, TEXT "010203");
    pkt_free(p);
}

static void the_loopback_holds_256_packets(void **state)
{
    struct nethost *h = *state;
    struct ip_out how = { .src = nethost_ip("0.0.0.0"),
                          .dst = nethost_ip("192.0.2.2"),
                          .proto = 17,
                          .opt.df = IP_DF_DO };

    for (int i = 0; i < 257; i++)
        assert_int_equal(output(h, &how), 0);
    assert_int_equal(h->net.loop.n, 256);
    assert_int_equal(h->net.count.drop[DROP_LOOPBACK_FULL], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_packet_for_us_is_described, nethost_setup,
                                        nethost_teardown),
        cmocka_unit_test_setup_teardown(padding_behind_the_packet_is_cut_off,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(options_are_stepped_over, nethost_setup,
                                        nethost_teardown),
        cmocka_unit_test_setup_teardown(
            where_a_packet_comes_from_and_goes_to_is_checked, nethost_setup,
            nethost_teardown),
        cmocka_unit_test_setup_teardown(a_malformed_header_is_counted_under_its_reason,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(source_routed_packets_are_refused,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(
            a_super_segment_without_a_length_is_as_long_as_its_frame, nethost_setup,
            nethost_teardown),
        cmocka_unit_test_setup_teardown(
            a_packet_gets_the_interfaces_address_and_the_default_ttl, nethost_setup,
            nethost_teardown),
        cmocka_unit_test_setup_teardown(tos_ttl_and_source_are_the_callers,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(multicast_has_a_ttl_of_one, nethost_setup,
                                        nethost_teardown),
        cmocka_unit_test_setup_teardown(a_far_packet_goes_to_the_gateways_station,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(a_packet_above_the_mtu_is_refused,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(a_super_segment_has_numbered_pieces,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(a_super_segment_may_be_256_kib_long,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(what_goes_to_ourselves_waits_in_the_loopback,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(
            a_looped_packet_borrows_nothing_and_needs_no_checksum, nethost_setup,
            nethost_teardown),
        cmocka_unit_test_setup_teardown(the_loopback_holds_256_packets, nethost_setup,
                                        nethost_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
