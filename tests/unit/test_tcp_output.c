/* What would you send now? First tcp_next_tx() by itself, on a connection whose fields
 * a row sets; then what leaves. Segments carry 1000 bytes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "harness/memory.h"
#include "harness/peer_up.h"

enum { F = 0x01, S = 0x02, P = 0x08, A = 0x10 }; /* RFC 9293 s3.1 */

/* --- the decision --- */

struct row {
    uint32_t unsent, wnd, cwnd;
    char wish; /* f: a FIN follows; a: an ACK is owed; p: a probe is; -: nothing */
    bool sends;
    uint32_t text;
    uint8_t flags;
};

static void decide(const struct row *r)
{
    static uint8_t text[200000];
    struct tcb before, *tcb;
    struct tcp_tx tx;
    struct peer p;

    peer_init(&p);
    tcb = peer_up(&p)->tcb;
    ring_write(&tcb->snd.buf, text, r->unsent);
    tcb->snd.wnd = r->wnd;
    tcb->cc.cwnd = r->cwnd;
    tcb->snd.fin = r->wish == 'f';
    tcb->ack_now = r->wish == 'a';
    tcb->probe_now = r->wish == 'p';
    before = *tcb;
    assert_int_equal(tcp_next_tx(tcb, &tx), r->sends);
    assert_memory_equal(&before, tcb, sizeof before);
    if (r->sends) {
        assert_int_equal(tx.text, r->text);
        assert_int_equal(tx.flags, r->flags);
        assert_int_equal((int32_t)(tx.seq.n - tcb->snd.nxt.n), r->wish == 'p' ? -1 : 0);
        assert_int_equal(tx.probe, r->wish == 'p');
        assert_false(tx.again);
    }
    tcb->snd.wnd = 65535;
    tcb->snd.fin = tcb->ack_now = tcb->probe_now = false;
    ring_drop(&tcb->snd.buf, r->unsent);
    peer_free(&p);
}

/* RFC 5681 s2 (MUST-cc-windows), s3 (MUST-cc-most). RFC 7323 s2.4 (MUST-wscale-first).
 * RFC 9293 s3.8.6.2.1, s3.9.1.2. The largest window was 65535. */
static void what_is_sent_next_follows_from_the_connection_alone(void **state)
{
    static const struct row row[] = {
        { 0, 65535, 10000, '-', false, 0, 0 },
        { 0, 65535, 10000, 'a', true, 0, A },
        { 0, 65535, 10000, 'p', true, 0, A },
        { 1, 65535, 10000, '-', true, 1, A | P },
        { 1, 65535, 10000, 'a', true, 1, A | P }, /* the ACK rides */
        { 1000, 65535, 10000, '-', true, 1000, A | P },
        { 1500, 65535, 10000, '-', true, 1500, A | P },
        /* cwnd */
        { 10000, 65535, 10000, '-', true, 10000, A | P },
        { 10001, 65535, 10000, '-', true, 10000, A },
        { 30000, 65535, 1999, '-', true, 1000, A },
        { 30000, 65535, 999, '-', false, 0, 0 },
        { 500, 65535, 999, '-', true, 500, A | P },
        /* the peer's window */
        { 30000, 3000, 10000, '-', true, 3000, A },
        { 30000, 3999, 10000, '-', true, 3000, A },
        { 30000, 999, 10000, '-', false, 0, 0 },
        { 30000, 0, 10000, '-', false, 0, 0 },
        { 30000, 0, 10000, 'a', true, 0, A },
        /* one decision is a packet of 64 KiB at most, in whole segments */
        { 100000, 65535, 200000, '-', true, 65000, A },
        { 100000, 1000000, 200000, '-', true, 65000, A },
        /* FIN: with the last text, alone, within the window, never before the last */
        { 0, 1, 10000, 'f', true, 0, A | F },
        { 0, 0, 10000, 'f', false, 0, 0 },
        { 500, 501, 10000, 'f', true, 500, A | P | F },
        { 500, 500, 10000, 'f', true, 500, A | P },
        { 1000, 65535, 10000, 'f', true, 1000, A | P | F },
        { 11000, 65535, 10000, 'f', true, 10000, A },
    };
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        decide(&row[i]);
}

