/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/sim/scenario.h"

#include <string.h>

#include "mesh/core.h"

static const Scenario scenarios[] = {
    {"two", "two laptops on a cable meet, talk and speak", 0, 0, lan_two},
    {"lan", "many on a bad network talk for minutes", 0, 2, lan_many},
    {"idle", "linked nodes with nothing to say send next to nothing", 2, 5, lan_idle},
    {"noise", "someone damages and replays what is sent", 3, 2, lan_noise},
    {"absent", "a ticket admits though its inviter is dead, who comes back", 0, 0, ticket_absent},
    {"refused", "wrong, expired, used and revoked tickets are each refused", 0, 0, ticket_refused},
    {"hand", "codes carried by people join who finds nobody", 0, 0, ticket_by_hand},
    {"meanwhile", "codes are carried, and a line is found before they are back", 0, 0,
     ticket_meanwhile},
    {"expelled", "one is expelled: new epoch, its tickets die, others go on", 0, 0,
     ticket_expelled},
    {"split", "both sides of a partition talk, then heal", 5, 3, split_chat},
    {"vote", "a roll call across a partition has one result", 5, 0, split_vote},
    {"hands", "hands raised on both sides of a partition make one queue", 5, 3, split_hands},
    {"crash", "nodes crash at any moment, again and again", 4, 3, crash_storm},
    {"disk", "a disk is full for a while", 0, 0, crash_disk},
    {"document", "a document survives crashes of who adds and who receives", 4, 0, document_crash},
    {"voice", "a voice is heard beside a document on a thin line", 0, 0, document_voice},
    {"cone", "behind two NATs: relayed at once, direct soon", 0, 0, nat_cone},
    {"symmetric", "behind two hard NATs: relayed for good", 0, 0, nat_symmetric},
    {"address", "laptops change networks, a router restarts", 0, 0, nat_address},
    {"chaos", "everything at once", 6, 4, chaos},
    {"row", "five in a row: who is at one end talks with who is at the other", 0, 0, route_row},
    {"breaks", "a direct path dies while voice flows, and comes back", 0, 0, route_breaks},
    {"fifth", "where a fifth is lost nobody is taken for gone", 0, 3, route_lossy},
    {"silence", "of two alone both know soon that a line with a voice is dead", 0, 0,
     route_silence},
    {"roam", "a laptop moves or a router forgets in the middle of a sentence", 0, 0, route_roam},
    {"door", "all come at once by way of one member, with one ticket", 40, 5, route_door},
    {"away", "most are away, and looking for them costs little", 0, 0, route_away},
    {"size", "many meet: all hear anyone, also once a third died at once", 24, 0, size_many},
    {"orphan", "all who are linked with one die at once: the others find it", 40, 0, size_orphan},
    {"churn", "many leave, crash and come back, again and again", 24, 3, size_churn},
    {"deaf", "some hear others who do not hear them", 16, 3, size_deaf},
    {"halves", "two halves of a meeting talk and admit, and become one again", 16, 6, size_halves},
    {"mixed", "some of many are in the field, on slow lines", 24, 2, size_mixed},
    {"uplink", "three want a document and a voice of one on a thin uplink", 4, 0, uplink_shared},
    {"unlike", "a slow neighbour does not slow the fast one", 3, 0, uplink_unlike},
    {"ceiling", "a person's ceiling holds, and what is urgent passes first", 4, 0, uplink_ceiling},
    {"least", "the least of ceilings lets through what is said", 8, 0, uplink_least},
    {"knock", "who comes back is heard in little more than a round trip", 0, 0, knock},
    {"crossing", "both knock at one moment over a line of any length", 0, 0, knock_crossing},
    {"lossy", "to join over a line that loses a tenth", 0, 0, knock_lossy},
    {"weak", "a voice, votes and a document on every kind of bad line, one a seed", 0, 0,
     lines_weak},
    {"relay", "eight behind hard NATs and a relay, which carries all and reads nothing", 0, 0,
     relay_carries},
    {"drops", "a relay nearer than any other way that drops all: members go round it", 0, 0,
     relay_drops},
    {"porter", "who knocks through a relay alone comes in, whoever made the ticket is there or not",
     0, 0, relay_porter},
    {"relays", "thirty behind hard NATs, whom two relays bring together", 0, 0, relay_many},
    {"liar", "who acknowledges what it did not get gets no more than leaves, and all in the end", 0,
     0, liar},
    {"talk1", "a voice on the profile W1, alone and beside a document", 2, 2, talk_1},
    {"talk2", "a voice on the profile W2, alone and beside a document", 2, 2, talk_2},
    {"talk3", "a voice on the profile W3, alone and beside a document", 2, 2, talk_3},
    {"talk4", "a voice on the profile W4, alone and beside a document", 2, 2, talk_4},
    {"step", "256, 32, 256 kbit/s under a voice and a document", 2, 0, talk_step},
    {"stepalone", "256, 32, 256 kbit/s under a voice alone", 2, 0, talk_step_alone},
    {"chain", "a voice and a document over five hops that each lose a tenth", 0, 0, feed_chain},
    {"ladder", "the same where two push to each", 0, 0, feed_ladder},
    {"killed", "who passes a voice on dies in the middle of it", 0, 0, feed_killed},
    {"four", "of four who speak the loudest three are passed on", 0, 0, feed_four},
    {"spread", "what is said comes once to each of many with few lines", 0, 0, feed_spread},
    {"false", "false words of streams, and one who wants to be fed everything", 0, 0, feed_liar},
    {"backlog", "voice messages waiting for a slow line pass it once", 0, 0, talk_backlog},
    {"slide", "a small document on the line of W2 without its losses", 0, 0, weak_slide},
    {"w1", "a document alone on the profile W1", 0, 0, weak_document_1},
    {"w2", "a document alone on the profile W2", 0, 0, weak_document_2},
    {"w3", "a document alone on the profile W3", 0, 0, weak_document_3},
    {"w4", "a document alone on the profile W4", 0, 0, weak_document_4},
    {"w5", "a document alone on the profile W5", 0, 0, weak_document_5},
};

