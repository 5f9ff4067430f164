#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "harness/peer_ask.h"
#include "tcp/tcb.h"

static struct peer p;

static struct sock *connection(void)
{
    peer_init(&p);
    return peer_establish(&p, "<mss 1460,sackOK>");
}

static void end(struct sock *s)
{
    sock_close(s);
    peer_free(&p);
}

/* RFC 9293 s3.10.7.4, eighth: "advance RCV.NXT over the FIN, and send an
 * acknowledgment". */
static void a_fin_takes_one_number_and_is_acknowledged_at_once(void **state)
{
    struct sock *s = connection();
    peer_send(&p, "F. 1:1(0) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 2");
    assert_string_equal(peer_state(s), "CLOSE-WAIT");
    assert_int_equal(peer_read_result(s), 0);
    assert_int_equal(peer_read_result(s), 0);
    end(s);
}

/* RFC 9293 s3.6 (MUST-12), s3.10.7.4, seventh and eighth. Class: the FIN's own text is
 * lost, or the FIN is. */
static void a_fin_with_text_delivers_the_text_and_then_the_end(void **state)
{
    struct sock *s = connection();
    peer_send(&p, "FP. 1:101(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 102");
    assert_string_equal(peer_state(s), "CLOSE-WAIT");
    peer_read(&p, s, 100);
    assert_int_equal(peer_read_result(s), 0);
    end(s);
}

/* Class: text and FIN together, of which the second segment does not get to the user.
 */
static void text_and_then_text_with_fin_are_both_delivered(void **state)
{
    struct sock *s = connection();
    peer_send(&p, ". 1:1461(1460) ack 1 win 65535");
    peer_send(&p, "FP. 1461:1561(100) ack 1 win 65535");
    peer_skip(&p);
    peer_read(&p, s, 1560);
    assert_int_equal(peer_read_result(s), 0);
    end(s);
}

/* Class: a FIN among what is out of order: it counts only when the hole is filled. */
static void a_fin_beyond_a_hole_waits_for_the_hole_to_be_filled(void **state)
{
    struct sock *s = connection();
    peer_send(&p, "F. 101:101(0) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 1 <...>");
    assert_string_equal(peer_state(s), "ESTAB");
    assert_int_equal(peer_read_result(s), -EAGAIN);
    peer_send(&p, "P. 1:101(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 102");
    assert_string_equal(peer_state(s), "CLOSE-WAIT");
    peer_read(&p, s, 100);
    assert_int_equal(peer_read_result(s), 0);
    end(s);
}

/* The same after our own FIN: in FIN-WAIT-1 and -2. */
static void a_fin_beyond_a_hole_waits_after_our_own_fin(void **state)
{
    for (int acked = 0; acked < 2; acked++) {
        struct sock *s = connection();
        sock_shutdown(s, 1);
        peer_expect(&p, "F. 1:1(0) ack 1");
        if (acked)
            peer_send(&p, ". 1:1(0) ack 2 win 65535");
        peer_send(&p, acked ? "F. 101:101(0) ack 2 win 65535"
                            : "F. 101:101(0) ack 1 win 65535");
        peer_expect(&p, ". 2:2(0) ack 1 <...>");
        assert_string_equal(peer_state(s), acked ? "FIN-WAIT-2" : "FIN-WAIT-1");
        peer_send(&p, acked ? "P. 1:101(100) ack 2 win 65535"
                            : "P. 1:101(100) ack 1 win 65535");
        peer_expect(&p, ". 2:2(0) ack 102");
        assert_string_equal(peer_state(s), acked ? "TIME-WAIT" : "CLOSING");
        peer_read(&p, s, 100);
        assert_int_equal(peer_read_result(s), 0);
        end(s);
    }
}

/* The same with text in the FIN's segment. */
static void a_fin_with_text_beyond_a_hole_waits_too(void **state)
{
    struct sock *s = connection();
    peer_send(&p, "FP. 101:201(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 1 <sack 101:201>");
    assert_string_equal(peer_state(s), "ESTAB");
    peer_send(&p, "P. 1:101(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 202");
    peer_read(&p, s, 200);
    assert_int_equal(peer_read_result(s), 0);
    end(s);
}

/* The FIN comes beyond a hole twice, with text and alone. */
static void a_fin_beyond_a_hole_that_comes_again_counts_once(void **state)
{
    struct sock *s = connection();
    peer_send(&p, "FP. 101:201(100) ack 1 win 65535");
    peer_send(&p, "F. 201:201(0) ack 1 win 65535");
    peer_send(&p, "FP. 101:201(100) ack 1 win 65535");
    peer_send(&p, "F. 201:201(0) ack 1 win 65535");
    peer_skip(&p);
    peer_send(&p, "P. 1:101(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 202");
    assert_string_equal(peer_state(s), "CLOSE-WAIT");
    peer_read(&p, s, 200);
    assert_int_equal(peer_read_result(s), 0);
    end(s);
}

/* The text that was lost comes again, in one piece with the text and FIN behind it. */
static void a_fin_sent_again_in_a_larger_segment_counts(void **state)
{
    struct sock *s = connection();
    peer_send(&p, "P. 101:201(100) ack 1 win 65535");
    peer_skip(&p);
    peer_send(&p, "FP. 1:201(200) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 202");
    assert_string_equal(peer_state(s), "CLOSE-WAIT");
    peer_read(&p, s, 200);
    assert_int_equal(peer_read_result(s), 0);
    end(s);
}

