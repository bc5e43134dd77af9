# SPDX-License-Identifier: MPL-2.0
"""Reports steps in the Test Anything Protocol and runs the scenarios they belong to."""

import contextlib
import os
import signal
import sys
import traceback

from . import namespace
from .node import Refused
from .processor import Watch
from .world import World


class ScenarioOver(Exception):
    """A needed step failed: what follows in this scenario would only fail for the same reason."""


class Tap:
    """Counts steps and prints one line for each."""

    def __init__(self):
        self.count = 0
        self.failed = 0
        self.world = None
        self.watch = Watch()

    def line(self, ok, name, directive=""):
        self.count += 1
        self.failed += not ok
        print(f"{'ok' if ok else 'not ok'} {self.count} - {name}{directive}", flush=True)

    def note(self, text):
        for line in str(text).splitlines():
            print("# " + line, flush=True)

    def skip(self, name, reason):
        self.line(True, name, f" # SKIP {reason}")

    def _failure(self, name, error):
        self.line(False, name)
        self.note("".join(traceback.format_exception(error)))
        if self.world is not None:
            self.note(self.world.logs())

    @contextlib.contextmanager
    def step(self, name):
        """One tested fact. After a failure the scenario goes on."""
        try:
            yield
        except Exception as error:  # pylint: disable=broad-except
            self._failure(name, error)
        else:
            self.line(True, name)

    @contextlib.contextmanager
    def timely(self, name, needed=False):
        """
        One tested fact that shows only where there is a processor when one is needed. Where others
        had taken it, and it was not seen however often it was tried, that is said, nothing judged.
        `needed`: unseen, the rest of the scenario says nothing.
        """
        before = self.watch.mark()
        try:
            yield
        except Exception as error:  # pylint: disable=broad-except
            judged = isinstance(error, (AssertionError, Refused))
            taken = self.watch.taken(before) if judged else ""
            if taken:
                self.note(error)
                self.skip(name, taken)
            else:
                self._failure(name, error)
            if needed:
                raise ScenarioOver(name) from error
        else:
            self.line(True, name)

    @contextlib.contextmanager
    def need(self, name):
        """One tested fact without which the rest of the scenario says nothing."""
        before = self.failed
        with self.step(name):
            yield
        if self.failed > before:
            raise ScenarioOver(name)

    def scenario(self, function):
        """Runs one scenario in a world of its own, taken down whatever happens."""
        title = (function.__doc__ or function.__name__).strip().splitlines()[0].rstrip(".")
        self.note(title)
        with World() as self.world:
            try:
                function(self, self.world)
            except ScenarioOver:
                pass
            except Exception as error:  # pylint: disable=broad-except
                self._failure(f"{title}: prepared", error)
            except SystemExit:
                self.note(f"{title}: not ended in time, after step {self.count}. Until then:\n"
                          + self.world.logs())
                raise
            faults = self.world.faults()
            if faults is not None:
                self.line(not faults, f"{title}: no program reported a fault of its own")
                self.note("\n".join(faults))
        self.world = None


def skip_all(reason):
    """Says why nothing can be tested here, and ends."""
    print(f"1..0 # SKIP {reason}", flush=True)
    sys.exit(0)


def _terminated(_number, _frame):
    raise SystemExit("stopped by a signal")


def _is_wanted(name, words):
    """Whether a name contains one of the words, and none of those that begin with a minus."""
    wanted = [word for word in words if not word.startswith("-")]
    return (not any(word[1:] in name for word in words if word.startswith("-"))
            and (not wanted or any(word in name for word in wanted)))


def main(*scenarios):
    """Runs scenarios inside the namespaces: those that the arguments want, or all of them."""
    namespace.enter(skip_all)
    signal.signal(signal.SIGTERM, _terminated)
    signal.signal(signal.SIGINT, _terminated)
    tap = Tap()
    for scenario in scenarios:
        if _is_wanted(scenario.__name__, sys.argv[1:]):
            tap.scenario(scenario)
    print(f"1..{tap.count}", flush=True)
    sys.exit(1 if tap.failed else 0)


def need_environment(name, what):
    """The path in an environment variable, or a skip that says what is missing."""
    path = os.environ.get(name, "")
    if not path or not os.access(path, os.X_OK):
        skip_all(f"{what} is not there ({name})")
    return path
