/* SPDX-License-Identifier: MPL-2.0 */
#include "media/sink.h"

#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
#include <string.h>

#include "media/voice.h"
#include "media/wav.h"

/* What the sound card holds: enough for an ordinary desktop, little enough for talk. */
#define CARD_BUFFER_US 30000
#define CARD_PERIOD_US 10000

/* Between us and the card: more than this is dropped rather than heard late. */
#define CARD_QUEUE_BYTES (MEDIA_VOICE_RATE * sizeof(gint16) / 5)

typedef enum {
    SINK_NONE,
    SINK_FILE,
    SINK_CARD,
} SinkKind;

struct MediaSink {
    SinkKind kind;
    char *description;
    MediaWav *wav;
    GstElement *pipeline;
    GstAppSrc *input;
    guint64 written; /* samples */
    GstClockTime start;
    char *card;
    MediaHeard *heard;
    GstClockTime latency; /* from the time of a sample to its sound */
};

/*
 * autoaudiosink chooses the real sink only when it is started; a "fake" one means that there is
 * none. One that a person named is there from the beginning.
 */
static void on_element(GstBin *bin, GstBin *child, GstElement *element, gpointer user) {
    MediaSink *sink = user;
    GObjectClass *class = G_OBJECT_GET_CLASS(element);
    g_autofree char *name = gst_element_get_name(element);
    if (g_object_class_find_property(class, "buffer-time") != NULL) {
        g_object_set(element, "buffer-time", (gint64)CARD_BUFFER_US, "latency-time",
                     (gint64)CARD_PERIOD_US, NULL);
        GstElementFactory *factory = gst_element_get_factory(element);
        g_free(sink->card);
        sink->card = g_strdup(factory == NULL ? name : GST_OBJECT_NAME(factory));
    } else if (g_str_has_prefix(name, "fake-")) {
        g_clear_pointer(&sink->card, g_free);
    }
}

static void card_close(MediaSink *sink) {
    if (sink->pipeline != NULL) {
        gst_element_set_state(sink->pipeline, GST_STATE_NULL);
    }
    if (sink->input != NULL) {
        gst_object_unref(sink->input);
        sink->input = NULL;
    }
    gst_clear_object(&sink->pipeline);
    sink->kind = SINK_NONE;
}

