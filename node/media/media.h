/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The node's end of the media helper: two processes, play and capture, started, watched, and
 * started again when they die. It owns the processes and the sockets to them (media/protocol.h). It
 * never decodes anything, and the node goes on without it. One thread: the main loop's.
 */
#pragma once

#include <glib.h>

#include "media/protocol.h"

typedef struct Media Media;

#define MEDIA_ERROR_QUARK (media_error_quark())
GQuark media_error_quark(void);
typedef enum {
    MEDIA_FAILED_SOURCE, /* the source is no good; the message says why */
    MEDIA_FAILED_HELPER, /* the helper is missing, or cannot be started */
    MEDIA_FAILED_OFF,    /* the node was started without media */
} MediaFailed;

typedef struct {
    /* A captured frame, to be sent; its payload lasts for the call. */
    void (*frame)(gpointer user, const MediaFrame *frame);
    /* A source ended by itself (`reason` NULL: the file is over) or could not be kept alive. */
    void (*ended)(gpointer user, MediaKind kind, const char *reason);
    /* Something a person should know: a helper died and was started again, the sink failed. */
    void (*notice)(gpointer user, const char *text);
    gpointer user;
    /* Where the player plays, and how it is shut in: for who looks into it; may be NULL. */
    void (*began)(gpointer user, const char *text);
    /* A stream cannot be shown before its speaker sends a keyframe; may be NULL. */
    void (*keyframe)(gpointer user, guint32 stream);
    /* What is played while it is recorded; may be NULL. Lasts for the call. */
    void (*mix)(gpointer user, const MediaMix *mix);
    /* How loud the microphone is, while it is metered; may be NULL. */
    void (*loudness)(gpointer user, const MediaLoudness *loudness);
} MediaHandler;

/* Called once, NULL when the source runs (its first frame is there, or it is live and playing). */
typedef void (*MediaStartDone)(gpointer data, const GError *error);

/* A device of this machine: what a source, or the output, is called by, and its name for people. */
typedef struct {
    MediaRole role;
    char *source;
    char *name;
} MediaNamed;

/* Called once; the MediaNamed of the list last for the call. With an error there are none. */
typedef void (*MediaDevicesDone)(gpointer data, const GPtrArray *list, const GError *error);

/*
 * A Media that is NULL is a node without media: sources are refused, everything else does nothing.
 * Nothing of a Media may be destroyed by what it calls.
 */

/*
 * Starts the play helper at once, without waiting for it; capture when a source is asked for.
 * `home`: where the sockets go. `sink`: auto, fake or a file's absolute path. `video_sink`: fake
 * (decoded, shown to nobody), none, or auto, which is none where there is no display.
 */
Media *media_create(const char *home, const char *sink, const char *video_sink,
                    MediaHandler handler);
/* Whether this process was started where there is a display. */
gboolean media_has_display(void);
/* Ends both helpers, letting play finish its file; waits at most 3 s. NULL-safe. */
void media_destroy(Media *media);

/*
 * Starts or replaces the source of a kind (VOICE, VIDEO, SCREEN). The numbers and media times of a
 * kind go on over its sources and over restarts of the helper. A source that captures when its
 * helper dies is started again; a file from its beginning.
 */
void media_source_start(Media *media, MediaKind kind, const char *source, MediaStartDone done,
                        gpointer data);
/*
 * The same for sound that is recorded, not sent: how it is encoded does not depend on the line. A
 * microphone that is on makes way for it, and is started again by whoever wants it.
 */
void media_source_record(Media *media, const char *source, MediaStartDone done, gpointer data);
/* Stops it, without `ended`; nothing when none runs. A start not done yet fails. */
void media_source_stop(Media *media, MediaKind kind);
gboolean media_source_runs(const Media *media, MediaKind kind);
/* What a source sends now, and why; FALSE while it does not run, or has not said so yet. */
gboolean media_rung(const Media *media, MediaKind kind, MediaRung *ret_rung);
/* What the sources together may use; see MediaUplink. */
void media_uplink(Media *media, const MediaUplink *uplink);
/* What pictures may cost, from now on and whatever is started. */
void media_save(Media *media, MediaSave level);
/* Makes the next picture of a source decodable by itself. */
void media_keyframe(Media *media, MediaKind kind);

/* Which devices there are; the helper is started for it. */
void media_devices(Media *media, MediaDevicesDone done, gpointer data);
/* Whether what is played is taken out of a microphone, as the helper says once it is started. */
gboolean media_cancels_echo(const Media *media);
/* From now on `loudness` is called, or no longer. */
void media_meter(Media *media, gboolean on);
/* The sound goes there from now on, as `sink` of media_create: the player is started again. */
void media_output(Media *media, const char *sink);

/*
 * Someone's stream begins, goes on, ends. Streams open are opened again in a restarted helper; a
 * frame that comes before the helper is ready is dropped.
 */
void media_stream_open(Media *media, guint32 stream, MediaKind kind);
void media_stream_frame(Media *media, guint32 stream, const MediaFrame *frame);
void media_stream_close(Media *media, guint32 stream);
/*
 * Whether the player shows pictures, as it does at first. Where a page shows them it need not: its
 * window is closed, and what it counts of them stands still.
 */
void media_pictures(Media *media, gboolean shown);
/* Whether what is sent to a stream is heard: the helper that plays is there. */
gboolean media_plays(const Media *media);
/* The latest counters of a stream, added up over restarts of the helper; FALSE: none yet. */
gboolean media_stream_stats(const Media *media, guint32 stream, MediaStats *ret_stats);

/*
 * From now on `mix` is called with what is played, or, after one more call without any sample, no
 * longer. A player started again counts its samples from 0.
 */
void media_record(Media *media, gboolean on);

/* Messages of the helpers that made no sense; messages for them that did not fit. */
guint64 media_refused(const Media *media);
guint64 media_dropped(const Media *media);
/* Times a helper was started again. */
guint media_restarts(const Media *media);
