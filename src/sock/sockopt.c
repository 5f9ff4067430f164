/* Socket options: one table row an option, with Linux's numbers, so that a value that
 * the kernel knows is either honoured here or refused with ENOPROTOOPT.
 *
 * Most options are an int: a row of that kind has a reader and a writer of one number
 * and, where Linux limits it, a range. The others (linger, time-outs, the name of the
 * congestion controller, TCP_INFO) have functions that see the caller's bytes.
 *
 * TCP's options live in s->options until there is a connection; from then on in the
 * connection, which is asked for them, changed and given back as a whole. A listener
 * hands its own on to what it accepts.
 *
 * SO_RCVBUF and SO_SNDBUF count as on Linux: the value set is doubled, to leave room
 * for the cost of packets beside their text, the doubled one is what is told and what
 * limits memory held. The most that may be asked for is half of tcp_rmem's and
 * tcp_wmem's third number (net.core.rmem_max is not built). */
#include "sock/sock.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/time.h>

#include "base/bytes.h"
#include "wire/ip4_wire.h"

enum {
    LEVEL_IP = 0,     /* IPPROTO_IP */
    LEVEL_SOCKET = 1, /* SOL_SOCKET */
    LEVEL_TCP = 6,    /* IPPROTO_TCP */
};

enum {
    OPT_REUSEADDR = 2,
    OPT_TYPE = 3,
    OPT_ERROR = 4,
    OPT_SNDBUF = 7,
    OPT_RCVBUF = 8,
    OPT_KEEPALIVE = 9,
    OPT_LINGER = 13,
    OPT_RCVTIMEO = 20,
    OPT_SNDTIMEO = 21,
    OPT_ACCEPTCONN = 30,
    OPT_PROTOCOL = 38,
    OPT_DOMAIN = 39,
};

enum {
    OPT_TOS = 1,
    OPT_TTL = 2,
    OPT_MTU_DISCOVER = 10,
    OPT_MTU = 14,
};

enum {
    OPT_NODELAY = 1,
    OPT_MAXSEG = 2,
    OPT_CORK = 3,
    OPT_KEEPIDLE = 4,
    OPT_KEEPINTVL = 5,
    OPT_KEEPCNT = 6,
    OPT_INFO = 11,
    OPT_CONGESTION = 13,
};

enum {
    FAMILY_INET = 2,
    TYPE_STREAM = 1,
    TYPE_DATAGRAM = 2,

    SNDBUF_MIN = 4608, /* Linux's SOCK_MIN_SNDBUF and SOCK_MIN_RCVBUF, 64-bit */
    RCVBUF_MIN = 2304,
    MAXSEG_MIN = 88, /* Linux's TCP_MIN_MSS and MAX_TCP_WINDOW */
    MAXSEG_MAX = 32767,
    MAXSEG_DEFAULT = 536,
    KEEP_SEC_MAX = 32767,
    KEEPCNT_MAX = 127,
    CC_NAME_MAX = 16,

    /* struct tcp_info: where these stand, and room for any version of it. */
    INFO_STATE = 0,
    INFO_SND_MSS = 16,
    INFO_UNACKED = 24,
    INFO_MAX = 512,
};

/* struct linger, whose header belongs to the edge. */
struct linger_value {
    int on, seconds;
};

struct option {
    uint8_t level, name;
    /* Options that are an int. `get` NULL: not one of them; `set` NULL: read only. */
    int (*get)(struct sock *s);
    int (*set)(struct sock *s, int value);
    int min, max; /* else -EINVAL; 0 and 0: any number */
    /* All others. */
    int (*get_bytes)(struct sock *s, void *value, size_t *len);
    int (*set_bytes)(struct sock *s, const void *value, size_t len);
};

/* Copies what fits of an option's value, as Linux truncates. */
static int give(const void *from, size_t size, void *value, size_t *len)
{
    *len = min_size(*len, size);
    memcpy(value, from, *len);
    return 0;
}

/* --- the options of TCP: read, and write back ----------------------------------- */

