/* A small network of several hosts for experiments that two do not suffice for, and
 * whose every packet passes through the lab's hands: it is kept, for counting and for
 * pictures (lan_view.c). Each host is the round trip away from each other one, and has
 * a line of the path's rate out. */
#ifndef TAPIR_LAB_LAN_H
#define TAPIR_LAB_LAN_H

#include <stdio.h>

#include "page.h"
#include "tapir/sim.h"

enum { LAN_HOSTS = 6, LAN_NOTE = 48, LAN_NOBODY = -1 };

/* What happened: a packet was sent, or a program had something to say. */
struct lan_event {
    struct lan_event *next;   /* the one after it */
    struct lan_event *behind; /* on the way: the packet that arrives after it */
    int64_t at;               /* when it was sent, or said */
    int64_t arrives;          /* of a packet */
    bool lost;                /* it never does */
    int from, to;             /* hosts; LAN_NOBODY */
    char note[LAN_NOTE];      /* "": it is a packet */
    size_t len;
    uint8_t ip[]; /* the packet from its IP header on */
};

struct lan_host {
    const char *name;
    char address[16]; /* dotted */
    struct tapir *tapir;
    int64_t free;               /* when its line has sent all that it was given */
    struct raw_packet *waiting; /* the first that it sent since the lab looked */
};

struct lan {
    const struct page_setup *setup;
    struct sim *sim; /* NULL: it is only a record of what was elsewhere */
    struct lan_host host[LAN_HOSTS];
    int hosts;
    struct lan_event *first, *last; /* all, in the order of time */
    struct lan_event *flying;       /* packets on their way, the next one first */
    /* Does the wire lose it? NULL: it never does. */
    bool (*loses)(const struct lan *lan, const struct lan_event *e);
};

/* Empty. 0 or -ENOMEM. */
int lan_init(struct lan *lan, const struct page_setup *setup);
void lan_free(struct lan *lan);

/* A host with an address such as "192.0.2.1" and an MTU (0: 1500). Its number, or
 * negative errno. Strings are borrowed. */
int lan_host(struct lan *lan, const char *name, const char *address, unsigned mtu);

/* Runs fn(arg) as a program on a host, once lan_run() lets it. 0 or negative errno. */
int lan_spawn(struct lan *lan, int host, void (*fn)(void *), void *arg);

/* Runs until all programs have returned and nothing is under way. 0 or negative errno.
 */
int lan_run(struct lan *lan);

/* A program on a host says something at this moment. */
void lan_note(struct lan *lan, int host, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts a packet onto the wire of the host whose address it bears, which has not sent
 * it.
 */
int lan_inject(struct lan *lan, const void *ip, size_t len);

/* A packet that was on a wire elsewhere, for the pictures: its source is made a host,
 * and its destination, as far as there is room. 0, -ENOSPC or -ENOMEM. */
int lan_record(struct lan *lan, int64_t at, const void *ip, size_t len);

/* --- for programs --- */

/* A listener on a port of this host; the next connection to it, with TCP_NODELAY. */
int lan_listen(uint16_t port);
int lan_accept(int listener);

/* A connection from `port` (0: any) of this host, with a receive buffer of so many
 * bytes (0: as TCP is set). -1 with errno. */
int lan_connect(const char *address, uint16_t to, uint16_t port, size_t buffer);

/* Reads a head up to its empty line into `at`, NUL behind it. Its length without that;
 * 0: the connection ended before; -1: it failed. What follows the head stays unread. */
int lan_read_head(int fd, char *at, size_t room);

/* Reads n bytes, or what comes before the end. How many; whatever failed is in errno,
 * which is 0 at a FIN. */
size_t lan_read(int fd, size_t n);

/* --- lan_view.c --- */

/* Draws all that happened as a ladder with a line for each host. */
void lan_ladder(const struct lan *lan, FILE *out);

/* The same as a string, for the caller to free; NULL: no memory. */
char *lan_picture(const struct lan *lan);

#endif
