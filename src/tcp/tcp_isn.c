/* Initial sequence numbers (RFC 6528): a clock of 4 microseconds plus a keyed hash of
 * the four-tuple. A stranger cannot guess the hash; the same four-tuple opened again
 * gets a number beyond the old one's, also after a restart, because the clock counts
 * real time (net->epoch) on a live link. The timestamp clock gets an offset the same
 * way (RFC 7323 s5.4), so that it does not tell how long the stack has been up. */
#include <string.h>

#include "tcp/tcp_demux.h"

enum { ISN_TICK = 4, TUPLE = 36 }; /* microseconds; bytes of a four-tuple */

static uint64_t tuple_hash(const struct tcp *tcp, const struct tcp_slot *key,
                           uint64_t purpose)
{
    uint8_t b[TUPLE];
    /* RFC 9293 s3.4.1 (MUST-9), RFC 6528 s3 (MUST-isn-secret) */
    struct siphash_key k = tcp->net->secret;

    memcpy(b, key->local.b, 16);
    memcpy(b + 16, key->remote.b, 16);
    memcpy(b + 32, &key->local_port, 2);
    memcpy(b + 34, &key->remote_port, 2);
    k.k[0] ^= purpose;
    return siphash(&k, b, sizeof b);
}

/* RFC 6528 s3 (SHLD-isn-formula), RFC 9293 s3.4.1 (MUST-8, SHLD-1): ISN = M +
 * F(localip, localport, remoteip, remoteport, secretkey). */
struct seq tcp_isn(const struct tcp *tcp, const struct tcp_slot *key)
{
    usec m = (tcp->net->now + tcp->net->epoch) / ISN_TICK;
    return seq_at((uint32_t)m + (uint32_t)tuple_hash(tcp, key, 1));
}

/* RFC 7323 s5.4, s7 (SHLD-ts-offset). */
uint32_t tcp_ts_offset(const struct tcp *tcp, const struct tcp_slot *key)
{
    return (uint32_t)tuple_hash(tcp, key, 2);
}
