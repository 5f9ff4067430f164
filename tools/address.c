/* Addresses for ping, nc and perf: numbers, /etc/hosts, then the name servers, asked
 * with the stack that is up. */
#include "address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "app/names.h"
#include "options.h"

bool find_host(struct options *o, const char *host, struct sockaddr_in *to)
{
    struct names names = { .hosts = "/etc/hosts", .deadline = NEVER };
    struct names_found found;
    char what[120];
    int err;
    to->sin_family = AF_INET;
    if (names_local(names.hosts, host, AF_INET, &found) == -ENOENT)
        options_wait_far(o, 53);
    err = names_lookup(&names, host, 0, &found);
    if (err == 0) {
        to->sin_addr = names_in4(&found, 0);
        return true;
    }
    snprintf(what, sizeof what, "cannot find host '%.60s'", host);
    tell(what, names_trouble(err), "use an address, or name a server with --dns ADDR");
    return false;
}

bool find_host_port(struct options *o, const char *text, struct sockaddr_in *to)
{
    char host[256];
    long long port;
    const char *colon = strchr(text, ':');
    size_t len = colon ? (size_t)(colon - text) : strlen(text);
    snprintf(host, sizeof host, "%.*s", (int)(len < 255 ? len : 255), text);
    if (colon) {
        if (!option_number("the port", colon + 1, 1, 65535, &port))
            return false;
        to->sin_port = htons((uint16_t)port);
    }
    return find_host(o, host, to);
}

void tell_connect(const char *host, const struct sockaddr_in *to, int err)
{
    char what[200];
    const char *cause = NULL, *fix = NULL;
    snprintf(what, sizeof what, "cannot connect to %.80s port %u: %s", host,
             ntohs(to->sin_port), strerror(err));
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
