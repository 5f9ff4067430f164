#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "harness/peer_ask.h"
#include "tcp/tcb.h"

static struct peer p;

static struct peer_arrows arrows;

static void begin(void)
{
    peer_arrows_init(&arrows);
    peer_init_mtu(&p, 1500, &arrows.trace);
}

static struct sock *established(void)
{
    begin();
    struct sock *s = peer_establish(&p, "<mss 1460>");
    arrows.text[0] = '\0';
    return s;
}

static void end(const char *drawn)
{
    assert_string_equal(arrows.text, drawn);
    peer_free(&p);
}

/* `ss` spells them so. */
static void states_have_names(void **state)
{
    static const struct {
        int state;
        const char *name;
    } row[] = { { 1, "ESTAB" },      { 2, "SYN-SENT" },   { 3, "SYN-RECV" },
                { 4, "FIN-WAIT-1" }, { 5, "FIN-WAIT-2" }, { 6, "TIME-WAIT" },
                { 7, "CLOSED" },     { 8, "CLOSE-WAIT" }, { 9, "LAST-ACK" },
                { 10, "LISTEN" },    { 11, "CLOSING" },   { 12, "?" },
                { 0, "?" },          { -1, "?" } };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        assert_string_equal(tcp_state_name((enum tcp_state)row[i].state), row[i].name);
}

/* --- RFC 9293 s3.3.2, figure 5, arrow by arrow --- */

static void a_passive_open(void **state)
{
    begin();
    struct sock *s = peer_establish(&p, "<mss 1460>");
    sock_close(s);
    end("LISTEN>SYN-RECV SYN-RECV>ESTAB ESTAB>FIN-WAIT-1");
}

static void an_active_open(void **state)
{
    begin();
    peer_connect(&p, 5000);
    peer_expect(&p, "S 0:0(0) <...>");
    peer_send(&p, "S. 0:0(0) ack 1 win 1000 <mss 1460>");
    end("CLOSED>SYN-SENT SYN-SENT>ESTAB");
}

static void a_simultaneous_open(void **state)
{
    begin();
    peer_connect(&p, 5000);
    peer_expect(&p, "S 0:0(0) <...>");
    peer_send(&p, "S 0:0(0) win 1000 <mss 1460>");
    peer_send(&p, "S. 0:0(0) ack 1 win 1000 <mss 1460>");
    end("CLOSED>SYN-SENT SYN-SENT>SYN-RECV SYN-RECV>ESTAB");
}

/* RFC 9293 s3.6, figure 12. */
static void a_normal_close_by_our_side(void **state)
{
    struct sock *s = established();
    sock_close(s);
    peer_expect(&p, "F. 1:1(0) ack 1");
    peer_send(&p, ". 1:1(0) ack 2 win 1000");
    peer_send(&p, "F. 1:1(0) ack 2 win 1000");
    peer_expect(&p, ". 2:2(0) ack 2");
    peer_wait(&p, 60 * USEC_PER_SEC);
    end("ESTAB>FIN-WAIT-1 FIN-WAIT-1>FIN-WAIT-2 FIN-WAIT-2>TIME-WAIT TIME-WAIT>CLOSED");
}

/* The peer's FIN acknowledges ours: through FIN-WAIT-2 in one segment. */
static void a_close_whose_fin_is_answered_with_a_fin(void **state)
{
    struct sock *s = established();
    sock_close(s);
    peer_expect(&p, "F. 1:1(0) ack 1");
    peer_send(&p, "F. 1:1(0) ack 2 win 1000");
    peer_expect(&p, ". 2:2(0) ack 2");
    peer_expect_nothing(&p);
    end("ESTAB>FIN-WAIT-1 FIN-WAIT-1>FIN-WAIT-2 FIN-WAIT-2>TIME-WAIT");
}

/* RFC 9293 s3.6, figure 13. Class: a simultaneous close that goes through the wrong
 * states. */
static void a_simultaneous_close(void **state)
{
    struct sock *s = established();
    sock_close(s);
    peer_expect(&p, "F. 1:1(0) ack 1");
    peer_send(&p, "F. 1:1(0) ack 1 win 1000");
    peer_expect(&p, ". 2:2(0) ack 2");
    peer_send(&p, ". 2:2(0) ack 2 win 1000");
    peer_expect_nothing(&p);
    assert_int_equal(p.st->tcp.n_time_wait, 1);
    end("ESTAB>FIN-WAIT-1 FIN-WAIT-1>CLOSING CLOSING>TIME-WAIT");
}

/* CLOSING: our FIN was lost, and goes again as a FIN; the peer's comes again, too.
 * Class: a FIN that is sent again without its bit. */
