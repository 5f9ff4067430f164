/* What each fault does to 10,000 frames: how many come out, in which order, with which
 * bytes; in both directions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/bytes.h"
#include "base/cksum.h"
#include "harness/memory.h"
#include "harness/netem_rig.h"
#include "wire/ip4_wire.h"
#include "wire/tcp_wire.h"

enum { FRAMES = 10000, FRAME = 60 };

/* Frames as they came out. */
struct outcome {
    uint32_t number[2 * FRAMES];
    usec at[2 * FRAMES];
    unsigned n;
    uint64_t bytes;
};

static struct outcome outcome;

/* Takes all that is due up to `now`, each at its time. */
static void collect(struct netem_rig *r, usec now)
{
    for (usec at; (at = netem_deadline(&r->netem)) <= now;) {
        struct pkt *p = netem_take(&r->netem, at);

        if (!p)
            continue;
        assert_true(outcome.n < 2 * FRAMES);
        outcome.number[outcome.n] = rig_number(p);
        outcome.at[outcome.n++] = at;
        outcome.bytes += p->len;
        pkt_free(p);
    }
}

/* Numbered frames, one each millisecond; all that comes out. */
static void run(struct netem_rig *r)
{
    memset(&outcome, 0, sizeof outcome);
    for (uint32_t i = 0; i < FRAMES; i++) {
        netem_offer(&r->netem, rig_numbered(r, i, FRAME), i * 1000);
        collect(r, i * 1000);
    }
    collect(r, INT64_MAX - 1);
    assert_int_equal(netem_held(&r->netem), 0);
}

/* Frames that come out behind one with a higher number. */
static unsigned overtaken(void)
{
    uint32_t highest = 0;
    unsigned n = 0;

    for (unsigned i = 0; i < outcome.n; i++) {
        n += outcome.number[i] < highest;
        highest = outcome.number[i] > highest ? outcome.number[i] : highest;
    }
    return n;
}

static void every_frame_comes_out_once_and_whole_in_order_without_a_fault(void **state)
{
    for (enum rig_way way = RIG_IN; way <= RIG_OUT; way++) {
        struct netem_rig r;

        rig_init(&r, "delay 20ms", way, 1);
        run(&r);
        assert_int_equal(outcome.n, 10000);
        assert_int_equal(outcome.bytes, 600000);
        for (uint32_t i = 0; i < FRAMES; i++) {
            assert_int_equal(outcome.number[i], i);
            assert_int_equal(outcome.at[i], i * 1000 + 20000);
        }
        rig_free(&r);
    }
}

/* tc-netem(8): the picked frames are sent at once, the others are delayed. */
static void reorder_lets_its_share_overtake(void **state)
{
    for (enum rig_way way = RIG_IN; way <= RIG_OUT; way++) {
        struct netem_rig r;
        unsigned early = 0;

        rig_init(&r, "delay 20ms reorder 5%", way, 1);
        run(&r);
        assert_int_equal(outcome.n, 10000);
        assert_int_equal(outcome.bytes, 600000);
        for (unsigned i = 0; i < outcome.n; i++) {
            usec late = outcome.at[i] - outcome.number[i] * 1000;

            assert_true(late == 0 || late == 20000);
            early += late == 0;
        }
        assert_in_range(early, 430, 570);
        assert_int_equal(r.count.n[COUNT_NetemReordered], early);
        /* Up to 19 frames are on their way when one overtakes them. */
        assert_in_range(overtaken(), 5000, 7500);
        rig_free(&r);
    }
}

/* tc-netem(8), its example: every fifth frame. */
static void reorder_with_a_gap_spares_the_frames_between(void **state)
{
    struct netem_rig r;

    rig_init(&r, "delay 10ms reorder 100% gap 5", RIG_OUT, 1);
    run(&r);
    for (unsigned i = 0; i < outcome.n; i++)
        assert_int_equal(outcome.at[i] - outcome.number[i] * 1000,
                         outcome.number[i] % 5 == 4 ? 0 : 10000);
    assert_int_equal(r.count.n[COUNT_NetemReordered], 2000);
    rig_free(&r);
}

static void reorder_without_a_delay_holds_its_frames_back(void **state)
{
    struct netem_rig r;
    unsigned late = 0;

    rig_init(&r, "reorder 5%", RIG_IN, 1);
    memset(&outcome, 0, sizeof outcome);
    for (uint32_t i = 0; i < FRAMES; i++) {
        netem_offer(&r.netem, rig_numbered(&r, i, FRAME), i * 300);
        collect(&r, i * 300);
    }
    collect(&r, INT64_MAX - 1);
    assert_int_equal(outcome.n, 10000);
    for (unsigned i = 0; i < outcome.n; i++) {
        usec by = outcome.at[i] - outcome.number[i] * 300;

        assert_true(by == 0 || by == 1000);
        late += by == 1000;
    }
    assert_in_range(late, 430, 570);
    assert_in_range(overtaken(), late - 5, late);
    rig_free(&r);
}

