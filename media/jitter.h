/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The jitter buffer: turns frames that arrive when they can into frames that are due.
 * It owns the frames not yet due, the delay that hides the line's jitter, and the counters.
 * It never reads a clock, decodes or plays: times are arguments, in microseconds of one clock.
 *
 * `position` is the media time played next. A frame's transit is its arrival less the media time of
 * its end, of a picture of its beginning;
 * the least transit of the last seconds is the line without jitter, and the delay above it is what
 * all but a few frames took more. The delay changes where nobody hears it: at once in a
 * pause, by a frame skipped or a concealment added where the speaker is quiet.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define MEDIA_JITTER_FRAMES_MAX 128

/* The bounds of the delay, microseconds. The least is what an ordinary machine under load, whose
   processes wait for their turn, needs to play without a gap. */
#define MEDIA_JITTER_DELAY_US_MIN 20000
#define MEDIA_JITTER_DELAY_US_MAX 800000

typedef struct MediaJitter MediaJitter;

typedef void (*MediaJitterFree)(void *payload);

typedef enum {
    /* Voice: one unbroken line of sound, gaps are concealed. */
    MEDIA_JITTER_CONTINUOUS,
    /* Video: each frame when it is due, gaps are only counted. */
    MEDIA_JITTER_SEPARATE,
} MediaJitterMode;

typedef struct {
    uint32_t number;
    uint32_t media_time_ms;
    uint16_t duration_ms;
    uint8_t flags; /* MediaFlag */
    uint8_t level; /* -dBov */
    void *payload;
} MediaJitterFrame;

typedef enum {
    MEDIA_JITTER_PLAY,    /* the frame */
    MEDIA_JITTER_CONCEAL, /* invent `duration_ms` from what came before */
    MEDIA_JITTER_WAIT,    /* nothing to play before `wait_us` from now, or the next put */
} MediaJitterAction;

#define MEDIA_JITTER_FOREVER UINT64_MAX

typedef struct {
    MediaJitterAction action;
    MediaJitterFrame frame; /* PLAY: the payload is the caller's from now on */
    uint16_t duration_ms;   /* PLAY and CONCEAL */
    bool gap_before;        /* PLAY: this is not the number after the last frame played */
    uint64_t wait_us;       /* WAIT */
} MediaJitterStep;

/* As in MediaStats; frames = in_time + late + lost. */
typedef struct {
    uint32_t in_time;
    uint32_t late;
    uint32_t lost;
    uint32_t concealed;
    uint32_t duplicates; /* arrived more than once */
    uint32_t skipped;    /* quiet frames dropped to shorten the delay; they are in time */
    uint32_t wait_us;    /* from arrival to play, of the last frames */
    uint32_t target_us;  /* the delay wanted */
} MediaJitterCounters;

/* `free_payload` frees what is put and never played. */
MediaJitter *media_jitter_create(MediaJitterMode mode, MediaJitterFree free_payload);
void media_jitter_destroy(MediaJitter *jitter);

/*
 * Adds a frame that arrived at `arrival_us`, and takes over its payload whatever happens.
 * Returns true when it was kept, false when it was late, a duplicate or implausible.
 */
bool media_jitter_put(MediaJitter *jitter, const MediaJitterFrame *frame, uint64_t arrival_us);

/*
 * Accounts for a frame that is shown as it comes, whatever is due: a still. What came before it is
 * not played any more. False when something newer was played, or it came already: it is late then.
 */
bool media_jitter_pass(MediaJitter *jitter, const MediaJitterFrame *frame);

/*
 * What to play at `now_us`, which never goes back. In continuous mode the caller asks again when
 * that has been played; in separate mode until WAIT.
 */
MediaJitterStep media_jitter_take(MediaJitter *jitter, uint64_t now_us);

MediaJitterCounters media_jitter_counters(const MediaJitter *jitter);
