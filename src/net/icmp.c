/* ICMP.
 *
 *     echo               answered here, in the packet it came in
 *     echo reply         handed up: an echo socket may wait for it
 *     unreachable, time exceeded, parameter problem
 *                        become a struct net_error, once the packet that they quote is
 *                        seen to be one of ours; the transport it names decides
 *     redirect           as those, if it comes from whom it may come from (redirect.c)
 *     source quench      ignored (RFC 6633 s3)
 *     all else           counted and dropped
 *
 * Errors that we owe are sent from a bucket: icmp_msgs_burst at once, refilled with
 * icmp_msgs_per_sec (RFC 1812 s4.3.2.8). What an answer may quote grows until it is 576
 * bytes long (RFC 1812 s4.3.2.3). */
#include "net/icmp.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "net/net.h"
#include "wire/icmp_wire.h"
#include "wire/ip4_wire.h"

enum {
    ERROR_LEN_MAX = 576, /* an error with its IP header, bytes */
    QUOTE_MIN = 8,       /* RFC 792: bytes behind the quoted IP header */
    REDIRECT_CODES = 4,  /* RFC 792: for a network or host, with or without its TOS */
    ECHO_MAX = 65535 - IP4_LEN - ICMP_LEN,
};

/* What Linux makes of each code of destination unreachable. */
static const struct {
    int error;
    bool hard;
} unreachable[] = {
    { -ENETUNREACH, false },  /* 0 network */
    { -EHOSTUNREACH, false }, /* 1 host */
    { -ENOPROTOOPT, true },   /* 2 protocol */
    { -ECONNREFUSED, true },  /* 3 port */
    { -EMSGSIZE, false },     /* 4 fragmentation needed */
    { -EOPNOTSUPP, false },   /* 5 source route failed */
    { -ENETUNREACH, true },   /* 6 network unknown */
    { -EHOSTDOWN, true },     /* 7 host unknown */
    { -ENONET, true },        /* 8 source host isolated */
    { -ENETUNREACH, true },   /* 9 network prohibited */
    { -EHOSTUNREACH, true },  /* 10 host prohibited */
    { -ENETUNREACH, false },  /* 11 network, for this type of service */
    { -EHOSTUNREACH, false }, /* 12 host, for this type of service */
    { -EHOSTUNREACH, true },  /* 13 filtered */
    { -EHOSTUNREACH, true },  /* 14 precedence violation */
    { -EHOSTUNREACH, true },  /* 15 precedence cutoff */
};

static int send_counted(struct net *net, const struct ip_out *how, struct pkt *p)
{
    count(&net->count, COUNT_IcmpOutMsgs);
    return ip_output(net, how, p);
}

/* As send_counted(), for messages that nobody would send again. */
static void send_or_lose(struct net *net, const struct ip_out *how, struct pkt *p)
{
    if (send_counted(net, how, p) == -EAGAIN)
        net_drop(net, NULL, DROP_LINK_BUSY);
}

/* RFC 1122 s3.2.2.6: same data (MUST-icmp-echo-data), source and destination exchanged
 * (MUST-icmp-echo-source). Options of the request are not returned (deviates: it SHOULD
 * update Record Route and Timestamp, which RFC 7126 s4.5, s4.7 advise to drop). Takes
 * p. */
static void answer_echo(struct net *net, const struct ip_info *ip,
                        const struct icmp *echo, struct pkt *p)
{
    struct icmp reply = { .type = ICMP_ECHO_REPLY, .id = echo->id, .seq = echo->seq };
    struct ip_out how = { .src = ip->dst,
                          .dst = ip->src,
                          .proto = IP_PROTO_ICMP,
                          .opt = ip_options_default(net) };

    how.opt.tos = ip->tos & (uint8_t)~IP_ECN_MASK;
    count(&net->count, COUNT_IcmpInEchos);
    /* RFC 1122 s3.2.2.6 lets a broadcast echo be ignored: answers would help to
     * flood a forged source. */
    if (net->config.icmp_echo_ignore_all || ip->broadcast) {
        net_drop(net, p, DROP_ICMP_TYPE);
        return;
    }
    icmp_emit(p->data, p->len, &reply);
    p->csum = PKT_CSUM_FULL;
    p->gso_size = 0;
    count(&net->count, COUNT_IcmpOutEchoReps);
    send_or_lose(net, &how, p);
}

