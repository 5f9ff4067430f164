/* What people type: addresses, the emulator's words, the configuration of a stack,
 * tunables; and what strangers send in place of a SYN cookie. Text that is taken prints
 * as itself or means the same when it is printed and read again; text that is refused
 * is refused with a reason. */
#include <errno.h>

#include "base/bytes.h"
#include "edge/config.h"
#include "edge/netem_units.h"
#include "fuzz/fuzz.h"
#include "harness/guarded.h"
#include "stack/sysctl.h"
#include "tcp/tcp_cookie.h"

enum { LINE = 2048, WORDS = 8 };

/* A string of the input, up to a NUL or its end, at the end of a page. */
static const char *string(struct fuzz_in *in, char room[LINE])
{
    size_t n = 0;

    while (n < LINE - 1 && in->left > 0 && *in->at != '\0')
        room[n++] = (char)fuzz_u8(in);
    fuzz_u8(in);
    room[n] = '\0';
    return room;
}

static void one_address(struct fuzz_in *in)
{
    char room[LINE], printed[ADDR_TEXT], back[ADDR_TEXT];
    const char *s = string(in, room);
    struct ip_addr a, again;
    struct mac_addr mac;
    unsigned prefix;
    struct text t;

    s = guarded(s, strlen(s) + 1);
    text_init(&t, printed, sizeof printed);
    if (ip_parse(s, &a)) {
        ip_print(&t, a);
        assert(!t.cut && strcmp(printed, s) == 0);
    } else if (ip_parse_prefix(s, &a, &prefix)) {
        ip_print(&t, a);
        assert(ip_is4(a) && prefix <= 32);
        assert(strncmp(printed, s, t.len) == 0 && s[t.len] == '/');
        assert(ip_parse(printed, &again) && ip_eq(a, again));
        assert(ip_same_net(a, ip4_subnet_broadcast(a, prefix), prefix));
    } else if (mac_parse(s, &mac)) {
        mac_print(&t, mac);
        struct mac_addr same;
        assert(mac_parse(printed, &same) && mac_eq(mac, same));
        text_init(&t, back, sizeof back);
        mac_print(&t, same);
        assert(strcmp(printed, back) == 0);
    }
}

/* What was understood can be run: frames go in and come out. */
static void run_netem(const struct netem_config *config)
{
    static struct netem n; /* tens of kilobytes */
    struct counters count = { .n = { 0 } };
    struct pkt_pool pool;
    struct pkt *p;

    pkt_pool_init(&pool, 1 << 20, 0);
    netem_init(&n, config, 1, &count);
    for (int i = 0; i < 4; i++) {
        p = pkt_new(&pool, 100);
        assert(p);
        memset(pkt_put(p, 60), i, 60);
        netem_offer(&n, p, i * 1000);
    }
    for (int i = 0; i < 50 && netem_deadline(&n) != NEVER; i++)
        while ((p = netem_take(&n, netem_deadline(&n))) != NULL)
            pkt_free(p);
    assert(netem_held(&n) == 0);
    netem_free(&n);
    pkt_pool_free(&pool);
}

static void one_netem(struct fuzz_in *in)
{
    static struct netem_spec spec;
    char room[LINE], why[160] = "";
    const char *s = string(in, room);
    usec time;
    double share;
    uint64_t rate;

    s = guarded(s, strlen(s) + 1);
    if (netem_read_time(s, &time))
        assert(time >= 0 && time <= 3600 * USEC_PER_SEC);
    if (netem_read_percent(s, &share))
        assert(share >= 0 && share <= 1);
    if (netem_read_rate(s, &rate))
        assert(rate >= 8 && rate <= (uint64_t)1000000000000);
    int err = netem_parse(s, &spec, why, sizeof why);
    assert(err == 0 || (err == -EINVAL && why[0] != '\0'));
    if (err == 0) {
        run_netem(&spec.out);
        run_netem(&spec.in);
    }
}

