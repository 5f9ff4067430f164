/* Packets:
 *
 *     packet   (< | >) [ip] (tcp | UDP | ICMP)
 *     ip       [noecn] [ect0] [ect1] [ce] [ect01] [tos 0x20] [ttl 64], or in ( )
 *     tcp      [ports] flags seq:seq(len) [ack N] [win N] [urg N] [<options>]
 *     UDP      udp [ports] (len)
 *     ICMP     icmp type [code] [mtu N] [id N] [\[seq:seq(len)\]]
 *     ports    N > N
 *
 * What belongs to other worlds (IPv6 tunnels, GRE, MPLS, PSP, TCP over UDP) is read and
 * marked as not built, so that a script that has it is a script all the same. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "parse.h"
#include "wire/icmp_wire.h"
#include "wire/ip4_wire.h"
#include "wire/tcp_wire.h"

/* ---- the IP header ---- */

static bool take_ecn(struct parser *p, struct packet *pk)
{
    static const struct {
        const char *name;
        enum tos_check check;
        uint8_t tos;
    } row[] = {
        { "noecn", TOS_ECN, 0 }, { "ect0", TOS_ECN, 2 },  { "ect1", TOS_ECN, 1 },
        { "ce", TOS_ECN, 3 },    { "ect01", TOS_ECT, 0 },
    };

    for (size_t i = 0; i < ARRAY_LEN(row); i++) {
        if (!parse_is_word(p, row[i].name))
            continue;
        if (row[i].check == TOS_ECT && !pk->outbound)
            parse_refuse(p, "ect01 is for packets that are sent");
        pk->tos_check = row[i].check;
        pk->tos = row[i].tos;
        parse_next(p);
        return true;
    }
    return false;
}

static void parse_ip_item(struct parser *p, struct packet *pk)
{
    if (take_ecn(p, pk))
        return;
    if (parse_take_word(p, "tos")) {
        pk->tos_check = TOS_WHOLE;
        pk->tos = (uint8_t)parse_number(p, "a type of service", 0, 255);
    } else if (parse_take_word(p, "ttl")) {
        pk->ttl = (uint8_t)parse_number(p, "a time to live", 1, 255);
    } else if (parse_take_word(p, "hlim")) {
        pk->ttl = (uint8_t)parse_number(p, "a hop limit", 1, 255);
    } else if (parse_take_word(p, "class")) {
        pk->tos_check = TOS_WHOLE;
        pk->tos = (uint8_t)parse_number(p, "a traffic class", 0, 255);
    } else if (parse_take_word(p, "flowlabel")) {
        pk->unbuilt = "a flow label: IPv6";
        parse_number(p, "a flow label", 0, 0xfffff);
    } else {
        parse_fail(p, "noecn, ect0, ect1, ect01, ce, tos or ttl");
    }
}

static void parse_ip(struct parser *p, struct packet *pk)
{
    char close = parse_is_char(p, '(') ? ')' : ']';

    if (!parse_take_char(p, '(') && !parse_take_char(p, '['))
        return;
    do {
        parse_ip_item(p, pk);
    } while (parse_take_char(p, ','));
    parse_char(p, close);
}

/* ---- what is not built ---- */

static const char *foreign(const struct parser *p)
{
    static const struct {
        const char *word, *what;
    } row[] = {
        { "ipv4", "a tunnel in IPv4" }, { "ipv6", "a tunnel in IPv6" },
        { "gre", "a GRE tunnel" },      { "GREv0", "a GRE tunnel" },
        { "mpls", "MPLS labels" },
    };

    for (size_t i = 0; i < ARRAY_LEN(row); i++)
        if (parse_is_word(p, row[i].word))
            return row[i].what;
    return NULL;
}

/* An outer header: up to the ":" that stands at the end of a word, before a blank. */
static void skip_outer_header(struct parser *p)
{
    do {
        parse_next(p);
        if (parse_is_char(p, ':') && p->lexer.at < p->lexer.end &&
            isspace((unsigned char)*p->lexer.at))
            break;
    } while (!parse_is(p, TOKEN_END));
    parse_char(p, ':');
}

