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

/* Where lines are taken to: a text, or one of the two lists. */
struct place {
    char *end;         /* of the section's text; NULL: it is none */
    const char **list; /* NULL: it is none */
    unsigned *n;
};

static bool take_text(char *line, struct place *to)
{
    line += strspn(line, " ") < INDENT ? strspn(line, " ") : INDENT;
    if (to->list && *to->n < SHEET_RUNS)
        to->list[(*to->n)++] = line;
    else if (to->end)
        add_line(&to->end, line);
    return to->list || to->end;
}

static bool take_line(struct sheet *s, char *line, struct place *to)
{
    if (*line == ' ')
        return take_text(line, to);
    char **section = section_of(s, line);
    *to = (struct place){ .end = section ? line : NULL };
    if (strcmp(line, "run") == 0)
        *to = (struct place){ .list = s->run, .n = &s->runs };
    else if (strcmp(line, "answers") == 0)
        *to = (struct place){ .list = s->answer, .n = &s->answers };
    if (section) {
        *section = line;
        *line = '\0';
    } else if (strncmp(line, "title ", 6) == 0) {
        s->title = line + 6;
    }
    return section || to->list || s->title == line + 6;
}

int sheet_read(const char *path, struct sheet *sheet)
{
    bool ok = true;
    struct place to = { 0 };
    char *next;

    memset(sheet, 0, sizeof *sheet);
    sheet->text = read_file(path);
    if (!sheet->text)
        return -errno;
    for (char *line = sheet->text; ok && *line; line = next) {
        next = line + strcspn(line, "\n");
        if (*next)
            *next++ = '\0';
        ok = take_line(sheet, line, &to);
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

const char *sheet_answer(const struct sheet *sheet, const char *question)
{
    size_t n = strlen(question);

    for (unsigned i = 0; i < sheet->answers; i++)
        if (strncmp(sheet->answer[i], question, n) == 0 && sheet->answer[i][n] == ' ')
            return sheet->answer[i] + n + 1;
    return NULL;
}
