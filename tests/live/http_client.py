#!/usr/bin/env python3
"""`tapir get` against awkward servers, on loopback, over the kernel's sockets.

    http_client.py PROGRAM [ARGUMENT...] [--only NAME]

Each case of http_cases.py scripts what a server does with its first, second ...
connection; checked are the exit code, what came on stdout, how many connections and
requests there were, and sometimes what the requests were. A line a case; last "N passed,
N failed, 0 skipped". HOST is the address to listen on, WORKERS how many cases are played
at once (8: one where each call makes a device). With "curl" as PROGRAM the same is asked
of curl: what differs is what we do on purpose or better."""

import os
import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

from http_cases import CASES, HOST

WORKERS = int(os.environ.get("WORKERS", "8"))

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
            t.start()
            self.threads.append(t)

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
    if c["code"] == "fail" and code == 0:
        wrong.append("exit 0")
    if c["code"] not in (None, "fail") and code != c["code"]:
        wrong.append("exit %s, not %s" % (code, c["code"]))
    if c["body"] is not None and out != c["body"]:
        wrong.append("got %r, not %r" % (out[:60], c["body"][:60]))
    if c["connections"] is not None and server.connections != c["connections"]:
        wrong.append("%d connections, not %d" % (server.connections, c["connections"]))
    if c["requests"] is not None and len(server.requests) != c["requests"]:
        wrong.append("%d requests, not %d" % (len(server.requests), c["requests"]))
    if c["written"] is not None:
        with open(path, "rb") as f:
            written = f.read()
        if written != c["written"]:
            wrong.append("wrote %r, not %r" % (written[:60], c["written"][:60]))
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
