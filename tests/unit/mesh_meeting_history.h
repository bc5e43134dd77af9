/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A history of a meeting, written by people who know different things, some of them malicious.
 * It owns what was written. The same seed gives the same history.
 */
#pragma once

#include "tests/unit/mesh_writer.h"

#define PEOPLE  7
#define TICKETS 6
#define ENTRIES 90
#define EPOCHS  2

extern const uint8_t history_keys[EPOCHS][32];

typedef struct {
    GRand *random;
    Writer people[PEOPLE];
    Identity tickets[TICKETS];
    EpochKey keys[EPOCHS];
    Written entries[ENTRIES];
    guint count;
    MeshHash motions[ENTRIES];
    guint motion_count;
    MeshHash voice[PEOPLE]; /* the last that each began */
} History;

History *history_new(guint32 seed);
/* A number below the limit. */
guint history_below(History *history, guint limit);
void history_free(History *history);
