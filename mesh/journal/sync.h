/* SPDX-License-Identifier: MPL-2.0 */
/*
 * How two journals become one: a digest of the clock first, then the lines that differ, then the
 * entries that are missing. A new entry is pushed along the tree of its author (feed.h); the others
 * announce it, and whoever lacks it a while later pulls it, so that an entry arrives about once.
 * It owns what each neighbour is known to have, and what was asked of whom. It never stores.
 */
#pragma once

#include "mesh/journal/journal.h"

#define SYNC_RANGES_SIZE 1024 /* of one neighbour: asked of it, and by it */
#define SYNC_FIRSTS_SIZE 16
#define SYNC_LATER_SIZE  64
#define SYNC_CAME_SIZE   256
#define SYNC_LINE_SIZE   (JOURNAL_TAG_SIZE + 8 + JOURNAL_HEAD_SIZE) /* of one of a CLOCK */

/* Entries of one chain. */
typedef struct {
    uint8_t tag[JOURNAL_TAG_SIZE];
    uint64_t from, until;
    uint32_t next; /* of those served: index of the record `from` */
} SyncRange;

/* Of one chain. */
typedef struct {
    uint32_t has;         /* entries that the neighbour has, or was told of */
    uint32_t from, until; /* those sent to it in a row, last */
} SyncKnown;

/* One neighbour, by its slot. */
typedef struct {
    SyncKnown *known; /* by index of the chain */
    size_t known_count;
    uint64_t run_from, run_until; /* of our chain it was told these in a row, last */
    uint64_t own; /* entries of our chain that it has, or that it was told after those; owed.h */
    SyncRange *serve; /* it asked us for them */
    size_t serve_count, serve_capacity;
    SyncRange *asked; /* we asked it for them */
    size_t asked_count, asked_capacity;
    uint64_t asked_us;          /* the last time something asked for came, or was asked for */
    uint64_t mute_until_us;     /* it did not give what it said it has: others are asked */
    uint64_t offered_us;        /* it was offered everything; 0: never */
    uint32_t entries_untrusted; /* received while it was in no roster */
} SyncPeer;

/* The first entry of a chain came, before there was any record by which to note who has it. */
typedef struct {
    uint8_t tag[JOURNAL_TAG_SIZE];
    uint64_t slots; /* from these, a bit each */
} SyncFirst;

/* Entries of a chain that came and are not applied yet, or were just now. */
typedef struct {
    SyncRange range;
    uint64_t at_us; /* the last of them came */
} SyncCame;

/* A neighbour has more of a chain than is here, and somebody else is about to push it. */
typedef struct {
    uint8_t tag[JOURNAL_TAG_SIZE];
    uint64_t count;
    uint32_t slot;
    uint64_t ask_us; /* it is asked for then */
} SyncLater;

/* An author whose entries have some of ours among their causes: it has these. */
typedef struct {
    MeshKey author;
    uint64_t has; /* of our chain, in a row */
} SyncAuthor;

typedef struct {
    uint64_t asked, serve;  /* no other neighbours have any, a bit each */
    size_t later_count;     /* of `later` */
    bool announce;          /* something new is to be announced */
    uint64_t announce_us;   /* then */
    uint64_t missing_us;    /* causes of waiting entries are asked for then; 0: none are missed */
    uint32_t missing_tries; /* since the last new entry */
    uint32_t missing_turn;  /* slot asked last */
    uint64_t digest_us;     /* all neighbours are told our digest then */
    uint32_t digest_calm;   /* so often nothing had changed by then */
    uint64_t retry_us;      /* after the store refused: everything again; 0: no */
    SyncPeer *peers[MESH_PEERS_MAX];
    SyncAuthor *authors; /* see owed.h */
    size_t author_count, author_capacity;
    SyncFirst firsts[SYNC_FIRSTS_SIZE]; /* a ring */
    size_t first_next;
    SyncLater later[SYNC_LATER_SIZE];
    SyncCame *came; /* owned */
    size_t came_count, came_capacity;
    uint64_t behind_until_us; /* what comes until then is history */
    uint64_t received;        /* entries that came, */
    uint64_t repeated;        /* and of them those that were here already */
} Sync;

void sync_finish(Mesh *mesh);
/* A neighbour is linked, or in the roster since now. */
void sync_greet(Mesh *mesh, uint32_t slot);
/* Its link is gone: nothing asked of it comes. */
void sync_lost(Mesh *mesh, uint32_t slot);
/* It may be gone: what was asked of it is asked of others, if there are any. */
void sync_silent(Mesh *mesh, uint32_t slot);
/* Its slot is free. */
void sync_forget(Mesh *mesh, uint32_t slot);
/* Sends one entry, whatever the neighbour is; false when the link cannot take it. */
bool sync_tell(Mesh *mesh, uint32_t slot, const Record *record);
/* The same in two: sends it; notes that the neighbour was told of it, after those before it. */
bool sync_send_entry(Mesh *mesh, uint32_t slot, const Record *record);
void sync_told(Mesh *mesh, uint32_t slot, const Record *record);
/* An entry written here, just now: more briefly to who confirmed the one before it. */
bool sync_tell_own(Mesh *mesh, uint32_t slot, const Record *record);
/* The store refused entries: they are asked for again, later. */
void sync_store_failed(Mesh *mesh);

