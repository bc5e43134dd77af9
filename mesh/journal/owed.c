/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/journal/owed.h"

#include <string.h>

#include "mesh/core.h"

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

uint64_t owed_count(const Mesh *mesh, uint32_t slot) {
    uint64_t written = mesh->author.begun ? mesh->author.stored_sequence : 0;
    uint64_t has = slot < MESH_PEERS_MAX ? confirmed(mesh, slot) : 0;

    return has < written ? written - has : 0;
}
