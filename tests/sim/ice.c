/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/sim/ice.h"

#include <string.h>

#define CHECK_US   50000
#define GIVE_UP_US (15 * G_USEC_PER_SEC)
#define OFFER_SIZE 400 /* the longest: as the real ones, a few candidates in text */

typedef enum {
    AGENT_GATHERING,
    AGENT_READY,    /* its offer was given */
    AGENT_CHECKING, /* it has the other's */
    AGENT_CONNECTED,
} AgentState;

typedef struct {
    unsigned host;
    uint32_t number; /* as the core calls it */
    uint64_t id;     /* as no other in this world */
    uint64_t name;   /* of host and number */
    AgentState state;
    bool known; /* how the outside sees it */
    char offer[OFFER_SIZE];
    char remote[OFFER_SIZE];
    uint64_t give_up_us;
    uint64_t pair; /* id of the other agent, once CONNECTED */
    unsigned moves, rebinds;
    bool outside; /* the pair goes through NATs */
} Agent;

struct Ice {
    Schedule *schedule;
    Network *network;
    Dice dice;
    uint64_t ids;
    GHashTable *agents;    /* id → Agent, which it owns */
    GHashTable *by_number; /* host and number, in one → Agent */
    GHashTable *by_offer;  /* offer → Agent */
};

/* An agent may be gone when its turn comes: it is found again by its id. */
typedef struct {
    Ice *ice;
    uint64_t id;
} Turn;

/* What the core of a host calls an agent, as no other host's. */
static uint64_t name_of(unsigned host, uint32_t number) {
    return (uint64_t)host << 32 | number;
}

Ice *ice_create(Schedule *schedule, Network *network, uint64_t seed) {
    Ice *ice = g_new0(Ice, 1);

    ice->schedule = schedule;
    ice->network = network;
    ice->agents = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
    ice->by_number = g_hash_table_new(g_int64_hash, g_int64_equal);
    ice->by_offer = g_hash_table_new(g_str_hash, g_str_equal);
    dice_init(&ice->dice, seed, DICE_ICE);
    return ice;
}

void ice_destroy(Ice *ice) {
    g_hash_table_unref(ice->by_offer);
    g_hash_table_unref(ice->by_number);
    g_hash_table_unref(ice->agents);
    g_free(ice);
}

static Agent *find(const Ice *ice, unsigned host, uint32_t number) {
    uint64_t name = name_of(host, number);

    return g_hash_table_lookup(ice->by_number, &name);
}

static Agent *find_id(const Ice *ice, uint64_t id) {
    return g_hash_table_lookup(ice->agents, &id);
}

/* The one whose offer this agent was given. */
static Agent *find_other(const Ice *ice, const Agent *agent) {
    return g_hash_table_lookup(ice->by_offer, agent->remote);
}

static void forget(Ice *ice, Agent *agent) {
    if (agent->offer[0])
        g_hash_table_remove(ice->by_offer, agent->offer);
    g_hash_table_remove(ice->by_number, &agent->name);
    g_hash_table_remove(ice->agents, &agent->id);
}

static void later(Ice *ice, const Agent *agent, uint64_t delay_us, ScheduleAct act) {
    Turn *turn = g_new0(Turn, 1);

    turn->ice = ice;
    turn->id = agent->id;
    schedule_add(ice->schedule, delay_us, act, turn, g_free);
}

static void tell(Ice *ice, const Agent *agent, MeshEventKind kind) {
    MeshEvent event = {.kind = kind};

    event.ice.agent = agent->number;
    if (kind == MESH_EVENT_ICE_OFFER)
        event.ice.offer = (Bytes){(const uint8_t *)agent->offer, strlen(agent->offer)};
    network_deliver(ice->network, agent->host, &event);
}

static void gathered(gpointer data) {
    Turn *turn = data;
    Agent *agent = find_id(turn->ice, turn->id);
    GString *offer;

    if (!agent)
        return;
    offer = g_string_new(NULL);
    g_string_printf(offer, "ice %u %" G_GUINT64_FORMAT " %016" G_GINT64_MODIFIER "x", agent->host,
                    agent->id, emulator_random_next(&turn->ice->dice));
    while (offer->len < OFFER_SIZE - 1 - dice_below(&turn->ice->dice, OFFER_SIZE / 2))
        g_string_append_c(offer, '.');
    g_strlcpy(agent->offer, offer->str, OFFER_SIZE);
    g_string_free(offer, TRUE);
    g_hash_table_insert(turn->ice->by_offer, agent->offer, agent);
    agent->state = AGENT_READY;
    tell(turn->ice, agent, MESH_EVENT_ICE_OFFER);
}

