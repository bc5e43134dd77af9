# SPDX-License-Identifier: MPL-2.0
"""The networks of the harness are what their names say: checked with plain UDP sockets."""

import socket
import struct

from harness import tap, wait
from harness.namespace import Inside

QUIET_S = 0.3
COMES_S = 30


def hears(receiver, timeout=COMES_S):
    """One datagram and its sender, or None when nothing comes."""
    receiver.settimeout(timeout)
    try:
        return receiver.recvfrom(2048)
    except TimeoutError:
        return None


def passes(send, receiver):
    """
    A datagram and its sender, once it comes: a cable just plugged in has its own addresses only
    when the kernel has seen it.
    """
    def sent():
        send()
        return hears(receiver, 1)
    return wait.until("a datagram", sent, COMES_S)


def silent(receiver):
    """Whether nothing comes."""
    return hears(receiver, QUIET_S) is None


def mapping(sender, receiver, address):
    """The address and port under which a receiver sees a sender."""
    sender.sendto(b"who am I", address)
    heard = hears(receiver)
    assert heard is not None, f"nothing came to {address}"
    return heard[1]


def lan(test, world):
    """A LAN"""
    _, (a, b, c) = world.lan(3)
    with test.step("hosts on one LAN reach each other by IPv4 and IPv6 at once"):
        for version in (4, 6):
            receiver = b.udp(b.address(version=version), 4000)
            seen = mapping(a.udp(a.address(version=version)), receiver,
                           (b.address(version=version), 4000))
            assert seen[0] == a.address(version=version), seen
    with test.step("hosts have distinct addresses"):
        assert len({host.address() for host in (a, b, c)}) == 3


def link_local(test, world):
    """A LAN without any address but link-local ones"""
    segment = world.segment("169.254.0.0/16")
    bare = world.segment()
    a, b = segment.join(world.host()), segment.join(world.host())
    bare.join(a, "eth1")
    bare.join(b, "eth1")
    group = "ff02::4d:61"
    for interface, name in (("eth0", "169.254 and fe80"), ("eth1", "fe80 alone")):
        with test.step(f"IPv6 multicast passes with {name}"):
            receiver = b.udp("::", 4100)
            with Inside(b.path):
                index = socket.if_nametoindex(interface)
            receiver.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                                socket.inet_pton(socket.AF_INET6, group) + struct.pack("@I", index))
            with Inside(a.path):
                index = socket.if_nametoindex(interface)
            sender = a.udp("::")
            sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
            heard = passes(lambda out=sender, at=index: out.sendto(b"beacon", (group, 4100, 0, at)),
                           receiver)
            receiver.close()
            assert heard[0] == b"beacon" and heard[1][0].startswith("fe80"), heard
    with test.step("IPv4 multicast passes with 169.254 addresses and no default route"):
        receiver = b.udp("", 4100)
        receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                            socket.inet_aton("239.255.77.77") + socket.inet_aton(b.address()))
        sender = a.udp(a.address())
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
                          socket.inet_aton(a.address()))
        heard = passes(lambda: sender.sendto(b"beacon", ("239.255.77.77", 4100)), receiver)
        assert heard[1][0] == a.address(), heard


