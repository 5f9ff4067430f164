/* Many connections, and peers that behave badly, between two stacks in virtual time.
 * Nothing may be left behind. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "harness/pair.h"
#include "wire/dump.h"

enum { PORT = 80, MANY = 200, AFTER_ANOTHER = 1000 };

static const usec second = 1000000, minute = 60000000;

static ssize_t write_bytes(struct sock *s, size_t n)
{
    static const uint8_t zeros[100000];
    struct piece piece = { zeros, min_size(n, sizeof zeros) };
    return sock_send(s, &piece, 1, 0, NULL);
}

/* Reads what is there; how much, or the error that stands in the way. */
static ssize_t drain(struct sock *s)
{
    static uint8_t buf[100000];
    ssize_t all = 0, n;
    while ((n = sock_receive(s, buf, sizeof buf, 0, NULL)) > 0)
        all += n;
    return all > 0 ? all : n;
}

static void assert_nothing_left(const struct pair *p)
{
    for (int i = 0; i < 2; i++) {
        assert_int_equal(p->host[i].st->socks.n, 0);
        assert_int_equal(p->host[i].st->tcp.n_tcb, 0);
        assert_int_equal(p->host[i].st->tcp.n_time_wait, 0);
    }
}

/* A connection carries a request and an answer, and is closed by the client. */
static void exchange(struct pair *p, struct sock *listener)
{
    struct sock *client, *server;
    pair_connect(p, listener, &client, &server);
    assert_int_equal(write_bytes(client, 100), 100);
    pair_run(p, 50 * USEC_PER_MS);
    assert_int_equal(drain(server), 100);
    assert_int_equal(write_bytes(server, 3000), 3000);
    pair_run(p, 50 * USEC_PER_MS);
    assert_int_equal(drain(client), 3000);
    sock_close(client);
    pair_run(p, 50 * USEC_PER_MS);
    assert_int_equal(drain(server), 0);
    sock_close(server);
}

static void a_thousand_connections_one_after_another_lose_none(void **state)
{
    struct pair p;
    (void)state;
    pair_init(&p, &(struct pair_setup){ .seed = 1, .netem = "delay 1ms" });
    struct sock *l = pair_listen(&p, PAIR_B, PORT);
    for (int i = 0; i < AFTER_ANOTHER; i++)
        exchange(&p, l);
    sock_close(l);
    pair_run(&p, 3 * minute);
    assert_nothing_left(&p);
    assert_int_equal(stack_counter(p.host[0].st, "TcpRetransSegs"), 0);
    assert_int_equal(stack_counter(p.host[1].st, "TcpOutRsts"), 0);
    pair_free(&p);
}

struct crowd {
    struct sock *listener, *client[MANY], *server[MANY];
    size_t got[MANY];
    unsigned accepted;
};

static bool all_served(void *ctx)
{
    struct crowd *c = ctx;
    bool all = true;
    while (c->accepted < MANY && sock_accept(c->listener, &c->server[c->accepted]) == 0)
        assert_int_equal(write_bytes(c->server[c->accepted++], 20000), 20000);
    for (unsigned i = 0; i < MANY; i++) {
        ssize_t n = drain(c->client[i]);
        assert_true(n > 0 || n == -EAGAIN || n == -ENOTCONN);
        c->got[i] += n > 0 ? (size_t)n : 0;
        all &= c->got[i] == 20000;
    }
    return all;
}

static void two_hundred_at_once_lose_none(void **state)
{
    static struct crowd c;
    struct pair p;
    struct sock_name to = { pair_addr(PAIR_B), PORT };
    (void)state;
    memset(&c, 0, sizeof c);
    pair_init(&p, &(struct pair_setup){ .seed = 1, .netem = "delay 5ms loss 1%" });
    c.listener = pair_listen(&p, PAIR_B, PORT);
    for (unsigned i = 0; i < MANY; i++) {
        c.client[i] = pair_tcp(&p, PAIR_A);
        assert_int_equal(sock_connect(c.client[i], &to), -EINPROGRESS);
    }
    assert_true(pair_run_until(&p, all_served, &c, 10 * minute));
    for (unsigned i = 0; i < MANY; i++) {
        sock_close(c.client[i]);
        sock_close(c.server[i]);
    }
    sock_close(c.listener);
    pair_run(&p, 30 * minute);
    assert_nothing_left(&p);
    pair_free(&p);
}

