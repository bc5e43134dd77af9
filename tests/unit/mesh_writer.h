/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Authors who write entries, for the tests of the journal and of what is folded from it.
 * It owns their keys and chains' ends. It never looks at what it writes.
 */
#pragma once

#include <glib.h>
#include <string.h>

#include "mesh/journal/entry.h"
#include "mesh/meeting/act.h"

typedef struct {
    Identity self;
    uint8_t chain[ENTRY_CHAIN_SIZE];
    uint64_t sequence;
    MeshHash previous;
} Writer;

typedef struct {
    uint8_t bytes[MESH_ENTRY_MAX];
    size_t length;
    MeshHash hash;
} Written;

static inline void writer_init(Writer *writer, uint8_t number) {
    uint8_t seed[MESH_SEED_SIZE] = {number, 1, 2, 3};

    memset(writer, 0, sizeof *writer);
    identity_init(&writer->self, seed);
    writer->chain[0] = number;
}

/* A run of its node later: a chain of its own. */
static inline void writer_restart(Writer *writer) {
    writer->chain[1]++;
    writer->sequence = 0;
}

static inline void writer_write(Writer *writer, const MeshHash *meeting, const MeshHash *cited,
                                size_t cited_count, Bytes public_act, Bytes plain,
                                const EpochKey *key, Written *ret_written) {
    EntryDraft draft = {.meeting = meeting,
                        .sequence = writer->sequence,
                        .previous = writer->sequence > 0 ? &writer->previous : NULL,
                        .cited = cited,
                        .cited_count = cited_count,
                        .public_act = public_act,
                        .plain = plain,
                        .key = key};
    Entry entry;

    memcpy(draft.chain, writer->chain, sizeof draft.chain);
    g_assert_cmpint(entry_write(&draft, &writer->self, ret_written->bytes, &ret_written->length),
                    ==, MESH_OK);
    g_assert_cmpint(entry_read(ret_written->bytes, ret_written->length, &entry), ==, MESH_OK);
    ret_written->hash = entry.hash;
    writer->sequence++;
    writer->previous = entry.hash;
}

/* The same with acts; either may be NULL. */
static inline void writer_act(Writer *writer, const MeshHash *meeting, const MeshHash *cited,
                              size_t cited_count, const PublicAct *public_act,
                              const SealedAct *sealed_act, const EpochKey *key,
                              Written *ret_written) {
    uint8_t public_bytes[MESH_ENTRY_MAX], plain[MESH_ENTRY_MAX];
    Bytes public = {0}, sealed = {0};

    if (public_act) {
        public = BYTES_AT(public_bytes, act_write_public(public_act, public_bytes));
        g_assert_cmpuint(public.length, >, 0);
    }
    if (sealed_act) {
        sealed = BYTES_AT(plain, act_write_sealed(sealed_act, plain));
        g_assert_cmpuint(sealed.length, >, 0);
    }
    writer_write(writer, meeting, cited, cited_count, public, sealed, key, ret_written);
}
