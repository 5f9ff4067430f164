#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "harness/nethost.h"

/* A packet of 1500 bytes to the peer did not pass a link of this MTU. */
static struct net_error too_big(const char *dst, uint16_t mtu)
{
    return (struct net_error){ .src = nethost_ip("192.0.2.2"),
                               .dst = nethost_ip(dst),
                               .proto = 17,
                               .total_len = 1500,
                               .error = -EMSGSIZE,
                               .mtu = mtu };
}

static bool learn(struct nethost *h, uint16_t mtu)
{
    struct net_error err = too_big("192.0.2.1", mtu);
    return pmtu_learn(&h->net, &err);
}

static uint16_t path(struct nethost *h)
{
    return ip_path_mtu(&h->net, nethost_ip("192.0.2.1"));
}

/* RFC 1191 s6.3: what the router said, for one destination, for ten minutes. */
static void what_a_router_says_is_kept_for_ten_minutes(void **state)
{
    struct nethost *h = *state;

    assert_int_equal(path(h), 1500);
    assert_true(learn(h, 1400));
    assert_int_equal(path(h), 1400);
    assert_int_equal(ip_mtu(&h->net, nethost_ip("192.0.2.1")), 1500);
    assert_int_equal(ip_path_mtu(&h->net, nethost_ip("192.0.2.3")), 1500);
    h->net.now += 599999999;
    assert_int_equal(path(h), 1400);
    h->net.now += 1;
    assert_int_equal(path(h), 1500);
}

/* RFC 1191 s3: "a host MUST NOT increase its estimate" by such a message. RFC 5927
 * s7.2: one that allows what was sent contradicts itself. */
static void a_claim_only_lowers_and_does_not_contradict_itself(void **state)
{
    struct nethost *h = *state;
    struct net_error err = too_big("192.0.2.1", 1300);

    assert_true(learn(h, 1400));
    assert_false(learn(h, 1400));
    assert_false(learn(h, 1450));
    assert_int_equal(path(h), 1400);
    err.total_len = 1300;
    assert_false(pmtu_learn(&h->net, &err));
    err.total_len = 1301;
    assert_true(pmtu_learn(&h->net, &err));
    assert_int_equal(path(h), 1300);
}

/* RFC 1191 s5, s7.1: old routers tell no MTU; the next plateau is tried, below the
 * packet's size and below what is known already. */
static void without_an_mtu_the_next_plateau_is_taken(void **state)
{
    static const uint16_t steps[] = { 1492, 1006, 552 };
    struct nethost *h = *state;

    for (unsigned i = 0; i < 3; i++) {
        assert_true(learn(h, 0));
        assert_int_equal(path(h), steps[i]);
    }
    assert_false(learn(h, 0));
}

/* A forger gains 552 at the most, and below it packets may be cut on the way. */
static void below_the_minimum_the_way_may_cut(void **state)
{
    struct nethost *h = *state;
    struct ip_out how = { .dst = nethost_ip("192.0.2.1"),
                          .proto = 17,
                          .opt.df = IP_DF_WANT };
    static uint8_t text[400];

    nethost_know_peer(h);
    assert_true(learn(h, 300));
    assert_int_equal(path(h), 552);
    for (unsigned i = 0; i < 2; i++) {
        struct pkt *p = pkt_new(&h->net.pool, sizeof text);
        memcpy(pkt_put(p, sizeof text), text, sizeof text);
        assert_int_equal(ip_output(&h->net, &how, p), 0);
        p = wirelink_pop(&h->wire);
        assert_int_equal(get16(p->data + 20), i == 0 ? 0 : 0x4000);
        pkt_free(p);
        how.opt.df = IP_DF_DO; /* who insists, insists */
    }
    assert_false(learn(h, 200));
    assert_int_equal(path(h), 552);
}

/* How a packet of 1001 bytes leaves where the path takes 1000: refused, in two pieces,
 * or whole where only the interface counts. */
