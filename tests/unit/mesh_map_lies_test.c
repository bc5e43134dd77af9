/* SPDX-License-Identifier: MPL-2.0 */
/* What others send of the map of whole cores: old, forged, too much, too early, missed. */
#include <sodium.h>
#include <string.h>

#include "mesh/overlay/message.h"
#include "tests/unit/mesh_map_room.h"

/* A record signed by an author with these edges, given to a node as if a neighbour sent it. */
static MeshError give(Peer *to, const Peer *from, const Identity *author, uint64_t number,
                      const Edge *edges, size_t count) {
    uint8_t record[EDGES_SIZE(MESH_EDGES_MAX)];
    Edge copy[MESH_EDGES_MAX];
    size_t length;

    if (count > 0) {
        memcpy(copy, edges, count * sizeof *edges);
    }
    length = edges_write(author, &to->mesh->meeting.id, number, 0, copy, count, record);
    return spread_records_received(to->mesh, slot_of(to, from), BYTES_AT(record, length));
}

static Edge edge_to(const Peer *peer) {
    Edge edge = {.classes = edge_classes(0, 0, 3)};

    memcpy(edge.key, peer->key.bytes, SHORT_KEY_SIZE);
    return edge;
}

/* What is old, or here already, changes nothing; who sends the old is told the new, but once. */
static void test_replay(void) {
    Room *room = room_new();
    Peer *peer = &room->peers[0];
    const Identity *author;
    MeshCounters before;
    uint64_t number, digest;
    Edge edge;

    room_meet(room, 3);
    author = &room->peers[2].mesh->self;
    edge = edge_to(&room->peers[1]);
    number = edges_number(record_of(peer, &room->peers[2]));
    digest = peer->mesh->map.digest;
    before = mesh_counters(peer->mesh);
    give(peer, &room->peers[1], author, number - 1, &edge, 1);
    g_assert_cmpuint(mesh_counters(peer->mesh).replayed, ==, before.replayed + 1);
    g_assert_cmpuint(map_node(peer->mesh, &author->key)->waiting, ==, 0);
    map_node(peer->mesh, &author->key)->sent = 0;
    give(peer, &room->peers[1], author, number - 1, &edge, 1);
    g_assert_cmpuint(mesh_counters(peer->mesh).replayed, ==, before.replayed + 2);
    g_assert_cmpuint(map_node(peer->mesh, &author->key)->waiting, ==,
                     1ull << slot_of(peer, &room->peers[1]));
    spread_records_received(
        peer->mesh, slot_of(peer, &room->peers[1]),
        BYTES_AT(record_of(peer, &room->peers[2]), edges_length(record_of(peer, &room->peers[2]))));
    g_assert_cmpuint(mesh_counters(peer->mesh).duplicates, ==, before.duplicates + 1);
    g_assert_cmpuint(map_node(peer->mesh, &author->key)->waiting, ==, 0);
    g_assert_cmpuint(peer->mesh->map.digest, ==, digest);
    room_free(room);
}

/* Who passes on what nobody signed is no neighbour for long. */
static void test_forged(void) {
    Room *room = room_new();
    Peer *peer = &room->peers[0];
    uint8_t record[EDGES_SIZE(MESH_EDGES_MAX)];
    uint64_t digest;
    size_t length;
    guint sent = 0;
    Edge edge;

    room_meet(room, 3);
    edge = edge_to(peer);
    digest = peer->mesh->map.digest;
    length = edges_write(&room->peers[2].mesh->self, &peer->mesh->meeting.id,
                         CLOCK_NUMBER(room) + 9, 0, &edge, 1, record);
    record[EDGES_HEAD_SIZE - 2] ^= EDGES_WEAK;
    while (peer_is_linked(peer, &room->peers[1]) && sent < 100) {
        g_assert_cmpint(spread_records_received(peer->mesh, slot_of(peer, &room->peers[1]),
                                                BYTES_AT(record, length)),
                        ==, MESH_ERROR_FORGED);
        sent++;
    }
    g_assert_cmpuint(sent, ==, 32);
    g_assert_cmpuint(peer->mesh->map.digest, ==, digest);
    g_assert_true(peer_is_linked(peer, &room->peers[2]));
    room_free(room);
}

