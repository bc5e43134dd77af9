/* SPDX-License-Identifier: MPL-2.0 */
/* Streams and entries passed from node to node: who is pushed to, and who is asked. */
#include <sodium.h>
#include <string.h>

#include "mesh/overlay/loudest.h"
#include "mesh/overlay/message.h"
#include "tests/unit/mesh_feed_row.h"

static void test_passed_on(void) {
    Room *room = row_new();
    Peer *alice = &room->peers[0], *bob = &room->peers[1], *chloe = &room->peers[2];
    MeshCounters before = mesh_counters(chloe->mesh);

    row_start(alice, MESH_STREAM_VOICE);
    row_speak(alice, 30, 20);
    g_assert_cmpuint(bob->frames, ==, 30);
    g_assert_cmpuint(chloe->frames, ==, 30);
    g_assert_cmpuint(chloe->opened, ==, 1);
    /* All of it through Bob, and nothing twice; not even by the link that he carries. */
    g_assert_cmpuint(row_heard(chloe, alice)->pusher, ==,
                     neighbour_slot(chloe->mesh, peer_neighbour(chloe, bob)));
    g_assert_cmpuint(mesh_counters(chloe->mesh).forged, ==, 0);
    g_assert_cmpuint(mesh_counters(chloe->mesh).duplicates, ==, before.duplicates);
    g_assert_cmpuint(mesh_counters(bob->mesh).forwarded, >=, 30);
    row_stop(alice, MESH_STREAM_VOICE);
    room_run(room, 3 * S);
    g_assert_cmpuint(bob->closed, ==, 1);
    g_assert_cmpuint(chloe->closed, ==, 1);
    /* Another stream follows it. */
    row_start(alice, MESH_STREAM_VOICE);
    row_speak(alice, 10, 20);
    g_assert_cmpuint(chloe->opened, ==, 2);
    g_assert_cmpuint(chloe->frames, ==, 40);
    room_free(room);
}

/* Whoever lacks the key of the epoch passes frames on as they are, and opens them when it comes. */
static void test_locked(void) {
    Room *room = row_new();
    Peer *alice = &room->peers[0], *bob = &room->peers[1], *chloe = &room->peers[2];

    bob->mesh->meeting.key_count = 0;
    row_start(alice, MESH_STREAM_VOICE);
    row_speak(alice, 2, 20);
    g_assert_cmpint(row_heard(bob, alice)->state, ==, STREAM_LOCKED);
    g_assert_cmpuint(bob->frames, ==, 0);
    g_assert_cmpuint(chloe->frames, ==, 2);
    row_speak(alice, 30, 20);
    g_assert_cmpint(row_heard(bob, alice)->state, ==, STREAM_OPEN);
    g_assert_cmpuint(bob->frames, >=, 20);
    g_assert_cmpuint(chloe->frames, ==, 32);
    room_free(room);
}

/* When all hear the speaker, they have nothing to tell each other. */
static guint64 between; /* bytes */

static bool count_between(Room *room, guint from, guint to, uint8_t *bytes, size_t length) {
    between += from > 0 && to > 0 ? length : 0;
    return true;
}

static void test_no_more_than_needed(void) {
    Room *room = room_new();
    uint64_t twice[4];

    room_meet(room, 4);
    room_run(room, 70 * S);
    room->filter = count_between;
    room_run(room, 15 * S); /* so much is told in a pause, by those who look after their links */
    between = 0;
    for (guint i = 1; i < 4; i++) {
        twice[i] = mesh_counters(room->peers[i].mesh).duplicates;
    }
    row_start(&room->peers[0], MESH_STREAM_VOICE);
    row_speak(&room->peers[0], 200, 20);
    for (guint i = 1; i < 4; i++) {
        g_assert_cmpuint(room->peers[i].frames, ==, 200);
        g_assert_cmpuint(mesh_counters(room->peers[i].mesh).duplicates, ==, twice[i]);
    }
    g_assert_cmpuint(between, <, 12 * 6 * (21 + 8)); /* probes, and nothing else */
    room_free(room);
}

/* ---- who is asked ---- */

