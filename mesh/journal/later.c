/* SPDX-License-Identifier: MPL-2.0 */
/* What a neighbour announced and another is about to push: it is asked for when it did not come. */
#include <string.h>

#include "mesh/core.h"

#define NEWS_MOST    8          /* entries: more of them are history, and nobody pushes it */
#define PUSH_US      (250 * MS) /* and two round trips: what is pushed here comes sooner */
#define PUSH_MOST_US (2 * S)

/* How long to wait for who pushes here what this author writes, before a neighbour that has it is
 * asked; 0: not at all. */
static uint64_t push_us(Mesh *mesh, uint32_t slot, const Record *of_chain) {
    const MeshKey *author =
        of_chain ? &journal_chain(mesh->journal, of_chain->chain)->author : NULL;
    const GraphTree *tree = author ? map_tree(mesh, author) : NULL;
    uint16_t self = map_index(mesh, &mesh->self.key);
    const Neighbour *pusher = NULL;
    uint64_t wait_us;

    if (map_present_count(mesh) < GRAPH_SMALL) {
        return 0;
    }
    if (author && (!tree || self >= tree->count || !graph_tree_reaches(tree, self))) {
        return 0;
    }
    if (tree) {
        const MeshKey *key = map_key(mesh, tree->parent[self]);

        pusher = key ? neighbour_find(mesh, key) : NULL;
        if (!pusher || pusher == neighbour_at(mesh, slot) || !neighbour_is_greeted(mesh, pusher)) {
            return 0;
        }
    }
    wait_us = PUSH_US + (pusher ? 2 * (uint64_t)link_rtt_us(pusher->link) : 0);
    return wait_us < PUSH_MOST_US ? wait_us : PUSH_MOST_US;
}

bool later_waits(Mesh *mesh, uint32_t slot, const Record *of_chain, const ClockLine *ours,
                 const ClockLine *theirs) {
    Sync *sync = &mesh->sync;
    SyncLater *later = NULL;
    uint64_t wait_us;

    if (theirs->count - ours->count > NEWS_MOST || pull_is_behind(mesh)) {
        return false;
    }
    for (size_t i = 0; !later && i < sync->later_count; i++) {
        if (sync->later[i].slot == slot &&
            !memcmp(sync->later[i].tag, theirs->tag, JOURNAL_TAG_SIZE)) {
            later = &sync->later[i];
        }
    }
    if (later) {
        later->count = theirs->count > later->count ? theirs->count : later->count;
        return true;
    }
    wait_us = sync->later_count < SYNC_LATER_SIZE ? push_us(mesh, slot, of_chain) : 0;
    if (wait_us > 0) {
        later = &sync->later[sync->later_count++];
        *later =
            (SyncLater){.count = theirs->count, .slot = slot, .ask_us = mesh->now_us + wait_us};
        memcpy(later->tag, theirs->tag, JOURNAL_TAG_SIZE);
    }
    return wait_us > 0;
}

/* It did not come: the neighbour that has it is asked. */
static void ask(Mesh *mesh, const SyncLater *later) {
    uint64_t count = journal_clock_find(mesh->journal, later->tag).count;

    if (count < later->count && !journal_at(mesh->journal, later->tag, count)) {
        pull_range(mesh, later->slot, later->tag, count, later->count);
    }
}

void later_timeout(Mesh *mesh) {
    Sync *sync = &mesh->sync;

    for (size_t i = sync->later_count; i > 0; i--) {
        SyncLater later = sync->later[i - 1];

        if (mesh->now_us >= later.ask_us) {
            sync->later[i - 1] = sync->later[--sync->later_count];
            ask(mesh, &later);
        }
    }
}

void later_lost(Mesh *mesh, uint32_t slot) {
    Sync *sync = &mesh->sync;

    for (size_t i = sync->later_count; i > 0; i--) {
        if (sync->later[i - 1].slot == slot) {
            sync->later[i - 1] = sync->later[--sync->later_count];
        }
    }
}

uint64_t later_deadline_us(const Mesh *mesh) {
    uint64_t deadline = UINT64_MAX;

    for (size_t i = 0; i < mesh->sync.later_count; i++) {
        deadline = mesh->sync.later[i].ask_us < deadline ? mesh->sync.later[i].ask_us : deadline;
    }
    return deadline;
}
