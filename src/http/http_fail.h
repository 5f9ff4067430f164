/* How a fetch fails: curl's exit codes, which its users know. A reader of responses
 * gives them negated, as a reader of requests gives the status that answers. */
#ifndef TAPIR_HTTP_FAIL_H
#define TAPIR_HTTP_FAIL_H

enum http_fail {
    GET_UNSUPPORTED = 1, /* another protocol, or no HTTP/1 at all */
    GET_MALFORMED = 3,   /* no URL */
    GET_RESOLVE = 6,
    GET_CONNECT = 7,
    GET_WEIRD = 8,    /* a response that contradicts itself */
    GET_PARTIAL = 18, /* it ended before its length */
    GET_STATUS = 22,
    GET_WRITE = 23,
    GET_UPLOAD = 25, /* a body that HTTP/1.0 cannot carry */
    GET_READ = 26,   /* what is to be sent */
    GET_MEMORY = 27,
    GET_TIMEOUT = 28,
    GET_RANGE = 33,     /* the range that was asked for did not come */
    GET_REDIRECTS = 47, /* too many */
    GET_EMPTY = 52,
    GET_SEND = 55,
    GET_RECEIVE = 56, /* also chunks that are none, a head without end */
    GET_CODING = 61,  /* a transfer coding that nobody asked for */
    GET_SIZE = 63,    /* a larger body than is allowed */
    GET_REWIND = 65,  /* a body is due again, and cannot be read again */
    GET_LARGE = 100,  /* a field, or fields, without end */
};

#endif
