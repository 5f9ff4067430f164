/* ICMP redirects (RFC 792, RFC 1122 s3.2.2.2): destinations that a gateway has said to
 * be reached better by another one. */
#ifndef TAPIR_NET_REDIRECT_H
#define TAPIR_NET_REDIRECT_H

#include <stdbool.h>

#include "base/time.h"
#include "wire/addr.h"

struct net;
struct net_error;
struct ip_info;

enum {
    REDIRECT_WAYS = 4,  /* destinations that may share a set ... */
    REDIRECT_SETS = 16, /* ... and sets: 64 destinations at most */
};

struct redirect {
    struct ip_addr dst, gateway;
    usec until; /* forgotten then; 0: the entry is free */
};

struct redirect_table {
    struct redirect at[REDIRECT_SETS * REDIRECT_WAYS]; /* set by set */
    usec next; /* when the first of them is forgotten; NEVER: there are none */
};

void redirect_init(struct net *net);

/* May a redirect that came as *ip says be believed, if *err quotes a packet of ours?
 * That is for its transport to tell. */
bool redirect_plausible(struct net *net, const struct ip_info *ip,
                        const struct net_error *err);

/* Takes what a redirect tells, which the transport has found to be about a packet of
 * its own. */
void redirect_learn(struct net *net, const struct net_error *err);

/* The gateway that dst was redirected to, or NULL. */
const struct ip_addr *redirect_find(struct net *net, struct ip_addr dst);

/* This gateway answers nobody: what was redirected to it goes by the routes again. */
void redirect_forget(struct net *net, struct ip_addr gateway);

#endif
