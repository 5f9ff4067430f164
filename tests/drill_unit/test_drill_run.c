/* Whole scripts: what passes, what fails, and what is told then. */
#include "../../tools/drill/drill.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A listener and a connection that is accepted as 4. */
#define ACCEPTED                                    \
    "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n" \
    "+0 bind(3, ..., ...) = 0\n"                    \
    "+0 listen(3, 1) = 0\n"                         \
    "+0 < S 0:0(0) win 32792 <mss 1000>\n"          \
    "+0 > S. 0:0(0) ack 1 <mss 1460>\n"             \
    "+.1 < . 1:1(0) ack 1 win 32792\n"              \
    "+0 accept(3, ..., ...) = 4\n"

static struct verdict v;

static int free_verdict(void **state)
{
    verdict_free(&v);
    return 0;
}

static enum verdict_kind play_as(const char *text, bool freebsd)
{
    verdict_free(&v);
    struct drill d = { .config = { .seed = 1 },
                       .defines = drill_defines(),
                       .freebsd = freebsd };
    drill_run(&d, "test.pkt", text, strlen(text), &v);
    return v.kind;
}

static enum verdict_kind play(const char *text)
{
    return play_as(text, false);
}

static void a_script_that_is_right_passes(void **state)
{
    assert_int_equal(play(ACCEPTED "+0 write(4, ..., 2000) = 2000\n"
                                   "+0 > P. 1:2001(2000) ack 1\n"
                                   "+.1 < P. 1:101(100) ack 2001 win 32792\n"
                                   "+0 > . 2001:2001(0) ack 101\n"
                                   "+0 read(4, ..., 1000) = 100\n"
                                   "+0 %{ assert tcpi_state == TCP_ESTABLISHED }%\n"
                                   "+0 close(4) = 0\n"
                                   "+0 > F. 2001:2001(0) ack 101\n"),
                     VERDICT_PASS);
    assert_int_equal(v.at, 200000);
}

/* As for packetdrill: time goes on in the call, and only who has a date is late. */
static void a_call_that_waits_unsaid_is_told_and_makes_the_next_event_late(void **state)
{
    static const char waits[] = ACCEPTED
        "+0 poll([{fd=4, events=POLLIN, revents=0}], 1, "
        "500) = 0\n";
    char text[600];

    snprintf(text, sizeof text, "%s+.1 close(4) = 0\n", waits);
    assert_int_equal(play(text), VERDICT_PASS);
    assert_string_equal(v.notes, "test.pkt:8: poll() waited until 0.600000, and the "
                                 "script does not say so\n");
    assert_int_equal(v.at, 700000);
    snprintf(text, sizeof text, "%s.2 close(4) = 0\n", waits);
    assert_int_equal(play(text), VERDICT_FAIL);
    assert_int_equal(v.line, 9);
}

/* As for packetdrill: Google's runner defines TFO_COOKIE, the program does not. */
static void a_word_that_nobody_defined_stands_for_nothing(void **state)
{
    static const char text[] =
        "0 < S 0:0(0) win 32792 <mss 1000,FO TFO_COOKIE,nop,nop>\n";

    assert_int_equal(play(text), VERDICT_WRONG);
    assert_int_equal(v.line, 1);
    assert_int_equal(play("--define=TFO_COOKIE=0102030405060708\n"
                          "0 < S 0:0(0) win 32792 <mss 1000,FO TFO_COOKIE,nop,nop>\n"),
                     VERDICT_PASS);
}

static void another_packet_is_told_beside_the_one_that_was_wanted(void **state)
{
    assert_int_equal(play(ACCEPTED "+0 write(4, ..., 100) = 100\n"
                                   "+0 > . 1:101(100) ack 1\n"),
                     VERDICT_FAIL);
    assert_int_equal(v.line, 9);
    assert_string_equal(v.message,
                        "the packet is another one: its flags are P., not .");
    assert_string_equal(v.expected, "  0.100000 > . 1:101(100) ack 1");
    assert_string_equal(v.actual, "  0.100000 > P. 1:101(100) ack 1");
    assert_non_null(strstr(v.ladder, "write(5, 100) = 100"));
}

