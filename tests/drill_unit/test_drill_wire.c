/* Packets of a script as bytes, and back. */
#include "../../tools/drill/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "wire/tcp_wire.h"

static struct ends ends(void)
{
    return (struct ends){ .src = ip4_addr(0xc0000201), .dst = ip4_addr(0xc0a80001) };
}

static uint8_t bytes[WIRE_MAX];

static struct packet syn(void)
{
    return (struct packet){
        .kind = PACKET_TCP,
        .src_port = 40000,
        .dst_port = 8080,
        .flags = TCP_SYN,
        .seq = 0xfffffffe,
        .window = 1000,
        .options = { 2, 4, 5, 0xb4 },
        .options_len = 4,
        .len = 3,
    };
}

/* RFC 9293 s3.1, RFC 791 s3.1. */
static void a_segment_has_its_fields_where_they_belong(void **state)
{
    static const uint8_t header[] = {
        0x45, 0,    0,    47,   0,    0,    0x40, 0, 64,   6,    0xf9, 0x33,
        0xc0, 0,    2,    1,    0xc0, 0xa8, 0,    1, 0x9c, 0x40, 0x1f, 0x90,
        0xff, 0xff, 0xff, 0xfe, 0,    0,    0,    0, 0x60, 2,    3,    0xe8,
    };
    struct packet p = syn();
    struct ends e = ends();
    size_t len = wire_emit(bytes, &p, &e);
    assert_int_equal(len, 47);
    bytes[10] = 0xf9; /* the IP checksum is the stack's to write, tested there */
    bytes[11] = 0x33;
    assert_memory_equal(bytes, header, sizeof header);
    assert_memory_equal(bytes + 40, "\x02\x04\x05\xb4\0\0\0", 7);
}

static void what_is_written_is_read_again(void **state)
{
    static const struct packet row[] = {
        { .kind = PACKET_TCP,
          .src_port = 1,
          .dst_port = 2,
          .seq = 3,
          .ack = 4,
          .len = 5,
          .flags = TCP_ACK | TCP_AE | TCP_CWR,
          .window = 6,
          .urgent = 7,
          .tos = 2,
          .ttl = 9 },
        { .kind = PACKET_UDP, .src_port = 1, .dst_port = 2, .len = 1000, .ttl = 64 },
        { .kind = PACKET_ICMP, .type = 3, .code = 4, .mtu = 1200, .ttl = 64 },
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct packet p;
        struct ends e = ends(), seen;
        size_t len = wire_emit(bytes, &row[i], &e);
        assert_null(wire_read(bytes, len, &p, &seen));
        assert_true(ip_eq(seen.src, e.src) && ip_eq(seen.dst, e.dst));
        p.outbound = false;
        assert_memory_equal(&p, &row[i], sizeof p);
    }
}

static void each_changed_byte_is_noticed(void **state)
{
    struct packet p = syn(), q;
    struct ends e = ends();
    size_t len = wire_emit(bytes, &p, &e);
    for (size_t i = 0; i < len; i++) {
        bytes[i] ^= 0x10;
        assert_non_null(wire_read(bytes, len, &q, &e));
        bytes[i] ^= 0x10;
    }
    assert_null(wire_read(bytes, len, &q, &e));
}

/* The payload is zeros: bytes that changed with a good checksum are seen, too. */
static void a_payload_that_is_not_zeros_is_noticed(void **state)
{
    struct packet p = syn(), q;
    struct ends e = ends();
    size_t len = wire_emit(bytes, &p, &e);
    bytes[44] = 1;
    put16(bytes + 36, (uint16_t)(get16(bytes + 36) - 0x100));
    assert_string_equal(wire_read(bytes, len, &q, &e),
                        "the payload is not what was sent");
}

/* RFC 792: the header and eight bytes of what was sent, the other way round. */
static void icmp_quotes_what_this_host_sent(void **state)
{
    struct packet p = { .kind = PACKET_ICMP,
                        .type = 3,
                        .code = 1,
                        .quote = QUOTE_TCP,
                        .quote_seq = 77,
                        .quote_len = 100,
                        .src_port = 8080,
                        .dst_port = 4000 };
    struct ends e = ends();
    size_t len = wire_emit(bytes, &p, &e);
    assert_int_equal(len, 20 + 8 + 28);
    assert_int_equal(get32(bytes + 28 + 12), 0xc0a80001);
    assert_int_equal(get32(bytes + 28 + 16), 0xc0000201);
    assert_int_equal(get16(bytes + 28 + 2), 140);
    assert_int_equal(get16(bytes + 48), 4000);
    assert_int_equal(get16(bytes + 50), 8080);
    assert_int_equal(get32(bytes + 52), 77);
}

static void what_is_longer_than_ip_permits_is_not_written(void **state)
{
    struct packet p = syn();
    struct ends e = ends();
    p.len = 65535 - 44;
    assert_int_equal(wire_emit(bytes, &p, &e), 65535);
    p.len++;
    assert_int_equal(wire_emit(bytes, &p, &e), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_segment_has_its_fields_where_they_belong),
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(each_changed_byte_is_noticed),
        cmocka_unit_test(a_payload_that_is_not_zeros_is_noticed),
        cmocka_unit_test(icmp_quotes_what_this_host_sent),
        cmocka_unit_test(what_is_longer_than_ip_permits_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