static void quote_ports(struct net_error *err, const uint8_t *b)
{
    if (err->proto == IP_PROTO_ICMP) {
        err->src_port = get16(b + 4); /* the echo's identifier */
        return;
    }
    err->src_port = get16(b);
    err->dst_port = get16(b + 2);
    if (err->proto == IP_PROTO_TCP)
        err->seq = seq_at(get32(b + 4));
}

/* RFC 1122 s3.2.2 (MUST-icmp-demux). */
bool net_error_quote(struct net_error *err, const uint8_t *b, size_t len)
{
    if (len < IP4_LEN || b[0] >> 4 != 4)
        return false;
    size_t header_len = (b[0] & 15u) * 4;
    if (header_len < IP4_LEN || len < header_len + QUOTE_MIN)
        return false;
    if (get16(b + 6) & 0x1fff) /* a later fragment has no ports */
        return false;
    err->total_len = get16(b + 2);
    err->src = ip4_addr(get32(b + 12));
    err->dst = ip4_addr(get32(b + 16));
    err->proto = b[9];
    quote_ports(err, b + header_len);
    return true;
}

/* Fills what the message says; false for a code that is none. RFC 1122 s3.2.2.1
 * (MUST-icmp-unreachable-up), s3.2.2.4 (MUST-icmp-exceeded-up), s3.2.2.5
 * (MUST-icmp-parameter-up). */
static bool error_meaning(const struct icmp *m, struct net_error *err)
{
    *err = (struct net_error){ .error = -EHOSTUNREACH };
    if (m->type == ICMP_REDIRECT) {
        *err = (struct net_error){ .redirect = true, .gateway = m->gateway };
        return m->code < REDIRECT_CODES;
    }
    if (m->type == ICMP_PARAMETER) {
        err->error = -EPROTO;
        err->hard = true;
    }
    if (m->type != ICMP_UNREACHABLE)
        return true;
    if (m->code >= ARRAY_LEN(unreachable))
        return false;
    err->error = unreachable[m->code].error;
    err->hard = unreachable[m->code].hard;
    err->mtu = m->mtu;
    return true;
}

/* Takes p. */
static enum icmp_found take_error(struct net *net, const struct ip_info *ip,
                                  const struct icmp *m, struct pkt *p,
                                  struct net_error *err)
{
    if (m->type == ICMP_UNREACHABLE)
        count(&net->count, COUNT_IcmpInDestUnreachs);
    if (m->type == ICMP_TIME_EXCEEDED)
        count(&net->count, COUNT_IcmpInTimeExcds);
    if (m->type == ICMP_REDIRECT)
        count(&net->count, COUNT_IcmpInRedirects);
    if (!error_meaning(m, err)) {
        net_drop(net, p, DROP_ICMP_TYPE);
        return ICMP_TAKEN;
    }
    if (!net_error_quote(err, p->data + ICMP_LEN, p->len - ICMP_LEN)) {
        net_drop(net, p, DROP_ICMP_SHORT);
        return ICMP_TAKEN;
    }
    /* The error went to whom the quoted packet says sent it: else it is forged. */
    if (ip->broadcast || !ip_eq(err->src, ip->dst)) {
        net_drop(net, p, DROP_ICMP_QUOTE);
        return ICMP_TAKEN;
    }
    if (err->redirect && !redirect_plausible(net, ip, err)) {
        net_drop(net, p, DROP_ICMP_REDIRECT);
        return ICMP_TAKEN;
    }
    pkt_free(p);
    return ICMP_ERROR;
}

enum icmp_found icmp_input(struct net *net, const struct ip_info *ip, struct pkt *p,
                           struct net_error *err)
{
    struct icmp m;

