# SPDX-License-Identifier: MPL-2.0
"""A long speech into one node's microphone, and when each part of it is heard at another."""

import array
import contextlib
import math
import os
import threading
import time
import wave

from harness import sound

from table import Unable

RATE = 48000
PIECE = RATE // 100
STEP_S = 0.01
HEADER = 44
WINDOW = 200  # steps that are looked for together
SEARCH = 300  # steps they may come later
EVERY = 100  # steps from one window to the next
ALIKE = 0.75  # correlation of loudness from which a window is found
LOOK_S = 0.005
TOLD = 4  # of a step's samples one in so many tells how loud it is


def _loudness(samples):
    """One value a step, its root taken so that quiet syllables count too."""
    return [math.sqrt(sum(map(abs, samples[at:at + PIECE:TOLD])) * TOLD / PIECE)
            for at in range(0, len(samples) - PIECE + 1, PIECE)]


class Mouth:
    """A microphone made of a pipe, into which a speech is spoken in real time, over and over."""

    def __init__(self, directory):
        if sound.missing():
            raise Unable("missing: " + sound.missing())
        self.path = directory / "mouth"
        text = " ".join(sound.TEXTS.values())
        with wave.open(str(sound.speech(directory / "speech.wav", text)), "rb") as file:
            self.samples = array.array("h", file.readframes(file.getnframes()))
        del self.samples[len(self.samples) // PIECE * PIECE:]
        self.begun_s = 0.0
        os.mkfifo(self.path)
        threading.Thread(target=self._speak, daemon=True).start()

    @property
    def source(self):
        """The GStreamer description of it."""
        return (f"filesrc location={self.path} blocksize={PIECE * 2} do-timestamp=true"
                f" ! rawaudioparse format=pcm pcm-format=s16le sample-rate={RATE} num-channels=1")

    def _speak(self):
        # Who plays it may open it twice, to see first whether it can be played.
        with contextlib.suppress(FileNotFoundError):
            while True:
                with contextlib.suppress(BrokenPipeError), open(self.path, "wb", 0) as pipe:
                    self._speak_into(pipe)

    def _speak_into(self, pipe):
        pause, data = threading.Event(), self.samples.tobytes()
        self.begun_s = self.begun_s or time.monotonic()
        number = int((time.monotonic() - self.begun_s) / STEP_S)
        while True:
            # A piece is there when its last sample was spoken.
            pause.wait(max(0.0, self.begun_s + (number + 1) * STEP_S - time.monotonic()))
            at = number * PIECE * 2 % len(data)
            pipe.write(data[at:at + PIECE * 2])
            number += 1


class Ear:
    """The WAV file that a node plays into, and when its first sample was played."""

    def __init__(self, path):
        self.path = path
        self.base_s = math.inf
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._follow, daemon=True)
        self.thread.start()

    def _follow(self):
        while not self.over.wait(LOOK_S):
            try:
                count = (os.path.getsize(self.path) - HEADER) // 2
            except OSError:
                continue
            if count > 0:
                self.base_s = min(self.base_s, time.monotonic() - count / RATE)

    def delays_ms(self, mouth, since, until):
        """Of windows spoken between two moments, how much later each was played, where found."""
        self.over.set()
        self.thread.join()
        spoken = _loudness(mouth.samples)
        with open(self.path, "rb") as file:
            data = file.read()[HEADER:]
        heard = _loudness(array.array("h", data[:len(data) // 2 * 2]))
        found, asked = [], 0
        first = max(0, int((since - mouth.begun_s) / STEP_S))
        for step in range(first, int((until - mouth.begun_s) / STEP_S) - WINDOW, EVERY):
            said = [spoken[(step + i) % len(spoken)] for i in range(WINDOW)]
            due = round((mouth.begun_s + step * STEP_S - self.base_s) / STEP_S)
            lag = _lag(said, heard[max(due, 0):due + SEARCH + WINDOW])
            asked += 1
            if lag is not None:
                found.append(lag * STEP_S * 1000)
        return found, asked


def _lag(said, heard):
    """How many steps later it is heard; None when it is not found."""
    mean = sum(said) / len(said)
    said = [value - mean for value in said]
    power = math.sqrt(sum(value * value for value in said))
    best, best_lag = ALIKE, None
    for lag in range(len(heard) - len(said) + 1):
        part = heard[lag:lag + len(said)]
        middle = sum(part) / len(part)
        spread = math.sqrt(max(sum(value * value for value in part) - middle * middle * len(part),
                               1e-9))
        alike = sum(map(float.__mul__, said, part)) / (power * spread or 1)
        if alike > best:
            best, best_lag = alike, lag
    return best_lag
