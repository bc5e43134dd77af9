# SPDX-License-Identifier: MPL-2.0
"""Voice: what one node speaks is found as sound in what the others would have played."""

import os
import signal
import time

from harness import sound, tap, wait
from harness.node import Node

ON_ITS_WAY_S = 2  # what a jitter buffer and a player hold at most
LEAST = {"envelope_correlation": 0.85, "pcm_correlation": 0.45, "active_share": 0.9}


def heard(reference, recording):
    """How the speech compares with what is recorded so far; empty while there is nothing."""
    if not recording.exists() or recording.stat().st_size < 100:
        return {}
    return sound.find(reference, recording)


def speaking(node):
    """Whether its microphone is on; a file is spoken once."""
    return any(source["kind"] == "voice" for source in node.run("stats")["sources"])


def until_good(what, listener, sources, good, timeout=60):
    """Until it is good enough what is heard of `sources`, by node: a busy machine may spoil a speech,
    so each is spoken again when it ended. Nothing is compared while they speak: it would be heard."""
    ended_s = [0.0]  # when what was said before is on its way no more

    def look():
        if any(speaking(node) for node in sources):
            ended_s[0] = time.monotonic() + ON_ITS_WAY_S
            return False
        if good():
            return True
        if time.monotonic() > ended_s[0]:
            for node in sources:
                node.run("mic", "on", "--source", sources[node])
        return False
    listener.wait(what, look, timeout)


def hears(listener, speaker, reference, recording, source=None):
    """Until the whole speech is in the recording."""
    found = {}

    def whole():
        found.update(heard(reference, recording))
        return found and all(found[name] >= least for name, least in LEAST.items())
    try:
        until_good("the whole speech", listener, {speaker: source or reference}, whole)
    except wait.Timeout as error:
        raise AssertionError(f"{listener.name} heard {found} of {listener.run('stats')}") from error


def counted(listener, speaker):
    """What the listener counts of a speaker."""
    wanted = speaker.run("status")["id"]
    return next((s for s in listener.run("stats")["speakers"] if s["id"] == wanted),
                {"frames": 0, "in_time": 0, "lost": 0})


def nearly_all(listener, speaker, speech):
    """Of one speech; the counters before and after where it is not so."""
    before = counted(listener, speaker)
    speaker.run("mic", "on", "--source", speech)
    speaker.wait("the end of the speech", lambda: not speaking(speaker), 40)
    wait.still("what was counted", lambda: counted(listener, speaker)["frames"])
    after = counted(listener, speaker)
    frames, in_time, lost = (after[key] - before[key] for key in ("frames", "in_time", "lost"))
    return frames > 50 and in_time >= 0.95 * frames and lost <= 0.02 * frames


def group(world):
    """Three nodes in a meeting; B and C write what they would play."""
    _, hosts = world.lan(3)
    a, b, c = (Node(world, host, name) for host, name in zip(hosts, "ABC"))
    sinks = {node: world.directory / f"{node.name}.wav" for node in (b, c)}
    a.start("--sink", "fake", media=True)
    for node in (b, c):
        node.start("--sink", sinks[node], media=True)
    a.create("Cellule")
    ticket = a.invite("--uses", "5")
    b.join(ticket)
    c.join(ticket)
    for node in (a, b, c):
        node.wait_members(3)
    for node in (b, c):
        node.wait_peer("A")
    b.wait_peer("C")
    return a, b, c, sinks


