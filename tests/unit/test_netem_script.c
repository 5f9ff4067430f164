#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/bytes.h"
#include "harness/netem_rig.h"
#include "wire/tcp_wire.h"

/* One conversation, a character a frame: whether it came through. */
static void a_script_drops_just_the_frames_it_names(void **state)
{
    static const struct rig_segment talk[] = {
        { TCP_SYN, 0, 1000, 100, 0 },            /* 0 */
        { TCP_SYN | TCP_ACK, 0, 1000, 500, 0 },  /* 1 */
        { TCP_ACK, 0, 1000, 101, 0 },            /* 2 */
        { TCP_ACK | TCP_PSH, 10, 1000, 101, 0 }, /* 3 data */
        { TCP_ACK, 1400, 1000, 111, 0 },         /* 4 data */
        { TCP_ACK, 0, 1000, 1511, 0 },           /* 5 */
        { TCP_ACK | TCP_FIN, 9, 1000, 1511, 0 }, /* 6 data with FIN */
        { TCP_ACK | TCP_FIN, 0, 1000, 501, 0 },  /* 7 */
        { TCP_RST, 0, 1000, 1521, 0 },           /* 8 */
        { TCP_RST | TCP_ACK, 0, 1000, 1521, 0 }, /* 9 */
    };
    static const struct {
        const char *spec, *through;
    } row[] = {
        { "drop syn:1", ".xxxxxxxxx" },
        { "drop synack:1", "x.xxxxxxxx" },
        { "drop ack:1", "xx.xxxxxxx" },
        { "drop ack:2", "xxxxx.xxxx" },
        { "drop ack:3", "xxxxxxxxxx" },
        { "drop data:2", "xxxx.xxxxx" },
        { "drop data:1,3", "xxx.xx.xxx" },
        { "drop fin:1", "xxxxxx.xxx" },
        { "drop fin:2", "xxxxxxx.xx" },
        { "drop rst:1", "xxxxxxxx.x" },
        { "drop rst:2", "xxxxxxxxx." },
        { "drop any:1,2,10", "..xxxxxxx." },
        { "drop data:each", "xxx.xxxxxx" },
        { "drop fin:1 drop data:1", "xxx.xx.xxx" },
        { "drop syn:2", "xxxxxxxxxx" },
        { "drop any:3-5", "xx...xxxxx" },
        { "drop any:1-2,9-20", "..xxxxxx.." },
        { "drop data:2-2", "xxxx.xxxxx" },
        { "drop ack:each", "xx.xxxxxxx" },
    };

    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        for (enum rig_way way = RIG_IN; way <= RIG_OUT; way++) {
            char through[11] = "";
            struct netem_rig w;

            rig_init(&w, row[i].spec, way, 1);
            for (int k = 0; k < 10; k++) {
                int err = netem_offer(&w.netem, rig_tcp(&w, talk[k]), 0);

                assert_true(err == 0 || err == -(int)DROP_NETEM_SCRIPT - 1);
                through[k] = rig_drain(&w, 0) ? 'x' : '.';
            }
            assert_string_equal(through, row[i].through);
            rig_free(&w);
        }
    }
}

static void each_means_once_a_connection(void **state)
{
    const uint8_t synack = TCP_SYN | TCP_ACK;
    struct netem_rig w;

    rig_init(&w, "drop synack:each", RIG_OUT, 1);
    for (uint16_t port = 1000; port < 1300; port++) {
        struct rig_segment s = { synack, 0, port, port * 7u, 0 };

        assert_true(netem_offer(&w.netem, rig_tcp(&w, s), 0) < 0);
        assert_int_equal(netem_offer(&w.netem, rig_tcp(&w, s), 0), 0);
        assert_int_equal(netem_offer(&w.netem, rig_tcp(&w, s), 0), 0);
    }
    assert_int_equal(w.count.drop[DROP_NETEM_SCRIPT], 300);
    /* A new connection between ports that were used before. */
    assert_true(netem_offer(&w.netem,
                            rig_tcp(&w, (struct rig_segment){ synack, 0, 1000, 1, 0 }),
                            0) < 0);
    rig_free(&w);
}

static void each_goes_on_when_more_connections_come_than_it_remembers(void **state)
{
    struct netem_rig w;
    unsigned hit = 0;

    rig_init(&w, "drop data:each", RIG_IN, 1);
    for (uint16_t port = 1; port <= 20000; port++) {
        struct rig_segment s = { TCP_ACK, 1, port, 1, 0 };

        hit += netem_offer(&w.netem, rig_tcp(&w, s), 0) < 0;
        assert_int_equal(netem_offer(&w.netem, rig_tcp(&w, s), 0), 0);
        rig_drain(&w, 0);
    }
    assert_int_equal(hit, 20000);
    rig_free(&w);
}

