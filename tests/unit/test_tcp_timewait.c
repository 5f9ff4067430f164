#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "harness/peer_ask.h"
#include "tcp/tcb.h"

static struct peer p;

/* A connection that we closed first; both FINs came and were acknowledged. SND.NXT is
 * 2, RCV.NXT is 2. The listener, if there is one, is `listener`. */
static struct sock *listener;

static void time_wait_with(const char *options, bool ts)
{
    peer_init(&p);
    struct sock *s = peer_establish(&p, options);
    sock_close(s);
    peer_expect(&p, "F. 1:1(0) ack 1 <...>");
    peer_send(&p, ts ? "F. 1:1(0) ack 2 win 1000 <TS val 100 ecr 0>"
                     : "F. 1:1(0) ack 2 win 1000");
    peer_expect(&p, ". 2:2(0) ack 2 <...>");
    listener = peer_listen(&p, 80);
}

static void time_wait(void)
{
    time_wait_with("<mss 1460>", false);
}

static void end(void)
{
    sock_close(listener);
    peer_free(&p);
}

static size_t records(void)
{
    return p.st->tcp.n_time_wait;
}

/* RFC 9293 s3.6.1 (MUST-13), with an MSL of 30 s as on Linux. Class: TIME-WAIT that is
 * missing or cut short. */
static void time_wait_lasts_60_seconds(void **state)
{
    time_wait();
    assert_int_equal(records(), 1);
    assert_int_equal(p.st->tcp.n_tcb, 0); /* a record, not a connection */
    peer_wait(&p, 60 * USEC_PER_SEC - 1);
    assert_int_equal(records(), 1);
    peer_wait(&p, 1);
    assert_int_equal(records(), 0);
    peer_expect_nothing(&p);
    end();
}

/* Class: timers that still run in TIME-WAIT. Nothing is sent, nothing ends it early. */
static void nothing_is_sent_in_time_wait(void **state)
{
    peer_init(&p);
    struct sock *s = peer_establish(&p, "<mss 1460>");
    peer_write(&p, s, 3000);
    peer_skip(&p);
    sock_close(s);
    peer_skip(&p);
    peer_send(&p, "F. 1:1(0) ack 3002 win 1000");
    peer_expect(&p, ". 3002:3002(0) ack 2");
    peer_wait(&p, 59 * USEC_PER_SEC);
    peer_expect_nothing(&p);
    assert_int_equal(records(), 1);
    peer_free(&p);
}

/* RFC 9293 s3.10.7.4, eighth, TIME-WAIT: "Remain ... Restart the 2 MSL time-wait
 * timeout"; fifth: "acknowledge it". */
static void the_fin_again_is_acknowledged_and_begins_the_wait_anew(void **state)
{
    time_wait();
    peer_wait(&p, 40 * USEC_PER_SEC);
    peer_send(&p, "F. 1:1(0) ack 2 win 1000");
    peer_expect(&p, ". 2:2(0) ack 2 win 65535");
    peer_wait(&p, 60 * USEC_PER_SEC - 1);
    assert_int_equal(records(), 1);
    peer_wait(&p, 1);
    assert_int_equal(records(), 0);
    end();
}

/* Two records: the younger one's end does not depend on the elder's being put off. */
static void records_end_in_the_order_in_which_they_were_last_begun(void **state)
{
    time_wait();
    peer_wait(&p, 10 * USEC_PER_SEC);
    sock_close(listener);
    peer_use(&p, 1);
    struct sock *s = peer_establish(&p, "<mss 1460>");
    sock_close(s);
    peer_expect(&p, "F. 1:1(0) ack 1");
    peer_send(&p, "F. 1:1(0) ack 2 win 1000");
    peer_expect(&p, ". 2:2(0) ack 2");
    peer_wait(&p, 10 * USEC_PER_SEC);
    peer_use(&p, 0);
    peer_send(&p, "F. 1:1(0) ack 2 win 1000"); /* begins anew at 20 s */
    peer_expect(&p, ". 2:2(0) ack 2");
    peer_wait(&p, 50 * USEC_PER_SEC); /* 70 s */
    assert_int_equal(records(), 1);
    peer_wait(&p, 10 * USEC_PER_SEC); /* 80 s */
    assert_int_equal(records(), 0);
    peer_free(&p);
}

