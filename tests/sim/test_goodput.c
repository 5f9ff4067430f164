/* Goodput in virtual time: golden figures, and beside each the bounds that physics and
 * theory set, so that a figure cannot drift to where it makes no sense.
 *
 *   never       more than the link's rate, less its headers
 *   no loss     at least 0.9 of that
 *   loss 1-5 %  at least half of the response function MSS/RTT * sqrt(3/2 / p)
 *               (RFC 5681's congestion avoidance; RFC 3649 s2 has the formula)
 *   n flows     Jain's index at least 0.95
 *
 * Golden figures are exact, for time is virtual and a seed gives one run. A change of
 * TCP that moves them is meant to be seen: the test prints the new rows. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "harness/pair.h"

enum { FLOWS = 8, BUFFER = 65536 };

struct flow {
    struct sock *sender, *receiver;
    uint64_t received;
};

struct run {
    struct pair pair;
    struct flow flow[FLOWS];
    unsigned n;
};

static const uint8_t zeros[BUFFER];

/* Everybody writes what fits and reads what is there. */
static bool pump(void *ctx)
{
    struct run *r = ctx;
    uint8_t buf[BUFFER];

    for (unsigned i = 0; i < r->n; i++) {
        struct flow *f = &r->flow[i];
        struct piece piece = { zeros, sizeof zeros };
        ssize_t n;

        while (sock_send(f->sender, &piece, 1, 0, NULL) > 0) {
        }
        while ((n = sock_receive(f->receiver, buf, sizeof buf, 0, NULL)) > 0)
            f->received += (uint64_t)n;
    }
    return false;
}

static void close_all(struct run *r, struct sock *listener)
{
    for (unsigned i = 0; i < r->n; i++) {
        r->flow[i].sender->linger_on = true; /* and no time: resets */
        sock_close(r->flow[i].sender);
        sock_close(r->flow[i].receiver);
    }
    sock_close(listener);
    pair_run(&r->pair, 600 * USEC_PER_SEC);
    pair_free(&r->pair);
}

/* n flows for so long: r->flow[].received. */
static void run_flows(struct run *r, const char *netem, const char *cc, unsigned n,
                      unsigned seconds)
{
    char controller[80];
    const char *const sysctl[] = { controller, "net.ipv4.tcp_rmem=4096 6291456 6291456",
                                   "net.ipv4.tcp_wmem=4096 4194304 4194304", NULL };
    struct pair_setup setup = { .seed = 1, .netem = netem, .sysctl = sysctl };

    memset(r, 0, sizeof *r);
    snprintf(controller, sizeof controller, "net.ipv4.tcp_congestion_control=%s", cc);
    pair_init(&r->pair, &setup);
    struct sock *listener = pair_listen(&r->pair, PAIR_B, 80);
    for (; r->n < n; r->n++)
        pair_connect(&r->pair, listener, &r->flow[r->n].sender,
                     &r->flow[r->n].receiver);
    pair_run_until(&r->pair, pump, r, seconds * USEC_PER_SEC);
    close_all(r, listener);
}

/* Thousand bits a second, of all flows. */
static unsigned goodput(const struct run *r, unsigned seconds)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < r->n; i++)
        sum += r->flow[i].received;
    return (unsigned)(sum * 8 / seconds / 1000);
}

/* RFC 5166 s2.3.3's index, in thousandths. */
static unsigned jain(const struct run *r)
{
    double sum = 0, squares = 0;

    for (unsigned i = 0; i < r->n; i++) {
        sum += (double)r->flow[i].received;
        squares += (double)r->flow[i].received * (double)r->flow[i].received;
    }
    return (unsigned)(1000 * sum * sum / (squares * r->n));
}

/* --- one flow that fills a link -------------------------------------------------- */

