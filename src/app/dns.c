/* A question goes round the servers, `attempts` times:
 *
 *     UDP with EDNS ── answer ─────────────────────────────► done
 *         │  ├─ FORMERR, NOTIMP ─► UDP without EDNS (RFC 6891 s7)
 *         │  └─ cut (TC) ─► TCP to the same server (RFC 7766 s5)
 *         └─ silence, an ICMP error, SERVFAIL, REFUSED ─► the next server
 *
 * A stranger who cannot see the question would have to guess its id, its port and its
 * moment (RFC 5452): ids come from a keyed hash of a counter, ports from the stack,
 * both anew for each try. Names that a server's chain of aliases leads to without
 * saying their address are asked for in turn. Where several names are tried by
 * `search`, the first that exists is it. */
#include "app/dns.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "app/dns_cache.h"
#include "base/bytes.h"
#include "base/rng.h"
#include "edge/keep.h"
#include "tapir/socket.h"

struct dns {
    pthread_mutex_t lock; /* of what follows but conf; never held while asking */
    struct resolv_conf conf;
    struct siphash_key key; /* of ids */
    uint64_t asked;         /* queries so far */
    unsigned turn;          /* `rotate`: the server that is asked first next */
    struct dns_cache cache;
};

struct dns *dns_new(const struct resolv_conf *conf, uint64_t seed)
{
    struct dns *dns = calloc(1, sizeof *dns);
    struct rng rng;

    if (!dns)
        return NULL;
    pthread_mutex_init(&dns->lock, NULL);
    dns->conf = *conf;
    rng_seed(&rng, seed);
    dns->key = rng_key(&rng);
    return dns;
}

void dns_free(struct dns *dns)
{
    pthread_mutex_destroy(&dns->lock);
    free(dns);
}

static void *make(const char *servers, uint64_t seed)
{
    struct resolv_conf conf;

    resolv_conf_init(&conf);
    if (servers)
        resolv_conf_servers(&conf, servers);
    else
        resolv_conf_read(&conf, "/etc/resolv.conf");
    return dns_new(&conf, seed);
}

static void drop(void *dns)
{
    dns_free(dns);
}

struct dns *dns_current(void)
{
    return keep_get(make, drop);
}

const struct resolv_conf *dns_conf(const struct dns *dns)
{
    return &dns->conf;
}

/* --- asking ---------------------------------------------------------------------- */

static uint16_t draw_id(struct dns *dns)
{
    pthread_mutex_lock(&dns->lock);
    uint64_t n = dns->asked++;
    uint16_t id = (uint16_t)siphash(&dns->key, &n, sizeof n);
    pthread_mutex_unlock(&dns->lock);
    return id;
}

static unsigned first_server(struct dns *dns)
{
    pthread_mutex_lock(&dns->lock);
    unsigned first = dns->conf.rotate ? dns->turn++ : 0;
    pthread_mutex_unlock(&dns->lock);
    return first;
}

/* When a try ends that begins now. */
static usec end_of_try(const struct dns *dns, usec deadline)
{
    return usec_min(deadline, tapir_now() + dns->conf.timeout * USEC_PER_SEC);
}

/* Asks reply->server; 0, or why it does not help. */
static int ask_server(struct dns *dns, const struct dns_question *question,
                      usec deadline, struct dns_reply *reply)
{
    struct dns_query query = { .question = question, .edns = true };
    const struct dns_message *m = &reply->message;
    int err;

    query.id = draw_id(dns);
    query.deadline = end_of_try(dns, deadline);
    err = dns_ask_udp(&query, reply);
    if (err == 0 && (m->rcode == DNS_FORMERR || m->rcode == DNS_NOTIMP)) {
        query.edns = false;
        query.id = draw_id(dns);
        err = dns_ask_udp(&query, reply);
    }
    if (err == 0 && m->cut) {
        query.id = draw_id(dns);
        query.deadline = end_of_try(dns, deadline);
        err = dns_ask_tcp(&query, reply);
    }
    if (err < 0)
        return err;
    return m->rcode == DNS_NOERROR || m->rcode == DNS_NXDOMAIN ? 0 : -EIO;
}

