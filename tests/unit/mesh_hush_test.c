/* SPDX-License-Identifier: MPL-2.0 */
/* Silence of several at once, of all, and what neighbours tell of others against it. */
#include <string.h>

#include "mesh/overlay/message.h"
#include "tests/unit/mesh_core_room.h"

static guint cut_off; /* peers whose datagrams are lost, a bit each */

static bool some_cut_off(Room *room, guint from, guint to, uint8_t *bytes, size_t length) {
    return !(cut_off >> from & 1) && !(cut_off >> to & 1);
}

/* Four who have had nothing to say for a while. */
static Room *quiet_room(void) {
    Room *room = room_new();

    room_meet(room, 4);
    room_run(room, 60 * S);
    room->no_beacon = true;
    cut_off = 0;
    room->filter = some_cut_off;
    return room;
}

static Linked linked(Room *room, guint peer, guint other) {
    return peer_neighbour(&room->peers[peer], &room->peers[other])->linked;
}

/* Waits until it was not heard for a moment: who was is not suspected. */
static void silent(Room *room, guint peer, guint other) {
    const Neighbour *neighbour = peer_neighbour(&room->peers[peer], &room->peers[other]);

    while (room->now_us < neighbour->heard_us + 2 * S) {
        room_run(room, 100 * MS);
    }
    peer_step(&room->peers[peer], &(MeshEvent){.kind = MESH_EVENT_TIMEOUT});
}

/* One that is suspected answers, and nothing comes of it; one that is dead is doubted as soon as
 * if voice had flowed, and goes on if it lives after all. */
static void test_suspect(void) {
    Room *room = quiet_room();
    Peer *peer = &room->peers[0];
    uint64_t number;

    silent(room, 0, 1);
    number = edges_number(map_record(peer->mesh, &peer->key));
    pulse_suspect(peer->mesh, peer_neighbour(peer, &room->peers[1]));
    g_assert_true(peer_neighbour(peer, &room->peers[1])->suspected);
    room_run(room, 4 * S);
    g_assert_cmpint(linked(room, 0, 1), ==, LINKED_UP);
    g_assert_false(peer_neighbour(peer, &room->peers[1])->suspected);
    g_assert_cmpuint(edges_number(map_record(peer->mesh, &peer->key)), ==, number);
    /* Who was just heard is not. */
    silent(room, 0, 2);
    pulse_suspect(peer->mesh, peer_neighbour(peer, &room->peers[2]));
    room_run(room, 100 * MS);
    pulse_suspect(peer->mesh, peer_neighbour(peer, &room->peers[2]));
    g_assert_false(peer_neighbour(peer, &room->peers[2])->suspected);
    silent(room, 0, 1);
    cut_off = 1 << 1;
    pulse_suspect(peer->mesh, peer_neighbour(peer, &room->peers[1]));
    room_run(room, 1500 * MS);
    g_assert_cmpint(linked(room, 0, 1), ==, LINKED_UP);
    room_run(room, S);
    g_assert_cmpint(linked(room, 0, 1), ==, LINKED_DOUBTED);
    cut_off = 0;
    room_run(room, 2 * S);
    g_assert_cmpint(linked(room, 0, 1), ==, LINKED_UP);
    room_free(room);
}

/* Two fall silent at once while a third is heard: they are doubted before one alone would be. */
static void test_several(void) {
    Room *room = quiet_room();
    Peer *peer = &room->peers[0];

    cut_off = 1 << 1 | 1 << 2;
    peer_say(peer, "qui m'entend ?");
    room_run(room, 5500 * MS);
    g_assert_cmpint(linked(room, 0, 1), !=, LINKED_UP);
    g_assert_cmpint(linked(room, 0, 2), !=, LINKED_UP);
    g_assert_cmpint(linked(room, 0, 3), ==, LINKED_UP);
    room_free(room);
    room = quiet_room();
    peer = &room->peers[0];
    cut_off = 1 << 1;
    peer_say(peer, "qui m'entend ?");
    room_run(room, 5500 * MS);
    g_assert_cmpint(linked(room, 0, 1), ==, LINKED_UP);
    room_run(room, 5 * S);
    g_assert_false(neighbour_is_direct(peer_neighbour(peer, &room->peers[1])));
    room_free(room);
}

/* What others found counts here. */
static void test_others(void) {
    Room *room = quiet_room();

    cut_off = 1 << 3;
    /* One alone has something to say to it. */
    neighbour_send(room->peers[1].mesh, peer_neighbour(&room->peers[1], &room->peers[3]), LINK_CHAT,
                   UINT64_MAX, MESSAGE_DIGEST, BYTES_AT((const uint8_t[16]){1}, 16));
    peer_step(&room->peers[1], &(MeshEvent){.kind = MESH_EVENT_TIMEOUT});
    room_run(room, 12 * S);
    for (guint i = 0; i < 3; i++) {
        g_assert_false(neighbour_is_direct(peer_neighbour(&room->peers[i], &room->peers[3])));
    }
    room_free(room);
}

/* Among many who hears nobody asks, and then looks for others; whoever is heard ends that. */
static void test_nobody(void) {
    Room *room = quiet_room();
    Peer *peer = &room->peers[0];

    cut_off = 1;
    for (guint i = 0; i < 60 && !hush_is_deep(peer->mesh); i++) {
        peer->mesh->company.large = true; /* as if there were more than four */
        peer_step(peer, &(MeshEvent){.kind = MESH_EVENT_TIMEOUT});
        room_run(room, 100 * MS);
    }
    g_assert_true(hush_is_deep(peer->mesh));
    for (guint i = 1; i < 4; i++) {
        g_assert_true(peer_neighbour(peer, &room->peers[i])->suspected);
    }
    g_assert_cmpuint(peer->mesh->company.absent, ==, 0); /* they are linked with, for now */
    cut_off = 0;
    room_run(room, 2 * S);
    g_assert_false(hush_is_deep(peer->mesh));
    for (guint i = 1; i < 4; i++) {
        g_assert_cmpint(linked(room, 0, i), ==, LINKED_UP);
    }
    room_free(room);
}

