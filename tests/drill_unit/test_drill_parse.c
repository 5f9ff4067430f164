/* A script's text as a tree: packets, calls, times, and where it is no script. */
#include "../../tools/drill/script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

static struct arena arena;
static struct script script;
static struct script_error error;

static int free_arena(void **state)
{
    arena_free(&arena);
    return 0;
}

static int parse(const char *text)
{
    script = (struct script){ .file = "test.pkt" };
    return script_parse(&script, &arena, text, strlen(text), &error);
}

static int parse_freebsd(const char *text)
{
    script = (struct script){ .file = "test.pkt", .freebsd = true };
    return script_parse(&script, &arena, text, strlen(text), &error);
}

static const struct event *event(const char *text)
{
    if (parse(text) < 0)
        fail_msg("%s: %s", text, error.text);
    return script.events;
}

/* RFC 9293 s3.1, RFC 7323, RFC 2018: what a script writes is printed as it was
 * written. */
static void a_packet_is_printed_as_it_is_written(void **state)
{
    static const char *const row[] = {
        "S 0:0(0) win 32792 <mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 7>",
        "S. 0:0(0) ack 1 <mss 1460,nop,nop,sackOK>",
        ". 1:1(0) ack 1001 win 257 <nop,nop,sack 2001:3001 4001:5001>",
        "P. 1:1001(1000) ack 1",
        "FP. 1:1001(1000) ack 1 win 1000",
        "R 1:1(0)",
        "- 1:1(0) win 5",
        "SEW 0:0(0)",
        "P.5 1:11(10) ack 1",
        "U. 1:2(1) ack 1 win 5 urg 1",
        ". 1:1(0) ack 1 <...>",
        "R. 0:0(0)! ack 2",
        "[ect0] . 1:1(0) ack 1",
        "[ce] P. 1:2(1) ack 1",
        "[tos 0x20] . 1:1(0) ack 1",
        "[ttl 64] . 1:1(0) ack 1",
        "[ect01] . 1:1(0) ack 1",
        "5000 > 80 . 1:1(0) ack 1",
        "S 0:0(0) <mss 1460,sackOK,eol,eol>",
        "S 0:0(0) <mss 1460,FO 0102030405060708,nop,nop>",
        "S 0:0(0) <mss 1460,FOEXP>",
        "S 0:0(0) <opt 30 8100,nop,nop,nop,nop>",
        "S 0:0(0) <md5 000102030405060708090a0b0c0d0e0f,nop,nop>",
        "udp (1000)",
        "udp 5000 > 53 (0)",
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        char line[200], printed[PACKET_TEXT];
        struct text t;
        snprintf(line, sizeof line, "+0 > %s", row[i]);
        const struct packet *p = event(line)->packet;
        text_init(&t, printed, sizeof printed);
        packet_print(&t, p);
        assert_string_equal(printed, row[i]);
        assert_true(p->outbound);
    }
}

static void any_sequence_number_is_for_freebsd_alone(void **state)
{
    char printed[PACKET_TEXT];
    struct text t;

    assert_int_equal(parse("+0 > S. ...(0) ack 1"), -22);
    assert_string_equal(error.text, "any sequence number: FreeBSD's packetdrill alone "
                                    "has that (--freebsd)");
    assert_int_equal(error.column, 9);
    assert_int_equal(parse_freebsd("+0 > S. ...(0) ack 1"), 0);
    text_init(&t, printed, sizeof printed);
    packet_print(&t, script.events->packet);
    assert_string_equal(printed, "S. ...(0) ack 1");
}