/* "encap psp spi 0x100": Google's PSP. */
static void skip_encapsulation(struct parser *p, struct packet *pk)
{
    if (!parse_take_word(p, "encap"))
        return;
    pk->unbuilt = "PSP encryption";
    if (!parse_take_word(p, "psp") || !parse_take_word(p, "spi"))
        parse_fail(p, "psp spi N");
    parse_number(p, "an SPI", 0, UINT32_MAX);
}

/* "/udp(9899 > 1)" behind a segment. */
static void skip_udp_encapsulation(struct parser *p, struct packet *pk)
{
    if (!parse_take_char(p, '/'))
        return;
    pk->unbuilt = "TCP over UDP";
    if (!parse_take_word(p, "udp"))
        parse_fail(p, "udp(port > port)");
    parse_char(p, '(');
    parse_number(p, "a port", 0, UINT16_MAX);
    parse_char(p, '>');
    parse_number(p, "a port", 0, UINT16_MAX);
    parse_char(p, ')');
}

/* ---- TCP: flags and numbers ---- */

static void take_flag(struct parser *p, struct packet *pk, char c)
{
    static const char letters[] = "FSRP.UEWA"; /* from bit 0 on; A is AE */
    const char *at = strchr(letters, c);

    if (!at)
        parse_refuse(p, "a flag is one of S F R P . U E W A, or - for none");
    else
        pk->flags |= (uint16_t)(1 << (at - letters));
}

/* ".5": ACK, and the three bits of ACE as a number. */
static void take_ace(struct parser *p, struct packet *pk)
{
    const char *text = p->token.text;

    if (text[0] != '.' || text[1] < '0' || text[1] > '7' || text[2] != '\0') {
        parse_refuse(p, "ACE is . and a digit up to 7");
        return;
    }
    pk->ace = true;
    pk->flags |= (uint16_t)(TCP_ACK | (text[1] - '0') << ACE_SHIFT);
    parse_next(p);
}

static void parse_flags(struct parser *p, struct packet *pk)
{
    bool word = parse_is(p, TOKEN_WORD);

    if (parse_take_char(p, '-'))
        return;
    for (const char *c = word ? p->token.text : ""; *c; c++)
        take_flag(p, pk, *c);
    if (word)
        parse_next(p);
    if (parse_take_char(p, '.'))
        pk->flags |= TCP_ACK;
    else if (parse_is(p, TOKEN_DECIMAL))
        take_ace(p, pk);
    else if (!word)
        parse_fail(p, "flags, as S or P. or .");
}

/* "1:1001(1000)"; the number of payload bytes. */
static uint32_t parse_range(struct parser *p, uint32_t *from)
{
    struct token first = p->token;
    uint32_t to, len;

    *from = (uint32_t)parse_number(p, "a sequence number", 0, UINT32_MAX);
    parse_char(p, ':');
    to = (uint32_t)parse_number(p, "a sequence number", 0, UINT32_MAX);
    parse_char(p, '(');
    len = (uint32_t)parse_number(p, "a length", 0, UINT16_MAX);
    parse_char(p, ')');
    if (to - *from != len && !p->failed) {
        p->token = first;
        parse_refuse(p, "the sequence numbers do not differ by the length");
    }
    return len;
}

static void parse_seq(struct parser *p, struct packet *pk)
{
    if (parse_is(p, TOKEN_ELLIPSIS)) {
        if (!p->script->freebsd)
            parse_refuse(p, "any sequence number: FreeBSD's packetdrill alone has that "
                            "(--freebsd)");
        parse_next(p);
        pk->any_seq = true;
        parse_char(p, '(');
        pk->len = (uint32_t)parse_number(p, "a length", 0, UINT16_MAX);
        parse_char(p, ')');
    } else {
        pk->len = parse_range(p, &pk->seq);
    }
    pk->absolute_seq = parse_take_char(p, '!');
}

