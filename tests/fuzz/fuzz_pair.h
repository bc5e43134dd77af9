/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Two linked cores in virtual time, for fuzzing: the founder of a meeting, and whom it let in, a
 * member or, with FUZZ_RELAY, a relay. The meeting is made once; each input begins where that
 * ended. It owns both cores, their disks and what is under way. The same input gives the same run.
 */
#pragma once

#include "mesh/core.h"

#ifndef FUZZ_RELAY
#define FUZZ_RELAY 0
#endif

#define ITEMS_SIZE     64
#define BLOCKS_SIZE    16
#define UNDER_WAY_SIZE 256

typedef struct {
    MeshItem item;
    uint8_t key[MESH_ITEM_KEY_MAX];
    uint8_t *value;
} Kept;

typedef struct {
    MeshPath from;
    size_t length;
    uint8_t bytes[MESH_DATAGRAM_MAX];
} Parcel;

typedef struct {
    Mesh *mesh;
    MeshPath address;
    uint32_t drawn;
    bool disk_full;
    size_t kept_count;
    Kept kept[ITEMS_SIZE]; /* of the making of the meeting only */
    size_t block_count;
    Kept blocks[BLOCKS_SIZE]; /* the last ones, which alone can be fetched */
    size_t head, count;
    Parcel under_way[UNDER_WAY_SIZE];
    uint64_t done; /* tag of the last intent that ended well */
} Side;

extern Side pair_sides[2]; /* the founder, and whom it let in */
extern Side *const pair_target, *const pair_hostile;
extern uint64_t pair_now_us;
extern bool pair_is_silent; /* nothing is delivered */
extern bool pair_keeps_key; /* a relay kept an epoch key as its own */

/* Makes the meeting: the founder, its words, and the other in it. */
void pair_make(void);
/* Both from what they kept then, linked again by pair_run. */
void pair_start(unsigned number);
void pair_stop(void);
/* What was kept since is gone. */
void pair_forget_blocks(Side *side);

void pair_step(Side *side, MeshEvent event);
/* Delivers and waits until this time. */
void pair_run(uint64_t until_us);
/* True when it ended well. */
bool pair_ask(Side *side, MeshIntent intent);
/* The founder says so; the same. */
bool pair_say(const char *text);
