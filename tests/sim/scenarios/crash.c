/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/sim/scenario.h"

void crash_storm(World *world) {
    unsigned count = world->options.nodes;
    uint64_t until_us;

    network_set_lines(world->network, &scenario_bad);
    scenario_gather(world, count);
    until_us = world_now_us(world) + world->options.minutes * MINUTE_US;
    while (!world->failure && world_now_us(world) < until_us) {
        Node *node = world->nodes[dice_below(&world->dice, count)];

        scenario_chat(world, dice_below(&world->dice, 6 * SECOND_US), SECOND_US / 2);
        if (!node->mesh) {
            node_start(node);
            continue;
        }
        /* While something of it is being written, as often as not. */
        person_say(node, "juste avant la panne %zu", ledger_count(world->ledger));
        world_run(world, dice_below(&world->dice, 20000), NULL, NULL);
        node_crash(node);
        if (dice_below(&world->dice, 2))
            node_start(node);
    }
    scenario_end(world, 3 * MINUTE_US);
}

void crash_disk(World *world) {
    size_t refused = 0, before;
    Node *a, *b;

    network_set_lines(world->network, &scenario_lan);
    scenario_gather(world, 3);
    a = world->nodes[0];
    b = world->nodes[1];
    scenario_chat(world, 5 * SECOND_US, SECOND_US / 2);
    b->disk_full = true;
    before = ledger_count(world->ledger);
    for (unsigned i = 0; i < 10; i++) {
        person_say(b, "disque plein %u", i);
        person_say(a, "pendant ce temps %u", i);
        world_run(world, dice_below(&world->dice, SECOND_US), NULL, NULL);
    }
    world_run(world, 5 * SECOND_US, NULL, NULL);
    for (size_t i = before; i < ledger_count(world->ledger); i++) {
        const Ask *ask = ledger_ask(world->ledger, i);

        world_expect(world, ask->node != b || ask->state == ASK_DONE,
                     "a full disk is never told of");
        refused += ask->node == b && ask->error != MESH_OK;
    }
    world_expect(world, refused == 10, "%zu of 10 messages were refused by a full disk", refused);
    b->disk_full = false;
    scenario_chat(world, 5 * SECOND_US, SECOND_US / 2);
    check_settle(world, MINUTE_US);
    b->disk_full = true;
    scenario_chat(world, 5 * SECOND_US, SECOND_US / 2);
    node_crash(b);
    scenario_end(world, MINUTE_US);
}
