/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/net/emulator/lane.h"

#include <inttypes.h>
#include <math.h>

enum { REORDER_US_MIN = 10000 };

static uint64_t seed_of_name(uint64_t seed, const char *name) {
    for (; *name != '\0'; name++)
        seed = seed * 1099511628211U + (uint8_t)*name;
    return seed;
}

/* The common fade must not depend on the lane's name: both lanes then see the same weather. */
static void lane_seed_fade(EmulatorLane *lane, uint64_t seed, uint64_t now_us) {
    if (lane->settings.fade_kind == EMULATOR_FADE_OWN)
        seed = seed_of_name(seed, lane->name);
    emulator_fade_init(&lane->fade, ~seed, now_us);
}

void emulator_lane_init(EmulatorLane *lane, const char *name, const EmulatorSettings *settings,
                        uint64_t seed, uint64_t now_us) {
    *lane = (EmulatorLane){.name = name, .settings = *settings, .free_us = (double)now_us};
    emulator_random_init(&lane->random, seed_of_name(seed, name));
    lane_seed_fade(lane, seed, now_us);
}

void emulator_lane_finish(EmulatorLane *lane) {
    emulator_frame_destroy(lane->serving);
    emulator_queue_finish(&lane->queue);
    emulator_flight_finish(&lane->flight);
}

static void lane_record(EmulatorLane *lane, const EmulatorFrame *frame, EmulatorFate fate,
                        uint64_t end_us) {
    lane->stats.fate[fate]++;
    if (fate == EMULATOR_FATE_DELIVERED)
        lane->stats.delivered_bytes += frame->ip_bytes;
    if (lane->log == NULL)
        return;
    uint64_t started_us = frame->started_us > 0 ? frame->started_us : frame->arrived_us;
    fprintf(lane->log, "%.6f,%s,%" PRIu64 ",%zu,%s,%.3f,%.3f\n", (double)frame->arrived_us / 1e6,
            lane->name, frame->number, frame->ip_bytes, emulator_stats_fate_name(fate),
            (double)(started_us - frame->arrived_us) / 1e3,
            (double)(end_us - frame->arrived_us) / 1e3);
}

static void lane_drop(EmulatorLane *lane, EmulatorFrame *frame, EmulatorFate fate,
                      uint64_t now_us) {
    lane_record(lane, frame, fate, now_us);
    emulator_frame_destroy(frame);
}

static void lane_board(EmulatorLane *lane, EmulatorFrame *frame, uint64_t due_us) {
    if (!emulator_flight_board(&lane->flight, frame, due_us))
        lane_drop(lane, frame, EMULATOR_FATE_QUEUE, due_us);
}

/* Every frame draws the same number of dice whatever its fate, so that one setting changed leaves
 * the others' luck as it was. */
typedef struct {
    double loss, burst, jitter, reorder, duplicate;
} Luck;

static Luck lane_draw(EmulatorLane *lane) {
    Luck luck;
    luck.loss = emulator_random_unit(&lane->random);
    luck.burst = emulator_random_unit(&lane->random);
    luck.jitter = emulator_random_unit(&lane->random);
    luck.reorder = emulator_random_unit(&lane->random);
    luck.duplicate = emulator_random_unit(&lane->random);
    return luck;
}

static EmulatorFate lane_fate(EmulatorLane *lane, const Luck *luck, uint64_t now_us) {
    emulator_fade_advance(&lane->fade, &lane->settings, now_us);
    emulator_fade_step(&lane->fade, &lane->settings);
    if (lane->state == EMULATOR_LANE_DOWN)
        return EMULATOR_FATE_DOWN;
    if (lane->fade.state == EMULATOR_FADE_BAD && luck->burst < lane->settings.burst_loss)
        return EMULATOR_FATE_BURST;
    return luck->loss < lane->settings.loss ? EMULATOR_FATE_LOSS : EMULATOR_FATE_DELIVERED;
}

