# SPDX-License-Identifier: MPL-2.0
"""Everything one scenario builds: hosts, networks, processes, files; gone when it ends."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile

from .host import Host
from .network import Line, Nat, Segment
from .process import Process

# What a program prints when it has found a fault in itself.
FAULT = re.compile(r"AddressSanitizer|LeakSanitizer|UndefinedBehaviorSanitizer|runtime error:"
                   r"|CRITICAL \*\*|Assertion .* failed|assertion failed|core dumped")
LOG_LINES = 40


class World:
    """A context manager: whatever was begun inside is ended, unmounted and removed after."""

    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="maillon-net-"))
        self.emulator = os.environ.get("MAILLON_EMULATOR", "")
        self.hosts = []
        self.processes = []
        self.sockets = []
        self.mounts = []
        self.closers = []
        self.numbers = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.send(signal.SIGKILL)
        for process in self.processes:
            process.end(signal.SIGKILL)
        for made in self.sockets:
            made.close()
        for mount in reversed(self.mounts):
            subprocess.run(["umount", "--lazy", str(mount)], check=False)
        for host in self.hosts:
            subprocess.run(["ip", "netns", "del", host.name], check=False)
        _delete_links()
        shutil.rmtree(self.directory, ignore_errors=True)

    def unique(self, stem):
        self.numbers[stem] = self.numbers.get(stem, 0) + 1
        return f"{stem}{self.numbers[stem]}"

    def host(self, name=None):
        host = Host(self, self.unique(name or "host"))
        self.hosts.append(host)
        return host

    def segment(self, ipv4=None, ipv6=None):
        return Segment(self, ipv4, ipv6)

    def lan(self, count, ipv4="10.1.0.0/24", ipv6="fd01::/64"):
        """One segment with as many hosts on it."""
        segment = self.segment(ipv4, ipv6)
        return segment, [segment.join(self.host()) for _ in range(count)]

    def public(self):
        """The segment that stands for the Internet."""
        return self.segment("203.0.113.0/24", "2001:db8::/64")

    def nat(self, public, kind="cone", inside="192.168.1.0/24"):
        return Nat(self, public, kind, inside)

    def line(self, a, b, profile=None, **options):
        return Line(self, a, b, profile, **options)

    def spawn(self, name, argv, **options):
        """A process in the core namespace."""
        process = Process(name, argv, **options)
        self.processes.append(process)
        return process

    def small_disk(self, name, size):
        """A directory on a file system of its own, of this many bytes."""
        path = self.directory / name
        path.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(path)],
                       check=True)
        self.mounts.append(path)
        return path

    def logs(self):
        """The last lines of every process, for a report of a failure."""
        texts = []
        for process in self.processes:
            texts.append(f"--- {process.name}: {' '.join(process.argv[-8:])}")
            texts += process.lines[-LOG_LINES:]
        return "\n".join(texts)

    def faults(self):
        """Lines in which a program reports a fault of its own; None if no program ran."""
        if not self.processes:
            return None
        return [f"{process.name}: {line}" for process in self.processes
                for line in process.lines if FAULT.search(line)]


def _delete_links():
    """Bridges and cable ends left in the core namespace."""
    shown = subprocess.run(["ip", "-o", "link", "show"], capture_output=True, text=True,
                           check=False).stdout
    for line in shown.splitlines():
        name = line.split(":")[1].strip().split("@")[0]
        if name != "lo":
            subprocess.run(["ip", "link", "del", name], check=False, capture_output=True)
