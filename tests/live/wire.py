#!/usr/bin/env python3
"""The ends of links and wires, for tests/live/wire.sh.

wire.py rtt HOST N LOW HIGH    N echo requests, one after another: the median of their
                               times is LOW microseconds at least, the quickest HIGH at
                               most
wire.py send HOST N GAP        N datagrams that make frames of 1514 bytes, GAP us between
                               two (0: at once), then the word that that was all
wire.py poke HOST N            N datagrams that nobody waits for
wire.py receive FILE           until that word: what came, numbers and times, into FILE
wire.py lost FILE LOW HIGH     so many of them are missing
wire.py rate FILE MBIT PERCENT the frames came at this rate, but for PERCENT: the median,
                               for a busy machine may keep the sender waiting
wire.py capture FILE IN OUT    so many frames at least entered at interface 0 and left at 1
wire.py tap NAME bare|vnet -- COMMAND   makes a TAP device, up, with 192.0.2.1/24; COMMAND
                               has it as descriptor 3
wire.py pair LOG ONE... -- TWO...   runs two commands, each with one end of a socket pair
                               as descriptor 3; ends the first, with its talk in LOG, when
                               the second has ended, whose status is its own
Exit 0 when all was as it should be."""
import fcntl
import os
import socket
import struct
import subprocess
import sys
import time

WAIT = 10  # seconds for anything
PORT = 9999
FRAME = 1514
WINDOW = 50  # frames over which a rate is measured
END = 0xFFFFFFFF
SO_RCVBUFFORCE, SO_TIMESTAMPNS = 33, 35
TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x0002, 0x1000, 0x4000


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def rtt_once(s, host, seq):
    head = struct.pack("!BBHHH", 8, 0, 0, 4711, seq)
    data = b"x" * 56
    packet = struct.pack("!BBHHH", 8, 0, checksum(head + data), 4711, seq) + data
    begin = time.perf_counter()
    s.sendto(packet, (host, 0))
    while True:
        answer = s.recv(2000)
        if answer[20] == 0 and struct.unpack("!HH", answer[24:28]) == (4711, seq):
            return (time.perf_counter() - begin) * 1e6


def rtt(host, n, low, high):
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    s.settimeout(WAIT)
    rtt_once(s, host, 0)  # with ARP
    took = sorted(rtt_once(s, host, i) for i in range(1, n + 1))
    print(f"quickest {took[0]:.0f} us, median {took[n // 2]:.0f} us")
    return low <= took[n // 2] and took[0] <= high


def send(host, n, gap):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    due = time.perf_counter()
    for i in range(n):
        s.sendto(struct.pack("!I", i) + b"x" * (FRAME - 42 - 4), (host, PORT))
        due += gap / 1e6
        while time.perf_counter() < due:
            pass
    for _ in range(20):  # it may be lost as well
        time.sleep(0.05)
        s.sendto(struct.pack("!II", END, n), (host, PORT))
    return True


def poke(host, n):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for _ in range(n):
        s.sendto(b"x", (host, PORT))
        time.sleep(0.01)
    return True


def receive(path):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
    s.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    s.bind(("", PORT))
    s.settimeout(WAIT)
    times = []
    while True:
        data, extra, _, _ = s.recvmsg(2000, 100)
        if struct.unpack("!I", data[:4])[0] == END:
            break
        seconds, ns = struct.unpack("qq", extra[0][2])
        times.append(seconds * 10**9 + ns)
    with open(path, "w") as f:
        f.write(f"{struct.unpack('!I', data[4:8])[0]}\n")
        f.writelines(f"{t}\n" for t in times)
    return True


def read_file(path):
    with open(path) as f:
        sent, *times = [int(line) for line in f]
    return sent, times


def lost(path, low, high):
    sent, times = read_file(path)
    print(f"{sent - len(times)} of {sent} are missing")
    return low <= sent - len(times) <= high


def rate(path, mbit, percent):
    _, times = read_file(path)
    spans = sorted(b - a for a, b in zip(times, times[WINDOW:]))
    got = WINDOW * FRAME * 8 * 1000 / spans[len(spans) // 2]
    print(f"{len(times)} frames at {got:.3f} Mbit/s")
    return abs(got - mbit) <= mbit * percent / 100


def capture(path, entered, left):
    with open(path, "rb") as f:
        data = f.read()
    seen, at = {}, 0
    while at < len(data):
        kind, length = struct.unpack_from("=II", data, at)
        if kind == 6:  # enhanced packet: the interface, and in the flags the direction
            interface, size = struct.unpack_from("=I8xI", data, at + 8)
            flags = struct.unpack_from("=I", data, at + 28 + (size + 3) // 4 * 4 + 4)[0]
            seen[interface, flags & 3] = seen.get((interface, flags & 3), 0) + 1
        at += length
    print(f"frames by interface and direction: {seen}")
    return seen[0, 1] >= entered and seen[1, 2] >= left and seen[1, 2] < seen[0, 1]


def tap(name, kind, command):
    flags = IFF_TAP | IFF_NO_PI | (IFF_VNET_HDR if kind == "vnet" else 0)
    fd = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), flags))
    subprocess.run(["ip", "addr", "add", "192.0.2.1/24", "dev", name], check=True)
    subprocess.run(["ip", "link", "set", name, "up"], check=True)
    os.dup2(fd, 3)
    os.set_inheritable(3, True)  # where it was 3 already
    os.execvp(command[0], command)


def with_descriptor(command, sock, talk):
    def place():
        os.dup2(sock.fileno(), 3)
        os.set_inheritable(3, True)  # where it was 3 already

    return subprocess.Popen(command, preexec_fn=place, close_fds=False, stderr=talk)


def until_it_says(log, word):
    for _ in range(WAIT * 50):
        with open(log) as f:
            if word in f.read():
                return
        time.sleep(0.02)


def pair(log, commands):
    between = commands.index("--")
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with open(log, "w") as talk:
        first = with_descriptor(commands[:between], ends[0], talk)
        until_it_says(log, "serving")
        second = with_descriptor(commands[between + 1 :], ends[1], None)
    for end in ends:
        end.close()
    status = second.wait(WAIT)
    first.terminate()
    first.wait(WAIT)
    return status == 0


def main(what, *args):
    if what == "rtt":
        return rtt(args[0], *map(int, args[1:]))
    if what == "send":
        return send(args[0], *map(int, args[1:]))
    if what == "poke":
        return poke(args[0], int(args[1]))
    if what == "capture":
        return capture(args[0], int(args[1]), int(args[2]))
    if what == "receive":
        return receive(*args)
    if what == "lost":
        return lost(args[0], *map(int, args[1:]))
    if what == "rate":
        return rate(args[0], *map(float, args[1:]))
    if what == "tap":
        return tap(args[0], args[1], args[3:])
    if what == "pair":
        return pair(args[0], list(args[1:]))
    raise SystemExit(__doc__)


sys.exit(0 if main(*sys.argv[1:]) else 1)
