/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/net/emulator/stats.h"

#include <inttypes.h>

enum { STEPS = 64 }; /* buckets an octave */

const char *emulator_stats_fate_name(EmulatorFate fate) {
    static const char *const names[EMULATOR_FATE_COUNT] = {
        [EMULATOR_FATE_DELIVERED] = "delivered", [EMULATOR_FATE_LOSS] = "loss",
        [EMULATOR_FATE_BURST] = "burst",         [EMULATOR_FATE_DOWN] = "down",
        [EMULATOR_FATE_QUEUE] = "queue",         [EMULATOR_FATE_MTU] = "mtu",
    };
    return names[fate];
}

/* Exact below 64 µs, then 64 equal steps in each octave. */
static unsigned bucket_of(uint64_t us) {
    unsigned shift = 0;
    while (us >> shift >= 2 * STEPS)
        shift++;
    unsigned bucket =
        us < STEPS ? (unsigned)us : (shift + 1) * STEPS + (unsigned)(us >> shift) - STEPS;
    return bucket < EMULATOR_STATS_BUCKETS ? bucket : EMULATOR_STATS_BUCKETS - 1;
}

static uint64_t bucket_middle_us(unsigned bucket) {
    if (bucket < 2 * STEPS)
        return bucket;
    unsigned shift = bucket / STEPS - 1;
    uint64_t low = (uint64_t)(STEPS + bucket % STEPS) << shift;
    return low + ((uint64_t)1 << shift) / 2;
}

void emulator_stats_add_queue(EmulatorStats *stats, uint64_t waited_us) {
    if (stats->queue != NULL)
        stats->queue->counts[bucket_of(waited_us)]++;
    stats->queue_samples++;
    if (waited_us > stats->queue_us_max)
        stats->queue_us_max = waited_us;
}

uint64_t emulator_stats_queue_us(const EmulatorStats *stats, double share) {
    double wanted = share * (double)stats->queue_samples;
    uint64_t seen = 0;
    for (unsigned bucket = 0; stats->queue != NULL && bucket < EMULATOR_STATS_BUCKETS; bucket++) {
        seen += stats->queue->counts[bucket];
        if (stats->queue->counts[bucket] > 0 && (double)seen >= wanted)
            return bucket_middle_us(bucket);
    }
    return 0;
}

void emulator_stats_reset(EmulatorStats *stats) {
    *stats = (EmulatorStats){.queue = stats->queue};
    if (stats->queue != NULL)
        *stats->queue = (EmulatorHistogram){{0}};
}

void emulator_stats_print(const EmulatorStats *stats, FILE *out) {
    fprintf(out, "\"packets\":%" PRIu64 ",\"bytes\":%" PRIu64 ",", stats->frames, stats->bytes);
    fprintf(out, "\"delivered\":%" PRIu64 ",\"delivered_bytes\":%" PRIu64 ",\"dropped\":{",
            stats->fate[EMULATOR_FATE_DELIVERED], stats->delivered_bytes);
    for (EmulatorFate fate = EMULATOR_FATE_LOSS; fate < EMULATOR_FATE_COUNT; fate++)
        fprintf(out, "%s\"%s\":%" PRIu64, fate > EMULATOR_FATE_LOSS ? "," : "",
                emulator_stats_fate_name(fate), stats->fate[fate]);
    fprintf(out, "},\"duplicated\":%" PRIu64 ",\"reordered\":%" PRIu64 ",\"neighbour\":%" PRIu64,
            stats->duplicated, stats->reordered, stats->neighbour);
    fprintf(out, ",\"queue_ms\":{\"p50\":%.3f,\"p95\":%.3f,\"max\":%.3f}",
            (double)emulator_stats_queue_us(stats, 0.5) / 1000,
            (double)emulator_stats_queue_us(stats, 0.95) / 1000,
            (double)stats->queue_us_max / 1000);
}
