/* The receive queue.
 *
 *   text:  [pkt 1448][pkt 1448][pkt 300+700+20 ...]   in order, unread
 *   ofo:        [pkt seq 5000..6448]  [pkt seq 9000..10448]   after a hole each
 *
 * A packet is kept as it came when at least a quarter of its buffer is text; otherwise
 * the text is copied: behind the last packet, where there is room, else into a small
 * packet. Packets out of order never overlap: what arrives is cut to the part that is
 * new. */
#include "tcp/tcp_rcvq.h"

#include <string.h>

#include "base/bytes.h"

enum { KEEP_PART = 4, COPY_MAX = 512 };

void rcvq_init(struct rcvq *q)
{
    *q = (struct rcvq){ 0 };
}

unsigned rcvq_forget_ofo(struct rcvq *q)
{
    unsigned n = 0;

    for (; q->ofo; n++) {
        struct pkt *p = q->ofo;
        q->ofo = p->next;
        q->held -= p->cap;
        pkt_free(p);
    }
    q->ofo_last = NULL;
    q->ofo_len = 0;
    q->n_recent = 0;
    return n;
}

void rcvq_clear(struct rcvq *q)
{
    pkt_queue_clear(&q->text);
    rcvq_forget_ofo(q);
    q->len = 0;
    q->held = 0;
}

/* Copies as much of [at, at+len) behind p as there is room for; how much. */
static uint32_t fill(struct pkt *p, const uint8_t *at, uint32_t len)
{
    uint32_t n = (uint32_t)min_size(len, pkt_tailroom(p));
    memcpy(pkt_put(p, n), at, n);
    return n;
}

/* Makes p begin and end at seg's text, and takes it from seg. */
static struct pkt *keep(struct tcp_seg *seg)
{
    struct pkt *p = seg->pkt;
    p->data += seg->text - p->data;
    p->len = seg->text_len;
    p->next = NULL;
    seg->pkt = NULL;
    return p;
}

static bool worth_keeping(const struct tcp_seg *seg)
{
    return seg->text_len >= seg->pkt->cap / KEEP_PART;
}

static void push(struct rcvq *q, struct pkt *p)
{
    q->held += p->cap;
    pkt_queue_push(&q->text, p);
}

/* Copies into small packets behind the queue. All or nothing: room is made first. */
static bool append_copy(struct rcvq *q, const struct tcp_seg *seg)
{
    uint32_t done = 0;
    struct pkt_queue fresh = { 0 };
    struct pkt *tail = q->text.tail;
    size_t room = tail ? pkt_tailroom(tail) : 0;

    while (room < seg->text_len) {
        struct pkt *p = pkt_new(seg->pkt->pool, PKT_SMALL - PKT_HEADROOM);
        if (!p) {
            pkt_queue_clear(&fresh);
            return false;
        }
        room += pkt_tailroom(p);
        pkt_queue_push(&fresh, p);
    }
    if (tail)
        done = fill(tail, seg->text, seg->text_len);
    for (struct pkt *p = pkt_queue_pop(&fresh); p; p = pkt_queue_pop(&fresh)) {
        done += fill(p, seg->text + done, seg->text_len - done);
        push(q, p);
    }
    return true;
}

bool rcvq_append(struct rcvq *q, struct tcp_seg *seg)
{
    struct pkt *tail = q->text.tail;
    uint32_t len = seg->text_len;

    if (tail && len <= COPY_MAX && pkt_tailroom(tail) >= len) {
        fill(tail, seg->text, len);
    } else if (worth_keeping(seg)) {
        push(q, keep(seg));
    } else if (!append_copy(q, seg)) {
        return false;
    }
    q->len += len;
    return true;
}

uint32_t rcvq_squeeze(struct rcvq *q, struct tcp_seg *seg)
{
    uint32_t len;

    if (!q->text.tail && seg->pkt->cap == PKT_SMALL) {
        len = seg->text_len;
        push(q, keep(seg));
    } else {
        struct pkt *p = q->text.tail;
        if (!p && !(p = pkt_new(seg->pkt->pool, PKT_SMALL - PKT_HEADROOM)))
            return 0;
        if (!q->text.tail)
            push(q, p);
        len = fill(p, seg->text, seg->text_len);
    }
    q->len += len;
    return len;
}

