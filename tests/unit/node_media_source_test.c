/* SPDX-License-Identifier: MPL-2.0 */
/* Sources given to the real helper: good ones, bad ones, ones that die or never open. */
#include <glib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/unit/node_media_room.h"

static void test_refused(void) {
    static const char *const bad[] = {
        "audiotestsrc ! nosuchelement",
        "! ! !",
        "audiotestsrc freq=",
        "",
        " ",
        "bonjour",
        "fakesrc ! fakesink",
        "audiotestsrc nosuchproperty=3",
        "audiotestsrc wave=nonsense",
        "videotestsrc",
        "/nowhere/nothing.wav",
        "/",
        "/dev/null",
        "filesrc location=/nowhere",
        "(",
        "audiotestsrc name=a a. ! fakesink b.",
        "fakesrc num-buffers=0 ! audio/x-raw",
    };
    Room room;
    room_open(&room, "fake");
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_test_message("%s", bad[i]);
        room_start(&room, MEDIA_KIND_VOICE, bad[i]);
        if (room.refusal == NULL) {
            /* Nothing but its silent end came from it. */
            WAIT_FOR(room.ended > 0);
            g_assert_cmpuint(room.frames, <=, 1);
            room.ended = 0;
            room.frames = 0;
        } else {
            g_assert_cmpint(room.code, ==, MEDIA_FAILED_SOURCE);
            g_assert_cmpuint(strlen(room.refusal), >, 3);
        }
    }
    g_autofree char *text = g_build_filename(room.home, "text.wav", NULL);
    g_assert_true(g_file_set_contents(text, "bonjour", -1, NULL));
    room_start(&room, MEDIA_KIND_VOICE, text);
    g_assert_nonnull(room.refusal);
    g_autofree char *empty = g_build_filename(room.home, "empty.wav", NULL);
    g_assert_true(g_file_set_contents(empty, "", 0, NULL));
    room_start(&room, MEDIA_KIND_VOICE, empty);
    g_assert_nonnull(room.refusal);
    g_autofree char *lengthy = g_strnfill(MEDIA_TEXT_MAX + 1, 'x');
    room_start(&room, MEDIA_KIND_VOICE, lengthy);
    g_assert_nonnull(room.refusal);
    /* None of it hurt, nor had to be ended by the alarm. */
    room_start(&room, MEDIA_KIND_VOICE, "audiotestsrc is-live=true");
    g_assert_null(room.refusal);
    g_assert_cmpuint(media_restarts(room.media), ==, 0);
    room_close(&room);
    room_free(&room);
}

/* Whatever this machine has, the answer comes: a source, or what is missing. */
static void test_automatic(void) {
    Room room;
    room_open(&room, "fake");
    for (MediaKind kind = MEDIA_KIND_VOICE; kind <= MEDIA_KIND_SCREEN; kind++) {
        room_start(&room, kind, "auto");
        g_assert_true(room.code == -1 || room.code == MEDIA_FAILED_SOURCE);
        g_assert_cmpint(media_source_runs(room.media, kind), ==, room.code == -1);
    }
    room_close(&room);
    room_free(&room);
}

static void test_replaced(void) {
    Room room;
    room_open(&room, "fake");
    /* Asked for in one breath: the last one wins, the others are told. */
    media_source_start(room.media, MEDIA_KIND_VOICE, "test", room_on_started, &room);
    media_source_start(room.media, MEDIA_KIND_VOICE, "! !", room_on_started, &room);
    media_source_start(room.media, MEDIA_KIND_VOICE, "audiotestsrc is-live=true", room_on_started,
                       &room);
    g_assert_cmpuint(room.started, ==, 2);
    WAIT_FOR(room.started == 3);
    g_assert_null(room.refusal);
    WAIT_FOR(room.frames >= 10);
    media_source_start(room.media, MEDIA_KIND_VOICE, "audiotestsrc ! nosuchelement",
                       room_on_started, &room);
    media_source_start(room.media, MEDIA_KIND_VOICE, "audiotestsrc is-live=true wave=square",
                       room_on_started, &room);
    WAIT_FOR(room.started == 5);
    g_assert_null(room.refusal);
    guint before = room.frames;
    WAIT_FOR(room.frames >= before + 10);
    media_source_stop(room.media, MEDIA_KIND_VOICE);
    media_source_stop(room.media, MEDIA_KIND_VOICE);
    before = room.frames;
    room_start(&room, MEDIA_KIND_VOICE, "audiotestsrc num-buffers=20");
    WAIT_FOR(room.ended == 1);
    g_assert_null(room.reason);
    g_assert_cmpuint(room.gaps, ==, 0);
    g_assert_cmpuint(room.frames, >, before);
    room_close(&room);
    room_free(&room);
}

