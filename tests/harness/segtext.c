/* A line is cut into words at blanks, commas and angle brackets; options are looked up
 * in a table of name and function. The scanner keeps one error, the first. */
#include "harness/segtext.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

struct scan {
    const char *at;    /* rest of the line */
    const char *error; /* NULL: none yet */
    struct segtext *out;
};

static void skip_blanks(struct scan *s)
{
    s->at += strspn(s->at, " \t");
}

static bool take(struct scan *s, const char *word)
{
    size_t len = strlen(word);
    skip_blanks(s);
    if (strncmp(s->at, word, len) != 0)
        return false;
    s->at += len;
    return true;
}

static void wrong(struct scan *s, const char *what)
{
    if (!s->error)
        s->error = what;
}

static uint32_t number(struct scan *s)
{
    char *end;
    skip_blanks(s);
    if (*s->at < '0' || *s->at > '9') {
        wrong(s, "a number is missing");
        return 0;
    }
    unsigned long long n = strtoull(s->at, &end, 10);
    if (n > UINT32_MAX)
        wrong(s, "a number is too large");
    s->at = end;
    return (uint32_t)n;
}

/* RFC 3168 s5 */
static void ecn(struct scan *s)
{
    static const char *const names[] = { "[noecn]", "[ect1]", "[ect0]", "[ce]" };

    for (uint8_t i = 0; i < ARRAY_LEN(names) && !s->out->has_ecn; i++) {
        s->out->has_ecn = take(s, names[i]);
        s->out->seg.ecn = i;
    }
    if (!s->out->has_ecn)
        s->out->seg.ecn = 0;
}

static void flags(struct scan *s)
{
    static const struct {
        char letter;
        uint8_t flag;
    } known[] = { { 'F', TCP_FIN }, { 'S', TCP_SYN }, { 'R', TCP_RST },
                  { 'P', TCP_PSH }, { '.', TCP_ACK }, { 'U', TCP_URG },
                  { 'E', TCP_ECE }, { 'W', TCP_CWR }, { '-', 0 } };
    skip_blanks(s);
    if (*s->at == '\0')
        wrong(s, "flags are missing");
    for (; *s->at && *s->at != ' '; s->at++) {
        size_t i = 0;
        while (i < ARRAY_LEN(known) && known[i].letter != *s->at)
            i++;
        if (i == ARRAY_LEN(known)) {
            wrong(s, "unknown flag");
            return;
        }
        s->out->seg.flags |= known[i].flag;
    }
}

static void numbers(struct scan *s)
{
    uint32_t first = number(s);
    if (!take(s, ":"))
        wrong(s, "FIRST:LAST(LENGTH) is missing its ':'");
    uint32_t last = number(s);
    if (!take(s, "("))
        wrong(s, "FIRST:LAST(LENGTH) is missing its '('");
    uint32_t len = number(s);
    if (!take(s, ")"))
        wrong(s, "FIRST:LAST(LENGTH) is missing its ')'");
    if (last != first + len)
        wrong(s, "LAST is not FIRST + LENGTH");
    s->out->seg.seq = seq_at(first);
    s->out->seg.text_len = len;
}

static void fields(struct scan *s)
{
    bool has_ack = take(s, "ack ");
    if (has_ack)
        s->out->seg.ack = seq_at(number(s));
    if (has_ack != !!(s->out->seg.flags & TCP_ACK))
        wrong(s, "`ack` and the flag `.` do not go together");
    s->out->has_wnd = take(s, "win ");
    if (s->out->has_wnd)
        s->out->seg.wnd = (uint16_t)number(s);
    s->out->has_urg = take(s, "urg ");
    if (s->out->has_urg)
        s->out->seg.urg = (uint16_t)number(s);
}

static void mss(struct scan *s)
{
    s->out->seg.opts.has_mss = true;
    s->out->seg.opts.mss = (uint16_t)number(s);
}

static void wscale(struct scan *s)
{
    s->out->seg.opts.has_wscale = true;
    s->out->seg.opts.wscale = (uint8_t)number(s);
}

static void sack_ok(struct scan *s)
{
    s->out->seg.opts.sack_ok = true;
}

static void timestamps(struct scan *s)
{
    struct tcp_opts *o = &s->out->seg.opts;
    o->has_ts = true;
    s->out->any_ts_val = take(s, "*");
    if (!s->out->any_ts_val)
        o->ts_val = number(s);
    if (!take(s, "ecr"))
        wrong(s, "TS needs `ecr`");
    s->out->any_ts_ecr = take(s, "*");
    if (!s->out->any_ts_ecr)
        o->ts_ecr = number(s);
}

