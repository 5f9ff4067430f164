/* The layout is written down here: headers of the C library and of the kernel know
 * different parts of it. Numbers are in the order of this machine, as the call gives
 * them. FreeBSD's names for states have Linux's numbers. */
#include "info.h"

#include <string.h>

#include "base/bytes.h"

/* clang-format off */
static const struct {
    const char *name;
    uint16_t at;   /* offset in bytes */
    uint8_t bytes; /* 1, 4 or 8 */
    uint8_t shift, bits; /* of a part of a byte; bits 0: the whole */
} fields[] = {
    { "tcpi_state", 0, 1, 0, 0 },         { "tcpi_ca_state", 1, 1, 0, 0 },
    { "tcpi_retransmits", 2, 1, 0, 0 },   { "tcpi_probes", 3, 1, 0, 0 },
    { "tcpi_backoff", 4, 1, 0, 0 },       { "tcpi_options", 5, 1, 0, 0 },
    { "tcpi_snd_wscale", 6, 1, 0, 4 },    { "tcpi_rcv_wscale", 6, 1, 4, 4 },
    { "tcpi_delivery_rate_app_limited", 7, 1, 0, 1 },
    { "tcpi_fastopen_client_fail", 7, 1, 1, 2 },
    { "tcpi_rto", 8, 4, 0, 0 },           { "tcpi_ato", 12, 4, 0, 0 },
    { "tcpi_snd_mss", 16, 4, 0, 0 },      { "tcpi_rcv_mss", 20, 4, 0, 0 },
    { "tcpi_unacked", 24, 4, 0, 0 },      { "tcpi_sacked", 28, 4, 0, 0 },
    { "tcpi_lost", 32, 4, 0, 0 },         { "tcpi_retrans", 36, 4, 0, 0 },
    { "tcpi_fackets", 40, 4, 0, 0 },      { "tcpi_last_data_sent", 44, 4, 0, 0 },
    { "tcpi_last_ack_sent", 48, 4, 0, 0 }, { "tcpi_last_data_recv", 52, 4, 0, 0 },
    { "tcpi_last_ack_recv", 56, 4, 0, 0 }, { "tcpi_pmtu", 60, 4, 0, 0 },
    { "tcpi_rcv_ssthresh", 64, 4, 0, 0 }, { "tcpi_rtt", 68, 4, 0, 0 },
    { "tcpi_rttvar", 72, 4, 0, 0 },       { "tcpi_snd_ssthresh", 76, 4, 0, 0 },
    { "tcpi_snd_cwnd", 80, 4, 0, 0 },     { "tcpi_advmss", 84, 4, 0, 0 },
    { "tcpi_reordering", 88, 4, 0, 0 },   { "tcpi_rcv_rtt", 92, 4, 0, 0 },
    { "tcpi_rcv_space", 96, 4, 0, 0 },    { "tcpi_total_retrans", 100, 4, 0, 0 },
    { "tcpi_pacing_rate", 104, 8, 0, 0 }, { "tcpi_max_pacing_rate", 112, 8, 0, 0 },
    { "tcpi_bytes_acked", 120, 8, 0, 0 }, { "tcpi_bytes_received", 128, 8, 0, 0 },
    { "tcpi_segs_out", 136, 4, 0, 0 },    { "tcpi_segs_in", 140, 4, 0, 0 },
    { "tcpi_notsent_bytes", 144, 4, 0, 0 }, { "tcpi_min_rtt", 148, 4, 0, 0 },
    { "tcpi_data_segs_in", 152, 4, 0, 0 }, { "tcpi_data_segs_out", 156, 4, 0, 0 },
    { "tcpi_delivery_rate", 160, 8, 0, 0 }, { "tcpi_busy_time", 168, 8, 0, 0 },
    { "tcpi_rwnd_limited", 176, 8, 0, 0 }, { "tcpi_sndbuf_limited", 184, 8, 0, 0 },
    { "tcpi_delivered", 192, 4, 0, 0 },   { "tcpi_delivered_ce", 196, 4, 0, 0 },
    { "tcpi_bytes_sent", 200, 8, 0, 0 },  { "tcpi_bytes_retrans", 208, 8, 0, 0 },
    { "tcpi_dsack_dups", 216, 4, 0, 0 },  { "tcpi_reord_seen", 220, 4, 0, 0 },
    { "tcpi_rcv_ooopack", 224, 4, 0, 0 }, { "tcpi_snd_wnd", 228, 4, 0, 0 },
    { "tcpi_rcv_wnd", 232, 4, 0, 0 },     { "tcpi_rehash", 236, 4, 0, 0 },
};

