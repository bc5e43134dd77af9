/* SPDX-License-Identifier: MPL-2.0 */
/* What is computed from the records of the map: who is linked with whom, and the ways between. */
#include <glib.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/mesh_graph_world.h"

/* ---- edges ---- */

static void test_both_declare(void) {
    g_autofree World *world = world_line(4);
    uint8_t classes = 0;
    Graph *graph;

    world_declare(world, 0, 3, GOOD);                  /* 3 says nothing of it */
    world_declare(world, 1, 3, edge_classes(2, 3, 2)); /* the worse of both counts */
    world_declare(world, 3, 1, edge_classes(7, 1, 0));
    graph = world_graph(world);
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
    g_autofree World *world = world_line(20);
    GraphPaths *paths;
    Graph *graph;

    for (size_t i = 0; i < 18; i++) {
        world_declare(world, 19, i, edge_classes(0, 0, EDGE_ROOM_BEST));
    }
    graph = world_graph(world);
    g_assert_cmpuint(graph_degree(graph, 19), ==, 1);
    paths = graph_paths(graph, 0, NULL);
    g_assert_cmpuint(paths->hops[18], ==, 18);
    g_assert_cmpuint(paths->hops[19], ==, 19);
    free(paths);
    graph_destroy(graph);
}

static void test_unknown_ends(void) {
    g_autofree World *world = world_line(3);
    Graph *graph;

    world_declare(world, 0, 99, GOOD); /* no record of it is here */
    graph = world_graph(world);
    g_assert_cmpuint(graph_degree(graph, 0), ==, 1);
    graph_destroy(graph);
    graph = graph_build(NULL, 0);
    g_assert_cmpuint(graph_count(graph), ==, 0);
    graph_destroy(graph);
}

/* Two authors whose keys begin alike cannot be told apart: neither has edges. */
static void test_ambiguous(void) {
    g_autofree World *world = world_line(3);
    uint8_t *records[4] = {world_record(world, 0), world_record(world, 1), NULL,
                           world_record(world, 2)};
    uint8_t classes;
    Graph *graph;

    records[2] = world_record(world, 1);
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
        world_link(world, 0, 1, cases[i].classes);
        graph = world_graph(world);
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
    g_autofree World *world = world_line(5);
    GraphPaths *paths;
    Graph *graph;

    world->count = 6;
    world_link(world, 0, 5, GOOD);
    world_link(world, 5, 4, GOOD);
    graph = world_graph(world);
    paths = graph_paths(graph, 0, NULL);
    g_assert_cmpuint(paths->next[4], ==, 5);
    g_assert_cmpuint(paths->hops[4], ==, 2);
    g_assert_cmpuint(paths->rtt_us[4], ==, 20000);
    free(paths);
    graph_destroy(graph);
    world->flags[5] = EDGES_WEAK;
    graph = world_graph(world);
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
    g_autofree World *world = world_line(4);
    bool closed[4] = {[1] = true};
    GraphPaths *paths;
    Graph *graph;

    world_link(world, 3, 0, edge_classes(6, 0, 3));
    graph = world_graph(world);
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
        g_autofree World *world = world_random(rand, 60, 4, 0);
        Graph *graph = world_graph(world);
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
    return g_test_run();
}
