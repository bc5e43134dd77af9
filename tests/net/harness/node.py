# SPDX-License-Identifier: MPL-2.0
"""A real node in a host, and the commands a person would type at it."""

import json
import os
import pathlib
import signal
import subprocess

from . import bus, wait

# What those who wait ask, of the node itself: a program started ten times a second for each of them
# would keep the processors from those under test.
QUESTIONS = {"status": (), "stats": (), "peers": (), "map": (), "messages": (), "doc list": (),
             "roster list": (), "motion show": ("id",)}
COMMAND_S = 180
JOIN_S = 90


class Refused(Exception):
    """A command that did not end well: its exit status and what it said on stderr."""

    def __init__(self, words, status, reason):
        super().__init__(f"`{' '.join(words)}` ended with {status}: {reason.strip()}")
        self.status = status
        self.reason = reason.strip()


def _environment(world, binary):
    """What a node sees of the outside: English, no desktop, a home directory of the test's."""
    home = world.directory / "person"
    home.mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items()
            if name in ("PATH", "LD_LIBRARY_PATH", "TMPDIR") or name.startswith(
                ("ASAN_", "UBSAN_", "LSAN_", "MAILLON_MEDIA", "GST_PLUGIN"))}
    # Scanning all of GStreamer's plugins takes seconds: do it once in a build folder.
    registry = pathlib.Path(binary).with_name("gstreamer.registry")
    return {**kept, "HOME": str(home), "LC_ALL": "C.UTF-8", "GST_REGISTRY": str(registry),
            "XDG_RUNTIME_DIR": str(home)}


class Node:
    """One home directory on one host; the process in it may come and go."""

    def __init__(self, world, host, name, home=None):
        self.world = world
        self.host = host
        self.name = name
        self.home = home or world.directory / f"home-{name}"
        self.binary = os.environ["MAILLON_BIN"]
        self.environment = _environment(world, self.binary)
        self.process = None
        self.asked = None
        self.begun = 0

    def begin(self, *options, media=False):
        """Starts the process without waiting for it."""
        self._hang_up()
        words = [self.binary, "start", "--home", self.home, "--no-page"]
        words += [] if media else ["--no-media"]
        words += ["--name", self.name] if self.begun == 0 else []
        self.begun += 1
        self.process = self.host.spawn(f"{self.name}#{self.begun}", *words, *options,
                                       environment=self.environment)
        return self

    def start(self, *options, timeout=30, **named):
        """Starts the process and waits until it says it is ready."""
        self.begin(*options, **named)
        self.process.line("ready", timeout)
        return self

    def kill(self):
        """As a power cut would."""
        return self.process.end(signal.SIGKILL)

    def stop(self):
        """As a person would; the exit status must be 0."""
        status = self.process.end(signal.SIGTERM)
        assert status == 0, f"{self.name} ended with {status} when asked to end"

    def command(self, *words):
        """Runs one command to its end and returns the finished process, whatever its status."""
        argv = self.host.argv(self.binary, "--home", self.home, "--json", *words)
        return subprocess.run(argv, check=False, text=True, capture_output=True,
                              timeout=COMMAND_S, env=self.environment, stdin=subprocess.DEVNULL)

    def _hang_up(self):
        if self.asked is not None:
            self.asked.close()
        self.asked = None

    def _ask(self, command, arguments):
        """What the program would print, without it."""
        try:
            if self.asked is None:
                self.asked = bus.Commands(self.home, COMMAND_S)
            return self.asked.ask(command, **arguments)
        except bus.Refused as error:
            raise Refused([command], 1, str(error)) from error
        except OSError as error:
            self._hang_up()
            raise Refused([command], 1, str(error)) from error

    def run(self, *words):
        """The JSON document a command prints; Refused if it does not end with 0."""
        for command, names in QUESTIONS.items() if wait.looking() else ():
            verb = command.split()
            given = words[len(verb):]
            if list(words[:len(verb)]) == verb and len(given) == len(names):
                return self._ask(command, dict(zip(names, given)))
        done = self.command(*words)
        if done.returncode != 0:
            raise Refused([str(word) for word in words], done.returncode, done.stderr)
        try:
            return json.loads(done.stdout)
        except json.JSONDecodeError as error:
            raise AssertionError(f"{words} printed no JSON: {done.stdout!r}") from error

    def refused(self, *words):
        """The reason why a command was refused with status 1; an error if it was not."""
        done = self.command(*words)
        assert done.returncode == 1, f"{words}: {done.returncode} {done.stdout} {done.stderr}"
        assert done.stderr.strip(), f"{words}: refused without a reason"
        assert not done.stdout.strip(), f"{words}: printed when refused: {done.stdout}"
        return done.stderr.strip()

    # What the scenarios do all the time.

    def create(self, title, *options):
        return self.run("meeting", "create", title, *options)["id"]

    def invite(self, *options):
        return self.run("invite", *options)["ticket"]

    def join(self, ticket, *options):
        return self.run("join", ticket, *(options or ("--wait", str(JOIN_S))))

    def say(self, text):
        return self.run("say", text)["id"]

    def texts(self):
        return [message["text"] for message in self.run("messages")]

    def meeting(self):
        """The first meeting of `status`."""
        meetings = self.run("status")["meetings"]
        return meetings[0] if meetings else None

    def peer(self, name):
        """What `status` says of another member, or None."""
        for peer in self.run("status")["peers"]:
            if peer["name"] == name:
                return peer
        return None

    # What the scenarios wait for.

    def wait(self, what, predicate, timeout=20):
        return wait.until(f"{self.name}: {what}", predicate, timeout, passing=(Refused,))

    def wait_text(self, *texts, timeout=20):
        """Until all the texts have been received, each once."""
        def there():
            got = self.texts()
            return all(got.count(text) == 1 for text in texts) or None
        return self.wait(f"the messages {texts}", there, timeout)

    def wait_members(self, count, timeout=20):
        return self.wait(f"{count} members", lambda: self.meeting()["members"] == count, timeout)

    def wait_peer(self, name, state="up", path=None, timeout=20):
        """Until a member is linked so; returns what `status` says of it."""
        def linked():
            peer = self.peer(name)
            return peer if peer and peer["state"] == state and path in (None, peer["path"]) else None
        return self.wait(f"{name} {state} {path or ''}", linked, timeout)

    # Media.

    def helpers(self):
        """Its media processes: process id and command line."""
        return {pid: line for pid, line in self.process.children().items()
                if "maillon-media" in line}


def all_agree(nodes, what, view, timeout=20):
    """Waits until every node shows the same true value of `view`, and returns it."""
    def same():
        values = [view(node) for node in nodes]
        return values[0] if values[0] and all(value == values[0] for value in values) else None
    return wait.until(f"all nodes agree on {what}", same, timeout, passing=(Refused,))
