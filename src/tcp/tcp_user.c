/* The user calls of RFC 9293 s3.10.1-6: OPEN, SEND, RECEIVE, CLOSE, ABORT, STATUS; and
 * the errors that the network reports (s3.9.2.2). Each checks the state, touches the
 * buffers, leaves the connection dirty; what is to be sent goes out when the call's
 * event ends. */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "tcp/tcb.h"

void tcp_options_default(const struct tcp *tcp, struct tcp_options *o)
{
    *o = (struct tcp_options){ .rcvbuf = tcp->config.rmem_default,
                               .sndbuf = tcp->config.wmem_default,
                               .ip = ip_options_default(tcp->net),
                               .cc = tcp->config.cc };
}

struct tcb *tcp_new(struct tcp *tcp)
{
    struct tcp_options o;
    tcp_options_default(tcp, &o);
    return tcb_new(tcp, &o);
}

struct watch *tcp_watch(struct tcb *tcb)
{
    return &tcb->watch;
}

/* --- s3.10.1 OPEN --- */

static void begin_sending(struct tcb *tcb, struct seq iss)
{
    tcb->snd.iss = iss;
    tcb->snd.una = tcb->snd.nxt = iss;
    tcb->snd.buf_seq = seq_add(iss, 1);
    tcb->snd.mss = tcp_our_mss(tcb->tcp, tcb->slot.remote, tcb->opt.maxseg);
    tcb->snd.mss_max = tcb->snd.mss;
    tcb->ts.offset = tcp_ts_offset(tcb->tcp, &tcb->slot);
    tcp_fit_link(tcb);
    /* Only the SYN is out before the handshake: cc begins with it (tcp_established). */
    cc_start(&tcb->cc, tcb->opt.cc, tcb->snd.mss, tcb->snd.mss);
}

/* A TIME-WAIT record in our way gives way, if it may. */
static void recycle(struct tcb *tcb, struct seq *iss)
{
    struct tcp_slot *old = tcp_lookup(tcb->tcp, &tcb->slot);

    if (!old || !tcp_tuple_free(tcb->tcp, &tcb->slot))
        return;
    struct tcp_timewait *tw = (struct tcp_timewait *)(void *)old;
    *iss = seq_max(*iss, seq_add(tw->snd_nxt, 1u << 17));
    count(&tcb->tcp->net->count, COUNT_TcpExtTWRecycled);
    tcp_timewait_free(tcb->tcp, tw);
}

int tcp_open(struct tcb *tcb, struct ip_addr local, uint16_t local_port,
             struct ip_addr remote, uint16_t remote_port)
{
    struct tcp *tcp = tcb->tcp;
    struct route_hop hop;

    if (tcb->state != TCPS_CLOSED)
        return -EISCONN;
    int err = route_lookup(tcp->net, remote, &hop);
    if (err < 0)
        return err;
    /* RFC 9293 s3.9.1.1 (MUST-43, MUST-44), RFC 1122 s3.3.4.2 (MUST-ip-source-set,
     * MUST-ip-source-choice) */
    tcb->slot.local = ip_is_any(local) ? hop.src : local;
    tcb->slot.remote = remote;
    tcb->slot.local_port = local_port;
    tcb->slot.remote_port = remote_port;
    if (local_port == 0)
        err = tcp_choose_port(tcp, &tcb->slot);
    if (err < 0)
        return err;
    struct seq iss = tcp_isn(tcp, &tcb->slot);
    recycle(tcb, &iss);
    err = tcp_hash(tcp, &tcb->slot);
    if (err < 0)
        return err;
    begin_sending(tcb, iss);
    tcb->stalled = tcp->net->now;
    count(&tcp->net->count, COUNT_TcpActiveOpens);
    tcp_set_state(tcb, TCPS_SYN_SENT);
    tcp_dirty(tcb);
    return 0;
}

/* --- s3.10.2 SEND --- */

