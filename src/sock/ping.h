/* Echo sockets: what sock.c hands on when the kind is SOCK_KIND_PING. The calls have
 * the meaning of their namesakes in sock.h. */
#ifndef TAPIR_SOCK_PING_H
#define TAPIR_SOCK_PING_H

#include "sock/sock.h"

int ping_bind(struct sock *s, const struct sock_name *name);
int ping_connect(struct sock *s, const struct sock_name *to);

/* `to`: 0.0.0.0 when there is no destination. */
ssize_t ping_send(struct sock *s, const struct piece *text, size_t n,
                  const struct sock_name *to, const struct ip_ask *ask);
ssize_t ping_receive(struct sock *s, const struct room *to, size_t n, int flags,
                     struct sock_message *got);
void ping_close(struct sock *s);

/* An error quotes an echo request of ours. */
void ping_error(struct socks *socks, const struct net_error *err);

#endif