def speech(test, world):
    """Speech on a LAN"""
    one = sound.speech(world.directory / "alerte.wav", "alerte")
    other = sound.speech(world.directory / "conseil.wav", "conseil", 165)
    a, b, c, sinks = group(world)
    with test.timely("a speech of one is heard whole by both others"):
        for node in (b, c):
            hears(node, a, one, sinks[node])
    with test.step("`stats` counts its frames"):
        heard_ids = {s["id"] for s in b.run("stats")["speakers"] if s["frames"] > 0}
        assert heard_ids == {a.run("status")["id"]}, heard_ids
    with test.timely("nearly all of them in time"):
        a.wait("a speech that no other program disturbs", lambda: nearly_all(b, a, one), 60)
    with test.timely("two speak at once, and a third hears both"):
        until_good("the second speech", c, {a: one, b: other}, lambda: mixed(other, sinks[c]))
    with test.step("chat goes on beside voice"):
        a.run("mic", "on", "--source", "test")
        more(c, a)
        b.say("bien entendu")
        a.wait_text("bien entendu")
        more(c, a)
    with test.step("a microphone switched off is silent; switched off twice, it is off"):
        for node in (a, a, b):
            node.run("mic", "off")
        talk(a, c, "silence")
        wait.still("its voice", lambda: frames(c, a))
    with test.step("a node asked to end finishes its recording"):
        for node in (b, c):
            known = heard(one, sinks[node])
            node.stop()
            raw = sinks[node].read_bytes()
            stated = int.from_bytes(raw[4:8], "little") + 8
            assert stated == len(raw), (stated, len(raw))
            found = sound.find(one, sinks[node])
            assert found["pcm_correlation"] > known["pcm_correlation"] - 0.05, (known, found)


def frames(listener, speaker):
    """How many frames of a speaker were there when due, as the listener counts."""
    return counted(listener, speaker)["in_time"]


def more(listener, speaker):
    """Until more of a speaker is heard than now."""
    before = frames(listener, speaker)
    listener.wait(f"more of {speaker.name}", lambda: frames(listener, speaker) > before)


def talk(a, b, text):
    """One message there, one back."""
    a.say(text)
    b.wait_text(text)
    b.say(text + ", oui")
    a.wait_text(text + ", oui")


def mixed(reference, recording):
    """Found among other voices: the loudness then follows both."""
    found = sound.find(reference, recording)
    return found if found["pcm_correlation"] >= 0.4 and found["envelope_correlation"] > 0.4 else None


def killed(test, world):
    """Media processes that die"""
    one = sound.speech(world.directory / "alerte.wav", "alerte")
    a, b, c, sinks = group(world)
    with test.need("the speaker has a capture process while it talks"):
        a.run("mic", "on", "--source", "test")
        before = a.wait("a helper", a.helpers)
    with test.step("killed while talking, they are started again"):
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        a.wait("new helpers", lambda: len(a.helpers()) >= len(before)
               and not set(a.helpers()) & set(before), 15)
    with test.step("chat and votes never noticed"):
        b.say("ça coupe")
        a.wait_text("ça coupe")
        question = a.run("motion", "open", "Continuer ?")["id"]
        c.wait("the motion", lambda: c.run("motion", "show", question)["state"] == "open")
        c.run("vote", question, "pour")
        a.wait("the ballot", lambda: a.run("motion", "show", question)["counted"] == 1)
    with test.step("the listener's player killed is started again"):
        victims = b.helpers()
        assert victims, b.process.children()
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        b.wait("a new player", lambda: b.helpers() and not set(b.helpers()) & set(victims), 15)
        more(b, a)
        a.run("mic", "off")
    with test.timely("and then plays, as the other did all the time"):
        hears(c, a, one, sinks[c])


def whole(recording):
    """The header says what the file holds."""
    raw = recording.read_bytes()
    assert int.from_bytes(raw[4:8], "little") + 8 == len(raw), len(raw)
    assert int.from_bytes(raw[40:44], "little") + 44 == len(raw), len(raw)


