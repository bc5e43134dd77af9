# SPDX-License-Identifier: MPL-2.0
"""Results as rows of the table: ours, the rivals', the goal, and whether it is reached."""

import json
import statistics
import subprocess

from table import Row, Unable, program

from .lines import LINES, percentile
from .ours import LOW
from .task import GIVE_UP_S

DOCUMENT_RIVALS = {"document-cubic": "CUBIC", "document-bbr": "BBR", "document-sctp": "SCTP",
                   "document-rsync": "rsync", "document-syncthing": "Syncthing"}
VOTE_RIVALS = {"votes-cubic-2": "CUBIC", "votes-bbr-2": "BBR",
               "votes-cubic-1": "CUBIC, one connection", "votes-bbr-1": "BBR, one connection",
               "votes-sctp": "SCTP, two streams"}
VOICE_RIVALS = {"rtp": "RTP", "rtp-fec": "RTP with FEC"}
VOTE_BYTES = 350  # on the wire
VOTE_BPS = VOTE_BYTES * 8 / 2  # one every two seconds
LEVEL = 0.99  # of the best rival's share is level with it
HANDSHAKE = 300  # bytes of a handshake's packets
TRIPS, LOW_WHOLE_S, HIGH_BACK_S, IDLE_BPS, DORMANT_BPS = 1.7, 2, 10, 400, 60


class Results:
    """What the tasks gave, by name, line and seed."""

    def __init__(self, results):
        self.results = results

    def get(self, name, line, seed=1):
        """A result, or None when there is none to be used."""
        result = self.results.get((name, line, seed))
        return None if result is None or "failed" in result or "unable" in result else result

    def seeds(self, name, line):
        """With which dice a task was done, failed or not."""
        return sorted(seed for done, where, seed in self.results if (done, where) == (name, line))

    def beside(self, rivals, line, show, seed=1):
        """A line of text for each rival."""
        texts = []
        for name, title in rivals.items():
            result = self.results.get((name, line, seed))
            if result is None:
                continue
            reason = result.get("unable") or ("failed" if "failed" in result else None)
            texts.append(f"{title}: {reason or show(result)}")
        return "\n".join(texts)


def _title(text, seed):
    return text + (f", seed {seed}" if seed > 1 else "")


def _missing(name):
    return Row(name, "failed", "a result", "", False)


def _share(line, result):
    """Of what the line could have carried in that time."""
    if result["seconds"] is None:
        return None
    up = 1 - result["bad_s"] / result["seconds"]
    return result["size"] * 8 / result["seconds"] / LINES[line].limit_bps(up)


def _document_text(line, result):
    if result["seconds"] is None:
        had = result["had"] / result["size"]
        return f"did not finish in {GIVE_UP_S} s (had {had:.0%})"
    if LINES[line].goals.overhead:
        return f"{result['sent'] / result['size']:.2f} in {result['seconds']:.0f} s"
    return f"{_share(line, result):.3f} in {result['seconds']:.0f} s"


def _best(found, line, seed, judge):
    rivals = [found.get(name, line, seed) for name in DOCUMENT_RIVALS]
    return max((judge(result) for result in rivals
                if result is not None and result["seconds"] is not None), default=0)


def _document(found, line, seed=1):
    name = _title(f"{line} document alone", seed)
    result = found.get("document", line, seed)
    if result is None:
        return _missing(name)
    goals = LINES[line].goals
    text = _document_text(line, result)
    shown = found.beside(DOCUMENT_RIVALS, line, lambda rival: _document_text(line, rival), seed)
    if goals.overhead:
        level = result["seconds"] is not None and (
            1 / result["seconds"] >= LEVEL * _best(found, line, seed, lambda r: 1 / r["seconds"]))
        reached = level and result["sent"] / result["size"] <= goals.overhead
        return Row(name + ", sent/size", text, f"{goals.overhead}, no later than the best", shown,
                   reached)
    share = _share(line, result) or 0
    best = _best(found, line, seed, lambda rival: _share(line, rival))
    return Row(name + ", share", text, f"{goals.document}, level with the best", shown,
               share >= goals.document and share >= LEVEL * best)


def _delays(values):
    middle, tail = statistics.median(values), percentile(values, 0.95)
    digits = 2 if middle >= 0.1 else 3
    return f"{middle:.{digits}f} / {tail:.{digits}f} s"


def _votes_text(result):
    missing = f" ({result['missing']} never came)" if result["missing"] else ""
    return (_delays(result["votes"]) if result["votes"] else "none was sent") + missing


def _soonest(line, result):
    """What each vote would have taken, had it left in the first moment the line was up."""
    travel_s = LINES[line].delay_s + VOTE_BYTES * 8 / LINES[line].rate_bps
    return [wait + travel_s for wait in result["line_waits"]]


def _votes(found, line, seed, result):
    middle, tail = LINES[line].goals.vote_s
    values = result["votes"]
    reached = (statistics.median(values) <= middle and percentile(values, 0.95) <= tail
               and not result["missing"])
    kinds = [f"of these {title}: " + _delays([delay for delay, was in zip(values, result["kinds"])
                                              if was == kind])
             for kind, title in (("vote", "votes"), ("say", "messages"))]
    if LINES[line].up < 1:
        kinds.append("the line itself: " + _delays(_soonest(line, result)))
    return Row(_title(f"{line} vote beside both, p50 / p95", seed), _votes_text(result),
               f"{middle} / {tail} s",
               "\n".join([*kinds, found.beside(VOTE_RIVALS, line, _votes_text, seed)]), reached)


def _in_time(result):
    return result["in_time"] / max(result["frames"], 1)


