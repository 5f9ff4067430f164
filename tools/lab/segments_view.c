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

static void print_all(const struct lan *lan, FILE *out)
{
    const struct lan_event *first = NULL;
    struct lan_flows flows = { .n = 0 };
    struct lan_segment s, of_first = { 0 };
    int n = 0;

    for (const struct lan_event *e = lan->first; e; e = e->next) {
        if (!lan_look(&flows, e, &s) || !s.answer || s.tcp.text_len == 0)
            continue;
        if (n++ < ROWS)
            print_segment(e, &s, n, out);
        if (!first) {
            first = e;
            of_first = s;
        }
    }
    if (n > ROWS)
        fprintf(out, "  and %d more\n", n - ROWS);
    if (first)
        print_packet(first, &of_first, out);
}

char *segments_picture(const struct lan *lan, size_t head, size_t body)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);

    if (!out)
        return NULL;
    fprintf(out,
            "  message: %zu bytes, head %zu and body %zu\n\n"
            "  segment  numbers          IP + TCP + options + text = packet  headers  "
            "text\n",
            head + body, head, body);
    print_all(lan, out);
    fclose(out);
    return text;
}
