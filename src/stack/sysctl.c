/* Tunables: one table row binds a Linux name to a field of the stack, with the field's
 * kind, its unit and the range that is accepted.
 *
 *     name                       value      field
 *     net.ipv4.tcp_fin_timeout   seconds    tcp.config.fin_timeout, microseconds
 *                                unit 1000000
 *
 * What Linux has no name for is called tapir.*:
 *
 *     tapir.tcp_option_layout  0, 1   options of a SYN in Linux's order or in BSD's
 *     tapir.tcp_quickack       0-255  first segments that are acknowledged at once
 *     tapir.tcp_delack_small   0, 1   1: small segments count for "every second one"
 *     tapir.tcp_delack_ms      ms     the delayed ACK, 0: none
 *     tapir.tcp_insecure_rst   0, 1   1: RFC 793 for a RST in the window, not RFC 5961
 *     tapir.tcp_insecure_syn   0, 1   1: the same for a SYN
 *     tapir.tcp_drop_synfin    0-2    a SYN with FIN opens; does not; is dropped always
 *     tapir.tcp_timewait_syn   0, 1   0: a SYN that opens nothing is dropped there
 *     tapir.tcp_closing_fin    0, 1   1: the ACK that begins CLOSING has our FIN again
 *     tapir.tcp_epipe_on_reset 0, 1   1: a RST behind a FIN is for writers: EPIPE
 *     tapir.tcp_rcvbuf_round   0, 1   1: the buffer is whole segments; all of it counts
 *     tapir.tcp_ack_unsent     0, 1   0: an ACK of what was never sent is not answered
 *     tapir.tcp_icmp_refused   0, 1   1: ICMP's hard errors, they alone, refuse a SYN
 *     tapir.tcp_ts_optional    0, 1   1: a segment may lack the agreed timestamp
 *     tapir.tcp_send_pieces    0, 1   1: the send buffer counts packets, as on Linux
 *     tapir.tcp_shut_rd_keeps  0, 1   1: text can be read after shutdown(SHUT_RD)
 *     tapir.tcp_initcwnd       segs   `ip route ... initcwnd`
 *     tapir.tcp_advmss         bytes  `ip route ... advmss`, 0: from the MTU
 *     tapir.tcp_limited_transmit 0, 1 RFC 3042
 *     tapir.tcp_prr            0, 1   proportional rate reduction, with SACK
 *     tapir.tcp_loss_of_cwnd   0, 1   1: a loss takes its share of cwnd, not of flight
 *     tapir.tcp_hystart        0-3    CUBIC's slow start ends early: 1 by trains of
 *                                     ACKs, 2 by delay (tcp_cubic's hystart_detect)
 *     tapir.tcp_rto_initial_ms ms     RTO before the first sample
 *     tapir.tcp_timewait_ms    ms     2 MSL
 *
 * profile.c sets those in which systems differ, all at once. Values are decimal
 * numbers, or hexadecimal ones (0x403); lists are separated by blanks and read back
 * with tabs, as from /proc/sys. A value that does not fit changes nothing. New values
 * count for what begins after them: a connection took its own copy when it was made.
 *
 * A name that Linux has and this stack has not yet is told apart from a misspelt one:
 * -ENOTSUP against -ENOENT. */
#include "stack/sysctl.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"

enum kind {
    KIND_BOOL,   /* 0 or 1 */
    KIND_U8,     /* uint8_t */
    KIND_U32,    /* uint32_t */
    KIND_USEC,   /* usec; the value is in units of `unit` microseconds */
    KIND_PORTS,  /* two uint16_t: low and high */
    KIND_TRIPLE, /* three uint32_t: min, default, max */
    KIND_CC,     /* const struct cc_ops *, by name */
    KIND_KEYS,   /* struct tcp_fastopen_keys: "a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4" */
};

struct sysctl {
    const char *name;
    enum kind kind;
    size_t at;         /* offset of the first field in struct stack */
    usec unit;         /* KIND_USEC: microseconds */
    uint64_t min, max; /* of each number */
};

