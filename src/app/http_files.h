/* The files that a server shows: names below one directory, and no way out of it. */
#ifndef TAPIR_APP_HTTP_FILES_H
#define TAPIR_APP_HTTP_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "app/http_cache.h"

struct http_files {
    int root;      /* the directory's descriptor */
    bool beneath;  /* the kernel keeps names below root by itself (openat2) */
    bool anywhere; /* symbolic links may lead out of the directory */
    char *path;    /* without openat2: root's real path, owned */
    struct http_cache cache;
};

struct http_file {
    int fd;           /* the caller's, who closes it; -1: it is text */
    const char *text; /* its bytes, good until the next http_files_get(); or NULL */
    struct http_kept *kept; /* where they are kept; NULL when text is */
    uint64_t size;          /* bytes */
    int64_t mtime;          /* last change, seconds since 1970 */
    int64_t changed;        /* the same in nanoseconds, to tell versions apart */
    uint64_t inode;
    bool coded; /* there is a NAME.gz as well */
};

/* 0 or negative errno. */
int http_files_open(struct http_files *files, const char *dir);
void http_files_close(struct http_files *files);

/* The regular file of that name, which is relative and "" for the directory itself:
 * opened, or a small one's bytes. `now` is seconds since 1970. 0; -EISDIR for a
 * directory; -EACCES for what is neither, or lies outside; other negative errno. */
int http_files_get(struct http_files *files, const char *name, int64_t now,
                   struct http_file *out);

/* What lies there, as it would be served. 0 or negative errno. */
int http_files_stat(const struct http_files *files, const char *name, struct stat *st);

/* A descriptor of the directory of that name, for the caller to close, or negative
 * errno. */
int http_files_dir(const struct http_files *files, const char *name);

#endif
