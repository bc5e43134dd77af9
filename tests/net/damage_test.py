# SPDX-License-Identifier: MPL-2.0
"""Things go wrong: power cuts, full disks, damaged files, strangers on the wire and the bus."""

import random

from harness import bus, tap, wire
from harness.node import Node


def power_cut(test, world):
    """Power cuts"""
    segment, (ha, hb) = world.lan(2)
    a = Node(world, ha, "A").start()
    a.create("Cellule")
    said = []
    with test.step("ten times killed right after `say` returned, nothing acknowledged is lost"):
        for number in range(10):
            said.append(f"message {number}")
            a.say(said[-1])
            a.kill()
            a.start()
            assert a.texts() == said, (a.texts(), said)
    b = Node(world, hb, "B").start()
    with test.step("nor when the others had not received it yet"):
        b.join(a.invite())
        b.wait_text(*said)
        segment.cut(ha)
        a.say("le dernier mot")
        a.kill()
        segment.restore(ha)
        a.start()
        b.wait_text(*said, "le dernier mot", timeout=40)
    with test.step("a vote acknowledged is a vote kept"):
        question = a.run("motion", "open", "Continuer ?")["id"]
        b.wait("the motion", lambda: b.run("motion", "show", question)["state"] == "open")
        segment.cut(hb)
        b.run("vote", question, "pour")
        b.kill()
        segment.restore(hb)
        b.start()
        a.wait("the ballot", lambda: a.run("motion", "show", question)["counted"] == 1, 40)


def homes(test, world):
    """Two nodes on one home"""
    host = world.segment("10.1.0.0/24").join(world.host())
    a = Node(world, host, "A").start()
    a.create("Cellule")
    with test.step("a second node on the same home is refused, the first goes on"):
        second = Node(world, host, "A2", home=a.home).begin()
        second.process.child.wait(60)
        second.process.reader.join(30)
        assert second.process.child.returncode == 1, second.process.child.returncode
        assert second.process.lines, "refused without a word"
        a.say("toujours là")
        assert a.texts() == ["toujours là"]
    with test.step("after the first ended, its home can be used again"):
        a.stop()
        a.start()
        assert a.texts() == ["toujours là"]


def databases(home):
    found = [path for path in home.rglob("*") if path.is_file()
             and path.open("rb").read(15) == b"SQLite format 3"]
    assert found, f"no database in {home}"
    return found


def refuses_to_start(node, home):
    """The damaged files are left as they are, and the person is told where and what to do."""
    before = {path: path.read_bytes() for path in databases(home)}
    node.begin()
    node.process.child.wait(60)
    node.process.reader.join(30)
    said = "\n".join(node.process.lines)
    assert node.process.child.returncode == 1, (node.process.child.returncode, said)
    assert str(home) in said, f"it does not say where: {said}"
    assert not any(line.startswith("ready") for line in node.process.lines), said
    for path, content in before.items():
        assert path.read_bytes() == content, f"{path} was changed"


