#include "app/http_open.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <unistd.h>

#include "harness/hosts.h"
#include "harness/site.h"

static struct hosts h;
static struct tapir_error error;
static struct http_files files;

static int open_files(const char *dir, struct tapir_error *e)
{
    return http_open_files(&files, &(struct tapir_http_server){ .dir = dir }, e);
}

static int up(void **state)
{
    error = (struct tapir_error){ .what = "" };
    hosts_up(&h, 1, NULL);
    tapir_use(h.b);
    return 0;
}

static int down(void **state)
{
    tapir_use(NULL);
    hosts_down(&h);
    return 0;
}

static void a_listener_accepts_without_blocking(void **state)
{
    int fd = http_open_listener("192.0.2.2", 8080, &error);

    assert_true(fd >= 0);
    assert_int_equal(tapir_accept(fd, NULL, NULL), -1);
    assert_int_equal(errno, EAGAIN);
}

static void a_port_that_is_taken_is_told(void **state)
{
    hosts_listen(80);
    assert_int_equal(http_open_listener(NULL, 80, &error), -1);
    assert_int_equal(errno, EADDRINUSE);
    assert_string_equal(error.what, "cannot listen on port 80: Address already in use");
    assert_string_equal(error.cause, "something else listens on that port");
    assert_string_equal(error.fix, "stop it, or choose another port with --port");
}

static void an_address_of_somebody_else_is_told(void **state)
{
    assert_int_equal(http_open_listener("192.0.2.77", 80, &error), -1);
    assert_int_equal(errno, EADDRNOTAVAIL);
    assert_string_equal(error.cause, "the address is not one of this host's");
}

static void an_address_of_ip6_is_refused_by_our_own_stack(void **state)
{
    assert_int_equal(http_open_listener("::1", 80, &error), -1);
    assert_int_equal(errno, EAFNOSUPPORT);
    assert_string_equal(error.cause, "IPv6 is not built yet over our own stack");
    assert_string_equal(error.fix, "use an IPv4 address, or --link kernel");
}

static void a_word_that_is_no_address_is_told(void **state)
{
    assert_int_equal(http_open_listener("here", 80, &error), -1);
    assert_int_equal(errno, EINVAL);
    assert_string_equal(error.what, "bad address to listen on: Invalid argument");
    assert_string_equal(error.cause, "here");
}

static void an_error_need_not_be_wanted(void **state)
{
    assert_int_equal(http_open_listener("here", 80, NULL), -1);
    assert_int_equal(open_files("/nonexistent", NULL), -1);
    assert_int_equal(errno, ENOENT);
}

static void a_directory_is_opened(void **state)
{
    const char *dir = site_up();

    assert_int_equal(open_files(dir, &error), 0);
    http_files_close(&files);
    site_down();
}

static void a_directory_that_is_none_is_told(void **state)
{
    assert_int_equal(open_files("/nonexistent/directory", &error), -1);
    assert_int_equal(errno, ENOENT);
    assert_string_equal(error.what, "cannot serve /nonexistent/directory: No such file "
                                    "or directory");
    assert_int_equal(open_files("/proc/self/status", &error), -1);
    assert_int_equal(errno, ENOTDIR);
    assert_string_equal(error.cause, "a directory is served, not a file");
}

static void what_is_zero_gets_its_default(void **state)
{
    struct tapir_http_server c = { .idle_timeout = 5,
                                   .max_fields = 1000,
                                   .max_body = 7 };
    struct http_site site;

    http_fill_defaults(&c);
    assert_string_equal(c.dir, ".");
    assert_int_equal(c.port, 80);
    assert_int_equal(c.max_connections, 32768);
    assert_int_equal(c.head_timeout, 30000000);
    assert_int_equal(c.body_timeout, 60000000);
    assert_int_equal(c.idle_timeout, 5);
    assert_int_equal(c.send_timeout, 60000000);
    assert_int_equal(c.stop_fd, -1);
    assert_true(c.clock(NULL) > 1700000000);
    http_fill_site(&site, &c);
    assert_int_equal(site.limits.line, 8192);
    assert_int_equal(site.limits.head, 16384);
    assert_int_equal(site.limits.fields, 1000);
    assert_int_equal(site.max_body, 7);
    assert_int_equal(site.max_requests, 0);
}

static void a_format_of_the_log_has_a_name_or_is_one(void **state)
{
    const char *format = NULL;

    assert_int_equal(http_open_format(&format, &error), 0);
    assert_memory_equal(format, "$remote_addr - ", 15);
    format = "json";
    assert_int_equal(http_open_format(&format, &error), 0);
    assert_int_equal(format[0], '{');
    format = "$status of $request";
    assert_int_equal(http_open_format(&format, &error), 0);
    assert_string_equal(format, "$status of $request");
    format = "$status of $nothing";
    assert_int_equal(http_open_format(&format, &error), -1);
    assert_int_equal(errno, EINVAL);
    assert_string_equal(error.cause, "$nothing");
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, up, down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(what_is_zero_gets_its_default),
        WITH(a_format_of_the_log_has_a_name_or_is_one),
        WITH(a_listener_accepts_without_blocking),
        WITH(a_port_that_is_taken_is_told),
        WITH(an_address_of_somebody_else_is_told),
        WITH(an_address_of_ip6_is_refused_by_our_own_stack),
        WITH(a_word_that_is_no_address_is_told),
        WITH(an_error_need_not_be_wanted),
        WITH(a_directory_is_opened),
        WITH(a_directory_that_is_none_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
