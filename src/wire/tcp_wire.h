/* TCP segments (RFC 9293 s3.1) and their options. struct tcp_seg is a segment in host
 * order: nobody above this file sees header bytes. */
#ifndef TAPIR_WIRE_TCP_H
#define TAPIR_WIRE_TCP_H

#include <stddef.h>

#include "base/drop.h"
#include "base/pkt.h"
#include "base/ranges.h"
#include "base/seq.h"
#include "base/text.h"

enum {
    TCP_FIN = 0x01,
    TCP_SYN = 0x02,
    TCP_RST = 0x04,
    TCP_PSH = 0x08,
    TCP_ACK = 0x10,
    TCP_URG = 0x20,
    TCP_ECE = 0x40,
    TCP_CWR = 0x80,

    TCP_LEN = 20,             /* header without options */
    TCP_OPTIONS_MAX = 40,     /* bytes of options at most */
    TCP_SACK_MAX = 4,         /* blocks that fit (3 beside timestamps) */
    TCP_TIMESTAMP_SPACE = 12, /* timestamps with their two NOPs */
    TCP_CKSUM_FIELD = 16,     /* offset of the checksum in the header */
    TCP_WSCALE_MAX = 14,      /* RFC 7323 s2.3 */
    FASTOPEN_COOKIE_MIN = 4,  /* bytes of a Fast Open cookie (RFC 7413 s2) */
    FASTOPEN_COOKIE_MAX = 16,
};

/* In which order options stand, and with what they are padded. */
enum tcp_layout {
    TCP_LAYOUT_LINUX, /* MSS, SACK permitted, timestamps, window scale; NOPs alone */
    TCP_LAYOUT_BSD,   /* MSS, window scale, SACK permitted, timestamps; NOPs before an
                       * option, ends of the list behind the last */
};

/* RFC 7413 s2: of a SYN, asks for a cookie or shows one; of a SYN-ACK, gives one. */
struct tcp_fastopen_opt {
    bool there;  /* the option is */
    bool exp;    /* in the experimental form that came before the RFC's (RFC 6994) */
    uint8_t len; /* 0: asks for one */
    uint8_t b[FASTOPEN_COOKIE_MAX];
};

struct tcp_opts {
    bool has_mss, has_wscale, sack_ok, has_ts; /* which of them are there */
    uint8_t wscale;                            /* shift count as sent, may exceed 14 */
    uint8_t n_sack;                            /* blocks in use */
    uint16_t mss;                              /* bytes of text */
    enum tcp_layout layout;                    /* for tcp_emit_header() alone */
    uint32_t ts_val, ts_ecr;                   /* TSval, TSecr (RFC 7323 s3.2) */
    struct range sack[TCP_SACK_MAX];           /* RFC 2018 s3, in the order sent */
    struct tcp_fastopen_opt fastopen;          /* counts on a SYN only */
};

struct tcp_seg {
    uint16_t src_port, dst_port;
    struct seq seq, ack; /* SEG.SEQ, SEG.ACK */
    uint16_t wnd;        /* SEG.WND as sent: scaled by the receiver, never on a SYN */
    uint16_t urg;        /* urgent pointer */
    uint8_t flags;       /* TCP_FIN | ... */
    uint8_t ecn;         /* the IP header's two bits */
    uint16_t segs;       /* wire segments in it: 1, or more in a super-segment */
    struct tcp_opts opts;
    struct pkt *pkt;     /* holds the text; NULL once the receive queue kept it */
    const uint8_t *text; /* within pkt */
    uint32_t text_len;   /* bytes; SEG.LEN is tcp_seg_len() */
    enum drop drop;      /* set by the step that rejects it; DROP_N: none did */
};

/* SEG.LEN: text, and one each for SYN and FIN. */
static inline uint32_t tcp_seg_len(const struct tcp_seg *s)
{
    return s->text_len + !!(s->flags & TCP_SYN) + !!(s->flags & TCP_FIN);
}

/* Parses the header and options at b, of a segment of len bytes. The checksum is not
 * looked at. ecn is 0, segs 1, pkt NULL and drop DROP_N. A malformed option ends
 * the walk: what stood before it counts, the rest is ignored (RFC 9293 s3.1:
 * an illegal option length must not crash). SACK blocks that are empty or end before
 * they begin are left out. 0, or -(reason)-1. */
int tcp_parse(const uint8_t *b, size_t len, struct tcp_seg *out);

/* Bytes that these options take, padded to a multiple of four. */
size_t tcp_opts_len(const struct tcp_opts *o);

/* Writes the header with its options, laid out as s->opts.layout says, checksum zero;
 * returns its length. */
size_t tcp_emit_header(uint8_t *b, const struct tcp_seg *s);

/* Prints as packetdrill and tcpdump do: "S. 0:0(0) ack 1 win 65535 <mss 1460,...>";
 * numbers are relative to the two bases. */
void tcp_print(struct text *t, const struct tcp_seg *s, struct seq seq_base,
               struct seq ack_base);

#endif
