/* What -d, --data-binary, --data-raw and --json gather: pieces of a form, joined by "&"
 * (those of --json are not), each as typed or, behind an "@", from a file. -d loses
 * line ends there, as in curl. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "get.h"

static bool append(struct get_group *group, const char *at, size_t len)
{
    char *data = realloc(group->data, group->data_len + len + 1);

    if (!data)
        return false;
    memcpy(data + group->data_len, at, len);
    group->data = data;
    group->data_len += len;
    data[group->data_len] = '\0';
    return true;
}

/* Without CR, LF and NUL. */
static size_t strip(char *at, size_t len)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++)
        if (at[i] != '\r' && at[i] != '\n' && at[i] != '\0')
            at[n++] = at[i];
    return n;
}

static int add_file(struct get_group *group, const char *name, bool stripped)
{
    FILE *f = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");
    char buf[16384], what[120];
    size_t n;
    bool ok = true;

    if (!f) {
        snprintf(what, sizeof what, "(26) Failed to open %.80s", name);
        tell(what, strerror(errno), NULL);
        return 26;
    }
    while (ok && (n = fread(buf, 1, sizeof buf, f)) > 0)
        ok = append(group, buf, stripped ? strip(buf, n) : n);
    if (f != stdin)
        fclose(f);
    return ok ? 0 : 27;
}

int get_data_add(struct get_group *group, int how, const char *value)
{
    if (group->data && how != 'j' && !append(group, "&", 1))
        return 27;
    if (!group->data && !append(group, "", 0))
        return 27;
    if (value[0] == '@' && how != 'r')
        return add_file(group, value + 1, how == 'd');
    return append(group, value, strlen(value)) ? 0 : 27;
}

char *get_data_url(const struct get_group *group, const char *url)
{
    size_t len = strcspn(url, "#"), room = len + group->data_len + 3;
    bool query = memchr(url, '?', len) != NULL;
    bool path = strchr(strstr(url, "://") ? strstr(url, "://") + 3 : url, '/') != NULL;
    char *out = malloc(room);

    if (out)
        snprintf(out, room, "%.*s%s%s%s", (int)len, url, path || query ? "" : "/",
                 query ? "&" : "?", group->data);
    return out;
}
