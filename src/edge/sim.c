/* Hosts, wires, and what happens next.
 *
 *     host a                         wire                         host b
 *     stack ─► [a's netem out] ─► [a.wire_out] ─► [b's netem in] ─► stack
 *     stack ◄─ [a's netem in] ◄─ [b.wire_out] ◄─ [b's netem out] ◄─ stack
 *
 * A wire is one emulator each way. It holds copies in the receiver's packets, and takes
 * a microsecond at least: two hosts that answer each other at once would otherwise stop
 * the clock. An event is one frame that arrives, one host whose time has come, or one
 * wait that is over; of those at the same time, in that order, and hosts in the order
 * they were made. Nothing else moves the clock, so a run is a function of the seed. */
#include "edge/sim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "edge/bsd.h"
#include "edge/explain.h"

struct sim *sim_new(uint64_t seed)
{
    struct sim *sim = calloc(1, sizeof *sim);

    if (!sim)
        return NULL;
    rng_seed(&sim->rng, seed);
    list_init(&sim->hosts);
    sim_baton_init(sim);
    return sim;
}

int64_t sim_now(const struct sim *sim)
{
    return sim->now;
}

/* ---- hosts and wires ---- */

struct tapir *sim_host(struct sim *sim, const struct tapir_config *config,
                       struct tapir_error *error)
{
    struct tapir_config with_seed = { 0 };
    struct tapir_error unused;
    struct tapir *t;
    struct plan plan;
    uint64_t seed = rng_next(&sim->rng);

    error = error ? error : &unused;
    if (config)
        with_seed = *config;
    if (!with_seed.seeded)
        with_seed.seed = seed;
    with_seed.seeded = true;
    if (plan_make(&with_seed, true, &plan, error) < 0) {
        errno = EINVAL;
        return NULL;
    }
    t = tapir_assemble(&plan, error);
    if (!t)
        return NULL;
    t->sim = sim;
    t->now = sim->now;
    loop_link(t);
    list_add_tail(&sim->hosts, &t->sim_node);
    strcpy(t->nif.name, "sim0");
    t->nif.mtu = (uint16_t)plan.port.mtu;
    t->nif.unplugged = true; /* until sim_wire() */
    t->stack->net.now = sim->now;
    if (tapir_attach(t, &plan, error) < 0) {
        list_del(&t->sim_node);
        tapir_release(t);
        return NULL;
    }
    bsd_stack_up(t);
    return t;
}

static void wire_way(struct tapir *from, struct tapir *to,
                     const struct netem_config *config)
{
    struct netem_config c = *config;

    if (!c.on)
        c.limit = UINT32_MAX;
    c.on = true;
    if (c.delay < 1)
        c.delay = 1;
    netem_init(&from->wire_out, &c, rng_next(&from->sim->rng), &from->stack->net.count);
    from->peer = to;
}

int sim_wire(struct sim *sim, struct tapir *a, struct tapir *b, const char *netem)
{
    struct netem_spec spec;
    char why[160];

    memset(&spec, 0, sizeof spec);
    if (a == b || a->sim != sim || b->sim != sim)
        return -EINVAL;
    if (a->peer || b->peer || a->raw || b->raw)
        return -EBUSY;
    if (netem && netem_parse(netem, &spec, why, sizeof why) < 0)
        return -EINVAL;
    wire_way(a, b, &spec.out);
    wire_way(b, a, &spec.in);
    a->nif.up = b->nif.up = true; /* a new network: nobody has to be told */
    return 0;
}

void sim_transmit(struct tapir *t, const struct pkt *p)
{
    struct pkt *copy;

    if (t->raw) {
        raw_keep(t, p);
        return;
    }
    if (!t->peer) {
        net_drop(&t->stack->net, NULL, DROP_LINK_DOWN);
        return;
    }
    copy = pkt_copy(&t->peer->stack->net.pool, p);
    if (copy)
        loop_offer(t, &t->wire_out, copy);
    else
        net_drop(&t->peer->stack->net, NULL, DROP_NO_BUFFER);
}

