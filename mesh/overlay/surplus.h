/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Links that neither end needs, of which the worst go first. It follows from the map alone, so that
 * all nodes with the same map find the same: however many let go at once, nobody is left with fewer
 * links than it needs.
 * It owns nothing: the same graph gives the same answers. It never ends a link; company.c does.
 */
#pragma once

#include "mesh/overlay/graph.h"

/* Links that everybody needs but who is weak; who has no more lets none go for this. Not fewer than
 * are wanted, lest what goes is looked for again. */
#define SURPLUS_NEED 7

/* What must be known of each node of the graph, by its number there. */
typedef struct {
    const MeshKey *key;
    bool weak;  /* it needs fewer links */
    bool relay; /* it is here to have many: none of its links is too many for others */
} SurplusNode;

/*
 * Whether the link of `node` with `other` goes now: both have more links than they need, it is none
 * that either has by chance, and so few of those like it, at either end, are worse that the end
 * keeps more than it needs when all of these go too. Worse is the longer round trip, by its class
 * in the map, then the higher choice_rank.
 */
bool surplus_goes(const Graph *graph, const SurplusNode *nodes, uint16_t node, uint16_t other);
