/* Arguments. The stack's options are a table: where in struct tapir_config each one
 * goes, and the variable of the environment that stands for it (TAPIR_ and the name in
 * capitals). The environment is read behind the last flag, through the same table, and
 * only for what no flag has given: a flag wins even over a wrong variable. Options that
 * a later issue owes are rows as well: a user learns that they are known and not built,
 * not that they are misspelt.
 *
 * Addresses, the emulator's words and sysctls are checked where they are understood, in
 * tapir_up(); its EINVAL makes a wrong call (exit 2) of them, in run.c. */
#include "options.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "edge/port.h"
#include "nearest.h"

enum kind { TEXT, SWITCH, ADDRESS, GATEWAYS, LINK, MTU, SEED, SYSCTL, LATER };

static const struct stack_option {
    const char *name;
    enum kind kind;
    size_t at; /* TEXT, ADDRESS: of a const char * in tapir_config; SWITCH: of a bool */
    const char *later; /* LATER: what it is for */
} stack_options[] = {
    { "link", LINK, 0, NULL },
    { "addr", ADDRESS, offsetof(struct tapir_config, addr), NULL },
    { "gateway", GATEWAYS, 0, NULL },
    { "host-addr", ADDRESS, offsetof(struct tapir_config, host_addr), NULL },
    { "mac", TEXT, offsetof(struct tapir_config, mac), NULL },
    { "mtu", MTU, 0, NULL },
    { "no-offload", SWITCH, offsetof(struct tapir_config, no_offload), NULL },
    { "dns", TEXT, offsetof(struct tapir_config, dns), NULL },
    { "netem", TEXT, offsetof(struct tapir_config, netem), NULL },
    { "profile", TEXT, offsetof(struct tapir_config, profile), NULL },
    { "sysctl", SYSCTL, 0, NULL },
    { "pcap", TEXT, offsetof(struct tapir_config, pcap), NULL },
    { "pcap-raw", SWITCH, offsetof(struct tapir_config, pcap_raw), NULL },
    { "ladder", SWITCH, offsetof(struct tapir_config, ladder), NULL },
    { "stat", SWITCH, offsetof(struct tapir_config, stat), NULL },
    { "seed", SEED, 0, NULL },
    { "events", LATER, 0, "events as JSON lines" },
    { "ctl", LATER, 0, "the control socket" },
};

enum { N_STACK_OPTIONS = sizeof stack_options / sizeof *stack_options };

static char last_told[200];

void tell(const char *what, const char *cause, const char *fix)
{
    snprintf(last_told, sizeof last_told, "%s", what);
    fflush(stdout);
    fprintf(stderr, "tapir: %s\n", what);
    if (cause && *cause)
        fprintf(stderr, "  cause: %s\n", cause);
    if (fix && *fix)
        fprintf(stderr, "  fix:   %s\n", fix);
}

void print_json_string(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            putchar('\\');
        if (*text == '\n')
            fputs("\\n", stdout);
        else if ((unsigned char)*text >= ' ')
            putchar(*text);
    }
    putchar('"');
}

void tell_json(void)
{
    fputs("{\"error\":", stdout);
    print_json_string(last_told);
    puts("}");
}

int tell_usage(const char *what, const char *fix)
{
    tell(what, "the call is wrong", fix);
    return 2;
}

int tell_later(const char *what, const char *fix)
{
    tell(what, "it belongs to a later issue of the project", fix);
    return 2;
}

int tell_later_option(const struct options *o, const struct option_row *own, int id)
{
    char what[100], fix[80];
    while (own->id != id)
        own++;
    snprintf(what, sizeof what, "%s: --%s is not built yet", o->argv[0], own->name);
    if (own->letter)
        snprintf(what, sizeof what, "%s: -%c (--%s) is not built yet", o->argv[0],
                 own->letter, own->name);
    snprintf(fix, sizeof fix, "tapir help %s shows what works today", o->argv[0]);
    return tell_later(what, fix);
}

int options_exit(int id)
{
    return id == OPT_HELP ? 0 : 2;
}

/* --- values --- */

static bool bad_value(const char *name, const char *value, const char *cause,
                      const char *fix)
{
    char what[200];
    snprintf(what, sizeof what, "bad value for %s: '%.80s'", name, value);
    tell(what, cause, fix ? fix : "correct the value, or leave the option away");
    return false;
}

bool option_number(const char *name, const char *value, long long min, long long max,
                   long long *out)
{
    char *end;
    char cause[120];
    errno = 0;
    *out = strtoll(value, &end, 10);
    if (end != value && *end == '\0' && errno == 0 && *out >= min && *out <= max)
        return true;
    snprintf(cause, sizeof cause, "it takes a whole number from %lld to %lld", min,
             max);
    return bad_value(name, value, cause, NULL);
}

