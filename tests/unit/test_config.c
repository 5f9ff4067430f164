#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "edge/config.h"

static struct plan plan;
static struct tapir_error error;

static int no_environment(void **state)
{
    static const char *const name[] = {
        "TAPIR_LINK",     "TAPIR_ADDR",    "TAPIR_GATEWAY", "TAPIR_HOST_ADDR",
        "TAPIR_MAC",      "TAPIR_MTU",     "TAPIR_NETEM",   "TAPIR_PCAP",
        "TAPIR_SEED",     "TAPIR_LADDER",  "TAPIR_STAT",    "TAPIR_NO_OFFLOAD",
        "TAPIR_PCAP_RAW", "TAPIR_PROFILE", "TAPIR_DNS",
    };

    for (size_t i = 0; i < sizeof name / sizeof name[0]; i++)
        unsetenv(name[i]);
    return 0;
}

static void assert_addr(struct ip_addr a, uint32_t n)
{
    assert_true(ip_is4(a));
    assert_int_equal(ip4_num(a), n);
}

static void without_a_word_it_is_192_0_2_2_in_a_namespace(void **state)
{
    assert_int_equal(plan_make(NULL, false, &plan, &error), 0);
    assert_int_equal(plan.link, PLAN_NS);
    assert_string_equal(plan.port.name, "tap0");
    assert_addr(plan.addr, 0xc0000202);
    assert_int_equal(plan.prefix, 24);
    assert_int_equal(plan.n_gateways, 1);
    assert_addr(plan.gateway[0], 0xc0000201);
    assert_addr(plan.port.host_addr, 0xc0000201);
    assert_int_equal(plan.port.host_prefix, 24);
    assert_int_equal(plan.port.mtu, 1500);
    assert_true(plan.port.offload);
    assert_int_equal(plan.mac.b[0], 0x02);
}

/* Where the system's name servers cannot be reached there are none. */
static void name_servers_are_addresses_or_the_systems(void **state)
{
    struct tapir_config c = { .dns = "192.0.2.1,2001:db8::1" };

    assert_int_equal(plan_make(&c, false, &plan, &error), 0);
    assert_string_equal(plan.config.dns, "192.0.2.1,2001:db8::1");
    c.dns = "192.0.2.1,x";
    assert_int_equal(plan_make(&c, false, &plan, &error), -EINVAL);
    assert_string_equal(error.what,
                        "bad --dns '192.0.2.1,x': EINVAL (Invalid argument)");
    assert_int_equal(plan_make(NULL, false, &plan, &error), 0);
    assert_string_equal(plan.config.dns, "");
    assert_int_equal(plan_make(NULL, true, &plan, &error), 0);
    assert_string_equal(plan.config.dns, "");
    c = (struct tapir_config){ .link = "kernel" };
    assert_int_equal(plan_make(&c, false, &plan, &error), 0);
    assert_null(plan.config.dns);
    c.link = "tap:tap0";
    assert_int_equal(plan_make(&c, false, &plan, &error), 0);
    assert_null(plan.config.dns);
}

static void the_kernels_side_follows_from_the_address(void **state)
{
    struct tapir_config c = { .addr = "10.1.0.1/16" };

    assert_int_equal(plan_make(&c, false, &plan, &error), 0);
    assert_addr(plan.port.host_addr, 0x0a010002);
    assert_addr(plan.gateway[0], 0x0a010002);
    assert_int_equal(plan.port.host_prefix, 16);
}

static void an_empty_gateway_is_none(void **state)
{
    struct tapir_config c = { .gateway = "" };

    assert_int_equal(plan_make(&c, false, &plan, &error), 0);
    assert_int_equal(plan.n_gateways, 0);
}

/* RFC 1122 s3.3.1.6 (MUST-ip-manual-config). */
static void there_may_be_four_gateways_in_order(void **state)
{
    struct tapir_config c = { .gateway = "192.0.2.9,192.0.2.1,192.0.2.8,192.0.2.7" };

    assert_int_equal(plan_make(&c, false, &plan, &error), 0);
    assert_int_equal(plan.n_gateways, 4);
    assert_addr(plan.gateway[0], 0xc0000209);
    assert_addr(plan.gateway[1], 0xc0000201);
    assert_addr(plan.gateway[3], 0xc0000207);
    c.gateway = "192.0.2.9,192.0.2.1,192.0.2.8,192.0.2.7,192.0.2.6";
    assert_int_equal(plan_make(&c, false, &plan, &error), -EINVAL);
}

static void the_same_seed_and_address_give_the_same_mac(void **state)
{
    struct tapir_config c = { .seeded = true, .seed = 7 };
    struct mac_addr first;

    assert_int_equal(plan_make(&c, true, &plan, &error), 0);
    first = plan.mac;
    assert_int_equal(plan_make(&c, true, &plan, &error), 0);
    assert_memory_equal(plan.mac.b, first.b, 6);
    c.addr = "192.0.2.3/24";
    assert_int_equal(plan_make(&c, true, &plan, &error), 0);
    assert_memory_not_equal(plan.mac.b, first.b, 6);
    c.addr = NULL;
    c.seed = 8;
    assert_int_equal(plan_make(&c, true, &plan, &error), 0);
    assert_memory_not_equal(plan.mac.b, first.b, 6);
}

