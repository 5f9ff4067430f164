/* The socket calls, for TCP, UDP and ICMP echo, without waiting.
 *
 * A TCP socket is one of three things, told by its pointers:
 *
 *     tcb   listener
 *      -       -      fresh: perhaps bound (local.port), options collected in
 * s->options
 *      -       x      listens
 *      x       -      connecting, connected or dead: all is asked of the tcb
 *
 *          bind            listen
 *     fresh ----> fresh ----------> listener --- shutdown(read) ---> fresh
 *       |  ^
 *       |  |  the attempt failed and connect() told why, or AF_UNSPEC dissolved it
 *       v  |
 *     connecting ----> connected ----> dead     (until close)
 *
 * The text that passes is in sock_text.c. The port of a fresh socket is reserved here,
 * since TCP knows only connections and listeners; a bind looks through the fresh
 * sockets too. UDP keeps its own names, and echo sockets are in ping.c.
 *
 * What errors mean follows Linux where POSIX leaves it open: connecting a listener is
 * EISCONN. */
#include "sock/sock.h"

#include <errno.h>

#include "sock/ping.h"
#include "wire/ip4_wire.h"

enum {
    /* Linux's numbers for what a program names in numbers. */
    FAMILY_INET = 2,
    TYPE_STREAM = 1,
    TYPE_DATAGRAM = 2,
    TYPE_MAX = 11,
    PROTOCOL_MAX = 263,
    SHUT_READ = 0,
    SHUT_WRITE = 1,
    SHUT_BOTH = 2,

    KEEP = 1 << 20,           /* bytes of free sockets kept */
    BIND_TRIES = 64,          /* ephemeral ports tried against fresh sockets' */
    PING_RCVBUF = 212992,     /* net.core.rmem_default, for echo sockets */
    DATAGRAM_SNDBUF = 212992, /* net.core.wmem_default; told, not enforced: datagrams
                               * are never queued on the way down */
};

/* --- making and closing -------------------------------------------------------- */

void socks_init(struct socks *s, struct net *net, struct tcp *tcp, struct udp *udp)
{
    s->net = net;
    s->tcp = tcp;
    s->udp = udp;
    list_init(&s->all);
    list_init(&s->pings);
    s->n = 0;
    slab_init(&s->pool, &net->slabs, sizeof(struct sock), KEEP);
}

static int kind_of(int family, int type, int protocol, enum sock_kind *out)
{
    if (type < 0 || type >= TYPE_MAX)
        return -EINVAL;
    if (family != FAMILY_INET)
        return -EAFNOSUPPORT;
    if (protocol < 0 || protocol >= PROTOCOL_MAX)
        return -EINVAL;
    if (type == TYPE_STREAM && (protocol == 0 || protocol == IP_PROTO_TCP))
        *out = SOCK_KIND_TCP;
    else if (type == TYPE_DATAGRAM && (protocol == 0 || protocol == IP_PROTO_UDP))
        *out = SOCK_KIND_UDP;
    else if (type == TYPE_DATAGRAM && protocol == IP_PROTO_ICMP)
        *out = SOCK_KIND_PING;
    else if (type == TYPE_STREAM || type == TYPE_DATAGRAM)
        return -EPROTONOSUPPORT;
    else
        return -ESOCKTNOSUPPORT;
    return 0;
}

static struct sock *sock_alloc(struct socks *socks, enum sock_kind kind)
{
    struct sock *s = slab_new_zero(&socks->pool);
    if (!s)
        return NULL;
    s->socks = socks;
    s->kind = kind;
    s->local.addr = s->peer.addr = ip_any4;
    list_init(&s->ping_node);
    watch_init(&s->watch);
    s->watch.owner = s;
    tcp_options_default(socks->tcp, &s->options);
    if (kind != SOCK_KIND_TCP) {
        s->options.rcvbuf = PING_RCVBUF;
        s->options.sndbuf = DATAGRAM_SNDBUF;
    }
    list_add_tail(&socks->all, &s->node);
    socks->n++;
    return s;
}

