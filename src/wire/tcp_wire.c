/* TCP headers and options (RFC 9293 s3.1), in, out, and as text.
 *
 *      0                 2                 4
 *      | source port     | destination port|
 *      | sequence number                   |  8
 *      | acknowledgment number             |  12
 *      | off |    | flags| window          |  16    off: header length / 4
 *      | checksum        | urgent pointer  |  20
 *      | options, 0 to 40 bytes, padded with zeros to a multiple of four ...
 *
 * Options are kind, length, value; kinds 0 (end) and 1 (NOP) are a single byte. A
 * length that cannot be (below 2, beyond the header) ends the walk, because nothing
 * says where the next option would begin. A possible length that is wrong for its kind
 * costs that option only. An option that stands twice counts as it stands last.
 *
 * Nearly every segment of a connection carries either no options or exactly NOP, NOP,
 * timestamps; both are recognised without a walk. */
#include "wire/tcp_wire.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"

enum {
    OPT_END = 0,
    OPT_NOP = 1,
    OPT_MSS = 2,
    OPT_WSCALE = 3,
    OPT_SACK_OK = 4,
    OPT_SACK = 5,
    OPT_TIMESTAMPS = 8,
    OPT_FASTOPEN = 34,
    OPT_EXPERIMENT = 254,   /* RFC 6994: two bytes say whose ... */
    FASTOPEN_EXID = 0xf989, /* ... RFC 7413's, before it had a number */

    MSS_LEN = 4,
    WSCALE_LEN = 3,
    SACK_OK_LEN = 2,
    TIMESTAMPS_LEN = 10,
    SACK_BLOCK_LEN = 8,
    FASTOPEN_LEN = 2,
    FASTOPEN_EXP_LEN = 4,
};

static const uint32_t nop_nop_timestamps = 0x0101080a;

static void parse_timestamps(const uint8_t *value, struct tcp_opts *out)
{
    out->has_ts = true;
    out->ts_val = get32(value);
    out->ts_ecr = get32(value + 4);
}

/* n bytes of blocks; a block that holds nothing, or ends before it begins, says nothing
 * and is left out. */
static void parse_sack(const uint8_t *value, size_t n, struct tcp_opts *out)
{
    out->n_sack = 0;
    for (size_t i = 0; i < n && out->n_sack < TCP_SACK_MAX; i += SACK_BLOCK_LEN) {
        struct range r = { seq_at(get32(value + i)), seq_at(get32(value + i + 4)) };
        if (seq_lt(r.from, r.to))
            out->sack[out->n_sack++] = r;
    }
}

/* RFC 7413 s2: any other length is as if it were not there. */
static void parse_cookie(const uint8_t *value, size_t n, bool exp, struct tcp_opts *out)
{
    if (n % 2 || (n && n < FASTOPEN_COOKIE_MIN) || n > FASTOPEN_COOKIE_MAX)
        return;
    out->fastopen =
        (struct tcp_fastopen_opt){ .there = true, .exp = exp, .len = (uint8_t)n };
    memcpy(out->fastopen.b, value, n);
}

static bool is_fastopen_exp(const uint8_t *b, size_t n)
{
    return b[0] == OPT_EXPERIMENT && n >= FASTOPEN_EXP_LEN &&
           get16(b + 2) == FASTOPEN_EXID;
}

