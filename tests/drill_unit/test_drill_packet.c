/* Is a packet what a script wants? And how its numbers become the wire's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../tools/drill/flow.h"
#include "../../tools/drill/script.h"
#include "base/bytes.h"
#include "base/text.h"

static struct arena arena;

static int free_arena(void **state)
{
    arena_free(&arena);
    return 0;
}

static struct packet packet(const char *text)
{
    struct script script = { .file = "test.pkt", .freebsd = true };
    struct script_error error;
    char line[200];
    snprintf(line, sizeof line, "0 > %s", text);
    assert_int_equal(script_parse(&script, &arena, line, strlen(line), &error), 0);
    return *script.events->packet;
}

static void a_packet_differs_in_what_the_script_says(void **state)
{
    static const struct {
        const char *wanted, *actual, *why; /* "": it does not */
    } row[] = {
        { ". 1:1(0) ack 1", ". 1:1(0) ack 1 win 5", "" },
        { ". 1:1(0) ack 1 win 6", ". 1:1(0) ack 1 win 5", "its window is 5, not 6" },
        { ". 1:1(0) ack 1", "P. 1:1(0) ack 1", "its flags are P., not ." },
        { ". 1:1(0) ack 1", ". 2:2(0) ack 1", "its sequence number is 2, not 1" },
        { ". ...(0) ack 1", ". 2:2(0) ack 1", "" },
        { ". 1:1(0) ack 1", ". 1:3(2) ack 1", "its length is 2, not 0" },
        { ". 1:1(0) ack 1", ". 1:1(0) ack 2", "its acknowledgment is 2, not 1" },
        { "S 0:0(0) <mss 1460>", "S 0:0(0) <mss 536>",
          "its options are <mss 536>, not <mss 1460>" },
        { "S 0:0(0) <mss 1460>", "S 0:0(0)", "its options are none, not <mss 1460>" },
        { "S 0:0(0)", "S 0:0(0) <mss 1460>", "its options are <mss 1460>, not none" },
        { "S 0:0(0) <...>", "S 0:0(0) <mss 1460>", "" },
        { "S 0:0(0) <nop,nop,sackOK>", "S 0:0(0) <sackOK,nop,nop>",
          "its options are <sackOK,nop,nop>, not <nop,nop,sackOK>" },
        { ". 1:1(0) ack 1 <nop,nop,TS val 1 ecr 2>",
          ". 1:1(0) ack 1 <nop,nop,TS val 9 ecr 2>", "" },
        { ". 1:1(0) ack 1 <nop,nop,TS val 1 ecr 2>",
          ". 1:1(0) ack 1 <nop,nop,TS val 1 ecr 3>",
          "its options are <nop,nop,TS val 1 ecr 3>, not <nop,nop,TS val 1 ecr 2>" },
        { "[ect0] . 1:1(0) ack 1", "[ce] . 1:1(0) ack 1", "its ECN field is 3, not 2" },
        { "[ect01] . 1:1(0) ack 1", "[ect1] . 1:1(0) ack 1", "" },
        { "[ect01] . 1:1(0) ack 1", "[noecn] . 1:1(0) ack 1", "it is not ECN-capable" },
        { "udp (5)", "udp (6)", "its length is 6, not 5" },
        { "udp (5)", ". 1:1(0) ack 1", "it is of another protocol" },
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct packet wanted = packet(row[i].wanted), actual = packet(row[i].actual);
        char why[300];
        struct text t;
        text_init(&t, why, sizeof why);
        assert_int_equal(packet_differs(&t, &wanted, &actual), row[i].why[0] != '\0');
        assert_string_equal(why, row[i].why);
    }
}

static void malformed_options_are_printed_as_bytes(void **state)
{
    struct packet p = packet(". 1:1(0) ack 1");
    char text[PACKET_TEXT];
    struct text t;
    memcpy(p.options, "\x01\x02\x09\x00", 4);
    p.options_len = 4;
    text_init(&t, text, sizeof text);
    packet_print(&t, &p);
    assert_string_equal(text, ". 1:1(0) ack 1 <nop,malformed 020900>");
}

