/* tapir wire: an Ethernet cable between two links, with the emulator in it, in real
 * time. It has no stack: two kernels, or a kernel and any other stack, talk through
 * it. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>

#include "commands.h"
#include "edge/bridge.h"
#include "options.h"

enum { OPT_LINK = 256, MTU_DEFAULT = 1500 };

struct wire {
    const char *link[2];
    int n_links;
    double seconds; /* 0: until a signal */
    struct netem_spec spec;
    struct bridge bridge;
    struct pcapng pcap;
};

static const struct option_row rows[] = {
    { OPT_LINK, 0, "link", true },
    { 't', 't', "time", true },
    { 0, 0, NULL, false },
};

/* ---- options ---- */

static bool take_link(struct wire *w, const char *link)
{
    struct tapir_error error;
    struct port_setup setup;
    int err = port_parse(link, &setup, &error);

    if (w->n_links == 2) {
        tell_usage("wire has two ends, and this is a third --link", "tapir help wire");
        return false;
    }
    if (w->n_links == 1 && strcmp(link, w->link[0]) == 0) {
        tell_usage("both ends of the wire are the same --link", "tapir help wire");
        return false;
    }
    w->link[w->n_links++] = link;
    if (err == -EINVAL)
        tell(error.what, error.cause, error.fix);
    if (err == -ENOENT)
        tell_usage("the ends of a wire are tap:NAME, unix:PATH or fd:N",
                   "tapir wire --link tap:a --link tap:b");
    return err == 0;
}

/* Options of the stack that a cable has no use for. */
static bool refuse_stack_options(const struct options *o)
{
    static const char *const none[] = { "addr",     "gateway",    "host-addr", "mac",
                                        "sysctl",   "no-offload", "profile",   "ladder",
                                        "pcap-raw", NULL };
    char what[80];

    for (int i = 0; none[i]; i++) {
        if (!options_given(o, none[i]))
            continue;
        snprintf(what, sizeof what, "wire has no stack, and so no --%s", none[i]);
        tell_usage(what, "tapir help wire");
        return false;
    }
    if (o->command)
        tell_usage("wire runs no COMMAND", "start it beside the wire");
    return !o->command;
}

static bool take_netem(struct wire *w, const char *spec)
{
    char why[160], what[200];

    if (!spec || netem_parse(spec, &w->spec, why, sizeof why) == 0)
        return true;
    snprintf(what, sizeof what, "bad --netem '%.80s'", spec);
    tell(what, why, "--netem 'delay 20ms 5ms loss 1% rate 10mbit'");
    return false;
}

static bool take_seed(struct options *o)
{
    if (o->config.seeded)
        return true;
    if (getrandom(&o->config.seed, sizeof o->config.seed, 0) < 0) {
        tell("cannot get random numbers", strerror(errno), "--seed N");
        return false;
    }
    if (o->config.netem)
        fprintf(stderr, "seed %" PRIu64 "\n", o->config.seed);
    return true;
}

/* ---- running ---- */

static struct port *open_end(const struct options *o, const char *link)
{
    struct port_setup setup = { .mtu = o->config.mtu ? o->config.mtu : MTU_DEFAULT };
    struct tapir_error error = { .what = "" };
    struct port *port = NULL;

    if (port_parse(link, &setup, &error) == 0)
        port = port_open(&setup, &error);
    if (!port)
        tell(error.what, error.cause, error.fix);
    return port;
}

static bool open_capture(struct wire *w, const char *file)
{
    char what[160];
    int err;

    if (!file)
        return true;
    err = pcapng_open(&w->pcap, file, w->link[0], false, w->bridge.clock.epoch);
    if (err < 0) {
        snprintf(what, sizeof what, "cannot write the capture %.100s", file);
        tell(what, strerror(-err), "--pcap with a file that can be made");
        return false;
    }
    pcapng_interface(&w->pcap, w->link[1]);
    w->bridge.pcap = &w->pcap;
    return true;
}

static void tell_way(const struct wire *w, int i, bool stat)
{
    const struct bridge_way *way = &w->bridge.way[i];
    const struct counters *c = &way->net.count;

    fprintf(stderr,
            "%s -> %s: %" PRIu64 " frames, %" PRIu64 " bytes in; %" PRIu64
            " frames, %" PRIu64 " bytes out\n",
            w->link[i], w->link[1 - i], way->in_frames, way->in_bytes, way->out_frames,
            way->out_bytes);
    for (int k = 0; stat && k < COUNT_N; k++)
        if (c->n[k])
            fprintf(stderr, "%-32s%" PRIu64 "\n", count_name((enum count)k), c->n[k]);
    for (int k = 0; stat && k < DROP_N; k++)
        if (c->drop[k])
            fprintf(stderr, "%-32s%-12" PRIu64 "dropped: %s\n", drop_name((enum drop)k),
                    c->drop[k], drop_text((enum drop)k));
}

static int tell_death(const struct wire *w)
{
    for (int i = 0; i < 2; i++) {
        char what[160];

        if (!w->bridge.port[i]->dead)
            continue;
        snprintf(what, sizeof what, "the wire has lost its end %.100s", w->link[i]);
        tell(what, w->bridge.port[i]->why, "start it again");
    }
    return 1;
}

static int carry(struct options *o, struct wire *w)
{
    usec until = NEVER;
    int status = 0, err;

    fprintf(stderr, "serving the wire %s -- %s\n", w->link[0], w->link[1]);
    if (w->seconds > 0)
        until = clock_read(&w->bridge.clock) + (usec)(w->seconds * 1e6);
    if (bridge_run(&w->bridge, o->stop_fd, until) < 0)
        status = tell_death(w);
    for (int i = 0; i < 2; i++)
        tell_way(w, i, o->config.stat);
    err = w->bridge.pcap ? pcapng_close(&w->pcap) : 0;
    if (err < 0)
        fprintf(stderr, "the capture is not complete: %s\n", strerror(-err));
    return err < 0 ? 1 : status;
}

static int wire_body(struct options *o, void *arg)
{
    struct wire *w = arg;
    struct port *first = open_end(o, w->link[0]);
    struct port *second = first ? open_end(o, w->link[1]) : NULL;
    int status = 1;

    if (!second) {
        port_close(first);
        return 1;
    }
    bridge_init(&w->bridge, first, second, &w->spec, o->config.seed);
    if (open_capture(w, o->config.pcap))
        status = carry(o, w);
    bridge_free(&w->bridge);
    return status;
}

int wire_run(int argc, char **argv)
{
    static struct wire w;
    struct options o;
    int id;

    options_init(&o, argc, argv);
    while ((id = options_next(&o, rows)) != OPT_END) {
        if (id == OPT_WORD)
            return tell_usage("wire takes options only", "tapir help wire");
        if (id == OPT_LINK ? !take_link(&w, o.value)
            : id == 't'    ? !option_decimal("-t", o.value, 0.001, 1e7, &w.seconds)
                           : true)
            return options_exit(id);
    }
    if (w.n_links < 2)
        return tell_usage("wire needs two ends",
                          "tapir wire --link tap:a --link tap:b --netem 'delay 20ms'");
    if (!refuse_stack_options(&o) || !take_netem(&w, o.config.netem) || !take_seed(&o))
        return 2;
    o.sim = false; /* TAPIR_LINK is for stacks */
    o.config.link = "ns";
    return options_run(
        &o,
        &(struct job){
            .body = wire_body, .arg = &w, .failed = 1, .watches = true, .bare = true });
}
