/* SPDX-License-Identifier: MPL-2.0 */
/* One direction of the emulated line, in virtual time: what it promises, packet by packet. */
#include "tests/net/emulator/lane.h"

#include <glib.h>
#include <math.h>
#include <string.h>

enum { IP_BYTES = 1000, FRAME_BYTES = IP_BYTES + EMULATOR_FRAME_HEADER_BYTES };

typedef struct {
    unsigned landed;
    unsigned overtaken;
    uint64_t first_us;
    uint64_t last_us;
    uint64_t flight_us_min;
    uint64_t flight_us_max;
    uint64_t hash; /* of numbers and moments */
} Landing;

static EmulatorSettings settings_of(const char *words) {
    EmulatorSettings settings = emulator_settings_perfect();
    g_auto(GStrv) pairs = g_strsplit(words, " ", -1);
    for (unsigned i = 0; pairs[i] != NULL && *pairs[i] != '\0'; i++) {
        g_auto(GStrv) pair = g_strsplit(pairs[i], "=", 2);
        g_assert_true(emulator_settings_set(&settings, pair[0], pair[1]));
    }
    return settings;
}

static void lane_offer(EmulatorLane *lane, uint64_t now_us) {
    uint8_t bytes[FRAME_BYTES] = {[12] = 0x08, [14] = 0x45};
    emulator_lane_accept(lane, bytes, sizeof bytes, now_us);
}

static void lane_collect(EmulatorLane *lane, uint64_t until_us, Landing *landing) {
    static uint64_t highest;
    if (landing->landed == 0)
        highest = 0;
    while (emulator_lane_deadline_us(lane) <= until_us) {
        uint64_t now_us = emulator_lane_deadline_us(lane);
        EmulatorFrame *frame;
        while ((frame = emulator_lane_land(lane, now_us)) != NULL) {
            uint64_t flight_us = now_us - frame->arrived_us;
            if (landing->landed++ == 0) {
                landing->first_us = now_us;
                landing->flight_us_min = flight_us;
            }
            landing->overtaken += frame->number < highest;
            highest = MAX(highest, frame->number);
            landing->last_us = now_us;
            landing->flight_us_min = MIN(landing->flight_us_min, flight_us);
            landing->flight_us_max = MAX(landing->flight_us_max, flight_us);
            landing->hash = (landing->hash ^ frame->number ^ now_us << 16) * 1099511628211U;
            emulator_frame_destroy(frame);
        }
    }
}

/* Offers a number of frames at equal distances to a fresh lane and returns what landed. */
static Landing lane_play(const char *words, uint64_t seed, unsigned count, uint64_t gap_us,
                         EmulatorStats *ret_stats) {
    static EmulatorLane lane;
    EmulatorSettings settings = settings_of(words);
    Landing landing = {0};
    uint64_t now_us = 1000000;
    emulator_lane_init(&lane, "a>b", &settings, seed, now_us);
    for (unsigned i = 0; i < count; i++) {
        lane_collect(&lane, now_us, &landing);
        lane_offer(&lane, now_us);
        now_us += gap_us;
    }
    lane_collect(&lane, now_us + 1000000000, &landing);
    if (ret_stats != NULL)
        *ret_stats = lane.stats;
    emulator_lane_finish(&lane);
    return landing;
}

static void test_rate_and_delay(void) {
    Landing landing = lane_play("rate=64k delay=300", 1, 100, 0, NULL);
    g_assert_cmpuint(landing.landed, ==, 100);
    g_assert_cmpuint(landing.first_us, ==, 1000000 + 125000 + 300000);
    g_assert_cmpuint(landing.last_us, ==, 1000000 + 100 * 125000 + 300000);
}

static void test_queue_drops_the_tail(void) {
    static EmulatorStats stats;
    Landing landing = lane_play("rate=64k queue=3500", 1, 10, 0, &stats);
    /* One on the line and three waiting: 3,000 of 3,500 bytes. */
    g_assert_cmpuint(landing.landed, ==, 4);
    g_assert_cmpuint(stats.fate[EMULATOR_FATE_QUEUE], ==, 6);
    g_assert_cmpuint(stats.queue_us_max, ==, 375000);
    g_assert_cmpuint(stats.bytes, ==, 10 * IP_BYTES);
    g_assert_cmpuint(stats.delivered_bytes, ==, 4 * IP_BYTES);
}

static void test_mtu_drops_the_large(void) {
    g_assert_cmpuint(lane_play("mtu=1000", 1, 5, 10, NULL).landed, ==, 5);
    g_assert_cmpuint(lane_play("mtu=999", 1, 5, 10, NULL).landed, ==, 0);
}

