/* SPDX-License-Identifier: MPL-2.0 */
#include "media/track.h"

#include <gst/app/gstappsink.h>
#include <gst/gst.h>
#include <string.h>

#include "media/clean.h"
#include "media/input.h"
#include "media/leap.h"
#include "media/meter.h"
#include "media/picture.h"
#include "media/speech.h"
#include "media/words.h"

/* A source that gives nothing for so long at its beginning is none, s. */
#define FIRST_FRAME_S 8

/* With so much waiting for the line, the next still waits too, ms. */
#define STILL_WAIT_MS 500

/* Frames on their way to the main loop; more means that it hangs, and they are dropped. */
#define PARCELS_MAX 256

typedef enum {
    TRACK_OPENING, /* no frame yet */
    TRACK_RUNNING,
    TRACK_OVER, /* said so */
} TrackState;

typedef struct {
    MediaFrame frame;
    GBytes *payload;
} Parcel;

/* A source of the main loop that another thread wakes. */
typedef struct {
    GSource source;
    MediaTrack *track;
} Wake;

struct MediaTrack {
    MediaKind kind;
    MediaTrackHandler handler;
    TrackState state;
    GstElement *pipeline;
    GstElement *size; /* video: the filter that fixes width and height */
    GstElement *pace; /* video: what limits frames a second */
    MediaLeap leap;   /* the pipeline's thread's */
    gboolean microphone;
    MediaClean *clean; /* of a microphone; NULL: it stays as it is */
    MediaSpeech *speech;
    MediaPicture *picture;
    MediaVoiceRung voice;
    gboolean fixed;   /* voice that is recorded: its rung stays */
    MediaClimb climb; /* video */
    guint bus_watch;
    guint deadline;
    GSource *wake;
    GMutex lock;  /* of what follows */
    gboolean fed; /* something came from the source */
    gboolean metered;
    gboolean louder; /* the loudness below is news */
    MediaMeter meter;
    MediaLoudness loudness;
    GQueue parcels;
};

static void parcel_free(gpointer data) {
    Parcel *parcel = data;
    g_bytes_unref(parcel->payload);
    g_free(parcel);
}

/* In the pipeline's thread. */
static void on_frame(const MediaFrame *frame, void *user) {
    MediaTrack *track = user;
    Parcel *parcel = g_new(Parcel, 1);
    parcel->frame = *frame;
    parcel->payload = g_bytes_new(frame->payload.data, frame->payload.length);
    g_mutex_lock(&track->lock);
    if (track->parcels.length < PARCELS_MAX) {
        g_queue_push_tail(&track->parcels, g_steal_pointer(&parcel));
    }
    g_mutex_unlock(&track->lock);
    if (parcel != NULL) {
        parcel_free(parcel);
    } else {
        g_source_set_ready_time(track->wake, 0);
    }
}

static void deliver(MediaTrack *track) {
    g_mutex_lock(&track->lock);
    GQueue parcels = track->parcels;
    g_queue_init(&track->parcels);
    gboolean fed = track->fed;
    gboolean louder = track->louder;
    MediaLoudness loudness = track->loudness;
    track->louder = FALSE;
    g_mutex_unlock(&track->lock);
    if (louder) {
        track->handler.loudness(&loudness, track->handler.user);
    }
    if (fed && track->state == TRACK_OPENING) {
        track->state = TRACK_RUNNING;
        g_clear_handle_id(&track->deadline, g_source_remove);
        track->handler.started(track->kind, track->handler.user);
    }
    for (Parcel *parcel = g_queue_pop_head(&parcels); parcel != NULL;
         parcel = g_queue_pop_head(&parcels)) {
        gsize length = 0;
        parcel->frame.payload.data = g_bytes_get_data(parcel->payload, &length);
        track->handler.frame(&parcel->frame, track->handler.user);
        parcel_free(parcel);
    }
}

