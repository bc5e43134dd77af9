# SPDX-License-Identifier: MPL-2.0
"""Builds the project every way it must build, runs the tests of each build, and adds it all up."""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import results

ROOT = pathlib.Path(__file__).resolve().parent.parent
TAIL_LINES = 60
SANITIZER_OPTIONS = {
    "ASAN_OPTIONS": "halt_on_error=1:abort_on_error=1:detect_leaks=1",
    "UBSAN_OPTIONS": "halt_on_error=1:abort_on_error=1:print_stacktrace=1",
}

PERSON = {
    "found by a login shell": '. "$HOME/.profile"; maillon --help',
    "completed by bash": """
        . "$HOME/.local/share/bash-completion/completions/maillon"
        COMP_WORDS=(maillon mee); COMP_CWORD=1; _maillon
        test "${COMPREPLY[*]}" = meeting""",
    "a node finds its media helper, and ends when asked to": """
        PATH="$HOME/.local/bin:$PATH"; export MAILLON_HOME="$HOME/node"
        exec 3< <(exec maillon start --no-page --sink fake --name Essai 2>&1)
        node=$!
        until [[ $line == ready* ]]; do read -r line <&3; echo "$line"; done
        maillon meeting create Essai
        maillon mic on --source test
        kill "$node"
        cat <&3
        wait "$node" """,
    "the demonstration is heard, and ends when asked to": """
        PATH="$HOME/.local/bin:$PATH"; export MAILLON_HOME="$HOME/demo"
        exec 3< <(exec python3 packaging/demo.py maillon --sink fake --no-page 2>&1)
        demo=$!
        until [[ $line == *Ctrl-C* ]]; do read -r line <&3; echo "$line"; done
        kill "$demo"
        cat <&3
        wait "$demo" """,
    "uninstalled without a trace": """
        ninja -C "$MAILLON_BUILD/release" uninstall
        test -z "$(find "$HOME/.local" -type f | tee /dev/stderr)" """,
}


class Checks:
    """The steps of one run; each adds what it found to `tally`."""

    def __init__(self, build, options):
        self.build = build
        self.options = options
        self.tally = results.Tally()
        self.ran = 0
        self.begun = time.monotonic()

    def say(self, text):
        print(f"[{time.monotonic() - self.begun:4.0f} s] {text}", flush=True)

    def command(self, name, *words, environment=()):
        """Runs one command whose success is itself a test. True when it ended well."""
        self.say(name)
        ended = subprocess.run([str(word) for word in words], cwd=ROOT, check=False, text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, errors="replace",
                               env={**os.environ, **dict(environment)})
        if ended.returncode == 0:
            self.tally.passed(name)
            return True
        tail = ended.stdout.splitlines()[-TAIL_LINES:]
        self.tally.failed(name, "\n".join(tail + [f"(exit status {ended.returncode})"]))
        return False

    def compile(self, name, folder, compiler, *settings):
        """Configures and builds one folder from whatever state it is in."""
        directory = self.build / folder
        settings = [directory, ROOT, "-Dwerror=true", *settings]
        environment = {"CC": compiler, "CFLAGS": "", "LDFLAGS": ""}
        configure = ROOT / "packaging" / "configure"
        return (self.command(f"{name}: configured", configure, *settings, environment=environment)
                and self.command(f"{name}: built without a warning", "ninja", "-C", directory))

    def tests(self, name, folder, suites, without=(), environment=()):
        """Runs the tests of these suites (all when empty), and counts each of their steps."""
        directory = self.build / folder
        names = results.choose(directory, suites, without, self.options.filter)
        if not names:
            return
        self.ran += len(names)
        self.say(f"{name}: {len(names)} test programs")
        log = directory / "meson-logs" / "testlog.json"
        log.unlink(missing_ok=True)
        process = subprocess.Popen(
            ["meson", "test", "-C", str(directory), "--no-rebuild", "--num-processes", "2",
             "--timeout-multiplier", "3" if environment else "2", *names],
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace",
            env={**os.environ, **dict(environment), "LC_ALL": "C.UTF-8"})
        said = []
        for line in process.stdout:
            said.append(line)
            if results.is_progress(line):
                print("    " + line.rstrip(), flush=True)
        process.wait()
        if log.exists():
            self.tally.read(name, log, names)
        else:
            self.tally.failed(f"{name}: tests ran", "".join(said[-TAIL_LINES:]))

    def installed(self):
        """What a person gets who runs the other command, in a home of its own."""
        with tempfile.TemporaryDirectory(prefix="maillon-home-") as home:
            environment = {"HOME": home, "SHELL": "/bin/bash", "MAILLON_PREFIX": f"{home}/.local",
                           "MAILLON_BUILD": str(self.build / "person")}
            for name in ("installed for a person", "installed again over it"):
                self.command(name, ROOT / "packaging" / "run", "--install-only",
                             environment=environment)
            for name, script in PERSON.items():
                self.command(name, "bash", "-ec", script, environment=environment)

    def everything(self):
        """Each build and its tests; then, whatever was asked for must have been found."""
        self.builds()
        if self.options.filter and not self.ran:
            self.tally.failed("filter", f"no test is named like {' or '.join(self.options.filter)}")

    def builds(self):
        long = () if self.options.long else ("long",)
        if self.compile("gcc", "gcc", "gcc"):
            self.tests("gcc", "gcc", (), without=("bench", *long))
        if self.options.quick:
            return
        if self.compile("sanitizers", "sanitizers", "gcc", "-Db_sanitize=address,undefined"):
            self.tests("sanitizers", "sanitizers", ("unit", "page", "sim", "fuzz", "net"),
                       without=("unsanitized", *long), environment=SANITIZER_OPTIONS)
        if not self.options.filter:
            self.compile("clang", "clang", "clang")
            if (ROOT / "node" / "meson.build").exists():
                self.installed()


def main():
    parser = argparse.ArgumentParser(prog="packaging/test", description="Builds and tests it all.")
    parser.add_argument("--quick", action="store_true", help="only the main build and its tests")
    parser.add_argument("--long", action="store_true", help="also the tests that take minutes")
    parser.add_argument("filter", nargs="*", help="only tests whose name contains one of these")
    build = pathlib.Path(os.environ.get("MAILLON_BUILD") or ROOT / "build").absolute()
    checks = Checks(build, parser.parse_args())
    checks.everything()
    sys.exit(checks.tally.report())


if __name__ == "__main__":
    main()
