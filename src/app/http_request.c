/* Host comes first (RFC 9110 s7.2), then what we say of ourselves, then the user's own
 * fields in his order, Connection last, then what describes the body: curl's order. The
 * room is reckoned before, generously: a target may grow by three when it is encoded.
 */
#include "app/http_request.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http/http_auth.h"
#include "http/http_write.h"

enum {
    OUR_ROOM = 1024,       /* request line without its target, and our own fields */
    EXPECT_FROM = 1 << 20, /* bytes of a body for which a round trip is no loss */
    REQUEST_MAX = 1 << 20, /* bytes of a head, as curl has it */
};

const char *http_request_method(const struct tapir_http_options *o)
{
    if (o->method)
        return o->method;
    if (o->head)
        return "HEAD";
    if (o->upload)
        return "PUT";
    return o->data ? "POST" : "GET";
}

bool http_request_has_body(const struct tapir_http_options *o)
{
    return o->data || o->upload;
}

static bool is_field(const char *field, const char *name)
{
    size_t len = strlen(name);

    return strncasecmp(field, name, len) == 0 &&
           (field[len] == ':' || field[len] == ';');
}

/* The user's own field of that name, the first one, or NULL. */
static const char *own_field(const struct tapir_http_options *o, const char *name)
{
    for (size_t i = 0; i < o->n_headers; i++)
        if (is_field(o->headers[i], name))
            return o->headers[i];
    return NULL;
}

bool http_request_is_chunked(const struct tapir_http_options *o)
{
    const char *own = own_field(o, "Transfer-Encoding");

    if (own)
        return strcasestr(own, "chunked") && http_request_has_body(o);
    return o->upload && o->upload_len == UINT64_MAX;
}

bool http_request_is_framed(const struct tapir_http_options *o, bool http10)
{
    if (http_request_is_chunked(o))
        return !http10;
    return !o->upload || o->upload_len < UINT64_MAX || own_field(o, "Content-Length");
}

bool http_request_expects(const struct tapir_http_options *o)
{
    const char *own = own_field(o, "Expect");
    uint64_t len = o->upload ? o->upload_len : o->data_len;

    if (!http_request_has_body(o))
        return false;
    return own ? strcasestr(own, "100-continue") != NULL : len > EXPECT_FROM;
}

/* A field of ours, unless the user has one of that name; an empty one is none. */
static void write_ours(struct text *t, const struct http_ask *ask, const char *name,
                       const char *value)
{
    if (value && *value && !own_field(ask->options, name))
        http_write_field(t, name, value);
}

/* Credentials (RFC 7617): the user's, at the first URL's origin; else the URL's own;
 * else those of the first URL, where a Location leads back to its origin. */
static void write_credentials(struct text *t, const struct http_ask *ask)
{
    bool trusted = http_same_origin(ask->url, ask->first);
    const struct http_url *url = ask->url->user.at || !trusted ? ask->url : ask->first;
    const char *user = trusted ? ask->options->user : NULL;

    if (own_field(ask->options, "Authorization") && trusted)
        return;
    if (ask->options->bearer && trusted) {
        text_put(t, "Authorization: Bearer ");
        text_put(t, ask->options->bearer);
        text_put(t, "\r\n");
        return;
    }
    if (!user && !url->user.at)
        return;
    text_put(t, "Authorization: ");
    if (user) {
        struct http_slice all = slice_of(user);
        size_t name = slice_span(all, ":");
        http_write_basic(t, slice_first(all, name),
                         slice_from(all, name + (name < all.len)), false);
    } else {
        http_write_basic(t, url->user, url->password, true);
    }
    text_put(t, "\r\n");
}

static void write_range(struct text *t, const struct tapir_http_options *o)
{
    if (own_field(o, "Range") || o->upload || (!o->range && !o->resume))
        return;
    text_put(t, "Range: bytes=");
    if (o->resume)
        text_u64(t, o->resume);
    else
        text_put(t, o->range);
    text_put(t, o->resume ? "-\r\n" : "\r\n");
}

/* May this field of the user go where we are now? */
static bool is_meant_for(const struct http_ask *ask, const char *field)
{
    static const char *const secrets[] = { "Authorization:", "Cookie:" };

    if (strncasecmp(field, "Host:", 5) == 0)
        return http_same_host(ask->url->host, ask->first->host);
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
        if (strncasecmp(field, secrets[i], strlen(secrets[i])) == 0)
            return http_same_origin(ask->url, ask->first);
    return true;
}

