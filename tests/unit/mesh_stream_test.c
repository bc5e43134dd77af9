/* SPDX-License-Identifier: MPL-2.0 */
/* Live streams of others: their frames, and which words of them are believed. */
#include <sodium.h>
#include <string.h>

#include "mesh/overlay/ask.h"
#include "mesh/overlay/message.h"
#include "tests/unit/mesh_feed_row.h"

/* ---- frames ---- */

static void seal_some(FrameKeys *keys, const MeshFrame *frame, uint8_t *body, size_t *length) {
    EpochKey epoch;
    MeshKey speaker = {.bytes = {7}};
    uint8_t secret[32] = {1}, id[FRAME_STREAM_ID_SIZE] = {2};

    epoch_key_init(&epoch, secret);
    frame_keys(&epoch, &speaker, id, keys);
    *length = frame_seal(keys, 9, frame, body);
}

static void test_frame(void) {
    static uint8_t body[FRAME_BODY_SIZE], plain[MESH_FRAME_MAX];
    MeshFrame frame = {.kind = MESH_STREAM_VOICE,
                       .number = 0x1fffe,
                       .media_time_ms = 0x1000005,
                       .duration_ms = ROW_FRAME_MS,
                       .flags = FRAME_SILENCE,
                       .codec = 4,
                       .level = 33,
                       .payload = BYTES_AT("bonjour", 7)};
    MeshFrame got;
    FrameKeys keys;
    size_t length;

    seal_some(&keys, &frame, body, &length);
    g_assert_cmpuint(length, ==, FRAME_HEADER_SIZE + 7 + FRAME_TAG_SIZE);
    g_assert_cmpuint(body[0], ==, 9);
    body[0] = 200; /* whoever passes it on names its stream otherwise */
    g_assert_cmpint(frame_read(BYTES_AT(body, length), MESH_STREAM_VOICE, 0x20003, 0xfffff0, &got),
                    ==, MESH_OK);
    g_assert_true(frame_is_genuine(&keys, &got, BYTES_AT(body, length)));
    g_assert_cmpuint(got.number, ==, frame.number);
    g_assert_cmpuint(got.media_time_ms, ==, frame.media_time_ms);
    g_assert_cmpuint(got.duration_ms, ==, frame.duration_ms);
    g_assert_cmpuint(got.flags, ==, frame.flags);
    g_assert_cmpuint(got.codec, ==, frame.codec);
    g_assert_cmpuint(got.level, ==, frame.level);
    frame_open(&keys, &got, plain);
    g_assert_cmpmem(got.payload.data, (int)got.payload.length, "bonjour", 7);
    /* As another kind, or another number than it is, it is not genuine; nor when anything else of
     * it is changed. */
    frame_read(BYTES_AT(body, length), MESH_STREAM_VIDEO, 0x20003, 0xfffff0, &got);
    g_assert_false(frame_is_genuine(&keys, &got, BYTES_AT(body, length)));
    frame_read(BYTES_AT(body, length), MESH_STREAM_VOICE, 0x3, 0xfffff0, &got);
    g_assert_false(frame_is_genuine(&keys, &got, BYTES_AT(body, length)));
    for (size_t i = 1; i < length; i++) {
        body[i] ^= 1;
        frame_read(BYTES_AT(body, length), MESH_STREAM_VOICE, 0x20003, 0xfffff0, &got);
        g_assert_false(frame_is_genuine(&keys, &got, BYTES_AT(body, length)));
        body[i] ^= 1;
    }
    g_assert_cmpint(frame_read(BYTES_AT(body, FRAME_HEADER_SIZE + FRAME_TAG_SIZE),
                               MESH_STREAM_VOICE, 0, 0, &got),
                    ==, MESH_ERROR_MALFORMED);
    frame.payload = BYTES_AT(plain, MESH_FRAME_MAX);
    seal_some(&keys, &frame, body, &length);
    g_assert_cmpuint(length, ==, FRAME_BODY_SIZE);
}

