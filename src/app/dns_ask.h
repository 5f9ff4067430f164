/* One question to one name server, by UDP or by TCP, over the calls of tapir/socket.h.
 * Each has a socket of its own, and with it a port that was drawn for it. */
#ifndef TAPIR_APP_DNS_ASK_H
#define TAPIR_APP_DNS_ASK_H

#include "app/dns_msg.h"
#include "app/resolv_conf.h"
#include "base/time.h"

struct dns_reply {
    struct dns_message message; /* of `at`; good while the reply stays where it is */
    union endpoint server;      /* who gave it */
    bool tcp;                   /* it came by TCP */
    unsigned
        strange; /* datagrams that were no answer to the question and were ignored */
    uint8_t at[DNS_MESSAGE_MAX];
};

struct dns_query {
    const struct dns_question *question;
    uint16_t id;
    bool edns;
    usec deadline; /* of tapir_now() */
};

/* Asks *reply's server. 0 with a reply that answers the question, whatever it says;
 * -ETIME; or why there was none. */
int dns_ask_udp(const struct dns_query *query, struct dns_reply *reply);
int dns_ask_tcp(const struct dns_query *query, struct dns_reply *reply);

#endif