enum {
    US = 1,
    MS = 1000,
    SEC = 1000000,
    PORT_MAX = 65535,
    RETRIES_MAX = 127,      /* Linux's MAX_TCP_SYNCNT */
    SECONDS_MAX = 10000000, /* a third of a year */
    BUFFER_MAX = 1 << 30,   /* bytes */
    NUMBERS_MAX = 3,        /* in one value */
    NUMBER_TEXT = 21,       /* any uint64_t and NUL */
};

#define U32_MAX UINT32_MAX

/* clang-format off */
#define NET4(name) "net.ipv4." name
#define NET(field) offsetof(struct stack, net.config.field)
#define TCP(field) offsetof(struct stack, tcp.config.field)
#define NEIGH(field) offsetof(struct stack, net.neigh.field)

static const struct sysctl table[] = {
    { NET4("ip_default_ttl"), KIND_U8, NET(ip_default_ttl), 0, 1, 255 },
    { NET4("ip_local_port_range"), KIND_PORTS, NET(port_low), 0, 1, PORT_MAX },
    { NET4("ip_no_pmtu_disc"), KIND_BOOL, NET(ip_no_pmtu_disc), 0, 0, 1 },
    { NET4("route.mtu_expires"), KIND_USEC, NET(mtu_expires), SEC, 1, SECONDS_MAX },
    { NET4("route.min_pmtu"), KIND_U32, NET(min_pmtu), 0, 68, 65535 },
    { NET4("route.gc_timeout"), KIND_USEC, NET(redirect_expires), SEC, 1, SECONDS_MAX },
    { NET4("conf.all.accept_redirects"), KIND_BOOL, NET(accept_redirects), 0, 0, 1 },
    { NET4("ipfrag_high_thresh"), KIND_U32, NET(ipfrag_high_thresh), 0, 0, U32_MAX },
    { NET4("ipfrag_time"), KIND_USEC, NET(ipfrag_time), SEC, 1, 255 },
    { NET4("icmp_echo_ignore_all"), KIND_BOOL, NET(icmp_echo_ignore_all), 0, 0, 1 },
    { NET4("icmp_msgs_per_sec"), KIND_U32, NET(icmp_msgs_per_sec), 0, 0, U32_MAX },
    { NET4("icmp_msgs_burst"), KIND_U32, NET(icmp_msgs_burst), 0, 0, U32_MAX },
    { NET4("neigh.default.base_reachable_time_ms"), KIND_USEC,
      NEIGH(reachable_time), MS, 1, (uint64_t)SECONDS_MAX * 1000 },
    { NET4("neigh.default.gc_stale_time"), KIND_USEC, NEIGH(gc_stale_time), SEC, 1,
      SECONDS_MAX },

    { NET4("tcp_sack"), KIND_BOOL, TCP(sack), 0, 0, 1 },
    { NET4("tcp_dsack"), KIND_BOOL, TCP(dsack), 0, 0, 1 },
    { NET4("tcp_early_retrans"), KIND_U8, TCP(early_retrans), 0, 0, 4 },
    { NET4("tcp_ecn"), KIND_U8, TCP(ecn), 0, 0, 2 },
    { NET4("tcp_ecn_fallback"), KIND_BOOL, TCP(ecn_fallback), 0, 0, 1 },
    { NET4("tcp_timestamps"), KIND_BOOL, TCP(timestamps), 0, 0, 1 },
    { NET4("tcp_window_scaling"), KIND_BOOL, TCP(window_scaling), 0, 0, 1 },
    { NET4("tcp_abort_on_overflow"), KIND_BOOL, TCP(abort_on_overflow), 0, 0, 1 },
    { NET4("tcp_slow_start_after_idle"), KIND_BOOL, TCP(slow_start_after_idle), 0, 0,
      1 },
    { NET4("tcp_tw_reuse"), KIND_BOOL, TCP(tw_reuse), 0, 0, 1 },
    { NET4("tcp_syn_retries"), KIND_U8, TCP(syn_retries), 0, 1, RETRIES_MAX },
    { NET4("tcp_synack_retries"), KIND_U8, TCP(synack_retries), 0, 0, 255 },
    { NET4("tcp_retries1"), KIND_U8, TCP(retries1), 0, 0, 255 },
    { NET4("tcp_retries2"), KIND_U8, TCP(retries2), 0, 0, 255 },
    { NET4("tcp_orphan_retries"), KIND_U8, TCP(orphan_retries), 0, 0, 255 },
    { NET4("tcp_notsent_lowat"), KIND_U32, TCP(notsent_lowat), 0, 0, U32_MAX },
    { NET4("tcp_reordering"), KIND_U8, TCP(reordering), 0, 1, 255 },
    { NET4("tcp_mtu_probing"), KIND_U8, TCP(mtu_probing), 0, 0, 1 },
    { NET4("tcp_base_mss"), KIND_U32, TCP(base_mss), 0, 28, 65495 },
    { NET4("tcp_mtu_probe_floor"), KIND_U32, TCP(mtu_probe_floor), 0, 28, 65495 },
    { NET4("tcp_rto_min_us"), KIND_USEC, TCP(rto_min), US, 1, SEC },
    { NET4("tcp_rto_max_ms"), KIND_USEC, TCP(rto_max), MS, 1000, 120000 },
    { NET4("tcp_rfc1337"), KIND_BOOL, TCP(rfc1337), 0, 0, 1 },
    { NET4("tcp_fastopen"), KIND_U32, TCP(fastopen), 0, 0, U32_MAX },
    { NET4("tcp_fastopen_key"), KIND_KEYS, TCP(fastopen_keys), 0, 0, 0 },
    { NET4("tcp_fin_timeout"), KIND_USEC, TCP(fin_timeout), SEC, 1, SECONDS_MAX },
    { NET4("tcp_keepalive_time"), KIND_USEC, TCP(keepalive_time), SEC, 1, SECONDS_MAX },
    { NET4("tcp_keepalive_intvl"), KIND_USEC, TCP(keepalive_intvl), SEC, 1,
      SECONDS_MAX },
    { NET4("tcp_keepalive_probes"), KIND_U8, TCP(keepalive_probes), 0, 1, 255 },
    { NET4("tcp_rmem"), KIND_TRIPLE, TCP(rmem_min), 0, 1, BUFFER_MAX },
    { NET4("tcp_wmem"), KIND_TRIPLE, TCP(wmem_min), 0, 1, BUFFER_MAX },
    { NET4("tcp_mem"), KIND_TRIPLE, TCP(mem_low), 0, 0, U32_MAX },
    { NET4("tcp_max_orphans"), KIND_U32, TCP(max_orphans), 0, 0, U32_MAX },
    { NET4("tcp_max_syn_backlog"), KIND_U32, TCP(max_syn_backlog), 0, 0, U32_MAX },
    { NET4("tcp_syncookies"), KIND_U8, TCP(syncookies), 0, 0, 2 },
    { NET4("tcp_challenge_ack_limit"), KIND_U32, TCP(challenge_ack_limit), 0, 0,
      INT32_MAX },
    { NET4("tcp_max_tw_buckets"), KIND_U32, TCP(max_tw_buckets), 0, 0, U32_MAX },
    { NET4("tcp_invalid_ratelimit"), KIND_USEC, TCP(invalid_ratelimit), MS, 0,
      (uint64_t)SECONDS_MAX * 1000 },
    { NET4("tcp_congestion_control"), KIND_CC, TCP(cc), 0, 0, 0 },
    { "net.core.busy_poll", KIND_USEC, NET(busy_poll), US, 0, SEC },
    { "net.core.somaxconn", KIND_U32, TCP(somaxconn), 0, 0, U32_MAX },

    { "tapir.tcp_initcwnd", KIND_U32, TCP(initcwnd), 0, 1, 65535 },
    { "tapir.tcp_advmss", KIND_U32, TCP(advmss), 0, 0, 65495 },
    { "tapir.tcp_limited_transmit", KIND_BOOL, TCP(limited_transmit), 0, 0, 1 },
    { "tapir.tcp_prr", KIND_BOOL, TCP(prr), 0, 0, 1 },
    { "tapir.tcp_loss_of_cwnd", KIND_BOOL, TCP(loss_of_cwnd), 0, 0, 1 },
    { "tapir.tcp_hystart", KIND_U8, TCP(hystart), 0, 0, 3 },
    { "tapir.tcp_rto_initial_ms", KIND_USEC, TCP(rto_initial), MS, 1, 60000 },
    { "tapir.tcp_option_layout", KIND_U8, TCP(option_layout), 0, 0, 1 },
    { "tapir.tcp_quickack", KIND_U8, TCP(quickack), 0, 0, 255 },
    { "tapir.tcp_delack_small", KIND_BOOL, TCP(delack_small), 0, 0, 1 },
    { "tapir.tcp_insecure_rst", KIND_BOOL, TCP(insecure_rst), 0, 0, 1 },
    { "tapir.tcp_insecure_syn", KIND_BOOL, TCP(insecure_syn), 0, 0, 1 },
    { "tapir.tcp_timewait_syn", KIND_BOOL, TCP(timewait_syn), 0, 0, 1 },
    { "tapir.tcp_closing_fin", KIND_BOOL, TCP(closing_fin), 0, 0, 1 },
    { "tapir.tcp_epipe_on_reset", KIND_BOOL, TCP(epipe_on_reset), 0, 0, 1 },
    { "tapir.tcp_rcvbuf_round", KIND_BOOL, TCP(rcvbuf_round), 0, 0, 1 },
    { "tapir.tcp_ack_unsent", KIND_BOOL, TCP(ack_unsent), 0, 0, 1 },
    { "tapir.tcp_icmp_refused", KIND_BOOL, TCP(icmp_refused), 0, 0, 1 },
    { "tapir.tcp_ts_optional", KIND_BOOL, TCP(ts_optional), 0, 0, 1 },
    { "tapir.tcp_send_pieces", KIND_BOOL, TCP(send_pieces), 0, 0, 1 },
    { "tapir.tcp_shut_rd_keeps", KIND_BOOL, TCP(shut_rd_keeps), 0, 0, 1 },
    { "tapir.tcp_drop_synfin", KIND_U8, TCP(drop_synfin), 0, 0, 2 },
    { "tapir.tcp_delack_ms", KIND_USEC, TCP(delack), MS, 0, 500 },
    { "tapir.tcp_timewait_ms", KIND_USEC, TCP(msl2), MS, 1, 600000 },
};

