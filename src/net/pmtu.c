/* Path MTU discovery.
 *
 * Packets leave with don't-fragment set. A router whose next link is too narrow drops
 * such a packet and says so (ICMP "fragmentation needed", since RFC 1191 with the MTU
 * of that link); the transport makes sure that the message quotes a packet that it has
 * sent (RFC 5927 s4.1: a forger has to guess), and what it says is kept here:
 *
 *     destination -> MTU, for net.ipv4.route.mtu_expires
 *
 * It only ever lowers, since a claim that the way is wider would come from nobody; that
 * it has become wider is found by forgetting (RFC 1191 s6.3). A claim that is not below
 * what the quoted packet measured contradicts itself and counts for nothing
 * (RFC 5927 s7.2). Below net.ipv4.route.min_pmtu nothing is believed either: the entry
 * then stands at that minimum and is locked, which takes don't-fragment away, so that a
 * forger gains at most that, and a way that is really so narrow works all the same.
 *
 * The table is a hash with four ways a set, under a key of the stack's own: nobody
 * chooses whose entry is pushed out, and a lookup looks at four. It goes first that
 * would be forgotten first. */
#include "net/pmtu.h"

#include "base/bytes.h"
#include "net/net.h"

enum { PLATEAU_MIN = 68 }; /* RFC 791 s3.2: what every link must carry */

/* RFC 1191 s7.1: sizes that links have, for routers that do not tell theirs. */
static const uint16_t plateaus[] = { 65535, 32000, 17914, 8166, 4352, 2002,
                                     1492,  1006,  508,   296,  68 };

void pmtu_init(struct net *net)
{
    net->pmtu = (struct pmtu_table){ .next = NEVER, .stamp = 1 };
}

static struct pmtu *set_of(struct net *net, struct ip_addr dst)
{
    uint64_t hash = siphash(&net->secret, &dst, sizeof dst);
    return net->pmtu.at + hash % PMTU_SETS * PMTU_WAYS;
}

static void changed(struct pmtu_table *t)
{
    t->stamp += t->stamp == UINT32_MAX ? 2 : 1;
}

/* Forgets what is due. */
static void expire(struct net *net)
{
    struct pmtu_table *t = &net->pmtu;

    if (net->now < t->next)
        return;
    t->next = NEVER;
    for (size_t i = 0; i < ARRAY_LEN(t->at); i++) {
        struct pmtu *p = &t->at[i];
        if (p->mtu && p->until <= net->now)
            *p = (struct pmtu){ 0 };
        if (p->mtu && p->until < t->next)
            t->next = p->until;
    }
    changed(t);
}

uint32_t pmtu_stamp(struct net *net)
{
    expire(net);
    return net->pmtu.stamp;
}

const struct pmtu *pmtu_find(struct net *net, struct ip_addr dst)
{
    expire(net);
    if (net->pmtu.next == NEVER)
        return NULL;
    const struct pmtu *set = set_of(net, dst);
    for (unsigned i = 0; i < PMTU_WAYS; i++)
        if (set[i].mtu && ip_eq(set[i].dst, dst))
            return &set[i];
    return NULL;
}

/* The entry for dst: its own, a free one, or the first that would be forgotten. */
static struct pmtu *entry_for(struct net *net, struct ip_addr dst)
{
    struct pmtu *set = set_of(net, dst), *best = set;

    for (unsigned i = 0; i < PMTU_WAYS; i++) {
        if (set[i].mtu && ip_eq(set[i].dst, dst))
            return &set[i];
        if (best->mtu && (!set[i].mtu || set[i].until < best->until))
            best = &set[i];
    }
    return best;
}

/* RFC 1191 s5: the next plateau below what did not pass. A router that tells no MTU may
 * quote a length that it has changed; the size known before bounds it. */
static uint16_t plateau_below(uint32_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(plateaus); i++)
        if (plateaus[i] < len)
            return plateaus[i];
    return PLATEAU_MIN;
}

bool pmtu_learn(struct net *net, const struct net_error *err)
{
    const struct pmtu *known = pmtu_find(net, err->dst);
    uint16_t before = known ? known->mtu : ip_mtu(net, err->dst);
    uint16_t mtu = err->mtu, least = (uint16_t)net->config.min_pmtu;

    if (net->config.ip_no_pmtu_disc || net_is_local(net, err->dst))
        return false;
    if (mtu == 0)
        mtu = plateau_below(min_u32(err->total_len, before));
    if (mtu >= err->total_len || mtu >= before || (known && known->locked))
        return false;
    struct pmtu *p = entry_for(net, err->dst);
    *p = (struct pmtu){ .dst = err->dst,
                        .mtu = mtu < least ? least : mtu,
                        .locked = mtu < least,
                        .until = net->now + net->config.mtu_expires };
    net->pmtu.next = p->until < net->pmtu.next ? p->until : net->pmtu.next;
    changed(&net->pmtu);
    net_note(net, "path MTU discovery: the way is narrower than it was known to be");
    return true;
}
