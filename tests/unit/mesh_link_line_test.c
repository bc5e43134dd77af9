/* SPDX-License-Identifier: MPL-2.0 */
/* What a link makes of bad lines: figures, and the bounds they must keep. */
#include "tests/unit/mesh_link_world.h"

typedef struct {
    const char *name;
    uint64_t rate_bps, delay_us;
    uint32_t loss_ppm;
    uint64_t queue_bytes;
    uint64_t burst_every_us, burst_us;
} Profile;

static const Profile PROFILES[] = {
    {"W1", 256000, 100000, 30000, 32768, 0, 0},
    {"W2", 64000, 300000, 100000, 16384, 0, 0},
    {"W3", 16000, 600000, 0, 8192, 20 * SECOND, SECOND},
    {"W4", 2000000, 20000, 200000, 65536, 0, 0},
    {"clean 256k", 256000, 50000, 0, 32768, 0, 0},
};

static World *world_of(const Profile *profile, uint32_t seed) {
    World *world = world_new(seed, profile->rate_bps, profile->delay_us, profile->loss_ppm,
                             profile->queue_bytes);

    for (unsigned i = 0; i < 2; i++) {
        world->line[i].burst_every_us = profile->burst_every_us;
        world->line[i].burst_us = profile->burst_us;
    }
    world->timer_us = 1000;
    return world;
}

/* Wire time of a full packet. */
static double packet_ms(const Line *line) {
    return (double)(CAPACITY + OVERHEAD) * 8e3 / (double)line->rate_bps;
}

static double limit_bps(const Line *line, double share_up) {
    return (double)line->rate_bps * (1 - (double)line->loss_ppm / 1e6) * 0.96 * share_up;
}

static void test_document_alone(void) {
    for (unsigned i = 0; i < G_N_ELEMENTS(PROFILES); i++) {
        World *world = world_of(&PROFILES[i], 11 + i);
        uint64_t start_us = world->now_us;
        double up = PROFILES[i].burst_us ? 0.95 : 1;
        uint32_t leaves = (uint32_t)(PROFILES[i].rate_bps / 8 * 60 / 4128);
        Source *source = world_add(world, 0, LINK_DOCUMENT, 4128, 0, 0, leaves);
        double share;
        double queue;

        world_run(world, start_us + 600 * SECOND);
        world_check_done(world);
        share = (double)source->bytes * 8 / world_seconds(source->arrived_us - start_us) /
                limit_bps(&world->line[0], up);
        queue = (double)world_percentile(world->line[0].waits, 95) / 1e3;
        g_test_message(
            "document alone, %s: %.3f of the limit, sent/size %.3f, queue p50 %.0f p95 "
            "%.0f ms (%.2f packets), max %.0f, dropped %" G_GUINT64_FORMAT
            ", back %.3f, thought %u kbit/s",
            PROFILES[i].name, share, (double)world->line[0].bytes / (double)source->bytes,
            (double)world_percentile(world->line[0].waits, 50) / 1e3, queue,
            queue / packet_ms(&world->line[0]),
            (double)world_percentile(world->line[0].waits, 100) / 1e3, world->line[0].dropped,
            (double)world->line[1].bytes / (double)world->line[0].bytes,
            link_state(world->node[0].link, world->now_us).rate_bps / 1000);
        g_assert_cmpfloat(share, >, 0.85);
        world_free(world);
    }
}

static void test_three_at_once(void) {
    for (unsigned i = 0; i < G_N_ELEMENTS(PROFILES); i++) {
        World *world = world_of(&PROFILES[i], 21 + i);
        Source *document = world_add(world, 0, LINK_DOCUMENT, 4128, 0, 0, NUMBERS);
        uint64_t frame_us = PROFILES[i].rate_bps < 32000 ? 120000 : 60000;
        uint64_t life_us = PROFILES[i].delay_us + 500000;
        Source *voice, *vote;
        double left;

        world_run_for(world, 10 * SECOND);
        voice =
            world_add(world, 0, LINK_VOICE, frame_us > 60000 ? 96 : 51, frame_us, life_us, 1000);
        vote = world_add(world, 0, LINK_URGENT, 300, 2 * SECOND, 0, (uint32_t)(frame_us / 2000));
        world_run_for(world, 2 * SECOND);
        g_array_set_size(world->line[0].waits, 0);
        left = (double)document->bytes;
        world_run_for(world, frame_us * 1000 - 4 * SECOND);
        left = ((double)document->bytes - left) * 8 / (world_seconds(frame_us * 1000) - 4);
        world_run_for(world, 10 * SECOND);
        g_test_message("with voice and votes, %s: voice %.2f %% in time, p95 %.0f ms; vote p50 "
                       "%.0f p95 %.0f max %.0f ms; document %.1f kbit/s; queue p50 %.0f p95 %.0f "
                       "ms (packet %.0f)",
                       PROFILES[i].name, 100.0 * voice->in_time / voice->submitted,
                       (double)world_percentile(voice->delays, 95) / 1e3,
                       (double)world_percentile(vote->delays, 50) / 1e3,
                       (double)world_percentile(vote->delays, 95) / 1e3,
                       (double)world_percentile(vote->delays, 100) / 1e3, left / 1e3,
                       (double)world_percentile(world->line[0].waits, 50) / 1e3,
                       (double)world_percentile(world->line[0].waits, 95) / 1e3,
                       packet_ms(&world->line[0]));
        g_assert_cmpuint(vote->arrived, ==, vote->submitted);
        world_free(world);
    }
}