/* RFC 792, RFC 1191. */
static void icmp_has_a_type_a_code_and_a_quotation(void **state)
{
    const struct packet *p =
        event("0 < icmp unreachable frag_needed mtu 1200 [1:1461(1460)]")->packet;
    assert_int_equal(p->kind, PACKET_ICMP);
    assert_int_equal(p->type, 3);
    assert_int_equal(p->code, 4);
    assert_int_equal(p->mtu, 1200);
    assert_int_equal(p->quote, QUOTE_TCP);
    assert_int_equal(p->quote_seq, 1);
    assert_int_equal(p->quote_len, 1460);
    p = event("0 < icmp unreachable port_unreachable [udp (100)]")->packet;
    assert_int_equal(p->quote, QUOTE_UDP);
    assert_int_equal(p->quote_len, 100);
    p = event("0 < icmp time_exceeded code_7")->packet;
    assert_int_equal(p->code, 7);
    assert_int_equal(p->quote, QUOTE_TCP); /* of what began the connection */
    assert_int_equal(p->quote_seq, 0);
}

static void a_time_is_absolute_relative_a_range_or_any(void **state)
{
    static const struct {
        const char *text;
        enum when_kind kind;
        usec from, to;
    } row[] = {
        { "0.5 > . 1:1(0) ack 1", WHEN_AT, 500000, 500000 },
        { "+.01 > . 1:1(0) ack 1", WHEN_AFTER, 10000, 10000 },
        { "1~1.5 > . 1:1(0) ack 1", WHEN_WITHIN, 1000000, 1500000 },
        { "+.1~+.2 > . 1:1(0) ack 1", WHEN_WITHIN_NEXT, 100000, 200000 },
        { "* > . 1:1(0) ack 1", WHEN_ANY, 0, 0 },
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        const struct event *e = event(row[i].text);
        assert_int_equal(e->when.kind, row[i].kind);
        assert_int_equal(e->when.from, row[i].from);
        assert_int_equal(e->when.to, row[i].to);
    }
}

static void a_call_has_arguments_a_result_and_an_errno(void **state)
{
    const struct event *e = event("+0...0.2 setsockopt(3, SOL_SOCKET, SO_LINGER, "
                                  "{onoff=1, linger=0}, 8) = -1 EINVAL (Invalid one)");
    const struct call_line *c = e->call;
    assert_string_equal(c->name, "setsockopt");
    assert_true(c->waits);
    assert_int_equal(c->until, 200000);
    assert_int_equal(c->n_args, 5);
    assert_int_equal(c->args->number, 3);
    assert_string_equal(c->args->next->text, "SOL_SOCKET");
    const struct expr *linger = c->args->next->next->next;
    assert_int_equal(linger->kind, EXPR_STRUCT);
    assert_string_equal(linger->parts->name, "onoff");
    assert_int_equal(linger->parts->number, 1);
    assert_int_equal(c->result->number, -1);
    assert_string_equal(c->error, "EINVAL");
}

static void lists_structs_and_words_joined_by_a_bar_are_parts(void **state)
{
    const struct call_line *c =
        event("0 poll([{fd=3, events=POLLIN|POLLOUT, revents=0}], 1, 0) = 0")->call;
    const struct expr *events = c->args->parts->parts->next;
    assert_int_equal(c->args->kind, EXPR_LIST);
    assert_int_equal(events->kind, EXPR_OR);
    assert_string_equal(events->name, "events");
    assert_string_equal(events->parts->text, "POLLIN");
    assert_string_equal(events->parts->next->text, "POLLOUT");
    c = event("0 f({sa_family=AF_INET, sin_port=htons(8080), "
              "sin_addr=inet_addr(\"192.0.2.1\")}, \"a\" \"b\", \"c\"...) = 0")
            ->call;
    const struct expr *port = c->args->parts->next;
    assert_int_equal(port->kind, EXPR_CALL);
    assert_string_equal(port->name, "sin_port");
    assert_int_equal(port->parts->number, 8080);
    assert_string_equal(c->args->next->text, "ab");
    assert_true(c->args->next->next->open);
}

