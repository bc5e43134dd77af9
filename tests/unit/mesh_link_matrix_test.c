/* SPDX-License-Identifier: MPL-2.0 */
/* The goals of weak lines, over a few seeds of each line; with `-m slow` over many. */
#include "tests/unit/mesh_link_figure.h"
#include "tests/unit/mesh_link_world.h"

typedef struct {
    const char *name;
    uint64_t rate_bps, delay_us;
    uint32_t loss_ppm;
    uint64_t queue_bytes;
    uint64_t fade_us, fade_gap_us;
    bool flaps;
    /* the voice its ladder sends there: bytes of a message, and its time */
    size_t voice_size;
    uint64_t voice_us;
    uint64_t slack_us; /* what a frame may take beside the line's own delay */
} Profile;

enum { W1, W2, W3, W4, W5, PROFILE_COUNT };

/* A voice message: 19 bytes of headers of its own, 10 kbit/s in 60 ms or twice 6 kbit/s in 60 ms.
 */
static const Profile PROFILES[PROFILE_COUNT] = {
    {"W1", 256000, 100000, 30000, 32000, 0, 0, false, 94, 60000, 190000},
    {"W2", 64000, 300000, 100000, 16000, 0, 0, false, 112, 120000, 380000},
    {"W3", 16000, 600000, 0, 8000, SECOND, 19 * SECOND, false, 112, 120000, 380000},
    {"W4", 2000000, 20000, 200000, 64000, 0, 0, false, 94, 60000, 190000},
    {"W5", 256000, 80000, 20000, 32000, 0, 0, true, 94, 60000, 190000},
};

enum { LIFE_US = 500000, LEAF_SIZE = 4128, VOICE_SECONDS = 120 };

static World *world_of(const Profile *profile, uint32_t seed) {
    World *world = world_new(seed, profile->rate_bps, profile->delay_us, profile->loss_ppm,
                             profile->queue_bytes);

    for (unsigned i = 0; i < 2; i++) {
        world->line[i].fade_us = profile->fade_us;
        world->line[i].fade_gap_us = profile->fade_gap_us;
        world->line[i].burst_every_us = profile->flaps ? 60 * SECOND : 0;
        world->line[i].burst_us = profile->flaps ? 30 * SECOND : 0;
    }
    world->now_us = profile->flaps ? 30 * SECOND : world->now_us;
    world->timer_us = 1000;
    return world;
}

static double share_up(const Profile *profile) {
    double cycle = (double)(profile->fade_us + profile->fade_gap_us);

    return cycle > 0 ? (double)profile->fade_gap_us / cycle : 1;
}

static double limit_bps(const Profile *profile) {
    return (double)profile->rate_bps * (1 - (double)profile->loss_ppm / 1e6) * 0.96 *
           share_up(profile);
}

/* ---- a document alone ---- */

typedef struct {
    Figure share, sent, queue50, queue95;
} Alone;

/* The share of the time that the line from node 0 was up. */
static double up_share(World *world) {
    const Line *line = &world->line[0];
    uint64_t ahead_us =
        line->fades ? line->fade_flip_us - MIN(line->fade_flip_us, world->now_us) : 0;

    return 1 - (double)(line->faded_us - ahead_us) / (double)(world->now_us - WORLD_START_US);
}

static void run_alone(const Profile *profile, unsigned seconds, uint32_t seed, Alone *alone) {
    World *world = world_of(profile, seed);
    uint64_t start_us = world->now_us;
    double up;
    uint32_t leaves = (uint32_t)(profile->rate_bps / 8 * seconds / LEAF_SIZE);
    Source *source = world_add(world, 0, LINK_DOCUMENT, LEAF_SIZE, 0, 0, leaves);

    world_run(world, start_us + 2000 * SECOND);
    world_check_done(world);
    up = profile->flaps ? 0.5 : up_share(world);
    figure_add(&alone->share, (double)source->bytes * 8 /
                                  world_seconds(source->arrived_us - start_us) /
                                  (limit_bps(profile) / share_up(profile) * up));
    figure_add(&alone->sent, (double)world->line[0].bytes / (double)source->bytes);
    figure_add(&alone->queue50, (double)world_percentile(world->line[0].waits, 50) / 1e3);
    figure_add(&alone->queue95, (double)world_percentile(world->line[0].waits, 95) / 1e3);
    world_free(world);
}

