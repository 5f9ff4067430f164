/* Drawing the ladder.
 *
 *     0         10                                                                  99
 *       0.000000 |  connect(3, 192.0.2.1:80) = 0                                     |
 *       0.000000 *  CLOSED -> SYN-SENT                                               |
 *       0.000000 |--- S 0:0(0) win 64240 <mss 1460,sackOK> -------------- 20+28+0 -->|
 *       1.000000 |--- S 0:0(0) win 64240 <mss 1460,sackOK> -------- [RTO] 20+28+0 -->|
 *       1.010000 |<-- S. 0:0(0) ack 1 win 65535 <mss 1460> -------------- 20+24+0 ---|
 *       1.010000 |--- . 1:1(0) ack 1 win 502 ---------------- [NetemLoss] 20+20+0 --x|
 *       1.020000 |  x  TcpCsumError: TCP checksum is wrong                           |
 *
 * Each event becomes one row, written at once and never changed afterwards, so that the
 * ladder can be watched as it grows. A row is an array of columns that is filled in:
 * time, the two lifelines, and either an arrow with a label on it or words beside the
 * left lifeline, which is ours. A star on it marks a change of state.
 *
 * The two names on top are those of one connection. When an event belongs to another,
 * the names are drawn again. ARP, ICMP and UDP belong to none: they are words with a
 * small arrow for the direction. Frames that this stack does not speak, such as the
 * kernel's IPv6 noise, are not drawn; --stat counts them.
 *
 * A retransmission is told just before its segments leave: it is kept, and marks every
 * segment of the range that leaves at the same moment. If none does, it gets a row. A
 * frame that the emulator takes is told just before it leaves, too: its arrow ends in
 * an x. Any other drop, of a frame that came or of one that never was, is a row of
 * words. */
#include "edge/ladder.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/drop.h"
#include "net/gso.h"
#include "wire/eth.h"

enum {
    TIME = 10,                 /* columns of the time */
    LEFT = 11,                 /* column of our lifeline */
    RIGHT = 99,                /* column of the peer's */
    SPAN = RIGHT - LEFT - 1,   /* columns between them */
    WORDS = LEFT + 3,          /* where words begin */
    WORDS_MAX = RIGHT - WORDS, /* how many columns they have */
    LABEL_ROOM = 256,          /* a label before it is shortened, NUL included */
};

struct row {
    char at[RIGHT + 2]; /* the columns, and a NUL */
};

/* --- rows ----------------------------------------------------------------------- */

/* Copies n characters into the row; what could upset a terminal becomes '?'. */
static void row_put(struct row *r, size_t column, const char *s, size_t n)
{
    for (size_t i = 0; i < n && column + i <= RIGHT; i++)
        r->at[column + i] = s[i] >= ' ' && s[i] <= '~' ? s[i] : '?';
}

/* Lifelines only where a head says whose they are. */
static void row_init(struct row *r, const struct ladder *l)
{
    memset(r->at, ' ', RIGHT + 1);
    r->at[RIGHT + 1] = '\0';
    if (l->headed)
        r->at[LEFT] = r->at[RIGHT] = '|';
}

/* Seconds, six decimals; after a quarter of an hour the last decimals make room. */
static void row_time(struct row *r, usec at)
{
    char s[40];
    int n = snprintf(s, sizeof s, "%3lld.%06lld", (long long)(at / USEC_PER_SEC),
                     (long long)(at % USEC_PER_SEC));
    row_put(r, 0, s, min_size((size_t)n, TIME));
}

static void row_print(struct row *r, FILE *out)
{
    size_t n = RIGHT + 1;
    while (n > 0 && r->at[n - 1] == ' ')
        n--;
    r->at[n] = '\0';
    fprintf(out, "%s\n", r->at);
}

