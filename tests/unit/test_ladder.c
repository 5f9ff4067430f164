#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/drop.h"
#include "edge/ladder.h"
#include "harness/frame.h"

/* A ladder that draws into memory. */
struct fixture {
    struct ladder ladder;
    struct pkt_pool pool;
    FILE *out;
    char *drawn;
    size_t len;
    usec now;
};

static const struct frame_from we = { true, 40000, 80 };
static const struct frame_from they = { false, 40000, 80 };

static void begin(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    pkt_pool_init(&f->pool, 1 << 20, 0);
    f->out = open_memstream(&f->drawn, &f->len);
    assert_non_null(f->out);
    assert_int_equal(ladder_init(&f->ladder, f->out), 0);
}

/* Every line fits into 100 columns and is plain ASCII without trailing blanks. */
static void check_lines(const char *s)
{
    size_t column = 0;

    for (; *s; s++) {
        if (*s == '\n') {
            assert_true(column == 0 || s[-1] != ' ');
            column = 0;
            continue;
        }
        assert_in_range(*s, ' ', '~');
        assert_in_range(++column, 1, 100);
    }
}

/* What stands behind the legend's two lines. */
static const char *rows(const char *s)
{
    for (int i = 0; i < 2 && (s = strchr(s, '\n')); i++)
        s++;
    assert_non_null(s);
    return s;
}

/* Ends the drawing: it stays in f->drawn until done(). */
static const char *drawn(struct fixture *f)
{
    ladder_free(&f->ladder);
    fclose(f->out);
    check_lines(f->drawn);
    return f->drawn;
}

static void done(struct fixture *f)
{
    free(f->drawn);
    assert_int_equal(f->ladder.pool.live, 0);
    assert_int_equal(f->pool.live, 0);
    pkt_pool_free(&f->pool);
}

/* How often `part` stands in what was drawn. */
static unsigned occurs(const struct fixture *f, const char *part)
{
    unsigned n = 0;
    for (const char *s = f->drawn; (s = strstr(s, part)); s++)
        n++;
    return n;
}

static struct trace_tuple tuple(uint16_t our_port, uint16_t peer_port)
{
    struct trace_tuple t = { .local_port = our_port, .remote_port = peer_port };
    memcpy(t.local, ip4_addr(0xc0000202).b, 16);
    memcpy(t.remote, ip4_addr(0xc0000201).b, 16);
    return t;
}

static void tell(struct fixture *f, struct trace_event event)
{
    event.at = f->now;
    ladder_event(&f->ladder, &event);
}

static void frame(struct fixture *f, bool out, struct pkt *p)
{
    tell(f, (struct trace_event){ .kind = out ? TRACE_FRAME_OUT : TRACE_FRAME_IN,
                                  .u.frame.pkt = p });
    pkt_free(p);
}

static void segment(struct fixture *f, struct frame_from from, const char *line)
{
    frame(f, from.us, frame_tcp(&f->pool, from, line));
}

static void becomes(struct fixture *f, struct trace_tuple t, const char *from,
                    const char *to)
{
    tell(f, (struct trace_event){ .kind = TRACE_STATE, .u.state = { t, from, to } });
}

static void call(struct fixture *f, const char *text, int64_t result, int error)
{
    tell(f,
         (struct trace_event){ .kind = TRACE_CALL, .u.call = { text, result, error } });
}

static void rexmit(struct fixture *f, uint32_t seq, uint32_t len, const char *why)
{
    tell(f, (struct trace_event){ .kind = TRACE_REXMIT,
                                  .u.rexmit = { tuple(40000, 80), seq, len, why } });
}

