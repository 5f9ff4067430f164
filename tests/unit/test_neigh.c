#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "harness/nethost.h"

#define SEC ((usec)1000000)

/* An IP packet to the peer: what waits, and as a frame. */
#define PACKET "4500001c000040004011b6cdc0000202c0000201 0007000900080000"
#define FRAME  "020000000001 020000000002 0800" PACKET

#define ASK                                               \
    "ffffffffffff 020000000002 0806 0001 0800 06 04 0001" \
    "020000000002 c0000202 000000000000 c0000201"
#define PROBE                                             \
    "020000000001 020000000002 0806 0001 0800 06 04 0001" \
    "020000000002 c0000202 000000000000 c0000201"

static const struct mac_addr peer_mac = { { 2, 0, 0, 0, 0, 1 } };

static struct ip_addr peer(void)
{
    return nethost_ip("192.0.2.1");
}

static int output(struct nethost *h)
{
    return neigh_output(&h->net, &h->nif, peer(), nethost_hex(h, PACKET));
}

/* Fires what is due up to `until`. */
static void run(struct nethost *h, usec until)
{
    while (heap_next(&h->net.heap) <= until) {
        h->net.now = heap_next(&h->net.heap);
        struct deadline *d = heap_pop(&h->net.heap, h->net.now);
        assert_int_equal(d->owner, DL_NEIGH);
        neigh_fire(&h->net, list_entry(d, struct neigh, deadline));
    }
    h->net.now = until;
}

static enum neigh_state peer_state(struct nethost *h)
{
    return neigh_find(&h->net, peer())->state;
}

static void where_one_station_has_every_address_nobody_is_asked(void **state)
{
    struct nethost *h = *state;

    h->nif.noarp = true;
    h->nif.far = peer_mac;
    assert_int_equal(output(h), 0);
    assert_frame(h, FRAME);
    assert_silence(h);
    assert_int_equal(h->net.neigh.n, 0);
}

/* RFC 1122 s2.3.3 (MUST-arp-ethernet), s3.3.6 (MUST-ip-broadcast-sent), s2.4
 * (MUST-arp-no-error), s2.3.2.2 (SHLD-arp-queue). */
static void a_packet_waits_until_its_address_is_known(void **state)
{
    struct nethost *h = *state;

    assert_int_equal(output(h), 0);
    assert_frame(h, ASK);
    assert_silence(h);
    assert_int_equal(peer_state(h), NEIGH_INCOMPLETE);
    neigh_learn(&h->net, &h->nif, peer(), peer_mac, false);
    assert_frame(h, FRAME);
    assert_int_equal(peer_state(h), NEIGH_REACHABLE);
    assert_int_equal(output(h), 0);
    assert_frame(h, FRAME);
}

/* RFC 1122 s2.3.2.1 (MUST-arp-flood): no more than one request a second for one
 * address. */
static void requests_are_a_second_apart_and_three(void **state)
{
    struct nethost *h = *state;

    output(h);
    output(h);
    assert_frame(h, ASK);
    run(h, SEC - 1);
    assert_silence(h);
    run(h, SEC);
    assert_frame(h, ASK);
    run(h, 2 * SEC);
    assert_frame(h, ASK);
    run(h, 60 * SEC);
    assert_silence(h);
    assert_int_equal(h->net.count.n[COUNT_ArpOutRequests], 3);
}

static void a_neighbour_that_does_not_answer_is_reported(void **state)
{
    struct nethost *h = *state;
    struct net_error err;

    output(h);
    wirelink_clear(&h->wire);
    run(h, 3 * SEC - 1);
    assert_false(net_take_error(&h->net, &err));
    run(h, 3 * SEC);
    wirelink_clear(&h->wire);
    assert_true(net_take_error(&h->net, &err));
    assert_int_equal(err.error, -EHOSTUNREACH);
    assert_true(err.hard);
    assert_int_equal(err.proto, 17);
    assert_int_equal(err.src_port, 7);
    assert_int_equal(err.dst_port, 9);
    assert_true(ip_eq(err.src, nethost_ip("192.0.2.2")));
    assert_true(ip_eq(err.dst, peer()));
    assert_int_equal(h->net.count.drop[DROP_NEIGH_FAILED], 1);
    assert_null(neigh_find(&h->net, peer()));
}

