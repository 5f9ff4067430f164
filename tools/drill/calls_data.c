/* Calls that move data. What a script sends is zeros, and what it receives is compared
 * with zeros: so that each byte is checked without a word about it. */
#include "calls.h"

#include <stdlib.h>
#include <string.h>

enum { COUNT_MAX = 64 << 20, PIECES_MAX = 64 };

/* A buffer of the call; NULL where the script has NULL. */
struct buffer {
    char *at;
    size_t len;
};

static struct buffer make_buffer(struct calling *c, const struct expr *e,
                                 long long count)
{
    struct buffer b = { 0 };

    if (count < 0 || count > COUNT_MAX) {
        call_fail(c, "a script moves 0 to %d bytes at once", COUNT_MAX);
        return b;
    }
    b.len = (size_t)count;
    if (expr_is_null(e)) {
        if (b.len)
            call_fail(c, "a bad address cannot be told apart here (EFAULT)");
        return b;
    }
    b.at = calloc(1, b.len + 1);
    if (!b.at)
        call_fail(c, "no memory for the data");
    else if (e && e->kind == EXPR_STRING)
        memcpy(b.at, e->text, e->len < b.len ? e->len : b.len);
    return b;
}

/* Fills it with something that is no zero, so that what arrives is seen. */
static void prepare(struct buffer *b)
{
    if (b->at)
        memset(b->at, 0xa5, b->len);
}

/* The first n bytes are the payload. */
static void check_data(struct calling *c, const struct expr *e, const struct buffer *b,
                       long long n)
{
    size_t len = n > 0 ? (size_t)n : 0;

    if (c->failed || !b->at || len > b->len)
        return;
    if (e && e->kind == EXPR_STRING) {
        if (len < e->len || memcmp(b->at, e->text, e->len) != 0)
            call_fail(c, "the data is another one");
        return;
    }
    for (size_t i = 0; i < len; i++) {
        if (b->at[i] == 0)
            continue;
        call_fail(c, "byte %zu of the data is not what was sent", i);
        return;
    }
}

/* ---- in ---- */

static void receive(struct calling *c, bool with_flags)
{
    int fd = call_fd(c, 0);
    int flags = with_flags ? (int)call_number(c, 3) : 0;
    struct buffer b = make_buffer(c, call_arg(c, 1), call_number(c, 2));
    ssize_t n;

    if (!c->failed) {
        prepare(&b);
        n = with_flags ? tapir_recv(fd, b.at, b.len, flags)
                       : tapir_read(fd, b.at, b.len);
        if (call_result(c, n))
            check_data(c, call_arg(c, 1), &b, n);
    }
    free(b.at);
}

void do_read(struct calling *c)
{
    receive(c, false);
}

void do_recv(struct calling *c)
{
    receive(c, true);
}

void do_recvfrom(struct calling *c)
{
    struct sockaddr_in addr;
    socklen_t len = sizeof addr;
    int fd = call_fd(c, 0), flags = (int)call_number(c, 3);
    struct buffer b = make_buffer(c, call_arg(c, 1), call_number(c, 2));
    ssize_t n;

    if (!c->failed) {
        prepare(&b);
        n = tapir_recvfrom(fd, b.at, b.len, flags, (struct sockaddr *)&addr, &len);
        if (call_result(c, n))
            check_data(c, call_arg(c, 1), &b, n);
    }
    free(b.at);
}

/* ---- out ---- */

static void deliver(struct calling *c, bool with_flags)
{
    int fd = call_fd(c, 0);
    int flags = with_flags ? (int)call_number(c, 3) : 0;
    struct buffer b = make_buffer(c, call_arg(c, 1), call_number(c, 2));

    if (!c->failed)
        call_result(c, with_flags ? tapir_send(fd, b.at, b.len, flags)
                                  : tapir_write(fd, b.at, b.len));
    free(b.at);
}

void do_write(struct calling *c)
{
    deliver(c, false);
}

void do_send(struct calling *c)
{
    deliver(c, true);
}

void do_sendto(struct calling *c)
{
    struct sockaddr_in addr;
    int fd = call_fd(c, 0), flags = (int)call_number(c, 3);
    struct buffer b = make_buffer(c, call_arg(c, 1), call_number(c, 2));
    bool nobody = expr_is_null(call_arg(c, 4));
    socklen_t len = nobody ? 0 : call_address(c, 4, &addr, false);

    if (!c->failed)
        call_result(c, tapir_sendto(fd, b.at, b.len, flags,
                                    nobody ? NULL : (struct sockaddr *)&addr, len));
    free(b.at);
}

/* ---- in pieces: [{..., 100}, {..., 200}] ---- */

static int make_pieces(struct calling *c, const struct expr *list, struct iovec *iov)
{
    int n = 0;

    if (!list || list->kind != EXPR_LIST) {
        call_fail(c, "the pieces are a list, as [{..., 100}]");
        return 0;
    }
    for (const struct expr *e = list->parts; e && !c->failed; e = e->next) {
        const struct expr *count = e->kind == EXPR_STRUCT && e->parts ? e->parts->next
                                                                      : NULL;
        struct buffer b;

        if (n == PIECES_MAX) {
            call_fail(c, "there are more than %d pieces", PIECES_MAX);
            break;
        }
        b = make_buffer(c, e->parts, expr_number(c, count));
        iov[n++] = (struct iovec){ .iov_base = b.at, .iov_len = b.len };
    }
    return n;
}

static void in_pieces(struct calling *c, bool in)
{
    struct iovec iov[PIECES_MAX];
    int fd = call_fd(c, 0), n = make_pieces(c, call_arg(c, 1), iov);
    int count = (int)call_number(c, 2);
    ssize_t moved;

    if (count > n)
        call_fail(c, "there are %d pieces, not %d", n, count);
    if (!c->failed) {
        moved = in ? tapir_readv(fd, iov, count) : tapir_writev(fd, iov, count);
        call_result(c, moved);
    }
    for (int i = 0; i < n; i++)
        free(iov[i].iov_base);
}

void do_readv(struct calling *c)
{
    in_pieces(c, true);
}

void do_writev(struct calling *c)
{
    in_pieces(c, false);
}