/* The error that ended the connection, told once; then what the state says. */
static int told_once(struct tcb *tcb, int otherwise)
{
    int error = tcp_take_error(tcb);
    return error ? error : otherwise;
}

static bool connecting(const struct tcb *tcb)
{
    bool opening = tcb->state == TCPS_SYN_SENT || tcb->state == TCPS_SYN_RECEIVED;
    return opening && !tcp_fastopen_child(tcb);
}

/* Can text be sent now? 0, or why not. */
static int may_send(struct tcb *tcb)
{
    if (connecting(tcb))
        return -EAGAIN;
    return tcp_write_ended(tcb) ? told_once(tcb, -EPIPE) : 0;
}

/* A send call put `done` of the `wanted` bytes into the send buffer. */
static void buffered(struct tcb *tcb, size_t done, size_t wanted, bool more)
{
    if (done > 0 && done == wanted && !more)
        push_mark(&tcb->snd.push, snd_end(tcb));
    tcb->snd.more = more;
    tcb->snd.refused = done < wanted;
    tcp_mem_update(tcb);
    tcp_dirty(tcb);
}

ssize_t tcp_send(struct tcb *tcb, const struct piece *text, size_t n, bool more)
{
    size_t done = 0, wanted = 0;
    int err = may_send(tcb);

    if (err < 0)
        return err;
    for (size_t i = 0; i < n; i++)
        wanted += text[i].len;
    tcb->snd.buf.limit = tcp_send_limit(tcb, wanted);
    for (size_t i = 0; i < n && tcb->snd.buf.len < tcb->snd.buf.limit; i++)
        done += ring_write(&tcb->snd.buf, text[i].at, text[i].len);
    buffered(tcb, done, wanted, more);
    bool nothing = n == 0 || (n == 1 && text[0].len == 0);
    return done > 0 || nothing ? (ssize_t)done : -EAGAIN;
}

/* Up to n bytes from the source into the ring: how many, or why none. */
static ssize_t read_into(struct ring *r, struct tcp_source *s, size_t n)
{
    struct room to[2];
    int rooms = ring_rooms(r, n, to);
    ssize_t done = rooms > 0 ? s->read(s, to, rooms) : -EAGAIN;

    if (done > 0)
        ring_added(r, (size_t)done);
    else
        ring_trim(r);
    return done;
}

ssize_t tcp_send_from(struct tcb *tcb, struct tcp_source *s, size_t n)
{
    int err = may_send(tcb);

    if (err < 0)
        return err;
    tcb->snd.buf.limit = tcp_send_limit(tcb, n);
    ssize_t r = read_into(&tcb->snd.buf, s, tcp_worth_reading(tcb, n));
    size_t done = r > 0 ? (size_t)r : 0;
    if (r > 0 || r == -EAGAIN)
        buffered(tcb, done, n, done < n);
    else
        tcp_mem_update(tcb);
    return r;
}

void tcp_end_record(struct tcb *tcb)
{
    push_end_record(&tcb->snd.push, snd_end(tcb));
}

/* --- s3.10.3 RECEIVE --- */

static bool no_room(const struct room *to, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (to[i].len > 0)
            return false;
    return true;
}

ssize_t tcp_receive(struct tcb *tcb, const struct room *to, size_t n, bool peek)
{
    if (connecting(tcb))
        return -EAGAIN;
    size_t done = tcp_urgent_read(tcb, to, n, peek);
    tcp_mem_update(tcb);
    if (done > 0) {
        if (!peek && tcb->state != TCPS_CLOSED && tcp_window_update_due(tcb)) {
            tcb->ack_now = true;
            tcp_dirty(tcb);
        }
        return (ssize_t)done;
    }
    /* As Linux: behind the peer's FIN there is nothing to miss; who writes is told. */
    bool whole = tcb->rcv.fin && tcb->tcp->config.epipe_on_reset;
    if (tcb->error && !whole)
        return tcp_take_error(tcb);
    if (tcp_read_ended(tcb) || no_room(to, n))
        return 0;
    return -EAGAIN;
}

