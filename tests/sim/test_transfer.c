/* Two stacks send each other a stream at the same time, over wires that lose, delay and
 * drop by script, and close in good order. What was read is what was written, byte for
 * byte (SHA-256), nothing is left in either stack, and nothing took longer than it
 * may. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "harness/transfer.h"
#include "wire/dump.h"

enum { MEG = 1 << 20 };

struct row {
    const char *name, *netem;
    size_t to_server, to_client;
    uint64_t seed;
};

static void run_row(const struct row *row)
{
    struct pair_setup setup = { .seed = row->seed, .netem = row->netem };
    struct transfer_plan plan = { row->name, row->to_server, row->to_client, row->seed,
                                  0 };
    transfer_run(&setup, &plan);
}

static void every_size_arrives_whole_in_both_directions(void **state)
{
    static const size_t size[] = { 0,    1,    1447,  1448,  1449,  1459,
                                   1460, 1461, 65535, 65536, 65537, MEG };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(size); i++) {
        struct row row = { "size", "delay 10ms", size[i], size[i], i };
        run_row(&row);
        row.to_client = 0;
        run_row(&row);
        row.to_client = size[i];
        row.to_server = 0;
        run_row(&row);
    }
}

static void loss_and_delay_change_nothing_but_the_time(void **state)
{
    static const struct row row[] = {
        { "no delay", "delay 0ms", MEG, MEG, 1 },
        { "1 % loss", "delay 10ms loss 1%", MEG, MEG, 2 },
        { "1 % loss, another seed", "delay 10ms loss 1%", MEG, MEG, 3 },
        { "5 % loss", "delay 20ms loss 5%", MEG, MEG, 4 },
        { "5 % loss, towards the server", "delay 20ms out:loss 5%", MEG, 1, 5 },
        { "5 % loss of ACKs", "delay 20ms in:loss 5%", MEG, 1, 6 },
        { "20 % loss", "delay 10ms loss 20%", 65537, 65537, 7 },
        { "20 % loss, another seed", "delay 10ms loss 20%", 65537, 65537, 8 },
        { "20 % loss, one way", "delay 10ms out:loss 20%", 200000, 0, 9 },
        { "jitter", "delay 50ms 20ms", MEG, MEG, 10 },
        { "a long wire", "delay 400ms", MEG, MEG, 11 },
        { "a long wire with 1 % loss", "delay 400ms loss 1%", MEG, MEG, 12 },
        { "a short queue", "delay 10ms limit 20", MEG, MEG, 13 },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(row); i++)
        run_row(&row[i]);
}

static void small_transfers_survive_many_seeds_of_heavy_loss(void **state)
{
    static const size_t size[] = { 0, 1, 1461, 30000 };
    (void)state;
    for (uint64_t seed = 100; seed < 140; seed++) {
        size_t n = size[seed % ARRAY_LEN(size)];
        struct row row = { "seeds", "delay 10ms loss 20%", n, 30000 - n, seed };
        run_row(&row);
    }
}

/* RFC 9293 s3.8.1: whatever is lost once is sent again. */
static void what_a_script_drops_is_sent_again(void **state)
{
    static const struct row row[] = {
        { "every SYN once", "delay 10ms drop syn:each", 3000, 3000, 1 },
        { "every SYN-ACK once", "delay 10ms drop synack:each", 3000, 3000, 2 },
        { "the ACK of the SYN-ACK", "delay 10ms out:drop ack:1", 0, 3000, 3 },
        { "the first data segment", "delay 10ms drop data:1", 65537, 65537, 4 },
        { "the second data segment", "delay 10ms drop data:2", 65537, 65537, 5 },
        { "the second, towards the server", "delay 10ms out:drop data:2", 65537, 0, 6 },
        { "the second, towards the client", "delay 10ms in:drop data:2", 0, 65537, 7 },
        { "three in a row", "delay 10ms drop data:3,4,5", 65537, 65537, 8 },
        { "two of them twice", "delay 10ms drop data:2,3,12,13", 20000, 20000, 9 },
        { "the FIN of the client", "delay 10ms out:drop fin:1", 3000, 3000, 10 },
        { "the FIN of the server", "delay 10ms in:drop fin:1", 3000, 3000, 11 },
        { "both FINs", "delay 10ms drop fin:1", 3000, 3000, 12 },
        { "both FINs, nothing sent", "delay 10ms drop fin:1", 0, 0, 13 },
        { "two FINs each", "delay 10ms drop fin:1,2", 1, 1, 14 },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(row); i++)
        run_row(&row[i]);
}

