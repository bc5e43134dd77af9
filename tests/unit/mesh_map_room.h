/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the tests of the map ask of the nodes of a room.
 * It owns nothing. It never changes a node.
 */
#pragma once

#include <string.h>

#include "tests/unit/mesh_core_room.h"

#define CLOCK_NUMBER(room) ((ROOM_BEGIN_S + (room)->now_us / S) << 16)

/* ---- what is there ---- */

/* Only neighbours in a row hear each other: 0 – 1 – 2 – 3. */
static inline bool in_a_row(Room *room, guint from, guint to, uint8_t *bytes, size_t length) {
    return from + 1 == to || to + 1 == from;
}

/* 0 and 1 hear each other, and so do 2 and 3. */
static inline bool in_pairs(Room *room, guint from, guint to, uint8_t *bytes, size_t length) {
    return from / 2 == to / 2;
}

static inline const uint8_t *record_of(const Peer *peer, const Peer *author) {
    return map_record(peer->mesh, &author->key);
}

static inline guint degree(const Peer *peer, const Peer *author) {
    return (guint)map_degree(peer->mesh, &author->key);
}

/* All who run have the same records. */
static inline void expect_same(Room *room, guint count) {
    for (guint i = 1; i < count; i++) {
        g_assert_cmpuint(room->peers[i].mesh->map.count, ==, room->peers[0].mesh->map.count);
        g_assert_cmpuint(room->peers[i].mesh->map.digest, ==, room->peers[0].mesh->map.digest);
    }
}

static inline MeshMapMember member_of(const Peer *peer, const Peer *other) {
    MeshMapMember member;

    for (size_t i = 0; mesh_map_member(peer->mesh, i, &member); i++) {
        if (mesh_key_equal(&member.key, &other->key)) {
            return member;
        }
    }
    g_assert_not_reached();
}

static inline MeshMember peer_of(const Peer *peer, const Peer *other) {
    MeshMember member;

    for (size_t i = 0; mesh_member(peer->mesh, i, &member); i++) {
        if (mesh_key_equal(&member.key, &other->key)) {
            return member;
        }
    }
    g_assert_not_reached();
}

static inline uint32_t slot_of(Peer *peer, const Peer *other) {
    return neighbour_slot(peer->mesh, peer_neighbour(peer, other));
}

static inline uint64_t own_number(const Peer *peer) {
    return edges_number(record_of(peer, peer));
}
