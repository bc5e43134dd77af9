# SPDX-License-Identifier: MPL-2.0
"""One node and the commands typed at it: what it refuses, documents in and out, its end."""

import json
import os
import pathlib
import pty
import select
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "net"))

# pylint: disable=wrong-import-position
from harness.alone import PROGRAM, WAIT_S, Node, main, running


def node(place, *options):
    """A running node in a folder, ended cleanly."""
    return running(Node(place / "home"), *options)


def documents(place):
    """documents of every size around a leaf come out as they went in"""
    with node(place, "--no-page") as a:
        a.run("meeting", "create", "Plan")
        for size in (0, 1, 4095, 4096, 4097, 262143, 262144, 262145, 2_000_000):
            original, copy = place / f"plan {size}.pdf", place / "copy"
            original.write_bytes(os.urandom(size))
            document = a.run("doc", "add", original)["id"]
            a.run("doc", "get", document[:16], "-o", copy)
            assert copy.read_bytes() == original.read_bytes(), size
        listed = a.run("doc", "list")
        assert all(d["have"] == d["size"] for d in listed) and len(listed) == 9, listed
    assert sorted(path.name for path in place.iterdir() if path.name.startswith("copy")) == ["copy"]


def no_documents(place):
    """what is no document is refused: too large, a folder, a pipe, a device, nothing"""
    with node(place, "--no-page") as a:
        a.run("meeting", "create", "Plan")
        large, pipe, small = place / "large", place / "pipe", place / "small"
        large.touch()
        os.truncate(large, 100 * 1024 * 1024 + 1)
        os.mkfifo(pipe)
        small.write_bytes(b"x")
        for path in (large, place, pipe, place / "none", "/dev/zero"):
            a.refused("doc", "add", path)
        document = a.run("doc", "add", small)["id"]
        for target in (place, pipe, place / "none" / "x"):
            a.refused("doc", "get", document, "-o", target)
        a.refused("doc", "get", "zz", "-o", place / "x")
        a.refused("doc", "get", "", "-o", place / "x", status=2)
        assert not (place / "x").exists() and len(a.run("doc", "list")) == 1


def cut_while_adding(a, number, size):
    """Ends the node so while it takes in a document; whether it was quick enough for that."""
    big = a.home.parent / "big"
    big.write_bytes(os.urandom(size))
    adding = subprocess.Popen([PROGRAM, "--home", a.home, "doc", "add", big],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                              env=a.environment)
    grown = a.home / "maillon.db-wal"
    deadline = time.monotonic() + WAIT_S
    before = grown.stat().st_size
    while grown.stat().st_size < before + 1_000_000 and adding.poll() is None:
        assert time.monotonic() < deadline, grown.stat().st_size
    status = a.end(number)
    assert status == (0 if number == signal.SIGTERM else -9), status
    said = adding.communicate(timeout=WAIT_S)[1]
    assert adding.returncode == 0 or adding.returncode == 1 and said, (adding.returncode, said)
    return adding.returncode == 1


def cut(place):
    """ended or killed while a document is added: nothing half-done is shown"""
    a = Node(place / "home")
    a.start("--no-page")
    a.run("meeting", "create", "Plan")
    whole = 0  # added before this test, on a busy machine, came to end the node
    for number in (signal.SIGTERM, signal.SIGKILL):
        while not cut_while_adding(a, number, (1 + whole) * 40_000_000):
            whole += 1
            assert whole < 10, "never quick enough"
            a.start("--no-page")
        a.start("--no-page")
        listed = a.run("doc", "list")
        assert [d["have"] for d in listed] == [40_000_000] * whole, listed
    assert a.end() == 0