static void test_voice_beside_document(void) {
    Profile profile = {"64k", 64000, 300000, 50000, 16384, 0, 0};
    uint32_t submitted = 0;
    uint32_t in_time = 0;
    GArray *votes = g_array_new(FALSE, FALSE, sizeof(uint64_t));

    for (uint32_t seed = 1; seed <= 6; seed++) {
        World *world = world_of(&profile, seed);
        Source *document = world_add(world, 0, LINK_DOCUMENT, 4096, 0, 0, 256);
        Source *voice = world_add(world, 0, LINK_VOICE, 50, 60000, 500000, 3000);
        Source *vote = world_add(world, 0, LINK_URGENT, 300, 7 * SECOND, 0, 20);

        world_run(world, world->now_us + 400 * SECOND);
        world_check_done(world);
        g_assert_cmpuint(document->arrived, ==, 256);
        submitted += voice->submitted;
        in_time += voice->in_time;
        g_array_append_vals(votes, vote->delays->data, vote->delays->len);
        world_free(world);
    }
    g_test_message("1 MB on 64 kbit/s, 300 ms, 5 %%: voice %.2f %% in time; vote p50 %.0f p95 "
                   "%.0f max %.0f ms",
                   100.0 * in_time / submitted, (double)world_percentile(votes, 50) / 1e3,
                   (double)world_percentile(votes, 95) / 1e3,
                   (double)world_percentile(votes, 100) / 1e3);
    g_assert_cmpfloat(1.0 * in_time / submitted, >, 0.985);
    g_assert_cmpuint(world_percentile(votes, 95), <, SECOND);
    g_array_free(votes, TRUE);
}

static void test_outage(void) {
    for (uint32_t seed = 1; seed <= 4; seed++) {
        Profile profile = {"W5", 256000, 80000, 20000, 32768, 0, 0};
        World *world = world_of(&profile, seed);
        Source *document = world_add(world, 0, LINK_DOCUMENT, 4096, 0, 0, 600);
        Source *vote = world_add(world, 0, LINK_URGENT, 300, 4 * SECOND, 0, 20);
        uint64_t back_us = world->now_us + 40 * SECOND;
        uint64_t bytes, packets;

        for (unsigned i = 0; i < 2; i++) {
            world->line[i].down_from_us = back_us - 30 * SECOND;
            world->line[i].down_until_us = back_us;
        }
        world_run_for(world, 11 * SECOND);
        bytes = world->line[0].bytes;
        packets = world->line[0].packets;
        world_run(world, back_us);
        bytes = world->line[0].bytes - bytes;
        packets = world->line[0].packets - packets;
        g_assert_cmpuint(packets, <, 60);
        bytes += 0;
        packets = document->arrived;
        while (vote->arrived < vote->submitted) {
            world_run_for(world, 10000);
        }
        g_test_message("outage of 30 s: %" G_GUINT64_FORMAT " bytes sent into it after the first "
                       "second, all votes there %.2f s after it",
                       bytes, world_seconds(world->now_us - back_us));
        g_assert_cmpuint(world->now_us - back_us, <, 3 * SECOND);
        world_run(world, world->now_us + 400 * SECOND);
        world_check_done(world);
        g_assert_cmpuint(document->arrived, ==, 600);
        world_free(world);
    }
}

