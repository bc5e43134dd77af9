# SPDX-License-Identifier: MPL-2.0
"""What is measured: each figure takes a world of namespaces and returns rows of the table."""

import json
import os
import pathlib
import statistics
import subprocess
import threading
import time

from harness.node import Node

import ear
import tile
from table import Row, Unable, program

ROUNDS = 10
IDLE_S = 60
SETTLE_S = 20
ETHERNET_HEADER = 14
PACKET_MS = 20  # of voice on a good line
MANY = 250  # members of a large meeting

JOIN_GOAL_MS = 100
READY_GOAL_MS = 200
MEMORY_GOAL_MB = 20
IDLE_GOAL_BPS = 400
VOICE_GOAL_MS = 60
SPEED_GOAL = 5
HEAP_GOAL_KB = 400
FORWARD_GOAL = 1.5
SPLIT_GOAL = 1.15
PARTED = (2, 8, 26)  # members of meetings that were two for an hour
MISSED = 1000  # entries that each of them lacks then


def pass_time(seconds):
    """A figure over a period is measured over that period."""
    threading.Event().wait(seconds)


def median_text(values_ms):
    return f"{statistics.median(values_ms):.0f} ms ({min(values_ms):.0f}…{max(values_ms):.0f})"


def nodes_on_lan(world, count):
    program("MAILLON_BIN", "the node")
    segment, hosts = world.lan(count)
    return segment, [Node(world, host, name) for host, name in zip(hosts, "ABCDE")]


# ---- joining ----

def _ice_ms(hosts):
    """libnice alone: from the start of two programs to a datagram received by both."""
    path = program("BENCH_ICE", "the program that uses libnice alone")
    begun = time.monotonic()
    ends = [host.spawn("bench-ice", path, mode, stdin=subprocess.PIPE)
            for host, mode in zip(hosts, ("controlling", "controlled"))]
    offers = [end.line("offer ")[len("offer "):] for end in ends]
    for end, offer in zip(ends, reversed(offers)):
        end.tell(offer)
    for end in ends:
        end.line("first ")
    took = (time.monotonic() - begun) * 1000
    for end in ends:
        end.end()
    return took


def join(world):
    """From the command to a member who has opened the meeting's entries."""
    _, nodes = nodes_on_lan(world, 2)
    a, b = nodes
    a.start()
    a.create("Cellule")
    joined, alone = [], []
    for number in range(ROUNDS):
        alone.append(_ice_ms([a.host, b.host]))
        home = world.directory / f"home-join-{number}"
        b = Node(world, b.host, f"B{number}", home).start()
        ticket = a.invite()
        begun = time.monotonic()
        b.join(ticket)
        joined.append((time.monotonic() - begun) * 1000)
        assert b.meeting()["members"] >= 2, b.meeting()
        b.stop()
    more = statistics.median(joined) - statistics.median(alone)
    return [Row("join on a LAN", median_text(joined), f"at most {JOIN_GOAL_MS} ms more",
                f"libnice alone: {median_text(alone)}", more <= JOIN_GOAL_MS)]


# ---- one node ----

def ready(world):
    """From the command to the line `ready`."""
    _, (node,) = nodes_on_lan(world, 1)
    times = []
    for number in range(ROUNDS):
        begun = time.monotonic()
        node.start()
        times.append((time.monotonic() - begun) * 1000)
        if number == 0:
            node.create("Cellule")
        if number + 1 < ROUNDS:
            node.stop()
    return [Row("start to ready", median_text(times), f"{READY_GOAL_MS} ms", "",
                statistics.median(times) <= READY_GOAL_MS)]


def _memory_mb(process):
    """Resident and proportional size of the node itself, past what only started it."""
    found = {}
    assert pathlib.Path(f"/proc/{process.pid}/comm").read_text("ascii").strip() == "maillon"
    for line in pathlib.Path(f"/proc/{process.pid}/smaps_rollup").read_text("ascii").splitlines():
        words = line.split()
        if words[0] in ("Rss:", "Pss:"):
            found[words[0]] = int(words[1]) / 1024
    return found["Rss:"], found["Pss:"]


