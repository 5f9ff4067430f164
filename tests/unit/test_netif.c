#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "harness/nethost.h"

/* "abcdefghij" in pieces of four: FIN, PSH and CWR set, the sequence number wraps, so
 * does the identification. */
static const char super_headers[] = "020000000001 020000000002 0800"
                                    "45000032ffff40004006b6c2c0000202c0000201"
                                    "00509c40fffffffe01020304509903e800000000";

static const char *const wire_frame[] = {
    "020000000001 020000000002 0800"
    "4500002cffff40004006b6c8c0000202c0000201"
    "00509c40fffffffe01020304509003e8c2080000 61626364",
    "020000000001 020000000002 0800"
    "4500002c000040004006b6c8c0000202c0000201"
    "00509c400000000201020304501003e8ba7d0000 65666768",
    "020000000001 020000000002 0800"
    "4500002a000140004006b6c9c0000202c0000201"
    "00509c400000000601020304501903e81dd70000 696a",
};

/* The super-segment, its text borrowed in two pieces. */
static struct pkt *super_segment(struct nethost *h)
{
    struct pkt *p = nethost_hex(h, super_headers);

    p->text[0] = (struct piece){ (const uint8_t *)"abcdef", 6 };
    p->text[1] = (struct piece){ (const uint8_t *)"ghij", 4 };
    p->n_text = 2;
    p->gso_size = 4;
    p->csum = PKT_CSUM_PARTIAL;
    p->csum_at = p->data + 34;
    p->csum_field = 16;
    return p;
}

/* A UDP datagram "hello" whose checksum field holds the pseudo-header's sum. */
static const char udp_partial[] =
    "020000000001 020000000002 0800"
    "45000021000040004011b6c8c0000202c0000201 00070009000d8422";
static const char udp_full[] =
    "020000000001 020000000002 0800"
    "45000021000040004011b6c8c0000202c0000201 00070009000d37ee 68656c6c6f";

static struct pkt *partial_udp(struct nethost *h)
{
    struct pkt *p = nethost_hex(h, udp_partial);

    p->text[0] = (struct piece){ (const uint8_t *)"hel", 3 };
    p->text[1] = (struct piece){ (const uint8_t *)"lo", 2 };
    p->n_text = 2;
    p->csum = PKT_CSUM_PARTIAL;
    p->csum_at = p->data + 34;
    p->csum_field = 6;
    return p;
}

static void a_plain_frame_is_handed_over_as_it_is(void **state)
{
    struct nethost *h = *state;

    assert_int_equal(netif_output(&h->nif, nethost_hex(h, udp_full)), 0);
    assert_frame(h, udp_full);
    assert_int_equal(h->nif.out_frames, 1);
    assert_int_equal(h->nif.out_bytes, 47);
    assert_int_equal(nethost_events(h, TRACE_FRAME_OUT), 1);
}

static void a_checksum_that_the_link_cannot_complete_is_completed(void **state)
{
    struct nethost *h = *state;

    assert_int_equal(netif_output(&h->nif, partial_udp(h)), 0);
    assert_frame(h, udp_full);
}

static void a_checksum_that_the_link_completes_is_left_alone(void **state)
{
    struct nethost *h = *state;

    h->wire.link.caps = LINK_CSUM;
    assert_int_equal(netif_output(&h->nif, partial_udp(h)), 0);
    struct pkt *p = wirelink_pop(&h->wire);
    assert_int_equal(p->csum, PKT_CSUM_PARTIAL);
    assert_bytes(p->data + 34, 8, "00070009000d8422");
    pkt_free(p);
}

static void a_full_link_takes_nothing_and_blocks_the_interface(void **state)
{
    struct nethost *h = *state;

    h->wire.takes = 0;
    assert_int_equal(netif_output(&h->nif, nethost_hex(h, udp_full)), -EAGAIN);
    assert_true(h->nif.blocked);
    assert_int_equal(h->nif.out_frames, 0);
    assert_int_equal(h->n_events, 0);
}

/* Takes all, and says that it is full. */
static int take_and_be_full(struct link *link, const struct pkt *p)
{
    struct wirelink *wire = (struct wirelink *)(void *)link;

    pkt_queue_push(&wire->sent, pkt_copy(&wire->pool, p));
    return 1;
}

static void a_link_that_is_full_in_advance_takes_a_whole_super_segment_more(
    void **state)
{
    struct nethost *h = *state;

    h->wire.link.send = take_and_be_full;
    assert_int_equal(netif_output(&h->nif, super_segment(h)), 0);
    assert_true(h->nif.blocked);
    for (int i = 0; i < 3; i++)
        assert_frame(h, wire_frame[i]);
    assert_int_equal(netif_output(&h->nif, super_segment(h)), -EAGAIN);
    assert_int_equal(netif_output(&h->nif, nethost_hex(h, udp_full)), -EAGAIN);
    assert_int_equal(h->wire.sent.n, 0);
    assert_int_equal(h->nif.out_frames, 3);
    assert_int_equal(h->net.count.drop[DROP_LINK_BUSY], 0);
    h->nif.blocked = false;
    assert_int_equal(netif_output(&h->nif, nethost_hex(h, udp_full)), 0);
    assert_int_equal(h->wire.sent.n, 1);
    wirelink_clear(&h->wire);
}