bool option_decimal(const char *name, const char *value, double min, double max,
                    double *out)
{
    char *end;
    char cause[120];
    *out = strtod(value, &end);
    if (end != value && *end == '\0' && *out >= min && *out <= max)
        return true;
    snprintf(cause, sizeof cause, "it takes a number from %g to %g", min, max);
    return bad_value(name, value, cause, NULL);
}

static bool set_seed(struct options *o, const char *value)
{
    char *end;
    errno = 0;
    o->config.seed = strtoull(value, &end, 0);
    o->config.seeded = true;
    if (isxdigit((unsigned char)value[0]) && *end == '\0' && errno == 0)
        return true;
    return bad_value("--seed", value, "it takes a whole number of at most 64 bits",
                     "--seed 1");
}

static bool set_link(struct options *o, const char *value)
{
    struct port_setup port;
    struct tapir_error error;
    int err;

    o->sim = strcmp(value, "sim") == 0;
    o->config.link = o->sim ? NULL : value;
    if (o->sim || strcmp(value, "ns") == 0 || strcmp(value, "kernel") == 0)
        return true;
    err = port_parse(value, &port, &error);
    if (err == 0)
        return true;
    if (err == -ENOENT)
        return bad_value("--link", value, "there is no such kind of link",
                         "use ns, tap:NAME, unix:PATH, fd:N, sim or kernel");
    return bad_value("--link", value, error.cause, error.fix);
}

/* An IPv4 address, of which there may be more text than that. */
static bool check_host(const char *option, const char *value, const char *host)
{
    unsigned char bytes[4];
    if (strchr(host, ':'))
        return bad_value(option, value,
                         "IPv6 belongs to a later issue and is not built yet",
                         "use an IPv4 address");
    return inet_pton(AF_INET, host, bytes) == 1 ||
           bad_value(option, value, "that is no IPv4 address", NULL);
}

/* "A[,A...]", or nothing. */
static bool set_gateways(struct options *o, const char *value)
{
    char host[64];
    o->config.gateway = value;
    for (const char *at = value; *at;) {
        size_t n = strcspn(at, ",");
        snprintf(host, sizeof host, "%.*s", (int)(n < 63 ? n : 63), at);
        if (strchr(host, '/'))
            return bad_value("--gateway", value, "a gateway has no prefix length",
                             "--gateway 192.0.2.1");
        if (!check_host("--gateway", value, host))
            return false;
        at += n;
        if (*at == ',' && *++at == '\0')
            return bad_value("--gateway", value, "it ends with a comma", NULL);
    }
    return true;
}

/* "A/P" */
static bool set_address(struct options *o, const struct stack_option *row,
                        const char *value, const char **slot)
{
    char name[32], host[64];
    const char *slash = strchr(value, '/');
    size_t len = slash ? (size_t)(slash - value) : strlen(value);
    *slot = value;
    (void)o;
    snprintf(host, sizeof host, "%.*s", (int)(len < 63 ? len : 63), value);
    snprintf(name, sizeof name, "--%s", row->name);
    if (!check_host(name, value, host))
        return false;
    if (!slash)
        return bad_value(name, value, "the prefix length is missing",
                         "write it as 192.0.2.2/24");
    long long prefix;
    return option_number(name, slash + 1, 1, 31, &prefix);
}

static bool set_sysctl(struct options *o, const char *value)
{
    const char *equals = strchr(value, '=');
    if (!equals || equals == value)
        return bad_value("--sysctl", value, "it takes NAME=VALUE",
                         "--sysctl net.ipv4.tcp_sack=0");
    if (o->config.n_sysctl == OPTIONS_SYSCTL)
        return bad_value("--sysctl", value, "there are more than 64 of them", NULL);
    o->sysctl[o->config.n_sysctl++] = value;
    return true;
}

static bool set_mtu(struct options *o, const char *value)
{
    long long mtu;
    /* RFC 791 s3.2: every link carries datagrams of 68 octets. */
    if (!option_number("--mtu", value, 68, 65535, &mtu))
        return false;
    o->config.mtu = (unsigned)mtu;
    return true;
}

static bool set_later(const struct stack_option *row)
{
    char what[120];
    snprintf(what, sizeof what, "--%s (%s) is not built yet", row->name, row->later);
    tell_later(what, "--ladder, --stat and --pcap FILE show what happens today");
    return false;
}

static bool set_stack_option(struct options *o, const struct stack_option *row,
                             const char *value)
{
    void *slot = (char *)&o->config + row->at;
    switch (row->kind) {
    case TEXT:
        *(const char **)slot = value;
        return true;
    case SWITCH:
        *(bool *)slot = true;
        return true;
    case GATEWAYS:
        return set_gateways(o, value);
    case ADDRESS:
        return set_address(o, row, value, (const char **)slot);
    case LINK:
        return set_link(o, value);
    case MTU:
        return set_mtu(o, value);
    case SEED:
        return set_seed(o, value);
    case SYSCTL:
        return set_sysctl(o, value);
    case LATER:
        break;
    }
    return set_later(row);
}

