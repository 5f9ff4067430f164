/* tapir page: a page and its objects over an emulated path, fetched in each of several
 * ways, beside what the formulae say. On --link sim, which is the default, both ends
 * and the path are in virtual time; on a live link this is the client, the path is the
 * link emulator and the server stands behind "--"; on --link kernel the kernel is the
 * client, over whatever path it has. The lab itself is tools/lab. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/endpoint.h"
#include "commands.h"
#include "edge/netem_units.h"
#include "lab/report.h"
#include "options.h"
#include "turns.h"

enum {
    OPT_PAGE = 256,
    OPT_OBJECTS,
    OPT_SIZE,
    OPT_CONNECTIONS,
    OPT_RTT,
    OPT_RATE,
    OPT_IW,
    OPT_STRATEGY,
    OPT_LOSS,
    OPT_JSON,
    OPT_TABLE,
    OPT_WATERFALL,
    OPT_SVG,
    OPT_HAR,
    OPT_SITE,
    OPT_SERVER,
    OPT_PORT,
    STRATEGIES = 16,
};

static const struct option_row rows[] = {
    { OPT_PAGE, 0, "page", true },    { OPT_OBJECTS, 0, "objects", true },
    { OPT_SIZE, 0, "size", true },    { OPT_CONNECTIONS, 'c', "connections", true },
    { OPT_RTT, 0, "rtt", true },      { OPT_RATE, 0, "rate", true },
    { OPT_IW, 0, "iw", true },        { OPT_STRATEGY, 0, "strategy", true },
    { OPT_LOSS, 0, "loss", true },    { OPT_JSON, 0, "json", false },
    { OPT_TABLE, 0, "table", false }, { OPT_WATERFALL, 0, "waterfall", false },
    { OPT_SVG, 0, "svg", true },      { OPT_HAR, 0, "har", true },
    { OPT_SITE, 0, "site", true },    { OPT_SERVER, 0, "server", true },
    { OPT_PORT, 'p', "port", true },  { 0, 0, NULL, false },
};

struct page {
    struct page_setup setup;
    struct page_server server;
    struct page_run run[STRATEGIES];
    unsigned n;
    const char *link;
    bool json, table, waterfall;
    bool elsewhere; /* --server or --port was given */
    const char *svg, *har, *site;
};

/* --- options --- */

static bool take_unsigned(const char *name, const char *value, unsigned min,
                          unsigned max, unsigned *out)
{
    long long n;

    if (!option_number(name, value, min, max, &n))
        return false;
    *out = (unsigned)n;
    return true;
}

static bool take_bytes(const char *name, const char *value, uint64_t *out)
{
    long long n;

    if (!option_number(name, value, 1, 1 << 30, &n))
        return false;
    *out = (uint64_t)n;
    return true;
}

static bool take_rtt(const char *value, int64_t *out)
{
    double ms;

    if (!option_decimal("--rtt", value, 0.002, 100000, &ms))
        return false;
    *out = (int64_t)(ms * 1000 + 0.5);
    return true;
}

static bool take_rate(const char *value, uint64_t *out)
{
    if (netem_read_rate(value, out))
        return true;
    tell("bad value for --rate", "it takes a rate in netem's words", "--rate 10mbit");
    return false;
}

static bool add_strategy(struct page *page, const char *name)
{
    page->run[page->n].how = strategy_find(name);
    if (page->run[page->n].how && page->n < STRATEGIES - 1) {
        page->n++;
        return true;
    }
    tell("bad value for --strategy",
         "there are single, serial, parallel, keepalive, kparallel, pipelined and all",
         "--strategy serial,pipelined");
    return false;
}

static bool take_strategies(struct page *page, const char *value)
{
    char list[200];

    snprintf(list, sizeof list, "%s", value);
    page->n = 0;
    if (strcmp(value, "all") == 0) {
        for (const struct strategy *s = strategies; s->name; s++)
            page->run[page->n++].how = s;
        return true;
    }
    for (char *save = NULL, *name = strtok_r(list, ",", &save); name;
         name = strtok_r(NULL, ",", &save))
        if (!add_strategy(page, name))
            return false;
    return page->n > 0 || add_strategy(page, "");
}

static bool take_server(struct page *page, const char *value)
{
    union endpoint e;

    page->server.address = value;
    page->elsewhere = true;
    if (endpoint_parse(value, 0, &e))
        return true;
    tell_usage("--server takes an address", "tapir page --server 192.0.2.1");
    return false;
}

