/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/unit/mesh_link_rival.h"

#include <math.h>

#define CUBIC_SCALE   0.4
#define CUBIC_KEEP    0.7
#define WINDOW_FIRST  10
#define REORDER       3
#define TIMEOUT_LEAST 200000
#define HYSTART_LEAST 4000 /* HyStart leaves slow start once the delay grew by an eighth */

static uint32_t slot_of(uint64_t segment) {
    return (uint32_t)(segment % RIVAL_WINDOW_SIZE);
}

static uint64_t timeout_us(const Rival *rival) {
    uint64_t base = rival->srtt_us ? rival->srtt_us * 3 / 2 + TIMEOUT_LEAST : SECOND;

    return MIN(base << rival->backoff, 60 * SECOND);
}

uint64_t rival_deadline_us(const Rival *rival) {
    return rival->out ? rival->heard_us + timeout_us(rival) : UINT64_MAX;
}

static void start(Rival *rival) {
    if (rival->window == 0) {
        rival->window = WINDOW_FIRST;
        rival->threshold = 1e9;
    }
}

static void lose_all(Rival *rival, uint64_t now_us) {
    for (uint64_t i = rival->first; i < rival->next; i++) {
        if (rival->state[slot_of(i)] == RIVAL_OUT) {
            rival->state[slot_of(i)] = RIVAL_LOST;
        }
    }
    rival->out = 0;
    rival->window_most = rival->window;
    rival->threshold = MAX(rival->window * CUBIC_KEEP, 2);
    rival->window = 1;
    rival->epoch_us = 0;
    rival->recovery = rival->next;
    rival->backoff += rival->backoff < 6;
    rival->heard_us = now_us;
}

bool rival_next(Rival *rival, uint64_t now_us, uint64_t *ret_segment) {
    start(rival);
    if (rival_deadline_us(rival) <= now_us) {
        lose_all(rival, now_us);
    }
    if (rival->out >= (uint32_t)rival->window) {
        return false;
    }
    *ret_segment = rival->next;
    for (uint64_t i = rival->first; i < rival->next; i++) {
        if (rival->state[slot_of(i)] == RIVAL_LOST) {
            *ret_segment = i;
            break;
        }
    }
    if (*ret_segment == rival->next) {
        if (rival->next - rival->first >= RIVAL_WINDOW_SIZE) {
            return false;
        }
        rival->next++;
    }
    if (rival->out == 0) {
        rival->heard_us = now_us;
    }
    rival->state[slot_of(*ret_segment)] = RIVAL_OUT;
    rival->sent_us[slot_of(*ret_segment)] = now_us;
    rival->out++;
    return true;
}

void rival_arrive(Rival *rival, uint64_t segment) {
    if (segment >= rival->expected && !rival->came[slot_of(segment)]) {
        rival->came[slot_of(segment)] = 1;
        rival->arrived++;
    }
    while (rival->came[slot_of(rival->expected)]) {
        rival->came[slot_of(rival->expected++)] = 0;
    }
}

static void grow(Rival *rival, uint64_t now_us) {
    double reno_per_trip = 3 * (1 - CUBIC_KEEP) / (1 + CUBIC_KEEP);
    double depth, time, target;

    if (rival->window < rival->threshold) {
        rival->window++;
        if (rival->srtt_us > rival->least_us + MAX(rival->least_us / 8, HYSTART_LEAST)) {
            rival->threshold = rival->window;
        }
        return;
    }
    if (rival->epoch_us == 0) {
        rival->epoch_us = now_us;
        rival->window_most = MAX(rival->window_most, rival->window);
    }
    depth = cbrt(rival->window_most * (1 - CUBIC_KEEP) / CUBIC_SCALE);
    time = (double)(now_us - rival->epoch_us + rival->srtt_us) / 1e6 - depth;
    target = rival->window_most + CUBIC_SCALE * time * time * time;
    target = MIN(target, 1.5 * rival->window);
    rival->window += MAX(target > rival->window ? (target - rival->window) / rival->window : 0,
                         reno_per_trip / rival->window);
}

static void find_lost(Rival *rival, uint64_t newest) {
    bool any = false;

    for (uint64_t i = rival->first; i + REORDER <= newest; i++) {
        if (rival->state[slot_of(i)] == RIVAL_OUT &&
            rival->sent_us[slot_of(i)] < rival->sent_us[slot_of(newest)]) {
            rival->state[slot_of(i)] = RIVAL_LOST;
            rival->out--;
            any = true;
        }
    }
    if (any && newest >= rival->recovery) {
        rival->window_most = rival->window;
        rival->window = MAX(rival->window * CUBIC_KEEP, 2);
        rival->threshold = rival->window;
        rival->epoch_us = 0;
        rival->recovery = rival->next;
    }
}

void rival_acked(Rival *rival, uint64_t now_us, uint64_t segment) {
    uint64_t rtt_us = now_us - rival->sent_us[slot_of(segment)];

    if (segment < rival->first || rival->state[slot_of(segment)] == RIVAL_SACKED) {
        return;
    }
    rival->srtt_us = rival->srtt_us ? (7 * rival->srtt_us + rtt_us) / 8 : rtt_us;
    rival->least_us = rival->least_us ? MIN(rival->least_us, rtt_us) : rtt_us;
    rival->heard_us = now_us;
    rival->backoff = 0;
    rival->out -= rival->state[slot_of(segment)] == RIVAL_OUT;
    rival->state[slot_of(segment)] = RIVAL_SACKED;
    grow(rival, now_us);
    find_lost(rival, segment);
    while (rival->first < rival->next && rival->state[slot_of(rival->first)] == RIVAL_SACKED) {
        rival->state[slot_of(rival->first++)] = RIVAL_FREE;
    }
}
