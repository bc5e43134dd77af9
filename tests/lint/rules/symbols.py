# SPDX-License-Identifier: MPL-2.0
"""What the core may need from outside: memory, strings and two libraries; nothing that acts."""

import re
import subprocess

from . import Rule, Unable

ALLOWED = re.compile(
    r"mem(cpy|move|set|cmp|chr)|__mem\w+_chk|str(n?cmp|n?len|chr)|"
    r"malloc|calloc|realloc|free|qsort|bsearch|abort|__assert_fail|__stack_chk_fail|"
    # deterministic libsodium: its ways to draw randomness are left out
    r"crypto_(?!\w*_(keygen|random)$|(?!\w*seed_keypair)\w*_keypair$)\w+|sodium_(mem\w+|bin2hex|init|is_zero|add|sub|compare|"
    r"increment|pad|unpad)|"
    r"cbor_\w+|_GLOBAL_OFFSET_TABLE_|__(asan|ubsan|sanitizer|tsan|gcov|llvm)_\w+")


def outside(listing):
    """Undefined symbols of an `nm` listing that nothing in it defines, and which are not allowed."""
    undefined, defined = set(), set()
    for line in listing.splitlines():
        words = line.split()
        if len(words) >= 2 and words[-2] in ("U", "w", "v"):
            undefined.add(words[-1])
        elif len(words) == 3:
            defined.add(words[-1])
    return sorted(name for name in undefined - defined if not ALLOWED.fullmatch(name))


def _listing(tree):
    sample = tree.root / "libmesh.nm"
    if sample.exists():
        return sample.read_text(encoding="utf-8")
    if not (tree.root / "mesh" / "meson.build").exists():
        raise Unable("there is no core")
    archives = sorted((tree.build / "mesh").glob("lib*.a")) if tree.build else []
    if not archives:
        raise Unable("the core is not built as an archive here")
    return subprocess.run(["nm", *map(str, archives)], capture_output=True, text=True,
                          check=True).stdout


def symbols(tree):
    """the core needs from outside only memory, strings, libsodium and libcbor"""
    return [f"libmesh: may not need {name}" for name in outside(_listing(tree))]


RULES = [
    Rule("the core calls no socket, file, clock, thread or randomness", symbols,
         bad={"libmesh.nm": "                 U clock_gettime\n                 U memcpy\n"},
         good={"libmesh.nm": "                 U mesh_b\n0000000000000000 T mesh_b\n"
                             "                 U crypto_sign_detached\n                 U free\n"}),
    Rule("the core draws no randomness of its own", symbols,
         bad={"libmesh.nm": "                 U crypto_sign_keypair\n"},
         good={"libmesh.nm": "                 U crypto_sign_seed_keypair\n"}),
    Rule("the core asks libsodium for no random bytes", symbols,
         bad={"libmesh.nm": "                 U randombytes_buf\n"},
         good={"libmesh.nm": "                 U sodium_memzero\n"}),
]
