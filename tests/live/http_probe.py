"""Requests as bytes on a socket of the kernel's, to
`tapir serve --echo /echo --header-timeout 1 --max-body 1000000 DIR`.

    http_probe.py HOST PORT

Run by http.sh, which makes DIR. One line a test, last "N passed, N failed, 0 skipped".
"""
import http.client
import re
import socket
import sys
import time

HOST, PORT = sys.argv[1], int(sys.argv[2])
failed = passed = 0


def connect():
    s = socket.create_connection((HOST, PORT), timeout=5)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def read_all(s):
    """Until the server's end; b'reset' at the end says that it was no clean one."""
    data = b""
    try:
        while True:
            piece = s.recv(65536)
            if not piece:
                return data
            data += piece
    except ConnectionResetError:
        return data + b"reset"
    except socket.timeout:
        return data + b"timeout"


def ask(request, half_close=True):
    s = connect()
    s.sendall(request)
    if half_close:
        s.shutdown(socket.SHUT_WR)
    answer = read_all(s)
    s.close()
    return answer


def statuses(answer):
    return [int(x) for x in re.findall(rb"HTTP/1\.1 (\d\d\d) ", answer)]


def check(name, good, seen=b""):
    global passed, failed
    passed += bool(good)
    failed += not good
    print("ok   " if good else "FAIL ", name, sep="")
    if not good:
        print("     |", seen[:600])


def get(target="/a.txt", fields="", method="GET", version="1.1"):
    host = "Host: h\r\n" if version == "1.1" else ""
    return f"{method} {target} HTTP/{version}\r\n{host}{fields}\r\n".encode()


def post(fields, body=b"", target="/echo"):
    return f"POST {target} HTTP/1.1\r\nHost: h\r\n{fields}\r\n".encode("latin1") + body


