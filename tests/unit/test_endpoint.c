/* Addresses and ports of both families. */
#include "app/endpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static union endpoint at(const char *address, uint16_t port)
{
    union endpoint e;

    assert_true(endpoint_parse(address, port, &e));
    return e;
}

static void both_families_are_read_and_printed(void **state)
{
    static const struct {
        const char *address, *host, *text;
    } row[] = {
        { "192.0.2.1", "192.0.2.1", "192.0.2.1:80" },
        { "::1", "::1", "[::1]:80" },
        { "::", "::", "[::]:80" },
        { "2001:0DB8::0:a", "2001:db8::a", "[2001:db8::a]:80" },
        { "2001:db8:1111:2222:3333:4444:5555:6666",
          "2001:db8:1111:2222:3333:4444:5555:6666",
          "[2001:db8:1111:2222:3333:4444:5555:6666]:80" },
    };
    char room[ENDPOINT_TEXT];

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        union endpoint e = at(row[i].address, 80);
        assert_string_equal(endpoint_host(&e, room), row[i].host);
        assert_string_equal(endpoint_print(&e, room), row[i].text);
        assert_int_equal(endpoint_port(&e), 80);
    }
}

static void what_is_no_address_is_not_read(void **state)
{
    static const char *const row[] = {
        "",       "192.0.2", "192.0.2.256",      "[::1]",
        "::1%lo", "1:2:3",   "www.example.test", "::1:80:"
    };
    union endpoint e;

    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        if (endpoint_parse(row[i], 80, &e))
            fail_msg("%s is an address", row[i]);
}

static void one_that_is_none_prints_as_nothing(void **state)
{
    union endpoint none = { .any = { .sa_family = AF_UNSPEC } };
    char room[ENDPOINT_TEXT];

    assert_string_equal(endpoint_host(&none, room), "");
}

static void the_calls_are_told_the_length_of_the_family(void **state)
{
    union endpoint four = at("192.0.2.1", 80), six = at("::1", 80);

    assert_int_equal(endpoint_len(&four), 16);
    assert_int_equal(endpoint_len(&six), 28);
}

static void family_address_and_port_make_the_difference(void **state)
{
    union endpoint four = at("192.0.2.1", 80), six = at("2001:db8::1", 80);
    union endpoint same = at("192.0.2.1", 80), port = at("192.0.2.1", 81);
    union endpoint other = at("192.0.2.2", 80), other6 = at("2001:db8::2", 80);
    union endpoint same6 = at("2001:db8::1", 80), port6 = at("2001:db8::1", 81);

    assert_true(endpoint_same(&four, &same));
    assert_true(endpoint_same(&six, &same6));
    assert_false(endpoint_same(&four, &six));
    assert_false(endpoint_same(&four, &port));
    assert_false(endpoint_same(&four, &other));
    assert_false(endpoint_same(&six, &port6));
    assert_false(endpoint_same(&six, &other6));
}

/* RFC 4291 s2.5.5.2 */
static void an_address_that_was_mapped_is_shown_as_of_ip4(void **state)
{
    union endpoint e = at("::ffff:192.0.2.1", 80);
    char room[ENDPOINT_TEXT];

    assert_string_equal(endpoint_host(&e, room), "192.0.2.1");
    assert_string_equal(endpoint_print(&e, room), "192.0.2.1:80");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_families_are_read_and_printed),
        cmocka_unit_test(what_is_no_address_is_not_read),
        cmocka_unit_test(one_that_is_none_prints_as_nothing),
        cmocka_unit_test(the_calls_are_told_the_length_of_the_family),
        cmocka_unit_test(family_address_and_port_make_the_difference),
        cmocka_unit_test(an_address_that_was_mapped_is_shown_as_of_ip4),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
