/* Who is a segment for, and which port may be used (RFC 9293 s3.4.1, RFC 6056). */
#include "tcp/tcp_demux.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "harness/peer_up.h"

#define OURS  ip4_addr(0xc0000202u)
#define THEIR ip4_addr(0xc0000201u)

static struct tcp_slot slot_of(uint16_t local_port, uint32_t n)
{
    return (struct tcp_slot){ .local = OURS,
                              .remote = ip4_addr(0x0a000000u + n / 50000),
                              .local_port = local_port,
                              .remote_port = (uint16_t)(1 + n % 50000) };
}

/* --- the table --- */

static void the_table_grows_and_finds_everyone(void **state)
{
    enum { N = 20000 };
    struct peer p;
    struct tcp_slot *slot = calloc(N, sizeof *slot);
    (void)state;
    peer_init(&p);
    struct tcp *tcp = &p.st->tcp;
    for (uint32_t i = 0; i < N; i++) {
        slot[i] = slot_of(80, i);
        assert_int_equal(tcp_hash(tcp, &slot[i]), 0);
    }
    assert_int_equal(tcp->n_hashed, N);
    assert_true(tcp->n_slots >= N);
    size_t longest = 0;
    for (size_t i = 0; i < tcp->n_slots; i++) {
        size_t n = 0;
        for (const struct tcp_slot *s = tcp->slots[i]; s; s = s->next)
            n++;
        longest = n > longest ? n : longest;
    }
    assert_true(longest < 15);
    for (uint32_t i = 0; i < N; i++) {
        const struct tcp_slot key = slot_of(80, i);
        assert_ptr_equal(tcp_lookup(tcp, &key), &slot[i]);
    }
    for (uint32_t i = 0; i < N; i += 2)
        tcp_unhash(tcp, &slot[i]);
    for (uint32_t i = 0; i < N; i++) {
        const struct tcp_slot key = slot_of(80, i);
        assert_ptr_equal(tcp_lookup(tcp, &key), i % 2 ? &slot[i] : NULL);
    }
    for (uint32_t i = 0; i < N; i++)
        tcp_unhash(tcp, &slot[i]); /* twice is harmless */
    assert_int_equal(tcp->n_hashed, 0);
    peer_free(&p);
    free(slot);
}

static void the_table_shrinks_and_loses_nobody(void **state)
{
    enum { N = 20000 };
    struct peer p;
    struct tcp_slot *slot = calloc(N, sizeof *slot);
    (void)state;
    peer_init(&p);
    struct tcp *tcp = &p.st->tcp;
    for (uint32_t i = 0; i < N; i++) {
        slot[i] = slot_of(80, i);
        assert_int_equal(tcp_hash(tcp, &slot[i]), 0);
    }
    assert_int_equal(tcp->n_slots, 32768);
    for (uint32_t i = 0; i < N - 300; i++)
        tcp_unhash(tcp, &slot[i]);
    assert_int_equal(tcp->n_slots, 2048);
    for (uint32_t i = 0; i < N; i++) {
        const struct tcp_slot key = slot_of(80, i);
        assert_ptr_equal(tcp_lookup(tcp, &key), i < N - 300 ? NULL : &slot[i]);
    }
    for (uint32_t i = N - 300; i < N; i++)
        tcp_unhash(tcp, &slot[i]);
    assert_int_equal(tcp->n_slots, 512);
    peer_free(&p);
    free(slot);
}

static void a_four_tuple_has_one_owner(void **state)
{
    struct peer p;
    struct tcp_slot a = slot_of(80, 1), b = slot_of(80, 1), c = { 0 };
    (void)state;
    peer_init(&p);
    struct tcp *tcp = &p.st->tcp;
    assert_int_equal(tcp_hash(tcp, &a), 0);
    assert_int_equal(tcp_hash(tcp, &b), -EADDRINUSE);
    tcp_rehash(tcp, &a, &c);
    assert_ptr_equal(tcp_lookup(tcp, &b), &c);
    assert_int_equal(c.local_port, 80);
    assert_false(a.hashed);
    assert_int_equal(tcp->n_hashed, 1);
    tcp_unhash(tcp, &c);
    peer_free(&p);
}

/* Is key told from a, even where both have the same hash by chance? */
static bool told_apart(struct tcp *tcp, struct tcp_slot *a, struct tcp_slot key)
{
    bool apart = !tcp_lookup(tcp, &key);
    tcp_hash(tcp, &key);
    uint32_t hash = key.hash;
    tcp_unhash(tcp, &key);
    tcp_unhash(tcp, a);
    a->hash = hash;
    tcp->slots[hash & (tcp->n_slots - 1)] = a;
    apart = apart && !tcp_lookup(tcp, &key);
    tcp->slots[hash & (tcp->n_slots - 1)] = NULL;
    tcp_hash(tcp, a);
    return apart;
}