/* RFC 9293 s3.10.7.4, eighth, CLOSE-WAIT: "Remain in the CLOSE-WAIT state". Class: a
 * FIN that was lost, or whose ACK was. */
static void a_fin_that_comes_again_is_acknowledged_again(void **state)
{
    struct sock *s = connection();
    peer_send(&p, "FP. 1:101(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 102");
    for (int i = 0; i < 3; i++) {
        peer_send(&p, "FP. 1:101(100) ack 1 win 65535");
        peer_expect(&p, ". 1:1(0) ack 102 <...>");
        peer_send(&p, "F. 101:101(0) ack 1 win 65535");
        peer_expect(&p, ". 1:1(0) ack 102 <...>");
    }
    assert_string_equal(peer_state(s), "CLOSE-WAIT");
    peer_read(&p, s, 100);
    assert_int_equal(peer_read_result(s), 0);
    end(s);
}

/* RFC 9293 s3.10.7.4, seventh: "This should not occur since a FIN has been received
 * from the remote side. Ignore the segment text." */
static void text_behind_a_fin_is_ignored_and_counted(void **state)
{
    struct sock *s = connection();
    peer_send(&p, "F. 1:1(0) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 2");
    peer_send(&p, "P. 2:102(100) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 2");
    assert_int_equal(peer_read_result(s), 0);
    assert_int_equal(peer_drops(&p, "TcpAfterFin"), 1);
    assert_string_equal(peer_state(s), "CLOSE-WAIT");
    end(s);
}

/* A second FIN behind the first does not move RCV.NXT. */
static void a_second_fin_behind_the_first_is_ignored(void **state)
{
    struct sock *s = connection();
    peer_send(&p, "F. 1:1(0) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 2");
    peer_send(&p, "F. 2:2(0) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 2");
    end(s);
}

/* The acknowledgment in a segment whose text comes too late still counts. */
static void the_ack_beside_text_behind_a_fin_counts(void **state)
{
    struct sock *s = connection();
    peer_send(&p, "F. 1:1(0) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 2");
    peer_write(&p, s, 100);
    peer_expect(&p, "P. 1:101(100) ack 2");
    peer_send(&p, "P. 2:102(100) ack 101 win 65535");
    peer_expect(&p, ". 101:101(0) ack 2");
    assert_int_equal(tcp_unsent(s->tcb), 0);
    end(s);
}

/* RFC 9293 s3.6, case 2: after the peer's FIN we may still send. */
static void text_may_be_sent_after_the_peers_fin(void **state)
{
    struct sock *s = connection();
    peer_send(&p, "F. 1:1(0) ack 1 win 65535");
    peer_expect(&p, ". 1:1(0) ack 2");
    peer_write(&p, s, 1000);
    peer_expect(&p, "P. 1:1001(1000) ack 2");
    peer_send(&p, ". 2:2(0) ack 1001 win 65535");
    assert_int_equal(tcp_unsent(s->tcb), 0);
    end(s);
}

/* What filled the hole and what waited behind it both count as received. */
static void bytes_that_waited_out_of_order_are_counted_as_received(void **state)
{
    struct sock *s = connection();
    peer_send(&p, "P. 101:201(100) ack 1 win 65535");
    assert_int_equal(s->tcb->bytes_received, 0);
    peer_send(&p, "P. 1:101(100) ack 1 win 65535");
    assert_int_equal(s->tcb->bytes_received, 200);
    peer_read(&p, s, 200);
    end(s);
}

/* RFC 9293 s3.10.7.4, seventh, FIN-WAIT-1 and FIN-WAIT-2 take text as well. */
static void text_is_taken_after_our_own_fin(void **state)
{
    struct sock *s = connection();
    sock_shutdown(s, 1);
    peer_expect(&p, "F. 1:1(0) ack 1");
    peer_send(&p, "P. 1:101(100) ack 1 win 65535");
    assert_string_equal(peer_state(s), "FIN-WAIT-1");
    peer_send(&p, "P. 101:201(100) ack 2 win 65535");
    assert_string_equal(peer_state(s), "FIN-WAIT-2");
    peer_send(&p, "FP. 201:301(100) ack 2 win 65535");
    assert_string_equal(peer_state(s), "TIME-WAIT");
    peer_read(&p, s, 300);
    assert_int_equal(peer_read_result(s), 0);
    end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fin_takes_one_number_and_is_acknowledged_at_once),
        cmocka_unit_test(a_fin_with_text_delivers_the_text_and_then_the_end),
        cmocka_unit_test(text_and_then_text_with_fin_are_both_delivered),
        cmocka_unit_test(a_fin_beyond_a_hole_waits_for_the_hole_to_be_filled),
        cmocka_unit_test(a_fin_beyond_a_hole_waits_after_our_own_fin),
        cmocka_unit_test(a_fin_with_text_beyond_a_hole_waits_too),
        cmocka_unit_test(a_fin_beyond_a_hole_that_comes_again_counts_once),
        cmocka_unit_test(a_fin_sent_again_in_a_larger_segment_counts),
        cmocka_unit_test(a_fin_that_comes_again_is_acknowledged_again),
        cmocka_unit_test(text_behind_a_fin_is_ignored_and_counted),
        cmocka_unit_test(a_second_fin_behind_the_first_is_ignored),
        cmocka_unit_test(the_ack_beside_text_behind_a_fin_counts),
        cmocka_unit_test(text_may_be_sent_after_the_peers_fin),
        cmocka_unit_test(bytes_that_waited_out_of_order_are_counted_as_received),
        cmocka_unit_test(text_is_taken_after_our_own_fin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