static void one_config(struct fuzz_in *in)
{
    static struct plan plan;
    static char room[WORDS][LINE];
    struct tapir_error error;
    struct tapir_config c = { .seeded = true };
    const char **field[] = { &c.addr, &c.gateway, &c.host_addr, &c.mac, &c.netem };
    unsigned given = fuzz_u8(in);

    c.mtu = given & 32 ? fuzz_u16(in) : 0;
    c.seed = given;
    for (unsigned i = 0; i < ARRAY_LEN(field); i++)
        if (given & 1u << i)
            *field[i] = string(in, room[i]);
    int err = plan_make(&c, true, &plan, &error);
    assert(err == 0 || err == -EINVAL);
    if (err < 0) {
        assert(error.what[0] != '\0');
        return;
    }
    assert(ip_is4(plan.addr) && plan.prefix >= 1 && plan.prefix <= 32);
    assert(!mac_is_multicast(plan.mac) && plan.port.mtu >= 68);
}

static void one_tunable(struct fuzz_in *in)
{
    static struct stack *st;
    char value[LINE], was[200], back[200];
    unsigned n = 0, i = fuzz_u8(in);

    if (!st) {
        struct stack_config config = { .seed = 1 };
        st = stack_new(&config);
        assert(st);
    }
    while (sysctl_name(n))
        n++;
    const char *name = sysctl_name(i % n);
    if (stack_sysctl(st, name, string(in, value)) < 0)
        return;
    assert(stack_sysctl_get(st, name, was, sizeof was) > 0);
    assert(stack_sysctl(st, name, was) == 0);
    assert(stack_sysctl_get(st, name, back, sizeof back) > 0);
    assert(strcmp(was, back) == 0);
}

/* Ours is taken for as long as it is said to be, and any other number is not. */
static void one_cookie(struct fuzz_in *in)
{
    static const uint16_t mss[] = { 536, 1300, 1440, 1460, 65535 };
    struct net net = { .now = fuzz_u32(in) };
    struct tcp tcp = { .net = &net,
                       .config = {
                           .sack = true, .timestamps = true, .window_scaling = true } };
    struct tcp_slot slot = { .local_port = 80, .remote_port = fuzz_u16(in) };
    struct seq irs = seq_at(fuzz_u32(in));
    uint16_t peer = mss[fuzz_pick(in, ARRAY_LEN(mss))], got = 0;
    struct tcp_opts syn = { .has_ts = true }, back = { .has_ts = true };

    slot.local = slot.remote = ip4_addr(0xc0000200u + fuzz_u8(in));
    net.secret.k[0] = fuzz_u32(in);
    net.secret.k[1] = fuzz_u32(in);
    struct seq iss = tcp_cookie_make(&tcp, &slot, irs, peer);
    syn.sack_ok = peer & 1;
    syn.has_wscale = peer & 4;
    syn.wscale = syn.has_wscale ? 7 : 0;
    bool ecn = slot.remote_port & 1;
    struct tcp_opts ack = { .has_ts = true,
                            .ts_ecr = tcp_cookie_stamp(&tcp, &slot, &syn, ecn) };
    assert(tcp_cookie_options(&tcp, &slot, &ack, &back) == ecn);
    assert(back.sack_ok == syn.sack_ok && back.has_wscale == syn.has_wscale);
    assert(back.wscale == syn.wscale);
    net.now += fuzz_u8(in) * USEC_PER_SEC / 4; /* a minute at most */
    assert(tcp_cookie_check(&tcp, &slot, irs, iss, &got));
    assert(got <= peer);
    uint32_t other = fuzz_u32(in);
    if (other != 0 && tcp_cookie_check(&tcp, &slot, irs, seq_add(iss, other), &got))
        assert(got >= 536 && got <= 8960);
}

void fuzz_text(const uint8_t *data, size_t size)
{
    static void (*const what[])(struct fuzz_in *) = { one_address, one_netem,
                                                      one_config, one_tunable,
                                                      one_cookie };
    struct fuzz_in in = { data, size };

    what[fuzz_pick(&in, ARRAY_LEN(what))](&in);
}
