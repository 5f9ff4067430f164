/* A file is made when its first byte comes, or at the end of an empty answer, so a
 * fetch that fails before leaves nothing behind; what came of one that fails later
 * stays, unless --remove-on-error. Bytes are written as they come, so an interrupted
 * fetch leaves what it had. Progress is shown on a terminal, while the body goes
 * elsewhere. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "get.h"

enum {
    SHOW_EVERY = 200000, /* microseconds */
    NAMES_TRIED = 100,   /* "name.1" to "name.100" */
};

const char get_remote_name[] = "";

/* --- its name --- */

/* The last segment of the URL's path, as it is typed, for the caller to free; NULL: no
 * memory. A path without one is "curl_response", as curl has it. */
static char *remote_name(const char *url)
{
    const char *at = strstr(url, "://");
    size_t end, from;

    at = at ? at + 3 : url;
    at += strcspn(at, "/?#");
    end = strcspn(at, "?#");
    while (end > 1 && at[end - 1] == '/')
        end--;
    from = end;
    while (from > 0 && at[from - 1] != '/')
        from--;
    if (from == end || strncmp(at + from, "..", end - from) == 0)
        return strdup("curl_response");
    return strndup(at + from, end - from);
}

bool get_output_folders(const char *path)
{
    char *copy = strdup(path);
    bool ok = copy != NULL;

    for (char *at = copy; ok && (at = strchr(at + 1, '/'));) {
        *at = '\0';
        ok = mkdir(copy, 0750) == 0 || errno == EEXIST;
        *at = '/';
    }
    free(copy);
    return ok;
}

bool get_output_name(struct get_transfer *t, const char *name)
{
    const char *folder = t->group->directory;
    size_t room = (folder ? strlen(folder) : 0) + strlen(name) + 2;
    char *path = malloc(room);

    if (!path)
        return false;
    snprintf(path, room, "%s%s%s", folder ? folder : "", folder ? "/" : "", name);
    free(t->path);
    t->path = path;
    return true;
}

/* -C -: what is there already. */
static void find_end(struct get_transfer *t)
{
    struct stat st;

    t->keep = t->group->http.resume;
    if (t->group->resume_auto)
        t->keep = t->path && stat(t->path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

int get_output_begin(struct get_transfer *t)
{
    bool remote = t->output == get_remote_name;
    bool named = t->output && (remote || strcmp(t->output, "-") != 0);
    char *name = remote ? remote_name(t->url) : NULL;
    bool ok = !named || get_output_name(t, remote ? (name ? name : "") : t->output);

    free(name);
    if (!ok) {
        tell("(27) Out of memory", NULL, NULL);
        return 27;
    }
    if (!get_head_begin(t)) {
        tell("(23) Failed to open the file of -D", strerror(errno), "");
        return 23;
    }
    t->fd = -1;
    t->skipped = t->group->skip_existing && t->path && access(t->path, F_OK) == 0;
    find_end(t);
    return 0;
}

/* --- writing --- */

/* A name that is not taken yet: "name", "name.1" ... */
static int open_new(struct get_transfer *t)
{
    const int how = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
    char name[4096];
    int fd = open(t->path, how, 0666);

    for (int i = 1; fd < 0 && errno == EEXIST && t->group->no_clobber; i++) {
        if (i > NAMES_TRIED)
            return -1;
        snprintf(name, sizeof name, "%s.%d", t->path, i);
        fd = open(name, how, 0666);
        if (fd >= 0) {
            free(t->path);
            t->path = strdup(name);
        }
    }
    return fd;
}

static bool open_output(struct get_transfer *t)
{
    int how = t->keep ? O_APPEND : O_TRUNC;

    if (t->fd >= 0 || t->write_error)
        return t->fd >= 0;
    if (t->path && t->group->create_dirs && !get_output_folders(t->path))
        t->fd = -1;
    else if (!t->path)
        t->fd = STDOUT_FILENO;
    else if (t->group->no_clobber || t->path_is_theirs) /* never over another file */
        t->fd = open_new(t);
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

bool get_output_write(struct get_transfer *t, const char *at, size_t len, bool body)
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
        t->written += body ? (uint64_t)n : 0;
    }
    show(t);
    return true;
}

void get_output_again(struct get_transfer *t)
{
    if (t->group->resume_auto && t->path) {
        find_end(t);
        return;
    }
    /* As in curl, heads of a try without a body stay. */
    if (t->written > 0 && t->fd >= 0 && t->fd != STDOUT_FILENO &&
        ftruncate(t->fd, (off_t)t->keep) == 0)
        lseek(t->fd, (off_t)t->keep, SEEK_SET);
    t->written = 0;
}

/* Only what begins with this transfer is taken back whole; a copy of the heads is not.
 */
bool get_output_anew(struct get_transfer *t)
{
    if (t->group->head_file || t->keep > 0 || t->write_error)
        return false;
    if (t->fd >= 0 && (t->fd == STDOUT_FILENO || ftruncate(t->fd, 0) < 0 ||
                       lseek(t->fd, 0, SEEK_SET) < 0))
        return false;
    t->written = 0;
    return true;
}

bool get_output_end(struct get_transfer *t, bool due, bool failed)
{
    bool ok = !due || open_output(t);
    struct timespec times[2] = { { .tv_nsec = UTIME_NOW }, { .tv_sec = t->modified } };
    int fd = t->fd;

    if (t->progress)
        fputc('\n', stderr);
    t->progress = false;
    t->fd = -1;
    if (fd < 0 || fd == STDOUT_FILENO)
        return ok;
    if (failed && t->group->remove_on_error)
        unlink(t->path);
    if (t->group->remote_time && t->modified)
        futimens(fd, times);
    if (close(fd) == 0) /* a full disk may tell it as late as that */
        return ok;
    t->write_error = errno;
    return false;
}
