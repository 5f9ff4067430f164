/* The state of a connection has one writer. It knows the arrows of RFC 9293 figure 5
 * and does everything that entering a state implies: timers, counters, the trace,
 * waking the user, and in the end taking the connection out of the tables.
 *
 *   CLOSED -> SYN-SENT -> ESTABLISHED            active open
 *   SYN-RECEIVED -> ESTABLISHED                  a half-open entry was completed
 *   SYN-SENT -> SYN-RECEIVED -> ESTABLISHED      simultaneous open
 *   ESTABLISHED -> FIN-WAIT-1 -> FIN-WAIT-2 -> TIME-WAIT
 *                  FIN-WAIT-1 -> CLOSING -> TIME-WAIT
 *   ESTABLISHED -> CLOSE-WAIT -> LAST-ACK -> CLOSED
 *   any -> CLOSED                                reset, abort, giving up
 *
 * LISTEN is a struct tcp_listener and SYN-RECEIVED of a passive open a half-open entry;
 * neither is a tcb. TIME-WAIT is a small record of its own: the tcb hands its
 * four-tuple over and remains only for a user who still has text to read. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "tcp/tcb.h"

static const char *const names[TCPS_N] = {
    [0] = "?",
    [TCPS_ESTABLISHED] = "ESTAB",
    [TCPS_SYN_SENT] = "SYN-SENT",
    [TCPS_SYN_RECEIVED] = "SYN-RECV",
    [TCPS_FIN_WAIT_1] = "FIN-WAIT-1",
    [TCPS_FIN_WAIT_2] = "FIN-WAIT-2",
    [TCPS_TIME_WAIT] = "TIME-WAIT",
    [TCPS_CLOSED] = "CLOSED",
    [TCPS_CLOSE_WAIT] = "CLOSE-WAIT",
    [TCPS_LAST_ACK] = "LAST-ACK",
    [TCPS_LISTEN] = "LISTEN",
    [TCPS_CLOSING] = "CLOSING",
};

#define TO(state) (1u << (state))

/* RFC 9293 s3.3.2, figure 5: where each state may lead, besides CLOSED. */
static const unsigned arrows[TCPS_N] = {
    [TCPS_CLOSED] = TO(TCPS_SYN_SENT),
    [TCPS_SYN_SENT] = TO(TCPS_ESTABLISHED) | TO(TCPS_SYN_RECEIVED),
    [TCPS_SYN_RECEIVED] = TO(TCPS_ESTABLISHED) | TO(TCPS_FIN_WAIT_1) |
                          TO(TCPS_CLOSE_WAIT),
    [TCPS_ESTABLISHED] = TO(TCPS_FIN_WAIT_1) | TO(TCPS_CLOSE_WAIT),
    [TCPS_FIN_WAIT_1] = TO(TCPS_FIN_WAIT_2) | TO(TCPS_CLOSING) | TO(TCPS_TIME_WAIT),
    [TCPS_FIN_WAIT_2] = TO(TCPS_TIME_WAIT),
    [TCPS_CLOSING] = TO(TCPS_TIME_WAIT),
    [TCPS_CLOSE_WAIT] = TO(TCPS_LAST_ACK),
};

const char *tcp_state_name(enum tcp_state state)
{
    return (unsigned)state < TCPS_N ? names[state] : names[0];
}

void tcp_trace_tuple(const struct tcp_slot *slot, struct trace_tuple *out)
{
    memcpy(out->local, slot->local.b, 16);
    memcpy(out->remote, slot->remote.b, 16);
    out->local_port = slot->local_port;
    out->remote_port = slot->remote_port;
}

void tcp_trace_arrow(const struct tcp *tcp, const struct tcp_slot *slot,
                     enum tcp_state from, enum tcp_state to)
{
    const struct trace *trace = &tcp->net->trace;
    if (!trace_on(trace))
        return;
    struct trace_event e = { .at = tcp->net->now, .kind = TRACE_STATE };
    tcp_trace_tuple(slot, &e.u.state.tuple);
    e.u.state.from = names[from];
    e.u.state.to = names[to];
    trace_emit(trace, &e);
}

/* Nothing more is sent, and no timer runs. */
static void fall_silent(struct tcb *tcb)
{
    for (int i = 0; i < TT_N; i++)
        tcp_arm(tcb, (enum tcp_timer)i, NEVER);
    sent_clear(&tcb->sent);
    ring_free(&tcb->snd.buf);
    rcvq_forget_ofo(&tcb->rcv.q);
    tcp_mem_update(tcb);
    list_del(&tcb->dirty);
    tcb->ack_now = tcb->probe_now = false;
}

/* Nobody owns it and nothing is left to do: it goes at the end of the event. Its record
 * stands for it where it was in TIME-WAIT, so no arrow is drawn. */
void tcp_bury(struct tcb *tcb)
{
    tcb->state = TCPS_CLOSED;
    tcp_mem_orphan(tcb, false);
    list_del(&tcb->node);
    list_add_tail(&tcb->tcp->dead, &tcb->node);
}

static void enter_closed(struct tcb *tcb)
{
    fall_silent(tcb);
    tcp_unhash(tcb->tcp, &tcb->slot);
    if (!tcb->owned)
        tcp_bury(tcb);
}

static void enter_time_wait(struct tcb *tcb)
{
    tcp_timewait_enter(tcb);
    fall_silent(tcb);
    if (!tcb->owned)
        tcp_bury(tcb);
}

/* A half-open entry has drawn the arrow from LISTEN; the connection goes on from
 * there. */
void tcp_begin_half_open(struct tcb *tcb)
{
    assert(tcb->state == TCPS_CLOSED);
    tcb->state = TCPS_SYN_RECEIVED;
}

void tcp_set_state(struct tcb *tcb, enum tcp_state state)
{
    enum tcp_state from = tcb->state;

    assert(state == TCPS_CLOSED || (arrows[from] & TO(state)));
    if (from == state)
        return;
    tcp_trace_arrow(tcb->tcp, &tcb->slot, from, state);
    tcb->state = state;
    list_del(&tcb->fast.node); /* a child no more */
    if (state == TCPS_FIN_WAIT_2 && !tcb->owned && !tcp_await_fin(tcb)) {
        count(&tcb->tcp->net->count, COUNT_TcpExtTCPAbortOnData);
        tcp_finish(tcb, 0);
        return;
    }
    if (state == TCPS_ESTABLISHED)
        tcp_restart_keepalive(tcb);
    if (state == TCPS_TIME_WAIT)
        enter_time_wait(tcb);
    if (state == TCPS_CLOSED)
        enter_closed(tcb);
    watch_wake(&tcb->tcp->net->woken, &tcb->watch);
}

/* RFC 9293's statistics, in the words of RFC 4022. */
static void count_end(const struct tcb *tcb, int error)
{
    struct counters *c = &tcb->tcp->net->count;
    if (error == 0)
        return;
    if (tcb->state == TCPS_SYN_SENT || tcb->state == TCPS_SYN_RECEIVED)
        count(c, COUNT_TcpAttemptFails);
    else if (tcb->state == TCPS_ESTABLISHED || tcb->state == TCPS_CLOSE_WAIT)
        count(c, COUNT_TcpEstabResets);
}

void tcp_finish(struct tcb *tcb, int error)
{
    if (tcb->state == TCPS_CLOSED)
        return;
    count_end(tcb, error);
    tcb->error = error;
    tcb->ended = tcb->ended || error != 0;
    tcp_set_state(tcb, TCPS_CLOSED);
}
