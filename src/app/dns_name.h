/* Names of the domain name system (RFC 1035 s3.1): a row of labels, each behind its
 * length, the root's empty label last. They have no case (RFC 4343). */
#ifndef TAPIR_APP_DNS_NAME_H
#define TAPIR_APP_DNS_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum {
    DNS_NAME_MAX = 255,   /* bytes on the wire, RFC 1035 s2.3.4 */
    DNS_NAME_TEXT = 1024, /* room for any name as text */
};

struct dns_name {
    uint8_t len;             /* bytes; 0: no name at all, 1: the root */
    uint8_t b[DNS_NAME_MAX]; /* as on the wire, without pointers */
};

/* A name as people write it; the dot at its end may be missing. False where it is none:
 * empty labels, labels of more than 63 bytes, more than 255 in all, blanks, backslashes
 * and what is not ASCII. */
bool dns_name_from_text(const char *text, struct dns_name *out);

/* "www.example.test", without a dot at the end; what is not plain is escaped as in
 * RFC 1035 s5.1. The root is ".". */
void dns_name_print(struct text *t, const struct dns_name *name);

/* The same name, whatever the case? */
bool dns_name_equal(const struct dns_name *a, const struct dns_name *b);

/* Is it `zone`, or below it? */
bool dns_name_within(const struct dns_name *name, const struct dns_name *zone);

/* Reads the name at msg[at], pointers followed. Where the bytes behind it begin; 0:
 * there is no name. */
size_t dns_name_read(const uint8_t *msg, size_t len, size_t at, struct dns_name *out);

#endif