/* clang-format off */
static const char handshake[] =
"                flags first:next(text bytes) ack window <options>        IP + TCP header + text\n"
"                S SYN, F FIN, R RST, P PSH, . ACK; * new state, x dropped; this host is left\n"
"  0.000000    --> arp who-has 192.0.2.1 tell 192.0.2.2\n"
"      time 192.0.2.2:40000                                                              192.0.2.1:80\n"
"  0.000000 *  CLOSED -> SYN-SENT                                                                   |\n"
"  0.000000 |--- S 0:0(0) win 64240 <mss 1460,sackOK,TS val 0 ecr 0,wscale 7> ---------- 20+40+0 -->|\n"
"  0.020000 |<-- S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK,TS val 0 ecr 0,wscale 8> --- 20+40+0 ---|\n"
"  0.020000 *  SYN-SENT -> ESTAB                                                                    |\n"
"  0.020000 |--- . 1:1(0) ack 1 win 502 <TS val 20 ecr 0> ------------------------------ 20+32+0 -->|\n"
"  0.020000 |  connect(3, 192.0.2.1:80) = 0                                                         |\n"
"  0.020000 |--- P. 1:101(100) ack 1 win 502 <TS val 20 ecr 0> ----------------------- 20+32+100 -->|\n"
"  1.040000 |<-- . 1:1(0) ack 101 win 256 <TS val 20 ecr 20> --------------------------- 20+32+0 ---|\n";
/* clang-format on */

static void a_handshake_is_drawn_between_two_lifelines(void **state)
{
    struct fixture f;

    begin(&f);
    frame(&f, true, frame_arp(&f.pool, true));
    becomes(&f, tuple(40000, 80), "CLOSED", "SYN-SENT");
    segment(&f, we,
            "S 7000:7000(0) win 64240 <mss 1460,sackOK,TS val 500 ecr 0,wscale 7>");
    f.now = 20000;
    segment(
        &f, they,
        "S. 9:9(0) ack 7001 win 65535 <mss 1460,sackOK,TS val 88 ecr 500,wscale 8>");
    becomes(&f, tuple(40000, 80), "SYN-SENT", "ESTAB");
    segment(&f, we, ". 7001:7001(0) ack 10 win 502 <TS val 520 ecr 88>");
    call(&f, "connect(3, 192.0.2.1:80)", 0, 0);
    segment(&f, we, "P. 7001:7101(100) ack 10 win 502 <TS val 520 ecr 88>");
    f.now = 1040000;
    segment(&f, they, ". 10:10(0) ack 7101 win 256 <TS val 108 ecr 520>");
    assert_string_equal(drawn(&f), handshake);
    done(&f);
}

/* A SYN that a device or netem lost is sent again: every segment of the range is marked
 * with the reason, and the next one is not. */
static void a_retransmission_is_marked_with_its_reason(void **state)
{
    struct fixture f;

    begin(&f);
    segment(&f, we, "S 7000:7000(0) win 1");
    segment(&f, we, "P. 7001:7101(100) ack 10 win 1");
    f.now = 1000000;
    rexmit(&f, 7000, 1, "RTO");
    segment(&f, we, "S 7000:7000(0) win 1");
    rexmit(&f, 7001, 2000, "fast retransmit");
    frame(&f, true,
          frame_tcp_gso(&f.pool, we, "P. 7001:9001(2000) ack 10 win 1", 1000));
    segment(&f, we, "P. 9001:9002(1) ack 10 win 1");
    f.now = 1000001;
    segment(&f, we, "P. 7001:7101(100) ack 10 win 1");
    drawn(&f);
    assert_int_equal(occurs(&f, "|--- S 0:0(0) win 1 ---"), 2);
    assert_int_equal(occurs(&f, " [RTO] 20+20+0 -->|\n"), 1);
    assert_int_equal(occurs(&f, "|--- . 1:1001(1000) ack 1 win 1 ---"), 1);
    assert_int_equal(occurs(&f, "|--- P. 1001:2001(1000) ack 1 win 1 ---"), 1);
    assert_int_equal(occurs(&f, " [fast retransmit] 20+20+1000 -->|\n"), 2);
    assert_int_equal(occurs(&f, "["), 3);
    done(&f);
}

static void a_retransmission_that_never_left_gets_a_row(void **state)
{
    struct fixture f;

    begin(&f);
    segment(&f, we, "S 7000:7000(0) win 1");
    rexmit(&f, 7001, 100, "RTO");
    f.now = 1;
    segment(&f, they, ". 10:10(0) ack 7001 win 1");
    rexmit(&f, 7001, 50, "TLP");
    drawn(&f);
    assert_int_equal(occurs(&f, "  0.000000 |  retransmit 1:101(100) [RTO]  "), 1);
    assert_int_equal(occurs(&f, "  0.000001 |  retransmit 1:51(50) [TLP]  "), 1);
    done(&f);
}

