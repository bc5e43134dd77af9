/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/unit/mesh_graph_world.h"

#include <stdlib.h>
#include <string.h>

MeshKey world_key(size_t node) {
    MeshKey key = {.bytes = {(uint8_t)(node >> 8), (uint8_t)node, 7}};

    return key;
}

void world_declare(World *world, size_t from, size_t to, uint8_t classes) {
    size_t at = world->edge_count[from]++;

    g_assert_cmpuint(at, <, MESH_EDGES_MAX);
    world->edges[from][at].to = (uint16_t)to;
    world->edges[from][at].classes = classes;
}

void world_link(World *world, size_t a, size_t b, uint8_t classes) {
    world_declare(world, a, b, classes);
    world_declare(world, b, a, classes);
}

bool world_has_edge(const World *world, size_t from, size_t to) {
    for (size_t i = 0; i < world->edge_count[from]; i++) {
        if (world->edges[from][i].to == to) {
            return true;
        }
    }
    return false;
}

static int compare_edges(const void *a, const void *b) {
    return memcmp(((const Edge *)a)->key, ((const Edge *)b)->key, SHORT_KEY_SIZE);
}

uint8_t *world_record(const World *world, size_t node) {
    uint8_t *record = g_malloc0(EDGES_SIZE(world->edge_count[node]));
    BytesWriter writer = bytes_writer(record, EDGES_SIZE(world->edge_count[node]));
    Edge edges[MESH_EDGES_MAX];
    MeshKey key = world_key(node);

    for (size_t i = 0; i < world->edge_count[node]; i++) {
        MeshKey other = world_key(world->edges[node][i].to);

        memcpy(edges[i].key, other.bytes, SHORT_KEY_SIZE);
        edges[i].classes = world->edges[node][i].classes;
    }
    qsort(edges, world->edge_count[node], sizeof *edges, compare_edges);
    bytes_write(&writer, key.bytes, MESH_KEY_SIZE);
    bytes_write_u64(&writer, 1);
    bytes_write_u8(&writer, world->flags[node]);
    bytes_write_u8(&writer, (uint8_t)world->edge_count[node]);
    bytes_write(&writer, edges, world->edge_count[node] * sizeof *edges);
    g_assert_false(writer.failed);
    return record;
}

Graph *world_graph(const World *world) {
    uint8_t *records[NODES_MOST];
    const uint8_t *borrowed[NODES_MOST];
    Graph *graph;

    for (size_t i = 0; i < world->count; i++) {
        borrowed[i] = records[i] = world_record(world, i);
    }
    graph = graph_build(borrowed, world->count);
    g_assert_nonnull(graph);
    for (size_t i = 0; i < world->count; i++) {
        g_free(records[i]);
    }
    return graph;
}

World *world_line(size_t count) {
    World *world = g_new0(World, 1);

    world->count = count;
    for (size_t i = 0; i + 1 < count; i++) {
        world_link(world, i, i + 1, GOOD);
    }
    return world;
}

World *world_random(GRand *rand, size_t count, size_t degree, size_t weak_one_in) {
    World *world = g_new0(World, 1);

    world->count = count;
    for (size_t i = 0; i < count; i++) {
        world->flags[i] =
            weak_one_in > 0 && g_rand_int_range(rand, 0, (gint32)weak_one_in) == 0 ? EDGES_WEAK : 0;
        while (world->edge_count[i] < degree / 2 + 1) {
            size_t other = (size_t)g_rand_int_range(rand, 0, (gint32)count);

            if (other != i && !world_has_edge(world, i, other) &&
                world->edge_count[other] < MESH_EDGES_MAX) {
                world_link(world, i, other,
                           edge_classes((uint8_t)g_rand_int_range(rand, 0, 8),
                                        (uint8_t)g_rand_int_range(rand, 0, 4),
                                        (uint8_t)g_rand_int_range(rand, 1, 4)));
            }
        }
    }
    return world;
}
