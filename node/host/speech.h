/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Who speaks now: of each voice, from the loudness its frames carry, told when it begins and ends.
 * It owns what is known of each voice, and the event `speaking`. It never tells of one more often
 * than a person could follow: whoever pauses for a breath still speaks.
 */
#pragma once

#include "node/host/room.h"

/* RFC 6464: 0 is the loudest. Begins to be speech here, and is none any more there. */
#define SPEECH_LOUD  45
#define SPEECH_QUIET 52
/* Quiet for so long, it is over, ms. */
#define SPEECH_HOLD_MS 1200

typedef enum {
    SPEECH_SILENT,
    SPEECH_SPEAKS,
} SpeechState;

/* One voice; pure. */
typedef struct {
    SpeechState state;
    gint64 loud_ms; /* when it was last */
} Speech;

/* A frame of that level came, or (MEDIA_LEVEL_SILENCE) none did. Whether the state changed. */
gboolean speech_step(Speech *speech, guint8 level, gint64 now_ms);

void speech_create(Host *host);
void speech_destroy(Host *host);
/* A frame of this member's voice, in this meeting; one's own too. */
void speech_heard(Room *room, const MeshKey *member, guint8 level);
/* The voice is over. */
void speech_end(Room *room, const MeshKey *member);
gboolean speech_speaks(Room *room, const MeshKey *member);