static struct tcp_options options_of(const struct sock *s)
{
    return s->tcb ? *tcp_get_options(s->tcb) : s->options;
}

static void put_options(struct sock *s, const struct tcp_options *o)
{
    s->options = *o;
    if (s->tcb)
        tcp_set_options(s->tcb, o);
    if (s->listener)
        tcp_listener_set_options(s->listener, o);
}

/* --- SOL_SOCKET ------------------------------------------------------------------ */

static int get_reuseaddr(struct sock *s)
{
    return s->reuse_addr;
}

static int set_reuseaddr(struct sock *s, int value)
{
    s->reuse_addr = value != 0;
    if (s->udp)
        s->udp->reuse_addr = s->reuse_addr;
    return 0;
}

static int get_type(struct sock *s)
{
    return s->kind == SOCK_KIND_TCP ? TYPE_STREAM : TYPE_DATAGRAM;
}

static int get_error(struct sock *s)
{
    int *own = s->udp ? &s->udp->error : &s->error;
    int err = *own;
    *own = 0;
    if (err == 0 && s->tcb)
        err = tcp_take_error(s->tcb);
    return -err;
}

static int get_acceptconn(struct sock *s)
{
    return s->listener != NULL;
}

static int get_protocol(struct sock *s)
{
    static const int protocol[] = {
        [SOCK_KIND_TCP] = IP_PROTO_TCP,
        [SOCK_KIND_UDP] = IP_PROTO_UDP,
        [SOCK_KIND_PING] = IP_PROTO_ICMP,
    };
    return protocol[s->kind];
}

static int get_domain(struct sock *s)
{
    (void)s;
    return FAMILY_INET;
}

static int get_keepalive(struct sock *s)
{
    return options_of(s).keepalive;
}

static int set_keepalive(struct sock *s, int value)
{
    struct tcp_options o = options_of(s);
    o.keepalive = value != 0;
    put_options(s, &o);
    return 0;
}

/* A buffer size as Linux makes it of the number given: negative is very much. */
static uint32_t buffer_size(int value, uint32_t min, uint32_t most)
{
    uint32_t wanted = min_u32((uint32_t)value, most / 2);
    return max_u32(wanted * 2, min);
}

static int get_rcvbuf(struct sock *s)
{
    return s->udp ? (int)s->udp->rcv_limit : (int)options_of(s).rcvbuf;
}

static int set_rcvbuf(struct sock *s, int value)
{
    uint32_t size = buffer_size(value, RCVBUF_MIN, s->socks->tcp->config.rmem_max);
    if (s->udp)
        s->udp->rcv_limit = size;
    struct tcp_options o = options_of(s);
    o.rcvbuf = size;
    put_options(s, &o);
    return 0;
}

static int get_sndbuf(struct sock *s)
{
    return (int)options_of(s).sndbuf;
}

static int set_sndbuf(struct sock *s, int value)
{
    struct tcp_options o = options_of(s);
    o.sndbuf = buffer_size(value, SNDBUF_MIN, s->socks->tcp->config.wmem_max);
    put_options(s, &o);
    return 0;
}

static int get_linger(struct sock *s, void *value, size_t *len)
{
    struct linger_value v = { s->linger_on, s->linger_sec };
    return give(&v, sizeof v, value, len);
}

static int set_linger(struct sock *s, const void *value, size_t len)
{
    struct linger_value v;
    if (len < sizeof v)
        return -EINVAL;
    memcpy(&v, value, sizeof v);
    s->linger_on = v.on != 0;
    if (s->linger_on)
        s->linger_sec = v.seconds < 0 ? INT_MAX : v.seconds;
    return 0;
}

static int get_timeout(usec timeout, void *value, size_t *len)
{
    struct timeval v = { .tv_sec = timeout / USEC_PER_SEC,
                         .tv_usec = timeout % USEC_PER_SEC };
    return give(&v, sizeof v, value, len);
}

/* As Linux: zero waits for ever, less than zero not at all (a microsecond here, since
 * zero means "no time-out"), more than time has is for ever. */
