"""What of a capture can be compared between two stacks.

A capture of `tapir wire` has the subject's end as interface 0. Its packets are reduced to
aspects, each a list of lines: what stands in SYNs, the new text and how it was cut, what was
sent again and after how long, the pure ACKs by kind, how it closed, IP's header. Numbers are
relative to the SYNs, ports and times of day are gone."""
import struct

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
LATE = 0.025  # seconds: an ACK that came so long after the text was delayed on purpose


class Packet:
    """One packet of IPv4: when, whether the subject sent it, and what was in it."""

    def __init__(self, time, out, data):
        self.time, self.out = time, out
        self.size = struct.unpack_from("!H", data, 2)[0]
        self.tos, self.ttl, self.proto = data[1], data[8], data[9]
        fragment = struct.unpack_from("!H", data, 6)[0]
        self.df = bool(fragment & 0x4000)
        self.offset, self.more = (fragment & 0x1FFF) * 8, bool(fragment & 0x2000)
        body = data[(data[0] & 15) * 4:self.size]
        self.body = body
        self.conn = None
        if self.proto == 6 and not self.offset:
            self._tcp(body)

    def _tcp(self, b):
        sport, dport, self.seq, self.ack = struct.unpack_from("!HHII", b)
        self.flags, self.window = b[13], struct.unpack_from("!H", b, 14)[0]
        head = (b[12] >> 4) * 4
        self.len = len(b) - head
        self.options = list(options(b[20:head]))
        self.conn = (sport, dport) if self.out else (dport, sport)

    def is_pure_ack(self):
        return self.len == 0 and self.flags & ~PSH == ACK

    def letters(self):
        names = ((FIN, "F"), (SYN, "S"), (RST, "R"), (PSH, "P"), (ACK, "."))
        return "".join(name for bit, name in names if self.flags & bit)


def options(b):
    """Names and values of TCP options, in order, padding too."""
    at = 0
    while at < len(b):
        kind = b[at]
        if kind < 2:
            yield ("nop" if kind else "end"), None
            at += 1
            continue
        length = b[at + 1] if at + 1 < len(b) else 0
        if length < 2 or at + length > len(b):
            yield "broken", None
            return
        value = b[at + 2:at + length]
        if kind == 2:
            yield "mss", struct.unpack("!H", value)[0]
        elif kind == 3:
            yield "ws", value[0]
        elif kind == 5:
            edges = struct.unpack(f"!{len(value) // 4}I", value)
            yield "sack", list(zip(edges[::2], edges[1::2]))
        else:
            yield {4: "sackOK", 8: "ts"}.get(kind, f"kind {kind}"), None
        at += length


