/* Tunables: each Linux name reaches its field, in its unit, within its range. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "stack/sysctl.h"

static int setup(void **state)
{
    struct stack_config config = { .seed = 1 };
    struct stack *st = stack_new(&config);
    *state = st;
    return st ? 0 : -1;
}

static int teardown(void **state)
{
    stack_free(*state);
    return 0;
}

static void assert_reads(const struct stack *st, const char *name, const char *value)
{
    char text[100];
    assert_int_equal(stack_sysctl_get(st, name, text, sizeof text), strlen(value));
    assert_string_equal(text, value);
}

/* The defaults of the RFCs and of Linux, by name. */
static void every_name_reads_its_default(void **state)
{
    static const struct {
        const char *name, *value;
    } row[] = {
        { "net.ipv4.ip_default_ttl", "64" },
        { "net.ipv4.ip_local_port_range", "32768\t60999" },
        { "net.ipv4.conf.all.accept_redirects", "1" },
        { "net.ipv4.route.gc_timeout", "300" },
        { "net.ipv4.icmp_echo_ignore_all", "0" },
        { "net.ipv4.icmp_msgs_per_sec", "1000" },
        { "net.ipv4.icmp_msgs_burst", "50" },
        { "net.ipv4.neigh.default.base_reachable_time_ms", "30000" },
        { "net.ipv4.neigh.default.gc_stale_time", "60" },
        { "net.ipv4.tcp_sack", "1" },
        { "net.ipv4.tcp_dsack", "1" },
        { "net.ipv4.tcp_timestamps", "1" },
        { "net.ipv4.tcp_window_scaling", "1" },
        { "net.ipv4.tcp_abort_on_overflow", "0" },
        { "net.ipv4.tcp_slow_start_after_idle", "1" },
        { "net.ipv4.tcp_tw_reuse", "1" },
        { "net.ipv4.tcp_syn_retries", "7" },
        { "net.ipv4.tcp_synack_retries", "5" },
        { "net.ipv4.tcp_retries1", "3" },
        { "net.ipv4.tcp_retries2", "15" },
        { "net.ipv4.tcp_orphan_retries", "8" },
        { "net.ipv4.tcp_reordering", "3" },
        { "net.ipv4.tcp_rto_min_us", "200000" },
        { "net.ipv4.tcp_rto_max_ms", "120000" },
        { "net.ipv4.tcp_notsent_lowat", "4294967295" },
        { "tapir.tcp_send_pieces", "0" },
        { "tapir.tcp_ts_optional", "0" },
        { "net.ipv4.tcp_fastopen", "1" },
        { "net.ipv4.tcp_fastopen_key", "00000000-00000000-00000000-00000000" },
        { "net.ipv4.tcp_fin_timeout", "60" },
        { "net.ipv4.tcp_keepalive_time", "7200" },
        { "net.ipv4.tcp_keepalive_intvl", "75" },
        { "net.ipv4.tcp_keepalive_probes", "9" },
        { "net.ipv4.tcp_max_syn_backlog", "1024" },
        { "net.ipv4.tcp_max_tw_buckets", "65536" },
        { "net.ipv4.tcp_invalid_ratelimit", "500" },
        { "net.ipv4.tcp_congestion_control", "cubic" },
        { "net.core.busy_poll", "100" },
        { "net.core.somaxconn", "4096" },
        { "tapir.tcp_initcwnd", "10" },
        { "tapir.tcp_advmss", "0" },
        { "tapir.tcp_limited_transmit", "1" },
        { "net.ipv4.tcp_rfc1337", "1" },
        { "tapir.tcp_option_layout", "0" },
        { "tapir.tcp_quickack", "16" },
        { "tapir.tcp_delack_small", "0" },
        { "tapir.tcp_insecure_rst", "0" },
        { "tapir.tcp_insecure_syn", "0" },
        { "tapir.tcp_timewait_syn", "1" },
        { "tapir.tcp_closing_fin", "0" },
        { "tapir.tcp_epipe_on_reset", "1" },
        { "tapir.tcp_rcvbuf_round", "0" },
        { "tapir.tcp_ack_unsent", "1" },
        { "tapir.tcp_icmp_refused", "0" },
        { "tapir.tcp_shut_rd_keeps", "0" },
        { "tapir.tcp_drop_synfin", "1" },
        { "tapir.tcp_rto_initial_ms", "1000" },
        { "tapir.tcp_delack_ms", "40" },
        { "tapir.tcp_timewait_ms", "60000" },
    };
    for (size_t i = 0; i < ARRAY_LEN(row); i++)
        assert_reads(*state, row[i].name, row[i].value);
}

