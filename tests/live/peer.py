#!/usr/bin/env python3
"""Clients that curl cannot be: the kernel's side of some live tests.

peer.py ping HOST               three echo requests, each answered with its own data
peer.py garbage HOST            4 KiB of noise where a request should be: the server ends it
peer.py half HOST               half a request, then the end
peer.py never-read HOST PATH    asks for PATH and reads nothing until stdin ends
peer.py sequence HOST PATH FILE N   N connections one after another, each fetches FILE
peer.py many HOST PATH FILE N   N connections, all open before the first asks
peer.py echo HOST PORT BYTES    what is sent comes back
Exit 0 when all was as it should be."""
import os
import select
import socket
import struct
import sys
import threading

WAIT = 15  # seconds for anything


def connect(host, port=80):
    return socket.create_connection((host, port), timeout=WAIT)


def request(path):
    return f"GET /{path} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n".encode()


def read_all(s):
    parts = []
    while True:
        part = s.recv(65536)
        if not part:
            return b"".join(parts)
        parts.append(part)


def body_is(answer, expected):
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.startswith(b"HTTP/1.1 200 ") and body == expected


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ping(host):
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    s.settimeout(WAIT)
    for seq, size in ((1, 0), (2, 56), (3, 1472)):
        data = os.urandom(size)
        head = struct.pack("!BBHHH", 8, 0, 0, 4711, seq)
        head = struct.pack("!BBHHH", 8, 0, checksum(head + data), 4711, seq)
        s.sendto(head + data, (host, 0))
        while True:
            answer = s.recv(65536)
            answer = answer[(answer[0] & 15) * 4:]
            kind, _, _, ident, got = struct.unpack("!BBHHH", answer[:8])
            if kind == 0 and ident == 4711 and got == seq:
                break
        if answer[8:] != data or checksum(answer) != 0:
            return False
    return True


def garbage(host):
    s = connect(host)
    s.sendall(os.urandom(4096) + b"\r\n\r\n")
    s.shutdown(socket.SHUT_WR)
    try:
        read_all(s)
    except ConnectionError:
        pass
    return True


def half(host):
    s = connect(host)
    s.sendall(b"GET /f1448 HTTP/1.1\r\nHo")
    s.close()
    return True


def never_read(host, path):
    s = connect(host)
    s.sendall(request(path))
    select.select([s], [], [], WAIT)
    print("asked", flush=True)
    sys.stdin.read()
    return True


def sequence(host, path, file, count):
    expected = open(file, "rb").read()
    for _ in range(int(count)):
        with connect(host) as s:
            s.sendall(request(path))
            if not body_is(read_all(s), expected):
                return False
    return True


def many(host, path, file, count):
    expected = open(file, "rb").read()
    sockets = [connect(host) for _ in range(int(count))]
    for s in sockets:
        s.sendall(request(path))
    return all(body_is(read_all(s), expected) for s in sockets)


def echo(host, port, count):
    data = os.urandom(int(count))
    s = connect(host, int(port))
    got = []
    reader = threading.Thread(target=lambda: got.append(read_all(s)))
    reader.start()
    s.sendall(data)
    s.shutdown(socket.SHUT_WR)
    reader.join(WAIT)
    return got == [data]


COMMANDS = {"ping": ping, "garbage": garbage, "half": half, "never-read": never_read,
            "sequence": sequence, "many": many, "echo": echo}

if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] not in COMMANDS:
        sys.exit(__doc__)
    sys.exit(0 if COMMANDS[sys.argv[1]](*sys.argv[2:]) else 1)
