/* SPDX-License-Identifier: MPL-2.0 */
/* Voice messages: frames in and out of parts, parts in any order, and from one node to another. */
#include <sodium.h>
#include <string.h>

#include "mesh/core.h"
#include "tests/unit/mesh_core_room.h"

#define FRAME_MS 60

/* ---- frames ---- */

static void test_frames(void) {
    static uint8_t bytes[MESH_VOICE_FRAMES_MAX], payload[1275];
    const struct {
        uint32_t pause_ms;
        uint8_t duration_ms;
        size_t size;
    } wanted[] = {{0, 60, 1}, {0, 120, 63}, {500, 20, 64}, {63, 60, 1275}};
    MeshVoicePart part = {.codec = 1};
    MeshVoiceFrame frame, got;
    uint32_t end_ms = 1000;
    guint count = 0;

    randombytes_buf_deterministic(payload, sizeof payload,
                                  (uint8_t[randombytes_SEEDBYTES]){"frames"});
    for (guint i = 0; i < G_N_ELEMENTS(wanted); i++) {
        frame = (MeshVoiceFrame){.at_ms = end_ms + wanted[i].pause_ms,
                                 .duration_ms = wanted[i].duration_ms,
                                 .payload = BYTES_AT(payload, wanted[i].size)};
        g_assert_true(mesh_voice_append(&part, bytes, end_ms, &frame));
        end_ms = frame.at_ms + frame.duration_ms;
    }
    frame.at_ms = end_ms - 1;
    g_assert_false(mesh_voice_append(&part, bytes, end_ms, &frame));
    frame.at_ms = end_ms;
    /* Until it is full; what does not fit is not written at all. */
    while (mesh_voice_append(&part, bytes, end_ms, &frame)) {
        count++;
    }
    g_assert_cmpuint(count, ==, (MESH_VOICE_FRAMES_MAX - 1424) / 1278);
    end_ms = 1000;
    for (guint i = 0; i < G_N_ELEMENTS(wanted); i++) {
        g_assert_true(mesh_voice_frame(&part, &got));
        g_assert_cmpmem(got.payload.data, (int)got.payload.length, payload, (int)wanted[i].size);
        g_assert_cmpuint(got.at_ms, ==, end_ms + wanted[i].pause_ms);
        g_assert_cmpuint(got.duration_ms, ==, wanted[i].duration_ms);
        end_ms = got.at_ms + got.duration_ms;
        g_assert_cmpuint(part.from_ms, ==, end_ms);
    }
    while (mesh_voice_frame(&part, &got)) {
        count--;
    }
    g_assert_cmpuint(count, ==, 0);
    g_assert_cmpuint(part.frames.length, ==, 0);
}

/* ---- parts ---- */

#define NUMBERS 4

typedef struct {
    Voices voices;
    Entry entries[NUMBERS + 3];
    SealedAct acts[NUMBERS + 3];
} Parts;

static void make_part(Parts *parts, guint index, uint32_t number, bool last, uint8_t author) {
    static const uint8_t FRAMES[] = {FRAME_MS, 1, 'a'};
    Entry *entry = &parts->entries[index];
    SealedAct *act = &parts->acts[index];

    memset(entry->hash.bytes, 0x10 + (int)index, MESH_HASH_SIZE);
    memset(entry->author.bytes, author, MESH_KEY_SIZE);
    act->kind = ACT_VOICE;
    act->voice.part = (MeshVoicePart){.number = number,
                                      .last = last,
                                      .codec = 1,
                                      .from_ms = number * 100,
                                      .frames = BYTES_OF(FRAMES)};
    if (number > 0) {
        act->voice.message = parts->entries[0].hash;
    }
}

static void check_state(const Parts *parts, uint32_t count, uint32_t duration_ms, bool whole) {
    VoiceState state =
        voices_state(&parts->voices, &parts->entries[0].hash, &parts->entries[0].author);

    g_assert_cmpuint(state.parts, ==, count);
    g_assert_cmpuint(state.duration_ms, ==, duration_ms);
    g_assert_cmpint(state.whole, ==, whole);
    for (uint32_t number = 0; number <= NUMBERS; number++) {
        const VoicePart *part = voices_part(&parts->voices, &parts->entries[0].hash, number);

        g_assert_cmpint(part != NULL, ==, number < count);
        g_assert_true(!part || part->number == number);
    }
}

/* A whole message, a part of it said twice, a stranger's part, and one behind the last: in every
 * order. */
