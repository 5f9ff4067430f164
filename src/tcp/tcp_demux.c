/* The table of four-tuples: open hashing with chains, a power of two of heads, doubled
 * when there are more entries than heads and halved when there are eight times fewer.
 * Listeners are few and stand in a list. Ports
 * are chosen by a keyed hash of the destination plus a counter (RFC 6056 s3.3.3,
 * algorithm 3): each destination sees a sequence of its own that strangers cannot
 * guess, and a port returns as late as possible. */
#include "tcp/tcp_demux.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/pages.h"
#include "tcp/tcb.h"

enum {
    SLOTS_MIN = 512,  /* a page of heads */
    SLOTS_SPARSE = 8, /* heads an entry, from where on there are too many */
};

enum { TUPLE_LEN = 36 };

static void put_tuple(uint8_t b[TUPLE_LEN], const struct tcp_slot *key,
                      uint16_t local_port)
{
    memcpy(b, key->local.b, 16);
    memcpy(b + 16, key->remote.b, 16);
    memcpy(b + 32, &local_port, 2);
    memcpy(b + 34, &key->remote_port, 2);
}

static uint32_t hash_tuple(const struct tcp *tcp, const struct tcp_slot *key)
{
    uint8_t b[TUPLE_LEN];
    put_tuple(b, key, key->local_port);
    return (uint32_t)siphash13(&tcp->net->secret, b, sizeof b);
}

/* RFC 9293 s3.9.1.1 (MUST-42) */
static bool same(const struct tcp_slot *a, const struct tcp_slot *b)
{
    return a->local_port == b->local_port && a->remote_port == b->remote_port &&
           ip_eq(a->remote, b->remote) && ip_eq(a->local, b->local);
}

static struct tcp_slot **chain(const struct tcp *tcp, uint32_t hash)
{
    return &tcp->slots[hash & (tcp->n_slots - 1)];
}

struct tcp_slot *tcp_lookup(const struct tcp *tcp, const struct tcp_slot *key)
{
    uint32_t hash = hash_tuple(tcp, key);
    for (struct tcp_slot *s = *chain(tcp, hash); s; s = s->next) {
        if (s->hash == hash && same(s, key))
            return s;
    }
    return NULL;
}

struct tcp_listener *tcp_lookup_listener(const struct tcp *tcp, struct ip_addr local,
                                         uint16_t port)
{
    struct tcp_listener *any = NULL;
    list_each (at, &tcp->listeners) {
        struct tcp_listener *l = list_entry(at, struct tcp_listener, node);
        if (l->port != port)
            continue;
        if (ip_eq(l->local, local)) /* RFC 9293 s3.9.1.1 (MUST-43) */
            return l;
        if (ip_is_any(l->local))
            any = l;
    }
    return any;
}

static size_t slots_bytes(size_t n)
{
    return n * sizeof(struct tcp_slot *);
}

int tcp_slots_init(struct tcp *tcp)
{
    tcp->slots = pages_new(slots_bytes(SLOTS_MIN));
    tcp->n_slots = tcp->slots ? SLOTS_MIN : 0;
    return tcp->slots ? 0 : -ENOMEM;
}

void tcp_slots_free(struct tcp *tcp)
{
    pages_free(tcp->slots, slots_bytes(tcp->n_slots));
    tcp->slots = NULL;
    tcp->n_slots = 0;
}

/* A table of n heads. Without memory it stays as it is: longer chains, nothing lost. */
static void resize(struct tcp *tcp, size_t n)
{
    struct tcp_slot **slots = pages_new(slots_bytes(n));
    if (!slots)
        return;
    for (size_t i = 0; i < tcp->n_slots; i++) {
        struct tcp_slot *next;
        for (struct tcp_slot *s = tcp->slots[i]; s; s = next) {
            next = s->next;
            s->next = slots[s->hash & (n - 1)];
            slots[s->hash & (n - 1)] = s;
        }
    }
    tcp_slots_free(tcp);
    tcp->slots = slots;
    tcp->n_slots = n;
}

int tcp_hash(struct tcp *tcp, struct tcp_slot *slot)
{
    if (tcp_lookup(tcp, slot))
        return -EADDRINUSE;
    if (tcp->n_hashed >= tcp->n_slots)
        resize(tcp, tcp->n_slots * 2);
    slot->hash = hash_tuple(tcp, slot);
    struct tcp_slot **head = chain(tcp, slot->hash);
    slot->next = *head;
    *head = slot;
    slot->hashed = true;
    tcp->n_hashed++;
    return 0;
}