struct last_ack {
    bool fin[2];       /* that side's FIN went by ... */
    struct seq end[2]; /* ... which ends here */
    bool repeated;     /* a FIN went by again */
    unsigned dropped;
};

/* Every acknowledgment of the FIN that came second, until a FIN is repeated. */
static enum pair_fate drop_last_ack(void *ctx, const struct pair_frame *frame)
{
    struct last_ack *l = ctx;
    struct dump_info info;
    unsigned me = frame->from, other = 1 - me;
    dump_look(frame->bytes, frame->len, &info);
    if (!info.is_tcp)
        return PAIR_PASS;
    if (info.seg.flags & TCP_FIN) {
        l->repeated |= l->fin[me];
        l->fin[me] = true;
        l->end[me] = seq_add(info.seg.seq, tcp_seg_len(&info.seg));
        return PAIR_PASS;
    }
    if (!l->fin[me] || !l->fin[other] || l->repeated ||
        !seq_eq(info.seg.ack, l->end[other]))
        return PAIR_PASS;
    l->dropped++;
    return PAIR_DROP;
}

/* RFC 9293 s3.6.1: TIME-WAIT is there to acknowledge the FIN
 * again. */
static void the_last_ack_is_repeated_from_time_wait(void **state)
{
    static struct transfer t;
    struct last_ack l = { 0 };
    struct transfer_plan plan = { "last ACK", 3000, 3000, 1, 0 };
    struct pair_setup setup = {
        .seed = 1, .netem = "delay 10ms", .hook = drop_last_ack, .ctx = &l
    };
    (void)state;
    transfer(&t, &setup, &plan);
    assert_true(l.dropped > 0);
    assert_true(transfer_count(&t, PAIR_A, COUNT_TcpRetransSegs) +
                    transfer_count(&t, PAIR_B, COUNT_TcpRetransSegs) >=
                1);
    assert_int_equal(transfer_count(&t, PAIR_A, COUNT_TcpOutRsts), 0);
    assert_int_equal(transfer_count(&t, PAIR_B, COUNT_TcpOutRsts), 0);
    pair_free(&t.pair);
}

static void a_clean_wire_sees_no_retransmission(void **state)
{
    static struct transfer t;
    struct transfer_plan plan = { "clean", MEG, MEG, 1, 0 };
    struct pair_setup setup = { .seed = 1, .netem = "delay 10ms" };
    (void)state;
    transfer(&t, &setup, &plan);
    for (enum pair_side i = PAIR_A; i <= PAIR_B; i++) {
        assert_int_equal(transfer_count(&t, i, COUNT_TcpRetransSegs), 0);
        assert_int_equal(transfer_count(&t, i, COUNT_TcpOutRsts), 0);
    }
    pair_free(&t.pair);
}

