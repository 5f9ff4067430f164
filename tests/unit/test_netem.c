#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "edge/netem.h"
#include "wire/eth.h"
#include "wire/ip4_wire.h"
#include "wire/tcp_wire.h"

/* One direction of a link with an emulator in it. */
struct wire {
    struct pkt_pool pool;
    struct counters count;
    struct netem netem;
};

enum direction { IN, OUT };

static void wire_init(struct wire *w, const char *spec, enum direction way,
                      uint64_t seed)
{
    struct netem_spec parsed;
    char why[160];

    memset(w, 0, sizeof *w);
    pkt_pool_init(&w->pool, 64 << 20, 0);
    assert_int_equal(netem_parse(spec, &parsed, why, sizeof why), 0);
    netem_init(&w->netem, way == IN ? &parsed.in : &parsed.out, seed, &w->count);
}

static void wire_free(struct wire *w)
{
    netem_free(&w->netem);
    assert_int_equal(w->pool.live, 0);
    pkt_pool_free(&w->pool);
}

/* A TCP segment as a frame. */
struct segment {
    uint8_t flags;
    uint16_t text_len, port; /* port: the client's, which names the connection */
    uint32_t seq;
};

static struct pkt *tcp_frame(struct wire *w, struct segment s)
{
    struct pkt *p = pkt_new(&w->pool, 1600);
    struct ip4 ip = { .src = ip4_addr(0xc0000201),
                      .dst = ip4_addr(0xc0000202),
                      .total_len = (uint16_t)(40 + s.text_len),
                      .ttl = 64,
                      .proto = 6 };
    struct tcp_seg seg = { .src_port = s.port,
                           .dst_port = 80,
                           .seq = seq_at(s.seq),
                           .wnd = 1000,
                           .flags = s.flags };

    assert_non_null(p);
    eth_emit(pkt_put(p, 14), &(struct eth){ .type = 0x0800 });
    ip4_emit(pkt_put(p, 20), &ip);
    assert_int_equal(tcp_emit_header(pkt_put(p, 20), &seg), 20);
    memset(pkt_put(p, s.text_len), 'x', s.text_len);
    return p;
}

/* A frame that is no IP, with a number to know it by. */
static struct pkt *numbered(struct wire *w, uint8_t number)
{
    struct pkt *p = pkt_new(&w->pool, 60);

    assert_non_null(p);
    memset(pkt_put(p, 60), 0, 60);
    p->data[12] = 0x88;
    p->data[13] = 0xb5;
    p->data[14] = number;
    return p;
}

/* Takes what is due; how many frames. */
static unsigned drain(struct wire *w, usec now)
{
    unsigned n = 0;

    for (struct pkt *p; (p = netem_take(&w->netem, now)) != NULL; n++)
        pkt_free(p);
    return n;
}

static void without_a_fault_a_frame_comes_out_at_once(void **state)
{
    struct wire w;
    struct pkt *p;

    wire_init(&w, "", IN, 1);
    assert_true(netem_deadline(&w.netem) == INT64_MAX);
    assert_int_equal(netem_offer(&w.netem, numbered(&w, 42), 1000), 0);
    assert_int_equal(netem_deadline(&w.netem), 1000);
    p = netem_take(&w.netem, 1000);
    assert_non_null(p);
    assert_int_equal(p->data[14], 42);
    assert_int_equal(p->len, 60);
    assert_null(netem_take(&w.netem, 1000));
    pkt_free(p);
    wire_free(&w);
}

static void delay_holds_every_frame_exactly_that_long_in_both_directions(void **state)
{
    for (enum direction way = IN; way <= OUT; way++) {
        struct wire w;

        wire_init(&w, "delay 20ms", way, 1);
        for (usec i = 0; i < 100; i++)
            assert_int_equal(netem_offer(&w.netem, numbered(&w, 0), i * 1000), 0);
        for (usec i = 0; i < 100; i++) {
            assert_int_equal(netem_deadline(&w.netem), 20000 + i * 1000);
            assert_int_equal(drain(&w, 20000 + i * 1000 - 1), 0);
            assert_int_equal(drain(&w, 20000 + i * 1000), 1);
        }
        assert_int_equal(w.netem.passed, 100);
        wire_free(&w);
    }
}

