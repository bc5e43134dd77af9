/* SPDX-License-Identifier: MPL-2.0 */
/* The bytes of a record of the map: as published, in one form, and signed. */
#include <glib.h>
#include <sodium.h>
#include <string.h>

#include "mesh/overlay/edges.h"

static const MeshHash MEETING = {.bytes = "some meeting"};

static Identity identity_of(uint8_t number) {
    uint8_t seed[MESH_SEED_SIZE] = {number, 5, 6};
    Identity identity;

    identity_init(&identity, seed);
    return identity;
}

static Edge edge_of(uint8_t number, uint8_t classes) {
    return (Edge){.key = {number, 1, 2, 3, 4, 5, 6, 7}, .classes = classes};
}

/* Any number of edges to others, in no order. */
static size_t write_sample(uint8_t *record, size_t count) {
    Identity self = identity_of(1);
    Edge edges[MESH_EDGES_MAX];

    for (size_t i = 0; i < count; i++) {
        edges[i] = edge_of((uint8_t)(i * 29 % 251), (uint8_t)i);
    }
    return edges_write(&self, &MEETING, 0x1122334455667788, EDGES_RELAY, edges, count, record);
}

static MeshError read_one(const uint8_t *bytes, size_t length, const uint8_t **ret_record) {
    BytesReader reader = bytes_reader(bytes, length);
    MeshError error = edges_read(&reader, ret_record);

    return error || bytes_done(&reader) ? error : MESH_ERROR_INVALID;
}

static void test_layout(void) {
    static const uint8_t middle[] = {
        0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11,       /* number */
        0x03,                                                 /* flags */
        0x02,                                                 /* count */
        9,    1,    2,    3,    4,    5,    6,    7,    0x9e, /* 1.28 … 2.56 s, 15 %, 512 kbit/s */
        200,  1,    2,    3,    4,    5,    6,    7,    0x03, /* < 5 ms, < 1 %, more */
    };
    Identity self = identity_of(1);
    Edge edges[] = {edge_of(200, edge_classes(0, 0, 3)), edge_of(9, edge_classes(9, 3, 2))};
    uint8_t record[EDGES_SIZE(2)], hash[64];
    size_t length = edges_write(&self, &MEETING, 0x1122334455667788, EDGES_WEAK | EDGES_RELAY,
                                edges, 2, record);
    const size_t signed_length = MESH_KEY_SIZE + sizeof middle;

    g_assert_cmpuint(length, ==, 32 + 8 + 1 + 1 + 2 * 9 + 64);
    g_assert_cmpmem(record, MESH_KEY_SIZE, self.key.bytes, MESH_KEY_SIZE);
    g_assert_cmpmem(record + MESH_KEY_SIZE, sizeof middle, middle, sizeof middle);
    domain_hash(hash, sizeof hash, "edges", BYTES_OF(MEETING.bytes),
                BYTES_AT(record, signed_length));
    g_assert_cmpint(
        crypto_sign_verify_detached(record + signed_length, hash, sizeof hash, self.key.bytes), ==,
        0);
    g_assert_true(edges_verify(record, &MEETING));
    g_assert_false(edges_verify(record, &(MeshHash){.bytes = "another"}));
}

static void test_read(void) {
    for (size_t count = 0; count <= MESH_EDGES_MAX; count++) {
        uint8_t bytes[EDGES_SIZE(MESH_EDGES_MAX)];
        size_t length = write_sample(bytes, count);
        const uint8_t *record = NULL;

        g_assert_cmpint(read_one(bytes, length, &record), ==, MESH_OK);
        g_assert_true(record == bytes);
        g_assert_cmpuint(edges_length(record), ==, length);
        g_assert_cmpuint(edges_count(record), ==, count);
        g_assert_cmpuint(edges_number(record), ==, 0x1122334455667788);
        g_assert_cmpuint(edges_flags(record), ==, EDGES_RELAY);
        g_assert_true(edges_verify(record, &MEETING));
        for (size_t i = 0; i < count; i++) {
            Edge wanted = edge_of((uint8_t)(i * 29 % 251), (uint8_t)i);
            const Edge *edge = edges_find(record, wanted.key);

            g_assert_nonnull(edge);
            g_assert_cmpmem(edge, sizeof *edge, &wanted, sizeof wanted);
        }
        g_assert_null(edges_find(record, edge_of(252, 0).key));
        for (size_t cut = 0; cut < length; cut++) {
            g_autofree uint8_t *copy = g_memdup2(bytes, MAX(cut, 1));
            BytesReader reader = bytes_reader(copy, cut);

            g_assert_cmpint(edges_read(&reader, &record), ==, MESH_ERROR_MALFORMED);
        }
    }
}

