/* SPDX-License-Identifier: MPL-2.0 */
/* Lines of any kind, from 800 bit/s to 2 Gbit/s: whatever they do, all that is reliable arrives
 * once, both links come to rest, and neither is ever due with nothing to do (the world looks). */
#include <math.h>

#include "tests/unit/mesh_link_world.h"

enum { SEEDS = 60, SEEDS_SLOW = 1000, LEAF_SIZE = 4128 };

/* A number between the two, any magnitude as likely as any other. */
static uint64_t draw(GRand *random, double from, double to) {
    return (uint64_t)exp(g_rand_double_range(random, log(from), log(to)));
}

static bool one_in(GRand *random, int count) {
    return g_rand_int_range(random, 0, count) == 0;
}

static void draw_oddities(GRand *random, Line *line) {
    line->jitter_us = one_in(random, 4) ? draw(random, 100, 200000) : 0;
    line->reorder_ppm = one_in(random, 4) ? (uint32_t)draw(random, 100, 200000) : 0;
    line->duplicate_ppm = one_in(random, 4) ? (uint32_t)draw(random, 100, 200000) : 0;
    line->mtu = one_in(random, 6) ? (size_t)g_rand_int_range(random, 576, 1500) : 0;
    if (one_in(random, 5)) {
        line->fade_us = draw(random, 100000, 5000000);
        line->fade_gap_us = draw(random, 1000000, 30000000);
    }
}

static World *draw_world(GRand *random, uint32_t seed) {
    uint32_t loss_most_ppm = one_in(random, 3) ? 600000 : 100000;
    World *world = world_new(seed, draw(random, 800, 2e9), draw(random, 20, 3e6),
                             (uint32_t)g_rand_int_range(random, 0, (int)loss_most_ppm),
                             draw(random, 1500, 300000));

    world->timer_us = one_in(random, 2) ? 1 : 1000;
    for (unsigned i = 0; i < 2; i++) {
        draw_oddities(random, &world->line[i]);
    }
    if (one_in(random, 4)) {
        world->line[1].rate_bps = draw(random, 800, 2e9);
    }
    return world;
}

/* As much each way as takes the slower line half a minute, 800 KB at most. */
static void draw_sources(GRand *random, World *world) {
    uint64_t rate_bps = MIN(world->line[0].rate_bps, world->line[1].rate_bps);
    uint32_t leaves = (uint32_t)MIN(200, 1 + rate_bps / 8 * 30 / LEAF_SIZE);

    world_add(world, 0, LINK_DOCUMENT, LEAF_SIZE, 0, 0, leaves);
    world_add(world, 1, LINK_DOCUMENT, LEAF_SIZE, 0, 0, leaves / 2 + 1);
    world_add(world, 0, LINK_CHAT, 500, 2 * SECOND, 0, 5);
    world_add(world, 1, LINK_URGENT, 300, 3 * SECOND, 0, 5);
    if (one_in(random, 2)) {
        world_add(world, 0, LINK_VOICE, 80, 120000, SECOND / 2, 200);
        world_add(world, 1, LINK_PICTURE, 9000, SECOND, SECOND, 20)->sizes_vary = true;
    }
}

static void test_any_line(void) {
    uint32_t seeds = g_test_slow() ? SEEDS_SLOW : SEEDS;

    for (uint32_t seed = 1; seed <= seeds; seed++) {
        GRand *random = g_rand_new_with_seed(seed);
        World *world = draw_world(random, seed);
        const Line *line = &world->line[0];

        draw_sources(random, world);
        g_test_message("seed %u: %" G_GUINT64_FORMAT " and %" G_GUINT64_FORMAT
                       " bit/s, %" G_GUINT64_FORMAT " us, %u ppm lost",
                       seed, line->rate_bps, world->line[1].rate_bps, line->delay_us,
                       line->loss_ppm);
        world_run(world, world->now_us + 20000 * SECOND);
        world_check_done(world);
        world_free(world);
        g_rand_free(random);
    }
}

/* Bytes sent for each that arrived, of a document of 4 MB by a line whose queue is so short that it
 * hardly ever shows: what is lost is all that tells of too much. */
static double cost_by_short_queue(uint64_t delay_us, uint64_t queue_bytes, uint32_t loss_ppm,
                                  uint32_t reorder_ppm) {
    World *world = world_new(7, 10000000, delay_us, loss_ppm, queue_bytes);
    Source *document = world_add(world, 0, LINK_DOCUMENT, LEAF_SIZE, 0, 0, 1000);
    double cost;

    world->timer_us = 1000;
    world->line[0].reorder_ppm = world->line[1].reorder_ppm = reorder_ppm;
    world_run(world, world->now_us + 100 * SECOND);
    world_check_done(world);
    cost = (double)world->line[0].bytes / (double)document->bytes;
    world_free(world);
    return cost;
}

static void test_short_queue(void) {
    static const uint64_t DELAYS_US[] = {200, 2000, 10000, 40000};
    double most = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(DELAYS_US); i++) {
        for (unsigned odd = 0; odd < 6; odd++) {
            uint32_t loss_ppm = odd % 3 * 50000;
            double arrives = 1 - loss_ppm / 1e6;
            double cost = MAX(cost_by_short_queue(DELAYS_US[i], 3000, loss_ppm, odd / 3 * 50000),
                              cost_by_short_queue(DELAYS_US[i], 6000, loss_ppm, odd / 3 * 50000));

            g_test_message("%" G_GUINT64_FORMAT " us, %u ppm lost: %.2f bytes for one",
                           DELAYS_US[i], loss_ppm, cost);
            most = MAX(most, cost * arrives);
        }
    }
    g_assert_cmpfloat(most, <, 4);
}

int main(int count, char **words) {
    g_test_init(&count, &words, NULL);
    g_test_add_func("/mesh/link/any_line", test_any_line);
    g_test_add_func("/mesh/link/short_queue", test_short_queue);
    return g_test_run();
}
