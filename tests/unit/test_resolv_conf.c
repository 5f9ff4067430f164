#include "app/resolv_conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct resolv_conf conf;

static int start(void **state)
{
    resolv_conf_init(&conf);
    return 0;
}

static const char *server(unsigned i)
{
    static char text[INET6_ADDRSTRLEN];
    const union endpoint *s = &conf.server[i];
    const void *at = s->any.sa_family == AF_INET ? (const void *)&s->in4.sin_addr
                                                 : (const void *)&s->in6.sin6_addr;

    assert_int_equal(ntohs(s->in4.sin_port), 53);
    return inet_ntop(s->any.sa_family, at, text, sizeof text);
}

static void the_defaults_are_those_of_the_man_page_but_no_server(void **state)
{
    assert_int_equal(conf.n_servers, 0);
    assert_int_equal(conf.ndots, 1);
    assert_int_equal(conf.timeout, 5);
    assert_int_equal(conf.attempts, 2);
    assert_false(conf.rotate);
}

static void the_first_three_servers_count(void **state)
{
    resolv_conf_line(&conf, "nameserver 192.0.2.1\n");
    resolv_conf_line(&conf, "  nameserver\t2001:db8::1 # ours\n");
    resolv_conf_line(&conf, "nameserver nonsense\n");
    resolv_conf_line(&conf, "nameserver\n");
    resolv_conf_line(&conf, "#nameserver 192.0.2.66\n");
    resolv_conf_line(&conf, "; nameserver 192.0.2.66\n");
    resolv_conf_line(&conf, "nameserver 192.0.2.3");
    resolv_conf_line(&conf, "nameserver 192.0.2.4");
    assert_int_equal(conf.n_servers, 3);
    assert_string_equal(server(0), "192.0.2.1");
    assert_string_equal(server(1), "2001:db8::1");
    assert_string_equal(server(2), "192.0.2.3");
}

static void the_last_search_or_domain_counts(void **state)
{
    resolv_conf_line(&conf, "domain old.test");
    resolv_conf_line(&conf, "search a.test b.test\n");
    assert_int_equal(conf.n_search, 2);
    assert_string_equal(conf.search[1], "b.test");
    resolv_conf_line(&conf, "search 1 2 3 4 5 6 7");
    assert_int_equal(conf.n_search, 6);
    resolv_conf_line(&conf, "domain new.test");
    assert_int_equal(conf.n_search, 1);
    assert_string_equal(conf.search[0], "new.test");
}

static void options_have_limits_and_unknown_ones_are_ignored(void **state)
{
    resolv_conf_line(&conf, "options rotate ndots:2 timeout:7 attempts:3 edns0 x:y");
    assert_true(conf.rotate);
    assert_int_equal(conf.ndots, 2);
    assert_int_equal(conf.timeout, 7);
    assert_int_equal(conf.attempts, 3);
    resolv_conf_line(&conf, "options ndots:99 timeout:99 attempts:99");
    assert_int_equal(conf.ndots, 15);
    assert_int_equal(conf.timeout, 30);
    assert_int_equal(conf.attempts, 5);
    resolv_conf_line(&conf, "options ndots:0 timeout:0 attempts:0 timeout:-1 ndots:");
    assert_int_equal(conf.ndots, 0);
    assert_int_equal(conf.timeout, 1);
    assert_int_equal(conf.attempts, 1);
}

static void a_file_is_its_lines_and_a_missing_one_has_none(void **state)
{
    char path[] = "/tmp/tapir-test-resolv-XXXXXX";
    int fd = mkstemp(path);

    assert_int_equal(write(fd, "nameserver 192.0.2.9\noptions rotate", 35), 35);
    close(fd);
    resolv_conf_read(&conf, "/nonexistent/resolv.conf");
    assert_int_equal(conf.n_servers, 0);
    resolv_conf_read(&conf, path);
    unlink(path);
    assert_string_equal(server(0), "192.0.2.9");
    assert_true(conf.rotate);
}

static void a_list_takes_the_place_of_the_servers(void **state)
{
    resolv_conf_line(&conf, "nameserver 192.0.2.66");
    assert_true(resolv_conf_servers(&conf, "192.0.2.1,2001:db8::1"));
    assert_int_equal(conf.n_servers, 2);
    assert_string_equal(server(0), "192.0.2.1");
    assert_true(resolv_conf_servers(&conf, ""));
    assert_int_equal(conf.n_servers, 0);
    assert_false(resolv_conf_servers(&conf, "192.0.2.1,x"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_defaults_are_those_of_the_man_page_but_no_server,
                               start),
        cmocka_unit_test_setup(the_first_three_servers_count, start),
        cmocka_unit_test_setup(the_last_search_or_domain_counts, start),
        cmocka_unit_test_setup(options_have_limits_and_unknown_ones_are_ignored, start),
        cmocka_unit_test_setup(a_file_is_its_lines_and_a_missing_one_has_none, start),
        cmocka_unit_test_setup(a_list_takes_the_place_of_the_servers, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
