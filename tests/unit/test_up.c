#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "edge/tapir.h"
#include "harness/cable.h"
#include "harness/hosts.h"

static void what_stops_a_stack_is_told_with_errno_and_in_words(void **state)
{
    struct tapir_config config = { .link = "carrier-pigeon" };
    struct tapir_error error;

    assert_null(tapir_up_error(&config, &error));
    assert_int_equal(errno, EINVAL);
    assert_string_equal(error.what,
                        "bad --link 'carrier-pigeon': EINVAL (Invalid argument)");
    assert_true(error.fix[0] != '\0');
    assert_null(tapir_up(&config));
    assert_int_equal(errno, EINVAL);
}

static void on_the_kernels_link_calls_are_the_kernels(void **state)
{
    struct tapir_config config = { .link = "kernel" };
    struct tapir *t = tapir_up(&config);
    struct sockaddr_in me = { .sin_family = AF_INET };
    socklen_t len = sizeof me;
    int l, c, s;
    char byte;

    assert_non_null(t);
    me.sin_addr.s_addr = htonl(0x7f000001);
    l = tapir_socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(tapir_bind(l, (struct sockaddr *)&me, sizeof me), 0);
    assert_int_equal(tapir_listen(l, 1), 0);
    assert_int_equal(tapir_getsockname(l, (struct sockaddr *)&me, &len), 0);
    c = tapir_socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(tapir_connect(c, (struct sockaddr *)&me, sizeof me), 0);
    s = tapir_accept(l, NULL, NULL);
    assert_int_equal(tapir_write(c, "x", 1), 1);
    assert_int_equal(tapir_read(s, &byte, 1), 1);
    tapir_print_stat(t, stderr);
    tapir_close(s);
    tapir_close(c);
    tapir_close(l);
    tapir_down(t);
}

/* RFC 6528 s4 (MUST-isn-random): all secrets come from the seed, and nobody who was not
 * told of it knows it. */
static void a_seed_is_kept_and_a_random_one_can_be_asked_for(void **state)
{
    struct tapir_config config = { .link = "kernel", .seeded = true, .seed = 42 };
    struct tapir *t = tapir_up(&config);

    assert_int_equal(tapir_seed(t), 42);
    tapir_down(t);
    tapir_down(NULL);
    config = (struct tapir_config){ .link = "kernel" };
    t = tapir_up(&config);
    uint64_t first = tapir_seed(t);
    tapir_down(t);
    t = tapir_up(&config);
    assert_true(tapir_seed(t) != first);
    tapir_down(t);
}

static int refused_sysctl(const char *setting, struct tapir_error *error)
{
    struct tapir_config config = { .sysctl = &setting, .n_sysctl = 1 };
    struct sim *sim = sim_new(1);
    int err = sim_host(sim, &config, error) ? 0 : errno;

    sim_free(sim);
    return err;
}

static void tunables_are_set_or_refused_with_a_cause(void **state)
{
    struct tapir_error error;

    assert_int_equal(refused_sysctl("net.ipv4.tcp_sack=0", &error), 0);
    assert_int_equal(refused_sysctl("net.ipv4.tcp_sack", &error), EINVAL);
    assert_non_null(strstr(error.what, "bad --sysctl 'net.ipv4.tcp_sack'"));
    assert_string_equal(error.cause, "not of the form NAME=VALUE");
    assert_int_equal(refused_sysctl("net.ipv4.tcp_sack=much", &error), EINVAL);
    assert_string_equal(error.cause, "the value is out of range");
    assert_int_equal(refused_sysctl("net.ipv4.no_such=1", &error), ENOENT);
    assert_string_equal(error.cause, "no tunable of this name");
}

static void an_unknown_profile_is_refused_with_a_fix(void **state)
{
    struct tapir_config config = { .profile = "windows" };
    struct tapir_error error;
    struct sim *sim = sim_new(1);

    assert_null(sim_host(sim, &config, &error));
    assert_int_equal(errno, EINVAL);
    assert_non_null(strstr(error.what, "bad --profile 'windows'"));
    assert_string_equal(error.fix, "--profile tapir, linux or bsd");
    config.profile = "bsd";
    assert_non_null(sim_host(sim, &config, &error));
    sim_free(sim);
}

/* ---- down ---- */

static void down_sends_what_closed_connections_still_have_to_say(void **state)
{
    static const char text[60000];
    struct cable cable;
    char buf[1000];
    size_t total = 0;
    ssize_t n;
    int l, c, s;

    cable_up(&cable);
    tapir_use(cable.b);
    l = hosts_listen(80);
    tapir_use(cable.a);
    c = hosts_connect(HOST_B, 80);
    hosts_write(c, text, sizeof text);
    s = tapir_accept(l, NULL, NULL);
    tapir_use(NULL);
    tapir_down(cable.a); /* c is open: it is closed here, and its text arrives */
    while ((n = tapir_read(s, buf, sizeof buf)) > 0)
        total += (size_t)n;
    assert_int_equal(n, 0);
    assert_int_equal(total, 60000);
    tapir_close(s);
    tapir_close(l);
    tapir_down(cable.b);
}

static void a_connection_that_does_not_end_in_a_second_is_reset(void **state)
{
    struct hosts h;
    char *text = NULL;
    size_t size = 0;
    struct tapir_config config = { .stat = true };
    int64_t before;
    int l, c;

    config.talk = open_memstream(&text, &size);
    /* The text is never acknowledged: every data segment of a is lost. */
    hosts_up_with(&h, 1, "delay 10ms drop out:data:1,2,3,4,5,6,7,8,9", &config);
    tapir_use(h.b);
    l = hosts_listen(80);
    tapir_use(h.a);
    c = hosts_connect(HOST_B, 80);
    must(tapir_accept(l, NULL, NULL) >= 0);
    must(tapir_write(c, "lost", 4) == 4);
    tapir_use(NULL);
    before = sim_now(h.sim);
    tapir_close(c);
    assert_int_equal(sim_now(h.sim), before);
    hosts_down(&h);
    fclose(config.talk);
    assert_non_null(strstr(text, "TcpOutRsts "));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_stops_a_stack_is_told_with_errno_and_in_words),
        cmocka_unit_test(on_the_kernels_link_calls_are_the_kernels),
        cmocka_unit_test(a_seed_is_kept_and_a_random_one_can_be_asked_for),
        cmocka_unit_test(tunables_are_set_or_refused_with_a_cause),
        cmocka_unit_test(an_unknown_profile_is_refused_with_a_fix),
        cmocka_unit_test(down_sends_what_closed_connections_still_have_to_say),
        cmocka_unit_test(a_connection_that_does_not_end_in_a_second_is_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
