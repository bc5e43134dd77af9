# SPDX-License-Identifier: MPL-2.0
"""Waiting for something to become true, woken by whatever the programs under test print."""

import threading
import time

_activity = threading.Condition()
_thread = threading.local()
_POLL_S = 0.1

# Times to wait are those of an idle machine, with some reserve; on a busy one all take longer.
PATIENCE = 3


class Timeout(AssertionError):
    """What was waited for did not happen."""


def stir():
    """Something happened: whoever waits looks again."""
    with _activity:
        _activity.notify_all()


def looking():
    """Whether this is asked again and again, by somebody who waits."""
    return getattr(_thread, "looking", False)


def _look(predicate):
    before, _thread.looking = looking(), True
    try:
        return predicate()
    finally:
        _thread.looking = before


def until(what, predicate, timeout=20, passing=(), patience=PATIENCE):
    """
    Returns the first true value of the predicate. Looks again after each line a program prints
    and at least ten times a second. Exceptions of the kinds in `passing` count as "not yet".
    `patience`: how many times as long it is given; 1 where the time itself is what is measured.
    """
    timeout *= patience
    deadline = time.monotonic() + timeout
    last = None
    while True:
        try:
            last = _look(predicate)
            if last:
                return last
        except passing as error:
            last = error
        left = deadline - time.monotonic()
        if left <= 0:
            raise Timeout(f"waited {timeout} s for: {what}; last seen: {last!r}")
        with _activity:
            _activity.wait(min(_POLL_S, left))


def still(what, look, calm_s=3, timeout=20):
    """Until what is looked at has not changed for so long: longer than anything takes to be told."""
    seen = [None, 0.0]

    def calm():
        value, now = look(), time.monotonic()
        if value != seen[0]:
            seen[:] = value, now
        return now - seen[1] >= calm_s
    until(f"{what} to stand still", calm, timeout)
    return seen[0]
