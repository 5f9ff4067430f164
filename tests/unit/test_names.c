#include "app/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/dns_msg.h"
#include "harness/hosts.h"
#include "harness/nameserver.h"

static char path[] = "/tmp/tapir-test-hosts-XXXXXX";

static const char hosts[] = "# a comment with www.example.test in it\n"
                            "\n"
                            "192.0.2.7\twww.example.test www # alias, then web\n"
                            "::1 six six-and-four\n"
                            "192.0.2.8 six-and-four\n"
                            "192.0.2.9 www.example.test\n"
                            "not-an-address broken\n"
                            "192.0.2.10\n"
                            "192.0.2.11 last";

static const char *const resolve[] = { "www.example.test:80:192.0.2.21,192.0.2.24",
                                       "*:81:192.0.2.22",
                                       "www.example.test:81:192.0.2.23",
                                       "both.test:80:[2001:db8::1],192.0.2.25",
                                       "six.test:80:2001:db8::2" };

static int up(void **state)
{
    int fd = mkstemp(path);

    assert_int_equal(write(fd, hosts, sizeof hosts - 1), sizeof hosts - 1);
    return close(fd);
}

static int down(void **state)
{
    return unlink(path);
}

static char room[ENDPOINT_TEXT];

static const char *text_of(const struct names_found *found, size_t i)
{
    union endpoint e = names_at(found, i, 80);

    return endpoint_host(&e, room);
}

/* The first address of the family as text; or the error's name. */
static const char *lookup_of(int family, size_t n_resolve, const char *host,
                             uint16_t port)
{
    struct names names = { resolve, n_resolve, path, NEVER, family };
    struct names_found found;
    int err = names_lookup(&names, host, port, &found);

    if (err == 0)
        assert_non_null(found.source);
    return err == 0 ? text_of(&found, 0) : strerrorname_np(-err);
}

static const char *lookup(size_t n_resolve, const char *host, uint16_t port)
{
    return lookup_of(AF_INET, n_resolve, host, port);
}

static void names_are_found_in_the_hosts_file(void **state)
{
    static const struct {
        const char *host, *want;
    } row[] = {
        { "www.example.test", "192.0.2.7" }, /* the first line that has it */
        { "WWW.Example.Test", "192.0.2.7" },
        { "www.example.test.", "192.0.2.7" },
        { "www", "192.0.2.7" },
        { "last", "192.0.2.11" },
        { "six-and-four", "192.0.2.8" },
        { "six", "EAFNOSUPPORT" },
        { "alias", "ENOENT" },
        { "example.test", "ENOENT" },
        { "broken", "EAFNOSUPPORT" },
        { "", "ENOENT" },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        const char *got = lookup(0, row[i].host, 80);
        if (strcmp(got, row[i].want) != 0)
            fail_msg("%s: %s, want %s", row[i].host, got, row[i].want);
    }
}

static void addresses_are_their_own_answer(void **state)
{
    assert_string_equal(lookup(0, "192.0.2.1", 80), "192.0.2.1");
    assert_string_equal(lookup(0, "::1", 80), "EAFNOSUPPORT");
    assert_string_equal(lookup(0, "192.0.2", 80), "ENOENT");
    assert_string_equal(lookup(0, "192.0.2.256", 80), "ENOENT");
}

/* RFC 6761 s6.3 */
static void localhost_is_this_host_whatever_the_file_says(void **state)
{
    assert_string_equal(lookup(0, "localhost", 80), "127.0.0.1");
    assert_string_equal(lookup(0, "LOCALHOST.", 80), "127.0.0.1");
    assert_string_equal(lookup(0, "a.localhost", 80), "127.0.0.1");
    assert_string_equal(lookup(0, "localhost.example", 80), "ENOENT");
}

static void what_the_user_says_comes_first(void **state)
{
    assert_string_equal(lookup(3, "www.example.test", 80), "192.0.2.21");
    assert_string_equal(lookup(3, "www.example.test", 81), "192.0.2.22");
    assert_string_equal(lookup(3, "anything", 81), "192.0.2.22");
    assert_string_equal(lookup(3, "www.example.test", 82), "192.0.2.7");
    assert_string_equal(lookup(3, "localhost", 81), "192.0.2.22");
}

