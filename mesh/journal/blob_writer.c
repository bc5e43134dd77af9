/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/journal/blob_writer.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct BlobWriter {
    uint8_t id[ACT_DOCUMENT_ID_SIZE];
    uint8_t key[32];
    uint64_t size;
    uint64_t taken;
    uint8_t top;
    MeshHash root; /* once the top was made */
    uint32_t made[BLOB_LEVELS];
    uint32_t filled[BLOB_LEVELS]; /* hashes in the block being made */
    uint8_t blocks[BLOB_LEVELS][BLOB_BLOCK_SIZE];
    size_t waiting_count;
    size_t waiting_next;
    BlobBlock waiting[BLOB_LEVELS]; /* at most one of each level between two calls */
};

BlobWriter *blob_writer_create(const uint8_t id[ACT_DOCUMENT_ID_SIZE], const uint8_t key[32],
                               uint64_t size) {
    uint32_t counts[BLOB_LEVELS];
    BlobWriter *writer = size <= MESH_DOCUMENT_SIZE_MAX ? calloc(1, sizeof *writer) : NULL;

    if (writer) {
        memcpy(writer->id, id, sizeof writer->id);
        memcpy(writer->key, key, sizeof writer->key);
        writer->size = size;
        writer->top = blob_shape(size, counts);
    }
    return writer;
}

void blob_writer_destroy(BlobWriter *writer) {
    if (writer) {
        sodium_memzero(writer, sizeof *writer);
        free(writer);
    }
}

/* A block is complete: it waits to be taken, and its hash goes into the one above. */
static void made(BlobWriter *writer, uint8_t level, size_t length) {
    Bytes block = BYTES_AT(writer->blocks[level], length);
    MeshHash hash;

    assert(writer->waiting_count < BLOB_LEVELS);
    writer->waiting[writer->waiting_count++] =
        (BlobBlock){.place = {.level = level, .index = writer->made[level]++}, .block = block};
    writer->filled[level] = 0;
    blob_hash(writer->id, level, block, &hash);
    if (level == writer->top) {
        writer->root = hash;
        return;
    }
    level++;
    memcpy(writer->blocks[level] + writer->filled[level]++ * MESH_HASH_SIZE, hash.bytes,
           MESH_HASH_SIZE);
    if (writer->filled[level] == BLOB_FANOUT) {
        made(writer, level, BLOB_BLOCK_SIZE);
    }
}

static bool is_taken(const BlobWriter *writer) {
    return writer->waiting_next == writer->waiting_count;
}

MeshError blob_writer_leaf(BlobWriter *writer, Bytes clear) {
    uint64_t left = writer->size - writer->taken;

    if (!is_taken(writer)) {
        return MESH_ERROR_STATE;
    }
    if (left == 0 || clear.length != (left < BLOB_BLOCK_SIZE ? left : BLOB_BLOCK_SIZE)) {
        return MESH_ERROR_INVALID;
    }
    writer->waiting_count = writer->waiting_next = 0;
    memcpy(writer->blocks[0], clear.data, clear.length);
    blob_cipher(writer->key, writer->made[0], writer->blocks[0], clear.length);
    writer->taken += clear.length;
    made(writer, 0, clear.length);
    return MESH_OK;
}

MeshError blob_writer_end(BlobWriter *writer, MeshHash *ret_root) {
    if (writer->taken < writer->size || !is_taken(writer)) {
        return MESH_ERROR_STATE;
    }
    writer->waiting_count = writer->waiting_next = 0;
    if (writer->made[0] == 0) {
        made(writer, 0, 0);
    }
    for (uint8_t level = 1; level <= writer->top; level++) {
        if (writer->filled[level] > 0) {
            made(writer, level, writer->filled[level] * MESH_HASH_SIZE);
        }
    }
    *ret_root = writer->root;
    return MESH_OK;
}

bool blob_writer_next(BlobWriter *writer, BlobBlock *ret_block) {
    if (is_taken(writer)) {
        return false;
    }
    *ret_block = writer->waiting[writer->waiting_next++];
    return true;
}

uint64_t blob_writer_size(const BlobWriter *writer) {
    return writer->taken;
}
