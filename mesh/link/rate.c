/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/link/rate.h"

#include "mesh/link/breath.h"
#include "mesh/link/capacity.h"

#define SECOND_US      1000000
#define ONE            1024 /* of a gain */
#define GAIN_START     (2 * ONE)
#define GAIN_GROW      (ONE + ONE / 4)
#define GAIN_YIELD     (ONE / 2)
#define GAIN_SHARED    (ONE + ONE / 5)
#define STREAK_LIMIT   4
#define PATIENT_ROUNDS 3    /* that seem empty, before there may be more than we knew */
#define GUESS          4000 /* bytes a second assumed of an unknown line: 32 kbit/s */
#define BURST_PACKETS  4    /* a picture leaves, and comes, at once on a line that takes it in: */
#define BURST_MOST_US  5000
#define BREATH_US      (12 * SECOND_US) /* the queue must empty that often, to be measurable */
#define TARGET_MOST_US 250000
#define SHAKE_WINDOW   4 /* of what it shakes: packets it holds up are in flight, and no queue */
#define PPM            WEATHER_PPM
#define TRIAL_PACKETS  24
#define SPARE_PACKETS  2      /* that would have found room too */
#define TOO_MUCH_PPM   750000 /* no weather loses so much: we do */
#define SHALLOW_MOST   2      /* halvings of the queue we want */

