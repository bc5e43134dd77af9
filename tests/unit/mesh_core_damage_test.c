/* SPDX-License-Identifier: MPL-2.0 */
/* Whole cores in trouble: disks that refuse at every point, deaths at every moment of a join, and
 * members and strangers who send too much, or promise and never give. */
#include <sodium.h>
#include <string.h>

#include "mesh/memory.h"
#include "mesh/overlay/message.h"
#include "tests/unit/mesh_core_room.h"

/* ---- disks ---- */

static MeshError create(Peer *peer) {
    return peer_ask(peer, (MeshIntent){.kind = MESH_INTENT_CREATE, .text = "Cellule"})->error;
}

static MeshError say(Peer *peer, const char *text) {
    return peer_ask(peer, (MeshIntent){.kind = MESH_INTENT_SAY, .text = text})->error;
}

/* What the disk refused is told, was never shown, and can be done again on the same core. */
static void test_full_disk_of_author(void) {
    Room *room = room_new();
    Peer *alice = room_start(room, 0);
    g_autofree char *ticket = NULL;

    alice->disk_full = true;
    g_assert_cmpint(create(alice), ==, MESH_ERROR_STORE);
    g_assert_cmpint(mesh_info(alice->mesh).status, ==, MESH_STATUS_NEW);
    alice->disk_full = false;
    g_assert_cmpint(create(alice), ==, MESH_OK);
    g_assert_cmpint(create(alice), ==, MESH_ERROR_STATE);
    ticket = peer_invite(alice, 1);
    g_assert_cmpint(
        peer_ask(room_start(room, 1), (MeshIntent){.kind = MESH_INTENT_JOIN, .text = ticket})
            ->error,
        ==, MESH_OK);
    for (guint i = 0; i < 3; i++) {
        alice->disk_full = true;
        g_assert_cmpint(say(alice, "perdu"), ==, MESH_ERROR_STORE);
        g_assert_cmpint(
            peer_ask(alice,
                     (MeshIntent){.kind = MESH_INTENT_INVITE, .role = MESH_ROLE_MEMBER, .uses = 1})
                ->error,
            ==, MESH_ERROR_STORE);
        alice->disk_full = false;
        g_assert_cmpint(say(alice, i == 2 ? "gardé" : "un de plus"), ==, MESH_OK);
    }
    room_expect_message(room, 3, "gardé");
    for (guint i = 0; i < 2; i++) {
        g_assert_false(peer_has_message(&room->peers[i], "perdu"));
        g_assert_cmpuint(mesh_message_count(room->peers[i].mesh), ==, 3);
    }
    /* Nor does it come back with the next life. */
    peer_stop(alice);
    room_start(room, 0);
    g_assert_cmpuint(mesh_message_count(alice->mesh), ==, 3);
    room_free(room);
}

/* Who cannot keep what it receives shows nothing of it, and gets it later. */
static void test_full_disk_of_reader(void) {
    Room *room = room_new();
    Peer *bob = &room->peers[1];

    room_meet(room, 2);
    bob->disk_full = true;
    peer_say(&room->peers[0], "attends");
    room_run(room, 20 * S);
    g_assert_false(peer_has_message(bob, "attends"));
    bob->disk_full = false;
    room_expect_message(room, 3, "attends");
    room_free(room);
}

/* The one who admits cannot write it down: the joiner waits, and comes in when there is room. */
static void test_full_disk_of_admitter(void) {
    Room *room = room_new();
    Peer *alice = &room->peers[0];
    g_autofree char *ticket = NULL;
    uint64_t tag;

    room_meet(room, 1);
    ticket = peer_invite(alice, 1);
    alice->disk_full = true;
    tag = peer_begin(room_start(room, 1), (MeshIntent){.kind = MESH_INTENT_JOIN, .text = ticket});
    room_run(room, 20 * S);
    g_assert_null(peer_result(&room->peers[1], tag));
    alice->disk_full = false;
    room_run(room, 10 * S);
    g_assert_nonnull(peer_result(&room->peers[1], tag));
    g_assert_cmpint(peer_result(&room->peers[1], tag)->error, ==, MESH_OK);
    room_free(room);
}

