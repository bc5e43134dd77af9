/* SPDX-License-Identifier: MPL-2.0 */
/*
 * One entry of the journal: sealed, then signed; the same bytes travel, are stored and are carried
 * by hand. It owns the envelope (mesh/README.md, "Entry"). It never knows what an act means.
 */
#pragma once

#include "mesh/domain.h"

#define ENTRY_CHAIN_SIZE   8
#define ENTRY_KEY_ID_SIZE  16
#define ENTRY_MEETING_SIZE 8

/* The key of one epoch; `id` is its hash, and names it in clear. */
typedef struct {
    uint8_t id[ENTRY_KEY_ID_SIZE];
    uint8_t key[32];
} EpochKey;

/* An entry read; the Bytes point into the entry. */
typedef struct {
    MeshHash hash;
    uint8_t meeting[ENTRY_MEETING_SIZE]; /* zero: this is a GENESIS */
    MeshKey author;
    uint8_t chain[ENTRY_CHAIN_SIZE];
    uint64_t sequence;
    bool has_previous;
    MeshHash previous;
    size_t cited_count;
    MeshHash cited[MESH_CITED_MAX];
    bool has_sealed;
    uint8_t key_id[ENTRY_KEY_ID_SIZE];
    Bytes public_act; /* CBOR, or empty */
    Bytes sealed;     /* nonce ‖ ciphertext ‖ tag, or empty */
    Bytes header;     /* what the seal authenticates */
    Bytes signed_part;
    uint8_t signature[DOMAIN_SIGNATURE_SIZE];
} Entry;

/* What an author wants to write. */
typedef struct {
    const MeshHash *meeting; /* NULL: GENESIS */
    uint8_t chain[ENTRY_CHAIN_SIZE];
    uint64_t sequence;
    const MeshHash *previous; /* NULL in the first of a chain */
    const MeshHash *cited;
    size_t cited_count;
    Bytes public_act;
    Bytes plain;         /* to be sealed; empty: nothing */
    const EpochKey *key; /* needed when there is something to seal */
} EntryDraft;

void epoch_key_init(EpochKey *key, const uint8_t bytes[32]);

/* Seals and signs. TOO_LARGE when it does not fit into `ret_bytes[MESH_ENTRY_MAX]`. */
MeshError entry_write(const EntryDraft *draft, const Identity *author,
                      uint8_t ret_bytes[MESH_ENTRY_MAX], size_t *ret_length);

/* What stands in front of the entry that follows another in its chain, up to what it cites. */
void entry_write_after(BytesWriter *writer, const Entry *before);

/* Reads the envelope; MALFORMED unless it is exactly one entry in its one encoding. */
MeshError entry_read(const uint8_t *bytes, size_t length, Entry *ret_entry);

/*
 * A husk is what a relay keeps of an entry whose body it has no room for: all before the body, and
 * the hash of the whole. It takes its place in the order and says its public act, but is given to
 * nobody. Of one's own disk it is as good as the entry; from elsewhere it is malformed.
 */
size_t entry_write_husk(const Entry *entry, uint8_t ret_bytes[MESH_ENTRY_MAX]);
bool entry_is_husk(Bytes bytes);
/* Reads an entry, or a husk: that one has neither body nor signature. */
MeshError entry_read_kept(const uint8_t *bytes, size_t length, Entry *ret_entry);

/* FORGED unless the author signed it for this meeting (NULL: for a GENESIS). */
MeshError entry_verify(const Entry *entry, const MeshHash *meeting);

/* Opens the body into `ret_plain[MESH_ENTRY_MAX]`; FORGED with a wrong key or nonce. */
MeshError entry_open(const Entry *entry, const EpochKey *key, uint8_t ret_plain[MESH_ENTRY_MAX],
                     size_t *ret_length);