/* RFC 1122 s2.3.2.2: the latest packets are kept. */
static void of_seventeen_waiting_packets_the_oldest_is_dropped(void **state)
{
    struct nethost *h = *state;

    for (int i = 0; i < 17; i++) {
        struct pkt *p = nethost_hex(h, PACKET);
        p->data[27] = (uint8_t)i;
        neigh_output(&h->net, &h->nif, peer(), p);
    }
    assert_int_equal(h->net.count.drop[DROP_NEIGH_QUEUE_FULL], 1);
    wirelink_clear(&h->wire);
    neigh_learn(&h->net, &h->nif, peer(), peer_mac, false);
    assert_int_equal(h->wire.sent.n, 16);
    assert_int_equal(h->wire.sent.head->data[14 + 27], 1);
    wirelink_clear(&h->wire);
}

static void a_packet_that_waits_keeps_no_borrowed_text(void **state)
{
    struct nethost *h = *state;
    struct pkt *p = nethost_hex(h, PACKET);
    uint8_t text[2] = { 0xaa, 0xbb };

    p->text[0] = (struct piece){ text, 2 };
    p->n_text = 1;
    neigh_output(&h->net, &h->nif, peer(), p);
    text[0] = text[1] = 0;
    assert_frame(h, ASK);
    neigh_learn(&h->net, &h->nif, peer(), peer_mac, false);
    assert_frame(h, FRAME "aabb");
}

static void no_memory_for_a_waiting_packet_drops_it_with_a_reason(void **state)
{
    struct nethost *h = *state;
    struct pkt *p = nethost_hex(h, PACKET);

    p->text[0] = (struct piece){ (const uint8_t *)"x", 1 };
    p->n_text = 1;
    h->net.pool.limit = h->net.pool.bytes + h->net.pool.reserve;
    assert_int_equal(neigh_output(&h->net, &h->nif, peer(), p), 0);
    assert_int_equal(h->net.count.drop[DROP_NO_BUFFER], 1);
    wirelink_clear(&h->wire);
}

static void waiting_packets_that_the_link_does_not_take_are_counted(void **state)
{
    struct nethost *h = *state;

    output(h);
    wirelink_clear(&h->wire);
    h->wire.takes = 0;
    neigh_learn(&h->net, &h->nif, peer(), peer_mac, false);
    assert_int_equal(h->net.count.drop[DROP_LINK_BUSY], 1);
}

/* RFC 1122 s3.3.1.5 (MUST-ip-dead-gateway-switch): what waited for a gateway in vain
 * goes by the next one, also where it is a later fragment; nobody is told. */
static void what_waits_for_a_dead_gateway_goes_by_the_next(void **state)
{
    static const char *const far[] = {
        "4500001c000000004011a5cec0000202cb007101 0007000900080000",
        "4500001c000000104011a5bec0000202cb007101 0007000900080000",
    };
    struct nethost *h = *state;
    struct route all = { .dst = ip_any4, .gateway = peer(), .nif = &h->nif };
    struct net_error err;

    assert_int_equal(route_add(&h->net, &all), 0);
    all.gateway = nethost_ip("192.0.2.9");
    assert_int_equal(route_add(&h->net, &all), 0);
    neigh_learn(&h->net, &h->nif, all.gateway, (struct mac_addr){ { 2, 9 } }, true);
    for (int i = 0; i < 2; i++)
        neigh_output(&h->net, &h->nif, peer(), nethost_hex(h, far[i]));
    run(h, 3 * SEC - 1);
    assert_frame(h, ASK);
    assert_frame(h, ASK);
    assert_frame(h, ASK);
    assert_silence(h);
    run(h, 3 * SEC);
    assert_frame(h, "020900000000 020000000002 0800"
                    "4500001c000000004011a5cec0000202cb007101 0007000900080000");
    assert_frame(h, "020900000000 020000000002 0800"
                    "4500001c000000104011a5bec0000202cb007101 0007000900080000");
    assert_false(net_take_error(&h->net, &err));
    assert_int_equal(h->net.count.drop[DROP_NEIGH_FAILED], 0);
}

/* RFC 1122 s3.3.1.4 (MUST-ip-dead-gateway, MUST-ip-dead-gateway-ping). RFC 4861 s7.3.3,
 * with its times: 30 s reachable, 5 s before the probe, 1 s apart. */