/* ---- who is two links away ---- */

static MeshError tell(Peer *peer, const MeshKey *key, const MeshPath *path, uint8_t count) {
    uint8_t body[64];
    BytesWriter writer = bytes_writer(body, sizeof body);

    bytes_write_u8(&writer, count);
    bytes_write(&writer, key->bytes, SHORT_KEY_SIZE);
    mesh_path_write(&writer, path);
    return nearby_received(peer->mesh, BYTES_AT(body, bytes_written(&writer)));
}

static size_t addresses_of(Peer *peer, const MeshKey *key, MeshPath *ret_first) {
    Neighbour neighbour = {.key = *key};

    reach_recall(peer->mesh, &neighbour);
    *ret_first = neighbour.addresses[0];
    return neighbour.address_count;
}

static void test_hearsay(void) {
    Room *room = quiet_room();
    Peer *peer = &room->peers[0];
    MeshPath told = {.kind = MESH_PATH_KNOCK, .family = 4, .port = 7, .ip = {203, 0, 113, 1}};
    MeshPath first;
    MeshKey nobody = {{0x77}};

    /* Of who said itself where it is nothing else counts; nor of oneself, or of nobody. */
    g_assert_cmpint(tell(peer, &room->peers[1].key, &told, 1), ==, MESH_OK);
    g_assert_cmpuint(addresses_of(peer, &room->peers[1].key, &first), >, 0);
    g_assert_true(mesh_path_equal(&first, &room->peers[1].address));
    g_assert_cmpint(tell(peer, &peer->key, &told, 1), ==, MESH_OK);
    g_assert_false(reach_recalls(peer->mesh, &peer->key));
    g_assert_cmpint(tell(peer, &nobody, &told, 1), ==, MESH_OK);
    g_assert_false(reach_recalls(peer->mesh, &nobody));
    /* Of who never did the last word does, until it does itself. */
    for (size_t i = 0; i < peer->mesh->reach.kept_count; i++) {
        peer->mesh->reach.kept[i].count = 0;
    }
    for (uint16_t port = 7; port < 10; port++) {
        told.port = port;
        g_assert_cmpint(tell(peer, &room->peers[1].key, &told, 1), ==, MESH_OK);
        g_assert_cmpuint(addresses_of(peer, &room->peers[1].key, &first), ==, 1);
        g_assert_true(mesh_path_equal(&first, &told));
    }
    room_run(room, 20 * S);
    peer_neighbour(peer, &room->peers[1])->kept = (MeshPath){0};
    reach_keep_addresses(peer->mesh, peer_neighbour(peer, &room->peers[1]));
    addresses_of(peer, &room->peers[1].key, &first);
    g_assert_true(mesh_path_equal(&first, &room->peers[1].address));
    /* What is none. */
    g_assert_cmpint(tell(peer, &room->peers[1].key, &told, 2), ==, MESH_ERROR_MALFORMED);
    g_assert_cmpint(tell(peer, &room->peers[1].key, &told, 0), ==, MESH_ERROR_MALFORMED);
    g_assert_cmpint(tell(peer, &room->peers[1].key, &told, MESH_NEARBY_MAX + 1), ==,
                    MESH_ERROR_MALFORMED);
    g_assert_cmpint(nearby_received(peer->mesh, BYTES_NONE), ==, MESH_ERROR_MALFORMED);
    told.ip[0] = 224; /* a group is nobody's address */
    g_assert_cmpint(tell(peer, &room->peers[2].key, &told, 1), ==, MESH_OK);
    g_assert_cmpuint(addresses_of(peer, &room->peers[2].key, &first), ==, 0);
    room_free(room);
}

/* Among many each new neighbour is told of some others, and of itself not. */
static void test_told(void) {
    Room *room = quiet_room();
    Peer *peer = &room->peers[0], *bob = &room->peers[1];
    MeshPath first;

    for (size_t i = 0; i < bob->mesh->reach.kept_count; i++) {
        bob->mesh->reach.kept[i].count = 0;
    }
    nearby_greet(peer->mesh, neighbour_slot(peer->mesh, peer_neighbour(peer, bob)));
    peer_step(peer, &(MeshEvent){.kind = MESH_EVENT_TIMEOUT});
    room_run(room, S);
    g_assert_false(reach_recalls(bob->mesh, &room->peers[2].key)); /* four are few */
    peer->mesh->company.large = true;
    nearby_greet(peer->mesh, neighbour_slot(peer->mesh, peer_neighbour(peer, bob)));
    peer_step(peer, &(MeshEvent){.kind = MESH_EVENT_TIMEOUT});
    room_run(room, S);
    for (guint i = 2; i < 4; i++) {
        g_assert_cmpuint(addresses_of(bob, &room->peers[i].key, &first), ==, 1);
        g_assert_true(mesh_path_equal(&first, &room->peers[i].address));
    }
    g_assert_false(reach_recalls(bob->mesh, &peer->key));
    g_assert_cmpuint(mesh_counters(bob->mesh).malformed, ==, 0);
    room_free(room);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mesh/hush/suspect", test_suspect);
    g_test_add_func("/mesh/hush/several", test_several);
    g_test_add_func("/mesh/hush/others", test_others);
    g_test_add_func("/mesh/hush/nobody", test_nobody);
    g_test_add_func("/mesh/hush/hearsay", test_hearsay);
    g_test_add_func("/mesh/hush/told", test_told);
    return g_test_run();
}
