/* Between the files of socket options. Each level has its table, one row an option;
 * what is common is in sockopt.c. */
#ifndef TAPIR_SOCK_SOCKOPT_H
#define TAPIR_SOCK_SOCKOPT_H

#include "sock/sock.h"

struct sockopt {
    int name; /* Linux's number */
    /* Options that are an int. `get` NULL: not one of them; `set` NULL: read only. */
    int (*get)(struct sock *s);
    int (*set)(struct sock *s, int value);
    int min, max; /* else -EINVAL; 0 and 0: any number */
    /* All others. */
    int (*get_bytes)(struct sock *s, void *value, size_t *len);
    int (*set_bytes)(struct sock *s, const void *value, size_t len);
};

/* clang-format off */
#define NUMBER(NAME, get, set, min, max) \
    { OPT_##NAME, get, set, min, max, NULL, NULL }
#define BYTES(NAME, get, set) \
    { OPT_##NAME, NULL, NULL, 0, 0, get, set }
/* clang-format on */

struct sockopt_table {
    const struct sockopt *row;
    size_t n;
};

/* SOL_SOCKET, IPPROTO_IP and IPPROTO_TCP: sockopt_socket.c, _ip.c, _tcp.c. */
struct sockopt_table sockopt_socket(void);
struct sockopt_table sockopt_ip(void);
struct sockopt_table sockopt_tcp(void);

/* Copies what fits of an option's value, as Linux truncates. 0. */
int sockopt_give(const void *from, size_t size, void *value, size_t *len);

/* What TCP will do, or does where there is a connection: read, and written back. */
struct tcp_options sockopt_tcp_of(const struct sock *s);
void sockopt_put_tcp(struct sock *s, const struct tcp_options *o);

#endif
