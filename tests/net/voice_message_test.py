# SPDX-License-Identifier: MPL-2.0
"""Voice on a line too narrow for it: push-to-talk gives way to a message, which arrives whole; and
nothing goes on speaking once whoever asked for it is gone."""

import json
import math
import re
import signal
import subprocess

from harness import sound, tap, wait
from harness.node import Node

NOISE = "audiotestsrc wave=pink-noise is-live=true"
LEAST = {"envelope_correlation": 0.85, "pcm_correlation": 0.45, "active_share": 0.9}


def voices(node):
    """The voice messages a node knows, by id."""
    return {message["id"]: message["voice"] for message in node.run("messages")
            if "voice" in message}


def whole(node, message, timeout=60):
    """Until all of a voice message is there; what is said of it."""
    def there():
        voice = voices(node).get(message)
        return voice if voice and voice["whole"] else None
    return node.wait("the whole voice message", there, timeout)


def talk(node, *options):
    """What push-to-talk answers, and the sentence it says meanwhile."""
    done = node.command("talk", *options)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def told_kbit(node, name):
    """What a line gives, as it was last told on the node's terminal."""
    told = re.findall(rf"maillon: {name}: the line gives (\d+) kbit/s", "\n".join(node.process.lines))
    return int(told[-1]) if told else math.inf


def narrow(test, world):
    """A line of 6 kbit/s"""
    reference = sound.speech(world.directory / "alerte.wav", "alerte")
    sink = world.directory / "B.wav"
    a, b = (Node(world, world.host(name), name) for name in "AB")
    line = world.line(a.host, b.host, settings=["rate=256k", "delay=100", "queue=8k"])
    a.start("--sink", "fake", media=True)
    b.start("--sink", sink, media=True)
    a.create("Cellule")
    b.join(a.invite())
    a.wait_peer("B")
    with test.step("on a good line push-to-talk is live"):
        answer, said = talk(a, "--source", "test", "--seconds", "2")
        assert '"live":true' in answer, answer
        assert "heard live" in said, said
        assert not voices(a), voices(a)
    with test.step("a microphone that is on makes way for it, and goes on"):
        a.run("mic", "on", "--source", "test")
        answer, _ = talk(a, "--source", "test", "--seconds", "1")
        assert '"live":true' in answer, answer
        a.wait("the microphone", lambda: a.run("stats")["sources"])
        a.run("mic", "off")
        a.wait("silence", lambda: not a.run("stats")["sources"])
    with test.step("of a line that goes on getting worse it is told again"):
        a.run("mic", "on", "--source", NOISE)
        for rate_kbit in (40, 6):
            line.command(f"rate {rate_kbit}k")
            a.wait(f"{rate_kbit} kbit/s", lambda least=rate_kbit: told_kbit(a, "B") < least * 3 / 2,
                   60)
    with test.step("when the line falls under live voice, a message is offered"):
        a.wait("the offer", lambda: any("for live voice. `maillon voice send`" in said
                                        for said in a.process.lines), 60)
        assert "for live voice" in a.run("status")["offer"]["reason"]
        a.run("mic", "off")
    with test.step("push-to-talk then records by itself, and says why"):
        answer, said = talk(a, "--source", "test", "--seconds", "2")
        assert '"live":false' in answer, answer
        assert "for live voice" in said and "voice message" in said, said
        spoken = list(voices(a))
        assert len(spoken) == 1 and spoken[0] in answer, (spoken, answer)
    with test.step("a speech is sent as a message, and is there to its end"):
        sent = a.run("voice", "send", "--source", reference)
        mine = whole(a, sent["id"], 5)
        there = whole(b, sent["id"])
        assert there == mine and there["parts"] > 1, (mine, there)
        assert abs(there["duration_ms"] - sent["duration_ms"]) < 200, (sent, there)
    with test.timely("and is heard whole by who plays it"):
        played = b.run("voice", "play", sent["id"][:8])
        assert played["whole"] and played["played_ms"] == there["duration_ms"], played
        found = {}

        def recorded():
            found.update(sound.find(reference, sink))
            return all(found[name] >= least for name, least in LEAST.items()) or None

        def again():
            return recorded() or b.run("voice", "play", sent["id"][:8]) and recorded()
        try:
            b.wait("the speech in the recording", again, 30)
        except wait.Timeout as error:
            raise AssertionError(f"heard {found}") from error
    with test.step("a microphone that is on makes way for a message, and goes on"):
        line.command("rate 256k")
        a.run("mic", "on", "--source", "test")
        a.run("voice", "send", "--source", "test", "--seconds", "1")
        a.wait("the microphone", lambda: a.run("stats")["sources"])
    with test.step("what was offered is taken back when the line carries live voice again"):
        a.wait("the word", lambda: any("carries live voice again" in said
                                       for said in a.process.lines), 60)
        assert "offer" not in a.run("status")
        a.run("mic", "off")
    with test.step("who holds the microphone meanwhile is told that it does not"):
        held = begun(a, "talk", "--source", NOISE, stderr=subprocess.PIPE)
        a.wait("the voice", lambda: a.run("stats")["sources"])
        line.command("rate 6k")
        a.wait("an offer", lambda: "offer" in a.run("status"), 60)
        held.terminate()
        said = held.communicate(timeout=30 * wait.PATIENCE)[1]
        assert said.index("heard live") < said.index("for live voice"), said
    with test.step("what is no voice message is not played"):
        assert "no such voice message" in b.refused("voice", "play", b.say("bonjour"))
        a.run("voice", "stop")  # nothing is recorded: nothing to be done


