/* A packet as a script has it: what it says, in its own (relative) numbers, and what it
 * leaves open. An actual packet is put into the same form, so that the two can be
 * compared field by field and printed in one notation. */
#ifndef TAPIR_TOOLS_DRILL_PACKET_H
#define TAPIR_TOOLS_DRILL_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum packet_kind { PACKET_TCP, PACKET_UDP, PACKET_ICMP };

/* What of the TOS byte is compared. */
enum tos_check { TOS_FREE, TOS_ECN, TOS_ECT, TOS_WHOLE };

/* What an ICMP message quotes: a packet that this host sent. */
enum quote { QUOTE_NONE, QUOTE_TCP, QUOTE_UDP, QUOTE_RAW };

enum {
    PACKET_OPTIONS = 60, /* bytes of options, more than fit: a script may be wrong */
    PACKET_TEXT = 512,   /* room for any packet as text */
    TCP_AE = 0x100,      /* RFC 9768: the ninth flag */
    ACE_SHIFT = 6,       /* ACE: AE, CWR and ECE as one number */
    OPT_EOL = 0,
    OPT_NOP = 1,
    OPT_MSS = 2,
    OPT_WSCALE = 3,
    OPT_SACK_OK = 4,
    OPT_SACK = 5,
    OPT_TS = 8,
    OPT_MD5 = 19,
    OPT_FAST_OPEN = 34,
    OPT_ECN_0 = 172, /* RFC 9768 s3.2.3: the counters begin with ECT(0) ... */
    OPT_ECN_1 = 174, /* ... or with ECT(1) */
    OPT_EXPERIMENT = 254,
    FAST_OPEN_MAGIC = 0xf989, /* RFC 7413 appendix A */
};

struct packet {
    bool outbound; /* this host sends it: ">" */
    enum packet_kind kind;
    uint16_t src_port, dst_port; /* 0: the connection's */
    uint32_t len;                /* bytes of payload */
    const char *unbuilt;         /* what of it cannot be played yet, or NULL */

    /* the IP header */
    enum tos_check tos_check;
    uint8_t tos;
    uint8_t ttl; /* 0: free */

    /* TCP */
    uint16_t flags; /* TCP_FIN ... of wire/tcp_wire.h, TCP_AE */
    bool ace;       /* the three flags of ACE are given as a number */
    uint32_t seq, ack;
    bool any_seq;      /* "...(0)" */
    bool absolute_seq; /* "0:0(0)!": as on the wire */
    bool any_window, any_options;
    uint16_t window, urgent;
    uint8_t options[PACKET_OPTIONS]; /* as on the wire, in the script's numbers */
    uint8_t options_len;

    /* ICMP */
    uint8_t type, code;
    uint16_t mtu, id;
    enum quote quote;
    uint32_t quote_seq; /* QUOTE_TCP */
    uint32_t quote_len; /* bytes of its payload */
};

/* The next option at *at (from 0 on, moved behind it); its length is 1 for EOL and NOP.
 * NULL behind the last, and where one is malformed. */
const uint8_t *packet_option(const struct packet *p, size_t *at, uint8_t *len);

/* Its timestamps, four bytes each, within p->options; NULL without. */
uint8_t *packet_timestamp(struct packet *p);

/* As a script has it, without its direction: "S. 0:0(0) ack 1 win 65535 <mss 1460>". */
void packet_print(struct text *t, const struct packet *p);

/* The first thing in which `actual` is not what `wanted` says, as a sentence; false:
 * there is none. Both in the script's numbers. */
bool packet_differs(struct text *why, const struct packet *wanted,
                    const struct packet *actual);

/* The names of ICMP's types and codes: "unreachable", and "frag_needed" of a type. -1:
 * no such name. */
int icmp_type_number(const char *name);
int icmp_code_number(int type, const char *name);

#endif
