/* SPDX-License-Identifier: MPL-2.0 */
/* What is asked of others: entries of which they claim more, causes that are missing, epoch keys.
 */
#include <string.h>

#include "mesh/core.h"
#include "mesh/journal/owed.h"
#include "mesh/memory.h"
#include "mesh/overlay/message.h"

#define MISSING_FIRST_US (200 * MS) /* a cause may just be overtaken */
#define MISSING_US       (700 * MS) /* the next time, then twice as long each time */
#define MISSING_DOUBLED  7
#define ASKED_US         (20 * S) /* then what was asked for does not come any more */
#define MUTE_US          (60 * S)
#define DIGEST_US        (60 * S)                   /* whatever was overlooked is found so */
#define DIGEST_DOUBLED   2                          /* times, while nothing is said */
#define RANGE_SIZE       (JOURNAL_TAG_SIZE + 8 + 8) /* at most */
#define BODY_SIZE        16384                      /* of one PULL */
#define KEYS_WANTED      4                          /* asked for at once */
#define NEWS_MOST        8          /* entries asked for: more of them are history, */
#define BEHIND_US        (300 * MS) /* and the last of these too */

/* ---- asking for ranges ---- */

void pull_send_digest(Mesh *mesh, uint32_t slot) {
    uint8_t digest[JOURNAL_DIGEST_SIZE];

    journal_clock_digest(mesh->journal, digest);
    sync_send(mesh, slot, MESSAGE_DIGEST, BYTES_OF(digest));
}

bool pull_send_digests(Mesh *mesh, uint32_t except) {
    bool any = false;

    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        const Neighbour *neighbour = neighbour_at(mesh, slot);

        if (slot != except && neighbour && neighbour->linked != LINKED_KEPT &&
            neighbour_is_trusted(mesh, neighbour)) {
            any = true;
            pull_send_digest(mesh, slot);
        }
    }
    return any;
}

/* Entries that were asked for and did not come yet. */
static uint64_t count_asked(const Mesh *mesh) {
    uint64_t count = 0;

    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        const SyncPeer *peer = mesh->sync.peers[slot];

        for (size_t i = 0; peer && i < peer->asked_count; i++) {
            count += peer->asked[i].until - peer->asked[i].from;
        }
    }
    return count;
}

bool pull_is_behind(const Mesh *mesh) {
    return mesh->now_us < mesh->sync.behind_until_us || count_asked(mesh) > NEWS_MOST;
}

/* The end of history is history too: others have it, or ask for it, and need not be pushed it. */
static void note_behind(Mesh *mesh) {
    if (count_asked(mesh) > NEWS_MOST) {
        mesh->sync.behind_until_us = mesh->now_us + BEHIND_US;
    }
}

/* What has no room is asked for when the rest has come: see pull_arrived. */
static bool ask_range(Mesh *mesh, uint32_t slot, SyncPeer *peer, const SyncRange *range,
                      BytesWriter *writer) {
    if (bytes_room(writer) < RANGE_SIZE || peer->asked_count == SYNC_RANGES_SIZE ||
        !memory_grow((void **)&peer->asked, &peer->asked_capacity, peer->asked_count,
                     sizeof *peer->asked)) {
        return false;
    }
    peer->asked[peer->asked_count++] = *range;
    peer->asked_us = mesh->now_us;
    mesh->sync.asked |= 1ull << slot;
    note_behind(mesh);
    bytes_write(writer, range->tag, JOURNAL_TAG_SIZE);
    bytes_write_varint(writer, range->from);
    bytes_write_varint(writer, range->until);
    return true;
}

/* Asks for those of these entries that are not on their way. */
static void ask(Mesh *mesh, uint32_t slot, SyncPeer *peer, const uint8_t *tag, uint64_t from,
                uint64_t until, BytesWriter *writer) {
    bool may = mesh->now_us >= peer->mute_until_us && !budget_is_full(&mesh->budget);
    SyncRange range;

    while (may && coming_gap(mesh, tag, from, until, &range)) {
        may = ask_range(mesh, slot, peer, &range, writer);
        from = range.until;
    }
}

void pull_range(Mesh *mesh, uint32_t slot, const uint8_t tag[JOURNAL_TAG_SIZE], uint64_t from,
                uint64_t until) {
    uint8_t bytes[BODY_SIZE];
    BytesWriter pull = bytes_writer(bytes, sizeof bytes);
    SyncPeer *peer = mesh->sync.peers[slot];

    if (peer) {
        ask(mesh, slot, peer, tag, from, until, &pull);
    }
    if (bytes_written(&pull) > 0) {
        sync_send(mesh, slot, MESSAGE_PULL, BYTES_AT(bytes, bytes_written(&pull)));
    }
}

