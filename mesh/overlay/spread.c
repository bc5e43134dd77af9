/* SPDX-License-Identifier: MPL-2.0 */
/* How the records of the map come to all: each goes on to every neighbour but the one it came from,
 * and whoever missed some finds it out by a digest. */
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
#define ANSWER_US    (5 * S)      /* to whom our digest was told we need not tell our numbers */
#define CLOCK_US     S /* between two times of telling all our numbers to one neighbour */
#define LINE_SIZE    (SHORT_KEY_SIZE + 8)

enum { CLOCK_ALL = 0, CLOCK_WANTED = 1 };

static uint64_t bit_of(uint32_t slot) {
    return 1ull << slot;
}

static void send_by(Map *map, uint64_t at_us) {
    map->send_us = at_us < map->send_us ? at_us : map->send_us;
}

/* ---- sending ---- */

void spread_record(Mesh *mesh, MapNode *node, uint64_t except) {
    node->waiting = ~except;
    send_by(&mesh->map, mesh->now_us + GATHER_US);
}

/* One neighbour is behind, with this one. */
static void send_to(Mesh *mesh, MapNode *node, uint32_t slot) {
    node->waiting |= bit_of(slot);
    send_by(&mesh->map, mesh->now_us + GATHER_US);
}

/* Records of one message, as far as there is room; they wait no more. Returns its length. */
static size_t gather(Mesh *mesh, uint32_t slot, bool urgent, uint8_t body[BODY_SIZE],
                     uint16_t ret_nodes[BODY_SIZE / EDGES_SIZE(0)], size_t *ret_count) {
    BytesWriter writer = bytes_writer(body, BODY_SIZE);

    *ret_count = 0;
    for (uint16_t i = 0; i < mesh->map.count; i++) {
        MapNode *node = &mesh->map.nodes[i];

        if (!(node->waiting & bit_of(slot)) || node->urgent != urgent) {
            continue;
        }
        if (edges_length(node->record) > bytes_room(&writer)) {
            break;
        }
        bytes_write(&writer, node->record, edges_length(node->record));
        ret_nodes[(*ret_count)++] = i;
    }
    return bytes_written(&writer);
}

/* When the line of this neighbour takes more records, told that it gets so many now. */
static void pace(Mesh *mesh, uint32_t slot, size_t length) {
    MapPeer *peer = &mesh->map.peers[slot];
    LinkState state = link_state(neighbour_at(mesh, slot)->link, mesh->now_us);
    uint64_t rate = state.rate_bps > 0 ? state.rate_bps : 1;

    peer->free_us = (peer->free_us > mesh->now_us ? peer->free_us : mesh->now_us) +
                    length * 8 * LINE_PART * S / rate;
}

/* Sends what waits for one neighbour; returns when to go on, UINT64_MAX: nothing is left. */
static uint64_t flush(Mesh *mesh, uint32_t slot) {
    Neighbour *neighbour = neighbour_at(mesh, slot);
    MapPeer *peer = &mesh->map.peers[slot];

    for (int urgent = 1; urgent >= 0;) {
        uint16_t nodes[BODY_SIZE / EDGES_SIZE(0)];
        uint8_t body[BODY_SIZE];
        size_t count;
        size_t length = gather(mesh, slot, urgent, body, nodes, &count);

        if (count == 0) {
            urgent--;
            continue;
        }
        if (!urgent && peer->free_us > mesh->now_us + AHEAD_US) {
            return peer->free_us - AHEAD_US;
        }
        if (!neighbour_send(mesh, neighbour, urgent ? LINK_URGENT : LINK_CHAT, UINT64_MAX,
                            MESSAGE_MAP, BYTES_AT(body, length))) {
            return mesh->now_us + S;
        }
        pace(mesh, slot, length);
        for (size_t i = 0; i < count; i++) {
            mesh->map.nodes[nodes[i]].waiting &= ~bit_of(slot);
        }
    }
    return UINT64_MAX;
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
    for (uint32_t slot = 0; slot < MESH_PEERS_MAX; slot++) {
        Neighbour *neighbour = neighbour_at(mesh, slot);

        if (waiting & bit_of(slot) && neighbour && neighbour_is_greeted(mesh, neighbour)) {
            listening |= bit_of(slot);
            send_by(map, flush(mesh, slot));
        }
    }
    for (size_t i = 0; i < map->count; i++) {
        map->nodes[i].waiting &= listening; /* others compare digests when they begin to listen */
        map->nodes[i].urgent &= map->nodes[i].waiting != 0;
    }
}

