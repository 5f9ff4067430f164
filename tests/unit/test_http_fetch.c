#include "app/http_fetch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static struct tapir_http_client client;
static struct tapir_http_result result;
static char told[2000];

static void on_talk(void *ctx, char mark, const char *line)
{
    size_t len = strlen(told);
    snprintf(told + len, sizeof told - len, "%c|%s\n", mark, line);
}

static struct http_fetch fresh(void)
{
    client = (struct tapir_http_client){ .options = { .talk = on_talk } };
    result = (struct tapir_http_result){ .code = 0 };
    told[0] = '\0';
    return (struct http_fetch){ .client = &client, .result = &result };
}

static void a_head_is_told_line_by_line_with_its_empty_one(void **state)
{
    struct http_fetch f = fresh();

    fetch_say_head(&f, '<', "HTTP/1.1 200 OK\r\nA: b\n\r\nrest", 28);
    assert_string_equal(told, "<|HTTP/1.1 200 OK\n<|A: b\n<|\n<|rest\n");
    client.options.talk = NULL;
    fetch_say(&f, '*', "nobody hears %d", 1);
}

static void a_failure_has_its_number_its_cause_and_its_fix(void **state)
{
    struct http_fetch f = fresh();

    assert_false(fetch_failed(&f, 52, "Empty reply from %s", "server"));
    assert_false(fetch_because(&f, "why", "what to do"));
    assert_int_equal(result.code, 52);
    assert_string_equal(result.error.what, "(52) Empty reply from server");
    assert_string_equal(result.error.cause, "why");
    assert_string_equal(result.error.fix, "what to do");
    fetch_forgive(&f);
    assert_int_equal(result.code, 0);
    assert_string_equal(result.error.what, "");
    assert_string_equal(result.error.cause, "");
}

static void a_step_has_its_number(void **state)
{
    struct http_fetch f = fresh();

    f.begin = tapir_now();
    fetch_step(&f, TAPIR_HTTP_PORT, "80");
    assert_memory_equal(told, "*|3 port       80 ", 18);
    assert_true(result.at[TAPIR_HTTP_PORT] >= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_is_told_line_by_line_with_its_empty_one),
        cmocka_unit_test(a_failure_has_its_number_its_cause_and_its_fix),
        cmocka_unit_test(a_step_has_its_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
