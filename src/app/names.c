/* The order is curl's: what the user says on the command line wins over everything. The
 * hosts file is read anew at each look-up: it is short, and a program that runs for
 * long sees what was changed in it. A name that the file has with an IPv6 address only
 * is a different trouble from one it does not have, so it is told apart, and the name
 * servers are not asked.
 *
 * Families are put in order by RFC 6724's first rule, as far as two families need it:
 * what cannot be reached from this stack stands last, and IPv6 first otherwise; the
 * addresses of one family stay as the server gave them. */
#include "app/names.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "app/dns.h"
#include "base/text.h"
#include "tapir/socket.h"

/* A line of the hosts file, cut at its blanks. */
#define BLANKS " \t\r\n"

static bool same_host(const char *a, size_t a_len, const char *b)
{
    a_len -= a_len > 1 && a[a_len - 1] == '.'; /* the root's dot is no part of it */
    return strlen(b) == a_len && strncasecmp(a, b, a_len) == 0;
}

/* Takes the first address off a list with commas; false when it is none. One of IPv6
 * may stand in brackets. */
static bool take_address(const char **list, struct names_address *address)
{
    char text[INET6_ADDRSTRLEN];
    const char *at = *list;
    size_t n = strcspn(at, ",");
    bool brackets = n > 2 && at[0] == '[' && at[n - 1] == ']';
    size_t len = brackets ? n - 2 : n;

    if (len >= sizeof text)
        return false;
    memcpy(text, at + brackets, len);
    text[len] = '\0';
    *list += n + (at[n] == ',');
    address->family = brackets || strchr(text, ':') ? AF_INET6 : AF_INET;
    return inet_pton(address->family, text, address->b) == 1;
}

/* Splits an entry of --resolve; false when it is none. */
static bool split_resolve(const char *entry, size_t *host_len, uint64_t *port,
                          const char **addresses)
{
    const char *first = strchr(entry, ':');
    const char *second = first ? strchr(first + 1, ':') : NULL;
    char digits[8];
    size_t n;

    if (!second || first == entry)
        return false;
    n = (size_t)(second - first - 1);
    if (n >= sizeof digits)
        return false;
    memcpy(digits, first + 1, n);
    digits[n] = '\0';
    *host_len = (size_t)(first - entry);
    *addresses = second + 1;
    return text_parse_u64(digits, 65535, port);
}

bool names_resolve_is_valid(const char *entry)
{
    size_t host_len;
    uint64_t port;
    const char *addresses;
    struct names_address address;

    if (!split_resolve(entry, &host_len, &port, &addresses))
        return false;
    do {
        if (!take_address(&addresses, &address))
            return false;
    } while (*addresses);
    return true;
}

/* --- the command line, literal addresses, localhost, the hosts file -----------------
 */

static void add(struct names_found *out, int family, const void *address)
{
    struct names_address *at = &out->at[out->n];

    if (out->n == NAMES_FOUND)
        return;
    at->family = family;
    memcpy(at->b, address, family == AF_INET ? 4 : 16);
    out->n++;
}

/* Adds the address that is written there, if it is of the family. False: it is not. */
static bool add_text(struct names_found *out, int family, const char *text)
{
    uint8_t b[16];

    if (family != AF_INET6 && inet_pton(AF_INET, text, b) == 1)
        add(out, AF_INET, b);
    else if (family != AF_INET && inet_pton(AF_INET6, text, b) == 1)
        add(out, AF_INET6, b);
    else
        return false;
    return true;
}

static void found(struct names_found *out, const char *source, const char *canonical)
{
    out->source = source;
    snprintf(out->canonical, sizeof out->canonical, "%s", canonical);
}

