/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/sim/node.h"

#include <string.h>

#include "tests/sim/ledger.h"
#include "tests/sim/person.h"
#include "tests/sim/spread.h"
#include "tests/sim/watch.h"

#define INSTANT_STEPS      4000 /* more of one node without time passing: it goes in circles */
#define SECOND_STEPS       40000
#define KNOCK_HEADERS_SIZE 28
#define TIMED_COUNT        64 /* messages that one just told of is looked for among */

Node *node_create(World *world, unsigned number) {
    Node *node = g_new0(Node, 1);

    node->world = world;
    node->number = number;
    wiring_name(number, node->name);
    dice_init(&node->dice, world->options.seed, DICE_NODE + number);
    dice_bytes(&node->dice, node->device_seed, sizeof node->device_seed);
    node->key = mesh_key_of_seed(node->device_seed);
    node->store = store_create();
    node->document_fetch_max = MESH_DOCUMENT_SIZE_MAX;
    node->voice = voice_create();
    node->message_us = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    return node;
}

void node_destroy(Node *node) {
    mesh_destroy(node->mesh);
    store_destroy(node->store);
    g_clear_pointer(&node->noticed, g_hash_table_unref);
    g_array_unref(node->message_us);
    person_upload_destroy(node->upload);
    voice_destroy(node->voice);
    for (unsigned i = 0; i < NETWORK_HOSTS; i++)
        ear_destroy(node->ears[i]);
    g_free(node);
}

/* ---- acts of one life ---- */

typedef struct {
    Node *node;
    unsigned life;
    NodeAct act;
    gpointer context;
    GDestroyNotify destroy;
} Later;

static void do_later(gpointer data) {
    Later *later = data;

    if (later->node->mesh && later->node->life == later->life)
        later->act(later->node, later->context);
}

static void destroy_later(gpointer data) {
    Later *later = data;

    if (later->destroy)
        later->destroy(later->context);
    g_free(later);
}

void node_later(Node *node, uint64_t delay_us, NodeAct act, gpointer context,
                GDestroyNotify destroy) {
    Later *later = g_new0(Later, 1);

    *later = (Later){node, node->life, act, context, destroy};
    schedule_add(node->world->schedule, delay_us, do_later, later, destroy_later);
}

/* ---- the disk ---- */

static void commit(Node *node, gpointer unused) {
    MeshEvent event = {.kind = node->disk_full ? MESH_EVENT_STORE_FAILED : MESH_EVENT_STORED};

    node->committing = false;
    event.stored.token = node->disk_full ? store_refuse(node->store) : store_commit(node->store);
    if (event.stored.token)
        node_step(node, &event);
}

static void want_commit(Node *node) {
    if (node->committing)
        return;
    node->committing = true;
    node_later(node, dice_between(&node->dice, 500, 8000), commit, NULL, NULL);
}

typedef struct {
    uint64_t token;
    GBytes *value;
} Fetched;

static void fetched_destroy(gpointer data) {
    Fetched *fetched = data;

    g_clear_pointer(&fetched->value, g_bytes_unref);
    g_free(fetched);
}

static void give_fetched(Node *node, gpointer context) {
    Fetched *fetched = context;
    MeshEvent event = {.kind = MESH_EVENT_FETCHED};

    event.stored.token = fetched->token;
    if (fetched->value)
        event.stored.bytes.data = g_bytes_get_data(fetched->value, &event.stored.bytes.length);
    node_step(node, &event);
}

static void do_store(Node *node, const MeshEffect *effect) {
    const MeshItem *item = &effect->store.item;

    if (!world_expect(node->world, item->key_length >= 1 && item->key_length <= MESH_ITEM_KEY_MAX,
                      "%s: an item has a key of %zu bytes", node->name, item->key_length))
        return;
    if (node->world->spread && effect->kind == MESH_EFFECT_PERSIST && item->kind == MESH_ITEM_ENTRY)
        spread_note(node->world->spread, node->number, node->fed_by, item->key);
    if (effect->kind == MESH_EFFECT_PERSIST) {
        store_put(node->store, effect->store.token, item);
    } else if (effect->kind == MESH_EFFECT_FORGET) {
        store_forget(node->store, item);
    } else {
        Fetched *fetched = g_new0(Fetched, 1);

        fetched->token = effect->store.token;
        fetched->value = store_fetch(node->store, item);
        node_later(node, dice_between(&node->dice, 50, 2000), give_fetched, fetched,
                   fetched_destroy);
        return;
    }
    want_commit(node);
}

/* ---- the other effects ---- */

static void do_send(Node *node, const MeshEffect *effect) {
    Bytes bytes = {effect->send.bytes, effect->send.length};
    World *world = node->world;

    if (!world_expect(world, bytes.length >= 1 && bytes.length <= MESH_DATAGRAM_MAX,
                      "%s: a datagram of %zu bytes", node->name, bytes.length))
        return;
    node->sent_bytes += bytes.length + KNOCK_HEADERS_SIZE;
    if (effect->kind == MESH_EFFECT_BEACON)
        network_beacon(world->network, node->number, bytes);
    else if (effect->send.path.kind == MESH_PATH_KNOCK)
        network_send(world->network, node->number, &effect->send.path, bytes);
    else if (effect->send.path.kind == MESH_PATH_ICE)
        ice_send(world->ice, node->number, effect->send.path.agent, bytes);
    else
        world_fail(world, "%s: a datagram for a path of kind %d", node->name,
                   effect->send.path.kind);
}

