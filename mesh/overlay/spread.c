/* SPDX-License-Identifier: MPL-2.0 */
/* How the records of the map come to all: each goes on to every neighbour but the one it came from.
 * Two of whom one has most from others first tell each other only which there are: so what is left
 * is a tree, along which each comes once, and what goes along all other links is lines. */
#include <stdlib.h>
#include <string.h>

#include "mesh/core.h"
#include "mesh/memory.h"
#include "mesh/overlay/message.h"

#define GATHER_US    (20 * MS)    /* what comes together goes on together */
#define BODY_SIZE    1100         /* of records in one message */
#define AHEAD_US     (200 * MS)   /* so much of them may wait for a line */
#define LINE_PART    2            /* of which they take no more than a half */
#define PACE_US      (2 * S)      /* between two records of one author in the long run, */
#define PACE_BURST   30           /* and so many at once */
#define NUMBER_SHIFT 16           /* numbers begin with the clock, in seconds, */
#define NUMBER_AHEAD (1ull << 48) /* and none is so far ahead of it */
#define REPEATS_ROW  8            /* records sent in vain, before that is said again */
#define HAVE_US      (2 * S)      /* what the tree brings by then need not be asked for */
#define HAVE_LOST_US S            /* the same if an edge is gone, */
#define HAVE_SOON_US (300 * MS)   /* and where the tree may be cut, */
#define SOON_US      (10 * S)     /* which it is not for longer */

enum { TELL_NUMBERS = 0, TELL_RECORDS = 1, TELL_SOON = 2 };

static uint64_t bit_of(uint32_t slot) {
    return 1ull << slot;
}

void spread_by(Map *map, uint64_t at_us) {
    map->send_us = at_us < map->send_us ? at_us : map->send_us;
}

/* ---- sending ---- */

void spread_record(Mesh *mesh, MapNode *node, uint64_t except) {
    node->waiting = ~except;
    node->asking = 0;
    node->sent = except;
    spread_by(&mesh->map, mesh->now_us + GATHER_US);
}

void spread_behind(Mesh *mesh, MapNode *node, uint32_t slot) {
    if (!(node->sent & bit_of(slot))) {
        node->waiting |= bit_of(slot);
        spread_by(&mesh->map, mesh->now_us + GATHER_US);
    }
}

void spread_wanted(Mesh *mesh, MapNode *node, uint32_t slot) {
    node->waiting |= bit_of(slot);
    node->asking |= bit_of(slot);
    spread_by(&mesh->map, mesh->now_us + GATHER_US);
}

/* What is sent together: records that are urgent, others, or lines of both. */
typedef enum { FLUSH_URGENT, FLUSH_OTHERS, FLUSH_LINES } Flush;

static bool is_of(const MapPeer *peer, const MapNode *node, uint32_t slot, Flush what) {
    bool line = peer->lazy && !(node->asking & bit_of(slot));

    if (!(node->waiting & bit_of(slot))) {
        return false;
    }
    return line ? what == FLUSH_LINES : what == (node->urgent ? FLUSH_URGENT : FLUSH_OTHERS);
}

/* One message, as far as there is room. Returns its length. */
static size_t gather(Mesh *mesh, uint32_t slot, Flush what, uint8_t body[BODY_SIZE],
                     uint16_t ret_nodes[BODY_SIZE / MAP_LINE_SIZE], size_t *ret_count) {
    const MapPeer *peer = &mesh->map.peers[slot];
    BytesWriter writer = bytes_writer(body, BODY_SIZE);

    *ret_count = 0;
    for (uint16_t i = 0; i < mesh->map.count; i++) {
        const MapNode *node = &mesh->map.nodes[i];
        const uint8_t *record = node->record;

        if (!is_of(peer, node, slot, what)) {
            continue;
        }
        if ((what == FLUSH_LINES ? MAP_LINE_SIZE : edges_length(record)) > bytes_room(&writer)) {
            break;
        }
        if (what == FLUSH_LINES) {
            map_write_line(&writer, edges_author(record)->bytes, edges_number(record));
        } else {
            bytes_write(&writer, record, edges_length(record));
        }
        ret_nodes[(*ret_count)++] = i;
    }
    return bytes_written(&writer);
}