/* Of a document that takes the line so long; in every seed at least this share of the limit, and
 * this queue at most in 95 of 100 packets. */
static void document_alone(unsigned seconds, const double least[PROFILE_COUNT],
                           const double queue_ms[PROFILE_COUNT]) {
    for (unsigned i = 0; i < PROFILE_COUNT; i++) {
        Alone alone = {.share = {.count = 0}};

        for (uint32_t seed = 0; seed < seeds(); seed++) {
            run_alone(&PROFILES[i], seconds, 1000 + seed, &alone);
        }
        g_test_message("%s document of %u s alone: share of the limit %s; sent/size %s; queue ms "
                       "p50 %s p95 %s",
                       PROFILES[i].name, seconds, figure_text(&alone.share),
                       figure_text(&alone.sent), figure_text(&alone.queue50),
                       figure_text(&alone.queue95));
        g_assert_cmpfloat(figure_least(&alone.share), >, least[i]);
        g_assert_cmpfloat(figure_most(&alone.queue95), <, queue_ms[i]);
    }
}

static void test_document_alone(void) {
    static const double least[] = {0.96, 0.87, 0.72, 0.94, 0.98};
    static const double queue_ms[] = {60, 370, 950, 10, 60};

    document_alone(60, least, queue_ms);
}

static void test_long_document_alone(void) {
    static const double least[] = {0.97, 0.93, 0.84, 0.96, 0.94};
    static const double queue_ms[] = {60, 250, 600, 10, 60};

    if (!g_test_slow()) {
        g_test_skip("only with -m slow");
        return;
    }
    document_alone(300, least, queue_ms);
}

/* ---- three at once ---- */

typedef struct {
    Figure in_time, missed, cost, vote50, vote95, left, queue95;
} Three;

static void run_three(const Profile *profile, LinkPriority said, uint32_t seed, Three *three) {
    World *world = world_of(profile, seed);
    Source *document = world_add(world, 0, LINK_DOCUMENT, LEAF_SIZE, 0, 0, NUMBERS);
    uint32_t frames = (uint32_t)(VOICE_SECONDS * SECOND / profile->voice_us);
    Source *voice, *vote;
    uint64_t voice_bytes, document_bytes;
    double cost, votes_bps;

    world_run_for(world, 10 * SECOND);
    voice =
        world_add(world, 0, LINK_VOICE, profile->voice_size, profile->voice_us, LIFE_US, frames);
    voice->late_us = profile->delay_us + profile->slack_us;
    vote = world_add(world, 0, said, 300, 1500000, 0, VOICE_SECONDS * 2 / 3);
    world_run_for(world, 2 * SECOND);
    g_array_set_size(world->line[0].waits, 0);
    voice_bytes = world->line[0].voice_bytes;
    document_bytes = document->bytes;
    world_run_for(world, (VOICE_SECONDS - 4) * SECOND);
    cost = (double)(world->line[0].voice_bytes - voice_bytes) * 8 / (VOICE_SECONDS - 4);
    votes_bps = 360 * 8 / 1.5;
    figure_add(&three->left, (double)(document->bytes - document_bytes) * 8 / (VOICE_SECONDS - 4) /
                                 (limit_bps(profile) - cost - votes_bps));
    figure_add(&three->cost, cost / 1e3);
    figure_add(&three->queue95, (double)world_percentile(world->line[0].waits, 95) / 1e3);
    world_run_for(world, 20 * SECOND);
    g_assert_cmpuint(vote->arrived, ==, vote->submitted);
    figure_add(&three->in_time, 100.0 * voice->in_time / voice->submitted);
    figure_add(&three->missed, 100 * up_share(world) - figure_last(&three->in_time));
    figure_add(&three->vote50, (double)world_percentile(vote->delays, 50) / 1e3);
    figure_add(&three->vote95, (double)world_percentile(vote->delays, 95) / 1e3);
    world_free(world);
}

