/* Calls that move data; the data itself is in pieces.c. */
#include "calls.h"
#include "pieces.h"

/* The buffer of the call, which is its second argument, its size the third. */
static void one_piece(struct calling *c, struct pieces *p)
{
    p->n = 0;
    pieces_add(c, p, call_arg(c, 1), call_number(c, 2));
}

/* With MSG_TRUNC the text of a stream is thrown away, not given. */
static void finish(struct calling *c, struct pieces *p, int flags, ssize_t n)
{
    if (call_result(c, n) && !(flags & MSG_TRUNC))
        pieces_check(c, p, n);
}

/* ---- in ---- */

void do_read(struct calling *c)
{
    struct pieces p;
    int fd = call_fd(c, 0);

    one_piece(c, &p);
    pieces_prepare(&p);
    if (!c->failed)
        finish(c, &p, 0, tapir_read(fd, p.iov[0].iov_base, p.iov[0].iov_len));
    pieces_free(&p);
}

void do_recv(struct calling *c)
{
    struct pieces p;
    int fd = call_fd(c, 0), flags = (int)call_number(c, 3);

    one_piece(c, &p);
    pieces_prepare(&p);
    if (!c->failed)
        finish(c, &p, flags,
               tapir_recv(fd, p.iov[0].iov_base, p.iov[0].iov_len, flags));
    pieces_free(&p);
}

void do_recvfrom(struct calling *c)
{
    struct sockaddr_in addr;
    socklen_t len = sizeof addr;
    struct pieces p;
    int fd = call_fd(c, 0), flags = (int)call_number(c, 3);

    one_piece(c, &p);
    pieces_prepare(&p);
    if (!c->failed)
        finish(c, &p, flags,
               tapir_recvfrom(fd, p.iov[0].iov_base, p.iov[0].iov_len, flags,
                              (struct sockaddr *)&addr, &len));
    pieces_free(&p);
}

void do_readv(struct calling *c)
{
    struct pieces p = { .n = 0 };
    int fd = call_fd(c, 0);

    pieces_make(c, call_arg(c, 1), &p);
    pieces_prepare(&p);
    if (call_number(c, 2) != p.n)
        call_fail(c, "there are %d pieces", p.n);
    if (!c->failed)
        finish(c, &p, 0, tapir_readv(fd, p.iov, p.n));
    pieces_free(&p);
}

/* ---- out ---- */

void do_write(struct calling *c)
{
    struct pieces p;
    int fd = call_fd(c, 0);

    one_piece(c, &p);
    if (!c->failed)
        call_result(c, tapir_write(fd, p.iov[0].iov_base, p.iov[0].iov_len));
    pieces_free(&p);
}

void do_send(struct calling *c)
{
    struct pieces p;
    int fd = call_fd(c, 0), flags = (int)call_number(c, 3);

    one_piece(c, &p);
    if (!c->failed)
        call_result(c, tapir_send(fd, p.iov[0].iov_base, p.iov[0].iov_len, flags));
    pieces_free(&p);
}

void do_sendto(struct calling *c)
{
    struct sockaddr_in addr;
    struct pieces p;
    int fd = call_fd(c, 0), flags = (int)call_number(c, 3);
    bool nobody = expr_is_null(call_arg(c, 4));
    socklen_t len = nobody ? 0 : call_address(c, 4, &addr, false);

    struct flow *f = call_flow(c->run, (int)call_number(c, 0));
    if (f && !nobody && (flags & MSG_FASTOPEN))
        call_connects(c, f, &addr);
    one_piece(c, &p);
    if (!c->failed)
        call_result(c, tapir_sendto(fd, p.iov[0].iov_base, p.iov[0].iov_len, flags,
                                    nobody ? NULL : (struct sockaddr *)&addr, len));
    pieces_free(&p);
}

void do_writev(struct calling *c)
{
    struct pieces p = { .n = 0 };
    int fd = call_fd(c, 0);

    pieces_make(c, call_arg(c, 1), &p);
    if (call_number(c, 2) != p.n)
        call_fail(c, "there are %d pieces", p.n);
    if (!c->failed)
        call_result(c, tapir_writev(fd, p.iov, p.n));
    pieces_free(&p);
}
