/* How much memory the buffers of all connections may take together (Linux's tcp_mem),
 * and what a connection does when there is little. tcp_mem.c tells the rules. */
#ifndef TAPIR_TCP_TCP_MEM_H
#define TAPIR_TCP_TCP_MEM_H

#include "tcp/tcp.h"

enum tcp_mem_level {
    TCP_MEM_FREE,     /* as much as the sockets' own limits allow */
    TCP_MEM_PRESSURE, /* buffers and windows do not grow */
    TCP_MEM_FULL,     /* each connection has its minimum, no more */
};

/* tcp_mem and tcp_max_orphans for a stack with this many bytes of packets. */
void tcp_mem_default(struct tcp_config *c, size_t pool_limit);

/* tcb's buffers have changed: the sum follows. */
void tcp_mem_update(struct tcb *tcb);

/* For received text, which lies in packets: their pool counts, too. */
enum tcp_mem_level tcp_mem_level(const struct tcp *tcp);

/* Can one connection more have its minimum? */
bool tcp_mem_admits(const struct tcp *tcp);

/* What tcb's send buffer may hold. */
size_t tcp_mem_sndbuf(const struct tcb *tcb);

/* What its receive queue may hold: the window offered is the room up to that. */
uint32_t tcp_mem_rcvbuf(const struct tcb *tcb);

/* Keeps seg's text, which is in order, or as much of it as there is memory for; how
 * many bytes. */
uint32_t tcp_mem_keep(struct tcb *tcb, struct tcp_seg *seg);

/* How many bytes of packets tcb may hold with text that is out of order. */
size_t tcp_mem_ofo_room(const struct tcb *tcb);

/* A connection that nobody owns is begun, or gone. */
void tcp_mem_orphan(struct tcb *tcb, bool begun);

/* Are there too many of them, or does this one hold what others need? */
bool tcp_mem_orphan_must_go(const struct tcb *tcb);

#endif
