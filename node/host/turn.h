/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The turn: what all meetings put into the store is committed together, once per turn of the loop.
 * It owns the transaction's state. It never tells a Mesh STORED before it is on disk.
 */
#pragma once

#include "node/host/room.h"

void turn_create(Host *host);
void turn_destroy(Host *host);
/* Writes or forgets an item in the turn's transaction. */
void turn_put(Room *room, guint64 token, const MeshItem *item);
void turn_forget(Room *room, const MeshItem *item);
/* There is something to do at the end of this turn. */
void turn_schedule(Host *host);
/* Ends the turn now: commits, tells the rooms, forgets those that are left. */
void turn_end(Host *host);
