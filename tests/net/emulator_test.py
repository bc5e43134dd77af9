# SPDX-License-Identifier: MPL-2.0
"""The emulator keeps its word on real interfaces: rate, delay, loss, queue, outages."""

import csv
import hashlib
import random
import statistics
import threading

from harness import tap, traffic, wait

A, B = "10.77.0.1", "10.77.0.2"


def sockets(a, b):
    return a.udp(A), b.udp(B, 4000)


def rate_and_queue(test, world):
    """Rate and queue"""
    a, b = world.host("a"), world.host("b")
    log = world.directory / "log.csv"
    line = world.line(a, b, "W1", settings=["loss=0"], log=log)
    sender, receiver = sockets(a, b)
    # Offered 400 kbit/s on a line of 256: 60 packets of 1,000 bytes at 20 ms.
    report = traffic.blast(sender, receiver, (B, 4000), 120, 1000, 0.02)
    stats = line.stats()
    with test.step("a line of 256 kbit/s carries 256 kbit/s within 3 %"):
        assert abs(report.rate_bps / 256e3 - 1) < 0.03, report.rate_bps
    with test.step("an overfull queue drops its tail, and only that"):
        dropped = stats["a>b"]["dropped"]
        assert report.sent == 120 and len(report.delays_s) == 120 - dropped["queue"], dropped
        assert dropped["queue"] > 0 and sum(dropped.values()) == dropped["queue"], dropped
    with test.step("the time in the queue is what 32,000 bytes at 256 kbit/s make"):
        assert 950 < stats["a>b"]["queue_ms"]["max"] <= 1000 + 32, stats["a>b"]["queue_ms"]
    with test.step("bytes are IP bytes"):
        assert stats["a>b"]["delivered_bytes"] >= report.bytes, (stats, report.bytes)
        assert stats["a>b"]["bytes"] - 120 * 1000 < 1000, "more than some multicast reports"
    line.process.end()
    with test.step("the log has one line for each packet and its fate"):
        with open(log, encoding="ascii") as file:
            rows = [row for row in csv.DictReader(file) if row["direction"] == "a>b"]
        large = [row for row in rows if row["ip_bytes"] == "1000"]
        assert len(large) == 120, len(large)
        assert sum(row["fate"] == "queue" for row in large) == dropped["queue"]


def delay_and_step(test, world):
    """Delay, jitter and changes at run time"""
    a, b = world.host("a"), world.host("b")
    line = world.line(a, b, settings=["delay=80", "b>a.delay=20"])
    sender, receiver = sockets(a, b)
    with test.step("a delay of 80 ms is 80 ms within 2"):
        report = traffic.blast(sender, receiver, (B, 4000), 100, 200, 0.005, 0.3)
        middle = statistics.median(report.delays_s.values()) * 1000
        assert len(report.delays_s) == 100 and abs(middle - 80) < 2, middle
    with test.step("the other direction has its own delay"):
        report = traffic.blast(receiver, sender, sender.getsockname(), 50, 200, 0.005, 0.3)
        middle = statistics.median(report.delays_s.values()) * 1000
        assert abs(middle - 20) < 2, middle
    with test.step("jitter spreads the delay over its range and keeps the order"):
        line.command("jitter a>b 30")
        report = traffic.blast(sender, receiver, (B, 4000), 200, 200, 0.005, 0.3)
        delays = [delay * 1000 for delay in report.delays_s.values()]
        assert report.overtaken == 0
        assert min(delays) > 48 and max(delays) > 100 and statistics.pstdev(delays) > 8, delays
    with test.step("a rate changed at run time holds at once"):
        line.command("jitter 0")
        line.command("rate a>b 64k")
        report = traffic.blast(sender, receiver, (B, 4000), 30, 400, 0.01, 0.5)
        assert abs(report.rate_bps / 64e3 - 1) < 0.03, report.rate_bps
    with test.step("an MTU drops what is larger"):
        line.command("rate 0")
        line.command("mtu 576")
        large = traffic.blast(sender, receiver, (B, 4000), 10, 577, 0.001, 0.3)
        small = traffic.blast(sender, receiver, (B, 4000), 10, 576, 0.001, 0.3)
        assert (len(large.delays_s), len(small.delays_s)) == (0, 10)
        assert line.stats()["a>b"]["dropped"]["mtu"] == 10
    with test.step("what is not a command is refused and harms nothing"):
        for nonsense in ("rate a>c 5", "loss 7", "\x01\x02", "x" * 400):
            try:
                line.command(nonsense)
            except ValueError:
                continue
            raise AssertionError(f"accepted: {nonsense!r}")
        assert line.process.running()


