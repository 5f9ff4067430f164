/* The resolver against two scripted name servers, on ports 53 and 54 of the other host,
 * in virtual time. */
#include "app/dns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness/hosts.h"
#include "harness/nameserver.h"

static const struct nameserver_row zone[] = {
    { "www.test", DNS_A, "www.test 60 A 192.0.2.7; www.test 60 A 192.0.2.8", 0, false,
      false },
    { "www.test", DNS_AAAA, "/ test 300 SOA 30", 0, false, false },
    { "www.a.test", DNS_A, "www.a.test 60 A 192.0.2.9", 0, false, false },
    { "cut.test", DNS_A, "cut.test 60 A 192.0.2.10", 0, true, false },
    { "alias.test", DNS_A, "alias.test 60 CNAME www.test", 0, false, false },
    { "loop.test", DNS_A, "loop.test 60 CNAME pool.test", 0, false, false },
    { "pool.test", DNS_A, "pool.test 60 CNAME loop.test", 0, false, false },
    { "gone.test", DNS_A, "/ test 300 SOA 30", DNS_NXDOMAIN, false, false },
    { "sick.test", DNS_A, NULL, DNS_SERVFAIL, false, false },
};

enum { ZONE = sizeof zone / sizeof *zone, STEPS = 12 };

static struct nameserver first, second;
static struct resolv_conf conf;
static struct step {
    const char *name; /* NULL: the last was before */
    uint16_t type;
    int64_t pause;    /* before it */
    int64_t deadline; /* from the beginning; 0: NEVER */
    int result;
    int64_t took;
    struct dns_answer answer;
} step[STEPS];

static int start(void **state)
{
    memset(step, 0, sizeof step);
    first = second = (struct nameserver){ .port = 53, .row = zone, .n_rows = ZONE };
    second.port = 54;
    resolv_conf_init(&conf);
    conf.timeout = 1;
    conf.n_servers = 2;
    conf.server[0].in4 = hosts_addr(HOST_B, 53);
    conf.server[1].in4 = hosts_addr(HOST_B, 54);
    return 0;
}

static void asker(void *arg)
{
    struct dns *dns = dns_new(&conf, 1);

    must(dns != NULL);
    for (struct step *s = step; s < step + STEPS && s->name; s++) {
        if (s->pause)
            tapir_sleep(s->pause);
        int64_t begin = tapir_now();
        s->result = dns_lookup(dns, s->name, s->type ? s->type : DNS_A,
                               s->deadline ? begin + s->deadline : NEVER, &s->answer);
        s->took = tapir_now() - begin;
    }
    dns_free(dns);
}

static void run(void)
{
    struct hosts h;

    hosts_up(&h, 1, NULL);
    must(sim_spawn(h.b, nameserver, &first) == 0);
    must(sim_spawn(h.b, nameserver, &second) == 0);
    must(sim_spawn(h.a, asker, NULL) == 0);
    hosts_run(&h);
    hosts_down(&h);
}

static void addresses_come_from_the_first_server(void **state)
{
    step[0].name = "www.test";
    run();
    assert_int_equal(step[0].result, 0);
    assert_int_equal(step[0].answer.n, 2);
    assert_memory_equal(step[0].answer.address[1], "\xc0\0\2\10", 4);
    assert_int_equal(first.udp, 1);
    assert_int_equal(second.udp, 0);
}

static void a_silent_server_is_passed_over_and_asked_again_later(void **state)
{
    step[0].name = "www.test";
    first.deaf = second.deaf = 1;
    run();
    assert_int_equal(step[0].result, 0);
    assert_int_equal(step[0].took, 2020000);
    assert_int_equal(first.udp, 2);
    assert_int_equal(second.udp, 1);
}

static void a_deadline_ends_a_look_up(void **state)
{
    step[0].name = step[1].name = "www.test";
    step[0].deadline = 300000;
    step[1].deadline = 1500000;
    first.deaf = second.deaf = 9;
    run();
    assert_int_equal(step[0].result, -ETIME);
    assert_int_equal(step[0].took, 300000);
    assert_int_equal(step[1].result, -ETIME);
    assert_int_equal(step[1].took, 1500000);
}