static void test_life(void) {
    const struct {
        MeshStreamKind kind;
        uint16_t duration_ms;
        uint64_t life_ms;
    } wanted[] = {{MESH_STREAM_VOICE, 20, 250},
                  {MESH_STREAM_VOICE, 120, 500},
                  {MESH_STREAM_VIDEO, 40, 1000},
                  {MESH_STREAM_SCREEN, 5000, 5000}};

    for (guint i = 0; i < G_N_ELEMENTS(wanted); i++) {
        MeshFrame frame = {.kind = wanted[i].kind, .duration_ms = wanted[i].duration_ms};

        g_assert_cmpuint(frame_life_us(&frame), ==, wanted[i].life_ms * MS);
    }
}

/* ---- who is believed ---- */

static StreamWord word_of(Peer *teller, const Peer *speaker, uint8_t name, uint8_t id) {
    StreamWord word = {.name = name, .kind = MESH_STREAM_VOICE, .speaker = speaker->key};

    word.id[0] = id;
    word.id[1] = 0xee;
    memcpy(word.epoch_key, teller->mesh->meeting.roster.current_key, sizeof word.epoch_key);
    return word;
}

static void tell(Peer *teller, const Peer *to, const StreamWord *word) {
    uint8_t body[STREAM_WORD_SIZE];

    told_write(word, body);
    row_send(teller, to, MESSAGE_STREAM, BYTES_OF(body));
}

static size_t count_streams(const Peer *peer, const Peer *first) {
    uint32_t slot = neighbour_slot(peer->mesh, peer_neighbour((Peer *)peer, first));
    size_t count = 0;

    for (size_t i = 0; i < peer->mesh->streams.used; i++) {
        const Stream *stream = &peer->mesh->streams.streams[i];

        count += stream->state != STREAM_FREE && stream->first == slot;
    }
    return count;
}

/* The word of another opens nothing, and there is not much of it. */
static void test_words(void) {
    Room *room = row_new();
    Peer *alice = &room->peers[0], *bob = &room->peers[1], *chloe = &room->peers[2];
    StreamWord word = word_of(bob, alice, 200, 0);
    uint64_t limited;

    for (guint i = 0; i < 5; i++) {
        word.id[0] = (uint8_t)i;
        word.name = (uint8_t)(200 + i);
        tell(bob, chloe, &word);
    }
    g_assert_cmpuint(count_streams(chloe, bob), ==, 2);
    g_assert_cmpuint(chloe->opened, ==, 0);
    /* Nor does it spread. */
    g_assert_cmpuint(count_streams(alice, bob), ==, 0);
    /* And the true one is heard beside it, though its name was said of another. */
    row_start(alice, MESH_STREAM_VOICE);
    row_speak(alice, 5, 20);
    word.name = row_heard(bob, alice)->name;
    g_assert_cmpuint(word.name, !=, 0);
    tell(bob, chloe, &word);
    row_speak(alice, 30, 20);
    g_assert_cmpuint(chloe->opened, ==, 1);
    g_assert_cmpuint(chloe->frames, >=, 30);
    /* Too many at once are not even looked at. */
    limited = mesh_counters(chloe->mesh).limited;
    for (guint i = 0; i < 80; i++) {
        word.id[0] = (uint8_t)(100 + i);
        tell(bob, chloe, &word);
    }
    g_assert_cmpuint(mesh_counters(chloe->mesh).limited, >, limited);
    room_free(room);
}

