/* Reads a sheet: sections become strings within the file's text, in place. The two
 * blanks of indentation go away. */
#include "sheet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 64 * 1024, INDENT = 2 };

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "re");
    char *text = f ? calloc(1, FILE_MAX + 1) : NULL;

    if (text && fread(text, 1, FILE_MAX, f) == 0) {
        free(text);
        text = NULL;
        errno = EINVAL;
    }
    if (f)
        fclose(f);
    return text;
}

/* Appends a line to the section that ends at *end; the text only ever moves forward. */
static void add_line(char **end, const char *line)
{
    size_t n = strlen(line);

    memmove(*end, line, n);
    *end += n;
    *(*end)++ = '\n';
    **end = '\0';
}

static char **section_of(struct sheet *s, const char *name)
{
    if (strcmp(name, "predict") == 0)
        return &s->predict;
    if (strcmp(name, "see") == 0)
        return &s->see;
    return strcmp(name, "questions") == 0 ? &s->questions : NULL;
}

static bool take_line(struct sheet *s, char *line, bool *running, char **end)
{
    if (*line == ' ') {
        line += strspn(line, " ") < INDENT ? strspn(line, " ") : INDENT;
        if (*running && s->runs < SHEET_RUNS)
            s->run[s->runs++] = line;
        else if (*end)
            add_line(end, line);
        return *running || *end;
    }
    char **section = section_of(s, line);
    *running = strcmp(line, "run") == 0;
    *end = section ? line : NULL;
    if (section) {
        *section = line;
        *line = '\0';
    } else if (strncmp(line, "title ", 6) == 0) {
        s->title = line + 6;
    }
    return section || *running || s->title == line + 6;
}

int sheet_read(const char *path, struct sheet *sheet)
{
    bool ok = true, running = false;
    char *end = NULL, *next;

    memset(sheet, 0, sizeof *sheet);
    sheet->text = read_file(path);
    if (!sheet->text)
        return -errno;
    for (char *line = sheet->text; ok && *line; line = next) {
        next = line + strcspn(line, "\n");
        if (*next)
            *next++ = '\0';
        ok = take_line(sheet, line, &running, &end);
    }
    if (ok && sheet->title && sheet->runs > 0)
        return 0;
    sheet_free(sheet);
    return -EINVAL;
}

void sheet_free(struct sheet *sheet)
{
    free(sheet->text);
    memset(sheet, 0, sizeof *sheet);
}
