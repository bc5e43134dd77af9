/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/sim/scenario.h"

#include <string.h>

void split_chat(World *world) {
    unsigned count = world->options.nodes;
    uint64_t part_us = world->options.minutes * MINUTE_US / 3;
    Hosts one;

    network_set_lines(world->network, &scenario_bad);
    scenario_gather(world, count);
    one = scenario_some(world, count);
    network_split(world->network, one, hosts_but(one), true);
    scenario_chat(world, part_us, 2 * SECOND_US);
    /* Heals for a moment only, then is cut elsewhere, and in one direction. */
    network_heal(world->network);
    scenario_chat(world, 5 * SECOND_US, SECOND_US);
    one = scenario_some(world, count);
    network_split(world->network, one, hosts_but(one), true);
    scenario_chat(world, part_us, 2 * SECOND_US);
    network_heal(world->network);
    line_cut(network_line(world->network, 0, count - 1), true);
    scenario_chat(world, part_us, 2 * SECOND_US);
    scenario_end(world, 3 * MINUTE_US);
}

static void expect_result(World *world, const MeshHash *id, const char *outcome, unsigned counted) {
    MeshMotion motion;

    for (unsigned i = 0; i < world->node_count && !world->failure; i++)
        for (size_t j = 0; mesh_motion(world->nodes[i]->mesh, j, &motion); j++)
            if (ledger_key_equal(motion.id.bytes, id->bytes))
                world_expect(world,
                             motion.state == MESH_MOTION_CLOSED && motion.counted == counted &&
                                 strcmp(motion.outcome, outcome) == 0,
                             "%s sees state %d, %u counted, outcome `%s`", world->nodes[i]->name,
                             motion.state, motion.counted, motion.outcome);
}

void split_vote(World *world) {
    static const char *const choices[] = {"pour", "pour", "contre", "abstention", "pour"};
    unsigned count = MAX(world->options.nodes, 4);
    MeshHash first, second;
    Hosts last;

    network_set_lines(world->network, &scenario_bad);
    scenario_gather(world, count);
    check_settle(world, MINUTE_US);
    first = person_open(world->nodes[0], "Évacuer le secteur nord ?");
    check_settle(world, MINUTE_US);
    /* The last two are cut off: they vote, and count once the line is back. */
    last = scenario_only(world->nodes[count - 1]);
    hosts_add(&last, count - 2);
    network_split(world->network, last, hosts_but(last), true);
    for (unsigned i = 0; i < count; i++) {
        person_vote(world->nodes[i], &first, "contre");
        person_vote(world->nodes[i], &first, choices[i % G_N_ELEMENTS(choices)]);
    }
    world_run(world, 20 * SECOND_US, NULL, NULL);
    node_crash(world->nodes[count - 1]);
    node_start(world->nodes[count - 1]);
    network_heal(world->network);
    check_settle(world, 2 * MINUTE_US);
    person_must(world->nodes[0], (MeshIntent){.kind = MESH_INTENT_MOTION_CLOSE, .hash = first},
                10 * SECOND_US, NULL);
    check_settle(world, MINUTE_US);
    expect_result(world, &first, "pour", count);
    /* Closed while some are cut off: their votes come too late, on every node alike. */
    second = person_open(world->nodes[0], "Fermer le pont ?");
    check_settle(world, MINUTE_US);
    last = scenario_only(world->nodes[count - 1]);
    network_split(world->network, last, hosts_but(last), true);
    for (unsigned i = 0; i < count; i++)
        person_vote(world->nodes[i], &second, "contre");
    world_run(world, 30 * SECOND_US, NULL, NULL);
    person_must(world->nodes[0], (MeshIntent){.kind = MESH_INTENT_MOTION_CLOSE, .hash = second},
                10 * SECOND_US, NULL);
    scenario_end(world, 2 * MINUTE_US);
    expect_result(world, &second, "contre", count - 1);
}

/* Hands go up and down everywhere, the chair lowers some. */
static void wave(World *world, uint64_t for_us) {
    uint64_t until_us = world_now_us(world) + for_us;

    while (!world->failure && world_now_us(world) < until_us) {
        Node *node = scenario_anyone(world);
        MeshIntent intent = {.kind = MESH_INTENT_HAND, .up = dice_below(&world->dice, 3) > 0};

        if (node && node->number == 0 && !intent.up && dice_below(&world->dice, 2))
            intent.key = world->nodes[dice_below(&world->dice, world->node_count)]->key;
        person_ask(node, intent);
        world_run(world, dice_below(&world->dice, 4 * SECOND_US), NULL, NULL);
    }
}

void split_hands(World *world) {
    unsigned count = world->options.nodes;
    uint64_t part_us = world->options.minutes * MINUTE_US / 3;
    MeshKey hands[MESH_MEMBERS_MAX];
    Hosts one;

    network_set_lines(world->network, &scenario_bad);
    scenario_gather(world, count);
    wave(world, part_us);
    one = scenario_some(world, count);
    network_split(world->network, one, hosts_but(one), true);
    wave(world, part_us);
    node_crash(world->nodes[count - 1]);
    node_start(world->nodes[count - 1]);
    network_heal(world->network);
    wave(world, part_us);
    scenario_end(world, 3 * MINUTE_US);
    /* Whoever asked last is last, and nobody stands in it twice. */
    world_run(world, MINUTE_US, NULL, NULL);
    for (unsigned i = 0; i < count; i++) {
        person_must(world->nodes[i], (MeshIntent){.kind = MESH_INTENT_HAND}, 10 * SECOND_US, NULL);
        check_settle(world, MINUTE_US);
    }
    for (unsigned i = count; i-- > 0;) {
        person_must(world->nodes[i], (MeshIntent){.kind = MESH_INTENT_HAND, .up = true},
                    10 * SECOND_US, NULL);
        check_settle(world, MINUTE_US);
    }
    if (world->failure)
        return;
    world_expect(world, mesh_hands(world->nodes[0]->mesh, hands) == count, "%zu hands of %u are up",
                 mesh_hands(world->nodes[0]->mesh, hands), count);
    for (unsigned i = 0; i < count && !world->failure; i++)
        world_expect(world,
                     ledger_key_equal(hands[i].bytes, world->nodes[count - 1 - i]->key.bytes),
                     "not %s is number %u", world->nodes[count - 1 - i]->name, i + 1);
}
