/* Answers that are kept for as long as they said, negative ones as well (RFC 2308). A
 * fixed number of them: of a full cache the one that was not used for longest goes. */
#ifndef TAPIR_APP_DNS_CACHE_H
#define TAPIR_APP_DNS_CACHE_H

#include "app/dns_msg.h"
#include "base/time.h"

enum { DNS_CACHE_SIZE = 128 };

struct dns_cache {
    struct dns_kept {
        struct dns_question question; /* name.len 0: the place is free */
        struct dns_answer answer;
        usec until, used;
    } at[DNS_CACHE_SIZE];
};

/* What is known now, its time to live being what is left of it; false: nothing. */
bool dns_cache_find(struct dns_cache *cache, const struct dns_question *question,
                    usec now, struct dns_answer *out);

/* Keeps an answer for its time to live; one of 0 seconds is not kept. */
void dns_cache_put(struct dns_cache *cache, const struct dns_question *question,
                   const struct dns_answer *answer, usec now);

#endif
