# SPDX-License-Identifier: MPL-2.0
"""Every sentence a person reads has its French, and the French fits where the English stood."""

import ast
import re

from . import Rule

FRENCH = "node/cli/french/"
ERRORS = "mesh/error.h"
_TOKEN = re.compile(r"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\w+|[^\s\w]""",
                    re.DOTALL)
_LOOKUPS = {"_", "N_", "language_text", "language_text_in"}
_CONVERSION = re.compile(r"%(?:(\d+)\$)?[-+ #0]*(\*|\d*)(?:\.(\*|\d*))?(hh|h|ll|l|z|j|t|L)?(\w|%)")
# What is typed stays as it is: `commands` and addresses are not French.
_TYPED = re.compile(r"`[^`]*`|\w+://\S*|\bmaillon:")
_TIGHT = re.compile(r"[^\u00a0\u202f][:;!?»](?=\s|$)|«(?![\u00a0\u202f])")


def _tokens(text):
    """C without comments; adjacent literals are one."""
    joined = []
    for token in _TOKEN.findall(text.replace("\\\n", " ")):
        if token.startswith(("/*", "//")):
            continue
        if token[0] == '"' and joined and joined[-1][0] == '"':
            joined[-1] = joined[-1][:-1] + token[1:]
        else:
            joined.append(token)
    return joined


def _value(literal):
    return ast.literal_eval('"""' + literal[1:-1] + '"""')


def _literals(text):
    return [_value(token) for token in _tokens(text) if token[0] == '"']


def _keys(text):
    """The literals that are looked up: those right inside the parentheses of a look-up."""
    tokens = _tokens(text)
    depths = []  # of each open parenthesis: does it belong to a look-up?
    for number, token in enumerate(tokens):
        if token == "(":
            depths.append(number > 0 and tokens[number - 1] in _LOOKUPS)
        elif token == ")" and depths:
            depths.pop()
        elif token[0] == '"' and depths and depths[-1]:
            yield _value(token)


def _pairs(text):
    """English and French of each row of the table."""
    tokens = _tokens(text)
    for before, english, comma, french in zip(tokens, tokens[1:], tokens[2:], tokens[3:]):
        if before == "{" and english[0] == '"' and comma == "," and french[0] == '"':
            yield _value(english), _value(french)


def _conversions(text):
    """What each argument of a format must be, in the order of the arguments."""
    found = [match for match in _CONVERSION.findall(text) if match[4] != "%"]
    placed = sorted(enumerate(found, 1), key=lambda item: int(item[1][0] or item[0]))
    return [("*" == width, "*" == precision, length, kind)
            for _, (_, width, precision, length, kind) in placed]


def _wrong(english, french):
    """What is wrong with one row, or None."""
    if not french:
        return "no French"
    if _conversions(english) != _conversions(french):
        return "its French has other conversions"
    if english.endswith("\n") != french.endswith("\n"):
        return "one ends its line, its French does not, or the reverse"
    if _TIGHT.search(_TYPED.sub("x", french)):
        return "its French lacks an unbreakable space"
    return None


def language(tree):
    """each sentence a person reads has its French"""
    asked, said = {}, set()
    for name in tree.matching(r"node/.*\.[ch]$", r"mesh/.*\.[ch]$", r"media/.*\.[ch]$"):
        text = tree.text(name) or ""
        if name.startswith(FRENCH):
            continue
        said.update(_literals(text))
        for key in _literals(text) if name == ERRORS else _keys(text):
            asked.setdefault(key, name)
    rows = [row for name in tree.matching(rf"{FRENCH}.*\.c$") for row in _pairs(tree.text(name))]
    known = [english for english, _ in rows]
    problems = [f"{name}: no French for {key!r}" for key, name in asked.items() if key not in known]
    problems += [f"{FRENCH}: {english!r} stands twice" for english in sorted(set(known))
                 if known.count(english) > 1]
    problems += [f"{FRENCH}: {english!r}: nobody says it" for english in known
                 if english not in said]
    problems += [f"{FRENCH}: {english!r}: {_wrong(english, french)}" for english, french in rows
                 if _wrong(english, french)]
    return problems


def _table(*rows):
    return "".join(f'{{"{english}", "{french}"}},\n' for english, french in rows)


_SAID = 'puts(_("node"));\nprintf(_("%d of %s"), 1, "two");\n'

_ROWS = f"{FRENCH}said.c"

RULES = [
    Rule("a sentence has its French", language,
         bad={"node/a.c": _SAID, _ROWS: _table(("node", "nœud"))},
         good={"node/a.c": _SAID + 'puts(_(text_of(peer, "path")));\n',
               _ROWS: _table(("node", "nœud"), ("%d of %s", "%2$s, dont %1$d"))}),
    Rule("a sentence of the core too", language,
         bad={ERRORS: 'X(MESH_OK, "done")\n'},
         good={ERRORS: 'X(MESH_OK, "done")\n', _ROWS: _table(("done", "fait"))}),
    Rule("both languages take the same arguments", language,
         bad={"node/a.c": _SAID, _ROWS: _table(("node", "nœud"), ("%d of %s", "%s sur %d"))},
         good={"node/a.c": _SAID, _ROWS: _table(("node", "nœud"), ("%d of %s", "%d sur %s"))}),
    Rule("French is not kept for what nobody says", language,
         bad={_ROWS: _table(("node", "nœud"))},
         good={"node/a.c": 'state = "node";\n', _ROWS: _table(("node", "nœud"))}),
    Rule("French has its unbreakable spaces", language,
         bad={"node/a.c": 'puts(_("Why?"));\n', _ROWS: _table(("Why?", "Pourquoi ?"))},
         good={"node/a.c": 'puts(_("Why?"));\n', _ROWS: _table(("Why?", "Pourquoi\u00a0?"))}),
]
