/* SPDX-License-Identifier: MPL-2.0 */
/* Stories of large meetings; `--nodes N` says how large, `--minutes M` how long. */
#include "mesh/core.h"
#include "tests/sim/carried.h"
#include "tests/sim/crowd.h"
#include "tests/sim/scenario.h"

#define HEARD_US    (10 * SECOND_US) /* what is said reaches everyone within */
#define PEACE_US    (2 * MINUTE_US)  /* until nobody looks for better neighbours any more */
#define SETTLE_US   (3 * MINUTE_US)
#define SPEECH_US   (10 * SECOND_US)
#define HEARD_LEAST 95              /* of a hundred frames spoken */
#define SPEAKERS    12              /* of whom a message is looked for everywhere */
#define KILLED      30              /* of a hundred, at once */
#define DOWN_MOST   30              /* of a hundred, at any time of a churn */
#define UP_US       (2 * MINUTE_US) /* about how long a node stays while they come and go */
#define TWICE_MOST  10              /* of a hundred entries that two halves tell each other */
/* Between two entries of a half, at most: a thousand an hour. */
#define APART_US (UINT64_C(2) * 60 * MINUTE_US / 1000)

/* A wide line with some loss, as between homes. */
static const LineSettings wide = {.lane = {.delay_us = 15000,
                                           .jitter_us = 3000,
                                           .loss = 0.005,
                                           .rate_bps = 20e6,
                                           .queue_bytes = 200000}};
/* The field: slow, far, and lossy. */
static const LineSettings weak = {.lane = {.delay_us = 150000,
                                           .jitter_us = 30000,
                                           .loss = 0.05,
                                           .rate_bps = 64e3,
                                           .queue_bytes = 12000}};

/* ---- what everyone hears ---- */

static void expect_told(World *world, Hosts hosts, unsigned speakers) {
    uint64_t most_us = 0;

    for (unsigned i = 0; i < speakers && !world->failure; i++) {
        Node *node = crowd_anyone(world, hosts);
        uint64_t took_us = node ? crowd_tell(world, node, hosts, HEARD_US) : 0;

        most_us = MAX(most_us, took_us);
    }
    world_note(world, "everyone is told within %" G_GUINT64_FORMAT " ms", most_us / 1000);
}

static void expect_heard(World *world, Node *speaker, uint64_t for_us) {
    uint64_t spoken = voice_spoken(speaker->voice), least = UINT64_MAX;

    voice_speak(speaker, 60);
    world_run(world, for_us, NULL, NULL);
    voice_end(speaker);
    world_run(world, SECOND_US, NULL, NULL);
    spoken = voice_spoken(speaker->voice) - spoken;
    for (unsigned i = 0; i < world->node_count; i++) {
        Node *node = world->nodes[i];
        const Ear *ear = voice_ear(node, speaker->number);

        if (node == speaker || !node->mesh || node->place != NODE_MEMBER)
            continue;
        least = MIN(least, ear->frames - ear->late);
        world_expect(world, (ear->frames - ear->late) * 100 >= spoken * HEARD_LEAST,
                     "%s hears %" G_GUINT64_FORMAT " frames of %" G_GUINT64_FORMAT
                     " that %s spoke, %" G_GUINT64_FORMAT " of them late",
                     node->name, ear->frames, spoken, speaker->name, ear->late);
        ear_reset(voice_ear(node, speaker->number));
    }
    world_note(world, "of %" G_GUINT64_FORMAT " frames everyone hears %" G_GUINT64_FORMAT, spoken,
               least);
}

/* Healed and left in peace everyone reaches everyone, and these are told what anyone says. */
static void end_well(World *world, Hosts hosts) {
    scenario_end(world, SETTLE_US);
    check_reached(world, SETTLE_US);
    world_run(world, PEACE_US, NULL, NULL);
    world->calm = true;
    expect_told(world, hosts, 3);
    world->calm = false;
    carried_note(world);
}

/* ---- many ---- */