/* RFC 1337 s3: a RST does not end it. Class: TIME-WAIT assassination. */
static void a_reset_is_ignored_in_time_wait(void **state)
{
    time_wait();
    peer_send(&p, "R 2:2(0) win 0");
    peer_send(&p, "R. 2:2(0) ack 2 win 0");
    peer_expect_nothing(&p);
    assert_int_equal(records(), 1);
    assert_int_equal(peer_drops(&p, "TcpTimeWait"), 2);
    end();
}

/* Linux's default, tcp_rfc1337 0: a RST at RCV.NXT ends the wait, any other not. */
static void without_rfc_1337_a_reset_ends_time_wait(void **state)
{
    time_wait();
    peer_sysctl(&p, "net.ipv4.tcp_rfc1337", "0");
    peer_send(&p, "R 3:3(0) win 0");
    peer_send(&p, "R 1:1(0) win 0");
    assert_int_equal(records(), 1);
    peer_send(&p, "R 2:2(0) win 0");
    peer_expect_nothing(&p);
    assert_int_equal(records(), 0);
    end();
}

/* RFC 793 p. 71, TIME-WAIT: a SYN in the window is an error; one outside is old. */
static void by_rfc_793_a_syn_in_the_window_ends_time_wait(void **state)
{
    time_wait();
    sock_close(listener);
    peer_sysctl(&p, "tapir.tcp_insecure_syn", "1");
    peer_send(&p, "S 1:1(0) win 1000");
    peer_expect(&p, ". 2:2(0) ack 2");
    assert_int_equal(records(), 1);
    peer_send(&p, "S 2:2(0) win 1000");
    peer_expect(&p, "R. 2:2(0) ack 2 win 0");
    assert_int_equal(records(), 0);
    peer_free(&p);
}

/* RFC 9293 s3.10.7.4, fifth: "if the ACK bit is off, drop the segment and return". */
static void a_segment_without_ack_is_dropped(void **state)
{
    time_wait();
    peer_send(&p, "F 2:2(0) win 1000");
    peer_send(&p, "F 1:1(0) win 1000");
    peer_send(&p, "- 2:2(0) win 1000");
    peer_expect_nothing(&p);
    assert_int_equal(records(), 1);
    end();
}

/* One that no listener takes must not cost the record either. */
static void a_syn_with_fin_does_not_end_time_wait(void **state)
{
    time_wait();
    peer_send(&p, "SF 100:100(0) win 1000");
    peer_expect(&p, ". 2:2(0) ack 2");
    assert_int_equal(records(), 1);
    end();
}

/* RFC 9293 s3.10.7.4, first: what is old is acknowledged; the last ACK itself is not,
 * or two ends in TIME-WAIT would go on for ever. */
static void old_segments_are_acknowledged_and_the_last_ack_is_not(void **state)
{
    time_wait();
    peer_send(&p, "P. 1:1(0) ack 1 win 1000");
    peer_expect(&p, ". 2:2(0) ack 2");
    peer_send(&p, "P. 2:102(100) ack 2 win 1000");
    peer_expect(&p, ". 2:2(0) ack 2");
    peer_send(&p, ". 2:2(0) ack 2 win 1000");
    peer_expect_nothing(&p);
    end();
}

/* RFC 7323: the answer has the timestamp that was agreed on, and a scaled window. */
static void answers_are_stamped_and_scaled(void **state)
{
    time_wait_with("<mss 1460,TS val 0 ecr 0,nop,wscale 3>", true);
    peer_wait(&p, 5 * USEC_PER_MS);
    peer_send(&p, "F. 1:1(0) ack 2 win 1000 <TS val 100 ecr 0>");
    peer_expect(&p, ". 2:2(0) ack 2 win 511 <TS val 5 ecr 100>");
    end();
}

/* RFC 9293 s3.6.1 (MAY-2): "larger than the largest sequence number it used on the
 * previous connection incarnation": at both ends. Class: a SYN to TIME-WAIT that is
 * dropped. */
static void a_new_syn_beyond_the_old_numbers_opens_again_with_a_higher_one(void **state)
{
    time_wait();
    struct seq old = p.at->stack_isn;
    peer_send(&p, "S 3:3(0) win 1000 <mss 1460>");
    assert_int_equal(records(), 0);
    assert_int_equal(peer_count(&p, "TcpExtTWRecycled"), 1);
    p.at->knows_isn = false;
    peer_expect(&p, "S. 0:0(0) ack 4 win 65535 <mss 1460>");
    assert_true(seq_lt(seq_add(old, 2), p.at->stack_isn));
    peer_send(&p, ". 4:4(0) ack 1 win 1000");
    assert_int_equal(tcp_acceptable(listener->listener), 1);
    end();
}

