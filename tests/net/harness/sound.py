# SPDX-License-Identifier: MPL-2.0
"""Speech to send, and the question whether a recording holds it."""

import array
import json
import math
import os
import shutil
import subprocess

TEXTS = {
    "alerte": "Bonjour à toutes et à tous. Le secteur nord doit être évacué avant dix-huit heures."
              " Nous attendons vos rapports par radio, puis nous voterons.",
    "conseil": "La réunion du conseil départemental commence maintenant. Veuillez signaler les"
               " mandats reçus, les présents, et les absents excusés, s'il vous plaît.",
}
NEEDED = ("espeak-ng", "sox")
HEADER, RATE = 44, 48000


def missing():
    """The tools that are not there, as words; empty if all are."""
    return ", ".join(tool for tool in NEEDED if shutil.which(tool) is None)


def speech(path, text="alerte", speed=150, rate=48000, silence_s=0.0):
    """Writes spoken French as 16-bit mono WAV, with silence before and after; returns its path."""
    raw = f"{path}.raw.wav"
    subprocess.run(["espeak-ng", "-v", "fr", "-s", str(speed), "-w", raw, TEXTS.get(text, text)],
                   check=True)
    subprocess.run(["sox", "-D", raw, "-r", str(rate), "-c", "1", "-b", "16", str(path),
                    "pad", str(silence_s), str(silence_s)], check=True)
    os.unlink(raw)
    return path


def seconds(recording):
    """How much is recorded so far, of 16-bit mono sound at 48 kHz."""
    return max(recording.stat().st_size - HEADER, 0) / 2 / RATE if recording.exists() else 0


def level(recording, from_s, until_s):
    """How loud that part is, dB of full scale; of silence about -90."""
    samples = array.array("h")
    first = HEADER + 2 * int(from_s * RATE)
    samples.frombytes(recording.read_bytes()[first:first + 2 * int((until_s - from_s) * RATE)])
    power = sum(sample * sample for sample in samples) / max(len(samples), 1)
    return 10 * math.log10(max(power, 1) / 32768 ** 2)


def find(reference, recording):
    """Where and how well the reference is in the recording; see the program `correlate`."""
    done = subprocess.run([os.environ["MAILLON_CORRELATE"], str(reference), str(recording)],
                          check=True, capture_output=True, text=True)
    return json.loads(done.stdout)
