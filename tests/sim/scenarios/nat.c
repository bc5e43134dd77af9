/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/sim/scenario.h"

#define DIRECT    (1U << MESH_PATH_KNOCK | 1U << MESH_PATH_ICE)
#define CHANGE_US (15 * SECOND_US) /* after which a change of network is no longer felt */
#define ANY       (DIRECT | 1U << MESH_PATH_RELAY)

/* A is reachable; B and C are each behind a NAT of this kind. */
static void gather_behind(World *world, NatKind kind) {
    Node *a = world_add(world, network_site(world->network, NAT_NONE));
    const char *ticket;

    person_create(a, "Cellule de crise");
    ticket = person_invite(a, MESH_ROLE_MEMBER, 5);
    for (unsigned i = 0; i < 2 && !world->failure; i++)
        person_join(world_add(world, network_site(world->network, kind)), ticket, 30 * SECOND_US);
    check_settle(world, 30 * SECOND_US);
}

/* B and C talk at once, over whatever there is, and A may be anywhere. */
static void expect_talk(World *world, unsigned percent) {
    Node *b = world->nodes[1], *c = world->nodes[2];
    uint64_t begin = voice_spoken(b->voice), spoken;
    const Ear *ear = voice_ear(c, b->number);

    ear_reset(voice_ear(c, b->number));
    voice_speak(b, 60);
    scenario_chat(world, 20 * SECOND_US, SECOND_US);
    voice_end(b);
    world_run(world, SECOND_US, NULL, NULL);
    spoken = voice_spoken(b->voice) - begin;
    world_expect(world, (ear->frames - ear->late) * 100 >= spoken * percent,
                 "C hears %" G_GUINT64_FORMAT " frames of %" G_GUINT64_FORMAT, ear->frames, spoken);
}

void nat_cone(World *world) {
    Node *a;

    network_set_lines(world->network, &scenario_thin);
    gather_behind(world, NAT_CONE);
    a = world->nodes[0];
    check_linked(world, ANY, 10 * SECOND_US);
    expect_talk(world, 90);
    check_linked(world, DIRECT, MINUTE_US);
    /* Without A they go on, over minutes in which a NAT forgets who is silent. */
    node_crash(a);
    expect_talk(world, 90);
    world_run(world, 3 * MINUTE_US, NULL, NULL);
    expect_talk(world, 90);
    check_settle(world, 30 * SECOND_US);
    node_start(a);
    scenario_end(world, MINUTE_US);
    check_linked(world, DIRECT, MINUTE_US);
}

void nat_symmetric(World *world) {
    Node *b, *c;

    network_set_lines(world->network, &scenario_thin);
    gather_behind(world, NAT_SYMMETRIC);
    b = world->nodes[1];
    c = world->nodes[2];
    check_linked(world, ANY, 10 * SECOND_US);
    expect_talk(world, 90);
    world_run(world, 3 * MINUTE_US, NULL, NULL);
    world_expect(world, check_path(b, c) == MESH_PATH_RELAY, "B and C are linked by kind %d",
                 check_path(b, c));
    expect_talk(world, 90);
    person_add(b, 60000);
    scenario_end(world, 2 * MINUTE_US);
    world_expect(world, mesh_counters(world->nodes[0]->mesh).forwarded > 0,
                 "A relays and counts nothing");
}

void nat_address(World *world) {
    unsigned elsewhere;
    Node *b, *c;

    network_set_lines(world->network, &scenario_thin);
    gather_behind(world, NAT_CONE);
    b = world->nodes[1];
    c = world->nodes[2];
    check_linked(world, DIRECT, MINUTE_US);
    network_rebind(world->network, 1);
    scenario_chat(world, 10 * SECOND_US, SECOND_US);
    check_linked(world, DIRECT, MINUTE_US);
    expect_talk(world, 90);
    /* C takes its laptop to an open network, then home again. */
    elsewhere = network_site(world->network, NAT_NONE);
    node_move(c, elsewhere);
    scenario_chat(world, CHANGE_US, SECOND_US);
    check_linked(world, DIRECT, MINUTE_US);
    expect_talk(world, 90);
    node_move(c, 2);
    scenario_chat(world, CHANGE_US, SECOND_US);
    expect_talk(world, 90);
    /* Two move at once; only A stays where it was. */
    node_move(b, elsewhere);
    network_rebind(world->network, 2);
    scenario_chat(world, MINUTE_US, SECOND_US);
    check_settle(world, MINUTE_US);
    check_linked(world, DIRECT, MINUTE_US);
    /* A moves: they know its former address alone, and it knows theirs. */
    node_move(world->nodes[0], elsewhere);
    scenario_chat(world, 10 * SECOND_US, SECOND_US);
    scenario_end(world, MINUTE_US);
}
