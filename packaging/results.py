# SPDX-License-Identifier: MPL-2.0
"""Reads what meson's tests said, step by step, and adds it up."""

import json
import re
import subprocess

TAIL_LINES = 60
FAILURE_LINES = 150  # after a failed step, and a few before it: programs say why before or after
BEFORE_LINES = 12
FAILURES_LINES = 400
_POINT = re.compile(
    r"^(?P<ok>ok|not ok)\b\s*(?P<number>\d+)?\s*(?:-\s*)?(?P<text>[^#]*)"
    r"(?:#\s*(?P<directive>SKIP|TODO)\w*\s*(?P<reason>.*))?", re.IGNORECASE)
_PLAN = re.compile(r"^1\.\.(?P<count>\d+)\s*(?:#\s*SKIP\w*\s*(?P<reason>.*))?", re.IGNORECASE)
_PROGRESS = re.compile(r"^\s*\d+/\d+ ")
_MEMORY = re.compile(r"Sanitizer:|runtime error:")
_GOOD = ("OK", "EXPECTEDFAIL")


def is_progress(line):
    """Is this meson's line about one test that ended?"""
    return _PROGRESS.match(line) is not None


def choose(directory, suites, without, filters):
    """The tests in any of these suites (all when empty), in none of those, and filtered: name -> its suites."""
    shown = subprocess.run(["meson", "introspect", "--tests", str(directory)], check=True,
                           capture_output=True, text=True)
    names = {}
    for test in json.loads(shown.stdout):
        belongs = {suite.rpartition(":")[2] for suite in test["suite"]}
        if suites and not belongs & set(suites) or belongs & set(without):
            continue
        known = ["/".join((suite, test["name"])) for suite in belongs]
        if filters and not any(word in name for word in filters for name in known):
            continue
        names[test["name"]] = belongs
    return names


def read(log):
    """What meson wrote of one run: name of a test -> its entry. It may have been ended within a line."""
    entries = {}
    if log.exists():
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                entry = json.loads(line)
            except json.JSONDecodeError:
                continue
            entries[entry["name"].rpartition(" / ")[2].rpartition(":")[2].strip()] = entry
    return entries


def is_good(entry):
    """Did this test pass, or say why it cannot run?"""
    return entry["result"] in (*_GOOD, "SKIP")


def may_run_again(entry):
    """Was it no error of memory, which is one however seldom it shows?"""
    whole = (entry.get("stdout") or "") + (entry.get("stderr") or "")
    return not _MEMORY.search(whole)


def said(entry):
    """What a test said about its failed steps, or else its last lines."""
    return excerpt((entry.get("stdout") or "") + "\n" + (entry.get("stderr") or ""))


def excerpt(said):
    """What a test said about its failed steps, or else its last lines."""
    lines = said.splitlines()
    points = [number for number, line in enumerate(lines) if _POINT.match(line)]
    wanted = []
    for before, number, after in zip([-1, *points], points, [*points[1:], len(lines)]):
        point = _POINT.match(lines[number])
        if point["ok"].lower() != "ok" and not point["directive"]:
            wanted += lines[max(before + 1, number - BEFORE_LINES):number]
            wanted += lines[number:after][:FAILURE_LINES]
    return "\n".join(wanted[:FAILURES_LINES] or lines[-TAIL_LINES:])


def _tell(title, log):
    print(f"\n{title}")
    print("\n".join("    " + line for line in (log or "").splitlines()))


class Tally:
    """Every step that passed, failed or was skipped, with what it said."""

    def __init__(self):
        self.count_passed = 0
        self.count_failed = 0
        self.failures = []
        self.skips = []
        self.unsteady = []

    def passed(self, _name):
        self.count_passed += 1

    def failed(self, name, log, count=1):
        self.count_failed += count
        self.failures.append((name, log))

    def skipped(self, name, reason):
        self.skips.append((name, reason.strip() or "no reason given"))

    def add(self, build, entries, names):
        """Counts the tests of one meson run; a test that left no trace has failed."""
        for name, entry in entries.items():
            self._test(f"{build}: {name}", entry)
        for name in sorted(set(names) - set(entries)):
            self.failed(f"{build}: {name}", "meson did not run it")

    def _test(self, name, entry):
        points, failed, planned = self._points(name, entry.get("stdout") or "")
        result = entry["result"]
        if result == "SKIP" and not points:
            self.skipped(name, planned or "")
        elif result in _GOOD or result == "SKIP":
            if not points:
                self.passed(name)
        elif not failed:
            self.failed(f"{name}: {result.lower()}, exit status {entry.get('returncode')}", said(entry))
        if failed:
            self.failed(f"{name}: {len(failed)} of {points} steps: {'; '.join(failed)}",
                        said(entry), count=len(failed))

    def _points(self, name, out):
        """Counts the steps of one test; returns how many, the failed ones, and a plan's reason."""
        points, failed, planned = 0, [], None
        for line in out.splitlines():
            plan = _PLAN.match(line)
            if plan:
                planned = plan["reason"]
                continue
            point = _POINT.match(line)
            if not point:
                continue
            points += 1
            text = (point["text"] or "").strip() or f"step {point['number'] or points}"
            directive = (point["directive"] or "").upper()
            if directive:
                self.skipped(f"{name}: {text}", point["reason"])
            elif point["ok"].lower() == "ok":
                self.passed(text)
            else:
                failed.append(text)
        return points, failed, planned

    def report(self):
        """Prints skips and failures, then the one line that counts. Returns the exit status."""
        print()
        for name, reason in self.skips:
            print(f"skipped  {name}: {reason}")
        for name, log in self.unsteady:
            _tell(f"unsteady {name}: passed only when run again, by itself; before:", log)
        for name, log in self.failures:
            _tell(f"FAILED   {name}", log)
        if self.failures or self.unsteady:
            print()
        counts = f"{self.count_passed} passed, {self.count_failed} failed"
        if self.skips:
            counts += f", {len(self.skips)} skipped"
        print(counts, flush=True)
        return 1 if self.count_failed else 0
