/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What a person lets this node use of the line: whether pictures are sent, and how much in all.
 * It owns the two settings, and gives them to the sources and to each meeting. It never measures.
 */
#pragma once

#include "node/host/room.h"

/* Reads the settings, before the rooms are opened. FALSE with an error. */
gboolean bandwidth_load(Host *host, GError **error);
/* Tells the sources, once there are some. */
void bandwidth_tell_media(Host *host);
/* Tells a meeting that was just opened. */
void bandwidth_tell_room(Room *room);
/* What the ceiling leaves for each line by which the sources leave that meeting, bit/s; 0: any. */
guint bandwidth_share_bps(Room *room);
