/* SPDX-License-Identifier: MPL-2.0 */
/* What a relay keeps for whom: the account, and a member who fills it in a meeting that goes on. */
#include <sodium.h>
#include <string.h>

#include "tests/unit/mesh_core_room.h"

#define RELAY      2
#define LATE       3
#define FLOOD      40   /* messages */
#define SAID       3000 /* bytes each */
#define ROOM_BYTES (FLOOD * SAID)
#define FEW_US     (5 * S)

/* ---- the account ---- */

static MeshKey person(guint number) {
    return (MeshKey){{(uint8_t)number, (uint8_t)(number >> 8), 1}};
}

static void test_account(void) {
    Budget budget = {.max = 80000};
    MeshKey one = person(1), two = person(2);

    for (guint i = 0; i < 20; i++) {
        g_assert_cmpint(budget_judge(&budget, &one, 1000, 200), ==, BUDGET_WHOLE);
        budget_add(&budget, &one, 1000);
    }
    /* A quarter is its part; the others have theirs. */
    g_assert_cmpint(budget_judge(&budget, &one, 1, 1), ==, BUDGET_HUSK);
    g_assert_cmpint(budget_judge(&budget, &two, 20000, 200), ==, BUDGET_WHOLE);
    g_assert_cmpint(budget_judge(&budget, &two, 20001, 200), ==, BUDGET_HUSK);
    budget_remove(&budget, &one, 1000);
    g_assert_cmpint(budget_judge(&budget, &one, 1000, 200), ==, BUDGET_WHOLE);
    g_assert_cmpuint(budget.total, ==, 19000);
    /* The last eighth is for husks, then there is nothing. */
    for (guint i = 2; i < 53; i++) {
        MeshKey other = person(i);

        g_assert_cmpint(budget_judge(&budget, &other, 1000, 200), ==, BUDGET_WHOLE);
        budget_add(&budget, &other, 1000);
    }
    g_assert_cmpint(budget_judge(&budget, &two, 1000, 200), ==, BUDGET_HUSK);
    g_assert_false(budget_is_full(&budget));
    budget_add(&budget, &two, 10000);
    g_assert_cmpint(budget_judge(&budget, &two, 1000, 200), ==, BUDGET_NOTHING);
    g_assert_true(budget_is_full(&budget));
    budget_remove(&budget, &two, 999999);
    budget_remove(&budget, &one, 999999);
    g_assert_cmpuint(budget.total, ==, 0);
    budget_finish(&budget);
}

/* So many authors have an account; one who has nothing any more makes room. */
static void test_many_authors(void) {
    Budget budget = {.max = 100 * 1000 * 1000};
    MeshKey last = person(MESH_AUTHORS_MAX), first = person(0);

    for (guint i = 0; i < MESH_AUTHORS_MAX; i++) {
        MeshKey key = person(i);

        g_assert_cmpint(budget_judge(&budget, &key, 10, 5), ==, BUDGET_WHOLE);
        budget_add(&budget, &key, 10);
    }
    g_assert_cmpint(budget_judge(&budget, &last, 10, 5), ==, BUDGET_NOTHING);
    budget_remove(&budget, &first, 10);
    g_assert_cmpint(budget_judge(&budget, &last, 10, 5), ==, BUDGET_WHOLE);
    budget_add(&budget, &last, 10);
    g_assert_cmpuint(budget.count, ==, MESH_AUTHORS_MAX);
    budget_finish(&budget);
}

static void test_no_account(void) {
    Budget budget = {0};
    MeshKey one = person(1);

    g_assert_cmpint(budget_judge(&budget, &one, 1000000, 0), ==, BUDGET_WHOLE);
    budget_add(&budget, &one, 1000000);
    g_assert_false(budget_is_full(&budget));
    g_assert_null(budget.authors);
}

/* ---- a member who fills it ---- */

static guint silent; /* bit: nothing comes from or to this node */

static bool not_of_the_silent(Room *room, guint from, guint to, uint8_t *bytes, size_t length) {
    return !(silent >> from & 1) && !(silent >> to & 1);
}

/* 0 founds, 1 floods, 2 is a relay with little room, 3 a member who is away. */
static Room *room_flooded(uint64_t store_max) {
    Room *room = room_new();
    g_autofree char *ticket = NULL, *relay_ticket = NULL;

    silent = 0;
    room->filter = not_of_the_silent;
    room_meet(room, 2);
    ticket = peer_invite(&room->peers[0], 1);
    relay_ticket = peer_invite_as(&room->peers[0], MESH_ROLE_RELAY, 1);
    room->peers[RELAY].store_max = store_max;
    g_assert_cmpint(room_join(room, RELAY, relay_ticket, true), ==, MESH_OK);
    g_assert_cmpint(room_join(room, LATE, ticket, false), ==, MESH_OK);
    room_run(room, FEW_US);
    peer_stop(&room->peers[LATE]);
    room_run(room, 60 * S);
    for (guint i = 0; i < FLOOD; i++) {
        char text[SAID + 1];

        memset(text, 'a' + (int)(i % 26), SAID);
        text[SAID] = '\0';
        peer_say(&room->peers[1], text);
    }
    peer_say(&room->peers[0], "encore");
    room_expect_message(room, 3, "encore");
    room_run(room, FEW_US);
    return room;
}

