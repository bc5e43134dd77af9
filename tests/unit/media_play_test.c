/* SPDX-License-Identifier: MPL-2.0 */
/* The parts of the helper in one process: encoder, mixer, recording, gallery. */
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <gst/gst.h>
#include <math.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "media/gallery.h"
#include "media/mixer.h"
#include "media/picture.h"
#include "media/sandbox.h"
#include "media/speech.h"
#include "media/vp8.h"
#include "media/wav.h"

#define RATE     48000
#define FRAME    (RATE / 50)
#define HEADER   44
#define FRAMES   60
#define WIDTH    160
#define HEIGHT   90
#define PICTURES 20
#define LOUD     1000
#define WAIT_US  (60 * G_USEC_PER_SEC) /* a machine may be busy */
#define STREAM   3

/* Frames collected from an encoder, with payloads of their own. */
static void collect(const MediaFrame *frame, void *user) {
    GArray *frames = user;
    MediaFrame kept = *frame;
    kept.payload.data = g_memdup2(frame->payload.data, frame->payload.length);
    kept.stream = STREAM;
    g_array_append_val(frames, kept);
}

static GArray *frames_create(void) {
    return g_array_new(FALSE, FALSE, sizeof(MediaFrame));
}

static MediaFrame *frame_at(GArray *frames, guint i) {
    return &g_array_index(frames, MediaFrame, i);
}

static void frames_free(GArray *frames) {
    for (guint i = 0; i < frames->len; i++) {
        g_free((gpointer)frame_at(frames, i)->payload.data);
    }
    g_array_unref(frames);
}

/* Frames of 20 ms of a tone of that loudness. */
static void speak(MediaSpeech *speech, guint frames, double loud) {
    static guint at;
    gint16 samples[FRAME];
    for (guint i = 0; i < frames; i++) {
        for (guint n = 0; n < FRAME; n++) {
            samples[n] = (gint16)(loud * sin(2 * G_PI * 440 * at++ / RATE));
        }
        media_speech_push(speech, samples, FRAME, GST_CLOCK_TIME_NONE);
    }
}

static MediaSpeech *speech_create(MediaProfile profile, GArray *frames) {
    MediaVoiceRung rung = media_ladder_voice_first(profile);
    g_autoptr(GError) error = NULL;
    MediaSpeech *speech = media_speech_create(&rung, collect, frames, &error);
    g_assert_no_error(error);
    return speech;
}

static void test_speech(void) {
    GArray *frames = frames_create();
    MediaSpeech *speech = speech_create(MEDIA_PROFILE_AUTO, frames);
    speak(speech, 50, 8000);
    g_assert_cmpuint(frames->len, ==, 50);
    speak(speech, 100, 0);
    guint in_silence = frames->len;
    /* Silence is announced once and then is not sent. */
    g_assert_cmpuint(in_silence, <, 75);
    g_assert_true(frame_at(frames, in_silence - 1)->flags & MEDIA_FLAG_SILENCE);
    g_assert_cmpuint(frame_at(frames, in_silence - 1)->payload.length, <=, 2);
    speak(speech, 50, 8000);
    g_assert_cmpuint(frames->len, ==, in_silence + 50);
    /* Half a frame is filled up. */
    gint16 half[FRAME / 2] = {0};
    media_speech_push(speech, half, FRAME / 2, GST_CLOCK_TIME_NONE);
    media_speech_end(speech);
    g_assert_cmpuint(frames->len, ==, in_silence + 51);
    for (guint i = 0; i < frames->len; i++) {
        const MediaFrame *frame = frame_at(frames, i);
        g_assert_cmpuint(frame->number, ==, i);
        g_assert_cmpuint(frame->duration_ms, ==, 20);
        g_assert_cmpuint(frame->media_time_ms, ==,
                         (i < in_silence ? i : 150 + i - in_silence) * 20);
        g_assert_cmpint(!!(frame->flags & MEDIA_FLAG_LAST), ==, i + 1 == frames->len);
        g_assert_cmpint(frame->codec, ==, MEDIA_CODEC_OPUS);
    }
    g_assert_cmpuint(frame_at(frames, 10)->level, ==, 15);
    media_speech_destroy(speech);
    frames_free(frames);
}

