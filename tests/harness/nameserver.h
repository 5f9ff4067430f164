/* A scripted name server, a program of a simulated host (sim_spawn(host, nameserver,
 * s)): it answers by UDP and TCP what its rows say, and NXDOMAIN to all else. It ends
 * after NAMESERVER_QUIET of virtual time without a question. */
#ifndef TAPIR_TESTS_NAMESERVER_H
#define TAPIR_TESTS_NAMESERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NAMESERVER_QUIET = 120, NAMESERVER_SEEN = 64 };

struct nameserver_row {
    const char *name;
    uint16_t type;
    const char *records; /* "www.test 60 A 192.0.2.7; ...", behind a "/" those of the
                          * authority section; types A, AAAA, CNAME, and of "test 300
                          * SOA 60" the number is MINIMUM; NULL: none */
    uint8_t rcode;
    bool cut; /* by UDP it sets TC and has no record */
    bool
        strangers; /* before the answer come two with a wrong id and a wrong question */
};

struct nameserver {
    uint16_t port;
    const struct nameserver_row *row;
    size_t n_rows;
    unsigned deaf; /* the first questions, so many, are not answered */
    bool no_edns;  /* questions with an additional record are FORMERR, header alone */

    /* what was seen */
    unsigned udp, tcp; /* questions */
    uint16_t ids[NAMESERVER_SEEN], ports[NAMESERVER_SEEN];
};

/* Writes the message that answers a query of n bytes into at (65535 bytes): its bytes.
 */
size_t nameserver_answer(const struct nameserver *s, const uint8_t *query, size_t n,
                         bool tcp, uint8_t *at);

void nameserver(void *server);

#endif
