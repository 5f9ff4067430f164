#!/usr/bin/env python3
"""`tapir get` against awkward servers, on loopback, over the kernel's sockets.

    http_client.py PROGRAM [ARGUMENT...] [--only NAME]

Each case scripts what a server does with its first, second ... connection; checked are
the exit code, what came on stdout, how many connections and requests there were, and
sometimes what the requests were. A line a case; last "N passed, N failed, 0 skipped".
HOST is the address to listen on, WORKERS how many cases are played at once (8: one where
each call makes a device). With "curl" as PROGRAM the same is asked of curl: what differs is what we do on purpose
or better."""

import os
import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

HOST = os.environ.get("HOST", "127.0.0.1")
WORKERS = int(os.environ.get("WORKERS", "8"))
OK = b"HTTP/1.1 200 OK\r\n"


def answer(body=b"hello", head=b"", status=b"200 OK"):
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n%s\r\n%s" % (status, len(body), head, body)


def chunked(text):
    return OK + b"Transfer-Encoding: chunked\r\n\r\n" + text


def to(where, status=b"302 Found", body=b"moved"):
    return answer(body, b"Location: %s\r\n" % where, status)


# --- the server ---------------------------------------------------------------------------


class Server:
    """Plays one script a connection: bytes are sent; READ takes a request, HEAD its head
    alone, N one of N requests that came at once; RST resets; WAIT sleeps; HOLD waits for
    the client to close. At a script's end the connection is closed."""

    def __init__(self, scripts):
        self.scripts, self.requests, self.connections = scripts, [], 0
        self.listener = socket.socket()
        self.listener.bind((HOST, 0))
        self.listener.listen(16)
        self.port = self.listener.getsockname()[1]
        self.threads = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                conn, _ = self.listener.accept()
            except OSError:
                return
            i = self.connections
            self.connections += 1
            script = self.scripts[i] if i < len(self.scripts) else []
            t = threading.Thread(target=self.play, args=(conn, script), daemon=True)
            self.threads.append(t)
            t.start()

    def play(self, conn, script):
        conn.settimeout(8)
        self.text = getattr(self, "text", {})
        state = {"rest": b"", "pending": None}
        try:
            for step in script:
                self.step(conn, step, state)
        except OSError:
            pass
        try:
            conn.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        conn.close()

    def step(self, conn, step, state):
        if isinstance(step, bytes):
            conn.sendall(step.replace(b"PORT", b"%d" % self.port))
        elif step == "READ":
            self.read(conn, state, True)
        elif step == "HEAD":
            self.read(conn, state, False)
        elif step == "RST":
            time.sleep(0.05)
            conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            conn.close()
        elif step == "HOLD":
            while conn.recv(65536):
                pass
        elif step[0] == "WAIT":
            time.sleep(step[1])
        elif step[0] == "DRIP":
            for i in range(len(step[1])):
                conn.sendall(step[1][i:i + 1])
                time.sleep(0.0005)

    def more(self, conn, state):
        got = conn.recv(65536)
        if not got:
            raise OSError("end")
        state["rest"] += got

    def read(self, conn, state, body):
        while b"\r\n\r\n" not in state["rest"]:
            self.more(conn, state)
        head, state["rest"] = state["rest"].split(b"\r\n\r\n", 1)
        request = {"head": head, "body": b""}
        self.requests.append(request)
        if not body:
            return
        m = re.search(rb"(?i)\ncontent-length: *(\d+)", head)
        if m:
            n = int(m[1])
            while len(state["rest"]) < n:
                self.more(conn, state)
            request["body"], state["rest"] = state["rest"][:n], state["rest"][n:]
        elif re.search(rb"(?i)\ntransfer-encoding: *chunked", head):
            while b"0\r\n\r\n" not in state["rest"]:
                self.more(conn, state)
            request["body"], state["rest"] = state["rest"].split(b"0\r\n\r\n", 1)

    def close(self):
        self.listener.close()


# --- the cases ----------------------------------------------------------------------------

CASES = []


def case(name, scripts, code=0, body=b"hello", args=("U/",), connections=1, requests=None,
         check=None, file=None, most=6.0):
    CASES.append(dict(locals()))


def one(name, text, code=0, body=b"hello", **more):
    """One connection, one request, this answer; then a close."""
    case(name, [["READ", text]], code, body, **more)


