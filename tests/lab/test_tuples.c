/* Connections are told apart by four numbers. */

#include "../../tools/lab/tuples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lab/measure.h"

/* RFC 9293 s3.3.1: a pair of sockets is a connection. */
static void who_looks_at_fewer_than_four_sees_fewer_connections(void **state)
{
    static const struct {
        const char *line;
        int apart;
    } row[] = {
        { "tuples", 5 },
        { "tuples look=all", 5 },
        { "tuples look=source-port", 2 },
        { "tuples look=source-address,destination-address", 3 },
        { "tuples look=source-address,source-port,destination-address", 4 },
        { "tuples look=source-address,source-port,destination-address,"
          "destination-port",
          5 },
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        assert_int_equal((int)measure(row[i].line), row[i].apart);
}

static void every_text_comes_to_the_connection_that_it_names(void **state)
{
    assert_int_equal((int)measure("tuples show=delivered"), 20);
    assert_int_equal((int)measure("tuples show=delivered rtt=10"), 20);
}

/* RFC 9293 s3.10.7.1. */
static void a_segment_of_no_connection_is_answered_by_a_reset(void **state)
{
    assert_int_equal((int)measure("tuples show=refused"), 1);
}

static void the_tables_have_connections_and_segments(void **state)
{
    struct experiment e;
    struct figure f;
    assert_true(experiment_run("tuples view=1", &e, &f));
    assert_non_null(strstr(e.view, "  1           192.0.2.1:40000       192.0.2.10:80\n"
                                   "  2           192.0.2.1:40001       192.0.2.10:80  "
                                   "       source-port\n"
                                   "  3           192.0.2.2:40000       192.0.2.10:80  "
                                   "       source-address\n"));
    assert_non_null(strstr(e.view, "  192.0.2.1:40009       192.0.2.10:80         P.   "
                                   "connection 1    nobody\n"));
    free(e.view);
}

static void an_element_that_there_is_not_is_refused(void **state)
{
    struct experiment e;
    struct figure f;
    assert_false(experiment_run("tuples look=source-port,colour", &e, &f));
    assert_string_equal(e.error, "unknown look= 'source-port,colour'");
    assert_int_equal(tuple_element("source-portal", 13), 0);
    assert_int_equal(tuple_element("source-port", 11), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_looks_at_fewer_than_four_sees_fewer_connections),
        cmocka_unit_test(every_text_comes_to_the_connection_that_it_names),
        cmocka_unit_test(a_segment_of_no_connection_is_answered_by_a_reset),
        cmocka_unit_test(the_tables_have_connections_and_segments),
        cmocka_unit_test(an_element_that_there_is_not_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