static uint64_t least(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static uint64_t most(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

/* ---- asking ---- */

bool rate_in_company(const Rate *rate) {
    return rate->favour != ONE;
}

bool rate_has_jumped(const Rate *rate) {
    return rate->arrivals.jumps == 1;
}

uint64_t rate_capacity(const Rate *rate) {
    return rate->capacity ? rate->capacity : GUESS;
}

uint64_t rate_pace(const Rate *rate) {
    uint64_t pace = rate->capacity * rate->gain / ONE;

    return most(pace, rate->phase == RATE_START ? GUESS : RATE_SLOWEST);
}

bool rate_is_found(const Rate *rate) {
    return rate->confirmed > 0 || rate->phase == RATE_STEADY || rate->phase == RATE_SHARED;
}

uint64_t rate_bytes_in(const Rate *rate, uint64_t us) {
    return rate_capacity(rate) * us / SECOND_US;
}

uint64_t rate_packet_us(const Rate *rate) {
    return (uint64_t)rate->packet * SECOND_US / rate_capacity(rate);
}

uint64_t rate_target_us(const Rate *rate) {
    uint64_t wanted_us = rate_packet_us(rate) * rate->quarters / 4 * rate->favour / ONE;

    wanted_us >>= rate->shallow;

    return least(most(wanted_us, RATE_TARGET_LEAST_US), TARGET_MOST_US);
}

/* Else it is the packets of others that seem to shake the line. */
static bool is_alone(const Rate *rate) {
    return rate->phase != RATE_SHARED && rate->breath.others == 0 && !rate_in_company(rate);
}

uint64_t rate_jolts_us(const Rate *rate) {
    return is_alone(rate) ? delay_jolts_us(&rate->delay) : 0;
}

uint64_t rate_queue_us(const Rate *rate) {
    return delay_queue_us(&rate->delay, RATE_SUDDEN_QUEUE * rate_target_us(rate),
                          rate_jolts_us(rate));
}

uint64_t rate_next_us(const Rate *rate) {
    return rate->next_us;
}

uint64_t rate_hold_us(const Rate *rate) {
    return rate->breath.until_us;
}

uint64_t rate_trip_us(const Rate *rate) {
    return delay_trip_us(&rate->delay, rate->packet, rate->capacity);
}

uint64_t rate_window(const Rate *rate, uint64_t pace_us) {
    uint64_t shake_us = is_alone(rate) ? SHAKE_WINDOW * (uint64_t)rate->delay.shake_us : 0;
    uint64_t window =
        rate_bytes_in(rate, rate_trip_us(rate) + rate_target_us(rate) + shake_us + pace_us);

    if (!rate->capacity) {
        return 2 * rate->full;
    }
    if (rate->phase == RATE_SHARED) {
        return most(rate->part, 2 * rate->packet) + rate_bytes_in(rate, pace_us);
    }
    /* What was lost counts as in flight until that is noticed. */
    window = window * PPM / (PPM - least(rate->weather.loss_ppm, PPM / 2));
    window = window * least(rate->gain, rate->phase == RATE_START ? GAIN_GROW : ONE) / ONE;
    return most(window + rate->packet, 2 * rate->packet);
}

/* ---- deciding ---- */

static uint32_t steady_gain(const Rate *rate) {
    uint64_t queue = rate_queue_us(rate);
    uint64_t target = rate_target_us(rate);
    /* The time to bring the queue to its target in: longer than it takes to see the effect. */
    uint64_t horizon = 2 * rate_trip_us(rate) + 4 * rate_packet_us(rate) + 20000;

    if (queue < target) {
        uint64_t up = ((target - queue) * ONE / horizon) << rate->streak;

        return (uint32_t)least(ONE + up, GAIN_GROW);
    }
    return (uint32_t)most(ONE - least((queue - target) * ONE / horizon, ONE), GAIN_YIELD);
}

/* A little less than what arrives now, and than the line was seen to carry: if it were too full,
 * nothing would be lost then. */
static uint64_t trial_gain(const Rate *rate) {
    uint64_t arrives = most(ONE * (uint64_t)(PPM - rate->trial_ppm) / PPM, ONE / 32);

    if (rate->confirmed > 0) {
        arrives = least(arrives, rate->confirmed * ONE / rate->capacity);
    }
    return arrives * 19 / 20;
}

static void decide_gain(Rate *rate) {
    switch (rate->phase) {
    case RATE_START:
        rate->gain = GAIN_START;
        break;
    case RATE_STEADY:
        rate->gain = steady_gain(rate);
        break;
    case RATE_TRIAL:
        rate->gain = (uint32_t)least(trial_gain(rate), steady_gain(rate));
        break;
    case RATE_SHARED:
        rate->gain = GAIN_SHARED;
        break;
    }
}

static void decide_streak(Rate *rate, const DelaySample *sample, bool limited) {
    bool empty = rate_queue_us(rate) < rate_target_us(rate) / 4;

    if (!empty || limited) {
        rate->streak = rate->rounds = 0;
    } else if (sample->sent_total > rate->round_end) {
        rate->round_end = rate->sent_total;
        rate->rounds++;
        if (rate->capacity > rate->confirmed * 5 / 4 ||
            (rate->rounds % PATIENT_ROUNDS == 0 && !rate_in_company(rate))) {
            rate->streak += rate->streak < STREAK_LIMIT;
        }
    }
}

/* Our part grows by about half a packet a round trip, as that of CUBIC does on slow lines. */
static void grow_part(Rate *rate, const DelaySample *sample, bool limited) {
    if (sample->sent_total > rate->part_from && !limited) {
        rate->part += rate->full * 5 / 8;
        rate->part_from = rate->sent_total;
    }
    /* A round trip is what the other says; what was proven before is not. */
    capacity_set(rate, least(rate->part * SECOND_US / most(rate->delay.srtt_us, 1), rate->highest));
}

static void note_queue(Rate *rate, uint64_t now_us, bool limited) {
    uint64_t target = rate_target_us(rate);

    if (now_us - rate->recent_us > SECOND_US) {
        rate->recent -= rate->recent / 16;
        rate->recent_us = now_us;
    }
    rate->recent = most(rate->recent, rate->capacity);
    if (capacity_queue_shows(rate)) {
        rate->deepest = most(rate->deepest, rate_bytes_in(rate, rate_queue_us(rate)));
    }

    if (limited || delay_latest_us(&rate->delay) <= target / 4) {
        rate->empty_at_us = now_us;
    }
    if (limited || rate_queue_us(rate) <= 2 * target) {
        rate->calm_at_us = now_us;
        rate->calm = rate->capacity;
    }
}

void rate_acked(Rate *rate, uint64_t now_us, const DelaySample *sample) {
    bool limited;

    delay_learn(&rate->delay, now_us, sample, rate->capacity);
    breath_judge(rate, now_us, sample);
    limited = capacity_learn(rate, now_us, sample);
    if (rate->phase == RATE_SHARED) {
        grow_part(rate, sample, limited);
    } else {
        note_queue(rate, now_us, limited);
    }
    decide_streak(rate, sample, limited);
    decide_gain(rate);
    if (breath_is_due(rate, now_us)) {
        breath_begin(rate, now_us);
    } else if (rate->phase == RATE_STEADY && now_us - rate->empty_at_us > BREATH_US) {
        rate->next_us = most(rate->next_us, now_us) +
                        least(rate_queue_us(rate) + rate_packet_us(rate) / 8, SECOND_US);
        rate->empty_at_us = now_us;
    }
}

void rate_favour(Rate *rate, uint32_t favour) {
    rate->favour = favour;
    if (rate_in_company(rate) && rate->phase == RATE_SHARED) {
        breath_stop_sharing(rate);
        decide_gain(rate);
    }
}

void rate_aim(Rate *rate, uint64_t now_us, uint32_t full, uint32_t packet, uint32_t quarters) {
    if (packet < rate->packet / 2 && rate->phase == RATE_STEADY) {
        /* What smaller packets take must be learnt without a queue. */
        if (rate_in_company(rate)) {
            rate->next_us = most(rate->next_us, now_us) + least(rate_queue_us(rate), SECOND_US);
        } else if (!rate->breath.out) {
            breath_begin(rate, now_us);
        }
        rate->empty_at_us = now_us;
    }
    rate->full = full;
    rate->packet = packet;
    rate->quarters = quarters;
}

/* Far more than waits in the line came through before. Or we send no more than it was seen to
 * carry, and either no more waits than we want, and as much came through before, or there was no
 * time yet for that. Unless by far too much is lost, that is not for its being too full. */
static bool is_in_hand(const Rate *rate, bool bulk) {
    uint64_t waits = rate_bytes_in(rate, rate_queue_us(rate));
    uint64_t wanted = rate_bytes_in(rate, rate_target_us(rate));

    if (rate->phase == RATE_START) {
        return bulk;
    }
    if (rate->deepest >= waits + SPARE_PACKETS * (uint64_t)rate->packet) {
        return true;
    }
    return rate->capacity <= rate->confirmed + rate->confirmed / 8 &&
           (weather_is_new(&rate->weather) || (rate->deepest >= wanted && waits <= 2 * wanted));
}

/* It left when there was nothing more to send, and nothing waits: what is lost then is always. */
static bool is_at_ease(const Rate *rate, uint64_t sent_us) {
    return rate->limited_at_us >= sent_us && rate->phase != RATE_SHARED &&
           rate_queue_us(rate) <= rate_target_us(rate);
}

/* Loss above the weather: is it that the line is too full, or has the weather changed? */
static void begin_trial(Rate *rate) {
    rate->phase = RATE_TRIAL;
    rate->trial_from = rate->sent_total;
    rate->trial_ppm = rate->weather.recent_ppm;
    rate->trial_count = 0;
    rate->trial_lost = 0;
    decide_gain(rate);
}

/* After fewer packets than were to be tried, if so many were lost that less speed does not help. */
static void end_trial(Rate *rate) {
    uint32_t found_ppm = rate->trial_count < TRIAL_PACKETS
                             ? rate->trial_ppm
                             : rate->trial_lost * PPM / rate->trial_count;
    uint32_t weather_ppm = (rate->trial_ppm + found_ppm) / 2;

    rate->phase = rate->confirmed > 0 ? RATE_STEADY : RATE_START;
    if (found_ppm * 3 < rate->trial_ppm || rate->trial_ppm > TOO_MUCH_PPM) {
        rate->shallow += rate->shallow < SHALLOW_MOST;
        capacity_set(rate, rate->capacity * trial_gain(rate) / ONE);
        rate->confirmed = rate->capacity;
        rate->phase = RATE_STEADY;
        weather_ppm = (uint32_t)least(rate->weather.weather_ppm, found_ppm);
    }
    weather_settle(&rate->weather, weather_ppm, found_ppm);
    decide_gain(rate);
}

void rate_resolved(Rate *rate, const FlightPacket *packet, const FlightRow *lost) {
    WeatherSign sign = weather_learn(&rate->weather, lost);

    if (sign == WEATHER_OUTAGE) {
        return;
    }
    if (is_at_ease(rate, packet->sent_us)) {
        weather_accept(&rate->weather);
    }
    switch (rate->phase) {
    case RATE_START:
    case RATE_STEADY:
        /* What was lost while there was nothing more to send was not lost by sending too much. */
        if (rate->capacity > 0 && rate->limited_at_us < packet->sent_us &&
            weather_is_worse(&rate->weather, is_in_hand(rate, packet->bulk))) {
            begin_trial(rate);
        }
        break;
    case RATE_TRIAL:
        rate->trial_count += packet->sent_total > rate->trial_from;
        rate->trial_lost += lost && packet->sent_total > rate->trial_from;
        if (rate->trial_count == TRIAL_PACKETS ||
            (uint64_t)rate->trial_lost * 3 * PPM >= (uint64_t)rate->trial_ppm * TRIAL_PACKETS) {
            end_trial(rate);
        }
        break;
    case RATE_SHARED:
        if (sign == WEATHER_STRANGE && packet->sent_total > rate->part_cut) {
            rate->part = most(rate->part * 7 / 10, 2 * rate->packet);
            rate->part_from = rate->part_cut = rate->sent_total;
        }
        break;
    }
}

void rate_found(Rate *rate) {
    weather_found(&rate->weather);
}

/* Two large packets at once, on a line not known yet: how far apart they arrive tells much. */
static bool begins_pair(const Rate *rate, uint64_t now_us, uint32_t size) {
    if (rate->phase != RATE_START) {
        return false;
    }
    return rate->capacity == 0 ? rate->sent_total + size < 2 * rate->full
                               : now_us >= rate->pair_until_us && size >= rate->full / 2;
}

/* So much of the time when nothing was sent is made up for. */
static uint64_t burst_us(const Rate *rate) {
    uint64_t picture_us = (uint64_t)BURST_PACKETS * rate->packet * SECOND_US / rate_pace(rate);

    return picture_us <= BURST_MOST_US ? most(picture_us, RATE_BURST_US) : RATE_BURST_US;
}

void rate_sent(Rate *rate, uint64_t now_us, uint32_t size) {
    uint64_t from_us = most(rate->next_us, now_us - least(now_us, burst_us(rate)));

    rate->begun_us = rate->begun_us > 0 ? rate->begun_us : now_us;
    if (begins_pair(rate, now_us, size)) {
        rate->pair_until_us = now_us + (uint64_t)size * SECOND_US / rate_pace(rate);
        rate->pair = rate->capacity ? size : 0;
        rate->pair_us = now_us;
        rate->pair_total = rate->sent_total;
        rate->next_us = now_us;
        rate->sent_total += size;
        return;
    }
    rate->sent_total += size;
    if (now_us < rate->pair_until_us) {
        size += rate->pair;
        rate->pair_until_us = now_us;
    }
    rate->next_us = from_us + (uint64_t)size * SECOND_US / rate_pace(rate);
}

void rate_padded(Rate *rate, uint32_t size) {
    rate->sent_total += size;
}

void rate_answered(Rate *rate, uint64_t now_us, uint32_t size) {
    rate->sent_total += size;
    if (rate_is_found(rate)) {
        rate->next_us = most(rate->next_us, now_us) + (uint64_t)size * SECOND_US / rate_pace(rate);
    }
}

void rate_unanswered(Rate *rate) {
    if (rate->phase == RATE_STEADY) {
        rate->gain = (uint32_t)least(rate->gain, ONE);
    }
}

void rate_limited(Rate *rate, uint64_t now_us) {
    rate->limited_at_us = now_us;
}

void rate_init(Rate *rate, uint32_t full) {
    *rate = (Rate){.packet = full, .quarters = 4, .favour = ONE, .full = full, .gain = GAIN_START};
    delay_init(&rate->delay, 0);
}

void rate_doubt(Rate *rate, uint64_t now_us) {
    rate->phase = RATE_START;
    rate->gain = GAIN_START;
    rate->streak = 0;
    if (rate->capacity != rate->doubted) {
        rate->capacity /= 2; /* but once, however often the path changes before it tells anything */
        rate->doubted = rate->capacity;
    }
    rate->highest = rate->recent = rate->capacity;
    rate->deepest = 0;
    rate->shallow = 0;
    rate->breath = (RateBreath){.others = 0};
    arrivals_forget(&rate->arrivals);
    rate->empty_at_us = rate->calm_at_us = now_us;
    delay_init(&rate->delay, now_us);
}