static void test_pusher_dies(void) {
    Room *room = ring_new();
    Peer *alice = &room->peers[0], *chloe = &room->peers[2], *pusher;
    guint frames;

    row_start(alice, MESH_STREAM_VOICE);
    row_speak(alice, 20, 20);
    g_assert_cmpuint(chloe->frames, ==, 20);
    pusher = row_pusher(chloe, alice);
    peer_stop(pusher);
    frames = chloe->frames;
    row_speak(alice, 20, 20);
    g_assert_cmpuint(chloe->frames, >=, frames + 10);
    g_assert_true(row_pusher(chloe, alice) != pusher);
    frames = chloe->frames;
    row_speak(alice, 1200, 20); /* longer than anybody is asked for at once */
    g_assert_cmpuint(chloe->frames, ==, frames + 1200);
    g_assert_cmpuint(chloe->closed, ==, 0);
    room_free(room);
}

static guint lossy_from, lost;

static bool loses(Room *room, guint from, guint to, uint8_t *bytes, size_t length) {
    return ring_filter(room, from, to, bytes, length) &&
           (from != lossy_from || to != 2 || lost++ % 4 == 0);
}

/* Who brings but a part of it is not relied on. */
static void test_lossy_pusher(void) {
    Room *room = ring_new();
    Peer *alice = &room->peers[0], *chloe = &room->peers[2];
    guint frames;

    row_start(alice, MESH_STREAM_VOICE);
    row_speak(alice, 20, 20);
    lossy_from = row_pusher(chloe, alice)->number;
    room->filter = loses;
    row_speak(alice, 80, 20);
    frames = chloe->frames;
    row_speak(alice, 200, 20);
    g_assert_cmpuint(chloe->frames, >=, frames + 198);
    room_free(room);
}

/* The line to the speaker itself is gone: it is heard through the third, before anybody knows. */
static void test_line_dies(void) {
    Room *room = room_new();
    Peer *alice = &room->peers[0], *chloe = &room->peers[2];

    room_meet(room, 3);
    room_run(room, 70 * S);
    row_start(alice, MESH_STREAM_VOICE);
    row_speak(alice, 20, 20);
    room->filter = row_filter;
    row_speak(alice, 20, 20);
    g_assert_cmpuint(chloe->frames, >=, 20 + 20 - 8);
    row_speak(alice, 1200, 20);
    g_assert_cmpuint(chloe->frames, >=, 1240 - 10);
    g_assert_cmpuint(chloe->opened, ==, 1);
    g_assert_cmpuint(chloe->closed, ==, 0);
    room_free(room);
}

/* Nobody is asked for more than is wanted, and who asks for everything gets what there is room for.
 */
static void test_asked(void) {
    Room *room = ring_new();
    Peer *alice = &room->peers[0], *bob = &room->peers[1], *chloe = &room->peers[2];
    Peer *other;
    uint8_t body[SHORT_KEY_SIZE + 1 + 4 + 1] = {0};
    uint64_t twice;

    row_start(alice, MESH_STREAM_VOICE);
    row_speak(alice, 20, 20);
    other = row_pusher(chloe, alice) == bob ? &room->peers[3] : bob;
    memcpy(body, alice->key.bytes, SHORT_KEY_SIZE);
    body[SHORT_KEY_SIZE] = MESH_STREAM_VOICE;
    body[SHORT_KEY_SIZE + 1] = (uint8_t)(row_spoken - 10);
    body[SHORT_KEY_SIZE + 2] = (uint8_t)((row_spoken - 10) >> 8);
    body[sizeof body - 1] = 2;
    g_assert_cmpuint(feed_asked(other->mesh, &alice->key, MESH_STREAM_VOICE), ==, 0);
    row_send(chloe, other, MESSAGE_FEED_ASK, BYTES_OF(body));
    g_assert_cmpuint(feed_asked(other->mesh, &alice->key, MESH_STREAM_VOICE), ==,
                     UINT64_C(1) << row_slot(other, chloe));
    twice = mesh_counters(chloe->mesh).duplicates;
    row_speak(alice, 10, 20);
    g_assert_cmpuint(mesh_counters(chloe->mesh).duplicates, ==, twice + 10);
    /* For as long as was asked, */
    row_speak(alice, 40, 20);
    g_assert_cmpuint(feed_asked(other->mesh, &alice->key, MESH_STREAM_VOICE), ==, 0);
    /* not to who has what is there, */
    body[SHORT_KEY_SIZE + 1] = (uint8_t)(row_spoken + 10);
    body[SHORT_KEY_SIZE + 2] = (uint8_t)((row_spoken + 10) >> 8);
    row_send(chloe, other, MESSAGE_FEED_ASK, BYTES_OF(body));
    g_assert_cmpuint(feed_asked(other->mesh, &alice->key, MESH_STREAM_VOICE), ==, 0);
    /* nor for longer than may be asked. */
    body[sizeof body - 1] = MESH_ASK_S_MAX + 1;
    row_send(chloe, other, MESSAGE_FEED_ASK, BYTES_OF(body));
    g_assert_cmpuint(feed_asked(other->mesh, &alice->key, MESH_STREAM_VOICE), ==, 0);
    room_free(room);
}