/* Several one behind the other, as a message has them. */
static void test_row(void) {
    uint8_t bytes[2 * EDGES_SIZE(9)];
    size_t first = write_sample(bytes, 9);
    size_t second = write_sample(bytes + first, 4);
    BytesReader reader = bytes_reader(bytes, first + second);
    const uint8_t *record;

    g_assert_cmpint(edges_read(&reader, &record), ==, MESH_OK);
    g_assert_cmpuint(edges_count(record), ==, 9);
    g_assert_cmpint(edges_read(&reader, &record), ==, MESH_OK);
    g_assert_cmpuint(edges_count(record), ==, 4);
    g_assert_true(bytes_done(&reader));
}

static void test_malformed(void) {
    Identity self = identity_of(1);
    Edge same[] = {edge_of(9, 0), edge_of(9, 1)}, own[] = {edge_of(9, 0)};
    uint8_t bytes[EDGES_SIZE(MESH_EDGES_MAX + 1)] = {0};
    const uint8_t *record;
    size_t length;

    length = edges_write(&self, &MEETING, 1, 0, same, 2, bytes);
    g_assert_cmpint(read_one(bytes, length, &record), ==, MESH_ERROR_MALFORMED);
    memcpy(own[0].key, self.key.bytes, SHORT_KEY_SIZE);
    length = edges_write(&self, &MEETING, 1, 0, own, 1, bytes);
    g_assert_cmpint(read_one(bytes, length, &record), ==, MESH_ERROR_MALFORMED);
    length = write_sample(bytes, 2);
    memcpy(bytes + EDGES_HEAD_SIZE, &(Edge){.key = {0xff}}, sizeof(Edge));
    g_assert_cmpint(read_one(bytes, length, &record), ==, MESH_ERROR_MALFORMED);
    write_sample(bytes, MESH_EDGES_MAX);
    memset(bytes + EDGES_HEAD_SIZE + MESH_EDGES_MAX * sizeof(Edge), 0xff, sizeof(Edge));
    bytes[EDGES_HEAD_SIZE - 1] = MESH_EDGES_MAX + 1;
    g_assert_cmpint(read_one(bytes, sizeof bytes, &record), ==, MESH_ERROR_MALFORMED);
}

/* Whatever bit is another, it is not what its author signed. */
static void test_forged(void) {
    uint8_t bytes[EDGES_SIZE(5)];
    size_t length = write_sample(bytes, 5);

    for (size_t bit = 0; bit < length * 8; bit++) {
        const uint8_t *record;

        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        g_assert_false(read_one(bytes, length, &record) == MESH_OK &&
                       edges_verify(record, &MEETING));
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void test_classes(void) {
    static const uint32_t rtt_ms[] = {0,   5,   9,   10,   20,   39,   40,   79,     80,
                                      160, 320, 640, 1279, 1280, 2559, 2560, 4000000};
    static const uint8_t rtts[] = {0, 1, 1, 2, 3, 3, 4, 4, 5, 6, 7, 8, 8, 9, 9, 10, 10};

    for (size_t i = 0; i < G_N_ELEMENTS(rtts); i++) {
        g_assert_cmpuint(edge_rtt_of(rtt_ms[i] * 1000), ==, rtts[i]);
    }
    g_assert_cmpuint(edge_rtt_of(4999), ==, 0);
    g_assert_cmpuint(edge_rtt_of(UINT32_MAX), ==, EDGE_RTT_WORST);
    for (uint8_t rtt = 0; rtt < EDGE_RTT_WORST; rtt++) {
        g_assert_cmpuint(edge_rtt_of(edge_rtt_bound_us(rtt)), ==, rtt + 1);
        g_assert_cmpuint(edge_rtt_of(edge_rtt_bound_us(rtt) - 1), ==, rtt);
    }
    g_assert_cmpuint(edge_loss_of(9999), ==, 0);
    g_assert_cmpuint(edge_loss_of(10000), ==, 1);
    g_assert_cmpuint(edge_loss_of(50000), ==, 2);
    g_assert_cmpuint(edge_loss_of(150000), ==, 3);
    g_assert_cmpuint(edge_loss_of(1000000), ==, 3);
    g_assert_cmpuint(edge_room_of(63999), ==, 0);
    g_assert_cmpuint(edge_room_of(64000), ==, 1);
    g_assert_cmpuint(edge_room_of(512000), ==, 2);
    g_assert_cmpuint(edge_room_of(4000000), ==, 3);
    g_assert_cmpuint(edge_worse(edge_classes(3, 0, 1), edge_classes(1, 2, 3)), ==,
                     edge_classes(3, 2, 1));
    g_assert_cmpuint(edge_rtt(edge_classes(15, 0, 0)), ==, EDGE_RTT_WORST); /* a newer version's */
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(sodium_init(), >=, 0);
    g_test_add_func("/mesh/edges/layout", test_layout);
    g_test_add_func("/mesh/edges/read", test_read);
    g_test_add_func("/mesh/edges/row", test_row);
    g_test_add_func("/mesh/edges/malformed", test_malformed);
    g_test_add_func("/mesh/edges/forged", test_forged);
    g_test_add_func("/mesh/edges/classes", test_classes);
    return g_test_run();
}
