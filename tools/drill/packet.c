/* Printing and comparing. A script's packet says some things and leaves others open: an
 * absent "win" is any window, "<...>" any options, timestamps are compared by their
 * echo alone (what a clock shows is not of the protocol). Options are compared in
 * order, NOPs included: the order is a part of what is specified. */
#include "packet.h"

#include <string.h>

#include "base/bytes.h"
#include "wire/tcp_wire.h"

const uint8_t *packet_option(const struct packet *p, size_t *at, uint8_t *len)
{
    const uint8_t *b = p->options + *at;
    size_t left = p->options_len - *at;

    if (left == 0)
        return NULL;
    *len = 1;
    if (b[0] != OPT_EOL && b[0] != OPT_NOP) {
        if (left < 2 || b[1] < 2 || b[1] > left)
            return NULL;
        *len = b[1];
    }
    *at += *len;
    return b;
}

uint8_t *packet_timestamp(struct packet *p)
{
    const uint8_t *o;
    uint8_t len;

    for (size_t at = 0; (o = packet_option(p, &at, &len));)
        if (o[0] == OPT_TS && len == 10)
            return p->options + (o - p->options) + 2;
    return NULL;
}

/* ---- as text ---- */

static void print_hex(struct text *t, const uint8_t *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        text_hex(t, b[i], 2);
}

static void print_pair(struct text *t, const char *name, uint32_t n)
{
    text_put(t, name);
    text_u64(t, n);
}

static void print_sack(struct text *t, const uint8_t *o, uint8_t len)
{
    text_put(t, "sack");
    for (int i = 2; i + 8 <= len; i += 8) {
        print_pair(t, " ", get32(o + i));
        print_pair(t, ":", get32(o + i + 4));
    }
}

static void print_blob(struct text *t, const char *name, const uint8_t *b, size_t n)
{
    text_put(t, name);
    if (n)
        text_char(t, ' ');
    print_hex(t, b, n);
}

static void print_option(struct text *t, const uint8_t *o, uint8_t len)
{
    if (o[0] == OPT_NOP || o[0] == OPT_EOL) {
        text_put(t, o[0] == OPT_NOP ? "nop" : "eol");
    } else if (o[0] == OPT_MSS && len == 4) {
        print_pair(t, "mss ", get16(o + 2));
    } else if (o[0] == OPT_WSCALE && len == 3) {
        print_pair(t, "wscale ", o[2]);
    } else if (o[0] == OPT_SACK_OK && len == 2) {
        text_put(t, "sackOK");
    } else if (o[0] == OPT_SACK) {
        print_sack(t, o, len);
    } else if (o[0] == OPT_TS && len == 10) {
        print_pair(t, "TS val ", get32(o + 2));
        print_pair(t, " ecr ", get32(o + 6));
    } else if (o[0] == OPT_MD5) {
        print_blob(t, "md5", o + 2, len - 2u);
    } else if (o[0] == OPT_FAST_OPEN) {
        print_blob(t, "FO", o + 2, len - 2u);
    } else if (o[0] == OPT_EXPERIMENT && len >= 4 && get16(o + 2) == FAST_OPEN_MAGIC) {
        print_blob(t, "FOEXP", o + 4, len - 4u);
    } else {
        print_pair(t, "opt ", o[0]);
        print_blob(t, "", o + 2, len - 2u);
    }
}

static void print_options(struct text *t, const struct packet *p)
{
    const uint8_t *o;
    size_t at = 0;
    uint8_t len;

    if (p->any_options)
        text_put(t, " <...>");
    if (p->any_options || p->options_len == 0)
        return;
    text_put(t, " <");
    while ((o = packet_option(p, &at, &len))) {
        print_option(t, o, len);
        if (at < p->options_len)
            text_char(t, ',');
    }
    if (at < p->options_len) {
        text_put(t, "malformed ");
        print_hex(t, p->options + at, p->options_len - at);
    }
    text_char(t, '>');
}

static void print_flags(struct text *t, const struct packet *p)
{
    static const struct {
        char letter;
        uint16_t flag;
    } row[] = {
        { 'S', TCP_SYN }, { 'F', TCP_FIN }, { 'R', TCP_RST }, { 'P', TCP_PSH },
        { 'U', TCP_URG }, { 'E', TCP_ECE }, { 'W', TCP_CWR }, { 'A', TCP_AE },
    };

    for (size_t i = 0; i < ARRAY_LEN(row); i++)
        if (p->flags & row[i].flag && !(p->ace && row[i].flag >= TCP_ECE))
            text_char(t, row[i].letter);
    if (p->flags & TCP_ACK)
        text_char(t, '.');
    if (p->ace)
        text_u64(t, p->flags >> ACE_SHIFT);
    if (!p->flags)
        text_char(t, '-');
}

static void print_ip(struct text *t, const struct packet *p)
{
    static const char *const ecn[] = { "[noecn] ", "[ect1] ", "[ect0] ", "[ce] " };

    if (p->tos_check == TOS_ECN)
        text_put(t, ecn[p->tos & 3]);
    else if (p->tos_check == TOS_ECT)
        text_put(t, "[ect01] ");
    else if (p->tos_check == TOS_WHOLE) {
        text_put(t, "[tos 0x");
        text_hex(t, p->tos, 2);
        text_put(t, "] ");
    }
    if (p->ttl) {
        print_pair(t, "[ttl ", p->ttl);
        text_put(t, "] ");
    }
}

