/* One question to the scripted name server, between two hosts in virtual time. */
#include "app/dns_ask.h"

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

static const struct nameserver_row rows[] = {
    { "www.test", DNS_A, "www.test 60 A 192.0.2.7", 0, false, false },
    { "cut.test", DNS_A, "cut.test 60 A 192.0.2.8", 0, true, false },
    { "forged.test", DNS_A, "forged.test 60 A 192.0.2.9", 0, false, true },
};

static struct {
    const char *name;
    bool tcp;
    uint16_t port;
    int64_t timeout;

    int result;
    int64_t took;
    struct dns_reply reply;
} ask;

static void asker(void *arg)
{
    struct dns_question question = { .type = DNS_A };
    struct dns_query query = { .question = &question, .id = 77, .edns = true };

    must(dns_name_from_text(ask.name, &question.name));
    query.deadline = tapir_now() + ask.timeout;
    ask.reply.server.in4 = hosts_addr(HOST_B, ask.port);
    ask.took = tapir_now();
    ask.result = ask.tcp ? dns_ask_tcp(&query, &ask.reply)
                         : dns_ask_udp(&query, &ask.reply);
    ask.took = tapir_now() - ask.took;
}

/* Asks a server that is deaf to so many questions; the result. */
static int run(const char *name, bool tcp, unsigned deaf)
{
    struct nameserver s = { .port = 53, .row = rows, .n_rows = 3, .deaf = deaf };
    struct hosts h;

    ask.name = name;
    ask.tcp = tcp;
    ask.port = ask.port ? ask.port : 53;
    ask.timeout = 1000000;
    ask.reply.strange = 0;
    hosts_up(&h, 1, NULL);
    must(sim_spawn(h.b, nameserver, &s) == 0);
    must(sim_spawn(h.a, asker, NULL) == 0);
    hosts_run(&h);
    hosts_down(&h);
    ask.port = 0;
    return ask.result;
}

static void a_question_takes_one_round_trip(void **state)
{
    assert_int_equal(run("www.test", false, 0), 0);
    assert_int_equal(ask.reply.message.count[DNS_ANSWER], 1);
    assert_false(ask.reply.tcp);
    assert_int_equal(ask.took, 40000); /* with one for ARP */
}

/* RFC 1035 s4.2.2, RFC 7766 */
static void by_tcp_it_takes_two(void **state)
{
    assert_int_equal(run("cut.test", true, 0), 0);
    assert_int_equal(ask.reply.message.count[DNS_ANSWER], 1);
    assert_true(ask.reply.tcp);
    assert_int_equal(ask.took, 60000);
}

static void by_udp_a_long_answer_is_cut(void **state)
{
    assert_int_equal(run("cut.test", false, 0), 0);
    assert_true(ask.reply.message.cut);
    assert_int_equal(ask.reply.message.count[DNS_ANSWER], 0);
}

/* RFC 5452 s9.1 */
static void what_answers_another_question_is_waited_past(void **state)
{
    assert_int_equal(run("forged.test", false, 0), 0);
    assert_int_equal(ask.reply.strange, 2);
    assert_int_equal(ask.reply.message.id, 77);
}

static void a_silent_server_is_waited_for_until_the_deadline(void **state)
{
    assert_int_equal(run("www.test", false, 1), -ETIME);
    assert_int_equal(ask.took, 1000000);
}

/* RFC 1122 s4.1.3.3: an ICMP error reaches who asked. */
static void a_port_where_nobody_listens_refuses_at_once(void **state)
{
    ask.port = 99;
    assert_int_equal(run("www.test", false, 0), -ECONNREFUSED);
    assert_int_equal(ask.took, 40000);
    ask.port = 99;
    assert_int_equal(run("www.test", true, 0), -ECONNREFUSED);
}

/* --- a server that breaks its stream --------------------------------------------- */

static const char *stream;
static size_t stream_len;

static void breaker(void *arg)
{
    int l = hosts_listen(53), fd = tapir_accept(l, NULL, NULL);
    uint8_t query[300];

    must(fd >= 0 && tapir_read(fd, query, sizeof query) > 0);
    hosts_write(fd, stream, stream_len);
    tapir_close(fd);
    tapir_close(l);
}

static int run_broken(const char *text, size_t n)
{
    struct hosts h;

    stream = text;
    stream_len = n;
    ask.name = "www.test";
    ask.tcp = true;
    ask.port = 53;
    hosts_up(&h, 1, NULL);
    must(sim_spawn(h.b, breaker, NULL) == 0);
    must(sim_spawn(h.a, asker, NULL) == 0);
    hosts_run(&h);
    hosts_down(&h);
    ask.port = 0;
    return ask.result;
}

static void a_stream_that_ends_within_a_message_is_no_answer(void **state)
{
    assert_int_equal(run_broken("\0", 1), -EPIPE);
    assert_int_equal(run_broken("\0\14abc", 5), -EPIPE);
    assert_int_equal(run_broken("\0\0", 2), -EBADMSG);
    assert_int_equal(run_broken("\0\14\0\115\x81\x80\0\0\0\0\0\0\0\0", 14), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_takes_one_round_trip),
        cmocka_unit_test(by_tcp_it_takes_two),
        cmocka_unit_test(by_udp_a_long_answer_is_cut),
        cmocka_unit_test(what_answers_another_question_is_waited_past),
        cmocka_unit_test(a_silent_server_is_waited_for_until_the_deadline),
        cmocka_unit_test(a_port_where_nobody_listens_refuses_at_once),
        cmocka_unit_test(a_stream_that_ends_within_a_message_is_no_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