void pull_arrived(Mesh *mesh, uint32_t slot, const uint8_t tag[JOURNAL_TAG_SIZE],
                  uint64_t sequence) {
    SyncPeer *peer = sync_peer(mesh, slot);
    bool was_full = peer && peer->asked_count == SYNC_RANGES_SIZE;

    note_behind(mesh);
    for (size_t i = 0; peer && i < peer->asked_count; i++) {
        SyncRange *range = &peer->asked[i];

        if (memcmp(range->tag, tag, JOURNAL_TAG_SIZE) || sequence < range->from ||
            sequence >= range->until) {
            continue;
        }
        peer->asked_us = mesh->now_us;
        range->from += sequence == range->from;
        coming_pass(mesh, range);
        if (range->from >= range->until) {
            *range = peer->asked[--peer->asked_count];
            i--;
        }
    }
    if (was_full && peer->asked_count < SYNC_RANGES_SIZE) {
        pull_send_digest(mesh, slot);
    }
}

/* It says that it can give no more of the chain than so many entries: the rest is asked of others,
 * if there are any. */
static bool end_asked(SyncPeer *peer, const ClockLine *line) {
    bool ended = false;

    for (size_t i = 0; i < peer->asked_count; i++) {
        SyncRange *range = &peer->asked[i];

        if (memcmp(range->tag, line->tag, JOURNAL_TAG_SIZE) || range->until <= line->count) {
            continue;
        }
        ended = true;
        range->until = line->count;
        if (range->from >= range->until) {
            *range = peer->asked[--peer->asked_count];
            i--;
        }
    }
    return ended;
}

/* ---- comparing ---- */

MeshError pull_digest(Mesh *mesh, uint32_t slot, Bytes body) {
    uint8_t digest[JOURNAL_DIGEST_SIZE];
    SyncPeer *peer = sync_peer(mesh, slot);

    if (body.length != sizeof digest) {
        return MESH_ERROR_MALFORMED;
    }
    if (mesh->status == MESH_STATUS_MEMBER &&
        !neighbour_is_trusted(mesh, neighbour_at(mesh, slot))) {
        return MESH_OK; /* it is greeted once it is in the roster */
    }
    journal_clock_digest(mesh->journal, digest);
    if (!bytes_equal(digest, body.data, sizeof digest)) {
        if (journal_clock_size(mesh->journal) > 0) {
            sync_send_clock(mesh, slot, true);
        } else {
            pull_send_digest(mesh, slot); /* no line would say that we lack everything */
        }
        return MESH_OK;
    }
    for (uint32_t i = 0; peer && i < journal_clock_size(mesh->journal); i++) {
        sync_learn(peer, i, journal_chain(mesh->journal, i)->count);
        owed_has(mesh, peer, journal_chain(mesh->journal, i)->tag,
                 journal_chain(mesh->journal, i)->count);
    }
    return MESH_OK;
}

/* Compares one line of a neighbour's clock with ours. */
static void compare_line(Mesh *mesh, uint32_t slot, SyncPeer *peer, const ClockLine *theirs,
                         BytesWriter *pull) {
    ClockLine ours = journal_clock_find(mesh->journal, theirs->tag);
    const Record *record = journal_at(mesh->journal, theirs->tag, 0);

    if (record) {
        sync_learn(peer, record->chain, theirs->count);
        owed_has(mesh, peer, theirs->tag, theirs->count);
    }
    if (theirs->count > ours.count) {
        /* Beyond a fork we have entries that our clock does not claim. */
        if (!journal_at(mesh->journal, theirs->tag, ours.count) &&
            !later_waits(mesh, slot, record, &ours, theirs)) {
            ask(mesh, slot, peer, theirs->tag, ours.count, theirs->count, pull);
        }
    } else if (theirs->count < ours.count) {
        sync_announce_soon(mesh); /* it does not have what we thought */
        if (record && record->chain < peer->known_count) {
            peer->known[record->chain].has = (uint32_t)theirs->count;
        }
    } else if (theirs->count > 0 && memcmp(theirs->head, ours.head, JOURNAL_HEAD_SIZE)) {
        ask(mesh, slot, peer, theirs->tag, ours.count - 1, ours.count, pull);
    }
}