static struct flow flow(void)
{
    return (struct flow){ .kind = PACKET_TCP,
                          .state = FLOW_SYN_ACK_SENT,
                          .local_port = 8080,
                          .remote_port = 40000,
                          .local_isn = 0xfffffff0,
                          .remote_isn = 500,
                          .script_isn = 0 };
}

static void numbers_count_from_the_initial_ones_behind_the_syn(void **state)
{
    static struct flow f;
    struct packet p = packet(". 1:11(10) ack 21 <nop,nop,sack 31:41>");
    f = flow();
    assert_null(flow_to_wire(&f, &p, false));
    assert_int_equal(p.seq, 501);
    assert_int_equal(p.ack, 5);
    assert_int_equal(get32(p.options + 4), 15);
    assert_int_equal(p.src_port, 40000);
    assert_int_equal(p.dst_port, 8080);
    p = packet("S. 500:500(0) ack 1");
    assert_null(flow_to_wire(&f, &p, false));
    assert_int_equal(p.seq, 500);
    assert_int_equal(p.ack, 0xfffffff1);
}

static void what_leaves_is_turned_into_the_numbers_of_the_script(void **state)
{
    static struct flow f;
    struct packet p = packet(". 5:5(0) ack 501 <nop,nop,sack 510:520>");
    f = flow();
    flow_to_script(&f, &p);
    assert_int_equal(p.seq, 21);
    assert_int_equal(p.ack, 1);
    assert_int_equal(get32(p.options + 4), 10);
    p = packet("S. 4294967280:4294967280(0) ack 501");
    flow_to_script(&f, &p);
    assert_int_equal(p.seq, 0);
    assert_int_equal(p.ack, 501);
}

/* RFC 7323 s3.2: TSecr echoes a TSval of the other side. */
static void an_echoed_timestamp_is_the_one_that_was_seen(void **state)
{
    static struct flow f;
    struct packet wanted = packet(". 1:1(0) ack 1 <nop,nop,TS val 100 ecr 7>");
    struct packet actual = packet(". 1:1(0) ack 1 <nop,nop,TS val 90000 ecr 7>");
    struct packet echo = packet(". 1:1(0) ack 1 <nop,nop,TS val 8 ecr 100>");
    struct packet other = packet(". 1:1(0) ack 1 <nop,nop,TS val 8 ecr 130>");
    f = flow();
    flow_stamp(&f, &wanted, &actual);
    assert_int_equal(get32(packet_timestamp(&actual)), 100);
    assert_null(flow_to_wire(&f, &echo, false));
    assert_int_equal(get32(packet_timestamp(&echo) + 4), 90000);
    struct packet again = other;
    assert_string_equal(flow_to_wire(&f, &other, false),
                        "it echoes a timestamp that was never sent");
    assert_null(flow_to_wire(&f, &again, true));
    assert_int_equal(get32(packet_timestamp(&again) + 4), 90030);
}

static void a_socket_owns_what_has_its_ports(void **state)
{
    static struct flow f;
    struct packet p = packet("8080 > 40000 . 1:1(0) ack 1");
    struct packet syn = packet("33333 > 8080 S 0:0(0)");
    f = flow();
    assert_true(flow_owns(&f, &p));
    p.src_port = 8081;
    assert_false(flow_owns(&f, &p));
    f.remote_port = 8080;
    assert_false(flow_owns(&f, &syn));
    f.state = FLOW_SYN_SENT; /* its port is not known before its SYN */
    assert_true(flow_owns(&f, &syn));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_differs_in_what_the_script_says),
        cmocka_unit_test(malformed_options_are_printed_as_bytes),
        cmocka_unit_test(numbers_count_from_the_initial_ones_behind_the_syn),
        cmocka_unit_test(what_leaves_is_turned_into_the_numbers_of_the_script),
        cmocka_unit_test(an_echoed_timestamp_is_the_one_that_was_seen),
        cmocka_unit_test(a_socket_owns_what_has_its_ports),
    };
    return cmocka_run_group_tests(tests, NULL, free_arena);
}
