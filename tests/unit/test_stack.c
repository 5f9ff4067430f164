/* The stack: who is next on the way up, what is owed afterwards, and when. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "harness/memory.h"
#include "harness/pair.h"
#include "harness/peer.h"
#include "wire/icmp_wire.h"

enum { FRAME = 2000, ETH = 14, ICMP_AT = 34, ICMP = 1, SECOND = 1000000 };

static int setup(void **state)
{
    static struct peer p;
    peer_init(&p);
    *state = &p;
    return 0;
}

static int teardown(void **state)
{
    peer_free(*state);
    return 0;
}

/* --- the way up --- */

/* RFC 1122 s3.2.2.6: every host answers echo. */
static void an_echo_request_is_answered(void **state)
{
    struct peer *p = *state;
    uint8_t b[12] = { 0 }, frame[FRAME];
    struct icmp h = { .type = 8, .id = 7, .seq = 9 };
    memcpy(b + 8, "data", 4);
    icmp_emit(b, sizeof b, &h);
    peer_inject_ip(p, ICMP, b, sizeof b);
    assert_int_equal(peer_take(p, frame, sizeof frame), ICMP_AT + 12);
    assert_int_equal(frame[ICMP_AT], 0);
    assert_int_equal(get16(frame + ICMP_AT + 4), 7);
    assert_memory_equal(frame + ICMP_AT + 8, "data", 4);
}

/* RFC 1122 s3.2.2.1 (SHLD-icmp-unreachable), s3.3.8 (MUST-icmp-errors): protocol
 * unreachable for what nobody speaks. */
static void an_unknown_protocol_is_unreachable_dropped_and_counted(void **state)
{
    struct peer *p = *state;
    uint8_t frame[FRAME];
    peer_inject_ip(p, 132, "12345678", 8);
    assert_true(peer_take(p, frame, sizeof frame) > ICMP_AT + 8);
    assert_int_equal(frame[ICMP_AT], 3);
    assert_int_equal(frame[ICMP_AT + 1], 2);
    assert_int_equal(stack_counter(p->st, "IpUnknownProto"), 1);
    peer_expect_nothing(p);
}

/* RFC 9293 s3.10.7.1: a segment that belongs to nobody is reset. */
static void a_segment_for_nobody_is_reset(void **state)
{
    struct peer *p = *state;
    p->at->stack_port = 80;
    peer_send(p, "S 0:0(0) win 1000 <mss 1460>");
    peer_expect(p, "R. 0:0(0) ack 1 win 0");
    peer_send(p, ". 1:1(0) ack 77 win 1000");
    peer_expect(p, "R 77:77(0) win 0");
    peer_send(p, "R 1:1(0) win 1000");
    peer_expect_nothing(p);
}

static void a_datagram_reaches_its_socket(void **state)
{
    struct peer *p = *state;
    struct sock *s;
    struct sock_name at = { ip_any4, 53 }, from;
    static const uint8_t udp[11] = { 0x9c, 0x40, 0, 53, 0, 11, 0, 0, 'a', 'b', 'c' };
    uint8_t buf[10];
    assert_int_equal(sock_new(&p->st->socks, 2, 2, 0, &s), 0);
    assert_int_equal(sock_bind(s, &at), 0);
    peer_inject_ip(p, 17, udp, sizeof udp);
    assert_ptr_equal(stack_ready(p->st), s);
    assert_int_equal(sock_receive(s, buf, sizeof buf, 0, &from), 3);
    assert_memory_equal(buf, "abc", 3);
    assert_int_equal(from.port, 40000);
    sock_close(s);
}

/* RFC 1122 s3.4 (MUST-icmp-to-transport). RFC 9293 s3.9.2.2 (MUST-54). An error that
 * quotes a SYN of ours ends the attempt (RFC 1122 s4.2.3.9). */
static void an_icmp_error_reaches_the_connection_it_quotes(void **state)
{
    struct peer *p = *state;
    struct sock *s = peer_connect(p, 0);
    uint8_t frame[FRAME], b[8 + 28] = { 0 };
    struct icmp h = { .type = 3, .code = 3 };
    assert_true(peer_take(p, frame, sizeof frame) > ICMP_AT);
    memcpy(b + 8, frame + ETH, 28);
    icmp_emit(b, sizeof b, &h);
    peer_inject_ip(p, ICMP, b, sizeof b);
    assert_ptr_equal(stack_ready(p->st), s);
    struct sock_name to = { ip4_addr(0xc0000201), PEER_PORT };
    assert_int_equal(sock_connect(s, &to), -ECONNREFUSED);
    sock_close(s);
}

