/* TCP Fast Open (RFC 7413), both sides.
 *
 * Client: the first SYN to a server asks for a cookie; the SYN-ACK brings it, and it is
 * remembered with the server's MSS. From then on a SYN shows the cookie and has text.
 *
 *     SYN <FO>            ──►                   SYN <FO cookie> 0:n(n)  ──►
 *                         ◄── SYN-ACK <FO cookie>                       ◄── SYN-ACK
 *                                                                           ack n+1
 * Whatever the SYN-ACK leaves unacknowledged leaves at once, as any text. A SYN that is
 * repeated has neither text nor option, for a box on the way may not like them; after
 * two such losses in a row a server gets plain SYNs for some minutes.
 *
 * On the record of what was sent such a SYN is one range, [ISS, ISS + 1 + n).
 *
 * Server: a cookie is a keyed hash of both addresses, so nothing is remembered of
 * clients. A SYN with a good one makes a connection at once (a "child"), in
 * SYN-RECEIVED, which waits in the accept queue and may be read and written; its
 * SYN-ACK is sent by its own output. How many children a listener may have is
 * TCP_FASTOPEN's number: until a client answers it may be nobody (s5.1). */
#include "tcp/tcp_fastopen.h"

#include <string.h>

#include "base/bytes.h"
#include "tcp/tcb.h"

enum {
    COOKIE_LEN = 8, /* of ours */
    LOST_MAX = 2,   /* losses in a row from which on ... */
};

#define LOST_PAUSE \
    (60 * USEC_PER_SEC) /* ... so long, doubled with each, no text goes */

/* --- keys and cookies ----------------------------------------------------------- */

static uint64_t get64le(const uint8_t *b)
{
    uint64_t n = 0;
    for (int i = 7; i >= 0; i--)
        n = n << 8 | b[i];
    return n;
}

static void put64le(uint8_t *b, uint64_t n)
{
    for (int i = 0; i < 8; i++)
        b[i] = (uint8_t)(n >> 8 * i);
}

bool tcp_fastopen_read_keys(struct tcp_fastopen_keys *k, const void *bytes, size_t len)
{
    const uint8_t *b = bytes;

    if (len != FASTOPEN_KEY_LEN && len != (size_t)FASTOPEN_KEY_LEN * FASTOPEN_KEYS)
        return false;
    *k = (struct tcp_fastopen_keys){ .n = (uint8_t)(len / FASTOPEN_KEY_LEN) };
    for (uint8_t i = 0; i < k->n; i++, b += FASTOPEN_KEY_LEN) {
        k->key[i].k[0] = get64le(b);
        k->key[i].k[1] = get64le(b + 8);
    }
    return true;
}

size_t tcp_fastopen_write_keys(const struct tcp_fastopen_keys *k, uint8_t *bytes)
{
    for (uint8_t i = 0; i < k->n; i++) {
        put64le(bytes + i * FASTOPEN_KEY_LEN, k->key[i].k[0]);
        put64le(bytes + i * FASTOPEN_KEY_LEN + 8, k->key[i].k[1]);
    }
    return (size_t)k->n * FASTOPEN_KEY_LEN;
}

/* The listener's own keys, or the tunable's, or one that the stack's secret makes. */
static struct tcp_fastopen_keys keys_of(const struct tcp_listener *l)
{
    const struct tcp *tcp = l->tcp;
    struct tcp_fastopen_keys made = { .n = 1, .key = { tcp->net->secret } };

    made.key[0].k[0] ^= 4; /* neither that of sequence numbers nor of SYN cookies */
    if (l->options.fastopen_keys.n)
        return l->options.fastopen_keys;
    return tcp->config.fastopen_keys.n ? tcp->config.fastopen_keys : made;
}

/* RFC 7413 s4.1.2: of the client's address, and of ours, so that one
 * key can serve many hosts. As Linux makes it: hosts behind one name may be both. */
static struct tcp_fastopen_opt make_cookie(const struct siphash_key *key,
                                           const struct tcp_slot *slot)
{
    struct tcp_fastopen_opt c = { .there = true, .len = COOKIE_LEN };
    uint8_t b[4 + 4];

    put32(b, ip4_num(slot->remote));
    put32(b + 4, ip4_num(slot->local));
    put64le(c.b, siphash(key, b, sizeof b));
    return c;
}

static bool same_cookie(const struct tcp_fastopen_opt *a,
                        const struct tcp_fastopen_opt *b)
{
    return a->len == b->len && memcmp(a->b, b->b, a->len) == 0;
}

/* --- what is remembered of servers ----------------------------------------------- */

static struct tcp_fastopen_server *find(struct tcp *tcp, struct ip_addr addr)
{
    for (size_t i = 0; i < FASTOPEN_SERVERS; i++)
        if (ip_eq(tcp->fastopen.server[i].addr, addr))
            return &tcp->fastopen.server[i];
    return NULL;
}

