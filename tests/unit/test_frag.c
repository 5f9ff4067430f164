/* RFC 791 s3.2: fragments in and out, by the network layer alone. The datagram of most
 * tests is 40 bytes of UDP from 192.0.2.1, cut at 16 and 32. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "base/bytes.h"
#include "base/cksum.h"
#include "harness/nethost.h"

enum { FRAME = 2000 };

#define A "000102030405060708090a0b0c0d0e0f"
#define B "101112131415161718191a1b1c1d1e1f"
#define C "2021222324252627"

struct part {
    uint16_t offset;
    bool more;
    const char *hex;
};

static const struct part first = { 0, true, A }, second = { 16, true, B },
                         third = { 32, false, C };

/* The part arrives from this sender; the datagram, to be freed, or NULL. */
static struct pkt *arrive_from(struct nethost *h, const char *src, uint16_t id,
                               struct part part)
{
    struct ip4 ip = { .src = nethost_ip(src),
                      .dst = nethost_ip("192.0.2.2"),
                      .id = id,
                      .proto = 17,
                      .frag_offset = part.offset,
                      .more_fragments = part.more };
    struct ip_info info;

    return ip4_input(&h->nif, nethost_ip4(h, &ip, part.hex), &info);
}

static struct pkt *arrive(struct nethost *h, struct part part)
{
    return arrive_from(h, "192.0.2.1", 7, part);
}

/* The datagram is whole now, and has these bytes. */
static void assert_whole(struct pkt *p, const char *hex)
{
    assert_non_null(p);
    assert_int_equal(p->len, strlen(hex) / 2);
    assert_bytes(p->data, p->len, hex);
    pkt_free(p);
}

static void fire_all(struct nethost *h, usec after)
{
    h->net.now += after;
    for (struct deadline *d; (d = heap_pop(&h->net.heap, h->net.now)) != NULL;)
        if (d->owner == DL_FRAG)
            frag_fire(&h->net, d);
}

static uint64_t drops(const struct nethost *h, enum drop why)
{
    return h->net.count.drop[why];
}

static uint64_t counted(const struct nethost *h, enum count which)
{
    return h->net.count.n[which];
}

/* --- in -------------------------------------------------------------------------- */