static gboolean wake_dispatch(GSource *source, GSourceFunc callback, gpointer user) {
    g_source_set_ready_time(source, -1);
    deliver(((Wake *)source)->track);
    return G_SOURCE_CONTINUE;
}

static GSource *wake_create(MediaTrack *track) {
    static GSourceFuncs functions = {NULL, NULL, wake_dispatch, NULL, NULL, NULL};
    GSource *source = g_source_new(&functions, sizeof(Wake));
    ((Wake *)source)->track = track;
    g_source_attach(source, NULL);
    return source;
}

/* What came before the end comes before the word of it; what failed at once has given nothing. */
static void end(MediaTrack *track, const char *reason) {
    if (track->state == TRACK_OVER) {
        return;
    }
    if (reason == NULL || track->state == TRACK_RUNNING) {
        deliver(track);
    }
    track->state = TRACK_OVER;
    g_clear_handle_id(&track->deadline, g_source_remove);
    track->handler.ended(track->kind, reason, track->handler.user);
}

static gboolean on_deadline(gpointer user) {
    MediaTrack *track = user;
    track->deadline = 0;
    end(track, "nothing came from it");
    return G_SOURCE_REMOVE;
}

static const char *describe(GstMessage *message) {
    g_autoptr(GError) error = NULL;
    g_autofree char *details = NULL;
    gst_message_parse_error(message, &error, &details);
    return media_words(error, details);
}

static gboolean on_bus(GstBus *bus, GstMessage *message, gpointer user) {
    MediaTrack *track = user;
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS) {
        end(track, NULL);
    } else if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
        end(track, describe(message));
    }
    return G_SOURCE_CONTINUE;
}

/* In the pipeline's thread. What came may be left out, and the source still is one. */
static void feed(MediaTrack *track) {
    g_mutex_lock(&track->lock);
    gboolean first = !track->fed;
    track->fed = TRUE;
    g_mutex_unlock(&track->lock);
    if (first) {
        g_source_set_ready_time(track->wake, 0);
    }
}

/* In the pipeline's thread too. */
static void measure(MediaTrack *track, const gint16 *samples, gsize count) {
    g_mutex_lock(&track->lock);
    gboolean news =
        track->metered && media_meter_add(&track->meter, samples, count, &track->loudness);
    track->louder |= news;
    g_mutex_unlock(&track->lock);
    if (news) {
        g_source_set_ready_time(track->wake, 0);
    }
}

static void speak(const gint16 *samples, gsize count, GstClockTime time, void *user) {
    MediaTrack *track = user;
    measure(track, samples, count);
    media_speech_push(track->speech, samples, count, time);
}

static void hear(MediaTrack *track, const gint16 *samples, gsize count, GstClockTime time) {
    if (track->clean != NULL) {
        media_clean_push(track->clean, samples, count, time,
                         gst_element_get_base_time(track->pipeline),
                         (GstClockTime)g_get_monotonic_time() * GST_USECOND);
    } else {
        speak(samples, count, time, track);
    }
}

/* Of an element, on the clock by which its buffers are due; 0 before that runs. */
static guint64 now_us(GstElement *element) {
    g_autoptr(GstClock) clock = gst_element_get_clock(element);
    GstClockTime base = gst_element_get_base_time(element);
    GstClockTime now = clock != NULL ? gst_clock_get_time(clock) : 0;
    return now > base ? (now - base) / GST_USECOND : 0;
}