static struct tcp_slot **link_to(struct tcp *tcp, const struct tcp_slot *slot)
{
    struct tcp_slot **at = chain(tcp, slot->hash);
    while (*at != slot)
        at = &(*at)->next;
    return at;
}

void tcp_unhash(struct tcp *tcp, struct tcp_slot *slot)
{
    if (!slot->hashed)
        return;
    *link_to(tcp, slot) = slot->next;
    slot->hashed = false;
    slot->next = NULL;
    tcp->n_hashed--;
    if (tcp->n_slots > SLOTS_MIN && tcp->n_hashed < tcp->n_slots / SLOTS_SPARSE)
        resize(tcp, tcp->n_slots / 2);
}

void tcp_rehash(struct tcp *tcp, struct tcp_slot *old, struct tcp_slot *with)
{
    assert(old->hashed && !with->hashed);
    with->local = old->local;
    with->remote = old->remote;
    with->local_port = old->local_port;
    with->remote_port = old->remote_port;
    with->hash = old->hash;
    with->next = old->next;
    *link_to(tcp, old) = with;
    with->hashed = true;
    old->hashed = false;
    old->next = NULL;
}

/* Is key's four-tuple free, or a TIME-WAIT record that may give way? With timestamps a
 * new connection is told from the old one after a second (RFC 6191 s2). */
bool tcp_tuple_free(const struct tcp *tcp, const struct tcp_slot *key)
{
    struct tcp_slot *s = tcp_lookup(tcp, key);
    if (!s)
        return true;
    if (s->kind != SLOT_TIME_WAIT || !tcp->config.tw_reuse || !s->ts_on)
        return false;
    const struct tcp_timewait *tw = (const struct tcp_timewait *)(const void *)s;
    return tw->until - tcp->config.msl2 + USEC_PER_SEC <= tcp->net->now;
}

/* F() of RFC 6056 s3.3.3: strangers see what it chooses, so it is the strong one. */
static uint32_t port_offset(const struct tcp *tcp, const struct tcp_slot *key)
{
    uint8_t b[TUPLE_LEN];
    put_tuple(b, key, 0);
    return (uint32_t)siphash(&tcp->net->secret, b, sizeof b);
}

int tcp_choose_port(struct tcp *tcp, struct tcp_slot *key)
{
    uint32_t low = tcp->net->config.port_low;
    uint32_t range = tcp->net->config.port_high - low + 1u;
    uint32_t offset = port_offset(tcp, key);

    for (uint32_t i = 0; i < range; i++) {
        key->local_port = (uint16_t)(low + (offset + tcp->port_offset + i) % range);
        if (tcp_lookup_listener(tcp, key->local, key->local_port))
            continue;
        if (tcp_tuple_free(tcp, key)) {
            tcp->port_offset += i + 1;
            return 0;
        }
    }
    return -EADDRNOTAVAIL;
}

static bool slot_uses(const struct tcp_slot *s, struct ip_addr local, uint16_t port)
{
    return s->local_port == port && (ip_is_any(local) || ip_eq(s->local, local));
}

int tcp_port_check(const struct tcp *tcp, struct ip_addr local, uint16_t port,
                   bool reuse)
{
    list_each (at, &tcp->listeners) {
        const struct tcp_listener *l = list_entry(at, struct tcp_listener, node);
        if (l->port == port &&
            (ip_is_any(local) || ip_is_any(l->local) || ip_eq(l->local, local)))
            return -EADDRINUSE;
    }
    for (size_t i = 0; !reuse && i < tcp->n_slots; i++) {
        for (const struct tcp_slot *s = tcp->slots[i]; s; s = s->next) {
            if (slot_uses(s, local, port))
                return -EADDRINUSE;
        }
    }
    return 0;
}

uint16_t tcp_port_pick(struct tcp *tcp, struct ip_addr local)
{
    uint32_t low = tcp->net->config.port_low;
    uint32_t range = tcp->net->config.port_high - low + 1u;
    uint32_t start = (uint32_t)rng_below(&tcp->net->rng, range);

    for (uint32_t i = 0; i < range; i++) {
        uint16_t port = (uint16_t)(low + (start + i) % range);
        if (tcp_port_check(tcp, local, port, false) == 0)
            return port;
    }
    return 0;
}