static int set_timeout(usec *timeout, const void *value, size_t len)
{
    struct timeval v;
    if (len < sizeof v)
        return -EINVAL;
    memcpy(&v, value, sizeof v);
    if (v.tv_usec < 0 || v.tv_usec >= USEC_PER_SEC)
        return -EDOM;
    if (v.tv_sec < 0)
        *timeout = 1;
    else if (v.tv_sec >= NEVER / USEC_PER_SEC / 2)
        *timeout = 0;
    else
        *timeout = v.tv_sec * USEC_PER_SEC + v.tv_usec;
    return 0;
}

static int get_rcvtimeo(struct sock *s, void *value, size_t *len)
{
    return get_timeout(s->rcv_timeout, value, len);
}

static int set_rcvtimeo(struct sock *s, const void *value, size_t len)
{
    return set_timeout(&s->rcv_timeout, value, len);
}

static int get_sndtimeo(struct sock *s, void *value, size_t *len)
{
    return get_timeout(s->snd_timeout, value, len);
}

static int set_sndtimeo(struct sock *s, const void *value, size_t len)
{
    return set_timeout(&s->snd_timeout, value, len);
}

/* --- IPPROTO_IP ------------------------------------------------------------------ */

static struct ip_options ip_of(const struct sock *s)
{
    return s->udp ? s->udp->ip : options_of(s).ip;
}

static void put_ip(struct sock *s, struct ip_options ip)
{
    struct tcp_options o = options_of(s);
    o.ip = ip;
    put_options(s, &o);
    if (s->udp)
        s->udp->ip = ip;
}

static int get_tos(struct sock *s)
{
    return ip_of(s).tos;
}

/* As Linux: the bits of ECN (RFC 3168 s5) in it are TCP's own business. */
static int set_tos(struct sock *s, int value)
{
    struct ip_options ip = ip_of(s);
    ip.tos = (uint8_t)value;
    if (s->kind == SOCK_KIND_TCP)
        ip.tos &= (uint8_t)~IP_ECN_MASK;
    put_ip(s, ip);
    return 0;
}

static int get_ttl(struct sock *s)
{
    uint8_t own = ip_of(s).ttl;
    return own ? own : s->socks->net->config.ip_default_ttl;
}

/* -1: the stack's default again. */
static int set_ttl(struct sock *s, int value)
{
    struct ip_options ip = ip_of(s);
    if (value == 0)
        return -EINVAL;
    ip.ttl = value < 0 ? 0 : (uint8_t)value;
    put_ip(s, ip);
    return 0;
}

static int get_mtu_discover(struct sock *s)
{
    return (int)ip_of(s).df;
}

static int set_mtu_discover(struct sock *s, int value)
{
    struct ip_options ip = ip_of(s);
    ip.df = (enum ip_df)value;
    put_ip(s, ip);
    return 0;
}

/* Of the path to the peer, which there must be. */
static int get_mtu(struct sock *s, void *value, size_t *len)
{
    struct sock_name peer;
    int err = sock_peer(s, &peer);
    if (err < 0)
        return err;
    int mtu = ip_path_mtu(s->socks->net, peer.addr);
    return give(&mtu, sizeof mtu, value, len);
}

/* --- IPPROTO_TCP ----------------------------------------------------------------- */

static int get_nodelay(struct sock *s)
{
    return options_of(s).nodelay;
}

static int set_nodelay(struct sock *s, int value)
{
    struct tcp_options o = options_of(s);
    o.nodelay = value != 0;
    put_options(s, &o);
    return 0;
}

static int get_cork(struct sock *s)
{
    return options_of(s).cork;
}

static int set_cork(struct sock *s, int value)
{
    struct tcp_options o = options_of(s);
    o.cork = value != 0;
    put_options(s, &o);
    return 0;
}

