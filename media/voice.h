/* SPDX-License-Identifier: MPL-2.0 */
/*
 * One voice being played: packets that arrive become sound that is due.
 * It owns the stream's jitter buffer, its decoders and the samples decoded but not yet heard.
 * It never waits or reads a clock; times are microseconds of the monotonic clock.
 */
#pragma once

#include <glib.h>

#include "media/protocol.h"

#define MEDIA_VOICE_RATE 48000

typedef struct MediaVoice MediaVoice;

MediaVoice *media_voice_create(guint32 stream, GError **error);
void media_voice_destroy(MediaVoice *voice);

/* Takes a frame in; one whose payload cannot last as long as it claims is refused. */
void media_voice_put(MediaVoice *voice, const MediaFrame *frame, guint64 arrival_us);

/*
 * Adds the next `count` samples, of which the first is heard at `now_us`, to `mix`. Nothing is
 * added where nothing is to be heard.
 */
void media_voice_mix(MediaVoice *voice, gint32 *mix, gsize count, guint64 now_us);

/* Counters; `output_us` is what the sound still waits for after the mixer. */
MediaStats media_voice_stats(const MediaVoice *voice, guint64 output_us);
