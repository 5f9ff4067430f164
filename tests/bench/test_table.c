/* The bench's measurements become tables, for people and as JSON. */
#include "../../tools/bench/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct table_reader reader(const char *text)
{
    struct table_reader r = { .in = tmpfile() };
    assert_non_null(r.in);
    fputs(text, r.in);
    rewind(r.in);
    return r;
}

/* What `print` writes, to be freed. */
static char *written(const struct table *t, void (*print)(const struct table *, FILE *))
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    print(t, out);
    fclose(out);
    return text;
}

static const char two_rounds[] = "figure\tbulk\tGbit/s\tmore\tone flow\n"
                                 "subject\ta\tTapir\n"
                                 "subject\tb\tthe limit\n"
                                 "bar\tb\t0.7\n"
                                 "value\ta\t1\t10\n"
                                 "value\tb\t1\t40\n"
                                 "value\ta\t2\t30\n"
                                 "value\tb\t2\t20\n";

static void a_table_has_medians_spread_and_ratios_within_a_round(void **state)
{
    static struct table t;
    struct table_reader r = reader(two_rounds);
    assert_int_equal(table_read(&r, &t), TABLE_FIGURE);
    char *text = written(&t, table_print);
    assert_string_equal(
        text,
        "bulk: one flow (Gbit/s; more is better)\n"
        "                                    median       min       max  Tapir / this "
        "(its quartiles)\n"
        "  Tapir                               20.0      10.0      30.0\n"
        "  the limit                           30.0      20.0      40.0    0.88"
        "  (0.56..1.19)  at least 0.7: yes\n\n");
    free(text);
    assert_int_equal(table_read(&r, &t), TABLE_END);
    fclose(r.in);
}

static void the_machine_comes_first_and_tables_follow(void **state)
{
    static struct table t;
    struct table_reader r = reader("machine\t2 cores\n"
                                   "figure\tx\tus\tless\tfirst\nsubject\ta\tTapir\n"
                                   "figure\ty\tus\tmore\tsecond\nsubject\tb\tTapir\n");
    assert_int_equal(table_read(&r, &t), TABLE_MACHINE);
    assert_string_equal(r.machine, "2 cores");
    assert_int_equal(table_read(&r, &t), TABLE_FIGURE);
    assert_string_equal(t.name, "x");
    assert_true(t.less);
    assert_int_equal(table_read(&r, &t), TABLE_FIGURE);
    assert_string_equal(t.name, "y");
    assert_false(t.less);
    assert_int_equal(t.n, 1);
    assert_int_equal(table_read(&r, &t), TABLE_END);
    fclose(r.in);
}

static void what_is_missing_is_said_in_its_row(void **state)
{
    static struct table t;
    struct table_reader r = reader("figure\tx\t1/s\tmore\tanswers\n"
                                   "subject\ta\tTapir\nsubject\tb\tnginx\n"
                                   "missing\tb\tit is not installed\n"
                                   "value\ta\t1\t7\nmissing\ta\tit broke\n");
    assert_int_equal(table_read(&r, &t), TABLE_FIGURE);
    char *text = written(&t, table_print);
    assert_non_null(strstr(text, "nginx                         "
                                 "  none: it is not installed\n"));
    assert_non_null(strstr(text, "7.00  not in all rounds: it broke\n"));
    free(text);
    fclose(r.in);
}

/* The bar of the first subject is for its own median, of another for the ratio to it.
 */
static void bars_are_judged_by_the_way_that_is_better(void **state)
{
    static const struct {
        const char *better, *bar;
        int first, other;
    } row[] = {
        { "more", "bar\ta\t6\n", 1, 0 },   { "more", "bar\ta\t7\n", -1, 0 },
        { "less", "bar\ta\t6\n", 1, 0 },   { "less", "bar\ta\t5\n", -1, 0 },
        { "more", "bar\tb\t0.5\n", 0, 1 }, { "more", "bar\tb\t0.51\n", 0, -1 },
        { "less", "bar\tb\t0.5\n", 0, 1 }, { "less", "bar\tb\t0.49\n", 0, -1 },
        { "more", "bar\tc\t0.5\n", 0, 0 },
    };
    static struct table t;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        char text[256];
        snprintf(text, sizeof text,
                 "figure\tx\tus\t%s\tt\nsubject\ta\tA\nsubject\tb\tB\nsubject\tc\tC\n"
                 "value\ta\t1\t6\nvalue\tb\t1\t12\n%s",
                 row[i].better, row[i].bar);
        struct table_reader r = reader(text);
        assert_int_equal(table_read(&r, &t), TABLE_FIGURE);
        assert_int_equal(table_judges(&t, &t.subject[0]), row[i].first);
        assert_int_equal(table_judges(&t, &t.subject[1]), row[i].other);
        assert_int_equal(table_judges(&t, &t.subject[2]), 0);
        fclose(r.in);
    }
}

