#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "harness/nethost.h"
#include "wire/icmp_wire.h"

#define SEC ((usec)1000000)

/* Our UDP datagram from port 5000 to the peer's port 9, and the peer's to our
 * port 7. */
#define OURS   "4500001e000040004011b6cbc0000202c0000201 13880009000affdb 6869"
#define THEIRS "4500001f000040004011b6cac0000201c0000202 00090007000bb761 616263"

#define TO_PEER "020000000001 020000000002 0800"

static struct pkt *from_peer(struct nethost *h, const char *hex, struct ip_info *ip)
{
    *ip = (struct ip_info){ .nif = &h->nif,
                            .src = nethost_ip("192.0.2.1"),
                            .dst = nethost_ip("192.0.2.2"),
                            .proto = 1,
                            .ttl = 64,
                            .header_len = 20 };
    return nethost_hex(h, hex);
}

/* An ICMP message from the peer: `head` is type, code, 0000 and four bytes, `rest` what
 * follows; the checksum is put in. */
static enum icmp_found input(struct nethost *h, const char *head, const char *rest,
                             struct net_error *err)
{
    char hex[2048];
    struct ip_info ip;
    size_t n = 0;

    for (const char *from = head; *from; from++)
        hex[n++] = *from;
    for (const char *from = rest; *from; from++)
        hex[n++] = *from;
    hex[n] = 0;
    struct pkt *p = from_peer(h, hex, &ip);
    uint32_t sum = 0;
    for (size_t i = 0; i < p->len; i++)
        sum += i % 2 ? p->data[i] : (uint32_t)p->data[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    p->data[2] = (uint8_t)(~sum >> 8);
    p->data[3] = (uint8_t)~sum;
    return icmp_input(&h->net, &ip, p, err);
}

/* RFC 1122 s3.2.2.6 (MUST-icmp-echo, MUST-icmp-echo-source, MUST-icmp-echo-data):
 * addresses exchanged, data and identifiers returned, its TOS. */
static void an_echo_is_answered(void **state)
{
    struct nethost *h = *state;
    struct ip_info ip;
    struct net_error err;
    struct pkt *p = from_peer(h, "0800f8260007000170696e6721", &ip);

    ip.tos = 0x23;
    nethost_know_peer(h);
    assert_int_equal(icmp_input(&h->net, &ip, p, &err), ICMP_TAKEN);
    assert_frame(h, TO_PEER "45200021000040004001b6b8c0000202c0000201"
                            "000000270007000170696e6721");
    assert_int_equal(h->net.count.n[COUNT_IcmpInEchos], 1);
    assert_int_equal(h->net.count.n[COUNT_IcmpOutEchoReps], 1);
    assert_int_equal(h->net.count.n[COUNT_IcmpOutMsgs], 1);
}

/* RFC 1122 s3.2.2.6: a broadcast echo MAY be discarded. */
static void an_echo_to_a_broadcast_or_unwanted_is_not_answered(void **state)
{
    struct nethost *h = *state;
    struct ip_info ip;
    struct net_error err;
    struct pkt *p = from_peer(h, "0800f8260007000170696e6721", &ip);

    nethost_know_peer(h);
    ip.broadcast = true;
    ip.dst = nethost_ip("192.0.2.255");
    icmp_input(&h->net, &ip, p, &err);
    h->net.config.icmp_echo_ignore_all = true;
    p = from_peer(h, "0800f8260007000170696e6721", &ip);
    icmp_input(&h->net, &ip, p, &err);
    assert_int_equal(h->net.count.drop[DROP_ICMP_TYPE], 2);
}

static void an_answer_that_the_link_does_not_take_is_counted(void **state)
{
    struct nethost *h = *state;
    struct ip_info ip;
    struct net_error err;
    struct pkt *p = from_peer(h, "0800f8260007000170696e6721", &ip);

    nethost_know_peer(h);
    h->wire.takes = 0;
    icmp_input(&h->net, &ip, p, &err);
    assert_int_equal(h->net.count.drop[DROP_LINK_BUSY], 1);
}

/* RFC 1122 s3.2.2.6 (MUST-icmp-echo-up). */
static void an_echo_reply_is_handed_up(void **state)
{
    struct nethost *h = *state;
    struct ip_info ip;
    struct net_error err;
    struct pkt *p = from_peer(h, "000000270007000170696e6721", &ip);

    assert_int_equal(icmp_input(&h->net, &ip, p, &err), ICMP_REPLY);
    assert_bytes(p->data, p->len, "000000270007000170696e6721");
    assert_int_equal(h->net.count.n[COUNT_IcmpInEchoReps], 1);
    pkt_free(p);
}

static void a_malformed_message_is_dropped(void **state)
{
    struct nethost *h = *state;
    struct ip_info ip;
    struct net_error err;

    struct pkt *p = from_peer(h, "08002600000700", &ip);
    assert_int_equal(icmp_input(&h->net, &ip, p, &err), ICMP_TAKEN);
    p = from_peer(h, "0800f9260007000170696e6721", &ip);
    assert_int_equal(icmp_input(&h->net, &ip, p, &err), ICMP_TAKEN);
    assert_int_equal(h->net.count.drop[DROP_ICMP_SHORT], 1);
    assert_int_equal(h->net.count.drop[DROP_ICMP_CKSUM], 1);
}

/* RFC 9293 s3.9.2.2 (MUST-55). RFC 6633 s3
 * (source quench), RFC 1122 s3.2.2 (MUST-icmp-unknown). */
static void messages_that_ask_nothing_of_us_are_counted(void **state)
{
    static const char *const row[] = { "0400000000000000", "1100000000000000",
                                       "0d00000000000000", "2a00000000000000" };
    struct nethost *h = *state;
    struct net_error err;

    for (size_t i = 0; i < 4; i++)
        assert_int_equal(input(h, row[i], OURS, &err), ICMP_TAKEN);
    assert_int_equal(h->net.count.drop[DROP_ICMP_TYPE], 4);
}

/* RFC 1122 s3.2.2.5 (MUST-icmp-parameter-up), s3.2.2.4 (MUST-icmp-exceeded-up),
 * s3.2.2.1 (MUST-icmp-unreachable-up), with Linux's errno and its notion of what is
 * fatal. */
static void an_error_becomes_the_errno_of_linux(void **state)
{
    static const struct {
        const char *head;
        int error;
        bool hard;
        uint16_t mtu;
    } row[] = {
        { "0300000000000000", -ENETUNREACH, false, 0 },
        { "0301000000000000", -EHOSTUNREACH, false, 0 },
        { "0302000000000000", -ENOPROTOOPT, true, 0 },
        { "0303000000000000", -ECONNREFUSED, true, 0 },
        { "0304000000000578", -EMSGSIZE, false, 1400 },
        { "0305000000000000", -EOPNOTSUPP, false, 0 },
        { "0306000000000000", -ENETUNREACH, true, 0 },
        { "0307000000000000", -EHOSTDOWN, true, 0 },
        { "0308000000000000", -ENONET, true, 0 },
        { "0309000000000000", -ENETUNREACH, true, 0 },
        { "030a000000000000", -EHOSTUNREACH, true, 0 },
        { "030b000000000000", -ENETUNREACH, false, 0 },
        { "030c000000000000", -EHOSTUNREACH, false, 0 },
        { "030d000000000000", -EHOSTUNREACH, true, 0 },
        { "030e000000000000", -EHOSTUNREACH, true, 0 },
        { "030f000000000000", -EHOSTUNREACH, true, 0 },
        { "0b00000000000000", -EHOSTUNREACH, false, 0 },
        { "0c00000000000000", -EPROTO, true, 0 },
    };
    struct nethost *h = *state;

    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct net_error err;
        assert_int_equal(input(h, row[i].head, OURS, &err), ICMP_ERROR);
        assert_int_equal(err.error, row[i].error);
        assert_int_equal(err.hard, row[i].hard);
        assert_int_equal(err.mtu, row[i].mtu);
        assert_int_equal(err.proto, 17);
        assert_int_equal(err.src_port, 5000);
        assert_int_equal(err.dst_port, 9);
        assert_true(ip_eq(err.src, nethost_ip("192.0.2.2")));
        assert_true(ip_eq(err.dst, nethost_ip("192.0.2.1")));
    }
    assert_int_equal(h->net.count.n[COUNT_IcmpInDestUnreachs], 16);
    assert_int_equal(h->net.count.n[COUNT_IcmpInTimeExcds], 1);
    struct net_error err;
    assert_int_equal(input(h, "0310000000000000", OURS, &err), ICMP_TAKEN);
    assert_int_equal(h->net.count.drop[DROP_ICMP_TYPE], 1);
}

