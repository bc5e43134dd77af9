/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/journal/journal.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "mesh/journal/waiting.h"
#include "mesh/memory.h"

#define ABSENT UINT32_MAX

struct Journal {
    Record *records;
    size_t count;
    size_t capacity;
    bool *is_tip;    /* beside records */
    uint32_t *slots; /* hash table of record indices, open addressing */
    size_t slot_count;
    Chain *chains;
    uint32_t *by_tag; /* chain indices in the order of tags */
    size_t chain_count;
    size_t chain_capacity, tag_capacity;
    WaitingRoom waiting;
};

Journal *journal_create(void) {
    return calloc(1, sizeof(Journal));
}

void journal_destroy(Journal *journal) {
    if (!journal) {
        return;
    }
    for (size_t i = 0; i < journal->count; i++) {
        free(journal->records[i].bytes);
    }
    for (size_t i = 0; i < journal->chain_count; i++) {
        free(journal->chains[i].records);
    }
    waiting_finish(&journal->waiting);
    free(journal->records);
    free(journal->is_tip);
    free(journal->slots);
    free(journal->chains);
    free(journal->by_tag);
    free(journal);
}

void journal_chain_tag(const MeshKey *author, const uint8_t id[ENTRY_CHAIN_SIZE],
                       uint8_t ret_tag[JOURNAL_TAG_SIZE]) {
    domain_hash(ret_tag, JOURNAL_TAG_SIZE, "chain", BYTES_AT(author->bytes, MESH_KEY_SIZE),
                BYTES_AT(id, ENTRY_CHAIN_SIZE));
}

int place_compare(const Place *a, const Place *b) {
    return a->height != b->height ? (a->height < b->height ? -1 : 1)
                                  : memcmp(a->hash.bytes, b->hash.bytes, MESH_HASH_SIZE);
}

size_t place_find(const void *items, size_t count, size_t size, size_t height_offset,
                  size_t hash_offset, const Place *place) {
    size_t at = count;

    /* From the end: what comes late rarely belongs far in front. */
    for (; at > 0; at--) {
        const uint8_t *item = (const uint8_t *)items + (at - 1) * size;
        Place before;

        memcpy(&before.height, item + height_offset, sizeof before.height);
        memcpy(&before.hash, item + hash_offset, sizeof before.hash);
        if (place_compare(place, &before) > 0) {
            break;
        }
    }
    return at;
}

/* ---- finding ---- */

static size_t hash_slot(const Journal *journal, const MeshHash *hash) {
    uint64_t word;

    memcpy(&word, hash->bytes, sizeof word);
    return (size_t)(word & (journal->slot_count - 1));
}

static uint32_t find_index(const Journal *journal, const MeshHash *hash) {
    if (journal->slot_count == 0) {
        return ABSENT;
    }
    for (size_t slot = hash_slot(journal, hash);; slot = (slot + 1) & (journal->slot_count - 1)) {
        uint32_t index = journal->slots[slot];

        if (index == ABSENT || mesh_hash_equal(&journal->records[index].hash, hash)) {
            return index;
        }
    }
}

static bool index_record(Journal *journal, uint32_t index) {
    size_t slot;

    if (journal->count * 2 >= journal->slot_count) {
        size_t wanted = journal->slot_count ? journal->slot_count * 2 : 64;
        uint32_t *slots = malloc(wanted * sizeof *slots);

        if (!slots) {
            return false;
        }
        memset(slots, 0xff, wanted * sizeof *slots);
        free(journal->slots);
        journal->slots = slots;
        journal->slot_count = wanted;
        for (uint32_t i = 0; i < index; i++) {
            index_record(journal, i);
        }
    }
    for (slot = hash_slot(journal, &journal->records[index].hash); journal->slots[slot] != ABSENT;
         slot = (slot + 1) & (journal->slot_count - 1)) {
    }
    journal->slots[slot] = index;
    return true;
}

const Record *journal_find(const Journal *journal, const MeshHash *hash) {
    uint32_t index = find_index(journal, hash);

    return index == ABSENT ? NULL : &journal->records[index];
}

bool journal_knows(const Journal *journal, const MeshHash *hash) {
    return journal_find(journal, hash) || waiting_find(&journal->waiting, hash);
}

