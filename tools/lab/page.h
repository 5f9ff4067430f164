/* A page and its objects, fetched over an emulated path: what is fetched how, and where
 * the formulae for it are. The rooms: path.c makes the network, server.c answers,
 * strategy.c fetches, record.c keeps what happened; report.c, waterfall.c and har.c
 * tell it; theory.c is what they compare with. */
#ifndef TAPIR_LAB_PAGE_H
#define TAPIR_LAB_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "theory.h"

struct record;

enum { PAGE_OBJECTS = 1000, PAGE_SYSCTL = 64, PAGE_PORT = 80 };

struct page_setup {
    uint64_t page, size;  /* bytes of the page and of each object */
    unsigned objects;     /* that the page names */
    unsigned connections; /* at a time, for the strategies with several */
    int64_t rtt;          /* microseconds */
    uint64_t rate;        /* bits a second, each way */
    double loss;          /* per cent of the frames, each way */
    const char *netem;    /* of the emulator, behind the path's words; NULL: nothing */
    unsigned window;      /* the initial window, segments */
    uint64_t seed;
    const char *const *sysctl; /* "name=value" each, behind the lab's own */
    unsigned n_sysctl;
    const char *pcap; /* the client's; NULL: none */
    bool ladder, stat;
};

/* How to fetch. */
struct strategy {
    const char *name;
    const char *words; /* for a person */
    bool keep;         /* a connection is used again */
    bool many;         /* `connections` at a time */
    bool pipelined;    /* all requests at once */
    bool alone;        /* one object, no page */
};

/* Ends with a row whose name is NULL. */
extern const struct strategy strategies[];

/* NULL: there is none of that name. */
const struct strategy *strategy_find(const char *name);

/* Where the page is fetched from. */
struct page_server {
    const char *address; /* of either family, without brackets */
    uint16_t port;
};

/* Fetches the page on this thread's stack and writes down what happened in a record
 * that is empty. False: record->error says why. */
bool strategy_run(const struct strategy *how, const struct page_setup *setup,
                  const struct page_server *server, struct record *record);

/* Both ends in virtual time, and the path between them. False: record->error. */
bool path_simulate(const struct strategy *how, const struct page_setup *setup,
                   struct record *record);

/* Lets both ends learn each other's Ethernet address. */
void path_greet(const struct page_server *server, int64_t rtt);

/* The path in the emulator's words, for the client's side of a link. */
void path_words(const struct page_setup *setup, char *out, unsigned room);

/* The settings of TCP under which the formulae hold, and the caller's behind them: how
 * many are at out, which has room for PAGE_SYSCTL. One is written to `window`. */
unsigned path_sysctl(const struct page_setup *setup, const char **out, char window[40]);

/* The page as files below dir, for another server. 0 or negative errno. */
int site_write(const char *dir, const struct page_setup *setup);

/* What the formulae say: from `low` to `high`, which are mostly the same. */
struct prediction {
    double low, high;     /* seconds */
    double gate;          /* per cent that a measurement may lie outside */
    unsigned connections; /* at least */
    double segments;      /* with text, from the server */
    double bytes;         /* of IP packets in these */
};

/* The path as the formulae have it; requests and heads are as long as in the record. */
void predict_path(const struct page_setup *setup, const struct record *record,
                  struct theory_path *out);

void predict(const struct strategy *how, const struct page_setup *setup,
             const struct record *record, struct prediction *out);

/* Per cent that a page time lies above (or, negative, below) what was predicted. */
double prediction_off(const struct prediction *p, double seconds);

#endif