/* ---- TCP: options ---- */

static void put_option(struct parser *p, struct packet *pk, const uint8_t *bytes,
                       size_t n)
{
    if (pk->options_len + n > sizeof pk->options) {
        parse_refuse(p, "the options do not fit into a header");
        return;
    }
    memcpy(pk->options + pk->options_len, bytes, n);
    pk->options_len = (uint8_t)(pk->options_len + n);
}

/* A blob of hexadecimal digits; the number of bytes. */
static size_t parse_hex(struct parser *p, uint8_t *out, size_t room)
{
    const char *text = p->token.text;
    size_t n = 0;

    if (!parse_is(p, TOKEN_WORD) && !parse_is(p, TOKEN_INTEGER))
        return 0;
    for (; text[0] && text[1] && n < room; text += 2) {
        int high = text_hex_digit(text[0]), low = text_hex_digit(text[1]);

        if (high < 0 || low < 0)
            break;
        out[n++] = (uint8_t)(high << 4 | low);
    }
    if (*text)
        parse_refuse(p, "this takes pairs of hexadecimal digits");
    parse_next(p);
    return n;
}

static void parse_sack(struct parser *p, struct packet *pk)
{
    uint8_t b[PACKET_OPTIONS] = { OPT_SACK };
    size_t n = 2;

    while (parse_is(p, TOKEN_INTEGER) && n + 8 <= sizeof b) {
        put32(b + n, (uint32_t)parse_number(p, "an edge", 0, UINT32_MAX));
        parse_char(p, ':');
        put32(b + n + 4, (uint32_t)parse_number(p, "an edge", 0, UINT32_MAX));
        n += 8;
    }
    b[1] = (uint8_t)n;
    put_option(p, pk, b, n);
}

static void parse_timestamps(struct parser *p, struct packet *pk)
{
    uint8_t b[10] = { OPT_TS, 10 };

    if (!parse_take_word(p, "val"))
        parse_fail(p, "val");
    put32(b + 2, (uint32_t)parse_number(p, "a timestamp", 0, UINT32_MAX));
    if (!parse_take_word(p, "ecr"))
        parse_fail(p, "ecr");
    put32(b + 6, (uint32_t)parse_number(p, "a timestamp", 0, UINT32_MAX));
    put_option(p, pk, b, sizeof b);
}

static void parse_md5(struct parser *p, struct packet *pk)
{
    uint8_t b[18] = { OPT_MD5, 18 };

    if (parse_take_word(p, "valid")) {
        pk->unbuilt = "a valid MD5 signature (RFC 2385)";
    } else if (parse_hex(p, b + 2, 16) != 16) {
        parse_fail(p, "16 bytes of MD5");
        return;
    }
    put_option(p, pk, b, sizeof b);
}

static void parse_fast_open(struct parser *p, struct packet *pk, bool experiment)
{
    uint8_t b[PACKET_OPTIONS] = { OPT_FAST_OPEN };
    size_t n = 2;

    if (experiment) {
        b[0] = OPT_EXPERIMENT;
        put16(b + 2, FAST_OPEN_MAGIC);
        n = 4;
    }
    n += parse_hex(p, b + n, sizeof b - n);
    b[1] = (uint8_t)n;
    put_option(p, pk, b, n);
}

/* "ECN e0b 1 ceb 0 e1b 1": three counters of 24 bits, in one of two orders. */
static void parse_accurate_ecn(struct parser *p, struct packet *pk)
{
    static const char *const order[2][3] = { { "e0b", "ceb", "e1b" },
                                             { "e1b", "ceb", "e0b" } };
    int first = parse_is_word(p, "e1b");
    uint8_t b[11] = { first ? OPT_ECN_1 : OPT_ECN_0 };
    size_t n = 2;

    for (int i = 0; i < 3 && parse_take_word(p, order[first][i]); i++) {
        uint32_t count = (uint32_t)parse_number(p, "a counter", 0, 0xffffff);

        b[n++] = (uint8_t)(count >> 16);
        put16(b + n, (uint16_t)count);
        n += 2;
    }
    b[1] = (uint8_t)n;
    put_option(p, pk, b, n);
}