def refusals(place):
    """each command that makes no sense is refused with a sentence"""
    with node(place, "--no-page") as a:
        a.refused("say", "trop tôt")
        a.refused("peers")
        a.run("meeting", "create", "Crue")
        motion = a.run("motion", "open", "Évacuer ?", "--choices", "oui, non")["id"]
        assert a.run("motion", "show", motion[:8])["tally"] == {"oui": 0, "non": 0}
        for words in (("say", "x" * 5000), ("vote", motion, "peut-être"), ("vote", "zz", "oui"),
                      ("motion", "open", "Q", "--choices", "seul"),
                      ("motion", "open", "Q", "--choices", "a,a"),
                      ("motion", "open", "Q", "--choices", "a,,b"),
                      ("join", "bonjour"), ("answer", "bonjour"), ("accept", "bonjour"),
                      ("mic", "on"), ("meeting", "use", "zz"), ("roster", "expel", "personne")):
            a.refused(*words)
        a.run("vote", motion, "oui")
        a.run("motion", "close", motion)
        assert a.run("motion", "show", motion)["outcome"] == "oui"
        a.refused("vote", motion, "non")
        ticket = a.run("invite")["ticket"]
        assert "already" in a.refused("join", ticket)
        a.run("mic", "off")
    a.refused("status", status=3)


def names(place):
    """a name no one could read, and other options that make no sense, end with a sentence"""
    a = Node(place / "home")
    for options, status in ((("--name", "x" * 65), 1), (("--name", "a\nb"), 1), (("--stun", "x"), 1),
                            (("--port", "70000"), 2), (("--fetch-max", "lots"), 2),
                            (("--passphrase-file", place / "none"), 2)):
        done = subprocess.run([PROGRAM, "start", "--home", a.home, "--no-media", *options],
                              check=False, capture_output=True, text=True, timeout=WAIT_S,
                              stdin=subprocess.DEVNULL, env=a.environment)
        assert done.returncode == status and done.stderr and not done.stdout, (options, done)
    long = Node(place / ("l" * 120))
    assert long.start("--no-page") == "ready"
    assert long.run("status")["meetings"] == []
    assert long.end() == 0


def meetings(place):
    """several meetings: the one in use is remembered over a kill, events follow it"""
    with node(place, "--no-page") as a:
        first = a.run("meeting", "create", "Une")["id"]
        a.run("meeting", "create", "Deux")
        follower = subprocess.Popen([PROGRAM, "--home", a.home, "--json", "messages", "--follow"],
                                    stdout=subprocess.PIPE, text=True, env=a.environment)

        def follows(text):
            assert select.select([follower.stdout], [], [], WAIT_S)[0], text
            assert json.loads(follower.stdout.readline())["text"] == text
        a.run("say", "dans deux")
        follows("dans deux")
        a.run("meeting", "use", first[:12])
        a.run("say", "dans une")
        follows("dans une")
        a.end(signal.SIGKILL)
        follower.wait(WAIT_S)
        follower.stdout.close()
        a.start("--no-page")
        assert [m["text"] for m in a.run("messages")] == ["dans une"]
        assert [m["current"] for m in a.run("meeting", "list")] == [True, False]


def leaving(place):
    """a meeting left is silent, over a restart too, until it is used again; forgotten, it is gone"""
    with node(place, "--no-page") as a:
        first = a.run("meeting", "create", "Une")["id"]
        second = a.run("meeting", "create", "Deux")["id"]
        a.run("say", "dans deux")
        assert a.run("meeting", "leave") == {"id": second, "forgotten": False}
        assert "left already" in a.refused("meeting", "leave", second[:12])
        a.run("say", "dans une")
        a.end(signal.SIGKILL)
        a.start("--no-page")
        listed = {m["id"]: m for m in a.run("meeting", "list")}
        assert listed[second]["state"] == "left" and not listed[second]["current"], listed
        assert listed[first]["state"] == "member" and listed[first]["current"], listed
        assert [m["id"] for m in a.run("status")["meetings"]] == [first]
        a.run("meeting", "use", second[:12])
        assert [m["text"] for m in a.run("messages")] == ["dans deux"]
        a.run("say", "à nouveau")
        a.run("meeting", "leave", "--forget", second[:12])
        assert [m["text"] for m in a.run("messages")] == ["dans une"]
        a.refused("meeting", "use", second[:12])
        a.run("meeting", "leave")
        for words in (("say", "x"), ("peers",), ("meeting", "leave")):
            assert "in no meeting" in a.refused(*words)
        a.end(signal.SIGKILL)
        a.start("--no-page")
        assert [(m["id"], m["state"]) for m in a.run("meeting", "list")] == [(first, "left")]
        a.run("meeting", "leave", "--forget", first[:12])
        assert a.run("meeting", "list") == []


