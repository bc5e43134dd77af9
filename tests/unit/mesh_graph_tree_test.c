/* SPDX-License-Identifier: MPL-2.0 */
/* The trees that are computed from the map: the same on every node, and within their bounds. */
#include <glib.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/mesh_graph_world.h"

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
        g_autofree World *world = world_random(rand, NODES_MOST, 6, round % 2 ? 10 : 0);
        Graph *graph = world_graph(world);
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
        g_autofree World *world = world_random(rand, NODES_MOST, 10, 0);
        Graph *graph = world_graph(world);

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
        world_link(world, 0, i, GOOD);
    }
    graph = world_graph(world);
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
    g_autofree World *world = world_line(12);
    GraphTree *tree;
    Graph *graph;

    /* 12 is next to 0 and to all, and weak; 13 hangs on it alone. */
    world->count = 14;
    world->flags[12] = EDGES_WEAK;
    for (size_t i = 0; i < 12; i++) {
        world_link(world, 12, i, edge_classes(0, 0, 3));
    }
    world_link(world, 12, 13, GOOD);
    graph = world_graph(world);
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
                world_link(world, i, j, i == 0 ? edge_classes(8, 3, 1) : GOOD);
            }
        }
        graph = world_graph(world);
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
    world_link(world, 0, 1, edge_classes(0, 0, 3));
    world_link(world, 0, 4, edge_classes(1, 0, 3));
    world_link(world, 1, 2, edge_classes(0, 0, 3));
    world_link(world, 1, 3, edge_classes(2, 0, 3));
    world_link(world, 2, 3, edge_classes(1, 0, 3));
    for (size_t i = 5; i < 12; i++) {
        world_link(world, i == 5 ? 3 : i - 1, i, GOOD);
    }
    graph = world_graph(world);
    tree = graph_tree(graph, 0);
    g_assert_cmpuint(tree->parent[3], ==, 1);
    g_assert_cmpuint(tree->second[3], ==, 2);
    free(tree);
    graph_destroy(graph);
    world_link(world, 4, 3, edge_classes(4, 0, 3));
    graph = world_graph(world);
    tree = graph_tree(graph, 0);
    g_assert_cmpuint(tree->parent[3], ==, 1);
    g_assert_cmpuint(tree->second[3], ==, 4);
    free(tree);
    graph_destroy(graph);
}

/* What was declared in another order gives the same tree, on every node. */
static void test_same_everywhere(void) {
    g_autoptr(GRand) rand = g_rand_new_with_seed(17);
    g_autofree World *world = world_random(rand, NODES_MOST, 6, 12);
    g_autofree World *other = g_new0(World, 1);
    Graph *first = world_graph(world);
    Graph *second;

    *other = *world;
    for (size_t node = 0; node < world->count; node++) {
        size_t count = world->edge_count[node];

        for (size_t i = 0; i < count; i++) {
            other->edges[node][i] = world->edges[node][count - 1 - i];
        }
    }
    second = world_graph(other);
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
            world_link(world, i, j, GOOD);
        }
    }
    graph = world_graph(world);
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
    g_autofree World *world = world_random(rand, NODES_MOST, 6, 10);
    uint8_t *records[NODES_MOST];
    gint64 began;
    Graph *graph;

    for (size_t i = 0; i < world->count; i++) {
        records[i] = world_record(world, i);
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