static void what_is_set_is_read_back(void **state)
{
    static const struct {
        const char *name, *value, *read;
    } row[] = {
        { "net.ipv4.tcp_sack", "0", "0" },
        { "net.ipv4.tcp_rmem", "4096 100000 200000", "4096\t100000\t200000" },
        { "net.ipv4.tcp_wmem", " 1\t2  3 ", "1\t2\t3" },
        { "net.ipv4.ip_local_port_range", "1024 65535", "1024\t65535" },
        { "net.ipv4.tcp_congestion_control", "reno", "reno" },
        { "net.ipv4.tcp_syn_retries", "127", "127" },
        { "net.core.busy_poll", "0", "0" },
        { "net.core.somaxconn", "4294967295", "4294967295" },
        { "net.ipv4.tcp_fastopen", "0x70403", "459779" },
        { "net.ipv4.tcp_fastopen", "0xffffffff", "4294967295" },
        { "net.ipv4.tcp_fastopen_key", "A1a1a1a1-b2b2b2b2-c3c3c3c3-00000001",
          "a1a1a1a1-b2b2b2b2-c3c3c3c3-00000001" },
        { "net.ipv4.tcp_fastopen_key",
          "00000001-00000002-00000003-00000004,00000005-00000006-00000007-00000008",
          "00000001-00000002-00000003-00000004,00000005-00000006-00000007-00000008" },
    };
    for (size_t i = 0; i < ARRAY_LEN(row); i++) {
        assert_int_equal(stack_sysctl(*state, row[i].name, row[i].value), 0);
        assert_reads(*state, row[i].name, row[i].read);
    }
}

static void values_reach_their_fields_in_microseconds(void **state)
{
    struct stack *st = *state;
    assert_int_equal(stack_sysctl(st, "net.ipv4.tcp_fin_timeout", "7"), 0);
    assert_int_equal(st->tcp.config.fin_timeout, 7000000);
    assert_int_equal(stack_sysctl(st, "net.ipv4.tcp_rto_min_us", "7"), 0);
    assert_int_equal(st->tcp.config.rto_min, 7);
    assert_int_equal(stack_sysctl(st, "tapir.tcp_delack_ms", "7"), 0);
    assert_int_equal(st->tcp.config.delack, 7000);
    assert_int_equal(stack_sysctl(st, "net.ipv4.tcp_rmem", "1 2 3"), 0);
    assert_int_equal(st->tcp.config.rmem_min, 1);
    assert_int_equal(st->tcp.config.rmem_default, 2);
    assert_int_equal(st->tcp.config.rmem_max, 3);
    assert_int_equal(stack_sysctl(st, "net.ipv4.ip_local_port_range", "10 20"), 0);
    assert_int_equal(st->net.config.port_low, 10);
    assert_int_equal(st->net.config.port_high, 20);
}

