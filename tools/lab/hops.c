/* All three accept a connection, deal with it to its end, and accept the next one.
 *
 * The server answers in HTTP/1.0, and keeps the connection where the request has
 * Connection: Keep-Alive (RFC 9112 appendix C.2.2).
 *
 * The dumb proxy reads a request, passes it on as it came, and then passes on whatever
 * comes back until the other side closes. It was written before there was Keep-Alive:
 * to it an answer ends with its connection, and a connection has one request.
 *
 * The proxy that knows takes out what is for it alone: Connection, the fields that this
 * names, and Proxy-Connection (RFC 9110 s7.6.1). Behind it each request has a
 * connection of its own; the one in front of it is kept where the client asked for
 * that, in either way. */
#include "hops.h"

#include <string.h>

#include "http/http_write.h"

/* --- heads --- */

bool hop_read_request(int fd, char text[HOP_HEAD], struct http_head *head)
{
    int n = lan_read_head(fd, text, HOP_HEAD);

    return n > 0 &&
           http_parse_request(text, (size_t)n, 0, &http_request_limits, head) > 0;
}

bool hop_read_answer(int fd, char text[HOP_HEAD], struct http_head *head)
{
    int n = lan_read_head(fd, text, HOP_HEAD);
    size_t len = n > 0 ? (size_t)n : 0;

    return len > 0 &&
           http_parse_response(text, &len, 0, &http_response_limits, head) > 0;
}

/* Is a field for the next hop alone? */
static bool is_for_hop(const struct http_head *head, const struct http_field *f)
{
    static const char *const names[] = { "Connection", "Proxy-Connection",
                                         "Keep-Alive" };
    char name[40];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_is_nocase(f->name, names[i]))
            return true;
    snprintf(name, sizeof name, "%.*s", (int)f->name.len, f->name.at);
    return http_has_token(head, "Connection", name);
}

/* A head without what was for this hop, and a Connection of its own. */
static size_t rewrite(const struct http_head *head, const char *first,
                      const char *connection, char *out)
{
    size_t n = (size_t)snprintf(out, HOP_HEAD, "%.*s\r\n", (int)strcspn(first, "\r"),
                                first);

    for (size_t i = 0; i < head->n_fields; i++) {
        const struct http_field *f = &head->field[i];
        if (!is_for_hop(head, f))
            n += (size_t)snprintf(out + n, HOP_HEAD - n, "%.*s: %.*s\r\n",
                                  (int)f->name.len, f->name.at, (int)f->value.len,
                                  f->value.at);
    }
    return n + (size_t)snprintf(out + n, HOP_HEAD - n, "Connection: %s\r\n\r\n",
                                connection);
}

/* --- connections --- */

/* Accepts until all is over, and gives each to `serve`. */
static void accept_all(struct hop *h, void (*serve)(struct hop *h, int fd))
{
    int listener = lan_listen(PAGE_PORT);
    struct pollfd p = { .fd = listener, .events = POLLIN };

    while (!*h->over)
        if (tapir_poll(&p, 1, 1000) > 0)
            serve(h, lan_accept(listener));
    tapir_close(listener);
}

/* Waits for another request. False: for too long, or it is the end. */
static bool await_request(struct hop *h, int fd, char *text, struct http_head *head)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };

    if (tapir_poll(&p, 1, (int)(h->idle / 1000)) > 0)
        return hop_read_request(fd, text, head);
    lan_note(h->lan, h->host, "idle for too long");
    return false;
}

/* What comes from one side goes to the other, to the end. */
static void relay(int from, int to)
{
    char buf[4096];
    ssize_t n;

    while ((n = tapir_read(from, buf, sizeof buf)) > 0)
        tapir_write(to, buf, (size_t)n);
}

/* --- the server --- */

static void answer(struct hop *h, int fd)
{
    char text[HOP_HEAD], out[HOP_HEAD];
    struct http_head head;
    bool keep = true;

    while (keep && await_request(h, fd, text, &head)) {
        keep = http_has_token(&head, "Connection", "Keep-Alive");
        int n = snprintf(out, sizeof out,
                         "HTTP/1.0 200 OK\r\nContent-Length: %d\r\n%s\r\n%*s", HOP_BODY,
                         keep ? "Connection: Keep-Alive\r\n" : "", HOP_BODY, "");
        tapir_write(fd, out, (size_t)n);
        lan_note(h->lan, h->host, keep ? "Keep-Alive: kept" : "close()");
    }
    tapir_close(fd);
}

void hop_server(void *arg)
{
    accept_all(arg, answer);
}

/* --- the dumb proxy --- */

static void pass_on(struct hop *h, int fd)
{
    char text[HOP_HEAD];
    int n = lan_read_head(fd, text, sizeof text);
    int next = n > 0 ? lan_connect(h->next, PAGE_PORT, 0, 0) : -1;

    if (next >= 0) {
        lan_note(h->lan, h->host, "passed on as it is");
        tapir_write(next, text, (size_t)n);
        relay(next, fd);
        tapir_close(next);
        lan_note(h->lan, h->host, "the answer ends: close()");
    }
    tapir_close(fd);
}

void hop_dumb_proxy(void *arg)
{
    accept_all(arg, pass_on);
}

/* --- the proxy that knows --- */

/* One exchange on a connection of its own. False: it came to nothing. */
static bool exchange(struct hop *h, int fd, const char *request,
                     const struct http_head *asked, bool keep)
{
    char text[HOP_HEAD], out[HOP_HEAD];
    struct http_head head;
    int next = lan_connect(h->next, PAGE_PORT, 0, 0);

    if (next < 0)
        return false;
    tapir_write(next, out, rewrite(asked, request, "close", out));
    bool good = hop_read_answer(next, text, &head);
    if (good) {
        size_t n = rewrite(&head, text, keep ? "Keep-Alive" : "close", out);
        lan_read(next, HOP_BODY);
        memset(out + n, ' ', HOP_BODY);
        tapir_write(fd, out, n + HOP_BODY);
    }
    tapir_close(next);
    return good;
}

static void serve(struct hop *h, int fd)
{
    char text[HOP_HEAD];
    struct http_head head;
    bool keep = true;

    while (keep && await_request(h, fd, text, &head)) {
        keep = http_has_token(&head, "Connection", "Keep-Alive") ||
               http_has_token(&head, "Proxy-Connection", "Keep-Alive");
        keep = exchange(h, fd, text, &head, keep) && keep;
        lan_note(h->lan, h->host, keep ? "Keep-Alive: kept" : "close()");
    }
    tapir_close(fd);
}

void hop_proxy(void *arg)
{
    accept_all(arg, serve);
}