static void note_sent(Mesh *mesh, uint32_t slot, const uint16_t *nodes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        MapNode *node = &mesh->map.nodes[nodes[i]];

        node->waiting &= ~bit_of(slot);
        node->asking &= ~bit_of(slot);
        node->sent |= bit_of(slot);
    }
}

/* When the line of this neighbour takes more records, told that it gets so many now. */
static void pace(Mesh *mesh, uint32_t slot, size_t length) {
    MapPeer *peer = &mesh->map.peers[slot];
    LinkState state = link_state(neighbour_at(mesh, slot)->link, mesh->now_us);
    uint64_t rate = state.rate_bps > 0 ? state.rate_bps : 1;

    peer->free_us = (peer->free_us > mesh->now_us ? peer->free_us : mesh->now_us) +
                    length * 8 * LINE_PART * S / rate;
}

/* When one who hears the records from others is told which there are; of both ends one is a little
 * later, and need not say what the other said. UINT64_MAX: there are none. */
static uint64_t have_due_us(const Mesh *mesh, uint32_t slot) {
    const MapPeer *peer = &mesh->map.peers[slot];
    uint64_t wait_us = mesh->now_us < peer->soon_us ? HAVE_SOON_US : HAVE_US;
    bool any = false;

    for (size_t i = 0; i < mesh->map.count; i++) {
        const MapNode *node = &mesh->map.nodes[i];

        if (is_of(peer, node, slot, FLUSH_LINES)) {
            any = true;
            wait_us = node->urgent && wait_us > HAVE_LOST_US ? HAVE_LOST_US : wait_us;
        }
    }
    if (!neighbour_at(mesh, slot)->first) {
        wait_us *= 2;
    }
    return any ? mesh->now_us + wait_us : UINT64_MAX;
}

/* Sends what waits for one neighbour, of one sort; returns when to go on, UINT64_MAX: nothing is
 * left. */
static uint64_t flush(Mesh *mesh, uint32_t slot, Flush what) {
    MapPeer *peer = &mesh->map.peers[slot];
    LinkPriority priority = what == FLUSH_URGENT ? LINK_URGENT : LINK_CHAT;
    uint8_t kind = what == FLUSH_LINES ? MESSAGE_MAP_HAVE : MESSAGE_MAP;
    uint16_t nodes[BODY_SIZE / MAP_LINE_SIZE];
    uint8_t body[BODY_SIZE];
    size_t count;
    size_t length;

    while ((length = gather(mesh, slot, what, body, nodes, &count)) > 0) {
        if (what != FLUSH_URGENT && peer->free_us > mesh->now_us + AHEAD_US) {
            return peer->free_us - AHEAD_US;
        }
        if (!neighbour_send(mesh, neighbour_at(mesh, slot), priority, UINT64_MAX, kind,
                            BYTES_AT(body, length))) {
            return mesh->now_us + S;
        }
        pace(mesh, slot, length);
        note_sent(mesh, slot, nodes, count);
    }
    return UINT64_MAX;
}

/* The same of numbers, when the time is come. */
static uint64_t flush_lines(Mesh *mesh, uint32_t slot) {
    MapPeer *peer = &mesh->map.peers[slot];
    uint64_t due_us = have_due_us(mesh, slot);

    if (due_us == UINT64_MAX) {
        peer->have_us = 0; /* the other end said all there was to say */
        return UINT64_MAX;
    }
    peer->have_us = peer->have_us > 0 && peer->have_us < due_us ? peer->have_us : due_us;
    if (mesh->now_us < peer->have_us) {
        return peer->have_us;
    }
    peer->have_us = 0;
    return flush(mesh, slot, FLUSH_LINES);
}

