#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/nethost.h"
#include "net/gso.h"

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

/* Cuts p and compares each frame with hex[i]. */
static void check_cut(struct nethost *h, struct pkt *p, const char *const *hex,
                      size_t n)
{
    struct pkt *out = pkt_new(&h->net.pool, 2048 - 128);
    struct gso g;

    gso_begin(&g, p);
    for (size_t i = 0; i < n; i++) {
        assert_true(gso_next(&g, out));
        assert_bytes(out->data, out->len, hex[i]);
        assert_int_equal(out->csum, PKT_CSUM_FULL);
        assert_int_equal(out->n_text, 0);
        assert_int_equal(out->gso_size, 0);
    }
    assert_false(gso_next(&g, out));
    assert_false(gso_next(&g, out));
    pkt_free(out);
    pkt_free(p);
}

static void a_super_segment_becomes_the_segments_of_a_wire(void **state)
{
    check_cut(*state, super_segment(*state), wire_frame, 3);
}

static void text_in_the_packet_itself_is_cut_just_the_same(void **state)
{
    struct nethost *h = *state;
    struct pkt *borrowing = super_segment(h);
    struct pkt *p = pkt_copy(&h->net.pool, borrowing);

    pkt_free(borrowing);
    check_cut(h, p, wire_frame, 3);
}

/* RFC 7323 s3.2: timestamps are on every segment. */
static void options_are_on_every_piece(void **state)
{
    static const char *const want[] = {
        "02000000000102000000000208004500003700074000"
        "4006b6b6c0000202c000020100509c400000000100000002801003e8"
        "8dd500000101080a0000000100000002 616263",
        "02000000000102000000000208004500003700084000"
        "4006b6b5c0000202c000020100509c400000000400000002801003e8"
        "87cf00000101080a0000000100000002 646566",
        "02000000000102000000000208004500003500094000"
        "4006b6b6c0000202c000020100509c400000000700000002801003e8"
        "eb3300000101080a0000000100000002 67",
    };
    struct nethost *h = *state;
    struct pkt *p = nethost_hex(
        h, "02000000000102000000000208004500003b00074000"
           "4006b6b2c0000202c000020100509c400000000100000002801003e8"
           "000000000101080a0000000100000002 61626364656667");

    p->gso_size = 3;
    check_cut(h, p, want, 3);
}

static void a_frame_that_is_no_super_segment_comes_out_as_one(void **state)
{
    static const char *const want[] = { udp_full };

    check_cut(*state, partial_udp(*state), want, 1);
}

static void text_that_fits_one_piece_is_not_cut(void **state)
{
    struct nethost *h = *state;
    struct pkt *p = nethost_hex(h, wire_frame[0]);

    p->gso_size = 4;
    check_cut(h, p, wire_frame, 1);
}

static void what_is_not_tcp_is_never_cut(void **state)
{
    static const char *const want[] = { udp_full,
                                        "ffffffffffff0200000000020806000102" };
    struct nethost *h = *state;

    for (size_t i = 0; i < 2; i++) {
        struct pkt *p = nethost_hex(h, want[i]);
        p->gso_size = 2;
        check_cut(h, p, &want[i], 1);
    }
}

/* What a TAP hands in may hold the pseudo-header's sum alone; a capture shows
 * the wire. */
static void a_frame_the_device_vouches_for_gets_its_checksum(void **state)
{
    static const struct {
        const char *in, *out;
    } row[] = {
        /* TCP */
        { "02000000000202000000000108004500002b0000400040"
          "06b6c9c0000201c00002029c4000500000000100000002501803e884210000 78797a",
          "02000000000202000000000108004500002b0000400040"
          "06b6c9c0000201c00002029c4000500000000100000002501803e898d00000 78797a" },
        /* UDP, and padding behind it */
        { "02000000000202000000000108004500001d0000400040"
          "11b6ccc0000201c0000202 000900070009841e 7a 0000000000",
          "02000000000202000000000108004500001d0000400040"
          "11b6ccc0000201c0000202 000900070009 01c8 7a" },
        /* RFC 768: UDP without a checksum keeps none */
        { "02000000000202000000000108004500001d0000400040"
          "11b6ccc0000201c0000202 0009000700090000 7a",
          "02000000000202000000000108004500001d0000400040"
          "11b6ccc0000201c0000202 0009000700090000 7a" },
        /* not IP */
        { "0200000000020200000000010806 0001", "0200000000020200000000010806 0001" },
    };

    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pkt *p = nethost_hex(*state, row[i].in);
        p->csum = PKT_CSUM_VERIFIED;
        check_cut(*state, p, &row[i].out, 1);
    }
}

/* RFC 768: a computed zero is sent as all ones. */
static void a_udp_checksum_of_zero_is_sent_as_ffff(void **state)
{
    struct pkt *p = nethost_hex(*state, "020000000001 020000000002 0800"
                                        "4500001e000040004011b6cbc0000202c0000201"
                                        "00070009000a841f 7bc6");

    p->csum = PKT_CSUM_PARTIAL;
    p->csum_at = p->data + 34;
    p->csum_field = 6;
    csum_complete(p);
    assert_bytes(p->data + 34, 8, "00070009000affff");
    pkt_free(p);
}

static void a_partial_checksum_is_completed_over_borrowed_text(void **state)
{
    struct pkt *p = partial_udp(*state);

    csum_complete(p);
    assert_int_equal(p->csum, PKT_CSUM_FULL);
    assert_bytes(p->data + 34, 8, "00070009000d37ee");
    pkt_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_super_segment_becomes_the_segments_of_a_wire,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(text_in_the_packet_itself_is_cut_just_the_same,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(options_are_on_every_piece, nethost_setup,
                                        nethost_teardown),
        cmocka_unit_test_setup_teardown(
            a_frame_that_is_no_super_segment_comes_out_as_one, nethost_setup,
            nethost_teardown),
        cmocka_unit_test_setup_teardown(text_that_fits_one_piece_is_not_cut,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(what_is_not_tcp_is_never_cut, nethost_setup,
                                        nethost_teardown),
        cmocka_unit_test_setup_teardown(
            a_frame_the_device_vouches_for_gets_its_checksum, nethost_setup,
            nethost_teardown),
        cmocka_unit_test_setup_teardown(a_udp_checksum_of_zero_is_sent_as_ffff,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(
            a_partial_checksum_is_completed_over_borrowed_text, nethost_setup,
            nethost_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
