/* A delay of k bins that comes with p makes of the spread a(i) the spread
 * (1 - p) a(i) + p a(i - k). What is beyond the last bin is forgotten: it is not in the
 * middle. */
#include "theory_spread.h"

#include <string.h>

void spread_init(struct spread *s)
{
    memset(s, 0, sizeof *s);
    s->chance[0] = 1;
}

void spread_add(struct spread *s, double chance, double seconds)
{
    int bins = seconds * 1e6 < (double)SPREAD_BINS * SPREAD_BIN
                   ? (int)(seconds * 1e6 / SPREAD_BIN + 0.5)
                   : SPREAD_BINS;

    for (int i = SPREAD_BINS - 1; i >= 0; i--) {
        double moved = i >= bins ? s->chance[i - bins] : 0;
        s->chance[i] += chance * (moved - s->chance[i]);
    }
}

double spread_median(const struct spread *s)
{
    double sum = 0;
    int i = 0;

    while (i < SPREAD_BINS && (sum += s->chance[i]) < 0.5)
        i++;
    return (double)i * SPREAD_BIN / 1e6;
}
