/* SPDX-License-Identifier: MPL-2.0 */
/* A voice, votes and a document at once, both ways, on every kind of bad line: one a seed. */
#include <string.h>

#include "tests/sim/scenario.h"

#define FRAME_SIZE 24
#define LIFE_US    500000 /* a frame not sent by then is never sent */
#define TALK_S     40
#define SECOND_S   15 /* when a line fails for a second, and again */
#define STEP_S     10 /* when it becomes slow */
#define BACK_S     25 /* and fast again */

typedef enum {
    TROUBLE_NONE,
    TROUBLE_FLAPS,   /* down for half of each minute */
    TROUBLE_SECOND,  /* down for a second, now and then */
    TROUBLE_STEPS,   /* 256, 32, 256 kbit/s */
    TROUBLE_FOREIGN, /* another sends as much as half the line, for a while */
} Trouble;

typedef struct {
    const char *name;
    const char *words; /* for both ways */
    const char *back;  /* and these for the second */
    Trouble trouble;
    /* Frames of a hundred, at least, that come within half a second of their flight; both ways. */
    uint64_t heard[2];
} WeakLine;

static const WeakLine lines[] = {
    {"W1", "rate=256k delay=100 loss=3% queue=32k", "", TROUBLE_NONE, {97, 97}},
    {"W2", "rate=64k delay=300 loss=10% queue=16k", "", TROUBLE_NONE, {90, 90}},
    {"W3",
     "rate=16k delay=600 burst_share=0.05 burst_ms=1000 queue=8k",
     "",
     TROUBLE_NONE,
     {60, 60}},
    {"W4", "rate=2M delay=20 loss=20% queue=64k", "", TROUBLE_NONE, {95, 95}},
    {"W5", "rate=256k delay=80 loss=2% queue=32k", "", TROUBLE_FLAPS, {40, 40}},
    {"jitter", "rate=1M delay=150 jitter=100 loss=2% queue=32k", "", TROUBLE_NONE, {95, 95}},
    {"reorder", "rate=1M delay=60 reorder=5% loss=2% queue=32k", "", TROUBLE_NONE, {95, 95}},
    {"duplicate", "rate=512k delay=60 duplicate=5% loss=2% queue=32k", "", TROUBLE_NONE, {95, 95}},
    {"mtu", "rate=256k delay=60 loss=2% queue=32k mtu=576", "", TROUBLE_NONE, {95, 95}},
    {"asymmetric", "rate=128k delay=60 loss=2% queue=16k", "rate=16k", TROUBLE_NONE, {80, 20}},
    {"second", "rate=256k delay=60 loss=2% queue=32k", "", TROUBLE_SECOND, {85, 85}},
    {"loss", "rate=512k delay=60 loss=40% queue=32k", "", TROUBLE_NONE, {80, 80}},
    {"steps", "rate=256k delay=60 loss=2% queue=16k", "", TROUBLE_STEPS, {80, 80}},
    {"foreign", "rate=256k delay=60 loss=2% queue=16k", "", TROUBLE_FOREIGN, {75, 75}},
};

static void apply(EmulatorSettings *settings, const char *words) {
    char **pairs = g_strsplit(words, " ", -1);

    for (unsigned i = 0; pairs[i] && *pairs[i]; i++) {
        char **pair = g_strsplit(pairs[i], "=", 2);

        g_assert_true(emulator_settings_set(settings, pair[0], pair[1]));
        g_strfreev(pair);
    }
    g_strfreev(pairs);
}

static void meet(World *world, const WeakLine *weak) {
    LineSettings line = {.lane = emulator_settings_perfect()};

    apply(&line.lane, weak->words);
    network_set_lines(world->network, &line);
    apply(&line.lane, weak->back);
    line_change(network_line(world->network, 1, 0), &line);
    scenario_gather(world, 1);
    if (!world->failure)
        person_join(world_add(world, network_site(world->network, NAT_NONE)),
                    person_invite(world->nodes[0], MESH_ROLE_MEMBER, 1), 2 * MINUTE_US);
    check_settle(world, 2 * MINUTE_US);
}

/* ---- what happens to the line ---- */

static void set_rate(World *world, const char *rate) {
    for (unsigned from = 0; from < 2; from++) {
        Line *line = network_line(world->network, from, 1 - from);
        LineSettings settings = {.lane = line->lane.settings};

        apply(&settings.lane, rate);
        line_change(line, &settings);
    }
}

static void foreign(gpointer data) {
    World *world = data;

    network_foreign(world->network, 0, 1, 1000);
}

static void trouble(World *world, Trouble kind, unsigned second) {
    switch (kind) {
    case TROUBLE_NONE:
        break;
    case TROUBLE_FLAPS:
        network_split(world->network, hosts_of(1), hosts_of(2), second % 60 >= 30);
        break;
    case TROUBLE_SECOND:
        network_split(world->network, hosts_of(1), hosts_of(2), second % SECOND_S == SECOND_S - 1);
        break;
    case TROUBLE_STEPS:
        if (second == STEP_S || second == BACK_S)
            set_rate(world, second == STEP_S ? "rate=32k" : "rate=256k");
        break;
    case TROUBLE_FOREIGN:
        for (unsigned i = 0; second >= STEP_S && second < BACK_S && i < 16; i++)
            schedule_add(world->schedule, i * SECOND_US / 16, foreign, world, NULL);
        break;
    }
}

