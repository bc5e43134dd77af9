# SPDX-License-Identifier: MPL-2.0
"""Builds the project every way it must build, runs the tests of each build, and adds it all up."""

import argparse
import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time

import results

ROOT = pathlib.Path(__file__).resolve().parent.parent
TAIL_LINES = 60

# Nothing here takes a tenth of this, on a slow machine a third: what does, hangs. Each test has a
# time-out of its own, in its meson.build.
COMMAND_S = 1800
PERSON_S = 300
TESTS_S = 1800

# So many at once of what mostly waits (suite `waits`), and of what mostly computes.
WAITING, COMPUTING = 4, 2

# Real programs in real time, on a machine that may stand still meanwhile: a few of these that fail
# are run again, by themselves. What passes then is told apart; what fails twice has failed.
REAL_TIME = {"page", "waits"}
AGAIN_MAX = 3
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


@contextlib.contextmanager
def running(words, environment):
    """A program of its own process group, whose words can be read; at the end it is no more."""
    process = subprocess.Popen(
        [str(word) for word in words], cwd=ROOT, text=True, errors="replace",
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, **dict(environment)}, start_new_session=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            end(process)


def end(process):
    """Ends it and what it started: asked first, then made to. What it said."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=20)[0]
    return "(what it started holds on to its output)"


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

    def command(self, name, *words, environment=(), patience_s=COMMAND_S):
        """Runs one command whose success is itself a test. True when it ended well."""
        self.say(name)
        with running(words, environment) as process:
            try:
                output, _ = process.communicate(timeout=patience_s)
                ending = f"(exit status {process.returncode})"
            except subprocess.TimeoutExpired:
                output, ending = end(process), f"(it hung: ended after {patience_s} s)"
        if ending == "(exit status 0)":
            self.tally.passed(name)
            return True
        self.tally.failed(name, "\n".join(output.splitlines()[-TAIL_LINES:] + [ending]))
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
        entries = {}
        for waits, at_once in ((False, COMPUTING), (True, WAITING)):
            some = {one for one, suites in names.items() if ("waits" in suites) == waits}
            if some:
                found, said = self.meson(directory, some, environment, at_once)
                entries |= found
                if not found:
                    self.tally.failed(f"{name}: tests ran", "".join(said[-TAIL_LINES:]))
        failed = {one for one, entry in entries.items() if not results.is_good(entry)}
        if 0 < len(failed) <= AGAIN_MAX and all(
                names[one] & REAL_TIME and results.may_run_again(entries[one]) for one in failed):
            self.say(f"{name}: {', '.join(sorted(failed))} again")
            again, _ = self.meson(directory, failed, environment, 1)
            for one in (one for one in failed if one in again and results.is_good(again[one])):
                self.tally.unsteady.append((f"{name}: {one}", results.said(entries[one])))
                entries[one] = again[one]
        self.tally.add(name, entries, names)

    def meson(self, directory, names, environment, at_once):
        """One run of these tests: their entries, and the lines that meson itself said."""
        log = directory / "meson-logs" / "testlog.json"
        log.unlink(missing_ok=True)
        said = []
        words = ["meson", "test", "-C", directory, "--no-rebuild",
                 "--num-processes", str(at_once),
                 "--timeout-multiplier", "3" if environment else "2", *sorted(names)]
        with running(words, {**dict(environment), "LC_ALL": "C.UTF-8"}) as process:
            alarm = threading.Timer(TESTS_S, os.killpg, (process.pid, signal.SIGTERM))
            alarm.daemon = True
            alarm.start()
            for line in process.stdout:
                said.append(line)
                if results.is_progress(line):
                    print("    " + line.rstrip(), flush=True)
            process.wait()
            alarm.cancel()
        return results.read(log), said

    def installed(self):
        """What a person gets who runs the other command, in a home of its own."""
        with tempfile.TemporaryDirectory(prefix="maillon-home-") as home:
            environment = {"HOME": home, "SHELL": "/bin/bash", "MAILLON_PREFIX": f"{home}/.local",
                           "MAILLON_BUILD": str(self.build / "person")}
            for name in ("installed for a person", "installed again over it"):
                self.command(name, ROOT / "packaging" / "run", "--install-only",
                             environment=environment)
            for name, script in PERSON.items():
                self.command(name, "bash", "-ec", script, environment=environment,
                             patience_s=PERSON_S)

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
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped by a signal"))
    checks.everything()
    sys.exit(checks.tally.report())


if __name__ == "__main__":
    main()
