# SPDX-License-Identifier: MPL-2.0
"""The mesh as three nodes show it while one direct link dies and comes back: map, peers, events."""

import json
import shutil
import time

from harness import tap, wait
from harness.bus import Events
from harness.node import Node

LOST_S = 90  # a quiet link is missed after half a minute
SILENT = "Léa is reached through Bob: the direct link went silent"
MUET = "Léa passe par Bob\u00a0: la liaison directe est devenue muette"


def hardware(host):
    return json.loads(host.shell("ip -json link show eth0"))[0]["address"]


def deafen(host, other):
    """Whatever comes from the other is lost, by any protocol."""
    host.run("nft", "add", "table", "inet", "deaf")
    host.run("nft", "add", "chain", "inet", "deaf", "in",
             "{ type filter hook input priority 0; policy accept; }")
    host.run("nft", "add", "rule", "inet", "deaf", "in", "ether", "saddr", hardware(other), "drop")


def heal(host):
    host.run("nft", "delete", "table", "inet", "deaf")


def links(node):
    """Who is linked with whom, by name: pairs that both ends declare."""
    shown = node.run("map")
    names = {member["id"]: member["name"] for member in shown["members"]}
    return {frozenset((names[link["a"]], names[link["b"]])) for link in shown["links"]
            if link["both"]}


def of(node, name):
    """What the map of a node says of a member."""
    return next(member for member in node.run("map")["members"] if member["name"] == name)


def told(node):
    return [change["text"] for change in node.run("map")["changes"]]


def until_event(events, text):
    """The `map` event with this change, others passed over."""
    deadline = time.monotonic() + LOST_S
    while time.monotonic() < deadline:
        event = events.next()
        for change in event.get("changes", []):
            if change["text"] == text:
                return change
    raise AssertionError(f"no event tells: {text}")


def pair(*names):
    return frozenset(names)


def silent(test, world):
    """A direct link that dies while another member is in reach of both"""
    _, hosts = world.lan(3)
    a, b, c = (Node(world, host, name).start() for host, name in zip(hosts, ("Alice", "Bob", "Léa")))
    everyone = (a, b, c)
    with test.need("each node shows the same three links, and everyone as a neighbour"):
        a.create("Cellule")
        ticket = a.invite("--uses", "5")
        b.join(ticket)
        c.join(ticket)
        whole = {pair("Alice", "Bob"), pair("Alice", "Léa"), pair("Bob", "Léa")}
        for node in everyone:
            node.wait("the whole map", lambda node=node: links(node) == whole)
            for other in everyone:
                shown = of(node, other.name)
                assert shown["present"] and not shown["via"], shown
                assert shown["self"] == (other is node), shown
                assert shown["neighbour"] == (other is not node), shown
                assert shown["hops"] == (0 if other is node else 1), shown
            for peer in node.run("peers"):
                assert peer["neighbour"] and peer["hops"] == 1, peer
    watched = a.host.spawn("watch", a.binary, "--home", a.home, "--json", "peers", "--watch",
                           environment=a.environment)
    events = Events(a.home, timeout=LOST_S)
    deafen(a.host, c.host)
    deafen(c.host, a.host)
    with test.step("an event tells that it is reached through the third, and why, in each language"):
        change = until_event(events, SILENT)
        assert change["texts"] == {"en": SILENT, "fr": MUET}, change
        assert change["member"] == c.run("status")["id"], change
    with test.step("map and peers say so too, and the link is in nobody's map any more"):
        via = b.run("status")["id"]
        shown = of(a, "Léa")
        assert shown["present"] and not shown["neighbour"], shown
        assert (shown["via"], shown["hops"]) == (via, 2), shown
        assert told(a)[-1] == SILENT, told(a)
        peer = a.peer("Léa")
        assert (peer["state"], peer["path"], peer["via"]) == ("up", "relayed", via), peer
        assert not peer["neighbour"] and peer["hops"] == 2, peer
        for node in everyone:
            node.wait("a map of two links",
                      lambda node=node: links(node) == whole - {pair("Alice", "Léa")}, timeout=60)
    with test.step("whoever watches the peers has seen it"):
        def seen():
            last = {peer["name"]: peer for peer in json.loads(watched.lines[-1])}
            return last["Léa"]["path"] == "relayed" and last["Léa"]["via"] == via
        wait.until("a line that says so", seen, 20)
        assert watched.end() == 0, "Ctrl-C's sibling is no clean end"
    heal(a.host)
    heal(c.host)
    with test.step("when there is a direct path again it is taken, and told"):
        again = "Léa is linked with directly now: a direct path was found"
        until_event(events, again)
        assert of(a, "Léa")["neighbour"], of(a, "Léa")
        for node in everyone:
            node.wait("the whole map", lambda node=node: links(node) == whole, timeout=60)
    events.close()
    with test.step("who goes is said to have gone, not to be silent"):
        b.stop()
        a.wait("it to be told", lambda: told(a)[-1] == "Bob is gone: it said goodbye", LOST_S)
        assert a.peer("Bob")["ended"] == "left", a.peer("Bob")
        a.wait("the sentence", lambda: a.peer("Bob")["reason"].startswith("it said goodbye"))
        b.start()
        a.wait_peer("Bob")
        assert a.peer("Bob")["ended"] == "", a.peer("Bob")
        a.wait("it to be told", lambda: told(a)[-1] == "Bob is here, by a direct link")
    with test.step("who is killed is absent after a while, and said to have gone silent"):
        c.kill()
        a.wait("it to be told", lambda: told(a)[-1].startswith("Léa is out of reach"), LOST_S)
        shown = of(a, "Léa")
        assert not shown["present"] and shown["hops"] == 0 and not shown["via"], shown
        assert a.peer("Léa")["ended"] == "silent", a.peer("Léa")


def copied(test, world):
    """A home that was copied, and runs twice"""
    _, hosts = world.lan(4)
    a, b, c = (Node(world, host, name).start() for host, name in zip(hosts, ("Alice", "Bob", "Léa")))
    a.create("Cellule")
    ticket = a.invite("--uses", "5")
    b.join(ticket)
    c.join(ticket)
    c.wait_peer("Bob")
    b.stop()
    home = world.directory / "copy"
    shutil.copytree(b.home, home, ignore=shutil.ignore_patterns("bus", "events"))
    b.start()
    twin = Node(world, hosts[3], "Bob", home=home).start()
    with test.step("each of both is told, once, and shows it"):
        for node in (b, twin):
            node.process.line("maillon: this home was copied", 120)
            assert node.meeting()["copied"], node.meeting()
        for node in (a, c):
            assert not node.meeting()["copied"], node.meeting()
    with test.step("when the copy is gone the other goes on"):
        twin.stop()
        b.say("me revoilà")
        c.wait_text("me revoilà", timeout=60)
        told = [line for line in b.process.lines if "was copied" in line]
        assert len(told) == 1, told


if __name__ == "__main__":
    tap.need_environment("MAILLON_BIN", "the node program")
    tap.main(silent, copied)