static void test_speech_narrow(void) {
    GArray *frames = frames_create();
    MediaSpeech *speech = speech_create(MEDIA_PROFILE_NARROW, frames);
    speak(speech, 60, 8000);
    /* A packet of 120 ms is one frame. */
    g_assert_cmpuint(frames->len, ==, 10);
    for (guint i = 0; i < frames->len; i++) {
        g_assert_cmpuint(frame_at(frames, i)->duration_ms, ==, 120);
        g_assert_cmpuint(frame_at(frames, i)->number, ==, i);
        g_assert_cmpuint(frame_at(frames, i)->media_time_ms, ==, i * 120);
        g_assert_cmpuint(frame_at(frames, i)->payload.length, <=, 120);
    }
    /* A better line is followed from the next packet on. */
    MediaVoiceRung rung = media_ladder_voice_first(MEDIA_PROFILE_AUTO);
    speak(speech, 3, 8000);
    media_speech_set_rung(speech, &rung);
    speak(speech, 3, 8000);
    g_assert_cmpuint(frames->len, ==, 11);
    speak(speech, 5, 8000);
    g_assert_cmpuint(frames->len, ==, 16);
    g_assert_cmpuint(frame_at(frames, 15)->duration_ms, ==, 20);
    g_assert_cmpuint(frame_at(frames, 15)->media_time_ms, ==, 11 * 120 + 4 * 20);
    media_speech_destroy(speech);
    frames_free(frames);
}

static void test_speech_gap(void) {
    GArray *frames = frames_create();
    MediaSpeech *speech = speech_create(MEDIA_PROFILE_AUTO, frames);
    gint16 samples[FRAME] = {0};
    media_speech_push(speech, samples, FRAME, 0);
    media_speech_push(speech, samples, FRAME / 2, 20 * GST_MSECOND);
    /* The machine slept: half a frame is given up, and media time follows. */
    media_speech_push(speech, samples, FRAME, 5030 * GST_MSECOND);
    media_speech_push(speech, samples, FRAME, 5050 * GST_MSECOND);
    g_assert_cmpuint(frames->len, ==, 3);
    g_assert_cmpuint(frame_at(frames, 1)->media_time_ms, ==, 5030);
    g_assert_cmpuint(frame_at(frames, 2)->media_time_ms, ==, 5050);
    media_speech_destroy(speech);
    frames_free(frames);
}

typedef struct {
    MediaMixer *mixer;
    GArray *frames;
    guint next;
    gint64 first_us; /* when the first was put */
} Feed;

static gboolean on_feed(gpointer user) {
    Feed *feed = user;
    gint64 now_us = g_get_monotonic_time();
    if (feed->next == 0) {
        feed->first_us = now_us;
    }
    /* As a live source: what is due by now. */
    while (feed->next < feed->frames->len &&
           now_us >= feed->first_us + (gint64)feed->next * 20000) {
        media_mixer_put(feed->mixer, frame_at(feed->frames, feed->next++), (guint64)now_us);
    }
    return G_SOURCE_CONTINUE;
}

static void on_failed(const GError *error, void *user) {
    g_error("the sink failed: %s", error != NULL ? error->message : "for no reason");
}

static MediaStats mixer_stats(MediaMixer *mixer) {
    MediaStats stats[MEDIA_VOICE_STREAMS_MAX] = {0};
    media_mixer_stats(mixer, stats);
    return stats[0];
}

/* Frames as they come from a live source are in the recording: once, all accounted for. How long
   they take is told; it is judged in virtual time, by media_voice_test. */