/* How to read an arrow: its label and its tail stand where arrows have theirs. */
static void put_legend(struct ladder *l)
{
    static const char label[] = "flags first:next(text bytes) ack window <options>";
    static const char tail[] = "IP + TCP header + text";
    static const char flags[] =
        "S SYN, F FIN, R RST, P PSH, . ACK; * new state, x dropped; this host is left";
    struct row r;

    row_init(&r, l);
    row_put(&r, LEFT + 5, label, sizeof label - 1);
    row_put(&r, RIGHT - 4 - (sizeof tail - 1), tail, sizeof tail - 1);
    row_print(&r, l->out);
    row_init(&r, l);
    row_put(&r, LEFT + 5, flags, sizeof flags - 1);
    row_print(&r, l->out);
}

static void row_write(struct row *r, struct ladder *l)
{
    if (!l->explained)
        put_legend(l);
    l->explained = true;
    row_print(r, l->out);
}

/* Cuts s to `room` characters, the last of which say that something is missing. */
static void shorten(char *s, size_t room)
{
    if (strlen(s) > room)
        memcpy(s + room - 3, "...", 4);
}

/* A row of words beside our lifeline, whose column shows `mark`. */
static void put_words(struct ladder *l, usec at, char mark, char *words)
{
    struct row r;

    row_init(&r, l);
    row_time(&r, at);
    if (mark != '|' || l->headed)
        r.at[LEFT] = mark;
    shorten(words, WORDS_MAX);
    row_put(&r, WORDS, words, strlen(words));
    row_write(&r, l);
}

/* --- connections ---------------------------------------------------------------- */

static bool tuple_eq(const struct trace_tuple *a, const struct trace_tuple *b)
{
    return a->local_port == b->local_port && a->remote_port == b->remote_port &&
           memcmp(a->local, b->local, sizeof a->local) == 0 &&
           memcmp(a->remote, b->remote, sizeof a->remote) == 0;
}

static struct ladder_flow *find_flow(struct ladder *l, const struct trace_tuple *tuple)
{
    struct ladder_flow *oldest = &l->flow[0];

    for (size_t i = 0; i < LADDER_FLOWS; i++) {
        struct ladder_flow *f = &l->flow[i];
        if (f->used > 0 && tuple_eq(&f->tuple, tuple)) {
            f->used = l->events;
            return f;
        }
        if (f->used < oldest->used)
            oldest = f;
    }
    *oldest = (struct ladder_flow){ .tuple = *tuple, .used = l->events };
    return oldest;
}

static void print_end(struct text *t, const uint8_t addr[16], uint16_t port)
{
    struct ip_addr a;
    memcpy(a.b, addr, sizeof a.b);
    ip_print(t, a);
    text_char(t, ':');
    text_u64(t, port);
}

/* Draws the names of tuple's two ends, unless they stand there. */
static void put_head(struct ladder *l, const struct trace_tuple *tuple)
{
    char name[ADDR_TEXT + 8];
    struct text t;
    struct row r;

    if (l->headed && tuple_eq(&l->head, tuple))
        return;
    l->headed = false;
    row_init(&r, l);
    row_put(&r, TIME - 4, "time", 4);
    text_init(&t, name, sizeof name);
    print_end(&t, tuple->local, tuple->local_port);
    row_put(&r, LEFT, name, t.len);
    text_init(&t, name, sizeof name);
    print_end(&t, tuple->remote, tuple->remote_port);
    row_put(&r, RIGHT + 1 - t.len, name, t.len);
    row_write(&r, l);
    l->headed = true;
    l->head = *tuple;
}

/* --- segments ------------------------------------------------------------------- */

/* The connection of a segment, from our side. */
static void tuple_of(const struct dump_info *info, bool out, struct trace_tuple *tuple)
{
    const struct ip_addr *local = out ? &info->src : &info->dst;
    const struct ip_addr *remote = out ? &info->dst : &info->src;

    memset(tuple, 0, sizeof *tuple);
    memcpy(tuple->local, local->b, sizeof tuple->local);
    memcpy(tuple->remote, remote->b, sizeof tuple->remote);
    tuple->local_port = out ? info->seg.src_port : info->seg.dst_port;
    tuple->remote_port = out ? info->seg.dst_port : info->seg.src_port;
}

/* Learns where the sender's numbers begin: at its SYN. Without one (it was before our
 * time) the first text is number 1, as it would be behind a SYN. An RST for nobody has
 * made-up numbers that begin nothing. */
