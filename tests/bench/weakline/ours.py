# SPDX-License-Identifier: MPL-2.0
"""What is measured of our own nodes: a document alone, everything at once, steps, knocks, rest."""

import os
import threading
import time

from harness import bus, wait
from harness.node import Node

from table import program

from . import talk, wire
from .task import GIVE_UP_S, comes, emulated, pass_time, votes

SAID = "Le quorum est atteint ; nous passons au vote, numéro"  # makes an entry of about 300 bytes
CHOICES = ("pour", "contre", "abstention")  # three, so that two votes that come at once show
LATE_S = 30
KNOCK_BYTES = 180  # what is smaller is no handshake, which takes 185 by IPv4
CLOCK = os.sysconf("SC_CLK_TCK")


class Pair:
    """Two nodes in one meeting over the line, their buses open."""

    def __init__(self, world, task, sink=None, **options):
        program("MAILLON_BIN", "the node")
        a, b, self.line, self.log_path = emulated(world, task, **options)
        self.a, self.b = Node(world, a, "A"), Node(world, b, "B")
        self.a.start(*(["--sink", "fake"] if sink else []), media=bool(sink))
        self.b.start(*(["--sink", sink] if sink else []), media=bool(sink))
        self.a.create("Cellule")
        self.b.join(self.a.invite(), "--wait", "60")
        self.b.wait_peer("A", timeout=60)
        self.a.wait_peer("B", timeout=60)
        self.at_a, self.at_b = bus.Commands(self.a.home), bus.Commands(self.b.home)

    def add(self, world, size, name="plan.bin"):
        """Shares a document of noise; returns when that was done."""
        path = world.directory / name
        path.write_bytes(os.urandom(size))
        self.at_a.ask("doc add", file=str(path))
        return time.monotonic()

    def have(self):
        """Bytes that B has of the documents."""
        return sum(document["have"] for document in self.at_b.ask("doc list"))

    def speaker(self):
        """What B counts of A's voice."""
        found = [s for s in self.at_b.ask("stats")["speakers"] if s["frames"] > 0]
        return found[0] if found else {"frames": 0, "in_time": 0, "late": 0, "lost": 0}

    def log(self):
        """The packets, when all is over."""
        self.line.process.end()
        return wire.Log(self.log_path)

    def cpu_s(self):
        """Processor time of both nodes so far."""
        total = 0
        for node in (self.a, self.b):
            with open(f"/proc/{node.process.pid}/stat", encoding="ascii") as file:
                words = file.read().rpartition(")")[2].split()
            total += int(words[11]) + int(words[12])
        return total / CLOCK


def document(world, task):
    """From `doc add` returning to the whole document at the other node."""
    pair = Pair(world, task)
    size = task.document_bytes
    pass_time(5)
    pair.line.stats(reset=True)
    before_s = pair.cpu_s()
    since = pair.add(world, size)
    came_s = comes("the document", lambda: pair.have() == size, GIVE_UP_S)
    until = came_s or time.monotonic()
    had, bad_s, cpu_s = pair.have(), pair.line.stats()["a>b"]["bad_s"], pair.cpu_s() - before_s
    log = pair.log()
    out, back = (log.stretch(way, since, until) for way in (wire.OUT, wire.BACK))
    return {"seconds": came_s and came_s - since, "size": size, "had": had,
            "sent": out.bytes, "back": back.bytes,
            "lost": out.lost, "queue_ms": out.queue_p95_ms, "size_p95": out.size_p95,
            "bad_s": bad_s, "cpu_s": cpu_s, "packets": len(out.sizes) + len(back.sizes)}


