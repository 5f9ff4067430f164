/* A TCP segment as a line of text, for peer.h: parsed, compared, printed. */
#ifndef TAPIR_TESTS_SEGTEXT_H
#define TAPIR_TESTS_SEGTEXT_H

#include "wire/tcp_wire.h"

/* What a line says. Numbers are relative, as written. */
struct segtext {
    struct tcp_seg seg;          /* flags, seq, ack, wnd, urg, text_len, opts */
    bool has_wnd, has_urg;       /* said at all */
    bool has_ecn;                /* [ce] and its like: seg.ecn */
    bool any_options;            /* <...> */
    bool any_ts_val, any_ts_ecr; /* `*` */
};

/* NULL, or what is wrong with the line. */
const char *segtext_parse(const char *line, struct segtext *out);

/* Is `seg`, with its numbers made relative, what `want` says? */
bool segtext_match(const struct segtext *want, const struct tcp_seg *seg);

#endif
