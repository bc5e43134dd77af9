/* SPDX-License-Identifier: MPL-2.0 */
/* Datagrams that go from neighbour to neighbour, and what nobody can make others carry. */
#include <sodium.h>

#include "mesh/overlay/message.h"
#include "tests/unit/mesh_map_room.h"

#define FLOOD 4000

/* Four in a row, 0 – 1 – 2 – 3, linked with each other all the same. */
static Room *row_new(void) {
    Room *room = room_new();

    room_meet(room, 4);
    room->filter = in_a_row;
    room_run(room, 60 * S);
    return room;
}

static Bytes write(uint8_t body[2000], const Peer *target, const Peer *origin, uint8_t hops,
                   uint8_t priority, Bytes datagram) {
    BytesWriter writer = bytes_writer(body, 2000);

    bytes_write(&writer, target->key.bytes, SHORT_KEY_SIZE);
    bytes_write(&writer, origin->key.bytes, SHORT_KEY_SIZE);
    bytes_write_u8(&writer, hops);
    bytes_write_u8(&writer, priority);
    bytes_write(&writer, datagram.data, datagram.length);
    return BYTES_AT(body, bytes_written(&writer));
}

/* A FORWARD of one to its neighbour; the fields as given. */
static void forward(Peer *by, const Peer *to, const Peer *target, const Peer *origin, uint8_t hops,
                    uint8_t priority, Bytes datagram) {
    uint8_t body[2000];

    g_assert_true(neighbour_send(by->mesh, peer_neighbour(by, to), LINK_CONTROL, UINT64_MAX,
                                 MESSAGE_FORWARD,
                                 write(body, target, origin, hops, priority, datagram)));
    peer_step(by, &(MeshEvent){.kind = MESH_EVENT_TIMEOUT});
}

static void clear(Room *room) {
    for (guint i = 0; i < 4; i++) {
        room->peers[i].mesh->counters = (MeshCounters){0};
    }
}

static Bytes session_of(uint8_t *bytes, size_t length) {
    memset(bytes, 0x80, length);
    return BYTES_AT(bytes, length);
}

/* ---- carrying ---- */

static void test_row(void) {
    Room *room = row_new();

    for (guint i = 0; i < 4; i++) {
        for (guint j = 0; j < 4; j++) {
            Neighbour *neighbour = i == j ? NULL : peer_neighbour(&room->peers[i], &room->peers[j]);
            bool beside = i + 1 == j || j + 1 == i;

            g_assert_true(!neighbour || neighbour_is_direct(neighbour) == beside);
            g_assert_true(!neighbour || neighbour_is_greeted(room->peers[i].mesh, neighbour));
        }
    }
    clear(room);
    peer_say(&room->peers[0], "d'un bout");
    peer_say(&room->peers[3], "à l'autre");
    room_expect_message(room, 15, "d'un bout");
    room_expect_message(room, 15, "à l'autre");
    room_run(room, 20 * S);
    g_assert_cmpuint(mesh_counters(room->peers[1].mesh).forwarded, >, 0);
    g_assert_cmpuint(mesh_counters(room->peers[2].mesh).forwarded, >, 0);
    g_assert_cmpuint(mesh_counters(room->peers[0].mesh).refused, ==, 0);
    room_free(room);
}

/* Both began anew: each finds the other by handshakes that three links carry. */
static void test_handshake(void) {
    Room *room = row_new();

    for (guint i = 0; i < 4; i += 3) {
        peer_stop(&room->peers[i]);
        room_start(room, i);
    }
    room_run(room, 15 * S);
    g_assert_true(peer_is_linked(&room->peers[0], &room->peers[3]));
    g_assert_cmpint(peer_neighbour(&room->peers[0], &room->peers[3])->path.kind, ==,
                    MESH_PATH_RELAY);
    room_free(room);
}

/* Two ways from 0 to 3, and none without help. */
static bool in_a_ring(Room *room, guint from, guint to, uint8_t *bytes, size_t length) {
    return (from == 0 || from == 3) != (to == 0 || to == 3);
}

/* Who forgot the link is not reached by ever another way: it ends when the second is in vain. */
static void test_forgotten(void) {
    Room *room = room_new();
    Peer *peer = &room->peers[0];
    Neighbour *neighbour;
    MeshPath first;

    room_meet(room, 4);
    room->filter = in_a_ring;
    room_run(room, 60 * S);
    neighbour = peer_neighbour(peer, &room->peers[3]);
    g_assert_true(neighbour_is_up(neighbour) && neighbour->path.kind == MESH_PATH_RELAY);
    g_assert_true(forward_path(peer->mesh, room->peers[3].key.bytes, &first));
    neighbour->path = first;
    route_dead(peer->mesh, neighbour, MESH_END_SILENT);
    g_assert_true(neighbour_is_up(neighbour) && !mesh_path_equal(&neighbour->path, &first));
    route_dead(peer->mesh, neighbour, MESH_END_SILENT);
    g_assert_false(neighbour_is_up(neighbour));
    room_run(room, 10 * S);
    g_assert_true(peer_is_linked(peer, &room->peers[3]));
    room_free(room);
}

