# SPDX-License-Identifier: MPL-2.0
"""The first meeting from end to end: talk, share, vote, lose the founder, go on, come back."""

from harness import pdf, tap
from harness.node import Node, all_agree


def motion(node, number):
    return node.run("motion", "show", number)


def story(test, world):
    """A meeting that outlives its founder"""
    _, (ha, hb, hc, hd) = world.lan(4)
    a, b, c = (Node(world, host, name).start() for host, name in ((ha, "A"), (hb, "B"), (hc, "C")))
    with test.need("three nodes meet"):
        a.create("Cellule de crise")
        ticket = a.invite("--uses", "10")
        b.join(ticket)
        c.join(ticket)
        for node in (a, b, c):
            node.wait_members(3)
        b.wait_peer("C", path="direct")
    plan = pdf.write(world.directory / "plan.pdf", 1_200_000)
    with test.step("a document added by one is had whole by all, with the same hash"):
        document = a.run("doc", "add", plan)["id"]
        share(world, (b, c), document, plan)
    with test.need("a motion is opened, voted and closed, and all nodes show the same result"):
        question = a.run("motion", "open", "Évacuer le secteur nord ?")["id"]
        for node, choice in ((a, "pour"), (b, "pour"), (c, "contre")):
            node.wait("the motion", lambda n=node: motion(n, question)["state"] == "open")
            node.run("vote", question, choice)
        a.wait("three ballots", lambda: motion(a, question)["counted"] == 3)
        a.run("motion", "close", question)
        result = all_agree((a, b, c), "the result", lambda node: closed(node, question))
        assert result["tally"] == {"pour": 2, "contre": 1, "abstention": 0}, result
        assert result["counted"] == 3, result
    with test.step("a vote after the close, or for no choice, is refused"):
        b.refused("vote", question, "contre")
        b.refused("vote", question, "peut-être")
        b.refused("vote", "no-such-motion", "pour")
        assert motion(a, question)["tally"]["contre"] == 1
    a.kill()
    with test.step("the founder killed, the others go on talking on their direct path"):
        b.say("A ne répond plus")
        c.wait_text("A ne répond plus")
        c.say("On continue")
        b.wait_text("On continue")
        assert b.peer("C")["path"] == "direct", b.peer("C")
    d = Node(world, hd, "D").start()
    with test.need("a fourth joins with the same ticket, though its writer is dead"):
        d.join(ticket)
        for node in (b, c, d):
            node.wait_members(4)
    with test.step("the newcomer has the past and takes part"):
        d.wait_text("A ne répond plus", "On continue")
        assert closed(d, question) == result, motion(d, question)
        d.say("Me voici")
        b.wait_text("Me voici")
        share(world, (d,), document, plan)
    with test.step("the others see the dead node as down"):
        b.wait_peer("A", state="down", timeout=60)
    a.start()
    with test.step("restarted, the founder rejoins by itself and catches up"):
        a.wait_members(4, timeout=40)
        a.wait_text("A ne répond plus", "On continue", "Me voici", timeout=40)
        a.say("De retour")
        for node in (b, c, d):
            node.wait_text("De retour")
    with test.step("in the end all four show the same"):
        for name, view in (("the messages", lambda n: [m["id"] for m in n.run("messages")]),
                           ("the result", lambda n: closed(n, question)),
                           ("the members", lambda n: n.meeting()["members"])):
            all_agree((a, b, c, d), name, view)


def closed(node, question):
    """The state of a motion once it is closed."""
    shown = motion(node, question)
    return shown if shown["state"] == "closed" else None


def share(world, nodes, document, original):
    """Every node fetches the document and writes it out, equal to the original."""
    for node in nodes:
        def whole(node=node):
            return [d for d in node.run("doc", "list")
                    if d["id"] == document and d["have"] == d["size"]]
        size = node.wait("the whole document", whole, 60)[0]["size"]
        assert size == original.stat().st_size, size
        copy = world.directory / f"copy-{node.name}.pdf"
        node.run("doc", "get", document, "-o", copy)
        assert pdf.digest(copy) == pdf.digest(original), node.name


def interrupted(test, world):
    """A document whose receiver dies half-way"""
    ha, hb = world.host("a"), world.host("b")
    line = world.line(ha, hb, settings=["rate=2M", "delay=5", "queue=64k"])
    a, b = Node(world, ha, "A").start(), Node(world, hb, "B").start()
    a.create("Plan")
    b.join(a.invite())
    plan = pdf.write(world.directory / "plan.pdf", 3_000_000, 7)
    document = a.run("doc", "add", plan)["id"]

    def have():
        return next((d["have"] for d in b.run("doc", "list") if d["id"] == document), 0)
    with test.need("the receiver is killed when it has a part"):
        part = b.wait("a part of the document", lambda: have() > 600_000 and have(), 30)
        assert part < 3_000_000, "too quick to interrupt"
        b.kill()
        line.stats(reset=True)
    with test.step("restarted, it still has the part and gets the rest"):
        b.start()
        assert have() >= part * 0.8, (have(), part)
        share(world, (b,), document, plan)
    with test.step("what it had was not sent again"):
        sent = line.stats()["a>b"]["bytes"]
        assert sent < (3_000_000 - 0.8 * part) * 1.25 + 100_000, (sent, part)
    with test.step("a message is not held up by a document"):
        line.command("rate 200k")  # which then takes more than a minute
        other = a.run("doc", "add", pdf.write(world.directory / "big.pdf", 2_000_000, 8))["id"]
        b.wait("the second document to flow",
               lambda: any(d["id"] == other and d["have"] > 0 for d in b.run("doc", "list")))
        a.say("d'abord")
        b.wait_text("d'abord")
        assert any(d["id"] == other and d["have"] < d["size"] for d in b.run("doc", "list"))
    with test.step("of an empty document nothing is missing, and yet it is fetched like any other"):
        line.command("rate 2M")
        b.stop()
        b.start("--fetch-max", "0")
        empty, copy = world.directory / "empty.txt", world.directory / "copy.txt"
        empty.touch()
        nothing = a.run("doc", "add", empty)["id"]
        b.wait("word of it", lambda: any(d["id"] == nothing for d in b.run("doc", "list")))
        b.run("doc", "get", nothing, "-o", copy)
        assert copy.read_bytes() == b""
    with test.step("documents that are not there are refused"):
        a.refused("doc", "add", world.directory / "nothing.pdf")
        a.refused("doc", "get", "no-such-document", "-o", world.directory / "x")
        assert not (world.directory / "x").exists()


if __name__ == "__main__":
    tap.need_environment("MAILLON_BIN", "the node program")
    tap.main(story, interrupted)
