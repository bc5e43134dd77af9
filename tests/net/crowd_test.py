# SPDX-License-Identifier: MPL-2.0
"""Forty real nodes on one machine, over two NATs and an open network: a meeting as large as a room."""

from concurrent.futures import ThreadPoolExecutor

from harness import bus, tap
from harness.node import Node

OPEN, BEHIND = 16, (12, 12)
AT_ONCE = 6  # that join at a time: this machine is not forty laptops
PATIENT_S = 120
LINKS_MOST = 12


class Seat:
    """A node, and a line to its bus that costs no program for each question."""

    def __init__(self, world, host, number):
        self.node = Node(world, host, f"Agent {number:02}")
        self.line = None

    def ready(self):
        self.node.process.line("ready", PATIENT_S)
        self.line = bus.Commands(self.node.home)

    def kill(self):
        self.line.close()
        self.node.kill()

    def ask(self, command, **arguments):
        return self.line.ask(command, **arguments)

    def reached(self):
        """How many others it reaches, by whatever way."""
        return sum(peer["state"] == "up" for peer in self.ask("peers"))

    def links(self):
        return sum(peer["neighbour"] for peer in self.ask("peers"))

    def has(self, *texts):
        said = [message["text"] for message in self.ask("messages")]
        return all(said.count(text) == 1 for text in texts)


def _at_once(work, seats):
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(work, seats))


def _start(seats):
    """From this thread: a process ends with the thread that started it."""
    for begin in range(0, len(seats), AT_ONCE):
        for seat in seats[begin:begin + AT_ONCE]:
            seat.node.begin()
        for seat in seats[begin:begin + AT_ONCE]:
            seat.ready()


def _all(seats, what, holds, timeout=PATIENT_S):
    """Waits for each in turn: what holds for one does not end while the others are asked."""
    for seat in seats:
        seat.node.wait(what, lambda seat=seat: holds(seat) or None, timeout)


def crowd(test, world):
    """Forty nodes over two NATs and an open network"""
    public = world.public()
    places = [public] * OPEN
    for number, (kind, count) in enumerate(zip(("cone", "symmetric"), BEHIND)):
        places += [world.nat(public, kind, f"192.168.{10 + number}.0/24")] * count
    seats = [Seat(world, place.join(world.host()), number) for number, place in enumerate(places)]
    founder, others = seats[0], seats[1:]
    total = len(seats)
    with test.need("all forty start, and join by one ticket, several at a time"):
        _start(seats)
        founder.node.create("Conseil", "--profile", "council")
        ticket = founder.node.invite("--uses", str(total))
        _at_once(lambda seat: seat.node.join(ticket, "--wait", "120"), others)
        _all(seats, "all are members", lambda seat: seat.ask("status")["meetings"][0]["members"] == total)
    with test.need("every one reaches every other"):
        _all(seats, "all are reached", lambda seat: seat.reached() == total - 1)
    with test.need("what one says, all have, once"):
        others[-1].ask("say", text="Bonjour à tous les quarante")
        _all(seats, "the message", lambda seat: seat.has("Bonjour à tous les quarante"))
    with test.step("by a few links each, once those made while joining are let go"):
        _all(seats, f"{LINKS_MOST} links at most", lambda seat: seat.links() <= LINKS_MOST)
        counts = sorted(seat.links() for seat in seats)
        test.note(f"links a node: {counts[0]} to {counts[-1]}, {sum(counts) / total:.1f} on average")
    gone, left = seats[1::2], seats[::2]
    with test.need("half of them are killed at once; the others go on, and know who is gone"):
        for seat in gone:
            seat.kill()
        left[-1].ask("say", text="Qui est encore là ?")
        _all(left, "the next message", lambda seat: seat.has("Qui est encore là ?"))
        _all(left, "the dead are down", lambda seat: seat.reached() == len(left) - 1)
    with test.step("they come back, and all have all of it"):
        _start(gone)
        gone[0].ask("say", text="De retour")
        _all(seats, "all are reached again", lambda seat: seat.reached() == total - 1)
        _all(seats, "every message", lambda seat: seat.has(
            "Bonjour à tous les quarante", "Qui est encore là ?", "De retour"))
    for seat in seats:
        seat.line.close()
    _at_once(lambda seat: seat.node.stop(), seats)


if __name__ == "__main__":
    tap.need_environment("MAILLON_BIN", "the node program")
    tap.main(crowd)
