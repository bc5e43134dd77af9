/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/unit/node_media_speech.h"

#include <glib.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#define HEADER  44 /* bytes of a WAV file before the sound */
#define RATE    48000
#define TONES_S 4

static void put_uint(GByteArray *bytes, guint32 value, guint width) {
    for (guint i = 0; i < width; i++) {
        guint8 byte = (guint8)(value >> (8 * i));
        g_byte_array_append(bytes, &byte, 1);
    }
}

char *speech_write(const char *folder) {
    char *path = g_build_filename(folder, "speech.wav", NULL);
    const char *const words[] = {
        "espeak-ng", "-v", "fr", "-s",
        "150",       "-w", path, "Bonjour à tous. Le secteur nord doit être évacué avant midi.",
        NULL};
    gint status = 0;
    if (g_spawn_sync(NULL, (char **)words, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
                     &status, NULL) &&
        status == 0) {
        return path;
    }
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    g_byte_array_append(bytes, (const guint8 *)"RIFF", 4);
    put_uint(bytes, HEADER - 8 + TONES_S * RATE * 2, 4);
    g_byte_array_append(bytes, (const guint8 *)"WAVEfmt ", 8);
    put_uint(bytes, 16, 4);
    put_uint(bytes, 1 | 1 << 16, 4);
    put_uint(bytes, RATE, 4);
    put_uint(bytes, RATE * 2, 4);
    put_uint(bytes, 2 | 16 << 16, 4);
    g_byte_array_append(bytes, (const guint8 *)"data", 4);
    put_uint(bytes, TONES_S * RATE * 2, 4);
    for (guint i = 0; i < TONES_S * RATE; i++) {
        double t = (double)i / RATE;
        double loud = fabs(sin(5 * t)) * 8000;
        put_uint(bytes, (guint16)(gint16)(loud * sin(2 * G_PI * (200 * t + 150 * t * t))), 2);
    }
    g_assert_true(g_file_set_contents(path, (const char *)bytes->data, bytes->len, NULL));
    return path;
}

double speech_seconds_loud(const char *path) {
    g_autofree char *bytes = NULL;
    gsize length = 0, loud = 0;
    g_assert_true(g_file_get_contents(path, &bytes, &length, NULL));
    for (gsize at = HEADER; at + 960 <= length; at += 960) {
        guint most = 0;
        for (gsize i = 0; i < 960; i += 2) {
            gint16 sample = 0;
            memcpy(&sample, bytes + at + i, 2);
            most = MAX(most, (guint)ABS((gint)sample));
        }
        loud += most > 300;
    }
    return (double)loud / 100;
}

void speech_assert_heard(const char *speech, const char *recording) {
    const char *compare = g_getenv("MAILLON_CORRELATE");
    double wanted = speech_seconds_loud(speech), heard = speech_seconds_loud(recording);
    g_test_message("%.2f s of sound at 48 kHz sent, %.2f s heard", wanted, heard);
    g_assert_cmpfloat(heard, >, 1);
    if (compare == NULL) {
        return;
    }
    g_autofree char *resampled = g_strconcat(recording, ".sent.wav", NULL);
    const char *const convert[] = {"sox", "-D", speech, "-r",      "48000", "-c",
                                   "1",   "-b", "16",   resampled, NULL};
    gint status = 0;
    if (!g_spawn_sync(NULL, (char **)convert, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
                      &status, NULL) ||
        status != 0) {
        g_test_message("no sox here: not compared");
        return;
    }
    const char *const words[] = {compare, resampled, recording, NULL};
    g_autofree char *answer = NULL;
    g_assert_true(
        g_spawn_sync(NULL, (char **)words, NULL, 0, NULL, NULL, &answer, NULL, &status, NULL));
    g_assert_cmpint(status, ==, 0);
    g_test_message("%s", answer);
    g_autoptr(JsonNode) found = json_from_string(answer, NULL);
    JsonObject *object = json_node_get_object(found);
    g_assert_cmpfloat(json_object_get_double_member(object, "envelope_correlation"), >, 0.6);
    g_assert_cmpfloat(json_object_get_double_member(object, "pcm_correlation"), >, 0.4);
    g_assert_cmpfloat(json_object_get_double_member(object, "active_share"), >, 0.9);
}