/* A small packet with the text of p, a large one that holds no more; p if there is
 * none. */
static struct pkt *shrink(struct rcvq *q, struct pkt *p)
{
    struct pkt *small = NULL;

    if (p->cap > PKT_SMALL && p->len <= PKT_SMALL - PKT_HEADROOM)
        small = pkt_new(p->pool, p->len);
    if (!small)
        return p;
    fill(small, p->data, p->len);
    small->next = p->next;
    if (q->text.tail == p)
        q->text.tail = small;
    q->held -= p->cap - small->cap;
    pkt_free(p);
    return small;
}

/* Takes the text of the packet behind p into p, if there is room in all of p. */
static bool merge(struct rcvq *q, struct pkt *p)
{
    struct pkt *next = p->next;

    if (!next || p->len + next->len > p->cap)
        return false;
    memmove(p->buf, p->data, p->len);
    p->data = p->buf;
    fill(p, next->data, next->len);
    p->next = next->next;
    if (q->text.tail == next)
        q->text.tail = p;
    q->text.n--;
    q->held -= next->cap;
    pkt_free(next);
    return true;
}

size_t rcvq_collapse(struct rcvq *q)
{
    size_t freed = 0;

    for (struct pkt **at = &q->text.head; *at; at = &(*at)->next) {
        struct pkt *p = shrink(q, *at);
        freed += p != *at;
        *at = p;
        while (merge(q, p))
            freed++;
    }
    return freed;
}

static struct seq end_of(const struct pkt *p)
{
    return seq_add(p->seq, p->len);
}

/* The packet after which `seq` belongs: the last that begins at or before it; NULL: the
 * front. */
static struct pkt *ofo_before(const struct rcvq *q, struct seq seq)
{
    struct pkt *before = NULL;
    if (q->ofo_last && seq_leq(q->ofo_last->seq, seq))
        return q->ofo_last;
    for (struct pkt *p = q->ofo; p && seq_leq(p->seq, seq); p = p->next)
        before = p;
    return before;
}

static void cut_front(struct tcp_seg *seg, uint32_t n)
{
    seg->seq = seq_add(seg->seq, n);
    seg->text += n;
    seg->text_len -= n;
}

/* Takes p, which follows `before`, out of the list. */
static void ofo_remove(struct rcvq *q, struct pkt *before, struct pkt *p)
{
    if (before)
        before->next = p->next;
    else
        q->ofo = p->next;
    if (q->ofo_last == p)
        q->ofo_last = before;
    q->ofo_len -= p->len;
    q->held -= p->cap;
}

/* Small text that continues p is copied behind it: a stream of one-byte segments beyond
 * a hole costs no more than its bytes, either. */
static bool ofo_continue(struct rcvq *q, struct pkt *p, const struct tcp_seg *seg)
{
    if (!p || p->fin || !seq_eq(end_of(p), seg->seq))
        return false;
    if (seg->text_len > COPY_MAX || pkt_tailroom(p) < seg->text_len)
        return false;
    fill(p, seg->text, seg->text_len);
    p->fin = seg->flags & TCP_FIN;
    q->ofo_len += seg->text_len;
    return true;
}

/* Puts seg's text, which overlaps nothing, behind `before`. */
static bool ofo_put(struct rcvq *q, struct pkt *before, struct tcp_seg *seg)
{
    bool fin = seg->flags & TCP_FIN;
    struct seq seq = seg->seq;
    struct pkt *p;

    if (ofo_continue(q, before, seg))
        return true;
    if (worth_keeping(seg)) {
        p = keep(seg);
    } else {
        p = pkt_new(seg->pkt->pool, seg->text_len);
        if (!p)
            return false;
        fill(p, seg->text, seg->text_len);
    }
    p->seq = seq;
    p->fin = fin;
    p->next = before ? before->next : q->ofo;
    if (before)
        before->next = p;
    else
        q->ofo = p;
    if (!p->next)
        q->ofo_last = p;
    q->ofo_len += p->len;
    q->held += p->cap;
    return true;
}

static bool holds(const struct pkt *p, struct seq seq)
{
    return seq_eq(p->seq, seq) || (seq_lt(p->seq, seq) && seq_lt(seq, end_of(p)));
}