static void a_super_segment_is_drawn_as_the_segments_of_the_wire(void **state)
{
    struct fixture f;

    begin(&f);
    frame(&f, true, frame_tcp_gso(&f.pool, we, "P. 1:3001(3000) ack 1 win 9", 1460));
    drawn(&f);
    assert_int_equal(occurs(&f, "|--- . 1:1461(1460) ack 1 win 9 ---"), 1);
    assert_int_equal(occurs(&f, "|--- . 1461:2921(1460) ack 1 win 9 ---"), 1);
    assert_int_equal(occurs(&f, "|--- P. 2921:3001(80) ack 1 win 9 ---"), 1);
    assert_int_equal(occurs(&f, " 20+20+80 -->|\n"), 1);
    done(&f);
}

/* Joined late, the first text is number 1 on both sides, as behind a SYN. */
static void without_a_syn_numbers_count_from_what_comes_first(void **state)
{
    struct fixture f;

    begin(&f);
    segment(&f, we, "P. 5000:5100(100) ack 900 win 1");
    segment(&f, they, "P. 900:950(50) ack 5100 win 1");
    drawn(&f);
    assert_int_equal(occurs(&f, "|--- P. 1:101(100) ack 1 win 1 "), 1);
    assert_int_equal(occurs(&f, "|<-- P. 1:51(50) ack 101 win 1 "), 1);
    done(&f);
}

/* RFC 9293 s3.10.7.1: the RST for a SYN to nobody has sequence number 0. */
static void a_reset_for_nobody_shows_its_own_number_as_zero(void **state)
{
    struct fixture f;

    begin(&f);
    segment(&f, we, "S 7000:7000(0) win 1");
    segment(&f, they, "R. 0:0(0) ack 7001 win 0");
    drawn(&f);
    assert_int_equal(occurs(&f, "|<-- R. 0:0(0) ack 1 win 0 "), 1);
    done(&f);
}

/* Also where the SYN was sent twice: the second is not a new beginning. */
static void timestamps_count_from_the_first_syn(void **state)
{
    struct fixture f;

    begin(&f);
    segment(&f, we, "S 7:7(0) win 1 <TS val 500 ecr 0>");
    segment(&f, we, "S 7:7(0) win 1 <TS val 1500 ecr 0>");
    segment(&f, they, "S. 9:9(0) ack 8 win 1 <TS val 70 ecr 500>");
    segment(&f, they, ". 10:10(0) ack 8 win 1 <TS val 75 ecr 1500>");
    drawn(&f);
    assert_int_equal(occurs(&f, "S 0:0(0) win 1 <TS val 1000 ecr 0>"), 1);
    assert_int_equal(occurs(&f, "S. 0:0(0) ack 1 win 1 <TS val 0 ecr 0>"), 1);
    assert_int_equal(occurs(&f, ". 1:1(0) ack 1 win 1 <TS val 5 ecr 1000>"), 1);
    done(&f);
}

static void a_new_syn_on_the_same_ports_begins_new_numbers(void **state)
{
    struct fixture f;

    begin(&f);
    segment(&f, they, "S 100:100(0) win 1");
    segment(&f, we, "S. 300:300(0) ack 101 win 1");
    segment(&f, they, "S 5000:5000(0) win 2");
    segment(&f, we, "S. 8000:8000(0) ack 5001 win 2");
    drawn(&f);
    assert_int_equal(occurs(&f, "|<-- S 0:0(0) win 2 "), 1);
    assert_int_equal(occurs(&f, "|--- S. 0:0(0) ack 1 win 2 "), 1);
    done(&f);
}

static void the_names_are_drawn_again_when_the_connection_changes(void **state)
{
    static const struct frame_from other = { false, 40001, 80 };
    struct fixture f;

    begin(&f);
    segment(&f, they, "S 1:1(0) win 1");
    segment(&f, they, "S 1:1(0) win 1");
    segment(&f, other, "S 1:1(0) win 1");
    segment(&f, they, "S 1:1(0) win 1");
    drawn(&f);
    assert_int_equal(occurs(&f, "      time 192.0.2.2:40000   "), 2);
    assert_int_equal(occurs(&f, "      time 192.0.2.2:40001   "), 1);
    assert_int_equal(occurs(&f, "  192.0.2.1:80\n"), 3);
    assert_int_equal(occurs(&f, "this host is left"), 1); /* the legend once */
    done(&f);
}

