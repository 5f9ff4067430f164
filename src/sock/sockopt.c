/* Socket options: one table row an option, with Linux's numbers, so that a value that
 * the kernel knows is either honoured here or refused with ENOPROTOOPT. A level is a
 * table, in a file of its own.
 *
 * Most options are an int: a row of that kind has a reader and a writer of one number
 * and, where Linux limits it, a range. The others (linger, time-outs, the name of the
 * congestion controller, TCP_INFO) have functions that see the caller's bytes. */
#include "sock/sockopt.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

enum {
    LEVEL_IP = 0,     /* IPPROTO_IP */
    LEVEL_SOCKET = 1, /* SOL_SOCKET */
    LEVEL_TCP = 6,    /* IPPROTO_TCP */
};

int sockopt_give(const void *from, size_t size, void *value, size_t *len)
{
    *len = min_size(*len, size);
    memcpy(value, from, *len);
    return 0;
}

struct tcp_options sockopt_tcp_of(const struct sock *s)
{
    return s->tcb ? *tcp_get_options(s->tcb) : s->options;
}

void sockopt_put_tcp(struct sock *s, const struct tcp_options *o)
{
    s->options = *o;
    if (s->tcb)
        tcp_set_options(s->tcb, o);
    if (s->listener)
        tcp_listener_set_options(s->listener, o);
}

static struct sockopt_table table_of(const struct sock *s, int level)
{
    if (level == LEVEL_IP)
        return sockopt_ip();
    if (level == LEVEL_SOCKET)
        return sockopt_socket();
    if (level == LEVEL_TCP && s->kind == SOCK_KIND_TCP)
        return sockopt_tcp();
    return (struct sockopt_table){ NULL, 0 };
}

static const struct sockopt *find_option(const struct sock *s, int level, int name)
{
    struct sockopt_table t = table_of(s, level);
    const struct sockopt *o = t.row; /* NULL where there is no table: n is 0 */
    for (size_t n = t.n; n > 0; n--, o++)
        if (o->name == name)
            return o;
    return NULL;
}

/* IP's numbers may be given as one byte, too, and as none: 0. */
static int number_of(const void *value, size_t len)
{
    int number = 0;
    if (len >= sizeof number)
        memcpy(&number, value, sizeof number);
    else if (len > 0)
        number = *(const uint8_t *)value;
    return number;
}

int sock_setopt(struct sock *s, int level, int name, const void *value, size_t len)
{
    const struct sockopt *o = find_option(s, level, name);
    if (o && o->set_bytes)
        return o->set_bytes(s, value, len);
    /* As Linux: the length is looked at first, but for IP. */
    if (len < sizeof(int) && level != LEVEL_IP && table_of(s, level).n)
        return -EINVAL;
    if (!o || !o->set)
        return -ENOPROTOOPT;
    int number = number_of(value, len);
    if ((o->min || o->max) && (number < o->min || number > o->max))
        return -EINVAL;
    return o->set(s, number);
}

int sock_getopt(struct sock *s, int level, int name, void *value, size_t *len)
{
    const struct sockopt *o = find_option(s, level, name);
    if (!o)
        return -ENOPROTOOPT;
    if (o->get_bytes)
        return o->get_bytes(s, value, len);
    int number = o->get(s);
    if (level == LEVEL_IP && *len > 0 && *len < sizeof number && number >= 0 &&
        number <= UINT8_MAX) {
        *(uint8_t *)value = (uint8_t)number;
        *len = 1;
        return 0;
    }
    return sockopt_give(&number, sizeof number, value, len);
}
