#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "wire/addr.h"

static struct ip_addr ip(const char *s)
{
    struct ip_addr a;
    assert_true(ip_parse(s, &a));
    return a;
}

static struct ip_addr ip6(uint8_t first, uint8_t last)
{
    struct ip_addr a = { { [0] = first, [15] = last } };
    return a;
}

static void a_list_has_commas_between_its_addresses(void **state)
{
    static const char *const bad[] = { "",
                                       "192.0.2.1,",
                                       ",192.0.2.1",
                                       "192.0.2.1 ",
                                       "192.0.2.1,,192.0.2.3",
                                       "192.0.2.1,x",
                                       "192.0.2.1,192.0.2.3,192.0.2.4" };
    struct ip_addr a[2];

    assert_int_equal(ip_parse_list("192.0.2.1", a, 2), 1);
    assert_int_equal(ip_parse_list("192.0.2.3,198.51.100.1", a, 2), 2);
    assert_int_equal(ip4_num(a[0]), 0xc0000203);
    assert_int_equal(ip4_num(a[1]), 0xc6336401);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(ip_parse_list(bad[i], a, 2), -1);
}

/* RFC 4291 s2.5.5.2: ten bytes of zeros, two of ones, the IPv4 address. */
static void an_ipv4_address_is_kept_mapped_into_sixteen_bytes(void **state)
{
    static const uint8_t mapped[16] = { 0, 0, 0,    0,    0,   0, 0, 0,
                                        0, 0, 0xff, 0xff, 192, 0, 2, 9 };

    assert_memory_equal(ip4_addr(0xc0000209).b, mapped, 16);
    assert_int_equal(ip4_num(ip4_addr(0xc0000209)), 0xc0000209);
    assert_true(ip_is4(ip4_addr(0xc0000209)));
    assert_false(ip_is4(ip6(0x20, 1)));
    assert_memory_equal(ip("192.0.2.9").b, mapped, 16);
}

static void text_that_is_an_address_is_read(void **state)
{
    static const struct {
        const char *text;
        uint32_t n;
    } row[] = {
        { "0.0.0.0", 0 },
        { "255.255.255.255", 0xffffffff },
        { "10.0.0.1", 0x0a000001 },
        { "192.0.2.100", 0xc0000264 },
    };

    for (size_t i = 0; i < ARRAY_LEN(row); i++)
        assert_int_equal(ip4_num(ip(row[i].text)), row[i].n);
}

/* RFC 6943 s3.1.1: forms that two readers may take for two addresses are refused. */
static void text_that_is_not_exactly_an_address_is_refused(void **state)
{
    static const char *const row[] = {
        "",           "1",
        "1.2.3",      "1.2.3.",
        "1.2.3.4.",   ".1.2.3",
        "1..2.3",     "1.2.3.256",
        "1.2.3.4 ",   " 1.2.3.4",
        "01.2.3.4",   "1.2.3.00",
        "0x1.2.3.4",  "1.2.3.-4",
        "1.2.3.+4",   "1.2.3.4a",
        "1.2.3.4/24", "1,2,3,4",
        "::1",        "2001:db8::",
        "localhost",  "1.2.3.4294967297",
    };
    struct ip_addr a = ip4_addr(77);

    for (size_t i = 0; i < ARRAY_LEN(row); i++)
        assert_false(ip_parse(row[i], &a));
    assert_int_equal(ip4_num(a), 77); /* a refusal leaves the caller's value alone */
}

static void an_address_with_prefix_needs_its_prefix(void **state)
{
    static const char *const refused[] = { "192.0.2.2",     "192.0.2.2/",
                                           "192.0.2.2/33",  "192.0.2.2/-1",
                                           "192.0.2.2/024", "192.0.2.2/24 ",
                                           "192.0.2/24",    "/24" };
    struct ip_addr a;
    unsigned prefix;

    assert_true(ip_parse_prefix("192.0.2.2/24", &a, &prefix));
    assert_int_equal(ip4_num(a), 0xc0000202);
    assert_int_equal(prefix, 24);
    assert_true(ip_parse_prefix("0.0.0.0/0", &a, &prefix));
    assert_int_equal(prefix, 0);
    assert_true(ip_parse_prefix("192.0.2.2/32", &a, &prefix));
    assert_int_equal(prefix, 32);
    for (size_t i = 0; i < ARRAY_LEN(refused); i++)
        assert_false(ip_parse_prefix(refused[i], &a, &prefix));
}

static void a_mac_address_is_six_hex_pairs_and_colons(void **state)
{
    static const uint8_t bytes[6] = { 0x02, 0, 0xab, 0xCD, 0xef, 0x10 };
    static const char *const refused[] = { "",
                                           "02",
                                           "02:00:ab:cd:ef",
                                           "02:00:ab:cd:ef:1",
                                           "02:00:ab:cd:ef:10:",
                                           "02:00:ab:cd:ef:10:11",
                                           "02-00-ab-cd-ef-10",
                                           "02:00:ab:cd:eg:10",
                                           "2:0:ab:cd:ef:10",
                                           "0200abcdef10" };
    struct mac_addr a;

    assert_true(mac_parse("02:00:ab:CD:ef:10", &a));
    assert_memory_equal(a.b, bytes, 6);
    for (size_t i = 0; i < ARRAY_LEN(refused); i++)
        assert_false(mac_parse(refused[i], &a));
}