void spread_timeout(Mesh *mesh) {
    Map *map = &mesh->map;
    uint64_t waiting = 0;
    uint64_t listening = 0;

    if (mesh->now_us < map->send_us) {
        return;
    }
    for (size_t i = 0; i < map->count; i++) {
        waiting |= map->nodes[i].waiting;
    }
    map->send_us = UINT64_MAX;
    gap_timeout(mesh);
    for (uint32_t slot = 0; slot < MESH_PEERS_MAX; slot++) {
        Neighbour *neighbour = neighbour_at(mesh, slot);

        if (!(waiting & bit_of(slot))) {
            map->peers[slot].have_us = 0;
        } else if (neighbour && neighbour_is_greeted(mesh, neighbour)) {
            listening |= bit_of(slot);
            if (neighbour->linked == LINKED_KEPT) {
                continue; /* by the time it is heard there may be newer ones */
            }
            spread_by(map, flush(mesh, slot, FLUSH_URGENT));
            spread_by(map, flush(mesh, slot, FLUSH_OTHERS));
            spread_by(map, flush_lines(mesh, slot));
        }
    }
    for (size_t i = 0; i < map->count; i++) {
        map->nodes[i].waiting &= listening; /* others compare digests when they begin to listen */
        map->nodes[i].asking &= listening;
        map->nodes[i].urgent &= map->nodes[i].waiting != 0;
    }
}

uint64_t spread_deadline_us(const Mesh *mesh) {
    return mesh->map.send_us;
}

/* ---- the tree ---- */

static void tell(Mesh *mesh, uint32_t slot, uint8_t what) {
    Neighbour *neighbour = neighbour_at(mesh, slot);
    MapPeer *peer = &mesh->map.peers[slot];

    if (neighbour && neighbour_is_greeted(mesh, neighbour) &&
        neighbour_send(mesh, neighbour, LINK_URGENT, UINT64_MAX, MESSAGE_MAP_TELL,
                       BYTES_AT(&what, 1))) {
        peer->lazy = what == TELL_SOON ? peer->lazy : what == TELL_NUMBERS;
    }
}

/* By no other neighbour records come and go. */
static bool is_only(Mesh *mesh, uint32_t slot) {
    for (uint32_t other = 0; other < mesh->neighbours.end; other++) {
        const Neighbour *neighbour = neighbour_at(mesh, other);

        if (other != slot && neighbour && neighbour_is_direct(neighbour) &&
            neighbour_is_greeted(mesh, neighbour) && !mesh->map.peers[other].lazy) {
            return false;
        }
    }
    return true;
}

/* With most of a message others were faster. Its link is left, and those remain by which a record
 * came first: a tree of all, if nothing else was on its way. If something was, lines say what is
 * missing. */
static void repeated(Mesh *mesh, uint32_t slot) {
    if (mesh->map.peers[slot].repeats++ % REPEATS_ROW == 0 && !is_only(mesh, slot)) {
        tell(mesh, slot, TELL_NUMBERS);
    }
}

void spread_hear(Mesh *mesh, uint32_t slot) {
    mesh->map.peers[slot].repeats = 0;
    mesh->map.peers[slot].lazy = false;
}

/* A tree goes by other links already; until it is known that it does, numbers are told soon. */
void spread_greet(Mesh *mesh, uint32_t slot) {
    mesh->map.peers[slot].lazy = !is_only(mesh, slot);
    mesh->map.peers[slot].soon_us = mesh->now_us + SOON_US;
}

void spread_cut(Mesh *mesh, uint32_t slot) {
    mesh->map.cut |= !mesh->map.peers[slot].lazy;
}

void spread_mend(Mesh *mesh) {
    mesh->map.cut = false;
    for (uint32_t slot = 0; slot < MESH_PEERS_MAX; slot++) {
        MapPeer *peer = &mesh->map.peers[slot];

        if (peer->lazy && mesh->now_us + SOON_US / 2 > peer->soon_us) {
            peer->soon_us = mesh->now_us + SOON_US;
            tell(mesh, slot, TELL_SOON);
        }
    }
}

