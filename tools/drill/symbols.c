/* One list, searched from the front: a script asks for a dozen of them. What the C
 * library's headers may not have yet is there as a number. */
#include "symbols.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/bytes.h"

struct symbol {
    const char *name;
    long long value;
};

/* clang-format off */
#define S(name) { #name, name }

static const struct symbol errors[] = {
    S(EPERM), S(ENOENT), S(EINTR), S(EIO), S(EBADF), S(EAGAIN), S(EWOULDBLOCK),
    S(ENOMEM), S(EACCES), S(EFAULT), S(EBUSY), S(EEXIST), S(ENODEV), S(EINVAL),
    S(EMFILE), S(ENOSPC), S(EPIPE), S(EDOM), S(ERANGE), S(ENOSYS), S(EPROTO),
    S(ENOTSOCK), S(EDESTADDRREQ), S(EMSGSIZE), S(EPROTOTYPE), S(ENOPROTOOPT),
    S(EPROTONOSUPPORT), S(ESOCKTNOSUPPORT), S(EOPNOTSUPP), S(ENOTSUP), S(EPFNOSUPPORT),
    S(EAFNOSUPPORT), S(EADDRINUSE), S(EADDRNOTAVAIL), S(ENETDOWN), S(ENETUNREACH),
    S(ENETRESET), S(ECONNABORTED), S(ECONNRESET), S(ENOBUFS), S(EISCONN), S(ENOTCONN),
    S(ESHUTDOWN), S(ETIMEDOUT), S(ECONNREFUSED), S(EHOSTDOWN), S(EHOSTUNREACH),
    S(EALREADY), S(EINPROGRESS), S(ENOMSG), S(EDEADLK),
};