/* RFC 1122 s3.2.2 (MUST-icmp-demux). RFC 792: the first 8 bytes behind the IP header
 * are enough. */
static void the_quoted_packet_tells_whom_it_concerns(void **state)
{
    struct nethost *h = *state;
    struct net_error err;

    assert_int_equal(input(h, "0303000000000000",
                           "45000028000040004006b6ccc0000202c0000201"
                           "00509c4011223344",
                           &err),
                     ICMP_ERROR);
    assert_int_equal(err.proto, 6);
    assert_int_equal(err.src_port, 80);
    assert_int_equal(err.dst_port, 40000);
    assert_true(seq_eq(err.seq, seq_at(0x11223344)));
    assert_int_equal(input(h, "0301000000000000",
                           "4500001c000040004001b6ddc0000202c0000201"
                           "0800f7f700070001",
                           &err),
                     ICMP_ERROR);
    assert_int_equal(err.proto, 1);
    assert_int_equal(err.src_port, 7);
}

static void an_error_about_no_packet_of_ours_is_not_believed(void **state)
{
    static const struct {
        const char *quote;
        enum drop why;
    } row[] = {
        /* not from us */
        { THEIRS, DROP_ICMP_QUOTE },
        { "4500001e000040004011b6cbc0000203c0000201 1388000900080000",
          DROP_ICMP_QUOTE },
        /* seven bytes; none at all; a header that lies */
        { "4500001e000040004011b6cbc0000202c0000201 13880009000aff", DROP_ICMP_SHORT },
        { "", DROP_ICMP_SHORT },
        { "4600001e000040004011b6cbc0000202c0000201 1388000900080000",
          DROP_ICMP_SHORT },
        { "4400001e000040004011b6cbc0000202c0000201 1388000900080000",
          DROP_ICMP_SHORT },
        { "6500001e000040004011b6cbc0000202c0000201 1388000900080000",
          DROP_ICMP_SHORT },
        /* a later fragment: those bytes are no ports */
        { "4500001e000000014011b6cbc0000202c0000201 1388000900080000",
          DROP_ICMP_SHORT },
    };
    struct nethost *h = *state;

    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct net_error err;
        uint64_t before = h->net.count.drop[row[i].why];
        assert_int_equal(input(h, "0303000000000000", row[i].quote, &err), ICMP_TAKEN);
        assert_int_equal(h->net.count.drop[row[i].why], before + 1);
    }
}

