/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A document as a tree of blocks: level 0 holds its bytes, 4096 a block, each enciphered; a block
 * of level n + 1 holds the hashes of up to 128 blocks of level n; the root is the hash of the one
 * block on top. Every block is checked by the one above, from any neighbour. It owns the shape, the
 * hashes known and which blocks are here. It never stores a block.
 *
 * A hash is domain_hash of kind "block" over id ‖ level u8 ‖ the block as stored. A document of one
 * leaf has no other block: its top is level 0. An empty document is one leaf of no bytes.
 */
#pragma once

#include "mesh/meeting/act.h"

#define BLOB_BLOCK_SIZE 4096
#define BLOB_FANOUT     (BLOB_BLOCK_SIZE / MESH_HASH_SIZE)
#define BLOB_KEY_SIZE   (ACT_DOCUMENT_ID_SIZE + 1 + 4)
#define BLOB_LEVELS     4 /* 128³ leaves are far beyond MESH_DOCUMENT_SIZE_MAX */

typedef struct {
    uint8_t level;
    uint32_t index;
} BlobPlace;

/* ---- the shape of any document ---- */

uint32_t blob_leaf_count(uint64_t size);
/* The blocks of each level; the number of the top one is returned. */
uint8_t blob_shape(uint64_t size, uint32_t ret_counts[BLOB_LEVELS]);
/* The hash of a block as stored. */
void blob_hash(const uint8_t id[ACT_DOCUMENT_ID_SIZE], uint8_t level, Bytes block,
               MeshHash *ret_hash);

/* The store's key of a block: id, level, index (little-endian). */
size_t blob_key(const uint8_t id[ACT_DOCUMENT_ID_SIZE], BlobPlace place,
                uint8_t ret_key[BLOB_KEY_SIZE]);
bool blob_key_read(Bytes key, uint8_t ret_id[ACT_DOCUMENT_ID_SIZE], BlobPlace *ret_place);

/* Enciphers or deciphers one leaf in place: ChaCha20 (RFC 8439) under the document's key. */
void blob_cipher(const uint8_t key[32], uint32_t leaf, uint8_t *bytes, size_t length);

/* ---- a document announced, whole or in part ---- */

typedef struct Blob Blob;

/* NULL when memory is short or the size beyond MESH_DOCUMENT_SIZE_MAX. */
Blob *blob_create(const uint8_t id[ACT_DOCUMENT_ID_SIZE], const MeshHash *root, uint64_t size);
/* NULL-safe. */
void blob_destroy(Blob *blob);
const uint8_t *blob_id(const Blob *blob);

/* Blocks on a level; 0 above the top. */
uint32_t blob_count(const Blob *blob, uint8_t level);
uint8_t blob_top(const Blob *blob);
/* Bytes; 0: no such block, or the leaf of an empty document. */
size_t blob_block_size(const Blob *blob, BlobPlace place);

/*
 * The block is here, as the store says at start: marked, not checked. A block of hashes so marked
 * is asked back with blob_wants_hashes before its children can be checked. A place that is not in
 * the document is ignored.
 */
void blob_mark(Blob *blob, BlobPlace place);
/* The store has it no more, or a damaged one: it is wanted again. */
void blob_lose(Blob *blob, BlobPlace place);
/* A block of hashes that is stored but not in memory, and is needed now to go on fetching. */
bool blob_wants_hashes(const Blob *blob, BlobPlace *ret_place);
/*
 * Gives its bytes, none when the store has it no more. FORGED: the store's copy is damaged; it is
 * no longer marked, to be fetched again. STATE: its parent is not known yet, or it is not marked.
 * INVALID: there is no such block of hashes. NO_MEMORY.
 */
MeshError blob_give_hashes(Blob *blob, BlobPlace place, Bytes block);

/*
 * A block came from a neighbour: OK once, when it is the right one (the caller stores it and then
 * marks it by blob_mark, or gives it up); REPLAYED when it is here or was just taken; STATE when
 * its parent is not known yet; FORGED; INVALID; NO_MEMORY. A right block of hashes is kept in
 * memory at once, until all below it is here.
 */
MeshError blob_take(Blob *blob, BlobPlace place, Bytes block);

bool blob_has(const Blob *blob, BlobPlace place);
/* Bytes of the document that are here; whole when it equals the size and every block is here. */
uint64_t blob_have(const Blob *blob);
bool blob_is_whole(const Blob *blob);

/*
 * The next block worth asking for, from the top level down, that is neither here nor asked for, and
 * can be checked when it comes; it counts as asked until blob_give_up or blob_mark. false: none
 * now.
 */
bool blob_want_next(Blob *blob, BlobPlace *ret_place);
/* The same of one that can be checked only when a block of hashes, asked for by now, has come. */
bool blob_want_ahead(Blob *blob, BlobPlace *ret_place);
/* It counts as asked for. false: it already does, or is here, or there is no such block. */
bool blob_expect(Blob *blob, BlobPlace place);
/* Whether the block could be checked now. */
bool blob_can_check(const Blob *blob, BlobPlace place);
/* Asked or taken in vain: it is wanted again. What is here stays. */
void blob_give_up(Blob *blob, BlobPlace place);
