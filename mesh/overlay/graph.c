/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/overlay/graph.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static_assert(MESH_MEMBERS_MAX < GRAPH_NONE, "nodes are numbered by 16 bits");

#define HOP_COST     20
#define THIN_COST    200  /* an edge that carries less than 64 kbit/s */
#define TRANSIT_COST 2000 /* through a node that should carry nothing */
#define NO_COST      UINT32_MAX
#define UNBOUNDED    UINT16_MAX

typedef struct {
    uint16_t to;
    uint8_t classes;
} Arc;

struct Graph {
    uint16_t count;
    uint32_t *first; /* arcs of node i: first[i] … first[i + 1] − 1, by increasing `to` */
    Arc *arcs;
    uint64_t *names; /* short keys */
    bool *poor;      /* should carry nothing for others */
};

/* ---- building ---- */

/* What the nodes declare, of those there are: what `first` says as of the graph's arcs. */
typedef struct {
    uint64_t ranks[MESH_MEMBERS_MAX]; /* of the nodes, increasing */
    uint32_t first[MESH_MEMBERS_MAX + 1];
    Arc *arcs;
} Declared;

/* The node of this rank; GRAPH_NONE: none has it, or two do. */
static uint16_t find(const uint64_t *ranks, size_t count, uint64_t rank) {
    size_t low = 0;
    size_t high = count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (ranks[middle] < rank) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == count || ranks[low] != rank || (low + 1 < count && ranks[low + 1] == rank)) {
        return GRAPH_NONE;
    }
    return (uint16_t)low;
}

/* What one node declares, in increasing order, from `at` on; returns where it ends. */
static uint32_t declare(Declared *declared, size_t count, uint16_t node, const uint8_t *record,
                        uint32_t at) {
    bool known = find(declared->ranks, count, declared->ranks[node]) == node;

    for (size_t i = 0; known && i < edges_count(record); i++) {
        const Edge *edge = edges_at(record, i);
        uint16_t to = find(declared->ranks, count, bytes_rank(edge->key));

        if (to != GRAPH_NONE) {
            declared->arcs[at++] = (Arc){.to = to, .classes = edge->classes};
        }
    }
    return at;
}

