#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "edge/stream.h"
#include "net/net.h"

/* One port and, at the other end of its socket, the test with plain system calls. */
static struct net net;
static struct stream s;
static struct pkt *p;
static int wire; /* the other end */
static char dir[] = "/tmp/tapir-stream-XXXXXX", path[64];
static struct tapir_error error;

static int up(void **state)
{
    memset(&net, 0, sizeof net);
    pkt_pool_init(&net.pool, 1 << 20, 0);
    p = NULL;
    return 0;
}

static int down(void **state)
{
    s.port.ops->close(&s.port);
    unlink(path);
    if (net.pool.live)
        return -1;
    pkt_pool_free(&net.pool);
    return 0;
}

static int make_directory(void **state)
{
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof path, "%s/link", dir);
    return 0;
}

static int remove_directory(void **state)
{
    return rmdir(dir);
}

/* An inherited socket, with room for so many bytes on their way out (0: as usual). */
static void adopt(unsigned mtu, int room)
{
    struct port_setup setup = { .kind = PORT_FD, .mtu = mtu };
    int fd[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    setup.fd = fd[0];
    wire = fd[1];
    if (room)
        setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    assert_int_equal(stream_adopt(&s, &setup, &error), 0);
    s.port.net = &net;
}

static int open_at(struct stream *at, const char *where)
{
    struct port_setup setup = { .kind = PORT_UNIX, .name = where, .mtu = 1500 };
    int err = stream_open(at, &setup, &error);

    at->port.net = &net;
    return err;
}

static int read_port(struct stream *from)
{
    return from->port.ops->read(&from->port, &net.pool, &p);
}

static void put(const void *bytes, size_t n)
{
    assert_int_equal(write(wire, bytes, n), n);
}

/* A frame of len bytes, each its offset, behind its length. */
static size_t framed(uint8_t *out, size_t len)
{
    out[0] = out[1] = 0;
    out[2] = (uint8_t)(len >> 8);
    out[3] = (uint8_t)len;
    for (size_t i = 0; i < len; i++)
        out[4 + i] = (uint8_t)i;
    return 4 + len;
}

static void expect_frame(struct stream *from, size_t len)
{
    assert_int_equal(read_port(from), 1);
    assert_int_equal(p->len, len);
    assert_int_equal(p->csum, PKT_CSUM_FULL);
    for (size_t i = 0; i < len; i++)
        assert_int_equal(p->data[i], (uint8_t)i);
    pkt_free(p);
}

static struct pkt *frame_of(size_t len)
{
    struct pkt *f = pkt_new(&net.pool, len);

    for (size_t i = 0; i < len; i++)
        pkt_put(f, 1)[0] = (uint8_t)i;
    return f;
}

static int send_frame(struct stream *to, size_t len)
{
    struct pkt *f = frame_of(len);
    int r = to->port.link.send(&to->port.link, f);

    pkt_free(f);
    return r;
}

/* ---- frames in ---- */

static void frames_that_come_together_are_told_apart(void **state)
{
    uint8_t b[4000];
    size_t n = framed(b, 100);

    n += framed(b + n, 14);
    n += framed(b + n, 1514);
    adopt(1500, 0);
    put(b, n);
    expect_frame(&s, 100);
    expect_frame(&s, 14);
    expect_frame(&s, 1514);
    assert_int_equal(read_port(&s), 0);
    close(wire);
}

static void a_frame_may_come_byte_by_byte(void **state)
{
    uint8_t b[100];
    size_t n = framed(b, 60);

    adopt(1500, 0);
    for (size_t i = 0; i < n - 1; i++) {
        put(b + i, 1);
        assert_int_equal(read_port(&s), 0);
    }
    put(b + n - 1, 1);
    expect_frame(&s, 60);
    close(wire);
}

/* What poll(2) says must be the truth: with only a length in hand, the frame behind it
 * is still to be seen in the socket. */
static void no_whole_frame_is_ever_held_back(void **state)
{
    uint8_t b[100];
    size_t n = framed(b, 20);
    int left = 0;

    n += framed(b + n, 20);
    adopt(1500, 0);
    put(b, n);
    expect_frame(&s, 20);
    assert_int_equal(recv(s.conn, b, sizeof b, MSG_PEEK | MSG_DONTWAIT), 20);
    expect_frame(&s, 20);
    left = (int)recv(s.conn, b, sizeof b, MSG_PEEK | MSG_DONTWAIT);
    assert_int_equal(left, -1);
    close(wire);
}

static void a_frame_beyond_the_mtu_is_dropped_and_counted(void **state)
{
    uint8_t b[4000];
    size_t n = framed(b, 1515);

    n += framed(b + n, 64);
    adopt(1500, 0);
    put(b, n);
    assert_int_equal(read_port(&s), 0);
    assert_int_equal(net.count.drop[DROP_LINK_TOO_BIG], 1);
    expect_frame(&s, 64);
    close(wire);
}

static void a_frame_without_a_packet_for_it_waits(void **state)
{
    uint8_t b[200];
    size_t n = framed(b, 100);

    adopt(1500, 0);
    put(b, n);
    net.pool.limit = 100;
    assert_int_equal(read_port(&s), -ENOBUFS);
    assert_int_equal(read_port(&s), -ENOBUFS);
    net.pool.limit = 1 << 20;
    expect_frame(&s, 100);
    close(wire);
}

static void a_length_that_no_frame_has_ends_the_link_with_a_sentence(void **state)
{
    static const struct {
        uint8_t b[4];
        const char *said;
    } row[] = {
        { { 0, 0, 0, 0 }, "sent 0 as the length" },
        { { 0, 0, 0, 13 }, "sent 13 as the length" },
        { { 0, 1, 0, 18 }, "sent 65554 as the length" },
        { { 'G', 'E', 'T', ' ' }, "sent 1195725856 as the length" },
    };

    for (size_t i = 0; i < 4; i++) {
        adopt(1500, 0);
        put(row[i].b, 4);
        assert_int_equal(read_port(&s), -ENETDOWN);
        assert_true(s.port.dead);
        assert_non_null(strstr(s.port.why, row[i].said));
        assert_int_equal(read_port(&s), -ENETDOWN);
        if (i < 3)
            s.port.ops->close(&s.port);
        close(wire);
    }
}

/* 65535 bytes of IP, an Ethernet header and a VLAN tag. */
static void the_longest_frame_is_taken(void **state)
{
    static const uint8_t length[4] = { 0, 1, 0, 17 };
    static uint8_t b[65553];

    adopt(65535, 0);
    put(length, 4);
    put(b, sizeof b);
    /* Longer than this MTU, but not a broken link. */
    assert_int_equal(read_port(&s), 0);
    assert_false(s.port.dead);
    assert_int_equal(net.count.drop[DROP_LINK_TOO_BIG], 1);
    close(wire);
}

/* ---- frames out ---- */

static void a_frame_and_its_borrowed_text_leave_behind_their_length(void **state)
{
    static const uint8_t want[] = { 0,   0,   0,   27,  0,   1,   2,   3,
                                    4,   5,   6,   7,   8,   9,   10,  11,
                                    12,  13,  'b', 'o', 'r', 'r', 'o', 'w',
                                    'e', 'd', ' ', 't', 'e', 'x', 't' };
    struct pkt *f = frame_of(14);
    uint8_t b[100];

    f->text[0] = (struct piece){ (const uint8_t *)"borrowed ", 9 };
    f->text[1] = (struct piece){ (const uint8_t *)"text", 4 };
    f->n_text = 2;
    adopt(1500, 0);
    assert_int_equal(s.port.link.send(&s.port.link, f), 0);
    assert_int_equal(read(wire, b, sizeof b), 31);
    assert_memory_equal(b, want, 31);
    pkt_free(f);
    close(wire);
}

/* Takes all that is sent, until nothing is left here or there; counts its bytes. */
static size_t drain(uint8_t *out, size_t room)
{
    size_t got = 0;
    ssize_t n;

    do {
        n = recv(wire, out + got, room - got, MSG_DONTWAIT);
        got += n > 0 ? (size_t)n : 0;
        if (s.port.pending)
            s.port.ops->flush(&s.port);
    } while (n > 0 || s.port.pending);
    return got;
}

/* A super-segment of 64 KiB in pieces of 100 bytes: 655 frames of 158 bytes. Full is
 * said before the first of them is refused, and then no frame is lost or torn. */
static void a_socket_that_is_full_says_so_and_has_room_for_a_super_segment(void **state)
{
    static uint8_t b[700 * 158 * 2];
    int n = 0, r;

    adopt(1500, 4608);
    while ((r = send_frame(&s, 154)) == 0)
        n++;
    assert_true(n > 0);
    assert_int_equal(r, 1);
    assert_true(s.port.pending);
    for (int i = 0; i < 655; i++)
        assert_int_equal(send_frame(&s, 154), 1);
    n += 1 + 655;
    assert_int_equal(drain(b, sizeof b), (size_t)n * 158);
    for (int i = 0; i < n; i++)
        assert_int_equal(b[i * 158 + 3], 154);
    assert_int_equal(send_frame(&s, 100), 0);
    close(wire);
}

static void who_goes_on_all_the_same_is_refused(void **state)
{
    static uint8_t b[600000];
    size_t n = 0;
    int r;

    adopt(65000, 4608);
    while ((r = send_frame(&s, 20000)) >= 0)
        n++;
    assert_int_equal(r, -EAGAIN);
    assert_int_equal(drain(b, sizeof b), n * 20004);
    close(wire);
}

/* 20,000 bytes do not fit at once: what was begun is finished before anything else. */
static void a_begun_frame_is_finished_first(void **state)
{
    static uint8_t b[4 + 20000 + 4 + 100];

    adopt(65000, 4608);
    assert_int_equal(send_frame(&s, 20000), 1);
    assert_int_equal(send_frame(&s, 100), 1);
    assert_int_equal(drain(b, sizeof b), sizeof b);
    assert_int_equal(b[2] << 8 | b[3], 20000);
    for (size_t i = 0; i < 20000; i++)
        assert_int_equal(b[4 + i], (uint8_t)i);
    assert_int_equal(b[20007], 100);
    close(wire);
}

static void what_a_peer_that_has_gone_did_not_take_is_counted(void **state)
{
    adopt(65000, 4608);
    assert_int_equal(send_frame(&s, 20000), 1);
    close(wire);
    assert_int_equal(send_frame(&s, 100), 0);
    assert_int_equal(net.count.drop[DROP_LINK_DOWN], 2);
    assert_int_equal(read_port(&s), -ENETDOWN);
    assert_string_equal(s.port.why, "the peer closed the socket");
}

/* ---- who is at the other end ---- */

static int call_path(const char *where)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(at.sun_path, sizeof at.sun_path, "%s", where);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

static int listen_at_path(int type)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, type, 0);

    snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    if (type == SOCK_STREAM)
        assert_int_equal(listen(fd, 1), 0);
    return fd;
}

