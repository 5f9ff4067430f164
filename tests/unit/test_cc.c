/* The table of controllers and the initial window. */
#include "tcp/cc.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void nothing_init(struct cc *cc)
{
    (void)cc;
}

static void the_table_begins_with_reno_and_cubic(void **state)
{
    struct cc_table t;
    (void)state;
    cc_table_init(&t);
    assert_int_equal(t.n, 2);
    assert_ptr_equal(cc_find(&t, "reno"), &cc_reno);
    assert_ptr_equal(cc_find(&t, "cubic"), &cc_cubic);
    assert_null(cc_find(&t, "bbr"));
    assert_null(cc_find(&t, ""));
}

static void a_controller_of_ones_own_is_added_once(void **state)
{
    struct cc_ops mine = { .name = "mine", .init = nothing_init };
    struct cc_table t;
    (void)state;
    cc_table_init(&t);
    assert_int_equal(cc_add(&t, &mine), 0);
    assert_ptr_equal(cc_find(&t, "mine"), &mine);
    assert_int_equal(cc_add(&t, &mine), -EEXIST);
    assert_int_equal(t.n, 3);
}

static void a_full_table_refuses(void **state)
{
    static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g", "h",
                                         "i", "j", "k", "l", "m", "n", "o" };
    struct cc_ops ops[15];
    struct cc_table t;
    (void)state;
    cc_table_init(&t);
    for (int i = 0; i < 15; i++) {
        ops[i] = (struct cc_ops){ .name = names[i] };
        assert_int_equal(cc_add(&t, &ops[i]), i < 14 ? 0 : -ENOSPC);
    }
}

/* RFC 5681 s3.1 (SHLD-cc-ssthresh-high). */
static void a_controller_starts_in_slow_start(void **state)
{
    struct cc cc = { .state = { 1, 2, 3 } };
    (void)state;
    cc_start(&cc, &cc_reno, 1460, 14600);
    assert_ptr_equal(cc.ops, &cc_reno);
    assert_int_equal(cc.mss, 1460);
    assert_int_equal(cc.cwnd, 14600);
    assert_int_equal(cc.ssthresh, 0xffffffff);
    assert_int_equal(cc.state[0], 0);
}

/* RFC 5681 s3.1 (MUST-cc-initial). RFC 6928 s2. */
static void the_initial_window_is_ten_segments_of_ethernet(void **state)
{
    static const struct {
        uint32_t mss, segments, window;
    } row[] = {
        { 1460, 10, 14600 },  { 536, 10, 5360 },
        { 1461, 10, 14600 },  { 7300, 10, 14600 },
        { 9000, 10, 18000 },  { 65495, 10, 130990 },
        { 1460, 1, 1460 },    { 1460, 32, 46720 },
        { 9000, 20, 180000 }, { 65495, 4000000, 1073741824 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        assert_int_equal(cc_initial_window(row[i].mss, row[i].segments), row[i].window);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_begins_with_reno_and_cubic),
        cmocka_unit_test(a_controller_of_ones_own_is_added_once),
        cmocka_unit_test(a_full_table_refuses),
        cmocka_unit_test(a_controller_starts_in_slow_start),
        cmocka_unit_test(the_initial_window_is_ten_segments_of_ethernet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
