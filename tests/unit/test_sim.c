#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/hosts.h"
#include "tapir/cc.h"

/* Reads until the end, in small bites, and counts. */
static void count_program(void *arg)
{
    size_t *total = arg;
    char buf[1000];
    ssize_t n;
    int l = hosts_listen(80), fd = tapir_accept(l, NULL, NULL);

    must(fd >= 0);
    while ((n = tapir_read(fd, buf, sizeof buf)) > 0)
        *total += (size_t)n;
    must(n == 0);
    must(tapir_close(fd) == 0);
    must(tapir_close(l) == 0);
}

static void write_program(void *arg)
{
    static const char text[100000];
    int fd = hosts_connect(HOST_B, 80);

    hosts_write(fd, text, sizeof text);
    must(tapir_close(fd) == 0);
}

static void a_blocking_client_and_server_run_as_they_are(void **state)
{
    struct hosts h;
    size_t total = 0;

    hosts_up(&h, 1, NULL);
    assert_int_equal(sim_spawn(h.b, count_program, &total), 0);
    assert_int_equal(sim_spawn(h.a, write_program, NULL), 0);
    assert_int_equal(sim_run(h.sim, 60000000), 0);
    assert_int_equal(total, 100000);
    hosts_down(&h);
}

/* The capture of one run under loss, whose length is returned; the caller frees it. */
static char *capture_of_a_run(uint64_t seed, size_t *len)
{
    char file[] = "/tmp/tapir-test-sim-XXXXXX";
    struct tapir_config config = { .pcap = file };
    struct hosts h;
    size_t total = 0;
    char *bytes;
    FILE *f;

    close(mkstemp(file));
    hosts_up_with(&h, seed, "delay 10ms 3ms loss 5%", &config);
    sim_spawn(h.b, count_program, &total);
    sim_spawn(h.a, write_program, NULL);
    hosts_run(&h);
    hosts_down(&h);
    assert_int_equal(total, 100000);
    f = fopen(file, "rb");
    bytes = malloc(1 << 20);
    assert_true(f && bytes);
    *len = fread(bytes, 1, 1 << 20, f);
    fclose(f);
    unlink(file);
    return bytes;
}

static void a_hundred_runs_of_one_seed_give_one_capture(void **state)
{
    size_t len, again;
    char *first = capture_of_a_run(7, &len), *other;

    assert_true(len > 100000 && len < 1 << 20);
    for (int i = 1; i < 100; i++) {
        other = capture_of_a_run(7, &again);
        assert_int_equal(again, len);
        assert_memory_equal(first, other, len);
        free(other);
    }
    other = capture_of_a_run(8, &again);
    assert_true(again != len || memcmp(first, other, len) != 0);
    free(first);
    free(other);
}

static void hours_pass_in_no_time(void **state)
{
    struct hosts h;

    hosts_up(&h, 1, NULL);
    tapir_sleep((int64_t)100 * 3600 * 1000000);
    assert_int_equal(sim_now(h.sim), (int64_t)100 * 3600 * 1000000);
    assert_int_equal(tapir_now(), (int64_t)100 * 3600 * 1000000);
    hosts_down(&h);
}

static void accept_program(void *arg)
{
    int *error = arg, l = hosts_listen(80);

    must(tapir_accept(l, NULL, NULL) == -1);
    *error = errno;
}

static void when_nothing_can_happen_any_more_that_is_told(void **state)
{
    struct hosts h;
    int error = 0;

    hosts_up(&h, 1, NULL);
    sim_spawn(h.b, accept_program, &error);
    assert_int_equal(sim_run(h.sim, INT64_MAX), -EDEADLK);
    assert_int_equal(error, 0);
    hosts_down(&h);
    /* The program was still waiting: its call failed so that it could end. */
    assert_int_equal(error, ECANCELED);
}

static void sleep_program(void *arg)
{
    tapir_sleep(10000000);
    *(bool *)arg = true;
}

static void a_run_ends_at_its_limit_and_can_go_on(void **state)
{
    struct hosts h;
    bool over = false;

    hosts_up(&h, 1, NULL);
    sim_spawn(h.a, sleep_program, &over);
    assert_int_equal(sim_run(h.sim, 4000000), -ETIMEDOUT);
    assert_int_equal(sim_now(h.sim), 4000000);
    assert_false(over);
    assert_int_equal(sim_run(h.sim, 7000000), 0);
    assert_int_equal(sim_now(h.sim), 10000000);
    assert_true(over);
    hosts_down(&h);
}

