/* An experiment of a lab sheet: one line of "KIND key=value ...", which is run in
 * virtual time and gives one figure, with what theory says about it.
 *
 *     page    a page by a strategy; show=time, rounds (of the last answer), handshake,
 *             wait (request to first byte), read (first byte to last), close
 *     nagle   a request on a warm connection, whose answer is one byte written in
 *             writes=1 or 2; nodelay=0 or 1; delack=MS of the client
 *     ports   connections one after the other from ports=N, tw=S seconds of TIME-WAIT;
 *             closer=client or server; show=count (that succeed at once) or rate
 *     close   an answer whose connection ends how=fin, unread (with text unread),
 *             linger (SO_LINGER 0), staged or half, pause=MS after it was written, or
 *             after cut=N bytes of its body; framing=length, chunked or close;
 *             show=code (curl's), lost (bytes of the body), chance (that some are,
 *             where a client with window=N reads after 0..delay=MS)
 *     proxy   two fetches that ask=connection, proxy-connection or nothing, to have
 *             the connection kept, through chain=none, dumb, smart, "dumb,smart" or
 *             "smart,dumb"; what is kept is closed after idle=S; show=time (of the
 *             second), first, connections (of the client)
 *     retry   a second request on a kept connection, wait=MS after the first, where the
 *             server closes after idle=MS; method=GET or POST; finlost=1: its FIN is
 *             lost; fails=1: it takes the request and dies; show=time, code (curl's),
 *             requests (that it took), chance (that a POST fails, wait in 0..span=MS)
 *     tuples  five connections that differ in one of the four numbers each;
 *             show=connections (that are told apart by look=source-port,... or all),
 *             delivered (texts to where they belong), refused (RSTs for what does not)
 *     segments  a message of size bytes (bare=1: without a head) with an mss=N, ts=0
 *             without timestamps; show=segments, bytes (of IP packets), overhead (per
 *             cent of these that is headers)
 *     syn     connects=N one after the other, of whose SYNs loss=PERCENT are lost, or
 *             way=synack or both; show=extra (seconds beyond a loss-free one, on
 *             average), share (of those that wait after=S seconds, per cent)
 *     idle    visits=N, pause=S seconds apart on average, to a server that closes after
 *             timeout=S and says=fin or nothing; show=reuse (of visits on the kept
 *             connection, per cent), held (connections, for users=N), wait (seconds a
 *             visit), stale (visits in vain, per cent), cost (of these, seconds)
 *     loss    a page by a strategy pages=N times, over a path that loses loss=PERCENT
 *             of all frames; rto=MS at least, beyond a round trip; show=time (its
 *             mean), median, again (segments that are sent again), timeouts
 *     hole    a page whose answers have segments=N each, of which one is lost: the
 *             lose-th of the answer=N-th; rto as above; show=delay (of that answer),
 *             late (answers, by a quarter of a round trip at least), page (its delay)
 *     share   c connections and one more, with cc=reno or cubic against=reno or
 *             cubic, for seconds=S at a bottleneck with a queue of queue=FRAMES;
 *             show=share (of the c, per cent), rest (of the one), jain, full (of the
 *             rate, per cent)
 *
 * With view=1 loss, hole and syn draw who is how late, and share what each has; close,
 * proxy, retry, tuples and segments draw what was on the wire. Keys of the path: rtt=MS
 * rate=MBIT seed=N; of a page: strategy page size objects c iw. */
#ifndef TAPIR_LAB_EXPERIMENT_H
#define TAPIR_LAB_EXPERIMENT_H

#include "page.h"

struct lan;

enum { EXPERIMENT_LINE = 240, EXPERIMENT_WORDS = 12 };

struct figure {
    const char *unit;
    double low, high; /* predicted */
    double measured;
    double gate; /* per cent that it may lie outside */
};

struct experiment {
    char line[EXPERIMENT_LINE];
    unsigned kind; /* which of the kinds above */
    struct page_setup setup;
    const struct strategy *how;
    char show[16];            /* "": the kind's first */
    double delack, time_wait; /* milliseconds; seconds */
    unsigned writes, ports;
    bool nodelay, server_closes;
    struct {
        const char *key, *value;
    } word[EXPERIMENT_WORDS]; /* keys of the kind's own */
    unsigned words;
    char copy[EXPERIMENT_LINE]; /* the words' bytes */
    char *view;                 /* a picture for the caller to free; NULL: none */
    char error[128];
};

/* Reads a line, all but what its words mean to its kind. False: e->error. */
bool experiment_read(const char *line, struct experiment *e);

/* Reads and runs a line. False: e->error. */
bool experiment_run(const char *line, struct experiment *e, struct figure *out);

/* The picture that a line's kind makes of what was on some wire, for the caller to
 * free; NULL: no memory. */
char *experiment_picture(const struct experiment *e, const struct lan *lan);

/* Per cent that what was measured lies outside of what was predicted. */
double figure_off(const struct figure *f);

/* What a key of the kind's own says; `otherwise` where the line has it not. */
double experiment_number(const struct experiment *e, const char *key, double otherwise);
const char *experiment_word(const struct experiment *e, const char *key,
                            const char *otherwise);

/* Which of some words (NULL ends them) the key has: its number; -1: none, with
 * e->error. */
int experiment_choice(struct experiment *e, const char *key, const char *const *words);

/* The same of show=; the first one where the line has none. */
int experiment_show(struct experiment *e, const char *const *words);

/* The simulation came to nothing: false, with e->error. */
bool experiment_failed(struct experiment *e, int err);

/* --- the kinds (each in a file of its own) --- */

bool experiment_page(struct experiment *e, struct figure *out);
bool experiment_nagle(struct experiment *e, struct figure *out);
bool experiment_ports(struct experiment *e, struct figure *out);
bool experiment_close(struct experiment *e, struct figure *out);
bool experiment_proxy(struct experiment *e, struct figure *out);
bool experiment_retry(struct experiment *e, struct figure *out);
bool experiment_tuples(struct experiment *e, struct figure *out);
bool experiment_segments(struct experiment *e, struct figure *out);
bool experiment_loss(struct experiment *e, struct figure *out);
bool experiment_hole(struct experiment *e, struct figure *out);
bool experiment_syn(struct experiment *e, struct figure *out);
bool experiment_idle(struct experiment *e, struct figure *out);
bool experiment_share(struct experiment *e, struct figure *out);

#endif