size_t journal_count(const Journal *journal) {
    return journal->count;
}

size_t journal_waiting(const Journal *journal) {
    return journal->waiting.count;
}

const Record *journal_record(const Journal *journal, size_t index) {
    return index < journal->count ? &journal->records[index] : NULL;
}

void journal_hurry(Journal *journal, const Record *record) {
    journal->records[record - journal->records].urgent = true;
}

void journal_note_past(Journal *journal, const Record *record, uint64_t past) {
    journal->records[record - journal->records].past = past;
}

const Chain *journal_chain(const Journal *journal, uint32_t index) {
    return &journal->chains[index];
}

bool journal_is_cut(const Journal *journal, const Record *record) {
    return record->sequence >= journal->chains[record->chain].fork_at;
}

/* ---- chains ---- */

/* Where the tag is, or would be, in by_tag. */
static size_t tag_position(const Journal *journal, const uint8_t *tag, bool *ret_found) {
    size_t low = 0;
    size_t high = journal->chain_count;

    *ret_found = false;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = memcmp(journal->chains[journal->by_tag[middle]].tag, tag, JOURNAL_TAG_SIZE);

        if (order == 0) {
            *ret_found = true;
            return middle;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The entry's chain, made when new; ABSENT when there are too many. */
static uint32_t chain_of(Journal *journal, const Entry *entry) {
    uint8_t tag[JOURNAL_TAG_SIZE];
    bool found;
    size_t position;
    uint32_t index = (uint32_t)journal->chain_count;

    journal_chain_tag(&entry->author, entry->chain, tag);
    position = tag_position(journal, tag, &found);
    if (found) {
        return journal->by_tag[position];
    }
    if (index == MESH_CHAINS_MAX ||
        !memory_grow((void **)&journal->chains, &journal->chain_capacity, index,
                     sizeof *journal->chains) ||
        !memory_grow((void **)&journal->by_tag, &journal->tag_capacity, index,
                     sizeof *journal->by_tag)) {
        return ABSENT;
    }
    memmove(journal->by_tag + position + 1, journal->by_tag + position,
            (journal->chain_count - position) * sizeof *journal->by_tag);
    journal->by_tag[position] = index;
    journal->chains[index] = (Chain){.author = entry->author, .fork_at = UINT64_MAX};
    memcpy(journal->chains[index].tag, tag, sizeof tag);
    memcpy(journal->chains[index].id, entry->chain, ENTRY_CHAIN_SIZE);
    journal->chain_count++;
    return index;
}

/* ---- waiting and applying ---- */

MeshError journal_hold(Journal *journal, const uint8_t *bytes, size_t length) {
    Entry entry;
    MeshError error = entry_read_kept(bytes, length, &entry);

    if (error) {
        return error;
    }
    if (journal_knows(journal, &entry.hash)) {
        return MESH_ERROR_REPLAYED;
    }
    if (journal->waiting.count >= MESH_PENDING_MAX || journal->count == MESH_ENTRIES_MAX) {
        return MESH_ERROR_FULL;
    }
    return waiting_add(&journal->waiting, &entry, bytes, length) ? MESH_OK : MESH_ERROR_NO_MEMORY;
}

bool journal_oldest(const Journal *journal, MeshHash *ret_hash, Bytes *ret_bytes) {
    const Waiting *oldest = waiting_oldest(&journal->waiting);

    if (oldest) {
        *ret_hash = oldest->hash;
        *ret_bytes = BYTES_AT(oldest->bytes, oldest->length);
    }
    return oldest;
}

void journal_drop_oldest(Journal *journal) {
    Waiting *oldest = waiting_oldest(&journal->waiting);

    if (oldest) {
        waiting_remove(&journal->waiting, oldest, NULL);
    }
}

typedef enum {
    CAUSES_MISSING,
    CAUSES_THERE,
    CAUSES_CONTRADICT,
} Causes;

/* `ret_height` when they are there; `ret_lacks`, which cause is missing. */
static Causes causes(const Journal *journal, const Waiting *waiting, const Entry *entry,
                     uint64_t *ret_height, size_t *ret_lacks) {
    uint64_t height = 0;

    for (size_t i = 0; i < waiting->cause_count; i++) {
        const Record *cause = journal_find(journal, &waiting->causes[i]);

        if (!cause) {
            *ret_lacks = i;
            return CAUSES_MISSING;
        }
        height = cause->height > height ? cause->height : height;
    }
    if (entry->has_previous) {
        const Record *previous = journal_find(journal, &entry->previous);
        const Chain *chain = &journal->chains[previous->chain];

        if (!mesh_key_equal(&chain->author, &entry->author) ||
            memcmp(chain->id, entry->chain, ENTRY_CHAIN_SIZE) ||
            previous->sequence + 1 != entry->sequence) {
            return CAUSES_CONTRADICT;
        }
    }
    *ret_height = height + 1;
    return CAUSES_THERE;
}

static void no_tip(Journal *journal, const MeshHash *hash) {
    uint32_t index = find_index(journal, hash);

    assert(index != ABSENT);
    journal->is_tip[index] = false;
}

/* The entry follows the last of its chain, not of another branch of it. */
static bool extends(const Journal *journal, const Chain *chain, const Entry *entry) {
    return entry->sequence == chain->count &&
           (chain->count == 0 ||
            mesh_hash_equal(&journal->records[chain->records[chain->count - 1]].hash,
                            &entry->previous));
}

/* The bytes are the entry's; false when memory or a table is short. */
static bool append(Journal *journal, const Entry *entry, uint8_t *bytes, size_t length,
                   uint64_t height, bool *ret_forked) {
    uint32_t chain_index = chain_of(journal, entry);
    size_t tip_capacity = journal->capacity;
    Chain *chain;

    if (chain_index == ABSENT) {
        return false;
    }
    chain = &journal->chains[chain_index];
    if (!memory_grow((void **)&journal->is_tip, &tip_capacity, journal->count,
                     sizeof *journal->is_tip) ||
        !memory_grow((void **)&journal->records, &journal->capacity, journal->count,
                     sizeof *journal->records) ||
        !memory_grow((void **)&chain->records, &chain->capacity, chain->count,
                     sizeof *chain->records)) {
        return false;
    }
    journal->records[journal->count] = (Record){.hash = entry->hash,
                                                .bytes = bytes,
                                                .length = (uint16_t)length,
                                                .chain = chain_index,
                                                .sequence = entry->sequence,
                                                .height = height};
    if (!index_record(journal, (uint32_t)journal->count)) {
        return false;
    }
    journal->is_tip[journal->count] = true;
    for (size_t i = 0; i < entry->cited_count; i++) {
        no_tip(journal, &entry->cited[i]);
    }
    if (entry->has_previous) {
        no_tip(journal, &entry->previous);
    }
    *ret_forked = entry->sequence < chain->count && entry->sequence < chain->fork_at;
    if (*ret_forked) {
        chain->fork_at = entry->sequence;
    } else if (extends(journal, chain, entry)) {
        chain->records[chain->count++] = (uint32_t)journal->count;
    }
    journal->count++;
    return true;
}

/* Applies it, or says for what it waits. */
static bool try_apply(Journal *journal, Waiting *waiting, JournalAllows allows, void *context,
                      bool *ret_forked, uint64_t *ret_refused) {
    MeshHash hash = waiting->hash;
    size_t length = waiting->length;
    uint64_t height;
    size_t lacks;
    uint8_t *bytes;
    Entry entry;
    MeshError error = entry_read_kept(waiting->bytes, length, &entry);
    Causes found = causes(journal, waiting, &entry, &height, &lacks);

    assert(!error);
    if (found == CAUSES_MISSING) {
        waiting_lacks(&journal->waiting, waiting, lacks);
        return false;
    }
    if (found == CAUSES_THERE && !allows(context, &entry)) {
        waiting_refuse(&journal->waiting, waiting);
        return false;
    }
    waiting_remove(&journal->waiting, waiting, &bytes);
    if (found == CAUSES_CONTRADICT || !append(journal, &entry, bytes, length, height, ret_forked)) {
        free(bytes);
        (*ret_refused)++;
        return false;
    }
    waiting_free_by(&journal->waiting, &hash);
    if (entry.public_act.length > 0) {
        waiting_free_refused(&journal->waiting);
    }
    return true;
}

const Record *journal_apply_next(Journal *journal, JournalAllows allows, void *context,
                                 bool *ret_forked, uint64_t *ret_refused) {
    Waiting *waiting;

    while ((waiting = journal->waiting.first[WAITING_READY])) {
        if (try_apply(journal, waiting, allows, context, ret_forked, ret_refused)) {
            return &journal->records[journal->count - 1];
        }
    }
    return NULL;
}

void journal_ask_again(Journal *journal) {
    waiting_free_refused(&journal->waiting);
}

bool journal_missing(const Journal *journal, size_t index, MeshHash *ret_hash) {
    for (unsigned state = 0; state < WAITING_STATES; state++) {
        const Waiting *waiting = journal->waiting.first[state];

        for (; waiting; waiting = waiting->next) {
            for (size_t i = 0; i < waiting->cause_count; i++) {
                if (!journal_knows(journal, &waiting->causes[i]) && index-- == 0) {
                    *ret_hash = waiting->causes[i];
                    return true;
                }
            }
        }
    }
    return false;
}

size_t journal_tips(const Journal *journal, const uint8_t own[JOURNAL_TAG_SIZE],
                    MeshHash ret_tips[MESH_CITED_MAX]) {
    size_t found = 0;

    for (size_t i = journal->count; i-- > 0 && found < MESH_CITED_MAX;) {
        if (journal->is_tip[i] &&
            memcmp(journal->chains[journal->records[i].chain].tag, own, JOURNAL_TAG_SIZE)) {
            ret_tips[found++] = journal->records[i].hash;
        }
    }
    return found;
}

/* ---- clock ---- */

static ClockLine clock_line(const Journal *journal, const Chain *chain) {
    ClockLine line = {.count = chain->count};

    memcpy(line.tag, chain->tag, JOURNAL_TAG_SIZE);
    if (chain->fork_at < line.count) {
        line.count = chain->fork_at;
    }
    if (line.count > 0) {
        memcpy(line.head, journal->records[chain->records[line.count - 1]].hash.bytes,
               JOURNAL_HEAD_SIZE);
    }
    return line;
}

size_t journal_clock_size(const Journal *journal) {
    return journal->chain_count;
}

ClockLine journal_clock_line(const Journal *journal, size_t index) {
    return clock_line(journal, &journal->chains[journal->by_tag[index]]);
}

ClockLine journal_clock_find(const Journal *journal, const uint8_t tag[JOURNAL_TAG_SIZE]) {
    bool found;
    size_t position = tag_position(journal, tag, &found);
    ClockLine line = {0};

    if (found) {
        return journal_clock_line(journal, position);
    }
    memcpy(line.tag, tag, JOURNAL_TAG_SIZE);
    return line;
}

void journal_clock_digest(const Journal *journal, uint8_t ret_digest[JOURNAL_DIGEST_SIZE]) {
    crypto_generichash_state state;

    crypto_generichash_init(&state, NULL, 0, JOURNAL_DIGEST_SIZE);
    for (size_t i = 0; i < journal->chain_count; i++) {
        ClockLine line = journal_clock_line(journal, i);
        uint8_t bytes[JOURNAL_TAG_SIZE + 8 + JOURNAL_HEAD_SIZE];
        BytesWriter writer = bytes_writer(bytes, sizeof bytes);

        bytes_write(&writer, line.tag, JOURNAL_TAG_SIZE);
        bytes_write_u64(&writer, line.count);
        bytes_write(&writer, line.head, JOURNAL_HEAD_SIZE);
        crypto_generichash_update(&state, bytes, sizeof bytes);
    }
    crypto_generichash_final(&state, ret_digest, JOURNAL_DIGEST_SIZE);
}

const Record *journal_at(const Journal *journal, const uint8_t tag[JOURNAL_TAG_SIZE],
                         uint64_t sequence) {
    bool found;
    size_t position = tag_position(journal, tag, &found);
    const Chain *chain = found ? &journal->chains[journal->by_tag[position]] : NULL;

    if (!chain || sequence >= chain->count) {
        return NULL;
    }
    return &journal->records[chain->records[sequence]];
}
