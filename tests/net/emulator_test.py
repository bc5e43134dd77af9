# SPDX-License-Identifier: MPL-2.0
"""
The emulator keeps its word on real interfaces: rate, delay, loss, queue, outages. What it means to
do with each packet stands in its log, and is judged there; that it does so, by what arrives.
"""

import hashlib
import random
import statistics
import threading

from harness import tap, traffic, wait

A, B = "10.77.0.1", "10.77.0.2"


def sockets(a, b):
    return a.udp(A), b.udp(B, 4000)


def two(world):
    """Two hosts that say nothing by themselves: the same packets draw the same luck in every run."""
    hosts = world.host("a"), world.host("b")
    for host in hosts:
        host.shell("for kind in all default; do"
                   " echo 1 > /proc/sys/net/ipv6/conf/$kind/disable_ipv6; done")
    return hosts


def rate_and_queue(test, world):
    """Rate and queue"""
    a, b = two(world)
    log = world.directory / "log.csv"
    line = world.line(a, b, "W1", settings=["loss=0"], log=log, ipv6=None)
    sender, receiver = sockets(a, b)
    # Offered 400 kbit/s on a line of 256: 120 packets of 1,000 bytes at 20 ms.
    report = traffic.blast(line, sender, receiver, (B, 4000), 120, 1000, 0.02)
    stats = line.stats()
    plan = traffic.Plan(log, 1000)
    with test.step("a line of 256 kbit/s carries a packet of 1,000 bytes in 31.25 ms"):
        waited = [number for number, fate in enumerate(plan.fates) if fate == "delivered"]
        gaps_s = [plan.due_s[second] - plan.due_s[first]
                  for first, second in zip(waited, waited[1:]) if plan.queues_s[second] > 0]
        assert len(gaps_s) > 20, gaps_s
        assert all(abs(gap - 0.03125) < 0.0001 for gap in gaps_s), gaps_s
    with test.step("and that is when they arrive"):
        assert plan.kept(report), (plan.due_s, report.arrivals_s)
    with test.step("an overfull queue drops its tail, and only that"):
        dropped = stats["a>b"]["dropped"]
        assert report.sent == 120 and len(report.delays_s) == 120 - dropped["queue"], dropped
        assert dropped["queue"] > 0 and sum(dropped.values()) == dropped["queue"], dropped
    with test.step("the time in the queue is what 32,000 bytes at 256 kbit/s make"):
        assert 950 < stats["a>b"]["queue_ms"]["max"] <= 1000 + 32, stats["a>b"]["queue_ms"]
    with test.step("bytes are IP bytes"):
        assert stats["a>b"]["delivered_bytes"] >= report.bytes, (stats, report.bytes)
        assert stats["a>b"]["bytes"] - 120 * 1000 < 1000, "more than some multicast reports"
    with test.step("the log has one line for each packet and its fate"):
        assert len(plan.fates) == 120, len(plan.fates)
        assert plan.fates.count("queue") == dropped["queue"], plan.fates


