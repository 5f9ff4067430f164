/* Messages as bytes. Answers are made by the scripted name server's writer. */
#include "app/dns_msg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "harness/guarded.h"
#include "harness/nameserver.h"

static uint8_t query[DNS_QUERY_MAX], room[65535];

static struct dns_question question(const char *name, uint16_t type)
{
    struct dns_question q = { .type = type };

    assert_true(dns_name_from_text(name, &q.name));
    return q;
}

/* What a server answers with these records. */
static size_t answer(const char *name, uint16_t type, const char *records)
{
    struct nameserver_row row = { name, type, records, 0, false, false };
    struct nameserver s = { .row = &row, .n_rows = 1 };
    struct dns_question q = question(name, type);
    size_t n = dns_write_query(query, 0x1234, &q, false);

    return nameserver_answer(&s, query, n, false, room);
}

/* RFC 1035 s4.1.1; RFC 6891 s6.1.2 */
static void a_query_asks_one_thing_and_for_recursion(void **state)
{
    struct dns_question q = question("a.test", DNS_AAAA);

    assert_int_equal(dns_write_query(query, 0xabcd, &q, false), 24);
    assert_memory_equal(query, "\xab\xcd\1\0\0\1\0\0\0\0\0\0\1a\4test\0\0\x1c\0\1", 24);
    assert_int_equal(dns_write_query(query, 0xabcd, &q, true), 35);
    assert_memory_equal(query + 10, "\0\1", 2);
    assert_memory_equal(query + 24, "\0\0\x29\4\xd0\0\0\0\0\0\0", 11);
}

/* RFC 5452 s9.1: id and question as they were sent. */
static void an_answer_has_the_id_and_the_question(void **state)
{
    struct dns_question q = question("A.test", DNS_A),
                        other = question("b.test", DNS_A),
                        aaaa = question("a.test", DNS_AAAA);
    size_t n = answer("a.test", DNS_A, "a.test 60 A 192.0.2.7");
    struct dns_message m;

    assert_int_equal(dns_parse(room, n, &m), 0);
    assert_true(dns_answers(&m, 0x1234, &q));
    assert_false(dns_answers(&m, 0x1235, &q));
    assert_false(dns_answers(&m, 0x1234, &other));
    assert_false(dns_answers(&m, 0x1234, &aaaa));
    m.is_answer = false;
    assert_false(dns_answers(&m, 0x1234, &q));
    m.is_answer = true;
    m.opcode = 4;
    assert_false(dns_answers(&m, 0x1234, &q));
    m.opcode = 0;
    m.asked = 0;
    assert_false(dns_answers(&m, 0x1234, &q));
    m.rcode = DNS_FORMERR;
    assert_true(dns_answers(&m, 0x1234, &q));
}

/* Every length, ending where a page does: but for the whole, none is a message. */
static void a_message_that_is_cut_anywhere_is_refused(void **state)
{
    size_t n = answer("www.test", DNS_A,
                      "www.test 60 CNAME web.test; web.test 60 A 192.0.2.7 / test 9 "
                      "SOA 9");
    struct dns_message m;

    for (size_t i = 0; i <= n; i++) {
        int err = dns_parse((const uint8_t *)guarded(room, i), i, &m);
        assert_int_equal(err, i < n ? -EBADMSG : 0);
    }
    /* One that says so may end in the middle of its records. */
    room[2] |= 2;
    for (size_t i = 26; i <= n; i++)
        assert_int_equal(dns_parse((const uint8_t *)guarded(room, i), i, &m), 0);
}

