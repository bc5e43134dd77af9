/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/journal/sync.h"

#include <stdlib.h>
#include <string.h>

#include "mesh/core.h"
#include "mesh/journal/brief.h"
#include "mesh/journal/owed.h"
#include "mesh/memory.h"
#include "mesh/overlay/message.h"

#define ANNOUNCE_US     (60 * MS)  /* what arrives together is announced together, */
#define HISTORY_US      (300 * MS) /* of much that comes more */
#define RETRY_US        (5 * S)
#define BODY_SIZE       16384 /* of one CLOCK */
#define FRESH_COUNT     64    /* the newest entries: older ones are history, and wait */
#define UNTRUSTED_COUNT 256   /* entries taken from someone not yet in the roster */

/* ---- what each neighbour has ---- */

SyncPeer *sync_peer(Mesh *mesh, uint32_t slot) {
    if (!mesh->sync.peers[slot]) {
        mesh->sync.peers[slot] = calloc(1, sizeof *mesh->sync.peers[slot]);
    }
    return mesh->sync.peers[slot];
}

void sync_forget(Mesh *mesh, uint32_t slot) {
    SyncPeer *peer = mesh->sync.peers[slot];

    if (peer) {
        free(peer->known);
        free(peer->serve);
        free(peer->asked);
        free(peer);
        mesh->sync.peers[slot] = NULL;
    }
}

void sync_finish(Mesh *mesh) {
    free(mesh->sync.authors);
    for (uint32_t slot = 0; slot < MESH_PEERS_MAX; slot++) {
        sync_forget(mesh, slot);
    }
    free(mesh->sync.came);
}

uint32_t sync_known(const SyncPeer *peer, uint32_t chain) {
    return chain < peer->known_count ? peer->known[chain].has : 0;
}

/* What is noted of a chain; NULL when memory is short. */
static SyncKnown *note(SyncPeer *peer, uint32_t chain) {
    if (chain >= peer->known_count) {
        size_t wanted = (size_t)chain + 32;
        SyncKnown *bigger = realloc(peer->known, wanted * sizeof *bigger);

        if (!bigger) {
            return NULL;
        }
        memset(bigger + peer->known_count, 0, (wanted - peer->known_count) * sizeof *bigger);
        peer->known = bigger;
        peer->known_count = wanted;
    }
    return &peer->known[chain];
}

void sync_learn(SyncPeer *peer, uint32_t chain, uint64_t count) {
    SyncKnown *known = note(peer, chain);

    if (known && count > known->has) {
        known->has = (uint32_t)count;
    }
}

/* It is sent an entry. */
static void note_sent(SyncPeer *peer, const Record *record) {
    SyncKnown *known = note(peer, record->chain);

    if (known) {
        known->from = record->sequence == known->until ? known->from : (uint32_t)record->sequence;
        known->until = (uint32_t)record->sequence + 1;
    }
}

/* ---- telling ---- */

bool sync_send(Mesh *mesh, uint32_t slot, uint8_t kind, Bytes body) {
    Neighbour *neighbour = neighbour_at(mesh, slot);

    return neighbour && neighbour_send(mesh, neighbour, LINK_URGENT, UINT64_MAX, kind, body);
}

void sync_announce_soon(Mesh *mesh) {
    if (!mesh->loading && !mesh->sync.announce) {
        mesh->sync.announce = true;
        mesh->sync.announce_us = mesh->now_us + (pull_is_behind(mesh) ? HISTORY_US : ANNOUNCE_US);
    }
}

void sync_write_line(BytesWriter *writer, const ClockLine *line) {
    bytes_write(writer, line->tag, JOURNAL_TAG_SIZE);
    bytes_write_varint(writer, line->count);
    bytes_write(writer, line->head, JOURNAL_HEAD_SIZE);
}

/* Sends the lines written. Without room in the link all of them are told again, later. */
static void flush_lines(Mesh *mesh, uint32_t slot, BytesWriter *writer) {
    SyncPeer *peer = mesh->sync.peers[slot];

    if (bytes_written(writer) > 0 &&
        !sync_send(mesh, slot, MESSAGE_CLOCK, BYTES_AT(writer->start, bytes_written(writer))) &&
        peer->known_count > 0) {
        for (size_t i = 0; i < peer->known_count; i++) {
            peer->known[i].has = 0;
        }
        mesh->sync.announce = true;
        mesh->sync.announce_us = mesh->now_us + S;
    }
    *writer = bytes_writer(writer->start, BODY_SIZE);
}

