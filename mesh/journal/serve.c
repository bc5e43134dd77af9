/* SPDX-License-Identifier: MPL-2.0 */
/* What is told because others ask for it, or have nothing yet: causes first, as far as links have
 * room. */
#include <string.h>

#include "mesh/core.h"
#include "mesh/memory.h"
#include "mesh/overlay/message.h"

#define SERVE_BYTES (48 * 1024) /* entries waiting in a link before more are added */
#define OFFERED_US  (10 * S)    /* what was offered is on its way so long */
#define SMALL_BYTES 1000        /* about a packet */

/* Entries to be told, as far as the link has room. */
static MeshError add_range(Mesh *mesh, uint32_t slot, SyncPeer *peer, SyncRange range) {
    const Record *record = journal_at(mesh->journal, range.tag, range.from);

    if (!record) {
        return MESH_OK;
    }
    if (peer->serve_count == SYNC_RANGES_SIZE ||
        !memory_grow((void **)&peer->serve, &peer->serve_capacity, peer->serve_count,
                     sizeof *peer->serve)) {
        return MESH_ERROR_FULL;
    }
    range.next = sync_index_of(mesh, record);
    peer->serve[peer->serve_count++] = range;
    mesh->sync.serve |= 1ull << slot;
    return MESH_OK;
}

void serve_offer(Mesh *mesh, uint32_t slot) {
    SyncPeer *peer = sync_peer(mesh, slot);

    for (uint32_t i = 0; peer && i < journal_clock_size(mesh->journal); i++) {
        const Chain *chain = journal_chain(mesh->journal, i);
        SyncRange range = {.until = chain->count};

        memcpy(range.tag, chain->tag, JOURNAL_TAG_SIZE);
        if (chain->count == 0 || add_range(mesh, slot, peer, range)) {
            continue;
        }
        peer->offered_us = mesh->now_us;
    }
}

/* It was sent these entries of the chain, and asks before they came: everything it was offered is
 * on its way, or what is said is, on a slow line. Once that is acknowledged nothing is. */
static bool is_on_its_way(const Mesh *mesh, uint32_t slot, const SyncPeer *peer, uint32_t chain,
                          uint64_t from, uint64_t until) {
    const Neighbour *neighbour = neighbour_at(mesh, slot);
    bool offered = peer->offered_us > 0 && mesh->now_us < peer->offered_us + OFFERED_US;
    LinkState state;

    if (!neighbour || chain >= peer->known_count || peer->known[chain].from > from ||
        peer->known[chain].until < until) {
        return false;
    }
    state = link_state(neighbour->link, mesh->now_us);
    return state.chat_waiting || (offered && state.waiting > 0);
}

static bool is_under_way(const Mesh *mesh, uint32_t slot, const SyncPeer *peer,
                         const SyncRange *range) {
    const Record *record = journal_at(mesh->journal, range->tag, range->from);

    for (size_t i = 0; i < peer->serve_count; i++) {
        if (!memcmp(peer->serve[i].tag, range->tag, JOURNAL_TAG_SIZE) &&
            peer->serve[i].from <= range->from && peer->serve[i].until >= range->until) {
            return true;
        }
    }
    return record && is_on_its_way(mesh, slot, peer, record->chain, range->from, range->until);
}

/* Of what is asked of a chain this node may have husks: it is said how far it can answer. */
static void end_at_husk(Mesh *mesh, uint32_t slot, SyncRange *range) {
    uint8_t bytes[SYNC_LINE_SIZE];
    BytesWriter writer = bytes_writer(bytes, sizeof bytes);
    const Record *record = journal_at(mesh->journal, range->tag, range->from);
    ClockLine line = {.count = range->from};

    while (record && line.count < range->until &&
           !entry_is_husk(BYTES_AT(record->bytes, record->length))) {
        record = journal_at(mesh->journal, range->tag, ++line.count);
    }
    if (!record || line.count == range->until) {
        return;
    }
    range->until = line.count;
    memcpy(line.tag, range->tag, sizeof line.tag);
    record = line.count > 0 ? journal_at(mesh->journal, range->tag, line.count - 1) : NULL;
    if (record) {
        memcpy(line.head, record->hash.bytes, sizeof line.head);
    }
    sync_write_line(&writer, &line);
    sync_send(mesh, slot, MESSAGE_CLOCK, BYTES_AT(bytes, bytes_written(&writer)));
}

