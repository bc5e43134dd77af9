/* SPDX-License-Identifier: MPL-2.0 */
/* What is computed from the records of the map: the same on every node, and within its bounds. */
#include <glib.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "mesh/overlay/graph.h"

#define NODES_MOST 250
#define GOOD       edge_classes(1, 0, EDGE_ROOM_BEST) /* up to 10 ms: costs 30 */

/* Who declares what, before it is written down; node i's key begins with i. */
typedef struct {
    size_t count;
    uint8_t flags[NODES_MOST];
    size_t edge_count[NODES_MOST];
    struct {
        uint16_t to;
        uint8_t classes;
    } edges[NODES_MOST][MESH_EDGES_MAX];
} World;

static MeshKey key_of(size_t node) {
    MeshKey key = {.bytes = {(uint8_t)(node >> 8), (uint8_t)node, 7}};

    return key;
}

/* One end says so. */
static void declare(World *world, size_t from, size_t to, uint8_t classes) {
    size_t at = world->edge_count[from]++;

    g_assert_cmpuint(at, <, MESH_EDGES_MAX);
    world->edges[from][at].to = (uint16_t)to;
    world->edges[from][at].classes = classes;
}

static void link_both(World *world, size_t a, size_t b, uint8_t classes) {
    declare(world, a, b, classes);
    declare(world, b, a, classes);
}

