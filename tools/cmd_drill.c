/* tapir drill: plays packetdrill's scripts against our stack in virtual time, a verdict
 * a line on stdout. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "drill/drill.h"
#include "drill/settings.h"
#include "options.h"

enum { OPT_JSON = 256, OPT_DRY, OPT_FREEBSD, OPT_DEFINE };
enum { LADDER_LINES = 12, NAMES_MAX = 64 };

struct drill_call {
    struct drill drill;
    struct define define[NAMES_MAX];
    struct setting setting[NAMES_MAX];
    size_t n_defines, n_settings;
    bool json, ladder;
    size_t failed, wrong;
};

static const struct option_row rows[] = {
    { OPT_JSON, 0, "json", false },
    { OPT_DRY, 0, "dry-run", false },
    { OPT_FREEBSD, 0, "freebsd", false },
    { OPT_DEFINE, 'D', "define", true },
    { 0, 0, NULL, false },
};

/* ---- options ---- */

static bool take_define(struct drill_call *d, const char *value)
{
    char *name = strdup(value);
    char *equals = name ? strchr(name, '=') : NULL;

    if (!equals || d->n_defines == NAMES_MAX) {
        free(name);
        tell("bad value for --define", "it takes NAME=VALUE", "--define CC=reno");
        return false;
    }
    *equals = '\0';
    d->define[d->n_defines] =
        (struct define){ .next = d->drill.defines, .name = name, .value = equals + 1 };
    d->drill.defines = &d->define[d->n_defines++];
    return true;
}

/* A setting of the scripts as an option of the call: "--tolerance_usecs=1000". Those
 * that the program has by the same name are the program's. */
static bool is_setting(struct drill_call *d, const char *word)
{
    struct setting *s = &d->setting[d->n_settings];
    const char *equals = strchr(word, '=');
    char *name;

    if (strncmp(word, "--", 2) != 0 || d->n_settings == NAMES_MAX)
        return false;
    name = equals ? strndup(word + 2, (size_t)(equals - word - 2)) : strdup(word + 2);
    if (!name || !setting_exists(name) || strcmp(name, "mtu") == 0 ||
        strcmp(name, "define") == 0) {
        free(name);
        return false;
    }
    *s = (struct setting){ .name = name, .value = equals ? equals + 1 : NULL };
    if (d->n_settings++ > 0)
        s[-1].next = s;
    d->drill.settings = d->setting;
    return true;
}

/* ---- verdicts ---- */

/* The last lines, each with a margin. */
static void print_ladder(const char *ladder, int lines)
{
    const char *at = ladder + strlen(ladder);

    for (int n = 0; at > ladder; at--)
        if (at[-1] == '\n' && n++ == lines)
            break;
    while (*at) {
        size_t n = strcspn(at, "\n");

        fprintf(stderr, "  | %.*s\n", (int)n, at);
        at += n + (at[n] == '\n');
    }
}

static void print_failure(const char *file, const struct verdict *v)
{
    fprintf(stderr, "%s:", file);
    if (v->line)
        fprintf(stderr, "%d:", v->line);
    if (v->column)
        fprintf(stderr, "%d:", v->column);
    fprintf(stderr, " %s\n", v->message);
    if (v->expected[0])
        fprintf(stderr, "  script: %s\n", v->expected);
    if (v->actual[0])
        fprintf(stderr, "  actual: %s\n", v->actual);
}

static void print_text(const char *name, const char *text)
{
    printf(",\"%s\":", name);
    print_json_string(text);
}

static void print_json(const char *file, const struct verdict *v)
{
    static const char *const names[] = { "pass", "fail", "error" };

    printf("{\"file\":");
    print_json_string(file);
    printf(",\"verdict\":\"%s\",\"line\":%d", names[v->kind], v->line);
    if (v->column)
        printf(",\"column\":%d", v->column);
    print_text("message", v->message);
    print_text("expected", v->expected);
    print_text("actual", v->actual);
    printf(",\"time\":%.6f}\n", (double)v->at / 1e6);
}

