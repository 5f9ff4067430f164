/* Connections that wait, between two hosts in virtual time. */
#include "app/http_pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "harness/hosts.h"

static struct hosts h;
static struct http_pool pool;
static union endpoint to;

static int up(void **state)
{
    hosts_up(&h, 1, NULL);
    pool = (struct http_pool){ .idle = NULL };
    to.in4 = hosts_addr(HOST_B, 80);
    return 0;
}

static int down(void **state)
{
    hosts_down(&h);
    return 0;
}

static struct http_conn *open_one(const char *host)
{
    int err;
    struct http_conn *conn = http_pool_open(&pool, host, &to, NEVER, &err);

    must(conn != NULL);
    return conn;
}

/* Takes n connections; writes `say` to the first a second later, or closes it (""). */
static struct {
    int n;
    const char *say;
} plan;

static void server(void *arg)
{
    int l = hosts_listen(80), fd[32];
    char byte;

    for (int i = 0; i < plan.n; i++)
        must((fd[i] = tapir_accept(l, NULL, NULL)) >= 0);
    tapir_sleep(1000000);
    for (int i = 0; i < plan.n; i++) {
        if (i == 0 && plan.say)
            hosts_write(fd[i], plan.say, strlen(plan.say));
        if (!plan.say || *plan.say)
            must(tapir_read(fd[i], &byte, 1) <= 0);
        tapir_close(fd[i]);
    }
    tapir_close(l);
}

static void run(void (*client)(void *), int n, const char *say)
{
    plan.n = n;
    plan.say = say;
    sim_spawn(h.b, server, NULL);
    sim_spawn(h.a, client, NULL);
    hosts_run(&h);
}

static void take_back(void *arg)
{
    struct http_conn *one = open_one("one"), *two = open_one("two");
    union endpoint other = { .in4 = hosts_addr(HOST_B, 81) };

    must(one->number == 0 && two->number == 1);
    http_pool_put(&pool, one);
    http_pool_put(&pool, two);
    must(http_pool_take(&pool, "three", &to) == NULL);
    must(http_pool_take(&pool, "one", &other) == NULL);
    must(http_pool_take(&pool, "one", &to) == one);
    must(http_pool_take(&pool, "one", &to) == NULL);
    http_conn_close(one);
    http_pool_clear(&pool);
    must(pool.idle == NULL);
}

static void a_connection_is_used_again_for_the_same_place(void **state)
{
    run(take_back, 2, NULL);
}

static void come_late(void *arg)
{
    http_pool_put(&pool, open_one("one"));
    tapir_sleep(2000000);
    must(http_pool_take(&pool, "one", &to) == NULL);
    must(pool.idle == NULL);
}

/* RFC 9112 s9.3: neither an end nor bytes that nobody asked for. */
static void one_that_has_something_to_say_is_not(void **state)
{
    run(come_late, 1, "");
}

static void one_with_stray_bytes_is_not(void **state)
{
    run(come_late, 1, "HTTP/1.1 200 OK\r\n\r\n");
}

static void open_many(void *arg)
{
    unsigned n = 0;

    for (int i = 0; i < 20; i++)
        http_pool_put(&pool, open_one("one"));
    for (const struct http_conn *c = pool.idle; c; c = c->next)
        n++;
    must(n == 16);
    must(pool.idle->number == 19);
    http_pool_clear(&pool);
}

static void the_one_that_waited_longest_makes_room(void **state)
{
    run(open_many, 20, NULL);
}

static void nobody_there(void *arg)
{
    int err;

    to.in4.sin_port = htons(81);
    must(http_pool_open(&pool, "one", &to, NEVER, &err) == NULL);
    must(err == -ECONNREFUSED);
    must(pool.opened == 0);
}

static void a_refused_connection_says_why(void **state)
{
    run(nobody_there, 0, NULL);
}

#define HOSTS(test) cmocka_unit_test_setup_teardown(test, up, down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOSTS(a_connection_is_used_again_for_the_same_place),
        HOSTS(one_that_has_something_to_say_is_not),
        HOSTS(one_with_stray_bytes_is_not),
        HOSTS(the_one_that_waited_longest_makes_room),
        HOSTS(a_refused_connection_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
