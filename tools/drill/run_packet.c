/* Packets of the script. One that comes in is put together in the wire's numbers and
 * arrives when it is due. One that goes out is waited for: the next packet of the
 * socket under test must be it, at its time. Segments of equal size that continue each
 * other make up a larger one of the script; it ends as the last of them. */
#include "run.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "edge/raw.h"
#include "wire.h"
#include "wire/tcp_wire.h"

/* How much later than it should a packet may come to be shown as late, not as missing;
 * and how long one that may come at any time is waited for. */
static const usec grace = 2 * USEC_PER_SEC, patience = 3600LL * USEC_PER_SEC;

/* ---- which socket ---- */

static bool is_syn(const struct packet *p)
{
    return p->kind == PACKET_TCP && (p->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

static bool is_syn_ack(const struct packet *p)
{
    return p->kind == PACKET_TCP && (p->flags & TCP_SYN) && (p->flags & TCP_ACK);
}

/* A packet comes to a listener, or to nobody: a socket that will be accepted, perhaps.
 */
static struct flow *arrive(struct run *r, const struct packet *p)
{
    struct flow *f = run_new_flow(r, PACKET_TCP);

    f->state = FLOW_ARRIVED;
    f->remote_isn = p->seq;
    f->local_port = r->settings.bind_port;
    f->remote_port = r->next_port++;
    return f;
}

static struct flow *flow_of(struct run *r, const struct packet *p)
{
    struct flow *f = r->under_test;

    if (p->kind != PACKET_TCP)
        return f;
    if (!p->outbound && (!f || f->state == FLOW_LISTENING))
        return arrive(r, p);
    if (p->outbound && is_syn(p) && f && f->state == FLOW_CONNECTING) {
        f->state = FLOW_SYN_SENT;
        f->script_isn = p->seq;
    }
    return f && f->kind == PACKET_TCP ? f : NULL;
}

/* ---- in ---- */

static void note_arrival(struct flow *f, const struct packet *p)
{
    if (f->state == FLOW_SYN_ACK_SENT && p->kind == PACKET_TCP && p->flags & TCP_ACK)
        f->state = FLOW_ACCEPTABLE;
    if (f->state == FLOW_SYN_SENT && is_syn_ack(p)) {
        f->state = FLOW_SYN_ACKED;
        f->remote_isn = p->seq;
    }
}

/* The socket under test neither listens nor connects. Google's packetdrill knows no
 * addresses then and writes 0.0.0.0 for both, which no host takes (RFC 1122 s3.2.1.3);
 * FreeBSD's has them. */
static bool is_from_nobody(const struct run *r, const struct flow *f)
{
    return !r->drill->freebsd && f->kind == PACKET_TCP && f->state == FLOW_NEW;
}

static struct ends ends_of(struct run *r, const struct flow *f)
{
    if (!is_from_nobody(r, f))
        return (struct ends){ .src = r->settings.remote, .dst = r->settings.local };
    run_note(r, r->event->line,
             "the socket neither listens nor connects: the packet is from 0.0.0.0 to "
             "0.0.0.0, and dropped (not with --freebsd, and not where there is no "
             "socket)");
    return (struct ends){ .src = ip_any4, .dst = ip_any4 };
}

static void put_packet(struct run *r, struct flow *f, const struct packet *p)
{
    static uint8_t bytes[WIRE_MAX];
    struct ends ends = ends_of(r, f);
    struct packet wire = *p;
    const char *why;
    size_t len;

    note_arrival(f, p);
    why = flow_to_wire(f, &wire, r->settings.stamp_scaled);
    if (why) {
        run_fail(r, r->event, "the packet cannot come: %s", why);
        return;
    }
    len = wire_emit(bytes, &wire, &ends);
    if (!len)
        run_fail(r, r->event, "the packet is longer than IP permits");
    else if (raw_put(r->host, bytes, len) < 0)
        run_fail(r, r->event, "no memory for the packet");
}

/* ---- out ---- */

static void tell_packets(struct run *r, const struct packet *wanted,
                         const struct packet *actual, usec at)
{
    struct verdict *v = r->verdict;
    char text[PACKET_TEXT];
    struct text t;

    text_init(&t, text, sizeof text);
    packet_print(&t, wanted);
    snprintf(v->expected, sizeof v->expected, "%10.6f > %s", (double)r->due / 1e6,
             text);
    if (!actual)
        return;
    text_init(&t, text, sizeof text);
    packet_print(&t, actual);
    snprintf(v->actual, sizeof v->actual, "%10.6f > %s", (double)at / 1e6, text);
}

/* What of an actual packet the script does not speak of is not shown. */
static void forget_details(const struct packet *wanted, struct packet *actual)
{
    actual->tos_check = wanted->tos_check == TOS_ECT ? TOS_ECN : wanted->tos_check;
    actual->any_seq = wanted->any_seq;
    actual->any_window = wanted->any_window;
    actual->ace = wanted->ace;
    if (!wanted->ttl)
        actual->ttl = 0;
    if (!wanted->src_port)
        actual->src_port = actual->dst_port = 0;
}

/* The next packet of f that leaves, in the script's numbers; false: none came in time,
 * or it is broken. */
static bool take_packet(struct run *r, struct flow *f, const struct packet *wanted,
                        struct packet *out, usec *at)
{
    usec until = usec_max(r->due, r->due_end) + usec_max(grace, r->tolerance);
    const char *why;
    struct ends ends;
    bool ours;

    if (r->event->when.kind == WHEN_ANY)
        until = r->due + patience;
    do {
        struct raw_packet *p;

        raw_wait(r->host, until);
        p = r->failed ? NULL : raw_take(r->host);
        if (!p)
            return false;
        *at = p->at;
        why = wire_read(p->data, p->len, out, &ends);
        ours = flow_owns(f, out);
        free(p);
    } while (!ours);
    if (why)
        run_fail(r, r->event, "the packet that came is broken: %s", why);
    f->local_port = out->kind == PACKET_ICMP ? f->local_port : out->src_port;
    if (is_syn(out) || (is_syn_ack(wanted) && f->state == FLOW_ARRIVED))
        f->local_isn = out->seq;
    if (is_syn_ack(wanted) && f->state == FLOW_ARRIVED)
        f->state = FLOW_SYN_ACK_SENT;
    if (!wanted->absolute_seq)
        flow_to_script(f, out);
    return !why;
}

/* Does `next` continue what was taken so far, `so_far`, whose last piece had `piece`
 * bytes, on the way to `wanted`? */
static const char *continues(const struct packet *wanted, const struct packet *so_far,
                             const struct packet *next, uint32_t piece)
{
    uint16_t same = TCP_SYN | TCP_RST | TCP_ACK | TCP_URG | TCP_ECE;

    if (next->kind != so_far->kind || next->seq != so_far->seq + so_far->len ||
        (next->flags & same) != (so_far->flags & same) || next->ack != so_far->ack ||
        next->window != so_far->window || next->options_len != so_far->options_len)
        return "the next segment does not continue the one before";
    if (so_far->len + next->len < wanted->len && next->len != piece)
        return "the segments are not of one size";
    return NULL;
}

/* Takes segments until they have the wanted length. */
static bool take_whole(struct run *r, struct flow *f, const struct packet *wanted,
                       struct packet *out, usec *at)
{
    struct packet next;
    uint32_t piece;
    const char *why = NULL;

    if (!take_packet(r, f, wanted, out, at))
        return false;
    piece = out->len;
    while (out->len < wanted->len && out->kind == PACKET_TCP &&
           !r->settings.strict_segments) {
        if (!take_packet(r, f, wanted, &next, at))
            break;
        why = continues(wanted, out, &next, piece);
        if (why)
            break;
        next.seq = out->seq;
        next.len += out->len;
        next.flags = (uint16_t)((next.flags & ~TCP_CWR) | (out->flags & TCP_CWR));
        *out = next;
    }
    forget_details(wanted, out);
    if (!why)
        return true;
    tell_packets(r, wanted, out, *at);
    run_fail(r, r->event, "%s", why);
    return false;
}

static bool stamp_differs(struct run *r, struct packet *wanted, struct packet *actual)
{
    const uint8_t *w = packet_timestamp(wanted), *a = packet_timestamp(actual);
    usec allowed = usec_max(
        r->settings.tolerance,
        (usec)((double)r->due * r->settings.tolerance_percent / 100));
    int32_t ticks;

    if (!w || !a || !r->settings.stamp_tick)
        return false;
    ticks = (int32_t)(get32(a) - get32(w));
    return (usec)(ticks < 0 ? -(usec)ticks : ticks) * r->settings.stamp_tick > allowed;
}

/* What differs is a failure, or with --non_fatal=packet a note. */
static void object(struct run *r, const char *what, const char *how)
{
    if (r->settings.lenient_packets)
        run_note(r, r->event->line, "%s%s", what, how);
    else
        run_fail(r, r->event, "%s%s", what, how);
}

static void expect_packet(struct run *r, struct flow *f, const struct packet *wanted)
{
    struct packet actual, copy = *wanted;
    char differs[PACKET_TEXT * 2];
    struct text why;
    usec at = 0;

    if (is_syn_ack(wanted) && f->state == FLOW_ARRIVED)
        f->script_isn = wanted->seq;
    tell_packets(r, wanted, NULL, 0);
    if (!take_whole(r, f, wanted, &actual, &at)) {
        run_fail(r, r->event, "no packet came");
        return;
    }
    flow_stamp(f, wanted, &actual);
    tell_packets(r, wanted, &actual, at);
    text_init(&why, differs, sizeof differs);
    if (packet_differs(&why, wanted, &actual))
        object(r, "the packet is another one: ", differs);
    else if (stamp_differs(r, &copy, &actual))
        object(r, "its timestamp is not what the clock should show", "");
    else
        run_check_time(r, r->event, "the packet left", at);
}

void run_packet(struct run *r, const struct packet *p)
{
    struct flow *f;

    if (p->unbuilt) {
        run_fail(r, r->event, "%s is not built yet", p->unbuilt);
        return;
    }
    f = flow_of(r, p);
    if (!f) {
        run_fail(r, r->event, "there is no socket that this packet could belong to");
        return;
    }
    if (p->outbound) {
        expect_packet(r, f, p);
    } else {
        run_wait(r);
        if (!r->failed)
            put_packet(r, f, p);
    }
    if (!r->failed)
        r->verdict->expected[0] = r->verdict->actual[0] = '\0';
}
