/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The map: what every member says of its own links, in signed records that spread to all and of
 * which the newest of each author counts. Everyone holds the whole; what follows from it (graph.h)
 * is computed when asked for and kept until the map changes.
 * It owns the records, this node's own among them, and what is computed. It decides neither whom to
 * link with nor what goes along a tree, and is not kept on disk.
 *
 * What the calls below give is valid until the next mesh_step.
 */
#pragma once

#include "mesh/overlay/graph.h"
#include "mesh/overlay/neighbour.h"

/* The newest record of one author. */
typedef struct {
    uint64_t rank;    /* the first bytes of its author's key, of which the order is that of keys */
    uint8_t *record;  /* owned */
    uint64_t paid_us; /* until then what its author sent fills what one may */
    uint64_t waiting; /* neighbours it is to be sent to, a bit each, */
    uint64_t asking;  /* of them those that asked: they are sent it, not its number alone, */
    uint64_t sent;    /* and those that were sent it, or told that it is here */
    bool urgent;      /* an edge is gone */
    bool shown;       /* whoever looks was last told that it is reached */
} MapNode;

/* A record that came before its author was in the roster. */
typedef struct {
    uint8_t *record; /* owned; NULL: none */
    uint32_t slot;   /* of the neighbour it came from */
} MapEarly;

/* What one neighbour was told, by its slot. */
typedef struct {
    uint64_t told_us;  /* our digest, last; 0: never */
    uint64_t clock_us; /* all our numbers */
    uint64_t wait_us;  /* our digest is told then; 0: no */
    uint64_t free_us;  /* until then records fill their part of the line */
    uint64_t have_us;  /* it is told which records there are; 0: nothing waits for that */
    uint64_t soon_us;  /* until then that is done soon: of other ways one may be cut */
    bool lazy;         /* it tells us of records by their numbers alone, and we it */
    uint8_t repeats;   /* records in a row that came by others before */
} MapPeer;

/* A record that this node asked a neighbour for, and lacks. */
typedef struct {
    uint8_t key[SHORT_KEY_SIZE];
    uint64_t number;
    uint64_t again_us; /* then it is asked for once more; 0: it was */
    uint32_t slot;     /* of the neighbour that is asked: the last that said it has it */
} MapAsked;

/* Which record there is: short key of its author, number u64. */
#define MAP_LINE_SIZE (SHORT_KEY_SIZE + 8)

/* An edge of this node, by the slot of its other end. */
typedef struct {
    bool is;
    bool guessed; /* its round trip was not measured yet */
    uint8_t classes;
    uint64_t due_us;    /* it is to be declared then, once measured */
    uint64_t beyond_us; /* what is measured is beyond its classes since then; 0: it is not */
} MapEdge;

typedef struct MapCache MapCache;

typedef struct {
    MapNode *nodes; /* in increasing order of authors */
    size_t count, capacity;
    uint64_t digest;          /* what their authors and numbers come to */
    size_t members, expelled; /* as of when the roster was last looked at */
    MapCache *cache;          /* owned */
    uint64_t turn;            /* how often anything changed that ways and trees follow from */

    bool notify;         /* whoever looks is to be told, */
    uint64_t notify_us;  /* not before */
    uint64_t send_us;    /* what waits is sent then; UINT64_MAX: nothing does */
    bool cut;            /* the tree along which records go */
    uint64_t compare_us; /* until then one neighbour's numbers are compared with ours */

    /* our own record */
    bool changed;        /* links may have come or gone */
    bool guessed;        /* one of them may not be measured yet */
    uint64_t issue_us;   /* the next is made then; UINT64_MAX: no need */
    uint64_t paid_us;    /* until then those made fill what may be made */
    uint64_t look_us;    /* what is measured is not looked at before */
    uint64_t beyond_us;  /* an edge has been beyond its classes for long enough then */
    uint64_t calm_us;    /* none for classes alone before */
    uint64_t number;     /* of the last one; 0: none in this run */
    uint64_t above;      /* the next has a number above this */
    uint32_t outdone;    /* so often one was heard that was not made here, nor before this run */
    uint64_t outdone_us; /* the last time */
    uint64_t issued_us;  /* the last was made then */
    MapEdge edges[MESH_PEERS_MAX];

    /* what is told */
    MapPeer peers[MESH_PEERS_MAX];
    MapEarly early[MESH_STRANGERS_MAX];
    size_t early_next;
    MapAsked asked[MESH_ASKED_MAX];
    size_t asked_next;
} Map;

/* False when memory is short. */
bool map_init(Map *map);
void map_finish(Mesh *mesh);
void map_timeout(Mesh *mesh);
uint64_t map_deadline_us(const Mesh *mesh);

/* ---- map.c: what follows from it ---- */

/* The graph of all records; NULL when memory is short. */
const Graph *map_graph(const Mesh *mesh);
/* A node of the graph; GRAPH_NONE: no record of it is here. */
uint16_t map_index(const Mesh *mesh, const MeshKey *key);
uint16_t map_index_short(const Mesh *mesh, const uint8_t key[SHORT_KEY_SIZE]);
/* The author at an index of the graph; NULL past the end. */
const MeshKey *map_key(const Mesh *mesh, uint16_t index);
/* Ways from here, by neighbours whose links live now; NULL: there are none. */
const GraphPaths *map_paths(const Mesh *mesh);
/* How what a member says is spread; NULL: no record of it is here. MESH_TREES_MAX are kept. */
const GraphTree *map_tree(const Mesh *mesh, const MeshKey *source);

