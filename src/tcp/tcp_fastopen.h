/* TCP Fast Open (RFC 7413): text rides on the SYN to a server that gave us a cookie,
 * and the other way round. How it works stands in tcp_fastopen.c. */
#ifndef TAPIR_TCP_TCP_FASTOPEN_H
#define TAPIR_TCP_TCP_FASTOPEN_H

#include "base/siphash.h"
#include "base/time.h"
#include "wire/addr.h"
#include "wire/tcp_wire.h"

/* The bits of net.ipv4.tcp_fastopen. */
enum {
    FASTOPEN_CLIENT = 0x001,           /* connections may be opened so */
    FASTOPEN_SERVER = 0x002,           /* listeners with TCP_FASTOPEN take part */
    FASTOPEN_CLIENT_NO_COOKIE = 0x004, /* text goes with the SYN without a cookie */
    FASTOPEN_SERVER_NO_COOKIE = 0x200, /* text is taken without a cookie */
    FASTOPEN_EVERY_LISTENER = 0x400,   /* listen() is TCP_FASTOPEN with its backlog */
};

enum {
    FASTOPEN_KEY_LEN = 16, /* bytes of a key */
    FASTOPEN_KEYS = 2,     /* the second is an older one, whose cookies still count */
    FASTOPEN_SERVERS = 64, /* servers that are remembered */
};

/* What a server's cookies are made with. */
struct tcp_fastopen_keys {
    uint8_t n; /* 0: none was set */
    struct siphash_key key[FASTOPEN_KEYS];
};

/* RFC 7413 s4.1.3: what is remembered of a server. */
struct tcp_fastopen_server {
    struct ip_addr addr;            /* any: the place is free */
    struct tcp_fastopen_opt cookie; /* there: one is known */
    uint16_t mss;                   /* of its last SYN-ACK; 0: it had none */
    uint8_t exp;  /* 1: it knows perhaps the experimental form; 2: neither */
    uint8_t lost; /* SYNs with text that drew no answer, in a row ... */
    usec lost_at; /* ... the last one then */
    usec used;    /* when it was asked for last */
};

struct tcp_fastopen_cache {
    struct tcp_fastopen_server server[FASTOPEN_SERVERS];
};

/* Keys as Linux has them: 16 or 32 bytes, each key two little-endian numbers of 64
 * bits. False: any other length. */
bool tcp_fastopen_read_keys(struct tcp_fastopen_keys *k, const void *bytes, size_t len);
size_t tcp_fastopen_write_keys(const struct tcp_fastopen_keys *k, uint8_t *bytes);

#endif