/* Calls are batched like frames: what they made due leaves with the flush. */
static void calls_send_nothing_until_the_flush(void **state)
{
    struct peer *p = *state;
    struct sock *s = peer_establish(p, "<mss 1460>");
    struct piece piece = { (const uint8_t *)"x", 1 };
    assert_int_equal(sock_send(s, &piece, 1, 0, NULL), 1);
    assert_null(p->sent.head);
    stack_flush(p->st);
    assert_non_null(p->sent.head);
    sock_close(s);
}

/* --- time --- */

static void time_never_goes_back(void **state)
{
    struct peer *p = *state;
    stack_advance(p->st, 5 * SECOND);
    stack_advance(p->st, 3 * SECOND);
    assert_int_equal(p->st->net.now, 5 * SECOND);
    assert_int_equal(stack_input_frame(p->st, p->nif.index, "x", 1, 2 * SECOND), 0);
    assert_int_equal(p->st->net.now, 5 * SECOND);
}

static void the_deadline_is_that_of_the_next_timer(void **state)
{
    struct peer *p = *state;
    usec idle = stack_deadline(p->st);
    assert_true(idle > 3600 * (usec)SECOND);
    struct sock *s = peer_connect(p, 0);
    peer_expect(p, "S 0:0(0) <...>");
    assert_int_equal(stack_deadline(p->st), SECOND);
    peer_expect_after(p, SECOND, "S 0:0(0) <...>");
    assert_int_equal(stack_deadline(p->st), 3 * SECOND);
    sock_close(s);
    stack_flush(p->st);
    assert_int_equal(stack_deadline(p->st), idle);
}

static void late_deadlines_fire_all_at_once(void **state)
{
    struct peer *p = *state;
    struct sock *s = peer_connect(p, 0);
    peer_expect(p, "S 0:0(0) <...>");
    p->now = 200 * (usec)SECOND;
    stack_advance(p->st, p->now);
    peer_expect(p, "S 0:0(0) <...>");
    assert_true(stack_deadline(p->st) > p->now);
    sock_close(s);
}

/* Requests to ourselves, the answers to them, and the end of those: one event. */
static void what_goes_to_ourselves_comes_back_within_the_event(void **state)
{
    struct peer *p = *state;
    struct net *net = &p->st->net;
    struct piece data = { (const uint8_t *)"data", 4 };
    struct ip_out how = { .dst = ip4_addr(0x7f000001), .proto = 1 };
    for (uint16_t i = 0; i < 3; i++)
        assert_int_equal(icmp_send_echo(net, &how, 1, i, data), 0);
    assert_int_equal(net->loop.n, 3);
    stack_flush(p->st);
    assert_int_equal(net->loop.n, 0);
    assert_int_equal(stack_counter(p->st, "IcmpInEchos"), 3);
    assert_int_equal(stack_counter(p->st, "IcmpNoSocket"), 3);
    assert_true(stack_deadline(p->st) > net->now);
}

/* Where a loopback conversation outlives the rounds of one event. */
static void what_an_event_leaves_is_due_now(void **state)
{
    struct peer *p = *state;
    struct sock *s = peer_connect(p, 0);
    peer_skip(p);
    p->st->pending = true;
    assert_int_equal(stack_deadline(p->st), p->st->net.now);
    stack_advance(p->st, p->st->net.now);
    assert_false(p->st->pending);
    assert_true(stack_deadline(p->st) > p->st->net.now);
    sock_close(s);
}

/* --- interfaces --- */

struct wire {
    unsigned frames;
    size_t len; /* of the last one */
    int result;
};

static int wire_send(void *ctx, const struct stack_frame *frame)
{
    struct wire *w = ctx;
    if (w->result < 0)
        return w->result;
    w->frames++;
    w->len = frame->head_len + frame->text_len[0] + frame->text_len[1];
    return 0;
}

static const struct stack_netif good = { .name = "eth7",
                                         .address = "198.51.100.2/24",
                                         .mac = "02:00:00:00:00:07" };

/* RFC 5227 s2.3: a new address is announced. */
static void an_interface_can_be_added_and_announces_itself(void **state)
{
    struct peer *p = *state;
    struct wire w = { 0 };
    struct stack_link link = { wire_send, &w };
    int nif = stack_add_netif(p->st, &good, &link);
    assert_int_equal(nif, 2);
    assert_int_equal(w.frames, 1);
    assert_int_equal(w.len, 42);
}

