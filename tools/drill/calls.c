/* The table, arguments and results. A number of the script is looked up among the
 * descriptors that it has opened; the real ones are whatever the stack gave. */
#include "calls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/bytes.h"
#include "symbols.h"

static const struct {
    const char *name;
    size_t n_args;
    void (*make)(struct calling *c);
} table[] = {
    { "socket", 3, do_socket },
    { "bind", 3, do_bind },
    { "listen", 2, do_listen },
    { "connect", 3, do_connect },
    { "accept", 3, do_accept },
    { "accept4", 4, do_accept4 },
    { "close", 1, do_close },
    { "shutdown", 2, do_shutdown },
    { "getsockname", 3, do_getsockname },
    { "getpeername", 3, do_getpeername },
    { "fcntl", 0, do_fcntl }, /* two or three */
    { "read", 3, do_read },
    { "readv", 3, do_readv },
    { "recv", 4, do_recv },
    { "recvfrom", 6, do_recvfrom },
    { "write", 3, do_write },
    { "writev", 3, do_writev },
    { "send", 4, do_send },
    { "sendto", 6, do_sendto },
    { "recvmsg", 3, do_recvmsg },
    { "sendmsg", 3, do_sendmsg },
    { "ioctl", 3, do_ioctl },
    { "getsockopt", 5, do_getsockopt },
    { "setsockopt", 5, do_setsockopt },
    { "poll", 3, do_poll },
    { "epoll_create", 1, do_epoll_create },
    { "epoll_create1", 1, do_epoll_create },
    { "epoll_ctl", 4, do_epoll_ctl },
    { "epoll_wait", 4, do_epoll_wait },
};

void call_fail(struct calling *c, const char *format, ...)
{
    char what[300];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    c->failed = true;
    if (c->run->settings.lenient_calls) /* --non_fatal=syscall */
        run_note(c->run, c->event->line, "%s(): %s", c->line->name, what);
    else
        run_fail(c->run, c->event, "%s(): %s", c->line->name, what);
}

void run_call(struct run *r, const struct event *e)
{
    struct calling c = { .run = r, .event = e, .line = e->call };
    size_t i = 0;

    while (i < ARRAY_LEN(table) && strcmp(table[i].name, c.line->name) != 0)
        i++;
    if (i == ARRAY_LEN(table))
        call_fail(&c, "this call is not built yet");
    else if (table[i].n_args && table[i].n_args != c.line->n_args)
        call_fail(&c, "it takes %zu arguments, not %zu", table[i].n_args,
                  c.line->n_args);
    else
        table[i].make(&c);
}

/* ---- arguments ---- */

const struct expr *call_arg(const struct calling *c, size_t i)
{
    const struct expr *e = c->line->args;

    while (e && i-- > 0)
        e = e->next;
    return e;
}

const struct expr *expr_part(const struct expr *e, const char *name)
{
    const struct expr *part = e->parts;

    while (part && !(part->name && strcmp(part->name, name) == 0))
        part = part->next;
    return part;
}

bool expr_is_any(const struct expr *e)
{
    return e && e->kind == EXPR_ANY;
}

bool expr_is_null(const struct expr *e)
{
    return e && e->kind == EXPR_WORD && strcmp(e->text, "NULL") == 0;
}

/* A number that is no combination. */
static long long single_number(struct calling *c, const struct expr *e)
{
    long long n = 0;

    if (!e)
        call_fail(c, "an argument is missing");
    else if (e->kind == EXPR_NUMBER)
        n = e->number;
    else if (e->kind == EXPR_CALL && strcmp(e->text, "htons") == 0 && e->parts)
        n = e->parts->number;
    else if (e->kind != EXPR_WORD)
        call_fail(c, "a number is needed");
    else if (!symbol_find(e->text, &n))
        call_fail(c, "there is no %s", e->text);
    return n;
}

long long expr_number(struct calling *c, const struct expr *e)
{
    long long n = 0;

    if (!e || e->kind != EXPR_OR)
        return single_number(c, e);
    for (const struct expr *part = e->parts; part; part = part->next)
        n |= single_number(c, part);
    return n;
}

long long call_number(struct calling *c, size_t i)
{
    return expr_number(c, call_arg(c, i));
}

long long call_boxed(struct calling *c, size_t i)
{
    const struct expr *e = call_arg(c, i);

    if (e && e->kind == EXPR_LIST && e->parts && !e->parts->next)
        return expr_number(c, e->parts);
    call_fail(c, "argument %zu is one number in brackets", i + 1);
    return 0;
}

