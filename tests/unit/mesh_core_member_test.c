/* SPDX-License-Identifier: MPL-2.0 */
/* Whole cores against each other: tickets of every kind, and expulsions. */
#include <sodium.h>
#include <string.h>

#include "mesh/overlay/message.h"
#include "tests/unit/mesh_core_room.h"

#define DAY_S 86400

/* ---- tickets ---- */

static MeshError join(Room *room, guint number, const char *ticket) {
    Peer *peer = &room->peers[number];

    if (!peer->mesh) {
        room_start(room, number);
    }
    return peer_ask(peer, (MeshIntent){.kind = MESH_INTENT_JOIN, .text = ticket})->error;
}

static char *invite_until(Peer *peer, uint64_t expires_at) {
    return g_strdup(peer_ask(peer, (MeshIntent){.kind = MESH_INTENT_INVITE,
                                                .role = MESH_ROLE_MEMBER,
                                                .uses = 1,
                                                .expires_at = expires_at})
                        ->text);
}

/* Each reason is told, and the next ticket still leads in, on the same core. */
static void test_tickets(void) {
    Room *room = room_new();
    Peer *alice = &room->peers[0];
    g_autofree char *expired = NULL;
    g_autofree char *revoked = NULL;
    g_autofree char *good = NULL;
    g_autofree char *last = NULL;

    room_meet(room, 1);
    expired = invite_until(alice, ROOM_BEGIN_S);
    revoked = peer_invite(alice, 1);
    g_assert_cmpint(peer_ask(alice, (MeshIntent){.kind = MESH_INTENT_EXPEL})->error, ==, MESH_OK);
    good = peer_invite(alice, 1);
    last = peer_invite(alice, 1);
    g_assert_cmpint(join(room, 1, "maillon:abc"), ==, MESH_ERROR_TICKET_MISTYPED);
    g_assert_cmpint(join(room, 1, expired), ==, MESH_ERROR_TICKET_REVOKED);
    g_assert_cmpint(join(room, 1, revoked), ==, MESH_ERROR_TICKET_REVOKED);
    g_assert_cmpint(join(room, 1, good), ==, MESH_OK);
    g_assert_cmpint(join(room, 1, good), ==, MESH_ERROR_ALREADY_MEMBER);
    g_assert_cmpint(join(room, 0, good), ==, MESH_ERROR_ALREADY_MEMBER);
    g_assert_cmpint(join(room, 2, good), ==, MESH_ERROR_TICKET_USED);
    g_free(expired);
    expired = invite_until(alice, ROOM_BEGIN_S);
    g_assert_cmpint(join(room, 2, expired), ==, MESH_ERROR_TICKET_EXPIRED);
    g_assert_cmpint(join(room, 2, last), ==, MESH_OK);
    room_run(room, 90 * S);
    g_assert_cmpuint(mesh_info(alice->mesh).members, ==, 3);
    room_free(room);
}

/* Nobody here knows the ticket: no answer at all, whatever is sent. */
static void test_ticket_of_another_meeting(void) {
    Room *room = room_new();
    Peer *david = room_start(room, 3);
    Peer *chloe;
    g_autofree char *ticket = NULL;
    uint64_t tag, out;

    g_assert_cmpint(
        peer_ask(david, (MeshIntent){.kind = MESH_INTENT_CREATE, .text = "Ailleurs"})->error, ==,
        MESH_OK);
    ticket = peer_invite(david, 1);
    peer_stop(david);
    room_meet(room, 2);
    room_run(room, 30 * S);
    out = mesh_counters(room->peers[0].mesh).datagrams_out;
    chloe = room_start(room, 2);
    tag = peer_begin(chloe, (MeshIntent){.kind = MESH_INTENT_JOIN, .text = ticket});
    room_run(room, 60 * S);
    g_assert_null(peer_result(chloe, tag));
    g_assert_cmpuint(mesh_counters(chloe->mesh).datagrams_in, ==, 0);
    g_assert_cmpuint(mesh_counters(room->peers[0].mesh).foreign, >, 0);
    g_assert_cmpuint(mesh_counters(room->peers[0].mesh).datagrams_out - out, <, 100);
    g_assert_cmpint(mesh_info(chloe->mesh).status, ==, MESH_STATUS_JOINING);
    room_free(room);
}