/* Told how far a stream is elsewhere, who is behind asks for it, and it is told of and comes. */
static void test_behind(void) {
    Room *room = ring_new();
    Peer *alice = &room->peers[0], *chloe = &room->peers[2], *other;
    uint8_t body[SHORT_KEY_SIZE + 1 + 4] = {0};

    row_start(alice, MESH_STREAM_VOICE);
    row_speak(alice, 20, 20);
    other = row_pusher(chloe, alice) == &room->peers[1] ? &room->peers[3] : &room->peers[1];
    stream_forget(chloe->mesh, row_heard(chloe, alice));
    memcpy(body, alice->key.bytes, SHORT_KEY_SIZE);
    body[SHORT_KEY_SIZE] = MESH_STREAM_VOICE;
    body[SHORT_KEY_SIZE + 1] = (uint8_t)(row_spoken - 1);
    body[SHORT_KEY_SIZE + 2] = (uint8_t)((row_spoken - 1) >> 8);
    row_send(other, chloe, MESSAGE_FEED_AT, BYTES_OF(body));
    g_assert_cmpuint(feed_asked(other->mesh, &alice->key, MESH_STREAM_VOICE), ==,
                     UINT64_C(1) << row_slot(other, chloe));
    row_speak(alice, 5, 20);
    g_assert_cmpuint(chloe->opened, ==, 2);
    room_free(room);
}

static void test_asks_full(void) {
    Mesh *mesh;
    Room *room = ring_new();
    Peer *alice = &room->peers[0];

    mesh = alice->mesh;
    for (guint i = 0; i < MESH_ASKS_MAX; i++) {
        MeshKey speaker = {.bytes = {(uint8_t)i, 1}};

        g_assert_cmpint(feed_ask(mesh, 0, &speaker, MESH_STREAM_VOICE, S), ==, MESH_OK);
        g_assert_cmpint(feed_ask(mesh, 0, &speaker, MESH_STREAM_VOICE, S), ==, MESH_OK);
    }
    g_assert_cmpint(feed_ask(mesh, 0, &alice->key, MESH_STREAM_VOICE, S), ==, MESH_ERROR_FULL);
    room_run(room, 2 * S); /* what was asked is over */
    peer_step(alice, &(MeshEvent){.kind = MESH_EVENT_TIMEOUT});
    g_assert_cmpint(feed_ask(mesh, 0, &alice->key, MESH_STREAM_VOICE, S), ==, MESH_OK);
    g_assert_cmpuint(mesh->feed.ask_count, ==, 1);
    feed_ask_no_more(mesh, 0, &alice->key, MESH_STREAM_VOICE);
    g_assert_cmpuint(mesh->feed.ask_count, ==, 0);
    g_assert_cmpint(feed_ask(mesh, 0, &alice->key, MESH_STREAM_VOICE, S), ==, MESH_OK);
    feed_lost(mesh, 0);
    g_assert_cmpuint(mesh->feed.ask_count, ==, 0);
    room_free(room);
}

/* ---- who is passed on ---- */