/* RFC 9293 s3.9.1.1 (MUST-42): all four count. */
static void each_of_the_four_tells_connections_apart(void **state)
{
    struct peer p;
    struct tcp_slot a = slot_of(80, 1), key;
    (void)state;
    peer_init(&p);
    struct tcp *tcp = &p.st->tcp;
    tcp_hash(tcp, &a);
    key = a;
    key.local_port = 81;
    assert_true(told_apart(tcp, &a, key));
    key = a;
    key.remote_port++;
    assert_true(told_apart(tcp, &a, key));
    key = a;
    key.local = THEIR;
    assert_true(told_apart(tcp, &a, key));
    key = a;
    key.remote = THEIR;
    assert_true(told_apart(tcp, &a, key));
    tcp_unhash(tcp, &a);
    peer_free(&p);
}

/* --- listeners --- */

static struct tcp_listener *listen_on(struct peer *p, struct ip_addr a, uint16_t port)
{
    struct sock *s = peer_tcp(p);
    const struct sock_name name = { a, port };
    assert_int_equal(sock_bind(s, &name), 0);
    assert_int_equal(sock_listen(s, 5), 0);
    return s->listener;
}

static void a_listener_is_found_by_its_address_and_port(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    struct tcp *tcp = &p.st->tcp;
    struct tcp_listener *any = listen_on(&p, ip_any4, 80);
    struct tcp_listener *one = listen_on(&p, OURS, 81);
    assert_ptr_equal(tcp_lookup_listener(tcp, OURS, 80), any);
    assert_ptr_equal(tcp_lookup_listener(tcp, THEIR, 80), any);
    assert_ptr_equal(tcp_lookup_listener(tcp, OURS, 81), one);
    assert_null(tcp_lookup_listener(tcp, THEIR, 81));
    assert_null(tcp_lookup_listener(tcp, OURS, 82));
    peer_free(&p);
}

/* RFC 9293 s3.9.1.1 (MUST-43): the one that names the address goes before any. */
static void a_listener_that_names_the_address_goes_before_any(void **state)
{
    struct peer p;
    struct tcp_listener any = { .port = 80, .local = ip_any4 };
    struct tcp_listener one = { .port = 80, .local = OURS };
    (void)state;
    peer_init(&p);
    struct tcp *tcp = &p.st->tcp;
    for (int order = 0; order < 2; order++) {
        list_add_tail(&tcp->listeners, order ? &one.node : &any.node);
        list_add_tail(&tcp->listeners, order ? &any.node : &one.node);
        assert_ptr_equal(tcp_lookup_listener(tcp, OURS, 80), &one);
        assert_ptr_equal(tcp_lookup_listener(tcp, THEIR, 80), &any);
        list_del(&any.node);
        list_del(&one.node);
    }
    peer_free(&p);
}

/* --- ports: RFC 6056 --- */

static int choose(struct tcp *tcp, struct tcp_slot *s, uint16_t remote_port)
{
    *s =
        (struct tcp_slot){ .local = OURS, .remote = THEIR, .remote_port = remote_port };
    return tcp_choose_port(tcp, s);
}

static void every_port_of_the_range_is_used_before_it_is_refused(void **state)
{
    struct peer p;
    struct tcp_slot slot[11];
    bool used[11] = { false };
    (void)state;
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.ip_local_port_range", "50000 50009");
    struct tcp *tcp = &p.st->tcp;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(choose(tcp, &slot[i], 80), 0);
        assert_in_range(slot[i].local_port, 50000, 50009);
        assert_false(used[slot[i].local_port - 50000]);
        used[slot[i].local_port - 50000] = true;
        tcp_hash(tcp, &slot[i]);
    }
    assert_int_equal(choose(tcp, &slot[10], 80), -EADDRNOTAVAIL);
    assert_int_equal(choose(tcp, &slot[10], 81), 0); /* another destination */
    for (int i = 0; i < 10; i++)
        tcp_unhash(tcp, &slot[i]);
    peer_free(&p);
}

/* RFC 6056 s3.3.3: a port comes back as late as possible; destinations do not tell of
 * one another. Bug class 23: the same port after each start. */
