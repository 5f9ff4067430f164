/* The matrix: faults x directions x sizes x windows x controllers, in virtual time.
 * Each cell is one transfer (harness/transfer.h): what is read is what was written,
 * both ends close in good order, nothing is left, and TCP's invariants hold after every
 * event.
 *
 * `make test` runs a pairwise cover: every value of a factor meets every value of every
 * other factor in some cell. Most faults that two things together cause are found so,
 * with some seventy cells instead of twenty thousand. `make test-long` (TAPIR_LONG)
 * runs the full product. A cell is left out where it would take over 50,000 segments.
 *
 * A cell that fails is named by its words; to run it alone, give them to TAPIR_CELL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "harness/transfer.h"

enum {
    LEVELS = 6,
    CELLS_MAX = 400,
    CANDIDATES = 60,           /* tried for each cell of the cover */
    SEGMENTS_MAX = 50000,      /* of a cell, both ways */
    TEXT_SEGMENTS_MAX = 16000, /* of those, first transmissions of text: a cell */
    MSS = 1448,
    NAME = 200,
};

enum factor {
    LOSS,
    REORDER,
    DUPLICATE,
    CORRUPT,
    DELAY,
    WAY,
    SIZE,
    WINDOW,
    CC,
    FACTORS
};

static const struct {
    const char *name;
    const char *level[LEVELS];
} factor[FACTORS] = {
    { "loss", { "0%", "1%", "5%", "20%" } },
    { "reorder", { "0%", "5%" } },
    { "duplicate", { "0%", "5%" } },
    { "corrupt", { "0%", "1%" } },
    { "delay", { "0ms", "20ms", "200ms" } },
    { "way", { "up", "down", "both" } },
    { "size", { "0", "1", "1461", "65537", "1048576", "10485760" } },
    { "window", { "1", "1000", "4096", "65536", "4194304" } },
    { "cc", { "reno", "cubic" } },
};

struct cell {
    uint8_t level[FACTORS];
};

/* covered[f][i][g][j]: level i of factor f was in one cell with level j of factor g. */
struct cover {
    bool covered[FACTORS][LEVELS][FACTORS][LEVELS];
    struct rng rng;
};

static unsigned levels(unsigned f)
{
    unsigned n = 0;

    while (n < LEVELS && factor[f].level[n])
        n++;
    return n;
}

static const char *word(const struct cell *c, enum factor f)
{
    return factor[f].level[c->level[f]];
}

static size_t number(const struct cell *c, enum factor f)
{
    return (size_t)strtoull(word(c, f), NULL, 10);
}

static void cell_name(const struct cell *c, char out[NAME])
{
    size_t n = 0;

    for (unsigned f = 0; f < FACTORS; f++)
        n += (size_t)snprintf(out + n, NAME - n, "%s%s %s", f ? " " : "",
                              factor[f].name, word(c, f));
}

/* Segments of text, both ways: a window lets through half of it at worst (RFC 9293
 * s3.8.6.2.1). */
static size_t pieces(const struct cell *c)
{
    size_t window = number(c, WINDOW);
    size_t piece = window < 4 ? 1 : min_size(MSS, window / 2);
    size_t ways = c->level[WAY] == 2 ? 2 : 1;

    return ways * (number(c, SIZE) / piece);
}

static bool feasible(const struct cell *c)
{
    if (number(c, SIZE) > 1048576 && number(c, WINDOW) < 65536)
        return false;
    return pieces(c) <= TEXT_SEGMENTS_MAX;
}

/* --- the cover --- */

static unsigned gain(const struct cover *cover, const struct cell *c)
{
    unsigned n = 0;

    for (unsigned f = 0; f < FACTORS; f++)
        for (unsigned g = f + 1; g < FACTORS; g++)
            n += !cover->covered[f][c->level[f]][g][c->level[g]];
    return n;
}

static void take(struct cover *cover, const struct cell *c)
{
    for (unsigned f = 0; f < FACTORS; f++)
        for (unsigned g = 0; g < FACTORS; g++)
            cover->covered[f][c->level[f]][g][c->level[g]] = true;
}

/* A random cell with level i of f and level j of g; false when there is none. */
static bool draw(struct cover *cover, const unsigned fixed[4], struct cell *c)
{
    for (unsigned tries = 0; tries < CANDIDATES; tries++) {
        for (unsigned f = 0; f < FACTORS; f++)
            c->level[f] = (uint8_t)rng_below(&cover->rng, levels(f));
        c->level[fixed[0]] = (uint8_t)fixed[1];
        c->level[fixed[2]] = (uint8_t)fixed[3];
        if (feasible(c))
            return true;
    }
    return false;
}

