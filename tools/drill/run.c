/* How a script is played.
 *
 *     script (the thread outside)         a program of the host
 *        │ wait until the event is due        (only for +0...T calls)
 *        ├─ packet in   raw_put()
 *        ├─ packet out  raw_wait(), raw_take(), compare
 *        ├─ call        tapir_*() here, or there if it may wait
 *        ├─ `shell`     sets the stack
 *        └─ %{ code }%  looks at TCP_INFO
 *
 * Script time is virtual time, from 0 on. A relative time counts from when the event
 * before was to happen; behind one with a range or a *, from when it did. What happens
 * is compared with a tolerance, as packetdrill does: a script that was written for a
 * real clock keeps its meaning. */
#include "run.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "edge/raw.h"
#include "info.h"

/* ---- what is told ---- */

void run_fail(struct run *r, const struct event *e, const char *format, ...)
{
    struct verdict *v = r->verdict;
    va_list args;

    if (r->failed || r->over)
        return;
    r->failed = true;
    v->kind = VERDICT_FAIL;
    v->line = e ? e->line : 0;
    v->at = r->sim ? sim_now(r->sim) : 0;
    va_start(args, format);
    vsnprintf(v->message, sizeof v->message, format, args);
    va_end(args);
}

void run_note(struct run *r, int line, const char *format, ...)
{
    va_list args;

    fprintf(r->notes, "%s:%d: ", r->script->file, line);
    va_start(args, format);
    vfprintf(r->notes, format, args);
    va_end(args);
    fputc('\n', r->notes);
}

/* ---- time ---- */

static bool has_own_time(const struct event *e)
{
    return e->when.kind == WHEN_AT || e->when.kind == WHEN_AFTER;
}

static bool arrives(const struct event *e)
{
    return e->kind == EVENT_PACKET && !e->packet->outbound;
}

/* When the event is due, and how exact that is. Packets that arrive one behind the
 * other are counted from each other; else a relative time begins when the event before
 * was over, be it late or early, as packetdrill has it. */
static void set_due(struct run *r, const struct event *e)
{
    const struct when *w = &e->when;
    bool relative = w->kind == WHEN_AFTER || w->kind == WHEN_WITHIN_NEXT;
    usec now = sim_now(r->sim), base = 0, since;

    if (w->kind == WHEN_ANY)
        base = now;
    else if (relative)
        base = r->last_arrived && arrives(e) ? r->last_due : now;
    r->due = base + w->from;
    r->due_end = base + w->to;
    r->tolerance = r->settings.tolerance;
    if (r->last_due == NEVER)
        return;
    since = r->due - r->last_due;
    if (since < 0 && !relative && w->kind != WHEN_ANY)
        run_fail(r, e, "this is to happen before the event in front of it");
    since = (usec)((double)since * r->settings.tolerance_percent / 100);
    r->tolerance = usec_max(r->tolerance, since);
}

bool run_check_time(struct run *r, const struct event *e, const char *what, usec at)
{
    bool early = at < r->due - r->tolerance;
    bool late = at > usec_max(r->due, r->due_end) + r->tolerance;

    if (e->when.kind == WHEN_ANY || (!early && !late))
        return true;
    run_fail(r, e, "%s at %.6f, not at %.6f (tolerance %.6f)", what, (double)at / 1e6,
             (double)(early ? r->due : usec_max(r->due, r->due_end)) / 1e6,
             (double)r->tolerance / 1e6);
    return false;
}

void run_wait(struct run *r)
{
    usec now = sim_now(r->sim);

    if (r->due > now)
        raw_run(r->host, r->due);
    if (!r->failed)
        run_check_time(r, r->event, "the script came to this", sim_now(r->sim));
}

/* ---- calls that wait ---- */