static void who_finds_nobody_listens_and_drops_frames_until_a_peer_comes(void **state)
{
    uint8_t b[200];

    assert_int_equal(open_at(&s, path), 0);
    assert_int_equal(send_frame(&s, 60), 0);
    assert_int_equal(net.count.drop[DROP_LINK_DOWN], 1);
    assert_int_equal(read_port(&s), 0);
    assert_false(s.port.arrived);
    wire = call_path(path);
    assert_int_equal(read_port(&s), 0);
    assert_true(s.port.arrived);
    assert_int_equal(send_frame(&s, 60), 0);
    assert_int_equal(read(wire, b, sizeof b), 64);
    put(b, 64);
    expect_frame(&s, 60);
    close(wire);
}

static void the_next_peer_is_taken_after_the_last(void **state)
{
    uint8_t b[200];
    size_t n = framed(b, 60);

    assert_int_equal(open_at(&s, path), 0);
    for (int i = 0; i < 3; i++) {
        wire = call_path(path);
        put(b, n);
        put(b, 10); /* and a frame that it does not finish */
        expect_frame(&s, 60);
        assert_int_equal(read_port(&s), 0);
        close(wire);
        assert_int_equal(read_port(&s), 0);
        assert_int_equal(send_frame(&s, 60), 0);
        assert_int_equal(net.count.drop[DROP_LINK_DOWN], (uint64_t)i + 1);
    }
    assert_false(s.port.dead);
}

