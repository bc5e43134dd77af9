/* SPDX-License-Identifier: MPL-2.0 */
/* A relay among members: what it carries, what it does not, and who drops what it should. */
#include <sodium.h>
#include <string.h>

#include "mesh/overlay/message.h"
#include "tests/unit/mesh_relay_look.h"

static bool not_directly(Room *room, guint from, guint to, uint8_t *bytes, size_t length) {
    return !(from <= 1 && to <= 1);
}

/* 0 and 1 are members whom nothing joins but a relay and a member, 2 and 3. */
static Room *room_apart(void) {
    Room *room = relay_room();
    g_autofree char *ticket = peer_invite(&room->peers[0], 1);

    g_assert_cmpint(room_join(room, 3, ticket, false), ==, MESH_OK);
    room->filter = not_directly;
    room_run(room, 60 * S);
    g_assert_true(peer_is_linked(&room->peers[0], &room->peers[1]));
    g_assert_cmpint(peer_neighbour(&room->peers[0], &room->peers[1])->path.kind, ==,
                    MESH_PATH_RELAY);
    return room;
}

/* The one by whom 0 sends to 1. */
static Peer *hop_of(Room *room) {
    const Neighbour *other = peer_neighbour(&room->peers[0], &room->peers[1]);
    const Neighbour *hop = neighbour_at(room->peers[0].mesh, other->path.agent);

    for (guint i = 2; i < 4; i++) {
        if (hop && mesh_key_equal(&hop->key, &room->peers[i].key)) {
            return &room->peers[i];
        }
    }
    g_assert_not_reached();
}

/* It answers all that concerns itself, and what it should carry it drops. */
static void drop_all(Peer *hop) {
    for (uint32_t slot = 0; slot < hop->mesh->neighbours.end; slot++) {
        Neighbour *neighbour = neighbour_at(hop->mesh, slot);

        if (neighbour) {
            neighbour->carried_us = neighbour->carried_soon_us = UINT64_MAX;
        }
    }
}

/* Who drops what it should carry is passed by: links go on by another, and new ones come about. */
static void test_passed_by(void) {
    Room *room = room_apart();
    Peer *hop = hop_of(room);

    for (guint i = 0; i < 600; i++) {
        drop_all(hop);
        room_run(room, 100 * MS);
    }
    g_assert_true(peer_is_linked(&room->peers[0], &room->peers[1]));
    g_assert_true(hop_of(room) != hop);
    /* One that begins anew knows nothing of that. */
    peer_stop(&room->peers[1]);
    room_start(room, 1);
    for (guint i = 0; i < 300 && !peer_is_linked(&room->peers[1], &room->peers[0]); i++) {
        drop_all(hop);
        room_run(room, 100 * MS);
    }
    g_assert_true(peer_is_linked(&room->peers[1], &room->peers[0]));
    peer_say(&room->peers[0], SECRET);
    room_expect_message(room, 2, SECRET);
    room_free(room);
}

/* A member makes it carry what it can: so much is carried, the rest is counted, and what the
 * others send goes on. */
static void test_carries_so_much(void) {
    Room *room = room_apart();
    Peer *relay = &room->peers[RELAY];
    Peer *liar = &room->peers[3];
    uint8_t body[SHORT_KEY_SIZE * 2 + 2 + 1000];
    BytesWriter writer = bytes_writer(body, sizeof body);
    uint64_t before;

    bytes_write(&writer, room->peers[1].key.bytes, SHORT_KEY_SIZE);
    bytes_write(&writer, liar->key.bytes, SHORT_KEY_SIZE);
    bytes_write_u8(&writer, MESH_HOPS_MAX);
    bytes_write_u8(&writer, LINK_CHAT);
    memset(writer.at, 0x80, 1000);
    relay->mesh->counters = (MeshCounters){0};
    for (guint second = 0; second < 10; second++) {
        before = mesh_counters(relay->mesh).forwarded;
        for (guint i = 0; i < 100; i++) {
            for (guint burst = 0; burst < 30; burst++) {
                neighbour_send(liar->mesh, peer_neighbour(liar, relay), LINK_CONTROL, S,
                               MESSAGE_FORWARD, BYTES_OF(body));
            }
            peer_step(liar, &(MeshEvent){.kind = MESH_EVENT_TIMEOUT});
            room_run(room, 10 * MS);
        }
        g_assert_cmpuint(mesh_counters(relay->mesh).forwarded - before, <,
                         2 * MESH_CARRIED_RATE_MAX / 1000 + 1000);
    }
    g_assert_cmpuint(mesh_counters(relay->mesh).limited, >, 1000);
    peer_say(&room->peers[0], "malgré tout");
    room_expect_message(room, 15 & ~(1U << RELAY), "malgré tout");
    g_assert_true(peer_is_linked(&room->peers[0], &room->peers[1]));
    room_free(room);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(sodium_init(), >=, 0);
    g_test_add_func("/mesh/relay/passed-by", test_passed_by);
    g_test_add_func("/mesh/relay/carries-so-much", test_carries_so_much);
    return g_test_run();
}