static void test_three_at_once(void) {
    /* Voice late or lost, in hundredths of the time the line was up; kbit/s; ms; share; ms. */
    static const struct {
        double missed, missed_middle, cost, vote50, vote95, left, queue95;
    } BOUNDS[] = {
        {0.4, 0.3, 33, 150, 450, 0.94, 40},
        {1.5, 1, 23, 420, 520, 0.8, 60},
        {7, 4, 11, 940, 2500, 0.4, 220},
        {0.3, 0.2, 48, 36, 90, 0.95, 16},
    };

    for (unsigned i = 0; i < W5; i++) {
        Three three = {.in_time = {.count = 0}};

        for (uint32_t seed = 0; seed < seeds(); seed++) {
            run_three(&PROFILES[i], LINK_URGENT, 2000 + seed, &three);
        }
        g_test_message("%s three at once: voice %% in time %s, missed while up %s, kbit/s %s; vote "
                       "ms p50 %s p95 %s; "
                       "document's share of the rest %s; queue ms p95 %s",
                       PROFILES[i].name, figure_text(&three.in_time), figure_text(&three.missed),
                       figure_text(&three.cost), figure_text(&three.vote50),
                       figure_text(&three.vote95), figure_text(&three.left),
                       figure_text(&three.queue95));
        g_assert_cmpfloat(figure_most(&three.missed), <, BOUNDS[i].missed);
        g_assert_cmpfloat(figure_middle(&three.missed), <, BOUNDS[i].missed_middle);
        g_assert_cmpfloat(figure_most(&three.cost), <, BOUNDS[i].cost);
        g_assert_cmpfloat(figure_most(&three.vote50), <, BOUNDS[i].vote50);
        g_assert_cmpfloat(figure_most(&three.vote95), <, BOUNDS[i].vote95);
        g_assert_cmpfloat(figure_least(&three.left), >, BOUNDS[i].left);
        g_assert_cmpfloat(figure_most(&three.queue95), <, BOUNDS[i].queue95);
    }
}

/* What is said now and then is there as soon as a vote is, though voice goes before it. */
static void test_said_beside_both(void) {
    static const double vote50_ms[] = {150, 420, 950, 37};

    for (unsigned i = 0; i < W5; i++) {
        Three three = {.in_time = {.count = 0}};

        for (uint32_t seed = 0; seed < seeds(); seed++) {
            run_three(&PROFILES[i], LINK_CHAT, 2500 + seed, &three);
        }
        g_test_message("%s said beside voice and document: ms p50 %s p95 %s; voice missed while up "
                       "%s",
                       PROFILES[i].name, figure_text(&three.vote50), figure_text(&three.vote95),
                       figure_text(&three.missed));
        g_assert_cmpfloat(figure_most(&three.vote50), <, vote50_ms[i]);
    }
}

/* ---- changes of the line ---- */

static World *spoken_world(uint32_t seed, uint64_t rate_bps, uint64_t delay_us, uint32_t loss_ppm,
                           Source **ret_document, Source **ret_voice) {
    World *world = world_new(seed, rate_bps, delay_us, loss_ppm, 32000);

    world->timer_us = 1000;
    *ret_document = world_add(world, 0, LINK_DOCUMENT, LEAF_SIZE, 0, 0, NUMBERS);
    *ret_voice = world_add(world, 0, LINK_VOICE, 70, 60000, LIFE_US, NUMBERS);
    world_run_for(world, 20 * SECOND + seed % 7 * 37000);
    return world;
}

