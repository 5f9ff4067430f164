/* What heads are good for beside -i: they are copied to a file (-D), name the body's
 * file (-J) and date it (-R), and -w has their fields. A head is kept until the next
 * one comes, so what is asked for is the last one's. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "get.h"
#include "http/http_date.h"

/* --- -D --- */

static bool write_all(int fd, const char *at, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

/* For all transfers of the group. */
static bool open_heads(struct get_group *group)
{
    const char *path = group->head_file;
    int how = O_WRONLY | O_CREAT | O_CLOEXEC;

    if (!path || group->head_fd > 0)
        return true;
    if (strcmp(path, "-") == 0) {
        group->head_fd = STDOUT_FILENO;
        return true;
    }
    if (group->create_dirs && !get_output_folders(path))
        return false;
    group->head_fd = open(path, how | O_TRUNC, 0666); /* kept to the end of the call */
    return group->head_fd > 0;
}

bool get_head_begin(struct get_transfer *t)
{
    bool ok;

    pthread_mutex_lock(&t->get->lock);
    ok = open_heads(t->group);
    pthread_mutex_unlock(&t->get->lock);
    return ok;
}

/* Each line goes to both places before the next one, should they be the same. */
static bool put_lines(struct get_transfer *t, const char *at, size_t len)
{
    bool shown = t->group->include || t->group->http.head, ok = true;

    while (ok && len > 0) {
        const char *lf = memchr(at, '\n', len);
        size_t n = lf ? (size_t)(lf - at) + 1 : len;
        if (t->group->head_file && !write_all(t->group->head_fd, at, n)) {
            t->write_error = errno;
            return false;
        }
        ok = !shown || get_output_write(t, at, n, false);
        at += n;
        len -= n;
    }
    return ok;
}

/* --- fields --- */

bool get_head_field(const struct get_transfer *t, const char *name, size_t name_len,
                    const char **value, size_t *len)
{
    const char *at = t->fields;

    while (at && *at) {
        size_t line = strcspn(at, "\r\n");
        if (line > name_len && at[name_len] == ':' &&
            strncasecmp(at, name, name_len) == 0) {
            *value = at + name_len + 1;
            *len = line - name_len - 1;
            while (*len > 0 && (**value == ' ' || **value == '\t')) {
                (*value)++;
                (*len)--;
            }
            while (*len > 0 &&
                   ((*value)[*len - 1] == ' ' || (*value)[*len - 1] == '\t'))
                (*len)--;
            return true;
        }
        at += line;
        at += strspn(at, "\r\n");
    }
    return false;
}

/* Trailers belong to the head before them. */
static bool keep(struct get_transfer *t, const char *at, size_t len)
{
    bool head = len >= 5 && memcmp(at, "HTTP/", 5) == 0;
    size_t before = head || !t->fields ? 0 : strlen(t->fields);
    char *all = realloc(t->fields, before + len + 1);

    if (!all)
        return false;
    memcpy(all + before, at, len);
    all[before + len] = '\0';
    t->fields = all;
    return true;
}

/* --- -J --- */

/* The value of `filename=`, in quotes or not, without folders: a server names a file in
 * the user's folder, nothing else. NULL: there is none that could be one. */
static char *file_name(const char *value, size_t len)
{
    static const char key[] = "filename=";
    size_t n = sizeof key - 1, from = 0;
    char quote, *name, *at;

    while (from + n < len && strncasecmp(value + from, key, n) != 0)
        from++;
    if (from + n >= len)
        return NULL;
    value += from + n;
    len -= from + n;
    quote = *value == '"' || *value == '\'' ? *value : '\0';
    if (quote) {
        value++;
        len--;
    }
    for (n = 0; n < len && value[n] != (quote ? quote : ';'); n++)
        continue;
    name = strndup(value, n);
    if (!name)
        return NULL;
    while ((at = strpbrk(name, "/\\")))
        memmove(name, at + 1, strlen(at));
    if (name[0] != '\0' && strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
        return name;
    free(name);
    return NULL;
}

/* The last segment of the path that a Location has. */
static char *location_name(const char *value, size_t len)
{
    size_t end = 0, from;

    while (end < len && !strchr("?#", value[end]))
        end++;
    from = end;
    while (from > 0 && value[from - 1] != '/')
        from--;
    return from < end ? strndup(value + from, end - from) : NULL;
}

/* A server's name takes the place of the URL's, before the first byte is written; else
 * the name of the URL where it leads. */
static void rename_output(struct get_transfer *t)
{
    const char *value;
    size_t len;
    char *name = NULL;

    if (!t->group->header_name || t->output != get_remote_name || t->fd >= 0)
        return;
    if (get_head_field(t, "Content-Disposition", 19, &value, &len))
        t->path_is_theirs = (name = file_name(value, len)) != NULL;
    else if (t->group->http.follow && get_head_field(t, "Location", 8, &value, &len))
        name = location_name(value, len);
    if (name)
        get_output_name(t, name);
    free(name);
}

/* --- -R --- */

static void note_date(struct get_transfer *t)
{
    const char *value;
    size_t len;
    int64_t at;

    if (get_head_field(t, "Last-Modified", 13, &value, &len) &&
        http_date_parse((struct http_slice){ value, len }, time(NULL), &at))
        t->modified = at;
}

bool get_head(struct get_transfer *t, const char *at, size_t len)
{
    if (!keep(t, at, len))
        return false;
    rename_output(t);
    note_date(t);
    return put_lines(t, at, len);
}