static void all_addresses_of_a_name_are_found_in_order(void **state)
{
    struct names names = { resolve, 3, path, NEVER, AF_INET };
    struct names_found found;

    assert_int_equal(names_lookup(&names, "www.example.test", 80, &found), 0);
    assert_int_equal(found.n, 2);
    assert_string_equal(text_of(&found, 0), "192.0.2.21");
    assert_string_equal(text_of(&found, 1), "192.0.2.24");
}

static void a_family_that_is_wanted_is_the_only_one(void **state)
{
    static const struct {
        int family;
        const char *host, *want;
    } row[] = {
        { AF_INET6, "six-and-four", "::1" },
        { AF_INET, "six-and-four", "192.0.2.8" },
        { AF_INET6, "www", "EAFNOSUPPORT" },
        { AF_INET6, "six", "::1" },
        { AF_INET6, "localhost", "::1" },
        { AF_INET6, "2001:db8::7", "2001:db8::7" },
        { AF_INET6, "192.0.2.1", "EAFNOSUPPORT" },
        { AF_UNSPEC, "six", "::1" },
        { AF_UNSPEC, "192.0.2.1", "192.0.2.1" },
        { AF_UNSPEC, "both.test", "2001:db8::1" }, /* as the user has them */
        { AF_INET, "both.test", "192.0.2.25" },
        { AF_INET6, "both.test", "2001:db8::1" },
        { AF_UNSPEC, "six.test", "2001:db8::2" },
        { AF_INET, "six.test", "EAFNOSUPPORT" },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        const char *got = lookup_of(row[i].family, 5, row[i].host, 80);
        if (strcmp(got, row[i].want) != 0)
            fail_msg("%d %s: %s, want %s", row[i].family, row[i].host, got,
                     row[i].want);
    }
}

/* RFC 6724 s6, rule 1: without a stack none of IPv6 can be reached. */
static void what_cannot_be_reached_is_tried_last(void **state)
{
    struct names names = { NULL, 0, path, NEVER, AF_UNSPEC };
    struct names_found found;

    assert_int_equal(names_lookup(&names, "six-and-four", 80, &found), 0);
    assert_int_equal(found.n, 2);
    assert_string_equal(text_of(&found, 0), "192.0.2.8");
    assert_string_equal(text_of(&found, 1), "::1");
    assert_false(names_has_family(AF_INET6));
}

static void a_missing_hosts_file_is_an_empty_one(void **state)
{
    struct names names = { NULL, 0, "/nonexistent/hosts", NEVER, AF_INET };
    struct names_found found;

    assert_int_equal(names_lookup(&names, "www", 80, &found), -ENOENT);
}

static void entries_of_resolve_are_host_port_address(void **state)
{
    assert_true(names_resolve_is_valid("a:80:192.0.2.1"));
    assert_true(names_resolve_is_valid("*:0:192.0.2.1"));
    assert_true(names_resolve_is_valid("a:80:192.0.2.1,192.0.2.2"));
    assert_false(names_resolve_is_valid(""));
    assert_false(names_resolve_is_valid("a:192.0.2.1"));
    assert_false(names_resolve_is_valid(":80:192.0.2.1"));
    assert_false(names_resolve_is_valid("a::192.0.2.1"));
    assert_false(names_resolve_is_valid("a:65536:192.0.2.1"));
    assert_false(names_resolve_is_valid("a:000000080:192.0.2.1"));
    assert_false(names_resolve_is_valid("a:x:192.0.2.1"));
    assert_false(names_resolve_is_valid("a:80:b"));
    assert_false(names_resolve_is_valid("a:80:,192.0.2.1"));
    assert_false(names_resolve_is_valid("a:80:192.0.2.1,b"));
    assert_true(names_resolve_is_valid("a:80:::1"));
    assert_true(names_resolve_is_valid("a:80:[::1],192.0.2.1"));
    assert_false(names_resolve_is_valid("a:80:[::1"));
    assert_false(names_resolve_is_valid("a:80:[192.0.2.1]"));
    assert_false(names_resolve_is_valid("a:80:[]"));
    assert_false(names_resolve_is_valid("a:80:1:2"));
}

