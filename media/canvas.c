/* SPDX-License-Identifier: MPL-2.0 */
#include "media/canvas.h"

#include <gst/app/gstappsrc.h>
#include <string.h>

#define CELL_WIDTH  MEDIA_CANVAS_CELL_WIDTH
#define CELL_HEIGHT MEDIA_CANVAS_CELL_HEIGHT
#define CELL_SIZE   (CELL_WIDTH * CELL_HEIGHT * 3 / 2)

/* Pictures waiting for the display; more would only be seen late. */
#define WAITING_MAX 2

struct MediaCanvas {
    char *description;
    GstElement *pipeline; /* NULL: nobody sees it */
    GstAppSrc *input;
    guint cells;
    guint columns;
    guint rows;
    guint8 *picture; /* I420, columns × rows cells */
};

/* Those that draw through the connection they have; OpenGL would look for its drivers later. */
static GstElement *display_open(void) {
    static const char *const names[] = {"xvimagesink", "ximagesink", "waylandsink"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        GstElement *sink = gst_element_factory_make(names[i], NULL);
        if (sink == NULL) {
            continue;
        }
        gst_object_ref_sink(sink);
        if (gst_element_set_state(sink, GST_STATE_READY) == GST_STATE_CHANGE_SUCCESS) {
            g_object_set(sink, "sync", FALSE, NULL);
            return sink;
        }
        gst_element_set_state(sink, GST_STATE_NULL);
        gst_object_unref(sink);
    }
    return NULL;
}

static void pipeline_open(MediaCanvas *canvas) {
    g_autoptr(GstElement) display = display_open();
    GstElement *convert = gst_element_factory_make("videoconvert", NULL);
    if (display == NULL || convert == NULL) {
        gst_clear_object(&convert);
        return;
    }
    GstElement *input = gst_element_factory_make("appsrc", NULL);
    g_object_set(input, "is-live", TRUE, "do-timestamp", TRUE, "format", GST_FORMAT_TIME,
                 "max-buffers", (guint64)WAITING_MAX, "leaky-type", GST_APP_LEAKY_TYPE_DOWNSTREAM,
                 NULL);
    canvas->pipeline = gst_pipeline_new(NULL);
    canvas->input = GST_APP_SRC(gst_object_ref(input));
    gst_bin_add_many(GST_BIN(canvas->pipeline), input, convert, display, NULL);
    gst_element_link_many(input, convert, display, NULL);
    gst_element_set_state(canvas->pipeline, GST_STATE_READY);
    canvas->description =
        g_strdup_printf("pictures (%s)", GST_OBJECT_NAME(gst_element_get_factory(display)));
}

MediaCanvas *media_canvas_create(const char *name) {
    MediaCanvas *canvas = g_new0(MediaCanvas, 1);
    if (strcmp(name, "auto") == 0 &&
        (g_getenv("DISPLAY") != NULL || g_getenv("WAYLAND_DISPLAY") != NULL)) {
        pipeline_open(canvas);
    }
    if (canvas->description == NULL) {
        canvas->description = g_strdup("no pictures");
    }
    return canvas;
}

void media_canvas_destroy(MediaCanvas *canvas) {
    if (canvas == NULL) {
        return;
    }
    if (canvas->pipeline != NULL) {
        gst_element_set_state(canvas->pipeline, GST_STATE_NULL);
    }
    gst_clear_object(&canvas->input);
    gst_clear_object(&canvas->pipeline);
    g_free(canvas->picture);
    g_free(canvas->description);
    g_free(canvas);
}

const char *media_canvas_description(const MediaCanvas *canvas) {
    return canvas->description;
}

static gsize picture_size(const MediaCanvas *canvas) {
    return (gsize)canvas->columns * canvas->rows * CELL_SIZE;
}

void media_canvas_resize(MediaCanvas *canvas, guint cells) {
    canvas->cells = cells;
    canvas->columns = MIN(cells, 2);
    canvas->rows = (cells + 1) / 2;
    g_clear_pointer(&canvas->picture, g_free);
    if (cells > 0) {
        gsize size = picture_size(canvas);
        canvas->picture = g_malloc(size);
        memset(canvas->picture, 16, size * 2 / 3);
        memset(canvas->picture + size * 2 / 3, 128, size / 3);
    }
    if (canvas->pipeline != NULL) {
        g_autoptr(GstCaps) caps = gst_caps_new_simple(
            "video/x-raw", "format", G_TYPE_STRING, "I420", "width", G_TYPE_INT,
            MAX(canvas->columns, 1) * CELL_WIDTH, "height", G_TYPE_INT,
            MAX(canvas->rows, 1) * CELL_HEIGHT, "framerate", GST_TYPE_FRACTION, 0, 1, NULL);
        gst_app_src_set_caps(canvas->input, caps);
        gst_element_set_state(canvas->pipeline, cells > 0 ? GST_STATE_PLAYING : GST_STATE_READY);
    }
}

/* One plane of a cell, whose width and height are those of the luma divided by `part`. */
static void copy_plane(MediaCanvas *canvas, guint8 *plane, guint cell, const guint8 *from,
                       guint part) {
    gsize width = CELL_WIDTH / part, height = CELL_HEIGHT / part;
    gsize stride = width * canvas->columns;
    guint8 *to = plane + cell / 2 * height * stride + cell % 2 * width;
    for (gsize row = 0; row < height; row++) {
        memcpy(to + row * stride, from + row * width, width);
    }
}

void media_canvas_show(MediaCanvas *canvas, guint cell, GstBuffer *picture) {
    GstMapInfo map;
    if (cell >= canvas->cells || !gst_buffer_map(picture, &map, GST_MAP_READ)) {
        return;
    }
    /* The width is a multiple of eight, so the planes follow each other without a gap. */
    if (map.size >= CELL_SIZE) {
        gsize luma = picture_size(canvas) * 2 / 3;
        copy_plane(canvas, canvas->picture, cell, map.data, 1);
        copy_plane(canvas, canvas->picture + luma, cell, map.data + CELL_SIZE * 2 / 3, 2);
        copy_plane(canvas, canvas->picture + luma + luma / 4, cell, map.data + CELL_SIZE * 5 / 6,
                   2);
    }
    gst_buffer_unmap(picture, &map);
    if (canvas->pipeline != NULL) {
        gst_app_src_push_buffer(canvas->input,
                                gst_buffer_new_memdup(canvas->picture, picture_size(canvas)));
    }
}
