/* SPDX-License-Identifier: MPL-2.0 */
/* Live streams passed from node to node: frames, who is believed, who is pushed to, who is asked.
 */
#include <sodium.h>
#include <string.h>

#include "mesh/overlay/ask.h"
#include "mesh/overlay/loudest.h"
#include "mesh/overlay/message.h"
#include "tests/unit/mesh_core_room.h"

#define FRAME_MS 60

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
    static uint8_t body[FRAME_BODY_MAX], plain[MESH_FRAME_MAX];
    MeshFrame frame = {.kind = MESH_STREAM_VOICE,
                       .number = 0x1fffe,
                       .media_time_ms = 0x1000005,
                       .duration_ms = FRAME_MS,
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
    g_assert_cmpuint(length, ==, FRAME_BODY_MAX);
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

/* ---- a row: Alice speaks, Bob passes on, Chloé listens ---- */

static bool in_a_row(Room *room, guint from, guint to, uint8_t *bytes, size_t length) {
    return (from + 1 == to || to + 1 == from) && from < 3 && to < 3;
}

/* The map knows of the row: nobody but Bob is linked with both. */
static Room *row_new(void) {
    Room *room = room_new();

    room_meet(room, 3);
    room->filter = in_a_row;
    room_run(room, 70 * S);
    g_assert_true(neighbour_is_direct(peer_neighbour(&room->peers[1], &room->peers[0])));
    g_assert_true(neighbour_is_direct(peer_neighbour(&room->peers[1], &room->peers[2])));
    g_assert_false(peer_neighbour(&room->peers[0], &room->peers[2]) &&
                   neighbour_is_direct(peer_neighbour(&room->peers[0], &room->peers[2])));
    return room;
}

static void start(Peer *peer, MeshStreamKind kind) {
    g_assert_cmpint(
        peer_ask(peer, (MeshIntent){.kind = MESH_INTENT_STREAM_START, .stream_kind = kind})->error,
        ==, MESH_OK);
}

static void stop(Peer *peer, MeshStreamKind kind) {
    peer_ask(peer, (MeshIntent){.kind = MESH_INTENT_STREAM_STOP, .stream_kind = kind});
}

static guint spoken; /* frames of all in this test: a number of each */

static void speak(Peer *peer, guint frames, uint8_t level) {
    for (guint i = 0; i < frames; i++) {
        peer_step(peer, &(MeshEvent){.kind = MESH_EVENT_FRAME,
                                     .frame = {.kind = MESH_STREAM_VOICE,
                                               .number = spoken++,
                                               .duration_ms = FRAME_MS,
                                               .level = level,
                                               .payload = BYTES_AT("a voice", 7)}});
        room_run(peer->room, FRAME_MS * MS);
    }
}

static uint32_t slot_of(Peer *peer, const Peer *other) {
    return neighbour_slot(peer->mesh, peer_neighbour(peer, other));
}

static Stream *heard(Peer *peer, const Peer *speaker) {
    return stream_of(peer->mesh, &speaker->key, MESH_STREAM_VOICE);
}

static void say(Peer *from, const Peer *to, uint8_t kind, Bytes body) {
    g_assert_true(
        neighbour_send(from->mesh, peer_neighbour(from, to), LINK_CONTROL, UINT64_MAX, kind, body));
    peer_step(from, &(MeshEvent){.kind = MESH_EVENT_TIMEOUT});
    room_run(from->room, 10 * MS);
}

static void test_passed_on(void) {
    Room *room = row_new();
    Peer *alice = &room->peers[0], *bob = &room->peers[1], *chloe = &room->peers[2];
    MeshCounters before = mesh_counters(chloe->mesh);

    start(alice, MESH_STREAM_VOICE);
    speak(alice, 30, 20);
    g_assert_cmpuint(bob->frames, ==, 30);
    g_assert_cmpuint(chloe->frames, ==, 30);
    g_assert_cmpuint(chloe->opened, ==, 1);
    /* All of it through Bob, and nothing twice; not even by the link that he carries. */
    g_assert_cmpuint(heard(chloe, alice)->pusher, ==,
                     neighbour_slot(chloe->mesh, peer_neighbour(chloe, bob)));
    g_assert_cmpuint(mesh_counters(chloe->mesh).forged, ==, 0);
    g_assert_cmpuint(mesh_counters(chloe->mesh).duplicates, ==, before.duplicates);
    g_assert_cmpuint(mesh_counters(bob->mesh).forwarded, >=, 30);
    stop(alice, MESH_STREAM_VOICE);
    room_run(room, 3 * S);
    g_assert_cmpuint(bob->closed, ==, 1);
    g_assert_cmpuint(chloe->closed, ==, 1);
    /* Another stream follows it. */
    start(alice, MESH_STREAM_VOICE);
    speak(alice, 10, 20);
    g_assert_cmpuint(chloe->opened, ==, 2);
    g_assert_cmpuint(chloe->frames, ==, 40);
    room_free(room);
}

/* Whoever lacks the key of the epoch passes frames on as they are, and opens them when it comes. */
static void test_locked(void) {
    Room *room = row_new();
    Peer *alice = &room->peers[0], *bob = &room->peers[1], *chloe = &room->peers[2];

    bob->mesh->meeting.key_count = 0;
    start(alice, MESH_STREAM_VOICE);
    speak(alice, 2, 20);
    g_assert_cmpint(heard(bob, alice)->state, ==, STREAM_LOCKED);
    g_assert_cmpuint(bob->frames, ==, 0);
    g_assert_cmpuint(chloe->frames, ==, 2);
    speak(alice, 30, 20);
    g_assert_cmpint(heard(bob, alice)->state, ==, STREAM_OPEN);
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
    start(&room->peers[0], MESH_STREAM_VOICE);
    speak(&room->peers[0], 200, 20);
    for (guint i = 1; i < 4; i++) {
        g_assert_cmpuint(room->peers[i].frames, ==, 200);
        g_assert_cmpuint(mesh_counters(room->peers[i].mesh).duplicates, ==, twice[i]);
    }
    g_assert_cmpuint(between, <, 12 * 6 * (21 + 8)); /* probes, and nothing else */
    room_free(room);
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
    say(teller, to, MESSAGE_STREAM, BYTES_OF(body));
}

static size_t count_streams(const Peer *peer, const Peer *first) {
    uint32_t slot = neighbour_slot(peer->mesh, peer_neighbour((Peer *)peer, first));
    size_t count = 0;

    for (size_t i = 0; i < MESH_STREAMS_MAX; i++) {
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
    start(alice, MESH_STREAM_VOICE);
    speak(alice, 5, 20);
    word.name = heard(bob, alice)->name;
    g_assert_cmpuint(word.name, !=, 0);
    tell(bob, chloe, &word);
    speak(alice, 30, 20);
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
    uint32_t slot = slot_of(chloe, bob);

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
    memset(streams->streams, 0, sizeof streams->streams);
    room_free(room);
}

/* No more than so many are heard at once: one silent for a while makes room, or nobody does. */
static void test_open_most(void) {
    Room *room = row_new();
    Peer *chloe = &room->peers[2];
    Mesh *mesh = chloe->mesh;
    Stream *streams = mesh->streams.streams, *next = &streams[MESH_STREAMS_OPEN_MAX];
    uint64_t limited = mesh_counters(mesh).limited;

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
    memset(streams, 0, sizeof mesh->streams.streams);
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
    say(bob, chloe, MESSAGE_STREAM, BYTES_OF(body));
    say(bob, chloe, MESSAGE_STREAM_END, BYTES_AT(body, 2));
    say(bob, chloe, MESSAGE_KEYFRAME, BYTES_NONE);
    say(bob, chloe, MESSAGE_FEED_AT, BYTES_AT(body, 12));
    say(bob, chloe, MESSAGE_FEED_ASK, BYTES_AT(body, 13));
    say(bob, chloe, MESSAGE_FRAME, BYTES_AT(body, 18));
    after = mesh_counters(chloe->mesh);
    g_assert_cmpuint(after.malformed, ==, before.malformed + 9);
    word.speaker = chloe->key; /* of the one who is told */
    tell(bob, chloe, &word);
    word.speaker.bytes[0] ^= 1; /* of nobody */
    tell(bob, chloe, &word);
    say(bob, chloe, MESSAGE_FRAME, BYTES_AT(body, 30)); /* of no stream */
    g_assert_cmpuint(mesh_counters(chloe->mesh).refused, ==, after.refused + 3);
    g_assert_cmpuint(count_streams(chloe, bob), ==, 0);
    room_free(room);
}

/* The word that a stream ended ends nothing while it goes on, and soon when it does not. */
static void test_end(void) {
    Room *room = row_new();
    Peer *alice = &room->peers[0], *bob = &room->peers[1], *chloe = &room->peers[2];
    uint8_t name;

    start(alice, MESH_STREAM_VOICE);
    speak(alice, 10, 20);
    name = heard(bob, alice)->name;
    for (guint i = 0; i < 10; i++) {
        say(bob, chloe, MESSAGE_STREAM_END, BYTES_AT(&name, 1));
        speak(alice, 3, 20);
    }
    g_assert_cmpuint(chloe->closed, ==, 0);
    g_assert_cmpuint(chloe->frames, ==, 40);
    room_run(room, 2 * S);
    g_assert_cmpuint(chloe->closed, ==, 1);
    g_assert_cmpuint(bob->closed, ==, 0);
    /* Its next frame opens it again. */
    speak(alice, 10, 20);
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

    start(alice, MESH_STREAM_VOICE);
    speak(alice, 5, 20);
    tell(alice, bob, &word);
    g_assert_cmpuint(bob->opened, ==, 2);
    g_assert_cmpuint(bob->closed, ==, 1);
    frames = bob->frames;
    speak(alice, 5, 20);
    g_assert_cmpuint(bob->frames, ==, frames);
    g_assert_cmpuint(mesh_counters(bob->mesh).forged, ==, 0);
    room_free(room);
}

/* One whose speaker is gone closes after a while, and where nobody reaches it any more. */
static void test_lost(void) {
    Room *room = row_new();
    Peer *alice = &room->peers[0], *bob = &room->peers[1], *chloe = &room->peers[2];

    start(alice, MESH_STREAM_VOICE);
    speak(alice, 10, 20);
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

/* ---- who is asked ---- */

static bool in_a_ring(Room *room, guint from, guint to, uint8_t *bytes, size_t length) {
    return (from + to) % 2 == 1;
}

/* Alice is linked with Bob and David, Chloé with both. */
static Room *ring_new(void) {
    Room *room = room_new();

    room_meet(room, 4);
    room->filter = in_a_ring;
    room_run(room, 70 * S);
    return room;
}

static Peer *pusher_of(Peer *listener, const Peer *speaker) {
    for (guint i = 0; i < ROOM_PEERS_SIZE; i++) {
        Peer *peer = &listener->room->peers[i];

        if (peer != listener && peer_neighbour(listener, peer) &&
            heard(listener, speaker)->pusher == slot_of(listener, peer)) {
            return peer;
        }
    }
    g_assert_not_reached();
}

static void test_pusher_dies(void) {
    Room *room = ring_new();
    Peer *alice = &room->peers[0], *chloe = &room->peers[2], *pusher;
    guint frames;

    start(alice, MESH_STREAM_VOICE);
    speak(alice, 20, 20);
    g_assert_cmpuint(chloe->frames, ==, 20);
    pusher = pusher_of(chloe, alice);
    peer_stop(pusher);
    frames = chloe->frames;
    speak(alice, 20, 20);
    g_assert_cmpuint(chloe->frames, >=, frames + 10);
    g_assert_true(pusher_of(chloe, alice) != pusher);
    frames = chloe->frames;
    speak(alice, 1200, 20); /* longer than anybody is asked for at once */
    g_assert_cmpuint(chloe->frames, ==, frames + 1200);
    g_assert_cmpuint(chloe->closed, ==, 0);
    room_free(room);
}

static guint lossy_from, lost;

static bool loses(Room *room, guint from, guint to, uint8_t *bytes, size_t length) {
    return in_a_ring(room, from, to, bytes, length) &&
           (from != lossy_from || to != 2 || lost++ % 4 == 0);
}

/* Who brings but a part of it is not relied on. */
static void test_lossy_pusher(void) {
    Room *room = ring_new();
    Peer *alice = &room->peers[0], *chloe = &room->peers[2];
    guint frames;

    start(alice, MESH_STREAM_VOICE);
    speak(alice, 20, 20);
    lossy_from = pusher_of(chloe, alice)->number;
    room->filter = loses;
    speak(alice, 80, 20);
    frames = chloe->frames;
    speak(alice, 200, 20);
    g_assert_cmpuint(chloe->frames, >=, frames + 198);
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

    start(alice, MESH_STREAM_VOICE);
    speak(alice, 20, 20);
    other = pusher_of(chloe, alice) == bob ? &room->peers[3] : bob;
    memcpy(body, alice->key.bytes, SHORT_KEY_SIZE);
    body[SHORT_KEY_SIZE] = MESH_STREAM_VOICE;
    body[SHORT_KEY_SIZE + 1] = (uint8_t)(spoken - 10);
    body[SHORT_KEY_SIZE + 2] = (uint8_t)((spoken - 10) >> 8);
    body[sizeof body - 1] = 2;
    g_assert_cmpuint(feed_asked(other->mesh, &alice->key, MESH_STREAM_VOICE), ==, 0);
    say(chloe, other, MESSAGE_FEED_ASK, BYTES_OF(body));
    g_assert_cmpuint(feed_asked(other->mesh, &alice->key, MESH_STREAM_VOICE), ==,
                     UINT64_C(1) << slot_of(other, chloe));
    twice = mesh_counters(chloe->mesh).duplicates;
    speak(alice, 10, 20);
    g_assert_cmpuint(mesh_counters(chloe->mesh).duplicates, ==, twice + 10);
    /* For as long as was asked, */
    speak(alice, 40, 20);
    g_assert_cmpuint(feed_asked(other->mesh, &alice->key, MESH_STREAM_VOICE), ==, 0);
    /* not to who has what is there, */
    body[SHORT_KEY_SIZE + 1] = (uint8_t)(spoken + 10);
    body[SHORT_KEY_SIZE + 2] = (uint8_t)((spoken + 10) >> 8);
    say(chloe, other, MESSAGE_FEED_ASK, BYTES_OF(body));
    g_assert_cmpuint(feed_asked(other->mesh, &alice->key, MESH_STREAM_VOICE), ==, 0);
    /* nor for longer than may be asked. */
    body[sizeof body - 1] = FEED_ASK_S_MAX + 1;
    say(chloe, other, MESSAGE_FEED_ASK, BYTES_OF(body));
    g_assert_cmpuint(feed_asked(other->mesh, &alice->key, MESH_STREAM_VOICE), ==, 0);
    room_free(room);
}

/* Told how far a stream is elsewhere, who is behind asks for it, and it is told of and comes. */
static void test_behind(void) {
    Room *room = ring_new();
    Peer *alice = &room->peers[0], *chloe = &room->peers[2], *other;
    uint8_t body[SHORT_KEY_SIZE + 1 + 4] = {0};

    start(alice, MESH_STREAM_VOICE);
    speak(alice, 20, 20);
    other = pusher_of(chloe, alice) == &room->peers[1] ? &room->peers[3] : &room->peers[1];
    stream_forget(chloe->mesh, heard(chloe, alice));
    memcpy(body, alice->key.bytes, SHORT_KEY_SIZE);
    body[SHORT_KEY_SIZE] = MESH_STREAM_VOICE;
    body[SHORT_KEY_SIZE + 1] = (uint8_t)(spoken - 1);
    body[SHORT_KEY_SIZE + 2] = (uint8_t)((spoken - 1) >> 8);
    say(other, chloe, MESSAGE_FEED_AT, BYTES_OF(body));
    g_assert_cmpuint(feed_asked(other->mesh, &alice->key, MESH_STREAM_VOICE), ==,
                     UINT64_C(1) << slot_of(other, chloe));
    speak(alice, 5, 20);
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
    for (uint64_t ms = 0; ms < for_ms; ms += FRAME_MS) {
        room_run(choir->room, FRAME_MS * MS);
        choir->mesh->now_us = choir->room->now_us;
        for (guint i = 0; i < choir->speaking; i++) {
            Stream *stream = &choir->mesh->streams.streams[i];
            MeshFrame frame = {
                .kind = MESH_STREAM_VOICE, .duration_ms = FRAME_MS, .level = choir->levels[i]};

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
    Stream *voice = &mesh->streams.streams[0], *picture = &mesh->streams.streams[1];
    uint64_t many = 0xfffff0;

    /* While nothing is known of the lines, to so many; targets before those that asked. */
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
    memset(&mesh->streams, 0, sizeof mesh->streams);
    room_free(room);
}

/* ---- pictures ---- */

static void show(Peer *peer, guint frames, uint8_t flags) {
    for (guint i = 0; i < frames; i++) {
        peer_step(peer, &(MeshEvent){.kind = MESH_EVENT_FRAME,
                                     .frame = {.kind = MESH_STREAM_VIDEO,
                                               .number = spoken++,
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

    start(alice, MESH_STREAM_VIDEO);
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

static guint told; /* datagrams large enough for an entry */

static bool count_entries(Room *room, guint from, guint to, uint8_t *bytes, size_t length) {
    told += length > 200;
    return in_a_row(room, from, to, bytes, length);
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

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(sodium_init(), >=, 0);
    g_test_add_func("/mesh/feed/frame", test_frame);
    g_test_add_func("/mesh/feed/life", test_life);
    g_test_add_func("/mesh/feed/passed-on", test_passed_on);
    g_test_add_func("/mesh/feed/locked", test_locked);
    g_test_add_func("/mesh/feed/full", test_full);
    g_test_add_func("/mesh/feed/open-most", test_open_most);
    g_test_add_func("/mesh/feed/lossy-pusher", test_lossy_pusher);
    g_test_add_func("/mesh/feed/no-more-than-needed", test_no_more_than_needed);
    g_test_add_func("/mesh/feed/words", test_words);
    g_test_add_func("/mesh/feed/bad-words", test_bad_words);
    g_test_add_func("/mesh/feed/end", test_end);
    g_test_add_func("/mesh/feed/own-word", test_own_word);
    g_test_add_func("/mesh/feed/lost", test_lost);
    g_test_add_func("/mesh/feed/pusher-dies", test_pusher_dies);
    g_test_add_func("/mesh/feed/asked", test_asked);
    g_test_add_func("/mesh/feed/behind", test_behind);
    g_test_add_func("/mesh/feed/asks-full", test_asks_full);
    g_test_add_func("/mesh/feed/loudest", test_loudest);
    g_test_add_func("/mesh/feed/granted", test_granted);
    g_test_add_func("/mesh/feed/keyframe", test_keyframe);
    g_test_add_func("/mesh/feed/pushed", test_pushed);
    return g_test_run();
}
