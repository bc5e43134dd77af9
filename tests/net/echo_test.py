# SPDX-License-Identifier: MPL-2.0
"""Echo: who speaks to a node with a loudspeaker and a microphone does not hear themselves."""

import os
import pathlib
import signal

from harness import room, sound, tap
from harness.node import Node
from harness.room import Room

RAW = "pulsesrc ! audioconvert"  # a description of one's own is left as it is
NAMED = 'pulsesrc device="loudspeaker.monitor"'  # as `devices` would name it
LEAST_DB = 20

# How well who is in the room must be heard: while both speak, and alone.
BOTH = {"envelope_correlation": 0.4, "pcm_correlation": 0.3}
ALONE = {"envelope_correlation": 0.8, "pcm_correlation": 0.45, "active_share": 0.9}


def speaking(node):
    """Whether its microphone is on; a file is spoken once."""
    return any(source["kind"] == "voice" for source in node.run("stats")["sources"])


def heard_back(speaker, recording, speech):
    """How loud what comes back is while one speaks, dB: the second half, when all is learnt."""
    begun = sound.seconds(recording)
    speaker.run("mic", "on", "--source", speech)
    speaker.wait("the end of the speech", lambda: not speaking(speaker), 60)
    ended = sound.seconds(recording)
    return sound.level(recording, (begun + ended) / 2, ended)


def meeting(world):
    """A records what it would play; B plays into a room and hears it."""
    _, hosts = world.lan(2)
    a, b = (Node(world, host, name) for host, name in zip(hosts, "AB"))
    sink = world.directory / "A.wav"
    place = Room(world)
    place.give(b)
    a.start("--sink", sink, media=True)
    b.start(media=True)
    a.create("Cellule")
    b.join(a.invite())
    for node, other in ((a, "B"), (b, "A")):
        node.wait_peer(other)
    return a, b, sink, place


def heard(near, sink, least, found):
    """Whether who speaks in the room is in the recording so well."""
    found.update(sound.find(near, sink))
    return all(found[name] >= value for name, value in least.items())


def echo(test, world):
    """A loudspeaker beside a microphone"""
    far = sound.speech(world.directory / "far.wav", sound.TEXTS["alerte"] * 2)
    near = sound.speech(world.directory / "near.wav", "conseil", 165)
    a, b, sink, place = meeting(world)
    with test.need("the node says that it cancels echo"):
        assert b.run("devices")["echo_cancelled"] is True
    levels = {}
    with test.timely("without, one hears oneself", needed=True):
        b.run("mic", "on", "--source", RAW)

        def loud():
            levels["raw"] = heard_back(a, sink, far)
            return levels["raw"] > -35
        a.wait("one's own voice", loud, 60)

    def quiet():
        left = heard_back(a, sink, far)
        test.note(f"{levels['raw']:.1f} dB came back, {left:.1f} dB are left")
        return left < levels["raw"] - LEAST_DB
    for name, source in (("the microphone", "auto"), ("one chosen by name", NAMED)):
        with test.timely(f"{name} has at least {LEAST_DB} dB less of it"):
            b.run("mic", "on", "--source", source)
            a.wait("to be left alone", quiet, 60)
    with test.timely("and so it stays when the player is started again"):
        player, = (pid for pid, line in b.helpers().items() if " play " in line)
        os.kill(player, signal.SIGKILL)
        b.wait("a new player", lambda: any(" play " in line and pid != player
                                           for pid, line in b.helpers().items()))
        a.wait("to be left alone", quiet, 60)
    with test.timely("who is in the room is heard while one speaks oneself"):
        found = {}

        def both():
            a.run("mic", "on", "--source", far)
            place.say(near)
            a.run("mic", "off")
            return heard(near, sink, BOTH, found)
        a.wait("the near speech", both, 60)
        test.note(found)
    with test.timely("and whole when one is silent"):
        found = {}

        def alone():
            place.say(near)
            return heard(near, sink, ALONE, found)
        a.wait("the near speech, whole", alone, 60)
        test.note(found)


def without(world):
    """All plugins but the one that cancels; where they are, as GStreamer is told."""
    folder = world.directory / "plugins"
    folder.mkdir()
    for plugin in pathlib.Path("/usr/lib").glob("*/gstreamer-1.0/*.so"):
        if plugin.name != "libgstwebrtcdsp.so":
            (folder / plugin.name).symlink_to(plugin)
    return {"GST_PLUGIN_SYSTEM_PATH_1_0": str(folder),
            "GST_REGISTRY": str(world.directory / "plugins.registry")}


def missing(test, world):
    """A machine that cannot cancel"""
    b = Node(world, world.host(), "B")
    Room(world).give(b)
    b.environment.update(without(world))
    b.start(media=True, timeout=60)
    b.create("Cellule")
    with test.step("it says so where devices are listed"):
        assert b.run("devices")["echo_cancelled"] is False
    with test.step("and once more where the microphone is switched on, which works all the same"):
        b.run("mic", "on")
        b.process.line("maillon: the microphone keeps its echo", 20)
        assert speaking(b)


if __name__ == "__main__":
    tap.need_environment("MAILLON_BIN", "the node program")
    tap.need_environment("MAILLON_MEDIA", "the media helper")
    if sound.missing() or room.missing():
        tap.skip_all("missing: " + (sound.missing() or room.missing()))
    tap.main(echo, missing)
