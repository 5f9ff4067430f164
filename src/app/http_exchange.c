/* Sending and reading go on at once: a server may answer before it has read all of a
 * body, and one that sends back what it gets would else wait for us while we wait for
 * it. In turn: what the buffer has is taken, what can go is sent, what has come is
 * received; where nothing moves, we wait for either.
 *
 * Before a large body, the request asks whether it is welcome, and waits a second for
 * the answer, no longer (RFC 9110 s10.1.1). A final answer that says no ends the
 * sending, with or without that wait (RFC 9112 s9.5); the connection is closed then,
 * since the server cannot know where the next request would begin.
 *
 * A connection that cannot be sent on may still have the answer that says why: sending
 * ends there, and reading goes on until it ends as well. */
#include "app/http_exchange.h"

#include <errno.h>
#include <linux/tcp.h> /* libc's knows less */
#include <netinet/in.h>
#include <poll.h>
#include <string.h>

#include "app/dial.h"
#include "app/http_reading.h"
#include "base/bytes.h"

enum { WAIT_FOR_100 = 1000000 }; /* microseconds */

/* --- TCP's figures --------------------------------------------------------------- */

static void note_tcp(struct http_fetch *f)
{
    struct tapir_http_tcp *tcp = &f->result->tcp;
    struct tcp_info_room {
        struct tcp_info known;
        char later[256]; /* a kernel may have more than our headers know */
    } room = { .known.tcpi_state = 0 };
    const struct tcp_info *i = &room.known;
    socklen_t len = sizeof room;

    if (tapir_getsockopt(f->conn->fd, IPPROTO_TCP, TCP_INFO, &room, &len) < 0)
        return;
    tcp->state = i->tcpi_state;
    tcp->srtt = i->tcpi_rtt;
    tcp->rttvar = i->tcpi_rttvar;
    tcp->rto = i->tcpi_rto;
    tcp->cwnd_max = max_u32(tcp->cwnd_max, i->tcpi_snd_cwnd);
    tcp->retrans = i->tcpi_total_retrans;
    tcp->dupacks = i->tcpi_dsack_dups;
    tcp->segs_out = i->tcpi_segs_out;
    tcp->segs_in = i->tcpi_segs_in;
}

/* --- sending --------------------------------------------------------------------- */

static void tell_sent(const struct http_fetch *f)
{
    char detail[64];

    snprintf(detail, sizeof detail, "%.20s, %zu bytes", f->method,
             f->out->heads_len + (size_t)f->out->body_sent);
    fetch_step(f, TAPIR_HTTP_SEND, detail);
}

/* Nothing more of the request goes. */
static void stop_sending(struct http_fetch *f)
{
    f->out->ended = true;
    f->out->waits = false;
    f->out->piece.len = 0;
    f->out->heads_sent = f->out->heads_len;
    f->persists = false;
}

/* Sends what can go now; *moved: something went. */
static bool push(struct http_fetch *f, bool *moved)
{
    struct http_slice piece;
    ssize_t n;

    if (http_sending_done(f->out))
        return true;
    if (http_sending_next(f->out, &piece) < 0) {
        fetch_failed(f, GET_READ, "Failed to read the data to upload");
        return fetch_because(f, "it cannot be read, or is shorter than it was", "");
    }
    n = piece.len ? dial_send(f->conn->fd, piece.at, piece.len) : 0;
    if (n == -EAGAIN)
        return true;
    if (n < 0) {
        f->send_error = (int)n;
        stop_sending(f);
        return true;
    }
    http_sending_went(f->out, (size_t)n);
    *moved |= n > 0;
    if (http_sending_done(f->out))
        tell_sent(f);
    return true;
}

/* --- receiving ------------------------------------------------------------------- */

static bool receive_failed(struct http_fetch *f, ssize_t err)
{
    f->lost = !f->answered;
    f->cut = f->answered;
    return fetch_failed(f, GET_RECEIVE, "Recv failure: %s", strerror((int)-err));
}

/* Receives what has come; *moved: there was something. */
static bool pull(struct http_fetch *f, bool *moved)
{
    struct http_conn *conn = f->conn;
    ssize_t n = dial_receive(conn->fd, conn->buf + conn->len,
                             min_size(CONN_BUFFER - conn->len, CONN_READ));

    if (n == -EAGAIN)
        return true;
    *moved = true;
    if (n < 0)
        return receive_failed(f, n);
    if (n == 0) {
        f->persists = false;
        f->phase = http_reading_end(f) ? ANSWER_DONE : f->phase;
        return f->phase == ANSWER_DONE;
    }
    conn->len += (size_t)n;
    return true;
}

/* Something of an answer is in the buffer, which may have come behind the last one. */
static void note_first_byte(struct http_fetch *f)
{
    if (f->answered || f->conn->len == 0)
        return;
    f->answered = true;
    f->result->first_byte = tapir_now() - f->begin;
}

/* --- both ------------------------------------------------------------------------ */

/* Until either side may move. */
static bool wait_for_either(struct http_fetch *f, usec resume)
{
    bool paused = f->out->waits && f->out->heads_sent == f->out->heads_len;
    short events = POLLIN;
    int err;

    if (!http_sending_done(f->out) && !paused)
        events |= POLLOUT;
    err = dial_wait(f->conn->fd, events,
                    paused ? usec_min(f->deadline, resume) : f->deadline);
    if (err == -ETIME && paused && f->deadline > resume) {
        f->out->waits = false;
        fetch_say(f, '*', "no 100 (Continue) within a second: the body goes");
        return true;
    }
    if (err == -ETIME)
        return fetch_timed_out(f);
    return err == 0 || receive_failed(f, err);
}

/* The server has decided before it had all of the body. */
static void heed_answer(struct http_fetch *f)
{
    if (f->phase == ANSWER_HEAD || http_sending_done(f->out) || !f->with_body)
        return;
    if (f->result->status < 300 && f->phase == ANSWER_BODY && !f->out->waits)
        return;
    fetch_say(f, '*', "the answer came before the end of the body: it ends here");
    stop_sending(f);
    tell_sent(f);
}

/* A turn of both. */
static bool turn(struct http_fetch *f, bool *moved)
{
    *moved = false;
    if (!push(f, moved) || !pull(f, moved))
        return false;
    note_first_byte(f);
    /* No deadline may be missed by a server that never pauses. */
    return !*moved || f->deadline == NEVER || tapir_now() < f->deadline ||
           fetch_timed_out(f);
}

bool http_exchange(struct http_fetch *f)
{
    usec resume = tapir_now() + WAIT_FOR_100;
    bool ok = true, moved;

    http_reading_begin(f);
    note_first_byte(f);
    while (ok && f->phase != ANSWER_DONE) {
        ok = http_reading_take(f);
        if (ok)
            heed_answer(f);
        if (!ok || f->phase == ANSWER_DONE)
            break;
        ok = turn(f, &moved);
        if (ok && !moved)
            ok = wait_for_either(f, resume);
    }
    note_tcp(f);
    f->result->sent += f->out->body_sent;
    f->out->body_sent = 0;
    if (ok)
        f->conn->answers++;
    return ok;
}

bool http_exchange_persists(const struct http_fetch *f)
{
    return f->persists && !f->send_error && !f->body.faulty && http_body_done(&f->body);
}