/* One option of n bytes (2 at least) at b. */
static void parse_option(const uint8_t *b, size_t n, struct tcp_opts *out)
{
    const uint8_t *value = b + 2;

    if (b[0] == OPT_MSS && n == MSS_LEN) {
        out->has_mss = true;
        out->mss = get16(value);
    } else if (b[0] == OPT_WSCALE && n == WSCALE_LEN) {
        out->has_wscale = true;
        out->wscale = value[0];
    } else if (b[0] == OPT_SACK_OK && n == SACK_OK_LEN) {
        out->sack_ok = true;
    } else if (b[0] == OPT_TIMESTAMPS && n == TIMESTAMPS_LEN) {
        parse_timestamps(value, out);
    } else if (b[0] == OPT_SACK && n > 2 && (n - 2) % SACK_BLOCK_LEN == 0) {
        parse_sack(value, n - 2, out);
    } else if (b[0] == OPT_FASTOPEN) {
        parse_cookie(value, n - FASTOPEN_LEN, false, out);
    } else if (is_fastopen_exp(b, n)) {
        parse_cookie(b + FASTOPEN_EXP_LEN, n - FASTOPEN_EXP_LEN, true, out);
    } /* RFC 9293 s3.1 (MUST-6): any other is passed over by its length. */
}

static void parse_options(const uint8_t *b, size_t n, struct tcp_opts *out)
{
    if (n == TCP_TIMESTAMP_SPACE && get32(b) == nop_nop_timestamps) {
        parse_timestamps(b + 4, out);
        return;
    }
    /* RFC 9293 s3.1 (MUST-4), s3.2 (MUST-64) */
    for (size_t i = 0; i < n && b[i] != OPT_END;) {
        if (b[i] == OPT_NOP) {
            i++;
            continue;
        }
        /* RFC 9293 s3.1 (MUST-7) */
        if (n - i < 2 || b[i + 1] < 2 || b[i + 1] > n - i)
            return;
        parse_option(b + i, b[i + 1], out);
        i += b[i + 1];
    }
}

int tcp_parse(const uint8_t *b, size_t len, struct tcp_seg *out)
{
    if (len < TCP_LEN)
        return -DROP_TCP_SHORT - 1;
    size_t header_len = (b[12] >> 4) * 4u;
    if (header_len < TCP_LEN)
        return -DROP_TCP_OFFSET - 1;
    if (header_len > len)
        return -DROP_TCP_SHORT - 1;

    *out = (struct tcp_seg){
        .src_port = get16(b),
        .dst_port = get16(b + 2),
        .seq = seq_at(get32(b + 4)),
        .ack = seq_at(get32(b + 8)),
        .flags = b[13],
        .wnd = get16(b + 14),
        .urg = get16(b + 18),
        .segs = 1,
        .drop = DROP_N,
        .text = b + header_len,
        .text_len = (uint32_t)(len - header_len),
    };
    if (header_len > TCP_LEN) /* RFC 9293 s3.1 (MUST-5) */
        parse_options(b + TCP_LEN, header_len - TCP_LEN, &out->opts);
    return 0;
}

static size_t cookie_len(const struct tcp_fastopen_opt *c)
{
    if (!c->there)
        return 0;
    return (c->exp ? FASTOPEN_EXP_LEN : FASTOPEN_LEN) + (size_t)c->len;
}

size_t tcp_opts_len(const struct tcp_opts *o)
{
    size_t n = 0;

    if (o->has_mss)
        n += MSS_LEN;
    if (o->has_ts)
        n += TCP_TIMESTAMP_SPACE; /* SACK permitted fits into its padding */
    else if (o->sack_ok)
        n += SACK_OK_LEN + 2;
    if (o->has_wscale)
        n += WSCALE_LEN + 1;
    if (o->n_sack > 0)
        n += 4 + (size_t)o->n_sack * SACK_BLOCK_LEN;
    return n + (cookie_len(&o->fastopen) + 3) / 4 * 4;
}

/* --- emitting ----------------------------------------------------------------------
 */

/* Where an option begins: behind as many NOPs as bring it to `at` modulo `every`. */
struct place {
    uint8_t kind, every, at;
};

enum { KINDS = 6 }; /* that are emitted */

/* A value of four bytes stands on a multiple of four. Linux puts SACK permitted, which
 * has none, where timestamps would need two NOPs; BSD closes up. SACK blocks are of
 * other segments than the options that are agreed on, and come last. */
