/* SPDX-License-Identifier: MPL-2.0 */
/*
 * This node's own live streams, voice and video: each frame sealed from end to end under a key of
 * its stream, and pushed to those who pass it on.
 * It owns them. It never keeps a frame, and knows nothing of the streams of others (stream.h).
 */
#pragma once

#include "mesh/overlay/feed.h"
#include "mesh/overlay/frame.h"

#define LIVE_KINDS 4 /* by MeshStreamKind; 0 is unused */

typedef enum {
    LIVE_OFF,
    LIVE_READY, /* told to nobody before its first frame, whose number the others need */
    LIVE_SENDING,
} LiveState;

typedef struct {
    LiveState state;
    uint8_t id[FRAME_STREAM_ID_SIZE];
    uint8_t epoch_key[ENTRY_KEY_ID_SIZE];
    FrameKeys keys;
    uint8_t name;    /* on all links */
    uint32_t number; /* of the last frame, */
    uint32_t time_ms;
    uint64_t keyframe_us; /* when a keyframe was last sent or asked for; 0: never */
    uint64_t wanted_us;   /* when to ask for one that somebody lacks; UINT64_MAX: nobody does */
    FeedLoad load;
} LiveOwn;

typedef struct {
    LiveOwn own[LIVE_KINDS];
} Live;

void live_finish(Mesh *mesh);
MeshError live_start(Mesh *mesh, MeshStreamKind kind);
void live_stop(Mesh *mesh, MeshStreamKind kind);
/* A frame of our own; the first one begins the stream. STATE when it does not run. */
MeshError live_frame(Mesh *mesh, const MeshFrame *frame);
/* Tells a neighbour of the streams that run. */
void live_greet(Mesh *mesh, uint32_t slot);
/* Another epoch key counts now: our streams begin anew under it. */
void live_epoch_changed(Mesh *mesh);
/* The same of one of them, if it runs. */
void live_tell(Mesh *mesh, Neighbour *neighbour, MeshStreamKind kind);
/* The one that has this name on the links; NULL. */
const LiveOwn *live_named(const Mesh *mesh, uint8_t name);
/* A neighbour wants to be told of the stream of that name, and a keyframe; UNKNOWN. */
MeshError live_keyframe_wanted(Mesh *mesh, uint32_t slot, uint8_t name);
