/* %{ code }%: the part of Python that scripts use to look at a connection.
 *
 *     assert tcpi_snd_cwnd == 10, tcpi_snd_cwnd
 *     assert 99000 <= tcpi_rtt <= 101000, 'rtt=%d' % tcpi_rtt
 *     print(tcpi_rto); cwnd += 1
 *
 * Statements: assert, print, name = value, name += value. Values: numbers and strings;
 * comparisons (also in chains), arithmetic, bits, and, or, not, %-formatting. */
#ifndef TAPIR_TOOLS_DRILL_CODE_H
#define TAPIR_TOOLS_DRILL_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "arena.h"

struct code {
    struct arena *arena;
    struct code_name *names; /* variables, which live as long as the script */
    FILE *out;               /* print; NULL: nowhere */
    bool freebsd;            /* names that FreeBSD's packetdrill alone has are there */
    bool has_info;           /* there is a connection to look at */
    const uint8_t *info;     /* its struct tcp_info ... */
    size_t info_len;
};

/* False: an assertion does not hold, or the code is wrong; why says what. */
bool code_run(struct code *c, const char *text, char *why, size_t room);

#endif
