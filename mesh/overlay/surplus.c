/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/overlay/surplus.h"

#include "mesh/overlay/choice.h"

typedef struct {
    const Graph *graph;
    const SurplusNode *nodes;
} Surplus;

static uint64_t rank(const Surplus *surplus, uint16_t a, uint16_t b) {
    return choice_rank(surplus->nodes[a].key, surplus->nodes[b].key);
}

static size_t excess(const Surplus *surplus, uint16_t node) {
    const SurplusNode *what = &surplus->nodes[node];
    size_t need = what->weak ? CHOICE_WEAK_TARGET : SURPLUS_NEED;
    size_t degree = graph_degree(surplus->graph, node);

    return degree > need && !what->relay ? degree - need : 0;
}

/* Of its links those of the lowest ranks hold those that it has by chance. */
static bool has_by_chance(const Surplus *surplus, uint16_t node, uint16_t other) {
    size_t few = surplus->nodes[node].weak ? CHOICE_WEAK_RANDOM : CHOICE_RANDOM;
    uint64_t ours = rank(surplus, node, other);
    size_t before = 0;

    for (size_t i = 0; i < graph_degree(surplus->graph, node) && before < few; i++) {
        uint8_t classes;

        before += rank(surplus, node, graph_other(surplus->graph, node, i, &classes)) < ours;
    }
    return before < few;
}

static bool is_needless(const Surplus *surplus, uint16_t a, uint16_t b) {
    return excess(surplus, a) > 0 && excess(surplus, b) > 0 && !has_by_chance(surplus, a, b) &&
           !has_by_chance(surplus, b, a);
}

/* Whether the link with `other` is among the worst needless ones of a node, half of what it has too
 * many: the next look is made when it is known who let go of what. */
static bool is_of_worst(const Surplus *surplus, uint16_t node, uint16_t other, uint8_t classes) {
    size_t most = (excess(surplus, node) + 1) / 2;
    uint64_t ours = rank(surplus, node, other);
    size_t worse = 0;

    for (size_t i = 0; i < graph_degree(surplus->graph, node) && worse < most; i++) {
        uint8_t theirs;
        uint16_t third = graph_other(surplus->graph, node, i, &theirs);
        bool further = edge_rtt(theirs) != edge_rtt(classes) ? edge_rtt(theirs) > edge_rtt(classes)
                                                             : rank(surplus, node, third) > ours;

        worse += third != other && further && is_needless(surplus, node, third);
    }
    return worse < most;
}

bool surplus_goes(const Graph *graph, const SurplusNode *nodes, uint16_t node, uint16_t other) {
    const Surplus surplus = {.graph = graph, .nodes = nodes};
    uint8_t classes;

    return graph_edge(graph, node, other, &classes) && is_needless(&surplus, node, other) &&
           is_of_worst(&surplus, node, other, classes) &&
           is_of_worst(&surplus, other, node, classes);
}
