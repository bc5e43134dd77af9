/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What members carry for each other: none passes a datagram of a session on that it passed on
 * before, but while links come and go, when each sees the map a little otherwise.
 * It owns the names of what was carried of late. It never changes what is carried.
 */
#pragma once

#include "tests/sim/world.h"

Carried *carried_create(void);
void carried_destroy(Carried *carried);
/* How much was, for the trace. */
void carried_note(World *world);
