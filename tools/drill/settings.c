/* A table: name and the function that takes the value. Settings of packetdrill that
 * have no meaning here (devices, remote machines, its own debugging) are accepted,
 * others are refused. */
#include "settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

static bool take_number(const char *value, long long max, long long *out)
{
    char *end;

    if (!value || !*value)
        return false;
    *out = strtoll(value, &end, 0);
    return *end == '\0' && *out >= 0 && *out <= max;
}

static bool take_u16(const char *value, uint16_t *out)
{
    long long n;

    if (!take_number(value, UINT16_MAX, &n))
        return false;
    *out = (uint16_t)n;
    return true;
}

static bool take_address(struct settings *s, const char *value, struct ip_addr *out)
{
    if (value && strchr(value, ':')) {
        s->unbuilt = "IPv6";
        return true;
    }
    return value && ip_parse(value, out);
}

static bool take_ip_version(struct settings *s, const char *value)
{
    s->unbuilt = value && strcmp(value, "ipv4") != 0 ? "IPv6" : NULL;
    return value && (!s->unbuilt || strncmp(value, "ipv", 3) == 0);
}

static bool take_local_ip(struct settings *s, const char *value)
{
    return take_address(s, value, &s->local);
}

static bool take_remote_ip(struct settings *s, const char *value)
{
    return take_address(s, value, &s->remote);
}

static bool take_netmask_ip(struct settings *s, const char *value)
{
    struct ip_addr mask;

    if (!value || !ip_parse(value, &mask))
        return false;
    s->prefix = (unsigned)__builtin_popcount(ip4_num(mask));
    return s->prefix > 0;
}

static bool take_bind_port(struct settings *s, const char *value)
{
    return take_u16(value, &s->bind_port);
}

static bool take_connect_port(struct settings *s, const char *value)
{
    return take_u16(value, &s->connect_port);
}

static bool take_mtu(struct settings *s, const char *value)
{
    uint16_t mtu;

    if (!take_u16(value, &mtu) || mtu < 68)
        return false;
    s->mtu = mtu;
    return true;
}

static bool take_tolerance_usecs(struct settings *s, const char *value)
{
    long long n;

    if (!take_number(value, 1000000000, &n))
        return false;
    s->tolerance = n;
    return true;
}

static bool take_tolerance_percent(struct settings *s, const char *value)
{
    char *end;

    if (!value || !*value)
        return false;
    s->tolerance_percent = strtod(value, &end);
    return *end == '\0' && s->tolerance_percent >= 0;
}

static bool take_tcp_ts_tick_usecs(struct settings *s, const char *value)
{
    long long n;

    if (!take_number(value, 1000000, &n))
        return false;
    s->stamp_tick = (uint32_t)n;
    return true;
}

static bool take_tcp_ts_ecr_scaled(struct settings *s, const char *value)
{
    s->stamp_scaled = true;
    return !value;
}

static bool take_strict_segments(struct settings *s, const char *value)
{
    s->strict_segments = true;
    return !value;
}

static bool take_non_fatal(struct settings *s, const char *value)
{
    s->lenient_packets = value && strstr(value, "packet");
    s->lenient_calls = value && strstr(value, "syscall");
    return s->lenient_packets || s->lenient_calls;
}

static bool take_udp_encapsulation(struct settings *s, const char *value)
{
    s->unbuilt = "TCP over UDP";
    return value;
}

static bool take_psp_udp_port(struct settings *s, const char *value)
{
    s->unbuilt = "PSP encryption";
    return value;
}

static bool take_nothing(struct settings *s, const char *value)
{
    (void)s;
    (void)value;
    return true;
}

static const struct {
    const char *name;
    bool (*take)(struct settings *s, const char *value);
} table[] = {
    { "ip_version", take_ip_version },
    { "local_ip", take_local_ip },
    { "remote_ip", take_remote_ip },
    { "netmask_ip", take_netmask_ip },
    { "gateway_ip", take_nothing }, /* every address is at the end of the wire */
    { "bind_port", take_bind_port },
    { "connect_port", take_connect_port },
    { "mtu", take_mtu },
    { "tolerance_usecs", take_tolerance_usecs },
    { "tolerance_percent", take_tolerance_percent },
    { "tcp_ts_tick_usecs", take_tcp_ts_tick_usecs },
    { "tcp_ts_ecr_scaled", take_tcp_ts_ecr_scaled },
    { "strict_segments", take_strict_segments },
    { "non_fatal", take_non_fatal },
    { "udp_encapsulation", take_udp_encapsulation },
    { "psp_udp_port", take_psp_udp_port },
    { "define", take_nothing }, /* the parser's */
    { "mss", take_nothing },    /* of what a device would cut on the way in */
    { "speed", take_nothing },
    { "init_scripts", take_nothing },
    { "verbose", take_nothing },
    { "debug", take_nothing },
    { "dry_run", take_nothing },
    { "code_command", take_nothing },
    { "code_format", take_nothing },
    { "code_sockopt", take_nothing },
    { "persistent_tun_dev", take_nothing },
    { "tun_dev", take_nothing },
    { "is_anyip", take_nothing },
    { "send_omit_free", take_nothing },
    { "no_cleanup", take_nothing },
    { "tcp_md5_secret", take_nothing },
};

bool setting_exists(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (strcmp(table[i].name, name) == 0)
            return true;
    return false;
}

static int refuse(const struct setting *s, const char *what, struct script_error *error)
{
    error->line = s->line;
    error->column = s->column;
    snprintf(error->text, sizeof error->text, "%s --%.60s%s%.60s", what, s->name,
             s->value ? "=" : "", s->value ? s->value : "");
    return -EINVAL;
}

static int take_all(struct settings *out, const struct setting *list,
                    struct script_error *error)
{
    for (const struct setting *s = list; s; s = s->next) {
        size_t i = 0;

        while (i < ARRAY_LEN(table) && strcmp(table[i].name, s->name) != 0)
            i++;
        if (i == ARRAY_LEN(table))
            return refuse(s, "there is no option", error);
        if (!table[i].take(out, s->value))
            return refuse(s, "bad value:", error);
    }
    return 0;
}

int settings_make(struct settings *out, const struct setting *script,
                  const struct setting *program, struct script_error *error)
{
    int err;

    *out = (struct settings){
        .local = ip4_addr(0xc0a80001),  /* 192.168.0.1 */
        .remote = ip4_addr(0xc0000201), /* 192.0.2.1 */
        .prefix = 16,
        .bind_port = 8080,
        .connect_port = 8080,
        .mtu = 1500,
        .tolerance = 4000,
        .tolerance_percent = 12.5,
    };
    err = take_all(out, script, error);
    return err < 0 ? err : take_all(out, program, error);
}
