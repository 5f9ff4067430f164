/* SYN cookies (RFC 4987 s3.6): a SYN-ACK that needs no memory, because the ACK that
 * answers it brings back all that has to be known. */
#ifndef TAPIR_TCP_TCP_COOKIE_H
#define TAPIR_TCP_TCP_COOKIE_H

#include "tcp/tcp_demux.h"
#include "wire/tcp_wire.h"

/* tcp_syncookies: never, when there are too many half-open entries, for every SYN. */
enum { COOKIES_NEVER, COOKIES_WHEN_FULL, COOKIES_ALWAYS };

#define COOKIE_LIFE (128 * USEC_PER_SEC) /* after that no cookie is good any more */

/* The initial sequence number that stands for a SYN with this number and MSS. */
struct seq tcp_cookie_make(const struct tcp *tcp, const struct tcp_slot *slot,
                           struct seq irs, uint16_t mss);

/* Is `iss` one that was made for this SYN at most two minutes ago? Then *mss is the
 * largest known one that the peer's SYN allowed. */
bool tcp_cookie_check(const struct tcp *tcp, const struct tcp_slot *slot,
                      struct seq irs, struct seq iss, uint16_t *mss);

/* The timestamp for the SYN-ACK, with the other options of the SYN in its last bits. */
uint32_t tcp_cookie_stamp(const struct tcp *tcp, const struct tcp_slot *slot,
                          const struct tcp_opts *syn, bool ecn);

/* What the SYN had offered, from the echo of that timestamp. True: ECN too, and so it
 * was agreed. */
bool tcp_cookie_options(const struct tcp *tcp, const struct tcp_slot *slot,
                        const struct tcp_opts *ack, struct tcp_opts *syn);

#endif
