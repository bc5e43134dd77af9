/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/sim/scenario.h"

void document_crash(World *world) {
    unsigned count = world->options.nodes;
    LineSettings line = scenario_lan;
    Node *a, *b;

    line.lane.rate_bps = 8e6;
    line.lane.queue_bytes = 100000;
    line.lane.loss = 0.02;
    network_set_lines(world->network, &line);
    scenario_gather(world, count);
    a = world->nodes[0];
    b = world->nodes[1];
    /* Sizes around the edges: a byte, a leaf, a level of the tree and one more. */
    person_add(world->nodes[count - 1], 1);
    world_run(world, SECOND_US, NULL, NULL);
    person_add(world->nodes[count - 1], 128 * 4096);
    person_add(a, 129 * 4096 - dice_below(&world->dice, 4096));
    for (unsigned i = 0; i < 4; i++) {
        world_run(world, dice_below(&world->dice, SECOND_US), NULL, NULL);
        node_crash(b);
        world_run(world, dice_below(&world->dice, SECOND_US), NULL, NULL);
        node_start(b);
    }
    check_settle(world, 2 * MINUTE_US);
    /* Who adds dies in the middle; who has it whole dies before others have it. */
    person_add(a, 700000);
    world_run(world, dice_below(&world->dice, 3 * SECOND_US), NULL, NULL);
    node_crash(a);
    node_start(a);
    person_add(b, 300000);
    world_run(world, dice_below(&world->dice, 2 * SECOND_US), NULL, NULL);
    network_split(world->network, scenario_only(b), hosts_but(scenario_only(b)), true);
    scenario_chat(world, 20 * SECOND_US, SECOND_US);
    scenario_end(world, 3 * MINUTE_US);
}

void document_voice(World *world) {
    uint64_t spoken;
    const Ear *ear;
    Node *a, *b;

    network_set_lines(world->network, &scenario_thin);
    scenario_gather(world, 2);
    a = world->nodes[0];
    b = world->nodes[1];
    check_settle(world, 20 * SECOND_US);
    person_add(a, 600000);
    world_run(world, 5 * SECOND_US, NULL, NULL);
    voice_speak(a, 90);
    scenario_chat(world, 15 * SECOND_US, 2 * SECOND_US);
    voice_end(a);
    spoken = voice_spoken(a->voice);
    world_run(world, SECOND_US, NULL, NULL);
    ear = voice_ear(b, a->number);
    world_note(world,
               "heard %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT ", %" G_GUINT64_FORMAT
               " late, after %" G_GUINT64_FORMAT " ms on average and %" G_GUINT64_FORMAT
               " ms at most",
               ear->frames, spoken, ear->late,
               ear->frames ? ear->delay_us_sum / ear->frames / 1000 : 0, ear->delay_us_max / 1000);
    world_expect(world, (ear->frames - ear->late) * 100 >= spoken * 97,
                 "beside a document %" G_GUINT64_FORMAT " frames of %" G_GUINT64_FORMAT
                 " are heard, %" G_GUINT64_FORMAT " of them late",
                 ear->frames, spoken, ear->late);
    scenario_end(world, 3 * MINUTE_US);
}
