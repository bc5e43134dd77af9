/* SPDX-License-Identifier: MPL-2.0 */
/* Every message there and back, its bytes where they matter, and everything that must be refused.
 */
#include <glib.h>
#include <string.h>

#include "media/protocol.h"

#define assert_bytes(a, a_length, b, b_length)                                                     \
    do {                                                                                           \
        g_assert_cmpuint(a_length, ==, b_length);                                                  \
        g_assert_true(memcmp(a, b, a_length) == 0);                                                \
    } while (0)

static const uint8_t PAYLOAD[] = {1, 2, 3, 4, 5};

static const MediaMessage MESSAGES[] = {
    {.type = MEDIA_STREAM_OPEN, .open = {7, MEDIA_KIND_VOICE}},
    {.type = MEDIA_STREAM_OPEN, .open = {0xfffffffe, MEDIA_KIND_VIDEO}},
    {.type = MEDIA_FRAME,
     .frame = {.stream = 7,
               .number = 0x01020304,
               .media_time_ms = 0xfffffff0,
               .duration_ms = 20,
               .kind = MEDIA_KIND_VOICE,
               .flags = MEDIA_FLAG_SILENCE,
               .codec = MEDIA_CODEC_OPUS,
               .level = 127,
               .payload = {PAYLOAD, sizeof(PAYLOAD)}}},
    {.type = MEDIA_STREAM_CLOSE, .stream = 7},
    {.type = MEDIA_STOP, .kind = MEDIA_KIND_NONE},
    {.type = MEDIA_START, .start = {MEDIA_KIND_SCREEN, MEDIA_PROFILE_NARROW, {"auto", 4}}},
    {.type = MEDIA_UPLINK, .uplink = {64000, 150, 600, 70}},
    {.type = MEDIA_KEYFRAME, .keyframe = {MEDIA_KIND_VIDEO, 9}},
    {.type = MEDIA_RUNG,
     .rung = {MEDIA_KIND_VOICE, MEDIA_CODEC_CODEC2, 120, 0, 3200, 8000, MEDIA_REASON_LOSS}},
    {.type = MEDIA_SAVE, .save = MEDIA_SAVE_PICTURES},
    {.type = MEDIA_RECORD, .record = true},
    {.type = MEDIA_MIX, .mix = {0x01020304, {PAYLOAD, 4}}},
    {.type = MEDIA_MIX, .mix = {7, {NULL, 0}}},
    {.type = MEDIA_METER, .meter = true},
    {.type = MEDIA_ECHO, .cancelled = true},
    {.type = MEDIA_LOUDNESS, .loudness = {127, 0}},
    {.type = MEDIA_DEVICES},
    {.type = MEDIA_DEVICE, .device = {MEDIA_ROLE_CAMERA, {"v4l2src", 7}, {"Caméra", 7}}},
    {.type = MEDIA_DEVICE, .device = {MEDIA_ROLE_SPEAKER, {"alsasink", 8}, {"", 0}}},
    {.type = MEDIA_DEVICE, .device = {MEDIA_ROLE_NONE, {NULL, 0}, {NULL, 0}}},
    {.type = MEDIA_READY, .notice = {MEDIA_KIND_NONE, {"é", 2}}},
    {.type = MEDIA_STATS, .stats = {7, 100, 90, 6, 4, 9, 45, 88, 2}},
    {.type = MEDIA_STARTED, .kind = MEDIA_KIND_VOICE},
    {.type = MEDIA_ENDED, .notice = {MEDIA_KIND_VOICE, {"end of file", 11}}},
    {.type = MEDIA_ERROR, .notice = {MEDIA_KIND_NONE, {"", 0}}},
};

static void test_round_trip(void) {
    for (gsize i = 0; i < G_N_ELEMENTS(MESSAGES); i++) {
        uint8_t bytes[256], again[256];
        size_t size = media_message_encode(&MESSAGES[i], bytes, sizeof(bytes));
        g_assert_cmpuint(size, >, 0);
        g_assert_cmpuint(size, ==, media_message_size(&MESSAGES[i]));
        g_assert_cmpuint(media_message_encode(&MESSAGES[i], again, size - 1), ==, 0);
        MediaMessage read;
        g_assert_true(media_message_decode(bytes, size, &read));
        g_assert_cmpint(read.type, ==, MESSAGES[i].type);
        g_assert_cmpuint(media_message_encode(&read, again, sizeof(again)), ==, size);
        assert_bytes(bytes, size, again, size);
    }
}