static uint64_t lane_due_us(EmulatorLane *lane, const Luck *luck, uint64_t left_us) {
    const EmulatorSettings *settings = &lane->settings;
    double flight_us = settings->delay_us + settings->jitter_us * (2 * luck->jitter - 1);
    uint64_t due_us = left_us + (uint64_t)fmax(flight_us, 0);
    if (settings->jitter_kind == EMULATOR_JITTER_IN_ORDER && due_us < lane->last_due_us)
        due_us = lane->last_due_us;
    if (luck->reorder < settings->reorder) {
        double held_us = settings->reorder_us;
        if (held_us <= 0)
            held_us = fmax(settings->delay_us / 2, REORDER_US_MIN);
        lane->stats.reordered++;
        return due_us + (uint64_t)held_us;
    }
    lane->last_due_us = due_us;
    return due_us;
}

/* The last bit of a frame has left: the air decides what becomes of it. */
static void lane_depart(EmulatorLane *lane, EmulatorFrame *frame, uint64_t left_us) {
    Luck luck = lane_draw(lane);
    EmulatorFate fate = lane_fate(lane, &luck, left_us);
    if (fate != EMULATOR_FATE_DELIVERED) {
        lane_drop(lane, frame, fate, left_us);
        return;
    }
    uint64_t due_us = lane_due_us(lane, &luck, left_us);
    if (luck.duplicate < lane->settings.duplicate) {
        EmulatorFrame *twin =
            emulator_frame_create(frame->bytes, frame->length, frame->ip_bytes, frame->arrived_us);
        if (twin != NULL) {
            twin->number = frame->number;
            twin->started_us = frame->started_us;
            lane->stats.duplicated++;
            lane_board(lane, twin, due_us);
        }
    }
    lane_board(lane, frame, due_us);
}

static void lane_serve(EmulatorLane *lane, EmulatorFrame *frame) {
    double start_us = fmax((double)frame->arrived_us, lane->free_us);
    frame->started_us = (uint64_t)start_us;
    emulator_stats_add_queue(&lane->stats, frame->started_us - frame->arrived_us);
    lane->serving = frame;
    lane->serving_bits = 8.0 * (double)frame->ip_bytes;
    lane->serving_us = start_us;
}

static double lane_served_us(const EmulatorLane *lane) {
    double rate_bps = lane->settings.rate_bps;
    if (lane->serving == NULL)
        return INFINITY;
    return rate_bps > 0 ? lane->serving_us + lane->serving_bits * 1e6 / rate_bps : lane->serving_us;
}

/* Everything that left the queue or the line by now did so at its own moment, not when we woke. */
static void lane_advance(EmulatorLane *lane, uint64_t now_us) {
    while (lane_served_us(lane) <= (double)now_us) {
        EmulatorFrame *frame = lane->serving;
        lane->free_us = lane_served_us(lane);
        lane->serving = NULL;
        lane_depart(lane, frame, (uint64_t)lane->free_us);
        EmulatorFrame *next = emulator_queue_pop(&lane->queue);
        if (next != NULL)
            lane_serve(lane, next);
    }
}

static EmulatorFrame *lane_admit(EmulatorLane *lane, const uint8_t *bytes, size_t length,
                                 size_t ip_bytes, uint64_t now_us) {
    lane_advance(lane, now_us);
    EmulatorFrame *frame = emulator_frame_create(bytes, length, ip_bytes, now_us);
    if (frame != NULL)
        frame->number = lane->next_number++;
    return frame;
}

