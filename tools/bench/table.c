/* table [--json]: the measurements on stdin as tables, or as one JSON object. */
#include "table.h"

#include <string.h>

#include "bench.h"

static void print_figure(const struct table *t, bool json, unsigned nth)
{
    if (!json) {
        table_print(t, stdout);
        return;
    }
    printf(nth ? ",\n  " : "\n  ");
    table_json(t, stdout);
}

static void print_machine(const char *text, bool json)
{
    if (!json) {
        printf("%s\n\n", text);
        return;
    }
    printf("\"machine\":");
    table_json_string(text, stdout);
    putchar(',');
}

int main(int argc, char **argv)
{
    struct table_reader r = { .in = stdin };
    bool json = argc == 2 && strcmp(argv[1], "--json") == 0;
    struct table t = { .n = 0 };
    enum table_got got = table_read(&r, &t);
    char what[64];

    if (argc > 1 && !json) {
        fprintf(stderr, "usage: table [--json] <MEASUREMENTS\n");
        return 2;
    }
    if (json)
        putchar('{');
    if (got == TABLE_MACHINE) {
        print_machine(r.machine, json);
        got = table_read(&r, &t);
    }
    if (json)
        printf("\"figures\":[");
    for (unsigned n = 0; got == TABLE_FIGURE; n++) {
        print_figure(&t, json, n);
        got = table_read(&r, &t);
    }
    if (json)
        printf("]}\n");
    snprintf(what, sizeof what, "line %u is no measurement", r.number);
    return got == TABLE_END ? 0
                            : bench_fail(what, "table.h says what the lines are", NULL);
}