static bool take_path(struct page *page, int id, const char *value)
{
    struct page_setup *s = &page->setup;

    switch (id) {
    case OPT_PAGE:
        return take_bytes("--page", value, &s->page);
    case OPT_SIZE:
        return take_bytes("--size", value, &s->size);
    case OPT_OBJECTS:
        return take_unsigned("--objects", value, 0, PAGE_OBJECTS, &s->objects);
    case OPT_CONNECTIONS:
        return take_unsigned("--connections", value, 1, THEORY_LANES, &s->connections);
    case OPT_RTT:
        return take_rtt(value, &s->rtt);
    case OPT_RATE:
        return take_rate(value, &s->rate);
    case OPT_IW:
        return take_unsigned("--iw", value, 1, 10000, &s->window);
    case OPT_LOSS:
        return option_decimal("--loss", value, 0, 90, &s->loss);
    default:
        return take_strategies(page, value);
    }
}

static bool take_option(struct page *page, int id, const char *value)
{
    long long port;

    switch (id) {
    case OPT_JSON:
        return page->json = true;
    case OPT_TABLE:
        return page->table = true;
    case OPT_WATERFALL:
        return page->waterfall = true;
    case OPT_SVG:
        page->svg = value;
        return true;
    case OPT_HAR:
        page->har = value;
        return true;
    case OPT_SITE:
        page->site = value;
        return true;
    case OPT_SERVER:
        return take_server(page, value);
    case OPT_PORT:
        if (!option_number("--port", value, 1, 65535, &port))
            return false;
        page->server.port = (uint16_t)port;
        return page->elsewhere = true;
    case OPT_WORD:
        tell_usage("page takes options only", "tapir help page");
        return false;
    default:
        return take_path(page, id, value);
    }
}

/* --- output --- */

static FILE *open_out(const char *path)
{
    char what[200];
    FILE *out = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");

    if (!out) {
        snprintf(what, sizeof what, "cannot write %.100s: %s", path, strerror(errno));
        tell(what, "it names a file that cannot be opened for writing", NULL);
    }
    return out;
}

static bool close_out(FILE *out)
{
    if (out == stdout || fclose(out) == 0)
        return true;
    tell("a file could not be written whole", strerror(errno), NULL);
    return false;
}

static bool write_files(const struct page *page)
{
    FILE *svg = page->svg ? open_out(page->svg) : NULL;
    FILE *har = page->har ? open_out(page->har) : NULL;
    bool ok = (svg || !page->svg) && (har || !page->har);

    if (svg) {
        waterfall_svg(svg, &page->setup, page->run, page->n);
        ok &= close_out(svg);
    }
    if (har) {
        har_write(har, &page->server, &page->setup, page->run, page->n);
        ok &= close_out(har);
    }
    return ok;
}

static int report(struct page *page)
{
    int status = write_files(page) ? 0 : 1;

    if (page->json)
        report_json(stdout, &page->setup, page->link, page->run, page->n);
    if (page->table || (!page->json && !page->waterfall)) {
        report_setup(stdout, &page->setup, page->link);
        report_table(stdout, page->run, page->n);
    }
    for (unsigned i = 0; i < page->n; i++) {
        if (page->waterfall && page->run[i].done)
            waterfall_text(stdout, &page->run[i]);
        if (!page->run[i].done) {
            tell("a page could not be fetched", page->run[i].record.error, NULL);
            status = 1;
        }
        record_free(&page->run[i].record);
    }
    if (page->waterfall)
        waterfall_legend(stdout);
    return status;
}

/* --- runs --- */

static void judge(struct page *page, struct page_run *run, bool done)
{
    run->done = done;
    if (done)
        predict(run->how, &page->setup, &run->record, &run->prediction);
}

static int run_simulated(struct page *page)
{
    turns_on_one_processor();
    for (unsigned i = 0; i < page->n; i++) {
        struct page_run *run = &page->run[i];
        judge(page, run, path_simulate(run->how, &page->setup, &run->record));
    }
    return report(page);
}

