/* Calls that wait for descriptors: poll, and sets (epoll). */
#include "calls.h"

#include <string.h>

enum { WAIT_MAX = 16 };

static int take_pollfds(struct calling *c, const struct expr *list, struct pollfd *fds)
{
    int n = 0;

    for (const struct expr *e = list ? list->parts : NULL; e && n < WAIT_MAX;
         e = e->next, n++) {
        fds[n].fd = expr_fd(c, expr_part(e, "fd"));
        fds[n].events = (short)expr_number(c, expr_part(e, "events"));
        fds[n].revents = 0;
    }
    return n;
}

void do_poll(struct calling *c)
{
    struct pollfd fds[WAIT_MAX];
    const struct expr *list = call_arg(c, 0), *e = list->parts, *wanted;
    int n = take_pollfds(c, list, fds);

    if (call_number(c, 1) != n)
        call_fail(c, "there are %d descriptors, not what the second argument says", n);
    if (c->failed)
        return;
    if (!call_result(c, tapir_poll(fds, (nfds_t)n, (int)call_number(c, 2))))
        return;
    for (int i = 0; i < n; i++, e = e->next) {
        wanted = expr_part(e, "revents");
        if (wanted)
            call_compare(c, "revents", wanted, fds[i].revents);
    }
}

/* ---- sets ---- */

void do_epoll_create(struct calling *c)
{
    call_new_fd(c, tapir_epoll_create1(0));
}

/* {events=EPOLLIN, fd=4}, or with ptr, u32 or u64 for what comes back. */
static const struct expr *event_data(const struct expr *e)
{
    static const char *const names[] = { "fd", "ptr", "u32", "u64" };
    const struct expr *data = NULL;

    for (size_t i = 0; i < sizeof names / sizeof names[0] && !data; i++)
        data = expr_part(e, names[i]);
    return data;
}

void do_epoll_ctl(struct calling *c)
{
    const struct expr *e = call_arg(c, 3), *data = e ? event_data(e) : NULL;
    struct epoll_event event = { 0 };
    int set = call_fd(c, 0), op = (int)call_number(c, 1), fd = call_fd(c, 2);
    bool none = expr_is_null(e) || expr_is_any(e);

    if (!none) {
        event.events = (uint32_t)expr_number(c, expr_part(e, "events"));
        event.data.u64 = data ? (uint64_t)expr_number(c, data) : 0;
    }
    if (!c->failed)
        call_result(c, tapir_epoll_ctl(set, op, fd, none ? NULL : &event));
}

static void compare_event(struct calling *c, const struct expr *e,
                          const struct epoll_event *actual)
{
    const struct expr *events = expr_part(e, "events"), *data = event_data(e);

    if (events)
        call_compare(c, "events", events, actual->events);
    if (data)
        call_compare(c, "its data", data, (long long)actual->data.u64);
}

void do_epoll_wait(struct calling *c)
{
    struct epoll_event events[WAIT_MAX];
    const struct expr *e = call_arg(c, 1);
    int set = call_fd(c, 0), max = (int)call_number(c, 2);
    int timeout = (int)call_number(c, 3), n;

    memset(events, 0, sizeof events);
    if (!c->failed && max > WAIT_MAX)
        call_fail(c, "a script waits for at most %d events", WAIT_MAX);
    if (c->failed)
        return;
    n = tapir_epoll_wait(set, events, max, timeout);
    if (!call_result(c, n))
        return;
    if (e->kind == EXPR_LIST)
        e = e->parts;
    for (int i = 0; i < n && e && e->kind == EXPR_STRUCT; i++, e = e->next)
        compare_event(c, e, &events[i]);
}