static void sack(struct scan *s)
{
    struct tcp_opts *o = &s->out->seg.opts;
    skip_blanks(s);
    while (*s->at >= '0' && *s->at <= '9' && !s->error) {
        if (o->n_sack == TCP_SACK_MAX) {
            wrong(s, "too many SACK blocks");
            return;
        }
        struct range *r = &o->sack[o->n_sack++];
        r->from = seq_at(number(s));
        if (!take(s, ":"))
            wrong(s, "a SACK block is FROM:TO");
        r->to = seq_at(number(s));
        skip_blanks(s);
    }
}

/* "FO", "FOEXP 1234abcd": as many bytes as there are. */
static void cookie(struct scan *s, bool exp)
{
    struct tcp_fastopen_opt *o = &s->out->seg.opts.fastopen;
    *o = (struct tcp_fastopen_opt){ .there = true, .exp = exp };
    skip_blanks(s);
    while (text_hex_digit(s->at[0]) >= 0 && text_hex_digit(s->at[1]) >= 0 &&
           o->len < FASTOPEN_COOKIE_MAX) {
        int byte = text_hex_digit(s->at[0]) << 4 | text_hex_digit(s->at[1]);
        o->b[o->len++] = (uint8_t)byte;
        s->at += 2;
    }
}

static void fastopen(struct scan *s)
{
    cookie(s, false);
}

static void fastopen_exp(struct scan *s)
{
    cookie(s, true);
}

static void nothing(struct scan *s)
{
    (void)s;
}

static void option(struct scan *s)
{
    static const struct {
        const char *name;
        void (*parse)(struct scan *s);
    } known[] = { { "mss ", mss },    { "wscale ", wscale },     { "sackOK", sack_ok },
                  { "sack ", sack },  { "TS val ", timestamps }, { "nop", nothing },
                  { "eol", nothing }, { "FOEXP", fastopen_exp }, { "FO", fastopen } };
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (take(s, known[i].name)) {
            known[i].parse(s);
            return;
        }
    wrong(s, "unknown option");
}

static void options(struct scan *s)
{
    if (!take(s, "<"))
        return;
    s->out->any_options = take(s, "...");
    if (!s->out->any_options)
        do
            option(s);
        while (!s->error && take(s, ","));
    if (!take(s, ">"))
        wrong(s, "'>' is missing behind the options");
}

const char *segtext_parse(const char *line, struct segtext *out)
{
    struct scan s = { .at = line, .out = out };
    *out = (struct segtext){ 0 };
    ecn(&s);
    flags(&s);
    numbers(&s);
    fields(&s);
    options(&s);
    skip_blanks(&s);
    if (*s.at)
        wrong(&s, "what stands at the end is not understood");
    return s.error;
}

static bool options_match(const struct segtext *want, const struct tcp_opts *got)
{
    const struct tcp_opts *o = &want->seg.opts;
    if (want->any_options)
        return true;
    if (o->has_mss != got->has_mss || (o->has_mss && o->mss != got->mss))
        return false;
    if (o->has_wscale != got->has_wscale || (o->has_wscale && o->wscale != got->wscale))
        return false;
    if (o->sack_ok != got->sack_ok || o->has_ts != got->has_ts)
        return false;
    if (o->has_ts && !want->any_ts_val && o->ts_val != got->ts_val)
        return false;
    if (o->has_ts && !want->any_ts_ecr && o->ts_ecr != got->ts_ecr)
        return false;
    if (o->n_sack != got->n_sack || o->fastopen.there != got->fastopen.there)
        return false;
    if (memcmp(&o->fastopen, &got->fastopen, sizeof o->fastopen) != 0)
        return false;
    for (size_t i = 0; i < o->n_sack; i++)
        if (!seq_eq(o->sack[i].from, got->sack[i].from) ||
            !seq_eq(o->sack[i].to, got->sack[i].to))
            return false;
    return true;
}

bool segtext_match(const struct segtext *want, const struct tcp_seg *seg)
{
    const struct tcp_seg *w = &want->seg;
    if (w->flags != seg->flags || !seq_eq(w->seq, seg->seq) ||
        w->text_len != seg->text_len)
        return false;
    if ((w->flags & TCP_ACK) && !seq_eq(w->ack, seg->ack))
        return false;
    if (want->has_ecn && w->ecn != seg->ecn)
        return false;
    if (want->has_wnd && w->wnd != seg->wnd)
        return false;
    if (want->has_urg && w->urg != seg->urg)
        return false;
    return options_match(want, &seg->opts);
}