static void test_loss_matches_its_share(void) {
    for (uint64_t seed = 1; seed <= 5; seed++) {
        Landing landing = lane_play("loss=20%", seed, 20000, 10, NULL);
        /* Five standard deviations of a binomial of 20,000. */
        g_assert_cmpfloat(fabs((double)landing.landed / 20000 - 0.8), <,
                          5 * sqrt(0.2 * 0.8 / 20000));
    }
}

static void test_bursts_in_frames(void) {
    static EmulatorStats stats;
    Landing landing = lane_play("burst_frames=5 burst_share=0.1", 3, 50000, 10, &stats);
    double share = (double)stats.fate[EMULATOR_FATE_BURST] / 50000;
    g_assert_cmpuint(landing.landed + stats.fate[EMULATOR_FATE_BURST], ==, 50000);
    g_assert_cmpfloat(fabs(share - 0.1), <, 0.015);
}

/* A radio path fades both ways at once unless told otherwise. */
static void test_fade_is_common(void) {
    static EmulatorLane lanes[3];
    EmulatorSettings common = settings_of("burst_ms=1000 burst_share=0.05");
    EmulatorSettings own = settings_of("burst_ms=1000 burst_share=0.05 fade=own");
    unsigned differences = 0;
    uint64_t bad = 0;
    emulator_lane_init(&lanes[0], "a>b", &common, 7, 0);
    emulator_lane_init(&lanes[1], "b>a", &common, 7, 0);
    emulator_lane_init(&lanes[2], "b>a", &own, 7, 0);
    for (uint64_t now_us = 0; now_us < 2000000000; now_us += 10000) {
        for (unsigned i = 0; i < 3; i++)
            emulator_fade_advance(&lanes[i].fade, &lanes[i].settings, now_us);
        g_assert_cmpint(lanes[0].fade.state, ==, lanes[1].fade.state);
        differences += lanes[0].fade.state != lanes[2].fade.state;
        bad += lanes[0].fade.state == EMULATOR_FADE_BAD;
    }
    g_assert_cmpuint(differences, >, 0);
    /* 2,000 s hold about a hundred fades of one second: within 3 to 7 % for any sane chain. */
    g_assert_cmpfloat(fabs((double)bad / 200000 - 0.05), <, 0.02);
    g_assert_cmpfloat(fabs((double)lanes[0].fade.bad_us / 2e9 - 0.05), <, 0.02);
}

static void test_jitter_keeps_order_or_not(void) {
    Landing kept = lane_play("delay=100 jitter=50", 1, 2000, 1000, NULL);
    Landing free_order = lane_play("delay=100 jitter=50 jitter_order=free", 1, 2000, 1000, NULL);
    g_assert_cmpuint(kept.landed, ==, 2000);
    g_assert_cmpuint(kept.overtaken, ==, 0);
    g_assert_cmpuint(free_order.overtaken, >, 100);
    g_assert_cmpuint(free_order.flight_us_min, >=, 50000);
    g_assert_cmpuint(free_order.flight_us_min, <, 55000);
    g_assert_cmpuint(free_order.flight_us_max, <=, 150000);
    g_assert_cmpuint(free_order.flight_us_max, >, 145000);
}

static void test_reorder_and_duplicate(void) {
    static EmulatorStats stats;
    Landing landing =
        lane_play("delay=20 reorder=5% reorder_ms=8 duplicate=2%", 1, 10000, 1000, &stats);
    g_assert_cmpuint(landing.landed, ==, 10000 + stats.duplicated);
    g_assert_cmpfloat(fabs((double)stats.reordered / 10000 - 0.05), <, 0.012);
    g_assert_cmpfloat(fabs((double)stats.duplicated / 10000 - 0.02), <, 0.008);
    g_assert_cmpuint(landing.overtaken, >=, stats.reordered / 2);
    g_assert_cmpuint(landing.flight_us_max, ==, 28000);
}

static void test_rate_changes_in_mid_frame(void) {
    static EmulatorLane lane;
    EmulatorSettings settings = settings_of("rate=8k");
    Landing landing = {0};
    emulator_lane_init(&lane, "a>b", &settings, 1, 0);
    lane_offer(&lane, 0); /* one second at 8 kbit/s */
    lane_collect(&lane, 500000, &landing);
    g_assert_true(emulator_lane_set(&lane, "rate", "80k", 500000));
    g_assert_false(emulator_lane_set(&lane, "rate", "fast", 500000));
    lane_collect(&lane, 10000000, &landing);
    g_assert_cmpuint(landing.landed, ==, 1);
    g_assert_cmpuint(landing.last_us, ==, 500000 + 50000);
    emulator_lane_finish(&lane);
}