static void print_verdict(struct drill_call *d, const char *file,
                          const struct verdict *v)
{
    bool passed = v->kind == VERDICT_PASS;

    if (v->notes && *v->notes)
        fputs(v->notes, stderr);
    if (!passed)
        print_failure(file, v);
    if (v->ladder && (d->ladder || !passed))
        print_ladder(v->ladder, d->ladder ? INT32_MAX : LADDER_LINES);
    fflush(stderr);
    if (d->json)
        print_json(file, v);
    else
        printf("%s %s\n", passed ? "PASS" : "FAIL", file);
    fflush(stdout);
    d->failed += v->kind == VERDICT_FAIL;
    d->wrong += v->kind == VERDICT_WRONG;
}

/* ---- files ---- */

static char *read_whole(const char *file, size_t *len)
{
    FILE *in = fopen(file, "re");
    char *text = NULL;
    FILE *to = in ? open_memstream(&text, len) : NULL;
    char part[4096];
    size_t n;
    int err;

    while (to && (n = fread(part, 1, sizeof part, in)) > 0)
        fwrite(part, 1, n, to);
    err = !to || ferror(in) ? errno : 0; /* of fopen, or a folder's EISDIR */
    if (to)
        fclose(to);
    if (in)
        fclose(in);
    errno = err;
    if (!err)
        return text;
    free(text);
    return NULL;
}

static void drill_file(struct drill_call *d, const char *file)
{
    struct verdict v = { .kind = VERDICT_WRONG };
    size_t len = 0;
    char *text = read_whole(file, &len);

    if (text)
        drill_run(&d->drill, file, text, len, &v);
    else
        snprintf(v.message, sizeof v.message, "cannot read it: %s", strerror(errno));
    print_verdict(d, file, &v);
    verdict_free(&v);
    free(text);
}

static bool refuse_options(const struct options *o, size_t files)
{
    static const char *const none[] = { "link",      "addr",  "gateway", "mac",
                                        "host-addr", "netem", "stat",    "no-offload",
                                        "pcap-raw",  NULL };
    char what[80];

    for (int i = 0; none[i]; i++) {
        if (!options_given(o, none[i]))
            continue;
        snprintf(what, sizeof what, "drill plays the network itself: no --%s", none[i]);
        tell_usage(what, "tapir help drill");
        return true;
    }
    if (o->command)
        tell_usage("drill runs no COMMAND", "tapir drill FILE.pkt...");
    else if (files == 0)
        tell_usage("drill needs a script", "tapir drill FILE.pkt...");
    else if (files > 1 && options_given(o, "pcap"))
        tell_usage("--pcap is of one script, and there are more", "give one file");
    else
        return false;
    return true;
}

/* Takes the settings out of the arguments; how many are left. */
static int take_settings(struct drill_call *d, int argc, char **argv)
{
    int left = 1;

    for (int i = 1; i < argc; i++)
        if (!is_setting(d, argv[i]))
            argv[left++] = argv[i];
    argv[left] = NULL;
    return left;
}

int drill_command(int argc, char **argv)
{
    static struct drill_call d;
    const char **files = calloc((size_t)argc + 1, sizeof *files);
    struct options o;
    size_t n = 0;
    int id;

    if (!files)
        return 1;
    d.drill.defines = drill_defines();
    argc = take_settings(&d, argc, argv);
    options_init(&o, argc, argv);
    while ((id = options_next(&o, rows)) != OPT_END) {
        if (id == OPT_BAD || id == OPT_HELP)
            return options_exit(id);
        if (id == OPT_DEFINE && !take_define(&d, o.value))
            return 2;
        d.json = d.json || id == OPT_JSON;
        d.drill.dry = d.drill.dry || id == OPT_DRY;
        d.drill.freebsd = d.drill.freebsd || id == OPT_FREEBSD;
        if (id == OPT_WORD)
            files[n++] = o.value;
    }
    if (refuse_options(&o, n))
        return 2;
    d.drill.config = o.config;
    d.drill.config.link = NULL;
    if (!o.config.seeded)
        d.drill.config.seed = 1;
    d.ladder = o.config.ladder;
    for (size_t i = 0; i < n; i++)
        drill_file(&d, files[i]);
    free(files);
    return d.wrong ? 2 : d.failed ? 1 : 0;
}
