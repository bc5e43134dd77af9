/* SPDX-License-Identifier: MPL-2.0 */
/*
 * One person speaks and another listens: the ladder and the jitter buffer that ship, in virtual
 * time, around a core each.
 * It owns the speaker's rung, the listener's buffer, and what was heard when. It never encodes:
 * packets have the size and length of their rung, words are loud, the gaps between them faint, and
 * the pauses between sentences not sent.
 */
#pragma once

#include "media/ladder.h"
#include "tests/sim/voice.h"

#define TALK_RUNGS 16

typedef struct Talk Talk;

typedef struct {
    uint64_t spoken; /* packets, */
    uint64_t up;     /* of them, while the line from one to the other was up */
    uint64_t in_time, late, lost;
    uint64_t half_us, most_us;  /* from mouth to ear: of one in two, of 95 in a hundred */
    uint64_t rungs[TALK_RUNGS]; /* packets spoken on each */
    uint64_t changes;           /* of the rung */
    uint64_t wire_bytes;        /* all that left on the line meanwhile, IP included */
    uint64_t lasted_us;
} TalkFigures;

/* Begins to speak; both nodes must run until the end. */
Talk *talk_begin(Node *speaker, Node *listener);
/* Packets that fell due so far and were not there. */
uint64_t talk_missed(const Talk *talk);
/* Ends, and lets the last packets arrive. */
TalkFigures talk_end(Talk *talk);
/* What was spoken and heard so far counts for nothing. */
void talk_forget(Talk *talk);
/* One line for the trace. */
void talk_note(World *world, const char *what, const TalkFigures *figures);
