/* SPDX-License-Identifier: MPL-2.0 */
/* The real helper, driven by the node's end of it: heard, seen, killed, lied to, missing. */
#include <glib.h>
#include <signal.h>
#include <string.h>

#include "tests/unit/node_media_room.h"
#include "tests/unit/node_media_speech.h"

#define SPEECHES 5

static void test_without(void) {
    Room room = {0};
    media_source_start(NULL, MEDIA_KIND_VOICE, "test", room_on_started, &room);
    g_assert_cmpint(room.code, ==, MEDIA_FAILED_OFF);
    g_assert_false(media_source_runs(NULL, MEDIA_KIND_VOICE));
    media_stream_open(NULL, ROOM_STREAM, MEDIA_KIND_VOICE);
    media_destroy(NULL);
    g_free(room.refusal);
}

/* One speech from a source to a recording, every frame of it accounted for; whether nearly all were
 * there when due. */
static gboolean speech_passes(void) {
    Room room;
    room_open(&room, "heard.wav");
    g_autofree char *speech = speech_write(room.home);
    room_wait_ready(&room);
    g_assert_true(room_said(&room, "seccomp"));
    room.loop = TRUE;
    media_stream_open(room.media, ROOM_STREAM, MEDIA_KIND_VOICE);
    room_start(&room, MEDIA_KIND_VOICE, speech);
    g_assert_null(room.refusal);
    g_assert_true(media_source_runs(room.media, MEDIA_KIND_VOICE));
    WAIT_FOR(room.ended == 1);
    g_assert_null(room.reason);
    g_assert_false(media_source_runs(room.media, MEDIA_KIND_VOICE));
    g_assert_cmpuint(room.last.flags & MEDIA_FLAG_LAST, ==, MEDIA_FLAG_LAST);
    g_assert_cmpuint(room.gaps, ==, 0);
    g_assert_cmpuint(room.last.kind, ==, MEDIA_KIND_VOICE);
    WAIT_FOR(room_stats(&room).frames == room.frames);
    MediaStats found = room_stats(&room);
    g_test_message("%u frames: %u in time, %u late, %u lost, %u concealed, %u ms", found.frames,
                   found.in_time, found.late, found.lost, found.concealed, found.delay_ms);
    g_assert_cmpuint(found.in_time + found.late + found.lost, ==, found.frames);
    g_assert_cmpuint(media_restarts(room.media), ==, 0);
    room_close(&room);
    gboolean passes = found.lost == 0 && found.in_time >= found.frames * 9 / 10;
    if (passes) {
        speech_assert_heard(speech, room.sink);
    }
    room_free(&room);
    return passes;
}

/* A machine may stand still in one speech, but not in each. */
static void test_heard(void) {
    guint spoken = 0;
    while (!speech_passes()) {
        g_assert_cmpuint(++spoken, <, SPEECHES);
    }
}

static void kill_all(void) {
    g_autoptr(GArray) helpers = room_children();
    g_assert_cmpuint(helpers->len, ==, 2);
    for (guint i = 0; i < helpers->len; i++) {
        kill(g_array_index(helpers, gint, i), SIGKILL);
    }
}