static void test_any_order(void) {
    Parts *parts = g_new0(Parts, 1);
    const guint count = G_N_ELEMENTS(parts->entries);
    guint orders = 0;

    for (uint32_t i = 0; i < NUMBERS; i++) {
        make_part(parts, i, i, i + 1 == NUMBERS, 1);
    }
    make_part(parts, NUMBERS, 2, true, 1); /* later: part 2 is the last of nothing */
    make_part(parts, NUMBERS + 1, 1, true, 2);
    make_part(parts, NUMBERS + 2, NUMBERS, true, 1);
    for (guint code = 0; code < 5040; code++) {
        guint left[G_N_ELEMENTS(parts->entries)], rest = code;

        for (guint i = 0; i < count; i++) {
            left[i] = i;
        }
        for (guint i = count; i > 0; i--) {
            guint at = rest % i, index = left[at];

            rest /= i;
            left[at] = left[i - 1];
            voices_add(&parts->voices, &parts->entries[index], index == NUMBERS ? 9 : 8,
                       &parts->acts[index]);
        }
        check_state(parts, NUMBERS, (NUMBERS - 1) * 100 + FRAME_MS, true);
        g_assert_true(
            mesh_hash_equal(&voices_part(&parts->voices, &parts->entries[0].hash, 2)->place.hash,
                            &parts->entries[2].hash));
        voices_reset(&parts->voices);
        orders++;
    }
    g_assert_cmpuint(orders, ==, 5040);
    g_free(parts);
}

static void test_missing(void) {
    Parts *parts = g_new0(Parts, 1);

    for (uint32_t i = 0; i < NUMBERS; i++) {
        make_part(parts, i, i, i + 1 == NUMBERS, 1);
    }
    check_state(parts, 0, 0, false);
    g_assert_true(voices_add(&parts->voices, &parts->entries[3], 8, &parts->acts[3]));
    check_state(parts, 0, 0, false);
    g_assert_true(voices_add(&parts->voices, &parts->entries[0], 8, &parts->acts[0]));
    check_state(parts, 1, FRAME_MS, false);
    g_assert_false(voices_add(&parts->voices, &parts->entries[0], 8, &parts->acts[0]));
    g_assert_true(voices_add(&parts->voices, &parts->entries[2], 8, &parts->acts[2]));
    check_state(parts, 1, FRAME_MS, false);
    g_assert_true(voices_add(&parts->voices, &parts->entries[1], 8, &parts->acts[1]));
    check_state(parts, NUMBERS, (NUMBERS - 1) * 100 + FRAME_MS, true);
    voices_reset(&parts->voices);
    g_free(parts);
}

/* ---- from one node to another ---- */

static MeshHash say_part(Peer *peer, const MeshHash *message, MeshVoicePart part, MeshError error) {
    MeshIntent intent = {.kind = MESH_INTENT_VOICE, .voice = part};
    const RoomDone *done;

    if (message) {
        intent.hash = *message;
    }
    done = peer_ask(peer, intent);
    g_assert_cmpint(done->error, ==, error);
    return done->hash;
}

static bool find_voice(Peer *peer, MeshMessage *ret_message) {
    for (size_t i = 0; mesh_message(peer->mesh, i, ret_message); i++) {
        if (ret_message->voice_parts > 0) {
            return true;
        }
    }
    return false;
}

static bool has_whole(Peer *peer) {
    MeshMessage message;

    return find_voice(peer, &message) && message.voice_whole;
}

static bool has_begun(Peer *peer) {
    MeshMessage message;

    return find_voice(peer, &message);
}

static void check_part(Peer *peer, const MeshHash *message, uint32_t number, Bytes expected) {
    uint8_t bytes[MESH_ENTRY_MAX];
    MeshVoicePart part;

    g_assert_cmpint(mesh_voice_part(peer->mesh, message, number, bytes, &part), ==, MESH_OK);
    g_assert_cmpuint(part.number, ==, number);
    g_assert_cmpmem(part.frames.data, (int)part.frames.length, expected.data, (int)expected.length);
}

