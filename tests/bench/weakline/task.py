# SPDX-License-Identifier: MPL-2.0
"""One measurement on one line, in namespaces of its own; its result is one line of JSON."""

import dataclasses
import json
import threading
import time

from harness import wait
from harness.world import World

from table import Unable

from .lines import LINES, document_size

RESULT = "result "
GIVE_UP_S = 240  # a document that has not arrived by then has not finished


@dataclasses.dataclass
class Task:
    """What is measured, where, with which dice, and how long."""
    name: str
    line: str
    seed: int = 1
    quick: bool = False

    @property
    def numbers(self):
        return LINES[self.line]

    @property
    def document_s(self):
        """How long a document fills the line."""
        return 15 if self.quick else 50

    @property
    def document_bytes(self):
        return document_size(self.line, self.document_s)

    @property
    def beside_s(self):
        """How long everything flows at once."""
        return 30 if self.quick else 80

    @property
    def words(self):
        return [self.name, self.line, str(self.seed), "quick" if self.quick else "whole"]

    @classmethod
    def of_words(cls, words):
        name, line, seed, quick = words
        return cls(name, line, int(seed), quick == "quick")

    def __str__(self):
        return f"{self.line} {self.name}" + (f" (seed {self.seed})" if self.seed > 1 else "")


def pass_time(seconds):
    """What is measured over a period takes that period."""
    threading.Event().wait(max(seconds, 0))


def comes(what, predicate, seconds, passing=()):
    """Waits so long at most, whatever else the machine does; when it came, or None."""
    try:
        wait.until(what, predicate, seconds, passing, patience=1)
    except wait.Timeout:
        return None
    return time.monotonic()


def emulated(world, task, **options):
    """Two hosts and their line, whose packets are written down; returns (a, b, line, log path)."""
    a, b = world.host("a"), world.host("b")
    log = world.directory / "log.csv"
    line = world.line(a, b, task.line, seed=task.seed, log=log, **options)
    return a, b, line, log


def votes(send, seconds, every_s=2.0):
    """Calls `send(number)` every so often for so long; returns when each was begun."""
    begun = time.monotonic()
    moments = []
    while time.monotonic() < begun + seconds:
        moments.append(time.monotonic())
        send(len(moments) - 1)
        pass_time(begun + len(moments) * every_s - time.monotonic())
    return moments


def perform(task, function):
    """Runs it in a world and prints the result; True when there is one."""
    with World() as world:
        try:
            result = function(world, task)
        except Unable as reason:
            result = {"unable": str(reason)}
        except BaseException:
            print(world.logs(), flush=True)
            raise
    print(RESULT + json.dumps(result), flush=True)
