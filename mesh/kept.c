/* SPDX-License-Identifier: MPL-2.0 */
/* What is kept on disk: asking for it, what follows when it is there, and what a start gives back.
 */
#include <stdlib.h>
#include <string.h>

#include "mesh/core.h"
#include "mesh/memory.h"

#define WORD_ID   "id"
#define WORD_JOIN "join"
#define WORD_PEER "peer"

bool core_persist(Mesh *mesh, MeshItemKind kind, Bytes key, Bytes value, Pending pending) {
    pending.token = ++mesh->next_token;
    if (!memory_grow((void **)&mesh->pending, &mesh->pending_capacity, mesh->pending_count,
                     sizeof *mesh->pending) ||
        !effects_add(&mesh->effects,
                     &(MeshEffect){.kind = MESH_EFFECT_PERSIST,
                                   .store = {.token = pending.token, .item.kind = kind}},
                     value, key)) {
        if (pending.answer) {
            core_done(mesh, pending.tag, MESH_ERROR_NO_MEMORY, NULL, NULL);
        }
        free(pending.bytes);
        free(pending.text);
        return false;
    }
    mesh->pending[mesh->pending_count++] = pending;
    return true;
}

bool core_is_storing(const Mesh *mesh, const MeshHash *hash) {
    for (size_t i = mesh->pending_head; i < mesh->pending_count; i++) {
        if (mesh->pending[i].bytes && mesh_hash_equal(&mesh->pending[i].hash, hash)) {
            return true;
        }
    }
    return false;
}

bool core_has_room(const Mesh *mesh) {
    return mesh->pending_count - mesh->pending_head < MESH_PENDING_MAX;
}

void core_keep(Mesh *mesh, const char *word, Bytes value) {
    core_persist(mesh, MESH_ITEM_STATE, BYTES_AT(word, strlen(word)), value,
                 (Pending){.kind = PENDING_STATE});
}

void core_forget(Mesh *mesh, MeshItemKind kind, Bytes key) {
    effects_add(&mesh->effects, &(MeshEffect){.kind = MESH_EFFECT_FORGET, .store.item.kind = kind},
                BYTES_NONE, key);
}

/* ---- loading ---- */

static bool begins(Bytes key, const char *word) {
    return key.length >= strlen(word) && !memcmp(key.data, word, strlen(word));
}

static void load_state(Mesh *mesh, Bytes key, Bytes value) {
    if (begins(key, CORE_WORD_KEY) && value.length == 32) {
        meeting_add_key(&mesh->meeting, value.data);
    } else if (begins(key, WORD_PEER)) {
        reach_loaded(mesh, key, value);
    } else if (begins(key, JOIN_WORD_RELAY)) {
        join_relay_loaded(mesh, value);
    } else if (begins(key, WORD_JOIN)) {
        join_loaded(mesh, value);
    } else if (begins(key, WORD_ID) && value.length == MESH_HASH_SIZE) {
        memcpy(mesh->meeting.id.bytes, value.data, MESH_HASH_SIZE);
        journal_ask_again(mesh->journal); /* one of them is the GENESIS */
        mesh->admission.welcomed = true;
    }
}

/* So many bytes are on disk of whoever wrote the entry, or are not any more. */
static void account(Mesh *mesh, Bytes bytes, void (*book)(Budget *, const MeshKey *, size_t)) {
    Entry entry;

    if (mesh->relay && !entry_read_kept(bytes.data, bytes.length, &entry)) {
        book(&mesh->budget, &entry.author, bytes.length);
    }
}

static void forget_entry(Mesh *mesh, const MeshHash *hash, Bytes bytes) {
    mesh->counters.limited++;
    account(mesh, bytes, budget_remove);
    core_forget(mesh, MESH_ITEM_ENTRY, BYTES_OF(hash->bytes));
}

/* The journal takes an entry that is on disk. Too many that wait are forgotten, the most hopeless
 * first: what is worth having comes again. */
static MeshError hold(Mesh *mesh, const uint8_t *bytes, size_t length) {
    MeshHash hash;
    Bytes oldest;

    while (journal_waiting(mesh->journal) >= MESH_PENDING_MAX &&
           journal_oldest(mesh->journal, &hash, &oldest)) {
        forget_entry(mesh, &hash, oldest);
        journal_drop_oldest(mesh->journal);
    }
    return journal_hold(mesh->journal, bytes, length);
}

