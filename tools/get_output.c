/* A file is made when its first byte comes, or at the end of an empty answer, so a
 * fetch that fails before leaves nothing behind; what came of one that fails later
 * stays. Bytes are written as they come, so an interrupted fetch leaves what it had.
 * Progress is shown on a terminal, while the body goes elsewhere. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "get.h"

enum { SHOW_EVERY = 200000 }; /* microseconds */

const char get_remote_name[] = "";

/* The last segment of the URL's path, as it is typed. False: it has none. */
static bool remote_name(const char *url, char *out, size_t cap)
{
    const char *at = strstr(url, "://");
    size_t end;

    at = strchr(at ? at + 3 : url, '/');
    if (!at)
        return false;
    end = strcspn(at, "?#");
    while (end > 0 && at[end - 1] != '/')
        end--;
    at += end;
    end = strcspn(at, "?#");
    if (end == 0 || end >= cap || strncmp(at, "..", end) == 0)
        return false;
    memcpy(out, at, end);
    out[end] = '\0';
    return true;
}

/* -C -: what is there already. */
static void find_end(struct get_transfer *t)
{
    struct stat st;

    t->keep = t->group->http.resume;
    if (t->group->resume_auto)
        t->keep = stat(t->path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

int get_output_begin(struct get_transfer *t)
{
    bool named = t->output && strcmp(t->output, "-") != 0;

    t->fd = -1;
    t->write_error = 0;
    t->keep = t->written = 0;
    t->shown = 0;
    t->path[0] = '\0';
    if (t->output == get_remote_name) {
        if (remote_name(t->url, t->path, sizeof t->path)) {
            find_end(t);
            return 0;
        }
        tell("(23) Remote file name has no length!",
             "the URL does not end in the name of a file", "-o FILE");
        return 23;
    }
    if (named)
        snprintf(t->path, sizeof t->path, "%s", t->output);
    find_end(t);
    return 0;
}

static bool open_output(struct get_transfer *t)
{
    int how = t->keep ? O_APPEND : O_TRUNC;

    if (t->fd >= 0 || t->write_error)
        return t->fd >= 0;
    if (t->path[0] == '\0')
        t->fd = STDOUT_FILENO;
    else
        t->fd = open(t->path, O_WRONLY | O_CREAT | how | O_CLOEXEC, 0666);
    if (t->fd < 0)
        t->write_error = errno;
    return t->fd >= 0;
}

static void show(struct get_transfer *t)
{
    const struct get *g = t->get;
    int64_t now = tapir_now();

    if (g->silent || g->no_progress || g->parallel || now - t->shown < SHOW_EVERY ||
        !isatty(STDERR_FILENO) || isatty(t->fd))
        return;
    fprintf(stderr, "\r%12llu bytes", (unsigned long long)(t->keep + t->written));
    t->shown = now;
    t->progress = true;
}

bool get_output_write(struct get_transfer *t, const char *at, size_t len)
{
    if (!open_output(t))
        return false;
    while (len > 0) {
        ssize_t n = write(t->fd, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            t->write_error = errno;
            return false;
        }
        at += n;
        len -= (size_t)n;
        t->written += (uint64_t)n;
    }
    show(t);
    return true;
}

void get_output_again(struct get_transfer *t)
{
    if (t->fd >= 0 && t->fd != STDOUT_FILENO && ftruncate(t->fd, (off_t)t->keep) == 0)
        lseek(t->fd, (off_t)t->keep, SEEK_SET);
    t->written = 0;
}

bool get_output_end(struct get_transfer *t, bool done)
{
    bool ok = !done || open_output(t);
    int fd = t->fd;

    if (t->progress)
        fputc('\n', stderr);
    t->progress = false;
    t->fd = -1;
    if (fd < 0 || fd == STDOUT_FILENO)
        return ok;
    if (close(fd) == 0) /* a full disk may tell it as late as that */
        return ok;
    t->write_error = errno;
    return false;
}
