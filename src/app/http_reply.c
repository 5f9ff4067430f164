/* One pass writes the head into room that is sure to suffice: what is of any length is
 * counted, the rest fits HEAD_ROOM. The body follows it in the same piece of memory, so
 * that both leave in one send.
 *
 * The answer that almost all get (200, the whole file, the connection stays) is the
 * same for a second, since nothing in it changes but Date: where the file is kept, its
 * answer is kept beside it (http_cache.h), and all who are sent it hold the same. */
#include "app/http_reply.h"

#include <string.h>

#include "app/http_shared.h"
#include "base/text.h"
#include "http/http_write.h"

enum {
    HEAD_ROOM = 1024, /* an answer's head, without what is counted */
    PAGE_ROOM = 512,  /* an error page */
};

static size_t room_for(const struct answer *a, struct http_slice body)
{
    size_t room = HEAD_ROOM + body.len;

    if (a->location) /* each of its characters may become three */
        room += 3 * (strlen(a->location) + a->query.len);
    if (a->type)
        room += strlen(a->type);
    if (a->fields)
        room += strlen(a->fields);
    return room;
}

/* Head and body in new memory; *head bytes are the head's. NULL: there is none. */
static char *write_reply(const struct http_session *s, const struct answer *a,
                         struct http_slice body, size_t *head)
{
    size_t room = room_for(a, body);
    char *at = http_shared_new(room);
    struct text t;

    if (!at)
        return NULL;
    text_init(&t, at, room);
    http_head_put(&t, s, a);
    *head = t.len;
    text_putn(&t, body.at, body.len);
    return at;
}

/* The whole of a kept file, to a client that stays. */
static bool is_plain(const struct http_session *s, const struct answer *a)
{
    return a->kept && a->status == 200 && !a->coding && !s->last && s->minor > 0;
}

/* The same for all within a second. */
static char *plain_reply(const struct http_session *s, const struct answer *a,
                         struct http_slice body, size_t *head)
{
    struct http_kept *kept = a->kept;

    if (!kept->reply || kept->reply_at != s->now) {
        http_shared_drop(kept->reply);
        kept->reply = write_reply(s, a, body, &kept->reply_head);
        kept->reply_at = s->now;
    }
    *head = kept->reply_head;
    return kept->reply ? http_shared_hold(kept->reply) : NULL;
}

void http_reply_make(struct http_session *s, const struct answer *a,
                     struct http_slice body)
{
    s->status = a->status;
    s->out = (is_plain(s, a) ? plain_reply : write_reply)(s, a, body, &s->out_head);
    if (s->out)
        s->out_len = s->out_head + (s->to_head ? 0 : body.len);
    else
        s->state = SESSION_OVER;
}

void http_reply_page(struct http_session *s, struct answer *a)
{
    char page[PAGE_ROOM];
    struct text t;

    text_init(&t, page, sizeof page);
    http_write_page(&t, a->status);
    a->type = "text/html; charset=utf-8";
    a->length = t.len;
    a->is_file = false;
    a->coding = NULL;
    http_reply_make(s, a, (struct http_slice){ page, t.len });
}

void http_reply_status(struct http_session *s, int status)
{
    http_reply_page(s, &(struct answer){ .status = status });
}

void http_reply_put(struct http_session *s, const char *at, size_t len)
{
    http_shared_drop(s->out);
    s->out = http_shared_new(len);
    s->out_len = s->out ? len : 0;
    s->out_sent = 0;
    if (s->out)
        memcpy(s->out, at, len);
}

void http_reply_continue(struct http_session *s)
{
    static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";

    http_reply_put(s, line, sizeof line - 1);
    s->interim = true;
    s->state = s->out ? SESSION_ANSWER : SESSION_OVER;
}