static void test_killed(void) {
    Room room;
    room_open(&room, "killed.wav");
    room_wait_ready(&room);
    room.loop = TRUE;
    media_stream_open(room.media, ROOM_STREAM, MEDIA_KIND_VOICE);
    room_start(&room, MEDIA_KIND_VOICE, "audiotestsrc is-live=true");
    WAIT_FOR(room_stats(&room).in_time > 30);
    MediaStats before = room_stats(&room);
    guint frames = room.frames;
    gint64 begun_us = g_get_monotonic_time();
    kill_all();
    WAIT_FOR(media_restarts(room.media) == 2 && room.frames > frames + 20);
    g_test_message("frames again after %d ms", (gint)((g_get_monotonic_time() - begun_us) / 1000));
    g_assert_true(media_source_runs(room.media, MEDIA_KIND_VOICE));
    WAIT_FOR(room_stats(&room).in_time > before.in_time + 30);
    MediaStats after = room_stats(&room);
    g_assert_cmpuint(after.in_time + after.late + after.lost, ==, after.frames);
    g_assert_cmpuint(room.gaps, ==, 0);
    g_assert_cmpuint(room.ended, ==, 0);
    g_assert_true(room_said(&room, "started again"));
    room_close(&room);
    /* The recording begun by the first was continued by the second. */
    g_autofree char *bytes = NULL;
    gsize length = 0;
    guint32 stated = 0;
    g_assert_true(g_file_get_contents(room.sink, &bytes, &length, NULL));
    memcpy(&stated, bytes + 4, 4);
    g_assert_cmpuint(GUINT32_FROM_LE(stated) + 8, ==, length);
    g_assert_cmpfloat(speech_seconds_loud(room.sink), >, 1);
    room_free(&room);
}

static void test_garbage(void) {
    Room room;
    room_open(&room, "garbage.wav");
    room_wait_ready(&room);
    g_autoptr(GArray) before = room_children();
    media_stream_open(room.media, ROOM_STREAM + 2, MEDIA_KIND_VOICE);
    media_stream_open(room.media, ROOM_STREAM + 3, MEDIA_KIND_VIDEO);
    const MediaCodec codecs[] = {MEDIA_CODEC_OPUS, MEDIA_CODEC_VP8, MEDIA_CODEC_OPUS,
                                 MEDIA_CODEC_WEBP};
    guint8 payload[1275];
    for (guint i = 0; i < 4000; i++) {
        for (gsize at = 0; at < sizeof(payload); at++) {
            payload[at] = (guint8)g_test_rand_int();
        }
        /* Half of them claim the duration an honest packet of that kind has. */
        if (i % 2 == 0) {
            payload[0] = (guint8)(g_test_rand_int_range(0, 32) << 3);
        }
        MediaFrame frame = {.number = i % 3 == 0 ? (guint32)g_test_rand_int() : i,
                            .media_time_ms = i % 5 == 0 ? (guint32)g_test_rand_int() : i * 20,
                            .duration_ms = (guint16)(i % 4 == 0 ? 60 : 20),
                            .kind = MEDIA_KIND_VOICE,
                            .flags = (guint8)(g_test_rand_int() & MEDIA_FLAGS_ALL),
                            .codec = codecs[i % G_N_ELEMENTS(codecs)],
                            .level = (guint8)g_test_rand_int_range(0, 128),
                            .payload = {payload, (guint32)g_test_rand_int_range(1, 1276)}};
        media_stream_frame(room.media, ROOM_STREAM + 2 + i % 2, &frame);
        g_main_context_iteration(NULL, FALSE);
    }
    /* Limits are kept by the frames themselves: this one is never sent. */
    media_stream_frame(room.media, ROOM_STREAM + 2, &(MediaFrame){.kind = MEDIA_KIND_VOICE});
    media_stream_close(room.media, ROOM_STREAM + 2);
    media_stream_close(room.media, ROOM_STREAM + 3);
    /* The same process, and it plays. */
    media_stream_open(room.media, ROOM_STREAM, MEDIA_KIND_VOICE);
    room.loop = TRUE;
    room_start(&room, MEDIA_KIND_VOICE, "audiotestsrc is-live=true");
    WAIT_FOR(room_stats(&room).in_time > 50);
    g_assert_cmpuint(media_restarts(room.media), ==, 0);
    g_autoptr(GArray) after = room_children();
    g_assert_cmpint(g_array_index(after, gint, 0), ==, g_array_index(before, gint, 0));
    room_close(&room);
    g_assert_cmpfloat(speech_seconds_loud(room.sink), >, 0.5);
    room_free(&room);
}

