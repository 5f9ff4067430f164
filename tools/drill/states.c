/* Connections, half-open ones and those in TIME-WAIT are in the table of four-tuples;
 * listeners and sockets that are closed, or were never connected, are not. */
#include "states.h"

#include <string.h>

#include "edge/tapir.h"

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

/* A socket of which the table knows nothing. */
static void see_socket(const struct sock *s, states_see *see, void *arg)
{
    const struct tcp_slot endpoint = { .local = s->local.addr,
                                       .local_port = s->local.port,
                                       .remote = ip_any4 };

    if (s->kind != SOCK_KIND_TCP)
        return;
    if (s->listener)
        see(arg, &endpoint, names[TCPS_LISTEN]);
    else if (!s->tcb || tcp_state_of(s->tcb) == TCPS_CLOSED)
        see(arg, &endpoint, names[TCPS_CLOSED]);
}

void states_each(const struct tapir *host, states_see *see, void *arg)
{
    const struct stack *st = host->stack;

    list_each (at, &st->socks.all)
        see_socket(list_entry(at, struct sock, node), see, arg);
    for (size_t i = 0; i < st->tcp.n_slots; i++)
        for (const struct tcp_slot *slot = st->tcp.slots[i]; slot; slot = slot->next)
            see(arg, slot, names[state_of(slot)]);
}

struct wanted {
    const char *name;
    int n;
};

static void count_wanted(void *arg, const struct tcp_slot *endpoint, const char *state)
{
    struct wanted *w = arg;

    (void)endpoint;
    w->n += strcmp(state, w->name) == 0;
}

int states_count(const struct tapir *host, const char *name)
{
    struct wanted w = { name, 0 };
    unsigned state = 0;

    while (state < TCPS_N && !(names[state] && strcmp(names[state], name) == 0))
        state++;
    if (state == TCPS_N)
        return -1;
    states_each(host, count_wanted, &w);
    return w.n;
}
