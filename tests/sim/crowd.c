/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/sim/crowd.h"

#include "tests/sim/ledger.h"
#include "tests/sim/node.h"
#include "tests/sim/person.h"

#define SITE_HOSTS 16
#define WAVE_MOST  32
#define WAVE_US    (3 * MINUTE_US)
#define STAY_US    (5 * SECOND_US)
#define LOOK_US    (50 * 1000)

Node *crowd_anyone(World *world, Hosts hosts) {
    unsigned begin = (unsigned)dice_below(&world->dice, world->node_count);

    for (unsigned i = 0; i < world->node_count; i++) {
        Node *node = world->nodes[(begin + i) % world->node_count];

        if (node->mesh && node->place == NODE_MEMBER && hosts_have(&hosts, node->number))
            return node;
    }
    return NULL;
}

Hosts crowd_part(World *world, unsigned count, unsigned percent) {
    Hosts hosts = {{0}};

    for (unsigned host = 1; host < count; host++)
        if (dice_below(&world->dice, 100) < percent)
            hosts_add(&hosts, host);
    return hosts;
}

/* ---- joining ---- */

typedef struct {
    Hosts hosts;      /* among whom tickets are asked for */
    unsigned members; /* there */
    unsigned waves;
} Crowd;

static Node *add_beside(World *world, const Node *member) {
    unsigned site = network_site_of(world->network, member->number);

    if (network_site_size(world->network, site) >= SITE_HOSTS)
        site = network_site(world->network, NAT_NONE);
    return world_add(world, site);
}

/* The newcomers, who have asked to join; their numbers are the last. */
static void begin_wave(World *world, const Crowd *crowd, unsigned count) {
    Node *inviter = crowd_anyone(world, crowd->hosts);
    const char *ticket;

    if (!world_expect(world, inviter, "nobody is left to invite anyone"))
        return;
    ticket = person_invite(inviter, MESH_ROLE_MEMBER, count);
    for (unsigned i = 0; i < count && !world->failure; i++) {
        Node *node = add_beside(world, inviter);

        node->place = NODE_MEMBER;
        person_ask(node, (MeshIntent){.kind = MESH_INTENT_JOIN, .text = ticket});
    }
}

/* Somebody among those numbered from here on still asks; NULL: nobody does. */
static const Node *first_waiting(const World *world, unsigned from) {
    for (unsigned i = from; i < world->node_count; i++)
        if (mesh_info(world->nodes[i]->mesh).status != MESH_STATUS_MEMBER)
            return world->nodes[i];
    return NULL;
}

static void join_wave(World *world, Crowd *crowd, unsigned count) {
    unsigned from = world->node_count;
    uint64_t until_us = world_now_us(world) + WAVE_US;
    const Node *waiting;

    begin_wave(world, crowd, count);
    while ((waiting = first_waiting(world, from)) && !world->failure &&
           world_now_us(world) < until_us)
        world_run(world, LOOK_US, NULL, NULL);
    world_expect(world, !waiting, "%s does not get in", waiting ? waiting->name : "");
    for (unsigned i = from; i < world->node_count; i++)
        hosts_add(&crowd->hosts, i);
    crowd->members += count;
    world_note(world, "%u are in", crowd->members);
}

static void join_all(World *world, Crowd *crowd, unsigned count) {
    unsigned wanted = crowd->members + count;

    while (crowd->members < wanted && !world->failure)
        join_wave(world, crowd, MIN(MIN(2 * crowd->members, WAVE_MOST), wanted - crowd->members));
}

void crowd_join(World *world, Hosts hosts, unsigned count) {
    Crowd crowd = {.hosts = hosts};

    for (unsigned i = 0; i < world->node_count; i++)
        crowd.members += world->nodes[i]->mesh && hosts_have(&hosts, i);
    join_all(world, &crowd, count);
}

void crowd_pass(World *world, unsigned count) {
    for (unsigned left = count, wave; left > 0 && !world->failure; left -= wave) {
        unsigned from = world->node_count;

        wave = MIN(left, WAVE_MOST);
        crowd_join(world, hosts_all(), wave);
        world_run(world, STAY_US, NULL, NULL);
        for (unsigned i = from; i < world->node_count; i++)
            node_leave(world->nodes[i]);
    }
}

void crowd_gather(World *world, unsigned count) {
    Node *first = world_add(world, network_site(world->network, NAT_NONE));
    Crowd crowd = {.hosts = hosts_of(1), .members = 1};

    person_create(first, "Grande réunion");
    join_all(world, &crowd, count - 1);
}

/* ---- telling ---- */

static const Node *first_untold(const World *world, const Hosts *hosts, const MeshHash *message) {
    for (unsigned i = 0; i < world->node_count; i++) {
        const Node *node = world->nodes[i];

        if (node->mesh && node->place == NODE_MEMBER && hosts_have(hosts, i) &&
            !g_hash_table_contains(node->noticed, message->bytes))
            return node;
    }
    return NULL;
}

uint64_t crowd_tell(World *world, Node *node, Hosts hosts, uint64_t within_us) {
    char *text = g_strdup_printf("%s dit %zu", node->name, ledger_count(world->ledger));
    MeshIntent intent = {.kind = MESH_INTENT_SAY, .text = text};
    uint64_t begun_us = world_now_us(world);
    const Ask *said = NULL;
    const Node *untold = NULL;

    if (person_must(node, intent, within_us, &said))
        while ((untold = first_untold(world, &hosts, &said->hash)) && !world->failure &&
               world_now_us(world) < begun_us + within_us)
            world_run(world, LOOK_US, NULL, NULL);
    world_expect(world, !untold, "%s is not told what %s says", untold ? untold->name : "",
                 node->name);
    g_free(text);
    return world_now_us(world) - begun_us;
}
