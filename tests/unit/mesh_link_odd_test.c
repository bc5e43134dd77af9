/* SPDX-License-Identifier: MPL-2.0 */
/* What odd lines give, over a few seeds of each; with `-m slow` over many. */
#include "tests/unit/mesh_link_figure.h"
#include "tests/unit/mesh_link_world.h"

enum { LIFE_US = 500000, LEAF_SIZE = 4128, RATE_BPS = 256000 };

static void test_rival(void) {
    static const struct {
        const char *name;
        uint64_t rate_bps, delay_us, queue_bytes;
    } LINES[] = {
        {"256 kbit/s, 40 ms, 32 KB", 256000, 40000, 32000},
        {"1 Mbit/s, 30 ms, 32 KB", 1000000, 30000, 32000},
        {"10 Mbit/s, 20 ms, 64 KB", 10000000, 20000, 64000},
        {"64 kbit/s, 100 ms, 16 KB", 64000, 100000, 16000},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(LINES); i++) {
        Figure ours = {.count = 0}, theirs = {.count = 0}, arrived = {.count = 0};
        Figure late = {.count = 0};

        for (uint32_t seed = 0; seed < seeds(); seed++) {
            World *world = world_new(5000 + seed, LINES[i].rate_bps, LINES[i].delay_us, 0,
                                     LINES[i].queue_bytes);
            Source *document = world_add(world, 0, LINK_DOCUMENT, LEAF_SIZE, 0, 0, NUMBERS);
            Source *voice;
            uint64_t bytes, rival;
            double all = (double)LINES[i].rate_bps * 60 / 8;

            world->timer_us = 1000;
            world_run_for(world, 10 * SECOND);
            world_add_rival(world);
            world_run_for(world, 10 * SECOND);
            voice = world_add(world, 0, LINK_VOICE, 70, 60000, LIFE_US, 900);
            bytes = world->line[0].bytes;
            rival = world_rival_bytes(world);
            g_assert_cmpuint(document->submitted, <, NUMBERS);
            world_run_for(world, 60 * SECOND);
            figure_add(&ours, (double)(world->line[0].bytes - bytes) / all);
            figure_add(&theirs, (double)(world_rival_bytes(world) - rival) / all);
            figure_add(&arrived, 100.0 * voice->arrived / voice->submitted);
            figure_add(&late, (double)world_percentile(voice->delays, 95) / 1e3);
            world_free(world);
        }
        g_test_message("beside CUBIC, %s: ours %s, its %s; voice %% arrived %s, p95 ms %s",
                       LINES[i].name, figure_text(&ours), figure_text(&theirs),
                       figure_text(&arrived), figure_text(&late));
        g_assert_cmpfloat(figure_least(&ours), >, 0.2);
        g_assert_cmpfloat(figure_least(&theirs), >, 0.3);
        g_assert_cmpfloat(figure_least(&arrived), >, 60);
    }
}

static void test_odd_lines(void) {
    static const struct {
        const char *name;
        uint64_t jitter_us;
        uint32_t loss, reorder, duplicate;
        uint64_t burst_every_us, burst_us, queue_bytes, mtu;
        double least; /* share of the limit */
        double most;  /* bytes sent for each of the document */
    } ODD[] = {
        {"jitter 100 ms", 100000, 10000, 0, 0, 0, 0, 32000, 0, 0.84, 1.1},
        {"jitter 20 ms", 20000, 10000, 0, 0, 0, 0, 32000, 0, 0.96, 1.1},
        {"reorder 5 %", 0, 0, 50000, 0, 0, 0, 32000, 0, 0.98, 1.1},
        {"duplicates 10 %", 0, 0, 0, 100000, 0, 0, 32000, 0, 0.98, 1.1},
        {"loss 40 %", 0, 400000, 0, 0, 0, 0, 32000, 0, 0.65, 1.95},
        {"a lost second in ten", 0, 0, 0, 0, 10 * SECOND, SECOND, 32000, 0, 0.92, 1.1},
        {"a queue of two packets", 0, 0, 0, 0, 0, 0, 2600, 0, 0.97, 1.25},
        {"MTU 576", 0, 10000, 0, 0, 0, 0, 32000, 576, 0.85, 1.2},
        {"MTU 1280", 0, 10000, 0, 0, 0, 0, 32000, 1280, 0.97, 1.1},
        {"MTU 1420", 0, 10000, 0, 0, 0, 0, 32000, 1420, 0.97, 1.1},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(ODD); i++) {
        Figure share = {.count = 0}, queue = {.count = 0}, sent = {.count = 0};
        double limit_bps = RATE_BPS * (1 - ODD[i].loss / 1e6) * 0.96;

        for (uint32_t seed = 0; seed < seeds(); seed++) {
            World *world = world_new(6000 + seed, RATE_BPS, 50000, ODD[i].loss, ODD[i].queue_bytes);
            Source *document = world_add(world, 0, LINK_DOCUMENT, LEAF_SIZE, 0, 0, 400);
            uint64_t start_us = world->now_us;

            world->timer_us = 1000;
            for (unsigned n = 0; n < 2; n++) {
                world->line[n].jitter_us = ODD[i].jitter_us;
                world->line[n].reorder_ppm = ODD[i].reorder;
                world->line[n].duplicate_ppm = ODD[i].duplicate;
                world->line[n].burst_every_us = ODD[i].burst_every_us;
                world->line[n].burst_us = ODD[i].burst_us;
                world->line[n].mtu = ODD[i].mtu;
            }
            world_run(world, start_us + 900 * SECOND);
            world_check_done(world);
            figure_add(&share, (double)document->bytes * 8 /
                                   world_seconds(document->arrived_us - start_us) / limit_bps /
                                   (ODD[i].burst_us ? 0.9 : 1));
            figure_add(&queue, (double)world_percentile(world->line[0].waits, 95) / 1e3);
            figure_add(&sent, (double)world->line[0].bytes / (double)document->bytes);
            world_free(world);
        }
        g_test_message("%s: document at %s of the limit, queue ms p95 %s, sent/size %s",
                       ODD[i].name, figure_text(&share), figure_text(&queue), figure_text(&sent));
        g_assert_cmpfloat(figure_least(&share), >, ODD[i].least);
        g_assert_cmpfloat(figure_most(&sent), <, ODD[i].most);
    }
}

