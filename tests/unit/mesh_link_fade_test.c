/* SPDX-License-Identifier: MPL-2.0 */
/* A slow line that is gone now and then: what it is taken for, and what is there when it is back.
 */
#include "mesh/link/weather.h"
#include "tests/unit/mesh_link_world.h"

enum { DELAY_US = 600000, VOICE_US = 120000, VOICE_SIZE = 109, VOTE_SIZE = 200, LEAF_SIZE = 4128 };

static World *slow_world(uint32_t seed) {
    World *world = world_new(seed, 16000, DELAY_US, 0, 8000);

    world->timer_us = 1000;
    return world;
}

static Source *add_voice(World *world) {
    Source *voice = world_add(world, 0, LINK_VOICE, VOICE_SIZE, VOICE_US, 500000, NUMBERS);

    voice->late_us = DELAY_US + 380000;
    return voice;
}

/* ---- what it is taken for ---- */

/* Packets 20 ms apart, of which some do not arrive. */
static void fill(Flight *flight, unsigned count, unsigned lost_from, unsigned lost_until) {
    FlightPacket *packet;

    flight_init(flight);
    for (unsigned i = 0; i < count; i++) {
        g_assert_true(flight_reserve(flight, 0, UINT64_MAX));
        flight_add(flight, i + 1, (i + 1) * 20000);
    }
    for (unsigned i = 0; i < count; i++) {
        if (i < lost_from || i >= lost_until) {
            flight_find(flight, i + 1, &packet);
            flight_resolve(flight, packet, FLIGHT_ACKED);
        }
    }
}

static void test_rows(void) {
    Flight flight;
    FlightPacket *packet;
    FlightRow row;

    fill(&flight, 40, 10, 30);
    flight_find(&flight, 15, &packet);
    row = flight_row(&flight, packet);
    g_assert_cmpuint(row.count, ==, 20);
    g_assert_cmpuint(row.before, ==, 4);
    g_assert_cmpuint(row.us, ==, 19 * 20000);
    g_assert_cmpuint(row.before_us, ==, 4 * 20000);
    flight_finish(&flight);
    fill(&flight, 40, 10, 11);
    flight_find(&flight, 11, &packet);
    row = flight_row(&flight, packet);
    g_assert_cmpuint(row.count, ==, 1);
    g_assert_cmpuint(row.us, ==, 0);
    flight_finish(&flight);
}

/* An outage is none of the weather, though each of its packets is missed when another arrives. */
static void test_found_one_by_one(void) {
    Weather weather = {.resolved = 0};
    FlightRow outage = {.count = 20, .us = 400000};
    FlightRow chance = {.count = 1};

    for (unsigned i = 0; i < 100; i++) {
        weather_learn(&weather, NULL);
    }
    for (outage.before = 0; outage.before < outage.count; outage.before++) {
        outage.before_us = outage.before * 20000;
        g_assert_cmpint(weather_learn(&weather, &outage), ==, WEATHER_OUTAGE);
        weather_learn(&weather, NULL);
        g_assert_false(weather_is_worse(&weather, false));
    }
    g_assert_cmpuint(weather.random_ppm, ==, 0);
    for (unsigned i = 0; i < 6; i++) {
        g_assert_cmpint(weather_learn(&weather, &chance), ==, WEATHER_STRANGE);
        weather_learn(&weather, NULL);
    }
    g_assert_true(weather_is_worse(&weather, false));
}

/* Beside a document and a voice, fades do not make it think less of the line. */
static void test_rate_stays(void) {
    unsigned less = 0;

    for (uint32_t seed = 1; seed <= 12; seed++) {
        World *world = slow_world(seed);

        for (unsigned i = 0; i < 2; i++) {
            world->line[i].fade_us = SECOND;
            world->line[i].fade_gap_us = 9 * SECOND;
        }
        world_add(world, 0, LINK_DOCUMENT, LEAF_SIZE, 0, 0, NUMBERS);
        world_run_for(world, 10 * SECOND);
        add_voice(world);
        for (unsigned i = 0; i < 200; i++) {
            world_run_for(world, SECOND);
            less += link_rate_bps(world->node[0].link) < 15000;
        }
        world_free(world);
    }
    g_test_message("of 2400 s, %u thinking that it carries less than 15 kbit/s", less);
    g_assert_cmpuint(less, <, 48);
}

/* ---- when it is back ---- */

/* How long after it is back a vote said in the outage is there, and how many voices said after it
 * was back are missed. */
static void come_back(uint32_t seed, uint64_t outage_us, uint64_t *ret_vote_us,
                      uint32_t *ret_missed) {
    World *world = slow_world(seed);
    Source *voice, *vote;
    uint64_t back_us;
    uint32_t first;

    *ret_missed = 0;
    world_add(world, 0, LINK_DOCUMENT, LEAF_SIZE, 0, 0, NUMBERS);
    voice = add_voice(world);
    vote = world_add(world, 0, LINK_URGENT, VOTE_SIZE, 0, 0, 1);
    vote->next_us = UINT64_MAX;
    world_run_for(world, 20 * SECOND + seed * 37000);
    back_us = world->now_us + outage_us;
    for (unsigned i = 0; i < 2; i++) {
        world->line[i].down_from_us = world->now_us;
        world->line[i].down_until_us = back_us;
    }
    world_run_for(world, SECOND / 2);
    g_assert_true(world_submit(world, 0, vote));
    world_run(world, back_us);
    first = voice->submitted;
    world_run_for(world, 10 * SECOND);
    g_assert_cmpuint(vote->arrived, ==, 1);
    *ret_vote_us = vote->arrived_us - back_us;
    while (voice->seen[first + *ret_missed] != SEEN_IN_TIME && *ret_missed < 50) {
        ++*ret_missed;
    }
    world_free(world);
}

static void test_back(void) {
    static const uint64_t OUTAGES_US[] = {SECOND, 2 * SECOND, 5 * SECOND, 9 * SECOND};

    for (unsigned i = 0; i < G_N_ELEMENTS(OUTAGES_US); i++) {
        uint64_t latest_us = 0;
        uint32_t most = 0;

        for (uint32_t seed = 0; seed < 12; seed++) {
            uint64_t vote_us;
            uint32_t missed;

            come_back(seed, OUTAGES_US[i], &vote_us, &missed);
            latest_us = MAX(latest_us, vote_us);
            most = MAX(most, missed);
        }
        g_test_message("back after %.0f s: a vote is there after %.2f s, %u voices are missed",
                       world_seconds(OUTAGES_US[i]), world_seconds(latest_us), most);
        g_assert_cmpuint(latest_us, <, DELAY_US + 900000);
        g_assert_cmpuint(most, <=, 2);
    }
}

int main(int count, char **words) {
    g_test_init(&count, &words, NULL);
    g_test_add_func("/mesh/link_fade/rows", test_rows);
    g_test_add_func("/mesh/link_fade/found_one_by_one", test_found_one_by_one);
    g_test_add_func("/mesh/link_fade/rate_stays", test_rate_stays);
    g_test_add_func("/mesh/link_fade/back", test_back);
    return g_test_run();
}
