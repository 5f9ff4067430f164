/* How it works
 *
 * A TAP device is an Ethernet cable between the kernel and this process: what the
 * kernel sends on the device is read here, what is written here the kernel receives
 * (tap_frames.c).
 *
 * TUNSETOFFLOAD tells the kernel whether it may hand super-segments and checksums to be
 * completed to us; without it the kernel cuts and sums before we read. The setting,
 * like the length of the vnet header, belongs to the device and not to the descriptor,
 * so a persistent device would show it to its next user: it is set explicitly on open
 * and put back on close. An inherited descriptor is asked whether its frames have the
 * header; without it there is no offload, for nothing would say so of a frame. */
#include "edge/tap.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/bytes.h"
#include "edge/explain.h"

enum {
    VNET_LEN = sizeof(struct virtio_net_hdr_v1),
    VNET_LEN_DEFAULT = sizeof(struct virtio_net_hdr),
    QUEUE_LEN = 32768, /* txqueuelen of a device made here */
};

static_assert(sizeof(struct virtio_net_hdr_v1) == 12, "the vnet header is 12 bytes");

/* ---- opening ---- */

/* Names as the kernel takes them, without its "tap%d" patterns. */
static bool name_ok(const char *name)
{
    return *name && strlen(name) < IFNAMSIZ && !strpbrk(name, "/% :\t\n") &&
           strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static int open_failed(struct tapir_error *error, int err)
{
    explain(error, err, "cannot open /dev/net/tun");
    if (err == -ENOENT) {
        explain_cause(error, "the device node is missing: the driver is not loaded, or "
                             "the container hides it");
        explain_fix(error, "sudo modprobe tun; or sudo mkdir -p /dev/net && sudo mknod "
                           "/dev/net/tun c 10 200; in Docker: --device /dev/net/tun "
                           "--cap-add NET_ADMIN");
    } else if (err == -EACCES) {
        explain_cause(error, "its mode keeps this user out; a namespace of one's own "
                             "does not change that");
        explain_fix(error,
                    "sudo chmod 0666 /dev/net/tun (safe: what one may do with it "
                    "still takes rights)");
    } else if (err == -EPERM) {
        explain_cause(error, "the container's device rules forbid it");
        explain_fix(error, "in Docker: --device /dev/net/tun --cap-add NET_ADMIN");
    } else {
        explain_cause(error, "the kernel's tun driver is missing");
        explain_fix(error, "sudo modprobe tun, or no device at all: --link sim");
    }
    return err;
}

static int attach_refused(const struct tap *t, struct tapir_error *error)
{
    const char *name = t->port.name;

    if (t->made) {
        explain_cause(error,
                      "%s does not exist, and to make a device takes "
                      "CAP_NET_ADMIN in this network namespace",
                      name);
        explain_fix(error,
                    "--link ns; or once: sudo ip tuntap add dev %s mode tap user "
                    "$(id -un) vnet_hdr && sudo ip addr add 192.0.2.1/24 dev %s "
                    "&& sudo ip link set %s up",
                    name, name, name);
    } else {
        explain_cause(error, "%s belongs to another user", name);
        explain_fix(error,
                    "run as that user or as root, or make it again: sudo ip link "
                    "del %s; sudo ip tuntap add dev %s mode tap user $(id -un) "
                    "vnet_hdr",
                    name, name);
    }
    return -EPERM;
}

static int attach_failed(const struct tap *t, struct tapir_error *error, int err)
{
    const char *name = t->port.name;
    char what[64];

    snprintf(what, sizeof what, "cannot attach to %s", name);
    explain(error, err, what);
    if (err == -EPERM || err == -EACCES)
        return attach_refused(t, error);
    if (err == -EBUSY) {
        explain_cause(error, "another process holds %s", name);
        explain_fix(error,
                    "end it, or take another name; who it is: sudo grep -l "
                    "'iff:.*%s$' /proc/[0-9]*/fdinfo/*",
                    name);
    } else if (err == -EINVAL && !t->made) {
        explain_cause(error, "%s exists and is no TAP device with one queue", name);
        explain_fix(error,
                    "take another name: --link tap:tapir0 is made if it is missing");
    } else {
        explain_cause(error, "the kernel refused the device");
        explain_fix(error, "tapir doctor");
    }
    return err;
}

/* Vnet header length (0: the device has none) and offload flags, whatever the device's
 * last user left behind. */
static int set_offload(int fd, bool offload, int header)
{
    unsigned long flags = offload ? TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 : 0;

    if (header && ioctl(fd, TUNSETVNETHDRSZ, &header) < 0)
        return -errno;
    return ioctl(fd, TUNSETOFFLOAD, flags) < 0 ? -errno : 0;
}

static int offload_failed(struct tapir_error *error, int err)
{
    explain(error, err, "cannot set the offload of the TAP device");
    explain_cause(error, "this kernel's tun driver lacks it");
    explain_fix(error, "--no-offload");
    return err;
}

static int attach(struct tap *t, struct tapir_error *error)
{
    struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
    int err;

    snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", t->port.name);
    if (ioctl(t->port.fd, TUNSETIFF, &ifr) < 0)
        return attach_failed(t, error, -errno);
    err = set_offload(t->port.fd, t->offload, (int)t->header);
    return err < 0 ? offload_failed(error, err) : 0;
}

/* ---- the host's side of the device, by system calls: no `ip` is needed ---- */

static int host_refused(const char *name, int err, struct tapir_error *error)
{
    char what[64];

    snprintf(what, sizeof what, "cannot set up the host's side of %s", name);
    explain(error, err, what);
    explain_cause(error, "%s",
                  err == -EPERM ? "it takes CAP_NET_ADMIN"
                                : "the kernel refused an address, MTU or flag");
    explain_fix(error,
                "look at --host-addr and --mtu, or set the device up beforehand with "
                "`ip` and name it with --link tap:%s",
                name);
    return err;
}

/* One request on the interface; 0, or negative errno with *error. */
static int host_ioctl(int s, unsigned long request, struct ifreq *ifr,
                      struct tapir_error *error)
{
    return ioctl(s, request, ifr) < 0 ? host_refused(ifr->ifr_name, -errno, error) : 0;
}

static void put_address(struct sockaddr *sa, uint32_t n)
{
    struct sockaddr_in sin = { .sin_family = AF_INET };

    put32((uint8_t *)&sin.sin_addr, n);
    memcpy(sa, &sin, sizeof *sa);
}

static int set_address(int s, const struct port_setup *setup, struct ifreq *ifr,
                       struct tapir_error *error)
{
    uint32_t mask = setup->host_prefix ? 0xffffffffu << (32 - setup->host_prefix) : 0;
    int err;

    if (ip_is_any(setup->host_addr))
        return 0;
    put_address(&ifr->ifr_addr, ip4_num(setup->host_addr));
    err = host_ioctl(s, SIOCSIFADDR, ifr, error);
    if (err < 0)
        return err;
    put_address(&ifr->ifr_netmask, mask);
    return host_ioctl(s, SIOCSIFNETMASK, ifr, error);
}

/* txqueuelen, by netlink: the ioctl for it, alone of all, asks for the right in the
 * first user namespace and not in the device's own. 0 or negative errno. */
static int set_queue(const char *name, uint32_t frames)
{
    struct {
        struct nlmsghdr head;
        struct ifinfomsg link;
        struct rtattr attr;
        uint32_t frames;
    } ask = { .head = { .nlmsg_len = sizeof ask,
                        .nlmsg_type = RTM_NEWLINK,
                        .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
              .link = { .ifi_index = (int)if_nametoindex(name) },
              .attr = { .rta_len = sizeof ask.attr + sizeof ask.frames,
                        .rta_type = IFLA_TXQLEN },
              .frames = frames };
    struct {
        struct nlmsghdr head;
        struct nlmsgerr result;
        char quoted[sizeof ask];
    } answer;
    int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    int err = 0;

    if (s < 0)
        return -errno;
    if (send(s, &ask, sizeof ask, 0) < 0 || recv(s, &answer, sizeof answer, 0) < 0)
        err = -errno;
    else if (answer.head.nlmsg_type == NLMSG_ERROR)
        err = answer.result.error;
    close(s);
    return err;
}

static int host_configure(int s, const struct port_setup *setup, struct ifreq *ifr,
                          struct tapir_error *error)
{
    int err;

    ifr->ifr_mtu = (int)setup->mtu;
    err = host_ioctl(s, SIOCSIFMTU, ifr, error);
    if (err < 0)
        return err;
    err = set_queue(ifr->ifr_name, QUEUE_LEN);
    if (err < 0)
        return host_refused(ifr->ifr_name, err, error);
    return set_address(s, setup, ifr, error);
}

/* Sets the device up. One that is up already is left alone: that takes no right, so an
 * ordinary user can run on a device that root made for him. */
static int host_up(int s, struct ifreq *ifr, struct tapir_error *error)
{
    int err = host_ioctl(s, SIOCGIFFLAGS, ifr, error);

    if (err < 0 || (ifr->ifr_flags & IFF_UP))
        return err;
    ifr->ifr_flags = (short)(ifr->ifr_flags | IFF_UP);
    err = host_ioctl(s, SIOCSIFFLAGS, ifr, error);
    if (err < 0) {
        explain_cause(error, "%s is down, and to set it up takes CAP_NET_ADMIN",
                      ifr->ifr_name);
        explain_fix(error, "sudo ip link set %s up", ifr->ifr_name);
    }
    return err;
}

static int host_side(struct tap *t, const struct port_setup *setup,
                     struct tapir_error *error)
{
    struct ifreq ifr = { 0 };
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int err = 0;

    if (s < 0)
        return explain(error, -errno, "cannot open a socket of the kernel's");
    snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", t->port.name);
    if (t->made)
        err = host_configure(s, setup, &ifr, error);
    if (err == 0)
        err = host_up(s, &ifr, error);
    close(s);
    return err;
}

/* ---- the calls ---- */

/* Is this Linux 6.6 or later? An older one drops frames beyond 64 KiB, some of them
 * without a word. */
static bool kernel_takes_big(void)
{
    struct utsname name;
    int major, minor;

    if (uname(&name) < 0 || sscanf(name.release, "%d.%d", &major, &minor) != 2)
        return false;
    return major > 6 || (major == 6 && minor >= 6);
}

static uint32_t caps_of(const struct tap *t)
{
    if (!t->offload)
        return LINK_SHORT_QUEUE;
    return LINK_CSUM | LINK_TSO | (kernel_takes_big() ? LINK_BIG : 0);
}

static void init(struct tap *t, const struct port_setup *setup, unsigned header)
{
    static const struct port_ops ops = { .read = tap_read,
                                         .look = tap_look,
                                         .close = tap_close };

    memset(t, 0, sizeof *t);
    t->header = header;
    t->header_before = header ? VNET_LEN_DEFAULT : 0;
    t->offload = setup->offload && header;
    t->port.link.send = tap_send;
    t->port.link.caps = caps_of(t);
    t->port.ops = &ops;
    t->port.fd = t->port.door = -1;
    t->port.mtu = (uint16_t)setup->mtu;
}

int tap_open(struct tap *t, const struct port_setup *setup, struct tapir_error *error)
{
    int err;

    init(t, setup, VNET_LEN);
    if (!name_ok(setup->name)) {
        err = explain(error, -EINVAL, "cannot open the TAP device");
        explain_cause(error, "a device's name has 1 to 15 characters, none of them a "
                             "space, a colon, / or %%");
        explain_fix(error, "--link tap:tap0");
        return err;
    }
    snprintf(t->port.name, sizeof t->port.name, "%s", setup->name);
    t->made = if_nametoindex(setup->name) == 0;
    t->port.fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (t->port.fd < 0)
        return open_failed(error, -errno);
    err = attach(t, error);
    if (err == 0)
        err = host_side(t, setup, error);
    if (err < 0)
        tap_close(&t->port);
    return err;
}

static int adopt_failed(int fd, const char *cause, struct tapir_error *error)
{
    char what[64];

    snprintf(what, sizeof what, "cannot use descriptor %d as a link", fd);
    explain(error, -EINVAL, what);
    explain_cause(error, "%s", cause);
    explain_fix(error, "open /dev/net/tun, TUNSETIFF with IFF_TAP | IFF_NO_PI | "
                       "IFF_VNET_HDR; or hand over a connected stream socket");
    return -EINVAL;
}

/* Its flags stay with the open file, which the opener may still use. */
static void own_descriptor(struct tap *t, int fd)
{
    int flags = fcntl(fd, F_GETFL);

    t->port.fd = fd;
    t->blocking = !(flags & O_NONBLOCK);
    if (t->blocking)
        fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
}

int tap_adopt(struct tap *t, const struct port_setup *setup, struct tapir_error *error)
{
    struct ifreq ifr = { 0 };
    int fd = setup->fd, err;

    if (ioctl(fd, TUNGETIFF, &ifr) < 0)
        return adopt_failed(fd, "it is neither an attached TAP device nor a socket",
                            error);
    if (!(ifr.ifr_flags & IFF_TAP))
        return adopt_failed(fd, "it is a TUN device, which carries no Ethernet", error);
    init(t, setup, ifr.ifr_flags & IFF_VNET_HDR ? VNET_LEN : 0);
    snprintf(t->port.name, sizeof t->port.name, "%s", ifr.ifr_name);
    if (t->header && ioctl(fd, TUNGETVNETHDRSZ, &t->header_before) < 0)
        return offload_failed(error, -errno);
    err = set_offload(fd, t->offload, (int)t->header);
    if (err < 0)
        return offload_failed(error, err);
    own_descriptor(t, fd);
    return 0;
}

void tap_close(struct port *port)
{
    struct tap *t = (struct tap *)(void *)port;

    pkt_free(t->spare);
    t->spare = NULL;
    if (port->fd < 0)
        return;
    if (!t->made && !port->dead)
        set_offload(port->fd, false, t->header_before);
    if (t->blocking)
        fcntl(port->fd, F_SETFL, fcntl(port->fd, F_GETFL) & ~O_NONBLOCK);
    close(port->fd);
    port->fd = -1;
}
