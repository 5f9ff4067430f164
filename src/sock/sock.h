/* Sockets without I/O: handles over TCP, UDP and ICMP echo with one face. Nothing
 * blocks here: what cannot be done now is -EAGAIN (or -EINPROGRESS), and edge/bsd.c
 * waits. All results are >= 0 or negative errno, the numbers and meanings of Linux. */
#ifndef TAPIR_SOCK_SOCK_H
#define TAPIR_SOCK_SOCK_H

#include <stddef.h>
#include <sys/types.h>

#include "tcp/tcp.h"
#include "udp/udp.h"

enum sock_kind { SOCK_KIND_TCP, SOCK_KIND_UDP, SOCK_KIND_PING };

/* Readiness bits: the numbers of poll(2). */
enum {
    SOCK_IN = 0x001,
    SOCK_PRI = 0x002,
    SOCK_OUT = 0x004,
    SOCK_ERR = 0x008,
    SOCK_HUP = 0x010,
    SOCK_RDHUP = 0x2000,
};

/* Flags of send and receive: the numbers of Linux's MSG_*. */
enum {
    SOCK_OOB = 0x01,
    SOCK_PEEK = 0x02,
    SOCK_TRUNC = 0x20,
    SOCK_EOR = 0x80,
    SOCK_MORE = 0x8000,
    SOCK_ZEROCOPY = 0x4000000,
    SOCK_FASTOPEN = 0x20000000,
};

struct sock_name {
    struct ip_addr addr; /* 0.0.0.0: any, or none */
    uint16_t port;
};

struct socks {
    struct net *net;
    struct tcp *tcp;
    struct udp *udp;
    struct list all;       /* struct sock.node */
    struct list pings;     /* struct sock.ping_node: echo sockets, by identifier */
    size_t n;              /* sockets open */
    struct slab_pool pool; /* of struct sock */
};

struct sock {
    struct list node;      /* in socks->all */
    struct list ping_node; /* in socks->pings */
    struct socks *socks;
    enum sock_kind kind;
    struct tcb *tcb; /* TCP: NULL before connect, and for a listener */
    struct tcp_listener *listener;
    struct udp_port *udp;       /* UDP */
    struct watch watch;         /* wakes this socket where nothing below it does: echo
                                 * replies, and the end of listening */
    struct pkt_queue ping_rcv;  /* ping: echo replies, see ping.c */
    size_t ping_bytes;          /* bytes in it; at most options.rcvbuf */
    uint32_t ping_arrived;      /* how many ever came into it */
    uint16_t ping_id;           /* ping: identifier, its "port"; 0 until bound */
    struct sock_name local;     /* TCP, ping: as bound; port 0: not bound */
    struct sock_name peer;      /* ping: connected to; else unused */
    struct tcp_options options; /* TCP: what connect or listen will use */
    int error;                  /* pending -errno of the socket itself, or 0 */
    bool shut_read, shut_write; /* datagrams: what shutdown ended */
    bool reuse_addr;            /* SO_REUSEADDR */
    bool linger_on;             /* SO_LINGER */
    int linger_sec;
    usec rcv_timeout, snd_timeout; /* SO_RCVTIMEO, SO_SNDTIMEO; 0: none. bsd.c waits */
    uint32_t rcv_low;              /* SO_RCVLOWAT, bytes; 0: as 1 */
    bool tell_options;             /* IP_RECVOPTS, and ... */
    bool tell_info, tell_ttl, tell_tos; /* IP_PKTINFO, IP_RECVTTL, IP_RECVTOS: for
                                         * whoever receives messages */
    bool tell_inq;         /* TCP_INQ: the same of how much waits behind a message */
    bool connect_reported; /* connect's success was told once (-EISCONN after) */
    bool fastopen_connect; /* TCP_FASTOPEN_CONNECT */
    bool zerocopy;         /* SO_ZEROCOPY: sends that ask for it are reported ... */
    uint32_t sends;        /* ... so many were: each has its number, from 0 on ... */
    uint32_t sends_told;   /* ... and those before this one were told of */
    void *user;            /* edge's: struct of the descriptor */
};

void socks_init(struct socks *s, struct net *net, struct tcp *tcp, struct udp *udp);

/* Frees the sockets. Their connections are left to tcp_free(): nothing is sent. */
void socks_free(struct socks *s);

/* family 2 (AF_INET), type 1 (stream) or 2 (datagram), protocol 0, 6, 17 or 1 (ICMP
 * echo as Linux's ping sockets). 0, -EAFNOSUPPORT, -EPROTONOSUPPORT, -ESOCKTNOSUPPORT,
 * -ENOMEM. */
int sock_new(struct socks *s, int family, int type, int protocol, struct sock **out);

/* Frees s. TCP: hands the connection over to close by itself (or resets,
 * SO_LINGER 0). */
void sock_close(struct sock *s);

int sock_bind(struct sock *s, const struct sock_name *name);
int sock_listen(struct sock *s, int backlog);

/* TCP: -EINPROGRESS at first, -EALREADY while it goes on, 0 once when it is done,
 * -EISCONN after that, or why it failed. Others: at once. */
int sock_connect(struct sock *s, const struct sock_name *to);

/* RFC 7413: does a send with these flags open a connection (MSG_FASTOPEN of one that
 * does not stand yet, or connect() left it to the first text)? */
