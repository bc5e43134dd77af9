/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Codec2 at 3200 bit/s, for lines on which Opus does not fit: 48 kHz sound to 8 bytes for each
 * 20 ms, and back.
 * It owns one codec and the resamplers around it, which remember what came before.
 * It never reads a clock or waits: what goes in comes out at once, some milliseconds of it later.
 */
#pragma once

#include <glib.h>

/* Of 20 ms. */
#define MEDIA_CODEC2_SIZE    8
#define MEDIA_CODEC2_MS      20
#define MEDIA_CODEC2_SAMPLES 960

typedef struct MediaCodec2 MediaCodec2;

/* Fails when the plugin that resamples is missing. For one direction of one voice. */
MediaCodec2 *media_codec2_create(GError **error);
void media_codec2_destroy(MediaCodec2 *codec);

/* Encodes `frames` times 20 ms of 16-bit mono samples at 48 kHz. */
void media_codec2_encode(MediaCodec2 *codec, const gint16 *samples, gsize frames,
                         guint8 *ret_bytes);

/* Decodes `frames` times 8 bytes, any of them, to 20 ms each. */
void media_codec2_decode(MediaCodec2 *codec, const guint8 *bytes, gsize frames,
                         gint16 *ret_samples);

/*
 * Invents 20 ms from the last frame decoded, each time in a row at half the loudness of the one
 * before; the codec itself conceals nothing.
 */
void media_codec2_conceal(MediaCodec2 *codec, gint16 *ret_samples);

/* Nothing follows for a while: what is held back of the last sound is not heard before the next. */
void media_codec2_rest(MediaCodec2 *codec);

/* Microseconds the payload lasts; 0: it cannot be one. Any length may be given. */
guint32 media_codec2_duration_us(gsize length);
