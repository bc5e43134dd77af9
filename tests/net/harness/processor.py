# SPDX-License-Identifier: MPL-2.0
"""
How long the programs of a test waited for a processor, and how much of it others used meanwhile, as
the kernel counts both; and how often the whole machine stood still, which no kernel counts. In the
namespaces of a test /proc shows its own processes and no others.
"""

import glob
import os
import threading
import time

_TICK_S = 0.05
_LOOK_S = 0.5
_STILL_S = 0.2  # so much later than a tick was due: nothing ran
_STILL_EACH_S = 10  # that often, something that is watched for as long seldom goes well
_WAITED_LEAST = 0.1  # seconds that a program's threads waited, each second; hardly any when idle
_OTHERS_LEAST = 0.25  # of all processors


class Watch:
    """Looks again and again, since what a thread is counted for is gone with it."""

    def __init__(self):
        self._lock = threading.Lock()
        self._threads = {}  # by path: nanoseconds run and waited, when last seen
        self._run_s = self._waited_s = 0.0
        self._stills, self._still_s = 0, 0.0
        self.look()
        self._never = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self):
        ticked = looked = time.monotonic()
        while not self._never.wait(_TICK_S):
            late_s = time.monotonic() - ticked - _TICK_S
            if late_s > _STILL_S:
                self._stills += 1
                self._still_s += late_s
            if time.monotonic() - looked >= _LOOK_S:
                self.look()
                looked = time.monotonic()
            ticked = time.monotonic()

    def look(self):
        with self._lock:
            seen = {}
            for path in glob.glob("/proc/[0-9]*/task/[0-9]*/schedstat"):
                try:
                    with open(path, encoding="ascii") as file:
                        seen[path] = [int(word) for word in file.read().split()[:2]]
                except (OSError, ValueError):
                    continue  # it ended meanwhile
            for path, (run, waited) in seen.items():
                before = self._threads.get(path, (0, 0))
                self._run_s += max(run - before[0], 0) / 1e9
                if not path.startswith(f"/proc/{os.getpid()}/"):
                    self._waited_s += max(waited - before[1], 0) / 1e9
            self._threads = seen

    def mark(self):
        """Now: seconds gone by, waited for a processor, run by others, times and seconds stood still."""
        self.look()
        with open("/proc/stat", encoding="ascii") as file:
            ticks = [int(word) for word in file.readline().split()[1:9]]
        # Neither idle nor waiting for a disk; what a hypervisor took is there too. Of our own the
        # commands that a test runs are counted when they end.
        used_s = (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")
        times = os.times()
        own_s = self._run_s + times.children_user + times.children_system
        return time.monotonic(), self._waited_s, used_s - own_s, self._stills, self._still_s

    def taken(self, before):
        """Why what depends on the machine's speed could not be seen since then, or nothing."""
        gone_s, waited_s, others_s, stills, still_s = (
            now - then for now, then in zip(self.mark(), before))
        if stills >= max(1, gone_s / _STILL_EACH_S):
            return f"the machine stood still {stills} times in {gone_s:.0f} s, {still_s:.1f} s in all"
        others = others_s / gone_s / os.cpu_count()
        if waited_s < _WAITED_LEAST * gone_s or others < _OTHERS_LEAST:
            return ""
        return (f"other programs used {others:.0%} of the processors for {gone_s:.0f} s, in which"
                f" those of the test waited {waited_s:.0f} s for one")
