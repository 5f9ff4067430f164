/* One pass writes the head into room that is sure to suffice: what is of any length is
 * counted, the rest fits HEAD_ROOM. The body follows it in the same piece of memory, so
 * that both leave in one send. */
#include "app/http_reply.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "http/http_write.h"

enum {
    HEAD_ROOM = 1024, /* an answer's head, without what is counted */
    PAGE_ROOM = 512,  /* an error page */
};

void http_reply_make(struct http_session *s, const struct answer *a,
                     struct http_slice body)
{
    size_t room = HEAD_ROOM + body.len;
    struct text t;

    if (a->location) /* each of its characters may become three */
        room += 3 * (strlen(a->location) + a->query.len);
    if (a->type)
        room += strlen(a->type);
    if (a->fields)
        room += strlen(a->fields);
    s->status = a->status;
    s->out = malloc(room);
    if (!s->out) {
        s->state = SESSION_OVER;
        return;
    }
    text_init(&t, s->out, room);
    http_head_put(&t, s, a);
    s->out_head = t.len;
    if (!s->to_head)
        text_putn(&t, body.at, body.len);
    s->out_len = t.len;
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
    free(s->out);
    s->out = malloc(len);
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