static void sock_discard(struct sock *s)
{
    struct socks *socks = s->socks;

    list_del(&s->watch.node);
    list_del(&s->node);
    socks->n--;
    slab_free(&socks->pool, s);
}

int sock_new(struct socks *socks, int family, int type, int protocol, struct sock **out)
{
    enum sock_kind kind;
    int err = kind_of(family, type, protocol, &kind);
    if (err < 0)
        return err;
    struct sock *s = sock_alloc(socks, kind);
    if (!s)
        return -ENOMEM;
    if (kind == SOCK_KIND_UDP) {
        s->udp = udp_new(socks->udp);
        if (!s->udp) {
            sock_discard(s);
            return -ENOMEM;
        }
        s->udp->watch.owner = s;
    }
    *out = s;
    return 0;
}

/* Nobody looks at what w watches any more. */
static void unwatch(struct watch *w)
{
    list_del(&w->node);
    w->owner = NULL;
}

static void drop_tcb(struct sock *s, bool linger_zero)
{
    unwatch(tcp_watch(s->tcb));
    tcp_release(s->tcb, linger_zero);
    s->tcb = NULL;
    s->connect_reported = false;
}

static void drop_listener(struct sock *s)
{
    unwatch(tcp_listener_watch(s->listener));
    tcp_listener_free(s->listener);
    s->listener = NULL;
}

static void close_datagrams(struct sock *s)
{
    if (s->udp) {
        unwatch(&s->udp->watch);
        udp_free(s->udp);
    }
    if (s->kind == SOCK_KIND_PING)
        ping_close(s);
}

void sock_close(struct sock *s)
{
    if (s->listener)
        drop_listener(s);
    if (s->tcb)
        drop_tcb(s, s->linger_on && s->linger_sec == 0);
    close_datagrams(s);
    sock_discard(s);
}

void socks_free(struct socks *s)
{
    list_each_safe (at, after, &s->all) {
        struct sock *sock = list_entry(at, struct sock, node);
        if (sock->listener)
            unwatch(tcp_listener_watch(sock->listener));
        if (sock->tcb)
            unwatch(tcp_watch(sock->tcb));
        close_datagrams(sock);
        sock_discard(sock);
    }
    slab_done(&s->pool);
}

/* --- names --------------------------------------------------------------------- */

static bool is_fresh(const struct sock *s)
{
    return s->kind == SOCK_KIND_TCP && !s->tcb && !s->listener;
}

static bool overlap(struct ip_addr a, struct ip_addr b)
{
    return ip_is_any(a) || ip_is_any(b) || ip_eq(a, b);
}

/* Has another fresh socket the port? Two that both say SO_REUSEADDR may share it. */
static bool fresh_has_port(const struct sock *s, struct ip_addr addr, uint16_t port)
{
    list_each (at, &s->socks->all) {
        const struct sock *other = list_entry(at, struct sock, node);
        if (other == s || !is_fresh(other) || other->local.port != port)
            continue;
        if (overlap(other->local.addr, addr) && !(other->reuse_addr && s->reuse_addr))
            return true;
    }
    return false;
}

static uint16_t pick_port(const struct sock *s, struct ip_addr addr)
{
    for (int i = 0; i < BIND_TRIES; i++) {
        uint16_t port = tcp_port_pick(s->socks->tcp, addr);
        if (port == 0 || !fresh_has_port(s, addr, port))
            return port;
    }
    return 0;
}

static int bind_tcp(struct sock *s, struct ip_addr addr, uint16_t port)
{
    if (!is_fresh(s) || s->local.port)
        return -EINVAL;
    if (port == 0) {
        port = pick_port(s, addr);
        if (port == 0)
            return -EADDRINUSE;
    } else {
        int err = tcp_port_check(s->socks->tcp, addr, port, s->reuse_addr);
        if (err < 0)
            return err;
        if (fresh_has_port(s, addr, port))
            return -EADDRINUSE;
    }
    s->local = (struct sock_name){ addr, port };
    return 0;
}

