/* SPDX-License-Identifier: MPL-2.0 */
/* The map of whole cores: it says what is true, and that spreads to all. */
#include <sodium.h>
#include <string.h>

#include "tests/unit/mesh_map_room.h"

/* ---- saying it ---- */

static void test_meet(void) {
    Room *room = room_new();
    MeshMapMember member;
    MeshMapEdge edge;

    room_meet(room, 3);
    expect_same(room, 3);
    g_assert_cmpuint(room->peers[0].mesh->map.count, ==, 3);
    for (guint i = 0; i < 3; i++) {
        uint64_t number = edges_number(record_of(&room->peers[0], &room->peers[i]));

        g_assert_cmpuint(number >> 16, >=, ROOM_BEGIN_S);
        g_assert_cmpuint(number >> 16, <=, ROOM_BEGIN_S + room->now_us / S);
        g_assert_cmpuint(degree(&room->peers[0], &room->peers[i]), ==, 2);
        g_assert_cmpuint(map_present_count(room->peers[i].mesh), ==, 2);
        g_assert_cmpuint(mesh_counters(room->peers[i].mesh).forged, ==, 0);
        g_assert_cmpuint(mesh_counters(room->peers[i].mesh).malformed, ==, 0);
        g_assert_cmpuint(room->peers[i].notices[MESH_NOTICE_MAP], >, 0);
    }
    member = member_of(&room->peers[0], &room->peers[2]);
    g_assert_true(member.present && member.declared && !member.weak && !member.relay);
    g_assert_cmpuint(member.hops, ==, 1);
    g_assert_true(mesh_key_equal(&member.next, &room->peers[2].key));
    g_assert_cmpuint(member.rtt_us, ==, 5000);
    g_assert_cmpuint(member.edges, ==, 2);
    for (size_t i = 0; i < 2; i++) {
        g_assert_true(mesh_map_edge(room->peers[0].mesh, &room->peers[2].key, i, &edge));
        g_assert_true(edge.agreed);
        g_assert_cmpuint(edge.rtt_us_below, ==, 5000);
        g_assert_cmpuint(edge.loss_ppm_below, ==, 10000);
    }
    g_assert_false(mesh_map_edge(room->peers[0].mesh, &room->peers[2].key, 2, &edge));
    member = member_of(&room->peers[0], &room->peers[0]);
    g_assert_true(member.present);
    g_assert_cmpuint(member.hops, ==, 0);
    g_assert_false(mesh_map_member(room->peers[0].mesh, 3, &member));
    room_free(room);
}

/* Nothing is said while nothing changes. */
static void test_silence(void) {
    Room *room = room_new();
    uint64_t numbers[3];

    room_meet(room, 3);
    for (guint i = 0; i < 3; i++) {
        numbers[i] = edges_number(record_of(&room->peers[0], &room->peers[i]));
        room->peers[i].notices[MESH_NOTICE_MAP] = 0;
    }
    for (guint minute = 0; minute < 30; minute++) {
        room_run(room, 60 * S);
        peer_say(&room->peers[minute % 3], "bonjour");
    }
    for (guint i = 0; i < 3; i++) {
        /* What its lines carry may have been found out meanwhile. */
        g_assert_cmpuint(edges_number(record_of(&room->peers[0], &room->peers[i])), <=,
                         numbers[i] + 1);
        g_assert_cmpuint(room->peers[i].notices[MESH_NOTICE_MAP], <=, 3);
    }
    expect_same(room, 3);
    room_free(room);
}

/* In a row everyone is reached by the one between. */
static void test_row(void) {
    Room *room = room_new();
    MeshMapMember member;
    const GraphTree *tree;
    MeshMember peer;

    room_meet(room, 4);
    room->filter = in_a_row;
    room_run(room, 60 * S);
    expect_same(room, 4);
    g_assert_cmpuint(degree(&room->peers[3], &room->peers[0]), ==, 1);
    g_assert_cmpuint(degree(&room->peers[3], &room->peers[1]), ==, 2);
    member = member_of(&room->peers[0], &room->peers[3]);
    g_assert_true(member.present);
    g_assert_cmpuint(member.hops, ==, 3);
    g_assert_true(mesh_key_equal(&member.next, &room->peers[1].key));
    g_assert_true(map_first_hop(room->peers[0].mesh, &room->peers[3].key) ==
                  peer_neighbour(&room->peers[0], &room->peers[1]));
    g_assert_true(map_first_hop_short(room->peers[0].mesh, room->peers[3].key.bytes) ==
                  peer_neighbour(&room->peers[0], &room->peers[1]));
    tree = map_tree(room->peers[0].mesh, &room->peers[3].key);
    g_assert_cmpuint(tree->parent[map_index(room->peers[0].mesh, &room->peers[0].key)], ==,
                     map_index(room->peers[0].mesh, &room->peers[1].key));
    peer = peer_of(&room->peers[0], &room->peers[3]);
    g_assert_cmpint(peer.state, ==, MESH_LINK_UP);
    g_assert_cmpint(peer.path.kind, ==, MESH_PATH_RELAY);
    g_assert_true(peer.linked); /* by way of the others */
    g_assert_cmpuint(peer.hops, ==, 3);
    g_assert_true(mesh_key_equal(&peer.via, &room->peers[1].key));
    g_assert_cmpuint(map_rtt_us(room->peers[0].mesh, &room->peers[3].key), ==, 15000);
    peer = peer_of(&room->peers[0], &room->peers[1]);
    g_assert_true(peer.linked);
    g_assert_cmpuint(peer.hops, ==, 1);
    room_free(room);
}

