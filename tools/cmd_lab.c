/* tapir lab: the labs of connection management. A lab is a sheet
 * (tools/labs/NAME/sheet) with experiments in it; `tapir lab NAME` shows the sheet with
 * what came out of them,
 * --check says only whether each is where theory has it. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "lab/capture.h"
#include "lab/experiment.h"
#include "lab/sheet.h"
#include "options.h"
#include "turns.h"

enum { OPT_CHECK = 256, OPT_JSON, OPT_READ, ANSWERS = 16 };

static const struct option_row rows[] = {
    { OPT_CHECK, 0, "check", false },
    { OPT_JSON, 0, "json", false },
    { OPT_READ, 0, "read", true },
    { 0, 0, NULL, false },
};

/* --- where the sheets are --- */

/* Beside the program in the source tree, and where `make install` puts them. */
static const char *labs_dir(void)
{
    static const char *const places[] = { "../tools/labs", "../../tools/labs",
                                          "../share/tapir/labs" };
    static char path[PATH_MAX + 32];
    char self[PATH_MAX];
    struct stat st;
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

    if (n < 0)
        return NULL;
    self[n] = '\0';
    *strrchr(self, '/') = '\0';
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(path, sizeof path, "%s/%s", self, places[i]);
        if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
            return path;
    }
    tell("the labs' sheets are not there",
         "the program stands neither in the source tree nor where it was installed",
         "make install, or run build/tapir");
    return NULL;
}

static int read_sheet(const char *name, struct sheet *sheet)
{
    const char *dir = labs_dir();
    char path[PATH_MAX + 128], what[100];

    if (!dir)
        return 1;
    snprintf(path, sizeof path, "%s/%.60s/sheet", dir, name);
    int err = strchr(name, '/') ? -ENOENT : sheet_read(path, sheet);
    if (err == 0)
        return 0;
    if (err == -ENOENT) {
        snprintf(what, sizeof what, "there is no lab '%.40s'", name);
        return tell_usage(what, "tapir lab lists them");
    }
    tell(path, strerror(-err), "the sheet cannot be read");
    return 1;
}