/* Authors' clocks are right where this is asked for. What is new is among the last. */
static void time_message(Node *node, const MeshHash *id) {
    uint64_t now_ms = WORLD_BEGIN_S * UINT64_C(1000) + world_now_us(node->world) / 1000;
    size_t count = mesh_message_count(node->mesh);
    MeshMessage message;

    for (size_t i = count; i-- > 0 && count - i <= TIMED_COUNT;) {
        mesh_message(node->mesh, i, &message);
        if (memcmp(message.id.bytes, id->bytes, MESH_HASH_SIZE) == 0 &&
            memcmp(message.author.bytes, node->key.bytes, MESH_KEY_SIZE) != 0) {
            uint64_t took_us = (now_ms - message.sent_at_ms) * 1000;

            g_array_append_val(node->message_us, took_us);
            return;
        }
    }
}

static void do_notify(Node *node, const MeshEffect *effect) {
    World *world = node->world;

    switch (effect->notify.notice) {
    case MESH_NOTICE_MESSAGE:
        world_expect(
            world,
            g_hash_table_add(node->noticed, g_memdup2(effect->notify.hash.bytes, MESH_HASH_SIZE)),
            "%s was told of one message twice", node->name);
        time_message(node, &effect->notify.hash);
        break;
    case MESH_NOTICE_MOTION:
        ledger_result(world->ledger, node, &effect->notify.hash);
        break;
    case MESH_NOTICE_FORK:
        world_fail(world, "%s sees a fork, and no node forges any", node->name);
        break;
    case MESH_NOTICE_COPIED:
        world_fail(world, "%s thinks that its home was copied", node->name);
        break;
    case MESH_NOTICE_EXPELLED:
        world_expect(world, node->place == NODE_EXPELLED, "%s is told that it is expelled",
                     node->name);
        break;
    case MESH_NOTICE_MEETING:
    case MESH_NOTICE_MEMBER:
    case MESH_NOTICE_PEER:
    case MESH_NOTICE_MAP:
    case MESH_NOTICE_HAND:
    case MESH_NOTICE_DOCUMENT:
        break;
    }
}

static void do_effect(Node *node, const MeshEffect *effect) {
    World *world = node->world;

    switch (effect->kind) {
    case MESH_EFFECT_SEND:
    case MESH_EFFECT_BEACON:
        do_send(node, effect);
        break;
    case MESH_EFFECT_PERSIST:
    case MESH_EFFECT_FORGET:
    case MESH_EFFECT_FETCH:
        do_store(node, effect);
        break;
    case MESH_EFFECT_ICE_START:
        ice_start(world->ice, node->number, effect->ice.agent, effect->ice.servers,
                  effect->ice.server_count);
        break;
    case MESH_EFFECT_ICE_REMOTE:
        ice_remote(world->ice, node->number, effect->ice.agent, effect->ice.offer);
        break;
    case MESH_EFFECT_ICE_STOP:
        ice_stop(world->ice, node->number, effect->ice.agent);
        break;
    case MESH_EFFECT_STREAM_OPEN:
    case MESH_EFFECT_STREAM_CLOSE:
    case MESH_EFFECT_FRAME:
        voice_hear(node, effect);
        break;
    case MESH_EFFECT_KEYFRAME:
        break; /* nobody shows pictures here */
    case MESH_EFFECT_NOTIFY:
        do_notify(node, effect);
        break;
    case MESH_EFFECT_DONE:
        person_done(node, effect);
        break;
    }
}

/* ---- steps ---- */

/* A core whose deadline stays in the past would stop the world. */
static void count_step(Node *node) {
    uint64_t now_us = world_now_us(node->world);

    if (node->instant_us != now_us)
        node->instant_steps = 0;
    if (node->second != now_us / SECOND_US) {
        node->second_steps = 0;
        watch_node(node);
    }
    node->instant_us = now_us;
    node->second = now_us / SECOND_US;
    node->world->steps++;
    world_expect(node->world, ++node->instant_steps <= INSTANT_STEPS,
                 "%s goes in circles: %d steps at one moment", node->name, INSTANT_STEPS);
    world_expect(node->world, ++node->second_steps <= SECOND_STEPS,
                 "%s is too busy: %d steps in one second", node->name, SECOND_STEPS);
}

/* What the core costs, when someone asks; the world around it is not counted. */
static uint64_t cost_now_ns(const Node *node) {
    return node->cost_clock_ns ? node->cost_clock_ns() : 0;
}

static uint64_t count_forwarded(const Node *node) {
    return node->cost_clock_ns ? mesh_counters(node->mesh).forwarded : 0;
}