static void test_dying(void) {
    Room room;
    room_open(&room, "fake");
    room_start(&room, MEDIA_KIND_VOICE, "audiotestsrc ! identity error-after=25");
    g_assert_null(room.refusal);
    WAIT_FOR(room.ended == 1);
    g_assert_nonnull(room.reason);
    g_assert_cmpuint(media_restarts(room.media), ==, 0);
    room_close(&room);
    room_free(&room);
}

/* A device that never opens: the helper that waits for it is ended by its own alarm. */
static void test_hung(void) {
    Room room;
    room_open(&room, "fake");
    g_autofree char *fifo = g_build_filename(room.home, "fifo", NULL);
    g_autofree char *source = g_strdup_printf("filesrc location=%s", fifo);
    g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
    room_start(&room, MEDIA_KIND_VOICE, source);
    g_assert_cmpint(room.code, ==, MEDIA_FAILED_SOURCE);
    /* The next one is another process's matter. */
    room_start(&room, MEDIA_KIND_VOICE, "audiotestsrc is-live=true");
    g_assert_null(room.refusal);
    g_assert_cmpuint(media_restarts(room.media), ==, 1);
    room_close(&room);
    room_free(&room);
}

/* The times of its buffers begin ten hours from now, and nobody waits for that. */
static void test_leap(void) {
    Room room;
    room_open(&room, "fake");
    room_start(&room, MEDIA_KIND_VOICE,
               "audiotestsrc timestamp-offset=36000000000000 ! rawaudioparse use-sink-caps=true");
    g_assert_null(room.refusal);
    WAIT_FOR(room.frames >= 50);
    g_assert_cmpuint(room.gaps, ==, 0);
    g_assert_cmpuint(media_restarts(room.media), ==, 0);
    room_close(&room);
    room_free(&room);
}

static void test_silence(void) {
    Room room;
    room_open(&room, "fake");
    room_start(&room, MEDIA_KIND_VOICE, "test");
    /* Beeps a second apart: between them numbers stand still and time goes on. */
    WAIT_FOR(room.pause_ms > 0);
    g_test_message("%u ms of silence", room.pause_ms);
    g_assert_cmpuint(room.pause_ms, >, 250);
    g_assert_cmpuint(room.gaps, ==, 0);
    room_close(&room);
    room_free(&room);
}

static void test_ladder(void) {
    Room room;
    room_open(&room, "fake");
    media_uplink(room.media, &(MediaUplink){16000, 100, 600, 0});
    room_start(&room, MEDIA_KIND_VOICE, "audiotestsrc is-live=true wave=pink-noise");
    WAIT_FOR(room.last.duration_ms == 120);
    while (room.last.duration_ms != 20) {
        media_uplink(room.media, &(MediaUplink){5000000, 0, 5, 0});
        guint before = room.frames;
        WAIT_FOR(room.frames > before);
    }
    g_assert_cmpuint(room.gaps, ==, 0);
    room_close(&room);
    room_free(&room);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    if (g_getenv("MAILLON_MEDIA") == NULL) {
        g_print("1..0 # SKIP MAILLON_MEDIA is not set\n");
        return 0;
    }
    /* What the helper writes on its standard error is to be seen. */
    g_setenv("GST_DEBUG", "0", FALSE);
    g_test_add_func("/node/media/source/refused", test_refused);
    g_test_add_func("/node/media/source/automatic", test_automatic);
    g_test_add_func("/node/media/source/replaced", test_replaced);
    g_test_add_func("/node/media/source/dying", test_dying);
    g_test_add_func("/node/media/source/hung", test_hung);
    g_test_add_func("/node/media/source/leap", test_leap);
    g_test_add_func("/node/media/source/silence", test_silence);
    g_test_add_func("/node/media/source/ladder", test_ladder);
    return g_test_run();
}
