/* A head is written line by line, as struct answer says. */
#include "app/http_head.h"

#include "http/http_uri.h"
#include "http/http_write.h"

static void write_location(struct text *t, const struct answer *a)
{
    text_put(t, "Location: /");
    http_encode_path(t, a->location);
    if (*a->location)
        text_char(t, '/');
    http_encode_target(t, a->query);
    text_put(t, "\r\n");
}

/* RFC 9112 s9.6 and s9.3; appendix C.2.2 for HTTP/1.0. */
static void write_connection(struct text *t, const struct http_session *s)
{
    if (s->last)
        http_write_field(t, "Connection", "close");
    else if (s->minor == 0)
        http_write_field(t, "Connection", "keep-alive");
}

static void write_validators(struct text *t, const struct http_session *s,
                             const struct answer *a)
{
    /* RFC 9110 s8.8.2.1: never later than Date. */
    http_write_date(t, "Last-Modified", a->mtime < s->now ? a->mtime : s->now);
    http_write_field(t, "ETag", a->etag);
    http_write_field(t, "Accept-Ranges", "bytes");
}

static void write_length(struct text *t, const struct answer *a)
{
    if (a->chunked)
        http_write_field(t, "Transfer-Encoding", "chunked");
    else if (!a->until_close && a->status != 204) /* RFC 9110 s8.6 */
        http_write_number(t, "Content-Length", a->length);
}

void http_head_put(struct text *t, const struct http_session *s, const struct answer *a)
{
    http_write_status(t, a->status);
    http_write_date(t, "Date", s->now);
    http_write_field(t, "Server", "tapir");
    if (a->allow)
        http_write_field(t, "Allow", a->allow);
    if (a->location)
        write_location(t, a);
    if (a->is_file)
        write_validators(t, s, a);
    if (a->varies) /* RFC 9110 s12.5.5 */
        http_write_field(t, "Vary", "Accept-Encoding");
    if (a->no_store)
        http_write_field(t, "Cache-Control", "no-store");
    if (a->has_range)
        http_write_content_range(t, a->range, a->size);
    if (a->fields)
        text_put(t, a->fields);
    if (a->status != 304) { /* RFC 9110 s15.4.5: what a cache has it knows */
        if (a->coding)
            http_write_field(t, "Content-Encoding", a->coding);
        if (a->type)
            http_write_field(t, "Content-Type", a->type);
        write_length(t, a);
    }
    write_connection(t, s);
    http_write_end(t);
}
