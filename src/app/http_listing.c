/* The names are read and sorted first; then the page is written, each entry asked for
 * with the same care as if it were fetched, so that nothing outside is told of. */
#include "app/http_listing.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/http_page.h"
#include "http/http_html.h"

struct listing {
    const struct http_files *files;
    const char *dir;
    struct dirent **entry;
    int n;
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

static void write_page(void *ctx, struct text *t)
{
    const struct listing *l = ctx;

    http_listing_begin(t, l->dir);
    for (int i = 0; i < l->n && !t->cut; i++)
        write_row(t, l->files, l->dir, l->entry[i]->d_name);
    http_listing_end(t);
}

int http_listing_new(const struct http_files *files, const char *name, char **page,
                     size_t *len)
{
    struct listing l = { .files = files, .dir = name };
    int fd = http_files_dir(files, name);
    int err;

    if (fd < 0)
        return fd;
    l.n = scandirat(fd, ".", &l.entry, is_named, order);
    err = l.n < 0 ? -errno : 0;
    close(fd);
    if (err == 0)
        err = http_page_new(write_page, &l, page, len);
    for (int i = 0; i < l.n; i++)
        free(l.entry[i]);
    free(l.entry);
    return err;
}
