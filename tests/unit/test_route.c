#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "harness/nethost.h"

static int add(struct nethost *h, const char *dst, unsigned prefix, const char *gateway)
{
    struct route r = { .dst = nethost_ip(dst),
                       .prefix = (uint8_t)prefix,
                       .gateway = nethost_ip(gateway),
                       .nif = &h->nif };

    return route_add(&h->net, &r);
}

static void check_next_hop(struct nethost *h, const char *dst, const char *next_hop)
{
    struct route_hop hop;

    assert_int_equal(route_lookup(&h->net, nethost_ip(dst), &hop), 0);
    assert_true(ip_eq(hop.next_hop, nethost_ip(next_hop)));
    assert_ptr_equal(hop.nif, &h->nif);
    assert_true(ip_eq(hop.src, nethost_ip("192.0.2.2")));
}

static void a_destination_on_the_link_is_its_own_next_hop(void **state)
{
    check_next_hop(*state, "192.0.2.77", "192.0.2.77");
}

/* RFC 1122 s3.3.1.2: without a route, there is none. */
static void without_a_route_the_network_is_unreachable(void **state)
{
    struct nethost *h = *state;
    struct route_hop hop;

    assert_int_equal(route_lookup(&h->net, nethost_ip("203.0.113.1"), &hop),
                     -ENETUNREACH);
    assert_int_equal(route_lookup(&h->net, nethost_ip("0.0.0.0"), &hop), -ENETUNREACH);
}

/* RFC 1122 s3.3.1.2 (MUST-ip-route-cache, MUST-ip-default-gateway). */
static void the_longest_prefix_wins_in_whatever_order_added(void **state)
{
    struct nethost *h = *state;

    assert_int_equal(add(h, "0.0.0.0", 0, "192.0.2.1"), 0);
    assert_int_equal(add(h, "203.0.113.128", 25, "192.0.2.3"), 0);
    assert_int_equal(add(h, "203.0.113.0", 24, "192.0.2.4"), 0);
    assert_int_equal(add(h, "203.0.113.200", 32, "192.0.2.5"), 0);
    check_next_hop(h, "198.51.100.1", "192.0.2.1");
    check_next_hop(h, "203.0.113.127", "192.0.2.4");
    check_next_hop(h, "203.0.113.129", "192.0.2.3");
    check_next_hop(h, "203.0.113.200", "192.0.2.5");
    check_next_hop(h, "192.0.2.9", "192.0.2.9");
}

/* RFC 1122 s3.3.1.2 (MUST-ip-route-cache): what is kept does not outlive what it was
 * found in. 198.51.100.1 and 203.0.113.1 share a place. */
static void a_kept_way_gives_way_to_a_better_route_and_to_another_destination(
    void **state)
{
    struct nethost *h = *state;

    assert_int_equal(add(h, "0.0.0.0", 0, "192.0.2.1"), 0);
    check_next_hop(h, "203.0.113.1", "192.0.2.1");
    check_next_hop(h, "203.0.113.1", "192.0.2.1");
    assert_int_equal(add(h, "203.0.113.0", 24, "192.0.2.4"), 0);
    check_next_hop(h, "203.0.113.1", "192.0.2.4");
    check_next_hop(h, "198.51.100.1", "192.0.2.1");
    check_next_hop(h, "203.0.113.1", "192.0.2.4");
}

/* An address that becomes our own is not on the link any more. */
static void a_kept_way_does_not_lead_out_to_an_address_of_our_own(void **state)
{
    struct nethost *h = *state;
    struct netif second = { .name = "tap1", .mtu = 1500, .unplugged = true };
    struct route_hop hop;

    check_next_hop(h, "192.0.2.77", "192.0.2.77");
    assert_int_equal(net_add_netif(&h->net, &second, nethost_ip("192.0.2.77"), 32), 0);
    assert_int_equal(route_lookup(&h->net, nethost_ip("192.0.2.77"), &hop), 0);
    assert_ptr_equal(hop.nif, &h->net.loopback);
}

static void the_same_destination_twice_is_refused(void **state)
{
    struct nethost *h = *state;

    assert_int_equal(add(h, "203.0.113.0", 24, "192.0.2.4"), 0);
    assert_int_equal(add(h, "203.0.113.9", 24, "192.0.2.4"), -EEXIST);
    assert_int_equal(add(h, "203.0.113.0", 25, "192.0.2.5"), 0);
}

static void die(struct nethost *h, const char *gateway)
{
    route_gateway_fails(&h->net, nethost_ip(gateway));
}

/* RFC 1122 s3.3.1.2 (MUST-ip-gateways), s3.3.1.5 (MUST-ip-dead-gateway-switch): in the
 * order in which they were given. */
