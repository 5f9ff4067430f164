/* The four numbers of connections, as they are on a wire. */
#ifndef TAPIR_LAB_TUPLES_H
#define TAPIR_LAB_TUPLES_H

#include "lan_flow.h"

enum { TUPLES = 5 };

/* Elements, a bit each. */
enum {
    TUPLE_SOURCE_ADDRESS = 1,
    TUPLE_SOURCE_PORT = 2,
    TUPLE_DESTINATION_ADDRESS = 4,
    TUPLE_DESTINATION_PORT = 8,
    TUPLE_ALL = 15,
};

/* The element of that name ("source-port"); 0: there is none. */
unsigned tuple_element(const char *name, size_t len);

/* How many connections were opened on the wire, as somebody sees it who looks at these
 * elements alone. */
unsigned tuples_apart(const struct lan *lan, unsigned look);

/* Two tables: the connections, and to which of them each segment was delivered. For the
 * caller to free; NULL: no memory. */
char *tuples_picture(const struct lan *lan);

#endif
