#!/usr/bin/env python3
"""Plays scenarios twice, with the same peer: the subject is our stack, then the kernel's.

    run.py [--keep DIR] [--jobs N] [-v] [NAME...]    NAME may have * in it; default: all

The peer is the kernel's TCP in a network namespace; between the two lies a `tapir wire` with
the emulator in it:

    subject                         wire                           peer
    play over our stack     --unix:-------+
                                          | delay 5ms, faults ---tap:-- play over the kernel,
    play over the kernel,                 |                             10.9.0.1
    in a namespace, 10.9.0.2 --tap:-------+

What the calls gave and what was on the wire (capture.py) is compared; what differs and is not
in the list `deviations` fails. All of it in namespaces of its own, which end with it.
Closes with "N passed, N failed, N skipped"."""
import argparse
import concurrent.futures
import fnmatch
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True  # the folder stays as it is
import capture

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("BUILD", "build")
TAPIR = os.path.join(TOP, BUILD, "tapir")
PLAY = os.path.join(TOP, BUILD, "tests/diff/play")
SUBJECT, PEER = "10.9.0.2", "10.9.0.1"
DELAY = "delay 5ms"
LIMIT = 25  # seconds for one play
FACTOR = 1.5  # times may differ by so much ...
SLACK = 0.06  # ... or by so many seconds, on the wire ...
CALL_SLACK = 0.12  # ... and in calls, which also wait for the other end to get up
TURNS = 3  # what differs must differ so often, for time is real

# What Linux does by default and this stack has not (README, "What there is") is off in
# both namespaces; buffers do not grow by themselves.
BASE = """
net.ipv6.conf.all.disable_ipv6=1 net.ipv4.tcp_congestion_control=reno
net.ipv4.tcp_recovery=0 net.ipv4.tcp_early_retrans=0 net.ipv4.tcp_frto=0
net.ipv4.tcp_ecn=0 net.ipv4.tcp_fastopen=0 net.ipv4.tcp_syn_linear_timeouts=0
net.ipv4.tcp_no_metrics_save=1 net.ipv4.tcp_moderate_rcvbuf=0
net.ipv4.tcp_comp_sack_nr=0 net.ipv4.tcp_autocorking=0
net.ipv4.ip_forward=1 net.ipv4.icmp_ratelimit=0""".split()
# Of both subjects.
SAME = ["net.ipv4.tcp_early_retrans=0",
        "net.ipv4.tcp_congestion_control=reno",
        "net.ipv4.tcp_rmem=4096 131072 6291456", "net.ipv4.tcp_wmem=4096 262144 4194304"]


# ---- scenarios ------------------------------------------------------------------------

class Scenario:
    def __init__(self, name, sentence):
        self.name, self.sentence = name, sentence
        self.calls = {"peer": [], "subject": []}
        self.netem, self.mtu, self.routes = DELAY, 1500, []
        self.sysctl, self.peer_sysctl, self.tolerate = [], [], {}

    def listens(self, role):
        """Is it there for the other one, from the beginning?"""
        words = [call.split()[0] for call in self.calls[role]]
        first = [w for w in words if w in ("accept", "listen", "connect", "bind")][:1]
        return first in (["accept"], ["listen"]) or first == ["bind"] and "udp" in words

    def take(self, word, rest):
        if word in self.calls:
            self.calls[word] += [call.strip() for call in rest.split(";") if call.strip()]
        elif word == "netem":
            self.netem += " " + rest
        elif word == "mtu":
            self.mtu = int(rest)
        elif word == "peer-route":
            self.routes.append(rest)
        elif word == "sysctl":
            self.sysctl += rest.split()
        elif word == "peer-sysctl":
            self.peer_sysctl += rest.split()
        elif word == "tolerate":
            aspect, n = rest.split()
            self.tolerate[aspect] = int(n)
        else:
            sys.exit(f"scenarios: {self.name}: there is no '{word}'")


def read_scenarios():
    found = []
    with open(os.path.join(HERE, "scenarios")) as f:
        for line in f:
            line = line.split("#")[0].rstrip()
            if line.startswith(" "):
                word, rest = line.split(None, 1)
                found[-1].take(word, rest)
            elif line:
                found.append(Scenario(*[s.strip() for s in line.split(":", 1)]))
    return found


