/* SPDX-License-Identifier: MPL-2.0 */
/* Who asks to speak: one queue on every node, in whatever order the acts came, and who may do what
 * to whose hand. */
#include <string.h>

#include "tests/unit/mesh_core_room.h"

#define PEOPLE 5
#define ACTS   40
#define SEEDS  200

/* ---- the queue alone ---- */

static Hands *hands_new(void) {
    return g_new0(Hands, 1);
}

static void hands_free(Hands *hands) {
    hands_finish(hands);
    g_free(hands);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Hands, hands_free)

static MeshKey person(guint number) {
    MeshKey key = {{0}};

    key.bytes[0] = (uint8_t)(number + 1);
    return key;
}

static bool move(Hands *hands, guint number, bool up, uint64_t height) {
    MeshKey key = person(number);

    return hands_take(hands, &key, up, &(Place){.height = height});
}

static char *queue_of(const Hands *hands) {
    GString *queue = g_string_new(NULL);
    const Hand *hand = NULL;

    while ((hand = hands_next(hands, hand))) {
        g_string_append_printf(queue, "%d", hand->member.bytes[0] - 1);
    }
    return g_string_free(queue, FALSE);
}

static void assert_queue(const Hands *hands, const char *expected) {
    g_autofree char *queue = queue_of(hands);

    g_assert_cmpstr(queue, ==, expected);
}

static void test_queue(void) {
    g_autoptr(Hands) hands = hands_new();

    assert_queue(hands, "");
    g_assert_true(move(hands, 2, true, 5));
    g_assert_true(move(hands, 0, true, 9));
    g_assert_true(move(hands, 1, true, 7));
    assert_queue(hands, "210");
    g_assert_true(move(hands, 2, false, 10));
    assert_queue(hands, "10");
    g_assert_false(move(hands, 2, true, 6)); /* said before it was lowered */
    g_assert_false(move(hands, 2, false, 11));
    g_assert_true(move(hands, 1, true, 12)); /* again: behind the other */
    assert_queue(hands, "01");
    hands_reset(hands);
    assert_queue(hands, "");
}

/* More people than may be in a meeting: one is not told, nothing is written beyond. */
static void test_full(void) {
    g_autoptr(Hands) hands = hands_new();

    for (guint i = 0; i < MESH_MEMBERS_MAX; i++) {
        MeshKey key = {{(uint8_t)i, 1}};

        g_assert_true(hands_take(hands, &key, true, &(Place){.height = i + 1}));
    }
    g_assert_false(hands_take(hands, &(MeshKey){{0, 2}}, true, &(Place){.height = 1000}));
    g_assert_false(hands_is_up(hands, &(MeshKey){{0, 2}}));
    g_assert_true(hands_is_up(hands, &(MeshKey){{1, 1}}));
}

/* The same acts in any order leave the same queue. */
static void test_any_order(void) {
    for (guint32 seed = 0; seed < SEEDS; seed++) {
        GRand *random = g_rand_new_with_seed(seed);
        g_autoptr(Hands) one = hands_new(), other = hands_new();
        g_autofree char *expected = NULL;
        guint who[ACTS], order[ACTS];
        bool up[ACTS];

        for (guint i = 0; i < ACTS; i++) {
            guint at = (guint)g_rand_int_range(random, 0, (gint32)i + 1);

            who[i] = (guint)g_rand_int_range(random, 0, PEOPLE);
            up[i] = g_rand_boolean(random);
            order[i] = order[at];
            order[at] = i;
            move(one, who[i], up[i], i + 1);
        }
        for (guint i = 0; i < ACTS; i++) {
            move(other, who[order[i]], up[order[i]], order[i] + 1);
        }
        expected = queue_of(one);
        assert_queue(other, expected);
        g_rand_free(random);
    }
}

/* ---- whole cores ---- */

static MeshIntent hand(bool up, const Peer *whose) {
    return (MeshIntent){
        .kind = MESH_INTENT_HAND, .up = up, .key = whose ? whose->key : (MeshKey){{0}}};
}

static MeshError moved(Peer *peer, bool up, const Peer *whose) {
    return peer_ask(peer, hand(up, whose))->error;
}

static guint wanted_hands;

static bool has_hands(Peer *peer) {
    MeshKey keys[MESH_MEMBERS_MAX];

    return mesh_hands(peer->mesh, keys) == wanted_hands;
}

static void expect_hands(Room *room, guint count, const guint *order) {
    MeshKey keys[MESH_MEMBERS_MAX];

    wanted_hands = count;
    for (guint i = 0; i < 3; i++) {
        g_assert_true(room_until(room, has_hands, &room->peers[i]));
        mesh_hands(room->peers[i].mesh, keys);
        for (guint j = 0; j < count; j++) {
            g_assert_cmpmem(keys[j].bytes, MESH_KEY_SIZE, room->peers[order[j]].key.bytes,
                            MESH_KEY_SIZE);
        }
    }
}