static const Arc *find_arc(const Declared *declared, uint16_t node, uint16_t to) {
    uint32_t low = declared->first[node];
    uint32_t high = declared->first[node + 1];

    while (low < high) {
        uint32_t middle = (low + high) / 2;

        if (declared->arcs[middle].to == to) {
            return &declared->arcs[middle];
        }
        if (declared->arcs[middle].to < to) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

/* The arcs of one node: those that the other end declares too. Returns where they end. */
static uint32_t add_arcs(Graph *graph, uint16_t node, const Declared *declared, uint32_t at) {
    uint8_t room = 0;

    for (uint32_t i = declared->first[node]; i < declared->first[node + 1]; i++) {
        const Arc *own = &declared->arcs[i];
        const Arc *back = find_arc(declared, own->to, node);

        if (back) {
            Arc arc = {.to = own->to, .classes = edge_worse(own->classes, back->classes)};

            room = edge_room(arc.classes) > room ? edge_room(arc.classes) : room;
            graph->arcs[at++] = arc;
        }
    }
    graph->poor[node] = graph->poor[node] || room == 0;
    return at;
}

static void fill(Graph *graph, const uint8_t *const *records, Declared *declared) {
    uint32_t at = 0;

    for (uint16_t node = 0; node < graph->count; node++) {
        const uint8_t *key = edges_author(records[node])->bytes;
        BytesReader reader = bytes_reader(key, SHORT_KEY_SIZE);

        graph->names[node] = bytes_read_u64(&reader);
        graph->poor[node] = edges_flags(records[node]) & EDGES_WEAK;
        declared->ranks[node] = bytes_rank(key);
    }
    for (uint16_t node = 0; node < graph->count; node++) {
        declared->first[node] = at;
        at = declare(declared, graph->count, node, records[node], at);
    }
    declared->first[graph->count] = at;
    at = 0;
    for (uint16_t node = 0; node < graph->count; node++) {
        graph->first[node] = at;
        at = add_arcs(graph, node, declared, at);
    }
    graph->first[graph->count] = at;
}

Graph *graph_build(const uint8_t *const *records, size_t count) {
    Graph *graph = calloc(1, sizeof *graph);
    Declared declared;
    size_t edges = 0;
    Arc *fewer;

    assert(count <= MESH_MEMBERS_MAX);
    for (size_t i = 0; i < count; i++) {
        edges += edges_count(records[i]);
    }
    if (!graph) {
        return NULL;
    }
    graph->count = (uint16_t)count;
    graph->first = calloc(count + 1, sizeof *graph->first);
    graph->arcs = calloc(edges + 1, sizeof *graph->arcs);
    graph->names = calloc(count + 1, sizeof *graph->names);
    graph->poor = calloc(count + 1, sizeof *graph->poor);
    declared.arcs = malloc((edges + 1) * sizeof *declared.arcs);
    if (!graph->first || !graph->arcs || !graph->names || !graph->poor || !declared.arcs) {
        free(declared.arcs);
        graph_destroy(graph);
        return NULL;
    }
    fill(graph, records, &declared);
    free(declared.arcs);
    fewer = realloc(graph->arcs, (graph->first[count] + 1) * sizeof *graph->arcs);
    graph->arcs = fewer ? fewer : graph->arcs;
    return graph;
}

void graph_destroy(Graph *graph) {
    if (graph) {
        free(graph->first);
        free(graph->arcs);
        free(graph->names);
        free(graph->poor);
        free(graph);
    }
}

size_t graph_count(const Graph *graph) {
    return graph->count;
}

size_t graph_degree(const Graph *graph, uint16_t node) {
    return graph->first[node + 1] - graph->first[node];
}

uint16_t graph_other(const Graph *graph, uint16_t node, size_t index, uint8_t *ret_classes) {
    const Arc *arc = &graph->arcs[graph->first[node] + index];

    *ret_classes = arc->classes;
    return arc->to;
}

bool graph_edge(const Graph *graph, uint16_t a, uint16_t b, uint8_t *ret_classes) {
    for (size_t i = 0; i < graph_degree(graph, a); i++) {
        if (graph_other(graph, a, i, ret_classes) == b) {
            return true;
        }
    }
    return false;
}

/* ---- walking: nodes join in the order of cost ---- */

typedef enum {
    WALK_UNSEEN,
    WALK_WAITING, /* next to one that joined */
    WALK_JOINED,
} WalkState;

typedef struct {
    const Graph *graph;
    uint16_t source;
    uint16_t room;                    /* of a node that is not poor */
    uint16_t most;                    /* no more join */
    bool small;                       /* who is next to the source joins there */
    const bool *closed;               /* edges of the source that do not count */
    uint16_t joined;                  /* how many did, */
    uint16_t order[MESH_MEMBERS_MAX]; /* and which, in order */
    uint16_t waiting;
    uint16_t queue[MESH_MEMBERS_MAX]; /* those that wait, in no order */
    struct {
        WalkState state;
        bool over;       /* the parent has no room */
        uint8_t classes; /* of the edge to the parent */
        uint16_t parent; /* of one that waits: the best so far */
        uint16_t rank;   /* in `order` */
        uint16_t pushed; /* nodes it pushes to */
        uint32_t cost;
        uint64_t tie;
    } nodes[MESH_MEMBERS_MAX];
} Walk;

static uint64_t tie_of(uint64_t source, uint64_t node) {
    uint64_t mixed = source ^ node * 0x9e3779b97f4a7c15u;

    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
    return mixed ^ mixed >> 31;
}

static uint32_t cost_of(uint8_t classes) {
    static const uint32_t LOSS[] = {0, 10, 40, 200};

    return ((uint32_t)5 << edge_rtt(classes)) + HOP_COST + LOSS[edge_loss(classes)] +
           (edge_room(classes) == 0 ? THIN_COST : 0);
}

static bool is_full(const Walk *walk, uint16_t node) {
    if (node == walk->source && walk->small) {
        return false;
    }
    if (walk->room == UNBOUNDED) {
        return false;
    }
    if (node == walk->source) {
        return walk->nodes[node].pushed >= GRAPH_SOURCE_CHILDREN;
    }
    return walk->graph->poor[node] || walk->nodes[node].pushed >= walk->room;
}

static uint32_t cost_through(const Walk *walk, uint16_t node, uint8_t classes) {
    bool detour = walk->graph->poor[node] && node != walk->source;

    return walk->nodes[node].cost + cost_of(classes) + (detour ? TRANSIT_COST : 0);
}

/* One that joined may push to another: the better of this and what that has already. */
static void offer(Walk *walk, uint16_t from, uint16_t to, uint8_t classes) {
    bool over = is_full(walk, from);
    uint32_t cost = cost_through(walk, from, classes);

    if (walk->nodes[to].state == WALK_UNSEEN) {
        walk->nodes[to].state = WALK_WAITING;
        walk->nodes[to].tie = tie_of(walk->graph->names[walk->source], walk->graph->names[to]);
        walk->queue[walk->waiting++] = to;
    } else if (walk->nodes[to].state == WALK_JOINED ||
               (walk->small && walk->nodes[to].parent == walk->source)) {
        return;
    }
    if (walk->nodes[to].parent != GRAPH_NONE &&
        (over != walk->nodes[to].over ? over : cost >= walk->nodes[to].cost)) {
        return;
    }
    walk->nodes[to].parent = from;
    walk->nodes[to].classes = classes;
    walk->nodes[to].over = over;
    walk->nodes[to].cost = cost;
}

static void offer_all(Walk *walk, uint16_t from) {
    for (size_t i = 0; i < graph_degree(walk->graph, from); i++) {
        uint8_t classes;
        uint16_t to = graph_other(walk->graph, from, i, &classes);

        if (from != walk->source || !walk->closed || !walk->closed[to]) {
            offer(walk, from, to, classes);
        }
    }
}

/* Its parent has no room left: looks again, in the order in which the others joined. */
static void look_again(Walk *walk, uint16_t node) {
    size_t degree = graph_degree(walk->graph, node);

    walk->nodes[node].parent = GRAPH_NONE;
    for (uint32_t rank = 0;;) {
        uint32_t next = NO_COST;
        uint8_t best = 0;

        for (size_t i = 0; i < degree; i++) {
            uint8_t classes;
            uint16_t from = graph_other(walk->graph, node, i, &classes);

            if (walk->nodes[from].state == WALK_JOINED && walk->nodes[from].rank >= rank &&
                walk->nodes[from].rank < next) {
                next = walk->nodes[from].rank;
                best = classes;
            }
        }
        if (next == NO_COST) {
            return;
        }
        offer(walk, walk->order[next], node, best);
        rank = next + 1;
    }
}

static void became_full(Walk *walk, uint16_t node) {
    for (uint16_t i = 0; i < walk->waiting; i++) {
        if (walk->nodes[walk->queue[i]].parent == node) {
            look_again(walk, walk->queue[i]);
        }
    }
}

static bool goes_first(const Walk *walk, uint16_t a, uint16_t b) {
    if (walk->nodes[a].over != walk->nodes[b].over) {
        return walk->nodes[b].over;
    }
    if (walk->nodes[a].cost != walk->nodes[b].cost) {
        return walk->nodes[a].cost < walk->nodes[b].cost;
    }
    if (walk->nodes[a].tie != walk->nodes[b].tie) {
        return walk->nodes[a].tie < walk->nodes[b].tie;
    }
    return a < b;
}

static void join(Walk *walk, uint16_t node) {
    uint16_t parent = walk->nodes[node].parent;

    walk->nodes[node].state = WALK_JOINED;
    walk->nodes[node].rank = walk->joined;
    walk->order[walk->joined++] = node;
    if (parent != GRAPH_NONE) {
        bool was_full = is_full(walk, parent);

        walk->nodes[parent].pushed++;
        if (!was_full && is_full(walk, parent)) {
            became_full(walk, parent);
        }
    }
    offer_all(walk, node);
}

static void walk_all(Walk *walk) {
    for (uint16_t node = 0; node < walk->graph->count; node++) {
        walk->nodes[node].state = WALK_UNSEEN;
        walk->nodes[node].over = false;
        walk->nodes[node].parent = GRAPH_NONE;
        walk->nodes[node].pushed = 0;
        walk->nodes[node].cost = 0;
        walk->nodes[node].classes = edge_classes(0, 0, EDGE_ROOM_BEST);
    }
    walk->joined = 0;
    walk->waiting = 0;
    join(walk, walk->source);
    while (walk->waiting > 0 && walk->joined < walk->most) {
        uint16_t best = 0;
        uint16_t node;

        for (uint16_t i = 1; i < walk->waiting; i++) {
            if (goes_first(walk, walk->queue[i], walk->queue[best])) {
                best = i;
            }
        }
        node = walk->queue[best];
        walk->queue[best] = walk->queue[--walk->waiting];
        join(walk, node);
    }
}

static uint8_t one_more(uint8_t hops) {
    return hops < UINT8_MAX ? hops + 1 : UINT8_MAX;
}

/* ---- paths ---- */

GraphPaths *graph_paths(const Graph *graph, uint16_t from, const bool *closed) {
    size_t count = graph->count;
    Walk walk = {.graph = graph,
                 .source = from,
                 .room = UNBOUNDED,
                 .most = MESH_MEMBERS_MAX,
                 .closed = closed};
    GraphPaths *paths = malloc(sizeof *paths + count * (2 * sizeof *paths->cost +
                                                        sizeof *paths->next + sizeof *paths->hops));

    if (!paths) {
        return NULL;
    }
    *paths = (GraphPaths){.count = graph->count, .from = from};
    paths->cost = (uint32_t *)(paths + 1);
    paths->rtt_us = paths->cost + count;
    paths->next = (uint16_t *)(paths->rtt_us + count);
    paths->hops = (uint8_t *)(paths->next + count);
    memset(paths->cost, 0xff, count * sizeof *paths->cost);
    memset(paths->rtt_us, 0, count * sizeof *paths->rtt_us);
    memset(paths->next, 0xff, count * sizeof *paths->next);
    memset(paths->hops, 0, count);
    walk_all(&walk);
    paths->cost[from] = 0;
    for (uint16_t rank = 1; rank < walk.joined; rank++) {
        uint16_t node = walk.order[rank];
        uint16_t before = walk.nodes[node].parent;

        paths->next[node] = before == from ? node : paths->next[before];
        paths->hops[node] = one_more(paths->hops[before]);
        paths->cost[node] = walk.nodes[node].cost;
        paths->rtt_us[node] =
            paths->rtt_us[before] + ((uint32_t)5000 << edge_rtt(walk.nodes[node].classes));
    }
    paths->reached = (uint16_t)(walk.joined - 1);
    return paths;
}

/* ---- trees ---- */

static bool hears_through(const Walk *walk, uint16_t node, uint16_t carrier) {
    while (node != walk->source && node != carrier) {
        node = walk->nodes[node].parent;
    }
    return node == carrier;
}

/* Who else may push to a node: one that joined before it and has room. */
static uint16_t find_second(const Walk *walk, uint16_t node) {
    uint16_t parent = walk->nodes[node].parent;
    uint16_t best = GRAPH_NONE;
    bool best_through = false;
    uint32_t best_cost = NO_COST;

    for (size_t i = 0; i < graph_degree(walk->graph, node); i++) {
        uint8_t classes;
        uint16_t from = graph_other(walk->graph, node, i, &classes);
        uint32_t cost = cost_through(walk, from, classes);
        bool through;

        if (walk->nodes[from].rank >= walk->nodes[node].rank || from == parent ||
            is_full(walk, from)) {
            continue;
        }
        through = parent != walk->source && hears_through(walk, from, parent);
        if (best == GRAPH_NONE || (through != best_through ? !through : cost < best_cost)) {
            best = from;
            best_through = through;
            best_cost = cost;
        }
    }
    return best;
}

/* At most GRAPH_SMALL nodes reach each other. */
static bool is_small(const Graph *graph, uint16_t source) {
    Walk walk = {.graph = graph, .source = source, .room = UNBOUNDED, .most = GRAPH_SMALL + 1};

    walk_all(&walk);
    return walk.joined <= GRAPH_SMALL;
}

GraphTree *graph_tree(const Graph *graph, uint16_t source) {
    size_t count = graph->count;
    Walk walk = {.graph = graph,
                 .source = source,
                 .room = GRAPH_CHILDREN,
                 .most = MESH_MEMBERS_MAX,
                 .small = is_small(graph, source)};
    GraphTree *tree =
        malloc(sizeof *tree + count * (2 * sizeof *tree->parent + 2 * sizeof *tree->hops));

    if (!tree) {
        return NULL;
    }
    *tree = (GraphTree){.count = graph->count, .source = source};
    tree->parent = (uint16_t *)(tree + 1);
    tree->second = tree->parent + count;
    tree->hops = (uint8_t *)(tree->second + count);
    tree->worst = tree->hops + count;
    memset(tree->parent, 0xff, 2 * count * sizeof *tree->parent);
    memset(tree->hops, 0, count);
    memset(tree->worst, edge_classes(0, 0, EDGE_ROOM_BEST), count);
    walk_all(&walk);
    for (uint16_t rank = 1; rank < walk.joined; rank++) {
        uint16_t node = walk.order[rank];
        uint16_t parent = walk.nodes[node].parent;

        tree->parent[node] = parent;
        tree->hops[node] = one_more(tree->hops[parent]);
        tree->worst[node] = edge_worse(tree->worst[parent], walk.nodes[node].classes);
        tree->second[node] = find_second(&walk, node);
        if (tree->second[node] != GRAPH_NONE) {
            walk.nodes[tree->second[node]].pushed++;
        }
    }
    return tree;
}

bool graph_tree_reaches(const GraphTree *tree, uint16_t node) {
    return node == tree->source || tree->parent[node] != GRAPH_NONE;
}