def read_deviations():
    """[(scenario pattern, aspect pattern, reason)]"""
    found, reason = [], []
    with open(os.path.join(HERE, "deviations")) as f:
        for line in f:
            if line.startswith(" "):
                reason.append(line.strip())
            elif line.strip() and not line.startswith("#"):
                if not found or found[-1][2]:
                    reason = []  # several lines may have one
                found.append([*line.split(), reason])
    return [(name, aspect, " ".join(reason)) for name, aspect, reason in found]


# ---- one play -------------------------------------------------------------------------

class Failed(Exception):
    pass


class Process:
    """A child whose output is read by a thread, line by line."""

    def __init__(self, argv, log, env=None, stream="stdout"):
        with open(log, "w") as err:
            self.p = subprocess.Popen(
                argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE if stream == "stderr" else err, text=True,
                env={**os.environ, **(env or {})})
        self.log, self.lines, self.seen = log, queue.Queue(), []
        self.stream = getattr(self.p, stream)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.stream:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def wait_for(self, word, until):
        """Reads to the line that begins with WORD."""
        while True:
            try:
                line = self.lines.get(timeout=max(until - time.time(), 0))
            except queue.Empty:
                line = None
            if line is None:
                with open(self.log) as f:
                    raise Failed(f"no '{word}' from {os.path.basename(self.log)[:-4]}, "
                                 f"after {self.seen[-1:]} {f.read()[-300:]}")
            if line.startswith(word):
                return
            if line != "listening":
                self.seen.append(line)

    def go(self):
        self.p.stdin.write("\n")
        self.p.stdin.flush()

    def end(self, ask=None):
        if ask:
            self.p.send_signal(ask)
        self.p.stdin.close()
        try:
            self.p.wait(3)
        except subprocess.TimeoutExpired:
            self.p.kill()
            self.p.wait()
        for pipe in (self.p.stdout, self.p.stderr):
            if pipe and pipe is not self.stream:
                pipe.close()


def into_namespace(pid, device, address, mtu, sysctls, routes, gateway):
    subprocess.run(["ip", "link", "set", device, "netns", str(pid)], check=True)
    lines = [f"echo '{value}' >/proc/sys/{name.replace('.', '/')}"
             for name, value in (pair.split("=", 1) for pair in sysctls)]
    lines += ["ip link set lo up", f"ip addr add {address}/24 dev {device}",
              # a segment is a segment, also before it gets to the device
              f"ip link set {device} mtu {mtu} gso_max_segs 1 up"]
    lines += [f"ip route add {route}" for route in routes]
    if gateway:
        lines.append(f"ip route add default via {gateway}")
    subprocess.run(["nsenter", "-t", str(pid), "-n", "sh", "-ec", "\n".join(lines)],
                   check=True)


def leftovers(pid):
    """States of the TCP sockets in a process's namespace, that are no listeners."""
    names = {1: "ESTABLISHED", 2: "SYN-SENT", 3: "SYN-RECEIVED", 4: "FIN-WAIT-1",
             5: "FIN-WAIT-2", 6: "TIME-WAIT", 7: "CLOSED", 8: "CLOSE-WAIT", 9: "LAST-ACK",
             11: "CLOSING", 12: "SYN-RECEIVED"}
    with open(f"/proc/{pid}/net/tcp") as f:
        states = [int(line.split()[3], 16) for line in f.readlines()[1:]]
    return sorted(names[s] for s in states if s in names)


