/* tapir get, taken apart: cmd_get.c runs the call, get_options.c reads it, get_set.c
 * has its options one by one, get_config.c those of a file, get_glob.c URLs that stand
 * for several, get_transfer.c runs one transfer, get_output.c has the file that it goes
 * to, get_head.c what heads are good for, get_data.c what it sends, get_write_out.c the
 * line of -w and get_variable.c its variables, get_parallel.c several at once. */
#ifndef TAPIR_TOOLS_GET_H
#define TAPIR_TOOLS_GET_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "options.h"
#include "tapir/http.h"

enum {
    GET_LIST_MAX = 64,          /* of -H, and of --resolve */
    GET_GROUPS_MAX = 16,        /* between --next */
    GET_TRANSFERS_MAX = 100000, /* URLs of a call */
    GET_PARALLEL_MAX = 300,     /* of them at once */
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
    bool globoff;     /* -g */
    bool resume_auto; /* -C -: from where the file ends */
    bool fail_with_body;
    long long retries;
    int64_t retry_delay; /* microseconds; 0: 1 s, then twice as long each time */
    int64_t retry_time;  /* no try begins later than that after the first; 0: any */
    bool retry_refused, retry_all;

    /* Files. */
    const char *head_file; /* -D; NULL: none */
    int head_fd;           /* the same, open; 0: not yet */
    const char *directory; /* --output-dir; NULL: here */
    bool create_dirs, all_named, header_name, remote_time, no_clobber, skip_existing,
        remove_on_error;

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
    char *path;          /* owned: of the file; NULL: stdout */
    int fd;              /* the same, open; -1: not yet */
    int write_error;     /* errno of what could not be opened or written */
    uint64_t keep;       /* bytes of it that were there, -C */
    uint64_t written;    /* bytes of bodies since */
    int64_t shown;       /* when the progress was shown last */
    bool progress;       /* a line of it is on the terminal */
    bool skipped;        /* --skip-existing: it is there */
    bool path_is_theirs; /* its name is the server's (-J) */
    int in;              /* what is uploaded; -1: nothing */
    uint64_t in_from;    /* from this byte on */
    char *content_range; /* owned: what says so; NULL: nothing */

    /* From heads. */
    char *fields;     /* owned: the last head; NULL: none yet */
    int64_t modified; /* Last-Modified, seconds since 1970; 0: not said */
};

/* What the whole call says. */
struct get {
    struct get_group group[GET_GROUPS_MAX];
    struct get_transfer *transfer; /* owned */
    size_t n_groups, n_transfers, room;
    size_t n_configs; /* files of -K so far */
    char unknown[40]; /* in the default file: an option that is not known here, or "" */
    bool verbose, silent, show_error, pipeline, parallel, fail_early, no_progress;
    long long parallel_max;
    pthread_mutex_t lock; /* what is told, and what is next, of several at once */
};

/* --- get_options.c */

/* Reads the call. True: it can run; false: *status is the program's. */
bool get_options(struct get *g, struct options *o, int *status);

/* Is this word ("--name", "-x") an option that can be taken? */
bool get_knows(const char *word);

/* --- get_set.c: an option's value is taken. 0, or an exit status, told. */

struct get_group *get_group_at(struct get *g); /* the one at hand */
int get_add_url(struct get *g, const char *value);
int get_add_output(struct get *g, const char *value);
int get_add_upload(struct get *g, const char *value);
int get_add_group(struct get *g);
int get_add_resolve(struct get_group *group, const char *value);
int get_add_header(struct get_group *group, const char *value);
int get_set_word(const char *name, const char **out, const char *value);
int get_set_seconds(const char *name, const char *value, int64_t *out);
int get_set_size(const char *name, const char *value, uint64_t *out);
int get_set_redirects(struct get_group *group, const char *value);
int get_set_resume(struct get_group *group, const char *value);
int get_set_range(struct get_group *group, const char *value);
int get_set_referer(struct get_group *group, const char *value);
int get_set_condition(struct get_group *group, const char *value);
int get_set_stderr(const char *value);

/* What all options mean together: transfers without URL are dropped, patterns become
 * what they stand for. */
