/* SPDX-License-Identifier: MPL-2.0 */
/* Still pictures: when one is sent, how large it gets, what is let into a decoder, what is shown.
 */
#include <glib.h>
#include <gst/gst.h>
#include <string.h>

#include "media/gallery.h"
#include "media/picture.h"
#include "media/slide.h"
#include "media/still.h"
#include "media/track.h"
#include "media/vp8.h"
#include "media/webp.h"

#define WIDTH  320
#define HEIGHT 180
#define LUMA   (WIDTH * HEIGHT)
#define SIZE   (LUMA * 3 / 2)
#define RATE   12000
#define STREAM 3

/* Thrown by nobody else, so that every run sees the same noise. */
static GRand *dice;

/* A picture of a scene, seen by a camera whose noise has that strength. */
static void scene(guint8 *picture, guint shift, guint noise) {
    memset(picture + LUMA, 128, SIZE - LUMA);
    for (guint y = 0; y < HEIGHT; y++) {
        for (guint x = 0; x < WIDTH; x++) {
            guint light = 40 + (x + shift) % 160 + (y / 30 % 2) * 30;
            gint grain = noise > 0 ? g_rand_int_range(dice, -(gint)noise, (gint)noise + 1) : 0;
            picture[y * WIDTH + x] = (guint8)CLAMP((gint)light + grain, 0, 255);
        }
    }
}

static MediaStillSketch sketch_of(guint shift, guint noise) {
    g_autofree guint8 *picture = g_malloc(SIZE);
    MediaStillSketch sketch;
    scene(picture, shift, noise);
    media_still_sketch(picture, WIDTH, WIDTH, HEIGHT, &sketch);
    return sketch;
}

static void test_change(void) {
    MediaStillSketch one = sketch_of(0, 0);
    for (guint i = 0; i < 20; i++) {
        MediaStillSketch same = sketch_of(0, 20);
        g_assert_false(media_still_differs(&one, &same)); /* noise is no news */
    }
    MediaStillSketch moved = sketch_of(40, 20);
    g_assert_true(media_still_differs(&one, &moved));
    /* A word on a white page: one part changes, the rest does not. */
    g_autofree guint8 *page = g_malloc(SIZE);
    MediaStillSketch before, after;
    memset(page, 235, SIZE);
    media_still_sketch(page, WIDTH, WIDTH, HEIGHT, &before);
    for (guint y = 60; y < 68; y++) {
        memset(page + y * WIDTH + 100, 20, 8);
    }
    media_still_sketch(page, WIDTH, WIDTH, HEIGHT, &after);
    g_assert_true(media_still_differs(&before, &after));
    /* A little more light everywhere is a change too; in one corner it is none. */
    memset(page, 235, SIZE);
    memset(page, 228, 20 * WIDTH);
    media_still_sketch(page, WIDTH, WIDTH, HEIGHT, &after);
    g_assert_true(media_still_differs(&before, &after));
    memset(page, 235, SIZE);
    for (guint y = 0; y < 10; y++) {
        memset(page + y * WIDTH, 228, 20);
    }
    media_still_sketch(page, WIDTH, WIDTH, HEIGHT, &after);
    g_assert_false(media_still_differs(&before, &after));
    /* The smallest picture there may be. */
    media_still_sketch(page, MEDIA_STILL_COLUMNS, MEDIA_STILL_COLUMNS, MEDIA_STILL_ROWS, &after);
}

