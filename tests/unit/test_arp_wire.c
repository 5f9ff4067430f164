#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/bytes.h"
#include "harness/guarded.h"
#include "wire/arp_wire.h"

/* RFC 826: 192.0.2.1 at 02:00:00:00:00:01 asks who has 192.0.2.2. */
static const uint8_t request[28] = {
    0,    1, 8, 0, 6, 4, 0,   1,       /* Ethernet, IPv4, lengths, request */
    0x02, 0, 0, 0, 0, 1, 192, 0, 2, 1, /* sender */
    0,    0, 0, 0, 0, 0, 192, 0, 2, 2, /* target */
};

static const uint8_t *shut_in(const uint8_t *b, size_t n)
{
    return (const uint8_t *)guarded(b, n);
}

static void a_request_is_parsed(void **state)
{
    struct arp a;

    assert_true(arp_parse(shut_in(request, 28), 28, &a));
    assert_int_equal(a.op, 1);
    assert_memory_equal(a.sender_mac.b, request + 8, 6);
    assert_int_equal(ip4_num(a.sender_ip), 0xc0000201);
    assert_memory_equal(a.target_mac.b, request + 18, 6);
    assert_int_equal(ip4_num(a.target_ip), 0xc0000202);
}

static void what_was_parsed_is_emitted_unchanged(void **state)
{
    uint8_t out[28];
    struct arp a;

    assert_true(arp_parse(request, 28, &a));
    arp_emit(out, &a);
    assert_memory_equal(out, request, 28);
}

/* An unknown operation is for the reader to judge. */
static void any_operation_is_parsed(void **state)
{
    uint8_t b[28];
    struct arp a;

    memcpy(b, request, 28);
    b[6] = 0x12;
    b[7] = 0x34;
    assert_true(arp_parse(b, 28, &a));
    assert_int_equal(a.op, 0x1234);
}

static void padding_behind_the_packet_is_ignored(void **state)
{
    uint8_t b[46] = { 0 };
    struct arp a;

    memcpy(b, request, 28);
    assert_true(arp_parse(shut_in(b, 46), 46, &a));
}

static void every_shorter_packet_is_refused(void **state)
{
    struct arp a;

    for (size_t n = 0; n < 28; n++)
        assert_false(arp_parse(shut_in(request, n), n, &a));
}

static void anything_but_ethernet_and_ipv4_is_refused(void **state)
{
    static const struct {
        size_t at;
        uint8_t byte;
    } row[] = { { 0, 1 }, { 1, 6 }, { 2, 0x86 }, { 3, 6 }, { 4, 8 }, { 5, 16 } };
    struct arp a;

    for (size_t i = 0; i < ARRAY_LEN(row); i++) {
        uint8_t b[28];
        memcpy(b, request, 28);
        b[row[i].at] = row[i].byte;
        assert_false(arp_parse(b, 28, &a));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_parsed),
        cmocka_unit_test(what_was_parsed_is_emitted_unchanged),
        cmocka_unit_test(any_operation_is_parsed),
        cmocka_unit_test(padding_behind_the_packet_is_ignored),
        cmocka_unit_test(every_shorter_packet_is_refused),
        cmocka_unit_test(anything_but_ethernet_and_ipv4_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