static void jitter_of_any_distribution_keeps_the_order(void **state)
{
    static const char *const spec[] = {
        "delay 20ms 10ms",
        "delay 20ms 10ms 25%",
        "delay 20ms 10ms distribution uniform",
        "delay 20ms 10ms distribution normal",
        "delay 20ms 10ms distribution pareto",
        "delay 20ms 10ms 50% distribution paretonormal",
    };

    for (size_t i = 0; i < sizeof spec / sizeof spec[0]; i++) {
        struct netem_rig r;
        unsigned above = 0;

        rig_init(&r, spec[i], i % 2 ? RIG_IN : RIG_OUT, i + 1);
        run(&r);
        assert_int_equal(outcome.n, 10000);
        assert_int_equal(overtaken(), 0);
        for (unsigned k = 0; k < outcome.n; k++) {
            usec late = outcome.at[k] - outcome.number[k] * 1000;

            assert_in_range(late, 0, 80000);
            above += late > 25000;
        }
        /* Each waits for those in front: most come late where they follow closely. */
        assert_in_range(above, 4000, 9900);
        rig_free(&r);
    }
}

static void duplicate_sends_its_share_twice(void **state)
{
    for (enum rig_way way = RIG_IN; way <= RIG_OUT; way++) {
        struct netem_rig r;
        unsigned twice = 0;

        rig_init(&r, "delay 5ms duplicate 5%", way, 1);
        run(&r);
        for (unsigned i = 1; i < outcome.n; i++)
            twice += outcome.number[i] == outcome.number[i - 1];
        assert_in_range(twice, 430, 570);
        assert_int_equal(outcome.n, 10000 + twice);
        assert_int_equal(outcome.bytes, 60 * (10000 + twice));
        assert_int_equal(r.count.n[COUNT_NetemDuplicated], twice);
        assert_int_equal(overtaken(), 0);
        rig_free(&r);
    }
}

static void a_copy_has_the_bytes_of_its_frame(void **state)
{
    struct rig_segment s = { TCP_ACK, 700, 1000, 9, 0 };
    struct netem_rig r;
    struct pkt *p, *copy;

    rig_init(&r, "duplicate 100%", RIG_OUT, 1);
    assert_int_equal(netem_offer(&r.netem, rig_tcp(&r, s), 0), 0);
    p = netem_take(&r.netem, 0);
    copy = netem_take(&r.netem, 0);
    assert_null(netem_take(&r.netem, 0));
    assert_int_equal(p->len, 754);
    assert_int_equal(copy->len, 754);
    assert_memory_equal(p->data, copy->data, 754);
    assert_ptr_equal(copy->pool, &r.pool);
    pkt_free(p);
    pkt_free(copy);
    rig_free(&r);
}

static void a_copy_that_finds_no_packet_is_counted(void **state)
{
    struct netem_rig r;

    rig_init(&r, "duplicate 100%", RIG_OUT, 1);
    r.pool.limit = 2048;
    assert_int_equal(netem_offer(&r.netem, rig_numbered(&r, 1, FRAME), 0), 0);
    assert_int_equal(r.count.drop[DROP_NO_BUFFER], 1);
    assert_int_equal(r.count.n[COUNT_NetemDuplicated], 0);
    assert_int_equal(rig_drain(&r, 0), 1);
    rig_free(&r);
}

/* Bits in which two frames differ, and where the last of them is. */
static unsigned difference(const struct pkt *a, const struct pkt *b, size_t *where)
{
    unsigned bits = 0;

    assert_int_equal(a->len, b->len);
    for (size_t i = 0; i < a->len; i++)
        for (unsigned x = a->data[i] ^ b->data[i]; x; x &= x - 1) {
            *where = i;
            bits++;
        }
    return bits;
}

static uint16_t sum_of(const struct pkt *p, size_t from, size_t to)
{
    return cksum_fold(cksum_add(0, p->data + from, to - from, 0));
}

