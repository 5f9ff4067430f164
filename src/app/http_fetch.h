/* One fetch while it runs, as its steps see it (http_client.c has their order), and
 * what they tell: lines for -v, moments, failures. */
#ifndef TAPIR_APP_HTTP_FETCH_H
#define TAPIR_APP_HTTP_FETCH_H

#include "app/http_pool.h"
#include "app/http_sending.h"
#include "app/names.h"
#include "http/http_body.h"
#include "http/http_fail.h"
#include "tapir/http.h"

enum {
    TYPE_ROOM = 256,     /* for a Content-Type and a NUL */
    IDENTITY_ROOM = 400, /* for what says whether two answers are the same, and a NUL */
};

struct tapir_http_client {
    struct tapir_http_options options; /* with defaults filled in */
    struct http_pool pool;
    char *url;            /* owned: result->url of the last fetch */
    char *location;       /* owned: its result->location */
    char *referer;        /* owned: its result->referer, unless it was the options' */
    char type[TYPE_ROOM]; /* its result->type */
};

/* An answer, as far as it has come. */
enum http_phase { ANSWER_HEAD, ANSWER_BODY, ANSWER_DONE };

/* Of an answer that was cut and comes once more: what must not be handed over twice. */
struct http_cut {
    int code;      /* its failure */
    bool head;     /* its head was handed over */
    uint64_t body; /* bytes of its body that were */
    char identity[IDENTITY_ROOM];
};

struct http_fetch {
    struct tapir_http_client *client;
    struct tapir_http_result *result;
    char *text;               /* owned: the URL that `url` was read from */
    char *first_text;         /* owned, if it is not `text`: the first one */
    struct http_url url;      /* of the request at hand */
    struct http_url first;    /* of the first one: credentials are for its origin */
    const char *method;       /* of the request at hand */
    bool with_body;           /* it has the options' body */
    bool no_expect;           /* do not ask for 100 (Continue) */
    bool http10;              /* ask as HTTP/1.0: so it is wanted, or was answered */
    struct names_found found; /* where the host is: all its addresses */
    union endpoint to;        /* where the connection goes: one of them */
    struct http_conn *conn;   /* NULL: none */
    struct http_sending *out; /* what it sends */
    usec begin, deadline;     /* of tapir_now(); NEVER */
    usec connect_by;          /* the same, for names and connection; NEVER */
    bool ahead;               /* its request was sent ahead, or others behind it */
    struct http_cut before;   /* the answer that was cut */

    /* The answer. */
    enum http_phase phase;
    bool answered;  /* a byte of it has come */
    bool expects;   /* our request asked for 100 (Continue) */
    bool persists;  /* the server lets the connection live */
    bool swallow;   /* its body is for nobody */
    bool refused;   /* the server knows no 100 (Continue): ask without */
    bool lost;      /* the connection ended, and the server has not seen our request */
    bool cut;       /* the connection ended in the middle of it */
    bool head_told; /* its head was handed over */
    char identity[IDENTITY_ROOM]; /* what tells it from others; "": nothing */
    int send_error;               /* what stopped the sending; 0: nothing */
    int interim;                  /* 1xx that came before it */
    size_t seen;                  /* bytes of the buffer in which no head ends */
    char *location;               /* owned: where it leads, resolved; NULL: nowhere */
    char *referer;                /* owned: the URL that led here; NULL: the options' */
    struct http_body body;        /* its body */
    char *trailers;               /* owned: what stands behind its chunks; NULL: none */
    size_t trailers_len;          /* bytes */
};

/* A line for -v; `mark` as curl has it. */
void fetch_say(const struct http_fetch *f, char mark, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A head line by line; empty lines as well. */
void fetch_say_head(const struct http_fetch *f, char mark, const char *at, size_t len);

/* A step is done: notes when, and tells it. */
void fetch_step(const struct http_fetch *f, enum tapir_http_step step,
                const char *detail);

/* The fetch has failed, in curl's words and with its number; false. */
bool fetch_failed(struct http_fetch *f, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds why and what to do about it. False, like fetch_failed(). */
bool fetch_because(struct http_fetch *f, const char *cause, const char *fix);

/* The time allowed is over; false. */
bool fetch_timed_out(struct http_fetch *f);

/* Forgets the failure: the step is tried again. */
void fetch_forgive(struct http_fetch *f);

#endif