static void test_asymmetric(void) {
    Profile profile = {"128/16", 128000, 150000, 20000, 16384, 0, 0};
    World *world = world_of(&profile, 5);
    Source *down = world_add(world, 0, LINK_DOCUMENT, 4096, 0, 0, 250);
    Source *up = world_add(world, 1, LINK_DOCUMENT, 4096, 0, 0, 30);
    uint64_t start_us = world->now_us;
    double down_share, up_share;

    world->line[1].rate_bps = 16000;
    world_run(world, start_us + 600 * SECOND);
    world_check_done(world);
    down_share = (double)down->bytes * 8 / world_seconds(down->arrived_us - start_us) / 128e3;
    up_share = (double)up->bytes * 8 / world_seconds(up->arrived_us - start_us) / 16e3;
    g_test_message("128 down, 16 up, documents both ways: %.2f of the line down, %.2f up; queue "
                   "p95 %.0f and %.0f ms",
                   down_share, up_share, (double)world_percentile(world->line[0].waits, 95) / 1e3,
                   (double)world_percentile(world->line[1].waits, 95) / 1e3);
    g_assert_cmpfloat(down_share, >, 0.7);
    g_assert_cmpfloat(up_share, >, 0.5);
    world_free(world);
}

/* How long after now the first of ten voice messages in a row that were in time was submitted. */
static uint64_t until_whole(World *world, const Source *voice) {
    uint32_t from = voice->submitted;
    uint32_t run = 0;
    uint32_t i;

    world_run_for(world, 30 * SECOND);
    for (i = from; i < voice->submitted && run < 10; i++) {
        run = voice->seen[i] == SEEN_IN_TIME ? run + 1 : 0;
    }
    return run < 10 ? 30 * SECOND : (i - 10 - from) * voice->every_us;
}

static void test_rate_step(void) {
    Profile profile = {"256", 256000, 100000, 0, 32768, 0, 0};
    World *world = world_of(&profile, 6);
    Source *document = world_add(world, 0, LINK_DOCUMENT, 4096, 0, 0, NUMBERS);
    Source *voice = world_add(world, 0, LINK_VOICE, 50, 60000, 500000, NUMBERS);
    uint64_t whole_us, back_us, bytes;

    world_run_for(world, 20 * SECOND);
    world->line[0].rate_bps = world->line[1].rate_bps = 32000;
    whole_us = until_whole(world, voice);
    world->line[0].rate_bps = world->line[1].rate_bps = 256000;
    back_us = world->now_us;
    do {
        bytes = document->bytes;
        world_run_for(world, SECOND);
    } while ((document->bytes - bytes) * 8 < 190000 && world->now_us < back_us + 60 * SECOND);
    g_test_message("256 to 32 kbit/s: voice whole after %.1f s; back at 256: used after %.0f s",
                   world_seconds(whole_us), world_seconds(world->now_us - back_us));
    g_assert_cmpuint(whole_us, <, 5 * SECOND);
    g_assert_cmpuint(world->now_us - back_us, <, 15 * SECOND);
    world_free(world);
}

/* The way becomes longer and nobody says so: for a while that looks like a queue. */
static void test_longer_way(void) {
    Profile profile = {"256", 256000, 40000, 0, 32768, 0, 0};
    World *world = world_of(&profile, 8);
    Source *document = world_add(world, 0, LINK_DOCUMENT, 4096, 0, 0, NUMBERS);
    uint64_t bytes;
    double share[2];

    world_run_for(world, 20 * SECOND);
    world->line[0].delay_us = world->line[1].delay_us = 190000;
    for (unsigned i = 0; i < 2; i++) {
        bytes = document->bytes;
        world_run_for(world, 40 * SECOND);
        share[i] = (double)(document->bytes - bytes) * 8 / 40 / limit_bps(&world->line[0], 1);
    }
    g_test_message("300 ms more there and back, untold: %.2f of the limit in the first 40 s, %.2f "
                   "in the next",
                   share[0], share[1]);
    g_assert_cmpfloat(share[0], >, 0.4);
    g_assert_cmpfloat(share[1], >, 0.9);
    world_free(world);
}

/* Another's packets fill the queue however little we send: we keep a part of the line. */
static void test_foreign_queue(void) {
    Profile profile = {"256", 256000, 40000, 0, 32768, 0, 0};
    World *world = world_of(&profile, 8);
    Source *document = world_add(world, 0, LINK_DOCUMENT, 4096, 0, 0, NUMBERS);
    uint64_t bytes;
    uint64_t from_us;
    double share;

    world_run_for(world, 10 * SECOND);
    from_us = world->now_us;
    bytes = document->bytes;
    while (world->now_us < from_us + 60 * SECOND) {
        /* Whoever it is keeps half a second in the queue. */
        world->line[0].busy_us = MAX(world->line[0].busy_us, world->now_us + SECOND / 2);
        world_run_for(world, 20000);
    }
    share = (double)(document->bytes - bytes) * 8 / 60 / limit_bps(&world->line[0], 1);
    g_test_message("half a second of another's queue: %.2f of the line is ours", share);
    g_assert_cmpfloat(share, >, 0.05);
    world_free(world);
}