/* --- errors that we send -------------------------------------------------------- */

/* Sends port unreachable about a packet from the peer. */
static void answer(struct nethost *h, const char *packet, struct ip_info *change)
{
    struct ip_info ip;
    struct pkt *p = from_peer(h, packet, &ip);

    pkt_pull(p, 20);
    ip.proto = change ? change->proto : 17;
    ip.broadcast = change && change->broadcast;
    icmp_send_error(&h->net, &ip, p, 3, 3);
    pkt_free(p);
}

/* RFC 1122 s3.2.2 (MUST-icmp-quote): header and 8 bytes at least; here all of it. */
static void an_error_quotes_the_packet(void **state)
{
    struct nethost *h = *state;

    nethost_know_peer(h);
    answer(h, THEIRS, NULL);
    assert_frame(h, TO_PEER "4500003b000040004001b6bec0000202c0000201"
                            "0303811d00000000" THEIRS);
    assert_int_equal(h->net.count.n[COUNT_IcmpOutDestUnreachs], 1);
    assert_int_equal(h->net.count.n[COUNT_IcmpOutMsgs], 1);
}

/* RFC 1812 s4.3.2.3: 576 bytes at most. */
static void a_long_packet_is_quoted_in_part(void **state)
{
    struct nethost *h = *state;
    struct ip_info ip;
    struct pkt *p = from_peer(h, THEIRS, &ip);

    nethost_know_peer(h);
    uint8_t *more = pkt_put(p, 1000);
    for (size_t i = 0; i < 1000; i++)
        more[i] = 0;
    pkt_pull(p, 20);
    ip.proto = 17;
    icmp_send_error(&h->net, &ip, p, 3, 3);
    pkt_free(p);
    struct pkt *frame = wirelink_pop(&h->wire);
    assert_int_equal(frame->len, 14 + 576);
    pkt_free(frame);
}