static void test_sent(void) {
    Room *room = room_new();
    uint8_t bytes[MESH_ENTRY_MAX];
    static uint8_t large[MESH_VOICE_FRAMES_MAX];
    const Bytes small = BYTES_AT("\74\1a\74\1b", 6); /* two frames of FRAME_MS */
    Peer *anne, *bruno;
    MeshHash id, second;
    MeshMessage message;
    MeshVoicePart part = {.codec = 1, .frames = small}, got;

    for (size_t i = 0; i + 2 < sizeof large; i += 3) {
        memcpy(large + i, "\1\1x", 3);
    }
    room_meet(room, 2);
    anne = &room->peers[0];
    bruno = &room->peers[1];
    id = say_part(anne, NULL, part, MESH_OK);
    g_assert_true(room_until(room, has_begun, bruno));
    g_assert_true(find_voice(bruno, &message));
    g_assert_true(mesh_hash_equal(&message.id, &id));
    g_assert_cmpstr(message.text, ==, "");
    g_assert_cmpuint(message.voice_ms, ==, 2 * FRAME_MS);
    g_assert_false(message.voice_whole);
    /* Not as the next part, not as another's, not of nothing, and not shorter than what it is. */
    say_part(anne, &id, part, MESH_ERROR_INVALID);
    part.number = 2;
    part.from_ms = 5000;
    say_part(anne, &id, part, MESH_ERROR_STATE);
    part.number = 1;
    say_part(anne, NULL, part, MESH_ERROR_INVALID);
    say_part(bruno, &id, part, MESH_ERROR_UNKNOWN);
    part.from_ms = 2 * FRAME_MS - 1;
    say_part(anne, &id, part, MESH_ERROR_STATE);
    part.from_ms = UINT32_MAX - FRAME_MS;
    say_part(anne, &id, part, MESH_ERROR_INVALID);
    /* As large as a part can be: it fits into an entry. */
    part.from_ms = 2 * FRAME_MS;
    part.frames = BYTES_AT(large, sizeof large / 3 * 3);
    part.last = true;
    say_part(anne, &id, part, MESH_OK);
    g_assert_true(room_until(room, has_whole, bruno));
    check_part(bruno, &id, 0, small);
    check_part(bruno, &id, 1, part.frames);
    g_assert_cmpint(mesh_voice_part(bruno->mesh, &id, 2, bytes, &got), ==, MESH_ERROR_UNKNOWN);
    part.number = 2;
    part.from_ms = 60000;
    say_part(anne, &id, part, MESH_ERROR_STATE);
    /* Another message of hers; she has said one line that is none. */
    peer_say(anne, "hello");
    second = say_part(anne, NULL, (MeshVoicePart){.codec = 1, .frames = small}, MESH_OK);
    g_assert_false(mesh_hash_equal(&second, &id));
    g_assert_cmpuint(mesh_message_count(anne->mesh), ==, 3);
    room_free(room);
}

static bool has_last(Peer *peer) {
    return peer_has_message(peer, "last");
}

/* A part that lengthens nothing, such as one of another's message, is nothing to be told of. */
static void test_stray(void) {
    Room *room = room_new();
    SealedAct act = {
        .kind = ACT_VOICE,
        .voice.part = {.number = 1, .codec = 1, .from_ms = 1000, .frames = BYTES_AT("\74\1a", 3)}};
    Peer *anne, *bruno;
    MeshMessage message;
    guint before;

    room_meet(room, 2);
    anne = &room->peers[0];
    bruno = &room->peers[1];
    act.voice.message =
        say_part(anne, NULL, (MeshVoicePart){.codec = 1, .frames = BYTES_AT("\74\1a", 3)}, MESH_OK);
    g_assert_true(room_until(room, has_begun, bruno));
    before = anne->notices[MESH_NOTICE_MESSAGE];
    g_assert_cmpint(author_write(bruno->mesh, NULL, &act, (AuthorAnswer){0}, NULL), ==, MESH_OK);
    peer_say(bruno, "last");
    g_assert_true(room_until(room, has_last, anne));
    g_assert_cmpuint(anne->notices[MESH_NOTICE_MESSAGE], ==, before + 1);
    g_assert_true(find_voice(anne, &message));
    g_assert_cmpuint(message.voice_parts, ==, 1);
    room_free(room);
}

/* Cut off in the middle: what was said is there, after a restart and for who comes later. */
static void test_cut_off(void) {
    Room *room = room_new();
    const Bytes small = BYTES_AT("\74\1a\74\1b", 6); /* two frames of FRAME_MS */
    MeshMessage message;
    MeshHash id;
    Peer *anne, *bruno;

    room_meet(room, 2);
    anne = &room->peers[0];
    bruno = &room->peers[1];
    peer_stop(bruno);
    id = say_part(anne, NULL, (MeshVoicePart){.codec = 1, .frames = small}, MESH_OK);
    peer_stop(anne);
    anne = room_start(room, 0);
    bruno = room_start(room, 1);
    g_assert_true(room_until(room, has_begun, bruno));
    g_assert_true(find_voice(bruno, &message));
    g_assert_false(message.voice_whole);
    check_part(bruno, &id, 0, small);
    /* The rest may be said in another run of her node. */
    say_part(anne, &id,
             (MeshVoicePart){
                 .number = 1, .last = true, .codec = 1, .from_ms = 2 * FRAME_MS, .frames = small},
             MESH_OK);
    g_assert_true(room_until(room, has_whole, bruno));
    room_free(room);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(sodium_init(), >=, 0);
    g_test_add_func("/mesh/voice/frames", test_frames);
    g_test_add_func("/mesh/voice/any-order", test_any_order);
    g_test_add_func("/mesh/voice/missing", test_missing);
    g_test_add_func("/mesh/voice/sent", test_sent);
    g_test_add_func("/mesh/voice/stray", test_stray);
    g_test_add_func("/mesh/voice/cut-off", test_cut_off);
    return g_test_run();
}