static void test_full_disk_of_document(void) {
    Room *room = room_new();
    Peer *alice = &room->peers[0];
    MeshIntent intent = {.kind = MESH_INTENT_DOCUMENT_BEGIN, .text = "plan.pdf", .size = 9000};
    uint8_t bytes[4096] = {1};
    MeshDocument document;

    room_meet(room, 2);
    for (guint round = 0; round < 2; round++) {
        intent.kind = MESH_INTENT_DOCUMENT_BEGIN;
        intent.hash = peer_ask(alice, intent)->hash;
        for (guint leaf = 0; leaf < 3; leaf++) {
            intent.kind = MESH_INTENT_DOCUMENT_LEAF;
            intent.bytes = BYTES_AT(bytes, leaf < 2 ? 4096 : 9000 - 2 * 4096);
            alice->disk_full = round == 0 && leaf == 1;
            g_assert_cmpint(peer_ask(alice, intent)->error, ==,
                            round == 0 && leaf >= 1 ? MESH_ERROR_STORE : MESH_OK);
            alice->disk_full = false;
        }
        intent.kind = MESH_INTENT_DOCUMENT_END;
        g_assert_cmpint(peer_ask(alice, intent)->error, ==,
                        round == 0 ? MESH_ERROR_STORE : MESH_OK);
        intent.kind = MESH_INTENT_DOCUMENT_CANCEL;
        g_assert_cmpint(peer_ask(alice, intent)->error, ==,
                        round == 0 ? MESH_OK : MESH_ERROR_UNKNOWN);
    }
    room_run(room, 5 * S);
    for (guint i = 0; i < 2; i++) {
        g_assert_true(mesh_document(room->peers[i].mesh, 0, &document));
        g_assert_cmpuint(document.have, ==, 9000);
        g_assert_false(mesh_document(room->peers[i].mesh, 1, &document));
    }
    room_free(room);
}

/* ---- deaths ---- */

/* The joiner dies after its first, second, third … event, starts again and gets in. */
static void test_death_while_joining(void) {
    for (guint moment = 1; moment < 60; moment++) {
        Room *room = room_new();
        Peer *bob;
        g_autofree char *ticket = NULL;

        room_meet(room, 1);
        ticket = peer_invite(&room->peers[0], 1);
        bob = room_start(room, 1);
        bob->crash_in = moment + 1; /* the intent itself is an event */
        peer_begin(bob, (MeshIntent){.kind = MESH_INTENT_JOIN, .text = ticket});
        room_run(room, 3 * S);
        if (!bob->mesh) {
            room_start(room, 1);
        }
        bob->crash_in = 0;
        room_run(room, 10 * S);
        if (mesh_info(bob->mesh).status == MESH_STATUS_NEW) {
            /* It died before anything was on disk: its person asks again. */
            g_assert_cmpuint(moment, <=, 2);
        } else {
            g_assert_cmpint(mesh_info(bob->mesh).status, ==, MESH_STATUS_MEMBER);
            g_assert_cmpuint(mesh_info(room->peers[0].mesh).members, ==, 2);
            g_assert_cmpstr(mesh_info(bob->mesh).title, ==, "Cellule");
            peer_say(bob, "me voilà");
            room_expect_message(room, 3, "me voilà");
        }
        room_free(room);
    }
}

/* The one who admits dies instead. */
static void test_death_while_admitting(void) {
    for (guint moment = 1; moment < 40; moment++) {
        Room *room = room_new();
        Peer *alice = &room->peers[0];
        g_autofree char *ticket = NULL;
        uint64_t tag;

        room_meet(room, 1);
        ticket = peer_invite(alice, 1);
        alice->crash_in = moment;
        tag =
            peer_begin(room_start(room, 1), (MeshIntent){.kind = MESH_INTENT_JOIN, .text = ticket});
        room_run(room, 3 * S);
        if (!alice->mesh) {
            room_start(room, 0);
        }
        alice->crash_in = 0;
        room_run(room, 25 * S);
        g_assert_nonnull(peer_result(&room->peers[1], tag));
        g_assert_cmpint(peer_result(&room->peers[1], tag)->error, ==, MESH_OK);
        g_assert_cmpuint(mesh_info(alice->mesh).members, ==, 2);
        room_free(room);
    }
}

