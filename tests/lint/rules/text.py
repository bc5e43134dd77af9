# SPDX-License-Identifier: MPL-2.0
"""What every text file keeps to."""

import re

from . import Rule

_CORPUS = r"(?!tests/fuzz/corpus/)" # whose files are any bytes, though some look like text
_SPDX = re.compile(r"^(/\*|#|//|--|<!--) SPDX-License-Identifier: MPL-2\.0( \*/| -->)?$")
_CODE = (r".*\.(c|h|py|sh|js|mjs|ts|tsx|css|sql|html)$", r"(.*/)?meson(\.build|_options\.txt)$")
LINES_MAX = 700
# Written so that this file does not match itself.
_SLEEP = re.compile(r"\b(g_u|u|nano)?slee[p]\s*\(|^\s*slee[p] +[\d.$]", re.MULTILINE)
_MACHINE = re.compile(r"(?<![\w.])/(wor[k]|roo[t])/|/hom[e]/\w+|/tm[p]/(build-|plan)|"
                      r"\bregistr[y]\.\w+\.\w+|\bregistr[y]-mirror|\blocalhost:\d+/simpl[e]|"
                      r"\bDESIG[N]\b|\b(issu[e]|iss) #?\d+\b")


def spdx(tree):
    """each source and script begins with its licence"""
    problems = []
    for name in tree.files:
        lines = (tree.text(name) or "").splitlines()
        script = bool(lines) and lines[0].startswith("#!")
        if not script and not any(re.match(pattern, name) for pattern in _CODE):
            continue
        if not _SPDX.match(lines[script] if len(lines) > script else ""):
            problems.append(f"{name}: no SPDX line at the top")
    return problems


def blanks(tree):
    """no line ends in blanks, each file in a newline"""
    problems = [f"{name}:{number}: blanks at the end of the line"
                for name, number, line in tree.lines(_CORPUS + r"(?!LICENSE$)")
                if line != line.rstrip()]
    for name in tree.matching(_CORPUS):
        text = tree.text(name)
        if text and not text.endswith("\n"):
            problems.append(f"{name}: no newline at its end")
    return problems


def huge(tree):
    """no C file is huge"""
    return [f"{name}: more than {LINES_MAX} lines" for name in tree.matching(r".*\.[ch]$")
            if len((tree.text(name) or "").splitlines()) > LINES_MAX]


def sleeps(tree):
    """no test sleeps"""
    return [f"{name}:{number}: waits for time to pass, not for an event"
            for name, number, line in tree.lines(r"tests/.*\.(c|h|py|sh|js|mjs|ts)$")
            if _SLEEP.search(line)]


def machine(tree):
    """the project speaks only of itself"""
    return [f"{name}:{number}: speaks of one machine: {line.strip()[:80]}"
            for name, number, line in tree.lines(r".*") if _MACHINE.search(line)]


RULES = [
    Rule("each source begins with its licence", spdx,
         bad={"node/main.c": "int main(void);\n"},
         good={"node/main.c": "/* SPDX-License-Identifier: MPL-2.0 */\n",
               "tool": "#!/bin/sh\n# SPDX-License-Identifier: MPL-2.0\n"}),
    Rule("each script too", spdx,
         bad={"tool": "#!/bin/sh\ntrue\n"}, good={"list": "not a program\n"}),
    Rule("no line ends in blanks", blanks,
         bad={"README.md": "a \n"}, good={"README.md": "a\n\nb\n"}),
    Rule("each file ends in a newline", blanks, bad={"a.txt": "a"}, good={"a.txt": "a\n"}),
    Rule("no C file is huge", huge,
         bad={"node/big.c": "\n" * (LINES_MAX + 1)}, good={"node/big.c": "\n" * LINES_MAX}),
    Rule("no test sleeps", sleeps,
         bad={"tests/net/a.py": "time.slee" + "p(1)\n"},
         good={"tests/net/a.py": "# asleep (or not)\n"}),
    Rule("no test of C sleeps", sleeps,
         bad={"tests/unit/a.c": "    g_uslee" + "p(10);\n"},
         good={"tests/unit/a.c": "    wait_for(event);\n"}),
    Rule("nothing speaks of one machine", machine,
         bad={"a.py": "open('/hom" + "e/someone/a')\n"}, good={"a.py": "home = '/homes/x'\n"}),
    Rule("no host that serves packages is named", machine,
         bad={"package-lock.json": '"resolved": "https://registr' + 'y.example.org/a.tgz"\n'},
         good={"package-lock.json": '"integrity": "sha512-abc"\n'}),
]