/* A full table: of what nobody hears, that of the neighbour that told of most gives way. */
static void test_full(void) {
    Room *room = row_new();
    Peer *alice = &room->peers[0], *bob = &room->peers[1], *chloe = &room->peers[2];
    Streams *streams = &chloe->mesh->streams;
    StreamWord word = word_of(bob, alice, 1, 1);
    uint32_t slot = row_slot(chloe, bob);

    g_assert_true(streams_reserve(chloe->mesh, MESH_STREAMS_MAX));
    streams->used = MESH_STREAMS_MAX;
    for (guint i = 0; i < MESH_STREAMS_MAX; i++) {
        streams->streams[i] = (Stream){.state = i < 4 ? STREAM_OPEN : STREAM_TOLD,
                                       .kind = MESH_STREAM_VIDEO,
                                       .speaker = alice->key,
                                       .id = {(uint8_t)i},
                                       .first = i % 3 ? slot + 1 : slot,
                                       .told_us = room->now_us - i * MS,
                                       .tellers = 1};
    }
    tell(bob, chloe, &word);
    /* The oldest is the last of the other two thirds. */
    g_assert_cmpint(streams->streams[MESH_STREAMS_MAX - 1].kind, ==, MESH_STREAM_VIDEO);
    g_assert_cmpint(streams->streams[MESH_STREAMS_MAX - 2].kind, ==, MESH_STREAM_VOICE);
    /* What nobody tells of any more, or is over, goes before. */
    streams->streams[7].tellers = 0;
    streams->streams[7].told_us = chloe->mesh->now_us;
    word = word_of(bob, alice, 2, 2);
    tell(bob, chloe, &word);
    g_assert_cmpint(streams->streams[7].kind, ==, MESH_STREAM_VOICE);
    /* What is heard stays. */
    for (guint i = 0; i < MESH_STREAMS_MAX; i++) {
        streams->streams[i].state = STREAM_OPEN;
        streams->streams[i].came_us = chloe->mesh->now_us;
    }
    word = word_of(bob, alice, 3, 3);
    tell(bob, chloe, &word);
    for (guint i = 0; i < MESH_STREAMS_MAX; i++) {
        g_assert_cmpuint(streams->streams[i].id[0] == 3 && streams->streams[i].id[1] == 0xee, ==,
                         0);
    }
    memset(streams->streams, 0, MESH_STREAMS_MAX * sizeof *streams->streams);
    room_free(room);
}

/* No more than so many are heard at once: one silent for a while makes room, or nobody does. */
static void test_open_most(void) {
    Room *room = row_new();
    Peer *chloe = &room->peers[2];
    Mesh *mesh = chloe->mesh;
    Stream *streams, *next;
    uint64_t limited = mesh_counters(mesh).limited;

    g_assert_true(streams_reserve(mesh, MESH_STREAMS_MAX));
    streams = mesh->streams.streams;
    next = &streams[MESH_STREAMS_OPEN_MAX];
    mesh->streams.used = MESH_STREAMS_OPEN_MAX + 1;
    for (guint i = 0; i <= MESH_STREAMS_OPEN_MAX; i++) {
        streams[i] = (Stream){.state = i < MESH_STREAMS_OPEN_MAX ? STREAM_OPEN : STREAM_TOLD,
                              .kind = MESH_STREAM_VOICE,
                              .speaker = {.bytes = {(uint8_t)i}},
                              .came_us = mesh->now_us - (i == 5 ? S : 0),
                              .first = NEIGHBOUR_NONE,
                              .pusher = NEIGHBOUR_NONE};
    }
    stream_open(mesh, next);
    g_assert_cmpint(next->state, ==, STREAM_TOLD);
    g_assert_cmpuint(mesh_counters(mesh).limited, ==, limited + 1);
    streams[5].came_us -= 2 * S;
    stream_open(mesh, next);
    g_assert_cmpint(next->state, ==, STREAM_OPEN);
    g_assert_cmpint(streams[5].state, ==, STREAM_TOLD);
    memset(streams, 0, MESH_STREAMS_MAX * sizeof *streams);
    room_free(room);
}

/* Words that make no sense, or are of nobody who may speak. */
static void test_bad_words(void) {
    Room *room = row_new();
    Peer *alice = &room->peers[0], *bob = &room->peers[1], *chloe = &room->peers[2];
    MeshCounters before = mesh_counters(chloe->mesh), after;
    StreamWord word = word_of(bob, alice, 1, 1);
    uint8_t body[STREAM_WORD_SIZE + 1] = {0};

    word.kind = 0;
    tell(bob, chloe, &word);
    word.kind = MESH_STREAM_SCREEN + 1;
    tell(bob, chloe, &word);
    word.kind = MESH_STREAM_VOICE;
    word.name = 0;
    tell(bob, chloe, &word);
    word.name = 1;
    told_write(&word, body);
    row_send(bob, chloe, MESSAGE_STREAM, BYTES_OF(body));
    row_send(bob, chloe, MESSAGE_STREAM_END, BYTES_AT(body, 2));
    row_send(bob, chloe, MESSAGE_KEYFRAME, BYTES_NONE);
    row_send(bob, chloe, MESSAGE_FEED_AT, BYTES_AT(body, 12));
    row_send(bob, chloe, MESSAGE_FEED_ASK, BYTES_AT(body, 13));
    row_send(bob, chloe, MESSAGE_FRAME, BYTES_AT(body, 18));
    after = mesh_counters(chloe->mesh);
    g_assert_cmpuint(after.malformed, ==, before.malformed + 9);
    word.speaker = chloe->key; /* of the one who is told */
    tell(bob, chloe, &word);
    word.speaker.bytes[0] ^= 1; /* of nobody */
    tell(bob, chloe, &word);
    row_send(bob, chloe, MESSAGE_FRAME, BYTES_AT(body, 30)); /* of no stream */
    g_assert_cmpuint(mesh_counters(chloe->mesh).refused, ==, after.refused + 3);
    g_assert_cmpuint(count_streams(chloe, bob), ==, 0);
    room_free(room);
}

