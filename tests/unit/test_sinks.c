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

/* A datagram socket on b:7, and one on a connected to it. */
static void datagrams(const struct hosts *h, int *a, int *b)
{
    struct sockaddr_in to = hosts_addr(HOST_B, 7);

    tapir_use(h->b);
    *b = tapir_socket(AF_INET, SOCK_DGRAM, 0);
    must(tapir_bind(*b, (struct sockaddr *)&to, sizeof to) == 0);
    tapir_use(h->a);
    *a = tapir_socket(AF_INET, SOCK_DGRAM, 0);
    must(tapir_connect(*a, (struct sockaddr *)&to, sizeof to) == 0);
    tapir_use(NULL);
}

static char *counters_of(struct tapir *t)
{
    static char text[4096];
    FILE *f = fmemopen(text, sizeof text, "w");

    tapir_print_stat(t, f);
    fclose(f);
    return text;
}

static void counters_that_are_not_zero_are_printed_with_their_names(void **state)
{
    struct hosts h;
    char byte;
    int a, b;

    hosts_up(&h, 1, NULL);
    datagrams(&h, &a, &b);
    must(tapir_write(a, "x", 1) == 1 && tapir_read(b, &byte, 1) == 1);
    assert_non_null(strstr(counters_of(h.a), "UdpOutDatagrams                 1\n"));
    assert_null(strstr(counters_of(h.a), "UdpInDatagrams"));
    assert_non_null(strstr(counters_of(h.b), "UdpInDatagrams                  1\n"));
    tapir_close(a);
    tapir_close(b);
    hosts_down(&h);
}

static void a_drop_is_printed_with_its_sentence(void **state)
{
    struct hosts h;
    int a, b;

    hosts_up(&h, 1, NULL);
    datagrams(&h, &a, &b);
    tapir_close(b);
    must(tapir_write(a, "x", 1) == 1);
    tapir_sleep(1000000);
    assert_non_null(strstr(counters_of(h.b), "UdpNoPort "));
    assert_non_null(strstr(counters_of(h.b), "dropped: nobody listens on the port\n"));
    tapir_close(a);
    hosts_down(&h);
}

static void counters_are_printed_at_the_end_if_asked_for(void **state)
{
    char *text = NULL;
    size_t size = 0;
    struct tapir_config config = { .stat = true, .talk = open_memstream(&text, &size) };
    struct hosts h;
    int a, b;

    hosts_up_with(&h, 1, NULL, &config);
    datagrams(&h, &a, &b);
    must(tapir_write(a, "x", 1) == 1);
    tapir_close(a);
    tapir_close(b);
    hosts_down(&h);
    fclose(config.talk);
    assert_non_null(strstr(text, "ArpOutRequests "));
    free(text);
}

static void calls_and_packets_are_drawn_as_a_ladder_if_asked_for(void **state)
{
    char *text = NULL;
    size_t size = 0;
    struct tapir_config config = { .ladder = true,
                                   .talk = open_memstream(&text, &size) };
    struct hosts h;
    int l, c;

    hosts_up_with(&h, 1, NULL, &config);
    tapir_use(h.b);
    l = hosts_listen(80);
    tapir_use(h.a);
    c = hosts_connect(HOST_B, 80);
    tapir_use(NULL);
    tapir_close(c);
    tapir_close(l);
    hosts_down(&h);
    fclose(config.talk);
    assert_non_null(strstr(text, "192.0.2.2:80)"));
    assert_non_null(strstr(text, "close("));
    assert_non_null(strstr(text, "SYN-SENT"));
    free(text);
}

/* pcapng: a section header block comes first, whose type reads the same from both ends
 * (draft-ietf-opsawg-pcapng s4.1). */
static void frames_are_captured_if_asked_for(void **state)
{
    char file[] = "/tmp/tapir-test-sinks-XXXXXX";
    struct tapir_config config = { .pcap = file };
    struct hosts h;
    unsigned char head[4] = { 0 };
    int a, b;
    FILE *f;

    close(mkstemp(file));
    hosts_up_with(&h, 1, NULL, &config);
    datagrams(&h, &a, &b);
    must(tapir_write(a, "x", 1) == 1);
    tapir_sleep(1000000);
    tapir_close(a);
    tapir_close(b);
    hosts_down(&h);
    f = fopen(file, "rb");
    must(f && fread(head, 1, 4, f) == 4);
    assert_memory_equal(head, "\x0a\x0d\x0d\x0a", 4);
    fseek(f, 0, SEEK_END);
    assert_true(ftell(f) > 200);
    fclose(f);
    unlink(file);
}

static void a_capture_that_cannot_be_written_is_refused(void **state)
{
    struct tapir_config config = { .pcap = "/nowhere/at/all.pcapng" };
    struct sim *sim = sim_new(1);
    struct tapir_error error;

    assert_null(sim_host(sim, &config, &error));
    assert_int_equal(errno, ENOENT);
    assert_string_equal(error.what, "cannot write the capture /nowhere/at/all.pcapng: "
                                    "ENOENT (No such file or directory)");
    assert_true(error.fix[0] != '\0');
    sim_free(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_that_are_not_zero_are_printed_with_their_names),
        cmocka_unit_test(a_drop_is_printed_with_its_sentence),
        cmocka_unit_test(counters_are_printed_at_the_end_if_asked_for),
        cmocka_unit_test(calls_and_packets_are_drawn_as_a_ladder_if_asked_for),
        cmocka_unit_test(frames_are_captured_if_asked_for),
        cmocka_unit_test(a_capture_that_cannot_be_written_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
