/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/journal/blob.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

typedef enum {
    BLOCK_ABSENT = 0,
    BLOCK_ASKED = 1, /* of a neighbour */
    BLOCK_TAKEN = 2, /* right, on its way to the store */
    BLOCK_HERE = 3,
} BlockState;

#define STATES_OF_BYTE 4

/* A block of hashes. */
typedef struct {
    uint8_t *hashes; /* NULL: not in memory */
    uint8_t lacking; /* children that are not complete */
} Node;

typedef struct {
    uint32_t count;  /* of blocks */
    uint32_t first;  /* none before it is absent */
    uint8_t *states; /* BlockState, four a byte */
    Node *nodes;     /* NULL on level 0 */
} Level;

struct Blob {
    uint8_t id[ACT_DOCUMENT_ID_SIZE];
    MeshHash root;
    uint64_t size;
    uint64_t have;
    uint8_t top;
    Level levels[BLOB_LEVELS];
};

/* ---- shape ---- */

uint32_t blob_leaf_count(uint64_t size) {
    uint64_t count = size / BLOB_BLOCK_SIZE + (size % BLOB_BLOCK_SIZE > 0);

    return count == 0 ? 1 : count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
}

uint8_t blob_shape(uint64_t size, uint32_t ret_counts[BLOB_LEVELS]) {
    uint8_t level = 0;

    ret_counts[0] = blob_leaf_count(size);
    while (ret_counts[level] > 1) {
        assert(level + 1 < BLOB_LEVELS);
        ret_counts[level + 1] = (ret_counts[level] + BLOB_FANOUT - 1) / BLOB_FANOUT;
        level++;
    }
    return level;
}

void blob_hash(const uint8_t id[ACT_DOCUMENT_ID_SIZE], uint8_t level, Bytes block,
               MeshHash *ret_hash) {
    uint8_t where[ACT_DOCUMENT_ID_SIZE + 1];

    memcpy(where, id, ACT_DOCUMENT_ID_SIZE);
    where[ACT_DOCUMENT_ID_SIZE] = level;
    domain_hash(ret_hash->bytes, MESH_HASH_SIZE, "block", BYTES_OF(where), block);
}

void blob_cipher(const uint8_t key[32], uint32_t leaf, uint8_t *bytes, size_t length) {
    uint8_t nonce[crypto_stream_chacha20_ietf_NONCEBYTES] = {0};
    BytesWriter writer = bytes_writer(nonce, sizeof nonce);

    bytes_write_u32(&writer, leaf);
    if (length > 0) {
        crypto_stream_chacha20_ietf_xor(bytes, bytes, length, nonce, key);
    }
}

size_t blob_key(const uint8_t id[ACT_DOCUMENT_ID_SIZE], BlobPlace place,
                uint8_t ret_key[BLOB_KEY_SIZE]) {
    BytesWriter writer = bytes_writer(ret_key, BLOB_KEY_SIZE);

    bytes_write(&writer, id, ACT_DOCUMENT_ID_SIZE);
    bytes_write_u8(&writer, place.level);
    bytes_write_u32(&writer, place.index);
    return bytes_written(&writer);
}

bool blob_key_read(Bytes key, uint8_t ret_id[ACT_DOCUMENT_ID_SIZE], BlobPlace *ret_place) {
    BytesReader reader = bytes_reader(key.data, key.length);
    const uint8_t *id = bytes_read(&reader, ACT_DOCUMENT_ID_SIZE);
    BlobPlace place = {.level = bytes_read_u8(&reader)};

    place.index = bytes_read_u32(&reader);
    if (!bytes_done(&reader) || place.level >= BLOB_LEVELS) {
        return false;
    }
    memcpy(ret_id, id, ACT_DOCUMENT_ID_SIZE);
    *ret_place = place;
    return true;
}

/* ---- places ---- */

static bool exists(const Blob *blob, BlobPlace place) {
    return place.index < blob_count(blob, place.level);
}

static BlobPlace parent_of(BlobPlace place) {
    return (BlobPlace){.level = (uint8_t)(place.level + 1), .index = place.index / BLOB_FANOUT};
}

static Node *node_at(const Blob *blob, BlobPlace place) {
    return &blob->levels[place.level].nodes[place.index];
}

/* Hashes in a block of hashes. */
static uint32_t child_count(const Blob *blob, BlobPlace place) {
    uint32_t left = blob->levels[place.level - 1].count - place.index * BLOB_FANOUT;

    return left < BLOB_FANOUT ? left : BLOB_FANOUT;
}

static BlockState state_of(const Blob *blob, BlobPlace place) {
    unsigned states = blob->levels[place.level].states[place.index / STATES_OF_BYTE];

    return (BlockState)(states >> place.index % STATES_OF_BYTE * 2 & 3);
}