/* `link` is what is left of the rate beside headers, kbit/s: 1448 of 1514 bytes. */
static void a_flow_without_loss_fills_the_link(void **state)
{
    static const struct {
        const char *netem, *cc;
        unsigned link, golden;
    } row[] = {
        { "rate 1mbit delay 20ms limit 50", "reno", 956, 955 },
        { "rate 1mbit delay 20ms limit 50", "cubic", 956, 955 },
        { "rate 10mbit delay 5ms limit 50", "reno", 9564, 9561 },
        { "rate 10mbit delay 5ms limit 50", "cubic", 9564, 9561 },
        { "rate 10mbit delay 20ms limit 100", "reno", 9564, 9531 },
        { "rate 10mbit delay 20ms limit 100", "cubic", 9564, 9491 },
        { "rate 10mbit delay 20ms limit 1000", "cubic", 9564, 9531 },
        { "rate 20mbit delay 10ms limit 100", "cubic", 19128, 19096 },
        { "rate 20mbit delay 40ms limit 200", "cubic", 19128, 18866 },
    };
    static struct run r;
    unsigned changed = 0;
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(row); i++) {
        run_flows(&r, row[i].netem, row[i].cc, 1, 20);
        unsigned got = goodput(&r, 20);
        assert_in_range(got, row[i].link * 9 / 10, row[i].link);
        changed += got != row[i].golden;
        if (got != row[i].golden)
            fprintf(stderr, "{ \"%s\", \"%s\", %u, %u },\n", row[i].netem, row[i].cc,
                    row[i].link, got);
    }
    assert_int_equal(changed, 0);
}

/* `theory`: the response function, kbit/s. */
static void a_flow_under_loss_gets_half_of_the_response_function_at_least(void **state)
{
    static const struct {
        const char *netem, *cc;
        unsigned theory, golden;
    } row[] = {
        { "delay 20ms out:loss 1%", "reno", 3546, 3018 },
        { "delay 20ms out:loss 1%", "cubic", 3546, 3477 },
        { "delay 20ms out:loss 2%", "reno", 2508, 1984 },
        { "delay 20ms out:loss 2%", "cubic", 2508, 2451 },
        { "delay 20ms out:loss 3%", "reno", 2047, 1490 },
        { "delay 20ms out:loss 3%", "cubic", 2047, 1864 },
        { "delay 20ms out:loss 5%", "reno", 1586, 1084 },
        { "delay 20ms out:loss 5%", "cubic", 1586, 1312 },
        { "delay 50ms out:loss 1%", "reno", 1418, 1324 },
        { "delay 50ms out:loss 1%", "cubic", 1418, 1537 },
        { "delay 50ms out:loss 5%", "reno", 634, 472 },
        { "delay 50ms out:loss 5%", "cubic", 634, 576 },
        { "delay 20ms loss 1%", "cubic", 3546, 3463 },
        { "delay 20ms loss 5%", "cubic", 1586, 1210 },
    };
    static struct run r;
    unsigned changed = 0;
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(row); i++) {
        run_flows(&r, row[i].netem, row[i].cc, 1, 100);
        unsigned got = goodput(&r, 100);
        assert_in_range(got, row[i].theory / 2, row[i].theory * 2);
        changed += got != row[i].golden;
        if (got != row[i].golden)
            fprintf(stderr, "{ \"%s\", \"%s\", %u, %u },\n", row[i].netem, row[i].cc,
                    row[i].theory, got);
    }
    assert_int_equal(changed, 0);
}

/* --- several flows --------------------------------------------------------------- */

static void equal_flows_share_a_link_equally(void **state)
{
    static const struct {
        const char *netem, *cc;
        unsigned n, link, golden, jain;
    } row[] = {
        { "rate 5mbit delay 5ms limit 40", "reno", 2, 4782, 4781, 998 },
        { "rate 5mbit delay 5ms limit 40", "cubic", 2, 4782, 4781, 998 },
        { "rate 5mbit delay 20ms limit 50", "reno", 4, 4782, 4776, 996 },
        { "rate 5mbit delay 20ms limit 50", "cubic", 4, 4782, 4781, 995 },
        { "rate 8mbit delay 20ms limit 80", "reno", 8, 7651, 7647, 995 },
        { "rate 8mbit delay 20ms limit 80", "cubic", 8, 7651, 7649, 991 },
    };
    static struct run r;
    unsigned changed = 0;
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(row); i++) {
        run_flows(&r, row[i].netem, row[i].cc, row[i].n, 100);
        unsigned got = goodput(&r, 100), index = jain(&r);
        assert_in_range(got, row[i].link * 9 / 10, row[i].link);
        assert_in_range(index, 950, 1000);
        bool same = got == row[i].golden && index == row[i].jain;
        changed += !same;
        if (!same)
            fprintf(stderr, "{ \"%s\", \"%s\", %u, %u, %u, %u },\n", row[i].netem,
                    row[i].cc, row[i].n, row[i].link, got, index);
    }
    assert_int_equal(changed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flow_without_loss_fills_the_link),
        cmocka_unit_test(a_flow_under_loss_gets_half_of_the_response_function_at_least),
        cmocka_unit_test(equal_flows_share_a_link_equally),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