def bandwidth(place):
    """what the line may be used for is shown, changed and remembered"""
    with node(place, "--no-page") as a:
        assert a.run("bandwidth") == {"level": "all", "max_kbit": 0}
        assert a.run("bandwidth", "slides", "--max", "40") == {"level": "slides", "max_kbit": 40}
        a.run("meeting", "create", "Une")
        assert a.run("bandwidth", "voice") == {"level": "voice", "max_kbit": 40}
        a.end(signal.SIGKILL)
        a.start("--no-page")
        assert a.run("bandwidth") == {"level": "voice", "max_kbit": 40}
        assert a.run("bandwidth", "all", "--max", "none") == {"level": "all", "max_kbit": 0}
        for words in (("more",), ("--max", "-1"), ("--max", "much"), ("--max", "0")):
            a.refused("bandwidth", *words, status=2)


def alone(place):
    """alone there is no line to show and nothing to record; what is watched is one line a document"""
    with node(place, "--no-page") as a:
        a.refused("record", place / "x.wav")
        a.refused("record", "stop")
        a.run("meeting", "create", "Une")
        assert a.run("stats")["sources"] == [] and a.run("status")["recording"] == ""
        assert a.run("peers") == []
        watching = subprocess.Popen([PROGRAM, "--home", a.home, "--json", "peers", "--watch"],
                                    stdout=subprocess.PIPE, text=True, env=a.environment)
        for _ in range(2):
            assert select.select([watching.stdout], [], [], WAIT_S)[0]
            assert json.loads(watching.stdout.readline()) == []
        watching.send_signal(signal.SIGINT)
        assert watching.wait(WAIT_S) == 0
        watching.stdout.close()
        assert not (place / "x.wav").exists()


def mesh(place):
    """the map of who is alone, in each form; whoever watches in a terminal ends it by Ctrl-C"""
    with node(place, "--no-page") as a:
        a.refused("map")
        a.run("meeting", "create", "Une")
        shown = a.run("map")
        assert shown["links"] == [] and shown["changes"] == [], shown
        assert [(m["name"], m["self"], m["present"], m["hops"], m["via"], m["neighbour"])
                for m in shown["members"]] == [("Zoé", True, True, 0, "", False)], shown
        assert "not both" in a.refused("map", "--dot", status=2)
        for options, begin in (((), "Members: 1 · here: 1"), (("--dot",), "graph maillon {")):
            done = subprocess.run([PROGRAM, "--home", a.home, "map", *options], check=True,
                                  capture_output=True, text=True, env=a.environment)
            assert done.stdout.startswith(begin) and not done.stderr, done
        process, terminal = pty.fork()
        if process == 0:
            os.execve(PROGRAM, [PROGRAM, "--home", a.home, "peers", "--watch"], a.environment)
        seen = b""
        while seen.count(b"\x1b[H\x1b[2JNobody else") < 2:
            assert select.select([terminal], [], [], WAIT_S)[0], seen
            seen += os.read(terminal, 4096)
        os.write(terminal, b"\x03")
        assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
        os.close(terminal)


def output(place):
    """output that cannot be written is told; one that nobody reads ends the command"""
    with node(place, "--no-page") as a:
        a.run("meeting", "create", "Une")
        for words in (("status",), ("messages", "--json"), ("--help",)):
            with open("/dev/full", "w", encoding="utf-8") as full:
                done = subprocess.run([PROGRAM, "--home", a.home, *words], check=False, stdout=full,
                                      stderr=subprocess.PIPE, timeout=WAIT_S, env=a.environment)
            assert done.returncode == 1 and done.stderr, (words, done)
        a.run("say", "un")
        follower = subprocess.Popen([PROGRAM, "--home", a.home, "messages", "--follow"],
                                    stdout=subprocess.PIPE, text=True, env=a.environment)
        assert select.select([follower.stdout], [], [], WAIT_S)[0] and follower.stdout.readline()
        follower.stdout.close()
        a.run("say", "deux")
        assert follower.wait(WAIT_S) != 0


if __name__ == "__main__":
    main(documents, no_documents, cut, refusals, names, meetings, leaving, bandwidth, alone, mesh,
         output)
