/* The tables of `make bench`: reads what the driver has gathered, prints it for people
 * or as JSON. Its input is lines of fields with a tab between:
 *
 *     machine  TEXT
 *     figure   NAME UNIT more|less TITLE    begins a table; which way is better
 *     subject  KEY TITLE                    a row; ratios are of the first one to the
 * others value    KEY ROUND NUMBER             rounds count from 1 missing  KEY REASON
 * why there is none, or not in every round bar      KEY NUMBER                   what
 * the ratio to KEY has to reach; for the first subject's own KEY, its median
 */
#ifndef TAPIR_TOOLS_TABLE_H
#define TAPIR_TOOLS_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include "stats.h"

enum {
    TABLE_SUBJECTS = 8, /* rows of a table at most */
    TABLE_TEXT = 200    /* bytes of a field at most */
};

struct table_subject {
    char key[32], title[TABLE_TEXT];
    char missing[TABLE_TEXT]; /* empty: all is there */
    struct stats_rounds rounds;
    bool has_bar;
    double bar;
};

struct table {
    char name[32], unit[32], title[TABLE_TEXT];
    bool less; /* is better */
    unsigned n;
    struct table_subject subject[TABLE_SUBJECTS];
};

enum table_got { TABLE_END, TABLE_MACHINE, TABLE_FIGURE, TABLE_BAD };

/* Where the reader stands: a line that belongs to the next table waits here. */
struct table_reader {
    FILE *in;
    char line[512];  /* empty: none waits */
    unsigned number; /* of the line last read */
    char machine[TABLE_TEXT];
};

/* Reads the machine's line, or one table; TABLE_BAD: line r->number is not understood.
 */
enum table_got table_read(struct table_reader *r, struct table *t);

void table_print(const struct table *t, FILE *out);

/* One element of the JSON array "figures". */
void table_json(const struct table *t, FILE *out);

/* Text as a JSON string, with its quotes. */
void table_json_string(const char *text, FILE *out);

/* Whether s reaches its bar: +1, -1, or 0 where there is no bar or no figure. */
int table_judges(const struct table *t, const struct table_subject *s);

#endif
