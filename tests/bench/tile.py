# SPDX-License-Identifier: MPL-2.0
"""
What a received picture costs the node that hands it to a page, beside a plain decode of it.

Run as a program it is the page: a WebSocket that shows one camera, reads what comes, writes it
into an IVF file, and counts the processor time the node took meanwhile.

    tile.py ADDRESS PID MEMBER SECONDS FILE.ivf
"""

import base64
import http.client
import json
import os
import pathlib
import resource
import socket
import struct
import subprocess
import sys
import time

from harness.wait import Timeout

from table import Row, Unable, program

SECONDS = 20
CLIMB_S = 240  # until the line is known to carry it
HEIGHT = 360
GOAL = 0.3
HEADER = struct.Struct("<BBBBIIIIII")


def _ticks(pid):
    """Processor time of a process so far, s."""
    words = pathlib.Path(f"/proc/{pid}/stat").read_text("ascii").rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


# ---- the page ----

class Page:
    """As much of a browser as shows a picture."""

    def __init__(self, address):
        origin, token = address.split("/#")
        port = int(origin.rsplit(":", 1)[1])
        link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        link.request("POST", "/session", headers={"Origin": origin,
                                                  "Authorization": f"Bearer {token}"})
        answer = link.getresponse()
        key = json.loads(answer.read())["key"]
        self.link = socket.create_connection(("127.0.0.1", port), 60)
        self.stream = self.link.makefile("rb")
        self.had = 0
        self.link.sendall("\r\n".join((
            "GET /live HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Origin: {origin}",
            "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
            f"Sec-WebSocket-Protocol: maillon, {key}",
            "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
            f"Cookie: {answer.headers['Set-Cookie'].split(';')[0]}", "", "")).encode())
        while self.stream.readline().strip():
            pass

    def say(self, what):
        body = json.dumps(what).encode()
        size = bytes([0x80 | len(body)]) if len(body) < 126 else \
            bytes([0x80 | 126]) + struct.pack(">H", len(body))
        self.link.sendall(b"\x81" + size + b"\0\0\0\0" + body)

    def picture(self):
        """The next one: whether it is a keyframe, its time, its bytes."""
        while True:
            head = self.stream.read(2)
            length = head[1] & 127
            if length == 126:
                length = struct.unpack(">H", self.stream.read(2))[0]
            elif length == 127:
                length = struct.unpack(">Q", self.stream.read(8))[0]
            body = self.stream.read(length)
            assert not head[0] & 0x40, "deflated"
            self.had += 1
            if self.had % 16 == 0:
                self.say({"seen": self.had})
            if head[0] & 15 == 2 and body[1] == 1:
                _, _, flags, _, _, _, _, time_ms, age_ms, _ = HEADER.unpack(body[:HEADER.size])
                if age_ms == 0:
                    return flags & 1, time_ms, body[HEADER.size:]


def _watch(address, pid, member, seconds, path):
    page = Page(address)
    page.say({"watch": [{"source": 1, "member": member, "kind": "video"}]})
    page.say({"keyframe": 1})
    key, time_ms, body = page.picture()
    while not key:
        key, time_ms, body = page.picture()
    width, height = struct.unpack("<HH", body[6:10])
    begun, before, count, size = time.monotonic(), _ticks(pid), 0, 0
    with open(path, "wb") as file:
        file.write(struct.pack("<4sHH4sHHIIII", b"DKIF", 0, 32, b"VP80", width, height, 1000, 1,
                               0, 0))
        while time.monotonic() - begun < seconds:
            file.write(struct.pack("<IQ", len(body), time_ms) + body)
            count, size = count + 1, size + len(body)
            _, time_ms, body = page.picture()
    print(json.dumps({"seconds": time.monotonic() - begun, "cpu": _ticks(pid) - before,
                      "pictures": count, "bytes": size, "height": height}), flush=True)


# ---- the figure ----

def _used(words):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _decode_s(path, sync):
    """The decoder alone: what the program takes without it is taken off. `sync`: each picture when
    it is due, which finds caches as cold as the node does that hands it over."""
    words = ["gst-launch-1.0", "-q", "filesrc", f"location={path}", "!", "ivfparse", "!"]
    sink = ["fakesink", f"sync={str(sync).lower()}"]
    whole = _used(words + ["vp8dec", "threads=1", "!"] + sink)
    return max(whole - _used(words + sink), 1e-3)


def tile(world):
    """Processor time of the node that receives a camera and hands it to a page."""
    # pylint: disable-next=import-outside-toplevel
    from figures import nodes_on_lan, pass_time  # it lists this one
    program("MAILLON_MEDIA", "the media helper")
    _, (a, b) = nodes_on_lan(world, 2)
    a.start("--sink", "fake", media=True)
    b.process = b.host.spawn("B", b.binary, "start", "--home", b.home, "--name", "B", "--sink",
                             "fake", environment=b.environment)
    def spent():
        before = _ticks(b.process.pid)
        pass_time(SECONDS)
        return _ticks(b.process.pid) - before

    address = b.process.line("ready").split()[1]
    a.create("Cellule")
    b.join(a.invite())
    member = a.run("status")["id"]
    pass_time(2)
    idle_s = spent()
    a.run("cam", "on", "--source", "test")
    try:
        a.wait(f"a camera of {HEIGHT} lines", lambda: any(
            source["height"] >= HEIGHT for source in a.run("stats")["sources"]) or None, CLIMB_S)
    except Timeout as late:
        raise Unable(f"the camera did not climb to {HEIGHT} lines in {CLIMB_S} s") from late
    received_s = max(spent() - idle_s, 0)
    path = world.directory / "tile.ivf"
    page = b.host.spawn("page", sys.executable, __file__, address, str(b.process.pid), member,
                        str(SECONDS), str(path), environment={
                            **b.environment, "PYTHONPATH": ":".join(sys.path)})
    found = json.loads(page.line("{", SECONDS + 60))
    decode_s, at_once_s = _decode_s(path, True), _decode_s(path, False)
    cost_s = max(found["cpu"] - idle_s, 0)
    ratio = cost_s / decode_s
    return [Row("a tile shown, node CPU", f"{ratio:.2f} × a decode", f"{GOAL} ×",
                f"{cost_s / found['pictures'] * 1e6:.0f} µs a picture of {found['height']} lines"
                f" (without a page {received_s / found['pictures'] * 1e6:.0f}),"
                f" {found['pictures'] / found['seconds']:.0f} a second,"
                f" {found['bytes'] * 8 / found['seconds'] / 1000:.0f} kbit/s;"
                f" vp8dec: {decode_s / found['pictures'] * 1e6:.0f} µs, and"
                f" {at_once_s / found['pictures'] * 1e6:.0f} where it need not wait for them",
                ratio <= GOAL)]


if __name__ == "__main__":
    _watch(sys.argv[1], int(sys.argv[2]), sys.argv[3], float(sys.argv[4]), sys.argv[5])
