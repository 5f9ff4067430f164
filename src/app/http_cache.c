/* What is kept is trusted for the turn in which it was read: requests that were found
 * waiting together may well get the file as it was when the first of them was answered.
 * Beyond that it is trusted as long as stat(2), once a turn (and in short turns, once
 * in a millisecond), tells the same inode, size and times of change, and
 * never beyond the second in which it was read. Two things that stat cannot tell are
 * met by that:
 *
 *   - Times of change are as coarse as a tick of the kernel's, or on some file systems
 *     as two seconds: a file may change twice and show it once. Only one that had been
 *     left alone for longer than that outlives its turn.
 *   - A program that writes through a mapping changes the times with its first write of
 *     many; so the time that a file is kept has an end.
 *
 * The file was opened with all care that the name does not lead out of the directory
 * (http_files.c). A name that leads out meanwhile is another inode, and is opened with
 * the same care again. */
#include "app/http_cache.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/http_shared.h"

enum {
    SETTLED = 3,      /* seconds without a change before a file is kept */
    ASK_AFTER = 1000, /* microseconds: so often it is asked whether it has changed */
};

static struct http_kept *slot_of(struct http_cache *c, const char *name)
{
    uint32_t hash = 2166136261u; /* FNV-1a */

    for (const char *at = name; *at; at++)
        hash = (hash ^ (uint8_t)*at) * 16777619u;
    return &c->slot[hash % HTTP_CACHE_SLOTS];
}

static void forget(struct http_kept *k)
{
    free(k->name);
    free(k->text);
    http_shared_drop(k->reply);
    *k = (struct http_kept){ .text = NULL };
}

void http_cache_free(struct http_cache *c)
{
    for (int i = 0; i < HTTP_CACHE_SLOTS; i++)
        forget(&c->slot[i]);
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
           a->st_size == b->st_size && same_time(&a->st_mtim, &b->st_mtim) &&
           same_time(&a->st_ctim, &b->st_ctim);
}

/* Had it been left alone for long enough when it was read? */
static bool settled(const struct http_kept *k)
{
    return k->st.st_ctim.tv_sec <= k->since - SETTLED &&
           k->st.st_mtim.tv_sec <= k->since - SETTLED;
}

/* Is what was kept in an earlier turn still the file? */
static bool still_good(const struct http_cache *c, struct http_kept *k, int root,
                       int64_t now)
{
    struct stat st;

    if (!settled(k) || now != k->since)
        return false;
    if (c->at >= k->asked && c->at - k->asked < ASK_AFTER)
        return true;
    k->asked = c->at;
    return fstatat(root, k->name, &st, 0) == 0 && same_file(&st, &k->st);
}

struct http_kept *http_cache_find(struct http_cache *c, int root, const char *name,
                                  int64_t now)
{
    struct http_kept *k = slot_of(c, name);

    if (!k->text || strcmp(k->name, name) != 0)
        return NULL;
    if (k->turn != c->turn && !still_good(c, k, root, now)) {
        forget(k);
        return NULL;
    }
    k->turn = c->turn;
    return k;
}

struct http_kept *http_cache_keep(struct http_cache *c, const char *name, int fd,
                                  const struct stat *st, int64_t now)
{
    struct http_kept *k = slot_of(c, name);
    struct http_kept fresh = {
        .st = *st, .since = now, .turn = c->turn, .asked = c->at
    };

    if (st->st_size > HTTP_CACHE_FILE)
        return NULL;
    fresh.name = strdup(name);
    fresh.text = malloc((size_t)st->st_size + 1);
    if (!fresh.name || !fresh.text ||
        pread(fd, fresh.text, (size_t)st->st_size + 1, 0) != st->st_size) {
        forget(&fresh);
        return NULL;
    }
    forget(k);
    *k = fresh;
    return k;
}