class Ballot:
    """Votes and messages from A in turn, and when B knows of each."""

    def __init__(self, pair):
        self.pair = pair
        self.motion = pair.at_a.ask("motion open", text="Évacuer le secteur nord ?")["id"]
        self.sent = []  # ("say", text) or ("vote", choice)
        self.came_s = {}
        self.tally = None
        self.events = bus.Events(pair.b.home)
        threading.Thread(target=self._listen, daemon=True).start()

    def send(self, number):
        if number % 2:
            choice = CHOICES[number // 2 % 3]
            self.sent.append(("vote", choice))
            self.pair.at_a.ask("vote", id=self.motion, choice=choice)
        else:
            text = f"{SAID} {number}"
            self.sent.append(("say", text))
            self.pair.at_a.ask("say", text=text)

    def _listen(self):
        while True:
            try:
                event = self.events.next()
            except (OSError, ValueError):
                return
            now = time.monotonic()
            if event["event"] == "message":
                self._known("say", event["message"]["text"], now)
            elif event["event"] == "motion" and event["motion"]["tally"] != self.tally:
                self.tally = event["motion"]["tally"]
                for choice, count in self.tally.items():
                    if count:
                        self._known("vote", choice, now)
            wait.stir()

    def _known(self, kind, what, now):
        """The newest such thing is there, so all votes before it count as there too."""
        same = [n for n, sent in enumerate(list(self.sent)) if sent == (kind, what)]
        for number, sent in enumerate(self.sent[:same[-1] + 1] if same else []):
            if sent[0] == kind and (kind == "vote" or number == same[-1]):
                self.came_s.setdefault(number, now)


def beside(world, task):
    """A voice alone, then a voice, votes and a document at once."""
    program("MAILLON_MEDIA", "the media helper")
    heard = world.directory / "heard.wav"
    mouth, ear = talk.Mouth(world.directory), talk.Ear(heard)
    pair = Pair(world, task, sink=heard)
    ballot = Ballot(pair)
    pass_time(5)
    quiet_s = time.monotonic()
    pass_time(10)
    quiet_until_s = time.monotonic()
    pair.at_a.ask("mic on", source=mouth.source)
    pair.b.wait("a voice", lambda: pair.speaker()["frames"] > 0, 60)
    pass_time(8)
    alone_s, alone = time.monotonic(), pair.speaker()
    pass_time(10 if task.quick else 20)
    alone_until_s, alone_end = time.monotonic(), pair.speaker()
    pair.add(world, int(task.numbers.limit_bps(1) / 8 * (task.beside_s + 30)))
    pass_time(5)
    pair.line.stats(reset=True)
    since, before, had = time.monotonic(), pair.speaker(), pair.have()
    begun = votes(ballot.send, task.beside_s)
    until, after, has = time.monotonic(), pair.speaker(), pair.have()
    bad_s = pair.line.stats()["a>b"]["bad_s"]
    comes("all votes", lambda: len(ballot.came_s) == len(begun), LATE_S)
    last = time.monotonic()
    delays_ms, asked = ear.delays_ms(mouth, since, until)
    log = pair.log()
    quiet = log.stretch(wire.OUT, quiet_s, quiet_until_s)
    voice = log.stretch(wire.OUT, alone_s, alone_until_s)
    all_out = log.stretch(wire.OUT, since, until)
    kinds = [kind for kind, _ in ballot.sent]
    delays = [ballot.came_s.get(n, last) - moment for n, moment in enumerate(begun)]
    waits = [log.open_from(wire.OUT, moment) - moment for moment in begun]
    return {"votes": delays, "line_waits": waits, "kinds": kinds,
            "missing": len(begun) - len(ballot.came_s),
            "voice": _difference(before, after), "alone": _difference(alone, alone_end),
            "delay_ms": after.get("delay_ms"), "ear_ms": delays_ms, "ear_asked": asked,
            "quiet_bps": quiet.bps, "voice_bps": voice.bps - quiet.bps,
            "document_bps": (has - had) * 8 / (until - since), "all_bps": all_out.bps,
            "back_bps": log.stretch(wire.BACK, since, until).bps,
            "queue_ms": all_out.queue_p95_ms, "size_p95": all_out.size_p95,
            "bad_s": bad_s, "seconds": until - since}


def _difference(before, after):
    return {name: after[name] - before[name] for name in ("frames", "in_time", "late", "lost")}


def knock(world, task):
    """From a knock of a node started again to its message at the other, several times."""
    pair = Pair(world, task)
    events = bus.Events(pair.a.home)
    came_s = {}

    def listen():
        while True:
            try:
                event = events.next()
            except (OSError, ValueError):
                return
            if event["event"] == "message":
                came_s[event["message"]["text"]] = time.monotonic()
                wait.stir()
    threading.Thread(target=listen, daemon=True).start()
    began_s = {}
    for number in range(3 if task.quick else 9):
        text = f"me revoilà {number}"
        pair.line.command("down")
        pair.b.say(text)
        pair.b.stop()
        pass_time(1)  # what was on its way has landed
        pair.line.command("up")
        began_s[text] = time.monotonic()
        pair.b.start()
        wait.until("the message", lambda text=text: text in came_s, 90)
        pass_time(2)
    log = pair.log()
    return {"seconds": [came_s[text] - log.first(wire.BACK, begun, KNOCK_BYTES)
                        for text, begun in began_s.items()]}


def rest(world, task):
    """What a link costs with nothing to say: at first, and after minutes."""
    pair = Pair(world, task)
    pass_time(20)
    idle_s = time.monotonic()
    pass_time(20 if task.quick else 60)
    idle_until_s = time.monotonic()
    pass_time(0 if task.quick else 150)
    dormant_s = time.monotonic()
    pass_time(20 if task.quick else 120)
    dormant_until_s = time.monotonic()
    log = pair.log()
    return {name: [log.stretch(way, *period).bps for way in (wire.OUT, wire.BACK)]
            for name, period in (("idle", (idle_s, idle_until_s)),
                                 ("dormant", (dormant_s, dormant_until_s)))}


STEP_SETTINGS = ("loss=0",)  # so that what is missed is the step's doing
HIGH, LOW = "256k", "32k"
LOW_S, HIGH_S = 25, 25
BACK_SHARE = 0.8  # of the rate, from which it counts as back


def step(world, task):
    """256 → 32 → 256 kbit/s under a voice and a document."""
    program("MAILLON_MEDIA", "the media helper")
    heard = world.directory / "heard.wav"
    mouth = talk.Mouth(world.directory)
    pair = Pair(world, task, sink=heard, settings=STEP_SETTINGS)
    pair.at_a.ask("mic on", source=mouth.source)
    pair.b.wait("a voice", lambda: pair.speaker()["frames"] > 0, 60)
    with_document = task.name == "step"
    if with_document:
        pair.add(world, int(256e3 / 8 * 90))
    pass_time(15)
    misses = []  # (moment, frames missed so far)
    over = threading.Event()

    def watch():
        at_b = bus.Commands(pair.b.home)
        while not over.wait(0.1):
            for s in at_b.ask("stats")["speakers"]:
                if s["frames"]:
                    misses.append((time.monotonic(), s["frames"] - s["in_time"]))
    threading.Thread(target=watch, daemon=True).start()
    pair.line.command(f"rate {LOW}")
    down_s = time.monotonic()
    pass_time(LOW_S)
    pair.line.command(f"rate {HIGH}")
    up_s = time.monotonic()
    pass_time(HIGH_S)
    end_s = time.monotonic()
    over.set()
    peer_bps = pair.a.peer("B")["rate_bps"]
    log = pair.log()
    whole = [moment for (moment, now), (_, earlier) in zip(misses[1:], misses)
             if now > earlier and down_s <= moment < up_s]
    later = [moment for (moment, now), (_, earlier) in zip(misses[1:], misses)
             if now > earlier and moment >= up_s]
    return {"whole_s": whole[-1] - down_s if whole else 0.0, "missed": len(whole),
            "missed_after": len(later),
            "back_s": _back_s(log, up_s, end_s) if with_document else None,
            "queue_ms": log.stretch(wire.OUT, down_s + 5, up_s).queue_p95_ms,
            "size_p95": log.stretch(wire.OUT, down_s + 5, up_s).size_p95, "peer_bps": peer_bps}


def _back_s(log, since, until):
    """From when on a second's packets fill the line again; None if they never did."""
    moment = since
    while moment + 1 <= until:
        if log.stretch(wire.OUT, moment, moment + 1).bps >= BACK_SHARE * 256e3:
            return moment - since
        moment += 0.1
    return None
