#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "harness/cable.h"
#include "harness/hosts.h"

/* One live stack whose device is one end of a socket pair; the test holds the other end
 * and no thread but the test's drives: the stack's own is kept out by the lock. */

static struct tapir *t;
static int wire; /* our end */

static int up(void **state)
{
    int fd[2];

    must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fd) == 0);
    t = cable_stack(fd[0], "192.0.2.2/24");
    wire = fd[1];
    pthread_mutex_lock(&t->lock);
    return 0;
}

static int down(void **state)
{
    pthread_mutex_unlock(&t->lock);
    tapir_down(t);
    close(wire);
    return 0;
}

/* Frames that the stack has sent and nobody has read. */
static int frames_sent(void)
{
    uint8_t buf[2048];
    int n = 0;

    while (read(wire, buf, sizeof buf) > 0)
        n++;
    return n;
}

/* RFC 826: who has 192.0.2.2, tell 192.0.2.1; behind a vnet header of zeros. */
static void put_arp_request(void)
{
    static const uint8_t frame[12 + 42] = {
        [12] = 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0,   1, 8, 6,
        0,           1,    8,    0,    6,    4,    0, 1, 2, 0, 0,   0, 0, 1,
        192,         0,    2,    1,    0,    0,    0, 0, 0, 0, 192, 0, 2, 2
    };

    must(write(wire, frame, sizeof frame) == sizeof frame);
}

static void a_turn_takes_what_came_and_answers_it(void **state)
{
    frames_sent();
    put_arp_request();
    assert_true(loop_turn(t, BATCH_READ));
    assert_int_equal(frames_sent(), 1);
    assert_false(loop_turn(t, BATCH_READ));
}

static void a_turn_ends_when_its_budget_is_spent(void **state)
{
    for (int i = 0; i < 5; i++)
        put_arp_request();
    assert_true(loop_turn(t, 2));
    assert_int_equal(t->stack->net.count.n[COUNT_ArpInRequests], 2);
    assert_true(loop_turn(t, 2));
    assert_true(loop_turn(t, 2));
    assert_int_equal(t->stack->net.count.n[COUNT_ArpInRequests], 5);
    assert_false(loop_turn(t, 2));
}

static void a_batch_is_64_frames(void **state)
{
    for (int i = 0; i < 70; i++)
        put_arp_request();
    assert_true(loop_turn(t, BATCH_READ));
    assert_int_equal(t->stack->net.count.n[COUNT_ArpInRequests], 64);
}

static void a_link_that_takes_nothing_is_tried_again(void **state)
{
    struct sockaddr_in to;

    pthread_mutex_unlock(&t->lock);
    tapir_use(t);
    to = hosts_addr(HOST_A, 7);
    int fd = tapir_socket(AF_INET, SOCK_DGRAM, 0);

    must(tapir_sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof to) == 1);
    tapir_close(fd);
    tapir_use(NULL);
    pthread_mutex_lock(&t->lock);
    t->nif.blocked = true;
    loop_turn(t, BATCH_READ);
    assert_false(t->nif.blocked);
}

/* A device that was deleted answers for ever: the interface is down, and the loop does
 * not look at it any more. */
static void a_device_that_is_gone_ends_the_interface(void **state)
{
    struct waiter *w = &t->watch;
    int fd = t->port->fd;

    t->port->fd = open("/", O_PATH | O_CLOEXEC); /* every read is EBADF */
    assert_false(loop_turn(t, BATCH_READ));
    assert_true(t->port->dead);
    assert_false(t->nif.up);
    assert_int_equal(loop_sleep(t, w, t->now + 1), 0);
    close(t->port->fd);
    t->port->fd = fd;
}

/* A driver that sleeps on what is not the device's descriptor any more, or does not
 * wait for room, has to be got up. */
static void a_sleep_on_other_descriptors_is_stale(void **state)
{
    struct waiter *w = &t->watch;

    assert_int_equal(loop_sleep(t, w, t->now + 1), 0);
    assert_false(loop_stale(t));
    t->port->door = wire;
    assert_true(loop_stale(t));
    t->port->door = -1;
    assert_false(loop_stale(t));
    t->port->pending = true;
    assert_true(loop_stale(t));
    t->port->pending = false;
    t->nif.blocked = true;
    assert_true(loop_stale(t));
    t->nif.blocked = false;
    t->port->fd++;
    assert_true(loop_stale(t));
    t->port->fd--;
}