static void a_stale_neighbour_that_is_used_is_probed(void **state)
{
    struct nethost *h = *state;

    nethost_know_peer(h);
    run(h, 30 * SEC - 1);
    assert_int_equal(peer_state(h), NEIGH_REACHABLE);
    run(h, 30 * SEC);
    assert_int_equal(peer_state(h), NEIGH_STALE);
    run(h, 40 * SEC);
    output(h);
    assert_frame(h, FRAME);
    assert_int_equal(peer_state(h), NEIGH_PROBE);
    run(h, 45 * SEC - 1);
    assert_silence(h);
    run(h, 47 * SEC);
    assert_frame(h, PROBE);
    assert_frame(h, PROBE);
    assert_frame(h, PROBE);
    output(h);
    assert_frame(h, FRAME);
    run(h, 48 * SEC);
    assert_frame(h, ASK);
    assert_int_equal(peer_state(h), NEIGH_INCOMPLETE);
    run(h, 51 * SEC);
    assert_null(neigh_find(&h->net, peer()));
    wirelink_clear(&h->wire);
}

static void a_probe_that_is_answered_makes_it_reachable(void **state)
{
    struct nethost *h = *state;

    nethost_know_peer(h);
    run(h, 31 * SEC);
    output(h);
    run(h, 36 * SEC);
    wirelink_clear(&h->wire);
    nethost_know_peer(h);
    assert_int_equal(peer_state(h), NEIGH_REACHABLE);
    run(h, 60 * SEC);
    assert_silence(h);
}

/* RFC 1122 s2.3.2.1 (4): what the transport sees saves the probe. */
static void progress_of_the_transport_confirms(void **state)
{
    struct nethost *h = *state;

    nethost_know_peer(h);
    for (int i = 1; i <= 10; i++) {
        run(h, i * 20 * SEC);
        neigh_confirm(&h->net, peer());
        assert_int_equal(peer_state(h), NEIGH_REACHABLE);
    }
    run(h, 235 * SEC);
    output(h);
    wirelink_clear(&h->wire);
    assert_int_equal(peer_state(h), NEIGH_PROBE);
    neigh_confirm(&h->net, peer());
    assert_int_equal(peer_state(h), NEIGH_REACHABLE);
    run(h, 245 * SEC);
    assert_silence(h);
}

/* RFC 1122 s3.3.1.4: what the transport misses brings the probe forward; it needs a
 * packet all the same. */
static void doubt_of_the_transport_brings_a_probe(void **state)
{
    struct nethost *h = *state;

    neigh_doubt(&h->net, peer());
    assert_null(neigh_find(&h->net, peer()));
    nethost_know_peer(h);
    neigh_doubt(&h->net, peer());
    assert_int_equal(peer_state(h), NEIGH_STALE);
    run(h, 10 * SEC);
    assert_silence(h);
    output(h);
    wirelink_clear(&h->wire);
    assert_int_equal(peer_state(h), NEIGH_PROBE);
    neigh_doubt(&h->net, peer());
    assert_int_equal(peer_state(h), NEIGH_PROBE);
    run(h, 15 * SEC);
    assert_frame(h, PROBE);
}

static void confirming_an_unknown_address_teaches_nothing(void **state)
{
    struct nethost *h = *state;

    neigh_confirm(&h->net, peer());
    assert_null(neigh_find(&h->net, peer()));
    output(h);
    neigh_confirm(&h->net, peer());
    assert_int_equal(peer_state(h), NEIGH_INCOMPLETE);
    wirelink_clear(&h->wire);
}

/* RFC 1122 s2.3.2.1 (MUST-arp-flush), s3.3.1.4 (MUST-ip-dead-gateway-no-ping). */
static void an_unused_entry_goes_after_ninety_seconds(void **state)
{
    struct nethost *h = *state;

    nethost_know_peer(h);
    run(h, 90 * SEC - 1);
    assert_int_equal(peer_state(h), NEIGH_STALE);
    run(h, 90 * SEC);
    assert_silence(h);
    assert_null(neigh_find(&h->net, peer()));
    assert_int_equal(heap_next(&h->net.heap), NEVER);
}

static void a_new_station_behind_an_address_is_believed(void **state)
{
    struct nethost *h = *state;
    struct mac_addr other = { { 2, 0, 0, 0, 0, 7 } };

    nethost_know_peer(h);
    neigh_learn(&h->net, &h->nif, peer(), other, false);
    output(h);
    assert_frame(h, "020000000007 020000000002 0800" PACKET);
}

