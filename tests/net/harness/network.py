# SPDX-License-Identifier: MPL-2.0
"""What joins computers: segments (a bridge), routers with NAT, and single bad lines."""

import ipaddress
import json
import subprocess

from . import wait

OFFLOADS_OFF = "ethtool -K {0} rx off tx off sg off tso off gso off gro off >/dev/null 2>&1 || true"


def _core(*commands):
    """`ip` commands in the core namespace, where bridges and emulators are."""
    subprocess.run(["ip", "-batch", "-"], input="\n".join(commands) + "\n", text=True, check=True,
                   capture_output=True)


def _pair(world, host, interface):
    """A cable from a host's interface to the core; returns the name of the core's end."""
    port = world.unique("p")
    _core(f"link add name {port} type veth peer name {interface} netns {host.name}",
          f"link set {port} up")
    host.shell(OFFLOADS_OFF.format(interface) + f"; ip link set {interface} up")
    return port


def _number(host, interface, addresses):
    """Gives an interface its addresses."""
    host.addresses[interface] = [text.split("/")[0] for text in addresses]
    for text in addresses:
        nodad = " nodad" if ":" in text else ""
        host.shell(f"ip addr add {text} dev {interface}{nodad}")


class Segment:
    """One Ethernet. Hosts on it get the next addresses of its networks, if it has any."""

    def __init__(self, world, ipv4=None, ipv6=None):
        self.world = world
        self.bridge = world.unique("br")
        self.networks = [ipaddress.ip_network(text) for text in (ipv4, ipv6) if text]
        self.next = 1
        self.ports = {}
        # Without a querier snooping would soon hold back multicast nobody asked for twice.
        _core(f"link add name {self.bridge} type bridge mcast_snooping 0",
              f"link set {self.bridge} up")

    def join(self, host, interface="eth0", gateway=None, number=None):
        """Plugs a host in; a gateway becomes its default route. Returns the host."""
        number = number or self.next
        self.next = max(self.next, number) + 1
        port = _pair(self.world, host, interface)
        _core(f"link set {port} master {self.bridge}")
        self.ports[host.name, interface] = port
        _number(host, interface,
                [f"{network[number]}/{network.prefixlen}" for network in self.networks])
        if gateway is not None:
            host.shell(f"ip route add default via {gateway}")
        return host

    def leave(self, host, interface="eth0"):
        """Unplugs a host and takes the interface away, as when a laptop changes networks."""
        _core(f"link del {self.ports.pop((host.name, interface))}")
        host.addresses.pop(interface, None)

    def cut(self, host, interface="eth0"):
        """Loses everything to and from the host, which sees its cable still plugged in."""
        subprocess.run(["bridge", "link", "set", "dev", self.ports[host.name, interface],
                        "state", "0"], check=True)

    def unplug(self, host, interface="eth0"):
        """Pulls the cable: the host sees it."""
        _core(f"link set {self.ports[host.name, interface]} down")

    def restore(self, host, interface="eth0"):
        """Heals either."""
        port = self.ports[host.name, interface]
        _core(f"link set {port} up")
        # The kernel may need a moment to see the cable; until then it refuses.
        forward = ["bridge", "link", "set", "dev", port, "state", "3"]
        wait.until(f"{port} to forward again",
                   lambda: subprocess.run(forward, capture_output=True, check=True),
                   passing=(subprocess.CalledProcessError,))


# What comes unasked from outside is dropped before the connection table notes it: noted, it
# would take the very mapping that a host inside is about to need.
NAT_RULES = """
table inet nat {{
  chain post {{ type nat hook postrouting priority srcnat; oifname "eth0" masquerade {how}; }}
  chain input {{ type filter hook input priority filter; policy accept;
    iifname "eth0" ct state new drop; }}
  chain forward {{ type filter hook forward priority filter; policy drop;
    ct state established,related accept; iifname "eth1" oifname "eth0" accept; }}
}}
"""
NAT_KINDS = {
    "cone": "",  # keeps the port: one mapping for all destinations; filters by address and port
    "symmetric": "random,fully-random",  # a new port for each destination
}


class Nat:
    """A home router: one public address, a private segment behind it, no hairpin."""

    def __init__(self, world, public, kind="cone", inside="192.168.1.0/24"):
        self.router = world.host("nat")
        public.join(self.router, "eth0")
        self.inside = Segment(world, inside)
        self.inside.join(self.router, "eth1")
        self.router.shell("echo 1 > /proc/sys/net/ipv4/ip_forward")
        self.router.run("nft", "add table inet nat")
        rules = NAT_RULES.format(how=NAT_KINDS[kind])
        self.router.shell(f"nft -f - <<'END'\n{rules}\nEND")

    @property
    def address(self):
        return self.router.address("eth0")

    def join(self, host, interface="eth0"):
        """A host behind this router."""
        return self.inside.join(host, interface, gateway=self.router.address("eth1"))

    def leave(self, host, interface="eth0"):
        self.inside.leave(host, interface)


class Line:
    """A bad line between two hosts, played by the emulator."""

    def __init__(self, world, a, b, profile=None, seed=1, settings=(), commands=(), log=None,
                 interface="eth0", ipv4="10.77.0.0/24", ipv6="fd77::/64"):
        ports = []
        for number, host in ((1, a), (2, b)):
            ports.append(_pair(world, host, interface))
            _number(host, interface,
                    [f"{ipaddress.ip_network(net)[number]}/{net.split('/')[1]}"
                     for net in (ipv4, ipv6) if net])
        argv = [world.emulator, "--a", ports[0], "--b", ports[1], "--seed", str(seed)]
        argv += ["--profile", profile] if profile else []
        argv += [word for text in settings for word in ("--set", text)]
        argv += [word for text in commands for word in ("--do", text)]
        argv += ["--log", str(log)] if log else []
        self.process = world.spawn("emulator", argv, stdin=subprocess.PIPE)
        self.process.line("ready")

    def command(self, text):
        """One command, and its answer in one line."""
        seen = len(self.process.lines)
        self.process.tell(text)
        answer = self.process.line("", after=seen)
        if answer.startswith("error"):
            raise ValueError(f"{text}: {answer}")
        return answer

    def stats(self, reset=False):
        return json.loads(self.command("reset" if reset else "stats"))

    def passed(self):
        """How many packets went in; None while there is one that did not come out or was dropped."""
        stats = self.stats()
        lanes = stats["a>b"], stats["b>a"]
        gone = sum(lane["delivered"] - lane["duplicated"] + sum(lane["dropped"].values())
                   for lane in lanes)
        count = sum(lane["packets"] for lane in lanes)
        return count if gone == count else None
