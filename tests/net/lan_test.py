# SPDX-License-Identifier: MPL-2.0
"""Nodes on one LAN: create, invite, join, talk; tickets that are stale, wrong, used, expired."""

import time

from harness import tap, wait
from harness.node import Node, all_agree


def join_and_talk(test, world):
    """Three laptops on one LAN"""
    _, hosts = world.lan(3)
    a, b, c = (Node(world, host, name).start() for host, name in zip(hosts, ("Alice", "Bob", "Chloé")))
    with test.need("a meeting is created and a ticket is printed that fits one SMS"):
        meeting = a.create("Cellule de crise")
        ticket = a.invite("--uses", "5")
        assert ticket.startswith("maillon:") and ticket.isascii() and len(ticket) <= 160, ticket
    with test.need("two others join by ticket and everyone counts three members"):
        b.join(ticket)
        c.join(ticket)
        for node in (a, b, c):
            node.wait_members(3)
            assert node.meeting()["id"] == meeting, node.meeting()
    with test.step("status names the meeting and the others"):
        status = b.run("status")
        assert status["name"] == "Bob", status
        assert [m["title"] for m in status["meetings"]] == ["Cellule de crise"], status
        assert sorted(peer["name"] for peer in status["peers"]) == ["Alice", "Chloé"], status
        assert len({m.run("status")["meetings"][0]["epoch"] for m in (a, b, c)}) == 1
    with test.step("every pair is linked directly"):
        for node, others in ((a, (b, c)), (b, (a, c)), (c, (a, b))):
            for other in others:
                peer = node.wait_peer(other.name, path="direct")
                assert peer["id"] == other.run("status")["id"], peer
                assert 0 <= peer["loss"] <= 1 and peer["rtt_ms"] >= 0, peer
    with test.step("messages arrive at everyone, once, with their author"):
        ids = [a.say("Le pont est coupé"), b.say("Reçu"), c.say("L'école est ouverte 🙂")]
        for node in (a, b, c):
            node.wait_text("Le pont est coupé", "Reçu", "L'école est ouverte 🙂")
        messages = {message["id"]: message for message in c.run("messages")}
        assert sorted(messages) == sorted(ids), messages
        assert messages[ids[0]]["name"] == "Alice", messages
        assert messages[ids[0]]["author"] == a.run("status")["id"], messages
    with test.step("`messages --follow` prints each message as it comes"):
        follower = b.host.spawn("follow", b.binary, "--home", b.home, "--json", "messages",
                                "--follow", environment=b.environment)
        wait.until("the messages so far", lambda: len(follower.lines) >= 3, 10)
        a.say("Suite")
        wait.until("one more", lambda: any('"Suite"' in line for line in follower.lines), 10)
        follower.end()
    with test.step("all nodes show the same messages in the same order"):
        all_agree((a, b, c), "the messages", lambda node: [m["id"] for m in node.run("messages")])
    with test.step("nodes asked to end do so, cleanly"):
        for node in (a, b, c):
            node.stop()


def stale(test, world):
    """A ticket whose addresses are no longer true"""
    segment, (ha, hb) = world.lan(2)
    a, b = Node(world, ha, "A").start(), Node(world, hb, "B").start()
    a.create("Cellule")
    ticket = a.invite()
    a.stop()
    segment.leave(ha)
    segment.join(ha, number=77)
    a.start()
    with test.need("the inviter is found on the LAN though its address changed"):
        b.join(ticket)
        a.wait_members(2)
    with test.step("and they talk"):
        b.say("trouvé")
        a.wait_text("trouvé")


def link_local(test, world):
    """A LAN without DHCP, router or configured address"""
    for name, ipv4 in (("fe80 addresses alone", None), ("169.254 addresses", "169.254.0.0/16")):
        segment = world.segment(ipv4)
        a, b = (Node(world, segment.join(world.host()), f"{who}-{bool(ipv4)}").start()
                for who in ("A", "B"))
        with test.step(f"two nodes meet with {name}"):
            a.create("Sans réseau")
            b.join(a.invite())
            a.say("bonjour")
            b.wait_text("bonjour")
            b.wait_peer(a.name, path="direct")
        a.kill()
        b.kill()


def tickets(test, world):
    """Tickets that must not admit anyone"""
    _, (ha, hb, hc) = world.lan(3)
    a, b, c = (Node(world, host, name).start() for host, name in ((ha, "A"), (hb, "B"), (hc, "C")))
    a.create("Cellule")
    reasons = {}
    with test.step("a mistyped ticket is refused wherever the mistake is"):
        ticket = a.invite()
        for place in (8, 20, len(ticket) // 2, len(ticket) - 1):
            other = "a" if ticket[place].lower() != "a" else "b"
            reasons["mistyped"] = b.refused("join", ticket[:place] + other + ticket[place + 1:])
        b.refused("join", ticket[:-4])
        b.refused("join", "maillon:")
        b.refused("join", "bonjour")
    with test.step("a ticket typed in capitals, as a QR code or a person may, is the same ticket"):
        b.join(ticket.upper())
        a.wait_members(2)
    with test.step("a ticket for one is used up by one"):
        reasons["used up"] = c.refused("join", ticket)
    with test.step("an expired ticket is refused"):
        brief = a.invite("--valid", "1s")
        expiry = time.monotonic() + 2.1
        wait.until("the ticket to expire", lambda: time.monotonic() > expiry, 5)
        reasons["expired"] = c.refused("join", brief)
    with test.step("each failure has a message of its own"):
        assert len(set(reasons.values())) == 3, reasons
    with test.step("nobody was admitted by any of them"):
        assert a.meeting()["members"] == 2 and c.run("status")["meetings"] == []
        assert b.wait_peer("A")["state"] == "up"
    with test.step("a good ticket still works after all that"):
        c.join(a.invite())
        for node in (a, b, c):
            node.wait_members(3)
    with test.step("usage errors end with 2, a missing node with 3"):
        assert c.command("vote").returncode == 2
        assert c.command("no-such-command").returncode == 2
        c.stop()
        assert c.command("status").returncode == 3


if __name__ == "__main__":
    tap.need_environment("MAILLON_BIN", "the node program")
    tap.main(join_and_talk, stale, link_local, tickets)
