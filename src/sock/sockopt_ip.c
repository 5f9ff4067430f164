/* The options of IPPROTO_IP: how a socket's packets are sent. TCP's connection has its
 * own copy, a UDP port too. */
#include "sock/sockopt.h"

#include <errno.h>

#include "base/bytes.h"
#include "wire/ip4_wire.h"

enum {
    OPT_TOS = 1,
    OPT_TTL = 2,
    OPT_OPTIONS = 4,
    OPT_RECVOPTS = 6,
    OPT_PKTINFO = 8,
    OPT_MTU_DISCOVER = 10,
    OPT_RECVTTL = 12,
    OPT_RECVTOS = 13,
    OPT_MTU = 14,
};

static struct ip_options ip_of(const struct sock *s)
{
    return s->udp ? s->udp->ip : sockopt_tcp_of(s).ip;
}

static void put_ip(struct sock *s, struct ip_options ip)
{
    struct tcp_options o = sockopt_tcp_of(s);
    o.ip = ip;
    sockopt_put_tcp(s, &o);
    if (s->udp)
        s->udp->ip = ip;
}

static int get_tos(struct sock *s)
{
    return ip_of(s).tos;
}

/* RFC 9293 s3.9.1.9 (MUST-48, SHLD-21). As Linux: the bits of ECN (RFC 3168 s5) in it
 * are TCP's own business. */
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

/* RFC 9293 s3.9.2 (MUST-49). -1: the stack's default again. */
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

/* What recvmsg() is to tell of a datagram's header. A stream has none, and as on Linux
 * may ask in vain. */
static int get_pktinfo(struct sock *s)
{
    return s->tell_info;
}

static int set_pktinfo(struct sock *s, int value)
{
    s->tell_info = value != 0;
    return 0;
}

static int get_recvttl(struct sock *s)
{
    return s->tell_ttl;
}

static int set_recvttl(struct sock *s, int value)
{
    s->tell_ttl = value != 0;
    return 0;
}

static int get_recvtos(struct sock *s)
{
    return s->tell_tos;
}

static int set_recvtos(struct sock *s, int value)
{
    s->tell_tos = value != 0;
    return 0;
}

static int get_recvopts(struct sock *s)
{
    return s->tell_options;
}

static int set_recvopts(struct sock *s, int value)
{
    s->tell_options = value != 0;
    return 0;
}

/* RFC 1122 s3.2.1.8 (MUST-ip-options-send), s4.1.3.2 (MUST-udp-options-send). As Linux:
 * what is set is filled up with zeros, and no bytes are no options. */
static int set_options(struct sock *s, const void *value, size_t len)
{
    struct ip_options ip = ip_of(s);
    int n = ip4_options_read(value, len, ip.list);
    if (n < 0)
        return n;
    ip.n_list = (uint8_t)n;
    put_ip(s, ip);
    return 0;
}

static int get_options(struct sock *s, void *value, size_t *len)
{
    struct ip_options ip = ip_of(s);
    return sockopt_give(ip.list, ip.n_list, value, len);
}

/* Of the path to the peer, which there must be. */
static int get_mtu(struct sock *s, void *value, size_t *len)
{
    struct sock_name peer;
    int err = sock_peer(s, &peer);
    if (err < 0)
        return err;
    int mtu = ip_path_mtu(s->socks->net, peer.addr);
    return sockopt_give(&mtu, sizeof mtu, value, len);
}

/* clang-format off */
static const struct sockopt options[] = {
    NUMBER(TOS, get_tos, set_tos, 0, 255),
    NUMBER(TTL, get_ttl, set_ttl, -1, 255),
    NUMBER(MTU_DISCOVER, get_mtu_discover, set_mtu_discover, 0, IP_DF_PROBE),
    NUMBER(PKTINFO, get_pktinfo, set_pktinfo, 0, 0),
    NUMBER(RECVTTL, get_recvttl, set_recvttl, 0, 0),
    NUMBER(RECVTOS, get_recvtos, set_recvtos, 0, 0),
    NUMBER(RECVOPTS, get_recvopts, set_recvopts, 0, 0),
    BYTES(OPTIONS, get_options, set_options),
    BYTES(MTU, get_mtu, NULL),
};
/* clang-format on */

struct sockopt_table sockopt_ip(void)
{
    return (struct sockopt_table){ options, ARRAY_LEN(options) };
}