/* RFC 9293 s3.8.6.1: a closed window is probed for as long as it takes. */
static void a_reader_that_pauses_for_an_hour_loses_nothing(void **state)
{
    static const char *const small[] = { "net.ipv4.tcp_rmem=4096 16384 16384", NULL };
    struct pair p;
    struct sock *client, *server;
    size_t sent = 0, got = 0;
    (void)state;
    pair_init(&p, &(struct pair_setup){ .seed = 1, .sysctl = small });
    struct sock *l = pair_listen(&p, PAIR_B, PORT);
    pair_connect(&p, l, &client, &server);
    while (sent < 100000)
        sent += (size_t)write_bytes(client, 100000 - sent);
    assert_int_equal(sock_shutdown(client, 1), 0);
    pair_run(&p, 60 * minute);
    assert_true(stack_counter(p.host[0].st, "TcpExtTCPWinProbe") > 10);
    for (int i = 0; i < 1000 && got < sent; i++) {
        ssize_t n = drain(server);
        got += n > 0 ? (size_t)n : 0;
        pair_run(&p, second);
    }
    assert_int_equal(got, sent);
    assert_int_equal(drain(server), 0);
    sock_close(client);
    sock_close(server);
    sock_close(l);
    pair_run(&p, 3 * minute);
    assert_nothing_left(&p);
    pair_free(&p);
}

static enum pair_fate cut(void *ctx, const struct pair_frame *frame)
{
    const usec *when = ctx;
    return frame->at >= *when ? PAIR_DROP : PAIR_PASS;
}

/* RFC 9293 s3.8.3: a peer that is gone is given up (tcp_retries2 15: after 13 to 30
 * minutes); RFC 1122 s4.2.3.5: the user is told. */
static void a_wire_that_is_cut_costs_only_its_connection(void **state)
{
    usec when = NEVER;
    struct pair p;
    struct sock *client, *server;
    (void)state;
    pair_init(&p, &(struct pair_setup){ .seed = 1, .hook = cut, .ctx = &when });
    struct sock *l = pair_listen(&p, PAIR_B, PORT);
    pair_connect(&p, l, &client, &server);
    assert_int_equal(write_bytes(server, 100000), 100000);
    when = p.now + 25 * USEC_PER_MS;
    pair_run(&p, 10 * minute);
    assert_false(sock_readiness(server) & SOCK_ERR);
    pair_run(&p, 25 * minute);
    assert_int_equal(drain(server), -ETIMEDOUT);
    sock_close(server);
    sock_close(client); /* unread text: reset, unheard */
    sock_close(l);
    pair_run(&p, 30 * minute);
    assert_nothing_left(&p);
    pair_free(&p);
}

/* A closed socket's connection goes on by itself, but not for ever (orphan retries). */
static void an_orphan_behind_a_cut_wire_goes_away(void **state)
{
    usec when = NEVER;
    struct pair p;
    struct sock *client, *server;
    (void)state;
    pair_init(&p, &(struct pair_setup){ .seed = 1, .hook = cut, .ctx = &when });
    struct sock *l = pair_listen(&p, PAIR_B, PORT);
    pair_connect(&p, l, &client, &server);
    when = p.now;
    assert_int_equal(write_bytes(server, 5000), 5000);
    sock_close(server);
    sock_close(client);
    sock_close(l);
    pair_run(&p, 5 * minute);
    assert_nothing_left(&p);
    pair_free(&p);
}

/* A keep-alive finds that the peer is gone: 10 s idle, then 3 probes 5 s apart. */
static void keepalive_notices_a_cut_wire(void **state)
{
    static const int on = 1, idle = 10, interval = 5, probes = 3;
    usec when = NEVER;
    struct pair p;
    struct sock *client, *server;
    (void)state;
    pair_init(&p, &(struct pair_setup){ .seed = 1, .hook = cut, .ctx = &when });
    struct sock *l = pair_listen(&p, PAIR_B, PORT);
    pair_connect(&p, l, &client, &server);
    assert_int_equal(sock_setopt(server, 6, 4, &idle, sizeof idle), 0);
    assert_int_equal(sock_setopt(server, 6, 5, &interval, sizeof interval), 0);
    assert_int_equal(sock_setopt(server, 6, 6, &probes, sizeof probes), 0);
    assert_int_equal(sock_setopt(server, 1, 9, &on, sizeof on), 0);
    pair_run(&p, 5 * minute);
    assert_int_equal(sock_readiness(server), SOCK_OUT);
    when = p.now;
    pair_run(&p, minute);
    assert_int_equal(drain(server), -ETIMEDOUT);
    sock_close(client);
    sock_close(server);
    sock_close(l);
    pair_run(&p, 5 * minute);
    assert_nothing_left(&p);
    pair_free(&p);
}

