/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The entries of one meeting: per-author hash chains joined by citations into one causal order.
 * It owns the entries' bytes, those applied and those still waiting for what they cite, and the
 * clock that tells two nodes what the other lacks. It never verifies, stores or interprets.
 */
#pragma once

#include "mesh/journal/entry.h"

#define JOURNAL_TAG_SIZE    8 /* names a chain: hash of author and chain id */
#define JOURNAL_HEAD_SIZE   8 /* the first bytes of a head's hash */
#define JOURNAL_DIGEST_SIZE 16

typedef struct Journal Journal;

typedef struct {
    MeshHash hash;
    uint8_t *bytes;
    uint64_t sequence;
    uint64_t height; /* 1 + the greatest height of what it cites (Lamport) */
    uint64_t past;   /* entries of this node's chain among its causes, as noted; see owed.h */
    uint32_t chain;  /* index of its chain */
    uint16_t length; /* of the bytes */
    bool urgent;     /* it goes before others on its way; see journal_hurry */
} Record;

typedef struct {
    uint8_t tag[JOURNAL_TAG_SIZE];
    MeshKey author;
    uint8_t id[ENTRY_CHAIN_SIZE];
    uint32_t *records; /* indices, by sequence; of a forked chain the branch seen first */
    size_t count;
    size_t capacity;
    uint64_t fork_at; /* the sequence two entries claim; UINT64_MAX: none */
} Chain;

/* Where an entry stands in the order common to all nodes: behind all its causes. */
typedef struct {
    uint64_t height;
    MeshHash hash;
} Place;

/* One line of a clock. */
typedef struct {
    uint8_t tag[JOURNAL_TAG_SIZE];
    uint64_t count;
    uint8_t head[JOURNAL_HEAD_SIZE]; /* zeros when count is 0 */
} ClockLine;

/* Whether this author may write at all; asked when everything the entry cites is applied. */
typedef bool (*JournalAllows)(void *context, const Entry *entry);

/* Like memcmp. */
int place_compare(const Place *a, const Place *b);
/*
 * Where something at `place` belongs in an array kept in the common order: items of `size` bytes,
 * each with its height (uint64_t) and hash (MeshHash) at these offsets.
 */
size_t place_find(const void *items, size_t count, size_t size, size_t height_offset,
                  size_t hash_offset, const Place *place);

Journal *journal_create(void);
void journal_destroy(Journal *journal);

/* The entry is applied or waits. */
bool journal_knows(const Journal *journal, const MeshHash *hash);

/*
 * Takes a verified, stored entry; the bytes are copied. It waits until journal_apply_next finds
 * that what it cites is there. REPLAYED when known, FULL past MESH_PENDING_MAX.
 */
MeshError journal_hold(Journal *journal, const uint8_t *bytes, size_t length);

/* The entry to be dropped to make room: one whose author nobody admitted, else the oldest. Its
 * bytes are the journal's. False: there is none. */
bool journal_oldest(const Journal *journal, MeshHash *ret_hash, Bytes *ret_bytes);
/* Drops it. It may be held again when it comes again. */
void journal_drop_oldest(Journal *journal);

/*
 * Applies one waiting entry whose causes are applied; NULL when there is none. `ret_forked` tells
 * that it claims the sequence of another, earlier than any fork known of its chain, which is cut
 * there on every node. A waiting entry that contradicts its own `previous` is dropped and counted
 * in `ret_refused`. An author refused by `allows` is asked about again after the next public act.
 */
const Record *journal_apply_next(Journal *journal, JournalAllows allows, void *context,
                                 bool *ret_forked, uint64_t *ret_refused);

/* The same at once: `allows` has learnt something otherwise. */
void journal_ask_again(Journal *journal);

size_t journal_count(const Journal *journal);
size_t journal_waiting(const Journal *journal);
const Record *journal_record(const Journal *journal, size_t index);
const Record *journal_find(const Journal *journal, const MeshHash *hash);
const Chain *journal_chain(const Journal *journal, uint32_t index);
/* What it says decides something, such as a ballot: it is passed on before what is only said. */
void journal_hurry(Journal *journal, const Record *record);
void journal_note_past(Journal *journal, const Record *record, uint64_t past);
/* The record lies at or after a fork of its chain: its content counts for nothing. */
bool journal_is_cut(const Journal *journal, const Record *record);

/* A cause that a waiting entry lacks and that does not wait itself; false past the last. */
bool journal_missing(const Journal *journal, size_t index, MeshHash *ret_hash);

/* Applied entries that no applied entry cites or follows, but those of chain `own`; the newest. */
size_t journal_tips(const Journal *journal, const uint8_t own[JOURNAL_TAG_SIZE],
                    MeshHash ret_tips[MESH_CITED_MAX]);

void journal_chain_tag(const MeshKey *author, const uint8_t id[ENTRY_CHAIN_SIZE],
                       uint8_t ret_tag[JOURNAL_TAG_SIZE]);

/* The clock, one line a chain, in the order of tags. */
size_t journal_clock_size(const Journal *journal);
ClockLine journal_clock_line(const Journal *journal, size_t index);
/* Our line of that tag; count 0 when we have nothing of it. */
ClockLine journal_clock_find(const Journal *journal, const uint8_t tag[JOURNAL_TAG_SIZE]);
void journal_clock_digest(const Journal *journal, uint8_t ret_digest[JOURNAL_DIGEST_SIZE]);
/* The record of that chain and sequence, NULL when absent. */
const Record *journal_at(const Journal *journal, const uint8_t tag[JOURNAL_TAG_SIZE],
                         uint64_t sequence);
