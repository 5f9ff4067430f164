#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cksum.h"
#include "edge/raw.h"
#include "harness/frame.h"
#include "harness/hosts.h"
#include "wire/eth.h"
#include "wire/ip4_wire.h"
#include "wire/tcp_wire.h"

/* A host 192.0.2.2 that listens on port 80; we are its peer 192.0.2.1, port 4000. */
struct rig {
    struct sim *sim;
    struct tapir *host;
    struct pkt_pool pool;
    int listener;
    struct seq isn; /* the host's */
    char line[200]; /* the packet taken last */
};

static void up(struct rig *r)
{
    struct tapir_config config = { .addr = "192.0.2.2/24" };

    r->sim = sim_new(1);
    r->host = sim_host(r->sim, &config, NULL);
    assert_non_null(r->host);
    assert_int_equal(sim_wire_raw(r->host), 0);
    pkt_pool_init(&r->pool, 1 << 20, 0);
    r->listener = hosts_listen(80);
}

static void down(struct rig *r)
{
    sim_free(r->sim);
    pkt_pool_free(&r->pool);
}

static void put(struct rig *r, const char *line)
{
    struct frame_from from = { .us = false, .our_port = 80, .peer_port = 4000 };
    struct pkt *p = frame_tcp(&r->pool, from, line);

    assert_int_equal(raw_put(r->host, p->data + ETH_LEN, p->len - ETH_LEN), 0);
    pkt_free(p);
}

/* A segment that acknowledges the host's numbers up to `ack`, its SYN being 0. */
static void put_ack(struct rig *r, const char *what, uint32_t ack)
{
    char line[100];

    snprintf(line, sizeof line, "%s ack %u win 65535", what, seq_add(r->isn, ack).n);
    put(r, line);
}

/* The oldest packet that left, checksums verified: when, and as a line. */
static usec take(struct rig *r)
{
    struct raw_packet *p = raw_take(r->host);
    struct tcp_seg seg;
    struct ip4 ip;
    struct text t;
    usec at;

    assert_non_null(p);
    assert_int_equal(ip4_parse(p->data, p->len, &ip), 0);
    assert_int_equal(ip.total_len, p->len);
    assert_int_equal(cksum_finish(cksum_add(
                         ip_pseudo_sum(ip.src, ip.dst, ip.proto, p->len - IP4_LEN),
                         p->data + IP4_LEN, p->len - IP4_LEN, 0)),
                     0);
    assert_int_equal(tcp_parse(p->data + IP4_LEN, p->len - IP4_LEN, &seg), 0);
    if (seg.flags & TCP_SYN)
        r->isn = seg.seq;
    text_init(&t, r->line, sizeof r->line);
    tcp_print(&t, &seg, r->isn, seq_at(0));
    at = p->at;
    free(p);
    return at;
}

static void an_answer_is_queued_when_put_returns_and_time_stands_still(void **state)
{
    struct rig r;

    up(&r);
    assert_null(raw_take(r.host));
    put(&r, "S 0:0(0) win 1000 <mss 1000>");
    assert_int_equal(take(&r), 0);
    assert_non_null(strstr(r.line, "S. 0:0(0) ack 1 win"));
    assert_null(raw_take(r.host));
    assert_int_equal(sim_now(r.sim), 0);
    down(&r);
}

static void timers_fire_at_their_exact_expiry(void **state)
{
    struct rig r;

    up(&r);
    put(&r, "S 0:0(0) win 1000 <mss 1000>");
    assert_int_equal(take(&r), 0);
    raw_run(r.host, 999999);
    assert_null(raw_take(r.host));
    raw_run(r.host, 1000000);
    assert_int_equal(take(&r), 1000000);
    assert_int_equal(raw_wait(r.host, 2500000), -ETIMEDOUT);
    assert_int_equal(sim_now(r.sim), 2500000);
    assert_int_equal(raw_wait(r.host, 5000000), 0);
    assert_int_equal(sim_now(r.sim), 3000000);
    assert_int_equal(take(&r), 3000000);
    down(&r);
}

/* The host's end of a new connection. */
static int handshake(struct rig *r)
{
    int fd;

    put(r, "S 0:0(0) win 65535 <mss 1000>");
    take(r);
    put_ack(r, ". 1:1(0)", 1);
    fd = tapir_accept(r->listener, NULL, NULL);
    assert_true(fd >= 0);
    return fd;
}

static void a_packet_beyond_the_mtu_comes_in(void **state)
{
    static char buf[60000];
    struct rig r;
    int fd;

    up(&r);
    fd = handshake(&r);
    put_ack(&r, "P. 1:60001(60000)", 1);
    assert_int_equal(tapir_read(fd, buf, sizeof buf), 60000);
    assert_int_equal(buf[59999], 'a' + 59999 % 26);
    down(&r);
}

static void segments_of_the_mss_go_out_with_complete_checksums(void **state)
{
    static const char text[2500];
    struct rig r;
    int fd;

    up(&r);
    fd = handshake(&r);
    assert_int_equal(tapir_write(fd, text, sizeof text), 2500);
    take(&r);
    assert_non_null(strstr(r.line, "1:1001(1000)"));
    take(&r);
    assert_non_null(strstr(r.line, "1001:2001(1000)"));
    take(&r);
    assert_non_null(strstr(r.line, "2001:2501(500)"));
    assert_null(raw_take(r.host));
    down(&r);
}