/* --- the environment --- */

/* TAPIR_SYSCTL holds several, with blanks between them. They come before the flags,
 * whose values are set later and stay. */
static bool environment_sysctl(struct options *o, const char *value)
{
    const char *flags[OPTIONS_SYSCTL];
    size_t n = o->config.n_sysctl;
    char *save = NULL, *copy = strdup(value); /* kept: the config points into it */
    bool good = copy != NULL;
    memcpy(flags, o->sysctl, sizeof flags);
    o->config.n_sysctl = 0;
    for (char *one = copy ? strtok_r(copy, " ", &save) : NULL; one && good;
         one = strtok_r(NULL, " ", &save))
        good = set_sysctl(o, one);
    for (size_t i = 0; i < n && good; i++)
        good = set_sysctl(o, flags[i]);
    return good;
}

static bool environment_option(struct options *o, const struct stack_option *row)
{
    char name[40] = "TAPIR_";
    size_t n = strlen(name);
    for (const char *c = row->name; *c && n < sizeof name - 1; c++)
        name[n++] = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
    name[n] = '\0';
    const char *value = getenv(name);
    if (!value || *value == '\0')
        return true;
    if (row->kind == SWITCH && strcmp(value, "0") == 0)
        return true;
    if (row->kind == SYSCTL ? environment_sysctl(o, value)
                            : set_stack_option(o, row, value))
        return true;
    fprintf(stderr, "  where: the environment, %s\n", name);
    return false;
}

void options_init(struct options *o, int argc, char **argv)
{
    *o = (struct options){ .argc = argc, .argv = argv, .at = 1, .stop_fd = -1 };
    o->config.link = "ns";
    o->config.sysctl = o->sysctl;
}

bool options_insert(struct options *o, char **words, size_t n)
{
    size_t left = (size_t)(o->argc - o->at);
    char **argv = malloc((1 + n + left + 1) * sizeof *argv); /* kept to the end */

    if (!argv)
        return false;
    argv[0] = o->argv[0];
    memcpy(argv + 1, words, n * sizeof *argv);
    memcpy(argv + 1 + n, o->argv + o->at, left * sizeof *argv);
    argv[1 + n + left] = NULL;
    o->argv = argv;
    o->argc = (int)(1 + n + left);
    o->at = 1;
    return true;
}

bool options_given(const struct options *o, const char *name)
{
    for (int i = 0; i < N_STACK_OPTIONS; i++)
        if (strcmp(stack_options[i].name, name) == 0)
            return o->given & 1U << i;
    return false;
}

/* What no flag has given. */
static bool read_environment(struct options *o)
{
    for (int i = 0; i < N_STACK_OPTIONS; i++) {
        bool flag = o->given & 1U << i && stack_options[i].kind != SYSCTL;
        if (!flag && !environment_option(o, &stack_options[i]))
            return false;
    }
    return true;
}

/* --- arguments --- */

/* `near`: the name of an option that may have been meant, or NULL. */
static int unknown_option(struct options *o, const char *shown, const char *near)
{
    char what[160], fix[160];
    snprintf(what, sizeof what, "%s: unknown option '%.80s'", o->argv[0], shown);
    snprintf(fix, sizeof fix, "tapir help %s shows its options", o->argv[0]);
    if (near)
        snprintf(fix, sizeof fix, "did you mean --%s? tapir help %s shows its options",
                 near, o->argv[0]);
    tell(what, "the call is wrong", fix);
    return OPT_BAD;
}

/* "--name" or "--name=value", `arg` being what follows the dashes. */
static int unknown_long_option(struct options *o, const char *arg,
                               const struct option_row *own)
{
    char word[80];
    struct nearest near = { .word = word };
    snprintf(word, sizeof word, "%.*s", (int)strcspn(arg, "="), arg);
    for (; own && own->id; own++)
        if (own->name)
            nearest_try(&near, own->name);
    for (int i = 0; i < N_STACK_OPTIONS; i++)
        nearest_try(&near, stack_options[i].name);
    return unknown_option(o, arg - 2, near.best);
}

static int missing_value(struct options *o, const char *shown)
{
    char what[160], fix[120];
    snprintf(what, sizeof what, "%s: option '%.80s' needs a value", o->argv[0], shown);
    snprintf(fix, sizeof fix, "tapir help %s shows its options", o->argv[0]);
    tell(what, "the call is wrong", fix);
    return OPT_BAD;
}