def nat(test, world):
    """Two kinds of NAT"""
    public = world.public()
    s1, s2 = public.join(world.host("s")), public.join(world.host("s"))
    servers = [(host.udp(host.address(), 4000), (host.address(), 4000)) for host in (s1, s2)]
    cone, symmetric = world.nat(public, "cone"), world.nat(public, "symmetric", "192.168.2.0/24")
    x, y = cone.join(world.host("x")), symmetric.join(world.host("y"))
    inside = x.udp(x.address(), 5000)
    with test.step("the easy NAT shows one address and port to every destination"):
        seen = [mapping(inside, receiver, address) for receiver, address in servers]
        assert seen == [(cone.address, 5000)] * 2, seen
    with test.step("the hard NAT shows another port to each destination"):
        # Drawn by lot: two may be the same once, hardly three times.
        for number in (5000, 5001, 5002):
            hard = y.udp(y.address(), number)
            seen_hard = [mapping(hard, receiver, address) for receiver, address in servers]
            assert {host for host, _ in seen_hard} == {symmetric.address}, seen_hard
            if len({port for _, port in seen_hard} | {number}) == 3:
                break
        else:
            raise AssertionError(seen_hard)
    with test.step("what was asked for comes back in, what was not does not"):
        servers[0][0].sendto(b"answer", (cone.address, 5000))
        assert hears(inside)[0] == b"answer"
        s1.udp(s1.address(), 4001).sendto(b"intruder", (cone.address, 5000))
        assert silent(inside)
    with test.step("nobody outside reaches a private address by routing to it"):
        s1.shell(f"ip route add 192.168.1.0/24 via {cone.address}")
        s1.udp(s1.address(), 4002).sendto(b"intruder", (x.address(), 5000))
        assert silent(inside)
    with test.step("the router does not send its own people's packets back in"):
        neighbour = cone.join(world.host("x"))
        neighbour.udp(neighbour.address(), 5001).sendto(b"hairpin", (cone.address, 5000))
        assert silent(inside)
    two_sides(test, world, public, cone, inside)


def two_sides(test, world, public, cone, inside):
    """Two easy NATs can be punched through, an easy and a hard one cannot."""
    other = world.nat(public, "cone", "192.168.3.0/24")
    z = other.join(world.host("z"))
    far = z.udp(z.address(), 6000)
    with test.step("two easy NATs can be punched, also when one side knocks too early"):
        inside.sendto(b"early", (other.address, 6000))
        assert silent(far)
        far.sendto(b"late", (cone.address, 5000))
        assert hears(inside)[0] == b"late"
        inside.sendto(b"again", (other.address, 6000))
        assert hears(far)[0] == b"again"
    hard = world.nat(public, "symmetric", "192.168.4.0/24")
    w = hard.join(world.host("w"))
    closed = w.udp(w.address(), 6000)
    with test.step("a hard and an easy NAT cannot be punched with guessed ports"):
        closed.sendto(b"knock", (cone.address, 5000))
        inside.sendto(b"knock", (hard.address, 6000))
        closed.sendto(b"knock", (cone.address, 5000))
        assert silent(inside) and silent(closed)


def changes(test, world):
    """Changes while programs run"""
    segment, (a, b) = world.lan(2)
    sender, receiver = a.udp(), b.udp("0.0.0.0", 4000)
    target = (b.address(), 4000)
    for how, name in ((segment.cut, "silently"), (segment.unplug, "by its cable")):
        with test.step(f"a host cut off {name} hears nothing, and hears again when restored"):
            mapping(sender, receiver, target)
            how(a)
            try:
                sender.sendto(b"lost", target)
            except OSError:
                pass  # a pulled cable may say so at once
            assert silent(receiver)
            segment.restore(a)

            def arrives():
                sender.sendto(b"back", target)
                return not silent(receiver)
            wait.until("the cable works again", arrives, 5, passing=(OSError,))
    with test.step("a host that moves has its new address and reaches through its new router"):
        public = world.public()
        server = public.join(world.host("s"))
        listener = server.udp(server.address(), 4000)
        home, office = world.nat(public), world.nat(public, "cone", "192.168.9.0/24")
        laptop = home.join(world.host("laptop"))
        before = mapping(laptop.udp(), listener, (server.address(), 4000))
        home.leave(laptop)
        office.join(laptop)
        after = mapping(laptop.udp(), listener, (server.address(), 4000))
        assert (before[0], after[0]) == (home.address, office.address), (before, after)
        assert laptop.address().startswith("192.168.9."), laptop.address()
    with test.step("a small disk is as small as asked"):
        disk = world.small_disk("disk", "1m")
        try:
            (disk / "file").write_bytes(bytes(2 << 20))
        except OSError as error:
            assert error.errno == 28, error
        else:
            raise AssertionError("2 MiB fitted in one")


if __name__ == "__main__":
    tap.main(lan, link_local, nat, changes)