static void a_wrong_description_of_an_interface_is_refused(void **state)
{
    struct stack_netif row[10];
    struct wire w = { 0 };
    struct stack_link link = { wire_send, &w };
    for (size_t i = 0; i < ARRAY_LEN(row); i++)
        row[i] = good;
    row[0].name = NULL;
    row[1].name = "sixteen-letters!";
    row[2].address = "198.51.100.2";
    row[3].address = "198.51.100.300/24";
    row[4].address = NULL;
    row[5].gateway = "198.51.100.1,nowhere";
    row[6].mac = "02:00:00:00:00";
    row[7].mac = "ff:ff:ff:ff:ff:ff";
    row[8].mtu = 67;
    row[9].mtu = 65536;
    for (size_t i = 0; i < ARRAY_LEN(row); i++)
        assert_int_equal(stack_add_netif(*state, &row[i], &link), -EINVAL);
    assert_int_equal(w.frames, 0);
}

static void a_frame_needs_an_interface_and_room(void **state)
{
    struct peer *p = *state;
    static uint8_t huge[70000];
    assert_int_equal(stack_input_frame(p->st, 0, "x", 1, 0), -EINVAL);
    assert_int_equal(stack_input_frame(p->st, 9, "x", 1, 0), -EINVAL);
    assert_int_equal(stack_input_frame(p->st, 1, huge, sizeof huge, 0), -ENOBUFS);
    assert_int_equal(stack_counter(p->st, "NoBuffer"), 1);
    assert_int_equal(stack_input_frame(p->st, 1, "x", 1, 0), 0);
    assert_int_equal(stack_counter(p->st, "EthShort"), 1);
}

/* -EAGAIN takes nothing; when the link takes frames again, what waited goes. */
static void a_blocked_link_is_served_when_it_is_writable(void **state)
{
    struct peer *p = *state;
    struct wire w = { 0 };
    struct stack_link link = { wire_send, &w };
    struct sock_name to = { ip4_addr(0xc6336401), 80 };
    struct mac_addr mac = { { 2, 0, 0, 0, 0, 9 } };
    struct sock *s = peer_tcp(p);
    int nif = stack_add_netif(p->st, &good, &link);
    struct netif *n = p->nif.next ? p->nif.next : p->st->net.netifs->next;
    while (n->index != nif)
        n = n->next;
    neigh_learn(&p->st->net, n, to.addr, mac, true);
    w = (struct wire){ .result = -EAGAIN };
    assert_int_equal(sock_connect(s, &to), -EINPROGRESS);
    stack_flush(p->st);
    assert_int_equal(w.frames, 0);
    w.result = 0;
    stack_writable(p->st, nif);
    assert_int_equal(w.frames, 1);
    assert_int_equal(w.len, 14 + 20 + 40);
    stack_writable(p->st, 99);
    sock_close(s);
}

/* RFC 1122 s3.3.1.1 (MUST-ip-no-gateway): who is on the link is reached all the same.
 */
static void without_a_gateway_there_is_no_way_out(void **state)
{
    struct pair pair;
    struct sock_name to = { ip4_addr(0xc6336401), 80 };
    (void)state;
    pair_init(&pair, &(struct pair_setup){ .seed = 1 });
    struct sock *s = pair_tcp(&pair, PAIR_A);
    assert_int_equal(sock_connect(s, &to), -ENETUNREACH);
    to.addr = ip4_addr(0xc0000202);
    assert_int_equal(sock_connect(s, &to), -EINPROGRESS);
    sock_close(s);
    pair_free(&pair);
}

/* --- counters --- */

static void counters_and_drops_are_found_by_name_and_number(void **state)
{
    struct peer *p = *state;
    const char *name;
    uint64_t value, sum = 0;
    unsigned n = 0;
    p->at->stack_port = 80;
    peer_send(p, "S 0:0(0) win 1000");
    p->bad_checksum = true;
    peer_send(p, "S 0:0(0) win 1000");
    assert_int_equal(stack_counter(p->st, "TcpInSegs"), 2);
    assert_int_equal(stack_counter(p->st, "TcpOutRsts"), 1);
    assert_int_equal(stack_counter(p->st, "TcpCsumError"), 1);
    assert_int_equal(stack_counter(p->st, "NoSuchThing"), -1);
    assert_int_equal(stack_counter(p->st, ""), -1);
    for (; stack_counter_at(p->st, n, &name, &value); n++)
        sum += strcmp(name, "TcpInSegs") == 0 ? value : 0;
    assert_int_equal(sum, 2);
    assert_false(stack_counter_at(p->st, n + 1000, &name, &value));
}

