/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A microphone made fit for others: without hum and hiss, at an even loudness, and without what the
 * loudspeaker beside it plays.
 * It owns the canceller (GStreamer's webrtcdsp) and its place in what is heard.
 * It never waits for the loudspeaker: what is not known to be played is not taken out.
 */
#pragma once

#include <gst/gst.h>

#include "media/heard.h"

typedef struct MediaClean MediaClean;

/* Called inside push, in order, with pieces of 10 ms and the source's time of each. */
typedef void (*MediaCleanOutput)(const gint16 *samples, gsize count, GstClockTime time, void *user);

/* Whether this machine has what it takes. */
gboolean media_clean_possible(void);

/* NULL when it has not. `heard` is borrowed; NULL: nothing is known to be played. */
MediaClean *media_clean_create(const MediaHeard *heard, MediaCleanOutput output, void *user);
void media_clean_destroy(MediaClean *clean);

/*
 * Takes 16-bit mono samples at 48 kHz, at the moment `now` of the monotonic clock; `time` is the
 * source's time of the first, `base` that time's zero on that clock. Used by one thread at a time.
 */
void media_clean_push(MediaClean *clean, const gint16 *samples, gsize count, GstClockTime time,
                      GstClockTime base, GstClockTime now);
