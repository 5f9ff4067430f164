/* Conversations with the file server, without a connection (app/http_session.h): bytes
 * of requests in, bytes of answers out. Every one is held several times: with input
 * whole and split, with output taken whole and in bits, and must say the same. */
#ifndef TAPIR_TESTS_TALK_H
#define TAPIR_TESTS_TALK_H

#include "app/http_session.h"

#define NOW  784111999 /* Sun, 06 Nov 1994 08:53:19 GMT */
#define DATE "Date: Sun, 06 Nov 1994 08:53:19 GMT\r\nServer: tapir\r\n"

extern struct http_site site; /* that of harness/site.h */
extern int64_t now;           /* when all is said */

/* What a conversation said, in full. */
struct said {
    char text[400000];
    size_t len;
    enum http_session_state end; /* where it stood after the last byte */
};

extern struct said said;

/* Setup and teardown of a test. */
int talk_up(void **state);
int talk_down(void **state);

/* Takes all output there is, `bite` bytes at a time. */
void take_output(struct http_session *s, size_t bite);

/* One conversation: `in` in steps, then the client's end if `eof`. */
void converse(const char *in, size_t len, size_t step, size_t bite, bool eof);

/* The same conversation in every way. */
void talk(const char *in, bool eof);

/* The statuses of all answers, in order: "200 404". */
const char *statuses(void);

void assert_said(const char *part);
void assert_not_said(const char *part);

#endif
