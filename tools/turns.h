/* Threads that take turns. */
#ifndef TAPIR_TOOLS_TURNS_H
#define TAPIR_TOOLS_TURNS_H

/* Keeps this thread, and those that it will make, on the processor that it runs on: the
 * programs of a simulation run one at a time, and pass the turn on quickest there. */
void turns_on_one_processor(void);

#endif
