# SPDX-License-Identifier: MPL-2.0
"""A relay: it joins two members who have no other way, keeps what is said for who is away, and can
read nothing of it."""

import signal

import voice_test
from harness import sound, tap, wait
from harness.bus import Events
from harness.node import Node

TITLE = "Cellule inondation"
WORDS = ("Moissac", "barrage", "ambassade")
READY = "maillon: carries for the meeting"


def contains(data, word):
    """Whether bytes hold a word, as UTF-8 or as the two-byte letters of some programs."""
    return word.encode() in data or word.encode("utf-16-le") in data


def memory(pid):
    """Everything a process has in memory that can be read."""
    found = bytearray()
    with open(f"/proc/{pid}/maps", encoding="ascii", errors="replace") as maps, \
            open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for line in maps:
            span, rights = line.split()[:2]
            begin, end = (int(text, 16) for text in span.split("-"))
            if "r" not in rights or "[v" in line or end - begin > 1 << 28:
                continue
            try:
                mem.seek(begin)
                found += mem.read(end - begin)
            except OSError:
                continue
    return bytes(found)


def knows(node):
    """Which of the words are in a node's memory or in its home."""
    held = [memory(node.process.pid)]
    held += [path.read_bytes() for path in sorted(node.home.rglob("*")) if path.is_file()]
    return {word for word in WORDS for data in held if contains(data, word)}


def over(node):
    """The exit status of a node that ends by itself."""
    return node.process.child.wait(20 * wait.PATIENCE)


def relay_of(world, host, ticket, name="R"):
    """A relay that has come to its meeting."""
    relay = Node(world, host, name).start("--relay", ticket)
    relay.process.line(READY, 30)
    return relay


def meet(test, world):
    """C, in the open, founds; A and B, each behind a hard NAT of its own, and a relay come in."""
    public = world.public()
    nats = [world.nat(public, "symmetric", f"192.168.{10 + i}.0/24") for i in range(2)]
    a, b = (Node(world, nat.join(world.host(name.lower())), name)
            for name, nat in zip("AB", nats))
    c = Node(world, public.join(world.host("c")), "C").start()
    sink = world.directory / "B.wav"
    a.start("--sink", "fake", media=True)
    b.start("--sink", sink, media=True)
    with test.need("a relay and two members behind hard NATs come into a meeting"):
        meeting = c.create(TITLE)
        ticket = c.invite("--uses", "5")
        relay = relay_of(world, public.join(world.host("r")), c.invite("--role", "relay"))
        for node in (a, b):
            node.join(ticket)
        for node in (a, b, c, relay):
            node.wait_members(3)
        assert relay.meeting()["id"] == meeting
    return a, b, c, relay, sink


def shown(node, relay):
    """What a node shows of the relay among its peers."""
    key = relay.run("status")["id"]
    return next((peer for peer in node.run("peers") if peer["id"] == key), None)


def carries(test, world):
    """Two members and a relay, and no other way between them"""
    a, b, c, relay, sink = meet(test, world)
    key = relay.run("status")["id"]
    with test.step("the relay is shown as one, by its key, and is no member of the company"):
        for node in (a, b, c):
            node.wait("its link", lambda n=node: shown(n, relay)["state"] == "up")
            assert shown(node, relay)["name"] == f"relay {key[:4]}…", shown(node, relay)
            roles = {member["id"]: member["role"] for member in node.run("roster", "list")}
            assert roles[key] == "relay" and len(roles) == 4, roles
    c.stop()
    with test.need("without anyone else they reach each other through it"):
        for node, other in ((a, "B"), (b, "A")):
            peer = node.wait_peer(other, path="relayed", timeout=60)
            node.wait("through the relay", lambda n=node, o=other: n.peer(o)["via"] == key, 30)
            assert peer["state"] == "up", peer
    with test.step("they talk"):
        a.say("le pont de Moissac est fermé")
        b.wait_text("le pont de Moissac est fermé")
        b.say("et le barrage ?")
        a.wait_text("et le barrage ?")
    with test.step("they vote, and the relay is no voter"):
        question = a.run("motion", "open", "Évacuer le barrage ?")["id"]
        b.wait("the motion", lambda: b.run("motion", "show", question)["state"] == "open")
        b.run("vote", question, "pour")
        motion = a.wait("the ballot", lambda: (lambda m: m if m["counted"] == 1 else None)(
            a.run("motion", "show", question)))
        assert key not in [voter["id"] for voter in motion["voters"]], motion
    with test.step("they share a document"):
        path = world.directory / "ambassade.txt"
        path.write_bytes(b"ambassade " * 20000)
        document = a.run("doc", "add", path)["id"]
        b.run("doc", "get", document, "-o", world.directory / "copie.txt", "--wait", "60")
        assert (world.directory / "copie.txt").read_bytes() == path.read_bytes()
    with test.timely("one hears the other speak"):
        speech = sound.speech(world.directory / "alerte.wav", "alerte")
        voice_test.hears(b, a, speech, sink)
        assert b.peer("A")["path"] == "relayed", b.peer("A")
    with test.step("of all that the relay knows not a word"):
        a.run("mic", "off")
        assert knows(a) >= {"Moissac", "barrage"}, knows(a)  # whose memory is looked at alike
        assert not knows(relay), knows(relay)
        assert relay.run("stats")["counters"]["forwarded"] > 0
        assert relay.run("stats")["counters"]["kept_bytes"] > 0
    with test.step("killed and started again, without its ticket, it goes on"):
        relay.kill()
        relay.start()
        relay.process.line(READY, 30)
        b.wait_peer("A", path="relayed", timeout=60)
        b.say("toujours là")
        a.wait_text("toujours là", timeout=30)
    with test.step("asked to end it ends"):
        relay.stop()