/* Its place, or the one that was not used for longest. */
static struct tcp_fastopen_server *remember(struct tcp *tcp, struct ip_addr addr)
{
    struct tcp_fastopen_server *s = find(tcp, addr), *at = tcp->fastopen.server;

    if (s)
        return s;
    for (s = at; at < tcp->fastopen.server + FASTOPEN_SERVERS; at++)
        if (at->used < s->used)
            s = at;
    *s = (struct tcp_fastopen_server){ .addr = addr, .used = tcp->net->now };
    return s;
}

/* RFC 7413 s4.1.3.1. */
static bool swallows_text(const struct tcp *tcp, const struct tcp_fastopen_server *s)
{
    if (s->lost < LOST_MAX)
        return false;
    return tcp->net->now - s->lost_at < LOST_PAUSE << min_u32(s->lost, 16);
}

static void note_lost(struct tcp *tcp, struct tcp_fastopen_server *s)
{
    s->lost_at = tcp->net->now;
    if (s->lost < UINT8_MAX)
        s->lost++;
}

/* --- client ---------------------------------------------------------------------- */

/* How much text a SYN has room for: RFC 7413 s4.2.1. All 40 bytes of options are left
 * free, for whoever adds some on the way, and what IP's take. */
static uint32_t syn_room(const struct tcb *tcb)
{
    uint32_t mss = tcb->snd.mss, options = TCP_OPTIONS_MAX + tcb->opt.ip.n_list;

    if (tcb->fast.mss)
        mss = min_u32(mss, tcb->fast.mss);
    return mss > options ? mss - options : 0;
}

void tcp_fastopen_begin(struct tcb *tcb, bool wait)
{
    struct tcp *tcp = tcb->tcp;
    struct tcp_fastopen_server *s = find(tcp, tcb->slot.remote);
    bool bare = tcb->opt.fastopen_no_cookie ||
                (tcp->config.fastopen & FASTOPEN_CLIENT_NO_COOKIE);

    tcb->fast.opt = (struct tcp_fastopen_opt){ .there = !bare };
    tcb->fast.text_ok = bare;
    if (s) {
        s->used = tcp->net->now;
        tcb->fast.mss = s->mss;
    }
    if (s && swallows_text(tcp, s)) {
        tcb->fast.opt.there = tcb->fast.text_ok = false;
    } else if (s && !bare) {
        tcb->fast.opt.exp = s->exp == 1;
        if (s->cookie.there)
            tcb->fast.opt = s->cookie;
        tcb->fast.text_ok = s->cookie.there;
    }
    tcb->fast.waits = wait && tcb->fast.text_ok;
}

bool tcp_fastopen_waits(const struct tcb *tcb)
{
    return tcb->fast.waits && tcb->state == TCPS_SYN_SENT;
}

size_t tcp_fastopen_send(struct tcb *tcb, const struct piece *text, size_t n,
                         bool stays)
{
    size_t room = tcb->fast.text_ok ? syn_room(tcb) : 0, done = 0, all = 0;

    for (size_t i = 0; i < n; i++) {
        size_t part = min_size(text[i].len, room - done);
        done += ring_write(&tcb->snd.buf, text[i].at, part);
        all += text[i].len;
    }
    if (done > 0 && done == all)
        push_mark(&tcb->snd.push, snd_end(tcb));
    tcb->fast.text = (uint16_t)done;
    tcb->fast.waits = false;
    tcb->fast.more = stays && done < all;
    tcb->stalled = tcb->tcp->net->now;
    tcp_mem_update(tcb);
    tcp_dirty(tcb);
    return done;
}

/* What the SYN-ACK says of the server. */
static void learn(struct tcb *tcb, const struct tcp_seg *seg, bool unacked)
{
    struct tcp_fastopen_server *s = remember(tcb->tcp, tcb->slot.remote);
    const struct tcp_fastopen_opt *got = &seg->opts.fastopen;
    bool cookie = got->there && got->len > 0 && tcb->fast.opt.there;
    uint8_t exp = tcb->fast.opt.exp ? 2 : 1;

    if (seg->opts.has_mss)
        s->mss = seg->opts.mss;
    if (cookie)
        s->cookie = *got;
    if (tcb->syn_resent && unacked && !cookie) {
        note_lost(tcb->tcp, s);
        return;
    }
    s->lost = 0;
    /* It was asked for one and gave none: perhaps it is asked in the wrong form. */
    bool refused = !tcb->syn_resent && !cookie && tcb->fast.opt.there &&
                   tcb->fast.text == 0 && !s->cookie.there;
    if (refused && exp > s->exp)
        s->exp = exp;
}