static void the_first_gateway_that_lives_is_taken(void **state)
{
    struct nethost *h = *state;

    assert_int_equal(add(h, "0.0.0.0", 0, "192.0.2.1"), 0);
    assert_int_equal(add(h, "0.0.0.0", 0, "192.0.2.3"), 0);
    assert_int_equal(add(h, "0.0.0.0", 0, "192.0.2.4"), 0);
    check_next_hop(h, "203.0.113.1", "192.0.2.1");
    die(h, "192.0.2.1");
    check_next_hop(h, "203.0.113.1", "192.0.2.3");
    die(h, "192.0.2.3");
    check_next_hop(h, "203.0.113.1", "192.0.2.4");
    die(h, "192.0.2.4"); /* none does: as if nothing were known of them */
    check_next_hop(h, "203.0.113.1", "192.0.2.1");
    route_gateway_answers(&h->net, nethost_ip("192.0.2.3"));
    check_next_hop(h, "203.0.113.1", "192.0.2.3");
    route_gateway_answers(&h->net, nethost_ip("192.0.2.1"));
    check_next_hop(h, "203.0.113.1", "192.0.2.1");
    assert_int_equal(h->net.routes.n_dead, 1);
}

/* The gateways of a narrower network, or a wider one, do not stand in. */
static void a_gateway_stands_in_for_its_own_network_only(void **state)
{
    struct nethost *h = *state;

    assert_int_equal(add(h, "0.0.0.0", 0, "192.0.2.1"), 0);
    assert_int_equal(add(h, "203.0.113.0", 24, "192.0.2.3"), 0);
    assert_int_equal(add(h, "198.51.100.0", 24, "192.0.2.4"), 0);
    die(h, "192.0.2.3");
    check_next_hop(h, "203.0.113.1", "192.0.2.3");
    assert_int_equal(h->net.routes.n_dead, 0);
    assert_int_equal(add(h, "203.0.113.0", 24, "192.0.2.5"), 0);
    die(h, "192.0.2.3");
    check_next_hop(h, "203.0.113.1", "192.0.2.5");
    check_next_hop(h, "198.51.100.1", "192.0.2.4");
}

/* RFC 1122 s3.3.1.5: what is sent 30 s later has the first one asked for. */
static void a_dead_gateway_is_asked_again_after_a_while(void **state)
{
    struct nethost *h = *state;

    assert_int_equal(add(h, "0.0.0.0", 0, "192.0.2.1"), 0);
    assert_int_equal(add(h, "0.0.0.0", 0, "192.0.2.3"), 0);
    die(h, "192.0.2.1");
    h->net.now = 29999999;
    check_next_hop(h, "203.0.113.1", "192.0.2.3");
    assert_silence(h);
    h->net.now = 30000000;
    for (unsigned i = 0; i < 5; i++) /* once */
        check_next_hop(h, "203.0.113.1", "192.0.2.3");
    assert_frame(h, "ffffffffffff 020000000002 0806 0001 0800 06 04 0001"
                    "020000000002 c0000202 000000000000 c0000201");
    nethost_know_peer(h);
    check_next_hop(h, "203.0.113.1", "192.0.2.1");
}

static void the_table_holds_thirty_two_routes(void **state)
{
    struct nethost *h = *state;

    for (unsigned prefix = 1; prefix <= 32; prefix++) {
        if (prefix != 24)
            assert_int_equal(add(h, "203.0.113.0", prefix, "192.0.2.4"), 0);
    }
    assert_int_equal(add(h, "0.0.0.0", 0, "192.0.2.1"), -ENOSPC);
}

/* RFC 1122 s3.2.1.3 (g), s3.3.1.1. */
static void our_own_addresses_lead_to_the_loopback(void **state)
{
    static const char *const row[] = { "192.0.2.2", "127.0.0.1", "127.9.9.9" };
    struct nethost *h = *state;

    add(h, "0.0.0.0", 0, "192.0.2.1");
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct route_hop hop;
        assert_int_equal(route_lookup(&h->net, nethost_ip(row[i]), &hop), 0);
        assert_ptr_equal(hop.nif, &h->net.loopback);
        assert_true(ip_eq(hop.src, nethost_ip(row[i])));
    }
}

static void broadcast_and_multicast_never_take_a_gateway(void **state)
{
    struct nethost *h = *state;

    add(h, "0.0.0.0", 0, "192.0.2.1");
    check_next_hop(h, "255.255.255.255", "255.255.255.255");
    check_next_hop(h, "224.0.0.251", "224.0.0.251");
    check_next_hop(h, "192.0.2.255", "192.0.2.255");
}

static void a_host_without_a_link_reaches_no_group(void **state)
{
    struct nethost *h = *state;
    struct route_hop hop;

    h->net.loopback.next = NULL;
    assert_int_equal(route_lookup(&h->net, nethost_ip("224.0.0.1"), &hop),
                     -ENETUNREACH);
    h->net.loopback.next = &h->nif;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_destination_on_the_link_is_its_own_next_hop,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(without_a_route_the_network_is_unreachable,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(the_longest_prefix_wins_in_whatever_order_added,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(
            a_kept_way_gives_way_to_a_better_route_and_to_another_destination,
            nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(
            a_kept_way_does_not_lead_out_to_an_address_of_our_own, nethost_setup,
            nethost_teardown),
        cmocka_unit_test_setup_teardown(the_same_destination_twice_is_refused,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(the_first_gateway_that_lives_is_taken,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(a_gateway_stands_in_for_its_own_network_only,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(a_dead_gateway_is_asked_again_after_a_while,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(the_table_holds_thirty_two_routes,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(our_own_addresses_lead_to_the_loopback,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(broadcast_and_multicast_never_take_a_gateway,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(a_host_without_a_link_reaches_no_group,
                                        nethost_setup, nethost_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