typedef struct {
    Room *room;
    Mesh *mesh;
    guint speaking; /* the first so many speak */
    uint8_t levels[5];
    bool passes[5];
} Choir;

/* All of them speak for so long, a frame each 60 ms. */
static void choir_run(Choir *choir, uint64_t for_ms) {
    for (uint64_t ms = 0; ms < for_ms; ms += ROW_FRAME_MS) {
        room_run(choir->room, ROW_FRAME_MS * MS);
        choir->mesh->now_us = choir->room->now_us;
        g_assert_true(streams_reserve(choir->mesh, MESH_STREAMS_MAX));
        choir->mesh->streams.used = G_N_ELEMENTS(choir->levels);
        for (guint i = 0; i < choir->speaking; i++) {
            Stream *stream = &choir->mesh->streams.streams[i];
            MeshFrame frame = {
                .kind = MESH_STREAM_VOICE, .duration_ms = ROW_FRAME_MS, .level = choir->levels[i]};

            *stream = (Stream){.state = STREAM_LOCKED,
                               .kind = MESH_STREAM_VOICE,
                               .came_us = choir->mesh->now_us,
                               .voice = stream->voice};
            choir->passes[i] = loudest_passes(choir->mesh, stream, &frame);
        }
    }
}

static void choir_expect(const Choir *choir, const char *wanted) {
    for (guint i = 0; i < choir->speaking; i++) {
        g_assert_cmpint(choir->passes[i], ==, wanted[i] == '1');
    }
}

static void test_loudest(void) {
    Choir choir = {.room = room_new(), .levels = {20, 30, 40, 50, 60}};

    choir.mesh = room_start(choir.room, 0)->mesh;
    /* Three are passed on however faint; a fourth is not while it is fainter. */
    choir.levels[0] = 127;
    choir.speaking = 3;
    choir_run(&choir, 600);
    choir_expect(&choir, "111");
    choir.levels[0] = 20;
    choir_run(&choir, 600);
    choir.speaking = 4;
    choir_run(&choir, 3000);
    choir_expect(&choir, "1110");
    /* A word louder than others is not enough, */
    choir.levels[3] = 10;
    choir_run(&choir, 240);
    choir_expect(&choir, "1110");
    choir.levels[3] = 50;
    choir_run(&choir, 1200);
    choir_expect(&choir, "1110");
    /* longer is, and it is the faintest that gives its place up. */
    choir.levels[3] = 10;
    choir_run(&choir, 900);
    choir_expect(&choir, "1101");
    /* Those about as loud do not chase each other away: it changes no more. */
    choir.levels[1] = choir.levels[2] = 30;
    choir_run(&choir, 3000);
    choir_expect(&choir, "1101");
    /* Who falls silent gives its place up a second later. */
    choir.speaking = 3;
    choir_run(&choir, 900);
    choir_expect(&choir, "110");
    choir_run(&choir, 240);
    choir_expect(&choir, "111");
    choir.speaking = 4;
    choir.levels[3] = 90;
    choir_run(&choir, 60);
    choir_expect(&choir, "1110");
    room_free(choir.room);
}

/* ---- as far as the uplink carries ---- */

static guint count_bits(uint64_t mask) {
    guint count = 0;

    for (; mask; mask &= mask - 1) {
        count++;
    }
    return count;
}

