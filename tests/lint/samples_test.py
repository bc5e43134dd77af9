# SPDX-License-Identifier: MPL-2.0
"""Proves that each rule can fail: it refuses its bad sample and lets its good one pass."""

import pathlib
import sys
import tempfile

from rules import Tree, Unable
from rules_test import ALL


def found(rule, sample):
    """What the rule finds in a tree made of this sample alone."""
    with tempfile.TemporaryDirectory(prefix="maillon-lint-") as place:
        for name, content in sample.items():
            path = pathlib.Path(place) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        return rule.find(Tree(place))


def main():
    failed = False
    print(f"1..{len(ALL)}")
    for number, rule in enumerate(ALL, 1):
        try:
            bad, good = found(rule, rule.bad), found(rule, rule.good)
        except Unable as reason:
            print(f"ok {number} - {rule.name} # SKIP {reason}")
            continue
        right = bool(bad) and not good
        failed = failed or not right
        print(f"{'ok' if right else 'not ok'} {number} - refused when broken: {rule.name}")
        if not right:
            print(f"# in the bad sample: {bad}\n# in the good sample: {good}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