static guint husks(const Peer *peer) {
    guint count = 0;

    for (size_t i = 0; i < journal_count(peer->mesh->journal); i++) {
        const Record *record = journal_record(peer->mesh->journal, i);

        count += entry_is_husk(BYTES_AT(record->bytes, record->length));
    }
    return count;
}

static void expect_alike(Room *room, guint one, guint other) {
    uint8_t digests[2][JOURNAL_DIGEST_SIZE];

    journal_clock_digest(room->peers[one].mesh->journal, digests[0]);
    journal_clock_digest(room->peers[other].mesh->journal, digests[1]);
    g_assert_cmpmem(digests[0], JOURNAL_DIGEST_SIZE, digests[1], JOURNAL_DIGEST_SIZE);
}

static bool has_all(Peer *peer) {
    return mesh_message_count(peer->mesh) == FLOOD + 1;
}

static void test_flood(void) {
    Room *room = room_flooded(ROOM_BYTES);
    Peer *relay = &room->peers[RELAY];
    guint before;
    uint64_t bytes;

    /* It has its part of the flood, the order of all of it, and the others whole. */
    expect_alike(room, 0, RELAY);
    before = husks(relay);
    g_assert_cmpuint(before, >, FLOOD / 2);
    g_assert_cmpuint(before, <, FLOOD);
    g_assert_cmpuint(mesh_counters(relay->mesh).kept_bytes, <=, ROOM_BYTES);
    g_assert_cmpuint(mesh_counters(relay->mesh).limited, ==, before);
    /* So it is after a restart. */
    peer_stop(relay);
    room_start(room, RELAY);
    room_run(room, FEW_US);
    g_assert_cmpuint(husks(relay), ==, before);
    g_assert_cmpuint(mesh_counters(relay->mesh).kept_bytes, <=, ROOM_BYTES);
    expect_alike(room, 0, RELAY);
    /* Who comes back while the others cannot be reached has what there is, and asks in peace. */
    silent = 3;
    room_start(room, LATE);
    room_run(room, 60 * S);
    g_assert_cmpuint(mesh_message_count(room->peers[LATE].mesh), >=, FLOOD - before - 1);
    g_assert_false(has_all(&room->peers[LATE]));
    bytes = peer_neighbour(&room->peers[LATE], relay)->tx_bytes;
    room_run(room, 600 * S);
    g_assert_cmpuint(peer_neighbour(&room->peers[LATE], relay)->tx_bytes - bytes, <, 40000);
    /* The others have it, and are asked at once. */
    silent = 0;
    g_assert_true(room_until(room, has_all, &room->peers[LATE]));
    room_run(room, FEW_US);
    expect_alike(room, LATE, RELAY);
    room_free(room);
}

static bool is_with_relay(Peer *peer) {
    return peer_is_linked(peer, &peer->room->peers[RELAY]) && mesh_message_count(peer->mesh) > 0;
}

/* What was asked of the relay, and cannot come, is not waited for where others have it. */
static void test_others_are_asked(void) {
    Room *room = room_flooded(ROOM_BYTES);
    uint64_t begun_us;

    silent = 3;
    room_start(room, LATE);
    g_assert_true(room_until(room, is_with_relay, &room->peers[LATE]));
    silent = 0;
    begun_us = room->now_us;
    g_assert_true(room_until(room, has_all, &room->peers[LATE]));
    g_assert_cmpuint(room->now_us - begun_us, <, 10 * S);
    room_free(room);
}

/* It has no room for anything: the meeting goes on, and nobody tells it the same over and over. */
static void test_full(void) {
    Room *room = room_flooded(6000);
    Peer *relay = &room->peers[RELAY];
    uint64_t bytes;

    g_assert_cmpuint(mesh_counters(relay->mesh).kept_bytes, <=, 6000);
    g_assert_cmpuint(mesh_counters(relay->mesh).limited, >, 0);
    g_assert_true(peer_is_linked(&room->peers[0], relay));
    bytes = peer_neighbour(&room->peers[0], relay)->tx_bytes;
    room_run(room, 600 * S);
    g_assert_cmpuint(peer_neighbour(&room->peers[0], relay)->tx_bytes - bytes, <, 40000);
    peer_say(&room->peers[0], "toujours");
    room_expect_message(room, 3, "toujours");
    room_free(room);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(sodium_init(), >=, 0);
    g_test_add_func("/mesh/relay-budget/account", test_account);
    g_test_add_func("/mesh/relay-budget/many-authors", test_many_authors);
    g_test_add_func("/mesh/relay-budget/no-account", test_no_account);
    g_test_add_func("/mesh/relay-budget/flood", test_flood);
    g_test_add_func("/mesh/relay-budget/others-are-asked", test_others_are_asked);
    g_test_add_func("/mesh/relay-budget/full", test_full);
    return g_test_run();
}
