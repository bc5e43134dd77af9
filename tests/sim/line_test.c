/* SPDX-License-Identifier: MPL-2.0 */
/* A line of a world and a lane of the emulator are one model: the same packets fare the same. */
#include <string.h>

#include "tests/net/emulator/link.h"
#include "tests/sim/line.h"

#define IP_BYTES 1000
#define PACKETS  3000
#define SEED     7

/* What became of the packets, in the order of landing. */
typedef struct {
    unsigned landed, overtaken;
    uint32_t highest;
    uint64_t last_us;
    uint64_t hash;
} Fate;

static void land(Fate *fate, uint64_t now_us, uint32_t number) {
    fate->landed++;
    fate->overtaken += number < fate->highest;
    fate->highest = MAX(fate->highest, number);
    fate->last_us = now_us;
    fate->hash = (fate->hash ^ number ^ now_us << 20) * 1099511628211U;
}

/* When each packet is offered: a little more than the rate, unevenly. */
static uint64_t gap_us(const EmulatorSettings *settings, Dice *dice) {
    uint64_t mean_us =
        (uint64_t)(IP_BYTES * 8e6 / (settings->rate_bps > 0 ? settings->rate_bps : 1e6));

    return dice_below(dice, 2 * mean_us * 10 / 11);
}

/* ---- the emulator, as its program drives it ---- */

static void collect(EmulatorLink *link, uint64_t until_us, Fate *fate) {
    while (emulator_link_deadline_us(link) <= until_us) {
        uint64_t now_us = emulator_link_deadline_us(link);
        EmulatorFrame *frame;

        emulator_link_advance(link, now_us);
        while ((frame = emulator_lane_land(&link->lane[0], now_us))) {
            uint32_t number;

            memcpy(&number, frame->bytes + EMULATOR_FRAME_HEADER_BYTES + 8, sizeof number);
            land(fate, now_us, number);
            emulator_frame_destroy(frame);
        }
    }
}

/* What became of all of them, the histogram of their waiting copied to the one given. */
static EmulatorStats stats_of(const EmulatorLane *lane, EmulatorHistogram *queue) {
    EmulatorStats stats = lane->stats;

    *queue = *stats.queue;
    stats.queue = queue;
    return stats;
}

static EmulatorStats by_emulator(const EmulatorSettings *settings, const char *schedule, Fate *fate,
                                 EmulatorHistogram *queue) {
    EmulatorLink *link = g_new0(EmulatorLink, 1);
    EmulatorSettings both[2] = {*settings, *settings};
    EmulatorStats stats;
    uint64_t now_us = 0;
    FILE *nowhere = fopen("/dev/null", "w");
    Dice dice;

    dice_init(&dice, SEED, DICE_SCENARIO);
    emulator_link_init(link, both, SEED, 0);
    if (*schedule)
        emulator_link_command(link, schedule, 0, nowhere);
    for (uint32_t i = 0; i < PACKETS; i++) {
        uint8_t bytes[EMULATOR_FRAME_HEADER_BYTES + IP_BYTES] = {[12] = 0x08, [14] = 0x45};

        memcpy(bytes + EMULATOR_FRAME_HEADER_BYTES + 8, &i, sizeof i);
        collect(link, now_us, fate);
        emulator_lane_accept(&link->lane[0], bytes, sizeof bytes, now_us);
        now_us += gap_us(settings, &dice);
    }
    collect(link, now_us + 60000000, fate);
    stats = stats_of(&link->lane[0], queue);
    fclose(nowhere);
    emulator_link_finish(link);
    g_free(link);
    return stats;
}

/* ---- the world's line ---- */

typedef struct {
    Schedule *schedule;
    Fate *fate;
} Far;

static void arrive(gpointer context, const uint8_t *bytes, size_t length) {
    Far *far = context;
    uint32_t number;

    g_assert_cmpuint(length, ==, sizeof number);
    memcpy(&number, bytes, sizeof number);
    land(far->fate, schedule_now_us(far->schedule), number);
}

static void run_until(Schedule *schedule, Line *line, uint64_t until_us, uint64_t down_every_us) {
    while (MIN(schedule_next_us(schedule), until_us) < until_us ||
           schedule_next_us(schedule) == until_us)
        schedule_do_next(schedule);
    schedule_advance(schedule, until_us);
    if (down_every_us)
        line_cut(line, until_us / down_every_us % 2 == 1);
}

