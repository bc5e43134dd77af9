/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Who declares what, before it is written down and a graph is built of it.
 * A world is freed with g_free. Node i's key begins with i.
 */
#pragma once

#include <glib.h>

#include "mesh/overlay/graph.h"

#define NODES_MOST 250
#define GOOD       edge_classes(1, 0, EDGE_ROOM_BEST) /* up to 10 ms: costs 30 */

typedef struct {
    size_t count;
    uint8_t flags[NODES_MOST];
    size_t edge_count[NODES_MOST];
    struct {
        uint16_t to;
        uint8_t classes;
    } edges[NODES_MOST][MESH_EDGES_MAX];
} World;

MeshKey world_key(size_t node);
/* One end says so. */
void world_declare(World *world, size_t from, size_t to, uint8_t classes);
void world_link(World *world, size_t a, size_t b, uint8_t classes);
bool world_has_edge(const World *world, size_t from, size_t to);
/* A record without a signature: nobody looks at it here. To be freed. */
uint8_t *world_record(const World *world, size_t node);
Graph *world_graph(const World *world);
World *world_line(size_t count);
/* Each draws neighbours until it has about so many; some lines are bad, some nodes weak. */
World *world_random(GRand *rand, size_t count, size_t degree, size_t weak_one_in);
