/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/journal/draft.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "mesh/coder.h"
#include "mesh/core.h"
#include "mesh/memory.h"

static void draft_finish(Draft *draft) {
    blob_writer_destroy(draft->writer);
    free(draft->name);
    sodium_memzero(draft, sizeof *draft);
}

void drafts_finish(Mesh *mesh) {
    for (size_t i = 0; i < DRAFTS_SIZE; i++) {
        draft_finish(&mesh->drafts.slots[i]);
    }
}

/* The draft of a handle; with NULL a free one. */
static Draft *find(Mesh *mesh, const uint8_t *handle) {
    for (size_t i = 0; i < DRAFTS_SIZE; i++) {
        Draft *draft = &mesh->drafts.slots[i];

        if (handle ? draft->writer && !memcmp(draft->handle, handle, sizeof draft->handle)
                   : !draft->writer) {
            return draft;
        }
    }
    return NULL;
}

void draft_store_failed(Mesh *mesh, const uint8_t handle[ACT_DOCUMENT_ID_SIZE]) {
    Draft *draft = find(mesh, handle);

    if (draft) {
        draft->failed = true;
    }
}

static MeshError begin(Mesh *mesh, const MeshIntent *intent, MeshHash *ret_handle) {
    Draft *draft = find(mesh, NULL);
    size_t length = intent->text ? strlen(intent->text) : 0;
    const Member *self = core_self(mesh);
    uint8_t id[ACT_DOCUMENT_ID_SIZE];
    MeshError error = !self || self->role > MESH_ROLE_GUEST ? MESH_ERROR_FORBIDDEN
                      : !draft                              ? MESH_ERROR_FULL
                      : length == 0 || length > MESH_DOCUMENT_NAME_MAX ||
                              !coder_text_is_valid(intent->text, length)
                          ? MESH_ERROR_INVALID
                      : intent->size > MESH_DOCUMENT_SIZE_MAX ? MESH_ERROR_TOO_LARGE
                                                              : MESH_OK;

    if (error) {
        return error;
    }
    core_random(mesh, draft->handle, sizeof draft->handle);
    core_random(mesh, draft->key, sizeof draft->key);
    library_blob_id(&mesh->self.key, draft->handle, id);
    draft->writer = blob_writer_create(id, draft->key, intent->size);
    draft->name = memory_text(BYTES_AT(intent->text, length));
    draft->at_ms = intent->at_ms;
    if (!draft->writer || !draft->name) {
        draft_finish(draft);
        return MESH_ERROR_NO_MEMORY;
    }
    memcpy(ret_handle->bytes, draft->handle, sizeof draft->handle);
    return MESH_OK;
}

/* Stores the blocks made, the last of them with this answer; false: there was none. */
static bool store_made(Mesh *mesh, Draft *draft, const MeshIntent *answer) {
    uint8_t id[ACT_DOCUMENT_ID_SIZE];
    BlobBlock block;
    bool any = blob_writer_next(draft->writer, &block);
    bool stored = any;

    library_blob_id(&mesh->self.key, draft->handle, id);
    while (any) {
        uint8_t key[BLOB_KEY_SIZE];
        uint8_t bytes[BLOB_BLOCK_SIZE];
        size_t length = block.block.length;
        Pending pending = {.kind = PENDING_LEAF, .place = block.place};

        if (length > 0) {
            memcpy(bytes, block.block.data, length);
        }
        any = blob_writer_next(draft->writer, &block);
        pending.answer = answer && !any;
        pending.tag = answer ? answer->tag : 0;
        memcpy(pending.document, draft->handle, sizeof pending.document);
        blob_key(id, pending.place, key);
        draft->failed |=
            !core_persist(mesh, MESH_ITEM_BLOCK, BYTES_OF(key), BYTES_AT(bytes, length), pending);
    }
    return stored;
}

/* Forgets the blocks stored of a document that will not be. */
static void forget_blocks(Mesh *mesh, const Draft *draft) {
    static const MeshHash none;
    uint8_t id[ACT_DOCUMENT_ID_SIZE];
    uint8_t key[BLOB_KEY_SIZE];
    Blob *shape;

    library_blob_id(&mesh->self.key, draft->handle, id);
    shape = blob_create(id, &none, blob_writer_size(draft->writer));
    for (uint8_t level = 0; shape && level < BLOB_LEVELS; level++) {
        for (uint32_t i = 0; i < blob_count(shape, level); i++) {
            blob_key(id, (BlobPlace){level, i}, key);
            core_forget(mesh, MESH_ITEM_BLOCK, BYTES_OF(key));
        }
    }
    blob_destroy(shape);
}

/* Announces it; the answer comes when the entry is on disk, and all blocks before it. */
static MeshError end(Mesh *mesh, Draft *draft, const MeshIntent *intent) {
    SealedAct act = {.kind = ACT_DOCUMENT, .at_ms = draft->at_ms};
    MeshError error = blob_writer_end(draft->writer, &act.document.root);

    if (error) {
        return error;
    }
    store_made(mesh, draft, NULL);
    memcpy(act.document.id, draft->handle, sizeof act.document.id);
    memcpy(act.document.key, draft->key, sizeof act.document.key);
    act.document.size = blob_writer_size(draft->writer);
    act.document.name = BYTES_AT(draft->name, strlen(draft->name));
    error =
        author_write(mesh, NULL, &act, (AuthorAnswer){.answer = true, .tag = intent->tag}, NULL);
    sodium_memzero(&act, sizeof act);
    if (error) {
        forget_blocks(mesh, draft);
    }
    draft_finish(draft);
    return error;
}

void draft_intent(Mesh *mesh, const MeshIntent *intent) {
    bool begins = intent->kind == MESH_INTENT_DOCUMENT_BEGIN;
    Draft *draft = begins ? NULL : find(mesh, intent->hash.bytes);
    MeshHash handle = intent->hash;
    MeshError error = begins || draft ? MESH_OK : MESH_ERROR_UNKNOWN;

    if (begins) {
        error = begin(mesh, intent, &handle);
    } else if (draft && intent->kind == MESH_INTENT_DOCUMENT_CANCEL) {
        forget_blocks(mesh, draft);
        draft_finish(draft);
    } else if (draft && draft->failed) {
        error = MESH_ERROR_STORE;
    } else if (draft && intent->kind == MESH_INTENT_DOCUMENT_LEAF) {
        error = blob_writer_leaf(draft->writer, intent->bytes);
        if (!error && store_made(mesh, draft, intent)) {
            return;
        }
    } else if (draft) {
        error = end(mesh, draft, intent);
        if (!error) {
            return;
        }
    }
    core_done(mesh, intent->tag, error, &handle, NULL);
}
