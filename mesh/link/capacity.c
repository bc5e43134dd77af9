/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/link/capacity.h"

#define SECOND_US  1000000
#define ONE        1024             /* of a gain */
#define GAIN_FULL  (ONE - ONE / 20) /* from here on a standing queue says what is carried */
#define FASTEST    ((uint64_t)1 << 30)
#define SHAKE_JUMP 4

static uint64_t least(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static uint64_t most(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

void capacity_set(Rate *rate, uint64_t capacity) {
    rate->capacity = least(most(capacity, RATE_SLOWEST / 2), FASTEST);
    rate->highest = most(rate->highest, rate->capacity);
}

bool capacity_queue_shows(const Rate *rate) {
    return rate->delay.sample_count >= DELAY_SAMPLES_SIZE - 1 &&
           rate_queue_us(rate) > rate_target_us(rate) / 2;
}

/* What is carried, as this sample tells. */
static ArrivalsFound learn_arrival(Rate *rate, const DelaySample *sample) {
    uint64_t shake_us = most(rate->delay.shake_us, rate_jolts_us(rate));
    uint64_t jump_us = RATE_SUDDEN_QUEUE * rate_target_us(rate) + SHAKE_JUMP * shake_us;

    return arrivals_learn(&rate->arrivals, &rate->delay, sample, rate->limited_at_us,
                          rate_in_company(rate) ? UINT64_MAX : jump_us);
}

/* While packets queue, what is carried is all the line carries; unless they arrive just as they
 * left, too slowly to fill it: then what looks like a queue may be none. */
static bool tells_capacity(const Rate *rate, const ArrivalsFound *found) {
    return arrivals_grow(found) || arrivals_shrink(found) || rate->gain >= GAIN_FULL ||
           rate_in_company(rate);
}

/* Two packets in a row took much longer than the one before. */
static bool has_jumped(const Rate *rate, const ArrivalsFound *found) {
    return rate->arrivals.jumps > 0 && !found->limited;
}

/* We do not send all we might, and still it piles up: the line carries no more than what came. */
static bool piles_up(const Rate *rate, const ArrivalsFound *found) {
    return found->limited && arrivals_grow(found) && !rate_in_company(rate) &&
           rate_queue_us(rate) > RATE_SUDDEN_QUEUE * rate_target_us(rate);
}

/* A pair was spread: the line is known, keeps a packet waiting, and waits for more. */
static void learn_spread(Rate *rate, uint64_t now_us, uint64_t spread, uint32_t size) {
    rate->phase = RATE_STEADY;
    capacity_set(rate, spread);
    rate->confirmed = rate->capacity;
    rate->deepest = most(rate->deepest, size);
    rate->next_us = least(rate->next_us, now_us);
    arrivals_forget(&rate->arrivals); /* what came before was slow for want of anything to send */
}

/* What left with this packet was carried within its round trip; before the first answer all that
 * left was, since the first of it did. */
static uint64_t carried_in_trip(const Rate *rate, uint64_t now_us, const DelaySample *sample) {
    uint64_t from = sample->sent_total - sample->size;
    bool pair = sample->sent_us - least(rate->pair_us, sample->sent_us) <= RATE_BURST_US;

    if (rate->capacity == 0) {
        return sample->sent_total * SECOND_US / most(now_us - rate->begun_us, 1);
    }
    if (pair && rate->pair_total < from) {
        from = rate->pair_total;
    }
    return (sample->sent_total - from) * SECOND_US / most(now_us - sample->sent_us, 1);
}

static void learn_start(Rate *rate, uint64_t now_us, const DelaySample *sample,
                        const ArrivalsFound *found) {
    uint64_t proven = most(found->proven, carried_in_trip(rate, now_us, sample));

    if (rate->capacity == 0) {
        capacity_set(rate, proven);
    } else if (found->spread > 0 && sample->size >= rate->full / 2) {
        learn_spread(rate, now_us, found->spread, sample->size);
    } else if (found->carried > 0 && capacity_queue_shows(rate) && !found->limited) {
        rate->phase = RATE_STEADY;
        capacity_set(rate, least(found->carried, rate->capacity));
    } else if (found->carried > 0 && found->carried < rate->capacity && has_jumped(rate, found)) {
        capacity_set(rate, found->carried);
    } else if (found->carried < rate->capacity && piles_up(rate, found)) {
        rate->phase = RATE_STEADY;
        capacity_set(rate, found->carried);
    } else {
        /* What came before was slow for want of anything to send. */
        capacity_set(rate, most(rate->capacity, most(proven, found->since)));
    }
}

static void learn_capacity(Rate *rate, const ArrivalsFound *found) {
    if (found->carried == 0) {
        return;
    }
    if (found->carried < rate->capacity && has_jumped(rate, found)) {
        capacity_set(rate, found->carried);
    } else if (found->carried < rate->capacity && piles_up(rate, found)) {
        rate->phase = RATE_STEADY;
        capacity_set(rate, found->carried);
    } else if (capacity_queue_shows(rate) && !found->limited && found->carried < rate->capacity &&
               tells_capacity(rate, found)) {
        capacity_set(rate, (rate->capacity + found->carried) / 2);
    } else if (found->proven > rate->capacity && rate->phase != RATE_TRIAL) {
        capacity_set(rate, found->proven);
    }
}

bool capacity_learn(Rate *rate, uint64_t now_us, const DelaySample *sample) {
    ArrivalsFound found = learn_arrival(rate, sample);
    bool busy = capacity_queue_shows(rate) && !found.limited && found.carried > 0;

    if (rate->phase == RATE_SHARED) {
        return found.limited;
    }
    if (rate->phase == RATE_START) {
        learn_start(rate, now_us, sample, &found);
    } else {
        learn_capacity(rate, &found);
    }
    if (busy) {
        rate->confirmed = rate->capacity;
    }
    return found.limited;
}