def memory(world):
    """Of an idle node without media, in a meeting of two."""
    _, (a, b) = nodes_on_lan(world, 2)
    a.start()
    b.start()
    a.create("Cellule")
    b.join(a.invite())
    b.wait_peer("A")
    pass_time(5)
    resident, proportional = _memory_mb(a.process)
    return [Row("memory, resident", f"{resident:.1f} MB", f"{MEMORY_GOAL_MB} MB",
                f"proportional: {proportional:.1f} MB", resident <= MEMORY_GOAL_MB)]


# ---- idle traffic ----

def _port_bytes(port):
    """IP bytes that came from and went to the host at a cable's end."""
    shown = subprocess.run(["ip", "-s", "-j", "link", "show", "dev", port], check=True,
                           capture_output=True, text=True).stdout
    stats = json.loads(shown)[0]["stats64"]
    return [stats[way]["bytes"] - ETHERNET_HEADER * stats[way]["packets"] for way in ("rx", "tx")]


def _idle_bps(segment, host):
    pass_time(SETTLE_S)
    port = segment.ports[host.name, "eth0"]
    before, begun = _port_bytes(port), time.monotonic()
    pass_time(IDLE_S)
    took = time.monotonic() - begun
    return [(after - at_first) * 8 / took for after, at_first in zip(_port_bytes(port), before)]


def _tox_bps(world):
    try:
        path = program("BENCH_TOX", "a Tox node (it needs libtoxcore-dev)")
    except Unable as reason:
        return f"Tox: {reason}"
    segment, hosts = world.lan(2)
    ends = [host.spawn("bench-tox", path, stdin=subprocess.PIPE) for host in hosts]
    addresses = [end.line("address ")[len("address "):] for end in ends]
    for end, address in zip(ends, reversed(addresses)):
        end.tell(address)
    for end in ends:
        end.line("linked", timeout=60)
    out, back = _idle_bps(segment, hosts[0])
    return f"Tox: {out:.0f} and {back:.0f} bit/s"


def idle(world):
    """What one link with nothing to say costs, headers and all, each way."""
    segment, (a, b) = nodes_on_lan(world, 2)
    a.start()
    b.start()
    a.create("Cellule")
    b.join(a.invite())
    b.wait_peer("A")
    out, back = _idle_bps(segment, a.host)
    return [Row("idle link, each way", f"{out:.0f} and {back:.0f} bit/s", f"{IDLE_GOAL_BPS} bit/s",
                _tox_bps(world), max(out, back) <= IDLE_GOAL_BPS)]


# ---- voice ----

def voice(world):
    """From a sound at one node's microphone to the same sound where the other plays it."""
    program("MAILLON_MEDIA", "the media helper")
    _, (a, b) = nodes_on_lan(world, 2)
    heard = world.directory / "heard.wav"
    a.start("--sink", "fake", media=True)
    b.start("--sink", heard, media=True)
    a.create("Cellule")
    b.join(a.invite())
    b.wait_peer("A")
    delays = ear.delays_ms(a, b, heard, world.directory / "mouth")
    stats = next(s for s in b.run("stats")["speakers"] if s["frames"] > 0)
    goal = VOICE_GOAL_MS + PACKET_MS
    return [Row("voice, mouth to ear", median_text(delays),
                f"{PACKET_MS} ms of packet and {VOICE_GOAL_MS} ms",
                f"waits {stats['delay_ms']} ms to be played,"
                f" {stats['in_time'] / stats['frames']:.0%} in time",
                statistics.median(delays) <= goal)]


# ---- the core ----

