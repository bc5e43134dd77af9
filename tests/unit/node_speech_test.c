/* SPDX-License-Identifier: MPL-2.0 */
/* Who is said to speak, and how rarely that changes. */
#include <glib.h>

#include "media/protocol.h"
#include "node/host/speech.h"

#define FRAME_MS 20

/* Frames of that level for so long; how often the state changed. */
static guint hear(Speech *speech, guint8 level, guint for_ms, gint64 *now_ms) {
    guint changes = 0;
    for (guint ms = 0; ms < for_ms; ms += FRAME_MS, *now_ms += FRAME_MS) {
        changes += speech_step(speech, level, *now_ms);
    }
    return changes;
}

static void test_begins_and_ends(void) {
    Speech speech = {0};
    gint64 now_ms = 1000;
    g_assert_cmpuint(hear(&speech, MEDIA_LEVEL_SILENCE, 5000, &now_ms), ==, 0);
    g_assert_cmpuint(hear(&speech, SPEECH_LOUD + 1, 5000, &now_ms), ==, 0);
    g_assert_cmpuint(hear(&speech, SPEECH_LOUD, FRAME_MS, &now_ms), ==, 1); /* at once */
    g_assert_cmpint(speech.state, ==, SPEECH_SPEAKS);
    g_assert_cmpuint(hear(&speech, SPEECH_QUIET, 5000, &now_ms), ==, 0); /* once, it may be lower */
    g_assert_cmpuint(hear(&speech, SPEECH_QUIET + 1, SPEECH_HOLD_MS - FRAME_MS, &now_ms), ==, 0);
    g_assert_cmpuint(hear(&speech, SPEECH_QUIET + 1, SPEECH_HOLD_MS, &now_ms), ==, 1);
    g_assert_cmpint(speech.state, ==, SPEECH_SILENT);
}

/* Words and breaths, and a beep each second, are one speech. */
static void test_pauses(void) {
    Speech speech = {0};
    gint64 now_ms = 1000;
    guint changes = 0;
    for (guint i = 0; i < 100; i++) {
        changes += hear(&speech, 20, 250, &now_ms);
        changes += hear(&speech, MEDIA_LEVEL_SILENCE, 750, &now_ms);
    }
    g_assert_cmpuint(changes, ==, 1);
}

/* Whatever the levels are, it changes at most twice in the time it is held. */
static void test_calm(void) {
    Speech speech = {0};
    GRand *rand = g_rand_new_with_seed(1);
    gint64 now_ms = 1000;
    guint changes = 0;
    for (guint i = 0; i < 100000; i++, now_ms += FRAME_MS) {
        changes += speech_step(&speech, (guint8)g_rand_int_range(rand, 0, 128), now_ms);
    }
    g_rand_free(rand);
    g_assert_cmpuint(changes, <=, 2 + 2 * 100000 * FRAME_MS / SPEECH_HOLD_MS);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/node/speech/begins-and-ends", test_begins_and_ends);
    g_test_add_func("/node/speech/pauses", test_pauses);
    g_test_add_func("/node/speech/calm", test_calm);
    return g_test_run();
}