static void the_syn_comes_first_and_once(void **state)
{
    struct peer p;
    struct tcp_tx tx;
    (void)state;
    peer_init(&p);
    struct tcb *tcb = peer_connect(&p, 0)->tcb;
    assert_true(tcp_next_tx(tcb, &tx));
    assert_int_equal(tx.flags, S);
    assert_int_equal(tx.text, 0);
    assert_int_equal(tx.seq.n, tcb->snd.iss.n);
    peer_expect(&p, "S 0:0(0) <...>");
    assert_false(tcp_next_tx(tcb, &tx));
    tcb->ack_now = true;
    assert_false(tcp_next_tx(tcb, &tx)); /* there is nothing yet to acknowledge */
    tcb->ack_now = false;
    sent_mark_all_lost(&tcb->sent);
    assert_true(tcp_next_tx(tcb, &tx));
    assert_int_equal(tx.flags, S);
    assert_true(tx.again);
    peer_free(&p);
}

/* RFC 6675 s4 NextSeg() (MUST-rec-lost-first), s5 (MUST-rec-next): what is lost goes
 * before what is new. */
static void lost_text_goes_before_new_text(void **state)
{
    struct peer p;
    struct tcp_tx tx;
    (void)state;
    peer_init(&p);
    struct sock *s = peer_up(&p);
    struct tcb *tcb = s->tcb;
    peer_write(&p, s, 15000);
    peer_expect_full(&p, 1, 10001);
    sent_mark_all_lost(&tcb->sent);
    tcb->cc.cwnd = 3500;
    assert_true(tcp_next_tx(tcb, &tx));
    assert_int_equal(tx.seq.n - tcb->snd.una.n, 0);
    assert_int_equal(tx.text, 3000);
    assert_int_equal(tx.flags, A);
    assert_true(tx.again);
    tcb->cc.cwnd = 999;
    assert_false(tcp_next_tx(tcb, &tx));
    tcb->rexmit_now = true; /* one goes whatever cwnd says */
    assert_true(tcp_next_tx(tcb, &tx));
    assert_int_equal(tx.text, 1000);
    tcb->rexmit_now = false;
    tcb->cc.cwnd = 100000;
    assert_true(tcp_next_tx(tcb, &tx));
    assert_int_equal(tx.text, 10000);
    peer_free(&p);
}

/* --- what leaves --- */

