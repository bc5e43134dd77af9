/* SPDX-License-Identifier: MPL-2.0 */
/* The envelope of an entry as a stranger may send it (the first byte even), and as an author may
 * write it with any content (odd); then the journal takes it. */
#include <sodium.h>

#include "mesh/journal/journal.h"
#include "tests/fuzz/fuzz.h"

static const MeshHash MEETING = {"a meeting id of thirty-two byte"};
static Identity author;
static EpochKey key;

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    FUZZ_CHECK(sodium_init() >= 0);
    identity_init(&author, (const uint8_t *)"an author of entries, 32 bytes..");
    epoch_key_init(&key, (const uint8_t *)"the key of the epoch, 32 bytes..");
    return 0;
}

static bool allow(void *context, const Entry *entry) {
    return true;
}

static void keep(const uint8_t *bytes, size_t size) {
    Journal *journal = journal_create();
    MeshHash hash;
    uint64_t refused = 0;
    bool forked;

    FUZZ_CHECK(journal);
    FUZZ_CHECK(journal_hold(journal, bytes, size) == MESH_OK);
    FUZZ_CHECK(journal_hold(journal, bytes, size) == MESH_ERROR_REPLAYED);
    for (size_t i = 0; journal_missing(journal, i, &hash); i++) {
        FUZZ_CHECK(!journal_knows(journal, &hash));
    }
    while (journal_apply_next(journal, allow, NULL, &forked, &refused)) {
        FUZZ_CHECK(!forked);
    }
    FUZZ_CHECK(journal_count(journal) + journal_waiting(journal) + refused == 1);
    journal_destroy(journal);
}

/* What a relay keeps of it says the same, and is no entry. */
static void check_husk(const Entry *entry) {
    uint8_t bytes[MESH_ENTRY_MAX];
    size_t length = entry_write_husk(entry, bytes);
    Entry husk, none;

    FUZZ_CHECK(entry_is_husk(BYTES_AT(bytes, length)));
    FUZZ_CHECK(entry_read(bytes, length, &none) == MESH_ERROR_MALFORMED);
    FUZZ_CHECK(entry_read_kept(bytes, length, &husk) == MESH_OK);
    FUZZ_CHECK(mesh_hash_equal(&husk.hash, &entry->hash) && husk.sequence == entry->sequence);
    FUZZ_CHECK(husk.cited_count == entry->cited_count && !husk.has_sealed);
    FUZZ_CHECK(husk.public_act.length == entry->public_act.length);
    keep(bytes, length);
}

/* Reads; true when it is an entry. */
static bool take(const uint8_t *bytes, size_t size, Entry *ret_entry) {
    uint8_t plain[MESH_ENTRY_MAX];
    size_t length;

    if (entry_read(bytes, size, ret_entry)) {
        if (entry_read_kept(bytes, size, ret_entry) == MESH_OK) {
            keep(bytes, size); /* a husk */
        }
        return false;
    }
    check_husk(ret_entry);
    FUZZ_CHECK(size <= MESH_ENTRY_MAX && ret_entry->cited_count <= MESH_CITED_MAX);
    entry_verify(ret_entry, &MEETING);
    entry_verify(ret_entry, NULL);
    if (entry_open(ret_entry, &key, plain, &length) == MESH_OK) {
        FUZZ_CHECK(length <= size);
    }
    keep(bytes, size);
    return true;
}

/* Shape: bytes of the public act, number of citations, sealed or not, number. */
static void write_any(const uint8_t *data, size_t size) {
    static MeshHash cited[MESH_CITED_MAX + 1];
    uint8_t bytes[MESH_ENTRY_MAX], plain[MESH_ENTRY_MAX];
    EntryDraft draft = {.meeting = &MEETING, .key = &key, .cited = cited};
    size_t public_length, length;
    Entry entry;

    if (size < 4) {
        return;
    }
    public_length = data[0] < size - 4 ? data[0] : size - 4;
    draft.cited_count = data[1] % (MESH_CITED_MAX + 2);
    draft.sequence = data[2] % 2 ? data[3] : 0;
    draft.previous = draft.sequence > 0 ? &cited[3] : NULL;
    draft.public_act = BYTES_AT(data + 4, public_length);
    draft.plain = BYTES_AT(data + 4 + public_length, size - 4 - public_length);
    if (entry_write(&draft, &author, bytes, &length)) {
        FUZZ_CHECK(draft.cited_count > MESH_CITED_MAX || size > MESH_ENTRY_PLAIN_MAX - 1024);
        return;
    }
    FUZZ_CHECK(take(bytes, length, &entry));
    FUZZ_CHECK(entry_verify(&entry, &MEETING) == MESH_OK);
    FUZZ_CHECK(entry.has_sealed == (draft.plain.length > 0));
    if (entry.has_sealed) {
        FUZZ_CHECK(entry_open(&entry, &key, plain, &length) == MESH_OK);
        FUZZ_CHECK(length == draft.plain.length && !memcmp(plain, draft.plain.data, length));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *copy;
    Entry entry;

    if (size == 0) {
        return 0;
    }
    copy = fuzz_copy(data + 1, size - 1);
    if (data[0] % 2) {
        write_any(copy, size - 1);
    } else {
        take(copy, size - 1, &entry);
    }
    free(copy);
    return 0;
}