static void addresses_print_as_they_are_read(void **state)
{
    static const struct mac_addr mac = { { 0x02, 0, 0xab, 0xcd, 0xef, 0x10 } };
    char buf[ADDR_TEXT];
    struct text t;

    text_init(&t, buf, sizeof buf);
    ip_print(&t, ip("192.0.2.100"));
    assert_string_equal(buf, "192.0.2.100");
    text_init(&t, buf, sizeof buf);
    ip_print(&t, ip6(0x20, 1));
    assert_string_equal(buf, "2000:0:0:0:0:0:0:1");
    text_init(&t, buf, sizeof buf);
    mac_print(&t, mac);
    assert_string_equal(buf, "02:00:ab:cd:ef:10");
}

static void the_longest_address_fits_into_the_room_for_text(void **state)
{
    struct ip_addr a;
    char buf[46];
    struct text t;

    for (int i = 0; i < 16; i++)
        a.b[i] = 0xff;
    text_init(&t, buf, sizeof buf);
    ip_print(&t, a);
    assert_string_equal(buf, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    assert_false(t.cut);
}

static void classes_of_addresses_are_told_apart(void **state)
{
    assert_true(ip_is_any(ip("0.0.0.0")));
    assert_true(ip_is_any(ip6(0, 0)));
    assert_false(ip_is_any(ip("0.0.0.1")));

    assert_true(ip_is_loopback(ip("127.0.0.1")));
    assert_true(ip_is_loopback(ip("127.255.255.255")));
    assert_true(ip_is_loopback(ip6(0, 1)));
    assert_false(ip_is_loopback(ip("128.0.0.1")));
    assert_false(ip_is_loopback(ip6(0x20, 1)));

    assert_true(ip_is_multicast(ip("224.0.0.0")));
    assert_true(ip_is_multicast(ip("239.255.255.255")));
    assert_false(ip_is_multicast(ip("223.255.255.255")));
    assert_false(ip_is_multicast(ip("240.0.0.0")));
    assert_true(ip_is_multicast(ip6(0xff, 1)));

    assert_true(ip_is_limited_broadcast(ip("255.255.255.255")));
    assert_false(ip_is_limited_broadcast(ip("255.255.255.254")));
}

static void a_multicast_station_has_the_lowest_bit_of_its_first_byte(void **state)
{
    static const struct mac_addr station = { { 0x02, 1, 1, 1, 1, 1 } };
    static const struct mac_addr group = { { 0x33, 0x33, 0, 0, 0, 1 } };

    assert_true(mac_is_multicast(mac_broadcast));
    assert_true(mac_is_multicast(group));
    assert_false(mac_is_multicast(station));
    assert_true(mac_eq(station, station));
    assert_false(mac_eq(station, group));
}

static void the_same_network_is_the_same_first_bits(void **state)
{
    static const struct {
        const char *a, *b;
        unsigned prefix;
        bool same;
    } row[] = {
        { "192.0.2.1", "192.0.2.254", 24, true },
        { "192.0.2.1", "192.0.3.1", 24, false },
        { "192.0.2.1", "192.0.3.1", 23, true },
        { "192.0.2.127", "192.0.2.128", 25, false },
        { "192.0.2.1", "10.0.0.1", 0, true },
        { "192.0.2.1", "192.0.2.1", 32, true },
        { "192.0.2.1", "192.0.2.0", 32, false },
        { "192.0.2.1", "192.0.2.0", 31, true },
    };

    for (size_t i = 0; i < ARRAY_LEN(row); i++)
        assert_int_equal(ip_same_net(ip(row[i].a), ip(row[i].b), row[i].prefix),
                         row[i].same);
    assert_true(ip_same_net(ip6(0x20, 1), ip6(0x20, 0), 127));
    assert_false(ip_same_net(ip6(0x20, 1), ip6(0x20, 0), 128));
    assert_false(ip_same_net(ip6(0, 1), ip("0.0.0.1"), 0)); /* two families */
}

static void the_subnet_broadcast_address_has_all_host_bits_set(void **state)
{
    assert_int_equal(ip4_num(ip4_subnet_broadcast(ip("192.0.2.2"), 24)), 0xc00002ff);
    assert_int_equal(ip4_num(ip4_subnet_broadcast(ip("10.1.2.3"), 8)), 0x0affffff);
    assert_int_equal(ip4_num(ip4_subnet_broadcast(ip("10.1.2.3"), 32)), 0x0a010203);
    assert_int_equal(ip4_num(ip4_subnet_broadcast(ip("10.1.2.3"), 0)), 0xffffffff);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_has_commas_between_its_addresses),
        cmocka_unit_test(an_ipv4_address_is_kept_mapped_into_sixteen_bytes),
        cmocka_unit_test(text_that_is_an_address_is_read),
        cmocka_unit_test(text_that_is_not_exactly_an_address_is_refused),
        cmocka_unit_test(an_address_with_prefix_needs_its_prefix),
        cmocka_unit_test(a_mac_address_is_six_hex_pairs_and_colons),
        cmocka_unit_test(addresses_print_as_they_are_read),
        cmocka_unit_test(the_longest_address_fits_into_the_room_for_text),
        cmocka_unit_test(classes_of_addresses_are_told_apart),
        cmocka_unit_test(a_multicast_station_has_the_lowest_bit_of_its_first_byte),
        cmocka_unit_test(the_same_network_is_the_same_first_bits),
        cmocka_unit_test(the_subnet_broadcast_address_has_all_host_bits_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
