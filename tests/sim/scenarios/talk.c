/* SPDX-License-Identifier: MPL-2.0 */
/* A voice on the weak lines, alone and beside a document and votes. */
#include "tests/sim/talk.h"

#include <string.h>

#include "tests/sim/scenario.h"

#define VOTES_US (2 * SECOND_US)
#define ALONE_US (8 * SECOND_US) /* of a voice, and then of a document beside it */

/* Says, now and then, what is as long as a vote. */
static void vote(World *world, uint64_t for_us) {
    uint64_t until_us = world_now_us(world) + for_us;

    while (!world->failure && world_now_us(world) < until_us) {
        person_say(world->nodes[0], "%070u", (unsigned)ledger_count(world->ledger));
        world_run(world, VOTES_US, NULL, NULL);
    }
}

/* How long packets took from one core to the other. */
static void transits(World *world) {
    Ear *ear = voice_ear(world->nodes[1], 0);

    world_note(world, "on their way: %.0f ms of half, %.0f of 95, %.0f of 99, %.0f of 99.8 in 100",
               (double)scenario_percentile(ear->delays_us, 50) / 1e3,
               (double)scenario_percentile(ear->delays_us, 95) / 1e3,
               (double)scenario_percentile(ear->delays_us, 99) / 1e3,
               (double)scenario_percentile(ear->delays_us, 99.8) / 1e3);
    ear_reset(ear);
}

static void note_votes(World *world) {
    GArray *delays_us = world->nodes[1]->message_us;
    g_autoptr(GString) each = g_string_new("each vote:");
    MeshDocument document;

    world_note(world, "votes: %.2f s of half, %.2f of 95 in 100",
               (double)scenario_percentile(delays_us, 50) / 1e6,
               (double)scenario_percentile(delays_us, 95) / 1e6);
    for (guint i = 0; i < delays_us->len; i++)
        g_string_append_printf(each, " %.2f", (double)g_array_index(delays_us, uint64_t, i) / 1e6);
    world_note(world, "%s", each->str);
    if (mesh_document(world->nodes[1]->mesh, 0, &document))
        world_note(world, "document: %u bytes", (unsigned)document.have);
}

/* What must be heard whatever the seed, in hundredths of the time the line was up: less than the
   notes say, since an unlucky beginning teaches a link too little of a line that only voice uses.
 */
static void talk(World *world, const char *profile, uint64_t least) {
    unsigned minutes = world->options.minutes ? world->options.minutes : 2;
    TalkFigures alone, beside;
    uint64_t size;
    Talk *spoken;

    scenario_meet(world, profile);
    if (world->failure)
        return;
    spoken = talk_begin(world->nodes[0], world->nodes[1]);
    world_run(world, minutes * MINUTE_US, NULL, NULL);
    alone = talk_end(spoken);
    transits(world);
    talk_note(world, "alone", &alone);
    size = (uint64_t)scenario_profile(profile).lane.rate_bps * 60 * (minutes + 1) / 8;
    spoken = talk_begin(world->nodes[0], world->nodes[1]);
    world_run(world, ALONE_US, NULL, NULL);
    person_add(world->nodes[0], MIN(size, 20000000));
    world_run(world, ALONE_US, NULL, NULL);
    talk_forget(spoken);
    vote(world, minutes * MINUTE_US);
    beside = talk_end(spoken);
    transits(world);
    talk_note(world, "beside a document and votes", &beside);
    note_votes(world);
    world_expect(world, alone.in_time * 100 >= alone.up * least,
                 "%s: alone only %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " are in time",
                 profile, alone.in_time, alone.spoken);
    world_expect(world, beside.in_time * 100 >= beside.up * least,
                 "%s: beside a document only %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                 " are in time",
                 profile, beside.in_time, beside.spoken);
}

void talk_1(World *world) {
    talk(world, "W1", 98);
}

void talk_2(World *world) {
    talk(world, "W2", 94);
}

void talk_3(World *world) {
    talk(world, "W3", 90);
}

void talk_4(World *world) {
    talk(world, "W4", 94);
}

/* ---- a line that becomes slow, and fast again ---- */

#define HIGH_BPS   256000
#define LOW_BPS    32000
#define PERIOD_US  (25 * SECOND_US)
#define LOOK_US    (SECOND_US / 10)
#define USED_SHARE 0.8 /* of the line, in a second, from which it counts as filled again */

static void set_rate(World *world, double rate_bps) {
    for (unsigned from = 0; from < 2; from++) {
        Line *line = network_line(world->network, from, 1 - from);
        LineSettings settings = {.lane = line->lane.settings};

        settings.lane.rate_bps = rate_bps;
        line_change(line, &settings);
    }
}

