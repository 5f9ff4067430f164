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

/* The file is emptied by the first head of the call that goes there. */
static bool dump(struct get_transfer *t, const char *at, size_t len)
{
    const char *path = t->group->head_file;
    bool standard = strcmp(path, "-") == 0, ok;
    int how = t->group->heads_begun ? O_APPEND : O_TRUNC;
    int fd = standard ? STDOUT_FILENO
                      : open(path, O_WRONLY | O_CREAT | how | O_CLOEXEC, 0666);

    ok = fd >= 0 && write_all(fd, at, len);
    t->group->heads_begun = true;
    if (!ok)
        t->write_error = errno;
    if (fd >= 0 && !standard)
        close(fd);
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

static bool keep(struct get_transfer *t, const char *at, size_t len)
{
    free(t->fields);
    t->fields = strndup(at, len);
    return t->fields != NULL;
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

/* A server's name takes the place of the URL's, before the first byte is written. */
static void rename_output(struct get_transfer *t)
{
    const char *value;
    size_t len;
    char *name;

    if (!t->group->header_name || t->output != get_remote_name || t->fd >= 0 ||
        !get_head_field(t, "Content-Disposition", 19, &value, &len))
        return;
    name = file_name(value, len);
    if (!name)
        return;
    t->path_is_theirs = get_output_name(t, name);
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
    const struct get_group *group = t->group;

    if (!keep(t, at, len))
        return false;
    rename_output(t);
    note_date(t);
    if (group->head_file && !dump(t, at, len))
        return false;
    if (!group->include && !group->http.head)
        return true;
    return get_output_write(t, at, len, false);
}