/* Lists are read and written as arrays: their fields stand side by side. */
_Static_assert(TCP(rmem_max) == TCP(rmem_min) + 2 * sizeof(uint32_t), "tcp_rmem");
_Static_assert(TCP(mem_high) == TCP(mem_low) + 2 * sizeof(uint32_t), "tcp_mem");
_Static_assert(TCP(wmem_max) == TCP(wmem_min) + 2 * sizeof(uint32_t), "tcp_wmem");
_Static_assert(NET(port_high) == NET(port_low) + sizeof(uint16_t), "port range");

/* Names that Linux has and this stack has not (Linux 6.12, Documentation/networking/
 * ip-sysctl.rst); a name that ends in a dot stands for all below it. */
static const char *const not_built[] = {
    "net.core.default_qdisc", "net.core.netdev_max_backlog", "net.core.optmem_max",
    "net.core.rmem_default", "net.core.rmem_max", "net.core.wmem_default",
    "net.core.wmem_max", "net.ipv6.",
    NET4("conf."), NET4("neigh."), NET4("route."),
    NET4("icmp_echo_enable_probe"), NET4("icmp_echo_ignore_broadcasts"),
    NET4("icmp_errors_use_inbound_ifaddr"), NET4("icmp_ignore_bogus_error_responses"),
    NET4("icmp_ratelimit"), NET4("icmp_ratemask"),
    NET4("ip_autobind_reuse"), NET4("ip_dynaddr"), NET4("ip_early_demux"),
    NET4("ip_forward"), NET4("ip_forward_use_pmtu"), NET4("ip_local_reserved_ports"),
    NET4("ip_nonlocal_bind"),
    NET4("ip_unprivileged_port_start"),
    NET4("ipfrag_low_thresh"), NET4("ipfrag_max_dist"),
    NET4("min_adv_mss"), NET4("ping_group_range"),
    NET4("tcp_adv_win_scale"), NET4("tcp_allowed_congestion_control"),
    NET4("tcp_app_win"), NET4("tcp_autocorking"),
    NET4("tcp_available_congestion_control"), NET4("tcp_backlog_ack_defer"),
    NET4("tcp_comp_sack_delay_ns"), NET4("tcp_comp_sack_nr"),
    NET4("tcp_comp_sack_slack_ns"), NET4("tcp_early_demux"),
    NET4("tcp_fack"),
    NET4("tcp_fastopen_blackhole_timeout_sec"),
    NET4("tcp_frto"), NET4("tcp_fwmark_accept"), NET4("tcp_l3mdev_accept"),
    NET4("tcp_limit_output_bytes"), NET4("tcp_low_latency"),
    NET4("tcp_max_reordering"),
    NET4("tcp_migrate_req"), NET4("tcp_min_rtt_wlen"), NET4("tcp_min_snd_mss"),
    NET4("tcp_min_tso_segs"), NET4("tcp_moderate_rcvbuf"),
    NET4("tcp_no_metrics_save"), NET4("tcp_no_ssthresh_metrics_save"),
    NET4("tcp_pacing_ca_ratio"),
    NET4("tcp_pacing_ss_ratio"), NET4("tcp_pingpong_thresh"),
    NET4("tcp_probe_interval"), NET4("tcp_probe_threshold"), NET4("tcp_recovery"),
    NET4("tcp_reflect_tos"), NET4("tcp_retrans_collapse"),
    NET4("tcp_shrink_window"), NET4("tcp_stdurg"), NET4("tcp_syn_linear_timeouts"),
    NET4("tcp_thin_linear_timeouts"),
    NET4("tcp_tso_rtt_log"), NET4("tcp_tso_win_divisor"),
    NET4("tcp_workaround_signed_windows"),
    NET4("udp_l3mdev_accept"), NET4("udp_mem"), NET4("udp_rmem_min"),
    NET4("udp_wmem_min"),
};
/* clang-format on */

