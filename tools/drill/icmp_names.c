/* The words that scripts have for ICMP's types and codes (RFC 792, RFC 1122 s3.2.2.1,
 * RFC 1812 s5.2.7.1). Those of ICMPv6 (RFC 4443) are known as such: a number above 255
 * for the type. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "packet.h"

static const struct {
    const char *name;
    int number;
} types[] = {
    { "echo_reply", 0 },
    { "unreachable", 3 },
    { "source_quench", 4 },
    { "redirect", 5 },
    { "echo", 8 },
    { "echo_request", 8 },
    { "time_exceeded", 11 },
    { "parameter_problem", 12 },
    { "packet_too_big", 258 },
};

/* clang-format off */
static const struct {
    int type;
    const char *name;
    int number;
} codes[] = {
    { 3, "net_unreachable", 0 },        { 3, "host_unreachable", 1 },
    { 3, "protocol_unreachable", 2 },   { 3, "port_unreachable", 3 },
    { 3, "frag_needed", 4 },            { 3, "source_route_failed", 5 },
    { 3, "net_unknown", 6 },            { 3, "host_unknown", 7 },
    { 3, "source_host_isolated", 8 },   { 3, "net_prohibited", 9 },
    { 3, "host_prohibited", 10 },       { 3, "net_unreachable_for_tos", 11 },
    { 3, "host_unreachable_for_tos", 12 }, { 3, "packet_filtered", 13 },
    { 3, "precedence_violation", 14 },  { 3, "precedence_cutoff", 15 },
    { 11, "exceeded_ttl", 0 },          { 11, "ttl_exceeded_in_transit", 0 },
    { 11, "exceeded_frag_time", 1 },    { 11, "frag_reass_exceeded", 1 },
    { 11, "exceeded_hop_limit", 0 },
    { 5, "net", 0 }, { 5, "host", 1 },  { 5, "net_for_tos", 2 }, { 5, "host_for_tos", 3 },
    /* ICMPv6's words in scripts for both families */
    { 3, "no_route", 0 },               { 3, "admin_prohibited", 1 },
    { 3, "not_neighbour", 2 },          { 3, "address_unreachable", 3 },
    { 12, "header_field", 0 },          { 12, "unknown_next_header", 1 },
    { 12, "unknown_option", 2 },
};
/* clang-format on */

int icmp_type_number(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (strcmp(types[i].name, name) == 0)
            return types[i].number;
    return -1;
}

int icmp_code_number(int type, const char *name)
{
    char *end;

    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (codes[i].type == type && strcmp(codes[i].name, name) == 0)
            return codes[i].number;
    if (strncmp(name, "code_", 5) != 0)
        return -1;
    long n = strtol(name + 5, &end, 10);
    return end != name + 5 && *end == '\0' && n >= 0 && n <= 255 ? (int)n : -1;
}
