/* The conversation
 * ----------------
 *
 *            +--------------------- keep-alive -----------------------+
 *            v                                                        |
 *     SESSION_HEAD --head--> SESSION_BODY --body gone--> SESSION_ANSWER -->
 * SESSION_OVER |                  ^  |                          ^ |       100 is out |
 * | 100-continue             | |               SESSION_ANSWER                   |
 *            +------------ bad, too long, too late -----------+   (then it is the last)
 *
 * The answer is made when the head is there (http_answer.h), and sent when the
 * request's body is out of the way: a client that sends a body need not read before it
 * is done. What a handler answers (http_call.h) is made when the body is whole. One
 * answer at a time: requests that come meanwhile (pipelining) wait in the input, so
 * answers are in order and a client cannot make the server hold more than one of them.
 *
 * Memory: a conversation that waits holds no buffer. Input arrives in the one that all
 * share, and mostly is used up there; what is left of it (half a head, the next
 * request) gets memory of its own. An answer's head is kept only while it is sent; a
 * file is read piece by piece into the server's one buffer when the socket has room, so
 * a slow client costs a descriptor and a few words, no copy of the file. A small one is
 * a part of the answer when its bytes are at hand (http_cache.h). */
#include "app/http_session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/http_answer.h"
#include "app/http_call.h"
#include "app/http_reply.h"
#include "app/http_shared.h"
#include "base/bytes.h"
#include "http/http_auth.h"

enum {
    IN_FIRST = 2048, /* first size of a buffer of one's own; doubles */
    USER_ROOM = 256, /* of credentials, for the log */
};

void http_session_init(struct http_session *s)
{
    *s = (struct http_session){ .file = -1 };
}

void http_session_free(struct http_session *s)
{
    http_answer_drop(s);
    free(s->noted);
    free(s->in);
    s->noted = NULL;
    s->in = NULL;
}

/* The answer at hand is the last; the first reason stays. */
static void make_last(struct http_session *s, const char *why)
{
    s->last = true;
    if (!s->why)
        s->why = why;
}

/* --- input ----------------------------------------------------------------------- */

char *http_session_room(struct http_session *s, struct http_site *site, size_t *room)
{
    if (!s->in) {
        *room = sizeof site->input;
        return site->input;
    }
    if (s->in_len == s->in_cap) {
        char *in = realloc(s->in, 2 * s->in_cap);
        if (!in)
            return NULL;
        s->in = in;
        s->in_cap *= 2;
    }
    *room = s->in_cap - s->in_len;
    return s->in + s->in_len;
}

/* Input has come, where http_session_room() said. */
static void take_input(struct http_session *s, struct http_site *site, size_t n)
{
    if (!s->in && n > 0) {
        s->in = site->input;
        s->in_cap = sizeof site->input;
    }
    s->in_len += n;
}

/* Takes n bytes off the front of the input. */
static void use_input(struct http_session *s, size_t n)
{
    s->in_len -= n;
    s->in_seen = 0;
    if (n > 0 && s->in_len > 0)
        memmove(s->in, s->in + n, s->in_len);
}

static void give_up_input(struct http_session *s)
{
    s->in_len = s->in_seen = 0;
    make_last(s, "no memory");
    if (s->state != SESSION_ANSWER)
        s->state = SESSION_OVER;
}

/* Copies what is left in the shared buffer. Without memory the connection is not read
 * on. */
static void move_out(struct http_session *s)
{
    size_t cap = IN_FIRST;
    char *in;

    while (cap <= s->in_len)
        cap *= 2;
    in = malloc(cap);
    if (in)
        memcpy(in, s->in, s->in_len);
    else
        give_up_input(s);
    s->in = in;
    s->in_cap = in ? cap : 0;
}

/* A conversation that waits holds no buffer, and none the shared one. */
static void settle_input(struct http_session *s, const struct http_site *site)
{
    bool shared = s->in == site->input;

    if (s->in_len > 0) {
        if (shared)
            move_out(s);
        return;
    }
    if (!shared)
        free(s->in);
    s->in = NULL;
    s->in_cap = 0;
}

/* --- the log --------------------------------------------------------------------- */

/* Copies s to *at, and moves that on. */
static struct http_slice copy(struct http_slice s, char **at)
{
    struct http_slice copied = { *at, s.len };

    if (s.len > 0)
        memcpy(*at, s.at, s.len);
    *at += s.len;
    return copied;
}

