# SPDX-License-Identifier: MPL-2.0
"""How long a sound takes from what a node's microphone gives to what another node plays."""

import array
import math
import os
import random
import threading
import time

RATE = 48000
PIECE_S = 0.01
PIECE = int(RATE * PIECE_S)
BEGIN = 300  # pieces of murmur, in which buffers find their depth
EVERY = 50
LASTS = 6
MURMUR, BEEP, HEARD = 200, 12000, 3000  # of 32767
LOOK_S = 0.001
HEADER = 44


def _piece(beep):
    """Ten milliseconds of murmur, or of a beep."""
    samples = (BEEP * math.sin(2 * math.pi * 1000 * i / RATE) if beep
               else random.uniform(-MURMUR, MURMUR) for i in range(PIECE))
    return array.array("h", (int(sample) for sample in samples)).tobytes()


class Mouth:
    """A microphone made of a pipe: murmurs, and beeps at moments it remembers."""

    def __init__(self, path, beeps):
        self.path = path
        self.beeps = beeps
        self.spoken_s = []
        os.mkfifo(path)
        self.thread = threading.Thread(target=self._speak, daemon=True)

    @property
    def source(self):
        """The GStreamer description of it."""
        return (f"filesrc location={self.path} blocksize={PIECE * 2} do-timestamp=true"
                f" ! rawaudioparse format=pcm pcm-format=s16le sample-rate={RATE} num-channels=1")

    def _speak(self):
        pause, pipe, begun = threading.Event(), None, 0.0
        for number in range(BEGIN + self.beeps * EVERY):
            place = (number - BEGIN) % EVERY if number >= BEGIN else EVERY
            data = _piece(place < LASTS)
            if pipe is None:
                pipe = open(self.path, "wb", buffering=0)
                begun = begun or time.monotonic()
            pause.wait(max(0.0, begun + (number + 1) * PIECE_S - time.monotonic()))
            if place == 0:
                # The first sample of a piece was spoken when the piece began.
                self.spoken_s.append(time.monotonic() - PIECE_S)
            try:
                pipe.write(data)
            except BrokenPipeError:
                # Who plays it may open it twice, to see first whether it can be played.
                pipe.close()
                pipe = None


def listen(path, until_s, count):
    """The moments at which beeps appear in a WAV file that is being written."""
    heard, silent_until, pause = [], 0.0, threading.Event()
    with open(path, "rb") as file:
        file.seek(0, os.SEEK_END)
        odd = (file.tell() - HEADER) % 2
        file.seek(-odd, os.SEEK_CUR)
        while len(heard) < count and time.monotonic() < until_s:
            data = file.read()
            now = time.monotonic()
            samples = array.array("h", data[:len(data) // 2 * 2])
            file.seek(-(len(data) % 2), os.SEEK_CUR)
            for index, sample in enumerate(samples):
                # Samples that came together were played one after the other.
                at = now - (len(samples) - index) / RATE
                if abs(sample) >= HEARD and at > silent_until:
                    heard.append(at)
                    silent_until = at + EVERY * PIECE_S / 2
            pause.wait(LOOK_S)
    return heard


def delays_ms(speaker, listener, heard_path, pipe_path, beeps=12):
    """Speaks at one node and listens at the other; the delay of each beep that was heard."""
    mouth = Mouth(pipe_path, beeps)
    mouth.thread.start()
    speaker.run("mic", "on", "--source", mouth.source)
    listener.wait("a voice", lambda: any(s["frames"] > 0 for s in listener.run("stats")["speakers"]))
    heard = listen(heard_path, time.monotonic() + (BEGIN + (beeps + 2) * EVERY) * PIECE_S, beeps)
    found = []
    for spoken in mouth.spoken_s:
        after = [moment - spoken for moment in heard if 0 <= moment - spoken < EVERY * PIECE_S]
        if after:
            found.append(after[0] * 1000)
    assert len(found) >= beeps // 2, f"{len(found)} of {beeps} beeps were heard"
    return found
