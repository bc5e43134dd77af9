/* SPDX-License-Identifier: MPL-2.0 */
/* Whole cores against each other: links that come, go and are renewed, and what was recorded of
 * them. */
#include <sodium.h>
#include <string.h>

#include "mesh/overlay/message.h"
#include "tests/unit/mesh_core_room.h"

/* ---- links ---- */

static bool nothing_passes(Room *room, guint from, guint to, uint8_t *bytes, size_t length) {
    return false;
}

/* The first two, and nothing passes. */
static void lose_each_other(Room *room) {
    room->filter = nothing_passes;
    for (guint i = 0; i < 2; i++) {
        Peer *peer = &room->peers[i];

        route_lost(peer->mesh, peer_neighbour(peer, &room->peers[1 - i]), MESH_END_SILENT);
        peer_step(peer, &(MeshEvent){.kind = MESH_EVENT_TIMEOUT});
    }
}

static void test_meet(void) {
    Room *room = room_new();
    MeshMember member;

    room_meet(room, 3);
    peer_say(&room->peers[2], "bonjour");
    room_expect_message(room, 7, "bonjour");
    for (guint i = 0; i < 3; i++) {
        g_assert_cmpuint(mesh_info(room->peers[i].mesh).members, ==, 3);
        g_assert_cmpuint(mesh_counters(room->peers[i].mesh).forged, ==, 0);
        g_assert_cmpuint(mesh_counters(room->peers[i].mesh).malformed, ==, 0);
    }
    g_assert_true(mesh_member(room->peers[0].mesh, 2, &member));
    g_assert_cmpstr(member.name, ==, "Chloé");
    g_assert_false(mesh_member(room->peers[0].mesh, 3, &member));
    room_free(room);
}

static void expect_family(Room *room, uint8_t family) {
    for (guint i = 0; i < 2; i++) {
        const Neighbour *other = peer_neighbour(&room->peers[i], &room->peers[1 - i]);

        g_assert_true(neighbour_is_up(other));
        g_assert_cmpint(other->path.kind, ==, MESH_PATH_KNOCK);
        g_assert_cmpuint(other->path.family, ==, family);
    }
}

/* Who met by IPv6 goes over to IPv4 where that works too, and back when it does not any more. */
static void test_cheaper_path(void) {
    Room *room = room_new();

    room->two_families = true;
    room->lost_family = 4;
    room_meet(room, 2);
    expect_family(room, 6);
    room->lost_family = 0;
    for (guint i = 0; i < 2; i++) {
        peer_tell_addresses(&room->peers[i]);
    }
    room_run(room, 2 * S);
    expect_family(room, 4);
    peer_say(&room->peers[0], "plus court");
    room_expect_message(room, 3, "plus court");
    expect_family(room, 4);
    room->lost_family = 4;
    peer_say(&room->peers[0], "encore là ?");
    room_run(room, 40 * S);
    expect_family(room, 6);
    room_expect_message(room, 3, "encore là ?");
    room_free(room);
}

/* Both lost the other, and both knock at one moment, again and again. */
static void test_collision(void) {
    Room *room = room_new();

    room_meet(room, 2);
    for (guint i = 0; i < 8; i++) {
        lose_each_other(room);
        room_run(room, 30 * S);
        g_assert_false(peer_is_linked(&room->peers[0], &room->peers[1]));
        g_assert_false(peer_is_linked(&room->peers[1], &room->peers[0]));
        room->filter = NULL;
        for (guint p = 0; p < 2; p++) {
            contact_begin(room->peers[p].mesh, peer_neighbour(&room->peers[p], &room->peers[1 - p]),
                          true);
        }
        for (guint p = 0; p < 2; p++) {
            peer_step(&room->peers[p], &(MeshEvent){.kind = MESH_EVENT_TIMEOUT});
        }
        room_run(room, 3 * S);
        g_assert_true(peer_is_linked(&room->peers[0], &room->peers[1]));
        g_assert_true(peer_is_linked(&room->peers[1], &room->peers[0]));
    }
    peer_say(&room->peers[0], "encore");
    room_expect_message(room, 3, "encore");
    room_free(room);
}