MeshError pull_clock(Mesh *mesh, uint32_t slot, Bytes body) {
    BytesReader reader = bytes_reader(body.data, body.length);
    SyncPeer *peer = sync_peer(mesh, slot);
    uint8_t bytes[BODY_SIZE];
    BytesWriter pull = bytes_writer(bytes, sizeof bytes);
    MeshError error = MESH_OK;
    bool ended = false;

    while (peer && bytes_left(&reader) > 0) {
        ClockLine line = {0};

        bytes_read_into(&reader, line.tag, JOURNAL_TAG_SIZE);
        line.count = bytes_read_varint(&reader);
        bytes_read_into(&reader, line.head, JOURNAL_HEAD_SIZE);
        if (reader.failed || line.count > MESH_ENTRIES_MAX) {
            error = MESH_ERROR_MALFORMED;
            break;
        }
        ended |= end_asked(peer, &line);
        compare_line(mesh, slot, peer, &line, &pull);
    }
    if (ended) {
        pull_send_digests(mesh, slot);
    }
    if (bytes_written(&pull) > 0) {
        sync_send(mesh, slot, MESSAGE_PULL, BYTES_AT(bytes, bytes_written(&pull)));
    }
    return error;
}

/* ---- epoch keys ---- */

/* An epoch of the journal whose key is not here, the `index`th; NULL. */
static const uint8_t *lacking_key(const Mesh *mesh, size_t index) {
    const Roster *roster = &mesh->meeting.roster;

    for (size_t i = 0; mesh->status == MESH_STATUS_MEMBER && !mesh->relay && i < roster->key_count;
         i++) {
        if (!meeting_key(&mesh->meeting, roster->keys[i]) && index-- == 0) {
            return roster->keys[i];
        }
    }
    return NULL;
}

MeshError pull_key_want(Mesh *mesh, uint32_t slot, Bytes body) {
    const EpochKey *key =
        body.length == ENTRY_KEY_ID_SIZE ? meeting_key(&mesh->meeting, body.data) : NULL;

    if (body.length != ENTRY_KEY_ID_SIZE) {
        return MESH_ERROR_MALFORMED;
    }
    if (core_is_relay(mesh, &neighbour_at(mesh, slot)->key)) {
        return MESH_ERROR_FORBIDDEN;
    }
    if (key) {
        sync_send(mesh, slot, MESSAGE_KEY, BYTES_OF(key->key));
    }
    return MESH_OK;
}

MeshError pull_key(Mesh *mesh, uint32_t slot, Bytes body) {
    MeshError error = MESH_ERROR_FORGED;
    const uint8_t *wanted;
    EpochKey key;

    if (body.length != sizeof key.key) {
        return MESH_ERROR_MALFORMED;
    }
    epoch_key_init(&key, body.data);
    if (meeting_key(&mesh->meeting, key.id)) {
        return MESH_OK; /* asked of several */
    }
    /* Only one that the journal announces. */
    for (size_t i = 0; error && (wanted = lacking_key(mesh, i)); i++) {
        error = memcmp(key.id, wanted, sizeof key.id) ? error : MESH_OK;
    }
    if (!error) {
        core_learn_key(mesh, body.data);
    }
    return error;
}

/* ---- what is missing ---- */

/* The next neighbour in turn that may be asked; NEIGHBOUR_NONE. */
static uint32_t next_slot(Mesh *mesh) {
    for (uint32_t i = 1; i <= MESH_PEERS_MAX; i++) {
        uint32_t slot = (mesh->sync.missing_turn + i) % MESH_PEERS_MAX;
        const Neighbour *neighbour = neighbour_at(mesh, slot);

        /* Whoever welcomed us answers before we know anybody. */
        if (neighbour &&
            (mesh->status == MESH_STATUS_JOINING ? neighbour_is_up(neighbour)
                                                 : neighbour_is_trusted(mesh, neighbour))) {
            mesh->sync.missing_turn = slot;
            return slot;
        }
    }
    return NEIGHBOUR_NONE;
}