int get_complete(struct get *g);

/* --- get_config.c */

/* The options in a file are next. 0, or an exit status, told. */
int get_config(struct get *g, struct options *o, const char *path);

/* The same of the default file, if there is one; what is not known here is left out. */
int get_default_config(struct get *g, struct options *o);

/* --- get_glob.c */

struct glob;

/* Where a transfer stands in the patterns of its URL, and of its upload. */
struct glob_turn {
    const struct glob *glob; /* NULL: it has none */
    uint64_t i;
};

/* A pattern, and how many it stands for; NULL: it is none, told (exit status 3). */
struct glob *glob_new(const char *pattern, uint64_t *n);
void glob_free(struct glob *g);

/* The i-th of them, for the caller to free. */
char *glob_url(const struct glob *g, uint64_t i);

/* A file's name with what "#1" and "#<name>" stand for, for the caller to free; numbers
 * are of the first turn's pattern. *missing: a name is nobody's. */
char *glob_name(const char *text, const struct glob_turn *turn, size_t n,
                bool *missing);

/* --- get_data.c */

/* Adds what an option says to the group's data: -d 'd', --data-binary 'b', --data-raw
 * 'r', --json 'j'. 0, or an exit status, told. */
int get_data_add(struct get_group *group, int how, const char *value);

/* Puts the data into a URL's query; for the caller to free. */
char *get_data_url(const struct get_group *group, const char *url);

/* --- get_output.c */

/* Where it goes, before the fetch: 0, or an exit status. */
int get_output_begin(struct get_transfer *t);

/* Makes the folders of a path that are missing. */
bool get_output_folders(const char *path);

/* Its file is named so, in the group's folder. False: no memory. */
bool get_output_name(struct get_transfer *t, const char *name);

/* What came, of the body or of a head. */
bool get_output_write(struct get_transfer *t, const char *at, size_t len, bool body);

/* Another try: what was written is taken back, or with -C - kept. */
void get_output_again(struct get_transfer *t);

/* The answer comes once more: all that was written of it is taken back. False: it
 * cannot be, and nothing was. */
bool get_output_anew(struct get_transfer *t);

/* The fetch is over; `due`: there is a file, even if it is empty. False: what was
 * written did not all reach it. */
bool get_output_end(struct get_transfer *t, bool due, bool failed);

/* --- get_head.c */

/* Before the fetch: opens what -D names. False: it cannot be written. */
bool get_head_begin(struct get_transfer *t);

/* A head came: for -D, -i, -J, -R and -w's %header{}. False: it could not be written.
 */
bool get_head(struct get_transfer *t, const char *at, size_t len);

/* The first field of that name in the last head: true with its value. */
bool get_head_field(const struct get_transfer *t, const char *name, size_t name_len,
                    const char **value, size_t *len);

/* --- get_write_out.c, get_variable.c */

/* Prints a format of -w. */
void get_write_out(const struct get_transfer *t, const struct tapir_http_result *r);

/* What a variable is at the moment. */
struct get_value {
    enum { TEXT, NUMBER, SECONDS } kind;
    const char *text; /* NULL: null in JSON, nothing elsewhere */
    size_t len;       /* of the text */
    int64_t n;        /* SECONDS: microseconds, of which below 0 is 0 */
    char room[64];
};

/* Their names, in order, NULL at the end. */
extern const char *const get_variables[];

/* False: there is no such variable. */
bool get_variable(const struct get_transfer *t, const struct tapir_http_result *r,
                  const char *name, struct get_value *v);

/* --- get_transfer.c */

/* How many transfers from the i-th on may be asked for ahead: those of its group, if
 * that is wanted and they only read; else the one. */
size_t get_ahead(const struct get *g, size_t i);

/* n of them, as get_ahead() allows: in a pipeline if they are several, else the one
 * with its repetitions; the exit status. `keep`: another one follows. */
int get_transfers(struct get_transfer *first, size_t n,
                  struct tapir_http_client *client, bool keep);

/* --- get_parallel.c */

/* All of them, several at once. The exit status of the last that failed. */
int get_parallel(struct options *o, struct get *get);

#endif
