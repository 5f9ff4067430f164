/* Reads connections off the wire: each SYN is one, its sender's end comes first. */
#include "tuples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    unsigned bit;
} elements[] = {
    { "source-address", TUPLE_SOURCE_ADDRESS },
    { "source-port", TUPLE_SOURCE_PORT },
    { "destination-address", TUPLE_DESTINATION_ADDRESS },
    { "destination-port", TUPLE_DESTINATION_PORT },
};

enum { ELEMENTS = sizeof elements / sizeof *elements };

unsigned tuple_element(const char *name, size_t len)
{
    for (size_t i = 0; i < ELEMENTS; i++)
        if (strlen(elements[i].name) == len && memcmp(elements[i].name, name, len) == 0)
            return elements[i].bit;
    return 0;
}

/* The elements in which two connections differ. */
static unsigned differ(const struct lan_flow *a, const struct lan_flow *b)
{
    unsigned bits = 0;

    for (int i = 0; i < 2; i++) {
        bool port = a->end[i].port != b->end[i].port;
        bool address = memcmp(a->end[i].address, b->end[i].address, 4) != 0;
        bits |= address ? (i ? TUPLE_DESTINATION_ADDRESS : TUPLE_SOURCE_ADDRESS) : 0;
        bits |= port ? (i ? TUPLE_DESTINATION_PORT : TUPLE_SOURCE_PORT) : 0;
    }
    return bits;
}

static void read_flows(const struct lan *lan, struct lan_flows *flows)
{
    struct lan_segment s;

    lan_flows_init(flows, lan);
    for (const struct lan_event *e = lan->first; e; e = e->next)
        lan_look(flows, e, &s);
}

unsigned tuples_apart(const struct lan *lan, unsigned look)
{
    struct lan_flows flows;
    unsigned n = 0;

    read_flows(lan, &flows);
    for (int i = 0; i < flows.n; i++) {
        bool new = true;
        for (int j = 0; j < i && new; j++)
            new = (differ(&flows.flow[i], &flows.flow[j]) & look) != 0;
        n += new;
    }
    return n;
}

/* --- the tables --- */

static const char *end_text(const struct lan_end *end, char out[24])
{
    const uint8_t *a = end->address;

    snprintf(out, 24, "%u.%u.%u.%u:%u", a[0], a[1], a[2], a[3], end->port);
    return out;
}

static void print_flows(const struct lan_flows *flows, FILE *out)
{
    char from[24], to[24];

    fprintf(out, "  connection  %-20s  %-20s  differs from 1 in\n", "source",
            "destination");
    for (int i = 0; i < flows->n; i++) {
        unsigned bits = differ(&flows->flow[0], &flows->flow[i]);
        fprintf(out, "  %-10d  %-20s  %s", i + 1,
                end_text(&flows->flow[i].end[0], from),
                end_text(&flows->flow[i].end[1], to));
        if (bits)
            fprintf(out, "%*s", 21 - (int)strlen(to), "");
        for (size_t k = 0; k < ELEMENTS; k++)
            if (bits & elements[k].bit)
                fprintf(out, " %s", elements[k].name);
        putc('\n', out);
    }
}

/* Into how many connections the same segments fall for who looks at less. */
static void print_apart(const struct lan *lan, FILE *out)
{
    static const struct {
        const char *name;
        unsigned look;
    } row[] = {
        { "all four", TUPLE_ALL },
        { "destination", TUPLE_DESTINATION_ADDRESS | TUPLE_DESTINATION_PORT },
        { "source", TUPLE_SOURCE_ADDRESS | TUPLE_SOURCE_PORT },
        { "addresses", TUPLE_SOURCE_ADDRESS | TUPLE_DESTINATION_ADDRESS },
        { "ports", TUPLE_SOURCE_PORT | TUPLE_DESTINATION_PORT },
    };

    fputs("\n  told apart by", out);
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        fprintf(out, "%s %s: %u", i ? "," : "", row[i].name,
                tuples_apart(lan, row[i].look));
    putc('\n', out);
}

static void print_flags(const struct lan_segment *s, FILE *out)
{
    static const char letters[] = "FSRP.";
    char text[8];
    size_t n = 0;

    for (int i = 0; letters[i]; i++)
        if (s->tcp.flags & 1 << i)
            text[n++] = letters[i];
    text[n] = '\0';
    fprintf(out, "%-3s", text);
}

/* ACKs alone would double the table. */
static bool is_worth(const struct lan_segment *s)
{
    return s->tcp.flags != TCP_ACK || s->tcp.text_len > 0;
}

static void print_segment(const struct lan_event *e, const struct lan_segment *s,
                          FILE *out)
{
    char from[24], to[24], text[16];
    int n = (int)lan_first_line(s, text, sizeof text);

    fprintf(out, "  %10.6f  %-20s  %-20s  ", (double)e->at / 1e6,
            end_text(&s->from, from), end_text(&s->to, to));
    print_flags(s, out);
    fprintf(out, "  %-16.*s", n, text);
    if (s->flow)
        fprintf(out, "%d\n", s->flow);
    else
        fputs(s->tcp.flags & TCP_RST ? "nobody, the answer to that\n" : "nobody\n",
              out);
}

char *tuples_picture(const struct lan *lan)
{
    struct lan_flows flows;
    struct lan_segment s;
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);

    if (!out)
        return NULL;
    read_flows(lan, &flows);
    print_flows(&flows, out);
    print_apart(lan, out);
    fprintf(out, "\n  %10s  %-20s  %-20s  %-3s  %-16s%s\n", "time", "source",
            "destination", "", "text", "connection (ACKs alone are left out)");
    lan_flows_init(&flows, lan);
    for (const struct lan_event *e = lan->first; e; e = e->next)
        if (lan_look(&flows, e, &s) && is_worth(&s))
            print_segment(e, &s, out);
    fclose(out);
    return text;
}
