/* What lost segments cost answers (formulae 15 and 16). Each frame is lost with the
 * same chance, whatever became of the others. */
#ifndef TAPIR_LAB_THEORY_LOSS_H
#define TAPIR_LAB_THEORY_LOSS_H

#include "page.h"

struct theory_loss {
    double loss;    /* of each frame, each way: 0 to 1 */
    double rto_min; /* seconds that a time-out is longer than a round trip, at least */
};

/* Seconds to a time-out: of a connection that is new, or that has measured for long. */
double theory_rto_fresh(const struct theory_path *p, const struct theory_loss *l);
double theory_rto(const struct theory_path *p, const struct theory_loss *l);

/* Where a lost segment was. */
struct theory_gap {
    double front;  /* segments in front of it, of its answer or of those before */
    double behind; /* behind it, of its answer */
    double more;   /* behind these, of others on its connection, in the same window */
};

/* Seconds that its answer ends later. */
double theory_repair(const struct theory_path *p, double rto,
                     const struct theory_gap *gap);

/* The same on average, for segments that are lost by chance. */
double theory_repairs(const struct theory_path *p, const struct theory_loss *l,
                      double rto, double segments);

/* A page's mean time, given what it takes without loss: as if the windows stayed what
 * they are, and the losses of several connections were repaired at the same time; and
 * with the window that a long transfer has (Mathis), one repair after the other. */
struct theory_lossy {
    double low, high; /* seconds */
    double again;     /* frames that are sent again */
    double timeouts;
};

void theory_lossy(const struct strategy *how, const struct theory_path *p,
                  const struct theory_load *load, const struct theory_loss *l,
                  struct theory_lossy *out);

/* The page in the middle of all, with the same two bounds: the lower one. */
double theory_lossy_median(const struct strategy *how, const struct theory_path *p,
                           const struct theory_load *load, const struct theory_loss *l,
                           double *high);

/* The window of a long transfer just after a loss, in segments. */
double theory_low_window(double loss);

#endif