class Play:
    """One scenario with one subject: what came of it."""

    def __init__(self, s, kernel, lane, folder):
        self.s, self.kernel, self.folder = s, kernel, folder
        self.peer_tap, self.subject_tap = f"tp{lane}", f"ts{lane}"
        self.running = []
        os.makedirs(folder, exist_ok=True)
        try:
            self._play()
        except Failed as e:
            raise Failed(f"{'kernel' if kernel else 'tapir'}: {e}") from e
        finally:
            for process in reversed(self.running):
                process.end(signal.SIGTERM)

    def _file(self, name):
        return os.path.join(self.folder, name)

    def _start(self, *args, **more):
        process = Process(*args, **more)
        self.running.append(process)
        return process

    def _player(self, role, other, env, tunables=()):
        with open(self._file(role), "w") as f:
            f.writelines(call + "\n" for call in self.s.calls[role])
        argv = [PLAY, self._file(role), other, *tunables]
        if env["TAPIR_LINK"] == "kernel":
            argv = ["unshare", "-n"] + argv
        return self._start(argv, self._file(role + ".err"), env=env)

    def _play(self):
        until = time.time() + LIMIT
        link = f"tap:{self.subject_tap}" if self.kernel else f"unix:{self._file('link')}"
        wire = self._start([TAPIR, "wire", "--link", link, "--link", f"tap:{self.peer_tap}",
                            "--netem", self.s.netem, "--seed", "1", "--pcap",
                            self._file("pcap")], self._file("wire.err"), stream="stderr")
        wire.wait_for("serving", until)
        peer = self._player("peer", SUBJECT, {"TAPIR_LINK": "kernel"})
        peer.wait_for("up", until)
        into_namespace(peer.p.pid, self.peer_tap, PEER, 1500, BASE + self.s.peer_sysctl,
                       self.s.routes, None)
        subject = self._subject(link, until)
        for player, role in sorted(((peer, "peer"), (subject, "subject")),
                                   key=lambda p: not self.s.listens(p[1])):
            player.go()
            if self.s.listens(role):
                player.wait_for("listening", until)
        subject.wait_for("done", until)
        peer.wait_for("done", until)
        time.sleep(0.03)
        self.states = leftovers(peer.p.pid)
        wire.end(signal.SIGTERM)
        self.running.remove(wire)
        self.log, self.peer_log = subject.seen, peer.seen
        self.aspects, self.times = capture.aspects(self._file("pcap"))

    def _subject(self, link, until):
        if self.kernel:
            subject = self._player("subject", PEER, {"TAPIR_LINK": "kernel"})
            subject.wait_for("up", until)
            into_namespace(subject.p.pid, self.subject_tap, SUBJECT, self.s.mtu,
                           BASE + SAME + self.s.sysctl, [], PEER)
            return subject
        subject = self._player(
            "subject", PEER,
            {"TAPIR_LINK": link, "TAPIR_ADDR": SUBJECT + "/24", "TAPIR_GATEWAY": PEER,
             "TAPIR_PROFILE": "linux", "TAPIR_MTU": str(self.s.mtu), "TAPIR_SEED": "1"},
            SAME + self.s.sysctl)
        subject.wait_for("up", until)
        return subject


# ---- comparing ------------------------------------------------------------------------

def same_time(a, b, slack):
    low, high = sorted((a, b))
    return high <= low * FACTOR or high - low <= slack


def first_difference(a, b):
    """The first line that differs, of the kernel's and of ours; None."""
    for x, y in zip(a + [None] * len(b), b + [None] * len(a)):
        if x is None and y is None:
            return None
        if x != y:
            return f"kernel {x!r}, tapir {y!r}"
    return None


def calls_differ(kernel, tapir):
    """By what they gave, then by how long they took."""
    parts = [[re.match(r"(.*) \((-?\d+)\)$", line).groups() for line in log]
             for log in (kernel, tapir)]
    what = first_difference(*[[call for call, _ in log] for log in parts])
    if what:
        return what
    for (call, a), (_, b) in zip(*parts):
        if not same_time(int(a) / 1000, int(b) / 1000, CALL_SLACK):
            return f"{call}: kernel after {a} ms, tapir after {b} ms"
    return None


def count_differs(kernel, tapir, tolerance):
    a, b = int(kernel[0]), int(tapir[0])
    return f"kernel {a}, tapir {b}" if abs(a - b) > tolerance else None


def resent_differ(kernel, tapir):
    what = first_difference(kernel.aspects["resent"], tapir.aspects["resent"])
    if what:
        return what
    for line, a, b in zip(kernel.aspects["resent"], kernel.times, tapir.times):
        if not same_time(a, b, SLACK):
            return f"{line} after {a:.3f} s by the kernel, {b:.3f} s by tapir"
    return None