static void corrupt_turns_one_bit_behind_the_ethernet_header_over(void **state)
{
    for (enum rig_way way = RIG_IN; way <= RIG_OUT; way++) {
        unsigned hurt = 0, in_header = 0;
        struct netem_rig r;

        rig_init(&r, "corrupt 5%", way, 1);
        for (unsigned i = 0; i < FRAMES; i++) {
            struct rig_segment s = { TCP_ACK, 40, 1000, i, 0 };
            struct pkt *whole = rig_tcp(&r, s), *p;
            unsigned bits;
            size_t where = 0;

            assert_int_equal(netem_offer(&r.netem, rig_tcp(&r, s), i), 0);
            p = netem_take(&r.netem, i);
            bits = difference(whole, p, &where);
            assert_in_range(bits, 0, 1);
            assert_true(bits == 0 || where >= 14);
            hurt += bits;
            in_header += bits && where < 34;
            pkt_free(p);
            pkt_free(whole);
        }
        assert_in_range(hurt, 430, 570);
        assert_int_equal(r.count.n[COUNT_NetemCorrupted], hurt);
        /* 20 of 80 bytes are IP's header. */
        assert_in_range(in_header, 80, 170);
        rig_free(&r);
    }
}

/* RFC 1071: a single bit always shows. */
static void what_is_corrupted_has_a_wrong_checksum(void **state)
{
    struct netem_rig r;

    rig_init(&r, "corrupt 100%", RIG_OUT, 1);
    for (unsigned i = 0; i < 1000; i++) {
        struct rig_segment s = { TCP_ACK, 40, 1000, i, 0 };
        struct pkt *p = rig_tcp(&r, s);
        uint64_t pseudo = ip_pseudo_sum(ip4_addr(0xc0000201), ip4_addr(0xc0000202), 6,
                                        60);
        bool ip, tcp;

        p->csum = PKT_CSUM_VERIFIED;
        netem_offer(&r.netem, p, i);
        p = netem_take(&r.netem, i);
        ip = sum_of(p, 14, 34) == 0xffff;
        tcp = cksum_fold(cksum_add(pseudo, p->data + 34, 60, 0)) == 0xffff;
        assert_int_not_equal(ip, tcp);
        assert_int_equal(p->csum, PKT_CSUM_FULL);
        pkt_free(p);
    }
    rig_free(&r);
}

static void a_partial_checksum_is_completed_before_the_damage(void **state)
{
    struct rig_segment s = { TCP_ACK, 40, 1000, 1, 0 };
    uint64_t pseudo = ip_pseudo_sum(ip4_addr(0xc0000201), ip4_addr(0xc0000202), 6, 60);
    struct netem_rig r;
    struct pkt *whole, *p;
    size_t where;

    rig_init(&r, "corrupt 100%", RIG_OUT, 1);
    whole = rig_tcp(&r, s);
    p = rig_tcp(&r, s);
    put16(p->data + 50, cksum_fold(pseudo));
    p->csum = PKT_CSUM_PARTIAL;
    p->csum_at = p->data + 34;
    p->csum_field = 16;
    netem_offer(&r.netem, p, 0);
    p = netem_take(&r.netem, 0);
    assert_int_equal(difference(whole, p, &where), 1);
    pkt_free(whole);
    pkt_free(p);
    rig_free(&r);
}

static void what_has_no_checksum_is_not_corrupted(void **state)
{
    struct netem_rig r;
    struct pkt *p;

    rig_init(&r, "corrupt 100%", RIG_IN, 1);
    for (uint32_t i = 0; i < 100; i++) {
        netem_offer(&r.netem, rig_numbered(&r, i, FRAME), i);
        p = netem_take(&r.netem, i);
        assert_int_equal(rig_number(p), i);
        pkt_free(p);
    }
    p = pkt_new(&r.pool, 14);
    memset(pkt_put(p, 14), 0, 14);
    put16(p->data + 12, 0x0800);
    assert_int_equal(netem_offer(&r.netem, p, 200), 0);
    assert_int_equal(rig_drain(&r, 200), 1);
    assert_int_equal(r.count.n[COUNT_NetemCorrupted], 0);
    rig_free(&r);
}

static void burst_loss_takes_frames_in_a_row(void **state)
{
    for (enum rig_way way = RIG_IN; way <= RIG_OUT; way++) {
        unsigned lost = 0, bursts = 0;
        struct netem_rig r;

        rig_init(&r, "loss gemodel 1% 20%", way, 1);
        run(&r);
        lost = FRAMES - outcome.n;
        for (unsigned i = 1; i < outcome.n; i++)
            bursts += outcome.number[i] - outcome.number[i - 1] > 1;
        /* 4.76 % in bursts of five. */
        assert_in_range(lost, 330, 630);
        assert_in_range(lost / bursts, 4, 6);
        assert_int_equal(r.count.drop[DROP_NETEM_LOSS], lost);
        rig_free(&r);
    }
}

