/* SPDX-License-Identifier: MPL-2.0 */
#include "media/picture.h"

#include "media/slide.h"
#include "media/stage.h"
#include "media/still.h"

/* A listener asks for a keyframe when it needs one; this is for those who cannot. */
#define KEYFRAME_DISTANCE 300

/* What the receiver has to hold before it can show: the encoder may not save up more, ms. */
#define BUFFER_MS 1000

/* What nothing can make small enough is shown more rarely: below this filling of the buffer, %,
   pictures are left out. */
#define DROP_PERCENT 30

/* How much larger than others a keyframe may be, %: a quarter of a second's worth, as in WebRTC,
   but where pictures are rare half as much again as they are. */
#define INTRA_PERCENT(fps) MAX(150, 25 * (fps))

struct MediaPicture {
    MediaKind kind;
    MediaPictureOutput output;
    void *user;
    MediaStage *encoder; /* of video */
    MediaSlide *slide;   /* of stills */
    MediaStill still;
    GMutex lock; /* of the next three */
    MediaVideoRung wanted;
    gboolean keyframe_wanted;
    gboolean burst;      /* a picture was too large */
    MediaVideoRung rung; /* in force */
    guint32 number;
    guint64 media_time_ms; /* of the picture being encoded */
    GstClockTime first;    /* the source's time of the first picture */
};

static guint16 duration_ms(const MediaPicture *picture) {
    return (guint16)(1000 / picture->rung.fps);
}

static MediaFrame frame_of(MediaPicture *picture, MediaCodec codec, gboolean keyframe,
                           guint16 lasts_ms, const guint8 *data, gsize size) {
    return (MediaFrame){.number = picture->number++,
                        .media_time_ms = (guint32)picture->media_time_ms,
                        .duration_ms = lasts_ms,
                        .kind = picture->kind,
                        .flags = keyframe ? MEDIA_FLAG_KEYFRAME : 0,
                        .codec = codec,
                        .level = MEDIA_LEVEL_SILENCE,
                        .payload = {data, (guint32)size}};
}

static void on_encoded(GstBuffer *buffer, const GstCaps *caps, void *user) {
    MediaPicture *picture = user;
    GstMapInfo map;
    gsize size = gst_buffer_get_size(buffer);
    /* The network gives a picture a second: what takes longer would be sent in vain. */
    gboolean burst = size > MIN(picture->rung.wire_bps / 8, MEDIA_PAYLOAD_MAX);
    if (burst || size == 0 || !gst_buffer_map(buffer, &map, GST_MAP_READ)) {
        g_mutex_lock(&picture->lock);
        picture->burst |= burst;
        g_mutex_unlock(&picture->lock);
        /* What follows would refer to a picture nobody has. */
        media_picture_keyframe(picture);
        return;
    }
    gboolean delta = GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
    MediaFrame frame =
        frame_of(picture, MEDIA_CODEC_VP8, !delta, duration_ms(picture), map.data, map.size);
    picture->output(&frame, picture->user);
    gst_buffer_unmap(buffer, &map);
}

static GstElement *element_create(MediaKind kind) {
    GstElement *element = gst_element_factory_make("vp8enc", NULL);
    if (element == NULL) {
        return NULL;
    }
    g_object_set(element, "deadline", G_GINT64_CONSTANT(1), "cpu-used", 8, "lag-in-frames", 0,
                 "threads", 1, "keyframe-max-dist", KEYFRAME_DISTANCE, "buffer-size", BUFFER_MS,
                 "buffer-initial-size", BUFFER_MS / 2, "buffer-optimal-size", BUFFER_MS / 2,
                 "undershoot", 95, "overshoot", 15, "dropframe-threshold", DROP_PERCENT,
                 "static-threshold", kind == MEDIA_KIND_SCREEN ? 100 : 1, NULL);
    gst_util_set_object_arg(G_OBJECT(element), "end-usage", "cbr");
    gst_util_set_object_arg(G_OBJECT(element), "error-resilient", "default");
    return element;
}

/* At least: the encoder takes no nothing, though it gets no picture then. */
#define VIDEO_BITRATE_LEAST 16000

static void set_encoder(MediaPicture *picture) {
    g_object_set(media_stage_element(picture->encoder), "target-bitrate",
                 (gint)MAX(picture->rung.bitrate_bps, VIDEO_BITRATE_LEAST), "max-intra-bitrate",
                 INTRA_PERCENT(picture->rung.fps), NULL);
}

MediaPicture *media_picture_create(MediaKind kind, const MediaVideoRung *rung,
                                   MediaPictureOutput output, void *user, GError **error) {
    MediaSlide *slide = media_slide_create(error);
    if (slide == NULL) {
        return NULL;
    }
    GstElement *element = element_create(kind);
    if (element == NULL) {
        media_slide_destroy(slide);
        g_set_error(error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN,
                    "no encoder for VP8: a GStreamer plugin is missing");
        return NULL;
    }
    MediaPicture *picture = g_new0(MediaPicture, 1);
    picture->kind = kind;
    picture->output = output;
    picture->slide = slide;
    picture->user = user;
    picture->wanted = *rung;
    picture->rung = *rung;
    picture->first = GST_CLOCK_TIME_NONE;
    g_mutex_init(&picture->lock);
    g_autoptr(GstCaps) caps = gst_caps_new_empty_simple("video/x-raw");
    gst_caps_set_simple(caps, "format", G_TYPE_STRING, "I420", "width", G_TYPE_INT, rung->width,
                        "height", G_TYPE_INT, rung->height, "framerate", GST_TYPE_FRACTION,
                        rung->fps, 1, NULL);
    picture->encoder = media_stage_create(element, caps, on_encoded, picture);
    set_encoder(picture);
    return picture;
}

