/* SPDX-License-Identifier: MPL-2.0 */
/* What is still on its way to whom: counted while a neighbour is silent, and no more once it has
 * confirmed. */
#include <string.h>

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

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mesh/owed/silence", test_silence);
    g_test_add_func("/mesh/owed/never_early", test_never_early);
    return g_test_run();
}
