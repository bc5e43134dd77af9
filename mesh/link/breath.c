/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/link/breath.h"

#include "mesh/link/capacity.h"

#define SECOND_US       1000000
#define BREATH_SAMPLES  3
#define BREATH_LEAST_US 20000
#define BREATH_MOST_US  (3 * SECOND_US)
#define OTHERS_US       (10 * SECOND_US) /* signs of others are remembered so long */
#define OTHERS_SURE     2
#define TRIFLE_TARGETS  4
#define TRIFLE_BYTES    400
#define SHARED_LOOK_US  (8 * SECOND_US) /* whether we are still not alone */

static uint64_t least(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static uint64_t most(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

/* Less is not worth a pause: one packet that is not ours to make smaller may cause it, or another
 * who yields as we do. */
static uint64_t trifle_us(const Rate *rate) {
    uint64_t bytes = (uint64_t)rate->packet * rate->quarters * TRIFLE_TARGETS / 4;

    return most(most(bytes, TRIFLE_BYTES) * SECOND_US / most(rate_capacity(rate), rate->recent),
                TRIFLE_TARGETS * RATE_TARGET_LEAST_US);
}

void breath_begin(Rate *rate, uint64_t now_us) {
    RateBreath *breath = &rate->breath;

    breath->out = true;
    breath->from_us = now_us;
    breath->from_total = rate->sent_total;
    breath->until_us = now_us + BREATH_MOST_US;
    breath->queue_us = rate_queue_us(rate);
    breath->before_us = breath->left_us;
    breath->left_us = UINT64_MAX;
    breath->count = 0;
}

/* What should be left of the queue if it is ours: not all pauses. */
static uint64_t expected_left_us(const Rate *rate, const DelaySample *sample) {
    const RateBreath *breath = &rate->breath;
    uint64_t sent = sample->sent_total - breath->from_total;
    uint64_t queue_us = breath->queue_us + sent * SECOND_US / most(rate->calm, RATE_SLOWEST);
    uint64_t passed_us = sample->sent_us - breath->from_us;

    return queue_us > passed_us ? queue_us - passed_us : 0;
}

/* We are not alone: our part is half of what was all ours, for a beginning. */
static void share(Rate *rate) {
    uint64_t half = rate->breath.alone / 2 * rate->delay.srtt_us / SECOND_US;

    rate->phase = RATE_SHARED;
    rate->part = most(half, 2 * rate->packet);
    rate->part_from = rate->part_cut = rate->sent_total;
    rate->calm = rate->breath.alone;
    rate->delay.base.kept = true;
}

void breath_stop_sharing(Rate *rate) {
    rate->phase = RATE_STEADY;
    rate->confirmed = rate->calm;
    rate->breath.others = 0;
    rate->delay.base.kept = false;
}

/* All that is left is there whatever we do, and does not change: the way has become longer. */
static void lengthen(Rate *rate, uint64_t now_us, const DelaySample *sample) {
    delay_rebase(&rate->delay, now_us, sample);
    capacity_set(rate, most(rate->capacity, rate->calm * 7 / 8));
    rate->calm_at_us = now_us;
    rate->deepest = 0; /* that was no queue */
}

static bool is_like(uint64_t a, uint64_t b) {
    return a > b - b / 16 && a < b + b / 16;
}

/* Something is left that is not ours. */
static void find_others(Rate *rate, uint64_t now_us, const DelaySample *sample) {
    RateBreath *breath = &rate->breath;
    bool all = breath->left_us * 4 >= breath->queue_us * 3;

    if (rate->phase == RATE_SHARED) {
        if (is_like(breath->left_us, breath->before_us)) {
            breath_stop_sharing(rate);
            rate->calm_at_us = now_us;
            lengthen(rate, now_us, sample);
        }
        return;
    }
    if (now_us - breath->others_at_us > OTHERS_US + 10 * rate->delay.srtt_us) {
        breath->others = 0;
    }
    if (breath->others == 0) {
        breath->alone = rate->calm;
        breath->base = rate->delay.base;
    }
    breath->others_at_us = now_us;
    if (++breath->others >= OTHERS_SURE) {
        rate->delay.base = breath->base;
        share(rate);
    } else if (all) {
        lengthen(rate, now_us, sample);
    }
}

void breath_judge(Rate *rate, uint64_t now_us, const DelaySample *sample) {
    RateBreath *breath = &rate->breath;
    uint64_t margin_us = most(trifle_us(rate), breath->queue_us / 3);

    if (breath->out && sample->sent_total >= breath->from_total && breath->until_us > now_us) {
        breath->until_us = now_us;
    }
    if (!breath->out || sample->sent_us < breath->until_us) {
        return;
    }
    if (breath->count++ == 0) {
        arrivals_forget(&rate->arrivals); /* the pause says nothing of the capacity */
        breath->expected_us = expected_left_us(rate, sample);
    }
    breath->left_us = least(breath->left_us, delay_latest_us(&rate->delay));
    if (breath->count < BREATH_SAMPLES) {
        return;
    }
    breath->out = false;
    breath->next_us = now_us + most(rate->delay.srtt_us, BREATH_LEAST_US);
    if (breath->left_us > breath->expected_us + margin_us) {
        find_others(rate, now_us, sample);
    } else if (rate->phase == RATE_SHARED) {
        breath_stop_sharing(rate);
        rate->calm_at_us = now_us;
    }
}

bool breath_is_due(const Rate *rate, uint64_t now_us) {
    const RateBreath *breath = &rate->breath;
    uint64_t patience_us = most(rate->delay.srtt_us, BREATH_LEAST_US);
    uint64_t queue_us = rate_queue_us(rate);

    if (breath->out) {
        /* If nothing was sent since, it never ends. */
        return now_us > breath->until_us + 2 * rate->delay.srtt_us + SECOND_US;
    }
    if (now_us < breath->next_us || rate->phase == RATE_START || rate_in_company(rate)) {
        return false;
    }
    if (rate->phase == RATE_SHARED) {
        /* Beside others the queue goes up and down; if it only goes up, it is ours. */
        return now_us - breath->from_us > most(SHARED_LOOK_US, 8 * rate_trip_us(rate)) ||
               queue_us > 2 * breath->queue_us + trifle_us(rate);
    }
    return queue_us > trifle_us(rate) &&
           (rate->arrivals.jumps > 0 || now_us - rate->calm_at_us > patience_us);
}