static void ask_missing(Mesh *mesh, uint32_t slot) {
    uint8_t body[MESH_CITED_MAX * MESH_HASH_SIZE];
    BytesWriter writer = bytes_writer(body, sizeof body);
    bool behind = pull_is_behind(mesh);
    const uint8_t *key_id;
    MeshHash hash;

    /* Of history that is on its way the causes are too. */
    for (size_t i = 0; !behind && i < MESH_CITED_MAX && journal_missing(mesh->journal, i, &hash);
         i++) {
        if (!core_is_storing(mesh, &hash)) {
            bytes_write(&writer, hash.bytes, sizeof hash.bytes);
        }
    }
    if (bytes_written(&writer) > 0) {
        sync_send(mesh, slot, MESSAGE_PULL_HASH, BYTES_AT(body, bytes_written(&writer)));
    }
    for (size_t i = 0; i < KEYS_WANTED && (key_id = lacking_key(mesh, i)); i++) {
        sync_send(mesh, slot, MESSAGE_KEY_WANT, BYTES_AT(key_id, ENTRY_KEY_ID_SIZE));
    }
}

/* Something may be missing. What nobody has is asked for ever more seldom. */
static void step_missing(Mesh *mesh) {
    Sync *sync = &mesh->sync;
    uint32_t slot;

    if ((journal_waiting(mesh->journal) == 0 || budget_is_full(&mesh->budget)) &&
        !lacking_key(mesh, 0)) {
        sync->missing_us = 0;
        sync->missing_tries = 0;
        return;
    }
    if (sync->missing_us == 0) {
        sync->missing_us = mesh->now_us + MISSING_FIRST_US;
    }
    if (mesh->now_us < sync->missing_us) {
        return;
    }
    slot = next_slot(mesh);
    if (slot != NEIGHBOUR_NONE) {
        ask_missing(mesh, slot);
    }
    sync->missing_us = mesh->now_us + (MISSING_US << sync->missing_tries);
    sync->missing_tries += slot != NEIGHBOUR_NONE && sync->missing_tries < MISSING_DOUBLED;
}

void pull_changed(Mesh *mesh) {
    Sync *sync = &mesh->sync;

    sync->digest_calm = 0;
    if (sync->digest_us > mesh->now_us + DIGEST_US) {
        sync->digest_us = mesh->now_us + DIGEST_US;
    }
}

void pull_progress(Mesh *mesh) {
    Sync *sync = &mesh->sync;

    if (sync->missing_tries > 1) {
        sync->missing_tries = 0;
        sync->missing_us = mesh->now_us + MISSING_US;
    }
}

/* What was asked in vain is asked of others, if there are any. */
static void ask_again(Mesh *mesh, uint32_t slot, SyncPeer *peer) {
    peer->asked_count = 0;
    if (pull_send_digests(mesh, slot)) {
        peer->mute_until_us = mesh->now_us + MUTE_US;
    } else {
        pull_send_digest(mesh, slot);
    }
}

void pull_timeout(Mesh *mesh) {
    for (uint32_t slot = 0; slot < MESH_PEERS_MAX && mesh->sync.asked >> slot; slot++) {
        SyncPeer *peer = mesh->sync.asked >> slot & 1 ? mesh->sync.peers[slot] : NULL;

        if (!peer || peer->asked_count == 0) {
            mesh->sync.asked &= ~(1ull << slot);
        } else if (neighbour_view(mesh, slot)->linked == LINKED_KEPT) {
            peer->asked_us = mesh->now_us; /* nothing comes for another reason */
        } else if (mesh->now_us >= peer->asked_us + ASKED_US) {
            ask_again(mesh, slot, peer);
        }
    }
    if (mesh->now_us >= mesh->sync.digest_us) {
        pull_send_digests(mesh, NEIGHBOUR_NONE);
        gap_digests(mesh);
        mesh->sync.digest_us = mesh->now_us + (DIGEST_US << mesh->sync.digest_calm);
        mesh->sync.digest_calm += mesh->sync.digest_calm < DIGEST_DOUBLED;
    }
    step_missing(mesh);
}

uint64_t pull_deadline_us(const Mesh *mesh) {
    uint64_t deadline = mesh->sync.missing_us ? mesh->sync.missing_us : UINT64_MAX;

    for (uint32_t slot = 0; slot < MESH_PEERS_MAX && mesh->sync.asked >> slot; slot++) {
        const SyncPeer *peer = mesh->sync.asked >> slot & 1 ? mesh->sync.peers[slot] : NULL;

        if (peer && peer->asked_count > 0 && peer->asked_us + ASKED_US < deadline) {
            deadline = peer->asked_us + ASKED_US;
        }
    }
    return deadline;
}
