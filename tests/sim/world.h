/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A world: virtual time, a network, and nodes that run the very core that ships, all from one seed.
 * It owns everything in it, and its first failure, with which the story it is told ends. It never
 * waits for anything real.
 */
#pragma once

#include <setjmp.h>

#include "tests/sim/alarms.h"
#include "tests/sim/ice.h"
#include "tests/sim/network.h"
#include "tests/sim/trace.h"

#define SECOND_US     G_USEC_PER_SEC
#define MINUTE_US     (60 * SECOND_US)
#define WORLD_BEGIN_S 1800000000 /* Unix time at which every world begins */

typedef struct Node Node;       /* node.h */
typedef struct Ledger Ledger;   /* ledger.h */
typedef struct Spread Spread;   /* spread.h */
typedef struct Carried Carried; /* carried.h */

typedef struct {
    uint64_t seed;
    unsigned nodes;   /* asked for; 0: as the scenario likes */
    unsigned minutes; /* the same */
    TraceShown shown;
} WorldOptions;

typedef struct World {
    WorldOptions options;
    Schedule *schedule;
    Trace *trace;
    Network *network;
    Ice *ice;
    Ledger *ledger;
    Alarms *alarms; /* when each running core wants to be woken */
    Carried *carried;
    Spread *spread; /* NULL: nobody asks how entries spread */
    Dice dice;      /* the scenario's */
    Node *nodes[NETWORK_HOSTS];
    unsigned node_count;
    GHashTable *by_key; /* MeshKey → Node */
    bool calm;          /* nothing comes, goes or breaks: what is carried goes straight */
    bool noisy;         /* someone damages datagrams: malformed ones are no wonder */
    char *failure;      /* the first; NULL: none */
    jmp_buf *end;       /* where a story goes on that failed; NULL: none is told */
    unsigned acts;      /* of cores, under way: they are done first */
    uint64_t steps;
} World;

typedef bool (*WorldCondition)(gpointer context);

World *world_create(const WorldOptions *options);
void world_destroy(World *world);

/* Tells a story to the end, or until it fails: from there it does not go on, so that it may rely on
 * all that it expected. What it holds itself is not freed then. */
void world_tell(World *world, void (*tell)(World *world));

/* A new node at a site, running. Borrowed. */
Node *world_add(World *world, unsigned site);

/* Whose key this is; NULL: nobody's. */
Node *world_find(const World *world, const MeshKey *key);

uint64_t world_now_us(const World *world);
/* Lets the world go on for so long, or until the condition (may be NULL) holds: then true. It is
 * asked after every act. */
bool world_run(World *world, uint64_t for_us, WorldCondition condition, gpointer context);

/* What must not be was: the first is kept, and ends the story, once no core is at work. Where none
 * is told: `false`, for the caller's convenience. */
bool world_fail(World *world, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* The same, when something is not so. */
#define world_expect(world, fact, ...) ((fact) ? true : world_fail((world), __VA_ARGS__))
/* A core begins to act, and is done: only then may the story end. */
void world_act_begins(World *world);
void world_act_ends(World *world);
/* A word in the trace. */
#define world_note(world, ...) trace_note((world)->trace, world_now_us(world), __VA_ARGS__)
