/* A RST or a SYN at every place relative to the window, in every synchronized state,
 * by RFC 5961 and, where it is switched off, by RFC 793. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/bytes.h"
#include "harness/peer_ask.h"

static struct peer p;

enum { NEITHER, SHUTDOWN, PEERS_FIN };

/* How each state is reached; the window is 65535 in all of them. */
static const struct state {
    const char *name;
    int first;          /* what happened first: our shutdown or the peer's FIN */
    const char *answer; /* then the peer sent this */
    bool second;        /* then we shut down too */
    unsigned nxt, rcv;  /* SND.NXT, RCV.NXT */
} states[] = {
    { "ESTAB", NEITHER, NULL, false, 1, 1 },
    { "FIN-WAIT-1", SHUTDOWN, NULL, false, 2, 1 },
    { "FIN-WAIT-2", SHUTDOWN, ". 1:1(0) ack 2 win 65535", false, 2, 1 },
    { "CLOSING", SHUTDOWN, "F. 1:1(0) ack 1 win 65535", false, 2, 2 },
    { "CLOSE-WAIT", PEERS_FIN, NULL, false, 1, 2 },
    { "LAST-ACK", PEERS_FIN, NULL, true, 2, 2 },
};

static struct sock *reach(const struct state *to)
{
    struct sock *s = peer_establish(&p, "<mss 1460>");

    if (to->first == SHUTDOWN)
        sock_shutdown(s, 1);
    if (to->first == PEERS_FIN)
        peer_send(&p, "F. 1:1(0) ack 1 win 65535");
    if (to->answer)
        peer_send(&p, to->answer);
    if (to->second)
        sock_shutdown(s, 1);
    peer_skip(&p);
    assert_string_equal(peer_state(s), to->name);
    return s;
}

/* A segment with these flags and no text at `seq`, into the state. */
static struct sock *arrives(const struct state *to, const char *flags, unsigned seq)
{
    char line[PEER_LINE];
    struct sock *s = reach(to);

    snprintf(line, sizeof line, "%s %u:%u(0) win 1000", flags, seq, seq);
    peer_send(&p, line);
    return s;
}

static void expect(const struct state *at, const char *flags)
{
    char line[PEER_LINE];

    snprintf(line, sizeof line, "%s %u:%u(0) ack %u", flags, at->nxt, at->nxt, at->rcv);
    peer_expect(&p, line);
}

enum where { BEFORE, EXACT, INSIDE, RIGHT_EDGE, BEYOND, WHERE_N };

static unsigned place(const struct state *at, enum where where)
{
    const unsigned seq[WHERE_N] = { at->rcv - 1, at->rcv, at->rcv + 1, at->rcv + 65534,
                                    at->rcv + 65535 };

    return seq[where];
}

/* RFC 5961 s3.2, or RFC 793 p. 37: "a reset is valid if its sequence number is in the
 * window". */
static void a_reset_in_each_state(void **state)
{
    enum { IGNORED, CHALLENGED, RESET };
    static const int does[2][WHERE_N] = {
        { IGNORED, RESET, CHALLENGED, CHALLENGED, IGNORED },
        { IGNORED, RESET, RESET, RESET, IGNORED },
    };

    for (int insecure = 0; insecure < 2; insecure++)
        for (size_t i = 0; i < ARRAY_LEN(states) * WHERE_N; i++) {
            const struct state *at = &states[i / WHERE_N];
            enum where where = (enum where)(i % WHERE_N);
            peer_init(&p);
            peer_sysctl(&p, "tapir.tcp_insecure_rst", insecure ? "1" : "0");
            struct sock *s = arrives(at, "R", place(at, where));
            if (does[insecure][where] == CHALLENGED)
                expect(at, ".");
            peer_expect_nothing(&p);
            bool reset = does[insecure][where] == RESET;
            assert_string_equal(peer_state(s), reset ? "CLOSED" : at->name);
            sock_close(s);
            peer_free(&p);
        }
}

/* RFC 5961 s4.2: challenged wherever it stands. RFC 793 p. 71: in the window it is an
 * error, which a RST answers; else it is acknowledged like any old segment. */
