/* An experiment of a lab, for its tests. */
#ifndef TAPIR_TESTS_MEASURE_H
#define TAPIR_TESTS_MEASURE_H

#include "../../tools/lab/experiment.h"

static inline bool near(double a, double b, double apart)
{
    return a - b <= apart && b - a <= apart;
}

/* What the line's experiment gives, which lies within its gate. */
static inline double measure(const char *line)
{
    struct experiment e;
    struct figure f = { .measured = -1 };
    if (!experiment_run(line, &e, &f))
        fail_msg("%s: %s", line, e.error);
    assert_true(figure_off(&f) <= f.gate && figure_off(&f) >= -f.gate);
    return f.measured;
}

#endif
