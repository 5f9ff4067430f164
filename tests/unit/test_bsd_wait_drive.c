/* How often a driver reads its device: each read is a system call. The test has the
 * stack's lock, so that no thread but its own drives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "edge/bsd.h"
#include "harness/cable.h"
#include "harness/hosts.h"

static struct tapir *t;
static struct file *file; /* of a datagram socket on port 7 */
static int wire;          /* the other end of the device */
static int reads;         /* of the device so far */
static const struct port_ops *real;

static int counting_read(struct port *port, struct pkt_pool *pool, struct pkt **out)
{
    reads++;
    return real->read(port, pool, out);
}

static struct port_ops counting = { .read = counting_read };

static int up(void **state)
{
    struct sockaddr_in me = hosts_addr(HOST_B, 7);
    int end[2], fd;

    must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, end) == 0);
    t = cable_stack(end[0], "192.0.2.2/24");
    wire = end[1];
    tapir_use(t);
    fd = tapir_socket(AF_INET, SOCK_DGRAM, 0);
    must(tapir_bind(fd, (struct sockaddr *)&me, sizeof me) == 0);
    file = file_get(fd);
    pthread_mutex_lock(&t->lock);
    t->lone = 0;
    t->unsure = t->naps = false;
    real = t->port->ops;
    counting.close = real->close;
    t->port->ops = &counting;
    reads = 0;
    return 0;
}

static int down(void **state)
{
    t->port->ops = real;
    pthread_mutex_unlock(&t->lock);
    file_put(file);
    tapir_use(NULL);
    tapir_down(t);
    close(wire);
    return 0;
}

/* A datagram of one byte from 192.0.2.1 to port 7, without a checksum; behind a vnet
 * header of zeros. */
static void put_datagram(void)
{
    uint8_t mac[6], frame[12 + 14 + 20 + 9] = {
        [24] = 8, 0,                                          /* Ethernet: IPv4 */
        0x45,     0, 0, 29, 0,   0, 0, 0, 64, 17, 0xf6, 0xcc, /* IP, UDP */
        192,      0, 2, 1,  192, 0, 2, 2, 0,  9,  0,    7,    0, 9, 0, 0, 'x'
    };

    for (size_t i = 0; i < sizeof mac; i++)
        frame[12 + i] = t->nif.mac.b[i];
    must(write(wire, frame, sizeof frame) == sizeof frame);
}

/* A call waits for the socket, a millisecond at most. Its result. */
static int wait_once(void)
{
    struct waiter w;
    int r;

    waiter_init(&w, BATCH_READ);
    t->now = loop_clock(t);
    w.deadline = t->now + 1000;
    list_add_tail(&file->waiters, &w.node);
    r = waiter_wait(t, &w);
    list_del(&w.node);
    waiter_done(&w);
    return r;
}

/* Reads of the device that `n` calls cost which find one datagram each. */
static int cost(int n)
{
    int before = reads;

    for (int i = 0; i < n; i++) {
        put_datagram();
        assert_int_equal(wait_once(), 0);
    }
    return reads - before;
}

static void where_one_frame_was_all_the_next_is_read_alone(void **state)
{
    assert_int_equal(cost(2), 4); /* a frame, and that there is no other */
    assert_int_equal(cost(14), 14);
    assert_int_equal(cost(1), 2); /* every sixteenth looks again */
    assert_int_equal(cost(15), 15);
}

static void a_second_frame_is_found_by_the_next_call(void **state)
{
    cost(4);
    put_datagram();
    put_datagram();
    assert_int_equal(wait_once(), 0);
    assert_int_equal(file->sock->udp->rcv.n, 5);
    assert_int_equal(wait_once(), 0);
    assert_int_equal(file->sock->udp->rcv.n, 6);
}

static void many_frames_are_read_to_the_end_again(void **state)
{
    cost(16);
    for (int i = 0; i < 5; i++)
        put_datagram();
    assert_int_equal(wait_once(), 0); /* it is the one that looks */
    assert_int_equal(file->sock->udp->rcv.n, 21);
    assert_int_equal(cost(2), 4);
}

static void a_device_that_was_empty_is_not_read_before_the_sleep(void **state)
{
    int before;

    cost(3);
    before = reads;
    assert_int_equal(wait_once(), -ETIMEDOUT);
    assert_int_equal(reads - before, 1); /* finds it empty, and learns */
    cost(1);
    before = reads;
    assert_int_equal(wait_once(), -ETIMEDOUT);
    assert_int_equal(reads - before, 0);
}

static void a_sleep_on_frames_that_are_there_ends_at_once(void **state)
{
    int before;

    cost(3);
    wait_once();
    cost(1);
    before = reads;
    put_datagram();
    put_datagram();
    t->naps = true;
    assert_int_equal(wait_once(), 0); /* sleeps, and is up at once */
    assert_int_equal(wait_once(), 0);
    assert_int_equal(reads - before, 2);
}

/* Nobody drives, and the device was read two milliseconds ago. */
static void stay_away(void)
{
    t->driver = NULL;
    t->looked = loop_clock(t) - 2000;
    atomic_store(&t->stayed_away, false);
}

static void a_call_after_a_long_time_looks_and_tells_the_watch(void **state)
{
    stay_away();
    call_begins(t);
    assert_int_equal(reads, 1);
    assert_true(atomic_load(&t->stayed_away));
}

static void while_another_call_drives_nobody_stayed_away(void **state)
{
    struct waiter other;

    waiter_init(&other, BATCH_READ);
    stay_away();
    t->driver = &other;
    call_begins(t);
    assert_int_equal(reads, 0);
    assert_false(atomic_load(&t->stayed_away));
    t->driver = NULL;
}

static void who_wakes_from_a_sleep_has_looked(void **state)
{
    stay_away();
    assert_int_equal(wait_once(), -ETIMEDOUT);
    reads = 0;
    call_begins(t);
    assert_int_equal(reads, 0);
    assert_false(atomic_load(&t->stayed_away));
}

static void ticks_become_longer_until_somebody_stays_away(void **state)
{
    static const long want[] = { 2, 4, 8, 16, 32, 32 };
    long tick = 1;

    atomic_store(&t->stayed_away, false);
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        tick = watch_next_tick(t, tick);
        assert_int_equal(tick, want[i]);
    }
    atomic_store(&t->stayed_away, true);
    assert_int_equal(watch_next_tick(t, tick), 1);
    assert_int_equal(watch_next_tick(t, 1), 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, up, down)
    const struct CMUnitTest tests[] = {
        TEST(where_one_frame_was_all_the_next_is_read_alone),
        TEST(a_second_frame_is_found_by_the_next_call),
        TEST(many_frames_are_read_to_the_end_again),
        TEST(a_device_that_was_empty_is_not_read_before_the_sleep),
        TEST(a_sleep_on_frames_that_are_there_ends_at_once),
        TEST(a_call_after_a_long_time_looks_and_tells_the_watch),
        TEST(while_another_call_drives_nobody_stayed_away),
        TEST(who_wakes_from_a_sleep_has_looked),
        TEST(ticks_become_longer_until_somebody_stays_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