void tcp_fastopen_take_syn_ack(struct tcb *tcb, const struct tcp_seg *seg)
{
    struct counters *c = &tcb->tcp->net->count;
    bool unacked = seq_lt(tcb->snd.una, tcb->snd.nxt);

    if (tcb->fast.opt.there || tcb->fast.text > 0)
        learn(tcb, seg, unacked);
    if (unacked) { /* RFC 7413 s4.2.1: it leaves now */
        sent_mark_all_lost(&tcb->sent);
        count(c, COUNT_TcpExtTCPFastOpenActiveFail);
    } else if (tcb->fast.text > 0) {
        tcb->fast.taken = true;
        count(c, COUNT_TcpExtTCPFastOpenActive);
    }
}

void tcp_fastopen_unanswered(struct tcb *tcb)
{
    if (tcb->state == TCPS_SYN_SENT && tcb->fast.text > 0)
        note_lost(tcb->tcp, remember(tcb->tcp, tcb->slot.remote));
}

/* --- server ---------------------------------------------------------------------- */

/* RFC 7413 s5.1: is there room for one more that may be nobody? */
static bool room_for_child(const struct tcp_listener *l)
{
    uint32_t n = 0;

    list_each (at, &l->children)
        n++;
    if (n < l->options.fastopen)
        return true;
    if (l->options.fastopen > 0)
        count(&l->tcp->net->count, COUNT_TcpExtTCPFastOpenListenOverflow);
    return false;
}

/* Is it one of ours? *answer becomes the one to give: none, if that was made with the
 * newest key. */
static bool good_cookie(const struct tcp_listener *l, const struct tcp_half_open *h,
                        const struct tcp_fastopen_opt *shown,
                        struct tcp_fastopen_opt *answer)
{
    struct tcp_fastopen_keys keys = keys_of(l);

    *answer = make_cookie(&keys.key[0], &h->slot);
    answer->exp = shown->exp;
    for (uint8_t i = 0; i < keys.n; i++) {
        const struct tcp_fastopen_opt ours = make_cookie(&keys.key[i], &h->slot);
        if (same_cookie(&ours, shown)) {
            answer->there = i > 0;
            return true;
        }
    }
    return false;
}

bool tcp_fastopen_admits(struct tcp_half_open *h, const struct tcp_seg *syn)
{
    const struct tcp_listener *l = h->listener;
    struct counters *c = &l->tcp->net->count;
    const struct tcp_fastopen_opt shown = syn->opts.fastopen;
    uint32_t config = l->tcp->config.fastopen;

    h->opts.fastopen.there = false;
    if (shown.there && shown.len == 0)
        count(c, COUNT_TcpExtTCPFastOpenCookieReqd);
    if (!(config & FASTOPEN_SERVER) || (!shown.there && syn->text_len == 0) ||
        !room_for_child(l))
        return false;
    if ((config & FASTOPEN_SERVER_NO_COOKIE) || l->options.fastopen_no_cookie)
        return true;
    if (!shown.there)
        return false;
    /* RFC 7413 s4.2.2: a cookie for who asks, and for who shows a wrong one. */
    if (good_cookie(l, h, &shown, &h->opts.fastopen))
        return true;
    if (shown.len > 0)
        count(c, COUNT_TcpExtTCPFastOpenPassiveFail);
    return false;
}

/* The child of h's listener is in its accept queue, in SYN-RECEIVED: the text of the
 * SYN is its first. */
void tcp_fastopen_take_syn(struct tcb *tcb, struct tcp_listener *l, struct tcp_seg *seg)
{
    list_add_tail(&l->children, &tcb->fast.node);
    tcb->fast.child = true;
    tcb->fast.taken = seg->text_len > 0;
    count(&l->tcp->net->count, COUNT_TcpExtTCPFastOpenPassive);
    seg->flags &= (uint8_t) ~(TCP_SYN | TCP_FIN); /* a FIN comes again */
    seg->seq = seq_add(seg->seq, 1);
    tcp_take_text(tcb, seg);
    tcp_mem_update(tcb);
    tcp_dirty(tcb);
}

bool tcp_fastopen_child(const struct tcb *tcb)
{
    return tcb->fast.child && tcb->state == TCPS_SYN_RECEIVED;
}

/* Its SYN-ACK was lost. */
bool tcp_fastopen_syn_again(struct tcb *tcb, struct tcp_seg *seg)
{
    uint8_t flags = seg->flags & (TCP_SYN | TCP_ACK | TCP_RST);

    if (!tcp_fastopen_child(tcb) || flags != TCP_SYN || !seq_eq(seg->seq, tcb->rcv.irs))
        return false;
    sent_mark_head_lost(&tcb->sent, 1);
    tcp_reject(seg, DROP_TCP_DUPLICATE);
    return true;
}
