/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The cameras and screens that one page shows, and what each picture becomes for it: a message, or
 * nothing. It owns the list the page asked for, and the count of what that page has not read yet.
 * It never holds a picture, reads no clock, and knows no socket.
 *
 * A page says {"watch": [{"source": n, "member": id, "kind": "video" | "screen"}, …]}, the whole
 * list each time and n of its own choosing, and gets each picture as one binary message. Integers
 * are little-endian.
 *
 *   version u8 (1), codec u8 (1 VP8, 2 WebP), flags u8 (1: needs no earlier picture), 0 u8,
 *   source u32, stream u32, number u32, time_ms u32, age_ms u32, length u32, payload
 *
 * `stream` is another one whenever numbers begin anew; `number` counts the pictures of a stream, by
 * one; `time_ms` is its media time; `age_ms` how long ago it came: not 0 for what was kept for
 * whoever comes late.
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

#include "mesh/mesh.h"

#define WATCH_SOURCES_MAX 16
#define WATCH_HEADER_SIZE 28
#define WATCH_BYTES_MAX   (512 * 1024)   /* sent and not read yet, beyond which nothing is sent */
#define WATCH_COUNT_MAX   128            /* the same, messages */
#define WATCH_ASK_US      G_USEC_PER_SEC /* between two wishes for one source */

typedef enum {
    PICTURE_VP8 = 1,
    PICTURE_WEBP = 2,
} PictureCodec;

/* One encoded picture of a camera or a screen. */
typedef struct {
    MeshKey member;
    MeshStreamKind kind; /* VIDEO or SCREEN */
    PictureCodec codec;
    gboolean keyframe; /* needs no earlier one; every still */
    guint32 stream;
    guint32 number;
    guint32 time_ms;
    guint32 age_ms;
    Bytes payload;
} Picture;

typedef enum {
    WATCH_NOTHING, /* nothing was had yet: whatever needs no earlier one is welcome */
    WATCH_BLIND,   /* something was left out: the next has to need no earlier one */
    WATCH_SEEING,
} WatchState;

typedef struct {
    guint32 number; /* what the page calls it */
    MeshKey member;
    MeshStreamKind kind;
    WatchState state;
    guint32 last_stream, last_number; /* of the last picture sent, unless NOTHING */
    gboolean missed;                  /* something was left out because the page did not read */
    gint64 asked_us;                  /* when a keyframe was last wished for; 0: never */
} WatchSource;

typedef struct {
    gboolean claims; /* the page shows pictures: perhaps none now */
    guint count;
    WatchSource sources[WATCH_SOURCES_MAX];
    gsize bytes; /* on their way */
    guint messages;
} Watch;

/*
 * What the page says it shows from now on: a list, perhaps empty, or null when it shows nothing any
 * more. What it showed before goes on. FALSE when it makes no sense; nothing is changed then.
 */
gboolean watch_set(Watch *watch, JsonNode *list);
/* NULL: the page does not show it. */
WatchSource *watch_find(Watch *watch, const MeshKey *member, MeshStreamKind kind);
/* By the page's own number. */
WatchSource *watch_numbered(Watch *watch, guint32 number);

/* Whether the picture is to be sent; one of those left out may need to be made up for. */
gboolean watch_admits(const Watch *watch, WatchSource *source, const Picture *picture);
/* A keyframe is to be wished for: it cannot be shown otherwise, and the page reads. Once a second.
 */
gboolean watch_wishes(const Watch *watch, WatchSource *source, gint64 now_us);
/* The message; the caller frees. */
GBytes *watch_message(const WatchSource *source, const Picture *picture);
/* It was sent; that many bytes were read. */
void watch_sent(Watch *watch, WatchSource *source, const Picture *picture);
void watch_read(Watch *watch, gsize size);
/* The page reads again: the next source of which it missed something, once each; NULL. */
WatchSource *watch_missed(Watch *watch);