static EmulatorStats by_world(const LineSettings *settings, uint64_t down_every_us, Fate *fate,
                              EmulatorHistogram *queue) {
    Schedule *schedule = schedule_create();
    Line *line = g_new0(Line, 1);
    Far far = {schedule, fate};
    EmulatorStats stats;
    uint64_t now_us = 0;
    Dice dice;

    dice_init(&dice, SEED, DICE_SCENARIO);
    line_init(line, "a>b", SEED, schedule, 0, arrive, &far);
    line_change(line, settings);
    line_measure(line);
    for (uint32_t i = 0; i < PACKETS; i++) {
        uint64_t edge_us = down_every_us
                               ? (schedule_now_us(schedule) / down_every_us + 1) * down_every_us
                               : UINT64_MAX;

        for (; edge_us <= now_us; edge_us += down_every_us)
            run_until(schedule, line, edge_us, down_every_us);
        run_until(schedule, line, now_us, 0);
        line_send(line, (const uint8_t *)&i, sizeof i, IP_BYTES);
        now_us += gap_us(&settings->lane, &dice);
    }
    for (uint64_t edge_us = now_us; down_every_us && edge_us < now_us + 60000000;
         edge_us = (edge_us / down_every_us + 1) * down_every_us)
        run_until(schedule, line, edge_us, edge_us % down_every_us ? 0 : down_every_us);
    run_until(schedule, line, now_us + 60000000, 0);
    stats = stats_of(&line->lane, queue);
    line_finish(line);
    schedule_destroy(schedule);
    g_free(line);
    return stats;
}

/* ---- the comparison ---- */

static void compare(const char *name, const LineSettings *line, const char *schedule,
                    uint64_t down_every_us) {
    static EmulatorHistogram queues[2];
    Fate ours = {0}, theirs = {0};
    EmulatorStats one = by_emulator(&line->lane, schedule, &theirs, &queues[0]);
    EmulatorStats other = by_world(line, down_every_us, &ours, &queues[1]);

    g_test_message("%s: %u of %d landed, %u overtaken, queue p95 %.0f ms; throughput %.0f bit/s",
                   name, ours.landed, PACKETS, ours.overtaken,
                   (double)emulator_stats_queue_us(&other, 0.95) / 1e3,
                   (double)ours.landed * IP_BYTES * 8e6 / (double)ours.last_us);
    g_assert_cmpuint(ours.landed, >, PACKETS / 4);
    g_assert_cmpuint(ours.landed, ==, theirs.landed);
    g_assert_cmpuint(ours.overtaken, ==, theirs.overtaken);
    g_assert_cmpuint(ours.last_us, ==, theirs.last_us);
    g_assert_cmpuint(ours.hash, ==, theirs.hash);
    for (unsigned fate = 0; fate < EMULATOR_FATE_COUNT; fate++)
        g_assert_cmpuint(one.fate[fate], ==, other.fate[fate]);
    g_assert_cmpmem(&queues[0], sizeof queues[0], &queues[1], sizeof queues[1]);
}

static void test_profiles(void) {
    static const char *const names[] = {"W1", "W2", "W3", "W4", "W5"};

    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        LineSettings line = {.damage_ppm = 0};
        const char *schedule;

        g_assert_true(emulator_settings_profile(names[i], &line.lane, &schedule));
        line.lane.mtu_bytes = LINE_MTU;
        compare(names[i], &line, schedule, *schedule ? 30000000 : 0);
    }
}

static void test_odd_lines(void) {
    static const char *const words[][4] = {
        {"rate", "256k", "jitter", "100"},
        {"rate", "256k", "reorder", "5%"},
        {"rate", "256k", "duplicate", "5%"},
        {"rate", "256k", "burst_share", "10%"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++) {
        LineSettings line = {.lane = emulator_settings_perfect()};

        line.lane.delay_us = 120000;
        line.lane.queue_bytes = 16000;
        line.lane.mtu_bytes = LINE_MTU;
        line.lane.burst_us = 1000000;
        g_assert_true(emulator_settings_set(&line.lane, words[i][0], words[i][1]));
        g_assert_true(emulator_settings_set(&line.lane, words[i][2], words[i][3]));
        compare(words[i][2], &line, "", 0);
    }
}

int main(int count, char **words) {
    g_test_init(&count, &words, NULL);
    g_test_add_func("/sim/line/profiles", test_profiles);
    g_test_add_func("/sim/line/odd_lines", test_odd_lines);
    return g_test_run();
}
