/* The invariants fire: each row breaks one in a connection that is well, in a child
 * process, which must die of it. And what a peer may send breaks none. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/peer_up.h"

/* Ten segments out, more to be sent, text to be read, text out of order, nothing owed.
 */
static struct tcb *busy(struct peer *p)
{
    peer_init(p);
    struct sock *s = peer_up_sack(p);
    peer_write(p, s, 20000);
    peer_send(p, "P. 1:101(100) ack 1 win 65535");
    peer_send(p, "P. 201:301(100) ack 1 win 65535");
    peer_skip(p);
    return s->tcb;
}

static void flying_sum(struct tcb *tcb)
{
    tcb->sent.bytes[SENT_FLYING]++;
}

static void lost_sum(struct tcb *tcb)
{
    tcb->sent.bytes[SENT_LOST]++;
}

static void una_before_the_record(struct tcb *tcb)
{
    tcb->snd.una = seq_sub(tcb->snd.una, 1);
}

static void nxt_behind_the_record(struct tcb *tcb)
{
    tcb->snd.nxt = seq_add(tcb->snd.nxt, 1);
}

static void nxt_beyond_the_text(struct tcb *tcb)
{
    tcb->snd.buf.len = 100;
}

static void never_sent(struct tcb *tcb)
{
    list_entry(tcb->sent.all.next, struct sent, node)->tries = 0;
}

static void no_window(struct tcb *tcb)
{
    tcb->cc.cwnd = 0;
}

static void unread_sum(struct tcb *tcb)
{
    tcb->rcv.q.len++;
}

static void out_of_order_sum(struct tcb *tcb)
{
    tcb->rcv.q.ofo_len--;
}

static void out_of_order_before_rcv_nxt(struct tcb *tcb)
{
    tcb->rcv.nxt = seq_add(tcb->rcv.nxt, 150);
}

static void no_timer_for_what_is_out(struct tcb *tcb)
{
    tcb->at[TT_REXMT] = NEVER;
}

static void an_ack_that_nobody_sends(struct tcb *tcb)
{
    tcb->ack_now = true;
}

static void not_in_the_table(struct tcb *tcb)
{
    tcb->slot.hashed = false;
}

static void closed_with_text(struct tcb *tcb)
{
    tcb->state = TCPS_CLOSED;
}

/* The signal that checking the connection ends with; 0: none. */
static int checked(void (*break_it)(struct tcb *tcb))
{
    struct peer p;
    int status;
    struct tcb *tcb = busy(&p);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGABRT, SIG_DFL); /* cmocka's would report it */
        dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
        if (break_it)
            break_it(tcb);
        tcp_check(tcb);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    peer_free(&p);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void a_connection_that_is_well_passes(void **state)
{
    (void)state;
    assert_int_equal(checked(NULL), 0);
}

static void each_broken_invariant_is_noticed(void **state)
{
    static const struct {
        const char *what;
        void (*break_it)(struct tcb *tcb);
    } row[] = {
        { "sum of what flies", flying_sum },
        { "sum of what is lost", lost_sum },
        { "SND.UNA before the record", una_before_the_record },
        { "SND.NXT behind the record", nxt_behind_the_record },
        { "SND.NXT beyond the text", nxt_beyond_the_text },
        { "a record that was never sent", never_sent },
        { "cwnd of 0", no_window },
        { "sum of what is unread", unread_sum },
        { "sum of what is out of order", out_of_order_sum },
        { "out of order before RCV.NXT", out_of_order_before_rcv_nxt },
        { "no retransmission timer", no_timer_for_what_is_out },
        { "an ACK that nobody sends", an_ack_that_nobody_sends },
        { "not in the table", not_in_the_table },
        { "closed with text", closed_with_text },
    };
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        if (checked(row[i].break_it) != SIGABRT)
            fail_msg("not noticed: %s", row[i].what);
    }
}

static void no_persist(struct tcb *tcb)
{
    tcb->at[TT_PERSIST] = NEVER;
}

/* Text that waits for the window with nothing out needs the persist timer. */
static void a_stalled_sender_is_noticed(void **state)
{
    struct peer p;
    int status;
    (void)state;
    peer_init(&p);
    struct sock *s = peer_up_win(&p, "<mss 1000>", 0);
    peer_write(&p, s, 500);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
        no_persist(s->tcb);
        tcp_check_all(&p.st->tcp);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    peer_free(&p);
}

/* Retransmissions that span what is held, FINs that come twice or in the wrong place:
 * the stack checks itself after each (bug classes 14 and 19). */
static void no_order_of_text_and_fin_breaks_an_invariant(void **state)
{
    static const struct {
        const char *segment[4];
        const char *last_ack;
    } row[] = {
        { { ". 501:1001(500) ack 1 win 65535", "FP. 1:1001(1000) ack 1 win 65535" },
          ". 1:1(0) ack 1002" },
        { { "F. 1001:1001(0) ack 1 win 65535", "F. 1001:1001(0) ack 1 win 65535",
            ". 1:1001(1000) ack 1 win 65535" },
          ". 1:1(0) ack 1002" },
        { { "FP. 501:1001(500) ack 1 win 65535", "P. 1001:1501(500) ack 1 win 65535",
            ". 1:501(500) ack 1 win 65535" },
          ". 1:1(0) ack 1002" },
        { { "P. 501:1001(500) ack 1 win 65535", "F. 601:601(0) ack 1 win 65535",
            ". 1:501(500) ack 1 win 65535" },
          ". 1:1(0) ack 1001" },
        { { "P. 101:201(100) ack 1 win 65535", "P. 201:301(100) ack 1 win 65535",
            "P. 151:251(100) ack 1 win 65535", ". 1:101(100) ack 1 win 65535" },
          ". 1:1(0) ack 301" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct peer p;
        peer_init(&p);
        struct sock *s = peer_up_sack(&p);
        for (int j = 0; j < 4 && row[i].segment[j]; j++) {
            peer_skip(&p);
            peer_send(&p, row[i].segment[j]);
        }
        peer_expect(&p, row[i].last_ack);
        assert_null(s->tcb->rcv.q.ofo);
        peer_read(&p, s, s->tcb->rcv.q.len);
        assert_int_equal(s->tcb->rcv.q.held, 0);
        peer_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_that_is_well_passes),
        cmocka_unit_test(each_broken_invariant_is_noticed),
        cmocka_unit_test(a_stalled_sender_is_noticed),
        cmocka_unit_test(no_order_of_text_and_fin_breaks_an_invariant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
