/* Messages: recvmsg(2) and sendmsg(2), with names and control data.
 *
 *     msg_control   | cmsghdr | data | pad | cmsghdr | data | pad | ...
 *
 * Control is of the level IPPROTO_IP and for datagrams: what a header said (IP_PKTINFO,
 * IP_TTL, IP_TOS, IP_RECVOPTS, each only if the socket asked for it) and what the one
 * header is to say; of a stream how much waits behind the message (TCP_INQ), and in the
 * error queue which sends are done (MSG_ZEROCOPY). As on Linux what does not fit is cut
 * (MSG_CTRUNC), what is of another level is not looked at, and what is of this level
 * and not known is EINVAL. Interfaces have Linux's numbers: the loopback is 1. */
#include "edge/bsd.h"

#include <errno.h>
#include <limits.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <string.h>

#include "base/bytes.h"

enum {
    FIRST_INDEX = 1,
    CM_INQ = 36, /* Linux's TCP_CM_INQ, the number of TCP_INQ */
};

/* ---- receiving ---- */

struct kind {
    int level, type;
};

/* As Linux's put_cmsg(): the last one may be cut. */
static void put_control(struct msghdr *msg, size_t *used, struct kind kind,
                        const void *data, size_t len)
{
    struct cmsghdr h = { .cmsg_len = CMSG_LEN(len),
                         .cmsg_level = kind.level,
                         .cmsg_type = kind.type };
    size_t room = msg->msg_control ? msg->msg_controllen - *used : 0;
    uint8_t *at = (uint8_t *)msg->msg_control + *used;

    if (room < sizeof h) {
        msg->msg_flags |= MSG_CTRUNC;
        return;
    }
    if (room < h.cmsg_len) {
        msg->msg_flags |= MSG_CTRUNC;
        h.cmsg_len = room;
    }
    memcpy(at, &h, sizeof h);
    memcpy(at + CMSG_LEN(0), data, h.cmsg_len - CMSG_LEN(0));
    *used += min_size(CMSG_SPACE(len), room);
}

static void put_info(struct msghdr *msg, size_t *used, const struct ip_heard *ip)
{
    struct in_pktinfo info = { .ipi_ifindex = ip->nif + FIRST_INDEX };

    put32((uint8_t *)&info.ipi_addr, ip4_num(ip->dst));
    put32((uint8_t *)&info.ipi_spec_dst, ip4_num(ip->local));
    put_control(msg, used, (struct kind){ IPPROTO_IP, IP_PKTINFO }, &info, sizeof info);
}

/* tcp(7): what waits now; 1 also where nothing does but the stream's end. */
static void put_inq(const struct sock *s, struct msghdr *msg, size_t *used)
{
    size_t waiting = 0;
    int hint;

    if (sock_queued(s, SOCK_QUEUE_IN, &waiting) < 0)
        return;
    hint = (int)min_size(waiting, INT_MAX);
    if (hint == 0 && sock_receive_over(s))
        hint = 1;
    put_control(msg, used, (struct kind){ IPPROTO_TCP, CM_INQ }, &hint, sizeof hint);
}

/* MSG_ZEROCOPY: these sends are done, by copying. As Linux: an error that is none, and
 * nobody's address behind it. */
static void put_report(const struct receive *r, struct msghdr *msg, size_t *used)
{
    struct {
        struct sock_extended_err e;
        struct sockaddr_in offender;
    } report = { .e = { .ee_origin = SO_EE_ORIGIN_ZEROCOPY,
                        .ee_code = SO_EE_CODE_ZEROCOPY_COPIED,
                        .ee_info = r->first,
                        .ee_data = r->last } };

    put_control(msg, used, (struct kind){ IPPROTO_IP, IP_RECVERR }, &report,
                sizeof report);
}

/* In Linux's order, whatever order they were asked for in. */
static void give_control(const struct sock *s, const struct receive *r,
                         struct msghdr *msg)
{
    const struct sock_message *got = &r->got;
    int ttl = got->ip.ttl;
    size_t used = 0;

    if (got->datagram && s->tell_info)
        put_info(msg, &used, &got->ip);
    if (got->datagram && s->tell_ttl)
        put_control(msg, &used, (struct kind){ IPPROTO_IP, IP_TTL }, &ttl, sizeof ttl);
    if (got->datagram && s->tell_tos)
        put_control(msg, &used, (struct kind){ IPPROTO_IP, IP_TOS }, &got->ip.tos,
                    sizeof got->ip.tos);
    if (got->datagram && s->tell_options && got->ip.n_list)
        put_control(msg, &used, (struct kind){ IPPROTO_IP, IP_RECVOPTS }, got->ip.list,
                    got->ip.n_list);
    if (r->report)
        put_report(r, msg, &used);
    else if (!got->datagram && s->tell_inq)
        put_inq(s, msg, &used);
    msg->msg_controllen = used;
}

static void give_message(const struct sock *s, const struct receive *r,
                         struct msghdr *msg)
{
    msg->msg_flags = r->flags & MSG_CMSG_CLOEXEC;
    if (r->got.cut)
        msg->msg_flags |= MSG_TRUNC;
    if (!r->got.datagram)
        msg->msg_namelen = 0;
    else if (msg->msg_name)
        addr_out(&r->got.from, msg->msg_name, &msg->msg_namelen);
    if (r->report)
        msg->msg_flags |= MSG_ERRQUEUE;
    give_control(s, r, msg);
}

