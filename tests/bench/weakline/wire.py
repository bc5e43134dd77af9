# SPDX-License-Identifier: MPL-2.0
"""What the emulator wrote of each packet, asked about a stretch of time."""

import csv

from .lines import percentile

OUT, BACK = "a>b", "b>a"


class Stretch:
    """Packets of one direction between two moments."""

    def __init__(self, rows, seconds):
        self.seconds = seconds
        self.sizes = [row[1] for row in rows]
        self.queues_ms = [row[2] for row in rows if row[3] not in ("queue", "mtu")]
        self.lost = sum(row[3] != "delivered" for row in rows)

    @property
    def bytes(self):
        return sum(self.sizes)

    @property
    def bps(self):
        return self.bytes * 8 / self.seconds

    @property
    def size_p95(self):
        return percentile(self.sizes, 0.95) or 0

    @property
    def queue_p95_ms(self):
        return percentile(self.queues_ms, 0.95) or 0.0


class Log:
    """The emulator's log, read when the emulator has ended. Moments are of the monotonic clock."""

    def __init__(self, path):
        self.rows = {OUT: [], BACK: []}
        with open(path, encoding="ascii") as file:
            for row in csv.DictReader(file):
                self.rows[row["direction"]].append(
                    (float(row["arrived_s"]), int(row["ip_bytes"]), float(row["queue_ms"]),
                     row["fate"]))
        for rows in self.rows.values():
            rows.sort()

    def stretch(self, way, since, until):
        rows = [row for row in self.rows[way] if since <= row[0] < until]
        return Stretch(rows, until - since)

    def first(self, way, since, size):
        """When the first packet of at least this size came."""
        return next((row[0] for row in self.rows[way] if row[0] >= since and row[1] >= size), None)

    def open_from(self, way, moment):
        """From when on a packet given to the line at a moment could have passed, as far as others
        tell: the moment itself, or when the last of those was lost that came next."""
        for arrived, _, _, fate in self.rows[way]:
            if arrived < moment:
                continue
            if fate == "delivered":
                break
            moment = arrived
        return moment