static void each_direction_of_a_wire_has_its_own_faults(void **state)
{
    struct hosts h;
    struct sockaddr_in to = hosts_addr(HOST_B, 9), me = to;
    char byte = 0;
    int a, b;

    /* One way takes 30 ms, the other 5 ms; ARP goes there and back first. */
    hosts_up(&h, 1, "out: delay 30ms in: delay 5ms");
    tapir_use(h.b);
    b = tapir_socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(tapir_bind(b, (struct sockaddr *)&me, sizeof me), 0);
    tapir_use(h.a);
    a = tapir_socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(tapir_sendto(a, "x", 1, 0, (struct sockaddr *)&to, sizeof to), 1);
    assert_int_equal(tapir_recv(b, &byte, 1, 0), 1);
    assert_int_equal(sim_now(h.sim), 30000 + 5000 + 30000);
    tapir_use(NULL);
    hosts_down(&h);
}

static void a_host_has_one_wire_and_both_ends_are_hosts_of_one_simulation(void **state)
{
    struct hosts h, other;

    hosts_up(&h, 1, NULL);
    hosts_up(&other, 2, NULL);
    assert_int_equal(sim_wire(h.sim, h.a, h.b, NULL), -EBUSY);
    assert_int_equal(sim_wire(h.sim, h.a, h.a, NULL), -EINVAL);
    assert_int_equal(sim_wire(h.sim, h.a, other.a, NULL), -EINVAL);
    assert_int_equal(sim_wire(h.sim, h.a, h.b, "gremlins"), -EBUSY);
    hosts_down(&other);
    hosts_down(&h);
}

static void a_host_with_a_wrong_address_is_refused(void **state)
{
    struct sim *sim = sim_new(1);
    struct tapir_config config = { .addr = "here" };
    struct tapir_error error;

    assert_null(sim_host(sim, &config, &error));
    assert_int_equal(errno, EINVAL);
    assert_non_null(strstr(error.what, "bad --addr 'here'"));
    sim_free(sim);
}

/* ---- a controller of the user's own: one segment in flight, whatever comes ---- */

static void one_at_a_time(struct cc *cc)
{
    cc->cwnd = cc->mss;
}

static void one_after_ack(struct cc *cc, const struct cc_ack *ack)
{
    cc->state[0] += ack->acked;
    cc->cwnd = cc->mss;
}

static void one_after_loss(struct cc *cc, enum cc_loss kind, uint32_t flight,
                           int64_t now)
{
    cc->cwnd = cc->ssthresh = cc->mss;
}

static void one_after_idle(struct cc *cc, uint32_t initial_window, int64_t idle)
{
    cc->cwnd = cc->mss;
}

static const struct cc_ops careful = { "careful", one_at_a_time, one_after_ack,
                                       one_after_loss, one_after_idle };

/* How long 100,000 bytes take with the controller of this name. */
static int64_t time_with(const char *name)
{
    struct hosts h;
    size_t total = 0;

    hosts_up(&h, 1, "delay 10ms");
    assert_int_equal(tapir_add_cc(h.a, &careful), 0);
    assert_int_equal(tapir_add_cc(h.a, &careful), -EEXIST);
    assert_int_equal(tapir_sysctl(h.a, "net.ipv4.tcp_congestion_control", name), 0);
    assert_int_equal(sim_spawn(h.b, count_program, &total), 0);
    assert_int_equal(sim_spawn(h.a, write_program, NULL), 0);
    assert_int_equal(sim_run(h.sim, 60000000), 0);
    assert_int_equal(total, 100000);
    int64_t time = sim_now(h.sim);
    hosts_down(&h);
    return time;
}

static void a_controller_of_the_user_s_own_decides(void **state)
{
    /* 70 segments, each a round trip of 20 ms and more, against a few windows. */
    int64_t careful_time = time_with("careful"), cubic_time = time_with("cubic");

    assert_true(careful_time > cubic_time + 60 * 20000);
}

static void a_tunable_is_set_by_its_name_or_refused(void **state)
{
    struct hosts h;

    hosts_up(&h, 1, NULL);
    assert_int_equal(tapir_sysctl(h.a, "net.ipv4.tcp_sack", "0"), 0);
    assert_int_equal(tapir_sysctl(h.a, "net.ipv4.tcp_sack", "7"), -EINVAL);
    assert_int_equal(tapir_sysctl(h.a, "net.ipv4.tcp_recovery", "1"), -ENOTSUP);
    assert_int_equal(tapir_sysctl(h.a, "net.ipv4.tcp_sock", "1"), -ENOENT);
    hosts_down(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_blocking_client_and_server_run_as_they_are),
        cmocka_unit_test(a_hundred_runs_of_one_seed_give_one_capture),
        cmocka_unit_test(hours_pass_in_no_time),
        cmocka_unit_test(when_nothing_can_happen_any_more_that_is_told),
        cmocka_unit_test(a_run_ends_at_its_limit_and_can_go_on),
        cmocka_unit_test(each_direction_of_a_wire_has_its_own_faults),
        cmocka_unit_test(a_host_has_one_wire_and_both_ends_are_hosts_of_one_simulation),
        cmocka_unit_test(a_host_with_a_wrong_address_is_refused),
        cmocka_unit_test(a_controller_of_the_user_s_own_decides),
        cmocka_unit_test(a_tunable_is_set_by_its_name_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