static void set_state(Blob *blob, BlobPlace place, BlockState state) {
    Level *level = &blob->levels[place.level];
    uint8_t *byte = &level->states[place.index / STATES_OF_BYTE];
    unsigned shift = place.index % STATES_OF_BYTE * 2;

    *byte = (uint8_t)((*byte & ~(3u << shift)) | (unsigned)state << shift);
    if (state == BLOCK_ABSENT && place.index < level->first) {
        level->first = place.index;
    }
}

/* The block and all that is below it are here. */
static bool is_complete(const Blob *blob, BlobPlace place) {
    return state_of(blob, place) == BLOCK_HERE &&
           (place.level == 0 || node_at(blob, place)->lacking == 0);
}

/* What the block must hash to; NULL when the one above is not in memory. */
static const uint8_t *expected_hash(const Blob *blob, BlobPlace place) {
    const uint8_t *hashes;

    if (place.level == blob->top) {
        return blob->root.bytes;
    }
    hashes = node_at(blob, parent_of(place))->hashes;
    return hashes ? hashes + place.index % BLOB_FANOUT * MESH_HASH_SIZE : NULL;
}

/* ---- life ---- */

static bool init_level(Blob *blob, uint8_t number, uint32_t count) {
    Level *level = &blob->levels[number];

    level->states = calloc(count / STATES_OF_BYTE + 1, 1);
    level->count = count;
    if (!level->states) {
        return false;
    }
    if (number > 0) {
        level->nodes = calloc(count, sizeof *level->nodes);
        if (!level->nodes) {
            return false;
        }
        for (uint32_t i = 0; i < count; i++) {
            level->nodes[i].lacking = (uint8_t)child_count(blob, (BlobPlace){number, i});
        }
    }
    return true;
}

Blob *blob_create(const uint8_t id[ACT_DOCUMENT_ID_SIZE], const MeshHash *root, uint64_t size) {
    uint32_t counts[BLOB_LEVELS];
    Blob *blob = size <= MESH_DOCUMENT_SIZE_MAX ? calloc(1, sizeof *blob) : NULL;

    if (!blob) {
        return NULL;
    }
    memcpy(blob->id, id, sizeof blob->id);
    blob->root = *root;
    blob->size = size;
    blob->top = blob_shape(size, counts);
    for (uint8_t level = 0; level <= blob->top; level++) {
        if (!init_level(blob, level, counts[level])) {
            blob_destroy(blob);
            return NULL;
        }
    }
    return blob;
}

void blob_destroy(Blob *blob) {
    if (!blob) {
        return;
    }
    for (uint8_t level = 0; level < BLOB_LEVELS; level++) {
        for (uint32_t i = 0; blob->levels[level].nodes && i < blob->levels[level].count; i++) {
            free(blob->levels[level].nodes[i].hashes);
        }
        free(blob->levels[level].nodes);
        free(blob->levels[level].states);
    }
    free(blob);
}

const uint8_t *blob_id(const Blob *blob) {
    return blob->id;
}

uint32_t blob_count(const Blob *blob, uint8_t level) {
    return level < BLOB_LEVELS ? blob->levels[level].count : 0;
}

uint8_t blob_top(const Blob *blob) {
    return blob->top;
}

size_t blob_block_size(const Blob *blob, BlobPlace place) {
    uint64_t left = blob->size - (uint64_t)place.index * BLOB_BLOCK_SIZE;

    return !exists(blob, place)     ? 0
           : place.level > 0        ? child_count(blob, place) * MESH_HASH_SIZE
           : left < BLOB_BLOCK_SIZE ? (size_t)left
                                    : BLOB_BLOCK_SIZE;
}

bool blob_has(const Blob *blob, BlobPlace place) {
    return exists(blob, place) && state_of(blob, place) == BLOCK_HERE;
}

uint64_t blob_have(const Blob *blob) {
    return blob->have;
}

bool blob_is_whole(const Blob *blob) {
    return is_complete(blob, (BlobPlace){.level = blob->top, .index = 0});
}

/* ---- what comes and goes ---- */

void blob_mark(Blob *blob, BlobPlace place) {
    if (!exists(blob, place) || state_of(blob, place) == BLOCK_HERE) {
        return;
    }
    set_state(blob, place, BLOCK_HERE);
    if (place.level == 0) {
        blob->have += blob_block_size(blob, place);
    }
    while (is_complete(blob, place) && place.level < blob->top) {
        Node *above;

        place = parent_of(place);
        above = node_at(blob, place);
        if (--above->lacking == 0) {
            free(above->hashes); /* nothing is left to be checked by them */
            above->hashes = NULL;
        }
    }
}