def loss(test, world):
    """Loss, reorder, duplicates"""
    a, b = world.host("a"), world.host("b")
    line = world.line(a, b, settings=["loss=20%", "delay=5"], seed=3)
    sender, receiver = sockets(a, b)
    with test.step("a loss of 20 % loses 20 % of 5,000 packets, within 3 points"):
        report = traffic.blast(sender, receiver, (B, 4000), 5000, 100, 0.0004, 0.3)
        assert abs(report.loss - 0.2) < 0.03, report.loss
    with test.step("bursts lose their share, in runs"):
        line.command("loss 0")
        line.command("burst_share 0.1")
        line.command("burst_frames 8")
        report = traffic.blast(sender, receiver, (B, 4000), 5000, 100, 0.0004, 0.3)
        lost = [number for number in range(5000) if number not in report.delays_s]
        runs = sum(number - 1 in report.delays_s or number == 0 for number in lost)
        assert 0.05 < report.loss < 0.16, report.loss
        assert 4 < len(lost) / runs < 14, len(lost) / runs
    with test.step("reordered packets are overtaken, duplicates come twice"):
        line.command("burst_share 0")
        line.command("reorder 0.05")
        line.command("duplicate 0.05")
        report = traffic.blast(sender, receiver, (B, 4000), 2000, 100, 0.001, 0.3)
        assert report.loss == 0 and 50 < report.overtaken < 160, report.overtaken
        assert 60 < report.copies < 140, report.copies


def outages(test, world):
    """Outages by schedule and by hand"""
    a, b = world.host("a"), world.host("b")
    line = world.line(a, b, commands=["down 0.5..1.0 every 1"])
    sender, receiver = sockets(a, b)
    with test.step("a line that flaps loses about half of four seconds"):
        report = traffic.blast(sender, receiver, (B, 4000), 400, 100, 0.01, 0.3)
        assert 0.4 < report.loss < 0.6, report.loss
        flips = sum((number in report.delays_s) != (number - 1 in report.delays_s)
                    for number in range(1, 400))
        assert 6 <= flips <= 9, flips
    line.process.end()
    line = world.line(a, b, interface="eth1", ipv4="10.78.0.0/24", ipv6=None)
    sender, receiver = a.udp("10.78.0.1"), b.udp("10.78.0.2", 4000)
    with test.step("cut by hand nothing passes, restored all does"):
        line.command("down")
        gone = traffic.blast(sender, receiver, ("10.78.0.2", 4000), 20, 100, 0.001, 0.2)
        line.command("up")
        back = traffic.blast(sender, receiver, ("10.78.0.2", 4000), 20, 100, 0.001, 0.2)
        assert (len(gone.delays_s), len(back.delays_s)) == (0, 20)


def tcp(test, world):
    """A foreign TCP flow"""
    a, b = world.host("a"), world.host("b")
    line = world.line(a, b, "W4", settings=["loss=1%"])
    data = random.Random(1).randbytes(300_000)
    listener = b.tcp()
    listener.bind((B, 5000))
    listener.listen(1)
    got = bytearray()

    def receive():
        connection, _ = listener.accept()
        with connection:
            while chunk := connection.recv(65536):
                got.extend(chunk)
        wait.stir()

    thread = threading.Thread(target=receive, daemon=True)
    thread.start()
    with test.step("TCP carries its bytes whole: checksums are right, no frame above the MTU"):
        sender = a.tcp()
        sender.settimeout(30)
        sender.connect((B, 5000))
        sender.sendall(data)
        sender.close()
        wait.until("all bytes", lambda: len(got) == len(data), 30)
        assert hashlib.sha256(got).digest() == hashlib.sha256(data).digest()
        dropped = line.stats()["a>b"]["dropped"]
        assert dropped["mtu"] == 0 and dropped["loss"] > 0, dropped
        assert not any("checksum" in text for text in line.process.lines), line.process.lines
    thread.join(5)


if __name__ == "__main__":
    tap.need_environment("MAILLON_EMULATOR", "the emulator")
    tap.main(rate_and_queue, delay_and_step, loss, outages, tcp)
