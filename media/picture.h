/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Pictures that are captured become frames: of video, or stills where there is room for no more.
 * It owns the encoders of both, and what was last sent.
 * It never scales or paces: pictures come in the size and at the rate of the rung.
 */
#pragma once

#include <gst/gst.h>

#include "media/climb.h"
#include "media/protocol.h"

typedef struct MediaPicture MediaPicture;

/* Called inside push; the payload lasts for the call. */
typedef void (*MediaPictureOutput)(const MediaFrame *frame, void *user);

/* VIDEO or SCREEN. Fails when a plugin is missing. Used by one thread at a time, unless said. */
MediaPicture *media_picture_create(MediaKind kind, const MediaVideoRung *rung,
                                   MediaPictureOutput output, void *user, GError **error);
void media_picture_destroy(MediaPicture *picture);

/* What the encoders aim at from the next picture on; stills at no rate wait. Any thread. */
void media_picture_set_rung(MediaPicture *picture, const MediaVideoRung *rung);

/* Makes the next picture decodable by itself, or sends the still again as soon as the line takes
   it; any thread. */
void media_picture_keyframe(MediaPicture *picture);

/* Whether a picture was left out since the last call: its rung takes more than a second for it. Any
   thread. */
gboolean media_picture_burst(MediaPicture *picture);

/* Takes over the buffer: an I420 picture of these caps. */
void media_picture_push(MediaPicture *picture, GstBuffer *buffer, GstCaps *caps);
