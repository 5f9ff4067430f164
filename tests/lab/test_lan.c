/* A network of several hosts whose wire is in the lab's hands. */
#include "../../tools/lab/lan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { A, B, C };

/* 100 bytes of IP take 100 us on the line, and 5 ms to the other side. */
static const struct page_setup plain = {
    .rtt = 10000, .rate = 8000000, .window = 10, .seed = 1
};

#define LEGEND                                                                        \
    "                [connection] flags first:next(text bytes) first line; S SYN, F " \
    "FIN, R RST, P PSH, . ACK\n"

static struct lan network(const struct page_setup *setup, int hosts)
{
    static const char *const address[] = { "192.0.2.1", "192.0.2.2", "192.0.2.3" };
    static const char *const name[] = { "a", "b", "c" };
    struct lan lan;
    assert_int_equal(lan_init(&lan, setup), 0);
    for (int i = 0; i < hosts; i++)
        assert_int_equal(lan_host(&lan, name[i], address[i], 0), i);
    return lan;
}

/* A datagram with 72 bytes of text to host b. */
static void send_program(void *arg)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
    char text[72] = "";
    int fd = tapir_socket(AF_INET, SOCK_DGRAM, 0);
    inet_pton(AF_INET, "192.0.2.2", &to.sin_addr);
    tapir_sendto(fd, text, sizeof text, 0, (struct sockaddr *)&to, sizeof to);
    tapir_close(fd);
}

static void receive_program(void *arg)
{
    int64_t *at = arg;
    struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(9) };
    int fd = tapir_socket(AF_INET, SOCK_DGRAM, 0);
    char text[100];
    tapir_bind(fd, (struct sockaddr *)&here, sizeof here);
    assert_int_equal(tapir_read(fd, text, sizeof text), 72);
    *at = tapir_now();
    tapir_close(fd);
}

static void a_packet_takes_its_time_on_the_line_and_half_a_round_trip(void **state)
{
    struct lan lan = network(&plain, 2);
    int64_t at = 0;
    lan_spawn(&lan, B, receive_program, &at);
    lan_spawn(&lan, A, send_program, NULL);
    assert_int_equal(lan_run(&lan), 0);
    assert_int_equal(at, 5100);
    assert_int_equal(lan.first->at, 0);
    assert_int_equal(lan.first->arrives, 5100);
    assert_int_equal(lan.first->from, A);
    assert_int_equal(lan.first->to, B);
    assert_int_equal(lan.first->len, 100);
    lan_free(&lan);
}

static void each_host_has_a_line_of_its_own(void **state)
{
    struct lan lan = network(&plain, 3);
    int64_t at = 0;
    lan_spawn(&lan, B, receive_program, &at);
    lan_spawn(&lan, C, send_program, NULL);
    lan_spawn(&lan, A, send_program, NULL);
    lan_spawn(&lan, A, send_program, NULL);
    assert_int_equal(lan_run(&lan), 0);
    const struct lan_event *e = lan.first;
    static const struct {
        int from;
        int64_t arrives;
    } row[] = { { A, 5100 }, { A, 5200 }, { C, 5100 } };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++, e = e->next) {
        assert_int_equal(e->from, row[i].from);
        assert_int_equal(e->arrives, row[i].arrives);
    }
    lan_free(&lan);
}

static bool lose_all(const struct lan *lan, const struct lan_event *e)
{
    return e->from == A;
}

/* What nobody answers ends by itself: SYNs for a minute or two. */
static void connect_program(void *arg)
{
    int *error = arg;
    *error = lan_connect("192.0.2.2", 80, 40000, 0) < 0 ? errno : 0;
}

static void what_the_wire_loses_never_arrives(void **state)
{
    struct lan lan = network(&plain, 2);
    int error = 0;
    lan.loses = lose_all;
    lan_spawn(&lan, A, connect_program, &error);
    assert_int_equal(lan_run(&lan), 0);
    assert_int_equal(error, ETIMEDOUT);
    for (const struct lan_event *e = lan.first; e; e = e->next)
        assert_true(e->lost && e->from == A);
    char *picture = lan_picture(&lan);
    assert_non_null(strstr(picture, "  0.000000 |--- [1] S ----------------------------"
                                    "--------------------x|\n"
                                    "           :  1.000000 s later "));
    free(picture);
    lan_free(&lan);
}

static void refuse_program(void *arg)
{
    struct lan *lan = arg;
    lan_note(lan, A, "connect()");
    assert_int_equal(lan_connect("192.0.2.2", 80, 40000, 0), -1);
    lan_note(lan, A, "%s", strerror(errno));
}

static void the_picture_has_packets_and_words_in_their_order(void **state)
{
    struct lan lan = network(&plain, 2);
    lan_spawn(&lan, A, refuse_program, &lan);
    assert_int_equal(lan_run(&lan), 0);
    char *picture = lan_picture(&lan);
    assert_string_equal(
        picture, LEGEND
        "      time a                                                           b\n"
        "  0.000000 |  connect()                                                |\n"
        "  0.000000 |--- [1] S ------------------------------------------------>|\n"
        "  0.005060 |<-- [1] R. ------------------------------------------------|\n"
        "  0.010100 |  Connection refused                                       |\n");
    free(picture);
    lan_free(&lan);
}

static void a_packet_can_be_put_onto_a_hosts_wire(void **state)
{
    struct lan lan = network(&plain, 2);
    uint8_t ip[20] = { 0x45, 0, 0, 20, [12] = 192, 0, 2, 1, 192, 0, 2, 2 };
    assert_int_equal(lan_inject(&lan, ip, sizeof ip), 0);
    assert_int_equal(lan.first->from, A);
    assert_int_equal(lan.first->to, B);
    ip[15] = 9;
    assert_int_equal(lan_inject(&lan, ip, sizeof ip), -EINVAL);
    assert_int_equal(lan_inject(&lan, ip, 19), -EINVAL);
    assert_int_equal(lan_run(&lan), 0);
    lan_free(&lan);
}

static void what_is_for_nobody_is_lost(void **state)
{
    struct lan lan = network(&plain, 1);
    lan_spawn(&lan, A, send_program, NULL);
    assert_int_equal(lan_run(&lan), 0);
    assert_int_equal(lan.first->to, LAN_NOBODY);
    assert_true(lan.first->lost);
    char *picture = lan_picture(&lan);
    assert_string_equal(picture, LEGEND "      time a\n");
    free(picture);
    lan_free(&lan);
}

static void sleep_program(void *arg)
{
    tapir_sleep(7200LL * 1000000);
}

static void an_experiment_ends_within_an_hour(void **state)
{
    struct page_setup slow = plain;
    slow.rtt = 20000000;
    struct lan lan = network(&slow, 1);
    lan_spawn(&lan, A, sleep_program, NULL);
    assert_int_equal(lan_run(&lan), -ETIMEDOUT);
    lan_free(&lan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_takes_its_time_on_the_line_and_half_a_round_trip),
        cmocka_unit_test(each_host_has_a_line_of_its_own),
        cmocka_unit_test(what_the_wire_loses_never_arrives),
        cmocka_unit_test(the_picture_has_packets_and_words_in_their_order),
        cmocka_unit_test(a_packet_can_be_put_onto_a_hosts_wire),
        cmocka_unit_test(what_is_for_nobody_is_lost),
        cmocka_unit_test(an_experiment_ends_within_an_hour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