/* 0, or what Linux says of a message that cannot be one. */
static int check_message(const struct msghdr *msg, size_t *total)
{
    if (!msg)
        return -EFAULT;
    if (msg->msg_iovlen > IOV_MAX)
        return -EMSGSIZE;
    if (msg->msg_namelen > INT_MAX)
        return -EINVAL;
    return iov_check(msg->msg_iov, msg->msg_iovlen, total);
}

ssize_t tapir_recvmsg(int fd, struct msghdr *msg, int flags)
{
    struct call c;
    struct receive want = { .flags = flags };
    ssize_t r = call_enter(&c, fd, CALL_RECEIVE);

    if (r)
        return r > 0 ? recvmsg(fd, msg, flags) : bsd_result(r);
    r = check_message(msg, &want.total);
    call_say(&c, "recvmsg(%d, %zu)", fd, want.total);
    if (r == 0) {
        want.iov = msg->msg_iov;
        want.n = msg->msg_iovlen;
        r = receive_wait(&c, &want);
        if (r >= 0)
            give_message(c.sock, &want, msg);
    }
    return call_leave(&c, r);
}

/* ---- sending ---- */

static int take_ttl(const void *data, size_t len, struct ip_ask *ask)
{
    if (len != sizeof(int))
        return -EINVAL;
    memcpy(&ask->ttl, data, sizeof(int));
    return ask->ttl < 1 || ask->ttl > UINT8_MAX ? -EINVAL : 0;
}

static int take_tos(const void *data, size_t len, struct ip_ask *ask)
{
    if (len == sizeof(int))
        memcpy(&ask->tos, data, sizeof(int));
    else if (len == 1)
        ask->tos = *(const uint8_t *)data;
    else
        return -EINVAL;
    return ask->tos < 0 || ask->tos > UINT8_MAX ? -EINVAL : 0;
}

static int take_info(const void *data, size_t len, struct ip_ask *ask)
{
    struct in_pktinfo info;

    if (len != sizeof info)
        return -EINVAL;
    memcpy(&info, data, sizeof info);
    if (info.ipi_ifindex < 0)
        return -ENODEV;
    if (info.ipi_ifindex > 0)
        ask->nif = info.ipi_ifindex - FIRST_INDEX;
    ask->src = ip4_addr(get32((const uint8_t *)&info.ipi_spec_dst));
    return 0;
}

static int take_one(const struct cmsghdr *h, const void *data, bool stream,
                    struct ip_ask *ask)
{
    size_t len = h->cmsg_len - CMSG_LEN(0);

    if (h->cmsg_level == SOL_SOCKET)
        return -EINVAL;
    if (h->cmsg_level != IPPROTO_IP || stream)
        return 0;
    switch (h->cmsg_type) {
    case IP_TTL:
        return take_ttl(data, len, ask);
    case IP_TOS:
        return take_tos(data, len, ask);
    case IP_PKTINFO:
        return take_info(data, len, ask);
    default:
        return -EINVAL;
    }
}

static int take_control(const struct msghdr *msg, bool stream, struct ip_ask *ask)
{
    const uint8_t *at = msg->msg_control;
    size_t left = at ? msg->msg_controllen : 0;
    struct cmsghdr h;
    int r = 0;

    while (r == 0 && left >= sizeof h) {
        memcpy(&h, at, sizeof h);
        if (h.cmsg_len < sizeof h || h.cmsg_len > left)
            return -EINVAL;
        r = take_one(&h, at + CMSG_LEN(0), stream, ask);
        size_t whole = min_size(CMSG_ALIGN(h.cmsg_len), left);
        at += whole;
        left -= whole;
    }
    return r;
}

static ssize_t send_message(struct call *c, const struct msghdr *msg, int flags)
{
    bool stream = c->sock->kind == SOCK_KIND_TCP;
    struct ip_ask ask = { .src = ip_any4, .nif = -1, .tos = -1, .ttl = -1 };
    struct sock_name to;
    struct send s = {
        .iov = msg->msg_iov, .n = msg->msg_iovlen, .flags = flags, .ip = &ask
    };
    int r = take_control(msg, stream, &ask);

    /* A connected stream ignores the address (POSIX allows EISCONN or this). */
    bool named = !stream || (flags & MSG_FASTOPEN);
    if (r == 0 && named && msg->msg_name && msg->msg_namelen) {
        r = addr_in(msg->msg_name, msg->msg_namelen, &to);
        s.to = &to;
    }
    return r < 0 ? r : send_checked(c, &s);
}

ssize_t tapir_sendmsg(int fd, const struct msghdr *msg, int flags)
{
    struct call c;
    size_t total = 0;
    ssize_t r = call_enter(&c, fd, CALL_SEND);

    if (r)
        return r > 0 ? sendmsg(fd, msg, flags) : bsd_result(r);
    r = check_message(msg, &total);
    call_say(&c, "sendmsg(%d, %zu)", fd, total);
    if (r == 0)
        r = send_message(&c, msg, flags);
    return call_leave(&c, r);
}
