/* What "--name=value" lines say, of a script and of the program: addresses, ports,
 * tolerances. The program's win. */
#ifndef TAPIR_TOOLS_DRILL_SETTINGS_H
#define TAPIR_TOOLS_DRILL_SETTINGS_H

#include "script.h"
#include "wire/addr.h"

struct settings {
    struct ip_addr local, remote;     /* 192.168.0.1 and 192.0.2.1 */
    unsigned prefix;                  /* of the local network: 16 */
    uint16_t bind_port, connect_port; /* 8080 both */
    unsigned mtu;                     /* 1500 */
    usec tolerance;                   /* 4 ms ... */
    double tolerance_percent;         /* ... or 12.5 % of the time since the event
                                       * before, if that is more */
    uint32_t
        stamp_tick;    /* microseconds of a TSval: compared with the script's; 0: not */
    bool stamp_scaled; /* echoes of timestamps that were never sent are counted on */
    bool strict_segments; /* one segment of the script is one on the wire */
    bool lenient_packets, lenient_calls; /* what differs is told, and no failure */
    const char *unbuilt;                 /* "IPv6": it cannot be played; or NULL */
};

/* The defaults, then what the script says, then the program. 0, or -EINVAL and
 * *error. */
int settings_make(struct settings *out, const struct setting *script,
                  const struct setting *program, struct script_error *error);

/* Is there a setting of this name? */
bool setting_exists(const char *name);

#endif
