/* The last step before the link. What the link cannot do is done here in software, so
 * that the transports are written once:
 *
 *     super-segment, link without LINK_TSO        cut into wire frames (gso.c)
 *     partial checksum, link without LINK_CSUM    completed in place
 *     all else                                    handed over as it is
 *
 * A link that is full says so; the netif is then blocked until its owner calls back:
 * it takes nothing (-EAGAIN), and the caller still has the text. A cut super-segment of
 * which the link took a part cannot be given back. So a link that knows its room in
 * advance says that it is full while it still takes the rest of one; of a link that
 * does not, the rest is lost here, as it could have been on the wire.
 *
 * A link with LINK_BIG may find that it takes no frames beyond 64 KiB after all: it
 * says -EAGAIN and drops the capability, and the transport comes again with less.
 *
 * The trace shows frames that the link took, as the link got them. */
#include "net/netif.h"

#include <errno.h>

#include "net/gso.h"
#include "net/net.h"
#include "wire/eth.h"

static void trace_out(struct net *net, const struct pkt *p)
{
    struct trace_event event = { .at = net->now, .kind = TRACE_FRAME_OUT };

    event.u.frame.pkt = p;
    trace_emit(&net->trace, &event);
}

/* Hands one frame to the link, which borrows it. */
static int send_frame(struct netif *nif, const struct pkt *p)
{
    int r = nif->link->send(nif->link, p);

    nif->blocked |= r != 0;
    if (r < 0)
        return -EAGAIN;
    nif->out_frames++;
    nif->out_bytes += pkt_total(p);
    if (trace_on(&nif->net->trace))
        trace_out(nif->net, p);
    return 0;
}

/* Takes p, a super-segment that the link cannot cut. */
static int send_cut(struct netif *nif, struct pkt *p)
{
    struct net *net = nif->net;
    struct gso g;

    gso_begin(&g, p);
    /* From the reserve too: it is free again when this function returns. */
    struct pkt *frame = pkt_new_urgent(&net->pool, g.header_len + p->gso_size);
    if (!frame) {
        net_drop(net, p, DROP_NO_BUFFER);
        return 0;
    }
    int r = 0;
    while (r == 0 && gso_next(&g, frame))
        r = send_frame(nif, frame);
    pkt_free(frame);
    if (r < 0 && g.n > 1) {
        net_drop(net, p, DROP_LINK_BUSY);
        return 0;
    }
    pkt_free(p);
    return r;
}

/* The link has said meanwhile that it takes no such frames. */
static bool too_big(const struct netif *nif, const struct pkt *p)
{
    bool cuts = nif->link->caps & LINK_TSO;

    return cuts && !(nif->link->caps & LINK_BIG) &&
           pkt_total(p) > NETIF_GSO_MAX + ETH_LEN;
}

int netif_output(struct netif *nif, struct pkt *p)
{
    uint32_t caps = nif->link->caps;

    if (!nif->up) {
        net_drop(nif->net, p, DROP_LINK_DOWN);
        return -ENETDOWN;
    }
    if (nif->blocked) {
        pkt_free(p);
        return -EAGAIN;
    }
    if (too_big(nif, p)) {
        nif->blocked = true;
        pkt_free(p);
        return -EAGAIN;
    }
    /* A link that cuts must complete the checksums of what it cuts. */
    if (p->gso_size && (caps & (LINK_TSO | LINK_CSUM)) != (LINK_TSO | LINK_CSUM))
        return send_cut(nif, p);
    if (p->csum == PKT_CSUM_PARTIAL && !(caps & LINK_CSUM))
        csum_complete(p);
    int r = send_frame(nif, p);
    pkt_free(p);
    return r;
}
