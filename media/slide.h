/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The encoder of stills: a picture becomes a WebP file of about the size that is wanted.
 * It owns what it learnt of the pictures so far: how fine they may be to fit.
 * It never decides when a still is sent.
 */
#pragma once

#include <glib.h>

typedef struct MediaSlide MediaSlide;

/* Fails when the plugin is missing. Used by one thread at a time. */
MediaSlide *media_slide_create(GError **error);
void media_slide_destroy(MediaSlide *slide);

/*
 * Encodes an I420 picture laid out as GStreamer does, as finely as fits into `bytes`, coarser and
 * at last smaller until it does; what fits in no way comes as small as it gets. NULL when the
 * encoder gives nothing. The bytes are the caller's.
 */
GBytes *media_slide_encode(MediaSlide *slide, const guint8 *picture, guint width, guint height,
                           guint32 bytes);

/* Bytes of such a picture. */
gsize media_slide_picture_size(guint width, guint height);
