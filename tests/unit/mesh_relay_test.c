/* SPDX-License-Identifier: MPL-2.0 */
/* A relay among members: what it keeps, that no key of the meeting ever reaches it, and what a bad
 * one can do. */
#include <sodium.h>
#include <string.h>

#include "mesh/overlay/message.h"
#include "tests/unit/mesh_relay_look.h"

/* ---- a meeting with a relay ---- */

static bool is_caught_up(Peer *relay) {
    return journal_count(relay->mesh->journal) ==
           journal_count(relay->room->peers[0].mesh->journal);
}

static void test_join(void) {
    Room *room = relay_room();
    Peer *relay = &room->peers[RELAY];
    MeshMember member;

    for (guint i = 0; i <= RELAY; i++) {
        MeshInfo info = mesh_info(room->peers[i].mesh);

        g_assert_cmpint(info.status, ==, MESH_STATUS_MEMBER);
        g_assert_cmpuint(info.members, ==, 2); /* it is nobody's company */
        g_assert_true(mesh_member(room->peers[i].mesh, 2, &member));
        g_assert_cmpint(member.role, ==, MESH_ROLE_RELAY);
        g_assert_cmpstr(member.name, ==, "");
        g_assert_true(info.relay == (i == RELAY));
    }
    g_assert_cmpint(mesh_info(relay->mesh).own_role, ==, MESH_ROLE_RELAY);
    /* It knows who there is, by key alone. */
    g_assert_true(mesh_member(relay->mesh, 0, &member));
    g_assert_cmpint(member.role, ==, MESH_ROLE_FOUNDER);
    g_assert_cmpstr(member.name, ==, "");
    peer_say(&room->peers[1], SECRET);
    room_expect_message(room, 3, SECRET);
    g_assert_true(room_until(room, is_caught_up, relay));
    room_run(room, 5 * 60 * S);
    g_assert_cmpuint(relay_looked.opened, >, 20);
    relay_expect_keyless(room);
    /* It waits for no key, and nothing of what came was wrong. */
    g_assert_cmpuint(relay->mesh->sync.missing_us, ==, 0);
    g_assert_cmpuint(mesh_counters(relay->mesh).refused, ==, 0);
    g_assert_cmpuint(mesh_counters(room->peers[0].mesh).refused, ==, 0);
    room_free(room);
}

/* The same look at a member finds what is not to be found on the way to a relay. */
static void test_look(void) {
    Room *room = room_new();
    g_autofree char *ticket = NULL;

    room_meet(room, 2);
    relay_look_over(room, RELAY);
    ticket = peer_invite(&room->peers[0], 1);
    g_assert_cmpint(room_join(room, RELAY, ticket, false), ==, MESH_OK);
    room_run(room, 5 * S);
    g_assert_cmpuint(relay_looked.keys, >, 0);
    g_assert_true(
        peer_keeps(&room->peers[RELAY], BYTES_OF(room->peers[0].mesh->meeting.keys[0].key)));
    room_free(room);
}

/* One writes and goes, then the other comes: it is there all the same. */
static void test_absent(void) {
    Room *room = relay_room();
    Peer *relay = &room->peers[RELAY];

    peer_stop(&room->peers[1]);
    room_run(room, 60 * S);
    peer_say(&room->peers[0], SECRET);
    g_assert_true(room_until(room, is_caught_up, relay));
    relay_expect_keyless(room);
    peer_stop(&room->peers[0]);
    /* Its own disk is all it needs to come back. */
    peer_stop(relay);
    room_start(room, RELAY);
    g_assert_cmpint(mesh_info(relay->mesh).status, ==, MESH_STATUS_MEMBER);
    room_start(room, 1);
    room_expect_message(room, 1U << 1, SECRET);
    peer_say(&room->peers[1], "lu");
    room_run(room, 5 * S);
    peer_stop(&room->peers[1]);
    room_start(room, 0);
    room_expect_message(room, 1, "lu");
    relay_expect_keyless(room);
    room_free(room);
}