/* The wait is given up for a connection, not for a SYN that finds no room. */
static void a_new_syn_that_finds_no_room_leaves_the_wait_alone(void **state)
{
    time_wait();
    peer_sysctl(&p, "net.ipv4.tcp_max_syn_backlog", "0");
    peer_send(&p, "S 3:3(0) win 1000 <mss 1460>");
    peer_expect_nothing(&p);
    assert_int_equal(records(), 1);
    assert_int_equal(peer_drops(&p, "TcpListenOverflow"), 1);
    assert_int_equal(peer_count(&p, "TcpExtTWRecycled"), 0);
    end();
}

/* The same: at or before the old numbers it is an old duplicate: acknowledged (RFC 5961
 * s4: the peer that means it resets and tries again). */
static void an_old_syn_is_acknowledged(void **state)
{
    static const char *const row[] = {
        "S 0:0(0) win 1000 <mss 1460>", "S 2:2(0) win 1000 <mss 1460>",
        "S 4294960000:4294960000(0) win 1000 <mss 1460>",
        "S. 3:3(0) ack 2 win 1000 <mss 1460>", /* with ACK it opens nothing */
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        time_wait();
        peer_send(&p, row[i]);
        peer_expect(&p, ". 2:2(0) ack 2");
        peer_expect_nothing(&p);
        assert_int_equal(records(), 1);
        end();
    }
}

/* RFC 9293 s3.6.1 (SHLD-4), RFC 6191 s2: with timestamps it is the younger one that
 * opens, whatever its number.
 */
static void a_syn_with_a_younger_timestamp_opens_again(void **state)
{
    static const struct {
        const char *syn;
        bool opens;
    } row[] = {
        { "S 0:0(0) win 9 <mss 1460,TS val 101 ecr 0>", true },
        { "S 9:9(0) win 9 <mss 1460,TS val 101 ecr 0>", true },
        { "S 0:0(0) win 9 <mss 1460,TS val 2147483747 ecr 0>", true },
        { "S 9:9(0) win 9 <mss 1460,TS val 99 ecr 0>", false },
        { "S 9:9(0) win 9 <mss 1460,TS val 100 ecr 0>", true }, /* equal: by number */
        { "S 1:1(0) win 9 <mss 1460,TS val 100 ecr 0>", false },
        { "S 9:9(0) win 9 <mss 1460>", true }, /* none: by number */
        { "S 1:1(0) win 9 <mss 1460>", false },
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        time_wait_with("<mss 1460,TS val 0 ecr 0>", true);
        peer_send(&p, row[i].syn);
        if (records() != !row[i].opens)
            fail_msg("%s: %zu records", row[i].syn, records());
        end();
    }
}

/* RFC 9293 s3.6.1: a SYN takes the place of the old connection only if somebody
 * listens: where nobody does it is as good as a RST that ends TIME-WAIT. */
static void a_new_syn_without_a_listener_does_not_end_time_wait(void **state)
{
    time_wait();
    sock_close(listener);
    peer_send(&p, "S 3:3(0) win 1000 <mss 1460>");
    peer_expect(&p, ". 2:2(0) ack 2");
    assert_int_equal(records(), 1);
    peer_free(&p);
}

/* tcp_invalid_ratelimit, 500 ms: whoever answers our ACK with an ACK of its own, a
 * half-open connection that an old SYN made, say, is not answered for ever (RFC 5961
 * s5). Text and a FIN do not loop. Class: an ACK storm between two ends that disagree.
 */
static void segments_without_text_are_answered_once_in_half_a_second(void **state)
{
    time_wait();
    peer_wait(&p, 1);
    for (int i = 0; i < 3; i++) {
        peer_send(&p, ". 70000:70000(0) ack 90000 win 1000");
        peer_expect(&p, ". 2:2(0) ack 2");
        peer_send(&p, ". 70000:70000(0) ack 90000 win 1000");
        peer_send(&p, "S. 70000:70000(0) ack 90000 win 1000");
        peer_wait(&p, 499999);
        peer_send(&p, ". 70000:70000(0) ack 90000 win 1000");
        peer_expect_nothing(&p);
        peer_send(&p, ". 70000:70001(1) ack 90000 win 1000");
        peer_expect(&p, ". 2:2(0) ack 2");
        peer_send(&p, "F. 1:1(0) ack 2 win 1000");
        peer_expect(&p, ". 2:2(0) ack 2");
        peer_wait(&p, 1);
    }
    end();
}

