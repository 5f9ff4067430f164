/* A port is opened by the kind that its name has; an inherited descriptor is asked what
 * it is. Everything else is a call through the port's table, once a frame. */
#include "edge/port.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "edge/explain.h"
#include "edge/stream.h"
#include "edge/tap.h"

static int refuse(struct tapir_error *e, const char *link, const char *cause,
                  const char *fix)
{
    char what[128];

    snprintf(what, sizeof what, "bad --link '%.80s'", link);
    explain(e, -EINVAL, what);
    explain_cause(e, "%s", cause);
    explain_fix(e, "%s", fix);
    return -EINVAL;
}

static int parse_fd(const char *link, struct port_setup *out, struct tapir_error *error)
{
    uint64_t n;

    if (!text_parse_u64(link + 3, INT32_MAX, &n))
        return refuse(error, link, "fd: takes the number of a descriptor",
                      "--link fd:3 3<>FILE, with FILE opened and set up by the caller");
    out->kind = PORT_FD;
    out->fd = (int)n;
    return 0;
}

int port_parse(const char *link, struct port_setup *out, struct tapir_error *error)
{
    if (strncmp(link, "fd:", 3) == 0)
        return parse_fd(link, out, error);
    if (strncmp(link, "tap:", 4) == 0) {
        out->kind = PORT_TAP;
        out->name = link + 4;
        if (*out->name && strlen(out->name) <= 15)
            return 0;
        return refuse(error, link, "a device name has 1 to 15 characters",
                      "--link tap:tap0");
    }
    if (strncmp(link, "unix:", 5) != 0)
        return -ENOENT;
    out->kind = PORT_UNIX;
    out->name = link + 5;
    if (*out->name && strlen(out->name) <= STREAM_PATH_MAX)
        return 0;
    return refuse(error, link, "the path of a socket has 1 to 107 characters",
                  "--link unix:/tmp/tapir.sock");
}

/* Of an inherited descriptor. */
static int adopt(void *room, const struct port_setup *setup, struct tapir_error *error)
{
    struct stat st;
    char what[64];
    int err;

    if (fstat(setup->fd, &st) == 0) {
        if (S_ISSOCK(st.st_mode))
            return stream_adopt(room, setup, error);
        return tap_adopt(room, setup, error);
    }
    snprintf(what, sizeof what, "cannot use descriptor %d as a link", setup->fd);
    err = explain(error, -errno, what);
    explain_cause(error, "the program that started this one left no descriptor %d open",
                  setup->fd);
    explain_fix(error, "open it before, without close-on-exec, and name its number");
    return err;
}

static int open_kind(void *room, const struct port_setup *setup,
                     struct tapir_error *error)
{
    switch (setup->kind) {
    case PORT_TAP:
        return tap_open(room, setup, error);
    case PORT_FD:
        return adopt(room, setup, error);
    case PORT_UNIX:
        return stream_open(room, setup, error);
    }
    return -EINVAL;
}

struct port *port_open(const struct port_setup *setup, struct tapir_error *error)
{
    union {
        struct port port;
        struct tap tap;
        struct stream stream;
    } *any = calloc(1, sizeof *any);
    int err = any ? open_kind(any, setup, error)
                  : explain(error, -ENOMEM, "cannot open the link");

    if (err == 0)
        return &any->port;
    free(any);
    errno = -err;
    return NULL;
}

void port_close(struct port *port)
{
    if (port)
        port->ops->close(port);
    free(port);
}

void port_die(struct port *port, const char *format, ...)
{
    va_list args;

    if (port->dead)
        return;
    port->dead = true;
    va_start(args, format);
    vsnprintf(port->why, sizeof port->why, format, args);
    va_end(args);
}