/* Notes what the log may want of a request, whose head is soon gone. */
static void note(struct http_session *s, const struct http_head *head)
{
    struct http_slice host = http_single_field(head, "Host");
    struct http_slice referer = http_single_field(head, "Referer");
    struct http_slice agent = http_single_field(head, "User-Agent");
    struct http_slice user = { NULL, 0 }, password;
    const char *end = head->target.at + head->target.len + sizeof " HTTP/1.1" - 1;
    struct http_slice line = { head->method.at, (size_t)(end - head->method.at) };
    char credentials[USER_ROOM], *at;

    http_parse_basic(http_single_field(head, "Authorization"), credentials,
                     sizeof credentials, &user, &password);
    s->noted = malloc(sizeof *s->noted + line.len + host.len + referer.len + agent.len +
                      user.len);
    if (!s->noted)
        return;
    at = s->noted->room;
    s->noted->line = copy(line, &at);
    s->noted->method = slice_first(s->noted->line, head->method.len);
    s->noted->uri = slice_first(slice_from(s->noted->line, head->method.len + 1),
                                head->target.len);
    s->noted->host = copy(host, &at);
    s->noted->referer = copy(referer, &at);
    s->noted->user_agent = copy(agent, &at);
    s->noted->user = copy(user, &at);
}

/* The answer is out, or will never be. */
static void end_answer(struct http_session *s, struct http_site *site)
{
    if (site->answered)
        site->answered(site->ctx, s);
    http_answer_drop(s);
    free(s->noted);
    s->noted = NULL;
    s->sent = 0;
}

void http_session_break(struct http_session *s, struct http_site *site, const char *why)
{
    if (s->state != SESSION_ANSWER || s->interim)
        return;
    s->why = why;
    end_answer(s, site);
    s->state = SESSION_OVER;
}

/* --- requests -------------------------------------------------------------------- */

/* Refuses at once, and the connection is not read on: where the next request would
 * begin is not known, or not worth waiting for. */
static void refuse(struct http_session *s, int status)
{
    http_answer_drop(s);
    make_last(s, status == 408 ? "timeout" : "refused");
    s->state = SESSION_ANSWER;
    http_reply_status(s, status);
}

static void count_request(struct http_session *s, struct http_site *site)
{
    s->requests++;
    site->requests++;
    s->head_taken = s->body_taken = s->data_taken = 0;
    if (site->max_requests && s->requests >= site->max_requests)
        make_last(s, "limit of requests");
}

/* What every request says of itself and of the connection. */
static void take_request(struct http_session *s, const struct http_site *site,
                         const struct http_head *head)
{
    s->minor = head->minor;
    s->to_head = slice_is(head->method, "HEAD");
    if (site->closing)
        make_last(s, "server stops");
    if (!http_persists(head))
        make_last(s, head->minor ? "client closes" : "HTTP/1.0");
    if (site->answered)
        note(s, head);
}

/* A handler answers, when the body is there; says that it is welcome to who asks. */
static void begin_call(struct http_session *s, bool asks)
{
    bool body = !http_body_done(&s->body);

    s->state = body ? SESSION_BODY : SESSION_ANSWER;
    if (!body)
        http_call_answer(s);
    else if (asks)
        http_reply_continue(s);
}

/* The answer does not depend on the body. */
static void begin_answer(struct http_session *s, struct http_site *site,
                         const struct http_head *head, const struct http_target *target)
{
    bool body = !http_body_done(&s->body);

    s->state = body ? SESSION_BODY : SESSION_ANSWER;
    /* RFC 9110 s10.1.1: a client that asks first gets the final answer at once, and
     * need not send its body at all. */
    if (body && http_expects(head) == 100) {
        make_last(s, "body not awaited");
        s->state = SESSION_ANSWER;
    }
    if (target)
        http_answer_request(s, site, head, target);
    else
        http_reply_status(s, 400);
}

/* What is asked for is known. `asks`: the client waits for a 100. */
static void begin_known(struct http_session *s, struct http_site *site,
                        const struct http_head *head, const struct http_target *target,
                        bool asks)
{
    int err = http_call_new(site, head, target, &s->call);

    if (err == 0)
        begin_call(s, asks);
    else if (err == -ENOMEM)
        refuse(s, 503);
    else
        begin_answer(s, site, head, target);
}

/* A head of n bytes has come: makes the answer, and decides how the body gets out of
 * the way. */
static void begin_request(struct http_session *s, struct http_site *site,
                          const struct http_head *head, size_t n)
{
    int err = http_request_body(head, &site->limits, &s->body);
    struct http_target target;

    take_request(s, site, head);
    s->head_taken = n;
    if (err == 0 && http_expects(head) < 0)
        err = -417;
    if (err == 0 && s->body.framing == HTTP_BODY_LENGTH &&
        s->body.left > site->max_body)
        err = -413;
    if (err < 0)
        refuse(s, -err);
    else if (http_parse_target(head, &target) < 0)
        begin_answer(s, site, head, NULL);
    else
        /* RFC 9110 s10.1.1: whose body has begun to come needs no 100. */
        begin_known(s, site, head, &target,
                    http_expects(head) == 100 && s->in_len == n);
}

