/* SPDX-License-Identifier: MPL-2.0 */
/* Entries told briefly to who has the one before: whole again byte for byte, or asked for whole. */
#include <string.h>

#include "mesh/journal/brief.h"
#include "tests/unit/mesh_core_room.h"
#include "tests/unit/mesh_writer.h"

#define LEFT 90 /* bytes of an entry that are spared at least */

static const MeshHash MEETING = {"a meeting id of thirty-two byte"};

enum { FIRST, SECOND, OTHER_KEY, CLEAR, AFTER_CLEAR, COUNT };

/* One chain, of which the third is under another key, and the fourth not sealed. */
typedef struct {
    Written written[COUNT];
    Journal *journal;
} World;

static bool allow(void *context, const Entry *entry) {
    (void)context;
    return entry != NULL;
}

static void hold(Journal *journal, const Written *written) {
    uint64_t refused = 0;
    bool forked;

    g_assert_cmpint(journal_hold(journal, written->bytes, written->length), ==, MESH_OK);
    while (journal_apply_next(journal, allow, NULL, &forked, &refused)) {
    }
}

static void world_init(World *world) {
    static const char plain[] = "what only members read";
    EpochKey keys[2];
    Writer author;

    writer_init(&author, 1);
    epoch_key_init(&keys[0], (const uint8_t *)"the key of the epoch, 32 bytes..");
    epoch_key_init(&keys[1], (const uint8_t *)"the key of the next, of 32 bytes");
    for (guint i = 0; i < COUNT; i++) {
        bool sealed = i != CLEAR;

        writer_write(&author, &MEETING, NULL, 0, sealed ? BYTES_NONE : BYTES_AT("x", 1),
                     sealed ? BYTES_OF(plain) : BYTES_NONE, sealed ? &keys[i == OTHER_KEY] : NULL,
                     &world->written[i]);
    }
    world->journal = journal_create();
    for (guint i = 0; i < COUNT; i++) {
        hold(world->journal, &world->written[i]);
    }
}

static size_t brief_of(const World *world, guint number, uint8_t ret_bytes[MESH_ENTRY_MAX]) {
    return brief_write(world->journal, journal_find(world->journal, &world->written[number].hash),
                       ret_bytes);
}

static void test_whole_again(void) {
    uint8_t brief[MESH_ENTRY_MAX], bytes[MESH_ENTRY_MAX];
    size_t length, whole;
    World world;

    world_init(&world);
    length = brief_of(&world, SECOND, brief);
    g_assert_cmpuint(length, >, 0);
    g_assert_cmpuint(length + LEFT, <, world.written[SECOND].length);
    g_assert_cmpint(brief_complete(world.journal, BYTES_AT(brief, length), bytes, &whole), ==,
                    MESH_OK);
    g_assert_cmpmem(bytes, (int)whole, world.written[SECOND].bytes,
                    (int)world.written[SECOND].length);
    journal_destroy(world.journal);
}

static void test_not_briefly(void) {
    uint8_t brief[MESH_ENTRY_MAX];
    World world;

    world_init(&world);
    g_assert_cmpuint(brief_of(&world, FIRST, brief), ==, 0);
    g_assert_cmpuint(brief_of(&world, OTHER_KEY, brief), ==, 0);
    g_assert_cmpuint(brief_of(&world, CLEAR, brief), ==, 0);
    g_assert_cmpuint(brief_of(&world, AFTER_CLEAR, brief), ==, 0);
    journal_destroy(world.journal);
}