static bool is_gone(Peer *peer) {
    return !map_reaches(peer->mesh, &peer->room->peers[3].key);
}

/* Who dies is soon nobody's neighbour, though its own record stays. */
static void test_death(void) {
    Room *room = room_new();

    room_meet(room, 4);
    room->filter = in_a_row;
    room_run(room, 60 * S);
    for (guint i = 0; i < 3; i++) {
        room->peers[i].notices[MESH_NOTICE_PEER] = 0;
    }
    peer_stop(&room->peers[3]);
    g_assert_true(room_until(room, is_gone, &room->peers[2]));
    room_run(room, 2 * S);
    g_assert_true(is_gone(&room->peers[0]));
    /* That there is no way any more, and that its link is gone. */
    g_assert_cmpuint(room->peers[0].notices[MESH_NOTICE_PEER], ==, 2);
    g_assert_nonnull(record_of(&room->peers[0], &room->peers[3]));
    g_assert_false(member_of(&room->peers[0], &room->peers[3]).present);
    g_assert_cmpint(peer_of(&room->peers[0], &room->peers[3]).state, !=, MESH_LINK_UP);
    g_assert_cmpuint(map_present_count(room->peers[0].mesh), ==, 2);
    room_start(room, 3);
    room_run(room, 20 * S);
    expect_same(room, 4);
    g_assert_cmpuint(member_of(&room->peers[0], &room->peers[3]).hops, ==, 3);
    room_free(room);
}

/* Two halves go on apart; when they meet, each learns what it missed. */
static void test_split(void) {
    Room *room = room_new();

    room_meet(room, 4);
    room->filter = in_pairs;
    room_run(room, 60 * S);
    for (guint i = 0; i < 4; i++) {
        g_assert_cmpuint(map_present_count(room->peers[i].mesh), ==, 1);
        g_assert_cmpuint(degree(&room->peers[i], &room->peers[i]), ==, 1);
    }
    g_assert_cmpuint(room->peers[0].mesh->map.digest, !=, room->peers[2].mesh->map.digest);
    room->filter = NULL;
    room_run(room, 60 * S);
    expect_same(room, 4);
    for (guint i = 0; i < 4; i++) {
        g_assert_cmpuint(degree(&room->peers[0], &room->peers[i]), ==, 3);
    }
    room_free(room);
}

/* An edge is lost when it counted: once the other end does not declare it, it cannot be any more.
 */
static void test_loses(void) {
    Room *room = room_new();
    const Mesh *mesh;
    const Peer *author;
    uint8_t alone[EDGES_SIZE(0)];

    room_meet(room, 3);
    mesh = room->peers[0].mesh;
    author = &room->peers[2];
    edges_write(&author->mesh->self, &mesh->meeting.id, 1, 0, NULL, 0, alone);
    g_assert_true(map_loses(mesh, alone, record_of(&room->peers[0], author)));
    g_assert_false(map_loses(mesh, record_of(&room->peers[0], author), alone));
    /* Both others say that they are not linked with it. */
    room->filter = in_a_row;
    room_run(room, 60 * S);
    g_assert_true(map_loses(mesh, alone, record_of(&room->peers[0], author)));
    g_assert_false(map_loses_edge(mesh, alone, room->peers[0].key.bytes));
    g_assert_true(map_loses_edge(mesh, alone, room->peers[1].key.bytes));
    room_free(room);
}

