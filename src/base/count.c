/* The names are COUNT_TABLE's own words, in the order of enum count. */
#include "base/count.h"

#include <stddef.h>

#define COUNT_NAME(name) #name,

static const char *const names[] = { COUNT_TABLE(COUNT_NAME) };

const char *count_name(enum count which)
{
    return (size_t)which < COUNT_N ? names[which] : "?";
}
