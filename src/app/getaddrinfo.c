/* getaddrinfo(3) over our own names: an entry for each address and each kind of socket
 * that the hints leave open. */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/endpoint.h"
#include "app/names.h"
#include "base/bytes.h"
#include "base/text.h"
#include "tapir/socket.h"

enum {
    FLAGS = AI_PASSIVE | AI_CANONNAME | AI_NUMERICHOST | AI_NUMERICSERV |
            AI_ADDRCONFIG | AI_V4MAPPED
};

static const struct kind {
    int type, protocol;
    const char *name; /* in /etc/services; NULL: no services */
} kinds[] = {
    { SOCK_STREAM, IPPROTO_TCP, "tcp" },
    { SOCK_DGRAM, IPPROTO_UDP, "udp" },
    { SOCK_RAW, 0, NULL },
};

struct wish {
    struct addrinfo hints;
    const char *host, *service;
    int port[ARRAY_LEN(kinds)]; /* for each kind; -1: not wanted, or no such service */
};

/* --- services -------------------------------------------------------------------- */

/* "name port/protocol alias ... # comment": its port; -1: another service. */
static int line_port(char *line, const char *service, const char *protocol)
{
    char *save = NULL, *name, *port, *slash;
    uint64_t n;
    bool same;

    line[strcspn(line, "#")] = '\0';
    name = strtok_r(line, " \t\r\n", &save);
    port = name ? strtok_r(NULL, " \t\r\n", &save) : NULL;
    slash = port ? strchr(port, '/') : NULL;
    if (!slash || strcmp(slash + 1, protocol) != 0)
        return -1;
    *slash = '\0';
    same = strcmp(name, service) == 0;
    while (!same && (name = strtok_r(NULL, " \t\r\n", &save)))
        same = strcmp(name, service) == 0;
    return same && text_parse_u64(port, 65535, &n) ? (int)n : -1;
}

static int service_port(const char *service, const char *protocol)
{
    FILE *f = fopen("/etc/services", "re");
    char *line = NULL;
    size_t cap = 0;
    int port = -1;

    while (f && port < 0 && getline(&line, &cap, f) >= 0)
        port = line_port(line, service, protocol);
    free(line);
    if (f)
        fclose(f);
    return port;
}

static bool kind_fits(const struct kind *kind, const struct addrinfo *hints)
{
    return (hints->ai_socktype == 0 || hints->ai_socktype == kind->type) &&
           (hints->ai_protocol == 0 || kind->protocol == 0 ||
            hints->ai_protocol == kind->protocol);
}

/* Fills in the ports. 0 or EAI_. */
static int find_ports(struct wish *w)
{
    bool fits = false, known = false;
    uint64_t number = 0;
    bool numeric = !w->service || text_parse_u64(w->service, 65535, &number);

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        w->port[i] = -1;
        if (!kind_fits(&kinds[i], &w->hints))
            continue;
        fits = true;
        if (numeric)
            w->port[i] = (int)number;
        else if (kinds[i].name && !(w->hints.ai_flags & AI_NUMERICSERV))
            w->port[i] = service_port(w->service, kinds[i].name);
        known |= w->port[i] >= 0;
    }
    if (!fits)
        return EAI_SOCKTYPE;
    if (known)
        return 0;
    return w->hints.ai_flags & AI_NUMERICSERV ? EAI_NONAME : EAI_SERVICE;
}

/* --- addresses ------------------------------------------------------------------- */

/* No host: what to bind to, or this host itself. */
static void own_addresses(const struct wish *w, struct names_found *out)
{
    bool passive = w->hints.ai_flags & AI_PASSIVE;
    int family = w->hints.ai_family;

    out->n = 0;
    if (family != AF_INET6)
        out->at[out->n++] = (struct names_address){
            AF_INET, { passive ? 0 : 127, 0, 0, passive ? 0 : 1 }
        };
    if (family != AF_INET && (family == AF_INET6 || names_has_family(AF_INET6)))
        out->at[out->n++] = (struct names_address){ AF_INET6, { [15] = !passive } };
}

/* ::ffff:a.b.c.d for each. */
static void map(struct names_found *found)
{
    for (size_t i = 0; i < found->n; i++) {
        struct names_address *at = &found->at[i];
        memmove(at->b + 12, at->b, 4);
        memset(at->b, 0, 10);
        at->b[10] = at->b[11] = 0xff;
        at->family = AF_INET6;
    }
}

