/* Profiles: what the systems that they are named after were seen to send. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/bytes.h"
#include "harness/peer_up.h"

static void open_with(struct peer *p, const char *profile)
{
    peer_init(p);
    assert_int_equal(stack_profile(p->st, profile), 0);
}

/* Passive open by a peer with all options; what answers it, and the stack's own SYN. */
static void the_syn_is_the_systems(void **state)
{
    static const struct {
        const char *profile, *syn_ack, *syn;
    } row[] = {
        { "tapir",
          "S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK,TS val * ecr 7,wscale 7>",
          "S 0:0(0) win 65535 <mss 1460,sackOK,TS val * ecr 0,wscale 7>" },
        { "linux",
          "S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK,TS val * ecr 7,wscale 7>",
          "S 0:0(0) win 65535 <mss 1460,sackOK,TS val * ecr 0,wscale 7>" },
        { "bsd", "S. 0:0(0) ack 1 win 65535 <mss 1460,wscale 6,sackOK,TS val * ecr 7>",
          "S 0:0(0) win 65535 <mss 1460,wscale 6,sackOK,TS val * ecr 0>" },
    };

    for (size_t i = 0; i < ARRAY_LEN(row); i++) {
        struct peer p;
        open_with(&p, row[i].profile);
        struct sock *l = peer_listen(&p, 80);
        peer_send(&p, "S 0:0(0) win 65535 <mss 1460,sackOK,TS val 7 ecr 0,wscale 7>");
        peer_expect(&p, row[i].syn_ack);
        peer_use(&p, 1);
        struct sock *s = peer_connect(&p, 4000);
        peer_expect(&p, row[i].syn);
        sock_close(s);
        sock_close(l);
        peer_free(&p);
    }
}

/* The bytes of a SYN, where order and padding count. */
static void the_order_of_options_is_the_systems(void **state)
{
    static const struct {
        const char *profile;
        uint8_t kinds[20];
    } row[] = {
        { "linux",
          { 2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 3, 7 } },
        { "bsd",
          { 2, 4, 0x05, 0xb4, 1, 3, 3, 6, 4, 2, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0 } },
    };

    for (size_t i = 0; i < ARRAY_LEN(row); i++) {
        struct peer p;
        uint8_t frame[100];
        open_with(&p, row[i].profile);
        struct sock *s = peer_connect(&p, 4000);
        assert_int_equal(peer_take(&p, frame, sizeof frame), 14 + 20 + 40);
        uint8_t *options = frame + 14 + 20 + 20;
        memset(options + (row[i].kinds[4] == 4 ? 8 : 12), 0, 4); /* TSval */
        assert_memory_equal(options, row[i].kinds, 20);
        sock_close(s);
        peer_free(&p);
    }
}

/* Five segments of one byte: Linux acknowledges the first ones at once, BSD every
 * second one, and the rest after 40 ms. */
static void the_delayed_ack_is_the_systems(void **state)
{
    struct peer p;

    open_with(&p, "linux");
    struct sock *s = peer_establish(&p, "<mss 1460>");
    peer_send(&p, "P. 1:2(1) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 2");
    peer_send(&p, "P. 2:3(1) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 3");
    sock_close(s);
    peer_free(&p);

    open_with(&p, "bsd");
    s = peer_establish(&p, "<mss 1460>");
    peer_send(&p, "P. 1:2(1) ack 1 win 65535");
    peer_expect_nothing(&p);
    peer_send(&p, "P. 2:3(1) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 3");
    peer_send(&p, "P. 3:4(1) ack 1 win 65535");
    peer_expect_after(&p, 40 * MS, ". 1:1(0) ack 4");
    peer_send(&p, "F. 4:4(0) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 5");
    sock_close(s);
    peer_free(&p);
}

/* FreeBSD sends its FIN, which is out, once more with the ACK of the peer's. */
static void closing_begins_with_our_fin_on_bsd(void **state)
{
    struct peer p;

    for (int bsd = 0; bsd < 2; bsd++) {
        open_with(&p, bsd ? "bsd" : "linux");
        struct sock *s = peer_establish(&p, "<mss 1460>");
        sock_shutdown(s, 1);
        peer_expect(&p, "F. 1:1(0) ack 1");
        peer_send(&p, "F. 1:1(0) ack 1 win 1000");
        peer_expect(&p, bsd ? "F. 1:1(0) ack 2" : ". 2:2(0) ack 2");
        peer_expect_nothing(&p);
        peer_send(&p, "F. 1:1(0) ack 1 win 1000");
        peer_expect(&p, ". 2:2(0) ack 2");
        peer_send(&p, ". 2:2(0) ack 2 win 1000");
        peer_expect_nothing(&p);
        sock_close(s);
        peer_free(&p);
    }
}

