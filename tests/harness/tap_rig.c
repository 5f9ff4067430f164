#include "harness/tap_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/bytes.h"
#include "edge/ns.h"

/* The packet socket sees every frame that crosses the device, both ways, and the kernel
 * adds some of its own (router solicitation, group reports), so a reader looks for the
 * frames that were made here: of EtherType TYPE, or TCP. */

enum {
    TYPE = 0x88b5,          /* local experimental */
    FRAME_MAX = 300 * 1024, /* the largest that a test sends */
};

static bool permitted;

int tap_rig_enter(void **state)
{
    struct tapir_error e = { "/dev/net/tun cannot be opened", "", "" };
    int fd;

    (void)state;
    permitted = ns_enter(&e) == 0 && access("/dev/net/tun", R_OK | W_OK) == 0;
    if (!permitted)
        print_message("not permitted here: %s\n", e.what);
    fd = open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY);
    if (fd >= 0 && write(fd, "1", 1) != 1)
        print_message("IPv6 stays on\n");
    close(fd);
    return 0;
}

void tap_rig_need(void)
{
    if (!permitted)
        skip();
}

struct port_setup tap_rig_how(const char *name, bool offload)
{
    return (struct port_setup){ .name = name,
                                .offload = offload,
                                .host_addr = ip4_addr(0xc0000201),
                                .host_prefix = 24,
                                .mtu = 1500 };
}

void rig_peer(struct rig *r)
{
    struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(TYPE) };
    int on = 1;

    r->peer = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    assert_true(r->peer >= 0);
    at.sll_ifindex = (int)if_nametoindex(r->tap.port.name);
    assert_int_equal(setsockopt(r->peer, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on),
                     0);
    /* Frames of any type come to it; peer_recv() looks for ours. */
    at.sll_protocol = htons(0x0003);
    assert_int_equal(bind(r->peer, (struct sockaddr *)&at, sizeof at), 0);
}

void rig_open(struct rig *r, const struct port_setup *how)
{
    struct tapir_error e;

    tap_rig_need();
    memset(r, 0, sizeof *r);
    pkt_pool_init(&r->net.pool, 16 << 20, 0);
    if (tap_open(&r->tap, how, &e) < 0)
        fail_msg("%s; %s; %s", e.what, e.cause, e.fix);
    r->tap.port.net = &r->net;
    rig_peer(r);
}

void rig_close(struct rig *r)
{
    close(r->peer);
    tap_close(&r->tap.port);
    assert_int_equal(r->net.pool.live, 0);
    pkt_pool_free(&r->net.pool);
}

/* An Ethernet frame of TYPE with `len` bytes behind the header, each its offset. */
size_t plain_frame(uint8_t *b, size_t len)
{
    memset(b, 0xff, 12);
    b[12] = TYPE >> 8;
    b[13] = TYPE & 255;
    for (size_t i = 0; i < len; i++)
        b[14 + i] = (uint8_t)i;
    return 14 + len;
}

/* An Ethernet frame with a TCP segment of `len` bytes whose checksum is left to the
 * device. */
const struct virtio_net_hdr rig_super = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                                          .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
                                          .hdr_len = 54,
                                          .gso_size = 1460,
                                          .csum_start = 34,
                                          .csum_offset = 16 };

size_t tcp_frame(uint8_t *b, size_t len)
{
    static const uint8_t
        head[54] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2,    0, 0,  0, 0, 9,
                     8,    0, /* Ethernet */
                     0x45, 0,    0,    0,    0,    0,    0x40, 0, 64, 6, 0, 0, /* IP */
                     192,  0,    2,    1,    192,  0,    2,    2, /* addresses */
                     0x1f, 0x90, 0,    80,   0,    0,    0,    1, 0,  0, 0, 1,
                     0x50, 0x10, 1,    0 };
    uint32_t sum = 0;

    memcpy(b, head, sizeof head);
    put16(b + 16, (uint16_t)(40 + len));
    for (size_t i = 14; i < 34; i += 2)
        sum += get16(b + i);
    sum = (sum & 0xffff) + (sum >> 16);
    put16(b + 24, (uint16_t) ~((sum & 0xffff) + (sum >> 16)));
    /* The pseudo-header's sum: addresses, protocol, length. */
    sum = 2 * (192u << 8) + 2 * (2u << 8) + 1 + 2 + 6 + 20 + (uint32_t)len;
    put16(b + 50, (uint16_t)((sum & 0xffff) + (sum >> 16)));
    for (size_t i = 0; i < len; i++)
        b[54 + i] = (uint8_t)i;
    return 54 + len;
}