static int eai_of(int err)
{
    switch (err) {
    case 0:
        return 0;
    case -ENOENT:
        return EAI_NONAME;
    case -ENODATA:
        return EAI_NODATA;
    case -EAFNOSUPPORT:
        return EAI_ADDRFAMILY;
    case -ENOMEM:
        return EAI_MEMORY;
    default:
        return EAI_AGAIN;
    }
}

static int find(const struct wish *w, int family, struct names_found *out)
{
    int err;

    if (!(w->hints.ai_flags & AI_NUMERICHOST))
        return names_find("/etc/hosts", w->host, family, NEVER, out);
    err = names_numeric(w->host, family, out);
    return err;
}

static int find_addresses(const struct wish *w, struct names_found *out)
{
    int family = w->hints.ai_family, flags = w->hints.ai_flags, err;

    if (!w->host) {
        own_addresses(w, out);
        return 0;
    }
    if (flags & AI_ADDRCONFIG && family == AF_UNSPEC && !names_has_family(AF_INET6))
        family = AF_INET;
    err = find(w, family, out);
    if (family == AF_INET6 && flags & AI_V4MAPPED &&
        (err == -ENODATA || err == -EAFNOSUPPORT)) {
        err = find(w, AF_INET, out);
        map(out);
    }
    if (err == 0)
        names_order(out);
    return eai_of(err);
}

/* --- the list -------------------------------------------------------------------- */

static struct addrinfo *make_entry(const struct names_address *address,
                                   const struct kind *kind, int port)
{
    struct entry {
        struct addrinfo info;
        union endpoint addr;
    } *e = calloc(1, sizeof *e);

    if (!e)
        return NULL;
    e->info.ai_family = address->family;
    e->info.ai_socktype = kind->type;
    e->info.ai_protocol = kind->protocol;
    e->addr = endpoint_of(address->family, address->b, (uint16_t)port);
    e->info.ai_addr = &e->addr.any;
    e->info.ai_addrlen = endpoint_len(&e->addr);
    return &e->info;
}

static int make_list(const struct wish *w, const struct names_found *found,
                     struct addrinfo **list)
{
    struct addrinfo **tail = list;

    for (size_t i = 0; i < found->n; i++)
        for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
            if (w->port[k] < 0)
                continue;
            *tail = make_entry(&found->at[i], &kinds[k], w->port[k]);
            if (!*tail)
                return EAI_MEMORY;
            (*tail)->ai_flags = w->hints.ai_flags;
            if (kinds[k].protocol == 0)
                (*tail)->ai_protocol = w->hints.ai_protocol;
            tail = &(*tail)->ai_next;
        }
    if (!(w->hints.ai_flags & AI_CANONNAME))
        return 0;
    (*list)->ai_canonname = strdup(found->canonical);
    return (*list)->ai_canonname ? 0 : EAI_MEMORY;
}

static int check(const struct wish *w)
{
    int flags = w->hints.ai_flags, family = w->hints.ai_family;

    if (!w->host && !w->service)
        return EAI_NONAME;
    if (flags & ~FLAGS || (flags & AI_CANONNAME && !w->host))
        return EAI_BADFLAGS;
    if (family != AF_UNSPEC && family != AF_INET && family != AF_INET6)
        return EAI_FAMILY;
    return 0;
}

int tapir_getaddrinfo(const char *host, const char *service,
                      const struct addrinfo *hints, struct addrinfo **list)
{
    struct wish w = { .host = host, .service = service };
    struct names_found found;
    int err;

    if (hints)
        w.hints = *hints;
    else
        w.hints.ai_flags = AI_V4MAPPED | AI_ADDRCONFIG;
    *list = NULL;
    if ((err = check(&w)) != 0 || (err = find_ports(&w)) != 0 ||
        (err = find_addresses(&w, &found)) != 0)
        return err;
    err = make_list(&w, &found, list);
    if (err != 0) {
        tapir_freeaddrinfo(*list);
        *list = NULL;
    }
    return err;
}

void tapir_freeaddrinfo(struct addrinfo *list)
{
    while (list) {
        struct addrinfo *next = list->ai_next;
        free(list->ai_canonname);
        free(list);
        list = next;
    }
}
