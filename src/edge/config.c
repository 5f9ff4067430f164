/* What the caller did not say is asked of the environment (live links only), then
 * follows from what was said: the kernel's side gets the first other address of the
 * stack's subnet, and is the gateway where it lies in it. So `--addr 10.1.0.2/16` alone
 * is a whole configuration. Every refusal names the option as the program spells it. */
#include "edge/config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "edge/explain.h"

enum { MTU_MIN = 68, MTU_MAX = 65521, MTU_DEFAULT = 1500 };

static int refuse(struct tapir_error *e, const char *option, const char *value,
                  const char *cause)
{
    char what[128];

    snprintf(what, sizeof what, "bad %s '%s'", option, value);
    explain(e, -EINVAL, what);
    explain_cause(e, "%s", cause);
    return -EINVAL;
}

/* The same with a fix: -EINVAL. */
static int refuse_so(struct tapir_error *e, const char *option, const char *value,
                     const char *cause, const char *fix)
{
    refuse(e, option, value, cause);
    explain_fix(e, "%s", fix);
    return -EINVAL;
}

static const char *from_env(const char *given, const char *name)
{
    const char *value = given ? given : getenv(name);

    return value && (given || *value) ? value : NULL;
}

static bool flag_from_env(bool given, const char *name)
{
    const char *value = getenv(name);

    return given || (value && strcmp(value, "1") == 0);
}

static int number_from_env(const char *name, uint64_t max, uint64_t *out,
                           struct tapir_error *e)
{
    const char *value = getenv(name);

    if (!value || !*value || text_parse_u64(value, max, out))
        return 0;
    return refuse(e, name, value, "not a whole decimal number, or too large");
}

static int read_env(struct tapir_config *c, struct tapir_error *e)
{
    uint64_t mtu = c->mtu, seed = c->seed;

    c->link = from_env(c->link, "TAPIR_LINK");
    c->addr = from_env(c->addr, "TAPIR_ADDR");
    c->gateway = from_env(c->gateway, "TAPIR_GATEWAY");
    c->host_addr = from_env(c->host_addr, "TAPIR_HOST_ADDR");
    c->mac = from_env(c->mac, "TAPIR_MAC");
    c->dns = from_env(c->dns, "TAPIR_DNS");
    c->netem = from_env(c->netem, "TAPIR_NETEM");
    c->profile = from_env(c->profile, "TAPIR_PROFILE");
    c->pcap = from_env(c->pcap, "TAPIR_PCAP");
    c->no_offload = flag_from_env(c->no_offload, "TAPIR_NO_OFFLOAD");
    c->pcap_raw = flag_from_env(c->pcap_raw, "TAPIR_PCAP_RAW");
    c->ladder = flag_from_env(c->ladder, "TAPIR_LADDER");
    c->stat = flag_from_env(c->stat, "TAPIR_STAT");
    if (!c->mtu && number_from_env("TAPIR_MTU", MTU_MAX, &mtu, e) < 0)
        return -EINVAL;
    c->mtu = (unsigned)mtu;
    if (!c->seeded && getenv("TAPIR_SEED") && *getenv("TAPIR_SEED")) {
        c->seeded = true;
        if (number_from_env("TAPIR_SEED", UINT64_MAX, &seed, e) < 0)
            return -EINVAL;
        c->seed = seed;
    }
    return 0;
}

static int read_link(struct plan *p, struct tapir_error *e)
{
    const char *link = p->config.link ? p->config.link : "ns";
    int err = port_parse(link, &p->port, e);

    p->link = PLAN_PORT;
    if (err != -ENOENT)
        return err;
    p->port.kind = PORT_TAP;
    p->port.name = "tap0";
    p->link = PLAN_NS;
    if (strcmp(link, "ns") == 0)
        return 0;
    p->link = PLAN_KERNEL;
    if (strcmp(link, "kernel") == 0)
        return 0;
    if (strcmp(link, "sim") == 0)
        refuse(e, "--link", link,
               "a simulated link has both its ends in one process: see tapir/sim.h");
    else
        refuse(e, "--link", link, "no link of this kind");
    explain_fix(e, "--link ns, tap:NAME, unix:PATH, fd:N or kernel");
    return -EINVAL;
}

