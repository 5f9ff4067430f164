/* A struct tapir_config, the environment and the defaults, read and checked: struct
 * plan is what is going to be done. */
#ifndef TAPIR_EDGE_CONFIG_H
#define TAPIR_EDGE_CONFIG_H

#include "edge/netem.h"
#include "edge/port.h"
#include "net/route.h"
#include "tapir/socket.h"
#include "wire/addr.h"

enum plan_link { PLAN_NS, PLAN_PORT, PLAN_KERNEL, PLAN_SIM };

struct plan {
    enum plan_link link;
    struct port_setup port; /* what to open: PLAN_PORT, PLAN_NS */
    struct ip_addr addr, gateway[GATEWAYS_MAX];
    int n_gateways; /* the preferred one first */
    unsigned prefix;
    struct mac_addr mac;
    struct netem_spec netem;
    struct tapir_config config; /* the rest, as given or from the environment */
};

/* `config` may be NULL. A live link takes what is missing from TAPIR_LINK, TAPIR_ADDR,
 * TAPIR_GATEWAY, TAPIR_HOST_ADDR, TAPIR_MAC, TAPIR_MTU, TAPIR_DNS, TAPIR_NETEM,
 * TAPIR_PROFILE, TAPIR_PCAP, TAPIR_SEED, TAPIR_NO_OFFLOAD, TAPIR_LADDER and TAPIR_STAT
 * (the last three: 1); with `sim` only from `config` and the defaults, so that runs
 * repeat. 0 or -EINVAL with *error (not NULL). */
int plan_make(const struct tapir_config *config, bool sim, struct plan *out,
              struct tapir_error *error);

#endif
