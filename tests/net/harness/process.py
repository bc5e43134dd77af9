# SPDX-License-Identifier: MPL-2.0
"""A child process whose lines are kept, and which never outlives the test."""

import signal
import subprocess
import threading

from . import wait


class Process:
    """Runs until it ends or is ended; its output is kept line by line."""

    def __init__(self, name, argv, environment=None, stdin=subprocess.DEVNULL):
        self.name = name
        self.argv = argv
        self.lines = []
        self.child = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--"] + argv, stdin=stdin, env=environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.child.stdout:
            self.lines.append(line.rstrip("\n"))
            wait.stir()
        wait.stir()

    @property
    def pid(self):
        return self.child.pid

    def running(self):
        return self.child.poll() is None

    def line(self, prefix, timeout=20, after=0):
        """The first line beginning so, from the given line on; an early end is an error."""
        def find():
            for text in self.lines[after:]:
                if text.startswith(prefix):
                    return text
            if not self.running() and not self.reader.is_alive():
                raise RuntimeError(f"{self.name} ended with {self.child.returncode} before it"
                                   f" said `{prefix}`:\n" + "\n".join(self.lines[-20:]))
            return None
        return wait.until(f"`{prefix}` from {self.name}", find, timeout)

    def tell(self, line):
        self.child.stdin.write(line + "\n")
        self.child.stdin.flush()

    def send(self, number):
        if self.running():
            self.child.send_signal(number)

    def end(self, number=signal.SIGTERM, timeout=30):
        """Ends it and returns its exit status; what does not obey is killed, and that is -9."""
        self.send(number)
        try:
            self.child.wait(timeout * wait.PATIENCE)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        self.reader.join(5)
        return self.child.returncode

    def children(self):
        """Process ids of its direct children, with their command lines."""
        try:
            with open(f"/proc/{self.pid}/task/{self.pid}/children", encoding="ascii") as file:
                pids = [int(word) for word in file.read().split()]
        except OSError:
            return {}
        found = {}
        for pid in pids:
            try:
                with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
                    found[pid] = file.read().replace("\0", " ").strip()
            except OSError:
                continue
        return found
