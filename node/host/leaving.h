/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Leaving a meeting on this device, and coming back: what was recorded stays, and no more is sent.
 * It owns which meetings were left, remembered over restarts. It never tells the meeting: for the
 * others this node is one that does not answer, and stays a member.
 */
#pragma once

#include "node/host/room.h"

/* Whether the meeting of that number was left. FALSE with an error. */
gboolean leaving_load(Host *host, guint number, gboolean *ret_away, GError **error);
/* Takes part again, from the end of the turn on, and is the current meeting. */
void leaving_return(Room *room);
/* At the end of a turn, when nothing is open in the store: rooms go, and come back. */
void leaving_settle(Host *host);