def begun(node, *words, stderr=subprocess.DEVNULL):
    """A command that lasts, under way."""
    return subprocess.Popen(node.host.argv(node.binary, "--home", node.home, "--json", *words),
                            text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=stderr, env=node.environment)


def catches(command, number=signal.SIGTERM):
    """Whether a program is far enough to end in order when it gets a signal."""
    with open(f"/proc/{command.pid}/status", encoding="ascii", errors="replace") as status:
        caught = next(line for line in status if line.startswith("SigCgt:"))
    return int(caught.split()[1], 16) >> (number - 1) & 1


def answered(command):
    """What it answers; it must end by itself."""
    answer = command.communicate(timeout=30 * wait.PATIENCE)[0]
    assert command.returncode == 0, answer
    return json.loads(answer)


def recording(node):
    """Somebody speaks a message: the microphone is refused for that, not for the source."""
    return "voice message" in node.refused("mic", "on", "--source", "nosuchelement")


def gone(test, world):
    """Whoever spoke or listened is gone"""
    a, b = (Node(world, world.host(name), name) for name in "AB")
    world.line(a.host, b.host)
    a.start("--sink", "fake", media=True)
    b.start("--sink", "fake", media=True)
    meeting = a.create("Cellule")
    b.join(a.invite())
    a.wait_peer("B")
    with test.step("the microphone is off when push-to-talk was killed"):
        command = begun(a, "talk", "--source", "test")
        a.wait("the voice", lambda: a.run("stats")["sources"])
        command.kill()
        command.communicate()
        a.wait("silence", lambda: not a.run("stats")["sources"])
    with test.step("a message whose program was killed is whole"):
        command = begun(a, "voice", "send", "--source", "test")
        a.wait("a part of it", lambda: voices(a))
        command.kill()
        command.communicate()
        a.wait("its end", lambda: not recording(a))
        assert all(voice["whole"] for voice in voices(a).values()), voices(a)
    with test.step("who ends listening does not end what is spoken"):
        sent = a.run("voice", "send", "--source", "test", "--seconds", "10")
        spoken = begun(a, "voice", "send", "--source", "test")
        heard = begun(a, "voice", "play", sent["id"])
        a.wait("the recording", lambda: recording(a))
        wait.until("a program that ends in order", lambda: catches(heard))
        heard.terminate()
        assert not answered(heard)["whole"]
        assert recording(a)
        # What is stopped before anything was spoken is no message.
        a.wait("a part of it", lambda: not all(voice["whole"] for voice in voices(a).values()))
        a.run("voice", "stop")
        assert answered(spoken)["duration_ms"] > 0
    with test.step("what was said until a meeting is left is kept, and ends there"):
        spoken = begun(a, "voice", "send", "--source", "test")
        a.wait("a part of it", lambda: not all(voice["whole"] for voice in voices(a).values()))
        heard = begun(a, "voice", "play", sent["id"])
        a.run("meeting", "leave")
        said = answered(spoken)
        heard.communicate(timeout=30 * wait.PATIENCE)  # refused, when it came after
        a.run("meeting", "use", meeting)
        assert voices(a)[said["id"]]["whole"]
    with test.step("whoever speaks when nobody is in reach any more is offered a message"):
        a.wait_peer("B", timeout=60)
        a.run("mic", "on", "--source", "test")
        assert "offer" not in a.run("status")
        b.kill()
        a.wait("the offer", lambda: "Nobody is in reach" in a.run("status").get(
            "offer", {}).get("reason", ""), 60)
        a.run("mic", "off")
    with test.step("which stands until somebody is"):
        assert "offer" in a.run("status")
        b.start("--sink", "fake", media=True)
        a.wait("it taken back", lambda: "offer" not in a.run("status"), 60)


if __name__ == "__main__":
    tap.need_environment("MAILLON_BIN", "the node program")
    tap.need_environment("MAILLON_MEDIA", "the media helper")
    if sound.missing():
        tap.skip_all("missing: " + sound.missing())
    tap.main(narrow, gone)
