/* What stands between a client of HTTP/1.0 and a page: a server that knows Keep-Alive,
 * a proxy that passes fields on without knowing them, and one that knows which of them
 * are for it. Programs of a small network (lan.h), each with one connection at a time.
 */
#ifndef TAPIR_LAB_HOPS_H
#define TAPIR_LAB_HOPS_H

#include "http/http_parse.h"
#include "lan.h"

struct hop {
    struct lan *lan;
    int host;
    const char *next;          /* address of the next one; NULL: it is the server */
    int64_t idle;              /* microseconds that it waits for another request */
    const volatile bool *over; /* it ends soon after */
};

enum { HOP_HEAD = 1024, HOP_BODY = 100 };

/* Reads a head into text and takes it apart: a request's, or an answer's. False: the
 * connection ended, or it is none. */
bool hop_read_request(int fd, char text[HOP_HEAD], struct http_head *head);
bool hop_read_answer(int fd, char text[HOP_HEAD], struct http_head *head);

/* The programs; arg is a struct hop. */
void hop_server(void *arg);
void hop_dumb_proxy(void *arg);
void hop_proxy(void *arg);

#endif
