# SPDX-License-Identifier: MPL-2.0
"""Speech is found where it is and only there; documents made for tests are real ones."""

import shutil
import subprocess

from harness import pdf, sound, tap


def sox(*words):
    subprocess.run(["sox", "-D", *[str(word) for word in words]], check=True)


def encode(source, target, rate):
    """Through Opus and back, as a node would."""
    subprocess.run(
        ["gst-launch-1.0", "-q", "filesrc", f"location={source}", "!", "wavparse", "!",
         "audioconvert", "!", "opusenc", f"bitrate={rate}", "frame-size=60", "!", "opusdec", "!",
         "audioconvert", "!", "wavenc", "!", "filesink", f"location={target}"],
        check=True, capture_output=True)


def speech(test, world):
    """Speech"""
    if sound.missing():
        test.skip("speech is found in a recording", f"missing: {sound.missing()}")
        return
    a = sound.speech(world.directory / "a.wav", "alerte")
    b = sound.speech(world.directory / "b.wav", "conseil", 160)
    later = sound.speech(world.directory / "later.wav", "alerte", silence_s=2.5)
    with test.step("a recording of the same speech is found, where it is"):
        found = sound.find(a, later)
        assert abs(found["offset_s"] - 2.5) < 0.02, found
        assert found["envelope_correlation"] > 0.99 and found["pcm_correlation"] > 0.99, found
        assert found["active_share"] > 0.99, found
        assert abs(found["duration_s"] - found["reference_duration_s"]) < 0.1, found
    with test.step("another speech of the same voice is not taken for it"):
        found = sound.find(a, b)
        assert found["envelope_correlation"] < 0.5 and found["pcm_correlation"] < 0.35, found
    with test.step("silence holds nothing"):
        sox("-n", "-r", "48000", "-c", "1", "-b", "16", world.directory / "nil.wav",
            "trim", "0", "3")
        found = sound.find(a, world.directory / "nil.wav")
        assert found["pcm_correlation"] < 0.05 and found["active_share"] == 0, found
    with test.step("half a speech is found as half"):
        sox(a, world.directory / "half.wav", "trim", "0", "4")
        found = sound.find(a, world.directory / "half.wav")
        assert 0.35 < found["active_share"] < 0.65, found
        assert found["duration_s"] < 0.65 * found["reference_duration_s"], found
    with test.step("two voices at once: both are found"):
        sox("-m", later, b, world.directory / "mixed.wav")
        for reference in (a, b):
            found = sound.find(reference, world.directory / "mixed.wav")
            assert found["pcm_correlation"] > 0.5, found
    with test.step("speech without a finished header is read to its end"):
        raw = bytearray(later.read_bytes())
        raw[4:8] = raw[40:44] = b"\xff\xff\xff\xff"
        (world.directory / "killed.wav").write_bytes(raw)
        assert sound.find(a, world.directory / "killed.wav")["pcm_correlation"] > 0.99
    if shutil.which("gst-launch-1.0") is None:
        test.skip("speech through Opus is found", "gst-launch-1.0 is not there")
        return
    for rate, least in ((6000, 0.45), (24000, 0.85)):
        with test.step(f"speech through Opus at {rate} bit/s is found"):
            encode(later, world.directory / "opus.wav", rate)
            found = sound.find(a, world.directory / "opus.wav")
            assert found["envelope_correlation"] > 0.85, found
            assert found["pcm_correlation"] > least, found


def documents(test, world):
    """Documents"""
    with test.step("a PDF has exactly the size asked for, and is the same for the same seed"):
        for size in (1000, 1001, 4096, 100_000, 1_000_003):
            paths = [pdf.write(world.directory / f"{size}-{n}.pdf", size, seed)
                     for n, seed in enumerate((1, 1, 2))]
            assert all(path.stat().st_size == size for path in paths)
            hashes = [pdf.digest(path) for path in paths]
            assert hashes[0] == hashes[1] != hashes[2], hashes
    with test.step("its cross references point at its objects"):
        raw = (world.directory / "4096-0.pdf").read_bytes()
        table = int(raw[raw.rindex(b"startxref") + 9:].split()[0])
        assert raw[table:table + 4] == b"xref"
        for number, line in enumerate(raw[table:].split(b"\n")[3:9], 1):
            place = int(line.split()[0])
            assert raw[place:].startswith(b"%d 0 obj" % number), (number, place)


if __name__ == "__main__":
    tap.need_environment("MAILLON_CORRELATE", "the program that compares sound")
    tap.main(speech, documents)
