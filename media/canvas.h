/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The window with everybody's pictures, side by side, or its absence.
 * It owns the connection to the display, opened once and for all before the sandbox, and the
 * picture being shown. It never decodes, and opens no window before there is something to see.
 */
#pragma once

#include <gst/gst.h>

/* The size every picture is brought to, and its I420 caps. */
#define MEDIA_CANVAS_CELL_WIDTH  640
#define MEDIA_CANVAS_CELL_HEIGHT 360
#define MEDIA_CANVAS_CELL_CAPS   "video/x-raw,format=I420,width=640,height=360,pixel-aspect-ratio=1/1"

typedef struct MediaCanvas MediaCanvas;

/* "auto", or "fake" for a canvas nobody sees. No display is no error: the description says so. */
MediaCanvas *media_canvas_create(const char *name);
void media_canvas_destroy(MediaCanvas *canvas);

/* For people: "pictures (xvimagesink)", "no pictures". */
const char *media_canvas_description(const MediaCanvas *canvas);

/* How many cells are shown, 0 … 4; they begin black. With 0 the window closes. */
void media_canvas_resize(MediaCanvas *canvas, guint cells);

/* Shows a picture of MEDIA_CANVAS_CELL_CAPS in that cell. */
void media_canvas_show(MediaCanvas *canvas, guint cell, GstBuffer *picture);