/* In the pipeline's thread too: whatever its source says, a buffer is due soon. */
static GstPadProbeReturn on_buffer(GstPad *pad, GstPadProbeInfo *info, gpointer user) {
    MediaTrack *track = user;
    GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER(info);
    g_autoptr(GstElement) shaper = gst_pad_get_parent_element(pad);
    g_autoptr(GstEvent) event = gst_pad_get_sticky_event(pad, GST_EVENT_SEGMENT, 0);
    const GstSegment *segment = NULL;
    if (event == NULL || shaper == NULL || !GST_BUFFER_PTS_IS_VALID(buffer)) {
        return GST_PAD_PROBE_OK;
    }
    gst_event_parse_segment(event, &segment);
    GstClockTime time =
        gst_segment_to_running_time(segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
    if (GST_CLOCK_TIME_IS_VALID(time)) {
        guint64 lasts_us =
            GST_BUFFER_DURATION_IS_VALID(buffer) ? GST_BUFFER_DURATION(buffer) / GST_USECOND : 0;
        media_leap_due_us(&track->leap, time / GST_USECOND, lasts_us, now_us(shaper));
    }
    if (track->leap.back_us > 0) {
        buffer = gst_buffer_make_writable(buffer);
        GST_BUFFER_PTS(buffer) -= track->leap.back_us * GST_USECOND;
        GST_BUFFER_DTS(buffer) = GST_BUFFER_PTS(buffer); /* a sink waits for that first */
        GST_PAD_PROBE_INFO_DATA(info) = buffer;
    }
    return GST_PAD_PROBE_OK;
}

static GstFlowReturn on_sample(GstAppSink *sink, gpointer user) {
    MediaTrack *track = user;
    g_autoptr(GstSample) sample = gst_app_sink_pull_sample(sink);
    GstBuffer *buffer = sample != NULL ? gst_sample_get_buffer(sample) : NULL;
    GstMapInfo map;
    if (buffer == NULL) {
        return GST_FLOW_OK;
    }
    feed(track);
    if (track->picture != NULL) {
        media_picture_push(track->picture, gst_buffer_ref(buffer), gst_sample_get_caps(sample));
    } else if (gst_buffer_map(buffer, &map, GST_MAP_READ)) {
        hear(track, (const gint16 *)(gpointer)map.data, map.size / sizeof(gint16),
             GST_BUFFER_PTS(buffer));
        gst_buffer_unmap(buffer, &map);
    }
    return GST_FLOW_OK;
}

static void on_eos(GstAppSink *sink, gpointer user) {
    MediaTrack *track = user;
    if (track->speech != NULL) {
        media_speech_end(track->speech);
    }
}

static void set_size(MediaTrack *track, const MediaVideoRung *rung) {
    g_autoptr(GstCaps) caps = gst_caps_new_simple(
        "video/x-raw", "format", G_TYPE_STRING, "I420", "width", G_TYPE_INT, rung->width, "height",
        G_TYPE_INT, rung->height, "pixel-aspect-ratio", GST_TYPE_FRACTION, 1, 1, NULL);
    g_object_set(track->size, "caps", caps, NULL);
    g_object_set(track->pace, "max-rate", rung->fps, NULL);
}

static gboolean encoder_create(MediaTrack *track, MediaProfile profile, const MediaHeard *heard,
                               GError **error) {
    if (track->kind == MEDIA_KIND_VOICE) {
        track->clean = track->microphone ? media_clean_create(heard, speak, track) : NULL;
        track->voice = media_ladder_voice_first(profile);
        track->fixed = profile == MEDIA_PROFILE_RECORD;
        track->speech = media_speech_create(&track->voice, on_frame, track, error);
        return track->speech != NULL;
    }
    MediaVideoRung rung = media_climb_first(track->kind);
    track->climb = media_climb_begin(track->kind);
    track->picture = media_picture_create(track->kind, &rung, on_frame, track, error);
    if (track->picture == NULL) {
        return FALSE;
    }
    set_size(track, &rung);
    return TRUE;
}

#define SHAPE_VOICE                                                                                \
    "audioconvert ! audioresample ! "                                                              \
    "audio/x-raw,format=S16LE,layout=interleaved,channels=1,rate=48000 ! "

/*
 * What every source goes through to become what the encoder takes. Sound is cut into pieces of 10
 * ms: a file is read in blocks of up to 100, and would be spoken in bursts.
 */
static const char *shape(MediaKind kind) {
    if (kind != MEDIA_KIND_VOICE) {
        return "videorate name=pace skip-to-first=true ! videoscale ! videoconvert ! "
               "capsfilter name=size ! appsink name=output max-buffers=1 drop=true";
    }
    g_autoptr(GstElementFactory) cutter = gst_element_factory_find("audiobuffersplit");
    return cutter != NULL ? SHAPE_VOICE
               "audiobuffersplit output-buffer-duration=1/100 ! appsink name=output"
                          : SHAPE_VOICE "appsink name=output";
}

static gboolean pipeline_create(MediaTrack *track, const char *source, GError **error) {
    GstElement *input = media_input_create(track->kind, source, &track->microphone, error);
    if (input == NULL) {
        return FALSE;
    }
    track->pipeline = gst_pipeline_new(NULL);
    gst_bin_add(GST_BIN(track->pipeline), input);
    GstElement *shaper = gst_parse_bin_from_description(shape(track->kind), TRUE, error);
    if (shaper == NULL) {
        return FALSE;
    }
    gst_bin_add(GST_BIN(track->pipeline), shaper);
    if (!gst_element_link(input, shaper)) {
        g_set_error_literal(error, GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION,
                            track->kind == MEDIA_KIND_VOICE ? "it gives no sound"
                                                            : "it gives no pictures");
        return FALSE;
    }
    g_autoptr(GstPad) entry = gst_element_get_static_pad(shaper, "sink");
    gst_pad_add_probe(entry, GST_PAD_PROBE_TYPE_BUFFER, on_buffer, track, NULL);
    if (track->microphone) {
        /* The clock that the player keeps too: its sound is found by its time. */
        g_autoptr(GstClock) clock = gst_system_clock_obtain();
        gst_pipeline_use_clock(GST_PIPELINE(track->pipeline), clock);
    }
    track->size = gst_bin_get_by_name(GST_BIN(shaper), "size");
    track->pace = gst_bin_get_by_name(GST_BIN(shaper), "pace");
    return TRUE;
}

/* The first error on the bus, else a word. */
static void take_error(MediaTrack *track, GError **error) {
    g_autoptr(GstBus) bus = gst_element_get_bus(track->pipeline);
    g_autoptr(GstMessage) message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
    const char *reason = message != NULL ? describe(message) : "it cannot be started";
    g_set_error_literal(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ, reason);
}

static gboolean start(MediaTrack *track, GError **error) {
    GstAppSinkCallbacks callbacks = {.eos = on_eos, .new_sample = on_sample};
    g_autoptr(GstElement) output = gst_bin_get_by_name(GST_BIN(track->pipeline), "output");
    gst_app_sink_set_callbacks(GST_APP_SINK(output), &callbacks, track, NULL);
    GstStateChangeReturn change = gst_element_set_state(track->pipeline, GST_STATE_PAUSED);
    /* What is live paces itself; everything else is played in real time. */
    g_object_set(output, "sync", change != GST_STATE_CHANGE_NO_PREROLL, NULL);
    if (change == GST_STATE_CHANGE_FAILURE ||
        gst_element_set_state(track->pipeline, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
        take_error(track, error);
        return FALSE;
    }
    g_autoptr(GstBus) bus = gst_element_get_bus(track->pipeline);
    /* Before the frames: an error at the beginning is not preceded by the stand-in's first one. */
    track->bus_watch = gst_bus_add_watch_full(bus, G_PRIORITY_HIGH, on_bus, track, NULL);
    track->deadline = g_timeout_add_seconds(FIRST_FRAME_S, on_deadline, track);
    return TRUE;
}

MediaTrack *media_track_create(MediaKind kind, const char *source, MediaProfile profile,
                               const MediaHeard *heard, MediaTrackHandler handler, GError **error) {
    MediaTrack *track = g_new0(MediaTrack, 1);
    track->kind = kind;
    track->handler = handler;
    g_mutex_init(&track->lock);
    track->wake = wake_create(track);
    if (!pipeline_create(track, source, error) || !encoder_create(track, profile, heard, error) ||
        !start(track, error)) {
        media_track_destroy(track);
        return NULL;
    }
    return track;
}

void media_track_destroy(MediaTrack *track) {
    if (track == NULL) {
        return;
    }
    if (track->pipeline != NULL) {
        gst_element_set_state(track->pipeline, GST_STATE_NULL);
    }
    g_clear_handle_id(&track->bus_watch, g_source_remove);
    g_clear_handle_id(&track->deadline, g_source_remove);
    g_source_destroy(track->wake);
    g_source_unref(track->wake);
    gst_clear_object(&track->size);
    gst_clear_object(&track->pace);
    gst_clear_object(&track->pipeline);
    media_clean_destroy(track->clean);
    media_speech_destroy(track->speech);
    media_picture_destroy(track->picture);
    g_queue_clear_full(&track->parcels, parcel_free);
    g_mutex_clear(&track->lock);
    g_free(track);
}

static guint32 voice_uplink(MediaTrack *track, const MediaUplink *line, MediaRung *ret_rung) {
    static const MediaUplink unknown; /* leaves the rung as it is */
    MediaVoiceRung rung = media_ladder_voice(track->fixed ? &unknown : line, &track->voice);
    track->voice = rung;
    media_speech_set_rung(track->speech, &rung);
    *ret_rung = (MediaRung){.kind = track->kind,
                            .codec = rung.codec,
                            .packet_ms = rung.packet_ms,
                            .bitrate_bps = rung.bitrate_bps,
                            .wire_bps = rung.wire_bps,
                            .reason = rung.reason};
    return rung.wire_bps;
}

static MediaRung picture_told(const MediaTrack *track) {
    MediaVideoRung rung = media_climb_told(&track->climb);
    MediaRung told = {.kind = track->kind, .reason = track->climb.reason};
    if (rung.way != MEDIA_WAY_OFF) {
        told.codec = rung.way == MEDIA_WAY_STILLS ? MEDIA_CODEC_WEBP : MEDIA_CODEC_VP8;
        told.packet_ms = (guint16)(1000 / rung.fps);
        told.height = rung.height;
        told.bitrate_bps = rung.bitrate_bps;
        told.wire_bps = rung.wire_bps;
    }
    return told;
}

static guint32 picture_uplink(MediaTrack *track, const MediaUplink *line, guint32 reserved_bps,
                              MediaSave save, MediaRung *ret_rung) {
    guint before = track->climb.rung;
    track->climb.burst = media_picture_burst(track->picture);
    MediaVideoRung rung = media_climb_step(&track->climb, line, reserved_bps, save);
    MediaVideoRung used = rung;
    if (rung.way == MEDIA_WAY_STILLS && line->queue_ms > STILL_WAIT_MS) {
        used.wire_bps = 0;
    }
    media_picture_set_rung(track->picture, &used);
    if (rung.rung != before) {
        set_size(track, &rung);
    }
    *ret_rung = picture_told(track);
    return rung.wire_bps;
}

guint32 media_track_uplink(MediaTrack *track, const MediaUplink *line, guint32 reserved_bps,
                           MediaSave save, MediaRung *ret_rung) {
    return track->speech != NULL ? voice_uplink(track, line, ret_rung)
                                 : picture_uplink(track, line, reserved_bps, save, ret_rung);
}

gboolean media_track_is_raw(const MediaTrack *track) {
    return track->microphone && track->clean == NULL;
}

void media_track_keyframe(MediaTrack *track) {
    if (track->picture != NULL) {
        media_picture_keyframe(track->picture);
    }
}

void media_track_meter(MediaTrack *track, gboolean on) {
    g_mutex_lock(&track->lock);
    track->metered = on;
    track->meter = (MediaMeter){0};
    track->louder = FALSE;
    g_mutex_unlock(&track->lock);
}