int sock_bind(struct sock *s, const struct sock_name *name)
{
    if (!ip_is_any(name->addr) && !net_is_local(s->socks->net, name->addr))
        return -EADDRNOTAVAIL;
    if (s->kind == SOCK_KIND_UDP)
        return udp_bind(s->udp, name->addr, name->port);
    if (s->kind == SOCK_KIND_PING)
        return ping_bind(s, name);
    return bind_tcp(s, name->addr, name->port);
}

int sock_local(const struct sock *s, struct sock_name *out)
{
    if (s->kind == SOCK_KIND_UDP) {
        *out = (struct sock_name){ s->udp->local, s->udp->local_port };
    } else if (s->tcb) {
        struct tcp_name name = tcp_local(s->tcb);
        *out = (struct sock_name){ name.addr, name.port };
    } else {
        *out = s->local;
    }
    return 0;
}

static int tcp_peer_name(const struct sock *s, struct sock_name *out)
{
    if (!s->tcb)
        return -ENOTCONN;
    enum tcp_state state = tcp_state_of(s->tcb);
    if (state == TCPS_SYN_SENT || state == TCPS_CLOSED)
        return -ENOTCONN;
    struct tcp_name name = tcp_remote(s->tcb);
    *out = (struct sock_name){ name.addr, name.port };
    return 0;
}

struct sock_name sock_accepted_from(const struct sock *s)
{
    struct tcp_name name = tcp_remote(s->tcb);
    return (struct sock_name){ name.addr, name.port };
}

int sock_peer(const struct sock *s, struct sock_name *out)
{
    if (s->kind == SOCK_KIND_TCP)
        return tcp_peer_name(s, out);
    if (s->kind == SOCK_KIND_UDP)
        *out = (struct sock_name){ s->udp->remote, s->udp->remote_port };
    else
        *out = s->peer;
    return ip_is_any(out->addr) ? -ENOTCONN : 0;
}

/* --- connecting ---------------------------------------------------------------- */

/* `fast`: its SYN has the option of RFC 7413, and waits for text. */
static int open_tcp(struct sock *s, const struct sock_name *to, bool fast)
{
    struct net *net = s->socks->net;
    struct sock_name real = sock_destination(to);
    /* RFC 9293 s3.9.1.1 (MUST-46) */
    if (net_is_broadcast(net, real.addr) || ip_is_multicast(real.addr))
        return -ENETUNREACH;
    if (ip_is_loopback(s->local.addr) && !net_is_local(net, real.addr))
        return -EINVAL;
    struct tcb *tcb = tcp_new(s->socks->tcp);
    if (!tcb)
        return -ENOMEM;
    tcp_set_options(tcb, &s->options);
    int err = tcp_open(tcb, s->local.addr, s->local.port, real.addr, real.port);
    if (err < 0) {
        tcp_release(tcb, true);
        return err;
    }
    s->tcb = tcb;
    s->error = 0;
    tcp_watch(tcb)->owner = s;
    if (fast)
        tcp_fastopen_begin(tcb, true);
    return -EINPROGRESS;
}

/* The attempt ended before connect() could tell so: says why, and the socket is fresh
 * again. Where SO_ERROR took the reason away, Linux says ECONNABORTED. */
static int report_failure(struct sock *s)
{
    int err = tcp_take_error(s->tcb);
    drop_tcb(s, false);
    return err < 0 ? err : -ECONNABORTED;
}

static int connect_tcp(struct sock *s, const struct sock_name *to)
{
    if (s->listener || s->connect_reported)
        return -EISCONN;
    if (!s->tcb) {
        int err = open_tcp(s, to, s->fastopen_connect);
        s->connect_reported = s->tcb && tcp_fastopen_waits(s->tcb);
        return s->connect_reported ? 0 : err;
    }
    switch (tcp_state_of(s->tcb)) {
    case TCPS_SYN_SENT:
    case TCPS_SYN_RECEIVED:
        return -EALREADY;
    case TCPS_CLOSED:
        return report_failure(s);
    default:
        s->connect_reported = true;
        return 0;
    }
}

