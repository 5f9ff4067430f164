/* What must hold of every connection between events. Called after each one in test,
 * simulation and fuzz builds (stack_config.check). */
#include <assert.h>

#include "tcp/tcb.h"

/* The record covers [SND.UNA, SND.NXT) without holes, and its sums are right. */
static void check_sent(const struct tcb *tcb)
{
    uint32_t bytes[3] = { 0 };
    struct seq at = tcb->snd.una;

    list_each (n, &tcb->sent.all) {
        const struct sent *s = list_entry(n, struct sent, node);
        assert(seq_eq(s->from, at));
        assert(seq_lt(s->from, s->to));
        assert(s->tries > 0);
        bytes[s->state] += seq_len(s->from, s->to);
        at = s->to;
    }
    assert(seq_eq(at, tcb->snd.nxt));
    for (int i = 0; i < 3; i++)
        assert(bytes[i] == tcb->sent.bytes[i]);
}

static void check_send_side(const struct tcb *tcb)
{
    assert(seq_leq(tcb->snd.una, tcb->snd.nxt));
    assert(seq_leq(tcb->snd.nxt, seq_add(snd_end(tcb), tcb->snd.fin)));
    assert(seq_leq(tcb->snd.una, tcb->snd.buf_seq) || tcb->snd.buf.len == 0);
    assert(tcb->cc.cwnd >= 1 && tcb->cc.mss >= 1);
    if (tcb->snd.push.n > 0) {
        assert(seq_lt(tcb->snd.nxt, tcb->snd.push.at[0]));
        assert(seq_leq(tcb->snd.push.at[tcb->snd.push.n - 1], snd_end(tcb)));
    }
    check_sent(tcb);
}

static void check_receive_side(const struct tcb *tcb)
{
    uint32_t len = 0, ofo = 0;
    struct seq at = tcb->rcv.nxt;

    for (const struct pkt *p = tcb->rcv.q.text.head; p; p = p->next)
        len += p->len;
    assert(len == tcb->rcv.q.len);
    for (const struct pkt *p = tcb->rcv.q.ofo; p; p = p->next) {
        assert(seq_leq(at, p->seq));
        at = seq_add(p->seq, p->len);
        ofo += p->len;
    }
    assert(ofo == tcb->rcv.q.ofo_len);
}

/* Every buffer is counted, and nothing else. */
static void check_memory(const struct tcp *tcp)
{
    size_t bytes = 0, orphans = 0;

    list_each (at, &tcp->all) {
        const struct tcb *tcb = list_entry(at, struct tcb, all);
        assert(tcb->mem == tcb->snd.buf.cap + tcb->rcv.q.held);
        bytes += tcb->mem;
        orphans += tcb->orphan;
    }
    assert(bytes == tcp->mem.bytes);
    assert(orphans == tcp->mem.n_orphans);
}

/* While something is owed, a timer or the dirty list will see to it. */
static void check_progress(const struct tcb *tcb)
{
    bool unsent_syn = seq_eq(tcb->snd.nxt, tcb->snd.iss);
    bool out = unsent_syn || !seq_eq(tcb->snd.una, tcb->snd.nxt);
    bool pending = seq_lt(tcb->snd.nxt, snd_end(tcb));

    if (list_linked(&tcb->dirty) || tcb->blocked || tcp_fastopen_waits(tcb))
        return;
    assert(!out || tcb->at[TT_REXMT] != NEVER);
    assert(out || !pending || tcb->at[TT_PERSIST] != NEVER);
    assert(!tcb->ack_now);
}

void tcp_check(const struct tcb *tcb)
{
    if (tcb->state == TCPS_CLOSED || tcb->state == TCPS_TIME_WAIT) {
        assert(list_empty(&tcb->sent.all) && tcb->snd.buf.len == 0);
        return;
    }
    assert(tcb->slot.hashed);
    check_send_side(tcb);
    check_receive_side(tcb);
    check_progress(tcb);
}

void tcp_check_all(const struct tcp *tcp)
{
    list_each (at, &tcp->all)
        tcp_check(list_entry(at, struct tcb, all));
    check_memory(tcp);
}
