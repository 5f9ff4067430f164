/* An answer's head and the first piece of its file leave in one send, with TCP_NODELAY:
 * two small writes would wait for the client's delayed ACK between them (RFC 896).
 *
 * A long file goes by sendfile, behind a head that waits for it (MSG_MORE): it is read
 * once, to where it is sent from, and as much at a time as the socket takes. */
#include "app/http_output.h"

#include <errno.h>

#include "base/bytes.h"
#include "tapir/socket.h"

enum {
    PIECE_MIN = 16 * 1024,  /* smallest piece of a file to read */
    LONG_FILE = 256 * 1024, /* bytes of a file that goes by sendfile */
};

void http_output_init(struct http_output *o, char *buffer)
{
    *o = (struct http_output){ .buffer = buffer, .piece = HTTP_OUTPUT_ROOM };
}

/* Of the `offered` bytes `sent` were taken: reads no more of the file than the socket
 * is likely to take, since the rest would be read again. */
static void learn(struct http_output *o, size_t offered, size_t sent)
{
    if (sent == offered)
        o->piece = min_size(2 * o->piece, HTTP_OUTPUT_ROOM);
    else
        o->piece = max_size(sent, PIECE_MIN);
}

/* What is left of a packet waits for the next piece of the file, if there is one. */
static int flags(bool more)
{
    return MSG_NOSIGNAL | (more ? MSG_MORE : 0);
}

/* What is left of the head, and what is read of the file behind it. */
static ssize_t send_bytes(struct http_output *o, int fd, const struct http_session *s,
                          size_t head, size_t *n)
{
    ssize_t got = http_session_output(s, o->buffer, o->piece);
    ssize_t sent;

    if (got < 0) {
        errno = EIO;
        return -1;
    }
    *n = (size_t)got;
    sent = tapir_send(fd, o->buffer, *n, flags(head + s->file_left > *n));
    if (sent >= 0)
        learn(o, *n, (size_t)sent);
    return sent;
}

/* What is left of the head, from where it lies. */
static ssize_t send_head(int fd, const struct http_session *s, size_t head, size_t *n)
{
    *n = head;
    return tapir_send(fd, s->out + s->out_sent, head, flags(s->file_left > 0));
}

static ssize_t send_file(int fd, const struct http_session *s, size_t *n)
{
    off_t at = (off_t)s->file_at;
    ssize_t sent;

    *n = (size_t)s->file_left;
    sent = tapir_sendfile(fd, s->file, &at, *n);
    if (sent != 0)
        return sent;
    errno = EIO;
    return -1;
}

ssize_t http_output_send(struct http_output *o, int fd, const struct http_session *s,
                         size_t *n)
{
    size_t head = s->out_len - s->out_sent;

    if (head > 0)
        o->long_file = s->file_left >= LONG_FILE;
    if (head == 0 && o->long_file)
        return send_file(fd, s, n);
    if (head > 0 && (o->long_file || s->file_left == 0))
        return send_head(fd, s, head, n);
    return send_bytes(o, fd, s, head, n);
}
