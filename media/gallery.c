/* SPDX-License-Identifier: MPL-2.0 */
#include "media/gallery.h"

#include <gio/gio.h>

#include "media/decoder.h"
#include "media/jitter.h"
#include "media/vp8.h"
#include "media/webp.h"

#define WISH_INTERVAL_US G_USEC_PER_SEC

/* So long nothing came of a stream just opened, and a picture is asked for; each time as long
 * again.
 */
#define NOTHING_US (3 * G_USEC_PER_SEC)

typedef enum {
    SHOW_BLIND, /* waits for a keyframe */
    SHOW_SEEING,
} ShowState;

typedef struct {
    MediaGallery *gallery;
    guint32 stream;
    ShowState state;
    gint64 wish_us; /* when the next wish may be said */
    gint64 opened_us;
    gint64 nothing_us; /* when to ask, if nothing was decoded until then */
    guint32 decoded, keyframes;
    MediaJitter *jitter;
    MediaDecoder *decoder;
    MediaStage *shaper; /* brings what was decoded to the size of a cell */
} Show;

typedef struct {
    GSource source;
    MediaGallery *gallery;
} Timer;

struct MediaGallery {
    MediaCanvas *canvas;
    MediaGalleryWish wish;
    void *user;
    GSource *timer;
    guint count;
    Show *shows[MEDIA_VIDEO_STREAMS_MAX]; /* in the order of their cells */
};

static void free_payload(void *payload) {
    g_bytes_unref(payload);
}

static void on_shaped(GstBuffer *buffer, const GstCaps *caps, void *user) {
    Show *show = user;
    MediaGallery *gallery = show->gallery;
    for (guint cell = 0; cell < gallery->count; cell++) {
        if (gallery->shows[cell] == show) {
            media_canvas_show(gallery->canvas, cell, buffer);
        }
    }
}

static void on_decoded(GstBuffer *buffer, const GstCaps *caps, void *user) {
    Show *show = user;
    show->decoded++;
    media_stage_set_caps(show->shaper, (GstCaps *)caps);
    media_stage_push(show->shaper, gst_buffer_copy(buffer), GST_MSECOND);
}

static void show_destroy(Show *show) {
    media_decoder_destroy(show->decoder);
    media_stage_destroy(show->shaper);
    media_jitter_destroy(show->jitter);
    g_free(show);
}

static gboolean shaper_create(Show *show, GError **error) {
    GstElement *bin = gst_parse_bin_from_description(
        "videoscale ! videoconvert ! capsfilter caps=" MEDIA_CANVAS_CELL_CAPS, TRUE, error);
    if (bin == NULL) {
        return FALSE;
    }
    g_autoptr(GstCaps) caps = gst_caps_from_string(MEDIA_CANVAS_CELL_CAPS);
    show->shaper = media_stage_create(bin, caps, on_shaped, show);
    return TRUE;
}

static Show *show_create(MediaGallery *gallery, guint32 stream, GError **error) {
    Show *show = g_new0(Show, 1);
    show->gallery = gallery;
    show->stream = stream;
    show->opened_us = g_get_monotonic_time();
    show->nothing_us = show->opened_us + NOTHING_US;
    show->jitter = media_jitter_create(MEDIA_JITTER_SEPARATE, free_payload);
    show->decoder = media_decoder_create(MEDIA_CODEC_VP8, on_decoded, show, error);
    if (show->decoder == NULL || !shaper_create(show, error)) {
        show_destroy(show);
        return NULL;
    }
    return show;
}

/* Decodes what can be shown; takes over the payload. */
static void decode(Show *show, GBytes *payload, guint duration_ms, MediaVp8Type type) {
    gboolean shown = media_vp8_shown(g_bytes_get_data(payload, NULL));
    guint32 before = show->decoded;
    media_decoder_push(show->decoder, payload, duration_ms);
    if (show->decoded != before) {
        show->keyframes += type == MEDIA_VP8_KEY;
    } else if (shown) {
        show->state = SHOW_BLIND; /* damaged: so will be those that refer to it */
    }
}

static void ask(Show *show, gint64 now_us) {
    if (now_us >= show->wish_us) {
        show->wish_us = now_us + WISH_INTERVAL_US;
        show->gallery->wish(show->stream, show->gallery->user);
    }
}

static void play(Show *show, const MediaJitterStep *step, gint64 now_us) {
    gsize length = 0;
    const guint8 *data = g_bytes_get_data(step->frame.payload, &length);
    MediaVp8Type type = media_vp8_type(data, length);
    if (type == MEDIA_VP8_KEY) {
        show->state = SHOW_SEEING;
    } else if (type == MEDIA_VP8_BAD || step->gap_before) {
        /* What refers to a picture that never came would only smear. */
        show->state = SHOW_BLIND;
    }
    if (show->state == SHOW_SEEING) {
        decode(show, step->frame.payload, step->duration_ms, type);
    } else {
        g_bytes_unref(step->frame.payload);
    }
    if (show->state == SHOW_BLIND) {
        ask(show, now_us);
    }
}

/*
 * A still is due when it is here: how long it took depends on its size more than on the line. It is
 * a key frame in a box, but what follows in the stream does not refer to it.
 */
static void show_still(Show *show, const MediaJitterFrame *frame) {
    GBytes *file = frame->payload;
    MediaWebpPicture picture;
    gsize length = 0;
    const guint8 *data = g_bytes_get_data(file, &length);
    gboolean newest = media_jitter_pass(show->jitter, frame);
    if (newest && media_webp_picture(data, length, &picture)) {
        gsize at = (gsize)(picture.data - data);
        decode(show, g_bytes_new_from_bytes(file, at, picture.length), frame->duration_ms,
               MEDIA_VP8_KEY);
    }
    if (newest) {
        show->state = SHOW_BLIND;
    }
    g_bytes_unref(file);
}