/* "opt 30 8100": kind and bytes of any other option. */
static void parse_other_option(struct parser *p, struct packet *pk)
{
    uint8_t b[PACKET_OPTIONS];
    size_t n;

    b[0] = (uint8_t)parse_number(p, "the kind of an option", 2, 255);
    n = 2 + parse_hex(p, b + 2, sizeof b - 2);
    b[1] = (uint8_t)n;
    put_option(p, pk, b, n);
}

static void parse_small_number(struct parser *p, struct packet *pk, bool mss)
{
    uint8_t b[4] = { mss ? OPT_MSS : OPT_WSCALE, mss ? 4 : 3 };

    if (mss)
        put16(b + 2, (uint16_t)parse_number(p, "a segment size", 0, UINT16_MAX));
    else
        b[2] = (uint8_t)parse_number(p, "a shift", 0, UINT8_MAX);
    put_option(p, pk, b, b[1]);
}

static void parse_option(struct parser *p, struct packet *pk)
{
    if (parse_take_word(p, "nop"))
        put_option(p, pk, (const uint8_t[]){ OPT_NOP }, 1);
    else if (parse_take_word(p, "eol"))
        put_option(p, pk, (const uint8_t[]){ OPT_EOL }, 1);
    else if (parse_take_word(p, "mss"))
        parse_small_number(p, pk, true);
    else if (parse_take_word(p, "wscale"))
        parse_small_number(p, pk, false);
    else if (parse_take_word(p, "sackOK"))
        put_option(p, pk, (const uint8_t[]){ OPT_SACK_OK, 2 }, 2);
    else if (parse_take_word(p, "sack"))
        parse_sack(p, pk);
    else if (parse_take_word(p, "TS"))
        parse_timestamps(p, pk);
    else if (parse_take_word(p, "md5"))
        parse_md5(p, pk);
    else if (parse_take_word(p, "FO"))
        parse_fast_open(p, pk, false);
    else if (parse_take_word(p, "FOEXP"))
        parse_fast_open(p, pk, true);
    else if (parse_take_word(p, "ECN"))
        parse_accurate_ecn(p, pk);
    else if (parse_take_word(p, "opt"))
        parse_other_option(p, pk);
    else
        parse_fail(p, "an option: mss nop wscale sackOK sack TS eol md5 FO ECN opt");
}

static void parse_options(struct parser *p, struct packet *pk)
{
    struct token first = p->token;

    if (!parse_take_char(p, '<'))
        return;
    if (parse_is(p, TOKEN_ELLIPSIS)) {
        parse_next(p);
        pk->any_options = true;
        if (!pk->outbound)
            parse_refuse(p, "<...> is for packets that are sent");
    } else {
        do {
            parse_option(p, pk);
        } while (parse_take_char(p, ','));
    }
    parse_char(p, '>');
    if (p->failed || (pk->options_len % 4 == 0 && pk->options_len <= TCP_OPTIONS_MAX))
        return;
    p->token = first;
    parse_refuse(p, pk->options_len % 4
                        ? "the options do not fill whole words: add nop or eol"
                        : "there are more than 40 bytes of options");
}

/* ---- the three kinds ---- */

static void parse_ports(struct parser *p, struct packet *pk)
{
    if (!parse_is(p, TOKEN_INTEGER))
        return;
    pk->src_port = (uint16_t)parse_number(p, "a port", 1, UINT16_MAX);
    parse_char(p, '>');
    pk->dst_port = (uint16_t)parse_number(p, "a port", 1, UINT16_MAX);
}