static const struct place linux_places[KINDS] = {
    { OPT_MSS, 4, 0 },    { OPT_SACK_OK, 4, 2 }, { OPT_TIMESTAMPS, 4, 2 },
    { OPT_WSCALE, 4, 1 }, { OPT_SACK, 4, 2 },    { OPT_FASTOPEN, 4, 0 },
};
static const struct place linux_places_beside_timestamps[KINDS] = {
    { OPT_MSS, 4, 0 },    { OPT_SACK_OK, 4, 0 }, { OPT_TIMESTAMPS, 4, 2 },
    { OPT_WSCALE, 4, 1 }, { OPT_SACK, 4, 2 },    { OPT_FASTOPEN, 4, 0 },
};
static const struct place bsd_places[KINDS] = {
    { OPT_MSS, 4, 0 },        { OPT_WSCALE, 2, 1 }, { OPT_SACK_OK, 2, 0 },
    { OPT_TIMESTAMPS, 4, 2 }, { OPT_SACK, 4, 2 },   { OPT_FASTOPEN, 4, 0 },
};

static const struct place *places_of(const struct tcp_opts *o)
{
    if (o->layout == TCP_LAYOUT_BSD)
        return bsd_places;
    return o->has_ts ? linux_places_beside_timestamps : linux_places;
}

/* The length of the option, 0: it is not there. */
static size_t option_len(const struct tcp_opts *o, uint8_t kind)
{
    switch (kind) {
    case OPT_MSS:
        return o->has_mss ? MSS_LEN : 0;
    case OPT_WSCALE:
        return o->has_wscale ? WSCALE_LEN : 0;
    case OPT_SACK_OK:
        return o->sack_ok ? SACK_OK_LEN : 0;
    case OPT_TIMESTAMPS:
        return o->has_ts ? TIMESTAMPS_LEN : 0;
    case OPT_FASTOPEN:
        return cookie_len(&o->fastopen);
    default:
        return o->n_sack > 0 ? 2 + (size_t)o->n_sack * SACK_BLOCK_LEN : 0;
    }
}

static void put_sack(uint8_t *b, const struct tcp_opts *o)
{
    for (size_t i = 0; i < o->n_sack; i++, b += SACK_BLOCK_LEN) {
        put32(b, o->sack[i].from.n);
        put32(b + 4, o->sack[i].to.n);
    }
}

static void put_cookie(uint8_t *b, const struct tcp_fastopen_opt *c)
{
    if (c->exp) {
        b[0] = OPT_EXPERIMENT;
        put16(b + 2, FASTOPEN_EXID);
    }
    memcpy(b + (c->exp ? FASTOPEN_EXP_LEN : FASTOPEN_LEN), c->b, c->len);
}

static void put_value(uint8_t *b, const struct tcp_opts *o, uint8_t kind)
{
    switch (kind) {
    case OPT_MSS:
        put16(b, o->mss);
        break;
    case OPT_WSCALE:
        *b = o->wscale;
        break;
    case OPT_TIMESTAMPS:
        put32(b, o->ts_val);
        put32(b + 4, o->ts_ecr);
        break;
    case OPT_SACK:
        put_sack(b, o);
        break;
    case OPT_FASTOPEN:
        put_cookie(b - 2, &o->fastopen);
        break;
    default:
        break;
    }
}

/* Exactly `room` bytes, which tcp_opts_len() has counted: the same in every layout. */
static void put_options(uint8_t *b, size_t room, const struct tcp_opts *o)
{
    const struct place *place = places_of(o);
    size_t n = 0;

    for (size_t i = 0; i < KINDS && n < room; i++) {
        size_t len = option_len(o, place[i].kind);
        if (len == 0)
            continue;
        while (n % place[i].every != place[i].at)
            b[n++] = OPT_NOP;
        assert(n + len <= room);
        b[n] = place[i].kind;
        b[n + 1] = (uint8_t)len; /* RFC 9293 s3.1 (MUST-68) */
        put_value(b + n + 2, o, place[i].kind);
        n += len;
    }
    /* RFC 9293 s3.1 (MUST-69) */
    memset(b + n, o->layout == TCP_LAYOUT_BSD ? OPT_END : OPT_NOP, room - n);
}