/* The best of some random cells for a pair that is not covered yet. */
static void cover_pair(struct cover *cover, const unsigned fixed[4], struct cell *cells,
                       size_t *n)
{
    struct cell best, c;
    unsigned best_gain = 0;

    if (cover->covered[fixed[0]][fixed[1]][fixed[2]][fixed[3]])
        return;
    for (unsigned i = 0; i < CANDIDATES; i++) {
        if (!draw(cover, fixed, &c))
            return;
        if (gain(cover, &c) > best_gain) {
            best = c;
            best_gain = gain(cover, &c);
        }
    }
    take(cover, &best);
    assert_true(*n < CELLS_MAX);
    cells[(*n)++] = best;
}

static size_t pairwise(struct cell *cells)
{
    static struct cover cover;
    size_t n = 0;

    memset(&cover, 0, sizeof cover);
    rng_seed(&cover.rng, 1);
    for (unsigned f = 0; f < FACTORS; f++)
        for (unsigned g = f + 1; g < FACTORS; g++)
            for (unsigned k = 0; k < levels(f) * levels(g); k++) {
                unsigned fixed[4] = { f, k / levels(g), g, k % levels(g) };
                cover_pair(&cover, fixed, cells, &n);
            }
    return n;
}

/* --- a cell --- */

/* What a transfer may take: ten minutes, and for each piece of text a round trip and a
 * time-out, at 20 % loss nine of them. A time-out that grows without need is found. */
static usec time_limit(const struct cell *c)
{
    static const usec loss_cost[] = { 1, 2, 3, 9 };
    static const usec delay[] = { 0, 20 * USEC_PER_MS, 200 * USEC_PER_MS };
    usec each = 2 * delay[c->level[DELAY]] + 200 * USEC_PER_MS;

    return 600 * USEC_PER_SEC + (usec)pieces(c) * each * loss_cost[c->level[LOSS]];
}

static void faults(const struct cell *c, char out[NAME])
{
    size_t n = (size_t)snprintf(out, NAME, "delay %s", word(c, DELAY));

    for (unsigned f = LOSS; f <= CORRUPT; f++)
        if (c->level[f])
            n += (size_t)snprintf(out + n, NAME - n, " %s %s", factor[f].name,
                                  word(c, f));
}

/* Its place in the full product, so that a cell alone runs as it does among others. */
static uint64_t seed_of(const struct cell *c)
{
    uint64_t n = 0;

    for (unsigned f = 0; f < FACTORS; f++)
        n = n * LEVELS + c->level[f];
    return n;
}

static void run_cell(const struct cell *c)
{
    static struct transfer t;
    char name[NAME], netem[NAME], rmem[NAME], cc[NAME];
    const char *const sysctl[] = { rmem, cc, NULL };
    struct pair_setup setup = { .seed = seed_of(c), .netem = netem, .sysctl = sysctl };
    size_t size = number(c, SIZE);
    struct transfer_plan plan = { .name = name,
                                  .to_server = c->level[WAY] != 1 ? size : 0,
                                  .to_client = c->level[WAY] != 0 ? size : 0,
                                  .seed = seed_of(c),
                                  .limit = time_limit(c) };

    cell_name(c, name);
    faults(c, netem);
    snprintf(rmem, sizeof rmem, "net.ipv4.tcp_rmem=%s %s %s", word(c, WINDOW),
             word(c, WINDOW), word(c, WINDOW));
    snprintf(cc, sizeof cc, "net.ipv4.tcp_congestion_control=%s", word(c, CC));
    transfer(&t, &setup, &plan);
    if (t.pair.host[0].sent + t.pair.host[1].sent > SEGMENTS_MAX)
        fail_msg("%s: %u segments", name, t.pair.host[0].sent + t.pair.host[1].sent);
    pair_free(&t.pair);
}

static void every_pair_of_conditions_carries_the_streams_whole(void **state)
{
    static struct cell cells[CELLS_MAX];
    size_t n = pairwise(cells);
    (void)state;

    assert_in_range(n, 28, 120);
    for (size_t i = 0; i < n; i++)
        run_cell(&cells[i]);
}

/* The next cell in counting order; false after the last. */
static bool next_cell(struct cell *c)
{
    for (unsigned f = 0; f < FACTORS; f++) {
        if (++c->level[f] < levels(f))
            return true;
        c->level[f] = 0;
    }
    return false;
}

static void every_combination_carries_the_streams_whole(void **state)
{
    const char *only = getenv("TAPIR_CELL");
    struct cell c = { { 0 } };
    uint64_t ran = 0;
    char name[NAME];
    (void)state;

    do {
        cell_name(&c, name);
        if (!feasible(&c) || (only && strcmp(only, name) != 0))
            continue;
        run_cell(&c);
        ran++;
    } while (next_cell(&c));
    assert_true(ran > 0);
}

int main(void)
{
    const struct CMUnitTest pairs[] = {
        cmocka_unit_test(every_pair_of_conditions_carries_the_streams_whole),
    };
    const struct CMUnitTest product[] = {
        cmocka_unit_test(every_combination_carries_the_streams_whole),
    };

    if (getenv("TAPIR_LONG") || getenv("TAPIR_CELL"))
        return cmocka_run_group_tests(product, NULL, NULL);
    return cmocka_run_group_tests(pairs, NULL, NULL);
}
