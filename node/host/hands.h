/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Who asks to speak, for the views and the events.
 * It owns nothing: the queue is the meeting's. It never changes a hand but by command.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "node/host/room.h"

/* Those whose hand is up, in their order. */
typedef struct {
    size_t count;
    MeshKey keys[MESH_MEMBERS_MAX];
} Queue;

/* Of no room: nobody. */
void hands_queue(const Room *room, Queue *ret_queue);
/* From 1; 0: the hand is not up. */
guint hands_number(const Queue *queue, const MeshKey *member);
/* The array: number, id, name and self of each. */
void hands_put(JsonBuilder *builder, const Room *room);