void sync_send_clock(Mesh *mesh, uint32_t slot, bool whole) {
    SyncPeer *peer = sync_peer(mesh, slot);
    uint8_t body[BODY_SIZE];
    BytesWriter writer = bytes_writer(body, sizeof body);

    for (uint32_t i = 0; peer && i < journal_clock_size(mesh->journal); i++) {
        const Chain *chain = journal_chain(mesh->journal, i);
        ClockLine line = journal_clock_find(mesh->journal, chain->tag);

        if (!whole && sync_known(peer, i) >= line.count) {
            continue;
        }
        sync_learn(peer, i, line.count);
        sync_write_line(&writer, &line);
        if (bytes_room(&writer) < SYNC_LINE_SIZE) {
            flush_lines(mesh, slot, &writer);
        }
    }
    if (peer) {
        flush_lines(mesh, slot, &writer);
    }
}

void sync_greet(Mesh *mesh, uint32_t slot) {
    pull_send_digest(mesh, slot);
}

uint32_t sync_index_of(const Mesh *mesh, const Record *record) {
    return (uint32_t)(record - journal_record(mesh->journal, 0));
}

static LinkPriority priority_of(const Mesh *mesh, const Record *record) {
    bool fresh = sync_index_of(mesh, record) + FRESH_COUNT >= journal_count(mesh->journal);

    return record->urgent && fresh ? LINK_URGENT : LINK_CHAT;
}

bool sync_send_entry(Mesh *mesh, uint32_t slot, const Record *record) {
    Neighbour *neighbour = neighbour_at(mesh, slot);
    Bytes bytes = BYTES_AT(record->bytes, record->length);

    /* Of a husk nothing is here to be told. */
    return neighbour &&
           (entry_is_husk(bytes) || neighbour_send(mesh, neighbour, priority_of(mesh, record),
                                                   UINT64_MAX, MESSAGE_ENTRY, bytes));
}

void sync_told(Mesh *mesh, uint32_t slot, const Record *record) {
    SyncPeer *peer = sync_peer(mesh, slot);

    if (peer && !entry_is_husk(BYTES_AT(record->bytes, record->length))) {
        sync_learn(peer, record->chain, record->sequence + 1);
        note_sent(peer, record);
        owed_told(mesh, peer, record);
    }
}

bool sync_tell(Mesh *mesh, uint32_t slot, const Record *record) {
    if (!sync_peer(mesh, slot) || !sync_send_entry(mesh, slot, record)) {
        return false;
    }
    sync_told(mesh, slot, record);
    return true;
}

bool sync_tell_own(Mesh *mesh, uint32_t slot, const Record *record) {
    Neighbour *neighbour = neighbour_at(mesh, slot);
    uint8_t bytes[MESH_ENTRY_MAX];
    size_t length = 0;

    owed_settle(mesh, slot);
    if (neighbour && neighbour->confirmed >= record->sequence) {
        length = brief_write(mesh->journal, record, bytes);
    }
    if (length == 0) {
        return sync_tell(mesh, slot, record);
    }
    if (!neighbour_send(mesh, neighbour, priority_of(mesh, record), UINT64_MAX, MESSAGE_BRIEF,
                        BYTES_AT(bytes, length))) {
        return false;
    }
    sync_told(mesh, slot, record);
    return true;
}

/* ---- receiving ---- */

/* Whether an entry that is new here may be kept. */
static MeshError judge(Mesh *mesh, const Entry *entry) {
    static const uint8_t genesis[ENTRY_MEETING_SIZE];
    bool first = !memcmp(entry->meeting, genesis, sizeof genesis);

    if (mesh->status != MESH_STATUS_MEMBER && !mesh->admission.welcomed) {
        return MESH_ERROR_STATE; /* of which meeting is not known yet */
    }
    if (first && !mesh_hash_equal(&entry->hash, &mesh->meeting.id)) {
        return MESH_ERROR_FORGED;
    }
    if (core_is_relay(mesh, &entry->author) && !meeting_allows(&mesh->meeting, entry)) {
        return MESH_ERROR_FORBIDDEN;
    }
    if (!core_has_room(mesh)) {
        return MESH_ERROR_FULL;
    }
    return entry_verify(entry, first ? NULL : &mesh->meeting.id);
}

