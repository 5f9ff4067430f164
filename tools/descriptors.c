/* A connection is a descriptor, and a process may have 1,024 of them unless it asks for
 * more: a server asks, up to what it is allowed, and where it may (CAP_SYS_RESOURCE)
 * beyond. On a stack of ours it goes on with numbers of the stack's own where these end
 * (tapir_config.many); on the kernel's it cannot. */
#include <string.h>
#include <sys/resource.h>

#include "commands.h"
#include "options.h"

/* Beside connections: files that are being sent, the stack's own. */
enum { RESERVE = 256 };

/* How many descriptors the process may have, after a wish for so many. */
static rlim_t raise_limit(rlim_t want)
{
    struct rlimit limit, more;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return want;
    if (limit.rlim_cur >= want)
        return limit.rlim_cur;
    more.rlim_cur = want;
    more.rlim_max = limit.rlim_max < want ? want : limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &more) == 0)
        return want;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
}

unsigned descriptors_for(const struct options *o, unsigned connections)
{
    rlim_t may = raise_limit((rlim_t)connections + RESERVE);
    const char *link = o->config.link;

    if (!link || strcmp(link, "kernel") != 0 || may >= (rlim_t)connections + RESERVE)
        return connections;
    /* A small limit is shared half and half. */
    if (may < 2 * RESERVE)
        return may < 2 ? 1 : (unsigned)(may / 2);
    return (unsigned)(may - RESERVE);
}
