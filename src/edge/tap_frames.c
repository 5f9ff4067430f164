/* How it works
 *
 * With IFF_VNET_HDR twelve bytes (struct virtio_net_hdr_v1) precede each frame both
 * ways and say what a network card would know of it:
 *
 *     read, write:   | vnet header 12 | Ethernet 14 | IP | TCP | text ... |
 *                      flags NEEDS_CSUM: the checksum field holds the pseudo-header's
 *                        sum; it lies at csum_start + csum_offset
 *                      flags DATA_VALID: the checksum was verified
 *                      gso_type, gso_size: a super-segment, to be cut every gso_size
 *
 * Writing. Linux takes a super-segment of more than an IPv4 packet's 65535 bytes, with
 * total length 0 (BIG TCP; a TAP since 6.6). It may still have no memory for one, which
 * must lie in few pieces: then the device takes none from there on (LINK_BIG goes).
 *
 * Reading. With offload any frame may be 64 KiB, most are an ACK of 66 bytes. All are
 * read into one large spare packet; what is small is copied out to a small packet and
 * the spare stays, what is large is handed on and a new spare comes off the pool's free
 * list. So a queue of small segments costs small packets, and nothing is ever cleared.
 * Who waits for a frame with a look at a time reads it as he looks, into the spare.
 *
 * A device that is down answers writes with EIO: the frame is dropped, counted, and the
 * device may come back. One that was deleted answers EBADFD for ever: it is dead. */
#include <assert.h>
#include <errno.h>
#include <linux/virtio_net.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/bytes.h"
#include "edge/tap.h"
#include "net/net.h"

enum {
    VNET_LEN = sizeof(struct virtio_net_hdr_v1),
    ETHERNET = 14,
    COPY_MAX = PKT_SMALL - PKT_HEADROOM, /* frames up to this are copied out */
    GATHER_MAX = 2048, /* frames up to this are written as one piece */
};

static_assert((int)VNET_LEN <= (int)PKT_HEADROOM, "it is read into the headroom");

/* ---- sending ---- */

static void vnet_describe(const struct pkt *p, struct virtio_net_hdr_v1 *vnet)
{
    size_t headers;

    memset(vnet, 0, sizeof *vnet);
    if (p->csum != PKT_CSUM_PARTIAL)
        return;
    vnet->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
    vnet->csum_start = (uint16_t)(p->csum_at - p->data);
    vnet->csum_offset = p->csum_field;
    if (!p->gso_size)
        return;
    headers = vnet->csum_start + (size_t)(p->csum_at[12] >> 4) * 4;
    if (pkt_total(p) - headers <= p->gso_size)
        return;
    vnet->gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
    vnet->hdr_len = (uint16_t)headers;
    vnet->gso_size = p->gso_size;
}

/* `len` bytes were not taken. */
static int send_failed(struct tap *t, size_t len, int err)
{
    enum drop why = DROP_LINK_ERROR;

    if (len > NETIF_GSO_MAX + ETHERNET && err != EAGAIN && err != EIO &&
        err != EBADFD) {
        t->port.link.caps &= ~(uint32_t)LINK_BIG;
        return -EAGAIN;
    }
    if (err == EAGAIN || err == ENOBUFS)
        return -EAGAIN;
    if (err == EBADFD)
        port_die(&t->port, "%s was deleted", t->port.name);
    if (err == EBADFD || err == EIO)
        why = DROP_LINK_DOWN;
    net_drop(t->port.net, NULL, why);
    return 0;
}

/* Copying a small frame is quicker than the kernel's way through a list of pieces. */
static ssize_t write_small(const struct tap *t, const struct virtio_net_hdr_v1 *vnet,
                           const struct pkt *p)
{
    uint8_t frame[VNET_LEN + GATHER_MAX];

    memcpy(frame, vnet, t->header);
    return write(t->port.fd, frame,
                 t->header + pkt_flatten(p, frame + t->header, GATHER_MAX));
}

static ssize_t write_pieces(const struct tap *t, const struct virtio_net_hdr_v1 *vnet,
                            const struct pkt *p)
{
    struct iovec iov[4] = { { (void *)(uintptr_t)vnet, t->header },
                            { p->data, p->len } };
    int n = 2;

    for (unsigned i = 0; i < p->n_text; i++)
        iov[n++] = (struct iovec){ (void *)(uintptr_t)p->text[i].at, p->text[i].len };
    return writev(t->port.fd, iov, n);
}

