/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the sources of this node send at the moment, and why: the rungs of the media helper, for
 * people and programs. It owns when a change of one is told. It never chooses a rung.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "node/host/line.h"
#include "node/host/room.h"

/* Fills in what the sources that leave by this room make of its weakest line. */
void rungs_view(Room *room, LineView *view);
/* Adds the array of the sources that run. */
void rungs_put(Host *host, JsonBuilder *builder, Language language);
/* Tells what changed, and lasted; once a second. */
void rungs_look(Host *host, gint64 now_ms);