void blob_lose(Blob *blob, BlobPlace place) {
    bool was_complete = exists(blob, place) && is_complete(blob, place);

    if (!blob_has(blob, place)) {
        return;
    }
    set_state(blob, place, BLOCK_ABSENT);
    if (place.level == 0) {
        blob->have -= blob_block_size(blob, place);
    }
    while (was_complete && place.level < blob->top) {
        place = parent_of(place);
        was_complete = is_complete(blob, place);
        node_at(blob, place)->lacking++;
    }
}

bool blob_wants_hashes(const Blob *blob, BlobPlace *ret_place) {
    for (uint8_t level = blob->top; level > 0 && !blob_is_whole(blob); level--) {
        for (uint32_t i = 0; i < blob->levels[level].count; i++) {
            BlobPlace place = {.level = level, .index = i};
            const Node *node = node_at(blob, place);

            if (node->lacking > 0 && !node->hashes && state_of(blob, place) == BLOCK_HERE &&
                expected_hash(blob, place)) {
                *ret_place = place;
                return true;
            }
        }
    }
    return false;
}

/* Compares with the hash above; keeps the hashes as long as they can be of use. */
static MeshError check_and_keep(Blob *blob, BlobPlace place, Bytes block) {
    const uint8_t *expected = expected_hash(blob, place);
    MeshHash hash;
    Node *node;

    if (!expected) {
        return MESH_ERROR_STATE;
    }
    blob_hash(blob->id, place.level, block, &hash);
    if (memcmp(hash.bytes, expected, MESH_HASH_SIZE)) {
        return MESH_ERROR_FORGED;
    }
    if (place.level == 0) {
        return MESH_OK;
    }
    node = node_at(blob, place);
    if (node->lacking > 0 && !node->hashes) {
        node->hashes = malloc(block.length);
        if (!node->hashes) {
            return MESH_ERROR_NO_MEMORY;
        }
        memcpy(node->hashes, block.data, block.length);
    }
    return MESH_OK;
}

MeshError blob_give_hashes(Blob *blob, BlobPlace place, Bytes block) {
    MeshError error = MESH_ERROR_FORGED;

    if (!exists(blob, place) || place.level == 0) {
        return MESH_ERROR_INVALID;
    }
    if (!blob_has(blob, place)) {
        return MESH_ERROR_STATE;
    }
    if (block.length == blob_block_size(blob, place)) {
        error = check_and_keep(blob, place, block);
    }
    if (error == MESH_ERROR_FORGED) {
        blob_lose(blob, place);
    }
    return error;
}

MeshError blob_take(Blob *blob, BlobPlace place, Bytes block) {
    MeshError error = MESH_ERROR_INVALID;

    if (exists(blob, place) && block.length == blob_block_size(blob, place)) {
        error = state_of(blob, place) >= BLOCK_TAKEN ? MESH_ERROR_REPLAYED
                                                     : check_and_keep(blob, place, block);
    }
    if (!error) {
        set_state(blob, place, BLOCK_TAKEN);
    }
    return error;
}

/* ---- what is wanted ---- */

bool blob_want_next(Blob *blob, BlobPlace *ret_place) {
    for (int number = blob->top; number >= 0; number--) {
        Level *level = &blob->levels[number];
        BlobPlace place = {.level = (uint8_t)number, .index = level->first};

        while (place.index < level->count) {
            if (state_of(blob, place) != BLOCK_ABSENT) {
                level->first += place.index == level->first;
                place.index++;
            } else if (!expected_hash(blob, place)) {
                place.index = (place.index / BLOB_FANOUT + 1) * BLOB_FANOUT; /* nor its siblings */
            } else {
                set_state(blob, place, BLOCK_ASKED);
                *ret_place = place;
                return true;
            }
        }
    }
    return false;
}

bool blob_want_ahead(Blob *blob, BlobPlace *ret_place) {
    for (int number = blob->top - 1; number >= 0; number--) {
        const Level *level = &blob->levels[number];
        BlobPlace place = {.level = (uint8_t)number, .index = level->first};

        while (place.index < level->count) {
            if (state_of(blob, parent_of(place)) != BLOCK_ASKED) {
                place.index = (place.index / BLOB_FANOUT + 1) * BLOB_FANOUT;
            } else if (state_of(blob, place) != BLOCK_ABSENT) {
                place.index++;
            } else {
                set_state(blob, place, BLOCK_ASKED);
                *ret_place = place;
                return true;
            }
        }
    }
    return false;
}

bool blob_expect(Blob *blob, BlobPlace place) {
    if (!exists(blob, place) || state_of(blob, place) != BLOCK_ABSENT) {
        return false;
    }
    set_state(blob, place, BLOCK_ASKED);
    return true;
}

bool blob_can_check(const Blob *blob, BlobPlace place) {
    return exists(blob, place) && expected_hash(blob, place);
}

void blob_give_up(Blob *blob, BlobPlace place) {
    if (exists(blob, place) && state_of(blob, place) != BLOCK_HERE) {
        set_state(blob, place, BLOCK_ABSENT);
    }
}