int sock_opened(struct sock *s)
{
    if (!s->tcb)
        return -ECONNABORTED;
    switch (tcp_state_of(s->tcb)) {
    case TCPS_SYN_SENT:
    case TCPS_SYN_RECEIVED:
        return -EINPROGRESS;
    case TCPS_CLOSED:
        return report_failure(s);
    default:
        s->connect_reported = true;
        return 0;
    }
}

bool sock_opens(const struct sock *s, int flags)
{
    if (s->kind != SOCK_KIND_TCP || s->listener)
        return false;
    if (!s->tcb || tcp_state_of(s->tcb) == TCPS_SYN_SENT)
        return (flags & SOCK_FASTOPEN) || (s->tcb && tcp_fastopen_waits(s->tcb));
    return false;
}

ssize_t sock_open_with(struct sock *s, const struct piece *text, size_t n,
                       const struct sock_name *to, bool stays)
{
    bool waits = s->tcb && tcp_fastopen_waits(s->tcb);

    if (!(s->socks->tcp->config.fastopen & FASTOPEN_CLIENT))
        return -EOPNOTSUPP;
    if (s->tcb && !waits)
        return -EALREADY;
    if (!waits && !to)
        return -EDESTADDRREQ;
    int err = waits ? -EINPROGRESS : open_tcp(s, to, true);
    return err == -EINPROGRESS ? (ssize_t)tcp_fastopen_send(s->tcb, text, n, stays)
                               : err;
}

int sock_connect(struct sock *s, const struct sock_name *to)
{
    if (s->kind == SOCK_KIND_TCP)
        return connect_tcp(s, to);
    if (s->kind == SOCK_KIND_UDP)
        return udp_connect(s->udp, to->addr, to->port);
    struct sock_name real = to->port ? sock_destination(to) : *to;
    return ping_connect(s, &real);
}

/* As Linux: a listener stops listening when its read side is shut, keeps its port and
 * may listen again; who waits in accept() learns of it. */
static int shutdown_listener(struct sock *s, bool read_side)
{
    if (!read_side)
        return 0;
    drop_listener(s);
    watch_wake(&s->socks->net->woken, &s->watch);
    return 0;
}

/* As Linux: who waits learns of the reset, and so does SO_ERROR. */
static void disconnect_tcp(struct sock *s)
{
    enum tcp_state state = tcp_state_of(s->tcb);
    bool in_good_order = state == TCPS_CLOSED || state == TCPS_TIME_WAIT ||
                         state == TCPS_CLOSING || state == TCPS_LAST_ACK;
    s->local.port = tcp_local(s->tcb).port;
    tcp_abort(s->tcb, -ECONNRESET);
    drop_tcb(s, false);
    s->error = in_good_order ? 0 : -ECONNRESET;
    watch_wake(&s->socks->net->woken, &s->watch);
}

int sock_disconnect(struct sock *s)
{
    const struct sock_name nobody = { ip_any4, 0 };
    if (s->kind != SOCK_KIND_TCP)
        return sock_connect(s, &nobody);
    if (s->listener)
        shutdown_listener(s, true);
    if (s->tcb)
        disconnect_tcp(s);
    return 0;
}

/* --- listening ----------------------------------------------------------------- */

int sock_listen(struct sock *s, int backlog)
{
    if (s->kind != SOCK_KIND_TCP)
        return -EOPNOTSUPP;
    if (s->tcb)
        return -EINVAL;
    unsigned most = s->socks->tcp->config.somaxconn;
    unsigned wanted = (unsigned)backlog < most ? (unsigned)backlog : most;
    if (s->listener) {
        tcp_listener_set_backlog(s->listener, wanted);
        return 0;
    }
    uint32_t fastopen = s->socks->tcp->config.fastopen;
    if ((fastopen & FASTOPEN_SERVER) && (fastopen & FASTOPEN_EVERY_LISTENER) &&
        s->options.fastopen == 0)
        s->options.fastopen = wanted;
    bool was_bound = s->local.port != 0;
    int err = was_bound ? 0 : bind_tcp(s, ip_any4, 0);
    if (err < 0)
        return err;
    struct tcp_options o = s->options;
    struct tcp_name local = { s->local.addr, s->local.port };
    err = tcp_listen(s->socks->tcp, local, wanted, &o, &s->listener);
    if (err < 0) {
        s->listener = NULL;
        if (!was_bound)
            s->local.port = 0;
        return err;
    }
    tcp_listener_watch(s->listener)->owner = s;
    return 0;
}

