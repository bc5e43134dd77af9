/* SPDX-License-Identifier: MPL-2.0 */
#include "media/capture.h"

#include <glib.h>

#include "media/channel.h"
#include "media/clean.h"
#include "media/devices.h"
#include "media/process.h"
#include "media/track.h"

#define KINDS (MEDIA_KIND_SCREEN + 1)

#define UNCLEANED                                                                                  \
    "the microphone keeps its echo: install gstreamer1.0-plugins-bad, or use a headset"

typedef struct {
    GMainLoop *loop;
    MediaChannel *channel;
    MediaUplink line;
    MediaSave save;
    gboolean meter; /* somebody watches how loud the microphone is */
    const MediaHeard *heard;
    gboolean warned; /* that nothing cleans a microphone */
    MediaTrack *tracks[KINDS];
    MediaRung told[KINDS]; /* what was last said of each; of none: no kind */
} Capture;

static void on_started(MediaKind kind, void *user) {
    Capture *capture = user;
    media_channel_send(capture->channel, &(MediaMessage){.type = MEDIA_STARTED, .kind = kind});
}

static void on_frame(const MediaFrame *frame, void *user) {
    Capture *capture = user;
    media_channel_send(capture->channel, &(MediaMessage){.type = MEDIA_FRAME, .frame = *frame});
}

static void on_loudness(const MediaLoudness *loudness, void *user) {
    Capture *capture = user;
    MediaMessage message = {.type = MEDIA_LOUDNESS, .loudness = *loudness};
    media_channel_send(capture->channel, &message);
}

static void on_device(const MediaDevice *device, void *user) {
    Capture *capture = user;
    media_channel_send(capture->channel, &(MediaMessage){.type = MEDIA_DEVICE, .device = *device});
}

static void on_ended(MediaKind kind, const char *reason, void *user) {
    Capture *capture = user;
    media_channel_say(capture->channel, MEDIA_ENDED, kind, "%s", reason != NULL ? reason : "");
    g_clear_pointer(&capture->tracks[kind], media_track_destroy);
    capture->told[kind] = (MediaRung){0};
}

static void stop(Capture *capture, MediaKind kind) {
    if (capture->tracks[kind] != NULL) {
        on_ended(kind, NULL, capture);
    }
}

/* What a person may want to know: not how a rate wavers. */
static void tell(Capture *capture, const MediaRung *rung) {
    MediaRung *told = &capture->told[rung->kind];
    if (told->kind != rung->kind || told->codec != rung->codec || told->height != rung->height ||
        told->packet_ms != rung->packet_ms || told->bitrate_bps != rung->bitrate_bps ||
        told->reason != rung->reason) {
        *told = *rung;
        media_channel_send(capture->channel, &(MediaMessage){.type = MEDIA_RUNG, .rung = *rung});
    }
}

/* Voice first; a screen is there to be read, so it comes before a face. */
static void share_line(Capture *capture) {
    static const MediaKind order[] = {MEDIA_KIND_VOICE, MEDIA_KIND_SCREEN, MEDIA_KIND_VIDEO};
    guint32 reserved_bps = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(order); i++) {
        MediaTrack *track = capture->tracks[order[i]];
        if (track != NULL) {
            MediaRung rung;
            reserved_bps +=
                media_track_uplink(track, &capture->line, reserved_bps, capture->save, &rung);
            tell(capture, &rung);
        }
    }
}

/* Once: it is the same for every microphone of this machine. */
static void warn(Capture *capture, const MediaTrack *track) {
    if (media_track_is_raw(track) && !capture->warned) {
        capture->warned = TRUE;
        media_channel_say(capture->channel, MEDIA_ERROR, MEDIA_KIND_NONE, "%s", UNCLEANED);
    }
}

static void start(Capture *capture, const MediaStart *start) {
    g_autoptr(GError) error = NULL;
    g_autofree char *source = g_strndup(start->source.data, start->source.length);
    MediaTrackHandler handler = {on_started, on_frame, on_ended, capture, on_loudness};
    stop(capture, start->kind);
    MediaTrack *track =
        media_track_create(start->kind, source, start->profile, capture->heard, handler, &error);
    if (track == NULL) {
        media_channel_say(capture->channel, MEDIA_ERROR, start->kind, "%s", error->message);
        return;
    }
    capture->tracks[start->kind] = track;
    warn(capture, track);
    media_track_meter(track, capture->meter);
    share_line(capture);
}

static void meter(Capture *capture, gboolean on) {
    capture->meter = on;
    if (capture->tracks[MEDIA_KIND_VOICE] != NULL) {
        media_track_meter(capture->tracks[MEDIA_KIND_VOICE], on);
    }
}

static void on_message(const MediaMessage *message, void *user) {
    Capture *capture = user;
    switch (message->type) {
    case MEDIA_START:
        start(capture, &message->start);
        break;
    case MEDIA_STOP:
        if (message->kind == MEDIA_KIND_NONE) {
            g_main_loop_quit(capture->loop);
        } else {
            stop(capture, message->kind);
        }
        break;
    case MEDIA_UPLINK:
        capture->line = message->uplink;
        share_line(capture);
        break;
    case MEDIA_SAVE:
        capture->save = message->save;
        share_line(capture);
        break;
    case MEDIA_KEYFRAME:
        if (capture->tracks[message->keyframe.kind] != NULL) {
            media_track_keyframe(capture->tracks[message->keyframe.kind]);
        }
        break;
    case MEDIA_METER:
        meter(capture, message->meter);
        break;
    case MEDIA_DEVICES:
        media_devices_find(on_device, capture);
        break;
    case MEDIA_STREAM_OPEN:
    case MEDIA_FRAME:
    case MEDIA_STREAM_CLOSE:
    case MEDIA_READY:
    case MEDIA_STATS:
    case MEDIA_RUNG:
    case MEDIA_RECORD:
    case MEDIA_MIX:
    case MEDIA_LOUDNESS:
    case MEDIA_DEVICE:
    case MEDIA_ECHO:
    case MEDIA_STARTED:
    case MEDIA_ENDED:
    case MEDIA_ERROR:
        /* Not for this role. */
        break;
    }
}

static void on_closed(void *user) {
    g_main_loop_quit(((Capture *)user)->loop);
}

int media_capture_run(const char *endpoint, const MediaHeard *heard) {
    g_autoptr(GError) error = NULL;
    Capture capture = {.loop = g_main_loop_new(NULL, FALSE), .heard = heard};
    MediaChannelHandler handler = {on_message, on_closed, &capture};
    capture.channel = media_channel_create(endpoint, handler, &error);
    if (capture.channel != NULL) {
        MediaMessage echo = {.type = MEDIA_ECHO,
                             .cancelled = heard != NULL && media_clean_possible()};
        media_channel_say(capture.channel, MEDIA_READY, MEDIA_KIND_NONE, "capture");
        media_channel_send(capture.channel, &echo);
        media_process_watch(capture.loop);
        g_main_loop_run(capture.loop);
        media_process_unwatch();
        media_devices_end();
        for (MediaKind kind = MEDIA_KIND_VOICE; kind < KINDS; kind++) {
            stop(&capture, kind);
        }
        media_channel_say(capture.channel, MEDIA_ENDED, MEDIA_KIND_NONE, "stopped");
    } else {
        g_printerr("maillon-media: %s\n", error->message);
    }
    int status = capture.channel != NULL ? 0 : 1;
    media_channel_destroy(capture.channel);
    g_main_loop_unref(capture.loop);
    return status;
}