/* tcp_max_tw_buckets: beyond it there is no record; the peer's FIN still gets its ACK.
 */
static void beyond_the_limit_there_is_no_record(void **state)
{
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_max_tw_buckets", "1");
    for (unsigned i = 0; i < 2; i++) {
        peer_use(&p, i);
        struct sock *s = peer_establish(&p, "<mss 1460>");
        sock_close(s);
        peer_expect(&p, "F. 1:1(0) ack 1");
        peer_send(&p, "F. 1:1(0) ack 2 win 1000");
        peer_expect(&p, ". 2:2(0) ack 2");
    }
    assert_int_equal(records(), 1);
    assert_int_equal(p.st->tcp.n_tcb, 0);
    assert_int_equal(peer_count(&p, "TcpExtTCPTimeWaitOverflow"), 1);
    assert_int_equal(peer_count(&p, "TcpExtTW"), 1);
    peer_send(&p, "F. 1:1(0) ack 2 win 1000");
    peer_expect(&p, "R 2:2(0) win 0");
    peer_free(&p);
}

/* The same while the user still holds the socket and has text to read. */
static void beyond_the_limit_a_socket_keeps_its_text_and_not_its_name(void **state)
{
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_max_tw_buckets", "0");
    struct sock *s = peer_establish(&p, "<mss 1460>");
    sock_shutdown(s, 1);
    peer_expect(&p, "F. 1:1(0) ack 1");
    peer_send(&p, "FP. 1:101(100) ack 2 win 1000");
    peer_expect(&p, ". 2:2(0) ack 102");
    peer_send(&p, "FP. 1:101(100) ack 2 win 1000");
    peer_expect(&p, "R 2:2(0) win 0");
    peer_read(&p, s, 100);
    assert_int_equal(peer_read_result(s), 0);
    sock_close(s);
    peer_free(&p);
}

/* The user reads on after the connection went to TIME-WAIT, and closes later. */
static void text_can_still_be_read_in_time_wait(void **state)
{
    peer_init(&p);
    struct sock *s = peer_establish(&p, "<mss 1460>");
    sock_shutdown(s, 1);
    peer_expect(&p, "F. 1:1(0) ack 1");
    peer_send(&p, "FP. 1:101(100) ack 2 win 1000");
    peer_expect(&p, ". 2:2(0) ack 102");
    assert_string_equal(peer_state(s), "TIME-WAIT");
    peer_read(&p, s, 50);
    sock_close(s); /* with unread text: there is nobody left to reset */
    peer_expect_nothing(&p);
    assert_int_equal(records(), 1);
    assert_int_equal(p.st->tcp.n_tcb, 0);
    peer_free(&p);
}

/* --- a port in TIME-WAIT, for connect --- */

/* We connected from port 5000 and closed first. */
static void time_wait_of_a_client_after(const char *options, int thousands)
{
    char syn_ack[120], ack[80];
    bool ts = strstr(options, "TS") != NULL;
    peer_init(&p);
    struct sock *s = peer_connect(&p, 5000);
    peer_expect(&p, "S 0:0(0) <...>");
    snprintf(syn_ack, sizeof syn_ack, "S. 0:0(0) ack 1 win 1000 %s", options);
    peer_send(&p, syn_ack);
    peer_expect(&p, ". 1:1(0) ack 1 <...>");
    for (int i = 1; i <= thousands; i++) {
        peer_write(&p, s, 1000);
        snprintf(ack, sizeof ack, ". 1:1(0) ack %d win 1000%s", 1 + 1000 * i,
                 ts ? " <TS val 100 ecr 0>" : "");
        peer_send(&p, ack);
    }
    peer_skip(&p);
    sock_close(s);
    snprintf(ack, sizeof ack, "F. 1:1(0) ack %d win 1000%s", 2 + 1000 * thousands,
             ts ? " <TS val 100 ecr 0>" : "");
    stack_flush(p.st);
    peer_send(&p, ack);
    peer_skip(&p);
    assert_int_equal(records(), 1);
}

static void time_wait_of_a_client(const char *options)
{
    time_wait_of_a_client_after(options, 0);
}

static int connect_again(struct sock **s)
{
    struct sock_name from = { ip_any4, 5000 };
    *s = peer_tcp(&p);
    (*s)->reuse_addr = true;
    assert_int_equal(sock_bind(*s, &from), 0);
    return (int)peer_connect_result(&p, *s);
}