/* --- s3.10.4 CLOSE --- */

int tcp_shutdown_write(struct tcb *tcb)
{
    if (tcb->state == TCPS_CLOSED)
        return -ENOTCONN;
    if (tcb->snd.fin)
        return 0;
    if (tcb->state == TCPS_SYN_SENT) {
        tcp_finish(tcb, -ECONNABORTED);
        return 0;
    }
    tcb->snd.fin = true;
    tcb->snd.more = false;
    if (tcb->state == TCPS_SYN_RECEIVED)
        return 0; /* the FIN waits for the handshake: tcp_established() */
    bool peer_closed = tcb->state == TCPS_CLOSE_WAIT;
    tcp_set_state(tcb, peer_closed ? TCPS_LAST_ACK : TCPS_FIN_WAIT_1);
    tcp_dirty(tcb);
    return 0;
}

int tcp_shutdown_read(struct tcb *tcb)
{
    if (tcb->state == TCPS_CLOSED)
        return -ENOTCONN;
    tcb->rcv.shut = true;
    if (!tcb->tcp->config.shut_rd_keeps)
        rcvq_discard(&tcb->rcv.q, tcb->rcv.q.len);
    tcp_mem_update(tcb);
    watch_wake(&tcb->tcp->net->woken, &tcb->watch);
    return 0;
}

/* Nobody owns it any more: closed already, it goes at the end of the event. One too
 * many is reset: its peer may be gone for good, and its memory is needed. */
static void orphan(struct tcb *tcb)
{
    tcb->owned = false;
    tcb->watch.owner = NULL;
    list_del(&tcb->watch.node);
    if (tcb->state == TCPS_TIME_WAIT || tcb->state == TCPS_CLOSED) {
        tcp_bury(tcb);
        return;
    }
    tcp_mem_orphan(tcb, true);
    if (tcp_mem_orphan_must_go(tcb))
        tcp_abort_on_memory(tcb);
}

void tcp_release(struct tcb *tcb, bool linger_zero)
{
    struct tcp *tcp = tcb->tcp;
    bool unread = tcb->rcv.q.len > 0;
    bool open = tcb->state != TCPS_CLOSED && tcb->state != TCPS_TIME_WAIT;

    if (open && (linger_zero || (unread && !connecting(tcb)))) {
        count(&tcp->net->count,
              linger_zero ? COUNT_TcpExtTCPAbortOnLinger : COUNT_TcpExtTCPAbortOnClose);
        tcp_abort(tcb, -ECONNRESET);
    } else if (open) {
        tcp_shutdown_write(tcb);
    }
    orphan(tcb);
    if (tcb->state == TCPS_FIN_WAIT_2 && !tcp_await_fin(tcb)) {
        count(&tcp->net->count, COUNT_TcpExtTCPAbortOnLinger);
        tcp_abort(tcb, 0);
    }
}

/* --- s3.10.5 ABORT --- */

static void forget(struct tcb *tcb, int error)
{
    rcvq_clear(&tcb->rcv.q);
    tcp_mem_update(tcb);
    tcp_finish(tcb, error);
}

void tcp_abort(struct tcb *tcb, int error)
{
    bool silent = tcb->state == TCPS_CLOSED || tcb->state == TCPS_SYN_SENT ||
                  tcb->state == TCPS_TIME_WAIT;
    if (!silent)
        tcp_reset(tcb);
    forget(tcb, error);
}

void tcp_abort_answer(struct tcb *tcb, const struct tcp_seg *seg, int error)
{
    tcp_reset_answer(tcb, seg);
    forget(tcb, error);
}

void tcp_abort_on_memory(struct tcb *tcb)
{
    count(&tcb->tcp->net->count, COUNT_TcpExtTCPAbortOnMemory);
    tcp_abort(tcb, -ECONNRESET);
}

