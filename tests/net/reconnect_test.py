# SPDX-License-Identifier: MPL-2.0
"""Links that come back by themselves: after a cut, a pulled cable, a new address, a restart."""

import time

from harness import tap, wait
from harness.node import Node

CUT_S = 65


def pair(world, hosts):
    a, b = (Node(world, host, name).start() for host, name in zip(hosts, ("A", "B")))
    a.create("Cellule")
    b.join(a.invite())
    a.wait_members(2)
    return a, b


def cut(test, world):
    """A link lost for more than a minute"""
    segment, hosts = world.lan(2)
    a, b = pair(world, hosts)
    b.wait_peer("A", path="direct")
    segment.cut(hosts[1])
    healed = time.monotonic() + CUT_S
    with test.step("both sides notice"):
        a.wait_peer("B", state="down", timeout=60)
        b.wait_peer("A", state="down", timeout=60)
    with test.step("what is said meanwhile is kept"):
        a.say("pendant, de A")
        b.say("pendant, de B")
    wait.until("the minute to pass", lambda: time.monotonic() > healed, CUT_S + 1)
    segment.restore(hosts[1])
    with test.step("after a minute they are linked again by themselves"):
        a.wait_peer("B", timeout=40)
        b.wait_peer("A", timeout=40)
    with test.step("and have caught up, each message once"):
        a.wait_text("pendant, de B")
        b.wait_text("pendant, de A")


def cable(test, world):
    """A cable pulled and plugged in again"""
    segment, hosts = world.lan(2)
    a, b = pair(world, hosts)
    b.wait_peer("A", path="direct")
    with test.step("a pulled cable of a few seconds costs no message"):
        segment.unplug(hosts[1])
        a.say("sans câble")
        b.say("moi non plus")
        b.wait_peer("A", state="down", timeout=60)
        segment.restore(hosts[1])
        b.wait_text("sans câble", timeout=40)
        a.wait_text("moi non plus", timeout=40)


def moves(test, world):
    """A laptop that changes networks"""
    public = world.public()
    home, office = world.nat(public), world.nat(public, "cone", "192.168.9.0/24")
    server, laptop = public.join(world.host("a")), home.join(world.host("b"))
    a, b = pair(world, (server, laptop))
    b.wait_peer("A", path="direct")
    home.leave(laptop)
    office.join(laptop)
    with test.step("it is linked again from its new address, without a restart"):
        b.say("j'ai bougé")
        a.wait_text("j'ai bougé", timeout=60)
        a.say("je t'entends")
        b.wait_text("je t'entends", timeout=40)
        b.wait_peer("A", path="direct", timeout=40)
    with test.step("and back again"):
        office.leave(laptop)
        home.join(laptop)
        a.say("et maintenant ?")
        b.wait_text("et maintenant ?", timeout=60)


def lan_moves(test, world):
    """A laptop whose address changes on its LAN"""
    segment, hosts = world.lan(2)
    a, b = pair(world, hosts)
    b.wait_peer("A", path="direct")
    segment.leave(hosts[1])
    segment.join(hosts[1], number=99)
    with test.step("it is linked again from its new address"):
        b.say("nouvelle adresse")
        a.wait_text("nouvelle adresse", timeout=60)
        b.wait_peer("A", path="direct", timeout=40)


def both_restart(test, world):
    """Both nodes restarted"""
    _, hosts = world.lan(2)
    a, b = pair(world, hosts)
    a.say("avant")
    b.wait_text("avant")
    a.kill()
    b.stop()
    a.start()
    b.start()
    with test.step("two restarted nodes find each other without a ticket"):
        b.say("après")
        a.wait_text("avant", "après", timeout=40)
    with test.step("and are who they were"):
        assert a.peer("B")["id"] == b.run("status")["id"]
        assert a.meeting()["members"] == 2, a.meeting()


if __name__ == "__main__":
    tap.need_environment("MAILLON_BIN", "the node program")
    tap.main(moves, lan_moves, cable, both_restart, cut)
