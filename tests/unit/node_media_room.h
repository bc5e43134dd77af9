/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The node's end of the real media helper, for tests: what came of it is counted and kept.
 * It owns its helpers, and a folder of its own with what they write.
 */
#pragma once

#include <glib.h>

#include "node/media/media.h"

#define ROOM_STREAM  7
#define ROOM_WAIT_US (100 * G_USEC_PER_SEC) /* a machine may be busy */
#define ROOM_NOTICES 16

typedef struct {
    char *home;
    char *sink;
    Media *media;
    gboolean loop; /* what is captured is played */
    guint frames;
    guint gaps; /* numbers that did not follow */
    MediaFrame last;
    guint8 flags;     /* of all frames */
    guint32 pause_ms; /* of media time after the last frame that announced silence */
    guint most_ms;
    guint least_ms;
    guint started;
    char *refusal;
    gint code;
    guint ended;
    char *reason;
    guint notices;
    char *said[ROOM_NOTICES];
    guint keyframes;
} Room;

/* `sink` is "fake" or the name of a recording in the room's folder. */
void room_open(Room *room, const char *sink);
/* Ends the helpers; what they wrote stays until room_free. */
void room_close(Room *room);
void room_free(Room *room);

/* Turns the main loop until the condition holds; fails when it never does. */
#define WAIT_FOR(condition)                                                                        \
    G_STMT_START {                                                                                 \
        gint64 until_us = g_get_monotonic_time() + ROOM_WAIT_US;                                   \
        gboolean tick = FALSE;                                                                     \
        guint ticks = g_timeout_add(50, room_on_tick, &tick);                                      \
        while (!(condition)) {                                                                     \
            if (g_get_monotonic_time() > until_us) {                                               \
                g_error("%s:%d: never: %s", __FILE__, __LINE__, #condition);                       \
            }                                                                                      \
            g_main_context_iteration(NULL, TRUE);                                                  \
        }                                                                                          \
        g_source_remove(ticks);                                                                    \
    }                                                                                              \
    G_STMT_END

gboolean room_on_tick(gpointer tick);

/* Whether a notice held these words. */
gboolean room_said(const Room *room, const char *words);
/* What the play helper says of itself comes first. */
void room_wait_ready(Room *room);
/* For media_source_start: counts, and keeps what was refused. */
void room_on_started(gpointer user, const GError *error);
/* Starts a source and waits for the answer. */
void room_start(Room *room, MediaKind kind, const char *source);
MediaStats room_stats(const Room *room);
/* Process ids of the helpers, oldest first. */
GArray *room_children(void);