static void a_simultaneous_close_with_lost_segments(void **state)
{
    struct sock *s = established();
    sock_close(s);
    peer_expect(&p, "F. 1:1(0) ack 1");
    peer_send(&p, "F. 1:1(0) ack 1 win 1000");
    peer_expect(&p, ". 2:2(0) ack 2");
    peer_expect_after(&p, 200001, "F. 1:1(0) ack 2");
    peer_send(&p, "F. 1:1(0) ack 1 win 1000");
    peer_expect(&p, ". 2:2(0) ack 2");
    peer_expect_after(&p, 400002, "F. 1:1(0) ack 2");
    peer_send(&p, ". 2:2(0) ack 2 win 1000");
    peer_wait(&p, 59 * USEC_PER_SEC);
    peer_expect_nothing(&p);
    end("ESTAB>FIN-WAIT-1 FIN-WAIT-1>CLOSING CLOSING>TIME-WAIT");
}

static void a_normal_close_by_the_peer(void **state)
{
    struct sock *s = established();
    peer_send(&p, "F. 1:1(0) ack 1 win 1000");
    peer_expect(&p, ". 1:1(0) ack 2");
    sock_close(s);
    peer_expect(&p, "F. 1:1(0) ack 2");
    peer_send(&p, ". 2:2(0) ack 2 win 1000");
    assert_int_equal(p.st->tcp.n_tcb, 0);
    assert_int_equal(p.st->tcp.n_time_wait, 0);
    end("ESTAB>CLOSE-WAIT CLOSE-WAIT>LAST-ACK LAST-ACK>CLOSED");
}

/* LAST-ACK: our FIN is lost twice; the peer's comes again meanwhile. Class: a FIN that
 * is lost once and never sent again. */
static void a_close_by_the_peer_with_lost_segments(void **state)
{
    struct sock *s = established();
    peer_send(&p, "F. 1:1(0) ack 1 win 1000");
    peer_expect(&p, ". 1:1(0) ack 2");
    sock_close(s);
    peer_expect(&p, "F. 1:1(0) ack 2");
    peer_expect_after(&p, 200001, "F. 1:1(0) ack 2");
    peer_send(&p, "F. 1:1(0) ack 1 win 1000");
    peer_expect(&p, ". 2:2(0) ack 2");
    peer_expect_after(&p, 400002, "F. 1:1(0) ack 2");
    peer_send(&p, ". 2:2(0) ack 2 win 1000");
    peer_wait(&p, 100 * USEC_PER_SEC);
    peer_expect_nothing(&p);
    end("ESTAB>CLOSE-WAIT CLOSE-WAIT>LAST-ACK LAST-ACK>CLOSED");
}

/* Any state to CLOSED: a reset at the exact number (RFC 9293 s3.10.7.4, second). */
static void a_reset_leads_to_closed_from_each_state(void **state)
{
    static const struct {
        const char *fin_or_ack; /* what the peer says before it */
        bool shutdown;          /* what we do before that */
        const char *rst, *drawn;
    } row[] = {
        { NULL, false, "R 1:1(0) win 0", "ESTAB>CLOSED" },
        { NULL, true, "R 1:1(0) win 0", "ESTAB>FIN-WAIT-1 FIN-WAIT-1>CLOSED" },
        { ". 1:1(0) ack 2 win 9", true, "R 1:1(0) win 0",
          "ESTAB>FIN-WAIT-1 FIN-WAIT-1>FIN-WAIT-2 FIN-WAIT-2>CLOSED" },
        { "F. 1:1(0) ack 1 win 9", true, "R 2:2(0) win 0",
          "ESTAB>FIN-WAIT-1 FIN-WAIT-1>CLOSING CLOSING>CLOSED" },
        { "F. 1:1(0) ack 1 win 9", false, "R 2:2(0) win 0",
          "ESTAB>CLOSE-WAIT CLOSE-WAIT>CLOSED" },
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct sock *s = established();
        if (row[i].shutdown)
            sock_shutdown(s, 1);
        stack_flush(p.st);
        if (row[i].fin_or_ack)
            peer_send(&p, row[i].fin_or_ack);
        peer_send(&p, row[i].rst);
        assert_string_equal(peer_state(s), "CLOSED");
        sock_close(s);
        end(row[i].drawn);
    }
}

static void a_reset_leads_from_last_ack_to_closed(void **state)
{
    struct sock *s = established();
    peer_send(&p, "F. 1:1(0) ack 1 win 9");
    sock_close(s);
    peer_skip(&p);
    peer_send(&p, "R 2:2(0) win 0");
    peer_expect_nothing(&p);
    end("ESTAB>CLOSE-WAIT CLOSE-WAIT>LAST-ACK LAST-ACK>CLOSED");
}

/* --- what entering a state implies --- */

/* CLOSED: nothing is left that could be sent, no timer runs. Class: a use of what was
 * freed when a segment comes for a connection that just ended. */
