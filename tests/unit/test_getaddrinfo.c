/* getaddrinfo(3), on a simulated host whose name server is the other one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "app/dns_msg.h"
#include "harness/hosts.h"
#include "harness/nameserver.h"

static const struct nameserver_row zone[] = {
    { "www.test", DNS_A,
      "www.test 60 CNAME web.test; web.test 60 A 192.0.2.7; web.test 60 A 192.0.2.8", 0,
      false, false },
    { "www.test", DNS_AAAA, "www.test 60 CNAME web.test; web.test 60 AAAA 2001:db8::7",
      0, false, false },
    { "four.test", DNS_A, "four.test 60 A 192.0.2.4", 0, false, false },
    { "four.test", DNS_AAAA, "/ test 60 SOA 60", 0, false, false },
    { "empty.test", DNS_A, "/ test 60 SOA 60", 0, false, false },
    { "empty.test", DNS_AAAA, "/ test 60 SOA 60", 0, false, false },
    { "sick.test", DNS_A, NULL, DNS_SERVFAIL, false, false },
};

#define S SOCK_STREAM
#define D SOCK_DGRAM

/* What comes of it: an error's number, or the addresses in order. */
static const struct row {
    const char *host, *service;
    int family, type, protocol, flags;
    int error;
    const char *list;
} rows[] = {
    /* names */
    { "www.test", "80", AF_INET, S, 0, 0, 0, "192.0.2.7:80/1 192.0.2.8:80/1" },
    { "www.test", "80", AF_INET6, S, 0, 0, 0, "2001:db8::7:80/1" },
    { "www.test", "80", AF_UNSPEC, S, 0, 0, 0, /* RFC 6724 s6, rule 1 */
      "192.0.2.7:80/1 192.0.2.8:80/1 2001:db8::7:80/1" },
    { "www.test", "80", AF_UNSPEC, S, 0, AI_ADDRCONFIG, 0,
      "192.0.2.7:80/1 192.0.2.8:80/1" },
    { "www.test", "80", AF_INET, S, 0, AI_CANONNAME, 0,
      "web.test 192.0.2.7:80/1 192.0.2.8:80/1" },
    { "four.test", "80", AF_INET6, S, 0, AI_V4MAPPED, 0, "::ffff:192.0.2.4:80/1" },
    { "four.test", "80", AF_INET6, S, 0, 0, EAI_NODATA, "" },
    { "four.test", "80", AF_UNSPEC, S, 0, 0, 0, "192.0.2.4:80/1" },
    { "empty.test", "80", AF_UNSPEC, S, 0, 0, EAI_NODATA, "" },
    { "nosuch.test", "80", AF_UNSPEC, S, 0, 0, EAI_NONAME, "" },
    { "sick.test", "80", AF_INET, S, 0, 0, EAI_AGAIN, "" },
    { "www.test", "80", AF_INET, S, 0, AI_NUMERICHOST, EAI_NONAME, "" },
    { "a b", "80", AF_INET, S, 0, 0, EAI_NONAME, "" },
    { "localhost", "80", AF_INET, S, 0, 0, 0, "127.0.0.1:80/1" },
    /* numbers */
    { "192.0.2.1", "80", AF_UNSPEC, S, 0, 0, 0, "192.0.2.1:80/1" },
    { "192.0.2.1", "80", AF_UNSPEC, S, 0, AI_NUMERICHOST | AI_CANONNAME, 0,
      "192.0.2.1 192.0.2.1:80/1" },
    { "::1", "80", AF_UNSPEC, S, 0, 0, 0, "::1:80/1" },
    { "::1", "80", AF_INET, S, 0, 0, EAI_ADDRFAMILY, "" },
    { "192.0.2.1", "80", AF_INET6, S, 0, 0, EAI_ADDRFAMILY, "" },
    { "192.0.2.1", "80", AF_INET6, S, 0, AI_V4MAPPED, 0, "::ffff:192.0.2.1:80/1" },
    /* no host */
    { NULL, "80", AF_INET, S, 0, AI_PASSIVE, 0, "0.0.0.0:80/1" },
    { NULL, "80", AF_INET, S, 0, 0, 0, "127.0.0.1:80/1" },
    { NULL, "80", AF_INET6, S, 0, AI_PASSIVE, 0, ":::80/1" },
    { NULL, "80", AF_UNSPEC, S, 0, 0, 0, "127.0.0.1:80/1" },
    /* kinds and services */
    { "192.0.2.1", NULL, AF_INET, 0, 0, 0, 0,
      "192.0.2.1:0/1 192.0.2.1:0/2 192.0.2.1:0/3" },
    { "192.0.2.1", "53", AF_INET, 0, IPPROTO_UDP, 0, 0,
      "192.0.2.1:53/2 192.0.2.1:53/3" },
    { "192.0.2.1", "65535", AF_INET, D, 0, 0, 0, "192.0.2.1:65535/2" },
    { "192.0.2.1", "65536", AF_INET, S, 0, 0, EAI_SERVICE, "" },
    { "192.0.2.1", "no such", AF_INET, S, 0, 0, EAI_SERVICE, "" },
    { "192.0.2.1", "http", AF_INET, S, 0, AI_NUMERICSERV, EAI_NONAME, "" },
    { "192.0.2.1", "80", AF_INET, S, IPPROTO_UDP, 0, EAI_SOCKTYPE, "" },
    { "192.0.2.1", "80", AF_INET, 99, 0, 0, EAI_SOCKTYPE, "" },
    /* calls that are wrong */
    { NULL, NULL, AF_INET, S, 0, 0, EAI_NONAME, "" },
    { "192.0.2.1", "80", AF_UNIX, S, 0, 0, EAI_FAMILY, "" },
    { "192.0.2.1", "80", AF_INET, S, 0, AI_ALL, EAI_BADFLAGS, "" },
    { NULL, "80", AF_INET, S, 0, AI_CANONNAME, EAI_BADFLAGS, "" },
};