static void a_fault_for_one_direction_leaves_the_other_alone(void **state)
{
    struct wire in, out;

    wire_init(&in, "in:delay 20ms in:loss 100%", IN, 1);
    wire_init(&out, "in:delay 20ms in:loss 100%", OUT, 1);
    netem_offer(&in.netem, numbered(&in, 0), 0);
    netem_offer(&out.netem, numbered(&out, 0), 0);
    assert_int_equal(drain(&in, 1000000), 0);
    assert_int_equal(drain(&out, 0), 1);
    wire_free(&in);
    wire_free(&out);
}

static void jitter_spreads_the_delay_evenly_within_its_bounds(void **state)
{
    for (enum direction way = IN; way <= OUT; way++) {
        unsigned fifth[5] = { 0 };
        struct wire w;

        wire_init(&w, "delay 20ms 5ms", way, 1);
        for (usec i = 0; i < 1000; i++) {
            usec late;

            netem_offer(&w.netem, numbered(&w, 0), i * 100000);
            late = netem_deadline(&w.netem) - i * 100000;
            assert_in_range(late, 15000, 25000);
            fifth[(late - 15000) / 2001]++;
            assert_int_equal(drain(&w, i * 100000 + 25000), 1);
        }
        /* 200 expected in each, standard deviation 13. */
        for (int i = 0; i < 5; i++)
            assert_in_range(fifth[i], 150, 250);
        wire_free(&w);
    }
}

static void jitter_keeps_the_order_of_frames(void **state)
{
    struct wire w;
    usec last = 0;

    wire_init(&w, "delay 20ms 20ms", OUT, 7);
    for (int i = 0; i < 200; i++)
        netem_offer(&w.netem, numbered(&w, (uint8_t)i), i * 100);
    for (int i = 0; i < 200; i++) {
        usec at = netem_deadline(&w.netem);
        struct pkt *p = netem_take(&w.netem, at);

        assert_true(at >= last && at >= i * 100 && at <= 40000 + i * 100);
        assert_int_equal(p->data[14], i);
        last = at;
        pkt_free(p);
    }
    wire_free(&w);
}

static void jitter_above_the_delay_never_delivers_before_the_offer(void **state)
{
    struct wire w;

    wire_init(&w, "delay 1ms 10ms", IN, 3);
    for (usec i = 0; i < 200; i++) {
        netem_offer(&w.netem, numbered(&w, 0), i * 50000);
        assert_in_range(netem_deadline(&w.netem), i * 50000, i * 50000 + 11000);
        assert_int_equal(drain(&w, i * 50000 + 11000), 1);
    }
    wire_free(&w);
}

static unsigned lost_of_1000(enum direction way, const char *spec, uint64_t seed)
{
    struct wire w;
    unsigned lost = 0;

    wire_init(&w, spec, way, seed);
    for (int i = 0; i < 1000; i++) {
        int err = netem_offer(&w.netem, numbered(&w, 0), i);

        assert_true(err == 0 || err == -(int)DROP_NETEM_LOSS - 1);
        lost += err < 0;
        assert_int_equal(drain(&w, i), err == 0 ? 1 : 0);
    }
    assert_int_equal(w.netem.offered, 1000);
    assert_int_equal(w.netem.lost, lost);
    assert_int_equal(w.netem.passed, 1000 - lost);
    assert_int_equal(w.count.drop[DROP_NETEM_LOSS], lost);
    wire_free(&w);
    return lost;
}

static void loss_takes_its_share_in_both_directions(void **state)
{
    for (enum direction way = IN; way <= OUT; way++) {
        assert_int_equal(lost_of_1000(way, "loss 0%", 1), 0);
        assert_int_equal(lost_of_1000(way, "loss 100%", 1), 1000);
        /* 100 expected, standard deviation 9.5: five of them either way. */
        for (uint64_t seed = 1; seed <= 50; seed++)
            assert_in_range(lost_of_1000(way, "loss 10%", seed), 53, 147);
    }
}

