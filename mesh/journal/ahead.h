/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Blocks asked for together with the block of hashes they are checked by: a document begins to come
 * a round trip earlier so. What comes before it can be checked is held for a while.
 * It owns the bytes it holds. It never asks for more than it could hold.
 */
#pragma once

#include "mesh/journal/blob.h"
#include "mesh/mesh.h"

typedef struct {
    uint8_t document[ACT_DOCUMENT_ID_SIZE];
    BlobPlace place;
    uint32_t slot;  /* the neighbour asked */
    uint8_t *bytes; /* owned; NULL: it has not come */
    size_t length;
} AheadBlock;

typedef struct {
    AheadBlock blocks[MESH_BLOCKS_AHEAD_MAX];
    size_t count;
} Ahead;

void ahead_finish(Mesh *mesh);
/* The next block worth asking this neighbour for though it cannot be checked yet; false: none. */
bool ahead_want(Mesh *mesh, uint32_t slot, Blob *blob, BlobPlace *ret_place);
/* It came, and cannot be checked yet: a copy is held. False: it was not asked for so. */
bool ahead_hold(Mesh *mesh, const Blob *blob, BlobPlace place, Bytes block);
/* It came unasked, and cannot be checked yet: a copy is held while there is room. */
bool ahead_hold_offered(Mesh *mesh, uint32_t slot, const uint8_t document[ACT_DOCUMENT_ID_SIZE],
                        BlobPlace place, Bytes block);
/* The document of what came unasked is known now: it counts as asked for, or is not wanted. */
void ahead_adopt(Mesh *mesh, Blob *blob, bool wanted);
/* It does not come. */
void ahead_drop(Mesh *mesh, const uint8_t document[ACT_DOCUMENT_ID_SIZE], BlobPlace place);
/* The next block held of this document that can be checked now, which is the caller's to free;
 * those that can be and have not come are as any other from now on. False: none. */
bool ahead_take(Mesh *mesh, const Blob *blob, AheadBlock *ret_block);
