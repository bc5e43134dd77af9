/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Rooms in which not everybody is linked with everybody, and who speaks there.
 * It owns nothing but the count of what was spoken. It never tells of a stream itself.
 */
#pragma once

#include "mesh/overlay/stream.h"
#include "tests/unit/mesh_core_room.h"

#define ROW_FRAME_MS 60

extern guint row_spoken; /* frames of all in this test: a number of each */

bool row_filter(Room *room, guint from, guint to, uint8_t *bytes, size_t length);
bool ring_filter(Room *room, guint from, guint to, uint8_t *bytes, size_t length);
/* Three in a row: the second alone is linked with both others, and the map knows it. */
Room *row_new(void);
/* Four: the first and the third are linked with both others, not with each other. */
Room *ring_new(void);

void row_start(Peer *peer, MeshStreamKind kind);
void row_stop(Peer *peer, MeshStreamKind kind);
/* So many frames of a voice, in their time. */
void row_speak(Peer *peer, guint frames, uint8_t level);
/* A message, by the link of two who are up. */
void row_send(Peer *from, const Peer *to, uint8_t kind, Bytes body);

uint32_t row_slot(Peer *peer, const Peer *other);
/* The voice of one that another hears; NULL. */
Stream *row_heard(Peer *peer, const Peer *speaker);
/* Who brings it there. */
Peer *row_pusher(Peer *listener, const Peer *speaker);
