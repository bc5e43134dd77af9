/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The WebSockets of open pages: commands in, answers and numbered events out, as the bus has them,
 * and the pictures a page shows. It owns the connections and the newest events, for a page that
 * comes back. It never lets a page that does not read fill the memory: such a one is sent no event
 * until it has read, and then, if they are not kept any more, is told to ask for everything again;
 * of pictures it misses what does not fit (watch.h).
 */
#pragma once

#include <libsoup/soup.h>

#include "node/bus/bus.h"
#include "node/page/watch.h"

#define LIVE_PAGES_MAX      16
#define LIVE_EVENTS_MAX     1024          /* kept for pages that come back */
#define LIVE_KEPT_BYTES_MAX (1024 * 1024) /* of these */
#define LIVE_BEHIND_BYTES   (1024 * 1024) /* sent and not seen yet, from which on no event is */
#define LIVE_SENT_BYTES_MAX                                                                        \
    (64 * 1024 * 1024) /* the same, answers too: who asks on is hung up on */
#define LIVE_SENT_COUNT_MAX 4096

typedef struct Live Live;

/* What pages ask of pictures; all may be NULL. */
typedef struct {
    /* The first page shows pictures itself, or the last one does so no more. */
    void (*claimed)(gpointer user, gboolean any);
    /* The newest picture of that source that needs no other, borrowed; FALSE: there is none. */
    gboolean (*kept)(gpointer user, const MeshKey *member, MeshStreamKind kind,
                     Picture *ret_picture);
    /* A page cannot show it before its next keyframe. */
    void (*wished)(gpointer user, const MeshKey *member, MeshStreamKind kind);
    gpointer user;
} LivePictures;

/* `build`: of the page that is served, said in every welcome; a page of another is old. */
Live *live_create(Bus *bus, const char *build, LivePictures pictures);
/* To each page that shows its source. */
void live_picture(Live *live, const Picture *picture);
/* Hangs up on all. NULL-safe. */
void live_destroy(Live *live);
/*
 * Serves this connection until it ends. `run` and `after` are what the page saw last: the run of
 * the node, and the number of the event; NULL: nothing.
 */
void live_accept(Live *live, SoupWebsocketConnection *socket, const char *run, guint64 after);
