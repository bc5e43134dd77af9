/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Microphone, camera and screen: from the capture helper into a meeting.
 * It owns what each of them does now. It never sends a frame before the meeting knows the stream.
 */
#pragma once

#include "node/host/room.h"

/* What the media helper tells, for its handler. */
void sources_frame(Host *host, const MediaFrame *frame);
void sources_ended(Host *host, MediaKind kind, const char *reason);
/* Somebody needs a picture of that kind, sent into this room, that needs no earlier one. */
void sources_keyframe(Room *room, MediaKind kind);
/*
 * Push-to-talk: the microphone is on until it is switched off, its source ends, or `seconds` are
 * over (0: any number); the call is answered then.
 */
void sources_talk(Room *room, const char *words, guint seconds, BusCall *call);
/* Ends that; a microphone switched on otherwise stays on. */
void sources_talk_end(Host *host);
/*
 * The microphone goes off, for something else to use it: its words, to be given to sources_resume,
 * and the room. NULL when it was off, or push-to-talk. The caller frees.
 */
char *sources_make_way(Host *host, guint *ret_room);
void sources_resume(Host *host, guint room, const char *words);
/* Ends those that are sent into this room. */
void sources_room_left(Room *room);
/* Ends all of them; before the rooms are closed. */
void sources_destroy(Host *host);