static void parse_tcp(struct parser *p, struct packet *pk)
{
    pk->kind = PACKET_TCP;
    skip_encapsulation(p, pk);
    parse_ports(p, pk);
    parse_flags(p, pk);
    parse_seq(p, pk);
    if (parse_take_word(p, "ack"))
        pk->ack = (uint32_t)parse_number(p, "a sequence number", 0, UINT32_MAX);
    pk->any_window = !parse_take_word(p, "win");
    if (!pk->any_window)
        pk->window = (uint16_t)parse_number(p, "a window", 0, UINT16_MAX);
    if (parse_take_word(p, "urg"))
        pk->urgent = (uint16_t)parse_number(p, "an urgent pointer", 0, UINT16_MAX);
    parse_options(p, pk);
    skip_udp_encapsulation(p, pk);
}

static void parse_udp(struct parser *p, struct packet *pk)
{
    pk->kind = PACKET_UDP;
    parse_ports(p, pk);
    parse_char(p, '(');
    pk->len = (uint32_t)parse_number(p, "a length", 0, UINT16_MAX - 28);
    parse_char(p, ')');
}

static void parse_quote(struct parser *p, struct packet *pk)
{
    bool udp;

    if (!parse_take_char(p, '['))
        return;
    udp = parse_is_word(p, "udp");
    if (udp || parse_is_word(p, "raw")) {
        pk->quote = udp ? QUOTE_UDP : QUOTE_RAW;
        parse_next(p);
        parse_char(p, '(');
        pk->quote_len = (uint32_t)parse_number(p, "a length", 0, UINT16_MAX);
        parse_char(p, ')');
    } else {
        pk->quote = QUOTE_TCP;
        pk->quote_len = parse_range(p, &pk->quote_seq);
        skip_udp_encapsulation(p, pk);
    }
    parse_char(p, ']');
}

static void parse_icmp_code(struct parser *p, struct packet *pk)
{
    int code;

    if (!parse_is(p, TOKEN_WORD) || parse_is_word(p, "mtu") || parse_is_word(p, "id"))
        return;
    code = icmp_code_number(pk->type, p->token.text);
    if (code < 0 && !pk->unbuilt)
        parse_refuse(p, "this type of ICMP has no such code");
    pk->code = (uint8_t)(code < 0 ? 0 : code);
    parse_next(p);
}

static void parse_icmp(struct parser *p, struct packet *pk)
{
    int type = icmp_type_number(p->token.text);

    pk->kind = PACKET_ICMP;
    if (!parse_is(p, TOKEN_WORD) || type < 0) {
        parse_fail(p, "a type of ICMP, as unreachable");
        return;
    }
    if (type > UINT8_MAX)
        pk->unbuilt = "ICMP for IPv6";
    pk->type = (uint8_t)type;
    parse_next(p);
    parse_icmp_code(p, pk);
    if (parse_take_word(p, "mtu"))
        pk->mtu = (uint16_t)parse_number(p, "an MTU", 0, UINT16_MAX);
    if (parse_take_word(p, "id"))
        pk->id = (uint16_t)parse_number(p, "an identifier", 0, UINT16_MAX);
    if (pk->type != ICMP_ECHO && pk->type != ICMP_ECHO_REPLY)
        pk->quote = QUOTE_TCP; /* our SYN, if nothing else is said */
    parse_quote(p, pk);
}

const struct packet *parse_packet(struct parser *p)
{
    struct packet *pk = arena_take(p->arena, sizeof *pk);

    pk->outbound = parse_is_char(p, '>');
    parse_next(p);
    while (foreign(p)) {
        pk->unbuilt = foreign(p);
        skip_outer_header(p);
    }
    parse_ip(p, pk);
    if (parse_take_word(p, "udp"))
        parse_udp(p, pk);
    else if (parse_take_word(p, "icmp"))
        parse_icmp(p, pk);
    else
        parse_tcp(p, pk);
    return pk;
}
