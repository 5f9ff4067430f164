/* A stub resolver (RFC 1034 s5.3.1): asks recursive name servers, in turn, until one
 * answers, and keeps what they said. Each stack has one, made when a name is looked up
 * for the first time: its servers are those of --dns (tapir_config.dns), or of
 * /etc/resolv.conf. Any thread may call; the calls are those of tapir/socket.h. */
#ifndef TAPIR_APP_DNS_H
#define TAPIR_APP_DNS_H

#include "app/dns_ask.h"

struct dns;

/* A resolver of one's own; its random choices follow from the seed. NULL: no memory. */
struct dns *dns_new(const struct resolv_conf *conf, uint64_t seed);
void dns_free(struct dns *dns);

/* That of this thread's stack; NULL: there is no stack, or no memory. */
struct dns *dns_current(void);

/* How it is configured. */
const struct resolv_conf *dns_conf(const struct dns *dns);

/* Asks the servers this one question, until a moment of tapir_now() at the latest. 0:
 * *reply is an answer that says NOERROR or NXDOMAIN; -ENONET: no server is known; -EIO:
 * servers answered that they failed or refuse, the last of them in *reply; -ETIME and
 * others: none answered. */
int dns_ask(struct dns *dns, const struct dns_question *question, usec deadline,
            struct dns_reply *reply);

/* The n-th name that resolv.conf(5) has us try for this one: with the domains of
 * `search`, or as it stands. False: there are no more. */
bool dns_candidate(const struct resolv_conf *conf, const char *host, unsigned n,
                   struct dns_name *out);

/* The addresses of a host, from what is kept or from the servers, by type A or AAAA. 0:
 * there is at least one; -ENOENT: no such name; -ENODATA: it has none of that type;
 * -ENOMEM; or as dns_ask(). */
int dns_lookup(struct dns *dns, const char *host, uint16_t type, usec deadline,
               struct dns_answer *out);

#endif
