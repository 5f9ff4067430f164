/* Options by Linux's numbers, in Linux's layouts and ranges. Levels: 1 is SOL_SOCKET, 6
 * is IPPROTO_TCP. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "harness/option.h"

static void numbers_have_linuxs_defaults(void **state)
{
    static const struct {
        int level, name, value;
    } row[] = {
        { 1, 2, 0 },       /* SO_REUSEADDR */
        { 1, 3, 1 },       /* SO_TYPE */
        { 1, 4, 0 },       /* SO_ERROR */
        { 1, 9, 0 },       /* SO_KEEPALIVE */
        { 1, 30, 0 },      /* SO_ACCEPTCONN */
        { 1, 38, 6 },      /* SO_PROTOCOL */
        { 1, 39, 2 },      /* SO_DOMAIN */
        { 6, 1, 0 },       /* TCP_NODELAY */
        { 6, 2, 536 },     /* TCP_MAXSEG */
        { 6, 3, 0 },       /* TCP_CORK */
        { 6, 4, 7200 },    /* TCP_KEEPIDLE */
        { 6, 5, 75 },      /* TCP_KEEPINTVL */
        { 6, 6, 9 },       /* TCP_KEEPCNT */
        { 1, 18, 1 },      /* SO_RCVLOWAT */
        { 1, 19, 1 },      /* SO_SNDLOWAT */
        { 6, 7, 7 },       /* TCP_SYNCNT: tcp_syn_retries */
        { 6, 8, 60 },      /* TCP_LINGER2: tcp_fin_timeout */
        { 6, 9, 0 },       /* TCP_DEFER_ACCEPT */
        { 6, 10, 0 },      /* TCP_WINDOW_CLAMP */
        { 6, 12, 1 },      /* TCP_QUICKACK */
        { 6, 18, 0 },      /* TCP_USER_TIMEOUT */
        { 6, 23, 0 },      /* TCP_FASTOPEN */
        { 6, 25, 0 },      /* TCP_NOTSENT_LOWAT */
        { 6, 30, 0 },      /* TCP_FASTOPEN_CONNECT */
        { 6, 34, 0 },      /* TCP_FASTOPEN_NO_COOKIE */
        { 1, 60, 0 },      /* SO_ZEROCOPY */
        { 1, 7, 1048576 }, /* SO_SNDBUF: tcp_wmem's default */
        { 1, 8, 1048576 }, /* SO_RCVBUF: tcp_rmem's default */
    };
    struct sock *s = new_sock(*state, STREAM, 0);
    for (size_t i = 0; i < ARRAY_LEN(row); i++)
        assert_int_equal(get(s, row[i].level, row[i].name), row[i].value);
    sock_close(s);
}

static void what_is_set_is_told_before_and_after_connecting(void **state)
{
    static const struct {
        int level, name, value, told;
    } row[] = {
        { 1, 2, 5, 1 },      { 1, 2, 0, 0 },         { 1, 9, 1, 1 },
        { 6, 1, 7, 1 },      { 6, 3, 1, 1 },         { 6, 3, 0, 0 },
        { 6, 4, 1, 1 },      { 6, 4, 32767, 32767 }, { 6, 5, 30, 30 },
        { 6, 6, 127, 127 },  { 1, 8, 5000, 10000 },  { 1, 7, 5000, 10000 },
        { 1, 18, 100, 100 }, { 1, 18, 0, 1 },        { 6, 7, 127, 127 },
        { 6, 8, 10, 10 },    { 6, 8, 500, 120 },     { 6, 8, -5, -1 },
        { 6, 8, 0, 60 },     { 6, 9, 1, 1 },         { 6, 9, 2, 3 },
        { 6, 9, 4, 7 },      { 6, 9, 0, 0 },         { 6, 9, -1, 0 },
        { 6, 10, 1, 1152 },  { 6, 10, 5000, 5000 },  { 6, 12, 0, 0 },
        { 6, 12, 1, 1 },     { 6, 18, 3000, 3000 },  { 6, 25, 10000, 10000 },
        { 6, 25, -1, -1 },   { 1, 60, 1, 1 },        { 1, 60, 0, 0 },
    };
    struct peer *p = *state;
    struct sock *s[3] = { new_sock(p, STREAM, 0), peer_establish(p, "<mss 1460>"),
                          peer_listen(p, 81) };
    for (int k = 0; k < 3; k++)
        for (size_t i = 0; i < ARRAY_LEN(row); i++) {
            assert_int_equal(set(s[k], row[i].level, row[i].name, row[i].value), 0);
            assert_int_equal(get(s[k], row[i].level, row[i].name), row[i].told);
        }
    for (int k = 0; k < 3; k++)
        sock_close(s[k]);
}

static void values_out_of_range_are_invalid(void **state)
{
    static const struct {
        int name, value;
    } row[] = { { 4, 0 },   { 4, 32768 }, { 4, -1 },    { 5, 0 },   { 5, 32768 },
                { 6, 0 },   { 6, 128 },   { 7, 0 },     { 7, 128 }, { 18, -1 },
                { 2, 87 },  { 2, -1 },    { 2, 32768 }, { 23, -1 }, { 30, 2 },
                { 30, -1 }, { 34, 2 } };
    struct sock *s = new_sock(*state, STREAM, 0);
    for (size_t i = 0; i < ARRAY_LEN(row); i++)
        assert_int_equal(set(s, 6, row[i].name, row[i].value), -EINVAL);
    sock_close(s);
}

