/* Captures are read into a network that nobody runs. */
#include "../../tools/lab/capture.h"
#include "../../tools/lab/segments.h"
#include "../../tools/lab/tuples.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* 192.0.2.N to 192.0.2.9, a TCP header of which nothing matters here. */
#define IP(n)                                                                     \
    0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6, 0, 0, 192, 0, 2, n, 192, 0, 2, 9, 0x9c, \
        0x40, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 0x10, 0, 0, 0, 0, 0
#define ETHERNET 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0
#define ARP      2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 6

static int read_bytes(const uint8_t *at, size_t len, struct lan *lan,
                      unsigned *left_out)
{
    char path[] = "/tmp/capture-XXXXXX";
    int fd = mkstemp(path);
    *lan = (struct lan){ .sim = NULL };
    assert_true(write(fd, at, len) == (ssize_t)len);
    close(fd);
    int err = capture_read(path, lan, left_out);
    unlink(path);
    return err;
}

/* draft-ietf-opsawg-pcap s4, s5: little-endian, raw IP, two packets 1.5 s apart. */
static const uint8_t pcap[] = {
    0xd4,  0xc3, 0xb2, 0xa1, 2,  0,  4,   0, 0, 0,  0, 0, 0,  0,  0, 0, 0,  0,     4, 0,
    101,   0,    0,    0,    10, 0,  0,   0, 0, 0,  0, 0, 40, 0,  0, 0, 40, 0,     0, 0,
    IP(1), 11,   0,    0,    0,  32, 161, 7, 0, 40, 0, 0, 0,  40, 0, 0, 0,  IP(2),
};

static void packets_of_pcap_become_events(void **state)
{
    struct lan lan;
    unsigned left_out;
    assert_int_equal(read_bytes(pcap, sizeof pcap, &lan, &left_out), 0);
    assert_int_equal(left_out, 0);
    assert_int_equal(lan.hosts, 3);
    assert_string_equal(lan.host[0].address, "192.0.2.1");
    assert_string_equal(lan.host[1].address, "192.0.2.9");
    assert_string_equal(lan.host[2].name, "192.0.2.2");
    assert_int_equal(lan.first->at, 0);
    assert_int_equal(lan.first->len, 40);
    assert_int_equal(lan.last->at, 1500000);
    assert_int_equal(lan.last->from, 2);
    assert_int_equal(lan.last->to, 1);
    lan_free(&lan);
}

/* What is cut off by the end of the file is not there; the rest counts. */
static void a_file_may_end_anywhere_behind_its_header(void **state)
{
    struct lan lan;
    unsigned left_out;
    for (size_t n = 0; n <= sizeof pcap; n++) {
        int err = read_bytes(pcap, n, &lan, &left_out);
        assert_int_equal(err, n < 24 ? -EINVAL : 0);
        assert_true((lan.last && lan.last->at > 0) == (n == sizeof pcap));
        lan_free(&lan);
    }
}

/* draft-ietf-opsawg-pcapng s4: big-endian, Ethernet, time in nanoseconds; an ARP frame
 * and a block that nobody knows are passed over. */
static const uint8_t pcapng[] = {
    0x0a,     0x0d,  0x0d, 0x0a, 0,    0,   0,        28,    0x1a, 0x2b, 0x3c, 0x4d, 0,
    1,        0,     0,    255,  255,  255, 255,      255,   255,  255,  255,  0,    0,
    0,        28,    0,    0,    0,    1,   0,        0,     0,    32,   0,    1,    0,
    0,        0,     0,    0,    0,    0,   9,        0,     1,    9,    0,    0,    0,
    0,        0,     0,    0,    0,    0,   0,        32,    0,    0,    0,    99,   0,
    0,        0,     16,   1,    2,    3,   4,        0,     0,    0,    16,   0,    0,
    0,        6,     0,    0,    0,    88,  0,        0,     0,    0,    0,    0,    0,
    0,        0,     0,    0x03, 0xe8, 0,   0,        0,     54,   0,    0,    0,    54,
    ETHERNET, IP(1), 0,    0,    0,    0,   0,        88,    0,    0,    0,    6,    0,
    0,        0,     48,   0,    0,    0,   0,        0,     0,    0,    0,    0,    0,
    0x0b,     0xb8,  0,    0,    0,    14,  0,        0,     0,    14,   ARP,  0,    0,
    0,        0,     0,    48,   0,    0,   0,        6,     0,    0,    0,    88,   0,
    0,        0,     0,    0,    0,    0,   0,        0,     0,    0x13, 0x88, 0,    0,
    0,        54,    0,    0,    0,    54,  ETHERNET, IP(2), 0,    0,    0,    0,    0,
    88,
};