/* RFC 1122 s3.3.2 (MUST-ip-reassembly). */
static void parts_in_any_order_make_the_datagram(void **state)
{
    static const uint8_t order[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
                                         { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
    const struct part part[] = { first, second, third };
    struct nethost *h = *state;

    for (unsigned i = 0; i < 6; i++) {
        assert_null(arrive(h, part[order[i][0]]));
        assert_null(arrive(h, part[order[i][1]]));
        assert_whole(arrive(h, part[order[i][2]]), A B C);
    }
    assert_int_equal(h->net.frags.n, 0);
    assert_int_equal(h->net.frags.bytes, 0);
    assert_int_equal(counted(h, COUNT_IpReasmReqds), 18);
    assert_int_equal(counted(h, COUNT_IpReasmOKs), 6);
    assert_int_equal(counted(h, COUNT_IpReasmFails), 0);
    assert_int_equal(counted(h, COUNT_IpInDelivers), 6);
}

/* Sender, destination, protocol and identification tell datagrams apart. */
static void parts_of_different_datagrams_are_not_mixed(void **state)
{
    struct nethost *h = *state;

    assert_null(arrive_from(h, "192.0.2.1", 1, first));
    assert_null(arrive_from(h, "192.0.2.1", 2, second));
    assert_null(arrive_from(h, "192.0.2.9", 1, second));
    assert_null(arrive_from(h, "192.0.2.1", 1, third));
    assert_int_equal(h->net.frags.n, 3);
    assert_int_equal(counted(h, COUNT_IpReasmOKs), 0);
}

static void a_part_that_comes_twice_is_a_duplicate(void **state)
{
    struct nethost *h = *state;

    assert_null(arrive(h, first));
    assert_null(arrive(h, first));
    assert_null(arrive(h, third));
    assert_null(arrive(h, third));
    assert_int_equal(drops(h, DROP_FRAG_DUPLICATE), 2);
    assert_whole(arrive(h, second), A B C);
}

/* RFC 5722 s3's rule: nobody cuts so but who wants two readings. */
static void parts_that_overlap_kill_the_datagram(void **state)
{
    static const struct part row[] = {
        { 8, true, A },   /* begins inside the first */
        { 0, true, C },   /* shorter, at the same place */
        { 0, true, A B }, /* longer, over the second */
        { 40, true, B },  /* before the last ends, which is the end */
        { 24, false, C }, /* another end */
        { 56, false, C }, /* a later end */
    };
    struct nethost *h = *state;

    for (unsigned i = 0; i < ARRAY_LEN(row); i++) {
        assert_null(arrive(h, first));
        assert_null(arrive(h, (struct part){ 40, false, C }));
        assert_null(arrive(h, row[i]));
        assert_int_equal(h->net.frags.n, 0);
        assert_int_equal(drops(h, DROP_FRAG_OVERLAP), 3 * (i + 1));
        assert_int_equal(counted(h, COUNT_IpReasmFails), i + 1);
    }
    assert_int_equal(counted(h, COUNT_IpReasmOKs), 0);
}

/* A length that is no multiple of eight before the last, none at all, and an end beyond
 * 65535 ("ping of death"). */
static void a_part_that_cannot_be_is_dropped_alone(void **state)
{
    static const struct part row[] = {
        { 16, true, "00112233445566" },       { 16, true, "" },   { 32, false, "" },
        { 65512, false, "0011223344556677" }, { 65528, true, A },
    };
    struct nethost *h = *state;

    assert_null(arrive(h, first));
    for (unsigned i = 0; i < ARRAY_LEN(row); i++) {
        assert_null(arrive(h, row[i]));
        assert_int_equal(drops(h, DROP_FRAG_INVALID), i + 1);
    }
    assert_int_equal(h->net.frags.n, 1);
}

/* RFC 1122 s3.3.2 (MUST-ip-reassembly-timeout): after ipfrag_time, 30 s, an ICMP time
 * exceeded, code 1, if the first fragment is here. */
static void a_datagram_that_stays_in_parts_is_given_up_and_its_sender_told(void **state)
{
    struct nethost *h = *state;

    nethost_know_peer(h);
    assert_null(arrive(h, first));
    fire_all(h, 29 * USEC_PER_SEC);
    assert_int_equal(h->net.frags.n, 1);
    assert_silence(h);
    fire_all(h, USEC_PER_SEC);
    assert_int_equal(h->net.frags.n, 0);
    assert_int_equal(counted(h, COUNT_IpReasmTimeout), 1);
    assert_int_equal(drops(h, DROP_FRAG_TIMEOUT), 1);
    assert_frame(h, "020000000001 020000000002 0800"
                    "4500 0040 0000 4000 4001 b6b9 c0000202 c0000201"
                    "0b01 bcbe 00000000"
                    "4500 0024 0007 2000 4011 d6be c0000201 c0000202" A);
}

/* RFC 1122 s3.2.2 (MUST-icmp-not-fragment). */
static void nobody_is_told_without_the_first_fragment(void **state)
{
    struct nethost *h = *state;

    nethost_know_peer(h);
    assert_null(arrive(h, second));
    fire_all(h, 30 * USEC_PER_SEC);
    assert_int_equal(h->net.frags.n, 0);
    assert_silence(h);
}

/* RFC 3168 s5.3 (MUST-ecn-frag, MUST-ecn-frag-mixed, MUST-ecn-frag-same). tos: of the
 * first, of the second; what comes of them, -1: nothing. */
static void a_mark_on_one_part_marks_the_whole(void **state)
{
    static const struct {
        uint8_t a, b;
        int tos;
    } row[] = { { 0, 0, 0 }, { 2, 2, 2 },  { 2, 3, 3 },
                { 3, 1, 3 }, { 0, 3, -1 }, { 3, 0, -1 } };
    struct nethost *h = *state;

    for (unsigned i = 0; i < ARRAY_LEN(row); i++) {
        struct ip4 ip = { .src = nethost_ip("192.0.2.1"),
                          .dst = nethost_ip("192.0.2.2"),
                          .id = (uint16_t)i,
                          .proto = 17,
                          .tos = row[i].a,
                          .more_fragments = true };
        struct ip_info info = { .tos = 9 };
        assert_null(ip4_input(&h->nif, nethost_ip4(h, &ip, A), &info));
        ip.tos = row[i].b;
        ip.frag_offset = 16;
        ip.more_fragments = false;
        struct pkt *p = ip4_input(&h->nif, nethost_ip4(h, &ip, B), &info);
        assert_int_equal(p ? info.tos : -1, row[i].tos);
        pkt_free(p);
    }
    assert_int_equal(drops(h, DROP_FRAG_ECN), 4);
}

/* --- bounds ---------------------------------------------------------------------- */

/* 64 of one sender; the oldest goes, and another sender's stays. */
static void one_sender_cannot_push_out_the_others(void **state)
{
    struct nethost *h = *state;

    assert_null(arrive_from(h, "192.0.2.9", 1, first));
    for (uint16_t id = 0; id < 300; id++)
        assert_null(arrive_from(h, "192.0.2.1", id, first));
    assert_int_equal(h->net.frags.n, 65);
    assert_int_equal(drops(h, DROP_FRAG_MEMORY), 236);
    assert_whole(arrive_from(h, "192.0.2.9", 1, (struct part){ 16, false, B }), A B);
}

static void many_senders_are_bounded_together(void **state)
{
    struct nethost *h = *state;
    char src[20];

    for (unsigned i = 0; i < 600; i++) {
        snprintf(src, sizeof src, "10.1.%u.%u", i / 200, 1 + i % 200);
        assert_null(arrive_from(h, src, 1, first));
    }
    assert_int_equal(h->net.frags.n, 256);
}

/* net.ipv4.ipfrag_high_thresh: a small packet counts 2048 bytes. */
static void memory_is_bounded_by_its_sysctl(void **state)
{
    struct nethost *h = *state;

    h->net.config.ipfrag_high_thresh = 10 * 2048;
    for (uint16_t id = 0; id < 30; id++)
        assert_null(arrive_from(h, "192.0.2.1", id, first));
    assert_int_equal(h->net.frags.n, 10);
    assert_int_equal(h->net.frags.bytes, 20480);
    assert_int_equal(drops(h, DROP_FRAG_MEMORY), 20);
}

/* One datagram of 8-byte parts cannot take more either: it is its own oldest. */
static void a_datagram_in_crumbs_is_bounded_too(void **state)
{
    struct nethost *h = *state;

    h->net.config.ipfrag_high_thresh = 10 * 2048;
    for (uint16_t i = 0; i < 25; i++)
        assert_null(arrive(h, (struct part){ (uint16_t)(8 * i), true, C }));
    assert_in_range(h->net.frags.bytes, 2048, 20480);
    assert_int_equal(drops(h, DROP_FRAG_MEMORY), 22);
}

/* --- out ------------------------------------------------------------------------- */

/* The next frame on the wire; its length, 0 for none. */
static size_t take(struct nethost *h, uint8_t frame[FRAME])
{
    struct pkt *p = wirelink_pop(&h->wire);
    size_t len = p ? p->len : 0;

    if (p)
        memcpy(frame, p->data, len);
    pkt_free(p);
    return len;
}

static struct ip_out udp_to_peer(enum ip_df df)
{
    return (struct ip_out){ .dst = nethost_ip("192.0.2.1"), .proto = 17, .opt.df = df };
}

static struct pkt *counting(struct nethost *h, size_t len)
{
    struct pkt *p = pkt_new(&h->net.pool, len);
    uint8_t *b = pkt_put(p, len);

    for (size_t i = 0; i < len; i++)
        b[i] = (uint8_t)i;
    return p;
}

/* MTU 68 leaves 48 bytes for each piece: 100 bytes are 48, 48 and 4. Their ids agree.
 */
static void what_is_larger_than_the_mtu_is_cut(void **state)
{
    struct nethost *h = *state;
    static const struct {
        uint16_t total, frag;
        uint8_t begins;
    } row[] = { { 68, 0x2000, 0 }, { 68, 0x2006, 48 }, { 24, 0x000c, 96 } };
    uint16_t id = 0;

    nethost_know_peer(h);
    h->nif.mtu = 68;
    struct ip_out how = udp_to_peer(IP_DF_WANT);
    assert_int_equal(ip_output(&h->net, &how, counting(h, 100)), 0);
    for (unsigned i = 0; i < 3; i++) {
        uint8_t frame[FRAME];
        size_t len = take(h, frame);
        assert_int_equal(len, 14 + row[i].total);
        assert_int_equal(get16(frame + 16), row[i].total);
        assert_int_equal(get16(frame + 20), row[i].frag);
        assert_int_equal(frame[34], row[i].begins);
        assert_int_equal(cksum_fold(cksum_add(0, frame + 14, 20, 0)), 0xffff);
        id = i ? id : get16(frame + 18);
        assert_int_equal(get16(frame + 18), id);
    }
    assert_silence(h);
    assert_int_equal(counted(h, COUNT_IpFragOKs), 1);
    assert_int_equal(counted(h, COUNT_IpFragCreates), 3);
}

/* don't-fragment: DO and PROBE refuse what is too large; WANT sets it on what fits,
 * DONT never does. */
static void dont_fragment_is_as_the_transport_wants_it(void **state)
{
    static const struct {
        enum ip_df df;
        int large;
        uint16_t small;
    } row[] = { { IP_DF_DO, -EMSGSIZE, 0x4000 },
                { IP_DF_WANT, 0, 0x4000 },
                { IP_DF_DONT, 0, 0 },
                { IP_DF_PROBE, -EMSGSIZE, 0x4000 } };
    struct nethost *h = *state;

    nethost_know_peer(h);
    for (unsigned i = 0; i < ARRAY_LEN(row); i++) {
        struct ip_out how = udp_to_peer(row[i].df);
        uint8_t frame[FRAME];
        assert_int_equal(ip_output(&h->net, &how, counting(h, 1480)), 0);
        assert_int_equal(take(h, frame), 1514);
        assert_int_equal(get16(frame + 20), row[i].small);
        assert_int_equal(ip_output(&h->net, &how, counting(h, 1481)), row[i].large);
        while (take(h, frame) > 0)
            assert_int_equal(get16(frame + 20) & 0x4000, 0);
    }
    assert_int_equal(drops(h, DROP_IP_TOO_BIG), 2);
}

/* RFC 1122 s2.3.2.2: the pieces of 64 KiB wait for the address together. */
static void all_pieces_of_a_datagram_wait_for_an_address(void **state)
{
    struct nethost *h = *state;
    struct ip_out how = udp_to_peer(IP_DF_WANT);
    uint8_t frame[FRAME];
    unsigned n = 0;

    assert_int_equal(ip_output(&h->net, &how, counting(h, 65515)), 0);
    assert_int_equal(take(h, frame), 42);
    nethost_know_peer(h);
    while (take(h, frame) > 0)
        n++;
    assert_int_equal(n, 45);
    assert_int_equal(drops(h, DROP_NEIGH_QUEUE_FULL), 0);
}

/* --- both ------------------------------------------------------------------------ */

/* Random parts of random datagrams, doubled, overlapping, in any order: what comes out
 * is a datagram of the length it says, and nothing is left behind. */
static void no_order_of_parts_does_any_harm(void **state)
{
    struct nethost *h = *state;
    struct rng rng;

    rng_seed(&rng, 1);
    for (int i = 0; i < 20000; i++) {
        struct ip4 ip = { .src = nethost_ip("192.0.2.1"),
                          .dst = nethost_ip("192.0.2.2"),
                          .id = (uint16_t)rng_below(&rng, 4),
                          .proto = 17,
                          .frag_offset = (uint16_t)(8 * rng_below(&rng, 6)),
                          .more_fragments = rng_below(&rng, 3) > 0 };
        static const char *const text[] = { C, A, B, A C, A B, "00" };
        struct ip_info info;
        struct pkt *got = ip4_input(
            &h->nif, nethost_ip4(h, &ip, text[rng_below(&rng, 6)]), &info);
        if (got)
            assert_int_equal(get16(got->data - 18), got->len + 20);
        pkt_free(got);
        if (rng_below(&rng, 50) == 0)
            fire_all(h, 31 * USEC_PER_SEC);
    }
    assert_true(counted(h, COUNT_IpReasmOKs) > 100);
    assert_true(drops(h, DROP_FRAG_OVERLAP) > 100);
}

static int forget(void **state)
{
    struct nethost *h = *state;

    frag_clear(&h->net);
    wirelink_clear(&h->wire);
    return nethost_teardown(state);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, nethost_setup, forget)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(parts_in_any_order_make_the_datagram),
        CASE(parts_of_different_datagrams_are_not_mixed),
        CASE(a_part_that_comes_twice_is_a_duplicate),
        CASE(parts_that_overlap_kill_the_datagram),
        CASE(a_part_that_cannot_be_is_dropped_alone),
        CASE(a_datagram_that_stays_in_parts_is_given_up_and_its_sender_told),
        CASE(nobody_is_told_without_the_first_fragment),
        CASE(a_mark_on_one_part_marks_the_whole),
        CASE(one_sender_cannot_push_out_the_others),
        CASE(many_senders_are_bounded_together),
        CASE(memory_is_bounded_by_its_sysctl),
        CASE(a_datagram_in_crumbs_is_bounded_too),
        CASE(what_is_larger_than_the_mtu_is_cut),
        CASE(dont_fragment_is_as_the_transport_wants_it),
        CASE(all_pieces_of_a_datagram_wait_for_an_address),
        CASE(no_order_of_parts_does_any_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