static void call_program(void *arg)
{
    struct run *r = arg;
    const struct event *e = r->waiting.event;
    usec now, gap;

    run_call(r, e);
    r->waiting.active = false;
    now = sim_now(r->sim);
    gap = (usec)((double)(r->waiting.until - r->waiting.began) *
                 r->settings.tolerance_percent / 100);
    gap = usec_max(gap, r->settings.tolerance);
    if (now < r->waiting.until - gap || now > r->waiting.until + gap)
        run_fail(r, e, "the call returned at %.6f, not at %.6f (tolerance %.6f)",
                 (double)now / 1e6, (double)r->waiting.until / 1e6, (double)gap / 1e6);
}

/* A call runs, and the next one, or the end, has come: time goes on until it returns.
 * It may have been woken and not have run yet. */
static void await_waiting(struct run *r)
{
    const struct run_waiting *w = &r->waiting;

    if (w->active)
        raw_run(r->host, sim_now(r->sim));
    while (w->active && sim_now(r->sim) < w->until + USEC_PER_SEC)
        raw_run(r->host, sim_now(r->sim) + USEC_PER_MS);
    if (w->active)
        run_fail(r, w->event, "the call was to return at %.6f and still waits",
                 (double)w->until / 1e6);
}

static void start_waiting(struct run *r)
{
    const struct event *e = r->event;
    const struct when *w = &e->when;

    r->waiting = (struct run_waiting){ .active = true, .event = e };
    r->waiting.began = r->due;
    r->waiting.until = r->due - w->from + e->call->until;
    if (sim_spawn(r->host, call_program, r) < 0) {
        r->waiting.active = false;
        run_fail(r, e, "no thread for the call");
        return;
    }
    raw_run(r->host, sim_now(r->sim));
}

static void do_call(struct run *r)
{
    usec before;

    await_waiting(r);
    run_wait(r);
    if (r->failed)
        return;
    if (r->event->call->waits) {
        start_waiting(r);
        return;
    }
    before = sim_now(r->sim);
    run_call(r, r->event);
    /* No failure, since it is none for packetdrill: what is late then is the next
     * event, unless its time is counted from now. */
    if (sim_now(r->sim) - before > r->tolerance)
        run_note(r, r->event->line,
                 "%s() waited until %.6f, and the script does not say so",
                 r->event->call->name, (double)sim_now(r->sim) / 1e6);
}

/* ---- code ---- */

static void do_code(struct run *r)
{
    uint8_t info[INFO_SIZE] = { 0 };
    socklen_t len = sizeof info;
    char why[200];
    const struct flow *f = r->under_test;

    run_wait(r);
    if (r->failed)
        return;
    r->code.has_info = f && f->fd >= 0 &&
                       tapir_getsockopt(f->fd, IPPROTO_TCP, INFO_OPTION, info, &len) ==
                           0;
    r->code.info = info;
    r->code.info_len = len;
    if (!code_run(&r->code, r->event->text, why, sizeof why))
        run_fail(r, r->event, "%s", why);
    r->code.info = NULL;
}

/* ---- events ---- */

struct flow *run_new_flow(struct run *r, enum packet_kind kind)
{
    struct flow *f = arena_take(r->arena, sizeof *f);

    f->kind = kind;
    f->script_fd = f->fd = -1;
    f->next = r->flows;
    r->flows = r->under_test = f;
    return f;
}

static void do_event(struct run *r, const struct event *e)
{
    r->event = e;
    set_due(r, e);
    if (r->failed)
        return;
    switch (e->kind) {
    case EVENT_PACKET:
        run_packet(r, e->packet);
        break;
    case EVENT_CALL:
        do_call(r);
        break;
    case EVENT_SHELL:
        run_wait(r);
        run_shell(r, e->line, e->text);
        break;
    case EVENT_CODE:
        do_code(r);
        break;
    }
    r->last_due = has_own_time(e) ? r->due : NEVER;
    r->last_arrived = arrives(e);
}

