# SPDX-License-Identifier: MPL-2.0
"""Applies every rule to the tree: one TAP line a rule."""

import os
import sys

from rules import Tree, Unable, core, format, includes, language, symbols, text, tree

GROUPS = (includes, symbols, core, text, language, tree, format)
ALL = [rule for group in GROUPS for rule in group.RULES]


def main():
    ours = Tree(sys.argv[1], os.environ.get("MAILLON_BUILD_ROOT"))
    # Several rules may share one search; each search runs once.
    searches = {}
    for rule in ALL:
        searches.setdefault(rule.find, rule.find.__doc__)
    failed = False
    print(f"1..{len(searches)}")
    for number, (find, name) in enumerate(searches.items(), 1):
        try:
            problems = find(ours)
        except Unable as reason:
            print(f"ok {number} - {name} # SKIP {reason}")
            continue
        failed = failed or bool(problems)
        print(f"{'not ok' if problems else 'ok'} {number} - {name}")
        for problem in problems:
            print(f"# {problem}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