def damaged(test, world):
    """A damaged database"""
    host = world.segment("10.1.0.0/24").join(world.host())
    a = Node(world, host, "A").start()
    a.create("Cellule")
    for number in range(40):
        a.say(f"message {number} " + "x" * 200)
    a.stop()
    whole = {path: path.read_bytes() for path in databases(a.home)}
    dice = random.Random(5)

    def spoil(how):
        for path, content in whole.items():
            path.write_bytes(how(content))

    def noise(content):
        """Every page but the first is noise, as after a dying disk."""
        return content[:4096] + dice.randbytes(len(content) - 4096)

    for name, how in (("full of noise", noise),
                      ("cut in half", lambda content: content[:len(content) // 2]),
                      ("with an altered header", lambda content: content[:16] + dice.randbytes(84)
                       + content[100:])):
        with test.step(f"a database {name} is noticed at start, named, and left alone"):
            spoil(how)
            refuses_to_start(a, a.home)
    with test.step("put right again, the home opens with everything in it"):
        spoil(lambda content: content)
        a.start()
        assert len(a.texts()) == 40, len(a.texts())


def flipped(test, world):
    """Single bytes changed in the database"""
    host = world.segment("10.1.0.0/24").join(world.host())
    a = Node(world, host, "A").start()
    a.create("Cellule")
    usual = set(a.process.lines)
    said = [f"message {number} " + "y" * 300 for number in range(20)]
    for text in said:
        a.say(text)
    a.stop()
    whole = {path: path.read_bytes() for path in databases(a.home)}
    dice = random.Random(9)
    with test.step("a flipped byte never yields an altered message, nor a silent loss"):
        for _ in range(8):
            for path, content in whole.items():
                changed = bytearray(content)
                changed[dice.randrange(4096, len(changed))] ^= 0xff
                path.write_bytes(changed)
            a.begin()
            try:
                a.process.line("ready", 20)
            except RuntimeError:
                assert a.process.child.returncode == 1 and a.process.lines
                continue
            assert set(a.texts()) <= set(said), a.texts()
            if a.texts() != said:
                told = set(a.process.lines) - usual
                assert told, "messages are missing and nobody is told"
            a.kill()


def full_disk(test, world):
    """A full disk"""
    host = world.segment("10.1.0.0/24").join(world.host())
    disk = world.small_disk("disk", "6m")
    a = Node(world, host, "A", home=disk / "home").start()
    a.create("Cellule")
    said = ["avant"]
    a.say("avant")
    filler = disk / "filler"

    def fill():
        with open(filler, "ab", buffering=0) as file:
            for size in (65536, 4096, 512):
                try:
                    while file.write(bytes(size)) == size:
                        pass
                except OSError:
                    continue
    with test.step("when the disk is full the person is told, by a refusal with a reason"):
        fill()
        for number in range(400):
            text = f"message {number} " + "z" * 800
            done = a.command("say", text)
            if done.returncode != 0:
                break
            said.append(text)
        assert done.returncode == 1 and done.stderr.strip(), (done.returncode, done.stderr)
        assert a.process.running(), "the node died"
    with test.step("what was acknowledged is there, what was refused is not"):
        assert a.texts() == said, (len(a.texts()), len(said))
        a.kill()
        filler.unlink()
        a.start()
        assert a.texts() == said, (len(a.texts()), len(said))
    with test.step("with room again it goes on"):
        a.say("après")
        assert a.texts()[-1] == "après"
        fill()
        a.command("say", "x" * 4000)
        filler.unlink()
        a.wait("room again", lambda: a.say("encore"))


def rude_bus(test, world):
    """Garbage on the bus"""
    host = world.segment("10.1.0.0/24").join(world.host())
    a = Node(world, host, "A").start()
    a.create("Cellule")
    dice = random.Random(3)
    with test.step("the bus is a socket in the home that only its owner may open"):
        paths = bus.sockets(a.home)
        assert paths, list(a.home.rglob("*"))
        assert all(path.stat().st_mode & 0o077 == 0 or path.parent.stat().st_mode & 0o077 == 0
                   for path in paths), [oct(path.stat().st_mode) for path in paths]
    with test.step("random bytes harm nothing"):
        for path in paths:
            for size in (1, 64, 5000, 200_000):
                bus.throw(path, dice.randbytes(size))
            bus.throw(path, bus.GREETING[:40])
            bus.throw(path, bus.GREETING + dice.randbytes(500))
            bus.throw(path, bus.GREETING + b"\x06" + b"\xff" * 8)
        a.say("un")
    with test.step("well-framed messages with wrong contents harm nothing"):
        contents = [b"", b"{", b"null", b"[]", b"{}", b'{"command":7}', b'{"command":"say"}',
                    b'{"command":"say","words":{}}', b'{"command":"status","args":"x"}',
                    b"\xff\xfe\x00", b"[" * 100_000, b'{"a":' * 50_000, b'"' + b"x" * 3_000_000,
                    dice.randbytes(2000)]
        for path in paths:
            for content in contents:
                bus.send(path, [content])
                bus.send(path, [b"", content])
            bus.send(path, [b"x"] * 300, *[[content, content] for content in contents[:8]])
        a.say("deux")
        assert a.texts() == ["un", "deux"], a.texts()
        assert a.process.running()
    with test.step("command line arguments that make no sense are refused, not obeyed"):
        a.refused("vote", "../../etc/passwd", "pour")
        a.refused("doc", "get", "\x01", "-o", world.directory / "never")
        assert a.command("say").returncode == 2
        assert a.texts() == ["un", "deux"], a.texts()


def strangers(test, world):
    """Strangers on the wire"""
    segment, (ha, hb, hx) = world.lan(3, ipv6=None)
    for host in (ha, hb):  # else the pair may meet on link-local addresses, which the tap leaves out
        host.shell("echo 1 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6")
    a = Node(world, ha, "A").start()
    recorder = wire.Tap(world, segment, ha)
    b = Node(world, hb, "B").start()
    a.create("Cellule")
    b.join(a.invite())
    for number in range(5):
        b.say(f"message {number}")
    a.wait_text("message 4")
    b.wait_peer("A", path="direct")
    frames = recorder.stop()
    targets = {wire.ports_of(frame)[1] for frame in frames}

    def still_well(word):
        b.say(word)
        a.wait_text(*[f"message {number}" for number in range(5)], word)
        a.say(word + " aussi")
        b.wait_text(word + " aussi")
        assert a.meeting()["members"] == 2 and b.peer("A")["state"] == "up", b.peer("A")
    with test.step("every datagram of the joining replayed, first message of the handshake too"):
        # The joining and each message took one datagram at the least.
        assert len(frames) > 6, len(frames)
        for _ in range(2):
            recorder.replay(frames)
        still_well("rejoué")
    with test.step("altered copies of each change nothing"):
        for seed, frame in enumerate(frames * 3):
            recorder.replay([wire.altered(frame, seed)])
        still_well("altéré")
    with test.step("random datagrams to every port from a stranger change nothing"):
        stranger = hx.udp()
        dice = random.Random(11)
        for port in sorted(targets):
            for _ in range(300):
                stranger.sendto(dice.randbytes(dice.randrange(0, 1400)), (ha.address(), port))
        still_well("inconnu")
    with test.step("another host replaying what was recorded takes nobody's place"):
        for frame in frames:
            payload = frame[wire.ETHERNET + 20 + wire.UDP_HEADER:]
            stranger.sendto(payload, (ha.address(), wire.ports_of(frame)[1]))
        still_well("imposteur")
    with test.step("nothing said crosses the wire in clear"):
        joined = b"".join(frames)
        for secret in ("message 0", "Cellule"):
            assert secret.encode() not in joined, secret


if __name__ == "__main__":
    tap.need_environment("MAILLON_BIN", "the node program")
    tap.main(power_cut, homes, damaged, flipped, full_disk, rude_bus, strangers)