struct constant {
    const char *name;
    double value;
};

static const struct constant constants[] = {
    { "TCP_ESTABLISHED", 1 }, { "TCP_SYN_SENT", 2 },  { "TCP_SYN_RECV", 3 },
    { "TCP_FIN_WAIT1", 4 },   { "TCP_FIN_WAIT2", 5 }, { "TCP_TIME_WAIT", 6 },
    { "TCP_CLOSE", 7 },       { "TCP_CLOSE_WAIT", 8 }, { "TCP_LAST_ACK", 9 },
    { "TCP_LISTEN", 10 },     { "TCP_CLOSING", 11 },
    { "TCP_CA_Open", 0 },     { "TCP_CA_Disorder", 1 }, { "TCP_CA_CWR", 2 },
    { "TCP_CA_Recovery", 3 }, { "TCP_CA_Loss", 4 },
    { "TCPI_OPT_TIMESTAMPS", 1 }, { "TCPI_OPT_SACK", 2 }, { "TCPI_OPT_WSCALE", 4 },
    { "TCPI_OPT_ECN", 8 },    { "TCPI_OPT_ECN_SEEN", 16 }, { "TCPI_OPT_SYN_DATA", 32 },
    { "TCP_INFINITE_SSTHRESH", 0x7fffffff },
};

static const struct constant freebsd[] = {
    { "TCPI_ESTABLISHED", 1 }, { "TCPI_SYN_SENT", 2 }, { "TCPI_SYN_RECEIVED", 3 },
    { "TCPI_FIN_WAIT_1", 4 }, { "TCPI_FIN_WAIT_2", 5 }, { "TCPI_TIME_WAIT", 6 },
    { "TCPI_CLOSED", 7 },     { "TCPI_CLOSE_WAIT", 8 }, { "TCPI_LAST_ACK", 9 },
    { "TCPI_LISTEN", 10 },    { "TCPI_CLOSING", 11 },
};
/* clang-format on */

/* 1, 4 or 8 bytes in this machine's order. */
static uint64_t number_at(const uint8_t *b, uint8_t bytes)
{
    uint64_t eight;
    uint32_t four;

    if (bytes == 1)
        return *b;
    if (bytes == 4) {
        memcpy(&four, b, sizeof four);
        return four;
    }
    memcpy(&eight, b, sizeof eight);
    return eight;
}

bool info_field(const uint8_t *info, size_t len, const char *name, double *value)
{
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        uint64_t n = 0;

        if (strcmp(fields[i].name, name) != 0)
            continue;
        if (fields[i].at + (size_t)fields[i].bytes <= len)
            n = number_at(info + fields[i].at, fields[i].bytes);
        if (fields[i].bits)
            n = n >> fields[i].shift & ((1u << fields[i].bits) - 1);
        *value = (double)n;
        return true;
    }
    return false;
}

static bool find(const struct constant *table, size_t n, const char *name,
                 double *value)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(table[i].name, name) != 0)
            continue;
        *value = table[i].value;
        return true;
    }
    return false;
}

bool info_constant(const char *name, double *value)
{
    return find(constants, ARRAY_LEN(constants), name, value);
}

bool info_freebsd(const char *name, double *value)
{
    return find(freebsd, ARRAY_LEN(freebsd), name, value);
}