static void of_513_entries_the_least_recently_used_is_evicted(void **state)
{
    struct nethost *h = *state;

    for (uint32_t i = 0; i < 512; i++)
        neigh_learn(&h->net, &h->nif, ip4_addr(0x0a000000 + i), peer_mac, true);
    neigh_output(&h->net, &h->nif, ip4_addr(0x0a000000), nethost_hex(h, PACKET));
    wirelink_clear(&h->wire);
    neigh_learn(&h->net, &h->nif, ip4_addr(0x0b000000), peer_mac, true);
    assert_int_equal(h->net.neigh.n, 512);
    assert_non_null(neigh_find(&h->net, ip4_addr(0x0a000000)));
    assert_null(neigh_find(&h->net, ip4_addr(0x0a000001)));
}

static void packets_that_wait_in_an_evicted_entry_are_counted(void **state)
{
    struct nethost *h = *state;

    output(h);
    wirelink_clear(&h->wire);
    for (uint32_t i = 0; i < 512; i++)
        neigh_learn(&h->net, &h->nif, ip4_addr(0x0a000000 + i), peer_mac, true);
    assert_null(neigh_find(&h->net, peer()));
    assert_int_equal(h->net.count.drop[DROP_NEIGH_QUEUE_FULL], 1);
}

/* RFC 1122 s3.3.6 (MUST-ip-broadcast-sent). RFC 1112 s6.4: the low 23 bits behind
 * 01-00-5e. */
static void broadcast_and_multicast_need_no_asking(void **state)
{
    static const struct {
        const char *dst, *frame;
    } row[] = {
        { "255.255.255.255", "ffffffffffff 020000000002 0800 45" },
        { "192.0.2.255", "ffffffffffff 020000000002 0800 45" },
        { "239.129.2.3", "01005e010203 020000000002 0800 45" },
    };
    struct nethost *h = *state;

    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        neigh_output(&h->net, &h->nif, nethost_ip(row[i].dst), nethost_hex(h, "45"));
        assert_frame(h, row[i].frame);
    }
    assert_int_equal(h->net.neigh.n, 0);
}

static void nobody_is_asked_on_a_link_that_is_down(void **state)
{
    struct nethost *h = *state;

    h->nif.up = false;
    assert_int_equal(output(h), -ENETDOWN);
    assert_int_equal(h->net.count.drop[DROP_LINK_DOWN], 1);
    assert_int_equal(h->net.neigh.n, 0);
}

static void a_full_link_is_told_to_the_sender(void **state)
{
    struct nethost *h = *state;

    nethost_know_peer(h);
    h->wire.takes = 0;
    assert_int_equal(output(h), -EAGAIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            where_one_station_has_every_address_nobody_is_asked, nethost_setup,
            nethost_teardown),
        cmocka_unit_test_setup_teardown(a_packet_waits_until_its_address_is_known,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(requests_are_a_second_apart_and_three,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(a_neighbour_that_does_not_answer_is_reported,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(
            of_seventeen_waiting_packets_the_oldest_is_dropped, nethost_setup,
            nethost_teardown),
        cmocka_unit_test_setup_teardown(a_packet_that_waits_keeps_no_borrowed_text,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(
            no_memory_for_a_waiting_packet_drops_it_with_a_reason, nethost_setup,
            nethost_teardown),
        cmocka_unit_test_setup_teardown(
            waiting_packets_that_the_link_does_not_take_are_counted, nethost_setup,
            nethost_teardown),
        cmocka_unit_test_setup_teardown(what_waits_for_a_dead_gateway_goes_by_the_next,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(a_stale_neighbour_that_is_used_is_probed,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(a_probe_that_is_answered_makes_it_reachable,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(progress_of_the_transport_confirms,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(doubt_of_the_transport_brings_a_probe,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(confirming_an_unknown_address_teaches_nothing,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(an_unused_entry_goes_after_ninety_seconds,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(a_new_station_behind_an_address_is_believed,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(
            of_513_entries_the_least_recently_used_is_evicted, nethost_setup,
            nethost_teardown),
        cmocka_unit_test_setup_teardown(
            packets_that_wait_in_an_evicted_entry_are_counted, nethost_setup,
            nethost_teardown),
        cmocka_unit_test_setup_teardown(broadcast_and_multicast_need_no_asking,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(nobody_is_asked_on_a_link_that_is_down,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(a_full_link_is_told_to_the_sender,
                                        nethost_setup, nethost_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
