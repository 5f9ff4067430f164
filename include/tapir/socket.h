/* The BSD socket calls over a stack of one's own. Every call has its twin's arguments,
 * results and errno; calls block (from any number of threads) unless the descriptor is
 * O_NONBLOCK. A descriptor is a real number of this process, taken from an inert kernel
 * descriptor, so it is unique and small; numbers that are not Tapir's go to the kernel,
 * so one tapir_poll() waits for both kinds. Usable from C++.
 *
 *     struct tapir *t = tapir_up(NULL);              from TAPIR_LINK, TAPIR_ADDR, ...
 *     int fd = tapir_socket(AF_INET, SOCK_STREAM, 0);
 *     tapir_connect(fd, (struct sockaddr *)&to, sizeof to);
 *     ...
 *     tapir_down(t); */
#ifndef TAPIR_SOCKET_H
#define TAPIR_SOCKET_H

#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

struct tapir;
struct cc_ops;

/* How to bring a stack up. Zeros are defaults; strings are copied. What is not given is
 * asked of the environment, on live links: TAPIR_LINK, _ADDR, _GATEWAY, _HOST_ADDR,
 * _MAC, _MTU, _DNS, _NETEM, _PROFILE, _PCAP, _SEED, and as 1 TAPIR_NO_OFFLOAD,
 * _PCAP_RAW, _LADDER, _STAT. */
struct tapir_config {
    const char *link; /* "ns" (default), "tap:NAME", "unix:PATH" (a stream socket, each
                       * frame behind its length), "fd:N" (an inherited TAP descriptor
                       * or stream socket, taken over), "kernel"; "sim": tapir/sim.h */
    const char *addr; /* "192.0.2.2/24" */
    const char *gateway; /* "192.0.2.1[,A...]", the preferred one first, the others for
                          * when it is dead; "" for none */
    const char *host_addr; /* "192.0.2.1/24": the kernel's side, where Tapir makes it */
    const char *mac;       /* a random local one, from the seed */
    unsigned mtu;          /* 1500 */
    bool no_offload;       /* no super-segments, full checksums */
    const char *netem;     /* the link emulator, netem's words: "delay 20ms loss 5%" */
    const char *dns;       /* name servers, "192.0.2.1[,ADDR...]"; "": none. NULL: those
                            * of /etc/resolv.conf, which a private namespace ("ns") and
                            * a simulation cannot reach: none there */
    const char *profile;   /* "tapir" (default), "linux", "bsd": see tapir/stack.h */
    const char *const *sysctl; /* "name=value" each */
    size_t n_sysctl;
    const char *pcap; /* pcapng file; "-" is stdout */
    bool pcap_raw;    /* capture as handed to the device, super-segments whole */
    bool ladder;      /* packets, states and socket calls as a ladder on `talk` */
    bool stat;        /* counters and drop reasons on `talk` at tapir_down() */
    bool many;   /* more descriptors than RLIMIT_NOFILE: beyond half of it they have
                  * numbers from 2^30, too large for an fd_set */
    bool seeded; /* use `seed`; else a random one */
    uint64_t seed;
    FILE *talk; /* where ladder and stat go; NULL: stderr */
};

/* What went wrong, for a person: set by tapir_up_error() and its like. */
struct tapir_error {
    char what[160];  /* "cannot open tap0: EPERM (Operation not permitted)" */
    char cause[200]; /* "" when there is nothing to add */
    char fix[240];   /* a command or an action; may be "" */
};

/* Brings a stack up; the first one is every thread's default. NULL with errno, and
 * *error filled if it is not NULL. */
struct tapir *tapir_up(const struct tapir_config *config);
struct tapir *tapir_up_error(const struct tapir_config *config,
                             struct tapir_error *error);

/* Closes what is open, drives until every FIN is acknowledged (a second at most), then
 * resets the rest, restores the device and frees all. */
void tapir_down(struct tapir *t);

/* Makes t this thread's stack; NULL: the default again. Returns the previous one. */
struct tapir *tapir_use(struct tapir *t);

/* Prints the counters that are not zero under nstat's names, and the drop reasons. */
void tapir_print_stat(struct tapir *t, FILE *out);

/* The seed of its random choices: with it a simulated run can be repeated. */
uint64_t tapir_seed(const struct tapir *t);

/* Sets a tunable by its Linux name, for connections that are made after. 0; -ENOENT for
 * an unknown name; -ENOTSUP for one that Linux has and Tapir has not, and on the link
 * "kernel"; -EINVAL for a bad value. */
int tapir_sysctl(struct tapir *t, const char *name, const char *value);

