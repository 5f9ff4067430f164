/* Calls that make, connect and end sockets. The socket that is under test follows them:
 * one that is made, and one that is connected to when it is accepted. */
#include "calls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

void do_socket(struct calling *c)
{
    const struct expr *domain = call_arg(c, 0);
    int family = expr_is_any(domain) ? AF_INET : (int)expr_number(c, domain);
    int type = (int)call_number(c, 1), protocol = (int)call_number(c, 2);
    struct flow *f;
    int fd;

    if (c->failed)
        return;
    fd = tapir_socket(family, type, protocol);
    if (!call_new_fd(c, fd))
        return;
    f = run_new_flow(c->run, protocol == IPPROTO_UDP || (type & 0xf) == SOCK_DGRAM
                                 ? PACKET_UDP
                                 : PACKET_TCP);
    f->script_fd = (int)c->line->result->number;
    f->fd = fd;
}

void do_bind(struct calling *c)
{
    struct sockaddr_in addr;
    int fd = call_fd(c, 0);
    socklen_t len = call_address(c, 1, &addr, true);
    struct flow *f = call_flow(c->run, (int)call_number(c, 0));

    if (c->failed)
        return;
    if (call_result(c, tapir_bind(fd, (struct sockaddr *)&addr, len)) && f)
        f->local_port = ntohs(addr.sin_port);
}

void do_listen(struct calling *c)
{
    int fd = call_fd(c, 0), backlog = (int)call_number(c, 1);
    struct flow *f = call_flow(c->run, (int)call_number(c, 0));

    if (c->failed)
        return;
    if (call_result(c, tapir_listen(fd, backlog)) && f)
        f->state = FLOW_LISTENING;
}

/* Before the call: the SYN leaves while it waits. */
void call_connects(struct calling *c, struct flow *f, const struct sockaddr_in *to)
{
    if (to->sin_family != AF_INET || f->state != FLOW_NEW)
        return;
    f->state = FLOW_CONNECTING;
    f->remote_port = ntohs(to->sin_port);
    c->run->under_test = f;
}

void do_connect(struct calling *c)
{
    struct sockaddr_in addr;
    int fd = call_fd(c, 0);
    socklen_t len = call_address(c, 1, &addr, false);
    struct flow *f = call_flow(c->run, (int)call_number(c, 0));

    if (c->failed)
        return;
    if (f)
        call_connects(c, f, &addr);
    call_result(c, tapir_connect(fd, (struct sockaddr *)&addr, len));
}

/* The socket whose peer has this port is what was accepted. */
static void note_accepted(struct calling *c, int fd, const struct sockaddr_in *peer)
{
    struct flow *f = c->run->flows;

    while (f && !(f->fd < 0 && f->state >= FLOW_ARRIVED &&
                  f->remote_port == ntohs(peer->sin_port)))
        f = f->next;
    if (!f) {
        call_fail(c, "the connection is none that the script has opened");
        return;
    }
    f->script_fd = (int)c->line->result->number;
    f->fd = fd;
}

static void accept_with(struct calling *c, int flags)
{
    struct sockaddr_in peer = { 0 };
    socklen_t len = sizeof peer;
    int fd = call_fd(c, 0);

    if (c->failed)
        return;
    fd = tapir_accept4(fd, (struct sockaddr *)&peer, &len, flags);
    if (call_new_fd(c, fd))
        note_accepted(c, fd, &peer);
}

void do_accept(struct calling *c)
{
    accept_with(c, 0);
}

void do_accept4(struct calling *c)
{
    accept_with(c, (int)call_number(c, 3));
}

void do_close(struct calling *c)
{
    int script = (int)call_number(c, 0), fd = call_fd(c, 0);
    struct flow *f = call_flow(c->run, script);

    if (c->failed || !call_result(c, tapir_close(fd)))
        return;
    call_forget_fd(c->run, script);
    if (f)
        f->script_fd = f->fd = -1;
}

void do_shutdown(struct calling *c)
{
    int fd = call_fd(c, 0), how = (int)call_number(c, 1);

    if (!c->failed)
        call_result(c, tapir_shutdown(fd, how));
}

/* ---- names ---- */

static void compare_name(struct calling *c, const struct sockaddr_in *actual)
{
    struct sockaddr_in wanted;

    if (expr_is_any(call_arg(c, 1)))
        return;
    call_address(c, 1, &wanted, false);
    if (c->failed)
        return;
    if (wanted.sin_port != actual->sin_port ||
        wanted.sin_addr.s_addr != actual->sin_addr.s_addr)
        call_fail(c, "the name is another one: port %u", ntohs(actual->sin_port));
}

static void name_with(struct calling *c,
                      int (*name)(int, struct sockaddr *, socklen_t *))
{
    struct sockaddr_in addr = { 0 };
    socklen_t len = sizeof addr;
    int fd = call_fd(c, 0);

    if (!c->failed && call_result(c, name(fd, (struct sockaddr *)&addr, &len)) &&
        c->line->result->number == 0)
        compare_name(c, &addr);
}

void do_getsockname(struct calling *c)
{
    name_with(c, tapir_getsockname);
}

void do_getpeername(struct calling *c)
{
    name_with(c, tapir_getpeername);
}

void do_fcntl(struct calling *c)
{
    int fd = call_fd(c, 0), cmd = (int)call_number(c, 1);
    long arg = c->line->n_args > 2 ? (long)call_number(c, 2) : 0;

    if (!c->failed)
        call_result(c, tapir_fcntl(fd, cmd, arg));
}