static void test_due(void) {
    MediaStill still = {0};
    MediaStillSketch one = sketch_of(0, 0), other = sketch_of(60, 0);
    g_assert_cmpuint(media_still_due(&still, &one, 0, 0), ==, 0); /* nothing may be sent */
    guint32 first = media_still_due(&still, &one, 0, RATE);
    g_assert_cmpuint(first, >=, 1500);
    g_assert_cmpuint(first, <=, RATE / 8 * 3); /* there within seconds */
    guint32 bytes = first * 2;
    media_still_sent(&still, &one, 0, RATE / 8 * 4);
    /* What changes waits until the line has carried the one before. */
    g_assert_cmpuint(media_still_due(&still, &other, 3900, RATE), ==, 0);
    g_assert_cmpuint(media_still_due(&still, &other, 4000, RATE), ==, bytes);
    g_assert_cmpuint(media_still_due(&still, &other, 4000, RATE / 2), ==, 0);
    g_assert_cmpuint(media_still_due(&still, &other, 900, 10000000), ==, 0);
    g_assert_cmpuint(media_still_due(&still, &other, 1000, 10000000), >, 0);
    g_assert_cmpuint(media_still_due(&still, &other, 1000, 10000000), <, 60000);
    /* What does not change is sent once more, finer, and then no more. */
    g_assert_cmpuint(media_still_due(&still, &one, 4000, RATE), ==, 0);
    guint32 finer = media_still_due(&still, &one, 15000, RATE);
    g_assert_cmpuint(finer, >, 2 * bytes);
    media_still_sent(&still, &one, 15000, finer);
    g_assert_cmpuint(media_still_due(&still, &one, 3600000, RATE), ==, 0);
    /* Who comes late gets it again, once the line is free. */
    still.asked = true;
    g_assert_cmpuint(media_still_due(&still, &one, 16000, RATE), ==, 0);
    g_assert_cmpuint(media_still_due(&still, &one, 3600000, RATE), ==, bytes);
    media_still_sent(&still, &one, 3600000, bytes);
    g_assert_cmpuint(media_still_due(&still, &one, 7200000, RATE), ==, 0);
    g_assert_cmpuint(media_still_life_ms(100, RATE), >=, 2000);
    g_assert_cmpuint(media_still_life_ms(6000, RATE), >=, 8000);
    g_assert_cmpuint(media_still_life_ms(1000000, 1), <=, MEDIA_DURATION_MS_MAX);
    g_assert_cmpuint(media_still_life_ms(1, 0), <=, MEDIA_DURATION_MS_MAX);
}

static void test_slide(void) {
    g_autofree guint8 *picture = g_malloc(SIZE);
    MediaSlide *slide = media_slide_create(NULL);
    MediaWebpPicture found;
    gsize size = 0, before = 0;
    g_assert_nonnull(slide);
    g_assert_cmpuint(media_slide_picture_size(WIDTH, HEIGHT), ==, SIZE);
    g_assert_cmpuint(media_slide_picture_size(161, 91), ==, 164 * 92 + 2 * 84 * 46);
    /* Pure noise is the worst: it becomes small rather than large. */
    for (guint i = 0; i < SIZE; i++) {
        picture[i] = (guint8)g_rand_int(dice);
    }
    for (guint32 bytes = 24000; bytes >= 1500; bytes /= 2) {
        g_autoptr(GBytes) file = media_slide_encode(slide, picture, WIDTH, HEIGHT, bytes);
        const guint8 *data = g_bytes_get_data(file, &size);
        g_assert_cmpuint(size, <=, bytes);
        g_assert_true(media_webp_picture(data, size, &found));
        g_assert_true(found.data > data && found.data + found.length <= data + size);
    }
    /* And finer again with a picture that is easy. */
    scene(picture, 0, 8);
    for (guint32 bytes = 1500; bytes <= 6000; bytes *= 2) {
        g_autoptr(GBytes) file = media_slide_encode(slide, picture, WIDTH, HEIGHT, bytes);
        g_assert_cmpuint(g_bytes_get_size(file), <=, bytes);
        g_assert_cmpuint(g_bytes_get_size(file), >, before);
        before = g_bytes_get_size(file);
    }
    media_slide_destroy(slide);
}

static GBytes *file_create(void) {
    g_autofree guint8 *picture = g_malloc(SIZE);
    MediaSlide *slide = media_slide_create(NULL);
    scene(picture, 0, 5);
    GBytes *file = media_slide_encode(slide, picture, WIDTH, HEIGHT, 8000);
    media_slide_destroy(slide);
    return file;
}

