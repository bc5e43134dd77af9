/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/overlay/map.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mesh/core.h"
#include "mesh/memory.h"

#define NOTIFY_US S /* between two notices */

struct MapCache {
    bool graph_stale, paths_stale;
    Graph *graph;
    GraphPaths *paths;
    GraphTree *trees[MESH_TREES_MAX];
    uint64_t used[MESH_TREES_MAX]; /* when each was last asked for, in turns */
    uint64_t turn;
};

static_assert(MESH_PEERS_MAX <= 64, "a neighbour is a bit of 64");

/* ---- life ---- */

bool map_init(Map *map) {
    map->turn = 1;
    map->send_us = UINT64_MAX;
    map->issue_us = UINT64_MAX;
    map->beyond_us = UINT64_MAX;
    map->cache = calloc(1, sizeof *map->cache);
    return map->cache != NULL;
}

static void forget_paths(MapCache *cache) {
    free(cache->paths);
    cache->paths = NULL;
    cache->paths_stale = false;
}

static void forget_graph(MapCache *cache) {
    forget_paths(cache);
    for (size_t i = 0; i < MESH_TREES_MAX; i++) {
        free(cache->trees[i]);
        cache->trees[i] = NULL;
    }
    graph_destroy(cache->graph);
    cache->graph = NULL;
    cache->graph_stale = false;
}

void map_finish(Mesh *mesh) {
    Map *map = &mesh->map;

    if (map->cache) {
        forget_graph(map->cache);
        free(map->cache);
    }
    for (size_t i = 0; i < map->count; i++) {
        free(map->nodes[i].record);
    }
    free(map->nodes);
    spread_finish(mesh);
}

/* ---- the register ---- */

