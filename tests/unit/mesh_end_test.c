/* SPDX-License-Identifier: MPL-2.0 */
/* Why a link ended: what the core tells with its notice, at each end. */
#include "tests/unit/mesh_core_room.h"

static guint deaf; /* whom nothing reaches */

static bool not_to_the_deaf(Room *room, guint from, guint to, uint8_t *bytes, size_t length) {
    return from != deaf && to != deaf;
}

/* Bob and Chloé do not hear each other. */
static bool by_alice(Room *room, guint from, guint to, uint8_t *bytes, size_t length) {
    return from == 0 || to == 0;
}

static Room *room_met(void) {
    Room *room = room_new();

    room_meet(room, 3);
    for (guint i = 0; i < 3; i++) {
        memset(room->peers[i].ends, 0, sizeof room->peers[i].ends);
    }
    return room;
}

/* How many ends were told to a node, for whatever reason. */
static guint told(const Peer *peer) {
    guint sum = 0;

    for (guint end = MESH_END_NONE + 1; end <= MESH_END_EXPELLED; end++) {
        sum += peer->ends[end];
    }
    return sum;
}

static void expect_only(const Peer *peer, MeshEnd end) {
    g_assert_cmpuint(peer->ends[end], ==, 1);
    g_assert_cmpuint(told(peer), ==, 1);
}

static void test_left(void) {
    Room *room = room_met();

    peer_step(&room->peers[2], &(MeshEvent){.kind = MESH_EVENT_LEAVE});
    peer_stop(&room->peers[2]);
    room_run(room, 10 * S);
    expect_only(&room->peers[0], MESH_END_LEFT);
    expect_only(&room->peers[1], MESH_END_LEFT);
    room_free(room);
}

static void test_silent(void) {
    Room *room = room_met();

    deaf = 2;
    room->filter = not_to_the_deaf;
    room_run(room, 90 * S);
    for (guint i = 0; i < 3; i++) {
        /* Of the direct link, and perhaps of the way through the other, in vain. */
        g_assert_cmpuint(room->peers[i].ends[MESH_END_SILENT], >=, i < 2 ? 1 : 2);
        g_assert_cmpuint(told(&room->peers[i]), ==, room->peers[i].ends[MESH_END_SILENT]);
    }
    room_free(room);
}

/* What Bob sends does not come to Chloé, who is heard by him. */
static bool mute(Room *room, guint from, guint to, uint8_t *bytes, size_t length) {
    return from != 1 || to != 2;
}

/* Whoever finds out first goes by another, and the other follows. */
static void expect_detour(RoomFilter filter, MeshEnd of_bob, MeshEnd of_chloe) {
    Room *room = room_met();
    Peer *bob = &room->peers[1], *chloe = &room->peers[2];

    room->filter = filter;
    room_run(room, 90 * S);
    g_assert_true(peer_is_linked(bob, chloe));
    g_assert_cmpint(peer_neighbour(bob, chloe)->path.kind, ==, MESH_PATH_RELAY);
    expect_only(bob, of_bob);
    expect_only(chloe, of_chloe);
    g_assert_cmpuint(told(&room->peers[0]), ==, 0);
    room_free(room);
}

static void test_detour(void) {
    expect_detour(by_alice, MESH_END_SILENT, MESH_END_SILENT);
    expect_detour(mute, MESH_END_UNHEARD, MESH_END_SILENT);
}

static bool no_handshakes(Room *room, guint from, guint to, uint8_t *bytes, size_t length) {
    return bytes[0] != HANDSHAKE_INIT;
}

/* A link that one end can spare: each knows which of both that was. */
static void test_spared(void) {
    Room *room = room_met();
    Peer *alice = &room->peers[0], *bob = &room->peers[1];

    peer_stop(&room->peers[2]); /* through whom they would link again at once */
    room_run(room, 60 * S);
    memset(alice->ends, 0, sizeof alice->ends);
    memset(bob->ends, 0, sizeof bob->ends);
    room->filter = no_handshakes;
    route_part(alice->mesh, peer_neighbour(alice, bob));
    room_run(room, S);
    g_assert_cmpuint(alice->ends[MESH_END_LET_GO], ==, 1);
    g_assert_cmpuint(bob->ends[MESH_END_SPARED], ==, 1);
    g_assert_cmpuint(bob->ends[MESH_END_LEFT], ==, 0);
    room_free(room);
}

static void test_restarted(void) {
    Room *room = room_met();

    peer_stop(&room->peers[2]);
    room_start(room, 2);
    room_run(room, 10 * S);
    expect_only(&room->peers[0], MESH_END_RENEWED);
    g_assert_true(peer_is_linked(&room->peers[0], &room->peers[2]));
    room_free(room);
}

static void test_expelled(void) {
    Room *room = room_met();
    Peer *alice = &room->peers[0];
    MeshIntent expel = {.kind = MESH_INTENT_EXPEL, .key = room->peers[2].key};

    g_assert_cmpint(peer_ask(alice, expel)->error, ==, MESH_OK);
    room_run(room, 30 * S);
    expect_only(alice, MESH_END_EXPELLED);
    room_free(room);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mesh/end/left", test_left);
    g_test_add_func("/mesh/end/silent", test_silent);
    g_test_add_func("/mesh/end/detour", test_detour);
    g_test_add_func("/mesh/end/spared", test_spared);
    g_test_add_func("/mesh/end/restarted", test_restarted);
    g_test_add_func("/mesh/end/expelled", test_expelled);
    return g_test_run();
}