enum { ROWS = sizeof rows / sizeof *rows };

static int error[ROWS];
static char list[ROWS][300];

static void print(const struct addrinfo *info, char *out, size_t room)
{
    char address[INET6_ADDRSTRLEN];
    const struct sockaddr_in *in4 = (const struct sockaddr_in *)info->ai_addr;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)info->ai_addr;
    bool four = info->ai_family == AF_INET;
    size_t len = strlen(out);

    must(info->ai_addr->sa_family == info->ai_family);
    must(info->ai_addrlen == (four ? sizeof *in4 : sizeof *in6));
    inet_ntop(info->ai_family, four ? (const void *)&in4->sin_addr : &in6->sin6_addr,
              address, sizeof address);
    if (info->ai_canonname)
        len += (size_t)snprintf(out + len, room - len, "%s", info->ai_canonname);
    snprintf(out + len, room - len, "%s%s:%u/%d", len ? " " : "", address,
             ntohs(in4->sin_port), info->ai_socktype);
}

static void asker(void *arg)
{
    for (size_t i = 0; i < ROWS; i++) {
        const struct row *r = &rows[i];
        struct addrinfo hints = { r->flags, r->family, r->type, r->protocol,
                                  0,        NULL,      NULL,    NULL };
        struct addrinfo *all;
        error[i] = tapir_getaddrinfo(r->host, r->service, &hints, &all);
        must((error[i] == 0) == (all != NULL));
        for (struct addrinfo *info = all; info; info = info->ai_next)
            print(info, list[i], sizeof list[i]);
        tapir_freeaddrinfo(all);
    }
}

static void results_are_those_of_the_man_page(void **state)
{
    struct nameserver s = { .port = 53,
                            .row = zone,
                            .n_rows = sizeof zone / sizeof *zone };
    struct tapir_config config = { .dns = "192.0.2.2" };
    struct hosts h;

    hosts_up_with(&h, 1, NULL, &config);
    must(sim_spawn(h.b, nameserver, &s) == 0);
    must(sim_spawn(h.a, asker, NULL) == 0);
    hosts_run(&h);
    hosts_down(&h);
    for (size_t i = 0; i < ROWS; i++)
        if (error[i] != rows[i].error || strcmp(list[i], rows[i].list) != 0)
            fail_msg("row %zu (%s): %d '%s', want %d '%s'", i,
                     rows[i].host ? rows[i].host : "NULL", error[i], list[i],
                     rows[i].error, rows[i].list);
}

static struct addrinfo *plain;
static int plain_error;

static void plain_asker(void *arg)
{
    plain_error = tapir_getaddrinfo("192.0.2.1", "80", NULL, &plain);
}

static void hints_may_be_missing(void **state)
{
    struct hosts h;

    hosts_up(&h, 1, NULL);
    must(sim_spawn(h.a, plain_asker, NULL) == 0);
    hosts_run(&h);
    hosts_down(&h);
    assert_int_equal(plain_error, 0);
    assert_int_equal(plain->ai_socktype, SOCK_STREAM);
    assert_int_equal(plain->ai_next->ai_socktype, SOCK_DGRAM);
    tapir_freeaddrinfo(plain);
    tapir_freeaddrinfo(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_are_those_of_the_man_page),
        cmocka_unit_test(hints_may_be_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