/* --- with a name server ------------------------------------------------------------
 */

static const struct nameserver_row zone[] = {
    { "net.test", DNS_A, "net.test 60 CNAME far.test; far.test 60 A 192.0.2.31", 0,
      false, false },
    { "www", DNS_A, "www 60 A 192.0.2.66", 0, false, false },
    { "four.test", DNS_A, "/ test 60 SOA 60", 0, false, false },
};

static const struct {
    const char *host, *want, *source;
} asked[] = {
    { "net.test", "192.0.2.31", "from DNS" },
    { "www", "192.0.2.7", "from the hosts file" },
    { "six", "EAFNOSUPPORT", NULL },
    { "www.", "192.0.2.7", "from the hosts file" },
    { "four.test", "ENODATA", NULL },
    { "nosuch.test", "ENOENT", NULL },
    { "192.0.2.1", "192.0.2.1", "an address already" },
};

enum { ASKED = sizeof asked / sizeof *asked };

static int asked_err[ASKED];
static struct names_found asked_got[ASKED];

static void asker(void *arg)
{
    struct names names = { resolve, 3, path, NEVER, AF_INET };

    for (size_t i = 0; i < ASKED; i++)
        asked_err[i] = names_lookup(&names, asked[i].host, 90, &asked_got[i]);
}

static void the_name_servers_come_last(void **state)
{
    struct nameserver s = { .port = 53, .row = zone, .n_rows = 3 };
    struct tapir_config config = { .dns = "192.0.2.2" };
    struct hosts h;

    hosts_up_with(&h, 1, NULL, &config);
    must(sim_spawn(h.b, nameserver, &s) == 0);
    must(sim_spawn(h.a, asker, NULL) == 0);
    hosts_run(&h);
    hosts_down(&h);
    for (size_t i = 0; i < ASKED; i++) {
        const char *got = asked_err[i] ? strerrorname_np(-asked_err[i])
                                       : text_of(&asked_got[i], 0);
        if (strcmp(got, asked[i].want) != 0)
            fail_msg("%s: %s, want %s", asked[i].host, got, asked[i].want);
        if (asked[i].source)
            assert_string_equal(asked_got[i].source, asked[i].source);
    }
    assert_int_equal(s.udp, 3); /* for no name that stands elsewhere */
}

/* Both families, and the name behind the aliases. */
static void all_addresses_of_the_hosts_file_are_found(void **state)
{
    struct names_found found;

    assert_int_equal(names_find(path, "six-and-four", AF_UNSPEC, NEVER, &found), 0);
    assert_int_equal(found.n, 2);
    assert_int_equal(found.at[0].family, AF_INET6);
    assert_int_equal(found.at[1].family, AF_INET);
    assert_string_equal(found.canonical, "six");
    assert_int_equal(names_find(path, "www", AF_INET6, NEVER, &found), -EAFNOSUPPORT);
    assert_int_equal(names_find(path, "www", AF_INET, NEVER, &found), 0);
    assert_string_equal(found.canonical, "www.example.test");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found_in_the_hosts_file),
        cmocka_unit_test(addresses_are_their_own_answer),
        cmocka_unit_test(localhost_is_this_host_whatever_the_file_says),
        cmocka_unit_test(what_the_user_says_comes_first),
        cmocka_unit_test(all_addresses_of_a_name_are_found_in_order),
        cmocka_unit_test(a_family_that_is_wanted_is_the_only_one),
        cmocka_unit_test(what_cannot_be_reached_is_tried_last),
        cmocka_unit_test(a_missing_hosts_file_is_an_empty_one),
        cmocka_unit_test(the_name_servers_come_last),
        cmocka_unit_test(all_addresses_of_the_hosts_file_are_found),
        cmocka_unit_test(entries_of_resolve_are_host_port_address),
    };
    return cmocka_run_group_tests(tests, up, down);
}
