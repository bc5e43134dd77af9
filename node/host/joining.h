/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Coming into a meeting: created, joined by ticket, or by hand.
 * It owns each joining until it is answered. It never keeps two rooms of one meeting.
 */
#pragma once

#include "node/host/room.h"

/* Something of the meeting changed; perhaps a joining from before a restart has come to its end. */
void joining_settle(Room *room);