/* Without SACK, timestamps, window scaling, with Reno, with small segments. */
static void every_option_may_be_missing(void **state)
{
    static const char *const plain[] = { "net.ipv4.tcp_sack=0",
                                         "net.ipv4.tcp_timestamps=0",
                                         "net.ipv4.tcp_window_scaling=0", NULL };
    static const char *const no_sack[] = { "net.ipv4.tcp_sack=0", NULL };
    static const char *const no_stamps[] = { "net.ipv4.tcp_timestamps=0", NULL };
    static const char *const reno[] = { "net.ipv4.tcp_congestion_control=reno", NULL };
    static const char *const eager[] = { "tapir.tcp_delack_ms=0", NULL };
    static const char *const small[] = { "net.ipv4.tcp_rmem=4096 8192 8192",
                                         "net.ipv4.tcp_wmem=4096 8192 8192", NULL };
    static const char *const *const with[] = { plain, no_sack, no_stamps,
                                               reno,  eager,   small };
    static struct transfer t;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(with); i++)
        for (uint64_t seed = 0; seed < 4; seed++) {
            struct transfer_plan plan = { with[i][0], 300000, 300000, seed, 0 };
            struct pair_setup setup = { .seed = seed,
                                        .netem = "delay 10ms loss 3%",
                                        .sysctl = with[i] };
            transfer(&t, &setup, &plan);
            pair_free(&t.pair);
        }
}

static void a_small_mtu_is_kept_to(void **state)
{
    static struct transfer t;
    static const unsigned mtu[] = { 296, 576, 9000 };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(mtu); i++) {
        struct transfer_plan plan = { "mtu", 100000, 100000, i, 0 };
        struct pair_setup setup = { .seed = i,
                                    .netem = "delay 1ms loss 1%",
                                    .mtu = mtu[i] };
        transfer(&t, &setup, &plan);
        pair_free(&t.pair);
    }
}

static enum pair_fate hash_frame(void *ctx, const struct pair_frame *frame)
{
    uint8_t at[8];
    put32(at, (uint32_t)frame->at);
    put32(at + 4, frame->from);
    sha256_add(ctx, at, sizeof at);
    sha256_add(ctx, frame->bytes, frame->len);
    return PAIR_PASS;
}

static void hash_run(uint64_t seed, char out[SHA256_TEXT])
{
    static struct transfer t;
    struct sha256 frames;
    struct transfer_plan plan = { "seed", 100000, 100000, 1, 0 };
    struct pair_setup setup = { .seed = seed,
                                .netem = "delay 10ms 5ms loss 2%",
                                .hook = hash_frame,
                                .ctx = &frames };
    sha256_init(&frames);
    transfer(&t, &setup, &plan);
    sha256_text(&frames, out);
    pair_free(&t.pair);
}

static void one_seed_gives_one_run_frame_for_frame(void **state)
{
    char a[SHA256_TEXT], again[SHA256_TEXT], other[SHA256_TEXT];
    (void)state;
    hash_run(7, a);
    hash_run(7, again);
    hash_run(8, other);
    assert_string_equal(a, again);
    assert_string_not_equal(a, other);
}

/* FIPS 180-4's examples, so that equal hashes mean equal streams. */
static void sha256_gives_the_digests_of_its_standard(void **state)
{
    static const struct {
        const char *text, *digest;
    } row[] = {
        { "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
        { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(row); i++) {
        char digest[SHA256_TEXT];
        struct sha256 s;
        sha256_init(&s);
        sha256_add(&s, row[i].text, strlen(row[i].text));
        sha256_text(&s, digest);
        assert_string_equal(digest, row[i].digest);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_gives_the_digests_of_its_standard),
        cmocka_unit_test(every_size_arrives_whole_in_both_directions),
        cmocka_unit_test(a_clean_wire_sees_no_retransmission),
        cmocka_unit_test(what_a_script_drops_is_sent_again),
        cmocka_unit_test(the_last_ack_is_repeated_from_time_wait),
        cmocka_unit_test(loss_and_delay_change_nothing_but_the_time),
        cmocka_unit_test(small_transfers_survive_many_seeds_of_heavy_loss),
        cmocka_unit_test(every_option_may_be_missing),
        cmocka_unit_test(a_small_mtu_is_kept_to),
        cmocka_unit_test(one_seed_gives_one_run_frame_for_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
