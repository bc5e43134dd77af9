/* SPDX-License-Identifier: MPL-2.0 */
/* A relay among members: what it carries and keeps, that no key of the meeting ever reaches it, and
 * what a bad one can do. */
#include <sodium.h>
#include <string.h>

#include "mesh/overlay/message.h"
#include "tests/unit/mesh_core_room.h"

#define RELAY  2
#define TITLE  "Cellule"
#define SECRET "le pont de Moissac est fermé"

/* ---- who looks over its shoulder ---- */

/* What comes to one node, its links opened with the keys of whoever sends. */
static struct {
    guint to;
    guint opened;  /* datagrams */
    guint keys;    /* epoch keys in them */
    guint tickets; /* secrets of tickets */
    guint words;   /* of people */
} looked;

static void look_at(const Meeting *meeting, Bytes plain) {
    static const char *const words[] = {TITLE, SECRET, "Alice", "Bob", "Chloé", "David"};

    looked.opened++;
    for (size_t i = 0; i < meeting->key_count; i++) {
        looked.keys += bytes_hold(plain, BYTES_OF(meeting->keys[i].key));
    }
    for (size_t i = 0; i < meeting->roster.invite_count; i++) {
        looked.tickets += bytes_hold(plain, BYTES_OF(meeting->roster.invites[i].psk));
    }
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        looked.words += bytes_hold(plain, BYTES_AT(words[i], strlen(words[i])));
    }
}

static bool open_as(const Keys *keys, Bytes datagram, uint8_t *ret_plain, size_t *ret_length) {
    HandshakeKeys swapped;
    SessionKind kind;
    uint64_t counter;
    Session session;
    MeshError error;

    memcpy(swapped.send, keys->session.keys.receive, sizeof swapped.send);
    memcpy(swapped.receive, keys->session.keys.send, sizeof swapped.receive);
    session_init(&session, &swapped, keys->session.phase);
    error = session_open(&session, datagram, &kind, &counter, ret_plain, ret_length);
    return !error;
}

static bool look(Room *room, guint from, guint to, uint8_t *bytes, size_t length) {
    Neighbour *neighbour =
        to == looked.to ? peer_neighbour(&room->peers[from], &room->peers[to]) : NULL;
    uint8_t plain[MESH_DATAGRAM_MAX];
    size_t plain_length;

    for (guint i = 0; neighbour && i < MESH_KEYS_MAX; i++) {
        const Keys *keys = neighbour->keyring.keys[i];

        if (keys && open_as(keys, BYTES_AT(bytes, length), plain, &plain_length)) {
            look_at(&room->peers[from].mesh->meeting, BYTES_AT(plain, plain_length));
        }
    }
    return true;
}

static void look_over(Room *room, guint to) {
    memset(&looked, 0, sizeof looked);
    looked.to = to;
    room->filter = look;
}

/* ---- a meeting with a relay ---- */

/* 0 founds, 1 is a member, 2 a relay; all are linked, and the way to the relay is looked at. */
static Room *room_with_relay(void) {
    Room *room = room_new();
    g_autofree char *ticket = NULL;

    room_meet(room, 2);
    look_over(room, RELAY);
    ticket = peer_invite_as(&room->peers[0], MESH_ROLE_RELAY, 1);
    g_assert_cmpint(room_join(room, RELAY, ticket, true), ==, MESH_OK);
    room_run(room, 5 * S);
    for (guint i = 0; i < 2; i++) {
        g_assert_true(peer_is_linked(&room->peers[i], &room->peers[RELAY]));
        g_assert_true(neighbour_is_greeted(room->peers[i].mesh,
                                           peer_neighbour(&room->peers[i], &room->peers[RELAY])));
    }
    return room;
}

static void expect_keyless(Room *room) {
    const Peer *relay = &room->peers[RELAY];
    const Meeting *meeting = &room->peers[0].mesh->meeting;

    g_assert_cmpuint(looked.keys, ==, 0);
    g_assert_cmpuint(looked.tickets, ==, 0);
    g_assert_cmpuint(looked.words, ==, 0);
    g_assert_cmpuint(meeting->key_count, >, 0);
    for (size_t i = 0; i < meeting->key_count; i++) {
        g_assert_false(peer_keeps(relay, BYTES_OF(meeting->keys[i].key)));
    }
    for (size_t i = 0; i < meeting->roster.invite_count; i++) {
        g_assert_false(peer_keeps(relay, BYTES_OF(meeting->roster.invites[i].psk)));
    }
    g_assert_false(peer_keeps(relay, BYTES_AT(SECRET, strlen(SECRET))));
    g_assert_false(peer_keeps(relay, BYTES_AT(TITLE, strlen(TITLE))));
    g_assert_cmpuint(relay->mesh->meeting.key_count, ==, 0);
    g_assert_cmpuint(mesh_message_count(relay->mesh), ==, 0);
    g_assert_cmpstr(mesh_info(relay->mesh).title, ==, "");
}

static bool is_caught_up(Peer *relay) {
    return journal_count(relay->mesh->journal) ==
           journal_count(relay->room->peers[0].mesh->journal);
}

static void test_join(void) {
    Room *room = room_with_relay();
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
    g_assert_cmpuint(looked.opened, >, 20);
    expect_keyless(room);
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
    look_over(room, RELAY);
    ticket = peer_invite(&room->peers[0], 1);
    g_assert_cmpint(room_join(room, RELAY, ticket, false), ==, MESH_OK);
    room_run(room, 5 * S);
    g_assert_cmpuint(looked.keys, >, 0);
    g_assert_true(
        peer_keeps(&room->peers[RELAY], BYTES_OF(room->peers[0].mesh->meeting.keys[0].key)));
    room_free(room);
}

