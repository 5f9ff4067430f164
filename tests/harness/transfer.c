/* Both ends are moved on between the steps of the pair: each writes what its socket
 * takes and reads what is there. The streams are random bytes of a seed, hashed as they
 * are written and as they are read, so nothing of them is kept. */
#include "harness/transfer.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"

enum { PORT = 80 };

#define MINUTE (60 * USEC_PER_SEC)

static void end_init(struct transfer_end *e, struct sock *s, size_t size, uint64_t seed)
{
    memset(e, 0, sizeof *e);
    e->sock = s;
    e->size = size;
    rng_seed(&e->rng, seed);
    sha256_init(&e->out);
    sha256_init(&e->in);
}

static void refill(struct transfer_end *e)
{
    e->have = min_size(TRANSFER_CHUNK, e->size - e->written);
    e->at = 0;
    for (size_t i = 0; i < e->have; i++)
        e->chunk[i] = (uint8_t)rng_next(&e->rng);
    sha256_add(&e->out, e->chunk, e->have);
}

static void write_some(struct transfer_end *e)
{
    while (e->written < e->size) {
        if (e->at == e->have)
            refill(e);
        struct piece piece = { e->chunk + e->at, e->have - e->at };
        ssize_t n = sock_send(e->sock, &piece, 1, 0, NULL);
        if (n == -EAGAIN)
            return;
        assert_true(n > 0);
        e->at += (size_t)n;
        e->written += (size_t)n;
    }
    if (!e->shut)
        assert_int_equal(sock_shutdown(e->sock, 1), 0);
    e->shut = true;
}

static void read_some(struct transfer_end *e)
{
    uint8_t buf[TRANSFER_CHUNK];
    while (!e->ended) {
        ssize_t n = sock_receive(e->sock, buf, sizeof buf, 0, NULL);
        if (n == -EAGAIN)
            return;
        if (n < 0)
            fail_msg("receive: %s after %zu bytes", strerror((int)-n), e->read);
        e->ended = n == 0;
        e->read += (size_t)n;
        sha256_add(&e->in, buf, (size_t)n);
    }
}

static bool done(void *ctx)
{
    struct transfer *t = ctx;
    bool all = true;
    for (int i = 0; i < 2; i++) {
        write_some(&t->end[i]);
        read_some(&t->end[i]);
        all &= t->end[i].shut && t->end[i].ended;
    }
    return all;
}

static void assert_same(struct transfer_end *from, struct transfer_end *to)
{
    char written[SHA256_TEXT], read[SHA256_TEXT];
    sha256_text(&from->out, written);
    sha256_text(&to->in, read);
    assert_int_equal(from->size, to->read);
    assert_string_equal(written, read);
}

/* Opens, transfers, compares, closes, and waits until both stacks have forgotten. */
void transfer(struct transfer *t, const struct pair_setup *setup,
              const struct transfer_plan *plan)
{
    usec limit = plan->limit ? plan->limit : 30 * MINUTE;
    struct sock *client, *server;

    pair_init(&t->pair, setup);
    struct sock *listener = pair_listen(&t->pair, PAIR_B, PORT);
    pair_connect(&t->pair, listener, &client, &server);
    end_init(&t->end[0], client, plan->to_server, plan->seed + 1);
    end_init(&t->end[1], server, plan->to_client, plan->seed + 2);
    usec began = t->pair.now;
    if (!pair_run_until(&t->pair, done, t, limit))
        fail_msg("%s: read %zu of %zu and %zu of %zu bytes", plan->name, t->end[1].read,
                 plan->to_server, t->end[0].read, plan->to_client);
    t->took = t->pair.now - began;
    assert_same(&t->end[0], &t->end[1]);
    assert_same(&t->end[1], &t->end[0]);
    sock_close(client);
    sock_close(server);
    sock_close(listener);
    pair_run(&t->pair, limit);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(t->pair.host[i].st->tcp.n_tcb, 0);
        assert_int_equal(t->pair.host[i].st->tcp.n_time_wait, 0);
        assert_int_equal(t->pair.host[i].st->net.pool.live, 0);
    }
}

void transfer_run(const struct pair_setup *setup, const struct transfer_plan *plan)
{
    static struct transfer t;

    transfer(&t, setup, plan);
    pair_free(&t.pair);
}

uint64_t transfer_count(const struct transfer *t, enum pair_side side, enum count which)
{
    return t->pair.host[side].st->net.count.n[which];
}