/* RFC 3168 s5: ECT(0), ECT(1) and CE are marked in a drop's place, Not-ECT is lost. */
static void ecn_marks_what_loss_would_have_taken(void **state)
{
    static const struct {
        uint8_t tos, marked;
    } row[] = { { 0x02, 0x03 }, { 0x01, 0x03 }, { 0x03, 0x03 }, { 0xba, 0xbb } };

    for (enum rig_way way = RIG_IN; way <= RIG_OUT; way++) {
        struct netem_rig r;

        rig_init(&r, "loss 100% ecn", way, 1);
        for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
            struct rig_segment s = { TCP_ACK, 9, 1000, 1, row[i].tos };
            struct pkt *p;

            assert_int_equal(netem_offer(&r.netem, rig_tcp(&r, s), 0), 0);
            p = netem_take(&r.netem, 0);
            assert_int_equal(p->data[15], row[i].marked);
            assert_int_equal(sum_of(p, 14, 34), 0xffff);
            pkt_free(p);
        }
        assert_int_equal(r.count.n[COUNT_NetemEcnMarked], 4);
        assert_true(
            netem_offer(&r.netem,
                        rig_tcp(&r, (struct rig_segment){ TCP_ACK, 9, 1000, 1, 0xb8 }),
                        0) < 0);
        assert_true(netem_offer(&r.netem, rig_numbered(&r, 1, FRAME), 0) < 0);
        assert_int_equal(r.count.drop[DROP_NETEM_LOSS], 2);
        rig_free(&r);
    }
}

/* RFC 8200 s3: the traffic class is four bits of each of the first two bytes. */
static void an_ip6_packet_is_marked_in_its_traffic_class(void **state)
{
    struct netem_rig r;
    struct pkt *p;

    rig_init(&r, "loss 100% ecn", RIG_OUT, 1);
    p = rig_numbered(&r, 0, 80);
    put16(p->data + 12, 0x86dd);
    put32(p->data + 14, 0x60200000); /* class 2: ECT(0) */
    assert_int_equal(netem_offer(&r.netem, p, 0), 0);
    p = netem_take(&r.netem, 0);
    assert_int_equal(get32(p->data + 14), 0x60300000);
    pkt_free(p);
    p = rig_numbered(&r, 0, 80);
    put16(p->data + 12, 0x86dd);
    put32(p->data + 14, 0x60000000);
    assert_true(netem_offer(&r.netem, p, 0) < 0);
    rig_free(&r);
}

static void an_mtu_swallows_longer_ip_packets_and_nothing_else(void **state)
{
    for (enum rig_way way = RIG_IN; way <= RIG_OUT; way++) {
        struct rig_segment fits = { TCP_ACK, 1360, 1000, 1, 0 };
        struct rig_segment long_one = { TCP_ACK, 1361, 1000, 1, 0 };
        struct netem_rig r;

        rig_init(&r, "mtu 1400", way, 1);
        assert_int_equal(netem_offer(&r.netem, rig_tcp(&r, fits), 0), 0);
        assert_int_equal(netem_offer(&r.netem, rig_tcp(&r, long_one), 0),
                         -(int)DROP_NETEM_MTU - 1);
        assert_int_equal(netem_offer(&r.netem, rig_numbered(&r, 1, 1500), 0), 0);
        assert_int_equal(rig_drain(&r, 0), 2);
        assert_int_equal(r.count.drop[DROP_NETEM_MTU], 1);
        rig_free(&r);
    }
}

/* Which of 10,000 frames are lost, as one number. */
static uint64_t lost_ones(const char *spec)
{
    static bool came[FRAMES];
    struct netem_rig r;
    uint64_t hash = 0;

    memset(came, 0, sizeof came);
    rig_init(&r, spec, RIG_IN, 1);
    run(&r);
    for (unsigned i = 0; i < outcome.n; i++)
        came[outcome.number[i]] = true;
    for (unsigned i = 0; i < FRAMES; i++)
        hash = hash * 31 + came[i];
    rig_free(&r);
    return hash;
}

static void a_fault_that_is_switched_on_changes_nothing_of_another(void **state)
{
    uint64_t lost = lost_ones("loss 10%");

    assert_true(lost == lost_ones("delay 20ms loss 10%"));
    assert_true(lost == lost_ones("delay 20ms 5ms 25% distribution normal loss 10%"));
    assert_true(lost == lost_ones("loss 10% reorder 5% duplicate 5% corrupt 5%"));
    assert_true(lost == lost_ones("loss 10% rate 100mbit codel mtu 1400"));
    assert_false(lost == lost_ones("loss 10% 1%"));
}