static void lines_that_are_no_measurements_are_refused(void **state)
{
    static const char *const bad[] = {
        "value\ta\t1\t2\n",
        "figure\tx\tus\tless\n",
        "figure\tx\tus\tbest\tt\n",
        "figure\tx\tus\tless\tt\nvalue\ta\t1\t2\n",
        "figure\tx\tus\tless\tt\nsubject\ta\tA\nsubject\ta\tB\n",
        "figure\tx\tus\tless\tt\nsubject\ta\tA\nvalue\ta\t0\t2\n",
        "figure\tx\tus\tless\tt\nsubject\ta\tA\nvalue\ta\t102\t2\n",
        "figure\tx\tus\tless\tt\nsubject\ta\tA\nvalue\ta\t1\t\n",
        "figure\tx\tus\tless\tt\nsubject\ta\tA\nvalue\ta\t1\t2x\n",
        "figure\tx\tus\tless\tt\nsubject\ta\tA\nvalue\ta\t1\t-2\n",
        "figure\tx\tus\tless\tt\nsubject\ta\tA\nnonsense\ta\t1\n",
        "figure\tx\tus\tless\tt\n\n",
        "machine\n",
        "figure\tx\tus\tless\tt\nsubject\t0123456789abcdef0123456789abcdef\tA\n",
    };
    static struct table t;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct table_reader r = reader(bad[i]);
        assert_int_equal(table_read(&r, &t), TABLE_BAD);
        fclose(r.in);
    }
}

static void a_table_has_eight_rows_at_most(void **state)
{
    char text[512] = "figure\tx\tus\tless\tt\n";
    static struct table t;
    for (char key = 'a'; key <= 'h'; key++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "subject\t%c\tT\n",
                 key);
    struct table_reader r = reader(text);
    assert_int_equal(table_read(&r, &t), TABLE_FIGURE);
    assert_int_equal(t.n, 8);
    fclose(r.in);
    strcat(text, "subject\ti\tT\n");
    r = reader(text);
    assert_int_equal(table_read(&r, &t), TABLE_BAD);
    assert_int_equal(r.number, 10);
    fclose(r.in);
}

/* RFC 8259 s7: quotation mark, reverse solidus and control characters are escaped. */
static void json_has_all_and_escapes_what_it_must(void **state)
{
    static struct table t;
    char text[512];
    snprintf(text, sizeof text, "%smissing\tb\tit said \"no\\\x01\"\n", two_rounds);
    struct table_reader r = reader(text);
    assert_int_equal(table_read(&r, &t), TABLE_FIGURE);
    char *json = written(&t, table_json);
    assert_string_equal(
        json, "{\"name\":\"bulk\",\"title\":\"one "
              "flow\",\"unit\":\"Gbit/s\",\"better\":\"more\","
              "\"subjects\":[{\"key\":\"a\",\"title\":\"Tapir\",\"values\":[10,30],"
              "\"median\":20,\"min\":10,\"low\":15,\"high\":25,\"max\":30},\n"
              "   {\"key\":\"b\",\"title\":\"the limit\",\"values\":[40,20],"
              "\"median\":30,\"min\":20,\"low\":25,\"high\":35,\"max\":40,"
              "\"ratio\":{\"median\":0.875,\"min\":0.25,\"low\":0.5625,\"high\":1.1875,"
              "\"max\":1.5},"
              "\"bar\":0.7,\"reached\":true,\"missing\":\"it said "
              "\\\"no\\\\\\u0001\\\"\"}]}");
    free(json);
    fclose(r.in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_has_medians_spread_and_ratios_within_a_round),
        cmocka_unit_test(the_machine_comes_first_and_tables_follow),
        cmocka_unit_test(what_is_missing_is_said_in_its_row),
        cmocka_unit_test(bars_are_judged_by_the_way_that_is_better),
        cmocka_unit_test(lines_that_are_no_measurements_are_refused),
        cmocka_unit_test(a_table_has_eight_rows_at_most),
        cmocka_unit_test(json_has_all_and_escapes_what_it_must),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
