/* Host comes first (RFC 9110 s7.2), then what we say of ourselves, then the user's own
 * fields in his order. The room is reckoned before, generously: a target may grow by
 * three when it is encoded. */
#include "app/http_request.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http/http_auth.h"
#include "http/http_write.h"

enum { OUR_ROOM = 1024 }; /* request line without its target, and our own fields */

/* Does the user name this field himself? Then ours is not sent. */
static bool is_replaced(const struct tapir_http_options *o, const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < o->n_headers; i++)
        if (strncasecmp(o->headers[i], name, len) == 0 && o->headers[i][len] == ':')
            return true;
    return false;
}

static bool has_value(const char *field)
{
    const char *colon = strchr(field, ':');

    return colon && colon[1 + strspn(colon + 1, " \t")] != '\0';
}

/* The URL's own credentials (RFC 7617), as curl sends them. */
static void write_credentials(struct text *t, const struct http_url *url)
{
    text_put(t, "Authorization: ");
    http_write_basic(t, url->user, url->password, true);
    text_put(t, "\r\n");
}

static void write_request(struct text *t, const struct tapir_http_options *o,
                          const struct http_url *url)
{
    http_write_request(t, o->head ? "HEAD" : "GET", url);
    if (!is_replaced(o, "Host"))
        http_write_host(t, url);
    if (url->user.at && !is_replaced(o, "Authorization"))
        write_credentials(t, url);
    if (!is_replaced(o, "User-Agent"))
        http_write_field(t, "User-Agent", o->user_agent);
    if (!is_replaced(o, "Accept"))
        http_write_field(t, "Accept", "*/*");
    for (size_t i = 0; i < o->n_headers; i++) {
        if (!has_value(o->headers[i]))
            continue;
        text_put(t, o->headers[i]);
        text_put(t, "\r\n");
    }
    http_write_end(t);
}

char *http_request_new(const struct tapir_http_options *options,
                       const struct http_url *url, size_t *len)
{
    size_t room = OUR_ROOM + 3 * url->target.len + strlen(options->user_agent) +
                  2 * (url->user.len + url->password.len);
    struct text t;
    char *at;

    for (size_t i = 0; i < options->n_headers; i++)
        room += strlen(options->headers[i]) + 2;
    at = malloc(room);
    if (!at)
        return NULL;
    text_init(&t, at, room);
    write_request(&t, options, url);
    *len = t.len;
    return at;
}
