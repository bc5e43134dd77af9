/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Voice messages: parts that came in any order, and how much of each message they make.
 * It owns what each part says of itself, not its frames, which stay in the journal. It never opens
 * an entry, and knows no codec.
 *
 * The message is named by the entry of its part 0. A later part counts when the author of part 0
 * wrote it; of two with one number the one earlier in the common order does. So the same entries
 * make the same messages, whichever came first.
 */
#pragma once

#include "mesh/meeting/act.h"

typedef struct {
    MeshHash message;
    MeshKey author;
    uint32_t number;
    Place place;
    bool last;
    uint32_t end_ms; /* where it ends in the message */
} VoicePart;

/* One of each message, author and number. */
typedef struct {
    VoicePart *parts; /* as they came */
    size_t count, capacity;
    uint32_t *order; /* by message, author, number: to put one in moves little */
    size_t order_capacity;
} Voices;

/* What is here without a gap from the first part on. */
typedef struct {
    uint32_t parts; /* 0: no such message of this author */
    uint32_t duration_ms;
    bool whole;
} VoiceState;

void voices_reset(Voices *voices);
/* Takes an act of kind VOICE; false when it changes nothing, or memory is short. */
bool voices_add(Voices *voices, const Entry *entry, uint64_t height, const SealedAct *act);
VoiceState voices_state(const Voices *voices, const MeshHash *message, const MeshKey *author);
/* One of those that voices_state counts, NULL otherwise. */
const VoicePart *voices_part(const Voices *voices, const MeshHash *message, uint32_t number);

/* One frame at least, all readable, within MESH_VOICE_MS_MAX; part 0 begins at 0. */
bool voice_part_is_valid(const MeshVoicePart *part);
