/* SPDX-License-Identifier: MPL-2.0 */
/*
 * How long the jitter buffer should wait, from how long frames took.
 * It owns the least transit of the last seconds and what frames took more: a fading histogram for
 * what most of them took, and two plain ones, of this and of the former window, for what few did.
 * It never knows a frame: transits are arrival less media time, microseconds, of any origin.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define MEDIA_DELAY_BUCKETS   160
#define MEDIA_DELAY_BUCKET_US 5000

typedef struct {
    bool known;
    int64_t least_us;      /* in the current window */
    int64_t least_last_us; /* in the one before */
    uint64_t window_end_us;
    uint32_t samples;
    float weights[MEDIA_DELAY_BUCKETS];
    uint16_t counts[2][MEDIA_DELAY_BUCKETS]; /* in the current window, and in the one before */
    uint64_t counts_end_us;
    uint64_t late_us; /* when the last frame came that was later than wanted; 0: none */
    int64_t lead_us;
    int64_t target_us;
} MediaDelay;

/* `lead_us`: how long before it is due a frame may be asked for. */
void media_delay_reset(MediaDelay *delay, int64_t lead_us);

/* Adds the transit of a frame of that duration that arrived at `arrival_us`. A frame's weight fades
   to a third in `memory` frames, at least 1. Late frames that come in a bunch, as after an outage,
   were held up once: the first of them counts. */
void media_delay_add(MediaDelay *delay, int64_t transit_us, uint64_t arrival_us,
                     uint32_t duration_us, uint32_t memory);

/* The transit without jitter. The window of 5 to 10 s also follows clocks that drift. */
int64_t media_delay_base_us(const MediaDelay *delay);

/* The delay beyond the base that all but two of the frames remembered need, or a tenth of them, the
   lead included; and up to 200 ms, what all but 2 in 1000 do, since a voice repaired that late is
   still no trouble to a conversation. */
int64_t media_delay_target_us(const MediaDelay *delay);

/* How much longer than the base this transit is; 0 before any. */
int64_t media_delay_excess_us(const MediaDelay *delay, int64_t transit_us);