const char *sysctl_name(unsigned i)
{
    return i < ARRAY_LEN(table) ? table[i].name : NULL;
}

static const struct sysctl *find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}

static bool linux_has(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(not_built); i++) {
        const char *known = not_built[i];
        size_t len = strlen(known);
        if (strcmp(known, name) == 0)
            return true;
        if (known[len - 1] == '.' && strncmp(known, name, len) == 0)
            return true;
    }
    return false;
}

/* --- setting --------------------------------------------------------------------- */

/* How many numbers a value of this kind has. */
static unsigned numbers_in(enum kind kind)
{
    return kind == KIND_TRIPLE ? 3 : kind == KIND_PORTS ? 2 : 1;
}

/* Decimal, or hexadecimal behind "0x" as the kernel takes it for sets of bits. */
static bool parse_number(const char *word, uint64_t max, uint64_t *out)
{
    if (word[0] != '0' || word[1] != 'x' || word[2] == '\0')
        return text_parse_u64(word, max, out);
    *out = 0;
    for (word += 2; *word; word++) {
        int digit = text_hex_digit(*word);
        if (digit < 0 || *out > max >> 4)
            return false;
        *out = *out << 4 | (uint64_t)digit;
    }
    return *out <= max;
}

/* Exactly n numbers, separated by blanks, each in range, not falling (a default below
 * its minimum, a port range upside down). */