static void the_seed_decides_the_fate_of_every_frame(void **state)
{
    assert_int_equal(lost_of_1000(IN, "loss 10%", 1), 104);
    assert_int_equal(lost_of_1000(OUT, "loss 10%", 1), 104);
    assert_int_equal(lost_of_1000(IN, "loss 10%", 2), 85);
}

static void the_limit_counts_frames_in_flight(void **state)
{
    for (enum direction way = IN; way <= OUT; way++) {
        struct wire w;

        wire_init(&w, "delay 10ms limit 10", way, 1);
        for (int i = 0; i < 10; i++)
            assert_int_equal(netem_offer(&w.netem, numbered(&w, 0), i), 0);
        assert_int_equal(netem_offer(&w.netem, numbered(&w, 0), 10),
                         -(int)DROP_NETEM_LIMIT - 1);
        assert_int_equal(w.count.drop[DROP_NETEM_LIMIT], 1);
        assert_int_equal(drain(&w, 10000), 1);
        assert_int_equal(netem_offer(&w.netem, numbered(&w, 0), 10000), 0);
        assert_int_equal(drain(&w, 20000), 10);
        wire_free(&w);
    }
}

static void the_limit_is_1000_when_none_is_given(void **state)
{
    struct wire w;

    wire_init(&w, "delay 10ms", IN, 1);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(netem_offer(&w.netem, numbered(&w, 0), 0), 0);
    assert_true(netem_offer(&w.netem, numbered(&w, 0), 0) < 0);
    wire_free(&w);
}

/* One conversation, a character a frame: whether it came through. */
static void a_script_drops_just_the_frames_it_names(void **state)
{
    static const struct segment talk[] = {
        { TCP_SYN, 0, 1000, 100 },            /* 0 */
        { TCP_SYN | TCP_ACK, 0, 1000, 500 },  /* 1 */
        { TCP_ACK, 0, 1000, 101 },            /* 2 */
        { TCP_ACK | TCP_PSH, 10, 1000, 101 }, /* 3 data */
        { TCP_ACK, 1400, 1000, 111 },         /* 4 data */
        { TCP_ACK, 0, 1000, 1511 },           /* 5 */
        { TCP_ACK | TCP_FIN, 9, 1000, 1511 }, /* 6 data with FIN */
        { TCP_ACK | TCP_FIN, 0, 1000, 501 },  /* 7 */
        { TCP_RST, 0, 1000, 1521 },           /* 8 */
        { TCP_RST | TCP_ACK, 0, 1000, 1521 }, /* 9 */
    };
    static const struct {
        const char *spec, *through;
    } row[] = {
        { "drop syn:1", ".xxxxxxxxx" },     { "drop synack:1", "x.xxxxxxxx" },
        { "drop ack:1", "xx.xxxxxxx" },     { "drop ack:2", "xxxxx.xxxx" },
        { "drop ack:3", "xxxxxxxxxx" },     { "drop data:2", "xxxx.xxxxx" },
        { "drop data:1,3", "xxx.xx.xxx" },  { "drop fin:1", "xxxxxx.xxx" },
        { "drop fin:2", "xxxxxxx.xx" },     { "drop rst:1", "xxxxxxxx.x" },
        { "drop rst:2", "xxxxxxxxx." },     { "drop any:1,2,10", "..xxxxxxx." },
        { "drop data:each", "xxx.xxxxxx" }, { "drop fin:1 drop data:1", "xxx.xx.xxx" },
        { "drop syn:2", "xxxxxxxxxx" },     { "drop ack:each", "xx.xxxxxxx" },
    };

    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        for (enum direction way = IN; way <= OUT; way++) {
            char through[11] = "";
            struct wire w;

            wire_init(&w, row[i].spec, way, 1);
            for (int k = 0; k < 10; k++) {
                int err = netem_offer(&w.netem, tcp_frame(&w, talk[k]), 0);

                assert_true(err == 0 || err == -(int)DROP_NETEM_SCRIPT - 1);
                through[k] = drain(&w, 0) ? 'x' : '.';
            }
            assert_string_equal(through, row[i].through);
            wire_free(&w);
        }
    }
}

