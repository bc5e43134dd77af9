# SPDX-License-Identifier: MPL-2.0
"""What stands where, and that it is explained."""

from . import Rule

TOP = {"LICENSE", "README.md", "meson.build", "meson_options.txt",
       "mesh", "media", "node", "packaging", "tests"}
_EXPLAINED = ("mesh", "media", "node", "packaging", "tests")


def top(tree):
    """only what belongs stands at the top"""
    names = {name.split("/")[0] for name in tree.files}
    return [f"{name}: does not belong at the top" for name in sorted(names - TOP)
            if not name.startswith(".")]


def readmes(tree):
    """each folder explains itself"""
    folders = {folder for folder in _EXPLAINED if tree.matching(folder + "/")}
    folders |= {"/".join(name.split("/")[:2]) for name in tree.matching(r"tests/\w+/.")}
    wanted = ["README.md"] + sorted(folder + "/README.md" for folder in folders)
    return [f"{name} is missing" for name in wanted if name not in tree.files]


def packages(tree):
    """each package needed is explained"""
    table = "packaging/packages"
    if table not in tree.files:
        return []
    readme = tree.text("packaging/README.md") if "packaging/README.md" in tree.files else ""
    names = {line.split()[3] for _, _, line in tree.lines(table + "$")
             if line.strip() and not line.startswith("#")}
    return [f"packaging/README.md does not say what {name} is for" for name in sorted(names)
            if f"`{name}`" not in readme]


RULES = [
    Rule("only what belongs stands at the top", top,
         bad={"notes.txt": "a\n"}, good={"README.md": "a\n", ".hidden": "a\n", "mesh/a": "a\n"}),
    Rule("each folder explains itself", readmes,
         bad={"README.md": "a\n", "mesh/a.c": "\n"},
         good={"README.md": "a\n", "mesh/a.c": "\n", "mesh/README.md": "a\n"}),
    Rule("each kind of test explains itself", readmes,
         bad={"README.md": "a\n", "tests/README.md": "a\n", "tests/net/a.py": "\n"},
         good={"README.md": "a\n", "tests/README.md": "a\n", "tests/meson.build": "\n"}),
    Rule("each package needed is explained", packages,
         bad={"packaging/packages": "build command gcc gcc\n", "packaging/README.md": "clang\n"},
         good={"packaging/packages": "build command gcc gcc\n", "packaging/README.md": "`gcc`\n"}),
]