def _voice(found, line, seed, result):
    numbers = LINES[line]
    wanted = numbers.goals.in_time
    if wanted is None:
        wanted = 1 - result["bad_s"] / result["seconds"] - 0.01
    share = _in_time(result["voice"])
    rivals = found.beside(VOICE_RIVALS, line,
                          lambda r: f"{_in_time(r):.1%} at {r['bps'] / 1000:.1f} kbit/s, alone",
                          seed)
    yield Row(_title(f"{line} voice beside both, in time", seed),
              f"{share:.1%} (alone {_in_time(result['alone']):.1%})", f"{wanted:.1%}", rivals,
              share >= wanted)
    cost, goal = result["voice_bps"], numbers.goals.voice_bps
    yield Row(_title(f"{line} voice on the wire", seed), f"{cost / 1000:.1f} kbit/s",
              f"{goal / 1000:.0f} kbit/s" if goal else "", "", not goal or cost <= goal)
    worst, goal = percentile(result["ear_ms"], 0.95), numbers.goals.ear_ms
    goal += numbers.delay_s * 1000
    shown = "not heard" if worst is None else f"{worst:.0f} ms"
    yield Row(_title(f"{line} mouth to ear, p95", seed), shown, f"{goal:.0f} ms",
              f"{len(result['ear_ms'])} of {result['ear_asked']} pieces were recognised",
              worst is not None and worst <= goal)


def _rest_of_line(line, seed, result):
    numbers = LINES[line]
    remaining = numbers.limit_bps(1 - result["bad_s"] / result["seconds"]) * max(
        1 - (result["voice_bps"] + VOTE_BPS) / numbers.rate_bps, 0.01)
    left, goal = result["document_bps"] / remaining, numbers.goals.left
    return Row(_title(f"{line} left for the document", seed), f"{left:.2f}",
               f"{goal}" if goal else "",
               f"{result['document_bps'] / 1000:.1f} of {remaining / 1000:.1f} kbit/s",
               not goal or left >= goal)


def _queue(found, line, seed, result):
    numbers = LINES[line]
    packet_ms = numbers.packet_ms(result["size_p95"])
    queue_ms, goals = result["queue_ms"], numbers.goals
    reached = (queue_ms <= goals.queue_ms if goals.queue_ms
               else queue_ms <= goals.queue_packets * packet_ms)
    return Row(_title(f"{line} queue we cause, p95", seed),
               f"{queue_ms:.0f} ms, {queue_ms / packet_ms:.1f} packets of {result['size_p95']} B",
               f"{goals.queue_ms} ms" if goals.queue_ms else f"{goals.queue_packets} packets",
               found.beside(VOTE_RIVALS, line, lambda r: f"{r['queue_ms']:.0f} ms", seed), reached)


def _beside(found, line, seed):
    result = found.get("beside", line, seed)
    if result is None:
        return [_missing(_title(f"{line} all at once", seed))]
    return [_votes(found, line, seed, result), *_voice(found, line, seed, result),
            _rest_of_line(line, seed, result), _queue(found, line, seed, result)]


def _knock(found, line):
    name = f"{line} knock to first message"
    result = found.get("knock", line)
    if result is None:
        return _missing(name)
    trip_s = LINES[line].trip_s(HANDSHAKE)
    middle_s = statistics.median(result["seconds"])
    return Row(name, f"{middle_s / trip_s:.2f} round trips ({middle_s:.2f} s)",
               f"{TRIPS} round trips", f"worst of {len(result['seconds'])}:"
               f" {max(result['seconds']):.2f} s", middle_s / trip_s <= TRIPS)


def _step(found):
    for name, title in (("step-voice", "a voice"), ("step", "a voice and a document")):
        result = found.get(name, "W1")
        title = f"256→32→256 kbit/s under {title}"
        if result is None:
            yield _missing(title)
            continue
        yield Row(title + ", whole again", f"{result['whole_s']:.1f} s", f"{LOW_WHOLE_S} s",
                  f"queue at {LOW}: {result['queue_ms']:.0f} ms, p95",
                  result["whole_s"] <= LOW_WHOLE_S)
        if name == "step":
            back_s = result["back_s"]
            yield Row(title + ", rate back", f"{back_s:.1f} s" if back_s is not None else "never",
                      f"{HIGH_BACK_S} s", "", back_s is not None and back_s <= HIGH_BACK_S)


def _rest(found):
    result = found.get("rest", "W2")
    if result is None:
        yield _missing("idle and dormant link")
        return
    for name, title, goal in (("idle", "idle link, each way", IDLE_BPS),
                              ("dormant", "dormant link, each way", DORMANT_BPS)):
        out, back = result[name]
        yield Row(title, f"{out:.0f} and {back:.0f} bit/s", f"{goal} bit/s", "",
                  max(out, back) <= goal)


def _cpu(found):
    result = found.get("document", "W4")
    if result is None:
        return
    cost = result["cpu_s"] / max(result["packets"], 1)
    try:
        done = subprocess.run([program("BENCH_FORWARD", "the AEAD alone"), "sealed", "900"],
                              check=True, capture_output=True, text=True)
        beside = f"an AEAD opened and sealed: {json.loads(done.stdout)['aead_ns'] / 1e6:.2%}"
    except Unable as reason:
        beside = str(reason)
    yield Row("1,000 packets/s sent and received, of a core", f"{cost * 1000:.1%}", "", beside)


def table(results, names):
    """All rows, line by line."""
    found = Results(results)
    rows = []
    for line in names:
        rows += [_document(found, line, seed) for seed in found.seeds("document", line)]
        for seed in found.seeds("beside", line):
            rows += _beside(found, line, seed)
        if line != "W5":
            rows.append(_knock(found, line))
    rows += _step(found) if "W1" in names else []
    rows += _rest(found) if "W2" in names else []
    rows += _cpu(found) if "W4" in names else []
    return rows
