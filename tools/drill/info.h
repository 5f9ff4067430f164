/* Linux's struct tcp_info by the names that scripts have for its fields and for the
 * numbers in them. */
#ifndef TAPIR_TOOLS_DRILL_INFO_H
#define TAPIR_TOOLS_DRILL_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { INFO_SIZE = 280, INFO_OPTION = 11 /* TCP_INFO */ };

/* The value of "tcpi_snd_cwnd" in `len` bytes of info; what lies behind them is 0.
 * False: there is no such field. */
bool info_field(const uint8_t *info, size_t len, const char *name, double *value);

/* TCP_ESTABLISHED, TCP_CA_Recovery, TCPI_OPT_SACK and their like. */
bool info_constant(const char *name, double *value);

/* TCPI_ESTABLISHED and its like: FreeBSD's packetdrill alone knows them. */
bool info_freebsd(const char *name, double *value);

#endif