static void test_lan(void) {
    Profile profile = {"LAN", 1000000000, 100, 0, 262144, 0, 0};
    World *world = world_of(&profile, 7);
    Source *document = world_add(world, 0, LINK_DOCUMENT, 4128, 0, 0, 8000);
    uint64_t start_us = world->now_us;

    world_run(world, start_us + 60 * SECOND);
    world_check_done(world);
    g_test_message("LAN of 1 Gbit/s with timers of 1 ms: 33 MB in %.2f s, %.0f Mbit/s, queue p95 "
                   "%.1f ms, dropped %" G_GUINT64_FORMAT ", %" G_GUINT64_FORMAT " packets back",
                   world_seconds(document->arrived_us - start_us),
                   (double)document->bytes * 8 / (double)(document->arrived_us - start_us),
                   (double)world_percentile(world->line[0].waits, 95) / 1e3, world->line[0].dropped,
                   world->line[1].packets);
    g_assert_cmpuint(document->bytes * 8, >, 100 * (document->arrived_us - start_us));
    world_free(world);
}

static void test_odd_lines(void) {
    static const struct {
        const char *name;
        uint64_t jitter_us;
        uint32_t loss, reorder, duplicate;
        uint64_t burst_every_us, burst_us, queue_bytes;
    } ODD[] = {
        {"jitter 100 ms", 100000, 10000, 0, 0, 0, 0, 32768},
        {"reorder 5 %", 0, 0, 50000, 0, 0, 0, 32768},
        {"duplicates 10 %", 0, 0, 0, 100000, 0, 0, 32768},
        {"loss 40 %", 0, 400000, 0, 0, 0, 0, 32768},
        {"a lost second in ten", 0, 0, 0, 0, 10 * SECOND, SECOND, 32768},
        {"a queue of two packets", 0, 0, 0, 0, 0, 0, 2600},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(ODD); i++) {
        Profile profile = {
            ODD[i].name,           256000,         50000, ODD[i].loss, ODD[i].queue_bytes,
            ODD[i].burst_every_us, ODD[i].burst_us};
        World *world = world_of(&profile, 30 + i);
        Source *document = world_add(world, 0, LINK_DOCUMENT, 4096, 0, 0, 300);
        uint64_t start_us = world->now_us;
        double share;

        for (unsigned n = 0; n < 2; n++) {
            world->line[n].jitter_us = ODD[i].jitter_us;
            world->line[n].reorder_ppm = ODD[i].reorder;
            world->line[n].duplicate_ppm = ODD[i].duplicate;
        }
        world_run(world, start_us + 900 * SECOND);
        world_check_done(world);
        share = (double)document->bytes * 8 / world_seconds(document->arrived_us - start_us) /
                limit_bps(&world->line[0], ODD[i].burst_us ? 0.9 : 1);
        g_test_message("%s: document at %.2f of the limit, queue p95 %.0f ms, sent/size %.2f",
                       ODD[i].name, share, (double)world_percentile(world->line[0].waits, 95) / 1e3,
                       (double)world->line[0].bytes / (double)document->bytes);
        g_assert_cmpfloat(share, >, 0.5);
        world_free(world);
    }
}

/* Small documents, each alone: what is lost of most of them is there before it could be missed. */
static void test_small_documents(void) {
    World *world = world_of(&PROFILES[1], 77);
    uint64_t packets;
    Source *small;

    world_add(world, 0, LINK_DOCUMENT, 4128, 0, 0, 40); /* the weather is known then */
    world_run_for(world, 60 * SECOND);
    packets = world->line[0].packets;
    small = world_add(world, 0, LINK_DOCUMENT, 4128, 5 * SECOND, 0, 100);
    world_run(world, world->now_us + 600 * SECOND);
    world_check_done(world);
    g_test_message("small documents: there after p50 %.0f, p90 %.0f ms, in %.1f packets each",
                   (double)world_percentile(small->delays, 50) / 1e3,
                   (double)world_percentile(small->delays, 90) / 1e3,
                   (double)(world->line[0].packets - packets) / 100);
    g_assert_cmpuint(world_percentile(small->delays, 90), <, 1500000);
    world_free(world);
}