/* More connections than the ladder remembers: the one not seen longest is forgotten. */
static void many_connections_do_not_upset_each_other(void **state)
{
    struct fixture f;

    begin(&f);
    for (uint16_t i = 0; i < 100; i++)
        segment(&f, (struct frame_from){ false, (uint16_t)(1000 + i), 80 },
                "S 70:70(0) win 1");
    for (uint16_t i = 50; i < 100; i++)
        segment(&f, (struct frame_from){ false, (uint16_t)(1000 + i), 80 },
                "P. 71:73(2) ack 5 win 3");
    drawn(&f);
    assert_int_equal(occurs(&f, "|<-- S 0:0(0) win 1 "), 100);
    assert_int_equal(occurs(&f, "|<-- P. 1:3(2) ack 1 win 3 "), 50);
    done(&f);
}

static void a_long_label_loses_timestamps_first(void **state)
{
    struct fixture f;

    begin(&f);
    segment(&f, we, "S 0:0(0) win 1 <TS val 0 ecr 0>");
    segment(&f, they,
            ". 1:1(0) ack 1000000 win 501 <TS val 123456 ecr 123450,"
            "sack 1001448:1002896>");
    segment(&f, they,
            ". 1:1(0) ack 1000000 win 501 <TS val 123456 ecr 123450,"
            "sack 1001448:1002896 1004344:1005792 1007240:1008688>");
    drawn(&f);
    assert_int_equal(occurs(&f, " ack 1000000 win 501 <TS,sack 1001448:1002896> --"),
                     1);
    assert_int_equal(occurs(&f, " win 501 <TS,sack 1001448:1002896 1004344:"), 1);
    assert_int_equal(occurs(&f, "... -- 20+60+0 ---|\n"), 1);
    done(&f);
}

static void a_call_shows_its_result_or_its_error(void **state)
{
    char path[300];
    struct fixture f;

    begin(&f);
    memset(path, 'x', sizeof path);
    path[sizeof path - 1] = '\0';
    call(&f, "write(4, ..., 1000)", 1000, 0);
    call(&f, "connect(3, 192.0.2.1:81)", -1, ECONNREFUSED);
    call(&f, path, 5000000000, 0);
    drawn(&f);
    assert_int_equal(occurs(&f, "    write(4, ..., 1000) = 1000\n"), 1);
    assert_int_equal(
        occurs(&f, "connect(3, 192.0.2.1:81) = -1 ECONNREFUSED (Connection refused)\n"),
        1);
    assert_int_equal(occurs(&f, "xxx... = 5000000000\n"), 1);
    done(&f);
}

/* The emulator's verdict comes just before the frame that it is about. */
static void a_frame_lost_on_its_way_out_ends_in_an_x(void **state)
{
    struct trace_event lost = {
        .kind = TRACE_DROP,
        .u.drop = { DROP_NETEM_SCRIPT, "NetemScripted", 1 },
    };
    struct fixture f;

    begin(&f);
    tell(&f, lost);
    segment(&f, we, "S 0:0(0) win 1");
    segment(&f, we, "S 0:0(0) win 1");
    rexmit(&f, 1, 5, "RTO");
    tell(&f, lost);
    segment(&f, we, "P. 1:6(5) ack 1 win 1");
    tell(&f, lost);
    frame(&f, true, frame_arp(&f.pool, true));
    tell(&f, lost); /* by its time, not about the next frame */
    f.now = 5;
    segment(&f, we, "P. 6:8(2) ack 1 win 1");
    tell(&f, lost); /* nothing leaves */
    segment(&f, they, ". 1:1(0) ack 6 win 1");
    drawn(&f);
    assert_int_equal(occurs(&f, " [NetemScripted] 20+20+0 --x|\n"), 1);
    assert_int_equal(occurs(&f, "- 20+20+0 -->|\n"), 1);
    assert_int_equal(occurs(&f, " [RTO] [NetemScripted] 20+20+5 --x|\n"), 1);
    assert_int_equal(occurs(&f, "|  --x [NetemScripted] arp who-has 192.0.2.1 "), 1);
    assert_int_equal(occurs(&f, "- 20+20+2 -->|\n"), 1);
    assert_int_equal(occurs(&f, "  0.000000 |  x  NetemScripted: dropped by"), 1);
    assert_int_equal(occurs(&f, "  0.000005 |  x  NetemScripted: dropped by"), 1);
    done(&f);
}

