# SPDX-License-Identifier: MPL-2.0
"""Numbered UDP datagrams between two sockets, and what became of them."""

import csv
import select
import struct
import time

from . import wait

HEADER = struct.Struct("!Qd")  # number, moment it was sent
IP_UDP_BYTES = 28
WINDOW = 128  # datagrams under way at most: what a socket holds


class Report:
    """What arrived of a stream."""

    def __init__(self):
        self.sent = 0
        self.arrivals_s = {}  # number: of its first copy
        self.delays_s = {}
        self.copies = 0
        self.overtaken = 0
        self.bytes = 0

    def take(self, data, now):
        number, sent_s = HEADER.unpack_from(data)
        if number in self.delays_s:
            self.copies += 1
            return
        self.overtaken += bool(self.delays_s) and number < max(self.delays_s)
        self.delays_s[number] = now - sent_s
        self.arrivals_s[number] = now
        self.bytes += len(data) + IP_UDP_BYTES

    def drain(self, receiver):
        """Takes all that is there."""
        while True:
            try:
                data = receiver.recv(65536)
            except BlockingIOError:
                return
            self.take(data, time.monotonic())

    @property
    def loss(self):
        return 1 - len(self.delays_s) / self.sent



def blast(line, sender, receiver, target, count, size, gap_s, quiet_s=0.3):
    """
    Sends `count` datagrams of `size` IP bytes at equal distances, later ones sooner when the machine
    was busy; listens until it is quiet. Never so many at once that a socket overflows.
    """
    report = Report()
    padding = bytes(size - IP_UDP_BYTES - HEADER.size)
    receiver.setblocking(False)
    before = line.stats()
    before = before["a>b"]["packets"] + before["b>a"]["packets"]

    def passed():
        return (line.passed() or 0) >= before + report.sent
    begin = time.monotonic()
    done = False
    while True:
        now = time.monotonic()
        if report.sent < count and now >= begin + report.sent * gap_s:
            sender.sendto(HEADER.pack(report.sent, time.monotonic()) + padding, target)
            report.sent += 1
            if report.sent % WINDOW == 0:
                wait.until("the line to be empty", passed)
        left = begin + report.sent * gap_s - now if report.sent < count else quiet_s
        ready, _, _ = select.select([receiver], [], [], max(left, 0))
        if ready:
            report.drain(receiver)
        elif report.sent >= count and done:
            return report
        elif report.sent >= count:
            done = passed()


class Plan:
    """What the emulator says, in its log, of the datagrams of one size in one direction."""

    def __init__(self, log, size, direction="a>b"):
        with open(log, encoding="ascii") as file:
            rows = [row for row in csv.DictReader(file)
                    if row["direction"] == direction and row["ip_bytes"] == str(size)]
        rows.sort(key=lambda row: int(row["number"]))
        self.fates = [row["fate"] for row in rows]
        self.queues_s = [float(row["queue_ms"]) / 1000 for row in rows]
        self.delays_s = [float(row["total_ms"]) / 1000 for row in rows]
        self.due_s = [float(row["arrived_s"]) + delay for row, delay in zip(rows, self.delays_s)]

    def kept(self, report):
        """
        Whether just those arrived that should, none before it was due, and when that was rather than
        some time: a busy machine may hold up many, but not each.
        """
        delivered = [number for number, fate in enumerate(self.fates) if fate == "delivered"]
        late_s = [report.arrivals_s[number] - self.due_s[number] for number in report.arrivals_s]
        return (sorted(report.arrivals_s) == delivered and min(late_s) > -0.001
                and min(late_s) < 0.05)