/* RFC 1122 s3.2.2 (MUST-icmp-not-error, MUST-icmp-not-broadcast). */
static void no_error_is_sent_about_an_error_or_a_broadcast(void **state)
{
    static const char *const error[] = { "03", "04", "05", "0b", "0c" };
    struct nethost *h = *state;
    struct ip_info icmp = { .proto = 1 };
    struct ip_info broadcast = { .proto = 17, .broadcast = true };

    nethost_know_peer(h);
    for (size_t i = 0; i < 5; i++) {
        char hex[64] = "4500001c000040004001b6ddc0000201c0000202";
        hex[40] = error[i][0];
        hex[41] = error[i][1];
        answer(h, hex, &icmp);
    }
    answer(h, "4500001c000040004001b6ddc0000201c0000202", &icmp);
    answer(h, THEIRS, &broadcast);
    assert_silence(h);
    answer(h, "4500001c000040004001b6ddc0000201c0000202 0800", &icmp);
    assert_int_equal(h->wire.sent.n, 1);
    wirelink_clear(&h->wire);
}

/* RFC 1812 s4.3.2.8: a bucket of 50, refilled with 1000 a second. */
static void errors_are_limited_by_a_bucket(void **state)
{
    struct nethost *h = *state;

    nethost_know_peer(h);
    for (int i = 0; i < 60; i++)
        answer(h, THEIRS, NULL);
    assert_int_equal(h->wire.sent.n, 50);
    assert_int_equal(h->net.count.drop[DROP_ICMP_RATE], 10);
    wirelink_clear(&h->wire);
    h->net.now = 999;
    answer(h, THEIRS, NULL);
    assert_silence(h);
    h->net.now = 1500;
    answer(h, THEIRS, NULL);
    h->net.now = 2000;
    answer(h, THEIRS, NULL);
    answer(h, THEIRS, NULL);
    assert_int_equal(h->wire.sent.n, 2);
    wirelink_clear(&h->wire);
    h->net.now = 20 * SEC;
    for (int i = 0; i < 60; i++)
        answer(h, THEIRS, NULL);
    assert_int_equal(h->wire.sent.n, 50);
    wirelink_clear(&h->wire);
}

static void a_rate_of_zero_sends_no_errors(void **state)
{
    struct nethost *h = *state;

    h->net.config.icmp_msgs_per_sec = 0;
    answer(h, THEIRS, NULL);
    assert_int_equal(h->net.count.drop[DROP_ICMP_RATE], 1);
}