/* Does text at `seq` continue the arrival before it, which lies in `before`? */
static bool continues(const struct rcvq *q, const struct pkt *before, struct seq seq)
{
    return before && q->n_recent > 0 && seq_eq(seq, end_of(before)) &&
           holds(before, q->recent[0]);
}

/* The newest arrival comes first in the SACK option (RFC 2018 s4, MUST-sack-first). One
 * that continues the arrival before it takes its place, so that a long run does not
 * push the others out. */
static void remember(struct rcvq *q, struct seq seq, bool again)
{
    unsigned keep_n = q->n_recent < RCVQ_RECENT ? q->n_recent : RCVQ_RECENT - 1;

    if (!again) {
        memmove(q->recent + 1, q->recent, keep_n * sizeof q->recent[0]);
        q->n_recent = keep_n + 1;
    }
    q->recent[0] = seq;
}

/* Throws the highest text away until what is held fits (RFC 2018 s8, MAY-sack-renege).
 * False: what began at `first` went, too. */
static bool prune(struct rcvq *q, size_t limit, struct seq first)
{
    bool there = true;

    while (q->held > limit && q->ofo) {
        struct pkt *before = NULL, *p = q->ofo;
        while (p->next) {
            before = p;
            p = p->next;
        }
        if (holds(p, first))
            there = false;
        else
            q->given_up++;
        ofo_remove(q, before, p);
        pkt_free(p);
    }
    return there;
}

/* RFC 2883 s4: [from, to) was there already. Only the first such part of a segment is
 * told of, with what touches it (s4 (5)). */
static void note_duplicate(struct range *dup, struct seq from, struct seq to)
{
    if (seq_eq(dup->from, dup->to))
        dup->from = from;
    else if (!seq_eq(dup->to, from))
        return;
    dup->to = to;
}

/* Cuts off seg what the packet before it holds already; the duplicate goes to *dup. */
static void cut_known_front(const struct pkt *before, struct tcp_seg *seg,
                            struct range *dup)
{
    if (!before || seq_leq(end_of(before), seg->seq))
        return;
    uint32_t known = min_u32(seg->text_len, seq_len(seg->seq, end_of(before)));
    *dup = (struct range){ seg->seq, seq_add(seg->seq, known) };
    cut_front(seg, known);
}

/* Packets that seg covers wholly go; one that it reaches into ends it. *dup as
 * above. */
static void cut_known_back(struct rcvq *q, struct pkt *before, struct tcp_seg *seg,
                           struct range *dup)
{
    for (;;) {
        struct pkt *after = before ? before->next : q->ofo;
        struct seq end = seq_add(seg->seq, seg->text_len);
        if (!after || seq_leq(end, after->seq))
            return;
        if (seq_lt(end, end_of(after))) {
            note_duplicate(dup, after->seq, end);
            seg->text_len = seq_len(seg->seq, after->seq);
            seg->flags &= (uint8_t)~TCP_FIN;
            return;
        }
        note_duplicate(dup, after->seq, end_of(after));
        if (after->fin)
            seg->flags |= TCP_FIN;
        ofo_remove(q, before, after);
        pkt_free(after);
    }
}

/* Nothing of seg's text is new, but its FIN may be. */
static bool take_fin_alone(struct pkt *before, const struct tcp_seg *seg)
{
    if (!(seg->flags & TCP_FIN) || before->fin || !seq_eq(seg->seq, end_of(before)))
        return false;
    before->fin = true;
    return true;
}

enum rcvq_result rcvq_insert(struct rcvq *q, struct tcp_seg *seg, size_t limit,
                             struct range *dup)
{
    struct range all = { seg->seq, seq_add(seg->seq, seg->text_len) };
    struct pkt *before = ofo_before(q, seg->seq);

    *dup = (struct range){ all.from, all.from };
    cut_known_front(before, seg, dup);
    cut_known_back(q, before, seg, dup);
    if (seg->text_len == 0 && before && seq_leq(seg->seq, end_of(before))) {
        *dup = all;
        /* RFC 2883 s4 (2): the block that holds the duplicate comes next. */
        if (!seq_eq(all.from, all.to))
            remember(q, all.from, false);
        return take_fin_alone(before, seg) ? RCVQ_KEPT : RCVQ_OLD;
    }
    struct seq first = seg->seq;
    bool again = continues(q, before, all.from);
    if (!ofo_put(q, before, seg) || !prune(q, limit, first))
        return RCVQ_FULL;
    remember(q, all.from, again);
    return RCVQ_KEPT;
}