static void a_frame_that_is_no_ip_or_is_cut_short_is_of_kind_any_alone(void **state)
{
    struct netem_rig w;
    struct pkt *p;

    rig_init(&w, "drop syn:each drop data:each drop any:3", RIG_IN, 1);
    assert_int_equal(netem_offer(&w.netem, rig_numbered(&w, 0, 60), 0), 0);
    p = rig_tcp(&w, (struct rig_segment){ TCP_SYN, 0, 1000, 1, 0 });
    pkt_trim(p, 50);
    assert_int_equal(netem_offer(&w.netem, p, 0), 0);
    p = pkt_new(&w.pool, 10);
    memset(pkt_put(p, 3), 0, 3);
    assert_true(netem_offer(&w.netem, p, 0) < 0);
    rig_free(&w);
}

static void a_frame_named_twice_goes_on_with_a_copy(void **state)
{
    for (enum rig_way way = RIG_IN; way <= RIG_OUT; way++) {
        unsigned through[5];
        struct netem_rig w;

        rig_init(&w, "twice data:2,4", way, 1);
        for (uint16_t i = 0; i < 5; i++) {
            struct rig_segment s = { TCP_ACK, 100, 1000, i * 100u, 0 };

            assert_int_equal(netem_offer(&w.netem, rig_tcp(&w, s), 0), 0);
            through[i] = rig_drain(&w, 0);
        }
        assert_memory_equal(through, ((unsigned[]){ 1, 2, 1, 2, 1 }), sizeof through);
        assert_int_equal(w.count.n[COUNT_NetemDuplicated], 2);
        rig_free(&w);
    }
}

/* "The third ACK by 300 ms." */
static void a_frame_that_is_held_comes_that_much_later_and_others_overtake(void **state)
{
    static const uint32_t order[] = { 0, 1, 3, 4, 2 };

    for (enum rig_way way = RIG_IN; way <= RIG_OUT; way++) {
        struct netem_rig w;

        rig_init(&w, "delay 20ms hold ack:3 300ms", way, 1);
        for (uint32_t i = 0; i < 5; i++) {
            struct rig_segment s = { TCP_ACK, 0, 1000, i, 0 };

            assert_int_equal(netem_offer(&w.netem, rig_tcp(&w, s), i * 1000), 0);
        }
        for (uint32_t i = 0; i < 5; i++) {
            usec due = order[i] == 2 ? 322000 : 20000 + order[i] * 1000;
            struct pkt *p;

            assert_int_equal(netem_deadline(&w.netem), due);
            p = netem_take(&w.netem, due);
            assert_int_equal(get32(p->data + 38), order[i]);
            pkt_free(p);
        }
        assert_int_equal(w.count.n[COUNT_NetemHeld], 1);
        rig_free(&w);
    }
}

static void a_frame_held_and_sent_twice_goes_on_and_its_copy_is_held(void **state)
{
    struct rig_segment s = { TCP_ACK, 100, 1000, 1, 0 };
    struct netem_rig w;

    rig_init(&w, "delay 1ms twice data:1 hold data:1 2s", RIG_OUT, 1);
    assert_int_equal(netem_offer(&w.netem, rig_tcp(&w, s), 0), 0);
    assert_int_equal(rig_drain(&w, 1000), 1);
    assert_int_equal(netem_deadline(&w.netem), 2001000);
    assert_int_equal(rig_drain(&w, 2001000), 1);
    rig_free(&w);
}

static void a_row_that_drops_wins_over_the_others(void **state)
{
    struct rig_segment s = { TCP_ACK, 100, 1000, 1, 0 };
    struct netem_rig w;

    rig_init(&w, "twice data:1 drop data:1 hold data:1 2s", RIG_IN, 1);
    assert_true(netem_offer(&w.netem, rig_tcp(&w, s), 0) < 0);
    assert_true(netem_deadline(&w.netem) == INT64_MAX);
    rig_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_script_drops_just_the_frames_it_names),
        cmocka_unit_test(each_means_once_a_connection),
        cmocka_unit_test(each_goes_on_when_more_connections_come_than_it_remembers),
        cmocka_unit_test(a_frame_that_is_no_ip_or_is_cut_short_is_of_kind_any_alone),
        cmocka_unit_test(a_frame_named_twice_goes_on_with_a_copy),
        cmocka_unit_test(
            a_frame_that_is_held_comes_that_much_later_and_others_overtake),
        cmocka_unit_test(a_frame_held_and_sent_twice_goes_on_and_its_copy_is_held),
        cmocka_unit_test(a_row_that_drops_wins_over_the_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
