#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "harness/nethost.h"

static void the_loopback_is_interface_0_and_always_there(void **state)
{
    struct nethost *h = *state;

    assert_ptr_equal(h->net.netifs, &h->net.loopback);
    assert_int_equal(h->net.loopback.index, 0);
    assert_int_equal(h->net.loopback.mtu, 65535);
    assert_string_equal(h->net.loopback.name, "lo");
    assert_true(h->net.loopback.up);
}

/* RFC 1122 s3.3.1.6 (MUST-ip-manual-config). RFC 5227 s2.3: sender and target address
 * are the new one. */
static void a_new_interface_is_numbered_and_announced(void **state)
{
    struct nethost *h = *state;
    struct netif two = { .link = &h->wire.link,
                         .mac = { { 2, 0, 0, 0, 0, 9 } },
                         .mtu = 1500 };

    assert_int_equal(net_add_netif(&h->net, &two, nethost_ip("198.51.100.2"), 24), 0);
    assert_int_equal(two.index, 2);
    assert_true(two.up);
    assert_frame(h, "ffffffffffff 020000000009 0806 0001 0800 06 04 0001"
                    "020000000009 c6336402 000000000000 c6336402");
    struct route_hop hop;
    assert_int_equal(route_lookup(&h->net, nethost_ip("198.51.100.77"), &hop), 0);
    assert_ptr_equal(hop.nif, &two);
}

/* RFC 1122 s3.2.1.3: what no host may have as its address. */
static void an_address_that_no_host_may_have_is_refused(void **state)
{
    static const struct {
        const char *addr;
        unsigned prefix;
        uint16_t mtu;
        int result;
    } row[] = {
        { "0.0.0.0", 24, 1500, -EINVAL },
        { "127.0.0.5", 8, 1500, -EINVAL },
        { "224.0.0.1", 4, 1500, -EINVAL },
        { "255.255.255.255", 24, 1500, -EINVAL },
        { "198.51.100.255", 24, 1500, -EINVAL },
        { "198.51.100.3", 0, 1500, -EINVAL },
        { "198.51.100.3", 33, 1500, -EINVAL },
        { "198.51.100.3", 24, 67, -EINVAL },
        { "192.0.2.2", 30, 1500, -EADDRINUSE },
        { "192.0.2.9", 24, 1500, -EEXIST },
    };
    struct nethost *h = *state;

    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct netif two = { .link = &h->wire.link, .mtu = row[i].mtu };
        assert_int_equal(
            net_add_netif(&h->net, &two, nethost_ip(row[i].addr), row[i].prefix),
            row[i].result);
    }
    assert_null(h->nif.next);
}

/* RFC 3021 s2.1: both addresses of a /31 are hosts. */
static void the_last_address_of_a_31_is_a_host(void **state)
{
    struct nethost *h = *state;
    struct netif two = { .link = &h->wire.link, .mtu = 68 };

    assert_int_equal(net_add_netif(&h->net, &two, nethost_ip("198.51.100.1"), 31), 0);
    assert_false(net_is_broadcast(&h->net, nethost_ip("198.51.100.1")));
    wirelink_clear(&h->wire);
}

static void local_and_broadcast_addresses_are_told_apart(void **state)
{
    static const struct {
        const char *addr;
        bool local, broadcast;
    } row[] = {
        { "192.0.2.2", true, false },       { "127.0.0.1", true, false },
        { "127.5.6.7", true, false },       { "192.0.2.1", false, false },
        { "192.0.2.255", false, true },     { "255.255.255.255", false, true },
        { "0.0.0.0", false, false },        { "224.0.0.1", false, false },
        { "198.51.100.255", false, false },
    };
    struct nethost *h = *state;

    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct ip_addr a = nethost_ip(row[i].addr);
        assert_int_equal(net_is_local(&h->net, a), row[i].local);
        assert_int_equal(net_is_broadcast(&h->net, a), row[i].broadcast);
    }
}

static void a_dropped_packet_is_counted_traced_and_freed(void **state)
{
    struct nethost *h = *state;

    net_drop(&h->net, nethost_hex(h, "00"), DROP_IP_VERSION);
    net_drop(&h->net, NULL, DROP_IP_VERSION);
    assert_int_equal(h->net.count.drop[DROP_IP_VERSION], 2);
    assert_int_equal(nethost_events(h, TRACE_DROP), 2);
    assert_int_equal(h->net.pool.live, 0);
}

static void a_note_is_traced(void **state)
{
    struct nethost *h = *state;

    net_note(&h->net, "hello");
    assert_int_equal(nethost_events(h, TRACE_NOTE), 1);
}

static void errors_come_in_order_and_the_oldest_of_33_is_forgotten(void **state)
{
    struct nethost *h = *state;
    struct net_error err = { 0 };

    assert_false(net_take_error(&h->net, &err));
    for (uint16_t i = 1; i <= 33; i++) {
        err.src_port = i;
        net_report_error(&h->net, &err);
    }
    for (uint16_t i = 2; i <= 33; i++) {
        assert_true(net_take_error(&h->net, &err));
        assert_int_equal(err.src_port, i);
    }
    assert_false(net_take_error(&h->net, &err));
}

static void the_same_seed_gives_the_same_secrets(void **state)
{
    struct net_setup setup = { .seed = 7, .pool_limit = 1 << 20 };
    static struct net a, b, c;

    net_init(&a, &setup);
    net_init(&b, &setup);
    setup.seed = 8;
    net_init(&c, &setup);
    assert_memory_equal(&a.secret, &b.secret, sizeof(a.secret));
    assert_int_equal(a.ip_id, b.ip_id);
    assert_memory_not_equal(&a.secret, &c.secret, sizeof(a.secret));
    net_free(&a);
    net_free(&b);
    net_free(&c);
}

static void tunables_begin_as_on_linux(void **state)
{
    struct nethost *h = *state;

    assert_int_equal(h->net.config.ip_default_ttl, 64);
    assert_false(h->net.config.icmp_echo_ignore_all);
    assert_int_equal(h->net.config.icmp_msgs_per_sec, 1000);
    assert_int_equal(h->net.config.icmp_msgs_burst, 50);
    assert_int_equal(h->net.config.port_low, 32768);
    assert_int_equal(h->net.config.port_high, 60999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_loopback_is_interface_0_and_always_there,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(a_new_interface_is_numbered_and_announced,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(an_address_that_no_host_may_have_is_refused,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(the_last_address_of_a_31_is_a_host,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(local_and_broadcast_addresses_are_told_apart,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(a_dropped_packet_is_counted_traced_and_freed,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(a_note_is_traced, nethost_setup,
                                        nethost_teardown),
        cmocka_unit_test_setup_teardown(
            errors_come_in_order_and_the_oldest_of_33_is_forgotten, nethost_setup,
            nethost_teardown),
        cmocka_unit_test_setup_teardown(the_same_seed_gives_the_same_secrets,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(tunables_begin_as_on_linux, nethost_setup,
                                        nethost_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