def delay_and_step(test, world):
    """Delay, jitter and changes at run time"""
    a, b = two(world)
    log = world.directory / "log.csv"
    line = world.line(a, b, settings=["delay=80", "b>a.delay=20"], log=log, ipv6=None)
    sender, receiver = sockets(a, b)

    def sent(count, size, gap_s):
        """Datagrams of a size of their own from A to B, and what became of them."""
        report = traffic.blast(line, sender, receiver, (B, 4000), count, size, gap_s)
        line.stats()  # the log is written
        return report, traffic.Plan(log, size)
    with test.step("a delay of 80 ms is 80 ms"):
        report, plan = sent(100, 200, 0.005)
        assert len(report.delays_s) == 100 and plan.kept(report), report.delays_s
        assert all(abs(delay - 0.08) < 0.0001 for delay in plan.delays_s), plan.delays_s
    with test.step("the other direction has its own delay"):
        report = traffic.blast(line, receiver, sender, sender.getsockname(), 50, 200, 0.005)
        line.stats()
        plan = traffic.Plan(log, 200, "b>a")
        assert len(report.delays_s) == 50 and plan.kept(report), report.delays_s
        assert all(abs(delay - 0.02) < 0.0001 for delay in plan.delays_s), plan.delays_s
    with test.step("jitter spreads the delay over its range and keeps the order"):
        line.command("jitter a>b 30")
        report, plan = sent(200, 201, 0.005)
        assert report.overtaken == 0 and plan.kept(report), report.delays_s
        assert min(plan.delays_s) >= 0.05 and max(plan.delays_s) > 0.1, plan.delays_s
        assert statistics.pstdev(plan.delays_s) > 0.008, plan.delays_s
    with test.step("a rate changed at run time holds at once"):
        line.command("jitter 0")
        line.command("rate a>b 64k")
        report, plan = sent(30, 400, 0.01)
        assert plan.kept(report), (plan.due_s, report.arrivals_s)
        gaps_s = [second - first for first, second in zip(plan.due_s, plan.due_s[1:])]
        assert min(gaps_s) > 0.0499, gaps_s
    with test.step("an MTU drops what is larger"):
        line.command("rate 0")
        line.command("mtu 576")
        large, _ = sent(10, 577, 0.001)
        small, _ = sent(10, 576, 0.001)
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
    a, b = two(world)
    line = world.line(a, b, settings=["loss=20%", "delay=5"], seed=3, ipv6=None)
    sender, receiver = sockets(a, b)
    with test.step("a loss of 20 % loses 20 % of 5,000 packets, within 3 points"):
        report = traffic.blast(line, sender, receiver, (B, 4000), 5000, 100, 0.0004)
        assert abs(report.loss - 0.2) < 0.03, report.loss
        stats = line.stats()["a>b"]
        assert len(report.delays_s) == 5000 - stats["dropped"]["loss"], (report.loss, stats)
    with test.step("bursts lose their share, in runs"):
        line.command("loss 0")
        line.command("burst_share 0.1")
        line.command("burst_frames 8")
        report = traffic.blast(line, sender, receiver, (B, 4000), 5000, 100, 0.0004)
        lost = [number for number in range(5000) if number not in report.delays_s]
        runs = sum(number - 1 in report.delays_s or number == 0 for number in lost)
        test.note(f"{report.loss:.3f} lost in runs of {len(lost) / runs:.1f}")
        assert 0.05 < report.loss < 0.16, report.loss
        assert 4 < len(lost) / runs < 14, len(lost) / runs
        stats = line.stats()["a>b"]
        assert len(lost) == stats["dropped"]["burst"], (report.loss, stats)
    with test.step("reordered packets are overtaken, duplicates come twice"):
        line.command("burst_share 0")
        line.command("reorder 0.05")
        line.command("duplicate 0.05")
        report = traffic.blast(line, sender, receiver, (B, 4000), 2000, 100, 0.001)
        stats = line.stats()["a>b"]
        assert report.loss == 0, report.loss
        assert 60 < stats["duplicated"] < 140 and report.copies == stats["duplicated"], stats
        # Held for 10 ms: some may not be overtaken when the sender was held up as long.
        assert 60 < stats["reordered"] < 140, stats
        assert 0 < report.overtaken <= stats["reordered"], (report.overtaken, stats)


def outages(test, world):
    """Outages by schedule and by hand"""
    a, b = two(world)
    line = world.line(a, b, commands=["down 0.5..1.0 every 1"], ipv6=None)
    sender, receiver = sockets(a, b)
    with test.step("a line that flaps loses what is sent while it is down"):
        report = traffic.blast(line, sender, receiver, (B, 4000), 400, 100, 0.01)
        dropped = line.stats()["a>b"]["dropped"]
        assert len(report.delays_s) == 400 - dropped["down"] == 400 - sum(dropped.values()), dropped
        flips = sum((number in report.delays_s) != (number - 1 in report.delays_s)
                    for number in range(1, 400))
        assert 0.1 < report.loss < 0.9 and 3 <= flips <= 10, (report.loss, flips)
    line.process.end()
    line = world.line(a, b, interface="eth1", ipv4="10.78.0.0/24", ipv6=None)
    sender, receiver = a.udp("10.78.0.1"), b.udp("10.78.0.2", 4000)
    with test.step("cut by hand nothing passes, restored all does"):
        line.command("down")
        gone = traffic.blast(line, sender, receiver, ("10.78.0.2", 4000), 20, 100, 0.001)
        line.command("up")
        back = traffic.blast(line, sender, receiver, ("10.78.0.2", 4000), 20, 100, 0.001)
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
