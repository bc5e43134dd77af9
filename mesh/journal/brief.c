/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/journal/brief.h"

#include <string.h>

#include "mesh/coder.h"

/* The entry before, as far as it is kept; false: it was not sealed. */
static bool read_before(const Journal *journal, const uint8_t tag[JOURNAL_TAG_SIZE],
                        uint64_t sequence, Entry *ret_before) {
    static const uint8_t no_key[ENTRY_KEY_ID_SIZE];
    const Record *record = sequence > 0 ? journal_at(journal, tag, sequence - 1) : NULL;

    return record && !entry_read_kept(record->bytes, record->length, ret_before) &&
           memcmp(ret_before->key_id, no_key, sizeof no_key) != 0;
}

size_t brief_write(const Journal *journal, const Record *record, uint8_t *ret_bytes) {
    const uint8_t *tag = journal_chain(journal, record->chain)->tag;
    BytesWriter writer = bytes_writer(ret_bytes, MESH_ENTRY_MAX);
    Entry before, entry;

    if (entry_read(record->bytes, record->length, &entry) || !entry.has_sealed ||
        !read_before(journal, tag, record->sequence, &before) ||
        memcmp(entry.key_id, before.key_id, sizeof entry.key_id) != 0 ||
        memcmp(entry.meeting, before.meeting, sizeof entry.meeting) != 0 ||
        !mesh_hash_equal(&entry.previous, &before.hash)) {
        return 0;
    }
    bytes_write(&writer, tag, JOURNAL_TAG_SIZE);
    bytes_write_varint(&writer, record->sequence);
    coder_write_array(&writer, entry.cited_count);
    for (size_t i = 0; i < entry.cited_count; i++) {
        coder_write_bytes(&writer, entry.cited[i].bytes, MESH_HASH_SIZE);
    }
    coder_write_bytes(&writer, entry.public_act.data, entry.public_act.length);
    coder_write_bytes(&writer, entry.sealed.data, entry.sealed.length);
    bytes_write(&writer, entry.signature, sizeof entry.signature);
    return writer.failed ? 0 : bytes_written(&writer);
}

static void read_front(BytesReader *reader, uint8_t ret_tag[JOURNAL_TAG_SIZE],
                       uint64_t *ret_sequence) {
    bytes_read_into(reader, ret_tag, JOURNAL_TAG_SIZE);
    *ret_sequence = bytes_read_varint(reader);
    reader->failed = reader->failed || *ret_sequence == 0 || *ret_sequence >= MESH_ENTRIES_MAX;
}

bool brief_read(Bytes brief, uint8_t ret_tag[JOURNAL_TAG_SIZE], uint64_t *ret_sequence) {
    BytesReader reader = bytes_reader(brief.data, brief.length);

    read_front(&reader, ret_tag, ret_sequence);
    return !reader.failed;
}

/* Copies the cited hashes. */
static void copy_cited(BytesReader *reader, BytesWriter *writer) {
    size_t count = coder_read_array(reader);

    reader->failed = reader->failed || count > MESH_CITED_MAX;
    coder_write_array(writer, count);
    for (size_t i = 0; !reader->failed && i < count; i++) {
        uint8_t hash[MESH_HASH_SIZE];

        coder_read_fixed(reader, hash, sizeof hash);
        coder_write_bytes(writer, hash, sizeof hash);
    }
}

MeshError brief_complete(const Journal *journal, Bytes brief, uint8_t *ret_bytes,
                         size_t *ret_length) {
    BytesReader reader = bytes_reader(brief.data, brief.length);
    BytesWriter writer = bytes_writer(ret_bytes, MESH_ENTRY_MAX);
    uint8_t tag[JOURNAL_TAG_SIZE], signature[DOMAIN_SIGNATURE_SIZE];
    uint64_t sequence;
    Bytes public_act, sealed;
    Entry before;

    read_front(&reader, tag, &sequence);
    if (reader.failed) {
        return MESH_ERROR_MALFORMED;
    }
    if (!read_before(journal, tag, sequence, &before)) {
        return MESH_ERROR_STATE;
    }
    entry_write_after(&writer, &before);
    copy_cited(&reader, &writer);
    coder_write_bytes(&writer, before.key_id, sizeof before.key_id);
    public_act = coder_read_bytes(&reader);
    coder_write_bytes(&writer, public_act.data, public_act.length);
    sealed = coder_read_bytes(&reader);
    coder_write_bytes(&writer, sealed.data, sealed.length);
    bytes_read_into(&reader, signature, sizeof signature);
    coder_write_bytes(&writer, signature, sizeof signature);
    if (!bytes_done(&reader) || writer.failed) {
        return MESH_ERROR_MALFORMED;
    }
    *ret_length = bytes_written(&writer);
    return MESH_OK;
}
