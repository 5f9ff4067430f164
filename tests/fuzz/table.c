/* All harnesses. */
#include "fuzz/fuzz.h"

const struct fuzz fuzz_table[] = {
    { "wire", fuzz_wire, 600,
      "headers: parse, emit, parse is a fixpoint; any frame prints as a line" },
    { "stack", fuzz_stack, 2000,
      "frames, calls and time: TCP's invariants hold, streams are intact, all is "
      "freed" },
    { "pair", fuzz_pair, 600,
      "two stacks over a wire that changes packets: what was sent is what arrives" },
    { "http", fuzz_http, 600,
      "messages read whole and byte by byte are the same, or refused the same" },
    { "fields", fuzz_fields, 300,
      "paths stay below their root, URLs make requests, a line stays one line" },
    { "dns", fuzz_dns, 600,
      "a name server's messages lie within their bytes, chains of aliases end" },
    { "text", fuzz_text, 200,
      "addresses, netem's words, configurations, tunables, SYN cookies" },
    { "drill", fuzz_drill, 1000,
      "scripts are refused at a place, or play the same every time" },
    { NULL, NULL, 0, NULL },
};

uint64_t fuzz_run;

const struct fuzz *fuzz_find(const char *name)
{
    for (const struct fuzz *f = fuzz_table; f->name; f++)
        if (strcmp(f->name, name) == 0)
            return f;
    return NULL;
}
