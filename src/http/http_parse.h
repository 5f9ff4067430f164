/* Heads of HTTP/1.x messages (RFC 9112 s2 to s5): bytes in, slices of the same bytes
 * out. Nothing is copied and nothing is kept: a caller that has not got the whole head
 * yet asks again when it has more. */
#ifndef TAPIR_HTTP_PARSE_H
#define TAPIR_HTTP_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "http/http_limits.h"
#include "http/http_slice.h"

struct http_field {
    struct http_slice name;  /* as sent; names have no case */
    struct http_slice value; /* without the blanks around it */
};

struct http_head {
    struct http_slice method; /* requests: as sent; methods have case */
    struct http_slice target; /* requests: as sent */
    struct http_slice reason; /* responses: the phrase, may be empty */
    int status;               /* responses: 100 to 999 */
    int minor;                /* of HTTP/1.minor */
    const char *faulty;       /* responses: a line that is none; NULL: all are good */
    uint64_t names;           /* the bits of all fields' names (http_name_bit()) */
    size_t n_fields;          /* in use */
    struct http_field field[HTTP_FIELDS_MAX]; /* in the order sent */
};

/* Reads the request head at the front of [at, at+len). `seen` is the len of the last
 * call that gave -EAGAIN, else 0: those bytes are not searched again. Returns the bytes
 * of the head (> 0); -EAGAIN when it is not complete; or minus the status that answers
 * what is wrong with it: 400, 414, 431, 501, 505. */
int http_parse_request(const char *at, size_t len, size_t seen,
                       const struct http_limits *limits, struct http_head *head);

/* Reads a response head in the same way, and more forgiving: a bare LF ends a line, and
 * folded lines are unfolded in place, which makes *len smaller. What is wrong with it
 * is minus a fetch's exit code (http_fail.h): GET_UNSUPPORTED for what is no HTTP/1.1
 * or 1.0, GET_WEIRD for a bad line, GET_LARGE for a line or a number of them beyond the
 * limits, GET_RECEIVE for a head beyond them; the lines before head->faulty are good.
 */
int http_parse_response(char *at, size_t *len, size_t seen,
                        const struct http_limits *limits, struct http_head *head);

/* One of 64 bits, the same for names that differ in case only: most fields that are
 * asked for are missing, and known to be by it. A name is not empty. */
static inline uint64_t http_name_bit(struct http_slice name)
{
    unsigned first = (unsigned char)name.at[0] | 0x20U;
    unsigned last = (unsigned char)name.at[name.len - 1] | 0x20U;

    return UINT64_C(1) << ((5 * name.len + 3 * first + last) % 64);
}

/* http_next_field() where the bit is set. */
const struct http_field *http_search_field(const struct http_head *head,
                                           const char *name,
                                           const struct http_field *after);

/* The first field of that name after `after` (NULL: of all), or NULL. */
static inline const struct http_field *http_next_field(const struct http_head *head,
                                                       const char *name,
                                                       const struct http_field *after)
{
    if (!(head->names & http_name_bit(slice_of(name))))
        return NULL;
    return http_search_field(head, name, after);
}

/* The value of the field of that name, if there is exactly one; else without address.
 * For fields that are no lists. */
static inline struct http_slice http_single_field(const struct http_head *head,
                                                  const char *name)
{
    const struct http_field *f = http_next_field(head, name, NULL);

    if (!f || http_next_field(head, name, f))
        return (struct http_slice){ NULL, 0 };
    return f->value;
}

/* Is `token` an element of the list that all fields of that name make together? */
bool http_has_token(const struct http_head *head, const char *name, const char *token);

/* uri-host [ ":" port ] as Host has it (RFC 9110 s7.2); it may be empty. */
bool http_host_is_valid(struct http_slice s);

/* May another message follow on the connection, as far as this one says? */
bool http_persists(const struct http_head *head);

/* What a request expects of its server (RFC 9110 s10.1.1): 0 nothing; 100 that it says
 * whether the body is welcome; -417 something that nobody knows. */
int http_expects(const struct http_head *head);

#endif