static void options_commands_and_code_stand_around_the_events(void **state)
{
    assert_int_equal(
        parse("// a comment\n--ip_version=ipv4\n--tcp_ts_ecr_scaled\n"
              "--define=N=7\n`init`\n"
              "0 close(N) = 0\n+0 `shell`\n+0 %{ assert 1 }%\n`cleanup`\n"),
        0);
    assert_string_equal(script.settings->name, "ip_version");
    assert_string_equal(script.settings->value, "ipv4");
    assert_null(script.settings->next->value);
    assert_string_equal(script.init, "init");
    assert_int_equal(script.events->call->args->number, 7);
    assert_int_equal(script.events->line, 6);
    assert_string_equal(script.events->next->text, "shell");
    assert_int_equal(script.events->next->next->kind, EVENT_CODE);
    assert_string_equal(script.cleanup, "cleanup");
}

static void what_is_not_built_is_a_script_all_the_same(void **state)
{
    static const struct {
        const char *text, *unbuilt;
    } row[] = {
        { "0 > S 0:0(0) <mss 1460>/udp(9899 > 1)", "TCP over UDP" },
        { "0 > encap psp spi 0x100 . 1:1(0) ack 1", "PSP encryption" },
        { "0 < ipv6 fd00::1 > fd00::2: . 1:1(0) ack 1", "a tunnel in IPv6" },
        { "0 < . 1:1(0) ack 1 <nop,nop,md5 valid>",
          "a valid MD5 signature (RFC 2385)" },
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        assert_string_equal(event(row[i].text)->packet->unbuilt, row[i].unbuilt);
}

static void what_is_no_script_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *text;
        int line, column;
        const char *what;
    } row[] = {
        { "0 < S 0:1(0)", 1, 7, "the sequence numbers do not differ by the length" },
        { "0 < S 0:0(0)\n+0 close(3", 2, 11, "expected ')', and there is the end" },
        { "0 < X 0:0(0)", 1, 5, "a flag is one of S F R P . U E W A, or - for none" },
        { "0 < S 0:0(0) win 70000", 1, 18,
          "expected a window, 0 to 65535, and there is '70000'" },
        { "0 < S 0:0(0) <mss 1460,nop>", 1, 14,
          "the options do not fill whole words: add nop or eol" },
        { "0 < . 1:1(0) <...>", 1, 18, "<...> is for packets that are sent" },
        { "* < . 1:1(0)", 1, 1,
          "only a packet that is sent may have a range of times, or *" },
        { "+1~+.5 > . 1:1(0)", 1, 8, "the range of times ends before it begins" },
        { "-1 > . 1:1(0)", 1, 1, "a time is 0 to 1000000000 seconds" },
        { "0 close(3) = ", 1, 14, "expected an argument, and there is the end" },
        { "0 \"text\"", 1, 3,
          "expected a packet, a call, `a command` or %{ code }%, and there is 'text'" },
        { "", 1, 1,
          "expected an event: a time, and what happens then, and there is the end" },
        { "0 < icmp unreachable nonsense", 1, 22,
          "this type of ICMP has no such code" },
        { "0 f([[[[[[[[[[1]]]]]]]]]]) = 0", 1, 14, "this is nested too deeply" },
        { "0 `ls", 1, 3, "the command does not end" },
        { "--define=X\n0 close(3) = 0", 1, 1, "--define takes NAME=VALUE" },
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        assert_int_equal(parse(row[i].text), -22);
        assert_string_equal(error.text, row[i].what);
        assert_int_equal(error.line, row[i].line);
        assert_int_equal(error.column, row[i].column);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_is_printed_as_it_is_written),
        cmocka_unit_test(any_sequence_number_is_for_freebsd_alone),
        cmocka_unit_test(icmp_has_a_type_a_code_and_a_quotation),
        cmocka_unit_test(a_time_is_absolute_relative_a_range_or_any),
        cmocka_unit_test(a_call_has_arguments_a_result_and_an_errno),
        cmocka_unit_test(lists_structs_and_words_joined_by_a_bar_are_parts),
        cmocka_unit_test(options_commands_and_code_stand_around_the_events),
        cmocka_unit_test(what_is_not_built_is_a_script_all_the_same),
        cmocka_unit_test(what_is_no_script_is_refused_with_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, free_arena);
}
