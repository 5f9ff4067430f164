/* The record of what was sent: a list of ranges, oldest first.
 *
 *     SND.UNA                                                SND.NXT
 *        |  flying   | sacked |   lost    | sacked |  flying   |
 *
 * Acknowledgments eat it from the front, new text grows it at the end, SACK blocks turn
 * records in the middle. The sum of each state's lengths is kept, so that "how much is
 * in flight" (RFC 6675's pipe) costs nothing. Most SACK blocks tell of the newest text,
 * so they are looked up from the end.
 *
 * Records come from a pool that all connections of a stack share. */
#include "tcp/tcp_sent.h"

enum { MERGE_MAX = 1 << 20 }; /* a record that is longer does not grow, bytes */

static struct sent *sent_of(struct list *node)
{
    return list_entry(node, struct sent, node);
}

static uint32_t sent_len(const struct sent *s)
{
    return seq_len(s->from, s->to);
}

static struct sent *record_new(struct slab_pool *pool)
{
    struct sent *s = slab_new(pool);
    if (s)
        list_init(&s->node);
    return s;
}

static void record_free(struct sent_list *l, struct sent *s)
{
    l->bytes[s->state] -= sent_len(s);
    list_del(&s->node);
    slab_free(l->pool, s);
}

void sent_init(struct sent_list *l, struct slab_pool *pool)
{
    *l = (struct sent_list){ .pool = pool };
    list_init(&l->all);
}

void sent_clear(struct sent_list *l)
{
    while (!list_empty(&l->all))
        record_free(l, sent_of(l->all.next));
}

bool sent_reserve(struct sent_list *l)
{
    return slab_reserve(l->pool, 2);
}

static void set_state(struct sent_list *l, struct sent *s, enum sent_state state)
{
    l->bytes[s->state] -= sent_len(s);
    l->bytes[state] += sent_len(s);
    s->state = state;
}

/* Cuts s at `at`, which lies inside it; the second part follows it in the list. False:
 * no memory, s stays whole. */
static bool split(struct sent_list *l, struct sent *s, struct seq at)
{
    struct sent *rest = record_new(l->pool);
    if (!rest)
        return false;
    *rest = *s;
    list_init(&rest->node);
    list_add_head(&s->node, &rest->node);
    rest->from = at;
    s->to = at;
    s->push = false;
    return true;
}

bool sent_add(struct sent_list *l, struct seq from, struct seq to, usec now)
{
    if (!list_empty(&l->all)) {
        struct sent *last = sent_of(l->all.prev);
        if (last->at == now && last->tries == 1 && last->state == SENT_FLYING &&
            !last->push && sent_len(last) < MERGE_MAX) {
            last->to = to;
            l->bytes[SENT_FLYING] += seq_len(from, to);
            return true;
        }
    }
    struct sent *s = record_new(l->pool);
    if (!s)
        return false;
    s->from = from;
    s->to = to;
    s->at = now;
    s->tries = 1;
    s->push = false;
    s->state = SENT_FLYING;
    l->bytes[SENT_FLYING] += seq_len(from, to);
    list_add_tail(&l->all, &s->node);
    return true;
}

void sent_push(struct sent_list *l)
{
    if (!list_empty(&l->all))
        sent_of(l->all.prev)->push = true;
}

/* s was delivered; `len` of it are told of for the first time. */
static void tell(const struct sent *s, uint32_t len, struct sent_news *news)
{
    if (s->state == SENT_SACKED)
        return;
    news->delivered += len;
    if (s->tries == 1) {
        news->sent_at = usec_min(news->sent_at, s->at);
        return;
    }
    news->resent_at = news->resent ? usec_max(news->resent_at, s->at) : s->at;
    news->resent = true;
}

void sent_ack(struct sent_list *l, struct seq una, struct sent_news *news)
{
    while (!list_empty(&l->all)) {
        struct sent *s = sent_of(l->all.next);
        if (seq_leq(una, s->from))
            return;
        if (seq_lt(una, s->to)) {
            tell(s, seq_len(s->from, una), news);
            l->bytes[s->state] -= seq_len(s->from, una);
            s->from = una;
            return;
        }
        tell(s, sent_len(s), news);
        record_free(l, s);
    }
}

/* RFC 6675 s4 (SHLD-rec-scoreboard): Update(). */
void sent_sack(struct sent_list *l, struct seq from, struct seq to,
               struct sent_news *news)
{
    struct list *before;
    for (struct list *at = l->all.prev; at != &l->all; at = before) {
        struct sent *s = sent_of(at);
        before = at->prev;
        if (seq_leq(s->to, from))
            return;
        if (seq_leq(to, s->from) || s->state == SENT_SACKED)
            continue;
        if (seq_lt(to, s->to) && !split(l, s, to))
            continue;
        if (seq_lt(s->from, from)) {
            if (!split(l, s, from))
                continue;
            s = sent_of(s->node.next);
        }
        tell(s, sent_len(s), news);
        news->sacked = true;
        set_state(l, s, SENT_SACKED);
    }
}

