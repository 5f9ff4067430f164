/* Two tables: the segments, a line each; and the first packet, a line for each field of
 * its headers, as they are on the wire. */
#include "segments.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "lan_flow.h"

enum { TEXT_SHOWN = 24, ROWS = 40, HEX_SHOWN = 16 };

/* --- the segments --- */

static void print_text(const uint8_t *at, size_t len, FILE *out)
{
    for (size_t i = 0; i < len && i < TEXT_SHOWN; i++)
        putc(at[i] >= ' ' && at[i] <= '~' ? at[i] : '.', out);
    putc('\n', out);
}

static void print_segment(const struct lan_event *e, const struct lan_segment *s, int n,
                          FILE *out)
{
    size_t options = s->tcp_len - TCP_LEN;
    char numbers[40];

    snprintf(numbers, sizeof numbers, "%u:%u", s->first, s->first + s->tcp.text_len);
    fprintf(out, "  %7d  %-15s  %zu + %d + %2zu + %4u = %4zu   %4.1f %%  ", n, numbers,
            s->ip_len, TCP_LEN, options, s->tcp.text_len, e->len,
            100.0 * (double)(s->ip_len + s->tcp_len) / (double)e->len);
    print_text(s->tcp.text, s->tcp.text_len, out);
}

/* --- a packet --- */

enum kind { NUMBER, WORDS, ADDRESS, FLAGS, PLAIN };

struct field {
    size_t at, len; /* in its header */
    enum kind kind;
    const char *name;
};

static const struct field ip_fields[] = {
    { 0, 1, WORDS, "version 4, header length" },
    { 1, 1, NUMBER, "type of service" },
    { 2, 2, NUMBER, "total length" },
    { 4, 2, NUMBER, "identification" },
    { 6, 2, PLAIN, "do not fragment; offset 0" },
    { 8, 1, NUMBER, "time to live" },
    { 9, 1, NUMBER, "protocol" },
    { 10, 2, PLAIN, "checksum of this header" },
    { 12, 4, ADDRESS, "source" },
    { 16, 4, ADDRESS, "destination" },
    { 0, 0, PLAIN, NULL },
};

static const struct field tcp_fields[] = {
    { 0, 2, NUMBER, "source port" },
    { 2, 2, NUMBER, "destination port" },
    { 4, 4, NUMBER, "sequence number" },
    { 8, 4, NUMBER, "acknowledgment" },
    { 12, 1, WORDS, "header length" },
    { 13, 1, FLAGS, "flags" },
    { 14, 2, NUMBER, "window" },
    { 16, 2, PLAIN, "checksum of addresses, header and text" },
    { 18, 2, NUMBER, "urgent pointer" },
    { 0, 0, PLAIN, NULL },
};

static void print_hex(const uint8_t *at, size_t len, FILE *out)
{
    char hex[3 * TEXT_SHOWN + 1] = "";

    for (size_t i = 0; i < len && i < HEX_SHOWN; i++)
        snprintf(hex + 3 * i, 4, "%02x ", at[i]);
    fprintf(out, "    %-14s", hex);
}

static uint32_t value_of(const uint8_t *at, size_t len)
{
    return len == 1 ? at[0] : len == 2 ? get16(at) : get32(at);
}

static void print_flags(uint8_t flags, FILE *out)
{
    static const char *const names[] = { "FIN", "SYN", "RST", "PSH", "ACK", "URG" };

    for (int i = 0; i < 6; i++)
        if (flags & 1 << i)
            fprintf(out, " %s", names[i]);
}

/* IP has its length in the low half of the first byte, TCP in the high half. */
static unsigned words_of(const struct field *f, const uint8_t *at)
{
    return f->at == 0 ? *at & 15U : *at >> 4U;
}

