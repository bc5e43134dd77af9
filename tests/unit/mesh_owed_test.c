/* SPDX-License-Identifier: MPL-2.0 */
/* What is still on its way to whom: counted while a neighbour is silent, and no more once it has
 * confirmed. */
#include <string.h>

#include "mesh/overlay/message.h"
#include "tests/unit/mesh_core_room.h"

static guint deaf; /* whom nothing reaches */

static bool not_to_the_deaf(Room *room, guint from, guint to, uint8_t *bytes, size_t length) {
    return from != deaf && to != deaf;
}

static uint64_t unconfirmed(const Peer *peer, const Peer *by) {
    MeshMember member;

    for (size_t i = 0; mesh_member(peer->mesh, i, &member); i++) {
        if (!memcmp(member.key.bytes, by->key.bytes, MESH_KEY_SIZE)) {
            return member.unconfirmed;
        }
    }
    g_assert_not_reached();
}

static const Peer *confirms;

static bool is_confirmed(Peer *peer) {
    return unconfirmed(peer, confirms) == 0;
}

static void expect_confirmed(Room *room, Peer *peer, const Peer *by) {
    bool confirmed = false;

    confirms = by;
    /* What it got from another it confirms when digests are compared. */
    for (guint i = 0; i < 10 && !confirmed; i++) {
        confirmed = room_until(room, is_confirmed, peer);
    }
    g_assert_true(confirmed);
}

static void test_silence(void) {
    Room *room = room_new();
    Peer *chair = &room->peers[0], *anne = &room->peers[1], *luc = &room->peers[2];

    room_meet(room, 3);
    peer_say(chair, "bonjour");
    expect_confirmed(room, chair, anne);
    expect_confirmed(room, chair, luc);
    deaf = 2;
    room->filter = not_to_the_deaf;
    peer_say(chair, "un");
    peer_say(chair, "deux");
    expect_confirmed(room, chair, anne);
    g_assert_cmpuint(unconfirmed(chair, luc), ==, 2);
    room_run(room, 60 * S);
    peer_say(chair, "trois");
    g_assert_cmpuint(unconfirmed(chair, luc), ==, 3);
    room->filter = NULL;
    expect_confirmed(room, chair, luc);
    g_assert_true(peer_has_message(luc, "un") && peer_has_message(luc, "deux") &&
                  peer_has_message(luc, "trois"));
    room_free(room);
}

/* What is confirmed stays so while other things are told. */
static void test_other_things(void) {
    Room *room = room_new();
    Peer *chair = &room->peers[0], *anne = &room->peers[1];
    uint8_t digest[8] = {0};

    room_meet(room, 2);
    expect_confirmed(room, chair, anne);
    deaf = 1;
    room->filter = not_to_the_deaf;
    g_assert_true(neighbour_send(chair->mesh, peer_neighbour(chair, anne), LINK_CHAT, UINT64_MAX,
                                 MESSAGE_MAP_DIGEST, BYTES_AT(digest, sizeof digest)));
    g_assert_cmpuint(unconfirmed(chair, anne), ==, 0);
    room_run(room, 2 * S);
    g_assert_cmpuint(unconfirmed(chair, anne), ==, 0);
    peer_say(chair, "un");
    g_assert_cmpuint(unconfirmed(chair, anne), ==, 1);
    room->filter = NULL;
    expect_confirmed(room, chair, anne);
    room_free(room);
}

/* Never is more confirmed than is there. */
static void test_never_early(void) {
    Room *room = room_new();
    Peer *chair = &room->peers[0], *anne = &room->peers[1];

    room_meet(room, 2);
    expect_confirmed(room, chair, anne);
    for (guint i = 0; i < 200; i++) {
        g_autofree char *text = g_strdup_printf("message %u", i);

        deaf = i % 20 < 10 ? 1 : ROOM_PEERS_SIZE;
        room->filter = not_to_the_deaf;
        peer_begin(chair, (MeshIntent){.kind = MESH_INTENT_SAY, .text = text});
        for (guint step = 0; step < 20; step++) {
            uint64_t written = mesh_info(chair->mesh).written;

            g_assert_cmpuint(mesh_info(anne->mesh).entries + unconfirmed(chair, anne), >=,
                             mesh_info(chair->mesh).entries);
            g_assert_cmpuint(unconfirmed(chair, anne), <=, written);
            room_run(room, 20 * MS);
        }
    }
    room->filter = NULL;
    expect_confirmed(room, chair, anne);
    room_free(room);
}

static bool confirms_to(Peer *peer, const Peer *by) {
    MeshMember member;

    for (size_t i = 0; mesh_member(peer->mesh, i, &member); i++) {
        if (!memcmp(member.key.bytes, by->key.bytes, MESH_KEY_SIZE)) {
            return member.confirms;
        }
    }
    g_assert_not_reached();
}

/* Of whoever is not linked with it is not known what it has before it writes: what it cites it has.
 */
static void test_not_linked(void) {
    Room *room = room_new();
    Peer *chair = &room->peers[0], *anne = &room->peers[1], *luc = &room->peers[2];

    room_meet(room, 3);
    chair->mesh->psk[0] ^= 1; /* it links with nobody any more, and goes on with Anne */
    neighbour_drop(chair->mesh, peer_neighbour(chair, luc));
    neighbour_drop(luc->mesh, peer_neighbour(luc, chair));
    room_run(room, 5 * S);
    peer_say(chair, "un");
    room_expect_message(room, 1 << 2, "un");
    g_assert_false(peer_is_linked(chair, luc));
    g_assert_cmpuint(unconfirmed(chair, luc), >, 0);
    g_assert_false(confirms_to(chair, luc));
    g_assert_true(confirms_to(chair, anne));
    peer_say(luc, "bien reçu");
    room_expect_message(room, 1 << 0, "bien reçu");
    g_assert_cmpuint(unconfirmed(chair, luc), ==, 0);
    g_assert_true(confirms_to(chair, luc));
    peer_say(chair, "deux");
    g_assert_cmpuint(unconfirmed(chair, luc), ==, 1);
    g_assert_false(confirms_to(chair, luc));
    room_free(room);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mesh/owed/silence", test_silence);
    g_test_add_func("/mesh/owed/other-things", test_other_things);
    g_test_add_func("/mesh/owed/never_early", test_never_early);
    g_test_add_func("/mesh/owed/not-linked", test_not_linked);
    return g_test_run();
}