/* When after the step the last packet was missed, until a later one. */
static uint64_t last_missed_us(World *world, const Talk *spoken, uint64_t for_us) {
    uint64_t begin_us = world_now_us(world), last_us = 0;
    uint64_t missed = talk_missed(spoken);

    while (!world->failure && world_now_us(world) < begin_us + for_us) {
        world_run(world, LOOK_US, NULL, NULL);
        if (talk_missed(spoken) > missed) {
            last_us = world_now_us(world) - begin_us;
            world_note(world, "%" G_GUINT64_FORMAT " more missed after %.1f s",
                       talk_missed(spoken) - missed, (double)last_us / 1e6);
        }
        missed = talk_missed(spoken);
    }
    return last_us;
}

/* How long until a second's packets fill the line again. */
static uint64_t until_used_us(World *world, const Line *line) {
    uint64_t begin_us = world_now_us(world);
    double before[10] = {0};

    for (unsigned i = 0; !world->failure && world_now_us(world) < begin_us + PERIOD_US; i++) {
        double bytes = (double)line->lane.stats.bytes;

        if (i >= 10 && (bytes - before[i % 10]) * 8 >= USED_SHARE * HIGH_BPS)
            return world_now_us(world) - begin_us - SECOND_US;
        before[i % 10] = bytes;
        world_run(world, LOOK_US, NULL, NULL);
    }
    return PERIOD_US;
}

/* 256, 32, 256 kbit/s in mid-speech, the profile W1 without its losses: each frame missed is the
 * step's doing. */
static void step(World *world, bool beside, uint64_t whole_us, uint64_t back_us) {
    LineSettings line = scenario_profile("W1");
    uint64_t missed, before, last_us, used_us = 0;
    Talk *spoken;

    line.lane.loss = 0;
    scenario_meet_by(world, &line);
    if (world->failure)
        return;
    spoken = talk_begin(world->nodes[0], world->nodes[1]);
    if (beside)
        person_add(world->nodes[0], HIGH_BPS / 8 * 90);
    world_run(world, 15 * SECOND_US + dice_below(&world->dice, SECOND_US), NULL, NULL);
    set_rate(world, LOW_BPS);
    before = talk_missed(spoken);
    last_us = last_missed_us(world, spoken, PERIOD_US);
    missed = talk_missed(spoken) - before;
    set_rate(world, HIGH_BPS);
    if (beside)
        used_us = until_used_us(world, network_line(world->network, 0, 1));
    before = talk_missed(spoken);
    world_run(world, PERIOD_US, NULL, NULL);
    before = talk_missed(spoken) - before;
    talk_end(spoken);
    world_note(world,
               "256 to 32 kbit/s: voice whole after %.1f s, %" G_GUINT64_FORMAT
               " missed; back after %.1f s, %" G_GUINT64_FORMAT " missed then",
               (double)last_us / 1e6, missed, (double)used_us / 1e6, before);
    world_expect(world, last_us <= whole_us, "voice is whole again after %.1f s",
                 (double)last_us / 1e6);
    world_expect(world, used_us <= back_us, "the line is used again after %.1f s",
                 (double)used_us / 1e6);
}

void talk_step(World *world) {
    step(world, true, 3 * SECOND_US, 8 * SECOND_US);
}

void talk_step_alone(World *world) {
    step(world, false, 3 * SECOND_US / 2, 0);
}

static bool is_told(gpointer context) {
    Node *const *pair = context;

    return mesh_message_count(pair[1]->mesh) == mesh_message_count(pair[0]->mesh);
}

/* Voice messages wait for a slow line for longer than digests are apart: each passes it once. */
void talk_backlog(World *world) {
    LineSettings line = {.lane = {.delay_us = 100000, .rate_bps = 16000, .queue_bytes = 8000}};
    static uint8_t frames[MESH_VOICE_FRAMES_MAX / 3 * 3];
    MeshIntent part = {.kind = MESH_INTENT_VOICE,
                       .voice = {.codec = 1, .last = true, .frames = {frames, sizeof frames}}};
    Node *pair[2];
    uint64_t before;

    for (size_t i = 0; i < sizeof frames; i += 3)
        memcpy(frames + i, "\1\1x", 3);
    network_set_lines(world->network, &line);
    scenario_gather(world, 2);
    check_settle(world, MINUTE_US);
    for (unsigned i = 0; i < 2; i++)
        pair[i] = world->nodes[i];
    before = mesh_counters(pair[1]->mesh).duplicates;
    for (unsigned i = 0; i < 18; i++)
        person_must(pair[0], part, SECOND_US, NULL);
    world_expect(world, world_run(world, 90 * SECOND_US, is_told, pair),
                 "131 KB take longer than 90 s at 16 kbit/s");
    before = mesh_counters(pair[1]->mesh).duplicates - before;
    world_expect(world, before <= 1, "%" G_GUINT64_FORMAT " entries passed a slow line twice",
                 before);
    scenario_end(world, MINUTE_US);
}
