/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Documents being added: leaf by leaf into the store, then announced by an entry.
 * It owns those not yet announced. It never keeps a block: the store does.
 */
#pragma once

#include "mesh/journal/blob_writer.h"

#define DRAFTS_SIZE 8 /* documents being added at once */

typedef struct {
    BlobWriter *writer; /* NULL: free */
    uint8_t handle[ACT_DOCUMENT_ID_SIZE];
    uint8_t key[32];
    char *name;
    uint64_t at_ms;
    bool failed; /* the store refused a block: it can only be cancelled */
} Draft;

typedef struct {
    Draft slots[DRAFTS_SIZE];
} Drafts;

void drafts_finish(Mesh *mesh);
/* The person's DOCUMENT intents that add: BEGIN, LEAF, END, CANCEL. */
void draft_intent(Mesh *mesh, const MeshIntent *intent);
/* A block of it is not on disk. */
void draft_store_failed(Mesh *mesh, const uint8_t handle[ACT_DOCUMENT_ID_SIZE]);
