#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "edge/bsd.h"

static void an_address_is_read_from_network_order(void **state)
{
    /* 192.0.2.1:80 as the kernel has it: family in host order, the rest as sent. */
    struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(80) };
    static const uint8_t bytes[4] = { 192, 0, 2, 1 };
    struct sock_name name;

    memcpy(&sin.sin_addr, bytes, sizeof bytes);
    assert_int_equal(addr_in((struct sockaddr *)&sin, sizeof sin, &name), 0);
    assert_int_equal(name.port, 80);
    assert_int_equal(ip4_num(name.addr), 0xc0000201);
}

static void a_wrong_address_is_refused_as_by_linux(void **state)
{
    struct sockaddr_in sin = { .sin_family = AF_INET };
    struct sockaddr_in other = { .sin_family = AF_INET6 };
    struct sock_name name;

    assert_int_equal(addr_in(NULL, sizeof sin, &name), -EFAULT);
    assert_int_equal(addr_in((struct sockaddr *)&sin, 1, &name), -EINVAL);
    assert_int_equal(addr_in((struct sockaddr *)&sin, 15, &name), -EINVAL);
    assert_int_equal(addr_in((struct sockaddr *)&other, 16, &name), -EAFNOSUPPORT);
}

static void an_address_is_cut_to_the_callers_room_and_its_length_told(void **state)
{
    struct sock_name name = { ip4_addr(0xc0000201), 80 };
    uint8_t buf[20];
    socklen_t len = 4;

    memset(buf, 0xaa, sizeof buf);
    addr_out(&name, (struct sockaddr *)(void *)buf, &len);
    assert_int_equal(len, 16);
    assert_int_equal(buf[2], 0);
    assert_int_equal(buf[3], 80);
    assert_int_equal(buf[4], 0xaa);
    addr_out(&name, NULL, NULL);
}

static void an_address_is_printed_with_its_port(void **state)
{
    struct sock_name name = { ip4_addr(0xc0000201), 80 };
    char text[32];

    assert_string_equal(addr_text(&name, text, sizeof text), "192.0.2.1:80");
    assert_string_equal(addr_text(NULL, text, sizeof text), "-");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_read_from_network_order),
        cmocka_unit_test(a_wrong_address_is_refused_as_by_linux),
        cmocka_unit_test(an_address_is_cut_to_the_callers_room_and_its_length_told),
        cmocka_unit_test(an_address_is_printed_with_its_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
