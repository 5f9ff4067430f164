/* Telling the trace sink. Callers that must compute something for an event ask
 * trace_on() first; an unheard trace costs one test. */
#ifndef TAPIR_BASE_TRACE_H
#define TAPIR_BASE_TRACE_H

#include <stdbool.h>

#include "tapir/trace.h"

static inline bool trace_on(const struct trace *t)
{
    return t->fn != NULL;
}

static inline void trace_emit(const struct trace *t, const struct trace_event *event)
{
    if (t->fn)
        t->fn(t->ctx, event);
}

#endif