/* One writes and goes, then the other comes: it is there all the same. */
static void test_absent(void) {
    Room *room = room_with_relay();
    Peer *relay = &room->peers[RELAY];

    peer_stop(&room->peers[1]);
    room_run(room, 60 * S);
    peer_say(&room->peers[0], SECRET);
    g_assert_true(room_until(room, is_caught_up, relay));
    expect_keyless(room);
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
    expect_keyless(room);
    room_free(room);
}

static void test_expulsion(void) {
    Room *room = room_with_relay();
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
    expect_keyless(room);
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
    Room *room = room_with_relay();
    g_autofree char *for_relay = peer_invite_as(&room->peers[0], MESH_ROLE_RELAY, 1);
    g_autofree char *for_member = peer_invite(&room->peers[0], 1);
    const Roster *roster = &room->peers[0].mesh->meeting.roster;
    MeshIntent join = {.kind = MESH_INTENT_JOIN, .text = for_relay};

    look_over(room, 3);
    g_assert_cmpint(room_join(room, 3, for_member, true), ==, MESH_ERROR_TICKET_MEMBER);
    g_assert_cmpint(peer_ask(&room->peers[3], join)->error, ==, MESH_ERROR_TICKET_RELAY);
    g_assert_cmpuint(looked.keys, ==, 0);
    for (size_t i = 0; i < roster->invite_count; i++) {
        g_assert_true(roster->invites[i].role == MESH_ROLE_RELAY || roster->invites[i].used <= 1);
    }
    /* Neither was used up: both lead in whom they are for. */
    join.text = for_member;
    g_assert_cmpint(peer_ask(&room->peers[3], join)->error, ==, MESH_OK);
    g_assert_cmpuint(looked.keys, >, 0);
    /* The relay knows the tickets of its meeting, and of no other. */
    join.text = for_relay;
    g_assert_cmpint(peer_ask(&room->peers[RELAY], join)->error, ==, MESH_ERROR_ALREADY_MEMBER);
    join.text = "maillon:aaaa";
    g_assert_cmpint(peer_ask(&room->peers[RELAY], join)->error, ==, MESH_ERROR_TICKET_MISTYPED);
    room_free(room);
}

static void test_revoked_ticket(void) {
    Room *room = room_with_relay();
    g_autofree char *ticket = peer_invite_as(&room->peers[0], MESH_ROLE_RELAY, 5);

    look_over(room, 3);
    g_assert_cmpint(peer_ask(&room->peers[0], (MeshIntent){.kind = MESH_INTENT_EXPEL})->error, ==,
                    MESH_OK);
    g_assert_cmpint(room_join(room, 3, ticket, true), ==, MESH_ERROR_TICKET_REVOKED);
    g_assert_false(mesh_info(room->peers[3].mesh).relay);
    g_assert_false(peer_keeps(&room->peers[3], BYTES_OF(room->peers[0].mesh->psk)));
    g_assert_cmpuint(looked.keys, ==, 0);
    room_free(room);
}

static void test_used_ticket(void) {
    Room *room = room_new();
    g_autofree char *ticket = NULL;

    room_meet(room, 1);
    look_over(room, 3);
    ticket = peer_invite_as(&room->peers[0], MESH_ROLE_RELAY, 1);
    g_assert_cmpint(room_join(room, RELAY, ticket, true), ==, MESH_OK);
    g_assert_cmpint(room_join(room, 3, ticket, true), ==, MESH_ERROR_TICKET_USED);
    g_assert_cmpuint(looked.keys, ==, 0);
    g_assert_cmpuint(mesh_info(room->peers[0].mesh).members, ==, 1);
    room_free(room);
}

/* Killed while it looks for the meeting, it goes on as what it was to be. */
static void test_restart_joining(void) {
    Room *room = room_new();
    Peer *relay;
    g_autofree char *ticket = NULL;

    room_meet(room, 2);
    look_over(room, RELAY);
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
    expect_keyless(room);
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
    Room *room = room_with_relay();
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
    Room *room = room_with_relay();
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
    g_assert_cmpuint(looked.opened, >, 10);
    expect_keyless(room);
    g_assert_cmpuint(mesh_counters(room->peers[0].mesh).refused, >, before.refused);
    room_free(room);
}

/* It signs what it likes, in the order of its chain, and tells everyone. */
static void test_signs(void) {
    Room *room = room_with_relay();
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

/* ---- what it carries, and does not ---- */

static bool not_directly(Room *room, guint from, guint to, uint8_t *bytes, size_t length) {
    return !(from <= 1 && to <= 1);
}

/* 0 and 1 are members whom nothing joins but a relay and a member, 2 and 3. */
static Room *room_apart(void) {
    Room *room = room_with_relay();
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

/* Members push keys and welcomes at it: an honest relay wants none. */
static void test_pushed_keys(void) {
    Room *room = room_with_relay();
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
    expect_keyless(room);
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
    g_test_add_func("/mesh/relay/passed-by", test_passed_by);
    g_test_add_func("/mesh/relay/carries-so-much", test_carries_so_much);
    g_test_add_func("/mesh/relay/pushed-keys", test_pushed_keys);
    return g_test_run();
}