static void test_granted(void) {
    Room *room = row_new();
    Mesh *mesh = room->peers[1].mesh;
    Stream *voice, *picture;
    uint64_t many = 0xfffff0;

    g_assert_true(streams_reserve(mesh, MESH_STREAMS_MAX));
    voice = &mesh->streams.streams[0];
    picture = &mesh->streams.streams[1];
    /* While nothing is known of the lines, to so many; targets before those that asked. */
    mesh->streams.used = 2;
    voice->state = picture->state = STREAM_LOCKED;
    voice->kind = MESH_STREAM_VOICE;
    picture->kind = MESH_STREAM_VIDEO;
    g_assert_cmpuint(count_bits(feed_grant(mesh, &voice->load, MESH_STREAM_VOICE, many, 0)), ==,
                     MESH_PUSHES_MAX);
    g_assert_cmpuint(feed_grant(mesh, &voice->load, MESH_STREAM_VOICE, 0x700, 0x3f), ==, 0x71f);
    /* A person's ceiling is known: floor(0.7 × uplink / rate). */
    mesh->uplink.ceiling = 12500; /* bytes a second */
    for (guint i = 0; i < 20; i++) {
        mesh->now_us += 100 * MS;
        feed_load(mesh, &voice->load, 250 - 53);
        feed_load(mesh, &picture->load, 125 - 53);
    }
    g_assert_cmpuint(voice->load.rate_bps, >=, 19000);
    g_assert_cmpuint(voice->load.rate_bps, <=, 22000);
    g_assert_cmpuint(count_bits(feed_grant(mesh, &voice->load, MESH_STREAM_VOICE, many, 0)), ==, 3);
    g_assert_cmpuint(count_bits(feed_grant(mesh, &picture->load, MESH_STREAM_VIDEO, many, 0)), ==,
                     7);
    /* Pictures give way to choir, */
    voice->load.pushed = 15;
    g_assert_cmpuint(count_bits(feed_grant(mesh, &picture->load, MESH_STREAM_VIDEO, many, 0)), ==,
                     0);
    g_assert_cmpuint(count_bits(feed_grant(mesh, &voice->load, MESH_STREAM_VOICE, many, 0)), ==, 3);
    /* and a voice goes to one at least. */
    mesh->uplink.ceiling = 100;
    g_assert_cmpuint(feed_grant(mesh, &voice->load, MESH_STREAM_VOICE, many, 0), ==, 0x10);
    g_assert_cmpuint(feed_grant(mesh, &voice->load, MESH_STREAM_VOICE, 0, 0x30), ==, 0x10);
    g_assert_cmpuint(feed_grant(mesh, &picture->load, MESH_STREAM_VIDEO, many, 0), ==, 0);
    /* What went long ago takes nothing. */
    mesh->uplink.ceiling = 12500;
    mesh->now_us += 2 * S;
    g_assert_cmpuint(count_bits(feed_grant(mesh, &picture->load, MESH_STREAM_VIDEO, many, 0)), ==,
                     7);
    mesh->streams.used = 0;
    room_free(room);
}

/* ---- pictures ---- */

static void show(Peer *peer, guint frames, uint8_t flags) {
    for (guint i = 0; i < frames; i++) {
        peer_step(peer, &(MeshEvent){.kind = MESH_EVENT_FRAME,
                                     .frame = {.kind = MESH_STREAM_VIDEO,
                                               .number = row_spoken++,
                                               .duration_ms = 100,
                                               .flags = flags,
                                               .payload = BYTES_AT("a picture", 9)}});
        room_run(peer->room, 100 * MS);
    }
}

static void test_keyframe(void) {
    Room *room = row_new();
    Peer *alice = &room->peers[0], *chloe = &room->peers[2];
    MeshIntent wish = {.kind = MESH_INTENT_KEYFRAME};

    row_start(alice, MESH_STREAM_VIDEO);
    show(alice, 1, FRAME_KEYFRAME);
    show(alice, 20, 0);
    g_assert_cmpuint(chloe->frames, ==, 21);
    alice->keyframes = 0;
    wish.stream = stream_of(chloe->mesh, &alice->key, MESH_STREAM_VIDEO)->stream;
    /* However often it is wished for, the speaker is asked once a second, */
    for (guint i = 0; i < 10; i++) {
        g_assert_cmpint(peer_ask(chloe, wish)->error, ==, MESH_OK);
        show(alice, 1, 0);
    }
    g_assert_cmpuint(alice->keyframes, ==, 1);
    room_run(room, S);
    g_assert_cmpint(peer_ask(chloe, wish)->error, ==, MESH_OK);
    room_run(room, S);
    g_assert_cmpuint(alice->keyframes, ==, 2);
    /* and never for what is none of its pictures. */
    wish.stream += 1;
    g_assert_cmpint(peer_ask(chloe, wish)->error, ==, MESH_ERROR_UNKNOWN);
    room_free(room);
}

