/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/unit/mesh_relay_look.h"

#include <string.h>

RelayLooked relay_looked;

static void look_at(const Meeting *meeting, Bytes plain) {
    static const char *const words[] = {TITLE, SECRET, "Alice", "Bob", "Chloé", "David"};

    relay_looked.opened++;
    for (size_t i = 0; i < meeting->key_count; i++) {
        relay_looked.keys += bytes_hold(plain, BYTES_OF(meeting->keys[i].key));
    }
    for (size_t i = 0; i < meeting->roster.invite_count; i++) {
        relay_looked.tickets += bytes_hold(plain, BYTES_OF(meeting->roster.invites[i].psk));
    }
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        relay_looked.words += bytes_hold(plain, BYTES_AT(words[i], strlen(words[i])));
    }
}

static bool open_as(const Keys *keys, Bytes datagram, uint8_t *ret_plain, size_t *ret_length) {
    HandshakeKeys swapped;
    SessionKind kind;
    uint64_t counter;
    Session session;
    MeshError error;

    memcpy(swapped.send, keys->session.keys.receive, sizeof swapped.send);
    memcpy(swapped.receive, keys->session.keys.send, sizeof swapped.receive);
    session_init(&session, &swapped, keys->session.phase);
    error = session_open(&session, datagram, &kind, &counter, ret_plain, ret_length);
    return !error;
}

static bool look(Room *room, guint from, guint to, uint8_t *bytes, size_t length) {
    Neighbour *neighbour =
        to == relay_looked.to ? peer_neighbour(&room->peers[from], &room->peers[to]) : NULL;
    uint8_t plain[MESH_DATAGRAM_MAX];
    size_t plain_length;

    for (guint i = 0; neighbour && i < MESH_KEYS_MAX; i++) {
        const Keys *keys = neighbour->keyring.keys[i];

        if (keys && open_as(keys, BYTES_AT(bytes, length), plain, &plain_length)) {
            look_at(&room->peers[from].mesh->meeting, BYTES_AT(plain, plain_length));
        }
    }
    return true;
}

void relay_look_over(Room *room, guint to) {
    memset(&relay_looked, 0, sizeof relay_looked);
    relay_looked.to = to;
    room->filter = look;
}

Room *relay_room(void) {
    Room *room = room_new();
    g_autofree char *ticket = NULL;

    room_meet(room, 2);
    relay_look_over(room, RELAY);
    ticket = peer_invite_as(&room->peers[0], MESH_ROLE_RELAY, 1);
    g_assert_cmpint(room_join(room, RELAY, ticket, true), ==, MESH_OK);
    room_run(room, 5 * S);
    for (guint i = 0; i < 2; i++) {
        g_assert_true(peer_is_linked(&room->peers[i], &room->peers[RELAY]));
        g_assert_true(neighbour_is_greeted(room->peers[i].mesh,
                                           peer_neighbour(&room->peers[i], &room->peers[RELAY])));
    }
    return room;
}

void relay_expect_keyless(Room *room) {
    const Peer *relay = &room->peers[RELAY];
    const Meeting *meeting = &room->peers[0].mesh->meeting;

    g_assert_cmpuint(relay_looked.keys, ==, 0);
    g_assert_cmpuint(relay_looked.tickets, ==, 0);
    g_assert_cmpuint(relay_looked.words, ==, 0);
    g_assert_cmpuint(meeting->key_count, >, 0);
    for (size_t i = 0; i < meeting->key_count; i++) {
        g_assert_false(peer_keeps(relay, BYTES_OF(meeting->keys[i].key)));
    }
    for (size_t i = 0; i < meeting->roster.invite_count; i++) {
        g_assert_false(peer_keeps(relay, BYTES_OF(meeting->roster.invites[i].psk)));
    }
    g_assert_false(peer_keeps(relay, BYTES_AT(SECRET, strlen(SECRET))));
    g_assert_false(peer_keeps(relay, BYTES_AT(TITLE, strlen(TITLE))));
    g_assert_cmpuint(relay->mesh->meeting.key_count, ==, 0);
    g_assert_cmpuint(mesh_message_count(relay->mesh), ==, 0);
    g_assert_cmpstr(mesh_info(relay->mesh).title, ==, "");
}