MeshError sync_entry(Mesh *mesh, uint32_t slot, Bytes body);
MeshError sync_brief(Mesh *mesh, uint32_t slot, Bytes body);

/* An entry that the person carried here. */
void sync_import(Mesh *mesh, const MeshIntent *intent);

void sync_timeout(Mesh *mesh);
uint64_t sync_deadline_us(const Mesh *mesh);

/* What is noted of a neighbour; NULL when memory is short. */
SyncPeer *sync_peer(Mesh *mesh, uint32_t slot);
/* Entries it is known to have of a chain, in a row. */
uint32_t sync_known(const SyncPeer *peer, uint32_t chain);
/* It has that many. */
void sync_learn(SyncPeer *peer, uint32_t chain, uint64_t count);
bool sync_send(Mesh *mesh, uint32_t slot, uint8_t kind, Bytes body);
/* The lines that a neighbour is not known to have; all of them with `whole`. */
void sync_send_clock(Mesh *mesh, uint32_t slot, bool whole);
void sync_announce_soon(Mesh *mesh);
/* One line of a CLOCK. */
void sync_write_line(BytesWriter *writer, const ClockLine *line);
/* Of a record of ours, in the order they were applied. */
uint32_t sync_index_of(const Mesh *mesh, const Record *record);

/* ---- serve.c: what others ask for ---- */

/* It has nothing yet: tells all there is. */
void serve_offer(Mesh *mesh, uint32_t slot);
MeshError serve_pull(Mesh *mesh, uint32_t slot, Bytes body);
MeshError serve_pull_hash(Mesh *mesh, uint32_t slot, Bytes body);
MeshError serve_brief_want(Mesh *mesh, uint32_t slot, Bytes body);
/* Sends what was asked, as far as the links have room. */
void serve_send(Mesh *mesh);

/* ---- push.c: what is told unasked ---- */

/* It listens again: tells the last that was written here since it did, as far as it is little. */
void sync_push(Mesh *mesh, uint32_t slot);
/* An entry was applied; `own`: written here. Pushes it to whom it is to be pushed. */
void sync_applied(Mesh *mesh, const Record *record, bool own);
/* The first entry of a chain came from a neighbour, and is not applied yet. */
void sync_note_first(Mesh *mesh, uint32_t slot, const uint8_t tag[JOURNAL_TAG_SIZE]);

/* ---- later.c: what is about to be pushed here ---- */

/*
 * A neighbour has more of a chain than is here: whether to wait before asking it, as somebody else
 * is to push that. `of_chain`: any of its records; NULL: there is none yet.
 */
bool later_waits(Mesh *mesh, uint32_t slot, const Record *of_chain, const ClockLine *ours,
                 const ClockLine *theirs);
void later_lost(Mesh *mesh, uint32_t slot);
void later_timeout(Mesh *mesh);
uint64_t later_deadline_us(const Mesh *mesh);

/* ---- coming.c: what is on its way ---- */

/* An entry that is new here came. */
void coming_came(Mesh *mesh, const uint8_t tag[JOURNAL_TAG_SIZE], uint64_t sequence);
/* The first of these entries in a row that are neither asked for nor came; false: there are none.
 */
bool coming_gap(const Mesh *mesh, const uint8_t tag[JOURNAL_TAG_SIZE], uint64_t from,
                uint64_t until, SyncRange *ret_range);
/* Takes from the beginning of a range what came. */
void coming_pass(const Mesh *mesh, SyncRange *range);
/* Forgets what is applied by now. */
void coming_settle(Mesh *mesh);

/* ---- pull.c: what is asked of others ---- */

MeshError pull_digest(Mesh *mesh, uint32_t slot, Bytes body);
MeshError pull_clock(Mesh *mesh, uint32_t slot, Bytes body);
MeshError pull_key_want(Mesh *mesh, uint32_t slot, Bytes body);
MeshError pull_key(Mesh *mesh, uint32_t slot, Bytes body);
void pull_send_digest(Mesh *mesh, uint32_t slot);
/* The same to all trusted neighbours but one (NEIGHBOUR_NONE: to all); true when there is any. */
bool pull_send_digests(Mesh *mesh, uint32_t except);
/* An entry came: it is asked for no more. `fresh`: it is new here. */
void pull_arrived(Mesh *mesh, uint32_t slot, const uint8_t tag[JOURNAL_TAG_SIZE],
                  uint64_t sequence);
/* The journal grew: digests are compared more often for a while. */
void pull_changed(Mesh *mesh);
void pull_progress(Mesh *mesh);
/* Much is asked for: what comes is history, not news. */
bool pull_is_behind(const Mesh *mesh);
/* Asks a neighbour for entries of a chain that nobody was asked for. */
void pull_range(Mesh *mesh, uint32_t slot, const uint8_t tag[JOURNAL_TAG_SIZE], uint64_t from,
                uint64_t until);
void pull_timeout(Mesh *mesh);
uint64_t pull_deadline_us(const Mesh *mesh);