/* The word that a stream ended ends nothing while it goes on, and soon when it does not. */
static void test_end(void) {
    Room *room = row_new();
    Peer *alice = &room->peers[0], *bob = &room->peers[1], *chloe = &room->peers[2];
    uint8_t name;

    row_start(alice, MESH_STREAM_VOICE);
    row_speak(alice, 10, 20);
    name = row_heard(bob, alice)->name;
    for (guint i = 0; i < 10; i++) {
        row_send(bob, chloe, MESSAGE_STREAM_END, BYTES_AT(&name, 1));
        row_speak(alice, 3, 20);
    }
    g_assert_cmpuint(chloe->closed, ==, 0);
    g_assert_cmpuint(chloe->frames, ==, 40);
    room_run(room, 2 * S);
    g_assert_cmpuint(chloe->closed, ==, 1);
    g_assert_cmpuint(bob->closed, ==, 0);
    /* Its next frame opens it again. */
    row_speak(alice, 10, 20);
    g_assert_cmpuint(chloe->opened, ==, 2);
    g_assert_cmpuint(chloe->frames, ==, 50);
    room_free(room);
}

/* The speaker's own words count: another stream of it is the one, the former is over. */
static void test_own_word(void) {
    Room *room = row_new();
    Peer *alice = &room->peers[0], *bob = &room->peers[1];
    StreamWord word = word_of(alice, alice, 77, 1);
    guint frames;

    row_start(alice, MESH_STREAM_VOICE);
    row_speak(alice, 5, 20);
    tell(alice, bob, &word);
    g_assert_cmpuint(bob->opened, ==, 2);
    g_assert_cmpuint(bob->closed, ==, 1);
    frames = bob->frames;
    row_speak(alice, 5, 20);
    g_assert_cmpuint(bob->frames, ==, frames);
    g_assert_cmpuint(mesh_counters(bob->mesh).forged, ==, 0);
    room_free(room);
}

/* One whose speaker is gone closes after a while, and where nobody reaches it any more. */
static void test_lost(void) {
    Room *room = row_new();
    Peer *alice = &room->peers[0], *bob = &room->peers[1], *chloe = &room->peers[2];

    row_start(alice, MESH_STREAM_VOICE);
    row_speak(alice, 10, 20);
    peer_step(alice, &(MeshEvent){.kind = MESH_EVENT_LEAVE});
    peer_stop(alice);
    room_run(room, 3 * S);
    g_assert_cmpuint(bob->closed, ==, 0);
    g_assert_cmpuint(chloe->closed, ==, 0);
    room_run(room, 5 * S);
    g_assert_cmpuint(bob->closed, ==, 1);
    g_assert_cmpuint(chloe->closed, ==, 1);
    room_free(room);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(sodium_init(), >=, 0);
    g_test_add_func("/mesh/stream/frame", test_frame);
    g_test_add_func("/mesh/stream/life", test_life);
    g_test_add_func("/mesh/stream/words", test_words);
    g_test_add_func("/mesh/stream/full", test_full);
    g_test_add_func("/mesh/stream/open-most", test_open_most);
    g_test_add_func("/mesh/stream/bad-words", test_bad_words);
    g_test_add_func("/mesh/stream/end", test_end);
    g_test_add_func("/mesh/stream/own-word", test_own_word);
    g_test_add_func("/mesh/stream/lost", test_lost);
    return g_test_run();
}
