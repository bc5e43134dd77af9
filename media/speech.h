/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Sound that is captured becomes frames of voice: cut, measured, encoded, numbered.
 * It owns the encoders, the samples that do not fill a packet yet, and the silence between
 * talk. It never reads a clock: media time counts samples, and what the source left out.
 */
#pragma once

#include <gst/gst.h>

#include "media/ladder.h"
#include "media/protocol.h"

typedef struct MediaSpeech MediaSpeech;

/* Called inside push and end, in order; the payload lasts for the call. */
typedef void (*MediaSpeechOutput)(const MediaFrame *frame, void *user);

/* Fails when a plugin is missing. Used by one thread at a time, but for the rung. */
MediaSpeech *media_speech_create(const MediaVoiceRung *rung, MediaSpeechOutput output, void *user,
                                 GError **error);
void media_speech_destroy(MediaSpeech *speech);

/* What the encoder does from the next packet on; any thread. */
void media_speech_set_rung(MediaSpeech *speech, const MediaVoiceRung *rung);

/* Takes 16-bit mono samples at 48 kHz; `time` is that of the first, or GST_CLOCK_TIME_NONE. */
void media_speech_push(MediaSpeech *speech, const gint16 *samples, gsize count, GstClockTime time);

/* Sends what is left, filled up with silence; the last frame has MEDIA_FLAG_LAST. */
void media_speech_end(MediaSpeech *speech);
