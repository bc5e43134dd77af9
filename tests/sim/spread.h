/* SPDX-License-Identifier: MPL-2.0 */
/*
 * How entries spread through a world: from whom each node got each of them first, as the disk tells
 * that is asked to keep it.
 * It owns those steps. It never looks into a datagram.
 */
#pragma once

#include "tests/sim/world.h"

Spread *spread_create(void);
/* NULL-safe. */
void spread_destroy(Spread *spread);

/* A node keeps an entry that came from another, or its own. */
void spread_note(Spread *spread, unsigned node, unsigned from, const uint8_t *hash);
/* Over how many lines it came to the node; 0: it has not, or is its own. */
unsigned spread_hops(const Spread *spread, unsigned node, const MeshHash *entry);