/* What several say they have is asked of one of them; of another if that one does not send it. */
static void test_asked(void) {
    Room *room = room_new();
    Peer *peer = &room->peers[0];
    uint8_t line[MAP_LINE_SIZE];
    BytesWriter writer = bytes_writer(line, sizeof line);
    Map *map;

    room_meet(room, 4);
    map = &peer->mesh->map;
    map_write_line(&writer, room->peers[3].key.bytes,
                   edges_number(record_of(peer, &room->peers[3])) + 1);
    for (guint i = 1; i < 3; i++) {
        map->peers[slot_of(peer, &room->peers[i])].lazy = true;
        gap_have_received(peer->mesh, slot_of(peer, &room->peers[i]), BYTES_OF(line));
    }
    g_assert_false(map->peers[slot_of(peer, &room->peers[1])].lazy); /* it is asked */
    g_assert_true(map->peers[slot_of(peer, &room->peers[2])].lazy);
    room_run(room, 2 * S);
    g_assert_false(map->peers[slot_of(peer, &room->peers[2])].lazy);
    room_free(room);
}

static void test_expelled(void) {
    Room *room = room_new();

    room_meet(room, 3);
    g_assert_cmpint(peer_ask(&room->peers[0],
                             (MeshIntent){.kind = MESH_INTENT_EXPEL, .key = room->peers[2].key})
                        ->error,
                    ==, MESH_OK);
    room_run(room, 5 * S);
    for (guint i = 0; i < 2; i++) {
        g_assert_null(record_of(&room->peers[i], &room->peers[2]));
        g_assert_cmpuint(degree(&room->peers[i], &room->peers[i]), ==, 1);
    }
    g_assert_null(record_of(&room->peers[2], &room->peers[2]));
    expect_same(room, 2);
    room_free(room);
}

/* A ceiling of little makes one weak, for all to know. */
static void test_weak(void) {
    Room *room = room_new();

    room_meet(room, 3);
    g_assert_false(map_is_weak(room->peers[1].mesh, &room->peers[0].key));
    peer_ask(&room->peers[0], (MeshIntent){.kind = MESH_INTENT_CEILING, .size = 128000});
    room_run(room, 2 * S);
    g_assert_true(map_is_weak(room->peers[1].mesh, &room->peers[0].key));
    g_assert_true(member_of(&room->peers[1], &room->peers[0]).weak);
    peer_ask(&room->peers[0], (MeshIntent){.kind = MESH_INTENT_CEILING, .size = 0});
    room_run(room, 2 * S);
    g_assert_false(map_is_weak(room->peers[1].mesh, &room->peers[0].key));
    room_free(room);
}

/* ---- how it spreads ---- */

/* One says something else of itself than before, and so long after all know. */
static void change(Room *room, guint which, guint turn, uint64_t pause_us) {
    peer_ask(&room->peers[which],
             (MeshIntent){.kind = MESH_INTENT_CEILING, .size = turn % 2 ? 0 : 128000});
    room_run(room, pause_us);
}

static guint64 repeated(Room *room, guint count) {
    guint64 sum = 0;

    for (guint i = 0; i < count; i++) {
        sum += mesh_counters(room->peers[i].mesh).duplicates;
    }
    return sum;
}

/* Of four who are linked with each other, whoever says something: after a while each is sent it
 * once. */
static void test_once(void) {
    Room *room = room_new();
    guint64 before;

    room_meet(room, 4);
    for (guint turn = 0; turn < 24; turn++) {
        change(room, turn % 4, turn / 4, 10 * S);
    }
    before = repeated(room, 4);
    for (guint turn = 0; turn < 24; turn++) {
        change(room, turn % 4, turn / 4, 10 * S);
        expect_same(room, 4);
    }
    /* Else each of the twelve would come four times in vain. */
    g_assert_cmpuint(repeated(room, 4) - before, <=, 4);
    room_free(room);
}

static guint told_by_line(const Peer *peer) {
    guint count = 0;

    for (guint slot = 0; slot < MESH_PEERS_MAX; slot++) {
        count += peer->mesh->map.peers[slot].lazy;
    }
    return count;
}

/* A link of the tree is lost, and what is said right then comes to all the same. */
static void test_cut(void) {
    Room *room = room_new();

    room_meet(room, 4);
    for (guint turn = 0; turn < 16; turn++) {
        change(room, turn % 4, turn / 4, 10 * S);
    }
    g_assert_cmpuint(told_by_line(&room->peers[0]) + told_by_line(&room->peers[1]) +
                         told_by_line(&room->peers[2]) + told_by_line(&room->peers[3]),
                     >, 0);
    for (guint i = 1; i < 4; i++) {
        route_lost(room->peers[0].mesh, peer_neighbour(&room->peers[0], &room->peers[i]),
                   MESH_END_SILENT);
        change(room, i, i + 1, 100 * MS);
        change(room, 0, i, 10 * S);
        expect_same(room, 4);
    }
    room_free(room);
}