static void silence_of_all_ends_after_the_attempts(void **state)
{
    step[0].name = "www.test";
    first.deaf = second.deaf = 9;
    conf.attempts = 3;
    run();
    assert_int_equal(step[0].result, -ETIME);
    assert_int_equal(step[0].took, 6000000);
    assert_int_equal(first.udp, 3);
}

static void a_server_that_fails_is_passed_over(void **state)
{
    static const struct nameserver_row sick = { "www.test",   DNS_A, NULL,
                                                DNS_SERVFAIL, false, false };

    step[0].name = "www.test";
    step[1].name = "sick.test";
    first.row = &sick;
    first.n_rows = 1;
    conf.attempts = 1;
    run();
    assert_int_equal(step[0].result, 0);
    assert_int_equal(second.udp, 1);
    assert_int_equal(step[1].result, -ENOENT); /* the first one knows no other name */
}

static void failures_of_all_are_told_from_silence(void **state)
{
    step[0].name = "sick.test";
    second.deaf = 9;
    run();
    assert_int_equal(step[0].result, -EIO);
}

static void rotation_begins_with_the_next_server(void **state)
{
    step[0].name = "www.test";
    step[1].name = "www.a.test";
    step[2].name = "cut.test";
    conf.rotate = true;
    run();
    assert_int_equal(first.udp, 2);
    assert_int_equal(second.udp, 1);
}

/* RFC 7766 s5 */
static void an_answer_that_was_cut_is_asked_for_by_tcp(void **state)
{
    step[0].name = "cut.test";
    run();
    assert_int_equal(step[0].result, 0);
    assert_memory_equal(step[0].answer.address[0], "\xc0\0\2\12", 4);
    assert_int_equal(first.udp, 1);
    assert_int_equal(first.tcp, 1);
}

/* RFC 6891 s7 */
static void a_server_without_edns_is_asked_without(void **state)
{
    step[0].name = "www.test";
    first.no_edns = true;
    run();
    assert_int_equal(step[0].result, 0);
    assert_int_equal(first.udp, 2);
    assert_int_equal(second.udp, 0);
}

static void the_end_of_a_chain_is_asked_for_where_the_server_did_not(void **state)
{
    step[0].name = "alias.test";
    step[1].name = "loop.test";
    run();
    assert_int_equal(step[0].result, 0);
    assert_int_equal(step[0].answer.links, 1);
    assert_int_equal(step[0].answer.n, 2);
    assert_int_equal(step[1].result, -ENODATA);
    assert_true(first.udp < 22);
}

/* RFC 2308 s5 for what is not there. */
static void answers_are_kept_for_their_time(void **state)
{
    static const struct {
        const char *name;
        uint16_t type;
        int64_t pause;
        int result;
        int64_t took;
    } row[] = {
        { "www.test", DNS_A, 0, 0, 40000 },
        { "WWW.test.", DNS_A, 0, 0, 0 },
        { "www.test", DNS_A, 59000000, 0, 0 },
        { "www.test", DNS_A, 1100000, 0, 20000 },
        { "www.test", DNS_AAAA, 0, -ENODATA, 20000 },
        { "www.test", DNS_AAAA, 29000000, -ENODATA, 0 },
        { "www.test", DNS_AAAA, 1100000, -ENODATA, 20000 },
        { "gone.test", DNS_A, 0, -ENOENT, 20000 },
        { "gone.test", DNS_A, 29000000, -ENOENT, 0 },
        { "no-soa.test", DNS_A, 0, -ENOENT, 20000 },
        { "no-soa.test", DNS_A, 0, -ENOENT, 20000 },
    };
    size_t n = sizeof row / sizeof *row;

    for (size_t i = 0; i < n; i++)
        step[i] = (struct step){ .name = row[i].name,
                                 .type = row[i].type,
                                 .pause = row[i].pause };
    run();
    for (size_t i = 0; i < n; i++)
        if (step[i].result != row[i].result || step[i].took != row[i].took)
            fail_msg("row %zu: %d after %lld", i, step[i].result,
                     (long long)step[i].took);
}

