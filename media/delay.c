/* SPDX-License-Identifier: MPL-2.0 */
#include "media/delay.h"

#include <string.h>

#include "media/jitter.h"

#define WINDOW_US 5000000

/* So many of the frames remembered may come later than the delay; of few frames, such as pictures,
   a tenth. */
#define LATE_FRAMES    2.0f
#define QUANTILE_LEAST 0.9f

/* Up to that delay all are waited for but 2 in 1000 of those of this window and the one before; one
   alone may have been this machine, busy for a moment. */
#define RARE_WINDOW_US 12000000
#define RARE_US_MAX    200000
#define RARE_PERMILLE  2

void media_delay_reset(MediaDelay *delay, int64_t lead_us) {
    memset(delay, 0, sizeof(*delay));
    delay->lead_us = lead_us;
    delay->target_us = MEDIA_JITTER_DELAY_US_MIN;
}

static void update_least(MediaDelay *delay, int64_t transit_us, uint64_t arrival_us) {
    if (!delay->known) {
        delay->known = true;
        delay->least_us = transit_us;
        delay->least_last_us = transit_us;
        delay->window_end_us = arrival_us + WINDOW_US;
        return;
    }
    if (arrival_us >= delay->window_end_us) {
        delay->least_last_us = delay->least_us;
        delay->least_us = transit_us;
        delay->window_end_us = arrival_us + WINDOW_US;
    }
    if (transit_us < delay->least_us) {
        delay->least_us = transit_us;
    }
}

/* The bucket by which most have come. */
static int usual(const MediaDelay *delay, uint32_t memory) {
    float sum = 0, wanted = 1 - LATE_FRAMES / (float)memory;
    wanted = wanted > QUANTILE_LEAST ? wanted : QUANTILE_LEAST;
    int bucket = 0;
    while (bucket < MEDIA_DELAY_BUCKETS - 1) {
        sum += delay->weights[bucket];
        if (sum >= wanted) {
            break;
        }
        bucket++;
    }
    return bucket;
}

/* That one, or a later one by which nearly all have come, as far as that is no trouble. */
static int worthwhile(const MediaDelay *delay, int least) {
    uint32_t all = 0, later = 0;
    int bucket = MEDIA_DELAY_BUCKETS;
    for (int i = 0; i < MEDIA_DELAY_BUCKETS; i++) {
        all += delay->counts[0][i] + delay->counts[1][i];
    }
    while (bucket > least + 1) {
        bucket--;
        uint32_t here = delay->counts[0][bucket] + delay->counts[1][bucket];
        later += bucket < RARE_US_MAX / MEDIA_DELAY_BUCKET_US ? here : 0;
        if (later > 1 && later * 1000 > all * RARE_PERMILLE) {
            return bucket;
        }
    }
    return least;
}

static void update_target(MediaDelay *delay, uint32_t memory) {
    int bucket = worthwhile(delay, usual(delay, memory));
    int64_t target_us = (bucket + 1) * INT64_C(1) * MEDIA_DELAY_BUCKET_US + delay->lead_us;
    if (target_us < MEDIA_JITTER_DELAY_US_MIN) {
        target_us = MEDIA_JITTER_DELAY_US_MIN;
    }
    if (target_us > MEDIA_JITTER_DELAY_US_MAX) {
        target_us = MEDIA_JITTER_DELAY_US_MAX;
    }
    delay->target_us = target_us;
}

/* Adds a frame to the fading histogram. */
static void fade(MediaDelay *delay, uint32_t memory, int64_t bucket) {
    delay->samples = delay->samples < memory ? delay->samples + 1 : memory;
    float share = 1.0f / (float)delay->samples;
    for (int i = 0; i < MEDIA_DELAY_BUCKETS; i++) {
        delay->weights[i] *= 1.0f - share;
    }
    delay->weights[bucket] += share;
}

/* And to that of the window. */
static void count(MediaDelay *delay, uint64_t arrival_us, int64_t bucket) {
    if (arrival_us >= delay->counts_end_us) {
        memcpy(delay->counts[1], delay->counts[0], sizeof(delay->counts[1]));
        memset(delay->counts[0], 0, sizeof(delay->counts[0]));
        delay->counts_end_us = arrival_us + RARE_WINDOW_US;
    }
    if (delay->counts[0][bucket] < UINT16_MAX) {
        delay->counts[0][bucket]++;
    }
}

/* Whether it is late, and came sooner after another late one than it was spoken after it. */
static bool bunched(MediaDelay *delay, int64_t excess_us, uint64_t arrival_us,
                    uint32_t duration_us) {
    if (excess_us <= delay->target_us - delay->lead_us) {
        return false;
    }
    bool found = delay->late_us != 0 && arrival_us - delay->late_us < duration_us / 2;
    delay->late_us = arrival_us;
    return found;
}

void media_delay_add(MediaDelay *delay, int64_t transit_us, uint64_t arrival_us,
                     uint32_t duration_us, uint32_t memory) {
    update_least(delay, transit_us, arrival_us);
    int64_t excess_us = media_delay_excess_us(delay, transit_us);
    int64_t bucket = excess_us / MEDIA_DELAY_BUCKET_US;
    if (bunched(delay, excess_us, arrival_us, duration_us) || bucket >= MEDIA_DELAY_BUCKETS) {
        return; /* no delay helps against it */
    }
    fade(delay, memory, bucket);
    count(delay, arrival_us, bucket);
    update_target(delay, memory);
}

int64_t media_delay_base_us(const MediaDelay *delay) {
    return delay->least_us < delay->least_last_us ? delay->least_us : delay->least_last_us;
}

int64_t media_delay_target_us(const MediaDelay *delay) {
    return delay->target_us;
}

int64_t media_delay_excess_us(const MediaDelay *delay, int64_t transit_us) {
    return delay->known ? transit_us - media_delay_base_us(delay) : 0;
}
