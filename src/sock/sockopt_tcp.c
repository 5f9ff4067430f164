/* The options of IPPROTO_TCP. They live in s->options until there is a connection; from
 * then on in the connection, which is asked for them, changed and given back as a
 * whole. A listener hands its own on to what it accepts. */
#include "sock/sockopt.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

enum {
    OPT_NODELAY = 1,
    OPT_MAXSEG = 2,
    OPT_CORK = 3,
    OPT_KEEPIDLE = 4,
    OPT_KEEPINTVL = 5,
    OPT_KEEPCNT = 6,
    OPT_SYNCNT = 7,
    OPT_LINGER2 = 8,
    OPT_DEFER_ACCEPT = 9,
    OPT_WINDOW_CLAMP = 10,
    OPT_INFO = 11,
    OPT_QUICKACK = 12,
    OPT_CONGESTION = 13,
    OPT_USER_TIMEOUT = 18,
    OPT_FASTOPEN = 23,
    OPT_NOTSENT_LOWAT = 25,
    OPT_CC_INFO = 26,
    OPT_FASTOPEN_CONNECT = 30,
    OPT_FASTOPEN_KEY = 33,
    OPT_FASTOPEN_NO_COOKIE = 34,
    OPT_INQ = 36,
};

enum {
    MAXSEG_MIN = 88, /* Linux's TCP_MIN_MSS and MAX_TCP_WINDOW */
    MAXSEG_MAX = 32767,
    MAXSEG_DEFAULT = 536,
    KEEP_SEC_MAX = 32767,
    KEEPCNT_MAX = 127,
    SYNCNT_MAX = 127,
    LINGER2_SEC_MAX = 120,   /* Linux's TCP_FIN_TIMEOUT_MAX */
    WINDOW_CLAMP_MIN = 1152, /* half of Linux's SOCK_MIN_RCVBUF */
    CC_NAME_MAX = 16,

    /* struct tcp_info: where these stand, and room for any version of it. */
    INFO_STATE = 0,
    INFO_UNACKED = 24,
    INFO_MAX = 512,
};

static int get_nodelay(struct sock *s)
{
    return sockopt_tcp_of(s).nodelay;
}

static int set_nodelay(struct sock *s, int value)
{
    struct tcp_options o = sockopt_tcp_of(s);
    o.nodelay = value != 0;
    sockopt_put_tcp(s, &o);
    if (value && s->tcb)
        tcp_push(s->tcb); /* each time, and though there is a cork: tcp(7) */
    return 0;
}

static int get_cork(struct sock *s)
{
    return sockopt_tcp_of(s).cork;
}

static int set_cork(struct sock *s, int value)
{
    struct tcp_options o = sockopt_tcp_of(s);
    o.cork = value != 0;
    sockopt_put_tcp(s, &o);
    return 0;
}

/* Connected: what is being sent. Before: what was asked for, or the RFC's default. */
static int get_maxseg(struct sock *s)
{
    uint32_t mss = s->tcb ? tcp_mss(s->tcb) : 0;
    if (mss)
        return (int)mss;
    uint16_t asked = sockopt_tcp_of(s).maxseg;
    return asked ? asked : MAXSEG_DEFAULT;
}

static int set_maxseg(struct sock *s, int value)
{
    if (value != 0 && (value < MAXSEG_MIN || value > MAXSEG_MAX))
        return -EINVAL;
    struct tcp_options o = sockopt_tcp_of(s);
    o.maxseg = (uint16_t)value;
    sockopt_put_tcp(s, &o);
    return 0;
}

/* As on Linux, what was not set (0) is the tunable's, at any time. */
static int get_keepidle(struct sock *s)
{
    usec own = sockopt_tcp_of(s).keepidle;
    return (int)((own ? own : s->socks->tcp->config.keepalive_time) / USEC_PER_SEC);
}

static int set_keepidle(struct sock *s, int value)
{
    struct tcp_options o = sockopt_tcp_of(s);
    o.keepidle = value * USEC_PER_SEC;
    sockopt_put_tcp(s, &o);
    return 0;
}

static int get_keepintvl(struct sock *s)
{
    usec own = sockopt_tcp_of(s).keepintvl;
    return (int)((own ? own : s->socks->tcp->config.keepalive_intvl) / USEC_PER_SEC);
}

static int set_keepintvl(struct sock *s, int value)
{
    struct tcp_options o = sockopt_tcp_of(s);
    o.keepintvl = value * USEC_PER_SEC;
    sockopt_put_tcp(s, &o);
    return 0;
}

static int get_keepcnt(struct sock *s)
{
    uint8_t own = sockopt_tcp_of(s).keepcnt;
    return own ? own : s->socks->tcp->config.keepalive_probes;
}

static int set_keepcnt(struct sock *s, int value)
{
    struct tcp_options o = sockopt_tcp_of(s);
    o.keepcnt = (uint8_t)value;
    sockopt_put_tcp(s, &o);
    return 0;
}

