/* SPDX-License-Identifier: MPL-2.0 */
/* Relays in the open, and members: all but the first each behind a hard NAT of its own, with no
 * other way to each other once the first is gone. */
#include "mesh/core.h"
#include "tests/sim/scenario.h"

#define FEW   8 /* members */
#define MANY  30
#define FRAME 60

typedef struct {
    Node *relay, *other; /* the second one, or NULL */
    unsigned count;
    Node *members[MANY]; /* the first in the open */
} Crew;

static bool is_direct(const Node *member, const Node *relay) {
    MeshPathKind kind = relay ? check_path(member, relay) : MESH_PATH_NONE;

    return kind != MESH_PATH_NONE && kind != MESH_PATH_RELAY;
}

/* Every member behind a NAT is linked with a relay. */
static bool are_linked(gpointer context) {
    const Crew *crew = context;

    for (unsigned i = 1; i < crew->count; i++)
        if (crew->members[i]->mesh && !is_direct(crew->members[i], crew->relay) &&
            !is_direct(crew->members[i], crew->other))
            return false;
    return true;
}

/* With both. */
static bool are_safe(gpointer context) {
    const Crew *crew = context;

    for (unsigned i = 1; i < crew->count; i++)
        if (crew->members[i]->mesh && (!is_direct(crew->members[i], crew->relay) ||
                                       !is_direct(crew->members[i], crew->other)))
            return false;
    return true;
}

static Node *add_relay(World *world, Node *founder, unsigned site) {
    Node *relay = world_add(world, site);

    person_join_relay(relay, person_invite(founder, MESH_ROLE_RELAY, 1), 30 * SECOND_US);
    return relay;
}

static Crew gather(World *world, unsigned count, unsigned relays) {
    unsigned open = network_site(world->network, NAT_NONE);
    Node *founder = world_add(world, open);
    Crew crew = {.count = count, .members = {founder}};
    const char *ticket;

    person_create(founder, "Cellule de crise");
    crew.relay = add_relay(world, founder, open);
    crew.other = relays > 1 ? add_relay(world, founder, open) : NULL;
    ticket = person_invite(founder, MESH_ROLE_MEMBER, count);
    for (unsigned i = 1; i < count; i++) {
        crew.members[i] = world_add(world, network_site(world->network, NAT_SYMMETRIC));
        person_join(crew.members[i], ticket, 30 * SECOND_US);
    }
    check_settle(world, MINUTE_US);
    world_expect(world, world_run(world, 2 * MINUTE_US, are_linked, &crew),
                 "somebody is linked with no relay");
    return crew;
}

/* ---- what it must never have ---- */

static bool holds(const MeshItem *item, const uint8_t *wanted, size_t length) {
    for (size_t i = 0; i + length <= item->value_length; i++)
        if (memcmp(item->value + i, wanted, length) == 0)
            return true;
    return false;
}

/* No key of an epoch, and nothing that anybody said. */
static void look_at_item(gpointer context, const MeshItem *item) {
    const Crew *crew = context;
    World *world = crew->relay->world;

    for (unsigned i = 0; i < crew->count; i++) {
        const Mesh *mesh = crew->members[i]->mesh;

        for (size_t k = 0; mesh && k < mesh->meeting.key_count; k++)
            world_expect(world, !holds(item, mesh->meeting.keys[k].key, 32),
                         "an epoch key is on the relay's disk");
    }
    world_expect(world, !holds(item, (const uint8_t *)" dit ", 5),
                 "what somebody said is on the relay's disk");
}

static void expect_keyless(Crew *crew) {
    Node *relay = crew->relay;

    store_load(relay->store, look_at_item, crew);
    world_expect(relay->world, relay->mesh && relay->mesh->meeting.key_count == 0,
                 "the relay holds a key");
    for (unsigned i = 0; i < crew->count; i++)
        world_expect(relay->world, voice_ear(relay, crew->members[i]->number)->frames == 0,
                     "the relay hears %s", crew->members[i]->name);
}

/* ---- the story ---- */

static bool has_all_entries(gpointer context) {
    const Crew *crew = context;

    for (unsigned i = 0; i < crew->count; i++) {
        const Mesh *mesh = crew->members[i]->mesh;

        if (mesh && mesh_info(mesh).entries != mesh_info(crew->relay->mesh).entries)
            return false;
    }
    return true;
}

