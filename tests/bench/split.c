/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The program `bench-split`: what it costs a meeting, in a simulated world, to become one again
 * after it was two for an hour. It owns the world. It never counts what a calm meeting costs, nor
 * what was said before the halves met.
 *
 *     bench-split NODES ENTRIES [SEED]
 *
 * ENTRIES are said in that hour in each half. stdout: one JSON object; bytes are
 * those of all nodes together, IP headers included.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mesh/core.h"
#include "tests/sim/check.h"
#include "tests/sim/crowd.h"
#include "tests/sim/ledger.h"
#include "tests/sim/node.h"
#include "tests/sim/person.h"

#define SETTLE_US (5 * MINUTE_US)
#define CALM_US   (10 * MINUTE_US) /* before it is measured what calm costs, and while it is */
#define APART_US  (UINT64_C(60) * MINUTE_US)
#define LOOK_US   (50 * 1000)
#define AFTER_US  MINUTE_US /* what is still said of it afterwards */

typedef struct {
    uint64_t sent, entries, came, again, at_us;
} Sums;

static Sums sum_up(const World *world) {
    Sums sums = {.at_us = world_now_us(world)};

    for (unsigned i = 0; i < world->node_count; i++) {
        const Node *node = world->nodes[i];

        sums.sent += node->sent_bytes;
        sums.entries += store_size(node->store, MESH_ITEM_ENTRY);
        sums.came += node->mesh->sync.received;
        sums.again += node->mesh->sync.repeated;
    }
    return sums;
}

static void gather(World *world, unsigned count) {
    LineSettings line = {.lane = {.delay_us = 15000, .jitter_us = 3000, .rate_bps = 20e6}};

    network_set_lines(world->network, &line);
    crowd_gather(world, count);
    check_settle(world, SETTLE_US);
    world_run(world, CALM_US, NULL, NULL);
}

/* Every second one is in the other half. */
static void part(World *world, unsigned count, Hosts ret_halves[2]) {
    ret_halves[0] = (Hosts){{0}};
    for (unsigned i = 0; i < count; i += 2)
        hosts_add(&ret_halves[0], i);
    ret_halves[1] = hosts_but(ret_halves[0]);
    network_split(world->network, ret_halves[0], ret_halves[1], true);
}

static void live_apart(World *world, const Hosts halves[2], unsigned entries) {
    for (unsigned i = 0; i < 2 * entries && !world->failure; i++) {
        Node *node = crowd_anyone(world, halves[i % 2]);

        person_say(node, "%s dit %zu", node->name, ledger_count(world->ledger));
        world_run(world, APART_US / (2 * entries), NULL, NULL);
    }
    world_run(world, MINUTE_US, NULL, NULL);
}

static bool have_all(const World *world) {
    uint8_t first[JOURNAL_DIGEST_SIZE], other[JOURNAL_DIGEST_SIZE];

    journal_clock_digest(world->nodes[0]->mesh->journal, first);
    for (unsigned i = 1; i < world->node_count; i++) {
        journal_clock_digest(world->nodes[i]->mesh->journal, other);
        if (memcmp(first, other, sizeof first))
            return false;
    }
    return true;
}

/* Until everyone has what anyone has; the sums then. */
static Sums merge(World *world) {
    uint64_t until_us = world_now_us(world) + SETTLE_US;

    network_heal(world->network);
    while (!world->failure && !have_all(world) && world_now_us(world) < until_us)
        world_run(world, LOOK_US, NULL, NULL);
    world_expect(world, have_all(world), "some still lack entries");
    return sum_up(world);
}

/* Bytes above what calm costs. */
static double above(const Sums *from, const Sums *to, double calm_per_us) {
    return (double)(to->sent - from->sent) - calm_per_us * (double)(to->at_us - from->at_us);
}

static void measure(World *world, unsigned nodes, unsigned entries) {
    Sums calm = sum_up(world), before, whole, after;
    Hosts halves[2];
    double calm_per_us, missing;

    world_run(world, CALM_US, NULL, NULL);
    before = sum_up(world);
    calm_per_us = (double)(before.sent - calm.sent) / CALM_US;
    part(world, nodes, halves);
    live_apart(world, halves, entries);
    before = sum_up(world);
    whole = merge(world);
    world_run(world, AFTER_US, NULL, NULL);
    after = sum_up(world);
    missing = (double)(after.entries - before.entries);
    if (world->failure)
        return;
    printf("{\"nodes\":%u,\"entries\":%u,\"missing\":%.0f,\"sent\":%.0f,\"ratio\":%.3f,"
           "\"ratio_after\":%.3f,\"copies\":%.3f,\"seconds\":%.1f,\"entry\":%.0f}\n",
           nodes, entries, missing, above(&before, &whole, calm_per_us),
           above(&before, &whole, calm_per_us) / missing,
           above(&before, &after, calm_per_us) / missing,
           (double)(after.came - before.came) /
               (double)(after.came - before.came - (after.again - before.again)),
           (double)(whole.at_us - before.at_us) / SECOND_US, missing / ((double)nodes * entries));
}

int main(int count, char **words) {
    unsigned nodes = count >= 3 ? (unsigned)atoi(words[1]) : 0;
    unsigned entries = count >= 3 ? (unsigned)atoi(words[2]) : 0;
    WorldOptions options = {.seed = count > 3 ? (unsigned)atoi(words[3]) : 1};
    World *world;
    int status;

    if (nodes < 2 || nodes > NETWORK_HOSTS || entries < 1 || sodium_init() < 0)
        return 2;
    world = world_create(&options);
    gather(world, nodes);
    measure(world, nodes, entries);
    status = world->failure != NULL;
    if (world->failure)
        fprintf(stderr, "%s\n", world->failure);
    world_destroy(world);
    return status;
}