/* One that says it is linked with everybody is believed by nobody. */
static void test_liar(void) {
    Room *room = room_new();
    Peer *peer = &room->peers[0];
    Edge edges[3];

    room_meet(room, 4);
    room->filter = in_a_row;
    room_run(room, 60 * S);
    for (guint i = 0; i < 3; i++) {
        edges[i] = edge_to(&room->peers[i]);
    }
    g_assert_cmpint(
        give(peer, &room->peers[1], &room->peers[3].mesh->self, CLOCK_NUMBER(room) + 9, edges, 3),
        ==, MESH_OK);
    g_assert_cmpuint(edges_count(record_of(peer, &room->peers[3])), ==, 3);
    g_assert_cmpuint(degree(peer, &room->peers[3]), ==, 1);
    g_assert_cmpuint(map_hops(peer->mesh, &room->peers[3].key), ==, 3);
    room_free(room);
}

/* An author who says too much is heard now and then; others as before. */
static void test_flood(void) {
    Room *room = room_new();
    Peer *peer = &room->peers[0];
    uint64_t base, limited, number;
    const Identity *author;
    Edge edge;

    room_meet(room, 3);
    room_run(room, 120 * S);
    author = &room->peers[2].mesh->self;
    edge = edge_to(&room->peers[1]);
    base = CLOCK_NUMBER(room) + 1000;
    limited = mesh_counters(peer->mesh).limited;
    for (guint i = 0; i < 100; i++) {
        give(peer, &room->peers[1], author, base + i, i % 2 ? &edge : NULL, i % 2);
    }
    g_assert_cmpuint(edges_number(record_of(peer, &room->peers[2])), ==, base + 29);
    g_assert_cmpuint(mesh_counters(peer->mesh).limited, ==, limited + 70);
    g_assert_cmpint(give(peer, &room->peers[2], &room->peers[1].mesh->self, base, &edge, 0), ==,
                    MESH_OK);
    g_assert_cmpuint(edges_number(record_of(peer, &room->peers[1])), ==, base);
    /* The real author outdoes what was said in its name, and is heard again. */
    room_run(room, 10 * S);
    number = edges_number(record_of(peer, &room->peers[2]));
    g_assert_cmpuint(number, >=, base + 30);
    g_assert_cmpuint(degree(peer, &room->peers[2]), ==, 2);
    room_free(room);
}

static void test_far_ahead(void) {
    Room *room = room_new();
    Peer *peer = &room->peers[0];
    uint64_t refused, most;

    room_meet(room, 2);
    most = (peer->mesh->now_s << 16) + (1ull << 48);
    refused = mesh_counters(peer->mesh).refused;
    give(peer, &room->peers[1], &room->peers[1].mesh->self, most + 1, NULL, 0);
    give(peer, &room->peers[1], &room->peers[1].mesh->self, UINT64_MAX, NULL, 0);
    give(peer, &room->peers[1], &peer->mesh->self, UINT64_MAX, NULL, 0); /* its own, even */
    g_assert_cmpuint(mesh_counters(peer->mesh).refused, ==, refused + 3);
    g_assert_cmpuint(degree(peer, &room->peers[1]), ==, 1);
    give(peer, &room->peers[1], &room->peers[1].mesh->self, most, NULL, 0);
    g_assert_cmpuint(edges_number(record_of(peer, &room->peers[1])), ==, most);
    room_free(room);
}

/* Our own record with a higher number, of a clock that was ahead: the next is above. */
static void test_own_ahead(void) {
    Room *room = room_new();
    Peer *peer = &room->peers[0];
    uint64_t ahead;

    room_meet(room, 3);
    ahead = CLOCK_NUMBER(room) + (1 << 30);
    g_assert_cmpint(give(&room->peers[1], peer, &peer->mesh->self, ahead, NULL, 0), ==, MESH_OK);
    room_run(room, 5 * S);
    g_assert_cmpuint(own_number(peer), ==, ahead + 1);
    expect_same(room, 3);
    g_assert_cmpuint(degree(&room->peers[2], peer), ==, 2);
    /* The same number, and something else in it: as a copy of this node would say. */
    g_assert_cmpint(give(peer, &room->peers[1], &peer->mesh->self, ahead + 1, NULL, 0), ==,
                    MESH_OK);
    room_run(room, 5 * S);
    g_assert_cmpuint(own_number(peer), ==, ahead + 2);
    expect_same(room, 3);
    room_free(room);
}

