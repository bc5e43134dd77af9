# SPDX-License-Identifier: MPL-2.0
"""Numbered UDP datagrams between two sockets, and what became of them."""

import select
import struct
import time

HEADER = struct.Struct("!Qd")  # number, moment it was sent
IP_UDP_BYTES = 28


class Report:
    """What arrived of a stream."""

    def __init__(self):
        self.sent = 0
        self.delays_s = {}  # number: of its first copy
        self.copies = 0
        self.overtaken = 0
        self.first_s = self.last_s = 0.0
        self.bytes = 0

    def take(self, data, now):
        number, sent_s = HEADER.unpack_from(data)
        if number in self.delays_s:
            self.copies += 1
            return
        self.overtaken += bool(self.delays_s) and number < max(self.delays_s)
        self.delays_s[number] = now - sent_s
        self.first_s = self.first_s or now
        self.last_s = now
        self.bytes += len(data) + IP_UDP_BYTES

    @property
    def loss(self):
        return 1 - len(self.delays_s) / self.sent

    @property
    def rate_bps(self):
        """IP bits a second between the first and the last arrival."""
        count = len(self.delays_s)
        return self.bytes * 8 * (count - 1) / count / (self.last_s - self.first_s)


def blast(sender, receiver, target, count, size, gap_s, quiet_s=2.0):
    """Sends `count` datagrams of `size` IP bytes at equal distances; listens until it is quiet."""
    report = Report()
    padding = bytes(size - IP_UDP_BYTES - HEADER.size)
    receiver.setblocking(False)
    begin = time.monotonic()
    while True:
        now = time.monotonic()
        while report.sent < count and now >= begin + report.sent * gap_s:
            sender.sendto(HEADER.pack(report.sent, time.monotonic()) + padding, target)
            report.sent += 1
        left = begin + report.sent * gap_s - now if report.sent < count else quiet_s
        ready, _, _ = select.select([receiver], [], [], max(left, 0))
        if ready:
            report.take(receiver.recv(65536), time.monotonic())
        elif report.sent >= count:
            return report
