#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/nethost.h"

#include <stdlib.h>
#include <string.h>

static void record(void *ctx, const struct trace_event *event)
{
    struct nethost *h = ctx;

    if (h->n_events < NETHOST_EVENTS)
        h->event[h->n_events] = event->kind;
    h->n_events++;
}

int nethost_setup(void **state)
{
    struct nethost *h = calloc(1, sizeof(*h));
    struct net_setup setup = { .seed = 1,
                               .pool_limit = (size_t)16 << 20,
                               .trace = { .fn = record, .ctx = h } };

    net_init(&h->net, &setup);
    wirelink_init(&h->wire, 0);
    h->nif = (struct netif){ .link = &h->wire.link,
                             .name = "tap0",
                             .mac = { { 2, 0, 0, 0, 0, 2 } },
                             .mtu = 1500 };
    if (net_add_netif(&h->net, &h->nif, nethost_ip("192.0.2.2"), 24) < 0)
        return -1;
    wirelink_clear(&h->wire);
    h->n_events = 0;
    memset(&h->net.count, 0, sizeof(h->net.count));
    h->nif.out_frames = h->nif.out_bytes = 0;
    *state = h;
    return 0;
}

int nethost_teardown(void **state)
{
    struct nethost *h = *state;

    assert_silence(h);
    neigh_clear(&h->net);
    pkt_queue_clear(&h->net.loop);
    assert_int_equal(h->net.pool.live, 0);
    net_free(&h->net);
    wirelink_free(&h->wire);
    free(h);
    return 0;
}

size_t nethost_events(const struct nethost *h, enum trace_kind kind)
{
    size_t n = 0;

    assert_true(h->n_events <= NETHOST_EVENTS);
    for (size_t i = 0; i < h->n_events; i++)
        n += h->event[i] == kind;
    return n;
}

static int nibble(char c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

static size_t unhex(const char *hex, uint8_t *out, size_t room)
{
    size_t digits = 0;

    for (; *hex; hex++) {
        if (*hex == ' ')
            continue;
        assert_true(digits / 2 < room);
        out[digits / 2] = (uint8_t)(out[digits / 2] << 4 | nibble(*hex));
        digits++;
    }
    assert_int_equal(digits % 2, 0);
    return digits / 2;
}

static void tohex(const uint8_t *at, size_t len, char *out, size_t room)
{
    assert_true(2 * len < room);
    for (size_t i = 0; i < len; i++) {
        *out++ = "0123456789abcdef"[at[i] >> 4];
        *out++ = "0123456789abcdef"[at[i] & 15];
    }
    *out = 0;
}

struct pkt *nethost_hex(struct nethost *h, const char *hex)
{
    uint8_t b[2048] = { 0 };
    size_t len = unhex(hex, b, sizeof(b));
    struct pkt *p = pkt_new(&h->net.pool, len);

    assert_non_null(p);
    memcpy(pkt_put(p, len), b, len);
    return p;
}

struct pkt *nethost_ip4(struct nethost *h, const struct ip4 *ip, const char *hex)
{
    struct pkt *p = nethost_hex(h, hex);
    struct ip4 header = *ip;

    header.total_len = (uint16_t)(p->len + 20);
    if (header.ttl == 0)
        header.ttl = 64;
    ip4_emit(pkt_push(p, 20), &header);
    return p;
}

void nethost_know_peer(struct nethost *h)
{
    struct mac_addr mac = { { 2, 0, 0, 0, 0, 1 } };

    neigh_learn(&h->net, &h->nif, nethost_ip("192.0.2.1"), mac, true);
}

void assert_bytes(const uint8_t *at, size_t len, const char *hex)
{
    uint8_t want[2048] = { 0 };
    char got_text[4100], want_text[4100];
    size_t n = unhex(hex, want, sizeof(want));

    tohex(at, len, got_text, sizeof(got_text));
    tohex(want, n, want_text, sizeof(want_text));
    assert_string_equal(got_text, want_text);
}

void assert_frame(struct nethost *h, const char *hex)
{
    struct pkt *p = wirelink_pop(&h->wire);
    uint8_t frame[2048];

    assert_non_null(p);
    size_t len = pkt_flatten(p, frame, sizeof(frame));
    pkt_free(p); /* before a failure leaves this function */
    assert_bytes(frame, len, hex);
}

void assert_silence(struct nethost *h)
{
    assert_int_equal(h->wire.sent.n, 0);
}

struct ip_addr nethost_ip(const char *text)
{
    struct ip_addr a;

    assert_true(ip_parse(text, &a));
    return a;
}
