/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Live streams, voice and video: each frame sealed from end to end under a key of its stream.
 * It owns this node's streams and those received. It never decodes, orders or keeps a frame.
 */
#pragma once

#include "mesh/journal/entry.h"

#define LIVE_KINDS          4 /* by MeshStreamKind; 0 is unused */
#define LIVE_STREAM_ID_SIZE 16

typedef struct {
    uint8_t cipher[32];
    uint8_t tag[32];
} LiveKeys;

typedef enum {
    LIVE_OFF,
    LIVE_READY, /* told to nobody before its first frame, whose number the others need */
    LIVE_SENDING,
} LiveState;

typedef struct {
    LiveState state;
    uint8_t id[LIVE_STREAM_ID_SIZE];
    uint8_t epoch_key[ENTRY_KEY_ID_SIZE];
    LiveKeys keys;
    uint32_t number; /* of the last frame, */
    uint32_t time_ms;
    uint64_t keyframe_us; /* when a keyframe was last sent or asked for; 0: never */
    uint64_t wanted_us;   /* when to ask for one that somebody lacks; UINT64_MAX: nobody does */
} LiveOwn;

typedef enum {
    STREAM_FREE,
    STREAM_LOCKED, /* announced under an epoch key that is not here yet */
    STREAM_OPEN,
} LiveStreamState;

/* Of one neighbour at most one of each kind. */
typedef struct {
    LiveStreamState state;
    uint32_t slot;  /* of the neighbour that speaks */
    uint8_t number; /* its name for it */
    MeshStreamKind kind;
    uint8_t id[LIVE_STREAM_ID_SIZE];
    uint8_t epoch_key[ENTRY_KEY_ID_SIZE];
    uint32_t stream; /* our name for it, once open */
    LiveKeys keys;
    uint32_t last_number; /* or what was announced */
    uint32_t last_time_ms;
    uint64_t asked_us; /* when a keyframe of it was last asked for; 0: never */
} LiveStream;

typedef struct {
    LiveOwn own[LIVE_KINDS];
    LiveStream streams[MESH_STREAMS_MAX];
    uint64_t lacked_us[MESH_PEERS_MAX]; /* when one unknown here was last asked for; 0: never */
    uint32_t next_stream;
} Live;

void live_finish(Mesh *mesh);
MeshError live_start(Mesh *mesh, MeshStreamKind kind);
void live_stop(Mesh *mesh, MeshStreamKind kind);
/* A frame of our own, to everyone linked; the first one begins the stream. STATE when it does not
 * run. */
MeshError live_frame(Mesh *mesh, const MeshFrame *frame);
/* Tells a neighbour of the streams that run. */
void live_greet(Mesh *mesh, uint32_t slot);
void live_lost(Mesh *mesh, uint32_t slot);
/* An epoch key is here, or counts now: our streams begin anew under it, others' open. */
void live_epoch_changed(Mesh *mesh);

/* Asks the speaker of a stream received, named by our number, for a keyframe; once a second.
 * UNKNOWN when there is no such picture. */
MeshError live_keyframe(Mesh *mesh, uint32_t stream);

MeshError live_stream(Mesh *mesh, uint32_t slot, Bytes body);
MeshError live_stream_end(Mesh *mesh, uint32_t slot, Bytes body);
MeshError live_frame_received(Mesh *mesh, uint32_t slot, Bytes body);
MeshError live_keyframe_received(Mesh *mesh, uint32_t slot, Bytes body);