/* Connected: what is being sent. Before: what was asked for, or the RFC's default. */
static int get_maxseg(struct sock *s)
{
    uint8_t info[INFO_MAX] = { 0 };
    uint32_t mss = 0;
    if (s->tcb && tcp_info(s->tcb, info, sizeof info) >= INFO_SND_MSS + sizeof mss)
        memcpy(&mss, info + INFO_SND_MSS, sizeof mss);
    if (mss)
        return (int)mss;
    uint16_t asked = options_of(s).maxseg;
    return asked ? asked : MAXSEG_DEFAULT;
}

static int set_maxseg(struct sock *s, int value)
{
    if (value != 0 && (value < MAXSEG_MIN || value > MAXSEG_MAX))
        return -EINVAL;
    struct tcp_options o = options_of(s);
    o.maxseg = (uint16_t)value;
    put_options(s, &o);
    return 0;
}

/* As on Linux, what was not set (0) is the tunable's, at any time. */
static int get_keepidle(struct sock *s)
{
    usec own = options_of(s).keepidle;
    return (int)((own ? own : s->socks->tcp->config.keepalive_time) / USEC_PER_SEC);
}

static int set_keepidle(struct sock *s, int value)
{
    struct tcp_options o = options_of(s);
    o.keepidle = value * USEC_PER_SEC;
    put_options(s, &o);
    return 0;
}

static int get_keepintvl(struct sock *s)
{
    usec own = options_of(s).keepintvl;
    return (int)((own ? own : s->socks->tcp->config.keepalive_intvl) / USEC_PER_SEC);
}

static int set_keepintvl(struct sock *s, int value)
{
    struct tcp_options o = options_of(s);
    o.keepintvl = value * USEC_PER_SEC;
    put_options(s, &o);
    return 0;
}

static int get_keepcnt(struct sock *s)
{
    uint8_t own = options_of(s).keepcnt;
    return own ? own : s->socks->tcp->config.keepalive_probes;
}

static int set_keepcnt(struct sock *s, int value)
{
    struct tcp_options o = options_of(s);
    o.keepcnt = (uint8_t)value;
    put_options(s, &o);
    return 0;
}

static int get_congestion(struct sock *s, void *value, size_t *len)
{
    char name[CC_NAME_MAX] = { 0 };
    strncpy(name, options_of(s).cc->name, sizeof name - 1);
    return give(name, sizeof name, value, len);
}

static int set_congestion(struct sock *s, const void *value, size_t len)
{
    char name[CC_NAME_MAX] = { 0 };
    if (len < 1)
        return -EINVAL;
    memcpy(name, value, min_size(len, sizeof name - 1));
    const struct cc_ops *cc = cc_find(&s->socks->tcp->controllers, name);
    if (!cc)
        return -ENOENT;
    struct tcp_options o = options_of(s);
    o.cc = cc;
    put_options(s, &o);
    return 0;
}

/* Without a connection only the state is known, and of a listener how many wait. */
static int get_info(struct sock *s, void *value, size_t *len)
{
    uint8_t info[INFO_MAX] = { 0 };
    if (s->tcb) {
        size_t size = tcp_info(s->tcb, info, sizeof info);
        return give(info, size, value, len);
    }
    info[INFO_STATE] = s->listener ? TCPS_LISTEN : TCPS_CLOSED;
    uint32_t waiting = s->listener ? (uint32_t)tcp_acceptable(s->listener) : 0;
    memcpy(info + INFO_UNACKED, &waiting, sizeof waiting);
    return give(info, INFO_UNACKED + sizeof waiting, value, len);
}

/* --- the table ------------------------------------------------------------------- */

