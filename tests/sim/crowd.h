/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A large meeting: how it is gathered quickly, and what is asked of everyone in it at once.
 * It owns nothing. It never looks into a core but through its views.
 */
#pragma once

#include "tests/sim/world.h"

/*
 * Gathers so many members at sites of a few hosts each, all of them in the open: the first creates
 * the meeting, the others join in waves, several at once, by tickets of several members. A failure
 * of the world when a wave is not in within minutes.
 */
void crowd_gather(World *world, unsigned count);
/* More members, in waves as above, by tickets of running members of `hosts`, and next to them. */
void crowd_join(World *world, Hosts hosts, unsigned count);

/* So many more come in and soon leave for good, a wave after the other. */
void crowd_pass(World *world, unsigned count);

/*
 * `node` says something: how long it takes until everyone of `hosts` who runs was told of it, µs. A
 * failure of the world when that is longer than `within_us`.
 */
uint64_t crowd_tell(World *world, Node *node, Hosts hosts, uint64_t within_us);

/* Somebody of these who runs, by the dice; NULL: nobody does. */
Node *crowd_anyone(World *world, Hosts hosts);
/* About so many in a hundred of the first `count`, by the dice, never the first one. */
Hosts crowd_part(World *world, unsigned count, unsigned percent);
