# SPDX-License-Identifier: MPL-2.0
"""Tests of one node that need no network: each in a folder of its own, the program named first."""

import contextlib
import json
import os
import pathlib
import select
import signal
import subprocess
import sys
import tempfile
import traceback

PROGRAM = sys.argv[1]
WAIT_S = 60


class Node:
    """A home, and perhaps a process on it, which is spoken to in English where nothing is said."""

    def __init__(self, home):
        self.home = home
        self.environment = {**os.environ, "LC_ALL": "C.UTF-8", "XDG_RUNTIME_DIR": str(home.parent)}
        self.process = None
        self.ready = None

    def _speaking(self, language):
        return {**self.environment, "LC_ALL": language or self.environment["LC_ALL"]}

    def start(self, *options, language=None):
        """Starts and returns the line `ready`."""
        self.process = subprocess.Popen(
            [PROGRAM, "start", "--home", self.home, "--no-media", *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env=self._speaking(language))
        assert select.select([self.process.stdout], [], [], WAIT_S)[0], "not ready in time"
        self.ready = self.process.stdout.readline().strip()
        return self.ready

    def end(self, number=signal.SIGTERM):
        """Asks it to end, or makes it; its status."""
        self.process.send_signal(number)
        status = self.process.wait(WAIT_S)
        self.process.stdout.close()
        return status

    def command(self, *words, language=None, options=("--json",)):
        return subprocess.run([PROGRAM, "--home", self.home, *options, *map(str, words)],
                              check=False, capture_output=True, text=True, timeout=WAIT_S,
                              stdin=subprocess.DEVNULL, env=self._speaking(language))

    def run(self, *words):
        done = self.command(*words)
        assert done.returncode == 0, (words, done.returncode, done.stderr)
        return json.loads(done.stdout)

    def refused(self, *words, status=1, language=None):
        done = self.command(*words, language=language)
        assert done.returncode == status, (words, done.returncode, done.stdout, done.stderr)
        assert done.stderr.strip() and not done.stdout, (words, done.stdout)
        return done.stderr.strip()


@contextlib.contextmanager
def running(made, *options, language=None):
    """It runs meanwhile, and ends cleanly."""
    made.start("--name", "Zoé", *options, language=language)
    try:
        yield made
        assert made.end() == 0
    finally:
        if made.process.poll() is None:
            made.end(signal.SIGKILL)


def main(*tests):
    """Runs the tests, or those whose names are arguments; never returns."""
    tests = [test for test in tests if not sys.argv[2:] or test.__name__ in sys.argv[2:]]
    failed = 0
    print(f"1..{len(tests)}", flush=True)
    for number, test in enumerate(tests, 1):
        with tempfile.TemporaryDirectory(prefix="maillon-alone-") as place:
            try:
                test(pathlib.Path(place))
                print(f"ok {number} - {test.__doc__}", flush=True)
            except Exception as error:  # pylint: disable=broad-except
                failed += 1
                text = "".join(traceback.format_exception(error)).rstrip().replace("\n", "\n# ")
                print(f"not ok {number} - {test.__doc__}\n# {text}", flush=True)
    sys.exit(1 if failed else 0)
