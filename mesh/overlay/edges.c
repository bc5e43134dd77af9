/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/overlay/edges.h"

#include <assert.h>
#include <string.h>

#define KIND         "edges"
#define RTT_FIRST_US 5000
#define NUMBER_AT    MESH_KEY_SIZE
#define FLAGS_AT     (NUMBER_AT + 8)
#define COUNT_AT     (FLAGS_AT + 1)

static_assert(sizeof(Edge) == EDGES_EDGE_SIZE, "an edge lies in a record as it does in memory");
static_assert(MESH_EDGES_MAX <= UINT8_MAX, "the count is a byte");

/* ---- classes ---- */

uint32_t edge_rtt_bound_us(uint8_t rtt) {
    return rtt < EDGE_RTT_WORST ? (uint32_t)RTT_FIRST_US << rtt : UINT32_MAX;
}

uint32_t edge_loss_bound_ppm(uint8_t loss) {
    static const uint32_t BOUNDS[] = {10000, 50000, 150000};

    return loss < EDGE_LOSS_WORST ? BOUNDS[loss] : UINT32_MAX;
}

uint32_t edge_room_bound_bps(uint8_t room) {
    static const uint32_t BOUNDS[] = {64000, 512000, 4000000};

    return room < EDGE_ROOM_BEST ? BOUNDS[room] : UINT32_MAX;
}

uint8_t edge_rtt_of(uint32_t rtt_us) {
    uint8_t rtt = 0;

    while (rtt < EDGE_RTT_WORST && rtt_us >= edge_rtt_bound_us(rtt)) {
        rtt++;
    }
    return rtt;
}

uint8_t edge_loss_of(uint32_t loss_ppm) {
    uint8_t loss = 0;

    while (loss < EDGE_LOSS_WORST && loss_ppm >= edge_loss_bound_ppm(loss)) {
        loss++;
    }
    return loss;
}

uint8_t edge_room_of(uint32_t rate_bps) {
    uint8_t room = 0;

    while (room < EDGE_ROOM_BEST && rate_bps >= edge_room_bound_bps(room)) {
        room++;
    }
    return room;
}

uint8_t edge_worse(uint8_t a, uint8_t b) {
    uint8_t rtt = edge_rtt(a) > edge_rtt(b) ? edge_rtt(a) : edge_rtt(b);
    uint8_t loss = edge_loss(a) > edge_loss(b) ? edge_loss(a) : edge_loss(b);
    uint8_t room = edge_room(a) < edge_room(b) ? edge_room(a) : edge_room(b);

    return edge_classes(rtt, loss, room);
}

/* ---- reading ---- */

size_t edges_length(const uint8_t *record) {
    return EDGES_SIZE((size_t)edges_count(record));
}

const MeshKey *edges_author(const uint8_t *record) {
    return (const MeshKey *)record;
}

uint64_t edges_number(const uint8_t *record) {
    BytesReader reader = bytes_reader(record + NUMBER_AT, 8);

    return bytes_read_u64(&reader);
}

uint8_t edges_flags(const uint8_t *record) {
    return record[FLAGS_AT];
}

uint8_t edges_count(const uint8_t *record) {
    return record[COUNT_AT];
}

const Edge *edges_at(const uint8_t *record, size_t index) {
    return (const Edge *)(record + EDGES_HEAD_SIZE) + index;
}

const Edge *edges_find(const uint8_t *record, const uint8_t key[SHORT_KEY_SIZE]) {
    size_t low = 0;
    size_t high = edges_count(record);

    while (low < high) {
        size_t middle = (low + high) / 2;
        const Edge *edge = edges_at(record, middle);
        int order = memcmp(edge->key, key, SHORT_KEY_SIZE);

        if (order == 0) {
            return edge;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

/* No two edges to one node, none to its author, and one order: one content, one form. */
static bool is_sound(const uint8_t *record) {
    for (size_t i = 0; i < edges_count(record); i++) {
        const Edge *edge = edges_at(record, i);

        if (!memcmp(edge->key, record, SHORT_KEY_SIZE) ||
            (i > 0 && memcmp(edge[-1].key, edge->key, SHORT_KEY_SIZE) >= 0)) {
            return false;
        }
    }
    return true;
}

MeshError edges_read(BytesReader *reader, const uint8_t **ret_record) {
    BytesReader ahead = *reader;
    const uint8_t *record = bytes_read(&ahead, EDGES_HEAD_SIZE);

    if (!record || edges_count(record) > MESH_EDGES_MAX ||
        !bytes_read(reader, edges_length(record)) || !is_sound(record)) {
        return MESH_ERROR_MALFORMED;
    }
    *ret_record = record;
    return MESH_OK;
}

/* ---- signing ---- */

static Bytes signed_bytes(const uint8_t *record) {
    return BYTES_AT(record, edges_length(record) - DOMAIN_SIGNATURE_SIZE);
}

bool edges_verify(const uint8_t *record, const MeshHash *meeting) {
    Bytes bytes = signed_bytes(record);

    return domain_verify(edges_author(record), KIND, meeting, bytes, record + bytes.length);
}

static void sort(Edge *edges, size_t count) {
    for (size_t i = 1; i < count; i++) {
        Edge edge = edges[i];
        size_t at = i;

        for (; at > 0 && memcmp(edges[at - 1].key, edge.key, SHORT_KEY_SIZE) > 0; at--) {
            edges[at] = edges[at - 1];
        }
        edges[at] = edge;
    }
}

size_t edges_write(const Identity *self, const MeshHash *meeting, uint64_t number, uint8_t flags,
                   Edge *edges, size_t count, uint8_t *ret_record) {
    BytesWriter writer = bytes_writer(ret_record, EDGES_SIZE(count));
    Bytes bytes;

    sort(edges, count);
    bytes_write(&writer, self->key.bytes, MESH_KEY_SIZE);
    bytes_write_u64(&writer, number);
    bytes_write_u8(&writer, flags);
    bytes_write_u8(&writer, (uint8_t)count);
    bytes_write(&writer, edges, count * sizeof *edges);
    bytes = signed_bytes(ret_record);
    domain_sign(self, KIND, meeting, bytes, ret_record + bytes.length);
    return EDGES_SIZE(count);
}
