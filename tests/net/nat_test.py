# SPDX-License-Identifier: MPL-2.0
"""Nodes behind NATs with one reachable member: direct where it can be, relayed where not."""

from harness import tap
from harness.node import Node


def meet(test, world, kinds):
    """A in the open, B and C each behind a NAT of its own; all in one meeting."""
    public = world.public()
    nats = [world.nat(public, kind, f"192.168.{10 + i}.0/24") for i, kind in enumerate(kinds)]
    a = Node(world, public.join(world.host("a")), "A").start()
    b = Node(world, nats[0].join(world.host("b")), "B").start()
    c = Node(world, nats[1].join(world.host("c")), "C").start()
    with test.need("two nodes behind different NATs join through a reachable member"):
        a.create("Cellule")
        ticket = a.invite("--uses", "10")
        b.join(ticket)
        c.join(ticket)
        for node in (a, b, c):
            node.wait_members(3)
    with test.need("they talk at once, by whatever path"):
        b.say("B parle")
        c.wait_text("B parle")
        c.say("C parle")
        b.wait_text("C parle")
    return a, b, c, nats, ticket


def punchable(test, world):
    """Two NATs that can be punched"""
    a, b, c, nats, ticket = meet(test, world, ("cone", "cone"))
    with test.need("the pair behind two NATs gets a direct path"):
        b.wait_peer("C", path="direct", timeout=30)
        c.wait_peer("B", path="direct", timeout=30)
    a.kill()
    with test.step("it goes on talking when the reachable member is killed"):
        b.say("A est mort")
        c.wait_text("A est mort")
        c.say("Je sais")
        b.wait_text("Je sais")
        assert b.peer("C")["path"] == "direct", b.peer("C")
    d = Node(world, nats[0].join(world.host("d")), "D").start()
    with test.step("a fourth joins through the member on its own LAN, the writer being dead"):
        d.join(ticket)
        for node in (b, c, d):
            node.wait_members(4, timeout=30)
        d.say("D est là")
        c.wait_text("D est là", timeout=30)
    with test.step("the reachable member comes back to all of them"):
        a.start()
        a.wait_members(4, timeout=40)
        a.wait_text("A est mort", "Je sais", "D est là", timeout=40)
        for node in (b, c, d):
            node.wait_peer("A", timeout=40)


def hard(test, world):
    """Two symmetric NATs"""
    a, b, c, _, _ = meet(test, world, ("symmetric", "symmetric"))
    with test.step("a pair that cannot be punched is relayed, and says so"):
        peer = b.wait_peer("C", path="relayed", timeout=30)
        assert peer["via"] in (a.run("status")["id"], "A"), peer
        c.wait_peer("B", path="relayed", timeout=30)
    with test.step("and stays whole: messages, a vote"):
        question = b.run("motion", "open", "Continuer ?")["id"]
        c.wait("the motion", lambda: c.run("motion", "show", question)["state"] == "open")
        c.run("vote", question, "pour")
        b.wait("the ballot", lambda: b.run("motion", "show", question)["counted"] == 1)
        assert b.peer("C")["path"] == "relayed", "cannot be"
    with test.step("without the relay the pair says it is down, and is whole again with it"):
        a.kill()
        b.wait_peer("C", state="down", timeout=60)
        b.say("personne ?")
        a.start()
        c.wait_text("personne ?", timeout=40)
        b.wait_peer("C", path="relayed", timeout=40)


if __name__ == "__main__":
    tap.need_environment("MAILLON_BIN", "the node program")
    tap.main(punchable, hard)
