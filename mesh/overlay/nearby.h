/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Who is two links away, and where: what neighbours tell each other of some of theirs, so that who
 * loses all of its own at once knows others to knock at, and is known by them.
 * It owns nothing: reach keeps what is told, as hearsay. It never goes before what a member said of
 * itself, and leads to nothing but knocks, which whoever answers them must prove itself to.
 */
#pragma once

#include <stdint.h>

#include "mesh/bytes.h"
#include "mesh/error.h"

typedef struct Mesh Mesh;

/* Tells a neighbour of some others, where not all are linked with all. */
void nearby_greet(Mesh *mesh, uint32_t slot);
MeshError nearby_received(Mesh *mesh, Bytes body);