static void a_packet_beyond_the_path_is_treated_as_its_socket_wants(void **state)
{
    static const struct {
        enum ip_df df;
        int result;
        unsigned frames;
    } row[] = { { IP_DF_DONT, 0, 2 },
                { IP_DF_WANT, 0, 2 },
                { IP_DF_DO, -EMSGSIZE, 0 },
                { IP_DF_PROBE, 0, 1 } };
    struct nethost *h = *state;

    nethost_know_peer(h);
    assert_true(learn(h, 1000));
    for (unsigned i = 0; i < ARRAY_LEN(row); i++) {
        struct ip_out how = { .dst = nethost_ip("192.0.2.1"),
                              .proto = 17,
                              .opt.df = row[i].df };
        struct pkt *p = pkt_new(&h->net.pool, 981);
        unsigned frames = 0;
        memset(pkt_put(p, 981), 0, 981);
        assert_int_equal(ip_output(&h->net, &how, p), row[i].result);
        while ((p = wirelink_pop(&h->wire)) != NULL) {
            frames++;
            pkt_free(p);
        }
        assert_int_equal(frames, row[i].frames);
    }
}

/* Linux, ip_no_pmtu_disc: new sockets leave it to the way, and nothing is learned. */
static void discovery_can_be_switched_off(void **state)
{
    struct nethost *h = *state;

    assert_int_equal(ip_options_default(&h->net).df, IP_DF_WANT);
    h->net.config.ip_no_pmtu_disc = true;
    assert_int_equal(ip_options_default(&h->net).df, IP_DF_DONT);
    assert_false(learn(h, 1000));
    assert_int_equal(path(h), 1500);
}

static void nothing_is_learned_of_the_way_to_ourselves(void **state)
{
    struct nethost *h = *state;
    struct net_error own = too_big("192.0.2.2", 1000);
    struct net_error lo = too_big("127.0.0.1", 1000);

    assert_false(pmtu_learn(&h->net, &own));
    assert_false(pmtu_learn(&h->net, &lo));
}

/* Many claims fill the table and no more: whoever is pushed out is learned again. */
static void the_table_is_bounded_and_forgets_the_oldest_of_a_set(void **state)
{
    struct nethost *h = *state;
    unsigned known = 0;

    for (uint32_t i = 0; i < 5000; i++) {
        struct net_error err = too_big("192.0.2.1", 1400);
        h->net.now += 1;
        err.dst = ip4_addr(0xc0000200u + 3 + i % 200 + (i / 200 << 8));
        h->nif.prefix = 8;
        h->net.routes.at[0].prefix = 8;
        assert_true(pmtu_learn(&h->net, &err));
        assert_int_equal(ip_path_mtu(&h->net, err.dst), 1400);
    }
    for (uint32_t i = 0; i < 5000; i++) {
        struct ip_addr dst = ip4_addr(0xc0000200u + 3 + i % 200 + (i / 200 << 8));
        known += ip_path_mtu(&h->net, dst) == 1400;
    }
    assert_int_equal(known, 256);
}

/* Whoever keeps a size sees that something has changed, also when it is forgotten. */
static void every_change_has_its_stamp(void **state)
{
    struct nethost *h = *state;
    uint32_t before = pmtu_stamp(&h->net);

    assert_true(learn(h, 1400));
    assert_int_not_equal(pmtu_stamp(&h->net), before);
    before = pmtu_stamp(&h->net);
    assert_false(learn(h, 1400));
    assert_int_equal(pmtu_stamp(&h->net), before);
    h->net.now += 600000000;
    assert_int_not_equal(pmtu_stamp(&h->net), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_a_router_says_is_kept_for_ten_minutes,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(
            a_claim_only_lowers_and_does_not_contradict_itself, nethost_setup,
            nethost_teardown),
        cmocka_unit_test_setup_teardown(without_an_mtu_the_next_plateau_is_taken,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(below_the_minimum_the_way_may_cut,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(
            a_packet_beyond_the_path_is_treated_as_its_socket_wants, nethost_setup,
            nethost_teardown),
        cmocka_unit_test_setup_teardown(discovery_can_be_switched_off, nethost_setup,
                                        nethost_teardown),
        cmocka_unit_test_setup_teardown(nothing_is_learned_of_the_way_to_ourselves,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(
            the_table_is_bounded_and_forgets_the_oldest_of_a_set, nethost_setup,
            nethost_teardown),
        cmocka_unit_test_setup_teardown(every_change_has_its_stamp, nethost_setup,
                                        nethost_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