/* resolv.conf(5), "search" and "ndots" */
static void short_names_are_completed(void **state)
{
    strcpy(conf.search[0], "nowhere.test");
    strcpy(conf.search[1], "a.test");
    conf.n_search = 2;
    step[0].name = "www";
    step[1].name = "www.";
    run();
    assert_int_equal(step[0].result, 0);
    assert_memory_equal(step[0].answer.address[0], "\xc0\0\2\11", 4);
    assert_int_equal(first.udp, 3);
    assert_int_equal(step[1].result, -ENOENT);
}

static void dots_say_which_name_comes_first(void **state)
{
    static const struct {
        const char *host;
        unsigned ndots, n;
        const char *want; /* NULL: there is none */
    } row[] = {
        { "www", 1, 0, "www.a.test" },
        { "www", 1, 1, "www" },
        { "www", 1, 2, NULL },
        { "www.b", 1, 0, "www.b" },
        { "www.b", 1, 1, "www.b.a.test" },
        { "www.b", 1, 2, NULL },
        { "www.b", 2, 0, "www.b.a.test" },
        { "www.b.", 2, 0, "www.b" },
        { "www.b.", 2, 1, NULL },
        { "www", 0, 0, "www" },
        { "a b", 1, 0, NULL },
    };
    struct dns_name got, want;

    strcpy(conf.search[0], "a.test");
    conf.n_search = 1;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        conf.ndots = row[i].ndots;
        assert_int_equal(dns_candidate(&conf, row[i].host, row[i].n, &got),
                         row[i].want != NULL);
        if (!row[i].want)
            continue;
        assert_true(dns_name_from_text(row[i].want, &want));
        assert_true(dns_name_equal(&got, &want));
    }
}

/* RFC 5452 s9.2: each query has an id and a port of its own. */
static void ids_and_ports_are_drawn_for_each_query(void **state)
{
    unsigned same_id = 0, same_port = 0, next = 0;

    for (int i = 0; i < STEPS; i++)
        step[i].name = "no-soa.test";
    run();
    assert_int_equal(first.udp, 12);
    for (int i = 0; i < 12; i++)
        for (int k = 0; k < i; k++) {
            same_id += first.ids[i] == first.ids[k];
            same_port += first.ports[i] == first.ports[k];
            next += first.ids[i] == first.ids[k] + 1;
            next += first.ports[i] == first.ports[k] + 1;
        }
    assert_int_equal(same_id + same_port + next, 0);
}

static void without_a_server_nobody_is_asked(void **state)
{
    step[0].name = "www.test";
    conf.n_servers = 0;
    run();
    assert_int_equal(step[0].result, -ENONET);
    assert_int_equal(step[0].took, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(addresses_come_from_the_first_server, start),
        cmocka_unit_test_setup(a_silent_server_is_passed_over_and_asked_again_later,
                               start),
        cmocka_unit_test_setup(a_deadline_ends_a_look_up, start),
        cmocka_unit_test_setup(silence_of_all_ends_after_the_attempts, start),
        cmocka_unit_test_setup(a_server_that_fails_is_passed_over, start),
        cmocka_unit_test_setup(failures_of_all_are_told_from_silence, start),
        cmocka_unit_test_setup(rotation_begins_with_the_next_server, start),
        cmocka_unit_test_setup(an_answer_that_was_cut_is_asked_for_by_tcp, start),
        cmocka_unit_test_setup(a_server_without_edns_is_asked_without, start),
        cmocka_unit_test_setup(the_end_of_a_chain_is_asked_for_where_the_server_did_not,
                               start),
        cmocka_unit_test_setup(answers_are_kept_for_their_time, start),
        cmocka_unit_test_setup(short_names_are_completed, start),
        cmocka_unit_test_setup(dots_say_which_name_comes_first, start),
        cmocka_unit_test_setup(ids_and_ports_are_drawn_for_each_query, start),
        cmocka_unit_test_setup(without_a_server_nobody_is_asked, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