bool sent_mark_lost(struct sent_list *l, uint32_t bytes, unsigned blocks)
{
    uint32_t sacked = 0;
    unsigned runs = 0;
    bool in_run = false, marked = false;

    for (struct list *at = l->all.prev; at != &l->all; at = at->prev) {
        struct sent *s = sent_of(at);
        if (s->state == SENT_SACKED) {
            sacked += sent_len(s);
            runs += !in_run;
            in_run = true;
            continue;
        }
        in_run = false;
        /* RFC 6675 s5 (C.2) (MUST-rec-once): what was sent twice waits for the timer.
         */
        if (s->state == SENT_FLYING && s->tries == 1 &&
            (sacked > bytes || runs >= blocks)) {
            set_state(l, s, SENT_LOST);
            marked = true;
        }
    }
    return marked;
}

/* The first `len` of s are lost. */
static void lose(struct sent_list *l, struct sent *s, uint32_t len)
{
    if (len < sent_len(s) && !split(l, s, seq_add(s->from, len)))
        return;
    set_state(l, s, SENT_LOST);
}

void sent_mark_head_lost(struct sent_list *l, uint32_t len)
{
    if (list_empty(&l->all))
        return;
    struct sent *s = sent_of(l->all.next);
    if (s->state == SENT_FLYING)
        lose(l, s, len);
}

static struct sent *last_flying(const struct sent_list *l)
{
    for (struct list *at = l->all.prev; at != &l->all; at = at->prev)
        if (sent_of(at)->state == SENT_FLYING)
            return sent_of(at);
    return NULL;
}

const struct sent *sent_last_flying(const struct sent_list *l)
{
    return last_flying(l);
}

void sent_mark_tail_lost(struct sent_list *l, uint32_t len)
{
    struct sent *s = last_flying(l);
    if (!s)
        return;
    if (len < sent_len(s) && split(l, s, seq_sub(s->to, len)))
        s = sent_of(s->node.next);
    set_state(l, s, SENT_LOST);
}

void sent_mark_hole_lost(struct sent_list *l, uint32_t len)
{
    struct sent *hole = NULL;
    list_each (at, &l->all) {
        struct sent *s = sent_of(at);
        if (s->state == SENT_FLYING && s->tries == 1 && !hole)
            hole = s;
        if (s->state == SENT_SACKED && hole) {
            lose(l, hole, len);
            return;
        }
    }
}

void sent_mark_all_lost(struct sent_list *l)
{
    /* RFC 2018 s5 (MUST-sack-left): a peer that holds the left edge acknowledges it,
     * unless it threw it away. Deviates from s5 (SHLD-sack-forget) and s5.1
     * (MUST-sack-ignore): with this test, as RFC 6675 s5.1 discusses and Linux does,
     * what is sacked beyond a hole is not sent again. */
    bool reneged = !list_empty(&l->all) && sent_of(l->all.next)->state == SENT_SACKED;
    list_each (at, &l->all) {
        struct sent *s = sent_of(at);
        if (s->state == SENT_FLYING || reneged)
            set_state(l, s, SENT_LOST);
    }
}

bool sent_mark_larger_lost(struct sent_list *l, uint32_t size)
{
    bool marked = false;

    list_each (at, &l->all) {
        struct sent *s = sent_of(at);
        if (s->state != SENT_FLYING || sent_len(s) <= size)
            continue;
        set_state(l, s, SENT_LOST);
        marked = true;
    }
    return marked;
}

const struct sent *sent_first_lost(const struct sent_list *l)
{
    if (l->bytes[SENT_LOST] == 0)
        return NULL;
    list_each (at, &l->all) {
        const struct sent *s = sent_of(at);
        if (s->state == SENT_LOST)
            return s;
    }
    return NULL;
}

const struct sent *sent_head(const struct sent_list *l)
{
    return list_empty(&l->all) ? NULL : sent_of(l->all.next);
}

void sent_again(struct sent_list *l, struct seq from, struct seq to, usec now)
{
    list_each (at, &l->all) {
        struct sent *s = sent_of(at);
        if (!seq_eq(s->from, from))
            continue;
        if (seq_lt(to, s->to) && !split(l, s, to))
            to = s->to; /* no memory: as if all of it had been sent; the timer mends it
                         */
        s->at = now;
        s->tries++;
        set_state(l, s, SENT_FLYING);
        return;
    }
}

struct seq sent_high_sacked(const struct sent_list *l, struct seq una)
{
    for (struct list *at = l->all.prev; at != &l->all; at = at->prev) {
        if (sent_of(at)->state == SENT_SACKED)
            return sent_of(at)->to;
    }
    return una;
}
