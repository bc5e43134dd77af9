/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What leaves this node by all its links together: who is next, how the links share what carries
 * them all, and the ceiling that a person set.
 * It owns the account of the ceiling. It never estimates a line: each link does.
 */
#pragma once

#include "mesh/overlay/neighbour.h"

typedef struct {
    uint64_t ceiling;  /* bytes a second, IP headers included; 0: none */
    uint64_t free_us;  /* until then what left fills it */
    uint64_t links_us; /* until then what the links sent fills half of it, which is theirs */
    uint64_t served;   /* where the sharing of documents stands, bytes */
    uint64_t look_us;  /* the links are compared again then */
} Uplink;

/* No more than so many bits a second leave from now on; 0: no ceiling. */
void uplink_set_ceiling(Mesh *mesh, uint64_t bps);
/* A datagram left, of a link or not. */
void uplink_sent(Mesh *mesh, const MeshPath *path, size_t length);
/* What the links have to send now: the most urgent first, whichever link it is of; of documents,
 * the link that had the least. */
void uplink_flush(Mesh *mesh);
/* When a link may have something to send. */
uint64_t uplink_deadline_us(const Mesh *mesh);