/* Another node with our key outdoes each of our records, as we do its: that is seen, told once, and
 * after a while the contest is left. */
static void test_copied(void) {
    Room *room = room_new();
    Peer *peer = &room->peers[0];
    uint64_t number;
    guint issued = 0;

    room_meet(room, 3);
    room_run(room, 60 * S);
    for (guint i = 0; i < 9; i++) {
        g_assert_cmpint(mesh_info(peer->mesh).copied, ==, i >= 4);
        g_assert_cmpuint(peer->notices[MESH_NOTICE_COPIED], ==, i >= 4);
        number = own_number(peer);
        give(peer, &room->peers[1], &peer->mesh->self, number + 1, NULL, 0);
        room_run(room, 5 * S);
    }
    g_assert_true(mesh_info(peer->mesh).copied);
    g_assert_cmpuint(own_number(peer), ==, number); /* it is not outdone at once any more */
    room_run(room, 60 * S);
    g_assert_cmpuint(own_number(peer), ==, number + 2);
    for (guint i = 0; i < 30; i++) {
        number = own_number(peer);
        give(peer, &room->peers[1], &peer->mesh->self, peer->mesh->map.above + 2, NULL, 0);
        room_run(room, 10 * S);
        issued += own_number(peer) != number;
    }
    g_assert_cmpuint(issued, >=, 4);
    g_assert_cmpuint(issued, <=, 6);
    g_assert_cmpuint(peer->notices[MESH_NOTICE_COPIED], ==, 1);
    /* The copy is gone. */
    room_run(room, 660 * S);
    g_assert_false(mesh_info(peer->mesh).copied);
    expect_same(room, 3);
    g_assert_cmpuint(degree(&room->peers[2], peer), ==, 2);
    room_free(room);
}

static void test_restart(void) {
    Room *room = room_new();
    uint64_t number;

    room_meet(room, 3);
    number = own_number(&room->peers[0]);
    peer_stop(&room->peers[0]);
    room_start(room, 0);
    room_run(room, 20 * S);
    g_assert_cmpuint(own_number(&room->peers[0]), >, number);
    expect_same(room, 3);
    g_assert_cmpuint(degree(&room->peers[2], &room->peers[0]), ==, 2);
    room_free(room);
}

/* What comes before its author is known waits for that, within bounds. */
static void test_early(void) {
    Room *room = room_new();
    Peer *peer = &room->peers[0];
    g_autofree char *ticket = NULL;
    Identity david;
    uint8_t seed[MESH_SEED_SIZE] = {4};
    uint64_t number, refused;

    room_meet(room, 3);
    number = CLOCK_NUMBER(room) + (1 << 30);
    refused = mesh_counters(peer->mesh).refused;
    identity_init(&david, seed);
    give(peer, &room->peers[1], &david, number, NULL, 0);
    for (uint8_t i = 0; i < MESH_STRANGERS_MAX - 1; i++) {
        uint8_t other[MESH_SEED_SIZE] = {i, 77};
        Identity stranger;

        identity_init(&stranger, other);
        give(peer, &room->peers[1], &stranger, number, NULL, 0);
    }
    g_assert_cmpuint(mesh_counters(peer->mesh).refused, ==, refused + MESH_STRANGERS_MAX);
    g_assert_cmpuint(peer->mesh->map.count, ==, 3);
    ticket = peer_invite(peer, 1);
    g_assert_cmpint(
        peer_ask(room_start(room, 3), (MeshIntent){.kind = MESH_INTENT_JOIN, .text = ticket})
            ->error,
        ==, MESH_OK);
    room_run(room, 10 * S);
    g_assert_cmpuint(peer->mesh->map.count, ==, 4);
    g_assert_cmpuint(edges_number(record_of(peer, &room->peers[3])), >, number);
    expect_same(room, 4);
    room_free(room);
}