/* RFC 6928 s2: min(10 * MSS, max(2 * MSS, 14600)). */
static void the_first_burst_is_the_initial_window(void **state)
{
    static const struct {
        const char *options, *initcwnd;
        unsigned mss, segments;
    } row[] = {
        { "<mss 1000>", "10", 1000, 10 }, { "<mss 1460>", "10", 1460, 10 },
        { "<mss 536>", "10", 536, 10 },   { "", "10", 536, 10 },
        { "<mss 5000>", "10", 5000, 2 },  { "<mss 9000>", "10", 8960, 2 },
        { "<mss 1000>", "3", 1000, 3 },   { "<mss 1000>", "20", 1000, 20 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct peer p;
        char line[PEER_LINE];
        peer_init_mtu(&p, 9000, NULL);
        peer_sysctl(&p, "tapir.tcp_initcwnd", row[i].initcwnd);
        struct sock *s = peer_up_win(&p, row[i].options, 65535);
        peer_write(&p, s, 40000);
        for (unsigned n = 0; n < row[i].segments; n++) {
            snprintf(line, sizeof line, ". %u:%u(%u) ack 1", 1 + n * row[i].mss,
                     1 + (n + 1) * row[i].mss, row[i].mss);
            peer_expect(&p, line);
        }
        peer_expect_nothing(&p);
        peer_free(&p);
    }
}

/* RFC 9293 s3.9.1.2 (MUST-61, SHLD-27). */
static void push_is_set_on_the_last_segment_of_what_is_buffered(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    struct sock *s = peer_up(&p);
    peer_write(&p, s, 2001);
    peer_expect_full(&p, 1, 2001);
    peer_expect(&p, "P. 2001:2002(1) ack 1");
    peer_free(&p);
}

static void the_fin_rides_on_the_last_text(void **state)
{
    struct peer p;
    struct piece piece = { (const uint8_t *)"ab", 2 };
    (void)state;
    peer_init(&p);
    struct sock *s = peer_up(&p);
    assert_int_equal(sock_send(s, &piece, 1, 0, NULL), 2);
    sock_shutdown(s, 1);
    peer_expect(&p, "FP. 1:3(2) ack 1");
    peer_expect_nothing(&p);
    peer_free(&p);
}

static void a_fin_that_the_window_does_not_take_follows_later(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    struct sock *s = peer_up_win(&p, "<mss 1000>", 1000);
    peer_write(&p, s, 1000);
    sock_shutdown(s, 1);
    peer_expect(&p, "P. 1:1001(1000) ack 1");
    peer_expect_nothing(&p);
    peer_wait(&p, 100 * MS);
    peer_ack(&p, 1001, "");
    peer_expect(&p, "F. 1001:1001(0) ack 1");
    peer_free(&p);
}

/* Bug class 17: a FIN that is lost is never sent again; bug class 16: it goes again
 * without its bit. */
static void a_lost_fin_goes_again_with_its_text(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    struct sock *s = peer_up(&p);
    peer_option(s, 6, 3, 1);
    peer_write(&p, s, 10);
    sock_shutdown(s, 1);
    peer_expect(&p, "FP. 1:11(10) ack 1");
    peer_expect_after(&p, 300 * MS, "FP. 1:11(10) ack 1");
    peer_send(&p, ". 1:1(0) ack 11 win 65535");           /* the text alone arrived */
    peer_expect_after(&p, 600 * MS, "F. 11:11(0) ack 1"); /* Karn: no sample yet */
    peer_free(&p);
}

/* --- cwnd --- */

/* RFC 5681 s3.1: + a segment for each one acknowledged. */
static void the_window_opens_while_it_is_what_holds_the_sender(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    struct sock *s = peer_up(&p);
    peer_write(&p, s, 60000);
    peer_expect_full(&p, 1, 10001);
    peer_expect_nothing(&p);
    peer_wait(&p, 100 * MS);
    peer_ack(&p, 2001, "");
    peer_expect_full(&p, 10001, 14001);
    peer_expect_nothing(&p);
    peer_free(&p);
}

/* RFC 7661 s4.4: a window that is not used proves nothing. */
static void the_window_stays_where_the_application_holds_the_sender(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    struct sock *s = peer_up(&p);
    for (unsigned i = 0; i < 30; i++) {
        peer_write(&p, s, 3000);
        peer_wait(&p, 100 * MS);
        peer_ack(&p, 1 + (i + 1) * 3000, "");
    }
    assert_int_equal(s->tcb->cc.cwnd, 10000);
    peer_free(&p);
}

/* RFC 7661 s4.3: more than half of the window was used. Nine segments of ten let slow
 * start grow to eighteen. */
static void the_window_opens_to_twice_what_the_application_sends(void **state)
{
    static const struct {
        unsigned ack, cwnd;
    } row[] = { { 2001, 12000 },
                { 4001, 14000 },
                { 6001, 16000 },
                { 8001, 18000 },
                { 9001, 18000 } };
    struct peer p;
    (void)state;
    peer_init(&p);
    struct sock *s = peer_up(&p);
    peer_write(&p, s, 9000);
    peer_wait(&p, 100 * MS);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        peer_ack(&p, row[i].ack, "");
        assert_int_equal(s->tcb->cc.cwnd, row[i].cwnd);
    }
    peer_free(&p);
}

