# SPDX-License-Identifier: MPL-2.0
"""The layout of C, as .clang-format has it."""

import shutil
import subprocess

from . import Rule, Unable

_STYLE = "BasedOnStyle: LLVM\nIndentWidth: 4\n"


def layout(tree):
    """C is laid out as .clang-format says"""
    if shutil.which("clang-format") is None:
        raise Unable("clang-format is not here")
    names = tree.matching(r".*\.[ch]$")
    if not names:
        return []
    ended = subprocess.run(["clang-format", "--dry-run", *names], cwd=tree.root, check=False,
                           capture_output=True, text=True)
    if ended.returncode != 0:
        return ended.stderr.splitlines()[:20]
    return sorted({":".join(line.split(":")[:2]) + ": laid out otherwise than .clang-format says"
                   for line in ended.stderr.splitlines() if "clang-format-violations" in line})


RULES = [
    Rule("C is laid out as .clang-format says", layout,
         bad={".clang-format": _STYLE, "a.c": "int  a ;\n"},
         good={".clang-format": _STYLE, "a.c": "int a;\n"}),
]
