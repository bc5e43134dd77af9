/* SPDX-License-Identifier: MPL-2.0 */
/* A line that is gone for a while: the link is kept, and goes on where it was. */
#include <string.h>

#include "mesh/overlay/hail.h"
#include "tests/unit/mesh_core_room.h"

#define GONE_S 40 /* for so long the lines in these tests are gone */

static guint cut_off; /* peers whose datagrams are lost, a bit each */
static guint knocks;  /* first messages and hails that were sent */

static bool counts(Room *room, guint from, guint to, uint8_t *bytes, size_t length) {
    (void)room;
    (void)length;
    knocks += bytes[0] == HANDSHAKE_INIT || bytes[0] == HAIL_HAIL;
    return !(cut_off >> from & 1) && !(cut_off >> to & 1);
}

static Room *room_of(guint count) {
    Room *room = room_new();

    room_meet(room, count);
    room_run(room, 60 * S);
    cut_off = knocks = 0;
    room->filter = counts;
    return room;
}

static Linked linked(Room *room, guint peer, guint other) {
    return peer_neighbour(&room->peers[peer], &room->peers[other])->linked;
}

static MeshLinkState shown(Room *room, guint peer, guint other) {
    MeshMember member;

    for (size_t i = 0; mesh_member(room->peers[peer].mesh, i, &member); i++) {
        if (mesh_key_equal(&member.key, &room->peers[other].key)) {
            return member.state;
        }
    }
    g_assert_not_reached();
}

/* It is known to be gone as soon as ever, nobody knocks, and what was said goes with the first word
 * that is heard again: the other has said nothing meanwhile. */
static void test_goes_on(void) {
    Room *room = room_of(2);
    const Neighbour *there = peer_neighbour(&room->peers[0], &room->peers[1]);
    const Neighbour *here = peer_neighbour(&room->peers[1], &room->peers[0]);
    uint64_t there_us = there->came_us, here_us = here->came_us;
    uint64_t back_us;

    cut_off = 1 << 1;
    peer_say(&room->peers[0], "m'entends-tu ?");
    room_run(room, 12 * S);
    g_assert_cmpint(linked(room, 0, 1), ==, LINKED_KEPT);
    g_assert_cmpint(shown(room, 0, 1), ==, MESH_LINK_DOWN);
    g_assert_cmpuint(room->peers[0].ends[MESH_END_SILENT], ==, 1);
    peer_say(&room->peers[0], "et maintenant ?");
    room_run(room, (GONE_S - 12) * S);
    g_assert_cmpint(linked(room, 0, 1), ==, LINKED_KEPT);
    g_assert_cmpuint(knocks, ==, 0);
    cut_off = 0;
    back_us = room->now_us;
    room_expect_message(room, 3, "m'entends-tu ?");
    room_expect_message(room, 3, "et maintenant ?");
    g_assert_cmpuint(room->now_us - back_us, <=, 1500 * MS);
    room_run(room, S);
    g_assert_cmpint(linked(room, 0, 1), ==, LINKED_UP);
    g_assert_cmpint(shown(room, 0, 1), ==, MESH_LINK_UP);
    g_assert_cmpuint(there->came_us, ==, there_us);
    g_assert_cmpuint(here->came_us, ==, here_us);
    g_assert_cmpuint(knocks, ==, 0);
    room_free(room);
}

/* One that is gone for longer is knocked at too, and goes on all the same; one that does not come
 * back is lost in the end. That it is gone is told once. */
static void test_knocks(void) {
    Room *room = room_of(2);
    const Neighbour *there = peer_neighbour(&room->peers[0], &room->peers[1]);
    uint64_t came_us = there->came_us;

    cut_off = 1 << 1;
    peer_say(&room->peers[0], "m'entends-tu ?");
    room_run(room, 90 * S);
    g_assert_cmpint(there->linked, ==, LINKED_KEPT);
    g_assert_cmpuint(knocks, >, 0);
    cut_off = 0;
    room_expect_message(room, 3, "m'entends-tu ?");
    room_run(room, 5 * S);
    g_assert_cmpint(there->linked, ==, LINKED_UP);
    g_assert_cmpint(there->contact, ==, CONTACT_IDLE);
    g_assert_cmpuint(there->came_us, ==, came_us);
    cut_off = 1 << 1;
    peer_say(&room->peers[0], "et maintenant ?");
    room_run(room, 11 * 60 * S);
    g_assert_cmpint(there->linked, ==, LINKED_NOT);
    g_assert_cmpuint(room->peers[0].ends[MESH_END_SILENT], ==, 2);
    cut_off = 0;
    room_expect_message(room, 3, "et maintenant ?");
    room_free(room);
}

/* Another run of it has other keys: it knocks, and is not taken for the one that is kept. */
static void test_restarts(void) {
    Room *room = room_of(2);

    room->no_beacon = true;
    cut_off = 1 << 1;
    peer_say(&room->peers[0], "m'entends-tu ?");
    room_run(room, 12 * S);
    g_assert_cmpint(linked(room, 0, 1), ==, LINKED_KEPT);
    peer_stop(&room->peers[1]);
    cut_off = 0;
    room_start(room, 1);
    room_expect_message(room, 3, "m'entends-tu ?");
    g_assert_cmpint(linked(room, 0, 1), ==, LINKED_UP);
    room_free(room);
}

/* Others are not held up: it is no edge of the map, what is said goes among them, and who was away
 * is told when it is back. */
static void test_beside_others(void) {
    Room *room = room_of(3);
    uint64_t came_us = peer_neighbour(&room->peers[0], &room->peers[2])->came_us;

    cut_off = 1 << 2;
    peer_say(&room->peers[0], "qui m'entend ?");
    room_run(room, GONE_S * S);
    g_assert_cmpint(linked(room, 0, 2), ==, LINKED_KEPT);
    g_assert_cmpuint(edges_count(map_record(room->peers[0].mesh, &room->peers[0].key)), ==, 1);
    g_assert_false(map_is_present(room->peers[0].mesh, &room->peers[2].key));
    peer_say(&room->peers[1], "moi");
    room_expect_message(room, 3, "moi");
    cut_off = 0;
    room_expect_message(room, 7, "qui m'entend ?");
    room_expect_message(room, 7, "moi");
    room_run(room, 5 * S);
    g_assert_cmpuint(edges_count(map_record(room->peers[2].mesh, &room->peers[0].key)), ==, 2);
    g_assert_cmpuint(peer_neighbour(&room->peers[0], &room->peers[2])->came_us, ==, came_us);
    room_free(room);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mesh/kept/goes-on", test_goes_on);
    g_test_add_func("/mesh/kept/knocks", test_knocks);
    g_test_add_func("/mesh/kept/restarts", test_restarts);
    g_test_add_func("/mesh/kept/beside-others", test_beside_others);
    return g_test_run();
}
