/* Keeps what happened, in arrays that never move: a fetch needs at most a connection of
 * its own. An answer's rounds of slow start are told apart by the silences between
 * them; what is shorter than `silence` is the wire, or another lane's turn. */
#include "record.h"

#include <stdlib.h>
#include <string.h>

enum { ETHERNET = 14 }; /* bytes of a frame that are not IP's */

bool record_init(struct record *r, unsigned fetches, int64_t silence)
{
    memset(r, 0, sizeof *r);
    r->silence = silence;
    r->begin = r->end = -1;
    r->lane = calloc(fetches, sizeof *r->lane);
    r->fetch = calloc(fetches, sizeof *r->fetch);
    if (r->lane && r->fetch)
        return true;
    record_free(r);
    return false;
}

void record_free(struct record *r)
{
    free(r->lane);
    free(r->fetch);
    r->lane = NULL;
    r->fetch = NULL;
    r->lanes = r->fetches = 0;
}

unsigned record_lane(struct record *r, int64_t now)
{
    struct record_lane *lane = &r->lane[r->lanes];

    *lane = (struct record_lane){ .syn = now, .open = -1, .fin = -1, .closed = -1 };
    if (r->begin < 0)
        r->begin = now;
    return r->lanes++;
}

unsigned record_ask(struct record *r, unsigned lane, unsigned object, int64_t now)
{
    struct record_fetch *f = &r->fetch[r->fetches];

    *f = (struct record_fetch){
        .lane = lane, .object = object, .ask = now, .first = -1, .last = -1
    };
    r->lane[lane].requests++;
    return r->fetches++;
}

void record_arrival(struct record *r, unsigned fetch, int64_t now, size_t bytes)
{
    struct record_fetch *f = &r->fetch[fetch];

    if (f->first < 0)
        f->first = now;
    if (f->rounds == 0 || (now - f->last > r->silence && f->rounds < RECORD_ROUNDS))
        f->round[f->rounds++] = (struct record_round){ .first = now };
    struct record_round *round = &f->round[f->rounds - 1];
    round->last = f->last = now;
    round->bytes += bytes;
    if (now > r->end)
        r->end = now;
}

double record_seconds(const struct record *r)
{
    return (double)(r->end - r->begin) / 1e6;
}

uint64_t record_bytes(const struct record *r)
{
    uint64_t sum = r->down.bytes - ETHERNET * r->down.frames;

    for (unsigned i = 0; i < r->lanes && r->down.frames == 0; i++)
        sum += r->lane[i].bytes_in;
    return sum;
}

unsigned record_text_segments(const struct record *r)
{
    unsigned sum = 0;

    for (unsigned i = 0; i < r->lanes; i++)
        sum += r->lane[i].text_in;
    return sum;
}
