/* A table: FreeBSD's name, ours, and what the value is multiplied and divided by, since
 * FreeBSD counts in milliseconds where Linux counts in seconds. A name may stand there
 * twice: its value is set twice. */
#include "freebsd.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "tapir/socket.h"

static const struct {
    const char *name, *ours; /* NULL: nothing here is to be set */
    long long times, by;     /* the value is multiplied and divided */
} table[] = {
    { "net.inet.tcp.rfc1323", "net.ipv4.tcp_timestamps", 1, 1 },
    { "net.inet.tcp.rfc1323", "net.ipv4.tcp_window_scaling", 1, 1 },
    { "net.inet.tcp.sack.enable", "net.ipv4.tcp_sack", 1, 1 },
    { "net.inet.tcp.syncookies", "net.ipv4.tcp_syncookies", 1, 1 },
    { "net.inet.tcp.keepidle", "net.ipv4.tcp_keepalive_time", 1, 1000 },
    { "net.inet.tcp.keepintvl", "net.ipv4.tcp_keepalive_intvl", 1, 1000 },
    { "net.inet.tcp.keepcnt", "net.ipv4.tcp_keepalive_probes", 1, 1 },
    { "net.inet.tcp.delacktime", "tapir.tcp_delack_ms", 1, 1 },
    { "net.inet.tcp.rexmit_initial", "tapir.tcp_rto_initial_ms", 1, 1 },
    { "net.inet.tcp.msl", "tapir.tcp_timewait_ms", 2, 1 },
    { "net.inet.tcp.insecure_rst", "tapir.tcp_insecure_rst", 1, 1 },
    { "net.inet.tcp.insecure_syn", "tapir.tcp_insecure_syn", 1, 1 },
    { "net.inet.tcp.drop_synfin", "tapir.tcp_drop_synfin", 2, 1 },
    { "net.inet.tcp.ecn.enable", "net.ipv4.tcp_ecn", 1, 1 },
    { "net.inet.tcp.blackhole", NULL, 0, 0 },
    { "net.inet.tcp.rexmit_slop", NULL, 0, 0 },
    { "net.inet.tcp.path_mtu_discovery", NULL, 0, 0 },
    { "net.inet.tcp.hostcache.purgenow", NULL, 0, 0 },
    { "kern.ipc.maxsockbuf", NULL, 0, 0 },
};

/* The size of a buffer is the one in the middle of three. */
static int set_space(struct tapir *host, const char *name, const char *value)
{
    long long n = strtoll(value, NULL, 0), max = n > 2097152 ? n : 2097152;
    char text[64];

    snprintf(text, sizeof text, "%lld %lld %lld", n < 4096 ? n : 4096, n, max);
    return tapir_sysctl(host, name, text);
}

int freebsd_sysctl(struct tapir *host, const char *name, const char *value)
{
    bool known = false;
    char text[24];
    int err = 0;

    if (strcmp(name, "net.inet.tcp.recvspace") == 0)
        return set_space(host, "net.ipv4.tcp_rmem", value);
    if (strcmp(name, "net.inet.tcp.sendspace") == 0)
        return set_space(host, "net.ipv4.tcp_wmem", value);
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (strcmp(table[i].name, name) != 0)
            continue;
        known = true;
        if (!table[i].ours)
            continue;
        snprintf(text, sizeof text, "%lld",
                 strtoll(value, NULL, 0) * table[i].times / table[i].by);
        if (err == 0)
            err = tapir_sysctl(host, table[i].ours, text);
    }
    return known ? err : tapir_sysctl(host, name, value);
}