int tap_send(struct link *link, const struct pkt *p)
{
    struct tap *t = (struct tap *)(void *)link;
    struct virtio_net_hdr_v1 vnet;
    size_t len = pkt_total(p);

    if (t->header)
        vnet_describe(p, &vnet);
    if ((len <= GATHER_MAX ? write_small : write_pieces)(t, &vnet, p) >= 0)
        return 0;
    return send_failed(t, len, errno);
}

/* ---- reading ---- */

/* Takes over what the vnet header says. The kernel is believed, but not about offsets
 * beyond the frame: such a frame is verified like any other, and fails there. */
static void vnet_apply(const struct virtio_net_hdr_v1 *vnet, struct pkt *p)
{
    uint8_t gso = vnet->gso_type & (uint8_t)~VIRTIO_NET_HDR_GSO_ECN;

    p->csum = PKT_CSUM_FULL;
    if ((vnet->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) &&
        (size_t)vnet->csum_start + vnet->csum_offset + 2 <= p->len) {
        p->csum = PKT_CSUM_PARTIAL;
        p->csum_at = p->data + vnet->csum_start;
        p->csum_field = vnet->csum_offset;
    } else if (vnet->flags & VIRTIO_NET_HDR_F_DATA_VALID) {
        p->csum = PKT_CSUM_VERIFIED;
    }
    if (gso == VIRTIO_NET_HDR_GSO_TCPV4 || gso == VIRTIO_NET_HDR_GSO_TCPV6)
        p->gso_size = vnet->gso_size;
}

/* Room for the largest frame that may come, and a byte more: the device cuts what does
 * not fit and does not say so, a full buffer tells. */
static size_t read_room(const struct tap *t)
{
    return t->offload ? PKT_LARGE - PKT_HEADROOM : (size_t)t->port.mtu + ETHERNET + 1;
}

/* The spare holds a frame of `len` bytes, not yet accounted for. Gives it away, or a
 * copy in a small packet; when none is to be had, the frame is large as it is. */
static struct pkt *spare_take(struct tap *t, struct pkt_pool *pool, size_t len)
{
    struct pkt *p = NULL;

    if (t->spare->cap > PKT_SMALL && len <= COPY_MAX)
        p = pkt_new(pool, len);
    if (p) {
        memcpy(pkt_put(p, len), t->spare->data, len);
        return p;
    }
    p = t->spare;
    t->spare = NULL;
    pkt_put(p, len);
    return p;
}

static int read_failed(struct tap *t, int err)
{
    if (err == EAGAIN || err == EINTR)
        return 0;
    port_die(&t->port, "%s was deleted", t->port.name);
    return -ENETDOWN;
}

/* Bytes that fit the spare, vnet header and all. */
static size_t spare_room(const struct tap *t)
{
    return t->header + pkt_tailroom(t->spare);
}

/* Reads into the spare: bytes, or negative errno. */
static ssize_t spare_fill(const struct tap *t)
{
    ssize_t n = read(t->port.fd, t->spare->data - t->header, spare_room(t));

    return n < 0 ? -errno : n;
}

void tap_look(struct port *port)
{
    struct tap *t = (struct tap *)(void *)port;

    if (!t->spare || port->ahead)
        return;
    t->filled = spare_fill(t);
    port->ahead = t->filled != -EAGAIN && t->filled != -EINTR;
}

int tap_read(struct port *port, struct pkt_pool *pool, struct pkt **out)
{
    struct tap *t = (struct tap *)(void *)port;
    struct virtio_net_hdr_v1 vnet;
    ssize_t n;

    if (port->dead)
        return -ENETDOWN;
    if (!t->spare && !(t->spare = pkt_new(pool, read_room(t))))
        return -ENOBUFS;
    n = port->ahead ? t->filled : spare_fill(t);
    port->ahead = false;
    if (n < (ssize_t)t->header)
        return n < 0 ? read_failed(t, (int)-n) : 0;
    if ((size_t)n == spare_room(t)) {
        net_drop(port->net, NULL, DROP_LINK_TOO_BIG);
        return 0;
    }
    if (t->header)
        memcpy(&vnet, t->spare->data - t->header, sizeof vnet);
    *out = spare_take(t, pool, (size_t)n - t->header);
    if (t->header)
        vnet_apply(&vnet, *out);
    return 1;
}
