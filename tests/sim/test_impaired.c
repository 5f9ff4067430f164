/* Two stacks over a wire with each of the emulator's faults, in one direction and in
 * the other: what was sent arrives, and the wire's books agree with what the stacks
 * saw. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "harness/transfer.h"

enum { SIZE = 300000, MEG = 1000000 };

static struct transfer t;

/* A transfer in both directions; the fault is for the frames that `from` sends. */
static void run(const char *fault, enum pair_side from, uint64_t seed)
{
    char spec[200];
    struct pair_setup setup = { .seed = seed, .netem = spec };
    struct transfer_plan plan = { fault, SIZE, SIZE, seed, 0 };

    snprintf(spec, sizeof spec, "delay 10ms %s:%s", from == PAIR_A ? "out" : "in",
             fault);
    transfer(&t, &setup, &plan);
}

static uint64_t came(enum pair_side side)
{
    return t.pair.host[side].st->net.count.n[COUNT_IpInReceives];
}

/* Every frame is IP (no ARP here), so the receiver's counter is the wire's other end.
 */
static void assert_books(enum pair_side from)
{
    enum pair_side to = from == PAIR_A ? PAIR_B : PAIR_A;
    const struct netem *way = &t.pair.host[from].wire, *back = &t.pair.host[to].wire;
    uint64_t copies = t.pair.count.n[COUNT_NetemDuplicated];

    assert_int_equal(way->offered, t.pair.host[from].sent);
    assert_int_equal(way->offered + copies, way->lost + way->passed);
    assert_int_equal(way->passed, came(to));
    assert_int_equal(back->offered, back->passed);
    assert_int_equal(back->passed, came(from));
}

static unsigned faults(enum count which)
{
    return (unsigned)t.pair.count.n[which];
}

static unsigned drops(enum drop which)
{
    return (unsigned)t.pair.count.drop[which];
}

static void loss_is_a_share_of_what_one_side_sent(void **state)
{
    for (enum pair_side from = PAIR_A; from <= PAIR_B; from++) {
        run("loss 5%", from, 1);
        assert_books(from);
        assert_in_range(drops(DROP_NETEM_LOSS) * 1000 / t.pair.host[from].sent, 20, 90);
        pair_free(&t.pair);
        run("loss gemodel 1% 20%", from, 2);
        assert_books(from);
        assert_in_range(drops(DROP_NETEM_LOSS) * 1000 / t.pair.host[from].sent, 5, 120);
        pair_free(&t.pair);
    }
}

static void reordered_frames_wait_in_the_receivers_queue(void **state)
{
    for (enum pair_side from = PAIR_A; from <= PAIR_B; from++) {
        run("reorder 5%", from, 3);
        assert_books(from);
        assert_in_range(faults(COUNT_NetemReordered), 5, 60);
        assert_true(transfer_count(&t, from == PAIR_A ? PAIR_B : PAIR_A,
                                   COUNT_TcpExtTCPOFOQueue) > 0);
        assert_int_equal(t.pair.host[from].wire.lost, 0);
        pair_free(&t.pair);
    }
}

static void copies_reach_the_receiver_and_are_told_apart(void **state)
{
    for (enum pair_side from = PAIR_A; from <= PAIR_B; from++) {
        run("duplicate 5%", from, 4);
        assert_books(from);
        assert_in_range(faults(COUNT_NetemDuplicated), 5, 60);
        /* RFC 2883: a copy of data is reported to its sender. */
        assert_true(transfer_count(&t, from, COUNT_TcpExtTCPDSACKRecv) > 0);
        pair_free(&t.pair);
    }
}

/* Whatever bit it is, a checksum or a length shows it. */
static void every_corrupted_frame_is_found_out_by_the_receiver(void **state)
{
    static const enum drop reason[] = { DROP_IP_SHORT,  DROP_IP_VERSION, DROP_IP_HEADER,
                                        DROP_IP_CKSUM,  DROP_IP_OPTIONS, DROP_TCP_CKSUM,
                                        DROP_TCP_SHORT, DROP_TCP_OFFSET };

    for (enum pair_side from = PAIR_A; from <= PAIR_B; from++) {
        uint64_t found = 0;

        run("corrupt 5%", from, 5);
        assert_books(from);
        for (size_t i = 0; i < ARRAY_LEN(reason); i++)
            found += t.pair.host[from == PAIR_A ? PAIR_B : PAIR_A]
                         .st->net.count.drop[reason[i]];
        assert_in_range(faults(COUNT_NetemCorrupted), 5, 60);
        assert_int_equal(found, faults(COUNT_NetemCorrupted));
        pair_free(&t.pair);
    }
}

/* 300,000 bytes and their headers at 1 Mbit/s: 2.5 s at least. */
static void a_rate_gives_a_transfer_its_time(void **state)
{
    static const char *const fault[] = { "rate 1mbit", "rate 1mbit %s:limit 10",
                                         "rate 1mbit %s:codel" };

    for (size_t i = 0; i < ARRAY_LEN(fault); i++)
        for (enum pair_side from = PAIR_A; from <= PAIR_B; from++) {
            char text[100];

            snprintf(text, sizeof text, fault[i], from == PAIR_A ? "out" : "in");
            run(text, from, 6);
            assert_books(from);
            assert_in_range(t.took, 2500000, 4500000);
            pair_free(&t.pair);
        }
}

