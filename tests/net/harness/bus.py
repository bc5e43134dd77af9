# SPDX-License-Identifier: MPL-2.0
"""Speaks to a node's bus without its program: rude bytes, and polite questions and events."""

import json
import socket
import stat

# ZMTP 3.0 (RFC 23): signature, version, mechanism NULL, as a client.
GREETING = b"\xff" + bytes(8) + b"\x7f" + b"\x03\x00" + b"NULL" + bytes(16) + b"\x00" + bytes(31)
READY = b"\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER\x08Identity\x00\x00\x00\x00"


def sockets(home):
    """The unix sockets in a node's home."""
    return sorted(path for path in home.rglob("*") if stat.S_ISSOCK(path.lstat().st_mode))


def connect(path):
    made = socket.socket(socket.AF_UNIX)
    made.settimeout(60)
    made.connect(str(path))
    return made


def throw(path, data):
    """Connects, sends bytes, and goes; the other end may hang up at any moment."""
    with connect(path) as made:
        made.settimeout(1)  # it need not answer
        try:
            made.sendall(data)
            made.recv(4096)
        except (TimeoutError, ConnectionError):
            pass


def frame(body, more=False):
    """One ZMTP message frame."""
    if len(body) < 256:
        return bytes([more, len(body)]) + body
    return bytes([more | 2]) + len(body).to_bytes(8, "big") + body


def send(path, *messages):
    """Speaks ZMTP correctly up to the contents of the messages, each a list of frames."""
    hello = GREETING + bytes([4, len(READY)]) + READY
    for parts in messages:
        for number, part in enumerate(parts, 1):
            hello += frame(part, number < len(parts))
    throw(path, hello)


class Refused(Exception):
    """What the node answered instead of doing it."""


class _Peer:
    """One ZMTP connection: whole messages, of which only the last part counts."""

    def __init__(self, path, kind, timeout):
        self.socket = connect(path)
        self.socket.settimeout(timeout)
        self.stream = self.socket.makefile("rb")
        ready = b"\x05READY\x0bSocket-Type" + len(kind).to_bytes(4, "big") + kind
        self.socket.sendall(GREETING + bytes([4, len(ready)]) + ready)
        self._exactly(len(GREETING))
        self.take()

    def _exactly(self, count):
        data = self.stream.read(count)
        if len(data or b"") < count:
            raise ConnectionError("the node hung up")
        return data

    def take(self):
        """The last part of the next message."""
        flags = 1
        while flags & 1:
            flags = self._exactly(1)[0]
            length = int.from_bytes(self._exactly(8 if flags & 2 else 1), "big")
            body = self._exactly(length)
        return body

    def close(self):
        self.stream.close()
        self.socket.close()


class Commands(_Peer):
    """Asks a node one thing after another, without starting a program for each."""

    def __init__(self, home, timeout=120):
        super().__init__(home / "bus", b"DEALER", timeout)

    def ask(self, command, **arguments):
        text = json.dumps({"command": command, "arguments": arguments}).encode()
        self.socket.sendall(frame(text))
        while True:
            answer = json.loads(self.take())
            if "progress" in answer:
                continue
            if not answer["ok"]:
                raise Refused(f"{command}: {answer['error']}")
            return answer["result"]


class Events(_Peer):
    """A node's events, each as soon as it is published."""

    def __init__(self, home, timeout=None):
        super().__init__(home / "events", b"SUB", timeout)
        self.socket.sendall(frame(b"\x01"))
        self.take()  # what the node greets a listener with

    def next(self):
        return json.loads(self.take())
