#include "edge/keep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "harness/hosts.h"

static int made, dropped;
static char thing[2], servers_seen[32];

static void *make(const char *servers, uint64_t seed)
{
    strcpy(servers_seen, servers ? servers : "NULL");
    return &thing[made++];
}

static void drop(void *at)
{
    must(at == &thing[dropped]);
    dropped++;
}

static void *got[2];

static void asker(void *arg)
{
    got[0] = keep_get(make, drop);
    got[1] = keep_get(make, drop);
}

static void a_stack_keeps_one_thing_until_it_is_freed(void **state)
{
    struct tapir_config config = { .dns = "192.0.2.2" };
    struct hosts h;

    hosts_up_with(&h, 1, NULL, &config);
    must(sim_spawn(h.a, asker, NULL) == 0);
    hosts_run(&h);
    assert_ptr_equal(got[0], thing);
    assert_ptr_equal(got[1], thing);
    assert_string_equal(servers_seen, "192.0.2.2");
    must(sim_spawn(h.b, asker, NULL) == 0);
    hosts_run(&h);
    assert_ptr_equal(got[0], thing + 1);
    assert_string_equal(servers_seen, "");
    assert_int_equal(dropped, 0);
    hosts_down(&h);
    assert_int_equal(made, 2);
    assert_int_equal(dropped, 2);
}

static void without_a_stack_nothing_is_kept(void **state)
{
    assert_null(keep_get(make, drop));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stack_keeps_one_thing_until_it_is_freed),
        cmocka_unit_test(without_a_stack_nothing_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
