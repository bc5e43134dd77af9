# SPDX-License-Identifier: MPL-2.0
"""Every task by its name, and which are done on which line."""

from . import others, ours, tcp

OURS = {"document": ours.document, "beside": ours.beside, "knock": ours.knock, "rest": ours.rest,
        "step": ours.step, "step-voice": ours.step}
RIVALS = {
    "document-cubic": tcp.document("cubic"), "document-bbr": tcp.document("bbr"),
    "votes-cubic-2": tcp.beside("cubic", 2), "votes-bbr-2": tcp.beside("bbr", 2),
    "votes-cubic-1": tcp.beside("cubic", 1), "votes-bbr-1": tcp.beside("bbr", 1),
    "document-sctp": others.sctp_document, "votes-sctp": others.sctp_votes,
    "document-rsync": others.rsync, "document-syncthing": others.syncthing,
    "rtp": others.rtp(False), "rtp-fec": others.rtp(True),
}
ALL = {**OURS, **RIVALS}