/* "A/P" where A may be a station's address. */
static int read_address(const char *option, const char *value, struct ip_addr *addr,
                        unsigned *prefix, struct tapir_error *e)
{
    uint32_t host, mask;
    int err = 0;

    if (!ip_parse_prefix(value, addr, prefix) || *prefix == 0 || *prefix > 32) {
        err = refuse(e, option, value, "not an IPv4 address with its prefix length");
    } else {
        mask = *prefix == 32 ? 0 : UINT32_MAX >> *prefix;
        host = ip4_num(*addr) & mask;
        if (ip_is_any(*addr) || ip_is_loopback(*addr) || ip_is_multicast(*addr) ||
            ip_is_limited_broadcast(*addr) ||
            (*prefix < 31 && (host == 0 || host == mask)))
            err = refuse(e, option, value, "not an address that a station may have");
    }
    if (err < 0)
        explain_fix(e, "%s 192.0.2.%s/24", option,
                    strcmp(option, "--addr") == 0 ? "2" : "1");
    return err;
}

/* The first other address of the stack's subnet. */
static struct ip_addr neighbour_of(struct ip_addr addr, unsigned prefix)
{
    uint32_t mask = prefix == 32 ? 0 : UINT32_MAX >> prefix;
    uint32_t n = (ip4_num(addr) & ~mask) + (prefix < 31);

    return ip4_addr(n == ip4_num(addr) ? n + 1 : n);
}

static bool is_neighbour(const struct plan *p, struct ip_addr a)
{
    return ip_same_net(a, p->addr, p->prefix) && !ip_eq(a, p->addr);
}

/* Is gateway i among those before it? */
static bool is_again(const struct plan *p, int i)
{
    for (int before = 0; before < i; before++)
        if (ip_eq(p->gateway[before], p->gateway[i]))
            return true;
    return false;
}

static int read_gateway(struct plan *p, struct tapir_error *e)
{
    const char *gateway = p->config.gateway;

    p->n_gateways = 0;
    if (gateway && !*gateway)
        return 0;
    if (!gateway) {
        p->gateway[0] = p->port.host_addr;
        p->n_gateways = is_neighbour(p, p->port.host_addr);
        return 0;
    }
    p->n_gateways = ip_parse_list(gateway, p->gateway, GATEWAYS_MAX);
    if (p->n_gateways < 0)
        return refuse_so(e, "--gateway", gateway,
                         "not an IPv4 address, or up to four with commas",
                         "--gateway 192.0.2.1,192.0.2.3");
    for (int i = 0; i < p->n_gateways; i++)
        if (!is_neighbour(p, p->gateway[i]) || is_again(p, i))
            return refuse_so(
                e, "--gateway", gateway,
                "not a neighbour in the subnet of --addr, or twice",
                "addresses of the link's subnet, or --gateway '' for none");
    return 0;
}

static int read_addresses(struct plan *p, struct tapir_error *e)
{
    const char *addr = p->config.addr ? p->config.addr : "192.0.2.2/24";
    const char *host = p->config.host_addr;
    int err = read_address("--addr", addr, &p->addr, &p->prefix, e);

    if (err < 0)
        return err;
    p->port.host_addr = neighbour_of(p->addr, p->prefix);
    p->port.host_prefix = p->prefix;
    if (host)
        err = read_address("--host-addr", host, &p->port.host_addr,
                           &p->port.host_prefix, e);
    if (err < 0)
        return err;
    if (host && ip_eq(p->port.host_addr, p->addr))
        return refuse_so(e, "--host-addr", host, "the stack's own address, see --addr",
                         "another address of the same subnet");
    return read_gateway(p, e);
}