/* Whatever is cut off or added, it is no entry; without the one before it cannot be told. */
static void test_nonsense(void) {
    uint8_t brief[MESH_ENTRY_MAX + 1] = {0}, bytes[MESH_ENTRY_MAX], tag[JOURNAL_TAG_SIZE];
    Journal *empty = journal_create();
    uint64_t sequence;
    size_t length, whole;
    World world;

    world_init(&world);
    length = brief_of(&world, SECOND, brief);
    for (size_t i = 0; i <= length + 1; i++) {
        MeshError error = brief_complete(world.journal, BYTES_AT(brief, i), bytes, &whole);

        g_assert_cmpint(error, ==, i == length ? MESH_OK : MESH_ERROR_MALFORMED);
    }
    g_assert_cmpint(brief_complete(empty, BYTES_AT(brief, length), bytes, &whole), ==,
                    MESH_ERROR_STATE);
    g_assert_true(brief_read(BYTES_AT(brief, length), tag, &sequence));
    g_assert_cmpuint(sequence, ==, 1);
    brief[JOURNAL_TAG_SIZE] = 0; /* the first of a chain has none before it */
    g_assert_false(brief_read(BYTES_AT(brief, length), tag, &sequence));
    journal_destroy(empty);
    journal_destroy(world.journal);
}

/* ---- between nodes ---- */

static guint largest;
static guint wanted, briefs; /* datagrams of such a size, but for an acknowledgement in them */

static bool note_size(Room *room, guint from, guint to, uint8_t *bytes, size_t length) {
    (void)room, (void)to, (void)bytes;
    largest = from == 0 ? MAX(largest, (guint)length) : largest;
    briefs += from == 0 && length + 12 > wanted && length < wanted + 12;
    return true;
}

static guint say_and_measure(Room *room, const char *text) {
    largest = 0;
    peer_say(&room->peers[0], text);
    room_expect_message(room, 3, text);
    return largest;
}

/* Who confirmed what was said before is told the next thing in fewer bytes than it has. */
static void test_said(void) {
    Room *room = room_new();
    Peer *alice = &room->peers[0];
    const Record *record;
    guint size;

    room_meet(room, 2);
    room_run(room, 30 * S);
    room->filter = note_size;
    size = say_and_measure(room, "un");
    record = journal_record(alice->mesh->journal, journal_count(alice->mesh->journal) - 1);
    g_assert_cmpuint(size, >, 0);
    g_assert_cmpuint(size, <, record->length);
    for (guint i = 0; i < 5; i++) {
        g_autofree char *text = g_strdup_printf("%02u", i);

        room_run(room, 2 * S);
        briefs = 0;
        wanted = size;
        peer_say(alice, text);
        room_expect_message(room, 3, text);
        g_assert_cmpuint(briefs, >, 0);
    }
    room_free(room);
}

static bool lose_all(Room *room, guint from, guint to, uint8_t *bytes, size_t length) {
    (void)room, (void)from, (void)to, (void)bytes, (void)length;
    return false;
}

/* It was taken for confirmed and was not, or is not on disk yet: both are asked for. */
static void test_asked_whole(void) {
    Room *room = room_new();
    Peer *alice = &room->peers[0];
    Peer *bob = &room->peers[1];

    room_meet(room, 2);
    say_and_measure(room, "zéro");
    room_run(room, 5 * S);
    peer_neighbour(alice, bob)->confirmed = UINT64_MAX / 2;
    room->filter = lose_all;
    peer_say(alice, "un");
    peer_say(alice, "deux");
    room_run(room, 500 * MS);
    room->filter = NULL;
    room_run(room, 10 * S);
    g_assert_true(peer_has_message(bob, "un"));
    g_assert_true(peer_has_message(bob, "deux"));
    g_assert_cmpuint(mesh_counters(bob->mesh).malformed, ==, 0);
    room_free(room);
}

int main(int count, char **words) {
    g_test_init(&count, &words, NULL);
    g_test_add_func("/mesh/brief/whole_again", test_whole_again);
    g_test_add_func("/mesh/brief/not_briefly", test_not_briefly);
    g_test_add_func("/mesh/brief/nonsense", test_nonsense);
    g_test_add_func("/mesh/brief/said", test_said);
    g_test_add_func("/mesh/brief/asked_whole", test_asked_whole);
    return g_test_run();
}
