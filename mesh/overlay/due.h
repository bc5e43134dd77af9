/* SPDX-License-Identifier: MPL-2.0 */
/*
 * When neighbours are to be looked after, so that a step asks those for whom something may be to be
 * done, and not all.
 * It owns what was found of each at the end of a step. It never relies on that of one that somebody
 * was handed since, and may have changed: that one is stirred, until the step ends. neighbour_at
 * and those beside it see to that; who is handed one must not keep it beyond the step.
 */
#pragma once

#include "mesh/mesh.h"

typedef struct {
    uint64_t stirred;  /* neighbours that somebody was handed since then, a bit each */
    uint64_t busy;     /* of the others those whose links have something under way, */
    uint64_t knocking; /* and those knocked at */
    uint64_t look_us[MESH_PEERS_MAX]; /* due_timeout has nothing to do for one earlier, */
    uint64_t line_us[MESH_PEERS_MAX]; /* nor has its link anything to send */
    uint64_t paths[MESH_PEERS_MAX];   /* the marks of the paths in use */
} Dues;

/* Somebody is handed a neighbour, or its slot is taken or left. */
void due_stir(const Mesh *mesh, uint32_t slot);
/* Those who may be linked with and have something under way on their links, a bit each. */
uint64_t due_busy(const Mesh *mesh);
/* The link of this one has nothing to send earlier. */
uint64_t due_line_us(const Mesh *mesh, uint32_t slot);
/* Those whose path in use may be this one, a bit each. */
uint64_t due_by(const Mesh *mesh, const MeshPath *path);
/* Those who may be knocked at, a bit each. */
uint64_t due_knocking(const Mesh *mesh);

/* Does what is due. */
void due_timeout(Mesh *mesh);
/* When something is. */
uint64_t due_deadline_us(const Mesh *mesh);
/* The step ends: those stirred are looked at anew. */
void due_settle(Mesh *mesh);
/* Whether all that is relied on is so; for tests. */
bool due_is_true(const Mesh *mesh);
