/* How it works
 *
 *     SYN-ACK's sequence number:  | count 5 | MSS 3 | keyed hash 24 |
 *
 * `count` is a clock of 64 seconds; the hash is of the four-tuple, the peer's number,
 * the whole count and the index of an MSS in a table, under the stack's secret. The ACK
 * of the SYN-ACK carries our number and the peer's, one more each, so the hash can be
 * made again; it must agree for this count or the one before, which gives a peer one to
 * two minutes.
 *
 * Five bits of count and three of MSS leave 24 for the hash: who does not see the
 * SYN-ACK needs millions of guesses within a minute for one connection. That is why
 * cookies are for the time of a flood.
 *
 * Window scale, SACK, ECN and timestamps would be lost, and with them the speed of
 * every connection that begins during a flood. Where the SYN has a timestamp, ours
 * carries them in its last six bits and the peer echoes it:
 *
 *     TSval:  | clock of 64 ms | SACK 1 | ECN 1 | window scale 4, 15: none |
 *
 * It is rounded down, so that it is never younger than the timestamps after it. */
#include "tcp/tcp_cookie.h"

#include <string.h>

#include "base/bytes.h"
#include "tcp/tcb.h"

enum {
    COUNT_BITS = 5,
    MSS_BITS = 3,
    HASH_BITS = 24,
    STAMP_BITS = 6,
    STAMP_SACK = 0x20,
    STAMP_ECN = 0x10,
    STAMP_WSCALE = 0x0f, /* and the value that means that there was none */
};

#define COUNT_TIME (64 * USEC_PER_SEC)

/* RFC 9293's default, those of links and tunnels that are met, and a jumbo frame's. */
static const uint16_t mss_table[1 << MSS_BITS] = { 536,  1220, 1300, 1400,
                                                   1440, 1452, 1460, 8960 };

static uint32_t cookie_hash(const struct tcp *tcp, const struct tcp_slot *slot,
                            struct seq irs, uint64_t count_and_mss)
{
    uint8_t b[16 + 16 + 2 + 2 + 4 + 8];
    struct siphash_key key = tcp->net->secret;

    key.k[0] ^= 3; /* not the key of sequence numbers and timestamps (tcp_isn.c) */
    memcpy(b, slot->local.b, 16);
    memcpy(b + 16, slot->remote.b, 16);
    put16(b + 32, slot->local_port);
    put16(b + 34, slot->remote_port);
    put32(b + 36, irs.n);
    put32(b + 40, (uint32_t)(count_and_mss >> 32));
    put32(b + 44, (uint32_t)count_and_mss);
    return (uint32_t)siphash(&key, b, sizeof b) & ((1u << HASH_BITS) - 1);
}

static uint64_t cookie_count(const struct tcp *tcp)
{
    return (uint64_t)((tcp->net->now + tcp->net->epoch) / COUNT_TIME);
}

static uint32_t cookie(const struct tcp *tcp, const struct tcp_slot *slot,
                       struct seq irs, uint64_t what)
{
    return (uint32_t)what << HASH_BITS | cookie_hash(tcp, slot, irs, what);
}

struct seq tcp_cookie_make(const struct tcp *tcp, const struct tcp_slot *slot,
                           struct seq irs, uint16_t mss)
{
    uint64_t i = ARRAY_LEN(mss_table) - 1;

    while (i > 0 && mss_table[i] > mss)
        i--;
    return seq_at(cookie(tcp, slot, irs, cookie_count(tcp) << MSS_BITS | i));
}

bool tcp_cookie_check(const struct tcp *tcp, const struct tcp_slot *slot,
                      struct seq irs, struct seq iss, uint16_t *mss)
{
    uint64_t i = iss.n >> HASH_BITS & ((1u << MSS_BITS) - 1);
    uint64_t now = cookie_count(tcp);

    *mss = mss_table[i];
    for (uint64_t age = 0; age <= 1; age++)
        if (cookie(tcp, slot, irs, (now - age) << MSS_BITS | i) == iss.n)
            return true;
    return false;
}

/* Our timestamp clock without the connection's own offset, so that the bits are ours.
 */
uint32_t tcp_cookie_stamp(const struct tcp *tcp, const struct tcp_slot *slot,
                          const struct tcp_opts *syn, bool ecn)
{
    uint32_t now = tcp_ts_now(tcp, 0), bits = STAMP_WSCALE;

    if (syn->has_wscale && tcp->config.window_scaling)
        bits = min_u32(syn->wscale, TCP_WSCALE_MAX);
    if (syn->sack_ok && tcp->config.sack)
        bits |= STAMP_SACK;
    if (ecn)
        bits |= STAMP_ECN;
    uint32_t stamp = (now >> STAMP_BITS << STAMP_BITS) | bits;
    if (stamp > now)
        stamp -= 1u << STAMP_BITS;
    return stamp + tcp_ts_offset(tcp, slot);
}

bool tcp_cookie_options(const struct tcp *tcp, const struct tcp_slot *slot,
                        const struct tcp_opts *ack, struct tcp_opts *syn)
{
    uint32_t bits = ack->ts_ecr - tcp_ts_offset(tcp, slot);

    if (!ack->has_ts || !tcp->config.timestamps)
        return false;
    syn->has_ts = true;
    syn->ts_val = ack->ts_val;
    syn->sack_ok = bits & STAMP_SACK;
    syn->has_wscale = (bits & STAMP_WSCALE) != STAMP_WSCALE;
    syn->wscale = syn->has_wscale ? (uint8_t)(bits & STAMP_WSCALE) : 0;
    return bits & STAMP_ECN;
}