/* ---- too much ---- */

static void tell(Peer *from, const Peer *to, uint8_t kind, Bytes body) {
    neighbour_send(from->mesh, peer_neighbour(from, to), LINK_URGENT, UINT64_MAX, kind, body);
    peer_step(from, &(MeshEvent){.kind = MESH_EVENT_TIMEOUT});
}

/* An entry of this meeting by an author whom nobody admitted, citing what nobody has. */
static size_t write_strange(const Mesh *mesh, guint number, uint8_t ret_bytes[MESH_ENTRY_MAX]) {
    EntryDraft draft = {.meeting = &mesh->meeting.id, .public_act = BYTES_AT("x", 1)};
    uint8_t seed[MESH_SEED_SIZE] = {9, (uint8_t)number, (uint8_t)(number >> 8)};
    MeshHash cited = {{9, (uint8_t)number, (uint8_t)(number >> 8)}};
    Identity author;
    size_t length;

    identity_init(&author, seed);
    draft.cited = &cited;
    draft.cited_count = number % 2;
    g_assert_cmpint(entry_write(&draft, &author, ret_bytes, &length), ==, MESH_OK);
    return length;
}

/* A member passes on more entries of strangers than there is room for: the others talk on. */
static void test_waiting_entries(void) {
    Room *room = room_new();
    Peer *alice = &room->peers[0];
    Peer *liar = &room->peers[1];

    room_meet(room, 3);
    for (guint i = 0; i < MESH_PENDING_MAX + 200; i++) {
        uint8_t bytes[MESH_ENTRY_MAX];
        size_t length = write_strange(liar->mesh, i, bytes);

        tell(liar, alice, MESSAGE_ENTRY, BYTES_AT(bytes, length));
        room_run(room, 2 * MS);
    }
    g_assert_cmpuint(journal_waiting(alice->mesh->journal), ==, MESH_PENDING_MAX);
    g_assert_cmpuint(mesh_counters(alice->mesh).limited, >=, 200);
    g_assert_cmpuint(alice->items->len, <, MESH_PENDING_MAX + 100);
    peer_say(&room->peers[2], "on continue");
    room_expect_message(room, 7, "on continue");
    peer_say(alice, "oui");
    room_expect_message(room, 7, "oui");
    room_free(room);
}

/* It claims entries that are nobody's, and asks for everything, again and again. */
static void test_claims(void) {
    Room *room = room_new();
    Peer *alice = &room->peers[0];
    uint8_t body[20000];

    room_meet(room, 3);
    for (guint round = 0; round < 20; round++) {
        BytesWriter writer = bytes_writer(body, sizeof body);

        for (guint i = 0; i < 600; i++) {
            bytes_write_u64(&writer, i * 77 + round * 100000);
            bytes_write_varint(&writer, i % 3 ? 5 : MESH_ENTRIES_MAX);
            bytes_write_u64(&writer, i);
        }
        tell(&room->peers[1], alice, MESSAGE_CLOCK, BYTES_AT(body, bytes_written(&writer)));
        writer = bytes_writer(body, sizeof body);
        for (guint i = 0; i < 600; i++) {
            const Chain *chain = journal_chain(alice->mesh->journal, i % 3);

            bytes_write(&writer, chain->tag, sizeof chain->tag);
            bytes_write_varint(&writer, 0);
            bytes_write_varint(&writer, MESH_ENTRIES_MAX);
        }
        tell(&room->peers[1], alice, MESSAGE_PULL, BYTES_AT(body, bytes_written(&writer)));
        room_run(room, S);
    }
    for (uint32_t slot = 0; slot < MESH_PEERS_MAX; slot++) {
        const SyncPeer *peer = alice->mesh->sync.peers[slot];

        g_assert_true(!peer || (peer->asked_count <= SYNC_RANGES_SIZE &&
                                peer->serve_count <= SYNC_RANGES_SIZE));
    }
    peer_say(&room->peers[2], "toujours là");
    room_expect_message(room, 5, "toujours là");
    room_run(room, 60 * S);
    room_free(room);
}