static void test_expulsion(void) {
    Room *room = relay_room();
    Peer *relay = &room->peers[RELAY];

    /* A new epoch: the relay learns that there is one, and no more. */
    g_assert_cmpint(peer_ask(&room->peers[0],
                             (MeshIntent){.kind = MESH_INTENT_EXPEL, .key = room->peers[1].key})
                        ->error,
                    ==, MESH_OK);
    peer_say(&room->peers[0], SECRET);
    g_assert_true(room_until(room, is_caught_up, relay));
    room_run(room, 60 * S);
    g_assert_cmpuint(mesh_info(relay->mesh).epoch, ==, 1);
    g_assert_cmpuint(room->peers[0].mesh->meeting.key_count, ==, 2);
    g_assert_false(peer_is_linked(relay, &room->peers[1]));
    relay_expect_keyless(room);
    /* And it may be shown the door itself. */
    g_assert_cmpint(
        peer_ask(&room->peers[0], (MeshIntent){.kind = MESH_INTENT_EXPEL, .key = relay->key})
            ->error,
        ==, MESH_OK);
    room_run(room, 10 * S);
    g_assert_cmpint(mesh_info(relay->mesh).status, ==, MESH_STATUS_EXPELLED);
    g_assert_false(peer_is_linked(&room->peers[0], relay));
    room_free(room);
}

/* ---- tickets ---- */

static void test_tickets(void) {
    Room *room = relay_room();
    g_autofree char *for_relay = peer_invite_as(&room->peers[0], MESH_ROLE_RELAY, 1);
    g_autofree char *for_member = peer_invite(&room->peers[0], 1);
    const Roster *roster = &room->peers[0].mesh->meeting.roster;
    MeshIntent join = {.kind = MESH_INTENT_JOIN, .text = for_relay};

    relay_look_over(room, 3);
    g_assert_cmpint(room_join(room, 3, for_member, true), ==, MESH_ERROR_TICKET_MEMBER);
    g_assert_cmpint(peer_ask(&room->peers[3], join)->error, ==, MESH_ERROR_TICKET_RELAY);
    g_assert_cmpuint(relay_looked.keys, ==, 0);
    for (size_t i = 0; i < roster->invite_count; i++) {
        g_assert_true(roster->invites[i].role == MESH_ROLE_RELAY || roster->invites[i].used <= 1);
    }
    /* Neither was used up: both lead in whom they are for. */
    join.text = for_member;
    g_assert_cmpint(peer_ask(&room->peers[3], join)->error, ==, MESH_OK);
    g_assert_cmpuint(relay_looked.keys, >, 0);
    /* The relay knows the tickets of its meeting, and of no other. */
    join.text = for_relay;
    g_assert_cmpint(peer_ask(&room->peers[RELAY], join)->error, ==, MESH_ERROR_ALREADY_MEMBER);
    join.text = "maillon:aaaa";
    g_assert_cmpint(peer_ask(&room->peers[RELAY], join)->error, ==, MESH_ERROR_TICKET_MISTYPED);
    room_free(room);
}

static void test_revoked_ticket(void) {
    Room *room = relay_room();
    g_autofree char *ticket = peer_invite_as(&room->peers[0], MESH_ROLE_RELAY, 5);

    relay_look_over(room, 3);
    g_assert_cmpint(peer_ask(&room->peers[0], (MeshIntent){.kind = MESH_INTENT_EXPEL})->error, ==,
                    MESH_OK);
    g_assert_cmpint(room_join(room, 3, ticket, true), ==, MESH_ERROR_TICKET_REVOKED);
    g_assert_false(mesh_info(room->peers[3].mesh).relay);
    g_assert_false(peer_keeps(&room->peers[3], BYTES_OF(room->peers[0].mesh->psk)));
    g_assert_cmpuint(relay_looked.keys, ==, 0);
    room_free(room);
}

static void test_used_ticket(void) {
    Room *room = room_new();
    g_autofree char *ticket = NULL;

    room_meet(room, 1);
    relay_look_over(room, 3);
    ticket = peer_invite_as(&room->peers[0], MESH_ROLE_RELAY, 1);
    g_assert_cmpint(room_join(room, RELAY, ticket, true), ==, MESH_OK);
    g_assert_cmpint(room_join(room, 3, ticket, true), ==, MESH_ERROR_TICKET_USED);
    g_assert_cmpuint(relay_looked.keys, ==, 0);
    g_assert_cmpuint(mesh_info(room->peers[0].mesh).members, ==, 1);
    room_free(room);
}