/* The client's end, where a request is awaited. */
static void end_of_input(struct http_session *s, struct http_site *site)
{
    if (s->in_len == 0) {
        s->state = SESSION_OVER;
        return;
    }
    count_request(s, site);
    refuse(s, 400); /* RFC 9112 s8: half a request */
}

static void take_head(struct http_session *s, struct http_site *site)
{
    struct http_head head;
    int n = http_parse_request(s->in, s->in_len, s->in_seen, &site->limits, &head);

    if (n == -EAGAIN) {
        s->in_seen = s->in_len;
        if (s->eof)
            end_of_input(s, site);
        return;
    }
    count_request(s, site);
    if (n < 0) {
        refuse(s, -n);
        return;
    }
    begin_request(s, site, &head, (size_t)n);
    use_input(s, (size_t)n);
}

/* One piece of the body at the front of the input: bytes used, or minus a status. */
static ssize_t take_piece(struct http_session *s, const struct http_site *site,
                          size_t used)
{
    struct http_slice data;
    ssize_t n = http_body_read(&s->body, s->in + used, s->in_len - used, &data);
    int err = 0;

    if (n < 0)
        return -400;
    /* What surrounds the data is bounded like the data: many small chunks. */
    if (s->data_taken + data.len > site->max_body ||
        s->body_taken - s->data_taken > site->max_body)
        return -413;
    if (s->call && data.len > 0)
        err = http_call_take(s->call, data);
    s->data_taken += data.len;
    s->body_taken += (size_t)n;
    /* A chunk's size has told what is still to come. */
    if (s->body.state == CHUNK_DATA && s->body.left > site->max_body - s->data_taken)
        return -413;
    return err < 0 ? err : n;
}

static void take_body(struct http_session *s, const struct http_site *site)
{
    size_t used = 0;

    while (used < s->in_len && !http_body_done(&s->body)) {
        ssize_t n = take_piece(s, site, used);
        if (n < 0) {
            refuse(s, (int)-n);
            return;
        }
        used += (size_t)n;
    }
    use_input(s, used);
    if (!http_body_done(&s->body)) {
        if (s->eof)
            s->state = SESSION_OVER;
        return;
    }
    s->state = SESSION_ANSWER;
    if (s->call)
        http_call_answer(s);
}

/* Takes what the input has: at most one request, since its answer comes first. */
static void advance(struct http_session *s, struct http_site *site)
{
    if (s->state == SESSION_HEAD)
        take_head(s, site);
    if (s->state == SESSION_BODY)
        take_body(s, site);
    settle_input(s, site);
}

void http_session_input(struct http_session *s, struct http_site *site, size_t n,
                        int64_t now)
{
    s->now = now;
    take_input(s, site, n);
    s->eof = n == 0;
    advance(s, site);
}

/* --- output ---------------------------------------------------------------------- */

ssize_t http_session_output(const struct http_session *s, char *at, size_t room)
{
    size_t head = min_size(s->out_len - s->out_sent, room);
    size_t left = room - head;
    ssize_t n = 0;

    if (head > 0)
        memcpy(at, s->out + s->out_sent, head);
    if (s->file_left < left)
        left = (size_t)s->file_left;
    if (left > 0)
        n = pread(s->file, at + head, left, (off_t)s->file_at);
    if (n < 0 || (size_t)n + head == 0)
        return -EIO;
    return n + (ssize_t)head;
}

/* All of `out` and of the piece behind it are sent: what now? */
static void go_on(struct http_session *s, struct http_site *site)
{
    if (http_answer_next_part(s))
        return;
    if (s->interim) {
        http_shared_drop(s->out);
        s->out = NULL;
        s->out_len = s->out_sent = 0;
        s->interim = false;
        s->sent = 0;
        s->state = SESSION_BODY;
    } else {
        if (!s->out) /* a part is missing */
            make_last(s, "no memory");
        s->state = s->last ? SESSION_OVER : SESSION_HEAD;
        end_answer(s, site);
        s->to_head = false; /* of the next request nothing is known */
        s->piped = s->in_len > 0;
    }
    if (s->state != SESSION_OVER)
        advance(s, site);
}

void http_session_sent(struct http_session *s, struct http_site *site, size_t n,
                       int64_t now)
{
    size_t head = min_size(n, s->out_len - s->out_sent);

    s->now = now;
    s->sent += n;
    s->out_sent += head;
    s->file_at += n - head;
    s->file_left -= n - head;
    if (s->out_sent == s->out_len && s->file_left == 0)
        go_on(s, site);
}

void http_session_expire(struct http_session *s, struct http_site *site, int64_t now)
{
    bool begun = s->state == SESSION_HEAD && s->in_len > 0;

    s->now = now;
    if (begun)
        count_request(s, site);
    if (begun || s->state == SESSION_BODY)
        refuse(s, 408);
    else
        s->state = SESSION_OVER;
}