/* Someone in no roster yet shows its ADMIT, and little more. */
static bool may_show(Mesh *mesh, uint32_t slot, SyncPeer *peer) {
    return mesh->status != MESH_STATUS_MEMBER ||
           neighbour_is_trusted(mesh, neighbour_at(mesh, slot)) ||
           ++peer->entries_untrusted <= UNTRUSTED_COUNT;
}

/* Of an entry that a relay has no room for, a husk takes its place. */
static MeshError judge_room(Mesh *mesh, const Entry *entry, uint8_t husk[MESH_ENTRY_MAX],
                            Bytes *body) {
    size_t husk_size = mesh->relay ? entry_write_husk(entry, husk) : 0;
    BudgetVerdict verdict = budget_judge(&mesh->budget, &entry->author, body->length, husk_size);

    if (verdict == BUDGET_HUSK) {
        mesh->counters.limited++;
        *body = BYTES_AT(husk, husk_size);
    }
    return verdict == BUDGET_NOTHING ? MESH_ERROR_FULL : MESH_OK;
}

static MeshError keep(Mesh *mesh, const Entry *entry, Bytes body, Pending pending) {
    uint8_t husk[MESH_ENTRY_MAX];
    MeshError error = judge_room(mesh, entry, husk, &body);

    pending.kind = PENDING_RECEIVED;
    pending.hash = entry->hash;
    pending.length = body.length;
    pending.bytes = error ? NULL : memory_copy(body.data, body.length);
    if (!pending.bytes) {
        return error ? error : MESH_ERROR_NO_MEMORY;
    }
    budget_add(&mesh->budget, &entry->author, body.length);
    if (!core_persist(mesh, MESH_ITEM_ENTRY, BYTES_OF(entry->hash.bytes), body, pending)) {
        budget_remove(&mesh->budget, &entry->author, body.length);
    }
    return MESH_OK;
}

static bool is_here(const Mesh *mesh, const Entry *entry) {
    return journal_knows(mesh->journal, &entry->hash) || core_is_storing(mesh, &entry->hash);
}

void sync_import(Mesh *mesh, const MeshIntent *intent) {
    Entry entry;
    MeshError error = entry_read(intent->bytes.data, intent->bytes.length, &entry);

    if (!error) {
        error = is_here(mesh, &entry) ? MESH_ERROR_REPLAYED : judge(mesh, &entry);
    }
    if (!error) {
        error = keep(mesh, &entry, intent->bytes, (Pending){.answer = true, .tag = intent->tag});
    }
    if (error) {
        core_done(mesh, intent->tag, error, NULL, NULL);
    }
}

MeshError sync_entry(Mesh *mesh, uint32_t slot, Bytes body) {
    SyncPeer *peer = sync_peer(mesh, slot);
    uint8_t tag[JOURNAL_TAG_SIZE];
    const Record *first;
    Entry entry;
    MeshError error = entry_read(body.data, body.length, &entry);

    if (error || !peer) {
        return error ? error : MESH_ERROR_NO_MEMORY;
    }
    if (mesh->status == MESH_STATUS_JOINING && !mesh->admission.welcomed) {
        return join_early(mesh, slot, body);
    }
    journal_chain_tag(&entry.author, entry.chain, tag);
    first = journal_at(mesh->journal, tag, 0);
    if (first) {
        sync_learn(peer, first->chain, entry.sequence + 1);
    } else {
        sync_note_first(mesh, slot, tag);
    }
    mesh->sync.received++;
    if (is_here(mesh, &entry)) {
        pull_arrived(mesh, slot, tag, entry.sequence);
        mesh->sync.repeated++;
        mesh->counters.duplicates++;
        return MESH_OK;
    }
    error = may_show(mesh, slot, peer) ? judge(mesh, &entry) : MESH_ERROR_FULL;
    error = error ? error : keep(mesh, &entry, body, (Pending){0});
    if (!error) {
        coming_came(mesh, tag, entry.sequence);
        pull_progress(mesh);
    }
    if (error != MESH_ERROR_FULL) {
        pull_arrived(mesh, slot, tag, entry.sequence);
    }
    return error;
}

