/* A stack has one trace sink. At the edge it fans out: frames to the capture,
 * everything to the ladder. Without either the stack gets no sink at all, and an event
 * costs it one test. Counters are read at the end, they need no sink. */
#include "edge/tapir.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "edge/explain.h"

void sinks_event(void *ctx, const struct trace_event *event)
{
    struct tapir *t = ctx;
    bool out = event->kind == TRACE_FRAME_OUT;

    if (t->pcap_on && (out || event->kind == TRACE_FRAME_IN))
        pcapng_frame(&t->pcap, event->u.frame.pkt, out, event->at);
    if (t->ladder_on)
        ladder_event(&t->ladder, event);
}

int sinks_open(struct tapir *t, const struct plan *plan, struct tapir_error *error)
{
    const struct tapir_config *c = &plan->config;
    const char *device = plan->port.name ? plan->port.name : "";
    char what[128];
    int err;

    t->talk = c->talk;
    t->stat_on = c->stat;
    if (c->pcap) {
        err = pcapng_open(&t->pcap, c->pcap, device, c->pcap_raw, t->clock.epoch);
        if (err < 0) {
            snprintf(what, sizeof what, "cannot write the capture %s", c->pcap);
            explain(error, err, what);
            explain_fix(error, "--pcap with a file that can be made, or - for stdout");
            return err;
        }
        t->pcap_on = true;
    }
    if (c->ladder) {
        err = ladder_init(&t->ladder, c->talk);
        if (err < 0)
            return explain(error, err, "cannot draw the ladder");
        t->ladder_on = true;
    }
    return 0;
}

void sinks_close(struct tapir *t)
{
    int err = t->pcap_on ? pcapng_close(&t->pcap) : 0;

    if (err < 0)
        fprintf(t->talk, "the capture is not complete: %s\n", strerror(-err));
    if (t->ladder_on)
        ladder_free(&t->ladder);
    t->pcap_on = t->ladder_on = false;
}

static void print_counters(const struct counters *c, FILE *out)
{
    for (int i = 0; i < COUNT_N; i++)
        if (c->n[i])
            fprintf(out, "%-32s%" PRIu64 "\n", count_name((enum count)i), c->n[i]);
    for (int i = 0; i < DROP_N; i++)
        if (c->drop[i])
            fprintf(out, "%-32s%-12" PRIu64 "dropped: %s\n", drop_name((enum drop)i),
                    c->drop[i], drop_text((enum drop)i));
}

void tapir_print_stat(struct tapir *t, FILE *out)
{
    if (!t->stack)
        return;
    if (!t->sim)
        pthread_mutex_lock(&t->lock);
    print_counters(&t->stack->net.count, out);
    if (!t->sim)
        pthread_mutex_unlock(&t->lock);
}