/* RFC 9293 s3.10.7.4, second: "connection reset"; Linux tells EPIPE in CLOSE-WAIT. */
static void a_reset_in_close_wait_is_told_as_the_system_does(void **state)
{
    struct peer p;

    for (int bsd = 0; bsd < 2; bsd++) {
        open_with(&p, bsd ? "bsd" : "linux");
        struct sock *s = peer_establish(&p, "<mss 1460>");
        peer_send(&p, "F. 1:1(0) ack 1 win 1000");
        peer_send(&p, "R 2:2(0) win 0");
        assert_int_equal(peer_write_result(s), bsd ? -ECONNRESET : -EPIPE);
        sock_close(s);
        peer_free(&p);
    }
}

/* FreeBSD drops what has no ACK in TIME-WAIT, SYNs too, unless they open a connection;
 * it acknowledges a SYN-ACK also where RFC 793 holds. */
static void a_syn_in_time_wait_is_answered_as_the_system_does(void **state)
{
    struct peer p;

    for (int bsd = 0; bsd < 2; bsd++) {
        open_with(&p, bsd ? "bsd" : "linux");
        peer_sysctl(&p, "tapir.tcp_insecure_syn", "1");
        struct sock *s = peer_establish(&p, "<mss 1460>");
        sock_close(s);
        peer_send(&p, "F. 1:1(0) ack 2 win 1000");
        peer_skip(&p);
        peer_send(&p, "S. 2:2(0) ack 0 win 1000");
        peer_expect(&p, bsd ? ". 2:2(0) ack 2" : "R. 2:2(0) ack 2 win 0");
        peer_send(&p, "S 2:2(0) win 1000");
        if (bsd)
            peer_expect_nothing(&p);
        assert_int_equal(p.st->tcp.n_time_wait, bsd);
        peer_free(&p);
    }
}

/* FreeBSD rounds 65536 bytes up to 45 segments of 1460, and takes 65700 as the window
 * though 65535 is all that the field can say. */
static void the_window_is_whole_segments_on_bsd(void **state)
{
    struct peer p;

    open_with(&p, "bsd");
    struct sock *s = peer_establish(&p, "<mss 1460>");
    peer_send(&p, "R 65701:65701(0) win 1000");
    peer_expect_nothing(&p);
    peer_send(&p, "R 65700:65700(0) win 1000");
    peer_expect(&p, ". 1:1(0) ack 1 win 65535");
    peer_send(&p, ". 1:40001(40000) ack 1 win 1000");
    peer_send(&p, ". 40001:65701(25700) ack 1 win 1000");
    peer_expect(&p, ". 1:1(0) ack 65701 win 0");
    assert_int_equal(tcp_readable(s->tcb), 65700);
    sock_close(s);
    peer_free(&p);

    open_with(&p, "bsd");
    s = peer_connect(&p, 4000);
    peer_send(&p, "S 0:0(0) win 1000 <mss 1460>");
    peer_skip(&p);
    peer_send(&p, "R 65700:65700(0) win 1000");
    peer_expect(&p, ". 1:1(0) ack 1 win 65535");
    sock_close(s);
    peer_free(&p);
}

/* RFC 9293 s3.10.7.4, fifth: "send an ACK, drop the segment"; Linux only drops it. */
static void an_ack_of_what_was_never_sent_is_answered_but_on_linux(void **state)
{
    static const char *const row[] = { "tapir", "linux", "bsd" };

    for (size_t i = 0; i < ARRAY_LEN(row); i++) {
        struct peer p;
        open_with(&p, row[i]);
        struct sock *s = peer_establish(&p, "<mss 1460>");
        peer_send(&p, "P. 1:101(100) ack 9999 win 1000");
        if (i != 1)
            peer_expect(&p, ". 1:1(0) ack 1");
        peer_expect_nothing(&p);
        assert_int_equal(tcp_readable(s->tcb), 0);
        sock_close(s);
        peer_free(&p);
    }
}

