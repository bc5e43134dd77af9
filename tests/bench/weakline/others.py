# SPDX-License-Identifier: MPL-2.0
"""Other rivals: SCTP, an RTP/Opus call, rsync, Syncthing."""

import contextlib
import http.client
import json
import os
import re
import shutil
import socket
import time

from harness import sound, wait
from harness.namespace import Inside

from table import Unable, program

from . import wire
from .task import GIVE_UP_S, comes, emulated, pass_time

LATE_S = 60
LINK_S = 300  # that they may take to find each other


def _installed(name):
    if shutil.which(name) is None:
        raise Unable(f"{name} is not installed")


def _noise(world, size):
    path = world.directory / "plan.bin"
    path.write_bytes(os.urandom(size))
    return path


def _whole(line, log, since, size, had, finished):
    """Waits for a document and says how long it took."""
    line.stats(reset=True)
    came_s = comes("the document", finished, GIVE_UP_S)
    until, came, bad_s = came_s or time.monotonic(), had(), line.stats()["a>b"]["bad_s"]
    line.process.end()
    sent = wire.Log(log).stretch(wire.OUT, since, until)
    return {"seconds": came_s and came_s - since, "size": size, "had": came, "sent": sent.bytes,
            "queue_ms": sent.queue_p95_ms, "bad_s": bad_s}


# ---- SCTP ----

def _sctp(world, task, size, seconds):
    """Begins both ends; returns (line, log, receiver, sender)."""
    path = program("BENCH_SCTP", "SCTP (it needs libusrsctp-dev)")
    a, b, line, log = emulated(world, task)
    receiver = b.spawn("bench-sctp", path, "receive")
    receiver.line("ready")
    sender = a.spawn("bench-sctp", path, "send", b.address(), size, seconds)
    sender.line("begun", timeout=60)
    return line, log, receiver, sender


def _had(process):
    return max((int(text.split()[1]) for text in process.lines if text.startswith("had")),
               default=0)


def sctp_document(world, task):
    size = task.document_bytes
    line, log, receiver, _ = _sctp(world, task, size, 0)
    since = time.monotonic()
    return _whole(line, log, since, size, lambda: _had(receiver), lambda: _had(receiver) >= size)


def sctp_votes(world, task):
    """Votes on their own stream, before documents where usrsctp has a choice."""
    endless = int(task.numbers.rate_bps / 8 * (task.beside_s + LATE_S))
    line, log, receiver, sender = _sctp(world, task, endless, task.beside_s)
    since = time.monotonic()
    pass_time(task.beside_s)
    until = time.monotonic()

    def numbered(process, what):
        return {int(words[1]): float(words[2]) for words in map(str.split, process.lines)
                if words[0] == what}
    comes("all votes", lambda: len(numbered(receiver, "vote")) == len(numbered(sender, "sent")),
          LATE_S)
    last, sent_s, came_ms = time.monotonic(), numbered(sender, "sent"), numbered(receiver, "vote")
    line.process.end()
    sent = wire.Log(log).stretch(wire.OUT, since, until)
    # The first seconds, in which nothing queues yet, do not count, as with the others.
    counted = {number: moment for number, moment in sent_s.items() if moment > since + 8}
    return {"votes": [came_ms[n] / 1000 if n in came_ms else last - moment
                      for n, moment in counted.items()],
            "missing": len(set(counted) - set(came_ms)), "queue_ms": sent.queue_p95_ms}


# ---- RTP ----

# What a careful person would choose for each line: Opus' rate, milliseconds of a packet, and of
# the jitter buffer, which has no repair to wait for.
RTP = {"W1": (24000, 20, 60), "W2": (12000, 60, 100), "W3": (6000, 60, 150), "W4": (24000, 20, 60)}
RTP_PORT = 5004
RTP_S = 60
CAPS = "application/x-rtp,media=audio,clock-rate=48000,encoding-name=OPUS,payload=96"


def rtp(repaired):
    """The task: a voice alone, with in-band FEC or without."""
    def measure(world, task):
        path = program("BENCH_RTP", "the RTP call")
        if sound.missing():
            raise Unable("missing: " + sound.missing())
        a, b, line, log = emulated(world, task)
        rate, packet_ms, buffer_ms = RTP[task.line]
        buffer_ms += packet_ms if repaired else 0  # the repair is in the next packet
        text = " ".join(list(sound.TEXTS.values()) * 3)
        speech = sound.speech(world.directory / "speech.wav", text)
        b_end = b.spawn("rtp", path, f"udpsrc port={RTP_PORT} caps={CAPS}"
                        f" ! rtpjitterbuffer latency={buffer_ms} do-lost=true name=seen"
                        f" ! rtpopusdepay ! opusdec plc=true use-inband-fec={repaired}"
                        " ! fakesink sync=true")
        b_end.line("ready", timeout=60)
        begun = time.monotonic()
        a_end = a.spawn("rtp", path, f"filesrc location={speech} ! wavparse ! audioconvert"
                        f" ! identity sync=true ! opusenc bitrate={rate} frame-size={packet_ms}"
                        f" bitrate-type=vbr audio-type=voice inband-fec={repaired}"
                        f" packet-loss-percentage={round(task.numbers.loss * 100) or 5}"
                        f" ! rtpopuspay pt=96 name=seen ! udpsink host={b.address()}"
                        f" port={RTP_PORT}")
        a_end.line("ready", timeout=60)
        pass_time(15 if task.quick else RTP_S)
        until = time.monotonic()
        pass_time(task.numbers.delay_s + 2)
        stats = line.stats()["a>b"]
        line.process.end()

        def numbers(process):
            return {int(found[1]) for found in map(re.compile(r"packet (\d+) ").match,
                                                   list(process.lines)) if found}
        sent, came = numbers(a_end), numbers(b_end)
        sent = set(sorted(sent)[5:-40])  # not the first, nor what is still on its way
        there = {n for n in sent if n in came or repaired and (n + 1) % 65536 in came}
        out = wire.Log(log).stretch(wire.OUT, begun + 2, until)
        return {"frames": len(sent), "in_time": len(there), "bps": out.bps, "bad_s": stats["bad_s"]}
    return measure