static void what_is_not_said_comes_from_the_environment(void **state)
{
    struct tapir_config c = { .addr = "198.51.100.2/24" };

    setenv("TAPIR_LINK", "tap:blue", 1);
    setenv("TAPIR_ADDR", "10.0.0.2/8", 1);
    setenv("TAPIR_MTU", "900", 1);
    setenv("TAPIR_SEED", "12", 1);
    setenv("TAPIR_NO_OFFLOAD", "1", 1);
    setenv("TAPIR_PCAP_RAW", "1", 1);
    setenv("TAPIR_PROFILE", "bsd", 1);
    assert_int_equal(plan_make(&c, false, &plan, &error), 0);
    assert_true(plan.config.pcap_raw);
    assert_string_equal(plan.config.profile, "bsd");
    assert_int_equal(plan.link, PLAN_PORT);
    assert_int_equal(plan.port.kind, PORT_TAP);
    assert_string_equal(plan.port.name, "blue");
    assert_addr(plan.addr, 0xc6336402);
    assert_int_equal(plan.port.mtu, 900);
    assert_int_equal(plan.config.seed, 12);
    assert_false(plan.port.offload);
}

static void a_simulation_does_not_look_at_the_environment(void **state)
{
    setenv("TAPIR_ADDR", "10.0.0.2/8", 1);
    assert_int_equal(plan_make(NULL, true, &plan, &error), 0);
    assert_addr(plan.addr, 0xc0000202);
    assert_int_equal(plan.link, PLAN_SIM);
}

static void an_emulator_turns_offload_off(void **state)
{
    struct tapir_config c = { .netem = "delay 20ms" };

    assert_int_equal(plan_make(&c, false, &plan, &error), 0);
    assert_false(plan.port.offload);
    assert_int_equal(plan.netem.in.delay, 20000);
}

static void what_is_wrong_is_refused_with_its_option_and_a_cause(void **state)
{
    static const struct {
        struct tapir_config c;
        const char *what, *cause;
    } row[] = {
        { { .link = "carrier-pigeon" }, "bad --link 'carrier-pigeon'", "no link" },
        { { .link = "tap:" }, "bad --link 'tap:'", "1 to 15" },
        { { .link = "tap:abcdefghijklmnop" }, "bad --link 'tap:", "1 to 15" },
        { { .link = "fd:x" }, "bad --link 'fd:x'", "number of a descriptor" },
        { { .link = "unix:" }, "bad --link 'unix:'", "1 to 107" },
        { { .link = "sim" }, "bad --link 'sim'", "tapir/sim.h" },
        { { .addr = "192.0.2.2" }, "bad --addr '192.0.2.2'", "prefix" },
        { { .addr = "192.0.2.256/24" }, "bad --addr", "not an IPv4 address" },
        { { .addr = "192.0.2.255/24" }, "bad --addr", "station" },
        { { .addr = "192.0.2.0/24" }, "bad --addr", "station" },
        { { .addr = "127.0.0.1/8" }, "bad --addr", "station" },
        { { .addr = "224.0.0.1/4" }, "bad --addr", "station" },
        { { .addr = "2001:db8::2/64" }, "bad --addr", "not an IPv4 address" },
        { { .host_addr = "192.0.2.2/24" }, "bad --host-addr", "own address" },
        { { .gateway = "here" }, "bad --gateway 'here'", "not an IPv4 address" },
        { { .gateway = "10.0.0.1" }, "bad --gateway '10.0.0.1'", "subnet" },
        { { .gateway = "192.0.2.1," }, "bad --gateway", "not an IPv4 address" },
        { { .gateway = "192.0.2.1,10.0.0.1" }, "bad --gateway", "subnet" },
        { { .gateway = "192.0.2.1,192.0.2.1" }, "bad --gateway", "twice" },
        { { .mac = "1:2:3" }, "bad --mac '1:2:3'", "one station" },
        { { .mac = "01:00:5e:00:00:01" }, "bad --mac", "one station" },
        { { .mac = "00:00:00:00:00:00" }, "bad --mac", "one station" },
        { { .mtu = 67 }, "bad --mtu '67'", "68 to 65521" },
        { { .mtu = 65522 }, "bad --mtu '65522'", "68 to 65521" },
        { { .netem = "gremlins 5%" }, "bad --netem 'gremlins 5%'", "gremlins" },
    };

    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        assert_int_equal(plan_make(&row[i].c, false, &plan, &error), -EINVAL);
        assert_non_null(strstr(error.what, row[i].what));
        assert_non_null(strstr(error.cause, row[i].cause));
    }
}

static void a_bad_number_in_the_environment_is_refused(void **state)
{
    setenv("TAPIR_MTU", "many", 1);
    assert_int_equal(plan_make(NULL, false, &plan, &error), -EINVAL);
    assert_non_null(strstr(error.what, "bad TAPIR_MTU 'many'"));
}

static void the_kernels_link_needs_no_address(void **state)
{
    struct tapir_config c = { .link = "kernel" };

    assert_int_equal(plan_make(&c, false, &plan, &error), 0);
    assert_int_equal(plan.link, PLAN_KERNEL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, no_environment)
    const struct CMUnitTest tests[] = {
        TEST(without_a_word_it_is_192_0_2_2_in_a_namespace),
        TEST(name_servers_are_addresses_or_the_systems),
        TEST(the_kernels_side_follows_from_the_address),
        TEST(an_empty_gateway_is_none),
        TEST(there_may_be_four_gateways_in_order),
        TEST(the_same_seed_and_address_give_the_same_mac),
        TEST(what_is_not_said_comes_from_the_environment),
        TEST(a_simulation_does_not_look_at_the_environment),
        TEST(an_emulator_turns_offload_off),
        TEST(what_is_wrong_is_refused_with_its_option_and_a_cause),
        TEST(a_bad_number_in_the_environment_is_refused),
        TEST(the_kernels_link_needs_no_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
