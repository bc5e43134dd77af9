# SPDX-License-Identifier: MPL-2.0
"""What a rule is, and how rules see a tree."""

import dataclasses
import os
import pathlib
import re
import subprocess
import typing

_NOT_OURS = {".git", "build", "node_modules", "__pycache__"}


class Unable(Exception):
    """This rule cannot be applied here; the text says why."""


class Tree:
    """The files of one source tree, as far as they are the project's own."""

    def __init__(self, root, build=None):
        self.root = pathlib.Path(root).resolve()
        self.build = pathlib.Path(build) if build else None
        self.files = self._tracked() or self._walked()

    def _tracked(self):
        if not (self.root / ".git").exists():
            return None
        try:
            listed = subprocess.run(
                ["git", "-C", str(self.root), "ls-files", "-z", "--cached", "--others",
                 "--exclude-standard"], capture_output=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            return None
        names = sorted(set(listed.stdout.decode().split("\0")) - {""})
        return [name for name in names if (self.root / name).is_file()]

    def _walked(self):
        names = []
        for folder, folders, files in os.walk(self.root):
            folders[:] = [name for name in folders if name not in _NOT_OURS]
            names += [os.path.relpath(os.path.join(folder, name), self.root) for name in files]
        return sorted(names)

    def matching(self, *patterns):
        """Names of the files whose name matches one of these regular expressions at its start."""
        return [name for name in self.files
                if any(re.match(pattern, name) for pattern in patterns)]

    def text(self, name):
        """The file's text, or None when it is not text."""
        try:
            return (self.root / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            return None

    def lines(self, *patterns):
        """(name, number, line) of every line of the text files that match."""
        for name in self.matching(*patterns):
            for number, line in enumerate((self.text(name) or "").splitlines(), 1):
                yield name, number, line


@dataclasses.dataclass
class Rule:
    """One rule. The samples map file names to contents; a bad one must be refused."""

    name: str
    find: typing.Callable[[Tree], list]
    bad: dict
    good: dict


_C_NOISE = re.compile(r"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.DOTALL)


def c_code(text):
    """C without comments and literals, line for line."""
    return _C_NOISE.sub(lambda found: "\n" * found[0].count("\n") or " ", text)
