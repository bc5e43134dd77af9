# SPDX-License-Identifier: MPL-2.0
"""What the page costs, measured in Chromium with real nodes (measure.mjs): rows of the table."""

import json
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile

from table import Row, Unable, program

MEASURE = pathlib.Path(__file__).resolve().parent / "measure.mjs"
WHOLE = (250, 5000)  # members, messages
QUICK = (40, 1000)
WAIT_S = 1500

PAGE_GOAL_KB = 120
OPEN_GOAL_MS = 500
FRAME_GOAL_MS = 50
HEAR_GOAL_MS = 100


def _measured(members, messages):
    program("MAILLON_BIN", "the node")
    modules = pathlib.Path(os.environ.get("MAILLON_PAGE_MODULES", ""))
    if not shutil.which("node") or not (modules / "playwright-core").is_dir():
        raise Unable("node or the npm modules of the page are not there")
    if not shutil.which("chromium"):
        raise Unable("there is no Chromium")
    with tempfile.TemporaryDirectory() as shots:
        done = subprocess.run(
            ["node", str(MEASURE), str(members), str(messages)], check=True, timeout=WAIT_S,
            stdout=subprocess.PIPE, env={**os.environ, "MAILLON_PAGE_SHOTS": shots})
    return json.loads(done.stdout)


def _kb(size):
    return f"{size / 1000:.0f} KB"


def _frame(name, seen):
    # Frames below 50 ms are not told.
    work = f"{seen['work_ms']:.0f} ms" if seen["work_ms"] else "under 50 ms"
    beside = f"{seen['frame_ms']:.0f} ms between frames, {seen['over']} of {seen['count']} over 50"
    return Row(name, work, f"no frame over {FRAME_GOAL_MS} ms", beside,
               seen["work_ms"] <= FRAME_GOAL_MS)


def _median(name, values_ms, goal_ms, beside=""):
    middle = statistics.median(values_ms)
    value = f"{middle:.0f} ms ({min(values_ms):.0f}…{max(values_ms):.0f})"
    return Row(name, value, f"{goal_ms} ms", beside, middle <= goal_ms)


def figure(quick):
    def page(_world):
        seen = _measured(*(QUICK if quick else WHOLE))
        full = f"{seen['members']} members, {seen['messages']} messages"
        later = f"later: QR {_kb(seen['qr_bytes'])}, PDF {_kb(seen['viewer_bytes'])}"
        return [
            Row("page, gzip", _kb(seen["page_bytes"]), f"{PAGE_GOAL_KB} KB", later,
                seen["page_bytes"] <= PAGE_GOAL_KB * 1000),
            _median("open to usable", seen["open_ms"], OPEN_GOAL_MS,
                    f"{seen['open_full_ms']:.0f} ms with {full}"),
            _frame("typing", seen["typing"]),
            _frame("scrolling", seen["scrolling"]),
            _frame("typing while a peer's come in", seen["busy"]),
            _median("heard from a peer", seen["hear_ms"], HEAR_GOAL_MS),
            _median("the same, all of it there", seen["hear_full_ms"], HEAR_GOAL_MS),
        ]
    return page
