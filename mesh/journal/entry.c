/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/journal/entry.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "mesh/coder.h"

#define VERSION     1
#define FIELDS      11
#define HUSK_FIELDS 10
#define NONCE_SIZE  crypto_aead_xchacha20poly1305_ietf_NPUBBYTES

void epoch_key_init(EpochKey *key, const uint8_t bytes[32]) {
    memcpy(key->key, bytes, 32);
    domain_hash(key->id, sizeof key->id, "epoch key", BYTES_AT(bytes, 32), BYTES_NONE);
}

/* Bound to header and content: a repeated nonce can only be a repeated entry. */
static void seal_nonce(const EpochKey *key, Bytes header, Bytes plain,
                       uint8_t ret_nonce[NONCE_SIZE]) {
    uint8_t nonce_key[32];

    domain_derive(nonce_key, sizeof nonce_key, "nonce key", key->key, BYTES_NONE, BYTES_NONE);
    domain_derive(ret_nonce, NONCE_SIZE, "nonce", nonce_key, header, plain);
    sodium_memzero(nonce_key, sizeof nonce_key);
}

static bool is_sealed(const EntryDraft *draft) {
    return draft->plain.length > 0;
}

static void write_place(BytesWriter *writer, const uint8_t *meeting, const MeshKey *author,
                        const uint8_t *chain, uint64_t sequence, const MeshHash *previous) {
    coder_write_array(writer, FIELDS);
    coder_write_uint(writer, VERSION);
    coder_write_bytes(writer, meeting, ENTRY_MEETING_SIZE);
    coder_write_bytes(writer, author->bytes, MESH_KEY_SIZE);
    coder_write_bytes(writer, chain, ENTRY_CHAIN_SIZE);
    coder_write_uint(writer, sequence);
    coder_write_bytes(writer, previous, previous ? MESH_HASH_SIZE : 0);
}

void entry_write_after(BytesWriter *writer, const Entry *before) {
    write_place(writer, before->meeting, &before->author, before->chain, before->sequence + 1,
                &before->hash);
}

static void write_header(BytesWriter *writer, const EntryDraft *draft, const MeshKey *author) {
    static const uint8_t no_meeting[ENTRY_MEETING_SIZE];

    write_place(writer, draft->meeting ? draft->meeting->bytes : no_meeting, author, draft->chain,
                draft->sequence, draft->previous);
    coder_write_array(writer, draft->cited_count);
    for (size_t i = 0; i < draft->cited_count; i++) {
        coder_write_bytes(writer, draft->cited[i].bytes, MESH_HASH_SIZE);
    }
    coder_write_bytes(writer, is_sealed(draft) ? draft->key->id : NULL,
                      is_sealed(draft) ? ENTRY_KEY_ID_SIZE : 0);
    coder_write_bytes(writer, draft->public_act.data, draft->public_act.length);
}

MeshError entry_write(const EntryDraft *draft, const Identity *author,
                      uint8_t ret_bytes[MESH_ENTRY_MAX], size_t *ret_length) {
    uint8_t sealed[NONCE_SIZE + MESH_ENTRY_MAX];
    uint8_t signature[DOMAIN_SIGNATURE_SIZE];
    size_t sealed_length = 0;
    BytesWriter writer = bytes_writer(ret_bytes, MESH_ENTRY_MAX);
    Bytes header;

    assert(draft->key || !is_sealed(draft));
    assert((draft->previous != NULL) == (draft->sequence > 0));
    if (draft->plain.length > MESH_ENTRY_PLAIN_MAX || draft->cited_count > MESH_CITED_MAX) {
        return MESH_ERROR_TOO_LARGE;
    }
    write_header(&writer, draft, &author->key);
    header = BYTES_AT(ret_bytes, bytes_written(&writer));
    if (is_sealed(draft)) {
        unsigned long long length;

        seal_nonce(draft->key, header, draft->plain, sealed);
        crypto_aead_xchacha20poly1305_ietf_encrypt(sealed + NONCE_SIZE, &length, draft->plain.data,
                                                   draft->plain.length, header.data, header.length,
                                                   NULL, sealed, draft->key->key);
        sealed_length = NONCE_SIZE + (size_t)length;
    }
    coder_write_bytes(&writer, sealed, sealed_length);
    domain_sign(author, "entry", draft->meeting, BYTES_AT(ret_bytes, bytes_written(&writer)),
                signature);
    coder_write_bytes(&writer, signature, sizeof signature);
    if (writer.failed) {
        return MESH_ERROR_TOO_LARGE;
    }
    *ret_length = bytes_written(&writer);
    return MESH_OK;
}

static void read_links(BytesReader *reader, Entry *entry) {
    Bytes previous = coder_read_bytes(reader);

    if (previous.length == MESH_HASH_SIZE) {
        entry->has_previous = true;
        memcpy(entry->previous.bytes, previous.data, MESH_HASH_SIZE);
    } else if (previous.length != 0) {
        reader->failed = true;
    }
    entry->cited_count = coder_read_array(reader);
    if (entry->cited_count > MESH_CITED_MAX) {
        reader->failed = true;
    }
    for (size_t i = 0; !reader->failed && i < entry->cited_count; i++) {
        coder_read_fixed(reader, entry->cited[i].bytes, MESH_HASH_SIZE);
    }
}

