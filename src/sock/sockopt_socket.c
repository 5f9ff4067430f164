/* The options of SOL_SOCKET.
 *
 * SO_RCVBUF and SO_SNDBUF count as on Linux: the value set is doubled, to leave room
 * for the cost of packets beside their text, the doubled one is what is told and what
 * limits memory held. The most that may be asked for is half of tcp_rmem's and
 * tcp_wmem's third number (net.core.rmem_max is not built). */
#include "sock/sockopt.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/time.h>

#include "base/bytes.h"
#include "wire/ip4_wire.h"

enum {
    OPT_REUSEADDR = 2,
    OPT_TYPE = 3,
    OPT_ERROR = 4,
    OPT_SNDBUF = 7,
    OPT_RCVBUF = 8,
    OPT_KEEPALIVE = 9,
    OPT_LINGER = 13,
    OPT_RCVLOWAT = 18,
    OPT_SNDLOWAT = 19,
    OPT_RCVTIMEO = 20,
    OPT_SNDTIMEO = 21,
    OPT_ACCEPTCONN = 30,
    OPT_PROTOCOL = 38,
    OPT_DOMAIN = 39,
    OPT_MEMINFO = 55,
    OPT_ZEROCOPY = 60,
};

enum {
    FAMILY_INET = 2,
    TYPE_STREAM = 1,
    TYPE_DATAGRAM = 2,

    SNDBUF_MIN = 4608, /* Linux's SOCK_MIN_SNDBUF and SOCK_MIN_RCVBUF, 64-bit */
    RCVBUF_MIN = 2304,
};

/* struct linger, whose header belongs to the edge. */
struct linger_value {
    int on, seconds;
};

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
    return sockopt_tcp_of(s).keepalive;
}

static int set_keepalive(struct sock *s, int value)
{
    struct tcp_options o = sockopt_tcp_of(s);
    o.keepalive = value != 0;
    sockopt_put_tcp(s, &o);
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
    return s->udp ? (int)s->udp->rcv_limit : (int)sockopt_tcp_of(s).rcvbuf;
}

static int set_rcvbuf(struct sock *s, int value)
{
    uint32_t size = buffer_size(value, RCVBUF_MIN, s->socks->tcp->config.rmem_max);
    if (s->udp)
        s->udp->rcv_limit = size;
    struct tcp_options o = sockopt_tcp_of(s);
    o.rcvbuf = size;
    sockopt_put_tcp(s, &o);
    return 0;
}

static int get_sndbuf(struct sock *s)
{
    return (int)sockopt_tcp_of(s).sndbuf;
}

static int set_sndbuf(struct sock *s, int value)
{
    struct tcp_options o = sockopt_tcp_of(s);
    o.sndbuf = buffer_size(value, SNDBUF_MIN, s->socks->tcp->config.wmem_max);
    sockopt_put_tcp(s, &o);
    return 0;
}

static int get_rcvlowat(struct sock *s)
{
    return s->rcv_low ? (int)s->rcv_low : 1;
}

/* As Linux: less than nothing is very much; a stream's is half of its buffer at most,
 * or nobody would ever be woken. */
static int set_rcvlowat(struct sock *s, int value)
{
    uint32_t most = s->kind == SOCK_KIND_TCP ? sockopt_tcp_of(s).rcvbuf / 2 : INT_MAX;
    s->rcv_low = min_u32(value < 0 ? INT_MAX : (uint32_t)value, most);
    watch_wake(&s->socks->net->woken, s->tcb ? tcp_watch(s->tcb) : &s->watch);
    return 0;
}

static int get_sndlowat(struct sock *s)
{
    (void)s;
    return 1;
}

/* Linux's SK_MEMINFO_*: what the stack has no word for is 0, as it holds none. */
static int get_meminfo(struct sock *s, void *value, size_t *len)
{
    enum {
        RMEM_ALLOC,
        RCVBUF,
        WMEM_ALLOC,
        SNDBUF,
        FWD_ALLOC,
        WMEM_QUEUED,
        DROPS = 8,
        N
    };
    uint32_t v[N] = { 0 };
    v[RCVBUF] = (uint32_t)get_rcvbuf(s);
    v[SNDBUF] = (uint32_t)get_sndbuf(s);
    v[RMEM_ALLOC] = (uint32_t)s->ping_bytes;
    if (s->udp) {
        v[RMEM_ALLOC] = (uint32_t)s->udp->rcv_bytes;
        v[DROPS] = s->udp->drops;
    }
    if (s->tcb)
        tcp_buffers(s->tcb, &v[RMEM_ALLOC], &v[WMEM_QUEUED]);
    return sockopt_give(v, sizeof v, value, len);
}

static int get_linger(struct sock *s, void *value, size_t *len)
{
    struct linger_value v = { s->linger_on, s->linger_sec };
    return sockopt_give(&v, sizeof v, value, len);
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
    return sockopt_give(&v, sizeof v, value, len);
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

static int get_zerocopy(struct sock *s)
{
    return s->zerocopy;
}

static int set_zerocopy(struct sock *s, int value)
{
    s->zerocopy = value;
    return 0;
}

/* clang-format off */
static const struct sockopt options[] = {
    NUMBER(REUSEADDR, get_reuseaddr, set_reuseaddr, 0, 0),
    NUMBER(TYPE, get_type, NULL, 0, 0),
    NUMBER(ERROR, get_error, NULL, 0, 0),
    NUMBER(SNDBUF, get_sndbuf, set_sndbuf, 0, 0),
    NUMBER(RCVBUF, get_rcvbuf, set_rcvbuf, 0, 0),
    NUMBER(KEEPALIVE, get_keepalive, set_keepalive, 0, 0),
    NUMBER(RCVLOWAT, get_rcvlowat, set_rcvlowat, 0, 0),
    NUMBER(SNDLOWAT, get_sndlowat, NULL, 0, 0),
    NUMBER(ZEROCOPY, get_zerocopy, set_zerocopy, 0, 1),
    BYTES(MEMINFO, get_meminfo, NULL),
    BYTES(LINGER, get_linger, set_linger),
    BYTES(RCVTIMEO, get_rcvtimeo, set_rcvtimeo),
    BYTES(SNDTIMEO, get_sndtimeo, set_sndtimeo),
    NUMBER(ACCEPTCONN, get_acceptconn, NULL, 0, 0),
    NUMBER(PROTOCOL, get_protocol, NULL, 0, 0),
    NUMBER(DOMAIN, get_domain, NULL, 0, 0),
};
/* clang-format on */

struct sockopt_table sockopt_socket(void)
{
    return (struct sockopt_table){ options, ARRAY_LEN(options) };
}
