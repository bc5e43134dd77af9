/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/journal/waiting.h"

#include <stdlib.h>
#include <string.h>

#include "mesh/memory.h"

#define SLOTS_START 64

static void destroy(Waiting *waiting) {
    free(waiting->bytes);
    free(waiting->causes);
    free(waiting);
}

void waiting_finish(WaitingRoom *room) {
    for (unsigned state = 0; state < WAITING_STATES; state++) {
        while (room->first[state]) {
            Waiting *next = room->first[state]->next;

            destroy(room->first[state]);
            room->first[state] = next;
        }
    }
    free(room->hashes);
    free(room->causes);
    *room = (WaitingRoom){0};
}

/* ---- tables ---- */

static size_t slot_of(const WaitingRoom *room, const MeshHash *hash) {
    uint64_t word;

    memcpy(&word, hash->bytes, sizeof word);
    return (size_t)(word & (room->slot_count - 1));
}

static void index_hash(WaitingRoom *room, Waiting *waiting) {
    Waiting **slot = &room->hashes[slot_of(room, &waiting->hash)];

    waiting->by_hash = *slot;
    *slot = waiting;
}

static void index_cause(WaitingRoom *room, Waiting *waiting) {
    Waiting **slot = &room->causes[slot_of(room, &waiting->causes[waiting->lacks])];

    waiting->by_cause = *slot;
    *slot = waiting;
}

/* Room for one more: the tables are rebuilt, twice as large, when half full. */
static bool reserve(WaitingRoom *room) {
    size_t wanted = room->slot_count ? room->slot_count * 2 : SLOTS_START;
    Waiting **hashes, **causes;

    if (room->count * 2 < room->slot_count) {
        return true;
    }
    hashes = calloc(wanted, sizeof(Waiting *));
    causes = calloc(wanted, sizeof(Waiting *));
    if (!hashes || !causes) {
        free(hashes);
        free(causes);
        return false;
    }
    free(room->hashes);
    free(room->causes);
    room->hashes = hashes;
    room->causes = causes;
    room->slot_count = wanted;
    for (unsigned state = 0; state < WAITING_STATES; state++) {
        for (Waiting *waiting = room->first[state]; waiting; waiting = waiting->next) {
            index_hash(room, waiting);
            if (state == WAITING_LACKING) {
                index_cause(room, waiting);
            }
        }
    }
    return true;
}

const Waiting *waiting_find(const WaitingRoom *room, const MeshHash *hash) {
    const Waiting *waiting = room->slot_count ? room->hashes[slot_of(room, hash)] : NULL;

    while (waiting && !mesh_hash_equal(&waiting->hash, hash)) {
        waiting = waiting->by_hash;
    }
    return waiting;
}

/* ---- states ---- */

static void enter(WaitingRoom *room, Waiting *waiting, WaitingState state) {
    waiting->state = state;
    waiting->next = NULL;
    waiting->before = room->last[state];
    *(waiting->before ? &waiting->before->next : &room->first[state]) = waiting;
    room->last[state] = waiting;
}

static void leave(WaitingRoom *room, Waiting *waiting) {
    WaitingState state = waiting->state;

    *(waiting->before ? &waiting->before->next : &room->first[state]) = waiting->next;
    *(waiting->next ? &waiting->next->before : &room->last[state]) = waiting->before;
    if (state == WAITING_LACKING) {
        Waiting **at = &room->causes[slot_of(room, &waiting->causes[waiting->lacks])];

        while (*at != waiting) {
            at = &(*at)->by_cause;
        }
        *at = waiting->by_cause;
    }
}

void waiting_lacks(WaitingRoom *room, Waiting *waiting, size_t lacks) {
    leave(room, waiting);
    waiting->lacks = lacks;
    enter(room, waiting, WAITING_LACKING);
    index_cause(room, waiting);
}

void waiting_refuse(WaitingRoom *room, Waiting *waiting) {
    leave(room, waiting);
    enter(room, waiting, WAITING_REFUSED);
}

void waiting_free_by(WaitingRoom *room, const MeshHash *cause) {
    Waiting *waiting = room->slot_count ? room->causes[slot_of(room, cause)] : NULL;

    while (waiting) {
        Waiting *next = waiting->by_cause;

        if (mesh_hash_equal(&waiting->causes[waiting->lacks], cause)) {
            leave(room, waiting);
            enter(room, waiting, WAITING_READY);
        }
        waiting = next;
    }
}

void waiting_free_refused(WaitingRoom *room) {
    while (room->first[WAITING_REFUSED]) {
        Waiting *waiting = room->first[WAITING_REFUSED];

        leave(room, waiting);
        enter(room, waiting, WAITING_READY);
    }
}

/* ---- in and out ---- */

bool waiting_add(WaitingRoom *room, const Entry *entry, const uint8_t *bytes, size_t length) {
    Waiting *waiting = reserve(room) ? malloc(sizeof *waiting) : NULL;

    if (!waiting) {
        return false;
    }
    *waiting = (Waiting){.hash = entry->hash,
                         .number = room->came++,
                         .bytes = memory_copy(bytes, length),
                         .length = length,
                         .causes = malloc((entry->cited_count + 1) * sizeof *waiting->causes)};
    if (!waiting->bytes || !waiting->causes) {
        destroy(waiting);
        return false;
    }
    if (entry->has_previous) {
        waiting->causes[waiting->cause_count++] = entry->previous;
    }
    for (size_t i = 0; i < entry->cited_count; i++) {
        waiting->causes[waiting->cause_count++] = entry->cited[i];
    }
    index_hash(room, waiting);
    enter(room, waiting, WAITING_READY);
    room->count++;
    return true;
}

Waiting *waiting_oldest(const WaitingRoom *room) {
    Waiting *oldest = room->first[WAITING_REFUSED];

    for (unsigned state = 0; !room->first[WAITING_REFUSED] && state < WAITING_STATES; state++) {
        Waiting *first = room->first[state];

        oldest = first && (!oldest || first->number < oldest->number) ? first : oldest;
    }
    return oldest;
}

void waiting_remove(WaitingRoom *room, Waiting *waiting, uint8_t **ret_bytes) {
    Waiting **at = &room->hashes[slot_of(room, &waiting->hash)];

    leave(room, waiting);
    while (*at != waiting) {
        at = &(*at)->by_hash;
    }
    *at = waiting->by_hash;
    room->count--;
    if (ret_bytes) {
        *ret_bytes = waiting->bytes;
        waiting->bytes = NULL;
    }
    destroy(waiting);
}