static void test_frame_bytes(void) {
    static const uint8_t EXPECTED[] = {1, 2, 7, 0, 0,   0, 4, 3, 2, 1, 0xf0, 0xff, 0xff, 0xff, 20,
                                       0, 1, 4, 1, 127, 5, 0, 0, 0, 1, 2,    3,    4,    5};
    uint8_t bytes[64];
    size_t size = media_message_encode(&MESSAGES[2], bytes, sizeof(bytes));
    assert_bytes(bytes, size, EXPECTED, sizeof(EXPECTED));
    g_assert_cmpuint(size - sizeof(PAYLOAD), ==, MEDIA_FRAME_HEADER_SIZE);
    MediaMessage read;
    g_assert_true(media_message_decode(bytes, size, &read));
    g_assert_cmpuint(read.frame.number, ==, 0x01020304);
    g_assert_cmpuint(read.frame.media_time_ms, ==, 0xfffffff0);
    g_assert_cmpuint(read.frame.level, ==, 127);
    assert_bytes(read.frame.payload.data, read.frame.payload.length, PAYLOAD, sizeof(PAYLOAD));
}

/* Every message one byte too short, too long, of another version or of no type. */
static void test_lengths(void) {
    for (gsize i = 0; i < G_N_ELEMENTS(MESSAGES); i++) {
        uint8_t bytes[256] = {0};
        size_t size = media_message_encode(&MESSAGES[i], bytes, sizeof(bytes));
        MediaMessage read;
        memset(&read, 0x5a, sizeof(read));
        MediaMessage untouched = read;
        for (size_t length = 0; length < size; length++) {
            g_assert_false(media_message_decode(bytes, length, &read));
        }
        g_assert_false(media_message_decode(bytes, size + 1, &read));
        bytes[0] = 2;
        g_assert_false(media_message_decode(bytes, size, &read));
        bytes[0] = 1;
        bytes[1] = 0;
        g_assert_false(media_message_decode(bytes, size, &read));
        bytes[1] = 200;
        g_assert_false(media_message_decode(bytes, size, &read));
        assert_bytes(&read, sizeof(read), &untouched, sizeof(untouched));
    }
}

static void assert_unencodable(const MediaMessage *message) {
    uint8_t bytes[64];
    g_assert_cmpuint(media_message_encode(message, bytes, sizeof(bytes)), ==, 0);
}

