/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The stories that are told to a world, by name. A story adds nodes, lets people act, breaks
 * things, and says what must be true.
 * It owns the list. It never draws chance but from the world's dice.
 */
#pragma once

#include "mesh/link/link.h"
#include "tests/sim/check.h"
#include "tests/sim/ledger.h"
#include "tests/sim/node.h"
#include "tests/sim/person.h"

typedef struct {
    const char *name;
    const char *about;
    unsigned nodes;   /* when not asked for otherwise; 0: the story has its own */
    unsigned minutes; /* the same */
    void (*tell)(World *world);
} Scenario;

/* The list; NULL past its end. */
const Scenario *scenario_at(size_t index);
const Scenario *scenario_find(const char *name);

/* ---- what many of them need ---- */

extern const LineSettings scenario_lan;  /* a good cable */
extern const LineSettings scenario_bad;  /* loss, bursts, jitter, duplicates, reordering */
extern const LineSettings scenario_thin; /* 256 kbit/s, 40 ms, a little loss */

/* Nodes on one LAN: the first creates a meeting and invites, the others join, one by one. */
void scenario_gather(World *world, unsigned count);
/* Someone who runs, by the dice; never NULL while anyone does. */
Node *scenario_anyone(World *world);
/* Lets everyone talk, at random moments, for so long. */
void scenario_chat(World *world, uint64_t for_us, uint64_t every_us);
/* Heals the network, starts who does not run, and checks that all comes to rest. */
void scenario_end(World *world, uint64_t within_us);
/* The value that so many in a hundred of these (uint64_t) do not exceed; 0: there are none. */
uint64_t scenario_percentile(const GArray *values, double percent);
/* A line of the emulator's profile of that name, and its outages. */
LineSettings scenario_profile(const char *name);
/* Two members joined by a line of this profile. */
void scenario_meet(World *world, const char *profile);
/* The same by any line. */
void scenario_meet_by(World *world, const LineSettings *line);
/* The link of a node with the other of two; NULL while it is not up. */
Link *scenario_link(const Node *node);
/* This host alone. */
Hosts scenario_only(const Node *node);
/* Some of the first `count` hosts by the dice: neither none nor all. */
Hosts scenario_some(World *world, unsigned count);

void lan_two(World *world);
void lan_many(World *world);
void lan_idle(World *world);
void lan_noise(World *world);
void ticket_absent(World *world);
void ticket_refused(World *world);
void ticket_by_hand(World *world);
void ticket_meanwhile(World *world);
void ticket_expelled(World *world);
void split_chat(World *world);
void split_vote(World *world);
void split_hands(World *world);
void crash_storm(World *world);
void crash_disk(World *world);
void document_crash(World *world);
void document_voice(World *world);
void nat_cone(World *world);
void nat_symmetric(World *world);
void nat_address(World *world);
void chaos(World *world);
void route_row(World *world);
void route_breaks(World *world);
void route_lossy(World *world);
void route_silence(World *world);
void route_roam(World *world);
void route_door(World *world);
void route_away(World *world);
void uplink_shared(World *world);
void uplink_unlike(World *world);
void uplink_ceiling(World *world);
void uplink_least(World *world);
void talk_backlog(World *world);
void knock(World *world);
void knock_crossing(World *world);
void knock_lossy(World *world);
void lines_weak(World *world);
void liar(World *world);
void size_many(World *world);
void size_orphan(World *world);
void size_churn(World *world);
void size_deaf(World *world);
void size_halves(World *world);
void size_mixed(World *world);
void feed_chain(World *world);
void feed_ladder(World *world);
void feed_killed(World *world);
void feed_four(World *world);
void feed_liar(World *world);
void feed_spread(World *world);
void talk_1(World *world);
void talk_2(World *world);
void talk_3(World *world);
void talk_4(World *world);
void talk_step(World *world);
void talk_step_alone(World *world);
void relay_carries(World *world);
void relay_drops(World *world);
void relay_many(World *world);
void relay_porter(World *world);
void weak_slide(World *world);
void weak_document_1(World *world);
void weak_document_2(World *world);
void weak_document_3(World *world);
void weak_document_4(World *world);
void weak_document_5(World *world);