static void a_packet_that_does_not_come_fails(void **state)
{
    assert_int_equal(play(ACCEPTED "+0 > . 1:1(0) ack 1\n"), VERDICT_FAIL);
    assert_string_equal(v.message, "no packet came");
    assert_string_equal(v.actual, "");
}

/* Google's packetdrill has no addresses for it and writes 0.0.0.0, which no host takes;
 * FreeBSD's has, and so have both where no socket is there. */
static void a_packet_for_a_socket_that_does_nothing_is_from_nobody(void **state)
{
    static const char script[] = "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
                                 "+0 bind(3, ..., ...) = 0\n"
                                 "+0 < S 0:0(0) win 32792 <mss 1000>\n"
                                 "+0 > R. 0:0(0) ack 1\n";
    assert_int_equal(play(script), VERDICT_FAIL);
    assert_string_equal(v.message, "no packet came");
    assert_non_null(strstr(v.notes, "test.pkt:3: the socket neither listens nor "));
    assert_int_equal(play_as(script, true), VERDICT_PASS);
    assert_int_equal(play("0 < S 0:0(0) win 32792 <mss 1000>\n"
                          "+0 > R. 0:0(0) ack 1\n"),
                     VERDICT_PASS);
}

/* It may leave a little before the event in front of it was due, which was early. */
static void a_packet_at_any_time_is_never_too_early(void **state)
{
    assert_int_equal(play("0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
                          "+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n"
                          "+0 connect(3, ..., ...) = -1 EINPROGRESS (now)\n"
                          "+0 > S 0:0(0) <...>\n"
                          "+1.1 > S 0:0(0) <...>\n"
                          "* > S 0:0(0) <...>\n"),
                     VERDICT_PASS);
    assert_int_equal(play("1 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
                          "0.5 close(3) = 0"),
                     VERDICT_FAIL);
    assert_string_equal(v.message, "this is to happen before the event in front of it");
}

static void a_packet_that_comes_late_fails(void **state)
{
    assert_int_equal(play("0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
                          "+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n"
                          "+0 connect(3, ..., ...) = -1 EINPROGRESS (now)\n"
                          "+0 > S 0:0(0) <...>\n"
                          "+.8 > S 0:0(0) <...>\n"),
                     VERDICT_FAIL);
    assert_string_equal(v.message, "the packet left at 1.000000, not at 0.800000 "
                                   "(tolerance 0.100000)");
}

static void a_result_that_differs_fails(void **state)
{
    assert_int_equal(play("0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
                          "+0 listen(3, 1) = -1 EINVAL\n"),
                     VERDICT_FAIL);
    assert_string_equal(v.expected, "listen() = -1 EINVAL");
    assert_string_equal(v.actual, "listen() = 0");
    assert_int_equal(play("0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
                          "+0 read(3, ..., 1) = -1 EAGAIN\n"),
                     VERDICT_FAIL);
    assert_string_equal(v.actual, "read() = -1 ENOTCONN");
}

static void a_call_may_wait_beside_the_script(void **state)
{
    assert_int_equal(play("0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
                          "+0 bind(3, ..., ...) = 0\n"
                          "+0 listen(3, 1) = 0\n"
                          "+0...0.2 accept(3, ..., ...) = 4\n"
                          "+.1 < S 0:0(0) win 32792 <mss 1000>\n"
                          "+0 > S. 0:0(0) ack 1 <mss 1460>\n"
                          "+.1 < . 1:1(0) ack 1 win 32792\n"
                          "+.1...0.3 read(4, ..., 10) = 10\n"
                          "+.2 < P. 1:11(10) ack 1 win 32792\n"
                          "+0 > . 1:1(0) ack 11\n"),
                     VERDICT_PASS);
}