/* ---- the journal ---- */

static guint told; /* datagrams large enough for an entry, be it brief */

static bool count_entries(Room *room, guint from, guint to, uint8_t *bytes, size_t length) {
    told += length > 120;
    return row_filter(room, from, to, bytes, length);
}

/* What is written comes to each once, at once: pushed, not pulled. */
static void test_pushed(void) {
    Room *room = row_new();
    Peer *alice = &room->peers[0], *chloe = &room->peers[2];
    uint64_t twice = mesh_counters(chloe->mesh).duplicates, begun_us;

    room->filter = count_entries;
    told = 0;
    for (guint i = 0; i < 10; i++) {
        g_autofree char *text = g_strdup_printf("mot %u", i);

        peer_say(alice, text);
        begun_us = room->now_us;
        room_expect_message(room, 7, text);
        /* Two hops and a commit each: the announcement would take 60 ms. */
        g_assert_cmpuint(room->now_us - begun_us, <, 10 * MS);
        room_run(room, S);
    }
    g_assert_cmpuint(told, ==, 20);
    g_assert_cmpuint(mesh_counters(chloe->mesh).duplicates, ==, twice);
    room_free(room);
}

/* Who asks for an entry that it was only told of gets it, whatever else is on its way to it. */
static void test_pulled(void) {
    static const uint8_t much[30000];
    Room *room = row_new();
    Peer *alice = &room->peers[0], *bob = &room->peers[1], *chloe = &room->peers[2];
    uint8_t body[JOURNAL_TAG_SIZE + 16];
    BytesWriter writer = bytes_writer(body, sizeof body);
    const Record *record;

    peer_say(alice, "d'abord");
    room_expect_message(room, 7, "d'abord");
    room_run(room, S);
    /* Neither tells it more, thinking that it has it. */
    record = journal_record(alice->mesh->journal, journal_count(alice->mesh->journal) - 1);
    sync_learn(sync_peer(alice->mesh, row_slot(alice, chloe)), record->chain, 1000);
    record = journal_record(bob->mesh->journal, journal_count(bob->mesh->journal) - 1);
    sync_learn(sync_peer(bob->mesh, row_slot(bob, chloe)), record->chain, 1000);
    peer_say(alice, "puis");
    room_expect_message(room, 3, "puis");
    room_run(room, S);
    g_assert_false(peer_has_message(chloe, "puis"));
    bytes_write(&writer, journal_chain(bob->mesh->journal, record->chain)->tag, JOURNAL_TAG_SIZE);
    bytes_write_varint(&writer, record->sequence + 1);
    bytes_write_varint(&writer, record->sequence + 2);
    neighbour_send(bob->mesh, peer_neighbour(bob, chloe), LINK_CHAT, UINT64_MAX, 63,
                   BYTES_OF(much));
    row_send(chloe, bob, MESSAGE_PULL, BYTES_AT(body, bytes_written(&writer)));
    room_run(room, S);
    g_assert_true(peer_has_message(chloe, "puis"));
    room_free(room);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(sodium_init(), >=, 0);
    g_test_add_func("/mesh/feed/passed-on", test_passed_on);
    g_test_add_func("/mesh/feed/locked", test_locked);
    g_test_add_func("/mesh/feed/lossy-pusher", test_lossy_pusher);
    g_test_add_func("/mesh/feed/no-more-than-needed", test_no_more_than_needed);
    g_test_add_func("/mesh/feed/pusher-dies", test_pusher_dies);
    g_test_add_func("/mesh/feed/line-dies", test_line_dies);
    g_test_add_func("/mesh/feed/asked", test_asked);
    g_test_add_func("/mesh/feed/behind", test_behind);
    g_test_add_func("/mesh/feed/asks-full", test_asks_full);
    g_test_add_func("/mesh/feed/loudest", test_loudest);
    g_test_add_func("/mesh/feed/granted", test_granted);
    g_test_add_func("/mesh/feed/keyframe", test_keyframe);
    g_test_add_func("/mesh/feed/pushed", test_pushed);
    g_test_add_func("/mesh/feed/pulled", test_pulled);
    return g_test_run();
}
