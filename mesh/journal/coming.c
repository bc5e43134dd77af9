/* SPDX-License-Identifier: MPL-2.0 */
/* What is on its way here: asked of some neighbour, or come and not applied yet, as it waits for
 * the disk or for its causes. Nobody need be asked for it. */
#include <stdlib.h>
#include <string.h>

#include "mesh/core.h"
#include "mesh/memory.h"

#define CAME_US (20 * S) /* then it was refused, or what it waits for does not come */

static bool is_of(const SyncRange *range, const uint8_t tag[JOURNAL_TAG_SIZE]) {
    return !memcmp(range->tag, tag, JOURNAL_TAG_SIZE);
}

/* ---- what came ---- */

static bool is_over(const Mesh *mesh, const SyncCame *came) {
    return mesh->now_us >= came->at_us + CAME_US ||
           journal_clock_find(mesh->journal, came->range.tag).count >= came->range.until;
}

void coming_settle(Mesh *mesh) {
    Sync *sync = &mesh->sync;

    for (size_t i = sync->came_count; i > 0; i--) {
        if (is_over(mesh, &sync->came[i - 1])) {
            sync->came[i - 1] = sync->came[--sync->came_count];
        }
    }
    if (sync->came_count == 0) {
        free(sync->came);
        sync->came = NULL;
        sync->came_capacity = 0;
    }
}

/* A row of its own; what has no room may come twice. */
static SyncCame *add(Mesh *mesh, const uint8_t tag[JOURNAL_TAG_SIZE], uint64_t sequence) {
    Sync *sync = &mesh->sync;
    SyncCame *came;

    if (sync->came_count == SYNC_CAME_SIZE) {
        coming_settle(mesh);
    }
    if (sync->came_count == SYNC_CAME_SIZE ||
        !memory_grow((void **)&sync->came, &sync->came_capacity, sync->came_count,
                     sizeof *sync->came)) {
        return NULL;
    }
    came = &sync->came[sync->came_count++];
    *came = (SyncCame){.range = {.from = sequence, .until = sequence + 1}};
    memcpy(came->range.tag, tag, JOURNAL_TAG_SIZE);
    return came;
}

void coming_came(Mesh *mesh, const uint8_t tag[JOURNAL_TAG_SIZE], uint64_t sequence) {
    SyncCame *came = NULL;

    for (size_t i = 0; !came && i < mesh->sync.came_count; i++) {
        SyncRange *range = &mesh->sync.came[i].range;

        if (is_of(range, tag) && sequence + 1 >= range->from && sequence <= range->until) {
            came = &mesh->sync.came[i];
            range->from = sequence < range->from ? sequence : range->from;
            range->until = sequence == range->until ? sequence + 1 : range->until;
        }
    }
    came = came ? came : add(mesh, tag, sequence);
    if (came) {
        came->at_us = mesh->now_us;
    }
}

/* ---- what nobody brings ---- */

/* Takes a range into account: `from` goes to its end if it lies within, `until` to its beginning
 * if that comes first. True: `from` moved. */
static bool keep_clear(const SyncRange *range, const uint8_t tag[JOURNAL_TAG_SIZE], uint64_t *from,
                       uint64_t *until) {
    if (!is_of(range, tag) || range->until <= *from) {
        return false;
    }
    if (range->from <= *from) {
        *from = range->until;
        return true;
    }
    *until = range->from < *until ? range->from : *until;
    return false;
}

/* Of what is here already another may be asked for, which is that of a fork: came, and not here. */
static bool keep_clear_of_came(const Mesh *mesh, const uint8_t tag[JOURNAL_TAG_SIZE], uint64_t here,
                               uint64_t *from, uint64_t *until) {
    bool moved = false;

    for (size_t i = 0; i < mesh->sync.came_count; i++) {
        SyncRange range = mesh->sync.came[i].range;

        range.from = range.from > here ? range.from : here;
        moved |= mesh->now_us < mesh->sync.came[i].at_us + CAME_US && range.from < range.until &&
                 keep_clear(&range, tag, from, until);
    }
    return moved;
}

static bool keep_clear_of_all(const Mesh *mesh, const uint8_t tag[JOURNAL_TAG_SIZE], uint64_t *from,
                              uint64_t *until) {
    const Sync *sync = &mesh->sync;
    uint64_t here = journal_clock_find(mesh->journal, tag).count;
    bool moved = false;

    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        const SyncPeer *peer = sync->peers[slot];

        for (size_t i = 0; peer && i < peer->asked_count; i++) {
            moved |= keep_clear(&peer->asked[i], tag, from, until);
        }
    }
    return keep_clear_of_came(mesh, tag, here, from, until) || moved;
}

void coming_pass(const Mesh *mesh, SyncRange *range) {
    uint64_t here = journal_clock_find(mesh->journal, range->tag).count;
    uint64_t end = range->until;

    if (here < range->until) {
        range->from = here > range->from ? here : range->from;
    }
    while (keep_clear_of_came(mesh, range->tag, here, &range->from, &end)) {
    }
}

bool coming_gap(const Mesh *mesh, const uint8_t tag[JOURNAL_TAG_SIZE], uint64_t from,
                uint64_t until, SyncRange *ret_range) {
    uint64_t end;

    do {
        end = until;
    } while (keep_clear_of_all(mesh, tag, &from, &end) && from < until);
    *ret_range = (SyncRange){.from = from, .until = end};
    memcpy(ret_range->tag, tag, JOURNAL_TAG_SIZE);
    return from < until;
}