static void learn_base(const struct tcp_seg *seg, struct seq *base, bool *known)
{
    if (seg->flags & TCP_SYN)
        *base = seg->seq;
    else if (!*known)
        *base = seg->flags & TCP_RST ? seg->seq : seq_sub(seg->seq, 1);
    *known = *known || !(seg->flags & TCP_RST);
}

/* What the peer's number must be, seen from an acknowledgment of it. */
static void learn_acked(const struct tcp_seg *seg, struct seq *base, bool *known)
{
    if (*known || !(seg->flags & TCP_ACK) || (seg->flags & TCP_RST))
        return;
    *base = seq_sub(seg->ack, 1);
    *known = true;
}

static void learn_timestamp(const struct tcp_seg *seg, uint32_t *base, bool *known)
{
    if (!seg->opts.has_ts || *known)
        return;
    *base = seg->opts.ts_val;
    *known = true;
}

/* A SYN alone begins a connection; the same ports may have had another before. */
static void learn(struct ladder_flow *f, const struct tcp_seg *seg, bool out)
{
    bool fresh = (seg->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
    struct seq mine = out ? f->local_base : f->remote_base;
    bool known = out ? f->local_known : f->remote_known;

    if (fresh && known && !seq_eq(mine, seg->seq))
        *f = (struct ladder_flow){ .tuple = f->tuple, .used = f->used };
    if (out) {
        learn_base(seg, &f->local_base, &f->local_known);
        learn_acked(seg, &f->remote_base, &f->remote_known);
        learn_timestamp(seg, &f->local_ts, &f->local_ts_known);
    } else {
        learn_base(seg, &f->remote_base, &f->remote_known);
        learn_acked(seg, &f->local_base, &f->local_known);
        learn_timestamp(seg, &f->remote_ts, &f->remote_ts_known);
    }
}

/* "TS val 1 ecr 2" becomes "TS": the first thing to go from a label that is
 * too long. */
static void drop_timestamp_values(char *label)
{
    char *ts = strstr(label, "TS val ");
    if (!ts)
        return;
    char *end = ts + strcspn(ts, ",>");
    memmove(ts + 2, end, strlen(end) + 1);
}

/* Why a segment of ours is a retransmission, or NULL. */
static const char *rexmit_reason(struct ladder *l, const struct trace_tuple *tuple,
                                 struct seq seq)
{
    struct ladder_rexmit *x = &l->rexmit;

    if (!x->waiting || !tuple_eq(&x->event.tuple, tuple))
        return NULL;
    if (!seq_within(seq, seq_at(x->event.seq), max_u32(x->event.len, 1)))
        return NULL;
    x->marked = true;
    return x->event.why;
}

/* The segment in packetdrill's notation, all numbers relative. */
static void print_label(struct text *t, const struct ladder_flow *f,
                        const struct tcp_seg *seg, bool out)
{
    struct tcp_seg s = *seg;

    s.opts.ts_val -= out ? f->local_ts : f->remote_ts;
    if (s.flags & TCP_ACK)
        s.opts.ts_ecr -= out ? f->remote_ts : f->local_ts;
    if (out)
        tcp_print(t, &s, f->local_base, f->remote_base);
    else
        tcp_print(t, &s, f->remote_base, f->local_base);
}

/* Why the frame that leaves now never arrives, or NULL. */
static const char *lost_reason(const struct ladder *l)
{
    return l->lost.waiting ? l->lost.event.name : NULL;
}

/* Why this segment is unusual; nothing for NULL. */
static void print_tag(struct text *t, const char *why)
{
    if (!why)
        return;
    text_char(t, '[');
    text_put(t, why);
    text_put(t, "] ");
}

/* "20+32+1448": IP header, TCP header, text. */
static void print_sizes(struct text *t, const struct dump_info *info)
{
    text_u64(t, info->ip_header_len);
    text_char(t, '+');
    text_u64(t, info->tcp_header_len);
    text_char(t, '+');
    text_u64(t, info->seg.text_len);
}

/* An arrow as long as the space between the lifelines. On it are a label, which is
 * shortened to what fits, and at its right end a tail, which is not. */
static void put_arrow(struct ladder *l, usec at, bool out, char *label,
                      const char *tail)
{
    size_t n_tail = strlen(tail);
    size_t room = SPAN - 4 - 3 - n_tail - 5;
    struct row r;

    row_init(&r, l);
    row_time(&r, at);
    memset(r.at + LEFT + 1, '-', SPAN);
    if (out)
        r.at[RIGHT - 1] = l->lost.waiting ? 'x' : '>';
    else
        r.at[LEFT + 1] = '<';
    if (strlen(label) > room)
        drop_timestamp_values(label);
    shorten(label, room);
    size_t n = strlen(label);
    row_put(&r, LEFT + 4, " ", 1);
    row_put(&r, LEFT + 5, label, n);
    row_put(&r, LEFT + 5 + n, " ", 1);
    row_put(&r, RIGHT - 5 - n_tail, " ", 1);
    row_put(&r, RIGHT - 4 - n_tail, tail, n_tail);
    row_put(&r, RIGHT - 4, " ", 1);
    row_write(&r, l);
}

static void put_segment(struct ladder *l, usec at, bool out,
                        const struct dump_info *info)
{
    char label[LABEL_ROOM], tail[72];
    struct trace_tuple tuple;
    struct text t;

    tuple_of(info, out, &tuple);
    struct ladder_flow *f = find_flow(l, &tuple);
    learn(f, &info->seg, out);
    put_head(l, &tuple);

    text_init(&t, label, sizeof label);
    print_label(&t, f, &info->seg, out);
    const char *why = out ? rexmit_reason(l, &tuple, info->seg.seq) : NULL;
    text_init(&t, tail, sizeof tail);
    print_tag(&t, why);
    print_tag(&t, out ? lost_reason(l) : NULL);
    print_sizes(&t, info);
    put_arrow(l, at, out, label, tail);
}

/* --- events --------------------------------------------------------------------- */

/* ARP, ICMP, UDP, and what is malformed. */
static void put_plain(struct ladder *l, usec at, bool out, const struct pkt *p)
{
    char words[LABEL_ROOM];
    struct text t;

    text_init(&t, words, sizeof words);
    text_put(&t, !out ? "<-- " : l->lost.waiting ? "--x " : "--> ");
    if (out)
        print_tag(&t, lost_reason(l));
    dump_frame(&t, p->data, p->len);
    put_words(l, at, '|', words);
}

/* A contiguous wire frame. */
static void put_frame(struct ladder *l, usec at, bool out, const struct pkt *p)
{
    struct dump_info info;
    struct eth eth;

    dump_look(p->data, p->len, &info);
    if (info.is_tcp)
        put_segment(l, at, out, &info);
    else if (eth_parse(p->data, p->len, &eth) &&
             (eth.type == ETH_ARP || eth.type == ETH_IP4))
        put_plain(l, at, out, p);
}

static void frame_event(struct ladder *l, usec at, bool out, const struct pkt *p)
{
    if (p->gso_size == 0 && p->n_text == 0) {
        put_frame(l, at, out, p);
    } else {
        struct gso g;
        gso_begin(&g, p);
        while (gso_next(&g, l->scratch))
            put_frame(l, at, out, l->scratch);
    }
    if (out)
        l->lost.waiting = false;
}

static void state_event(struct ladder *l, usec at, const struct trace_state *state)
{
    char words[LABEL_ROOM];
    struct text t;

    text_init(&t, words, sizeof words);
    text_put(&t, state->from);
    text_put(&t, " -> ");
    text_put(&t, state->to);
    if (state->tuple.remote_port != 0) {
        put_head(l, &state->tuple);
    } else { /* a listener: no peer yet, so no lifelines of its own */
        text_put(&t, ", ");
        print_end(&t, state->tuple.local, state->tuple.local_port);
    }
    put_words(l, at, '*', words);
}

static void call_event(struct ladder *l, usec at, const struct trace_call *call)
{
    char result[96], words[LABEL_ROOM];
    const char *name = strerrorname_np(call->error);
    struct text t;

    if (call->result < 0 && name)
        snprintf(result, sizeof result, " = -1 %s (%s)", name,
                 strerrordesc_np(call->error));
    else
        snprintf(result, sizeof result, " = %lld", (long long)call->result);
    text_init(&t, words, sizeof words);
    text_put(&t, call->text);
    shorten(words, WORDS_MAX - min_size(strlen(result), WORDS_MAX / 2));
    t.len = strlen(words);
    text_put(&t, result);
    put_words(l, at, '|', words);
}

static void put_drop(struct ladder *l, usec at, const struct trace_drop *drop)
{
    char words[LABEL_ROOM];

    snprintf(words, sizeof words, "x  %s: %s", drop->name,
             drop_text((enum drop)drop->reason));
    put_words(l, at, '|', words);
}

/* The frame that should have followed did not: the drop gets a row. */
static void end_lost(struct ladder *l)
{
    if (l->lost.waiting)
        put_drop(l, l->lost.at, &l->lost.event);
    l->lost.waiting = false;
}

static void drop_event(struct ladder *l, usec at, const struct trace_drop *drop)
{
    if (drop->reason == DROP_ETH_IPV6 || drop->reason == DROP_ETH_TYPE)
        return;
    if (drop->leaving)
        l->lost = (struct ladder_lost){ .waiting = true, .at = at, .event = *drop };
    else
        put_drop(l, at, drop);
}

static void note_event(struct ladder *l, usec at, const struct trace_note *note)
{
    char words[LABEL_ROOM];

    snprintf(words, sizeof words, "%s", note->text);
    put_words(l, at, '|', words);
}

/* Forgets a retransmission whose moment is over; one that marked nothing gets a row. */
static void end_rexmit(struct ladder *l)
{
    char words[LABEL_ROOM];
    struct ladder_rexmit *x = &l->rexmit;

    if (x->waiting && !x->marked) {
        const struct ladder_flow *f = find_flow(l, &x->event.tuple);
        put_head(l, &x->event.tuple);
        uint32_t from = seq_len(f->local_base, seq_at(x->event.seq));
        snprintf(words, sizeof words, "retransmit %u:%u(%u) [%s]", from,
                 from + x->event.len, x->event.len, x->event.why);
        put_words(l, x->at, '|', words);
    }
    x->waiting = false;
}

static void rexmit_event(struct ladder *l, usec at, const struct trace_rexmit *event)
{
    end_rexmit(l);
    l->rexmit = (struct ladder_rexmit){ .waiting = true, .at = at, .event = *event };
}

int ladder_init(struct ladder *l, FILE *out)
{
    *l = (struct ladder){ .out = out };
    pkt_pool_init(&l->pool, PKT_LARGE, 0);
    l->scratch = pkt_new(&l->pool, PKT_LARGE - PKT_HEADROOM);
    return l->scratch ? 0 : -ENOMEM;
}

void ladder_event(struct ladder *l, const struct trace_event *event)
{
    usec at = event->at;

    l->events++;
    if (at > l->rexmit.at)
        end_rexmit(l);
    if (at > l->lost.at || event->kind != TRACE_FRAME_OUT)
        end_lost(l);
    switch (event->kind) {
    case TRACE_FRAME_IN:
    case TRACE_FRAME_OUT:
        frame_event(l, at, event->kind == TRACE_FRAME_OUT, event->u.frame.pkt);
        break;
    case TRACE_DROP:
        drop_event(l, at, &event->u.drop);
        break;
    case TRACE_STATE:
        state_event(l, at, &event->u.state);
        break;
    case TRACE_CALL:
        call_event(l, at, &event->u.call);
        break;
    case TRACE_REXMIT:
        rexmit_event(l, at, &event->u.rexmit);
        break;
    case TRACE_NOTE:
        note_event(l, at, &event->u.note);
        break;
    case TRACE_CWND:
        break; /* a figure for plots; the segments show its effect */
    }
}

void ladder_free(struct ladder *l)
{
    end_rexmit(l);
    end_lost(l);
    fflush(l->out);
    pkt_free(l->scratch);
    l->scratch = NULL;
    pkt_pool_free(&l->pool);
}
