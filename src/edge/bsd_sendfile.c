/* sendfile(2) for a socket of ours: a piece of the file is read to where the send
 * buffer has room, and sent, until all went, the file ends, or the socket takes no
 * more. The kernel hands its pages over instead; here a segment that is sent again must
 * say what it said, also when the file has changed since.
 *
 * Where the disk would have to be waited for (RWF_NOWAIT), a piece is read into a
 * buffer first, outside of the stack's lock, so that only this caller waits.
 *
 * Pieces behind which the file goes on are sent as with MSG_MORE, so that no segment is
 * cut where one of them ends. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/bytes.h"
#include "edge/bsd.h"

enum {
    PIECE = 128 * 1024,     /* bytes read into a buffer */
    COUNT_MAX = 0x7ffff000, /* bytes of one call, as on Linux */
};

/* What a call has still to send: [at, end) of a file. */
struct part {
    struct tcp_source source;
    int in;
    int how; /* RWF_NOWAIT, or 0: who runs in virtual time may wait for a disk */
    off_t at, end;
    off_t size; /* of the file, when the call began */
};

static bool is_ours(int fd)
{
    struct file *f = file_get(fd);

    if (f)
        file_put(f);
    return f != NULL;
}

/* A regular file that may be read? Its size, or negative errno. */
static off_t size_of(int in)
{
    int flags = fcntl(in, F_GETFL);
    struct stat st;

    if (flags < 0 || fstat(in, &st) < 0)
        return -errno;
    if ((flags & O_ACCMODE) == O_WRONLY)
        return -EBADF;
    return is_ours(in) || !S_ISREG(st.st_mode) ? -EINVAL : st.st_size;
}

/* What is left of it, as far as the file reached when the call began. */
static size_t left(const struct part *p)
{
    off_t end = p->end < p->size ? p->end : p->size;

    return p->at < end ? (size_t)(end - p->at) : 0;
}

/* --- in place -------------------------------------------------------------------- */

/* -ENODATA: the disk would have to be waited for. */
static ssize_t read_in_place(struct tcp_source *s, const struct room *to, int n)
{
    const struct part *p = (struct part *)(void *)s;
    struct iovec iov[2];
    ssize_t got;

    for (int i = 0; i < n; i++)
        iov[i] = (struct iovec){ to[i].at, to[i].len };
    got = preadv2(p->in, iov, n, p->at, p->how);
    if (got >= 0)
        return got;
    return errno == EAGAIN || errno == EOPNOTSUPP ? -ENODATA : -errno;
}

/* Sends until all went (0), or why it cannot go on. */
static ssize_t send_in_place(struct call *c, struct part *p)
{
    /* Text that opens a connection has a way of its own. */
    ssize_t r = sock_opens(c->sock, 0) ? -ENODATA : 1;

    p->how = c->t->sim ? 0 : RWF_NOWAIT;
    while (r > 0 && p->at < p->end) {
        r = left(p) > 0 ? sock_send_from(c->sock, &p->source, left(p)) : -ENODATA;
        if (r > 0)
            p->at += r;
        if (r == -EAGAIN && (r = call_wait(c)) == 0)
            r = 1;
    }
    return r < 0 ? r : 0;
}

static ssize_t send_ready(int out, struct part *p)
{
    off_t from = p->at;
    struct call c;
    ssize_t r = call_enter(&c, out, CALL_SEND);

    if (r)
        return r > 0 ? -EBADF : r;
    r = send_in_place(&c, p);
    if (p->at > from)
        call_say(&c, "sendfile(%d, %zu)", out, (size_t)(p->end - from));
    call_leave(&c, p->at > from ? p->at - from : r);
    return r;
}

/* --- by way of a buffer ---------------------------------------------------------- */

/* One piece: 0, also at the file's end; or negative errno. */
static ssize_t send_read(int out, struct part *p)
{
    size_t n = min_size((size_t)(p->end - p->at), PIECE);
    char *piece = malloc(n);
    ssize_t got, went = 0;

    if (!piece)
        return -ENOMEM;
    got = pread(p->in, piece, n, p->at);
    if (got > 0)
        went = tapir_send(out, piece, (size_t)got,
                          left(p) > (size_t)got ? MSG_MORE : 0);
    if (got < 0 || went < 0)
        went = -errno;
    free(piece);
    p->at += went > 0 ? went : 0;
    if (got == 0)
        p->end = p->at;
    return went >= 0 && went < got ? -EAGAIN : went;
}

/* --------------------------------------------------------------------------------- */

/* Sends all of it: how many bytes went, or negative errno if none could. */
static ssize_t send_part(int out, struct part *p)
{
    off_t from = p->at;
    ssize_t r;

    do {
        r = send_ready(out, p);
        if (r == -ENODATA || r == -EOPNOTSUPP)
            r = send_read(out, p);
        else if (r == 0)
            break;
    } while (r >= 0 && p->at < p->end);
    return p->at > from ? p->at - from : r;
}

ssize_t tapir_sendfile(int out, int in, off_t *offset, size_t n)
{
    struct part p = { .source = { read_in_place }, .in = in };
    ssize_t sent;

    if (!is_ours(out))
        return sendfile(out, in, offset, n);
    p.size = size_of(in);
    p.at = offset ? *offset : 0;
    if (p.size >= 0 && !offset)
        p.at = lseek(in, 0, SEEK_CUR);
    if (p.size < 0 || p.at < 0)
        return bsd_result(p.size < 0 ? (ssize_t)p.size : -EINVAL);
    if (n == 0)
        return 0;
    p.end = p.at + (off_t)min_size(n, COUNT_MAX);
    sent = send_part(out, &p);
    if (sent > 0 && offset)
        *offset = p.at;
    else if (sent > 0)
        lseek(in, p.at, SEEK_SET);
    return bsd_result(sent);
}
