/* The bytes of small files that were served a moment ago. Of all the requests for one
 * that a turn of the server finds waiting, the first costs one stat(2) instead of open,
 * fstat, read and close, and the others nothing; what they get is the file as it is. */
#ifndef TAPIR_APP_HTTP_CACHE_H
#define TAPIR_APP_HTTP_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "http/http_etag.h"

enum { HTTP_CACHE_SLOTS = 64, HTTP_CACHE_FILE = 16 * 1024 };

struct http_kept {
    struct stat st; /* of the file when it was read */
    int64_t since;  /* when that was, seconds since 1970 */
    uint64_t turn;  /* in which it was last seen to be so */
    int64_t asked;  /* when stat(2) last said so, or it was read: http_cache.at */
    char *name;
    char *text; /* st.st_size bytes */
    bool coded; /* the keeper's: there is a NAME.gz as well */

    /* Its tag, and the last plain answer with it, which is good for the second in which
     * it was written. They are made by who answers with it; "" and NULL: not yet. */
    char etag[HTTP_ETAG_ROOM];
    char *reply;       /* head and text, shared (http_shared.h) */
    size_t reply_head; /* bytes of its head; st.st_size more are the text */
    int64_t reply_at;  /* seconds since 1970 */
};

/* All zeros: empty. */
struct http_cache {
    struct http_kept slot[HTTP_CACHE_SLOTS]; /* by the name's hash; text NULL: free */
    uint64_t turn;                           /* of the server, counted by its owner */
    int64_t at; /* when that began, microseconds on its owner's clock */
};

void http_cache_free(struct http_cache *c);

/* The file `name` below the directory `root`, if it is kept and had not changed when it
 * was asked, in the turn at hand or shortly before; good until the next call. NULL: it
 * has to be opened. `now` is seconds since 1970. */
struct http_kept *http_cache_find(struct http_cache *c, int root, const char *name,
                                  int64_t now);

/* Keeps the regular file that is open as fd, and that *st was just asked of, if it is
 * small: for this turn, or longer if it has not changed lately. Reads it by itself.
 * NULL: it is not kept. */
struct http_kept *http_cache_keep(struct http_cache *c, const char *name, int fd,
                                  const struct stat *st, int64_t now);

#endif