/* RFC 6191 s2, as tcp_tw_reuse: with timestamps the port may be used again after one
 * second, with a number beyond the old ones. */
static void a_port_in_time_wait_may_connect_again_after_a_second(void **state)
{
    struct sock *s;
    time_wait_of_a_client("<mss 1460,TS val 100 ecr 0>");
    struct seq old = p.at->stack_isn;
    peer_wait(&p, 1 * USEC_PER_SEC);
    assert_int_equal(connect_again(&s), -EINPROGRESS);
    p.at->knows_isn = false;
    peer_expect(&p, "S 0:0(0) <...>");
    assert_true(seq_lt(seq_add(old, 2), p.at->stack_isn));
    assert_int_equal(records(), 0);
    sock_close(s);
    peer_free(&p);
}

/* The old connection's numbers may have run ahead of the clock that gives new ones (RFC
 * 6528 s3): the new one begins beyond them all the same. */
static void the_new_number_lies_beyond_what_was_sent_fast(void **state)
{
    struct sock *s;
    time_wait_of_a_client_after("<mss 1460,TS val 100 ecr 0>", 1000);
    struct seq old = p.at->stack_isn;
    peer_wait(&p, 1 * USEC_PER_SEC);
    assert_int_equal(connect_again(&s), -EINPROGRESS);
    p.at->knows_isn = false;
    peer_expect(&p, "S 0:0(0) <...>");
    assert_true(seq_lt(seq_add(old, 1000002), p.at->stack_isn));
    sock_close(s);
    peer_free(&p);
}

/* Not before that, not without timestamps, and not if it is switched off. */
static void a_port_in_time_wait_is_in_use_otherwise(void **state)
{
    static const struct {
        const char *options, *reuse;
        usec wait;
    } row[] = {
        { "<mss 1460,TS val 100 ecr 0>", "1", 999999 },
        { "<mss 1460>", "1", 10 * USEC_PER_SEC },
        { "<mss 1460,TS val 100 ecr 0>", "0", 10 * USEC_PER_SEC },
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct sock *s;
        time_wait_of_a_client(row[i].options);
        peer_sysctl(&p, "net.ipv4.tcp_tw_reuse", row[i].reuse);
        peer_wait(&p, row[i].wait);
        int err = connect_again(&s);
        if (err != -EADDRINUSE && err != -EADDRNOTAVAIL)
            fail_msg("row %zu: %d", i, err);
        peer_expect_nothing(&p);
        assert_int_equal(records(), 1);
        sock_close(s);
        peer_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_wait_lasts_60_seconds),
        cmocka_unit_test(nothing_is_sent_in_time_wait),
        cmocka_unit_test(the_fin_again_is_acknowledged_and_begins_the_wait_anew),
        cmocka_unit_test(records_end_in_the_order_in_which_they_were_last_begun),
        cmocka_unit_test(a_reset_is_ignored_in_time_wait),
        cmocka_unit_test(without_rfc_1337_a_reset_ends_time_wait),
        cmocka_unit_test(by_rfc_793_a_syn_in_the_window_ends_time_wait),
        cmocka_unit_test(a_segment_without_ack_is_dropped),
        cmocka_unit_test(a_syn_with_fin_does_not_end_time_wait),
        cmocka_unit_test(old_segments_are_acknowledged_and_the_last_ack_is_not),
        cmocka_unit_test(answers_are_stamped_and_scaled),
        cmocka_unit_test(
            a_new_syn_beyond_the_old_numbers_opens_again_with_a_higher_one),
        cmocka_unit_test(a_new_syn_that_finds_no_room_leaves_the_wait_alone),
        cmocka_unit_test(an_old_syn_is_acknowledged),
        cmocka_unit_test(a_syn_with_a_younger_timestamp_opens_again),
        cmocka_unit_test(a_new_syn_without_a_listener_does_not_end_time_wait),
        cmocka_unit_test(segments_without_text_are_answered_once_in_half_a_second),
        cmocka_unit_test(beyond_the_limit_there_is_no_record),
        cmocka_unit_test(beyond_the_limit_a_socket_keeps_its_text_and_not_its_name),
        cmocka_unit_test(text_can_still_be_read_in_time_wait),
        cmocka_unit_test(a_port_in_time_wait_may_connect_again_after_a_second),
        cmocka_unit_test(the_new_number_lies_beyond_what_was_sent_fast),
        cmocka_unit_test(a_port_in_time_wait_is_in_use_otherwise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
