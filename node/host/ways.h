/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The ways to all members of a meeting, watched: what changed last, and why.
 * It owns that memory, and tells of it by the event `map`, at most once a second. It never decides
 * a way; the words are those of way.h.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "node/cli/language.h"
#include "node/host/room.h"

/* The map, or a way, may be another one: the next look tells of it. */
void ways_changed(Room *room);
/* A link ended, or is direct no more. */
void ways_ended(Room *room, const MeshKey *member, MeshEnd why);
/* Why there is no direct link to a member any more; NONE: there is, or never was. */
MeshEnd ways_end(const Room *room, const MeshKey *member);
/* Once a second. */
void ways_look(Room *room, gint64 now_ms);
/* The array of the last changes, the newest last: at, member and text, in that language. */
void ways_put(JsonBuilder *builder, const Room *room, Language language);
/* The array of those not told of yet, with their texts in all languages. */
void ways_put_news(JsonBuilder *builder, const Room *room);
/* Nothing of it is remembered. */
void ways_room_closed(Room *room);
