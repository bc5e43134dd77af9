/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What is played, set aside for a recording until the main loop takes it away.
 * It owns the last two seconds of samples, and counts from the recording's beginning. It never
 * waits: what is not taken in time is lost, and the counting goes on, so that the gap is seen.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEDIA_TAP_SAMPLES 96000

typedef struct {
    bool open;
    uint32_t first; /* number of the oldest sample held */
    uint32_t count;
    int16_t samples[MEDIA_TAP_SAMPLES]; /* a ring: sample n at n % MEDIA_TAP_SAMPLES */
} MediaTap;

/* The next sample is number 0. */
void media_tap_open(MediaTap *tap);
/* Nothing more comes; what is held may still be taken. */
void media_tap_close(MediaTap *tap);
/* Does nothing while it is closed. */
void media_tap_add(MediaTap *tap, const int16_t *samples, size_t count);
/* Up to `count` samples, the oldest first; returns how many, and the number of the first. */
size_t media_tap_take(MediaTap *tap, int16_t *ret_samples, size_t count, uint32_t *ret_first);