bool tcp_drained(const struct tcb *tcb)
{
    bool text = tcb->snd.buf.len == 0;
    bool fin = !tcb->snd.fin || (fin_sent(tcb) && seq_eq(tcb->snd.una, tcb->snd.nxt));
    return tcb->state == TCPS_CLOSED || tcb->state == TCPS_TIME_WAIT || (text && fin);
}

/* --- s3.10.6 STATUS: what readiness and options ask --- */

enum tcp_state tcp_state_of(const struct tcb *tcb)
{
    return tcb->state;
}

size_t tcp_readable(const struct tcb *tcb)
{
    return tcb->rcv.q.len;
}

uint32_t tcp_arrivals(const struct tcb *tcb)
{
    return (uint32_t)tcb->bytes_received + tcb->rcv.fin;
}

bool tcp_read_ended(const struct tcb *tcb)
{
    return tcb->rcv.fin || tcb->rcv.shut || tcb->state == TCPS_CLOSED;
}

size_t tcp_writable_room(const struct tcb *tcb)
{
    size_t limit = tcp_mem_sndbuf(tcb), len = tcb->snd.buf.len;
    return connecting(tcb) || len >= limit ? 0 : limit - len;
}

bool tcp_write_ended(const struct tcb *tcb)
{
    return tcb->snd.fin || tcb->state == TCPS_CLOSED || tcb->state == TCPS_TIME_WAIT;
}

int tcp_take_error(struct tcb *tcb)
{
    int error = tcb->error;
    tcb->error = 0;
    return error;
}

int tcp_peek_error(const struct tcb *tcb)
{
    return tcb->error;
}

size_t tcp_unsent(const struct tcb *tcb)
{
    return tcb->snd.buf.len;
}

size_t tcp_outstanding(const struct tcb *tcb)
{
    if (connecting(tcb))
        return 0;
    return tcb->snd.buf.len + (tcb->snd.fin && !tcp_drained(tcb));
}

size_t tcp_not_sent(const struct tcb *tcb)
{
    bool fin = tcb->snd.fin && !fin_sent(tcb);

    if (connecting(tcb))
        return 0;
    if (!seq_lt(tcb->snd.nxt, snd_end(tcb)))
        return fin;
    return seq_len(tcb->snd.nxt, snd_end(tcb)) + fin;
}

void tcp_buffers(const struct tcb *tcb, uint32_t *in, uint32_t *out)
{
    *in = (uint32_t)tcb->rcv.q.held;
    *out = (uint32_t)tcb->snd.buf.cap;
}

struct tcp_name tcp_local(const struct tcb *tcb)
{
    return (struct tcp_name){ tcb->slot.local, tcb->slot.local_port };
}

struct tcp_name tcp_remote(const struct tcb *tcb)
{
    return (struct tcp_name){ tcb->slot.remote, tcb->slot.remote_port };
}

const struct tcp_options *tcp_get_options(const struct tcb *tcb)
{
    return &tcb->opt;
}

uint32_t tcp_mss(const struct tcb *tcb)
{
    bool known = tcb->state != TCPS_CLOSED && tcb->state != TCPS_SYN_SENT;
    return known ? tcb->cc.mss : 0;
}

/* A controller that is changed in flight begins with the window of the old one. */
static void change_cc(struct tcb *tcb, const struct cc_ops *cc)
{
    uint32_t cwnd = tcb->cc.cwnd, ssthresh = tcb->cc.ssthresh;

    if (tcb->cc.ops == NULL || tcb->cc.ops == cc)
        return;
    cc_start(&tcb->cc, cc, tcb->cc.mss, cwnd);
    tcb->cc.ssthresh = ssthresh;
}

