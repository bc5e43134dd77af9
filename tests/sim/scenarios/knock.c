/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/sim/scenario.h"

#define ONE_WAY_US 100000
#define TIMES      15

/* What it takes from a knock until something said before it is read, in hundredths of a round
 * trip: the median of what `node` was told since. */
static uint64_t median(const GArray *took_us) {
    return scenario_percentile(took_us, 50) * 100 / (2 * ONE_WAY_US);
}

static bool was_told(gpointer context) {
    const Node *const *pair = context;

    return pair[0]->message_us->len > 0 && pair[1]->message_us->len > 0;
}

/* Both say something at the moment when the first knocks. */
static void talk(World *world, Node *knocker, Node *other, GArray *there, GArray *back) {
    Node *pair[] = {knocker, other};

    g_array_set_size(knocker->message_us, 0);
    g_array_set_size(other->message_us, 0);
    person_say(knocker, "Je reviens.");
    person_say(other, "Te voilà.");
    if (!world_expect(world, world_run(world, 20 * SECOND_US, was_told, pair),
                      "they do not find each other again"))
        return;
    g_array_append_val(there, g_array_index(other->message_us, uint64_t, 0));
    g_array_append_val(back, g_array_index(knocker->message_us, uint64_t, 0));
}

static void report(World *world, const char *what, const GArray *there, const GArray *back,
                   uint64_t there_most, uint64_t back_most) {
    world_note(world, "%s: %.2f round trips there, %.2f back", what, (double)median(there) / 100,
               (double)median(back) / 100);
    world_expect(world, median(there) <= there_most && median(back) <= back_most,
                 "%s: %.2f round trips there, %.2f back", what, (double)median(there) / 100,
                 (double)median(back) / 100);
}

/* Its process is new; the other may not have noticed that it was gone. */
static void restart(World *world, Node *a, Node *b, GArray *there, GArray *back) {
    node_crash(b);
    world_run(world, dice_below(&world->dice, 40 * SECOND_US), NULL, NULL);
    node_start(b);
    talk(world, b, a, there, back);
    world_run(world, 10 * SECOND_US, NULL, NULL);
}

/* The line was gone for long; something tells that it is back. */
static void reconnect(World *world, Node *a, Node *b, GArray *there, GArray *back) {
    network_split(world->network, scenario_only(a), scenario_only(b), true);
    world_run(world, dice_between(&world->dice, 40 * SECOND_US, 80 * SECOND_US), NULL, NULL);
    network_heal(world->network);
    node_step(b, &(MeshEvent){.kind = MESH_EVENT_WAKE});
    talk(world, b, a, there, back);
    world_run(world, 10 * SECOND_US, NULL, NULL);
}

void knock(World *world) {
    LineSettings line = {.lane = {.delay_us = ONE_WAY_US}};
    GArray *there = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    GArray *back = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    uint64_t begin_us, joined_us;
    Node *a, *b;

    network_set_lines(world->network, &line);
    scenario_gather(world, 1);
    world_run(world, SECOND_US, NULL, NULL);
    a = world->nodes[0];
    b = world_add(world, network_site(world->network, NAT_NONE)); /* no beacon reaches it */
    begin_us = world_now_us(world);
    person_join(b, person_invite(a, MESH_ROLE_MEMBER, 1), 30 * SECOND_US);
    joined_us = world_now_us(world) - begin_us;
    world_expect(world, joined_us * 10 < 2 * ONE_WAY_US * 25, "to join takes %.2f round trips",
                 (double)joined_us / 2 / ONE_WAY_US);
    talk(world, b, a, there, back);
    world_note(world, "joined after %.2f round trips, a word then took %.2f and %.2f",
               (double)joined_us / 2 / ONE_WAY_US, (double)median(there) / 100,
               (double)median(back) / 100);
    world_run(world, 10 * SECOND_US, NULL, NULL);
    for (unsigned kind = 0; kind < 2; kind++) {
        g_array_set_size(there, 0);
        g_array_set_size(back, 0);
        for (unsigned i = 0; i < TIMES && !world->failure; i++)
            (kind ? restart : reconnect)(world, a, b, there, back);
        report(world, kind ? "after a restart" : "after an outage", there, back, kind ? 170 : 120,
               kind ? 220 : 120);
    }
    g_array_unref(there);
    g_array_unref(back);
    scenario_end(world, MINUTE_US);
}

static bool are_linked(gpointer context) {
    Node *const *pair = context;

    return scenario_link(pair[0]) && scenario_link(pair[1]);
}

/* Both knock at one moment, over a line that became far slower than it was when they last spoke. */
void knock_crossing(World *world) {
    LineSettings line = {.lane = {.delay_us = (double)dice_between(&world->dice, 50000, 2500000)}};
    Node *pair[2];
    uint64_t begin_us;

    scenario_gather(world, 2);
    check_settle(world, MINUTE_US);
    for (unsigned i = 0; i < 2; i++)
        pair[i] = world->nodes[i];
    network_set_lines(world->network, &line);
    network_split(world->network, scenario_only(pair[0]), scenario_only(pair[1]), true);
    world_run(world, 90 * SECOND_US, NULL, NULL);
    network_heal(world->network);
    begin_us = world_now_us(world);
    for (unsigned i = 0; i < 2; i++)
        node_step(pair[i], &(MeshEvent){.kind = MESH_EVENT_WAKE});
    world_expect(world, world_run(world, 30 * SECOND_US, are_linked, pair),
                 "knocks that cross each other never link");
    world_note(world, "linked after %.1f s, %.1f round trips",
               (double)(world_now_us(world) - begin_us) / SECOND_US,
               (double)(world_now_us(world) - begin_us) / 2 / (double)line.lane.delay_us);
    scenario_end(world, 2 * MINUTE_US);
}

/* What is told behind the WELCOME may overtake it. */
void knock_lossy(World *world) {
    LineSettings line = {.lane = {.delay_us = ONE_WAY_US, .loss = 0.1}};
    uint64_t begin_us;
    Node *joiner;

    network_set_lines(world->network, &line);
    scenario_gather(world, 1);
    person_say(world->nodes[0], "Bienvenue.");
    world_run(world, SECOND_US, NULL, NULL);
    joiner = world_add(world, network_site(world->network, NAT_NONE));
    begin_us = world_now_us(world);
    person_join(joiner, person_invite(world->nodes[0], MESH_ROLE_MEMBER, 1), 15 * SECOND_US);
    world_note(world, "joined after %.1f s", (double)(world_now_us(world) - begin_us) / SECOND_US);
    scenario_end(world, MINUTE_US);
}
