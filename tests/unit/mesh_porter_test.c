/* SPDX-License-Identifier: MPL-2.0 */
/* Joining by way of a relay alone, and what a stranger can make it do. */
#include <string.h>

#include "tests/unit/mesh_core_room.h"

#define RELAY 2
#define DAVID 3

/* David reaches the relay and nobody else, and is reached by it alone. */
static bool only_the_relay(Room *room, guint from, guint to, uint8_t *bytes, size_t length) {
    return (from != DAVID || to == RELAY) && (to != DAVID || from == RELAY);
}

/* Alice founds, Bob is a member, and there is a relay. */
static Room *room_with_relay(void) {
    Room *room = room_new();
    g_autofree char *ticket = NULL;

    room_meet(room, 2);
    ticket = peer_invite_as(&room->peers[0], MESH_ROLE_RELAY, 1);
    g_assert_cmpint(room_join(room, RELAY, ticket, true), ==, MESH_OK);
    room_run(room, 5 * S);
    room->filter = only_the_relay;
    return room;
}

static bool are_linked(Peer *peer) {
    Room *room = peer->room;

    return peer_is_linked(peer, &room->peers[RELAY]) &&
           neighbour_is_direct(peer_neighbour(peer, &room->peers[RELAY])) &&
           peer_is_linked(peer, &room->peers[1]);
}

static void expect_in(Room *room) {
    Peer *david = &room->peers[DAVID], *bob = &room->peers[1];
    const Peer *relay = &room->peers[RELAY];

    g_assert_cmpint(mesh_info(david->mesh).status, ==, MESH_STATUS_MEMBER);
    peer_say(bob, "bienvenue");
    room_expect_message(room, 1 << DAVID, "bienvenue");
    g_assert_true(room_until(room, are_linked, david));
    g_assert_cmpint(peer_neighbour(david, bob)->path.kind, ==, MESH_PATH_RELAY);
    peer_say(david, "merci");
    room_expect_message(room, 1 << 1, "merci");
    g_assert_cmpuint(relay->mesh->meeting.key_count, ==, 0);
    g_assert_cmpuint(mesh_message_count(relay->mesh), ==, 0);
    /* Nobody needs the porter any more. */
    room_run(room, 90 * S);
    g_assert_true(are_linked(david));
    peer_say(david, "toujours là");
    room_expect_message(room, 1 << 1, "toujours là");
}

static void test_joins(void) {
    Room *room = room_with_relay();
    g_autofree char *ticket = peer_invite(&room->peers[0], 1);

    g_assert_cmpint(room_join(room, DAVID, ticket, false), ==, MESH_OK);
    expect_in(room);
    room_free(room);
}

/* Whoever made the ticket is away: another lets the joiner in. */
static void test_inviter_away(void) {
    Room *room = room_with_relay();
    g_autofree char *ticket = peer_invite(&room->peers[0], 1);

    room_run(room, 5 * S);
    peer_stop(&room->peers[0]);
    g_assert_cmpint(room_join(room, DAVID, ticket, false), ==, MESH_OK);
    expect_in(room);
    room_free(room);
}

/* What the meeting holds is more than a stranger may cost: once it is in the roster it gets it. */
static void test_history(void) {
    Room *room = room_with_relay();
    g_autofree char *ticket = peer_invite(&room->peers[0], 1);
    g_autofree char *text = g_strnfill(3000, 'x');

    for (guint i = 0; i < 60; i++) {
        peer_say(&room->peers[i % 2], text);
    }
    room_run(room, 10 * S);
    g_assert_cmpint(room_join(room, DAVID, ticket, false), ==, MESH_OK);
    expect_in(room);
    g_assert_cmpuint(mesh_message_count(room->peers[DAVID].mesh), ==,
                     mesh_message_count(room->peers[1].mesh));
    room_free(room);
}