static void what_can_only_be_read_cannot_be_set(void **state)
{
    static const struct {
        int level, name;
    } row[] = { { 1, 3 },  { 1, 4 },  { 1, 30 }, { 1, 38 }, { 1, 39 },
                { 6, 11 }, { 6, 26 }, { 1, 19 }, { 1, 55 } };
    struct sock *s = new_sock(*state, STREAM, 0);
    for (size_t i = 0; i < ARRAY_LEN(row); i++)
        assert_int_equal(set(s, row[i].level, row[i].name, 1), -ENOPROTOOPT);
    sock_close(s);
}

static void what_is_not_built_is_no_option(void **state)
{
    static const struct {
        int level, name;
    } row[] = {
        { 1, 0 },  { 1, 1 },   { 1, 6 },  { 1, 10 },  { 1, 12 }, { 1, 15 },  { 1, 25 },
        { 1, 36 }, { 6, 0 },   { 6, 14 }, { 6, 31 },  { 6, 37 }, { 1, 29 },  { 0, 3 },
        { 0, 7 },  { 41, 26 }, { 17, 1 }, { 257, 3 }, { -1, 1 }, { 1, 258 },
    };
    struct sock *s = new_sock(*state, STREAM, 0);
    for (size_t i = 0; i < ARRAY_LEN(row); i++) {
        int value = 1;
        size_t len = sizeof value;
        assert_int_equal(set(s, row[i].level, row[i].name, 1), -ENOPROTOOPT);
        assert_int_equal(sock_getopt(s, row[i].level, row[i].name, &value, &len),
                         -ENOPROTOOPT);
    }
    sock_close(s);
}

static void datagram_sockets_have_no_tcp_options(void **state)
{
    static const int protocol[] = { 17, ICMP };
    for (size_t i = 0; i < ARRAY_LEN(protocol); i++) {
        struct sock *s = new_sock(*state, DATAGRAM, protocol[i]);
        assert_int_equal(set(s, 6, 1, 1), -ENOPROTOOPT);
        assert_int_equal(get(s, 1, 3), 2);
        assert_int_equal(get(s, 1, 38), protocol[i]);
        assert_int_equal(get(s, 1, 7), 212992);
        assert_int_equal(get(s, 1, 8), 212992);
        assert_int_equal(set(s, 1, 8, 3000), 0);
        assert_int_equal(get(s, 1, 8), 6000);
        assert_int_equal(set(s, 1, 9, 1), 0);
        sock_close(s);
    }
}

static void a_short_value_is_invalid_and_a_long_one_cut(void **state)
{
    struct sock *s = new_sock(*state, STREAM, 0);
    uint8_t bytes[64] = { 1 };
    size_t len = 2;
    assert_int_equal(sock_setopt(s, 6, 1, bytes, 3), -EINVAL);
    assert_int_equal(sock_setopt(s, 6, 1, bytes, 8), 0);
    assert_int_equal(sock_setopt(s, 1, 13, bytes, 7), -EINVAL);
    assert_int_equal(sock_setopt(s, 1, 20, bytes, 15), -EINVAL);
    assert_int_equal(sock_setopt(s, 6, 13, bytes, 0), -EINVAL);
    assert_int_equal(sock_getopt(s, 6, 1, bytes, &len), 0);
    assert_int_equal(len, 2);
    len = 64;
    assert_int_equal(sock_getopt(s, 6, 1, bytes, &len), 0);
    assert_int_equal(len, 4);
    sock_close(s);
}

/* As Linux: setsockopt looks at the length first, but for IP, where one byte and none
 * are numbers; getsockopt of IP gives a byte where there is room for no more. */
static void lengths_are_looked_at_as_on_linux(void **state)
{
    struct sock *s = new_sock(*state, STREAM, 0), *d = new_sock(*state, DATAGRAM, 17);
    uint8_t bytes[4] = { 7, 1, 1, 1 };
    size_t len = 2;
    assert_int_equal(sock_setopt(s, 6, 31, bytes, 3), -EINVAL);
    assert_int_equal(sock_setopt(s, 6, 31, bytes, 4), -ENOPROTOOPT);
    assert_int_equal(sock_setopt(s, 1, 6, bytes, 0), -EINVAL);
    assert_int_equal(sock_setopt(s, 0, 3, bytes, 0), -ENOPROTOOPT);
    assert_int_equal(sock_setopt(d, 6, 1, bytes, 0), -ENOPROTOOPT);
    assert_int_equal(sock_setopt(d, 0, 1, bytes, 1), 0);
    assert_int_equal(get(d, 0, 1), 7);
    assert_int_equal(sock_getopt(d, 0, 1, bytes, &len), 0);
    assert_int_equal(len, 1);
    assert_int_equal(sock_setopt(d, 0, 1, NULL, 0), 0);
    assert_int_equal(get(d, 0, 1), 0);
    sock_close(s);
    sock_close(d);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(numbers_have_linuxs_defaults),
        T(what_is_set_is_told_before_and_after_connecting),
        T(values_out_of_range_are_invalid),
        T(what_can_only_be_read_cannot_be_set),
        T(what_is_not_built_is_no_option),
        T(datagram_sockets_have_no_tcp_options),
        T(a_short_value_is_invalid_and_a_long_one_cut),
        T(lengths_are_looked_at_as_on_linux),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