/* Killed while it looks for the meeting, it goes on as what it was to be. */
static void test_restart_joining(void) {
    Room *room = room_new();
    Peer *relay;
    g_autofree char *ticket = NULL;

    room_meet(room, 2);
    relay_look_over(room, RELAY);
    ticket = peer_invite_as(&room->peers[0], MESH_ROLE_RELAY, 1);
    peer_stop(&room->peers[0]);
    peer_stop(&room->peers[1]);
    relay = room_start(room, RELAY);
    peer_begin(relay,
               (MeshIntent){.kind = MESH_INTENT_JOIN, .text = ticket, .role = MESH_ROLE_RELAY});
    room_run(room, 5 * S);
    peer_stop(relay);
    room_start(room, RELAY);
    g_assert_true(mesh_info(relay->mesh).relay);
    room_start(room, 0);
    g_assert_true(room_until(room, is_caught_up, relay));
    room_run(room, 5 * S);
    g_assert_cmpint(mesh_info(relay->mesh).own_role, ==, MESH_ROLE_RELAY);
    relay_expect_keyless(room);
    room_free(room);
}

/* ---- what it does not do ---- */

static void test_takes_no_part(void) {
    static const MeshIntentKind kinds[] = {
        MESH_INTENT_CREATE,         MESH_INTENT_ANSWER,       MESH_INTENT_INVITE,
        MESH_INTENT_EXPEL,          MESH_INTENT_SAY,          MESH_INTENT_VOICE,
        MESH_INTENT_DOCUMENT_BEGIN, MESH_INTENT_DOCUMENT_END, MESH_INTENT_DOCUMENT_FETCH,
        MESH_INTENT_MOTION_OPEN,    MESH_INTENT_VOTE,         MESH_INTENT_MOTION_CLOSE,
        MESH_INTENT_HAND,           MESH_INTENT_STREAM_START, MESH_INTENT_KEYFRAME,
    };
    Room *room = relay_room();
    Peer *relay = &room->peers[RELAY];
    size_t count = journal_count(relay->mesh->journal);
    const RoomDone *motion;
    MeshVoter voters[MESH_MEMBERS_MAX];

    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        MeshIntent intent = {.kind = kinds[i], .text = "moi aussi", .uses = 1, .size = 10};

        intent.role = MESH_ROLE_MEMBER;
        intent.stream_kind = MESH_STREAM_VOICE;
        intent.up = true;
        g_assert_cmpint(peer_ask(relay, intent)->error, ==, MESH_ERROR_RELAY);
    }
    g_assert_cmpuint(journal_count(relay->mesh->journal), ==, count);
    g_assert_cmpuint(relay->mesh->author.sequence, ==, 0);
    /* It is no voter. */
    motion = peer_ask(&room->peers[0], (MeshIntent){.kind = MESH_INTENT_MOTION_OPEN, .text = "?"});
    g_assert_cmpint(motion->error, ==, MESH_OK);
    g_assert_cmpuint(mesh_motion_voters(room->peers[0].mesh, &motion->hash, voters), ==, 2);
    room_free(room);
}

/* ---- bad relays, and bad members ---- */

static void send_as(Peer *liar, const Peer *to, uint8_t kind, Bytes body) {
    g_assert_true(
        neighbour_send(liar->mesh, peer_neighbour(liar, to), LINK_URGENT, UINT64_MAX, kind, body));
    peer_step(liar, &(MeshEvent){.kind = MESH_EVENT_TIMEOUT});
}

/* It asks for keys by every message that ever brings one. */
static void test_asks_for_keys(void) {
    Room *room = relay_room();
    Peer *relay = &room->peers[RELAY];
    uint8_t proof[DOMAIN_SIGNATURE_SIZE] = {1};
    MeshCounters before = mesh_counters(room->peers[0].mesh);

    relay->mesh->relay = false; /* it would take them, too */
    for (guint i = 0; i < 2; i++) {
        const EpochKey *key = &room->peers[0].mesh->meeting.keys[0];

        send_as(relay, &room->peers[i], MESSAGE_KEY_WANT, BYTES_OF(key->id));
        send_as(relay, &room->peers[i], MESSAGE_JOIN, BYTES_OF(proof));
        send_as(relay, &room->peers[i], MESSAGE_JOIN_RELAY, BYTES_OF(proof));
    }
    room_run(room, 60 * S);
    g_assert_cmpuint(relay_looked.opened, >, 10);
    relay_expect_keyless(room);
    g_assert_cmpuint(mesh_counters(room->peers[0].mesh).refused, >, before.refused);
    room_free(room);
}