/* In whatever order records come, also two of one number, the map is the same. */
static void test_any_order(void) {
    Room *room = room_new();
    Peer *peers[] = {&room->peers[0], &room->peers[1]};
    uint8_t records[12][EDGES_SIZE(2)];
    size_t lengths[12];
    uint64_t base;

    room_meet(room, 4);
    base = CLOCK_NUMBER(room) + 100;
    for (size_t i = 0; i < 12; i++) {
        Edge edges[] = {edge_to(peers[0]), edge_to(peers[1])};

        edges[0].classes = (uint8_t)(i * 16);
        lengths[i] = edges_write(&room->peers[2 + i % 2].mesh->self, &peers[0]->mesh->meeting.id,
                                 base + i / 4, 0, edges, 1 + i % 3 % 2, records[i]);
    }
    for (size_t i = 0; i < 12; i++) {
        size_t other = i * 7 % 12;

        spread_records_received(peers[0]->mesh, slot_of(peers[0], &room->peers[2]),
                                BYTES_AT(records[i], lengths[i]));
        spread_records_received(peers[1]->mesh, slot_of(peers[1], &room->peers[2]),
                                BYTES_AT(records[other], lengths[other]));
    }
    for (guint i = 2; i < 4; i++) {
        const uint8_t *first = record_of(peers[0], &room->peers[i]);
        const uint8_t *second = record_of(peers[1], &room->peers[i]);

        g_assert_cmpuint(edges_number(first), ==, base + 2);
        g_assert_cmpuint(edges_length(first), ==, edges_length(second));
        g_assert_true(!memcmp(first, second, edges_length(first)));
    }
    room_free(room);
}

/* Whoever looks is told once a second of what changes ten times. */
static void test_notices(void) {
    Room *room = room_new();
    Peer *peer = &room->peers[0];
    uint64_t base;
    Edge edge;

    room_meet(room, 3);
    room_run(room, 120 * S);
    edge = edge_to(peer);
    base = CLOCK_NUMBER(room) + 100;
    peer->notices[MESH_NOTICE_MAP] = 0;
    for (guint i = 0; i < 25; i++) {
        give(peer, &room->peers[1], &room->peers[2].mesh->self, base + i, &edge, i % 2);
        room_run(room, 100 * MS);
    }
    g_assert_cmpuint(peer->notices[MESH_NOTICE_MAP], >=, 2);
    g_assert_cmpuint(peer->notices[MESH_NOTICE_MAP], <=, 3);
    room_free(room);
}

/* ---- comparing ---- */

static MeshError give_message(Peer *to, const Peer *from, uint8_t kind, const uint8_t *bytes,
                              size_t length) {
    g_autofree uint8_t *copy = g_memdup2(bytes, MAX(length, 1));
    Bytes body = BYTES_AT(copy, length);

    switch (kind) {
    case MESSAGE_MAP:
        return spread_records_received(to->mesh, slot_of(to, from), body);
    case MESSAGE_MAP_DIGEST:
        return gap_digest_received(to->mesh, slot_of(to, from), body);
    case MESSAGE_MAP_HAVE:
        return gap_have_received(to->mesh, slot_of(to, from), body);
    case MESSAGE_MAP_TELL:
        return spread_tell_received(to->mesh, slot_of(to, from), body);
    default:
        return gap_clock_received(to->mesh, slot_of(to, from), body);
    }
}

/* A record is missed: the digest, now and then, finds that out. */
static void test_missed(void) {
    Room *room = room_new();
    MapNode *node;

    room_meet(room, 3);
    room_run(room, 120 * S);
    peer_say(&room->peers[0], "on reprend"); /* digests each minute, for a while */
    /* As if the last record of 2 had never come to 0. */
    node = map_node(room->peers[0].mesh, &room->peers[2].key);
    g_assert_cmpint(give(&room->peers[1], &room->peers[2], &room->peers[2].mesh->self,
                         edges_number(node->record) + 1, NULL, 0),
                    ==, MESH_OK);
    map_node(room->peers[1].mesh, &room->peers[2].key)->waiting = 0;
    g_assert_cmpuint(room->peers[0].mesh->map.digest, !=, room->peers[1].mesh->map.digest);
    room_run(room, 300 * S);
    expect_same(room, 3);
    g_assert_cmpuint(degree(&room->peers[0], &room->peers[2]), ==, 2);
    room_free(room);
}