def recorded(test, world):
    """A recording of what is heard"""
    one = sound.speech(world.directory / "alerte.wav", "alerte")
    other = sound.speech(world.directory / "conseil.wav", "conseil", 165)
    a, b, _, _ = group(world)
    out = world.directory / "réunion.wav"
    with test.need("a recording is begun once"):
        assert b.run("record", out)["path"] == str(out)
        assert b.run("status")["recording"] == str(out)
        assert "goes on" in b.refused("record", world.directory / "autre.wav")
    with test.timely("from the command on, a node writes what it plays"):
        hears(b, a, one, out)
    with test.step("it goes on in the same file when the player is killed"):
        victims = b.helpers()
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        b.wait("a new player", lambda: b.helpers() and not set(b.helpers()) & set(victims), 15)
        a.run("mic", "on", "--source", "test")
        more(b, a)
        a.run("mic", "off")
    with test.timely("what is spoken then is in it"):
        until_good("the second speech", b, {a: other}, lambda: mixed(other, out))
    with test.step("`record stop` leaves a whole file, which no other recording replaces"):
        known = heard(one, out)
        assert b.run("record", "stop")["path"] == str(out)
        whole(out)
        found = sound.find(one, out)
        assert found["pcm_correlation"] > known["pcm_correlation"] - 0.05, (known, found)
        assert "already" in b.refused("record", out)
        b.refused("record", "stop")
        assert b.run("status")["recording"] == ""
    with test.step("on a full disk it ends, says so, and leaves a file that plays"):
        short = world.small_disk("disk", "400k") / "court.wav"
        b.run("record", short)
        b.process.line("maillon: the recording", 30)
        assert b.run("status")["recording"] == ""
        whole(short)
        b.say("encore là")
        a.wait_text("encore là")


def sources(test, world):
    """Sources that are no good"""
    a, b, _, sinks = group(world)
    with test.step("a description that is none is refused with a reason"):
        a.refused("mic", "on", "--source", "audiotestsrc ! nosuchelement")
        a.refused("mic", "on", "--source", "! ! !")
        a.refused("mic", "on", "--source", "audiotestsrc freq=")
    with test.step("a file that is not there, or is no sound, is refused"):
        a.refused("mic", "on", "--source", world.directory / "nothing.wav")
        text = world.directory / "text.wav"
        text.write_text("bonjour")
        a.refused("mic", "on", "--source", text)
    with test.step("a source that dies while running harms nothing"):
        # An element that gives up by itself after two dozen buffers.
        a.command("mic", "on", "--source", "audiotestsrc ! identity error-after=25")
        b.say("encore là ?")
        a.wait_text("encore là ?")
        assert a.process.running()
    with test.timely("and a good description works afterwards"):
        one = sound.speech(world.directory / "alerte.wav", "alerte")
        a.run("mic", "off")
        hears(b, a, one, sinks[b],
              f"filesrc location={one} ! wavparse ! audioconvert ! audioresample")


def narrow(test, world):
    """A line too narrow for Opus"""
    one = sound.speech(world.directory / "alerte.wav", "alerte")
    hosts = world.host("a"), world.host("b")
    world.line(*hosts, settings=["rate=10k", "delay=100", "queue=8000"])
    a, b = (Node(world, host, name) for host, name in zip(hosts, "AB"))
    sink = world.directory / "B.wav"
    a.start("--sink", "fake", media=True)
    b.start("--sink", sink, media=True)
    a.create("Cellule")
    b.join(a.invite(), "--wait", "60")
    a.wait_peer("B", timeout=60)
    b.wait_peer("A", timeout=60)
    with test.step("on 10 kbit/s a voice is coded with Codec2"):
        a.run("mic", "on", "--source", "test")
        a.wait("Codec2", lambda: coded(a) == "codec2", 30)
        a.run("mic", "off")
    with test.timely("it is heard: loud and silent when it was spoken so"):
        # What the line swallowed before it was known still makes the delay waver at first.
        found = {}

        def spoken():
            found.update(heard(one, sink))
            return found and found["envelope_correlation"] >= 0.8 and found["active_share"] >= 0.8
        try:
            until_good("the speech", b, {a: one}, spoken)
        except wait.Timeout as error:
            raise AssertionError(f"{found} of {b.run('stats')}, {a.run('stats')}") from error
        a.run("mic", "off")
    with test.step("and what is asked beside it passes too"):
        talk(a, b, "dix kilobits")


def coded(node):
    """With what the node's voice is coded; nothing while it does not speak."""
    return next((source["codec"] for source in node.run("stats")["sources"]
                 if source["kind"] == "voice"), None)


if __name__ == "__main__":
    tap.need_environment("MAILLON_BIN", "the node program")
    tap.need_environment("MAILLON_MEDIA", "the media helper")
    if sound.missing():
        tap.skip_all("missing: " + sound.missing())
    tap.main(speech, killed, recorded, sources, narrow)