void ice_start(Ice *ice, unsigned host, uint32_t number, const MeshPath *servers, size_t count) {
    Agent *agent = g_new0(Agent, 1);

    ice_stop(ice, host, number);
    agent->host = host;
    agent->number = number;
    agent->id = ++ice->ids;
    agent->name = name_of(host, number);
    agent->known = network_has_public(ice->network, servers, count);
    g_hash_table_insert(ice->agents, &agent->id, agent);
    g_hash_table_insert(ice->by_number, &agent->name, agent);
    later(ice, agent, dice_between(&ice->dice, 20000, 120000), gathered);
}

static void connect_one(Ice *ice, Agent *agent, const Agent *other, bool outside) {
    agent->state = AGENT_CONNECTED;
    agent->pair = other->id;
    agent->moves = network_moves(ice->network, agent->host);
    agent->rebinds = network_rebinds(ice->network, agent->host);
    agent->outside = outside;
}

static void say_up(gpointer data) {
    Turn *turn = data;
    Agent *agent = find_id(turn->ice, turn->id);

    if (agent)
        tell(turn->ice, agent, MESH_EVENT_ICE_UP);
}

static void check(gpointer data) {
    Turn *turn = data;
    Ice *ice = turn->ice;
    Agent *agent = find_id(ice, turn->id), *other;
    bool outside;

    if (!agent || agent->state != AGENT_CHECKING)
        return;
    other = find_other(ice, agent);
    if (other && other->state == AGENT_CHECKING && find_other(ice, other) == agent &&
        network_can_punch(ice->network, agent->host, agent->known, other->host, other->known)) {
        outside = !network_same_site(ice->network, agent->host, other->host);
        connect_one(ice, agent, other, outside);
        connect_one(ice, other, agent, outside);
        /* READY is asymmetric: one side may send before the other knows. */
        later(ice, agent, dice_between(&ice->dice, 1000, 300000), say_up);
        later(ice, other, dice_between(&ice->dice, 1000, 300000), say_up);
    } else if (schedule_now_us(ice->schedule) < agent->give_up_us) {
        later(ice, agent, CHECK_US, check);
    } else {
        Agent gone = *agent;

        forget(ice, agent);
        tell(ice, &gone, MESH_EVENT_ICE_DOWN);
    }
}

void ice_remote(Ice *ice, unsigned host, uint32_t number, Bytes offer) {
    Agent *agent = find(ice, host, number);

    if (!agent || agent->state == AGENT_CONNECTED || offer.length >= OFFER_SIZE)
        return;
    memcpy(agent->remote, offer.data, offer.length);
    agent->remote[offer.length] = '\0';
    if (agent->state == AGENT_READY) {
        agent->state = AGENT_CHECKING;
        agent->give_up_us = schedule_now_us(ice->schedule) + GIVE_UP_US;
        later(ice, agent, CHECK_US, check);
    }
}

void ice_stop(Ice *ice, unsigned host, uint32_t number) {
    Agent *agent = find(ice, host, number);

    if (agent)
        forget(ice, agent);
}

static bool is_alive(const Ice *ice, const Agent *agent) {
    return network_moves(ice->network, agent->host) == agent->moves &&
           (!agent->outside || network_rebinds(ice->network, agent->host) == agent->rebinds);
}

void ice_send(Ice *ice, unsigned host, uint32_t number, Bytes bytes) {
    Agent *agent = find(ice, host, number);
    Agent *other = agent && agent->state == AGENT_CONNECTED ? find_id(ice, agent->pair) : NULL;
    MeshPath seen = {.kind = MESH_PATH_ICE};

    if (!other || other->pair != agent->id || !is_alive(ice, agent) || !is_alive(ice, other))
        return;
    seen.agent = other->number;
    network_carry(ice->network, host, other->host, &seen, bytes);
}

/* Agents of a host, borrowed; the caller frees the list. */
static GList *agents_of(const Ice *ice, unsigned host) {
    GList *agents = g_hash_table_get_values(ice->agents);

    for (GList *at = agents, *next; at; at = next) {
        next = at->next;
        if (((const Agent *)at->data)->host != host)
            agents = g_list_delete_link(agents, at);
    }
    return agents;
}

void ice_forget(Ice *ice, unsigned host) {
    GList *agents = agents_of(ice, host);

    for (GList *at = agents; at; at = at->next)
        forget(ice, at->data);
    g_list_free(agents);
}

unsigned ice_count(const Ice *ice, unsigned host) {
    GList *agents = agents_of(ice, host);
    unsigned count = g_list_length(agents);

    g_list_free(agents);
    return count;
}
