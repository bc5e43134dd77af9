# SPDX-License-Identifier: MPL-2.0
"""The weak line: a voice, a vote and a document at once, and lines that lose or shorten a lot."""

from harness import pdf, sound, tap, wait
from harness.node import Node

W3_LIKE = ("rate=16k", "delay=600", "queue=8000")
SHORT = ("rate=256k", "delay=50", "queue=32000", "mtu=576")
LOSSY = ("rate=256k", "delay=50", "queue=32000", "loss=40%")
FIRST, COUNTED, BACK = 30, 60, 20  # frames of a voice
IN_TIME = 0.9  # of a voice's frames; a good line gives more


class Pair:
    """Two nodes, A and B, on a line of their own; several pairs live side by side."""

    def __init__(self, world, name, profile=None, settings=(), media=False):
        self.name = name
        hosts = world.host("a"), world.host("b")
        self.line = world.line(*hosts, profile, settings=settings)
        self.a, self.b = (Node(world, host, end, world.directory / f"home-{end}-{name}")
                          for host, end in zip(hosts, "AB"))
        for node in (self.a, self.b):
            node.begin(*(("--sink", "fake") if media else ()), media=media)
        for node in (self.a, self.b):
            node.process.line("ready", 30)
        self.a.create("Cellule")
        self.joining = self.b.host.spawn(f"join {name}", self.b.binary, "--home", self.b.home,
                                         "join", self.a.invite(), "--wait", "50",
                                         environment=self.b.environment)

    def together(self):
        """Until they are linked."""
        for node, other in ((self.b, "A"), (self.a, "B")):
            node.wait_peer(other, timeout=50)

    def voice(self):
        """What B counts of A's voice."""
        speakers = self.b.run("stats")["speakers"]
        return speakers[0] if speakers else {"frames": 0, "in_time": 0, "lost": 0}

    def voice_from(self, frames):
        """The same, once so many frames fell due."""
        heard = self.voice()
        return heard if heard["frames"] >= frames else None

    def speak(self, speech):
        """Unless A speaks already: a file is spoken once."""
        if not self.a.run("stats")["sources"]:
            self.a.run("mic", "on", "--source", speech)

    def mostly_in_time(self, speech):
        """Whether the next frames of the voice are."""
        before = self.voice()
        after = self.b.wait("more of it", lambda: self.speak(speech) or self.voice_from(
            before["frames"] + COUNTED), 40)
        frames, in_time = (after[name] - before[name] for name in ("frames", "in_time"))
        return in_time >= IN_TIME * frames

    def whole(self, size):
        """Whether B has the one document."""
        documents = self.b.run("doc", "list")
        return [(d["size"], d["have"]) for d in documents] == [(size, size)]


def at_once(test, world):
    """A voice, a vote and a document at once, on 64 and on 16 kbit/s"""
    text = " ".join(list(sound.TEXTS.values()) * 2)
    speech = sound.speech(world.directory / "speech.wav", text)
    pairs = {Pair(world, "64k", "W2", media=True): 40_000,
             Pair(world, "16k", settings=W3_LIKE, media=True): 3_000}
    with test.need("both pairs are linked"):
        for pair in pairs:
            pair.together()
    motions, before = {}, {}
    for pair, size in pairs.items():
        motions[pair] = pair.a.run("motion", "open", "Évacuer le secteur nord ?")["id"]
        pair.b.wait("the motion", lambda pair=pair: pair.b.run("motion", "show", motions[pair]), 30)
        pair.speak(speech)
        pair.a.run("doc", "add", pdf.write(world.directory / f"{pair.name}.pdf", size))
    for pair in pairs:
        with test.timely(f"{pair.name}: a voice is heard", needed=True):
            # By the first frames the line is learnt.
            pair.b.wait("a voice", lambda pair=pair: pair.voice_from(FIRST), 40)
        pair.b.run("vote", motions[pair], "pour")
        pair.a.say("on vous entend bien")
    for pair in pairs:
        with test.step(f"{pair.name}: a vote and a message arrive beside it"):
            pair.a.wait("the vote", lambda pair=pair: pair.a.run(
                "motion", "show", motions[pair])["counted"] == 1, 40)
            pair.b.wait_text("on vous entend bien", timeout=40)
    for pair in pairs:
        with test.timely(f"{pair.name}: the voice is mostly in time beside them"):
            # A busy machine may spoil some.
            pair.b.wait("a while that nothing but the line disturbs",
                        lambda pair=pair: pair.mostly_in_time(speech), 40)
    for pair in pairs:
        pair.line.command("down")
        pair.line.command("at 1 up")
        before[pair] = pair.voice()
    for pair, size in pairs.items():
        with test.timely(f"{pair.name}: after a second without a line the voice is back"):
            pair.b.wait("it", lambda pair=pair: pair.speak(speech) or pair.voice()["in_time"]
                        > before[pair]["in_time"] + BACK, 20)
        with test.step(f"{pair.name}: the document arrives whole"):
            pair.b.wait("the document", lambda pair=pair, size=size: pair.whole(size), 60)


def hard(test, world):
    """Packets of 576 bytes at most; four of ten packets lost"""
    pairs = [Pair(world, "576 bytes", settings=SHORT), Pair(world, "40 % lost", settings=LOSSY)]
    size = 12_000
    for pair in pairs:
        with test.step(f"{pair.name}: they find each other"):
            pair.together()
    for pair in pairs:
        pair.a.run("doc", "add", pdf.write(world.directory / f"{pair.name}.pdf", size))
        pair.a.say("vous recevez ?")
        pair.b.say("ici B")
    for pair in pairs:
        with test.step(f"{pair.name}: messages both ways and a document get through"):
            pair.b.wait_text("vous recevez ?", timeout=40)
            pair.a.wait_text("ici B", timeout=40)
            pair.b.wait("the document", lambda pair=pair: pair.whole(size), 60)
    for pair in pairs:
        with test.step(f"{pair.name}: nothing hangs: both nodes still answer, and end when asked"):
            wait.until("an answer", lambda pair=pair: pair.a.run("status") and pair.b.run("status"))
            pair.a.stop()
            pair.b.stop()


if __name__ == "__main__":
    tap.need_environment("MAILLON_BIN", "the node program")
    tap.need_environment("MAILLON_MEDIA", "the media helper")
    if sound.missing():
        tap.skip_all("missing: " + sound.missing())
    tap.main(at_once, hard)