static void test_outage_loses_what_leaves(void) {
    static EmulatorLane lane;
    EmulatorSettings settings = settings_of("delay=100");
    Landing landing = {0};
    emulator_lane_init(&lane, "a>b", &settings, 1, 0);
    lane_offer(&lane, 0);
    emulator_lane_switch(&lane, EMULATOR_LANE_DOWN, 50000);
    lane_offer(&lane, 60000);
    emulator_lane_switch(&lane, EMULATOR_LANE_UP, 70000);
    lane_offer(&lane, 80000);
    lane_collect(&lane, 1000000, &landing);
    g_assert_cmpuint(landing.landed, ==, 2); /* the first was flying already */
    g_assert_cmpuint(lane.stats.fate[EMULATOR_FATE_DOWN], ==, 1);
    emulator_lane_finish(&lane);
}

/* Address resolution belongs to the cable: no rate, no loss, no delay, no place in the counts. */
static void test_neighbours_pass(void) {
    static EmulatorLane lane;
    EmulatorSettings settings = settings_of("rate=1k delay=500 loss=1");
    uint8_t arp[60] = {[12] = 0x08, [13] = 0x06};
    uint8_t solicitation[86] = {[12] = 0x86, [13] = 0xdd, [20] = 58, [54] = 135};
    Landing landing = {0};
    emulator_lane_init(&lane, "a>b", &settings, 1, 0);
    emulator_lane_switch(&lane, EMULATOR_LANE_DOWN, 0);
    emulator_lane_accept(&lane, arp, sizeof arp, 1000);
    emulator_lane_accept(&lane, solicitation, sizeof solicitation, 1000);
    lane_collect(&lane, 1000, &landing);
    g_assert_cmpuint(landing.landed, ==, 2);
    g_assert_cmpuint(lane.stats.frames, ==, 0);
    g_assert_cmpuint(lane.stats.neighbour, ==, 2);
    emulator_lane_finish(&lane);
}

static void test_same_seed_same_line(void) {
    const char *words = "rate=256k delay=80 jitter=30 loss=5% reorder=5% duplicate=5% "
                        "burst_ms=200 burst_share=0.1 queue=16k";
    Landing first = lane_play(words, 42, 5000, 20000, NULL);
    Landing again = lane_play(words, 42, 5000, 20000, NULL);
    Landing other = lane_play(words, 43, 5000, 20000, NULL);
    g_assert_cmpuint(first.hash, ==, again.hash);
    g_assert_cmpuint(first.hash, !=, other.hash);
}

static void test_queue_percentiles(void) {
    static EmulatorHistogram queue;
    EmulatorStats stats = {.queue = &queue};
    for (uint64_t ms = 1; ms <= 1000; ms++)
        emulator_stats_add_queue(&stats, ms * 1000);
    g_assert_cmpfloat(fabs((double)emulator_stats_queue_us(&stats, 0.5) - 500e3), <, 500e3 * 0.016);
    g_assert_cmpfloat(fabs((double)emulator_stats_queue_us(&stats, 0.95) - 950e3), <,
                      950e3 * 0.016);
    g_assert_cmpuint(stats.queue_us_max, ==, 1000000);
}

int main(int count, char **words) {
    g_test_init(&count, &words, NULL);
    g_test_add_func("/net/lane/rate_and_delay", test_rate_and_delay);
    g_test_add_func("/net/lane/queue_drops_the_tail", test_queue_drops_the_tail);
    g_test_add_func("/net/lane/mtu_drops_the_large", test_mtu_drops_the_large);
    g_test_add_func("/net/lane/loss_matches_its_share", test_loss_matches_its_share);
    g_test_add_func("/net/lane/bursts_in_frames", test_bursts_in_frames);
    g_test_add_func("/net/lane/fade_is_common", test_fade_is_common);
    g_test_add_func("/net/lane/jitter_keeps_order_or_not", test_jitter_keeps_order_or_not);
    g_test_add_func("/net/lane/reorder_and_duplicate", test_reorder_and_duplicate);
    g_test_add_func("/net/lane/rate_changes_in_mid_frame", test_rate_changes_in_mid_frame);
    g_test_add_func("/net/lane/outage_loses_what_leaves", test_outage_loses_what_leaves);
    g_test_add_func("/net/lane/neighbours_pass", test_neighbours_pass);
    g_test_add_func("/net/lane/same_seed_same_line", test_same_seed_same_line);
    g_test_add_func("/net/lane/queue_percentiles", test_queue_percentiles);
    return g_test_run();
}