void media_picture_destroy(MediaPicture *picture) {
    if (picture == NULL) {
        return;
    }
    media_stage_destroy(picture->encoder);
    media_slide_destroy(picture->slide);
    g_mutex_clear(&picture->lock);
    g_free(picture);
}

void media_picture_set_rung(MediaPicture *picture, const MediaVideoRung *rung) {
    g_mutex_lock(&picture->lock);
    picture->wanted = *rung;
    g_mutex_unlock(&picture->lock);
}

void media_picture_keyframe(MediaPicture *picture) {
    g_mutex_lock(&picture->lock);
    picture->keyframe_wanted = TRUE;
    g_mutex_unlock(&picture->lock);
}

gboolean media_picture_burst(MediaPicture *picture) {
    g_mutex_lock(&picture->lock);
    gboolean burst = picture->burst;
    picture->burst = FALSE;
    g_mutex_unlock(&picture->lock);
    return burst;
}

/* Does what was asked from other threads since the last picture. */
static void follow_wishes(MediaPicture *picture) {
    g_mutex_lock(&picture->lock);
    gboolean changed = picture->rung.rung != picture->wanted.rung;
    gboolean keyframe = picture->keyframe_wanted;
    if (picture->rung.way != picture->wanted.way) {
        /* What was shown last was shown by the other encoder. */
        keyframe = TRUE;
        picture->still.state = MEDIA_STILL_NONE;
    }
    picture->rung = picture->wanted;
    picture->keyframe_wanted = FALSE;
    g_mutex_unlock(&picture->lock);
    if (changed) {
        set_encoder(picture);
    }
    picture->still.asked |= keyframe;
    if (keyframe && picture->rung.way == MEDIA_WAY_VIDEO) {
        /* What gst_video_event_new_upstream_force_key_unit makes, without its library. */
        GstStructure *wish = gst_structure_new(
            "GstForceKeyUnit", "running-time", GST_TYPE_CLOCK_TIME, GST_CLOCK_TIME_NONE,
            "all-headers", G_TYPE_BOOLEAN, TRUE, "count", G_TYPE_UINT, 0, NULL);
        media_stage_wish(picture->encoder, gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, wish));
    }
}

/* As a still, when there is to be one. */
static void offer_still(MediaPicture *picture, const guint8 *data) {
    guint width = picture->rung.width, height = picture->rung.height;
    MediaStill *still = &picture->still;
    MediaStillSketch sketch;
    media_still_sketch(data, (width + 3) / 4 * 4, width, height, &sketch);
    guint32 bytes = media_still_due(still, &sketch, picture->media_time_ms, picture->rung.wire_bps);
    g_autoptr(GBytes) made =
        bytes > 0 ? media_slide_encode(picture->slide, data, width, height, bytes) : NULL;
    gsize size = 0;
    const guint8 *file = made != NULL ? g_bytes_get_data(made, &size) : NULL;
    if (file == NULL || size == 0 || size > MEDIA_PAYLOAD_MAX) {
        return;
    }
    media_still_sent(still, &sketch, picture->media_time_ms, (guint32)size);
    MediaFrame frame =
        frame_of(picture, MEDIA_CODEC_WEBP, TRUE,
                 media_still_life_ms((guint32)size, picture->rung.wire_bps), file, size);
    picture->output(&frame, picture->user);
}

static void push_still(MediaPicture *picture, GstBuffer *buffer) {
    GstMapInfo map;
    if (gst_buffer_map(buffer, &map, GST_MAP_READ)) {
        if (map.size >= media_slide_picture_size(picture->rung.width, picture->rung.height)) {
            offer_still(picture, map.data);
        }
        gst_buffer_unmap(buffer, &map);
    }
    gst_buffer_unref(buffer);
}

/* The rung has changed, and pictures of the size of the former one may still come. */
static gboolean outdated(const MediaPicture *picture, const GstCaps *caps) {
    const GstStructure *structure = gst_caps_get_structure(caps, 0);
    gint width = 0, height = 0;
    return !gst_structure_get_int(structure, "width", &width) ||
           !gst_structure_get_int(structure, "height", &height) || width != picture->rung.width ||
           height != picture->rung.height;
}

static void set_time(MediaPicture *picture, GstClockTime time) {
    if (!GST_CLOCK_TIME_IS_VALID(picture->first)) {
        picture->first = time;
    }
    if (GST_CLOCK_TIME_IS_VALID(time) && time >= picture->first) {
        picture->media_time_ms = (time - picture->first) / GST_MSECOND;
    } else {
        picture->media_time_ms += duration_ms(picture);
    }
}

void media_picture_push(MediaPicture *picture, GstBuffer *buffer, GstCaps *caps) {
    follow_wishes(picture);
    set_time(picture, GST_BUFFER_PTS(buffer));
    if (picture->rung.way == MEDIA_WAY_OFF || outdated(picture, caps)) {
        gst_buffer_unref(buffer);
    } else if (picture->rung.way == MEDIA_WAY_VIDEO) {
        media_stage_set_caps(picture->encoder, caps);
        media_stage_push(picture->encoder, gst_buffer_make_writable(buffer),
                         duration_ms(picture) * GST_MSECOND);
    } else {
        push_still(picture, buffer);
    }
}
