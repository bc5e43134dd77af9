/* SPDX-License-Identifier: MPL-2.0 */
/* What the people of a room do, and what is expected of them. */
#include "tests/unit/mesh_core_room.h"

#include <string.h>

char *peer_invite(Peer *peer, uint32_t uses) {
    return peer_invite_as(peer, MESH_ROLE_MEMBER, uses);
}

char *peer_invite_as(Peer *peer, MeshRole role, uint32_t uses) {
    const RoomDone *done = peer_ask(peer, (MeshIntent){.kind = MESH_INTENT_INVITE,
                                                       .role = role,
                                                       .uses = uses,
                                                       .expires_at = ROOM_BEGIN_S + 86400});

    g_assert_cmpint(done->error, ==, MESH_OK);
    return g_strdup(done->text);
}

MeshError room_join(Room *room, guint number, const char *ticket, bool relay) {
    return peer_ask(room_start(room, number),
                    (MeshIntent){.kind = MESH_INTENT_JOIN,
                                 .text = ticket,
                                 .role = relay ? MESH_ROLE_RELAY : MESH_ROLE_MEMBER})
        ->error;
}

bool bytes_hold(Bytes bytes, Bytes wanted) {
    for (size_t i = 0; i + wanted.length <= bytes.length; i++) {
        if (!memcmp(bytes.data + i, wanted.data, wanted.length)) {
            return true;
        }
    }
    return false;
}

void room_meet(Room *room, guint count) {
    Peer *founder = room_start(room, 0);
    g_autofree char *ticket = NULL;

    g_assert_cmpint(
        peer_ask(founder, (MeshIntent){.kind = MESH_INTENT_CREATE, .text = "Cellule"})->error, ==,
        MESH_OK);
    ticket = peer_invite(founder, count);
    for (guint i = 1; i < count; i++) {
        g_assert_cmpint(
            peer_ask(room_start(room, i), (MeshIntent){.kind = MESH_INTENT_JOIN, .text = ticket})
                ->error,
            ==, MESH_OK);
    }
    room_run(room, 5 * S);
    for (guint i = 0; i < count; i++) {
        for (guint other = 0; other < count; other++) {
            g_assert_true(i == other || peer_is_linked(&room->peers[i], &room->peers[other]));
        }
    }
}

void peer_say(Peer *peer, const char *text) {
    g_assert_cmpint(peer_ask(peer, (MeshIntent){.kind = MESH_INTENT_SAY, .text = text})->error, ==,
                    MESH_OK);
}

bool peer_has_message(Peer *peer, const char *text) {
    MeshMessage message;

    for (size_t i = 0; peer->mesh && mesh_message(peer->mesh, i, &message); i++) {
        if (!strcmp(message.text, text)) {
            return true;
        }
    }
    return false;
}

Neighbour *peer_neighbour(Peer *peer, const Peer *other) {
    return peer->mesh ? neighbour_find(peer->mesh, &other->key) : NULL;
}

bool peer_is_linked(Peer *peer, const Peer *other) {
    const Neighbour *neighbour = peer_neighbour(peer, other);

    return neighbour && neighbour_is_up(neighbour);
}