/* ---- a line that is slower one way ---- */

typedef struct {
    Source *document, *voice, *vote;
    Figure share, in_time, vote50, vote95, queue95;
} Way;

static Way way_of(void) {
    return (Way){.share = {.count = 0}};
}

/* A document each way, beside a voice and votes where `spoken`. */
static void run_uneven(const uint64_t rate_bps[2], bool spoken, uint32_t seed, Way ways[2]) {
    World *world = world_new(seed, rate_bps[0], 150000, 0, 8000);
    uint64_t bytes[2];

    world->timer_us = 1000;
    world->line[1].rate_bps = rate_bps[1];
    for (unsigned i = 0; i < 2; i++) {
        ways[i].document = world_add(world, i, LINK_DOCUMENT, LEAF_SIZE, 0, 0, NUMBERS);
        if (spoken) {
            ways[i].voice = world_add(world, i, LINK_VOICE, 112, 120000, LIFE_US, NUMBERS);
            ways[i].voice->late_us = 150000 + 400000;
            ways[i].vote = world_add(world, i, LINK_URGENT, 300, 1500000, 0, 50);
        }
    }
    world_run_for(world, 10 * SECOND);
    for (unsigned i = 0; i < 2; i++) {
        bytes[i] = ways[i].document->bytes;
        g_array_set_size(world->line[i].waits, 0);
    }
    world_run_for(world, 60 * SECOND);
    for (unsigned i = 0; i < 2; i++) {
        Way *way = &ways[i];

        figure_add(&way->share, (double)(way->document->bytes - bytes[i]) * 8 / 60 /
                                    ((double)rate_bps[i] * 0.96));
        figure_add(&way->queue95, (double)world_percentile(world->line[i].waits, 95) / 1e3);
        if (spoken) {
            figure_add(&way->in_time, 100.0 * way->voice->in_time / way->voice->submitted);
            figure_add(&way->vote50, (double)world_percentile(way->vote->delays, 50) / 1e3);
            figure_add(&way->vote95, (double)world_percentile(way->vote->delays, 95) / 1e3);
        }
    }
    world_free(world);
}

/* The answers to what comes fast the one way do not fill the slow one. */
static void test_uneven_line(void) {
    static const struct {
        uint64_t rate_bps[2];
        bool spoken;
        double share[2];   /* of each way, for its document */
        double queue95;    /* of the slow one, ms */
        double in_time[2]; /* of the voices, in hundredths */
    } LINES[] = {
        {{16000, 128000}, false, {0.93, 0.95}, 700, {0, 0}},
        {{16000, 128000}, true, {0.08, 0.76}, 90, {92, 94}},
        {{32000, 2000000}, false, {0.85, 0.4}, 450, {0, 0}},
        {{32000, 2000000}, true, {0.34, 0.85}, 80, {96, 98.5}},
        {{64000, 512000}, true, {0.66, 0.9}, 60, {98.5, 98.5}},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(LINES); i++) {
        Way ways[2] = {way_of(), way_of()};

        for (uint32_t seed = 0; seed < seeds(); seed++) {
            run_uneven(LINES[i].rate_bps, LINES[i].spoken, 7000 + seed, ways);
        }
        for (unsigned n = 0; n < 2; n++) {
            g_test_message("%.0f kbit/s, %.0f the other way%s: document %s of it; queue ms p95 %s; "
                           "voice %% in time %s; vote ms p50 %s p95 %s",
                           (double)LINES[i].rate_bps[n] / 1e3,
                           (double)LINES[i].rate_bps[1 - n] / 1e3,
                           LINES[i].spoken ? ", spoken" : "", figure_text(&ways[n].share),
                           figure_text(&ways[n].queue95),
                           LINES[i].spoken ? figure_text(&ways[n].in_time) : "-",
                           LINES[i].spoken ? figure_text(&ways[n].vote50) : "-",
                           LINES[i].spoken ? figure_text(&ways[n].vote95) : "-");
            g_assert_cmpfloat(figure_least(&ways[n].share), >, LINES[i].share[n]);
            if (LINES[i].spoken) {
                g_assert_cmpfloat(figure_least(&ways[n].in_time), >, LINES[i].in_time[n]);
            }
        }
        g_assert_cmpfloat(figure_most(&ways[0].queue95), <, LINES[i].queue95);
    }
}

int main(int count, char **words) {
    g_test_init(&count, &words, NULL);
    g_test_add_func("/mesh/link_odd/rival", test_rival);
    g_test_add_func("/mesh/link_odd/odd_lines", test_odd_lines);
    g_test_add_func("/mesh/link_odd/uneven_line", test_uneven_line);
    return g_test_run();
}
