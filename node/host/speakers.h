/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Who is heard and seen: the live streams of all meetings, given to the media helper.
 * It owns their numbers there, which are not those of a Mesh, and what was counted of each speaker.
 * It never holds a frame back.
 */
#pragma once

#include "node/cli/language.h"
#include "node/host/room.h"

void speakers_create(Host *host);
void speakers_destroy(Host *host);
/* STREAM_OPEN, STREAM_CLOSE or FRAME. */
void speakers_effect(Room *room, const MeshEffect *effect);
/* The player cannot show the stream of that number, its own, before a keyframe: its speaker is
 * told. */
void speakers_keyframe(Host *host, guint32 number);
/* The same, of what pages show. */
void speakers_wish(Host *host, const MeshKey *member, MeshStreamKind kind);
/* The event `stream`: someone begins or ends to be heard or seen; one's own too. */
void speakers_tell(Room *room, const MeshKey *member, MeshStreamKind kind, gboolean live);
/* Its streams end. */
void speakers_room_closed(Room *room);
/* Adds the array of what was heard of each speaker, all streams of one added up. */
void speakers_put(Host *host, JsonBuilder *builder, Language language);
/* The same of what was seen: cameras and screens, `live` while they are shown. A player that shows
 * nothing counts nothing. */
void speakers_put_videos(Host *host, JsonBuilder *builder, Language language);
