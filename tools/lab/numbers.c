/* Newton's root; the exponential series, for an argument that is halved until it is
 * small; the logarithm is what the exponential makes its argument of, by Halley's
 * rule. */
#include "numbers.h"

double square_root(double x)
{
    double y = x > 1 ? x : 1;

    for (int i = 0; i < 100; i++)
        y = (y + x / y) / 2;
    return y;
}

double exponential(double x)
{
    double sum = 1, term = 1;
    int halved = 0;

    for (; x > 0.5 || x < -0.5; halved++)
        x /= 2;
    for (int i = 1; i < 20; i++) {
        term *= x / i;
        sum += term;
    }
    while (halved-- > 0)
        sum *= sum;
    return sum;
}

/* Powers of e are taken out of x first. */
double logarithm(double x)
{
    double y = 0, e = exponential(1);

    for (; x > e; y++)
        x /= e;
    for (; x < 1; y--)
        x *= e;
    double z = 0.5;
    for (int i = 0; i < 8; i++)
        z += 2 * (x - exponential(z)) / (x + exponential(z));
    return y + z;
}
