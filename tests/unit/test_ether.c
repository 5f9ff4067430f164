#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/nethost.h"

/* A UDP datagram from the peer, behind its Ethernet header. */
#define DATAGRAM "4500001d000040004011b6ccc0000201c0000202 000900070009 01c8 7a"
/* The same to 255.255.255.255. */
#define BROADCAST "4500001d000000004011b8cfc0000201ffffffff 000900070009 0000 7a"

static bool input(struct nethost *h, const char *hex, struct ip_info *ip)
{
    struct pkt *p = nethost_hex(h, hex);

    if (!ether_input(&h->nif, p, ip))
        return false;
    pkt_free(p);
    return true;
}

static void an_ip_frame_for_us_is_handed_up(void **state)
{
    struct nethost *h = *state;
    struct ip_info ip;
    struct pkt *p = nethost_hex(h, "020000000002 020000000001 0800" DATAGRAM);

    assert_ptr_equal(ether_input(&h->nif, p, &ip), p);
    assert_int_equal(ip.proto, 17);
    assert_ptr_equal(ip.nif, &h->nif);
    assert_bytes(p->data, p->len, "000900070009 01c8 7a");
    assert_int_equal(h->nif.in_frames, 1);
    assert_int_equal(h->nif.in_bytes, 43);
    pkt_free(p);
}

static void a_frame_is_traced_before_it_is_judged(void **state)
{
    struct nethost *h = *state;
    struct ip_info ip;

    assert_false(input(h, "0200", &ip));
    assert_int_equal(h->event[0], TRACE_FRAME_IN);
    assert_int_equal(h->event[1], TRACE_DROP);
}

/* RFC 1122 s3.2.2 (MUST-icmp-not-link-broadcast), s2.4 (MUST-link-broadcast). */
static void every_frame_that_is_not_for_us_has_its_reason(void **state)
{
    static const struct {
        const char *hex;
        enum drop why;
    } row[] = {
        { "020000000002 020000000001 08", DROP_ETH_SHORT },
        { "020000000003 020000000001 0800" DATAGRAM, DROP_ETH_OTHER_HOST },
        { "333300000001 020000000001 86dd 6000", DROP_ETH_IPV6 },
        { "020000000002 020000000001 88cc 0000", DROP_ETH_TYPE },
        { "0180c2000000 020000000001 0026 424203", DROP_ETH_TYPE },
        { "020000000002 020000000001 0806 0001", DROP_ARP_INVALID },
        { "020000000002 020000000001 0800 45", DROP_IP_SHORT },
        /* RFC 1122 s3.3.6: unicast inside, broadcast outside */
        { "ffffffffffff 020000000001 0800" DATAGRAM, DROP_IP_LINK_BROADCAST },
    };
    struct nethost *h = *state;

    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct ip_info ip;
        uint64_t before = h->net.count.drop[row[i].why];
        assert_false(input(h, row[i].hex, &ip));
        assert_int_equal(h->net.count.drop[row[i].why], before + 1);
    }
    assert_int_equal(h->net.pool.live, 0);
}

static void a_broadcast_in_a_broadcast_frame_is_handed_up(void **state)
{
    struct ip_info ip;

    assert_true(input(*state, "ffffffffffff 020000000001 0800" BROADCAST, &ip));
    assert_true(ip.broadcast);
}

static void an_arp_request_is_answered_from_here(void **state)
{
    struct nethost *h = *state;
    struct ip_info ip;

    assert_false(input(h,
                       "ffffffffffff 020000000001 0806 0001 0800 06 04 0001"
                       "020000000001 c0000201 000000000000 c0000202",
                       &ip));
    assert_frame(h, "020000000001 020000000002 0806 0001 0800 06 04 0002"
                    "020000000002 c0000202 020000000001 c0000201");
}

/* RFC 1122 s2.3.3 (MUST-ether-frames). */
static void output_puts_the_header_on(void **state)
{
    struct nethost *h = *state;
    struct mac_addr to = { { 2, 0, 0, 0, 0, 1 } };

    assert_int_equal(ether_output(&h->nif, to, 0x0800, nethost_hex(h, "4500")), 0);
    assert_frame(h, "020000000001 020000000002 0800 4500");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_ip_frame_for_us_is_handed_up, nethost_setup,
                                        nethost_teardown),
        cmocka_unit_test_setup_teardown(a_frame_is_traced_before_it_is_judged,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(every_frame_that_is_not_for_us_has_its_reason,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(a_broadcast_in_a_broadcast_frame_is_handed_up,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(an_arp_request_is_answered_from_here,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(output_puts_the_header_on, nethost_setup,
                                        nethost_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
