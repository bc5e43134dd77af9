/* SPDX-License-Identifier: MPL-2.0 */
/*
 * One source that runs: from a person's words to encoded frames.
 * It owns the GStreamer pipeline, the encoder behind it and the way from their thread to ours.
 * It never starts anything again: when the source ends, for whatever reason, it says so once.
 */
#pragma once

#include <glib.h>

#include "media/heard.h"
#include "media/protocol.h"

typedef struct MediaTrack MediaTrack;

/* Called in the main context, never from inside a function of the track. */
typedef struct {
    /* Something came from the source: frames follow, where the line has room for them. */
    void (*started)(MediaKind kind, void *user);
    /* The payload lasts for the call. */
    void (*frame)(const MediaFrame *frame, void *user);
    /* The source is over: by itself (`reason` NULL), or it failed, before its first frame or not.
     */
    void (*ended)(MediaKind kind, const char *reason, void *user);
    void *user;
    /* How loud it is, while it is metered. */
    void (*loudness)(const MediaLoudness *loudness, void *user);
} MediaTrackHandler;

/*
 * Opens and starts the source. NULL with the reason when it cannot be; what is only found out
 * later ends the track. Opening a device may take a moment. From a microphone is taken what is
 * `heard` (borrowed, may be NULL), see clean.h; every other source stays as it is.
 */
MediaTrack *media_track_create(MediaKind kind, const char *source, MediaProfile profile,
                               const MediaHeard *heard, MediaTrackHandler handler, GError **error);
/* May be called from `ended`. */
void media_track_destroy(MediaTrack *track);

/*
 * Climbs or descends the ladder; `reserved_bps` is what others of this node have first, `save` what
 * a person lets pictures cost. Returns what the track will use, headers included, bit/s;
 * `ret_rung` is what a person may be told of it.
 */
guint32 media_track_uplink(MediaTrack *track, const MediaUplink *line, guint32 reserved_bps,
                           MediaSave save, MediaRung *ret_rung);

/* It is a microphone, and this machine lacks what would clean it. */
gboolean media_track_is_raw(const MediaTrack *track);

/* Pictures: makes the next one decodable by itself; a still is sent again. */
void media_track_keyframe(MediaTrack *track);
/* Voice: from now on its loudness is told, or no longer. */
void media_track_meter(MediaTrack *track, gboolean on);