static void who_knocks_at_the_door_is_noted(void **state)
{
    int door[2];

    must(socketpair(AF_UNIX, SOCK_STREAM, 0, door) == 0);
    t->port->door = door[0];
    assert_int_equal(loop_sleep(t, &t->watch, t->now + 1), 0);
    assert_false(t->port->knocked);
    must(write(door[1], "x", 1) == 1);
    assert_int_equal(loop_sleep(t, &t->watch, t->now + USEC_PER_SEC), 0);
    assert_true(t->port->knocked);
    t->port->door = -1;
    close(door[0]);
    close(door[1]);
}

/* RFC 5227 s2.3: a peer that has just come learns who is here. */
static void an_arrived_peer_gets_an_announcement(void **state)
{
    frames_sent();
    t->port->arrived = true;
    loop_turn(t, BATCH_READ);
    assert_int_equal(frames_sent(), 1);
    assert_false(t->port->arrived);
}

struct drops {
    unsigned leaving, other;
};

static void note_drop(void *ctx, const struct trace_event *event)
{
    struct drops *d = ctx;

    assert_int_equal(event->kind, TRACE_DROP);
    assert_string_equal(event->u.drop.name, "NetemLimit");
    *(event->u.drop.leaving ? &d->leaving : &d->other) += 1;
}

/* A frame that dies in its offering is about to be told of as leaving; the copy is not.
 */
static void the_trace_hears_of_all_that_the_emulator_drops(void **state)
{
    struct netem_config config = { .on = true, .delay = 1000, .limit = 1 };
    struct trace before = t->stack->net.trace;
    struct drops seen = { 0, 0 };

    config.duplicate.share = 1;
    netem_init(&t->out, &config, 1, &t->stack->net.count);
    t->stack->net.trace = (struct trace){ note_drop, &seen };
    for (int i = 0; i < 2; i++) {
        struct pkt *p = pkt_new(&t->stack->net.pool, 60);

        memset(pkt_put(p, 60), 0, 60);
        loop_offer(t, &t->out, p);
    }
    t->stack->net.trace = before;
    assert_int_equal(seen.leaving, 1);
    assert_int_equal(seen.other, 2);
    netem_free(&t->out);
    t->out.config.on = false;
}

static void deadlines_of_the_emulator_count(void **state)
{
    struct netem_config delay = { .on = true, .delay = 5000 };

    netem_init(&t->out, &delay, 1, &t->stack->net.count);
    netem_init(&t->in, &delay, 2, &t->stack->net.count);
    loop_link(t);
    frames_sent();
    put_arp_request();
    t->now = t->stack->net.now = loop_clock(t);
    loop_turn(t, BATCH_READ);
    assert_int_equal(t->stack->net.count.n[COUNT_ArpInRequests], 0);
    assert_int_equal(loop_deadline(t), t->now + 5000);
    t->now += 5000;
    loop_settle(t); /* it arrives; the answer is under way */
    assert_int_equal(t->stack->net.count.n[COUNT_ArpInRequests], 1);
    assert_int_equal(frames_sent(), 0);
    assert_true(loop_deadline(t) <= t->now + 5000);
    t->now += 5000;
    loop_settle(t);
    assert_int_equal(frames_sent(), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, up, down)
    const struct CMUnitTest tests[] = {
        TEST(a_turn_takes_what_came_and_answers_it),
        TEST(a_turn_ends_when_its_budget_is_spent),
        TEST(a_batch_is_64_frames),
        TEST(a_link_that_takes_nothing_is_tried_again),
        TEST(a_device_that_is_gone_ends_the_interface),
        TEST(a_sleep_on_other_descriptors_is_stale),
        TEST(who_knocks_at_the_door_is_noted),
        TEST(an_arrived_peer_gets_an_announcement),
        TEST(the_trace_hears_of_all_that_the_emulator_drops),
        TEST(deadlines_of_the_emulator_count),
        TEST(the_trace_hears_of_all_that_the_emulator_drops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