/* RFC 1122 s4.2.3.9. Linux ends the attempt with what ICMP said; FreeBSD refuses it if
 * that was a hard error, and goes on if it was not. */
static void an_icmp_error_ends_an_attempt_as_the_system_does(void **state)
{
    static const struct {
        uint8_t code;
        int linux, bsd; /* 0: it goes on */
    } row[] = {
        { 0, -ENETUNREACH, 0 },
        { 1, -EHOSTUNREACH, 0 },
        { 2, -ENOPROTOOPT, -ECONNREFUSED },
        { 3, -ECONNREFUSED, -ECONNREFUSED },
        { 10, -EHOSTUNREACH, -ECONNREFUSED },
        { 13, -EHOSTUNREACH, -ECONNREFUSED },
    };

    for (size_t i = 0; i < 2 * ARRAY_LEN(row); i++) {
        const struct peer_error unreachable = { .type = 3, .code = row[i / 2].code };
        bool bsd = i % 2;
        struct peer p;
        open_with(&p, bsd ? "bsd" : "linux");
        struct sock *s = peer_connect(&p, 4000);
        peer_expect(&p, "S 0:0(0) <...>");
        peer_icmp(&p, &unreachable);
        assert_int_equal(tcp_peek_error(s->tcb),
                         bsd ? row[i / 2].bsd : row[i / 2].linux);
        sock_close(s);
        peer_free(&p);
    }
}

/* POSIX says that nothing more is received; Linux gives what is there. */
static void after_shutdown_of_reading_linux_still_gives_text(void **state)
{
    struct peer p;

    for (int bsd = 0; bsd < 2; bsd++) {
        open_with(&p, bsd ? "bsd" : "linux");
        struct sock *s = peer_establish(&p, "<mss 1460>");
        peer_send(&p, "P. 1:101(100) ack 1 win 1000");
        sock_shutdown(s, 0);
        peer_send(&p, "P. 101:201(100) ack 1 win 1000");
        assert_int_equal(tcp_readable(s->tcb), bsd ? 0 : 200);
        if (!bsd)
            peer_read(&p, s, 200);
        assert_int_equal(peer_read_result(s), 0);
        sock_close(s);
        peer_free(&p);
    }
}

static void a_profile_replaces_the_one_before(void **state)
{
    struct peer p;

    open_with(&p, "bsd");
    assert_true(p.st->tcp.config.delack_small);
    assert_int_equal(p.st->tcp.config.rmem_default, 65536);
    assert_int_equal(stack_profile(p.st, "tapir"), 0);
    assert_false(p.st->tcp.config.delack_small);
    assert_int_equal(p.st->tcp.config.rmem_default, 1 << 20);
    peer_free(&p);
}

/* What is set without a profile is the profile "tapir". */
static void the_default_is_tapir(void **state)
{
    struct peer p;
    struct tcp_config before;

    peer_init(&p);
    before = p.st->tcp.config;
    assert_int_equal(stack_profile(p.st, "tapir"), 0);
    assert_memory_equal(&before, &p.st->tcp.config, sizeof before);
    peer_free(&p);
}

static void an_unknown_profile_is_refused(void **state)
{
    struct peer p;

    peer_init(&p);
    assert_int_equal(stack_profile(p.st, "windows"), -ENOENT);
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_syn_is_the_systems),
        cmocka_unit_test(the_order_of_options_is_the_systems),
        cmocka_unit_test(the_delayed_ack_is_the_systems),
        cmocka_unit_test(closing_begins_with_our_fin_on_bsd),
        cmocka_unit_test(a_reset_in_close_wait_is_told_as_the_system_does),
        cmocka_unit_test(a_syn_in_time_wait_is_answered_as_the_system_does),
        cmocka_unit_test(the_window_is_whole_segments_on_bsd),
        cmocka_unit_test(an_ack_of_what_was_never_sent_is_answered_but_on_linux),
        cmocka_unit_test(an_icmp_error_ends_an_attempt_as_the_system_does),
        cmocka_unit_test(after_shutdown_of_reading_linux_still_gives_text),
        cmocka_unit_test(a_profile_replaces_the_one_before),
        cmocka_unit_test(the_default_is_tapir),
        cmocka_unit_test(an_unknown_profile_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
