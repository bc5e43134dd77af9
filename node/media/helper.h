/* SPDX-License-Identifier: MPL-2.0 */
/*
 * One media helper process of one role: started, listened to, and started again when it dies.
 * It owns the process, the socket it connects to, and the patience with it. It never waits for it,
 * but when the node itself ends.
 */
#pragma once

#include <glib.h>

#include "media/protocol.h"

typedef struct MediaHelper MediaHelper;

/* All are called from the main loop, never inside a function of the helper, destroying nothing. */
typedef struct {
    /* It hears from now on what is sent; `text` is what it says of itself. */
    void (*ready)(gpointer user, const char *text);
    void (*message)(gpointer user, const MediaMessage *message);
    /* It died, or could not be started, for that reason; it is started again soon, or given up.
     * NULL: it ended because it was renewed, and is started again at once. */
    void (*gone)(gpointer user, const char *reason, gboolean again);
    gpointer user;
} MediaHelperHandler;

/*
 * `role`: play or capture; `options`: further words for it, ended by NULL, copied. `heard`: the
 * descriptor of the memory that both roles share (media/heard.h), borrowed; -1: there is none.
 */
MediaHelper *media_helper_create(const char *home, const char *role, const char *const *options,
                                 int heard, MediaHelperHandler handler);
/* Starts it, unless it runs, will soon, or was given up less than `rest_s` ago. */
void media_helper_start(MediaHelper *helper, guint rest_s);
/* Ends it, if it runs, and starts it with other options. */
void media_helper_renew(MediaHelper *helper, const char *const *options);
/*
 * Sends, if it is ready; else the message is dropped. So are frames when it reads too slowly; what
 * is no frame waits.
 */
void media_helper_send(MediaHelper *helper, const MediaMessage *message);
gboolean media_helper_ready(const MediaHelper *helper);
/* Times it was started again. */
guint media_helper_restarts(const MediaHelper *helper);
/* Messages of its own that made no sense, and messages for it that were dropped. */
guint64 media_helper_refused(const MediaHelper *helper);
guint64 media_helper_dropped(const MediaHelper *helper);
/* Asks it to end; nothing is called back any more. */
void media_helper_end(MediaHelper *helper);
/* Waits for its end until that monotonic time, then kills it. NULL-safe. */
void media_helper_destroy(MediaHelper *helper, gint64 until_us);