int dns_ask(struct dns *dns, const struct dns_question *question, usec deadline,
            struct dns_reply *reply)
{
    const struct resolv_conf *conf = &dns->conf;
    unsigned first = first_server(dns);
    int err = -ENONET, last;

    reply->strange = 0;
    for (unsigned i = 0; i < conf->attempts * conf->n_servers; i++) {
        reply->server = conf->server[(first + i) % conf->n_servers];
        last = ask_server(dns, question, deadline, reply);
        if (last == 0)
            return 0;
        if (deadline != NEVER && tapir_now() >= deadline)
            return -ETIME;
        /* That a server failed says more than that another is silent. */
        if (err != -EIO)
            err = last;
    }
    return err;
}

/* --- looking up ------------------------------------------------------------------ */

/* One name from the cache or the servers; the end of its chain, if the answer stops
 * there, is asked for in turn. */
static int ask_name(struct dns *dns, struct dns_question question, usec deadline,
                    struct dns_reply *reply, struct dns_answer *out)
{
    uint32_t ttl = UINT32_MAX;
    unsigned links = 0;
    int err;

    do {
        err = dns_ask(dns, &question, deadline, reply);
        if (err == 0)
            err = dns_read_answer(&reply->message, out);
        if (err < 0)
            return err;
        ttl = min_u32(ttl, out->ttl);
        links += out->links;
        question.name = out->end;
        /* An end with its zone's SOA is known to have nothing; else it is asked for. */
    } while (out->n == 0 && out->links > 0 && out->rcode == DNS_NOERROR &&
             out->ttl == 0 && links <= DNS_CHAIN_MAX);
    out->ttl = ttl;
    out->links = links;
    return 0;
}

static int find_name(struct dns *dns, const struct dns_question *question,
                     usec deadline, struct dns_answer *out)
{
    struct dns_reply *reply;
    bool found;
    int err;

    pthread_mutex_lock(&dns->lock);
    found = dns_cache_find(&dns->cache, question, tapir_now(), out);
    pthread_mutex_unlock(&dns->lock);
    if (!found) {
        reply = malloc(sizeof *reply);
        err = reply ? ask_name(dns, *question, deadline, reply, out) : -ENOMEM;
        free(reply);
        if (err < 0)
            return err;
        pthread_mutex_lock(&dns->lock);
        dns_cache_put(&dns->cache, question, out, tapir_now());
        pthread_mutex_unlock(&dns->lock);
    }
    if (out->rcode == DNS_NXDOMAIN)
        return -ENOENT;
    return out->n ? 0 : -ENODATA;
}

static bool name_in(const char *host, const char *domain, struct dns_name *out)
{
    char room[2 * RESOLV_NAME + 2];
    struct text t;

    text_init(&t, room, sizeof room);
    text_put(&t, host);
    text_char(&t, '.');
    text_put(&t, strcmp(domain, ".") == 0 ? "" : domain);
    return !t.cut && dns_name_from_text(room, out);
}

bool dns_candidate(const struct resolv_conf *conf, const char *host, unsigned n,
                   struct dns_name *out)
{
    size_t len = strlen(host);
    unsigned dots = 0, last = conf->n_search;

    if (len >= RESOLV_NAME)
        return false;
    for (const char *c = host; *c; c++)
        dots += *c == '.';
    if (len > 0 && host[len - 1] == '.')
        return n == 0 && dns_name_from_text(host, out);
    /* As it stands: first of all, or last of all. */
    if (dots >= conf->ndots)
        n = n == 0 ? last : n <= last ? n - 1 : UINT32_MAX;
    if (n < last)
        return name_in(host, conf->search[n], out);
    return n == last && dns_name_from_text(host, out);
}

int dns_lookup(struct dns *dns, const char *host, uint16_t type, usec deadline,
               struct dns_answer *out)
{
    struct dns_question question = { .type = type };
    int err = -ENOENT;
    bool empty = false; /* a name exists, but has no such address */

    for (unsigned n = 0; dns_candidate(&dns->conf, host, n, &question.name); n++) {
        err = find_name(dns, &question, deadline, out);
        empty |= err == -ENODATA;
        if (err != -ENOENT && err != -ENODATA)
            return err;
    }
    return empty ? -ENODATA : err;
}