static void a_syn_in_each_state(void **state)
{
    static const bool ends[2][WHERE_N] = {
        { false, false, false, false, false },
        { false, true, true, true, false },
    };

    for (int insecure = 0; insecure < 2; insecure++)
        for (size_t i = 0; i < ARRAY_LEN(states) * WHERE_N; i++) {
            const struct state *at = &states[i / WHERE_N];
            enum where where = (enum where)(i % WHERE_N);
            bool reset = ends[insecure][where];
            peer_init(&p);
            peer_sysctl(&p, "tapir.tcp_insecure_syn", insecure ? "1" : "0");
            struct sock *s = arrives(at, "S", place(at, where));
            expect(at, reset ? "R." : ".");
            peer_expect_nothing(&p);
            assert_string_equal(peer_state(s), reset ? "CLOSED" : at->name);
            sock_close(s);
            peer_free(&p);
        }
}

static void a_syn_that_ends_a_connection_tells_econnreset(void **state)
{
    peer_init(&p);
    peer_sysctl(&p, "tapir.tcp_insecure_syn", "1");
    struct sock *s = arrives(&states[0], "S", 1);
    assert_int_equal(peer_read_result(s), -ECONNRESET);
    sock_close(s);
    peer_free(&p);
}

/* RFC 793 p. 37 and 70 against RFC 5961 s3.2, in SYN-RECEIVED: a listener goes back to
 * LISTEN, an active open is refused. */
static void a_reset_in_the_window_in_syn_received(void **state)
{
    for (int insecure = 0; insecure < 2; insecure++) {
        peer_init(&p);
        peer_sysctl(&p, "tapir.tcp_insecure_rst", insecure ? "1" : "0");
        struct sock *l = peer_listen(&p, 80);
        peer_send(&p, "S 0:0(0) win 1000");
        peer_expect(&p, "S. 0:0(0) ack 1 <...>");
        peer_send(&p, "R 65535:65535(0) win 1000");
        if (!insecure)
            peer_expect(&p, ". 1:1(0) ack 1");
        peer_expect_nothing(&p);
        assert_int_equal(peer_count(&p, "TcpAttemptFails"), insecure);
        sock_close(l);

        peer_use(&p, 1);
        struct sock *s = peer_connect(&p, 4000);
        peer_expect(&p, "S 0:0(0) <...>");
        peer_send(&p, "S 0:0(0) win 1000 <mss 1460>");
        peer_expect(&p, "S. 0:0(0) ack 1 <...>");
        peer_send(&p, "R 65535:65535(0) win 1000");
        if (!insecure)
            peer_expect(&p, ". 1:1(0) ack 1");
        peer_expect_nothing(&p);
        assert_string_equal(peer_state(s), insecure ? "CLOSED" : "SYN-RECV");
        if (insecure)
            assert_int_equal(peer_connect_result(&p, s), -ECONNREFUSED);
        sock_close(s);
        peer_free(&p);
    }
}

/* RFC 9293 s3.10.7.2, third: "any other incoming control or data (combined with SYN)
 * will be processed in the SYN-RECEIVED state": it comes again. */
static void a_syn_with_fin_opens_where_that_is_permitted(void **state)
{
    static const struct {
        const char *drop_synfin;
        bool listener, connecting; /* answers it */
    } row[] = { { "0", true, true }, { "1", false, true }, { "2", false, false } };

    for (size_t i = 0; i < ARRAY_LEN(row); i++) {
        peer_init(&p);
        peer_sysctl(&p, "tapir.tcp_drop_synfin", row[i].drop_synfin);
        struct sock *l = peer_listen(&p, 80);
        peer_send(&p, "SF 0:3(3) win 1000");
        if (row[i].listener)
            peer_expect(&p, "S. 0:0(0) ack 1 <...>");
        peer_expect_nothing(&p);
        sock_close(l);

        peer_use(&p, 1);
        struct sock *s = peer_connect(&p, 4000);
        peer_expect(&p, "S 0:0(0) <...>");
        peer_send(&p, "SF 0:0(0) win 1000");
        if (row[i].connecting)
            peer_expect(&p, "S. 0:0(0) ack 1 <...>");
        peer_expect_nothing(&p);
        sock_close(s);
        peer_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reset_in_each_state),
        cmocka_unit_test(a_syn_in_each_state),
        cmocka_unit_test(a_syn_that_ends_a_connection_tells_econnreset),
        cmocka_unit_test(a_reset_in_the_window_in_syn_received),
        cmocka_unit_test(a_syn_with_fin_opens_where_that_is_permitted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