/* The value of the option at hand: behind its "=", or the next argument. */
static bool take_value(struct options *o, const char *equals)
{
    if (equals) {
        o->value = equals + 1;
        return true;
    }
    if (o->at >= o->argc)
        return false;
    o->value = o->argv[o->at++];
    return true;
}

static bool same_name(const char *arg, const char *equals, const char *name)
{
    size_t len = equals ? (size_t)(equals - arg) : strlen(arg);
    return name && strlen(name) == len && memcmp(arg, name, len) == 0;
}

static int unwanted_value(const char *shown)
{
    char what[160], fix[100];
    snprintf(what, sizeof what, "option '%.80s' takes no value", shown);
    snprintf(fix, sizeof fix, "%.*s alone, or leave it away",
             (int)(strcspn(shown, "=") % 80), shown);
    tell(what, "the call is wrong", fix);
    return OPT_BAD;
}

/* "--name", `arg` being what follows the dashes. OPT_END: it was the stack's. */
static int long_option(struct options *o, const char *arg, const struct option_row *own)
{
    const char *equals = strchr(arg, '=');
    for (const struct option_row *row = own; row && row->id; row++) {
        if (!same_name(arg, equals, row->name))
            continue;
        if (row->takes_value)
            return take_value(o, equals) ? row->id : missing_value(o, arg - 2);
        return equals ? unwanted_value(arg - 2) : row->id;
    }
    if (strcmp(arg, "help") == 0)
        return OPT_HELP;
    for (int i = 0; i < N_STACK_OPTIONS; i++) {
        const struct stack_option *row = &stack_options[i];
        if (!same_name(arg, equals, row->name))
            continue;
        if (row->kind == SWITCH && equals)
            return unwanted_value(arg - 2);
        if (row->kind != SWITCH && row->kind != LATER && !take_value(o, equals))
            return missing_value(o, arg - 2);
        o->given |= 1U << i;
        return set_stack_option(o, row, o->value) ? OPT_END : OPT_BAD;
    }
    return unknown_long_option(o, arg, own);
}

int options_owner(const struct option_row *own, const char *word)
{
    bool is_long = word[0] == '-' && word[1] == '-';

    for (; own && own->id; own++)
        if (is_long ? same_name(word + 2, NULL, own->name)
                    : own->letter && own->letter == word[1])
            return own->id;
    for (int i = 0; is_long && i < N_STACK_OPTIONS; i++)
        if (same_name(word + 2, NULL, stack_options[i].name))
            return OPT_END;
    return OPT_BAD;
}

/* The next of joined letters, "-sSo FILE". */
static int letter_option(struct options *o, const struct option_row *own)
{
    char shown[3] = { '-', *o->cluster++, '\0' };
    const char *rest = o->cluster;
    if (*rest == '\0')
        o->cluster = NULL;
    for (; own && own->id; own++) {
        if (own->letter != shown[1])
            continue;
        if (!own->takes_value)
            return own->id;
        o->value = rest; /* "-c3" */
        o->cluster = NULL;
        return *rest || take_value(o, NULL) ? own->id : missing_value(o, shown);
    }
    return shown[1] == 'h' ? OPT_HELP : unknown_option(o, shown, NULL);
}

static int next_argument(struct options *o, const struct option_row *own)
{
    if (o->cluster)
        return letter_option(o, own);
    char *arg = o->argv[o->at++];
    if (arg[0] != '-' || arg[1] == '\0') {
        o->value = arg;
        return OPT_WORD;
    }
    if (arg[1] == '-')
        return long_option(o, arg + 2, own);
    o->cluster = arg + 1;
    return letter_option(o, own);
}

/* Behind "--" stands a COMMAND, for the kernel's side. */
static int take_command(struct options *o)
{
    o->at++;
    if (o->at >= o->argc) {
        tell("-- needs a COMMAND behind it", "the call is wrong",
             "-- curl -s http://192.0.2.2/");
        return OPT_BAD;
    }
    o->command = o->argv + o->at;
    o->at = o->argc;
    if (!o->sim)
        return OPT_END;
    tell("-- COMMAND does not go with --link sim",
         "a simulated link has no kernel side that a command could use",
         "--link ns -- COMMAND");
    return OPT_BAD;
}

int options_next(struct options *o, const struct option_row *own)
{
    int id = OPT_END;
    while (id == OPT_END) {
        if (!o->cluster && o->at >= o->argc)
            return read_environment(o) ? OPT_END : OPT_BAD;
        if (!o->cluster && strcmp(o->argv[o->at], "--") == 0)
            return read_environment(o) ? take_command(o) : OPT_BAD;
        id = next_argument(o, own);
    }
    if (id == OPT_HELP)
        command_help(command_find(o->argv[0]));
    return id;
}
