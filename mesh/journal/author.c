/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/journal/author.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "mesh/core.h"
#include "mesh/memory.h"

static void begin_chain(Mesh *mesh) {
    Author *author = &mesh->author;

    *author = (Author){.begun = true};
    core_random(mesh, author->chain, sizeof author->chain);
    journal_chain_tag(&mesh->self.key, author->chain, author->tag);
}

static MeshError draft_and_sign(Mesh *mesh, const PublicAct *public_act,
                                const SealedAct *sealed_act, uint8_t *ret_bytes,
                                size_t *ret_length) {
    uint8_t public_bytes[MESH_ENTRY_MAX];
    uint8_t plain[MESH_ENTRY_MAX];
    MeshHash tips[MESH_CITED_MAX];
    Author *author = &mesh->author;
    bool genesis = public_act && public_act->kind == ACT_GENESIS;
    EntryDraft draft = {.meeting = genesis ? NULL : &mesh->meeting.id,
                        .sequence = author->sequence,
                        .previous = author->sequence > 0 ? &author->previous : NULL,
                        .cited = tips};
    MeshError error;

    memcpy(draft.chain, author->chain, sizeof draft.chain);
    draft.cited_count = journal_tips(mesh->journal, author->tag, tips);
    if (public_act) {
        draft.public_act = BYTES_AT(public_bytes, act_write_public(public_act, public_bytes));
        if (draft.public_act.length == 0) {
            return MESH_ERROR_TOO_LARGE;
        }
    }
    if (sealed_act) {
        /* The genesis begins the first epoch: its key is the only one there is. */
        draft.key = genesis ? &mesh->meeting.keys[0] : meeting_current_key(&mesh->meeting);
        if (!draft.key) {
            return MESH_ERROR_STATE;
        }
        draft.plain = BYTES_AT(plain, act_write_sealed(sealed_act, plain));
        if (draft.plain.length == 0) {
            return MESH_ERROR_TOO_LARGE;
        }
    }
    error = entry_write(&draft, &mesh->self, ret_bytes, ret_length);
    sodium_memzero(plain, sizeof plain);
    return error;
}

MeshError author_write(Mesh *mesh, const PublicAct *public_act, const SealedAct *sealed_act,
                       AuthorAnswer answer, MeshHash *ret_hash) {
    uint8_t bytes[MESH_ENTRY_MAX];
    Pending pending = {.kind = PENDING_OWN,
                       .answers_meeting = answer.meeting,
                       .answer = answer.answer,
                       .tag = answer.tag,
                       .text = answer.text};
    Entry entry;
    MeshError error = mesh->relay ? MESH_ERROR_RELAY
                      : journal_count(mesh->journal) + mesh->pending_count < MESH_ENTRIES_MAX
                          ? MESH_OK
                          : MESH_ERROR_FULL;

    if (!mesh->author.begun) {
        begin_chain(mesh);
    }
    if (!error) {
        error = draft_and_sign(mesh, public_act, sealed_act, bytes, &pending.length);
    }
    if (!error) {
        error = entry_read(bytes, pending.length, &entry);
    }
    if (!error) {
        pending.bytes = memory_copy(bytes, pending.length);
        error = pending.bytes ? MESH_OK : MESH_ERROR_NO_MEMORY;
    }
    if (error) {
        free(answer.text);
        return error;
    }
    pending.hash = entry.hash;
    if (!core_persist(mesh, MESH_ITEM_ENTRY, BYTES_OF(entry.hash.bytes),
                      BYTES_AT(bytes, pending.length), pending)) {
        return answer.answer ? MESH_OK : MESH_ERROR_NO_MEMORY; /* answered already, or not */
    }
    mesh->author.sequence++;
    mesh->author.previous = entry.hash;
    if (ret_hash) {
        *ret_hash = entry.hash;
    }
    return MESH_OK;
}

void author_stored(Mesh *mesh, const MeshHash *hash, MeshError error) {
    mesh->author.stored_sequence++;
    mesh->author.stored_previous = *hash;
    mesh->author.begun = !error;
}

void author_failed(Mesh *mesh) {
    mesh->author.sequence = mesh->author.stored_sequence;
    mesh->author.previous = mesh->author.stored_previous;
}