MeshError serve_pull(Mesh *mesh, uint32_t slot, Bytes body) {
    BytesReader reader = bytes_reader(body.data, body.length);
    SyncPeer *peer = sync_peer(mesh, slot);

    while (peer && bytes_left(&reader) > 0) {
        SyncRange range;
        MeshError error;

        bytes_read_into(&reader, range.tag, JOURNAL_TAG_SIZE);
        range.from = bytes_read_varint(&reader);
        range.until = bytes_read_varint(&reader);
        if (reader.failed || range.from >= range.until || range.until > MESH_ENTRIES_MAX) {
            return MESH_ERROR_MALFORMED;
        }
        if (mesh->relay) {
            end_at_husk(mesh, slot, &range);
        }
        error = range.from == range.until || is_under_way(mesh, slot, peer, &range)
                    ? MESH_OK
                    : add_range(mesh, slot, peer, range);
        if (error) {
            return error;
        }
    }
    return MESH_OK;
}

MeshError serve_pull_hash(Mesh *mesh, uint32_t slot, Bytes body) {
    BytesReader reader = bytes_reader(body.data, body.length);
    const SyncPeer *peer = sync_peer(mesh, slot);

    if (body.length % MESH_HASH_SIZE || body.length > MESH_CITED_MAX * MESH_HASH_SIZE) {
        return MESH_ERROR_MALFORMED;
    }
    while (peer && bytes_left(&reader) > 0) {
        const Record *record;
        MeshHash hash;

        bytes_read_into(&reader, hash.bytes, MESH_HASH_SIZE);
        record = journal_find(mesh->journal, &hash);
        /* A copy of what is small may be there before the repair of what was lost. */
        if (record && (record->length <= SMALL_BYTES ||
                       !is_on_its_way(mesh, slot, peer, record->chain, record->sequence,
                                      record->sequence + 1))) {
            sync_tell(mesh, slot, record);
        }
    }
    return MESH_OK;
}

MeshError serve_brief_want(Mesh *mesh, uint32_t slot, Bytes body) {
    BytesReader reader = bytes_reader(body.data, body.length);
    uint8_t tag[JOURNAL_TAG_SIZE];
    const Record *record;
    uint64_t sequence;

    bytes_read_into(&reader, tag, sizeof tag);
    sequence = bytes_read_varint(&reader);
    if (!bytes_done(&reader) || sequence >= MESH_ENTRIES_MAX) {
        return MESH_ERROR_MALFORMED;
    }
    record = journal_at(mesh->journal, tag, sequence);
    if (record) {
        sync_tell(mesh, slot, record);
    }
    return MESH_OK;
}

/* Of all ranges asked, the entry that was applied first here: causes leave before what cites them,
 * so that hardly anything waits at the other end. */
static void send_to(Mesh *mesh, uint32_t slot, SyncPeer *peer) {
    const Neighbour *neighbour = neighbour_at(mesh, slot);

    while (neighbour && peer->serve_count > 0 &&
           link_state(neighbour->link, mesh->now_us).waiting < SERVE_BYTES) {
        SyncRange *range = &peer->serve[0];
        const Record *record;

        for (size_t i = 1; i < peer->serve_count; i++) {
            range = peer->serve[i].next < range->next ? &peer->serve[i] : range;
        }
        if (!sync_tell(mesh, slot, journal_record(mesh->journal, range->next))) {
            return;
        }
        record = ++range->from < range->until ? journal_at(mesh->journal, range->tag, range->from)
                                              : NULL;
        if (record) {
            range->next = sync_index_of(mesh, record);
        } else {
            *range = peer->serve[--peer->serve_count];
        }
    }
}

void serve_send(Mesh *mesh) {
    for (uint32_t slot = 0; slot < MESH_PEERS_MAX && mesh->sync.serve >> slot; slot++) {
        SyncPeer *peer = mesh->sync.peers[slot];

        if (!(mesh->sync.serve >> slot & 1)) {
            continue;
        }
        if (peer && peer->serve_count > 0) {
            send_to(mesh, slot, peer);
        } else {
            mesh->sync.serve &= ~(1ull << slot);
        }
    }
}