def absent(test, world):
    """Members who are never there at the same time"""
    segment, hosts = world.lan(4)
    a, b, c = (Node(world, host, name).start() for host, name in zip(hosts, "ABC"))
    a.create(TITLE)
    for node in (b, c):
        node.join(a.invite())
    relay = relay_of(world, hosts[3], a.invite("--role", "relay"))
    a.wait_members(3)
    for node in (b, c):
        node.wait_peer("A")
        node.stop()
    with test.step("one writes and goes; another comes and reads it from the relay"):
        a.say("le pont de Moissac est fermé")
        question = a.run("motion", "open", "Évacuer ?")["id"]
        entries = a.run("bundle", "export", world.directory / "a.maillon")["entries"]
        relay.wait("all of it", lambda: relay.run(
            "bundle", "export", world.directory / "r.maillon")["entries"] == entries)
        a.stop()
        b.start()
        b.wait_text("le pont de Moissac est fermé", timeout=30)
        b.run("vote", question, "pour")
        b.say("vu, je préviens le barrage")
    with test.step("the relay, too, may be away for a while"):
        relay.kill()
        relay.start()
        b.wait("what it said", lambda: shown(b, relay)["unconfirmed"] == 0, 90)
        b.stop()
    with test.step("a third comes, and finds both"):
        c.start()
        c.wait_text("le pont de Moissac est fermé", "vu, je préviens le barrage", timeout=30)
        assert c.run("motion", "show", question)["counted"] == 1
    with test.step("whoever has a ticket for members gets nothing from it"):
        d = Node(world, segment.join(world.host("d")), "D").start()
        ticket = c.invite()
        c.stop()
        d.refused("join", ticket, "--wait", "5")
        assert relay.meeting()["members"] == 3
        assert not knows(relay), knows(relay)


