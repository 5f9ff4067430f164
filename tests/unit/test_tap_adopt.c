/* Descriptors that another program has opened and left to this one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "edge/tap.h"
#include "harness/tap_rig.h"

/* A descriptor as another program leaves it: attached, blocking; flags of TUNSETIFF. */
static int attached(const char *name, int flags)
{
    struct ifreq ifr = { .ifr_flags = (short)flags };
    int fd = open("/dev/net/tun", O_RDWR);

    assert_true(fd >= 0);
    snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", name);
    assert_int_equal(ioctl(fd, TUNSETIFF, &ifr), 0);
    return fd;
}

/* As rig_open(), with the descriptor instead of the name. */
static void rig_adopt(struct rig *r, int fd, const char *name)
{
    struct port_setup how = { .kind = PORT_FD, .fd = fd, .offload = true, .mtu = 1500 };
    struct tapir_error e;

    device_set_flags(name, IFF_UP);
    memset(r, 0, sizeof *r);
    pkt_pool_init(&r->net.pool, 16 << 20, 0);
    if (tap_adopt(&r->tap, &how, &e) < 0)
        fail_msg("%s; %s; %s", e.what, e.cause, e.fix);
    r->tap.port.net = &r->net;
    rig_peer(r);
}

static void an_inherited_device_is_taken_over_and_put_back(void **state)
{
    int fd, kept, header = 16;
    struct rig r;

    tap_rig_need();
    fd = attached("tapir-left", IFF_TAP | IFF_NO_PI | IFF_VNET_HDR);
    kept = dup(fd);
    assert_int_equal(ioctl(fd, TUNSETVNETHDRSZ, &header), 0);
    rig_adopt(&r, fd, "tapir-left");
    assert_string_equal(r.tap.port.name, "tapir-left");
    assert_int_equal(r.tap.port.link.caps & ~(uint32_t)LINK_BIG, LINK_CSUM | LINK_TSO);
    assert_int_equal(device_tso("tapir-left"), 1);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_true(fcntl(kept, F_GETFL) & O_NONBLOCK);
    rig_close(&r);
    assert_int_equal(device_tso("tapir-left"), 0);
    assert_int_equal(ioctl(kept, TUNGETVNETHDRSZ, &header), 0);
    assert_int_equal(header, 16);
    assert_false(fcntl(kept, F_GETFL) & O_NONBLOCK);
    close(kept);
}

static void an_inherited_device_carries_super_segments(void **state)
{
    static uint8_t frame[64000];
    size_t len = tcp_frame(frame, 60000);
    struct rig r;
    struct pkt *p;

    tap_rig_need();
    rig_adopt(&r, attached("tapir-left", IFF_TAP | IFF_NO_PI | IFF_VNET_HDR),
              "tapir-left");
    peer_send(&r, &rig_super, frame, len);
    p = rig_read(&r);
    assert_int_equal(p->len, 60054);
    assert_int_equal(p->gso_size, 1460);
    pkt_free(p);
    rig_close(&r);
}

/* Without IFF_VNET_HDR there are frames and nothing else, and so no offload. */
static void an_inherited_device_without_vnet_header_carries_bare_frames(void **state)
{
    struct virtio_net_hdr vnet = { 0 };
    uint8_t frame[2000], got[2000];
    size_t len = plain_frame(frame, 100);
    struct rig r;
    struct pkt *p;

    tap_rig_need();
    rig_adopt(&r, attached("tapir-bare", IFF_TAP | IFF_NO_PI), "tapir-bare");
    assert_int_equal(r.tap.port.link.caps, LINK_SHORT_QUEUE);
    peer_send(&r, &vnet, frame, len);
    p = rig_read(&r);
    assert_int_equal(p->len, 114);
    assert_int_equal(p->csum, PKT_CSUM_FULL);
    assert_memory_equal(p->data, frame, 114);
    assert_int_equal(r.tap.port.link.send(&r.tap.port.link, p), 0);
    assert_int_equal(peer_recv(&r, &vnet, got), 114);
    assert_memory_equal(got, frame, 114);
    pkt_free(p);
    rig_close(&r);
}

static void adopt_refused(int fd, const char *cause)
{
    struct port_setup how = { .kind = PORT_FD, .fd = fd, .mtu = 1500 };
    struct tapir_error e;
    struct tap t;

    assert_int_equal(tap_adopt(&t, &how, &e), -EINVAL);
    assert_non_null(strstr(e.cause, cause));
    assert_true(e.fix[0]);
    assert_false(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_int_equal(close(fd), 0);
}

static void an_inherited_descriptor_that_carries_no_frames_is_refused(void **state)
{
    tap_rig_need();
    adopt_refused(open("/dev/net/tun", O_RDWR), "neither an attached TAP");
    adopt_refused(attached("tapir-tun", IFF_TUN | IFF_NO_PI), "no Ethernet");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_inherited_device_is_taken_over_and_put_back),
        cmocka_unit_test(an_inherited_device_carries_super_segments),
        cmocka_unit_test(an_inherited_device_without_vnet_header_carries_bare_frames),
        cmocka_unit_test(an_inherited_descriptor_that_carries_no_frames_is_refused),
    };

    return cmocka_run_group_tests(tests, tap_rig_enter, NULL);
}
