/* Socket options, for the tests of sockopt*.c: a stack with one peer, and numbers of
 * four bytes. */
#ifndef TAPIR_TESTS_OPTION_H
#define TAPIR_TESTS_OPTION_H

#include "harness/peer.h"

enum { STREAM = 1, DATAGRAM = 2, ICMP = 1 };

static inline int setup(void **state)
{
    static struct peer p;
    peer_init(&p);
    *state = &p;
    return 0;
}

static inline int teardown(void **state)
{
    peer_free(*state);
    return 0;
}

static inline struct sock *new_sock(struct peer *p, int type, int protocol)
{
    struct sock *s;
    assert_int_equal(sock_new(&p->st->socks, 2, type, protocol, &s), 0);
    return s;
}

static inline int set(struct sock *s, int level, int name, int value)
{
    return sock_setopt(s, level, name, &value, sizeof value);
}

static inline int get(struct sock *s, int level, int name)
{
    int value = -1;
    size_t len = sizeof value;
    assert_int_equal(sock_getopt(s, level, name, &value, &len), 0);
    assert_int_equal(len, 4);
    return value;
}

#endif
