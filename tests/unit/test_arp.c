#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/nethost.h"
#include "net/arp.h"

#define SEC ((usec)1000000)

#define HEAD  "0001 0800 06 04 "
#define PEER  "020000000001 c0000201 "
#define THIEF "020000000003 c0000202 "
#define US    "000000000000 c0000202"
#define REPLY                                             \
    "020000000001 020000000002 0806 0001 0800 06 04 0002" \
    "020000000002 c0000202 020000000001 c0000201"
#define ANNOUNCED                                         \
    "ffffffffffff 020000000002 0806 0001 0800 06 04 0001" \
    "020000000002 c0000202 000000000000 c0000202"

static void input(struct nethost *h, const char *hex)
{
    arp_input(&h->nif, nethost_hex(h, hex));
}

static struct neigh *peer(struct nethost *h)
{
    return neigh_find(&h->net, nethost_ip("192.0.2.1"));
}

/* RFC 826, "Packet Reception": who asks us is known before it is answered. */
static void a_request_for_us_is_answered_and_its_sender_learned(void **state)
{
    struct nethost *h = *state;

    input(h, HEAD "0001" PEER US);
    assert_frame(h, REPLY);
    assert_int_equal(peer(h)->state, NEIGH_REACHABLE);
    assert_int_equal(h->net.count.n[COUNT_ArpInRequests], 1);
    assert_int_equal(h->net.count.n[COUNT_ArpOutReplies], 1);
}

/* RFC 5227 s2.1: a probe's sender address is 0.0.0.0; it is answered, not learned. */
static void a_probe_for_our_address_is_answered(void **state)
{
    struct nethost *h = *state;

    input(h, HEAD "0001 020000000001 00000000" US);
    assert_frame(h, "020000000001 020000000002 0806 0001 0800 06 04 0002"
                    "020000000002 c0000202 020000000001 00000000");
    assert_int_equal(h->net.neigh.n, 0);
}

static void a_reply_to_us_is_learned(void **state)
{
    struct nethost *h = *state;

    input(h, HEAD "0002" PEER "020000000002 c0000202");
    assert_non_null(peer(h));
    assert_int_equal(h->net.count.n[COUNT_ArpInReplies], 1);
    assert_silence(h);
}

static void a_request_for_another_host_is_ignored(void **state)
{
    struct nethost *h = *state;

    input(h, HEAD "0001" PEER "000000000000 c0000209");
    assert_int_equal(h->net.count.drop[DROP_ARP_IGNORED], 1);
    assert_null(peer(h));
}

/* RFC 826: the merge flag. RFC 5227 s3: an announcement updates caches. */
static void an_announcement_updates_but_never_creates(void **state)
{
    struct nethost *h = *state;

    input(h, HEAD "0001" PEER "000000000000 c0000201");
    assert_null(peer(h));
    assert_int_equal(h->net.count.drop[DROP_ARP_IGNORED], 1);

    nethost_know_peer(h);
    input(h, HEAD "0001 020000000007 c0000201 000000000000 c0000201");
    assert_int_equal(peer(h)->mac.b[5], 7);
    assert_int_equal(h->net.count.drop[DROP_ARP_IGNORED], 1);
}

static void malformed_packets_are_dropped(void **state)
{
    static const char *const row[] = {
        "0001 0800 06 04 0001",               /* cut short */
        "0006 0800 06 04 0001" PEER US,       /* not Ethernet */
        "0001 86dd 06 04 0001" PEER US,       /* not IPv4 */
        "0001 0800 06 10 0001" PEER US,       /* address length */
        HEAD "0001 010000000001 c0000201" US, /* a group as sender */
        HEAD "0001 020000000001 e0000001" US, /* multicast */
        HEAD "0001 020000000001 7f000001" US, /* loopback */
        HEAD "0001 020000000001 c00002ff" US, /* the subnet's broadcast */
    };
    struct nethost *h = *state;
    size_t n = sizeof(row) / sizeof(row[0]);

    for (size_t i = 0; i < n; i++)
        input(h, row[i]);
    assert_int_equal(h->net.count.drop[DROP_ARP_INVALID], n);
    assert_int_equal(h->net.neigh.n, 0);
}

static void our_own_packet_come_back_is_no_conflict(void **state)
{
    struct nethost *h = *state;

    input(h, HEAD "0001 020000000002 c0000202" US);
    assert_int_equal(h->net.count.drop[DROP_ARP_IGNORED], 1);
    assert_int_equal(h->net.count.drop[DROP_ARP_CONFLICT], 0);
}

/* RFC 5227 s2.4 (c): noticed each time, defended once in ten seconds. */
static void a_conflict_is_told_and_defended_once_in_ten_seconds(void **state)
{
    struct nethost *h = *state;

    h->net.now = 100 * SEC;
    input(h, HEAD "0001" THIEF US);
    assert_frame(h, ANNOUNCED);
    h->net.now = 110 * SEC - 1;
    input(h, HEAD "0002" THIEF PEER);
    assert_silence(h);
    h->net.now = 110 * SEC;
    input(h, HEAD "0001" THIEF "000000000000 c0000201");
    assert_frame(h, ANNOUNCED);
    assert_int_equal(h->net.count.drop[DROP_ARP_CONFLICT], 3);
    assert_int_equal(nethost_events(h, TRACE_NOTE), 3);
    assert_int_equal(h->net.neigh.n, 0);
}

static void a_request_asks_the_whole_link_or_one_station(void **state)
{
    struct nethost *h = *state;
    struct mac_addr one = { { 2, 0, 0, 0, 0, 1 } };

    arp_request(&h->nif, nethost_ip("192.0.2.1"), mac_broadcast);
    assert_frame(h, "ffffffffffff 020000000002 0806 0001 0800 06 04 0001"
                    "020000000002 c0000202 000000000000 c0000201");
    arp_request(&h->nif, nethost_ip("192.0.2.1"), one);
    assert_frame(h, "020000000001 020000000002 0806 0001 0800 06 04 0001"
                    "020000000002 c0000202 000000000000 c0000201");
    assert_int_equal(h->net.count.n[COUNT_ArpOutRequests], 2);
}

static void an_answer_that_cannot_be_sent_is_counted(void **state)
{
    struct nethost *h = *state;

    h->wire.takes = 0;
    input(h, HEAD "0001" PEER US);
    assert_int_equal(h->net.count.drop[DROP_LINK_BUSY], 1);
    h->net.pool.limit = 2048;
    h->net.pool.reserve = 0;
    input(h, HEAD "0001" PEER US);
    assert_int_equal(h->net.count.drop[DROP_NO_BUFFER], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_request_for_us_is_answered_and_its_sender_learned, nethost_setup,
            nethost_teardown),
        cmocka_unit_test_setup_teardown(a_probe_for_our_address_is_answered,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(a_reply_to_us_is_learned, nethost_setup,
                                        nethost_teardown),
        cmocka_unit_test_setup_teardown(a_request_for_another_host_is_ignored,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(an_announcement_updates_but_never_creates,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(malformed_packets_are_dropped, nethost_setup,
                                        nethost_teardown),
        cmocka_unit_test_setup_teardown(our_own_packet_come_back_is_no_conflict,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(
            a_conflict_is_told_and_defended_once_in_ten_seconds, nethost_setup,
            nethost_teardown),
        cmocka_unit_test_setup_teardown(a_request_asks_the_whole_link_or_one_station,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(an_answer_that_cannot_be_sent_is_counted,
                                        nethost_setup, nethost_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
