/* SPDX-License-Identifier: MPL-2.0 */
/*
 * One direction of the line: queue, then rate, then loss, then flight, in that order.
 * Owns every frame between acceptance and landing, its dice and its statistics.
 * Never reads a clock or a socket: time comes in with each call, so it runs in virtual time too.
 */
#pragma once

#include "tests/net/emulator/fade.h"
#include "tests/net/emulator/flight.h"
#include "tests/net/emulator/queue.h"
#include "tests/net/emulator/settings.h"
#include "tests/net/emulator/stats.h"

typedef enum {
    EMULATOR_LANE_UP,
    EMULATOR_LANE_DOWN, /* what leaves the queue is lost; what flies still lands */
} EmulatorLaneState;

typedef struct {
    const char *name;
    EmulatorSettings settings;
    EmulatorLaneState state;
    EmulatorRandom random;
    EmulatorFade fade;
    EmulatorQueue queue;
    EmulatorFlight flight;
    EmulatorStats stats;
    EmulatorFrame *serving; /* on its way out, bit by bit */
    double serving_bits;    /* still to leave at serving_us */
    double serving_us;
    double free_us; /* when the last frame had left */
    uint64_t last_due_us;
    uint64_t next_number;
    FILE *log; /* borrowed; NULL for none */
} EmulatorLane;

/* Starts a lane whose dice come from the seed and its name; the name is borrowed. A histogram may
 * be lent to its statistics from then on. */
void emulator_lane_init(EmulatorLane *lane, const char *name, const EmulatorSettings *settings,
                        uint64_t seed, uint64_t now_us);
void emulator_lane_finish(EmulatorLane *lane);

/* An Ethernet frame reaches the line. It is copied; time never runs backwards between calls. */
void emulator_lane_accept(EmulatorLane *lane, const uint8_t *bytes, size_t length, uint64_t now_us);

/* The same of any bytes, that cost so much on the line whatever they are. */
void emulator_lane_carry(EmulatorLane *lane, const uint8_t *bytes, size_t length, size_t ip_bytes,
                         uint64_t now_us);

/* The next frame that has landed by now, the caller's to destroy, or NULL. */
EmulatorFrame *emulator_lane_land(EmulatorLane *lane, uint64_t now_us);

/* When there is something to do next; UINT64_MAX for never. */
uint64_t emulator_lane_deadline_us(const EmulatorLane *lane);

/* Changes one setting as of now; false, and nothing changed, if the words are not known. */
bool emulator_lane_set(EmulatorLane *lane, const char *key, const char *value, uint64_t now_us);

/* Changes all settings as of now. */
void emulator_lane_change(EmulatorLane *lane, const EmulatorSettings *settings, uint64_t now_us);

/* Cuts or restores the line as of now. */
void emulator_lane_switch(EmulatorLane *lane, EmulatorLaneState state, uint64_t now_us);

/* Writes the statistics up to now as one JSON object. */
void emulator_lane_print(EmulatorLane *lane, FILE *out, uint64_t now_us);

/* Begins counting anew. */
void emulator_lane_reset(EmulatorLane *lane, uint64_t now_us);
