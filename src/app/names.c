/* The order is curl's: what the user says on the command line wins over everything. The
 * hosts file is read anew at each look-up: it is short, and a program that runs for
 * long sees what was changed in it. A name that the file has with an IPv6 address only
 * is a different trouble from one it does not have, so it is told apart. */
#include "app/names.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

/* A line of the hosts file, cut at its blanks. */
#define BLANKS " \t\r\n"

static bool same_host(const char *a, size_t a_len, const char *b)
{
    return strlen(b) == a_len && strncasecmp(a, b, a_len) == 0;
}

/* Splits an entry of --resolve; false when it is none. */
static bool split_resolve(const char *entry, size_t *host_len, uint64_t *port,
                          struct in_addr *address)
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
    return text_parse_u64(digits, 65535, port) &&
           inet_pton(AF_INET, second + 1, address) == 1;
}

bool names_resolve_is_valid(const char *entry)
{
    size_t host_len;
    uint64_t port;
    struct in_addr address;

    return split_resolve(entry, &host_len, &port, &address);
}

static int from_resolve(const struct names *names, const char *host, uint16_t port,
                        struct in_addr *out)
{
    for (size_t i = 0; i < names->n_resolve; i++) {
        const char *entry = names->resolve[i];
        size_t host_len;
        uint64_t entry_port;
        struct in_addr address;
        if (!split_resolve(entry, &host_len, &entry_port, &address) ||
            entry_port != port)
            continue;
        if (same_host(entry, host_len, host) || same_host(entry, host_len, "*")) {
            *out = address;
            return 0;
        }
    }
    return -ENOENT;
}

/* RFC 6761 s6.3: localhost, and what ends in it, is this host. */
static bool is_localhost(const char *host)
{
    const char *tail = strrchr(host, '.');

    return strcasecmp(tail ? tail + 1 : host, "localhost") == 0;
}

/* "address name alias ... # comment": is `host` among the names? The line is cut up. */
static bool line_names(char *line, const char *host, const char **address)
{
    char *save = NULL;

    line[strcspn(line, "#")] = '\0';
    *address = strtok_r(line, BLANKS, &save);
    for (char *name = NULL; *address && (name = strtok_r(NULL, BLANKS, &save));)
        if (strcasecmp(name, host) == 0)
            return true;
    return false;
}

static int from_hosts(const char *path, const char *host, struct in_addr *out)
{
    FILE *f = fopen(path, "re");
    char *line = NULL;
    const char *address;
    size_t cap = 0;
    int err = -ENOENT;

    while (f && err != 0 && getline(&line, &cap, f) >= 0) {
        if (!line_names(line, host, &address))
            continue;
        err = inet_pton(AF_INET, address, out) == 1 ? 0 : -EAFNOSUPPORT;
    }
    free(line);
    if (f)
        fclose(f);
    return err;
}

int names_lookup(const struct names *names, const char *host, uint16_t port,
                 struct in_addr *out, const char **source)
{
    char plain[256];
    size_t len = strlen(host);

    if (len >= sizeof plain)
        return -ENOENT;
    memcpy(plain, host, len + 1);
    if (len > 1 && plain[len - 1] == '.')
        plain[len - 1] = '\0'; /* the root's dot is no part of the name */
    *source = "from --resolve";
    if (from_resolve(names, plain, port, out) == 0)
        return 0;
    *source = "an address already";
    if (inet_pton(AF_INET, plain, out) == 1)
        return 0;
    if (strchr(plain, ':'))
        return -EAFNOSUPPORT;
    *source = "this host";
    if (is_localhost(plain)) {
        out->s_addr = htonl(INADDR_LOOPBACK);
        return 0;
    }
    *source = "from the hosts file";
    return from_hosts(names->hosts, plain, out);
}
