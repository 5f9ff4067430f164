/* Addresses for ping, nc and perf: numbers, /etc/hosts, then the name servers, asked
 * with the stack that is up. */
#include "address.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "app/names.h"
#include "options.h"

bool find_host(struct options *o, const char *host, int family, union endpoint *to)
{
    struct names names = { .hosts = "/etc/hosts", .deadline = NEVER };
    struct names_found found;
    char what[120];
    int err;
    names.family = family == AF_UNSPEC && !names_has_family(AF_INET6) ? AF_INET
                                                                      : family;
    if (names_local(names.hosts, host, names.family, &found) == -ENOENT)
        options_wait_far(o, 53);
    err = names_lookup(&names, host, 0, &found);
    if (err == 0) {
        *to = names_at(&found, 0, endpoint_port(to));
        return true;
    }
    snprintf(what, sizeof what, "cannot find host '%.60s'", host);
    tell(what, names_trouble(err), "use an address, or name a server with --dns ADDR");
    return false;
}

/* Several colons and no bracket are an IPv6 address without a port. */
bool read_host_port(const char *text, char *host, size_t cap, uint16_t *port)
{
    const char *close = text[0] == '[' ? strchr(text, ']') : NULL;
    const char *name = close ? text + 1 : text, *end = close, *rest;
    long long n = *port;
    if (!close) {
        const char *colon = strchr(text, ':');
        bool alone = !colon || strchr(colon + 1, ':');
        end = alone ? text + strlen(text) : colon;
    }
    rest = end + (close != NULL);
    snprintf(host, cap, "%.*s", (int)(end - name), name);
    if (*rest && !option_number("the port", rest + (*rest == ':'), 1, 65535, &n))
        return false;
    *port = (uint16_t)n;
    return true;
}

void tell_connect(const char *host, const union endpoint *to, int err)
{
    char what[200];
    const char *cause = NULL, *fix = NULL;
    snprintf(what, sizeof what, "cannot connect to %.80s port %u: %s", host,
             endpoint_port(to), strerror(err));
    if (err == ECONNREFUSED) {
        cause = "the host answers, but nothing listens on that port";
        fix = "start the server first, or check the port";
    } else if (err == EHOSTUNREACH || err == ENETUNREACH) {
        cause = "nobody answers for that address (ARP), or there is no route to it";
        fix = "check --addr, --gateway and the host's address";
    } else if (err == ETIMEDOUT) {
        cause = "the host does not answer";
        fix = "check that it is up and that no filter drops the packets";
    }
    tell(what, cause, fix);
}