static void packets_of_pcapng_become_events(void **state)
{
    struct lan lan;
    unsigned left_out;
    assert_int_equal(read_bytes(pcapng, sizeof pcapng, &lan, &left_out), 0);
    assert_int_equal(lan.hosts, 3);
    assert_int_equal(lan.first->at, 0);
    assert_int_equal(lan.first->len, 40);
    assert_int_equal(lan.last->at, 4);
    assert_int_equal(lan.last->from, 2);
    lan_free(&lan);
}

static void a_block_that_lies_about_itself_is_refused(void **state)
{
    static const struct {
        size_t at;
        uint8_t byte;
    } row[] = {
        { 7, 15 },       /* a section that is too short for its order of bytes */
        { 8, 0x1b },     /* no order of bytes */
        { 35, 13 },      /* a block whose length is no multiple of four */
        { 33, 255 },     /* or is out of all proportion */
        { 76 + 11, 1 },  /* a packet of an interface that there is not */
        { 76 + 23, 80 }, /* a packet longer than its block */
    };
    uint8_t bad[sizeof pcapng];
    struct lan lan;
    unsigned left_out;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        memcpy(bad, pcapng, sizeof bad);
        bad[row[i].at] = row[i].byte;
        assert_int_equal(read_bytes(bad, sizeof bad, &lan, &left_out), -EINVAL);
        lan_free(&lan);
    }
    assert_int_equal(capture_read("/nowhere", &lan, &left_out), -ENOENT);
}

/* Whatever it says, it is read or refused, and can be drawn. */
static void no_byte_of_a_capture_can_do_harm(void **state)
{
    static const uint8_t values[] = { 0, 0xff };
    uint8_t bad[sizeof pcapng];
    struct lan lan;
    unsigned left_out;
    for (size_t i = 0; i < sizeof bad * sizeof values; i++) {
        memcpy(bad, pcapng, sizeof bad);
        bad[i / sizeof values] = values[i % sizeof values];
        read_bytes(bad, sizeof bad, &lan, &left_out);
        free(lan_picture(&lan));
        free(tuples_picture(&lan));
        free(segments_picture(&lan));
        lan_free(&lan);
    }
}

static void more_hosts_than_there_is_room_for_are_counted(void **state)
{
    uint8_t many[24 + 8 * 56];
    struct lan lan;
    unsigned left_out;
    memcpy(many, pcap, 24);
    for (int i = 0; i < 8; i++) {
        memcpy(many + 24 + i * 56, pcap + 24, 56);
        many[24 + i * 56 + 16 + 15] = (uint8_t)(20 + i);
    }
    assert_int_equal(read_bytes(many, sizeof many, &lan, &left_out), 0);
    assert_int_equal(lan.hosts, 6);
    assert_int_equal(left_out, 3);
    lan_free(&lan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_of_pcap_become_events),
        cmocka_unit_test(a_file_may_end_anywhere_behind_its_header),
        cmocka_unit_test(packets_of_pcapng_become_events),
        cmocka_unit_test(a_block_that_lies_about_itself_is_refused),
        cmocka_unit_test(no_byte_of_a_capture_can_do_harm),
        cmocka_unit_test(more_hosts_than_there_is_room_for_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
