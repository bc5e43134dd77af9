/* SPDX-License-Identifier: MPL-2.0 */
#include "media/slide.h"

#include <gst/gst.h>

#include "media/stage.h"

/* Of libwebp, 0 (fast) … 6: each step costs about half as much time again. */
#define EFFORT 4

/* Below this width a picture is not halved again. */
#define WIDTH_LEAST 80

/* Ways to make a picture smaller, each about two thirds of the one before. */
static const struct {
    guint halvings;
    guint quality;
} WAYS[] = {{0, 75}, {0, 50}, {0, 25}, {0, 8}, {1, 40}, {1, 8}, {2, 40}, {2, 8}, {2, 0}};
enum { WAY_FIRST = 1, WAY_LAST = G_N_ELEMENTS(WAYS) - 1 };

struct MediaSlide {
    guint way; /* what to try first */
};

/* The three planes of a picture. */
typedef struct {
    guint width[3], height[3], stride[3];
    gsize offset[3], size;
} Layout;

static Layout layout_of(guint width, guint height) {
    Layout layout = {.width = {width, (width + 1) / 2, (width + 1) / 2},
                     .height = {height, (height + 1) / 2, (height + 1) / 2}};
    for (guint plane = 0; plane < 3; plane++) {
        layout.stride[plane] = (layout.width[plane] + 3) / 4 * 4;
        layout.offset[plane] = layout.size;
        layout.size +=
            (gsize)layout.stride[plane] * (plane == 0 ? (height + 1) / 2 * 2 : layout.height[1]);
    }
    return layout;
}

gsize media_slide_picture_size(guint width, guint height) {
    return layout_of(width, height).size;
}

MediaSlide *media_slide_create(GError **error) {
    g_autoptr(GstElementFactory) encoder = gst_element_factory_find("webpenc");
    if (encoder == NULL) {
        g_set_error(error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN,
                    "no encoder for WebP: a GStreamer plugin is missing");
        return NULL;
    }
    MediaSlide *slide = g_new0(MediaSlide, 1);
    slide->way = WAY_FIRST;
    return slide;
}

void media_slide_destroy(MediaSlide *slide) {
    g_free(slide);
}

/* Half as wide and as high, by the mean of four. */
static GstBuffer *halve(const guint8 *picture, guint width, guint height) {
    Layout from = layout_of(width, height), to = layout_of(width / 2, height / 2);
    guint8 *half = g_malloc0(to.size);
    for (guint plane = 0; plane < 3; plane++) {
        for (guint y = 0; y < to.height[plane]; y++) {
            guint lower = MIN(2 * y + 1, from.height[plane] - 1);
            const guint8 *above = picture + from.offset[plane] + (gsize)2 * y * from.stride[plane];
            const guint8 *below = picture + from.offset[plane] + (gsize)lower * from.stride[plane];
            guint8 *row = half + to.offset[plane] + (gsize)y * to.stride[plane];
            for (guint x = 0; x < to.width[plane]; x++) {
                guint right = MIN(2 * x + 1, from.width[plane] - 1);
                row[x] = (guint8)((above[2 * x] + above[right] + below[2 * x] + below[right]) / 4);
            }
        }
    }
    return gst_buffer_new_wrapped(half, to.size);
}

static void on_encoded(GstBuffer *buffer, const GstCaps *caps, void *user) {
    GBytes **made = user;
    GstMapInfo map;
    if (*made == NULL && gst_buffer_map(buffer, &map, GST_MAP_READ)) {
        *made = g_bytes_new(map.data, map.size);
        gst_buffer_unmap(buffer, &map);
    }
}

/* An encoder lives for one picture: it asks for its quality only once. */
static GBytes *encode(GstBuffer *picture, guint width, guint height, guint quality) {
    GBytes *made = NULL;
    GstElement *element = gst_element_factory_make("webpenc", NULL);
    if (element == NULL) {
        return NULL;
    }
    g_object_set(element, "quality", (gfloat)quality, "speed", EFFORT, NULL);
    g_autoptr(GstCaps) caps = gst_caps_new_simple(
        "video/x-raw", "format", G_TYPE_STRING, "I420", "width", G_TYPE_INT, (gint)width, "height",
        G_TYPE_INT, (gint)height, "framerate", GST_TYPE_FRACTION, 1, 1, NULL);
    MediaStage *stage = media_stage_create(element, caps, on_encoded, &made);
    media_stage_push(stage, gst_buffer_copy(picture), GST_SECOND);
    media_stage_destroy(stage);
    return made;
}

static GBytes *encode_way(const guint8 *picture, guint width, guint height, guint way) {
    Layout layout = layout_of(width, height);
    GstBuffer *buffer = gst_buffer_new_memdup(picture, layout.size);
    for (guint i = 0; i < WAYS[way].halvings && width / 2 >= WIDTH_LEAST; i++) {
        GstMapInfo map;
        gst_buffer_map(buffer, &map, GST_MAP_READ);
        GstBuffer *half = halve(map.data, width, height);
        gst_buffer_unmap(buffer, &map);
        gst_buffer_unref(buffer);
        buffer = half;
        width /= 2;
        height /= 2;
    }
    GBytes *made = encode(buffer, width, height, WAYS[way].quality);
    gst_buffer_unref(buffer);
    return made;
}

static gsize size_of(GBytes *file) {
    return file != NULL ? g_bytes_get_size(file) : 0;
}

GBytes *media_slide_encode(MediaSlide *slide, const guint8 *picture, guint width, guint height,
                           guint32 bytes) {
    /* As the last one was, for most pictures are like the one before. */
    GBytes *made = encode_way(picture, width, height, slide->way);
    while (size_of(made) > bytes && slide->way < WAY_LAST) {
        g_bytes_unref(made);
        made = encode_way(picture, width, height, ++slide->way);
    }
    while (made != NULL && size_of(made) < bytes / 2 && slide->way > 0) {
        GBytes *finer = encode_way(picture, width, height, slide->way - 1);
        if (finer == NULL || size_of(finer) > bytes) {
            g_bytes_unref(finer);
            break;
        }
        slide->way--;
        g_bytes_unref(made);
        made = finer;
    }
    return made;
}