static void expect_kept(World *world, Crew *crew) {
    world_expect(world, world_run(world, MINUTE_US, has_all_entries, crew),
                 "the relay has not what the members have");
}

/* One speaks for a while, and the others hear nearly all of it in time. */
static void expect_voice(World *world, Node *speaker, Node *const *listeners, unsigned count,
                         unsigned percent) {
    uint64_t begin = voice_spoken(speaker->voice), spoken;

    for (unsigned i = 0; i < count; i++)
        ear_reset(voice_ear(listeners[i], speaker->number));
    voice_speak(speaker, FRAME);
    scenario_chat(world, 15 * SECOND_US, SECOND_US);
    voice_end(speaker);
    world_run(world, SECOND_US, NULL, NULL);
    spoken = voice_spoken(speaker->voice) - begin;
    for (unsigned i = 0; i < count; i++) {
        const Ear *ear = voice_ear(listeners[i], speaker->number);

        world_expect(world, (ear->frames - ear->late) * 100 >= spoken * percent,
                     "%s hears %" G_GUINT64_FORMAT " frames of %" G_GUINT64_FORMAT " of %s",
                     listeners[i]->name, ear->frames - ear->late, spoken, speaker->name);
    }
}

void relay_carries(World *world) {
    Crew crew;
    MeshHash motion;

    network_set_lines(world->network, &scenario_thin);
    crew = gather(world, FEW, 1);
    world_expect(world, mesh_info(crew.members[0]->mesh).members == FEW,
                 "the relay is counted among the members");
    /* Nobody but the relay joins them from now on. */
    node_crash(crew.members[0]);
    scenario_chat(world, 30 * SECOND_US, SECOND_US);
    check_settle(world, MINUTE_US);
    expect_voice(world, crew.members[1], crew.members + 2, crew.count - 2, 90);
    motion = person_open(crew.members[2], "évacuer ?");
    check_settle(world, MINUTE_US);
    for (unsigned i = 1; i < crew.count; i++)
        person_vote(crew.members[i], &motion, i % 2 ? "pour" : "contre");
    person_add(crew.members[3], 40000);
    check_settle(world, 2 * MINUTE_US);
    expect_kept(world, &crew);
    /* One after the other: who writes is gone before the next comes. */
    for (unsigned i = 1; i < crew.count; i++)
        node_crash(crew.members[i]);
    for (unsigned i = 1; i < crew.count; i++) {
        node_start(crew.members[i]);
        if (dice_below(&world->dice, 3) == 0) {
            node_crash(crew.relay);
            node_start(crew.relay);
        }
        expect_kept(world, &crew);
        check_settle(world, MINUTE_US); /* all that was acknowledged so far is there */
        person_say(crew.members[i], "%s dit qu'il est seul", crew.members[i]->name);
        world_run(world, SECOND_US, NULL, NULL);
        expect_kept(world, &crew);
        expect_keyless(&crew);
        node_crash(crew.members[i]);
    }
    scenario_end(world, 2 * MINUTE_US);
    expect_kept(world, &crew);
    expect_keyless(&crew);
}

/* Far more than are linked with all, and each only with two relays. */
void relay_many(World *world) {
    LineSettings line = scenario_thin;
    Crew crew;

    line.lane.rate_bps = 2e6;
    network_set_lines(world->network, &line);
    crew = gather(world, MANY, 2);
    node_crash(crew.members[0]);
    scenario_chat(world, 30 * SECOND_US, SECOND_US);
    check_settle(world, MINUTE_US);
    expect_voice(world, crew.members[1], crew.members + 2, MANY - 2, 90);
    /* Who can be linked with hardly anybody is so with both: then one of them is enough. */
    world_expect(world, world_run(world, 3 * MINUTE_US, are_safe, &crew),
                 "somebody is linked with one relay alone");
    node_crash(crew.other);
    world_run(world, MINUTE_US, NULL, NULL);
    scenario_chat(world, 30 * SECOND_US, SECOND_US);
    check_settle(world, 2 * MINUTE_US);
    expect_keyless(&crew);
}

/* ---- one that does nothing it is there for ---- */