static int parse_numbers(const struct sysctl *s, const char *value,
                         uint64_t out[NUMBERS_MAX])
{
    unsigned n = numbers_in(s->kind);
    for (unsigned i = 0; i < n; i++) {
        char word[NUMBER_TEXT];
        value += strspn(value, " \t");
        size_t len = strcspn(value, " \t");
        if (len == 0 || len >= sizeof word)
            return -EINVAL;
        memcpy(word, value, len);
        word[len] = '\0';
        value += len;
        if (!parse_number(word, s->max, &out[i]) || out[i] < s->min)
            return -EINVAL;
        if (i > 0 && out[i] < out[i - 1])
            return -EINVAL;
    }
    return value[strspn(value, " \t")] == '\0' ? 0 : -EINVAL;
}

static int set_cc(struct stack *st, void *field, const char *value)
{
    const struct cc_ops *cc = cc_find(&st->tcp.controllers, value);
    if (!cc)
        return -EINVAL;
    *(const struct cc_ops **)field = cc;
    return 0;
}

enum { WORD_DIGITS = 8 };

/* Eight hexadecimal digits. */
static bool parse_word(const char **at, uint32_t *out)
{
    *out = 0;
    for (int i = 0; i < WORD_DIGITS; i++, (*at)++) {
        int digit = text_hex_digit(**at);
        if (digit < 0)
            return false;
        *out = *out << 4 | (uint32_t)digit;
    }
    return true;
}