static int from_resolve(const struct names *names, const char *host, uint16_t port,
                        struct names_found *out)
{
    for (size_t i = 0; i < names->n_resolve; i++) {
        const char *entry = names->resolve[i], *addresses;
        size_t host_len;
        uint64_t entry_port;
        struct names_address address;
        if (!split_resolve(entry, &host_len, &entry_port, &addresses) ||
            entry_port != port ||
            (!same_host(entry, host_len, host) && !same_host(entry, host_len, "*")))
            continue;
        found(out, "from --resolve", host);
        while (*addresses && take_address(&addresses, &address))
            if (names->family == AF_UNSPEC || names->family == address.family)
                add(out, address.family, address.b);
        return out->n > 0 ? 0 : -EAFNOSUPPORT;
    }
    return -ENOENT;
}

int names_numeric(const char *host, int family, struct names_found *out)
{
    out->n = 0;
    if (!add_text(out, AF_UNSPEC, host))
        return strchr(host, ':') ? -EAFNOSUPPORT : -ENOENT;
    found(out, "an address already", host);
    return family == AF_UNSPEC || out->at[0].family == family ? 0 : -EAFNOSUPPORT;
}

/* RFC 6761 s6.3: localhost, and what ends in it, is this host. */
static bool is_localhost(const char *host)
{
    const char *tail = strrchr(host, '.');

    return strcasecmp(tail ? tail + 1 : host, "localhost") == 0;
}

/* "address name alias ... # comment": is `host` among the names? The line is cut up;
 * *first is the first name. */
static bool line_names(char *line, const char *host, const char **address,
                       const char **first)
{
    char *save = NULL;

    line[strcspn(line, "#")] = '\0';
    *address = strtok_r(line, BLANKS, &save);
    *first = NULL;
    for (char *name = NULL; *address && (name = strtok_r(NULL, BLANKS, &save));) {
        *first = *first ? *first : name;
        if (strcasecmp(name, host) == 0)
            return true;
    }
    return false;
}

static int from_hosts(const char *path, const char *host, int family,
                      struct names_found *out)
{
    FILE *f = fopen(path, "re");
    char *line = NULL;
    const char *address, *first;
    size_t cap = 0;
    int err = -ENOENT;

    while (f && getline(&line, &cap, f) >= 0) {
        if (!line_names(line, host, &address, &first))
            continue;
        if (out->n == 0)
            found(out, "from the hosts file", first);
        err = add_text(out, family, address) || out->n ? 0 : -EAFNOSUPPORT;
    }
    free(line);
    if (f)
        fclose(f);
    return err;
}

/* --- families ----------------------------------------------------------------------
 */

bool names_has_family(int family)
{
    int fd = tapir_socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd >= 0)
        tapir_close(fd);
    return fd >= 0;
}

union endpoint names_any(uint16_t port)
{
    static const uint8_t any[16];

    return endpoint_of(names_has_family(AF_INET6) ? AF_INET6 : AF_INET, any, port);
}

/* Can this stack send to the address? Connecting a datagram socket sends nothing. */
static bool reachable(const struct names_address *address)
{
    union endpoint to = endpoint_of(address->family, address->b, 9);
    int fd = tapir_socket(address->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && tapir_connect(fd, &to.any, endpoint_len(&to)) == 0;

    if (fd >= 0)
        tapir_close(fd);
    return ok;
}

/* They came IPv4 first, except where a file had them mixed. */
void names_order(struct names_found *found)
{
    static const struct names_address none;
    struct names_found in = *found;
    const struct names_address *first6 = &none;
    int order[] = { AF_INET, AF_INET6 };
    size_t n = 0;

    for (size_t i = 0; i < in.n && first6 == &none; i++)
        if (in.at[i].family == AF_INET6)
            first6 = &in.at[i];
    if (first6 != &none && reachable(first6)) {
        order[0] = AF_INET6;
        order[1] = AF_INET;
    }
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < in.n; i++)
            if (in.at[i].family == order[k])
                found->at[n++] = in.at[i];
}

/* --- the name servers ----------------------------------------------------------------
 */

static int from_dns_of(struct dns *dns, const char *host, int family, usec deadline,
                       struct names_found *out)
{
    struct dns_answer answer;
    struct text t;
    int err = dns_lookup(dns, host, family == AF_INET ? DNS_A : DNS_AAAA, deadline,
                         &answer);

