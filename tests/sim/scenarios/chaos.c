/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/sim/scenario.h"

/* Lines of every kind, each way its own. */
static void weather(World *world) {
    LineSettings line = {.lane = emulator_settings_perfect()};
    unsigned from = (unsigned)dice_below(&world->dice, world->node_count);
    unsigned to = (unsigned)dice_below(&world->dice, world->node_count);

    line.lane.delay_us = (double)dice_below(&world->dice, 300000);
    line.lane.jitter_us = (double)dice_below(&world->dice, 30000);
    line.lane.loss = (double)dice_below(&world->dice, 200000) / 1e6;
    line.lane.burst_share = (double)dice_below(&world->dice, 100000) / 1e6;
    line.lane.burst_frames = 5;
    line.lane.duplicate = (double)dice_below(&world->dice, 50000) / 1e6;
    line.lane.reorder = (double)dice_below(&world->dice, 50000) / 1e6;
    line.lane.rate_bps = (double)dice_between(&world->dice, 64000, 4000000);
    line.lane.queue_bytes = 32000;
    line_change(network_line(world->network, from, to), &line);
}

static void cut(World *world) {
    uint32_t one = (uint32_t)dice_below(&world->dice, UINT32_MAX);

    if (dice_below(&world->dice, 3))
        network_heal(world->network);
    else if (dice_below(&world->dice, 2))
        network_split(world->network, hosts_of(one), hosts_of(~one), true);
    else
        line_cut(network_line(world->network, (unsigned)dice_below(&world->dice, world->node_count),
                              (unsigned)dice_below(&world->dice, world->node_count)),
                 true);
}

static void fall_or_rise(World *world) {
    Node *node = world->nodes[dice_below(&world->dice, world->node_count)];

    if (!node->mesh)
        node_start(node);
    else
        node_crash(node);
}

static void vote(World *world) {
    static const char *const choices[] = {"pour", "contre", "abstention"};
    Node *node = scenario_anyone(world);
    MeshMotion motion;
    size_t count = 0;

    while (node && mesh_motion(node->mesh, count, &motion))
        count++;
    if (!node || count == 0)
        return;
    mesh_motion(node->mesh, dice_below(&world->dice, count), &motion);
    if (node->number == 0 && dice_below(&world->dice, 4) == 0)
        person_ask(node, (MeshIntent){.kind = MESH_INTENT_MOTION_CLOSE, .hash = motion.id});
    else
        person_vote(node, &motion.id, choices[dice_below(&world->dice, 3)]);
}

static void reach(World *world) {
    Node *node = world->nodes[dice_below(&world->dice, world->node_count)];
    unsigned site = (unsigned)dice_below(&world->dice, 4);

    switch (dice_below(&world->dice, 4)) {
    case 0:
        network_rebind(world->network, site);
        break;
    case 1:
        /* The first stays in the open: without anyone reachable there is no way back. */
        if (node->number != 0)
            node_move(node, site);
        break;
    case 2:
        node->clock_s = (int64_t)dice_below(&world->dice, 4000000) - 2000000;
        break;
    default:
        if (node->mesh)
            node_step(node, &(MeshEvent){.kind = MESH_EVENT_WAKE});
        break;
    }
}

static void act(World *world) {
    Node *node = scenario_anyone(world);

    if (!node)
        return;
    switch (dice_below(&world->dice, 16)) {
    case 0:
        cut(world);
        break;
    case 1:
        fall_or_rise(world);
        break;
    case 2:
        reach(world);
        break;
    case 3:
        node->disk_full = !node->disk_full;
        break;
    case 4:
        person_add(node, dice_between(&world->dice, 1, 60000));
        break;
    case 5:
        person_ask(node, (MeshIntent){.kind = MESH_INTENT_MOTION_OPEN, .text = "Et maintenant ?"});
        break;
    case 6:
    case 7:
    case 8:
        vote(world);
        break;
    case 9:
        if (voice_is_speaking(node->voice))
            voice_end(node);
        else
            voice_speak(node, 60);
        break;
    case 10:
        weather(world);
        break;
    default:
        person_say(node, "%s dit %zu", node->name, ledger_count(world->ledger));
        break;
    }
}

void chaos(World *world) {
    static const NatKind kinds[] = {NAT_NONE, NAT_CONE, NAT_CONE, NAT_SYMMETRIC};
    const char *ticket;
    uint64_t until_us;

    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++)
        network_site(world->network, kinds[i]);
    network_set_lines(world->network, &scenario_bad);
    person_create(world_add(world, 0), "Cellule de crise");
    ticket = person_invite(world->nodes[0], MESH_ROLE_MEMBER, MAX(world->options.nodes, 16));
    while (world->node_count < world->options.nodes && !world->failure)
        person_join(world_add(world, (unsigned)dice_below(&world->dice, 4)), ticket, MINUTE_US);
    until_us = world_now_us(world) + world->options.minutes * MINUTE_US;
    while (!world->failure && world_now_us(world) < until_us) {
        act(world);
        world_run(world, dice_below(&world->dice, 2 * SECOND_US), NULL, NULL);
    }
    network_set_lines(world->network, &scenario_bad);
    scenario_end(world, 5 * MINUTE_US);
}
