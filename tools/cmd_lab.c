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
#include "lab/experiment.h"
#include "lab/sheet.h"
#include "options.h"

enum { OPT_CHECK = 256, OPT_JSON, LABS = 64 };

static const struct option_row rows[] = {
    { OPT_CHECK, 0, "check", false },
    { OPT_JSON, 0, "json", false },
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

static void print_json(const struct figure *f, const char *line, bool good, bool first)
{
    printf("%s{\"run\":", first ? "" : ",");
    print_json_string(line);
    printf(
        ",\"theory_low\":%.6f,\"theory_high\":%.6f,\"measured\":%.6f,\"unit\":\"%s\","
        "\"difference_percent\":%.3f,\"gate_percent\":%g,\"pass\":%s}",
        f->low, f->high, f->measured, f->unit, figure_off(f), f->gate,
        good ? "true" : "false");
}

/* Runs what the sheet has. How many were outside, or failed. */
static unsigned run_sheet(const struct sheet *sheet, bool json)
{
    unsigned bad = 0;
    struct experiment e;
    struct figure f;

    for (unsigned i = 0; i < sheet->runs; i++) {
        bool ran = experiment_run(sheet->run[i], &e, &f);
        double off = ran ? figure_off(&f) : 0;
        bool good = ran && off <= f.gate && off >= -f.gate;
        if (!ran)
            tell(sheet->run[i], e.error, NULL);
        else if (json)
            print_json(&f, sheet->run[i], good, i == 0);
        else
            print_figure(&f, sheet->run[i], good);
        bad += !good;
    }
    return bad;
}

static int show_lab(const char *name, bool check, bool json)
{
    struct sheet sheet;
    int status = read_sheet(name, &sheet);

    if (status)
        return status;
    if (json)
        printf("{\"lab\":\"%s\",\"figures\":[", name);
    else
        printf("%s\n", sheet.title);
    if (!check && !json)
        print_text("Predict", sheet.predict);
    if (!json)
        printf("\n%-72s %16s %9s\n", "Run", "theory", "measured");
    unsigned bad = run_sheet(&sheet, json);
    if (!check && !json) {
        print_text("See", sheet.see);
        print_text("Questions", sheet.questions);
    }
    if (json)
        printf("],\"pass\":%s}\n", bad ? "false" : "true");
    else if (check)
        printf("\n%s: %u of %u within their gates\n", name, sheet.runs - bad,
               sheet.runs);
    sheet_free(&sheet);
    return bad ? 1 : 0;
}

int lab_run(int argc, char **argv)
{
    const char *name = NULL;
    bool check = false, json = false;
    struct options o;
    int id;

    options_init(&o, argc, argv);
    while ((id = options_next(&o, rows)) != OPT_END) {
        if (id == OPT_BAD || id == OPT_HELP)
            return options_exit(id);
        check |= id == OPT_CHECK;
        json |= id == OPT_JSON;
        if (id == OPT_WORD && name)
            return tell_usage("lab takes one NAME", "tapir help lab");
        if (id == OPT_WORD)
            name = o.value;
    }
    if (o.given || o.command)
        return tell_usage("a lab has networks of its own: no option of the stack",
                          "tapir lab NAME; tapir page takes options");
    if (name)
        return show_lab(name, check, json);
    if (check || json)
        return tell_usage("--check and --json need the NAME of a lab",
                          "tapir lab lists them");
    return list_labs();
}
