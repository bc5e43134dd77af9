/* SPDX-License-Identifier: MPL-2.0 */
/* The real helper, driven by the node's end of it: heard, killed, lied to, missing. */
#include <glib.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/media/media.h"

#define STREAM  7
#define RATE    48000
#define WAIT_US (100 * G_USEC_PER_SEC) /* a machine may be busy */
#define NOTICES 16
#define HEADER  44
#define TONES_S 4

typedef struct {
    char *home;
    char *sink;
    Media *media;
    gboolean loop; /* what is captured is played */
    guint frames;
    guint gaps; /* numbers that did not follow */
    MediaFrame last;
    guint8 flags;     /* of all frames */
    guint32 pause_ms; /* of media time after the last frame that announced silence */
    guint most_ms;
    guint least_ms;
    guint started;
    char *refusal;
    gint code;
    guint ended;
    char *reason;
    guint notices;
    char *said[NOTICES];
    guint keyframes;
} Room;

static void on_frame(gpointer user, const MediaFrame *frame) {
    Room *room = user;
    room->gaps += room->frames > 0 && frame->number != room->last.number + 1;
    if (room->frames > 0) {
        g_assert_cmpint((gint32)(frame->media_time_ms - room->last.media_time_ms), >, 0);
        if (room->last.flags & MEDIA_FLAG_SILENCE) {
            room->pause_ms = frame->media_time_ms - room->last.media_time_ms;
        }
    }
    room->frames++;
    room->last = *frame;
    room->flags |= frame->flags;
    room->most_ms = MAX(room->most_ms, frame->duration_ms);
    room->least_ms = MIN(room->least_ms, frame->duration_ms);
    if (room->loop) {
        media_stream_frame(room->media, STREAM, frame);
    }
}

static void on_ended(gpointer user, MediaKind kind, const char *reason) {
    Room *room = user;
    room->ended++;
    g_free(room->reason);
    room->reason = g_strdup(reason);
}

static void on_notice(gpointer user, const char *text) {
    Room *room = user;
    g_test_message("notice: %s", text);
    if (room->notices < NOTICES) {
        room->said[room->notices++] = g_strdup(text);
    }
}

static void on_keyframe(gpointer user, guint32 stream) {
    Room *room = user;
    room->keyframes++;
    media_keyframe(room->media, MEDIA_KIND_VIDEO);
}

static void on_started(gpointer user, const GError *error) {
    Room *room = user;
    room->started++;
    g_free(room->refusal);
    room->refusal = error != NULL ? g_strdup(error->message) : NULL;
    room->code = error != NULL ? error->code : -1;
    g_test_message("started: %s", error != NULL ? error->message : "yes");
}

static void room_open(Room *room, const char *sink) {
    *room = (Room){.least_ms = G_MAXUINT};
    room->home = g_dir_make_tmp("maillon-media-XXXXXX", NULL);
    room->sink =
        g_strcmp0(sink, "fake") == 0 ? g_strdup(sink) : g_build_filename(room->home, sink, NULL);
    room->media = media_create(room->home, room->sink, "fake",
                               (MediaHandler){.frame = on_frame,
                                              .ended = on_ended,
                                              .notice = on_notice,
                                              .began = on_notice,
                                              .user = room,
                                              .keyframe = on_keyframe});
}

static void remove_all(const char *folder) {
    g_autoptr(GDir) open = g_dir_open(folder, 0, NULL);
    for (const char *name = g_dir_read_name(open); name != NULL; name = g_dir_read_name(open)) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_unlink(path);
    }
    g_rmdir(folder);
}

static void room_close(Room *room) {
    gint64 begun_us = g_get_monotonic_time();
    media_destroy(room->media);
    room->media = NULL;
    g_test_message("ended in %d ms", (gint)((g_get_monotonic_time() - begun_us) / 1000));
}

static void room_free(Room *room) {
    remove_all(room->home);
    for (guint i = 0; i < room->notices; i++) {
        g_free(room->said[i]);
    }
    g_free(room->home);
    g_free(room->sink);
    g_free(room->refusal);
    g_free(room->reason);
}

static gboolean on_timeout(gpointer user) {
    *(gboolean *)user = TRUE;
    return G_SOURCE_CONTINUE;
}

