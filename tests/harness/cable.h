/* Two live stacks in one process, joined by a socket pair instead of a TAP device: real
 * time, real threads, the real driver.
 *
 *     a  192.0.2.1  ==== AF_UNIX, one frame a message ====  192.0.2.2  b */
#ifndef TAPIR_TESTS_CABLE_H
#define TAPIR_TESTS_CABLE_H

#include "edge/tapir.h"

struct cable {
    struct tapir *a, *b;
};

void cable_up(struct cable *c);

/* tapir_down() of both; asserts that no packet is left. */
void cable_down(struct cable *c);

/* One live stack, over a device of one's own. */
struct tapir *cable_stack(int fd, const char *addr);

#endif