static int is_lab(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

static int list_labs(void)
{
    const char *dir = labs_dir();
    struct dirent **entry;
    struct sheet sheet;
    int n = dir ? scandir(dir, &entry, is_lab, alphasort) : -1;

    if (n < 0)
        return 1;
    puts("tapir lab NAME shows a lab's sheet and runs its experiments:\n");
    for (int i = 0; i < n; i++) {
        if (read_sheet(entry[i]->d_name, &sheet) == 0) {
            printf("  %-12s %s\n", entry[i]->d_name, sheet.title);
            sheet_free(&sheet);
        }
        free(entry[i]);
    }
    free(entry);
    return 0;
}

/* --- a lab --- */

static void print_text(const char *head, const char *text)
{
    if (text && *text)
        printf("\n%s\n\n%s", head, text);
}

static void print_figure(const struct figure *f, const char *line, bool good)
{
    char theory[40];

    snprintf(theory, sizeof theory, "%.4f", f->low);
    if (f->high > f->low)
        snprintf(theory, sizeof theory, "%.4f..%.4f", f->low, f->high);
    printf("%-72s %16s %9.4f %-8s %+6.2f %%%s\n", line, theory, f->measured, f->unit,
           figure_off(f), good ? "" : "  OUTSIDE");
}

static void print_json(const struct figure *f, const struct experiment *e, bool good,
                       bool first)
{
    printf("%s{\"run\":", first ? "" : ",");
    print_json_string(e->line);
    printf(
        ",\"theory_low\":%.6f,\"theory_high\":%.6f,\"measured\":%.6f,\"unit\":\"%s\","
        "\"difference_percent\":%.3f,\"gate_percent\":%g,\"pass\":%s",
        f->low, f->high, f->measured, f->unit, figure_off(f), f->gate,
        good ? "true" : "false");
    if (e->view) {
        fputs(",\"view\":", stdout);
        print_json_string(e->view);
    }
    putchar('}');
}

/* What a call asks of a sheet. */
struct call {
    const char *name;
    bool check, json;
    const char *capture;         /* that a picture is made of; NULL: none */
    char keys[EXPERIMENT_LINE];  /* "key=value ...", behind the sheet's own */
    const char *answer[ANSWERS]; /* "question=value" */
    unsigned answers;
};

/* A line of the sheet with the caller's keys behind it. */
static const char *whole_line(const struct call *call, const char *line,
                              char out[2 * EXPERIMENT_LINE])
{
    snprintf(out, 2 * EXPERIMENT_LINE, "%s%s", line, call->keys);
    return out;
}

static bool run_line(const struct call *call, const char *line, struct experiment *e,
                     struct figure *out)
{
    char whole[2 * EXPERIMENT_LINE];

    if (experiment_run(whole_line(call, line, whole), e, out))
        return true;
    tell(whole, e->error, NULL);
    return false;
}

static bool is_good(const struct figure *f, double off)
{
    return off <= f->gate && off >= -f->gate;
}

/* Runs what the sheet has. How many were outside, or failed. */
static unsigned run_sheet(const struct call *call, const struct sheet *sheet)
{
    unsigned bad = 0;
    struct experiment e;
    struct figure f;
    bool first = true;

    for (unsigned i = 0; i < sheet->runs; i++) {
        bool ran = run_line(call, sheet->run[i], &e, &f);
        bool good = ran && is_good(&f, figure_off(&f));
        if (ran && call->json)
            print_json(&f, &e, good, first);
        else if (ran)
            print_figure(&f, e.line, good);
        if (ran && e.view && !call->check && !call->json)
            printf("\n%s\n", e.view);
        free(e.view);
        first = first && !ran;
        bad += !good;
    }
    return bad;
}

/* --- answers --- */

/* The experiment that answers what was given, "2a=18", and the number. NULL: told. */
static const char *read_answer(const struct sheet *sheet, const char *given,
                               char question[20], double *value)
{
    size_t n = strcspn(given, "=");
    char *end;

    snprintf(question, 20, "%.*s", (int)n, given);
    const char *line = sheet_answer(sheet, question);
    *value = strtod(given + n + 1, &end);
    if (line && end != given + n + 1 && *end == '\0')
        return line;
    tell_usage(line ? "an answer is a number" : "no experiment answers that question",
               "tapir lab NAME --check 1=NUMBER; some questions are for thinking");
    return NULL;
}

/* Holds an answer against what comes out. */
static bool check_answer(const struct call *call, const struct sheet *sheet,
                         const char *given)
{
    char question[20];
    double value;
    struct experiment e;
    struct figure f;
    const char *line = read_answer(sheet, given, question, &value);

    if (!line || !run_line(call, line, &e, &f))
        return false;
    free(e.view);
    struct figure yours = { f.unit, value, value, f.measured, f.gate };
    bool good = is_good(&yours, figure_off(&yours));
    printf("%s: %g %s: %s\n", question, value, f.unit, good ? "yes" : "no");
    return good;
}

/* All that were given; how many are wrong. */
static unsigned check_answers(const struct call *call, const struct sheet *sheet)
{
    unsigned bad = 0;

    for (unsigned i = 0; i < call->answers; i++)
        bad += !check_answer(call, sheet, call->answer[i]);
    return bad;
}

/* Before anything is run: can all of the call be read? 0, or 2 and it is told. */
static int check_call(const struct call *call, const struct sheet *sheet)
{
    char whole[2 * EXPERIMENT_LINE], question[20];
    struct experiment e;
    double value;

    for (unsigned i = 0; call->keys[0] && i < sheet->runs; i++)
        if (!experiment_read(whole_line(call, sheet->run[i], whole), &e))
            return tell_usage(e.error,
                              "tapir lab NAME shows what its experiments take");
    for (unsigned i = 0; i < call->answers; i++)
        if (!read_answer(sheet, call->answer[i], question, &value))
            return 2;
    return 0;
}

/* --- a capture --- */

/* The lab's picture of what was on some wire. */
static int show_capture(const struct call *call, const struct sheet *sheet)
{
    struct lan lan = { .sim = NULL };
    struct experiment e;
    unsigned left_out;
    char *picture = NULL;
    int err = capture_read(call->capture, &lan, &left_out);

    if (err == 0 && experiment_read(sheet->run[0], &e))
        picture = experiment_picture(&e, &lan);
    if (picture && call->json) {
        printf("{\"lab\":\"%s\",\"view\":", call->name);
        print_json_string(picture);
        puts("}");
    } else if (picture) {
        fputs(picture, stdout);
    }
    if (err < 0)
        tell("the capture cannot be read",
             err == -EINVAL ? "it is neither pcapng nor pcap" : strerror(-err),
             "--read FILE; - is stdin");
    if (err == 0 && left_out)
        fprintf(stderr, "tapir: %u packets of further hosts were left out\n", left_out);
    free(picture);
    lan_free(&lan);
    return picture ? 0 : 1;
}

/* --- the call --- */

static void show_sheet(const struct call *call, const struct sheet *sheet,
                       unsigned *bad)
{
    printf("%s\n", sheet->title);
    if (!call->check)
        print_text("Predict", sheet->predict);
    printf("\n%-72s %16s %9s\n", "Run", "theory", "measured");
    *bad = run_sheet(call, sheet);
    if (!call->check) {
        print_text("See", sheet->see);
        print_text("Questions", sheet->questions);
    } else {
        printf("\n%s: %u of %u within their gates\n", call->name, sheet->runs - *bad,
               sheet->runs);
    }
}

static int show_lab(const struct call *call)
{
    struct sheet sheet;
    int status = read_sheet(call->name, &sheet);
    unsigned bad;

    if (status)
        return status;
    status = check_call(call, &sheet);
    if (status) {
        sheet_free(&sheet);
        return status;
    }
    if (call->capture) {
        bad = (unsigned)show_capture(call, &sheet);
    } else if (call->answers) {
        bad = check_answers(call, &sheet);
    } else if (call->json) {
        printf("{\"lab\":\"%s\",\"figures\":[", call->name);
        bad = run_sheet(call, &sheet);
        printf("],\"pass\":%s}\n", bad ? "false" : "true");
    } else {
        show_sheet(call, &sheet, &bad);
    }
    sheet_free(&sheet);
    return bad ? 1 : 0;
}

/* NAME, then KEY=VALUE of the experiments, or QUESTION=NUMBER. False: too many. */
static bool take_word(struct call *call, const char *word)
{
    size_t n = strlen(call->keys);

    if (!strchr(word, '=')) {
        bool first = !call->name;
        call->name = word;
        return first;
    }
    if (strchr("0123456789", word[0])) {
        if (call->answers == ANSWERS)
            return false;
        call->answer[call->answers++] = word;
        return true;
    }
    int room = (int)(sizeof call->keys - n);
    return snprintf(call->keys + n, (size_t)room, " %s", word) < room;
}

int lab_run(int argc, char **argv)
{
    struct call call = { .name = NULL };
    struct options o;
    int id;

    options_init(&o, argc, argv);
    while ((id = options_next(&o, rows)) != OPT_END) {
        if (id == OPT_BAD || id == OPT_HELP)
            return options_exit(id);
        call.check |= id == OPT_CHECK;
        call.json |= id == OPT_JSON;
        if (id == OPT_READ)
            call.capture = o.value;
        if (id == OPT_WORD && !take_word(&call, o.value))
            return tell_usage("lab takes one NAME", "tapir help lab");
    }
    if (o.given || o.command)
        return tell_usage("a lab has networks of its own: no option of the stack",
                          "tapir lab NAME; tapir page takes options");
    if (call.answers && !call.check)
        return tell_usage("answers are for --check", "tapir lab NAME --check 1=NUMBER");
    if (call.capture && (call.check || call.keys[0]))
        return tell_usage("a capture is only looked at: no --check, no KEY=VALUE",
                          "tapir lab NAME --read FILE");
    if (call.name) {
        turns_on_one_processor();
        return show_lab(&call);
    }
    if (call.check || call.json || call.keys[0] || call.capture)
        return tell_usage("--check, --json, --read and KEY=VALUE need a lab's NAME",
                          "tapir lab lists them");
    return list_labs();
}
