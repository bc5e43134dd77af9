/* SPDX-License-Identifier: MPL-2.0 */
/* A member whose acknowledgements are false: what it says of packets it never got, or of none that
 * were ever sent. Later an honest program takes its place, and all that was lost so comes. */
#include "mesh/link/parts.h"
#include "tests/sim/scenario.h"

#define LIES_S   20
#define LINE_BPS 256000 /* which was found before */
#define NEVER    4000   /* counters past the last sent */
#define SMALLEST 100
#define TICKS    20 /* in a second: what leaves is measured so often */

/* All that the other ever sent came, says this one, at once and in order. */
static void claim_all(Node *liar) {
    const Link *truth = scenario_link(liar->world->nodes[0]);
    Link *link = scenario_link(liar);

    if (!truth || !link)
        return;
    for (uint64_t counter = link->receipt.known; counter < truth->next_counter; counter++)
        receipt_add(&link->receipt, world_now_us(liar->world), counter, SMALLEST, RECEIPT_ASKS);
}

/* And what it never sent. */
static void claim_never(Node *liar) {
    const Link *truth = scenario_link(liar->world->nodes[0]);
    Link *link = scenario_link(liar);

    if (truth && link && link->receipt.known < truth->next_counter + NEVER / 2)
        receipt_add(&link->receipt, world_now_us(liar->world), truth->next_counter + NEVER,
                    SMALLEST, RECEIPT_ASKS);
}

/* Lies for a while beside a document, votes and a voice: no rate is believed that never was. */
static void lie(World *world, Node *a, Node *b) {
    uint64_t most = LINE_BPS;

    for (unsigned tick = 0; tick < TICKS * LIES_S && !world->failure; tick++) {
        uint64_t sent = a->sent_bytes;
        LinkState state = {0};

        if (tick % TICKS == 0)
            person_say(dice_below(&world->dice, 2) ? a : b, "%080u", tick);
        world_run(world, SECOND_US / TICKS, NULL, NULL);
        most = MAX(most, (a->sent_bytes - sent) * 8 * TICKS);
        if (scenario_link(a))
            state = link_state(scenario_link(a), world_now_us(world));
        world_note(
            world, "sent %" G_GUINT64_FORMAT " bit/s, thinks %u, %" G_GUINT64_FORMAT " malformed",
            (a->sent_bytes - sent) * 8 * TICKS, state.rate_bps, mesh_counters(a->mesh).malformed);
        world_expect(world, state.rate_bps <= 2 * most,
                     "a liar is thought to get %u bit/s, and got %" G_GUINT64_FORMAT " at most",
                     state.rate_bps, most);
    }
}

void liar(World *world) {
    LineSettings line = {.lane = {.rate_bps = LINE_BPS, .delay_us = 50000, .queue_bytes = 32000}};
    bool never = world->options.seed % 2 == 0;
    uint64_t malformed;
    Node *a, *b;

    line.lane.loss = 0.05;
    network_set_lines(world->network, &line);
    scenario_gather(world, 2);
    a = world->nodes[0];
    b = world->nodes[1];
    check_settle(world, MINUTE_US);
    malformed = mesh_counters(a->mesh).malformed;
    world->noisy = true; /* what it claims falsely is found malformed */
    voice_speak(a, 24);
    person_add(a, 400000);
    world_run(world, 5 * SECOND_US, NULL, NULL);
    b->meddle = never ? claim_never : claim_all;
    lie(world, a, b);
    b->meddle = NULL;
    node_crash(b);
    node_start(b); /* an honest program on the same disk */
    voice_end(a);
    malformed = mesh_counters(a->mesh).malformed - malformed;
    world_expect(world, !never || malformed > 0,
                 "what was never sent was acknowledged, and passed");
    scenario_end(world, 6 * MINUTE_US);
}