static void test_nonsense(void) {
    Room *room = room_new();
    Peer *peer = &room->peers[0];
    uint8_t bytes[64] = {0}, seed[32] = {9};
    uint64_t digest;

    room_meet(room, 2);
    digest = peer->mesh->map.digest;
    g_assert_cmpint(give_message(peer, &room->peers[1], MESSAGE_MAP_DIGEST, bytes, 7), ==,
                    MESH_ERROR_MALFORMED);
    g_assert_cmpint(give_message(peer, &room->peers[1], MESSAGE_MAP_DIGEST, bytes, 9), ==,
                    MESH_ERROR_MALFORMED);
    g_assert_cmpint(give_message(peer, &room->peers[1], MESSAGE_MAP_CLOCK, bytes, 0), ==,
                    MESH_ERROR_MALFORMED);
    g_assert_cmpint(give_message(peer, &room->peers[1], MESSAGE_MAP_CLOCK, bytes, 1 + 15), ==,
                    MESH_ERROR_MALFORMED);
    bytes[0] = 3;
    g_assert_cmpint(give_message(peer, &room->peers[1], MESSAGE_MAP_CLOCK, bytes, 1 + 16), ==,
                    MESH_ERROR_MALFORMED);
    bytes[0] = 0;
    bytes[1] = 9; /* out of order */
    g_assert_cmpint(give_message(peer, &room->peers[1], MESSAGE_MAP_CLOCK, bytes, 1 + 32), ==,
                    MESH_ERROR_MALFORMED);
    g_assert_cmpint(give_message(peer, &room->peers[1], MESSAGE_MAP, bytes, 0), ==,
                    MESH_ERROR_MALFORMED);
    g_assert_cmpint(give_message(peer, &room->peers[1], MESSAGE_MAP_HAVE, bytes, 0), ==,
                    MESH_ERROR_MALFORMED);
    g_assert_cmpint(give_message(peer, &room->peers[1], MESSAGE_MAP_HAVE, bytes, 17), ==,
                    MESH_ERROR_MALFORMED);
    g_assert_cmpint(give_message(peer, &room->peers[1], MESSAGE_MAP_TELL, bytes, 0), ==,
                    MESH_ERROR_MALFORMED);
    bytes[0] = 3;
    g_assert_cmpint(give_message(peer, &room->peers[1], MESSAGE_MAP_TELL, bytes, 1), ==,
                    MESH_ERROR_MALFORMED);
    for (guint i = 0; i < 20; i++) {
        seed[1] = (uint8_t)i;
        randombytes_buf_deterministic(bytes, sizeof bytes, seed);
        give_message(peer, &room->peers[1], MESSAGE_MAP, bytes, sizeof bytes);
        give_message(peer, &room->peers[1], MESSAGE_MAP_CLOCK, bytes, sizeof bytes);
        give_message(peer, &room->peers[1], MESSAGE_MAP_HAVE, bytes, sizeof bytes);
        give_message(peer, &room->peers[1], MESSAGE_MAP_DIGEST, bytes, 8);
    }
    g_assert_cmpuint(peer->mesh->map.digest, ==, digest);
    room_run(room, 10 * S);
    expect_same(room, 2);
    room_free(room);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(sodium_init(), >=, 0);
    g_test_add_func("/mesh/map-lies/replay", test_replay);
    g_test_add_func("/mesh/map-lies/forged", test_forged);
    g_test_add_func("/mesh/map-lies/liar", test_liar);
    g_test_add_func("/mesh/map-lies/flood", test_flood);
    g_test_add_func("/mesh/map-lies/far-ahead", test_far_ahead);
    g_test_add_func("/mesh/map-lies/own-ahead", test_own_ahead);
    g_test_add_func("/mesh/map-lies/copied", test_copied);
    g_test_add_func("/mesh/map-lies/restart", test_restart);
    g_test_add_func("/mesh/map-lies/early", test_early);
    g_test_add_func("/mesh/map-lies/any-order", test_any_order);
    g_test_add_func("/mesh/map-lies/notices", test_notices);
    g_test_add_func("/mesh/map-lies/missed", test_missed);
    g_test_add_func("/mesh/map-lies/nonsense", test_nonsense);
    return g_test_run();
}
