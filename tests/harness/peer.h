/* One stack and a peer that does what the test says, in virtual time: the tool that
 * TCP's unit tests are written with. Segments are lines in packetdrill's notation:
 *
 *     struct peer p;
 *     peer_init(&p);                                  stack 192.0.2.2, peer 192.0.2.1
 *     peer_sysctl(&p, "net.ipv4.tcp_timestamps", "0");
 *     struct sock *l = peer_listen(&p, 80);
 *     peer_send(&p, "S 0:0(0) win 64240 <mss 1460>");
 *     peer_expect(&p, "S. 0:0(0) ack 1 win 65535 <mss 1460>");
 *     peer_send(&p, ". 1:1(0) ack 1 win 64240");
 *     struct sock *s = peer_accept(&p, l);
 *     peer_write(&p, s, 1000);
 *     peer_expect(&p, "P. 1:1001(1000) ack 1");
 *     peer_expect_after(&p, 200 * USEC_PER_MS, "P. 1:1001(1000) ack 1");     the RTO
 *     peer_send(&p, ". 1:1(0) ack 1001 win 64240");
 *     peer_expect_nothing(&p);
 *     peer_free(&p);
 *
 * A line is   [[ECN]] FLAGS FIRST:LAST(LENGTH) [ack N] [win N] [urg N] [<OPTION,...>]
 *
 *     [ECN]    [noecn] [ect0] [ect1] [ce]; not said: [noecn], or any in what is
 * expected FLAGS    of S F R P U E W and . for ACK, in any order; - for none FIRST
 * sequence number, LAST = FIRST + LENGTH, both relative to the sender's initial one;
 * LENGTH is text alone, SYN and FIN do not count ack      must be there if and only if
 * . is among the flags win      as in the header, not scaled OPTION   mss N · wscale N
 * · sackOK · TS val N ecr N · sack A:B C:D · FO HEX · FOEXP HEX · nop · eol
 *
 * What the stack sends must match in flags, numbers, length and acknowledgment; the
 * window only where the line says `win`; options must be the same set (in any order,
 * padding aside), or `<...>` for any. A number of TS may be `*`.
 *
 * Numbers are relative: the peer's begin at PEER_ISN, close to the wrap; the stack's at
 * the sequence number of its SYN; the stack's TSval at the first one it sent; the
 * peer's own TSval is as written. Before the stack has sent a SYN, its base is 0.
 *
 * Text is peer_byte() of its place in the stream, both ways: peer_write() writes it,
 * peer_read() and peer_expect() compare it. Whatever the stack sends has its IP and TCP
 * checksums verified. Neighbours know each other: no ARP appears.
 *
 * Time stands still but in peer_wait() and peer_expect_after(); the other calls do
 * not move it. What a socket call made due is sent before anything else happens.
 * On a mismatch the test fails, at the line of the call, with both lines. */
#ifndef TAPIR_TESTS_PEER_H
#define TAPIR_TESTS_PEER_H

#include "stack/stack.h"

enum {
    PEER_PORT = 40000, /* the peer's port, until peer_use() */
    PEER_LINE = 400,   /* room for any segment as a line */
    PEER_CONNECTIONS = 8,
};

#define PEER_ISN 0xfffffc00u /* 1024 before the wrap */

/* One connection as the peer sees it. */
struct peer_connection {
    uint16_t port;            /* the peer's */
    uint16_t stack_port;      /* 0: not known yet */
    struct seq stack_isn;     /* base of the stack's numbers */
    struct seq isn;           /* base of the peer's */
    uint32_t ts_base;         /* base of the stack's TSval */
    bool knows_isn, knows_ts; /* the bases were seen */
    uint32_t written, read;   /* bytes of peer_write() and peer_read() so far */
};

