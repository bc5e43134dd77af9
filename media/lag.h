/* SPDX-License-Identifier: MPL-2.0 */
/*
 * How much later than it was told a sound reaches the microphone: the time a sound card gives is
 * not always true, least of all by radio.
 * It owns the last second and a half of both, at a rate that is enough to compare them. It never
 * guesses: it answers when the same lag was plainest twice in a row.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What goes in at a time, 10 ms at 48 kHz, and what is found: from 300 ms before to 300 ms after.
 */
#define MEDIA_LAG_PIECE 480
#define MEDIA_LAG_STEP  24 /* samples at 48 kHz, of a lag: half a millisecond */
#define MEDIA_LAG_FIRST (-600)
#define MEDIA_LAG_COUNT 1201 /* so many steps */

#define MEDIA_LAG_WINDOW  2200 /* compared at once */
#define MEDIA_LAG_HISTORY (MEDIA_LAG_WINDOW + MEDIA_LAG_COUNT - 1)

typedef struct {
    size_t count;
    float told[MEDIA_LAG_HISTORY];
    float captured[MEDIA_LAG_HISTORY];
    float likeness[MEDIA_LAG_COUNT]; /* of late, at each lag */
    int before;                      /* the plainest lag last time; MEDIA_LAG_COUNT: none */
    float told_edge, captured_edge;  /* the last step of each */
} MediaLag;

void media_lag_init(MediaLag *lag);

/*
 * Takes what is told to be played and what was captured meanwhile. True, about once a second while
 * there is an echo, with how much later it comes, in samples at 48 kHz.
 */
bool media_lag_push(MediaLag *lag, const int16_t told[MEDIA_LAG_PIECE],
                    const int16_t captured[MEDIA_LAG_PIECE], int *ret_samples);