static int read_interface(struct plan *p, struct tapir_error *e)
{
    const struct tapir_config *c = &p->config;
    struct rng rng;
    uint64_t n;
    char text[24];

    p->port.mtu = c->mtu ? c->mtu : MTU_DEFAULT;
    if (p->port.mtu < MTU_MIN || p->port.mtu > MTU_MAX) {
        snprintf(text, sizeof text, "%u", p->port.mtu);
        return refuse_so(e, "--mtu", text, "an MTU is 68 to 65521 bytes", "--mtu 1500");
    }
    if (c->mac) {
        if (!mac_parse(c->mac, &p->mac) || mac_is_multicast(p->mac) ||
            mac_eq(p->mac, (struct mac_addr){ { 0 } }))
            return refuse_so(e, "--mac", c->mac, "not the address of one station",
                             "--mac 02:00:00:00:00:02");
        return 0;
    }
    rng_seed(&rng, c->seed);
    /* Two stacks of one seed on one wire are two stations all the same. */
    n = rng_next(&rng) ^ (uint64_t)ip4_num(p->addr) << 8;
    for (int i = 1; i < 6; i++)
        p->mac.b[i] = (uint8_t)(n >> 8 * i);
    p->mac.b[0] = 0x02; /* locally administered, unicast (IEEE 802 s8.2) */
    return 0;
}

static int read_netem(struct plan *p, struct tapir_error *e)
{
    char why[160];
    const char *spec = p->config.netem;

    p->port.offload = !p->config.no_offload;
    if (!spec || !*spec)
        return 0;
    if (netem_parse(spec, &p->netem, why, sizeof why) < 0) {
        refuse(e, "--netem", spec, why);
        explain_fix(e, "--netem 'delay 20ms 5ms loss 1%% limit 1000 drop in:data:2'");
        return -EINVAL;
    }
    /* A super-segment is a thing of the device: the emulator sees what a wire would. */
    if (p->netem.in.on || p->netem.out.on)
        p->port.offload = false;
    return 0;
}

/* Addresses with commas between them. In a namespace of its own, or a simulation, the
 * system's name servers are not there. */
static int read_dns(struct plan *p, struct tapir_error *e)
{
    struct in6_addr address;
    const char *list = p->config.dns, *at = list;
    char one[INET6_ADDRSTRLEN];

    if (!list && (p->link == PLAN_NS || p->link == PLAN_SIM))
        p->config.dns = "";
    while (at && *at) {
        size_t n = strcspn(at, ",");
        snprintf(one, sizeof one, "%.*s", (int)n, at);
        if (n >= sizeof one || (inet_pton(AF_INET, one, &address) != 1 &&
                                inet_pton(AF_INET6, one, &address) != 1))
            return refuse_so(e, "--dns", list, "not an address, or several with commas",
                             "--dns 192.0.2.1,192.0.2.3");
        at += n + (at[n] == ',');
    }
    return 0;
}

int plan_make(const struct tapir_config *config, bool sim, struct plan *out,
              struct tapir_error *error)
{
    int err;

    memset(out, 0, sizeof *out);
    memset(error, 0, sizeof *error);
    if (config)
        out->config = *config;
    if (!sim && (err = read_env(&out->config, error)) < 0)
        return err;
    if (!out->config.talk)
        out->config.talk = stderr;
    if (!out->config.seeded && /* RFC 6528 s4 (MUST-isn-random) */
        getrandom(&out->config.seed, sizeof out->config.seed, 0) < 0)
        return explain(error, -errno, "cannot get random numbers");
    if (sim)
        out->link = PLAN_SIM;
    else if ((err = read_link(out, error)) < 0)
        return err;
    if ((err = read_dns(out, error)) < 0)
        return err;
    if (out->link == PLAN_KERNEL)
        return 0;
    if ((err = read_addresses(out, error)) < 0)
        return err;
    if ((err = read_interface(out, error)) < 0)
        return err;
    return read_netem(out, error);
}