static bool next_effect(Node *node, MeshEffect *ret_effect, uint64_t *cost_ns) {
    uint64_t begun_ns = cost_now_ns(node);
    bool any = !node->world->failure && mesh_next_effect(node->mesh, ret_effect);

    *cost_ns += cost_now_ns(node) - begun_ns;
    return any;
}

static uint64_t next_deadline_us(const Node *node, uint64_t *cost_ns) {
    uint64_t begun_ns = cost_now_ns(node);
    uint64_t deadline_us = mesh_deadline_us(node->mesh);

    *cost_ns += cost_now_ns(node) - begun_ns;
    return deadline_us;
}

void node_step(Node *node, const MeshEvent *event) {
    World *world = node->world;
    MeshEvent stamped = *event;
    MeshEffect effect;
    MeshError answer;
    uint64_t forwarded = count_forwarded(node), sent_bytes = node->sent_bytes;
    uint64_t cost_ns = cost_now_ns(node);
    unsigned effects = 0;

    world_act_begins(world);
    stamped.now_us = world_now_us(world);
    stamped.now_s =
        (uint64_t)(WORLD_BEGIN_S + (int64_t)(stamped.now_us / SECOND_US) + node->clock_s);
    count_step(node);
    node->fed_by =
        event->kind == MESH_EVENT_DATAGRAM ? network_sender(world->network) : node->number;
    if (node->meddle)
        node->meddle(node);
    answer = mesh_step(node->mesh, &stamped);
    cost_ns = cost_now_ns(node) - cost_ns;
    trace_event(world->trace, node->name, &stamped, answer);
    world_expect(world, answer != MESH_ERROR_NO_MEMORY, "%s ran out of memory", node->name);
    while (next_effect(node, &effect, &cost_ns)) {
        trace_effect(world->trace, stamped.now_us, node->name, &effect);
        world_expect(world, ++effects <= MESH_EFFECTS_MAX, "%s: more than %d effects of one step",
                     node->name, MESH_EFFECTS_MAX);
        do_effect(node, &effect);
    }
    alarms_set(world->alarms, node->number, next_deadline_us(node, &cost_ns));
    node->cost_ns += cost_ns;
    forwarded = count_forwarded(node) - forwarded;
    if (forwarded) {
        node->forwarded += forwarded;
        node->forward_ns += cost_ns;
        node->forward_bytes += node->sent_bytes - sent_bytes;
    }
    world_act_ends(world);
}

/* ---- lives ---- */

static void load(gpointer context, const MeshItem *item) {
    node_step(context, &(MeshEvent){.kind = MESH_EVENT_LOADED, .item = *item});
}

static void say_address(Node *node) {
    MeshPath path = network_address(node->world->network, node->number);
    MeshEvent event = {.kind = MESH_EVENT_ADDRESSES};

    event.addresses.paths = &path;
    event.addresses.count = 1;
    node_step(node, &event);
}

void node_start(Node *node) {
    MeshOptions options = {.name = node->name, .random = dice_bytes};

    g_assert_null(node->mesh);
    memcpy(options.device_seed, node->device_seed, MESH_SEED_SIZE);
    options.random_context = &node->dice;
    options.now_us = world_now_us(node->world);
    options.document_fetch_max = node->document_fetch_max;
    node->life++;
    node->committing = false;
    g_clear_pointer(&node->noticed, g_hash_table_unref);
    node->noticed = g_hash_table_new_full(ledger_key_hash, ledger_key_equal, g_free, NULL);
    world_note(node->world, "%s starts, life %u", node->name, node->life);
    node->mesh = mesh_create(&options);
    g_assert_nonnull(node->mesh);
    store_load(node->store, load, node);
    node_step(node, &(MeshEvent){.kind = MESH_EVENT_LOADED_END});
    ledger_check_own(node->world->ledger, node);
    say_address(node);
}

static void end_life(Node *node) {
    g_clear_pointer(&node->mesh, mesh_destroy);
    alarms_set(node->world->alarms, node->number, UINT64_MAX);
    ice_forget(node->world->ice, node->number);
    voice_stop(node);
    person_forget(node);
}

void node_leave(Node *node) {
    if (!node->mesh)
        return;
    world_note(node->world, "%s leaves", node->name);
    node_step(node, &(MeshEvent){.kind = MESH_EVENT_LEAVE});
    store_commit(node->store);
    end_life(node);
}

void node_crash(Node *node) {
    size_t waiting = store_waiting(node->store);
    size_t kept = (size_t)dice_below(&node->dice, waiting + 1);

    if (!node->mesh)
        return;
    world_note(node->world, "%s crashes: %zu of %zu writes survive", node->name, kept, waiting);
    store_crash(node->store, kept);
    end_life(node);
}

void node_move(Node *node, unsigned site) {
    network_place(node->world->network, node->number, site);
    world_note(node->world, "%s moves to site %u", node->name, site);
    if (!node->mesh)
        return;
    say_address(node);
    node_step(node, &(MeshEvent){.kind = MESH_EVENT_WAKE});
}