/* clang-format off */
#define NUMBER(level, NAME, get, set, min, max) \
    { level, OPT_##NAME, get, set, min, max, NULL, NULL }
#define BYTES(level, NAME, get, set) \
    { level, OPT_##NAME, NULL, NULL, 0, 0, get, set }

static const struct option options[] = {
    NUMBER(LEVEL_IP, TOS, get_tos, set_tos, 0, 255),
    NUMBER(LEVEL_IP, TTL, get_ttl, set_ttl, -1, 255),
    NUMBER(LEVEL_IP, MTU_DISCOVER, get_mtu_discover, set_mtu_discover, 0, IP_DF_PROBE),
    BYTES(LEVEL_IP, MTU, get_mtu, NULL),
    NUMBER(LEVEL_SOCKET, REUSEADDR, get_reuseaddr, set_reuseaddr, 0, 0),
    NUMBER(LEVEL_SOCKET, TYPE, get_type, NULL, 0, 0),
    NUMBER(LEVEL_SOCKET, ERROR, get_error, NULL, 0, 0),
    NUMBER(LEVEL_SOCKET, SNDBUF, get_sndbuf, set_sndbuf, 0, 0),
    NUMBER(LEVEL_SOCKET, RCVBUF, get_rcvbuf, set_rcvbuf, 0, 0),
    NUMBER(LEVEL_SOCKET, KEEPALIVE, get_keepalive, set_keepalive, 0, 0),
    BYTES(LEVEL_SOCKET, LINGER, get_linger, set_linger),
    BYTES(LEVEL_SOCKET, RCVTIMEO, get_rcvtimeo, set_rcvtimeo),
    BYTES(LEVEL_SOCKET, SNDTIMEO, get_sndtimeo, set_sndtimeo),
    NUMBER(LEVEL_SOCKET, ACCEPTCONN, get_acceptconn, NULL, 0, 0),
    NUMBER(LEVEL_SOCKET, PROTOCOL, get_protocol, NULL, 0, 0),
    NUMBER(LEVEL_SOCKET, DOMAIN, get_domain, NULL, 0, 0),
    NUMBER(LEVEL_TCP, NODELAY, get_nodelay, set_nodelay, 0, 0),
    NUMBER(LEVEL_TCP, CORK, get_cork, set_cork, 0, 0),
    NUMBER(LEVEL_TCP, MAXSEG, get_maxseg, set_maxseg, 0, 0),
    NUMBER(LEVEL_TCP, KEEPIDLE, get_keepidle, set_keepidle, 1, KEEP_SEC_MAX),
    NUMBER(LEVEL_TCP, KEEPINTVL, get_keepintvl, set_keepintvl, 1, KEEP_SEC_MAX),
    NUMBER(LEVEL_TCP, KEEPCNT, get_keepcnt, set_keepcnt, 1, KEEPCNT_MAX),
    BYTES(LEVEL_TCP, INFO, get_info, NULL),
    BYTES(LEVEL_TCP, CONGESTION, get_congestion, set_congestion),
};
/* clang-format on */

static const struct option *find_option(const struct sock *s, int level, int name)
{
    if (level == LEVEL_TCP && s->kind != SOCK_KIND_TCP)
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        if (options[i].level == level && options[i].name == name)
            return &options[i];
    return NULL;
}

/* IP's numbers may be given as one byte, too. */
static bool number_of(int level, const void *value, size_t len, int *number)
{
    if (len < sizeof *number && (level != LEVEL_IP || len < 1))
        return false;
    if (len >= sizeof *number)
        memcpy(number, value, sizeof *number);
    else
        *number = *(const uint8_t *)value;
    return true;
}

int sock_setopt(struct sock *s, int level, int name, const void *value, size_t len)
{
    const struct option *o = find_option(s, level, name);
    int number;
    if (!o || (!o->set && !o->set_bytes))
        return -ENOPROTOOPT;
    if (o->set_bytes)
        return o->set_bytes(s, value, len);
    if (!number_of(level, value, len, &number))
        return -EINVAL;
    if ((o->min || o->max) && (number < o->min || number > o->max))
        return -EINVAL;
    return o->set(s, number);
}

int sock_getopt(struct sock *s, int level, int name, void *value, size_t *len)
{
    const struct option *o = find_option(s, level, name);
    if (!o)
        return -ENOPROTOOPT;
    if (o->get_bytes)
        return o->get_bytes(s, value, len);
    int number = o->get(s);
    return give(&number, sizeof number, value, len);
}
