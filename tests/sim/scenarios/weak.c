/* SPDX-License-Identifier: MPL-2.0 */
#include <string.h>

#include "tests/sim/scenario.h"

#define PAYLOAD_SHARE 0.96            /* of a packet of 1,400 bytes */
#define REST_US       (5 * SECOND_US) /* after the join, until all is said */

/* ---- lines ---- */

typedef struct {
    World *world;
    uint64_t down_us, up_us;
} Flapping;

static void flap(gpointer data) {
    Flapping *flapping = data;
    Network *network = flapping->world->network;
    bool cut = !line_is_cut(network_line(network, 0, 1));
    Flapping *next = g_memdup2(flapping, sizeof *flapping);

    network_split(network, hosts_of(1), hosts_of(2), cut);
    schedule_add(flapping->world->schedule, cut ? flapping->down_us : flapping->up_us, flap, next,
                 g_free);
}

/* Two members joined by a line of this profile, W5 up and down from then on. */
static void meet(World *world, const char *profile) {
    scenario_meet(world, profile);
    if (strcmp(profile, "W5") == 0) {
        Flapping flapping = {world, 30 * SECOND_US, 30 * SECOND_US};

        schedule_add(world->schedule, flapping.up_us, flap, g_memdup2(&flapping, sizeof flapping),
                     g_free);
    }
}

/* ---- a document alone ---- */

static bool is_whole(gpointer context) {
    const Node *node = context;
    MeshDocument document;

    return mesh_document(node->mesh, 0, &document) && document.have == document.size;
}

static bool is_announced(gpointer context) {
    const Node *node = context;
    MeshDocument document;

    return mesh_document(node->mesh, 0, &document);
}

/* What the line could carry of a document at best, bit/s while it is up. */
static double limit_bps(const char *profile) {
    EmulatorSettings line = scenario_profile(profile).lane;

    return line.rate_bps * (1 - line.loss) * (1 - line.burst_share) * PAYLOAD_SHARE;
}

/* A document that takes about a minute: which share of the line it gets, all included. */
static void send_document(World *world, const char *profile, double least_share, double most_cost) {
    double lasted_s, share, cost;
    uint64_t size = (uint64_t)(limit_bps(profile) * 60 / 8), begin_us;
    Node *a, *b;
    Line *line;

    meet(world, profile);
    if (world->failure)
        return;
    a = world->nodes[0];
    b = world->nodes[1];
    line = network_line(world->network, 0, 1);
    world_run(world, REST_US, NULL, NULL);
    person_add(a, size);
    world_run(world, MINUTE_US, is_announced, a);
    begin_us = world_now_us(world);
    emulator_lane_reset(&line->lane, begin_us);
    if (!world_expect(world, world_run(world, 5 * MINUTE_US, is_whole, b),
                      "%s: the document does not arrive", profile))
        return;
    lasted_s = (double)(world_now_us(world) - begin_us) / 1e6;
    share = (double)size * 8 / limit_bps(profile) / lasted_s;
    if (line->lane.settings.burst_us > 0) /* how much of the time it was faded this time */
        share *= (1 - line->lane.settings.burst_share) /
                 (1 - (double)line->lane.fade.bad_us / 1e6 / lasted_s);
    cost = (double)line->lane.stats.bytes / (double)size;
    world_note(world, "%s: %.0f kB in %.1f s, %.3f of what is possible, %.3f bytes sent for one",
               profile, (double)size / 1e3, lasted_s, share, cost);
    world_expect(world, share >= least_share && cost <= most_cost,
                 "%s: %.3f of what is possible, %.3f bytes sent for one", profile, share, cost);
}

/* A document of two leaves, when all else is said: it does not wait to be asked for, and no part of
 * it is sent twice. */
void weak_slide(World *world) {
    LineSettings line = {.lane = {.rate_bps = 64000, .delay_us = 300000, .queue_bytes = 16000}};
    uint64_t size = 8192, begin_us;
    double lasted_s, busy_s;
    Node *a, *b;
    Line *there;

    network_set_lines(world->network, &line);
    scenario_gather(world, 1);
    if (world->failure)
        return;
    a = world->nodes[0];
    b = world_add(world, network_site(world->network, NAT_NONE));
    person_join(b, person_invite(a, MESH_ROLE_MEMBER, 1), MINUTE_US);
    world_run(world, REST_US, NULL, NULL);
    there = network_line(world->network, 0, 1);
    person_add(a, size);
    world_run(world, MINUTE_US, is_announced, a);
    begin_us = world_now_us(world);
    emulator_lane_reset(&there->lane, begin_us);
    world_expect(world, world_run(world, MINUTE_US, is_whole, b), "the slide does not arrive");
    lasted_s = (double)(world_now_us(world) - begin_us) / 1e6;
    busy_s = (double)there->lane.stats.bytes * 8 / 64000;
    world_note(world, "a slide is there after %.2f s, for %.2f s on the line", lasted_s, busy_s);
    world_expect(world, lasted_s < busy_s + 0.5, "the slide came after %.2f s", lasted_s);
    world_expect(world, there->lane.stats.bytes < size * 5 / 4, "more than the slide was sent");
    scenario_end(world, MINUTE_US);
}

/* What must hold; README.md has what is aimed at, and in which seeds. */

void weak_document_1(World *world) {
    send_document(world, "W1", 0.95, 1.11);
}

void weak_document_2(World *world) {
    send_document(world, "W2", 0.88, 1.26);
}

void weak_document_3(World *world) {
    send_document(world, "W3", 0.84, 1.26);
}

void weak_document_4(World *world) {
    send_document(world, "W4", 0.90, 1.35);
}

void weak_document_5(World *world) {
    send_document(world, "W5", 0, 1.095);
}