static uint8_t phase_of(Room *room, guint of, guint to) {
    return peer_neighbour(&room->peers[of], &room->peers[to])->keyring.current->session.phase;
}

static guint sessions_of(const Neighbour *neighbour) {
    guint count = 0;

    for (guint i = 0; i < MESH_KEYS_MAX; i++) {
        count += neighbour->keyring.keys[i] != NULL;
    }
    return count;
}

static void test_rekey_by_time(void) {
    Room *room = room_new();
    Neighbour *neighbour;
    guint changes = 0;

    room_meet(room, 2);
    neighbour = peer_neighbour(&room->peers[0], &room->peers[1]);
    for (guint minute = 0; minute < 61; minute++) {
        g_autofree char *text = g_strdup_printf("minute %u", minute);
        uint8_t phase = phase_of(room, 0, 1);

        room_run(room, 60 * S);
        peer_say(&room->peers[minute % 2], text);
        room_expect_message(room, 3, text);
        changes += phase != phase_of(room, 0, 1);
        g_assert_cmpuint(phase_of(room, 0, 1), ==, phase_of(room, 1, 0));
    }
    g_assert_cmpuint(changes, >=, 5);
    g_assert_cmpuint(changes, <=, 7);
    /* The link is one and the same all the time; keys replaced are wiped. */
    g_assert_cmpuint(room->peers[0].notices[MESH_NOTICE_PEER], <=, 2);
    room_run(room, 120 * S);
    g_assert_cmpuint(sessions_of(neighbour), ==, 1);
    room_free(room);
}

static void test_rekey_by_packets(void) {
    Room *room = room_new();
    uint8_t phase;

    room_meet(room, 2);
    phase = phase_of(room, 0, 1);
    for (guint i = 0; i < 2; i++) {
        Neighbour *neighbour = peer_neighbour(&room->peers[i], &room->peers[1 - i]);

        neighbour->keyring.sealed = (1u << 20) + 1;
    }
    peer_say(&room->peers[0], "un million");
    room_run(room, S);
    g_assert_cmpuint(phase_of(room, 0, 1), !=, phase);
    g_assert_cmpuint(phase_of(room, 1, 0), ==, phase_of(room, 0, 1));
    room_expect_message(room, 3, "un million");
    room_free(room);
}

/* A node that died and is there again before the others noticed: the link begins anew. */
static void test_restart(void) {
    Room *room = room_new();

    room_meet(room, 3);
    for (guint i = 0; i < 4; i++) {
        g_autofree char *text = g_strdup_printf("vie %u", i);

        peer_stop(&room->peers[1]);
        room_run(room, i * S);
        room_start(room, 1);
        g_assert_cmpint(mesh_info(room->peers[1].mesh).status, ==, MESH_STATUS_MEMBER);
        peer_say(&room->peers[1], text);
        room_expect_message(room, 7, text);
    }
    room_free(room);
}

/* ---- what was recorded ---- */

enum { WAY_US = 300 * MS };

/* Datagrams of one kind that one sent. */
static struct {
    uint8_t first_byte, mask; /* of those that are kept */
    guint from;
    GPtrArray *kept; /* GBytes */
} recorder;

static bool records(Room *room, guint from, guint to, uint8_t *bytes, size_t length) {
    if (from == recorder.from && (bytes[0] & recorder.mask) == recorder.first_byte) {
        g_ptr_array_add(recorder.kept, g_bytes_new(bytes, length));
    }
    return true;
}

static void record(Room *room, guint from, uint8_t first_byte, uint8_t mask) {
    recorder.first_byte = first_byte;
    recorder.mask = mask;
    recorder.from = from;
    recorder.kept = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    room->filter = records;
}

static void repeat(Room *room, guint to, guint which, const MeshPath *path) {
    MeshEvent event = {.kind = MESH_EVENT_DATAGRAM, .datagram = {.path = *path}};

    event.datagram.bytes =
        g_bytes_get_data(recorder.kept->pdata[which % recorder.kept->len], &event.datagram.length);
    peer_step(&room->peers[to], &event);
}

