/* A search looks at all places: they are few, and a question to the network that is
 * saved costs thousands of times as much. */
#include "app/dns_cache.h"

static bool is_kept(const struct dns_kept *kept, usec now)
{
    return kept->question.name.len > 0 && kept->until > now;
}

static bool same_question(const struct dns_question *a, const struct dns_question *b)
{
    return a->type == b->type && dns_name_equal(&a->name, &b->name);
}

bool dns_cache_find(struct dns_cache *cache, const struct dns_question *question,
                    usec now, struct dns_answer *out)
{
    for (size_t i = 0; i < DNS_CACHE_SIZE; i++) {
        struct dns_kept *kept = &cache->at[i];
        if (!is_kept(kept, now) || !same_question(&kept->question, question))
            continue;
        kept->used = now;
        *out = kept->answer;
        out->ttl = (uint32_t)((kept->until - now) / USEC_PER_SEC);
        return true;
    }
    return false;
}

/* The place of the same question, else a free one, else the one that was not used for
 * longest. */
static struct dns_kept *place_for(struct dns_cache *cache,
                                  const struct dns_question *question, usec now)
{
    struct dns_kept *best = &cache->at[0];

    for (size_t i = 0; i < DNS_CACHE_SIZE; i++) {
        struct dns_kept *kept = &cache->at[i];
        if (same_question(&kept->question, question))
            return kept;
        if (is_kept(best, now) && (!is_kept(kept, now) || kept->used < best->used))
            best = kept;
    }
    return best;
}

void dns_cache_put(struct dns_cache *cache, const struct dns_question *question,
                   const struct dns_answer *answer, usec now)
{
    struct dns_kept *kept;

    if (answer->ttl == 0)
        return;
    kept = place_for(cache, question, now);
    kept->question = *question;
    kept->answer = *answer;
    kept->until = now + answer->ttl * USEC_PER_SEC;
    kept->used = now;
}