static void test_used(void) {
    Room *room = room_with_relay();
    g_autofree char *ticket = peer_invite_as(&room->peers[0], MESH_ROLE_RELAY, 1);

    g_assert_cmpint(room_join(room, DAVID, ticket, false), ==, MESH_ERROR_TICKET_RELAY);
    room_free(room);
}

/* ---- strangers ---- */

static MeshPath host(guint number) {
    MeshPath path = {.kind = MESH_PATH_KNOCK, .family = 4, .port = 1000};

    path.ip[0] = 198;
    path.ip[1] = (uint8_t)(number >> 8);
    path.ip[2] = (uint8_t)number;
    return path;
}

/* What a stranger sends in the name of a key, to a member. */
static MeshError pass(Peer *relay, const Peer *to, MeshPath path, uint32_t from, uint8_t first,
                      size_t length) {
    uint8_t bytes[MESH_DATAGRAM_MAX] = {PORTER_PASS};

    if (to) {
        memcpy(bytes + 1, to->key.bytes, SHORT_KEY_SIZE);
    }
    memcpy(bytes + 1 + SHORT_KEY_SIZE, &from, sizeof from);
    bytes[PORTER_HEAD_SIZE] = first;
    relay->mesh->now_us = relay->room->now_us;
    return porter_received(relay->mesh, &path, BYTES_AT(bytes, PORTER_HEAD_SIZE + length));
}

static void test_quota(void) {
    Room *room = room_with_relay();
    Peer *relay = &room->peers[RELAY], *alice = &room->peers[0];
    guint passed = 0;

    /* From one address. */
    for (guint i = 1; i <= 100; i++) {
        passed += !pass(relay, alice, host(0), i, HANDSHAKE_INIT, 200);
    }
    g_assert_cmpuint(passed, ==, MESH_GUESTS_HOST_MAX);
    /* From many: those before keep their places for a moment, and so many knock in a second. */
    for (guint i = 1; i <= 100; i++) {
        passed += !pass(relay, alice, host(i), 1000 + i, HANDSHAKE_INIT, 200);
    }
    g_assert_cmpuint(passed, ==, MESH_GUESTS_MAX);
    room_run(room, 4 * S);
    passed = 0;
    for (guint i = 1; i <= 100; i++) {
        passed += !pass(relay, alice, host(i), 2000 + i, HANDSHAKE_INIT, 200);
    }
    g_assert_cmpuint(passed, ==, MESH_GUESTS_MAX);
    for (guint i = 1; i <= 100; i++) {
        passed += !pass(relay, alice, host(1), 2001, HANDSHAKE_INIT, 200);
    }
    g_assert_cmpuint(passed, ==, MESH_GUEST_KNOCKS_MAX);
    room_run(room, S);
    for (guint i = 1; i <= 100; i++) {
        passed += !pass(relay, alice, host(1), 2001, HANDSHAKE_INIT, 200);
    }
    g_assert_cmpuint(passed, ==, 2 * MESH_GUEST_KNOCKS_MAX);
    /* One alone, for long: what it may cost in all, then again after a minute. */
    passed = 0;
    for (guint i = 0; i < 1000; i++) {
        room_run(room, 100 * MS);
        passed += !pass(relay, alice, host(1), 2001, HANDSHAKE_INIT, 200);
    }
    g_assert_cmpuint(passed * 200, <=, 2 * MESH_GUEST_BYTES_MAX);
    g_assert_cmpuint(alice->mesh->neighbours.end, <=, 3); /* none of this cost it a slot */
    room_free(room);
}