/* ---- what must hold ---- */

/* Whatever happens, a link holds no more than it may. */
static void expect_bounded(World *world) {
    for (unsigned i = 0; i < 2; i++) {
        const Link *link = scenario_link(world->nodes[i]);
        LinkState state = {0};

        if (link)
            state = link_state(link, world_now_us(world));
        world_note(world,
                   "%s: %u bit/s, %u ms, %u ppm lost, %u ms queued here, %u in the line, line %d",
                   world->nodes[i]->name, state.rate_bps, state.rtt_us / 1000, state.loss_ppm,
                   state.queue_us / 1000, state.queue_own_us / 1000, state.reason);
        world_expect(world, state.waiting <= MESH_QUEUE_BYTES_MAX, "%s holds more than a link may",
                     world->nodes[i]->name);
    }
}

static uint64_t in_time(const GArray *delays_us, uint64_t within_us) {
    uint64_t count = 0;

    for (guint i = 0; delays_us && i < delays_us->len; i++)
        count += g_array_index(delays_us, uint64_t, i) <= within_us;
    return count;
}

/* What one heard of the other: enough, and nothing that left after its time. */
static void expect_heard(World *world, const WeakLine *weak, unsigned from) {
    const EmulatorLane *lane = &network_line(world->network, from, 1 - from)->lane;
    const EmulatorSettings *settings = &lane->settings;
    const Ear *ear = voice_ear(world->nodes[1 - from], from);
    uint64_t spoken = voice_spoken(world->nodes[from]->voice);
    uint64_t flight_us = (uint64_t)(settings->delay_us + settings->jitter_us);
    uint64_t heard = in_time(ear->delays_us, flight_us + LIFE_US);
    /* The slowest that the line was, its queue, and being overtaken, all at once. */
    uint64_t most_us =
        LIFE_US + 2 * flight_us + lane->stats.queue_us_max + 1300 * UINT64_C(8000000) / 16000;

    world_note(world,
               "%s hears %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
               " in time, p95 %.0f ms, votes p50 %.0f p95 %.0f ms",
               world->nodes[1 - from]->name, heard, spoken,
               (double)scenario_percentile(ear->delays_us, 95) / 1e3,
               (double)scenario_percentile(world->nodes[1 - from]->message_us, 50) / 1e3,
               (double)scenario_percentile(world->nodes[1 - from]->message_us, 95) / 1e3);
    world_expect(world, heard * 100 >= spoken * weak->heard[from],
                 "%s: %s hears %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " frames in time",
                 weak->name, world->nodes[1 - from]->name, heard, spoken);
    world_expect(world, ear->delay_us_max <= most_us,
                 "%s: a frame came after %" G_GUINT64_FORMAT " ms, and had to leave within %d",
                 weak->name, ear->delay_us_max / 1000, LIFE_US / 1000);
}

static uint64_t document_have(const Node *node) {
    MeshDocument document;

    return mesh_document(node->mesh, 0, &document) ? document.have : 0;
}

void lines_weak(World *world) {
    const WeakLine *weak = &lines[(world->options.seed - 1) % G_N_ELEMENTS(lines)];
    uint64_t begin_us, had;
    Node *a, *b;

    meet(world, weak);
    if (world->failure)
        return;
    a = world->nodes[0];
    b = world->nodes[1];
    person_add(a, (uint64_t)network_line(world->network, 0, 1)->lane.settings.rate_bps * 3);
    world_run(world, 10 * SECOND_US, NULL, NULL);
    had = document_have(b);
    emulator_lane_reset(&network_line(world->network, 0, 1)->lane, world_now_us(world));
    emulator_lane_reset(&network_line(world->network, 1, 0)->lane, world_now_us(world));
    voice_speak(a, FRAME_SIZE);
    voice_speak(b, FRAME_SIZE);
    begin_us = world_now_us(world);
    for (unsigned second = 0; second < TALK_S && !world->failure; second++) {
        uint64_t next_us = begin_us + (second + 1) * SECOND_US;

        trouble(world, weak->trouble, second);
        person_say(dice_below(&world->dice, 2) ? a : b, "%080u", second);
        world_run(world, next_us - world_now_us(world), NULL, NULL);
        expect_bounded(world);
    }
    voice_end(a);
    voice_end(b);
    network_heal(world->network);
    world_note(world, "%s: %.1f kB of the document beside all that", weak->name,
               (double)(document_have(b) - had) / 1e3);
    world_expect(world, document_have(b) > had || had == 0 || document_have(b) == document_have(a),
                 "%s: the document starves", weak->name);
    world_run(world, 3 * SECOND_US, NULL, NULL);
    expect_heard(world, weak, 0);
    expect_heard(world, weak, 1);
    scenario_end(world, 6 * MINUTE_US);
}