int sock_accept(struct sock *s, struct sock **out)
{
    if (s->kind != SOCK_KIND_TCP)
        return -EOPNOTSUPP;
    if (!s->listener)
        return -EINVAL;
    if (tcp_acceptable(s->listener) == 0)
        return -EAGAIN;
    struct sock *fresh = sock_alloc(s->socks, SOCK_KIND_TCP);
    if (!fresh)
        return -ENOMEM;
    fresh->tcb = tcp_accept(s->listener);
    if (!fresh->tcb) {
        sock_discard(fresh);
        return -EAGAIN;
    }
    fresh->options = *tcp_get_options(fresh->tcb);
    fresh->reuse_addr = s->reuse_addr;
    fresh->zerocopy = s->zerocopy;
    fresh->rcv_low = s->rcv_low;
    fresh->tell_info = s->tell_info;
    fresh->tell_ttl = s->tell_ttl;
    fresh->tell_tos = s->tell_tos;
    fresh->tell_options = s->tell_options;
    fresh->tell_inq = s->tell_inq;
    fresh->linger_on = s->linger_on;
    fresh->linger_sec = s->linger_sec;
    fresh->rcv_timeout = s->rcv_timeout;
    fresh->snd_timeout = s->snd_timeout;
    fresh->connect_reported = true;
    tcp_watch(fresh->tcb)->owner = fresh;
    *out = fresh;
    return 0;
}

/* --- ending -------------------------------------------------------------------- */

/* As Linux: shutdown while connecting gives the attempt up. */
static int shutdown_connecting(struct sock *s)
{
    tcp_abort(s->tcb, -ECONNRESET);
    drop_tcb(s, false);
    s->error = -ECONNRESET;
    watch_wake(&s->socks->net->woken, &s->watch);
    return 0;
}

static int shutdown_tcp(struct sock *s, bool read_side, bool write_side)
{
    if (s->listener)
        return shutdown_listener(s, read_side);
    if (!s->tcb || tcp_state_of(s->tcb) == TCPS_CLOSED)
        return -ENOTCONN;
    if (tcp_state_of(s->tcb) == TCPS_SYN_SENT)
        return shutdown_connecting(s);
    int err = 0;
    if (read_side)
        err = tcp_shutdown_read(s->tcb);
    if (err == 0 && write_side && !tcp_write_ended(s->tcb))
        err = tcp_shutdown_write(s->tcb);
    return err;
}

int sock_shutdown(struct sock *s, int how)
{
    if (how < SHUT_READ || how > SHUT_BOTH)
        return -EINVAL;
    bool read_side = how != SHUT_WRITE;
    bool write_side = how != SHUT_READ;
    if (s->kind == SOCK_KIND_TCP)
        return shutdown_tcp(s, read_side, write_side);
    struct sock_name peer;
    if (sock_peer(s, &peer) < 0)
        return -ENOTCONN;
    s->shut_read |= read_side;
    s->shut_write |= write_side;
    watch_wake(&s->socks->net->woken, &s->watch);
    return 0;
}

bool sock_drained(const struct sock *s)
{
    return !s->tcb || tcp_drained(s->tcb);
}

void sock_error(struct socks *s, const struct net_error *err)
{
    if (err->proto == IP_PROTO_TCP)
        tcp_error(s->tcp, err);
    else if (err->proto == IP_PROTO_UDP)
        udp_error(s->udp, err);
    else if (err->proto == IP_PROTO_ICMP)
        ping_error(s, err);
}