static int get_syncnt(struct sock *s)
{
    uint8_t own = sockopt_tcp_of(s).syncnt;
    return own ? own : s->socks->tcp->config.syn_retries;
}

static int set_syncnt(struct sock *s, int value)
{
    struct tcp_options o = sockopt_tcp_of(s);
    o.syncnt = (uint8_t)value;
    sockopt_put_tcp(s, &o);
    return 0;
}

/* Less than nothing: FIN-WAIT-2 ends at once. */
static int get_linger2(struct sock *s)
{
    usec own = sockopt_tcp_of(s).linger2;
    if (own == NEVER)
        return -1;
    return (int)((own ? own : s->socks->tcp->config.fin_timeout) / USEC_PER_SEC);
}

static int set_linger2(struct sock *s, int value)
{
    struct tcp_options o = sockopt_tcp_of(s);
    usec seconds = usec_min(value, LINGER2_SEC_MAX);
    o.linger2 = value < 0 ? NEVER : seconds * USEC_PER_SEC;
    sockopt_put_tcp(s, &o);
    return 0;
}

/* TCP_DEFER_ACCEPT's seconds are kept, as on Linux, as the SYN-ACKs that leave
 * meanwhile: after one second, two more, four more ... The number is rounded up. */
static int seconds_of(const struct sock *s, uint8_t times)
{
    const struct tcp_config *c = &s->socks->tcp->config;
    usec sum = 0, wait = c->rto_initial;
    for (uint8_t i = 0; i < times; i++) {
        sum += wait;
        wait = usec_min(wait * 2, c->rto_max);
    }
    return (int)(sum / USEC_PER_SEC);
}

static int get_defer_accept(struct sock *s)
{
    return seconds_of(s, sockopt_tcp_of(s).defer_accept);
}

static int set_defer_accept(struct sock *s, int value)
{
    struct tcp_options o = sockopt_tcp_of(s);
    o.defer_accept = 0;
    while (o.defer_accept < UINT8_MAX && seconds_of(s, o.defer_accept) < value)
        o.defer_accept++;
    sockopt_put_tcp(s, &o);
    return 0;
}

static int get_window_clamp(struct sock *s)
{
    return (int)sockopt_tcp_of(s).window_clamp;
}

/* As Linux: only a socket without a connection may take it off. */
static int set_window_clamp(struct sock *s, int value)
{
    struct tcp_options o = sockopt_tcp_of(s);
    if (value == 0 && (s->listener || (s->tcb && tcp_state_of(s->tcb) != TCPS_CLOSED)))
        return -EINVAL;
    o.window_clamp = value ? max_u32((uint32_t)value, WINDOW_CLAMP_MIN) : 0;
    sockopt_put_tcp(s, &o);
    return 0;
}

static int get_quickack(struct sock *s)
{
    return s->tcb ? tcp_quickack(s->tcb) : !s->options.lazy_ack;
}

static int set_quickack(struct sock *s, int value)
{
    struct tcp_options o = sockopt_tcp_of(s);
    o.lazy_ack = value == 0;
    sockopt_put_tcp(s, &o);
    if (s->tcb)
        tcp_set_quickack(s->tcb, value != 0);
    return 0;
}

static int get_user_timeout(struct sock *s)
{
    return (int)(sockopt_tcp_of(s).user_timeout / USEC_PER_MS);
}

static int set_user_timeout(struct sock *s, int value)
{
    struct tcp_options o = sockopt_tcp_of(s);
    if (value < 0)
        return -EINVAL;
    o.user_timeout = value * USEC_PER_MS;
    sockopt_put_tcp(s, &o);
    return 0;
}

static int get_notsent_lowat(struct sock *s)
{
    return (int)sockopt_tcp_of(s).notsent_lowat;
}

static int set_notsent_lowat(struct sock *s, int value)
{
    struct tcp_options o = sockopt_tcp_of(s);
    o.notsent_lowat = (uint32_t)value;
    sockopt_put_tcp(s, &o);
    return 0;
}

/* Has it neither connected nor begun to? */
static bool unconnected(const struct sock *s)
{
    return !s->tcb || tcp_state_of(s->tcb) == TCPS_CLOSED;
}

static int get_fastopen(struct sock *s)
{
    return (int)sockopt_tcp_of(s).fastopen;
}

static int set_fastopen(struct sock *s, int value)
{
    struct tcp_options o = sockopt_tcp_of(s);
    if (value < 0 || !unconnected(s))
        return -EINVAL;
    o.fastopen = min_u32((uint32_t)value, s->socks->tcp->config.somaxconn);
    sockopt_put_tcp(s, &o);
    return 0;
}

static int get_fastopen_connect(struct sock *s)
{
    return s->fastopen_connect;
}

static int set_fastopen_connect(struct sock *s, int value)
{
    if (value < 0 || value > 1)
        return -EINVAL;
    if (!(s->socks->tcp->config.fastopen & FASTOPEN_CLIENT))
        return -EOPNOTSUPP;
    if (!unconnected(s) || s->listener)
        return -EINVAL;
    s->fastopen_connect = value;
    return 0;
}

