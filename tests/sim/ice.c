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
    GPtrArray *agents; /* in the order started */
};

/* An agent may be gone when its turn comes: it is found again by its id. */
typedef struct {
    Ice *ice;
    uint64_t id;
} Turn;

Ice *ice_create(Schedule *schedule, Network *network, uint64_t seed) {
    Ice *ice = g_new0(Ice, 1);

    ice->schedule = schedule;
    ice->network = network;
    ice->agents = g_ptr_array_new_with_free_func(g_free);
    dice_init(&ice->dice, seed, DICE_ICE);
    return ice;
}

void ice_destroy(Ice *ice) {
    g_ptr_array_free(ice->agents, TRUE);
    g_free(ice);
}

static Agent *find(const Ice *ice, unsigned host, uint32_t number) {
    for (guint i = 0; i < ice->agents->len; i++) {
        Agent *agent = g_ptr_array_index(ice->agents, i);

        if (agent->host == host && agent->number == number)
            return agent;
    }
    return NULL;
}

static Agent *find_id(const Ice *ice, uint64_t id) {
    for (guint i = 0; i < ice->agents->len; i++) {
        Agent *agent = g_ptr_array_index(ice->agents, i);

        if (agent->id == id)
            return agent;
    }
    return NULL;
}

/* The one whose offer this agent was given. */
static Agent *find_other(const Ice *ice, const Agent *agent) {
    for (guint i = 0; i < ice->agents->len; i++) {
        Agent *other = g_ptr_array_index(ice->agents, i);

        if (other->offer[0] && strcmp(other->offer, agent->remote) == 0)
            return other;
    }
    return NULL;
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
    agent->state = AGENT_READY;
    tell(turn->ice, agent, MESH_EVENT_ICE_OFFER);
}

void ice_start(Ice *ice, unsigned host, uint32_t number, const MeshPath *servers, size_t count) {
    Agent *agent = g_new0(Agent, 1);

    ice_stop(ice, host, number);
    agent->host = host;
    agent->number = number;
    agent->id = ++ice->ids;
    agent->known = network_has_public(ice->network, servers, count);
    g_ptr_array_add(ice->agents, agent);
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

        g_ptr_array_remove(ice->agents, agent);
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
        g_ptr_array_remove(ice->agents, agent);
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

void ice_forget(Ice *ice, unsigned host) {
    for (guint i = ice->agents->len; i > 0; i--) {
        Agent *agent = g_ptr_array_index(ice->agents, i - 1);

        if (agent->host == host)
            g_ptr_array_remove_index(ice->agents, i - 1);
    }
}

unsigned ice_count(const Ice *ice, unsigned host) {
    unsigned count = 0;

    for (guint i = 0; i < ice->agents->len; i++)
        count += ((const Agent *)g_ptr_array_index(ice->agents, i))->host == host;
    return count;
}
