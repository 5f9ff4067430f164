/* What the ends of connections cost, as formulae, beside those of theory.h. */
#ifndef TAPIR_LAB_THEORY_END_H
#define TAPIR_LAB_THEORY_END_H

#include <stdbool.h>

#include "theory.h"

/* --- a kept connection, which the server closes when nothing came for a while (19) ---
 */

struct theory_reuse {
    double idle;   /* seconds that the server waits for a request */
    double wait;   /* seconds that the client lets go by after an answer */
    bool safe;     /* the request may be repeated */
    bool fin_lost; /* the server's FIN never arrives */
    bool dies;     /* the server closes when it has the request, without an answer */
};

/* How the request meets the connection. */
enum theory_meeting {
    MEETS_OPEN,    /* it is answered on it */
    MEETS_CLOSING, /* it crosses the FIN */
    MEETS_CLOSED,  /* the client knew */
};

enum theory_meeting theory_meeting(const struct theory_path *p,
                                   const struct theory_reuse *u);

/* Until it is answered, or has failed. */
double theory_reuse_time(const struct theory_path *p, const struct theory_reuse *u);

/* Times that the server takes it. */
unsigned theory_reuse_requests(const struct theory_path *p,
                               const struct theory_reuse *u);

/* curl's exit code: 0, or 52 and 56, an end and a reset before the answer. */
int theory_reuse_code(const struct theory_path *p, const struct theory_reuse *u);

/* How likely a request crosses the FIN whose pause is anywhere in 0 .. span. */
double theory_reuse_chance(const struct theory_path *p, double idle, double span);

/* --- Keep-Alive through proxies --- */

enum theory_ask { ASK_CONNECTION, ASK_PROXY_CONNECTION, ASK_NOTHING };

struct theory_chain {
    unsigned proxies;
    bool smart[2]; /* each of them, the client's first: does it know Keep-Alive? */
    enum theory_ask ask;
    double idle; /* seconds that whoever keeps a connection waits for a request */
};

/* How a second request meets the first one's connection: it is kept (OPEN), it hangs
 * behind a dumb proxy until that is closed (CLOSING), it is closed. */
enum theory_meeting theory_chain_meets(const struct theory_chain *c);

/* A fetch through the whole chain on new connections; the second one. */
double theory_chain_fresh(const struct theory_path *p, const struct theory_chain *c);
double theory_chain_again(const struct theory_path *p, const struct theory_chain *c);

/* --- an answer, and how its connection ends (20) --- */

enum theory_way {
    WAY_FIN,    /* the server closes, having read all */
    WAY_UNREAD, /* it closes with text unread: RST (RFC 9293 s3.6.1, SHLD-3) */
    WAY_LINGER, /* with SO_LINGER 0: RST */
    WAY_STAGED, /* it shuts its side, reads to the client's FIN, closes */
    WAY_HALF,   /* the client has shut its side before the answer */
};

enum theory_framing { FRAMING_LENGTH, FRAMING_CHUNKED, FRAMING_CLOSE };

struct theory_close {
    enum theory_way way;
    enum theory_framing framing; /* RFC 9112 s6.3 */
    double size;                 /* bytes of the body */
    double cut;                  /* after which the server ends all the same */
    double pause;                /* seconds from its write() to its close() */
};

/* Bytes of the body that reach the client. A reset ends what was not sent. */
double theory_close_got(const struct theory_path *p, const struct theory_close *c);

/* curl's exit code: 18 is a part, 56 a reset, 0 what looks whole. */
int theory_close_code(const struct theory_path *p, const struct theory_close *c);

/* How likely a client loses something of an answer that its window does not hold, where
 * it begins to read anywhere in 0 .. delay and the server resets after `pause`. */
double theory_close_chance(const struct theory_path *p, double pause, double delay);

#endif
