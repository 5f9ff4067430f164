#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "harness/guarded.h"
#include "wire/icmp_wire.h"

/* Checksums were made by another program. */
static const uint8_t echo[12] = { 8, 0, 0x33, 0x31, 0, 7, 0, 1, 'a', 'b', 'c', 'd' };
static const uint8_t frag_needed[9] = { 3, 4, 0x86, 0x83, 0, 0, 0x05, 0x78, 'q' };

static const char *refused(const uint8_t *b, size_t n, struct icmp *out)
{
    int err = icmp_parse((const uint8_t *)guarded(b, n), n, out);

    assert_true(err <= 0);
    return err == 0 ? "" : drop_name((enum drop)(-err - 1));
}

static void an_echo_request_has_id_and_sequence(void **state)
{
    struct icmp h;

    assert_string_equal(refused(echo, 12, &h), "");
    assert_int_equal(h.type, 8);
    assert_int_equal(h.code, 0);
    assert_int_equal(h.id, 7);
    assert_int_equal(h.seq, 1);
    assert_int_equal(h.mtu, 0);
}

/* RFC 1191 s4. The message has an odd length. */
static void fragmentation_needed_has_the_next_hops_mtu(void **state)
{
    struct icmp h;

    assert_string_equal(refused(frag_needed, 9, &h), "");
    assert_int_equal(h.type, 3);
    assert_int_equal(h.code, 4);
    assert_int_equal(h.mtu, 1400);
    assert_int_equal(h.id, 0);
    assert_int_equal(h.seq, 0);
}

static void other_messages_have_neither(void **state)
{
    static const uint8_t port[8] = { 3, 3, 0xf7, 0x84, 0, 0, 0x05, 0x78 };
    struct icmp h;

    assert_string_equal(refused(port, 8, &h), "");
    assert_int_equal(h.code, 3);
    assert_int_equal(h.mtu, 0);
    assert_int_equal(h.id, 0);
}

static void what_was_parsed_is_emitted_unchanged(void **state)
{
    uint8_t out[12] = { [8] = 'a', 'b', 'c', 'd' };
    struct icmp h;

    assert_int_equal(icmp_parse(echo, 12, &h), 0);
    icmp_emit(out, 12, &h);
    assert_memory_equal(out, echo, 12);

    assert_int_equal(icmp_parse(frag_needed, 9, &h), 0);
    out[8] = 'q';
    icmp_emit(out, 9, &h);
    assert_memory_equal(out, frag_needed, 9);
}

/* RFC 792: the gateway takes the place of identifier and sequence number. */
static void a_redirect_names_a_gateway(void **state)
{
    static const uint8_t want[8] = { 5, 1, 0x38, 0xf5, 0xc0, 0, 2, 9 };
    struct icmp h = { .type = 5, .code = 1, .gateway = ip4_addr(0xc0000209) };
    struct icmp got;
    uint8_t out[8];

    icmp_emit(out, 8, &h);
    assert_memory_equal(out, want, 8);
    assert_int_equal(icmp_parse(out, 8, &got), 0);
    assert_int_equal(ip4_num(got.gateway), 0xc0000209);
}

static void what_a_type_does_not_have_is_emitted_as_zeros(void **state)
{
    static const uint8_t want[8] = { 11, 0, 0xf4, 0xff, 0, 0, 0, 0 };
    struct icmp h = { .type = 11, .id = 1, .seq = 2, .mtu = 3 };
    uint8_t out[8];

    memset(out, 0xee, sizeof out);
    icmp_emit(out, 8, &h);
    assert_memory_equal(out, want, 8);
}

static void fewer_than_eight_bytes_are_refused(void **state)
{
    struct icmp h;

    for (size_t n = 0; n < 8; n++)
        assert_string_equal(refused(echo, n, &h), "IcmpShort");
}

static void a_message_that_was_cut_fails_its_checksum(void **state)
{
    struct icmp h;

    for (size_t n = 8; n < 12; n++)
        assert_string_equal(refused(echo, n, &h), "IcmpCsumError");
}

static void any_single_wrong_bit_is_noticed(void **state)
{
    struct icmp h;

    for (size_t bit = 0; bit < 12 * 8; bit++) {
        uint8_t b[12];
        memcpy(b, echo, 12);
        b[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_string_equal(refused(b, 12, &h), "IcmpCsumError");
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_echo_request_has_id_and_sequence),
        cmocka_unit_test(fragmentation_needed_has_the_next_hops_mtu),
        cmocka_unit_test(other_messages_have_neither),
        cmocka_unit_test(what_was_parsed_is_emitted_unchanged),
        cmocka_unit_test(a_redirect_names_a_gateway),
        cmocka_unit_test(what_a_type_does_not_have_is_emitted_as_zeros),
        cmocka_unit_test(fewer_than_eight_bytes_are_refused),
        cmocka_unit_test(a_message_that_was_cut_fails_its_checksum),
        cmocka_unit_test(any_single_wrong_bit_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