/* It answers for itself, tells of its links, and drops all that is to go on by it. */
static void drop_all(Node *relay) {
    Mesh *mesh = relay->mesh;

    for (uint32_t slot = 0; slot < MESH_PEERS_MAX; slot++) {
        Neighbour *neighbour = neighbour_at(mesh, slot);
        SyncPeer *peer = mesh->sync.peers[slot];

        if (neighbour)
            neighbour->carried_us = neighbour->carried_soon_us = UINT64_MAX;
        if (peer)
            peer->serve_count = 0;
    }
    streams_finish(mesh);
}

static void set_lines(World *world, const Crew *crew, const LineSettings *settings) {
    unsigned relay = crew->relay->number;

    for (unsigned i = 0; i < crew->count; i++) {
        unsigned member = crew->members[i]->number;

        line_change(network_line(world->network, member, relay), settings);
        line_change(network_line(world->network, relay, member), settings);
    }
}

/* They talk, vote and share as if it were not there. */
static void expect_meeting(World *world, Crew *crew, unsigned turn) {
    MeshHash motion;

    scenario_chat(world, 30 * SECOND_US, SECOND_US);
    check_settle(world, 2 * MINUTE_US);
    motion = person_open(crew->members[2 + turn], "évacuer ?");
    check_settle(world, MINUTE_US);
    for (unsigned i = 0; i < crew->count; i++)
        person_vote(crew->members[i], &motion, i % 2 ? "pour" : "contre");
    person_add(crew->members[4 + turn], 40000);
    check_settle(world, 2 * MINUTE_US);
    expect_voice(world, crew->members[1], crew->members + 2, crew->count - 2, 90);
    check_settle(world, MINUTE_US);
}

/* Nearer to everyone than the only other way there is, and of no use. */
void relay_drops(World *world) {
    LineSettings line = scenario_thin, near = scenario_lan, bad = scenario_bad;
    MeshCounters before, after;
    Crew crew;

    line.lane.rate_bps = 2e6;
    network_set_lines(world->network, &line);
    crew = gather(world, FEW, 1);
    near.lane.delay_us = 5000;
    set_lines(world, &crew, &near);
    world_run(world, MINUTE_US, NULL, NULL);
    before = mesh_counters(crew.relay->mesh);
    crew.relay->disk_full = true;
    crew.relay->meddle = drop_all;
    expect_meeting(world, &crew, 0);
    after = mesh_counters(crew.relay->mesh);
    world_expect(world, after.forwarded - before.forwarded < 100,
                 "it carried %" G_GUINT64_FORMAT " all the same",
                 after.forwarded - before.forwarded);
    world_expect(world, after.limited > before.limited, "nobody asked it to carry");
    /* An honest one whose lines delay, lose, double and reorder what goes by it. */
    crew.relay->disk_full = false;
    crew.relay->meddle = NULL;
    bad.lane.delay_us = 1500000;
    bad.lane.jitter_us = 1000000;
    bad.lane.reorder = 0.3;
    set_lines(world, &crew, &bad);
    expect_meeting(world, &crew, 1);
    expect_keyless(&crew);
}

/* ---- one that newcomers knock through ---- */

/* All behind hard NATs, and newcomers too: of the addresses in the ticket they reach the relay's.
 */
void relay_porter(World *world) {
    const char *ticket;
    Crew crew;

    network_set_lines(world->network, &scenario_thin);
    crew = gather(world, 3, 1);
    node_crash(crew.members[0]);
    world_run(world, MINUTE_US, NULL, NULL);
    ticket = person_invite(crew.members[1], MESH_ROLE_MEMBER, 3);
    for (; crew.count < 6; crew.count++) {
        Node *guest = world_add(world, network_site(world->network, NAT_SYMMETRIC));

        crew.members[crew.count] = guest;
        if (crew.count == 4) {
            node_crash(crew.members[1]); /* whoever made the ticket: another lets in */
            world_run(world, MINUTE_US, NULL, NULL);
        }
        person_join(guest, ticket, 30 * SECOND_US);
    }
    world_expect(world, world_run(world, MINUTE_US, are_linked, &crew),
                 "somebody is linked with no relay");
    scenario_chat(world, 30 * SECOND_US, SECOND_US);
    check_settle(world, MINUTE_US);
    expect_keyless(&crew);
}