static void test_meeting(void) {
    Room *room = room_new();
    Peer *chair = &room->peers[0], *anne = &room->peers[1], *luc = &room->peers[2];

    room_meet(room, 3);
    g_assert_cmpint(moved(luc, true, NULL), ==, MESH_OK);
    expect_hands(room, 1, (guint[]){2});
    g_assert_cmpint(moved(anne, true, NULL), ==, MESH_OK);
    expect_hands(room, 2, (guint[]){2, 1});
    g_assert_cmpuint(anne->notices[MESH_NOTICE_HAND], ==, 2);
    /* Of others only the chair's word counts, and only down. */
    g_assert_cmpint(moved(anne, false, luc), ==, MESH_ERROR_FORBIDDEN);
    g_assert_cmpint(moved(chair, true, luc), ==, MESH_ERROR_INVALID);
    g_assert_cmpint(moved(chair, false, luc), ==, MESH_OK);
    expect_hands(room, 1, (guint[]){1});
    room_free(room);
}

/* A node that was away learns of it, and the queue is there after a restart. */
static void test_restart(void) {
    Room *room = room_new();

    room_meet(room, 3);
    peer_stop(&room->peers[1]);
    g_assert_cmpint(moved(&room->peers[2], true, NULL), ==, MESH_OK);
    wanted_hands = 1; /* who raises a hand behind another has seen it */
    g_assert_true(room_until(room, has_hands, &room->peers[0]));
    g_assert_cmpint(moved(&room->peers[0], true, NULL), ==, MESH_OK);
    wanted_hands = 2;
    g_assert_true(room_until(room, has_hands, &room->peers[2]));
    peer_stop(&room->peers[2]);
    room_start(room, 1);
    room_start(room, 2);
    expect_hands(room, 2, (guint[]){2, 0});
    room_free(room);
}

/* Whoever waves is stopped; who asks for what is so already writes nothing. */
static void test_waving(void) {
    Room *room = room_new();
    Peer *anne = &room->peers[1];
    size_t entries, moves = 0;
    bool up = true;

    room_meet(room, 2);
    g_assert_cmpint(moved(anne, false, NULL), ==, MESH_OK);
    entries = mesh_info(anne->mesh).entries;
    while (moves < 2 * MESH_HAND_BURST_MAX && moved(anne, up, NULL) == MESH_OK) {
        up = !up;
        moves++;
    }
    g_assert_cmpuint(moves, >=, MESH_HAND_BURST_MAX);
    g_assert_cmpuint(moves, <, 2 * MESH_HAND_BURST_MAX);
    g_assert_cmpuint(mesh_info(anne->mesh).entries, ==, entries + moves);
    g_assert_cmpint(moved(anne, !up, NULL), ==, MESH_OK);
    g_assert_cmpuint(mesh_info(anne->mesh).entries, ==, entries + moves);
    room_run(room, MESH_HAND_PAUSE_S * S);
    g_assert_cmpint(moved(anne, up, NULL), ==, MESH_OK);
    room_free(room);
}

/* What an act of a kind unknown here says counts for nothing; what follows it does. */
static void test_unknown_act(void) {
    Room *room = room_new();
    /* [99, 0, "later"]: of a version that knows more. */
    static const uint8_t LATER[] = {0x83, 0x18, 99, 0, 0x65, 'l', 'a', 't', 'e', 'r'};
    static SealedAct read;
    Peer *anne = &room->peers[1];
    Mesh *mesh = anne->mesh;
    uint8_t bytes[MESH_ENTRY_MAX];
    size_t length;
    EntryDraft draft;

    room_meet(room, 2);
    mesh = anne->mesh;
    g_assert_cmpint(act_read_sealed(BYTES_OF(LATER), &read), ==, MESH_OK);
    draft = (EntryDraft){.meeting = &mesh->meeting.id,
                         .chain = {9, 9, 9},
                         .cited = &mesh->meeting.id,
                         .cited_count = 1,
                         .plain = BYTES_OF(LATER),
                         .key = meeting_current_key(&mesh->meeting)};
    g_assert_cmpint(entry_write(&draft, &mesh->self, bytes, &length), ==, MESH_OK);
    g_assert_cmpint(peer_ask(&room->peers[0], (MeshIntent){.kind = MESH_INTENT_IMPORT,
                                                           .bytes = BYTES_AT(bytes, length)})
                        ->error,
                    ==, MESH_OK);
    g_assert_cmpint(moved(&room->peers[0], true, NULL), ==, MESH_OK);
    wanted_hands = 1;
    g_assert_true(room_until(room, has_hands, anne));
    peer_say(anne, "et ensuite");
    room_expect_message(room, 3, "et ensuite");
    g_assert_cmpuint(mesh_info(anne->mesh).entries, ==, mesh_info(room->peers[0].mesh).entries);
    g_assert_cmpuint(mesh_counters(anne->mesh).malformed, ==, 0);
    room_free(room);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mesh/hand/queue", test_queue);
    g_test_add_func("/mesh/hand/full", test_full);
    g_test_add_func("/mesh/hand/any_order", test_any_order);
    g_test_add_func("/mesh/hand/meeting", test_meeting);
    g_test_add_func("/mesh/hand/restart", test_restart);
    g_test_add_func("/mesh/hand/waving", test_waving);
    g_test_add_func("/mesh/hand/unknown_act", test_unknown_act);
    return g_test_run();
}
