/* The head of an answer: what it says of itself, of the file, and of the connection. */
#ifndef TAPIR_APP_HTTP_HEAD_H
#define TAPIR_APP_HTTP_HEAD_H

#include "app/http_session.h"
#include "http/http_etag.h"

/* What an answer is made of; zeros and NULL: without. */
struct answer {
    int status;
    const char *type;   /* Content-Type */
    uint64_t length;    /* Content-Length, unless: */
    bool chunked;       /*   it goes in chunks */
    bool until_close;   /*   it ends with the connection */
    const char *fields; /* further field lines, each with its CRLF */
    const char *allow;  /* Allow */
    const char *coding; /* Content-Encoding */
    bool varies;        /* Vary: others get it in another coding */
    bool no_store;      /* Cache-Control: it is true for a moment only */
    bool is_file;       /* the next two say something, and ranges are welcome */
    char etag[HTTP_ETAG_ROOM];
    int64_t mtime;
    bool has_range;                 /* Content-Range: */
    const struct http_range *range; /*   which part; NULL: none fits */
    uint64_t size;                  /*   of the whole */
    struct http_kept *kept;         /* the file, where its bytes are at hand */
    const char *location;           /* the name of a directory without its slash */
    struct http_slice query;        /* what follows it */
};

/* Appends the head of the answer a, with the empty line, as s stands. */
void http_head_put(struct text *t, const struct http_session *s,
                   const struct answer *a);

#endif