/* Two at the last use of a ticket: one comes in, the other is told. */
static void test_last_use(void) {
    Room *room = room_new();
    g_autofree char *ticket = NULL;
    uint64_t tags[2];
    guint in = 0;
    guint used = 0;

    room_meet(room, 1);
    ticket = peer_invite(&room->peers[0], 1);
    for (guint i = 0; i < 2; i++) {
        tags[i] = peer_begin(room_start(room, i + 1),
                             (MeshIntent){.kind = MESH_INTENT_JOIN, .text = ticket});
    }
    room_run(room, 10 * S);
    for (guint i = 0; i < 2; i++) {
        const RoomDone *done = peer_result(&room->peers[i + 1], tags[i]);

        g_assert_nonnull(done);
        in += done->error == MESH_OK;
        used += done->error == MESH_ERROR_TICKET_USED;
    }
    g_assert_cmpuint(in, ==, 1);
    g_assert_cmpuint(used, ==, 1);
    room_free(room);
}

/* ---- expulsion ---- */

static void speak(Peer *peer, guint frames) {
    for (guint i = 0; i < frames; i++) {
        peer_step(peer, &(MeshEvent){.kind = MESH_EVENT_FRAME,
                                     .frame = {.kind = MESH_STREAM_VOICE,
                                               .number = peer->drawn + i,
                                               .duration_ms = 20,
                                               .payload = BYTES_AT("a voice", 7)}});
        room_run(peer->room, 20 * MS);
    }
}

static void expel(Peer *by, const Peer *whom) {
    g_assert_cmpint(peer_ask(by, (MeshIntent){.kind = MESH_INTENT_EXPEL, .key = whom->key})->error,
                    ==, MESH_OK);
}

static void test_expel(void) {
    Room *room = room_new();
    Peer *alice = &room->peers[0];
    Peer *bob = &room->peers[1];
    Peer *chloe = &room->peers[2];
    guint heard, chloe_heard;

    room_meet(room, 3);
    g_assert_cmpint(peer_ask(alice, (MeshIntent){.kind = MESH_INTENT_STREAM_START,
                                                 .stream_kind = MESH_STREAM_VOICE})
                        ->error,
                    ==, MESH_OK);
    speak(alice, 20);
    g_assert_cmpuint(bob->frames, >=, 19);
    expel(alice, chloe);
    room_run(room, S);
    heard = bob->frames;
    chloe_heard = chloe->frames;
    speak(alice, 20);
    /* The new key was pulled, the voice goes on under it; whoever is out hears nothing. */
    g_assert_cmpuint(bob->frames, >=, heard + 19);
    g_assert_cmpuint(bob->opened, ==, bob->closed + 1);
    g_assert_cmpuint(chloe->frames, ==, chloe_heard);
    g_assert_cmpuint(chloe->notices[MESH_NOTICE_EXPELLED], ==, 1);
    g_assert_cmpint(mesh_info(chloe->mesh).status, ==, MESH_STATUS_EXPELLED);
    peer_say(alice, "entre nous");
    room_expect_message(room, 3, "entre nous");
    room_run(room, 30 * S);
    g_assert_false(peer_has_message(chloe, "entre nous"));
    g_assert_null(peer_neighbour(alice, chloe));
    g_assert_null(peer_neighbour(chloe, alice));
    g_assert_cmpint(
        peer_ask(chloe, (MeshIntent){.kind = MESH_INTENT_SAY, .text = "et moi ?"})->error, ==,
        MESH_ERROR_STATE);
    /* Nor does another life bring it back in. */
    peer_stop(chloe);
    room_start(room, 2);
    room_run(room, 60 * S);
    g_assert_cmpint(mesh_info(chloe->mesh).status, ==, MESH_STATUS_EXPELLED);
    g_assert_null(peer_neighbour(alice, chloe));
    room_free(room);
}

/* Two epochs begin while somebody is away: what was sealed under each is read. */
static void test_epochs_missed(void) {
    Room *room = room_new();
    Peer *alice = &room->peers[0];

    room_meet(room, 4);
    peer_stop(&room->peers[1]);
    expel(alice, &room->peers[2]);
    peer_say(alice, "la première");
    expel(alice, &room->peers[3]);
    peer_say(alice, "la seconde");
    room_start(room, 1);
    room_expect_message(room, 3, "la première");
    room_expect_message(room, 3, "la seconde");
    g_assert_cmpuint(mesh_info(room->peers[1].mesh).epoch, ==, 2);
    room_free(room);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(sodium_init(), >=, 0);
    g_test_add_func("/mesh/core/tickets", test_tickets);
    g_test_add_func("/mesh/core/ticket-of-another-meeting", test_ticket_of_another_meeting);
    g_test_add_func("/mesh/core/last-use", test_last_use);
    g_test_add_func("/mesh/core/expel", test_expel);
    g_test_add_func("/mesh/core/epochs-missed", test_epochs_missed);
    return g_test_run();
}