# name, request, the statuses of all answers
STATUSES = [
    ("a file", get(), [200]),
    ("a query", get("/a.txt?x"), [200]),
    ("absolute-form", get("http://other/a.txt"), [200]),
    ("HTTP/1.0", get(version="1.0"), [200]),
    ("HTTP/1.2 is read as 1.1", b"GET /a.txt HTTP/1.2\r\nHost: h\r\n\r\n", [200]),
    ("HTTP/2.0", b"GET / HTTP/2.0\r\nHost: h\r\n\r\n", [505]),
    ("HEAD", get(method="HEAD"), [200]),
    ("OPTIONS *", get("*", method="OPTIONS"), [200]),
    ("* is for OPTIONS alone", get("*"), [400]),
    ("an unknown method", get(method="BREW"), [501]),
    ("a method with lower case", get(method="get"), [501]),
    ("DELETE", get(method="DELETE"), [405]),
    ("TRACE", get(method="TRACE"), [405]),
    ("CONNECT", get("h:80", method="CONNECT"), [405]),
    ("no Host", b"GET / HTTP/1.1\r\n\r\n", [400]),
    ("two Hosts", get(fields="Host: h\r\n"), [400]),
    ("a blank before the colon", get(fields="A : b\r\n"), [400]),
    ("a folded line", get(fields="A: b\r\n c\r\n"), [400]),
    ("a bare LF", b"GET / HTTP/1.1\nHost: h\n\n", [400]),
    ("a NUL", get(fields="A: \0\r\n"), [400]),
    ("empty lines in front", b"\r\n\r\n" + get(), [200]),
    ("a hundred fields", get(fields="A: b\r\n" * 100), [200]),
    ("empty lines without end", b"\r\n" * 50, [400]),
    ("a line of 8000 octets", get("/" + "a" * 7980), [404]),
    ("a target that is too long", get("/" + "a" * 9000), [414]),
    ("too many fields", get(fields="A: b\r\n" * 129), [431]),
    ("fields that are too long", get(fields="A: " + "b" * 17000 + "\r\n"), [431]),
    ("out of the directory", get("/../secret"), [400]),
    ("the same, encoded", get("/%2e%2e/secret"), [400]),
    ("the same, encoded twice", get("/%252e%252e/secret"), [404]),
    ("an encoded slash", get("/..%2fsecret"), [404]),
    ("a backslash", get("/..\\secret"), [404]),
    ("an encoded NUL", get("/a.txt%00"), [400]),
    ("a link that leads out", get("/out"), [403]),
    ("a bad encoding", get("/%zz"), [400]),
    ("lengths that differ", post("Content-Length: 1\r\nContent-Length: 2\r\n", b"ab"), [400]),
    ("a length with a sign", post("Content-Length: +1\r\n", b"a"), [400]),
    ("a length and chunks",
     post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n") + get(), [400]),
    ("a coding nobody knows", post("Transfer-Encoding: x, chunked\r\n", b"0\r\n\r\n"), [501]),
    ("chunks that are none", post("Transfer-Encoding: chunked\r\n", b"xyz\r\n"), [400]),
    ("a body that is too large", post("Content-Length: 2000000\r\n"), [413]),
    ("no length for echo", post(""), [411]),
    ("an expectation nobody knows", post("Expect: x\r\nContent-Length: 1\r\n", b"a"), [417]),
    ("bodies are no requests",
     post("Content-Length: 4\r\n", b"GET ") + get(), [200, 200]),
    ("pipelined, in order",
     get() + get("/none") + get(method="HEAD") + get("/sub") + get(), [200, 404, 200, 301, 200]),
    ("nothing behind close", get(fields="Connection: x, CLOSE\r\n") + get(), [200]),
    ("what is bad does not eat what was good", get() + b"nonsense\r\n\r\n", [200, 400]),
    ("a range", get(fields="Range: bytes=1-2\r\n"), [206]),
    ("a range beyond the end", get(fields="Range: bytes=99-\r\n"), [416]),
    ("a range that wraps", get(fields="Range: bytes=18446744073709551616-\r\n"), [416]),
    ("a bomb of ranges", get(fields="Range: bytes=" + "0-," * 500 + "0-\r\n"), [200]),
    ("If-None-Match", get(fields="If-None-Match: *\r\n"), [304]),
    ("If-Match", get(fields='If-Match: "x"\r\n'), [412]),
    ("half a request", b"GET / HT", [400]),
]


CHUNKS = "Transfer-Encoding: chunked\r\n"

# RFC 9112 s6, s7.1, s11.2: framing that two servers could read in two ways. Each stands in
# front of a request that must not be answered.
FRAMINGS = [
    *(f"Content-Length: {x}\r\n" for x in (
        "-1", "0x5", "5 5", "5.0", "", "five", '"5"', "5;", "5, 6", "5,+5", "5\v", "5\t6",
        "18446744073709551621")),
    *(f"Transfer-Encoding: {x}\r\n" for x in (
        "xchunked", "chunkedx", "identity", "gzip", "gzip, chunked", "chunked, gzip",
        "chunked, chunked", "chunked, identity", "chunked\v", "\vchunked", '"chunked"',
        "chunked;q=1", "chun ked", "chunked\xa0", "\x85chunked", "chunked\0", "", ",chunked")),
    CHUNKS * 2, CHUNKS + "Transfer-Encoding: x\r\n", CHUNKS + "Content-Length: 5\r\n",
    "Content-Length: 5\r\n" + CHUNKS, "Transfer-Encoding : chunked\r\n",
    "Transfer-Encoding\t: chunked\r\n", "Content-Length : 5\r\n", "A: b\r\n " + CHUNKS,
    "A: b\n" + CHUNKS, "A: b\r" + CHUNKS, "Transfer-Encoding:\r\n chunked\r\n",
    "Transfer-Encoding\0: chunked\r\n", "\1" + CHUNKS,
]

# The same inside the chunks.
CHUNKED = [
    b"+5\r\nabcde\r\n", b"-5\r\nabcde\r\n", b"0x5\r\nabcde\r\n", b"\r\nabcde\r\n",
    b" 5\r\nabcde\r\n", b"0_5\r\nabcde\r\n", b"5\0\r\nabcde\r\n", b"5\r\r\nabcde\r\n",
    b"5\rXabcde\r\n", b"5\nabcde\r\n", b"10000000000000005\r\nabcde\r\n", b"5\r\nabcde",
    b"3\r\nabcde\r\n", b"5\r\nabcde\n", b"5\r\nabcde\rX", b"5;a\rb\r\nabcde\r\n",
    b"5;a\nabcde\r\n", b"5;" + b"a" * 9000, b"0\r\nnonsense\r\n", b"0\r\nA : b\r\n",
    b"0\r\n" + b"A: b\r\n" * 2000,
]

# Bodies that are chunks, and what comes back.
BODIES = [
    (b"A\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
    (b"0005\r\nabcde\r\n000\r\n\r\n", b"abcde"),
    (b'5;a;b=c;d="e;f"\r\nabcde\r\n0;g\r\n\r\n', b"abcde"),
    (b"5 ;a\r\nabcde\r\n0\r\n\r\n", b"abcde"),
    (b"0\r\nContent-Length: 9\r\nConnection: close\r\n\r\n", b""),
    (b"1\r\na\r\n" * 5000 + b"0\r\n\r\n", b"a" * 5000),
]

# What Host may be, and what not (RFC 9112 s3.2).
HOSTS = ["h", "h:80", "h:", "", "1.2.3.4:8080", "[::1]:80", "a-b.c_d", "h%41"]
NO_HOSTS = ["h h", "h/x", "u@h", "h:x", "h:99999", "[::1", "h,h", "h#", "h\\x", "h:80:80", "h\0"]


def check_statuses():
    for name, request, want in STATUSES:
        answer = ask(request)
        check(name, statuses(answer) == want and not answer.endswith(b"reset"), answer)


def refused(request):
    """Answered once, with 400, 413 or 501, and closed; without our end having come."""
    answer = ask(request + get("/none") + b"\r\n", half_close=False)
    return statuses(answer) in ([400], [413], [501]) and b"Connection: close" in answer, answer


def check_framing():
    for fields in FRAMINGS:
        request = post(fields) + b"0\r\n\r\n"
        check(f"refused: {fields!r}", *refused(request))
    for chunks in CHUNKED:
        check(f"refused: {chunks[:30]!r}", *refused(post(CHUNKS, chunks)))
    for chunks, want in BODIES:
        answer = ask(post(CHUNKS, chunks) + get())
        good = statuses(answer) == [200, 200] and b"\r\n\r\n" + want + b"HTTP/1.1" in answer
        check(f"read: {chunks[:30]!r}", good, answer)


def check_hosts():
    for hosts, want in ((HOSTS, [200]), (NO_HOSTS, [400])):
        for host in hosts:
            answer = ask(f"GET /a.txt HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            check(f"Host {host!r}", statuses(answer) == want, answer)


# Who is told at once, though he has not ended what he says.
AT_ONCE = [
    ("HTTP/0.9", b"GET /a.txt\r\n", 400),
    ("another version", b"GET / HTTP/5.0\r\n", 505),
    ("SSH", b"SSH-2.0-x\r\n", 400),
    ("TLS", b"\x16\x03\x01\x02\x00", 400),
    ("a chunk that is too large", post(CHUNKS, b"fffffff\r\n"), 413),
    ("a method without end", b"A" * 100, 501),
    ("a target without end", b"GET /" + b"a" * 20000, 414),
    ("fields without end", get(fields="A: b\r\n" * 20000)[:-2], 431),
]


def check_at_once():
    for name, request, want in AT_ONCE:
        begin = time.monotonic()
        answer = ask(request, half_close=False)
        check(f"at once: {name}", statuses(answer) == [want] and time.monotonic() - begin < 0.8,
              answer)


def check_pipeline():
    answer = ask(get() * 500 + get(fields="Connection: close\r\n"), half_close=False)
    check("500 requests in one piece", statuses(answer) == [200] * 501, answer)
    request = get() + post("Content-Length: 3\r\n", b"abc") + get("/none")
    s = connect()
    for byte in request:
        s.sendall(bytes([byte]))
    s.shutdown(socket.SHUT_WR)
    check("a pipeline byte by byte", statuses(read_all(s)) == [200, 200, 404])


def check_variants():
    plain = ask(get("/page.txt"))
    coded = ask(get("/page.txt", "Accept-Encoding: gzip\r\n"))
    tags = [re.search(rb"ETag: (.*)\r\n", x).group(1) for x in (plain, coded)]
    check("both of a precompressed file say Vary, and have tags of their own",
          all(b"\r\nVary: Accept-Encoding\r\n" in x for x in (plain, coded)) and
          tags[0] != tags[1], plain[:600])


def check_slow_upload():
    """Who still sends hears why he was refused, when he reads at last."""
    s = connect()
    s.sendall(post("Content-Length: 2000000\r\n"))
    begin = time.monotonic()
    while time.monotonic() - begin < 2.4:
        s.sendall(b"x" * 1000)
        time.sleep(0.1)
    answer = s.recv(10000)
    check("a slow sender of what is refused hears the answer", statuses(answer) == [413], answer)
    s.close()


def check_echo():
    s = connect()
    s.sendall(post("Expect: 100-continue\r\nContent-Length: 5\r\n"))
    first = s.recv(1000)
    s.sendall(b"hello")
    s.shutdown(socket.SHUT_WR)
    rest = read_all(s)
    check("100, then what was sent",
          first == b"HTTP/1.1 100 Continue\r\n\r\n" and rest.endswith(b"\r\n\r\nhello"), rest)
    body = bytes(range(256)) * 2000
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + 999]), body[i:i + 999])
                      for i in range(0, len(body), 999))
    answer = ask(post("Transfer-Encoding: chunked\r\n", chunks + b"0\r\n\r\n"))
    check("chunks come back as one body", answer.endswith(b"\r\n\r\n" + body), answer)