/* Where all are told lines alone, what they lack is asked for. */
static void test_lines(void) {
    Room *room = room_new();

    room_meet(room, 4);
    for (guint i = 0; i < 4; i++) {
        for (guint slot = 0; slot < MESH_PEERS_MAX; slot++) {
            room->peers[i].mesh->map.peers[slot].lazy = true;
            room->peers[i].mesh->map.peers[slot].soon_us = 0;
        }
    }
    change(room, 0, 0, S / 2);
    g_assert_cmpuint(room->peers[0].mesh->map.digest, !=, room->peers[3].mesh->map.digest);
    room_run(room, 10 * S);
    expect_same(room, 4);
    g_assert_true(map_is_weak(room->peers[3].mesh, &room->peers[0].key));
    room_free(room);
}

/* ---- hysteresis ---- */

static uint8_t class_between(const Peer *peer, const Peer *other) {
    return edges_find(record_of(peer, peer), other->key.bytes)->classes;
}

/* Something to measure, for so long. */
static void talk(Room *room, guint seconds) {
    uint64_t until_us = room->now_us + seconds * S;

    for (guint i = 0; room->now_us < until_us; i++) {
        peer_say(&room->peers[i % 2], "encore");
        room_run(room, 100 * MS);
    }
}

static void test_hysteresis(void) {
    Room *room = room_new();
    Peer *peer = &room->peers[0];
    uint64_t number, before_us;

    room_meet(room, 2);
    talk(room, 60);
    g_assert_cmpuint(edge_rtt(class_between(peer, &room->peers[1])), ==, 0);
    number = own_number(peer);
    /* Just beyond the border: not plainly of another class. */
    room->latency_us = 2700;
    talk(room, 60);
    g_assert_cmpuint(own_number(peer), ==, number);
    /* Plainly, but not for long. */
    for (guint i = 0; i < 5; i++) {
        room->latency_us = 30 * MS;
        talk(room, 4);
        g_assert_cmpuint(peer->mesh->map.edges[slot_of(peer, &room->peers[1])].beyond_us, >, 0);
        room->latency_us = MS;
        talk(room, 20);
    }
    g_assert_cmpuint(own_number(peer), ==, number);
    /* For good: said once. */
    room->latency_us = 100 * MS;
    before_us = room->now_us;
    talk(room, 8);
    g_assert_cmpuint(own_number(peer), ==, number);
    talk(room, 50);
    g_assert_cmpuint(edge_rtt(class_between(peer, &room->peers[1])), ==, edge_rtt_of(200000));
    g_assert_cmpuint(own_number(peer), >, number);
    g_assert_cmpuint(own_number(peer), <=, number + 1 + (room->now_us - before_us) / (30 * S));
    expect_same(room, 2);
    room_free(room);
}

/* Links that come and go all the time are told of once a second at most. */
static void test_pace(void) {
    Room *room = room_new();
    Peer *peer = &room->peers[0];
    uint64_t number, before_us;

    room_meet(room, 3);
    room_run(room, 10 * S);
    number = own_number(peer);
    before_us = room->now_us;
    for (guint i = 0; i < 100; i++) {
        Neighbour *neighbour = peer_neighbour(peer, &room->peers[1]);

        /* As if it had become relayed, and direct again. */
        neighbour->greeting ^= GREETING_HEARD;
        map_links_changed(peer->mesh);
        room_run(room, 100 * MS);
    }
    g_assert_cmpuint(own_number(peer), >, number + 4);
    g_assert_cmpuint(own_number(peer), <=, number + 4 + (room->now_us - before_us) / S);
    room_free(room);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(sodium_init(), >=, 0);
    g_test_add_func("/mesh/map/meet", test_meet);
    g_test_add_func("/mesh/map/silence", test_silence);
    g_test_add_func("/mesh/map/row", test_row);
    g_test_add_func("/mesh/map/death", test_death);
    g_test_add_func("/mesh/map/split", test_split);
    g_test_add_func("/mesh/map/loses", test_loses);
    g_test_add_func("/mesh/map/asked", test_asked);
    g_test_add_func("/mesh/map/expelled", test_expelled);
    g_test_add_func("/mesh/map/weak", test_weak);
    g_test_add_func("/mesh/map/once", test_once);
    g_test_add_func("/mesh/map/cut", test_cut);
    g_test_add_func("/mesh/map/lines", test_lines);
    g_test_add_func("/mesh/map/hysteresis", test_hysteresis);
    g_test_add_func("/mesh/map/pace", test_pace);
    return g_test_run();
}
