/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A document becomes a tree of blocks (blob.h): its leaves go in, in clear and in order; blocks to
 * be stored come out, and in the end the root. It owns a copy of the key, and one block of each
 * level. It never stores a block.
 */
#pragma once

#include "mesh/journal/blob.h"

typedef struct BlobWriter BlobWriter;

/* A block to be stored, given back by writing; borrowed until the next call. */
typedef struct {
    BlobPlace place;
    Bytes block;
} BlobBlock;

/* NULL when memory is short or the size beyond MESH_DOCUMENT_SIZE_MAX. The key is copied. */
BlobWriter *blob_writer_create(const uint8_t id[ACT_DOCUMENT_ID_SIZE], const uint8_t key[32],
                               uint64_t size);
/* Wipes and frees; NULL-safe. */
void blob_writer_destroy(BlobWriter *writer);
/*
 * Takes the next leaf, in clear: 4096 bytes, fewer only in the last; an empty document is given
 * none. INVALID. The blocks it made (the leaf, enciphered, and those of hashes it filled) are then
 * taken with blob_writer_next. STATE: those made before were not all taken.
 */
MeshError blob_writer_leaf(BlobWriter *writer, Bytes clear);
/*
 * Ends: the last blocks of hashes, none perhaps, come out of blob_writer_next; of an empty document
 * its leaf. STATE: leaves are missing, or blocks were not taken.
 */
MeshError blob_writer_end(BlobWriter *writer, MeshHash *ret_root);
bool blob_writer_next(BlobWriter *writer, BlobBlock *ret_block);
uint64_t blob_writer_size(const BlobWriter *writer); /* bytes taken so far */
