/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Entries that wait until what they cite is there, or until their author is admitted.
 * It owns their bytes and finds at once those that one entry or one admission frees. It never
 * decides whether an entry may be applied.
 */
#pragma once

#include "mesh/journal/entry.h"

typedef enum {
    WAITING_READY,   /* to be looked at */
    WAITING_LACKING, /* for the cause it lacks */
    WAITING_REFUSED, /* for its author to be admitted */
} WaitingState;

#define WAITING_STATES 3

typedef struct Waiting {
    struct Waiting *next, *before; /* of this state, in the order they came to it */
    struct Waiting *by_hash;       /* next in its slot of the table of hashes */
    struct Waiting *by_cause;      /* LACKING: next in its slot of the table of causes */
    MeshHash hash;
    uint64_t number; /* in the order of coming */
    WaitingState state;
    size_t lacks; /* LACKING: which cause */
    size_t cause_count;
    MeshHash *causes; /* what it cites, its previous entry included */
    uint8_t *bytes;
    size_t length;
} Waiting;

typedef struct {
    Waiting *first[WAITING_STATES], *last[WAITING_STATES];
    Waiting **hashes, **causes; /* tables of slot_count */
    size_t slot_count;
    size_t count;
    uint64_t came;
} WaitingRoom;

void waiting_finish(WaitingRoom *room);
const Waiting *waiting_find(const WaitingRoom *room, const MeshHash *hash);
/* Takes a copy of the entry's bytes, READY. False when memory is short. */
bool waiting_add(WaitingRoom *room, const Entry *entry, const uint8_t *bytes, size_t length);
/* It waits for its cause `lacks`, or for its author. */
void waiting_lacks(WaitingRoom *room, Waiting *waiting, size_t lacks);
void waiting_refuse(WaitingRoom *room, Waiting *waiting);
/* Those that lack this cause are READY. */
void waiting_free_by(WaitingRoom *room, const MeshHash *cause);
/* Those whose author was refused are READY: somebody may be admitted since. */
void waiting_free_refused(WaitingRoom *room);
/* The one to be dropped when there are too many: the oldest, of refused authors first. NULL. */
Waiting *waiting_oldest(const WaitingRoom *room);
/* Takes it out. With `ret_bytes` the caller takes the bytes over, else they are freed. */
void waiting_remove(WaitingRoom *room, Waiting *waiting, uint8_t **ret_bytes);