static void test_hops(void) {
    Room *room = row_new();
    uint8_t bytes[64];
    Peer *peers = room->peers;

    clear(room);
    forward(&peers[0], &peers[1], &peers[3], &peers[0], 2, LINK_CHAT, session_of(bytes, 64));
    room_run(room, S);
    g_assert_cmpuint(mesh_counters(peers[1].mesh).forwarded, ==, 1);
    g_assert_cmpuint(mesh_counters(peers[2].mesh).forwarded, ==, 1);
    g_assert_cmpuint(mesh_counters(peers[3].mesh).foreign, ==, 1);
    /* One hop less, and it does not arrive. */
    forward(&peers[0], &peers[1], &peers[3], &peers[0], 1, LINK_CHAT, session_of(bytes, 64));
    room_run(room, S);
    g_assert_cmpuint(mesh_counters(peers[1].mesh).forwarded, ==, 2);
    g_assert_cmpuint(mesh_counters(peers[2].mesh).forwarded, ==, 1);
    g_assert_cmpuint(mesh_counters(peers[2].mesh).refused, ==, 1);
    g_assert_cmpuint(mesh_counters(peers[3].mesh).foreign, ==, 1);
    room_free(room);
}

/* ---- lies ---- */

static void test_nowhere(void) {
    Room *room = row_new();
    Peer *peers = room->peers;
    Peer nobody = {0};
    uint8_t bytes[64];

    clear(room);
    memset(&nobody.key, 0x77, sizeof nobody.key);
    forward(&peers[0], &peers[1], &nobody, &peers[0], 12, LINK_CHAT, session_of(bytes, 64));
    /* It would come back where it came from; or it never goes on. */
    forward(&peers[2], &peers[1], &peers[3], &peers[2], 12, LINK_CHAT, session_of(bytes, 64));
    forward(&peers[0], &peers[1], &peers[2], &peers[0], 0, LINK_CHAT, session_of(bytes, 64));
    /* Nobody else's name, and not ours. */
    forward(&peers[0], &peers[1], &peers[2], &peers[3], 12, LINK_CHAT, session_of(bytes, 64));
    forward(&peers[0], &peers[1], &peers[2], &peers[1], 11, LINK_CHAT, session_of(bytes, 64));
    room_run(room, S);
    g_assert_cmpuint(mesh_counters(peers[1].mesh).refused, ==, 5);
    g_assert_cmpuint(mesh_counters(peers[1].mesh).forwarded, ==, 0);
    /* What is no forward at all. */
    forward(&peers[0], &peers[1], &peers[2], &peers[0], 13, LINK_CHAT, session_of(bytes, 64));
    forward(&peers[0], &peers[1], &peers[2], &peers[0], 12, LINK_PRIORITIES, session_of(bytes, 64));
    forward(&peers[0], &peers[1], &peers[2], &peers[0], 12, LINK_CHAT, BYTES_NONE);
    room_run(room, S);
    g_assert_cmpuint(mesh_counters(peers[1].mesh).malformed, ==, 3);
    g_assert_cmpuint(mesh_counters(peers[1].mesh).forwarded, ==, 0);
    g_assert_true(peer_is_linked(&peers[0], &peers[1]));
    room_free(room);
}

/* Over a link that others carry nobody is made to carry, and a hail is carried for nobody. */
static void test_nested(void) {
    Room *room = row_new();
    Peer *peers = room->peers;
    uint8_t bytes[HAIL_SIZE];

    clear(room);
    forward(&peers[0], &peers[2], &peers[3], &peers[0], 12, LINK_CHAT, session_of(bytes, 64));
    room_run(room, 2 * S);
    g_assert_cmpuint(mesh_counters(peers[2].mesh).refused, ==, 1);
    g_assert_cmpuint(mesh_counters(peers[3].mesh).foreign, ==, 0);
    clear(room);
    bytes[0] = HAIL_HAIL;
    forward(&peers[0], &peers[1], &peers[2], &peers[0], 12, LINK_CHAT, BYTES_OF(bytes));
    room_run(room, S);
    g_assert_cmpuint(mesh_counters(peers[2].mesh).refused, ==, 1);
    room_free(room);
}

static GBytes *kept_init;

/* Keeps a message 1 that 0 sends. */
static bool keep_init(Room *room, guint from, guint to, uint8_t *bytes, size_t length) {
    if (from == 0 && bytes[0] == HANDSHAKE_INIT && !kept_init) {
        kept_init = g_bytes_new(bytes, length);
    }
    return in_a_row(room, from, to, bytes, length);
}

