/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The program `bench-memory`: what a core holds of the heap in a meeting of many, in a simulated
 * world, when nothing was said and all is calm.
 * It owns the world. It counts what was asked of the allocator, not what that takes beside.
 *
 *     bench-memory NODES [ABSENT]
 *
 * NODES are there all the time; ABSENT more are in the roster, and left long ago. stdout: one JSON
 * object, bytes.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/heap.h"
#include "tests/sim/check.h"
#include "tests/sim/crowd.h"
#include "tests/sim/node.h"

#define SETTLE_US (5 * MINUTE_US)
#define CALM_US   (20 * MINUTE_US)

int main(int count, char **words) {
    unsigned running = count > 1 ? (unsigned)atoi(words[1]) : 0;
    unsigned absent = count > 2 ? (unsigned)atoi(words[2]) : 0;
    WorldOptions options = {.seed = 1};
    size_t sum = 0, most = 0;
    World *world;
    int status;

    if (running < 2 || running + absent > NETWORK_HOSTS || sodium_init() < 0)
        return 2;
    world = world_create(&options);
    crowd_gather(world, running);
    crowd_pass(world, absent);
    check_settle(world, SETTLE_US);
    world_run(world, CALM_US, NULL, NULL);
    for (unsigned i = 0; i < running && !world->failure; i++) {
        size_t held = heap_held(world->nodes[i]->mesh);

        sum += held;
        most = MAX(most, held);
    }
    status = world->failure != NULL;
    if (world->failure)
        fprintf(stderr, "%s\n", world->failure);
    else
        printf("{\"members\":%u,\"mean\":%zu,\"most\":%zu}\n", running + absent, sum / running,
               most);
    world_destroy(world);
    return status;
}
