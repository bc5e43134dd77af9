# SPDX-License-Identifier: MPL-2.0
"""Plain TCP: a document alone, and beside votes in a connection of their own or in the same."""

import os
import queue
import socket
import struct
import threading
import time

from harness import wait

from table import Unable

from . import wire
from .task import GIVE_UP_S, comes, emulated, pass_time, votes

HEADER = struct.Struct("!BIi")  # document or vote, bytes that follow, number
DOCUMENT, VOTE = 0, 1
CHUNK = 16384
VOTE_BYTES = 300
LATE_S = 60  # how long the last votes are waited for
PORT = 5000


class Stream:
    """One direction of a connection: what was sent here and when it came there."""

    def __init__(self, control, a, b, port):
        listener = b.tcp()
        listener.bind((b.address(), port))
        listener.listen(1)
        self.sender = a.tcp()
        try:
            self.sender.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, control.encode())
        except OSError as error:
            raise Unable(f"this kernel has no {control}: {error.strerror}") from error
        self.sender.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sender.settimeout(GIVE_UP_S)
        self.sender.connect((b.address(), port))
        self.receiver, _ = listener.accept()
        self.documents = 0  # bytes that came
        self.came_s = {}  # number of a vote: when
        threading.Thread(target=self._receive, daemon=True).start()

    def _receive(self):
        with self.receiver.makefile("rb") as stream:
            while len(head := stream.read(HEADER.size)) == HEADER.size:
                kind, length, number = HEADER.unpack(head)
                stream.read(length)
                if kind == VOTE:
                    self.came_s[number] = time.monotonic()
                else:
                    self.documents += length
                wait.stir()

    def send(self, kind, length, number=0):
        try:
            self.sender.sendall(HEADER.pack(kind, length, number) + os.urandom(length))
        except OSError:
            pass  # it never finishes, and that is what is then said


def document(control):
    """The task: a document alone."""
    def measure(world, task):
        a, b, line, log = emulated(world, task)
        size = task.document_bytes
        stream = Stream(control, a, b, PORT)
        pass_time(2)
        line.stats(reset=True)
        since = time.monotonic()

        def send():
            left = size
            while left > 0:
                stream.send(DOCUMENT, min(left, CHUNK))
                left -= CHUNK
        threading.Thread(target=send, daemon=True).start()
        came_s = comes("the document", lambda: stream.documents >= size, GIVE_UP_S)
        until = came_s or time.monotonic()
        bad_s = line.stats()["a>b"]["bad_s"]
        line.process.end()
        sent = wire.Log(log).stretch(wire.OUT, since, until)
        return {"seconds": came_s and came_s - since, "size": size,
                "had": stream.documents, "sent": sent.bytes,
                "queue_ms": sent.queue_p95_ms, "bad_s": bad_s}
    return measure


def beside(control, connections):
    """The task: votes while a document flows."""
    def measure(world, task):
        a, b, line, log = emulated(world, task)
        bulk = Stream(control, a, b, PORT)
        light = Stream(control, a, b, PORT + 1) if connections == 2 else bulk
        due = queue.SimpleQueue()
        over = threading.Event()

        def send():
            while not over.is_set():
                while not due.empty():
                    light.send(VOTE, VOTE_BYTES, due.get())
                bulk.send(DOCUMENT, CHUNK)
        since = time.monotonic()
        threading.Thread(target=send, daemon=True).start()
        pass_time(8)
        give = due.put if connections == 1 else lambda n: light.send(VOTE, VOTE_BYTES, n)
        begun = votes(give, task.beside_s - 8)
        until = time.monotonic()
        comes("all votes", lambda: len(light.came_s) == len(begun), LATE_S)
        over.set()
        last = time.monotonic()
        line.process.end()
        sent = wire.Log(log).stretch(wire.OUT, since, until)
        came = light.came_s
        return {"votes": [came.get(n, last) - moment for n, moment in enumerate(begun)],
                "missing": len(begun) - len(came), "queue_ms": sent.queue_p95_ms}
    return measure
