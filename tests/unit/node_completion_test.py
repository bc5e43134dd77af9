# SPDX-License-Identifier: MPL-2.0
"""The completion scripts the node prints, tried in the shells they are for."""

import os
import pathlib
import pty
import select
import shutil
import subprocess
import sys
import tempfile
import time

PROGRAM = sys.argv[1]
ANSWER_S = 60


def script(shell):
    return subprocess.run([PROGRAM, "completion", shell], check=True, capture_output=True,
                          text=True).stdout


def in_bash(place, *words):
    """What bash offers for the last of these words."""
    asked = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _maillon;'
             ' printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-c", asked, "bash", place / "maillon.bash", "maillon", *words],
                          check=True, capture_output=True, text=True, cwd=place / "files")
    return set(done.stdout.splitlines())


def bash(place):
    """bash: commands, their second words, their options, files with blanks"""
    listed = subprocess.run([PROGRAM, "--help"], check=True, capture_output=True, text=True,
                            env={**os.environ, "LC_ALL": "C.UTF-8"}).stdout
    first = {line.split()[0] for line in listed.splitlines()
             if line.startswith("  ") and not line.startswith("  -")}
    assert in_bash(place, "") == first, in_bash(place, "") ^ first
    assert in_bash(place, "meet") == {"meeting"}, in_bash(place, "meet")
    assert in_bash(place, "meeting", "") == {"create", "leave", "list", "use"}
    assert {"all", "slides", "voice", "--max"} <= in_bash(place, "bandwidth", "")
    assert in_bash(place, "peers", "--w") == {"--watch"}
    assert in_bash(place, "--home", "/x", "--json", "meeting", "cr") == {"create"}
    assert in_bash(place, "invite", "--r") == {"--role"}
    assert in_bash(place, "doc", "add", "pl") == {"plan nord.pdf"}, in_bash(place, "doc", "add", "")


def zsh(place):
    """zsh: already the completion that loads the script is answered"""
    shell, line = pty.fork()
    if shell == 0:
        os.chdir(place / "files")
        os.execvp("zsh", ["zsh", "-f", "-i"])
    try:
        said(line, f"fpath=('{place}' $fpath); autoload -Uz compinit;"
                   f" compinit -u -d '{place}/dump'; print be''gin\n", "begin")
        said(line, "maillon meeting cr\t", "maillon meeting create")
        said(line, "\x15maillon doc add pl\t", "plan\\ nord.pdf")
    finally:
        os.close(line)
        os.waitpid(shell, 0)


def said(line, typed, wanted):
    """Types on a terminal and waits for what is wanted on it."""
    os.write(line, typed.encode())
    seen, deadline = "", time.monotonic() + ANSWER_S
    while wanted not in seen:
        left = deadline - time.monotonic()
        assert left > 0 and select.select([line], [], [], left)[0], f"{typed!r} gave {seen!r}"
        seen += os.read(line, 4096).decode(errors="replace")


def fish(place):
    """fish: commands, their second words, their options, files with blanks"""
    def offered(text):
        done = subprocess.run(
            ["fish", "--no-config", "-c", f"source '{place}/maillon.fish'; complete -C '{text}'"],
            check=True, capture_output=True, text=True, cwd=place / "files",
            env={**os.environ, "HOME": str(place)})
        return {word.split("\t")[0] for word in done.stdout.splitlines()}
    assert offered("maillon meet") == {"meeting"}, offered("maillon meet")
    assert offered("maillon meeting ") == {"create", "leave", "list", "use"}, offered("maillon meeting ")
    assert "--role" in offered("maillon invite --r"), offered("maillon invite --r")
    assert "plan nord.pdf" in offered("maillon doc add pl"), offered("maillon doc add pl")


def other(_place):
    """no script is printed for a shell that is none"""
    done = subprocess.run([PROGRAM, "completion", "cmd"], check=False, capture_output=True,
                          text=True)
    assert done.returncode == 2 and done.stderr and not done.stdout, done


def main():
    failed = False
    tests = (bash, zsh, fish, other)
    print(f"1..{len(tests)}")
    with tempfile.TemporaryDirectory(prefix="maillon-completion-") as folder:
        place = pathlib.Path(folder)
        (place / "files").mkdir()
        (place / "files" / "plan nord.pdf").touch()
        for name, shell in (("maillon.bash", "bash"), ("_maillon", "zsh"), ("maillon.fish", "fish")):
            (place / name).write_text(script(shell), encoding="utf-8")
        for number, test in enumerate(tests, 1):
            if test in (bash, zsh, fish) and shutil.which(test.__name__) is None:
                print(f"ok {number} - {test.__doc__} # SKIP {test.__name__} is not there")
                continue
            try:
                test(place)
                print(f"ok {number} - {test.__doc__}")
            except (AssertionError, subprocess.CalledProcessError, OSError) as error:
                failed = True
                print(f"not ok {number} - {test.__doc__}\n# {error}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
