/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What one direction did: counts by fate, and the distribution of time spent in the queue.
 * Owns its counters. The histogram, whose buckets are 1.6 % wide, is lent by who wants it.
 * Never keeps a frame or an address.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

typedef enum {
    EMULATOR_FATE_DELIVERED,
    EMULATOR_FATE_LOSS,  /* random */
    EMULATOR_FATE_BURST, /* in the bad state */
    EMULATOR_FATE_DOWN,  /* while the line was down */
    EMULATOR_FATE_QUEUE, /* no room */
    EMULATOR_FATE_MTU,   /* too large */
    EMULATOR_FATE_COUNT,
} EmulatorFate;

enum { EMULATOR_STATS_BUCKETS = 64 * 40 };

typedef struct {
    uint32_t counts[EMULATOR_STATS_BUCKETS];
} EmulatorHistogram;

typedef struct {
    uint64_t frames;
    uint64_t bytes; /* IP */
    uint64_t fate[EMULATOR_FATE_COUNT];
    uint64_t delivered_bytes;
    uint64_t duplicated;
    uint64_t reordered;
    uint64_t neighbour; /* address resolution, passed at once and counted nowhere else */
    uint64_t queue_us_max;
    uint64_t queue_samples;
    EmulatorHistogram *queue; /* borrowed; NULL: the distribution is not kept */
} EmulatorStats;

/* The word for a fate, as in the JSON and the log. */
const char *emulator_stats_fate_name(EmulatorFate fate);

/* One frame left the queue after this long. */
void emulator_stats_add_queue(EmulatorStats *stats, uint64_t waited_us);

/* The time in the queue that this share of the frames stayed within, in microseconds; 0 too when
 * it is not kept. */
uint64_t emulator_stats_queue_us(const EmulatorStats *stats, double share);

/* Counts from nothing again, into the same histogram. */
void emulator_stats_reset(EmulatorStats *stats);

/* Writes the members of one JSON object, without its braces. */
void emulator_stats_print(const EmulatorStats *stats, FILE *out);
