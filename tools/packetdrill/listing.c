/* The state file, for scripts that ask FreeBSD's sockstat which states there are: one
 * line an endpoint,
 *
 *     tcp4 192.168.0.1:8080 192.0.2.1:40000 TIME_WAIT
 *
 * rewritten after each hook that changed it, as a whole: a reader never sees a part. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../drill/states.h"
#include "adapter.h"
#include "base/text.h"

enum { LINE_ROOM = 5 + 2 * (ADDR_TEXT + 6) };

static void write_line(void *arg, const struct tcp_slot *endpoint, const char *state)
{
    char room[LINE_ROOM];
    struct text t;

    text_init(&t, room, sizeof room);
    text_put(&t, "tcp4 ");
    ip_print(&t, endpoint->local);
    text_char(&t, ':');
    text_u64(&t, endpoint->local_port);
    text_char(&t, ' ');
    ip_print(&t, endpoint->remote);
    text_char(&t, ':');
    text_u64(&t, endpoint->remote_port);
    fprintf(arg, "%s %s\n", room, state);
}

static void replace(const char *path, const char *text)
{
    char beside[512];
    FILE *f;

    snprintf(beside, sizeof beside, "%s.new", path);
    f = fopen(beside, "we");
    if (!f)
        return;
    fputs(text, f);
    if (fclose(f) != 0 || rename(beside, path) != 0)
        remove(beside);
}

void listing_write(struct adapter *a)
{
    char *text = NULL;
    size_t len;
    FILE *out = a->state_file ? open_memstream(&text, &len) : NULL;

    if (!out)
        return;
    states_each(a->host, write_line, out);
    fclose(out);
    if (a->listed && strcmp(a->listed, text) == 0) {
        free(text);
        return;
    }
    replace(a->state_file, text);
    free(a->listed);
    a->listed = text;
}