static void test_refused(void) {
    Room *room = room_with_relay();
    Peer *relay = &room->peers[RELAY], *alice = &room->peers[0];
    uint32_t bob;

    memcpy(&bob, room->peers[1].key.bytes, sizeof bob);
    g_assert_cmpint(pass(relay, alice, host(1), 1, HANDSHAKE_INIT, 200), ==, MESH_OK);
    /* No knock, and no guest. */
    g_assert_cmpint(pass(relay, alice, host(2), 2, 0x80, 200), ==, MESH_ERROR_FULL);
    /* A guest, before it is answered and after. */
    g_assert_cmpint(pass(relay, alice, host(1), 1, 0x80, 200), ==, MESH_ERROR_FULL);
    g_assert_cmpint(pass(relay, alice, host(1), 1, HANDSHAKE_INIT, 1000), ==, MESH_ERROR_FULL);
    relay->mesh->porter.guests[0].answered = true;
    g_assert_cmpint(pass(relay, alice, host(1), 1, 0x80, 1000), ==, MESH_OK);
    /* Hails go to anyone, all else to somebody. */
    g_assert_cmpint(pass(relay, alice, host(3), 3, HAIL_HAIL, HAIL_SIZE), ==, MESH_ERROR_FORBIDDEN);
    g_assert_cmpint(pass(relay, NULL, host(3), 3, HANDSHAKE_INIT, 200), ==, MESH_ERROR_FORBIDDEN);
    g_assert_cmpint(pass(relay, NULL, host(3), 3, HAIL_HAIL, HAIL_SIZE), ==, MESH_OK);
    /* Nobody it is linked with; itself. */
    g_assert_cmpint(pass(relay, &room->peers[DAVID], host(4), 4, HANDSHAKE_INIT, 200), ==,
                    MESH_ERROR_UNKNOWN);
    g_assert_cmpint(pass(relay, relay, host(4), 4, HANDSHAKE_INIT, 200), ==, MESH_ERROR_UNKNOWN);
    /* One inside another; and who is no relay passes nothing on. */
    g_assert_cmpint(pass(relay, alice, host(5), 5, PORTER_PASS, 200), ==, MESH_ERROR_MALFORMED);
    g_assert_cmpint(pass(relay, alice, host(5), 5, 0, 0), ==, MESH_ERROR_MALFORMED);
    g_assert_cmpint(pass(alice, &room->peers[1], host(6), 6, HANDSHAKE_INIT, 200), ==,
                    MESH_ERROR_FOREIGN);
    room_free(room);
}

/* Another in the name of a member who is here, or of a guest who was answered. */
static void test_impostor(void) {
    Room *room = room_with_relay();
    Peer *relay = &room->peers[RELAY], *alice = &room->peers[0], *bob = &room->peers[1];
    uint8_t bytes[PORTER_HEAD_SIZE + 200] = {PORTER_PASS};
    MeshPath path = host(1);

    memcpy(bytes + 1, alice->key.bytes, SHORT_KEY_SIZE);
    memcpy(bytes + 1 + SHORT_KEY_SIZE, bob->key.bytes, SHORT_KEY_SIZE);
    bytes[PORTER_HEAD_SIZE] = HANDSHAKE_INIT;
    g_assert_cmpint(porter_received(relay->mesh, &path, BYTES_OF(bytes)), ==, MESH_ERROR_FORBIDDEN);
    g_assert_cmpint(pass(relay, alice, host(1), 7, HANDSHAKE_INIT, 200), ==, MESH_OK);
    g_assert_cmpint(pass(relay, alice, host(2), 7, HANDSHAKE_INIT, 200), ==, MESH_OK); /* moved */
    for (gsize i = 0; i < MESH_GUESTS_MAX; i++) {
        relay->mesh->porter.guests[i].answered = true;
    }
    g_assert_cmpint(pass(relay, alice, host(3), 7, HANDSHAKE_INIT, 200), ==, MESH_ERROR_FULL);
    g_assert_cmpint(pass(relay, alice, host(2), 7, HANDSHAKE_INIT, 200), ==, MESH_OK);
    room_free(room);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mesh/porter/joins", test_joins);
    g_test_add_func("/mesh/porter/inviter-away", test_inviter_away);
    g_test_add_func("/mesh/porter/history", test_history);
    g_test_add_func("/mesh/porter/used", test_used);
    g_test_add_func("/mesh/porter/quota", test_quota);
    g_test_add_func("/mesh/porter/refused", test_refused);
    g_test_add_func("/mesh/porter/impostor", test_impostor);
    return g_test_run();
}