static void a_closed_connection_is_silent(void **state)
{
    struct sock *s = established();
    peer_write(&p, s, 5000);
    peer_skip(&p);
    peer_send(&p, "R 1:1(0) win 0");
    peer_wait(&p, 1000 * USEC_PER_SEC);
    peer_expect_nothing(&p);
    assert_int_equal(tcp_unsent(s->tcb), 0);
    peer_send(&p, ". 1:1(0) ack 1 win 1000");
    peer_expect(&p, "R 1:1(0) win 0");
    sock_close(s);
    end("ESTAB>CLOSED");
}

/* CLOSED: its user is woken and sees the end. */
static void the_user_is_woken_when_the_connection_ends(void **state)
{
    struct sock *s = established();
    while (stack_ready(p.st))
        ;
    peer_send(&p, "R 1:1(0) win 0");
    assert_ptr_equal(stack_ready(p.st), s);
    assert_true(sock_readiness(s) & SOCK_HUP);
    assert_true(sock_readiness(s) & SOCK_ERR);
    sock_close(s);
    end("ESTAB>CLOSED");
}

/* FIN-WAIT-2 of a connection that nobody owns ends after tcp_fin_timeout, 60 s. */
static void an_orphan_in_fin_wait_2_ends_after_60_seconds(void **state)
{
    struct sock *s = established();
    sock_close(s);
    peer_expect(&p, "F. 1:1(0) ack 1");
    peer_send(&p, ". 1:1(0) ack 2 win 1000");
    peer_wait(&p, 60 * USEC_PER_SEC - 1);
    assert_int_equal(p.st->tcp.n_tcb, 1);
    peer_wait(&p, 1);
    assert_int_equal(p.st->tcp.n_tcb, 0);
    peer_expect_nothing(&p);
    end("ESTAB>FIN-WAIT-1 FIN-WAIT-1>FIN-WAIT-2 FIN-WAIT-2>CLOSED");
}

/* The same when it was closed after it came there; with a time of its own. */
static void closing_in_fin_wait_2_begins_the_time_out(void **state)
{
    struct sock *s = established();
    peer_sysctl(&p, "net.ipv4.tcp_fin_timeout", "5");
    sock_shutdown(s, 1);
    peer_expect(&p, "F. 1:1(0) ack 1");
    peer_send(&p, ". 1:1(0) ack 2 win 1000");
    peer_wait(&p, 600 * USEC_PER_SEC); /* somebody owns it: for ever */
    assert_string_equal(peer_state(s), "FIN-WAIT-2");
    sock_close(s);
    peer_wait(&p, 5 * USEC_PER_SEC - 1);
    assert_int_equal(p.st->tcp.n_tcb, 1);
    peer_wait(&p, 1);
    assert_int_equal(p.st->tcp.n_tcb, 0);
    peer_send(&p, "F. 1:1(0) ack 2 win 1000");
    peer_expect(&p, "R 2:2(0) win 0");
    end("ESTAB>FIN-WAIT-1 FIN-WAIT-1>FIN-WAIT-2 FIN-WAIT-2>CLOSED");
}

/* RFC 4022: attempts that failed, and connections that were reset. */
static void ends_are_counted(void **state)
{
    struct sock *s = established();
    peer_send(&p, "F. 1:1(0) ack 1 win 9");
    peer_send(&p, "R 2:2(0) win 0");
    assert_int_equal(peer_count(&p, "TcpEstabResets"), 1);
    sock_close(s);
    peer_skip(&p);
    peer_use(&p, 1);
    s = peer_connect(&p, 5000);
    peer_expect(&p, "S 0:0(0) <...>");
    peer_send(&p, "R. 0:0(0) ack 1 win 0");
    assert_int_equal(peer_count(&p, "TcpAttemptFails"), 1);
    assert_int_equal(peer_count(&p, "TcpEstabResets"), 1);
    assert_int_equal(peer_count(&p, "TcpActiveOpens"), 1);
    assert_int_equal(peer_count(&p, "TcpPassiveOpens"), 1);
    sock_close(s);
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states_have_names),
        cmocka_unit_test(a_passive_open),
        cmocka_unit_test(an_active_open),
        cmocka_unit_test(a_simultaneous_open),
        cmocka_unit_test(a_normal_close_by_our_side),
        cmocka_unit_test(a_close_whose_fin_is_answered_with_a_fin),
        cmocka_unit_test(a_simultaneous_close),
        cmocka_unit_test(a_simultaneous_close_with_lost_segments),
        cmocka_unit_test(a_normal_close_by_the_peer),
        cmocka_unit_test(a_close_by_the_peer_with_lost_segments),
        cmocka_unit_test(a_reset_leads_to_closed_from_each_state),
        cmocka_unit_test(a_reset_leads_from_last_ack_to_closed),
        cmocka_unit_test(a_closed_connection_is_silent),
        cmocka_unit_test(the_user_is_woken_when_the_connection_ends),
        cmocka_unit_test(an_orphan_in_fin_wait_2_ends_after_60_seconds),
        cmocka_unit_test(closing_in_fin_wait_2_begins_the_time_out),
        cmocka_unit_test(ends_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
