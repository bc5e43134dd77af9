# SPDX-License-Identifier: MPL-2.0
"""The figure `weakline`: begins every task in namespaces of its own, several at a time."""

import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import time

from harness import namespace

from . import rows, tasks
from .lines import LINES
from .task import RESULT, Task

RUN = pathlib.Path(__file__).resolve().parent.parent / "run"
AT_ONCE = 10  # the lines are slow: all together they hardly keep one core busy
LIMIT_S = 700
# Where chance decides most: a document where most is lost, all at once where the line goes.
SEEDS = (1, 2, 3)


def _plan(profiles, quick):
    """Every task, ours first."""
    found = []
    for line in profiles or LINES:
        steady = line != "W5"
        names = ["document"] + (["beside", "knock"] if steady else [])
        names += {"W1": ["step", "step-voice"], "W2": ["rest"]}.get(line, [])
        names += [name for name in tasks.RIVALS if steady or name.startswith("document")]
        found += [Task(name, line, 1, quick) for name in names]
        if line == "W4" and not quick:
            found += [Task(name, line, seed, quick) for seed in SEEDS[1:]
                      for name in ("document", "document-cubic", "document-bbr")]
        if line == "W3" and not quick:
            found += [Task("beside", line, seed, quick) for seed in SEEDS[1:]]
    # The longest first, so that none is waited for alone.
    order = ("rest", "beside", "knock", "step", "document")
    return sorted(found, key=lambda task: (task.name not in tasks.OURS,
                                           order.index(task.name.partition("-")[0])
                                           if task.name.partition("-")[0] in order else 9))


def _perform(task):
    environment = {name: value for name, value in os.environ.items() if name != namespace.INSIDE}
    try:
        done = subprocess.run([sys.executable, str(RUN), "--task", *task.words], check=False,
                              env=environment, text=True, errors="replace", timeout=LIMIT_S,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output = done.stdout
    except subprocess.TimeoutExpired as error:
        output = f"{error.stdout or ''}\nnot over after {LIMIT_S} s"
    for text in reversed(output.splitlines()):
        if text.startswith(RESULT):
            return json.loads(text[len(RESULT):])
    return {"failed": output}


def _told(task, result, begun):
    """One line about a task that is over, so that somebody waiting sees that something happens."""
    if "failed" in result:
        print(f"  {task}: failed\n{result['failed']}", flush=True)
    else:
        shown = {key: round(value, 3) if isinstance(value, float) else value
                 for key, value in result.items() if not isinstance(value, (list, dict))}
        print(f"  {time.monotonic() - begun:4.0f} s  {task}: {shown}", flush=True)


def weakline(profiles, quick):
    """The figure, for some lines or all."""
    def measure(_world):
        begun = time.monotonic()
        results = {}
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            waiting = {pool.submit(_perform, task): task for task in _plan(profiles, quick)}
            for future in concurrent.futures.as_completed(waiting):
                task = waiting[future]
                results[task.name, task.line, task.seed] = future.result()
                _told(task, future.result(), begun)
        return rows.table(results, profiles or LINES)
    measure.__name__ = "weakline"
    return measure