/* It signs what it likes, in the order of its chain, and tells everyone. */
static void test_signs(void) {
    Room *room = relay_room();
    Peer *relay = &room->peers[RELAY];
    MeshCounters before[2];
    size_t count;
    PublicAct acts[] = {
        {.kind = ACT_INVITE, .invite = {.ticket = {9}, .role = MESH_ROLE_MEMBER, .uses = 9}},
        {.kind = ACT_ADMIT, .admit = {.key = room->peers[3].key, .ticket = {9}}},
        {.kind = ACT_EXPEL, .expel = {.has_key = true, .key = room->peers[1].key}},
        {.kind = ACT_EXPEL, .expel = {.all_tickets = true}},
    };

    peer_say(&room->peers[0], "avant");
    g_assert_true(room_until(room, is_caught_up, relay));
    count = journal_count(room->peers[0].mesh->journal);
    for (guint i = 0; i < 2; i++) {
        before[i] = mesh_counters(room->peers[i].mesh);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(acts); i++) {
        const Pending *written;
        g_autofree uint8_t *bytes = NULL;
        size_t length;

        relay->mesh->relay = false; /* an honest one writes nothing */
        g_assert_cmpint(
            author_write(relay->mesh, &acts[i], NULL, (AuthorAnswer){.answer = false}, NULL), ==,
            MESH_OK);
        relay->mesh->relay = true;
        written = &relay->mesh->pending[relay->mesh->pending_count - 1];
        length = written->length;
        bytes = g_memdup2(written->bytes, length);
        for (guint to = 0; to < 2; to++) {
            send_as(relay, &room->peers[to], MESSAGE_ENTRY, BYTES_AT(bytes, length));
        }
        room_run(room, S);
    }
    for (guint i = 0; i < 2; i++) {
        Mesh *mesh = room->peers[i].mesh;

        g_assert_cmpuint(mesh_counters(mesh).refused - before[i].refused, ==, G_N_ELEMENTS(acts));
        g_assert_cmpuint(journal_count(mesh->journal), ==, count);
        g_assert_cmpuint(journal_waiting(mesh->journal), ==, 0);
        g_assert_null(roster_find(&mesh->meeting.roster, &room->peers[3].key));
        g_assert_nonnull(core_member(mesh, &room->peers[1].key));
    }
    peer_say(&room->peers[1], "après");
    room_expect_message(room, 3, "après");
    room_free(room);
}

/* Members push keys and welcomes at it: an honest relay wants none. */
static void test_pushed_keys(void) {
    Room *room = relay_room();
    Peer *relay = &room->peers[RELAY];
    uint8_t welcome[MESH_HASH_SIZE + 32];
    const EpochKey *key = &room->peers[1].mesh->meeting.keys[0];

    room->filter = NULL;
    memcpy(welcome, room->peers[1].mesh->meeting.id.bytes, MESH_HASH_SIZE);
    memcpy(welcome + MESH_HASH_SIZE, key->key, 32);
    send_as(&room->peers[1], relay, MESSAGE_KEY, BYTES_OF(key->key));
    send_as(&room->peers[1], relay, MESSAGE_WELCOME, BYTES_OF(welcome));
    send_as(&room->peers[1], relay, MESSAGE_WELCOME_RELAY, BYTES_OF(welcome));
    room_run(room, 5 * S);
    relay_expect_keyless(room);
    g_assert_cmpuint(relay->mesh->meeting.key_count, ==, 0);
    g_assert_cmpuint(mesh_counters(relay->mesh).forged + mesh_counters(relay->mesh).refused, >=, 2);
    room_free(room);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(sodium_init(), >=, 0);
    g_test_add_func("/mesh/relay/join", test_join);
    g_test_add_func("/mesh/relay/look", test_look);
    g_test_add_func("/mesh/relay/absent", test_absent);
    g_test_add_func("/mesh/relay/expulsion", test_expulsion);
    g_test_add_func("/mesh/relay/tickets", test_tickets);
    g_test_add_func("/mesh/relay/revoked-ticket", test_revoked_ticket);
    g_test_add_func("/mesh/relay/used-ticket", test_used_ticket);
    g_test_add_func("/mesh/relay/restart-joining", test_restart_joining);
    g_test_add_func("/mesh/relay/takes-no-part", test_takes_no_part);
    g_test_add_func("/mesh/relay/asks-for-keys", test_asks_for_keys);
    g_test_add_func("/mesh/relay/signs", test_signs);
    g_test_add_func("/mesh/relay/pushed-keys", test_pushed_keys);
    return g_test_run();
}
