/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A voice as the core sees it: a frame every 60 ms from who speaks, and what each listener hears.
 * It owns a speaker's count and a listener's. It never encodes: a frame's bytes say whose it is,
 * which, and when it was spoken.
 */
#pragma once

#include "tests/sim/world.h"

#define VOICE_FRAME_MS 60

typedef struct Voice Voice;

/* What a node hears of one other, since ear_reset. */
typedef struct {
    GHashTable *streams; /* open ones: number → set of the numbers of frames heard */
    unsigned opened;     /* streams, ever */
    uint64_t frames;
    uint64_t late; /* of them, more than half a second after they were spoken */
    uint64_t delay_us_sum, delay_us_max;
    uint64_t heard_us;   /* the last of them, */
    uint64_t gap_us_max; /* and the longest between two */
    GArray *delays_us;   /* of each frame, uint64_t; NULL: none came */
    void (*listen)(gpointer listener, const MeshFrame *frame); /* NULL: nobody */
    gpointer listener;
} Ear;

Voice *voice_create(void);
void voice_destroy(Voice *voice);

/* Begins to speak, with frames of so many bytes, or ends. */
void voice_speak(Node *node, size_t frame_size);
void voice_end(Node *node);
/* How loud it is from now on, in -dBov. */
void voice_level(Node *node, uint8_t level);
bool voice_is_speaking(const Voice *voice);
/* Frames spoken in all. */
uint64_t voice_spoken(const Voice *voice);
/* The node is gone. */
void voice_stop(Node *node);

/* STREAM_OPEN, STREAM_CLOSE or FRAME: checks it and counts it. */
void voice_hear(Node *node, const MeshEffect *effect);
/* What a node hears of another, made when first asked for. Borrowed. */
Ear *voice_ear(Node *node, unsigned speaker);
void ear_reset(Ear *ear);
/* NULL-safe. */
void ear_destroy(Ear *ear);