static void each_means_once_a_connection(void **state)
{
    const uint8_t synack = TCP_SYN | TCP_ACK;
    struct wire w;

    wire_init(&w, "drop synack:each", OUT, 1);
    for (uint16_t port = 1000; port < 1300; port++) {
        struct segment s = { synack, 0, port, port * 7u };

        assert_true(netem_offer(&w.netem, tcp_frame(&w, s), 0) < 0);
        assert_int_equal(netem_offer(&w.netem, tcp_frame(&w, s), 0), 0);
        assert_int_equal(netem_offer(&w.netem, tcp_frame(&w, s), 0), 0);
    }
    assert_int_equal(w.count.drop[DROP_NETEM_SCRIPT], 300);
    /* A new connection between ports that were used before. */
    assert_true(netem_offer(&w.netem,
                            tcp_frame(&w, (struct segment){ synack, 0, 1000, 1 }),
                            0) < 0);
    wire_free(&w);
}

static void each_goes_on_when_more_connections_come_than_it_remembers(void **state)
{
    struct wire w;
    unsigned hit = 0;

    wire_init(&w, "drop data:each", IN, 1);
    for (uint16_t port = 1; port <= 20000; port++) {
        struct segment s = { TCP_ACK, 1, port, 1 };

        hit += netem_offer(&w.netem, tcp_frame(&w, s), 0) < 0;
        assert_int_equal(netem_offer(&w.netem, tcp_frame(&w, s), 0), 0);
        drain(&w, 0);
    }
    assert_int_equal(hit, 20000);
    wire_free(&w);
}

static void the_script_counts_what_is_offered_not_what_loss_leaves(void **state)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct wire w;

        wire_init(&w, "loss 50% drop data:5", IN, seed);
        for (int i = 1; i <= 10; i++) {
            struct segment s = { TCP_ACK, 100, 1000, (uint32_t)i * 100 };
            int err = netem_offer(&w.netem, tcp_frame(&w, s), 0);

            assert_int_equal(err == -(int)DROP_NETEM_SCRIPT - 1, i == 5);
        }
        wire_free(&w);
    }
}

static void a_frame_that_is_no_ip_or_is_cut_short_is_of_kind_any_alone(void **state)
{
    struct wire w;
    struct pkt *p;

    wire_init(&w, "drop syn:each drop data:each drop any:3", IN, 1);
    assert_int_equal(netem_offer(&w.netem, numbered(&w, 0), 0), 0);
    p = tcp_frame(&w, (struct segment){ TCP_SYN, 0, 1000, 1 });
    pkt_trim(p, 50);
    assert_int_equal(netem_offer(&w.netem, p, 0), 0);
    p = pkt_new(&w.pool, 10);
    memset(pkt_put(p, 3), 0, 3);
    assert_true(netem_offer(&w.netem, p, 0) < 0);
    wire_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_fault_a_frame_comes_out_at_once),
        cmocka_unit_test(delay_holds_every_frame_exactly_that_long_in_both_directions),
        cmocka_unit_test(a_fault_for_one_direction_leaves_the_other_alone),
        cmocka_unit_test(jitter_spreads_the_delay_evenly_within_its_bounds),
        cmocka_unit_test(jitter_keeps_the_order_of_frames),
        cmocka_unit_test(jitter_above_the_delay_never_delivers_before_the_offer),
        cmocka_unit_test(loss_takes_its_share_in_both_directions),
        cmocka_unit_test(the_seed_decides_the_fate_of_every_frame),
        cmocka_unit_test(the_limit_counts_frames_in_flight),
        cmocka_unit_test(the_limit_is_1000_when_none_is_given),
        cmocka_unit_test(a_script_drops_just_the_frames_it_names),
        cmocka_unit_test(each_means_once_a_connection),
        cmocka_unit_test(each_goes_on_when_more_connections_come_than_it_remembers),
        cmocka_unit_test(the_script_counts_what_is_offered_not_what_loss_leaves),
        cmocka_unit_test(a_frame_that_is_no_ip_or_is_cut_short_is_of_kind_any_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
