/* SPDX-License-Identifier: MPL-2.0 */
/*
 * One node of a world: what the program around the core does, with a simulated disk and network.
 * It owns its core while it runs, and its disk also while it does not. It never lets an effect pass
 * without the checks that hold for every single one.
 */
#pragma once

#include "tests/sim/store.h"
#include "tests/sim/voice.h"
#include "tests/sim/world.h"

/* What the scenario means it to be in the meeting. */
typedef enum {
    NODE_STRANGER,
    NODE_MEMBER,
    NODE_RELAY,
    NODE_EXPELLED,
} NodePlace;

typedef struct Upload Upload; /* person.c */

struct Node {
    World *world;
    unsigned number;
    char name[24];
    uint8_t device_seed[MESH_SEED_SIZE];
    MeshKey key;
    NodePlace place;
    Mesh *mesh;    /* NULL: not running */
    unsigned life; /* counts starts */
    Dice dice;
    Store *store;
    bool disk_full;
    bool committing; /* a commit is under way */
    int64_t clock_s; /* how wrong its clock is */
    uint64_t document_fetch_max;
    uint64_t instant_us, instant_steps; /* steps without time passing */
    uint64_t second, second_steps;      /* steps in one second */
    GHashTable *noticed;                /* ids of messages told of in this life */
    GArray *message_us;                 /* how long others' messages took, uint64_t */
    unsigned fed_by;                    /* who sent what is being read; itself: nobody */
    Upload *upload;                     /* a document its person adds; NULL: none */
    Voice *voice;
    Ear *ears[NETWORK_HOSTS];        /* what it hears of each node, see voice_ear; NULL: nothing */
    uint64_t sent_bytes;             /* IP headers included, in all lives */
    void (*meddle)(Node *node);      /* NULL, or what is done to its core before every step */
    uint64_t (*cost_clock_ns)(void); /* NULL, or what the cost of its core is measured by */
    uint64_t cost_ns;                /* of all steps */
    uint64_t forward_ns;             /* of steps that forwarded something */
    uint64_t forwarded;
    uint64_t forward_bytes; /* IP bytes sent in those steps */
};

Node *node_create(World *world, unsigned number);
void node_destroy(Node *node);

/* Begins a life: the core is given back what is on the disk. */
void node_start(Node *node);
/* Its person ends it: it says goodbye, and all it wrote is on the disk. */
void node_leave(Node *node);
/* The power fails. */
void node_crash(Node *node);
/* Plugs it in elsewhere: new address, WAKE. */
void node_move(Node *node, unsigned site);

/* Takes an event, whose moment is filled in, and does all that comes of it. */
void node_step(Node *node, const MeshEvent *event);

/* Adds to the delay of the next acts of this life: what `act` does is not done in another. */
typedef void (*NodeAct)(Node *node, gpointer context);
void node_later(Node *node, uint64_t delay_us, NodeAct act, gpointer context,
                GDestroyNotify destroy);
