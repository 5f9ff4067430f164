/* Connections, half-open ones and those in TIME-WAIT are in the table of four-tuples;
 * listeners and sockets that are closed, or were never connected, are not. */
#include "states.h"

#include <string.h>

#include "edge/tapir.h"
#include "tcp/tcp_demux.h"

static const char *const names[TCPS_N] = {
    [TCPS_ESTABLISHED] = "ESTABLISHED", [TCPS_SYN_SENT] = "SYN_SENT",
    [TCPS_SYN_RECEIVED] = "SYN_RCVD",   [TCPS_FIN_WAIT_1] = "FIN_WAIT_1",
    [TCPS_FIN_WAIT_2] = "FIN_WAIT_2",   [TCPS_TIME_WAIT] = "TIME_WAIT",
    [TCPS_CLOSED] = "CLOSED",           [TCPS_CLOSE_WAIT] = "CLOSE_WAIT",
    [TCPS_LAST_ACK] = "LAST_ACK",       [TCPS_LISTEN] = "LISTEN",
    [TCPS_CLOSING] = "CLOSING",
};

static enum tcp_state state_of(const struct tcp_slot *slot)
{
    if (slot->kind == SLOT_HALF_OPEN)
        return TCPS_SYN_RECEIVED;
    if (slot->kind == SLOT_TIME_WAIT)
        return TCPS_TIME_WAIT;
    return tcp_state_of((const struct tcb *)(const void *)slot);
}

/* Of a socket that is not in the table; TCPS_N: it is. */
static enum tcp_state unlisted_state(const struct sock *s)
{
    if (s->kind != SOCK_KIND_TCP)
        return TCPS_N;
    if (s->listener)
        return TCPS_LISTEN;
    return !s->tcb || tcp_state_of(s->tcb) == TCPS_CLOSED ? TCPS_CLOSED : TCPS_N;
}

int states_count(const struct tapir *host, const char *name)
{
    const struct stack *st = host->stack;
    unsigned state = 0;
    int n = 0;

    while (state < TCPS_N && !(names[state] && strcmp(names[state], name) == 0))
        state++;
    if (state == TCPS_N)
        return -1;
    list_each (at, &st->socks.all)
        n += unlisted_state(list_entry(at, struct sock, node)) == state;
    for (size_t i = 0; i < st->tcp.n_slots; i++)
        for (const struct tcp_slot *slot = st->tcp.slots[i]; slot; slot = slot->next)
            n += state_of(slot) == state;
    return n;
}
