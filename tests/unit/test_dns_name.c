#include "app/dns_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "harness/guarded.h"

#define X10 "xxxxxxxxxx"
#define X60 X10 X10 X10 X10 X10 X10

static const char *printed(const struct dns_name *name)
{
    static char room[DNS_NAME_TEXT];
    struct text t;

    text_init(&t, room, sizeof room);
    dns_name_print(&t, name);
    assert_false(t.cut);
    return room;
}

static struct dns_name name_of(const char *text)
{
    struct dns_name name;

    assert_true(dns_name_from_text(text, &name));
    return name;
}

/* RFC 1035 s2.3.4: 63 bytes a label, 255 in all. */
static void names_are_labels_behind_their_lengths(void **state)
{
    struct dns_name name = name_of("www.Example.test.");

    assert_int_equal(name.len, 18);
    assert_memory_equal(name.b, "\3www\7Example\4test\0", 18);
    assert_string_equal(printed(&name), "www.Example.test");
    name = name_of(".");
    assert_int_equal(name.len, 1);
    assert_string_equal(printed(&name), ".");
    name_of(X60 "xxx.test");
    name_of(X60 "xxx." X60 "xxx." X60 "xxx." X60 "x");
}

static void what_is_no_name_is_refused(void **state)
{
    static const char *const bad[] = {
        "",  "..",  ".a",    "a..b",     X60 "xxxx.test",
        " ", "a b", "a\\.b", "\303\244", X60 "xxx." X60 "xxx." X60 "xxx." X60 "xx",
    };
    struct dns_name name;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (dns_name_from_text(bad[i], &name))
            fail_msg("'%s' is taken", bad[i]);
}

/* RFC 4343 */
static void names_have_no_case(void **state)
{
    struct dns_name a = name_of("WWW.test"), b = name_of("www.TEST"),
                    c = name_of("ww.wtest");

    assert_true(dns_name_equal(&a, &b));
    assert_false(dns_name_equal(&a, &c));
}

static void a_name_lies_within_its_zones(void **state)
{
    struct dns_name name = name_of("a.b.test"), root = name_of("."),
                    zone = name_of("B.test"), beside = name_of("xb.test"),
                    below = name_of("c.a.b.test");

    assert_true(dns_name_within(&name, &zone));
    assert_true(dns_name_within(&name, &name));
    assert_true(dns_name_within(&name, &root));
    assert_false(dns_name_within(&beside, &zone));
    assert_false(dns_name_within(&name, &below));
    assert_false(dns_name_within(&root, &zone));
}

/* RFC 1035 s5.1: what is not plain is escaped, so that no two names print the same. */
static void odd_bytes_are_escaped(void **state)
{
    struct dns_name name = { .len = 8, .b = "\6a.\n\\\xff;" };

    assert_string_equal(printed(&name), "a\\.\\010\\\\\\255\\;");
}

/* RFC 1035 s4.1.4. The message ends where a page does. */
static void pointers_lead_back_and_never_in_a_loop(void **state)
{
    static const struct {
        const char *bytes;
        size_t len, at, end;
        const char *name; /* NULL: refused */
    } row[] = {
        { "\1a\0", 3, 0, 3, "a" },
        { "\1a\0\1b\xc0\0", 7, 3, 7, "b.a" },
        { "\1a\0\1b\xc0\0\xc0\3", 9, 7, 9, "b.a" },
        { "\xc0\0", 2, 0, 0, NULL },             /* itself */
        { "\1a\xc0\0", 4, 0, 0, NULL },          /* its own beginning */
        { "\xc0\2\xc0\0", 4, 2, 0, NULL },       /* there and back */
        { "\xc0\2\1a\0", 5, 0, 0, NULL },        /* forward */
        { "\1a\xc0\0\1b\xc0\0", 8, 4, 0, NULL }, /* into a loop */
        { "\1a", 2, 0, 0, NULL },                /* no end */
        { "\2a", 2, 0, 0, NULL },
        { "\1a\xc0", 3, 0, 0, NULL },
        { "\x41"
          "a\0",
          3, 0, 0, NULL }, /* neither length nor pointer */
        { "\1a\0", 3, 3, 0, NULL },
        { "", 0, 0, 0, NULL },
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct dns_name name;
        const uint8_t *msg = (const uint8_t *)guarded(row[i].bytes, row[i].len);
        size_t end = dns_name_read(msg, row[i].len, row[i].at, &name);
        if (end != row[i].end)
            fail_msg("row %zu: %zu, not %zu", i, end, row[i].end);
        if (row[i].name)
            assert_string_equal(printed(&name), row[i].name);
    }
}

static void pointers_do_not_make_a_name_longer_than_any(void **state)
{
    uint8_t msg[400];
    struct dns_name name;
    size_t at = 0, last = 0;

    /* Labels of one byte, each with a pointer to the one before. */
    msg[at++] = 0;
    for (int i = 0; i < 90; i++) {
        size_t begin = at;
        msg[at++] = 1;
        msg[at++] = 'a';
        msg[at++] = 0xc0 | (uint8_t)(last >> 8);
        msg[at++] = (uint8_t)last;
        last = begin;
    }
    assert_int_equal(dns_name_read(msg, at, last, &name), at);
    assert_int_equal(name.len, 181);
    memset(msg, 1, 300); /* 150 labels */
    msg[300] = 0;
    assert_int_equal(dns_name_read(msg, 301, 0, &name), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_labels_behind_their_lengths),
        cmocka_unit_test(what_is_no_name_is_refused),
        cmocka_unit_test(names_have_no_case),
        cmocka_unit_test(a_name_lies_within_its_zones),
        cmocka_unit_test(odd_bytes_are_escaped),
        cmocka_unit_test(pointers_lead_back_and_never_in_a_loop),
        cmocka_unit_test(pointers_do_not_make_a_name_longer_than_any),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
