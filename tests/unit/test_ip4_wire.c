#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cksum.h"
#include "harness/guarded.h"
#include "wire/ip4_wire.h"

/* 192.0.2.1 to 192.0.2.2, UDP, TTL 63, DSCP 46, id 0x1234, don't fragment, no payload;
 * the checksum was made by another program. */
static const uint8_t header[20] = { 0x45, 0xb8, 0x00, 0x14, 0x12, 0x34, 0x40,
                                    0x00, 0x3f, 0x11, 0xa4, 0xe9, 0xc0, 0x00,
                                    0x02, 0x01, 0xc0, 0x00, 0x02, 0x02 };

static const uint8_t *shut_in(const uint8_t *b, size_t n)
{
    return (const uint8_t *)guarded(b, n);
}

/* The name of the reason for which n bytes are refused; "" when they are not. */
static const char *refused(const uint8_t *b, size_t n, struct ip4 *out)
{
    int err = ip4_parse(shut_in(b, n), n, out);

    assert_true(err <= 0);
    return err == 0 ? "" : drop_name((enum drop)(-err - 1));
}

static void fix_cksum(uint8_t *b)
{
    size_t len = (b[0] & 15u) * 4;

    put16(b + 10, 0);
    put16(b + 10, cksum_finish(cksum_add(0, b, len, 0)));
}

/* The header above with one byte changed and the checksum made good. */
static void changed(uint8_t *b, size_t at, uint8_t byte)
{
    memcpy(b, header, 20);
    b[at] = byte;
    fix_cksum(b);
}

static void a_header_is_parsed(void **state)
{
    struct ip4 h;

    assert_string_equal(refused(header, 20, &h), "");
    assert_int_equal(ip4_num(h.src), 0xc0000201);
    assert_int_equal(ip4_num(h.dst), 0xc0000202);
    assert_int_equal(h.total_len, 20);
    assert_int_equal(h.header_len, 20);
    assert_int_equal(h.id, 0x1234);
    assert_int_equal(h.tos, 0xb8);
    assert_int_equal(h.ttl, 63);
    assert_int_equal(h.proto, 17);
    assert_int_equal(h.frag_offset, 0);
    assert_true(h.dont_fragment);
    assert_false(h.more_fragments);
    assert_false(h.source_route);
}

static void a_fragment_counts_its_offset_in_bytes(void **state)
{
    uint8_t b[20];
    struct ip4 h;

    memcpy(b, header, 20);
    put16(b + 6, 0x2000 | 185);
    fix_cksum(b);
    assert_string_equal(refused(b, 20, &h), "");
    assert_int_equal(h.frag_offset, 1480);
    assert_true(h.more_fragments);
    assert_false(h.dont_fragment);
}

static void what_was_parsed_is_emitted_unchanged(void **state)
{
    uint8_t b[20], out[20];
    struct ip4 h;

    assert_int_equal(ip4_parse(header, 20, &h), 0);
    ip4_emit(out, &h);
    assert_memory_equal(out, header, 20);

    memcpy(b, header, 20);
    put16(b + 6, 0x2000 | 185);
    fix_cksum(b);
    assert_int_equal(ip4_parse(b, 20, &h), 0);
    ip4_emit(out, &h);
    assert_memory_equal(out, b, 20);
}

static void every_shorter_packet_is_refused(void **state)
{
    struct ip4 h;

    for (size_t n = 0; n < 20; n++)
        assert_string_equal(refused(header, n, &h), "IpShort");
}

/* RFC 1122 s3.2.1.1 (MUST-ip-version) */
static void a_version_other_than_four_is_refused(void **state)
{
    uint8_t b[20];
    struct ip4 h;

    changed(b, 0, 0x65);
    assert_string_equal(refused(b, 20, &h), "IpVersion");
}

static void a_header_length_that_cannot_be_is_refused(void **state)
{
    uint8_t b[24] = { 0 };
    struct ip4 h;

    memcpy(b, header, 20);
    b[0] = 0x44;
    assert_string_equal(refused(b, 20, &h), "IpHeaderError");
    b[0] = 0x46; /* 24 bytes, of 20 and of 23 */
    assert_string_equal(refused(b, 20, &h), "IpHeaderError");
    assert_string_equal(refused(b, 23, &h), "IpHeaderError");
}

