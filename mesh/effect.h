/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The effects of a Mesh that wait to be pulled, in order, with copies of what they point to.
 * It owns the copies until the next call after they were pulled. It never drops what must not get
 * lost: only datagrams, past MESH_EFFECTS_MAX.
 */
#pragma once

#include "mesh/domain.h"

/* The two byte strings an effect may point to. */
typedef struct {
    MeshEffect effect;
    size_t first, first_length;   /* of bytes, value, offer, payload or text */
    size_t second, second_length; /* of an item's key, or of servers */
} EffectSlot;

typedef struct {
    EffectSlot *slots;
    size_t head, count, capacity;
    uint8_t *arena;
    size_t arena_used, arena_size;
    uint32_t calm; /* so many steps in a row needed little of it */
} Effects;

void effects_finish(Effects *effects);
/* Appends; `first` and `second` are copied and put in their place when pulled. False: dropped. */
bool effects_add(Effects *effects, const MeshEffect *effect, Bytes first, Bytes second);
/* The first bytes of the effect added last, to be written over; borrowed until the next one. */
uint8_t *effects_last(Effects *effects);
bool effects_next(Effects *effects, MeshEffect *ret_effect);
/* Datagrams that may still be added. */
size_t effects_room(const Effects *effects);