def compare(s, kernel, tapir):
    """aspect -> its first difference."""
    found = {"calls": calls_differ(kernel.log, tapir.log),
             "peer": calls_differ(kernel.peer_log, tapir.peer_log),
             "states": first_difference(kernel.states, tapir.states)}
    for aspect in kernel.aspects:
        a, b = kernel.aspects[aspect], tapir.aspects[aspect]
        if aspect.startswith("acks."):
            found[aspect] = count_differs(a, b, s.tolerate.get("acks", 0))
        elif aspect == "resent":
            found[aspect] = resent_differ(kernel, tapir)
        else:
            found[aspect] = first_difference(a, b)
    return {aspect: what for aspect, what in found.items() if what}


# ---- all of them ----------------------------------------------------------------------

def both(s, lanes, root):
    """Plays it with both subjects, again if they differ: what differs then, too."""
    lane = lanes.get()
    try:
        found = None
        for turn in range(TURNS):
            folder = os.path.join(root, s.name)
            kernel = Play(s, True, lane, os.path.join(folder, f"kernel{turn}"))
            tapir = Play(s, False, lane, os.path.join(folder, f"tapir{turn}"))
            now = compare(s, kernel, tapir)
            found = {k: v for k, v in now.items() if found is None or k in found}
            if not found:
                break
        return found, kernel, tapir
    finally:
        lanes.put(lane)


def show(play, title):
    print(f"     {title}")
    for line in play.log:
        print(f"       {line}")
    for line in play.peer_log:
        print(f"       peer: {line}")
    for aspect, lines in play.aspects.items():
        for line in lines:
            if line != "0":
                print(f"       {aspect}: {line}")
    print(f"       times: {' '.join(f'{t:.3f}' for t in play.times)}")
    print(f"       states of the peer: {' '.join(play.states)}")


def judge(s, found, deviations, used):
    """Prints the line of a scenario; True when it is as it should be."""
    rest = {}
    for aspect, what in found.items():
        for i, (name, pattern, _) in enumerate(deviations):
            if fnmatch.fnmatch(s.name, name) and fnmatch.fnmatch(aspect, pattern):
                used.add(i)
                break
        else:
            rest[aspect] = what
    if not found:
        print(f"same     {s.name}: {s.sentence}")
    elif not rest:
        print(f"declared {s.name}: {', '.join(f'{a}: {w}' for a, w in found.items())}")
    else:
        print(f"DIFFERS  {s.name}: {'; '.join(f'{a}: {w}' for a, w in rest.items())}")
    sys.stdout.flush()
    return not rest


def run(args):
    scenarios = [s for s in read_scenarios()
                 if not args.names or any(fnmatch.fnmatch(s.name, n) for n in args.names)]
    deviations, used = read_deviations(), set()
    root = args.keep or tempfile.mkdtemp()
    lanes = queue.Queue()
    for lane in range(args.jobs):
        lanes.put(lane)
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        work = [(s, pool.submit(both, s, lanes, root)) for s in scenarios]
        for s, future in work:
            try:
                found, kernel, tapir = future.result()
                good = judge(s, found, deviations, used)
                if args.verbose:
                    show(kernel, "kernel")
                    show(tapir, "tapir")
            except (Failed, OSError, subprocess.SubprocessError) as e:
                print(f"FAILED   {s.name}: {e}")
                good = False
            passed, failed = passed + good, failed + (not good)
    if not args.names:
        for i in set(range(len(deviations))) - used:
            if not deviations[i][2].startswith("Chance"):
                print(f"note: nothing differs any more as declared: {deviations[i][:2]}")
    if not args.keep:
        shutil.rmtree(root)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return failed == 0


def enter():
    """Into namespaces of our own, or skip."""
    if os.access("/dev/net/tun", os.W_OK) and shutil.which("ip"):
        for how in (["-nm"], ["-Urnm"]):
            if subprocess.run(["unshare", *how, "true"], stderr=subprocess.DEVNULL).returncode == 0:
                os.execvp("unshare", ["unshare", *how, "-p", "-f", "--kill-child",
                                      "--mount-proc", sys.executable, *sys.argv, "--inside"])
    print("skip diff: no right to namespaces or a TAP device, or ip is missing")
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--keep", help="leave captures and logs in this folder")
    parser.add_argument("--jobs", type=int, default=8)
    parser.add_argument("-v", "--verbose", action="store_true")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    if not args.inside:
        enter()
    sys.exit(0 if run(args) else 1)


main()