/* A key, or two behind a comma; the first word is the lowest four bytes. */
static int set_keys(struct tcp_fastopen_keys *keys, const char *value)
{
    uint8_t bytes[FASTOPEN_KEY_LEN * FASTOPEN_KEYS];
    size_t n = 0;

    for (;;) {
        uint32_t word;
        if (!parse_word(&value, &word))
            return -EINVAL;
        for (int i = 0; i < 4; i++)
            bytes[n++] = (uint8_t)(word >> 8 * i);
        if (*value == '\0' || n == sizeof bytes)
            break;
        if (*value++ != (n % FASTOPEN_KEY_LEN ? '-' : ','))
            return -EINVAL;
    }
    return *value == '\0' && tcp_fastopen_read_keys(keys, bytes, n) ? 0 : -EINVAL;
}

static void store(const struct sysctl *s, void *field, const uint64_t n[NUMBERS_MAX])
{
    switch (s->kind) {
    case KIND_BOOL:
        *(bool *)field = n[0] != 0;
        break;
    case KIND_U8:
        *(uint8_t *)field = (uint8_t)n[0];
        break;
    case KIND_USEC:
        *(usec *)field = (usec)n[0] * s->unit;
        break;
    case KIND_PORTS:
        for (unsigned i = 0; i < 2; i++)
            ((uint16_t *)field)[i] = (uint16_t)n[i];
        break;
    default:
        for (unsigned i = 0; i < numbers_in(s->kind); i++)
            ((uint32_t *)field)[i] = (uint32_t)n[i];
    }
}

int stack_sysctl(struct stack *st, const char *name, const char *value)
{
    const struct sysctl *s = find(name);
    uint64_t n[NUMBERS_MAX];
    if (!s)
        return linux_has(name) ? -ENOTSUP : -ENOENT;
    void *field = (char *)st + s->at;
    if (s->kind == KIND_CC)
        return set_cc(st, field, value);
    if (s->kind == KIND_KEYS)
        return set_keys(field, value);
    int err = parse_numbers(s, value, n);
    if (err == 0)
        store(s, field, n);
    return err;
}

/* --- reading --------------------------------------------------------------------- */

static uint64_t load(const struct sysctl *s, const void *field, unsigned i)
{
    switch (s->kind) {
    case KIND_BOOL:
        return *(const bool *)field;
    case KIND_U8:
        return *(const uint8_t *)field;
    case KIND_USEC:
        return (uint64_t)(*(const usec *)field / s->unit);
    case KIND_PORTS:
        return ((const uint16_t *)field)[i];
    default:
        return ((const uint32_t *)field)[i];
    }
}

/* Zeros, as Linux says, where there is none. */
static void put_keys(struct text *t, const struct tcp_fastopen_keys *keys)
{
    uint8_t bytes[FASTOPEN_KEY_LEN * FASTOPEN_KEYS] = { 0 };
    size_t n = tcp_fastopen_write_keys(keys, bytes);

    n = n ? n : FASTOPEN_KEY_LEN;
    for (size_t i = 0; i < n; i += 4) {
        if (i > 0)
            text_char(t, i % FASTOPEN_KEY_LEN ? '-' : ',');
        for (size_t k = 4; k-- > 0;)
            text_hex(t, bytes[i + k], 2);
    }
}

int stack_sysctl_get(const struct stack *st, const char *name, char *out, size_t room)
{
    const struct sysctl *s = find(name);
    struct text t;
    if (!s)
        return -ENOENT;
    if (room == 0)
        return -EINVAL;
    const void *field = (const char *)st + s->at;
    text_init(&t, out, room);
    if (s->kind == KIND_CC) {
        text_put(&t, (*(const struct cc_ops *const *)field)->name);
        return (int)t.len;
    }
    if (s->kind == KIND_KEYS) {
        put_keys(&t, field);
        return (int)t.len;
    }
    for (unsigned i = 0; i < numbers_in(s->kind); i++) {
        if (i > 0)
            text_char(&t, '\t');
        text_u64(&t, load(s, field, i));
    }
    return (int)t.len;
}