void sim_link_stats(const struct tapir *from, struct sim_link *out)
{
    const struct tapir *to = from->peer;

    *out = (struct sim_link){ 0 };
    if (!to)
        return;
    out->frames = from->nif.out_frames;
    out->bytes = from->nif.out_bytes;
    out->lost = from->out.lost + from->wire_out.lost + to->in.lost;
    out->delivered = to->nif.in_frames;
}

/* ---- events ---- */

/* What happens next: one of the three. */
struct due {
    usec at;
    struct tapir *sender; /* a frame of its wire arrives */
    struct tapir *host;   /* something of its own is due */
    struct waiter *w;     /* a wait is over */
};

static void find_wires(const struct sim *sim, struct due *d)
{
    list_each (at, &sim->hosts) {
        struct tapir *t = list_entry(at, struct tapir, sim_node);
        usec next = t->peer ? netem_deadline(&t->wire_out) : NEVER;

        if (next < d->at)
            *d = (struct due){ .at = next, .sender = t };
    }
}

static void find_hosts(const struct sim *sim, struct due *d)
{
    list_each (at, &sim->hosts) {
        struct tapir *t = list_entry(at, struct tapir, sim_node);
        usec next = loop_deadline(t);

        if (next < d->at)
            *d = (struct due){ .at = next, .host = t };
    }
}

static void find_waits(const struct sim *sim, struct due *d)
{
    list_each (at, &sim->waiting) {
        struct waiter *w = list_entry(at, struct waiter, waiting);

        if (w->deadline < d->at)
            *d = (struct due){ .at = w->deadline, .w = w };
    }
}

static void happen(struct sim *sim, const struct due *d)
{
    struct tapir *t = d->sender ? d->sender->peer : d->host;
    struct pkt *p;

    if (d->w) {
        sim_resume(sim, d->w, -ETIMEDOUT);
        return;
    }
    t->now = sim->now;
    if (d->sender && (p = netem_take(&d->sender->wire_out, sim->now)))
        loop_input(t, p);
    loop_settle(t);
}

bool sim_event(struct sim *sim)
{
    struct due d = { .at = NEVER };

    find_wires(sim, &d);
    find_hosts(sim, &d);
    find_waits(sim, &d);
    if (d.at == NEVER)
        return false;
    sim->now = usec_max(sim->now, d.at);
    sim->event++;
    happen(sim, &d);
    return true;
}

static bool host_is_quiet(const struct tapir *t)
{
    return !(t->peer && netem_held(&t->wire_out)) &&
           !(t->in.config.on && netem_held(&t->in)) &&
           !(t->out.config.on && netem_held(&t->out)) && tapir_drained(t);
}

bool sim_is_over(const struct sim *sim)
{
    if (sim->n_programs)
        return false;
    list_each (at, &sim->hosts)
        if (!sim->ending && !host_is_quiet(list_entry(at, struct tapir, sim_node)))
            return false;
    return true;
}

/* ---- the end ---- */

static bool all_drained(const struct sim *sim)
{
    list_each (at, &sim->hosts)
        if (!tapir_drained(list_entry(at, struct tapir, sim_node)))
            return false;
    return true;
}

/* As tapir_down() for each: closes, drives a second at most, resets. */
static void take_down(struct sim *sim)
{
    usec limit = sim->now + USEC_PER_SEC;

    list_each (at, &sim->hosts)
        tapir_down(list_entry(at, struct tapir, sim_node));
    while (!all_drained(sim) && sim->now < limit)
        if (!sim_event(sim))
            break;
    list_each (at, &sim->hosts) {
        struct tapir *t = list_entry(at, struct tapir, sim_node);

        tapir_reset_rest(t);
        if (t->stat_on)
            tapir_print_stat(t, t->talk);
    }
}

void sim_free(struct sim *sim)
{
    struct list *first;

    if (!sim)
        return;
    sim_end_programs(sim);
    take_down(sim);
    list_each (at, &sim->hosts) {
        struct tapir *t = list_entry(at, struct tapir, sim_node);

        if (t->peer)
            netem_free(&t->wire_out);
        raw_free(t);
    }
    while ((first = list_pop(&sim->hosts)))
        tapir_release(list_entry(first, struct tapir, sim_node));
    free(sim);
}