static void test_video(void) {
    Room room;
    room_open(&room, "fake");
    room_wait_ready(&room);
    room.loop = TRUE;
    media_stream_open(room.media, ROOM_STREAM, MEDIA_KIND_VIDEO);
    /* On a line of which nothing is known there would be stills. */
    media_uplink(room.media, &(MediaUplink){5000000, 0, 5, 0});
    room_start(&room, MEDIA_KIND_VIDEO, "test");
    g_assert_null(room.refusal);
    WAIT_FOR(room_stats(&room).decoded > 20);
    /* One at the beginning; more only for a player that missed a picture, and asked. */
    g_assert_cmpuint(room_stats(&room).keyframes, >=, 1);
    g_assert_cmpuint(room_stats(&room).keyframes, <=, 1 + room.keyframes);
    g_assert_cmpuint(room.last.kind, ==, MEDIA_KIND_VIDEO);
    g_assert_true(room.flags & MEDIA_FLAG_KEYFRAME);
    /* A listener who comes later asks for a keyframe. */
    media_stream_close(room.media, ROOM_STREAM);
    WAIT_FOR(!(room.last.flags & MEDIA_FLAG_KEYFRAME));
    room.keyframes = 0;
    media_stream_open(room.media, ROOM_STREAM, MEDIA_KIND_VIDEO);
    WAIT_FOR(room.keyframes > 0);
    WAIT_FOR(room_stats(&room).decoded > 5);
    g_assert_cmpuint(room_stats(&room).decoded, <, room_stats(&room).in_time);
    /* A thin line makes the pictures rarer. */
    media_uplink(room.media, &(MediaUplink){30000, 0, 100, 0});
    WAIT_FOR(room.last.duration_ms == 500);
    /* A person may want them to cost less, whatever the line carries. */
    media_save(room.media, MEDIA_SAVE_VIDEO);
    media_uplink(room.media, &(MediaUplink){5000000, 0, 5, 0});
    WAIT_FOR(room.last.codec == MEDIA_CODEC_WEBP);
    media_save(room.media, MEDIA_SAVE_NOTHING);
    media_uplink(room.media, &(MediaUplink){5000000, 0, 5, 0});
    WAIT_FOR(room.last.codec == MEDIA_CODEC_VP8);
    room_close(&room);
    room_free(&room);
}

static void test_missing(void) {
    g_autofree char *program = g_strdup(g_getenv("MAILLON_MEDIA"));
    Room room;
    g_setenv("MAILLON_MEDIA", "/nowhere/maillon-media", TRUE);
    room_open(&room, "fake");
    room_start(&room, MEDIA_KIND_VOICE, "test");
    g_assert_cmpint(room.code, ==, MEDIA_FAILED_HELPER);
    WAIT_FOR(room_said(&room, "does not work"));
    media_stream_open(room.media, ROOM_STREAM, MEDIA_KIND_VOICE);
    room_close(&room);
    room_free(&room);
    /* One that dies at once is given up, politely. */
    g_setenv("MAILLON_MEDIA", "/bin/false", TRUE);
    room_open(&room, "fake");
    room_start(&room, MEDIA_KIND_VOICE, "test");
    g_assert_cmpint(room.code, ==, MEDIA_FAILED_HELPER);
    WAIT_FOR(media_restarts(room.media) == 10);
    room_close(&room);
    room_free(&room);
    g_setenv("MAILLON_MEDIA", program, TRUE);
    /* A sink that cannot be is no crash either. */
    room_open(&room, "no/such/folder.wav");
    WAIT_FOR(room_said(&room, "does not work"));
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
    g_test_add_func("/node/media/without", test_without);
    g_test_add_func("/node/media/heard", test_heard);
    g_test_add_func("/node/media/killed", test_killed);
    g_test_add_func("/node/media/garbage", test_garbage);
    g_test_add_func("/node/media/video", test_video);
    g_test_add_func("/node/media/missing", test_missing);
    return g_test_run();
}
