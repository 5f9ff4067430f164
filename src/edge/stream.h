/* A stream socket as a port: before each Ethernet frame its length, 4 bytes, most
 * significant first. QEMU's `-netdev stream` and passt speak the same. No offload.
 *
 * A socket with a path has two ends that find each other in any order: who finds nobody
 * listening at the path listens there himself, and takes one peer at a time. When the
 * peer goes, he waits for the next; the other side looks again, as in the beginning.
 * Without a peer frames are dropped (LinkDown). */
#ifndef TAPIR_EDGE_STREAM_H
#define TAPIR_EDGE_STREAM_H

#include <sys/stat.h>

#include "edge/port.h"

enum { STREAM_PATH_MAX = 107 }; /* of sockaddr_un.sun_path, less its NUL */

struct stream {
    struct port port; /* first */
    char path[STREAM_PATH_MAX +
              1];             /* "": an inherited socket, which has no other peer */
    int conn;                 /* to the peer; -1 */
    int listener;             /* at the path; -1 */
    struct stat own;          /* our file at the path, to know it again */
    int64_t since;            /* when it connected, milliseconds of CLOCK_MONOTONIC */
    bool heard;               /* something has come from this peer */
    uint8_t head[4];          /* length of the frame that comes next ... */
    size_t head_n;            /* ... of which so many bytes are here */
    struct pkt *in;           /* the frame that is coming, of the reader's pool */
    size_t in_len;            /* its whole length */
    uint8_t *rest;            /* what the socket has not taken yet */
    size_t rest_at, rest_end; /* the part of it that is to be sent */
};

/* Connects to who listens at the path `name`, else listens there. 0, or negative errno
 * with *error. */
int stream_open(struct stream *s, const struct port_setup *setup,
                struct tapir_error *error);

/* Takes over a connected socket that was left to this process; on failure it is as it
 * was. */
int stream_adopt(struct stream *s, const struct port_setup *setup,
                 struct tapir_error *error);

#endif
