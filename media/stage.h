/* SPDX-License-Identifier: MPL-2.0 */
/*
 * One GStreamer element, driven by hand: a buffer goes in, and what it becomes comes out before
 * the call returns.
 * It owns the element and the two pads around it.
 * It never makes a thread, keeps a clock or gives up: a buffer the element refuses gives nothing.
 */
#pragma once

#include <gst/gst.h>

typedef struct MediaStage MediaStage;

/* Called for each buffer made, inside push and gap; the buffer and its caps are borrowed. */
typedef void (*MediaStageOutput)(GstBuffer *buffer, const GstCaps *caps, void *user);

/*
 * Takes over the element, which has one sink and one source pad. `caps` are those of what goes in.
 * Used by one thread at a time.
 */
MediaStage *media_stage_create(GstElement *element, GstCaps *caps, MediaStageOutput output,
                               void *user);
void media_stage_destroy(MediaStage *stage);

/* For its properties; borrowed. */
GstElement *media_stage_element(const MediaStage *stage);

/* What goes in from now on; nothing happens when it is what went in before. */
void media_stage_set_caps(MediaStage *stage, GstCaps *caps);

/* Takes over the buffer, which lasts `duration`; its times are set here. */
void media_stage_push(MediaStage *stage, GstBuffer *buffer, GstClockTime duration);

/* Tells the element that nothing came for so long. */
void media_stage_gap(MediaStage *stage, GstClockTime duration);

/* Sends an event, which is taken over, against the stream: wishes such as a keyframe. */
void media_stage_wish(MediaStage *stage, GstEvent *event);
