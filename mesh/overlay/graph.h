/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What follows from the records of the map: who reaches whom, by which way, and along which tree
 * what one source says is spread. Pure functions of the records: every node that has the same ones
 * computes the same, whatever order they came in.
 * It owns what it computes. It never sees a key it was not given, nor a clock, nor this node.
 *
 * A node is named by its rank among the authors, in increasing order of keys. An edge counts only
 * when both its ends declare it, at the worse of both classes. It costs the upper bound of its
 * round trip in ms, 20 for the hop, 0, 10, 40 or 200 by its loss, and 200 when it carries less than
 * 64 kbit/s; going on from a node that is weak, or all of whose edges are such, costs 2000. Of what
 * costs the same the first is which has the lower tie: a mix of the short keys of source and node.
 *
 * Of 250 nodes with about 6 edges each, on one core of an AMD EPYC: graph_build 30 µs,
 * graph_paths 55 µs, graph_tree 85 µs (mesh_graph_test --verbose tells them).
 */
#pragma once

#include "mesh/overlay/edges.h"

#define GRAPH_NONE UINT16_MAX /* no node */
/* Nodes that one pushes to, second ones included: the source, whose line is that of one person who
 * speaks, and the others. With 4 each 250 nodes could not be reached in 3.5 hops on average. */
#define GRAPH_SOURCE_CHILDREN 4
#define GRAPH_CHILDREN        5
#define GRAPH_SMALL           9 /* up to so many who reach each other: all hear the source itself */

typedef struct Graph Graph;

/* The least costly ways from one node; one allocation, to be given to free(). */
typedef struct {
    uint16_t count; /* nodes of the graph */
    uint16_t from;
    uint16_t reached; /* nodes, `from` not included */
    uint16_t *next;   /* the first node on the way; GRAPH_NONE: there is none */
    uint8_t *hops;    /* edges on the way, at most 255; 0: `from` itself, or not reached */
    uint32_t *rtt_us; /* the upper bounds of its edges' round trips, in all */
    uint32_t *cost;
} GraphPaths;

/*
 * How what a source says is spread; one allocation, to be given to free(). Nodes join in the order
 * of cost, each to the one that joined before it, with room for one more, through which it costs
 * least. There is room for GRAPH_CHILDREN, at the source for one less; at a weak node for none, at
 * the source of a small component for all. Only when nobody else is left does a node join where
 * there is no room.
 */
typedef struct {
    uint16_t count;
    uint16_t source;
    uint16_t *parent; /* who pushes to a node; GRAPH_NONE: the source itself, or not reached */
    uint16_t *second; /* who else does where two are wanted: joined before it, has room, and if
                         possible does not hear it through `parent`; GRAPH_NONE: nobody */
    uint8_t *hops;    /* as of GraphPaths */
    uint8_t *worst;   /* the classes of its way from the source, the worst of each */
} GraphTree;

/* `records`: one of each author, in increasing order of the authors; they are read only now. NULL
 * when memory is short. */
Graph *graph_build(const uint8_t *const *records, size_t count);
void graph_destroy(Graph *graph);

size_t graph_count(const Graph *graph);
/* Edges of a node that count, in increasing order of their other ends. */
size_t graph_degree(const Graph *graph, uint16_t node);
uint16_t graph_other(const Graph *graph, uint16_t node, size_t index, uint8_t *ret_classes);
/* Whether an edge between both counts; then its classes. */
bool graph_edge(const Graph *graph, uint16_t a, uint16_t b, uint8_t *ret_classes);

/* `closed` (may be NULL, else one for each node): edges from `from` to these do not count. NULL
 * when memory is short; the same of graph_tree. */
GraphPaths *graph_paths(const Graph *graph, uint16_t from, const bool *closed);
GraphTree *graph_tree(const Graph *graph, uint16_t source);
bool graph_tree_reaches(const GraphTree *tree, uint16_t node);