static void a_new_mtu_counts_for_what_is_made_after(void **state)
{
    struct rig r;

    up(&r);
    assert_int_equal(raw_mtu(r.host, 67), -EINVAL);
    assert_int_equal(raw_mtu(r.host, 65536), -EINVAL);
    put(&r, "S 0:0(0) win 1000 <mss 1000>");
    take(&r);
    assert_non_null(strstr(r.line, "<mss 1460>"));
    put_ack(&r, "R. 1:1(0)", 1);
    assert_int_equal(raw_mtu(r.host, 1000), 0);
    put(&r, "S 0:0(0) win 1000 <mss 1000>");
    take(&r);
    assert_non_null(strstr(r.line, "<mss 960>"));
    down(&r);
}

static void what_comes_from_nobody_in_particular_is_dropped_with_a_reason(void **state)
{
    struct rig r;

    up(&r);
    assert_int_equal(raw_put(r.host, NULL, 0), 0);
    assert_int_equal(raw_put(r.host, "\x60", 1), 0);
    assert_int_equal(r.host->stack->net.count.drop[DROP_IP_SHORT], 2);
    assert_int_equal(raw_put(r.host, "", 65536), -EINVAL);
    assert_null(raw_take(r.host));
    down(&r);
}

/* ---- programs ---- */

struct program {
    struct rig *r;
    int64_t accepted, read; /* when; -1: not yet */
    char buf[10];
};

static void serve(void *arg)
{
    struct program *p = arg;
    int fd = tapir_accept(p->r->listener, NULL, NULL);

    must(fd >= 0);
    p->accepted = tapir_now();
    must(tapir_read(fd, p->buf, sizeof p->buf) == 3);
    p->read = tapir_now();
    must(tapir_write(fd, "yes", 3) == 3);
}

static void programs_run_when_time_may_go_on(void **state)
{
    struct rig r;
    struct program p = { .r = &r, .accepted = -1, .read = -1 };

    up(&r);
    assert_int_equal(sim_spawn(r.host, serve, &p), 0);
    raw_run(r.host, 100);
    put(&r, "S 0:0(0) win 65535 <mss 1000>");
    take(&r);
    raw_run(r.host, 200);
    put_ack(&r, ". 1:1(0)", 1);
    assert_int_equal(p.accepted, -1);
    raw_run(r.host, 200);
    assert_int_equal(p.accepted, 200);
    raw_run(r.host, 300);
    put_ack(&r, "P. 1:4(3)", 1);
    take(&r);
    assert_non_null(strstr(r.line, "1:1(0) ack 4"));
    assert_int_equal(p.read, -1);
    assert_int_equal(raw_wait(r.host, 400), 0);
    assert_int_equal(p.read, 300);
    assert_int_equal(take(&r), 300);
    assert_non_null(strstr(r.line, "1:4(3) ack 4"));
    down(&r);
}

static void wake_at_500(void *arg)
{
    tapir_sleep(500);
    *(int64_t *)arg = tapir_now();
}

static void a_program_due_at_the_same_moment_runs_before_the_caller(void **state)
{
    struct rig r;
    int64_t woke = -1;

    up(&r);
    assert_int_equal(sim_spawn(r.host, wake_at_500, &woke), 0);
    raw_run(r.host, 499);
    assert_int_equal(woke, -1);
    raw_run(r.host, 500);
    assert_int_equal(woke, 500);
    down(&r);
}

static void where_nothing_can_happen_that_is_told(void **state)
{
    struct rig r;

    up(&r);
    assert_int_equal(raw_wait(r.host, NEVER), -EDEADLK);
    assert_int_equal(raw_wait(r.host, 3600000000), -ETIMEDOUT);
    assert_int_equal(sim_now(r.sim), 3600000000);
    down(&r);
}

static void a_host_has_one_wire(void **state)
{
    struct tapir_config config = { .addr = "192.0.2.3/24" };
    struct rig r;

    up(&r);
    struct tapir *other = sim_host(r.sim, &config, NULL);
    assert_int_equal(sim_wire_raw(r.host), -EBUSY);
    assert_int_equal(sim_wire(r.sim, other, r.host, NULL), -EBUSY);
    assert_int_equal(sim_wire_raw(other), 0);
    assert_int_equal(sim_wire(r.sim, other, r.host, NULL), -EBUSY);
    down(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_queued_when_put_returns_and_time_stands_still),
        cmocka_unit_test(timers_fire_at_their_exact_expiry),
        cmocka_unit_test(a_packet_beyond_the_mtu_comes_in),
        cmocka_unit_test(segments_of_the_mss_go_out_with_complete_checksums),
        cmocka_unit_test(a_new_mtu_counts_for_what_is_made_after),
        cmocka_unit_test(what_comes_from_nobody_in_particular_is_dropped_with_a_reason),
        cmocka_unit_test(programs_run_when_time_may_go_on),
        cmocka_unit_test(a_program_due_at_the_same_moment_runs_before_the_caller),
        cmocka_unit_test(where_nothing_can_happen_that_is_told),
        cmocka_unit_test(a_host_has_one_wire),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