/* It has the document, as it says, and gives no block: the other one does. */
static bool silent;

static bool no_documents(Room *room, guint from, guint to, uint8_t *bytes, size_t length) {
    return !(silent && from == 1 && to == 2 && length > 600);
}

static void test_silent_neighbour(void) {
    Room *room = room_new();
    Peer *alice = &room->peers[0];
    MeshIntent intent = {.kind = MESH_INTENT_DOCUMENT_BEGIN, .text = "plan.pdf", .size = 40960};
    static const uint8_t bytes[4096] = {7};
    MeshDocument document;

    room_meet(room, 3);
    peer_stop(&room->peers[2]);
    intent.hash = peer_ask(alice, intent)->hash;
    intent.kind = MESH_INTENT_DOCUMENT_LEAF;
    intent.bytes = BYTES_OF(bytes);
    for (guint leaf = 0; leaf < 10; leaf++) {
        g_assert_cmpint(peer_ask(alice, intent)->error, ==, MESH_OK);
    }
    intent.kind = MESH_INTENT_DOCUMENT_END;
    g_assert_cmpint(peer_ask(alice, intent)->error, ==, MESH_OK);
    room_run(room, 5 * S);
    silent = true;
    room->filter = no_documents;
    room_start(room, 2);
    room_run(room, 200 * S);
    g_assert_true(mesh_document(room->peers[2].mesh, 0, &document));
    g_assert_cmpuint(document.have, ==, 40960);
    silent = false;
    room_free(room);
}

/* Holders of a ticket who only knock fill no more than their share of slots, and not for long. */
static void test_strangers(void) {
    Room *room = room_new();
    Peer *alice = &room->peers[0];
    g_autofree char *ticket_text = NULL;
    uint8_t psk[HANDSHAKE_PSK_SIZE];
    guint taken = 0;
    Ticket ticket;
    Identity self;

    room_meet(room, 1);
    ticket_text = peer_invite(alice, 1);
    g_assert_cmpint(ticket_read(ticket_text, &ticket), ==, MESH_OK);
    ticket_psk(ticket.secret, psk);
    identity_init(&self, (const uint8_t[MESH_SEED_SIZE]){1});
    for (guint i = 0; i < 3 * MESH_PEERS_MAX; i++) {
        MeshEvent event = {.kind = MESH_EVENT_DATAGRAM};
        uint8_t payload[1 + MESH_KEY_SIZE + 4 + 1 + 1] = {1};
        uint8_t bytes[MESH_DATAGRAM_MAX];
        Handshake handshake;
        Identity stranger;
        size_t length;

        identity_init(&stranger, (const uint8_t[MESH_SEED_SIZE]){77, (uint8_t)i});
        memcpy(payload + 1, stranger.key.bytes, MESH_KEY_SIZE);
        g_assert_cmpint(handshake_begin(&handshake, &stranger, self.static_public, psk,
                                        (const uint8_t[32]){(uint8_t)i}, BYTES_OF(payload), bytes,
                                        &length),
                        ==, MESH_OK);
        event.datagram.path = room->peers[3].address;
        event.datagram.bytes = bytes;
        event.datagram.length = length;
        peer_step(alice, &event);
    }
    for (uint32_t slot = 0; slot < MESH_PEERS_MAX; slot++) {
        taken += neighbour_at(alice->mesh, slot) != NULL;
    }
    g_assert_cmpuint(taken, ==, MESH_HALF_OPEN_MAX);
    room_run(room, 61 * S);
    for (uint32_t slot = 0; slot < MESH_PEERS_MAX; slot++) {
        g_assert_null(neighbour_at(alice->mesh, slot));
    }
    g_assert_cmpint(
        peer_ask(room_start(room, 1), (MeshIntent){.kind = MESH_INTENT_JOIN, .text = ticket_text})
            ->error,
        ==, MESH_OK);
    room_free(room);
}