bool sock_opens(const struct sock *s, int flags);

/* Opens it, to `to` or where connect() said: how much of the text goes with the SYN, at
 * once; 0 where no cookie is known. `stays`: the caller waits with the rest. -EALREADY,
 * -EOPNOTSUPP (switched off), and connect()'s errors. */
ssize_t sock_open_with(struct sock *s, const struct piece *text, size_t n,
                       const struct sock_name *to, bool stays);

/* What became of it: -EINPROGRESS, 0 once it is connected, or why it failed. */
int sock_opened(struct sock *s);

/* -EAGAIN: nobody waits. */
int sock_accept(struct sock *s, struct sock **out);

/* What a send asks for beside its text. */
struct sock_asked {
    int flags;                  /* SOCK_MORE, SOCK_EOR, SOCK_OOB */
    const struct sock_name *to; /* for datagrams; NULL: the connected peer */
    const struct ip_ask *ip;    /* for datagrams; NULL: nothing */
};

/* What is told of a message beside its text. */
struct sock_message {
    struct sock_name from; /* datagrams: the sender */
    size_t len;            /* of the whole datagram, or what a stream gave */
    bool cut;              /* datagrams: less fitted than there was */
    bool datagram;         /* there is one: `ip` is filled */
    struct ip_heard ip;
};

/* MSG_ZEROCOPY with SO_ZEROCOPY: a send is done. Its text was copied, so its buffer is
 * free at once, and that is what the error queue tells: of which sends, *first to
 * *last, all that there are. False: of none. */
void sock_sent_copy(struct sock *s);
bool sock_take_report(struct sock *s, uint32_t *first, uint32_t *last);

/* Text, in sock_text.c. Less of a stream may be taken than is given; -EAGAIN: none. */
ssize_t sock_send_asking(struct sock *s, const struct piece *text, size_t n,
                         const struct sock_asked *a);
ssize_t sock_send(struct sock *s, const struct piece *text, size_t n, int flags,
                  const struct sock_name *to);

/* Of a stream: tcp_send_from(). */
ssize_t sock_send_from(struct sock *s, struct tcp_source *from, size_t n);

/* Into n rooms. SOCK_TRUNC asks for the datagram's whole length; of a stream it throws
 * the text away. */
ssize_t sock_receive_message(struct sock *s, const struct room *to, size_t n, int flags,
                             struct sock_message *got);

/* The same into one buffer; `from` may be NULL. */
ssize_t sock_receive(struct sock *s, void *buf, size_t room, int flags,
                     struct sock_name *from);

/* So much is worth waiting for by a call that has this room: all of it (MSG_WAITALL) or
 * SO_RCVLOWAT. */
size_t sock_receive_target(const struct sock *s, size_t room, bool all);

/* Will no more come for this call: the stream ended, an error waits, or the next byte
 * is the last urgent one? */
bool sock_receive_over(const struct sock *s);

/* How much waits (SIOCINQ, SIOCOUTQ, SIOCOUTQNSD): bytes to be read, of datagrams the
 * first one's; sent and not acknowledged, with what was not sent; not sent. 0; -EINVAL
 * of a listener; -ENOTTY where Linux does not tell. */
enum sock_queue { SOCK_QUEUE_IN, SOCK_QUEUE_OUT, SOCK_QUEUE_NOT_SENT };
int sock_queued(const struct sock *s, enum sock_queue which, size_t *n);

/* 0.0.0.0 as a destination is this host. */
struct sock_name sock_destination(const struct sock_name *to);

/* sockatmark(3): 1 if the next byte to read is the last urgent one, 0, or
 * -ENOTTY. */
int sock_at_mark(const struct sock *s);

/* how: 0 read, 1 write, 2 both. */
int sock_shutdown(struct sock *s, int how);

int sock_local(const struct sock *s, struct sock_name *out);
/* Whom accept() names: the peer, though the connection may be dead by now. */
struct sock_name sock_accepted_from(const struct sock *s);
int sock_peer(const struct sock *s, struct sock_name *out); /* -ENOTCONN */

/* Computed from buffers and state, never stored: ready.c. Rules as Linux's tcp_poll. */
unsigned sock_readiness(const struct sock *s);

/* A number that is another one when something to be read, or accepted, has come since:
 * what an edge-triggered reader is told of, though it was readable before. */
uint32_t sock_arrivals(const struct sock *s);

/* Dissolves what connect or listen made, as connect() with AF_UNSPEC: a connection is
 * reset, a socket of TCP is fresh again and keeps its port. 0. */
int sock_disconnect(struct sock *s);

/* Options by Linux's numbers (level 0 IPPROTO_IP, 1 SOL_SOCKET,
 * 6 IPPROTO_TCP), values in Linux's
 * layout: sockopt.c. -ENOPROTOOPT for what is not built, -EINVAL for a wrong value or
 * length. */
int sock_setopt(struct sock *s, int level, int name, const void *value, size_t len);
int sock_getopt(struct sock *s, int level, int name, void *value, size_t *len);

/* SO_LINGER with a time: may close() return? */
bool sock_drained(const struct sock *s);

/* An echo reply came, p at its ICMP header. Takes p. */
void sock_ping_input(struct socks *s, const struct ip_info *ip, struct pkt *p);

/* An error about something we sent: to the transports and the echo sockets. */
void sock_error(struct socks *s, const struct net_error *err);

#endif