static void ports_follow_one_another_from_a_start_of_their_own(void **state)
{
    struct peer p;
    struct tcp_slot a, b, far;
    (void)state;
    peer_init(&p);
    struct tcp *tcp = &p.st->tcp;
    uint32_t offset = tcp->port_offset;
    choose(tcp, &a, 80);
    choose(tcp, &b, 80);
    assert_int_equal(b.local_port, a.local_port == 60999 ? 32768 : a.local_port + 1);
    tcp->port_offset = offset;
    choose(tcp, &far, 443);
    assert_int_not_equal(far.local_port, a.local_port);
    uint16_t before = a.local_port;
    tcp->port_offset = offset;
    p.st->net.secret.k[0]++;
    choose(tcp, &a, 80);
    assert_int_not_equal(a.local_port, before);
    peer_free(&p);
}

static void a_port_that_somebody_listens_on_is_not_chosen(void **state)
{
    struct peer p;
    struct tcp_slot s;
    (void)state;
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.ip_local_port_range", "50000 50001");
    struct tcp *tcp = &p.st->tcp;
    listen_on(&p, ip_any4, 50000);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(choose(tcp, &s, 80), 0);
        assert_int_equal(s.local_port, 50001);
    }
    listen_on(&p, OURS, 50001);
    assert_int_equal(choose(tcp, &s, 80), -EADDRNOTAVAIL);
    peer_free(&p);
}

/* connect() says the same. */
static void without_a_port_connect_fails(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.ip_local_port_range", "50000 50000");
    peer_connect(&p, 0);
    assert_int_equal(peer_connect_result(&p, peer_tcp(&p)), -EADDRNOTAVAIL);
    peer_skip(&p);
    peer_free(&p);
}

/* bind(): as Linux. A listener is always in the way, a connection unless SO_REUSEADDR.
 */
static void who_is_in_the_way_of_a_bind(void **state)
{
    struct peer p;
    struct tcp_slot s = slot_of(90, 1);
    (void)state;
    peer_init(&p);
    struct tcp *tcp = &p.st->tcp;
    listen_on(&p, OURS, 80);
    listen_on(&p, ip_any4, 81);
    tcp_hash(tcp, &s);
    assert_int_equal(tcp_port_check(tcp, OURS, 80, true), -EADDRINUSE);
    assert_int_equal(tcp_port_check(tcp, ip_any4, 80, true), -EADDRINUSE);
    assert_int_equal(tcp_port_check(tcp, THEIR, 80, false), 0);
    assert_int_equal(tcp_port_check(tcp, OURS, 81, true), -EADDRINUSE);
    assert_int_equal(tcp_port_check(tcp, OURS, 90, false), -EADDRINUSE);
    assert_int_equal(tcp_port_check(tcp, ip_any4, 90, false), -EADDRINUSE);
    assert_int_equal(tcp_port_check(tcp, THEIR, 90, false), 0);
    assert_int_equal(tcp_port_check(tcp, OURS, 90, true), 0);
    assert_int_equal(tcp_port_check(tcp, OURS, 91, false), 0);
    tcp_unhash(tcp, &s);
    peer_free(&p);
}

static void a_port_for_bind_is_free_and_in_the_range(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    peer_sysctl(&p, "net.ipv4.ip_local_port_range", "50000 50002");
    struct tcp *tcp = &p.st->tcp;
    unsigned seen = 0;
    for (int i = 0; i < 3; i++) {
        uint16_t port = tcp_port_pick(tcp, ip_any4);
        assert_in_range(port, 50000, 50002);
        seen |= 1u << (port - 50000);
        listen_on(&p, ip_any4, port);
    }
    assert_int_equal(seen, 7);
    assert_int_equal(tcp_port_pick(tcp, ip_any4), 0);
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_grows_and_finds_everyone),
        cmocka_unit_test(the_table_shrinks_and_loses_nobody),
        cmocka_unit_test(a_four_tuple_has_one_owner),
        cmocka_unit_test(each_of_the_four_tells_connections_apart),
        cmocka_unit_test(a_listener_is_found_by_its_address_and_port),
        cmocka_unit_test(a_listener_that_names_the_address_goes_before_any),
        cmocka_unit_test(every_port_of_the_range_is_used_before_it_is_refused),
        cmocka_unit_test(ports_follow_one_another_from_a_start_of_their_own),
        cmocka_unit_test(a_port_that_somebody_listens_on_is_not_chosen),
        cmocka_unit_test(without_a_port_connect_fails),
        cmocka_unit_test(who_is_in_the_way_of_a_bind),
        cmocka_unit_test(a_port_for_bind_is_free_and_in_the_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