static void a_drop_is_an_x_with_its_reason(void **state)
{
    struct fixture f;

    begin(&f);
    tell(&f, (struct trace_event){
                 .kind = TRACE_DROP,
                 .u.drop = { DROP_NETEM_LOSS, "NetemLoss", 0 },
             });
    drawn(&f);
    assert_int_equal(occurs(&f, "x  NetemLoss: lost by the link emulator\n"), 1);
    done(&f);
}

static void the_noise_of_ipv6_is_not_drawn(void **state)
{
    struct fixture f;
    struct pkt *p;

    begin(&f);
    p = frame_arp(&f.pool, false);
    p->data[12] = 0x86;
    p->data[13] = 0xdd;
    frame(&f, false, p);
    tell(&f, (struct trace_event){
                 .kind = TRACE_DROP,
                 .u.drop = { DROP_ETH_IPV6, "EthIPv6Ignored", 0 },
             });
    assert_string_equal(drawn(&f), "");
    done(&f);
}

static void a_listener_has_no_lifelines(void **state)
{
    struct trace_tuple t = tuple(80, 0);
    struct fixture f;

    begin(&f);
    memcpy(t.local, ip_any4.b, 16);
    memcpy(t.remote, ip_any4.b, 16);
    becomes(&f, t, "CLOSED", "LISTEN");
    assert_string_equal(rows(drawn(&f)),
                        "  0.000000 *  CLOSED -> LISTEN, 0.0.0.0:80\n");
    done(&f);
}

static void a_malformed_frame_says_what_is_wrong(void **state)
{
    struct fixture f;
    struct pkt *p;

    begin(&f);
    p = frame_tcp(&f.pool, we, "S 0:0(0) win 1");
    p->data[20] ^= 1;
    frame(&f, true, p);
    assert_string_equal(rows(drawn(&f)),
                        "  0.000000    --> ip malformed: header checksum is wrong\n");
    done(&f);
}

static void what_could_upset_a_terminal_is_not_drawn(void **state)
{
    struct fixture f;

    begin(&f);
    tell(&f,
         (struct trace_event){ .kind = TRACE_NOTE, .u.note = { "a\x1b[2J\nb\xff" } });
    assert_string_equal(rows(drawn(&f)), "  0.000000    a?[2J?b?\n");
    done(&f);
}

static void late_times_give_up_decimals(void **state)
{
    struct fixture f;

    begin(&f);
    f.now = 12345678901;
    call(&f, "poll(1)", 1, 0);
    assert_string_equal(rows(drawn(&f)), "12345.6789    poll(1) = 1\n");
    done(&f);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handshake_is_drawn_between_two_lifelines),
        cmocka_unit_test(a_retransmission_is_marked_with_its_reason),
        cmocka_unit_test(a_retransmission_that_never_left_gets_a_row),
        cmocka_unit_test(a_super_segment_is_drawn_as_the_segments_of_the_wire),
        cmocka_unit_test(without_a_syn_numbers_count_from_what_comes_first),
        cmocka_unit_test(a_reset_for_nobody_shows_its_own_number_as_zero),
        cmocka_unit_test(timestamps_count_from_the_first_syn),
        cmocka_unit_test(a_new_syn_on_the_same_ports_begins_new_numbers),
        cmocka_unit_test(the_names_are_drawn_again_when_the_connection_changes),
        cmocka_unit_test(many_connections_do_not_upset_each_other),
        cmocka_unit_test(a_long_label_loses_timestamps_first),
        cmocka_unit_test(a_call_shows_its_result_or_its_error),
        cmocka_unit_test(a_frame_lost_on_its_way_out_ends_in_an_x),
        cmocka_unit_test(a_drop_is_an_x_with_its_reason),
        cmocka_unit_test(the_noise_of_ipv6_is_not_drawn),
        cmocka_unit_test(a_listener_has_no_lifelines),
        cmocka_unit_test(a_malformed_frame_says_what_is_wrong),
        cmocka_unit_test(what_could_upset_a_terminal_is_not_drawn),
        cmocka_unit_test(late_times_give_up_decimals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
