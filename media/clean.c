/* SPDX-License-Identifier: MPL-2.0 */
#include "media/clean.h"

#include <string.h>

#include "media/lag.h"
#include "media/stage.h"

#define RATE  48000
#define PIECE (RATE / 100) /* what the canceller takes at a time */

#define PIECE_TIME (10 * GST_MSECOND)

#define CANCELLER "webrtcdsp"
#define PROBE     "webrtcechoprobe"

/*
 * The clocks of two sound cards differ, and of neither the time is exact. The place in what is
 * heard follows that of the microphone by a sample in 10 ms, when it is off by more than 2 ms: what
 * the canceller has learnt stays true. Further off, one of the two began anew.
 */
#define SLACK_SAMPLES 96
#define JUMP_SAMPLES  960

/*
 * The canceller finds an echo that comes from 10 ms before until 50 ms after what it is told is
 * played; so far ahead it is told, that neither side of that is lost. An echo seen to come further
 * from there is met by telling earlier or later, as far as what is heard is known.
 */
#define LEAD_SAMPLES  960
#define RIGHT_SAMPLES 720
#define LATE_SAMPLES  38400 /* 0.8 s */

struct MediaClean {
    const MediaHeard *heard;
    MediaCleanOutput output;
    void *user;
    MediaStage *probe; /* told what is heard just before the canceller is given what was captured */
    MediaStage *canceller;
    MediaLag lag;
    gint64 late;       /* by how much more than was said an echo is late, samples */
    guint64 place;     /* of what is heard with the next piece */
    GstClockTime next; /* the source's time for the piece after the last */
    GstClockTime fast; /* by how much its times are later than can be */
    GstClockTime time; /* of the first sample pending */
    gsize pending;
    gint16 samples[PIECE];
};

gboolean media_clean_possible(void) {
    g_autoptr(GstElementFactory) canceller = gst_element_factory_find(CANCELLER);
    g_autoptr(GstElementFactory) probe = gst_element_factory_find(PROBE);
    return canceller != NULL && probe != NULL;
}

static void on_cleaned(GstBuffer *buffer, const GstCaps *caps, void *user) {
    MediaClean *clean = user;
    GstMapInfo map;
    if (gst_buffer_map(buffer, &map, GST_MAP_READ)) {
        clean->output((const gint16 *)(gpointer)map.data, map.size / sizeof(gint16), clean->time,
                      clean->user);
        gst_buffer_unmap(buffer, &map);
    }
}

static void on_told(GstBuffer *buffer, const GstCaps *caps, void *user) {
}

/* The two find each other by the probe's name, which is the only one of the process. */
static gboolean open_stages(MediaClean *clean) {
    GstElement *probe = gst_element_factory_make(PROBE, NULL);
    GstElement *canceller = gst_element_factory_make(CANCELLER, NULL);
    g_autoptr(GstCaps) caps =
        gst_caps_from_string("audio/x-raw,format=S16LE,layout=interleaved,channels=1,rate=48000");
    if (probe == NULL || canceller == NULL) {
        gst_clear_object(&probe);
        gst_clear_object(&canceller);
        return FALSE;
    }
    g_autofree char *name = gst_element_get_name(probe);
    g_object_set(canceller, "probe", name, "echo-cancel", TRUE, "noise-suppression", TRUE,
                 "gain-control", TRUE, "high-pass-filter", TRUE, NULL);
    clean->probe = media_stage_create(probe, caps, on_told, clean);
    /* Until it knows a latency it tells nothing. */
    media_stage_wish(clean->probe, gst_event_new_latency(0));
    clean->canceller = media_stage_create(canceller, caps, on_cleaned, clean);
    return TRUE;
}

MediaClean *media_clean_create(const MediaHeard *heard, MediaCleanOutput output, void *user) {
    MediaClean *clean = g_new0(MediaClean, 1);
    clean->heard = heard;
    media_lag_init(&clean->lag);
    clean->output = output;
    clean->user = user;
    if (!open_stages(clean)) {
        g_free(clean);
        return NULL;
    }
    return clean;
}

void media_clean_destroy(MediaClean *clean) {
    if (clean != NULL) {
        media_stage_destroy(clean->canceller);
        media_stage_destroy(clean->probe);
        g_free(clean);
    }
}

/*
 * When the piece was captured: that cannot be later than now, though a source that lost samples on
 * a busy machine may say so from then on, until it sets its time back.
 */
static guint64 captured_us(MediaClean *clean, GstClockTime base, GstClockTime now) {
    GstClockTimeDiff gap = GST_CLOCK_DIFF(clean->next, clean->time);
    GstClockTime end = clean->time + base + PIECE_TIME;
    if (gap < -(GstClockTimeDiff)PIECE_TIME) {
        clean->fast = 0;
    }
    if (end > now + clean->fast) {
        clean->fast = end - now;
    }
    clean->next = clean->time + PIECE_TIME;
    return (clean->time + base - clean->fast) / GST_USECOND;
}

static void follow(MediaClean *clean, guint64 place) {
    gint64 off = (gint64)(place - clean->place);
    if (off > JUMP_SAMPLES || off < -JUMP_SAMPLES) {
        clean->place = place;
    } else if (off > SLACK_SAMPLES) {
        clean->place++;
    } else if (off < -SLACK_SAMPLES) {
        clean->place--;
    }
}

static void push_piece(MediaStage *stage, const gint16 *samples) {
    GstBuffer *buffer = gst_buffer_new_memdup(samples, PIECE * sizeof(*samples));
    media_stage_push(stage, buffer, PIECE_TIME);
}

/* Where the echo really comes: all that is known from before is then of another place. */
static void correct(MediaClean *clean, const gint16 *heard) {
    int lag = 0;
    if (!media_lag_push(&clean->lag, heard, clean->samples, &lag)) {
        return;
    }
    gint64 off = lag - LEAD_SAMPLES;
    gint64 late = CLAMP(clean->late + off, -LATE_SAMPLES, LATE_SAMPLES);
    if ((off > RIGHT_SAMPLES || off < -RIGHT_SAMPLES) && late != clean->late) {
        clean->place -= (guint64)(late - clean->late);
        clean->late = late;
        media_lag_init(&clean->lag);
    }
}

static void clean_piece(MediaClean *clean, GstClockTime base, GstClockTime now) {
    gint16 heard[PIECE] = {0};
    if (clean->heard != NULL && GST_CLOCK_TIME_IS_VALID(clean->time) &&
        GST_CLOCK_TIME_IS_VALID(base)) {
        guint64 captured = media_heard_place(captured_us(clean, base, now));
        follow(clean, captured + LEAD_SAMPLES - (guint64)clean->late);
        media_heard_read(clean->heard, clean->place, heard, PIECE);
    }
    clean->place += PIECE;
    correct(clean, heard);
    push_piece(clean->probe, heard);
    push_piece(clean->canceller, clean->samples);
    clean->pending = 0;
}

void media_clean_push(MediaClean *clean, const gint16 *samples, gsize count, GstClockTime time,
                      GstClockTime base, GstClockTime now) {
    while (count > 0) {
        gsize part = MIN(count, PIECE - clean->pending);
        if (clean->pending == 0) {
            clean->time = time;
        }
        memcpy(clean->samples + clean->pending, samples, part * sizeof(*samples));
        clean->pending += part;
        samples += part;
        count -= part;
        if (GST_CLOCK_TIME_IS_VALID(time)) {
            time += gst_util_uint64_scale(part, GST_SECOND, RATE);
        }
        if (clean->pending == PIECE) {
            clean_piece(clean, base, now);
        }
    }
}
