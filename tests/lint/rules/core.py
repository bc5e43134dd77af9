# SPDX-License-Identifier: MPL-2.0
"""What keeps the core deterministic and bounded."""

import re

from . import Rule, c_code

_FLOAT = re.compile(r"\b(float|double|_Float\w+)\b|(?<![\w.])\d+\.\d*|(?<![\w.])\.\d+|"
                    r"(?<![\w.])\d+[eE][+-]?\d+")
_MAXIMUM = re.compile(r"^\s*#\s*define\s+(\w+_MAX)\b|\b([A-Z][A-Z0-9_]*_MAX)\s*=(?!=)")


def _code(tree):
    for name in tree.matching(r"mesh/.*\.[ch]$"):
        for number, line in enumerate(c_code(tree.text(name) or "").splitlines(), 1):
            yield name, number, line


def floats(tree):
    """the core has no floating point"""
    return [f"{name}:{number}: floating point: {line.strip()}"
            for name, number, line in _code(tree) if _FLOAT.search(line)]


def maxima(tree):
    """every maximum of the core is in mesh/limits.h"""
    problems = []
    for name, number, line in _code(tree):
        found = _MAXIMUM.search(line)
        if found and name != "mesh/limits.h":
            problems.append(f"{name}:{number}: {found[1] or found[2]} belongs in mesh/limits.h")
    return problems


RULES = [
    Rule("no floating point in the core", floats,
         bad={"mesh/rate.c": "static int half(int a)\n{\n    return a * 0.5;\n}\n"},
         good={"mesh/rate.c": "/* a double dose of 0.5 */\nint a = 0x1e5;\n"}),
    Rule("no floating type in the core", floats,
         bad={"mesh/rate.c": "double rate;\n"}, good={"mesh/rate.c": "int double_rate;\n"}),
    Rule("every maximum of the core is in limits.h", maxima,
         bad={"mesh/queue.h": "#define QUEUE_ENTRIES_MAX 64\n"},
         good={"mesh/limits.h": "#define QUEUE_ENTRIES_MAX 64\n",
               "mesh/queue.c": "bool full = n == QUEUE_ENTRIES_MAX;\n"}),
    Rule("maxima written as enumerators too", maxima,
         bad={"mesh/queue.h": "enum {\n    QUEUE_ENTRIES_MAX = 64,\n};\n"},
         good={"mesh/queue.c": "_Static_assert(QUEUE_ENTRIES_MAX == 64, \"\");\n"}),
]