static void a_link_that_cuts_gets_the_super_segment_whole(void **state)
{
    struct nethost *h = *state;

    h->wire.link.caps = LINK_CSUM | LINK_TSO;
    assert_int_equal(netif_output(&h->nif, super_segment(h)), 0);
    assert_int_equal(h->wire.sent.n, 1);
    assert_int_equal(nethost_events(h, TRACE_FRAME_OUT), 1);
    struct pkt *p = wirelink_pop(&h->wire);
    assert_int_equal(p->gso_size, 4);
    assert_int_equal(p->len, 64);
    pkt_free(p);
}

static void a_link_that_cannot_cut_gets_wire_frames(void **state)
{
    struct nethost *h = *state;

    assert_int_equal(netif_output(&h->nif, super_segment(h)), 0);
    for (int i = 0; i < 3; i++)
        assert_frame(h, wire_frame[i]);
    assert_int_equal(nethost_events(h, TRACE_FRAME_OUT), 3);
    assert_int_equal(h->nif.out_frames, 3);
}

static void a_link_that_cuts_but_sums_nothing_gets_wire_frames(void **state)
{
    struct nethost *h = *state;

    h->wire.link.caps = LINK_TSO;
    assert_int_equal(netif_output(&h->nif, super_segment(h)), 0);
    assert_int_equal(h->wire.sent.n, 3);
    wirelink_clear(&h->wire);
}

static void a_super_segment_of_which_nothing_went_can_be_sent_again(void **state)
{
    struct nethost *h = *state;

    h->wire.takes = 0;
    assert_int_equal(netif_output(&h->nif, super_segment(h)), -EAGAIN);
    assert_true(h->nif.blocked);
    assert_int_equal(h->n_events, 0);
}

static void the_rest_of_a_super_segment_that_went_in_part_is_dropped(void **state)
{
    struct nethost *h = *state;

    h->wire.takes = 2;
    assert_int_equal(netif_output(&h->nif, super_segment(h)), 0);
    assert_true(h->nif.blocked);
    assert_frame(h, wire_frame[0]);
    assert_frame(h, wire_frame[1]);
    assert_int_equal(h->net.count.drop[DROP_LINK_BUSY], 1);
    assert_int_equal(nethost_events(h, TRACE_FRAME_OUT), 2);
}

static void a_cut_takes_its_scratch_packet_from_the_reserve(void **state)
{
    struct nethost *h = *state;
    struct pkt *p = super_segment(h);

    h->net.pool.limit = h->net.pool.bytes + 2048;
    h->net.pool.reserve = 2048;
    assert_int_equal(netif_output(&h->nif, p), 0);
    assert_int_equal(h->wire.sent.n, 3);
    wirelink_clear(&h->wire);
}

static void an_exhausted_pool_drops_the_super_segment_with_a_reason(void **state)
{
    struct nethost *h = *state;
    struct pkt *p = super_segment(h);

    h->net.pool.limit = h->net.pool.bytes;
    assert_int_equal(netif_output(&h->nif, p), 0);
    assert_int_equal(h->net.count.drop[DROP_NO_BUFFER], 1);
}

static void an_interface_that_is_down_sends_nothing(void **state)
{
    struct nethost *h = *state;

    h->nif.up = false;
    assert_int_equal(netif_output(&h->nif, super_segment(h)), -ENETDOWN);
    assert_int_equal(h->net.count.drop[DROP_LINK_DOWN], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_plain_frame_is_handed_over_as_it_is,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(
            a_checksum_that_the_link_cannot_complete_is_completed, nethost_setup,
            nethost_teardown),
        cmocka_unit_test_setup_teardown(
            a_checksum_that_the_link_completes_is_left_alone, nethost_setup,
            nethost_teardown),
        cmocka_unit_test_setup_teardown(
            a_full_link_takes_nothing_and_blocks_the_interface, nethost_setup,
            nethost_teardown),
        cmocka_unit_test_setup_teardown(a_link_that_cuts_gets_the_super_segment_whole,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(a_link_that_cannot_cut_gets_wire_frames,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(
            a_link_that_cuts_but_sums_nothing_gets_wire_frames, nethost_setup,
            nethost_teardown),
        cmocka_unit_test_setup_teardown(
            a_super_segment_of_which_nothing_went_can_be_sent_again, nethost_setup,
            nethost_teardown),
        cmocka_unit_test_setup_teardown(
            the_rest_of_a_super_segment_that_went_in_part_is_dropped, nethost_setup,
            nethost_teardown),
        cmocka_unit_test_setup_teardown(
            a_link_that_is_full_in_advance_takes_a_whole_super_segment_more,
            nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(a_cut_takes_its_scratch_packet_from_the_reserve,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(
            an_exhausted_pool_drops_the_super_segment_with_a_reason, nethost_setup,
            nethost_teardown),
        cmocka_unit_test_setup_teardown(an_interface_that_is_down_sends_nothing,
                                        nethost_setup, nethost_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