/* Admits somebody who never comes. */
static MeshKey admit_absent(Peer *by, const char *ticket_text, guint number) {
    PublicAct act = {.kind = ACT_ADMIT};
    uint8_t seed[MESH_SEED_SIZE];
    Identity absent, ticket_key;
    Ticket ticket;

    g_assert_cmpint(ticket_read(ticket_text, &ticket), ==, MESH_OK);
    ticket_seed(ticket.secret, seed);
    identity_init(&ticket_key, seed);
    identity_init(&absent, (const uint8_t[MESH_SEED_SIZE]){88, (uint8_t)number});
    act.admit.key = absent.key;
    ticket_id(ticket.secret, act.admit.ticket);
    domain_sign(&ticket_key, "ticket proof", NULL, BYTES_OF(absent.key.bytes), act.admit.proof);
    g_assert_cmpint(author_write(by->mesh, &act, NULL, (AuthorAnswer){0}, NULL), ==, MESH_OK);
    return absent.key;
}

/* More members than slots, of all of whom an address is known, and none of them there: each is
 * looked for in turn, and whoever comes finds room. */
static void test_absent_members(void) {
    enum { ABSENT = MESH_PEERS_MAX + 30 };
    Room *room = room_new();
    Peer *alice = &room->peers[0];
    g_autofree char *ticket = NULL;
    MeshKey keys[ABSENT];
    bool sought[ABSENT] = {false};
    guint count = 0;

    room_meet(room, 1);
    ticket = peer_invite(alice, ABSENT + 1);
    for (guint i = 0; i < ABSENT; i++) {
        keys[i] = admit_absent(alice, ticket, i);
        reach_hearsay(alice->mesh, &keys[i],
                      &(MeshPath){.kind = MESH_PATH_KNOCK,
                                  .family = 4,
                                  .port = (uint16_t)(1000 + i),
                                  .ip = {203, 0, 113, 1}});
    }
    for (guint i = 0; i < 200; i++) {
        room_run(room, 10 * S);
        for (guint k = 0; k < ABSENT; k++) {
            sought[k] = sought[k] || neighbour_find(alice->mesh, &keys[k]);
        }
    }
    for (guint k = 0; k < ABSENT; k++) {
        count += sought[k];
    }
    g_assert_cmpuint(mesh_info(alice->mesh).members, ==, ABSENT + 1);
    g_assert_cmpuint(count, ==, ABSENT);
    g_assert_cmpint(
        peer_ask(room_start(room, 1), (MeshIntent){.kind = MESH_INTENT_JOIN, .text = ticket})
            ->error,
        ==, MESH_OK);
    peer_say(alice, "enfin quelqu'un");
    room_expect_message(room, 3, "enfin quelqu'un");
    room_free(room);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(sodium_init(), >=, 0);
    g_test_add_func("/mesh/core-damage/full-disk-of-author", test_full_disk_of_author);
    g_test_add_func("/mesh/core-damage/full-disk-of-reader", test_full_disk_of_reader);
    g_test_add_func("/mesh/core-damage/full-disk-of-admitter", test_full_disk_of_admitter);
    g_test_add_func("/mesh/core-damage/full-disk-of-document", test_full_disk_of_document);
    g_test_add_func("/mesh/core-damage/death-while-joining", test_death_while_joining);
    g_test_add_func("/mesh/core-damage/death-while-admitting", test_death_while_admitting);
    g_test_add_func("/mesh/core-damage/waiting-entries", test_waiting_entries);
    g_test_add_func("/mesh/core-damage/claims", test_claims);
    g_test_add_func("/mesh/core-damage/silent-neighbour", test_silent_neighbour);
    g_test_add_func("/mesh/core-damage/strangers", test_strangers);
    g_test_add_func("/mesh/core-damage/absent-members", test_absent_members);
    return g_test_run();
}
