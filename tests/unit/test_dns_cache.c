#include "app/dns_cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static struct dns_cache cache;

static int start(void **state)
{
    memset(&cache, 0, sizeof cache);
    return 0;
}

static struct dns_question question(const char *name, uint16_t type)
{
    struct dns_question q = { .type = type };

    assert_true(dns_name_from_text(name, &q.name));
    return q;
}

static void put(const char *name, uint32_t ttl, usec now)
{
    struct dns_question q = question(name, DNS_A);
    struct dns_answer a = { .ttl = ttl, .n = 1, .address = { { 192, 0, 2, 7 } } };

    dns_cache_put(&cache, &q, &a, now);
}

/* Its time to live; -1: it is not there. */
static int ttl(const char *name, uint16_t type, usec now)
{
    struct dns_question q = question(name, type);
    struct dns_answer a;

    return dns_cache_find(&cache, &q, now, &a) ? (int)a.ttl : -1;
}

/* RFC 1035 s3.2.1 */
static void an_answer_is_kept_for_its_time_to_live(void **state)
{
    put("www.test", 60, 1000000);
    assert_int_equal(ttl("WWW.TEST", DNS_A, 1000000), 60);
    assert_int_equal(ttl("www.test", DNS_A, 31000000), 30);
    assert_int_equal(ttl("www.test", DNS_A, 60999999), 0);
    assert_int_equal(ttl("www.test", DNS_A, 61000000), -1);
    assert_int_equal(ttl("www.test", DNS_AAAA, 1000000), -1);
    assert_int_equal(ttl("ww.test", DNS_A, 1000000), -1);
}

static void an_answer_of_no_time_is_not_kept(void **state)
{
    put("www.test", 0, 0);
    assert_int_equal(ttl("www.test", DNS_A, 0), -1);
}

static void a_new_answer_takes_the_place_of_the_old_one(void **state)
{
    put("www.test", 60, 0);
    put("www.test", 10, 5000000);
    assert_int_equal(ttl("www.test", DNS_A, 5000000), 10);
    assert_int_equal(ttl("www.test", DNS_A, 16000000), -1);
}

static void of_a_full_cache_the_longest_unused_goes(void **state)
{
    char name[20];

    for (int i = 0; i < 128; i++) {
        snprintf(name, sizeof name, "n%d.test", i);
        put(name, 3600, i);
    }
    assert_int_equal(ttl("n0.test", DNS_A, 200), 3599);
    put("new.test", 3600, 201);
    assert_int_equal(ttl("n0.test", DNS_A, 202), 3599);
    assert_int_equal(ttl("n1.test", DNS_A, 202), -1);
    assert_int_equal(ttl("n2.test", DNS_A, 202), 3599);
    assert_int_equal(ttl("new.test", DNS_A, 202), 3599);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_answer_is_kept_for_its_time_to_live, start),
        cmocka_unit_test_setup(an_answer_of_no_time_is_not_kept, start),
        cmocka_unit_test_setup(a_new_answer_takes_the_place_of_the_old_one, start),
        cmocka_unit_test_setup(of_a_full_cache_the_longest_unused_goes, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
