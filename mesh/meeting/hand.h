/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Who asks to speak, and in which order.
 * It owns one state a member, however often it raised and lowered its hand. It never reads a
 * clock: the turn is the common order of the acts that raised the hands.
 *
 * Of all acts on one member's hand the last in the common order counts; a hand raised again stands
 * where it was raised last. So the same entries give the same queue, whichever came first.
 */
#pragma once

#include "mesh/meeting/act.h"

typedef struct {
    MeshKey member;
    bool up;
    Place place; /* of the act that counts */
} Hand;

typedef struct {
    Hand *hands; /* at most MESH_MEMBERS_MAX */
    size_t count, capacity;
} Hands;

/* Empties it. Of memory that is zeroed nothing is to be initialised. */
void hands_reset(Hands *hands);
void hands_finish(Hands *hands);
/* Takes an act on a member's hand; false when a later one counts, it changes nothing, or memory is
 * short. */
bool hands_take(Hands *hands, const MeshKey *member, bool up, const Place *place);
/* Whether it is up. */
bool hands_is_up(const Hands *hands, const MeshKey *member);
/* The hand that is up and next after `after` in the queue, of NULL the first; NULL: there is none.
 */
const Hand *hands_next(const Hands *hands, const Hand *after);