MeshError kept_load(Mesh *mesh, const MeshItem *item) {
    Bytes key = BYTES_AT(item->key, item->key_length);
    MeshError error;

    if (!mesh->loading) {
        return MESH_ERROR_STATE;
    }
    switch (item->kind) {
    case MESH_ITEM_STATE:
        load_state(mesh, key, BYTES_AT(item->value, item->value_length));
        return MESH_OK;
    case MESH_ITEM_ENTRY:
        account(mesh, BYTES_AT(item->value, item->value_length), budget_add);
        error = hold(mesh, item->value, item->value_length);
        core_apply(mesh);
        return error;
    case MESH_ITEM_BLOCK:
        library_loaded(mesh, key);
        return MESH_OK;
    }
    return MESH_ERROR_INVALID;
}

/* The person took another name since the last run. */
static void rename_self(Mesh *mesh) {
    const Member *self = core_self(mesh);
    SealedAct act = {.kind = ACT_NAME, .text = BYTES_AT(mesh->name, strlen(mesh->name))};

    if (self && !mesh->relay && mesh->name[0] != '\0' &&
        strcmp(roster_name(self), mesh->name) != 0) {
        author_write(mesh, NULL, &act, (AuthorAnswer){0}, NULL);
    }
}

void kept_loaded(Mesh *mesh) {
    if (!mesh->loading) {
        return;
    }
    mesh->loading = false;
    join_begin(mesh);
    core_apply(mesh);
    core_roster_changed(mesh);
    if (mesh->status == MESH_STATUS_MEMBER) {
        rename_self(mesh);
        reach_soon(mesh);
    }
}

/* ---- storing ---- */

static void settle(Mesh *mesh, const Pending *pending, MeshError error) {
    if (pending->answer) {
        core_done(mesh, pending->tag, error,
                  pending->answers_meeting ? &mesh->meeting.id : &pending->hash,
                  error ? NULL : pending->text);
    }
}

static MeshError stored_entry(Mesh *mesh, const Pending *pending) {
    MeshError error = hold(mesh, pending->bytes, pending->length);

    if (pending->kind == PENDING_OWN) {
        author_stored(mesh, &pending->hash, error);
        admission_settled(mesh, &pending->hash, error);
    }
    if (error == MESH_ERROR_REPLAYED) {
        return MESH_OK;
    }
    if (error) {
        forget_entry(mesh, &pending->hash, BYTES_AT(pending->bytes, pending->length));
        return error;
    }
    core_apply(mesh);
    if (pending->kind == PENDING_OWN) {
        admission_update(mesh); /* the next who asks has his turn */
    }
    return MESH_OK;
}

static void stored(Mesh *mesh, Pending *pending) {
    MeshError error = MESH_OK;

    switch (pending->kind) {
    case PENDING_OWN:
    case PENDING_RECEIVED:
        error = stored_entry(mesh, pending);
        break;
    case PENDING_BLOCK:
        library_stored(mesh, pending->document, pending->place);
        break;
    case PENDING_STATE:
    case PENDING_LEAF:
    case PENDING_DONE:
        break;
    }
    settle(mesh, pending, error);
}

static void failed(Mesh *mesh, Pending *pending) {
    switch (pending->kind) {
    case PENDING_OWN:
        author_failed(mesh);
        admission_settled(mesh, &pending->hash, MESH_ERROR_STORE);
        break;
    case PENDING_RECEIVED:
        account(mesh, BYTES_AT(pending->bytes, pending->length), budget_remove);
        sync_store_failed(mesh);
        break;
    case PENDING_BLOCK:
        library_store_failed(mesh, pending->document, pending->place);
        break;
    case PENDING_LEAF:
        draft_store_failed(mesh, pending->document);
        break;
    case PENDING_STATE:
    case PENDING_DONE:
        break;
    }
    settle(mesh, pending, MESH_ERROR_STORE);
}

static void settle_until(Mesh *mesh, uint64_t token, void (*each)(Mesh *, Pending *)) {
    while (mesh->pending_head < mesh->pending_count &&
           mesh->pending[mesh->pending_head].token <= token) {
        Pending pending = mesh->pending[mesh->pending_head++];

        each(mesh, &pending);
        free(pending.bytes);
        free(pending.text);
    }
    if (mesh->pending_head > 0 && mesh->pending_head * 2 >= mesh->pending_count) {
        mesh->pending_count -= mesh->pending_head;
        memmove(mesh->pending, mesh->pending + mesh->pending_head,
                mesh->pending_count * sizeof *mesh->pending);
        mesh->pending_head = 0;
    }
}

void kept_stored(Mesh *mesh, uint64_t token) {
    settle_until(mesh, token, stored);
}

void kept_failed(Mesh *mesh, uint64_t token) {
    settle_until(mesh, token, failed);
}