/* The answer to a handshake goes to whoever began it. */
static void test_other_name(void) {
    Room *room = row_new();
    Peer *peers = room->peers;
    const void *init;
    gsize length;

    room->filter = keep_init;
    peer_stop(&peers[0]);
    room_start(room, 0);
    room_run(room, 10 * S);
    g_assert_nonnull(kept_init);
    init = g_bytes_get_data(kept_init, &length);
    clear(room);
    /* Whichever of them it is for: the others find it foreign. */
    for (guint i = 1; i < 4; i++) {
        forward(&peers[1], &peers[2], &peers[i == 1 ? 3 : i], &peers[i == 3 ? 1 : 3], 11,
                LINK_CONTROL, BYTES_AT(init, length));
    }
    room_run(room, S);
    for (guint i = 2; i < 4; i++) {
        MeshCounters counters = mesh_counters(peers[i].mesh);

        g_assert_cmpuint(counters.forged + counters.foreign + counters.refused, >, 0);
    }
    g_assert_true(peer_is_linked(&peers[0], &peers[3]));
    g_clear_pointer(&kept_init, g_bytes_unref);
    room_free(room);
}

/* Someone makes another carry more than its line takes: the rest goes first all the same. */
static void test_flood(void) {
    Room *room = row_new();
    Peer *peers = room->peers;
    Neighbour *liar = peer_neighbour(&peers[2], &peers[1]);
    uint8_t bytes[1000], body[2000];
    uint64_t carried, began_us;
    Bytes message =
        write(body, &peers[3], &peers[1], 12, LINK_CONTROL, session_of(bytes, sizeof bytes));
    guint refused = 0;

    clear(room);
    for (guint i = 0; i < FLOOD; i++) {
        refused += forward_received(peers[2].mesh, liar, message) == MESH_ERROR_FULL;
    }
    carried = mesh_counters(peers[2].mesh).forwarded;
    g_assert_cmpuint(carried, >, 10);
    g_assert_cmpuint(carried, <, FLOOD / 10);
    g_assert_cmpuint(refused, ==, FLOOD - carried);
    began_us = room->now_us;
    peer_say(&peers[2], "je suis encore là");
    room_expect_message(room, 12, "je suis encore là");
    g_assert_cmpuint(room->now_us - began_us, <, 2 * S);
    room_run(room, 10 * S);
    /* And it may go on as others do; nobody else was held up for it. */
    clear(room);
    g_assert_cmpint(forward_received(peers[2].mesh, liar, message), ==, MESH_OK);
    g_assert_cmpuint(mesh_counters(peers[2].mesh).forwarded, ==, 1);
    room_free(room);
}

/* Who is in no roster is linked with while it asks to be let in, and that is all. */
static void test_stranger(void) {
    Room *room = room_new();
    Peer *peers = room->peers;
    g_autofree char *ticket = NULL;
    uint8_t bytes[64];
    Neighbour *neighbour;

    room_meet(room, 2);
    ticket = peer_invite(&peers[0], 1);
    peers[0].disk_full = true; /* it is not let in */
    peers[1].disk_full = true;
    room_start(room, 2);
    peer_begin(&peers[2], (MeshIntent){.kind = MESH_INTENT_JOIN, .text = ticket});
    room_run(room, 2 * S);
    neighbour = peer_neighbour(&peers[2], &peers[0]);
    g_assert_nonnull(neighbour);
    g_assert_true(neighbour_is_up(neighbour));
    peers[0].mesh->counters = peers[1].mesh->counters = (MeshCounters){0};
    forward(&peers[2], &peers[0], &peers[1], &peers[2], 12, LINK_CHAT, session_of(bytes, 64));
    room_run(room, S);
    g_assert_cmpuint(mesh_counters(peers[0].mesh).refused, >=, 1);
    g_assert_cmpuint(mesh_counters(peers[0].mesh).forwarded, ==, 0);
    room_free(room);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(sodium_init(), >=, 0);
    g_test_add_func("/mesh/forward/row", test_row);
    g_test_add_func("/mesh/forward/handshake", test_handshake);
    g_test_add_func("/mesh/forward/forgotten", test_forgotten);
    g_test_add_func("/mesh/forward/hops", test_hops);
    g_test_add_func("/mesh/forward/nowhere", test_nowhere);
    g_test_add_func("/mesh/forward/nested", test_nested);
    g_test_add_func("/mesh/forward/other-name", test_other_name);
    g_test_add_func("/mesh/forward/flood", test_flood);
    g_test_add_func("/mesh/forward/stranger", test_stranger);
    return g_test_run();
}
