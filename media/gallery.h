/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The gallery: every video stream being played becomes a picture when it is due.
 * It owns the streams, their jitter buffers and decoders, and the canvas they are shown on.
 * It never makes a thread: it works in the main loop, whose thread alone may use it.
 */
#pragma once

#include <glib.h>

#include "media/canvas.h"
#include "media/protocol.h"

typedef struct MediaGallery MediaGallery;

/* A stream cannot be shown before a keyframe comes, or nothing of it came at all: a still is sent
   once. At most one call a second and stream. */
typedef void (*MediaGalleryWish)(guint32 stream, void *user);

/* Takes over the canvas. */
MediaGallery *media_gallery_create(MediaCanvas *canvas, MediaGalleryWish wish, void *user);
void media_gallery_destroy(MediaGallery *gallery);

/* Fails when there are MEDIA_VIDEO_STREAMS_MAX. A stream already open goes on. */
gboolean media_gallery_open(MediaGallery *gallery, guint32 stream, GError **error);
void media_gallery_close(MediaGallery *gallery, guint32 stream);

/* A frame of a stream not open is dropped. */
void media_gallery_put(MediaGallery *gallery, const MediaFrame *frame, guint64 arrival_us);

/* Writes the counters of every stream; returns how many. */
gsize media_gallery_stats(const MediaGallery *gallery,
                          MediaStats ret_stats[MEDIA_VIDEO_STREAMS_MAX]);
