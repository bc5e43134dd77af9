/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/link/delay.h"

#include <string.h>

#include "mesh/link/packet.h"

#define SECOND_US    1000000
#define BUCKET_US    (15 * SECOND_US)
#define TRIP_MOST_US ((uint64_t)60 * SECOND_US)
#define HALF_US      (SECOND_US / 2)
#define STEADY_US    30000 /* machines and their timers are no better */
#define JOLT_MOST_US 200000
#define JOLTS        4 /* of these, that a change must be larger than */

static uint64_t least(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static uint64_t most(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

/* ---- the least ---- */

static void low_reset(DelayLow *low, uint64_t now_us) {
    *low = (DelayLow){.delay_us = {INT64_MAX, INT64_MAX}, .since_us = now_us};
}

static void base_reset(DelayBase *base, uint64_t now_us) {
    base->kept = false;
    low_reset(&base->flight, now_us);
    low_reset(&base->trip, now_us);
}

static void low_update(DelayLow *low, uint64_t now_us, int64_t delay_us, uint32_t size, bool kept) {
    if (kept) {
        low->since_us = now_us;
    } else if (now_us - low->since_us >= 2 * BUCKET_US) {
        low_reset(low, now_us);
    } else if (now_us - low->since_us >= BUCKET_US) {
        low->delay_us[1] = low->delay_us[0];
        low->size[1] = low->size[0];
        low->delay_us[0] = INT64_MAX;
        low->since_us = now_us;
    }
    if (delay_us < low->delay_us[0]) {
        low->delay_us[0] = delay_us;
        low->size[0] = size;
    }
}

static unsigned low_which(const DelayLow *low) {
    return low->delay_us[1] < low->delay_us[0] ? 1 : 0;
}

/* What the delay of a packet of this size is over the least; a larger packet takes longer by its
 * own time on the line, which is no queue. */
static uint64_t low_excess(const DelayLow *low, int64_t delay_us, uint32_t size, uint64_t rate) {
    unsigned which = low_which(low);
    int64_t excess = delay_us - low->delay_us[which];

    if (size > low->size[which] && rate > 0) {
        excess -= (int64_t)((uint64_t)(size - low->size[which]) * SECOND_US / rate);
    }
    return excess > 0 ? (uint64_t)excess : 0;
}

/* ---- learning ---- */

static void learn_trip(Delay *delay, uint64_t now_us, const DelaySample *sample) {
    uint64_t elapsed_us = now_us - sample->sent_us;
    uint64_t held_us = least(sample->held_us, UINT8_MAX * PACKET_PACE_US);
    uint64_t rtt_us = elapsed_us > held_us ? least(elapsed_us - held_us, TRIP_MOST_US) : 1;

    delay->latest_rtt_us = rtt_us;
    if (delay->srtt_us == 0) {
        delay->srtt_us = rtt_us;
        delay->rttvar_us = rtt_us / 8; /* a probe too early costs one packet, too late the line */
    } else {
        uint64_t off = rtt_us > delay->srtt_us ? rtt_us - delay->srtt_us : delay->srtt_us - rtt_us;

        delay->rttvar_us = (3 * delay->rttvar_us + off) / 4;
        delay->srtt_us = most((7 * delay->srtt_us + rtt_us) / 8, 1);
    }
    low_update(&delay->base.trip, now_us, (int64_t)rtt_us, sample->size, delay->base.kept);
}

static uint64_t size_of(int64_t change_us) {
    return (uint64_t)(change_us > 0 ? change_us : -change_us);
}

/* A line that shakes goes up and down; a queue only goes up, or only down. */
static void learn_shake(Delay *delay, int64_t change_us, uint64_t explained_us) {
    bool turns = (change_us > 0) != (delay->change_us > 0);
    uint64_t shake = turns ? least(size_of(change_us), size_of(delay->change_us)) : 0;

    delay->shake_us = (15 * delay->shake_us + shake) / 16;
    delay->change_us = change_us;
    if (change_us > 0) {
        delay->jolt_us += size_of(change_us) - least(size_of(change_us), explained_us);
    } else if (delay->jolt_us > 0) {
        delay->rises_us[delay->rise_count++ % DELAY_RISES_SIZE] =
            (uint32_t)least(delay->jolt_us, JOLT_MOST_US);
        delay->jolt_us = 0;
    }
}

/* The flight time one way, whatever the clocks' offset; the cut clock is continued from the last.
 */
static void learn_flight(Delay *delay, uint64_t now_us, const DelaySample *sample, uint64_t rate) {
    uint16_t sent = (uint16_t)(sample->sent_us / PACKET_TICK_US);
    uint16_t cut = (uint16_t)(sample->arrival - sent);
    int16_t change = (int16_t)(uint16_t)(cut - (uint16_t)delay->flight_ticks);

    delay->flight_ticks += change;
    learn_shake(delay, delay->sample_count ? (int64_t)change * PACKET_TICK_US : 0,
                rate ? (sample->sent_total - delay->sent_total) * SECOND_US / rate : UINT64_MAX);
    delay->sent_total = sample->sent_total;
    low_update(&delay->base.flight, now_us, delay->flight_ticks * PACKET_TICK_US, sample->size,
               delay->base.kept);
}

void delay_learn(Delay *delay, uint64_t now_us, const DelaySample *sample, uint64_t rate) {
    uint64_t one_way, both;

    learn_trip(delay, now_us, sample);
    learn_flight(delay, now_us, sample, rate);
    one_way =
        low_excess(&delay->base.flight, delay->flight_ticks * PACKET_TICK_US, sample->size, rate);
    both = low_excess(&delay->base.trip, (int64_t)delay->latest_rtt_us, sample->size, rate);
    delay->own_us = (7 * delay->own_us + one_way) / 8;
    memmove(delay->samples_us + 1, delay->samples_us,
            sizeof delay->samples_us - sizeof delay->samples_us[0]);
    delay->samples_us[0] = least(one_way, both);
    delay->sample_count += delay->sample_count < DELAY_SAMPLES_SIZE;
    if (now_us - delay->half_us >= HALF_US) {
        delay->least_us[1] =
            now_us - delay->half_us < 2 * HALF_US ? delay->least_us[0] : UINT64_MAX;
        delay->least_us[0] = UINT64_MAX;
        delay->half_us = now_us;
    }
    delay->least_us[0] = least(delay->least_us[0], delay->samples_us[0]);
}

void delay_rebase(Delay *delay, uint64_t now_us, const DelaySample *sample) {
    base_reset(&delay->base, now_us);
    low_update(&delay->base.flight, now_us, delay->flight_ticks * PACKET_TICK_US, sample->size,
               false);
    low_update(&delay->base.trip, now_us, (int64_t)delay->latest_rtt_us, sample->size, false);
    delay->srtt_us = delay->latest_rtt_us;
    delay->sample_count = 0;
    delay->least_us[0] = delay->least_us[1] = UINT64_MAX;
    delay->own_us = 0;
}

void delay_init(Delay *delay, uint64_t now_us) {
    *delay = (Delay){.least_us = {UINT64_MAX, UINT64_MAX}, .half_us = now_us};
    base_reset(&delay->base, now_us);
}

/* ---- asking ---- */

uint64_t delay_latest_us(const Delay *delay) {
    return delay->sample_count ? delay->samples_us[0] : 0;
}

uint64_t delay_jolts_us(const Delay *delay) {
    uint64_t first_us = 0, second_us = 0;

    for (unsigned i = 0; i < DELAY_RISES_SIZE; i++) {
        uint64_t rise_us = delay->rises_us[i];

        second_us = most(second_us, least(first_us, rise_us));
        first_us = most(first_us, rise_us);
    }
    return second_us > STEADY_US ? second_us : 0; /* once is an accident */
}

uint64_t delay_queue_us(const Delay *delay, uint64_t sudden_us, uint64_t jolts_us) {
    uint64_t queue = UINT64_MAX;
    uint64_t sudden = least(delay->samples_us[0], delay->samples_us[1]);

    if (delay->sample_count > 1 && sudden > sudden_us + JOLTS * jolts_us) {
        return sudden; /* the line has become slower */
    }
    if (delay->sample_count == 0) {
        return 0;
    }
    if (jolts_us > least(delay->least_us[0], delay->least_us[1])) {
        return 0;
    }
    for (uint32_t i = 0; i < delay->sample_count; i++) {
        queue = least(queue, delay->samples_us[i]);
    }
    return queue > delay->shake_us ? queue - delay->shake_us : 0;
}

uint64_t delay_trip_us(const Delay *delay, uint32_t size, uint64_t rate) {
    unsigned which = low_which(&delay->base.trip);
    int64_t trip = delay->base.trip.delay_us[which];

    if (trip == INT64_MAX) {
        return delay->srtt_us;
    }
    if (size > delay->base.trip.size[which] && rate > 0) {
        trip += (int64_t)((uint64_t)(size - delay->base.trip.size[which]) * SECOND_US / rate);
    }
    /* What answers wait for on the way back is no queue of ours: it is part of the trip. */
    return most(trip > 0 ? (uint64_t)trip : 0,
                delay->srtt_us - least(delay->own_us, delay->srtt_us));
}
