# SPDX-License-Identifier: MPL-2.0
"""The table that the measuring ends with."""

import itertools
import os
import traceback


class Unable(Exception):
    """What is to be measured, or measured with, is not here."""


class Row:
    """One figure: what was measured, beside what, and whether that is good enough."""

    def __init__(self, name, value, goal="", beside="", reached=True):
        verdict = ("yes" if reached else "NO") if goal else "no goal"
        self.cells = (name, value, beside, goal, verdict)
        self.reached = reached


class Table:
    """Collects rows, and what could not be measured and why."""

    HEAD = ("what", "here", "beside", "goal", "reached")

    def __init__(self):
        self.rows = []
        self.missed = False

    def measure(self, figure, world):
        name = figure.__name__.replace("_", " ")
        print(f"measuring {name} …", flush=True)
        try:
            rows = figure(world)
        except Unable as reason:
            self.rows.append((name, "-", "", "", f"not measured: {reason}"))
        except Exception:  # pylint: disable=broad-except
            self.missed = True
            self.rows.append((name, "failed", "", "", "NO"))
            print(traceback.format_exc() + world.logs(), flush=True)
        else:
            self.rows += [row.cells for row in rows]
            self.missed |= not all(row.reached for row in rows)

    def show(self):
        rows = [[cell.split("\n") for cell in row] for row in (self.HEAD, *self.rows)]
        widths = [max(len(text) for row in rows for text in row[i])
                  for i in range(len(self.HEAD) - 1)]
        print()
        for row in rows:
            # What stands beside may take several lines.
            for texts in itertools.zip_longest(*row, fillvalue=""):
                cells = [text.ljust(width) for text, width in zip(texts, widths)]
                print("  ".join(cells + [texts[-1]]).rstrip())


def program(variable, what):
    """The path of a program that the environment names."""
    path = os.environ.get(variable, "")
    if not os.access(path, os.X_OK):
        raise Unable(f"{what} was not built")
    return path
