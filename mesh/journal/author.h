/* SPDX-License-Identifier: MPL-2.0 */
/*
 * This node as an author: its own chain of entries, a new one for each run of the node, so that a
 * restored backup never writes two entries with one number.
 * It owns the chain's end. It never counts an entry as written before the store says so.
 */
#pragma once

#include "mesh/meeting/act.h"

typedef struct {
    bool begun;
    uint8_t chain[ENTRY_CHAIN_SIZE];
    uint8_t tag[JOURNAL_TAG_SIZE];
    uint64_t sequence; /* of the next entry */
    MeshHash previous;
    uint64_t stored_sequence; /* the same, of what is on disk */
    MeshHash stored_previous;
} Author;

/* Who is told when the entry is on disk. */
typedef struct {
    bool answer;
    uint64_t tag;
    char *text;   /* heap, taken over; may be NULL */
    bool meeting; /* the answer is the meeting id, not that of the entry */
} AuthorAnswer;

/*
 * Seals, signs and asks to store an entry with these acts (either may be NULL); it is applied and
 * told to everyone once stored. STATE: the key of the current epoch is not here yet. TOO_LARGE.
 * FULL: the journal is. NO_MEMORY. `ret_hash` may be NULL. With an error nothing is answered.
 */
MeshError author_write(Mesh *mesh, const PublicAct *public_act, const SealedAct *sealed_act,
                       AuthorAnswer answer, MeshHash *ret_hash);
/* It is on disk. With an error the journal could not take it: another chain begins. */
void author_stored(Mesh *mesh, const MeshHash *hash, MeshError error);
/* The store refused: the chain ends again where it does on disk. */
void author_failed(Mesh *mesh);