const LineSettings scenario_lan = {.lane = {.delay_us = 400, .jitter_us = 100}};
const LineSettings scenario_bad = {.lane = {.delay_us = 40000,
                                            .jitter_us = 10000,
                                            .loss = 0.06,
                                            .burst_share = 0.032,
                                            .burst_frames = 3.3,
                                            .burst_loss = 1,
                                            .duplicate = 0.01,
                                            .reorder = 0.02,
                                            .rate_bps = 2e6,
                                            .queue_bytes = 60000}};
const LineSettings scenario_thin = {.lane = {.delay_us = 42500,
                                             .jitter_us = 2500,
                                             .loss = 0.01,
                                             .rate_bps = 256000,
                                             .queue_bytes = 30000}};

const Scenario *scenario_at(size_t index) {
    return index < G_N_ELEMENTS(scenarios) ? &scenarios[index] : NULL;
}

const Scenario *scenario_find(const char *name) {
    for (size_t i = 0; i < G_N_ELEMENTS(scenarios); i++)
        if (strcmp(scenarios[i].name, name) == 0)
            return &scenarios[i];
    return NULL;
}

static gint by_value(gconstpointer a, gconstpointer b) {
    uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;

    return one < other ? -1 : one > other;
}

uint64_t scenario_percentile(const GArray *values, double percent) {
    GArray *sorted;
    uint64_t value;

    if (!values || values->len == 0)
        return 0;
    sorted = g_array_copy((GArray *)values);
    g_array_sort(sorted, by_value);
    value = g_array_index(sorted, uint64_t, (guint)((double)(sorted->len - 1) * percent / 100));
    g_array_unref(sorted);
    return value;
}

LineSettings scenario_profile(const char *name) {
    LineSettings line = {0};
    const char *schedule;

    g_assert_true(emulator_settings_profile(name, &line.lane, &schedule));
    return line;
}

void scenario_meet(World *world, const char *profile) {
    LineSettings line = scenario_profile(profile);

    scenario_meet_by(world, &line);
}

void scenario_meet_by(World *world, const LineSettings *line) {
    network_set_lines(world->network, line);
    scenario_gather(world, 1);
    if (!world->failure)
        person_join(world_add(world, network_site(world->network, NAT_NONE)),
                    person_invite(world->nodes[0], MESH_ROLE_MEMBER, 1), 2 * MINUTE_US);
    check_settle(world, 2 * MINUTE_US);
}

Link *scenario_link(const Node *node) {
    const Neighbour *neighbour = node->mesh ? neighbour_at(node->mesh, 0) : NULL;

    return neighbour && neighbour_is_up(neighbour) ? neighbour->link : NULL;
}

Hosts scenario_only(const Node *node) {
    Hosts hosts = {{0}};

    hosts_add(&hosts, node->number);
    return hosts;
}

Hosts scenario_some(World *world, unsigned count) {
    Hosts hosts = {{0}};
    unsigned taken = 0;

    if (count <= 32)
        return hosts_of((uint32_t)dice_between(&world->dice, 1, (UINT64_C(1) << count) - 2));
    while (taken == 0 || taken == count) {
        taken = 0;
        for (unsigned host = 0; host < count; host++)
            if (dice_below(&world->dice, 2)) {
                hosts_add(&hosts, host);
                taken++;
            }
    }
    return hosts;
}

void scenario_gather(World *world, unsigned count) {
    unsigned site = network_site(world->network, NAT_NONE);
    Node *first = world_add(world, site);
    const char *ticket;

    person_create(first, "Cellule de crise");
    ticket = person_invite(first, MESH_ROLE_MEMBER, count);
    for (unsigned i = 1; i < count && !world->failure; i++)
        person_join(world_add(world, site), ticket, 30 * SECOND_US);
}

Node *scenario_anyone(World *world) {
    unsigned begin = (unsigned)dice_below(&world->dice, world->node_count);

    for (unsigned i = 0; i < world->node_count; i++) {
        Node *node = world->nodes[(begin + i) % world->node_count];

        if (node->mesh && node->place == NODE_MEMBER)
            return node;
    }
    return NULL;
}

void scenario_chat(World *world, uint64_t for_us, uint64_t every_us) {
    uint64_t until_us = world_now_us(world) + for_us;

    while (!world->failure && world_now_us(world) < until_us) {
        Node *node = scenario_anyone(world);

        if (node)
            person_say(node, "%s dit %zu", node->name, ledger_count(world->ledger));
        world_run(world, dice_below(&world->dice, 2 * every_us), NULL, NULL);
    }
}

void scenario_end(World *world, uint64_t within_us) {
    network_heal(world->network);
    for (unsigned i = 0; i < world->node_count && !world->failure; i++) {
        Node *node = world->nodes[i];

        node->disk_full = false;
        voice_end(node);
        if (!node->mesh && node->place != NODE_STRANGER)
            node_start(node);
    }
    check_settle(world, within_us);
}