/* Acknowledged in one go: cwnd is 40000. Then a pause. */
static struct sock *paused(struct peer *p, usec pause)
{
    struct sock *s = peer_up(p);
    peer_write(p, s, 30000);
    peer_expect_full(p, 1, 10001);
    for (unsigned ack = 2001; ack <= 10001; ack += 2000)
        peer_ack(p, ack, "");
    peer_skip(p);
    peer_ack(p, 30001, "");
    assert_int_equal(s->tcb->cc.cwnd, 40000);
    peer_wait(p, pause);
    peer_write(p, s, 60000);
    return s;
}

/* RFC 5681 s4.1 (SHLD-cc-idle). */
static void after_a_pause_no_more_than_the_initial_window_leaves(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    paused(&p, 2 * SEC);
    peer_expect_full(&p, 30001, 40001);
    peer_expect_nothing(&p);
    peer_free(&p);
}

/* A window that is shut makes no new beginning; what leaves when it opens does. */
static void a_shut_window_is_no_pause_until_it_opens(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    struct sock *s = peer_up(&p);
    peer_write(&p, s, 20000);
    peer_ack(&p, 10001, "");
    peer_send(&p, ". 1:1(0) ack 20001 win 0");
    peer_skip(&p);
    assert_int_equal(s->tcb->cc.cwnd, 20000);
    peer_write(&p, s, 20000);
    peer_wait(&p, 2 * SEC); /* probes */
    peer_skip(&p);
    assert_int_equal(s->tcb->cc.cwnd, 20000);
    peer_send(&p, ". 1:1(0) ack 20001 win 65535");
    peer_expect_full(&p, 20001, 30001);
    peer_expect_nothing(&p);
    peer_free(&p);
}

static void a_pause_shorter_than_the_time_out_keeps_the_window(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    paused(&p, 200 * MS);
    peer_expect_full(&p, 30001, 50001);
    peer_free(&p);
}

static void tcp_slow_start_after_idle_can_be_switched_off(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.tcp_slow_start_after_idle", "0");
    paused(&p, 2 * SEC);
    peer_expect_full(&p, 30001, 50001);
    peer_free(&p);
}

/* --- a link that is full: bug class 29 --- */

static struct {
    int (*send)(struct link *link, const struct pkt *p);
    unsigned room;
} narrow;

static int narrow_send(struct link *link, const struct pkt *p)
{
    if (narrow.room == 0)
        return -EAGAIN;
    narrow.room--;
    return narrow.send(link, p);
}

static struct sock *narrow_up(struct peer *p, unsigned room)
{
    peer_init(p);
    struct sock *s = peer_up(p);
    narrow.send = p->link.send;
    narrow.room = room;
    p->link.send = narrow_send;
    return s;
}

static void widen(struct peer *p)
{
    narrow.room = 1000;
    stack_unblock(p->st, &p->nif);
}

static void a_full_link_loses_nothing_and_goes_on_when_it_can(void **state)
{
    struct peer p;
    (void)state;
    struct sock *s = narrow_up(&p, 0);
    peer_write(&p, s, 5000);
    peer_expect_nothing(&p);
    assert_int_equal(s->tcb->snd.nxt.n, s->tcb->snd.una.n);
    widen(&p);
    peer_expect_full(&p, 1, 4001);
    peer_expect(&p, "P. 4001:5001(1000) ack 1");
    peer_wait(&p, 100 * MS);
    peer_ack(&p, 5001, "");
    assert_int_equal(peer_count(&p, "TcpRetransSegs"), 0);
    peer_free(&p);
}

static void an_ack_that_a_full_link_did_not_take_is_still_owed(void **state)
{
    struct peer p;
    (void)state;
    narrow_up(&p, 0);
    peer_send(&p, "P. 1:11(10) ack 1 win 65535");
    peer_expect_nothing(&p);
    widen(&p);
    peer_expect(&p, ". 1:1(0) ack 11");
    peer_expect_nothing(&p);
    peer_free(&p);
}

/* What was taken of a super-segment is on its way; its rest is a loss like any. */
static void what_a_link_takes_in_part_is_repaired(void **state)
{
    struct peer p;
    (void)state;
    struct sock *s = narrow_up(&p, 2);
    peer_write(&p, s, 5000);
    peer_expect_full(&p, 1, 2001);
    peer_expect_nothing(&p);
    assert_int_equal(p.st->net.count.drop[DROP_LINK_BUSY], 1);
    widen(&p);
    peer_expect_nothing(&p);
    peer_wait(&p, 100 * MS);
    peer_ack(&p, 2001, "");
    peer_expect_after(&p, 300 * MS, ". 2001:3001(1000) ack 1");
    peer_free(&p);
}