size_t tcp_emit_header(uint8_t *b, const struct tcp_seg *s)
{
    size_t len = TCP_LEN + tcp_opts_len(&s->opts);
    assert(len <= TCP_LEN + TCP_OPTIONS_MAX && s->opts.n_sack <= TCP_SACK_MAX);

    put16(b, s->src_port);
    put16(b + 2, s->dst_port);
    put32(b + 4, s->seq.n);
    put32(b + 8, s->ack.n);
    b[12] = (uint8_t)(len / 4 << 4);
    b[13] = s->flags;
    put16(b + 14, s->wnd);
    put16(b + 16, 0);
    put16(b + 18, s->urg);
    put_options(b + TCP_LEN, len - TCP_LEN, &s->opts);
    return len;
}

static void print_flags(struct text *t, uint8_t flags)
{
    static const char letter[] = "FSRP.UEW"; /* from bit 0 up, as tcpdump has them */

    for (int i = 0; i < 8; i++)
        if (flags & 1 << i)
            text_char(t, letter[i]);
    if (flags == 0)
        text_char(t, '-');
}

static void print_sack(struct text *t, const struct tcp_opts *o, struct seq base)
{
    text_put(t, "sack");
    for (size_t i = 0; i < o->n_sack; i++) {
        text_char(t, ' ');
        text_u64(t, seq_len(base, o->sack[i].from));
        text_char(t, ':');
        text_u64(t, seq_len(base, o->sack[i].to));
    }
}

static void print_cookie(struct text *t, const struct tcp_fastopen_opt *c)
{
    text_put(t, c->exp ? "FOEXP" : "FO");
    if (c->len > 0)
        text_char(t, ' ');
    for (uint8_t i = 0; i < c->len; i++)
        text_hex(t, c->b[i], 2);
}

/* The separator before an option: " <" before the first, "," before the others. */
static void print_comma(struct text *t, bool *first)
{
    text_put(t, *first ? " <" : ",");
    *first = false;
}

static void print_options(struct text *t, const struct tcp_opts *o, struct seq ack_base)
{
    bool first = true;

    if (o->has_mss) {
        print_comma(t, &first);
        text_put(t, "mss ");
        text_u64(t, o->mss);
    }
    if (o->sack_ok) {
        print_comma(t, &first);
        text_put(t, "sackOK");
    }
    if (o->has_ts) {
        print_comma(t, &first);
        text_put(t, "TS val ");
        text_u64(t, o->ts_val);
        text_put(t, " ecr ");
        text_u64(t, o->ts_ecr);
    }
    if (o->has_wscale) {
        print_comma(t, &first);
        text_put(t, "wscale ");
        text_u64(t, o->wscale);
    }
    if (o->n_sack > 0) {
        print_comma(t, &first);
        print_sack(t, o, ack_base);
    }
    if (o->fastopen.there) {
        print_comma(t, &first);
        print_cookie(t, &o->fastopen);
    }
    if (!first)
        text_char(t, '>');
}

void tcp_print(struct text *t, const struct tcp_seg *s, struct seq seq_base,
               struct seq ack_base)
{
    uint32_t from = seq_len(seq_base, s->seq);

    print_flags(t, s->flags);
    text_char(t, ' ');
    text_u64(t, from);
    text_char(t, ':');
    text_u64(t, from + s->text_len);
    text_char(t, '(');
    text_u64(t, s->text_len);
    text_char(t, ')');
    if (s->flags & TCP_ACK) {
        text_put(t, " ack ");
        text_u64(t, seq_len(ack_base, s->ack));
    }
    text_put(t, " win ");
    text_u64(t, s->wnd);
    if (s->flags & TCP_URG) {
        text_put(t, " urg ");
        text_u64(t, s->urg);
    }
    print_options(t, &s->opts, ack_base);
}