/* "Name: value", or "Name;" for a field without a value; "Name;value" is none. */
static void write_users(struct text *t, const char *field)
{
    const char *colon = strchr(field, ':');
    size_t name = strcspn(field, ";");

    if (!colon && field[name] == ';' && field[name + 1] != '\0')
        return;
    if (colon && colon[1 + strspn(colon + 1, " \t")] == '\0')
        return;
    if (colon) {
        text_put(t, field);
    } else {
        text_putn(t, field, name);
        text_char(t, ':');
    }
    text_put(t, "\r\n");
}

/* Those that are Connection, or all others: in curl's order. */
static void write_all_of_users(struct text *t, const struct http_ask *ask,
                               bool connection)
{
    const struct tapir_http_options *o = ask->options;
    bool chunked = ask->body && http_request_is_chunked(o);

    for (size_t i = 0; i < o->n_headers; i++) {
        const char *field = o->headers[i];
        if (is_field(field, "Connection") != connection || is_field(field, "Host"))
            continue;
        /* RFC 9112 s6.2 (MUST NOT): no length beside chunks. */
        if (is_meant_for(ask, field) && !(chunked && is_field(field, "Content-Length")))
            write_users(t, field);
    }
}

static void write_about_body(struct text *t, const struct http_ask *ask)
{
    const struct tapir_http_options *o = ask->options;

    /* RFC 9112 s6.2 (MUST NOT): not both. */
    if (!http_request_is_chunked(o) && !own_field(o, "Content-Length"))
        http_write_number(t, "Content-Length", o->upload ? o->upload_len : o->data_len);
    if (o->data)
        write_ours(t, ask, "Content-Type", "application/x-www-form-urlencoded");
    if (ask->expects)
        write_ours(t, ask, "Expect", "100-continue");
}

static void write_start(struct text *t, const struct http_ask *ask)
{
    const struct tapir_http_options *o = ask->options;
    struct http_slice target = ask->url->target;
    bool whole = target.len > 0 && target.at[0] == '/';
    int minor = ask->http10 ? 0 : 1;

    if (o->target)
        http_write_start(t, ask->method, slice_of(o->target), minor);
    else if (o->path_as_is && whole)
        http_write_start(t, ask->method, target, minor);
    else
        http_write_request(t, ask->method, ask->url, minor);
}

static void write_request(struct text *t, const struct http_ask *ask)
{
    const struct tapir_http_options *o = ask->options;
    bool chunked = ask->body && http_request_is_chunked(o);
    const char *host = own_field(o, "Host");

    write_start(t, ask);
    if (host && is_meant_for(ask, host))
        write_users(t, host);
    else
        http_write_host(t, ask->url);
    write_credentials(t, ask);
    write_range(t, o);
    if (ask->body)
        write_ours(t, ask, "Content-Range", o->content_range);
    write_ours(t, ask, "User-Agent", o->user_agent);
    write_ours(t, ask, "Accept", "*/*");
    write_ours(t, ask, "Referer", ask->referer);
    if (chunked)
        write_ours(t, ask, "Transfer-Encoding", "chunked");
    write_all_of_users(t, ask, false);
    write_all_of_users(t, ask, true);
    if (ask->body)
        write_about_body(t, ask);
    http_write_end(t);
}

/* Characters of a string, NULL being none. */
static size_t span(const char *s)
{
    return s ? strlen(s) : 0;
}

char *http_request_new(const struct http_ask *ask, size_t *len)
{
    const struct tapir_http_options *o = ask->options;
    const struct http_url *first = ask->first, *url = ask->url;
    size_t room = OUR_ROOM + 3 * url->target.len + span(ask->method) +
                  span(o->user_agent) + span(ask->referer) + span(o->range) +
                  span(o->bearer) + 3 * span(o->target) + span(o->content_range) +
                  2 * (span(o->user) + url->user.len + url->password.len +
                       first->user.len + first->password.len);
    struct text t;
    char *at;

    *len = 0;
    for (size_t i = 0; i < o->n_headers; i++)
        room += strlen(o->headers[i]) + 2;
    at = malloc(room);
    if (!at)
        return NULL;
    text_init(&t, at, room);
    write_request(&t, ask);
    *len = t.len;
    if (t.len <= REQUEST_MAX)
        return at;
    free(at);
    return NULL;
}
