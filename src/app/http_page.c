/* Most pages fit the first room; one that does not is written again in twice as much,
 * which costs less than to count before. */
#include "app/http_page.h"

#include <errno.h>
#include <stdlib.h>

enum {
    ROOM_FIRST = 32 * 1024,
    ROOM_MAX = 8 * 1024 * 1024,
};

int http_page_new(void (*write)(void *ctx, struct text *t), void *ctx, char **page,
                  size_t *len)
{
    for (size_t room = ROOM_FIRST; room <= ROOM_MAX; room *= 2) {
        struct text t;
        char *at = malloc(room);
        if (!at)
            return -ENOMEM;
        text_init(&t, at, room);
        write(ctx, &t);
        if (!t.cut) {
            *page = at;
            *len = t.len;
            return 0;
        }
        free(at);
    }
    return -EFBIG;
}
