# SPDX-License-Identifier: MPL-2.0
"""A room with a loudspeaker and a microphone that hears it: a sound server of the test's own."""

import shutil
import subprocess

from . import wait


def missing():
    """The tools that are not there, as words; empty if all are."""
    return ", ".join(tool for tool in ("pulseaudio", "pacat") if shutil.which(tool) is None)


class Room:
    """A PulseAudio with one loudspeaker into nothing; its microphone is what that plays."""

    def __init__(self, world, name="room"):
        folder = world.directory / name
        folder.mkdir()
        socket = folder / "sound"
        self.environment = {"PULSE_SERVER": f"unix:{socket}", "HOME": str(folder),
                            "XDG_RUNTIME_DIR": str(folder), "PULSE_RUNTIME_PATH": str(folder)}
        self.process = world.spawn(name, [
            "pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no",
            "--disable-shm", "--log-target=stderr",
            f"--load=module-native-protocol-unix socket={socket} auth-anonymous=1",
            "--load=module-null-sink sink_name=loudspeaker rate=48000 channels=1 norewinds=1"],
            environment={"PATH": "/usr/bin:/bin", **self.environment})
        wait.until("the sound server", socket.exists)

    def give(self, node):
        """The node plays into this room and hears it."""
        node.environment.update(PULSE_SERVER=self.environment["PULSE_SERVER"])

    def say(self, path):
        """Somebody in the room speaks, until the file is over."""
        subprocess.run(
            ["pacat", "--playback", "--device=loudspeaker", "--file-format=wav", str(path)],
            env={"PATH": "/usr/bin:/bin", **self.environment}, stdin=subprocess.DEVNULL, check=True)