def read(path):
    """The packets of IPv4 at the subject's end."""
    with open(path, "rb") as f:
        data = f.read()
    at, packets = 0, []
    while at + 12 <= len(data):
        kind, length = struct.unpack_from("=II", data, at)
        if kind == 6:
            interface, high, low, size = struct.unpack_from("=IIII", data, at + 8)
            frame = data[at + 28:at + 28 + size]
            flags = struct.unpack_from("=I", data, at + 28 + (size + 3) // 4 * 4 + 4)[0]
            if interface == 0 and frame[12:14] == b"\x08\x00":
                time = (high << 32 | low) / 1e9
                packets.append(Packet(time, flags & 3 == 1, frame[14:]))
        at += length
    return packets


class Side:
    """What one end of a connection has sent."""

    def __init__(self, isn):
        self.isn = isn
        self.end = 0  # relative: behind all that was sent
        self.fin = None  # relative: where it is
        self.sent = {}  # relative number -> when last

    def rel(self, seq):
        d = (seq - self.isn) & 0xFFFFFFFF
        return d if d < 1 << 31 else d - (1 << 32)


class Trace:
    """The aspects of one run, by name."""

    def __init__(self, packets):
        self.sides = {}
        self.names = {}
        self.options, self.segments, self.close, self.icmp = [], [], [], []
        self.udp, self.resent, self.times = [], [], []
        self.acks = dict.fromkeys(("now", "late", "fin", "repeated", "window", "zero",
                                   "dsack"), 0)
        self.push = []
        self.headers = set()
        self.layouts = set()
        self.acked = {}  # conn -> (ack, window) the subject sent last
        self.came = {}  # conn -> when the first text came that is not acknowledged
        for p in packets:
            self._take(p)

    def _take(self, p):
        if p.conn is not None:
            self._tcp(p)
        elif p.out and p.proto == 1:
            self.icmp.append(f"icmp {p.body[0]}/{p.body[1]} size {p.size}")
            self._header(p, "icmp")
        elif p.out:
            more = "+" if p.more else ""
            self.udp.append(f"udp {p.offset}:{p.offset + len(p.body)}{more}")
            self._header(p, "udp")
        elif p.proto == 1:
            self.icmp.append(f"icmp {p.body[0]}/{p.body[1]} came")

    def _header(self, p, kind):
        self.headers.add(f"{kind}: ttl {p.ttl} tos {p.tos} {'df' if p.df else ''}")

    def _side(self, p, out):
        key = (p.conn, out)
        if key not in self.sides:
            if p.out == out:
                self.sides[key] = Side(p.seq)
            elif p.flags & ACK:
                self.sides[key] = Side(p.ack - 1)
            else:
                return Side(0)
        return self.sides[key]

    def _tcp(self, p):
        if p.flags & SYN and not p.flags & ACK:
            old = self.sides.get((p.conn, p.out))
            if old and old.rel(p.seq) != 0:  # the same ports for a new connection
                self.sides.pop((p.conn, p.out))
        mine, other = self._side(p, p.out), self._side(p, not p.out)
        seq = mine.rel(p.seq)
        ack = other.rel(p.ack) if p.flags & ACK else None
        span = p.len + bool(p.flags & SYN) + bool(p.flags & FIN)
        if p.flags & (FIN | RST) and (p.flags & RST or seq + span > mine.end):
            self._closing(p, seq, ack)
        if p.out:
            kind = "synack" if p.flags & SYN and p.flags & ACK else p.flags & SYN and "syn"
            self._header(p, kind or (p.flags & RST and "rst") or "tcp")
            self._out(p, mine, seq, ack, span)
        elif p.len:
            self.came.setdefault(p.conn, p.time)
        if p.flags & FIN:
            mine.fin = seq + p.len
        if not p.flags & RST:
            mine.end = max(mine.end, seq + span)

    def _closing(self, p, seq, ack):
        way = "out" if p.out else "in"
        what = f" ack {ack}" if ack is not None else ""
        self.close.append(f"{way} {p.letters().replace('P', '')} {seq + p.len}{what}")

    def _out(self, p, mine, seq, ack, span):
        names = [name for name, _ in p.options]
        if p.flags & SYN:
            if seq + span > mine.end:
                text = ",".join(n if v is None else f"{n} {v}" for n, v in p.options)
                self.options.append(f"{p.letters()} {text}")
        elif not p.flags & RST:
            self.layouts.add("+".join(n for n in names if n != "sack") or "none")
        if p.flags & RST:
            return
        if span and seq + span <= mine.end:
            self._again(p, mine, seq, span, f"{p.letters().replace('P', '')} {seq}:{seq + span}")
        elif p.is_pure_ack() and seq < mine.end:
            self._again(p, mine, seq, 0, "probe")
        elif p.is_pure_ack():
            self._pure(p, ack)
        elif span:
            if p.len:
                self.segments.append(f"{seq}:{seq + p.len}")
            if p.flags & PSH:
                self.push.append(f"{seq + p.len}")
            self._sent(p, mine, seq, span)
        if ack is not None:
            self.acked[p.conn] = (ack, p.window)
            self.came.pop(p.conn, None)

    def _sent(self, p, mine, seq, span):
        for at in range(seq, seq + span, 100):
            mine.sent[at // 100] = p.time

    def _again(self, p, mine, seq, span, what):
        before = mine.sent.get(seq // 100)
        self.resent.append(what)
        self.times.append(p.time - before if before else 0)
        self._sent(p, mine, seq, max(span, 1))

    def _pure(self, p, ack):
        last, window = self.acked.get(p.conn, (None, None))
        sacks = next((v for n, v in p.options if n == "sack"), [])
        if p.window == 0:
            self.acks["zero"] += 1
        peer = self.sides[(p.conn, False)]
        if sacks and peer.rel(sacks[0][1]) <= ack:
            self.acks["dsack"] += 1
        if last is not None and ack == last:
            self.acks["window" if p.window != window and not sacks else "repeated"] += 1
        elif peer.fin is not None and ack > peer.fin:
            self.acks["fin"] += 1
        else:
            late = p.time - self.came.get(p.conn, p.time) > LATE
            self.acks["late" if late else "now"] += 1


def aspects(path):
    """name -> lines, of the capture at PATH; and the times that belong to "resent"."""
    t = Trace(read(path))
    return {
        "options": t.options + [f"later: {x}" for x in sorted(t.layouts)],
        "segments": t.segments,
        "push": t.push,
        "resent": t.resent,
        **{f"acks.{k}": [str(n)] for k, n in t.acks.items()},
        "close": t.close,
        "icmp": t.icmp,
        "udp": t.udp,
        "ip": sorted(t.headers),
    }, t.times