# ---- programs that copy files ----

RSYNC_PORT = 8730


def rsync(world, task):
    """rsync to its own daemon."""
    _installed("rsync")
    a, b, line, log = emulated(world, task)
    target = world.directory / "there"
    target.mkdir()
    config = world.directory / "rsyncd.conf"
    config.write_text(f"port = {RSYNC_PORT}\nuse chroot = no\n[there]\npath = {target}\n"
                      "read only = no\n", "ascii")
    # As root it would change its groups, which is not allowed here: it is run as somebody else.
    daemon = b.spawn("rsyncd", "unshare", "-U", "--map-user=1000", "--map-group=1000",
                     "rsync", "--daemon", "--no-detach",
                     f"--config={config}")
    wait.until("the daemon", lambda: _answers(b, RSYNC_PORT) or not daemon.running(), 10)
    size = task.document_bytes
    since = time.monotonic()
    copy = a.spawn("rsync", "rsync", "--whole-file", "--inplace", _noise(world, size),
                   f"rsync://{b.address()}:{RSYNC_PORT}/there/plan.bin")
    made = target / "plan.bin"
    return _whole(line, log, since, size, lambda: made.exists() and made.stat().st_size,
                  lambda: not copy.running() and made.exists())


def _answers(host, port):
    with contextlib.suppress(OSError), Inside(host.path):
        with socket.create_connection(("127.0.0.1", port), 1):
            return True
    return False


SYNCTHING = """<configuration version="36">
<folder id="f" label="f" path="{folder}" type="sendreceive" rescanIntervalS="3600"
 fsWatcherEnabled="false"><device id="{a}"/><device id="{b}"/></folder>
<device id="{a}" compression="metadata"><address>{address_a}</address></device>
<device id="{b}" compression="metadata"><address>{address_b}</address></device>
<gui enabled="true" tls="false"><address>127.0.0.1:8384</address><apikey>key</apikey></gui>
<options><listenAddress>tcp://0.0.0.0:22000</listenAddress>
<globalAnnounceEnabled>false</globalAnnounceEnabled>
<localAnnounceEnabled>false</localAnnounceEnabled><relaysEnabled>false</relaysEnabled>
<natEnabled>false</natEnabled><urAccepted>-1</urAccepted><startBrowser>false</startBrowser>
<crashReportingEnabled>false</crashReportingEnabled><autoUpgradeIntervalH>0</autoUpgradeIntervalH>
<reconnectionIntervalS>5</reconnectionIntervalS></options></configuration>
"""


class _Syncthing:
    """One of two Syncthings."""

    def __init__(self, world, host, name):
        self.host = host
        self.home = world.directory / f"st-{name}"
        self.folder = world.directory / f"folder-{name}"
        (self.folder / ".stfolder").mkdir(parents=True)
        self.environment = {**os.environ, "HOME": str(world.directory), "STNOUPGRADE": "1",
                            "STNORESTART": "1"}
        made = host.run("syncthing", "generate", f"--home={self.home}", "--no-default-folder",
                        env=self.environment)
        self.id = re.search(r"[A-Z2-7]{7}(-[A-Z2-7]{7}){7}", made.stdout + made.stderr)[0]

    def start(self, a, b):
        config = SYNCTHING.format(folder=self.folder, a=a.id, b=b.id,
                                  address_a=f"tcp://{a.host.address()}:22000",
                                  address_b=f"tcp://{b.host.address()}:22000")
        (self.home / "config.xml").write_text(config, "ascii")
        self.host.spawn("syncthing", "syncthing", "serve", f"--home={self.home}", "--no-browser",
                        environment=self.environment)

    def ask(self, method, path):
        with Inside(self.host.path):
            connection = http.client.HTTPConnection("127.0.0.1", 8384, timeout=60)
            connection.connect()
        connection.request(method, path, headers={"X-API-Key": "key"})
        body = connection.getresponse().read()
        connection.close()
        return json.loads(body) if body.strip() else {}

    def linked(self):
        found = self.ask("GET", "/rest/system/connections").get("connections", {})
        return any(peer["connected"] for peer in found.values())


def syncthing(world, task):
    """Two Syncthings, linked before the document is there."""
    _installed("syncthing")
    a, b, line, log = emulated(world, task)
    ends = [_Syncthing(world, host, name) for host, name in ((a, "a"), (b, "b"))]
    for end in ends:
        end.start(*ends)
    for end in ends:
        if not comes("the other", end.linked, LINK_S, passing=(OSError, ValueError)):
            raise Unable(f"the two did not link in {LINK_S} s")
    pass_time(5)
    size = task.document_bytes
    shutil.copy(_noise(world, size), ends[0].folder / "plan.bin")
    since = time.monotonic()
    ends[0].ask("POST", "/rest/db/scan?folder=f")
    made, part = ends[1].folder / "plan.bin", ends[1].folder / ".syncthing.plan.bin.tmp"

    def had():
        found = [path.stat().st_blocks * 512 for path in (made, part) if path.exists()]
        return min(found[0], size) if found else 0
    return _whole(line, log, since, size, had, made.exists)