/* Where the author stands, or would. */
static size_t place_of(const Map *map, const MeshKey *author) {
    uint64_t rank = bytes_rank(author->bytes);
    size_t low = 0;
    size_t high = map->count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        const MapNode *node = &map->nodes[middle];

        /* Most are told apart by numbers that lie side by side. */
        if (node->rank != rank ? node->rank < rank
                               : memcmp(node->record, author->bytes, MESH_KEY_SIZE) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

MapNode *map_node(const Mesh *mesh, const MeshKey *key) {
    const Map *map = &mesh->map;
    size_t at = place_of(map, key);

    return at < map->count && mesh_key_equal(edges_author(map->nodes[at].record), key)
               ? &map->nodes[at]
               : NULL;
}

const uint8_t *map_record(const Mesh *mesh, const MeshKey *key) {
    const MapNode *node = map_node(mesh, key);

    return node ? node->record : NULL;
}

/* What a record adds to the digest of all. */
static uint64_t digest_of(const uint8_t *record) {
    uint8_t bytes[8];
    BytesReader reader;

    /* Author and number: they stand first. */
    domain_hash(bytes, sizeof bytes, "map", BYTES_AT(record, MESH_KEY_SIZE + 8), BYTES_NONE);
    reader = bytes_reader(bytes, sizeof bytes);
    return bytes_read_u64(&reader);
}

/* What was computed is forgotten, and whoever looks is told. */
static void stale(Map *map) {
    map->cache->graph_stale = true;
    map->turn++;
    map->notify = true;
}

MapNode *map_keep(Mesh *mesh, const uint8_t *record) {
    Map *map = &mesh->map;
    MapNode *node = map_node(mesh, edges_author(record));
    uint8_t *copy = memory_copy(record, edges_length(record));

    if (!copy) {
        return NULL;
    }
    if (node) {
        map->digest ^= digest_of(node->record);
        free(node->record);
        node->record = copy;
    } else {
        size_t at = place_of(map, edges_author(record));

        if (map->count == MESH_MEMBERS_MAX ||
            !memory_grow((void **)&map->nodes, &map->capacity, map->count, sizeof *map->nodes)) {
            free(copy);
            return NULL;
        }
        node = &map->nodes[at];
        memmove(node + 1, node, (map->count++ - at) * sizeof *node);
        *node = (MapNode){.rank = bytes_rank(copy), .record = copy};
    }
    map->digest ^= digest_of(copy);
    stale(map);
    company_changed(mesh);
    return node;
}

void map_links_changed(Mesh *mesh) {
    mesh->map.cache->paths_stale = true;
    mesh->map.turn++;
    mesh->map.notify = true;
    company_changed(mesh);
    declare_soon(mesh);
}

static void forget_strangers(Mesh *mesh) {
    Map *map = &mesh->map;
    size_t kept = 0;

    for (size_t i = 0; i < map->count; i++) {
        MapNode *node = &map->nodes[i];

        if (core_member(mesh, edges_author(node->record))) {
            map->nodes[kept++] = *node;
        } else {
            map->digest ^= digest_of(node->record);
            free(node->record);
        }
    }
    if (kept < map->count) {
        map->count = kept;
        stale(map);
    }
}

void map_roster_changed(Mesh *mesh) {
    const Roster *roster = &mesh->meeting.roster;
    size_t members = roster_size(roster);

    if (members < mesh->map.members || roster->expelled_count != mesh->map.expelled) {
        forget_strangers(mesh);
    }
    mesh->map.members = members;
    mesh->map.expelled = roster->expelled_count;
    map_links_changed(mesh);
    spread_early(mesh);
}

/* ---- the graph ---- */

const Graph *map_graph(const Mesh *mesh) {
    const uint8_t *records[MESH_MEMBERS_MAX];
    MapCache *cache = mesh->map.cache;

    if (cache->graph_stale) {
        forget_graph(cache);
    }
    if (!cache->graph) {
        for (size_t i = 0; i < mesh->map.count; i++) {
            records[i] = mesh->map.nodes[i].record;
        }
        cache->graph = graph_build(records, mesh->map.count);
    }
    return cache->graph;
}

uint16_t map_index(const Mesh *mesh, const MeshKey *key) {
    const MapNode *node = map_node(mesh, key);

    return node ? (uint16_t)(node - mesh->map.nodes) : GRAPH_NONE;
}

uint16_t map_index_short(const Mesh *mesh, const uint8_t key[SHORT_KEY_SIZE]) {
    MeshKey least = {0};
    size_t at;

    memcpy(least.bytes, key, SHORT_KEY_SIZE);
    at = place_of(&mesh->map, &least);
    return at < mesh->map.count && !memcmp(mesh->map.nodes[at].record, key, SHORT_KEY_SIZE)
               ? (uint16_t)at
               : GRAPH_NONE;
}

const MeshKey *map_key(const Mesh *mesh, uint16_t index) {
    return index < mesh->map.count ? edges_author(mesh->map.nodes[index].record) : NULL;
}

/* An edge of ours that may be used now. */
static bool is_usable(const Neighbour *neighbour) {
    return neighbour && neighbour_is_direct(neighbour) && neighbour->greeting == GREETING_BOTH &&
           neighbour->leave_us == UINT64_MAX;
}

static GraphPaths *find_paths(const Mesh *mesh, const Graph *graph, uint16_t self) {
    bool closed[MESH_MEMBERS_MAX] = {false};

    for (size_t i = 0; i < graph_degree(graph, self); i++) {
        uint8_t classes;
        uint16_t other = graph_other(graph, self, i, &classes);

        closed[other] = !is_usable(neighbour_view_of(mesh, map_key(mesh, other)));
    }
    return graph_paths(graph, self, closed);
}

const GraphPaths *map_paths(const Mesh *mesh) {
    MapCache *cache = mesh->map.cache;
    const Graph *graph = map_graph(mesh);
    uint16_t self = map_index(mesh, &mesh->self.key);

    if (cache->paths_stale) {
        forget_paths(cache);
    }
    if (!cache->paths && graph && self != GRAPH_NONE) {
        cache->paths = find_paths(mesh, graph, self);
    }
    return cache->paths;
}

const GraphTree *map_tree(const Mesh *mesh, const MeshKey *source) {
    MapCache *cache = mesh->map.cache;
    const Graph *graph = map_graph(mesh);
    uint16_t index = map_index(mesh, source);
    size_t at = 0;

    if (!graph || index == GRAPH_NONE) {
        return NULL;
    }
    for (size_t i = 0; i < MESH_TREES_MAX; i++) {
        if (cache->trees[i] && cache->trees[i]->source == index) {
            cache->used[i] = ++cache->turn;
            return cache->trees[i];
        }
        if (!cache->trees[i] || (cache->trees[at] && cache->used[i] < cache->used[at])) {
            at = i;
        }
    }
    free(cache->trees[at]);
    cache->trees[at] = graph_tree(graph, index);
    cache->used[at] = ++cache->turn;
    return cache->trees[at];
}

/* ---- what follows ---- */

/* The ways from here, and which of them it is; NULL: there is none. */
static const GraphPaths *way_to(const Mesh *mesh, uint16_t index) {
    const GraphPaths *paths = index == GRAPH_NONE ? NULL : map_paths(mesh);

    return paths && paths->hops[index] > 0 ? paths : NULL;
}

bool map_reaches(const Mesh *mesh, const MeshKey *key) {
    return way_to(mesh, map_index(mesh, key)) != NULL;
}

uint32_t map_hops(const Mesh *mesh, const MeshKey *key) {
    uint16_t index = map_index(mesh, key);
    const GraphPaths *paths = way_to(mesh, index);

    return paths ? paths->hops[index] : 0;
}

uint32_t map_rtt_us(const Mesh *mesh, const MeshKey *key) {
    uint16_t index = map_index(mesh, key);
    const GraphPaths *paths = way_to(mesh, index);

    return paths ? paths->rtt_us[index] : 0;
}

static Neighbour *first_hop(const Mesh *mesh, uint16_t index) {
    const GraphPaths *paths = way_to(mesh, index);
    Neighbour *neighbour = paths ? neighbour_find(mesh, map_key(mesh, paths->next[index])) : NULL;

    return is_usable(neighbour) ? neighbour : NULL;
}

Neighbour *map_first_hop(const Mesh *mesh, const MeshKey *key) {
    return first_hop(mesh, map_index(mesh, key));
}

Neighbour *map_first_hop_short(const Mesh *mesh, const uint8_t key[SHORT_KEY_SIZE]) {
    return first_hop(mesh, map_index_short(mesh, key));
}

size_t map_degree(const Mesh *mesh, const MeshKey *key) {
    uint16_t index = map_index(mesh, key);
    const Graph *graph = index == GRAPH_NONE ? NULL : map_graph(mesh);

    return graph ? graph_degree(graph, index) : 0;
}

static bool is_linked(const Neighbour *neighbour) {
    return neighbour && neighbour->linked > LINKED_KEPT && neighbour->greeting == GREETING_BOTH &&
           neighbour->leave_us == UINT64_MAX;
}

bool map_is_present(const Mesh *mesh, const MeshKey *key) {
    return is_linked(neighbour_view_of(mesh, key)) || map_reaches(mesh, key);
}

size_t map_present_count(const Mesh *mesh) {
    const GraphPaths *paths = map_paths(mesh);
    size_t count = paths ? paths->reached : 0;

    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        const Neighbour *neighbour = neighbour_view(mesh, slot);

        count += is_linked(neighbour) && !map_reaches(mesh, &neighbour->key);
    }
    return count;
}

uint8_t map_edge_class(const Mesh *mesh, const MeshKey *source, const MeshKey *key) {
    uint16_t index = map_index(mesh, key);
    const GraphTree *tree = index == GRAPH_NONE ? NULL : map_tree(mesh, source);

    return tree ? tree->worst[index] : edge_classes(0, 0, EDGE_ROOM_BEST);
}

bool map_is_weak(const Mesh *mesh, const MeshKey *key) {
    const uint8_t *record = map_record(mesh, key);

    return record && edges_flags(record) & EDGES_WEAK;
}

bool map_loses_edge(const Mesh *mesh, const uint8_t *record, const uint8_t *key) {
    uint16_t other = map_index_short(mesh, key);

    return !edges_find(record, key) && other != GRAPH_NONE &&
           edges_find(mesh->map.nodes[other].record, record);
}

bool map_loses(const Mesh *mesh, const uint8_t *record, const uint8_t *former) {
    for (size_t i = 0; i < edges_count(former); i++) {
        if (map_loses_edge(mesh, record, edges_at(former, i)->key)) {
            return true;
        }
    }
    return false;
}

/* ---- time ---- */

/* Tells whoever looks that the map is another, and who is reached now, or no more. */
static void notify(Mesh *mesh) {
    mesh->map.notify = false;
    mesh->map.notify_us = mesh->now_us + NOTIFY_US;
    core_notify(mesh, MESH_NOTICE_MAP, NULL, NULL);
    for (uint16_t i = 0; i < mesh->map.count; i++) {
        MapNode *node = &mesh->map.nodes[i];
        bool reached = way_to(mesh, i) != NULL;

        if (node->shown != reached) {
            node->shown = reached;
            core_notify_peer(mesh, edges_author(node->record), MESH_END_NONE);
        }
    }
}

void map_timeout(Mesh *mesh) {
    declare_timeout(mesh);
    spread_timeout(mesh);
    if (mesh->map.notify && mesh->now_us >= mesh->map.notify_us) {
        notify(mesh);
    }
}

uint64_t map_deadline_us(const Mesh *mesh) {
    const Map *map = &mesh->map;
    uint64_t deadlines[] = {map->notify ? map->notify_us : UINT64_MAX, declare_deadline_us(mesh),
                            spread_deadline_us(mesh)};
    uint64_t least = UINT64_MAX;

    for (size_t i = 0; i < sizeof deadlines / sizeof *deadlines; i++) {
        least = deadlines[i] < least ? deadlines[i] : least;
    }
    return least;
}
