#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/peer_ask.h"
#include "tcp/tcb.h"

static struct peer p;

/* The defaults are Linux's (ip-sysctl.rst), where it has the name. */
static void tunables_have_linux_defaults(void **state)
{
    struct tcp_config c;
    tcp_config_default(&c);
    assert_true(c.sack && c.timestamps && c.window_scaling && c.dsack);
    assert_true(c.slow_start_after_idle && c.tw_reuse && c.limited_transmit);
    assert_false(c.abort_on_overflow);
    assert_int_equal(c.syn_retries, 7); /* RFC 9293 s3.8.3 (MUST-23); Linux: 6 */
    assert_int_equal(c.synack_retries, 5);
    assert_int_equal(c.retries1, 3);
    assert_int_equal(c.retries2, 15);
    assert_int_equal(c.orphan_retries, 8);
    assert_int_equal(c.reordering, 3);
    assert_int_equal(c.initcwnd, 10);
    assert_int_equal(c.rto_initial, 1000000);
    assert_int_equal(c.rto_min, 200000);
    assert_int_equal(c.rto_max, 120000000);
    assert_int_equal(c.delack, 40000);
    assert_int_equal(c.fin_timeout, 60000000);
    assert_int_equal(c.msl2, 60000000);
    assert_int_equal(c.keepalive_time, 7200000000);
    assert_int_equal(c.keepalive_intvl, 75000000);
    assert_int_equal(c.keepalive_probes, 9);
    assert_int_equal(c.max_syn_backlog, 1024);
    assert_int_equal(c.somaxconn, 4096);
    assert_int_equal(c.max_tw_buckets, 65536);
    assert_int_equal(c.invalid_ratelimit, 500000);
    assert_string_equal(c.cc->name, "cubic");
}

/* A new connection is closed, its user's, and due for nothing. */
static void a_new_connection_is_closed_and_has_no_timer(void **state)
{
    peer_init(&p);
    struct tcb *tcb = tcp_new(&p.st->tcp);
    assert_int_equal(p.st->tcp.n_tcb, 1);
    assert_string_equal(tcp_state_name(tcp_state_of(tcb)), "CLOSED");
    assert_true(tcb->owned);
    assert_true(tcb->deadline.at == INT64_MAX);
    assert_int_equal(tcp_readable(tcb), 0);
    assert_int_equal(tcp_unsent(tcb), 0);
    tcp_release(tcb, false);
    stack_flush(p.st);
    assert_int_equal(p.st->tcp.n_tcb, 0);
    peer_expect_nothing(&p);
    peer_free(&p);
}

/* One that ends in the middle of an event is freed when the event is over, so that the
 * step that ended it may still look at it. */
static void a_dead_connection_is_freed_at_the_end_of_the_event(void **state)
{
    peer_init(&p);
    struct tcb *tcb = tcp_new(&p.st->tcp);
    tcp_release(tcb, false);
    assert_int_equal(p.st->tcp.n_tcb, 1);
    assert_string_equal(tcp_state_name(tcp_state_of(tcb)), "CLOSED");
    stack_flush(p.st);
    assert_int_equal(p.st->tcp.n_tcb, 0);
    peer_free(&p);
}

/* The deadline in the heap is that of the earliest timer, whichever moves. */
static void the_deadline_is_that_of_the_earliest_timer(void **state)
{
    peer_init(&p);
    struct tcb *tcb = tcp_new(&p.st->tcp);
    tcp_arm(tcb, TT_KEEP, 5000);
    assert_int_equal(tcb->deadline.at, 5000);
    tcp_arm(tcb, TT_REXMT, 3000);
    assert_int_equal(tcb->deadline.at, 3000);
    tcp_arm(tcb, TT_DELACK, 4000);
    assert_int_equal(tcb->deadline.at, 3000);
    assert_int_equal(stack_deadline(p.st), 3000);
    tcp_arm(tcb, TT_REXMT, INT64_MAX);
    assert_int_equal(tcb->deadline.at, 4000);
    tcp_arm(tcb, TT_DELACK, 9000);
    assert_int_equal(tcb->deadline.at, 5000);
    tcp_release(tcb, false);
    stack_flush(p.st);
    assert_true(stack_deadline(p.st) > 5000);
    peer_free(&p);
}

/* Dirty twice is dirty once. */
static void a_connection_is_on_the_dirty_list_once(void **state)
{
    peer_init(&p);
    struct tcb *a = tcp_new(&p.st->tcp), *b = tcp_new(&p.st->tcp);
    tcp_dirty(a);
    tcp_dirty(b);
    tcp_dirty(a);
    assert_ptr_equal(p.st->tcp.dirty.next, &a->dirty);
    assert_ptr_equal(a->dirty.next, &b->dirty);
    assert_ptr_equal(b->dirty.next, &p.st->tcp.dirty);
    tcp_release(a, false);
    tcp_release(b, false);
    stack_flush(p.st);
    peer_free(&p);
}

/* The end of the stack: everything is forgotten and nothing is sent, whatever state it
 * is in. (peer_free() sees to it that no packet is left.) */
static void the_end_of_tcp_forgets_everything_in_silence(void **state)
{
    peer_init(&p);
    struct sock *s = peer_establish(&p, "<mss 1460>");
    peer_write(&p, s, 100000);
    peer_send(&p, "P. 1:101(100) ack 1 win 1000");   /* unread */
    peer_send(&p, "P. 201:301(100) ack 1 win 1000"); /* out of order */
    peer_skip(&p);
    peer_use(&p, 1);
    s = peer_establish(&p, "<mss 1460>");
    sock_close(s); /* an orphan, on its way to TIME-WAIT */
    peer_expect(&p, "F. 1:1(0) ack 1");
    peer_send(&p, "F. 1:1(0) ack 2 win 1000");
    peer_skip(&p);
    peer_use(&p, 2);
    s = peer_establish(&p, "<mss 1460>");
    sock_close(s); /* FIN-WAIT-1 */
    peer_use(&p, 3);
    peer_connect(&p, 5000); /* SYN-SENT */
    peer_use(&p, 4);
    peer_listen(&p, 81);
    peer_send(&p, "S 0:0(0) win 1000 <mss 1460>"); /* half-open */
    peer_use(&p, 5);
    p.at->stack_port = 81;
    peer_send(&p, "S 0:0(0) win 1000 <mss 1460>");
    peer_skip(&p);
    peer_send(&p, ". 1:1(0) ack 1 win 1000"); /* not accepted */
    assert_int_equal(p.st->tcp.n_time_wait, 1);
    assert_int_equal(p.st->tcp.n_tcb, 4);
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tunables_have_linux_defaults),
        cmocka_unit_test(a_new_connection_is_closed_and_has_no_timer),
        cmocka_unit_test(a_dead_connection_is_freed_at_the_end_of_the_event),
        cmocka_unit_test(the_deadline_is_that_of_the_earliest_timer),
        cmocka_unit_test(a_connection_is_on_the_dirty_list_once),
        cmocka_unit_test(the_end_of_tcp_forgets_everything_in_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