static gboolean card_open(MediaSink *sink, const char *card, GError **error) {
    g_autofree char *whole =
        g_strdup_printf("appsrc name=input ! audioconvert ! audioresample ! %s name=output", card);
    sink->pipeline = gst_parse_launch(whole, error);
    if (sink->pipeline == NULL) {
        return FALSE;
    }
    sink->input = GST_APP_SRC(gst_bin_get_by_name(GST_BIN(sink->pipeline), "input"));
    g_autoptr(GstCaps) caps =
        gst_caps_from_string("audio/x-raw,format=S16LE,layout=interleaved,channels=1,rate=48000");
    g_object_set(sink->input, "caps", caps, "format", GST_FORMAT_TIME, "is-live", TRUE, "max-bytes",
                 (guint64)CARD_QUEUE_BYTES, "leaky-type", GST_APP_LEAKY_TYPE_DOWNSTREAM, NULL);
    g_signal_connect(sink->pipeline, "deep-element-added", G_CALLBACK(on_element), sink);
    g_autoptr(GstElement) output = gst_bin_get_by_name(GST_BIN(sink->pipeline), "output");
    if (output != NULL && !GST_IS_BIN(output)) {
        on_element(GST_BIN(sink->pipeline), NULL, output, sink);
    }
    /* One clock for the mixer and the pipeline; the sound card's drift is followed by its sink. */
    g_autoptr(GstClock) clock = gst_system_clock_obtain();
    gst_pipeline_use_clock(GST_PIPELINE(sink->pipeline), clock);
    if (gst_element_set_state(sink->pipeline, GST_STATE_READY) == GST_STATE_CHANGE_FAILURE ||
        sink->card == NULL ||
        gst_element_set_state(sink->pipeline, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
        card_close(sink);
        return TRUE;
    }
    sink->start = GST_CLOCK_TIME_NONE;
    sink->kind = SINK_CARD;
    return TRUE;
}

MediaSink *media_sink_create(const char *name, gboolean go_on, MediaHeard *heard, GError **error) {
    MediaSink *sink = g_new0(MediaSink, 1);
    sink->heard = heard;
    gboolean opened = TRUE;
    if (strcmp(name, "fake") == 0) {
        sink->description = g_strdup("no sound output wanted");
    } else if (g_path_is_absolute(name)) {
        sink->wav = media_wav_create(name, go_on, error);
        opened = sink->wav != NULL;
        sink->kind = SINK_FILE;
        sink->description = g_strdup_printf("file %s", name);
    } else {
        opened = card_open(sink, strcmp(name, "auto") == 0 ? "autoaudiosink" : name, error);
        sink->description = sink->kind == SINK_CARD
                                ? g_strdup_printf("sound output (%s)", sink->card)
                                : g_strdup("no sound output on this machine, silent");
    }
    if (!opened) {
        media_sink_destroy(sink);
        return NULL;
    }
    return sink;
}

void media_sink_destroy(MediaSink *sink) {
    if (sink == NULL) {
        return;
    }
    card_close(sink);
    media_wav_destroy(sink->wav);
    g_free(sink->description);
    g_free(sink->card);
    g_free(sink);
}

const char *media_sink_description(const MediaSink *sink) {
    return sink->description;
}

guint64 media_sink_latency_us(const MediaSink *sink) {
    return sink->kind == SINK_CARD ? CARD_BUFFER_US : 0;
}

/* The card, or the server before it, says how long it holds what it is given; now and then anew. */
static void ask_latency(MediaSink *sink) {
    g_autoptr(GstQuery) query = gst_query_new_latency();
    GstClockTime least = GST_CLOCK_TIME_NONE;
    if (sink->written % MEDIA_VOICE_RATE == 0 && gst_element_query(sink->pipeline, query)) {
        gst_query_parse_latency(query, NULL, &least, NULL);
        sink->latency = GST_CLOCK_TIME_IS_VALID(least) ? least : CARD_BUFFER_US * GST_USECOND;
    }
}

/* The first sample is due at once; the rest follow it without a gap, whenever they are written. */
static gboolean card_write(MediaSink *sink, const gint16 *samples, gsize count, GError **error) {
    GstClockTime base = gst_element_get_base_time(sink->pipeline);
    g_autoptr(GstClock) clock = gst_system_clock_obtain();
    GstClockTime now = gst_clock_get_time(clock) - base;
    GstClockTime time =
        sink->start + gst_util_uint64_scale(sink->written, GST_SECOND, MEDIA_VOICE_RATE);
    /* Begins anew after the machine slept. */
    if (sink->start == GST_CLOCK_TIME_NONE || time + GST_SECOND < now || time > now + GST_SECOND) {
        sink->start = now;
        sink->written = 0;
        time = now;
    }
    if (sink->heard != NULL) {
        ask_latency(sink);
        media_heard_write(sink->heard,
                          media_heard_place((base + time + sink->latency) / GST_USECOND), samples,
                          count);
    }
    GstBuffer *buffer = gst_buffer_new_memdup(samples, count * sizeof(*samples));
    GST_BUFFER_PTS(buffer) = time;
    GST_BUFFER_DURATION(buffer) = gst_util_uint64_scale(count, GST_SECOND, MEDIA_VOICE_RATE);
    sink->written += count;
    gst_app_src_push_buffer(sink->input, buffer);
    g_autoptr(GstBus) bus = gst_element_get_bus(sink->pipeline);
    g_autoptr(GstMessage) message = NULL;
    while ((message = gst_bus_pop(bus)) != NULL) {
        if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
            gst_message_parse_error(message, error, NULL);
            card_close(sink);
            return FALSE;
        }
        g_clear_pointer(&message, gst_message_unref);
    }
    return TRUE;
}

gboolean media_sink_write(MediaSink *sink, const gint16 *samples, gsize count, GError **error) {
    switch (sink->kind) {
    case SINK_NONE:
        break;
    case SINK_FILE:
        return media_wav_write(sink->wav, samples, count, error);
    case SINK_CARD:
        return card_write(sink, samples, count, error);
    }
    return TRUE;
}
