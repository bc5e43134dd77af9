/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/journal/ahead.h"

#include <stdlib.h>
#include <string.h>

#include "mesh/core.h"
#include "mesh/memory.h"

void ahead_finish(Mesh *mesh) {
    for (size_t i = 0; i < mesh->library.ahead.count; i++) {
        free(mesh->library.ahead.blocks[i].bytes);
    }
    mesh->library.ahead.count = 0;
}

static AheadBlock *find(Mesh *mesh, const uint8_t *document, BlobPlace place) {
    Ahead *ahead = &mesh->library.ahead;

    for (size_t i = 0; i < ahead->count; i++) {
        AheadBlock *block = &ahead->blocks[i];

        if (block->place.level == place.level && block->place.index == place.index &&
            !memcmp(block->document, document, sizeof block->document)) {
            return block;
        }
    }
    return NULL;
}

static void forget(Ahead *ahead, AheadBlock *block) {
    *block = ahead->blocks[--ahead->count];
}

/* What came unasked, and belongs to nothing known, makes room for anything else. */
static bool has_room(Mesh *mesh) {
    Ahead *ahead = &mesh->library.ahead;

    for (size_t i = 0; ahead->count == MESH_BLOCKS_AHEAD_MAX && i < ahead->count; i++) {
        if (!library_find(mesh, ahead->blocks[i].document)) {
            free(ahead->blocks[i].bytes);
            forget(ahead, &ahead->blocks[i]);
        }
    }
    return ahead->count < MESH_BLOCKS_AHEAD_MAX;
}

bool ahead_want(Mesh *mesh, uint32_t slot, Blob *blob, BlobPlace *ret_place) {
    Ahead *ahead = &mesh->library.ahead;
    AheadBlock *block;

    if (!has_room(mesh) || !blob_want_ahead(blob, ret_place)) {
        return false;
    }
    block = &ahead->blocks[ahead->count];
    *block = (AheadBlock){.place = *ret_place, .slot = slot};
    memcpy(block->document, blob_id(blob), sizeof block->document);
    ahead->count++;
    return true;
}

bool ahead_hold(Mesh *mesh, const Blob *blob, BlobPlace place, Bytes block) {
    AheadBlock *held = find(mesh, blob_id(blob), place);

    if (!held || held->bytes || block.length != blob_block_size(blob, place)) {
        return false;
    }
    held->bytes = memory_copy(block.data, block.length);
    held->length = block.length;
    return held->bytes != NULL;
}

bool ahead_hold_offered(Mesh *mesh, uint32_t slot, const uint8_t document[ACT_DOCUMENT_ID_SIZE],
                        BlobPlace place, Bytes block) {
    Ahead *ahead = &mesh->library.ahead;
    AheadBlock held = {.place = place, .slot = slot, .length = block.length};

    if (block.length == 0 || block.length > BLOB_BLOCK_SIZE || find(mesh, document, place) ||
        !has_room(mesh)) {
        return false;
    }
    held.bytes = memory_copy(block.data, block.length);
    memcpy(held.document, document, sizeof held.document);
    if (held.bytes) {
        ahead->blocks[ahead->count++] = held;
    }
    return held.bytes != NULL;
}

void ahead_adopt(Mesh *mesh, Blob *blob, bool wanted) {
    Ahead *ahead = &mesh->library.ahead;

    for (size_t i = 0; i < ahead->count; i++) {
        AheadBlock *block = &ahead->blocks[i];

        if (!memcmp(block->document, blob_id(blob), sizeof block->document) &&
            !(wanted && blob_expect(blob, block->place))) {
            free(block->bytes);
            forget(ahead, block);
            i--;
        }
    }
}

void ahead_drop(Mesh *mesh, const uint8_t document[ACT_DOCUMENT_ID_SIZE], BlobPlace place) {
    AheadBlock *block = find(mesh, document, place);

    if (block) {
        free(block->bytes);
        forget(&mesh->library.ahead, block);
    }
}

bool ahead_take(Mesh *mesh, const Blob *blob, AheadBlock *ret_block) {
    Ahead *ahead = &mesh->library.ahead;

    for (size_t i = 0; i < ahead->count; i++) {
        AheadBlock *block = &ahead->blocks[i];
        AheadBlock found = *block;

        if (memcmp(block->document, blob_id(blob), sizeof block->document) ||
            !blob_can_check(blob, block->place)) {
            continue;
        }
        forget(ahead, block);
        i--;
        if (found.bytes) {
            *ret_block = found;
            return true;
        }
    }
    return false;
}