/* How long after now the first of ten voice messages in a row that were in time was submitted. */
static double until_whole(World *world, Source *voice, uint64_t delay_us) {
    uint32_t from = voice->submitted;
    uint32_t run = 0;
    uint32_t i;

    voice->late_us = delay_us + 400000;
    world_run_for(world, 40 * SECOND);
    for (i = from; i < voice->submitted && run < 10; i++) {
        run = voice->seen[i] == SEEN_IN_TIME ? run + 1 : 0;
    }
    return run < 10 ? 40 : (i - from - 10) * 0.06;
}

static double until_used(World *world, const Source *document, double bps) {
    uint64_t from_us = world->now_us;
    uint64_t bytes;

    do {
        bytes = document->bytes;
        world_run_for(world, SECOND / 2);
    } while ((double)(document->bytes - bytes) * 16 < bps && world->now_us < from_us + 60 * SECOND);
    return world_seconds(world->now_us - from_us);
}

static void test_rate_step(void) {
    Figure whole = {.count = 0}, back = {.count = 0};

    for (uint32_t seed = 0; seed < seeds(); seed++) {
        Source *document, *voice;
        World *world = spoken_world(3000 + seed, 256000, 100000, 0, &document, &voice);

        world->line[0].rate_bps = world->line[1].rate_bps = 32000;
        figure_add(&whole, until_whole(world, voice, 100000));
        world->line[0].rate_bps = world->line[1].rate_bps = 256000;
        figure_add(&back, until_used(world, document, 190000));
        world_free(world);
    }
    g_test_message("256 to 32 kbit/s: voice whole after s %s; back at 256 after s %s",
                   figure_text(&whole), figure_text(&back));
    g_assert_cmpfloat(figure_most(&whole), <, 2.6);
    g_assert_cmpfloat(figure_most(&back), <, 8.5);
}

/* The way becomes longer and nobody says so: for a while that looks like a queue. */
static void test_longer_way(void) {
    static const struct {
        const char *name;
        uint64_t rate_bps, delay_us, longer_us;
        uint32_t loss_ppm;
        double least; /* of the line, for a document beside voice */
    } WAYS[] = {
        {"LAN to +40 ms", 20000000, 1000, 40000, 0, 0.98},
        {"1 Mbit/s, +150 ms", 1000000, 30000, 180000, 10000, 0.88},
        {"256 kbit/s, +300 ms", 256000, 40000, 340000, 30000, 0.66},
        {"64 kbit/s, +300 ms", 64000, 100000, 400000, 30000, 0.31},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(WAYS); i++) {
        Figure whole = {.count = 0}, share = {.count = 0};

        for (uint32_t seed = 0; seed < seeds(); seed++) {
            Source *document, *voice;
            World *world = spoken_world(4000 + seed, WAYS[i].rate_bps, WAYS[i].delay_us,
                                        WAYS[i].loss_ppm, &document, &voice);
            uint64_t bytes;

            world->line[0].delay_us = world->line[1].delay_us = WAYS[i].longer_us;
            bytes = document->bytes;
            figure_add(&whole, until_whole(world, voice, WAYS[i].longer_us));
            figure_add(&share, (double)(document->bytes - bytes) * 8 / 40 /
                                   ((double)WAYS[i].rate_bps * 0.96));
            world_free(world);
        }
        g_test_message("%s, untold: voice whole after s %s; document at %s of the line in 40 s",
                       WAYS[i].name, figure_text(&whole), figure_text(&share));
        g_assert_cmpfloat(figure_most(&whole), <, 1);
        g_assert_cmpfloat(figure_least(&share), >, WAYS[i].least);
    }
}

int main(int count, char **words) {
    g_test_init(&count, &words, NULL);
    g_test_add_func("/mesh/link_matrix/document_alone", test_document_alone);
    g_test_add_func("/mesh/link_matrix/long_document_alone", test_long_document_alone);
    g_test_add_func("/mesh/link_matrix/three_at_once", test_three_at_once);
    g_test_add_func("/mesh/link_matrix/said_beside_both", test_said_beside_both);
    g_test_add_func("/mesh/link_matrix/rate_step", test_rate_step);
    g_test_add_func("/mesh/link_matrix/longer_way", test_longer_way);
    return g_test_run();
}