void tcp_set_options(struct tcb *tcb, const struct tcp_options *o)
{
    bool released = (tcb->opt.cork && !o->cork) || (!tcb->opt.nodelay && o->nodelay);
    bool rcvbuf = tcb->opt.rcvbuf != o->rcvbuf;
    bool keep = tcb->opt.keepalive != o->keepalive || tcb->opt.keepidle != o->keepidle;

    change_cc(tcb, o->cc);
    if (tcb->opt.ip.n_list != o->ip.n_list)
        tcb->snd.path_stamp = 0; /* tcp_sync_mss() */
    tcb->opt = *o;
    if (rcvbuf)
        tcb->rcv.limit = o->rcvbuf;
    if (keep)
        tcp_restart_keepalive(tcb);
    if (released && tcb->state != TCPS_CLOSED) {
        tcb->snd.more = false;
        tcp_dirty(tcb);
    }
}

void tcp_push(struct tcb *tcb)
{
    if (tcb->state == TCPS_CLOSED || !seq_lt(tcb->snd.nxt, snd_end(tcb)))
        return;
    tcb->push_now = true;
    tcp_dirty(tcb);
}

/* --- s3.9.2.2: errors that the network reports --- */

/* RFC 1122 s4.2.3.9, s3.2.2.1 (MUST-icmp-hint, MUST-icmp-port-tcp). On a connection
 * that is established an error is a hint, whose cause retransmission finds out or time
 * mends (RFC 5927 s5); it is told instead of ETIMEDOUT if that fails.
 *
 * Deviates from RFC 9293 s3.9.2.2 (MUST-56, SHLD-26) as Linux does (RFC 5461 s4, RFC
 * 5927 s5.2): a connection that is opening ends by soft errors too, so that connect()
 * to an unreachable host says so at once; not with tapir.tcp_icmp_refused, by which
 * hard errors refuse it, whatever they say. One that stands does not even end by hard
 * errors, which are as easily forged. */
static void connection_error(struct tcb *tcb, const struct net_error *err)
{
    bool refused = tcb->tcp->config.icmp_refused;
    /* A child that was not accepted yet, too: nobody has seen it stand. */
    bool opening = connecting(tcb) || (tcp_fastopen_child(tcb) && tcb->listener);

    if (err->redirect)
        redirect_learn(tcb->tcp->net, err);
    else if (err->error == -EMSGSIZE)
        tcp_too_big(tcb, err);
    else if (opening && (err->hard || !refused))
        tcp_finish(tcb, refused ? -ECONNREFUSED : err->error);
    else
        tcb->soft = err->error; /* RFC 9293 s3.9.1.8 (MUST-47), s3.9.2.2 (SHLD-25) */
}

/* RFC 5927 s4.1: only what is in flight is believed to be quoted. A redirect may quote
 * an ACK as well, which has the number that is next. */
static bool quotes_flight(const struct tcb *tcb, const struct net_error *err)
{
    if (err->redirect && seq_eq(err->seq, tcb->snd.nxt))
        return true;
    return seq_leq(tcb->snd.una, err->seq) && seq_lt(err->seq, tcb->snd.nxt);
}

/* RFC 9293 s3.9.2.2 (MUST-54). */
void tcp_error(struct tcp *tcp, const struct net_error *err)
{
    struct tcp_slot key = { .local = err->src,
                            .remote = err->dst,
                            .local_port = err->src_port,
                            .remote_port = err->dst_port };
    struct tcp_slot *slot = tcp_lookup(tcp, &key);
    struct tcb *tcb = slot && slot->kind == SLOT_TCB ? tcb_of(slot) : NULL;

    if (!slot) {
        count(&tcp->net->count, COUNT_IcmpInErrors);
    } else if (slot->kind == SLOT_HALF_OPEN) {
        tcp_half_open_error((struct tcp_half_open *)(void *)slot, err);
    } else if (!tcb || !quotes_flight(tcb, err)) {
        count(&tcp->net->count, COUNT_TcpExtOutOfWindowIcmps);
    } else {
        connection_error(tcb, err);
    }
}