    if (err < 0)
        return err;
    out->source = "from DNS";
    text_init(&t, out->canonical, sizeof out->canonical);
    dns_name_print(&t, &answer.end);
    for (unsigned i = 0; i < answer.n; i++)
        add(out, family, answer.address[i]);
    return 0;
}

/* Of both families, one may have nothing; a server that is silent is not asked twice.
 */
static int from_dns(const char *host, int family, usec deadline,
                    struct names_found *out)
{
    struct dns *dns = dns_current();
    int err4 = -ENODATA, err6 = -ENODATA;

    if (!dns || dns_conf(dns)->n_servers == 0)
        return -ENOENT;
    if (family != AF_INET6)
        err4 = from_dns_of(dns, host, AF_INET, deadline, out);
    if (family == AF_INET6 || (family == AF_UNSPEC && (err4 == 0 || err4 == -ENODATA)))
        err6 = from_dns_of(dns, host, AF_INET6, deadline, out);
    if (out->n > 0)
        return 0;
    return err4 == -ENODATA ? err6 : err4;
}

int names_local(const char *hosts, const char *host, int family,
                struct names_found *out)
{
    static const uint8_t loopback4[4] = { 127, 0, 0, 1 }, loopback6[16] = { [15] = 1 };
    char plain[256];
    size_t len = strlen(host);
    int err;

    out->n = 0;
    if (len >= sizeof plain)
        return -ENOENT;
    memcpy(plain, host, len + 1);
    if (len > 1 && plain[len - 1] == '.')
        plain[len - 1] = '\0'; /* the root's dot is no part of the name */
    err = names_numeric(plain, family, out);
    if (err != -ENOENT)
        return err;
    if (is_localhost(plain)) {
        found(out, "this host", plain);
        if (family != AF_INET6)
            add(out, AF_INET, loopback4);
        if (family != AF_INET)
            add(out, AF_INET6, loopback6);
        return 0;
    }
    return from_hosts(hosts, plain, family, out);
}

int names_find(const char *hosts, const char *host, int family, usec deadline,
               struct names_found *out)
{
    int err = names_local(hosts, host, family, out);

    return err == -ENOENT ? from_dns(host, family, deadline, out) : err;
}

int names_lookup(const struct names *names, const char *host, uint16_t port,
                 struct names_found *out)
{
    size_t len = strlen(host);
    char plain[256];
    int err;

    out->n = 0;
    if (len >= sizeof plain)
        return -ENOENT;
    memcpy(plain, host, len + 1);
    if (len > 1 && plain[len - 1] == '.')
        plain[len - 1] = '\0';
    err = from_resolve(names, plain, port, out);
    if (err != -ENOENT)
        return err;
    err = names_find(names->hosts, host, names->family, names->deadline, out);
    if (err == 0)
        names_order(out);
    return err;
}

union endpoint names_at(const struct names_found *found, size_t i, uint16_t port)
{
    assert(i < found->n);
    return endpoint_of(found->at[i].family, found->at[i].b, port);
}

const char *names_trouble(int err)
{
    struct dns *dns = dns_current();
    bool servers = dns && dns_conf(dns)->n_servers > 0;

    switch (err) {
    case -ENOENT:
        return servers ? "it is not in the hosts file, and the name servers say that "
                         "there is no such name"
                       : "it is not in the hosts file, and no name server is known";
    case -EAFNOSUPPORT:
        return "it has addresses of the other family only, and IPv6 is not built yet "
               "but on --link kernel";
    case -ENODATA:
        return "the name servers know it, but no address of it that is of use here";
    case -EIO:
        return "the name servers answered that they failed, or refused";
    case -ECONNREFUSED:
        return "at the name server's address nothing listens at port 53";
    case -ETIME:
        return "no name server answered in time";
    default:
        return "the name servers could not be asked";
    }
}