static const struct symbol names[] = {
    S(AF_UNSPEC), S(AF_INET), S(AF_INET6), S(PF_INET), S(PF_INET6),
    S(SOCK_STREAM), S(SOCK_DGRAM), S(SOCK_RAW), S(SOCK_NONBLOCK), S(SOCK_CLOEXEC),
    S(IPPROTO_IP), S(IPPROTO_ICMP), S(IPPROTO_TCP), S(IPPROTO_UDP), S(IPPROTO_IPV6),
    S(SOL_SOCKET), S(SOL_IP), S(SOL_TCP), { "SOL_UDP", 17 }, S(SOL_IPV6),
    S(SHUT_RD), S(SHUT_WR), S(SHUT_RDWR), S(SOMAXCONN),

    S(O_RDONLY), S(O_WRONLY), S(O_RDWR), S(O_NONBLOCK), S(O_CLOEXEC),
    S(F_GETFL), S(F_SETFL), S(F_GETFD), S(F_SETFD), S(FD_CLOEXEC),
    S(FIONREAD), S(FIONBIO), { "SIOCINQ", FIONREAD }, { "SIOCOUTQ", TIOCOUTQ },
    S(TIOCOUTQ),

    S(MSG_OOB), S(MSG_PEEK), S(MSG_DONTROUTE), S(MSG_CTRUNC), S(MSG_TRUNC),
    S(MSG_DONTWAIT), S(MSG_EOR), S(MSG_WAITALL), S(MSG_NOSIGNAL), S(MSG_MORE),
    S(MSG_WAITFORONE), S(MSG_ERRQUEUE), S(MSG_FASTOPEN), S(MSG_CMSG_CLOEXEC),
    { "MSG_ZEROCOPY", 0x4000000 },

    S(SO_REUSEADDR), S(SO_REUSEPORT), S(SO_TYPE), S(SO_ERROR), S(SO_DONTROUTE),
    S(SO_BROADCAST), S(SO_SNDBUF), S(SO_RCVBUF), S(SO_SNDBUFFORCE), S(SO_RCVBUFFORCE),
    S(SO_KEEPALIVE), S(SO_OOBINLINE), S(SO_PRIORITY), S(SO_LINGER), S(SO_RCVLOWAT),
    S(SO_SNDLOWAT), S(SO_RCVTIMEO), S(SO_SNDTIMEO), S(SO_ACCEPTCONN), S(SO_PROTOCOL),
    S(SO_DOMAIN), S(SO_TIMESTAMP), S(SO_MARK), S(SO_BUSY_POLL), S(SO_INCOMING_CPU),
    S(SO_MAX_PACING_RATE), S(SO_BINDTODEVICE), { "SO_TIMESTAMPING", 37 },
    { "SO_ZEROCOPY", 60 },

    S(IP_TOS), S(IP_TTL), S(IP_MTU), S(IP_MTU_DISCOVER), S(IP_PMTUDISC_DONT),
    S(IP_PMTUDISC_WANT), S(IP_PMTUDISC_DO), S(IP_PMTUDISC_PROBE), S(IP_RECVERR),
    { "SO_EE_ORIGIN_LOCAL", 1 }, { "SO_EE_ORIGIN_ICMP", 2 },
    { "SO_EE_ORIGIN_TIMESTAMPING", 4 }, { "SO_EE_ORIGIN_ZEROCOPY", 5 },
    { "SO_EE_CODE_ZEROCOPY_COPIED", 1 },
    S(IP_FREEBIND), S(IP_TRANSPARENT), S(IPV6_TCLASS), S(IPV6_UNICAST_HOPS),
    S(IPTOS_LOWDELAY), S(IPTOS_THROUGHPUT), S(IPTOS_RELIABILITY), { "IPTOS_DSCP_CS1", 0x20 },
    { "IPTOS_DSCP_EF", 0xb8 }, S(IPTOS_ECN_ECT0), S(IPTOS_ECN_ECT1),

    S(TCP_NODELAY), S(TCP_MAXSEG), S(TCP_CORK), S(TCP_KEEPIDLE), S(TCP_KEEPINTVL),
    S(TCP_KEEPCNT), S(TCP_SYNCNT), S(TCP_LINGER2), S(TCP_DEFER_ACCEPT),
    S(TCP_WINDOW_CLAMP), S(TCP_INFO), S(TCP_QUICKACK), S(TCP_CONGESTION),
    S(TCP_MD5SIG), S(TCP_USER_TIMEOUT), S(TCP_FASTOPEN), S(TCP_TIMESTAMP),
    S(TCP_NOTSENT_LOWAT), S(TCP_CC_INFO), S(TCP_SAVE_SYN), S(TCP_SAVED_SYN),
    S(TCP_FASTOPEN_CONNECT), { "TCP_FASTOPEN_KEY", 33 },
    { "TCP_FASTOPEN_NO_COOKIE", 34 }, { "TCP_ZEROCOPY_RECEIVE", 35 },
    { "TCP_INQ", 36 }, { "TCP_CM_INQ", 36 }, { "TCP_TX_DELAY", 37 },
    { "TCP_RTO_MAX_MS", 44 },

    S(POLLIN), S(POLLPRI), S(POLLOUT), S(POLLRDNORM), S(POLLRDBAND), S(POLLWRNORM),
    S(POLLWRBAND), S(POLLERR), S(POLLHUP), S(POLLNVAL), S(POLLRDHUP),
    S(EPOLLIN), S(EPOLLPRI), S(EPOLLOUT), S(EPOLLRDNORM), S(EPOLLRDBAND),
    S(EPOLLWRNORM), S(EPOLLWRBAND), S(EPOLLMSG), S(EPOLLERR), S(EPOLLHUP),
    S(EPOLLRDHUP), S(EPOLLONESHOT), S(EPOLLET), S(EPOLLEXCLUSIVE), S(EPOLL_CTL_ADD),
    S(EPOLL_CTL_DEL), S(EPOLL_CTL_MOD), S(EPOLL_CLOEXEC),
};
/* clang-format on */

static bool find(const struct symbol *list, size_t n, const char *name, long long *out)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(list[i].name, name) != 0)
            continue;
        *out = list[i].value;
        return true;
    }
    return false;
}

bool symbol_find(const char *name, long long *value)
{
    return find(names, ARRAY_LEN(names), name, value) ||
           find(errors, ARRAY_LEN(errors), name, value);
}

const char *errno_symbol(int error)
{
    static _Thread_local char number[16];

    for (size_t i = 0; i < ARRAY_LEN(errors); i++)
        if (errors[i].value == error)
            return errors[i].name;
    snprintf(number, sizeof number, "%d", error);
    return number;
}