def kept(name, texts, **more):
    """One connection, an answer a request, and the client closes."""
    script = []
    for text in texts:
        script += ["READ", text]
    case(name, [script + ["HOLD"]], **more)


# framing
one("length", answer())
one("close-delimited", OK + b"\r\nhello")
one("chunked", chunked(b"5\r\nhello\r\n0\r\n\r\n"))
one("chunk extensions and trailers", chunked(b"2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\nX: y\r\n\r\n"))
one("hexadecimal chunk sizes", chunked(b"00A\r\n0123456789\r\n0\r\n\r\n"), body=b"0123456789")
one("short body", OK + b"Content-Length: 9\r\n\r\nhello", 18)
one("no body at all", OK + b"Content-Length: 9\r\n\r\n", 18, b"")
one("missing last chunk", chunked(b"5\r\nhello\r\n"), 18)
one("end inside a chunk", chunked(b"9\r\nhello"), 18)
one("end inside a size line", chunked(b"5\r\nhello\r\n5"), 18)
one("end inside the trailers", chunked(b"5\r\nhello\r\n0\r\nX: y\r\n"), 18)
one("a size that is none", chunked(b"zz\r\nhello\r\n0\r\n\r\n"), 56, b"")
one("a chunk that is longer than its size", chunked(b"3\r\nhello\r\n0\r\n\r\n"), 56, b"hel")
one("a chunk size beyond 64 bits", chunked(b"fffffffffffffffff\r\nhello"), 56, b"")
one("length and chunks: chunks win",
    OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
one("two lengths that agree", OK + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello")
one("two lengths that differ", OK + b"Content-Length: 5\r\nContent-Length: 4\r\n\r\nhello", 8, b"")
one("a length that is no number", OK + b"Content-Length: 5x\r\n\r\nhello", 8, b"")
one("a negative length", OK + b"Content-Length: -5\r\n\r\nhello", 8, b"")
one("an unknown transfer coding", OK + b"Transfer-Encoding: gzip\r\n\r\nhello", 61, b"")
kept("204 has no body", [b"HTTP/1.1 204 No\r\n\r\n"], body=b"")
kept("304 has no body", [b"HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n"], body=b"")
kept("an answer with a length ends without a close", [answer()], most=1.5)
kept("HEAD has no body", [OK + b"Content-Length: 5\r\n\r\n"],
     body=OK + b"Content-Length: 5\r\n\r\n", args=("-I", "U/"))
# resets and ends
case("nothing", [["READ"]], 52, b"")
case("reset before an answer", [["READ", "RST"]], 56, b"")
case("reset inside the head", [["READ", b"HTTP/1.1 200", "RST"]], 56, b"")
case("reset inside a body with a length",
     [["READ", OK + b"Content-Length: 9\r\n\r\nhello", "RST"]], 56)
case("reset inside a chunk", [["READ", chunked(b"9\r\nhello"), "RST"]], 56)
case("reset of a body that ends with the connection", [["READ", OK + b"\r\nhello", "RST"]], 56)
one("end inside the head", OK + b"Content-Le", 18, b"")
one("end behind the status line", OK, 18, b"")
one("end behind a 100", b"HTTP/1.1 100 Continue\r\n\r\n", 52, b"")
# heads
one("interim answers", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: </x>\r\n\r\n" +
    b"HTTP/1.1 199 What\r\nContent-Length: 9\r\n\r\n" + answer())
one("a storm of interim answers", b"HTTP/1.1 102 P\r\n\r\n" * 500 + answer())
one("no reason", b"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello")
one("an empty reason", b"HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\nhello")
one("bare LF", b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello")
one("folded lines", OK + b"X: a\r\n b\r\n\tc\r\nContent-Length: 5\r\n\r\nhello")
one("HTTP/1.0", b"HTTP/1.0 200 OK\r\n\r\nhello")
one("a higher minor version", b"HTTP/1.9 200 OK\r\nContent-Length: 5\r\n\r\nhello", 1, b"")
one("a head without end", OK + b"X: y\r\n" * 60000, 56, b"")
one("a field of 60000 characters", answer(head=b"X: " + b"y" * 60000 + b"\r\n"))
one("200 fields", answer(head=b"".join(b"X%d: y\r\n" % i for i in range(200))))
one("not HTTP", b"hello, world\r\n", 1, b"")
one("HTTP/2", b"HTTP/2 200\r\n\r\n", 1, b"")
one("a status of two digits", b"HTTP/1.1 20 OK\r\n\r\n", 1, b"")
case("one byte a segment", [["READ", ("DRIP", answer())]])
case("one byte a segment, chunked", [["READ", ("DRIP", chunked(b"5\r\nhello\r\n0\r\n\r\n"))]])
# failures
one("-f", answer(status=b"404 No"), 22, b"", args=("-f", "U/"))
one("404 without -f", answer(status=b"404 No"))
case("time allowed", [["READ", OK + b"Content-Length: 9\r\n\r\nhello", "HOLD"]], 28,
     args=("-m", "0.3", "U/"), most=2)
case("time allowed, with a drip", [["READ", OK + b"\r\n", ("DRIP", b"x" * 4000)]], 28, None,
     args=("-m", "0.3", "U/"), most=2)
# reuse
TWO = ("U/a", "U/b")
kept("reuse", [answer(b"a"), chunked(b"1\r\nb\r\n0\r\n\r\n")], body=b"ab", args=TWO, requests=2)
case("no reuse after close", [["READ", answer(b"a", b"Connection: close\r\n"), "HOLD"],
                              ["READ", answer(b"b")]], 0, b"ab", TWO, 2)
case("no reuse of HTTP/1.0", [["READ", b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", "HOLD"],
                              ["READ", answer(b"b")]], 0, b"ab", TWO, 2)
kept("reuse of HTTP/1.0 with keep-alive",
     [b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\na", answer(b"b")],
     body=b"ab", args=TWO)
case("no reuse after stray bytes", [["READ", answer(b"a") + b"stray", "HOLD"],
                                    ["READ", answer(b"b")]], 0, b"ab", TWO, 2)
case("closed while idle", [["READ", answer(b"a")], ["READ", answer(b"b")]], 0, b"ab", TWO, 2)
case("GET lost on a kept connection", [["READ", answer(b"a"), "READ"], ["READ", answer(b"b")]],
     0, b"ab", TWO, 2, 3)
case("GET reset on a kept connection",
     [["READ", answer(b"a"), "READ", "RST"], ["READ", answer(b"b")]], 0, b"ab", TWO, 2, 3)
case("GET lost twice", [["READ", answer(b"a"), "READ"], ["READ"]], 52, b"a", TWO, 2, 3)
case("POST lost on a kept connection", [["READ", answer(b"a"), "READ"], ["READ", answer(b"b")]],
     52, b"a", ("U/a", "--next", "-d", "x", "U/b"), 1, 2)
case("GET with part of an answer is not repeated",
     [["READ", answer(b"a"), "READ", b"HTTP/1.1 2"], ["READ", answer(b"b")]], 18, b"a", TWO, 1, 2)
# redirects
kept("a redirect", [to(b"/b"), answer()], args=("-L", "U/"), requests=2)
one("a redirect that is not followed", to(b"/b"), body=b"moved")
kept("a redirect without Location", [answer(status=b"302 Found")], args=("-L", "U/"))
kept("a relative redirect", [to(b"../c?d#e"), answer()], args=("-L", "U/a/b/"),
     check=lambda r: r[1]["head"].startswith(b"GET /a/c?d HTTP"))
kept("a loop", [to(b"/")] * 4, code=47, body=b"", args=("-L", "--max-redirs", "3", "U/"), requests=4)
kept("not one redirect", [to(b"/")], code=47, body=b"", args=("-L", "--max-redirs", "0", "U/"))
kept("a redirect out of http", [to(b"file:///etc/passwd")], code=1, body=b"", args=("-L", "U/"))
kept("a redirect with a space", [to(b"/a b"), answer()], args=("-L", "U/"),
     check=lambda r: r[1]["head"].startswith(b"GET /a%20b HTTP"))
for status, method in ((b"301", b"GET"), (b"302", b"GET"), (b"303", b"GET"), (b"307", b"POST"),
                       (b"308", b"POST")):
    kept("POST and %s" % status.decode(), [to(b"/b", status + b" x"), answer()],
         args=("-L", "-d", "x=y", "U/"),
         check=lambda r, m=method: r[1]["head"].startswith(m + b" /b ") and
         r[1]["body"] == (b"x=y" if m == b"POST" else b""))
kept("PUT and 303", [to(b"/b", b"303 x"), answer()], args=("-L", "-T", "FILE", "U/"), file=b"data",
     check=lambda r: r[1]["head"].startswith(b"GET /b "))
kept("PUT and 307", [to(b"/b", b"307 x"), answer()], args=("-L", "-T", "FILE", "U/x"), file=b"data",
     check=lambda r: r[1]["head"].startswith(b"PUT /b ") and r[1]["body"] == b"data")
case("credentials stay with their origin",
     [["READ", to(b"http://localhost:PORT/b"), "HOLD"], ["READ", answer()]],
     args=("-L", "-u", "a:b", "-H", "Cookie: c", "--resolve", "*:PORT:ADDR", "U/"),
     connections=2,
     check=lambda r: b"Authorization: Basic YTpi" in r[0]["head"] and b"Cookie" in r[0]["head"] and
     b"Authorization" not in r[1]["head"] and b"Cookie" not in r[1]["head"])
kept("credentials go back to their origin", [to(b"/b"), answer()], args=("-L", "-u", "a:b", "U/"),
     check=lambda r: b"Authorization: Basic YTpi" in r[1]["head"])
case("a redirect with a body that is cut", [["READ", to(b"/b").replace(b": 5", b": 9")],
                                            ["READ", answer()]], args=("-L", "U/"), connections=2)
# requests
kept("fragment and user are not sent", [answer()], args=("http://a:b@ADDR:PORT/x?y#z",),
     check=lambda r: r[0]["head"].startswith(b"GET /x?y HTTP/1.1\r\nHost: %s:PORT\r\n" % HOST.encode()))
kept("-d twice", [answer()], args=("-d", "a=b", "-d", "c", "U/"),
     check=lambda r: r[0]["body"] == b"a=b&c" and
     b"Content-Type: application/x-www-form-urlencoded" in r[0]["head"])
kept("--data-binary @file", [answer()], args=("--data-binary", "@FILE", "U/"), file=b"a\r\nb\0",
     check=lambda r: r[0]["body"] == b"a\r\nb\0")
kept("-d @file", [answer()], args=("-d", "@FILE", "U/"), file=b"a\r\nb\n",
     check=lambda r: r[0]["body"] == b"ab")
kept("-X", [answer()], args=("-X", "DELETE", "U/"),
     check=lambda r: r[0]["head"].startswith(b"DELETE / HTTP/1.1\r\n"))
kept("-r", [answer(status=b"206 Partial")], args=("-r", "0-4", "U/"),
     check=lambda r: b"Range: bytes=0-4\r\n" in r[0]["head"] + b"\r\n")
kept("-A, -e and -H", [answer()], args=("-A", "me", "-e", "you", "-H", "X: y", "-H", "Accept:", "U/"),
     check=lambda r: b"User-Agent: me" in r[0]["head"] and b"Referer: you" in r[0]["head"] and
     b"X: y" in r[0]["head"] and b"Accept" not in r[0]["head"])
one("-0", b"HTTP/1.0 200 OK\r\n\r\nhello", args=("-0", "U/"),
    check=lambda r: r[0]["head"].startswith(b"GET / HTTP/1.0\r\n"))
kept("-T of what has no length", [answer()], args=("-T", "-", "U/"), file=b"data",
     check=lambda r: b"Transfer-Encoding: chunked" in r[0]["head"] and r[0]["body"] == b"4\r\ndata\r\n")
case("-T of nothing", [], 26, b"", args=("-T", "/nowhere", "U/"), connections=0)
BIG = b"x" * 3000000
kept("Expect with a 100", [answer()], args=("-T", "FILE", "U/x"), file=BIG,
     check=lambda r: b"Expect: 100-continue" in r[0]["head"] and r[0]["body"] == BIG, most=3)
CASES[-1]["scripts"] = [["HEAD", b"HTTP/1.1 100 Continue\r\n\r\n", ("BODY", 3000000), answer(), "HOLD"]]
CASES[-1]["check"] = lambda r: b"Expect: 100-continue" in r[0]["head"]
kept("Expect without a 100", [answer()], args=("-T", "FILE", "U/x"), file=BIG, most=3,
     check=lambda r: r[0]["body"] == BIG)
case("Expect and a refusal", [["HEAD", answer(status=b"413 No"), "HOLD"]], args=("-T", "FILE", "U/x"),
     file=BIG, most=0.9)
case("417", [["HEAD", answer(status=b"417 No"), "HOLD"], ["READ", answer()]],
     args=("-T", "FILE", "U/x"), file=BIG, connections=None,
     check=lambda r: b"Expect" not in r[1]["head"] and r[1]["body"] == BIG)
case("an early refusal ends the sending", [["HEAD", answer(status=b"413 No"), ("WAIT", 1)]],
     args=("-H", "Expect:", "-T", "FILE", "U/x"), file=BIG * 10, most=3)
case("a reset after an early refusal", [["HEAD", answer(status=b"413 No"), "RST"]],
     args=("-H", "Expect:", "-T", "FILE", "U/x"), file=BIG * 10, code=None, body=None)
# resuming
case("-C", [["READ", answer(b"llo", b"Content-Range: bytes 2-4/5\r\n", b"206 x"), "HOLD"]],
     body=b"llo", args=("-C", "2", "U/"), check=lambda r: b"Range: bytes=2-" in r[0]["head"])
case("-C without ranges", [["READ", answer(), "HOLD"]], 33, b"", args=("-C", "2", "U/"))
case("-C at the end", [["READ", answer(b"no", b"Content-Range: bytes */5\r\n", b"416 x"), "HOLD"]],
     body=b"", args=("-C", "5", "U/"))
case("-C with the wrong range",
     [["READ", answer(b"lo", b"Content-Range: bytes 3-4/5\r\n", b"206 x"), "HOLD"]], 33, b"",
     args=("-C", "2", "U/"))
# retries
case("--retry", [["READ", answer(status=b"503 Busy"), "HOLD"], ["READ", answer()]], body=b"hellohello",
     args=("--retry", "2", "--retry-delay", "0.1", "U/"), connections=None, most=3)
# output
kept("-w", [answer()], body=b"hello200 5 1 0 0\n",
     args=("-w", "%{http_code} %{size_download} %{num_connects} %{num_redirects} %{exitcode}\\n", "U/"))
kept("-i", [answer()], args=("-i", "U/"), body=answer())
# pipelining
ONE_BY_ONE = ("--pipeline", "U/a", "U/b", "U/c")
case("pipelined", [["READ", "READ", "READ", answer(b"a") + answer(b"b") + answer(b"c"), "HOLD"]],
     body=b"abc", args=ONE_BY_ONE, requests=3)
case("a pipeline closed after the first",
     [["READ", answer(b"a", b"Connection: close\r\n")],
      ["READ", answer(b"b"), "READ", answer(b"c"), "HOLD"]],
     body=b"abc", args=ONE_BY_ONE, connections=2)
case("a pipeline closed without a word",
     [["READ", answer(b"a")], ["READ", answer(b"b"), "READ", answer(b"c"), "HOLD"]],
     body=b"abc", args=ONE_BY_ONE, connections=2)
case("a pipeline reset after the first",
     [["READ", "READ", "READ", answer(b"a"), "RST"], ["READ", answer(b"b"), "READ", answer(b"c"), "HOLD"]],
     body=b"abc", args=ONE_BY_ONE, connections=2)
case("a server that closes each time",
     [["READ", answer(x, b"Connection: close\r\n")] for x in (b"a", b"b", b"c")],
     body=b"abc", args=ONE_BY_ONE, connections=3)
case("a pipeline with an answer cut",
     [["READ", answer(b"a") + OK + b"Content-Length: 9\r\n\r\nb"], ["READ", answer(b"c"), "HOLD"]], 18,
     b"abc", ONE_BY_ONE, 2)
case("a pipeline never answered", [["READ"], ["READ", answer(b"a"), "READ", "READ", answer(b"b") +
                                   answer(b"c"), "HOLD"]], 0, b"abc", ONE_BY_ONE, 2)
case("a pipeline with a redirect",
     [["READ", "READ", "READ", to(b"/d") + answer(b"b") + answer(b"c"), "HOLD"],
      ["READ", answer(b"a"), "HOLD"]], body=b"abc", args=("-L",) + ONE_BY_ONE, connections=2,
     requests=4)
case("a pipeline with stray bytes at its end",
     [["READ", "READ", "READ", answer(b"a") + answer(b"b") + answer(b"c") + b"x", "HOLD"]],
     body=b"abc", args=ONE_BY_ONE)
case("POST is not pipelined",
     [["READ", ("ALONE",), answer(b"a"), "READ", answer(b"b"), "READ", answer(b"c"), "HOLD"]],
     body=b"abc", args=("-d", "x") + ONE_BY_ONE)
# parallel
case("-Z", [["READ", ("WAIT", 0.5), answer(b"a"), "HOLD"] for _ in range(4)], body=b"aaaa",
     args=("-Z", "U/", "U/", "U/", "U/"), connections=4, most=1.8)
case("--parallel-max", [["READ", answer(b"a"), "READ", answer(b"a"), "READ", answer(b"a"), "READ",
                         answer(b"a"), "HOLD"]] * 2,
     body=b"aaaa", args=("-Z", "--parallel-max", "1", "U/", "U/", "U/", "U/"), connections=1)


# --- running ------------------------------------------------------------------------------


def play_body(self, conn, n, state):
    while len(state["rest"]) < n:
        self.more(conn, state)
    state["rest"] = state["rest"][n:]


def play_alone(self, conn, state):
    conn.settimeout(0.1)
    try:
        if state["rest"] or conn.recv(1):
            self.requests.append({"head": b"too early", "body": b""})
    except socket.timeout:
        pass
    conn.settimeout(8)


plain_step = Server.step


def step(self, conn, what, state):
    if isinstance(what, tuple) and what[0] == "BODY":
        play_body(self, conn, what[1], state)
    elif isinstance(what, tuple) and what[0] == "ALONE":
        play_alone(self, conn, state)
    else:
        plain_step(self, conn, what, state)


Server.step = step


def run(c, program, directory):
    server = Server(c["scripts"])
    path = os.path.join(directory, "file%d" % server.port)
    if c["file"] is not None:
        with open(path, "wb") as f:
            f.write(c["file"])
    url = "http://%s:%d" % (HOST, server.port)
    args = [a.replace("U/", url + "/", 1) if a.startswith("U/") else
            a.replace("PORT", str(server.port)).replace("FILE", path).replace("ADDR", HOST) for a in c["args"]]
    stdin = open(path, "rb") if c["file"] is not None else subprocess.DEVNULL
    begin = time.monotonic()
    try:
        done = subprocess.run(program + args, stdin=stdin, capture_output=True, timeout=15)
        code, out, err = done.returncode, done.stdout, done.stderr
    except subprocess.TimeoutExpired:
        code, out, err = "never ended", b"", b""
    took = time.monotonic() - begin
    for t in server.threads:
        t.join(0.5)
    server.close()
    wrong = []
    if c["code"] is not None and code != c["code"]:
        wrong.append("exit %s, not %s" % (code, c["code"]))
    if c["body"] is not None and out != c["body"]:
        wrong.append("got %r, not %r" % (out[:60], c["body"][:60]))
    if c["connections"] is not None and server.connections != c["connections"]:
        wrong.append("%d connections, not %d" % (server.connections, c["connections"]))
    if c["requests"] is not None and len(server.requests) != c["requests"]:
        wrong.append("%d requests, not %d" % (len(server.requests), c["requests"]))
    for r in server.requests:
        r["head"] = r["head"].replace(b":%d" % server.port, b":PORT")
    try:
        if c["check"] and not c["check"](server.requests):
            wrong.append("requests %r" % [r["head"][:300] for r in server.requests])
    except IndexError:
        wrong.append("only %d requests" % len(server.requests))
    if took > c["most"]:
        wrong.append("%.1f s" % took)
    return wrong, err


def main():
    program, only = sys.argv[1:], None
    if "--only" in program:
        only = program[program.index("--only") + 1]
        program = program[:program.index("--only")]
    cases = [c for c in CASES if only in (None, c["name"])]
    results = [None] * len(cases)
    todo = iter(range(len(cases)))
    lock = threading.Lock()

    def worker():
        while True:
            with lock:
                i = next(todo, None)
            if i is None:
                return
            results[i] = run(cases[i], program, directory)

    with tempfile.TemporaryDirectory() as directory:
        workers = [threading.Thread(target=worker) for _ in range(WORKERS)]
        for w in workers:
            w.start()
        for w in workers:
            w.join()
    failed = 0
    for c, (wrong, err) in zip(cases, results):
        print("%s %s%s" % ("FAIL" if wrong else "ok  ", c["name"],
                           ": " + "; ".join(wrong) if wrong else ""))
        if wrong:
            failed += 1
            for line in err.decode(errors="replace").splitlines()[:4]:
                print("     | " + line)
    print("%d passed, %d failed, 0 skipped" % (len(cases) - failed, failed))
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
