/* Joins net, tcp, udp and sock, and says who is next on the way up. The public face is
 * tapir/stack.h; this is the one that edge uses. */
#ifndef TAPIR_STACK_STACK_H
#define TAPIR_STACK_STACK_H

#include "sock/sock.h"
#include "tapir/stack.h"

struct stack {
    struct net net;
    struct tcp tcp;
    struct udp udp;
    struct socks socks;
    bool check;           /* tcp_check_all() after every event */
    bool pending;         /* stack_flush() left something for the next event */
    struct list links;    /* struct stack_netif_link: netifs made by stack_add_netif */
    struct deadline trim; /* armed while memory is kept that may not be needed */
};

/* A frame came on nif (from its Ethernet header on; csum and gso_size set where the
 * device says so). Takes p. Output waits for stack_flush(): a batch of frames is one
 * event for TCP (architecture: work is batched). */
void stack_input(struct stack *st, struct netif *nif, struct pkt *p, usec now);

/* Sends what the batch or the calls made due, delivers loopback packets and errors,
 * until nothing is left that can go. */
void stack_flush(struct stack *st);

/* Adds an interface made by the caller: as net_add_netif(), and the default route. */
int stack_attach(struct stack *st, struct netif *nif, struct ip_addr addr,
                 unsigned prefix, struct ip_addr gateway);

/* One more default gateway, for when those before it are dead. As route_add(). */
int stack_add_gateway(struct stack *st, struct netif *nif, struct ip_addr gateway);

/* nif's link takes frames again. */
void stack_unblock(struct stack *st, struct netif *nif);

/* Has stack_advance() something to do at `now`? As stack_deadline(), for less. */
bool stack_due(struct stack *st, usec now);

/* The next socket that something happened to, or NULL: each once. */
struct sock *stack_ready(struct stack *st);

#endif
