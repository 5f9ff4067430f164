/* Socket addresses as the API has them, in network order, and as the stack has them.
 * This is the only file that knows the layout of struct sockaddr_in. */
#include "edge/bsd.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/bytes.h"

static_assert(SOCK_IN == POLLIN && SOCK_PRI == POLLPRI && SOCK_OUT == POLLOUT &&
                  SOCK_ERR == POLLERR && SOCK_HUP == POLLHUP && SOCK_RDHUP == POLLRDHUP,
              "readiness has poll(2)'s numbers");
static_assert((int)SOCK_OOB == (int)MSG_OOB && (int)SOCK_PEEK == (int)MSG_PEEK &&
                  (int)SOCK_TRUNC == (int)MSG_TRUNC &&
                  (int)SOCK_ZEROCOPY == (int)MSG_ZEROCOPY &&
                  (int)SOCK_FASTOPEN == (int)MSG_FASTOPEN &&
                  (int)SOCK_MORE == (int)MSG_MORE && (int)SOCK_EOR == (int)MSG_EOR,
              "flags have Linux's numbers");
static_assert(AF_INET == 2 && SOCK_STREAM == 1 && SOCK_DGRAM == 2 && SOL_SOCKET == 1 &&
                  IPPROTO_TCP == 6 && SHUT_RD == 0 && SHUT_RDWR == 2,
              "calls have Linux's numbers");

int addr_in(const struct sockaddr *sa, socklen_t len, struct sock_name *out)
{
    struct sockaddr_in sin;

    if (!sa)
        return -EFAULT;
    if (len < sizeof sa->sa_family)
        return -EINVAL;
    if (sa->sa_family != AF_INET)
        return -EAFNOSUPPORT;
    if (len < sizeof sin)
        return -EINVAL;
    memcpy(&sin, sa, sizeof sin);
    out->addr = ip4_addr(get32((const uint8_t *)&sin.sin_addr));
    out->port = ntohs(sin.sin_port);
    return 0;
}

void addr_out(const struct sock_name *name, struct sockaddr *sa, socklen_t *len)
{
    struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(name->port) };

    if (!sa || !len)
        return;
    put32((uint8_t *)&sin.sin_addr, ip4_num(name->addr));
    memcpy(sa, &sin, min_size(*len, sizeof sin));
    *len = sizeof sin;
}

const char *addr_text(const struct sock_name *name, char *buf, size_t room)
{
    struct text t;

    text_init(&t, buf, room);
    if (!name) {
        text_char(&t, '-');
        return buf;
    }
    ip_print(&t, name->addr);
    text_char(&t, ':');
    text_u64(&t, name->port);
    return buf;
}
