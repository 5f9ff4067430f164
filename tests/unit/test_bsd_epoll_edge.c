/* What is news to an edge (EPOLLET), on a connection. The expected sequences were seen
 * on a kernel 6.18 over its loopback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/hosts.h"

enum { IN = 0x001, OUT = 0x004, ERR = 0x008, HUP = 0x010, RDHUP = 0x2000 };

static struct hosts h;
static int l, c, s; /* listener and server on b, client on a: connected */
static int set;     /* watches the server */

static int connected(void **state)
{
    hosts_up(&h, 1, NULL);
    tapir_use(h.b);
    l = hosts_listen(80);
    set = tapir_epoll_create1(0);
    tapir_use(h.a);
    c = hosts_connect(HOST_B, 80);
    s = tapir_accept(l, NULL, NULL);
    tapir_fcntl(s, F_SETFL, O_NONBLOCK);
    tapir_fcntl(c, F_SETFL, O_NONBLOCK);
    return s < 0;
}

static int down(void **state)
{
    tapir_use(NULL);
    tapir_close(set);
    tapir_close(c);
    tapir_close(s);
    tapir_close(l);
    hosts_down(&h);
    return 0;
}

static void add(int fd, uint32_t events)
{
    struct epoll_event e = { .events = events };

    assert_int_equal(tapir_epoll_ctl(set, EPOLL_CTL_ADD, fd, &e), 0);
}

/* What is ready a second later; 0: nothing. */
static uint32_t later(void)
{
    struct epoll_event e = { 0 };

    tapir_sleep(1000000);
    return tapir_epoll_wait(set, &e, 1, 0) ? e.events : 0;
}

static void each_arrival_is_news_read_or_not(void **state)
{
    add(s, EPOLLIN | EPOLLOUT | EPOLLET | EPOLLRDHUP);
    assert_int_equal(later(), OUT);
    assert_int_equal(later(), 0);
    tapir_write(c, "x", 1);
    assert_int_equal(later(), IN | OUT);
    assert_int_equal(later(), 0);
    tapir_write(c, "y", 1);
    assert_int_equal(later(), IN | OUT);
    tapir_shutdown(c, SHUT_WR);
    assert_int_equal(later(), IN | OUT | RDHUP);
    assert_int_equal(later(), 0);
}

static void the_end_is_news_to_a_reader_with_unread_text(void **state)
{
    add(s, EPOLLIN | EPOLLET);
    tapir_write(c, "x", 1);
    assert_int_equal(later(), IN);
    tapir_shutdown(c, SHUT_WR);
    assert_int_equal(later(), IN);
    assert_int_equal(later(), 0);
}

static void an_ack_is_no_news_where_there_was_room(void **state)
{
    add(s, EPOLLOUT | EPOLLET);
    assert_int_equal(later(), OUT);
    tapir_write(s, "x", 1);
    assert_int_equal(later(), 0);
    tapir_write(c, "y", 1); /* an arrival is none to a writer */
    assert_int_equal(later(), 0);
}

static void room_is_news_after_there_was_none(void **state)
{
    static char text[1 << 20];

    add(s, EPOLLOUT | EPOLLET);
    assert_int_equal(later(), OUT);
    while (tapir_write(s, text, sizeof text) > 0)
        continue;
    tapir_sleep(1000000);
    while (tapir_write(s, text, sizeof text) > 0)
        continue;
    assert_int_equal(later(), 0);
    while (tapir_recv(c, text, sizeof text, 0) > 0)
        tapir_sleep(20000);
    assert_int_equal(later(), OUT);
    assert_int_equal(later(), 0);
}

/* tcp(7), TCP_NOTSENT_LOWAT: what leaves makes room, too. */
static void what_leaves_is_news_to_a_writer_with_a_low_water_mark(void **state)
{
    static char text[100000];
    static const int low = 2000;

    tapir_setsockopt(s, IPPROTO_TCP, 25, &low, sizeof low);
    add(s, EPOLLOUT | EPOLLET);
    assert_int_equal(later(), OUT);
    assert_int_equal(tapir_write(s, text, sizeof text), 4000); /* it looks twice */
    assert_int_equal(later(), OUT);
}

static void each_connection_is_news_to_an_acceptor(void **state)
{
    int fd[2];

    tapir_close(s);
    add(l, EPOLLIN | EPOLLET);
    assert_int_equal(later(), 0);
    fd[0] = hosts_connect(HOST_B, 80);
    assert_int_equal(later(), IN);
    fd[1] = hosts_connect(HOST_B, 80);
    assert_int_equal(later(), IN);
    assert_int_equal(later(), 0);
    tapir_close(fd[0]);
    tapir_close(fd[1]);
    s = tapir_accept(l, NULL, NULL);
}

static void a_reset_is_news(void **state)
{
    struct linger now = { 1, 0 };

    add(s, EPOLLIN | EPOLLOUT | EPOLLET | EPOLLRDHUP);
    assert_int_equal(later(), OUT);
    tapir_setsockopt(c, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    tapir_close(c);
    assert_int_equal(later(), IN | OUT | ERR | HUP | RDHUP);
    assert_int_equal(later(), 0);
}

static void in_and_out_have_second_names(void **state)
{
    struct pollfd p = { .fd = s, .events = POLLRDNORM | POLLWRNORM };

    tapir_write(c, "x", 1);
    add(s, EPOLLRDNORM | EPOLLWRNORM);
    assert_int_equal(later(), 0x140);
    assert_int_equal(tapir_poll(&p, 1, 0), 1);
    assert_int_equal(p.revents, 0x140);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, connected, down)
    const struct CMUnitTest tests[] = {
        TEST(each_arrival_is_news_read_or_not),
        TEST(the_end_is_news_to_a_reader_with_unread_text),
        TEST(an_ack_is_no_news_where_there_was_room),
        TEST(room_is_news_after_there_was_none),
        TEST(what_leaves_is_news_to_a_writer_with_a_low_water_mark),
        TEST(each_connection_is_news_to_an_acceptor),
        TEST(a_reset_is_news),
        TEST(in_and_out_have_second_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
