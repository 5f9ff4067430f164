/* What tests with peer.h ask of the stack: counters, drops, the state of a connection,
 * what a call returns, and which arrows of RFC 9293 figure 5 were drawn. */
#ifndef TAPIR_TESTS_PEER_ASK_H
#define TAPIR_TESTS_PEER_ASK_H

#include <stdio.h>
#include <string.h>

#include "harness/peer.h"

/* "TcpOutRsts": how often; -1 for a name that there is not. */
static inline long peer_count(const struct peer *p, const char *name)
{
    for (int i = 0; i < COUNT_N; i++) {
        if (strcmp(count_name((enum count)i), name) == 0)
            return (long)p->st->net.count.n[i];
    }
    return -1;
}

/* "TcpBadAck": how many packets died of it; -1 for a name that there is not. */
static inline long peer_drops(const struct peer *p, const char *name)
{
    for (int i = 0; i < DROP_N; i++) {
        if (strcmp(drop_name((enum drop)i), name) == 0)
            return (long)p->st->net.count.drop[i];
    }
    return -1;
}

/* "ESTAB", as `ss` spells them. */
static inline const char *peer_state(const struct sock *s)
{
    return s->tcb ? tcp_state_name(tcp_state_of(s->tcb)) : "none";
}

/* What reading one byte, or sending one, returns now: 1, 0 or negative errno. */
static inline ssize_t peer_read_result(struct sock *s)
{
    uint8_t b;
    return sock_receive(s, &b, 1, 0, NULL);
}

static inline ssize_t peer_write_result(struct sock *s)
{
    struct piece piece = { (const uint8_t *)"x", 1 };
    return sock_send(s, &piece, 1, 0, NULL);
}

static inline ssize_t peer_connect_result(struct peer *p, struct sock *s)
{
    struct sock_name to = { ip4_addr(0xc0000201u), p->at->port };
    return sock_connect(s, &to);
}

/* SO_LINGER with no time: close resets. */
static inline void peer_linger_zero(struct sock *s)
{
    s->linger_on = true;
    s->linger_sec = 0;
}

/* The arrows in the order in which they were drawn: "LISTEN>SYN-RECV
 * SYN-RECV>ESTAB". */
struct peer_arrows {
    char text[1000];
    struct trace trace; /* for peer_init_mtu() */
};

static inline void peer_arrow(void *ctx, const struct trace_event *e)
{
    struct peer_arrows *a = ctx;
    size_t len = strlen(a->text);
    if (e->kind == TRACE_STATE && len + 32 < sizeof a->text)
        snprintf(a->text + len, sizeof a->text - len, "%s%s>%s", len ? " " : "",
                 e->u.state.from, e->u.state.to);
}

static inline void peer_arrows_init(struct peer_arrows *a)
{
    a->text[0] = '\0';
    a->trace = (struct trace){ peer_arrow, a };
}

#endif