int expr_fd(struct calling *c, const struct expr *e)
{
    int script = (int)expr_number(c, e);

    for (size_t i = c->run->n_fds; i > 0; i--)
        if (c->run->fds[i - 1].script == script)
            return c->run->fds[i - 1].fd;
    return -1; /* EBADF, which may be what the script wants */
}

int call_fd(struct calling *c, size_t i)
{
    return expr_fd(c, call_arg(c, i));
}

/* {sa_family=AF_INET, sin_port=htons(8080), sin_addr=inet_addr("192.0.2.1")} */
static void read_address(struct calling *c, const struct expr *e,
                         struct sockaddr_in *out)
{
    const struct expr *addr = expr_part(e, "sin_addr");

    out->sin_family = (sa_family_t)expr_number(c, expr_part(e, "sa_family"));
    out->sin_port = htons((uint16_t)expr_number(c, expr_part(e, "sin_port")));
    if (!addr || addr->kind != EXPR_CALL || !addr->parts ||
        addr->parts->kind != EXPR_STRING ||
        inet_pton(AF_INET, addr->parts->text, &out->sin_addr) != 1)
        call_fail(c, "an address is sin_addr=inet_addr(\"192.0.2.1\")");
}

void call_default_address(const struct calling *c, struct sockaddr_in *out, bool local)
{
    const struct settings *s = &c->run->settings;

    memset(out, 0, sizeof *out);
    out->sin_family = AF_INET;
    out->sin_port = htons(local ? s->bind_port : s->connect_port);
    out->sin_addr.s_addr = htonl(ip4_num(local ? s->local : s->remote));
}

socklen_t call_address(struct calling *c, size_t i, struct sockaddr_in *out, bool local)
{
    const struct expr *e = call_arg(c, i);

    memset(out, 0, sizeof *out);
    if (expr_is_any(e)) {
        call_default_address(c, out, local);
    } else if (e && e->kind == EXPR_STRUCT) {
        read_address(c, e, out);
    } else {
        out->sin_family = (sa_family_t)expr_number(c, e);
    }
    return sizeof *out;
}

/* ---- results ---- */

static void tell_result(struct calling *c, const char *wanted, long long result,
                        int error)
{
    struct verdict *v = c->run->verdict;

    if (c->run->failed || c->run->over)
        return;
    snprintf(v->expected, sizeof v->expected, "%s() = %s%s%s", c->line->name, wanted,
             c->line->error ? " " : "", c->line->error ? c->line->error : "");
    snprintf(v->actual, sizeof v->actual, "%s() = %lld%s%s", c->line->name, result,
             error ? " " : "", error ? errno_symbol(error) : "");
}

bool call_result(struct calling *c, long long result)
{
    int error = result < 0 ? errno : 0;
    const struct expr *want = c->line->result;
    long long wanted, wanted_error = 0;
    char text[32];

    if (c->failed)
        return false;
    if (expr_is_any(want))
        return true;
    wanted = expr_number(c, want);
    if (c->line->error && !symbol_find(c->line->error, &wanted_error))
        call_fail(c, "there is no errno %s", c->line->error);
    if (result == wanted && (!wanted_error || wanted_error == error))
        return !c->failed;
    snprintf(text, sizeof text, "%lld", wanted);
    tell_result(c, text, result, error);
    call_fail(c, "the result is another one");
    return false;
}

bool call_new_fd(struct calling *c, int fd)
{
    struct run *r = c->run;
    long long wanted = expr_is_any(c->line->result) ? fd
                                                    : expr_number(c, c->line->result);

    if (fd < 0 || wanted < 0)
        return call_result(c, fd) && false;
    if (r->n_fds == RUN_FDS) {
        call_fail(c, "the script has too many descriptors open");
        return false;
    }
    call_forget_fd(r, (int)wanted);
    r->fds[r->n_fds++] = (struct run_fd){ .script = (int)wanted, .fd = fd };
    return !c->failed;
}

void call_compare(struct calling *c, const char *what, const struct expr *expected,
                  long long actual)
{
    long long wanted;

    if (c->failed || expr_is_any(expected))
        return;
    wanted = expr_number(c, expected);
    if (!c->failed && wanted != actual)
        call_fail(c, "%s is %lld (0x%llx), not %lld (0x%llx)", what, actual,
                  (unsigned long long)actual, wanted, (unsigned long long)wanted);
}

void call_forget_fd(struct run *r, int script)
{
    size_t kept = 0;

    for (size_t i = 0; i < r->n_fds; i++)
        if (r->fds[i].script != script)
            r->fds[kept++] = r->fds[i];
    r->n_fds = kept;
}

struct flow *call_flow(struct run *r, int script)
{
    struct flow *f = r->flows;

    while (f && f->script_fd != script)
        f = f->next;
    return f;
}