/* RFC 9293 s3.8.3: a SYN that never left is given up like one that was lost. */
static void a_syn_that_finds_no_memory_is_sent_when_there_is_some(void **state)
{
    struct peer p;
    struct sock *s;

    peer_init(&p);
    s = peer_tcp(&p);
    assert_int_equal(peer_connect_result(&p, s), -EINPROGRESS);
    memory_ends_after(0);
    stack_flush(p.st);
    assert_true(memory_back() > 0);
    peer_expect_after(&p, 1 * SEC, "S 0:0(0) <...>");
    peer_free(&p);
}

/* Takes all records that are free; a chain, through their first bytes. */
static void **take_spare_records(struct stack *st)
{
    void **chain = NULL, **at;

    memory_ends_after(0);
    while ((at = slab_new(&st->tcp.pools.sents))) {
        *at = (void *)chain;
        chain = at;
    }
    return chain;
}

static void give_back_records(struct stack *st, void **chain)
{
    while (chain) {
        void **next = *chain;
        slab_free(&st->tcp.pools.sents, (void *)chain);
        chain = next;
    }
}

static void without_memory_to_send_text_the_ack_leaves_and_the_text_follows(
    void **state)
{
    uint8_t text[1000];
    struct peer p;
    struct sock *s;

    peer_init(&p);
    s = peer_up(&p);
    peer_send(&p, "P. 1:1001(1000) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 1001");
    peer_read(&p, s, 1000);
    for (uint32_t i = 0; i < sizeof text; i++)
        text[i] = peer_byte(i);
    assert_int_equal(sock_send(s, &(struct piece){ text, sizeof text }, 1, 0, NULL),
                     1000);
    void **records = take_spare_records(p.st);
    peer_send(&p, "P. 1001:2001(1000) ack 1 win 65535");
    assert_true(memory_back() > 0);
    give_back_records(p.st, records);
    peer_expect(&p, ". 1:1(0) ack 2001");
    peer_expect_after(&p, 300 * MS, "P. 1:1001(1000) ack 2001");
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sent_next_follows_from_the_connection_alone),
        cmocka_unit_test(the_syn_comes_first_and_once),
        cmocka_unit_test(lost_text_goes_before_new_text),
        cmocka_unit_test(the_first_burst_is_the_initial_window),
        cmocka_unit_test(push_is_set_on_the_last_segment_of_what_is_buffered),
        cmocka_unit_test(the_fin_rides_on_the_last_text),
        cmocka_unit_test(a_fin_that_the_window_does_not_take_follows_later),
        cmocka_unit_test(a_lost_fin_goes_again_with_its_text),
        cmocka_unit_test(the_window_opens_while_it_is_what_holds_the_sender),
        cmocka_unit_test(the_window_stays_where_the_application_holds_the_sender),
        cmocka_unit_test(the_window_opens_to_twice_what_the_application_sends),
        cmocka_unit_test(after_a_pause_no_more_than_the_initial_window_leaves),
        cmocka_unit_test(a_shut_window_is_no_pause_until_it_opens),
        cmocka_unit_test(a_pause_shorter_than_the_time_out_keeps_the_window),
        cmocka_unit_test(tcp_slow_start_after_idle_can_be_switched_off),
        cmocka_unit_test(a_full_link_loses_nothing_and_goes_on_when_it_can),
        cmocka_unit_test(an_ack_that_a_full_link_did_not_take_is_still_owed),
        cmocka_unit_test(what_a_link_takes_in_part_is_repaired),
        cmocka_unit_test(a_syn_that_finds_no_memory_is_sent_when_there_is_some),
        cmocka_unit_test(
            without_memory_to_send_text_the_ack_leaves_and_the_text_follows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