def refusals(test, world):
    """Tickets, homes and commands that are not for a relay"""
    _, hosts = world.lan(3)
    a = Node(world, hosts[0], "A").start()
    a.create(TITLE)
    for_member, for_relay = a.invite(), a.invite("--role", "relay")
    with test.step("a ticket for a member is refused, and says what it is for"):
        r = Node(world, hosts[1], "R").begin("--relay", for_member)
        r.process.line("maillon: the ticket is for a person", 30)
        assert over(r) == 1
    with test.step("one for a relay is refused to `join`, and says what it is for"):
        b = Node(world, hosts[2], "B").start()
        assert "maillon start --relay" in b.refused("join", for_relay)
        b.join(for_member)  # which nobody used up
        a.wait_members(2)
    with test.step("a home that is in a meeting is none for a relay"):
        b.stop()
        b.begin("--relay", for_relay)
        b.process.line("maillon: this home takes part in meetings already", 30)
        assert over(b) == 1
        b.start()
        b.wait_peer("A")
    with test.step("a ticket that is none is refused before anything begins"):
        n = Node(world, hosts[1], "N").begin("--relay", "maillon:aaaa")
        n.process.line("maillon: the ticket is mistyped", 30)
        assert over(n) == 1
        n.start()  # a home like any other
        n.create("Ailleurs")
    events = Events(a.home, timeout=60)
    relay = relay_of(world, hosts[1], for_relay, "R2")
    with test.step("an event tells what it is called in each language"):
        key = relay.run("status")["id"][:4]
        names = {"en": f"relay {key}…", "fr": f"relais {key}…"}
        event = events.next()
        while event["event"] != "member" or "names" not in event["member"]:
            event = events.next()
        assert event["member"]["names"] == names, event
        while event["event"] != "peer" or "names" not in event["peer"]:
            event = events.next()
        assert event["peer"]["names"] == names, event
        events.close()
    with test.step("what it keeps at most is told, remembered, and changed"):
        assert relay.run("status")["store_max"] == 256 << 20, relay.run("status")
        for options, size in ((("--store-max", "5M"), 5000000), ((), 5000000),
                              (("--store-max", "0"), 256 << 20), ((), 256 << 20)):
            relay.stop()
            relay.start(*options)
            assert relay.run("status")["store_max"] == size, (options, relay.run("status"))
        assert "store_max" not in a.run("status")
    with test.step("the same ticket given again is fine, another meeting's is not"):
        relay.stop()
        relay.start("--relay", for_relay)
        relay.process.line(READY, 30)
        relay.stop()
        relay.begin("--relay", n.invite("--role", "relay"))
        relay.process.line("maillon: this relay carries for another meeting already", 30)
        assert over(relay) == 1
        relay.start()
        relay.process.line(READY, 30)
    with test.step("it refuses what is for people, in their language"):
        for words in (("say", "bonjour"), ("messages",), ("doc", "add", "/etc/hostname"),
                      ("doc", "list"), ("mic", "on"), ("cam", "on"), ("talk",), ("voice", "send"),
                      ("motion", "open", "?"), ("motion", "list"), ("vote", "aa", "pour"),
                      ("hand", "up"), ("invite",), ("roster", "expel", "A"), ("page",),
                      ("meeting", "create", "Autre"), ("record", "/tmp/x.wav")):
            reason = relay.refused(*words)
            assert reason.startswith("maillon: this node is a relay"), (words, reason)
        english, relay.environment = relay.environment, dict(relay.environment,
                                                             LC_ALL="fr_FR.UTF-8")
        reason = relay.refused("say", "bonjour")
        relay.environment = english
        assert reason.startswith("maillon: ce poste est un relais"), reason
        assert "already" in relay.refused("join", a.invite("--role", "relay"))
    with test.step("and tells what it may be asked"):
        for words in (("status",), ("stats",), ("peers",), ("map",), ("roster", "list"),
                      ("meeting", "list"), ("bandwidth",)):
            relay.run(*words)
        names = {member["name"] for member in relay.run("roster", "list")}
        assert all(name.split()[0] in ("founder", "member", "relay") for name in names), names
    with test.step("an expelled relay is told, and carries no more"):
        key = relay.run("status")["id"]
        a.run("roster", "expel", f"relay {key[:4]}…")
        relay.process.line("maillon: this relay was expelled", 30)
        relay.stop()
        relay.begin()
        relay.process.line("maillon: this relay was expelled from its meeting: only another", 30)
        assert over(relay) == 1


def by_hand(test, world):
    """A relay in the open, and a founder whom nobody can reach from there"""
    public = world.public()
    nat = world.nat(public, "symmetric")
    a = Node(world, nat.join(world.host("a")), "A").start()
    a.create(TITLE)
    ticket = a.invite("--role", "relay")
    relay = Node(world, public.join(world.host("r")), "R").start("--relay", ticket)
    with test.step("what it waits for is said, and it goes on"):
        relay.process.line("maillon: no member has answered yet", 60)
    with test.step("three codes bring it in"):
        question = relay.run("join", ticket, "--by-hand")["code"]
        answer = a.run("answer", question)["code"]
        relay.run("accept", answer)
        relay.process.line(READY, 30)
        a.wait("the relay", lambda: shown(a, relay) and shown(a, relay)["state"] == "up", 30)
        assert a.meeting()["members"] == 1, a.meeting()
    with test.step("and it is one after a restart"):
        relay.process.end(signal.SIGKILL)
        relay.start()
        relay.process.line(READY, 30)
        a.wait("the relay", lambda: shown(a, relay)["state"] == "up", 60)
        assert not knows(relay), knows(relay)
    with test.step("a newcomer behind another hard NAT comes in through it"):
        other = world.nat(public, "symmetric", "192.168.2.0/24")
        b = Node(world, other.join(world.host("b")), "B").start()
        b.join(a.invite())
        assert b.wait_peer("A")["path"] == "relayed", b.peer("A")
        b.wait("its own link", lambda: (shown(b, relay) or {}).get("neighbour"), 30)
        b.say("le pont de Moissac est fermé")
        a.wait_text("le pont de Moissac est fermé")
        assert not knows(relay), knows(relay)


if __name__ == "__main__":
    tap.need_environment("MAILLON_BIN", "the node program")
    tap.need_environment("MAILLON_CORRELATE", "the program that compares recordings")
    if sound.missing():
        tap.skip_all(f"no {sound.missing()}")
    tap.main(carries, absent, refusals, by_hand)
