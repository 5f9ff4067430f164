/* The names that scripts have for numbers: constants of the socket calls, flags, errno,
 * with Linux's values. */
#ifndef TAPIR_TOOLS_DRILL_SYMBOLS_H
#define TAPIR_TOOLS_DRILL_SYMBOLS_H

#include <stdbool.h>

bool symbol_find(const char *name, long long *value);

/* "ECONNRESET"; or the number as text, in a buffer of its own. */
const char *errno_symbol(int error);

#endif
