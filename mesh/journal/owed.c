/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/journal/owed.h"

#include <string.h>

#include "mesh/core.h"
#include "mesh/memory.h"

static bool is_own_chain(const Mesh *mesh, const uint8_t tag[JOURNAL_TAG_SIZE]) {
    return mesh->author.begun && !memcmp(tag, mesh->author.tag, JOURNAL_TAG_SIZE);
}

/* What it was told in a row counts once it has what stands before. */
static void join_run(SyncPeer *peer) {
    if (peer->run_from <= peer->own && peer->run_until > peer->own) {
        peer->own = peer->run_until;
    }
}

void owed_has(const Mesh *mesh, SyncPeer *peer, const uint8_t tag[JOURNAL_TAG_SIZE],
              uint64_t count) {
    if (is_own_chain(mesh, tag) && count > peer->own) {
        peer->own = count;
        join_run(peer);
    }
}

/* Perhaps before it says what it has: after a link came back. */
void owed_told(const Mesh *mesh, SyncPeer *peer, const Record *record) {
    if (!is_own_chain(mesh, journal_chain(mesh->journal, record->chain)->tag)) {
        return;
    }
    if (record->sequence != peer->run_until) {
        peer->run_from = record->sequence;
    }
    peer->run_until = record->sequence + 1;
    join_run(peer);
}

/* What it is known to have; while something is on its way, what it had before. */
static uint64_t confirmed(const Mesh *mesh, uint32_t slot) {
    const Neighbour *neighbour = neighbour_at(mesh, slot);
    const SyncPeer *peer = mesh->sync.peers[slot];

    if (!neighbour) {
        return 0;
    }
    if (!peer || !neighbour->link || peer->own < neighbour->confirmed ||
        link_state(neighbour->link, mesh->now_us).said_waiting) {
        return neighbour->confirmed;
    }
    return peer->own;
}

void owed_settle(Mesh *mesh, uint32_t slot) {
    Neighbour *neighbour = neighbour_at(mesh, slot);

    if (neighbour) {
        neighbour->confirmed = confirmed(mesh, slot);
    }
}

/* ---- what is cited ---- */

static SyncAuthor *find_author(const Mesh *mesh, const MeshKey *author) {
    for (size_t i = 0; i < mesh->sync.author_count; i++) {
        if (mesh_key_equal(&mesh->sync.authors[i].author, author)) {
            return &mesh->sync.authors[i];
        }
    }
    return NULL;
}

static void author_has(Mesh *mesh, const MeshKey *key, uint64_t count) {
    Sync *sync = &mesh->sync;
    SyncAuthor *author = find_author(mesh, key);

    if (!author && sync->author_count < MESH_AUTHORS_MAX &&
        memory_grow((void **)&sync->authors, &sync->author_capacity, sync->author_count,
                    sizeof *sync->authors)) {
        author = &sync->authors[sync->author_count++];
        *author = (SyncAuthor){.author = *key};
    }
    if (author && author->has < count) {
        author->has = count;
    }
}

/* So many entries of our chain are a cause, or causes of it. */
static uint64_t past_of(const Mesh *mesh, const MeshHash *cause) {
    const Record *record = journal_find(mesh->journal, cause);

    if (!record) {
        return 0;
    }
    return is_own_chain(mesh, journal_chain(mesh->journal, record->chain)->tag)
               ? record->sequence + 1
               : record->past;
}

void owed_applied(Mesh *mesh, const Record *record) {
    const Chain *chain = journal_chain(mesh->journal, record->chain);
    uint64_t past = 0;
    Entry entry;

    if (owed_written(mesh) == 0 || is_own_chain(mesh, chain->tag) ||
        entry_read_kept(record->bytes, record->length, &entry)) {
        return;
    }
    if (entry.has_previous) {
        past = past_of(mesh, &entry.previous);
    }
    for (size_t i = 0; i < entry.cited_count; i++) {
        uint64_t cited = past_of(mesh, &entry.cited[i]);

        past = cited > past ? cited : past;
    }
    if (past > 0) {
        journal_note_past(mesh->journal, record, past);
        author_has(mesh, &chain->author, past);
    }
}

/* ---- what is told of it ---- */

uint64_t owed_written(const Mesh *mesh) {
    return mesh->author.begun ? mesh->author.stored_sequence : 0;
}

uint64_t owed_count(const Mesh *mesh, const MeshKey *member) {
    const Neighbour *neighbour = neighbour_find(mesh, member);
    const SyncAuthor *author = find_author(mesh, member);
    uint64_t written = owed_written(mesh);
    uint64_t has = neighbour ? confirmed(mesh, neighbour_slot(mesh, neighbour)) : 0;

    has = author && author->has > has ? author->has : has;
    return has < written ? written - has : 0;
}