def check_kept():
    c = http.client.HTTPConnection(HOST, PORT, timeout=5)
    slowest = 0
    for i in range(200):
        begin = time.monotonic()
        if i % 2:
            c.request("POST", "/echo", b"x" * i)
        else:
            c.request("GET", "/a.txt")
        body = c.getresponse().read()
        if body != (b"x" * i if i % 2 else b"hello"):
            check("a kept connection", False, body)
            return
        slowest = max(slowest, time.monotonic() - begin)
    check("no answer on a kept connection waits for a timer", slowest < 0.2,
          str(slowest).encode())


def check_old():
    answer = ask(get(version="1.0", fields="Connection: keep-alive\r\n") * 2)
    check("HTTP/1.0 keeps alive when asked",
          statuses(answer) == [200, 200] and answer.count(b"Connection: keep-alive") == 2, answer)


def check_early():
    """The answer to a body that is not read arrives all the same (RFC 9112 s9.6)."""
    s = connect()
    try:
        s.sendall(post("Content-Length: 99999999\r\n", b"x" * 300000))
    except OSError:
        pass
    time.sleep(0.3)
    answer = read_all(s)
    check("no reset eats an early answer", statuses(answer) == [413], answer)


def check_drip():
    s = connect()
    begin = time.monotonic()
    s.settimeout(0.2)
    answer = b""
    for byte in b"GET / HTTP/1.1\r\nX: " + b"x" * 40:
        try:
            s.send(bytes([byte]))
            answer += s.recv(1000)
        except socket.timeout:
            continue
        except OSError:
            break
        if answer:
            break
    took = time.monotonic() - begin
    check("a drip does not move the deadline", statuses(answer) == [408] and 0.8 < took < 3,
          answer)


check_statuses()
check_framing()
check_hosts()
check_at_once()
check_pipeline()
check_variants()
check_echo()
check_kept()
check_old()
check_early()
check_drip()
check_slow_upload()
print(f"{passed} passed, {failed} failed, 0 skipped")
sys.exit(failed > 0)
