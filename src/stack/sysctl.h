/* Tunables by their Linux names: stack_sysctl() and stack_sysctl_get() of
 * tapir/stack.h, and the list of the names that there are. */
#ifndef TAPIR_STACK_SYSCTL_H
#define TAPIR_STACK_SYSCTL_H

#include "stack/stack.h"

/* The name of tunable i, from 0 on; NULL behind the last. */
const char *sysctl_name(unsigned i);

#endif
