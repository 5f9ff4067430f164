/* Opening is where a person makes mistakes: a directory that is none, a port that is
 * taken. Each gets a sentence of what, why and what to do; the rest is told by errno.
 */
#include "app/http_open.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "app/names.h"
#include "base/time.h"
#include "http/http_log.h"

enum {
    BACKLOG = 512,
    CONNECTIONS = 32768, /* at once */
    BODY = 16 << 20,     /* bytes of a request's body */
};

int http_failed(struct tapir_error *error, int err, const char *what, const char *cause,
                const char *fix)
{
    if (error) {
        snprintf(error->what, sizeof error->what, "%s: %s", what, strerror(err));
        snprintf(error->cause, sizeof error->cause, "%s", cause);
        snprintf(error->fix, sizeof error->fix, "%s", fix);
    }
    errno = err;
    return -1;
}

static int64_t wall_clock(void *ctx)
{
    (void)ctx;
    return (int64_t)time(NULL);
}

static void fill_limits(struct tapir_http_server *c)
{
    if (c->max_connections == 0)
        c->max_connections = CONNECTIONS;
    if (c->max_line == 0)
        c->max_line = http_request_limits.line;
    if (c->max_head == 0)
        c->max_head = http_request_limits.head;
    if (c->max_fields == 0)
        c->max_fields = (unsigned)http_request_limits.fields;
    if (c->max_fields > HTTP_FIELDS_MAX)
        c->max_fields = HTTP_FIELDS_MAX;
    if (c->max_body == 0)
        c->max_body = BODY;
}

void http_fill_defaults(struct tapir_http_server *c)
{
    if (!c->dir && c->n_handlers == 0)
        c->dir = ".";
    if (c->port == 0)
        c->port = 80;
    if (c->head_timeout == 0)
        c->head_timeout = 30 * USEC_PER_SEC;
    if (c->body_timeout == 0)
        c->body_timeout = 60 * USEC_PER_SEC;
    if (c->idle_timeout == 0)
        c->idle_timeout = 60 * USEC_PER_SEC;
    if (c->send_timeout == 0)
        c->send_timeout = 60 * USEC_PER_SEC;
    if (c->stop_fd <= 0)
        c->stop_fd = -1;
    if (!c->clock)
        c->clock = wall_clock;
    fill_limits(c);
}

void http_fill_site(struct http_site *site, const struct tapir_http_server *config)
{
    site->limits = http_request_limits;
    site->limits.line = config->max_line;
    site->limits.head = config->max_head;
    site->limits.fields = config->max_fields;
    site->max_body = config->max_body;
    site->max_requests = config->max_requests;
    site->echo = config->echo;
    site->handlers = config->handlers;
    site->n_handlers = config->n_handlers;
    site->no_listing = config->no_listing;
    site->files.root = -1;
}

int http_open_format(const char **format, struct tapir_error *error)
{
    const char *named = http_log_format(*format ? *format : "common");
    const char *unknown = named ? NULL : http_log_unknown(*format);

    if (unknown)
        return http_failed(error, EINVAL, "bad format of the access log", unknown,
                           "use common, combined, json, or variables like $status");
    if (named)
        *format = named;
    return 0;
}

int http_open_files(struct http_files *files, const struct tapir_http_server *config,
                    struct tapir_error *error)
{
    const char *dir = config->dir;
    char what[128];
    int err = dir ? -http_files_open(files, dir) : 0;

    files->anywhere = config->follow_links;
    if (err == 0)
        return 0;
    snprintf(what, sizeof what, "cannot serve %.100s", dir);
    if (err == ENOTDIR)
        return http_failed(error, err, what, "a directory is served, not a file",
                           "name the directory that the file is in");
    if (err == ENOENT)
        return http_failed(error, err, what, "there is no such directory",
                           "check the path; make the directory with mkdir -p");
    return http_failed(error, err, what, "the directory cannot be opened",
                       "check its permissions");
}

static int listen_failed(uint16_t port, struct tapir_error *error, int err)
{
    char what[128];

    snprintf(what, sizeof what, "cannot listen on port %u", port);
    if (err == EADDRINUSE)
        return http_failed(error, err, what, "something else listens on that port",
                           "stop it, or choose another port with --port");
    if (err == EACCES)
        return http_failed(error, err, what, "ports below 1024 need a privilege here",
                           "choose another port with --port 8080");
    if (err == EADDRNOTAVAIL)
        return http_failed(error, err, what, "the address is not one of this host's",
                           "check --bind and --addr");
    return http_failed(error, err, what, "", "");
}

int http_open_listener(const char *addr, uint16_t port, struct tapir_error *error)
{
    union endpoint at = names_any(port);
    int one = 1, zero = 0, err, fd;

    if (addr && !endpoint_parse(addr, port, &at))
        return http_failed(error, EINVAL, "bad address to listen on", addr,
                           "use 192.0.2.2");
    fd = tapir_socket(at.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 && errno == EAFNOSUPPORT)
        return http_failed(error, errno, "cannot listen on an IPv6 address",
                           "IPv6 is not built yet over our own stack",
                           "use an IPv4 address, or --link kernel");
    if (fd < 0)
        return http_failed(error, errno, "cannot open a socket", "", "");
    tapir_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (at.any.sa_family == AF_INET6)
        tapir_setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
    if (tapir_bind(fd, &at.any, endpoint_len(&at)) == 0 &&
        tapir_listen(fd, BACKLOG) == 0)
        return fd;
    err = errno;
    tapir_close(fd);
    return listen_failed(port, error, err);
}

int http_open_watch(int epoll, int fd, void *mark)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = mark };

    return tapir_epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

int http_open_stop(int epoll, int fd, void *mark, struct tapir_error *error)
{
    if (fd < 0 || http_open_watch(epoll, fd, mark) == 0)
        return 0;
    return http_failed(
        error, errno, "cannot wait for the descriptor that says stop",
        "stop_fd is no open descriptor, or one that poll cannot wait for",
        "give a pipe or an eventfd; 0 for none");
}