static void assert_refused(GBytes *file, gsize at, guint8 value) {
    gsize length = 0;
    const guint8 *data = g_bytes_get_data(file, &length);
    g_autofree guint8 *bad = g_memdup2(data, length);
    MediaWebpPicture found = {0};
    bad[at] = value;
    g_assert_false(media_webp_picture(bad, length, &found));
    g_assert_null(found.data);
}

static void test_webp(void) {
    g_autoptr(GBytes) file = file_create();
    gsize length = 0;
    const guint8 *data = g_bytes_get_data(file, &length);
    MediaWebpPicture found;
    g_assert_true(media_webp_picture(data, length, &found));
    g_assert_cmpint(media_vp8_type(found.data, found.length), ==, MEDIA_VP8_KEY);
    for (gsize cut = 0; cut < length; cut += cut < 64 ? 1 : 97) {
        g_autofree guint8 *part = g_memdup2(data, cut); /* so that a byte read after it is seen */
        g_assert_false(media_webp_picture(part, cut, &found));
    }
    g_autofree guint8 *more = g_malloc0(length + 2);
    memcpy(more, data, length);
    g_assert_false(media_webp_picture(more, length + 2, &found));
    g_assert_false(media_webp_picture(NULL, 0, &found));
    assert_refused(file, 0, 'X');
    assert_refused(file, 4, (guint8)(data[4] + 1)); /* the length of the file */
    assert_refused(file, 7, 0xff);
    assert_refused(file, 8, 'X');
    assert_refused(file, 15, 'L');                    /* lossless */
    assert_refused(file, 15, 'X');                    /* with extensions: animations, profiles */
    assert_refused(file, 16, (guint8)(data[16] + 4)); /* the length of the picture */
    assert_refused(file, 19, 0xff);
    assert_refused(file, 20, data[20] | 1);    /* no key frame */
    assert_refused(file, 20, data[20] & 0xef); /* not shown */
    assert_refused(file, 23, 0);               /* its start code */
    assert_refused(file, 27, 0x3f);            /* 16,000 pixels wide */
    /* Any bytes, and a file damaged anywhere: refused or not, never a picture out of bounds. */
    g_autofree guint8 *any = g_memdup2(data, length);
    for (guint i = 0; i < 200000; i++) {
        gsize at = g_rand_int(dice) % MIN(length, 32);
        guint8 kept = any[at];
        any[at] = (guint8)g_rand_int(dice);
        if (media_webp_picture(any, length, &found)) {
            g_assert_true(found.data >= any && found.data + found.length <= any + length);
        }
        any[at] = kept;
    }
}

/* ---- from the camera to the canvas ---- */

