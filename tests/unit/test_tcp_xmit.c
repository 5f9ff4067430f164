/* Segments as bytes: header, options, checksum, and the segments that no connection
 * sends (RFC 9293 s3.1, s3.5.2). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "harness/peer_up.h"

enum { TCP_AT = 34 }; /* behind Ethernet's 14 and IP's 20 bytes */

static uint16_t be16(const uint8_t *b)
{
    return (uint16_t)(b[0] << 8 | b[1]);
}

static uint32_t be32(const uint8_t *b)
{
    return (uint32_t)be16(b) << 16 | be16(b + 2);
}

/* RFC 1071 over pseudo-header, header and text, byte by byte: 0xffff when right. */
static uint16_t sum_of(const uint8_t *frame, size_t len)
{
    uint32_t sum = 6 + (uint32_t)(len - TCP_AT);
    for (size_t i = 26; i < len; i++)
        sum += i % 2 ? frame[i] : (uint32_t)frame[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

/* RFC 9293 s3.1 (MUST-2), figure 1, field by field. */
static void a_segment_of_text_has_this_header(void **state)
{
    struct peer p;
    uint8_t b[200];
    (void)state;
    peer_init(&p);
    struct sock *s = peer_up(&p);
    peer_write(&p, s, 5);
    size_t len = peer_take(&p, b, sizeof b);
    const uint8_t *h = b + TCP_AT;
    assert_int_equal(len, 14 + 20 + 20 + 5);
    assert_int_equal(b[23], 6); /* the IP header's protocol */
    assert_int_equal(be16(h), 80);
    assert_int_equal(be16(h + 2), 40000);
    assert_int_equal(be32(h + 4), p.at->stack_isn.n + 1);
    assert_int_equal(be32(h + 8), 0xfffffc01u); /* PEER_ISN + 1 */
    assert_int_equal(h[12], 5 << 4);
    assert_int_equal(h[13], 0x18); /* PSH ACK */
    assert_int_equal(be16(h + 14), 65535);
    assert_int_equal(sum_of(b, len), 0xffff);
    assert_int_equal(be16(h + 18), 0);
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(h[20 + i], peer_byte(i));
    peer_free(&p);
}

/* Kinds 2, 4, 8, 1, 3; RFC 9293 s3.1 (MUST-4), RFC 7323 s2.2, s3.2, RFC 2018 s2. */
static void a_syn_has_these_options(void **state)
{
    struct peer p;
    uint8_t b[200];
    (void)state;
    peer_init(&p);
    peer_connect(&p, 5000);
    size_t len = peer_take(&p, b, sizeof b);
    const uint8_t *o = b + TCP_AT + 20;
    assert_int_equal(len, TCP_AT + 40);
    assert_int_equal(b[TCP_AT + 12], 10 << 4);
    assert_int_equal(b[TCP_AT + 13], 0x02);
    assert_int_equal(be32(b + TCP_AT + 8), 0); /* no ACK, no number */
    assert_memory_equal(o, "\x02\x04\x05\xb4\x04\x02\x08\x0a", 8);
    assert_int_equal(be32(o + 12), 0);
    assert_memory_equal(o + 16, "\x01\x03\x03\x07", 4);
    assert_int_equal(sum_of(b, len), 0xffff);
    peer_free(&p);
}

/* Text that wraps in the send buffer's ring is two pieces, odd lengths among them. */
static void text_in_two_pieces_is_summed_as_one(void **state)
{
    struct peer p;
    uint8_t b[2000];
    uint32_t ack = 1;
    (void)state;
    peer_init(&p);
    struct sock *s = peer_up(&p);
    for (uint32_t n = 0; n < 200; n++) {
        uint32_t size = 301 + n * 3;
        size_t len;
        peer_write(&p, s, size);
        ack += size;
        while ((len = peer_take(&p, b, sizeof b)) > 0) {
            uint32_t at = be32(b + TCP_AT + 4) - p.at->stack_isn.n - 1;
            assert_int_equal(sum_of(b, len), 0xffff);
            for (size_t i = 0; i < len - TCP_AT - 20; i++)
                assert_int_equal(b[TCP_AT + 20 + i], peer_byte(at + (uint32_t)i));
        }
        peer_ack(&p, ack, "");
    }
    peer_free(&p);
}

/* --- a link that cuts and sums by itself --- */

static struct {
    uint32_t bytes, gso_size, offset;
    uint16_t field, sum;
    enum pkt_csum csum;
} handed;

static int take_whole(struct link *link, const struct pkt *p)
{
    (void)link;
    handed.bytes = (uint32_t)pkt_total(p);
    handed.gso_size = p->gso_size;
    handed.csum = p->csum;
    handed.offset = (uint32_t)(p->csum_at - p->data);
    handed.field = p->csum_field;
    handed.sum = be16(p->csum_at + p->csum_field);
    return 0;
}

static void an_offloading_link_gets_the_whole_and_the_pseudo_headers_sum(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    struct sock *s = peer_up(&p);
    p.link.caps = LINK_CSUM | LINK_TSO;
    p.link.send = take_whole;
    peer_write(&p, s, 9999);
    assert_int_equal(handed.bytes, 54 + 9999);
    assert_int_equal(handed.gso_size, 1000);
    assert_int_equal(handed.csum, PKT_CSUM_PARTIAL);
    assert_int_equal(handed.offset, 34);
    assert_int_equal(handed.field, 16);
    /* c000 + 0202 + c000 + 0201 + 6 + (20 + 9999 = 2723), folded */
    assert_int_equal(handed.sum, 0xab2d);
    peer_write(&p, s, 1);
    peer_free(&p);
}

static void a_single_segment_is_not_to_be_cut(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    struct sock *s = peer_up(&p);
    p.link.caps = LINK_CSUM | LINK_TSO;
    p.link.send = take_whole;
    peer_write(&p, s, 1000);
    assert_int_equal(handed.bytes, 1054);
    assert_int_equal(handed.gso_size, 0);
    peer_free(&p);
}

/* --- segments that no connection sends --- */

/* RFC 9293 s3.5.2, group 1: believable to whoever sent the segment. */
static void a_segment_for_nobody_is_reset(void **state)
{
    static const struct {
        const char *segment, *rst;
    } row[] = {
        { ". 10:10(0) ack 77 win 1", "R 77:77(0)" },
        { "FP. 10:20(10) ack 77 win 1", "R 77:77(0)" },
        { "S 10:10(0) win 1", "R. 0:0(0) ack 11" },
        { "SF 10:20(10) win 1", "R. 0:0(0) ack 22" },
        { "- 10:20(10) win 1", "R. 0:0(0) ack 20" },
        { "R 10:10(0) win 1", NULL },
        { "R. 10:10(0) ack 77 win 1", NULL },
    };
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct peer p;
        peer_init(&p);
        p.at->stack_port = 80;
        peer_send(&p, row[i].segment);
        if (row[i].rst)
            peer_expect(&p, row[i].rst);
        peer_expect_nothing(&p);
        assert_int_equal(peer_count(&p, "TcpOutRsts"), row[i].rst != NULL);
        peer_free(&p);
    }
}

/* RFC 9293 s3.10.5: <SEQ=SND.NXT><CTL=RST>, with the ACK. */
static void an_abort_resets_at_snd_nxt(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    struct sock *s = peer_up(&p);
    peer_write(&p, s, 100);
    peer_expect(&p, "P. 1:101(100) ack 1");
    peer_linger_zero(s);
    sock_close(s);
    peer_expect(&p, "R. 101:101(0) ack 1 win 0");
    peer_free(&p);
}

/* RFC 7323 s3.2: "SHOULD be sent in an <RST> segment" of a connection that has them. */
static void an_abort_is_stamped(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    struct sock *s = peer_up_win(&p, "<mss 1000,sackOK,TS val 90 ecr 0>", 65535);
    peer_wait(&p, 7 * MS);
    peer_linger_zero(s);
    sock_close(s);
    peer_expect(&p, "R. 1:1(0) ack 1 win 0 <TS val 107 ecr 100>");
    peer_free(&p);
}

/* ACKs and RSTs free memory: a part of the pool is kept for them. */
static void without_a_buffer_a_segment_is_a_loss_that_is_counted(void **state)
{
    struct peer p;
    (void)state;
    peer_init(&p);
    struct sock *s = peer_up(&p);
    size_t limit = p.st->net.pool.limit;
    p.st->net.pool.limit = p.st->net.pool.bytes;
    peer_write(&p, s, 100);
    peer_expect_nothing(&p);
    assert_int_equal(peer_drops(&p, drop_name(DROP_NO_BUFFER)), 1);
    p.st->net.pool.limit = limit;
    peer_expect_after(&p, 300 * MS, "P. 1:101(100) ack 1");
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_segment_of_text_has_this_header),
        cmocka_unit_test(a_syn_has_these_options),
        cmocka_unit_test(text_in_two_pieces_is_summed_as_one),
        cmocka_unit_test(an_offloading_link_gets_the_whole_and_the_pseudo_headers_sum),
        cmocka_unit_test(a_single_segment_is_not_to_be_cut),
        cmocka_unit_test(a_segment_for_nobody_is_reset),
        cmocka_unit_test(an_abort_resets_at_snd_nxt),
        cmocka_unit_test(an_abort_is_stamped),
        cmocka_unit_test(without_a_buffer_a_segment_is_a_loss_that_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
