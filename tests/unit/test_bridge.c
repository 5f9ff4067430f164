#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "edge/bridge.h"

/* A bridge between two sockets; the test is at the far end of both. */
static struct bridge b;
static int end[2];

/* The ends with `room` bytes on their way out (0: as usual), and the emulator. */
static void lay(const char *netem, int room)
{
    struct netem_spec spec = { 0 };
    struct port *port[2];
    struct tapir_error error;
    char why[160];

    if (netem)
        assert_int_equal(netem_parse(netem, &spec, why, sizeof why), 0);
    for (int i = 0; i < 2; i++) {
        struct port_setup setup = { .kind = PORT_FD, .mtu = 1500 };
        int fd[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
        if (room)
            setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
        setup.fd = fd[0];
        end[i] = fd[1];
        port[i] = port_open(&setup, &error);
        assert_non_null(port[i]);
    }
    bridge_init(&b, port[0], port[1], &spec, 1);
}

/* Its assertion on the pool is that no packet is left. */
static int take_away(void **state)
{
    bridge_free(&b);
    close(end[0]);
    close(end[1]);
    return 0;
}

static void put(int i, uint8_t mark, size_t len)
{
    static uint8_t f[4 + 65549];

    f[0] = 0;
    f[1] = (uint8_t)(len >> 16);
    f[2] = (uint8_t)(len >> 8);
    f[3] = (uint8_t)len;
    memset(f + 4, mark, len);
    assert_int_equal(write(end[i], f, 4 + len), 4 + len);
}

/* The mark of the frame that came, and its length in *len; -1: none came. */
static int get(int i, size_t *len)
{
    static uint8_t f[65549];
    uint8_t h[4];

    if (recv(end[i], h, 4, MSG_DONTWAIT) != 4)
        return -1;
    *len = (size_t)h[1] << 16 | (size_t)h[2] << 8 | h[3];
    assert_int_equal(recv(end[i], f, *len, MSG_WAITALL), *len);
    return f[*len - 1];
}

static void expect(int i, uint8_t mark, size_t len)
{
    size_t got = 0;

    assert_int_equal(get(i, &got), mark);
    assert_int_equal(got, len);
}

static void expect_nothing(int i)
{
    size_t len;

    assert_int_equal(get(i, &len), -1);
}

/* ---- without an emulator ---- */

static void what_comes_in_at_one_end_goes_out_at_the_other(void **state)
{
    lay(NULL, 0);
    put(0, 'a', 60);
    put(0, 'b', 1514);
    put(1, 'c', 100);
    assert_true(bridge_turn(&b, 0));
    expect(1, 'a', 60);
    expect(1, 'b', 1514);
    expect_nothing(1);
    expect(0, 'c', 100);
    expect_nothing(0);
    assert_false(bridge_turn(&b, 0));
    assert_true(bridge_deadline(&b) == INT64_MAX);
    assert_int_equal(b.way[0].in_frames, 2);
    assert_int_equal(b.way[0].in_bytes, 1574);
    assert_int_equal(b.way[0].out_frames, 2);
    assert_int_equal(b.way[0].out_bytes, 1574);
    assert_int_equal(b.way[1].in_frames, 1);
    assert_int_equal(b.way[1].out_frames, 1);
}

static void frames_of_any_length_are_carried(void **state)
{
    int room = 1 << 20;

    lay(NULL, 0);
    setsockopt(end[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    put(0, 'a', 65549);
    while (b.way[0].out_frames == 0)
        bridge_turn(&b, 0);
    expect(1, 'a', 65549);
}

static void a_turn_takes_64_frames_of_each_direction(void **state)
{
    lay(NULL, 0);
    for (int i = 0; i < 70; i++)
        put(0, 'a', 60);
    assert_true(bridge_turn(&b, 0));
    assert_int_equal(b.way[0].out_frames, 64);
    assert_true(bridge_turn(&b, 0));
    assert_int_equal(b.way[0].out_frames, 70);
}

/* The other direction goes on, and nothing is lost. */
static void an_end_that_is_full_stops_its_direction(void **state)
{
    size_t len;
    int sent = 0, got = 0;

    lay(NULL, 4608);
    while (sent < 60) {
        put(0, 'a', 1000);
        sent++;
    }
    for (int i = 0; i < 10; i++)
        bridge_turn(&b, 0);
    assert_true(b.way[0].in_frames < 20);
    put(1, 'b', 60);
    bridge_turn(&b, 0);
    expect(0, 'b', 60);
    for (int turns = 0; got < 60 && turns < 1000; turns++) {
        while (get(1, &len) == 'a')
            got++;
        bridge_turn(&b, 0);
    }
    assert_int_equal(got, 60);
    expect_nothing(1);
    assert_int_equal(b.way[0].out_frames, 60);
}

/* ---- through the emulator ---- */

static void a_frame_waits_for_its_time(void **state)
{
    lay("delay 10ms", 0);
    put(0, 'a', 60);
    put(1, 'b', 60);
    assert_true(bridge_turn(&b, 1000));
    assert_int_equal(bridge_deadline(&b), 11000);
    assert_false(bridge_turn(&b, 10999));
    expect_nothing(0);
    expect_nothing(1);
    assert_true(bridge_turn(&b, 11000));
    expect(1, 'a', 60);
    expect(0, 'b', 60);
    assert_true(bridge_deadline(&b) == INT64_MAX);
}

/* A frame that ended a sleep came while the bridge was waking: its delay counts from
 * there, but not from before the last turn. */
static void a_frame_that_woke_the_bridge_came_a_little_earlier(void **state)
{
    lay("delay 10ms", 0);
    bridge_turn(&b, 1000);
    put(0, 'a', 60);
    b.woke_late = 100;
    bridge_turn(&b, 5000);
    assert_true(bridge_deadline(&b) == 14900);
    assert_int_equal(b.woke_late, 0);
    bridge_turn(&b, 14900);
    expect(1, 'a', 60);
    put(0, 'b', 60);
    b.woke_late = 100;
    bridge_turn(&b, 14950);
    assert_true(bridge_deadline(&b) == 24900);
}

static void out_is_from_the_first_end_to_the_second_and_in_is_back(void **state)
{
    lay("out:delay 10ms in:delay 20ms", 0);
    put(0, 'a', 60);
    put(1, 'b', 60);
    bridge_turn(&b, 0);
    assert_int_equal(bridge_deadline(&b), 10000);
    bridge_turn(&b, 10000);
    expect(1, 'a', 60);
    expect_nothing(0);
    assert_int_equal(bridge_deadline(&b), 20000);
    bridge_turn(&b, 20000);
    expect(0, 'b', 60);
}

static void one_direction_may_be_without_a_fault(void **state)
{
    lay("out:delay 10ms", 0);
    put(0, 'a', 60);
    put(1, 'b', 60);
    bridge_turn(&b, 0);
    expect(0, 'b', 60);
    expect_nothing(1);
    bridge_turn(&b, 10000);
    expect(1, 'a', 60);
}

static void drops_are_counted_by_direction(void **state)
{
    lay("in:drop any:1,2 out:drop any:2", 0);
    for (int i = 0; i < 4; i++) {
        put(0, (uint8_t)('a' + i), 60);
        put(1, (uint8_t)('p' + i), 60);
    }
    bridge_turn(&b, 0);
    expect(1, 'a', 60);
    expect(1, 'c', 60);
    expect(1, 'd', 60);
    expect_nothing(1);
    expect(0, 'r', 60);
    expect(0, 's', 60);
    expect_nothing(0);
    assert_int_equal(b.way[0].net.count.drop[DROP_NETEM_SCRIPT], 1);
    assert_int_equal(b.way[1].net.count.drop[DROP_NETEM_SCRIPT], 2);
    assert_int_equal(b.way[0].in_frames, 4);
    assert_int_equal(b.way[0].out_frames, 3);
}

/* What an end does not take waits in the emulator, which drops when it is full. */
static void a_full_end_fills_the_emulator(void **state)
{
    size_t len;
    int got = 0;

    lay("delay 1ms limit 5", 4608);
    for (int i = 0; i < 20; i++) {
        put(0, 'a', 1000);
        bridge_turn(&b, i * 2000);
    }
    assert_int_equal(b.way[0].in_frames, 20);
    assert_true(b.way[0].net.count.drop[DROP_NETEM_LIMIT] > 0);
    assert_true(bridge_deadline(&b) == INT64_MAX); /* it waits for room, not for time */
    for (int i = 0; i < 20; i++) {
        while (get(1, &len) == 'a')
            got++;
        bridge_turn(&b, 100000);
    }
    assert_int_equal(got, b.way[0].out_frames);
    assert_int_equal(b.way[0].out_frames + b.way[0].net.count.drop[DROP_NETEM_LIMIT],
                     20);
}

static void a_frame_waits_in_its_port_while_there_is_no_packet(void **state)
{
    lay(NULL, 0);
    put(0, 'a', 60);
    b.pool.limit = 100;
    assert_false(bridge_turn(&b, 0));
    assert_true(b.starved);
    b.pool.limit = 1 << 20;
    assert_true(bridge_turn(&b, 0));
    assert_false(b.starved);
    expect(1, 'a', 60);
}

/* ---- a run ---- */

static void a_run_ends_at_its_time(void **state)
{
    lay(NULL, 0);
    put(0, 'a', 60);
    assert_int_equal(bridge_run(&b, -1, clock_read(&b.clock) + 2000), 0);
    assert_true(clock_read(&b.clock) >= 2000);
    expect(1, 'a', 60);
}

static void a_run_ends_when_it_is_told_to(void **state)
{
    int stop[2];

    lay("delay 1ms", 0);
    put(0, 'a', 60);
    assert_int_equal(pipe(stop), 0);
    assert_int_equal(write(stop[1], "!", 1), 1);
    assert_int_equal(bridge_run(&b, stop[0], NEVER), 0);
    close(stop[0]);
    close(stop[1]);
}

static void a_run_ends_with_one_of_its_ends(void **state)
{
    lay(NULL, 0);
    put(0, 'a', 60);
    close(end[0]);
    assert_int_equal(bridge_run(&b, -1, NEVER), -ENETDOWN);
    assert_true(b.port[0]->dead);
    assert_false(b.port[1]->dead);
    expect(1, 'a', 60);
    end[0] = dup(end[1]);
}

/* ---- the capture ---- */

static void a_capture_shows_a_frame_as_it_enters_and_as_it_leaves(void **state)
{
    static uint8_t file[4096];
    FILE *back = tmpfile();
    struct pcapng pcap;
    char name[32];
    size_t n, at = 0;
    uint32_t word[7], seen[2] = { 9, 9 }, packets = 0;

    snprintf(name, sizeof name, "/dev/fd/%d", fileno(back));
    lay("delay 10ms", 0);
    assert_int_equal(pcapng_open(&pcap, name, "first", false, 0), 0);
    pcapng_interface(&pcap, "second");
    b.pcap = &pcap;
    put(0, 'a', 60);
    bridge_turn(&b, 1000);
    bridge_turn(&b, 11000);
    expect(1, 'a', 60);
    assert_int_equal(pcapng_close(&pcap), 0);
    rewind(back);
    n = fread(file, 1, sizeof file, back);
    fclose(back);
    for (; at + sizeof word <= n; at += word[1]) {
        memcpy(word, file + at, sizeof word);
        assert_true(word[1] >= 12);
        if (word[0] != 6)
            continue;
        assert_true(packets < 2);
        seen[packets++] = word[2];
        assert_int_equal(word[4], packets == 1 ? 1000000 : 11000000); /* ns */
    }
    assert_int_equal(packets, 2);
    assert_int_equal(seen[0], 0);
    assert_int_equal(seen[1], 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, take_away)
    const struct CMUnitTest tests[] = {
        TEST(what_comes_in_at_one_end_goes_out_at_the_other),
        TEST(frames_of_any_length_are_carried),
        TEST(a_turn_takes_64_frames_of_each_direction),
        TEST(an_end_that_is_full_stops_its_direction),
        TEST(a_frame_waits_for_its_time),
        TEST(a_frame_that_woke_the_bridge_came_a_little_earlier),
        TEST(out_is_from_the_first_end_to_the_second_and_in_is_back),
        TEST(one_direction_may_be_without_a_fault),
        TEST(drops_are_counted_by_direction),
        TEST(a_full_end_fills_the_emulator),
        TEST(a_frame_waits_in_its_port_while_there_is_no_packet),
        TEST(a_run_ends_at_its_time),
        TEST(a_run_ends_when_it_is_told_to),
        TEST(a_run_ends_with_one_of_its_ends),
        TEST(a_capture_shows_a_frame_as_it_enters_and_as_it_leaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
