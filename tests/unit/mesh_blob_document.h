/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A document for the tests of the blob: its bytes, and the blocks it was cut into by the writer.
 * It owns both. It never checks a block: that is the tested code's part.
 */
#pragma once

#include <glib.h>
#include <string.h>

#include "mesh/journal/blob_writer.h"

static const uint8_t id[ACT_DOCUMENT_ID_SIZE] = "document";
static const uint8_t key[32] = "a key of a document";

typedef struct {
    guint64 size;
    GByteArray *clear;
    GHashTable *blocks; /* by their store keys, GBytes both */
    MeshHash root;
} Document;

static inline GBytes *key_of(BlobPlace place) {
    uint8_t bytes[BLOB_KEY_SIZE];
    g_assert_cmpuint(blob_key(id, place, bytes), ==, sizeof(bytes));
    return g_bytes_new(bytes, sizeof(bytes));
}

static inline void keep_made(Document *document, BlobWriter *writer) {
    BlobBlock made;
    while (blob_writer_next(writer, &made)) {
        gboolean fresh = g_hash_table_insert(document->blocks, key_of(made.place),
                                             g_bytes_new(made.block.data, made.block.length));
        g_assert_true(fresh);
    }
}

static inline Document *document_write(guint64 size) {
    Document *document = g_new0(Document, 1);
    BlobWriter *writer = blob_writer_create(id, key, size);
    g_autoptr(GRand) dice = g_rand_new_with_seed((guint32)size);
    document->size = size;
    document->clear = g_byte_array_sized_new((guint)size);
    g_byte_array_set_size(document->clear, (guint)size);
    for (gsize i = 0; i < size; i += 1 + i / 64) {
        document->clear->data[i] = (guint8)g_rand_int(dice);
    }
    document->blocks = g_hash_table_new_full(
        g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, (GDestroyNotify)g_bytes_unref);
    for (gsize at = 0; at < size; at += BLOB_BLOCK_SIZE) {
        MeshHash early;
        Bytes leaf = BYTES_AT(document->clear->data + at, MIN(BLOB_BLOCK_SIZE, size - at));
        g_assert_cmpuint(blob_writer_size(writer), ==, at);
        g_assert_cmpint(blob_writer_end(writer, &early), ==, MESH_ERROR_STATE);
        g_assert_cmpint(blob_writer_leaf(writer, leaf), ==, MESH_OK);
        keep_made(document, writer);
    }
    g_assert_cmpint(blob_writer_end(writer, &document->root), ==, MESH_OK);
    keep_made(document, writer);
    g_assert_cmpuint(blob_writer_size(writer), ==, size);
    blob_writer_destroy(writer);
    return document;
}

static inline void document_free(Document *document) {
    g_byte_array_unref(document->clear);
    g_hash_table_unref(document->blocks);
    g_free(document);
}

static inline Bytes stored(const Document *document, BlobPlace place) {
    g_autoptr(GBytes) name = key_of(place);
    GBytes *block = g_hash_table_lookup(document->blocks, name);
    g_assert_nonnull(block);
    return BYTES_AT(g_bytes_get_data(block, NULL), g_bytes_get_size(block));
}

static inline void assert_leaves(const Document *document, const Blob *blob) {
    uint8_t plain[BLOB_BLOCK_SIZE];
    for (uint32_t i = 0; i < blob_count(blob, 0); i++) {
        BlobPlace place = {.level = 0, .index = i};
        Bytes leaf = stored(document, place);
        g_assert_cmpuint(leaf.length, ==, blob_block_size(blob, place));
        if (leaf.length > 0) {
            memcpy(plain, leaf.data, leaf.length);
            blob_cipher(key, i, plain, leaf.length);
            g_assert_true(memcmp(plain, document->clear->data + (gsize)i * BLOB_BLOCK_SIZE,
                                 leaf.length) == 0);
        }
    }
}

static inline Blob *announced(const Document *document) {
    Blob *blob = blob_create(id, &document->root, document->size);
    g_assert_nonnull(blob);
    return blob;
}

static inline void assert_whole(const Document *document, Blob *blob) {
    BlobPlace place;
    g_assert_true(blob_is_whole(blob));
    g_assert_cmpuint(blob_have(blob), ==, document->size);
    g_assert_false(blob_want_next(blob, &place));
    g_assert_false(blob_wants_hashes(blob, &place));
}