/* Two who lost each other, and one who repeats at `at` old first messages of the other, every
 * 100 ms: all of them, or one alone. */
static void link_beside_repeats(Room *room, guint at, bool one) {
    MeshPath stranger = {.kind = MESH_PATH_KNOCK, .family = 4, .port = 9, .ip = {10, 9, 9, 9}};
    guint turn = 0;

    lose_each_other(room);
    for (guint i = 0; i < 300; i++) {
        room_run(room, 100 * MS);
        repeat(room, at, one ? 0 : turn++, &stranger);
    }
    g_assert_false(peer_is_linked(&room->peers[0], &room->peers[1]));
    room->filter = NULL;
    for (guint i = 0; i < 200 && !(peer_is_linked(&room->peers[0], &room->peers[1]) &&
                                   peer_is_linked(&room->peers[1], &room->peers[0]));
         i++) {
        repeat(room, at, one ? 0 : turn++, &stranger);
        room_run(room, 100 * MS);
    }
    g_assert_true(peer_is_linked(&room->peers[0], &room->peers[1]));
    g_assert_true(peer_is_linked(&room->peers[1], &room->peers[0]));
}

/* Whoever recorded first messages, keeps nobody apart by repeating them, be it to the node with the
 * higher key or with the lower; over a line on which an answer takes longer than the next repeat.
 */
static void test_repeated_init(void) {
    for (guint round = 0; round < 4; round++) {
        guint at = round % 2;
        Room *room = room_new();

        room_meet(room, 2);
        record(room, 1 - at, HANDSHAKE_INIT, 0xff);
        for (guint i = 0; i < 6; i++) {
            peer_stop(&room->peers[1 - at]);
            room_start(room, 1 - at);
            room_run(room, 5 * S);
        }
        g_assert_cmpuint(recorder.kept->len, >=, 6);
        room->latency_us = WAY_US;
        for (guint i = 0; i < 3; i++) {
            g_autofree char *text = g_strdup_printf("malgré les échos, %u", i);

            link_beside_repeats(room, at, round < 2);
            peer_say(&room->peers[at], text);
            room_expect_message(room, 3, text);
        }
        /* Nor do they end or move a link that is up. */
        for (guint i = 0; i < 100; i++) {
            MeshPath stranger = {.kind = MESH_PATH_KNOCK, .family = 4, .port = 9, .ip = {10, 9}};

            repeat(room, at, i, &stranger);
            room_run(room, 100 * MS);
            g_assert_true(peer_is_linked(&room->peers[at], &room->peers[1 - at]));
            g_assert_true(
                mesh_path_equal(&peer_neighbour(&room->peers[at], &room->peers[1 - at])->path,
                                &room->peers[1 - at].address));
        }
        g_ptr_array_unref(recorder.kept);
        room_free(room);
    }
}

static bool has_lost_bob(Peer *peer) {
    return !peer_is_linked(peer, &peer->room->peers[1]);
}

