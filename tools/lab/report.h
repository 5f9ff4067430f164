/* What is told of a page: a table, JSON, a waterfall as text or SVG, HAR. */
#ifndef TAPIR_LAB_REPORT_H
#define TAPIR_LAB_REPORT_H

#include <stdio.h>

#include "page.h"
#include "record.h"

/* One way of fetching the page, and what it came to. */
struct page_run {
    const struct strategy *how;
    struct record record;
    struct prediction prediction;
    bool done; /* else record.error */
};

/* Where and how, in a few lines: the path, the page, the settings of TCP. */
void report_setup(FILE *out, const struct page_setup *setup, const char *link);

void report_table(FILE *out, const struct page_run *run, unsigned n);
void report_json(FILE *out, const struct page_setup *setup, const char *link,
                 const struct page_run *run, unsigned n);

/* One lane a connection; what its letters mean. */
void waterfall_text(FILE *out, const struct page_run *run);
void waterfall_legend(FILE *out);
void waterfall_svg(FILE *out, const struct page_setup *setup,
                   const struct page_run *run, unsigned n);

/* HTTP Archive 1.2, a page for each run; its clock begins in 1970. */
void har_write(FILE *out, const struct page_server *server,
               const struct page_setup *setup, const struct page_run *run, unsigned n);

#endif