/* Little was said so far, too little to show what the line carries: a document finds it at once. */
static void test_after_little(void) {
    for (unsigned i = 0; i < G_N_ELEMENTS(PROFILES); i++) {
        double least = 1;

        for (uint32_t seed = 0; seed < 8; seed++) {
            World *world = world_of(&PROFILES[i], 90 + seed);
            uint64_t bytes = PROFILES[i].rate_bps / 8 * 6;
            Source *source;
            double share;

            world->line[0].loss_ppm = world->line[1].loss_ppm = 0;
            world->line[0].burst_every_us = world->line[1].burst_every_us = 0;
            world_add(world, 0, LINK_CHAT, 200, SECOND, 0, 4);
            world_add(world, 1, LINK_CHAT, 150, SECOND + 30000, 0, 4);
            world_run_for(world, 6 * SECOND + seed * 100000);
            source = world_add(world, 0, LINK_DOCUMENT, 4128, 0, 0, (uint32_t)(bytes / 4128));
            source->start_us = world->now_us;
            world_run(world, world->now_us + 600 * SECOND);
            share = (double)source->bytes * 8 / limit_bps(&world->line[0], 1) /
                    world_seconds(source->arrived_us - source->start_us - world->line[0].delay_us);
            least = MIN(least, share);
            world_free(world);
        }
        g_test_message("a document of 6 s after little, %s: at least %.3f of the limit",
                       PROFILES[i].name, least);
        g_assert_cmpfloat(least, >, 0.82);
    }
}

/* No answers come for a while, though all that is said arrives: voice goes on. */
static void test_deaf_speaker(void) {
    World *world = world_of(&PROFILES[2], 78);
    Source *voice;
    uint32_t missed;

    world->line[0].burst_us = world->line[1].burst_us = 0;
    world_add(world, 0, LINK_URGENT, 1100, 1, 0, 6); /* as when two have met */
    world_run_for(world, 10 * SECOND);
    voice = world_add(world, 0, LINK_VOICE, 112, 120000, SECOND / 2, 250);
    world_run_for(world, 10 * SECOND);
    missed = voice->submitted - voice->arrived;
    world->line[1].down_from_us = world->now_us;
    world->line[1].down_until_us = world->now_us + 5 * SECOND;
    world_run_for(world, 30 * SECOND);
    g_test_message("deaf for 5 s: %u of %u voices are there, p95 %.0f ms", voice->arrived,
                   voice->submitted, (double)world_percentile(voice->delays, 95) / 1e3);
    g_assert_cmpuint(voice->arrived + missed, >=, voice->submitted);
    world_free(world);
}

/* A line carries eight times as much from now on, and only voice is on it: that is found out, and
 * no more than that is believed. */
static void test_better_under_voice(void) {
    World *world = world_of(&PROFILES[2], 79);
    Source *voice;
    LinkState state;

    world->line[0].burst_us = world->line[1].burst_us = 0;
    voice = world_add(world, 0, LINK_VOICE, 112, 120000, SECOND / 2, 1000);
    world_run_for(world, 20 * SECOND);
    state = link_state(world->node[0].link, world->now_us);
    g_assert_cmpuint(state.rate_bps, <, 16000 * 9 / 8);
    world->line[0].rate_bps = world->line[1].rate_bps = 128000;
    world_run_for(world, 70 * SECOND);
    state = link_state(world->node[0].link, world->now_us);
    g_test_message("16, then 128 kbit/s under voice alone: thought %u kbit/s; %u of %u voices",
                   state.rate_bps / 1000, voice->arrived, voice->submitted);
    g_assert_cmpuint(state.rate_bps, >, 48000);
    g_assert_cmpuint(state.rate_bps, <, 128000 * 9 / 8);
    world_free(world);
}

int main(int count, char **words) {
    g_test_init(&count, &words, NULL);
    g_test_add_func("/mesh/link_line/document_alone", test_document_alone);
    g_test_add_func("/mesh/link_line/three_at_once", test_three_at_once);
    g_test_add_func("/mesh/link_line/voice_beside_document", test_voice_beside_document);
    g_test_add_func("/mesh/link_line/outage", test_outage);
    g_test_add_func("/mesh/link_line/asymmetric", test_asymmetric);
    g_test_add_func("/mesh/link_line/rate_step", test_rate_step);
    g_test_add_func("/mesh/link_line/longer_way", test_longer_way);
    g_test_add_func("/mesh/link_line/foreign_queue", test_foreign_queue);
    g_test_add_func("/mesh/link_line/lan", test_lan);
    g_test_add_func("/mesh/link_line/odd_lines", test_odd_lines);
    g_test_add_func("/mesh/link_line/small_documents", test_small_documents);
    g_test_add_func("/mesh/link_line/after_little", test_after_little);
    g_test_add_func("/mesh/link_line/deaf_speaker", test_deaf_speaker);
    g_test_add_func("/mesh/link_line/better_under_voice", test_better_under_voice);
    return g_test_run();
}