static void all_faults_at_once_account_for_every_frame(void **state)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct netem_rig r;

        rig_init(&r,
                 "delay 20ms 5ms loss 5% reorder 2% duplicate 1% corrupt 0.5% "
                 "rate 500kbit limit 20 codel drop any:7",
                 RIG_OUT, seed);
        run(&r);
        assert_int_equal(r.netem.offered, 10000);
        assert_int_equal(r.netem.passed, outcome.n);
        assert_int_equal(10000 + r.count.n[COUNT_NetemDuplicated],
                         r.netem.lost + r.netem.passed);
        assert_int_equal(r.netem.lost, r.count.drop[DROP_NETEM_LOSS] +
                                           r.count.drop[DROP_NETEM_LIMIT] +
                                           r.count.drop[DROP_NETEM_CODEL] +
                                           r.count.drop[DROP_NETEM_SCRIPT]);
        assert_int_equal(outcome.bytes, 60 * outcome.n);
        rig_free(&r);
    }
}

static void a_frame_that_finds_no_memory_is_dropped_and_counted(void **state)
{
    static const char *const spec[] = { "delay 1ms", "rate 1mbit" };

    for (size_t i = 0; i < 2; i++) {
        struct netem_rig r;
        struct pkt *p;
        int err;

        rig_init(&r, spec[i], RIG_OUT, 1);
        p = rig_numbered(&r, 1, FRAME);
        memory_ends_after(0);
        err = netem_offer(&r.netem, p, 0);
        memory_back();
        assert_int_equal(err, -(int)DROP_NO_BUFFER - 1);
        assert_int_equal(r.count.drop[DROP_NO_BUFFER], 1);
        assert_int_equal(netem_offer(&r.netem, rig_numbered(&r, 2, FRAME), 0), 0);
        assert_int_equal(rig_drain(&r, 1000000), 1);
        rig_free(&r);
    }
}

static void count_late(void *ctx, enum drop why)
{
    unsigned *n = ctx;

    assert_int_equal(why, DROP_NETEM_LIMIT);
    ++*n;
}

static void the_end_of_a_copy_is_told_apart(void **state)
{
    struct netem_rig r;
    unsigned late = 0;

    rig_init(&r, "delay 1s limit 3 duplicate 100%", RIG_OUT, 1);
    r.netem.late = count_late;
    r.netem.ctx = &late;
    assert_int_equal(netem_offer(&r.netem, rig_numbered(&r, 1, FRAME), 0), 0);
    assert_int_equal(netem_offer(&r.netem, rig_numbered(&r, 2, FRAME), 0), 0);
    assert_int_equal(late, 1);
    assert_true(netem_offer(&r.netem, rig_numbered(&r, 3, FRAME), 0) < 0);
    assert_int_equal(late, 2);
    assert_int_equal(r.count.drop[DROP_NETEM_LIMIT], 3);
    rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_frame_comes_out_once_and_whole_in_order_without_a_fault),
        cmocka_unit_test(reorder_lets_its_share_overtake),
        cmocka_unit_test(reorder_with_a_gap_spares_the_frames_between),
        cmocka_unit_test(reorder_without_a_delay_holds_its_frames_back),
        cmocka_unit_test(jitter_of_any_distribution_keeps_the_order),
        cmocka_unit_test(duplicate_sends_its_share_twice),
        cmocka_unit_test(a_copy_has_the_bytes_of_its_frame),
        cmocka_unit_test(a_copy_that_finds_no_packet_is_counted),
        cmocka_unit_test(corrupt_turns_one_bit_behind_the_ethernet_header_over),
        cmocka_unit_test(what_is_corrupted_has_a_wrong_checksum),
        cmocka_unit_test(a_partial_checksum_is_completed_before_the_damage),
        cmocka_unit_test(what_has_no_checksum_is_not_corrupted),
        cmocka_unit_test(burst_loss_takes_frames_in_a_row),
        cmocka_unit_test(ecn_marks_what_loss_would_have_taken),
        cmocka_unit_test(an_ip6_packet_is_marked_in_its_traffic_class),
        cmocka_unit_test(an_mtu_swallows_longer_ip_packets_and_nothing_else),
        cmocka_unit_test(a_fault_that_is_switched_on_changes_nothing_of_another),
        cmocka_unit_test(all_faults_at_once_account_for_every_frame),
        cmocka_unit_test(a_frame_that_finds_no_memory_is_dropped_and_counted),
        cmocka_unit_test(the_end_of_a_copy_is_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