void emulator_lane_carry(EmulatorLane *lane, const uint8_t *bytes, size_t length, size_t ip_bytes,
                         uint64_t now_us) {
    EmulatorFrame *frame = lane_admit(lane, bytes, length, ip_bytes, now_us);
    if (frame == NULL)
        return;
    const EmulatorSettings *settings = &lane->settings;
    size_t limit_bytes = settings->queue_bytes > 0 ? (size_t)settings->queue_bytes : SIZE_MAX;
    lane->stats.frames++;
    lane->stats.bytes += ip_bytes;
    if (settings->mtu_bytes > 0 && (double)ip_bytes > settings->mtu_bytes)
        lane_drop(lane, frame, EMULATOR_FATE_MTU, now_us);
    else if (lane->serving == NULL)
        lane_serve(lane, frame);
    else if (!emulator_queue_push(&lane->queue, frame, limit_bytes))
        lane_drop(lane, frame, EMULATOR_FATE_QUEUE, now_us);
}

void emulator_lane_accept(EmulatorLane *lane, const uint8_t *bytes, size_t length,
                          uint64_t now_us) {
    if (!emulator_frame_is_neighbour(bytes, length)) {
        emulator_lane_carry(lane, bytes, length, emulator_frame_ip_bytes(length), now_us);
        return;
    }
    EmulatorFrame *frame = lane_admit(lane, bytes, length, 0, now_us);
    if (frame == NULL)
        return;
    frame->neighbour = true;
    lane->stats.neighbour++;
    lane_board(lane, frame, now_us);
}

EmulatorFrame *emulator_lane_land(EmulatorLane *lane, uint64_t now_us) {
    uint64_t due_us;
    lane_advance(lane, now_us);
    EmulatorFrame *frame = emulator_flight_land(&lane->flight, now_us, &due_us);
    if (frame != NULL && !frame->neighbour)
        lane_record(lane, frame, EMULATOR_FATE_DELIVERED, due_us);
    return frame;
}

uint64_t emulator_lane_deadline_us(const EmulatorLane *lane) {
    uint64_t deadline_us = emulator_flight_due_us(&lane->flight);
    if (lane->serving == NULL)
        return deadline_us;
    uint64_t served_us = (uint64_t)ceil(lane_served_us(lane));
    return served_us < deadline_us ? served_us : deadline_us;
}

/* Brings every account up to now, so that what changes next holds from now on only. */
static void lane_settle(EmulatorLane *lane, uint64_t now_us) {
    lane_advance(lane, now_us);
    emulator_fade_advance(&lane->fade, &lane->settings, now_us);
    double rate_bps = lane->settings.rate_bps;
    if (lane->serving == NULL || rate_bps <= 0)
        return;
    lane->serving_bits -= ((double)now_us - lane->serving_us) * rate_bps / 1e6;
    lane->serving_us = (double)now_us;
}

bool emulator_lane_set(EmulatorLane *lane, const char *key, const char *value, uint64_t now_us) {
    lane_settle(lane, now_us);
    return emulator_settings_set(&lane->settings, key, value);
}

void emulator_lane_change(EmulatorLane *lane, const EmulatorSettings *settings, uint64_t now_us) {
    lane_settle(lane, now_us);
    lane->settings = *settings;
}

void emulator_lane_switch(EmulatorLane *lane, EmulatorLaneState state, uint64_t now_us) {
    lane_settle(lane, now_us);
    lane->state = state;
}

void emulator_lane_print(EmulatorLane *lane, FILE *out, uint64_t now_us) {
    lane_settle(lane, now_us);
    if (lane->log != NULL)
        fflush(lane->log); /* what is counted here stands in the log */
    fputc('{', out);
    emulator_stats_print(&lane->stats, out);
    fprintf(out, ",\"queued_bytes\":%zu,\"bad_s\":%.3f,\"rate_bps\":%.0f,\"state\":\"%s\"}",
            lane->queue.bytes, (double)lane->fade.bad_us / 1e6, lane->settings.rate_bps,
            lane->state == EMULATOR_LANE_UP ? "up" : "down");
}

void emulator_lane_reset(EmulatorLane *lane, uint64_t now_us) {
    lane_settle(lane, now_us);
    emulator_stats_reset(&lane->stats);
    lane->fade.bad_us = 0;
}
