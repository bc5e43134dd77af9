/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Voice messages: one being spoken here, part by part into the journal; one being heard.
 * It owns the recording and the playing, at most one of each. It never encodes or decodes, and
 * takes no frame that goes out live.
 *
 * There is one microphone: what is live makes way for a recording, and goes on after it.
 */
#pragma once

#include "node/host/room.h"

/* ---- speaking (voice_record.c) ---- */

/* A message is being spoken, or its end is not on disk yet. */
gboolean voice_record_runs(const Host *host);
/*
 * Begins one; the call is answered when its end is on disk. `seconds`: at most so many, 0: as long
 * as a message may be. `talk`: the answer is that of `talk`.
 */
void voice_record_begin(Room *room, const char *words, guint seconds, gboolean talk, BusCall *call);
/* What the media helper tells of the microphone; FALSE: it is none of a recording. */
gboolean voice_record_frame(Host *host, const MediaFrame *frame);
gboolean voice_record_ended(Host *host, const char *reason);
/* Nothing more is recorded; what was is sent. */
void voice_record_stop(Host *host);
/* The microphone does not go on after it. */
void voice_record_mic_off(Host *host);
/* The room is about to be left: what was said into it is on disk on return. */
void voice_record_room_left(Room *room);
/* The same as stopping, and waits until it is on disk. */
void voice_record_destroy(Host *host);

/* ---- hearing (voice_play.c) ---- */

/* Plays from its first part; what is played now ends. */
void voice_play_begin(Room *room, const MeshMessage *message, BusCall *call);
void voice_play_stop(Host *host);
/* Nothing of this room is heard any more. */
void voice_play_room_left(Room *room);
/* A message of that room changed: there may be more of it. */
void voice_play_changed(Room *room, const MeshHash *id);