static int live_body(struct options *o, void *arg)
{
    struct page *page = arg;

    options_wait_far(o, page->server.port);
    path_greet(&page->server, page->setup.rtt);
    for (unsigned i = 0; i < page->n; i++) {
        struct page_run *run = &page->run[i];
        judge(page, run,
              strategy_run(run->how, &page->setup, &page->server, &run->record));
    }
    return report(page);
}

static bool is_kernel(const struct options *o)
{
    return o->config.link && strcmp(o->config.link, "kernel") == 0;
}

/* The path is the emulator on our side of the link, both ways; over the kernel's
 * sockets it is what the kernel has. */
static int run_live(struct options *o, struct page *page)
{
    const char *sysctl[PAGE_SYSCTL];
    char words[160], window[40];
    struct job job = { .body = live_body, .arg = page, .failed = 1 };

    if (is_kernel(o))
        return options_run(o, &job);
    path_words(&page->setup, words, sizeof words);
    o->config.netem = words;
    o->config.sysctl = sysctl;
    o->config.n_sysctl = path_sysctl(&page->setup, sysctl, window);
    o->config.no_offload = true;
    return options_run(o, &job);
}

static bool write_site(const struct page *page)
{
    int err = page->site ? site_write(page->site, &page->setup) : 0;

    if (err < 0)
        tell("the page could not be written as files", strerror(-err),
             "--site DIR names a directory, or one that can be made");
    return err == 0;
}

/* What the path has of itself: an option of the stack that would be taken and do
 * nothing is refused. */
static int check_stack_options(const struct options *o)
{
    static const char *const none[] = { "addr",    "gateway",    "host-addr", "mac",
                                        "profile", "no-offload", "pcap-raw",  NULL };
    char what[80];

    if (options_given(o, "mtu"))
        return tell_usage("the formulae are for an MTU of 1500", "leave --mtu away");
    for (int i = 0; !o->config.link && none[i]; i++)
        if (options_given(o, none[i])) {
            snprintf(what, sizeof what, "--%s has no use in virtual time", none[i]);
            return tell_usage(what, "leave it away, or --link ns");
        }
    return 0;
}

static int check_call(const struct options *o, const struct page *page)
{
    if (o->config.netem)
        return tell_usage("page makes its path itself",
                          "--rtt, --rate and --loss instead of --netem");
    if (o->config.pcap && page->n > 1 && !o->config.link)
        return tell_usage("each strategy is a run of its own, --pcap wants one",
                          "--strategy pipelined --pcap FILE");
    if (o->command && !o->config.link)
        return tell_usage("a COMMAND needs a live link", "--link ns -- COMMAND");
    if (is_kernel(o) && page->setup.loss > 0)
        return tell_usage("on --link kernel the path is the kernel's: it has no --loss",
                          "leave --loss away, or --link ns");
    if (page->elsewhere && !o->config.link)
        return tell_usage("--server and --port are for a live link",
                          "--link ns --server 192.0.2.1 -- COMMAND");
    return check_stack_options(o);
}

int page_command(int argc, char **argv)
{
    static struct page page; /* too large for a stack frame to be nice */
    struct options o;
    int id, wrong;

    page.setup = (struct page_setup){ .page = 8192,
                                      .size = 20000,
                                      .objects = 10,
                                      .connections = 4,
                                      .rtt = 100000,
                                      .rate = 10000000,
                                      .window = 10,
                                      .seed = 1 };
    page.server = (struct page_server){ NULL, PAGE_PORT };
    take_strategies(&page, "all");
    options_init(&o, argc, argv);
    o.config.link = NULL;
    while ((id = options_next(&o, rows)) != OPT_END) {
        if (id == OPT_BAD || id == OPT_HELP)
            return options_exit(id);
        if (!take_option(&page, id, o.value))
            return 2;
    }
    wrong = check_call(&o, &page);
    if (wrong)
        return wrong;
    page.link = o.config.link ? o.config.link : "sim";
    if (!page.server.address)
        page.server.address = is_kernel(&o) ? "127.0.0.1" : "192.0.2.1";
    page.setup.sysctl = o.config.sysctl;
    page.setup.n_sysctl = (unsigned)o.config.n_sysctl;
    page.setup.seed = o.config.seeded ? o.config.seed : 1;
    page.setup.pcap = o.config.pcap;
    page.setup.ladder = o.config.ladder;
    page.setup.stat = o.config.stat;
    if (!write_site(&page))
        return 1;
    return o.config.link ? run_live(&o, &page) : run_simulated(&page);
}
