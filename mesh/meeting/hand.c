/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/meeting/hand.h"

#include <stdlib.h>

#include "mesh/memory.h"

void hands_reset(Hands *hands) {
    hands->count = 0;
}

void hands_finish(Hands *hands) {
    free(hands->hands);
    *hands = (Hands){.count = 0};
}

/* The member's, or where it belongs; NULL when there is none and no room. */
static Hand *find(Hands *hands, const MeshKey *member) {
    for (size_t i = 0; i < hands->count; i++) {
        if (mesh_key_equal(&hands->hands[i].member, member)) {
            return &hands->hands[i];
        }
    }
    if (hands->count == MESH_MEMBERS_MAX || !memory_grow((void **)&hands->hands, &hands->capacity,
                                                         hands->count, sizeof *hands->hands)) {
        return NULL;
    }
    hands->hands[hands->count] = (Hand){.member = *member};
    return &hands->hands[hands->count++];
}

bool hands_take(Hands *hands, const MeshKey *member, bool up, const Place *place) {
    Hand *hand = find(hands, member);
    bool changes;

    /* The place of a member new here is zero: before all. */
    if (!hand || place_compare(place, &hand->place) <= 0) {
        return false;
    }
    changes = up || hand->up; /* raised again, it goes to the end of the queue */
    hand->up = up;
    hand->place = *place;
    return changes;
}

bool hands_is_up(const Hands *hands, const MeshKey *member) {
    for (size_t i = 0; i < hands->count; i++) {
        if (mesh_key_equal(&hands->hands[i].member, member)) {
            return hands->hands[i].up;
        }
    }
    return false;
}

const Hand *hands_next(const Hands *hands, const Hand *after) {
    const Hand *next = NULL;

    for (size_t i = 0; i < hands->count; i++) {
        const Hand *hand = &hands->hands[i];

        if (hand->up && (!after || place_compare(&hand->place, &after->place) > 0) &&
            (!next || place_compare(&hand->place, &next->place) < 0)) {
            next = hand;
        }
    }
    return next;
}
