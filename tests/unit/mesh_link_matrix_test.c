/* SPDX-License-Identifier: MPL-2.0 */
/* The goals of weak lines, over a few seeds of each line; with `-m slow` over many. */
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

static uint32_t seeds(void) {
    return g_test_slow() ? 30 : 4;
}

static double share_up(const Profile *profile) {
    double cycle = (double)(profile->fade_us + profile->fade_gap_us);

    return cycle > 0 ? (double)profile->fade_gap_us / cycle : 1;
}

static double limit_bps(const Profile *profile) {
    return (double)profile->rate_bps * (1 - (double)profile->loss_ppm / 1e6) * 0.96 *
           share_up(profile);
}

/* ---- figures over seeds ---- */

typedef struct {
    double value[64];
    unsigned count;
} Figure;

static void figure_add(Figure *figure, double value) {
    g_assert_cmpuint(figure->count, <, G_N_ELEMENTS(figure->value));
    figure->value[figure->count++] = value;
}

static double figure_last(const Figure *figure) {
    return figure->value[figure->count - 1];
}

static int by_value(const void *a, const void *b) {
    double first = *(const double *)a;
    double second = *(const double *)b;

    return first < second ? -1 : first > second;
}

/* The least, the middle and the most, valid until the next few calls. */
static const char *figure_text(Figure *figure) {
    static char text[8][64];
    static unsigned next;
    char *here = text[next++ % 8];

    qsort(figure->value, figure->count, sizeof figure->value[0], by_value);
    g_snprintf(here, sizeof text[0], "%.4g/%.4g/%.4g", figure->value[0],
               figure->value[figure->count / 2], figure->value[figure->count - 1]);
    return here;
}

static double figure_middle(Figure *figure) {
    qsort(figure->value, figure->count, sizeof figure->value[0], by_value);
    return figure->value[figure->count / 2];
}

static double figure_least(const Figure *figure) {
    double least = figure->value[0];

    for (unsigned i = 1; i < figure->count; i++) {
        least = MIN(least, figure->value[i]);
    }
    return least;
}

static double figure_most(const Figure *figure) {
    double most = figure->value[0];

    for (unsigned i = 1; i < figure->count; i++) {
        most = MAX(most, figure->value[i]);
    }
    return most;
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
        Profile profile = {.name = ODD[i].name,
                           .rate_bps = 256000,
                           .delay_us = 50000,
                           .loss_ppm = ODD[i].loss,
                           .queue_bytes = ODD[i].queue_bytes};

        for (uint32_t seed = 0; seed < seeds(); seed++) {
            World *world = world_of(&profile, 6000 + seed);
            Source *document = world_add(world, 0, LINK_DOCUMENT, LEAF_SIZE, 0, 0, 400);
            uint64_t start_us = world->now_us;

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
                                   world_seconds(document->arrived_us - start_us) /
                                   limit_bps(&profile) / (ODD[i].burst_us ? 0.9 : 1));
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
    g_test_add_func("/mesh/link_matrix/document_alone", test_document_alone);
    g_test_add_func("/mesh/link_matrix/long_document_alone", test_long_document_alone);
    g_test_add_func("/mesh/link_matrix/three_at_once", test_three_at_once);
    g_test_add_func("/mesh/link_matrix/said_beside_both", test_said_beside_both);
    g_test_add_func("/mesh/link_matrix/rate_step", test_rate_step);
    g_test_add_func("/mesh/link_matrix/longer_way", test_longer_way);
    g_test_add_func("/mesh/link_matrix/rival", test_rival);
    g_test_add_func("/mesh/link_matrix/odd_lines", test_odd_lines);
    g_test_add_func("/mesh/link_matrix/uneven_line", test_uneven_line);
    return g_test_run();
}
