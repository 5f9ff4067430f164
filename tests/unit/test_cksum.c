/* The Internet checksum. */
#include "base/cksum.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* RFC 1071 s1, word by word. */
static uint16_t naive(const uint8_t *at, size_t len)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < len; i++)
        sum += i % 2 ? at[i] : (uint32_t)at[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

static void fill(uint8_t *at, size_t len)
{
    uint32_t dice = 99;
    for (size_t i = 0; i < len; i++) {
        dice = dice * 1664525u + 1013904223u;
        at[i] = (uint8_t)(dice >> 24);
    }
}

/* RFC 1071 s3. */
static void the_example_of_rfc_1071(void **state)
{
    static const uint8_t in[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };
    (void)state;
    assert_int_equal(cksum_fold(cksum_add(0, in, 8, 0)), 0xddf2);
    assert_int_equal(cksum_finish(cksum_add(0, in, 8, 0)), 0x220d);
}

static void nothing_sums_to_nothing(void **state)
{
    static const uint8_t zeros[64];
    (void)state;
    assert_int_equal(cksum_add(0, zeros, 0, 0), 0);
    assert_int_equal(cksum_finish(cksum_add(0, zeros, 64, 0)), 0xffff);
}

/* Values in host order may be added as they are: the pseudo-header's. */
static void numbers_are_added_in_network_order(void **state)
{
    static const uint8_t in[] = { 0x12, 0x34 };
    (void)state;
    assert_int_equal(cksum_fold(cksum_add(0x0006, in, 2, 0)), 0x123a);
    assert_int_equal(cksum_fold(cksum_add(0xffff0000u, in, 2, 0)), 0x1234);
}

static void every_alignment_and_length_agrees_with_the_definition(void **state)
{
    static uint8_t in[300];
    (void)state;
    fill(in, sizeof in);
    for (size_t from = 0; from < 16; from++) {
        for (size_t len = 0; from + len <= sizeof in; len++)
            assert_int_equal(cksum_fold(cksum_add(0, in + from, len, 0)),
                             naive(in + from, len));
    }
}

static void pieces_of_any_length_join(void **state)
{
    static uint8_t in[100];
    (void)state;
    fill(in, sizeof in);
    for (size_t a = 0; a <= 100; a++) {
        for (size_t b = a; b <= 100; b++) {
            uint64_t sum = cksum_add(0, in, a, 0);
            sum = cksum_add(sum, in + a, b - a, a);
            sum = cksum_add(sum, in + b, 100 - b, b);
            assert_int_equal(cksum_fold(sum), naive(in, 100));
        }
    }
}

static void carries_are_never_lost(void **state)
{
    static uint8_t ones[65535];
    (void)state;
    for (size_t i = 0; i < sizeof ones; i++)
        ones[i] = 0xff;
    assert_int_equal(cksum_fold(cksum_add(0, ones, 65534, 0)), 0xffff);
    assert_int_equal(cksum_fold(cksum_add(0, ones, 65535, 0)), 0xff00);
    assert_int_equal(cksum_fold(cksum_add(0, ones, 1, 1)), 0x00ff);
}

static void fold_takes_the_whole_64_bits(void **state)
{
    (void)state;
    assert_int_equal(cksum_fold(UINT64_MAX), 0xffff);
    assert_int_equal(cksum_fold(0x0001000200030004u), 0x000a);
    assert_int_equal(cksum_fold(0x1ffff), 0x0001);
}

/* RFC 1624 s4: the example that equation 2 of RFC 1141 gets wrong. */
static void the_update_of_rfc_1624(void **state)
{
    (void)state;
    assert_int_equal(cksum_update(0xdd2f, 0x5555, 0x3285), 0x0000);
}

static void an_update_equals_a_new_sum(void **state)
{
    static uint8_t in[20];
    (void)state;
    fill(in, sizeof in);
    uint16_t before = cksum_finish(cksum_add(0, in, 20, 0));
    uint16_t old = (uint16_t)(in[8] << 8 | in[9]);
    in[8] = 63;
    in[9] = 6;
    assert_int_equal(cksum_update(before, old, 63 << 8 | 6),
                     cksum_finish(cksum_add(0, in, 20, 0)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_rfc_1071),
        cmocka_unit_test(nothing_sums_to_nothing),
        cmocka_unit_test(numbers_are_added_in_network_order),
        cmocka_unit_test(every_alignment_and_length_agrees_with_the_definition),
        cmocka_unit_test(pieces_of_any_length_join),
        cmocka_unit_test(carries_are_never_lost),
        cmocka_unit_test(fold_takes_the_whole_64_bits),
        cmocka_unit_test(the_update_of_rfc_1624),
        cmocka_unit_test(an_update_equals_a_new_sum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
