/* An HTTP client and a scripted server, on two hosts in virtual time, 10 ms apart. A
 * script says what is answered on a connection; what both said and what came of it is
 * kept for the test to look at. */
#ifndef TAPIR_TESTS_WEB_H
#define TAPIR_TESTS_WEB_H

#include "harness/hosts.h"
#include "tapir/http.h"

enum { WEB_MOST = 6 };

/* What the server does with a connection. */
struct web_script {
    const char *answer[WEB_MOST]; /* one a request; NULL: no more */
    unsigned ahead;               /* requests to take before the first answer; 0: 1 */
    size_t step;                  /* bytes of an answer to send at once; 0: all */
    int64_t pause;                /* before each step; and before the close */
    bool heads_only;              /* requests' bodies are not read */
    bool hold;                    /* the client closes, not the server */
    bool reset;                   /* ends with a reset */
    int fd;                       /* the connection */
};

/* One test's everything: web_clean() empties it. */
struct web {
    struct hosts h;
    struct web_script script[WEB_MOST]; /* one a connection */
    int n_scripts, n_requests;          /* that there are; that came */
    char requests[20000];               /* all heads and bodies that came */

    struct tapir_config config; /* of both hosts */
    struct tapir_http_options options;
    const char *urls[WEB_MOST];
    bool pipeline;                             /* tapir_http_pipeline() gets them */
    int n_begun;                               /* turns of it */
    struct tapir_http_result result[WEB_MOST]; /* one a URL */
    char last_url[200];                        /* the last one's url */
    char body[20000], heads[20000], talk[20000];
    bool refuse_body; /* the body callback fails */
};

extern struct web web;

/* A setup for cmocka. */
int web_clean(void **state);

/* Plays the scripts while the client fetches its URLs. */
void web_run(void);

/* One URL, one connection, this answer. */
void web_fetch(const char *answer);

#endif