static void another_caller_is_turned_away_while_there_is_a_peer(void **state)
{
    struct stream other;
    char end;
    int second;

    assert_int_equal(open_at(&s, path), 0);
    wire = call_path(path);
    assert_int_equal(read_port(&s), 0);
    assert_int_equal(s.port.door, s.listener);
    second = call_path(path);
    s.port.knocked = true;
    assert_int_equal(read_port(&s), 0);
    assert_int_equal(read(second, &end, 1), 0);
    close(second);

    assert_int_equal(open_at(&other, path), 0);
    s.port.knocked = true;
    assert_int_equal(read_port(&s), 0);
    assert_int_equal(read_port(&other), -ENETDOWN);
    assert_non_null(strstr(other.port.why, "it has another peer"));
    other.port.ops->close(&other.port);
    close(wire);
}

/* Nobody had time to see that the first one left. */
static void who_calls_while_the_peer_is_leaving_is_the_next(void **state)
{
    uint8_t b[200];
    size_t n = framed(b, 60);
    int second;

    assert_int_equal(open_at(&s, path), 0);
    wire = call_path(path);
    assert_int_equal(read_port(&s), 0);
    put(b, n);
    close(wire);
    second = call_path(path);
    s.port.knocked = true;
    expect_frame(&s, 60);
    assert_int_equal(read_port(&s), 0);
    wire = second;
    put(b, n);
    expect_frame(&s, 60);
    close(wire);
}