static void print_fields(const struct field *f, const uint8_t *header, FILE *out)
{
    for (; f->name; f++) {
        const uint8_t *at = header + f->at;
        print_hex(at, f->len, out);
        fputs(f->name, out);
        if (f->kind == NUMBER)
            fprintf(out, " %u", value_of(at, f->len));
        else if (f->kind == WORDS)
            fprintf(out, " %u words of 4 bytes", words_of(f, at));
        else if (f->kind == ADDRESS)
            fprintf(out, " %u.%u.%u.%u", at[0], at[1], at[2], at[3]);
        else if (f->kind == FLAGS)
            print_flags(*at, out);
        putc('\n', out);
    }
}

static void print_packet(const struct lan_event *e, const struct lan_segment *s,
                         FILE *out)
{
    const uint8_t *tcp = e->ip + s->ip_len;
    size_t options = s->tcp_len - TCP_LEN;

    fprintf(out, "\n  the first packet's IP header: %zu bytes\n", s->ip_len);
    print_fields(ip_fields, e->ip, out);
    fprintf(out, "  its TCP header: %d bytes\n", TCP_LEN);
    print_fields(tcp_fields, tcp, out);
    if (options) {
        fprintf(out, "  its options: %zu bytes\n", options);
        print_hex(tcp + TCP_LEN, options, out);
        fputs("two bytes of nothing, then the timestamps\n", out);
    }
    fprintf(out, "  its text: %u bytes\n", s->tcp.text_len);
    print_hex(s->tcp.text, s->tcp.text_len, out);
    print_text(s->tcp.text, s->tcp.text_len, out);
}

/* --- all --- */

/* Goes through the text of the first connection whose server says anything. */
struct walk {
    const struct lan_event *e;
    struct lan_flows flows;
    struct lan_segment s;
    int flow; /* 0: not found yet */
};

static void begin(struct walk *w, const struct lan *lan)
{
    w->e = lan->first;
    w->flow = 0;
    lan_flows_init(&w->flows, lan);
}

/* The event of its next segment, in w->s; NULL: there is none. */
static const struct lan_event *next(struct walk *w)
{
    for (; w->e; w->e = w->e->next) {
        const struct lan_event *e = w->e;
        if (!lan_look(&w->flows, e, &w->s) || !w->s.answer || w->s.tcp.text_len == 0)
            continue;
        if (w->flow && w->flow != w->s.flow)
            continue;
        w->flow = w->s.flow;
        w->e = e->next;
        return e;
    }
    return NULL;
}

/* Bytes of the head at the front of a text; 0: it has none, or that has no end here. */
static size_t head_of(const uint8_t *text, size_t len)
{
    const uint8_t *end = memmem(text, len, "\r\n\r\n", 4);

    return len >= 5 && memcmp(text, "HTTP/", 5) == 0 && end ? (size_t)(end - text) + 4
                                                            : 0;
}

static void print_sum(struct walk *w, FILE *out)
{
    size_t all = 0, head = 0;

    while (next(w)) {
        if (all == 0)
            head = head_of(w->s.tcp.text, w->s.tcp.text_len);
        all += w->s.tcp.text_len;
    }
    fprintf(out, "  message: %zu bytes, head %zu and body %zu\n\n", all, head,
            all - head);
    fputs("  segment  numbers          IP + TCP + options + text = packet  headers  "
          "text\n",
          out);
}

static void print_all(struct walk *w, FILE *out)
{
    const struct lan_event *e, *first = NULL;
    struct lan_segment of_first = { 0 };
    int n = 0;

    for (; (e = next(w)); n++) {
        if (n < ROWS)
            print_segment(e, &w->s, n + 1, out);
        if (n == 0) {
            first = e;
            of_first = w->s;
        }
    }
    if (n > ROWS)
        fprintf(out, "  and %d more\n", n - ROWS);
    if (first)
        print_packet(first, &of_first, out);
}

char *segments_picture(const struct lan *lan)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    struct walk w;

    if (!out)
        return NULL;
    begin(&w, lan);
    print_sum(&w, out);
    begin(&w, lan);
    print_all(&w, out);
    fclose(out);
    return text;
}
