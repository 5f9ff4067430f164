/* tapir get, taken apart: cmd_get.c reads the call, get_transfer.c runs one transfer,
 * get_output.c has the file that it goes to, get_data.c what it sends, get_write_out.c
 * the line of -w, get_parallel.c several at once. */
#ifndef TAPIR_TOOLS_GET_H
#define TAPIR_TOOLS_GET_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "options.h"
#include "tapir/http.h"

enum {
    GET_LIST_MAX = 64,       /* of -H, and of --resolve */
    GET_GROUPS_MAX = 16,     /* between --next */
    GET_TRANSFERS_MAX = 256, /* URLs of a call */
};

/* -O: the name is the URL's. */
extern const char get_remote_name[];

/* The options of the transfers between two --next. */
struct get_group {
    struct tapir_http_options http; /* callbacks and body are each transfer's own */
    const char *header[GET_LIST_MAX], *resolve[GET_LIST_MAX];
    const char *write_out; /* -w; NULL: none */
    char *data;            /* of -d and its like; NULL: none */
    size_t data_len;
    bool json;        /* --json: it says so in two fields */
    bool query;       /* -G: it belongs into the URL */
    bool include;     /* -i */
    bool resume_auto; /* -C -: from where the file ends */
    long long retries;
    int64_t retry_delay; /* microseconds; 0: 1 s, then twice as long each time */
    bool retry_refused, retry_all;
    size_t n_urls, n_outputs, n_uploads; /* so far */
};

struct get_transfer {
    struct get *get;
    struct get_group *group;
    size_t number; /* of all transfers, from 0 */
    const char *url;
    const char *output; /* NULL: stdout; get_remote_name */
    const char *upload; /* -T; NULL: nothing */

    /* Where the body goes. */
    char path[4096];  /* of the file; "": stdout */
    int fd;           /* the same, open; -1: not yet */
    int write_error;  /* errno of what could not be opened or written */
    uint64_t keep;    /* bytes of it that were there, -C */
    uint64_t written; /* bytes since */
    int64_t shown;    /* when the progress was shown last */
    bool progress;    /* a line of it is on the terminal */
    int in;           /* what is uploaded; -1: nothing */
};

/* What the whole call says. */
struct get {
    struct get_group group[GET_GROUPS_MAX];
    struct get_transfer transfer[GET_TRANSFERS_MAX];
    size_t n_groups, n_transfers;
    bool verbose, silent, show_error, pipeline, parallel, fail_early, no_progress;
    long long parallel_max;
    pthread_mutex_t lock; /* what is told, and what is next, of several at once */
};

/* --- get_data.c */

/* Adds what an option says to the group's data: -d 'd', --data-binary 'b', --data-raw
 * 'r', --json 'j'. 0, or an exit status, told. */
int get_data_add(struct get_group *group, int how, const char *value);

/* Puts the data into a URL's query; for the caller to free. */
char *get_data_url(const struct get_group *group, const char *url);

/* --- get_output.c */

/* Where it goes, before the fetch: 0, or an exit status. */
int get_output_begin(struct get_transfer *t);
bool get_output_write(struct get_transfer *t, const char *at, size_t len);

/* Another try: what was written is taken back. */
void get_output_again(struct get_transfer *t);

/* The fetch is over; `done`: the file is due, even if it is empty. False: what was
 * written did not all reach it. */
bool get_output_end(struct get_transfer *t, bool done);

/* --- get_write_out.c */

/* Prints a format of -w. */
void get_write_out(const struct get_transfer *t, const struct tapir_http_result *r);

/* --- get_transfer.c */

/* All of one, with its repetitions; the exit status. `keep`: another one follows. */
int get_transfer(struct get_transfer *t, struct tapir_http_client *client, bool keep);

/* Those from `first` to the last of its group, pipelined. */
int get_pipelined(struct get_transfer *first, size_t n,
                  struct tapir_http_client *client);

/* Can a group's transfers be pipelined: do they only read, all with the same options?
 */
bool get_may_pipeline(const struct get_group *group);

/* --- get_parallel.c */

/* All of them, several at once. The exit status of the last that failed. */
int get_parallel(struct options *o, struct get *get);

#endif