/* Everyone hears anyone, then a third dies at once, and those left hear each other on. */
void size_many(World *world) {
    unsigned count = world->options.nodes;
    Hosts killed;
    Node *teller;

    network_set_lines(world->network, &wide);
    crowd_gather(world, count);
    check_settle(world, SETTLE_US);
    check_reached(world, SETTLE_US);
    expect_told(world, hosts_all(), MIN(count, SPEAKERS));
    expect_heard(world, crowd_anyone(world, hosts_all()), SPEECH_US);
    killed = crowd_part(world, count, KILLED);
    for (unsigned i = 0; i < count; i++)
        if (hosts_have(&killed, i))
            node_crash(world->nodes[i]);
    teller = crowd_anyone(world, hosts_all());
    world_note(world, "after so many died %s is heard within %" G_GUINT64_FORMAT " ms",
               teller->name, crowd_tell(world, teller, hosts_all(), HEARD_US) / 1000);
    end_well(world, hosts_all());
}

/* All neighbours of this one, and others until a third are. */
static Hosts pick_killed(World *world, const Node *orphan, unsigned count) {
    Hosts killed = {{0}};
    unsigned picked = 0;

    for (unsigned i = 0; i < count; i++)
        if (check_path(orphan, world->nodes[i]) == MESH_PATH_KNOCK) {
            hosts_add(&killed, i);
            picked++;
        }
    world_expect(world, picked * 100 < KILLED * count, "%s has %u neighbours of %u", orphan->name,
                 picked, count);
    while (picked * 100 < KILLED * count && !world->failure) {
        unsigned i = (unsigned)dice_below(&world->dice, count);

        if (i != orphan->number && !hosts_have(&killed, i)) {
            hosts_add(&killed, i);
            picked++;
        }
    }
    return killed;
}

/* Whom nobody is linked with any more, as all its neighbours died at once, is told all the same: of
 * those left each looks for others of those it sees no more, and it finds out itself that nobody is
 * to be heard. */
void size_orphan(World *world) {
    unsigned count = world->options.nodes;
    Node *orphan, *teller;
    Hosts killed;

    network_set_lines(world->network, &wide);
    crowd_gather(world, count);
    check_settle(world, SETTLE_US);
    world_run(world, PEACE_US, NULL, NULL);
    orphan = crowd_anyone(world, hosts_all());
    killed = pick_killed(world, orphan, count);
    for (unsigned i = 0; i < count && !world->failure; i++)
        if (hosts_have(&killed, i))
            node_crash(world->nodes[i]);
    teller = crowd_anyone(world, hosts_all());
    world_note(world,
               "all who were linked with %s died: %s is heard within %" G_GUINT64_FORMAT " ms",
               orphan->name, teller->name, crowd_tell(world, teller, hosts_all(), HEARD_US) / 1000);
    end_well(world, hosts_all());
}

/* ---- coming and going ---- */

static unsigned running(const World *world) {
    unsigned count = 0;

    for (unsigned i = 0; i < world->node_count; i++)
        count += world->nodes[i]->mesh != NULL;
    return count;
}

static void come_or_go(World *world) {
    Node *node = world->nodes[dice_below(&world->dice, world->node_count)];

    if (!node->mesh)
        node_start(node);
    else if ((world->node_count - running(world)) * 100 >= world->node_count * DOWN_MOST)
        return;
    else if (dice_below(&world->dice, 2))
        node_leave(node);
    else
        node_crash(node);
}

void size_churn(World *world) {
    uint64_t until_us;

    network_set_lines(world->network, &wide);
    crowd_gather(world, world->options.nodes);
    until_us = world_now_us(world) + world->options.minutes * MINUTE_US;
    while (!world->failure && world_now_us(world) < until_us) {
        Node *node = scenario_anyone(world);

        if (node)
            person_say(node, "%s dit %zu", node->name, ledger_count(world->ledger));
        come_or_go(world);
        world_run(world, dice_below(&world->dice, UP_US / world->node_count), NULL, NULL);
    }
    end_well(world, hosts_all());
}

/* ---- who hears whom ---- */

/* Some are not heard by others whom they hear, now these, now those. */
void size_deaf(World *world) {
    unsigned count = world->options.nodes;
    uint64_t until_us;

    network_set_lines(world->network, &wide);
    crowd_gather(world, count);
    until_us = world_now_us(world) + world->options.minutes * MINUTE_US;
    while (!world->failure && world_now_us(world) < until_us) {
        network_deafen(world->network, scenario_some(world, count), scenario_some(world, count),
                       true);
        scenario_chat(world, 20 * SECOND_US, 2 * SECOND_US);
        if (dice_below(&world->dice, 2))
            network_heal(world->network);
        scenario_chat(world, 10 * SECOND_US, 2 * SECOND_US);
    }
    end_well(world, hosts_all());
}

