"""The cases of http_client.py: what a server does, and what is to come of it. A body of None
is not looked at, a code of "fail" is any but 0; in arguments "U/" is the server's URL, FILE the path of a
file that holds `file` before and `written` afterwards."""

import os

HOST = os.environ.get("HOST", "127.0.0.1")
OK = b"HTTP/1.1 200 OK\r\n"


def answer(body=b"hello", head=b"", status=b"200 OK"):
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n%s\r\n%s" % (status, len(body), head, body)


def chunked(text):
    return OK + b"Transfer-Encoding: chunked\r\n\r\n" + text


def to(where, status=b"302 Found", body=b"moved"):
    return answer(body, b"Location: %s\r\n" % where, status)


CASES = []


def case(name, scripts, code=0, body=b"hello", args=("U/",), connections=1, requests=None,
         check=None, file=None, most=6.0, written=None):
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
case("--retry", [["READ", answer(status=b"503 Busy"), "READ", answer()]], body=b"hellohello",
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
REST = ["READ", answer(b"bbb"), "READ", answer(b"c"), "HOLD"]
CUT = OK + b"Content-Length: 3\r\n\r\nb"
for how, end in (("closed", []), ("reset", ["RST"])):
    case("a pipeline %s in an answer" % how, [["READ", "READ", "READ", answer(b"a") + CUT] + end, REST],
         0, b"abbbc", ONE_BY_ONE, 2, 5)
    case("a pipeline %s in a head" % how, [["READ", answer(b"a") + OK] + end, REST], 0,
         answer(b"a") + answer(b"bbb") + answer(b"c"), ("-i",) + ONE_BY_ONE, 2)
    case("a pipeline %s in an answer, and again" % how, [["READ", answer(b"a") + CUT] + end, ["READ", CUT] + end,
                                                         ["READ", answer(b"c"), "HOLD"]],
         "fail", b"abc", ONE_BY_ONE, 3)
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

# --- an outsider's questions ---------------------------------------------------------------

# an end, or a reset, anywhere
WHOLE = OK + b"Content-Length: 5\r\nX: y\r\n\r\nhello"
for n in (1, 4, 9, 12, 16, 17, 25, 33, 40):
    case("an end after %d bytes of a head" % n, [["READ", WHOLE[:n]]], "fail", b"")
    case("a reset after %d bytes of a head" % n, [["READ", WHOLE[:n], "RST"]], 56, b"")
CHUNKS = b"5\r\nhello\r\n5\r\nworld\r\n0\r\nA: b\r\n\r\n"
for n in (1, 2, 3, 5, 8, 9, 10, 20, 21, 22, 23, 24, 28, 30):
    case("an end after %d bytes of chunks" % n, [["READ", chunked(CHUNKS[:n])]], 18, None)
    case("a reset after %d bytes of chunks" % n, [["READ", chunked(CHUNKS[:n]), "RST"]], 56, None)
# framing
for value, code in ((b"5, 5", 0), (b"5, 6", 8), (b"+5", 8), (b"0x5", 8), (b"", 8), (b"   5   ", 0),
                    (b"0000005", 0), (b"\t5\t", 0), (b"9223372036854775807", 18),
                    (b"99999999999999999999999", 0)):
    one("Content-Length: " + value.decode(), OK + b"Content-Length:" + value + b"\r\n\r\nhello", code,
        None if code == 8 else b"hello")
for value, code in ((b"gzip, chunked", 61), (b"chunked, gzip", 61), (b"Chunked", 0), (b"xchunked", 61),
                    (b"chunked, chunked", 0), (b"identity, chunked", 0)):
    one("Transfer-Encoding: " + value.decode(),
        OK + b"Transfer-Encoding: " + value + b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n", code,
        b"" if code else b"hello")
one("a chunk of size 0x5", chunked(b"0x5\r\nhello\r\n0\r\n\r\n"), 56, b"")
one("a chunk of size -5", chunked(b"-5\r\nhello\r\n0\r\n\r\n"), 56, b"")
one("a quoted extension", chunked(b'5;a="b;c"\r\nhello\r\n0\r\n\r\n'))
one("a long extension", chunked(b"5;a=" + b"x" * 10000 + b"\r\nhello\r\n0\r\n\r\n"))
one("chunks of one byte", chunked(b"1\r\nx\r\n" * 2000 + b"0\r\n\r\n"), body=b"x" * 2000)
one("chunks with bare LF", b"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n5\nhello\n0\n\n")
one("chunks of HTTP/1.0",
    b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
kept("100 trailers", [chunked(b"5\r\nhello\r\n0\r\n" + b"T: x\r\n" * 100 + b"\r\n")])
one("a trailer with a NUL", chunked(b"5\r\nhello\r\n0\r\nT: \0\r\n\r\n"), 8)
# heads
one("101, unasked", b"HTTP/1.1 101 S\r\nUpgrade: x\r\n\r\n" + answer(), "fail", b"")
one("-f and 600", b"HTTP/1.1 600 X\r\nContent-Length: 5\r\n\r\nhello", 22, b"", args=("-f", "U/"))
one("a line that is no field", OK + b"nonsense\r\nContent-Length: 5\r\n\r\nhello", 8, b"")
one("a blank before a colon", OK + b"X : y\r\nContent-Length: 5\r\n\r\nhello")
one("a NUL in a field", OK + b"X: a\0b\r\nContent-Length: 5\r\n\r\nhello", 8, b"")
one("1000 fields", answer(head=b"".join(b"X%d: y\r\n" % i for i in range(1000))))
one("a head of 250 kB", answer(head=(b"X: " + b"y" * 2400 + b"\r\n") * 100))
one("a folded length", OK + b"Content-Length:\r\n 5\r\n\r\nhello")
for line in (b"http/1.1 200 OK", b"\r\nHTTP/1.1 200 OK", b"HTTP/1.10 200 OK", b"HTTP/3.0 200 OK", b"ICY 200 OK"):
    one("a status line %r" % line.decode(), line + b"\r\nContent-Length: 5\r\n\r\nhello", 1, b"")
# no body, and what follows it
for status in (b"204 N", b"304 N"):
    case("%s with a body" % status.decode(),
         [["READ", b"HTTP/1.1 " + status + b"\r\nContent-Length: 5\r\n\r\nhello", "HOLD"],
          ["READ", answer(b"b")]], 0, b"b", TWO, 2)
    case("%s with chunks announced" % status.decode(),
         [["READ", b"HTTP/1.1 " + status + b"\r\nTransfer-Encoding: chunked\r\n\r\n", "READ", answer(b"b"),
           "HOLD"]], 0, b"b", TWO)
case("HEAD with a body", [["READ", OK + b"Content-Length: 5\r\n\r\nhello", "HOLD"], ["READ", OK + b"\r\n", "HOLD"]],
     0, OK + b"Content-Length: 5\r\n\r\n" + OK + b"\r\n", ("-I",) + TWO, 2)
kept("HEAD without a length", [OK + b"\r\n"], body=OK + b"\r\n", args=("-I", "U/"), most=2)
kept("-X HEAD", [OK + b"Content-Length: 5\r\n\r\n"], body=b"", args=("-X", "HEAD", "U/"), most=3)
# reuse
case("a second answer, unasked", [["READ", answer(b"a") + answer(b"evil"), "HOLD"], ["READ", answer(b"b")]],
     0, b"ab", TWO, 2)
case("408 while idle", [["READ", answer(b"a"), b"HTTP/1.1 408 T\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"],
                        ["READ", answer(b"b")]], 0, b"ab", TWO, 2)
case("close in the second Connection", [["READ", answer(b"a", b"Connection: x\r\nConnection: CLOSE\r\n"), "HOLD"],
                                        ["READ", answer(b"b")]], 0, b"ab", TWO, 2)
kept("Proxy-Connection means nothing", [answer(b"a", b"Proxy-Connection: close\r\n"), answer(b"b")], body=b"ab",
     args=TWO)
case("PUT lost on a kept connection", [["READ", answer(b"a"), "READ"], ["READ", answer(b"b")]], "fail", b"a",
     ("U/a", "--next", "-T", "FILE", "U/b"), file=b"xx")
case("POST reset on a kept connection", [["READ", answer(b"a"), "READ", "RST"], ["READ", answer(b"b")]], 56, b"a",
     ("U/a", "--next", "-d", "x", "U/b"))
case("GET lost, then reset", [["READ", answer(b"a"), "READ"], ["READ", "RST"], ["READ", answer(b"b")]], 56, b"a",
     TWO, 2)
case("HTTP/1.0 that keeps alive is asked so",
     [["READ", b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\na", "READ", answer(b"b")]],
     0, b"ab", TWO, check=lambda r: r[1]["head"].startswith(b"GET /b HTTP/1.0"))
# bodies that are sent
case("a close while sending", [["HEAD", ("BODY", 100000)]], "fail", b"", ("-H", "Expect:", "-T", "FILE", "U/x"),
     file=BIG * 5, most=4)
case("-0 asks for no 100", [["READ", b"HTTP/1.0 200 OK\r\n\r\nhello"]], args=("-0", "-T", "FILE", "U/x"), file=BIG,
     check=lambda r: b"Expect" not in r[0]["head"])
case("-0 and no length", [], 25, b"", ("-0", "-T", "-", "U/x"), None, file=b"x")
kept("-C and -T", [answer()], args=("-C", "2", "-T", "FILE", "U/x"), file=b"hello",
     check=lambda r: b"Content-Range: bytes 2-4/5" in r[0]["head"] and r[0]["body"] == b"llo")
# redirects
for where, line in ((b"//ADDR:PORT/b", b"/b"), (b"?z", b"/p?z"), (b"#f", b"/p"), (b"/a/../../b/./c", b"/b/c"),
                    (b"/\xc3\xa4", b"/%C3%A4"), (b"/b?x y", b"/b?x+y"), (b"http://u:p@ADDR:PORT/b", b"/b")):
    kept("a redirect to %r" % where.decode(), [to(where.replace(b"ADDR", HOST.encode())), answer()],
         args=("-L", "U/p"), check=lambda r, line=line: r[1]["head"].startswith(b"GET " + line + b" HTTP"))
for where in (b"ftp://x/y", b"https://ADDR:PORT/", b"javascript:alert(1)", b"file:/etc/passwd"):
    kept("a redirect to %r" % where.decode(), [to(where)], code=1, body=b"", args=("-L", "U/"))
kept("an empty Location", [to(b"")], args=("-L", "U/"), body=b"moved")
one("two Locations", answer(b"m", b"Location: /b\r\nLocation: /c\r\n", b"302 F"), 8, b"", args=("-L", "U/"))
kept("304 leads nowhere", [b"HTTP/1.1 304 N\r\nLocation: /b\r\n\r\n"], args=("-L", "U/"), body=b"")
kept("HEAD and 303", [b"HTTP/1.1 303 F\r\nLocation: /b\r\nContent-Length: 9\r\n\r\n", OK + b"\r\n"], body=None,
     args=("-I", "-L", "U/"), check=lambda r: r[1]["head"].startswith(b"HEAD /b "))
kept("51 redirects", [to(b"/")] * 51, args=("-L", "U/"), code=47, body=b"", requests=51)
kept("a redirect in chunks", [OK.replace(b"200 OK", b"302 F") + b"Location: /b\r\nTransfer-Encoding: chunked\r\n\r\n"
                              b"5\r\nmoved\r\n0\r\n\r\n", answer()], args=("-L", "U/"))
case("a redirect that closes, its body never comes",
     [["READ", OK.replace(b"200 OK", b"302 F") + b"Location: /b\r\nContent-Length: 9\r\nConnection: close\r\n\r\n", "HOLD"],
      ["READ", answer()]], args=("-L", "U/"), connections=2, most=4)
kept("a redirect of a URL without scheme", [to(b"c"), answer()], args=("-L", "ADDR:PORT/a/b"),
     check=lambda r: r[1]["head"].startswith(b"GET /a/c HTTP"))
# names, patterns, files
case("the second address of a name", [["READ", answer(), "HOLD"]],
     args=("--resolve", "two.test:PORT:127.0.0.2,ADDR", "--connect-timeout", "2", "http://two.test:PORT/"), most=4)
kept("[1-3]", [answer(b"a"), answer(b"b"), answer(b"c")], body=b"abc", args=("U/[1-3]",),
     check=lambda r: r[2]["head"].startswith(b"GET /3 "))
kept("{a,b}{c,d}", [answer(b"a"), answer(b"b"), answer(b"c"), answer(b"d")], body=b"abcd", args=("U/{a,b}{c,d}",),
     check=lambda r: [x["head"][5:7] for x in r] == [b"ac", b"ad", b"bc", b"bd"])
case("[3-1]", [], 3, b"", ("U/[3-1]",), 0)
kept("-g", [answer()], args=("-g", "U/[a]"), check=lambda r: r[0]["head"].startswith(b"GET /[a] "))
kept("-o /dev/full", [answer()], args=("-o", "/dev/full", "U/"), code=23, body=b"")
kept("-K", [answer()], args=("-K", "FILE", "U/"), file=b'# c\nrequest = "PURGE"\n--header "A: b"\n',
     check=lambda r: r[0]["head"].startswith(b"PURGE / ") and b"A: b" in r[0]["head"])
kept("-D", [answer()], args=("-D", "-", "U/"), body=answer())
kept("--max-filesize", [answer()], args=("--max-filesize", "4", "U/"), code=63, body=b"")
kept("--fail-with-body", [answer(status=b"404 N")], args=("--fail-with-body", "U/"), code=22)
kept("-e ;auto", [to(b"/b"), answer()], args=("-L", "-e", ";auto", "U/a#b"),
     check=lambda r: b"Referer: http://%s:PORT/a" % HOST.encode() in r[1]["head"].split(b"\r\n"))
# pipelines
ANSWER10 = b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n"
case("a pipeline to HTTP/1.0", [["READ", ANSWER10 + x] for x in (b"a", b"b", b"c")], 0, b"abc", ONE_BY_ONE, 3)
case("a pipeline, more behind a close",
     [["READ", "READ", "READ", answer(b"a", b"Connection: close\r\n") + answer(b"evil")],
      ["READ", answer(b"b"), "READ", answer(b"c"), "HOLD"]], 0, b"abc", ONE_BY_ONE, 2)
case("a pipeline with lengths and chunks",
     [["READ", "READ", "READ", OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n" +
       answer(b"evil")], ["READ", answer(b"b"), "READ", answer(b"c"), "HOLD"]], 0, b"abc", ONE_BY_ONE, 2)
case("a pipeline with garbage", [["READ", "READ", "READ", answer(b"a") + b"garbage\r\n\r\n", "HOLD"],
                                 ["READ", answer(b"c"), "HOLD"]], 8, b"ac", ONE_BY_ONE, 2)
case("a pipeline with interim answers, 204 and 304",
     [["READ", "READ", "READ", b"HTTP/1.1 103 E\r\n\r\nHTTP/1.1 204 N\r\n\r\nHTTP/1.1 304 N\r\nContent-Length: 9\r\n\r\n" +
       answer(b"c"), "HOLD"]], 0, b"c", ONE_BY_ONE)
case("a pipeline, one byte a segment",
     [["READ", "READ", "READ", ("DRIP", answer(b"a") + answer(b"b") + answer(b"c")), "HOLD"]], 0, b"abc", ONE_BY_ONE)
case("a pipeline of HEAD", [["READ", "READ", "READ", (OK + b"Content-Length: 5\r\n\r\n") * 3, "HOLD"]], 0,
     (OK + b"Content-Length: 5\r\n\r\n") * 3, ("-I",) + ONE_BY_ONE)
case("a pipeline that ends without a length", [["READ", "READ", "READ", OK + b"\r\na"],
                                               ["READ", answer(b"b"), "READ", answer(b"c"), "HOLD"]],
     0, b"abc", ONE_BY_ONE, 2)
case("a pipeline of 100", [[x for i in range(100) for x in ("READ", answer(b"%d," % i))] + ["HOLD"]],
     body=b"".join(b"%d," % i for i in range(100)), args=("--pipeline", "U/[0-99]"), requests=100)
PIPELINE = ["READ", "READ", "READ"]
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n"
case("a pipeline closed in the second of two on it",
     [PIPELINE + [answer(b"a") + answer(b"b", b"Connection: close\r\n")], ["READ", answer(b"c"), "HOLD"]], 0, b"abc",
     ONE_BY_ONE, 2)
case("a pipeline to HTTP/1.0, reset", [["READ", ANSWER10 + x, "RST"] for x in (b"a", b"b", b"c")], 0, b"abc",
     ONE_BY_ONE, 3)
case("a pipeline reset in each answer but the first of a connection",
     [["READ", answer(b"a") + CUT, "RST"], ["READ", answer(b"bbb"), "RST"], ["READ", answer(b"c"), "RST"]], 0,
     b"abbbc", ONE_BY_ONE, 3)
case("a pipeline reset in the first answer", [["READ", CUT, "RST"], ["READ", answer(b"bbb"), "READ", answer(b"c"),
                                                                    "READ", answer(b"d"), "HOLD"]],
     0, b"bbbcd", ONE_BY_ONE, 2)
case("a pipeline with chunks cut, known by their tag",
     [PIPELINE + [answer(b"a") + CHUNKED + b'ETag: "1"\r\n\r\n5\r\nhe', "RST"],
      ["READ", CHUNKED + b'ETag: "1"\r\n\r\n1\r\nh\r\n4\r\nello\r\n0\r\n\r\n', "READ", answer(b"c"), "HOLD"]],
     0, b"ahelloc", ONE_BY_ONE, 2)
case("a pipeline with chunks cut, known by nothing",
     [PIPELINE + [answer(b"a") + CHUNKED + b"\r\n5\r\nhe", "RST"], ["READ", answer(b"c"), "HOLD"]], 56, b"ahec",
     ONE_BY_ONE, 2)
case("a pipeline with an answer cut, and then another one",
     [PIPELINE + [answer(b"a") + CUT], ["READ", answer(b"other"), "HOLD"], ["READ", answer(b"c"), "HOLD"]], 18, b"abc",
     ONE_BY_ONE, 3)
INTO = ("--pipeline", "U/a", "-o", "FILE.a", "U/b", "-o", "FILE")
case("a pipeline with an answer cut, and then another one, into a file",
     [["READ", "READ", answer(b"a") + CUT], ["READ", answer(b"other"), "HOLD"]], 0, b"", INTO, 2, file=b"long before",
     written=b"other")
case("a pipeline with an answer cut, with heads into a file",
     [["READ", "READ", answer(b"a") + CUT, "RST"], ["READ", answer(b"bbb"), "HOLD"]], 0, b"", ("-i",) + INTO, 2,
     file=b"", written=answer(b"bbb"))
case("a pipeline with an answer cut, heads elsewhere",
     [["READ", "READ", answer(b"a") + CUT, "RST"], ["READ", answer(b"bbb"), "HOLD"]], 0, b"a" + b"bbb",
     ("-D", "FILE", "--pipeline", "U/a", "U/b"), 2, written=answer(b"a")[:-1] + answer(b"bbb")[:-3], file=b"")
case("a pipeline reset, and its connections counted",
     [PIPELINE + [answer(b"a"), "RST"], ["READ", answer(b"b")], ["READ", answer(b"c"), "HOLD"]], 0,
     b"a1 1\nb1 1\nc1 1\n", ("-w", "%{num_connects} %{size_download}\\n") + ONE_BY_ONE, 3)
case("a pipeline with -f and a 404", [PIPELINE + [answer(b"a") + answer(b"no", b"", b"404 No") + answer(b"c"), "HOLD"]],
     22, b"ac", ("-f",) + ONE_BY_ONE)
case("a pipeline with -Z", [["READ", ("ALONE",), answer(b"a"), "RST"]] * 3, 0, b"aaa", ("-Z",) + ONE_BY_ONE, 3, 3)
