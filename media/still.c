/* SPDX-License-Identifier: MPL-2.0 */
#include "media/still.h"

#include <stdlib.h>

/* One part so different is a change, or so many parts a little different. */
#define PART_CHANGED  16
#define PART_TOUCHED  6
#define TOUCHED_PARTS (MEDIA_STILL_ROWS * MEDIA_STILL_COLUMNS / 50)

/* A still should arrive within this at the rate it may use; unchanged for REFINE_MS, it is sent
   once more, finer: so a lost one is mended too. */
#define ARRIVE_MS    4000
#define REFINE_MS    15000
#define REFINE_TIMES 3

/* Less than the first shows nothing, more than the second does not fit a frame of the network. */
#define BYTES_LEAST 1500
#define BYTES_MOST  48000

/* However fast the line: faster is what video is for. */
#define INTERVAL_MS 1000

#define LIFE_MS_LEAST 4000
#define LIFE_MS_MOST  10000

void media_still_sketch(const uint8_t *luma, size_t stride, unsigned width, unsigned height,
                        MediaStillSketch *ret_sketch) {
    for (unsigned row = 0; row < MEDIA_STILL_ROWS; row++) {
        unsigned top = row * height / MEDIA_STILL_ROWS,
                 bottom = (row + 1) * height / MEDIA_STILL_ROWS;
        for (unsigned column = 0; column < MEDIA_STILL_COLUMNS; column++) {
            unsigned left = column * width / MEDIA_STILL_COLUMNS;
            unsigned right = (column + 1) * width / MEDIA_STILL_COLUMNS;
            uint64_t sum = 0;
            for (unsigned y = top; y < bottom; y++) {
                for (unsigned x = left; x < right; x++) {
                    sum += luma[y * stride + x];
                }
            }
            ret_sketch->mean[row][column] = (uint8_t)(sum / ((bottom - top) * (right - left)));
        }
    }
}

bool media_still_differs(const MediaStillSketch *one, const MediaStillSketch *other) {
    unsigned touched = 0;
    for (unsigned row = 0; row < MEDIA_STILL_ROWS; row++) {
        for (unsigned column = 0; column < MEDIA_STILL_COLUMNS; column++) {
            int off = abs(one->mean[row][column] - other->mean[row][column]);
            touched += off >= PART_TOUCHED;
            if (off >= PART_CHANGED || touched > TOUCHED_PARTS) {
                return true;
            }
        }
    }
    return false;
}

uint32_t media_still_due(const MediaStill *still, const MediaStillSketch *now, uint64_t now_ms,
                         uint32_t rate_bps) {
    uint64_t since_ms = now_ms - still->sent_ms;
    uint64_t bytes = (uint64_t)rate_bps * ARRIVE_MS / 8000;
    if (rate_bps == 0 ||
        (still->state != MEDIA_STILL_NONE &&
         (since_ms < INTERVAL_MS || since_ms < (uint64_t)still->size * 8000 / rate_bps))) {
        return 0;
    }
    bool changed = still->state == MEDIA_STILL_NONE || media_still_differs(&still->last, now);
    bool refine = !changed && still->state == MEDIA_STILL_ROUGH && since_ms >= REFINE_MS;
    if (!changed && !refine && !still->asked) {
        return 0;
    }
    /* The first one finds a line that is used to less, and a voice that is not used to waiting. */
    bytes = still->state == MEDIA_STILL_NONE ? bytes / 2 : refine ? bytes * REFINE_TIMES : bytes;
    return (uint32_t)(bytes < BYTES_LEAST ? BYTES_LEAST : bytes > BYTES_MOST ? BYTES_MOST : bytes);
}

void media_still_sent(MediaStill *still, const MediaStillSketch *sketch, uint64_t now_ms,
                      uint32_t size) {
    bool same = still->state != MEDIA_STILL_NONE && !media_still_differs(&still->last, sketch);
    /* What was only asked for again may still be refined. */
    still->state = same && (!still->asked || still->state == MEDIA_STILL_REFINED)
                       ? MEDIA_STILL_REFINED
                       : MEDIA_STILL_ROUGH;
    still->asked = false;
    still->last = *sketch;
    still->sent_ms = now_ms;
    still->size = size;
}

uint16_t media_still_life_ms(uint32_t size, uint32_t rate_bps) {
    uint64_t life_ms = rate_bps > 0 ? (uint64_t)size * 3 * 8000 / rate_bps : LIFE_MS_MOST;
    return (uint16_t)(life_ms < LIFE_MS_LEAST  ? LIFE_MS_LEAST
                      : life_ms > LIFE_MS_MOST ? LIFE_MS_MOST
                                               : life_ms);
}