/* Turns the main loop until the condition holds; fails when it never does. */
#define WAIT_FOR(condition)                                                                        \
    G_STMT_START {                                                                                 \
        gint64 until_us = g_get_monotonic_time() + WAIT_US;                                        \
        gboolean tick = FALSE;                                                                     \
        guint ticks = g_timeout_add(50, on_timeout, &tick);                                        \
        while (!(condition)) {                                                                     \
            if (g_get_monotonic_time() > until_us) {                                               \
                g_error("%s:%d: never: %s", __FILE__, __LINE__, #condition);                       \
            }                                                                                      \
            g_main_context_iteration(NULL, TRUE);                                                  \
        }                                                                                          \
        g_source_remove(ticks);                                                                    \
    }                                                                                              \
    G_STMT_END

static gboolean said(const Room *room, const char *words) {
    for (guint i = 0; i < room->notices; i++) {
        if (strstr(room->said[i], words) != NULL) {
            return TRUE;
        }
    }
    return FALSE;
}

/* What the play helper says of itself comes first. */
static void wait_ready(Room *room) {
    WAIT_FOR(said(room, "Landlock"));
}

static void start(Room *room, MediaKind kind, const char *source) {
    guint before = room->started;
    media_source_start(room->media, kind, source, on_started, room);
    WAIT_FOR(room->started == before + 1);
}

static MediaStats stats(const Room *room) {
    MediaStats found = {0};
    media_stream_stats(room->media, STREAM, &found);
    return found;
}

static void put_uint(GByteArray *bytes, guint32 value, guint width) {
    for (guint i = 0; i < width; i++) {
        guint8 byte = (guint8)(value >> (8 * i));
        g_byte_array_append(bytes, &byte, 1);
    }
}

/* Speech when this machine can speak, else a sweep that comes and goes. */
static char *speech_write(const Room *room) {
    char *path = g_build_filename(room->home, "speech.wav", NULL);
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

static double seconds_loud(const char *path) {
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

/* Found as sound where the comparer was built, else by how long it sounds. */
static void assert_heard(const char *speech, const char *recording) {
    const char *compare = g_getenv("MAILLON_CORRELATE");
    double wanted = seconds_loud(speech), heard = seconds_loud(recording);
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

static void test_heard(void) {
    Room room;
    room_open(&room, "heard.wav");
    g_autofree char *speech = speech_write(&room);
    wait_ready(&room);
    g_assert_true(said(&room, "seccomp"));
    room.loop = TRUE;
    media_stream_open(room.media, STREAM, MEDIA_KIND_VOICE);
    start(&room, MEDIA_KIND_VOICE, speech);
    g_assert_null(room.refusal);
    g_assert_true(media_source_runs(room.media, MEDIA_KIND_VOICE));
    WAIT_FOR(room.ended == 1);
    g_assert_null(room.reason);
    g_assert_false(media_source_runs(room.media, MEDIA_KIND_VOICE));
    g_assert_cmpuint(room.last.flags & MEDIA_FLAG_LAST, ==, MEDIA_FLAG_LAST);
    g_assert_cmpuint(room.gaps, ==, 0);
    g_assert_cmpuint(room.last.kind, ==, MEDIA_KIND_VOICE);
    WAIT_FOR(stats(&room).frames == room.frames);
    MediaStats found = stats(&room);
    g_test_message("%u frames: %u in time, %u late, %u lost, %u concealed, %u ms", found.frames,
                   found.in_time, found.late, found.lost, found.concealed, found.delay_ms);
    g_assert_cmpuint(found.in_time + found.late + found.lost, ==, found.frames);
    g_assert_cmpuint(found.in_time, >=, found.frames * 9 / 10);
    g_assert_cmpuint(found.lost, ==, 0);
    g_assert_cmpuint(media_restarts(room.media), ==, 0);
    room_close(&room);
    assert_heard(speech, room.sink);
    room_free(&room);
}

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
        start(&room, MEDIA_KIND_VOICE, bad[i]);
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
    start(&room, MEDIA_KIND_VOICE, text);
    g_assert_nonnull(room.refusal);
    g_autofree char *empty = g_build_filename(room.home, "empty.wav", NULL);
    g_assert_true(g_file_set_contents(empty, "", 0, NULL));
    start(&room, MEDIA_KIND_VOICE, empty);
    g_assert_nonnull(room.refusal);
    g_autofree char *lengthy = g_strnfill(MEDIA_TEXT_MAX + 1, 'x');
    start(&room, MEDIA_KIND_VOICE, lengthy);
    g_assert_nonnull(room.refusal);
    /* None of it hurt, nor had to be ended by the alarm. */
    start(&room, MEDIA_KIND_VOICE, "audiotestsrc is-live=true");
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
        start(&room, kind, "auto");
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
    media_source_start(room.media, MEDIA_KIND_VOICE, "test", on_started, &room);
    media_source_start(room.media, MEDIA_KIND_VOICE, "! !", on_started, &room);
    media_source_start(room.media, MEDIA_KIND_VOICE, "audiotestsrc is-live=true", on_started,
                       &room);
    g_assert_cmpuint(room.started, ==, 2);
    WAIT_FOR(room.started == 3);
    g_assert_null(room.refusal);
    WAIT_FOR(room.frames >= 10);
    media_source_start(room.media, MEDIA_KIND_VOICE, "audiotestsrc ! nosuchelement", on_started,
                       &room);
    media_source_start(room.media, MEDIA_KIND_VOICE, "audiotestsrc is-live=true wave=square",
                       on_started, &room);
    WAIT_FOR(room.started == 5);
    g_assert_null(room.refusal);
    guint before = room.frames;
    WAIT_FOR(room.frames >= before + 10);
    media_source_stop(room.media, MEDIA_KIND_VOICE);
    media_source_stop(room.media, MEDIA_KIND_VOICE);
    before = room.frames;
    start(&room, MEDIA_KIND_VOICE, "audiotestsrc num-buffers=20");
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
    start(&room, MEDIA_KIND_VOICE, "audiotestsrc ! identity error-after=25");
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
    start(&room, MEDIA_KIND_VOICE, source);
    g_assert_cmpint(room.code, ==, MEDIA_FAILED_SOURCE);
    /* The next one is another process's matter. */
    start(&room, MEDIA_KIND_VOICE, "audiotestsrc is-live=true");
    g_assert_null(room.refusal);
    g_assert_cmpuint(media_restarts(room.media), ==, 1);
    room_close(&room);
    room_free(&room);
}

static void test_silence(void) {
    Room room;
    room_open(&room, "fake");
    start(&room, MEDIA_KIND_VOICE, "test");
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
    start(&room, MEDIA_KIND_VOICE, "audiotestsrc is-live=true wave=pink-noise");
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

static GArray *children(void) {
    GArray *found = g_array_new(FALSE, FALSE, sizeof(gint));
    g_autofree char *path = g_strdup_printf("/proc/self/task/%d/children", getpid());
    g_autofree char *text = NULL;
    if (g_file_get_contents(path, &text, NULL, NULL)) {
        g_auto(GStrv) words = g_strsplit(g_strstrip(text), " ", -1);
        for (char **word = words; *word != NULL && **word != '\0'; word++) {
            gint process = atoi(*word);
            g_array_append_val(found, process);
        }
    }
    return found;
}

static void kill_all(void) {
    g_autoptr(GArray) helpers = children();
    g_assert_cmpuint(helpers->len, ==, 2);
    for (guint i = 0; i < helpers->len; i++) {
        kill(g_array_index(helpers, gint, i), SIGKILL);
    }
}

static void test_killed(void) {
    Room room;
    room_open(&room, "killed.wav");
    wait_ready(&room);
    room.loop = TRUE;
    media_stream_open(room.media, STREAM, MEDIA_KIND_VOICE);
    start(&room, MEDIA_KIND_VOICE, "audiotestsrc is-live=true");
    WAIT_FOR(stats(&room).in_time > 30);
    MediaStats before = stats(&room);
    guint frames = room.frames;
    gint64 begun_us = g_get_monotonic_time();
    kill_all();
    WAIT_FOR(media_restarts(room.media) == 2 && room.frames > frames + 20);
    g_test_message("frames again after %d ms", (gint)((g_get_monotonic_time() - begun_us) / 1000));
    g_assert_true(media_source_runs(room.media, MEDIA_KIND_VOICE));
    WAIT_FOR(stats(&room).in_time > before.in_time + 30);
    MediaStats after = stats(&room);
    g_assert_cmpuint(after.in_time + after.late + after.lost, ==, after.frames);
    g_assert_cmpuint(room.gaps, ==, 0);
    g_assert_cmpuint(room.ended, ==, 0);
    g_assert_true(said(&room, "started again"));
    room_close(&room);
    /* The recording begun by the first was continued by the second. */
    g_autofree char *bytes = NULL;
    gsize length = 0;
    guint32 stated = 0;
    g_assert_true(g_file_get_contents(room.sink, &bytes, &length, NULL));
    memcpy(&stated, bytes + 4, 4);
    g_assert_cmpuint(GUINT32_FROM_LE(stated) + 8, ==, length);
    g_assert_cmpfloat(seconds_loud(room.sink), >, 1);
    room_free(&room);
}

static void test_garbage(void) {
    Room room;
    room_open(&room, "garbage.wav");
    wait_ready(&room);
    g_autoptr(GArray) before = children();
    media_stream_open(room.media, STREAM + 2, MEDIA_KIND_VOICE);
    media_stream_open(room.media, STREAM + 3, MEDIA_KIND_VIDEO);
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
        media_stream_frame(room.media, STREAM + 2 + i % 2, &frame);
        g_main_context_iteration(NULL, FALSE);
    }
    /* Limits are kept by the frames themselves: this one is never sent. */
    media_stream_frame(room.media, STREAM + 2, &(MediaFrame){.kind = MEDIA_KIND_VOICE});
    media_stream_close(room.media, STREAM + 2);
    media_stream_close(room.media, STREAM + 3);
    /* The same process, and it plays. */
    media_stream_open(room.media, STREAM, MEDIA_KIND_VOICE);
    room.loop = TRUE;
    start(&room, MEDIA_KIND_VOICE, "audiotestsrc is-live=true");
    WAIT_FOR(stats(&room).in_time > 50);
    g_assert_cmpuint(media_restarts(room.media), ==, 0);
    g_autoptr(GArray) after = children();
    g_assert_cmpint(g_array_index(after, gint, 0), ==, g_array_index(before, gint, 0));
    room_close(&room);
    g_assert_cmpfloat(seconds_loud(room.sink), >, 0.5);
    room_free(&room);
}

static void test_video(void) {
    Room room;
    room_open(&room, "fake");
    wait_ready(&room);
    room.loop = TRUE;
    media_stream_open(room.media, STREAM, MEDIA_KIND_VIDEO);
    /* On a line of which nothing is known there would be stills. */
    media_uplink(room.media, &(MediaUplink){5000000, 0, 5, 0});
    start(&room, MEDIA_KIND_VIDEO, "test");
    g_assert_null(room.refusal);
    WAIT_FOR(stats(&room).decoded > 20);
    /* One at the beginning; more only for a player that missed a picture, and asked. */
    g_assert_cmpuint(stats(&room).keyframes, >=, 1);
    g_assert_cmpuint(stats(&room).keyframes, <=, 1 + room.keyframes);
    g_assert_cmpuint(room.last.kind, ==, MEDIA_KIND_VIDEO);
    g_assert_true(room.flags & MEDIA_FLAG_KEYFRAME);
    /* A listener who comes later asks for a keyframe. */
    media_stream_close(room.media, STREAM);
    WAIT_FOR(!(room.last.flags & MEDIA_FLAG_KEYFRAME));
    room.keyframes = 0;
    media_stream_open(room.media, STREAM, MEDIA_KIND_VIDEO);
    WAIT_FOR(room.keyframes > 0);
    WAIT_FOR(stats(&room).decoded > 5);
    g_assert_cmpuint(stats(&room).decoded, <, stats(&room).in_time);
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
    start(&room, MEDIA_KIND_VOICE, "test");
    g_assert_cmpint(room.code, ==, MEDIA_FAILED_HELPER);
    WAIT_FOR(said(&room, "does not work"));
    media_stream_open(room.media, STREAM, MEDIA_KIND_VOICE);
    room_close(&room);
    room_free(&room);
    /* One that dies at once is given up, politely. */
    g_setenv("MAILLON_MEDIA", "/bin/false", TRUE);
    room_open(&room, "fake");
    start(&room, MEDIA_KIND_VOICE, "test");
    g_assert_cmpint(room.code, ==, MEDIA_FAILED_HELPER);
    WAIT_FOR(media_restarts(room.media) == 10);
    room_close(&room);
    room_free(&room);
    g_setenv("MAILLON_MEDIA", program, TRUE);
    /* A sink that cannot be is no crash either. */
    room_open(&room, "no/such/folder.wav");
    WAIT_FOR(said(&room, "does not work"));
    room_close(&room);
    room_free(&room);
}

static void test_without(void) {
    Room room = {0};
    media_source_start(NULL, MEDIA_KIND_VOICE, "test", on_started, &room);
    g_assert_cmpint(room.code, ==, MEDIA_FAILED_OFF);
    g_assert_false(media_source_runs(NULL, MEDIA_KIND_VOICE));
    media_stream_open(NULL, STREAM, MEDIA_KIND_VOICE);
    media_destroy(NULL);
    g_free(room.refusal);
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
    g_test_add_func("/node/media/refused", test_refused);
    g_test_add_func("/node/media/automatic", test_automatic);
    g_test_add_func("/node/media/replaced", test_replaced);
    g_test_add_func("/node/media/dying", test_dying);
    g_test_add_func("/node/media/hung", test_hung);
    g_test_add_func("/node/media/silence", test_silence);
    g_test_add_func("/node/media/ladder", test_ladder);
    g_test_add_func("/node/media/killed", test_killed);
    g_test_add_func("/node/media/garbage", test_garbage);
    g_test_add_func("/node/media/video", test_video);
    g_test_add_func("/node/media/missing", test_missing);
    return g_test_run();
}