static void no_memory_for_an_error_is_counted(void **state)
{
    struct nethost *h = *state;

    h->net.pool.limit = 2048;
    h->net.pool.reserve = 0;
    answer(h, THEIRS, NULL);
    assert_int_equal(h->net.count.drop[DROP_NO_BUFFER], 1);
}

/* --- echo requests that we send ------------------------------------------------- */

static void an_echo_request_is_sent(void **state)
{
    struct nethost *h = *state;
    struct ip_out how = { .dst = nethost_ip("192.0.2.1"),
                          .proto = 1,
                          .opt.df = IP_DF_WANT };

    nethost_know_peer(h);
    assert_int_equal(icmp_send_echo(&h->net, &how, 7, 1,
                                    (struct piece){ (const uint8_t *)"ping", 4 }),
                     0);
    assert_frame(h, TO_PEER "45000020000040004001b6d9c0000202c0000201"
                            "080019270007000170696e67");
    assert_int_equal(h->net.count.n[COUNT_IcmpOutEchos], 1);
}

static void an_echo_request_that_cannot_be_sent_says_why(void **state)
{
    static uint8_t data[70000];
    struct nethost *h = *state;
    struct ip_out lost = { .dst = nethost_ip("203.0.113.1"), .proto = 1 };
    struct ip_out how = { .dst = nethost_ip("192.0.2.1"), .proto = 1 };

    nethost_know_peer(h);
    assert_int_equal(icmp_send_echo(&h->net, &lost, 7, 1, (struct piece){ NULL, 0 }),
                     -ENETUNREACH);
    assert_int_equal(icmp_send_echo(&h->net, &how, 7, 1, (struct piece){ data, 65508 }),
                     -EMSGSIZE);
    h->net.pool.limit = h->net.pool.reserve = 0;
    assert_int_equal(icmp_send_echo(&h->net, &how, 7, 1, (struct piece){ NULL, 0 }),
                     -ENOBUFS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_echo_is_answered, nethost_setup,
                                        nethost_teardown),
        cmocka_unit_test_setup_teardown(
            an_echo_to_a_broadcast_or_unwanted_is_not_answered, nethost_setup,
            nethost_teardown),
        cmocka_unit_test_setup_teardown(
            an_answer_that_the_link_does_not_take_is_counted, nethost_setup,
            nethost_teardown),
        cmocka_unit_test_setup_teardown(an_echo_reply_is_handed_up, nethost_setup,
                                        nethost_teardown),
        cmocka_unit_test_setup_teardown(a_malformed_message_is_dropped, nethost_setup,
                                        nethost_teardown),
        cmocka_unit_test_setup_teardown(messages_that_ask_nothing_of_us_are_counted,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(an_error_becomes_the_errno_of_linux,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(the_quoted_packet_tells_whom_it_concerns,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(
            an_error_about_no_packet_of_ours_is_not_believed, nethost_setup,
            nethost_teardown),
        cmocka_unit_test_setup_teardown(an_error_quotes_the_packet, nethost_setup,
                                        nethost_teardown),
        cmocka_unit_test_setup_teardown(a_long_packet_is_quoted_in_part, nethost_setup,
                                        nethost_teardown),
        cmocka_unit_test_setup_teardown(no_error_is_sent_about_an_error_or_a_broadcast,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(errors_are_limited_by_a_bucket, nethost_setup,
                                        nethost_teardown),
        cmocka_unit_test_setup_teardown(a_rate_of_zero_sends_no_errors, nethost_setup,
                                        nethost_teardown),
        cmocka_unit_test_setup_teardown(no_memory_for_an_error_is_counted,
                                        nethost_setup, nethost_teardown),
        cmocka_unit_test_setup_teardown(an_echo_request_is_sent, nethost_setup,
                                        nethost_teardown),
        cmocka_unit_test_setup_teardown(an_echo_request_that_cannot_be_sent_says_why,
                                        nethost_setup, nethost_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
