/* Names come here decoded and without "..": what could still lead out of the directory
 * is a symbolic link. openat2(RESOLVE_BENEATH) lets the kernel watch every step of the
 * walk, so nothing can be exchanged between a check and its use. Where it is missing
 * (before Linux 5.6, or filtered), the file is opened first and then asked where it
 * really lies: the answer is about the descriptor, so it cannot be raced either.
 *
 * O_NONBLOCK: opening a FIFO must not wait for its writer. */
#include "app/http_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NS_A_SECOND INT64_C(1000000000)

enum {
    OPEN_FLAGS = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
    OPEN_TRIES = 4, /* EAGAIN: the kernel could not be sure because of a rename */
};

static int open_beneath(int root, const char *name, int flags)
{
    struct open_how how = { .flags = (unsigned)flags,
                            .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
    long fd = -1;

    for (int i = 0; i < OPEN_TRIES; i++) {
        fd = syscall(SYS_openat2, root, name, &how, sizeof how);
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
            break;
    }
    return fd < 0 ? -errno : (int)fd;
}

/* The real path of what is open: in `out`, or -errno. */
static int real_path(int fd, char *out, size_t cap)
{
    char link[32];
    ssize_t n;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, out, cap - 1);
    if (n < 0)
        return -errno;
    out[n] = '\0';
    return 0;
}

static bool lies_below(const char *root, const char *path)
{
    size_t n = strlen(root);

    if (n == 1)
        return true; /* "/" */
    return strncmp(path, root, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

static int open_and_ask(const struct http_files *files, const char *name, int flags)
{
    char path[PATH_MAX];
    int fd = openat(files->root, name, flags);
    int err;

    if (fd < 0)
        return -errno;
    err = real_path(fd, path, sizeof path);
    if (err == 0 && lies_below(files->path, path))
        return fd;
    close(fd);
    return -EACCES;
}

/* The name has no "..": only a link that somebody put there leads out. */
static int open_and_trust(const struct http_files *files, const char *name, int flags)
{
    int fd = openat(files->root, name, flags);
    return fd < 0 ? -errno : fd;
}

int http_files_open(struct http_files *files, const char *dir)
{
    char path[PATH_MAX];
    int fd, err;

    *files = (struct http_files){ .root = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC) };
    if (files->root < 0)
        return -errno;
    fd = open_beneath(files->root, ".", OPEN_FLAGS);
    files->beneath = fd >= 0;
    if (fd >= 0) {
        close(fd);
        return 0;
    }
    /* A directory that may not be read, only searched, is fine. */
    if (fd == -EACCES) {
        files->beneath = true;
        return 0;
    }
    err = real_path(files->root, path, sizeof path);
    if (err == 0 && !(files->path = strdup(path)))
        err = -ENOMEM;
    if (err < 0)
        http_files_close(files);
    return err;
}

void http_files_close(struct http_files *files)
{
    close(files->root);
    http_cache_free(&files->cache);
    free(files->path);
    files->path = NULL;
    files->root = -1;
}

/* A descriptor of what has that name; -EACCES for what lies outside or cannot be read.
 */
static int open_name(const struct http_files *files, const char *name, int flags)
{
    const char *at = *name ? name : ".";
    int fd;

    if (files->anywhere)
        fd = open_and_trust(files, at, flags);
    else if (files->beneath)
        fd = open_beneath(files->root, at, flags);
    else
        fd = open_and_ask(files, at, flags);
    return fd == -EXDEV || fd == -ENXIO ? -EACCES : fd;
}

int http_files_stat(const struct http_files *files, const char *name, struct stat *st)
{
    int fd = open_name(files, name, O_PATH | O_CLOEXEC);
    int err;

    if (fd < 0)
        return fd;
    err = fstat(fd, st) < 0 ? -errno : 0;
    close(fd);
    return err;
}

int http_files_dir(const struct http_files *files, const char *name)
{
    return open_name(files, name, OPEN_FLAGS | O_DIRECTORY);
}

/* A descriptor of the regular file of that name, with *st; or negative errno. */
static int open_file(const struct http_files *files, const char *name, struct stat *st)
{
    int fd = open_name(files, name, OPEN_FLAGS);
    int err = 0;

    if (fd < 0)
        return fd;
    if (fstat(fd, st) < 0)
        err = -errno;
    else if (S_ISDIR(st->st_mode))
        err = -EISDIR;
    else if (!S_ISREG(st->st_mode))
        err = -EACCES;
    if (err == 0)
        return fd;
    close(fd);
    return err;
}

/* Does a regular file NAME.gz lie beside it? */
static bool is_coded(const struct http_files *files, const char *name)
{
    char coded[PATH_MAX];
    size_t len = strlen(name);
    struct stat st;

    if (len + sizeof ".gz" > sizeof coded)
        return false;
    memcpy(coded, name, len);
    memcpy(coded + len, ".gz", sizeof ".gz");
    return http_files_stat(files, coded, &st) == 0 && S_ISREG(st.st_mode);
}

int http_files_get(struct http_files *files, const char *name, int64_t now,
                   struct http_file *out)
{
    struct http_kept *kept = http_cache_find(&files->cache, files->root, name, now);
    bool coded = kept && kept->coded;
    struct stat st;
    int fd = -1;

    if (kept) {
        st = kept->st;
    } else {
        fd = open_file(files, name, &st);
        if (fd < 0)
            return fd;
        coded = is_coded(files, name);
        kept = http_cache_keep(&files->cache, name, fd, &st, now);
    }
    if (kept && fd >= 0) {
        kept->coded = coded;
        close(fd);
        fd = -1;
    }
    *out = (struct http_file){
        .fd = fd,
        .text = kept ? kept->text : NULL,
        .kept = kept,
        .size = (uint64_t)st.st_size,
        .mtime = st.st_mtime,
        .changed = st.st_mtim.tv_sec * NS_A_SECOND + st.st_mtim.tv_nsec,
        .inode = st.st_ino,
        .coded = coded,
    };
    return 0;
}
