# SPDX-License-Identifier: MPL-2.0
"""The lines that are measured on, and what is wanted of each."""

import dataclasses

FULL = 0.96  # of a packet of 1,400 bytes, what is not headers


@dataclasses.dataclass(frozen=True)
class Goals:
    """What is wanted on one line; None: nothing stated."""
    document: float | None = None  # share of what the line can carry
    overhead: float | None = None  # bytes sent over the document's size
    vote_s: tuple | None = None  # median, 95th percentile
    in_time: float | None = None  # share of the frames of a voice
    voice_bps: float | None = None
    ear_ms: float | None = None  # more than the line's own delay, 95th percentile
    left: float | None = None  # share of the remaining line that a document gets
    queue_packets: float | None = None
    queue_ms: float | None = None


@dataclasses.dataclass(frozen=True)
class Line:
    """A profile of the emulator, in the numbers that results are judged by."""
    rate_bps: float
    delay_s: float
    loss: float
    up: float  # share of the time, as planned
    goals: Goals

    def limit_bps(self, up=None):
        """What a document can have at most."""
        return self.rate_bps * (1 - self.loss) * FULL * (self.up if up is None else up)

    def packet_ms(self, size):
        return size * 8000 / self.rate_bps

    def trip_s(self, size):
        """There and back, for packets of a size on an empty line."""
        return 2 * (self.delay_s + size * 8 / self.rate_bps)


LINES = {
    "W1": Line(256e3, 0.1, 0.03, 1, Goals(document=0.95, vote_s=(0.15, 0.30), in_time=0.998,
                                          ear_ms=250, left=0.85, queue_packets=2)),
    "W2": Line(64e3, 0.3, 0.10, 1, Goals(document=0.95, vote_s=(0.42, 0.65), in_time=0.99,
                                         voice_bps=20e3, ear_ms=500, left=0.85, queue_packets=2)),
    "W3": Line(16e3, 0.6, 0, 0.95, Goals(document=0.90, vote_s=(0.95, 1.7), voice_bps=12e3,
                                         ear_ms=500, queue_ms=300)),
    "W4": Line(2e6, 0.02, 0.20, 1, Goals(document=0.95, vote_s=(0.03, 0.08), in_time=0.995,
                                         ear_ms=250, queue_packets=2)),
    "W5": Line(256e3, 0.08, 0.02, 0.5, Goals(overhead=1.08)),
}


def document_size(name, seconds):
    """Bytes that fill a line for so long, the time it is down not counted."""
    return int(LINES[name].limit_bps(1) * seconds / 8)


def percentile(values, share):
    """The least value that so large a share of them does not pass; None without values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None