static bool has_edge(const World *world, size_t from, size_t to) {
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

/* A record without a signature: nobody looks at it here. */
static uint8_t *write_record(const World *world, size_t node) {
    uint8_t *record = g_malloc0(EDGES_SIZE(world->edge_count[node]));
    BytesWriter writer = bytes_writer(record, EDGES_SIZE(world->edge_count[node]));
    Edge edges[MESH_EDGES_MAX];
    MeshKey key = key_of(node);

    for (size_t i = 0; i < world->edge_count[node]; i++) {
        MeshKey other = key_of(world->edges[node][i].to);

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

static Graph *build(const World *world) {
    uint8_t *records[NODES_MOST];
    const uint8_t *borrowed[NODES_MOST];
    Graph *graph;

    for (size_t i = 0; i < world->count; i++) {
        borrowed[i] = records[i] = write_record(world, i);
    }
    graph = graph_build(borrowed, world->count);
    g_assert_nonnull(graph);
    for (size_t i = 0; i < world->count; i++) {
        g_free(records[i]);
    }
    return graph;
}

static World *line_of(size_t count) {
    World *world = g_new0(World, 1);

    world->count = count;
    for (size_t i = 0; i + 1 < count; i++) {
        link_both(world, i, i + 1, GOOD);
    }
    return world;
}

/* Each draws neighbours until it has about so many; some lines are bad, some nodes weak. */
static World *random_world(GRand *rand, size_t count, size_t degree, size_t weak_one_in) {
    World *world = g_new0(World, 1);

    world->count = count;
    for (size_t i = 0; i < count; i++) {
        world->flags[i] =
            weak_one_in > 0 && g_rand_int_range(rand, 0, (gint32)weak_one_in) == 0 ? EDGES_WEAK : 0;
        while (world->edge_count[i] < degree / 2 + 1) {
            size_t other = (size_t)g_rand_int_range(rand, 0, (gint32)count);

            if (other != i && !has_edge(world, i, other) &&
                world->edge_count[other] < MESH_EDGES_MAX) {
                link_both(world, i, other,
                          edge_classes((uint8_t)g_rand_int_range(rand, 0, 8),
                                       (uint8_t)g_rand_int_range(rand, 0, 4),
                                       (uint8_t)g_rand_int_range(rand, 1, 4)));
            }
        }
    }
    return world;
}

/* ---- edges ---- */

static void test_both_declare(void) {
    g_autofree World *world = line_of(4);
    uint8_t classes = 0;
    Graph *graph;

    declare(world, 0, 3, GOOD);                  /* 3 says nothing of it */
    declare(world, 1, 3, edge_classes(2, 3, 2)); /* the worse of both counts */
    declare(world, 3, 1, edge_classes(7, 1, 0));
    graph = build(world);
    g_assert_false(graph_edge(graph, 0, 3, &classes));
    g_assert_false(graph_edge(graph, 3, 0, &classes));
    g_assert_true(graph_edge(graph, 1, 3, &classes));
    g_assert_cmpuint(classes, ==, edge_classes(7, 3, 0));
    g_assert_true(graph_edge(graph, 3, 1, &classes));
    g_assert_cmpuint(classes, ==, edge_classes(7, 3, 0));
    g_assert_cmpuint(graph_degree(graph, 1), ==, 3);
    graph_destroy(graph);
}

/* Who claims to be linked with everyone draws nothing to itself. */
static void test_liar(void) {
    g_autofree World *world = line_of(20);
    GraphPaths *paths;
    Graph *graph;

    for (size_t i = 0; i < 18; i++) {
        declare(world, 19, i, edge_classes(0, 0, EDGE_ROOM_BEST));
    }
    graph = build(world);
    g_assert_cmpuint(graph_degree(graph, 19), ==, 1);
    paths = graph_paths(graph, 0, NULL);
    g_assert_cmpuint(paths->hops[18], ==, 18);
    g_assert_cmpuint(paths->hops[19], ==, 19);
    free(paths);
    graph_destroy(graph);
}

static void test_unknown_ends(void) {
    g_autofree World *world = line_of(3);
    Graph *graph;

    declare(world, 0, 99, GOOD); /* no record of it is here */
    graph = build(world);
    g_assert_cmpuint(graph_degree(graph, 0), ==, 1);
    graph_destroy(graph);
    graph = graph_build(NULL, 0);
    g_assert_cmpuint(graph_count(graph), ==, 0);
    graph_destroy(graph);
}

/* Two authors whose keys begin alike cannot be told apart: neither has edges. */
static void test_ambiguous(void) {
    g_autofree World *world = line_of(3);
    uint8_t *records[4] = {write_record(world, 0), write_record(world, 1), NULL,
                           write_record(world, 2)};
    uint8_t classes;
    Graph *graph;

    records[2] = write_record(world, 1);
    records[2][MESH_KEY_SIZE - 1] = 1;
    graph = graph_build((const uint8_t *const *)records, 4);
    g_assert_cmpuint(graph_degree(graph, 0), ==, 0);
    g_assert_cmpuint(graph_degree(graph, 1), ==, 0);
    g_assert_cmpuint(graph_degree(graph, 2), ==, 0);
    g_assert_false(graph_edge(graph, 3, 1, &classes));
    graph_destroy(graph);
    for (size_t i = 0; i < 4; i++) {
        g_free(records[i]);
    }
}

/* ---- paths ---- */

static void test_costs(void) {
    const struct {
        uint8_t classes;
        uint32_t cost;
    } cases[] = {
        {edge_classes(0, 0, 3), 25},    {edge_classes(1, 0, 1), 30},
        {edge_classes(5, 1, 2), 190},   {edge_classes(0, 2, 3), 65},
        {edge_classes(0, 3, 3), 225},   {edge_classes(0, 0, 0), 225},
        {edge_classes(10, 0, 3), 5140}, {edge_classes(15, 0, 3), 5140},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree World *world = g_new0(World, 1);
        GraphPaths *paths;
        Graph *graph;

        world->count = 2;
        link_both(world, 0, 1, cases[i].classes);
        graph = build(world);
        paths = graph_paths(graph, 0, NULL);
        g_assert_cmpuint(paths->cost[1], ==, cases[i].cost);
        g_assert_cmpuint(paths->hops[1], ==, 1);
        g_assert_cmpuint(paths->next[1], ==, 1);
        g_assert_cmpuint(paths->reached, ==, 1);
        free(paths);
        graph_destroy(graph);
    }
}

/* Rather four hops through good lines than two through one who is weak. */
static void test_weak_carries_nothing(void) {
    g_autofree World *world = line_of(5);
    GraphPaths *paths;
    Graph *graph;

    world->count = 6;
    link_both(world, 0, 5, GOOD);
    link_both(world, 5, 4, GOOD);
    graph = build(world);
    paths = graph_paths(graph, 0, NULL);
    g_assert_cmpuint(paths->next[4], ==, 5);
    g_assert_cmpuint(paths->hops[4], ==, 2);
    g_assert_cmpuint(paths->rtt_us[4], ==, 20000);
    free(paths);
    graph_destroy(graph);
    world->flags[5] = EDGES_WEAK;
    graph = build(world);
    paths = graph_paths(graph, 0, NULL);
    g_assert_cmpuint(paths->next[4], ==, 1);
    g_assert_cmpuint(paths->hops[4], ==, 4);
    g_assert_cmpuint(paths->hops[5], ==, 1); /* it is spoken to all the same */
    free(paths);
    paths = graph_paths(graph, 5, NULL); /* and speaks */
    g_assert_cmpuint(paths->cost[4], ==, 30);
    free(paths);
    graph_destroy(graph);
}

static void test_closed(void) {
    g_autofree World *world = line_of(4);
    bool closed[4] = {[1] = true};
    GraphPaths *paths;
    Graph *graph;

    link_both(world, 3, 0, edge_classes(6, 0, 3));
    graph = build(world);
    paths = graph_paths(graph, 0, closed);
    g_assert_cmpuint(paths->next[1], ==, 3);
    g_assert_cmpuint(paths->hops[1], ==, 3);
    free(paths);
    closed[3] = true;
    paths = graph_paths(graph, 0, closed);
    g_assert_cmpuint(paths->reached, ==, 0);
    g_assert_cmpuint(paths->next[2], ==, GRAPH_NONE);
    g_assert_cmpuint(paths->hops[2], ==, 0);
    free(paths);
    graph_destroy(graph);
}

/* The costs are those that relaxing every edge again and again comes to. */
static void test_least(void) {
    g_autoptr(GRand) rand = g_rand_new_with_seed(11);

    for (guint round = 0; round < 30; round++) {
        g_autofree World *world = random_world(rand, 60, 4, 0);
        Graph *graph = build(world);
        GraphPaths *paths = graph_paths(graph, 7, NULL);

        g_assert_cmpuint(paths->cost[7], ==, 0);
        for (uint16_t node = 0; node < 60; node++) {
            bool explained = node == 7;

            for (size_t i = 0; i < graph_degree(graph, node); i++) {
                uint8_t classes;
                uint16_t other = graph_other(graph, node, i, &classes);
                uint32_t edge = (5u << edge_rtt(classes)) + 20 +
                                (const uint32_t[]){0, 10, 40, 200}[edge_loss(classes)];

                g_assert_cmpuint(paths->cost[node], <=, paths->cost[other] + edge);
                explained |= paths->cost[node] == paths->cost[other] + edge &&
                             paths->hops[node] == paths->hops[other] + 1;
            }
            g_assert_true(explained);
        }
        free(paths);
        graph_destroy(graph);
    }
}

/* ---- trees ---- */

static uint32_t rank_in(const uint16_t *order, size_t count, uint16_t node) {
    for (size_t i = 0; i < count; i++) {
        if (order[i] == node) {
            return (uint32_t)i;
        }
    }
    return UINT32_MAX;
}

/* All that a tree promises but its order; returns how many have a second. */
static size_t check_tree(const World *world, const Graph *graph, const GraphTree *tree) {
    g_autofree size_t *pushes = g_new0(size_t, world->count);
    GraphPaths *paths = graph_paths(graph, tree->source, NULL);
    size_t seconds = 0;

    g_assert_cmpuint(tree->parent[tree->source], ==, GRAPH_NONE);
    for (uint16_t node = 0; node < world->count; node++) {
        uint16_t parent = tree->parent[node];
        uint8_t classes;
        uint16_t up = node;

        g_assert_true(graph_tree_reaches(tree, node) ==
                      (node == tree->source || paths->hops[node] > 0));
        if (parent == GRAPH_NONE) {
            g_assert_cmpuint(tree->second[node], ==, GRAPH_NONE);
            continue;
        }
        g_assert_true(graph_edge(graph, node, parent, &classes));
        g_assert_cmpuint(tree->hops[node], ==, tree->hops[parent] + 1);
        g_assert_cmpuint(tree->worst[node], ==, edge_worse(tree->worst[parent], classes));
        pushes[parent]++;
        for (size_t steps = 0; up != tree->source; steps++) {
            g_assert_cmpuint(steps, <, world->count);
            up = tree->parent[up];
        }
        if (tree->second[node] != GRAPH_NONE) {
            g_assert_cmpuint(tree->second[node], !=, parent);
            g_assert_true(graph_edge(graph, node, tree->second[node], &classes));
            pushes[tree->second[node]]++;
            seconds++;
        }
    }
    for (uint16_t node = 0; node < world->count; node++) {
        uint16_t second = tree->second[node];

        g_assert_true(second == GRAPH_NONE || second == tree->source ||
                      !(world->flags[second] & EDGES_WEAK));
        g_assert_true(second == GRAPH_NONE || pushes[second] <= GRAPH_CHILDREN);
    }
    free(paths);
    return seconds;
}

/* The pushes, second ones included, make no circle: there is an order in which everyone hears. */
static void check_order(const World *world, const GraphTree *tree) {
    g_autofree uint16_t *order = g_new0(uint16_t, world->count);
    size_t known = 0;
    size_t before;

    order[known++] = tree->source;
    do {
        before = known;
        for (uint16_t node = 0; node < world->count; node++) {
            bool parent = tree->parent[node] != GRAPH_NONE &&
                          rank_in(order, known, tree->parent[node]) != UINT32_MAX;
            bool second = tree->second[node] == GRAPH_NONE ||
                          rank_in(order, known, tree->second[node]) != UINT32_MAX;

            if (parent && second && rank_in(order, known, node) == UINT32_MAX) {
                order[known++] = node;
            }
        }
    } while (known > before);
    for (uint16_t node = 0; node < world->count; node++) {
        g_assert_true(!graph_tree_reaches(tree, node) || rank_in(order, known, node) != UINT32_MAX);
    }
}

static void test_random_trees(void) {
    g_autoptr(GRand) rand = g_rand_new_with_seed(3);

    for (guint round = 0; round < 12; round++) {
        g_autofree World *world = random_world(rand, NODES_MOST, 6, round % 2 ? 10 : 0);
        Graph *graph = build(world);
        size_t seconds = 0;
        size_t hops = 0;

        for (guint i = 0; i < 5; i++) {
            uint16_t source = (uint16_t)g_rand_int_range(rand, 0, NODES_MOST);
            GraphTree *tree = graph_tree(graph, source);

            seconds = check_tree(world, graph, tree);
            check_order(world, tree);
            for (uint16_t node = 0; node < NODES_MOST; node++) {
                hops = MAX(hops, tree->hops[node]);
            }
            g_assert_cmpuint(seconds, >=, NODES_MOST / 2);
            free(tree);
        }
        g_test_message("round %u: %zu have a second, at most %zu hops", round, seconds, hops);
        graph_destroy(graph);
    }
}

/* In graphs where nobody is short of others, no bound is broken. */
static void test_bounds(void) {
    g_autoptr(GRand) rand = g_rand_new_with_seed(5);

    for (guint round = 0; round < 10; round++) {
        g_autofree World *world = random_world(rand, NODES_MOST, 10, 0);
        Graph *graph = build(world);

        for (uint16_t source = 0; source < NODES_MOST; source += 50) {
            size_t pushes[NODES_MOST] = {0};
            GraphTree *tree = graph_tree(graph, source);

            for (uint16_t node = 0; node < NODES_MOST; node++) {
                if (tree->parent[node] != GRAPH_NONE) {
                    pushes[tree->parent[node]]++;
                }
                if (tree->second[node] != GRAPH_NONE) {
                    pushes[tree->second[node]]++;
                }
            }
            for (uint16_t node = 0; node < NODES_MOST; node++) {
                g_assert_cmpuint(pushes[node], <=, GRAPH_CHILDREN);
            }
            free(tree);
        }
        graph_destroy(graph);
    }
}

/* One in the middle: there is no other way, whatever its room. */
static void test_star(void) {
    g_autofree World *world = g_new0(World, 1);
    GraphTree *tree;
    Graph *graph;

    world->count = 20;
    world->flags[0] = EDGES_WEAK;
    for (size_t i = 1; i < world->count; i++) {
        link_both(world, 0, i, GOOD);
    }
    graph = build(world);
    tree = graph_tree(graph, 5);
    for (uint16_t node = 0; node < world->count; node++) {
        g_assert_cmpuint(tree->parent[node], ==, node == 5 ? GRAPH_NONE : node == 0 ? 5 : 0);
        g_assert_cmpuint(tree->second[node], ==, GRAPH_NONE);
    }
    free(tree);
    graph_destroy(graph);
}

/* A weak node pushes to one that has nobody else, and to no other. */
static void test_weak_pushes_last(void) {
    g_autofree World *world = line_of(12);
    GraphTree *tree;
    Graph *graph;

    /* 12 is next to 0 and to all, and weak; 13 hangs on it alone. */
    world->count = 14;
    world->flags[12] = EDGES_WEAK;
    for (size_t i = 0; i < 12; i++) {
        link_both(world, 12, i, edge_classes(0, 0, 3));
    }
    link_both(world, 12, 13, GOOD);
    graph = build(world);
    tree = graph_tree(graph, 0);
    g_assert_cmpuint(tree->parent[12], ==, 0);
    g_assert_cmpuint(tree->parent[13], ==, 12);
    for (uint16_t node = 1; node < 12; node++) {
        g_assert_cmpuint(tree->parent[node], ==, node - 1);
    }
    free(tree);
    graph_destroy(graph);
}

/* All hear the source itself while they are few, however bad its lines. */
static void test_small(void) {
    for (size_t count = 2; count <= GRAPH_SMALL + 1; count++) {
        g_autofree World *world = g_new0(World, 1);
        size_t direct = 0;
        GraphTree *tree;
        Graph *graph;

        world->count = count;
        for (size_t i = 0; i < count; i++) {
            for (size_t j = i + 1; j < count; j++) {
                link_both(world, i, j, i == 0 ? edge_classes(8, 3, 1) : GOOD);
            }
        }
        graph = build(world);
        tree = graph_tree(graph, 0);
        for (size_t i = 1; i < count; i++) {
            direct += tree->parent[i] == 0;
        }
        g_assert_cmpuint(direct, ==, count <= GRAPH_SMALL ? count - 1 : GRAPH_SOURCE_CHILDREN);
        free(tree);
        graph_destroy(graph);
    }
}

/* A second who does not hear it through the parent is better than one who does. */
static void test_second_is_apart(void) {
    g_autofree World *world = g_new0(World, 1);
    GraphTree *tree;
    Graph *graph;

    /* 3 hears 1; 2, who hears 1 too, is nearer to it than 4; and others hang on it, not to be few.
     */
    world->count = 12;
    link_both(world, 0, 1, edge_classes(0, 0, 3));
    link_both(world, 0, 4, edge_classes(1, 0, 3));
    link_both(world, 1, 2, edge_classes(0, 0, 3));
    link_both(world, 1, 3, edge_classes(2, 0, 3));
    link_both(world, 2, 3, edge_classes(1, 0, 3));
    for (size_t i = 5; i < 12; i++) {
        link_both(world, i == 5 ? 3 : i - 1, i, GOOD);
    }
    graph = build(world);
    tree = graph_tree(graph, 0);
    g_assert_cmpuint(tree->parent[3], ==, 1);
    g_assert_cmpuint(tree->second[3], ==, 2);
    free(tree);
    graph_destroy(graph);
    link_both(world, 4, 3, edge_classes(4, 0, 3));
    graph = build(world);
    tree = graph_tree(graph, 0);
    g_assert_cmpuint(tree->parent[3], ==, 1);
    g_assert_cmpuint(tree->second[3], ==, 4);
    free(tree);
    graph_destroy(graph);
}

/* What was declared in another order gives the same tree, on every node. */
static void test_same_everywhere(void) {
    g_autoptr(GRand) rand = g_rand_new_with_seed(17);
    g_autofree World *world = random_world(rand, NODES_MOST, 6, 12);
    g_autofree World *other = g_new0(World, 1);
    Graph *first = build(world);
    Graph *second;

    *other = *world;
    for (size_t node = 0; node < world->count; node++) {
        size_t count = world->edge_count[node];

        for (size_t i = 0; i < count; i++) {
            other->edges[node][i] = world->edges[node][count - 1 - i];
        }
    }
    second = build(other);
    for (uint16_t source = 0; source < NODES_MOST; source += 25) {
        GraphTree *a = graph_tree(first, source);
        GraphTree *b = graph_tree(second, source);

        g_assert_cmpmem(a->parent, NODES_MOST * sizeof *a->parent, b->parent,
                        NODES_MOST * sizeof *b->parent);
        g_assert_cmpmem(a->second, NODES_MOST * sizeof *a->second, b->second,
                        NODES_MOST * sizeof *b->second);
        free(a);
        free(b);
    }
    graph_destroy(first);
    graph_destroy(second);
}

/* Sources differ in whom they load where all costs are alike. */
static void test_ties_spread_the_load(void) {
    size_t pushes[40] = {0};
    g_autofree World *world = g_new0(World, 1);
    size_t carriers = 0;
    Graph *graph;

    world->count = 40;
    for (size_t i = 0; i < 40; i++) {
        for (size_t j = i + 1; j < 40; j++) {
            link_both(world, i, j, GOOD);
        }
    }
    graph = build(world);
    for (uint16_t source = 0; source < 40; source++) {
        GraphTree *tree = graph_tree(graph, source);

        for (uint16_t node = 0; node < 40; node++) {
            if (tree->parent[node] != GRAPH_NONE && tree->parent[node] != source) {
                pushes[tree->parent[node]]++;
            }
        }
        free(tree);
    }
    for (size_t node = 0; node < 40; node++) {
        carriers += pushes[node] > 0;
        g_assert_cmpuint(pushes[node], <, 40 * 4);
    }
    g_assert_cmpuint(carriers, >, 30);
    graph_destroy(graph);
}

static void test_cost_of_computing(void) {
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    g_autofree World *world = random_world(rand, NODES_MOST, 6, 10);
    uint8_t *records[NODES_MOST];
    gint64 began;
    Graph *graph;

    for (size_t i = 0; i < world->count; i++) {
        records[i] = write_record(world, i);
    }
    began = g_get_monotonic_time();
    for (guint i = 0; i < 100; i++) {
        graph_destroy(graph_build((const uint8_t *const *)records, world->count));
    }
    g_test_message("graph_build: %" G_GINT64_FORMAT " us", (g_get_monotonic_time() - began) / 100);
    graph = graph_build((const uint8_t *const *)records, world->count);
    began = g_get_monotonic_time();
    for (uint16_t i = 0; i < 100; i++) {
        free(graph_paths(graph, i, NULL));
    }
    g_test_message("graph_paths: %" G_GINT64_FORMAT " us", (g_get_monotonic_time() - began) / 100);
    began = g_get_monotonic_time();
    for (uint16_t i = 0; i < 100; i++) {
        GraphTree *tree = graph_tree(graph, i);

        g_assert_nonnull(tree);
        free(tree);
    }
    g_test_message("graph_tree: %" G_GINT64_FORMAT " us", (g_get_monotonic_time() - began) / 100);
    graph_destroy(graph);
    for (size_t i = 0; i < world->count; i++) {
        g_free(records[i]);
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(sodium_init(), >=, 0);
    g_test_add_func("/mesh/graph/both-declare", test_both_declare);
    g_test_add_func("/mesh/graph/liar", test_liar);
    g_test_add_func("/mesh/graph/unknown-ends", test_unknown_ends);
    g_test_add_func("/mesh/graph/ambiguous", test_ambiguous);
    g_test_add_func("/mesh/graph/costs", test_costs);
    g_test_add_func("/mesh/graph/weak-carries-nothing", test_weak_carries_nothing);
    g_test_add_func("/mesh/graph/closed", test_closed);
    g_test_add_func("/mesh/graph/least", test_least);
    g_test_add_func("/mesh/graph/random-trees", test_random_trees);
    g_test_add_func("/mesh/graph/bounds", test_bounds);
    g_test_add_func("/mesh/graph/star", test_star);
    g_test_add_func("/mesh/graph/weak-pushes-last", test_weak_pushes_last);
    g_test_add_func("/mesh/graph/small", test_small);
    g_test_add_func("/mesh/graph/second-is-apart", test_second_is_apart);
    g_test_add_func("/mesh/graph/same-everywhere", test_same_everywhere);
    g_test_add_func("/mesh/graph/ties-spread-the-load", test_ties_spread_the_load);
    g_test_add_func("/mesh/graph/cost-of-computing", test_cost_of_computing);
    return g_test_run();
}