void spread_lost(Mesh *mesh, uint32_t slot) {
    for (size_t i = 0; i < mesh->map.count; i++) {
        mesh->map.nodes[i].waiting &= ~bit_of(slot);
        mesh->map.nodes[i].asking &= ~bit_of(slot);
        mesh->map.nodes[i].sent &= ~bit_of(slot);
    }
    spread_cut(mesh, slot);
    mesh->map.peers[slot] = (MapPeer){0};
}

MeshError spread_tell_received(Mesh *mesh, uint32_t slot, Bytes body) {
    MapPeer *peer = &mesh->map.peers[slot];

    if (body.length != 1 || body.data[0] > TELL_SOON) {
        return MESH_ERROR_MALFORMED;
    }
    if (body.data[0] == TELL_NUMBERS && is_only(mesh, slot)) {
        tell(mesh, slot, TELL_RECORDS);
        return MESH_OK;
    }
    if (body.data[0] == TELL_SOON) {
        peer->soon_us = mesh->now_us + SOON_US;
    } else {
        peer->lazy = body.data[0] == TELL_NUMBERS;
        peer->repeats = 0;
    }
    spread_by(&mesh->map, mesh->now_us); /* what waits does so otherwise now */
    return MESH_OK;
}

/* ---- receiving ---- */

/* Newer than what is here; of two with one number the greater in its bytes, on every node. */
static bool is_newer(const uint8_t *record, const uint8_t *other) {
    size_t length = edges_length(record);

    if (edges_number(record) != edges_number(other)) {
        return edges_number(record) > edges_number(other);
    }
    if (length != edges_length(other)) {
        return length > edges_length(other);
    }
    return memcmp(record, other, length) > 0;
}

static bool is_same(const uint8_t *record, const uint8_t *other) {
    return edges_length(record) == edges_length(other) &&
           !memcmp(record, other, edges_length(record));
}

static bool is_far_ahead(const Mesh *mesh, const uint8_t *record) {
    return edges_number(record) > (mesh->now_s << NUMBER_SHIFT) + NUMBER_AHEAD;
}

/* A record of ours that another has, of an earlier run or of a copy of this node. */
static MeshError own_received(Mesh *mesh, const uint8_t *record) {
    if (is_far_ahead(mesh, record)) {
        return MESH_ERROR_FORBIDDEN;
    }
    if (!edges_verify(record, &mesh->meeting.id)) {
        return MESH_ERROR_FORGED;
    }
    declare_above(mesh, edges_number(record));
    return MESH_OK;
}

/* Who is not in the roster may be soon: the entry that says so is slower, now and then. */
static void keep_early(Mesh *mesh, uint32_t slot, const uint8_t *record) {
    Map *map = &mesh->map;
    MapEarly *early = NULL;

    for (size_t i = 0; i < MESH_STRANGERS_MAX && !early; i++) {
        const uint8_t *other = map->early[i].record;

        if (other && mesh_key_equal(edges_author(other), edges_author(record))) {
            if (!is_newer(record, other)) {
                return;
            }
            early = &map->early[i];
        }
    }
    if (!early) {
        early = &map->early[map->early_next++ % MESH_STRANGERS_MAX];
    }
    free(early->record);
    *early = (MapEarly){.record = memory_copy(record, edges_length(record)), .slot = slot};
}

/* An author is not linked any more with a neighbour of ours: that may be dead, and the tree cut
 * there, before we know it. */
static void find_cut(Mesh *mesh, const uint8_t *record, const uint8_t *former) {
    for (size_t i = 0; i < edges_count(former); i++) {
        const uint8_t *key = edges_at(former, i)->key;
        Neighbour *neighbour =
            map_loses_edge(mesh, record, key) ? neighbour_find_short(mesh, key) : NULL;

        if (neighbour && neighbour_is_greeted(mesh, neighbour)) {
            spread_cut(mesh, neighbour_slot(mesh, neighbour));
            pulse_suspect(mesh, neighbour);
        }
    }
    if (mesh->map.cut) {
        spread_mend(mesh);
    }
}