/* What stands before the body; `ret_keyed`: it names an epoch key. */
static void read_header(BytesReader *reader, size_t fields, Entry *entry, bool *ret_keyed) {
    const uint8_t *start = reader->at;
    Bytes key_id;

    if (coder_read_array(reader) != fields || coder_read_uint(reader) != VERSION) {
        reader->failed = true;
    }
    coder_read_fixed(reader, entry->meeting, sizeof entry->meeting);
    coder_read_fixed(reader, entry->author.bytes, MESH_KEY_SIZE);
    coder_read_fixed(reader, entry->chain, sizeof entry->chain);
    entry->sequence = coder_read_uint(reader);
    read_links(reader, entry);
    key_id = coder_read_bytes(reader);
    entry->public_act = coder_read_bytes(reader);
    entry->header = BYTES_AT(start, (size_t)(reader->at - start));
    *ret_keyed = key_id.length == ENTRY_KEY_ID_SIZE;
    if (entry->has_previous != (entry->sequence > 0) || (key_id.length != 0 && !*ret_keyed)) {
        reader->failed = true;
    }
    if (!reader->failed && *ret_keyed) {
        memcpy(entry->key_id, key_id.data, ENTRY_KEY_ID_SIZE);
    }
}

MeshError entry_read(const uint8_t *bytes, size_t length, Entry *ret_entry) {
    BytesReader reader = bytes_reader(bytes, length);
    Entry entry = {0};
    bool keyed;

    if (length > MESH_ENTRY_MAX) {
        return MESH_ERROR_MALFORMED;
    }
    read_header(&reader, FIELDS, &entry, &keyed);
    entry.sealed = coder_read_bytes(&reader);
    entry.signed_part = BYTES_AT(bytes, (size_t)(reader.at - bytes));
    coder_read_fixed(&reader, entry.signature, sizeof entry.signature);
    if (!bytes_done(&reader) || keyed != (entry.sealed.length > 0) ||
        (entry.sealed.length > 0 && entry.sealed.length < NONCE_SIZE + DOMAIN_TAG_SIZE)) {
        return MESH_ERROR_MALFORMED;
    }
    entry.has_sealed = keyed;
    domain_hash(entry.hash.bytes, MESH_HASH_SIZE, "entry hash", BYTES_AT(bytes, length),
                BYTES_NONE);
    *ret_entry = entry;
    return MESH_OK;
}

/* ---- husks ---- */

size_t entry_write_husk(const Entry *entry, uint8_t ret_bytes[MESH_ENTRY_MAX]) {
    BytesWriter writer = bytes_writer(ret_bytes, MESH_ENTRY_MAX);

    coder_write_array(&writer, HUSK_FIELDS);
    bytes_write(&writer, entry->header.data + 1, entry->header.length - 1);
    coder_write_bytes(&writer, entry->hash.bytes, MESH_HASH_SIZE);
    assert(!writer.failed); /* the hash is shorter than the signature */
    return bytes_written(&writer);
}

bool entry_is_husk(Bytes bytes) {
    BytesReader reader = bytes_reader(bytes.data, bytes.length);

    return coder_read_array(&reader) == HUSK_FIELDS && !reader.failed;
}

MeshError entry_read_kept(const uint8_t *bytes, size_t length, Entry *ret_entry) {
    BytesReader reader = bytes_reader(bytes, length);
    Entry entry = {0};
    bool keyed;

    if (!entry_is_husk(BYTES_AT(bytes, length))) {
        return entry_read(bytes, length, ret_entry);
    }
    read_header(&reader, HUSK_FIELDS, &entry, &keyed);
    coder_read_fixed(&reader, entry.hash.bytes, MESH_HASH_SIZE);
    if (!bytes_done(&reader)) {
        return MESH_ERROR_MALFORMED;
    }
    *ret_entry = entry;
    return MESH_OK;
}

MeshError entry_verify(const Entry *entry, const MeshHash *meeting) {
    static const uint8_t no_meeting[ENTRY_MEETING_SIZE];

    if (memcmp(entry->meeting, meeting ? meeting->bytes : no_meeting, ENTRY_MEETING_SIZE) ||
        !domain_verify(&entry->author, "entry", meeting, entry->signed_part, entry->signature)) {
        return MESH_ERROR_FORGED;
    }
    return MESH_OK;
}

MeshError entry_open(const Entry *entry, const EpochKey *key, uint8_t ret_plain[MESH_ENTRY_MAX],
                     size_t *ret_length) {
    uint8_t nonce[NONCE_SIZE];
    unsigned long long length;

    if (!entry->has_sealed || memcmp(entry->key_id, key->id, ENTRY_KEY_ID_SIZE) ||
        crypto_aead_xchacha20poly1305_ietf_decrypt(
            ret_plain, &length, NULL, entry->sealed.data + NONCE_SIZE,
            entry->sealed.length - NONCE_SIZE, entry->header.data, entry->header.length,
            entry->sealed.data, key->key)) {
        return MESH_ERROR_FORGED;
    }
    seal_nonce(key, entry->header, BYTES_AT(ret_plain, length), nonce);
    if (!bytes_equal(nonce, entry->sealed.data, NONCE_SIZE)) {
        return MESH_ERROR_FORGED;
    }
    *ret_length = (size_t)length;
    return MESH_OK;
}
