/* Who is a segment for? One hash table holds everything that owns a four-tuple:
 * connections, half-open entries, TIME-WAIT records. Each embeds a slot as its first
 * member. The table grows and shrinks, and its hash is keyed (siphash), so that
 * strangers cannot make chains long. */
#ifndef TAPIR_TCP_DEMUX_H
#define TAPIR_TCP_DEMUX_H

#include "tcp/tcp.h"

enum slot_kind { SLOT_TCB, SLOT_HALF_OPEN, SLOT_TIME_WAIT };

struct tcp_slot {
    struct tcp_slot *next; /* in the chain */
    uint32_t hash;         /* of the four-tuple */
    uint16_t local_port, remote_port;
    struct ip_addr local, remote;
    uint8_t kind;   /* enum slot_kind */
    bool hashed;    /* in the table */
    bool ts_on;     /* TIME-WAIT records: timestamps were agreed on */
    uint8_t wscale; /* TIME-WAIT records: our shift count */
};

struct tcp_listener {
    struct list node; /* in tcp->listeners */
    struct tcp *tcp;
    struct watch watch;   /* woken when a connection waits to be accepted */
    struct ip_addr local; /* 0.0.0.0: any of ours */
    uint16_t port;
    struct tcp_options options; /* what accepted connections begin with */
    struct list half_open;      /* struct tcp_half_open.node, oldest first */
    struct list accept;         /* struct tcb.node: established, not yet accepted */
    struct list children;       /* struct tcb.fast.node: RFC 7413, in SYN-RECEIVED */
    uint32_t n_half_open, n_accept;
    uint32_t arrived; /* connections that ever were put into `accept` */
    uint32_t backlog; /* most that may wait in `accept` */
};

/* An empty table: 0 or -ENOMEM; and the end of one. */
int tcp_slots_init(struct tcp *tcp);
void tcp_slots_free(struct tcp *tcp);

/* The slot of a four-tuple, or NULL. */
struct tcp_slot *tcp_lookup(const struct tcp *tcp, const struct tcp_slot *key);

/* The listener for a local name: the one bound to the address before the one bound to
 * any; NULL. */
struct tcp_listener *tcp_lookup_listener(const struct tcp *tcp, struct ip_addr local,
                                         uint16_t port);

/* Puts a slot whose four-tuple is set into the table, which is no longer than it must
 * be. 0 or -EADDRINUSE when the four-tuple is taken. */
int tcp_hash(struct tcp *tcp, struct tcp_slot *slot);
void tcp_unhash(struct tcp *tcp, struct tcp_slot *slot);

/* `with` takes the place of `old`, with its four-tuple. */
void tcp_rehash(struct tcp *tcp, struct tcp_slot *old, struct tcp_slot *with);

/* May a new connection of ours have key's four-tuple? If nobody has it, or a TIME-WAIT
 * record that may give way. */
bool tcp_tuple_free(const struct tcp *tcp, const struct tcp_slot *key);

/* RFC 6056 s3.3.3: fills in a local port for key's other three. 0 or -EADDRNOTAVAIL. */
int tcp_choose_port(struct tcp *tcp, struct tcp_slot *key);

/* tcp_isn.c: RFC 6528 s3, and a per-connection offset for the timestamp clock (RFC 7323
 * s5.4). */
struct seq tcp_isn(const struct tcp *tcp, const struct tcp_slot *key);
uint32_t tcp_ts_offset(const struct tcp *tcp, const struct tcp_slot *key);

#endif