static void a_call_that_returns_at_another_time_fails(void **state)
{
    assert_int_equal(play(ACCEPTED "+0...0.2 read(4, ..., 10) = 10\n"
                                   "+.5 < P. 1:11(10) ack 1 win 32792\n"
                                   "+.5 close(4) = 0\n"),
                     VERDICT_FAIL);
    assert_int_equal(v.line, 8);
    assert_non_null(strstr(v.message, "the call returned at 0.600000, not at 0.3"));
    assert_int_equal(play(ACCEPTED "+0...0.2 read(4, ..., 10) = 10\n"), VERDICT_FAIL);
    assert_string_equal(v.message,
                        "the call was to return at 0.300000 and still waits");
}

static void shell_commands_set_the_stack_and_are_not_executed(void **state)
{
    assert_int_equal(
        play("`sysctl -q net.ipv4.tcp_timestamps=0 net/ipv4/tcp_sack=0 &&\n"
             " ./set_sysctls.py /proc/sys/net/ipv4/tcp_window_scaling=0; tc qdisc`\n"
             "0 `ip route change 1.2.3.4 dev tun0 advmss 1000 # a comment`\n"
             "+0 `touch /nonexistent/file`\n"
             "+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
             "+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n"
             "+0 connect(3, ..., ...) = -1 EINPROGRESS\n"
             "+0 > S 0:0(0) <mss 1000>\n"),
        VERDICT_PASS);
    assert_string_equal(v.notes,
                        "test.pkt:4: `touch ...` is passed over: no command is "
                        "executed\n");
}

static void what_is_no_script_is_wrong(void **state)
{
    assert_int_equal(play("0 socket("), VERDICT_WRONG);
    assert_int_equal(v.column, 10);
    assert_int_equal(play("--nonsense=1\n0 close(3) = 0"), VERDICT_WRONG);
    assert_string_equal(v.message, "there is no option --nonsense=1");
    assert_int_equal(play("--tolerance_usecs=x\n0 close(3) = 0"), VERDICT_WRONG);
    assert_string_equal(v.message, "bad value: --tolerance_usecs=x");
}

static void what_is_not_built_fails_and_says_so(void **state)
{
    assert_int_equal(play("--ip_version=ipv6\n0 close(3) = 0"), VERDICT_FAIL);
    assert_string_equal(v.message, "IPv6 is not built yet");
    assert_int_equal(play("0 psp_rx_assoc(3, [1]) = 0"), VERDICT_FAIL);
    assert_string_equal(v.message, "psp_rx_assoc(): this call is not built yet");
}

/* One seed, one run: every number on the wire is the same. */
static void a_run_repeats_itself(void **state)
{
    char first[4000];
    assert_int_equal(play(ACCEPTED "+0 write(4, ..., 1) = 2"), VERDICT_FAIL);
    assert_true(strlen(v.ladder) < sizeof first);
    strcpy(first, v.ladder);
    assert_int_equal(play(ACCEPTED "+0 write(4, ..., 1) = 2"), VERDICT_FAIL);
    assert_string_equal(v.ladder, first);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, free_verdict)
    const struct CMUnitTest tests[] = {
        TEST(a_script_that_is_right_passes),
        TEST(a_word_that_nobody_defined_stands_for_nothing),
        TEST(a_call_that_waits_unsaid_is_told_and_makes_the_next_event_late),
        TEST(another_packet_is_told_beside_the_one_that_was_wanted),
        TEST(a_packet_that_does_not_come_fails),
        TEST(a_packet_for_a_socket_that_does_nothing_is_from_nobody),
        TEST(a_packet_at_any_time_is_never_too_early),
        TEST(a_packet_that_comes_late_fails),
        TEST(a_result_that_differs_fails),
        TEST(a_call_may_wait_beside_the_script),
        TEST(a_call_that_returns_at_another_time_fails),
        TEST(shell_commands_set_the_stack_and_are_not_executed),
        TEST(what_is_no_script_is_wrong),
        TEST(what_is_not_built_fails_and_says_so),
        TEST(a_run_repeats_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