/* The sender took what is before it for confirmed here. Its PULL would be answered by nothing: what
 * was just told is on its way. */
static void want_whole(Mesh *mesh, uint32_t slot, const uint8_t tag[JOURNAL_TAG_SIZE],
                       uint64_t sequence) {
    uint64_t count = journal_clock_find(mesh->journal, tag).count;
    uint8_t bytes[JOURNAL_TAG_SIZE + 8];
    BytesWriter writer = bytes_writer(bytes, sizeof bytes);

    bytes_write(&writer, tag, JOURNAL_TAG_SIZE);
    bytes_write_varint(&writer, sequence);
    sync_send(mesh, slot, MESSAGE_BRIEF_WANT, BYTES_AT(bytes, bytes_written(&writer)));
    if (count < sequence) {
        pull_range(mesh, slot, tag, count, sequence);
    }
}

MeshError sync_brief(Mesh *mesh, uint32_t slot, Bytes body) {
    uint8_t bytes[MESH_ENTRY_MAX], tag[JOURNAL_TAG_SIZE];
    uint64_t sequence;
    size_t length;
    MeshError error = brief_read(body, tag, &sequence)
                          ? brief_complete(mesh->journal, body, bytes, &length)
                          : MESH_ERROR_MALFORMED;

    if (error == MESH_ERROR_STATE) {
        want_whole(mesh, slot, tag, sequence);
        return MESH_OK;
    }
    return error ? error : sync_entry(mesh, slot, BYTES_AT(bytes, length));
}

void sync_store_failed(Mesh *mesh) {
    for (uint32_t slot = 0; slot < MESH_PEERS_MAX; slot++) {
        if (mesh->sync.peers[slot]) {
            mesh->sync.peers[slot]->asked_count = 0;
        }
    }
    mesh->sync.came_count = 0;
    mesh->sync.retry_us = mesh->now_us + RETRY_US;
}

/* Somebody else may have what the lost one was asked for. */
void sync_lost(Mesh *mesh, uint32_t slot) {
    const SyncPeer *peer = mesh->sync.peers[slot];
    bool asked = peer && peer->asked_count > 0;

    sync_forget(mesh, slot);
    later_lost(mesh, slot);
    for (size_t i = 0; i < SYNC_FIRSTS_SIZE; i++) {
        mesh->sync.firsts[i].slots &= ~(1ull << slot);
    }
    if (asked) {
        pull_send_digests(mesh, slot);
    }
}

void sync_silent(Mesh *mesh, uint32_t slot) {
    SyncPeer *peer = mesh->sync.peers[slot];

    if (peer && peer->asked_count > 0 && pull_send_digests(mesh, slot)) {
        peer->asked_count = 0;
    }
}

/* ---- time ---- */

void sync_timeout(Mesh *mesh) {
    Sync *sync = &mesh->sync;

    pull_timeout(mesh);
    later_timeout(mesh);
    if (sync->announce && mesh->now_us >= sync->announce_us) {
        sync->announce = false;
        coming_settle(mesh);
        for (uint32_t slot = 0; slot < MESH_PEERS_MAX; slot++) {
            Neighbour *neighbour = neighbour_at(mesh, slot);

            if (neighbour && neighbour_is_greeted(mesh, neighbour)) {
                sync_send_clock(mesh, slot, false);
            }
        }
    }
    if (sync->retry_us && mesh->now_us >= sync->retry_us) {
        sync->retry_us = 0;
        pull_send_digests(mesh, NEIGHBOUR_NONE);
    }
}

uint64_t sync_deadline_us(const Mesh *mesh) {
    uint64_t deadline = pull_deadline_us(mesh);

    deadline = later_deadline_us(mesh) < deadline ? later_deadline_us(mesh) : deadline;
    if (mesh->sync.announce && mesh->sync.announce_us < deadline) {
        deadline = mesh->sync.announce_us;
    }
    if (mesh->sync.retry_us && mesh->sync.retry_us < deadline) {
        deadline = mesh->sync.retry_us;
    }
    return deadline;
}
