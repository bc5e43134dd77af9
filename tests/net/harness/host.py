# SPDX-License-Identifier: MPL-2.0
"""A computer: a network namespace with interfaces, in which programs run."""

import socket
import subprocess

from .namespace import Inside
from .process import Process


class Host:
    """Owns its namespace; interfaces come and go with the segments it joins."""

    def __init__(self, world, name):
        self.world = world
        self.name = name
        self.path = f"/run/netns/{name}"
        self.addresses = {}  # interface: [address without prefix length]
        subprocess.run(["ip", "netns", "add", name], check=True)
        # Duplicate address detection would keep every new address unusable for a second.
        self.shell("ip link set lo up; cd /proc/sys/net/ipv6/conf;"
                   " for kind in all default; do echo 0 > $kind/accept_dad;"
                   " echo 0 > $kind/accept_ra; echo 0 > $kind/router_solicitations; done")

    def argv(self, *words):
        """The words that run a command here."""
        return ["nsenter", f"--net={self.path}", "--"] + [str(word) for word in words]

    def run(self, *words, check=True, **options):
        return subprocess.run(self.argv(*words), check=check, text=True, errors="replace",
                              stdin=subprocess.DEVNULL, capture_output=True, **options)

    def shell(self, script):
        done = self.run("sh", "-ec", script, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{self.name}: {script}: {done.stderr}")
        return done.stdout

    def spawn(self, name, *words, **options):
        """A process that runs here until the world ends."""
        process = Process(name, self.argv(*words), **options)
        self.world.processes.append(process)
        return process

    def udp(self, address="0.0.0.0", port=0, timeout=2):
        """A UDP socket that lives in this host."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with Inside(self.path):
            made = socket.socket(family, socket.SOCK_DGRAM)
        made.settimeout(timeout)
        made.bind((address, port))
        self.world.sockets.append(made)
        return made

    def tcp(self):
        """A TCP socket that lives in this host."""
        with Inside(self.path):
            made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.world.sockets.append(made)
        return made

    def address(self, interface="eth0", version=4):
        """The first address of an interface."""
        for text in self.addresses[interface]:
            if (":" in text) == (version == 6):
                return text
        raise KeyError(f"{self.name}: no IPv{version} address on {interface}")