/* Puts what waited behind the queue. A short piece is copied, as in rcvq_append(): a
 * run of them must not hold a packet each. */
static void push_joined(struct rcvq *q, struct pkt *p)
{
    struct pkt *tail = q->text.tail;

    q->len += p->len;
    if (tail && p->len <= COPY_MAX && pkt_tailroom(tail) >= p->len) {
        fill(tail, p->data, p->len);
        pkt_free(p);
        return;
    }
    p->next = NULL;
    q->held += p->cap;
    pkt_queue_push(&q->text, p);
}

struct seq rcvq_join(struct rcvq *q, struct seq nxt, bool *fin, struct range *dup)
{
    *fin = false;
    *dup = (struct range){ nxt, nxt };
    while (q->ofo && seq_leq(q->ofo->seq, nxt) && !*fin) {
        struct pkt *p = q->ofo;
        uint32_t old = min_u32(p->len, seq_len(p->seq, nxt));
        struct seq end = end_of(p);

        if (old > 0)
            note_duplicate(dup, p->seq, seq_add(p->seq, old));
        ofo_remove(q, NULL, p);
        *fin = p->fin && seq_leq(nxt, end);
        if (seq_leq(end, nxt)) {
            pkt_free(p);
            continue;
        }
        pkt_pull(p, old);
        push_joined(q, p);
        nxt = end;
    }
    if (!q->ofo)
        q->n_recent = 0;
    return nxt;
}

/* Forgets the first n bytes of the first packet. */
static void consume(struct rcvq *q, size_t n)
{
    struct pkt *p = q->text.head;
    pkt_pull(p, n);
    q->len -= (uint32_t)n;
    if (p->len > 0)
        return;
    q->held -= p->cap;
    pkt_free(pkt_queue_pop(&q->text));
}

void rcvq_discard(struct rcvq *q, size_t n)
{
    while (n > 0 && q->text.head) {
        size_t part = min_size(n, q->text.head->len);
        consume(q, part);
        n -= part;
    }
}

/* Copies text from *p's byte *at on into one room; both move on. */
static size_t copy_out(const struct pkt **p, size_t *at, const struct room *to)
{
    size_t done = 0;

    while (*p && done < to->len) {
        size_t n = min_size((*p)->len - *at, to->len - done);
        if (to->at)
            memcpy(to->at + done, (*p)->data + *at, n);
        done += n;
        *at += n;
        if (*at < (*p)->len)
            break;
        *p = (*p)->next;
        *at = 0;
    }
    return done;
}

size_t rcvq_read(struct rcvq *q, const struct room *to, size_t n, bool peek)
{
    const struct pkt *p = q->text.head;
    size_t at = 0, done = 0;

    for (size_t i = 0; i < n && p; i++)
        done += copy_out(&p, &at, &to[i]);
    if (!peek)
        rcvq_discard(q, done);
    return done;
}

/* The run of touching packets that holds `at`; false when nothing does. */
static bool run_around(const struct rcvq *q, struct seq at, struct range *out)
{
    for (const struct pkt *p = q->ofo; p && seq_leq(p->seq, at);) {
        struct range run = { p->seq, end_of(p) };
        for (p = p->next; p && seq_eq(p->seq, run.to); p = p->next)
            run.to = end_of(p);
        if (seq_lt(at, run.to)) {
            *out = run;
            return true;
        }
    }
    return false;
}

static bool listed(const struct range *r, unsigned n, struct seq from)
{
    for (unsigned i = 0; i < n; i++) {
        if (seq_eq(r[i].from, from))
            return true;
    }
    return false;
}

unsigned rcvq_blocks(const struct rcvq *q, struct range *out, unsigned max)
{
    unsigned n = 0;
    for (unsigned i = 0; i < q->n_recent && n < max; i++) {
        struct range run;
        if (run_around(q, q->recent[i], &run) && !listed(out, n, run.from))
            out[n++] = run;
    }
    return n;
}
