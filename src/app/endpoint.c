/* The family says which member of the union counts; all begin with it. One that the
 * stack of this process cannot use is refused by tapir_socket(), not here. */
#include "app/endpoint.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static bool is_ip6(const union endpoint *e)
{
    return e->any.sa_family == AF_INET6;
}

union endpoint endpoint_of(int family, const void *address, uint16_t port)
{
    union endpoint e = { .in6 = { .sin6_port = 0 } };

    e.any.sa_family = (sa_family_t)family;
    if (family == AF_INET6) {
        e.in6.sin6_port = htons(port);
        memcpy(&e.in6.sin6_addr, address, sizeof e.in6.sin6_addr);
    } else {
        e.in4.sin_port = htons(port);
        memcpy(&e.in4.sin_addr, address, sizeof e.in4.sin_addr);
    }
    return e;
}

bool endpoint_parse(const char *address, uint16_t port, union endpoint *out)
{
    unsigned char b[16];
    int family = strchr(address, ':') ? AF_INET6 : AF_INET;

    if (inet_pton(family, address, b) != 1)
        return false;
    *out = endpoint_of(family, b, port);
    return true;
}

socklen_t endpoint_len(const union endpoint *e)
{
    return is_ip6(e) ? sizeof e->in6 : sizeof e->in4;
}

uint16_t endpoint_port(const union endpoint *e)
{
    return ntohs(is_ip6(e) ? e->in6.sin6_port : e->in4.sin_port);
}

bool endpoint_same(const union endpoint *a, const union endpoint *b)
{
    if (a->any.sa_family != b->any.sa_family || endpoint_port(a) != endpoint_port(b))
        return false;
    if (is_ip6(a))
        return memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, 16) == 0;
    return a->in4.sin_addr.s_addr == b->in4.sin_addr.s_addr;
}

const char *endpoint_host(const union endpoint *e, char *room)
{
    const struct in6_addr *a = &e->in6.sin6_addr;

    room[0] = '\0';
    if (is_ip6(e) && IN6_IS_ADDR_V4MAPPED(a))
        inet_ntop(AF_INET, &a->s6_addr[12], room, ENDPOINT_TEXT);
    else if (is_ip6(e))
        inet_ntop(AF_INET6, a, room, ENDPOINT_TEXT);
    else if (e->any.sa_family == AF_INET)
        inet_ntop(AF_INET, &e->in4.sin_addr, room, ENDPOINT_TEXT);
    return room;
}

const char *endpoint_print(const union endpoint *e, char *room)
{
    char host[ENDPOINT_TEXT];

    endpoint_host(e, host);
    snprintf(room, ENDPOINT_TEXT, strchr(host, ':') ? "[%.45s]:%u" : "%.45s:%u", host,
             endpoint_port(e));
    return room;
}
