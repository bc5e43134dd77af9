# SPDX-License-Identifier: MPL-2.0
"""The namespaces a test program lives in: entered once, before anything else."""

import ctypes
import os
import shutil
import subprocess
import sys

INSIDE = "MAILLON_NET_INSIDE"
CLONE_NEWNET = 0x40000000
NEEDED = ("unshare", "nsenter", "setpriv", "mount", "ip", "bridge", "nft", "ethtool")

# With a process namespace of its own nothing can outlive the test, however it dies. Where /proc
# may not be mounted again, do without: children are tied to their parent one by one as well.
WAYS = (
    ["unshare", "-Urnm", "--pid", "--fork", "--kill-child", "--mount-proc"],
    ["unshare", "-Urnm"],
)

# Everything that the harness asks of a kernel.
TRIAL = """
mount -t tmpfs none /run
ip link add name br0 type bridge
ip link add v0 type veth peer name v1
cd /proc/sys/net/ipv6/conf
nft -f - <<END
table inet trial {
  chain post { type nat hook postrouting priority srcnat; masquerade random,fully-random; }
  chain input { type filter hook input priority filter; ct state new drop; }
}
END
"""

libc = ctypes.CDLL(None, use_errno=True)


def _search_path():
    """Network tools live in sbin, which is not on every person's path."""
    paths = os.environ.get("PATH", "/usr/bin:/bin").split(":")
    return ":".join(paths + [p for p in ("/usr/sbin", "/sbin") if p not in paths])


def enter(skip_all):
    """Starts the running program again inside; returns only when inside."""
    os.environ["PATH"] = _search_path()
    if os.environ.get(INSIDE) == "1":
        _furnish()
        return
    missing = [tool for tool in NEEDED if shutil.which(tool) is None]
    if missing:
        skip_all("these tools are missing: " + ", ".join(missing))
    os.environ[INSIDE] = "1"
    reason = ""
    for way in WAYS:
        trial = subprocess.run(
            way + ["sh", "-ec", TRIAL],
            capture_output=True, text=True, check=False)
        if trial.returncode == 0:
            os.execvp(way[0], way + [sys.executable] + sys.argv)
        reason = trial.stderr.strip().splitlines()[-1:] or ["no reason given"]
    skip_all("this system forbids network namespaces: " + reason[0])


def _furnish():
    """Makes /run ours, for `ip netns`, and the core namespace a silent one."""
    run = ["mount", "-t", "tmpfs", "none", "/run"]
    subprocess.run(run, check=True)
    os.mkdir("/run/netns")
    for kind in ("all", "default"):
        with open(f"/proc/sys/net/ipv6/conf/{kind}/disable_ipv6", "w", encoding="ascii") as file:
            file.write("1")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


class Inside:
    """While held, this thread creates its sockets in a network namespace."""

    def __init__(self, path):
        self.path = path
        self.home = -1

    @staticmethod
    def _move(descriptor):
        if libc.setns(descriptor, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")

    def __enter__(self):
        self.home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(self.path, os.O_RDONLY)
        try:
            self._move(there)
        finally:
            os.close(there)

    def __exit__(self, *_):
        self._move(self.home)
        os.close(self.home)
