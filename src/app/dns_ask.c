/* The UDP socket is connected: the stack passes up only what comes from the server's
 * address and port to the port that this question alone has, and an ICMP error becomes
 * the call's. What remains to be checked is the id and that the question came back
 * (RFC 5452 s9.1). A datagram that fails there is not an error but a stranger's: the
 * wait for the answer goes on, until the same deadline.
 *
 * By TCP each message stands behind its length, two bytes (RFC 1035 s4.2.2). */
#include "app/dns_ask.h"

#include <errno.h>

#include "app/dial.h"
#include "base/bytes.h"
#include "tapir/socket.h"

static int connect_fd(int fd, const struct dns_reply *reply, usec deadline)
{
    const union endpoint *to = &reply->server;
    int err = 0;
    socklen_t len = sizeof err;

    if (tapir_connect(fd, &to->any, endpoint_len(to)) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return -errno;
    err = dial_wait(fd, POLLOUT, deadline);
    if (err < 0)
        return err;
    if (tapir_getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0)
        return -errno;
    return -err;
}

/* A connected descriptor, non-blocking; the caller closes it. */
static int open_fd(const struct dns_reply *reply, int type, usec deadline)
{
    int fd = tapir_socket(reply->server.any.sa_family,
                          type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int err = fd < 0 ? -errno : connect_fd(fd, reply, deadline);

    if (fd >= 0 && err < 0)
        tapir_close(fd);
    return err < 0 ? err : fd;
}

/* Reads all n bytes (a datagram: what it has). Bytes; -EPIPE at the end of the stream;
 * -ETIME; negative errno. */
static ssize_t receive(int fd, uint8_t *at, size_t n, usec deadline)
{
    for (;;) {
        ssize_t got = tapir_recv(fd, at, n, 0);
        if (got >= 0)
            return got;
        if (errno != EAGAIN && errno != EINTR)
            return -errno;
        int err = dial_wait(fd, POLLIN, deadline);
        if (err < 0)
            return err;
    }
}

static int receive_whole(int fd, uint8_t *at, size_t n, usec deadline)
{
    while (n > 0) {
        ssize_t got = receive(fd, at, n, deadline);
        if (got == 0)
            return -EPIPE;
        if (got < 0)
            return (int)got;
        at += got;
        n -= (size_t)got;
    }
    return 0;
}

/* A query is small: it goes at once, or something is wrong. */
static int send_query(int fd, const uint8_t *at, size_t n)
{
    ssize_t sent = tapir_send(fd, at, n, MSG_NOSIGNAL);

    if (sent < 0)
        return -errno;
    return (size_t)sent == n ? 0 : -EIO;
}

static bool take_reply(const struct dns_query *query, struct dns_reply *reply, size_t n)
{
    return dns_parse(reply->at, n, &reply->message) == 0 &&
           dns_answers(&reply->message, query->id, query->question);
}

static int udp_exchange(int fd, const struct dns_query *query, struct dns_reply *reply)
{
    uint8_t text[DNS_QUERY_MAX];
    size_t n = dns_write_query(text, query->id, query->question, query->edns);
    int err = send_query(fd, text, n);

    while (err == 0) {
        ssize_t got = receive(fd, reply->at, sizeof reply->at, query->deadline);
        if (got < 0)
            return (int)got;
        if (take_reply(query, reply, (size_t)got))
            return 0;
        reply->strange++;
        if (query->deadline <= tapir_now())
            err = -ETIME;
    }
    return err;
}

int dns_ask_udp(const struct dns_query *query, struct dns_reply *reply)
{
    int fd = open_fd(reply, SOCK_DGRAM, query->deadline), err;

    if (fd < 0)
        return fd;
    reply->tcp = false;
    err = udp_exchange(fd, query, reply);
    tapir_close(fd);
    return err;
}

static int tcp_exchange(int fd, const struct dns_query *query, struct dns_reply *reply)
{
    uint8_t text[2 + DNS_QUERY_MAX];
    size_t n = dns_write_query(text + 2, query->id, query->question, query->edns);
    int err;

    /* RFC 7766 s8: length and message in one segment. */
    put16(text, (uint16_t)n);
    if ((err = send_query(fd, text, n + 2)) < 0 ||
        (err = receive_whole(fd, text, 2, query->deadline)) < 0)
        return err;
    n = get16(text);
    err = receive_whole(fd, reply->at, n, query->deadline);
    if (err < 0)
        return err;
    return take_reply(query, reply, n) && !reply->message.cut ? 0 : -EBADMSG;
}

int dns_ask_tcp(const struct dns_query *query, struct dns_reply *reply)
{
    int fd = open_fd(reply, SOCK_STREAM, query->deadline), err;

    if (fd < 0)
        return fd;
    reply->tcp = true;
    err = tcp_exchange(fd, query, reply);
    tapir_close(fd);
    return err;
}