static void print_tcp(struct text *t, const struct packet *p)
{
    print_flags(t, p);
    if (p->any_seq) {
        text_put(t, " ...");
    } else {
        print_pair(t, " ", p->seq);
        print_pair(t, ":", p->seq + p->len);
    }
    print_pair(t, "(", p->len);
    text_put(t, p->absolute_seq ? ")!" : ")");
    if (p->flags & TCP_ACK)
        print_pair(t, " ack ", p->ack);
    if (!p->any_window)
        print_pair(t, " win ", p->window);
    if (p->urgent)
        print_pair(t, " urg ", p->urgent);
    print_options(t, p);
}

static void print_icmp(struct text *t, const struct packet *p)
{
    print_pair(t, "icmp type ", p->type);
    print_pair(t, " code ", p->code);
    if (p->mtu)
        print_pair(t, " mtu ", p->mtu);
    if (p->id)
        print_pair(t, " id ", p->id);
    if (p->quote == QUOTE_TCP) {
        print_pair(t, " [", p->quote_seq);
        print_pair(t, ":", p->quote_seq + p->quote_len);
        print_pair(t, "(", p->quote_len);
        text_put(t, ")]");
    } else if (p->quote != QUOTE_NONE) {
        print_pair(t, p->quote == QUOTE_UDP ? " [udp (" : " [raw (", p->quote_len);
        text_put(t, ")]");
    }
}

static void print_ports(struct text *t, const struct packet *p)
{
    if (!p->src_port && !p->dst_port)
        return;
    print_pair(t, "", p->src_port);
    print_pair(t, " > ", p->dst_port);
    text_char(t, ' ');
}

void packet_print(struct text *t, const struct packet *p)
{
    print_ip(t, p);
    if (p->kind == PACKET_TCP) {
        print_ports(t, p);
        print_tcp(t, p);
    } else if (p->kind == PACKET_UDP) {
        text_put(t, "udp ");
        print_ports(t, p);
        print_pair(t, "(", p->len);
        text_char(t, ')');
    } else {
        print_icmp(t, p);
    }
}

/* ---- differences ---- */

static bool differs(struct text *why, const char *name, uint32_t wanted,
                    uint32_t actual)
{
    if (wanted == actual)
        return false;
    text_put(why, "its ");
    text_put(why, name);
    print_pair(why, " is ", actual);
    print_pair(why, ", not ", wanted);
    return true;
}

static bool tos_differs(struct text *why, const struct packet *w,
                        const struct packet *a)
{
    if (w->tos_check == TOS_WHOLE)
        return differs(why, "TOS", w->tos, a->tos);
    if (w->tos_check == TOS_ECN)
        return differs(why, "ECN field", w->tos & 3, a->tos & 3);
    if (w->tos_check == TOS_FREE || (a->tos & 3) == 1 || (a->tos & 3) == 2)
        return false;
    text_put(why, "it is not ECN-capable");
    return true;
}

static bool flags_differ(struct text *why, const struct packet *w,
                         const struct packet *a)
{
    if (w->flags == a->flags)
        return false;
    text_put(why, "its flags are ");
    print_flags(why, a);
    text_put(why, ", not ");
    print_flags(why, w);
    return true;
}

static bool option_differs(const uint8_t *w, uint8_t w_len, const uint8_t *a,
                           uint8_t a_len)
{
    if (w[0] != a[0] || w_len != a_len)
        return true;
    if (w[0] == OPT_TS)
        return memcmp(w + 6, a + 6, 4) != 0;
    return memcmp(w, a, w_len) != 0;
}

static bool options_differ(struct text *why, const struct packet *w,
                           const struct packet *a)
{
    size_t w_at = 0, a_at = 0;
    uint8_t w_len, a_len;
    const uint8_t *wo, *ao;

    if (w->any_options)
        return false;
    do {
        wo = packet_option(w, &w_at, &w_len);
        ao = packet_option(a, &a_at, &a_len);
    } while (wo && ao && !option_differs(wo, w_len, ao, a_len));
    if (!wo && !ao && w_at == w->options_len && a_at == a->options_len)
        return false;
    text_put(why, "its options are");
    print_options(why, a);
    text_put(why, a->options_len ? ", not" : " none, not");
    print_options(why, w);
    text_put(why, w->options_len ? "" : " none");
    return true;
}

static bool tcp_differs(struct text *why, const struct packet *w,
                        const struct packet *a)
{
    return flags_differ(why, w, a) ||
           (!w->any_seq && differs(why, "sequence number", w->seq, a->seq)) ||
           differs(why, "length", w->len, a->len) ||
           differs(why, "acknowledgment", w->ack, a->ack) ||
           (!w->any_window && differs(why, "window", w->window, a->window)) ||
           differs(why, "urgent pointer", w->urgent, a->urgent) ||
           options_differ(why, w, a);
}

bool packet_differs(struct text *why, const struct packet *wanted,
                    const struct packet *actual)
{
    const struct packet *w = wanted, *a = actual;

    if (w->kind != a->kind) {
        text_put(why, "it is of another protocol");
        return true;
    }
    if (tos_differs(why, w, a) || (w->ttl && differs(why, "TTL", w->ttl, a->ttl)))
        return true;
    if (w->src_port && differs(why, "source port", w->src_port, a->src_port))
        return true;
    if (w->dst_port && differs(why, "destination port", w->dst_port, a->dst_port))
        return true;
    if (w->kind == PACKET_TCP)
        return tcp_differs(why, w, a);
    if (w->kind == PACKET_UDP)
        return differs(why, "length", w->len, a->len);
    return differs(why, "type", w->type, a->type) ||
           differs(why, "code", w->code, a->code);
}