static void a_bad_value_is_refused_and_changes_nothing(void **state)
{
    static const struct {
        const char *name, *value;
    } row[] = {
        { "net.ipv4.tcp_sack", "2" },
        { "net.ipv4.tcp_sack", "-1" },
        { "net.ipv4.tcp_sack", "" },
        { "net.ipv4.tcp_sack", "yes" },
        { "net.ipv4.tcp_sack", "1x" },
        { "net.ipv4.tcp_sack", "0 0" },
        { "net.ipv4.tcp_syn_retries", "0" },
        { "net.ipv4.tcp_syn_retries", "128" },
        { "net.ipv4.ip_default_ttl", "0" },
        { "net.ipv4.ip_default_ttl", "256" },
        { "net.ipv4.tcp_rto_max_ms", "999" },
        { "net.ipv4.tcp_rto_max_ms", "120001" },
        { "net.ipv4.tcp_rto_min_us", "0" },
        { "net.core.somaxconn", "4294967296" },
        { "net.core.somaxconn", "0x100000000" },
        { "net.core.somaxconn", "0x" },
        { "net.core.somaxconn", "0xg" },
        { "net.ipv4.tcp_fastopen_key", "a1a1a1a1-b2b2b2b2-c3c3c3c3" },
        { "net.ipv4.tcp_fastopen_key", "a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4-" },
        { "net.ipv4.tcp_fastopen_key", "a1a1a1a1,b2b2b2b2,c3c3c3c3,d4d4d4d4" },
        { "net.core.somaxconn", "99999999999999999999999" },
        { "net.ipv4.tcp_rmem", "1 2" },
        { "net.ipv4.tcp_rmem", "1 2 3 4" },
        { "net.ipv4.tcp_rmem", "3 2 1" },
        { "net.ipv4.tcp_rmem", "0 1 2" },
        { "net.ipv4.ip_local_port_range", "2000 1000" },
        { "net.ipv4.ip_local_port_range", "1 65536" },
        { "net.ipv4.ip_local_port_range", "1000" },
        { "net.ipv4.tcp_congestion_control", "bbr" },
        { "net.ipv4.tcp_congestion_control", "" },
        { "tapir.tcp_delack_ms", "501" },
    };
    for (size_t i = 0; i < ARRAY_LEN(row); i++) {
        char before[64], after[64];
        stack_sysctl_get(*state, row[i].name, before, sizeof before);
        assert_int_equal(stack_sysctl(*state, row[i].name, row[i].value), -EINVAL);
        stack_sysctl_get(*state, row[i].name, after, sizeof after);
        assert_string_equal(before, after);
    }
}

static void a_name_of_linux_that_is_not_built_is_told_from_a_wrong_one(void **state)
{
    static const struct {
        const char *name;
        int result;
    } row[] = {
        { "net.ipv4.tcp_frto", -ENOTSUP },
        { "net.ipv4.tcp_recovery", -ENOTSUP },
        { "net.ipv4.tcp_frto", -ENOTSUP },
        { "net.ipv4.conf.all.rp_filter", -ENOTSUP },
        { "net.ipv6.conf.all.disable_ipv6", -ENOTSUP },
        { "net.core.rmem_max", -ENOTSUP },
        { "net.ipv4.tcp_sacks", -ENOENT },
        { "net.ipv4.tcp_sac", -ENOENT },
        { "tcp_sack", -ENOENT },
        { "net.ipv4.", -ENOENT },
        { "", -ENOENT },
    };
    char text[64];
    for (size_t i = 0; i < ARRAY_LEN(row); i++) {
        assert_int_equal(stack_sysctl(*state, row[i].name, "1"), row[i].result);
        assert_int_equal(stack_sysctl_get(*state, row[i].name, text, sizeof text),
                         -ENOENT);
    }
}

/* What is listed can be read, and what was read can be set. */
static void the_list_has_every_name_once(void **state)
{
    char text[64];
    unsigned n = 0;
    for (const char *name; (name = sysctl_name(n)) != NULL; n++) {
        for (unsigned i = 0; i < n; i++)
            assert_string_not_equal(name, sysctl_name(i));
        assert_true(stack_sysctl_get(*state, name, text, sizeof text) > 0);
        assert_int_equal(stack_sysctl(*state, name, text), 0);
    }
    assert_int_equal(n, 79);
}

static void reading_into_too_little_room_is_cut(void **state)
{
    char text[4];
    assert_int_equal(stack_sysctl_get(*state, "net.ipv4.tcp_rto_max_ms", text, 4), 3);
    assert_string_equal(text, "120");
    assert_int_equal(stack_sysctl_get(*state, "net.ipv4.tcp_sack", text, 0), -EINVAL);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(every_name_reads_its_default),
        T(what_is_set_is_read_back),
        T(values_reach_their_fields_in_microseconds),
        T(a_bad_value_is_refused_and_changes_nothing),
        T(a_name_of_linux_that_is_not_built_is_told_from_a_wrong_one),
        T(the_list_has_every_name_once),
        T(reading_into_too_little_room_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