static void test_limits(void) {
    MediaMessage message = MESSAGES[0];
    message.open.kind = MEDIA_KIND_SCREEN;
    assert_unencodable(&message);
    message = MESSAGES[2];
    message.frame.level = 128;
    assert_unencodable(&message);
    message = MESSAGES[2];
    message.frame.duration_ms = 0;
    assert_unencodable(&message);
    message = MESSAGES[2];
    message.frame.payload.length = 0;
    assert_unencodable(&message);
    message.frame.payload.length = MEDIA_VOICE_PAYLOAD_MAX + 1;
    g_assert_cmpuint(media_message_size(&message), ==, 0);
    message.frame.kind = MEDIA_KIND_VIDEO;
    g_assert_cmpuint(media_message_size(&message), ==, 0); /* no picture is Opus */
    message.frame.codec = MEDIA_CODEC_WEBP;
    g_assert_cmpuint(media_message_size(&message), >, 0);
    message.frame.payload.length = MEDIA_PAYLOAD_MAX + 1;
    g_assert_cmpuint(media_message_size(&message), ==, 0);
    message = MESSAGES[5];
    message.start.source.length = 0;
    assert_unencodable(&message);
    message.start.source = (MediaText){"a\0b", 3};
    assert_unencodable(&message);
    message = MESSAGES[6];
    message.uplink.loss_permille = 1001;
    assert_unencodable(&message);
    message = (MediaMessage){.type = MEDIA_LOUDNESS, .loudness = {128, 0}};
    g_assert_cmpuint(media_message_size(&message), ==, 0);
    message = (MediaMessage){.type = MEDIA_DEVICE,
                             .device = {MEDIA_ROLE_SPEAKER + 1, {"a", 1}, {"b", 1}}};
    g_assert_cmpuint(media_message_size(&message), ==, 0);
    message =
        (MediaMessage){.type = MEDIA_DEVICE, .device = {MEDIA_ROLE_CAMERA, {"", 0}, {"b", 1}}};
    g_assert_cmpuint(media_message_size(&message), ==, 0);
    message = (MediaMessage){.type = MEDIA_DEVICE, .device = {MEDIA_ROLE_NONE, {"a", 1}, {"", 0}}};
    g_assert_cmpuint(media_message_size(&message), ==, 0);
    message = (MediaMessage){.type = MEDIA_SAVE, .save = MEDIA_SAVE_PICTURES + 1};
    assert_unencodable(&message);
    message = (MediaMessage){.type = MEDIA_RUNG, .rung = {.kind = MEDIA_KIND_VIDEO}};
    g_assert_cmpuint(media_message_size(&message), >, 0); /* pictures are left out */
    message.rung.kind = MEDIA_KIND_VOICE;
    assert_unencodable(&message);
    message.rung.codec = MEDIA_CODEC_VP8;
    assert_unencodable(&message);
    message.rung.codec = MEDIA_CODEC_OPUS;
    message.rung.reason = MEDIA_REASON_FAR + 1;
    assert_unencodable(&message);
    message = (MediaMessage){.type = MEDIA_MIX, .mix.samples = {PAYLOAD, 3}};
    assert_unencodable(&message); /* half a sample */
    message.mix.samples.length = MEDIA_MIX_BYTES_MAX + 2;
    g_assert_cmpuint(media_message_size(&message), ==, 0);
    static const uint8_t neither_on_nor_off[] = {MEDIA_PROTOCOL_VERSION, MEDIA_RECORD, 2};
    g_assert_false(media_message_decode(neither_on_nor_off, sizeof(neither_on_nor_off), &message));
}

static void test_random_bytes(void) {
    g_autoptr(GRand) random = g_rand_new_with_seed(1);
    for (guint i = 0; i < 500000; i++) {
        uint8_t bytes[64], again[64];
        gsize length = (gsize)g_rand_int_range(random, 0, sizeof(bytes));
        for (gsize k = 0; k < length; k++) {
            bytes[k] = (uint8_t)g_rand_int(random);
        }
        if (length > 1) {
            bytes[0] = 1;
            bytes[1] = (uint8_t)(bytes[1] % 21);
        }
        MediaMessage read;
        if (media_message_decode(bytes, length, &read)) {
            /* What is accepted means exactly its bytes. */
            g_assert_cmpuint(media_message_encode(&read, again, sizeof(again)), ==, length);
            assert_bytes(bytes, length, again, length);
        }
    }
}

static void test_text(void) {
    g_autofree char *text = g_strnfill(MEDIA_TEXT_MAX - 1, 'a');
    g_autofree char *cut = g_strconcat(text, "é", NULL);
    g_assert_cmpuint(media_text("abc").length, ==, 3);
    g_assert_cmpuint(media_text(cut).length, ==, MEDIA_TEXT_MAX - 1);
    g_assert_true(g_utf8_validate(media_text(cut).data, media_text(cut).length, NULL));
    g_assert_cmpstr(media_kind_name(MEDIA_KIND_SCREEN), ==, "screen");
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/media/protocol/round-trip", test_round_trip);
    g_test_add_func("/media/protocol/frame-bytes", test_frame_bytes);
    g_test_add_func("/media/protocol/lengths", test_lengths);
    g_test_add_func("/media/protocol/limits", test_limits);
    g_test_add_func("/media/protocol/random-bytes", test_random_bytes);
    g_test_add_func("/media/protocol/text", test_text);
    return g_test_run();
}
