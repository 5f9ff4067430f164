/* The three functions of libm that the lab needs: libm would be one more library. */
#ifndef TAPIR_LAB_NUMBERS_H
#define TAPIR_LAB_NUMBERS_H

double square_root(double x); /* of x >= 0 */
double exponential(double x);
double logarithm(double x); /* natural, of x > 0 */

#endif