static MeshError accept(Mesh *mesh, uint32_t slot, const uint8_t *record, MapNode *node) {
    uint64_t paid_us = node ? node->paid_us : 0;
    bool urgent = node && (node->urgent || map_loses(mesh, record, node->record));

    if (paid_us > mesh->now_us + (PACE_BURST - 1) * PACE_US) {
        return MESH_ERROR_FULL;
    }
    if (!edges_verify(record, &mesh->meeting.id)) {
        return MESH_ERROR_FORGED;
    }
    if (urgent) {
        find_cut(mesh, record, node->record);
    }
    node = map_keep(mesh, record);
    if (!node) {
        return MESH_ERROR_NO_MEMORY;
    }
    node->paid_us = (paid_us > mesh->now_us ? paid_us : mesh->now_us) + PACE_US;
    node->urgent = urgent;
    spread_record(mesh, node, bit_of(slot));
    return MESH_OK;
}

static MeshError record_received(Mesh *mesh, uint32_t slot, const uint8_t *record) {
    const MeshKey *author = edges_author(record);
    MapNode *node = map_node(mesh, author);

    if (node && is_same(record, node->record)) {
        node->waiting &= ~bit_of(slot);
        node->sent |= bit_of(slot);
        mesh->counters.duplicates++;
        return MESH_OK;
    }
    if (mesh_key_equal(author, &mesh->self.key) &&
        (!node || edges_number(record) >= edges_number(node->record))) {
        return own_received(mesh, record);
    }
    if (node && !is_newer(record, node->record)) {
        spread_behind(mesh, node, slot);
        return MESH_ERROR_REPLAYED;
    }
    if (is_far_ahead(mesh, record)) {
        return MESH_ERROR_FORBIDDEN;
    }
    if (!node && !core_member(mesh, author)) {
        keep_early(mesh, slot, record);
        return MESH_ERROR_FORBIDDEN;
    }
    return accept(mesh, slot, record, node);
}

void spread_early(Mesh *mesh) {
    for (size_t i = 0; i < MESH_STRANGERS_MAX; i++) {
        MapEarly *early = &mesh->map.early[i];
        uint8_t *record = early->record;

        if (record && core_member(mesh, edges_author(record))) {
            early->record = NULL;
            neighbours_count(mesh, record_received(mesh, early->slot, record));
            free(record);
        }
    }
}

void spread_finish(Mesh *mesh) {
    for (size_t i = 0; i < MESH_STRANGERS_MAX; i++) {
        free(mesh->map.early[i].record);
    }
}

MeshError spread_records_received(Mesh *mesh, uint32_t slot, Bytes body) {
    BytesReader reader = bytes_reader(body.data, body.length);
    MeshError error = body.length > 0 ? MESH_OK : MESH_ERROR_MALFORMED;
    uint64_t duplicates = mesh->counters.duplicates;
    uint64_t fresh = 0;

    while (!error && bytes_left(&reader) > 0) {
        const uint8_t *record;

        error = edges_read(&reader, &record);
        if (!error) {
            uint64_t digest = mesh->map.digest;

            error = record_received(mesh, slot, record);
            fresh += mesh->map.digest != digest;
        }
        /* Who passes on what is no record, or none of its author, lies; the rest may happen. */
        if (error == MESH_ERROR_MALFORMED || error == MESH_ERROR_FORGED) {
            neighbour_nonsense(mesh, neighbour_at(mesh, slot));
        } else if (error) {
            neighbours_count(mesh, error);
            error = MESH_OK;
        }
    }
    if (mesh->counters.duplicates > duplicates + fresh) {
        repeated(mesh, slot);
    } else if (fresh > 0) {
        mesh->map.peers[slot].repeats = 0;
    }
    return error;
}
