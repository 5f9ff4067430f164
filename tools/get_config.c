/* Files of options (-K), as curl has them: one a line, long without its dashes or as on
 * a command line, its value behind blanks, '=' or ':', in quotes where it has blanks.
 * Their words take the place of the -K among the arguments, so that an option in a file
 * means what it means there.
 *
 * Without -q there is a default file, the one that curl has. It is written for curl, so
 * what is not known here is left out, and told. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "get.h"

enum { WORDS_MAX = 1024, FILES_MAX = 32 };

struct words {
    char *at[WORDS_MAX];
    size_t n;
};

static bool add(struct words *w, char *word)
{
    if (!word || w->n == WORDS_MAX)
        return false;
    w->at[w->n++] = word;
    return true;
}

/* A character behind a backslash in quotes. */
static char unescaped(char c)
{
    static const char from[] = "tnrv", to[] = "\t\n\r\v";
    const char *found = c ? strchr(from, c) : NULL;

    return found ? to[found - from] : c;
}

/* The value at `at`, for the caller to free: what is in quotes, or up to a blank. */
static char *value_at(const char *at)
{
    char *value = malloc(strlen(at) + 1);
    bool quoted = *at == '"';
    size_t n = 0;

    if (!value)
        return NULL;
    for (at += quoted; *at && !strchr(quoted ? "\"" : " \t", *at); at++) {
        if (quoted && at[0] == '\\' && at[1])
            value[n++] = unescaped(*++at);
        else
            value[n++] = *at;
    }
    value[n] = '\0';
    return value;
}

/* A line's option, and its value, if it has one. False: no memory, or too many. `g`: of
 * the default file, where one that is not known is noted there, and no more. */
static bool add_line(struct words *w, char *line, struct get *g)
{
    bool dashes = line[0] == '-';
    size_t n = strcspn(line, dashes ? " \t" : " \t=:");
    char *value = line + n, *name;

    value += strspn(value, dashes ? " \t" : " \t=:");
    name = malloc(n + 3);
    if (!name)
        return false;
    snprintf(name, n + 3, "%s%.*s", dashes ? "" : "--", (int)n, line);
    if (g && !get_knows(name)) {
        snprintf(g->unknown, sizeof g->unknown, "%s", name);
        free(name);
        return true;
    }
    return add(w, name) && (*value == '\0' || add(w, value_at(value)));
}

static int failed(const char *path, const char *why)
{
    char what[160];

    snprintf(what, sizeof what, "(26) cannot take the options of %.100s", path);
    tell(what, why, NULL);
    return 26;
}

/* Takes the words of an open file. */
static int take(struct get *g, struct options *o, const char *path, FILE *f,
                bool lenient)
{
    static struct words w; /* their memory is the program's: options point to it */
    char *line = NULL;
    size_t cap = 0;
    bool ok = true, begun;

    w.n = 0;
    while (ok && getline(&line, &cap, f) >= 0) {
        char *at = line + strspn(line, " \t");
        at[strcspn(at, "\r\n")] = '\0';
        if (*at != '\0' && *at != '#')
            ok = add_line(&w, at, lenient ? g : NULL);
    }
    free(line);
    if (f != stdin)
        fclose(f);
    /* A file may begin with --next, whether something stands before it or not. */
    begun = w.n > 0 && strcmp(w.at[0], "--next") == 0 && get_group_at(g)->n_urls == 0;
    ok = ok && options_insert(o, w.at + begun, w.n - begun);
    return ok ? 0 : failed(path, "it is too long");
}

int get_config(struct get *g, struct options *o, const char *path)
{
    FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");

    if (!f)
        return failed(path, strerror(errno));
    if (g->n_configs++ == FILES_MAX)
        return failed(path, "it names itself, or there are too many");
    return take(g, o, path, f, false);
}

int get_default_config(struct get *g, struct options *o)
{
    static const struct {
        const char *variable, *file;
    } places[] = {
        { "CURL_HOME", ".curlrc" },   { "XDG_CONFIG_HOME", "curlrc" },
        { "HOME", ".curlrc" },        { "CURL_HOME", ".config/curlrc" },
        { "HOME", ".config/curlrc" },
    };
    char path[4096];

    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const char *home = getenv(places[i].variable);
        FILE *f = NULL;
        if (home && *home) {
            snprintf(path, sizeof path, "%s/%s", home, places[i].file);
            f = fopen(path, "re");
        }
        if (f)
            return take(g, o, path, f, true);
    }
    return 0;
}