static void two_find_each_other_in_either_order_and_again(void **state)
{
    struct stream other;

    assert_int_equal(open_at(&s, path), 0);
    assert_int_equal(open_at(&other, path), 0);
    assert_int_equal(read_port(&s), 0);
    assert_int_equal(send_frame(&other, 60), 0);
    expect_frame(&s, 60);
    assert_int_equal(send_frame(&s, 60), 0);
    expect_frame(&other, 60);

    /* The one that listened goes; the other takes its place at the path. */
    s.port.ops->close(&s.port);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(read_port(&other), 0);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(open_at(&s, path), 0);
    assert_true(s.conn >= 0);
    assert_int_equal(read_port(&other), 0);
    assert_int_equal(send_frame(&other, 60), 0);
    expect_frame(&s, 60);
    other.port.ops->close(&other.port);
}

static void a_socket_left_behind_is_replaced(void **state)
{
    close(listen_at_path(SOCK_STREAM));
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(open_at(&s, path), 0);
    assert_true(s.listener >= 0);
    close(call_path(path));
}

static void refused(const char *where, int err, const char *cause)
{
    struct stream other;

    assert_int_equal(open_at(&other, where), err);
    assert_non_null(strstr(error.what, where));
    assert_non_null(strstr(error.cause, cause));
    assert_true(error.fix[0] != '\0');
}

static void what_cannot_be_a_link_is_refused_and_left_alone(void **state)
{
    char where[80];
    int fd;

    assert_int_equal(open_at(&s, path), 0); /* for the teardown */
    s.port.ops->close(&s.port);
    fd = open(path, O_WRONLY | O_CREAT, 0600);
    refused(path, -ENOTSOCK, "left alone");
    assert_int_equal(access(path, F_OK), 0);
    close(fd);
    unlink(path);
    fd = listen_at_path(SOCK_DGRAM);
    refused(path, -EPROTOTYPE, "datagrams");
    close(fd);
    snprintf(where, sizeof where, "%s/missing/link", dir);
    refused(where, -ENOENT, "directory is missing");
    snprintf(where, sizeof where, "%s/x", path);
    refused(where, -ENOTDIR, "directory is missing");
    unlink(path);
    assert_int_equal(open_at(&s, path), 0);
}

static void only_its_own_file_is_removed_at_the_end(void **state)
{
    assert_int_equal(open_at(&s, path), 0);
    unlink(path);
    wire = listen_at_path(SOCK_STREAM);
    s.port.ops->close(&s.port);
    assert_int_equal(access(path, F_OK), 0);
    close(wire);
    unlink(path);
    assert_int_equal(open_at(&s, path), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, up, down)
    const struct CMUnitTest tests[] = {
        TEST(frames_that_come_together_are_told_apart),
        TEST(a_frame_may_come_byte_by_byte),
        TEST(no_whole_frame_is_ever_held_back),
        TEST(a_frame_beyond_the_mtu_is_dropped_and_counted),
        TEST(a_frame_without_a_packet_for_it_waits),
        TEST(a_length_that_no_frame_has_ends_the_link_with_a_sentence),
        TEST(the_longest_frame_is_taken),
        TEST(a_frame_and_its_borrowed_text_leave_behind_their_length),
        TEST(a_socket_that_is_full_says_so_and_has_room_for_a_super_segment),
        TEST(who_goes_on_all_the_same_is_refused),
        TEST(a_begun_frame_is_finished_first),
        TEST(what_a_peer_that_has_gone_did_not_take_is_counted),
        TEST(who_finds_nobody_listens_and_drops_frames_until_a_peer_comes),
        TEST(the_next_peer_is_taken_after_the_last),
        TEST(another_caller_is_turned_away_while_there_is_a_peer),
        TEST(who_calls_while_the_peer_is_leaving_is_the_next),
        TEST(two_find_each_other_in_either_order_and_again),
        TEST(a_socket_left_behind_is_replaced),
        TEST(what_cannot_be_a_link_is_refused_and_left_alone),
        TEST(only_its_own_file_is_removed_at_the_end),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
