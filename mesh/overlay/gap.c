/* SPDX-License-Identifier: MPL-2.0 */
/* Which records of the map one of two neighbours lacks: digests of all, numbers where these differ,
 * and what those are told who hear the records themselves from others. */
#include <string.h>

#include "mesh/core.h"
#include "mesh/overlay/choice.h"
#include "mesh/overlay/message.h"

#define ANSWER_US  (5 * S)    /* to whom our digest was told we need not tell our numbers */
#define CLOCK_US   S          /* between two times of telling all our numbers to one neighbour */
#define SCATTER_US (400 * MS) /* links that come at once are compared within */
#define COMPARE_US (300 * MS) /* by then two who compared their numbers have what they lacked */
#define AGAIN_US   S          /* what was asked for comes by then, else another is asked */
#define CLOCK_SIZE (1 + MESH_MEMBERS_MAX * MAP_LINE_SIZE)

/* CLOCK_TREE: the same as CLOCK_WANTED, and all that comes later is to be sent too. */
enum { CLOCK_ALL = 0, CLOCK_WANTED = 1, CLOCK_TREE = 2 };

/* ---- digests ---- */

static void send_digest(Mesh *mesh, uint32_t slot) {
    uint8_t body[8];
    BytesWriter writer = bytes_writer(body, sizeof body);

    bytes_write_u64(&writer, mesh->map.digest);
    if (neighbour_send(mesh, neighbour_at(mesh, slot), LINK_CHAT, UINT64_MAX, MESSAGE_MAP_DIGEST,
                       BYTES_OF(body))) {
        mesh->map.peers[slot].told_us = mesh->now_us;
    }
}

static void compare_by(Mesh *mesh, uint32_t slot, uint64_t at_us) {
    mesh->map.peers[slot].wait_us = at_us;
    spread_by(&mesh->map, at_us);
}

/* Of many who are new at once one after the other is compared with, as most of what one lacks the
 * others bring too. */
static bool waits(Mesh *mesh, uint32_t slot) {
    if (mesh->now_us >= mesh->map.compare_us) {
        return false;
    }
    compare_by(mesh, slot, mesh->map.compare_us);
    return true;
}

/* So it is where links come at once all over: both ends find the same time. */
void gap_greet(Mesh *mesh, uint32_t slot) {
    spread_greet(mesh, slot);
    if (mesh->map.peers[slot].lazy) {
        uint64_t rank = choice_rank(&mesh->self.key, &neighbour_at(mesh, slot)->key);

        compare_by(mesh, slot, mesh->now_us + rank % SCATTER_US);
    } else if (!waits(mesh, slot)) {
        send_digest(mesh, slot);
    }
}

static void tell_waiting(Mesh *mesh) {
    for (uint32_t slot = 0; slot < MESH_PEERS_MAX; slot++) {
        MapPeer *peer = &mesh->map.peers[slot];
        const Neighbour *neighbour = peer->wait_us > 0 ? neighbour_view(mesh, slot) : NULL;

        if (neighbour && mesh->now_us < peer->wait_us) {
            spread_by(&mesh->map, peer->wait_us);
        } else if (neighbour && neighbour_is_greeted(mesh, neighbour) && !waits(mesh, slot)) {
            peer->wait_us = 0;
            send_digest(mesh, slot);
        }
    }
}

void gap_digests(Mesh *mesh) {
    for (uint32_t slot = 0; slot < MESH_PEERS_MAX; slot++) {
        Neighbour *neighbour = neighbour_at(mesh, slot);

        if (neighbour && neighbour->linked != LINKED_KEPT &&
            neighbour_is_greeted(mesh, neighbour)) {
            send_digest(mesh, slot);
        }
    }
}

void map_write_line(BytesWriter *writer, const uint8_t *key, uint64_t number) {
    bytes_write(writer, key, SHORT_KEY_SIZE);
    bytes_write_u64(writer, number);
}

static void send_clock(Mesh *mesh, uint32_t slot) {
    uint8_t body[CLOCK_SIZE];
    BytesWriter writer = bytes_writer(body, sizeof body);

    bytes_write_u8(&writer, CLOCK_ALL);
    for (size_t i = 0; i < mesh->map.count; i++) {
        const uint8_t *record = mesh->map.nodes[i].record;

        map_write_line(&writer, edges_author(record)->bytes, edges_number(record));
    }
    if (neighbour_send(mesh, neighbour_at(mesh, slot), LINK_CHAT, UINT64_MAX, MESSAGE_MAP_CLOCK,
                       BYTES_AT(body, bytes_written(&writer)))) {
        mesh->map.peers[slot].clock_us = mesh->now_us;
        mesh->map.peers[slot].wait_us = 0;
        mesh->map.compare_us = mesh->now_us + COMPARE_US;
    }
}

static void send_all(Mesh *mesh, uint32_t slot) {
    spread_hear(mesh, slot);
    for (size_t i = 0; i < mesh->map.count; i++) {
        spread_wanted(mesh, &mesh->map.nodes[i], slot);
    }
}

MeshError gap_digest_received(Mesh *mesh, uint32_t slot, Bytes body) {
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
               (peer->clock_us == 0 || mesh->now_us >= peer->clock_us + CLOCK_US) &&
               !waits(mesh, slot)) {
        send_clock(mesh, slot);
    }
    return MESH_OK;
}

/* ---- numbers ---- */

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

static void ask(Mesh *mesh, uint32_t slot, const BytesWriter *wanted) {
    if (bytes_written(wanted) > 1) {
        neighbour_send(mesh, neighbour_at(mesh, slot), LINK_CHAT, UINT64_MAX, MESSAGE_MAP_CLOCK,
                       BYTES_AT(wanted->start, bytes_written(wanted)));
    }
}

