/* tapir sim: two hosts of ours, a wire with the link emulator in it, and some bulk
 * flows over it, in virtual time: a minute of network takes a moment, and a seed gives
 * the same run again. Figures go to stdout, a time series to --csv FILE. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "options.h"
#include "sim.h"
#include "turns.h"

enum { OPT_CC = 256, OPT_CSV, OPT_INTERVAL, OPT_STAGGER };

/* A run that is not over by then hangs: a day of virtual time. */
static const int64_t run_limit = 24LL * 3600 * 1000000;

static const struct option_row rows[] = {
    { 'P', 'P', "parallel", true },      { 't', 't', "time", true },
    { 'n', 'n', "bytes", true },         { 'R', 'R', "reverse", false },
    { OPT_CC, 'C', "congestion", true }, { OPT_STAGGER, 0, "stagger", true },
    { OPT_CSV, 0, "csv", true },         { OPT_INTERVAL, 'i', "interval", true },
    { 'J', 'J', "json", false },         { 0, 0, NULL, false },
};

/* --- options --- */

/* "10M": K, M, G in 1024, as iperf3's -n. */
static bool take_size(const char *text, uint64_t *out)
{
    static const char units[] = "kmg";
    char *end;
    double n = strtod(text, &end);
    const char *unit = *end ? strchr(units, tolower((unsigned char)*end)) : NULL;

    if (unit) {
        for (const char *u = units; u <= unit; u++)
            n *= 1024;
        end++;
    }
    if (end != text && *end == '\0' && n >= 1 && n <= 1e13) {
        *out = (uint64_t)n;
        return true;
    }
    tell("bad value for -n", "it takes bytes, such as 500, 64K or 10M", "-n 10M");
    return false;
}

/* "cubic,reno": the flows take them in turn. */
static bool take_controllers(struct simulation *run, char *list)
{
    for (char *save = NULL, *name = strtok_r(list, ",", &save); name;
         name = strtok_r(NULL, ",", &save)) {
        if (run->n_cc == SIM_FLOWS || strlen(name) >= SIM_CC_NAME) {
            tell("bad value for -C", "it takes names of congestion controllers",
                 "-C cubic,reno");
            return false;
        }
        run->cc[run->n_cc++] = name;
    }
    return true;
}

static bool take_option(struct simulation *run, int id, const char *value)
{
    switch (id) {
    case 'P':
        return option_number("-P", value, 1, SIM_FLOWS, &run->n);
    case 't':
        return option_decimal("-t", value, 0.001, 86400, &run->seconds);
    case 'n':
        return take_size(value, &run->size);
    case OPT_STAGGER:
        return option_decimal("--stagger", value, 0, 3600, &run->stagger);
    case OPT_INTERVAL:
        return option_decimal("-i", value, 0.0001, 3600, &run->interval);
    case OPT_CC:
        return take_controllers(run, strdup(value));
    case OPT_CSV:
        run->csv_path = value;
        return true;
    case 'R':
        run->reverse = true;
        return true;
    case 'J':
        run->json = true;
        return true;
    default:
        tell_usage("sim takes options only", "tapir help sim");
        return false;
    }
}

/* --- the run --- */

static bool open_csv(struct simulation *run)
{
    char what[160];

    if (!run->csv_path)
        return true;
    run->csv = strcmp(run->csv_path, "-") == 0 ? stdout : fopen(run->csv_path, "we");
    if (run->csv)
        return true;
    snprintf(what, sizeof what, "cannot write %.100s: %s", run->csv_path,
             strerror(errno));
    tell(what, "--csv names a file that cannot be opened for writing", "--csv -");
    return false;
}

static struct tapir *add_host(struct sim *sim, struct tapir_config *config,
                              const char *addr)
{
    struct tapir_error error = { .what = "" };

    config->addr = addr;
    config->gateway = "";
    struct tapir *t = sim_host(sim, config, &error);
    if (!t)
        tell(error.what, error.cause, error.fix);
    return t;
}

/* The emulator stands on a's side of the wire; the capture and the ladder are a's. */
static int make_network(struct sim *sim, struct options *o, struct simulation *run)
{
    struct tapir_config near = o->config, far = o->config;

    near.netem = run->netem;
    far.netem = far.pcap = NULL;
    far.ladder = far.stat = false;
    far.seeded = near.seeded = false;
    run->a = add_host(sim, &near, "192.0.2.1/24");
    run->b = run->a ? add_host(sim, &far, "192.0.2.2/24") : NULL;
    if (!run->b)
        return 2;
    return sim_wire(sim, run->a, run->b, NULL) == 0 ? 0 : 1;
}

static int run_flows(struct sim *sim, struct simulation *run)
{
    int err = sim_flows_start(run);
    int status = 0;

    if (err == 0)
        err = sim_run(sim, run_limit);
    if (err < 0) {
        tell("the simulation did not come to its end", strerror(-err),
             "look at it with --ladder, or with -t 1");
        status = 1;
    }
    sim_report(run);
    for (unsigned i = 0; i < run->n; i++)
        if (run->flow[i].error[0])
            status = 1;
    return status;
}

static int simulate(struct options *o, struct simulation *run)
{
    struct sim *sim = sim_new(run->seed);
    int status = 1;

    run->sim = sim;
    if (!sim)
        tell("no memory", NULL, NULL);
    else if ((status = make_network(sim, o, run)) == 0)
        status = run_flows(sim, run);
    sim_free(sim);
    if (run->csv && run->csv != stdout && fclose(run->csv) != 0) {
        tell("the CSV could not be written whole", strerror(errno), NULL);
        status = 1;
    }
    return status;
}

int simulation_run(int argc, char **argv)
{
    static struct simulation run; /* too large for a stack frame to be nice */
    struct options o;
    int id;

    run.n = 1;
    run.seconds = 10;
    run.interval = 0.1;
    options_init(&o, argc, argv);
    o.config.link = NULL;
    while ((id = options_next(&o, rows)) != OPT_END) {
        if (id == OPT_BAD || id == OPT_HELP)
            return options_exit(id);
        if (!take_option(&run, id, o.value))
            return 2;
    }
    if (o.config.link || o.command)
        return tell_usage("sim has a link of its own, in virtual time",
                          "tapir sim, without --link and without -- COMMAND");
    run.netem = o.config.netem ? o.config.netem : "delay 10ms rate 10mbit limit 50";
    run.seed = o.config.seeded ? o.config.seed : 1;
    if (!open_csv(&run))
        return 1;
    turns_on_one_processor();
    return simulate(&o, &run);
}
