#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/guarded.h"
#include "wire/eth.h"

static const uint8_t header[14] = { 0x02, 0, 0, 0, 0, 0x02, 0x02, 0, 0, 0, 0, 1, 8, 6 };

static const uint8_t *shut_in(const uint8_t *b, size_t n)
{
    return (const uint8_t *)guarded(b, n);
}

static void a_header_is_destination_source_and_type(void **state)
{
    struct eth h;

    assert_true(eth_parse(shut_in(header, 14), 14, &h));
    assert_memory_equal(h.dst.b, header, 6);
    assert_memory_equal(h.src.b, header + 6, 6);
    assert_int_equal(h.type, 0x0806);
}

static void what_was_parsed_is_emitted_unchanged(void **state)
{
    uint8_t out[14];
    struct eth h;

    assert_true(eth_parse(header, 14, &h));
    eth_emit(out, &h);
    assert_memory_equal(out, header, 14);
}

static void every_shorter_frame_is_refused(void **state)
{
    struct eth h;

    for (size_t n = 0; n < 14; n++)
        assert_false(eth_parse(shut_in(header, n), n, &h));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_is_destination_source_and_type),
        cmocka_unit_test(what_was_parsed_is_emitted_unchanged),
        cmocka_unit_test(every_shorter_frame_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
