/* The names are read and sorted first; then the page is written, each entry asked for
 * with the same care as if it were fetched, so that nothing outside is told of. A page
 * that does not fit its room is written again in twice as much: directories rarely have
 * more than a hundred entries, and those that have are not listed often. */
#include "app/http_listing.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "http/http_html.h"

enum {
    PAGE_FIRST = 32 * 1024,     /* room for a page; doubles */
    PAGE_MAX = 8 * 1024 * 1024, /* a directory that needs more is not listed */
};

static int order(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_named(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static void write_row(struct text *t, const struct http_files *files, const char *dir,
                      const char *name)
{
    char path[PATH_MAX];
    struct http_listed row = { .name = name };
    struct stat st;

    if (snprintf(path, sizeof path, "%s%s%s", dir, *dir ? "/" : "", name) >=
        (int)sizeof path)
        return;
    if (http_files_stat(files, path, &st) < 0)
        return;
    row.is_dir = S_ISDIR(st.st_mode);
    row.size = (uint64_t)st.st_size;
    row.mtime = st.st_mtime;
    if (row.is_dir || S_ISREG(st.st_mode))
        http_listing_row(t, &row);
}

static void write_page(struct text *t, const struct http_files *files, const char *dir,
                       struct dirent **entry, int n)
{
    http_listing_begin(t, dir);
    for (int i = 0; i < n && !t->cut; i++)
        write_row(t, files, dir, entry[i]->d_name);
    http_listing_end(t);
}

/* The page in room that holds it; 0 or negative errno. */
static int make_page(const struct http_files *files, const char *dir,
                     struct dirent **entry, int n, struct text *t)
{
    for (size_t room = PAGE_FIRST; room <= PAGE_MAX; room *= 2) {
        char *at = malloc(room);
        if (!at)
            return -ENOMEM;
        text_init(t, at, room);
        write_page(t, files, dir, entry, n);
        if (!t->cut)
            return 0;
        free(at);
    }
    return -EFBIG;
}

int http_listing_new(const struct http_files *files, const char *name, char **page,
                     size_t *len)
{
    struct dirent **entry = NULL;
    struct text t;
    int fd = http_files_dir(files, name);
    int n, err;

    if (fd < 0)
        return fd;
    n = scandirat(fd, ".", &entry, is_named, order);
    err = n < 0 ? -errno : 0;
    close(fd);
    if (err == 0)
        err = make_page(files, name, entry, n, &t);
    for (int i = 0; i < n; i++)
        free(entry[i]);
    free(entry);
    if (err < 0)
        return err;
    *page = t.at;
    *len = t.len;
    return 0;
}
