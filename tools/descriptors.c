/* A connection is a descriptor, of the stack as of the kernel, and a process may have
 * 1,024 of them unless it asks for more: a server asks, up to what it is allowed, and
 * where it may (CAP_SYS_RESOURCE) beyond. */
#include <sys/resource.h>

#include "commands.h"

/* Beside connections: files that are being sent, the stack's own. */
enum { RESERVE = 256 };

unsigned descriptors_for(unsigned connections)
{
    rlim_t want = (rlim_t)connections + RESERVE;
    struct rlimit limit, more;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return connections;
    if (limit.rlim_cur < want) {
        more = limit;
        more.rlim_cur = want;
        more.rlim_max = limit.rlim_max < want ? want : limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &more) == 0)
            return connections;
        limit.rlim_cur = limit.rlim_max < want ? limit.rlim_max : want;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur >= want)
        return connections;
    /* A small limit is shared half and half. */
    if (limit.rlim_cur < 2 * RESERVE)
        return limit.rlim_cur < 2 ? 1 : (unsigned)(limit.rlim_cur / 2);
    return (unsigned)(limit.rlim_cur - RESERVE);
}
