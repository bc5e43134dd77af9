/* SPDX-License-Identifier: MPL-2.0 */
/*
 * When a still picture is worth sending: it has changed, or someone asked for it, and the line has
 * had the time to carry the one before.
 * It owns what is remembered of the last one sent: a coarse sketch, its size, its time.
 * It never encodes and reads no clock: times are arguments, in milliseconds of the source.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEDIA_STILL_COLUMNS 32
#define MEDIA_STILL_ROWS    18

/* The mean luma of each of so many parts of a picture: noise goes under, what is seen stays. */
typedef struct {
    uint8_t mean[MEDIA_STILL_ROWS][MEDIA_STILL_COLUMNS];
} MediaStillSketch;

/* At least as many columns and rows as a sketch has. */
void media_still_sketch(const uint8_t *luma, size_t stride, unsigned width, unsigned height,
                        MediaStillSketch *ret_sketch);
/* Whether a person would call them two pictures. */
bool media_still_differs(const MediaStillSketch *one, const MediaStillSketch *other);

typedef enum {
    MEDIA_STILL_NONE,    /* none was sent yet */
    MEDIA_STILL_ROUGH,   /* the last one was made small, to be there soon */
    MEDIA_STILL_REFINED, /* it was followed by a finer one, as nothing changed */
} MediaStillState;

typedef struct {
    MediaStillState state;
    bool asked; /* someone needs it again */
    MediaStillSketch last;
    uint64_t sent_ms;
    uint32_t size; /* bytes of the last one */
} MediaStill;

/* Bytes that a still of this picture may take now; 0: it is not to be sent now. */
uint32_t media_still_due(const MediaStill *still, const MediaStillSketch *now, uint64_t now_ms,
                         uint32_t rate_bps);
/* It was sent, in so many bytes. */
void media_still_sent(MediaStill *still, const MediaStillSketch *sketch, uint64_t now_ms,
                      uint32_t size);
/* How long the line may take for that many bytes before they are worth nothing, ms. */
uint16_t media_still_life_ms(uint32_t size, uint32_t rate_bps);
