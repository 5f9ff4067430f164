/* A request's body and the answer at once, between two hosts in virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "harness/web.h"

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
#define GO "HTTP/1.1 100 Continue\r\n\r\n"
#define NO "HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno"

enum { BIG = 2000000 };

static char big[BIG];

static int post(void **state)
{
    web_clean(state);
    memset(big, 'x', sizeof big);
    web.options.data = big;
    web.options.data_len = 3;
    web.script[0].hold = true;
    return 0;
}

static void a_small_body_goes_at_once(void **state)
{
    web_fetch(OK);
    assert_int_equal(web.result[0].code, 0);
    assert_int_equal(web.result[0].sent, 3);
    assert_string_equal(strstr(web.requests, "\r\n\r\n"), "\r\n\r\nxxx");
    assert_null(strstr(web.requests, "Expect"));
}

/* RFC 9110 s10.1.1 */
static void a_large_body_waits_for_its_100(void **state)
{
    web.options.data_len = BIG;
    web.script[0].heads_only = true;
    web_fetch(GO OK);
    assert_int_equal(web.result[0].status, 200);
    assert_non_null(strstr(web.requests, "Expect: 100-continue\r\n"));
    assert_true(web.result[0].end < 1000000);
}

static void but_no_longer_than_a_second(void **state)
{
    web.options.data_len = BIG;
    web_fetch(OK);
    assert_int_equal(web.result[0].status, 200);
    assert_int_equal(web.result[0].sent, BIG);
    assert_true(web.result[0].at[TAPIR_HTTP_SEND] >= 1000000);
    assert_non_null(strstr(web.talk, "no 100 (Continue) within a second"));
}

static void a_refusal_keeps_the_body_back(void **state)
{
    web.options.data_len = BIG;
    web.script[0].heads_only = true;
    web_fetch(NO);
    assert_int_equal(web.result[0].code, 0);
    assert_int_equal(web.result[0].status, 413);
    assert_string_equal(web.body, "no");
    assert_int_equal(web.result[0].sent, 0);
    assert_true(web.result[0].end < 100000);
}

/* RFC 9112 s9.5: the client hears the answer, and the connection carries nothing more.
 */
static void an_early_refusal_ends_the_sending(void **state)
{
    static const char *const fields[] = { "Expect:" };

    web.options.headers = fields;
    web.options.n_headers = 1;
    web.options.data_len = BIG;
    web.n_scripts = 2;
    web.script[0] = (struct web_script){ .answer = { NO }, .heads_only = true };
    web.script[1] = (struct web_script){ .answer = { OK } };
    web.urls[0] = web.urls[1] = "http://192.0.2.2/a";
    web_run();
    assert_int_equal(web.result[0].status, 413);
    assert_true(web.result[0].sent < BIG);
    assert_int_equal(web.result[1].code, 0);
    assert_false(web.result[1].reused);
}

/* RFC 9110 s15.5.18 */
static void a_server_that_knows_no_expect_is_asked_without(void **state)
{
    web.options.data_len = BIG;
    web.n_scripts = 2;
    web.script[0] = (struct web_script){
        .answer = { "HTTP/1.1 417 What\r\nContent-Length: 2\r\n\r\nno" },
        .heads_only = true,
        .hold = true
    };
    web.script[1] = (struct web_script){ .answer = { OK }, .hold = true };
    web.urls[0] = "http://192.0.2.2/a";
    web_run();
    assert_int_equal(web.result[0].status, 200);
    assert_string_equal(web.body, "hello");
    assert_null(strstr(strstr(web.requests + 1, "POST /a"), "Expect"));
}

/* RFC 9110 s9.2.2 */
static void a_post_that_is_lost_is_not_sent_again(void **state)
{
    web.n_scripts = 1; /* another connection would be refused */
    web.script[0] = (struct web_script){ .answer = { OK, "" } };
    web.urls[0] = web.urls[1] = "http://192.0.2.2/a";
    web_run();
    assert_int_equal(web.result[1].code, 52);
    assert_int_equal(web.n_requests, 2);
}

static void tcps_own_figures_come_with_the_answer(void **state)
{
    web_fetch(OK);
    /* established; the round trip is 20 ms, and 40 for a SYN that waits for ARP */
    assert_int_equal(web.result[0].tcp.state, 1);
    assert_true(web.result[0].tcp.srtt >= 20000 && web.result[0].tcp.srtt < 40000);
    assert_true(web.result[0].tcp.cwnd_max >= 10);
    assert_int_equal(web.result[0].tcp.retrans, 0);
    assert_true(web.result[0].tcp.segs_out >= 3 && web.result[0].tcp.segs_in >= 2);
    assert_true(web.result[0].first_byte >= web.result[0].at[TAPIR_HTTP_CONNECT]);
}

#define POST(test) cmocka_unit_test_setup(test, post)

int main(void)
{
    const struct CMUnitTest tests[] = {
        POST(a_small_body_goes_at_once),
        POST(a_large_body_waits_for_its_100),
        POST(but_no_longer_than_a_second),
        POST(a_refusal_keeps_the_body_back),
        POST(an_early_refusal_ends_the_sending),
        POST(a_server_that_knows_no_expect_is_asked_without),
        POST(a_post_that_is_lost_is_not_sent_again),
        POST(tcps_own_figures_come_with_the_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
