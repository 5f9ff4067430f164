/* -w: curl's format. %{json} is all variables at once, %{header{NAME}} a field of the
 * last head, %{output{FILE}} says where the rest goes. Numbers are whole, times seconds
 * with six digits. */
#include <stdio.h>
#include <string.h>

#include "get.h"

struct subject {
    const struct get_transfer *t;
    const struct tapir_http_result *r;
};

static void put_seconds(FILE *out, int64_t usec)
{
    usec = usec < 0 ? 0 : usec;
    fprintf(out, "%lld.%06lld", (long long)(usec / 1000000),
            (long long)(usec % 1000000));
}

static void put_json_text(FILE *out, const struct get_value *v)
{
    if (!v->text) {
        fputs("null", out);
        return;
    }
    fputc('"', out);
    for (size_t i = 0; i < v->len; i++) {
        unsigned char c = (unsigned char)v->text[i];
        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < ' ')
            fprintf(out, "\\u%04x", (unsigned)c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}

static void put_json(FILE *out, const struct subject *s)
{
    struct get_value v;

    for (size_t i = 0; get_variables[i]; i++) {
        get_variable(s->t, s->r, get_variables[i], &v);
        fprintf(out, "%s\"%s\":", i ? "," : "{", get_variables[i]);
        if (v.kind == TEXT)
            put_json_text(out, &v);
        else if (v.kind == SECONDS)
            put_seconds(out, v.n);
        else
            fprintf(out, "%lld", (long long)v.n);
    }
    fputc('}', out);
}

static void put_variable(FILE *out, const struct subject *s, const char *name)
{
    struct get_value v;
    bool code = strcmp(name, "http_code") == 0 || strcmp(name, "response_code") == 0;

    if (!get_variable(s->t, s->r, name, &v))
        fprintf(stderr, "tapir get: unknown --write-out variable: '%s'\n", name);
    else if (v.kind == TEXT)
        fwrite(v.text ? v.text : "", 1, v.len, out);
    else if (v.kind == SECONDS)
        put_seconds(out, v.n);
    else
        fprintf(out, code ? "%03lld" : "%lld", (long long)v.n);
}

/* "%{name}" at the front of a format, or "%{header{name}}" and "%output{file}": its
 * length, and the inner name in `arg`. 0: it is none. */
static size_t take_variable(const char *at, char *name, char *arg, size_t cap)
{
    size_t skip = strncmp(at, "%{", 2) == 0 ? 2 : at[0] == '%' ? 1 : 0, n, inner = 0;

    n = skip ? strcspn(at + skip, "{}") : 0;
    *arg = '\0';
    if (!skip || n == 0 || n >= cap || (skip == 1 && at[skip + n] != '{') ||
        !at[skip + n])
        return 0;
    memcpy(name, at + skip, n);
    name[n] = '\0';
    if (at[skip + n] == '{') {
        inner = strcspn(at + skip + n + 1, "}");
        if (inner >= cap || !at[skip + n + 1 + inner])
            return 0;
        memcpy(arg, at + skip + n + 1, inner);
        arg[inner] = '\0';
        inner += 2;
    }
    return skip + n + inner + (skip == 2);
}

/* "\n", "%%" and their like: the character; 0: it stands for itself. */
static char escaped(const char *at)
{
    static const char from[] = "nrt", to[] = "\n\r\t";
    const char *found;

    if (at[0] == '%' && at[1] == '%')
        return '%';
    if (at[0] != '\\' || !at[1])
        return '\0';
    found = strchr(from, at[1]);
    return found ? to[found - from] : '\0';
}

/* %output{FILE}, with ">>" in front to append. */
static FILE *open_other(FILE *out, const char *path)
{
    bool append = strncmp(path, ">>", 2) == 0;
    FILE *f = fopen(path + (append ? 2 : 0), append ? "ae" : "we");

    if (!f)
        return out;
    if (out != stdout && out != stderr)
        fclose(out);
    return f;
}

/* A name that is no variable, but does something. False: it is one. */
static bool put_special(FILE **out, const struct subject *s, const char *name,
                        const char *arg)
{
    const char *value;
    size_t len;

    if (strcmp(name, "header") == 0 && *arg) {
        if (get_head_field(s->t, arg, strlen(arg), &value, &len))
            fwrite(value, 1, len, *out);
    } else if (strcmp(name, "output") == 0 && *arg) {
        *out = open_other(*out, arg);
    } else if (strcmp(name, "stdout") == 0) {
        *out = stdout;
    } else if (strcmp(name, "stderr") == 0) {
        *out = stderr;
    } else if (strcmp(name, "json") == 0) {
        put_json(*out, s);
    } else {
        return strcmp(name, "onerror") == 0;
    }
    return true;
}

void get_write_out(const struct get_transfer *t, const struct tapir_http_result *r)
{
    struct subject s = { t, r };
    const char *at = t->group->write_out;
    FILE *out = stdout;
    char name[1024], arg[1024];

    while (at && *at) {
        size_t n = take_variable(at, name, arg, sizeof name);
        char c = escaped(at);
        if (n && strcmp(name, "onerror") == 0 && r->code == 0)
            break;
        if (n && !put_special(&out, &s, name, arg))
            put_variable(out, &s, name);
        if (!n)
            fputc(c ? c : *at, out);
        at += n ? n : 1 + (size_t)(c != '\0');
    }
    if (out != stdout && out != stderr)
        fclose(out);
    fflush(stdout);
}