/* Who goes says so, and is known to be gone; nobody else can say it. */
static void test_goodbye(void) {
    Room *room = room_new();
    Peer *alice = &room->peers[0];
    Peer *bob = &room->peers[1];
    GBytes *bye;
    uint64_t went_us;

    room_meet(room, 2);
    record(room, 1, 0x80 | SESSION_BYE << 2, 0xfc);
    peer_say(bob, "je m'en vais");
    room_expect_message(room, 3, "je m'en vais");
    went_us = room->now_us;
    peer_step(bob, &(MeshEvent){.kind = MESH_EVENT_LEAVE});
    g_assert_null(peer_neighbour(bob, alice));
    peer_stop(bob);
    g_assert_true(room_until(room, has_lost_bob, alice));
    g_assert_cmpuint(room->now_us - went_us, <, S);
    g_assert_cmpuint(recorder.kept->len, >=, 1);
    /* It comes back; the same goodbye again, or one made up, ends nothing. */
    room->filter = NULL;
    room_start(room, 1);
    peer_say(bob, "me revoilà");
    room_expect_message(room, 3, "me revoilà");
    for (guint i = 0; i < recorder.kept->len; i++) {
        repeat(room, 0, i, &bob->address);
    }
    bye = recorder.kept->pdata[0];
    for (guint bit = 0; bit < g_bytes_get_size(bye) * 8; bit++) {
        gsize length;
        const void *bytes = g_bytes_get_data(bye, &length);
        g_autofree uint8_t *forged = g_memdup2(bytes, length);
        MeshEvent event = {.kind = MESH_EVENT_DATAGRAM, .datagram = {.path = bob->address}};

        forged[bit / 8] ^= (uint8_t)(1u << bit % 8);
        event.datagram.bytes = forged;
        event.datagram.length = length;
        peer_step(alice, &event);
    }
    room_run(room, 2 * S);
    g_assert_true(peer_is_linked(alice, bob));
    peer_say(alice, "bon retour");
    room_expect_message(room, 3, "bon retour");
    g_ptr_array_unref(recorder.kept);
    room_free(room);
}

/* ---- relaying ---- */

static bool apart(Room *room, guint from, guint to, uint8_t *bytes, size_t length) {
    return from == 1 || to == 1;
}

static void lie(Room *room, const Peer *to, uint8_t kind, Bytes body) {
    Peer *liar = &room->peers[1];

    neighbour_send(liar->mesh, peer_neighbour(liar, to), LINK_CONTROL, UINT64_MAX, kind, body);
    peer_step(liar, &(MeshEvent){.kind = MESH_EVENT_TIMEOUT});
}

/* The only way between two leads through a third, who lies about what it carries. */
static void test_lying_relay(void) {
    Room *room = room_new();
    Neighbour *neighbour;

    room_meet(room, 3);
    room->filter = apart;
    room_run(room, 20 * S);
    neighbour = peer_neighbour(&room->peers[0], &room->peers[2]);
    g_assert_true(neighbour_is_up(neighbour));
    g_assert_cmpint(neighbour->path.kind, ==, MESH_PATH_RELAY);
    for (guint i = 0; i < 200; i++) {
        uint8_t body[400];

        randombytes_buf_deterministic(body, sizeof body, (const uint8_t[32]){(uint8_t)i});
        memcpy(body, room->peers[i % 3].key.bytes, SHORT_KEY_SIZE);
        memcpy(body + SHORT_KEY_SIZE, room->peers[i / 3 % 3].key.bytes, SHORT_KEY_SIZE);
        body[16] = (uint8_t)(i % 14);
        body[17] = (uint8_t)(i % 7);
        body[18] = i % 2 ? MESSAGE_FORWARD : (uint8_t)(0x40 + i % 80);
        lie(room, &room->peers[0], MESSAGE_FORWARD, BYTES_AT(body, i % 5 ? 19 + i % 300 : i % 19));
        lie(room, &room->peers[2], i % 2 ? MESSAGE_MAP : MESSAGE_MAP_CLOCK, BYTES_AT(body, i * 2));
    }
    room_run(room, 20 * S);
    peer_say(&room->peers[0], "malgré tout");
    room_expect_message(room, 7, "malgré tout");
    g_assert_true(peer_is_linked(&room->peers[0], &room->peers[2]));
    room_free(room);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(sodium_init(), >=, 0);
    g_test_add_func("/mesh/core/meet", test_meet);
    g_test_add_func("/mesh/core/cheaper-path", test_cheaper_path);
    g_test_add_func("/mesh/core/collision", test_collision);
    g_test_add_func("/mesh/core/rekey-by-time", test_rekey_by_time);
    g_test_add_func("/mesh/core/rekey-by-packets", test_rekey_by_packets);
    g_test_add_func("/mesh/core/restart", test_restart);
    g_test_add_func("/mesh/core/repeated-init", test_repeated_init);
    g_test_add_func("/mesh/core/goodbye", test_goodbye);
    g_test_add_func("/mesh/core/lying-relay", test_lying_relay);
    return g_test_run();
}
