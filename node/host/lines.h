/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The links of all meetings, watched: since when one is silent, whether it is weak, what was told.
 * It owns that memory and a look at every link once a second. It never decides how a link goes on,
 * and tells a person only what has lasted (calm.h), in the words of line.h.
 */
#pragma once

#include "node/host/line.h"
#include "node/host/room.h"

void lines_create(Host *host);
void lines_destroy(Host *host);
/* Nothing of it is remembered. */
void lines_room_closed(Room *room);

/* What is known of the link to a member of that room. */
LineView lines_view(Room *room, const MeshMember *member);
