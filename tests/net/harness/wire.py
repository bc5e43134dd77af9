# SPDX-License-Identifier: MPL-2.0
"""What an attacker on the LAN can do: record frames, replay them, and replay them altered."""

import random
import socket
import struct
import threading

ETH_P_ALL = 3
ETHERNET, UDP_HEADER = 14, 8


class Tap:
    """Records every frame that a host's cable carries, from the core's end of it."""

    def __init__(self, world, segment, host, interface="eth0"):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.socket.bind((segment.ports[host.name, interface], 0))
        self.socket.settimeout(0.2)
        world.sockets.append(self.socket)
        self.frames = []
        self.recording = True
        self.thread = threading.Thread(target=self._record, daemon=True)
        self.thread.start()

    def _record(self):
        while self.recording:
            try:
                frame, address = self.socket.recvfrom(65536)
            except TimeoutError:
                continue
            except OSError:
                return
            # Only what goes to the host: it can be put on the same cable again.
            if address[2] == socket.PACKET_OUTGOING and is_udp4(frame):
                self.frames.append(frame)

    def stop(self):
        """Ends the recording and returns the frames."""
        self.recording = False
        self.thread.join(2)
        return self.frames

    def replay(self, frames):
        for frame in frames:
            self.socket.send(frame)


def is_udp4(frame):
    """Whether it is a UDP datagram in IPv4 without options."""
    return frame[12:15] == b"\x08\x00\x45" and frame[23] == socket.IPPROTO_UDP


def ports_of(frame):
    """Its source and destination port."""
    return struct.unpack_from("!HH", frame, ETHERNET + 20)


def altered(frame, seed):
    """A copy with a few bytes of its payload changed, or cut short, with a header that fits."""
    dice = random.Random(seed)
    payload = bytearray(frame[ETHERNET + 20 + UDP_HEADER:])
    if dice.random() < 0.3 and len(payload) > 1:
        del payload[dice.randrange(1, len(payload)):]
    for _ in range(dice.randrange(1, 4)):
        if payload:
            payload[dice.randrange(len(payload))] ^= 1 << dice.randrange(8)
    return rebuilt(frame, payload)


def rebuilt(frame, payload):
    """The frame with another payload; UDP over IPv4 may leave its checksum out."""
    header = bytearray(frame[ETHERNET:ETHERNET + 20])
    struct.pack_into("!H", header, 2, 20 + UDP_HEADER + len(payload))
    struct.pack_into("!H", header, 10, 0)
    total = sum(struct.unpack("!10H", header))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    struct.pack_into("!H", header, 10, total ^ 0xffff)
    udp = frame[ETHERNET + 20:ETHERNET + 24] + struct.pack("!HH", UDP_HEADER + len(payload), 0)
    return frame[:ETHERNET] + bytes(header) + udp + bytes(payload)