static int get_fastopen_no_cookie(struct sock *s)
{
    return sockopt_tcp_of(s).fastopen_no_cookie;
}

static int set_fastopen_no_cookie(struct sock *s, int value)
{
    struct tcp_options o = sockopt_tcp_of(s);
    if (value < 0 || value > 1 || !unconnected(s))
        return -EINVAL;
    o.fastopen_no_cookie = value;
    sockopt_put_tcp(s, &o);
    return 0;
}

static int get_fastopen_key(struct sock *s, void *value, size_t *len)
{
    uint8_t bytes[FASTOPEN_KEY_LEN * FASTOPEN_KEYS];
    struct tcp_fastopen_keys keys = sockopt_tcp_of(s).fastopen_keys;
    if (!keys.n)
        keys = s->socks->tcp->config.fastopen_keys;
    return sockopt_give(bytes, tcp_fastopen_write_keys(&keys, bytes), value, len);
}

static int set_fastopen_key(struct sock *s, const void *value, size_t len)
{
    struct tcp_options o = sockopt_tcp_of(s);
    if (!tcp_fastopen_read_keys(&o.fastopen_keys, value, len))
        return -EINVAL;
    sockopt_put_tcp(s, &o);
    return 0;
}

static int get_inq(struct sock *s)
{
    return s->tell_inq;
}

static int set_inq(struct sock *s, int value)
{
    if (value < 0 || value > 1)
        return -EINVAL;
    s->tell_inq = value;
    return 0;
}

/* As on Linux Reno and CUBIC have nothing to tell, which is no error. */
static int get_cc_info(struct sock *s, void *value, size_t *len)
{
    (void)s;
    (void)value;
    *len = 0;
    return 0;
}

static int get_congestion(struct sock *s, void *value, size_t *len)
{
    char name[CC_NAME_MAX] = { 0 };
    strncpy(name, sockopt_tcp_of(s).cc->name, sizeof name - 1);
    return sockopt_give(name, sizeof name, value, len);
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
    struct tcp_options o = sockopt_tcp_of(s);
    o.cc = cc;
    sockopt_put_tcp(s, &o);
    return 0;
}

/* Without a connection only the state is known, and of a listener how many wait. */
static int get_info(struct sock *s, void *value, size_t *len)
{
    uint8_t info[INFO_MAX] = { 0 };
    if (s->tcb) {
        size_t size = tcp_info(s->tcb, info, sizeof info);
        return sockopt_give(info, size, value, len);
    }
    info[INFO_STATE] = s->listener ? TCPS_LISTEN : TCPS_CLOSED;
    uint32_t waiting = s->listener ? (uint32_t)tcp_acceptable(s->listener) : 0;
    memcpy(info + INFO_UNACKED, &waiting, sizeof waiting);
    return sockopt_give(info, INFO_UNACKED + sizeof waiting, value, len);
}

/* clang-format off */
static const struct sockopt options[] = {
    NUMBER(NODELAY, get_nodelay, set_nodelay, 0, 0),
    NUMBER(CORK, get_cork, set_cork, 0, 0),
    NUMBER(MAXSEG, get_maxseg, set_maxseg, 0, 0),
    NUMBER(KEEPIDLE, get_keepidle, set_keepidle, 1, KEEP_SEC_MAX),
    NUMBER(KEEPINTVL, get_keepintvl, set_keepintvl, 1, KEEP_SEC_MAX),
    NUMBER(KEEPCNT, get_keepcnt, set_keepcnt, 1, KEEPCNT_MAX),
    NUMBER(SYNCNT, get_syncnt, set_syncnt, 1, SYNCNT_MAX),
    NUMBER(LINGER2, get_linger2, set_linger2, 0, 0),
    NUMBER(DEFER_ACCEPT, get_defer_accept, set_defer_accept, 0, 0),
    NUMBER(WINDOW_CLAMP, get_window_clamp, set_window_clamp, 0, 0),
    NUMBER(QUICKACK, get_quickack, set_quickack, 0, 0),
    NUMBER(USER_TIMEOUT, get_user_timeout, set_user_timeout, 0, 0),
    NUMBER(NOTSENT_LOWAT, get_notsent_lowat, set_notsent_lowat, 0, 0),
    NUMBER(FASTOPEN, get_fastopen, set_fastopen, 0, 0),
    NUMBER(FASTOPEN_CONNECT, get_fastopen_connect, set_fastopen_connect, 0, 0),
    NUMBER(FASTOPEN_NO_COOKIE, get_fastopen_no_cookie, set_fastopen_no_cookie, 0, 0),
    NUMBER(INQ, get_inq, set_inq, 0, 0),
    BYTES(CC_INFO, get_cc_info, NULL),
    BYTES(FASTOPEN_KEY, get_fastopen_key, set_fastopen_key),
    BYTES(INFO, get_info, NULL),
    BYTES(CONGESTION, get_congestion, set_congestion),
};
/* clang-format on */

struct sockopt_table sockopt_tcp(void)
{
    return (struct sockopt_table){ options, ARRAY_LEN(options) };
}
