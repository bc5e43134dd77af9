/* SPDX-License-Identifier: MPL-2.0 */
/* Records of the map, raw and signed by anybody, digests, clocks and lines, from neighbours of a
 * founder who is alone: whatever comes, only members are in the map, in order, as the digest says,
 * and every tree and way computed from it leads somewhere. */
#include <sodium.h>

#include "mesh/core.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_roster.h"

enum { RECORDS, SIGNED, DIGEST, CLOCK, TIME, EXPEL, LOST, OPS };

#define PEOPLE    7 /* the founder, five members, and a stranger */
#define MEMBERS   6
#define BODY_SIZE 1200

static Identity people[PEOPLE];
static Mesh *mesh;
static uint64_t now_us;
static uint32_t drawn;

static void draw(void *context, uint8_t *ret_bytes, size_t length) {
    for (size_t i = 0; i < length; i++) {
        uint32_t word = ++drawn * 2654435761u;

        ret_bytes[i] = (uint8_t)((word ^ word >> 15) * 2246822519u >> 13);
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    if (sodium_init() < 0) {
        return 1;
    }
    for (uint8_t i = 0; i < PEOPLE; i++) {
        uint8_t seed[MESH_SEED_SIZE] = {(uint8_t)(i + 1)};

        identity_init(&people[i], seed);
    }
    return 0;
}

static void step(MeshEvent event) {
    MeshEffect effect;
    uint64_t stored = 0;

    event.now_us = now_us;
    event.now_s = 1000000 + now_us / S;
    mesh_step(mesh, &event);
    while (mesh_next_effect(mesh, &effect)) {
        stored = effect.kind == MESH_EFFECT_PERSIST ? effect.store.token : stored;
    }
    if (stored) {
        step((MeshEvent){.kind = MESH_EVENT_STORED, .stored = {.token = stored}});
    }
}

/* Linked with, and compared with. */
static void befriend(const Identity *other) {
    Neighbour *neighbour = fuzz_befriend(mesh, &other->key);

    map_links_changed(mesh);
    gap_greet(mesh, neighbour_slot(mesh, neighbour));
}

static void begin(void) {
    MeshOptions options = {.name = "Alice",
                           .device_seed = {1},
                           .random = draw,
                           .now_us = now_us,
                           .document_fetch_max = MESH_DOCUMENT_SIZE_MAX};
    MeshIntent create = {.kind = MESH_INTENT_CREATE, .tag = 1, .text = "Cellule"};

    mesh = mesh_create(&options);
    FUZZ_CHECK(mesh);
    step((MeshEvent){.kind = MESH_EVENT_LOADED_END});
    step((MeshEvent){.kind = MESH_EVENT_INTENT, .intent = &create});
    FUZZ_CHECK(mesh_info(mesh).status == MESH_STATUS_MEMBER);
    for (size_t i = 1; i < MEMBERS; i++) {
        fuzz_add_member(mesh, &people[i].key, MESH_ROLE_MEMBER);
    }
    map_roster_changed(mesh);
    befriend(&people[1]);
    befriend(&people[2]);
}

static uint32_t slot_of(size_t person) {
    const Neighbour *neighbour = neighbour_find(mesh, &people[person].key);

    return neighbour && neighbour_is_up(neighbour) ? neighbour_slot(mesh, neighbour)
                                                   : NEIGHBOUR_NONE;
}

static Bytes read_body(BytesReader *reader, uint8_t body[BODY_SIZE]) {
    size_t length = bytes_read_u16(reader) % BODY_SIZE;

    length = length < bytes_left(reader) ? length : bytes_left(reader);
    bytes_read_into(reader, body, length);
    return BYTES_AT(body, length);
}

/* Any of these people says anything of the others. */
static void send_signed(BytesReader *reader, uint32_t slot) {
    uint8_t record[EDGES_SIZE(PEOPLE)];
    const Identity *author = &people[bytes_read_u8(reader) % PEOPLE];
    uint64_t number = ((mesh->now_s + bytes_read_u8(reader)) << 16) + bytes_read_u8(reader) % 4;
    uint8_t flags = bytes_read_u8(reader);
    uint8_t mask = bytes_read_u8(reader);
    Edge edges[PEOPLE];
    size_t count = 0;
    size_t length;

    for (size_t i = 0; i < PEOPLE; i++) {
        if (mask >> i & 1) {
            memcpy(edges[count].key, people[i].key.bytes, SHORT_KEY_SIZE);
            edges[count++].classes = bytes_read_u8(reader);
        }
    }
    length = edges_write(author, &mesh->meeting.id, number, flags, edges, count, record);
    spread_records_received(mesh, slot, BYTES_AT(record, length));
}

/* ---- what must hold ---- */

static void check_tree(const Graph *graph, const MeshKey *source) {
    const GraphTree *tree = map_tree(mesh, source);

    FUZZ_CHECK(tree && tree->count == graph_count(graph));
    for (uint16_t node = 0; node < tree->count; node++) {
        uint16_t up = node;
        uint8_t classes;

        for (size_t steps = 0; tree->parent[up] != GRAPH_NONE; steps++) {
            FUZZ_CHECK(steps < tree->count);
            FUZZ_CHECK(graph_edge(graph, up, tree->parent[up], &classes));
            up = tree->parent[up];
        }
        FUZZ_CHECK(up == node || up == tree->source);
        FUZZ_CHECK(tree->second[node] == GRAPH_NONE ||
                   (tree->second[node] != tree->parent[node] &&
                    graph_edge(graph, node, tree->second[node], &classes)));
    }
}

static void check(void) {
    const Map *map = &mesh->map;
    const Graph *graph = map_graph(mesh);
    uint64_t digest = 0;

    FUZZ_CHECK(graph && graph_count(graph) == map->count && map->count < PEOPLE);
    for (size_t i = 0; i < map->count; i++) {
        const uint8_t *record = map->nodes[i].record;
        uint8_t hash[8];
        BytesReader reader;

        FUZZ_CHECK(i == 0 || memcmp(map->nodes[i - 1].record, record, MESH_KEY_SIZE) < 0);
        FUZZ_CHECK(core_member(mesh, edges_author(record)));
        FUZZ_CHECK(edges_verify(record, &mesh->meeting.id));
        domain_hash(hash, sizeof hash, "map", BYTES_AT(record, MESH_KEY_SIZE + 8), BYTES_NONE);
        reader = bytes_reader(hash, sizeof hash);
        digest ^= bytes_read_u64(&reader);
        check_tree(graph, edges_author(record));
    }
    FUZZ_CHECK(digest == map->digest);
    for (size_t i = 0; i < PEOPLE; i++) {
        FUZZ_CHECK(map_reaches(mesh, &people[i].key) == (map_hops(mesh, &people[i].key) > 0));
        FUZZ_CHECK(!map_first_hop(mesh, &people[i].key) || map_reaches(mesh, &people[i].key));
    }
    FUZZ_CHECK(map_present_count(mesh) < MEMBERS);
}

/* A record on its own: what is read is as long as it says, and its edges are in one order. */
static void read_raw(Bytes body) {
    BytesReader reader = bytes_reader(body.data, body.length);
    const uint8_t *record;

    while (bytes_left(&reader) > 0 && edges_read(&reader, &record) == MESH_OK) {
        FUZZ_CHECK(reader.at == record + edges_length(record));
        for (size_t i = 0; i < edges_count(record); i++) {
            FUZZ_CHECK(edges_find(record, edges_at(record, i)->key) == edges_at(record, i));
        }
    }
}

/* Which records there are or are wanted, or whether records themselves are. */
static void send_numbers(unsigned which, uint32_t slot, Bytes body) {
    switch (which % 3) {
    case 0:
        gap_clock_received(mesh, slot, body);
        break;
    case 1:
        gap_have_received(mesh, slot, body);
        break;
    default:
        spread_tell_received(mesh, slot, body);
        break;
    }
}

static void act(uint8_t op, BytesReader *reader) {
    uint8_t bytes[BODY_SIZE];
    uint32_t slot = slot_of(1 + op / OPS % 2);
    Bytes body;

    if (op % OPS == TIME) {
        now_us += bytes_read_u16(reader) * 10 * MS;
        mesh->now_us = now_us;
        mesh->now_s = 1000000 + now_us / S;
        map_timeout(mesh);
        return;
    }
    if (op % OPS == EXPEL) {
        roster_find(&mesh->meeting.roster, &people[3 + bytes_read_u8(reader) % 3].key)->expelled =
            true;
        map_roster_changed(mesh);
        return;
    }
    if (slot == NEIGHBOUR_NONE) {
        befriend(&people[1 + op / OPS % 2]);
    } else if (op % OPS == LOST) {
        route_lost(mesh, neighbour_at(mesh, slot), MESH_END_SILENT);
    } else if (op % OPS == SIGNED) {
        send_signed(reader, slot);
    } else {
        uint8_t *copy;

        body = read_body(reader, bytes);
        copy = fuzz_copy(body.data, body.length);
        read_raw(BYTES_AT(copy, body.length));
        if (op % OPS == RECORDS) {
            spread_records_received(mesh, slot, BYTES_AT(copy, body.length));
        } else if (op % OPS == DIGEST) {
            gap_digest_received(mesh, slot, BYTES_AT(copy, body.length));
        } else {
            send_numbers(op / OPS / 2, slot, BYTES_AT(copy, body.length));
        }
        free(copy);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    BytesReader reader = bytes_reader(data, size);

    now_us = 10 * S;
    drawn = 0;
    begin();
    for (unsigned ops = 0; bytes_left(&reader) > 0 && ops < 200; ops++) {
        act(bytes_read_u8(&reader), &reader);
        check();
    }
    mesh_destroy(mesh);
    return 0;
}