/* Shows what is due; returns when there is more, -1 for never. */
static gint64 advance(Show *show, gint64 now_us) {
    for (;;) {
        MediaJitterStep step = media_jitter_take(show->jitter, (guint64)now_us);
        if (step.action == MEDIA_JITTER_PLAY) {
            play(show, &step, now_us);
        } else if (step.action == MEDIA_JITTER_WAIT) {
            return step.wait_us < G_USEC_PER_SEC * 10 ? now_us + (gint64)step.wait_us + 1 : -1;
        }
    }
}

/* Asks again and again for the first picture; returns when next, -1 for never. */
static gint64 hope(Show *show, gint64 now_us) {
    if (show->decoded > 0) {
        return -1;
    }
    if (now_us >= show->nothing_us) {
        show->nothing_us = now_us + (now_us - show->opened_us);
        ask(show, now_us);
    }
    return show->nothing_us;
}

/* Of two times, where -1 is never. */
static gint64 sooner(gint64 one_us, gint64 other_us) {
    return one_us < 0 || (other_us >= 0 && other_us < one_us) ? other_us : one_us;
}

static gboolean timer_dispatch(GSource *source, GSourceFunc callback, gpointer user) {
    MediaGallery *gallery = ((Timer *)source)->gallery;
    gint64 now_us = g_get_monotonic_time(), next_us = -1;
    for (guint i = 0; i < gallery->count; i++) {
        gint64 due_us = sooner(advance(gallery->shows[i], now_us), hope(gallery->shows[i], now_us));
        next_us = sooner(next_us, due_us);
    }
    g_source_set_ready_time(source, next_us);
    return G_SOURCE_CONTINUE;
}

MediaGallery *media_gallery_create(MediaCanvas *canvas, MediaGalleryWish wish, void *user) {
    static GSourceFuncs functions = {NULL, NULL, timer_dispatch, NULL, NULL, NULL};
    MediaGallery *gallery = g_new0(MediaGallery, 1);
    gallery->canvas = canvas;
    gallery->wish = wish;
    gallery->user = user;
    gallery->timer = g_source_new(&functions, sizeof(Timer));
    ((Timer *)gallery->timer)->gallery = gallery;
    g_source_attach(gallery->timer, NULL);
    return gallery;
}

void media_gallery_destroy(MediaGallery *gallery) {
    if (gallery == NULL) {
        return;
    }
    g_source_destroy(gallery->timer);
    g_source_unref(gallery->timer);
    for (guint i = 0; i < gallery->count; i++) {
        show_destroy(gallery->shows[i]);
    }
    media_canvas_destroy(gallery->canvas);
    g_free(gallery);
}

static guint find(const MediaGallery *gallery, guint32 stream) {
    guint at = 0;
    while (at < gallery->count && gallery->shows[at]->stream != stream) {
        at++;
    }
    return at;
}

gboolean media_gallery_open(MediaGallery *gallery, guint32 stream, GError **error) {
    if (find(gallery, stream) < gallery->count) {
        return TRUE;
    }
    if (gallery->count == MEDIA_VIDEO_STREAMS_MAX) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "no more than %d videos at once",
                    MEDIA_VIDEO_STREAMS_MAX);
        return FALSE;
    }
    Show *show = show_create(gallery, stream, error);
    if (show == NULL) {
        return FALSE;
    }
    gallery->shows[gallery->count++] = show;
    media_canvas_resize(gallery->canvas, gallery->count);
    g_source_set_ready_time(gallery->timer, 0);
    return TRUE;
}

void media_gallery_close(MediaGallery *gallery, guint32 stream) {
    guint at = find(gallery, stream);
    if (at == gallery->count) {
        return;
    }
    show_destroy(gallery->shows[at]);
    gallery->count--;
    for (; at < gallery->count; at++) {
        gallery->shows[at] = gallery->shows[at + 1];
    }
    media_canvas_resize(gallery->canvas, gallery->count);
}

void media_gallery_put(MediaGallery *gallery, const MediaFrame *frame, guint64 arrival_us) {
    guint at = find(gallery, frame->stream);
    if (at == gallery->count) {
        return;
    }
    MediaJitterFrame entry = {.number = frame->number,
                              .media_time_ms = frame->media_time_ms,
                              .duration_ms = frame->duration_ms,
                              .flags = frame->flags,
                              .level = frame->level,
                              .payload = g_bytes_new(frame->payload.data, frame->payload.length)};
    if (frame->codec == MEDIA_CODEC_WEBP) {
        show_still(gallery->shows[at], &entry);
    } else {
        media_jitter_put(gallery->shows[at]->jitter, &entry, arrival_us);
    }
    g_source_set_ready_time(gallery->timer, 0);
}

gsize media_gallery_stats(const MediaGallery *gallery,
                          MediaStats ret_stats[MEDIA_VIDEO_STREAMS_MAX]) {
    for (guint i = 0; i < gallery->count; i++) {
        MediaJitterCounters counters = media_jitter_counters(gallery->shows[i]->jitter);
        ret_stats[i] = (MediaStats){.stream = gallery->shows[i]->stream,
                                    .frames = counters.in_time + counters.late + counters.lost,
                                    .in_time = counters.in_time,
                                    .late = counters.late,
                                    .lost = counters.lost,
                                    .delay_ms = (guint16)MIN(counters.wait_us / 1000, G_MAXUINT16),
                                    .decoded = gallery->shows[i]->decoded,
                                    .keyframes = gallery->shows[i]->keyframes};
    }
    return gallery->count;
}
