/* Messages in segments, and these in packets. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lab/measure.h"

/* RFC 6691: the MSS counts options, too. */
static void a_segment_has_room_for_the_mss_less_its_options(void **state)
{
    static const struct {
        const char *line;
        int segments;
    } row[] = {
        { "segments size=1448 bare=1", 1 },
        { "segments size=1449 bare=1", 2 },
        { "segments size=1460 bare=1 ts=0", 1 },
        { "segments size=1461 bare=1 ts=0", 2 },
        { "segments size=14600 bare=1", 11 },
        { "segments size=100000 mss=536", 191 },
        { "segments size=524 mss=536 bare=1", 1 },
        { "segments size=525 mss=536 bare=1", 2 },
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        assert_int_equal((int)measure(row[i].line), row[i].segments);
}

static void each_packet_has_forty_bytes_of_headers_and_twelve_of_options(void **state)
{
    assert_int_equal((int)measure("segments size=1 bare=1 show=bytes"), 53);
    assert_int_equal((int)measure("segments size=1 bare=1 ts=0 show=bytes"), 41);
    assert_int_equal((int)measure("segments size=14600 bare=1 show=bytes"), 15172);
    assert_true(near(measure("segments size=1 bare=1 show=overhead"), 98.113, 0.001));
    assert_true(near(measure("segments size=100000 show=overhead"), 3.511, 0.001));
    assert_true(
        near(measure("segments size=100000 show=overhead mss=536"), 9.031, 0.001));
}

static void the_picture_has_segments_and_the_bytes_of_a_packet(void **state)
{
    struct experiment e;
    struct figure f;
    assert_true(experiment_run("segments size=3000 view=1", &e, &f));
    assert_non_null(strstr(e.view, "  message: 3041 bytes, head 41 and body 3000\n"));
    assert_non_null(strstr(e.view, "        1  1:1449           20 + 20 + 12 + 1448 = "
                                   "1500    3.5 %  HTTP/1.1 200 OK..Content\n"));
    assert_non_null(strstr(e.view, "        3  2897:3042        20 + 20 + 12 +  145 =  "
                                   "197   26.4 %  vwxyzabcdefghijklmnopqrs\n"));
    assert_non_null(strstr(e.view, "    45            version 4, header length 5 words "
                                   "of 4 bytes\n"));
    assert_non_null(strstr(e.view, "    05 dc         total length 1500\n"));
    assert_non_null(strstr(e.view, "    c0 00 02 02   source 192.0.2.2\n"));
    assert_non_null(strstr(e.view, "    00 50         source port 80\n"));
    assert_non_null(strstr(e.view, "    10            flags ACK\n"));
    free(e.view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_segment_has_room_for_the_mss_less_its_options),
        cmocka_unit_test(each_packet_has_forty_bytes_of_headers_and_twelve_of_options),
        cmocka_unit_test(the_picture_has_segments_and_the_bytes_of_a_packet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