/* Registers a congestion controller (tapir/cc.h); `ops` is borrowed and outlives t. 0;
 * -EEXIST: there is one of that name; -ENOSPC: there are too many; -ENOTSUP on the link
 * "kernel". */
int tapir_add_cc(struct tapir *t, const struct cc_ops *ops);

/* Microseconds: CLOCK_MONOTONIC on a live link, virtual time in a simulation. */
int64_t tapir_now(void);

/* Sleeps in the stack's time; the stack runs meanwhile. */
void tapir_sleep(int64_t usec);

/* Makes one event of all that this thread calls until tapir_batch_end(): it happens at
 * one time, which is returned (as tapir_now()), and what is to be sent leaves at the
 * end, or earlier when a call waits or another thread's does. For who has several
 * descriptors to serve, between two waits: the peer is woken once, and not for each of
 * them. Does not nest; of the thread's stack (tapir_use()) only; on the link "kernel"
 * it means nothing. */
int64_t tapir_batch_begin(void);
void tapir_batch_end(void);

int tapir_socket(int domain, int type, int protocol);
int tapir_bind(int fd, const struct sockaddr *addr, socklen_t len);

/* With the family AF_UNSPEC it dissolves: datagrams have no peer any more, a connection
 * is reset (SO_ERROR says ECONNRESET) and its socket fresh, a listener listens no more.
 */
int tapir_connect(int fd, const struct sockaddr *addr, socklen_t len);
int tapir_listen(int fd, int backlog);
int tapir_accept(int fd, struct sockaddr *addr, socklen_t *len);
int tapir_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags);
ssize_t tapir_read(int fd, void *buf, size_t n);
ssize_t tapir_write(int fd, const void *buf, size_t n);
ssize_t tapir_readv(int fd, const struct iovec *iov, int n);
ssize_t tapir_writev(int fd, const struct iovec *iov, int n);
ssize_t tapir_recv(int fd, void *buf, size_t n, int flags);
ssize_t tapir_send(int fd, const void *buf, size_t n, int flags);
ssize_t tapir_recvfrom(int fd, void *buf, size_t n, int flags, struct sockaddr *addr,
                       socklen_t *len);
ssize_t tapir_sendto(int fd, const void *buf, size_t n, int flags,
                     const struct sockaddr *addr, socklen_t len);

/* Flags of these calls and of the two below:
 *     receive   MSG_PEEK, MSG_DONTWAIT, MSG_WAITALL (of a stream: all of it, or less at
 *               its end), MSG_TRUNC (of a datagram its whole length; of a stream the
 *               text is thrown away); MSG_ERRQUEUE has reports of MSG_ZEROCOPY and no
 *               errors; MSG_OOB of a stream EINVAL, since urgent text stays in
 *               line; others are ignored, as on Linux
 *     send      MSG_MORE, MSG_DONTWAIT, MSG_EOR (of a stream: no segment has the end of
 *               this text and text that follows), MSG_NOSIGNAL (SIGPIPE is never
 *               raised), MSG_CONFIRM, of a stream MSG_OOB, MSG_FASTOPEN (opens the
 *               connection, whose SYN has the text if a cookie is known) and
 *               MSG_ZEROCOPY (text is copied, and with SO_ZEROCOPY that is reported);
 *               others are EOPNOTSUPP */

/* recvmsg(2), sendmsg(2): pieces, name, and control of the level IPPROTO_IP for
 * datagrams. Received is IP_PKTINFO (struct in_pktinfo), IP_TTL (int), IP_TOS (one
 * byte), IP_RECVOPTS (the header's options, where it has some), where IP_PKTINFO,
 * IP_RECVTTL, IP_RECVTOS, IP_RECVOPTS asked for it; what does not fit is cut, with
 * MSG_CTRUNC in msg_flags, as MSG_TRUNC says of the text. Sent may be the first three
 * (IP_TOS also as an int), for this datagram alone; others of the level are EINVAL. */
ssize_t tapir_recvmsg(int fd, struct msghdr *msg, int flags);
ssize_t tapir_sendmsg(int fd, const struct msghdr *msg, int flags);

/* sendfile(2) of a regular file, which is read into the send buffer; from where the
 * file stands, or from *offset, which then says how far it went. To a descriptor of the
 * kernel's it is the kernel's. */
ssize_t tapir_sendfile(int out, int in, off_t *offset, size_t n);

/* SIOCINQ (FIONREAD), SIOCOUTQ (TIOCOUTQ), SIOCOUTQNSD: an int, bytes that can be read
 * (of datagrams: the next one's), that are not acknowledged, that were not sent.
 * FIONBIO: an int, O_NONBLOCK. SIOCATMARK: an int, sockatmark(3): is the next
 * byte the last urgent one? Others ENOTTY; see tcp(7), udp(7). */
