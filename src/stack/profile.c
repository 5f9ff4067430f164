/* Profiles: one table says what every one of them sets. A profile is tunables and
 * nothing else, so whatever it does can be read here, asked of stack_sysctl_get(), and
 * changed one by one afterwards.
 *
 * Where nothing stands below, the three agree: the defaults follow Linux in what RFCs
 * leave open (tcp.h). Buffers of `linux` are ours, because Linux's grow by themselves
 * and these do not. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "stack/stack.h"

enum { PROFILES = 3 };

static const char *const names[PROFILES] = { "tapir", "linux", "bsd" };

static const struct {
    const char *sysctl, *value[PROFILES]; /* tapir, linux, bsd */
} table[] = {
    { "net.ipv4.tcp_rfc1337", { "1", "0", "1" } },
    { "net.ipv4.tcp_syn_retries", { "7", "6", "6" } },
    { "net.ipv4.tcp_keepalive_probes", { "9", "9", "8" } },
    /* bytes; the largest one gives the window scale, of which BSD offers 6 */
    { "net.ipv4.tcp_rmem",
      { "4096 1048576 6291456", "4096 1048576 6291456", "4096 65536 2097152" } },
    { "net.ipv4.tcp_early_retrans", { "0", "3", "0" } },
    { "tapir.tcp_prr", { "1", "1", "0" } },
    { "tapir.tcp_loss_of_cwnd", { "0", "1", "0" } },
    { "tapir.tcp_hystart", { "0", "3", "0" } },
    { "tapir.tcp_option_layout", { "0", "0", "1" } },
    { "tapir.tcp_quickack", { "16", "16", "0" } },
    { "tapir.tcp_delack_small", { "0", "0", "1" } },
    { "tapir.tcp_timewait_syn", { "1", "1", "0" } },
    { "tapir.tcp_closing_fin", { "0", "0", "1" } },
    { "tapir.tcp_epipe_on_reset", { "1", "1", "0" } },
    { "tapir.tcp_rcvbuf_round", { "0", "0", "1" } },
    { "tapir.tcp_ack_unsent", { "1", "0", "1" } },
    { "tapir.tcp_icmp_refused", { "0", "0", "1" } },
    { "tapir.tcp_ts_optional", { "0", "1", "0" } },
    { "tapir.tcp_send_pieces", { "0", "1", "0" } },
    { "tapir.tcp_shut_rd_keeps", { "0", "1", "0" } },
    { "tapir.tcp_drop_synfin", { "1", "1", "0" } },
};

int stack_profile(struct stack *st, const char *name)
{
    for (size_t i = 0; i < PROFILES; i++) {
        if (strcmp(name, names[i]) != 0)
            continue;
        for (size_t k = 0; k < ARRAY_LEN(table); k++) {
            int err = stack_sysctl(st, table[k].sysctl, table[k].value[i]);
            assert(err == 0);
            (void)err;
        }
        return 0;
    }
    return -ENOENT;
}