/* ---- two halves ---- */

static uint64_t sent_bytes(const World *world) {
    uint64_t sum = 0;

    for (unsigned i = 0; i < world->node_count; i++)
        sum += world->nodes[i]->sent_bytes;
    return sum;
}

/* How often entries came, and those of them that came to who had them. */
static uint64_t came(const World *world, uint64_t *ret_again) {
    uint64_t sum = 0;

    *ret_again = 0;
    for (unsigned i = 0; i < world->node_count; i++) {
        sum += world->nodes[i]->mesh ? world->nodes[i]->mesh->sync.received : 0;
        *ret_again += world->nodes[i]->mesh ? world->nodes[i]->mesh->sync.repeated : 0;
    }
    return sum;
}

static uint64_t kept_bytes(const World *world) {
    uint64_t sum = 0;

    for (unsigned i = 0; i < world->node_count; i++)
        sum += store_size(world->nodes[i]->store, MESH_ITEM_ENTRY);
    return sum;
}

/* In each half they talk, and a few more come in. */
static void live_apart(World *world, const Hosts halves[2], uint64_t for_us) {
    uint64_t until_us = world_now_us(world) + for_us;

    while (!world->failure && world_now_us(world) < until_us) {
        for (unsigned i = 0; i < 2; i++) {
            Node *node = crowd_anyone(world, halves[i]);

            person_say(node, "%s dit %zu", node->name, ledger_count(world->ledger));
        }
        world_run(world, dice_below(&world->dice, APART_US), NULL, NULL);
    }
}

void size_halves(World *world) {
    unsigned count = world->options.nodes, more = MAX(count / 8, 1);
    uint64_t sent, kept, all, again, twice, missing, spent;
    Hosts halves[2];

    network_set_lines(world->network, &wide);
    crowd_gather(world, count);
    check_settle(world, SETTLE_US);
    halves[0] = scenario_some(world, count);
    halves[1] = hosts_but(halves[0]);
    /* Those who come in the first half are not there yet: they are the next numbers. */
    for (unsigned i = 0; i < more; i++)
        hosts_add(&halves[0], count + i);
    halves[1] = hosts_but(halves[0]);
    network_split(world->network, halves[0], halves[1], true);
    live_apart(world, halves, world->options.minutes * MINUTE_US / 2);
    crowd_join(world, halves[0], more);
    crowd_join(world, halves[1], more);
    live_apart(world, halves, world->options.minutes * MINUTE_US / 2);
    network_heal(world->network);
    sent = sent_bytes(world);
    kept = kept_bytes(world);
    all = came(world, &again);
    check_settle(world, SETTLE_US);
    missing = kept_bytes(world) - kept;
    spent = sent_bytes(world) - sent;
    all = came(world, &twice) - all;
    twice -= again;
    world_note(world,
               "merged with %.2f bytes sent for each byte missing: %" G_GUINT64_FORMAT
               " of %" G_GUINT64_FORMAT "; %" G_GUINT64_FORMAT " entries came again",
               (double)spent / (double)MAX(missing, 1), spent, missing, twice);
    world_expect(world, twice * 100 <= all * TWICE_MOST,
                 "of %" G_GUINT64_FORMAT " entries that came %" G_GUINT64_FORMAT " came again", all,
                 twice);
    end_well(world, hosts_all());
}

/* ---- weak lines among wide ones ---- */

/* A quarter are in the field: their lines are slow, and what they send passes one thin uplink. */
void size_mixed(World *world) {
    unsigned count = world->options.nodes;
    LineSettings uplink = {.lane = {.rate_bps = 128e3, .queue_bytes = 16000}};
    Hosts field;

    network_set_lines(world->network, &wide);
    crowd_gather(world, count);
    check_settle(world, SETTLE_US);
    field = crowd_part(world, count, 25);
    network_set_some(world->network, field, hosts_all(), &weak);
    network_set_some(world->network, hosts_all(), field, &weak);
    for (unsigned i = 0; i < count; i++)
        if (hosts_have(&field, i))
            line_change(network_uplink(world->network, i), &uplink);
    voice_speak(world->nodes[0], 60);
    scenario_chat(world, world->options.minutes * MINUTE_US, 2 * SECOND_US);
    end_well(world, hosts_but(field));
}
