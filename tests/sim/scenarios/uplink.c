/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/sim/scenario.h"

#define UPLINK_BPS 128000
#define LINKED_US  (6 * SECOND_US) /* all are linked by then, if only by way of the first */

/* Lines on which only the first node reaches the others. */
static void star(World *world, const LineSettings *line) {
    network_set_lines(world->network, line);
    network_split(world->network, hosts_but(hosts_of(1)), hosts_but(hosts_of(1)), true);
}

static uint64_t document_have(const Node *node) {
    MeshDocument document;

    return mesh_document(node->mesh, 0, &document) ? document.have : 0;
}

/* A vote now and then, and a voice, for so long. */
static void speak_and_vote(World *world, Node *node, uint64_t for_us) {
    uint64_t until_us = world_now_us(world) + for_us;

    while (!world->failure && world_now_us(world) < until_us) {
        uint64_t left_us = until_us - world_now_us(world);

        person_say(node, "%080u", (unsigned)dice_below(&world->dice, 1000000));
        world_run(world, MIN(left_us, dice_between(&world->dice, SECOND_US, 2 * SECOND_US)), NULL,
                  NULL);
    }
}

/* Even shares: the square of the sum over the sum of squares, in percent. */
static unsigned jain_percent(const uint64_t *shares, unsigned count) {
    double sum = 0, squares = 0;

    for (unsigned i = 0; i < count; i++) {
        sum += (double)shares[i];
        squares += (double)shares[i] * (double)shares[i];
    }
    return squares > 0 ? (unsigned)(sum * sum * 100 / (squares * count)) : 0;
}

static double filled(const Line *line, uint64_t for_us) {
    return (double)line->lane.stats.delivered_bytes * 8e6 / line->lane.settings.rate_bps /
           (double)for_us;
}

/* Counts anew what is heard and told, and what passes these lines. */
static void begin_count(World *world, Line *const *lines, unsigned count) {
    for (unsigned i = 1; i < world->node_count; i++) {
        ear_reset(voice_ear(world->nodes[i], 0));
        g_array_set_size(world->nodes[i]->message_us, 0);
    }
    for (unsigned i = 0; i < count; i++)
        emulator_lane_reset(&lines[i]->lane, world_now_us(world));
}

/* Of what the first node says, `spoken` frames among it, enough is heard and told in time. */
static void expect_in_time(World *world, Node *node, uint64_t spoken, uint64_t told_us) {
    const Ear *ear = voice_ear(node, 0);
    uint64_t told95_us = scenario_percentile(node->message_us, 95);

    world_note(world, "%s hears %.4f in time, p95 %.0f ms; is told after %.0f ms, p95 %.0f ms",
               node->name, (double)(ear->frames - ear->late) / (double)spoken,
               (double)scenario_percentile(ear->delays_us, 95) / 1e3,
               (double)scenario_percentile(node->message_us, 50) / 1e3, (double)told95_us / 1e3);
    world_expect(world, (ear->frames - ear->late) * 100 >= spoken * 99,
                 "%s hears %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                 " frames, %" G_GUINT64_FORMAT " late",
                 node->name, ear->frames, spoken, ear->late);
    world_expect(world, told95_us < told_us, "%s is told after %" G_GUINT64_FORMAT " ms, p95",
                 node->name, told95_us / 1000);
}

void uplink_shared(World *world) {
    LineSettings line = {.lane = {.delay_us = 30000}};
    LineSettings thin = {.lane = {.rate_bps = UPLINK_BPS, .queue_bytes = 16000}};
    unsigned others = world->options.nodes - 1;
    uint64_t got[NETWORK_HOSTS], spoken;
    Node *speaker;
    Line *uplink;

    star(world, &line);
    scenario_gather(world, world->options.nodes);
    speaker = world->nodes[0];
    check_settle(world, 20 * SECOND_US);
    uplink = network_uplink(world->network, 0);
    world_run(world, LINKED_US, NULL, NULL);
    line_measure(uplink);
    line_change(uplink, &thin);
    voice_speak(speaker, 60);
    person_add(speaker, 2000000);
    world_run(world, 20 * SECOND_US, NULL, NULL);
    for (unsigned i = 1; i <= others; i++)
        got[i] = document_have(world->nodes[i]);
    spoken = voice_spoken(speaker->voice);
    begin_count(world, &uplink, 1);
    speak_and_vote(world, speaker, MINUTE_US);
    spoken = voice_spoken(speaker->voice) - spoken;
    for (unsigned i = 1; i <= others; i++) {
        got[i] = document_have(world->nodes[i]) - got[i];
        expect_in_time(world, world->nodes[i], spoken, 500000);
    }
    world_note(world, "uplink filled to %.3f, queue p50 %.0f ms, p95 %.0f ms, Jain %u %%",
               filled(uplink, MINUTE_US),
               (double)emulator_stats_queue_us(&uplink->lane.stats, 0.5) / 1e3,
               (double)emulator_stats_queue_us(&uplink->lane.stats, 0.95) / 1e3,
               jain_percent(got + 1, others));
    world_expect(world, filled(uplink, MINUTE_US) >= 0.9, "the uplink is filled to %.3f",
                 filled(uplink, MINUTE_US));
    world_expect(world, jain_percent(got + 1, others) >= 95, "the document is shared to %u %%",
                 jain_percent(got + 1, others));
}

