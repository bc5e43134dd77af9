/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The mixer: every voice being played becomes one sound, ten milliseconds at a time.
 * It owns the voices, the thread that keeps real time, and the sink it writes to.
 * It never speaks with the node, and never stops for a voice that has nothing to say.
 */
#pragma once

#include "media/sink.h"
#include "media/voice.h"

typedef struct MediaMixer MediaMixer;

/* Called once, in the mixer's thread, when the sink has failed; the sound goes nowhere then. */
typedef void (*MediaMixerFailed)(const GError *error, void *user);

/* Starts the thread, and takes over the sink. */
MediaMixer *media_mixer_create(MediaSink *sink, MediaMixerFailed failed, void *user);

/* Writes what was mixed, closes the sink. */
void media_mixer_destroy(MediaMixer *mixer);

/* Fails when there are MEDIA_VOICE_STREAMS_MAX voices. A stream already open goes on. */
gboolean media_mixer_open(MediaMixer *mixer, guint32 stream, GError **error);
void media_mixer_close(MediaMixer *mixer, guint32 stream);

/* A frame of a stream not open is dropped. */
void media_mixer_put(MediaMixer *mixer, const MediaFrame *frame, guint64 arrival_us);

/* Sets aside what is played from now on, or ends that; see tap.h. */
void media_mixer_record(MediaMixer *mixer, gboolean on);
/* What was set aside, oldest first, up to `count` samples; returns how many. */
gsize media_mixer_recorded(MediaMixer *mixer, gint16 *ret_samples, gsize count, guint32 *ret_first);

/* Writes the counters of every voice; returns how many. */
gsize media_mixer_stats(MediaMixer *mixer, MediaStats ret_stats[MEDIA_VOICE_STREAMS_MAX]);
