/* SPDX-License-Identifier: MPL-2.0 */
/* What is told unasked: new entries along the trees of their authors, and to who comes back what
 * was written meanwhile. */
#include <string.h>

#include "mesh/core.h"
#include "mesh/journal/owed.h"

#define PUSHED_BYTES 1000        /* told unasked to who comes back: about a packet */
#define FULL_BYTES   (48 * 1024) /* waiting in a link: what is new is announced to it, and pulled */
#define FRESH_COUNT  64          /* the newest entries: older ones are history */

/* ---- to who comes back ---- */

static bool is_own(const Mesh *mesh, const Record *record) {
    return !memcmp(journal_chain(mesh->journal, record->chain)->author.bytes, mesh->self.key.bytes,
                   sizeof mesh->self.key.bytes);
}

/* What was written in an earlier run may have been told: of that we remember nothing. */
static bool was_told(const Mesh *mesh, const Neighbour *neighbour, const Record *record) {
    const Chain *chain = journal_chain(mesh->journal, record->chain);

    return mesh->author.begun && !memcmp(chain->tag, mesh->author.tag, JOURNAL_TAG_SIZE) &&
           (record->sequence < neighbour->has || record->sequence < neighbour->confirmed);
}

/* It was sent since there is this link, as to one that was let in: it is on its way, or there. */
static bool was_sent(const Mesh *mesh, uint32_t slot, const Record *record) {
    const SyncPeer *peer = mesh->sync.peers[slot];

    return peer && record->chain < peer->known_count &&
           peer->known[record->chain].from <= record->sequence &&
           record->sequence < peer->known[record->chain].until;
}

void sync_push(Mesh *mesh, uint32_t slot) {
    Neighbour *neighbour = neighbour_at(mesh, slot);
    size_t count = journal_count(mesh->journal);
    size_t first = count;
    size_t newest = count;
    size_t pushed = 0;
    bool sent;

    /* The others may have told it meanwhile: then no more is lost than a packet. */
    for (size_t i = count; i > 0 && count - i < FRESH_COUNT; i--) {
        const Record *record = journal_record(mesh->journal, i - 1);

        if (!is_own(mesh, record)) {
            continue;
        }
        pushed += record->length;
        if (pushed > PUSHED_BYTES || was_told(mesh, neighbour, record) ||
            was_sent(mesh, slot, record)) {
            break;
        }
        first = i - 1;
        newest = newest == count ? first : newest;
    }
    /* Most often those before the newest are known already, and it is what somebody waits for. */
    sent = newest < count && sync_send_entry(mesh, slot, journal_record(mesh->journal, newest));
    for (; first < newest; first++) {
        if (is_own(mesh, journal_record(mesh->journal, first))) {
            sync_tell(mesh, slot, journal_record(mesh->journal, first));
        }
    }
    if (sent) {
        sync_told(mesh, slot, journal_record(mesh->journal, newest));
    }
    neighbour->told = mesh->author.stored_sequence;
}

/* ---- what is new ---- */

void sync_note_first(Mesh *mesh, uint32_t slot, const uint8_t tag[JOURNAL_TAG_SIZE]) {
    Sync *sync = &mesh->sync;
    SyncFirst *first = NULL;

    for (size_t i = 0; !first && i < SYNC_FIRSTS_SIZE; i++) {
        first = memcmp(sync->firsts[i].tag, tag, JOURNAL_TAG_SIZE) ? NULL : &sync->firsts[i];
    }
    if (!first) {
        first = &sync->firsts[sync->first_next++ % SYNC_FIRSTS_SIZE];
        memcpy(first->tag, tag, JOURNAL_TAG_SIZE);
        first->slots = 0;
    }
    first->slots |= 1ull << slot;
}

/* Those it came from need not be told of it. */
static void learn_first(Mesh *mesh, const Record *record) {
    const uint8_t *tag = journal_chain(mesh->journal, record->chain)->tag;

    for (size_t i = 0; record->sequence == 0 && i < SYNC_FIRSTS_SIZE; i++) {
        SyncFirst *first = &mesh->sync.firsts[i];

        for (uint32_t slot = 0; first->slots && slot < mesh->neighbours.end; slot++) {
            if (first->slots >> slot & 1 && !memcmp(first->tag, tag, JOURNAL_TAG_SIZE) &&
                mesh->sync.peers[slot]) {
                sync_learn(mesh->sync.peers[slot], record->chain, 1);
            }
        }
    }
}

/* What others wrote is pushed on while it is news, and the line takes it at once. */
static bool may_push(Mesh *mesh, uint32_t slot, const Record *record, bool own) {
    const SyncPeer *peer = mesh->sync.peers[slot];

    return own || ((!peer || sync_known(peer, record->chain) <= record->sequence) &&
                   link_state(neighbour_at(mesh, slot)->link, mesh->now_us).waiting < FULL_BYTES);
}

/* What a full link does not take is announced to it, and pulled. */
void sync_applied(Mesh *mesh, const Record *record, bool own) {
    const MeshKey *author = &journal_chain(mesh->journal, record->chain)->author;
    bool news = !mesh->loading && (own || !pull_is_behind(mesh));

    pull_changed(mesh);
    learn_first(mesh, record);
    owed_applied(mesh, record);
    for (uint32_t slot = 0; news && slot < mesh->neighbours.end; slot++) {
        Neighbour *neighbour = neighbour_at(mesh, slot);

        if (!neighbour || !neighbour_is_greeted(mesh, neighbour)) {
            continue;
        }
        if (own && link_state(neighbour->link, mesh->now_us).waiting == 0) {
            neighbour->has = neighbour->told; /* all that it was told is acknowledged */
        }
        if (feed_pushes(mesh, neighbour, author) && may_push(mesh, slot, record, own) &&
            (own ? sync_tell_own(mesh, slot, record) : sync_tell(mesh, slot, record)) && own &&
            neighbour->told == record->sequence) {
            neighbour->told++;
        }
    }
    sync_announce_soon(mesh);
}