void uplink_unlike(World *world) {
    static const double rates_bps[] = {16e3, 1e6};
    LineSettings line = {.lane = {.delay_us = 30000}};
    Line *lines[2];

    star(world, &line);
    for (unsigned i = 0; i < 2; i++) {
        lines[i] = network_line(world->network, 0, i + 1);
        line.lane.rate_bps = rates_bps[i];
        line.lane.queue_bytes = i ? 32000 : 8000;
        line_change(lines[i], &line);
    }
    scenario_gather(world, 3);
    check_settle(world, 20 * SECOND_US);
    person_add(world->nodes[0], 8000000);
    world_run(world, 10 * SECOND_US, NULL, NULL);
    begin_count(world, lines, 2);
    world_run(world, 30 * SECOND_US, NULL, NULL);
    for (unsigned i = 0; i < 2; i++) {
        world_note(world, "the line of %.0f bit/s is filled to %.3f", rates_bps[i],
                   filled(lines[i], 30 * SECOND_US));
        world_expect(world, filled(lines[i], 30 * SECOND_US) >= 0.9,
                     "the line of %.0f bit/s is filled to %.3f", rates_bps[i],
                     filled(lines[i], 30 * SECOND_US));
    }
}

void uplink_ceiling(World *world) {
    LineSettings line = {.lane = {.delay_us = 30000, .rate_bps = 4e6, .queue_bytes = 64000}};
    unsigned others = world->options.nodes - 1;
    uint64_t spoken, sent;
    Node *speaker;

    star(world, &line);
    scenario_gather(world, world->options.nodes);
    speaker = world->nodes[0];
    check_settle(world, 20 * SECOND_US);
    person_must(speaker, (MeshIntent){.kind = MESH_INTENT_CEILING, .size = UPLINK_BPS}, SECOND_US,
                NULL);
    voice_speak(speaker, 60);
    person_add(speaker, 2000000);
    world_run(world, 10 * SECOND_US, NULL, NULL);
    spoken = voice_spoken(speaker->voice);
    sent = speaker->sent_bytes;
    begin_count(world, NULL, 0);
    speak_and_vote(world, speaker, MINUTE_US);
    spoken = voice_spoken(speaker->voice) - spoken;
    sent = speaker->sent_bytes - sent;
    for (unsigned i = 1; i <= others; i++)
        expect_in_time(world, world->nodes[i], spoken, 500000);
    world_note(world, "sent %.0f bit/s under a ceiling of %d", (double)sent * 8 / 60, UPLINK_BPS);
    world_expect(world, sent * 8 <= UPLINK_BPS * UINT64_C(62) && sent * 8 >= UPLINK_BPS * 54,
                 "%.0f bit/s are sent under a ceiling of %d", (double)sent * 8 / 60, UPLINK_BPS);
    person_must(speaker, (MeshIntent){.kind = MESH_INTENT_CEILING}, SECOND_US, NULL);
    scenario_end(world, 2 * MINUTE_US);
}

static bool has_all(gpointer context) {
    Node *const *pair = context;

    return mesh_message_count(pair[1]->mesh) == mesh_message_count(pair[0]->mesh);
}

/* To knock at many who are not there takes more than the least of ceilings. */
void uplink_least(World *world) {
    Node *pair[2];

    network_set_lines(world->network, &scenario_lan);
    scenario_gather(world, world->options.nodes);
    check_settle(world, MINUTE_US);
    for (unsigned i = 0; i < 2; i++)
        pair[i] = world->nodes[i];
    for (unsigned i = 2; i < world->options.nodes; i++)
        node_crash(world->nodes[i]);
    person_must(pair[0], (MeshIntent){.kind = MESH_INTENT_CEILING, .size = 1000}, SECOND_US, NULL);
    world_run(world, MINUTE_US, NULL, NULL);
    for (unsigned i = 0; i < 5 && !world->failure; i++) {
        person_say(pair[0], "%080u", i);
        world_run(world, SECOND_US, NULL, NULL);
        world_expect(world, world_run(world, 20 * SECOND_US, has_all, pair),
                     "nothing is said under a ceiling of 1 kbit/s");
        world_run(world, 10 * SECOND_US, NULL, NULL);
    }
    person_must(pair[0], (MeshIntent){.kind = MESH_INTENT_CEILING}, SECOND_US, NULL);
    scenario_end(world, 2 * MINUTE_US);
}