static void test_live(void) {
    g_autofree char *folder = g_dir_make_tmp("maillon-play-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "heard.wav", NULL);
    g_autoptr(GError) error = NULL;
    Feed feed = {.frames = frames_create()};
    MediaSpeech *speech = speech_create(MEDIA_PROFILE_AUTO, feed.frames);
    speak(speech, FRAMES, 8000);
    media_speech_destroy(speech);
    MediaSink *sink = media_sink_create(path, FALSE, NULL, &error);
    g_assert_no_error(error);
    gint64 begun_us = g_get_monotonic_time();
    feed.mixer = media_mixer_create(sink, on_failed, NULL);
    g_assert_true(media_mixer_open(feed.mixer, STREAM, &error));
    guint timer = g_timeout_add(2, on_feed, &feed);
    while (mixer_stats(feed.mixer).frames < FRAMES) {
        g_assert_cmpint(g_get_monotonic_time() - begun_us, <, WAIT_US);
        g_main_context_iteration(NULL, TRUE);
    }
    g_source_remove(timer);
    MediaStats stats = mixer_stats(feed.mixer);
    media_mixer_destroy(feed.mixer);
    frames_free(feed.frames);
    g_autofree char *bytes = NULL;
    gsize length = 0;
    g_assert_true(g_file_get_contents(path, &bytes, &length, NULL));
    gint16 sample = 0;
    gsize onset = 0;
    while (ABS((gint)sample) < LOUD && HEADER + onset * 2 + 2 <= length) {
        memcpy(&sample, bytes + HEADER + onset++ * 2, 2);
    }
    gsize loud = onset;
    for (gsize at = onset; HEADER + at * 2 + 2 <= length; at++) {
        memcpy(&sample, bytes + HEADER + at * 2, 2);
        loud = ABS((gint)sample) >= LOUD ? at : loud;
    }
    gint64 heard_us = begun_us + (gint64)onset * G_USEC_PER_SEC / RATE;
    g_test_message("first sample %.1f ms after the first frame came; on average %u ms; %u of %u "
                   "in time",
                   (double)(heard_us - feed.first_us) / 1000, stats.delay_ms, stats.in_time,
                   stats.frames);
    /* The tone is there, as much of it as came in time. */
    g_assert_cmpuint(loud - onset, >, FRAME / 2);
    g_assert_cmpuint(stats.frames, ==, FRAMES);
    g_assert_cmpuint(stats.in_time, >, 0);
    g_assert_cmpuint(stats.in_time + stats.late + stats.lost, ==, stats.frames);
    g_unlink(path);
    g_rmdir(folder);
}

static void test_mixer_limits(void) {
    g_autoptr(GError) error = NULL;
    MediaMixer *mixer =
        media_mixer_create(media_sink_create("fake", FALSE, NULL, NULL), on_failed, NULL);
    for (guint i = 0; i < MEDIA_VOICE_STREAMS_MAX; i++) {
        g_assert_true(media_mixer_open(mixer, i, NULL));
        g_assert_true(media_mixer_open(mixer, i, NULL));
    }
    g_assert_false(media_mixer_open(mixer, 99, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
    media_mixer_close(mixer, 0);
    media_mixer_close(mixer, 0);
    g_assert_true(media_mixer_open(mixer, 99, NULL));
    media_mixer_destroy(mixer);
}

static void wav_expect(const char *path, guint samples) {
    g_autofree char *bytes = NULL;
    gsize length = 0;
    guint32 stated = 0;
    g_assert_true(g_file_get_contents(path, &bytes, &length, NULL));
    g_assert_cmpuint(length, ==, HEADER + samples * 2);
    memcpy(&stated, bytes + 40, 4);
    g_assert_cmpuint(GUINT32_FROM_LE(stated), ==, samples * 2);
}

static void wav_append(const char *path, gboolean go_on, guint samples) {
    g_autoptr(GError) error = NULL;
    g_autofree gint16 *sound = g_new0(gint16, samples);
    MediaWav *wav = media_wav_create(path, go_on, &error);
    g_assert_no_error(error);
    g_assert_true(media_wav_write(wav, sound, samples, &error));
    media_wav_destroy(wav);
}

static void test_wav(void) {
    g_autofree char *folder = g_dir_make_tmp("maillon-play-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "a.wav", NULL);
    g_autofree char *bytes = NULL;
    gsize length = 0;
    g_autoptr(GError) error = NULL;
    wav_append(path, TRUE, 1000);
    wav_expect(path, 1000);
    wav_append(path, TRUE, 70000);
    wav_expect(path, 71000);
    /* As a killed process leaves it: the header behind, a sample cut in half. */
    g_assert_true(g_file_get_contents(path, &bytes, &length, NULL));
    memset(bytes + 40, 0, 4);
    g_assert_true(g_file_set_contents(path, bytes, (gssize)length - 1, NULL));
    wav_append(path, TRUE, 10);
    wav_expect(path, 71000 - 1 + 10);
    /* What is none of ours is replaced. */
    g_assert_true(g_file_set_contents(path, "RIFFbonjour", -1, NULL));
    wav_append(path, TRUE, 10);
    wav_expect(path, 10);
    wav_append(path, FALSE, 5);
    wav_expect(path, 5);
    g_assert_null(media_wav_create(folder, FALSE, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_IS_DIRECTORY);
    g_unlink(path);
    g_rmdir(folder);
}

static void test_vp8(void) {
    const guint8 key[] = {0x10, 0, 0, 0x9d, 0x01, 0x2a, 0xa0, 0, 0x5a, 0};
    guint8 huge[] = {0x10, 0, 0, 0x9d, 0x01, 0x2a, 0xff, 0x3f, 0xff, 0x3f};
    g_assert_cmpint(media_vp8_type(key, sizeof(key)), ==, MEDIA_VP8_KEY);
    g_assert_cmpint(media_vp8_type(key, sizeof(key) - 1), ==, MEDIA_VP8_BAD);
    g_assert_cmpint(media_vp8_type(huge, sizeof(huge)), ==, MEDIA_VP8_BAD);
    huge[6] = huge[7] = 0;
    g_assert_cmpint(media_vp8_type(huge, sizeof(huge)), ==, MEDIA_VP8_BAD);
    g_assert_cmpint(media_vp8_type((const guint8[]){1, 2, 3, 4}, 4), ==, MEDIA_VP8_DELTA);
    g_assert_cmpint(media_vp8_type(NULL, 0), ==, MEDIA_VP8_BAD);
}

static void wish(guint32 stream, void *user) {
    g_assert_cmpuint(stream, ==, STREAM);
    ++*(guint *)user;
}

static GArray *pictures_create(void) {
    GArray *frames = frames_create();
    MediaVideoRung rung = media_climb_rung(MEDIA_KIND_VIDEO, &(MediaUplink){0}, 0, 2);
    MediaPicture *picture = media_picture_create(MEDIA_KIND_VIDEO, &rung, collect, frames, NULL);
    g_autoptr(GstCaps) caps = gst_caps_new_simple(
        "video/x-raw", "format", G_TYPE_STRING, "I420", "width", G_TYPE_INT, WIDTH, "height",
        G_TYPE_INT, HEIGHT, "framerate", GST_TYPE_FRACTION, 2, 1, NULL);
    for (guint i = 0; i < PICTURES; i++) {
        /* Strides are multiples of four. */
        GstBuffer *buffer = gst_buffer_new_allocate(NULL, WIDTH * HEIGHT + 2 * 80 * 45, NULL);
        gst_buffer_memset(buffer, 0, (guint8)(i * 10), WIDTH * HEIGHT + 2 * 80 * 45);
        GST_BUFFER_PTS(buffer) = i * 40 * GST_MSECOND;
        if (i == PICTURES / 2) {
            media_picture_keyframe(picture);
        }
        media_picture_push(picture, buffer, caps);
    }
    media_picture_destroy(picture);
    return frames;
}

/* So many wishes at most, if one is said a second. */
static guint wishes_since(gint64 begun_us) {
    return 1 + (guint)((g_get_monotonic_time() - begun_us) / G_USEC_PER_SEC);
}

static void gallery_turn(MediaGallery *gallery, guint in_time) {
    gint64 until_us = g_get_monotonic_time() + WAIT_US;
    MediaStats stats[MEDIA_VIDEO_STREAMS_MAX] = {0};
    while (stats[0].in_time < in_time) {
        g_assert_cmpint(g_get_monotonic_time(), <, until_us);
        g_main_context_iteration(NULL, TRUE);
        g_assert_cmpuint(media_gallery_stats(gallery, stats), ==, 1);
    }
}

static void test_gallery(void) {
    guint wishes = 0;
    GArray *frames = pictures_create();
    g_assert_cmpuint(frames->len, ==, PICTURES);
    g_assert_true(frame_at(frames, 0)->flags & MEDIA_FLAG_KEYFRAME);
    g_assert_false(frame_at(frames, 1)->flags & MEDIA_FLAG_KEYFRAME);
    g_assert_true(frame_at(frames, PICTURES / 2)->flags & MEDIA_FLAG_KEYFRAME);
    gint64 begun_us = g_get_monotonic_time();
    MediaGallery *gallery = media_gallery_create(media_canvas_create("fake"), wish, &wishes);
    g_assert_true(media_gallery_open(gallery, STREAM, NULL));
    /* Without the first one nothing can be shown: a keyframe is wished for, once a second. */
    for (guint i = 1; i < PICTURES; i++) {
        media_gallery_put(gallery, frame_at(frames, i), (guint64)g_get_monotonic_time());
    }
    gallery_turn(gallery, PICTURES - 1);
    g_assert_cmpuint(wishes, >=, 1);
    g_assert_cmpuint(wishes, <=, wishes_since(begun_us));
    MediaStats stats[MEDIA_VIDEO_STREAMS_MAX];
    media_gallery_stats(gallery, stats);
    g_assert_cmpuint(stats[0].decoded, ==, PICTURES - PICTURES / 2);
    g_assert_cmpuint(stats[0].keyframes, ==, 1);
    media_gallery_close(gallery, STREAM);
    g_autoptr(GError) error = NULL;
    for (guint i = 0; i < MEDIA_VIDEO_STREAMS_MAX; i++) {
        g_assert_true(media_gallery_open(gallery, i, NULL));
    }
    g_assert_false(media_gallery_open(gallery, 99, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
    media_gallery_close(gallery, 1);
    media_gallery_close(gallery, 1);
    g_assert_true(media_gallery_open(gallery, 99, NULL));
    media_gallery_destroy(gallery);
    frames_free(frames);
}

static gpointer shut_in(gpointer data) {
    return GINT_TO_POINTER(open("/dev/null", O_RDONLY) == -1 && errno == EACCES);
}

static void test_sandbox_inside(void) {
    g_autofree char *said = media_sandbox_enter();
    g_assert_nonnull(said);
    if (strstr(said, "no seccomp") != NULL) {
        g_printerr("skipped: %s\n", said);
        return;
    }
    g_assert_cmpint(open("/dev/null", O_RDONLY), ==, -1);
    g_assert_cmpint(errno, ==, EACCES);
    g_assert_cmpint(socket(AF_INET, SOCK_DGRAM, 0), ==, -1);
    g_assert_cmpint(socket(AF_UNIX, SOCK_STREAM, 0), ==, -1);
    g_assert_cmpint(unlink("/nowhere"), ==, -1);
    g_assert_cmpint(errno, ==, EACCES);
    g_assert_cmpint(fork(), ==, -1);
    g_assert_cmpint(execl("/bin/true", "true", NULL), ==, -1);
    /* Threads can be made, and are inside too. */
    g_assert_true(GPOINTER_TO_INT(g_thread_join(g_thread_new("inside", shut_in, NULL))));
    g_printerr("shut in\n");
}

static void test_sandbox(void) {
    g_test_trap_subprocess("/media/sandbox/inside/subprocess", 0, G_TEST_SUBPROCESS_DEFAULT);
    g_test_trap_assert_passed();
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    gst_init(NULL, NULL);
    g_test_add_func("/media/speech", test_speech);
    g_test_add_func("/media/speech/narrow", test_speech_narrow);
    g_test_add_func("/media/speech/gap", test_speech_gap);
    g_test_add_func("/media/mixer/live", test_live);
    g_test_add_func("/media/mixer/limits", test_mixer_limits);
    g_test_add_func("/media/wav", test_wav);
    g_test_add_func("/media/vp8", test_vp8);
    g_test_add_func("/media/gallery", test_gallery);
    g_test_add_func("/media/sandbox", test_sandbox);
    g_test_add_func("/media/sandbox/inside/subprocess", test_sandbox_inside);
    int status = g_test_run();
    gst_deinit();
    return status;
}