struct peer {
    struct stack *st;
    struct netif nif;
    struct link link;
    struct pkt_pool pool;  /* what the stack sent and the test has not looked at */
    struct pkt_queue sent; /* frames, oldest first; pkt.at is when */
    usec now;
    struct peer_connection connection[PEER_CONNECTIONS];
    struct peer_connection *at; /* the current one */
    bool up;                    /* frames are kept */
    bool batch;        /* what the peer sends comes in one batch: until stack_flush() */
    bool bad_checksum; /* the next segment of the peer has a wrong one; then cleared */
    const char *file;  /* of the call that is running, for failures */
    int line;
};

void peer_init(struct peer *p);

/* The same with an MTU and, if not NULL, a trace sink. */
void peer_init_mtu(struct peer *p, unsigned mtu, const struct trace *trace);

/* Fails when a packet is left in the stack's pool. What was sent and not looked at is
 * thrown away. */
void peer_free(struct peer *p);

void peer_sysctl(struct peer *p, const char *name, const char *value);

/* Talks about connection i (0 at first), whose peer's port is PEER_PORT + i. */
void peer_use(struct peer *p, unsigned i);

/* A segment from the peer arrives. */
#define peer_send(p, text) peer_send_at(p, text, __FILE__, __LINE__)
void peer_send_at(struct peer *p, const char *text, const char *file, int line);

/* The next segment that the stack sent, at any time up to now, is this one. */
#define peer_expect(p, text) peer_expect_at(p, text, __FILE__, __LINE__)
void peer_expect_at(struct peer *p, const char *text, const char *file, int line);

/* Nothing was sent that the test has not looked at, nothing is until `time` from now,
 * and then exactly this segment. */
#define peer_expect_after(p, time, text) \
    peer_expect_after_at(p, time, text, __FILE__, __LINE__)
void peer_expect_after_at(struct peer *p, usec time, const char *text, const char *file,
                          int line);

/* Nothing more was sent up to now. */
#define peer_expect_nothing(p) peer_expect_nothing_at(p, __FILE__, __LINE__)
void peer_expect_nothing_at(struct peer *p, const char *file, int line);

/* Lets time go by; what the stack sends meanwhile can be expected afterwards. */
void peer_wait(struct peer *p, usec time);

/* A frame from its Ethernet header on arrives (for what is not TCP). */
void peer_inject(struct peer *p, const void *frame, size_t len);

/* An IPv4 packet of this protocol from the peer to the stack arrives. */
void peer_inject_ip(struct peer *p, uint8_t proto, const void *text, size_t len);

/* An ICMP error arrives that quotes a segment of the current connection. */
struct peer_error {
    uint8_t type, code;
    uint16_t mtu;       /* of "fragmentation needed" */
    uint32_t seq;       /* of the segment, relative */
    uint16_t total_len; /* of the packet that it was in */
};
void peer_icmp(struct peer *p, const struct peer_error *e);

/* The next frame that the stack sent, into buf: its length, 0 for none. */
size_t peer_take(struct peer *p, uint8_t *buf, size_t room);

/* Throws away what the stack has sent so far. */
void peer_skip(struct peer *p);

/* --- the stack's side --- */

struct sock *peer_tcp(struct peer *p);

/* A listener on all addresses. */
struct sock *peer_listen(struct peer *p, uint16_t port);

/* The connection that waits; there must be one. */
struct sock *peer_accept(struct peer *p, struct sock *listener);

/* connect() to the peer's port from `stack_port` (0: any); the SYN is to be
 * expected. */
struct sock *peer_connect(struct peer *p, uint16_t stack_port);

/* A connection accepted on port 80, established with these options of the peer's SYN
 * ("<mss 1460>"); the stack's are those that answer them. The listener is closed. */
struct sock *peer_establish(struct peer *p, const char *options);

/* Writes n bytes, which must fit, into the stream: sock_send(), at once. */
void peer_write(struct peer *p, struct sock *s, uint32_t n);

/* Reads n bytes, which must be there, and compares them. */
void peer_read(struct peer *p, struct sock *s, uint32_t n);

/* Byte number n of either stream, from 0 on. */
uint8_t peer_byte(uint32_t n);

#endif