uint64_t spread_deadline_us(const Mesh *mesh) {
    return mesh->map.send_us;
}

void spread_lost(Mesh *mesh, uint32_t slot) {
    for (size_t i = 0; i < mesh->map.count; i++) {
        mesh->map.nodes[i].waiting &= ~bit_of(slot);
    }
    mesh->map.peers[slot] = (MapPeer){0};
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

static MeshError accept(Mesh *mesh, uint32_t slot, const uint8_t *record, MapNode *node) {
    uint64_t paid_us = node ? node->paid_us : 0;
    bool urgent = node && (node->urgent || edges_lack(record, node->record));

    if (paid_us > mesh->now_us + (PACE_BURST - 1) * PACE_US) {
        return MESH_ERROR_FULL;
    }
    if (!edges_verify(record, &mesh->meeting.id)) {
        return MESH_ERROR_FORGED;
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
        mesh->counters.duplicates++;
        return MESH_OK;
    }
    if (mesh_key_equal(author, &mesh->self.key) &&
        (!node || edges_number(record) >= edges_number(node->record))) {
        return own_received(mesh, record);
    }
    if (node && !is_newer(record, node->record)) {
        send_to(mesh, node, slot);
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

    while (!error && bytes_left(&reader) > 0) {
        const uint8_t *record;

        error = edges_read(&reader, &record);
        if (!error) {
            error = record_received(mesh, slot, record);
        }
        /* Who passes on what is no record, or none of its author, lies; the rest may happen. */
        if (error == MESH_ERROR_MALFORMED || error == MESH_ERROR_FORGED) {
            neighbour_nonsense(mesh, neighbour_at(mesh, slot));
        } else if (error) {
            neighbours_count(mesh, error);
            error = MESH_OK;
        }
    }
    return error;
}

/* ---- comparing ---- */

static void send_digest(Mesh *mesh, uint32_t slot) {
    uint8_t body[8];
    BytesWriter writer = bytes_writer(body, sizeof body);

    bytes_write_u64(&writer, mesh->map.digest);
    if (neighbour_send(mesh, neighbour_at(mesh, slot), LINK_CHAT, UINT64_MAX, MESSAGE_MAP_DIGEST,
                       BYTES_OF(body))) {
        mesh->map.peers[slot].told_us = mesh->now_us;
    }
}

void spread_greet(Mesh *mesh, uint32_t slot) {
    send_digest(mesh, slot);
}

void spread_digests(Mesh *mesh) {
    for (uint32_t slot = 0; slot < MESH_PEERS_MAX; slot++) {
        Neighbour *neighbour = neighbour_at(mesh, slot);

        if (neighbour && neighbour_is_greeted(mesh, neighbour)) {
            send_digest(mesh, slot);
        }
    }
}

static void write_line(BytesWriter *writer, const uint8_t *key, uint64_t number) {
    bytes_write(writer, key, SHORT_KEY_SIZE);
    bytes_write_u64(writer, number);
}

static void send_clock(Mesh *mesh, uint32_t slot) {
    uint8_t body[1 + MESH_MEMBERS_MAX * LINE_SIZE];
    BytesWriter writer = bytes_writer(body, sizeof body);

    bytes_write_u8(&writer, CLOCK_ALL);
    for (size_t i = 0; i < mesh->map.count; i++) {
        const uint8_t *record = mesh->map.nodes[i].record;

        write_line(&writer, edges_author(record)->bytes, edges_number(record));
    }
    if (neighbour_send(mesh, neighbour_at(mesh, slot), LINK_CHAT, UINT64_MAX, MESSAGE_MAP_CLOCK,
                       BYTES_AT(body, bytes_written(&writer)))) {
        mesh->map.peers[slot].clock_us = mesh->now_us;
    }
}

static void send_all(Mesh *mesh, uint32_t slot) {
    for (size_t i = 0; i < mesh->map.count; i++) {
        send_to(mesh, &mesh->map.nodes[i], slot);
    }
}

MeshError spread_digest_received(Mesh *mesh, uint32_t slot, Bytes body) {
    BytesReader reader = bytes_reader(body.data, body.length);
    const MapPeer *peer = &mesh->map.peers[slot];
    uint64_t theirs = bytes_read_u64(&reader);
    bool answers = peer->told_us > 0 && mesh->now_us < peer->told_us + ANSWER_US;

    if (!bytes_done(&reader)) {
        return MESH_ERROR_MALFORMED;
    }
    if (theirs == mesh->map.digest) {
        return MESH_OK;
    }
    if (theirs == 0) {
        send_all(mesh, slot); /* it has none */
    } else if (mesh->map.count == 0) {
        if (!answers) {
            send_digest(mesh, slot);
        }
    } else if ((neighbour_at(mesh, slot)->first || !answers) &&
               (peer->clock_us == 0 || mesh->now_us >= peer->clock_us + CLOCK_US)) {
        send_clock(mesh, slot);
    }
    return MESH_OK;
}

/* One of the records that a neighbour says it has, or lacks; 0: it has none of it. */
typedef struct {
    const uint8_t *key; /* short */
    uint64_t number;
} Line;

/* The next line: keys increase. False at the end, and when there are none that can be read. */
static bool next_line(BytesReader *reader, Line *line) {
    const uint8_t *former = line->key;

    if (reader->failed || bytes_left(reader) == 0) {
        line->key = NULL;
        return false;
    }
    line->key = bytes_read(reader, SHORT_KEY_SIZE);
    line->number = bytes_read_u64(reader);
    if (reader->failed || (former && memcmp(former, line->key, SHORT_KEY_SIZE) > 0)) {
        reader->failed = true;
        line->key = NULL;
        return false;
    }
    return true;
}

/* Compares all their numbers with ours: sends what they lack, and asks for what we do. */
static void compare(Mesh *mesh, uint32_t slot, BytesReader *reader) {
    uint8_t body[1 + MESH_MEMBERS_MAX * LINE_SIZE];
    BytesWriter wanted = bytes_writer(body, sizeof body);
    Line line = {0};
    size_t at = 0;

    bytes_write_u8(&wanted, CLOCK_WANTED);
    next_line(reader, &line);
    while (line.key || (at < mesh->map.count && !reader->failed)) {
        MapNode *node = at < mesh->map.count ? &mesh->map.nodes[at] : NULL;
        int order = !node ? 1 : !line.key ? -1 : memcmp(node->record, line.key, SHORT_KEY_SIZE);
        uint64_t ours = order > 0 ? 0 : edges_number(node->record);
        uint64_t theirs = order < 0 ? 0 : line.number;

        if (ours > theirs) {
            send_to(mesh, node, slot);
        } else if (theirs > ours && bytes_room(&wanted) >= LINE_SIZE) {
            write_line(&wanted, line.key, ours);
        }
        at += order <= 0;
        if (order >= 0) {
            next_line(reader, &line);
        }
    }
    if (!reader->failed && bytes_written(&wanted) > 1) {
        neighbour_send(mesh, neighbour_at(mesh, slot), LINK_CHAT, UINT64_MAX, MESSAGE_MAP_CLOCK,
                       BYTES_AT(body, bytes_written(&wanted)));
    }
}

MeshError spread_clock_received(Mesh *mesh, uint32_t slot, Bytes body) {
    BytesReader reader = bytes_reader(body.data, body.length);
    uint8_t asks = bytes_read_u8(&reader);
    Line line = {0};

    if (asks == CLOCK_ALL) {
        compare(mesh, slot, &reader);
    } else {
        while (next_line(&reader, &line)) {
            uint16_t index = map_index_short(mesh, line.key);

            if (index != GRAPH_NONE && edges_number(mesh->map.nodes[index].record) > line.number) {
                send_to(mesh, &mesh->map.nodes[index], slot);
            }
        }
    }
    return reader.failed || asks > CLOCK_WANTED ? MESH_ERROR_MALFORMED : MESH_OK;
}
