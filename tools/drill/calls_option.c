/* Socket options. A value is what the script writes it as: [1] is an int, "cubic" are
 * characters, {onoff=1, linger=0} and {tv_sec=1, tv_usec=0} are the structs. */
#include "calls.h"

#include <string.h>
#include <sys/time.h>

#include "base/bytes.h"

enum { VALUE_MAX = 512 };

union value {
    int number;
    struct linger linger;
    struct timeval time;
    char bytes[VALUE_MAX];
};

/* A part of a struct, or fails. */
static long long part(struct calling *c, const struct expr *e, const char *name)
{
    const struct expr *p = expr_part(e, name);

    if (p)
        return expr_number(c, p);
    call_fail(c, "%s is missing", name);
    return 0;
}

/* The value that the script has; its size. */
static socklen_t take_value(struct calling *c, const struct expr *e, union value *out)
{
    memset(out, 0, sizeof *out);
    if (e->kind == EXPR_LIST) {
        out->number = e->parts ? (int)expr_number(c, e->parts) : 0;
        return sizeof out->number;
    }
    if (e->kind == EXPR_STRING) {
        memcpy(out->bytes, e->text, min_size(e->len, VALUE_MAX));
        return (socklen_t)min_size(e->len, VALUE_MAX);
    }
    if (e->kind == EXPR_STRUCT && expr_part(e, "onoff")) {
        out->linger.l_onoff = (int)part(c, e, "onoff");
        out->linger.l_linger = (int)part(c, e, "linger");
        return sizeof out->linger;
    }
    if (e->kind == EXPR_STRUCT && expr_part(e, "tv_sec")) {
        out->time.tv_sec = part(c, e, "tv_sec");
        out->time.tv_usec = part(c, e, "tv_usec");
        return sizeof out->time;
    }
    call_fail(c, "the value of an option is [N], \"text\", {onoff=, linger=} or "
                 "{tv_sec=, tv_usec=}");
    return 0;
}

void do_setsockopt(struct calling *c)
{
    int fd = call_fd(c, 0), level = (int)call_number(c, 1), name;
    const struct expr *e = call_arg(c, 3);
    long long len = call_number(c, 4);
    union value value;

    if (c->failed)
        return;
    name = (int)call_number(c, 2);
    if (!expr_is_null(e))
        take_value(c, e, &value);
    if (!c->failed && (len < 0 || len > VALUE_MAX))
        call_fail(c, "a value has at most %d bytes", VALUE_MAX);
    if (!c->failed)
        call_result(c, tapir_setsockopt(fd, level, name,
                                        expr_is_null(e) ? NULL : value.bytes,
                                        (socklen_t)len));
}

static void compare_value(struct calling *c, const struct expr *e,
                          const union value *actual, socklen_t len)
{
    union value wanted;
    socklen_t size;

    if (expr_is_any(e))
        return;
    if (e->kind == EXPR_LIST && e->parts) {
        long long n = len == 1 ? actual->bytes[0] : actual->number;

        if (expr_is_any(e->parts))
            return;
        if (expr_number(c, e->parts) > INT32_MAX) /* 0xffffffff is -1 */
            n = (uint32_t)n;
        call_compare(c, "the value", e->parts, n);
        return;
    }
    size = take_value(c, e, &wanted);
    if (!c->failed && (size > len || memcmp(wanted.bytes, actual->bytes, size) != 0))
        call_fail(c, "the value is another one");
}

void do_getsockopt(struct calling *c)
{
    int fd = call_fd(c, 0), level = (int)call_number(c, 1);
    int name = (int)call_number(c, 2);
    const struct expr *size = call_arg(c, 4);
    long long room = call_boxed(c, 4);
    socklen_t len = (socklen_t)room;
    union value value;

    memset(&value, 0, sizeof value);
    if (!c->failed && (room < 0 || room > VALUE_MAX))
        call_fail(c, "a value has at most %d bytes", VALUE_MAX);
    if (c->failed)
        return;
    if (!call_result(c, tapir_getsockopt(fd, level, name, value.bytes, &len)) ||
        c->line->result->number != 0)
        return;
    compare_value(c, call_arg(c, 3), &value, len);
    call_compare(c, "the length", size->parts, len);
}
