/* A failure is told in three parts because they have three readers: `what` is searched
 * for on the web, `cause` is understood, `fix` is pasted into a shell. A text that is
 * too long for its part is cut, never refused. */
#include "edge/explain.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int explain(struct tapir_error *e, int err, const char *what)
{
    const char *name = strerrorname_np(-err);

    if (!e)
        return err;
    memset(e, 0, sizeof *e);
    snprintf(e->what, sizeof e->what, "%s: %s (%s)", what, name ? name : "error",
             strerror(-err));
    return err;
}

void explain_cause(struct tapir_error *e, const char *format, ...)
{
    va_list args;

    if (!e)
        return;
    va_start(args, format);
    vsnprintf(e->cause, sizeof e->cause, format, args);
    va_end(args);
}

void explain_fix(struct tapir_error *e, const char *format, ...)
{
    va_list args;

    if (!e)
        return;
    va_start(args, format);
    vsnprintf(e->fix, sizeof e->fix, format, args);
    va_end(args);
}