    count(&net->count, COUNT_IcmpInMsgs);
    int r = icmp_parse(p->data, p->len, &m);
    if (r < 0) {
        net_drop(net, p, (enum drop)(-r - 1));
        return ICMP_TAKEN;
    }
    switch (m.type) {
    case ICMP_ECHO:
        answer_echo(net, ip, &m, p); /* RFC 1122 s3.2.2.6 (MUST-icmp-echo) */
        return ICMP_TAKEN;
    case ICMP_ECHO_REPLY:
        count(&net->count, COUNT_IcmpInEchoReps);
        return ICMP_REPLY; /* RFC 1122 s3.2.2.6 (MUST-icmp-echo-up) */
    case ICMP_UNREACHABLE:
    case ICMP_REDIRECT:
    case ICMP_TIME_EXCEEDED:
    case ICMP_PARAMETER:
        return take_error(net, ip, &m, p, err);
    default: /* RFC 1122 s3.2.2 (MUST-icmp-unknown), s3.2.2.9 (MUST-icmp-mask-no-reply,
              * MUST-icmp-mask-ignored);
              * RFC 9293 s3.9.2.2 (MUST-55) */
        net_drop(net, p, DROP_ICMP_TYPE);
        return ICMP_TAKEN;
    }
}

/* Takes one token from the bucket; false when it is empty. */
static bool take_token(struct net *net)
{
    const struct net_config *config = &net->config;
    usec since = net->now - net->icmp_refilled;

    if (config->icmp_msgs_per_sec == 0)
        return false;
    usec fill = (usec)config->icmp_msgs_burst * USEC_PER_SEC /
                config->icmp_msgs_per_sec;
    if (since >= fill) {
        net->icmp_tokens = config->icmp_msgs_burst;
        net->icmp_refilled = net->now;
    } else {
        usec more = since * config->icmp_msgs_per_sec / USEC_PER_SEC;
        net->icmp_tokens = min_u32(net->icmp_tokens + (uint32_t)more,
                                   config->icmp_msgs_burst);
        net->icmp_refilled += more * USEC_PER_SEC / config->icmp_msgs_per_sec;
    }
    if (net->icmp_tokens == 0)
        return false;
    net->icmp_tokens--;
    return true;
}

/* RFC 1122 s3.2.2: no error about an error (MUST-icmp-not-error), or about what several
 * hosts got (MUST-icmp-not-broadcast). (The source is a single host's, and p no
 * fragment: ip4_input() saw to that.) */
static bool may_answer(const struct ip_info *ip, const struct pkt *p)
{
    if (ip->broadcast)
        return false;
    if (ip->proto != IP_PROTO_ICMP)
        return true;
    return p->len > 0 && (p->data[0] == ICMP_ECHO || p->data[0] == ICMP_ECHO_REPLY);
}

void icmp_send_error(struct net *net, const struct ip_info *ip, const struct pkt *p,
                     uint8_t type, uint8_t code)
{
    struct icmp m = { .type = type, .code = code };
    struct ip_out how = { .src = ip->dst,
                          .dst = ip->src,
                          .proto = IP_PROTO_ICMP,
                          .opt = ip_options_default(net) };
    size_t quote = min_size((size_t)ip->header_len + p->len,
                            ERROR_LEN_MAX - IP4_LEN - ICMP_LEN);

    if (!may_answer(ip, p))
        return;
    if (!take_token(net)) {
        net_drop(net, NULL, DROP_ICMP_RATE);
        return;
    }
    struct pkt *out = pkt_new(&net->pool, ICMP_LEN + quote);
    if (!out) {
        net_drop(net, NULL, DROP_NO_BUFFER);
        return;
    }
    uint8_t *b = pkt_put(out, ICMP_LEN + quote);
    /* RFC 1122 s3.2.2 (MUST-icmp-quote) */
    memcpy(b + ICMP_LEN, p->data - ip->header_len, quote);
    icmp_emit(b, ICMP_LEN + quote, &m);
    if (type == ICMP_UNREACHABLE)
        count(&net->count, COUNT_IcmpOutDestUnreachs);
    send_or_lose(net, &how, out);
}

int icmp_send_echo(struct net *net, const struct ip_out *how, uint16_t id, uint16_t seq,
                   struct piece data)
{
    struct icmp m = { .type = ICMP_ECHO, .id = id, .seq = seq };

    if (data.len > ECHO_MAX)
        return -EMSGSIZE;
    struct pkt *p = pkt_new(&net->pool, ICMP_LEN + data.len);
    if (!p)
        return -ENOBUFS;
    uint8_t *b = pkt_put(p, ICMP_LEN + data.len);
    if (data.len > 0)
        memcpy(b + ICMP_LEN, data.at, data.len);
    icmp_emit(b, ICMP_LEN + data.len, &m);
    count(&net->count, COUNT_IcmpOutEchos);
    return send_counted(net, how, p);
}
