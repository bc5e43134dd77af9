/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/sim/world.h"

#include "tests/sim/carried.h"
#include "tests/sim/ledger.h"
#include "tests/sim/node.h"
#include "tests/sim/spread.h"

static void deliver(gpointer context, unsigned host, const MeshEvent *event) {
    World *world = context;

    if (host < world->node_count && world->nodes[host]->mesh)
        node_step(world->nodes[host], event);
}

World *world_create(const WorldOptions *options) {
    World *world = g_new0(World, 1);

    world->options = *options;
    world->schedule = schedule_create();
    world->trace = trace_create(options->shown);
    world->network = network_create(world->schedule, options->seed, deliver, world);
    world->ice = ice_create(world->schedule, world->network, options->seed);
    world->ledger = ledger_create();
    world->alarms = alarms_create(NETWORK_HOSTS);
    world->carried = carried_create();
    world->by_key = g_hash_table_new(ledger_key_hash, ledger_key_equal);
    dice_init(&world->dice, options->seed, DICE_SCENARIO);
    return world;
}

void world_destroy(World *world) {
    if (!world)
        return;
    schedule_destroy(world->schedule);
    for (unsigned i = 0; i < world->node_count; i++)
        node_destroy(world->nodes[i]);
    g_hash_table_unref(world->by_key);
    alarms_destroy(world->alarms);
    spread_destroy(world->spread);
    carried_destroy(world->carried);
    ledger_destroy(world->ledger);
    ice_destroy(world->ice);
    network_destroy(world->network);
    trace_destroy(world->trace);
    g_free(world->failure);
    g_free(world);
}

/* ---- stories ---- */

void world_tell(World *world, void (*tell)(World *world)) {
    jmp_buf end;

    world->end = &end;
    if (setjmp(end) == 0)
        tell(world);
    world->end = NULL;
}

static void end_story(World *world) {
    if (world->failure && world->end && world->acts == 0)
        longjmp(*world->end, 1);
}

void world_act_begins(World *world) {
    world->acts++;
}

void world_act_ends(World *world) {
    world->acts--;
    end_story(world);
}

Node *world_add(World *world, unsigned site) {
    unsigned number = world->node_count++;

    g_assert_cmpuint(number, <, NETWORK_HOSTS);
    network_place(world->network, number, site);
    world->nodes[number] = node_create(world, number);
    g_hash_table_insert(world->by_key, &world->nodes[number]->key, world->nodes[number]);
    node_start(world->nodes[number]);
    return world->nodes[number];
}

uint64_t world_now_us(const World *world) {
    return schedule_now_us(world->schedule);
}

Node *world_find(const World *world, const MeshKey *key) {
    return g_hash_table_lookup(world->by_key, key);
}

bool world_run(World *world, uint64_t for_us, WorldCondition condition, gpointer context) {
    uint64_t until_us = world_now_us(world) + for_us;

    while (!world->failure) {
        uint64_t act_us = schedule_next_us(world->schedule), wake_us = UINT64_MAX;
        unsigned number = 0;

        if (condition && condition(context))
            return true;
        if (alarms_first(world->alarms, &number, &wake_us))
            wake_us = MAX(wake_us, world_now_us(world));
        if (MIN(act_us, wake_us) > until_us) {
            schedule_advance(world->schedule, until_us);
            return false;
        }
        if (act_us <= wake_us) {
            schedule_do_next(world->schedule);
        } else {
            schedule_advance(world->schedule, wake_us);
            node_step(world->nodes[number], &(MeshEvent){.kind = MESH_EVENT_TIMEOUT});
        }
    }
    return false;
}

bool world_fail(World *world, const char *format, ...) {
    va_list arguments;

    if (world->failure)
        return false;
    va_start(arguments, format);
    world->failure = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    world_note(world, "FAILED: %s", world->failure);
    end_story(world);
    return false;
}