/* RFC 9293 s3.5, figure 8: both open at the same time, one connection comes of it. */
static void simultaneous_open_makes_one_connection(void **state)
{
    struct pair p;
    struct sock_name at_a = { pair_addr(PAIR_A), 1000 },
                     at_b = { pair_addr(PAIR_B), 2000 };
    (void)state;
    pair_init(&p, &(struct pair_setup){ .seed = 1 });
    struct sock *a = pair_tcp(&p, PAIR_A), *b = pair_tcp(&p, PAIR_B);
    assert_int_equal(sock_bind(a, &at_a), 0);
    assert_int_equal(sock_bind(b, &at_b), 0);
    assert_int_equal(sock_connect(a, &at_b), -EINPROGRESS);
    assert_int_equal(sock_connect(b, &at_a), -EINPROGRESS);
    pair_run(&p, second);
    assert_int_equal(sock_connect(a, &at_b), 0);
    assert_int_equal(sock_connect(b, &at_a), 0);
    assert_int_equal(write_bytes(a, 1000), 1000);
    assert_int_equal(write_bytes(b, 2000), 2000);
    pair_run(&p, second);
    assert_int_equal(drain(a), 2000);
    assert_int_equal(drain(b), 1000);
    /* s3.6, figure 13: and both close at the same time. */
    sock_close(a);
    sock_close(b);
    pair_run(&p, second);
    assert_int_equal(p.host[0].st->tcp.n_time_wait, 1);
    assert_int_equal(p.host[1].st->tcp.n_time_wait, 1);
    pair_run(&p, 2 * minute);
    assert_nothing_left(&p);
    pair_free(&p);
}

/* RFC 9293 s3.6.1: who closes with text unread resets, and the other is told. */
static void a_client_that_goes_in_the_middle_is_noticed(void **state)
{
    struct pair p;
    struct sock *client, *server;
    (void)state;
    pair_init(&p, &(struct pair_setup){ .seed = 1 });
    struct sock *l = pair_listen(&p, PAIR_B, PORT);
    pair_connect(&p, l, &client, &server);
    assert_true(write_bytes(server, 100000) > 0);
    pair_run(&p, 25 * USEC_PER_MS);
    sock_close(client);
    pair_run(&p, second);
    assert_int_equal(drain(server), -ECONNRESET);
    sock_close(server);
    sock_close(l);
    pair_run(&p, second);
    assert_nothing_left(&p);
    pair_free(&p);
}

/* A listener closes while connections wait for accept(): they are reset. */
static void a_listener_that_closes_resets_whom_it_did_not_accept(void **state)
{
    struct pair p;
    struct sock_name to = { pair_addr(PAIR_B), PORT };
    (void)state;
    pair_init(&p, &(struct pair_setup){ .seed = 1 });
    struct sock *l = pair_listen(&p, PAIR_B, PORT), *c = pair_tcp(&p, PAIR_A);
    assert_int_equal(sock_connect(c, &to), -EINPROGRESS);
    pair_run(&p, second);
    assert_int_equal(sock_connect(c, &to), 0);
    sock_close(l);
    pair_run(&p, second);
    assert_int_equal(drain(c), -ECONNRESET);
    sock_close(c);
    pair_run(&p, second);
    assert_nothing_left(&p);
    pair_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thousand_connections_one_after_another_lose_none),
        cmocka_unit_test(two_hundred_at_once_lose_none),
        cmocka_unit_test(a_reader_that_pauses_for_an_hour_loses_nothing),
        cmocka_unit_test(a_wire_that_is_cut_costs_only_its_connection),
        cmocka_unit_test(an_orphan_behind_a_cut_wire_goes_away),
        cmocka_unit_test(keepalive_notices_a_cut_wire),
        cmocka_unit_test(simultaneous_open_makes_one_connection),
        cmocka_unit_test(a_client_that_goes_in_the_middle_is_noticed),
        cmocka_unit_test(a_listener_that_closes_resets_whom_it_did_not_accept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