static void collect(const MediaFrame *frame, void *user) {
    MediaFrame kept = *frame;
    kept.payload.data = g_memdup2(frame->payload.data, frame->payload.length);
    kept.stream = STREAM;
    g_array_append_val((GArray *)user, kept);
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

/* So many pictures of a scene at two a second, in that size. */
static void watch(MediaPicture *picture, guint64 *at_ms, guint count, guint shift, guint width) {
    g_autoptr(GstCaps) caps = gst_caps_new_simple(
        "video/x-raw", "format", G_TYPE_STRING, "I420", "width", G_TYPE_INT, (gint)width, "height",
        G_TYPE_INT, (gint)(width / 16 * 9), "framerate", GST_TYPE_FRACTION, 2, 1, NULL);
    for (guint i = 0; i < count; i++) {
        guint8 *bytes = g_malloc(SIZE);
        scene(bytes, shift, 4);
        GstBuffer *buffer = gst_buffer_new_wrapped(bytes, SIZE);
        GST_BUFFER_PTS(buffer) = *at_ms * GST_MSECOND;
        *at_ms += 500;
        media_picture_push(picture, buffer, caps);
    }
}

static void test_picture(void) {
    GArray *frames = g_array_new(FALSE, FALSE, sizeof(MediaFrame));
    MediaVideoRung rung = media_climb_first(MEDIA_KIND_VIDEO);
    MediaPicture *picture = media_picture_create(MEDIA_KIND_VIDEO, &rung, collect, frames, NULL);
    guint64 at_ms = 0;
    g_assert_nonnull(picture);
    /* One for a scene that stands still, and a finer one later. */
    watch(picture, &at_ms, 20, 0, WIDTH);
    g_assert_cmpuint(frames->len, ==, 1);
    watch(picture, &at_ms, 60, 0, WIDTH);
    g_assert_cmpuint(frames->len, ==, 2);
    g_assert_cmpuint(frame_at(frames, 1)->payload.length, >, frame_at(frames, 0)->payload.length);
    /* One when it changes, though the next change waits for the line. */
    watch(picture, &at_ms, 2, 50, WIDTH);
    g_assert_cmpuint(frames->len, ==, 3);
    guint64 sent_ms = frame_at(frames, 2)->media_time_ms;
    watch(picture, &at_ms, 1, 100, WIDTH);
    g_assert_cmpuint(frames->len, ==, 3);
    watch(picture, &at_ms, 12, 100, WIDTH);
    g_assert_cmpuint(frames->len, ==, 4);
    g_assert_cmpuint((frame_at(frames, 3)->media_time_ms - sent_ms) * rung.wire_bps / 8000, >=,
                     frame_at(frames, 2)->payload.length);
    /* One for who comes late. */
    watch(picture, &at_ms, 60, 100, WIDTH);
    guint settled = frames->len;
    media_picture_keyframe(picture);
    watch(picture, &at_ms, 20, 100, WIDTH);
    g_assert_cmpuint(frames->len, ==, settled + 1);
    for (guint i = 0; i < frames->len; i++) {
        const MediaFrame *frame = frame_at(frames, i);
        g_assert_cmpint(frame->codec, ==, MEDIA_CODEC_WEBP);
        g_assert_cmpuint(frame->flags, ==, MEDIA_FLAG_KEYFRAME);
        g_assert_cmpuint(frame->number, ==, i);
        g_assert_cmpuint(frame->duration_ms, >=, 4000);
        g_assert_cmpuint(frame->duration_ms, <=, MEDIA_DURATION_MS_MAX);
    }
    /* Off: nothing, whatever happens. Video: it begins with what needs no earlier picture, and
       nothing of the size before. */
    settled = frames->len;
    rung = media_climb_rung(MEDIA_KIND_VIDEO, &(MediaUplink){10000, 0, 0, 0}, 10000, 0);
    media_picture_set_rung(picture, &rung);
    media_picture_keyframe(picture);
    watch(picture, &at_ms, 20, 0, WIDTH);
    g_assert_cmpuint(frames->len, ==, settled);
    rung = media_climb_rung(MEDIA_KIND_VIDEO, &(MediaUplink){0}, 0, 3);
    media_picture_set_rung(picture, &rung);
    watch(picture, &at_ms, 5, 0, WIDTH / 2);
    g_assert_cmpuint(frames->len, ==, settled);
    watch(picture, &at_ms, 5, 0, WIDTH);
    g_assert_cmpuint(frames->len, >, settled);
    g_assert_cmpint(frame_at(frames, settled)->codec, ==, MEDIA_CODEC_VP8);
    g_assert_cmpuint(frame_at(frames, settled)->flags, ==, MEDIA_FLAG_KEYFRAME);
    media_picture_destroy(picture);
    frames_free(frames);
}

/* What would take its rung more than a second is left out, and said; what follows needs none of it.
 */
static void test_burst(void) {
    GArray *frames = g_array_new(FALSE, FALSE, sizeof(MediaFrame));
    MediaVideoRung rung = media_climb_rung(MEDIA_KIND_VIDEO, &(MediaUplink){0}, 0, 3);
    MediaPicture *picture = media_picture_create(MEDIA_KIND_VIDEO, &rung, collect, frames, NULL);
    guint64 at_ms = 0;
    watch(picture, &at_ms, 3, 0, WIDTH);
    g_assert_cmpuint(frames->len, ==, 3);
    g_assert_false(media_picture_burst(picture));
    guint32 wire_bps = rung.wire_bps;
    rung.wire_bps = 8 * 8;
    media_picture_set_rung(picture, &rung);
    watch(picture, &at_ms, 3, 80, WIDTH);
    g_assert_cmpuint(frames->len, ==, 3);
    g_assert_true(media_picture_burst(picture));
    g_assert_false(media_picture_burst(picture));
    rung.wire_bps = wire_bps;
    media_picture_set_rung(picture, &rung);
    watch(picture, &at_ms, 1, 80, WIDTH);
    g_assert_cmpuint(frames->len, ==, 4);
    g_assert_cmpuint(frame_at(frames, 3)->flags, ==, MEDIA_FLAG_KEYFRAME);
    media_picture_destroy(picture);
    frames_free(frames);
}

static void wish(guint32 stream, void *user) {
    ++*(guint *)user;
}

static MediaStats stats_of(const MediaGallery *gallery) {
    MediaStats stats[MEDIA_VIDEO_STREAMS_MAX];
    g_assert_cmpuint(media_gallery_stats(gallery, stats), ==, 1);
    return stats[0];
}

static void test_gallery(void) {
    g_autoptr(GBytes) file = file_create();
    gsize length = 0;
    const guint8 *data = g_bytes_get_data(file, &length);
    g_autofree guint8 *damaged = g_memdup2(data, length);
    guint wishes = 0;
    MediaGallery *gallery = media_gallery_create(media_canvas_create("fake"), wish, &wishes);
    MediaFrame frame = {.stream = STREAM,
                        .number = 7,
                        .media_time_ms = 1000,
                        .duration_ms = 10000,
                        .kind = MEDIA_KIND_VIDEO,
                        .flags = MEDIA_FLAG_KEYFRAME,
                        .codec = MEDIA_CODEC_WEBP,
                        .level = MEDIA_LEVEL_SILENCE,
                        .payload = {data, (guint32)length}};
    g_assert_true(media_gallery_open(gallery, STREAM, NULL));
    media_gallery_put(gallery, &frame, 1000000);
    g_assert_cmpuint(stats_of(gallery).decoded, ==, 1);
    g_assert_cmpuint(stats_of(gallery).keyframes, ==, 1);
    /* However long the next one takes; the ones between are lost, until they come late. */
    frame.number = 10;
    media_gallery_put(gallery, &frame, 90000000);
    g_assert_cmpuint(stats_of(gallery).decoded, ==, 2);
    g_assert_cmpuint(stats_of(gallery).lost, ==, 2);
    frame.number = 9;
    media_gallery_put(gallery, &frame, 90100000);
    media_gallery_put(gallery, &frame, 90200000);
    g_assert_cmpuint(stats_of(gallery).decoded, ==, 2);
    g_assert_cmpuint(stats_of(gallery).lost, ==, 1);
    g_assert_cmpuint(stats_of(gallery).late, ==, 1);
    g_assert_cmpuint(stats_of(gallery).frames, ==, 4);
    /* A box with something else in it, or a picture damaged inside: dropped, and life goes on. */
    memset(damaged + 12, 'X', 4);
    frame.payload.data = damaged;
    frame.number = 11;
    media_gallery_put(gallery, &frame, 91000000);
    memcpy(damaged, data, length);
    for (gsize i = 40; i < length; i++) {
        damaged[i] = (guint8)g_rand_int(dice);
    }
    frame.number = 12;
    media_gallery_put(gallery, &frame, 92000000);
    frame.payload.data = data;
    frame.number = 13;
    guint before = stats_of(gallery).decoded;
    media_gallery_put(gallery, &frame, 93000000);
    g_assert_cmpuint(stats_of(gallery).decoded, ==, before + 1);
    /* A speaker who began again. */
    frame.number = 0x80000000;
    media_gallery_put(gallery, &frame, 94000000);
    g_assert_cmpuint(stats_of(gallery).decoded, ==, before + 2);
    g_assert_cmpuint(wishes, ==, 0);
    media_gallery_destroy(gallery);
}

/* Whose player begins late, or again, asks for the still that was sent before. */
static void test_hope(void) {
    g_autoptr(GBytes) file = file_create();
    gsize length = 0;
    const guint8 *data = g_bytes_get_data(file, &length);
    guint wishes = 0;
    MediaGallery *gallery = media_gallery_create(media_canvas_create("fake"), wish, &wishes);
    g_assert_true(media_gallery_open(gallery, STREAM, NULL));
    while (wishes == 0) {
        g_main_context_iteration(NULL, TRUE);
    }
    MediaFrame frame = {.stream = STREAM,
                        .duration_ms = 4000,
                        .kind = MEDIA_KIND_VIDEO,
                        .flags = MEDIA_FLAG_KEYFRAME,
                        .codec = MEDIA_CODEC_WEBP,
                        .level = MEDIA_LEVEL_SILENCE,
                        .payload = {data, (guint32)length}};
    media_gallery_put(gallery, &frame, (guint64)g_get_monotonic_time());
    g_assert_cmpuint(stats_of(gallery).decoded, ==, 1);
    media_gallery_destroy(gallery);
}

/* ---- a source of which nothing is sent is still a source ---- */

typedef struct {
    guint started, frames;
    MediaCodec codec;
} Seen;

static void on_started(MediaKind kind, void *user) {
    ((Seen *)user)->started++;
}

static void on_frame(const MediaFrame *frame, void *user) {
    Seen *seen = user;
    g_assert_cmpuint(seen->started, ==, 1);
    seen->frames++;
    seen->codec = frame->codec;
}

static void on_ended(MediaKind kind, const char *reason, void *user) {
    g_error("the source ended: %s", reason);
}

static void test_track(void) {
    Seen seen = {0};
    MediaTrackHandler handler = {
        .started = on_started, .frame = on_frame, .ended = on_ended, .user = &seen};
    MediaUplink line = {20000, 0, 100, 0};
    MediaRung rung;
    MediaTrack *track = media_track_create(MEDIA_KIND_SCREEN, "videotestsrc is-live=true",
                                           MEDIA_PROFILE_AUTO, NULL, handler, NULL);
    g_assert_nonnull(track);
    g_assert_cmpuint(media_track_uplink(track, &line, 10000, MEDIA_SAVE_PICTURES, &rung), ==, 0);
    g_assert_cmpint(rung.kind, ==, MEDIA_KIND_SCREEN);
    g_assert_cmpint((gint)rung.codec, ==, 0);
    g_assert_cmpint(rung.reason, ==, MEDIA_REASON_SAVE);
    while (seen.started == 0) {
        g_main_context_iteration(NULL, TRUE);
    }
    g_assert_cmpuint(seen.frames, ==, 0);
    /* Where there is room for stills, one comes. */
    g_assert_cmpuint(media_track_uplink(track, &line, 0, MEDIA_SAVE_NOTHING, &rung), >, 0);
    while (seen.frames == 0) {
        g_main_context_iteration(NULL, TRUE);
    }
    g_assert_cmpint(seen.codec, ==, MEDIA_CODEC_WEBP);
    g_assert_cmpint(rung.codec, ==, MEDIA_CODEC_WEBP);
    g_assert_cmpint(rung.reason, ==, MEDIA_REASON_ROOM);
    media_track_destroy(track);
}

int main(int argc, char **argv) {
    gst_init(NULL, NULL);
    g_test_init(&argc, &argv, NULL);
    dice = g_rand_new_with_seed(1);
    g_test_add_func("/media/still/change", test_change);
    g_test_add_func("/media/still/due", test_due);
    g_test_add_func("/media/still/slide", test_slide);
    g_test_add_func("/media/still/webp", test_webp);
    g_test_add_func("/media/still/picture", test_picture);
    g_test_add_func("/media/still/burst", test_burst);
    g_test_add_func("/media/still/gallery", test_gallery);
    g_test_add_func("/media/still/hope", test_hope);
    g_test_add_func("/media/still/track", test_track);
    gint status = g_test_run();
    g_rand_free(dice);
    return status;
}
