/* SPDX-License-Identifier: MPL-2.0 */
#include "media/stage.h"

struct MediaStage {
    MediaStageOutput output;
    void *user;
    GstElement *element;
    GstPad *source;   /* feeds the element */
    GstPad *sink;     /* takes what it makes */
    GstCaps *caps_in; /* of what goes in */
    GstCaps *caps;    /* of what it makes, once known */
    GstClockTime position;
};

static GstFlowReturn on_buffer(GstPad *pad, GstObject *parent, GstBuffer *buffer) {
    MediaStage *stage = gst_pad_get_element_private(pad);
    if (stage->caps != NULL) {
        stage->output(buffer, stage->caps, stage->user);
    }
    gst_buffer_unref(buffer);
    return GST_FLOW_OK;
}

static gboolean on_event(GstPad *pad, GstObject *parent, GstEvent *event) {
    MediaStage *stage = gst_pad_get_element_private(pad);
    if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
        GstCaps *caps = NULL;
        gst_event_parse_caps(event, &caps);
        gst_caps_replace(&stage->caps, caps);
    }
    gst_event_unref(event);
    return TRUE;
}

/* Anything goes: a pad that says nothing takes only more of what it had, and a picture may change
   its size. */
static gboolean on_query(GstPad *pad, GstObject *parent, GstQuery *query) {
    if (GST_QUERY_TYPE(query) == GST_QUERY_ACCEPT_CAPS) {
        gst_query_set_accept_caps_result(query, TRUE);
        return TRUE;
    }
    if (GST_QUERY_TYPE(query) == GST_QUERY_CAPS) {
        GstCaps *filter = NULL;
        gst_query_parse_caps(query, &filter);
        g_autoptr(GstCaps) caps = filter != NULL ? gst_caps_ref(filter) : gst_caps_new_any();
        gst_query_set_caps_result(query, caps);
        return TRUE;
    }
    return gst_pad_query_default(pad, parent, query);
}

/* What every stream begins with; also after an error, when the element has been reset. */
static void begin(MediaStage *stage) {
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_element_set_state(stage->element, GST_STATE_PLAYING);
    gst_pad_set_active(stage->sink, TRUE);
    gst_pad_set_active(stage->source, TRUE);
    gst_pad_push_event(stage->source, gst_event_new_stream_start("maillon"));
    gst_pad_push_event(stage->source, gst_event_new_caps(stage->caps_in));
    gst_pad_push_event(stage->source, gst_event_new_segment(&segment));
}

static void end(MediaStage *stage) {
    gst_pad_set_active(stage->source, FALSE);
    gst_element_set_state(stage->element, GST_STATE_NULL);
    gst_pad_set_active(stage->sink, FALSE);
}

MediaStage *media_stage_create(GstElement *element, GstCaps *caps, MediaStageOutput output,
                               void *user) {
    MediaStage *stage = g_new0(MediaStage, 1);
    stage->output = output;
    stage->user = user;
    stage->element = gst_object_ref_sink(element);
    stage->caps_in = gst_caps_ref(caps);
    stage->source = gst_object_ref_sink(gst_pad_new("source", GST_PAD_SRC));
    stage->sink = gst_object_ref_sink(gst_pad_new("sink", GST_PAD_SINK));
    gst_pad_set_element_private(stage->sink, stage);
    gst_pad_set_chain_function(stage->sink, on_buffer);
    gst_pad_set_event_function(stage->sink, on_event);
    gst_pad_set_query_function(stage->sink, on_query);
    g_autoptr(GstPad) into = gst_element_get_static_pad(element, "sink");
    g_autoptr(GstPad) from = gst_element_get_static_pad(element, "src");
    gst_pad_link(stage->source, into);
    gst_pad_link(from, stage->sink);
    begin(stage);
    return stage;
}

void media_stage_destroy(MediaStage *stage) {
    if (stage == NULL) {
        return;
    }
    end(stage);
    gst_clear_object(&stage->element);
    gst_clear_object(&stage->source);
    gst_clear_object(&stage->sink);
    gst_clear_caps(&stage->caps_in);
    gst_clear_caps(&stage->caps);
    g_free(stage);
}

GstElement *media_stage_element(const MediaStage *stage) {
    return stage->element;
}

void media_stage_set_caps(MediaStage *stage, GstCaps *caps) {
    if (!gst_caps_is_equal(stage->caps_in, caps)) {
        gst_caps_replace(&stage->caps_in, caps);
        gst_pad_push_event(stage->source, gst_event_new_caps(caps));
    }
}

void media_stage_push(MediaStage *stage, GstBuffer *buffer, GstClockTime duration) {
    GST_BUFFER_PTS(buffer) = stage->position;
    GST_BUFFER_DTS(buffer) = GST_CLOCK_TIME_NONE;
    GST_BUFFER_DURATION(buffer) = duration;
    stage->position += duration;
    if (gst_pad_push(stage->source, buffer) != GST_FLOW_OK) {
        end(stage);
        begin(stage);
    }
}

void media_stage_gap(MediaStage *stage, GstClockTime duration) {
    gst_pad_push_event(stage->source, gst_event_new_gap(stage->position, duration));
    stage->position += duration;
}

void media_stage_wish(MediaStage *stage, GstEvent *event) {
    gst_pad_push_event(stage->sink, event);
}
