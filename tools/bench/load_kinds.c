/* What a connection does. Those that ask send their question whole (it is small and the
 * send buffer is empty), read until the answer is complete, and ask again:
 *
 *   get      GET on a kept connection       connect  GET, Connection: close, reopen
 *   echo     bytes that come back           kept     one GET, then silence
 *   idle     silence from the start
 *
 * Flows move what they can, a few buffers a turn. A sender's bytes count when the peer
 * has acknowledged them. */
#include "load.h"

#include <errno.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "answer.h"
#include "bench.h"

enum { TURN = 4 };

static bool again(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/* --- questions --- */

static bool send_whole(struct load *l, struct load_conn *c, const char *text,
                       size_t len)
{
    ssize_t n = send(c->fd, text, len, MSG_NOSIGNAL);
    if (n < 0)
        return load_broke(l, "cannot ask", errno);
    return (size_t)n == len || load_broke(l, "a question did not fit", 0);
}

static bool ask_file(struct load *l, struct load_conn *c)
{
    c->in_body = false;
    c->head_len = 0;
    return send_whole(l, c, l->question, l->question_len);
}

static bool get_begin(struct load *l, struct load_conn *c)
{
    c->asked = bench_now();
    return ask_file(l, c);
}

/* The first n bytes of the buffer, up to the end of the head. False: no answer. */
static bool take_head(struct load *l, struct load_conn *c, size_t n, size_t *used)
{
    struct answer a;
    size_t before = c->head_len;
    size_t take = n < LOAD_HEAD - before ? n : LOAD_HEAD - before;

    memcpy(c->head + before, l->buffer, take);
    c->head_len += take;
    int len = answer_parse(c->head, c->head_len, &a);
    if (len < 0 || (len == 0 && c->head_len == LOAD_HEAD))
        return load_broke(l, "that was no HTTP answer with a Content-Length", 0);
    if (len > 0 && a.status != 200)
        return load_broke(l, "the answer was not 200", 0);
    *used = len == 0 ? take : (size_t)len - before;
    if (len > 0) {
        c->in_body = true;
        c->left = a.length;
    }
    return true;
}

/* Takes n bytes of the buffer; *whole: the answer is complete with them. */
static bool take_answer(struct load *l, struct load_conn *c, size_t n, bool *whole)
{
    size_t used = 0;

    if (!c->in_body && !take_head(l, c, n, &used))
        return false;
    n -= used;
    if (n > c->left || (n && !c->in_body))
        return load_broke(l, "more came than was asked", 0);
    c->left -= n;
    c->bytes += n;
    *whole = c->in_body && c->left == 0;
    return true;
}

/* Reads once. 1: the answer is complete, 0: not yet, -1: broken; *end: the peer closed.
 */
static int read_answer(struct load *l, struct load_conn *c, bool *end)
{
    bool whole = false;
    ssize_t n = read(c->fd, l->buffer, LOAD_BUFFER);

    *end = n == 0;
    if (n < 0 && again())
        return 0;
    if (n < 0)
        load_broke(l, "the connection broke", errno);
    if (n <= 0)
        return n < 0 ? -1 : 0;
    return take_answer(l, c, (size_t)n, &whole) ? whole : -1;
}

static bool get_turn(struct load *l, struct load_conn *c)
{
    bool end;
    int got = read_answer(l, c, &end);
    if (end)
        return load_broke(l, "the server closed a kept connection", 0);
    return got <= 0 ? got == 0 : load_answered(l, c) && get_begin(l, c);
}

/* The server closes first, so that TIME-WAIT is on its side and we do not run out of
 * ports; an answer counts when its connection has ended. */
static bool connect_turn(struct load *l, struct load_conn *c)
{
    bool end;
    if (read_answer(l, c, &end) < 0)
        return false;
    if (!end)
        return true;
    if (!c->in_body || c->left)
        return load_broke(l, "the server closed too early", 0);
    return load_answered(l, c) && load_reopen(l, c);
}

static bool kept_turn(struct load *l, struct load_conn *c)
{
    bool end;
    int got = read_answer(l, c, &end);
    if (end)
        return load_broke(l, "the server closed a kept connection", 0);
    return got <= 0 ? got == 0 : load_answered(l, c);
}

/* --- silence --- */

static bool idle_begin(struct load *l, struct load_conn *c)
{
    return load_answered(l, c);
}

static bool idle_turn(struct load *l, struct load_conn *c)
{
    (void)c;
    return load_broke(l, "the server spoke to or closed an idle connection", 0);
}

/* --- echo --- */

static bool echo_begin(struct load *l, struct load_conn *c)
{
    c->asked = bench_now();
    c->left = l->size;
    return send_whole(l, c, l->buffer, l->size);
}

static bool echo_turn(struct load *l, struct load_conn *c)
{
    ssize_t n = read(c->fd, l->buffer, c->left);
    if (n < 0 && again())
        return true;
    if (n <= 0)
        return load_broke(l, "the echo ended", n < 0 ? errno : 0);
    c->left -= (uint64_t)n;
    c->bytes += (uint64_t)n;
    return c->left ? true : load_answered(l, c) && echo_begin(l, c);
}

/* --- flows --- */

static bool flow_begin(struct load *l, struct load_conn *c)
{
    (void)l;
    (void)c;
    return true;
}

static bool send_turn(struct load *l, struct load_conn *c)
{
    for (int i = 0; i < TURN; i++) {
        ssize_t n = send(c->fd, l->buffer, LOAD_BUFFER, MSG_NOSIGNAL);
        if (n < 0)
            return again() || load_broke(l, "the flow ended", errno);
        c->bytes += (uint64_t)n;
    }
    return true;
}

static bool recv_turn(struct load *l, struct load_conn *c)
{
    for (int i = 0; i < TURN; i++) {
        ssize_t n = read(c->fd, l->buffer, LOAD_BUFFER);
        if (n < 0 && again())
            return true;
        if (n <= 0)
            return load_broke(l, "the flow ended", n < 0 ? errno : 0);
        c->bytes += (uint64_t)n;
    }
    return true;
}

static uint64_t sent_moved(const struct load_conn *c)
{
    int unacknowledged = 0;
    if (ioctl(c->fd, SIOCOUTQ, &unacknowledged) < 0)
        return c->bytes;
    return c->bytes - (uint64_t)unacknowledged;
}

const struct load_kind load_kinds[] = {
    { "get", "GET on kept connections", LOAD_ANSWERS, EPOLLIN, get_begin, get_turn,
      NULL },
    { "connect", "a connection for each GET", LOAD_ANSWERS, EPOLLIN, ask_file,
      connect_turn, NULL },
    { "echo", "bytes that come back", LOAD_ANSWERS, EPOLLIN, echo_begin, echo_turn,
      NULL },
    { "send", "bytes to a peer that discards", LOAD_FLOW, EPOLLOUT, flow_begin,
      send_turn, sent_moved },
    { "recv", "bytes from a peer that sends", LOAD_FLOW, EPOLLIN, flow_begin, recv_turn,
      NULL },
    { "idle", "connections that ask nothing", LOAD_HOLD, EPOLLIN, idle_begin, idle_turn,
      NULL },
    { "kept", "connections after one GET", LOAD_HOLD, EPOLLIN, get_begin, kept_turn,
      NULL },
    { 0 },
};
