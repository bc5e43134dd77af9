# SPDX-License-Identifier: MPL-2.0
"""Whoever asks is refused in their own language, whatever the node's; hands at the command line."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "net"))

# pylint: disable=wrong-import-position
from harness.alone import Node, main, running

LANGUAGES = {"fr": "fr_FR.UTF-8", "en": "en_GB.UTF-8"}


def node(home, language):
    """A running node that speaks one language, ended cleanly."""
    return running(Node(home), "--no-page", language=LANGUAGES[language])


def refusals(a, place, asks):
    """What the node says no to: at once, after a while, from deep within."""
    bundle = place / "no.bundle"
    bundle.write_text("no bundle\n")
    outside = [a.refused(*words, language=LANGUAGES[asks]) for words in (
        ("say", "bonjour"), ("hand", "up"), ("meeting", "use", "ff"),
        ("join", "maillon:zzzz"), ("accept", "zzzz"))]
    ticket = a.run("meeting", "create", "Une")["id"] and a.run("invite")["ticket"]
    motion = a.run("motion", "open", "Quoi ?")["id"]
    inside = [a.refused(*words, language=LANGUAGES[asks]) for words in (
        ("join", ticket), ("motion", "open", "x", "--choices", "un"),
        ("motion", "open", "x", "--choices", "a,a"), ("vote", motion, "peut-être"),
        ("motion", "show", "zz"), ("doc", "get", "zz", "-o", place / "x"),
        ("voice", "play", "zz"), ("mic", "on"), ("cam", "on"), ("talk",), ("voice", "send"),
        ("record", place / "x.wav"), ("record", "stop"), ("hand", "down", "personne"),
        ("roster", "expel", "personne"), ("roster", "expel", "Zoé"),
        ("doc", "add", place), ("bundle", "import", bundle), ("page",))]
    a.run("motion", "close", motion)
    inside.append(a.refused("vote", motion, "pour", language=LANGUAGES[asks]))
    meeting = a.run("meeting", "leave")["id"]
    left = [a.refused("say", "bonjour", language=LANGUAGES[asks])]
    assert f"maillon meeting use {meeting[:8]}" in left[0], left
    left = [text.replace(meeting[:8], "…") for text in left]
    left.append(a.refused("meeting", "leave", meeting, language=LANGUAGES[asks]).replace(meeting, "…"))
    return outside + inside + left


def asker(place):
    """a refusal is in the asker's language, on a node of either"""
    said = {}
    for speaks in LANGUAGES:
        for asks in LANGUAGES:
            home = place / f"{speaks}-{asks}" / "home"
            home.parent.mkdir()
            with node(home, speaks) as a:
                said[speaks, asks] = refusals(a, place, asks)
    for english, french, *others in zip(said["en", "en"], said["fr", "fr"], said["fr", "en"],
                                        said["en", "fr"], strict=True):
        assert others == [english, french], (english, french, others)
        assert english != french, english


def hands(place):
    """a hand goes up and down, and is shown wherever people are"""
    with node(place / "home", "fr") as a:
        a.run("meeting", "create", "Une")
        own = a.run("status")["id"]
        assert a.run("hand", "list") == [] and a.run("status")["hands"] == []
        wanted = [{"number": 1, "id": own, "name": "Zoé", "self": True}]
        assert a.run("hand", "up") == wanted and a.run("hand", "list") == wanted
        assert a.run("hand", "up") == wanted, "up already"
        assert a.run("status")["hands"] == wanted
        assert [member["hand"] for member in a.run("roster", "list")] == [1]
        shown = a.command("status", language=LANGUAGES["fr"], options=())
        assert "Demandent la parole" in shown.stdout and "1. Zoé, vous" in shown.stdout, shown
        assert a.run("hand", "down", "Zoé") == [] and a.run("hand", "list") == []
        for up in (True, False) * 8:
            done = a.command("hand", "up" if up else "down")
            if done.returncode != 0:
                break
        assert done.returncode == 1 and "too often" in done.stderr, done


def voters(place):
    """who has voted is shown at once, and how once it is closed"""
    with node(place / "home", "en") as a:
        a.run("meeting", "create", "Une")
        motion = a.run("motion", "open", "Le midi ?")["id"]
        voter = {"id": a.run("status")["id"], "name": "Zoé", "voted": False, "choice": ""}
        assert a.run("motion", "show", motion)["voters"] == [voter]
        a.run("vote", motion, "contre")
        shown = a.run("motion", "show", motion)
        assert shown["voters"] == [{**voter, "voted": True}] and "own_vote" not in shown
        assert a.run("motion", "list")[0]["own_vote"] == "contre"
        a.run("motion", "close", motion)
        shown = a.run("motion", "show", motion)
        assert shown["voters"] == [{**voter, "voted": True, "choice": "contre"}]


def decimals(place):
    """a French sentence has a comma in its numbers, an English one a point"""
    with node(place / "home", "en") as a:
        a.run("meeting", "create", "Une")
        file = place / "plan.pdf"
        file.write_bytes(bytes(12_340))
        a.run("doc", "add", file)
        assert "12,3\u00a0ko" in a.command("doc", "list", language=LANGUAGES["fr"], options=()).stdout
        assert "12.3 kB" in a.command("doc", "list", language=LANGUAGES["en"], options=()).stdout
        wrong = a.command("bandwidth", "--max", "abc")
        assert wrong.returncode == 2 and "`none`" in wrong.stderr, wrong


if __name__ == "__main__":
    main(asker, hands, voters, decimals)
