# SPDX-License-Identifier: MPL-2.0
"""Joining by codes that people carry: no beacon reaches, and no address in the ticket is true."""

from harness import tap
from harness.node import Node


def sites(world):
    """Three LANs, each with its way out: a router between them, which passes no multicast."""
    router = world.host("router")
    found = []
    for number in (1, 2, 3):
        site = world.segment(f"10.{number}.0.0/24")
        site.join(router, f"eth{number}")
        found.append((site, router.address(f"eth{number}")))
    router.shell("echo 1 > /proc/sys/net/ipv4/ip_forward")
    return found


def stranded(world):
    """A and B, and a ticket of A whose addresses have become nobody's."""
    (first, gate1), (second, gate2), (third, gate3) = sites(world)
    ha, hb = world.host("a"), world.host("b")
    first.join(ha, gateway=gate1)
    second.join(hb, gateway=gate2)
    a, b = Node(world, ha, "A").start(), Node(world, hb, "B").start()
    a.create("Cellule")
    ticket = a.invite()
    first.leave(ha)
    third.join(ha, gateway=gate3)
    return a, b, ticket


def codes(test, world):
    """Codes carried by hand"""
    a, b, ticket = stranded(world)
    with test.step("the ticket alone does not reach"):
        b.refused("join", ticket, "--wait", "3")
    with test.need("three codes make a link"):
        question = b.run("join", ticket, "--by-hand")["code"]
        answer = a.run("answer", question)["code"]
        b.run("accept", answer)
        a.wait_members(2, timeout=30)
        b.wait_peer("A", path="direct", timeout=30)
    with test.step("and they talk"):
        b.say("par code")
        a.wait_text("par code")
        a.say("bien reçu")
        b.wait_text("bien reçu")
    with test.step("codes fit where people put them"):
        assert question.isascii() and answer.isascii(), (question, answer)
        assert max(len(question), len(answer)) <= 1200, (len(question), len(answer))
    with test.step("a code that was mistyped, or is none, is refused"):
        spoiled = question[:-6] + ("a" if question[-6] != "a" else "b") + question[-5:]
        a.refused("answer", spoiled)
        a.refused("answer", "bonjour")
        b.refused("accept", question)


def bundles(test, world):
    """A journal carried by hand"""
    segment, (ha, hb) = world.lan(2)
    a, b = Node(world, ha, "A").start(), Node(world, hb, "B").start()
    a.create("Cellule")
    b.join(a.invite())
    b.wait_peer("A")
    segment.cut(hb)
    a.say("pendant la coupure")
    question = a.run("motion", "open", "Continuer ?")["id"]
    bundle = world.directory / "journal.maillon"
    with test.step("what was said while they were cut off is carried in a file"):
        a.run("bundle", "export", bundle)
        assert b"coupure" not in bundle.read_bytes(), "in clear"
        assert "pendant la coupure" not in b.texts()
        taken = b.run("bundle", "import", bundle)
        assert taken["new"] >= 2, taken
        assert b.texts() == a.texts()
        assert b.run("motion", "show", question)["state"] == "open"
    with test.step("taken twice it brings nothing new"):
        assert b.run("bundle", "import", bundle)["new"] == 0
    with test.step("a file that is none, is damaged, or of another meeting is refused"):
        spoiled = world.directory / "spoiled.maillon"
        b.refused("bundle", "import", world.directory / "nothing")
        spoiled.write_bytes(b"bonjour")
        b.refused("bundle", "import", spoiled)
        a.say("encore")
        a.run("bundle", "export", bundle)
        spoiled.write_bytes(bundle.read_bytes()[:-20])
        b.refused("bundle", "import", spoiled)
        assert "encore" not in b.texts()
        a.create("Autre")
        a.run("bundle", "export", bundle)
        b.refused("bundle", "import", bundle)


def survives(test, world):
    """A code asked for before a restart"""
    a, b, ticket = stranded(world)
    question = b.run("join", ticket, "--by-hand")["code"]
    b.kill()
    answer = a.run("answer", question)["code"]
    b.start()
    with test.step("the answer is accepted by the node that was restarted in between"):
        b.run("accept", answer)
        a.wait_members(2, timeout=30)


def meanwhile(test, world):
    """Codes carried where a line is found meanwhile"""
    _, (ha, hb) = world.lan(2)
    a, b = Node(world, ha, "A").start(), Node(world, hb, "B").start()
    meeting = a.create("Cellule")
    question = b.run("join", a.invite(), "--by-hand")["code"]
    answer = a.run("answer", question)["code"]
    with test.step("the answer is accepted, whether its node is in, on its way in, or alone"):
        assert b.run("accept", answer)["id"] == meeting
        a.wait_members(2, timeout=30)
    with test.step("and accepted again"):
        assert b.run("accept", answer)["id"] == meeting
    with test.step("that to another code is not"):
        c = Node(world, hb, "C").start()
        c.refused("accept", answer)
        c.run("join", a.invite(), "--by-hand")
        c.refused("accept", answer)


if __name__ == "__main__":
    tap.need_environment("MAILLON_BIN", "the node program")
    tap.main(codes, bundles, survives, meanwhile)