void peer_send(struct rig *r, const struct virtio_net_hdr *vnet, const uint8_t *frame,
               size_t len)
{
    uint8_t buf[70000];

    memcpy(buf, vnet, sizeof *vnet);
    memcpy(buf + sizeof *vnet, frame, len);
    len += sizeof *vnet;
    assert_int_equal(send(r->peer, buf, len, 0), len);
}

/* The next frame that is ours: of TYPE, or TCP. Waits for it, five seconds at most. */
struct pkt *rig_read(struct rig *r)
{
    struct pollfd fd = { .fd = r->tap.port.fd, .events = POLLIN };
    struct pkt *p = NULL;

    for (;;) {
        int got = tap_read(&r->tap.port, &r->net.pool, &p);

        assert_true(got >= 0);
        if (got == 0) {
            assert_int_equal(poll(&fd, 1, 5000), 1);
            continue;
        }
        if (get16(p->data + 12) == TYPE || (p->len > 53 && p->data[23] == 6))
            return p;
        pkt_free(p);
    }
}

size_t peer_recv(struct rig *r, struct virtio_net_hdr *vnet, uint8_t *frame)
{
    struct pollfd fd = { .fd = r->peer, .events = POLLIN };
    static uint8_t buf[FRAME_MAX];

    for (;;) {
        struct sockaddr_ll from;
        socklen_t from_len = sizeof from;
        ssize_t n;

        assert_int_equal(poll(&fd, 1, 5000), 1);
        n = recvfrom(r->peer, buf, sizeof buf, 0, (struct sockaddr *)&from, &from_len);
        assert_true(n > (ssize_t)sizeof *vnet);
        if (from.sll_pkttype == PACKET_OUTGOING)
            continue;
        memcpy(vnet, buf, sizeof *vnet);
        memcpy(frame, buf + sizeof *vnet, (size_t)n - sizeof *vnet);
        return (size_t)n - sizeof *vnet;
    }
}

struct ifreq device_ask(const char *name, unsigned long request)
{
    struct ifreq ifr = { 0 };
    int s = socket(AF_INET, SOCK_DGRAM, 0);

    snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", name);
    assert_int_equal(ioctl(s, request, &ifr), 0);
    close(s);
    return ifr;
}

uint32_t device_tso(const char *name)
{
    struct ethtool_value value = { .cmd = ETHTOOL_GTSO };
    struct ifreq ifr = { .ifr_data = (void *)&value };
    int s = socket(AF_INET, SOCK_DGRAM, 0);

    snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", name);
    assert_int_equal(ioctl(s, SIOCETHTOOL, &ifr), 0);
    close(s);
    return value.data;
}

void device_set_flags(const char *name, short flags)
{
    struct ifreq ifr = { .ifr_flags = flags };
    int s = socket(AF_INET, SOCK_DGRAM, 0);

    snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", name);
    assert_int_equal(ioctl(s, SIOCSIFFLAGS, &ifr), 0);
    close(s);
}

/* A persistent device as another program would have left it; its descriptor. */
int device_make(const char *name, int mtu)
{
    struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };
    int fd, s;

    tap_rig_need();
    fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    s = socket(AF_INET, SOCK_DGRAM, 0);
    snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", name);
    assert_int_equal(ioctl(fd, TUNSETIFF, &ifr), 0);
    assert_int_equal(ioctl(fd, TUNSETPERSIST, 1), 0);
    assert_int_equal(ioctl(fd, TUNSETOWNER, 0), 0);
    ifr.ifr_mtu = mtu;
    assert_int_equal(ioctl(s, SIOCSIFMTU, &ifr), 0);
    close(s);
    return fd;
}

void device_delete(const char *name)
{
    struct {
        struct nlmsghdr h;
        struct ifinfomsg i;
    } ask_for = { .h = { .nlmsg_len = sizeof ask_for,
                         .nlmsg_type = RTM_DELLINK,
                         .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
                  .i = { .ifi_index = (int)if_nametoindex(name) } };
    char answer[200];
    int s = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

    assert_int_equal(send(s, &ask_for, sizeof ask_for, 0), sizeof ask_for);
    assert_true(recv(s, answer, sizeof answer, 0) > 0);
    close(s);
    assert_int_equal(if_nametoindex(name), 0);
}
