/* Names that a user may have meant. The distance of two words is how many letters must
 * be put in, left out or changed to make one of the other (Levenshtein's), computed row
 * by row: row[j] is the distance of the first i letters of a to the first j of b.
 *
 *            s  e  r  v  e        sevre -> serve: 2
 *         0  1  2  3  4  5
 *      s  1  0  1  2  3  4
 *      e  2  1  0  1  2  3
 *      v  3  2  1  1  1  2
 *      r  4  3  2  1  2  2
 *      e  5  4  3  2  2  2  <-- */
#include "nearest.h"

#include <stddef.h>
#include <string.h>

enum { NAME_LEN = 32, FARTHEST = 2 };

static unsigned least(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;
    return m < c ? m : c;
}

static unsigned distance(const char *a, const char *b)
{
    unsigned row[NAME_LEN + 1];
    size_t n = strlen(b);
    for (unsigned j = 0; j <= n; j++)
        row[j] = j;
    for (unsigned i = 1; a[i - 1]; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            unsigned above = row[j];
            row[j] = least(above + 1, row[j - 1] + 1,
                           diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[n];
}

void nearest_try(struct nearest *n, const char *name)
{
    size_t len = strlen(name);
    if (len > NAME_LEN)
        return;
    unsigned d = distance(n->word, name);
    if (d > FARTHEST || d >= len || (n->best && d >= n->distance))
        return;
    n->best = name;
    n->distance = d;
}