static void play(struct run *r)
{
    struct tapir *before = tapir_use(r->host);

    if (r->script->init)
        run_shell(r, r->script->init_line, r->script->init);
    for (const struct event *e = r->script->events; e && !r->failed; e = e->next)
        do_event(r, e);
    if (!r->failed)
        await_waiting(r);
    r->verdict->at = sim_now(r->sim);
    r->over = true;
    tapir_use(before);
}

/* ---- the network ---- */

/* The host is the script's "local" end; the ladder goes to `talk`. */
static bool make_host(struct run *r, FILE *talk)
{
    struct tapir_config c = r->drill->config;
    struct tapir_error error = { .what = "" };
    char addr[ADDR_TEXT + 8];
    unsigned mtu;
    struct text t;

    text_init(&t, addr, sizeof addr);
    ip_print(&t, r->settings.local);
    text_char(&t, '/');
    text_u64(&t, r->settings.prefix);
    c.addr = addr;
    mtu = c.mtu ? c.mtu : r->settings.mtu;
    c.mtu = 0; /* it takes less than the wire */
    c.ladder = true;
    c.talk = talk;
    r->sim = sim_new(c.seed);
    r->host = r->sim ? sim_host(r->sim, &c, &error) : NULL;
    if (r->host && sim_wire_raw(r->host) == 0 && raw_mtu(r->host, mtu) == 0)
        return true;
    run_fail(r, NULL, "cannot make the host: %s", error.what);
    r->verdict->kind = VERDICT_WRONG;
    return false;
}

static void simulate(struct run *r)
{
    char *ladder = NULL;
    size_t len;
    FILE *talk = open_memstream(&ladder, &len);

    if (talk && make_host(r, talk))
        play(r);
    if (talk)
        fflush(talk);
    r->verdict->ladder = ladder ? strdup(ladder) : NULL; /* without the taking down */
    sim_free(r->sim);
    if (talk)
        fclose(talk);
    free(ladder);
}

static void wrong(struct verdict *v, const struct script_error *e)
{
    v->kind = VERDICT_WRONG;
    v->line = e->line;
    v->column = e->column;
    snprintf(v->message, sizeof v->message, "%s", e->text);
}

static void run_script(const struct drill *d, struct script *script,
                       struct arena *arena, struct verdict *out)
{
    struct run *r = arena_take(arena, sizeof *r);
    struct script_error error;
    size_t len;

    r->drill = d;
    r->script = script;
    r->arena = arena;
    r->verdict = out;
    r->last_due = NEVER;
    r->next_port = 40000;
    r->code.arena = arena;
    r->code.freebsd = d->freebsd;
    if (settings_make(&r->settings, script->settings, d->settings, &error) < 0) {
        wrong(out, &error);
        return;
    }
    if (d->dry)
        return;
    r->notes = r->code.out = open_memstream(&out->notes, &len);
    if (r->settings.unbuilt)
        run_fail(r, script->events, "%s is not built yet", r->settings.unbuilt);
    else
        simulate(r);
    fclose(r->notes);
}

/* Which branch of FreeBSD's scripts is the one of the RFCs. What the runner of Google's
 * suite defines is to be said, as it is to packetdrill: a word that nobody defined
 * makes either of them fail. */
static const struct define standard = { NULL, "STANDARD", "1" };

const struct define *drill_defines(void)
{
    return &standard;
}

void drill_run(const struct drill *d, const char *file, const char *text, size_t len,
               struct verdict *out)
{
    struct arena arena = { 0 };
    struct script script = { .file = file,
                             .defines = d->defines,
                             .freebsd = d->freebsd };
    struct script_error error;

    memset(out, 0, sizeof *out);
    if (script_parse(&script, &arena, text, len, &error) < 0)
        wrong(out, &error);
    else
        run_script(d, &script, &arena, out);
    arena_free(&arena);
}

void verdict_free(struct verdict *v)
{
    free(v->ladder);
    free(v->notes);
    v->ladder = v->notes = NULL;
}