/* RFC 1122 s3.2.1.2 (MUST-ip-checksum): any single wrong bit is noticed. */
static void a_wrong_checksum_is_refused(void **state)
{
    struct ip4 h;

    for (size_t bit = 8; bit < 160; bit++) {
        uint8_t b[20];
        memcpy(b, header, 20);
        b[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_string_equal(refused(b, 20, &h), "IpCsumError");
    }
}

static void a_total_length_must_lie_between_header_and_packet(void **state)
{
    static const struct {
        uint8_t total_len;
        size_t len;
        const char *refused;
    } row[] = {
        { 20, 20, "" },
        { 20, 46, "" }, /* a short frame is padded */
        { 46, 46, "" },
        { 47, 46, "IpShort" },
        { 21, 20, "IpShort" },
        { 19, 46, "IpHeaderError" },
        { 0, 46, "IpHeaderError" },
    };
    struct ip4 h;

    for (size_t i = 0; i < ARRAY_LEN(row); i++) {
        uint8_t b[46] = { 0 };
        changed(b, 3, row[i].total_len);
        assert_string_equal(refused(b, row[i].len, &h), row[i].refused);
    }
}

/* RFC 9293 s3.9.2 (MUST-50). RFC 791 s3.1 and RFC 1122 s3.2.1.8
 * (MUST-ip-options-unknown): options, padded with ends of list. */
static void options_are_walked(void **state)
{
    static const struct {
        uint8_t option[12];
        const char *refused;
        bool source_route;
    } row[] = {
        { { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 }, "", false }, /* NOPs to the end */
        { { 0, 131, 0, 99 }, "", false },        /* nothing after the end */
        { { 148, 4, 0, 0 }, "", false },         /* router alert, unknown */
        { { 148, 12 }, "", false },              /* exactly to the end */
        { { 148, 13 }, "IpOptionError", false }, /* beyond the header */
        { { 148, 0 }, "IpOptionError", false },  /* lengths below 2 */
        { { 148, 1 }, "IpOptionError", false },
        { { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 148 }, "IpOptionError", false },
        { { 7, 7, 4 }, "", false },                   /* record route */
        { { 7, 7, 8 }, "", false },                   /* and full */
        { { 7, 7, 3 }, "IpOptionError", false },      /* pointer below 4 */
        { { 7, 7, 5 }, "IpOptionError", false },      /* amid an address */
        { { 7, 6, 4 }, "IpOptionError", false },      /* half an address */
        { { 7, 2 }, "IpOptionError", false },         /* no pointer */
        { { 68, 8, 5, 0 }, "", false },               /* timestamp */
        { { 68, 8, 4, 0 }, "IpOptionError", false },  /* pointer below 5 */
        { { 68, 3, 5 }, "IpOptionError", false },     /* no flags */
        { { 131, 7, 4, 192, 0, 2, 9 }, "", true },    /* loose source route */
        { { 1, 137, 7, 8, 192, 0, 2, 9 }, "", true }, /* strict, used up */
        { { 131, 7, 2 }, "IpOptionError", true },
    };
    struct ip4 h;

    for (size_t i = 0; i < ARRAY_LEN(row); i++) {
        uint8_t b[32];
        memcpy(b, header, 20);
        memcpy(b + 20, row[i].option, 12);
        b[0] = 0x48;
        b[3] = 32;
        fix_cksum(b);
        assert_string_equal(refused(b, 32, &h), row[i].refused);
        if (row[i].refused[0] != '\0')
            continue;
        assert_int_equal(h.header_len, 32);
        assert_int_equal(h.source_route, row[i].source_route);
    }
}

/* RFC 791 s3.1: the header's length counts them, and the checksum. */
static void options_are_emitted_behind_the_header(void **state)
{
    static const uint8_t list[8] = { 148, 4, 0, 0, 130, 3, 9, 0 };
    struct ip4 h;
    uint8_t b[28];

    assert_int_equal(ip4_parse(header, 46, &h), 0);
    h.total_len = 28;
    h.options = list;
    h.n_options = 8;
    ip4_emit(b, &h);
    assert_int_equal(b[0], 0x47);
    assert_memory_equal(b + 20, list, 8);
    assert_int_equal(ip4_parse(b, 28, &h), 0);
    assert_int_equal(h.header_len, 28);
}

/* What a user may send: RFC 1122 s3.2.1.8. RFC 7126 s4.3, s4.4: no source routes; RFC
 * 1122 s3.2.1.8 (d): no timestamps. */
static void a_users_options_are_checked_and_filled_up(void **state)
{
    static const struct {
        uint8_t list[12];
        size_t len;
        int n;
    } row[] = {
        { { 0 }, 0, 0 },
        { { 1 }, 1, 4 },
        { { 148, 4, 0, 0 }, 4, 4 },
        { { 148, 4, 0, 0, 130, 3, 9 }, 7, 8 },
        { { 7, 11, 4 }, 11, 12 },
        { { 148, 5, 0, 0 }, 4, -EINVAL }, /* beyond the list */
        { { 148 }, 1, -EINVAL },
        { { 7, 11, 3 }, 11, -EINVAL },
        { { 1, 131, 7, 4, 192, 0, 2, 9 }, 8, -EPERM },
        { { 137, 7, 4, 192, 0, 2, 9 }, 7, -EPERM },
        { { 1, 68, 8, 5 }, 9, -EPERM },
    };
    uint8_t out[40], long_list[41];

    for (size_t i = 0; i < ARRAY_LEN(row); i++) {
        memset(out, 0xee, sizeof out);
        assert_int_equal(ip4_options_read(row[i].list, row[i].len, out), row[i].n);
        if (row[i].n > 0)
            assert_memory_equal(out, row[i].list, (size_t)row[i].n);
    }
    memset(long_list, 1, sizeof long_list);
    assert_int_equal(ip4_options_read(long_list, 40, out), 40);
    assert_int_equal(ip4_options_read(long_list, 41, out), -EINVAL);
}

/* RFC 791 s3.1: the copied flag is the first bit of the kind. */
static void fragments_have_the_options_that_are_copied(void **state)
{
    static const uint8_t list[16] = { 1, 130, 3, 9, 7, 7, 4, 0, 0, 0, 0, 148, 4, 0, 0 };
    static const uint8_t want[8] = { 130, 3, 9, 148, 4, 0, 0, 0 };
    uint8_t out[40];

    memset(out, 0xee, sizeof out);
    assert_int_equal(ip4_options_copied(list, 16, out), 8);
    assert_memory_equal(out, want, 8);
    assert_int_equal(ip4_options_copied(list + 4, 7, out), 0);
}

/* Whatever stands in 40 bytes of options, the walk ends within them. */
static void no_option_bytes_lead_out_of_the_header(void **state)
{
    struct ip4 h;
    uint32_t x = 1;

    for (int i = 0; i < 20000; i++) {
        uint8_t b[60];
        memcpy(b, header, 20);
        for (int k = 20; k < 60; k++) {
            x = x * 1664525 + 1013904223;
            b[k] = (x >> 24) % 3 ? (uint8_t)((x >> 16) % 12) : (uint8_t)(x >> 16);
        }
        b[0] = 0x4f;
        b[3] = 60;
        fix_cksum(b);
        const char *why = refused(b, 60, &h);
        assert_true(why[0] == '\0' || strcmp(why, "IpOptionError") == 0);
    }
}

/* RFC 9293 s3.1: both addresses, protocol and length; worked by hand. */
static void the_pseudo_header_is_summed(void **state)
{
    uint64_t sum = ip_pseudo_sum(ip4_addr(0xc0000201), ip4_addr(0xc0000202), 6, 1480);

    assert_int_equal(cksum_fold(sum), 0x89d2);
}

/* RFC 8200 s8.1, the same for the other family: 2001:db8::1 to 2001:db8::2. */
static void the_pseudo_header_of_ipv6_is_summed(void **state)
{
    struct ip_addr a = { { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } };
    struct ip_addr b = { { 0x20, 0x01, 0x0d, 0xb8, [15] = 2 } };

    /* 2 * (2001 + 0db8) + 1 + 2 + 3a + 40 */
    assert_int_equal(cksum_fold(ip_pseudo_sum(a, b, 58, 64)), 0x5bef);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_is_parsed),
        cmocka_unit_test(a_fragment_counts_its_offset_in_bytes),
        cmocka_unit_test(what_was_parsed_is_emitted_unchanged),
        cmocka_unit_test(every_shorter_packet_is_refused),
        cmocka_unit_test(a_version_other_than_four_is_refused),
        cmocka_unit_test(a_header_length_that_cannot_be_is_refused),
        cmocka_unit_test(a_wrong_checksum_is_refused),
        cmocka_unit_test(a_total_length_must_lie_between_header_and_packet),
        cmocka_unit_test(options_are_walked),
        cmocka_unit_test(options_are_emitted_behind_the_header),
        cmocka_unit_test(a_users_options_are_checked_and_filled_up),
        cmocka_unit_test(fragments_have_the_options_that_are_copied),
        cmocka_unit_test(no_option_bytes_lead_out_of_the_header),
        cmocka_unit_test(the_pseudo_header_is_summed),
        cmocka_unit_test(the_pseudo_header_of_ipv6_is_summed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