static void a_controller_can_be_added_and_chosen(void **state)
{
    static const struct cc_ops mine = { .name = "mine" };
    struct peer *p = *state;
    assert_int_equal(stack_add_cc(p->st, &mine), 0);
    assert_int_equal(stack_add_cc(p->st, &mine), -EEXIST);
    peer_sysctl(p, "net.ipv4.tcp_congestion_control", "mine");
    assert_ptr_equal(p->st->tcp.config.cc, &mine);
}

/* --- the end --- */

/* "Forgets everything at once; the peers are not told": pair_free() asserts that
 * nothing is sent and no packet left. */
static void a_stack_can_be_freed_in_the_middle_of_everything(void **state)
{
    struct pair pair;
    struct sock *client, *server;
    struct piece piece = { (const uint8_t *)"text", 4 };
    (void)state;
    pair_init(&pair, &(struct pair_setup){ .seed = 1 });
    struct sock *l = pair_listen(&pair, PAIR_B, 80);
    pair_connect(&pair, l, &client, &server);
    for (int i = 0; i < 5; i++) {
        struct sock_name to = { pair_addr(PAIR_B), 80 };
        assert_int_equal(sock_connect(pair_tcp(&pair, PAIR_A), &to), -EINPROGRESS);
        pair_run(&pair, 7000);
    }
    assert_int_equal(sock_send(client, &piece, 1, 0, NULL), 4);
    pair_run(&pair, 15000);
    assert_int_equal(sock_send(server, &piece, 1, 0, NULL), 4);
    pair_step(&pair);
    pair_free(&pair);
}

static void freeing_no_stack_is_fine(void **state)
{
    (void)state;
    stack_free(NULL);
}

static void a_stack_that_finds_no_memory_is_not_made_and_leaves_nothing(void **state)
{
    struct stack_config config = { .seed = 1 };
    struct stack *st = NULL;
    unsigned n = 0;

    (void)state;
    while (!st) {
        memory_ends_after(n++);
        st = stack_new(&config);
        memory_back();
    }
    assert_true(n > 3);
    stack_free(st);
}

/* --- memory that is not needed any more --- */

static void many_packets(struct stack *st, struct pkt **p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = pkt_new(&st->net.pool, 1000);
    for (size_t i = 0; i < n; i++)
        pkt_free(p[i]);
}

static void memory_that_a_second_did_not_need_goes_back(void **state)
{
    struct peer *p = *state;
    static struct pkt *pkt[300];
    struct stack *st = p->st;
    int64_t now = st->net.now;

    many_packets(st, pkt, 300); /* ten slabs */
    assert_int_equal(st->net.pool.small.n_slabs, 10);
    stack_advance(st, now);
    assert_int_equal(stack_deadline(st), now + 1000000);
    stack_advance(st, now + 1000000); /* in the first second they were needed */
    assert_int_equal(st->net.pool.small.n_slabs, 10);
    stack_advance(st, now + 2000000);
    assert_int_equal(st->net.pool.small.n_slabs, 0);
    stack_advance(st, now + 3000000);
    assert_true(stack_deadline(st) > now + 100 * (int64_t)SECOND);
}

static void a_stack_with_little_spare_memory_has_no_timer_for_it(void **state)
{
    struct peer *p = *state;
    struct pkt *pkt[7];
    int64_t before = stack_deadline(p->st);

    many_packets(p->st, pkt, 7);
    stack_advance(p->st, p->st->net.now);
    assert_int_equal(stack_deadline(p->st), before);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(an_echo_request_is_answered),
        T(an_unknown_protocol_is_unreachable_dropped_and_counted),
        T(a_segment_for_nobody_is_reset),
        T(a_datagram_reaches_its_socket),
        T(an_icmp_error_reaches_the_connection_it_quotes),
        T(calls_send_nothing_until_the_flush),
        T(time_never_goes_back),
        T(the_deadline_is_that_of_the_next_timer),
        T(late_deadlines_fire_all_at_once),
        T(what_goes_to_ourselves_comes_back_within_the_event),
        T(what_an_event_leaves_is_due_now),
        T(an_interface_can_be_added_and_announces_itself),
        T(a_wrong_description_of_an_interface_is_refused),
        T(a_frame_needs_an_interface_and_room),
        T(a_blocked_link_is_served_when_it_is_writable),
        T(without_a_gateway_there_is_no_way_out),
        T(counters_and_drops_are_found_by_name_and_number),
        T(a_controller_can_be_added_and_chosen),
        T(a_stack_can_be_freed_in_the_middle_of_everything),
        T(freeing_no_stack_is_fine),
        T(memory_that_a_second_did_not_need_goes_back),
        T(a_stack_with_little_spare_memory_has_no_timer_for_it),
        T(a_stack_that_finds_no_memory_is_not_made_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
