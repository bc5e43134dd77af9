/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Where the mixed sound goes: the sound card, a WAV file, or nowhere.
 * It owns the output, which it opens once and for all, before the sandbox.
 * It never paces: whoever writes does so in real time.
 */
#pragma once

#include <glib.h>

#include "media/heard.h"

typedef struct MediaSink MediaSink;

/*
 * Opens "auto", "fake", a file by its absolute path, or the loudspeaker that a GStreamer
 * description names. A machine without a sound output is no error: it stays silent and the
 * description says so. The file that cannot be written is. With `go_on` a file that is there is
 * continued. What a loudspeaker plays is written to `heard` too, borrowed, with the time at which
 * it is heard; NULL: nobody is told.
 */
MediaSink *media_sink_create(const char *name, gboolean go_on, MediaHeard *heard, GError **error);
void media_sink_destroy(MediaSink *sink);

/* For people: "sound card (pulsesink)", "file X", "no sound". */
const char *media_sink_description(const MediaSink *sink);

/* What a sample waits for between the write and the ear, microseconds. */
guint64 media_sink_latency_us(const MediaSink *sink);

/* Appends 16-bit mono samples at 48 kHz. False, once, when the output fails; silent after that. */
gboolean media_sink_write(MediaSink *sink, const gint16 *samples, gsize count, GError **error);
