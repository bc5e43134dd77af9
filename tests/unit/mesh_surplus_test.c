/* SPDX-License-Identifier: MPL-2.0 */
/* Links that neither end needs: whoever looks finds the same, and all let go at once. */
#include <glib.h>
#include <string.h>

#include "mesh/overlay/choice.h"
#include "mesh/overlay/surplus.h"

#define NODES  150
#define ROUNDS 40
#define SEEDS  20

typedef struct {
    SurplusNode nodes[NODES];
    MeshKey keys[NODES];
    uint8_t classes[NODES][NODES]; /* of the link of two; 0: none */
} World;

static guint degree(const World *world, guint node) {
    guint links = 0;

    for (guint i = 0; i < NODES; i++)
        links += world->classes[node][i] > 0;
    return links;
}

static void link_both(World *world, guint a, guint b, uint8_t classes) {
    world->classes[a][b] = world->classes[b][a] = classes;
}

/* Node i's key begins with i, so that it is number i of the graph. */
static World *world_new(void) {
    World *world = g_new0(World, 1);

    for (guint i = 0; i < NODES; i++) {
        world->keys[i] = (MeshKey){.bytes = {0, (uint8_t)i, 7}};
        world->nodes[i].key = &world->keys[i];
    }
    return world;
}

/* From hardly any links to as many as a node declares, over lines of all lengths. */
static World *random_world(GRand *chance) {
    World *world = world_new();

    for (guint i = 0; i < NODES; i++) {
        guint most = (guint)g_rand_int_range(chance, 1, 15);

        world->nodes[i].weak = g_rand_int_range(chance, 0, 6) == 0;
        world->nodes[i].relay = i % 70 == 69;
        for (guint n = 0; n < most; n++) {
            guint other = (guint)g_rand_int_range(chance, 0, NODES);

            if (other != i && degree(world, i) < MESH_EDGES_MAX &&
                degree(world, other) < MESH_EDGES_MAX)
                link_both(world, i, other,
                          edge_classes((uint8_t)g_rand_int_range(chance, 0, 5), 0, 2));
        }
    }
    return world;
}

/* A record without a signature: nobody looks at it here. */
static uint8_t *write_record(const World *world, guint node) {
    guint count = degree(world, node);
    uint8_t *record = g_malloc0(EDGES_SIZE(count));
    BytesWriter writer = bytes_writer(record, EDGES_SIZE(count));

    bytes_write(&writer, world->keys[node].bytes, MESH_KEY_SIZE);
    bytes_write_u64(&writer, 1);
    bytes_write_u8(&writer, world->nodes[node].weak ? EDGES_WEAK : 0);
    bytes_write_u8(&writer, (uint8_t)count);
    for (guint i = 0; i < NODES; i++)
        if (world->classes[node][i]) {
            bytes_write(&writer, world->keys[i].bytes, SHORT_KEY_SIZE);
            bytes_write_u8(&writer, world->classes[node][i]);
        }
    g_assert_false(writer.failed);
    return record;
}

static Graph *build(const World *world) {
    uint8_t *records[NODES];
    Graph *graph;

    for (guint i = 0; i < NODES; i++)
        records[i] = write_record(world, i);
    graph = graph_build((const uint8_t *const *)records, NODES);
    g_assert_nonnull(graph);
    for (guint i = 0; i < NODES; i++)
        g_free(records[i]);
    return graph;
}

static guint need(const World *world, guint node) {
    return world->nodes[node].weak ? CHOICE_WEAK_TARGET : SURPLUS_NEED;
}

/* Those of the lowest ranks among its links. */
static bool is_by_chance(const World *world, guint node, guint other) {
    uint64_t ours = choice_rank(&world->keys[node], &world->keys[other]);
    guint before = 0;

    for (guint i = 0; i < NODES; i++)
        before +=
            world->classes[node][i] && choice_rank(&world->keys[node], &world->keys[i]) < ours;
    return before < (world->nodes[node].weak ? CHOICE_WEAK_RANDOM : CHOICE_RANDOM);
}

static bool may_go(const World *world, guint a, guint b) {
    return !world->nodes[a].relay && !world->nodes[b].relay && degree(world, a) > need(world, a) &&
           degree(world, b) > need(world, b) && !is_by_chance(world, a, b) &&
           !is_by_chance(world, b, a);
}

/* All let go at once of what all find in one map; how many links went. */
static guint let_go(World *world) {
    Graph *graph = build(world);
    World *before = g_memdup2(world, sizeof *world);
    guint gone = 0;

    for (guint a = 0; a < NODES; a++)
        for (guint b = 0; b < a; b++) {
            bool goes = surplus_goes(graph, world->nodes, (uint16_t)a, (uint16_t)b);

            g_assert_true(goes == surplus_goes(graph, world->nodes, (uint16_t)b, (uint16_t)a));
            g_assert_true(!goes || (before->classes[a][b] && may_go(before, a, b)));
            if (goes)
                link_both(world, a, b, 0);
            gone += goes;
        }
    for (guint i = 0; i < NODES; i++)
        g_assert_cmpuint(degree(world, i), >=, MIN(degree(before, i), need(world, i)));
    graph_destroy(graph);
    g_free(before);
    return gone;
}

static void test_all_at_once(void) {
    for (guint seed = 0; seed < SEEDS; seed++) {
        g_autoptr(GRand) chance = g_rand_new_with_seed(seed);
        g_autofree World *world = random_world(chance);
        guint rounds = 0;

        while (let_go(world) > 0)
            rounds++;
        g_test_message("seed %u: %u rounds", seed, rounds);
        g_assert_cmpuint(rounds, >=, 1);
        g_assert_cmpuint(rounds, <=, ROUNDS);
        for (guint a = 0; a < NODES; a++)
            for (guint b = 0; b < a; b++)
                g_assert_false(world->classes[a][b] && may_go(world, a, b));
    }
}

/* Of those with one link too many the one over the longer line goes, whoever is asked. */
static void test_worst(void) {
    g_autofree World *world = world_new();
    guint count = SURPLUS_NEED + 2, gone = 0;

    for (guint a = 0; a < count; a++)
        for (guint b = 0; b < a; b++)
            link_both(world, a, b, edge_classes(1, 0, 2));
    for (guint b = 1; b < count; b++)
        if (!is_by_chance(world, 0, b) && !is_by_chance(world, b, 0)) {
            Graph *graph;

            link_both(world, 0, b, edge_classes(4, 0, 2));
            graph = build(world);
            for (guint other = 1; other < count; other++)
                g_assert_cmpint(surplus_goes(graph, world->nodes, 0, (uint16_t)other), ==,
                                other == b);
            graph_destroy(graph);
            link_both(world, 0, b, edge_classes(1, 0, 2));
            gone++;
        }
    g_assert_cmpuint(gone, >=, 1);
    /* None of somebody who needs all it has, and none that is not there. */
    link_both(world, 0, count - 1, 0);
    for (guint b = 1; b < count; b++) {
        Graph *graph;

        if (b < count - 1)
            link_both(world, 0, b, edge_classes(5, 0, 2));
        graph = build(world);
        g_assert_false(surplus_goes(graph, world->nodes, 0, (uint16_t)b));
        graph_destroy(graph);
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/surplus/all-at-once", test_all_at_once);
    g_test_add_func("/surplus/worst", test_worst);
    return g_test_run();
}
