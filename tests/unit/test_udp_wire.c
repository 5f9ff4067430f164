#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/bytes.h"
#include "harness/guarded.h"
#include "wire/udp_wire.h"

/* RFC 768: port 5000 to 53, three bytes of text, a checksum. */
static const uint8_t datagram[11] = { 0x13, 0x88, 0x00, 0x35, 0,  11,
                                      0xab, 0xcd, 'a',  'b',  'c' };

static const char *refused(const uint8_t *b, size_t n, struct udp_header *out)
{
    int err = udp_parse((const uint8_t *)guarded(b, n), n, out);

    assert_true(err <= 0);
    return err == 0 ? "" : drop_name((enum drop)(-err - 1));
}

static void a_header_is_parsed(void **state)
{
    struct udp_header h;

    assert_string_equal(refused(datagram, 11, &h), "");
    assert_int_equal(h.src_port, 5000);
    assert_int_equal(h.dst_port, 53);
    assert_int_equal(h.len, 11);
    assert_int_equal(h.cksum, 0xabcd);
}

static void what_was_parsed_is_emitted_unchanged(void **state)
{
    struct udp_header h;
    uint8_t out[8];

    assert_int_equal(udp_parse(datagram, 11, &h), 0);
    udp_emit(out, &h);
    assert_memory_equal(out, datagram, 8);
}

static void every_truncation_is_refused(void **state)
{
    struct udp_header h;

    for (size_t n = 0; n < 11; n++)
        assert_string_equal(refused(datagram, n, &h), "UdpShort");
}

static void a_length_field_must_lie_between_header_and_packet(void **state)
{
    static const struct {
        uint16_t len;
        const char *refused;
    } row[] = {
        { 0, "UdpShort" }, { 7, "UdpShort" },  { 8, "" },
        { 10, "" }, /* padding behind it is no part of the datagram */
        { 11, "" },        { 12, "UdpShort" }, { 65535, "UdpShort" },
    };
    struct udp_header h;

    for (size_t i = 0; i < ARRAY_LEN(row); i++) {
        uint8_t b[11];
        memcpy(b, datagram, 11);
        put16(b + 4, row[i].len);
        assert_string_equal(refused(b, 11, &h), row[i].refused);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_is_parsed),
        cmocka_unit_test(what_was_parsed_is_emitted_unchanged),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(a_length_field_must_lie_between_header_and_packet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