/* A pack of frames that the queue has no room for is lost at its end. */
static void a_short_queue_drops_and_codel_does_before_it_is_full(void **state)
{
    for (enum pair_side from = PAIR_A; from <= PAIR_B; from++) {
        run(from == PAIR_A ? "rate 5mbit out:limit 8" : "rate 5mbit in:limit 8", from,
            7);
        assert_true(drops(DROP_NETEM_LIMIT) > 0);
        pair_free(&t.pair);
        run(from == PAIR_A ? "rate 2mbit out:codel" : "rate 2mbit in:codel", from, 7);
        assert_int_equal(drops(DROP_NETEM_LIMIT), 0);
        assert_true(drops(DROP_NETEM_CODEL) > 0);
        assert_books(from);
        pair_free(&t.pair);
    }
}

/* RFC 3168: with ECN the same queue marks, and nothing is sent twice. */
static void a_queue_that_marks_slows_the_sender_down_without_loss(void **state)
{
    static const char *const sysctl[] = { "net.ipv4.tcp_ecn=1", NULL };
    static const struct {
        const char *netem;
        bool marks;
    } row[] = { { "rate 10mbit delay 10ms limit 300 codel", false },
                { "rate 10mbit delay 10ms limit 300 codel ecn", true } };

    for (size_t i = 0; i < ARRAY_LEN(row); i++) {
        struct pair_setup setup = { .seed = 3,
                                    .netem = row[i].netem,
                                    .sysctl = sysctl };
        struct transfer_plan plan = { row[i].netem, 4 * MEG, 0, 3, 0 };

        transfer(&t, &setup, &plan);
        const struct counters *a = &t.pair.host[PAIR_A].st->net.count;
        const struct counters *b = &t.pair.host[PAIR_B].st->net.count;
        assert_int_equal(drops(DROP_NETEM_CODEL) > 0, !row[i].marks);
        assert_int_equal(a->n[COUNT_TcpRetransSegs] > 0, !row[i].marks);
        assert_int_equal(faults(COUNT_NetemEcnMarked) > 0, row[i].marks);
        assert_int_equal(b->n[COUNT_IpExtInCEPkts], faults(COUNT_NetemEcnMarked));
        assert_int_equal(a->n[COUNT_TcpExtTCPDeliveredCE] > 0, row[i].marks);
        /* 4 MB at 10 Mbit/s less headers take 3.35 s. */
        assert_in_range(t.took / USEC_PER_MS, 3350, 4000);
        pair_free(&t.pair);
    }
}

static void scripts_strike_just_once(void **state)
{
    static const struct {
        const char *fault;
        unsigned lost, twice, held;
    } row[] = { { "drop data:5", 1, 0, 0 },    { "drop data:5-8", 4, 0, 0 },
                { "twice data:5", 0, 1, 0 },   { "hold ack:3 300ms", 0, 0, 1 },
                { "hold data:2 2s", 0, 0, 1 }, { "twice syn:each", 0, 1, 0 } };

    for (size_t i = 0; i < ARRAY_LEN(row); i++)
        for (enum pair_side from = PAIR_A; from <= PAIR_B; from++) {
            /* The server sends no SYN. */
            unsigned none = from == PAIR_B && i == 5;

            run(row[i].fault, from, 8);
            assert_books(from);
            assert_int_equal(drops(DROP_NETEM_SCRIPT), row[i].lost);
            assert_int_equal(faults(COUNT_NetemDuplicated), row[i].twice - none);
            assert_int_equal(faults(COUNT_NetemHeld), row[i].held);
            pair_free(&t.pair);
        }
}

/* A megabyte over a wire with everything, one way and the other, in less than a minute;
 * six seeds, or with TAPIR_LONG as many as twenty. */
static void a_megabyte_arrives_over_a_wire_with_every_fault(void **state)
{
    const struct pair_setup bad = {
        .netem = "delay 20ms 5ms loss 5% reorder 2% duplicate 1% corrupt 0.5%"
    };
    uint64_t seeds = getenv("TAPIR_LONG") ? 20 : 6;

    for (uint64_t seed = 1; seed <= seeds; seed++)
        for (int way = 0; way < 2; way++) {
            struct pair_setup setup = bad;
            struct transfer_plan plan = { "all", way ? 0 : MEG, way ? MEG : 0, seed,
                                          0 };

            setup.seed = seed;
            transfer(&t, &setup, &plan);
            assert_true(t.took < 60 * USEC_PER_SEC);
            pair_free(&t.pair);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loss_is_a_share_of_what_one_side_sent),
        cmocka_unit_test(reordered_frames_wait_in_the_receivers_queue),
        cmocka_unit_test(copies_reach_the_receiver_and_are_told_apart),
        cmocka_unit_test(every_corrupted_frame_is_found_out_by_the_receiver),
        cmocka_unit_test(a_rate_gives_a_transfer_its_time),
        cmocka_unit_test(a_short_queue_drops_and_codel_does_before_it_is_full),
        cmocka_unit_test(a_queue_that_marks_slows_the_sender_down_without_loss),
        cmocka_unit_test(scripts_strike_just_once),
        cmocka_unit_test(a_megabyte_arrives_over_a_wire_with_every_fault),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
