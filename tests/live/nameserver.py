#!/usr/bin/env python3
"""A name server for names.sh and ip6.sh: port 53, UDP and TCP, IPv4. It knows:

    www.example.test   CNAME web.example.test, which has an A and an AAAA
    many.example.test  100 A: by UDP it is cut
    example.test       MX, TXT, NS, SOA
    192.0.2.1          PTR
    deaf.example.test  the first question is not answered
    six.example.test   an AAAA of this host; both.example.test its A, too
    far.example.test   an A of this host, and an AAAA to which there is no route
"""
import ipaddress
import socket
import socketserver
import struct
import threading

A, NS, CNAME, SOA, PTR, MX, TXT, AAAA = 1, 2, 5, 6, 12, 15, 16, 28


def name(text):
    labels = [l.encode() for l in text.split('.') if l]
    return b''.join(bytes([len(l)]) + l for l in labels) + b'\0'


def ip(text):
    return ipaddress.ip_address(text).packed


soa = name('ns.example.test') + name('root.example.test') + struct.pack('>5I', 1, 2, 3, 4, 30)
zone = {
    'www.example.test': [(CNAME, name('web.example.test'))],
    'web.example.test': [(A, ip('192.0.2.1')), (AAAA, ip('2001:db8::7'))],
    'many.example.test': [(A, ip('10.9.0.%d' % i)) for i in range(100)],
    'six.example.test': [(AAAA, ip('::1'))],
    'both.example.test': [(A, ip('127.0.0.1')), (AAAA, ip('::1'))],
    'far.example.test': [(A, ip('127.0.0.1')), (AAAA, ip('2001:db8::7'))],
    'deaf.example.test': [(A, ip('192.0.2.1'))],
    'example.test': [(MX, struct.pack('>H', 10) + name('mx.example.test')),
                     (TXT, b'\x05hello\x05world'), (NS, name('ns.example.test')), (SOA, soa)],
    '1.2.0.192.in-addr.arpa': [(PTR, name('web.example.test'))],
}
deaf = {'deaf.example.test'}


def answer(query, limit):
    at, labels = 12, []
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode().lower())
        at += 1 + query[at]
    asked, kind = '.'.join(labels), struct.unpack('>H', query[at + 1:at + 3])[0]
    if asked in deaf and limit < 65535:
        deaf.discard(asked)
        return b''
    records, end = [], asked
    while end in zone:
        found = [(end, t, d) for t, d in zone[end] if t in (kind, CNAME)]
        records += found
        if not found or found[0][1] == kind:
            break
        end = found[0][2][1:-1].decode()
        for i in range(len(end)):  # lengths of labels become dots again
            if ord(end[i]) < 32:
                end = end[:i] + '.' + end[i + 1:]
    rcode = 0 if asked in zone else 3
    body = b''.join(name(n) + struct.pack('>HHIH', t, 1, 60, len(d)) + d for n, t, d in records)
    authority = b'' if records else name('example.test') + struct.pack('>HHIH', SOA, 1, 30, len(soa)) + soa
    question = query[12:at + 5]
    if 12 + len(question) + len(body) > limit:
        return query[:2] + struct.pack('>5H', 0x8780 | rcode, 1, 0, 0, 0) + question
    return query[:2] + struct.pack('>5H', 0x8580 | rcode, 1, len(records), not records, 0) + \
        question + body + authority


class ByTcp(socketserver.BaseRequestHandler):
    def handle(self):
        size = struct.unpack('>H', self.request.recv(2, socket.MSG_WAITALL))[0]
        reply = answer(self.request.recv(size, socket.MSG_WAITALL), 65535)
        self.request.sendall(struct.pack('>H', len(reply)) + reply)


def by_udp(sock):
    while True:
        query, peer = sock.recvfrom(4096)
        reply = answer(query, 1232)
        if reply:
            sock.sendto(reply, peer)


udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(('', 53))
threading.Thread(target=by_udp, args=(udp,), daemon=True).start()
socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(('', 53), ByTcp).serve_forever()