/* Whether there is a way to it, of one link or of more; not to this node itself. */
bool map_reaches(const Mesh *mesh, const MeshKey *key);
/* Links on the way; 0: none, or this node itself. */
uint32_t map_hops(const Mesh *mesh, const MeshKey *key);
/* The round trip expected at most, in all; 0: there is no way. */
uint32_t map_rtt_us(const Mesh *mesh, const MeshKey *key);
/* The neighbour through which it is reached, which is up and direct; NULL: none. */
Neighbour *map_first_hop(const Mesh *mesh, const MeshKey *key);
Neighbour *map_first_hop_short(const Mesh *mesh, const uint8_t key[SHORT_KEY_SIZE]);
/* Edges of a node that count. */
size_t map_degree(const Mesh *mesh, const MeshKey *key);
/* The other members who are here: linked with, or reached. */
size_t map_present_count(const Mesh *mesh);
bool map_is_present(const Mesh *mesh, const MeshKey *key);
/* The worst classes on the way from a source to a node along the tree, see edges.h; those of the
 * best line where there is no way. */
uint8_t map_edge_class(const Mesh *mesh, const MeshKey *source, const MeshKey *key);
/* It should carry nothing for others, as it said itself. */
bool map_is_weak(const Mesh *mesh, const MeshKey *key);
/* Of the edges that count one is gone that a former record of an author had, and this has not. */
bool map_loses(const Mesh *mesh, const uint8_t *record, const uint8_t *former);
/* The same of one edge, by the short key of its other end. */
bool map_loses_edge(const Mesh *mesh, const uint8_t *record, const uint8_t *key);
/* The record of a member; NULL: none is here. */
const uint8_t *map_record(const Mesh *mesh, const MeshKey *key);

/* ---- map.c: the register ---- */

MapNode *map_node(const Mesh *mesh, const MeshKey *key);
/* Keeps a copy of a checked record, in the place of its author's last. NULL: no memory, no room. */
MapNode *map_keep(Mesh *mesh, const uint8_t *record);
/* A link came, went or moved. */
void map_links_changed(Mesh *mesh);
/* The roster changed: who is not in it is forgotten. */
void map_roster_changed(Mesh *mesh);

/* ---- declare.c: our own record ---- */

/* What it says may have changed. */
void declare_soon(Mesh *mesh);
/* A record of ours is about with this number, and not our last: the next is above. */
void declare_above(Mesh *mesh, uint64_t number);
/* That happens again and again: another node has this one's key. */
bool declare_is_copied(const Mesh *mesh);
void declare_timeout(Mesh *mesh);
uint64_t declare_deadline_us(const Mesh *mesh);

/* ---- spread.c: messages ---- */

/* Sends a record to all neighbours but those of the mask, soon. */
void spread_record(Mesh *mesh, MapNode *node, uint64_t except);
/* One neighbour is behind with this one; or asked for it. */
void spread_behind(Mesh *mesh, MapNode *node, uint32_t slot);
void spread_wanted(Mesh *mesh, MapNode *node, uint32_t slot);
/* A neighbour listens from now on. */
void spread_greet(Mesh *mesh, uint32_t slot);
/* A link is gone: if it was of the tree, that is cut. */
void spread_cut(Mesh *mesh, uint32_t slot);
/* All neighbours tell soon which records there are, so that another tree is found. */
void spread_mend(Mesh *mesh);
/* This neighbour sends records from now on, and is sent them: its link is of the tree. */
void spread_hear(Mesh *mesh, uint32_t slot);
/* Something is to be done then. */
void spread_by(Map *map, uint64_t at_us);
/* Records that came early are tried again. */
void spread_early(Mesh *mesh);
/* Its link is gone. */
void spread_lost(Mesh *mesh, uint32_t slot);
void spread_finish(Mesh *mesh);
MeshError spread_records_received(Mesh *mesh, uint32_t slot, Bytes body);
MeshError spread_tell_received(Mesh *mesh, uint32_t slot, Bytes body);
void spread_timeout(Mesh *mesh);
uint64_t spread_deadline_us(const Mesh *mesh);

/* ---- gap.c: who lacks which ---- */

void map_write_line(BytesWriter *writer, const uint8_t *key, uint64_t number);
/* A neighbour listens from now on: the maps are compared. */
void gap_greet(Mesh *mesh, uint32_t slot);
/* The same with all, now and then. */
void gap_digests(Mesh *mesh);
MeshError gap_digest_received(Mesh *mesh, uint32_t slot, Bytes body);
MeshError gap_clock_received(Mesh *mesh, uint32_t slot, Bytes body);
MeshError gap_have_received(Mesh *mesh, uint32_t slot, Bytes body);
/* What was asked for and did not come is asked of another; what waited to be compared is. */
void gap_timeout(Mesh *mesh);
