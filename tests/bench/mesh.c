/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The program `bench-mesh`: what a meeting of many costs each of its nodes, in a simulated world.
 * It owns the world. It never measures a single node's time: that of a second of the whole world is
 * measured, whose simulation is in it.
 *
 *     bench-mesh NODES
 *
 * stdout: one JSON object.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "mesh/core.h"
#include "tests/sim/check.h"
#include "tests/sim/crowd.h"
#include "tests/sim/ledger.h"
#include "tests/sim/node.h"
#include "tests/sim/person.h"
#include "tests/sim/spread.h"

#define SETTLE_US  (5 * MINUTE_US)
#define CALM_US    (10 * MINUTE_US) /* before it is measured what calm costs */
#define IDLE_US    (10 * MINUTE_US)
#define SAID       10 /* entries of which the way is followed */
#define PAUSE_US   (5 * SECOND_US)
#define SPEECH_US  (20 * SECOND_US)
#define FRAME_SIZE 60

typedef struct {
    double hops_mean, copies, idle_bps, links, speed;
    unsigned hops_most;
} Figures;

static double cpu_s(void) {
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- the meeting ---- */

static void gather(World *world, unsigned count) {
    LineSettings line = {.lane = {.delay_us = 15000, .jitter_us = 3000, .rate_bps = 20e6}};

    network_set_lines(world->network, &line);
    crowd_gather(world, count);
    check_settle(world, SETTLE_US);
}

/* ---- one entry ---- */

/* How often entries came to nodes so far. */
static uint64_t received(const World *world) {
    uint64_t sum = 0;

    for (unsigned i = 0; i < world->node_count; i++)
        sum += world->nodes[i]->mesh ? world->nodes[i]->mesh->sync.received : 0;
    return sum;
}

/* How many links an entry took to come to each node, and how often it came to it. */
static void follow_entries(World *world, Figures *ret_figures) {
    uint64_t before = received(world), arrived = 0, hops = 0;

    world->spread = spread_create();
    for (unsigned i = 0; i < SAID && !world->failure; i++) {
        Node *node = crowd_anyone(world, hosts_all());
        const Ask *said = NULL;

        person_must(node, (MeshIntent){.kind = MESH_INTENT_SAY, .text = "Bonjour à tous"}, PAUSE_US,
                    &said);
        world_run(world, PAUSE_US, NULL, NULL);
        for (unsigned other = 0; other < world->node_count && said; other++) {
            unsigned took = spread_hops(world->spread, other, &said->hash);

            arrived += took > 0;
            hops += took;
            ret_figures->hops_most = MAX(ret_figures->hops_most, took);
        }
    }
    world_expect(world, arrived == (uint64_t)SAID * (world->node_count - 1),
                 "%" G_GUINT64_FORMAT " times somebody got an entry", arrived);
    ret_figures->hops_mean = (double)hops / (double)MAX(arrived, 1);
    ret_figures->copies = (double)(received(world) - before) / (double)MAX(arrived, 1);
}

/* ---- silence ---- */

static uint64_t sent_bytes(const World *world) {
    uint64_t sum = 0;

    for (unsigned i = 0; i < world->node_count; i++)
        sum += world->nodes[i]->sent_bytes;
    return sum;
}

/* Links of all nodes, those relayed not counted, each counted at both ends. */
static uint64_t links(const World *world) {
    uint64_t count = 0;
    MeshMember member;

    for (unsigned i = 0; i < world->node_count; i++)
        for (size_t j = 0; world->nodes[i]->mesh && mesh_member(world->nodes[i]->mesh, j, &member);
             j++)
            count += member.linked && member.path.kind != MESH_PATH_RELAY;
    return count;
}

static void measure_idle(World *world, Figures *ret_figures) {
    uint64_t before, ends;

    world_run(world, CALM_US, NULL, NULL);
    before = sent_bytes(world);
    world_run(world, IDLE_US, NULL, NULL);
    ends = MAX(links(world), 1);
    ret_figures->links = (double)ends / world->node_count;
    ret_figures->idle_bps =
        (double)(sent_bytes(world) - before) * 8 * SECOND_US / (double)(IDLE_US * ends);
}

/* ---- speech ---- */

static void measure_speed(World *world, Figures *ret_figures) {
    Node *speaker = crowd_anyone(world, hosts_all());
    double begun_s;

    voice_speak(speaker, FRAME_SIZE);
    world_run(world, SECOND_US, NULL, NULL);
    begun_s = cpu_s();
    world_run(world, SPEECH_US, NULL, NULL);
    ret_figures->speed = (double)SPEECH_US / SECOND_US / (cpu_s() - begun_s);
    voice_end(speaker);
}

int main(int count, char **words) {
    unsigned nodes = count > 1 ? (unsigned)atoi(words[1]) : 0;
    WorldOptions options = {.seed = 1};
    Figures figures = {0};
    World *world;
    int status;

    if (nodes < 2 || nodes > NETWORK_HOSTS || sodium_init() < 0)
        return 2;
    world = world_create(&options);
    gather(world, nodes);
    measure_idle(world, &figures);
    follow_entries(world, &figures);
    measure_speed(world, &figures);
    status = world->failure != NULL;
    if (world->failure)
        fprintf(stderr, "%s\n", world->failure);
    else
        printf("{\"nodes\":%u,\"hops_mean\":%.2f,\"hops_most\":%u,\"copies\":%.3f,"
               "\"links\":%.1f,\"idle_bps\":%.0f,\"speed\":%.2f}\n",
               nodes, figures.hops_mean, figures.hops_most, figures.copies, figures.links,
               figures.idle_bps, figures.speed);
    world_destroy(world);
    return status;
}
