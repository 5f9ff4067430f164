#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "harness/nethost.h"

#define SEC ((usec)1000000)

/* 192.0.2.1 leads everywhere. */
static int setup(void **state)
{
    if (nethost_setup(state) < 0)
        return -1;
    struct nethost *h = *state;
    struct route all = { .dst = ip_any4,
                         .gateway = nethost_ip("192.0.2.1"),
                         .nif = &h->nif };
    return route_add(&h->net, &all);
}

static struct net_error redirect(const char *dst, const char *gateway)
{
    return (struct net_error){ .src = nethost_ip("192.0.2.2"),
                               .dst = nethost_ip(dst),
                               .redirect = true,
                               .gateway = nethost_ip(gateway) };
}

static bool plausible(struct nethost *h, const char *from, const char *dst,
                      const char *gateway)
{
    struct net_error err = redirect(dst, gateway);
    struct ip_info ip = { .nif = &h->nif, .src = nethost_ip(from), .dst = err.src };
    return redirect_plausible(&h->net, &ip, &err);
}

static void learn(struct nethost *h, const char *dst, const char *gateway)
{
    struct net_error err = redirect(dst, gateway);
    redirect_learn(&h->net, &err);
}

static void check_next_hop(struct nethost *h, const char *dst, const char *next_hop)
{
    struct route_hop hop;
    assert_int_equal(route_lookup(&h->net, nethost_ip(dst), &hop), 0);
    assert_true(ip_eq(hop.next_hop, nethost_ip(next_hop)));
}

/* RFC 1122 s3.2.2.2 (MUST-icmp-redirect). */
static void a_redirect_changes_the_way_to_one_destination(void **state)
{
    struct nethost *h = *state;

    learn(h, "203.0.113.1", "192.0.2.3");
    check_next_hop(h, "203.0.113.1", "192.0.2.3");
    check_next_hop(h, "203.0.113.2", "192.0.2.1");
    learn(h, "203.0.113.1", "192.0.2.4");
    check_next_hop(h, "203.0.113.1", "192.0.2.4");
}

/* As Linux: for five minutes after the last one. */
static void it_is_forgotten_after_five_minutes(void **state)
{
    struct nethost *h = *state;

    learn(h, "203.0.113.1", "192.0.2.3");
    h->net.now = 10 * SEC;
    learn(h, "203.0.113.2", "192.0.2.3");
    h->net.now = 300 * SEC - 1;
    check_next_hop(h, "203.0.113.1", "192.0.2.3");
    h->net.now = 300 * SEC;
    check_next_hop(h, "203.0.113.1", "192.0.2.1");
    check_next_hop(h, "203.0.113.2", "192.0.2.3");
    h->net.now = 310 * SEC;
    check_next_hop(h, "203.0.113.2", "192.0.2.1");
}

/* RFC 1122 s3.2.2.2 (SHLD-icmp-redirect-source, SHLD-icmp-redirect-neighbour): from the
 * gateway that the destination has, to another host of the same link. */
static void only_the_gateway_in_use_may_name_another_neighbour(void **state)
{
    static const struct {
        const char *from, *dst, *gateway;
        bool ok;
    } row[] = {
        { "192.0.2.1", "203.0.113.1", "192.0.2.3", true },
        { "192.0.2.9", "203.0.113.1", "192.0.2.3", false },    /* not our gateway */
        { "192.0.2.1", "203.0.113.1", "198.51.100.1", false }, /* not on the link */
        { "192.0.2.1", "203.0.113.1", "192.0.2.2", false },    /* ourselves */
        { "192.0.2.1", "203.0.113.1", "127.0.0.1", false },    /* ourselves, too */
        { "192.0.2.1", "203.0.113.1", "192.0.2.255", false },  /* a broadcast */
        { "192.0.2.1", "203.0.113.1", "0.0.0.0", false },      /* nobody */
        { "192.0.2.1", "203.0.113.1", "224.0.0.1", false },    /* a group */
        { "192.0.2.1", "192.0.2.9", "192.0.2.3", false },      /* it needs no gateway */
        { "192.0.2.1", "192.0.2.1", "192.0.2.3", false },      /* nor does this */
        { "192.0.2.1", "192.0.2.2", "192.0.2.3", false },      /* it stays here */
    };
    struct nethost *h = *state;

    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        assert_int_equal(plausible(h, row[i].from, row[i].dst, row[i].gateway),
                         row[i].ok);
}

/* The gateway in use is the one that the last redirect named. */
static void the_next_redirect_has_to_come_from_the_new_gateway(void **state)
{
    struct nethost *h = *state;

    learn(h, "203.0.113.1", "192.0.2.3");
    assert_false(plausible(h, "192.0.2.1", "203.0.113.1", "192.0.2.4"));
    assert_true(plausible(h, "192.0.2.3", "203.0.113.1", "192.0.2.4"));
    assert_true(plausible(h, "192.0.2.1", "203.0.113.2", "192.0.2.4"));
}

static void redirects_can_be_switched_off(void **state)
{
    struct nethost *h = *state;

    h->net.config.accept_redirects = false;
    assert_false(plausible(h, "192.0.2.1", "203.0.113.1", "192.0.2.3"));
}

static void a_gateway_that_is_gone_is_forgotten(void **state)
{
    struct nethost *h = *state;

    redirect_forget(&h->net, nethost_ip("192.0.2.3"));
    learn(h, "203.0.113.1", "192.0.2.3");
    learn(h, "203.0.113.2", "192.0.2.4");
    redirect_forget(&h->net, nethost_ip("192.0.2.3"));
    check_next_hop(h, "203.0.113.1", "192.0.2.1");
    check_next_hop(h, "203.0.113.2", "192.0.2.4");
    redirect_forget(&h->net, nethost_ip("192.0.2.4"));
    check_next_hop(h, "203.0.113.2", "192.0.2.1");
}

/* 64 destinations, whoever asks for more. */
static void the_table_is_bounded_and_forgets_the_oldest_of_a_set(void **state)
{
    struct nethost *h = *state;
    unsigned known = 0;

    for (uint32_t i = 0; i < 2000; i++) {
        struct net_error err = redirect("0.0.0.0", "192.0.2.3");
        struct route_hop hop;
        h->net.now++;
        err.dst = ip4_addr(0xcb007100u + i);
        redirect_learn(&h->net, &err);
        assert_int_equal(route_lookup(&h->net, err.dst, &hop), 0);
        assert_int_equal(ip4_num(hop.next_hop), 0xc0000203);
    }
    for (uint32_t i = 0; i < 2000; i++)
        known += redirect_find(&h->net, ip4_addr(0xcb007100u + i)) != NULL;
    assert_int_equal(known, 64);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, nethost_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_redirect_changes_the_way_to_one_destination),
        T(it_is_forgotten_after_five_minutes),
        T(only_the_gateway_in_use_may_name_another_neighbour),
        T(the_next_redirect_has_to_come_from_the_new_gateway),
        T(redirects_can_be_switched_off),
        T(a_gateway_that_is_gone_is_forgotten),
        T(the_table_is_bounded_and_forgets_the_oldest_of_a_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