int tapir_ioctl(int fd, unsigned long request, ...);

/* splice(2): ENOSYS for descriptors of Tapir's. */
ssize_t tapir_splice(int fd_in, int64_t *off_in, int fd_out, int64_t *off_out, size_t n,
                     unsigned flags);
int tapir_sockatmark(int fd); /* urgent data stays in line, as with SO_OOBINLINE */

int tapir_close(int fd);
int tapir_shutdown(int fd, int how);

/* Options, with Linux's numbers, units and defaults; all others are ENOPROTOOPT.
 *     SOL_SOCKET   SO_REUSEADDR SO_TYPE SO_ERROR SO_SNDBUF SO_RCVBUF SO_KEEPALIVE
 *                  SO_LINGER SO_RCVTIMEO SO_SNDTIMEO SO_RCVLOWAT and SO_ZEROCOPY (of
 *                  streams)
 *                  SO_SNDLOWAT (1) SO_ACCEPTCONN SO_PROTOCOL SO_DOMAIN SO_MEMINFO
 *     IPPROTO_IP   IP_TOS IP_TTL IP_MTU, IP_MTU_DISCOVER (IP_PMTUDISC_DONT _WANT _DO
 *                  _PROBE), IP_PKTINFO IP_RECVTTL IP_RECVTOS IP_RECVOPTS (of
 *                  datagrams), IP_OPTIONS (a list of 40 bytes at most; no source
 *                  routes and no timestamps: EPERM)
 *     IPPROTO_TCP  TCP_NODELAY TCP_CORK TCP_MAXSEG TCP_KEEPIDLE TCP_KEEPINTVL
 *                  TCP_KEEPCNT TCP_SYNCNT TCP_LINGER2 (seconds) TCP_DEFER_ACCEPT
 *                  (seconds, rounded up to 1, 3, 7 ...) TCP_WINDOW_CLAMP (bytes)
 *                  TCP_QUICKACK TCP_USER_TIMEOUT (milliseconds, from the first
 *                  repetition on) TCP_NOTSENT_LOWAT (bytes) TCP_INQ (with recvmsg)
 *                  TCP_CONGESTION TCP_CC_INFO (no bytes) TCP_INFO (struct tcp_info)
 *                  TCP_FASTOPEN (how many of a listener's connections may be open
 *                  before their handshake is) TCP_FASTOPEN_CONNECT (connect() may
 *                  leave it to the first text) TCP_FASTOPEN_KEY (16 or 32 bytes)
 *                  TCP_FASTOPEN_NO_COOKIE
 *
 * A length that is too short is EINVAL, one that is too long is cut. TCP_INFO is as
 * long as asked for, 248 bytes at most. See socket(7), ip(7), tcp(7). */
int tapir_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
int tapir_setsockopt(int fd, int level, int name, const void *value, socklen_t len);
int tapir_getsockname(int fd, struct sockaddr *addr, socklen_t *len);
int tapir_getpeername(int fd, struct sockaddr *addr, socklen_t *len);

/* F_GETFL, F_SETFL (O_NONBLOCK), F_GETFD, F_SETFD; others EINVAL. */
int tapir_fcntl(int fd, int cmd, ...);
int tapir_poll(struct pollfd *fds, nfds_t n, int timeout_ms);

/* epoll(7) over descriptors of both kinds; level, EPOLLET (an event for each arrival,
 * and for room where there was none), EPOLLONESHOT and EPOLLEXCLUSIVE. A set belongs to
 * the stack that made it: a descriptor of another stack is EINVAL, a set of Tapir's in
 * a set EPERM (but tapir_poll() waits for one); EPOLLWAKEUP is EINVAL. */
int tapir_epoll_create1(int flags);
int tapir_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event);
int tapir_epoll_wait(int epfd, struct epoll_event *events, int max, int timeout_ms);

/* getaddrinfo(3): /etc/hosts, then the name servers (tapir_config.dns), asked with this
 * thread's stack; /etc/services. Results and EAI_ as there, gai_strerror(3) prints
 * them. Hints: AI_PASSIVE AI_CANONNAME AI_NUMERICHOST AI_NUMERICSERV AI_ADDRCONFIG
 * AI_V4MAPPED; others are EAI_BADFLAGS. An address in numbers is four decimal ones, or
 * IPv6 without a scope. */
struct addrinfo;
int tapir_getaddrinfo(const char *host, const char *service,
                      const struct addrinfo *hints, struct addrinfo **list);
void tapir_freeaddrinfo(struct addrinfo *list);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
