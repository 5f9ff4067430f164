/* sendfile(2) for a socket of ours: a piece of the file is read into one buffer and
 * sent, until all went, the file ends, or the socket takes no more. The kernel hands
 * its pages over instead; here a segment that is sent again must say what it said, also
 * when the file has changed since, so the send buffer has a copy.
 *
 * Pieces behind which the file goes on are sent with MSG_MORE, so that no segment is
 * cut where one of them ends. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "edge/bsd.h"

enum {
    PIECE = 128 * 1024,
    COUNT_MAX = 0x7ffff000, /* bytes of one call, as on Linux */
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

/* Sends up to n bytes from `at` on: how many went; -1 with errno if none could. */
static ssize_t send_from(int out, int in, off_t at, size_t n, off_t size)
{
    char *piece = malloc(min_size(n, PIECE));
    size_t done = 0;
    ssize_t got, went;
    int err;

    if (!piece)
        return bsd_result(-ENOMEM);
    do {
        size_t room = min_size(n - done, PIECE);
        off_t from = at + (off_t)done;
        bool more = room < n - done && from + (off_t)room < size;

        got = pread(in, piece, room, from);
        went = got > 0 ? tapir_send(out, piece, (size_t)got, more ? MSG_MORE : 0) : got;
        done += went > 0 ? (size_t)went : 0;
    } while (went > 0 && went == got && done < n);
    err = errno;
    free(piece);
    errno = err;
    return done > 0 ? (ssize_t)done : went;
}

ssize_t tapir_sendfile(int out, int in, off_t *offset, size_t n)
{
    off_t size, at = offset ? *offset : 0;
    ssize_t sent;

    if (!is_ours(out))
        return sendfile(out, in, offset, n);
    size = size_of(in);
    if (size >= 0 && !offset)
        at = lseek(in, 0, SEEK_CUR);
    if (size < 0 || at < 0)
        return bsd_result(size < 0 ? (ssize_t)size : -EINVAL);
    if (n == 0)
        return 0;
    sent = send_from(out, in, at, min_size(n, COUNT_MAX), size);
    if (sent > 0 && offset)
        *offset = at + sent;
    else if (sent > 0)
        lseek(in, at + sent, SEEK_SET);
    return sent;
}
