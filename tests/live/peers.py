"""Python's HTTP clients against a server: peers.py WHAT ADDRESS SITE. Exit 0: all is as in SITE."""

import asyncio
import http.client
import io
import os
import sys
import threading
import urllib.request
import zipfile

what, address, site = sys.argv[1:]
url = "http://" + address


def content(name):
    with open(os.path.join(site, name), "rb") as f:
        return f.read()


def connect():
    return http.client.HTTPConnection(address, timeout=20)


def ask(conn, method, path, body=None, **more):
    conn.request(method, path, body, **more)
    answer = conn.getresponse()
    return answer.status, answer.read(), answer


def kept():
    conn = connect()
    conn.connect()
    sock = conn.sock
    for _ in range(100):
        assert ask(conn, "GET", "/middle")[:2] == (200, content("middle"))
    status, body, answer = ask(conn, "HEAD", "/big")
    assert (status, body, answer.getheader("Content-Length")) == (200, b"", "3000000")
    for body in b"", b"x", content("big"):
        assert ask(conn, "POST", "/echo", body)[:2] == (200, body)
    parts = [b"a" * n for n in range(1, 100)]
    answer = ask(conn, "PUT", "/echo", iter(parts), encode_chunked=True,
                 headers={"Transfer-Encoding": "chunked"})
    assert answer[:2] == (200, b"".join(parts))
    assert ask(conn, "GET", "/none")[0] == 404
    assert ask(conn, "GET", "/sub")[0] == 301
    assert conn.sock is sock


def opened():
    for _ in range(20):
        assert urllib.request.urlopen(url + "/middle").read() == content("middle")
    assert urllib.request.urlopen(url + "/sub").read() == content("sub/index.html")
    request = urllib.request.Request(url + "/echo", b"posted")
    assert urllib.request.urlopen(request).read() == b"posted"


async def pipeline(n):
    reader, writer = await asyncio.open_connection(address, 80)
    for _ in range(n):
        writer.write(f"GET /small HTTP/1.1\r\nHost: {address}\r\n\r\n".encode())
    for _ in range(n):
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        assert await reader.readexactly(1024) == content("small")
    writer.close()
    await writer.wait_closed()


def pipelined():
    async def all_of_them():
        await asyncio.gather(*[pipeline(20) for _ in range(50)])

    asyncio.run(all_of_them())


class Remote(io.RawIOBase):
    """A file behind a URL: what is read of it is asked for."""

    def __init__(self, path):
        self.conn, self.path, self.at = connect(), path, 0
        self.size = int(ask(self.conn, "HEAD", path)[2].getheader("Content-Length"))

    def readable(self):
        return True

    def seekable(self):
        return True

    def seek(self, offset, whence=0):
        self.at = (0, self.at, self.size)[whence] + offset
        return self.at

    def tell(self):
        return self.at

    def read(self, n=-1):
        n = self.size - self.at if n < 0 else min(n, self.size - self.at)
        if n == 0:
            return b""
        status, body, _ = ask(self.conn, "GET", self.path,
                              headers={"Range": f"bytes={self.at}-{self.at + n - 1}"})
        assert (status, len(body)) == (206, n)
        self.at += n
        return body


def ranges():
    with zipfile.ZipFile(os.path.join(site, "archive.zip"), "w") as archive:
        for name in "small", "big", "middle":
            archive.write(os.path.join(site, name), name)
    archive = zipfile.ZipFile(Remote("/archive.zip"))
    for name in "middle", "small", "big":
        assert archive.read(name) == content(name)


def threads():
    wrong = []

    def fetch():
        try:
            conn = connect()
            for _ in range(5):
                assert ask(conn, "GET", "/big")[:2] == (200, content("big"))
        except Exception as error:
            wrong.append(error)

    all_of_them = [threading.Thread(target=fetch) for _ in range(10)]
    for thread in all_of_them:
        thread.start()
    for thread in all_of_them:
        thread.join()
    assert not wrong, wrong


{"kept": kept, "opened": opened, "pipelined": pipelined, "ranges": ranges, "threads": threads}[what]()