/* The same of records that nobody sent: from now on this neighbour does. */
static void ask_tree(Mesh *mesh, uint32_t slot, const BytesWriter *wanted) {
    if (bytes_written(wanted) > 1) {
        spread_hear(mesh, slot);
        ask(mesh, slot, wanted);
    }
}

/* ---- asked of one alone ---- */

/* Whether it is to be asked for a record: no other neighbour is about to send it. */
static bool begin_asking(Mesh *mesh, uint32_t slot, const Line *line) {
    Map *map = &mesh->map;
    MapAsked *asked = NULL;

    for (size_t i = 0; i < MESH_ASKED_MAX && !asked; i++) {
        if (!memcmp(map->asked[i].key, line->key, SHORT_KEY_SIZE)) {
            asked = &map->asked[i];
        }
    }
    if (asked && asked->number >= line->number && mesh->now_us < asked->again_us) {
        asked->slot = slot;
        return false;
    }
    asked = asked ? asked : &map->asked[map->asked_next++ % MESH_ASKED_MAX];
    *asked = (MapAsked){.number = line->number, .again_us = mesh->now_us + AGAIN_US, .slot = slot};
    memcpy(asked->key, line->key, SHORT_KEY_SIZE);
    spread_by(map, asked->again_us);
    return true;
}

static uint64_t number_here(const Mesh *mesh, const uint8_t *key) {
    uint16_t index = map_index_short(mesh, key);

    return index == GRAPH_NONE ? 0 : edges_number(mesh->map.nodes[index].record);
}

static void ask_again(Mesh *mesh) {
    for (size_t i = 0; i < MESH_ASKED_MAX; i++) {
        MapAsked *asked = &mesh->map.asked[i];
        const Neighbour *neighbour = neighbour_view(mesh, asked->slot);
        uint64_t ours;

        if (asked->again_us == 0 || mesh->now_us < asked->again_us) {
            if (asked->again_us > 0) {
                spread_by(&mesh->map, asked->again_us);
            }
            continue;
        }
        asked->again_us = 0;
        ours = number_here(mesh, asked->key);
        if (ours < asked->number && neighbour && neighbour_is_greeted(mesh, neighbour)) {
            uint8_t body[1 + MAP_LINE_SIZE];
            BytesWriter wanted = bytes_writer(body, sizeof body);

            bytes_write_u8(&wanted, CLOCK_TREE);
            map_write_line(&wanted, asked->key, ours);
            ask_tree(mesh, asked->slot, &wanted);
        }
    }
}

void gap_timeout(Mesh *mesh) {
    tell_waiting(mesh);
    ask_again(mesh);
}

/* ---- comparing ---- */

/* Compares all their numbers with ours: sends what they lack, and asks for what we do. */
static void compare(Mesh *mesh, uint32_t slot, BytesReader *reader) {
    uint8_t body[CLOCK_SIZE];
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
            spread_wanted(mesh, node, slot);
        } else if (theirs > ours && bytes_room(&wanted) >= MAP_LINE_SIZE) {
            map_write_line(&wanted, line.key, ours);
        }
        at += order <= 0;
        if (order >= 0) {
            next_line(reader, &line);
        }
    }
    if (!reader->failed) {
        ask(mesh, slot, &wanted);
    }
}

MeshError gap_clock_received(Mesh *mesh, uint32_t slot, Bytes body) {
    BytesReader reader = bytes_reader(body.data, body.length);
    uint8_t asks = bytes_read_u8(&reader);
    Line line = {0};

    if (asks == CLOCK_ALL) {
        mesh->map.compare_us = mesh->now_us + COMPARE_US;
        mesh->map.peers[slot].wait_us = 0;
        compare(mesh, slot, &reader);
    } else {
        if (asks == CLOCK_TREE) {
            spread_hear(mesh, slot);
        }
        while (next_line(&reader, &line)) {
            uint16_t index = map_index_short(mesh, line.key);

            if (index != GRAPH_NONE && edges_number(mesh->map.nodes[index].record) > line.number) {
                spread_wanted(mesh, &mesh->map.nodes[index], slot);
            }
        }
    }
    return reader.failed || asks > CLOCK_TREE ? MESH_ERROR_MALFORMED : MESH_OK;
}

MeshError gap_have_received(Mesh *mesh, uint32_t slot, Bytes body) {
    BytesReader reader = bytes_reader(body.data, body.length);
    uint8_t bytes[CLOCK_SIZE];
    BytesWriter wanted = bytes_writer(bytes, sizeof bytes);
    Line line = {0};

    bytes_write_u8(&wanted, CLOCK_TREE);
    while (next_line(&reader, &line)) {
        uint16_t index = map_index_short(mesh, line.key);
        MapNode *node = index == GRAPH_NONE ? NULL : &mesh->map.nodes[index];
        uint64_t ours = node ? edges_number(node->record) : 0;

        if (line.number > ours) {
            if (bytes_room(&wanted) >= MAP_LINE_SIZE && begin_asking(mesh, slot, &line)) {
                map_write_line(&wanted, line.key, ours);
            }
        } else if (node && line.number < ours) {
            spread_behind(mesh, node, slot);
        } else if (node && line.number == ours) {
            node->waiting &= ~(1ull << slot); /* it need not be told */
        }
    }
    ask_tree(mesh, slot, &wanted);
    return reader.failed || body.length == 0 ? MESH_ERROR_MALFORMED : MESH_OK;
}
