/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/sim/scenario.h"

#define IDLE_BPS    400 /* that a link may cost, each way */
#define DORMANT_BPS 60  /* when nothing was said for minutes */
#define IPV6_MORE   20  /* bytes of its header beyond that of IPv4 */

/* Everyone hears all the frames of `speaker` but a few, in time. */
static void expect_heard(World *world, const Node *speaker, uint64_t spoken, unsigned percent) {
    for (unsigned i = 0; i < world->node_count; i++) {
        Node *node = world->nodes[i];
        const Ear *ear = voice_ear(node, speaker->number);

        if (node == speaker || node->place != NODE_MEMBER || !node->mesh)
            continue;
        world_expect(world, (ear->frames - ear->late) * 100 >= spoken * percent,
                     "%s hears %" G_GUINT64_FORMAT " frames of %" G_GUINT64_FORMAT
                     " that %s spoke, %" G_GUINT64_FORMAT " of them late",
                     node->name, ear->frames, spoken, speaker->name, ear->late);
    }
}

void lan_two(World *world) {
    uint64_t begin_us;
    Node *a, *b;

    network_set_lines(world->network, &scenario_lan);
    scenario_gather(world, 1);
    a = world->nodes[0];
    b = world_add(world, 0);
    begin_us = world_now_us(world);
    person_join(b, person_invite(a, MESH_ROLE_MEMBER, 1), 30 * SECOND_US);
    world_expect(world, world_now_us(world) - begin_us < SECOND_US,
                 "to join on a cable took %" G_GUINT64_FORMAT " ms",
                 (world_now_us(world) - begin_us) / 1000);
    scenario_chat(world, 10 * SECOND_US, SECOND_US);
    voice_speak(a, 90);
    voice_speak(b, 40);
    world_run(world, 20 * SECOND_US, NULL, NULL);
    scenario_end(world, 20 * SECOND_US);
    expect_heard(world, a, voice_spoken(a->voice), 99);
    expect_heard(world, b, voice_spoken(b->voice), 99);
    check_linked(world, 1U << MESH_PATH_KNOCK | 1U << MESH_PATH_ICE, 10 * SECOND_US);
}

void lan_many(World *world) {
    unsigned count =
        world->options.nodes ? world->options.nodes : (unsigned)dice_between(&world->dice, 3, 8);
    LineSettings line = scenario_bad;

    line.lane.loss = (double)dice_below(&world->dice, 200000) / 1e6;
    network_set_lines(world->network, &line);
    scenario_gather(world, count);
    voice_speak(world->nodes[count - 1], 60);
    scenario_chat(world, world->options.minutes * MINUTE_US, 2 * SECOND_US);
    scenario_end(world, 2 * MINUTE_US);
    expect_heard(world, world->nodes[count - 1], voice_spoken(world->nodes[count - 1]->voice), 70);
    check_linked(world, 1U << MESH_PATH_KNOCK | 1U << MESH_PATH_ICE, MINUTE_US);
}

/* What each link costs for so long, each way, with the headers of IPv6: no more than that. */
static void expect_quiet(World *world, uint64_t for_us, uint64_t most_bps) {
    unsigned links = world->node_count - 1;
    uint64_t sent[NETWORK_HOSTS], packets[NETWORK_HOSTS];

    for (unsigned i = 0; i < world->node_count; i++) {
        sent[i] = world->nodes[i]->sent_bytes;
        packets[i] = mesh_counters(world->nodes[i]->mesh).datagrams_out;
    }
    world_run(world, for_us, NULL, NULL);
    for (unsigned i = 0; i < world->node_count; i++) {
        const Node *node = world->nodes[i];
        uint64_t bytes = node->sent_bytes - sent[i] +
                         IPV6_MORE * (mesh_counters(node->mesh).datagrams_out - packets[i]);
        uint64_t bps = bytes * 8 * SECOND_US / for_us / links;

        world_note(world, "%s sends %" G_GUINT64_FORMAT " bit/s a link", node->name, bps);
        world_expect(world, bps <= most_bps,
                     "%s, idle, sends %" G_GUINT64_FORMAT " bit/s on each of %u links", node->name,
                     bps, links);
    }
}

void lan_idle(World *world) {
    network_set_lines(world->network, &scenario_lan);
    scenario_gather(world, world->options.nodes);
    scenario_end(world, 30 * SECOND_US);
    world_run(world, 30 * SECOND_US, NULL, NULL);
    expect_quiet(world, world->options.minutes * MINUTE_US, IDLE_BPS);
    expect_quiet(world, 20 * MINUTE_US, DORMANT_BPS);
}

void lan_noise(World *world) {
    LineSettings line = scenario_lan;

    network_set_lines(world->network, &line);
    scenario_gather(world, world->options.nodes);
    world->noisy = true;
    line.damage_ppm = 200000;
    line.replay_ppm = 300000;
    line.lane.duplicate = 0.1;
    network_set_lines(world->network, &line);
    voice_speak(world->nodes[0], 50);
    person_add(world->nodes[0], 100000);
    scenario_chat(world, world->options.minutes * MINUTE_US / 2, SECOND_US);
    node_crash(world->nodes[1]);
    world_run(world, 3 * SECOND_US, NULL, NULL);
    node_start(world->nodes[1]);
    scenario_chat(world, world->options.minutes * MINUTE_US / 2, SECOND_US);
    scenario_end(world, 2 * MINUTE_US);
}