/* The canonical name and addresses by what the answer section says. */
static const struct {
    const char *records, *end;
    unsigned links, n;
    uint32_t ttl;
} answers[] = {
    { "www.test 60 A 192.0.2.7", "www.test", 0, 1, 60 },
    /* RFC 2181 s5.2: the least of a set */
    { "www.test 60 A 192.0.2.7; WWW.test 30 A 192.0.2.8", "www.test", 0, 2, 30 },
    { "www.test 60 CNAME a.other; a.other 20 CNAME b.other; b.other 90 A 192.0.2.7",
      "b.other", 2, 1, 20 },
    /* in any order */
    { "b.other 90 A 192.0.2.7; a.other 20 CNAME b.other; www.test 60 CNAME a.other",
      "b.other", 2, 1, 20 },
    /* who is not on the chain is not believed (RFC 5452 s6) */
    { "www.test 60 A 192.0.2.7; bank.test 60 A 192.0.2.66", "www.test", 0, 1, 60 },
    { "bank.test 60 A 192.0.2.66", "www.test", 0, 0, 0 },
    { "www.test 60 CNAME a.other; b.other 60 A 192.0.2.66", "a.other", 1, 0, 0 },
    { "/ www.test 60 A 192.0.2.66", "www.test", 0, 0, 0 },
    /* other types are no addresses */
    { "www.test 60 AAAA 2001:db8::7", "www.test", 0, 0, 0 },
    /* RFC 2308 s5: the lesser of the SOA's own and MINIMUM, three hours at most */
    { "/ test 300 SOA 60", "www.test", 0, 0, 60 },
    { "/ test 30 SOA 60", "www.test", 0, 0, 30 },
    { "/ test 99999 SOA 88888", "www.test", 0, 0, 10800 },
    { "www.test 50 CNAME a.other / other 300 SOA 60", "a.other", 1, 0, 50 },
    /* of a zone that the name does not lie in: nothing */
    { "/ other 300 SOA 60", "www.test", 0, 0, 0 },
    { "", "www.test", 0, 0, 0 },
    /* RFC 2181 s8: the first bit makes it 0 */
    { "www.test 2147483648 A 192.0.2.7", "www.test", 0, 1, 0 },
    /* a week at most */
    { "www.test 2147483647 A 192.0.2.7", "www.test", 0, 1, 604800 },
};

static void an_answer_is_what_the_chain_leads_to(void **state)
{
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        size_t n = answer("www.test", DNS_A, answers[i].records);
        struct dns_name end;
        struct dns_message m;
        struct dns_answer a;
        assert_int_equal(dns_parse(room, n, &m), 0);
        assert_int_equal(dns_read_answer(&m, &a), 0);
        assert_true(dns_name_from_text(answers[i].end, &end));
        if (!dns_name_equal(&a.end, &end) || a.links != answers[i].links ||
            a.n != answers[i].n || a.ttl != answers[i].ttl)
            fail_msg("row %zu: %u links, %u addresses, ttl %u", i, a.links, a.n, a.ttl);
        if (a.n)
            assert_memory_equal(a.address[0], "\xc0\0\2\7", 4);
    }
}

static void a_chain_without_end_is_no_answer(void **state)
{
    struct dns_message m;
    struct dns_answer a;
    size_t n = answer("www.test", DNS_A,
                      "www.test 60 CNAME a.test; a.test 60 CNAME www.test");

    assert_int_equal(dns_parse(room, n, &m), 0);
    assert_int_equal(dns_read_answer(&m, &a), -EBADMSG);
}

/* RFC 1035 s3.4.1: an A has four bytes. */
static void an_address_of_another_length_is_no_answer(void **state)
{
    struct dns_message m;
    struct dns_answer a;
    size_t n = answer("www.test", DNS_A, "www.test 60 AAAA 2001:db8::7");

    room[26 + 11] = DNS_A;
    assert_int_equal(dns_parse(room, n, &m), 0);
    assert_int_equal(dns_read_answer(&m, &a), -EBADMSG);
}

static void more_addresses_than_there_is_room_for_are_left_out(void **state)
{
    char records[4000] = "";
    struct dns_message m;
    struct dns_answer a;

    for (int i = 0; i < 60; i++)
        strcat(records, "many.test 60 A 192.0.2.7;");
    size_t n = answer("many.test", DNS_A, records);
    assert_int_equal(dns_parse(room, n, &m), 0);
    assert_int_equal(dns_read_answer(&m, &a), 0);
    assert_int_equal(a.n, 24);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_query_asks_one_thing_and_for_recursion),
        cmocka_unit_test(an_answer_has_the_id_and_the_question),
        cmocka_unit_test(a_message_that_is_cut_anywhere_is_refused),
        cmocka_unit_test(an_answer_is_what_the_chain_leads_to),
        cmocka_unit_test(a_chain_without_end_is_no_answer),
        cmocka_unit_test(an_address_of_another_length_is_no_answer),
        cmocka_unit_test(more_addresses_than_there_is_room_for_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
