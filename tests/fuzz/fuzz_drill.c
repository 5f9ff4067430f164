/* Scripts of `tapir drill`. The first byte chooses: only read the script, play it, or
 * run the rest as the code of a %{ }%. A script that is none is refused at a place with
 * a sentence; one that is played passes, or fails at a line of its own; and both do so
 * every time. */
#include <stdlib.h>

#include "../../tools/drill/code.h"
#include "../../tools/drill/drill.h"
#include "fuzz/fuzz.h"
#include "harness/guarded.h"

enum { PLAYED_MAX = 1500, INFO = 256 };

static int lines_of(const char *text, size_t len)
{
    int n = 1;

    for (size_t i = 0; i < len; i++)
        n += text[i] == '\n';
    return n;
}

static void one_script(const char *text, size_t len)
{
    struct arena arena = { 0 };
    struct script script = { .file = "fuzz.pkt", .defines = drill_defines() };
    struct script_error error = { 0 };

    if (script_parse(&script, &arena, text, len, &error) < 0) {
        assert(error.text[0] != '\0' && strlen(error.text) < sizeof error.text);
        assert(error.line >= 1 && error.line <= lines_of(text, len));
        assert(error.column >= 1);
    }
    for (const struct event *e = script.events; e; e = e->next)
        assert(e->line >= 1 && e->line <= lines_of(text, len));
    arena_free(&arena);
}

static void one_play(const char *text, size_t len)
{
    struct drill drill = { .config = { .seeded = true, .seed = 1 },
                           .defines = drill_defines() };
    struct verdict v;

    if (len > PLAYED_MAX)
        return;
    drill_run(&drill, "fuzz.pkt", text, len, &v);
    assert(v.kind == VERDICT_PASS || v.message[0] != '\0');
    fuzz_mark((const uint8_t *)v.message, strlen(v.message));
    fuzz_mark((const uint8_t *)v.actual, strlen(v.actual));
    fuzz_mark((const uint8_t *)&v.at, sizeof v.at);
    verdict_free(&v);
}

static void one_code(const char *text, size_t len)
{
    static const uint8_t info[INFO] = { 1 };
    struct arena arena = { 0 };
    struct code code = {
        .arena = &arena, .has_info = len % 2, .info = info, .info_len = sizeof info
    };
    char why[200] = "";
    char *copy = arena_text(&arena, text, len);

    if (!code_run(&code, copy, why, sizeof why))
        assert(why[0] != '\0');
    arena_free(&arena);
}

void fuzz_drill(const uint8_t *data, size_t size)
{
    static void (*const what[])(const char *, size_t) = { one_script, one_play,
                                                          one_code };

    if (size < 1 || size > GUARDED_MAX)
        return;
    what[data[0] % 3](guarded(data + 1, size - 1), size - 1);
}