def _forward_row(name, kind, size):
    path = program("BENCH_FORWARD", "the relay in a simulated world")
    done = subprocess.run([path, kind, str(size)], check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    calls = found["syscalls_ns"]
    hears = f" ({found['hear_ns'] / 1000:.1f} of it to hear it)" if found["hear_ns"] else ""
    ratio = (found["forward_ns"] + calls) / (found["aead_ns"] + calls)
    return Row(f"{name} passed on, {found['size']} B", f"{ratio:.2f} ×", f"{FORWARD_GOAL} ×",
               f"{found['forward_ns'] / 1000:.1f} µs{hears}, its AEAD {found['aead_ns'] / 1000:.1f},"
               f" two system calls {calls / 1000:.1f};"
               f" with all the core does meanwhile {found['all_ns'] / 1000:.1f}",
               ratio <= FORWARD_GOAL)


def forward(_world):
    """CPU time to pass a packet on."""
    return [_forward_row("a voice", "frame", 60), _forward_row("a large frame", "frame", 900),
            _forward_row("sealed", "sealed", 60), _forward_row("sealed", "sealed", 900)]


def _run_ns(process):
    """Processor time that all threads of a process took so far."""
    return sum(int(path.read_text("ascii").split()[0])
               for path in pathlib.Path(f"/proc/{process.pid}/task").glob("*/schedstat"))


def passing(world):
    """The same of a real node: its loop, its sockets and libnice are in it."""
    program("MAILLON_MEDIA", "the media helper")
    public = world.public()
    hosts = [public.join(world.host("a"))]
    hosts += [world.nat(public, "symmetric", f"192.168.{10 + i}.0/24").join(world.host(name))
              for i, name in enumerate("bc")]
    a, b, c = [Node(world, host, name) for host, name in zip(hosts, "ABC")]
    a.start()
    b.start("--sink", "fake", media=True)
    c.start()
    a.create("Cellule")
    ticket = a.invite("--uses", "2")
    b.join(ticket)
    c.join(ticket)
    b.wait_peer("C", path="relayed", timeout=60)
    pass_time(SETTLE_S)

    def over(seconds):
        before, begun = a.run("stats")["counters"]["forwarded"], _run_ns(a.process)
        pass_time(seconds)
        took = _run_ns(a.process) - begun
        return took / seconds, a.run("stats")["counters"]["forwarded"] - before

    calm_ns, _ = over(IDLE_S / 2)
    b.run("mic", "on", "--source", "test")
    pass_time(5)
    voice_ns, count = over(IDLE_S / 2)
    each = (voice_ns - calm_ns) * IDLE_S / 2 / max(count, 1)
    return [Row("a voice passed on by a node", f"{each / 1000:.0f} µs a packet",
                beside=f"acknowledgements, its loop, its sockets and libnice included;"
                       f" {count} packets in {IDLE_S // 2} s")]


def split(_world):
    """What it costs to become one again."""
    path = program("BENCH_SPLIT", "the meeting that was two in a simulated world")
    rows = []
    for members in PARTED:
        done = subprocess.run([path, str(members), str(MISSED)], check=True, capture_output=True,
                              text=True)
        found = json.loads(done.stdout)
        rows.append(Row(f"{members} of two halves, sent of missing", f"{found['ratio']:.2f} ×",
                        f"{SPLIT_GOAL} ×",
                        f"{found['copies']:.2f} copies of an entry, in {found['seconds']:.1f} s;"
                        f" {found['ratio_after']:.2f} × a minute later",
                        found["ratio"] <= SPLIT_GOAL))
    return rows


def mesh(_world):
    """A meeting of many, in a simulated world."""
    path = program("BENCH_MESH", "the meeting of many in a simulated world")
    done = subprocess.run([path, str(MANY)], check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    return [Row(f"an entry among {MANY}", f"{found['hops_mean']:.1f} links,"
                f" at most {found['hops_most']}"),
            Row("copies of it a node", f"{found['copies']:.2f}"),
            Row("a calm link of it", f"{found['idle_bps']:.0f} bit/s", f"{IDLE_GOAL_BPS} bit/s",
                f"{found['links']:.1f} links a node", found["idle_bps"] <= IDLE_GOAL_BPS),
            Row("its simulation", f"{found['speed']:.1f} × life", f"{SPEED_GOAL} ×", "",
                found["speed"] >= SPEED_GOAL)]


def heap(_world):
    """What one core of many holds of the heap."""
    path = program("BENCH_MEMORY", "the count of what a core holds")
    done = subprocess.run([path, str(MANY)], check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    return [Row(f"a core among {MANY}", f"{found['mean'] / 1000:.0f} KB", f"{HEAP_GOAL_KB} KB",
                f"at most {found['most'] / 1000:.0f} KB",
                found["mean"] <= HEAP_GOAL_KB * 1000)]


ALL = (join, ready, memory, idle, voice, forward, passing, mesh, split, heap, tile.tile)
